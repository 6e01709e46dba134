/* Private to `fit`: how ablations choose a parameter. */
#ifndef RL_FIT_SEARCH_H
#define RL_FIT_SEARCH_H

#include "evaluator.h"

/* The x in [low, high] at which f(of, x) is least, on a grid of 25 points and then, between the neighbours of the best
 * of these, to (high - low) 1e-6. Values that are NaN never win. */
double rl_least_at(double (*f)(const void *of, double x), const void *of, double low, double high);

/* Logarithms of the penalties of ridge between which the fit of a spectrum with a mode that is not zero goes from least
 * squares to nothing, to 1e-8. */
typedef struct rl_penalties {
    double least, most;
} rl_penalties;
rl_penalties rl_penalties_of(const rl_spectrum *s);

/* The penalty among these of which `criterion` makes least; 0 where all modes are zero. */
double rl_best_penalty(rl_evaluator *e, const rl_spectrum *s,
                       double (*criterion)(rl_evaluator *e, const rl_spectrum *s, double penalty));

/* The fits of `ridge` and `gradient_descent`, of whatever ablation the variant is: its parameter is lambda, or steps.
 */
void rl_fit_ridge(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit);
void rl_fit_gradient_descent(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit);

#endif
