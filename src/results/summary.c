/* The group of a data set of which summaries are kept: how many repeats have each status, and for each number of a
 * spectrum or cell how many repeats fell into each bucket, with what follows from that. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dataset.h"

typedef struct summaries {
    dataset d;
    int *buckets; /* [n_buckets]: all that the group has something in, ascending; owned */
    size_t n_buckets;
    rl_summary *list; /* [n_list], by the group's series; in memory of one group at a time; owned */
    int n_list;
} summaries;

/* ---- what there is ----------------------------------------------------------------------------------------------- */

static void forget_summaries(summaries *s) {
    for (int p = 0; p < s->n_list; p++) rl_summary_destroy(&s->list[p]);
    rl_free(s->list);
    s->list = NULL;
    s->n_list = 0;
}

static void destroy_summaries(void *state) {
    summaries *s = state;
    forget_summaries(s);
    rl_free(s->buckets);
    rl_release_dataset(&s->d);
    rl_free(s);
}

static rl_status take_summary(const taken *t, const rl_record *record, const int *target, bool *sound) {
    const summaries *s = t->g->state;
    return rl_summary_add_record(&s->list[t->p], t->series, record, target, sound);
}

/* Everything that the journal has of the group, added up. */
static rl_status read_summaries(writer *w, const group *g, summaries *s) {
    RL_TRY(RL_ALLOC(s->list, g->n_series));
    for (; s->n_list < g->n_series; s->n_list++) {
        const rl_curve_layout layout = rl_curve_layout_of(&g->series[s->n_list]);
        RL_TRY(rl_summary_create(&s->list[s->n_list], &layout));
    }
    return rl_read_group(w, g, (rl_range){0, w->plan->study->repeats}, take_summary, NULL);
}

static rl_status mark_buckets_of_field(const rl_summary *summary, const rl_field *field, rl_buckets *buckets,
                                       bool *used) {
    const rl_curve_layout *l = &summary->layout;
    const bool counted = field->kind == RL_FIELD_CELL || field->kind == RL_FIELD_SPECTRUM;
    if (!counted || field->is_count || !rl_field_present(field, l)) return RL_OK;
    const size_t n = (size_t)l->n_n_train * (field->kind == RL_FIELD_CELL ? (size_t)l->n_variants : 1);
    const rl_histogram *first = summary->histograms + rl_field_offset(field, l);
    for (const rl_histogram *h = first; h < first + n; h++) {
        RL_TRY(rl_buckets_list(buckets, h));
        for (int i = 0; i < buckets->n; i++) used[buckets->bucket[i]] = true;
    }
    return RL_OK;
}

/* Marks the buckets of all fields whose counts go into the file. */
static rl_status mark_buckets(const summaries *s, rl_buckets *buckets, bool *used) {
    for (int p = 0; p < s->n_list; p++)
        for (const rl_field *field = rl_fields; field < rl_fields + RL_N_FIELDS; field++)
            RL_TRY(mark_buckets_of_field(&s->list[p], field, buckets, used));
    return RL_OK;
}

static rl_status list_buckets(summaries *s) {
    bool *used = NULL;
    rl_buckets buckets = {0};
    size_t n = 0;
    RL_TRY(RL_ALLOC(used, RL_N_BUCKETS));
    rl_status status = mark_buckets(s, &buckets, used);
    rl_buckets_destroy(&buckets);
    for (int b = 0; b < RL_N_BUCKETS; b++) n += used[b];
    used[0] |= n == 0; /* NetCDF knows no dimension without length */
    if (status == RL_OK) status = RL_ALLOC(s->buckets, n + 1);
    for (int b = 0; status == RL_OK && b < RL_N_BUCKETS; b++)
        if (used[b]) s->buckets[s->n_buckets++] = b;
    rl_free(used);
    return status;
}

/* ---- defining ---------------------------------------------------------------------------------------------------- */

