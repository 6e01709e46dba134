#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "writer.h"

/* ---- filling ----------------------------------------------------------------------------------------------------- */

static uint64_t hash_of(const variable *v, const void *values) {
    return XXH3_64bits(values, v->count * rl_nc_type_size(v->type));
}

static variable *next_variable(writer *w, const char *name) {
    variable *v = &w->variables[w->n_filled++];
    assert(strcmp(v->name, name) == 0);
    (void)name;
    return v;
}

rl_status rl_put_values(writer *w, const char *name, const void *values) {
    variable *v = next_variable(w, name);
    v->hash = hash_of(v, values);
    RL_NC(&w->file, nc_put_var(v->group, v->id, values));
    return RL_OK;
}

static rl_status put_texts(writer *w, const char *name, const char **texts) {
    const variable *v = next_variable(w, name);
    RL_NC(&w->file, nc_put_var_string(v->group, v->id, texts));
    return RL_OK;
}

/* Writes 0, 1, ... or 1, 2, ... */
static rl_status put_indices(writer *w, const group *g, dimension along, int first) {
    int *indices = w->stored;
    for (size_t i = 0; i < g->length[along]; i++) indices[i] = first + (int)i;
    return rl_put_values(w, rl_dimension_names[along], indices);
}

static rl_status fill_variants(writer *w, const group *g) {
    const rl_study_dataset *spec = w->plan->grids[g->first].spec;
    const char **texts;
    rl_status status;
    RL_TRY(RL_ALLOC(texts, spec->n_variants));
    for (int i = 0; i < spec->n_variants; i++) texts[i] = spec->variants[i].label;
    RL_TRY_GOTO(put_texts(w, "variant", texts), done);
    for (int i = 0; i < spec->n_variants; i++) texts[i] = spec->variants[i].ablation->name;
    RL_TRY_GOTO(put_texts(w, "ablation", texts), done);
    for (int i = 0; i < spec->n_variants; i++) w->values[i] = spec->variants[i].parameter;
    status = rl_put_values(w, "parameter", w->values);
done:
    rl_free(texts);
    return status;
}

static rl_status fill_coordinates(writer *w, const group *g) {
    RL_TRY(fill_variants(w, g));
    RL_TRY(rl_put_values(w, "n_features", g->n_features));
    RL_TRY(rl_put_values(w, "n_train", g->n_train));
    if (g->has[REPEAT]) RL_TRY(put_indices(w, g, REPEAT, 0));
    RL_TRY(rl_put_values(w, "quantile", rl_quantiles));
    if (g->has[BUCKET]) return rl_fill_bucket_coordinates(w, g);
    if (g->has[MODE]) RL_TRY(put_indices(w, g, MODE, 1));
    if (!g->has[FEATURE]) return RL_OK;
    RL_TRY(put_indices(w, g, FEATURE, 1));
    return put_indices(w, g, ROW, 1);
}

/* Where a field's values stand: entry k (variant, mode, mode and feature, or 0) of spectrum s = (P, N, repeat) is at k
 * * by_entry + s * by_spectrum. */
typedef struct placement {
    size_t entries, by_entry, by_spectrum;
} placement;

static placement place(const group *g, const rl_field *field) {
    const size_t spectra = g->length[N_FEATURES] * g->length[N_TRAIN] * g->length[REPEAT];
    switch (field->kind) {
        case RL_FIELD_CELL:
            return (placement){g->length[VARIANT], spectra, 1};
        case RL_FIELD_MODE:
            return (placement){g->length[MODE], 1, g->length[MODE]};
        case RL_FIELD_DIRECTION:
            return (placement){g->length[MODE] * g->length[FEATURE], 1, g->length[MODE] * g->length[FEATURE]};
        default:
            return (placement){1, spectra, 1};
    }
}

/* Takes one curve's part of a field out of its record; a curve is all N of a (P, repeat) or some. A P may have fewer
 * modes than the widest of the group. */
