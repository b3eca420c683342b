// The string functions that could run long: find, match, gmatch, gsub, rep.
#include "pattern.h"

#include <string.h>

// A start position as Lua counts it, as an offset that may lie behind the end.
static size_t offset_from(lua_Integer position, size_t length) {
  if (position > 0) return (size_t)position - 1;
  if (position == 0 || position < -(lua_Integer)length) return 0;
  return length + (size_t)position;
}

static const char *find_plain(lua_State *L, const char *text, size_t text_length, const char *wanted,
                              size_t wanted_length) {
  if (wanted_length == 0) return text;
  if (wanted_length > text_length) return NULL;
  const char *last = text + (text_length - wanted_length);
  size_t work = 0;
  for (const char *c = text; c <= last; c++) {
    c = memchr(c, *wanted, (size_t)(last - c) + 1);
    if (c == NULL) return NULL;
    if (memcmp(c, wanted, wanted_length) == 0) return c;
    work += 1 + (wanted_length >> 4);
    if (work >= 4096) {
      clb_charge(L, work);
      work = 0;
    }
  }
  return NULL;
}

static bool has_specials(const char *pattern, size_t length) {
  static const char specials[] = "^$*+?.([%-";
  for (size_t i = 0; i < length; i++)
    if (pattern[i] != 0 && strchr(specials, pattern[i]) != NULL) return true;
  return false;
}

static int find_or_match(lua_State *L, bool find) {
  size_t subject_length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &subject_length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  size_t start = offset_from(luaL_optinteger(L, 3, 1), subject_length);
  if (start > subject_length) {
    lua_pushnil(L);
    return 1;
  }
  if (find && (lua_toboolean(L, 4) || !has_specials(pattern, pattern_length))) {
    clb_charge(L, (subject_length - start) >> 5);
    const char *found = find_plain(L, subject + start, subject_length - start, pattern, pattern_length);
    if (found == NULL) {
      lua_pushnil(L);
      return 1;
    }
    lua_pushinteger(L, found - subject + 1);
    lua_pushinteger(L, found - subject + (lua_Integer)pattern_length);
    return 2;
  }
  bool anchored = pattern_length > 0 && *pattern == '^';
  if (anchored) {
    pattern++;
    pattern_length--;
  }
  clb_matcher m;
  clb_prepare_match(&m, L, subject, subject_length, pattern, pattern_length);
  for (const char *s = subject + start; s <= m.subject_end; s++) {
    m.captures = 0;
    const char *end = clb_match(&m, s, pattern);
    if (end != NULL) {
      clb_finish_match(&m);
      if (!find) return clb_push_captures(&m, s, end, true);
      lua_pushinteger(L, s - subject + 1);
      lua_pushinteger(L, end - subject);
      return 2 + clb_push_captures(&m, NULL, NULL, false);
    }
    if (anchored) break;
  }
  clb_finish_match(&m);
  lua_pushnil(L);
  return 1;
}

static int string_find(lua_State *L) { return find_or_match(L, true); }

static int string_match(lua_State *L) { return find_or_match(L, false); }

// Upvalues: subject, pattern, offset to go on from, end of the last match or -1.
static int next_match(lua_State *L) {
  size_t subject_length, pattern_length;
  const char *subject = lua_tolstring(L, lua_upvalueindex(1), &subject_length);
  const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_length);
  lua_Integer offset = lua_tointeger(L, lua_upvalueindex(3));
  lua_Integer last_end = lua_tointeger(L, lua_upvalueindex(4));
  if (offset > (lua_Integer)subject_length) return 0;
  clb_matcher m;
  clb_prepare_match(&m, L, subject, subject_length, pattern, pattern_length);
  for (const char *s = subject + offset; s <= m.subject_end; s++) {
    m.captures = 0;
    const char *end = clb_match(&m, s, pattern);
    // An empty match where the last one ended does not count again.
    if (end == NULL || end - subject == last_end) continue;
    clb_finish_match(&m);
    lua_pushinteger(L, end - subject);
    lua_pushvalue(L, -1);
    lua_replace(L, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return clb_push_captures(&m, s, end, true);
  }
  clb_finish_match(&m);
  return 0;
}

static int string_gmatch(lua_State *L) {
  size_t subject_length;
  luaL_checklstring(L, 1, &subject_length);
  luaL_checkstring(L, 2);
  size_t start = offset_from(luaL_optinteger(L, 3, 1), subject_length);
  if (start > subject_length) start = subject_length + 1;
  lua_settop(L, 2);
  lua_pushinteger(L, (lua_Integer)start);
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, next_match, 4);
  return 1;
}

