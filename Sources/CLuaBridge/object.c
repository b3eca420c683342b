// Host objects: userdata that own a Swift object.
#include "internal.h"

#include <stdlib.h>

static clb_object *object_at(lua_State *L, int index) {
  // Only this file creates full userdata that a script can reach.
  if (lua_type(L, index) != LUA_TUSERDATA || lua_rawlen(L, index) != sizeof(clb_object)) return NULL;
  return lua_touserdata(L, index);
}

clb_object *clb_to_object(lua_State *L, int index) { return object_at(L, index); }

static int object_gc(lua_State *L) {
  clb_host *host = clb_host_in(L);
  clb_object *object = lua_touserdata(L, 1);
  void *swift = object->swift;
  object->swift = NULL;
  if (swift == NULL) return 0;
  host->objects--;
  host->in_swift++;
  host->callbacks.release(swift);
  host->in_swift--;
  return 0;
}

static int answer(lua_State *L, clb_host *host, int result) {
  host->in_swift--;
  return result == CLB_RAISE ? lua_error(L) : result;
}

static int object_tostring(lua_State *L) {
  clb_host *host = clb_host_in(L);
  clb_object *object = object_at(L, 1);
  if (object == NULL) return luaL_error(L, "host object wanted");
  host->in_swift++;
  return answer(L, host, host->callbacks.describe(host->context, L, object->type, object->swift));
}

static int object_eq(lua_State *L) {
  clb_object *a = object_at(L, 1), *b = object_at(L, 2);
  lua_pushboolean(L, a != NULL && b != NULL && a->swift == b->swift);
  return 1;
}

// The field of an error, or what to say of an object's field that does not exist.
static int object_field(lua_State *L) {
  clb_host *host = clb_host_in(L);
  clb_object *object = object_at(L, 1);
  if (object == NULL) return luaL_error(L, "host object wanted");
  host->in_swift++;
  return answer(L, host, host->callbacks.field(host->context, L, object->type, object->swift));
}

// "text" .. error
static int object_concat(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  luaL_tolstring(L, 2, NULL);
  lua_concat(L, 2);
  return 1;
}

static int finish_property(lua_State *L, int status, lua_KContext unused) {
  (void)status;
  (void)unused;
  return lua_gettop(L) - 2;
}

// Upvalue 1: members. A function is a method; a table holds the getter of a property.
static int object_index(lua_State *L) {
  lua_pushvalue(L, 2);
  int type = lua_rawget(L, lua_upvalueindex(1));
  if (type == LUA_TFUNCTION) return 1;
  if (type == LUA_TTABLE) {
    lua_rawgeti(L, -1, 1);
    lua_replace(L, -2);
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 1, 0, finish_property);
    return 1;
  }
  lua_pop(L, 1);
  return object_field(L);
}

static int object_newindex(lua_State *L) {
  luaL_getmetafield(L, 1, "__name");
  return luaL_error(L, "a %s cannot be changed: its field '%s' is read only", lua_tostring(L, -1),
                    luaL_tolstring(L, 2, NULL));
}

// Fills the metatable on top of the stack with what every type has, and anchors it.
static int finish_metatable(clb_host *host, const char *name) {
  lua_State *L = host->main;
  static const luaL_Reg common[] = {
      {"__gc", object_gc},
      {"__tostring", object_tostring},
      {"__eq", object_eq},
      {"__newindex", object_newindex},
      {NULL, NULL},
  };
  luaL_setfuncs(L, common, 0);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  int type = host->metatable_count;
  int *grown = realloc(host->metatables, sizeof *grown * (size_t)(type + 1));
  if (grown == NULL) return -1;
  host->metatables = grown;
  host->metatables[type] = luaL_ref(L, LUA_REGISTRYINDEX);
  host->metatable_count++;
  return type;
}

int clb_define_type(clb_host *host, const char *name, bool has_text) {
  (void)has_text;
  lua_State *L = host->main;
  lua_createtable(L, 0, 8);
  lua_insert(L, -2);
  lua_pushcclosure(L, object_index, 1);
  lua_setfield(L, -2, "__index");
  return finish_metatable(host, name);
}

void clb_open_objects(clb_host *host) {
  lua_State *L = host->main;
  lua_createtable(L, 0, 8);
  lua_pushcfunction(L, object_field);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, object_concat);
  lua_setfield(L, -2, "__concat");
  finish_metatable(host, "error");
  lua_createtable(L, 0, 8);
  lua_pushcfunction(L, object_field);
  lua_setfield(L, -2, "__index");
  finish_metatable(host, "value");
}

// Collects garbage when dead host objects may be many. Lua would wait for long: it does not see what an object holds
// in Swift, and in the cycle that finds it dead it counts it as alive, since its finalizer is still to run. So each
// cycle would begin at twice as many objects as the one before, up to the script's cap.
static void collect_objects(lua_State *L, clb_host *host) {
  if (host->objects < 2 * host->objects_alive + CLB_DEAD_OBJECTS) return;
  lua_gc(L, LUA_GCCOLLECT, 0);
  host->objects_alive = host->objects;
}

void clb_push_object(lua_State *L, void *swift, int type) {
  clb_host *host = clb_host_in(L);
  collect_objects(L, host);
  clb_object *object = lua_newuserdatauv(L, sizeof *object, 0);
  object->swift = swift;
  object->type = type;
  host->objects++;
  lua_rawgeti(L, LUA_REGISTRYINDEX, host->metatables[type]);
  lua_setmetatable(L, -2);
}
