/* Curves of several repeats side by side in the lanes of vector registers (bulk.h). What must not be done so is left to
 * full spectra, curve by curve. */
#include "ridgeless/bulk.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "../registers.h"
#include "../small.h"
#include "curves.h"

static_assert((int)RL_BULK_FEATURES <= (int)RL_SMALL_FEATURES, "none of what goes side by side goes through BLAS");

typedef struct bulk_state {
    rl_bulk *bulk;
    rl_test_factor all_rows; /* of a data set whose rows are not drawn anew */
    double *x, *y; /* [lanes, max_train, n_features] row-major, [lanes, max_train]: training rows; NULL: not wanted */
} bulk_state;

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

static bool has_filters(const rl_study_dataset *spec) {
    return rl_count_filters(spec) > 0;
}

static void destroy_bulk(void *made) {
    bulk_state *b = made;
    rl_bulk_destroy(b->bulk);
    rl_test_factor_destroy(&b->all_rows);
    rl_free(b->x);
    rl_free(b->y);
    rl_free(b);
}

static rl_bulk_design design_of(const rl_series *series) {
    return (rl_bulk_design){.n_features = series->n_features,
                            .n_n_train = series->n_n_train,
                            .n_train = series->n_train,
                            .beta_star = series->data.beta_star,
                            .has_population = rl_dataset_design_known(&series->data),
                            .scale = rl_dataset_scale(&series->data),
                            .wants_modes = series->spec->keep.modes,
                            .wants_spectra = has_filters(series->spec) || rl_wants_left(series)};
}

