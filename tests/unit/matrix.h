/* Shared by the tests of spectrum and fit: a second algorithm to hold the program against. One-sided Jacobi (GSL's
 * gsl_linalg_SV_decomp_jacobi, Demmel and Veselic 1992) shares no code with LAPACK's bidiagonal methods. */
#ifndef RL_TEST_MATRIX_H
#define RL_TEST_MATRIX_H

#include <gsl/gsl_blas.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>

#include "ridgeless/random.h"

/* Rows of independent normal numbers, row-major; `stream` tells matrices apart. */
static inline void fill_normal(double *x, int rows, int columns, uint32_t stream) {
    const rl_key key = rl_key_make(stream, "test");
    for (int i = 0; i < rows; i++)
        rl_philox_normal_row(key, RL_STREAM_FEATURES, 0, (uint32_t)i, 0, columns, x + (size_t)i * (size_t)columns);
}

typedef struct jacobi_svd {
    int n, p, k;
    gsl_matrix *u, *v; /* [n, k], [p, k] */
    gsl_vector *s;     /* [k], descending */
} jacobi_svd;

/* The thin SVD of x [n, p] row-major. GSL wants at least as many rows as columns: a wide matrix is transposed. */
static inline jacobi_svd jacobi(const double *x, int n, int p) {
    const size_t rows = (size_t)(n >= p ? n : p), k = (size_t)(n >= p ? p : n);
    gsl_matrix *a = gsl_matrix_alloc(rows, k), *b = gsl_matrix_alloc(k, k);
    gsl_vector *s = gsl_vector_alloc(k);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < p; j++)
            gsl_matrix_set(a, (size_t)(n >= p ? i : j), (size_t)(n >= p ? j : i), x[(size_t)i * (size_t)p + (size_t)j]);
    gsl_linalg_SV_decomp_jacobi(a, b, s);
    return (jacobi_svd){n, p, (int)k, n >= p ? a : b, n >= p ? b : a, s};
}

static inline void jacobi_free(jacobi_svd *svd) {
    gsl_matrix_free(svd->u);
    gsl_matrix_free(svd->v);
    gsl_vector_free(svd->s);
}

/* beta [p] = sum over the first `kept` modes of v (u . y) / s. */
static inline void jacobi_solve(const jacobi_svd *svd, const double *y, int kept, double *beta) {
    for (int j = 0; j < svd->p; j++) beta[j] = 0;
    for (int r = 0; r < kept; r++) {
        double c = 0;
        for (int i = 0; i < svd->n; i++) c += gsl_matrix_get(svd->u, (size_t)i, (size_t)r) * y[i];
        c /= gsl_vector_get(svd->s, (size_t)r);
        for (int j = 0; j < svd->p; j++) beta[j] += c * gsl_matrix_get(svd->v, (size_t)j, (size_t)r);
    }
}

static inline double dot(const double *a, const double *b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* Mean square of x beta + shift - y over the rows. */
static inline double mean_square_error(const double *x, const double *y, const double *beta, double shift, int n,
                                       int p) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const double e = dot(x + (size_t)i * (size_t)p, beta, p) + shift - y[i];
        sum += e * e;
    }
    return sum / n;
}

#endif
