/* Curves side by side, as seen from one lane: buffers, rows on their way in, and the point that is handed out. */
#include "ridgeless/bulk.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "../../registers.h"
#include "../judgement.h"
#include "kernel.h"
#include "ridgeless/arena.h"

/* The product of 1 - (eigenvalues of the training rows' leverage): no error grows by more than its inverse. */
static const double enough_remaining = 0x1p-8;

struct rl_bulk {
    rl_bulk_design design;
    const rl_bulk_kernel *kernel;
    int features, order, width, max_train, most_rows, lanes;
    size_t packed; /* numbers of a triangle, of one lane */
    double *scale; /* [features]; NULL: no population */
    /* lanes side by side */
    double *incoming;  /* [max_train, width]: features, and targets */
    double *triangles; /* [n_n_train, packed]: of the test rows; the last one first has the test rows of max_train */
    double *row;       /* [order]: on its way into a triangle */
    double *rows;      /* [most_rows, width]: what is orthogonal, and what has come in */
    double *norms;     /* [most_rows] */
    double *outside;   /* [RL_N_TARGETS] */
    double *settled, *remaining;
    rl_bulk_step step;                          /* of the N evaluated last; its arrays are owned */
    int n_test;                                 /* of max_train */
    int n_index, n_taken, n_rows, n_orthogonal; /* rows: taken in, there, and of those the first ones settled */
    bool broken[RL_BULK_LANES]; /* rotations did not come to an end, so that what follows means nothing */
    /* one lane's, handed out */
    double *sigma, *c, *b_star, *vt, *z, *z_target, *z_one, *population_z, *population_target, *rms, *sums;
    rl_spectrum spectrum;
    rl_leading_fits fits;
};

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

/* Arrays that hold all lanes side by side. */
static void list_lane_arrays(rl_arena *arena, rl_bulk *b) {
    const size_t lanes = (size_t)b->lanes, rows = (size_t)b->most_rows, width = (size_t)b->width;
    RL_TAKE(arena, b->incoming, (size_t)b->max_train * width * lanes);
    RL_TAKE(arena, b->triangles, (size_t)b->design.n_n_train * b->packed * lanes);
    RL_TAKE(arena, b->row, (size_t)b->order * lanes);
    RL_TAKE(arena, b->rows, rows * width * lanes);
    RL_TAKE(arena, b->norms, rows * lanes);
    RL_TAKE(arena, b->outside, RL_N_TARGETS * lanes);
    RL_TAKE_REALS(arena, lanes, &b->settled, &b->remaining);
}

static void list_step_arrays(rl_arena *arena, rl_bulk *b) {
    const size_t lanes = (size_t)b->lanes, modes = (size_t)b->features, order = (size_t)b->order;
    rl_bulk_step *const s = &b->step;
    for (int t = 0; t < RL_N_FITTED_TARGETS; t++) {
        RL_TAKE(arena, s->test_sq[t], (modes + 1) * lanes);
        if (b->design.has_population) RL_TAKE(arena, s->population_sq[t], (modes + 1) * lanes);
    }
    RL_TAKE_REALS(arena, modes * lanes, &s->sigma, &s->b_star, &s->z_sq);
    if (b->design.wants_spectra) RL_TAKE(arena, s->z, modes * order * lanes);
    RL_TAKE(arena, s->lost, 3 * lanes);
}

/* Arrays of one lane, as it is handed out. */
static void list_point_arrays(rl_arena *arena, rl_bulk *b) {
    const size_t modes = (size_t)b->features, order = (size_t)b->order;
    RL_TAKE_REALS(arena, modes, &b->sigma, &b->rms);
    RL_TAKE(arena, b->c, modes * RL_N_TARGETS);
    RL_TAKE(arena, b->sums, 3 * RL_N_FITTED_TARGETS * (modes + 1));
    if (!b->design.wants_spectra) return;
    RL_TAKE_REALS(arena, modes, &b->b_star, &b->population_target);
    RL_TAKE_REALS(arena, modes * modes, &b->vt, &b->population_z);
    RL_TAKE(arena, b->z, order * modes);
    RL_TAKE(arena, b->z_target, order * RL_N_TARGETS);
    RL_TAKE(arena, b->z_one, order);
}

