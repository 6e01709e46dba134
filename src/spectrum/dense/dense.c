/* The dense LAPACK producer on one rank.
 *
 * X = Q B with a core B [k, n_features], k = min(n_train, n_features): X itself with Q the identity for n_train <=
 * n_features, and the triangle of the QR of [X Y] for n_train > n_features. B = W S V^T then gives X = (Q W) S V^T and
 * U^T y = W^T Q^T y. B is decomposed as it stands, not transposed: that is what NumPy's SVD does too, and rounding
 * errors of the last mode's projection then agree with the published program's far beyond what either of them is
 * accurate to. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../../vectors.h"
#include "ridgeless/arena.h"
#include "ridgeless/spectrum.h"

struct rl_dense_producer {
    int max_train, n_features, max_modes;
    double *qr;        /* [max_train, n_features + RL_N_TARGETS]: [X Y] on its way through QR */
    double *core;      /* [k, n_features]: B, destroyed by the SVD */
    double *vt;        /* [k, n_features]: V^T */
    double *w;         /* [k, k]: W */
    double *targets;   /* [k, RL_N_TARGETS]: Q^T Y */
    double *tau;       /* [n_features + RL_N_TARGETS] */
    double *lost;      /* [n_features]: V V^T beta* - beta* */
    double *lost_rows; /* [n_features + 2]: what that does to the test rows */
    double *sigma, *c, *z, *z_target, *z_one, *b_star; /* of the spectrum handed out */
    double *population_z, *population_target;
    double *work;  /* [n_work] */
    size_t n_work; /* as LAPACK takes it: lwork */
    int lwork;
    int *iwork;
};

/* The largest of what dgeqrf, dgesdd and dgesvd ask for, whatever the training set's size. */
static double wanted_work(const rl_dense_producer *p) {
    const int features = p->n_features, k = p->max_modes, columns = features + RL_N_TARGETS, query = -1;
    double asked = 0, most = 0;
    int info;
    dgeqrf_(&p->max_train, &columns, NULL, &p->max_train, NULL, &asked, &query, &info);
    most = fmax(most, asked);
    dgesdd_("S", &k, &features, NULL, &k, NULL, NULL, &k, NULL, &k, &asked, &query, NULL, &info, 1);
    most = fmax(most, asked);
    dgesvd_("S", "S", &k, &features, NULL, &k, NULL, NULL, &k, NULL, &k, &asked, &query, &info, 1, 1);
    most = fmax(most, asked);
    /* Fewer rows may take dgesdd's LQ-first path, whose need is another: its documented minimum with room for blocks
     * of 32. */
    return fmax(most, 4.0 * k * (double)k + 7.0 * k + 32.0 * (k + (double)features));
}

static void list_dense_arrays(rl_arena *arena, void *object) {
    rl_dense_producer *const p = object;
    const size_t features = (size_t)p->n_features, modes = (size_t)p->max_modes, order = features + 2;
    RL_TAKE(arena, p->qr, (size_t)p->max_train * (features + RL_N_TARGETS));
    RL_TAKE_REALS(arena, features * modes, &p->core, &p->vt, &p->population_z);
    RL_TAKE_REALS(arena, modes * RL_N_TARGETS, &p->targets, &p->c);
    RL_TAKE_REALS(arena, modes, &p->sigma, &p->b_star);
    RL_TAKE_REALS(arena, features, &p->lost, &p->population_target);
    RL_TAKE_REALS(arena, order, &p->lost_rows, &p->z_one);
    RL_TAKE(arena, p->w, modes * modes);
    RL_TAKE(arena, p->tau, features + RL_N_TARGETS);
    RL_TAKE(arena, p->z, order * modes);
    RL_TAKE(arena, p->z_target, order * RL_N_TARGETS);
    RL_TAKE(arena, p->iwork, 8 * modes);
    RL_TAKE(arena, p->work, p->n_work);
}

static rl_dense_producer sizes_of_dense(int max_train, int n_features) {
    rl_dense_producer p = {
        .max_train = max_train, .n_features = n_features, .max_modes = rl_smaller(max_train, n_features)};
    p.n_work = (size_t)wanted_work(&p);
    return p;
}

rl_status rl_dense_producer_create(rl_dense_producer **producer, int max_train, int n_features) {
    rl_dense_producer sizes = sizes_of_dense(max_train, n_features);
    if (sizes.n_work > INT32_MAX)
        return rl_fail(RL_ERR_INPUT,
                       "LAPACK dgesdd needs a work array of %zu doubles for %d x %d: more than its limit, 2^31 - 1",
                       sizes.n_work, max_train, n_features);
    sizes.lwork = (int)sizes.n_work;
    return RL_OBJECT_CREATE(producer, &sizes, list_dense_arrays);
}

