// Calls from Swift into a script, and the trampolines of host functions.
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char clb_waiting_mark = 0;

clb_host *clb_host_of(lua_State *L) { return clb_host_in(L); }

// The handler of the outermost protected call: notes the place before the stack unwinds.
int clb_entry_handler(lua_State *L) {
  clb_host *host = clb_host_in(L);
  if (host->call != NULL) clb_record_place(L, host->call, 1, 1);
  return 1;
}

// The text of an error value that may be anything, made where its __tostring may fail.
static int error_text(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

static int entry_finished(lua_State *L, int status, lua_KContext unused) {
  (void)unused;
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 1;
  clb_host *host = clb_host_in(L);
  clb_call *call = host->call;
  call->failed = true;
  call->status = status;
  // Stack: handler, error value. The text follows it.
  lua_settop(L, 2);
  if (call->stopped != CLB_RUNNING) {
    lua_pushnil(L);
    return 2;
  }
  if (lua_type(L, 2) == LUA_TUSERDATA) {
    lua_pushnil(L);
    return 2;
  }
  host->in_swift++;
  lua_pushcfunction(L, error_text);
  lua_pushvalue(L, 2);
  host->in_swift--;
  if (lua_pcall(L, 1, 1, 0) != LUA_OK || lua_type(L, -1) != LUA_TSTRING) {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
  return 2;
}

// The first function of a call of a script that may have <close> variables. Runs the script's function in protected mode, so that
// an error unwinds inside the coroutine (where a __close may still wait), and the
// coroutine can be used again.
static int entry(lua_State *L) {
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, entry_finished);
  return entry_finished(L, status, 0);
}

// -- The life of a call.

clb_call *clb_new_call(clb_host *host) {
  clb_call *call = calloc(1, sizeof *call);
  if (call == NULL) return NULL;
  call->coroutine = lua_newthread(host->main);
  lua_sethook(call->coroutine, clb_hook, LUA_MASKCOUNT, host->interval);
  call->anchor = luaL_ref(host->main, LUA_REGISTRYINDEX);
  // Room for a function and the first arguments of every call.
  lua_checkstack(call->coroutine, 40);
  return call;
}

void clb_abandon(clb_host *host, clb_call *call) { luaL_unref(host->main, LUA_REGISTRYINDEX, call->anchor); }

void clb_free_call(clb_call *call) {
  free(call->traceback);
  free(call->raised_traceback);
  free(call);
}

void clb_protect(clb_call *call) {
  lua_pushcfunction(call->coroutine, entry);
  lua_pushcfunction(call->coroutine, clb_entry_handler);
}

bool clb_recover(clb_call *call) {
  // A coroutine that was stopped inside a hook has its hooks off for good: never run it again.
  if (call->dead || call->stopped != CLB_RUNNING || call->status == LUA_ERRMEM) return false;
  free(call->traceback);
  call->traceback = NULL;
  call->failed = false;
  call->status = LUA_OK;
  call->place.line = 0;
  call->memory_errors = 0;
  return true;
}

bool clb_waits(lua_State *L) {
  return lua_status(L) == LUA_YIELD && lua_gettop(L) > 0 &&
         lua_touserdata(L, -1) == (void *)&clb_waiting_mark;
}

// The end of a call whose coroutine has died where an error was raised, since its function ran unprotected.
// Leaves the error value and its text, as `entry` does, on a coroutine that can be used again.
static void bury(clb_host *host, lua_State *L, clb_call *call, int status) {
  call->failed = true;
  call->status = status;
  if (call->protected_entry) {
    // The entry itself failed: no memory, or no C stack, even for that.
    call->dead = true;
    return;
  }
  clb_record_place(L, call, 0, -1);
  if (call->stopped != CLB_RUNNING || status == LUA_ERRMEM) {
    call->dead = true;
    return;
  }
  host->current = L;
  // There is nothing to close that may wait, but there may be a variable of the host's own.
  host->closing = 1;
  call->status = lua_resetthread(L);
  host->closing = 0;
  if (call->stopped != CLB_RUNNING || call->status == LUA_ERRMEM) {
    call->dead = true;
    return;
  }
  int type = lua_type(L, -1);
  if (type != LUA_TSTRING && type != LUA_TUSERDATA) {
    host->in_swift++;
    lua_pushcfunction(L, error_text);
    lua_pushvalue(L, -2);
    host->in_swift--;
    if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) return;
    lua_pop(L, 1);
  }
  lua_pushnil(L);
}

