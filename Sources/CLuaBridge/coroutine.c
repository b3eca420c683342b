// The coroutine library, made so that a waiting host call passes through it.
//
// A coroutine that waits for the host has the waiting mark on top of its stack. Its
// resumer passes the wait on to its own resumer, out to the host, and resumes it when the
// host resumes the outermost one. A script never sees any of it, and cannot resume or
// close a coroutine in that state.
#include "internal.h"

enum { AS_RESUME = 0, AS_WRAP = 1 };

static lua_State *coroutine_at(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "coroutine");
  return co;
}

static int finish(lua_State *L, int status, lua_KContext context);

// Whether a coroutine ended because its call was stopped; no code may run on it again,
// since a hook that raised left the hooks of that thread off.
static bool was_stopped(lua_State *co) {
  int status = lua_status(co);
  return status != LUA_OK && status != LUA_YIELD && lua_gettop(co) > 0 &&
         lua_touserdata(co, -1) == (void *)&clb_stop_mark;
}

static int give_error(lua_State *L, lua_State *co, int status, int kind) {
  // Called with the error value on top of co.
  clb_caught(L, status);
  clb_note_raised(co);
  if (kind == AS_RESUME) {
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
  }
  // As in the stock wrap: close the coroutine's variables, then pass the error on. The stock one also puts its own
  // place in front of a text, which would hide where the error was raised.
  int state = lua_status(co);
  if (state == LUA_OK || state == LUA_YIELD) {
    // It was refused, and has not run.
    lua_xmove(co, L, 1);
    return lua_error(L);
  }
  int closed = lua_resetthread(co);
  clb_caught(L, closed);
  lua_xmove(co, L, 1);
  return lua_error(L);
}

static int drive(lua_State *L, lua_State *co, int arguments, int kind) {
  clb_host *host = clb_host_in(L);
  lua_State *blocked = host->blocked;
  if (!lua_isyieldable(L) && blocked == NULL) host->blocked = L;
  host->current = co;
  int depth = host->protected_depth;
  host->protected_depth = 0;
  int results;
  int status = lua_resume(co, L, arguments, &results);
  host->protected_depth = depth;
  host->current = L;
  host->blocked = blocked;
  if (status == LUA_YIELD && clb_waits(co)) {
    lua_pushlightuserdata(L, (void *)&clb_waiting_mark);
    return lua_yieldk(L, 1, (lua_KContext)kind << CLB_DEPTH_BITS | depth, finish);
  }
  // A stop inside must end the resumer as well.
  if (host->call != NULL && host->call->stopped != CLB_RUNNING) return clb_raise_stop(L);
  if (status != LUA_OK && status != LUA_YIELD) return give_error(L, co, status, kind);
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    return luaL_error(L, "too many results to resume");
  }
  if (kind == AS_RESUME) lua_pushboolean(L, 1);
  lua_xmove(co, L, results);
  return results + (kind == AS_RESUME ? 1 : 0);
}

// The host has resumed L: go on with the coroutine that waited below it.
static int finish(lua_State *L, int status, lua_KContext context) {
  (void)status;
  int kind = (int)(context >> CLB_DEPTH_BITS);
  clb_host_in(L)->protected_depth = (int)(context & CLB_DEPTH_MASK);
  lua_State *co = lua_tothread(L, kind == AS_RESUME ? 1 : lua_upvalueindex(1));
  lua_pop(co, 1);  // the waiting mark
  return drive(L, co, 0, kind);
}

