/* The group of a data set whose curves are kept one by one: the values of each repeat, as far as the study keeps them,
 * and their statistics; with directions, the rows and axes that they belong to; with predictions, the points. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "curves.h"

static void destroy_curves(void *state) {
    curves *c = state;
    rl_free(c->place);
    rl_free(c->scratch);
    rl_free(c->repeated);
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

static extent extent_of(const group *g, const curves *c, const rl_field *field) {
    const size_t n_sets = rl_count_sets(&c->d, field);
    if (!rl_field_present(field, &c->d.layout)) return (extent){0};
    if (rl_is_reduced(field)) return (extent){n_sets, c->n_repeats};
    return (extent){rl_field_kept(field, rl_group_keep(g)) ? n_sets * c->n_repeats : 0, count_entries(c, field)};
}

static void measure_arrays(const writer *w, group *g, curves *c) {
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
        g->n_values = 2 * rl_larger(c->n_points, c->n_trainable); /* with an intercept */
        c->predictions = (extent){c->d.n_variants * c->d.n_p * c->d.n_n * c->n_predicted, c->n_points};
    }
    if (c->n_directions > 0) g->n_values = rl_larger(g->n_values, (size_t)c->d.n_train[c->d.n_n - 1] * c->n_directions);
    for (int f = 0; f < RL_N_FIELDS; f++) c->extents[f] = extent_of(g, c, &rl_fields[f]);
    g->n_values = rl_larger(g->n_values, rl_quantile_values(&c->d));
    g->bytes = rl_dataset_state_bytes(&c->d) + rl_theory_bytes(g, &c->d) + 2 * c->n_repeats * sizeof *c->scratch +
               c->d.n_variants * c->d.n_p * c->d.n_n * sizeof *c->repeated;
    g->n_slab = rl_larger(rl_fields_room(w, c), rl_slab_room(w, &c->predictions, 1));
}

static rl_status make_places(curves *c) {
    RL_TRY(RL_ALLOC(c->place, c->d.n_p * c->d.n_n));
    for (size_t p = 0; p < c->d.n_p; p++)
        for (size_t n = 0; n < c->d.n_n; n++) {
            const int i = c->d.index[p * c->d.n_n + n];
            if (i >= 0) c->place[p * c->d.n_n + (size_t)i] = (int)n;
        }
    return RL_OK;
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
                                    {"left_out", rl_has_table_theory(g) ? RL_N_LEFT_OUT : 0},
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
    const size_t of_modes = field->kind == RL_FIELD_MODE ? RL_LARGE : 0; /* half of the modes do not exist */
    RL_TRY(rl_define_array(w, g,
                           &(array){.name = field->name,
                                    .long_name = field->long_name,
                                    .dimensions = dimensions[field->kind],
                                    .type = field->type,
                                    .least = field->type != NC_DOUBLE ? RL_SMALL : of_modes,
                                    .coordinates = rl_field_coordinates(field),
                                    .original = true,
                                    .nan = field->type == NC_DOUBLE,
                                    .in_parts = true}));
    const variable *v = rl_last_variable(w);
    if (v->type == NC_INT) RL_TRY(rl_put_fill(w, &no_rank));
    if (v->type == NC_BYTE) RL_TRY(rl_put_cell_flags(w));
    return rl_put_text(w, "comment", field->comment);
}

/* Behind the fields: what directions are directions of, the training rows, and the population's principal axes where
 * they are known; and what fits of the first repeats say at the test points, with the rows that they have seen. */
static const array others[] = {
    {"training_row", "features of the training rows", "repeat row feature", .type = NC_DOUBLE, .in_parts = true},
    {"population_deviation", "standard deviation of the population along its principal axes, the largest first", "axis",
     .type = NC_DOUBLE},
    {"population_direction", "principal axes of the population, one a row", "axis feature", .type = NC_DOUBLE},
    {"predicted_repeat", "repeat whose predictions are kept", "predicted_repeat", .type = NC_INT, .least = RL_SMALL},
    {"point", "input of the test point", "point", .type = NC_DOUBLE},
    {"point_target", "target of the test point, without noise", "point", .type = NC_DOUBLE},
    {"training_input", "input of a row that may train, the first of the repeat first",
     "n_features predicted_repeat trainable_row", .type = NC_DOUBLE, .in_parts = true},
    {"training_target", "target of that row", "n_features predicted_repeat trainable_row", .type = NC_DOUBLE,
     .in_parts = true},
    {"prediction", "prediction at the test point", "variant n_features n_train predicted_repeat point",
     .type = NC_DOUBLE, .original = true, .nan = true, .in_parts = true},
};

static rl_status measure_curves(const writer *w, group *g) {
    curves *c;
    RL_TRY(RL_ALLOC(c, 1));
    g->state = c;
    RL_TRY(rl_make_dataset(g, &c->d));
    measure_arrays(w, g, c);
    return make_places(c);
}

