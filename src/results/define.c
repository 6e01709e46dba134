#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "writer.h"

const char *const rl_dimension_names[N_DIMENSIONS] = {
    "variant", "n_features", "n_train", "repeat",           "quantile",      "mode",   "feature",
    "row",     "axis",       "point",   "predicted_repeat", "trainable_row", "bucket", "status"};

enum {
    N_COORDINATES = 13,
    N_OTHERS = 4, /* the theory; training rows, true directions and deviations */
    N_OF_PREDICTIONS = 6,
    VARIABLES_PER_GROUP =
        N_COORDINATES + RL_N_FIELDS * (1 + RL_N_STATISTICS + RL_N_OF_SUMMARIES) + N_OTHERS + N_OF_PREDICTIONS,
    SMALL = 4096,       /* bytes of a variable that is not worth compressing */
    CHUNK = 1024 * 1024 /* bytes of a chunk, at most */
};

/* ---- variables --------------------------------------------------------------------------------------------------- */

/* Doubles are stored as they are: deflate takes a fifth off the errors of a study, and several times as long as all
 * other work of this file. Whole numbers and `packed` variables (modes, half of which do not exist) shrink well. A
 * chunk is as many trailing dimensions as fit. */
static rl_status define_storage(const writer *w, const variable *v, bool packed, int n, const size_t *lengths) {
    if (!packed && v->type == NC_DOUBLE) return RL_OK;
    if (v->count * rl_nc_type_size(v->type) < SMALL) return RL_OK;
    size_t chunk[N_DIMENSIONS], room = CHUNK / rl_nc_type_size(v->type);
    for (int d = n - 1; d >= 0; d--) {
        chunk[d] = lengths[d] < room ? lengths[d] : room;
        room /= chunk[d];
        if (room == 0) room = 1;
    }
    RL_NC(&w->file, nc_def_var_chunking(v->group, v->id, NC_CHUNKED, chunk));
    RL_NC(&w->file, nc_def_var_deflate(v->group, v->id, 1, 1, 1));
    return RL_OK;
}

static variable *last_variable(const writer *w) {
    return &w->variables[w->n_variables - 1];
}

/* Defines the next variable, over the first n of `dimensions`. */
static rl_status define_variable(writer *w, const group *g, const char *name, nc_type type, int n,
                                 const dimension *dimensions) {
    variable *v = &w->variables[w->n_variables++];
    *v = (variable){.in = w->plan->grids[g->first].data.name, .group = g->id, .type = type, .count = 1};
    snprintf(v->name, sizeof v->name, "%s", name);
    int ids[N_DIMENSIONS];
    size_t lengths[N_DIMENSIONS];
    for (int d = 0; d < n; d++) {
        ids[d] = g->dimension[dimensions[d]];
        lengths[d] = g->length[dimensions[d]];
        v->count *= lengths[d];
    }
    RL_NC(&w->file, nc_def_var(g->id, name, type, n, ids, &v->id));
    return define_storage(w, v, dimensions[n - 1] == MODE && n > 1, n, lengths);
}

static rl_status put_text(const writer *w, const char *name, const char *text) {
    const variable *v = last_variable(w);
    return text == NULL ? RL_OK : rl_nc_put_text(&w->file, v->group, v->id, name, text);
}

/* The attributes of whole-number fields. */
static rl_status describe_flags(const writer *w) {
    const variable *v = last_variable(w);
    static const int no_rank = -1;
    if (v->type == NC_INT) RL_NC(&w->file, nc_def_var_fill(v->group, v->id, NC_FILL, &no_rank));
    if (v->type != NC_BYTE) return RL_OK;
    RL_NC(&w->file, nc_put_att_schar(v->group, v->id, "flag_values", NC_BYTE, RL_N_STATUSES, rl_cell_status_numbers));
    return put_text(w, "flag_meanings", rl_cell_status_words);
}

