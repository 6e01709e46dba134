/* BLAS on vectors without gaps. Private: nothing in include/ shows it. */
#ifndef RL_VECTORS_H
#define RL_VECTORS_H

#include "lapack.h"

static inline double rl_dot(int n, const double *a, const double *b) {
    const int one = 1;
    return ddot_(&n, a, &one, b, &one);
}

/* b += factor a */
static inline void rl_add(int n, double factor, const double *a, double *b) {
    const int one = 1;
    daxpy_(&n, &factor, a, &one, b, &one);
}

static inline void rl_scale(int n, double factor, double *a) {
    const int one = 1;
    dscal_(&n, &factor, a, &one);
}

static inline double rl_sum_of_squares(int n, const double *a) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * a[i];
    return sum;
}

static inline void rl_swap(double **a, double **b) {
    double *const was = *a;
    *a = *b;
    *b = was;
}

#endif
