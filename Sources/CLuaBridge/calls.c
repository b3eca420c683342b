// Calls from Swift into a script, and the trampolines of host functions.
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char clb_waiting_mark = 0;

clb_host *clb_host_of(lua_State *L) { return clb_host_in(L); }

// -- Where and how a call failed.

// Lua finds a frame by walking the chain of calls, so that a stock traceback of a runaway recursion
// walks millions of them to show the outermost ones: a fifth of a second.
#define DEEP_STACK 2000
#define SHOWN_OF_DEEP_STACK 12

// The innermost frames of a deep stack.
static void push_short_traceback(lua_State *L, int level) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  luaL_addstring(&buffer, "stack traceback:");
  lua_Debug frame;
  for (int i = level; i < level + SHOWN_OF_DEEP_STACK && lua_getstack(L, i, &frame); i++) {
    lua_getinfo(L, "Sln", &frame);
    if (frame.currentline > 0)
      lua_pushfstring(L, "\n\t%s:%d: in ", frame.short_src, frame.currentline);
    else
      lua_pushfstring(L, "\n\t%s: in ", frame.short_src);
    luaL_addvalue(&buffer);
    if (*frame.namewhat != '\0')
      lua_pushfstring(L, "%s '%s'", frame.namewhat, frame.name);
    else if (*frame.what == 'C')
      lua_pushliteral(L, "?");
    else
      lua_pushfstring(L, "function <%s:%d>", frame.short_src, frame.linedefined);
    luaL_addvalue(&buffer);
  }
  luaL_addstring(&buffer, "\n\t... and many more");
  luaL_pushresult(&buffer);
}

static void record_traceback(lua_State *L, clb_call *call, int level) {
  // Never let the cap turn an error into another one: what is said about it must be built.
  clb_host *host = clb_host_in(L);
  host->in_swift++;
  if (lua_checkstack(L, 20)) {
    lua_Debug frame;
    if (lua_getstack(L, DEEP_STACK, &frame))
      push_short_traceback(L, level);
    else
      luaL_traceback(L, L, NULL, level);
    const char *text = lua_tostring(L, -1);
    free(call->traceback);
    call->traceback = text == NULL ? NULL : strdup(text);
    lua_pop(L, 1);
  }
  host->in_swift--;
}

// The innermost line of a script's own, or of whatever has lines when there is none.
static void find_place(lua_State *L, int level, clb_place *place) {
  place->line = 0;
  lua_Debug frame;
  for (int i = level; i < level + DEEP_STACK && lua_getstack(L, i, &frame); i++) {
    lua_getinfo(L, "Sl", &frame);
    bool is_ours = *frame.source == '=';
    if (frame.currentline <= 0 || (is_ours && place->line != 0)) continue;
    place->line = frame.currentline;
    memcpy(place->chunk, frame.short_src, sizeof place->chunk);
    if (!is_ours) break;
  }
}

// What tells one error from another one.
static const void *identity(lua_State *L, int index) { return lua_topointer(L, index); }

void clb_find_place(lua_State *L, clb_place *place) { find_place(L, 0, place); }

void clb_note_raised(lua_State *co) {
  clb_call *call = clb_host_in(co)->call;
  const void *value = identity(co, -1);
  // Raised again in an outer coroutine it is still the same error.
  if (call == NULL || value == NULL || value == call->raised_value) return;
  find_place(co, 0, &call->raised);
  call->raised_value = call->raised.line > 0 ? value : NULL;
}

void clb_record_place(lua_State *L, clb_call *call, int level, int error) {
  if (call->traceback != NULL) return;
  if (error != 0 && call->raised_value != NULL && call->raised_value == identity(L, error))
    call->place = call->raised;
  else
    find_place(L, level, &call->place);
  record_traceback(L, call, level);
}

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

static int host_continue(lua_State *L, int status, lua_KContext function) {
  (void)status;
  clb_host *host = clb_host_in(L);
  host->in_swift++;
  int answer = host->callbacks.finish(host->context, L, (int)function);
  host->in_swift--;
  return settle(L, host, answer, (int)function);
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
  return lua_yieldk(L, 1, function, host_continue);
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
  const char *blocker = clb_blocker(L, &advice);
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

// -- What cannot be waited in.

const char *clb_blocker(lua_State *L, const char **advice) {
  static const struct {
    const char *name, *blocker, *advice;
  } known[] = {
      {"sort", "a table.sort comparator", "call it before sorting, and compare what it gave"},
      {"gsub", "a string.gsub callback", "collect the matches with string.gmatch first, then call it in a loop"},
      {"tostring", "a __tostring metamethod", "call it earlier and keep the text in a field"},
      {"print", "a __tostring metamethod", "call it earlier and keep the text in a field"},
      {"format", "a __tostring metamethod", "call it earlier and keep the text in a field"},
      {"load", "a reader given to load", "read the source first and give load one string"},
      {"error", "a message handler of xpcall", "return from xpcall first, then call it"},
      {"concat", "a metamethod called by table.concat", "build the strings first"},
      {"insert", "a metamethod called by table.insert", "use a plain table"},
      {"remove", "a metamethod called by table.remove", "use a plain table"},
      {"move", "a metamethod called by table.move", "use a plain table"},
      {"unpack", "a metamethod called by table.unpack", "use a plain table"},
  };
  lua_Debug frame;
  clb_host *host = clb_host_in(L);
  // Either this coroutine cannot yield, or one of those that wait for it.
  lua_State *stuck = lua_isyieldable(L) && host->blocked != NULL ? host->blocked : L;
  for (int level = stuck == L ? 1 : 0; lua_getstack(stuck, level, &frame); level++) {
    lua_getinfo(stuck, "Sn", &frame);
    if (*frame.what != 'C') continue;
    if (!lua_checkstack(stuck, 1)) break;
    lua_getinfo(stuck, "f", &frame);
    lua_CFunction function = lua_tocfunction(stuck, -1);
    lua_pop(stuck, 1);
    if (function == clb_message_handler) {
      *advice = "return from xpcall first, then call it";
      return "a message handler of xpcall";
    }
    if (function == host_function) {
      *advice = "that host function cannot wait for the function it calls";
      return "a function that is called by a host function";
    }
    if (frame.name == NULL) continue;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
      if (strcmp(frame.name, known[i].name) != 0) continue;
      *advice = known[i].advice;
      return known[i].blocker;
    }
  }
  if (host->closing > 0) {
    *advice = "let the coroutine end by itself";
    return "a __close run by coroutine.close";
  }
  *advice = "call it outside of that callback";
  return "a callback of a function that cannot be paused";
}