static void list_bulk_arrays(rl_arena *arena, void *object) {
    rl_bulk *const b = object;
    if (b->design.has_population) RL_TAKE(arena, b->scale, b->features);
    list_lane_arrays(arena, b);
    list_step_arrays(arena, b);
    list_point_arrays(arena, b);
}

static rl_bulk sizes_of_bulk(const rl_bulk_design *design, int lanes) {
    const int features = design->n_features, order = features + 2;
    return (rl_bulk){.design = *design,
                     .lanes = lanes,
                     .features = features,
                     .order = order,
                     .width = features + RL_N_TARGETS,
                     .max_train = design->n_train[design->n_n_train - 1],
                     .most_rows = 2 * features,
                     .packed = (size_t)order * ((size_t)order + 1) / 2};
}

rl_status rl_bulk_create(rl_bulk **bulk, const rl_bulk_design *design) {
    assert(design->n_features >= 1 && design->n_features <= RL_BULK_FEATURES);
    assert(design->n_n_train >= 1 && design->n_train[0] >= 1);
    rl_bulk sizes = sizes_of_bulk(design, rl_fused_lanes(design->max_lanes)), *b = NULL;
    sizes.kernel = RL_KERNEL_FOR(rl_bulk_kernel, sizes.lanes);
    RL_TRY(RL_OBJECT_CREATE(&b, &sizes, list_bulk_arrays));
    for (int j = 0; b->scale != NULL && j < b->features; j++)
        b->scale[j] = design->scale != NULL ? design->scale[j] : 1;
    *bulk = b;
    return RL_OK;
}

size_t rl_bulk_bytes(const rl_bulk_design *design) {
    rl_bulk sizes = sizes_of_bulk(design, rl_fused_lanes(design->max_lanes));
    return RL_OBJECT_BYTES(&sizes, list_bulk_arrays);
}

void rl_bulk_destroy(rl_bulk *bulk) {
    rl_free(bulk);
}

int rl_bulk_lanes(const rl_bulk *b) {
    return b->lanes;
}

/* ---- rows come in ------------------------------------------------------------------------------------------------ */

void rl_bulk_set_rows(rl_bulk *b, int lane, const double *x, const double *y) {
    const size_t lanes = (size_t)b->lanes;
    assert(lane >= 0 && lane < b->lanes);
    for (int i = 0; i < b->max_train; i++) {
        const double *const row = x + (size_t)i * (size_t)b->features;
        double *const to = b->incoming + (size_t)i * (size_t)b->width * lanes + lane;
        double ideal = 0;
        for (int j = 0; j < b->features; j++) {
            assert(isfinite(row[j]));
            to[(size_t)j * lanes] = row[j];
            ideal += row[j] * b->design.beta_star[j];
        }
        assert(isfinite(y[i]));
        to[(size_t)(b->features + RL_TARGET_Y) * lanes] = y[i];
        to[(size_t)(b->features + RL_TARGET_IDEAL) * lanes] = ideal;
        to[(size_t)(b->features + RL_TARGET_RESIDUAL) * lanes] = y[i] - ideal;
    }
}

static double *triangle_of(const rl_bulk *b, int n_index) {
    return b->triangles + (size_t)n_index * b->packed * (size_t)b->lanes;
}

void rl_bulk_set_test(rl_bulk *b, int lane, const rl_test_factor *test) {
    const size_t lanes = (size_t)b->lanes, order = (size_t)b->order;
    double *const to = triangle_of(b, b->design.n_n_train - 1) + lane;
    assert(lane >= 0 && lane < b->lanes && test->n_features == b->features);
    b->n_test = test->n_rows;
    for (size_t i = 0; i < order; i++)
        for (size_t j = i; j < order; j++) to[(rl_bulk_row(b->order, (int)i) + j) * lanes] = test->r[i + j * order];
}

