-- The team's handbook becomes workspace knowledge, and moves to uploaded/ when it is sent.
return {
  name      = "handbook",
  discover  = { root = "handbook", include = { "**/*.md", "**/*.pdf" }, exclude = { "drafts/**" } },
  purpose   = "knowledge_workspace",
  rename    = function(file) return (file.relative:gsub("/", "--")) end,
  completed = { move = "uploaded/" },
}
