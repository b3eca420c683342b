extension LuaLibrary {
  /// The `each` of a module that has `list`: an iterator over all pages.
  ///
  /// What is added meanwhile pushes others onto the next page: those are not given twice.
  static let pages = """
    local module = ...
    local list = module.list

    function module.each()
      local page, at, offset, before, now = {}, 0, 0, {}, {}
      return function()
        while true do
          if at == #page then
            page = list { offset = offset }
            if #page == 0 then return nil end
            at, offset, before, now = 0, offset + #page, now, {}
          end
          at = at + 1
          local item = page[at]
          local id = item.id
          now[id] = true
          if not before[id] then return item end
        end
      end
    end
    """
}
