/* Private to `autoencoder`: the outputs of a training set, which are never kept. */
#ifndef RL_AUTOENCODER_OUTPUTS_H
#define RL_AUTOENCODER_OUTPUTS_H

#include "ridgeless/autoencoder.h"

enum { RL_LANES = 8, RL_BLOCK_FEATURES = 256, RL_BLOCK_ROWS = 64 };

/* Outputs p = ReLU(z), z = b + W^T h, of hidden[n_rows, n_hidden], as if every input were zero. *squares: the sum of
 * their squares. With a gradient (not NULL), which is added to: of row k of W, the sum over rows of p h_k; of b that of
 * p; and to hidden_gradient[n_rows, n_hidden] W p. `block` has RL_BLOCK_ROWS x RL_BLOCK_FEATURES doubles. */
typedef struct rl_outputs {
    int n_hidden, n_rows;
    size_t stride;
    const double *parameters, *hidden;
    double *gradient, *hidden_gradient, *block;
} rl_outputs;
void rl_outputs_sums(const rl_outputs *o, double *squares);

#endif
