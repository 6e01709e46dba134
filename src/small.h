/* Linear algebra, mostly of few columns, in an order of its own, which no library, no thread and no width of registers
 * changes: so its bits are the same on every processor. All is column-major. Private: nothing in include/ shows it. */
#ifndef RL_SMALL_H
#define RL_SMALL_H

#include <stdbool.h>
#include <stddef.h>

/* Up to so many features numbers come this way, beyond them by LAPACK, which is faster there; and rows that are taken
 * in together. */
enum { RL_SMALL_FEATURES = 32, RL_SMALL_ORDER = RL_SMALL_FEATURES + 2, RL_SMALL_ROWS = 256 };

static inline bool rl_is_small(int n_features) {
    return n_features <= RL_SMALL_FEATURES;
}

/* Householder QR of a triangle over rows: r [order, order], ld = order, upper, becomes the triangle of both; what is
 * below its diagonal is not touched. rows [n_rows, order] with ld = RL_SMALL_ROWS, n_rows <= RL_SMALL_ROWS, order <=
 * RL_SMALL_ORDER, are overwritten. Backward stable column by column, for numbers of any size. */
void rl_small_append(int order, double *r, int n_rows, double *rows);

/* QR with column pivoting of core [n, n], n <= RL_SMALL_FEATURES, which becomes the triangle of the columns as they are
 * pivoted, zero below the diagonal; b [n] becomes Q^T b; pivot[j]: the column that is now j. */
void rl_small_pivot(int n, double *core, double *b, int *pivot);

/* The singular value decomposition of finite core [n, n], n <= RL_SMALL_FEATURES, by one-sided Jacobi: sigma [n]
 * descends, u [n, n] has the left singular vectors as columns, and core becomes diag(sigma) V^T. */
void rl_small_decompose(int n, double *core, double *sigma, double *u);

/* C [m, n] = A [m, k] B [k, n]; ld of A is lda, of B is k, of C is m. */
void rl_small_multiply(int m, int n, int k, const double *a, int lda, const double *b, double *c);

/* G [p, p] = X^T X, of row-major rows x [n, p], p <= RL_SMALL_FEATURES. */
void rl_small_gram(int n, int p, const double *x, double *gram);

/* A [p, p] becomes its inverse, by Gauss and Jordan with partial pivoting; false: it has none. room [p, p]. */
bool rl_small_invert(int p, double *a, double *room);

/* Eigenvalues and eigenvectors of a finite symmetric matrix a [n, n] of any size n >= 1: values [n] ascend, and column
 * j of a becomes a vector of unit length of values[j]; false: there was no end to it. room [2 n]. Backward stable; some
 * 9 n^3 flops. */
bool rl_symmetric_decompose(int n, double *a, double *values, double *room);

#endif