// Resumes a call's coroutine. What Swift does between two turns is never held to the memory cap.
static inline int turn(clb_host *host, clb_call *call, int arguments, int64_t started) {
  // `blocked` and `closing` are what they were: whoever sets them sets them back before an error can pass.
  lua_State *L = call->coroutine;
  host->call = call;
  host->top = L;
  host->current = L;
  host->turn_started = started;
  host->last_hook = 0;
  host->in_swift = 0;
  host->protected_depth = 0;
  int status = lua_resume(L, NULL, arguments, &call->results);
  host->in_swift = 1;
  return status;
}

// The end of a turn that was anything but short and successful.
static int end_turn(clb_host *host, clb_call *call, int status) {
  if (status > LUA_YIELD) {
    host->in_swift = 0;
    bury(host, call->coroutine, call, status);
    host->in_swift = 1;
  }
  if (host->turn_started != 0 || status == LUA_YIELD) {
    int64_t now = clb_now();
    call->waits_since = now;
    if (host->turn_started != 0) call->budget->nanoseconds -= now - host->turn_started;
  }
  host->call = NULL;
  if (status == LUA_YIELD) return CLB_WAITING;
  return call->failed ? CLB_FAILED : CLB_FINISHED;
}

// Calls that are not as most are: stopped before they began, protected, or after a very long string was made.
static int prepare(clb_host *host, clb_call *call, int arguments) {
  lua_State *L = call->coroutine;
  if (call->stopped != CLB_RUNNING) {
    // With the call that it is a part of.
    call->failed = true;
    call->dead = true;
    lua_settop(L, 0);
    lua_pushnil(L);
    return -1;
  }
  if (host->interval != CLB_INTERVAL) lua_sethook(L, clb_hook, LUA_MASKCOUNT, host->interval);
  return call->protected_entry ? arguments + 2 : arguments;
}

int clb_start(clb_host *host, clb_call *call, int arguments) {
  if (call->stopped != CLB_RUNNING || call->protected_entry || host->interval != CLB_INTERVAL) {
    arguments = prepare(host, call, arguments);
    if (arguments < 0) return CLB_FAILED;
  }
  int status = turn(host, call, arguments, 0);
  if (status != LUA_OK || host->turn_started != 0 || call->failed) return end_turn(host, call, status);
  host->call = NULL;
  return CLB_FINISHED;
}

int clb_continue(clb_host *host, clb_call *call, bool at_once) {
  lua_settop(call->coroutine, -2);  // the waiting mark
  // Where the thread has done nothing but this operation, the time since the turn before belongs to the call, and
  // the clock need not be read again.
  int64_t now = call->waits_since;
  if (!at_once) {
    now = clb_now();
    int64_t waited = now - call->waits_since;
    if (waited < CLB_SHORTEST_WAIT) call->budget->nanoseconds -= waited;
  }
  call->budget->instructions -= CLB_WAIT_COST;
  if (host->interval != CLB_INTERVAL) lua_sethook(call->coroutine, clb_hook, LUA_MASKCOUNT, host->interval);
  return end_turn(host, call, turn(host, call, 0, now));
}

int clb_call_nested(lua_State *L, int arguments, int results) {
  clb_host *host = clb_host_in(L);
  int in_swift = host->in_swift;
  host->in_swift = 0;
  int status = lua_pcall(L, arguments, results, 0);
  host->in_swift = in_swift;
  return status;
}

