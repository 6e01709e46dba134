/* Private to `core`: memory that grows. */
#ifndef RL_MEMORY_H
#define RL_MEMORY_H

#include "ridgeless/core.h"

/* *pointer, from rl_resize or NULL, becomes `bytes` long and keeps what it held, as far as that fits. Neither aligned
 * nor zeroed. On failure it stays as it was. Freed by rl_free. */
rl_status rl_resize(void *pointer, size_t bytes);

#endif
