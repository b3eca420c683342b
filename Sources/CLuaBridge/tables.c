// The table functions whose work depends on a number: each step is charged to the call, so
// that a lying __len or a huge range is stopped like a loop.
#include "internal.h"

#include <limits.h>

#define CHECK_EVERY 256

typedef struct {
  lua_State *L;
  int steps;
} meter;

static inline void step(meter *m) {
  if (++m->steps < CHECK_EVERY) return;
  m->steps = 0;
  clb_charge(m->L, CHECK_EVERY * 4);
}

// A table, or whatever has the metamethods that are needed to act as one.
static void check_table(lua_State *L, int index, bool reads, bool writes, bool has_length) {
  if (lua_type(L, index) == LUA_TTABLE) return;
  bool fine = lua_getmetatable(L, index);
  if (fine) {
    const char *needed[] = {reads ? "__index" : NULL, writes ? "__newindex" : NULL, has_length ? "__len" : NULL};
    for (int i = 0; i < 3 && fine; i++) {
      if (needed[i] == NULL) continue;
      lua_pushstring(L, needed[i]);
      fine = lua_rawget(L, -2) != LUA_TNIL;
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  if (!fine) luaL_checktype(L, index, LUA_TTABLE);
}

static int table_insert(lua_State *L) {
  check_table(L, 1, true, true, true);
  meter m = {L, 0};
  lua_Integer end = (lua_Integer)((lua_Unsigned)luaL_len(L, 1) + 1);
  lua_Integer position = end;
  switch (lua_gettop(L)) {
    case 2: break;
    case 3:
      position = luaL_checkinteger(L, 2);
      // Unsigned, so that nothing overflows: 1 <= position <= end.
      luaL_argcheck(L, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2, "position out of bounds");
      for (lua_Integer i = end; i > position; i--) {
        step(&m);
        lua_geti(L, 1, i - 1);
        lua_seti(L, 1, i);
      }
      break;
    default: return luaL_error(L, "wrong number of arguments to 'insert'");
  }
  lua_seti(L, 1, position);
  return 0;
}

static int table_remove(lua_State *L) {
  check_table(L, 1, true, true, true);
  meter m = {L, 0};
  lua_Integer size = luaL_len(L, 1);
  lua_Integer position = luaL_optinteger(L, 2, size);
  // The size itself is always fine, also when it is 0; else 1 <= position <= size + 1.
  if (position != size)
    luaL_argcheck(L, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
  lua_geti(L, 1, position);
  for (; position < size; position++) {
    step(&m);
    lua_geti(L, 1, position + 1);
    lua_seti(L, 1, position);
  }
  lua_pushnil(L);
  lua_seti(L, 1, position);
  return 1;
}

static int table_move(lua_State *L) {
  lua_Integer first = luaL_checkinteger(L, 2);
  lua_Integer last = luaL_checkinteger(L, 3);
  lua_Integer to = luaL_checkinteger(L, 4);
  int target = lua_isnoneornil(L, 5) ? 1 : 5;
  check_table(L, 1, true, false, false);
  check_table(L, target, false, true, false);
  meter m = {L, 0};
  if (last >= first) {
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    lua_Integer count = last - first + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
    bool overlaps = to > first && to <= last && (target == 1 || lua_compare(L, 1, target, LUA_OPEQ));
    for (lua_Integer i = 0; i < count; i++) {
      step(&m);
      lua_Integer at = overlaps ? count - 1 - i : i;
      lua_geti(L, 1, first + at);
      lua_seti(L, target, to + at);
    }
  }
  lua_pushvalue(L, target);
  return 1;
}

static int table_concat(lua_State *L) {
  check_table(L, 1, true, false, true);
  meter m = {L, 0};
  lua_Integer size = luaL_len(L, 1);
  size_t separator_length;
  const char *separator = luaL_optlstring(L, 2, "", &separator_length);
  lua_Integer first = luaL_optinteger(L, 3, 1);
  lua_Integer last = luaL_optinteger(L, 4, size);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (lua_Integer i = first; i <= last; i++) {
    step(&m);
    lua_geti(L, 1, i);
    if (!lua_isstring(L, -1))
      return luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1),
                        (LUAI_UACINT)i);
    luaL_addvalue(&buffer);
    if (i == last) break;  // also keeps i from overflowing
    luaL_addlstring(&buffer, separator, separator_length);
  }
  luaL_pushresult(&buffer);
  return 1;
}

static int table_unpack(lua_State *L) {
  lua_Integer first = luaL_optinteger(L, 2, 1);
  lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
  if (first > last) return 0;
  lua_Unsigned count = (lua_Unsigned)last - (lua_Unsigned)first;
  if (count >= INT_MAX || !lua_checkstack(L, (int)count + 1)) return luaL_error(L, "too many results to unpack");
  meter m = {L, 0};
  for (lua_Integer i = first; i < last; i++) {
    step(&m);
    lua_geti(L, 1, i);
  }
  lua_geti(L, 1, last);
  return (int)count + 1;
}

// -- sort: quicksort, the smaller part first; heaps nothing, and notices an order that is none.

typedef struct {
  meter m;
  bool has_order;
} sorter;

// Whether the value at stack index a comes before the one at b.
static bool before(sorter *s, int a, int b) {
  lua_State *L = s->m.L;
  step(&s->m);
  if (!s->has_order) return lua_compare(L, a, b, LUA_OPLT);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, a < 0 ? a - 1 : a);
  lua_pushvalue(L, b < 0 ? b - 2 : b);
  lua_call(L, 2, 1);
  bool result = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return result;
}

