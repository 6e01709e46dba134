/* The best linear model of a dataset: minimum-norm least squares on all of its rows.
 *
 * LAPACK's dgelsy would take half as many lines, and does not do: it finds the shortest solution in the units of the
 * scaled columns, not in those of the data; it pivots the columns of the whole matrix, which for 20000 rows of 200
 * features takes 1.7 times as long as pivoting those of its triangle; and it rounds otherwise, so that every published
 * number would change in its last digits. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "../small.h"
#include "../vectors.h"
#include "dataset.h"
#include "ridgeless/arena.h"

enum { MOST_FEATURES = INT_MAX / 128 }; /* LAPACK counts its work space in ints */

/* Columns are scaled by powers of two to about the same length. That is exact, and columns of very different units cost
 * no accuracy then. But which singular values are zero is judged in the units of the data, as fits judge it. */
typedef struct solver {
    int n, p, k;   /* k = min(n, p) */
    int *exponent; /* [p]: column j is a's column times 2^exponent */
    double *a;     /* [n, p], column-major */
    double *r;     /* [k, p], column-major: the triangle, then its own pivoted one */
    double *b;     /* [max(n, p)] */
    double *sigma; /* [k] */
    double *tau, *work;
    int *pivot; /* [p], from 1 */
    int *iwork; /* [k] */
    int n_work;
} solver;

static void list_solver_arrays(rl_arena *arena, void *object) {
    solver *const s = object;
    const size_t n = (size_t)s->n, p = (size_t)s->p, k = (size_t)s->k;
    RL_TAKE(arena, s->exponent, p);
    RL_TAKE(arena, s->a, n * p);
    RL_TAKE(arena, s->r, k * p);
    RL_TAKE(arena, s->b, rl_larger(n, p));
    RL_TAKE_REALS(arena, k, &s->sigma, &s->tau);
    RL_TAKE(arena, s->work, s->n_work);
    RL_TAKE(arena, s->pivot, p);
    RL_TAKE(arena, s->iwork, k);
}

/* Enough for blocks of 64. */
static int work_space(int p) {
    return 2 * p + 64 * (p + 66);
}

rl_status rl_least_squares_room(int n_features, int *n_work) {
    if (n_features > MOST_FEATURES)
        return rl_fail(RL_ERR_INPUT, "%d features; expected at most %d, for which LAPACK can count its work space",
                       n_features, MOST_FEATURES);
    *n_work = work_space(n_features);
    return RL_OK;
}

static solver solver_sizes(int n, int p) {
    return (solver){.n = n, .p = p, .k = rl_smaller(n, p), .n_work = work_space(p)};
}

/* e with 2^e about the Euclidean length of a column; 0 for a column of zeros. Divides by the largest entry first, as
 * squares may overflow. */
static int length_exponent(int n, const double *column, size_t stride) {
    double largest = 0, sum = 0;
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(column[(size_t)i * stride]));
    if (largest == 0) return 0;
    for (int i = 0; i < n; i++) {
        const double ratio = column[(size_t)i * stride] / largest;
        sum += ratio * ratio;
    }
    int e_largest, e_sum;
    frexp(largest, &e_largest);
    frexp(sqrt(sum), &e_sum);
    return e_largest + e_sum;
}

static void solver_fill(solver *s, const double *x, const double *y) {
    const size_t p = (size_t)s->p, n = (size_t)s->n;
    for (size_t j = 0; j < p; j++) {
        s->exponent[j] = length_exponent(s->n, x + j, p);
        for (size_t i = 0; i < n; i++) s->a[i + j * n] = ldexp(x[i * p + j], -s->exponent[j]);
    }
    memcpy(s->b, y, sizeof(double) * n);
}

static rl_status check_info(const char *routine, int info) {
    if (info == 0) return RL_OK;
    return rl_fail(RL_ERR_LIBRARY, "LAPACK %s: info = %d", routine, info);
}

static rl_status apply_transposed_q(solver *s, int rows, const double *reflectors, int ld) {
    const int one = 1;
    int info;
    dormqr_("L", "T", &rows, &one, &s->k, reflectors, &ld, s->tau, s->b, &s->n, s->work, &s->n_work, &info, 1, 1);
    return check_info("dormqr", info);
}