static rl_status gather_curve(const writer *w, const group *g, const rl_field *field, int64_t index, double *values) {
    const placement at = place(g, field);
    const rl_curve *curve = &w->plan->curves[index];
    const rl_grid *grid = &w->plan->grids[curve->grid];
    const rl_record_layout layout = rl_record_layout_of(w->plan, curve->grid);
    const size_t entries = field->kind == RL_FIELD_MODE ? (size_t)layout.max_modes : at.entries;
    const size_t row = (size_t)(curve->grid - g->first) * g->length[N_TRAIN];
    const double *record;
    const size_t begin = rl_field_offset(field, &layout);
    size_t n = 0;
    RL_TRY(rl_journal_record(w->journal, index, &record));
    for (size_t i = 0; i < (size_t)curve->n_sizes; i++) {
        const rl_cell_status status = record == NULL ? RL_CELL_MISSING : rl_record_status(&layout, record, (int)i);
        while (g->n_train[n] != grid->n_train[(size_t)curve->first_size + i]) n++;
        double *out = values + ((row + n) * g->length[REPEAT] + (size_t)curve->repeat) * at.by_spectrum;
        if (field->kind == RL_FIELD_STATUS)
            *out = status;
        else
            for (size_t k = 0; k < entries; k++)
                out[k * at.by_entry] = status == RL_CELL_DONE ? record[begin + i * entries + k] : NAN;
    }
    return RL_OK;
}

int64_t rl_end_of_curves(const writer *w, const group *g) {
    return g->end < w->plan->n_grids ? w->plan->grids[g->end].first_curve : w->plan->n_curves;
}

/* Collects a field of all curves into w->values; *n of them. */
static rl_status gather(writer *w, const group *g, const rl_field *field, size_t *n) {
    *n = g->length[N_FEATURES] * g->length[N_TRAIN] * g->length[REPEAT] * place(g, field).entries;
    for (size_t i = 0; i < *n; i++) w->values[i] = field->kind == RL_FIELD_STATUS ? RL_CELL_NOT_ASKED : NAN;
    for (int64_t curve = w->plan->grids[g->first].first_curve; curve < rl_end_of_curves(w, g); curve++)
        RL_TRY(gather_curve(w, g, field, curve, w->values));
    return RL_OK;
}

static bool is_failure(double status) {
    return status != RL_CELL_DONE && status != RL_CELL_MISSING && status != RL_CELL_NOT_ASKED;
}

static void count_failures(writer *w, size_t n) {
    for (size_t i = 0; i < n; i++) w->n_failed += is_failure(w->values[i]);
}

/* Turns w->values into the type that is stored. */
static const void *convert(writer *w, nc_type type, size_t n) {
    if (type == NC_DOUBLE) return w->values;
    int *ints = w->stored;
    signed char *bytes = w->stored;
    for (size_t i = 0; i < n; i++) {
        if (type == NC_INT)
            ints[i] = isnan(w->values[i]) ? -1 : (int)w->values[i];
        else
            bytes[i] = (signed char)w->values[i];
    }
    return w->stored;
}

/* Takes one member of w->reduced[n] out. */
static const void *extract(writer *w, const rl_statistic *statistic, size_t n) {
    const size_t size =
        statistic->kind == RL_QUANTILES ? sizeof w->reduced->quantile : rl_nc_type_size(statistic->type);
    for (size_t i = 0; i < n; i++)
        memcpy((char *)w->stored + i * size, (const char *)&w->reduced[i] + statistic->offset, size);
    return w->stored;
}

rl_status rl_put_statistics(writer *w, const group *g, const rl_field *field, size_t sets) {
    const unsigned statistics = rl_field_statistics(field, rl_group_keep(w, g));
    char name[RL_FIELD_NAME];
    for (int s = 0; s < RL_N_STATISTICS; s++) {
        if ((statistics & rl_statistics[s].kind) == 0) continue;
        rl_statistic_name(field, &rl_statistics[s], name);
        RL_TRY(rl_put_values(w, name, extract(w, &rl_statistics[s], sets)));
    }
    return RL_OK;
}

static rl_status fill_field(writer *w, const group *g, const rl_field *field) {
    size_t n;
    RL_TRY(gather(w, g, field, &n));
    if (field->kind == RL_FIELD_STATUS) count_failures(w, n);
    if (rl_field_kept(field, rl_group_keep(w, g))) RL_TRY(rl_put_values(w, field->name, convert(w, field->type, n)));
    if (field->statistics == 0) return RL_OK;
    const size_t repeats = g->length[REPEAT], sets = n / repeats;
    for (size_t i = 0; i < sets; i++) w->reduced[i] = rl_reduce(w->values + i * repeats, (int)repeats, w->scratch);
    return rl_put_statistics(w, g, field, sets);
}

