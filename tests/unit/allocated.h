/* Memory to the byte. */
#ifndef RL_TEST_ALLOCATED_H
#define RL_TEST_ALLOCATED_H

#include "unit.h"

#include "ridgeless/core.h"

/* The call succeeds, takes so many bytes, and had no more on the way. */
#define assert_allocates(call, bytes)                          \
    do {                                                       \
        const size_t before = rl_allocated();                  \
        rl_forget_peak_allocated();                            \
        assert_int_equal(call, RL_OK);                         \
        const size_t taken = rl_allocated() - before;          \
        assert_int_equal(rl_peak_allocated() - before, taken); \
        assert_int_equal(taken, bytes);                        \
    } while (0)

#endif
