#include <sys/prctl.h>

// prctl takes a variable number of arguments, which Swift does not call.
static inline int cprocess_set_dumpable(int dumpable) {
  return prctl(PR_SET_DUMPABLE, (unsigned long)dumpable, 0UL, 0UL, 0UL);
}
