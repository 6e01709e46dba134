/* Kernels are compiled once for every width of vector registers, by options and LANES (target_clones comes too late for
 * vector types), and chosen when they run. Private. */
#ifndef RL_REGISTERS_H
#define RL_REGISTERS_H

#include <stdbool.h>

/* Doubles in a register of this processor: 2, 4 or 8, but not more than max_lanes (0: as many as there are). */
static inline int rl_register_lanes(int max_lanes) {
    const int most = max_lanes == 0 ? 8 : max_lanes;
    (void)most;
#ifdef RL_WIDE
    if (most >= 8 && __builtin_cpu_supports("avx512f")) return 8;
    if (most >= 4 && __builtin_cpu_supports("avx2")) return 4;
#endif
    return 2;
}

/* The same of kernels with fused multiply-adds; 2 where the processor has none. */
static inline int rl_fused_lanes(int max_lanes) {
#ifdef RL_WIDE
    if (__builtin_cpu_supports("fma")) return rl_register_lanes(max_lanes);
#endif
    (void)max_lanes;
    return 2;
}

/* Whether a fused multiply-add is one instruction here, and not a call that takes a hundred times as long. */
static inline bool rl_fused_is_fast(void) {
#ifdef __FP_FAST_FMA
    return true;
#elif defined(__x86_64__)
    return __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

/* The address of name_2, name_4 or name_8. */
#ifdef RL_WIDE
#define RL_KERNEL_FOR(name, lanes) ((lanes) == 8 ? &name##_8 : (lanes) == 4 ? &name##_4 : &name##_2)
#else
#define RL_KERNEL_FOR(name, lanes) ((void)(lanes), &name##_2)
#endif

#endif