/* [1 x y] of training row i, in the order of the test factor. */
static void copy_row(rl_bulk *b, int i) {
    const size_t lanes = (size_t)b->lanes, features = (size_t)b->features;
    const double *const from = b->incoming + (size_t)i * (size_t)b->width * lanes;
    for (size_t l = 0; l < lanes; l++) b->row[l] = 1;
    memcpy(b->row + lanes, from, sizeof(double) * features * lanes);
    memcpy(b->row + (features + 1) * lanes, from + (features + RL_TARGET_Y) * lanes, sizeof(double) * lanes);
}

/* Lanes from n_lanes on do what the first one does. */
static void fill_idle_lanes(rl_bulk *b, int n_lanes, double *array, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (int l = n_lanes; l < b->lanes; l++) array[i * (size_t)b->lanes + (size_t)l] = array[i * (size_t)b->lanes];
}

void rl_bulk_take_out(rl_bulk *b, int n_lanes, const rl_test_factor *all_rows, bool *enough) {
    double *const last = triangle_of(b, b->design.n_n_train - 1);
    fill_idle_lanes(b, n_lanes, b->incoming, (size_t)b->max_train * (size_t)b->width);
    for (int l = 0; l < b->lanes; l++) {
        rl_bulk_set_test(b, l, all_rows);
        b->remaining[l] = 1;
    }
    for (int i = 0; i < b->max_train; i++) {
        copy_row(b, i);
        b->kernel->remove(b->order, last, b->row, b->remaining);
    }
    b->n_test = all_rows->n_rows - b->max_train;
    for (int l = 0; l < n_lanes; l++) enough[l] = b->remaining[l] >= enough_remaining;
}

/* ---- curves ------------------------------------------------------------------------------------------------------ */

void rl_bulk_begin(rl_bulk *b, int n_lanes) {
    const size_t bytes = sizeof(double) * b->packed * (size_t)b->lanes;
    assert(n_lanes >= 1 && n_lanes <= b->lanes && b->n_test >= 1);
    fill_idle_lanes(b, n_lanes, b->incoming, (size_t)b->max_train * (size_t)b->width);
    fill_idle_lanes(b, n_lanes, triangle_of(b, b->design.n_n_train - 1), b->packed);
    for (int i = b->design.n_n_train - 1; i > 0; i--) {
        memcpy(triangle_of(b, i - 1), triangle_of(b, i), bytes);
        for (int row = b->design.n_train[i] - 1; row >= b->design.n_train[i - 1]; row--) {
            copy_row(b, row);
            b->kernel->append(b->order, triangle_of(b, i - 1), b->row);
        }
    }
    memset(b->outside, 0, sizeof(double) * RL_N_TARGETS * (size_t)b->lanes);
    memset(b->broken, 0, sizeof b->broken);
    b->n_index = -1;
    b->n_taken = b->n_rows = b->n_orthogonal = 0;
}

/* Rows beyond the features' number hold nothing but targets now. */
static void drop_rows(rl_bulk *b) {
    const size_t lanes = (size_t)b->lanes;
    for (; b->n_rows > b->features; b->n_rows--) {
        const size_t last = (size_t)b->n_rows - 1;
        const double *const targets = b->rows + (last * (size_t)b->width + (size_t)b->features) * lanes;
        for (size_t i = 0; i < RL_N_TARGETS * lanes; i++) b->outside[i] += targets[i] * targets[i];
        for (size_t l = 0; l < lanes; l++)
            if (!(b->norms[last * lanes + l] <= 0x1p-100 * b->norms[l])) b->broken[l] = true;
    }
}

static void orthogonalize_rows(rl_bulk *b) {
    b->kernel->orthogonalize(b->n_rows, b->n_orthogonal, b->features, b->rows, b->norms, b->settled);
    for (int l = 0; l < b->lanes; l++) b->broken[l] |= b->settled[l] == 0;
    drop_rows(b);
    b->n_orthogonal = b->n_rows;
}

