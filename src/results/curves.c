/* The group of a data set whose curves are kept one by one: the values of each repeat, as far as the study keeps them,
 * and their statistics; with directions, the rows and axes that they belong to; with predictions, the points. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "dataset.h"

typedef struct curves {
    dataset d;
    size_t n_repeats, n_modes, n_directions, n_points, n_predicted, n_trainable; /* lengths; 0: not there */
    double **records; /* [n_records], by the group's tasks; NULL where nothing is there; owned */
    int64_t n_records;
    double *scratch; /* [n_repeats]; owned */
} curves;

static void destroy_curves(void *state) {
    curves *c = state;
    for (int64_t i = 0; i < c->n_records; i++) rl_free(c->records[i]);
    rl_free(c->records);
    rl_free(c->scratch);
    rl_release_dataset(&c->d);
    rl_free(c);
}

/* Values of a field in one spectrum. */
static size_t count_entries(const curves *c, const rl_field *field) {
    switch (field->kind) {
        case RL_FIELD_CELL:
            return c->d.n_variants;
        case RL_FIELD_MODE:
            return c->n_modes;
        case RL_FIELD_DIRECTION:
            return c->n_modes * c->n_directions;
        default:
            return 1;
    }
}

/* ---- defining ---------------------------------------------------------------------------------------------------- */

static void measure_curves(group *g, curves *c) {
    const rl_curve_layout *layout = &c->d.layout;
    const rl_dataset *data = &g->series->data;
    c->n_repeats = (size_t)g->series->study->repeats;
    for (int p = 0; layout->has_modes && p < g->n_series; p++)
        if ((size_t)g->series[p].max_modes > c->n_modes) c->n_modes = (size_t)g->series[p].max_modes;
    c->n_directions = (size_t)layout->n_directions;
    c->n_points = (size_t)layout->n_points;
    if (c->n_points > 0) {
        c->n_predicted = c->n_repeats < RL_PREDICTED_REPEATS ? c->n_repeats : RL_PREDICTED_REPEATS;
        c->n_trainable = (size_t)(data->n_rows - data->n_test_only);
        g->n_values = 2 * rl_larger(c->n_points, c->d.n_p * c->n_predicted * c->n_trainable); /* with an intercept */
    }
    for (int f = 0; f < RL_N_FIELDS; f++) {
        const size_t n = c->d.n_p * c->d.n_n * c->n_repeats * count_entries(c, &rl_fields[f]);
        if (n > g->n_values) g->n_values = n;
    }
}

/* Directions are kept of data sets with one number of features alone. */
static rl_status begin_curves(writer *w, group *g, const curves *c) {
    const size_t largest_n = (size_t)c->d.n_train[c->d.n_n - 1];
    const dimension dimensions[] = {{"variant", c->d.n_variants},
                                    {"n_features", c->d.n_p},
                                    {"n_train", c->d.n_n},
                                    {"repeat", c->n_repeats},
                                    {"quantile", RL_N_QUANTILES},
                                    {"flank", RL_N_FLANKS},
                                    {"mode", c->n_modes},
                                    {"feature", c->n_directions},
                                    {"row", c->n_directions > 0 ? largest_n : 0},
                                    {"axis", g->series->data.axes != NULL ? c->n_directions : 0},
                                    {"point", c->n_points},
                                    {"predicted_repeat", c->n_predicted},
                                    {"trainable_row", c->n_trainable}};
    RL_TRY(rl_begin_group(w, g, dimensions, sizeof dimensions / sizeof *dimensions));
    return rl_describe_dataset(w, g, &c->d);
}

static rl_status define_kept(writer *w, const group *g, const rl_field *field) {
    static const char *const dimensions[] = {[RL_FIELD_CELL] = "variant n_features n_train repeat",
                                             [RL_FIELD_SPECTRUM] = "n_features n_train repeat",
                                             [RL_FIELD_STATUS] = "n_features n_train repeat",
                                             [RL_FIELD_MODE] = "n_features n_train repeat mode",
                                             [RL_FIELD_DIRECTION] = "n_features n_train repeat mode feature"};
    static const int no_rank = -1;
    const bool packed = field->type != NC_DOUBLE || field->kind == RL_FIELD_MODE; /* half of the modes do not exist */
    RL_TRY(rl_define_array(w, g,
                           &(array){.name = field->name,
                                    .long_name = field->long_name,
                                    .dimensions = dimensions[field->kind],
                                    .type = field->type,
                                    .least = packed ? RL_SMALL : 0,
                                    .coordinates = rl_field_coordinates(field),
                                    .original = true,
                                    .nan = field->type == NC_DOUBLE}));
    const variable *v = rl_last_variable(w);
    if (v->type == NC_INT) RL_TRY(rl_put_fill(w, &no_rank));
    if (v->type == NC_BYTE) RL_TRY(rl_put_cell_flags(w));
    return rl_put_text(w, "comment", field->comment);
}

