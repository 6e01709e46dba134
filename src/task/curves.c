/* Curves: every N of one repeat of a data set, by the method of the series. */
#include "curves.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../numbers.h"
#include "content.h"
#include "ridgeless/arena.h"

int rl_curves_together(const rl_series *series) {
    return rl_larger(1, series->method->together);
}

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

static void list_curves_arrays(rl_arena *arena, void *object) {
    rl_curves *const c = object;
    const rl_series *s = c->series;
    const size_t features = (size_t)s->n_features, variants = (size_t)s->spec->n_variants, order = features + 2;
    RL_TAKE(arena, c->errors, variants);
    if (s->spec->measures != 0) RL_TAKE(arena, c->measured, variants);
    RL_TAKE(arena, c->found, s->method->has_points ? s->n_n_train : 0);
    RL_TAKE(arena, c->remaining, rl_curves_together(s) * s->n_n_train);
    if (s->on_grid) return;
    RL_TAKE(arena, c->train_x, (size_t)c->max_train * features);
    RL_TAKE(arena, c->train_y, c->max_train);
    RL_TAKE(arena, c->chunk_x, (size_t)c->capacity * features);
    RL_TAKE(arena, c->chunk_y, c->capacity);
    if (rl_wants_left(s)) RL_TAKE(arena, c->ut, (size_t)s->max_modes * (size_t)c->max_train);
    if (!rl_fits_on_rows(s)) return;
    RL_TAKE(arena, c->betas, features * variants);
    RL_TAKE(arena, c->start, features);
    RL_TAKE(arena, c->points, features * (size_t)s->n_points);
    RL_TAKE(arena, c->solver_room,
            rl_room_on_rows(s->spec->n_variants, s->spec->variants, c->max_train, s->n_features));
    if (rl_measures_need_test_rows(s->spec->measures)) {
        RL_TAKE(arena, c->said, (size_t)c->capacity * variants);
        RL_TAKE(arena, c->squares, (size_t)s->data.n_rows * variants);
        RL_TAKE(arena, c->wrong, variants);
    }
    RL_TAKE(arena, c->room, rl_larger(c->max_train, rl_larger((int)order, s->n_points)));
}

/* The evaluator of spectra on one rank; some methods leave it more rows than the test factor has. */
static size_t most_rows(const rl_series *series) {
    const size_t order = (size_t)series->n_features + 2;
    return order + (series->method->has_rows ? (size_t)series->n_train[series->n_n_train - 1] : 0);
}

static rl_curves sizes_of_curves(const rl_series *series) {
    return (rl_curves){.series = series,
                       .layout = rl_curve_layout_of(series),
                       .max_train = series->n_train[series->n_n_train - 1],
                       .capacity = rl_test_factor_capacity(series->n_features)};
}

/* What full spectra on one rank take: made with the rest, so that nothing fails for want of memory later on. */
static rl_status prepare_spectra(rl_curves *c) {
    const rl_series *s = c->series;
    assert(!rl_dataset_in_blocks(&s->data)); /* these are for process grids */
    RL_TRY(rl_test_factor_create(&c->factor, s->n_features));
    RL_TRY(rl_dense_producer_create(&c->producer, c->max_train, s->n_features));
    return rl_evaluator_create(&c->evaluator, s->spec->n_variants, s->max_modes, (int)most_rows(s));
}

static rl_status prepare_curves(rl_curves *c) {
    const rl_series *s = c->series;
    RL_TRY(rl_rows_create(&c->rows, &s->data, s->study->random, s->study->seed));
    if (!s->on_grid) RL_TRY(prepare_spectra(c));
    return s->method->create != NULL ? s->method->create(c) : RL_OK;
}

rl_status rl_curves_create(const rl_series *series, const rl_group *group, rl_curves **curves) {
    const bool known = rl_dataset_design_known(&series->data);
    rl_curves sizes = sizes_of_curves(series);
    rl_curves *c;
    RL_TRY(RL_OBJECT_CREATE(&c, &sizes, list_curves_arrays));
    c->group = group;
    c->population =
        (rl_population){.known = known, .residual_variance = known ? rl_dataset_residual_variance(&series->data) : NAN};
    const rl_status status = prepare_curves(c);
    if (status == RL_OK)
        *curves = c;
    else
        rl_curves_destroy(c);
    return status;
}

void rl_curves_destroy(rl_curves *c) {
    if (c == NULL) return;
    if (c->made != NULL) c->series->method->destroy(c->made);
    rl_rows_destroy(&c->rows);
    rl_test_factor_destroy(&c->factor);
    rl_dense_producer_destroy(c->producer);
    rl_evaluator_destroy(c->evaluator);
    rl_free(c);
}

