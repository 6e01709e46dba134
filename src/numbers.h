/* The smaller and the larger of two numbers, quotients rounded up, whether all are finite, and which singular values
 * are not zero. Private: nothing in include/ shows it. */
#ifndef RL_NUMBERS_H
#define RL_NUMBERS_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RL_TWO_NUMBERS(name, type)                         \
    static inline type rl_smaller_##name(type a, type b) { \
        return a < b ? a : b;                              \
    }                                                      \
    static inline type rl_larger_##name(type a, type b) {  \
        return a > b ? a : b;                              \
    }
RL_TWO_NUMBERS(int, int)
RL_TWO_NUMBERS(long, int64_t)
RL_TWO_NUMBERS(size, size_t)
RL_TWO_NUMBERS(real, double)
#undef RL_TWO_NUMBERS

/* Of two numbers of one type. */
#define RL_OF_TYPE(f, a, b) \
    _Generic((a) + (b), int : f##_int, int64_t : f##_long, size_t : f##_size, double : f##_real)(a, b)
#define rl_smaller(a, b) RL_OF_TYPE(rl_smaller, a, b)
#define rl_larger(a, b)  RL_OF_TYPE(rl_larger, a, b)

/* a / b, rounded up: the largest of b shares of a. Whole numbers, a >= 0, b > 0. */
#define RL_CEILING(name, type)                             \
    static inline type rl_ceiling_##name(type a, type b) { \
        return a / b + (a % b != 0);                       \
    }
RL_CEILING(int, int)
RL_CEILING(long, int64_t)
RL_CEILING(size, size_t)
#undef RL_CEILING
#define rl_ceiling(a, b) \
    _Generic((a) + (b), int : rl_ceiling_int, int64_t : rl_ceiling_long, size_t : rl_ceiling_size)(a, b)

static inline bool rl_all_finite(const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i])) return false;
    return true;
}

/* The rank rule, one for fits and for the best linear model: of n_rows x n_features numbers in their own units,
 * singular values above this part of the largest are not zero. Those that are not rl_doubt times above it are left to a
 * singular value decomposition to judge. */
static const double rl_doubt = 10;

static inline double rl_rank_tolerance(int n_rows, int n_features) {
    return rl_larger(n_rows, n_features) * DBL_EPSILON;
}

/* How many of sigma[n], which descend, are not zero. */
static inline int rl_rank_of(int n_rows, int n_features, int n, const double *sigma) {
    int rank = n;
    while (rank > 0 && !(sigma[rank - 1] > rl_rank_tolerance(n_rows, n_features) * sigma[0])) rank--;
    return rank;
}

#endif
