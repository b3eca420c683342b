// Limits: the allocator's cap, the count hook, and stops that nothing catches.
#include "internal.h"

#include <stdlib.h>
#include <time.h>

const char clb_stop_mark = 0;

int64_t clb_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Whether the running call has used up its seconds. The clock is first read when the turn
// has already run for a while, so that short turns cost no system call.
static bool out_of_time_at(clb_host *host, int64_t now) {
  if (host->call == NULL || host->call->budget == NULL) return false;
  if (host->turn_started == 0) host->turn_started = now;
  return now - host->turn_started > host->call->budget->nanoseconds;
}

static bool out_of_time(clb_host *host) { return out_of_time_at(host, clb_now()); }

void clb_stop(clb_call *call, int why) {
  if (call->stopped == CLB_RUNNING) call->stopped = why;
}

// Marks the running call as stopped, and notes where it was.
static void stop_here(lua_State *L, clb_call *call, int why) {
  if (call->stopped != CLB_RUNNING) return;
  call->stopped = why;
  clb_record_place(L, call, 0, 0);
}

int clb_raise_stop(lua_State *L) {
  // From now on every instruction of this thread raises again, so that a __close or a
  // handler gets no further than its first one. A cancelled call may still clean up.
  clb_host *host = clb_host_in(L);
  if (host->call == NULL || host->call->stopped != CLB_CANCELLED)
    lua_sethook(L, clb_hook, LUA_MASKCOUNT, 1);
  lua_pushlightuserdata(L, (void *)&clb_stop_mark);
  return lua_error(L);
}

void clb_check(lua_State *L) {
  clb_host *host = clb_host_in(L);
  clb_call *call = host->call;
  if (call == NULL) return;
  if (call->stopped == CLB_RUNNING && out_of_time(host)) stop_here(L, call, CLB_OUT_OF_TIME);
  if (call->stopped != CLB_RUNNING) clb_raise_stop(L);
}

void clb_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  clb_host *host = clb_host_in(L);
  clb_call *call = host->call;
  int interval = lua_gethookcount(L);
  if (call == NULL) return;
  if (call->stopped != CLB_RUNNING && call->stopped != CLB_CANCELLED) {
    clb_record_place(L, call, 0, 0);  // the allocator, which found the time over, could not
    clb_raise_stop(L);
    return;
  }
  if (call->budget == NULL) return;
  call->budget->instructions -= interval;
  int64_t now = clb_now();
  bool late = out_of_time_at(host, now);
  if (call->budget->instructions < 0) {
    stop_here(L, call, CLB_OUT_OF_INSTRUCTIONS);
    call->stopped = CLB_OUT_OF_INSTRUCTIONS;
  } else if (late) {
    stop_here(L, call, CLB_OUT_OF_TIME);
    call->stopped = CLB_OUT_OF_TIME;
  } else if (call->stopped == CLB_RUNNING && host->callbacks.cancelled(host->context)) {
    stop_here(L, call, CLB_CANCELLED);
  } else {
    // Slow instructions (copies of long strings, a million varargs) shorten the interval.
    int64_t pace = host->last_hook == 0 ? 0 : now - host->last_hook;
    int wanted = pace > 5000000 ? CLB_SHORT_INTERVAL / 2 : host->interval;
    host->last_hook = now;
    if (interval != wanted) lua_sethook(L, clb_hook, LUA_MASKCOUNT, wanted);
    return;
  }
  clb_raise_stop(L);
}

void clb_charge(lua_State *L, size_t work) {
  clb_host *host = clb_host_in(L);
  host->charged += (int64_t)work;
  if (host->charged < CLB_INTERVAL) return;
  int64_t charged = host->charged;
  host->charged = 0;
  clb_call *call = host->call;
  if (call == NULL || call->budget == NULL) return;
  call->budget->instructions -= charged;
  if (call->budget->instructions < 0) stop_here(L, call, CLB_OUT_OF_INSTRUCTIONS);
  clb_check(L);
}

void clb_caught(lua_State *L, int status) {
  if (status == LUA_OK || status == LUA_YIELD) return;
  clb_host *host = clb_host_in(L);
  clb_call *call = host->call;
  if (call == NULL) return;
  if (status == LUA_ERRMEM && ++call->memory_errors > CLB_CAUGHT_MEMORY_ERRORS)
    stop_here(L, call, CLB_OUT_OF_MEMORY);
  if (call->budget != NULL) {
    call->budget->instructions -= CLB_CAUGHT_COST;
    if (call->budget->instructions < 0) stop_here(L, call, CLB_OUT_OF_INSTRUCTIONS);
  }
  clb_check(L);
}

void clb_settle(lua_State *L, clb_host *host) {
  if (host->used <= host->limit) return;
  // What Swift allocated past the cap must be paid back before the script goes on.
  lua_gc(L, LUA_GCCOLLECT, 0);
  if (host->used <= host->limit) return;
  host->in_swift++;
  lua_pushliteral(L, "not enough memory");
  host->in_swift--;
  if (host->call != NULL && ++host->call->memory_errors > CLB_CAUGHT_MEMORY_ERRORS)
    stop_here(L, host->call, CLB_OUT_OF_MEMORY);
  lua_error(L);
}

void *clb_allocate(void *ud, void *block, size_t old_size, size_t new_size) {
  clb_host *host = ud;
  // For a new block Lua passes a type tag as the old size.
  if (block == NULL) old_size = 0;
  if (new_size == 0) {
    host->used -= old_size;
    free(block);
    return NULL;
  }
  if (new_size > old_size && host->in_swift == 0) {
    size_t growth = new_size - old_size;
    if (growth > host->limit || host->used > host->limit - growth) {
      // Each refusal makes Lua collect everything and ask again, which takes long near
      // the cap: look at the clock, so that a script cannot stay there.
      if (host->call != NULL && host->call->stopped == CLB_RUNNING && out_of_time(host)) {
        host->call->stopped = CLB_OUT_OF_TIME;
        lua_sethook(host->current, clb_hook, LUA_MASKCOUNT, 1);
      }
      return NULL;
    }
    if (growth >= 65536 && host->call != NULL && host->call->stopped == CLB_RUNNING && out_of_time(host)) {
      host->call->stopped = CLB_OUT_OF_TIME;
      lua_sethook(host->current, clb_hook, LUA_MASKCOUNT, 1);
    }
  }
  if (block == NULL && new_size >= CLB_LONG_STRING && host->interval != CLB_SHORT_INTERVAL) {
    host->interval = CLB_SHORT_INTERVAL;
    if (host->call != NULL) lua_sethook(host->current, clb_hook, LUA_MASKCOUNT, CLB_SHORT_INTERVAL);
  }
  void *result = realloc(block, new_size);
  if (result != NULL) host->used += new_size - old_size;
  return result;
}

void clb_collect(lua_State *L) { lua_gc(L, LUA_GCCOLLECT, 0); }
