import LuaHost

extension LuaLibrary {
  /// `moontide.json`: `encode`, `decode`, `null` and `array`.
  ///
  /// An empty Lua table is `{}`; which tables are empty lists instead is remembered by the Lua part, and the
  /// Swift part sees a mark in their place.
  static func json() -> LuaModule {
    LuaModule("moontide.json") { module in
      module.value("null", JSONMarks.null)
      module.value("empty", JSONMarks.emptyList)
      module.function("encode") { call in
        guard call.count > 0 else {
          throw LuaValueError(place: "moontide.json.encode: argument #1", wanted: "value", got: "nothing")
        }
        let options = try call.optionalFields(2)
        try options.onlyKnown(["pretty"])
        let pretty = try options.optionalBoolean("pretty") ?? false
        try call.push(JSONWriter.write(call.value(1), pretty: pretty))
      }
      module.function("decode") { call in
        let options = try call.optionalFields(2)
        try options.onlyKnown(["big"])
        var big = JSONReader.BigIntegers.error
        if options["big"] != nil {
          guard let chosen = JSONReader.BigIntegers(rawValue: try options.string("big")) else {
            throw options.error("big", wanted: "\"error\", \"float\" or \"string\"")
          }
          big = chosen
        }
        let read = try JSONReader.read(call.bytes(1), bigIntegers: big)
        try call.push(read.value)
        call.push(read.hasEmptyList)
      }
      module.script(lists)
    }
  }

  private static let lists = """
    local json = ...
    local encode, decode, empty = json.encode, json.decode, json.empty
    local next, rawequal, select, type = next, rawequal, select, type
    local lists, some = setmetatable({}, { __mode = "k" }), false
    json.empty = nil

    function json.array(list)
      if list == nil then list = {} end
      if type(list) ~= "table" then
        error("moontide.json.array: argument #1: table wanted, got " .. type(list), 2)
      end
      lists[list], some = true, true
      return list
    end

    -- The same value with the mark in place of each empty list; tables are only copied where one is below.
    local function marked(value, seen)
      if type(value) ~= "table" then return value end
      if seen[value] ~= nil then return seen[value] end
      if next(value) == nil then return lists[value] and empty or value end
      seen[value] = value
      local copy
      for key, item in next, value do
        local new = marked(item, seen)
        if not rawequal(new, item) then
          if copy == nil then
            copy = {}
            for k, v in next, value do copy[k] = v end
          end
          copy[key] = new
        end
      end
      seen[value] = copy or value
      return copy or value
    end

    local function unmarked(value)
      if value == empty then return json.array {} end
      if type(value) == "table" then
        for key, item in next, value do value[key] = unmarked(item) end
      end
      return value
    end

    function json.encode(...)
      if some then return encode(marked((...), {}), select(2, ...)) end
      return encode(...)
    end

    function json.decode(...)
      local value, has_empty_list = decode(...)
      if has_empty_list then value = unmarked(value) end
      return value
    end
    """
}
