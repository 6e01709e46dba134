/* The ablation `svd`: least squares by LAPACK's singular value decomposition of the training rows themselves, in single
 * precision unless it is told otherwise. The solution is off by eps kappa, with the eps of that precision (Golub and
 * Van Loan, 4th ed., 5.3.8, for small residuals). */
#include "solvers.h"

static bool solve_by_svd(const rl_rows_problem *problem, const rl_variant *variant, double *beta) {
    return rl_solve(RL_SOLVER_SVD, problem, variant, beta);
}

/* Reduction with one side of singular vectors, and QR iteration on that (Golub and Van Loan, 4th ed., figure 8.6.1). */
static double svd_flops(const rl_variant *variant, double n, double p) {
    (void)variant;
    const double k = fmin(n, p);
    return 4 * n * p * k + 8 * k * k * k;
}

static const rl_option_spec options[] = {RL_PRECISION_SPEC("float")};

const rl_ablation rl_ablation_svd = {
    .name = "svd",
    .summary = "least squares by a singular value decomposition in single precision",
    .role = RL_ROLE_SOLVER,
    .parameter = RL_PARAMETER_NONE,
    .example = "svd",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .need = RL_NEED_ROWS,
    .approaches_least_squares = true,
    .solve = solve_by_svd,
    .solve_room = rl_solver_room,
    .solve_flops = svd_flops,
};
