/* Private to `data`: what its parts call of each other. */
#ifndef RL_DATA_DATASET_H
#define RL_DATA_DATASET_H

#include "ridgeless/data.h"

/* Minimum-norm least squares: of all beta[n_features] that minimize |x beta - y|, the shortest. x [n_rows, n_features]
 * is row-major; its columns may have very different units. RL_ERR_INPUT, with a message that names the dataset, when
 * the numbers overflow. */
rl_status rl_least_squares(const char *name, int n_rows, int n_features, const double *x, const double *y,
                           double *beta);

/* Bytes that it allocates while it runs. */
size_t rl_least_squares_bytes(int n_rows, int n_features);

/* Least squares on all rows by the normal equations, as the published program computes it, into beta[n_features].
 * *regular is false, and beta is of no use, when the features are linearly dependent. */
rl_status rl_published_beta_star(const rl_dataset *dataset, double *beta, bool *regular);

/* As rl_table_blocks_open, without a check that the file is the one that was loaded. `blame` is the status of a failure
 * to read it. */
rl_status rl_table_blocks_open_as(const rl_dataset *dataset, rl_status blame, rl_table_blocks **blocks);

#endif
