/* Private to `fit`: what the ablations are made of. */
#ifndef RL_FIT_FILTER_H
#define RL_FIT_FILTER_H

#include "ridgeless/fit.h"

/* Least squares on the first n_kept modes: beta = c / sigma there, nothing left of the target; on the others beta = 0
 * and all of it left. Modes from s->rank on are never kept. */
void rl_fit_modes(const rl_spectrum *s, const double *c, int n_kept, rl_fit *fit);

extern const rl_ablation rl_ablation_none, rl_ablation_cutoff, rl_ablation_leading_modes, rl_ablation_no_residuals,
    rl_ablation_adversarial_test, rl_ablation_adversarial_train, rl_ablation_ridge, rl_ablation_gradient_descent,
    rl_ablation_gradient_descent_run;

#endif
