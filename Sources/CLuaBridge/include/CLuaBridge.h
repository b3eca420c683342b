// The C half of LuaHost: everything that may raise a Lua error or yield.
//
// A Lua error and a yield leave a C function by longjmp. Swift frames must never be
// jumped over, so Swift only ever returns a status from a callback, and the functions
// here do what the status asks for. In the other direction Swift calls only what cannot
// raise: raw accesses, and functions that allocate, for which the allocator ignores the
// memory cap as long as Swift code runs (`in_swift`).
#ifndef MOONTIDE_CLUABRIDGE_H
#define MOONTIDE_CLUABRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !__has_include(<lua.h>)
#error "lua.h was not found: install the packages liblua5.4-dev and pkg-config (on Debian and Ubuntu: run scripts/setup)"
#include <lua.h>  // ends the compilation here, before a hundred errors bury the one above
#else
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

// What a Swift callback answers; 0 and above is a number of results.
enum {
  CLB_RAISE = -1,  // the error value is on top of the stack
  CLB_WAIT = -2,   // an operation was started; resume the call when it has ended
};

// How a turn of a call ended.
enum { CLB_FINISHED = 0, CLB_WAITING = 1, CLB_FAILED = 2 };

// Whether a host function waits: never, where the call may wait, or also while a recipe loads.
enum { CLB_IMMEDIATE = 0, CLB_WAITS = 1, CLB_ALWAYS_WAITS = 2 };

// Why a call was stopped. A stop is sticky: nothing in the script catches it.
enum {
  CLB_RUNNING = 0,
  CLB_OUT_OF_INSTRUCTIONS = 1,
  CLB_OUT_OF_TIME = 2,
  CLB_OUT_OF_MEMORY = 3,
  CLB_CANCELLED = 4,
};

// The kinds of host object that exist before any type is defined.
enum { CLB_TYPE_ERROR = 0, CLB_TYPE_OPAQUE = 1, CLB_FIRST_TYPE = 2 };

// What is left of a call's allowance; shared by the calls that it starts.
typedef struct clb_budget {
  int64_t instructions;
  int64_t nanoseconds;
} clb_budget;

// A place in a script.
typedef struct clb_place {
  int line;                 // 0 when unknown
  char chunk[LUA_IDSIZE];
} clb_place;

// One call from Swift into a script: from its function's first instruction to its last. It comes with the
// coroutine that it runs on, and both serve for one call after another.
typedef struct clb_call {
  lua_State *coroutine;
  int anchor;               // the coroutine's reference in the registry
  int results;              // values that the last turn left on top of the coroutine's stack
  clb_budget *budget;       // its own, or that of the call that it is a part of
  clb_budget own_budget;
  void *invocation;         // Swift's half
  struct clb_call *next;    // the next one that is free
  int stopped;              // why it was stopped, or CLB_RUNNING
  bool forbids_waiting;     // waiting host functions are refused (a recipe is loading)
  bool protected_entry;     // the function runs in a protected call, see `closes`
  bool failed;              // the function ended with an error
  bool dead;                // the coroutine cannot be used again
  int status;               // Lua's status of that error
  int64_t waits_since;      // monotonic nanoseconds, while it waits
  int memory_errors;        // memory errors that the script has caught so far
  clb_place place;          // where it failed
  char *traceback;          // malloced, or NULL
  clb_place raised;         // where the error was raised that last left a coroutine of the script
  const void *raised_value; // and that error, or NULL
  char *raised_traceback;   // the functions that were running there; malloced, or NULL
} clb_call;

typedef struct clb_callbacks {
  // Calls host function number `function` with its arguments on L's stack.
  int (*call)(void *context, lua_State *L, int function);
  // Pushes what the operation that L waited for has given.
  int (*finish)(void *context, lua_State *L, int function);
  // Pushes the text of a host object, for tostring.
  int (*describe)(void *context, lua_State *L, int type, void *object);
  // Pushes a field of an error, or of an object that has no such field.
  int (*field)(void *context, lua_State *L, int type, void *object);
  void (*release)(void *object);
  void (*print)(void *context, const char *bytes, size_t count);
  // Whether the task that awaits the running call was cancelled.
  bool (*cancelled)(void *context);
} clb_callbacks;

// One script's state.
typedef struct clb_host {
  lua_State *main;
  void *context;
  clb_callbacks callbacks;
  size_t used;              // bytes allocated
  size_t limit;             // bytes allowed while the script runs
  size_t largest_source;    // bytes that `load` takes
  int in_swift;             // > 0 while Swift code runs: the cap is not enforced
  lua_State *blocked;       // a resumer of the current coroutine that cannot yield, or NULL
  int closing;              // depth of coroutine.close
  int protected_depth;      // pcalls and xpcalls around what runs now, in its coroutine
  clb_call *call;           // the call that runs now, or NULL
  clb_call *idle;           // calls that are free
  int idle_count;
  clb_budget allowance;     // what a call may use that begins now
  // Whether a script may have <close> variables. They may wait while an error leaves the script, so that its
  // functions must run in a protected call inside of the coroutine, which costs half as much again as the call
  // itself. Without them an error may end the coroutine.
  bool closes;
  lua_State *top;           // that call's coroutine, if there is one
  lua_State *current;       // the coroutine that runs now, if a call does
  int64_t turn_started;     // monotonic nanoseconds, 0 until the turn is first measured
  int64_t charged;          // work done in C since the budget was last charged
  int64_t last_hook;        // when the hook was last visited in this turn, or 0
  int interval;             // instructions between two visits of the hook
  int *metatables;          // registry references by type
  int metatable_count;
  size_t objects;           // host objects whose Swift object is held
  size_t objects_alive;     // those that were left when garbage was collected on their account
} clb_host;

