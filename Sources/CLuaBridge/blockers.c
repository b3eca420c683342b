// What it is that cannot wait.
#include "internal.h"

#include <string.h>

static const struct {
  const char *name, *blocker, *advice;
} known[] = {
    {"table.sort", "a table.sort comparator", "call it before sorting, and compare what it gave"},
    {"string.gsub", "a string.gsub callback", "collect the matches with string.gmatch first, then call it in a loop"},
    {"tostring", "a __tostring metamethod", "call it earlier and keep the text in a field"},
    {"print", "a __tostring metamethod", "call it earlier and keep the text in a field"},
    {"string.format", "a __tostring metamethod called by string.format", "call it earlier and keep the text in a field"},
    {"load", "a reader given to load", "read the source first and give load one string"},
    {"table.concat", "a metamethod called by table.concat", "build the strings first"},
    {"table.insert", "a metamethod called by table.insert", "use a plain table"},
    {"table.remove", "a metamethod called by table.remove", "use a plain table"},
    {"table.move", "a metamethod called by table.move", "use a plain table"},
    {"table.unpack", "a metamethod called by table.unpack", "use a plain table"},
};

// Functions that can be paused, and so are no obstacle.
static bool can_be_paused(const char *name) {
  return strcmp(name, "pcall") == 0 || strcmp(name, "xpcall") == 0 || strncmp(name, "coroutine.", 10) == 0;
}

// The name of the function on top of the stack; as it was called, when it is known under no other.
static bool find_name(lua_State *L, const lua_Debug *frame, char *name, size_t size) {
  if (clb_find_name(L, name, size)) return true;
  if (frame->name == NULL || strlen(frame->name) >= size) return false;
  strcpy(name, frame->name);
  return true;
}

const char *clb_find_blocker(lua_State *L, const char **advice) {
  clb_host *host = clb_host_in(L);
  // Either this coroutine cannot yield, or one of those that wait for it.
  lua_State *stuck = lua_isyieldable(L) && host->blocked != NULL ? host->blocked : L;
  char unknown[128] = "";
  lua_Debug frame;
  for (int level = stuck == L ? 1 : 0; lua_getstack(stuck, level, &frame); level++) {
    char name[128];
    lua_getinfo(stuck, "Sn", &frame);
    if (*frame.what != 'C') continue;
    if (!lua_checkstack(stuck, 10)) break;
    lua_getinfo(stuck, "f", &frame);
    lua_CFunction function = lua_tocfunction(stuck, -1);
    host->in_swift++;
    bool has_name = find_name(stuck, &frame, name, sizeof name);
    host->in_swift--;
    lua_pop(stuck, 1);
    if (function == clb_message_handler) {
      *advice = "return from xpcall first, then call it";
      return "a message handler of xpcall";
    }
    if (!has_name) continue;
    if (clb_is_host_function(function)) {
      *advice = "that host function cannot wait for the function it calls";
      return lua_pushfstring(L, "a function that %s calls", name);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
      if (strcmp(name, known[i].name) != 0) continue;
      *advice = known[i].advice;
      return known[i].blocker;
    }
    if (*unknown == '\0' && !can_be_paused(name)) strcpy(unknown, name);
  }
  if (host->closing > 0) {
    *advice = "let the coroutine end by itself";
    return "a __close run by coroutine.close";
  }
  *advice = "call it outside of that function";
  if (*unknown != '\0') return lua_pushfstring(L, "a function or metamethod that %s calls", unknown);
  return "a callback of a function that cannot be paused";
}