/* What the exact formulas need of a grid; false where its design is another. */
static bool expectation_of(const rl_grid *grid, rl_expectation *e) {
    *e = (rl_expectation){.n_features = grid->data.n_features,
                          .residual_variance = rl_dataset_residual_variance(&grid->data)};
    for (int j = 0; j < grid->data.n_features; j++) e->signal += grid->data.beta_star[j] * grid->data.beta_star[j];
    return grid->data.teacher.isotropic;
}

/* Calls `theory` for the cells that the grid has of the group, one after the other in w->values. */
static rl_status fill_cells(writer *w, const group *g, const char *name,
                            double (*theory)(const rl_grid *grid, const rl_variant *variant, int n_train)) {
    const rl_study_dataset *spec = w->plan->grids[g->first].spec;
    size_t i = 0;
    for (int v = 0; v < spec->n_variants; v++)
        for (int p = g->first; p < g->end; p++) {
            const rl_grid *grid = &w->plan->grids[p];
            for (size_t n = 0, k = 0; n < g->length[N_TRAIN]; n++) {
                const bool asked = k < (size_t)grid->n_n_train && grid->n_train[k] == g->n_train[n];
                w->values[i++] = asked ? theory(grid, &spec->variants[v], g->n_train[n]) : NAN;
                k += asked;
            }
        }
    return rl_put_values(w, name, w->values);
}

static double exact_mse(const rl_grid *grid, const rl_variant *variant, int n_train) {
    rl_expectation e;
    if (!expectation_of(grid, &e) || variant->ablation->expected_mse == NULL) return NAN;
    e.n_train = n_train;
    return variant->ablation->expected_mse(&e, variant);
}

/* Of plain least squares alone. */
static double asymptotic_mse(const rl_grid *grid, const rl_variant *variant, int n_train) {
    const rl_dataset *d = &grid->data;
    const rl_map_use use = {.n_inputs = d->n_inputs, .n_features = d->n_features, .options = d->map_options};
    rl_sphere_task task;
    if (variant->ablation->need != RL_NEED_FIT_TO_Y || !rl_dataset_sphere_task(d, &task)) return NAN;
    task.n_train = n_train;
    return d->map->asymptotic_mse(&use, &task);
}

/* ---- predictions ------------------------------------------------------------------------------------------------- */

/* The input and target of some rows of a repeat, as they are before any map. */
static rl_status get_inputs(const writer *w, const rl_grid *grid, int repeat, int first, int count, double *x,
                            double *y) {
    const rl_study *study = w->plan->study;
    rl_dataset plain = grid->data;
    rl_rows rows = {0};
    assert(plain.n_inputs == 1); /* test points are a function's */
    plain.map = NULL;
    plain.n_features = 1;
    rl_status status = rl_rows_create(&rows, &plain, study->random, study->seed);
    if (status == RL_OK) status = rl_rows_arrange(&rows, (uint32_t)repeat);
    if (status == RL_OK) rl_rows_get(&rows, first, count, x, 1, y);
    rl_rows_destroy(&rows);
    return status;
}

static rl_status fill_test_points(writer *w, const group *g) {
    const rl_grid *grid = &w->plan->grids[g->first];
    const int n = (int)g->length[POINT];
    double *const x = w->values, *const y = w->values + n;
    RL_TRY(put_indices(w, g, PREDICTED_REPEAT, 0));
    RL_TRY(get_inputs(w, grid, 0, grid->data.n_rows - n, n, x, y));
    RL_TRY(rl_put_values(w, "point", x));
    return rl_put_values(w, "point_target", y);
}

static rl_status fill_training_rows(writer *w, const group *g) {
    const size_t n = g->length[TRAINABLE_ROW], kept = g->length[PREDICTED_REPEAT];
    double *const x = w->values, *const y = w->values + g->length[N_FEATURES] * kept * n;
    for (size_t p = 0, at = 0; p < g->length[N_FEATURES]; p++)
        for (size_t r = 0; r < kept; r++, at += n)
            RL_TRY(get_inputs(w, &w->plan->grids[g->first + (int)p], (int)r, 0, (int)n, x + at, y + at));
    RL_TRY(rl_put_values(w, "training_input", x));
    return rl_put_values(w, "training_target", y);
}