void rl_bulk_advance(rl_bulk *b, int i, bool evaluate) {
    const size_t row = (size_t)b->width * (size_t)b->lanes;
    assert(i == b->n_index + 1 && i < b->design.n_n_train);
    for (b->n_index = i; b->n_taken < b->design.n_train[i];) {
        memcpy(b->rows + (size_t)b->n_rows++ * row, b->incoming + (size_t)b->n_taken++ * row, sizeof(double) * row);
        if (b->n_rows == b->most_rows && b->n_taken < b->design.n_train[i]) orthogonalize_rows(b);
    }
    orthogonalize_rows(b);
    if (!evaluate) return;
    b->step.n_modes = b->n_rows;
    b->step.features = b->features;
    b->step.rows = b->rows;
    b->step.norms = b->norms;
    b->step.triangle = triangle_of(b, i);
    b->step.beta_star = b->design.beta_star;
    b->step.scale = b->scale;
    b->kernel->evaluate(&b->step);
}

/* ---- one lane ---------------------------------------------------------------------------------------------------- */

static void take_lane(const rl_bulk *b, int lane, const double *from, int n, double *to) {
    for (int i = 0; i < n; i++) to[i] = from[(size_t)i * (size_t)b->lanes + (size_t)lane];
}

static double *row_of(const rl_bulk *b, int lane, int mode) {
    return b->rows + (size_t)mode * (size_t)b->width * (size_t)b->lanes + lane;
}

/* -1 where the largest component of v_r is negative. */
static double sign_of(const rl_bulk *b, int lane, int mode) {
    const double *const row = row_of(b, lane, mode);
    double largest = 0;
    for (size_t j = 0; j < (size_t)b->features; j++)
        if (fabs(row[j * (size_t)b->lanes]) > fabs(largest)) largest = row[j * (size_t)b->lanes];
    return largest < 0 ? -1 : 1;
}

static void get_spectrum(const rl_bulk *b, int lane, rl_spectrum *s) {
    const bool signs = b->design.wants_modes || b->design.wants_spectra;
    const double n_test = s->n_test, *const lost = b->step.lost + lane;
    for (int t = 0; t < RL_N_TARGETS; t++) {
        s->c[t] = b->c + (size_t)t * (size_t)b->features;
        s->outside_sq[t] = b->outside[(size_t)t * (size_t)b->lanes + (size_t)lane];
    }
    for (int r = 0; r < s->n_modes; r++) {
        const double *const targets = row_of(b, lane, r) + (size_t)b->features * (size_t)b->lanes;
        const double sign = signs ? sign_of(b, lane, r) : 1;
        for (int t = 0; t < RL_N_TARGETS; t++) s->c[t][r] = sign * targets[(size_t)t * (size_t)b->lanes] + 0.0;
    }
    if (s->n_modes == b->features) return;
    s->b_outside_sq = lost[0];
    s->test_bias_mse = lost[b->lanes] / n_test;
    /* 1^T X d = r_00 (R d)_0: the ones are the factor's first column */
    s->test_bias = lost[2 * b->lanes] * b->step.triangle[lane] / n_test;
}

/* The rest of a spectrum: directions, test rows and population in their coordinates. */
static void get_rows(rl_bulk *b, int lane, rl_spectrum *s) {
    const size_t lanes = (size_t)b->lanes, modes = (size_t)s->n_modes, features = (size_t)b->features,
                 order = (size_t)b->order;
    take_lane(b, lane, b->step.b_star, s->n_modes, b->b_star);
    take_lane(b, lane, b->step.z, s->n_modes * b->order, b->z);
    for (size_t r = 0; r < modes; r++) {
        const double sign = sign_of(b, lane, (int)r), *const row = row_of(b, lane, (int)r);
        b->b_star[r] *= sign;
        for (size_t i = 0; i < order; i++) b->z[r * order + i] *= sign;
        for (size_t j = 0; j < features; j++) {
            b->vt[j * modes + r] = sign * row[j * lanes] / s->sigma[r];
            if (b->design.scale != NULL) b->population_z[r * features + j] = b->scale[j] * b->vt[j * modes + r];
        }
    }
    for (size_t i = 0; i < order; i++) {
        const double *const r = b->step.triangle + rl_bulk_row(b->order, (int)i) * lanes + lane;
        double ideal = 0;
        for (size_t j = i > 1 ? i : 1; j <= features; j++) ideal += r[j * lanes] * b->design.beta_star[j - 1];
        b->z_target[RL_TARGET_Y * order + i] = r[(order - 1) * lanes];
        b->z_target[RL_TARGET_IDEAL * order + i] = ideal;
        b->z_target[RL_TARGET_RESIDUAL * order + i] = r[(order - 1) * lanes] - ideal;
    }
    b->z_one[0] = b->step.triangle[lane];
    for (int t = 0; t < RL_N_TARGETS; t++) s->z_target[t] = b->z_target + (size_t)t * order;
    s->vt = b->vt;
    s->z = b->z;
    s->m = s->ldz = b->order;
    s->z_one = b->z_one;
    s->b_star = b->b_star;
    if (b->design.scale == NULL) return;
    for (size_t j = 0; j < features; j++) b->population_target[j] = b->scale[j] * b->design.beta_star[j];
    s->n_population = s->ld_population = b->features;
    s->population_z = b->population_z;
    s->population_target = b->population_target;
}

