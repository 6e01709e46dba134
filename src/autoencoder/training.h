/* Private to `autoencoder`: a training under way. */
#ifndef RL_AUTOENCODER_TRAINING_H
#define RL_AUTOENCODER_TRAINING_H

#include "ridgeless/autoencoder.h"

struct rl_training {
    rl_autoencoder model;
    rl_example_share share;
    rl_sparse_rows train, test; /* this share's */
    int first_train;            /* the index of its first training example */
    int step;                   /* taken so far */
    bool ended;
    rl_training_status status;
    int64_t n_parameters; /* the zeros behind each row included */
    double *parameters, *first, *second;
    double *sums;                 /* [n_parameters + 1]: gradient, and loss */
    double *train_mse, *test_mse; /* [n_records]; NaN: not yet there */
    double *gram;                 /* [n_hidden, n_hidden] */
    rl_autoencoder_buffers buffers;
};

/* Over all shares. */
rl_status rl_training_add_up(const rl_training *t, double *sums, int64_t n);

#endif