/* QR of a, then QR with column pivoting of its triangle, which is small. b becomes Q^T y. */
static rl_status solver_factor(solver *s) {
    int info;
    dgeqrf_(&s->n, &s->p, s->a, &s->n, s->tau, s->work, &s->n_work, &info);
    RL_TRY(check_info("dgeqrf", info));
    RL_TRY(apply_transposed_q(s, s->n, s->a, s->n));
    const size_t k = (size_t)s->k, n = (size_t)s->n;
    for (size_t j = 0; j < (size_t)s->p; j++)
        for (size_t i = 0; i < k; i++) s->r[i + j * k] = i <= j ? s->a[i + j * n] : 0;
    dgeqp3_(&s->k, &s->p, s->r, &s->k, s->pivot, s->tau, s->work, &s->n_work, &info);
    RL_TRY(check_info("dgeqp3", info));
    return apply_transposed_q(s, s->k, s->r, s->k);
}

/* The rank of the scaled columns, of which units make none small, by their pivoted triangle; ld: of r. */
static int count_independent(int n, int p, int most, int ld, const double *r) {
    const double tolerance = rl_rank_tolerance(n, p) * fabs(r[0]);
    int rank = 0;
    while (rank < most && fabs(r[(size_t)rank * (size_t)(ld + 1)]) > tolerance) rank++;
    return rank;
}

/* The pivoted triangle in the units of the data: core [k, p], with its columns as they are pivoted, where core may be
 * r, or in the order of the features. */
static void unscale_triangle(const solver *s, bool in_order, double *core) {
    const size_t k = (size_t)s->k;
    for (int j = 0; j < s->p; j++) {
        const int feature = s->pivot[j] - 1;
        double *const column = core + (size_t)(in_order ? feature : j) * k;
        for (int i = 0; i < s->k; i++)
            column[i] = i <= j ? ldexp(s->r[(size_t)i + (size_t)j * k], s->exponent[feature]) : 0;
    }
}

static void solve_triangle(solver *s, double *beta) {
    const int one = 1;
    dtrsv_("U", "N", "N", &s->p, s->r, &s->k, s->b, &one, 1, 1, 1);
    for (int j = 0; j < s->p; j++) beta[s->pivot[j] - 1] = ldexp(s->b[j], -s->exponent[s->pivot[j] - 1]);
}

/* The shortest of all solutions where there are fewer rows than features, all independent. It is to be the shortest in
 * the units of the data: so the triangle is scaled back to those, into `a`, which is no longer needed. */
static rl_status solve_independent_rows(solver *s, double *beta) {
    const int one = 1, ldb = rl_larger(s->n, s->p);
    int info;
    unscale_triangle(s, true, s->a);
    dgels_("N", &s->k, &s->p, &one, s->a, &s->k, s->b, &ldb, s->work, &s->n_work, &info, 1);
    RL_TRY(check_info("dgels", info));
    memcpy(beta, s->b, sizeof(double) * (size_t)s->p);
    return RL_OK;
}

/* U into `a`, V^T into `r`, both of the triangle in the units of the data. */
static rl_status decompose_triangle(solver *s) {
    int info;
    unscale_triangle(s, false, s->r);
    if (!rl_all_finite(s->r, (size_t)s->k * (size_t)s->p)) return RL_ERR_INPUT; /* dgesvd may hang on them */
    dgesvd_("S", "O", &s->k, &s->p, s->r, &s->k, s->sigma, s->a, &s->k, NULL, &s->k, s->work, &s->n_work, &info, 1, 1);
    return check_info("dgesvd", info);
}

/* The shortest solution of the modes that are not zero: V S^-1 U^T b. */
static void solve_modes(solver *s, int rank, double *beta) {
    double *const along = s->tau, *const pivoted = s->b;
    rl_gemv('T', s->k, s->k, 1, s->a, s->k, s->b, 0, along);
    for (int r = 0; r < s->k; r++) along[r] = r < rank ? along[r] / s->sigma[r] : 0;
    rl_gemv('T', s->k, s->p, 1, s->r, s->k, along, 0, pivoted);
    for (int j = 0; j < s->p; j++) beta[s->pivot[j] - 1] = pivoted[j];
}

