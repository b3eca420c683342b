-- Tells a Slack channel of each report that was sent. What it asks for is granted once, until it changes:
--   moontide trust notify.lua
-- The webhook's address is a secret, so it comes from the environment.
return {
  name        = "notify",
  discover    = "reports/**/*.pdf",
  purpose     = "knowledge_workspace",
  permissions = { net = "hooks.slack.com", env = "SLACK_WEBHOOK" },

  completed = function(file, session)
    -- Once for each report, also when the run is killed and this is called again.
    file:once("slack", function()
      local answer = moontide.http.post(moontide.env.SLACK_WEBHOOK, {
        json = { text = session.filename .. " is in the workspace now." },
      })
      if answer.status >= 300 then error("Slack answered " .. answer.status .. ": " .. answer.body) end
      return answer.status
    end)
  end,
}
