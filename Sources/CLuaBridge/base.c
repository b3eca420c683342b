// The base functions that need more care than the stock ones take.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

// -- pcall and xpcall: they do not catch a stop.

// A context is the number of values below the results and the depth outside of the protected call.
static int finish_pcall(lua_State *L, int status, lua_KContext context) {
  clb_host_in(L)->protected_depth = (int)(context & CLB_DEPTH_MASK);
  if (status != LUA_OK && status != LUA_YIELD) {
    clb_caught(L, status);
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -2);
    return 2;
  }
  return lua_gettop(L) - (int)(context >> CLB_DEPTH_BITS);
}

// Enters a protected call: gives its context, or -1 with what it returns instead on the stack.
static lua_KContext enter_protected(lua_State *L, int below) {
  clb_host *host = clb_host_in(L);
  if (host->protected_depth < CLB_MOST_PROTECTED)
    return (lua_KContext)below << CLB_DEPTH_BITS | host->protected_depth++;
  clb_caught(L, LUA_ERRRUN);
  lua_pushboolean(L, 0);
  luaL_where(L, 1);
  lua_pushliteral(L, "C stack overflow");
  lua_concat(L, 2);
  return -1;
}

static int base_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_KContext context = enter_protected(L, 0);
  if (context < 0) return 2;
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, context, finish_pcall);
  return finish_pcall(L, status, context);
}

// Wraps the script's handler (upvalue 1): a stopped call has no handlers. Besides, the
// stop may have been raised with the hooks off, and a handler would then run unwatched.
int clb_message_handler(lua_State *L) {
  clb_host *host = clb_host_in(L);
  if (host->call != NULL && host->call->stopped != CLB_RUNNING) return 1;
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  // Lua would hand a handler's own error to the handler, until nothing is left of it but "error in error handling".
  // Here it is what xpcall returns.
  clb_caught(L, lua_pcall(L, 1, 1, 0));
  return 1;
}

static int base_xpcall(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  int count = lua_gettop(L);
  lua_KContext context = enter_protected(L, 2);
  if (context < 0) return 2;
  // Stack becomes: handler, f, true, f, arguments...
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, clb_message_handler, 1);
  lua_replace(L, 2);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);
  int status = lua_pcallk(L, count - 2, LUA_MULTRET, 2, context, finish_pcall);
  return finish_pcall(L, status, context);
}

// -- setmetatable: no finalizers, since they would escape every limit.

static int base_setmetatable(lua_State *L) {
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "cannot change a protected metatable");
  if (type == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    lua_rawget(L, 2);
    if (!lua_isnil(L, -1))
      return luaL_error(L, "__gc is not available: use a <close> variable for what must be released");
    lua_pop(L, 1);
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

// -- load: text only, of bounded size, in the script's environment.

typedef struct {
  const char *bytes;
  size_t left;
} source;

// Hands the source out in pieces, so that the clock is looked at while a long one compiles.
static const char *read_piece(lua_State *L, void *data, size_t *count) {
  source *from = data;
  *count = from->left < 4096 ? from->left : 4096;
  const char *piece = from->bytes;
  from->bytes += *count;
  from->left -= *count;
  clb_charge(L, *count);
  return *count == 0 ? NULL : piece;
}

// Replaces the reader function at index 1 by all that it gives.
static void gather(lua_State *L, clb_host *host) {
  luaL_Buffer buffer;
  size_t total = 0;
  luaL_buffinit(L, &buffer);
  for (;;) {
    clb_charge(L, 100);
    lua_pushvalue(L, 1);
    lua_call(L, 0, 1);
    size_t count = 0;
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      break;
    }
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "reader function must return a string");
    lua_tolstring(L, -1, &count);
    if (count == 0) {
      lua_pop(L, 1);
      break;
    }
    total += count;
    if (total > host->largest_source)
      luaL_error(L, "the source given to load is too long (more than %d bytes)", (int)host->largest_source);
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
  lua_replace(L, 1);
}

static int base_load(lua_State *L) {
  clb_host *host = clb_host_in(L);
  bool has_environment = !lua_isnone(L, 4);
  const char *mode = luaL_optstring(L, 3, "t");
  const char *name = luaL_optstring(L, 2, NULL);
  if (strchr(mode, 't') == NULL) return luaL_error(L, "load takes source text only, not bytecode");
  if (lua_type(L, 1) == LUA_TSTRING) {
    if (name == NULL) name = lua_tostring(L, 1);
  } else {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (name == NULL) name = "=(load)";
    gather(L, host);
  }
  source from;
  from.bytes = lua_tolstring(L, 1, &from.left);
  if (from.left > host->largest_source)
    return luaL_error(L, "the source given to load is too long (%d bytes, %d are allowed)", (int)from.left,
                      (int)host->largest_source);
  clb_note_source(host, from.bytes, from.left);
  int status = lua_load(L, read_piece, &from, name, "t");
  clb_caught(L, status);
  if (status != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (has_environment) {
    lua_pushvalue(L, 4);
    if (lua_setupvalue(L, -2, 1) == NULL) lua_pop(L, 1);
  }
  return 1;
}

// -- print: a line for the host.

static int base_print(lua_State *L) {
  clb_host *host = clb_host_in(L);
  int count = lua_gettop(L);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (int i = 1; i <= count; i++) {
    if (i > 1) luaL_addchar(&buffer, '\t');
    luaL_tolstring(L, i, NULL);
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
  size_t length;
  const char *bytes = lua_tolstring(L, -1, &length);
  host->in_swift++;
  host->callbacks.print(host->context, bytes, length);
  host->in_swift--;
  return 0;
}

void clb_open_base(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"pcall", base_pcall}, {"xpcall", base_xpcall}, {"setmetatable", base_setmetatable},
      {"load", base_load},   {"print", base_print},   {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
