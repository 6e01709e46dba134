/* What the groups of data sets share: coordinates, and the statistics of their fields. */
#include "dataset.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what there is ----------------------------------------------------------------------------------------------- */

/* Every N that some series has, ascending; their number is returned. */
static size_t unite_n_train(const group *g, int *n_train) {
    size_t n = 0, kept = 0;
    for (const rl_series *s = g->series; s < g->series + g->n_series; n += (size_t)s++->n_n_train)
        memcpy(n_train + n, s->n_train, sizeof *n_train * (size_t)s->n_n_train);
    qsort(n_train, n, sizeof *n_train, rl_compare_ints);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || n_train[i] != n_train[kept - 1]) n_train[kept++] = n_train[i];
    return kept;
}

rl_status rl_make_dataset(const group *g, dataset *d) {
    size_t n = 0;
    for (int p = 0; p < g->n_series; p++) n += (size_t)g->series[p].n_n_train;
    RL_TRY(RL_ALLOC(d->n_features, g->n_series));
    RL_TRY(RL_ALLOC(d->n_train, n));
    d->series = g->series;
    d->layout = rl_curve_layout_of(g->series);
    d->n_variants = (size_t)d->layout.n_variants;
    d->n_p = (size_t)g->n_series;
    d->n_n = unite_n_train(g, d->n_train);
    RL_TRY(RL_ALLOC(d->index, d->n_p * d->n_n));
    for (size_t p = 0; p < d->n_p; p++) {
        const rl_series *s = &g->series[p];
        d->n_features[p] = s->n_features;
        for (int n_at = 0, i = 0; n_at < (int)d->n_n; n_at++) {
            const bool has = i < s->n_n_train && s->n_train[i] == d->n_train[n_at];
            d->index[p * d->n_n + (size_t)n_at] = has ? i++ : -1;
        }
    }
    return RL_OK;
}

size_t rl_dataset_state_bytes(const dataset *d) {
    const size_t n_sets = d->n_variants * d->n_p * d->n_n;
    return n_sets * sizeof *d->reduced + d->n_p * d->n_n * sizeof *d->index +
           d->n_variants * d->n_p * sizeof *d->spikes;
}

size_t rl_quantile_values(const dataset *d) {
    return d->n_variants * d->n_p * d->n_n * RL_N_QUANTILES;
}

void rl_release_dataset(dataset *d) {
    rl_free(d->n_features);
    rl_free(d->n_train);
    rl_free(d->index);
    rl_free(d->places);
    rl_free(d->moments);
    rl_free(d->reduced);
    rl_free(d->spikes);
}

/* ---- coordinates ------------------------------------------------------------------------------------------------- */

static rl_status put_attributes(const writer *w, const group *g, const dataset *d) {
    const rl_study_dataset *spec = g->series->spec;
    const rl_dataset *data = &g->series->data;
    const int one = 1;
    int steps[RL_MOST_STEPS];
    char checksum[17];
    int numbers[RL_NC_ATTRIBUTE_LIMIT / sizeof(int)]; /* of each P */
    snprintf(checksum, sizeof checksum, "%016" PRIx64, data->checksum);
    RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "source", spec->source->name));
    if (spec->map != NULL) RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "map", spec->map->name));
    RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "data_checksum", checksum));
    if (data->teacher.isotropic && data->map == NULL && !data->intercept)
        RL_TRY(rl_nc_put_text(&w->file, g->id, NC_GLOBAL, "design", "isotropic normal"));
    if (data->intercept) RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "intercept", NC_INT, 1, &one));
    RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "n_rows", NC_INT, 1, &data->n_rows));
    if (d->summary) RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "n_repeats", NC_INT, 1, &w->plan->study->repeats));
    RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "n_rows_dropped", NC_INT, 1, &data->n_dropped));
    if (d->n_p * sizeof(int) > RL_NC_ATTRIBUTE_LIMIT) return RL_OK; /* the coordinate says it all */
    RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "n_features", NC_INT, d->n_p, d->n_features));
    for (size_t p = 0; p < d->n_p; p++) numbers[p] = rl_dataset_threshold(&g->series[p].data);
    RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "threshold", NC_INT, d->n_p, numbers));
    for (size_t p = 0; p < d->n_p; p++) numbers[p] = g->series[p].data.rank;
    RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "rank", NC_INT, d->n_p, numbers));
    const int n_steps = rl_dataset_steps(&g->series[g->n_series - 1].data, steps);
    if (n_steps > 0) RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "scale_steps", NC_INT, (size_t)n_steps, steps));
    if (data->scales_apart) RL_NC(&w->file, nc_put_att_int(g->id, NC_GLOBAL, "scales_apart", NC_INT, 1, (int[]){1}));
    if (d->n_p == 1 && data->n_features <= 1000 && data->beta_star != NULL)
        RL_NC(&w->file,
              nc_put_att_double(g->id, NC_GLOBAL, "beta_star", NC_DOUBLE, (size_t)data->n_features, data->beta_star));
    return RL_OK;
}