size_t rl_curves_bytes(const rl_series *series) {
    rl_curves sizes = sizes_of_curves(series);
    const size_t made = series->method->bytes != NULL ? series->method->bytes(series) : 0;
    const size_t own = RL_OBJECT_BYTES(&sizes, list_curves_arrays) + rl_rows_bytes(&series->data) + made;
    if (series->on_grid) return own;
    return own + rl_test_factor_bytes(series->n_features) +
           rl_dense_producer_bytes(sizes.max_train, series->n_features) +
           rl_evaluator_bytes(series->spec->n_variants, series->max_modes, (int)most_rows(series));
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

rl_status rl_curves_load_rows(rl_curves *c, int repeat, bool first_row_last) {
    const int features = c->series->n_features, n_rows = c->series->data.n_rows;
    RL_TRY(rl_rows_arrange(&c->rows, (uint32_t)repeat));
    for (int i = 0; i < c->max_train; i++) {
        const size_t place = (size_t)(first_row_last ? c->max_train - 1 - i : i);
        rl_rows_get(&c->rows, i, 1, c->train_x + place * (size_t)features, features, c->train_y + place);
    }
    rl_test_factor_clear(&c->factor);
    for (int first = c->max_train; first < n_rows; first += c->capacity) {
        const int remaining = n_rows - first, count = remaining < c->capacity ? remaining : c->capacity;
        rl_rows_get(&c->rows, first, count, c->chunk_x, features, c->chunk_y);
        RL_TRY(rl_test_factor_append(&c->factor, count, c->chunk_x, features, c->chunk_y));
    }
    return RL_OK;
}

rl_training_set rl_curves_longest_set(const rl_curves *c) {
    return (rl_training_set){.n_train = c->max_train,
                             .n_features = c->series->n_features,
                             .x = c->train_x,
                             .y = c->train_y,
                             .beta_star = rl_rows_beta_star(&c->rows),
                             .scale = rl_dataset_scale(&c->series->data)};
}

/* ---- computing --------------------------------------------------------------------------------------------------- */

rl_status rl_curves_compute(rl_curves *c, const rl_task *tasks, int n, const bool *wanted, rl_tick tick,
                            double *curves) {
    const rl_method *method = c->series->method;
    const size_t length = c->layout.length;
    c->by_blas |= !method->no_blas;
    for (int k = 0; k < n; k++)
        for (int i = 0; i < c->layout.n_n_train; i++) rl_curve_clear(&c->layout, i, curves + (size_t)k * length);
    if (method->curves != NULL) return method->curves(c, tasks, n, wanted, tick, curves);
    for (int k = 0; k < n; k++) RL_TRY(method->curve(c, &tasks[k], wanted, tick, curves + (size_t)k * length));
    return RL_OK;
}

/* ---- what it takes ----------------------------------------------------------------------------------------------- */

enum { FLOPS_PER_NORMAL = 50 }; /* drawn anew */

/* The features of a repeat, and least squares on all rows; those that no repeat changes are made once, which is next to
 * nothing. */
static double made_flops(const rl_dataset *data) {
    const double n = data->n_rows, p = data->n_features, k = fmin(n, p);
    if (data->map == NULL || !(data->fresh || rl_map_varies(data->map, data->map_options))) return 0;
    return 2 * n * p * data->n_inputs + 2 * n * k * p + 4.0 / 3 * k * k * p;
}

static double count_normals(const rl_dataset *data) {
    return data->fresh ? (double)data->n_rows * (data->teacher.n_hidden + 1.0) : 0;
}

double rl_curves_flops(const rl_series *series, rl_range n_train) {
    const rl_dataset *data = &series->data;
    return FLOPS_PER_NORMAL * count_normals(data) + made_flops(data) + series->method->flops(series, n_train);
}

rl_effort rl_curves_effort(const rl_series *series, rl_range n_train, int ranks) {
    const rl_study_dataset *spec = series->spec;
    const double steps = rl_steps_on_rows(spec->n_variants, spec->variants), p = series->n_features;
    rl_effort e = {.normals = count_normals(&series->data)};
    double rows = 0;
    (void)ranks; /* one, but on process grids */
    for (int i = n_train.first; i < rl_range_end(n_train); i++) rows += series->n_train[i];
    e.rows = RL_FLOPS_OF_STEP * steps * rows * p;
    e.rows_bytes = rows / n_train.n * p * sizeof(double);
    e.lanes = series->method->lanes != NULL ? series->method->lanes(series) : 0;
    /* side by side, truncations are told apart by the flops alone */
    e.cells = (double)n_train.n * (e.lanes > 0 ? rl_count_filters(spec) : spec->n_variants);
    const bool has_test_rows = !series->method->has_rows && (e.lanes == 0 || series->data.fresh);
    const double test_rows = has_test_rows ? rl_test_rows_flops(series, n_train.first) : 0;
    e.factors = made_flops(&series->data) + test_rows;
    const double others = series->method->flops(series, n_train) - test_rows - e.rows - e.lanes / RL_LANES_SPEED;
    *(series->method->updates ? &e.updates : &e.dense) = others;
    return e;
}

/* ---- the kind ---------------------------------------------------------------------------------------------------- */

/* Some tasks under way, and their curves. */
typedef struct curve_work {
    const rl_series *series;
    rl_curves *c;
    rl_work work;
    double *curves; /* [tasks that go together, layout.length] */
    char *record;   /* [rl_curve_record_bytes]: room for one */
} curve_work;

static void list_work_arrays(rl_arena *arena, void *object) {
    curve_work *const w = object;
    RL_TAKE(arena, w->curves, (size_t)rl_curves_together(w->series) * rl_curve_layout_of(w->series).length);
    RL_TAKE(arena, w->record, rl_curve_record_bytes(w->series));
}

static rl_status create_work(const rl_series *series, const rl_group *group, void **buffers) {
    curve_work sizes = {.series = series}, *w;
    RL_TRY(RL_OBJECT_CREATE(&w, &sizes, list_work_arrays));
    const rl_status status = rl_curves_create(series, group, &w->c);
    if (status == RL_OK)
        *buffers = w;
    else
        rl_free(w);
    return status;
}

static void destroy_work(void *buffers) {
    curve_work *w = buffers;
    rl_curves_destroy(w->c);
    rl_free(w);
}

static size_t bytes_of_work(const rl_series *series) {
    curve_work sizes = {.series = series};
    return RL_OBJECT_BYTES(&sizes, list_work_arrays) + rl_curves_bytes(series);
}

static rl_status begin_work(void *buffers, const rl_work *work) {
    curve_work *w = buffers;
    assert(work->n <= rl_curves_together(w->series));
    w->work = *work;
    w->c->by_blas = false;
    return RL_OK;
}

static rl_status advance_work(void *buffers, rl_tick tick, bool *ended) {
    const curve_work *w = buffers;
    *ended = true;
    return rl_curves_compute(w->c, w->work.tasks, w->work.n, w->work.wanted, tick, w->curves);
}

static rl_status record_work(void *buffers, int i, rl_record *record) {
    curve_work *w = buffers;
    *record = rl_curve_record(w->series, &w->work.tasks[i], w->curves + (size_t)i * w->c->layout.length, w->record);
    record->by_blas = w->c->by_blas;
    return RL_OK;
}

static bool suits_curves(const rl_series *series) {
    return series->spec != NULL;
}

/* What needs the training rows of a case on one rank, and the test rows beside them. */
static rl_status check_rows_on_one_rank(const rl_series *series) {
    const char *what = series->n_points > 0 ? "`keep: predictions`" : NULL;
    if (rl_measures_need_left(series->spec->measures)) what = "`measures: loo`";
    if (rl_measures_need_test_rows(series->spec->measures)) what = "a measure of test rows";
    char ablation[80];
    for (int v = 0; v < series->spec->n_variants && what == NULL; v++) {
        const rl_ablation *a = series->spec->variants[v].ablation;
        if (a->need != RL_NEED_ROWS && a->need != RL_NEED_LEFT && a->need != RL_NEED_TEST_ROWS) continue;
        snprintf(ablation, sizeof ablation, "the ablation `%.60s`", a->name);
        what = ablation;
    }
    if (what == NULL || !series->on_grid) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: dataset `%s`: %s needs the training rows on one rank, and its cases are for process grids; "
                   "expected smaller ones, or `producer: lapack` and no `ranks_per_case`",
                   series->study->path, series->line, series->name, what);
}

