/* Private to `spectrum`: arithmetic on several repeats side by side, one repeat per lane of a vector register.
 *
 * Every array holds `lanes` numbers for each of its elements, the lanes of one element next to each other. Nothing
 * passes from lane to lane: what a lane does not need is masked, so that its bits do not depend on the others, nor on
 * how many there are. */
#ifndef RL_SPECTRUM_BULK_KERNEL_H
#define RL_SPECTRUM_BULK_KERNEL_H

#include "ridgeless/bulk.h"

/* The place of row i of a packed upper triangle, less i. Row i holds columns i ... order - 1. */
static inline size_t rl_bulk_row(int order, int i) {
    return (size_t)i * (size_t)order - (size_t)i * ((size_t)i + 1) / 2;
}

/* One N of the curves. Rows, orthogonal and longest first, are sigma_r v_r^T and then the targets' coordinates. */
typedef struct rl_bulk_step {
    int n_modes, features;
    const double *rows;      /* [n_modes, features + RL_N_TARGETS] */
    const double *norms;     /* [n_modes]: sigma^2 */
    const double *triangle;  /* packed, of order features + 2: the test factor */
    const double *beta_star; /* [features], one number an element: the same in all lanes */
    const double *scale;     /* likewise; NULL: no population */
    /* out */
    double *sigma;                              /* [n_modes] */
    double *test_sq[RL_N_FITTED_TARGETS];       /* [n_modes + 1]: least squares on the first 0, 1, ... modes */
    double *population_sq[RL_N_FITTED_TARGETS]; /* likewise */
    double *z_sq;                               /* [n_modes]: squared length of X_test v_r */
    double *z;                                  /* [n_modes, features + 2]: X_test V itself; NULL: not wanted */
    double *b_star;                             /* [n_modes] */
    double *lost;                               /* [3]: |lost|^2, |X_test lost|^2 and its first coordinate, of
                                                   lost = (V V^T - 1) beta* */
} rl_bulk_step;

typedef struct rl_bulk_kernel {
    int lanes;
    /* The triangle without a row that is in it; the row [order] is destroyed. remaining [1] is multiplied by the
     * part of its determinant's square that remains: a lane where that is not positive holds nothing any more. */
    void (*remove)(int order, double *triangle, double *row, double *remaining);
    void (*append)(int order, double *triangle, double *row);
    /* Rotates rows [n_rows, features + RL_N_TARGETS] until their features are orthogonal, longest first; the first
     * n_orthogonal of them are so. norms [n_rows] are the squared lengths of the features. settled [1]: 1, or 0 in a
     * lane where there was no end to it. */
    void (*orthogonalize)(int n_rows, int n_orthogonal, int features, double *rows, double *norms, double *settled);
    void (*evaluate)(const rl_bulk_step *step);
} rl_bulk_kernel;

/* One source, compiled for registers of 2, 4 and 8 numbers. */
extern const rl_bulk_kernel rl_bulk_kernel_2, rl_bulk_kernel_4, rl_bulk_kernel_8;

#endif
