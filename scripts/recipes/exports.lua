-- A nightly CSV export for your own assistant. The directory is an argument:
--   moontide run exports.lua --arg dir=/srv/exports
-- A file counts only when its last line ends with a line break: the export writes that last.
local dir = moontide.args.dir or "exports"

return {
  name     = "exports",
  discover = { root = dir, include = "*.csv" },

  decide = function(file)
    if file:tail(1) ~= "\n" then return moontide.defer(60, "still being written") end
    local header = file:lines()()
    if not header:find(",", 1, true) then return moontide.reject("no CSV header: " .. header) end
    return { filename = "export-" .. file.name, mime_type = "text/csv", purpose = "knowledge_user" }
  end,

  summary = function(run)
    if run.failed + run.rejected > 0 then
      moontide.log.warn(run.failed + run.rejected, "exports were not sent")
    end
  end,
}
