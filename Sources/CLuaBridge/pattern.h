// The pattern matcher's parts that the string functions use.
#ifndef MOONTIDE_CLUABRIDGE_PATTERN_H
#define MOONTIDE_CLUABRIDGE_PATTERN_H

#include "internal.h"

#ifndef LUA_MAXCAPTURES
#define LUA_MAXCAPTURES 32
#endif

typedef struct clb_matcher {
  lua_State *L;
  const char *subject, *subject_end, *pattern_end;
  int fuel;      // steps until the budget is looked at
  int depth;     // nested matches still allowed
  int captures;
  struct {
    const char *start;
    ptrdiff_t length;
  } capture[LUA_MAXCAPTURES];
} clb_matcher;

void clb_prepare_match(clb_matcher *m, lua_State *L, const char *subject, size_t subject_length,
                       const char *pattern, size_t pattern_length);
// Charges the steps that were taken since the last charge.
void clb_finish_match(clb_matcher *m);
const char *clb_match(clb_matcher *m, const char *s, const char *p);
// The text of capture i of the match s..<e; false when it is a position, which is pushed.
bool clb_capture(clb_matcher *m, int i, const char *s, const char *e, const char **text, size_t *length);
void clb_push_capture(clb_matcher *m, int i, const char *s, const char *e);
int clb_push_captures(clb_matcher *m, const char *s, const char *e, bool whole_if_none);

#endif
