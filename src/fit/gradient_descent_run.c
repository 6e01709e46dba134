/* Ablation gradient_descent_run: the steps themselves, on the training rows, from any start. */
#include <string.h>

#include "../lapack.h"
#include "filter.h"

/* X is row-major, which for BLAS is X^T. */
static void run_descent(const rl_rows_problem *problem, const rl_variant *variant, double done, double *beta,
                        double *residual) {
    const rl_training_set *t = problem->train;
    const int one = 1;
    const double unit = 1, minus = -1, sigma = problem->spectrum->sigma[0];
    const double scale = rl_options_flag(&variant->options, "relative") ? sigma * sigma : 1;
    const double eta = rl_options_real(&variant->options, "rate") / scale;
    const double start = rl_options_real(&variant->options, "start");
    if (done == 0)
        for (int j = 0; j < t->n_features; j++) beta[j] = start * problem->start[j];
    for (double step = done; step < variant->parameter; step++) {
        memcpy(residual, t->y, sizeof(double) * (size_t)t->n_train);
        dgemv_("T", &t->n_features, &t->n_train, &minus, t->x, &t->n_features, beta, &one, &unit, residual, &one, 1);
        dgemv_("N", &t->n_features, &t->n_train, &eta, t->x, &t->n_features, residual, &one, &unit, beta, &one, 1);
    }
}

static const rl_option_spec options[] = {
    RL_OPTION_RATE,
    RL_OPTION_RATE_RELATIVE,
    {.key = "start",
     .type = RL_OPTION_REAL,
     .minimum = 0,
     .maximum = 1e100,
     .help = "standard deviation of the normal parameters to start from; 0: zero"},
};

const rl_ablation rl_ablation_gradient_descent_run = {
    .name = "gradient_descent_run",
    .summary = "gradient descent, t steps run on the training rows",
    .parameter = RL_PARAMETER_COUNT,
    .parameter_meaning = "steps",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .need = RL_NEED_ROWS,
    .approaches_least_squares = true,
    .run = run_descent,
};
