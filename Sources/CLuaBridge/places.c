// Where and how a call failed.
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Lua finds a frame by walking the chain of calls, so that to show the outermost frames of a runaway recursion
// means to walk millions of them: a fifth of a second.
#define DEEP_STACK 2000
#define SHOWN_OF_DEEP_STACK 12
// How many frames are shown of a traceback that is not deep, and how many of them come first.
#define MOST_SHOWN 22
#define SHOWN_FIRST 10

// -- The names of functions.

bool clb_find_name(lua_State *L, char *name, size_t size) {
  int function = lua_gettop(L);
  if (clb_is_host_function(lua_tocfunction(L, function))) {
    lua_getupvalue(L, function, 2);
    snprintf(name, size, "%s", lua_tostring(L, -1));
    lua_settop(L, function);
    return true;
  }
  bool found = false;
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushnil(L);
  while (!found && lua_next(L, function + 1)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TTABLE) {
      const char *module = lua_tostring(L, -2);
      lua_pushnil(L);
      while (!found && lua_next(L, function + 3)) {
        if (lua_type(L, -2) == LUA_TSTRING && lua_rawequal(L, -1, function)) {
          const char *member = lua_tostring(L, -2);
          if (strcmp(module, LUA_GNAME) == 0)
            snprintf(name, size, "%s", member);
          else
            snprintf(name, size, "%s.%s", module, member);
          found = true;
        }
        lua_pop(L, 1);
      }
      lua_settop(L, function + 3);
    }
    lua_pop(L, 1);
  }
  lua_settop(L, function);
  return found;
}

// -- Tracebacks, written without allocating in Lua.

typedef struct {
  char bytes[8192];
  size_t count;
} text;

static void add(text *to, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t left = sizeof to->bytes - to->count;
  int written = vsnprintf(to->bytes + to->count, left, format, arguments);
  va_end(arguments);
  if (written > 0) to->count += (size_t)written < left ? (size_t)written : left - 1;
}

static void add_frame(text *to, lua_State *L, lua_Debug *frame) {
  char name[128];
  lua_getinfo(L, "Slntf", frame);
  if (frame->currentline > 0)
    add(to, "\n%s:%d: in ", frame->short_src, frame->currentline);
  else
    add(to, "\n%s: in ", frame->short_src);
  if (clb_find_name(L, name, sizeof name))
    add(to, "function '%s'", name);
  else if (*frame->namewhat != '\0')
    add(to, "%s '%.100s'", frame->namewhat, frame->name);
  else if (*frame->what == 'm')
    add(to, "main chunk");
  else if (*frame->what == 'C')
    add(to, "?");
  else
    add(to, "function <%s:%d>", frame->short_src, frame->linedefined);
  if (frame->istailcall) add(to, "\n(...tail calls...)");
  lua_pop(L, 1);
}

static void add_frames(text *to, lua_State *L, int first, int end) {
  lua_Debug frame;
  for (int i = first; i < end && lua_getstack(L, i, &frame); i++) add_frame(to, L, &frame);
}

// The functions that run on L, below the lines of `inner`; malloced.
static char *traceback(lua_State *L, int level, const char *inner) {
  // Never let the cap turn an error into another one: what is said about it must be built.
  clb_host *host = clb_host_in(L);
  text text;
  text.count = 0;
  add(&text, "%.3000s", inner == NULL ? "" : inner);
  lua_Debug frame;
  if (!lua_checkstack(L, 20)) return NULL;
  host->in_swift++;
  if (lua_getstack(L, DEEP_STACK, &frame)) {
    add_frames(&text, L, level, level + SHOWN_OF_DEEP_STACK);
    add(&text, "\n... and many more");
  } else {
    int end = level;
    for (int beyond = DEEP_STACK; end < beyond;) {
      int middle = end + (beyond - end) / 2;
      if (lua_getstack(L, middle, &frame))
        end = middle + 1;
      else
        beyond = middle;
    }
    int hidden = end - level - MOST_SHOWN;
    if (hidden <= 1) {
      add_frames(&text, L, level, end);
    } else {
      add_frames(&text, L, level, level + SHOWN_FIRST);
      add(&text, "\n... (%d more)", hidden);
      add_frames(&text, L, level + SHOWN_FIRST + hidden, end);
    }
  }
  host->in_swift--;
  return strdup(text.bytes);
}

// -- Places.

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

void clb_find_definition(lua_State *L, clb_place *place) {
  lua_Debug function;
  lua_getinfo(L, ">S", &function);
  place->line = function.linedefined > 0 ? function.linedefined : 0;
  memcpy(place->chunk, function.short_src, sizeof place->chunk);
}

void clb_note_raised(lua_State *co) {
  clb_call *call = clb_host_in(co)->call;
  const void *value = identity(co, -1);
  // Raised again in an outer coroutine it is still the same error.
  if (call == NULL || value == NULL || value == call->raised_value) return;
  find_place(co, 0, &call->raised);
  call->raised_value = call->raised.line > 0 ? value : NULL;
  free(call->raised_traceback);
  call->raised_traceback = call->raised_value == NULL ? NULL : traceback(co, 0, NULL);
}

void clb_record_place(lua_State *L, clb_call *call, int level, int error) {
  if (call->traceback != NULL) return;
  bool was_raised_before = error != 0 && call->raised_value != NULL && call->raised_value == identity(L, error);
  if (was_raised_before)
    call->place = call->raised;
  else
    find_place(L, level, &call->place);
  call->traceback = traceback(L, level, was_raised_before ? call->raised_traceback : NULL);
}
