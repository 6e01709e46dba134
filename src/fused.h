/* Products that are added and rounded once with the sum, in registers of LANES doubles: told to the compiler, as not
 * every optimizer makes one of two. Where a kernel is compiled without them, fma() makes the same bits, slowly.
 * Private. */
#ifndef RL_FUSED_H
#define RL_FUSED_H

#ifdef __FMA__
#include <immintrin.h>
#endif

#include "clones.h"

typedef double rl_lanes __attribute__((vector_size(sizeof(double) * LANES)));
typedef double rl_four __attribute__((vector_size(sizeof(double) * 4)));

/* a x b + c */
RL_INLINED rl_lanes rl_fused(rl_lanes a, rl_lanes b, rl_lanes c) {
#if LANES == 8 && defined(__AVX512F__)
    return (rl_lanes)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif LANES == 4 && defined(__FMA__)
    return (rl_lanes)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif LANES == 2 && defined(__FMA__)
    return (rl_lanes)_mm_fmadd_pd((__m128d)a, (__m128d)b, (__m128d)c);
#else
    for (int i = 0; i < LANES; i++) c[i] = __builtin_fma(a[i], b[i], c[i]);
    return c;
#endif
}

/* Adds a x b to four numbers, whatever LANES. */
RL_INLINED void rl_fused_add_four(const rl_four *a, const rl_four *b, rl_four *sum) {
#ifdef __FMA__
    *sum = (rl_four)_mm256_fmadd_pd((__m256d)*a, (__m256d)*b, (__m256d)*sum);
#else
    for (int i = 0; i < 4; i++) (*sum)[i] = __builtin_fma((*a)[i], (*b)[i], (*sum)[i]);
#endif
}

#endif