rl_status rl_describe_dataset(writer *w, const group *g, const dataset *d) {
    static const array coordinates[] = {
        {"variant", "ablation with its parameter", "variant", .type = NC_STRING, .least = RL_SMALL},
        {"ablation", "what is taken away from, or added to, least squares", "variant", .type = NC_STRING,
         .least = RL_SMALL},
        {"parameter", "parameter of the ablation", "variant", .type = NC_DOUBLE},
        {"role", "what the ablation is to the spike: the fit itself, a factor taken away, a cure, or an attack",
         "variant", .type = NC_STRING, .least = RL_SMALL},
        {"n_features", "number of features P", "n_features", .type = NC_INT, .least = RL_SMALL},
        {"n_train", "number of training rows N", "n_train", .type = NC_INT, .least = RL_SMALL},
        {"repeat", "repeat: one random order of the rows", "repeat", .type = NC_INT, .least = RL_SMALL},
        {"quantile", "probability of the quantile", "quantile", .type = NC_DOUBLE},
        {"mode", "mode, the largest singular value first", "mode", .type = NC_INT, .least = RL_SMALL},
        {"feature", "feature", "feature", .type = NC_INT, .least = RL_SMALL},
        {"row", "place of a training row: the training set of size N is the first N", "row", .type = NC_INT,
         .least = RL_SMALL},
        {"bucket_lower", "lower edge of the bucket, which is in it", "bucket", .type = NC_DOUBLE},
        {"bucket_upper", "upper edge of the bucket, which is not in it", "bucket", .type = NC_DOUBLE},
    };
    RL_TRY(put_attributes(w, g, d));
    return rl_define_arrays(w, g, coordinates, sizeof coordinates / sizeof *coordinates);
}

static rl_status fill_variants(writer *w, const rl_study_dataset *spec) {
    const char **texts = w->stored;
    for (int i = 0; i < spec->n_variants; i++) texts[i] = spec->variants[i].label;
    RL_TRY(rl_put_values(w, "variant", texts));
    for (int i = 0; i < spec->n_variants; i++) texts[i] = spec->variants[i].ablation->name;
    RL_TRY(rl_put_values(w, "ablation", texts));
    for (int i = 0; i < spec->n_variants; i++) w->values[i] = spec->variants[i].parameter;
    RL_TRY(rl_put_values(w, "parameter", w->values));
    for (int i = 0; i < spec->n_variants; i++) texts[i] = rl_role_words[spec->variants[i].ablation->role];
    return rl_put_values(w, "role", texts);
}

rl_status rl_fill_dataset(writer *w, const group *g, dataset *d) {
    RL_TRY(RL_ALLOC(d->reduced, d->n_variants * d->n_p * d->n_n));
    RL_TRY(RL_ALLOC(d->spikes, d->n_variants * d->n_p));
    RL_TRY(fill_variants(w, g->series->spec));
    RL_TRY(rl_put_values(w, "n_features", d->n_features));
    RL_TRY(rl_put_values(w, "n_train", d->n_train));
    RL_TRY(rl_put_indices(w, "repeat", 0));
    RL_TRY(rl_put_values(w, "quantile", rl_quantiles));
    RL_TRY(rl_put_indices(w, "mode", 1));
    RL_TRY(rl_put_indices(w, "feature", g->series->data.intercept ? 0 : 1));
    return rl_put_indices(w, "row", 1);
}

rl_status rl_put_cell_flags(const writer *w) {
    return rl_put_flags(w, rl_cell_status_numbers, RL_N_STATUSES, rl_cell_status_words);
}

/* ---- statistics -------------------------------------------------------------------------------------------------- */

/* Of a field: the least and largest are of summaries, which have no values of their own. */
static bool has_statistic(const dataset *d, const rl_field *field, const rl_statistic *s) {
    const bool has_buckets = d->summary && field->statistics != 0 && !field->is_count;
    const unsigned further = has_buckets ? RL_MINIMUM | RL_MAXIMUM | RL_COUNT : 0;
    return ((field->statistics | further) & s->kind) != 0;
}