/* One curve's; the record has them as (size, variant, point). */
static rl_status gather_predictions(writer *w, const group *g, int64_t index) {
    const rl_curve *curve = &w->plan->curves[index];
    const rl_grid *grid = &w->plan->grids[curve->grid];
    const rl_record_layout layout = rl_record_layout_of(w->plan, curve->grid);
    const size_t points = g->length[POINT], kept = g->length[PREDICTED_REPEAT], variants = g->length[VARIANT];
    const double *record;
    RL_TRY(rl_journal_record(w->journal, index, &record));
    for (size_t i = 0, n = 0; record != NULL && i < (size_t)curve->n_sizes; i++) {
        while (g->n_train[n] != grid->n_train[(size_t)curve->first_size + i]) n++;
        for (size_t v = 0; v < variants; v++) {
            const size_t set = (v * g->length[N_FEATURES] + (size_t)(curve->grid - g->first)) * g->length[N_TRAIN] + n;
            memcpy(w->values + (set * kept + (size_t)curve->repeat) * points,
                   record + layout.predictions + (i * variants + v) * points, points * sizeof *record);
        }
    }
    return RL_OK;
}

static rl_status fill_predictions(writer *w, const group *g) {
    const size_t n = g->length[VARIANT] * g->length[N_FEATURES] * g->length[N_TRAIN] * g->length[PREDICTED_REPEAT] *
                     g->length[POINT];
    if (g->layout.n_points == 0) return RL_OK;
    RL_TRY(fill_test_points(w, g));
    RL_TRY(fill_training_rows(w, g));
    for (size_t i = 0; i < n; i++) w->values[i] = NAN;
    for (int64_t curve = w->plan->grids[g->first].first_curve; curve < rl_end_of_curves(w, g); curve++)
        if (w->plan->curves[curve].repeat < RL_PREDICTED_REPEATS) RL_TRY(gather_predictions(w, g, curve));
    return rl_put_values(w, "prediction", w->values);
}

/* ---- directions -------------------------------------------------------------------------------------------------- */

/* The rows of the largest training set of every repeat, in their order. */
static rl_status fill_rows(writer *w, const group *g) {
    const rl_study *study = w->plan->study;
    const rl_dataset *data = &w->plan->grids[g->first].data;
    const size_t n = g->length[ROW], features = g->length[FEATURE];
    double *y = NULL;
    rl_rows rows;
    RL_TRY(RL_ALLOC(y, n));
    rl_status status = rl_rows_create(&rows, data, study->random, study->seed);
    for (int repeat = 0; status == RL_OK && repeat < study->repeats; repeat++) {
        status = rl_rows_arrange(&rows, (uint32_t)repeat);
        if (status == RL_OK) rl_rows_get(&rows, 0, (int)n, w->values + (size_t)repeat * n * features, (int)features, y);
    }
    rl_rows_destroy(&rows);
    rl_free(y);
    return status == RL_OK ? rl_put_values(w, "training_row", w->values) : status;
}

