/* The ablation `gradient_descent_run`: beta <- beta + eta X^T (y - X beta), step by step on the training rows. From
 * zero this gives what the filter of gradient_descent gives. The part of another start that lies outside the span of
 * the rows stays, so that the limit is the minimum-norm solution plus that part. Along mode r the error falls by the
 * factor 1 - eta sigma_r^2 per step: the smallest mode takes longest. */
#include <math.h>
#include <string.h>

#include "../vectors.h"
#include "filter.h"

/* X is row-major, which for BLAS is X^T. */
static void run_descent(const rl_rows_problem *problem, const rl_variant *variant, double done, double *beta,
                        double *residual) {
    const rl_training_set *t = problem->train;
    const int n = t->n_train, p = t->n_features;
    const double sigma = problem->spectrum->sigma[0];
    const bool relative = rl_options_flag(&variant->options, "relative") && sigma > 0; /* else no step moves anything */
    /* X over a power of two, and beta times it: squares of X may have left the range of numbers where X has not, and a
     * product of BLAS may scale what goes into it or what comes out. */
    const double unit = relative ? ldexp(1, ilogb(sigma)) : 1, scale = relative ? (sigma / unit) * (sigma / unit) : 1;
    const double eta = rl_options_real(&variant->options, "rate") / scale;
    const double start = rl_options_real(&variant->options, "start");
    if (done == 0)
        for (int j = 0; j < p; j++) beta[j] = start * problem->start[j];
    rl_scale(p, unit, beta);
    for (double step = done; step < variant->parameter; step++) {
        memcpy(residual, t->y, sizeof(double) * (size_t)n);
        rl_gemv('T', p, n, -1 / unit, t->x, p, beta, 1, residual);
        rl_scale(n, 1 / unit, residual);
        rl_gemv('N', p, n, eta, t->x, p, residual, 1, beta);
    }
    rl_scale(p, 1 / unit, beta);
}

const rl_option_spec rl_descent_options[RL_N_DESCENT_OPTIONS] = {
    {.key = "rate",
     .type = RL_OPTION_REAL,
     .minimum = 1e-300,
     .maximum = 1e300,
     .default_number = 1,
     .help = "step size eta; converges below 2 when relative"},
    {.key = "relative",
     .type = RL_OPTION_FLAG,
     .default_number = 1,
     .help = "rate in units of 1 / sigma_1^2 of each training set"},
    {.key = "start",
     .type = RL_OPTION_REAL,
     .maximum = 1e100,
     .help = "standard deviation of the normal parameters to start from; 0: zero"},
};

const rl_ablation rl_ablation_gradient_descent_run = {
    .name = "gradient_descent_run",
    .summary = "gradient descent, t steps run on the training rows",
    .role = RL_ROLE_CURE,
    .parameter = RL_PARAMETER_COUNT,
    .parameter_meaning = "steps",
    .example = "gradient_descent_run: {values: [10, 100], start: 1}",
    .options = rl_descent_options,
    .n_options = RL_N_DESCENT_OPTIONS,
    .need = RL_NEED_ROWS,
    .approaches_least_squares = true,
    .run = run_descent,
};