static rl_status check_directions(const rl_series *series) {
    const char *problem = NULL;
    if (!series->spec->keep.directions) return RL_OK;
    if (series->n_features > RL_DIRECTIONS_LIMIT) problem = "has too many features for that";
    if (series->spec->n_features.n_values > 1) problem = "has several numbers of features";
    if (series->method != &rl_spectra_method) problem = "is not computed by full spectra on one rank";
    if (problem == NULL) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: key `keep`: directions are asked for of dataset `%s`, which %s; expected a dataset of at "
                   "most %d features computed by LAPACK at every N",
                   series->study->path, series->line, series->name, problem, RL_DIRECTIONS_LIMIT);
}

static void choose_method(rl_series *series) {
    const int producer = series->spec->producer;
    series->method = rl_method_of(series);
    series->on_grid = series->method->on_grid;
    series->producer = !series->on_grid               ? RL_PRODUCER_LAPACK
                       : producer == RL_PRODUCER_AUTO ? RL_PRODUCER_TWO_STAGE
                                                      : (rl_producer)producer;
}

/* Whether the two are computed alike, as far as settings of `former` beside its ablations matter to the method. */
static bool is_alike(const rl_series *a, const rl_series *b, const rl_former *former) {
    if (a->method != b->method || a->producer != b->producer) return false;
    if (a->on_grid && former->block != a->study->block) return false;
    if (a->method->has_points && !former->same_full) return false;
    return !a->on_grid || !a->method->has_points || former->same_sigma;
}