static rl_status fill_geometry(writer *w, const group *g) {
    const rl_dataset *data = &w->plan->grids[g->first].data;
    RL_TRY(fill_rows(w, g));
    if (data->axes == NULL) return RL_OK;
    RL_TRY(rl_put_values(w, "population_deviation", data->deviations));
    return rl_put_values(w, "population_direction", data->axes);
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static rl_status fill_group(writer *w, group *g) {
    const bool summary = rl_group_keep(w, g)->summary;
    RL_TRY(fill_coordinates(w, g));
    if (summary) RL_TRY(rl_fill_summaries(w, g));
    for (int f = 0; f < RL_N_FIELDS && !summary; f++)
        if (rl_field_present(&rl_fields[f], &g->layout)) RL_TRY(fill_field(w, g, &rl_fields[f]));
    rl_sphere_task task;
    if (g->layout.has_population)
        RL_TRY(fill_cells(w, g, "theory_test_mse", exact_mse));
    else if (rl_dataset_sphere_task(&w->plan->grids[g->first].data, &task))
        RL_TRY(fill_cells(w, g, "theory_asymptotic_test_mse", asymptotic_mse));
    if (g->has[FEATURE]) RL_TRY(fill_geometry(w, g));
    return fill_predictions(w, g);
}

/* ---- the whole file ---------------------------------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static rl_status allocate_buffers(writer *w) {
    size_t values = 0, sets = 0, most_repeats = 1, counts = 0;
    for (int i = 0; i < w->n_groups; i++) {
        const group *g = &w->groups[i];
        const size_t repeats = g->has[REPEAT] ? g->length[REPEAT] : 1; /* of a summary, one set holds them all */
        const size_t spectra = g->length[N_FEATURES] * g->length[N_TRAIN];
        const size_t modes = g->has[MODE] ? g->length[MODE] : 1, features = g->has[FEATURE] ? g->length[FEATURE] : 1;
        const size_t widest = g->length[VARIANT] > modes * features ? g->length[VARIANT] : modes * features;
        const size_t rows = g->has[ROW] ? g->length[ROW] * features : 0;
        if (spectra * g->length[VARIANT] > sets) sets = spectra * g->length[VARIANT];
        if (spectra * widest * repeats > values) values = spectra * widest * repeats;
        if (rows * repeats > values) values = rows * repeats;
        most_repeats = larger(most_repeats, repeats);
        if (g->has[BUCKET]) { /* counts are ints; edges, and two extremes of each set */
            counts = larger(counts, spectra * larger(g->length[VARIANT] * g->length[BUCKET], RL_N_STATUSES) / 2 + 1);
            values = larger(values, larger(g->length[BUCKET], 2 * spectra * g->length[VARIANT]));
        }
        const size_t kept = g->layout.n_points == 0 ? 0 : g->length[PREDICTED_REPEAT];
        const size_t predictions = kept * spectra * g->length[VARIANT] * g->length[POINT];
        const size_t seen = 2 * kept * g->length[N_FEATURES] * g->length[TRAINABLE_ROW];
        values = larger(values, larger(predictions, larger(seen, 2 * g->length[POINT])));
    }
    RL_TRY(RL_ALLOC(w->values, values));
    RL_TRY(RL_ALLOC(w->scratch, most_repeats));
    RL_TRY(RL_ALLOC(w->reduced, sets));
    const size_t of_trainings = rl_training_values(w->plan);
    size_t most = values > sets * RL_N_QUANTILES ? values : sets * RL_N_QUANTILES;
    if (of_trainings > most) most = of_trainings;
    if (counts > most) most = counts;
    return rl_alloc(&w->stored, most, sizeof(double));
}

/* A list of numbers is an attribute, or, when it is too long for one, a variable. */
static rl_status write_numbers(const writer *w, int in, const char *name, int n, const double *numbers) {
    int along, id;
    char dimension_name[NC_MAX_NAME + 1];
    if ((size_t)n * sizeof *numbers <= RL_NC_ATTRIBUTE_LIMIT) {
        RL_NC(&w->file, nc_put_att_double(in, NC_GLOBAL, name, NC_DOUBLE, (size_t)n, numbers));
        return RL_OK;
    }
    snprintf(dimension_name, sizeof dimension_name, "%s_index", name);
    RL_NC(&w->file, nc_def_dim(in, dimension_name, (size_t)n, &along));
    RL_NC(&w->file, nc_def_var(in, name, NC_DOUBLE, 1, &along, &id));
    RL_NC(&w->file, nc_put_var_double(in, id, numbers));
    return RL_OK;
}

static rl_status append_digested(const rl_plan *plan, uint64_t content, rl_text *all) {
    const rl_study *study = plan->study;
    RL_TRY(rl_text_append(all, "%s\n%s\n%s\n%d\n%016" PRIx64, RL_VERSION, study->title, study->text, study->repeats,
                          content));
    for (int i = 0; i < plan->n_grids; i++)
        RL_TRY(rl_text_append(all, "\n%016" PRIx64 " %s", plan->grids[i].data.checksum, plan->grids[i].data.name));
    for (int i = 0; i < plan->n_training_grids; i++)
        RL_TRY(rl_text_append(all, "\n%s", plan->training_grids[i].spec->name));
    return RL_OK;
}

