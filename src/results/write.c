#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "writer.h"

/* ---- filling ----------------------------------------------------------------------------------------------------- */

uint64_t rl_variable_hash(const variable *v, const void *values) {
    return XXH3_64bits(values, v->count * rl_nc_type_size(v->type));
}

static variable *next_variable(writer *w, const char *name) {
    variable *v = &w->variables[w->n_filled++];
    assert(strncmp(v->name, name, strlen(name)) == 0);
    (void)name;
    return v;
}

static rl_status put_values(writer *w, const char *name, const void *values) {
    variable *v = next_variable(w, name);
    v->hash = rl_variable_hash(v, values);
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
    return put_values(w, rl_dimension_names[along], indices);
}

static rl_status fill_variants(writer *w, const group *g) {
    const rl_study_dataset *spec = w->plan->grids[g->grid].spec;
    const char **texts;
    rl_status status;
    RL_TRY(RL_ALLOC(texts, spec->n_variants));
    for (int i = 0; i < spec->n_variants; i++) texts[i] = spec->variants[i].label;
    RL_TRY_GOTO(put_texts(w, "variant", texts), done);
    for (int i = 0; i < spec->n_variants; i++) texts[i] = spec->variants[i].ablation->name;
    RL_TRY_GOTO(put_texts(w, "ablation", texts), done);
    for (int i = 0; i < spec->n_variants; i++) w->values[i] = spec->variants[i].parameter;
    status = put_values(w, "parameter", w->values);
done:
    rl_free(texts);
    return status;
}

static rl_status fill_coordinates(writer *w, const group *g) {
    const rl_grid *grid = &w->plan->grids[g->grid];
    RL_TRY(fill_variants(w, g));
    RL_TRY(put_values(w, "n_features", grid->n_features));
    RL_TRY(put_values(w, "n_train", grid->n_train));
    RL_TRY(put_indices(w, g, REPEAT, 0));
    RL_TRY(put_values(w, "quantile", rl_quantiles));
    if (g->has[MODE]) RL_TRY(put_indices(w, g, MODE, 1));
    if (!g->has[FEATURE]) return RL_OK;
    RL_TRY(put_indices(w, g, FEATURE, 1));
    return put_indices(w, g, ROW, 1);
}