// Puts the elements at i and j in order.
static void order_pair(sorter *s, lua_Integer i, lua_Integer j) {
  lua_State *L = s->m.L;
  lua_geti(L, 1, i);
  lua_geti(L, 1, j);
  if (before(s, -1, -2)) {
    lua_seti(L, 1, i);
    lua_seti(L, 1, j);
  } else {
    lua_pop(L, 2);
  }
}

static void sort_range(sorter *s, lua_Integer low, lua_Integer high) {
  lua_State *L = s->m.L;
  while (low < high) {
    if (high - low == 1) {
      order_pair(s, low, high);
      return;
    }
    lua_Integer middle = low + (high - low) / 2;
    order_pair(s, low, middle);
    order_pair(s, middle, high);
    order_pair(s, low, middle);
    if (high - low == 2) return;
    lua_geti(L, 1, middle);  // the pivot stays on the stack
    lua_Integer i = low, j = high;
    while (i <= j) {
      for (;; i++) {
        if (i > high) luaL_error(L, "invalid order function for sorting");
        lua_geti(L, 1, i);
        bool goes_on = before(s, -1, -2);
        lua_pop(L, 1);
        if (!goes_on) break;
      }
      for (;; j--) {
        if (j < low) luaL_error(L, "invalid order function for sorting");
        lua_geti(L, 1, j);
        bool goes_on = before(s, -2, -1);
        lua_pop(L, 1);
        if (!goes_on) break;
      }
      if (i > j) break;
      lua_geti(L, 1, i);
      lua_geti(L, 1, j);
      lua_seti(L, 1, i);
      lua_seti(L, 1, j);
      i++;
      j--;
    }
    lua_pop(L, 1);
    if (j - low < high - i) {
      luaL_checkstack(L, 8, "sort");
      sort_range(s, low, j);
      low = i;
    } else {
      luaL_checkstack(L, 8, "sort");
      sort_range(s, i, high);
      high = j;
    }
  }
}

static int table_sort(lua_State *L) {
  check_table(L, 1, true, true, true);
  lua_Integer size = luaL_len(L, 1);
  if (size < 2) return 0;
  luaL_argcheck(L, size < INT_MAX, 1, "array too big");
  bool has_order = !lua_isnoneornil(L, 2);
  if (has_order) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  sorter s = {{L, 0}, has_order};
  sort_range(&s, 1, size);
  return 0;
}

void clb_open_tables(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"insert", table_insert}, {"remove", table_remove}, {"move", table_move}, {"concat", table_concat},
      {"unpack", table_unpack}, {"sort", table_sort},     {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
