// What the C files of the bridge share.
#ifndef MOONTIDE_CLUABRIDGE_INTERNAL_H
#define MOONTIDE_CLUABRIDGE_INTERNAL_H

#include "CLuaBridge.h"

// Instructions between two visits of the hook.
#define CLB_INTERVAL 1000
// The same once the script has a string so long that one instruction may take a
// millisecond: comparing two of them is a single one.
#define CLB_SHORT_INTERVAL 50
#define CLB_LONG_STRING (1 << 20)
// A wait shorter than this was none: a loop of operations that end at once runs.
#define CLB_SHORTEST_WAIT 20000
// Instructions charged for a wait, which may come and go without reaching the hook.
#define CLB_WAIT_COST 100
// What creating a coroutine costs: its count starts afresh, so that a loop of short
// coroutines would otherwise never reach the hook.
#define CLB_COROUTINE_COST 1000
// How many memory errors a script may catch in one call.
#define CLB_CAUGHT_MEMORY_ERRORS 16
// What catching an error costs: unwinding takes longer than an instruction.
#define CLB_CAUGHT_COST 200
// How deep protected calls may nest in one coroutine. Lua counts C calls, but starts afresh wherever an error was
// caught: without this, pcalls nest by the hundred thousand, and each takes its time to end.
#define CLB_MOST_PROTECTED 200
// A continuation's context holds that depth beside a number of its own.
#define CLB_DEPTH_BITS 8
#define CLB_DEPTH_MASK ((1 << CLB_DEPTH_BITS) - 1)

// How many host objects may be dead before they are collected, beside as many as are alive.
#define CLB_DEAD_OBJECTS 2000

extern const char clb_waiting_mark;  // yielded by a coroutine that waits for the host
extern const char clb_stop_mark;     // the error value of a call that was stopped

static inline clb_host *clb_host_in(lua_State *L) { return *(clb_host **)lua_getextraspace(L); }

// limits.c
void clb_hook(lua_State *L, lua_Debug *ar);
int clb_raise_stop(lua_State *L);
void clb_check(lua_State *L);            // raises when the call is stopped or its time is over
void clb_caught(lua_State *L, int status);  // to be called wherever an error is caught
void *clb_allocate(void *ud, void *block, size_t old_size, size_t new_size);
void clb_settle(lua_State *L, clb_host *host);

// calls.c
bool clb_waits(lua_State *L);            // L is suspended in a waiting host call
int clb_entry_handler(lua_State *L);
int clb_message_handler(lua_State *L);
bool clb_is_host_function(lua_CFunction function);

// places.c
// Notes where a call fails, once. `error` is the index of the error value, or 0 when the call is stopped.
void clb_record_place(lua_State *L, clb_call *call, int level, int error);
// Notes where the error on top of co was raised, which ends it.
void clb_note_raised(lua_State *co);
// Writes the name under which scripts know the function on top of L's stack: `string.format`. Allocates nothing.
bool clb_find_name(lua_State *L, char *name, size_t size);

// environment.c, coroutine.c, base.c
void clb_open_environment(lua_State *L);
void clb_open_coroutine(lua_State *L);
void clb_open_base(lua_State *L);
// strings.c, tables.c: replace functions in the library on top of the stack
void clb_open_strings(lua_State *L);
void clb_open_tables(lua_State *L);

// blockers.c: names what it is that cannot wait. The text is good as long as L's stack stays as it is.
const char *clb_find_blocker(lua_State *L, const char **advice);

#endif