/* Of independent scaled columns. In units in which a column's length overflows nothing more can be told. */
static bool is_surely_full(const solver *s) {
    unscale_triangle(s, false, s->a);
    if (!rl_all_finite(s->a, (size_t)s->k * (size_t)s->p)) return true;
    return rl_triangle_is_surely_full(s->n, s->p, s->a, s->work, s->iwork);
}

/* Whether units, and not dependence alone, decide what is too small to count: the longest column and the shortest are a
 * million apart. */
static bool has_scales_apart(int p, const int *exponent) {
    int least = exponent[0], most = least;
    for (int j = 1; j < p; j++) {
        least = rl_smaller(least, exponent[j]);
        most = rl_larger(most, exponent[j]);
    }
    return most - least > 20;
}

/* Triangles do where the rank is as large as can be, of scaled columns and of those of the data alike; else the
 * singular value decomposition. */
static rl_status solve_least_squares(solver *s, const double *x, const double *y, rl_best_fit *fit) {
    solver_fill(s, x, y);
    RL_TRY(solver_factor(s));
    const int of_scaled = count_independent(s->n, s->p, s->k, s->k, s->r);
    fit->rank = s->k;
    if (of_scaled < s->k || !is_surely_full(s)) {
        RL_TRY(decompose_triangle(s));
        fit->rank = rl_rank_of(s->n, s->p, s->k, s->sigma);
        fit->scales_apart = fit->rank < of_scaled && has_scales_apart(s->p, s->exponent);
        if (fit->rank < s->k || of_scaled < s->k) {
            solve_modes(s, fit->rank, fit->beta);
            return RL_OK;
        }
        solver_fill(s, x, y); /* the decomposition took its place */
        RL_TRY(solver_factor(s));
    }
    if (s->k < s->p) return solve_independent_rows(s, fit->beta);
    solve_triangle(s, fit->beta);
    return RL_OK;
}

/* ---- few features ------------------------------------------------------------------------------------------------ */

/* The same by arithmetic of our own, whose bits no library decides: the triangle of all rows, then its own pivoted one,
 * and always its singular values. */
typedef struct small_solver {
    int n, p;
    int most; /* the rank that they can have */
    int exponent[RL_SMALL_FEATURES], pivot[RL_SMALL_FEATURES];
    double rows[RL_SMALL_ORDER * RL_SMALL_ROWS]; /* [p + 1] columns: x, and y */
    double all[RL_SMALL_ORDER * RL_SMALL_ORDER]; /* [p + 1, p + 1]: their triangle */
    double r[RL_SMALL_FEATURES * RL_SMALL_FEATURES], core[RL_SMALL_FEATURES * RL_SMALL_FEATURES]; /* [p, p] */
    double u[RL_SMALL_FEATURES * RL_SMALL_FEATURES];                                              /* [p, p] */
    double b[RL_SMALL_FEATURES], sigma[RL_SMALL_FEATURES];
} small_solver;

static void take_in_rows(small_solver *s, const double *x, const double *y) {
    const size_t p = (size_t)s->p;
    for (int first = 0; first < s->n; first += RL_SMALL_ROWS) {
        const int count = rl_smaller(s->n - first, RL_SMALL_ROWS);
        for (int i = 0; i < count; i++) {
            const double *const row = x + (size_t)(first + i) * p;
            for (int j = 0; j < s->p; j++) s->rows[j * RL_SMALL_ROWS + i] = ldexp(row[j], -s->exponent[j]);
            s->rows[s->p * RL_SMALL_ROWS + i] = y[first + i];
        }
        rl_small_append(s->p + 1, s->all, count, s->rows);
    }
}

/* What is left of the rows: r [p, p] pivoted, of fewer rows than features with zeros or rounding at its end, and b [p];
 * and core, the same in the units of the data. */
static void factor_rows(small_solver *s, const double *x, const double *y) {
    const int order = s->p + 1;
    for (int j = 0; j < s->p; j++) s->exponent[j] = length_exponent(s->n, x + j, (size_t)s->p);
    take_in_rows(s, x, y);
    for (int j = 0; j < s->p; j++)
        for (int i = 0; i < s->p; i++) s->r[i + j * s->p] = i <= j ? s->all[i + j * order] : 0;
    for (int i = 0; i < s->p; i++) s->b[i] = s->all[i + s->p * order];
    rl_small_pivot(s->p, s->r, s->b, s->pivot);
    for (int j = 0; j < s->p; j++)
        for (int i = 0; i < s->p; i++) s->core[i + j * s->p] = ldexp(s->r[i + j * s->p], s->exponent[s->pivot[j]]);
}

