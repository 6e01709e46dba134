/* Private to `fit`: what ablations share. */
#ifndef RL_FIT_FILTER_H
#define RL_FIT_FILTER_H

#include "ridgeless/fit.h"

/* Least squares on the first n_kept modes: beta = c / sigma and residual 0 there, beta 0 and residual c on the others.
 * Modes from s->rank on are never kept. */
void rl_fit_modes(const rl_spectrum *s, const double *c, int n_kept, rl_fit *fit);

/* Options that both ablations of gradient descent have. */
#define RL_OPTION_RATE                                                                                   \
    {                                                                                                    \
        .key = "rate", .type = RL_OPTION_REAL, .minimum = 1e-300, .maximum = 1e300, .default_number = 1, \
        .help = "step size eta; converges below 2 when relative"                                         \
    }
#define RL_OPTION_RATE_RELATIVE                                         \
    {                                                                   \
        .key = "relative", .type = RL_OPTION_FLAG, .default_number = 1, \
        .help = "rate in units of 1 / sigma_1^2 of each training set"   \
    }

extern const rl_ablation rl_ablation_none, rl_ablation_cutoff, rl_ablation_leading_modes, rl_ablation_no_residuals,
    rl_ablation_adversarial_test, rl_ablation_adversarial_train, rl_ablation_ridge, rl_ablation_gradient_descent,
    rl_ablation_gradient_descent_run;

#endif
