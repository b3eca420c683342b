// Lua's patterns, matched with fuel.
//
// The stock matcher runs without ever visiting the hook: `("a"):rep(50000):find("a*b")`
// keeps it busy for ten seconds, three `.-` in a row for hours. This one counts each step
// and charges it to the call like instructions. What matches, and every error message, is
// the same as in the stock library; a test compares the two over random patterns.
#include "pattern.h"

#include <ctype.h>
#include <string.h>

#define ESCAPE '%'
#define DEEPEST 200  // as the stock matcher
#define FUEL 4000    // steps between two looks at the budget

enum { UNFINISHED = -1, POSITION = -2 };

static inline unsigned char byte(const char *c) { return (unsigned char)*c; }

static void refuel(clb_matcher *m) {
  m->fuel = FUEL;
  clb_charge(m->L, FUEL);
}

static inline void burn(clb_matcher *m) {
  if (--m->fuel < 0) refuel(m);
}

void clb_prepare_match(clb_matcher *m, lua_State *L, const char *subject, size_t subject_length,
                       const char *pattern, size_t pattern_length) {
  m->L = L;
  m->subject = subject;
  m->subject_end = subject + subject_length;
  m->pattern_end = pattern + pattern_length;
  m->fuel = FUEL;
  m->captures = 0;
  m->depth = DEEPEST;
}

void clb_finish_match(clb_matcher *m) { clb_charge(m->L, (size_t)(FUEL - m->fuel)); }

// -- Single characters.

// The end of the pattern item that starts at p.
static const char *item_end(clb_matcher *m, const char *p) {
  char first = *p++;
  if (first == ESCAPE) {
    if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
    return p + 1;
  }
  if (first != '[') return p;
  if (*p == '^') p++;
  // A ']' right at the start stands for itself.
  for (bool start = true; start || *p != ']'; start = false) {
    if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
    bool escaped = *p++ == ESCAPE;
    if (escaped && p < m->pattern_end) p++;
  }
  return p + 1;
}

static bool in_class(int c, int class) {
  bool is;
  switch (tolower(class)) {
    case 'a': is = isalpha(c); break;
    case 'c': is = iscntrl(c); break;
    case 'd': is = isdigit(c); break;
    case 'g': is = isgraph(c); break;
    case 'l': is = islower(c); break;
    case 'p': is = ispunct(c); break;
    case 's': is = isspace(c); break;
    case 'u': is = isupper(c); break;
    case 'w': is = isalnum(c); break;
    case 'x': is = isxdigit(c); break;
    case 'z': is = c == 0; break;  // deprecated, but the stock library still has it
    default: return class == c;
  }
  return isupper(class) ? !is : is;
}

// Whether c is in the set whose '[' is at p and whose ']' is at close.
static bool in_set(int c, const char *p, const char *close) {
  bool wanted = true;
  p++;
  if (*p == '^') {
    wanted = false;
    p++;
  }
  while (p < close) {
    if (*p == ESCAPE) {
      if (in_class(c, byte(p + 1))) return wanted;
      p += 2;
    } else if (p[1] == '-' && p + 2 < close) {
      if (byte(p) <= c && c <= byte(p + 2)) return wanted;
      p += 3;
    } else {
      if (byte(p) == c) return wanted;
      p++;
    }
  }
  return !wanted;
}

// Whether the character at s is one that the item p..<end stands for.
static inline bool matches_one(clb_matcher *m, const char *s, const char *p, const char *end) {
  if (s >= m->subject_end) return false;
  burn(m);
  switch (*p) {
    case '.': return true;
    case ESCAPE: return in_class(byte(s), byte(p + 1));
    case '[':
      // A long set takes as many steps as it has characters.
      m->fuel -= (int)((end - p) >> 4);
      return in_set(byte(s), p, end - 1);
    default: return *p == *s;
  }
}

// -- Captures.

static int capture_to_close(clb_matcher *m) {
  for (int i = m->captures - 1; i >= 0; i--)
    if (m->capture[i].length == UNFINISHED) return i;
  return luaL_error(m->L, "invalid pattern capture");
}

static const char *with_capture(clb_matcher *m, const char *s, const char *p, ptrdiff_t length) {
  if (m->captures >= LUA_MAXCAPTURES) luaL_error(m->L, "too many captures");
  m->capture[m->captures].start = s;
  m->capture[m->captures].length = length;
  m->captures++;
  const char *end = clb_match(m, s, p);
  if (end == NULL) m->captures--;
  return end;
}

static const char *closing_capture(clb_matcher *m, const char *s, const char *p) {
  int i = capture_to_close(m);
  m->capture[i].length = s - m->capture[i].start;
  const char *end = clb_match(m, s, p);
  if (end == NULL) m->capture[i].length = UNFINISHED;
  return end;
}

