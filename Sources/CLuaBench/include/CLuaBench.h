// What embedding Lua costs in plain C: the baseline of `LuaBench`.
//
// A count hook, as any host with limits has, and nothing else: no sandbox, no protected calls, no
// clock.
#ifndef MOONTIDE_CLUABENCH_H
#define MOONTIDE_CLUABENCH_H

#include <stdint.h>

typedef struct clbench clbench;

// Nanoseconds of processor time that the process has used: unlike the wall clock, it does not
// count what other processes take on a busy machine.
int64_t clbench_cpu_time(void);
clbench *clbench_open(void);
void clbench_close(clbench *bench);
// Each runs `count` rounds and returns the nanoseconds they took together.
int64_t clbench_plain_calls(clbench *bench, int count);
int64_t clbench_table_calls(clbench *bench, int count);
int64_t clbench_host_calls(clbench *bench, int count);
int64_t clbench_yields(clbench *bench, int count);

#endif
