/* The curve around it: buffers, coordinates, what is lost of beta*, and what a size comes to. */
#include <assert.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "../integers.h"
#include "../lapack.h"
#include "updated_private.h"

/* Singular values this many times above the dense producer's threshold of rank are surely not zero. */
static const double doubt = 10;
/* Their fourth powers are in range. */
static const double largest_sigma = 0x1p200, least_sigma = 0x1p-200;

/* ---- which sizes start anew -------------------------------------------------------------------------------------- */

/* A decomposition takes at least as long as a dozen updates, and rounding grows slowly: after 1000, vectors are
 * orthogonal and errors right to well within a hundred units of the last place (times the condition). */
enum { MOST_ROWS = 12, MOST_UPDATES = 512 };

bool rl_updated_anew(int rows, int *since) {
    const bool anew = rows > MOST_ROWS || rows > MOST_UPDATES - *since;
    *since = anew ? 0 : *since + rows;
    return anew;
}

static void schedule(rl_updated *u) {
    for (int i = 0, since = 0; i < u->n_sizes; i++)
        u->anew[i] = rl_updated_anew(i == 0 ? INT_MAX : u->n_train[i] - u->n_train[i - 1], &since);
}

bool rl_updated_is_anew(const rl_updated *u, int i) {
    return u->anew[i];
}

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

static rl_status allocate_curve(rl_updated *u) {
    const size_t p = (size_t)u->features, all = (size_t)u->max_train + p + 2;
    RL_TRY(RL_ALLOC(u->lq, p * (size_t)u->wide_rows));
    RL_TRY(RL_ALLOC(u->tau, u->wide_rows));
    RL_TRY(RL_ALLOC(u->rows, (all + 2 * p) * p));
    for (int t = 0; t < RL_N_TARGETS; t++) RL_TRY(RL_ALLOC(u->target[t], all));
    RL_TRY(RL_ALLOC(u->one, all));
    RL_TRY(RL_ALLOC(u->lost, all));
    RL_TRY(RL_ALLOC(u->beta_star, p));
    RL_TRY(RL_ALLOC(u->population_target, p));
    RL_TRY(RL_ALLOC(u->b_outside_sq, u->n_sizes));
    RL_TRY(RL_ALLOC(u->test_bias, u->n_sizes));
    return RL_ALLOC(u->test_bias_mse, u->n_sizes);
}

static rl_status allocate_size(rl_updated *u) {
    const size_t p = (size_t)u->features, square = p * (size_t)u->ld, more = p + 1;
    double **const squares[] = {&u->v, &u->turn, &u->spare, &u->vectors, &u->product};
    for (size_t i = 0; i < sizeof squares / sizeof *squares; i++) RL_TRY(RL_ALLOC(*squares[i], square));
    double **const vectors[] = {&u->sigma, &u->row,       &u->poles,       &u->z,           &u->above,
                                &u->room,  &u->b_star,    &u->last,        &u->square,      &u->square_low,
                                &u->start, &u->start_low, &u->left_length, &u->right_length};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) RL_TRY(RL_ALLOC(*vectors[i], more));
    for (int t = 0; t < RL_N_TARGETS; t++) {
        RL_TRY(RL_ALLOC(u->c[t], more));
        RL_TRY(RL_ALLOC(u->moved[t], more));
        RL_TRY(RL_ALLOC(u->merged[t], more));
    }
    RL_TRY(RL_ALLOC(u->left, RL_MOST_PENDING * (size_t)(u->ld + 1)));
    RL_TRY(RL_ALLOC(u->right, RL_MOST_PENDING * more));
    RL_TRY(RL_ALLOC(u->right_next, RL_MOST_PENDING * more));
    RL_TRY(RL_ALLOC(u->kept, more));
    RL_TRY(RL_ALLOC(u->is_kept, more));
    if (u->max_train > u->features) RL_TRY(RL_ALLOC(u->qr, (size_t)u->max_train * (p + RL_N_TARGETS)));
    RL_TRY(RL_ALLOC(u->qr_tau, p + RL_N_TARGETS));
    RL_TRY(RL_ALLOC(u->iwork, 8 * p));
    return rl_secular_create(&u->secular, u->features + 1, 0);
}

