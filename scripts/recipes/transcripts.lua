-- Meeting transcripts from a recorder's export folder: WebVTT and SubRip, named by day.
-- Sent ones are archived; what is no transcript is put aside with its reason.
return {
  name     = "transcripts",
  discover = { root = "recordings", include = "**/*.{vtt,srt}" },
  purpose  = "meeting_transcript",
  rename   = "{date}-{stem}{ext}",

  accept = function(file)
    if file.size == 0 then return moontide.defer(600, "the recorder has not written it yet") end
    if file.ext == ".vtt" and file:read(6) ~= "WEBVTT" then
      return moontide.reject("it does not begin with WEBVTT")
    end
    return true
  end,

  completed = { move = "archive/" },
  failed    = { move = "rejected/" },
}
