#include "CLuaBench.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct clbench {
  lua_State *main;
  lua_State *coroutine;
  int plain, table, host, yields;
};

int64_t clbench_cpu_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int add(lua_State *L) {
  lua_pushinteger(L, luaL_checkinteger(L, 1) + luaL_checkinteger(L, 2));
  return 1;
}

// The host counts instructions; so does the baseline, or it would not do the same work.
static void count(lua_State *L, lua_Debug *unused) {
  (void)L;
  (void)unused;
}

static int pause_here(lua_State *L) { return lua_yield(L, 0); }

// The same sources as in LuaBench.
static int function(lua_State *L, const char *source) {
  if (luaL_loadstring(L, source) != LUA_OK) abort();
  lua_call(L, 0, 1);
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

clbench *clbench_open(void) {
  clbench *bench = calloc(1, sizeof *bench);
  if (bench == NULL) abort();
  lua_State *L = bench->main = luaL_newstate();
  lua_sethook(L, count, LUA_MASKCOUNT, 1000);
  luaL_openlibs(L);
  lua_register(L, "add", add);
  lua_register(L, "pause", pause_here);
  bench->plain = function(L, "return function(n) return n + 1 end");
  bench->table = function(L, "return function(file) return file.stem .. file.ext end");
  bench->host = function(L, "return function(n) local add = add local s = 0 for i = 1, n do s = add(s, i) end return s end");
  bench->yields = function(L, "return function(n) local pause = pause for i = 1, n do pause() end end");
  bench->coroutine = lua_newthread(L);
  luaL_ref(L, LUA_REGISTRYINDEX);
  return bench;
}

void clbench_close(clbench *bench) {
  lua_close(bench->main);
  free(bench);
}

int64_t clbench_plain_calls(clbench *bench, int count) {
  lua_State *L = bench->coroutine;
  int64_t start = clbench_cpu_time(), sum = 0;
  for (int i = 0; i < count; i++) {
    int results;
    lua_rawgeti(L, LUA_REGISTRYINDEX, bench->plain);
    lua_pushinteger(L, i);
    if (lua_resume(L, NULL, 1, &results) != LUA_OK) abort();
    sum += lua_tointeger(L, -1);
    lua_settop(L, 0);
  }
  if (sum < 0) abort();
  return clbench_cpu_time() - start;
}

int64_t clbench_table_calls(clbench *bench, int count) {
  lua_State *L = bench->coroutine;
  int64_t start = clbench_cpu_time();
  size_t sum = 0;
  for (int i = 0; i < count; i++) {
    int results;
    lua_rawgeti(L, LUA_REGISTRYINDEX, bench->table);
    lua_createtable(L, 0, 6);
    lua_pushlstring(L, "handbook/a b.md", 15);
    lua_setfield(L, -2, "path");
    lua_pushlstring(L, "a b", 3);
    lua_setfield(L, -2, "stem");
    lua_pushlstring(L, ".md", 3);
    lua_setfield(L, -2, "ext");
    lua_pushinteger(L, i);
    lua_setfield(L, -2, "size");
    lua_pushnumber(L, 1.5);
    lua_setfield(L, -2, "modified");
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "exists");
    if (lua_resume(L, NULL, 1, &results) != LUA_OK) abort();
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    char *copy = malloc(length + 1);
    if (copy == NULL) abort();
    memcpy(copy, text, length + 1);
    sum += length + (size_t)(copy[0] == 'z');
    free(copy);
    lua_settop(L, 0);
  }
  if (sum == 0) abort();
  return clbench_cpu_time() - start;
}

int64_t clbench_host_calls(clbench *bench, int count) {
  lua_State *L = bench->coroutine;
  int results;
  int64_t start = clbench_cpu_time();
  lua_rawgeti(L, LUA_REGISTRYINDEX, bench->host);
  lua_pushinteger(L, count);
  if (lua_resume(L, NULL, 1, &results) != LUA_OK) abort();
  lua_settop(L, 0);
  return clbench_cpu_time() - start;
}

int64_t clbench_yields(clbench *bench, int count) {
  lua_State *L = bench->coroutine;
  int results;
  int64_t start = clbench_cpu_time();
  lua_rawgeti(L, LUA_REGISTRYINDEX, bench->yields);
  lua_pushinteger(L, count);
  int status = lua_resume(L, NULL, 1, &results);
  while (status == LUA_YIELD) status = lua_resume(L, NULL, 0, &results);
  if (status != LUA_OK) abort();
  lua_settop(L, 0);
  return clbench_cpu_time() - start;
}