static bool get_fits(rl_bulk *b, int lane, const rl_spectrum *s, rl_point *point) {
    const int n = s->n_modes + 1;
    rl_leading_fits *const fits = &b->fits;
    double *next = b->sums, end = 0;
    for (int t = 0; t < RL_N_FITTED_TARGETS; t++) {
        fits->train_sq[t] = next, next += n;
        fits->test_sq[t] = next, next += n;
        fits->population_sq[t] = NULL;
        fits->train_sq[t][s->n_modes] = s->outside_sq[t];
        for (int r = s->n_modes - 1; r >= 0; r--)
            fits->train_sq[t][r] = fits->train_sq[t][r + 1] + s->c[t][r] * s->c[t][r];
        take_lane(b, lane, b->step.test_sq[t], n, fits->test_sq[t]);
        end += fits->train_sq[t][0] + fits->test_sq[t][0] + fits->test_sq[t][s->n_modes];
        point->train_mse[t] = fits->train_sq[t][s->n_modes] / s->n_train;
        point->test_mse[t] = fits->test_sq[t][s->n_modes] / s->n_test;
        if (b->scale == NULL) continue;
        fits->population_sq[t] = next, next += n;
        take_lane(b, lane, b->step.population_sq[t], n, fits->population_sq[t]);
        end += fits->population_sq[t][s->n_modes];
        point->population_sq[t] = fits->population_sq[t][s->n_modes];
    }
    point->fits = fits;
    return isfinite(end);
}

void rl_bulk_get(rl_bulk *b, int lane, rl_point *point) {
    const int n_train = b->design.n_train[b->n_index], modes = b->n_rows;
    rl_spectrum *const s = &b->spectrum;
    assert(lane >= 0 && lane < b->lanes);
    *s = (rl_spectrum){.n_train = n_train,
                       .n_features = b->features,
                       .n_test = b->n_test + b->max_train - n_train,
                       .n_modes = modes,
                       .rank = modes,
                       .sigma = b->sigma};
    *point = (rl_point){.done = false};
    take_lane(b, lane, b->step.sigma, modes, b->sigma);
    if (b->broken[lane] || !rl_sigma_is_sound(n_train, b->features, s->sigma[modes - 1], s->sigma[0])) return;
    get_spectrum(b, lane, s);
    *point = (rl_point){.rank = modes,
                        .sigma_min = s->sigma[modes - 1],
                        .sigma_max = s->sigma[0],
                        .test_bias = s->test_bias,
                        .test_bias_mse = s->test_bias_mse,
                        .spectrum = s};
    point->done = get_fits(b, lane, s, point);
    if (point->done && b->design.wants_spectra) get_rows(b, lane, s);
    if (!b->design.wants_modes) return;
    take_lane(b, lane, b->step.z_sq, modes, b->rms);
    for (int r = 0; r < modes; r++) b->rms[r] = sqrt(b->rms[r] / s->n_test);
    point->test_projection_rms = b->rms;
}
