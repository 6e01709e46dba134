/* The best linear model of a dataset: minimum-norm least squares on all of its rows.
 *
 * LAPACK's dgelsy would take half as many lines, and does not do: it finds the shortest solution in the units of the
 * scaled columns, not in those of the data; it pivots the columns of the whole matrix, which for 20000 rows of 200
 * features takes 1.7 times as long as pivoting those of its triangle; and it rounds otherwise, so that every published
 * number would change in its last digits. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "../lapack.h"
#include "../numbers.h"
#include "dataset.h"
#include "ridgeless/arena.h"

enum { MOST_FEATURES = INT_MAX / 128 }; /* LAPACK counts its work space in ints */

/* Columns are scaled by powers of two to about the same length. That is exact, and columns of very different units cost
 * no accuracy then. */
typedef struct solver {
    int n, p, k;   /* k = min(n, p) */
    int *exponent; /* [p]: column j is a's column times 2^exponent */
    double *a;     /* [n, p], column-major */
    double *r;     /* [k, p], column-major: the triangle, then its own pivoted one */
    double *b;     /* [max(n, p)] */
    double *tau, *work;
    int *pivot; /* [p], from 1 */
    int n_work;
} solver;

static void list_solver_arrays(rl_arena *arena, void *object) {
    solver *const s = object;
    const size_t n = (size_t)s->n, p = (size_t)s->p, k = (size_t)s->k;
    RL_TAKE(arena, s->exponent, p);
    RL_TAKE(arena, s->a, n * p);
    RL_TAKE(arena, s->r, k * p);
    RL_TAKE(arena, s->b, rl_larger(n, p));
    RL_TAKE(arena, s->tau, k);
    RL_TAKE(arena, s->work, s->n_work);
    RL_TAKE(arena, s->pivot, p);
}

static solver solver_sizes(int n, int p) {
    const int n_work = 2 * p + 64 * (p + 66); /* enough for blocks of 64 */
    return (solver){.n = n, .p = p, .k = rl_smaller(n, p), .n_work = n_work};
}

size_t rl_least_squares_bytes(int n_rows, int n_features) {
    solver sizes = solver_sizes(n_rows, rl_smaller(n_features, MOST_FEATURES));
    return rl_arrays_bytes(&sizes, list_solver_arrays);
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

static int solver_rank(const solver *s) {
    const double tolerance = rl_larger(s->n, s->p) * 0x1p-52 * fabs(s->r[0]);
    int rank = 0;
    while (rank < s->k && fabs(s->r[(size_t)rank * (size_t)(s->k + 1)]) > tolerance) rank++;
    return rank;
}

static void solve_full_rank(solver *s, double *beta) {
    const int one = 1;
    dtrsv_("U", "N", "N", &s->p, s->r, &s->k, s->b, &one, 1, 1, 1);
    for (int j = 0; j < s->p; j++) beta[s->pivot[j] - 1] = ldexp(s->b[j], -s->exponent[s->pivot[j] - 1]);
}

/* The shortest of all solutions of the first `rank` rows of the triangle. It is to be the shortest in the units of the
 * data: so the rows are scaled back to those, into `a`, which is no longer needed. */
static rl_status solve_minimum_norm(solver *s, int rank, double *beta) {
    const int one = 1, ldb = rl_larger(s->n, s->p);
    const size_t ld = (size_t)rank;
    for (int j = 0; j < s->p; j++) {
        const int column = s->pivot[j] - 1;
        for (int i = 0; i < rank; i++)
            s->a[(size_t)i + (size_t)column * ld] =
                i <= j ? ldexp(s->r[(size_t)i + (size_t)j * (size_t)s->k], s->exponent[column]) : 0;
    }
    int info;
    dgels_("N", &rank, &s->p, &one, s->a, &rank, s->b, &ldb, s->work, &s->n_work, &info, 1);
    RL_TRY(check_info("dgels", info));
    memcpy(beta, s->b, sizeof(double) * (size_t)s->p);
    return RL_OK;
}

static rl_status solve_least_squares(solver *s, const char *name, const double *x, const double *y, double *beta) {
    solver_fill(s, x, y);
    RL_TRY(solver_factor(s));
    const int rank = solver_rank(s);
    if (rank == s->p)
        solve_full_rank(s, beta);
    else if (rank > 0) /* else all features are zero, and so is beta */
        RL_TRY(solve_minimum_norm(s, rank, beta));
    if (rl_all_finite(beta, (size_t)s->p)) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "dataset `%s`: least squares on all rows overflows, expected smaller numbers", name);
}

rl_status rl_least_squares(const char *name, int n_rows, int n_features, const double *x, const double *y,
                           double *beta) {
    if (n_features > MOST_FEATURES)
        return rl_fail(RL_ERR_INPUT, "%d features; expected at most %d, for which LAPACK can count its work space",
                       n_features, MOST_FEATURES);
    solver s = solver_sizes(n_rows, n_features);
    RL_TRY(rl_arrays_create(&s, list_solver_arrays));
    const rl_status status = solve_least_squares(&s, name, x, y, beta);
    rl_free(s.exponent);
    return status;
}