/* Behind the fields: what directions are directions of, the training rows, and the population's principal axes where
 * they are known; and what fits of the first repeats say at the test points, with the rows that they have seen. */
static const array others[] = {
    {"training_row", "features of the training rows", "repeat row feature", .type = NC_DOUBLE},
    {"population_deviation", "standard deviation of the population along its principal axes, the largest first", "axis",
     .type = NC_DOUBLE},
    {"population_direction", "principal axes of the population, one a row", "axis feature", .type = NC_DOUBLE},
    {"predicted_repeat", "repeat whose predictions are kept", "predicted_repeat", .type = NC_INT, .least = RL_SMALL},
    {"point", "input of the test point", "point", .type = NC_DOUBLE},
    {"point_target", "target of the test point, without noise", "point", .type = NC_DOUBLE},
    {"training_input", "input of a row that may train, the first of the repeat first",
     "n_features predicted_repeat trainable_row", .type = NC_DOUBLE},
    {"training_target", "target of that row", "n_features predicted_repeat trainable_row", .type = NC_DOUBLE},
    {"prediction", "prediction at the test point", "variant n_features n_train predicted_repeat point",
     .type = NC_DOUBLE, .original = true, .nan = true},
};

static rl_status define_curves(writer *w, group *g) {
    curves *c;
    RL_TRY(RL_ALLOC(c, 1));
    g->state = c;
    RL_TRY(rl_make_dataset(g, &c->d));
    measure_curves(g, c);
    RL_TRY(begin_curves(w, g, c));
    for (const rl_field *field = rl_fields; field < rl_fields + RL_N_FIELDS; field++) {
        if (!rl_field_present(field, &c->d.layout)) continue;
        if (rl_field_kept(field, rl_group_keep(g))) RL_TRY(define_kept(w, g, field));
        RL_TRY(rl_define_statistics(w, g, &c->d, field));
    }
    RL_TRY(rl_define_spike(w, g, &c->d));
    RL_TRY(rl_define_theory(w, g, &c->d));
    return rl_define_arrays(w, g, others, sizeof others / sizeof *others);
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

static rl_status take_curve(const taken *t, const rl_record *record, const int *target, bool *sound) {
    const curves *c = t->g->state;
    const rl_curve_layout layout = rl_curve_layout_of(t->series);
    rl_curve_layout from;
    double *curve, **into = &c->records[t->i];
    RL_TRY(rl_curve_of_record(t->series, record, &from, &curve, sound));
    if (!*sound) return RL_OK;
    const bool is_first = *into == NULL;
    const rl_status status = is_first ? RL_ALLOC(*into, layout.length) : RL_OK;
    for (int i = 0; status == RL_OK && is_first && i < layout.n_n_train; i++) rl_curve_clear(&layout, i, *into);
    for (int k = 0; status == RL_OK && k < record->n; k++)
        if (target[k] >= 0) rl_curve_copy(&from, curve, k, NULL, &layout, *into, target[k]);
    rl_free(curve);
    return status;
}

/* Where the N that is `wanted` of a series stands in the group's list, from n on. */
static size_t find_n(const int *index, int wanted, size_t n) {
    while (index[n] != wanted) n++;
    return n;
}

/* Takes one task's part of a field out of its record: entry k of spectrum s = (P, N, repeat) goes to k * by_entry + s *
 * by_spectrum. A P may have fewer modes than the widest of the group. */
static void gather_task(const group *g, const curves *c, const rl_field *field, const rl_task *task,
                        const double *record, double *values) {
    const size_t p = (size_t)(task->series - g->first), n_spectra = c->d.n_p * c->d.n_n * c->n_repeats;
    const bool by_cell = field->kind == RL_FIELD_CELL;
    const size_t by_entry = by_cell ? n_spectra : 1, by_spectrum = by_cell ? 1 : count_entries(c, field);
    const rl_curve_layout layout = rl_curve_layout_of(&g->series[p]);
    const size_t entries = field->kind == RL_FIELD_MODE ? (size_t)layout.max_modes : count_entries(c, field);
    const size_t begin = rl_field_offset(field, &layout);
    for (size_t i = 0, n = 0; i < (size_t)task->n_train.n; i++) {
        const rl_cell_status status = record == NULL ? RL_CELL_MISSING : rl_curve_status(&layout, record, (int)i);
        n = find_n(c->d.index + p * c->d.n_n, task->n_train.first + (int)i, n);
        double *out = values + ((p * c->d.n_n + n) * c->n_repeats + (size_t)task->repeats.first) * by_spectrum;
        if (field->kind == RL_FIELD_STATUS)
            *out = status;
        else
            for (size_t k = 0; k < entries; k++)
                out[k * by_entry] = status == RL_CELL_DONE ? record[begin + i * entries + k] : NAN;
    }
}

/* Turns w->values into the type that is stored. */
static const void *convert_values(const writer *w, nc_type type, size_t n) {
    int *ints = w->stored;
    signed char *bytes = w->stored;
    for (size_t i = 0; type == NC_INT && i < n; i++) ints[i] = isnan(w->values[i]) ? -1 : (int)w->values[i];
    for (size_t i = 0; type == NC_BYTE && i < n; i++) bytes[i] = (signed char)w->values[i];
    return type == NC_DOUBLE ? (const void *)w->values : w->stored;
}

static rl_status fill_field(writer *w, const group *g, const curves *c, const rl_field *field) {
    const rl_task *tasks = w->plan->tasks + g->series->first_task;
    const size_t n = c->d.n_p * c->d.n_n * c->n_repeats * count_entries(c, field);
    for (size_t i = 0; i < n; i++) w->values[i] = field->kind == RL_FIELD_STATUS ? RL_CELL_NOT_ASKED : NAN;
    for (int64_t i = 0; i < c->n_records; i++) gather_task(g, c, field, &tasks[i], c->records[i], w->values);
    if (rl_field_kept(field, rl_group_keep(g)))
        RL_TRY(rl_put_values(w, field->name, convert_values(w, field->type, n)));
    if (field->statistics == 0) return RL_OK;
    for (size_t i = 0; i < n / c->n_repeats; i++)
        c->d.reduced[i] = rl_reduce(w->values + i * c->n_repeats, (int)c->n_repeats, c->scratch);
    return rl_fill_statistics(w, &c->d, field);
}

/* ---- directions and predictions ---------------------------------------------------------------------------------- */

/* Some rows of each of the first n_repeats repeats, in their order, one repeat after the other: features to
 * w->values[., n_features], targets to w->stored. */
static rl_status get_rows(const writer *w, const rl_dataset *data, size_t n_repeats, rl_range range, size_t at) {
    const rl_study *study = w->plan->study;
    const size_t n = (size_t)range.n, n_features = (size_t)data->n_features;
    rl_rows rows = {0};
    rl_status status = rl_rows_create(&rows, data, study->random, study->seed);
    for (size_t r = 0; status == RL_OK && r < n_repeats; r++, at += n) {
        status = rl_rows_arrange(&rows, (uint32_t)r);
        if (status == RL_OK)
            rl_rows_get(&rows, range.first, range.n, w->values + at * n_features, data->n_features,
                        (double *)w->stored + at);
    }
    rl_rows_destroy(&rows);
    return status;
}

/* The rows of the largest training set of every repeat. */
static rl_status fill_geometry(writer *w, const group *g, const curves *c) {
    const rl_dataset *data = &g->series->data;
    if (c->n_directions == 0) return RL_OK;
    RL_TRY(get_rows(w, data, c->n_repeats, (rl_range){0, c->d.n_train[c->d.n_n - 1]}, 0));
    RL_TRY(rl_put_values(w, "training_row", w->values));
    if (data->axes == NULL) return RL_OK;
    RL_TRY(rl_put_values(w, "population_deviation", data->deviations));
    return rl_put_values(w, "population_direction", data->axes);
}

/* Rows as they are before any map. */
static rl_dataset plain_data(const rl_series *series) {
    rl_dataset plain = series->data;
    assert(plain.n_inputs == 1); /* test points are a function's */
    plain.map = NULL;
    plain.n_features = 1 + plain.intercept;
    return plain;
}

/* Of n rows of one input, the input. */
static void leave_inputs(const rl_dataset *plain, double *values, size_t n) {
    for (size_t i = 0; plain->intercept && i < n; i++) values[i] = values[2 * i + 1];
}

static rl_status fill_points(writer *w, const group *g, const curves *c) {
    rl_dataset plain = plain_data(g->series);
    const rl_range points = {plain.n_rows - (int)c->n_points, (int)c->n_points}, trainable = {0, (int)c->n_trainable};
    RL_TRY(rl_put_indices(w, "predicted_repeat", 0));
    RL_TRY(get_rows(w, &plain, 1, points, 0));
    leave_inputs(&plain, w->values, c->n_points);
    RL_TRY(rl_put_values(w, "point", w->values));
    RL_TRY(rl_put_values(w, "point_target", w->stored));
    for (size_t p = 0; p < c->d.n_p; p++) {
        plain = plain_data(&g->series[p]);
        RL_TRY(get_rows(w, &plain, c->n_predicted, trainable, p * c->n_predicted * c->n_trainable));
    }
    leave_inputs(&plain, w->values, c->d.n_p * c->n_predicted * c->n_trainable);
    RL_TRY(rl_put_values(w, "training_input", w->values));
    return rl_put_values(w, "training_target", w->stored);
}

/* One task's; the record has them as (N, variant, point). */
static void gather_predictions(const writer *w, const group *g, const curves *c, const rl_task *task,
                               const double *record) {
    const size_t p = (size_t)(task->series - g->first), n_p = c->d.n_p, n_n = c->d.n_n, variants = c->d.n_variants;
    const rl_curve_layout layout = rl_curve_layout_of(&g->series[p]);
    for (size_t i = 0, n = 0; i < (size_t)task->n_train.n; i++) {
        n = find_n(c->d.index + p * n_n, task->n_train.first + (int)i, n);
        for (size_t v = 0; v < variants; v++) {
            const size_t at = ((v * n_p + p) * n_n + n) * c->n_predicted + (size_t)task->repeats.first;
            memcpy(w->values + at * c->n_points, record + layout.predictions + (i * variants + v) * c->n_points,
                   c->n_points * sizeof *record);
        }
    }
}

static rl_status fill_predictions(writer *w, const group *g, const curves *c) {
    const rl_task *tasks = w->plan->tasks + g->series->first_task;
    if (c->n_points == 0) return RL_OK;
    RL_TRY(fill_points(w, g, c));
    for (size_t i = 0; i < c->d.n_variants * c->d.n_p * c->d.n_n * c->n_predicted * c->n_points; i++)
        w->values[i] = NAN;
    for (int64_t i = 0; i < c->n_records; i++)
        if (c->records[i] != NULL && tasks[i].repeats.first < RL_PREDICTED_REPEATS)
            gather_predictions(w, g, c, &tasks[i], c->records[i]);
    return rl_put_values(w, "prediction", w->values);
}

/* ---- the group --------------------------------------------------------------------------------------------------- */

static rl_status fill_curves(writer *w, group *g) {
    curves *c = g->state;
    RL_TRY(rl_fill_dataset(w, g, &c->d));
    RL_TRY(RL_ALLOC(c->scratch, c->n_repeats));
    RL_TRY(RL_ALLOC(c->records, rl_group_tasks(w, g)));
    c->n_records = rl_group_tasks(w, g);
    RL_TRY(rl_read_group(w, g, take_curve));
    for (const rl_field *field = rl_fields; field < rl_fields + RL_N_FIELDS; field++)
        if (rl_field_present(field, &c->d.layout)) RL_TRY(fill_field(w, g, c, field));
    RL_TRY(rl_fill_spike(w, &c->d));
    RL_TRY(rl_fill_theory(w, g, &c->d));
    RL_TRY(fill_geometry(w, g, c));
    return fill_predictions(w, g, c);
}

const rl_group_writer rl_curves_writer = {define_curves, fill_curves, destroy_curves};
