// The headers of Lua 5.4 as pkg-config finds them.
#ifndef MOONTIDE_CLUA_SHIM_H
#define MOONTIDE_CLUA_SHIM_H

#if !__has_include(<lua.h>)
#error "lua.h was not found: install the packages liblua5.4-dev and pkg-config (on Debian and Ubuntu: run scripts/setup)"
#include <lua.h>  // ends the compilation here, before a hundred errors bury the one above
#else
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#endif

#endif
