/* The ablation `normal_equations`: least squares by Cholesky of X^T X, or of X X^T with fewer rows than features. Their
 * condition number is that of X squared, so the solution is off by eps kappa^2 instead of eps kappa (Golub and Van
 * Loan, 4th ed., 5.3.2 and 5.3.7), and from eps kappa^2 = 1 on Cholesky may break down. */
#include "solvers.h"

static bool solve_normal_equations(const rl_rows_problem *problem, const rl_variant *variant, double *beta) {
    return rl_solve(RL_SOLVER_NORMAL_EQUATIONS, problem, variant, beta);
}

/* The upper half of the Gram matrix, Cholesky, and two products with X. */
static double normal_equations_flops(const rl_variant *variant, double n, double p) {
    (void)variant;
    const double k = fmin(n, p);
    return n * p * k + k * k * k / 3 + 4 * n * p;
}

static const rl_option_spec options[] = {RL_PRECISION_SPEC("double")};

const rl_ablation rl_ablation_normal_equations = {
    .name = "normal_equations",
    .summary = "least squares by Cholesky of the normal equations, whose condition is squared",
    .role = RL_ROLE_SOLVER,
    .parameter = RL_PARAMETER_NONE,
    .example = "normal_equations: {precision: float}",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .need = RL_NEED_ROWS,
    .approaches_least_squares = true,
    .solve = solve_normal_equations,
    .solve_room = rl_solver_room,
    .solve_flops = normal_equations_flops,
};
