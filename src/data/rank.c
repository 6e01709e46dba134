/* The rank of features, by the rule of fits: a condition estimate where that is enough, else singular values. */
#include <string.h>

#include "../lapack.h"
#include "../numbers.h"
#include "dataset.h"
#include "ridgeless/arena.h"

/* ---- a triangle -------------------------------------------------------------------------------------------------- */

/* A bound from below on the smallest singular value over the largest, but for what dtrcon underestimates, by one norm:
 * the geometric mean of those by the norms 1 and infinity is one, as |A|_2^2 <= |A|_1 |A|_inf. */
static double condition_part(const char *norm, int k, int p, const double *core, double *work, int *iwork) {
    double part;
    int info;
    dtrcon_(norm, "U", "N", &k, core, &k, &part, work, iwork, &info, 1, 1, 1);
    const double whole = dlange_(norm, &k, &p, core, &k, work, 1), leading = dlange_(norm, &k, &k, core, &k, work, 1);
    return part * (leading / whole);
}

bool rl_triangle_is_surely_full(int n_rows, int n_features, const double *core, double *work, int *iwork) {
    const int k = rl_smaller(n_rows, n_features), p = n_features;
    const double one = condition_part("1", k, p, core, work, iwork),
                 most = condition_part("I", k, p, core, work, iwork);
    return sqrt(one) * sqrt(most) > rl_doubt * rl_rank_tolerance(n_rows, n_features);
}

/* ---- leading columns --------------------------------------------------------------------------------------------- */

typedef struct ranker {
    int n, p;
    double *a;    /* [n, p], column-major: X, then its triangle, whose leading columns are those of X's leading ones */
    double *core; /* [min(n, p), p] */
    double *tau, *sigma, *work;
    int *iwork;
    int n_work;
} ranker;

static void list_ranker_arrays(rl_arena *arena, void *object) {
    ranker *const r = object;
    const size_t n = (size_t)r->n, p = (size_t)r->p, k = rl_smaller(n, p);
    RL_TAKE(arena, r->a, n * p);
    RL_TAKE(arena, r->core, k * p);
    RL_TAKE_REALS(arena, k, &r->tau, &r->sigma);
    RL_TAKE(arena, r->work, r->n_work);
    RL_TAKE(arena, r->iwork, k);
}

static rl_status factor_features(ranker *r, const double *x) {
    int info;
    for (size_t j = 0; j < (size_t)r->p; j++)
        for (size_t i = 0; i < (size_t)r->n; i++) r->a[i + j * (size_t)r->n] = x[i * (size_t)r->p + j];
    dgeqrf_(&r->n, &r->p, r->a, &r->n, r->tau, r->work, &r->n_work, &info);
    return rl_lapack_check("dgeqrf", info);
}

/* The rank of the first p columns. Where numbers overflow it is not known, and left to fits to tell. */
static rl_status rank_leading(ranker *r, int p, int *rank) {
    const int k = rl_smaller(r->n, p), one = 1;
    int info = 0;
    for (size_t j = 0; j < (size_t)p; j++)
        for (size_t i = 0; i < (size_t)k; i++) r->core[i + j * (size_t)k] = i <= j ? r->a[i + j * (size_t)r->n] : 0;
    *rank = k;
    if (rl_triangle_is_surely_full(r->n, p, r->core, r->work, r->iwork)) return RL_OK;
    if (!rl_all_finite(r->core, (size_t)k * (size_t)p)) return RL_OK;
    dgesvd_("N", "N", &k, &p, r->core, &k, r->sigma, NULL, &one, NULL, &one, r->work, &r->n_work, &info, 1, 1);
    if (info == 0) *rank = rl_rank_of(r->n, p, k, r->sigma);
    return rl_lapack_check("dgesvd", info);
}

rl_status rl_leading_ranks(int n_rows, int n_features, const double *x, int n, const int *n_leading, int *ranks) {
    ranker r = {.n = n_rows, .p = n_features};
    RL_TRY(rl_least_squares_room(n_features, &r.n_work));
    RL_TRY(rl_arrays_create(&r, list_ranker_arrays));
    rl_status status = factor_features(&r, x);
    for (int i = 0; i < n && status == RL_OK; i++) status = rank_leading(&r, n_leading[i], &ranks[i]);
    rl_free(r.a);
    return status;
}
