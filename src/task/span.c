/* Repeats of a curve one after the other, of which a summary is left. */
#include <assert.h>
#include <string.h>

#include "task_private.h"

/* Repeats whose records wait together: enough for a histogram to be worth fetching. */
enum { BLOCK = 8 * RL_BULK_LANES };

static rl_status prepare(rl_task *t) {
    if (t->block != NULL) return RL_OK;
    RL_TRY(RL_ALLOC(t->block, BLOCK * t->layout.length));
    RL_TRY(RL_ALLOC(t->span_sizes, t->layout.n_sizes));
    return rl_summary_create(&t->summary, &t->layout);
}

static int64_t count_failed(const rl_summary *s, int n_sizes, const int *sizes) {
    int64_t n = 0;
    for (int k = 0; k < n_sizes; k++)
        for (int status = 0; status < RL_N_STATUSES; status++)
            if (status != RL_CELL_DONE) n += s->statuses[sizes[k]][status];
    return n;
}

static rl_status write_record(rl_task *t, rl_repeats done, const bool *wanted, rl_text *record) {
    int n = 0;
    record->length = 0;
    for (int i = 0; i < t->layout.n_sizes; i++)
        if (wanted == NULL || wanted[i]) t->span_sizes[n++] = i;
    if (done.n == 0 || n == 0) return RL_OK;
    const double head[RL_SPAN_HEAD] = {done.first, done.n, (double)count_failed(&t->summary, n, t->span_sizes), n};
    RL_TRY(rl_text_append_bytes(record, head, sizeof head));
    for (int k = 0; k < n; k++) {
        const double size = t->span_sizes[k];
        RL_TRY(rl_text_append_bytes(record, &size, sizeof size));
    }
    return rl_summary_pack(&t->summary, n, t->span_sizes, record);
}

/* *n: repeats of the block that are whole; all of them unless the tick said stop. */
static rl_status compute_block(rl_task *t, const rl_curve *span, rl_repeats block, const bool *wanted, rl_tick tick,
                               int *n) {
    const int together = t->plan->grids[span->grid].way == RL_WAY_BULK ? rl_bulk_lanes(t->bulk) : 1;
    rl_task_clear_records(t, block.n, t->block);
    for (*n = 0; *n < block.n;) {
        rl_curve curves[RL_BULK_LANES];
        const int count = block.n - *n < together ? block.n - *n : together;
        for (int c = 0; c < count; c++) {
            curves[c] = *span;
            curves[c].repeat = block.first + *n + c;
            curves[c].n_repeats = 1;
        }
        RL_TRY(rl_task_records(t, curves, count, wanted, tick, t->block + (size_t)*n * t->layout.length));
        *n += count;
    }
    return RL_OK;
}

static rl_status compute(rl_task *t, const rl_curve *span, rl_repeats repeats, const bool *wanted, rl_tick tick,
                         int *done) {
    rl_status status = RL_OK;
    for (*done = 0; status == RL_OK && *done < repeats.n;) {
        const int left = repeats.n - *done;
        const rl_repeats block = {repeats.first + *done, left < BLOCK ? left : BLOCK};
        int n;
        status = compute_block(t, span, block, wanted, tick, &n);
        if (status != RL_OK && status != RL_STOPPED) return status;
        RL_TRY(rl_summary_add(&t->summary, t->block, n));
        *done += n;
    }
    return status;
}

rl_status rl_task_span(rl_task *t, int64_t curve, rl_repeats repeats, const bool *wanted, rl_tick tick,
                       rl_text *record) {
    const rl_curve *span = &t->plan->curves[curve];
    int done;
    assert(repeats.first >= span->repeat && repeats.first + repeats.n <= span->repeat + span->n_repeats);
    RL_TRY(rl_task_prepare(t, span));
    RL_TRY(prepare(t));
    rl_summary_clear(&t->summary);
    const rl_status status = compute(t, span, repeats, wanted, tick, &done);
    if (status != RL_OK && status != RL_STOPPED) return status;
    RL_TRY(write_record(t, (rl_repeats){repeats.first, done}, wanted, record));
    return status;
}