bool rl_series_takes(const rl_series *series, const rl_former *former) {
    rl_study study = *series->study;
    rl_series other = *series;
    if (series->spec == NULL) return true;
    study.full_spectra.line = former->some_full;
    other.study = &study;
    other.spec = &former->spec;
    other.n_points = former->spec.keep.predictions ? series->data.n_test_only : 0;
    if (rl_kind_of(&other) != series->kind) return false;
    choose_method(&other);
    return is_alike(series, &other, former);
}

bool rl_series_by_blas(const rl_series *series) {
    return series->method != NULL && !series->method->no_blas;
}

rl_status rl_curves_lay_out(rl_series *series) {
    choose_method(series);
    /* where they are some, and the curve comes otherwise */
    const bool some = series->study->full_spectra.line > 0 && series->method != &rl_spectra_method;
    for (int i = 0; i < series->n_n_train; i++) series->full[i] = some && series->full[i];
    RL_TRY(check_rows_on_one_rank(series));
    return rl_check_test_rows_measures(series);
}

static rl_status lay_out_curves(rl_series *series) {
    RL_TRY(rl_curves_lay_out(series));
    if (series->method->n_apart) series->n_parts = series->n_n_train;
    return check_directions(series);
}

void rl_curves_text(const rl_series *series, const rl_task *task, char *text, size_t size) {
    const int first = series->n_train[task->n_train.first], last = series->n_train[rl_range_end(task->n_train) - 1];
    char range[24] = "", repeats[24] = "";
    if (task->n_train.n > 1) snprintf(range, sizeof range, " ... %d", last);
    if (task->repeats.n > 1) snprintf(repeats, sizeof repeats, " ... %d", rl_range_end(task->repeats) - 1);
    snprintf(text, size, "`%s`, P = %d, repeat %d%s, N = %d%s", series->name, series->n_features, task->repeats.first,
             repeats, first, range);
}

static rl_status check_curve(const rl_series *series, const rl_record *record, bool *sound) {
    rl_curve_layout layout;
    double *curve;
    RL_TRY(rl_curve_of_record(series, record, &layout, &curve, sound));
    rl_free(curve);
    return RL_OK;
}

static int64_t count_failed(int outcome) {
    return outcome != RL_CELL_DONE;
}

/* Features that are all zero failed in older versions. */
static bool may_end_otherwise(int outcome) {
    return outcome == RL_CELL_NO_CONVERGENCE || outcome == RL_CELL_ZERO_MATRIX;
}

static void complain_of_curve(const rl_record *record, char *text, size_t size) {
    int k = 0;
    while (record->outcomes[k].outcome == RL_CELL_DONE) k++;
    snprintf(text, size, "no spectrum at N = %d: %s", record->outcomes[k].n_train,
             rl_cell_status_text((rl_cell_status)record->outcomes[k].outcome));
}

/* Of a curve that can be left between two spectra, the first ones, which are the costliest. */
static double least_part_of_curve(const rl_series *series, const rl_task *task) {
    const double first_over_mean = 3;
    if (series->method != &rl_spectra_method || task->n_train.n < first_over_mean) return 1;
    return first_over_mean / task->n_train.n;
}

/* Predictions are of the first repeats alone. */
static double kept_bytes_of_curve(const rl_series *series, const rl_task *task) {
    const rl_curve_layout l = rl_curve_layout_of(series);
    const double predictions = (double)l.n_n_train * l.n_variants * l.n_points;
    const double numbers =
        task->repeats.first < RL_PREDICTED_REPEATS ? (double)l.length : (double)l.length - predictions;
    return (double)task->repeats.n * numbers * sizeof(double);
}

const rl_kind rl_curves_kind = {
    .name = "curves",
    .number = 1,
    RL_CURVES_WORDS,
    .suits = suits_curves,
    .lay_out = lay_out_curves,
    .flops = rl_curves_flops,
    .effort = rl_curves_effort,
    .bytes = bytes_of_work,
    .text = rl_curves_text,
    .least_part = least_part_of_curve,
    .kept_bytes = kept_bytes_of_curve,
    .together = rl_curves_together,
    .create = create_work,
    .destroy = destroy_work,
    .begin = begin_work,
    .advance = advance_work,
    .record = record_work,
    .check = check_curve,
    .failed = count_failed,
    .retryable = may_end_otherwise,
    .complaint = complain_of_curve,
};
