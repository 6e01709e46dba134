/* `--timeline`: who computed what when, as a JSON object that analysis/timeline.py draws. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* For people a task is a curve or a training, or some N or repeats of it: `group` is its data set or autoencoder, P or
 * m its n_features. */
static json_t *task_json(const rl_run_report *r, const rl_timed_task *t) {
    const rl_task *task = &r->plan->tasks[t->task];
    const rl_series *series = &r->plan->series[task->series];
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f}", "group", series->name, "kind",
                     series->kind->piece, "n_features", series->n_features, "n_train",
                     series->n_train[rl_range_end(task->n_train) - 1], "repeat", task->repeats.first, "repeats",
                     t->n_repeats, "rank", t->first_rank, "ranks", t->ranks, "start", t->start - r->summary->began,
                     "seconds", t->seconds);
}

static json_t *tasks_json(const rl_run_report *r) {
    json_t *list = json_array();
    for (int64_t i = 0; i < r->summary->n_timed; i++) json_array_append_new(list, task_json(r, &r->summary->timed[i]));
    return list;
}

static json_t *busy_json(const rl_run_report *r) {
    json_t *list = json_array();
    for (int i = 0; i < r->context->size; i++)
        json_array_append_new(list, json_real(r->summary->shares[i].busy_seconds));
    return list;
}

static json_t *timeline_json(const rl_run_report *r) {
    const rl_settings *settings = r->settings;
    const rl_run_summary *s = r->summary;
    return json_pack("{s:s, s:s, s:s, s:i, s:b, s:i, s:f, s:f, s:f, s:f, s:o, s:o}", "title", r->plan->study->title,
                     "schedule", rl_schedule_name(settings->schedule), "order",
                     rl_order_name(rl_order_under(settings->schedule, settings->order)), "chunk", settings->chunk,
                     "slept", settings->sleeps, "ranks", r->context->size, "began", s->began, "seconds", s->seconds,
                     "imbalance", s->imbalance, "processor_share", s->processor_share, "rank_busy_seconds",
                     busy_json(r), "tasks", tasks_json(r));
}

rl_status rl_check_timeline(const rl_settings *settings) {
    rl_temporary temporary;
    if (settings->timeline == NULL) return RL_OK;
    RL_TRY(rl_temporary_open(settings->timeline, &temporary));
    rl_temporary_discard(&temporary);
    return RL_OK;
}

static rl_status replace_file(const char *path, const char *text) {
    rl_temporary temporary;
    RL_TRY(rl_temporary_open(path, &temporary));
    rl_status status = rl_temporary_write(&temporary, text, strlen(text));
    if (status == RL_OK) status = rl_temporary_write(&temporary, "\n", 1);
    if (status == RL_OK) status = rl_temporary_put_in_place(&temporary);
    rl_temporary_discard(&temporary);
    return status;
}

rl_status rl_write_timeline(const rl_run_report *report) {
    if (report->settings->timeline == NULL) return RL_OK;
    json_t *timeline = timeline_json(report);
    char *text = timeline != NULL ? json_dumps(timeline, JSON_INDENT(1)) : NULL;
    json_decref(timeline);
    if (text == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not write %s", report->settings->timeline);
    const rl_status status = replace_file(report->settings->timeline, text);
    free(text);
    return status;
}