static void solve_small_triangle(small_solver *s, double *beta) {
    for (int j = s->p - 1; j >= 0; j--) {
        s->b[j] /= s->r[j * (s->p + 1)];
        for (int i = 0; i < j; i++) s->b[i] -= s->r[i + j * s->p] * s->b[j];
        beta[s->pivot[j]] = ldexp(s->b[j], -s->exponent[s->pivot[j]]);
    }
}

/* core is diag(sigma) V^T now. */
static void solve_small_modes(const small_solver *s, int rank, double *beta) {
    for (int j = 0; j < s->p; j++) beta[j] = 0;
    for (int r = 0; r < rank; r++) {
        double along = 0;
        for (int i = 0; i < s->p; i++) along += s->u[i + r * s->p] * s->b[i];
        along /= s->sigma[r];
        for (int j = 0; j < s->p; j++) beta[s->pivot[j]] += s->core[r + j * s->p] / s->sigma[r] * along;
    }
}

/* Of columns in units in which their lengths overflow nothing more can be told than that they are independent. */
static rl_status solve_small(small_solver *s, const double *x, const double *y, rl_best_fit *fit) {
    factor_rows(s, x, y);
    const int of_scaled = count_independent(s->n, s->p, s->most, s->p, s->r);
    const bool finite = rl_all_finite(s->core, (size_t)s->p * (size_t)s->p);
    fit->rank = s->most;
    if (!finite && of_scaled < s->p) return RL_ERR_INPUT;
    if (finite) {
        rl_small_decompose(s->p, s->core, s->sigma, s->u);
        fit->rank = rl_rank_of(s->n, s->p, s->most, s->sigma);
        fit->scales_apart = fit->rank < of_scaled && has_scales_apart(s->p, s->exponent);
    }
    if (fit->rank == s->p && of_scaled == s->p)
        solve_small_triangle(s, fit->beta);
    else
        solve_small_modes(s, fit->rank, fit->beta);
    return RL_OK;
}

static rl_status solve_with_few_features(int n, int p, const double *x, const double *y, rl_best_fit *fit) {
    small_solver *s;
    RL_TRY(RL_ALLOC(s, 1));
    s->n = n;
    s->p = p;
    s->most = rl_smaller(n, p);
    const rl_status status = solve_small(s, x, y, fit);
    rl_free(s);
    return status;
}

/* ---- any number -------------------------------------------------------------------------------------------------- */

static rl_status solve_with_many_features(int n, int p, const double *x, const double *y, rl_best_fit *fit) {
    int n_work;
    RL_TRY(rl_least_squares_room(p, &n_work));
    solver s = solver_sizes(n, p);
    RL_TRY(rl_arrays_create(&s, list_solver_arrays));
    const rl_status status = solve_least_squares(&s, x, y, fit);
    rl_free(s.exponent);
    return status;
}

rl_status rl_least_squares(const char *name, int n_rows, int n_features, const double *x, const double *y,
                           rl_best_fit *fit) {
    rl_status status = rl_is_small(n_features) ? solve_with_few_features(n_rows, n_features, x, y, fit)
                                               : solve_with_many_features(n_rows, n_features, x, y, fit);
    if (status == RL_OK && !rl_all_finite(fit->beta, (size_t)n_features)) status = RL_ERR_INPUT;
    if (status != RL_ERR_INPUT) return status;
    return rl_fail(RL_ERR_INPUT, "dataset `%s`: least squares on all rows overflows, expected smaller numbers", name);
}

size_t rl_least_squares_bytes(int n_rows, int n_features) {
    solver sizes = solver_sizes(n_rows, rl_smaller(n_features, MOST_FEATURES));
    if (rl_is_small(n_features)) return rl_alloc_bytes(1, sizeof(small_solver));
    return rl_arrays_bytes(&sizes, list_solver_arrays);
}