// Moves the arguments to co and runs it, unless it is in no state for that.
static int start(lua_State *L, lua_State *co, int arguments, int kind) {
  const char *problem = NULL;
  lua_Debug frame;
  if (co == L || (lua_status(co) == LUA_OK && lua_getstack(co, 0, &frame)))
    // It runs, or resumes the one that runs: what it left on the C stack must stay as it is.
    problem = "cannot resume non-suspended coroutine";
  else if (clb_waits(co))
    problem = "cannot resume a coroutine that waits for the host";
  else if (lua_status(co) == LUA_OK && lua_gettop(co) == 0)
    problem = "cannot resume dead coroutine";
  else if (was_stopped(co))
    problem = "cannot resume dead coroutine";
  else if (!lua_checkstack(co, arguments))
    problem = "too many arguments to resume";
  if (problem != NULL) {
    if (kind == AS_WRAP) return luaL_error(L, "%s", problem);
    lua_pushboolean(L, 0);
    lua_pushstring(L, problem);
    return 2;
  }
  lua_xmove(L, co, arguments);
  return drive(L, co, arguments, kind);
}

static int co_resume(lua_State *L) {
  lua_State *co = coroutine_at(L);
  return start(L, co, lua_gettop(L) - 1, AS_RESUME);
}

static int co_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return start(L, co, lua_gettop(L), AS_WRAP);
}

static int co_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  clb_charge(L, CLB_COROUTINE_COST);
  lua_State *co = lua_newthread(L);
  lua_sethook(co, clb_hook, LUA_MASKCOUNT, clb_host_in(L)->interval);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

static int co_wrap(lua_State *L) {
  co_create(L);
  lua_pushcclosure(L, co_wrapped, 1);
  return 1;
}

static int finish_yield(lua_State *L, int status, lua_KContext depth) {
  (void)status;
  clb_host_in(L)->protected_depth = (int)depth;
  return lua_gettop(L);
}

static int co_yield(lua_State *L) {
  clb_host *host = clb_host_in(L);
  if (L == host->top) return luaL_error(L, "attempt to yield from outside a coroutine");
  return lua_yieldk(L, lua_gettop(L), host->protected_depth, finish_yield);
}

static const char *status_of(lua_State *L, lua_State *co) {
  if (L == co) return "running";
  switch (lua_status(co)) {
    case LUA_YIELD: return clb_waits(co) ? "normal" : "suspended";
    case LUA_OK: {
      lua_Debug frame;
      if (lua_getstack(co, 0, &frame)) return "normal";
      return lua_gettop(co) == 0 ? "dead" : "suspended";
    }
    default: return "dead";
  }
}

static int co_status(lua_State *L) {
  lua_pushstring(L, status_of(L, coroutine_at(L)));
  return 1;
}

static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
  lua_pushboolean(L, co != clb_host_in(L)->top && lua_isyieldable(co));
  return 1;
}

static int co_running(lua_State *L) {
  lua_pushthread(L);
  lua_pushboolean(L, L == clb_host_in(L)->top);
  return 2;
}

static int co_close(lua_State *L) {
  lua_State *co = coroutine_at(L);
  clb_host *host = clb_host_in(L);
  if (clb_waits(co)) return luaL_error(L, "cannot close a coroutine that waits for the host");
  const char *status = status_of(L, co);
  if (*status != 'd' && *status != 's') return luaL_error(L, "cannot close a %s coroutine", status);
  if (was_stopped(co)) {
    lua_pushboolean(L, 1);
    return 1;
  }
  // Lua 5.4.4 does not count the C stack of nested closes.
  if (host->closing >= 100) return luaL_error(L, "C stack overflow");
  host->closing++;
  lua_State *current = host->current;
  host->current = co;
  int result = lua_resetthread(co);
  host->current = current;
  host->closing--;
  if (host->call != NULL && host->call->stopped != CLB_RUNNING) return clb_raise_stop(L);
  if (result == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  clb_caught(L, result);
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return 2;
}

void clb_open_coroutine(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"create", co_create},   {"wrap", co_wrap},       {"resume", co_resume},
      {"yield", co_yield},     {"status", co_status},   {"isyieldable", co_isyieldable},
      {"running", co_running}, {"close", co_close},     {NULL, NULL},
  };
  luaL_newlib(L, functions);
}
