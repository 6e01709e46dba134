/* Direct solvers of least squares in one precision: solvers.c includes this once for each, with REAL the type and
 * ROUTINE(name) and NAMED(name) the names of LAPACK's and of its own functions. x [n, p] is row-major, which for LAPACK
 * is X^T; k = min(n, p). */

/* R^T R w = rhs in the place of rhs [k], by Cholesky of the Gram matrix [k, k], which is overwritten. */
static bool NAMED(solve_gram)(int k, REAL *gram, REAL *rhs) {
    const int one = 1;
    int info;
    ROUTINE(potrf)("U", &k, gram, &k, &info, 1);
    if (info != 0) return false;
    ROUTINE(trsv)("U", "T", "N", &k, gram, &k, rhs, &one, 1, 1, 1);
    ROUTINE(trsv)("U", "N", "N", &k, gram, &k, rhs, &one, 1, 1, 1);
    return true;
}

/* X^T X beta = X^T y, or with fewer rows than features X X^T w = y and beta = X^T w, which has the minimum norm. beta
 * [p] and y [n] must not overlap. */
static bool NAMED(solve_normal_equations)(int n, int p, const REAL *x, REAL *y, REAL *gram, REAL *beta) {
    const int one = 1, k = n < p ? n : p;
    const REAL unit = 1, zero = 0;
    ROUTINE(syrk)("U", n < p ? "T" : "N", &k, n < p ? &p : &n, &unit, x, &p, &zero, gram, &k, 1, 1);
    if (n >= p) ROUTINE(gemv)("N", &p, &n, &unit, x, &p, y, &one, &zero, beta, &one, 1);
    if (!NAMED(solve_gram)(k, gram, n < p ? y : beta)) return false;
    if (n < p) ROUTINE(gemv)("N", &p, &n, &unit, x, &p, y, &one, &zero, beta, &one, 1);
    return true;
}

/* By LAPACK's singular value decomposition of the columns [n, p], which are overwritten; y has room for max(n, p), and
 * ends as beta. Singular values below machine precision, relative to the largest, count as zero. */
static bool NAMED(solve_by_svd)(int n, int p, REAL *columns, REAL *y, REAL *sigma, REAL *work, int lwork) {
    const int one = 1, longer = n < p ? p : n;
    const REAL precision = -1; /* LAPACK's own */
    int rank, info;
    ROUTINE(gelss)(&n, &p, &one, columns, &n, y, &longer, sigma, &precision, &rank, work, &lwork, &info);
    return info == 0;
}

/* `room`: see rl_solver_room. */
static bool NAMED(solve)(rl_solver solver, const rl_units *u, const rl_training_set *t, double *room, double *beta) {
    const int n = t->n_train, p = t->n_features, k = n < p ? n : p;
    REAL *const x = (REAL *)(void *)room, *const y = x + (size_t)n * (size_t)p, *const found = y + (n < p ? p : n),
                *const rest = found + p;
    const bool by_rows = solver == RL_SOLVER_NORMAL_EQUATIONS;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < p; j++)
            x[by_rows ? (size_t)i * (size_t)p + (size_t)j : (size_t)j * (size_t)n + (size_t)i] =
                (REAL)(t->x[(size_t)i * (size_t)p + (size_t)j] / u->x);
    for (int i = 0; i < n; i++) y[i] = (REAL)(t->y[i] / u->y);
    const bool solved = by_rows ? NAMED(solve_normal_equations)(n, p, x, y, rest, found)
                                : NAMED(solve_by_svd)(n, p, x, y, rest, rest + k, svd_work(n, p));
    for (int j = 0; j < p && solved; j++) beta[j] = (double)(by_rows ? found : y)[j] / u->x * u->y;
    return solved;
}