size_t rl_dense_producer_bytes(int max_train, int n_features) {
    rl_dense_producer sizes = sizes_of_dense(max_train, n_features);
    return RL_OBJECT_BYTES(&sizes, list_dense_arrays);
}

void rl_dense_producer_destroy(rl_dense_producer *producer) {
    rl_free(producer);
}

/* y, y* = X beta* and E = y - y*, as columns of length n_train from `columns` on. */
static void fill_targets(const rl_training_set *train, double *columns) {
    const int n = train->n_train;
    double *y = columns, *ideal = columns + n, *residual = columns + 2 * (size_t)n;
    rl_gemv('T', train->n_features, n, 1, train->x, train->n_features, train->beta_star, 0, ideal);
    for (int i = 0; i < n; i++) {
        y[i] = train->y[i];
        residual[i] = y[i] - ideal[i];
    }
}

/* x [rows, columns] row-major to column-major. */
static void transpose_rows(int rows, int columns, const double *x, double *column_major) {
    for (size_t j = 0; j < (size_t)columns; j++)
        for (size_t i = 0; i < (size_t)rows; i++) column_major[j * (size_t)rows + i] = x[i * (size_t)columns + j];
}

/* n_train > n_features: QR of [X Y]; below row n_features the columns of Y hold what X cannot reach. */
static rl_status tall_core(rl_dense_producer *p, const rl_training_set *train, rl_spectrum *s) {
    const int n = train->n_train, features = train->n_features, columns = features + RL_N_TARGETS;
    const size_t ld = (size_t)n, k = (size_t)features;
    transpose_rows(n, features, train->x, p->qr);
    fill_targets(train, p->qr + k * ld);
    int info;
    dgeqrf_(&n, &columns, p->qr, &n, p->tau, p->work, &p->lwork, &info);
    RL_TRY(rl_lapack_check("dgeqrf", info));
    for (size_t j = 0; j < k; j++)
        for (size_t i = 0; i < k; i++) p->core[j * k + i] = i <= j ? p->qr[j * ld + i] : 0;
    for (int t = 0; t < RL_N_TARGETS; t++) {
        const double *column = p->qr + (k + (size_t)t) * ld;
        memcpy(p->targets + (size_t)t * k, column, sizeof(double) * k);
        s->outside_sq[t] = 0;
        for (int i = features; i < n && i <= features + t; i++) s->outside_sq[t] += column[i] * column[i];
    }
    return RL_OK;
}

static rl_status make_core(rl_dense_producer *p, const rl_training_set *train, rl_spectrum *s) {
    if (train->n_train > train->n_features) return tall_core(p, train, s);
    transpose_rows(train->n_train, train->n_features, train->x, p->core);
    fill_targets(train, p->targets);
    return RL_OK;
}

/* B = W S V^T, by divide and conquer, by QR iteration if that does not converge. */
static rl_status decompose_core(rl_dense_producer *p, const rl_training_set *train, rl_spectrum *s) {
    const int features = p->n_features, k = s->n_modes;
    int info;
    RL_TRY(make_core(p, train, s));
    dgesdd_("S", &k, &features, p->core, &k, p->sigma, p->w, &k, p->vt, &k, p->work, &p->lwork, p->iwork, &info, 1);
    if (info > 0) {
        RL_TRY(make_core(p, train, s));
        dgesvd_("S", "S", &k, &features, p->core, &k, p->sigma, p->w, &k, p->vt, &k, p->work, &p->lwork, &info, 1, 1);
    }
    RL_TRY(rl_lapack_check("dgesdd", info));
    s->status = info > 0 ? RL_CELL_NO_CONVERGENCE : RL_CELL_DONE;
    return RL_OK;
}

/* The sign convention of spectrum.h: flips v_r and w_r together. */
static void fix_signs(rl_dense_producer *p, int k) {
    for (int r = 0; r < k; r++) {
        double largest = 0;
        for (int j = 0; j < p->n_features; j++) {
            const double v = p->vt[(size_t)j * (size_t)k + (size_t)r];
            if (fabs(v) > fabs(largest)) largest = v;
        }
        if (largest >= 0) continue;
        for (int j = 0; j < p->n_features; j++) p->vt[(size_t)j * (size_t)k + (size_t)r] *= -1;
        for (int i = 0; i < k; i++) p->w[(size_t)r * (size_t)k + (size_t)i] *= -1;
    }
}

