/* BLAS with arguments by value, on vectors without gaps. Private: nothing in include/ shows it. */
#ifndef RL_VECTORS_H
#define RL_VECTORS_H

#include <math.h>

#include "lapack.h"

/* C [m, n] = alpha op(A) op(B) + beta C, op(B) [k, n] */
static inline void rl_gemm(char op_a, char op_b, int m, int n, int k, double alpha, const double *a, int lda,
                           const double *b, int ldb, double beta, double *c, int ldc) {
    dgemm_(&op_a, &op_b, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc, 1, 1);
}

/* y = alpha op(A) x + beta y, A [m, n] */
static inline void rl_gemv(char op, int m, int n, double alpha, const double *a, int lda, const double *x, double beta,
                           double *y) {
    const int one = 1;
    dgemv_(&op, &m, &n, &alpha, a, &lda, x, &one, &beta, y, &one, 1);
}

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

/* A sum of squares of numbers of any size, in units of a power of two squared, so that none overflows or underflows;
 * where a plain sum would not, the bits are its own. Starts from {0}. */
typedef struct rl_squares {
    double unit, sum;
} rl_squares;

static inline void rl_squares_add(rl_squares *s, double number) {
    if (isfinite(number) && fabs(number) >= 2 * s->unit && number != 0) {
        const double unit = ldexp(1, ilogb(number));
        s->sum *= (s->unit / unit) * (s->unit / unit);
        s->unit = unit;
    }
    s->sum += s->unit > 0 ? (number / s->unit) * (number / s->unit) : number * number;
}

static inline void rl_swap(double **a, double **b) {
    double *const was = *a;
    *a = *b;
    *b = was;
}

#endif