static rl_status define_curves(writer *w, group *g) {
    curves *c = g->state;
    RL_TRY(rl_find_places(g, &c->d));
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

/* ---- directions and predictions ---------------------------------------------------------------------------------- */

/* Some rows of one repeat, in its order: features to w->values[., n_features], targets to w->stored. */
static rl_status get_rows(const writer *w, const rl_dataset *data, size_t repeat, rl_range range) {
    const rl_study *study = w->plan->study;
    rl_rows rows = {0};
    rl_status status = rl_rows_create(&rows, data, study->random, study->seed);
    if (status == RL_OK) status = rl_rows_arrange(&rows, (uint32_t)repeat);
    if (status == RL_OK) rl_rows_get(&rows, range.first, range.n, w->values, data->n_features, w->stored);
    rl_rows_destroy(&rows);
    return status;
}

/* The rows of the largest training set of every repeat. */
static rl_status fill_geometry(writer *w, const group *g, const curves *c) {
    const rl_dataset *data = &g->series->data;
    const rl_range rows = {0, c->d.n_train[c->d.n_n - 1]};
    if (c->n_directions == 0) return RL_OK;
    for (size_t r = 0; r < c->n_repeats; r++) {
        RL_TRY(get_rows(w, data, r, rows));
        RL_TRY(rl_put_rows(w, "training_row", (size_t)rows.n * c->n_directions, 1, w->values));
    }
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

/* Of rows of one input, the input. */
static rl_status get_inputs(const writer *w, const rl_series *series, size_t repeat, rl_range rows) {
    const rl_dataset plain = plain_data(series);
    RL_TRY(get_rows(w, &plain, repeat, rows));
    for (int i = 0; plain.intercept && i < rows.n; i++) w->values[i] = w->values[2 * i + 1];
    return RL_OK;
}

/* Inputs, or else targets, of the rows that may train. */
static rl_status fill_trainable(writer *w, const group *g, const curves *c, bool inputs) {
    const rl_range trainable = {0, (int)c->n_trainable};
    for (size_t p = 0; p < c->d.n_p; p++)
        for (size_t r = 0; r < c->n_predicted; r++) {
            RL_TRY(get_inputs(w, &g->series[p], r, trainable));
            RL_TRY(rl_put_rows(w, inputs ? "training_input" : "training_target", c->n_trainable, 1,
                               inputs ? w->values : w->stored));
        }
    return RL_OK;
}

static rl_status fill_points(writer *w, const group *g, const curves *c) {
    const rl_range points = {g->series->data.n_rows - (int)c->n_points, (int)c->n_points};
    RL_TRY(rl_put_indices(w, "predicted_repeat", 0));
    RL_TRY(get_inputs(w, g->series, 0, points));
    RL_TRY(rl_put_values(w, "point", w->values));
    RL_TRY(rl_put_values(w, "point_target", w->stored));
    RL_TRY(fill_trainable(w, g, c, true));
    return fill_trainable(w, g, c, false);
}

/* The record has them as (N, variant, point), the file as (variant, P, N, repeat, point). */
static void take_prediction(const curves *c, const part *q, const point *at) {
    for (size_t v = 0; v < c->d.n_variants; v++) {
        const size_t row = (v * c->d.n_p * c->d.n_n + at->set) * c->n_predicted + at->repeat;
        const double *from = at->curve + at->layout->predictions + (at->k * c->d.n_variants + v) * c->n_points;
        if (row >= q->first && row < q->first + q->n)
            memcpy(q->values + (row - q->first) * q->width, from, q->width * sizeof *from);
    }
}

static void take_predictions(const curves *c, const part *q, const point *at, int n) {
    for (int i = 0; i < n; i++) take_prediction(c, q, &at[i]);
}

static rl_status fill_predictions(writer *w, const group *g, const curves *c) {
    slab s = {0};
    if (c->n_points == 0) return RL_OK;
    RL_TRY(fill_points(w, g, c));
    while (rl_next_slab(w, &c->predictions, 1, &s)) {
        const part *q = s.parts;
        for (size_t i = 0; i < q->n * q->width; i++) q->values[i] = NAN;
        RL_TRY(rl_read_slab(w, g, &s, (rl_range){0, (int)c->n_predicted}, take_predictions));
        RL_TRY(rl_put_rows(w, "prediction", q->width, q->n, q->values));
    }
    return RL_OK;
}

/* ---- the group --------------------------------------------------------------------------------------------------- */

static rl_status fill_curves(writer *w, group *g) {
    curves *c = g->state;
    RL_TRY(rl_fill_dataset(w, g, &c->d));
    RL_TRY(RL_ALLOC(c->scratch, 2 * c->n_repeats));
    RL_TRY(RL_ALLOC(c->repeated, c->d.n_variants * c->d.n_p * c->d.n_n));
    c->is_whole = rl_lacks_nothing(w, g, c);
    RL_TRY(rl_fill_fields(w, g, c));
    RL_TRY(rl_fill_spike(w, &c->d));
    RL_TRY(rl_fill_theory(w, g, &c->d));
    RL_TRY(fill_geometry(w, g, c));
    return fill_predictions(w, g, c);
}

const rl_group_writer rl_curves_writer = {measure_curves, define_curves, fill_curves, destroy_curves};