static rl_status begin_summaries(writer *w, group *g, const summaries *s) {
    static const array status = {"status", NULL, "status", .type = NC_BYTE, .least = RL_SMALL};
    const dimension dimensions[] = {
        {"variant", s->d.n_variants}, {"n_features", s->d.n_p},
        {"n_train", s->d.n_n},        {"quantile", RL_N_QUANTILES},
        {"flank", RL_N_FLANKS},       {"left_out", rl_has_table_theory(g) ? RL_N_LEFT_OUT : 0},
        {"bucket", s->n_buckets},     {"status", RL_N_STATUSES}};
    RL_TRY(rl_begin_group(w, g, dimensions, sizeof dimensions / sizeof *dimensions));
    RL_TRY(rl_describe_dataset(w, g, &s->d));
    RL_TRY(rl_define_array(w, g, &status));
    RL_TRY(rl_put_text(w, "long_name", "whether a spectrum could be computed, or why not"));
    RL_TRY(rl_put_cell_flags(w));
    return rl_put_text(w, "units", "1");
}

static rl_status define_counts(writer *w, const group *g, const rl_field *field) {
    char name[RL_ARRAY_NAME], long_name[256], dimensions[64];
    const char *coordinates = rl_field_coordinates(field);
    snprintf(name, sizeof name, "%s_bucket_count", field->name);
    snprintf(long_name, sizeof long_name, "%s, repeats whose value is in the bucket", field->long_name);
    snprintf(dimensions, sizeof dimensions, "%s bucket", rl_field_sets(field));
    RL_TRY(rl_define_array(w, g,
                           &(array){.name = name,
                                    .long_name = long_name,
                                    .dimensions = dimensions,
                                    .type = NC_INT,
                                    .least = RL_SMALL,
                                    .coordinates = coordinates,
                                    .comment = field->comment,
                                    .original = true,
                                    .in_parts = true}));
    return rl_put_text(
        w, "coordinates",
        coordinates == NULL ? "bucket_lower bucket_upper" : "ablation parameter bucket_lower bucket_upper");
}

static rl_status define_field(writer *w, const group *g, const summaries *s, const rl_field *field) {
    static const array status_count = {"status_count",
                                       "repeats with each status of the spectrum",
                                       "n_features n_train status",
                                       .type = NC_INT,
                                       .least = RL_SMALL,
                                       .original = true};
    if (field->kind == RL_FIELD_STATUS) return rl_define_array(w, g, &status_count);
    if (field->statistics == 0) return RL_OK;
    if (!field->is_count) RL_TRY(define_counts(w, g, field));
    return rl_define_statistics(w, g, &s->d, field);
}

/* Histograms are about those of a task of each series, but for what they do not have in common. */
static rl_status measure_summaries(const writer *w, group *g) {
    summaries *s;
    (void)w;
    RL_TRY(RL_ALLOC(s, 1));
    g->state = s;
    s->d.summary = true;
    RL_TRY(rl_make_dataset(g, &s->d));
    g->n_values = rl_quantile_values(&s->d);
    g->bytes = rl_dataset_state_bytes(&s->d) + rl_theory_bytes(g, &s->d);
    for (int p = 0; p < g->n_series; p++) g->bytes += rl_summary_bytes(&g->series[p]);
    return RL_OK;
}

bool rl_summaries_stay(const writer *w) {
    size_t bytes = 0;
    for (const group *g = w->groups; g < w->groups + w->n_groups; g++)
        bytes += g->writer == &rl_summary_writer ? g->bytes : 0;
    return bytes <= w->slab_bytes;
}

