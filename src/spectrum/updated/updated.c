/* Updated spectra: buffers, coordinates, what is lost of beta*, and what an N comes to. */
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "../../vectors.h"
#include "../judgement.h"
#include "private.h"

/* ---- which N start anew -------------------------------------------------------------------------------------- */

/* A decomposition takes at least as long as a dozen updates, and rounding grows slowly: after 1000, vectors are
 * orthogonal and errors right to well within a hundred units of the last place (times the condition). */
enum { MOST_ROWS = 12, MOST_UPDATES = 512 };

bool rl_updated_anew(int rows, int *since) {
    const bool anew = rows > MOST_ROWS || rows > MOST_UPDATES - *since;
    *since = anew ? 0 : *since + rows;
    return anew;
}

static void schedule_decompositions(rl_updated *u) {
    for (int i = 0, since = 0; i < u->n_n_train; i++)
        u->anew[i] = rl_updated_anew(i == 0 ? INT_MAX : u->n_train[i] - u->n_train[i - 1], &since);
}

bool rl_updated_is_anew(const rl_updated *u, int i) {
    return u->anew[i];
}

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

static void list_curve_arrays(rl_arena *arena, rl_updated *u) {
    const size_t p = (size_t)u->features, n_n_train = (size_t)u->n_n_train, all = (size_t)u->max_train + p + 2;
    RL_TAKE(arena, u->anew, n_n_train);
    RL_TAKE(arena, u->lq, p * (size_t)u->wide_rows);
    RL_TAKE(arena, u->tau, u->wide_rows);
    RL_TAKE(arena, u->rows, (all + 2 * p) * p);
    for (int t = 0; t < RL_N_TARGETS; t++) RL_TAKE(arena, u->target[t], all);
    RL_TAKE_REALS(arena, all, &u->one, &u->lost);
    RL_TAKE_REALS(arena, p, &u->beta_star, &u->population_target);
    RL_TAKE_REALS(arena, n_n_train, &u->b_outside_sq, &u->test_bias, &u->test_bias_mse);
}

static void list_n_arrays(rl_arena *arena, rl_updated *u) {
    const size_t p = (size_t)u->features, square = p * (size_t)u->ld, more = p + 1, columns = p + RL_N_TARGETS;
    RL_TAKE_REALS(arena, square, &u->v, &u->rotation, &u->spare, &u->vectors, &u->product);
    RL_TAKE_REALS(arena, more, &u->sigma, &u->row, &u->poles, &u->z, &u->above, &u->room, &u->b_star, &u->last,
                  &u->square, &u->square_low, &u->start, &u->start_low, &u->left_length, &u->right_length);
    for (int t = 0; t < RL_N_TARGETS; t++) RL_TAKE_REALS(arena, more, &u->c[t], &u->moved[t], &u->merged[t]);
    RL_TAKE(arena, u->left, RL_MOST_PENDING * (size_t)(u->ld + 1));
    RL_TAKE_REALS(arena, RL_MOST_PENDING * more, &u->right, &u->right_next);
    RL_TAKE(arena, u->kept, more);
    RL_TAKE(arena, u->is_kept, more);
    if (u->max_train > u->features) RL_TAKE(arena, u->qr, (size_t)u->max_train * columns);
    RL_TAKE(arena, u->qr_tau, columns);
    RL_TAKE(arena, u->iwork, 8 * p);
    RL_TAKE(arena, u->work, u->n_work);
    rl_secular_list_arrays(arena, &u->secular);
}

static void list_updated_arrays(rl_arena *arena, void *object) {
    list_curve_arrays(arena, object);
    list_n_arrays(arena, object);
}

/* Doubles of `work`: the largest of what dgesdd asks for, of its documented minimum for smaller orders with room for
 * blocks, and of blocks of 64 for the other factorizations. */
static double wanted_work(const rl_updated *u) {
    const int k = rl_smaller(u->features, u->max_train), query = -1;
    const double order = k, blocks = (double)u->features + u->max_train + RL_N_TARGETS + 66;
    double asked = 0;
    int info;
    dgesdd_("S", &k, &k, NULL, &u->ld, NULL, NULL, &u->ld, NULL, &u->ld, &asked, &query, NULL, &info, 1);
    return fmax(fmax(asked, 4 * order * order + 71 * order), 64 * (blocks + 66));
}