// Adds the replacement string at index 3 with its %0 to %9 filled in.
static void add_template(clb_matcher *m, luaL_Buffer *buffer, const char *s, const char *e) {
  size_t length;
  const char *text = lua_tolstring(m->L, 3, &length);
  const char *end = text + length;
  m->fuel -= (int)(length >> 4);
  for (;;) {
    const char *escape = memchr(text, '%', (size_t)(end - text));
    if (escape == NULL) break;
    luaL_addlstring(buffer, text, (size_t)(escape - text));
    char what = escape[1];
    if (what == '%') {
      luaL_addchar(buffer, '%');
    } else if (what == '0') {
      luaL_addlstring(buffer, s, (size_t)(e - s));
    } else if (what >= '1' && what <= '9') {
      const char *capture;
      size_t count;
      if (clb_capture(m, what - '1', s, e, &capture, &count))
        luaL_addlstring(buffer, capture, count);
      else
        luaL_addvalue(buffer);
    } else {
      luaL_error(m->L, "invalid use of '%%' in replacement string");
    }
    text = escape + 2;
  }
  luaL_addlstring(buffer, text, (size_t)(end - text));
}

// Adds what replaces the match s..<e; false when that is the match itself.
static bool add_replacement(clb_matcher *m, luaL_Buffer *buffer, const char *s, const char *e, int type) {
  lua_State *L = m->L;
  switch (type) {
    case LUA_TFUNCTION: {
      lua_pushvalue(L, 3);
      int count = clb_push_captures(m, s, e, true);
      lua_call(L, count, 1);
      break;
    }
    case LUA_TTABLE:
      clb_push_capture(m, 0, s, e);
      lua_gettable(L, 3);
      break;
    default: add_template(m, buffer, s, e); return true;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(buffer, s, (size_t)(e - s));
    return false;
  }
  if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  luaL_addvalue(buffer);
  return true;
}

static int string_gsub(lua_State *L) {
  size_t subject_length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &subject_length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  int type = lua_type(L, 3);
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)subject_length + 1);
  luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                   "string/function/table");
  bool anchored = pattern_length > 0 && *pattern == '^';
  if (anchored) {
    pattern++;
    pattern_length--;
  }
  clb_matcher m;
  clb_prepare_match(&m, L, subject, subject_length, pattern, pattern_length);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  const char *s = subject, *last_end = NULL;
  lua_Integer count = 0;
  bool changed = false;
  while (count < most) {
    m.captures = 0;
    const char *end = clb_match(&m, s, pattern);
    if (end != NULL && end != last_end) {
      count++;
      changed = add_replacement(&m, &buffer, s, end, type) || changed;
      s = last_end = end;
    } else if (s < m.subject_end) {
      luaL_addchar(&buffer, *s);
      s++;
    } else {
      break;
    }
    if (anchored) break;
  }
  clb_finish_match(&m);
  if (!changed) {
    lua_pushvalue(L, 1);
  } else {
    luaL_addlstring(&buffer, s, (size_t)(m.subject_end - s));
    luaL_pushresult(&buffer);
  }
  lua_pushinteger(L, count);
  return 2;
}

static int string_rep(lua_State *L) {
  size_t length, separator_length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &separator_length);
  if (count <= 0 || (length == 0 && separator_length == 0)) {
    lua_pushliteral(L, "");
    return 1;
  }
  size_t unit = length + separator_length;
  if (unit < length || unit > ((size_t)1 << 62) / (size_t)count)
    return luaL_error(L, "resulting string too large");
  size_t total = unit * (size_t)count - separator_length;
  clb_charge(L, total >> 6);
  luaL_Buffer buffer;
  char *to = luaL_buffinitsize(L, &buffer, total);
  // One unit, then copies of what is there already, twice as long each time.
  if (count == 1) {
    memcpy(to, text, length);
  } else {
    memcpy(to, text, length);
    memcpy(to + length, separator, separator_length);
    size_t done = unit;
    while (done < total) {
      size_t more = done < total - done ? done : total - done;
      memcpy(to + done, to, more);
      done += more;
    }
  }
  luaL_pushresultsize(&buffer, total);
  return 1;
}

void clb_open_strings(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch},
      {"gsub", string_gsub}, {"rep", string_rep},     {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