static rl_status define_coordinates(writer *w, const group *g) {
    static const struct {
        const char *name, *long_name;
        nc_type type;
        dimension dimension;
    } coordinates[N_COORDINATES] = {
        {"variant", "ablation with its parameter", NC_STRING, VARIANT},
        {"ablation", "what is taken away from, or added to, least squares", NC_STRING, VARIANT},
        {"parameter", "parameter of the ablation", NC_DOUBLE, VARIANT},
        {"n_features", "number of features P", NC_INT, N_FEATURES},
        {"n_train", "number of training rows N", NC_INT, N_TRAIN},
        {"repeat", "repeat: one random order of the rows", NC_INT, REPEAT},
        {"quantile", "probability of the quantile", NC_DOUBLE, QUANTILE},
        {"mode", "mode, the largest singular value first", NC_INT, MODE},
        {"feature", "feature", NC_INT, FEATURE},
        {"row", "place of a training row: the training set of size N is the first N", NC_INT, ROW},
        {"bucket_lower", "lower edge of the bucket, which is in it", NC_DOUBLE, BUCKET},
        {"bucket_upper", "upper edge of the bucket, which is not in it", NC_DOUBLE, BUCKET},
        {"status", "whether a spectrum could be computed, or why not", NC_BYTE, CELL_STATUS},
    };
    for (int i = 0; i < N_COORDINATES; i++) {
        if (!g->has[coordinates[i].dimension]) continue;
        RL_TRY(define_variable(w, g, coordinates[i].name, coordinates[i].type, 1, &coordinates[i].dimension));
        RL_TRY(put_text(w, "long_name", coordinates[i].long_name));
        if (coordinates[i].type == NC_BYTE) RL_TRY(describe_flags(w));
        if (coordinates[i].type != NC_STRING) RL_TRY(put_text(w, "units", "1"));
    }
    return RL_OK;
}

/* The dimensions of a field but the last one, `repeat`; their number is returned. */
static int sets_of(const rl_field *field, dimension *dimensions) {
    int n = 0;
    if (field->kind == RL_FIELD_CELL) dimensions[n++] = VARIANT;
    dimensions[n++] = N_FEATURES;
    dimensions[n++] = N_TRAIN;
    return n;
}

/* What every variable of the field has, reduced or not. */
static rl_status describe(const writer *w, const rl_field *field, const char *long_name) {
    RL_TRY(put_text(w, "long_name", long_name));
    RL_TRY(put_text(w, "units", "1"));
    if (field->kind == RL_FIELD_CELL) RL_TRY(put_text(w, "coordinates", "ablation parameter"));
    const variable *v = last_variable(w);
    const double nan = NAN;
    if (v->type == NC_DOUBLE) RL_NC(&w->file, nc_def_var_fill(v->group, v->id, NC_FILL, &nan));
    return RL_OK;
}

static rl_status define_kept(writer *w, const group *g, const rl_field *field) {
    dimension dimensions[N_DIMENSIONS];
    int n = sets_of(field, dimensions);
    dimensions[n++] = REPEAT;
    if (field->kind == RL_FIELD_MODE || field->kind == RL_FIELD_DIRECTION) dimensions[n++] = MODE;
    if (field->kind == RL_FIELD_DIRECTION) dimensions[n++] = FEATURE;
    RL_TRY(define_variable(w, g, field->name, field->type, n, dimensions));
    last_variable(w)->original = true;
    RL_TRY(describe(w, field, field->long_name));
    RL_TRY(describe_flags(w));
    return put_text(w, "comment", field->comment);
}

/* How far what is worked out from buckets may be from what the values themselves would give. */
static rl_status comment_error(const writer *w, const rl_statistic *statistic, rl_text *comment) {
    const variable *v = last_variable(w);
    const double error = RL_BUCKET_ERROR;
    if (statistic->kind == RL_STANDARD_ERROR)
        return rl_text_append(comment, "%sof the middles of the buckets, each within %.2g of the values in it",
                              comment->length > 0 ? "; " : "", error);
    RL_NC(&w->file, nc_put_att_double(v->group, v->id, "relative_error", NC_DOUBLE, 1, &error));
    return rl_text_append(comment,
                          "%sworked out from the middles of buckets: within the relative_error of that of the "
                          "values themselves",
                          comment->length > 0 ? "; " : "");
}