static rl_status allocate_work(rl_updated *u) {
    const int k = rl_smaller(u->features, u->max_train), ld = u->ld, query = -1;
    const double order = k, blocks = 64.0 * (u->features + u->max_train + RL_N_TARGETS + 66);
    double asked = 0;
    int info;
    dgesdd_("S", &k, &k, NULL, &ld, NULL, NULL, &ld, NULL, &ld, &asked, &query, NULL, &info, 1);
    /* Its documented minimum of smaller orders, with room for blocks; blocks of 64 of the other factorizations. */
    const double most = fmax(fmax(asked, 4 * order * order + 71 * order), 64 * (blocks / 64 + 66));
    if (most > INT32_MAX)
        return rl_fail(RL_ERR_INPUT,
                       "LAPACK dgesdd needs a work array of %.0f doubles for order %d: more than its limit, 2^31 - 1",
                       most, k);
    u->n_work = (int)most;
    return RL_ALLOC(u->work, u->n_work);
}

rl_status rl_updated_create(rl_updated **updated, int n_features, int n_sizes, const int *n_train) {
    rl_updated *u = NULL;
    assert(n_features >= 1 && n_sizes >= 1 && n_train[0] >= 1);
    RL_TRY(RL_ALLOC(u, 1));
    *updated = u;
    const int max_train = n_train[n_sizes - 1];
    /* columns that lie a multiple of the page size apart share few places of the cache */
    const int ld = n_features % 64 == 0 ? n_features + 8 : n_features;
    *u = (rl_updated){.features = n_features,
                      .n_sizes = n_sizes,
                      .max_train = max_train,
                      .n_train = n_train,
                      .wide_rows = rl_smaller(max_train, n_features),
                      .ld = ld,
                      .size = -1};
    RL_TRY(RL_ALLOC(u->anew, n_sizes));
    schedule(u);
    RL_TRY(allocate_curve(u));
    RL_TRY(allocate_size(u));
    return allocate_work(u);
}

void rl_updated_destroy(rl_updated *u) {
    if (u == NULL) return;
    double *const arrays[] = {u->work,
                              u->lq,
                              u->tau,
                              u->rows,
                              u->one,
                              u->lost,
                              u->beta_star,
                              u->b_outside_sq,
                              u->test_bias,
                              u->test_bias_mse,
                              u->population_target,
                              u->v,
                              u->spare,
                              u->vectors,
                              u->product,
                              u->sigma,
                              u->row,
                              u->poles,
                              u->z,
                              u->above,
                              u->room,
                              u->b_star,
                              u->last,
                              u->qr,
                              u->qr_tau,
                              u->turn,
                              u->square,
                              u->square_low,
                              u->start,
                              u->start_low,
                              u->left_length,
                              u->right_length,
                              u->left,
                              u->right,
                              u->right_next};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
    for (int t = 0; t < RL_N_TARGETS; t++) {
        rl_free(u->target[t]);
        rl_free(u->c[t]);
        rl_free(u->moved[t]);
        rl_free(u->merged[t]);
    }
    rl_free(u->anew);
    rl_free(u->kept);
    rl_free(u->is_kept);
    rl_free(u->iwork);
    rl_secular_destroy(&u->secular);
    rl_free(u);
}

size_t rl_updated_bytes(int n_features, int max_train) {
    const size_t p = (size_t)n_features, n = (size_t)max_train, k = n < p ? n : p;
    const size_t squares = 5 * p * (p + 8) + 4 * k * k + p * k;
    const size_t rows = (n + 3 * p + 2) * p, qr = n > p ? n * (p + RL_N_TARGETS) : 0;
    return (squares + rows + qr + 8 * (n + p) + 64 * (n + p + 66) + 80 * p) * sizeof(double);
}

/* ---- a curve ----------------------------------------------------------------------------------------------------- */

rl_status rl_updated_check(const char *routine, int info) {
    if (info >= 0) return RL_OK;
    return rl_fail(RL_ERR_LIBRARY, "LAPACK %s: argument %d is wrong", routine, -info);
}

