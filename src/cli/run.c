/* `run`, `retry` and `assemble`: what a study lacks is computed, or also what failed, where another try may change
 * that, or nothing more; and its results file is written. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* A run; but for the first two and what is shared, on rank 0. */
typedef struct work {
    const rl_settings *settings;
    const rl_context *context;
    rl_prepared prepared;
    _Atomic(rl_journal *) journal; /* also read by the guard's thread */
    bool journal_failed;           /* it is only to be closed */
    rl_progress progress;
    rl_todo todo;
    int64_t n_retried;            /* points of it that failed before */
    rl_noun nouns[RL_MOST_NOUNS]; /* in the order of the plan; see count_nouns */
    int n_nouns;
    time_t started;
    rl_run_summary summary;
    rl_arithmetics arithmetics;
    rl_text hosts;
    rl_results_seconds results_seconds;
    double began;  /* rl_seconds() when ranks began to share the work; 0: they have not */
    bool is_ended; /* the results file is written, or cannot be */
} work;

/* ---- what there is ----------------------------------------------------------------------------------------------- */

static rl_noun *find_noun(work *w, const rl_kind *kind) {
    int i = 0;
    while (i < w->n_nouns && w->nouns[i].kind != kind) i++;
    if (i == w->n_nouns && w->n_nouns + 1 < RL_MOST_NOUNS) w->nouns[w->n_nouns++] = (rl_noun){.kind = kind};
    return &w->nouns[i];
}

static void add_tally(rl_tally *sum, const rl_tally *t) {
    sum->pieces += t->pieces;
    sum->done += t->done;
    sum->begun += t->begun;
    sum->points += t->points;
    sum->points_done += t->points_done;
    sum->points_missing += t->points_missing;
    sum->points_failed += t->points_failed;
}

/* As the journal stands. */
static void count_nouns(work *w) {
    const rl_plan *plan = &w->prepared.plan;
    w->n_nouns = 0;
    for (int i = 0, end; i < plan->n_series; i = end) {
        end = rl_plan_end_of_group(plan, i);
        const rl_tally t = rl_journal_tally(w->journal, plan, i, end);
        add_tally(&find_noun(w, rl_kind_noun(plan->series[i].kind))->tally, &t);
    }
}

/* ---- what rank 0 keeps ------------------------------------------------------------------------------------------- */

/* The first point that failed is the end of a run with --fail-fast. */
static rl_status check_record(const rl_plan *plan, int64_t task, const rl_record *record) {
    const rl_kind *kind = plan->series[plan->tasks[task].series].kind;
    char text[RL_LIST_TEXT], complaint[RL_LIST_TEXT];
    if (record->step != RL_FINISHED || rl_record_failed(kind, record) == 0) return RL_OK;
    rl_plan_text(plan, task, text, sizeof text);
    kind->complaint(record, complaint, sizeof complaint);
    return rl_fail(RL_ERR_CELLS, "%s: %s; without --fail-fast the run goes on", text, complaint);
}

static rl_status keep_record(void *state, int64_t task, const rl_record *record) {
    work *w = state;
    if (w->journal_failed) return RL_OK; /* which ends the run already */
    const rl_status status = rl_journal_add(w->journal, task, record);
    w->journal_failed = status != RL_OK;
    return status == RL_OK && w->settings->fail_fast ? check_record(&w->prepared.plan, task, record) : status;
}

static rl_status flush_records(void *state) {
    work *w = state;
    if (w->journal_failed) return RL_OK;
    const rl_status status = rl_journal_write(w->journal);
    w->journal_failed = status != RL_OK;
    return status;
}

static rl_status check_journal(void *state) {
    work *w = state;
    if (w->journal_failed) return RL_OK;
    const rl_status status = rl_journal_trouble(w->journal);
    w->journal_failed = status != RL_OK;
    return status;
}

static rl_status take_state(void *bytes, const rl_record *record, const int *target) {
    (void)target;
    return record->step == RL_FINISHED ? RL_OK : rl_record_append(record, bytes);
}

static rl_status find_state(void *state, int64_t task, rl_text *bytes, bool *there) {
    const size_t before = bytes->length;
    const rl_status status = rl_journal_visit(((const work *)state)->journal, task, take_state, bytes);
    *there = bytes->length > before;
    return status;
}