static rl_updated sizes_of_updated(int n_features, int n_n_train, const int *n_train) {
    const int max_train = n_train[n_n_train - 1];
    rl_updated u = {.features = n_features,
                    .n_n_train = n_n_train,
                    .max_train = max_train,
                    .n_train = n_train,
                    .wide_rows = rl_smaller(max_train, n_features),
                    /* columns that lie a multiple of the page size apart share few places of the cache */
                    .ld = n_features % 64 == 0 ? n_features + 8 : n_features,
                    .secular = rl_secular_sizes(n_features + 1, 0),
                    .n_index = -1};
    u.n_work = (size_t)wanted_work(&u);
    return u;
}

rl_status rl_updated_create(rl_updated **updated, int n_features, int n_n_train, const int *n_train) {
    assert(n_features >= 1 && n_n_train >= 1 && n_train[0] >= 1);
    rl_updated sizes = sizes_of_updated(n_features, n_n_train, n_train), *u = NULL;
    if (sizes.n_work > INT32_MAX)
        return rl_fail(RL_ERR_INPUT,
                       "LAPACK dgesdd needs a work array of %zu doubles for order %d: more than its limit, 2^31 - 1",
                       sizes.n_work, sizes.wide_rows);
    sizes.lwork = (int)sizes.n_work;
    RL_TRY(RL_OBJECT_CREATE(&u, &sizes, list_updated_arrays));
    schedule_decompositions(u);
    *updated = u;
    return RL_OK;
}

size_t rl_updated_bytes(int n_features, int n_n_train, const int *n_train) {
    rl_updated sizes = sizes_of_updated(n_features, n_n_train, n_train);
    return RL_OBJECT_BYTES(&sizes, list_updated_arrays);
}

void rl_updated_destroy(rl_updated *updated) {
    rl_free(updated);
}

/* ---- a curve ----------------------------------------------------------------------------------------------------- */

/* All of `rows`, in the coordinates of the features. */
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
    const int all = u->max_train + test->order;
    const double *const r_y = test->r + (size_t)(test->order - 1) * (size_t)test->order;
    rl_gemv('N', all, u->features, 1, u->rows, u->n_rows, u->given->beta_star, 0, u->target[RL_TARGET_IDEAL]);
    for (int i = 0; i < all; i++) {
        const double y = i < u->max_train ? u->given->y[i] : r_y[i - u->max_train];
        u->target[RL_TARGET_Y][i] = y;
        u->target[RL_TARGET_RESIDUAL][i] = y - u->target[RL_TARGET_IDEAL][i];
        u->one[i] = i < u->max_train ? 1 : test->r[i - u->max_train];
    }
}

/* X = L Q by the QR of X^T, which row-major storage is; everything in the coordinates Q. */
static rl_status change_coordinates(rl_updated *u) {
    const int p = u->features, k = u->wide_rows, one = 1;
    const size_t ld = (size_t)u->n_rows;
    int info;
    memcpy(u->lq, u->given->x, sizeof(double) * (size_t)p * (size_t)k);
    memcpy(u->beta_star, u->given->beta_star, sizeof(double) * (size_t)p);
    dgeqrf_(&p, &k, u->lq, &p, u->tau, u->work, &u->lwork, &info);
    RL_TRY(rl_lapack_check("dgeqrf", info));
    dormqr_("L", "T", &p, &one, &k, u->lq, &p, u->tau, u->beta_star, &p, u->work, &u->lwork, &info, 1, 1);
    RL_TRY(rl_lapack_check("dormqr", info));
    dormqr_("R", "N", &u->n_rows, &p, &k, u->lq, &p, u->tau, u->rows, &u->n_rows, u->work, &u->lwork, &info, 1, 1);
    RL_TRY(rl_lapack_check("dormqr", info));
    for (int j = 0; j < p; j++) /* the first rows are L, to the last bit */
        for (int i = 0; i < k; i++)
            u->rows[(size_t)j * ld + (size_t)i] = j <= i ? u->lq[(size_t)i * (size_t)p + (size_t)j] : 0;
    return RL_OK;
}

