// A state with what scripts may see, and nothing else.
#include "internal.h"

#include <stdlib.h>

void clb_open_objects(clb_host *host);

// Copies the named fields of the table on top of the stack into the one below it.
static void copy_fields(lua_State *L, const char *const *names) {
  for (; *names != NULL; names++) {
    lua_getfield(L, -1, *names);
    lua_setfield(L, -3, *names);
  }
}

// Pushes a table with the named fields of a stock library.
static void push_part(lua_State *L, lua_CFunction open, const char *const *names) {
  lua_createtable(L, 0, 20);
  lua_pushcfunction(L, open);
  lua_call(L, 0, 1);
  copy_fields(L, names);
  lua_pop(L, 1);
}

// A stock function (upvalue 1) whose work grows with its strings, which it charges first.
static int metered(lua_State *L) {
  size_t work = 0;
  for (int i = lua_gettop(L); i > 0; i--)
    if (lua_type(L, i) == LUA_TSTRING) work += lua_rawlen(L, i);
  if (work >= 64) clb_charge(L, work / 4);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// The stock os.date would take an hour for a format of a few megabytes.
static int os_date(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING && lua_rawlen(L, 1) > 1000) return luaL_argerror(L, 1, "format is too long");
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// Wraps a function of the library on top of the stack.
static void wrap(lua_State *L, const char *name, lua_CFunction wrapper) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, wrapper, 1);
  lua_setfield(L, -2, name);
}

static void meter(lua_State *L, const char *const *names) {
  for (; *names != NULL; names++) wrap(L, *names, metered);
}

static void hide_metatable(lua_State *L) {
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

static void open_string(lua_State *L) {
  // string.dump would give bytecode.
  static const char *const names[] = {"byte",   "char",   "find",  "format", "gmatch", "gsub",     "len", "lower",
                                      "match",  "rep",    "reverse", "sub",  "upper",  "pack",     "packsize",
                                      "unpack", NULL};
  static const char *const linear[] = {"reverse", "lower", "upper", "format", "pack", "unpack", "packsize", NULL};
  push_part(L, luaopen_string, names);
  clb_open_strings(L);
  meter(L, linear);
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  hide_metatable(L);
  lua_pop(L, 2);
}

void clb_open_environment(lua_State *L) {
  static const char *const base[] = {"assert", "error",  "getmetatable", "ipairs",   "next",     "pairs",    "rawequal",
                                     "rawget", "rawlen", "rawset",       "select",   "tonumber", "tostring", "type",
                                     "_VERSION", NULL};
  static const char *const os[] = {"time", "date", "clock", NULL};
  static const char *const utf8[] = {"char", "charpattern", "codes", "codepoint", "len", "offset", NULL};

  // luaopen_base writes into the globals, so they are replaced afterwards.
  lua_createtable(L, 0, 40);
  lua_pushcfunction(L, luaopen_base);
  lua_call(L, 0, 1);
  copy_fields(L, base);
  lua_pop(L, 1);
  clb_open_base(L);
  wrap(L, "tonumber", metered);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "_G");
  lua_pushvalue(L, -1);
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);

  open_string(L);
  lua_setfield(L, -2, "string");
  lua_pushcfunction(L, luaopen_table);
  lua_call(L, 0, 1);
  clb_open_tables(L);
  lua_setfield(L, -2, "table");
  lua_pushcfunction(L, luaopen_math);
  lua_call(L, 0, 1);
  lua_setfield(L, -2, "math");
  push_part(L, luaopen_utf8, utf8);
  static const char *const linear[] = {"len", "codepoint", "offset", NULL};
  meter(L, linear);
  lua_setfield(L, -2, "utf8");
  push_part(L, luaopen_os, os);
  wrap(L, "date", os_date);
  lua_setfield(L, -2, "os");
  clb_open_coroutine(L);
  lua_setfield(L, -2, "coroutine");

  // Tracebacks find the names of functions in the registry's table of loaded modules.
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, LUA_GNAME);
  static const char *const modules[] = {"string", "table", "math", "utf8", "os", "coroutine", NULL};
  for (const char *const *name = modules; *name != NULL; name++) {
    lua_getfield(L, -2, *name);
    lua_setfield(L, -2, *name);
  }
  lua_pop(L, 2);
}

void clb_remember_names(lua_State *L, const char *module) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, module);
  lua_pop(L, 1);
}

clb_host *clb_open(void *context, const clb_callbacks *callbacks, size_t memory_limit) {
  clb_host *host = calloc(1, sizeof *host);
  if (host == NULL) return NULL;
  host->context = context;
  host->callbacks = *callbacks;
  host->limit = memory_limit;
  host->largest_source = 1 << 20;
  host->in_swift = 1;
  host->interval = CLB_INTERVAL;
  lua_State *L = lua_newstate(clb_allocate, host);
  if (L == NULL) {
    free(host);
    return NULL;
  }
  host->main = L;
  // New threads get a copy of the main one's extra space, and of its hook: both come first.
  *(clb_host **)lua_getextraspace(L) = host;
  lua_sethook(L, clb_hook, LUA_MASKCOUNT, CLB_INTERVAL);
  clb_open_environment(L);
  clb_open_objects(host);
  return host;
}

void clb_close(clb_host *host) {
  if (host == NULL) return;
  host->call = NULL;
  lua_close(host->main);
  free(host->metatables);
  free(host);
}
