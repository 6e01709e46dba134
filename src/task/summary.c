/* Summaries: the curves of many repeats one after the other, of which counts are left. */
#include "ridgeless/summary.h"

#include <stdio.h>
#include <string.h>

#include "content.h"
#include "curves.h"
#include "ridgeless/arena.h"

/* Repeats whose curves wait together: enough for a histogram to be worth fetching. */
enum { BLOCK = 64 };

typedef struct summary_work {
    const rl_series *series;
    rl_curves *c;
    rl_task task;       /* under way */
    const bool *wanted; /* borrowed */
    rl_summary summary;
    int done;      /* repeats */
    double *block; /* [BLOCK, layout.length]: curves */
    int *chosen;   /* [n_n_train]: indices of the N that are wanted */
    rl_text record;
} summary_work;

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

static void list_summary_arrays(rl_arena *arena, void *object) {
    summary_work *const w = object;
    RL_TAKE(arena, w->block, BLOCK * rl_curve_layout_of(w->series).length);
    RL_TAKE(arena, w->chosen, w->series->n_n_train);
}

static void destroy_summary_work(void *buffers) {
    summary_work *w = buffers;
    rl_curves_destroy(w->c);
    rl_summary_destroy(&w->summary);
    rl_free(w->record.bytes);
    rl_free(w);
}

static rl_status create_summary_work(const rl_series *series, const rl_group *group, void **buffers) {
    const rl_curve_layout layout = rl_curve_layout_of(series);
    summary_work sizes = {.series = series}, *w;
    RL_TRY(RL_OBJECT_CREATE(&w, &sizes, list_summary_arrays));
    rl_status status = rl_curves_create(series, group, &w->c);
    if (status == RL_OK) status = rl_summary_create(&w->summary, &layout);
    if (status == RL_OK)
        *buffers = w;
    else
        destroy_summary_work(w);
    return status;
}

/* ---- computing --------------------------------------------------------------------------------------------------- */

static rl_status begin_summary(void *buffers, const rl_work *work) {
    summary_work *w = buffers;
    w->task = work->tasks[0];
    w->wanted = work->wanted;
    w->done = 0;
    w->c->by_blas = false;
    rl_summary_clear(&w->summary);
    return RL_OK;
}

/* *n: repeats of the block that are whole; all of them unless the tick said stop. */
static rl_status compute_block(summary_work *w, rl_range block, rl_tick tick, int *n) {
    const int most = rl_curves_together(w->c->series);
    for (*n = 0; *n < block.n;) {
        rl_task tasks[BLOCK];
        const int count = block.n - *n < most ? block.n - *n : most;
        for (int k = 0; k < count; k++) {
            tasks[k] = w->task;
            tasks[k].repeats = (rl_range){block.first + *n + k, 1};
        }
        RL_TRY(rl_curves_compute(w->c, tasks, count, w->wanted, tick, w->block + (size_t)*n * w->c->layout.length));
        *n += count;
    }
    return RL_OK;
}