static rl_status comment_statistic(const writer *w, const group *g, const rl_field *field,
                                   const rl_statistic *statistic) {
    rl_text comment = RL_TEXT_EMPTY;
    rl_status status = RL_OK;
    if (field->comment != NULL) RL_TRY_GOTO(rl_text_append(&comment, "%s", field->comment), done);
    if (field->mean_diverges && (statistic->kind & (RL_MEAN | RL_STANDARD_ERROR)) != 0)
        RL_TRY_GOTO(rl_text_append(&comment,
                                   "; for Gaussian designs means do not exist within one of the threshold (n_train = "
                                   "n_features - 1, n_features, n_features + 1): compare medians there"),
                    done);
    if (rl_group_keep(w, g)->summary) RL_TRY_GOTO(comment_error(w, statistic, &comment), done);
    if (comment.bytes != NULL) status = put_text(w, "comment", comment.bytes);
done:
    rl_free(comment.bytes);
    return status;
}

static rl_status define_statistic(writer *w, const group *g, const rl_field *field, const rl_statistic *statistic) {
    dimension dimensions[N_DIMENSIONS];
    char text[512];
    int n = sets_of(field, dimensions);
    if (statistic->kind == RL_QUANTILES) dimensions[n++] = QUANTILE;
    rl_statistic_name(field, statistic, text);
    RL_TRY(define_variable(w, g, text, statistic->type, n, dimensions));
    last_variable(w)->original = !rl_field_kept(field, rl_group_keep(w, g));
    snprintf(text, sizeof text, "%s, %s", field->long_name, statistic->long_name);
    RL_TRY(describe(w, field, text));
    RL_TRY(put_text(w, "cell_methods", statistic->cell_methods));
    if (statistic->kind != RL_COUNT) RL_TRY(comment_statistic(w, g, field, statistic));
    if (statistic->kind != RL_MEAN || (field->statistics & RL_COUNT) == 0) return RL_OK;
    snprintf(text, sizeof text, "%s_standard_error %s_count", field->name, field->name);
    return put_text(w, "ancillary_variables", text);
}

static rl_status define_cells(writer *w, const group *g, const char *name, const char *long_name, const char *comment) {
    static const dimension dimensions[] = {VARIANT, N_FEATURES, N_TRAIN};
    const double nan = NAN;
    RL_TRY(define_variable(w, g, name, NC_DOUBLE, 3, dimensions));
    RL_TRY(put_text(w, "long_name", long_name));
    RL_TRY(put_text(w, "units", "1"));
    RL_TRY(put_text(w, "coordinates", "ablation parameter"));
    RL_NC(&w->file, nc_def_var_fill(last_variable(w)->group, last_variable(w)->id, NC_FILL, &nan));
    return put_text(w, "comment", comment);
}

/* Beside what was measured: what it must be on average where the design is known, or what it comes to in a limit. */
static rl_status define_theory(writer *w, const group *g) {
    rl_sphere_task task;
    if (g->layout.has_population)
        return define_cells(
            w, g, "theory_test_mse", "exact expectation of the mean squared error on the test rows",
            "over training sets and test rows, for this teacher; infinite where the mean does not exist, absent "
            "where no finite-size formula is known");
    if (!rl_dataset_sphere_task(&w->plan->grids[g->first].data, &task)) return RL_OK;
    return define_cells(w, g, "theory_asymptotic_test_mse", "limit of the mean squared error on the test rows",
                        "as n_train, n_features and the number of inputs grow in proportion (Mei and Montanari 2022, "
                        "arXiv:1908.05355): not exact at any finite size; infinite where it diverges");
}