/* The summaries are read for their buckets: where they do not stay, those of one group at a time are in memory. */
static rl_status define_summaries(writer *w, group *g) {
    summaries *s = g->state;
    RL_TRY(rl_find_places(g, &s->d));
    RL_TRY(read_summaries(w, g, s));
    RL_TRY(list_buckets(s));
    if (!rl_summaries_stay(w)) forget_summaries(s);
    RL_TRY(begin_summaries(w, g, s));
    for (const rl_field *field = rl_fields; field < rl_fields + RL_N_FIELDS; field++)
        if (rl_field_present(field, &s->d.layout)) RL_TRY(define_field(w, g, s, field));
    RL_TRY(rl_define_spike(w, g, &s->d));
    return rl_define_theory(w, g, &s->d);
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

static rl_status fill_coordinates(writer *w, const summaries *s) {
    for (size_t b = 0; b < s->n_buckets; b++) w->values[b] = rl_bucket_lower(s->buckets[b]);
    RL_TRY(rl_put_values(w, "bucket_lower", w->values));
    for (size_t b = 0; b < s->n_buckets; b++) w->values[b] = rl_bucket_upper(s->buckets[b]);
    RL_TRY(rl_put_values(w, "bucket_upper", w->values));
    return rl_put_values(w, "status", rl_cell_status_numbers);
}

/* Every repeat has a status. */
static rl_status fill_statuses(writer *w, const summaries *s) {
    int *counts = w->stored;
    for (size_t set = 0; set < s->d.n_p * s->d.n_n; set++, counts += RL_N_STATUSES) {
        const int i = s->d.index[set];
        memset(counts, 0, RL_N_STATUSES * sizeof *counts);
        int missing = w->plan->study->repeats;
        for (int status = 0; i >= 0 && status < RL_N_STATUSES; status++) {
            counts[status] = (int)s->list[set / s->d.n_n].statuses[i][status];
            missing -= counts[status];
        }
        counts[i < 0 ? RL_CELL_NOT_ASKED : RL_CELL_MISSING] = missing;
    }
    return rl_put_values(w, "status_count", w->stored);
}

/* A set's counts in all buckets of the group. */
static void spread_counts(const summaries *s, const rl_buckets *buckets, int *counts) {
    memset(counts, 0, s->n_buckets * sizeof *counts);
    for (int k = 0, b = 0; k < buckets->n; k++) {
        while (s->buckets[b] != buckets->bucket[k]) b++;
        counts[b] = (int)buckets->count[k];
    }
}

/* Middles of buckets lie above whole numbers, below 128 by less than a half. */
static rl_reduced reduce_whole_numbers(const rl_buckets *buckets) {
    rl_reduced reduced = rl_reduce_buckets(buckets);
    reduced.median = floor(2 * reduced.median) / 2;
    return reduced;
}

/* One set of a field, reduced; and its counts, where they go into the file. */
static rl_status take_set(writer *w, const summaries *s, const rl_field *field, size_t set, rl_buckets *buckets) {
    static const rl_histogram none = {0};
    const size_t spectra = s->d.n_p * s->d.n_n, entries = rl_count_sets(&s->d, field) / spectra;
    const rl_summary *summary = &s->list[set % spectra / s->d.n_n];
    const int i = s->d.index[set % spectra];
    const size_t k = rl_field_offset(field, &summary->layout) + (size_t)i * entries + set / spectra;
    char name[RL_ARRAY_NAME];
    const double start = rl_seconds();
    RL_TRY(rl_buckets_list(buckets, i < 0 ? &none : &summary->histograms[k]));
    s->d.reduced[set] = field->is_count ? reduce_whole_numbers(buckets) : rl_reduce_buckets(buckets);
    w->seconds.reducing += rl_seconds() - start;
    if (field->is_count) return RL_OK;
    snprintf(name, sizeof name, "%s_bucket_count", field->name);
    spread_counts(s, buckets, w->stored);
    return rl_put_rows(w, name, s->n_buckets, 1, w->stored);
}

static rl_status take_field(writer *w, const summaries *s, const rl_field *field) {
    rl_buckets buckets = {0};
    rl_status status = RL_OK;
    for (size_t set = 0; status == RL_OK && set < rl_count_sets(&s->d, field); set++)
        status = take_set(w, s, field, set, &buckets);
    rl_buckets_destroy(&buckets);
    return status;
}

static rl_status fill_field(writer *w, const summaries *s, const rl_field *field) {
    if (field->kind == RL_FIELD_STATUS) return fill_statuses(w, s);
    if (field->statistics == 0) return RL_OK;
    RL_TRY(take_field(w, s, field));
    return rl_fill_statistics(w, &s->d, field);
}

static rl_status fill_summaries(writer *w, group *g) {
    summaries *s = g->state;
    RL_TRY(rl_fill_dataset(w, g, &s->d));
    RL_TRY(fill_coordinates(w, s));
    if (s->list == NULL) RL_TRY(read_summaries(w, g, s));
    for (const rl_field *field = rl_fields; field < rl_fields + RL_N_FIELDS; field++)
        if (rl_field_present(field, &s->d.layout)) RL_TRY(fill_field(w, s, field));
    RL_TRY(rl_fill_spike(w, &s->d));
    return rl_fill_theory(w, g, &s->d);
}

const rl_group_writer rl_summary_writer = {measure_summaries, define_summaries, fill_summaries, destroy_summaries};