static rl_status create_bulk(rl_curves *c) {
    const rl_dataset *data = &c->series->data;
    const rl_bulk_design design = design_of(c->series);
    bulk_state *b;
    RL_TRY(RL_ALLOC(b, 1));
    c->made = b;
    RL_TRY(rl_bulk_create(&b->bulk, &design));
    if (rl_wants_left(c->series)) {
        RL_TRY(RL_ALLOC(b->x, (size_t)RL_BULK_LANES * (size_t)c->max_train * (size_t)data->n_features));
        RL_TRY(RL_ALLOC(b->y, (size_t)RL_BULK_LANES * (size_t)c->max_train));
    }
    if (data->fresh) return RL_OK;
    RL_TRY(rl_test_factor_create(&b->all_rows, data->n_features));
    return rl_test_factor_append(&b->all_rows, data->n_rows, data->x, data->n_features, data->y);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* The longest training set is loaded. */
static void set_rows(rl_curves *c, int lane) {
    const bulk_state *b = c->made;
    const size_t n = (size_t)c->max_train, of_rows = n * (size_t)c->series->n_features, l = (size_t)lane;
    rl_bulk_set_rows(b->bulk, lane, c->train_x, c->train_y);
    if (b->x == NULL) return;
    memcpy(b->x + l * of_rows, c->train_x, of_rows * sizeof *b->x);
    memcpy(b->y + l * n, c->train_y, n * sizeof *b->y);
}

static rl_status load_lane(rl_curves *c, int lane, int repeat) {
    const bulk_state *b = c->made;
    RL_TRY(rl_curves_load_rows(c, repeat, false));
    set_rows(c, lane);
    rl_bulk_set_test(b->bulk, lane, &c->factor);
    return RL_OK;
}

static rl_status load_lanes(rl_curves *c, const rl_task *tasks, int n) {
    const bulk_state *b = c->made;
    bool enough[RL_BULK_LANES] = {false};
    if (!c->series->data.fresh) {
        for (int l = 0; l < n; l++) {
            rl_rows_arrange_first(&c->rows, (uint32_t)tasks[l].repeats.first, c->max_train);
            rl_rows_get(&c->rows, 0, c->max_train, c->train_x, c->series->n_features, c->train_y);
            set_rows(c, l);
        }
        rl_bulk_take_out(b->bulk, n, &b->all_rows, enough);
    }
    for (int l = 0; l < n; l++)
        if (!enough[l]) RL_TRY(load_lane(c, l, tasks[l].repeats.first));
    return RL_OK;
}

/* ---- curves ------------------------------------------------------------------------------------------------------ */

/* A lane's point, with left singular vectors where they are wanted. */
static rl_status record_lane(rl_curves *c, int lane, int i, double *curve) {
    const bulk_state *b = c->made;
    const size_t first = (size_t)lane * (size_t)c->max_train;
    rl_point point;
    rl_bulk_get(b->bulk, lane, &point);
    c->remaining[lane * c->series->n_n_train + i] = !point.done;
    if (!point.done) return RL_OK;
    if (b->x == NULL) return rl_record_point(c, &point, i, curve);
    rl_spectrum s = *point.spectrum;
    const rl_training_set train = {
        .n_train = s.n_train, .n_features = s.n_features, .x = b->x + first * (size_t)s.n_features, .y = b->y + first};
    rl_spectrum_left(&s, &train, c->ut);
    point.spectrum = &s;
    return rl_record_point(c, &point, i, curve);
}

/* One N of all lanes. */
static rl_status record_lanes(rl_curves *c, int n, int i, double *curves) {
    for (int l = 0; l < n; l++) RL_TRY(record_lane(c, l, i, curves + (size_t)l * c->layout.length));
    return RL_OK;
}

static rl_status compute_lanes(rl_curves *c, const rl_task *tasks, int n, const bool *wanted, rl_tick tick,
                               double *curves) {
    const bulk_state *b = c->made;
    int end = c->series->n_n_train;
    while (wanted != NULL && end > 0 && !wanted[end - 1]) end--;
    RL_TRY(load_lanes(c, tasks, n));
    rl_bulk_begin(b->bulk, n);
    for (int i = 0; i < n * c->series->n_n_train; i++) c->remaining[i] = false;
    for (int i = 0; i < end; i++) { /* step by step whatever is wanted: rounding depends on the steps */
        const bool here = rl_is_wanted(wanted, i);
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        rl_bulk_advance(b->bulk, i, here);
        if (here) RL_TRY(record_lanes(c, n, i, curves));
    }
    for (int l = 0; l < n; l++) {
        const bool *remaining = c->remaining + l * c->series->n_n_train;
        RL_TRY(rl_spectra_curve(c, &tasks[l], remaining, tick, curves + (size_t)l * c->layout.length));
    }
    return RL_OK;
}

static rl_status bulk_curves(rl_curves *c, const rl_task *tasks, int n, const bool *wanted, rl_tick tick,
                             double *curves) {
    const bulk_state *b = c->made;
    const int lanes = rl_bulk_lanes(b->bulk);
    for (int first = 0; first < n; first += lanes) {
        const int count = n - first < lanes ? n - first : lanes;
        RL_TRY(compute_lanes(c, tasks + first, count, wanted, tick, curves + (size_t)first * c->layout.length));
    }
    return RL_OK;
}

/* ---- the method -------------------------------------------------------------------------------------------------- */

/* Each time that new rows come in, at least every P rows:
 *
 *   Jacobi on the k rows          about 4 sweeps of k^2 / 2 pairs: 2 P per scalar product, 6 (P + 3) per rotation of
 *                                 every second pair
 *   Z and errors                  (P + 2)^2 per mode
 *   one row into a test factor    3 (P + 2)^2, twice
 *
 * and they go faster than LAPACK's: RL_LANES_SPEED. */
static double lanes_flops(const rl_series *series) {
    enum { SWEEPS = 4 };
    const double p = series->n_features, longest = series->n_train[series->n_n_train - 1];
    double flops = longest * 6 * (p + 2) * (p + 2);
    for (int i = 0, taken = 0; i < series->n_n_train; i++) {
        double k = fmin(taken, p);
        for (; taken < series->n_train[i]; k = fmin(k, p)) {
            const double incoming = fmin(series->n_train[i] - taken, 2 * p - k);
            k += incoming;
            taken += (int)incoming;
            flops += SWEEPS * k * k / 2 * (5 * p + 9);
        }
        flops += k * (p + 2) * (p + 2);
    }
    return flops;
}

static double bulk_flops(const rl_series *series, rl_range n_train) {
    const double test_rows = series->data.fresh ? rl_test_rows_flops(series, n_train.first) : 0;
    return test_rows + lanes_flops(series) / RL_LANES_SPEED;
}

/* Single modes, and what is moved along one, are as uncertain as the gaps between singular values are narrow: only the
 * published arithmetic itself comes close to published numbers there. Truncated fits agree to eps x condition. */
static bool wants_published_arithmetic(const rl_series *series) {
    return series->study->random == RL_RANDOM_NUMPY && (has_filters(series->spec) || series->spec->keep.modes);
}

/* Where the features are few and those of the data set itself, with one best linear model for all repeats, no variant
 * needs rows, no producer is named, neither directions nor predictions are kept, the processor has fused
 * multiply-adds, and it is cheaper. */
static bool suits_bulk(const rl_series *series) {
    const rl_dataset *data = &series->data;
    const rl_range all = {0, series->n_n_train};
    if (data->map != NULL || data->beta_star == NULL || data->n_test_only > 0) return false;
    return rl_fused_is_fast() && !wants_published_arithmetic(series) && !rl_needs_rows(series) &&
           series->spec->producer == RL_PRODUCER_AUTO && !series->spec->keep.directions && series->n_points == 0 &&
           series->n_features <= RL_BULK_FEATURES &&
           lanes_flops(series) / RL_LANES_SPEED < rl_spectra_flops(series, all);
}

static size_t bulk_bytes(const rl_series *series) {
    const rl_bulk_design design = design_of(series);
    const size_t rows = (size_t)RL_BULK_LANES * (size_t)series->n_train[series->n_n_train - 1];
    const size_t kept = !rl_wants_left(series) ? 0
                                               : rl_alloc_bytes(rows * (size_t)series->n_features, sizeof(double)) +
                                                     rl_alloc_bytes(rows, sizeof(double));
    return kept + rl_alloc_bytes(1, sizeof(bulk_state)) + rl_bulk_bytes(&design) +
           (series->data.fresh ? 0 : rl_test_factor_bytes(series->n_features));
}

const rl_method rl_bulk_method = {.number = 4,
                                  .text = "full spectra, repeats side by side",
                                  .no_blas = true,
                                  .together = RL_BULK_LANES,
                                  .suits = suits_bulk,
                                  .flops = bulk_flops,
                                  .lanes = lanes_flops,
                                  .bytes = bulk_bytes,
                                  .create = create_bulk,
                                  .destroy = destroy_bulk,
                                  .curves = bulk_curves};
