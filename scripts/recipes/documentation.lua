-- A project's own documentation becomes workspace knowledge. Nothing is moved: run it after each release,
-- and only the pages that have changed are sent.
return {
  name     = "documentation",
  discover = { root = ".", include = { "README.md", "docs/**/*.md", "scripts/recipes/*.lua" } },
  purpose  = "knowledge_workspace",

  accept = function(file)
    if file.size > 1000000 then return moontide.reject("a page of more than a megabyte") end
    return true
  end,

  -- docs/lua-api.md becomes docs--lua-api.md: the service has no directories.
  rename = function(file) return (file.relative:gsub("/", "--")) end,
}