/* What fits of the first repeats say at the test points, with the rows that they have seen. */
static rl_status define_predictions(writer *w, const group *g) {
    static const struct {
        const char *name, *long_name;
        nc_type type;
        int n;
        dimension dimensions[5];
    } variables[N_OF_PREDICTIONS] = {
        {"predicted_repeat", "repeat whose predictions are kept", NC_INT, 1, {PREDICTED_REPEAT}},
        {"point", "input of the test point", NC_DOUBLE, 1, {POINT}},
        {"point_target", "target of the test point, without noise", NC_DOUBLE, 1, {POINT}},
        {"training_input",
         "input of a row that may train, the first of the repeat first",
         NC_DOUBLE,
         3,
         {N_FEATURES, PREDICTED_REPEAT, TRAINABLE_ROW}},
        {"training_target", "target of that row", NC_DOUBLE, 3, {N_FEATURES, PREDICTED_REPEAT, TRAINABLE_ROW}},
        {"prediction",
         "prediction at the test point",
         NC_DOUBLE,
         5,
         {VARIANT, N_FEATURES, N_TRAIN, PREDICTED_REPEAT, POINT}}};
    const double nan = NAN;
    if (g->layout.n_points == 0) return RL_OK;
    for (int i = 0; i < N_OF_PREDICTIONS; i++) {
        RL_TRY(define_variable(w, g, variables[i].name, variables[i].type, variables[i].n, variables[i].dimensions));
        RL_TRY(put_text(w, "long_name", variables[i].long_name));
        RL_TRY(put_text(w, "units", "1"));
        const variable *v = last_variable(w);
        if (variables[i].n == 5) RL_NC(&w->file, nc_def_var_fill(v->group, v->id, NC_FILL, &nan));
        last_variable(w)->original = variables[i].n == 5;
    }
    return RL_OK;
}

/* What directions are directions of: the training rows, and the population's principal axes where they are known. */
static rl_status define_geometry(writer *w, const group *g) {
    static const dimension rows[] = {REPEAT, ROW, FEATURE}, axes[] = {AXIS, FEATURE};
    if (g->layout.n_directions == 0) return RL_OK;
    RL_TRY(define_variable(w, g, "training_row", NC_DOUBLE, 3, rows));
    RL_TRY(put_text(w, "long_name", "features of the training rows"));
    RL_TRY(put_text(w, "units", "1"));
    if (w->plan->grids[g->first].data.axes == NULL) return RL_OK;
    RL_TRY(define_variable(w, g, "population_deviation", NC_DOUBLE, 1, axes));
    RL_TRY(
        put_text(w, "long_name", "standard deviation of the population along its principal axes, the largest first"));
    RL_TRY(put_text(w, "units", "1"));
    RL_TRY(define_variable(w, g, "population_direction", NC_DOUBLE, 2, axes));
    RL_TRY(put_text(w, "long_name", "principal axes of the population, one a row"));
    return put_text(w, "units", "1");
}

/* Of a summary: `what` of a field over the repeats. */
static rl_status define_summary(writer *w, const group *g, const rl_field *field, const char *what,
                                const char *long_name, bool counts) {
    dimension dimensions[N_DIMENSIONS];
    char text[512];
    int n = sets_of(field, dimensions);
    if (counts) dimensions[n++] = BUCKET;
    rl_summary_name(field, what, text);
    RL_TRY(define_variable(w, g, text, counts ? NC_INT : NC_DOUBLE, n, dimensions));
    last_variable(w)->original = true;
    snprintf(text, sizeof text, "%s, %s", field->long_name, long_name);
    RL_TRY(describe(w, field, text));
    RL_TRY(put_text(w, "comment", field->comment));
    if (!counts) return RL_OK;
    return put_text(
        w, "coordinates",
        field->kind == RL_FIELD_CELL ? "ablation parameter bucket_lower bucket_upper" : "bucket_lower bucket_upper");
}

static rl_status define_summaries(writer *w, const group *g, const rl_field *field) {
    static const dimension statuses[] = {N_FEATURES, N_TRAIN, CELL_STATUS};
    if (field->kind == RL_FIELD_STATUS) {
        RL_TRY(define_variable(w, g, "status_count", NC_INT, 3, statuses));
        last_variable(w)->original = true;
        RL_TRY(put_text(w, "long_name", "repeats with each status of the spectrum"));
        return put_text(w, "units", "1");
    }
    if (field->statistics == 0) return RL_OK;
    RL_TRY(define_summary(w, g, field, RL_BUCKET_COUNT, "repeats whose value is in the bucket", true));
    RL_TRY(define_summary(w, g, field, RL_MINIMUM, "the least over repeats", false));
    return define_summary(w, g, field, RL_MAXIMUM, "the largest over repeats", false);
}