/* U^T y for every target, and V^T beta*. */
static void project_targets(rl_dense_producer *p, const rl_training_set *train, rl_spectrum *s) {
    const int k = s->n_modes, targets = RL_N_TARGETS, features = p->n_features;
    rl_gemm('T', 'N', k, targets, k, 1, p->w, k, p->targets, k, 0, p->c, k);
    for (int t = 0; t < RL_N_TARGETS; t++) s->c[t] = p->c + (size_t)t * (size_t)k;
    rl_gemv('N', k, features, 1, p->vt, k, train->beta_star, 0, p->b_star);
    s->b_star = p->b_star;
}

/* X_test V and the test targets, in the rows of the test factor. */
static void project_test_rows(rl_dense_producer *p, const rl_training_set *train, const rl_test_factor *test,
                              rl_spectrum *s) {
    const int m = test->order, k = s->n_modes, features = p->n_features;
    const double *const r_x = test->r + m, *const r_y = test->r + (size_t)(m - 1) * (size_t)m;
    rl_gemm('N', 'T', m, k, features, 1, r_x, m, p->vt, k, 0, p->z, m);
    for (int t = 0; t < RL_N_TARGETS; t++) s->z_target[t] = p->z_target + (size_t)t * (size_t)m;
    rl_gemv('N', m, features, 1, r_x, m, train->beta_star, 0, s->z_target[RL_TARGET_IDEAL]);
    for (int i = 0; i < m; i++) {
        s->z_target[RL_TARGET_Y][i] = r_y[i];
        s->z_target[RL_TARGET_RESIDUAL][i] = r_y[i] - s->z_target[RL_TARGET_IDEAL][i];
        p->z_one[i] = test->r[i];
    }
    s->m = m;
    s->z = p->z;
    s->ldz = m;
    s->z_one = p->z_one;
    s->n_test = test->n_rows;
}

/* The bias (V V^T - I) beta* and what it does to the test rows; nothing is lost when the modes span all features. */
static void project_bias(rl_dense_producer *p, const rl_training_set *train, const rl_test_factor *test,
                         rl_spectrum *s) {
    s->b_outside_sq = s->test_bias = s->test_bias_mse = 0;
    if (s->rank == s->n_features) return;
    const int features = p->n_features, m = test->order;
    double *const lost = p->lost, *const rows = p->lost_rows;
    for (int j = 0; j < features; j++) lost[j] = -train->beta_star[j];
    rl_gemv('T', s->rank, features, 1, p->vt, s->n_modes, p->b_star, 1, lost); /* of rank 0: nothing */
    rl_gemv('N', m, features, 1, test->r + m, m, lost, 0, rows);
    s->b_outside_sq = rl_sum_of_squares(features, lost);
    for (int i = 0; i < m; i++) s->test_bias_mse += rows[i] * rows[i] / s->n_test;
    s->test_bias =
        rows[0] * test->r[0] / s->n_test; /* 1^T X d = r_00 (R d)_0: the ones are the factor's first column */
}

static void project_population(rl_dense_producer *p, const rl_training_set *train, rl_spectrum *s) {
    if (train->scale == NULL) return;
    const size_t features = (size_t)s->n_features, k = (size_t)s->n_modes;
    for (size_t j = 0; j < features; j++) {
        p->population_target[j] = train->scale[j] * train->beta_star[j];
        for (size_t r = 0; r < k; r++) p->population_z[r * features + j] = train->scale[j] * p->vt[j * k + r];
    }
    s->n_population = s->ld_population = s->n_features;
    s->population_z = p->population_z;
    s->population_target = p->population_target;
}

rl_status rl_dense_producer_spectrum(rl_dense_producer *p, const rl_training_set *train, const rl_test_factor *test,
                                     rl_spectrum *spectrum) {
    assert(train->n_train >= 1 && train->n_train <= p->max_train && train->n_features == p->n_features);
    assert(test->n_features == p->n_features && test->n_rows >= 1);
    /* dbdsqr can hang on NaN */
    assert(rl_all_finite(train->x, (size_t)train->n_train * (size_t)train->n_features));
    *spectrum = (rl_spectrum){.n_train = train->n_train,
                              .n_features = train->n_features,
                              .n_modes = rl_smaller(train->n_train, train->n_features),
                              .n_test = test->n_rows,
                              .sigma = p->sigma,
                              .vt = p->vt};
    RL_TRY(decompose_core(p, train, spectrum));
    if (spectrum->status != RL_CELL_DONE) return RL_OK;
    fix_signs(p, spectrum->n_modes);
    spectrum->rank = rl_spectrum_rank(spectrum);
    project_targets(p, train, spectrum);
    project_test_rows(p, train, test, spectrum);
    project_bias(p, train, test, spectrum);
    project_population(p, train, spectrum);
    return RL_OK;
}
