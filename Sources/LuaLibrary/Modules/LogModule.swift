import LuaHost

extension LuaLibrary {
  /// `moontide.log`: `debug`, `info`, `warn` and `error` take any values, as `print` does.
  static func log(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.log") { module in
      for level in LogLine.Level.allCases {
        module.function(level.rawValue) { call in
          context.log(level, try call.withBytes(1) { String(decoding: $0, as: UTF8.self) })
        }
      }
      module.script(
        """
        local log = ...
        local concat, select, tostring = table.concat, select, tostring
        for _, level in ipairs { "debug", "info", "warn", "error" } do
          local write = log[level]
          log[level] = function(...)
            local texts = {}
            for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
            write(concat(texts, "\\t"))
          end
        end
        """)
    }
  }
}
