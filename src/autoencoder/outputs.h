/* Private to `autoencoder`: sums over the outputs of a training set, which are never stored as a whole. */
#ifndef RL_AUTOENCODER_OUTPUTS_H
#define RL_AUTOENCODER_OUTPUTS_H

#include "ridgeless/autoencoder.h"

enum { RL_LANES = 8, RL_BLOCK_FEATURES = 256, RL_BLOCK_ROWS = 64 };

/* Makes the outputs p = ReLU(z), z = b + W^T h, of hidden[n_rows, n_hidden], and sums over them as if every input were
 * zero. *squares: the sum of p^2. Unless `gradient` is NULL, adds the sum over the rows of p h_k to row k of W there
 * and that of p to b, and W p of each row to hidden_gradient[n_rows, n_hidden]. `block` is a buffer of RL_BLOCK_ROWS x
 * RL_BLOCK_FEATURES doubles. */
typedef struct rl_outputs {
    int n_hidden, n_rows;
    size_t stride;
    const double *parameters, *hidden;
    double *gradient, *hidden_gradient, *block;
} rl_outputs;
void rl_outputs_sums(const rl_outputs *o, double *squares);

#endif