// %1 to %9: the text of a capture once more.
static const char *back_reference(clb_matcher *m, const char *s, int digit) {
  int i = digit - '1';
  if (i < 0 || i >= m->captures || m->capture[i].length == UNFINISHED)
    luaL_error(m->L, "invalid capture index %%%d", i + 1);
  ptrdiff_t length = m->capture[i].length;
  if (length == POSITION || m->subject_end - s < length) return NULL;
  m->fuel -= (int)(length >> 4);
  if (memcmp(m->capture[i].start, s, (size_t)length) != 0) return NULL;
  return s + length;
}

// -- Repetitions.

static const char *longest(clb_matcher *m, const char *s, const char *p, const char *end) {
  ptrdiff_t count = 0;
  while (matches_one(m, s + count, p, end)) count++;
  for (; count >= 0; count--) {
    burn(m);
    const char *result = clb_match(m, s + count, end + 1);
    if (result != NULL) return result;
  }
  return NULL;
}

static const char *shortest(clb_matcher *m, const char *s, const char *p, const char *end) {
  for (;; s++) {
    const char *result = clb_match(m, s, end + 1);
    if (result != NULL) return result;
    if (!matches_one(m, s, p, end)) return NULL;
  }
}

// %bxy: balanced pairs. p is at the x.
static const char *balanced(clb_matcher *m, const char *s, const char *p) {
  if (p >= m->pattern_end - 1) luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
  if (s >= m->subject_end || *s != *p) return NULL;
  int open = 1;
  for (const char *c = s + 1; c < m->subject_end; c++) {
    burn(m);
    if (*c == p[1]) {
      if (--open == 0) return c + 1;
    } else if (*c == *p) {
      open++;
    }
  }
  return NULL;
}

// -- The matcher: where a match of p at s ends, or NULL.

static const char *match_items(clb_matcher *m, const char *s, const char *p) {
  while (p != m->pattern_end) {
    switch (*p) {
      case '(': return p[1] == ')' ? with_capture(m, s, p + 2, POSITION) : with_capture(m, s, p + 1, UNFINISHED);
      case ')': return closing_capture(m, s, p + 1);
      case '$':
        if (p + 1 == m->pattern_end) return s == m->subject_end ? s : NULL;
        break;
      case ESCAPE:
        switch (p[1]) {
          case 'b':
            s = balanced(m, s, p + 2);
            if (s == NULL) return NULL;
            p += 4;
            continue;
          case 'f': {
            p += 2;
            if (*p != '[') luaL_error(m->L, "missing '[' after '%%f' in pattern");
            const char *end = item_end(m, p);
            int before = s == m->subject ? 0 : byte(s - 1);
            int here = s == m->subject_end ? 0 : byte(s);
            if (in_set(before, p, end - 1) || !in_set(here, p, end - 1)) return NULL;
            p = end;
            continue;
          }
          case '0': case '1': case '2': case '3': case '4':
          case '5': case '6': case '7': case '8': case '9':
            s = back_reference(m, s, byte(p + 1));
            if (s == NULL) return NULL;
            p += 2;
            continue;
          default: break;
        }
        break;
      default: break;
    }
    const char *end = item_end(m, p);
    char repeat = end == m->pattern_end ? 0 : *end;
    if (!matches_one(m, s, p, end)) {
      if (repeat != '*' && repeat != '?' && repeat != '-') return NULL;
      p = end + 1;
      continue;
    }
    switch (repeat) {
      case '?': {
        const char *result = clb_match(m, s + 1, end + 1);
        if (result != NULL) return result;
        p = end + 1;
        break;
      }
      case '+': return longest(m, s + 1, p, end);
      case '*': return longest(m, s, p, end);
      case '-': return shortest(m, s, p, end);
      default:
        s++;
        p = end;
    }
  }
  return s;
}

const char *clb_match(clb_matcher *m, const char *s, const char *p) {
  if (m->depth-- == 0) luaL_error(m->L, "pattern too complex");
  burn(m);
  const char *end = match_items(m, s, p);
  m->depth++;
  return end;
}

// -- Results.

bool clb_capture(clb_matcher *m, int i, const char *s, const char *e, const char **text, size_t *length) {
  if (i >= m->captures) {
    if (i != 0) luaL_error(m->L, "invalid capture index %%%d", i + 1);
    *text = s;
    *length = (size_t)(e - s);
    return true;
  }
  ptrdiff_t count = m->capture[i].length;
  if (count == UNFINISHED) luaL_error(m->L, "unfinished capture");
  if (count == POSITION) {
    lua_pushinteger(m->L, m->capture[i].start - m->subject + 1);
    return false;
  }
  *text = m->capture[i].start;
  *length = (size_t)count;
  return true;
}

void clb_push_capture(clb_matcher *m, int i, const char *s, const char *e) {
  const char *text;
  size_t length;
  if (clb_capture(m, i, s, e, &text, &length)) lua_pushlstring(m->L, text, length);
}

int clb_push_captures(clb_matcher *m, const char *s, const char *e, bool whole_if_none) {
  int count = m->captures == 0 && whole_if_none ? 1 : m->captures;
  luaL_checkstack(m->L, count, "too many captures");
  for (int i = 0; i < count; i++) clb_push_capture(m, i, s, e);
  return count;
}