static void pass_time(void *state, int64_t done, int64_t total, double part) {
    rl_progress_show(&((work *)state)->progress, done, total, part);
}

/* In the guard's thread. */
static void save_journal(void *state, bool now) {
    rl_journal *journal = ((work *)state)->journal;
    if (journal != NULL) rl_journal_sync(journal, now);
}

/* ---- the start --------------------------------------------------------------------------------------------------- */

/* "12 of 100 curves". */
static const char *part_text(int64_t n, int64_t of, const char *what, char text[RL_LIST_TEXT]) {
    char part[32], whole[32];
    snprintf(text, RL_LIST_TEXT, "%s of %s %s", rl_count_text(n, part), rl_count_text(of, whole), what);
    return text;
}

/* " (a curve: all N of one repeat)"; "" where the word needs none. */
static const char *gloss_text(const char *gloss, char text[RL_LIST_TEXT]) {
    text[0] = '\0';
    if (gloss != NULL) snprintf(text, RL_LIST_TEXT, " (%s)", gloss);
    return text;
}

static void tell_of_noun(const rl_noun *n) {
    const rl_kind *kind = n->kind;
    char text[RL_LIST_TEXT], gloss[RL_LIST_TEXT];
    if (n->tally.done > 0)
        rl_info("%s are in the journal already%s", part_text(n->tally.done, n->tally.pieces, kind->pieces, text),
                gloss_text(kind->piece_gloss, gloss));
    if (n->tally.begun > 0)
        rl_info("%s %s %s", rl_count_text(n->tally.begun, text), n->tally.begun == 1 ? kind->piece : kind->pieces,
                kind->restorable ? "go on from where they were left" : "are partly done");
}

static void tell_what_is_there(const work *w) {
    char text[32];
    for (int i = 0; i < w->n_nouns; i++) tell_of_noun(&w->nouns[i]);
    for (int i = 0; i < w->n_nouns && w->settings->command == RL_RETRY; i++) {
        const rl_noun *n = &w->nouns[i];
        if (n->kind->lasting == NULL) continue;
        rl_info("%s failed %s are done again", rl_count_text(w->n_retried, text), n->kind->points);
        if (w->n_retried < n->tally.points_failed)
            rl_info("%s more %s", rl_count_text(n->tally.points_failed - w->n_retried, text), n->kind->lasting);
    }
}

static rl_status open_journal(work *w) {
    const char *output = w->prepared.output;
    rl_journal *journal;
    RL_TRY(rl_journal_open(output, &w->prepared.plan, w->settings->command == RL_ASSEMBLE, &journal));
    w->journal = journal;
    if (journal != NULL) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s.journal: is not there: nothing of the study is done; expected one of `ridgeless run`", output);
}

/* The rate that is shown is of errors, where a piece is more than one of its points. */
static void start_progress(work *w) {
    const rl_count n = rl_todo_count(&w->todo, &w->prepared.plan, NULL);
    char pieces[RL_LIST_TEXT] = "";
    for (int i = 0; i < w->n_nouns; i++) rl_join(pieces, "%s", w->nouns[i].kind->pieces);
    const bool rate = w->n_nouns == 1 && n.pieces > 0 && !rl_kind_is_point(w->nouns[0].kind);
    rl_progress_start(&w->progress, pieces, rate ? (double)n.cells / (double)n.pieces : 0, w->settings->quiet);
}

static void begin_work(void *state) {
    work *w = state;
    if (w->settings->command != RL_ASSEMBLE) rl_tell_plan(&w->prepared.plan, w->context->size);
    tell_what_is_there(w);
    start_progress(w);
}

