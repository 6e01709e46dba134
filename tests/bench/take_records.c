/* What rank 0 has to do with a record that comes to it: it is copied out of its message, and goes into the journal.
 *    take_records STUDY OUTPUT
 * Some tasks of the study's first series are computed; their records then stand for those of all its tasks. Prints, as
 * JSON, seconds per record, bytes of a record on its way, repeats of a record, and seconds that a repeat takes to
 * compute. The journal of OUTPUT is made anew. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../src/cli/cli.h"
#include "../../src/numbers.h"
#include "ridgeless/journal.h"

static bool go_on(void *state) {
    (void)state;
    return true;
}

typedef struct computed {
    rl_text bytes; /* records, one after the other */
    int n;
    double seconds_per_repeat;
} computed;

/* The last tasks of the series, as many as go together: of summaries the longest. */
static rl_status compute(const rl_plan *plan, computed *c) {
    const int64_t end = rl_plan_end_of_tasks(plan, 0);
    const rl_series *series = plan->series;
    const rl_tick tick = {go_on, NULL};
    rl_worker *worker;
    const double until = rl_seconds() + 0.3;
    bool ended = false;
    int repeats = 0;
    c->n = (int)fmin(rl_most_together(series), (double)(end - series->first_task));
    const rl_work work = {.tasks = &plan->tasks[end - c->n], .n = c->n};
    RL_TRY(rl_worker_create(plan->series, RL_ALONE, &worker));
    rl_status status;
    c->seconds_per_repeat = INFINITY;
    for (int round = 0; round < 2 || rl_seconds() < until; round++) { /* the first makes the buffers */
        const double start = rl_seconds();
        RL_TRY_GOTO(rl_worker_begin(worker, &work), done);
        RL_TRY_GOTO(rl_worker_advance(worker, tick, &ended), done);
        c->seconds_per_repeat = fmin(c->seconds_per_repeat, rl_seconds() - start);
    }
    for (int i = 0; i < c->n && status == RL_OK; i++) {
        rl_record record;
        status = rl_worker_record(worker, i, &record);
        if (status == RL_OK) status = rl_record_append(&record, &c->bytes);
        repeats += work.tasks[i].repeats.n;
    }
    c->seconds_per_repeat /= repeats;
done:
    rl_worker_destroy(worker);
    return status;
}

/* One record for each task of the series, out of messages as long as those of many ranks are. */
static rl_status take(const rl_plan *plan, rl_journal *journal, const computed *c) {
    enum { MESSAGE_BYTES = 1 << 19 };
    rl_text message = RL_TEXT_EMPTY;
    rl_status status = RL_OK;
    for (int64_t task = 0, end = rl_plan_end_of_tasks(plan, 0); task < end && status == RL_OK;) {
        size_t used;
        message.length = 0;
        do status = rl_text_append_bytes(&message, c->bytes.bytes, c->bytes.length);
        while (status == RL_OK && message.length + c->bytes.length <= MESSAGE_BYTES);
        for (size_t at = 0; at < message.length && task < end && status == RL_OK; at += used, task++) {
            rl_record record;
            status = rl_record_read(message.bytes + at, message.length - at, &record, &used);
            record.repeats = plan->tasks[task].repeats;
            if (status == RL_OK) status = rl_journal_add(journal, task, &record);
        }
        if (status == RL_OK) status = rl_journal_write(journal);
    }
    rl_free(message.bytes);
    return status;
}

static rl_status run(const rl_prepared *p, const char *output, computed *c) {
    rl_journal *journal;
    const double n = (double)rl_plan_end_of_tasks(&p->plan, 0);
    RL_TRY(compute(&p->plan, c));
    RL_TRY(rl_journal_discard(output));
    RL_TRY(rl_journal_open(output, &p->plan, false, &journal));
    const double start = rl_seconds();
    const rl_status status = take(&p->plan, journal, c);
    const double seconds = rl_seconds() - start;
    printf(
        "{\"records\": %.0f, \"seconds_per_record\": %g, \"bytes_per_record\": %.0f, \"repeats_per_record\": %.1f, "
        "\"seconds_per_repeat\": %g}\n",
        n, seconds / n, (double)c->bytes.length / c->n, p->study.repeats / n, c->seconds_per_repeat);
    rl_journal_close(journal);
    return status;
}

int main(int argc, char **argv) {
    rl_settings settings = {.quiet = true, .skip_missing = true};
    rl_prepared prepared = {0};
    computed c = {0};
    if (argc != 3) return 2;
    settings.arguments[0] = argv[1];
    settings.output = argv[2];
    rl_status status = rl_prepare(&settings, 0, &prepared);
    if (status == RL_OK) status = run(&prepared, argv[2], &c);
    if (status != RL_OK) fprintf(stderr, "take_records: %s\n", rl_error_message());
    rl_free(c.bytes.bytes);
    rl_prepared_destroy(&prepared);
    return rl_exit_status(status);
}