/* All of `rows`, before the coordinates are turned. */
static void fill_rows(rl_updated *u, const rl_test_factor *test) {
    const size_t p = (size_t)u->features, n = (size_t)u->max_train, order = (size_t)test->order, ld = (size_t)u->n_rows;
    const double *const scale = u->given->scale;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) u->rows[j * ld + i] = u->given->x[i * p + j];
    for (size_t j = 0; j < p; j++) {
        double *const others = u->rows + j * ld + n;
        memcpy(others, test->r + (j + 1) * order, sizeof(double) * order);
        memset(others + order, 0, sizeof(double) * (ld - n - order));
        others[order + j] = 1;
        if (scale == NULL) continue;
        others[order + p + j] = scale[j];
        u->population_target[j] = scale[j] * u->given->beta_star[j];
    }
}

static void fill_targets(rl_updated *u, const rl_test_factor *test) {
    const int all = u->max_train + test->order, one = 1;
    const double unit = 1, zero = 0, *const r_y = test->r + (size_t)(test->order - 1) * (size_t)test->order;
    dgemv_("N", &all, &u->features, &unit, u->rows, &u->n_rows, u->given->beta_star, &one, &zero,
           u->target[RL_TARGET_IDEAL], &one, 1);
    for (int i = 0; i < all; i++) {
        const double y = i < u->max_train ? u->given->y[i] : r_y[i - u->max_train];
        u->target[RL_TARGET_Y][i] = y;
        u->target[RL_TARGET_RESIDUAL][i] = y - u->target[RL_TARGET_IDEAL][i];
        u->one[i] = i < u->max_train ? 1 : test->r[i - u->max_train];
    }
}

/* X = L Q by the QR of X^T, which row-major storage is; everything in the coordinates Q. */
static rl_status turn(rl_updated *u) {
    const int p = u->features, k = u->wide_rows, one = 1;
    const size_t ld = (size_t)u->n_rows;
    int info;
    memcpy(u->lq, u->given->x, sizeof(double) * (size_t)p * (size_t)k);
    memcpy(u->beta_star, u->given->beta_star, sizeof(double) * (size_t)p);
    dgeqrf_(&p, &k, u->lq, &p, u->tau, u->work, &u->n_work, &info);
    RL_TRY(rl_updated_check("dgeqrf", info));
    dormqr_("L", "T", &p, &one, &k, u->lq, &p, u->tau, u->beta_star, &p, u->work, &u->n_work, &info, 1, 1);
    RL_TRY(rl_updated_check("dormqr", info));
    dormqr_("R", "N", &u->n_rows, &p, &k, u->lq, &p, u->tau, u->rows, &u->n_rows, u->work, &u->n_work, &info, 1, 1);
    RL_TRY(rl_updated_check("dormqr", info));
    for (int j = 0; j < p; j++) /* the first rows are L, to the last bit */
        for (int i = 0; i < k; i++)
            u->rows[(size_t)j * ld + (size_t)i] = j <= i ? u->lq[(size_t)i * (size_t)p + (size_t)j] : 0;
    return RL_OK;
}

/* What size i cannot see of beta*, its coordinates from n_train on, and what that does to the test rows. */
static void note_lost(rl_updated *u, int i, int order) {
    const int n = u->n_train[i];
    const double n_test = u->n_test + u->max_train - n;
    double sum = 0, squares = 0;
    for (int row = n; row < u->max_train + order; row++) {
        sum += u->one[row] * u->lost[row];
        squares += u->lost[row] * u->lost[row];
    }
    for (int j = n; j < u->features; j++) u->b_outside_sq[i] += u->beta_star[j] * u->beta_star[j];
    u->test_bias[i] = -sum / n_test;
    u->test_bias_mse[i] = squares / n_test;
}

/* From the largest size down, so that it only grows. */
static void find_lost(rl_updated *u, int order) {
    const int all = u->max_train + order, one = 1;
    int seen = u->features;
    for (int i = 0; i < all; i++) u->lost[i] = 0;
    for (int i = u->n_sizes - 1; i >= 0; i--) {
        u->b_outside_sq[i] = u->test_bias[i] = u->test_bias_mse[i] = 0;
        if (u->n_train[i] >= u->features) continue;
        for (; seen > u->n_train[i]; seen--)
            daxpy_(&all, &u->beta_star[seen - 1], u->rows + (size_t)(seen - 1) * (size_t)u->n_rows, &one, u->lost,
                   &one);
        note_lost(u, i, order);
    }
}

static bool all_finite(const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i])) return false;
    return true;
}

