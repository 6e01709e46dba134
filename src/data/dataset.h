/* Private to `data`: what its parts call of each other. */
#ifndef RL_DATA_DATASET_H
#define RL_DATA_DATASET_H

#include "ridgeless/data.h"

/* Minimum-norm least squares: of all beta[n_features] that minimize |x beta - y|, the shortest, in the units of x
 * [n_rows, n_features], row-major. Singular values of x that are at most max(n_rows, n_features) eps times the largest
 * count as zero, as in fits; fit->rank: how many are above. RL_ERR_INPUT, with a message that names the dataset, when
 * the numbers overflow. */
typedef struct rl_best_fit {
    double *beta; /* [n_features], the caller's */
    int rank;
    bool scales_apart; /* columns differ in length by more than a million, and of one length they have a higher rank */
} rl_best_fit;
rl_status rl_least_squares(const char *name, int n_rows, int n_features, const double *x, const double *y,
                           rl_best_fit *fit);

/* Bytes that it allocates while it runs. */
size_t rl_least_squares_bytes(int n_rows, int n_features);

/* Sets *n_work to the numbers that LAPACK's factorizations of matrices of so many columns work in. RL_ERR_INPUT: LAPACK
 * cannot count them. */
rl_status rl_least_squares_room(int n_features, int *n_work);

/* Whether a triangle, core [min(n_rows, n_features), n_features], column-major, of the QR of so many rows has as many
 * singular values that are not zero as it can have. false: it has not, or so nearly that it must be looked at. work [3
 * min(n_rows, n_features)], iwork [min(n_rows, n_features)]. */
bool rl_triangle_is_surely_full(int n_rows, int n_features, const double *core, double *work, int *iwork);

/* As far as the law of the rows alone tells it: fresh features with standard deviations of their own have the rank of a
 * matrix that is these on its diagonal; all others n_features. */
int rl_rank_of_law(const rl_dataset *dataset);

/* Makes the features of the rows as they are arranged: of a view with a map, rl_rows_arrange without beta*. */
rl_status rl_rows_make_features(rl_rows *rows);

/* Makes beta_star least squares on all rows by the normal equations, as the published program computes it. It stays as
 * it is where those cannot be solved. */
rl_status rl_published_beta_star(rl_dataset *dataset);

/* Whether a column of n numbers, `stride` apart, is constant but for rounding, as rl_spread_is_constant has it. */
bool rl_is_constant(int n, const double *column, size_t stride, double rounding);

/* Gives a dataset that its source has filled, and of which nothing more is known yet, an intercept. */
rl_status rl_add_intercept(rl_dataset *dataset);

/* Puts a 1 in front of each of n_rows rows of n_inputs numbers, which then take n_inputs + 1 each. In place. */
void rl_put_ones(int n_rows, int n_inputs, double *rows);

/* Leaves out the rows that are marked in missing[n_rows], and counts them. Not for a view. RL_ERR_INPUT when no row is
 * left. */
rl_status rl_dataset_leave_out(rl_dataset *dataset, const bool *missing);

#endif