int clb_compile(lua_State *L, const char *bytes, size_t count, const char *chunk) {
  return luaL_loadbufferx(L, bytes, count, chunk, "t");
}

static bool is_part_of_name(char c) { return isalnum((unsigned char)c) || c == '_'; }

void clb_note_source(clb_host *host, const char *bytes, size_t count) {
  // `<close>` and `__close`; and `load`, which may bring them while a call is already under way.
  for (size_t i = 0; i + 4 <= count && !host->closes; i++) {
    if (bytes[i] == 'c') {
      host->closes = i + 5 <= count && memcmp(bytes + i, "close", 5) == 0;
    } else if (bytes[i] == 'l' && memcmp(bytes + i, "load", 4) == 0) {
      host->closes = (i == 0 || !is_part_of_name(bytes[i - 1])) && (i + 4 == count || !is_part_of_name(bytes[i + 4]));
    }
  }
}

// -- Host functions. Upvalues: number, name.

static int settle(lua_State *L, clb_host *host, int answer, int function);

static int host_continue(lua_State *L, int status, lua_KContext context) {
  (void)status;
  clb_host *host = clb_host_in(L);
  int function = (int)(context >> CLB_DEPTH_BITS);
  host->protected_depth = (int)(context & CLB_DEPTH_MASK);
  host->in_swift++;
  int answer = host->callbacks.finish(host->context, L, function);
  host->in_swift--;
  return settle(L, host, answer, function);
}

static int settle(lua_State *L, clb_host *host, int answer, int function) {
  // A script function called by the host function may have been stopped.
  if (host->call != NULL && host->call->stopped != CLB_RUNNING) {
    clb_record_place(L, host->call, 0, 0);
    return clb_raise_stop(L);
  }
  if (answer >= 0) {
    if (host->used > host->limit) clb_settle(L, host);
    return answer;
  }
  if (answer == CLB_RAISE) return lua_error(L);
  lua_pushlightuserdata(L, (void *)&clb_waiting_mark);
  return lua_yieldk(L, 1, (lua_KContext)function << CLB_DEPTH_BITS | host->protected_depth, host_continue);
}

static int host_function(lua_State *L) {
  clb_host *host = clb_host_in(L);
  int function = (int)lua_tointeger(L, lua_upvalueindex(1));
  host->in_swift++;
  int answer = host->callbacks.call(host->context, L, function);
  host->in_swift--;
  return settle(L, host, answer, function);
}

// Refuses a waiting call where nothing can wait, before the operation is started.
static void require_waiting(lua_State *L, clb_host *host, bool while_loading) {
  const char *name = lua_tostring(L, lua_upvalueindex(2));
  if (host->call != NULL && host->call->stopped != CLB_RUNNING) clb_raise_stop(L);
  if (host->call == NULL || (host->call->forbids_waiting && !while_loading))
    luaL_error(L, "%s: I/O while a recipe loads: move it into a handler", name);
  if (lua_isyieldable(L) && host->blocked == NULL) return;
  const char *advice;
  const char *blocker = clb_find_blocker(L, &advice);
  luaL_error(L, "%s cannot wait inside %s: %s", name, blocker, advice);
}

static int waiting_host_function(lua_State *L) {
  require_waiting(L, clb_host_in(L), false);
  return host_function(L);
}

static int always_waiting_host_function(lua_State *L) {
  require_waiting(L, clb_host_in(L), true);
  return host_function(L);
}

bool clb_is_host_function(lua_CFunction function) {
  return function == host_function || function == waiting_host_function || function == always_waiting_host_function;
}

void clb_push_host_function(lua_State *L, int function, const char *name, int waits) {
  static const lua_CFunction trampolines[] = {host_function, waiting_host_function, always_waiting_host_function};
  lua_pushinteger(L, function);
  lua_pushstring(L, name);
  lua_pushcclosure(L, trampolines[waits], 2);
}

void clb_set_index(lua_State *L, int function, const char *name, int waits) {
  lua_createtable(L, 0, 2);
  clb_push_host_function(L, function, name, waits);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
}