typedef struct clb_object {
  void *swift;              // retained; released when Lua collects the userdata
  int type;
} clb_object;

// -- States. These never raise.
clb_host *clb_open(void *context, const clb_callbacks *callbacks, size_t memory_limit);
void clb_close(clb_host *host);
clb_host *clb_host_of(lua_State *L);
int64_t clb_now(void);
// Names the calling thread for debuggers.
void clb_name_thread(const char *name);

// -- Calls.
// Makes a coroutine on which calls can be made one after another. NULL when the system has no memory.
clb_call *clb_new_call(clb_host *host);
// Gives up the coroutine, whatever its state, but keeps the call itself.
void clb_abandon(clb_host *host, clb_call *call);
// Frees the call, but not its coroutine.
void clb_free_call(clb_call *call);
// Takes a free call, or gives NULL.
static inline clb_call *clb_take(clb_host *host) {
  clb_call *call = host->idle;
  if (call == NULL) return NULL;
  host->idle = call->next;
  host->idle_count--;
  return call;
}
// Pushes what a call needs below its function when a <close> variable may have to wait.
void clb_protect(clb_call *call);
// Begins a call of a function in the registry; its arguments are pushed next.
static inline void clb_begin(clb_host *host, clb_call *call, int function, bool forbids_waiting) {
  call->forbids_waiting = forbids_waiting;
  call->raised_value = NULL;
  call->own_budget = host->allowance;
  call->budget = &call->own_budget;
  call->protected_entry = host->closes;
  if (host->closes) clb_protect(call);
  lua_rawgeti(call->coroutine, LUA_REGISTRYINDEX, function);
}
// Runs it with the arguments that were pushed, until it ends or waits.
int clb_start(clb_host *host, clb_call *call, int arguments);
// Goes on with a call that waited; `finish` is asked for the results. `at_once` when the thread has done nothing
// else since.
int clb_continue(clb_host *host, clb_call *call, bool at_once);
// How many calls that are free are kept.
enum { CLB_MOST_IDLE = 256 };
// Forgets what went wrong in a call. Not when its coroutine cannot be used again.
bool clb_recover(clb_call *call);
// Makes a call that has ended free for others, unless that cannot be or enough are free.
static inline bool clb_end(clb_host *host, clb_call *call) {
  if ((call->stopped | call->memory_errors | call->failed) != 0 && !clb_recover(call)) return false;
  if (host->idle_count >= CLB_MOST_IDLE) return false;
  lua_settop(call->coroutine, 0);
  call->next = host->idle;
  host->idle = call;
  host->idle_count++;
  return true;
}
// Stops a call the next time it runs.
void clb_stop(clb_call *call, int why);
// Calls a function synchronously from within a host function; the script's rules hold inside.
int clb_call_nested(lua_State *L, int arguments, int results);
// Compiles text. 0 with a function on the stack, or a status with a message.
// A chunk whose name begins with '=' is the host's own: errors are placed in the script that called it.
int clb_compile(lua_State *L, const char *bytes, size_t count, const char *chunk);
// Looks through a script's source for anything that might make a <close> variable.
void clb_note_source(clb_host *host, const char *bytes, size_t count);

// -- Values.
void clb_push_host_function(lua_State *L, int function, const char *name, int waits);
void clb_push_object(lua_State *L, void *swift, int type);
// The innermost line of a script that is running on L.
void clb_find_place(lua_State *L, clb_place *place);
// Where the function on top of the stack is defined, which it pops. Line 0 for one of C.
void clb_find_definition(lua_State *L, clb_place *place);
clb_object *clb_to_object(lua_State *L, int index);
// Defines the metatable of a new type over the table of members on top of the stack, which it pops.
int clb_define_type(clb_host *host, const char *name, bool has_text);
// Gives the table at the top of the stack an __index host function.
void clb_set_index(lua_State *L, int function, const char *name, int waits);
void clb_remember_names(lua_State *L, const char *module);
// Checks the work done by a C function of ours against the budget. May raise.
void clb_charge(lua_State *L, size_t work);

// Collects all garbage.
void clb_collect(lua_State *L);

// -- Lua's macros, and names that Swift cannot import.
static inline void clb_pop(lua_State *L, int count) { lua_settop(L, -count - 1); }
static inline int clb_registry(void) { return LUA_REGISTRYINDEX; }
static inline int clb_ref(lua_State *L) { return luaL_ref(L, LUA_REGISTRYINDEX); }
static inline void clb_unref(lua_State *L, int reference) { luaL_unref(L, LUA_REGISTRYINDEX, reference); }
static inline int clb_push_ref(lua_State *L, int reference) {
  return lua_rawgeti(L, LUA_REGISTRYINDEX, reference);
}
static inline void clb_push_globals(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}
static inline int64_t clb_to_integer(lua_State *L, int index) { return lua_tointegerx(L, index, NULL); }
static inline double clb_to_number(lua_State *L, int index) { return lua_tonumberx(L, index, NULL); }

#endif
#endif
