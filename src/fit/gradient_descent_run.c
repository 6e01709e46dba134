/* The ablation `gradient_descent_run`: beta <- beta + eta X^T (y - X beta), step by step on the training rows. From
 * zero this gives what the filter of gradient_descent gives. The part of another start that lies outside the span of
 * the rows stays, so that the limit is the minimum-norm solution plus that part. Along mode r the error falls by the
 * factor 1 - eta sigma_r^2 per step: the smallest mode takes longest. */
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
