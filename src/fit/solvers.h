/* Private to `fit`: least squares by other solvers than the spectrum, and in other arithmetic, as ablations. */
#ifndef RL_FIT_SOLVERS_H
#define RL_FIT_SOLVERS_H

#include "filter.h"

typedef enum rl_solver { RL_SOLVER_NORMAL_EQUATIONS, RL_SOLVER_SVD } rl_solver;

/* Least squares of the training rows, by a solver, in single precision if the variant's option `precision` is `float`:
 * the minimum-norm solution, beta [n_features], as rl_ablation.solve makes it. Rows and targets are first divided by
 * powers of two, so that they stay within the range of floats; that rounds nothing. */
bool rl_solve(rl_solver solver, const rl_rows_problem *problem, const rl_variant *variant, double *beta);

/* Numbers of room that it needs, also for fewer rows. */
size_t rl_solver_room(const rl_variant *variant, int n_train, int n_features);

/* The option `precision` with another default. */
#define RL_PRECISION_SPEC(usual)                                                                        \
    {                                                                                                   \
        .key = "precision", .type = RL_OPTION_CHOICE, .default_text = usual, .choices = "double|float", \
        .help = "of all numbers and operations: 53 bits, or 24"                                         \
    }

#endif
