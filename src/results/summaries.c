/* The group of a data set of which summaries are kept: how many repeats have each status, and for each number of a
 * spectrum or cell how many repeats fell into each bucket, with what follows from that. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "writer.h"

/* ---- what there is ----------------------------------------------------------------------------------------------- */

static int n_grids(const group *g) {
    return g->end - g->first;
}

void rl_unload_summaries(group *g) {
    for (int p = 0; g->summaries != NULL && p < n_grids(g); p++) rl_summary_destroy(&g->summaries[p]);
    rl_free(g->summaries);
    g->summaries = NULL;
}

/* Everything that the journal has of the group, added up. */
static rl_status load(const writer *w, group *g) {
    RL_TRY(RL_ALLOC(g->summaries, n_grids(g)));
    for (int p = 0; p < n_grids(g); p++) {
        const rl_record_layout layout = rl_record_layout_of(w->plan, g->first + p);
        RL_TRY(rl_summary_create(&g->summaries[p], &layout));
    }
    for (int64_t curve = w->plan->grids[g->first].first_curve; curve < rl_end_of_curves(w, g); curve++)
        RL_TRY(rl_journal_merge_summary(w->journal, curve, &g->summaries[w->plan->curves[curve].grid - g->first]));
    return RL_OK;
}

/* Marks the buckets of all fields that go into the file. */
static rl_status mark_buckets(const group *g, rl_buckets *buckets, bool *used) {
    for (int p = 0; p < n_grids(g); p++)
        for (size_t k = 0; k < g->summaries[p].layout.status; k++) {
            RL_TRY(rl_buckets_list(buckets, &g->summaries[p].histograms[k]));
            for (int i = 0; i < buckets->n; i++) used[buckets->bucket[i]] = true;
        }
    return RL_OK;
}

static rl_status list_buckets(group *g) {
    bool *used = NULL;
    rl_buckets buckets = {0};
    size_t n = 0;
    RL_TRY(RL_ALLOC(used, RL_N_BUCKETS));
    rl_status status = mark_buckets(g, &buckets, used);
    rl_buckets_destroy(&buckets);
    for (int b = 0; b < RL_N_BUCKETS; b++) n += used[b];
    used[0] |= n == 0; /* NetCDF knows no dimension without length */
    if (status == RL_OK) status = RL_ALLOC(g->buckets, n + 1);
    for (int b = 0; status == RL_OK && b < RL_N_BUCKETS; b++)
        if (used[b]) g->buckets[g->length[BUCKET]++] = b;
    rl_free(used);
    return status;
}