/* The part of beta* that n_train[i] rows cannot see, its coordinates from n_train on, and its effect on the test rows.
 */
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

/* From the largest N down, so that it only grows. */
static void find_lost(rl_updated *u, int order) {
    const int all = u->max_train + order;
    int seen = u->features;
    for (int i = 0; i < all; i++) u->lost[i] = 0;
    for (int i = u->n_n_train - 1; i >= 0; i--) {
        u->b_outside_sq[i] = u->test_bias[i] = u->test_bias_mse[i] = 0;
        if (u->n_train[i] >= u->features) continue;
        for (; seen > u->n_train[i]; seen--)
            rl_add(all, u->beta_star[seen - 1], u->rows + (size_t)(seen - 1) * (size_t)u->n_rows, u->lost);
        note_lost(u, i, order);
    }
}

rl_status rl_updated_begin(rl_updated *u, const rl_training_set *rows, const rl_test_factor *test) {
    assert(rows->n_train == u->max_train && rows->n_features == u->features);
    assert(test->n_features == u->features && test->n_rows >= 1);
    assert(rl_all_finite(rows->x, (size_t)rows->n_train * (size_t)rows->n_features));
    assert(rl_all_finite(rows->y, (size_t)rows->n_train));
    u->given = rows;
    u->n_test = test->n_rows;
    u->n_rows = u->max_train + test->order + (rows->scale == NULL ? 1 : 2) * u->features;
    u->n_index = -1;
    fill_rows(u, test);
    fill_targets(u, test);
    RL_TRY(change_coordinates(u));
    find_lost(u, test->order);
    return RL_OK;
}

rl_status rl_updated_advance(rl_updated *u, int i) {
    assert(u->anew[i] || i == u->n_index + 1);
    u->n_index = i;
    if (u->anew[i]) return rl_updated_decompose(u, u->n_train[i]);
    while (u->n < u->n_train[i]) rl_updated_append(u);
    return RL_OK;
}

/* ---- what an N comes to ---------------------------------------------------------------------------------------- */

/* The sign convention of spectrum.h for the last mode. It changes no other bit of the N that follow. */
static void fix_last_sign(rl_updated *u) {
    const int p = u->features, r = u->n_modes - 1;
    const double *const identity = u->rows + u->max_train + p + 2;
    double *const column = (u->n_pending > 0 ? u->rotation : u->v) + (size_t)r * (size_t)u->ld, *const last = u->last,
                  largest = 0;
    for (int j = 0; j < r; j++) u->above[j] = 0;
    u->above[r] = 1;
    rl_updated_to_basis(u, 1, u->above, u->room, u->row);
    rl_gemv('N', p, u->n_modes, 1, identity, u->n_rows, u->row, 0, last);
    for (int j = 0; j < p; j++)
        if (fabs(last[j]) > fabs(largest)) largest = last[j];
    if (largest >= 0) return;
    for (int j = 0; j < u->n_modes; j++) column[j] = -column[j];
    for (int l = 0; l < u->n_pending; l++) u->right[r * RL_MOST_PENDING + l] = -u->right[r * RL_MOST_PENDING + l];
    for (int t = 0; t < RL_N_TARGETS; t++) u->c[t][r] = -u->c[t][r];
}

static void point_at_rows(const rl_updated *u, rl_spectrum *s) {
    const size_t first = (size_t)u->n, population = (size_t)(u->max_train + 2 * u->features + 2);
    s->m = u->max_train - u->n + u->features + 2;
    for (int t = 0; t < RL_N_TARGETS; t++) s->z_target[t] = u->target[t] + first;
    s->z_one = u->one + first;
    s->to_basis = rl_updated_to_basis;
    s->maker = u;
    s->z = u->rows + first;
    s->ldz = s->ld_population = u->n_rows;
    if (u->given->scale == NULL) return;
    s->n_population = u->features;
    s->population_z = u->rows + population;
    s->population_target = u->population_target;
}

bool rl_updated_spectrum(rl_updated *u, rl_spectrum *s) {
    const int k = u->n_modes, i = u->n_index;
    if (u->broken || !rl_sigma_is_sound(u->n, u->features, u->sigma[k - 1], u->sigma[0])) return false;
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
