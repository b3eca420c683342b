import LuaHost

extension LuaLibrary {
  /// `moontide.store`: `get`, `set`, `delete` and `all`; values are whatever JSON can hold.
  static func store(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.store") { module in
      module.waiting("get") { call in
        let (store, key) = (try context.requireStore(by: call.name), try call.storeKey(1))
        return LuaOperation { [try await store.get(key).map { .bytes($0) } ?? .nil] }
      }
      module.waiting("set") { call in
        let (store, key) = (try context.requireStore(by: call.name), try call.storeKey(1))
        let value = try call.bytes(2)
        guard value.count <= ScriptStoreLimits.value else {
          throw LuaValueError(
            place: "\(call.name): argument #2",
            problem: "it takes \(value.count) bytes, and a value has at most \(ScriptStoreLimits.value)",
            hint: "the store is for marks and counters; write a file with moontide.fs.write")
        }
        return LuaOperation {
          try await store.set(key, value)
          return []
        }
      }
      module.waiting("delete") { call in
        let (store, key) = (try context.requireStore(by: call.name), try call.storeKey(1))
        return LuaOperation {
          try await store.delete(key)
          return []
        }
      }
      module.waiting("all") { call in
        let store = try context.requireStore(by: call.name)
        return LuaOperation { [.fields(try await store.all().mapValues { .bytes($0) })] }
      }
      module.script(values)
    }
  }

  /// Values cross as JSON, so that the Lua side of `moontide.json` keeps lists and objects apart.
  private static let values = """
    local store = ...
    local encode, decode = moontide.json.encode, moontide.json.decode
    local get, set, all = store.get, store.set, store.all

    function store.get(key, default)
      local text = get(key)
      if text == nil then return default end
      return decode(text)
    end

    function store.set(key, value)
      if value == nil then
        error("moontide.store.set: argument #2: value wanted, got nil (moontide.store.delete removes a key)", 2)
      end
      set(key, encode(value))
    end

    function store.all()
      local values = all()
      for key, text in pairs(values) do values[key] = decode(text) end
      return values
    end
    """
}

extension LibraryContext {
  fileprivate func requireStore(by function: String) throws -> any ScriptStore {
    guard let store else {
      throw LuaValueError(place: function, problem: "this script has no store", hint: "recipes have one")
    }
    return store
  }
}

extension LuaCall {
  fileprivate func storeKey(_ index: Int) throws -> String {
    let key = try string(index)
    guard (1...ScriptStoreLimits.key).contains(key.utf8.count) else {
      throw LuaValueError(
        place: "moontide.store: argument #\(index)",
        problem: key.isEmpty ? "the key is empty" : "a key has at most \(ScriptStoreLimits.key) bytes")
    }
    return key
  }
}