static rl_status define_fields(writer *w, const group *g) {
    const rl_keep *keep = rl_group_keep(w, g);
    for (const rl_field *field = rl_fields; field < rl_fields + RL_N_FIELDS; field++) {
        const unsigned statistics = rl_field_statistics(field, keep);
        if (!rl_field_present(field, &g->layout)) continue;
        if (rl_field_kept(field, keep)) RL_TRY(define_kept(w, g, field));
        if (keep->summary) RL_TRY(define_summaries(w, g, field));
        for (int s = 0; s < RL_N_STATISTICS; s++)
            if (statistics & rl_statistics[s].kind) RL_TRY(define_statistic(w, g, field, &rl_statistics[s]));
    }
    RL_TRY(define_theory(w, g));
    RL_TRY(define_geometry(w, g));
    return define_predictions(w, g);
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static rl_status describe_dataset(const writer *w, const group *g) {
    const rl_grid *grid = &w->plan->grids[g->first];
    const rl_dataset *data = &grid->data;
    const size_t n_p = g->length[N_FEATURES];
    char checksum[17];
    snprintf(checksum, sizeof checksum, "%016" PRIx64, data->checksum);
    RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "source", grid->spec->source->name));
    if (grid->spec->map != NULL) RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "map", grid->spec->map->name));
    RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "data_checksum", checksum));
    if (data->teacher.isotropic && data->map == NULL)
        RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "design", "isotropic normal"));
    RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "n_rows", NC_INT, 1, &data->n_rows));
    if (grid->spec->keep.summary)
        RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "n_repeats", NC_INT, 1, &w->plan->study->repeats));
    RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "n_rows_dropped", NC_INT, 1, &data->n_dropped));
    if (n_p * sizeof(int) > RL_NC_ATTRIBUTE_LIMIT) return RL_OK; /* the coordinate says it all */
    RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "n_features", NC_INT, n_p, g->n_features));
    RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "threshold", NC_INT, n_p, g->n_features));
    if (n_p == 1 && data->n_features <= 1000 && data->beta_star != NULL)
        RL_NC(&w->file,
              nc_put_att_double(g->id, NC_GLOBAL, "beta_star", NC_DOUBLE, (size_t)data->n_features, data->beta_star));
    return RL_OK;
}

/* The coordinates n_features and n_train of a group, and the most modes that one of its grids has. */
static rl_status take_union(const writer *w, group *g, int *max_modes) {
    const rl_grid *grids = w->plan->grids;
    size_t n = 0, kept = 0;
    *max_modes = 0;
    for (int i = g->first; i < g->end; i++) n += (size_t)grids[i].n_n_train;
    RL_TRY(RL_ALLOC(g->n_features, g->end - g->first));
    RL_TRY(RL_ALLOC(g->n_train, n));
    n = 0;
    for (int i = g->first; i < g->end; i++) {
        g->n_features[i - g->first] = grids[i].data.n_features;
        memcpy(g->n_train + n, grids[i].n_train, sizeof(int) * (size_t)grids[i].n_n_train);
        n += (size_t)grids[i].n_n_train;
        if (grids[i].max_modes > *max_modes) *max_modes = grids[i].max_modes;
    }
    qsort(g->n_train, n, sizeof *g->n_train, rl_compare_ints);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || g->n_train[i] != g->n_train[kept - 1]) g->n_train[kept++] = g->n_train[i];
    g->length[N_FEATURES] = (size_t)(g->end - g->first);
    g->length[N_TRAIN] = kept;
    return RL_OK;
}

static bool is_there(int d, const group *g, const rl_grid *grid) {
    const bool directions = g->layout.n_directions > 0, summary = grid->spec->keep.summary;
    if (d == REPEAT) return !summary;
    if (d == BUCKET || d == CELL_STATUS) return summary;
    if (d == MODE) return g->layout.has_modes;
    if (d == FEATURE || d == ROW) return directions;
    if (d == AXIS) return directions && grid->data.axes != NULL;
    return d < POINT || g->layout.n_points > 0;
}

