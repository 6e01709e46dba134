/* Direct solvers on the training rows, in double and in single precision. */
#include "solvers.h"

#include <float.h>
#include <string.h>

#include "../lapack.h"

/* Powers of two that rows and targets are divided by. */
typedef struct rl_units {
    double x, y;
} rl_units;

/* Of LAPACK's gelss, which needs 3 k + max(2 k, n, p) and gets blocks beside. */
static int svd_work(int n, int p) {
    enum { BLOCK = 32 };
    return 5 * (n < p ? n : p) + (BLOCK + 1) * (n + p);
}

#define JOIN(a, b)    a##b
#define REAL          double
#define ROUTINE(name) d##name##_
#define NAMED(name)   JOIN(name, _double)
#include "solvers_kernel.h"
#undef REAL
#undef ROUTINE
#undef NAMED
#define REAL          float
#define ROUTINE(name) s##name##_
#define NAMED(name)   JOIN(name, _float)
#include "solvers_kernel.h"

static double power_of_two(double number) {
    return number > 0 && isfinite(number) ? ldexp(1, ilogb(number)) : 1;
}

static rl_units units_of(const rl_rows_problem *problem) {
    double largest = 0;
    for (int i = 0; i < problem->train->n_train; i++) largest = fmax(largest, fabs(problem->train->y[i]));
    return (rl_units){power_of_two(problem->spectrum->sigma[0]), power_of_two(largest)};
}

size_t rl_solver_room(const rl_variant *variant, int n_train, int n_features) {
    (void)variant;
    const size_t n = (size_t)n_train, p = (size_t)n_features, k = n < p ? n : p;
    const size_t gram = k * k, svd = k + (size_t)svd_work(n_train, n_features);
    return n * p + (n < p ? p : n) + p + (gram < svd ? svd : gram);
}

bool rl_solve(rl_solver solver, const rl_rows_problem *problem, const rl_variant *variant, double *beta) {
    const rl_units units = units_of(problem);
    const bool single = strcmp(rl_options_text(&variant->options, "precision"), "float") == 0;
    const bool solved = (single ? solve_float : solve_double)(solver, &units, problem->train, problem->room, beta);
    bool finite = solved;
    for (int j = 0; j < problem->train->n_features; j++) finite = finite && isfinite(beta[j]);
    return finite;
}
