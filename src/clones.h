/* RL_CLONES before a function compiles it for several instruction sets; the widest that the processor has is called.
 * The bits are the same in each: nothing is contracted to a fused multiply-add, and what is summed is summed in the
 * order that the source says. Private. */
#ifndef RL_CLONES_H
#define RL_CLONES_H

/* Before version 18 clang gave the clones of a function a name that callers in other files did not look for. */
#if defined(__x86_64__) && defined(__gnu_linux__) && (!defined(__clang__) || __clang_major__ >= 18)
#define RL_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define RL_CLONES
#endif

/* Before a loop of which no turn reads what another one writes. */
#ifdef __clang__
#define RL_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define RL_INDEPENDENT _Pragma("GCC ivdep")
#endif

/* Before what such a function calls: only as a part of its callers is it compiled for their instruction sets. */
#define RL_INLINED static inline __attribute__((always_inline))

#endif