rl_status rl_measure_summaries(const writer *w, group *g) {
    g->length[CELL_STATUS] = RL_N_STATUSES;
    rl_status status = load(w, g);
    if (status == RL_OK) status = list_buckets(g);
    rl_unload_summaries(g);
    return status;
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

rl_status rl_fill_bucket_coordinates(writer *w, const group *g) {
    for (size_t b = 0; b < g->length[BUCKET]; b++) w->values[b] = rl_bucket_lower(g->buckets[b]);
    RL_TRY(rl_put_values(w, "bucket_lower", w->values));
    for (size_t b = 0; b < g->length[BUCKET]; b++) w->values[b] = rl_bucket_upper(g->buckets[b]);
    RL_TRY(rl_put_values(w, "bucket_upper", w->values));
    return rl_put_values(w, "status", rl_cell_status_numbers);
}

/* The index of the group's n-th N at grid p; -1: it is not asked for there. */
static int index_of(const writer *w, const group *g, int p, size_t n) {
    const rl_grid *grid = &w->plan->grids[g->first + p];
    for (int i = 0; i < grid->n_n_train; i++)
        if (grid->n_train[i] == g->n_train[n]) return i;
    return -1;
}

/* Every repeat has a status. */
static rl_status fill_statuses(writer *w, const group *g) {
    int *counts = w->stored;
    for (int p = 0; p < n_grids(g); p++)
        for (size_t n = 0; n < g->length[N_TRAIN]; n++, counts += RL_N_STATUSES) {
            const int i = index_of(w, g, p, n);
            memset(counts, 0, RL_N_STATUSES * sizeof *counts);
            int missing = w->plan->study->repeats;
            for (int status = 0; i >= 0 && status < RL_N_STATUSES; status++) {
                counts[status] = (int)g->summaries[p].statuses[i][status];
                missing -= counts[status];
                if (status != RL_CELL_DONE) w->n_failed += counts[status];
            }
            counts[i < 0 ? RL_CELL_NOT_ASKED : RL_CELL_MISSING] = missing;
        }
    return rl_put_values(w, "status_count", w->stored);
}

/* One set of a field: its counts in all buckets of the group, and what follows from them. */
static rl_status take_set(writer *w, const group *g, const rl_histogram *h, size_t set, rl_buckets *buckets) {
    int *counts = (int *)w->stored + set * g->length[BUCKET];
    memset(counts, 0, g->length[BUCKET] * sizeof *counts);
    RL_TRY(rl_buckets_list(buckets, h));
    for (int k = 0, b = 0; k < buckets->n; k++) {
        while (g->buckets[b] != buckets->bucket[k]) b++;
        counts[b] = (int)buckets->count[k];
    }
    w->reduced[set] = rl_reduce_buckets(buckets);
    w->values[2 * set] = buckets->minimum;
    w->values[2 * set + 1] = buckets->maximum;
    return RL_OK;
}

static rl_status take_field(writer *w, const group *g, const rl_field *field, size_t *sets) {
    static const rl_histogram none = {0};
    const int entries = field->kind == RL_FIELD_CELL ? g->layout.n_variants : 1;
    rl_buckets buckets = {0};
    rl_status status = RL_OK;
    *sets = 0;
    for (int v = 0; v < entries; v++)
        for (int p = 0; p < n_grids(g); p++)
            for (size_t n = 0; status == RL_OK && n < g->length[N_TRAIN]; n++) {
                const rl_summary *s = &g->summaries[p];
                const int i = index_of(w, g, p, n);
                const size_t k = rl_field_offset(field, &s->layout) + (size_t)((i < 0 ? 0 : i) * entries + v);
                status = take_set(w, g, i < 0 ? &none : &s->histograms[k], (*sets)++, &buckets);
            }
    rl_buckets_destroy(&buckets);
    return status;
}

/* Every other one of w->values. */
static rl_status put_extremes(writer *w, const rl_field *field, const char *what, size_t sets, size_t which) {
    char name[RL_FIELD_NAME];
    double *extremes = w->stored;
    for (size_t i = 0; i < sets; i++) extremes[i] = w->values[2 * i + which];
    rl_summary_name(field, what, name);
    return rl_put_values(w, name, extremes);
}

static rl_status fill_field(writer *w, const group *g, const rl_field *field) {
    char name[RL_FIELD_NAME];
    size_t sets;
    RL_TRY(take_field(w, g, field, &sets));
    rl_summary_name(field, RL_BUCKET_COUNT, name);
    RL_TRY(rl_put_values(w, name, w->stored));
    RL_TRY(put_extremes(w, field, RL_MINIMUM, sets, 0));
    RL_TRY(put_extremes(w, field, RL_MAXIMUM, sets, 1));
    return rl_put_statistics(w, g, field, sets);
}

static rl_status fill(writer *w, const group *g) {
    for (const rl_field *field = rl_fields; field < rl_fields + RL_N_FIELDS; field++) {
        if (!rl_field_present(field, &g->layout)) continue;
        if (field->kind == RL_FIELD_STATUS) RL_TRY(fill_statuses(w, g));
        if (field->statistics != 0) RL_TRY(fill_field(w, g, field));
    }
    return RL_OK;
}

rl_status rl_fill_summaries(writer *w, group *g) {
    rl_status status = load(w, g);
    if (status == RL_OK) status = fill(w, g);
    rl_unload_summaries(g);
    return status;
}
