/* `run --work sleep`: ranks share the tasks of a study, and sleep instead of computing. */
#include <stdio.h>

#include "cli.h"

typedef struct work {
    const rl_settings *settings;
    const rl_context *context;
    rl_prepared prepared;
    rl_todo todo; /* all that the study asks for */
    rl_progress progress;
    time_t started;
    rl_run_summary summary;
    rl_text hosts;
} work;

/* What would write, or discard, results. */
static rl_status refuse_results(const rl_settings *settings) {
    const char *option = settings->output != NULL ? "output" : settings->fresh ? "fresh" : NULL;
    if (option == NULL) return RL_OK;
    return rl_fail(
        RL_ERR_INPUT,
        "--%s: with --work sleep nothing is computed, and there is no results file; --timeline FILE or --json "
        "keeps the times",
        option);
}

static rl_status prepare_work(work *w) {
    w->started = time(NULL);
    RL_TRY(rl_prepare(w->settings, 0, &w->prepared));
    RL_TRY(rl_check_timeline(w->settings));
    return rl_todo_create_full(&w->prepared.plan, &w->todo);
}

static void begin_work(void *state) {
    work *w = state;
    rl_tell_plan(&w->prepared.plan, w->context->size);
    rl_progress_start(&w->progress, "tasks, asleep", 0, w->settings->quiet);
}

static void pass_time(void *state, int64_t done, int64_t total, double part) {
    rl_progress_show(&((work *)state)->progress, done, total, part);
}

static rl_status end_work(const work *w, rl_status ended) {
    const rl_run_report report = {.settings = w->settings,
                                  .context = w->context,
                                  .plan = &w->prepared.plan,
                                  .started = w->started,
                                  .hosts = w->hosts.bytes,
                                  .summary = &w->summary,
                                  .total_seconds = rl_seconds() - w->settings->started};
    rl_log_clear_line();
    RL_TRY(rl_write_timeline(&report));
    rl_tell_run(&report);
    if (w->settings->json) RL_TRY(rl_print_run(&report, NULL, ended));
    return ended == RL_OK ? RL_OK : rl_fail(ended, "stopped before all tasks had their sleep");
}

static rl_status share_work(work *w, rl_guard *guard) {
    const rl_sink sink = {.begin = begin_work, .progress = pass_time, .state = w};
    const double began = rl_seconds();
    const bool first = w->context->rank == 0;
    rl_run_settings run;
    RL_TRY(refuse_results(w->settings));
    RL_TRY(rl_context_agree(w->context, first ? prepare_work(w) : RL_OK));
    RL_TRY(rl_share_prepared(w->settings, w->context, &w->prepared, &run));
    RL_TRY(rl_context_hosts(w->context, &w->hosts));
    run.guard = guard;
    run.prepare_seconds = rl_seconds() - began;
    RL_TRY(rl_context_wait(w->context)); /* on a busy machine ranks come late: that is no part of the shared work */
    const rl_status ended = rl_parallel_run(w->context, &w->prepared.plan, &w->todo, &run, &sink, &w->summary);
    if (ended != RL_OK && ended != RL_STOPPED) return ended;
    return rl_context_agree(w->context, first ? end_work(w, ended) : RL_OK);
}

/* In the guard's thread: nothing can be lost, and nothing is to be written without silent ranks. */
static void save_nothing(void *state, bool now) {
    (void)state;
    (void)now;
}

static int conclude_nothing(void *state) {
    (void)state;
    return rl_exit_status(RL_STOPPED);
}

rl_status rl_run_asleep(const rl_settings *settings, const rl_context *context) {
    work w = {.settings = settings, .context = context};
    rl_guard *guard = NULL;
    const rl_guard_settings watch = {
        .silence = settings->silence, .save = save_nothing, .conclude = conclude_nothing, .state = &w};
    rl_status status = rl_guard_start(context, &watch, &guard);
    if (status == RL_OK) status = share_work(&w, guard);
    rl_guard_stop(guard);
    rl_log_clear_line();
    rl_run_summary_destroy(&w.summary);
    rl_free(w.hosts.bytes);
    rl_todo_destroy(&w.todo);
    rl_prepared_destroy(&w.prepared);
    return status;
}