rl_status rl_results_digest(const rl_plan *plan, const rl_journal *journal, char text[RL_DIGEST_TEXT]) {
    rl_text all = RL_TEXT_EMPTY;
    const rl_status status = append_digested(plan, rl_journal_content(journal), &all);
    if (status == RL_OK) snprintf(text, RL_DIGEST_TEXT, "%016" PRIx64, (uint64_t)XXH3_64bits(all.bytes, all.length));
    rl_free(all.bytes);
    return status;
}

static rl_status write_provenance(const writer *w, const rl_provenance *p) {
    int id;
    char digest[RL_DIGEST_TEXT];
    RL_NC(&w->file, nc_def_grp(w->file.id, "provenance", &id));
    RL_TRY(rl_results_digest(w->plan, w->journal, digest));
    RL_TRY(rl_nc_put_text(&w->file, id, NC_GLOBAL, RL_DIGEST_ATTRIBUTE, digest));
    for (int i = 0; i < p->n_texts; i++) RL_TRY(rl_nc_put_text(&w->file, id, NC_GLOBAL, p->names[i], p->texts[i]));
    for (int i = 0; i < p->n_number_lists; i++)
        RL_TRY(write_numbers(w, id, p->number_names[i], p->n_numbers[i], p->numbers[i]));
    return RL_OK;
}

/* All is defined before anything is filled: the library writes definitions out each time it changes over. */
static rl_status write_content(writer *w, const rl_provenance *provenance) {
    RL_TRY(rl_define_file(w));
    RL_NC(&w->file, nc_enddef(w->file.id));
    RL_TRY(allocate_buffers(w));
    for (int i = 0; i < w->n_groups; i++) RL_TRY(fill_group(w, &w->groups[i]));
    RL_TRY(rl_fill_trainings(w));
    assert(w->n_filled == w->n_variables);
    return write_provenance(w, provenance);
}

/* Reads a variable of the finished file and compares it with what was put there. */
static rl_status verify_variable(writer *w, const variable *v) {
    int in, id;
    RL_NC(&w->file, nc_inq_grp_ncid(w->file.id, v->in, &in));
    RL_NC(&w->file, nc_inq_varid(in, v->name, &id));
    RL_NC(&w->file, nc_get_var(in, id, w->stored));
    if (hash_of(v, w->stored) == v->hash) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: `%s` of `%s` does not read back as it was written", w->file.path, v->name, v->in);
}

/* Opens the finished file again and compares every value that the journal gave. */
static rl_status verify(writer *w, const char *temporary) {
    RL_NC(&w->file, nc_open(temporary, NC_NOWRITE, &w->file.id));
    rl_status status = RL_OK;
    for (int i = 0; status == RL_OK && i < w->n_variables; i++)
        if (w->variables[i].original) status = verify_variable(w, &w->variables[i]);
    nc_close(w->file.id);
    return status;
}

static rl_status write_temporary(writer *w, const char *temporary, const char *output,
                                 const rl_provenance *provenance) {
    RL_TRY(rl_nc_create(output, &w->file));
    const rl_status status = write_content(w, provenance);
    if (status != RL_OK) {
        nc_close(w->file.id); /* the first failure is the one to tell */
        return status;
    }
    RL_TRY(rl_nc_finish(&w->file, temporary));
    return verify(w, temporary);
}

rl_status rl_results_write(const char *output, const rl_plan *plan, rl_journal *journal,
                           const rl_provenance *provenance, int64_t *n_failed) {
    writer w = {.plan = plan, .journal = journal};
    char *temporary = NULL;
    rl_status status;
    *n_failed = 0;
    RL_TRY_GOTO(rl_temporary_path(output, &temporary), done);
    if (rl_journal_is_mine(journal)) rl_remove_stale_temporaries(output); /* else one may be a living run's */
    status = write_temporary(&w, temporary, output, provenance);
    if (status == RL_OK) status = rl_replace_file(temporary, output);
    if (status == RL_OK)
        *n_failed = w.n_failed;
    else
        unlink(temporary);
done:
    rl_free(temporary);
    rl_groups_destroy(&w);
    rl_free(w.variables);
    rl_free(w.values);
    rl_free(w.scratch);
    rl_free(w.reduced);
    rl_free(w.stored);
    return status;
}