/* How far what is worked out from buckets may be from what the values themselves would give. */
static rl_status comment_error(const writer *w, const rl_statistic *s, rl_text *comment) {
    const variable *v = rl_last_variable(w);
    const char *separator = comment->length > 0 ? "; " : "";
    const double error = RL_BUCKET_ERROR;
    if (s->kind == RL_STANDARD_ERROR)
        return rl_text_append(comment, "%sof the middles of the buckets, each within %.2g of the values in it",
                              separator, error);
    RL_NC(&w->file, nc_put_att_double(v->group, v->id, "relative_error", NC_DOUBLE, 1, &error));
    return rl_text_append(comment,
                          "%sworked out from the middles of buckets: within the relative_error of that of the values "
                          "themselves",
                          separator);
}

static rl_status comment_statistic(const writer *w, const dataset *d, const rl_field *field, const rl_statistic *s) {
    rl_text comment = RL_TEXT_EMPTY;
    rl_status status = field->comment != NULL ? rl_text_append(&comment, "%s", field->comment) : RL_OK;
    if (status == RL_OK && field->mean_diverges && (s->kind & (RL_MEAN | RL_STANDARD_ERROR)) != 0)
        status = rl_text_append(&comment,
                                "; for Gaussian designs means do not exist within one of the threshold (n_train = "
                                "n_features - 1, n_features, n_features + 1): compare medians there");
    if (status == RL_OK && d->summary && (s->kind & (RL_MINIMUM | RL_MAXIMUM)) == 0)
        status = comment_error(w, s, &comment);
    if (status == RL_OK) status = rl_put_text(w, "comment", comment.bytes);
    rl_free(comment.bytes);
    return status;
}

static rl_status define_statistic(writer *w, const group *g, const dataset *d, const rl_field *field,
                                  const rl_statistic *s) {
    char name[RL_ARRAY_NAME], long_name[256], text[256];
    snprintf(name, sizeof name, "%s_%s", field->name, s->name);
    snprintf(long_name, sizeof long_name, "%s, %s", field->long_name, s->long_name);
    snprintf(text, sizeof text, "%s%s", rl_field_sets(field), s->kind == RL_QUANTILES ? " quantile" : "");
    RL_TRY(rl_define_array(w, g,
                           &(array){.name = name,
                                    .long_name = long_name,
                                    .dimensions = text,
                                    .type = s->type,
                                    .least = s->type == NC_DOUBLE ? 0 : RL_SMALL,
                                    .coordinates = rl_field_coordinates(field),
                                    .original = !rl_field_kept(field, rl_group_keep(g)),
                                    .nan = s->type == NC_DOUBLE}));
    RL_TRY(rl_put_text(w, "cell_methods", s->cell_methods));
    if (s->kind != RL_COUNT) RL_TRY(comment_statistic(w, d, field, s));
    if (s->kind != RL_MEAN || (field->statistics & RL_COUNT) == 0) return RL_OK;
    snprintf(text, sizeof text, "%s_standard_error %s_count", field->name, field->name);
    return rl_put_text(w, "ancillary_variables", text);
}

rl_status rl_define_statistics(writer *w, const group *g, const dataset *d, const rl_field *field) {
    for (const rl_statistic *s = rl_statistics; s < rl_statistics + RL_N_STATISTICS; s++)
        if (has_statistic(d, field, s)) RL_TRY(define_statistic(w, g, d, field, s));
    return RL_OK;
}

/* Each is one member of d->reduced. */
/* Of an error: those have standard errors. */
static void count_overflow(writer *w, const dataset *d, const rl_field *field) {
    const size_t n = (field->statistics & RL_STANDARD_ERROR) != 0 ? rl_count_sets(d, field) : 0;
    for (size_t i = 0; i < n; i++) {
        const rl_overflow place = {.dataset = d->series->name,
                                   .variant = d->series->spec->variants[i / (d->n_p * d->n_n)].label,
                                   .n_features = d->n_features[i / d->n_n % d->n_p],
                                   .n_train = d->n_train[i % d->n_n]};
        rl_overflow_count(&w->overflow, d->reduced[i].mean, place);
    }
}

rl_status rl_fill_statistics(writer *w, const dataset *d, const rl_field *field) {
    char name[RL_ARRAY_NAME];
    count_overflow(w, d, field);
    for (const rl_statistic *s = rl_statistics; s < rl_statistics + RL_N_STATISTICS; s++) {
        const size_t size = s->kind == RL_QUANTILES ? sizeof d->reduced->quantile : rl_nc_type_size(s->type);
        if (!has_statistic(d, field, s)) continue;
        for (size_t i = 0; i < rl_count_sets(d, field); i++)
            memcpy((char *)w->stored + i * size, (const char *)&d->reduced[i] + s->offset, size);
        snprintf(name, sizeof name, "%s_%s", field->name, s->name);
        RL_TRY(rl_put_values(w, name, w->stored));
    }
    if (field->offset == offsetof(rl_curve_layout, test_mse)) rl_take_spikes(d);
    return RL_OK;
}