static rl_cell_status status_of(const group *g, const double *record, size_t i) {
    return record == NULL ? RL_CELL_MISSING : rl_record_status(&g->layout, record, (int)i);
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

/* Takes one curve's part of a field out of its record; a curve is all N of a (P, repeat) or some. */
static rl_status gather_curve(const writer *w, const group *g, const rl_field *field, int64_t index, double *values) {
    const placement at = place(g, field);
    const rl_curve *curve = &w->plan->curves[index];
    const double *record;
    const size_t first = ((size_t)curve->p_index * g->length[N_TRAIN] + (size_t)curve->first_size) * g->length[REPEAT];
    size_t begin;
    RL_TRY(rl_journal_record(w->journal, index, &record));
    memcpy(&begin, (const char *)&g->layout + field->offset, sizeof begin);
    for (size_t i = 0; i < (size_t)curve->n_sizes; i++) {
        const rl_cell_status status = status_of(g, record, i);
        double *out = values + (first + i * g->length[REPEAT] + (size_t)curve->repeat) * at.by_spectrum;
        if (field->kind == RL_FIELD_STATUS)
            *out = status;
        else
            for (size_t k = 0; k < at.entries; k++)
                out[k * at.by_entry] = status == RL_CELL_DONE ? record[begin + i * at.entries + k] : NAN;
    }
    return RL_OK;
}

/* Collects a field of all curves into w->values; *n of them. */
static rl_status gather(writer *w, const group *g, const rl_field *field, size_t *n) {
    const rl_grid *grid = &w->plan->grids[g->grid];
    const size_t wholes = g->length[N_FEATURES] * g->length[REPEAT];
    const int64_t end = grid->first_curve + (int64_t)wholes * grid->n_parts;
    for (int64_t curve = grid->first_curve; curve < end; curve++) RL_TRY(gather_curve(w, g, field, curve, w->values));
    *n = wholes * g->length[N_TRAIN] * place(g, field).entries;
    return RL_OK;
}

static void count_failures(writer *w, size_t n) {
    for (size_t i = 0; i < n; i++) w->n_failed += w->values[i] != RL_CELL_DONE && w->values[i] != RL_CELL_MISSING;
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

static rl_status fill_field(writer *w, const group *g, const rl_field *field) {
    size_t n;
    RL_TRY(gather(w, g, field, &n));
    if (field->kind == RL_FIELD_STATUS) count_failures(w, n);
    if (rl_field_kept(field, rl_group_keep(w, g))) RL_TRY(put_values(w, field->name, convert(w, field->type, n)));
    if (field->statistics == 0) return RL_OK;
    const size_t repeats = g->length[REPEAT], sets = n / repeats;
    for (size_t i = 0; i < sets; i++) w->reduced[i] = rl_reduce(w->values + i * repeats, (int)repeats, w->scratch);
    for (int s = 0; s < RL_N_STATISTICS; s++)
        if (field->statistics & rl_statistics[s].kind)
            RL_TRY(put_values(w, field->name, extract(w, &rl_statistics[s], sets)));
    return RL_OK;
}

static rl_status fill_theory(writer *w, const group *g) {
    const rl_grid *grid = &w->plan->grids[g->grid];
    const bool known = grid->data.teacher.isotropic;
    size_t i = 0;
    rl_expectation e = {.residual_variance = rl_dataset_residual_variance(&grid->data)};
    for (int j = 0; j < grid->data.n_features; j++) e.signal += grid->data.beta_star[j] * grid->data.beta_star[j];
    for (int v = 0; v < grid->spec->n_variants; v++) {
        const rl_variant *variant = &grid->spec->variants[v];
        const bool has_formula = known && variant->ablation->expected_mse != NULL;
        for (int p = 0; p < grid->n_n_features; p++)
            for (int n = 0; n < grid->n_n_train; n++) {
                e.n_features = grid->n_features[p];
                e.n_train = grid->n_train[n];
                w->values[i++] = has_formula ? variant->ablation->expected_mse(&e, variant) : NAN;
            }
    }
    return put_values(w, "theory_test_mse", w->values);
}

/* The rows of the largest training set of every repeat, in their order. */
static rl_status fill_rows(writer *w, const group *g) {
    const rl_study *study = w->plan->study;
    const rl_dataset *data = &w->plan->grids[g->grid].data;
    const size_t n = g->length[ROW], features = g->length[FEATURE];
    double *y = NULL;
    rl_rows rows;
    RL_TRY(RL_ALLOC(y, n));
    rl_status status = rl_rows_create(&rows, data, study->random, study->seed);
    for (int repeat = 0; status == RL_OK && repeat < study->repeats; repeat++) {
        rl_rows_arrange(&rows, (uint32_t)repeat);
        rl_rows_get(&rows, 0, (int)n, w->values + (size_t)repeat * n * features, (int)features, y);
    }
    rl_rows_destroy(&rows);
    rl_free(y);
    return status == RL_OK ? put_values(w, "training_row", w->values) : status;
}

static rl_status fill_geometry(writer *w, const group *g) {
    const rl_dataset *data = &w->plan->grids[g->grid].data;
    RL_TRY(fill_rows(w, g));
    if (data->axes == NULL) return RL_OK;
    RL_TRY(put_values(w, "population_deviation", data->deviations));
    return put_values(w, "population_direction", data->axes);
}

static rl_status fill_group(writer *w, const group *g) {
    RL_TRY(fill_coordinates(w, g));
    for (int f = 0; f < RL_N_FIELDS; f++)
        if (rl_field_present(&rl_fields[f], &g->layout)) RL_TRY(fill_field(w, g, &rl_fields[f]));
    if (g->layout.has_population) RL_TRY(fill_theory(w, g));
    return g->has[FEATURE] ? fill_geometry(w, g) : RL_OK;
}

/* ---- the whole file ---------------------------------------------------------------------------------------------- */

static rl_status allocate_buffers(writer *w) {
    size_t values = 0, sets = 0, repeats = (size_t)w->plan->study->repeats;
    for (int i = 0; i < w->plan->n_grids; i++) {
        const group *g = &w->groups[i];
        const size_t spectra = g->length[N_FEATURES] * g->length[N_TRAIN];
        const size_t modes = g->has[MODE] ? g->length[MODE] : 1, features = g->has[FEATURE] ? g->length[FEATURE] : 1;
        const size_t widest = g->length[VARIANT] > modes * features ? g->length[VARIANT] : modes * features;
        const size_t rows = g->has[ROW] ? g->length[ROW] * features : 0;
        if (spectra * g->length[VARIANT] > sets) sets = spectra * g->length[VARIANT];
        if (spectra * widest * repeats > values) values = spectra * widest * repeats;
        if (rows * repeats > values) values = rows * repeats;
    }
    RL_TRY(RL_ALLOC(w->values, values));
    RL_TRY(RL_ALLOC(w->scratch, repeats));
    RL_TRY(RL_ALLOC(w->reduced, sets));
    const size_t of_trainings = rl_training_values(w->plan);
    size_t most = values > sets * RL_N_QUANTILES ? values : sets * RL_N_QUANTILES;
    if (of_trainings > most) most = of_trainings;
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
    for (int i = 0; i < w->plan->n_grids; i++) RL_TRY(fill_group(w, &w->groups[i]));
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
    if (rl_variable_hash(v, w->stored) == v->hash) return RL_OK;
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
    rl_free(w.groups);
    rl_free(w.variables);
    rl_free(w.values);
    rl_free(w.scratch);
    rl_free(w.reduced);
    rl_free(w.stored);
    return status;
}
