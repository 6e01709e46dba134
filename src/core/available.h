/* Private to `core` and its tests. */
#ifndef RL_CORE_AVAILABLE_H
#define RL_CORE_AVAILABLE_H

#include <stdint.h>

/* rl_memory_available of a system whose /proc and /sys stand in the folder `root` ("": the machine's own). */
int64_t rl_memory_available_in(const char *root);

#endif
