// pthread_setname_np, which only glibc's own extensions declare.
#define _GNU_SOURCE
#include "CLuaBridge.h"

#include <pthread.h>
#include <string.h>

void clb_name_thread(const char *name) {
#ifdef __linux__
  char short_name[16];
  strncpy(short_name, name, sizeof short_name - 1);
  short_name[sizeof short_name - 1] = 0;
  pthread_setname_np(pthread_self(), short_name);
#else
  (void)name;
#endif
}
