/* Private to `autoencoder`: the struct of a training. */
#ifndef RL_AUTOENCODER_TRAINING_H
#define RL_AUTOENCODER_TRAINING_H

#include "ridgeless/autoencoder.h"

struct rl_training {
    rl_autoencoder model;
    rl_example_share share;
    rl_sparse_rows train, test; /* inputs of this share */
    int first_train;            /* index of its first training example */
    int step;                   /* steps taken so far */
    bool ended;
    rl_training_status status;
    int64_t n_parameters;                /* with the zeros that pad each row */
    double *parameters, *first, *second; /* [n_parameters]: W and b, and AdamW's moments */
    double *sums;                        /* [n_parameters + 1]: gradient, then loss */
    double *train_mse, *test_mse;        /* [n_records]; NaN: not yet there */
    double *gram;                        /* [n_hidden, n_hidden] */
    rl_autoencoder_buffers buffers;
};

/* Bytes of `count` inputs, and of the buffers for so many rows. */
size_t rl_sparse_rows_bytes(const rl_autoencoder *model, int count);
size_t rl_autoencoder_buffers_bytes(int n_hidden, int n_rows);

/* Makes sums[n] those over all shares of the examples. */
rl_status rl_training_add_up(const rl_training *t, double *sums, int64_t n);

#endif