/* Directions are kept of data sets with one number of features alone. */
static rl_status measure_group(const writer *w, group *g) {
    const rl_grid *grid = &w->plan->grids[g->first];
    int max_modes;
    RL_TRY(take_union(w, g, &max_modes));
    const size_t repeats = (size_t)w->plan->study->repeats;
    g->length[VARIANT] = (size_t)g->layout.n_variants;
    g->length[REPEAT] = repeats;
    g->length[QUANTILE] = RL_N_QUANTILES;
    g->length[MODE] = (size_t)max_modes;
    g->length[FEATURE] = g->length[AXIS] = (size_t)grid->data.n_features;
    g->length[ROW] = (size_t)g->n_train[g->length[N_TRAIN] - 1];
    g->length[POINT] = (size_t)g->layout.n_points;
    g->length[PREDICTED_REPEAT] = repeats < RL_PREDICTED_REPEATS ? repeats : RL_PREDICTED_REPEATS;
    g->length[TRAINABLE_ROW] = (size_t)(grid->data.n_rows - grid->data.n_test_only);
    return grid->spec->keep.summary ? rl_measure_summaries(w, g) : RL_OK;
}

static rl_status define_group(writer *w, int first) {
    group *g = &w->groups[w->n_groups++];
    const rl_grid *grid = &w->plan->grids[first];
    *g = (group){.first = first, .end = rl_plan_end_of_dataset(w->plan, first)};
    g->layout = rl_record_layout_of(w->plan, first);
    RL_TRY(measure_group(w, g));
    RL_NC(&w->file, nc_def_grp(w->file.id, grid->data.name, &g->id));
    for (int d = 0; d < N_DIMENSIONS; d++) {
        g->has[d] = is_there(d, g, grid);
        if (!g->has[d]) continue;
        assert(g->length[d] > 0); /* NetCDF would take 0 for unlimited */
        RL_NC(&w->file, nc_def_dim(g->id, rl_dimension_names[d], g->length[d], &g->dimension[d]));
    }
    RL_TRY(describe_dataset(w, g));
    RL_TRY(define_coordinates(w, g));
    return define_fields(w, g);
}

void rl_groups_destroy(writer *w) {
    for (int i = 0; i < w->n_groups; i++) {
        rl_free(w->groups[i].n_features);
        rl_free(w->groups[i].n_train);
        rl_free(w->groups[i].buckets);
        rl_unload_summaries(&w->groups[i]);
    }
    rl_free(w->groups);
}

static rl_status describe_study(const writer *w) {
    const rl_study *study = w->plan->study;
    const int root = w->file.id;
    rl_text settings = RL_TEXT_EMPTY;
    rl_status status;
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, (uint64_t)XXH3_64bits(study->text, strlen(study->text)));
    const char *const attributes[][2] = {
        {"Conventions", "CF-1.10 ACDD-1.3"},
        {"title", study->title},
        {"summary",
         "Test and training errors of least squares and its ablations from few training rows to many, through the "
         "interpolation threshold (as many rows as features), with the singular values of the training features. One "
         "group a data set or autoencoder."},
        {"program", "ridgeless " RL_VERSION},
        {"references",
         "Schaeffer et al. 2023, Double Descent Demystified, arXiv:2303.14151, "
         "https://doi.org/10.48550/arXiv.2303.14151"},
        {"study_text", study->text},
        {"study_hash", hash},
    };
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        RL_TRY(rl_nc_put_text(&w->file, root, NC_GLOBAL, attributes[i][0], attributes[i][1]));
    RL_TRY_GOTO(rl_study_settings(study, &settings), done);
    status = rl_nc_put_text(&w->file, root, NC_GLOBAL, "settings", settings.bytes == NULL ? "" : settings.bytes);
done:
    rl_free(settings.bytes);
    return status;
}

rl_status rl_define_file(writer *w) {
    const int n = w->plan->n_grids;
    RL_TRY(RL_ALLOC(w->groups, n));
    RL_TRY(RL_ALLOC(w->variables, n * VARIABLES_PER_GROUP + w->plan->n_training_grids * RL_TRAINING_VARIABLES));
    RL_TRY(describe_study(w));
    for (int i = 0; i < n; i = w->groups[w->n_groups - 1].end) RL_TRY(define_group(w, i));
    return rl_define_trainings(w);
}
