/* Private to `data`: what a dataset is made with, whatever its source. */
#ifndef RL_DATA_DATASET_H
#define RL_DATA_DATASET_H

#include "ridgeless/data.h"

/* Least squares: of all beta[n_features] that come nearest to y [n_rows], x [n_rows, n_features] row-major, the
 * shortest. QR, with column pivoting of the triangle; columns may have very different units. RL_ERR_INPUT, which names
 * the dataset, when it overflows. */
rl_status rl_least_squares(const char *name, int n_rows, int n_features, const double *x, const double *y,
                           double *beta);

/* Least squares on all rows as the published program computes it, into beta[n_features]. *regular is false, and beta of
 * no use, when the features are linearly dependent. */
rl_status rl_published_beta_star(const rl_dataset *dataset, double *beta, bool *regular);

/* Opens the table of dataset->file, whether that is the file that was loaded or not. A failure to read it has the
 * status `blame`. */
rl_status rl_table_blocks_open_as(const rl_dataset *dataset, rl_status blame, rl_table_blocks **blocks);

#endif
