#ifndef MOONTIDE_MAGIC_SHIM_H
#define MOONTIDE_MAGIC_SHIM_H

#if !__has_include(<magic.h>)
#error "magic.h is missing: run scripts/setup, or install libmagic-dev and pkg-config (apt-get install libmagic-dev pkg-config)"
#else
#include <magic.h>
#endif

#endif