/* Everything that can be wrong with the input is found here, before any rank starts to work. */
static rl_status prepare_work(work *w) {
    char rows[RL_ROWS_TEXT];
    w->started = time(NULL);
    RL_TRY(rl_prepare(w->settings, 0, &w->prepared));
    for (int i = 0; i < w->prepared.plan.n_datasets; i++) {
        const rl_dataset *data = &w->prepared.plan.datasets[i];
        (data->n_dropped > 0 ? rl_info : rl_debug)("%s: %s, %d features, from %s; rank %d", data->name,
                                                   rl_rows_text(data->n_rows, data->n_dropped, rows), data->n_features,
                                                   data->origin, data->rank);
    }
    RL_TRY(rl_check_timeline(w->settings));
    if (w->settings->fresh) RL_TRY(rl_results_discard(w->prepared.output));
    RL_TRY(rl_results_check_output(w->prepared.output, &w->prepared.plan));
    RL_TRY(open_journal(w));
    RL_TRY(rl_todo_create(&w->prepared.plan, &w->todo));
    if (w->settings->command != RL_ASSEMBLE)
        RL_TRY(
            rl_list_missing(&w->prepared.plan, w->journal, w->settings->command == RL_RETRY, &w->todo, &w->n_retried));
    count_nouns(w);
    return RL_OK;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

/* How the study stands, by its nouns. */
static rl_status judge_study(const work *w) {
    const char *output = w->prepared.output;
    char missing[RL_LIST_TEXT] = "", part[RL_LIST_TEXT], gloss[RL_LIST_TEXT] = "";
    for (int i = 0; i < w->n_nouns; i++) {
        const rl_tally *t = &w->nouns[i].tally;
        const rl_kind *kind = w->nouns[i].kind;
        if (t->points_missing == 0) continue;
        rl_join(missing, "%s", part_text(t->points_missing, t->points, kind->points, part));
        if (kind->point_gloss != NULL) gloss_text(kind->point_gloss, gloss);
    }
    if (missing[0] != '\0')
        return rl_fail(RL_STOPPED, "%s: %s are missing; `ridgeless run` computes them%s", output, missing, gloss);
    for (int i = 0; i < w->n_nouns; i++) {
        const rl_tally *t = &w->nouns[i].tally;
        const rl_kind *kind = w->nouns[i].kind;
        if (t->points_failed > 0)
            return rl_fail(RL_ERR_CELLS, "%s: %s %s", output,
                           part_text(t->points_failed, t->points, kind->points, part), kind->fate);
    }
    return RL_OK;
}

static rl_run_report report_of(const work *w) {
    return (rl_run_report){.settings = w->settings,
                           .context = w->context,
                           .plan = &w->prepared.plan,
                           .output = w->prepared.output,
                           .started = w->started,
                           .hosts = w->hosts.bytes,
                           .summary = &w->summary,
                           .total_seconds = rl_seconds() - w->settings->started,
                           .results_seconds = w->results_seconds,
                           .nouns = w->nouns,
                           .n_nouns = w->n_nouns};
}

/* Seconds in which helpers have to come back. */
static const double patience = 5;

/* As helpers do it. */
static void reduce_set(const double *set, int n, int with_moments, double *room, void *result) {
    const rl_reduced reduced = (with_moments ? rl_reduce : rl_reduce_without_moments)(set, n, room);
    memcpy(result, &reduced, sizeof reduced);
}

static bool give_sets(void *helpers, const double *sets, size_t n, size_t width, bool with_moments,
                      rl_reduced *reduced) {
    return rl_helpers_give(helpers, sets, n, width, with_moments, reduced);
}

static void await_sets(void *helpers) {
    rl_helpers_await(helpers);
}

static bool ask_member(void *helpers, int member, const void *job, size_t length) {
    return rl_helpers_ask(helpers, member, job, length);
}

static bool take_answer(void *helpers, int member, void *bytes, size_t length) {
    return rl_helpers_take(helpers, member, bytes, length);
}

/* As helpers do larger jobs. */
static void give_answer(void *helpers, const void *bytes, size_t length) {
    rl_helpers_answer(helpers, bytes, length);
}

static void do_job(void *member, rl_helpers *helpers, const void *bytes, size_t length) {
    (void)length;
    rl_crew_member_work(member, bytes, give_answer, helpers);
}

/* helpers NULL: there are none. */
static rl_status write_results(work *w, rl_helpers *helpers) {
    const int n = helpers != NULL ? rl_helpers_count(helpers) : 0;
    const rl_crew crew = {give_sets, await_sets, n, patience, ask_member, take_answer, helpers};
    const rl_run_report report = report_of(w);
    rl_provenance provenance = {0};
    rl_status status =
        w->todo.n > 0 ? RL_OK : rl_check_memory(w->settings, &w->prepared.plan, w->journal, (double)w->todo.n, 1);
    if (status == RL_OK) status = rl_make_provenance(&report, &provenance);
    if (status == RL_OK) status = rl_add_arithmetic(w->journal, &provenance);
    if (status == RL_OK)
        status = rl_results_write(w->prepared.output, report.plan, w->journal, &provenance,
                                  helpers != NULL ? &crew : NULL, &w->results_seconds);
    rl_provenance_destroy(&provenance);
    return status;
}

static rl_status finish_study(work *w, rl_helpers *helpers) {
    const char *output = w->prepared.output;
    rl_log_clear_line();
    const bool current = w->todo.n == 0 && rl_results_are_current(output, &w->prepared.plan, w->journal);
    if (current)
        rl_info("%s is up to date: it has all that is in the journal", output);
    else
        RL_TRY(write_results(w, helpers));
    w->summary.shares[0].peak_memory = rl_peak_memory(); /* which a results file may take more of than computing */
    count_nouns(w);
    const rl_run_report report = report_of(w);
    rl_tell_run(&report);
    if (!w->settings->json) printf("%s\n", output);
    const rl_status judged = judge_study(w);
    if (current && judged == RL_OK) rl_results_touch(output);
    return judged;
}

/* Why a run ended early, and what comes next. */
static rl_status report_stop(const work *w) {
    char reason[RL_LIST_TEXT] = "stopped by a signal to another rank:", done[RL_LIST_TEXT] = "", begun[64] = "";
    char part[RL_LIST_TEXT], gloss[RL_LIST_TEXT] = "";
    const rl_kind *missing = NULL;
    for (int i = 0; i < w->n_nouns; i++) {
        const rl_tally *t = &w->nouns[i].tally;
        const rl_kind *kind = w->nouns[i].kind;
        if (missing == NULL && t->done < t->pieces) missing = kind;
        rl_join(done, "%s", part_text(t->done, t->pieces, kind->pieces, part));
        if (kind->piece_gloss != NULL) gloss_text(kind->piece_gloss, gloss);
        if (kind->restorable && t->begun > 0)
            snprintf(begun, sizeof begun, ", and %s are begun and kept as they were", rl_count_text(t->begun, part));
    }
    if (rl_stop_signal() != NULL)
        snprintf(reason, sizeof reason, "stopped by %s:", rl_stop_signal());
    else if (isfinite(w->settings->time_left))
        snprintf(reason, sizeof reason, "stopped: no other %s would have ended in the time left;",
                 missing != NULL ? missing->piece : "piece");
    return rl_fail(RL_STOPPED, "%s %s are done%s; run again to go on%s", reason, done, begun, gloss);
}

/* On rank 0: the results file, and what there is to say, in the end as one object of JSON. */
static rl_status end_study(work *w, bool stopped, rl_helpers *helpers) {
    w->is_ended = true;
    rl_status status = finish_study(w, helpers);
    if (status == RL_STOPPED && stopped) status = report_stop(w);
    const rl_run_report report = report_of(w);
    const rl_status kept = rl_write_timeline(&report);
    if (status == RL_OK) status = kept;
    const bool written = status == RL_OK || status == RL_STOPPED || status == RL_ERR_CELLS;
    if (w->settings->json && written) RL_TRY(rl_print_run(&report, w->journal, status));
    return status;
}

/* In a thread of the guard's, while the main one waits for ranks that do not answer: what ranks did, nobody knows. */
static rl_status end_without_ranks(work *w) {
    if (w->began == 0) return rl_fail(RL_STOPPED, "nothing was begun; run again to go on");
    if (w->journal_failed) return RL_ERR_IO; /* the last message says why */
    RL_TRY(rl_journal_write(w->journal));
    rl_results_be_quiet();
    w->summary.seconds = rl_seconds() - w->began;
    if (w->summary.shares == NULL) RL_TRY(RL_ALLOC(w->summary.shares, w->context->size));
    const rl_status status = end_study(w, true, NULL);
    return status != RL_OK ? status : rl_fail(RL_STOPPED, "%s: has all of the study", w->prepared.output);
}

static int conclude(void *state) {
    work *w = state;
    if (w->is_ended) return rl_exit_status(RL_STOPPED);
    const rl_status status = end_without_ranks(w);
    rl_log_clear_line();
    fprintf(stderr, "ridgeless: %s\n", rl_error_message());
    fflush(stdout);
    return rl_exit_status(status);
}

/* Rank 0 writes, and others help. */
static rl_status write_study(work *w, bool stopped, rl_guard *guard) {
    const bool first = w->context->rank == 0;
    rl_crew_member *member = NULL;
    rl_helpers *helpers = NULL;
    rl_todo_forget_items(&w->todo);
    rl_guard_doing(guard, "writing the results file");
    rl_status status = rl_context_agree(w->context, first ? RL_OK : rl_crew_member_create(&w->prepared.plan, &member));
    const rl_helper_work help = {reduce_set, sizeof(rl_reduced), patience, do_job, member};
    if (status == RL_OK) status = rl_helpers_create(w->context, &help, &helpers);
    if (status == RL_OK && first) {
        rl_guard_hold(guard);
        status = end_study(w, stopped, helpers);
        rl_guard_release(guard);
        rl_helpers_release(helpers);
    } else if (status == RL_OK) {
        rl_help(helpers);
    }
    rl_helpers_destroy(helpers);
    rl_crew_member_destroy(member);
    rl_guard_doing(guard, "ending");
    return status;
}

/* Computes and writes what there is to write. */
static rl_status compute_study(work *w, const rl_run_settings *run) {
    const rl_sink sink = {.begin = begin_work,
                          .record = keep_record,
                          .flush = flush_records,
                          .restore = find_state,
                          .check = check_journal,
                          .progress = pass_time,
                          .state = w};
    const bool first = w->context->rank == 0;
    rl_status status = rl_context_agree(
        w->context,
        first ? rl_tell_arithmetic(&w->prepared.plan, &w->todo, w->journal, &w->arithmetics, w->context->size) : RL_OK);
    if (status != RL_OK) return status;
    RL_TRY(rl_context_hosts(w->context, &w->hosts));
    w->began = rl_seconds();
    status = rl_parallel_run(w->context, &w->prepared.plan, &w->todo, run, &sink, &w->summary);
    const bool stopped = status == RL_STOPPED;
    if (stopped) status = RL_OK;
    if (status == RL_OK) status = write_study(w, stopped, run->guard);
    return rl_context_agree(w->context, status);
}

/* Rather now than after hours. */
static rl_status check_memory(const work *w) {
    int ranks;
    RL_TRY(rl_context_node_size(w->context, &ranks));
    const bool first = w->context->rank == 0 && w->todo.n > 0;
    return rl_context_agree(
        w->context,
        first ? rl_check_memory(w->settings, &w->prepared.plan, w->journal, (double)w->todo.n, ranks) : RL_OK);
}

static rl_status run_study(work *w, rl_guard *guard) {
    const double began = rl_seconds();
    rl_run_settings run;
    rl_guard_hold(guard);
    const rl_status prepared = w->context->rank == 0 ? prepare_work(w) : RL_OK;
    rl_guard_release(guard);
    RL_TRY(rl_context_agree(w->context, prepared));
    RL_TRY(rl_share_prepared(w->settings, w->context, &w->prepared, &run));
    RL_TRY(rl_arithmetics_gather(w->context, &w->arithmetics));
    run.arithmetics = &w->arithmetics;
    RL_TRY(check_memory(w));
    run.guard = guard;
    run.prepare_seconds = rl_seconds() - began;
    return compute_study(w, &run);
}

rl_status rl_command_run(rl_settings *settings, const rl_context *context) {
    if (settings->sleeps) return rl_run_asleep(settings, context);
    work w = {.settings = settings, .context = context};
    rl_guard *guard = NULL;
    const rl_guard_settings watch = {
        .silence = settings->silence, .save = save_journal, .conclude = conclude, .state = &w};
    rl_status status = rl_guard_start(context, &watch, &guard);
    if (status == RL_OK) status = run_study(&w, guard);
    rl_guard_stop(guard);
    rl_log_clear_line();
    const rl_status closed = w.journal != NULL ? rl_journal_close(w.journal) : RL_OK;
    if (status == RL_OK) status = closed;
    rl_run_summary_destroy(&w.summary);
    rl_arithmetics_destroy(&w.arithmetics);
    rl_free(w.hosts.bytes);
    rl_todo_destroy(&w.todo);
    rl_prepared_destroy(&w.prepared);
    return status;
}
