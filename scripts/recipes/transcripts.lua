-- Meeting transcripts from a recorder's export folder: WebVTT and SubRip, named like "2026-04-08 Weekly sync.vtt".
-- Each becomes the transcript of the meeting of that day and title; what is no transcript is put aside with its
-- reason. The names' days are those of --arg time_zone=Europe/Berlin; UTC without it. Needs
-- --allow-service=meetings:read,meetings:update, or moontide trust.
local function day_and_title(file)
  return file.stem:match("^(%d%d%d%d%-%d%d%-%d%d)[%s_]+(.+)$")
end

return {
  name        = "transcripts",
  discover    = { root = "recordings", include = "**/*.{vtt,srt}" },
  purpose     = "meeting_transcript",
  permissions = { service = { "meetings:read", "meetings:update" } },

  accept = function(file)
    if file.size == 0 then return moontide.defer(600, "the recorder has not written it yet") end
    if file.ext == ".vtt" and file:read(6) ~= "WEBVTT" then
      return moontide.reject("it does not begin with WEBVTT")
    end
    return true
  end,

  completed = function(file, session)
    local day, title = day_and_title(file)
    local meeting = day and moontide.meetings.find {
      day = day, title = title, time_zone = moontide.args.time_zone, first = true,
    }
    if not meeting then
      moontide.log.warn(file.path .. " was sent as " .. session.id .. ", but there is no meeting for it")
      return { move = "unmatched/" }
    end
    moontide.meetings.attach_transcript(meeting, session)
    return { move = "archive/" }
  end,

  failed = { move = "rejected/" },
}