rl_status rl_updated_begin(rl_updated *u, const rl_training_set *rows, const rl_test_factor *test) {
    assert(rows->n_train == u->max_train && rows->n_features == u->features);
    assert(test->n_features == u->features && test->n_rows >= 1);
    assert(all_finite(rows->x, (size_t)rows->n_train * (size_t)rows->n_features));
    assert(all_finite(rows->y, (size_t)rows->n_train));
    u->given = rows;
    u->n_test = test->n_rows;
    u->n_rows = u->max_train + test->order + (rows->scale == NULL ? 1 : 2) * u->features;
    u->size = -1;
    fill_rows(u, test);
    fill_targets(u, test);
    RL_TRY(turn(u));
    find_lost(u, test->order);
    return RL_OK;
}

rl_status rl_updated_advance(rl_updated *u, int i) {
    assert(u->anew[i] || i == u->size + 1);
    u->size = i;
    if (u->anew[i]) return rl_updated_decompose(u, u->n_train[i]);
    while (u->n < u->n_train[i]) rl_updated_append(u);
    return RL_OK;
}

/* ---- what a size comes to ---------------------------------------------------------------------------------------- */

/* The sign convention of spectrum.h for the last mode. It changes no other bit of the sizes that follow. */
static void fix_last_sign(rl_updated *u) {
    const int p = u->features, one = 1, r = u->n_modes - 1;
    const double unit = 1, zero = 0, *const identity = u->rows + u->max_train + p + 2;
    double *const column = (u->n_pending > 0 ? u->turn : u->v) + (size_t)r * (size_t)u->ld, *const last = u->last,
                  largest = 0;
    for (int j = 0; j < r; j++) u->above[j] = 0;
    u->above[r] = 1;
    rl_updated_to_basis(u, 1, u->above, u->room, u->row);
    dgemv_("N", &p, &u->n_modes, &unit, identity, &u->n_rows, u->row, &one, &zero, last, &one, 1);
    for (int j = 0; j < p; j++)
        if (fabs(last[j]) > fabs(largest)) largest = last[j];
    if (largest >= 0) return;
    for (int j = 0; j < u->n_modes; j++) column[j] = -column[j];
    for (int l = 0; l < u->n_pending; l++) u->right[r * RL_MOST_PENDING + l] = -u->right[r * RL_MOST_PENDING + l];
    for (int t = 0; t < RL_N_TARGETS; t++) u->c[t][r] = -u->c[t][r];
}

static bool is_sound(const rl_updated *u) {
    const double largest = u->sigma[0], smallest = u->sigma[u->n_modes - 1];
    return !u->broken && largest < largest_sigma && largest > least_sigma &&
           smallest > doubt * rl_larger(u->n, u->features) * DBL_EPSILON * largest;
}

static void point_at_rows(const rl_updated *u, rl_spectrum *s) {
    const size_t first = (size_t)u->n, population = (size_t)(u->max_train + 2 * u->features + 2);
    s->m = u->max_train - u->n + u->features + 2;
    for (int t = 0; t < RL_N_TARGETS; t++) s->z_target[t] = u->target[t] + first;
    s->z_one = u->one + first;
    s->to_basis = rl_updated_to_basis;
    s->maker = u;
    s->basis_z = u->rows + first;
    s->ld_basis_z = u->n_rows;
    if (u->given->scale == NULL) return;
    s->n_population = u->features;
    s->basis_population = u->rows + population;
    s->population_target = u->population_target;
}

bool rl_updated_spectrum(rl_updated *u, rl_spectrum *s) {
    const int k = u->n_modes, i = u->size;
    if (!is_sound(u)) return false;
    fix_last_sign(u);
    *s = (rl_spectrum){.n_train = u->n,
                       .n_features = u->features,
                       .n_test = u->n_test + u->max_train - u->n,
                       .n_modes = k,
                       .rank = k,
                       .sigma = u->sigma,
                       .b_star = u->b_star,
                       .b_outside_sq = u->b_outside_sq[i],
                       .test_bias = u->test_bias[i],
                       .test_bias_mse = u->test_bias_mse[i]};
    rl_updated_to_modes(u, u->beta_star, u->room, u->b_star);
    for (int t = 0; t < RL_N_TARGETS; t++) {
        s->c[t] = u->c[t];
        s->outside_sq[t] = u->outside_sq[t];
    }
    point_at_rows(u, s);
    return true;
}