static rl_status advance_summary(void *buffers, rl_tick tick, bool *ended) {
    summary_work *w = buffers;
    rl_status status = RL_OK;
    *ended = true;
    while (status == RL_OK && w->done < w->task.repeats.n) {
        const int remaining = w->task.repeats.n - w->done;
        const rl_range block = {w->task.repeats.first + w->done, remaining < BLOCK ? remaining : BLOCK};
        int n;
        status = compute_block(w, block, tick, &n);
        if (status != RL_OK && status != RL_STOPPED) return status;
        RL_TRY(rl_summary_add(&w->summary, w->block, n));
        w->done += n;
    }
    return status;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static rl_status append_outcomes(summary_work *w, int *n) {
    const rl_series *series = w->c->series;
    *n = 0;
    w->record.length = 0;
    for (int i = 0; i < w->task.n_train.n && w->done > 0; i++) {
        const int32_t failed = (int32_t)rl_summary_failed(w->summary.statuses[i]);
        const rl_outcome outcome = {series->n_train[w->task.n_train.first + i], failed};
        if (!rl_is_wanted(w->wanted, i)) continue;
        w->chosen[(*n)++] = i;
        RL_TRY(rl_text_append_bytes(&w->record, &outcome, sizeof outcome));
    }
    return RL_OK;
}

static rl_status record_summary(void *buffers, int i, rl_record *record) {
    summary_work *w = buffers;
    const rl_content_head head = rl_content_head_of(&w->c->layout);
    int n;
    (void)i; /* one at a time */
    RL_TRY(append_outcomes(w, &n));
    const size_t begin = w->record.length;
    if (n > 0) RL_TRY(rl_text_append_bytes(&w->record, &head, sizeof head));
    if (n > 0) RL_TRY(rl_summary_pack(&w->summary, n, w->chosen, &w->record));
    *record = (rl_record){.repeats = {w->task.repeats.first, w->done},
                          .n = n,
                          .outcomes = (const void *)w->record.bytes,
                          .step = RL_FINISHED,
                          .content = w->record.bytes + begin,
                          .length = w->record.length - begin,
                          .by_blas = w->c->by_blas};
    return RL_OK;
}

static rl_status check_summary(const rl_series *series, const rl_record *record, bool *sound) {
    return rl_summary_add_record(NULL, series, record, NULL, sound);
}

/* ---- the kind ---------------------------------------------------------------------------------------------------- */

static bool suits_summary(const rl_series *series) {
    return series->spec != NULL && series->spec->keep.summary;
}

/* A task should take no longer than some seconds, and its histograms fewer bytes than its values: a power of two about
 * as large as the work on a million repeats of one feature. By P alone, so that journals can be gone on with. */
static int longest_span(const rl_series *series) {
    enum { LONGEST = 1 << 14, WORK = 1 << 21 };
    const double p = series->n_features;
    int span = LONGEST;
    while (span > 1 && span * p * p > WORK) span /= 2;
    return span;
}

static rl_status lay_out_summary(rl_series *series) {
    RL_TRY(rl_curves_lay_out(series));
    series->longest_span = longest_span(series);
    if (!series->on_grid) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: key `keep`: a summary is asked for of dataset `%s`, whose cases are for process grids; "
                   "expected smaller ones, or `producer: lapack` and no `ranks_per_case`",
                   series->study->path, series->line, series->name);
}

/* Here over some tens of doublings. */
size_t rl_summary_bytes(const rl_series *series) {
    enum { DOUBLINGS = 32 };
    const size_t histogram = DOUBLINGS * RL_BUCKETS_PER_DOUBLING * sizeof(uint32_t) + 0x800 * sizeof(uint16_t);
    return rl_curve_layout_of(series).status * histogram;
}

static size_t bytes_of_summary(const rl_series *series) {
    summary_work sizes = {.series = series};
    return RL_OBJECT_BYTES(&sizes, list_summary_arrays) + rl_curves_bytes(series) + rl_summary_bytes(series);
}

static int64_t failed_repeats(int outcome) {
    return outcome;
}

static void complain_of_summary(const rl_record *record, char *text, size_t size) {
    long long failed = 0;
    for (int i = 0; i < record->n; i++) failed += record->outcomes[i].outcome;
    snprintf(text, size, "%lld spectra could not be computed", failed);
}

/* Some repeats of a long task. */
static double least_part_of_summary(const rl_series *series, const rl_task *task) {
    const double some = 8; /* as many as go side by side */
    (void)series;
    return task->repeats.n > some ? some / task->repeats.n : 1;
}

static double kept_bytes_of_summary(const rl_series *series, const rl_task *task) {
    const double a_histogram = 512, bytes = task->repeats.n * (double)sizeof(double);
    return (double)rl_curve_layout_of(series).length * (bytes < a_histogram ? bytes : a_histogram);
}

const rl_kind rl_summary_kind = {.name = "summary",
                                 .number = 2,
                                 RL_CURVES_WORDS,
                                 .suits = suits_summary,
                                 .lay_out = lay_out_summary,
                                 .flops = rl_curves_flops,
                                 .effort = rl_curves_effort,
                                 .bytes = bytes_of_summary,
                                 .text = rl_curves_text,
                                 .least_part = least_part_of_summary,
                                 .kept_bytes = kept_bytes_of_summary,
                                 .create = create_summary_work,
                                 .destroy = destroy_summary_work,
                                 .begin = begin_summary,
                                 .advance = advance_summary,
                                 .record = record_summary,
                                 .check = check_summary,
                                 .failed = failed_repeats,
                                 .complaint = complain_of_summary};
