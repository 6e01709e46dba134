/* `bench calibrate`: studies that are made for it, computed on all ranks. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calibrate.h"
#include "ridgeless/bulk.h"

/* ---- spectra on one rank ----------------------------------------------------------------------------------------- */

/* A study of one data set: its repeats, its features, and what else is to be said of all and of the data set. */
static rl_status make_study(int features, int repeats, const char *keys, const char *of_dataset, rl_prepared *made) {
    rl_text text = RL_TEXT_EMPTY;
    rl_data_path path = {0};
    rl_status status =
        rl_text_append(&text,
                       "repeats: %d\n%s\n"
                       "datasets: [{source: student-teacher, rows: %d, features: %d, hidden_features: %d%s}]\n",
                       repeats, keys, 4 * features + 40, features, features, of_dataset);
    if (status == RL_OK) status = rl_study_parse("calibration", text.bytes, &made->study);
    if (status == RL_OK) status = rl_data_path_create(&path, NULL);
    const rl_plan_options options = {.path = &path};
    if (status == RL_OK) status = rl_plan_create(&made->study, &options, &made->plan);
    rl_data_path_destroy(&path);
    rl_free(text.bytes);
    return status;
}

/* *seconds, on all ranks: what rank 0 has measured. */
static rl_status run_study(const rl_calibration *c, const rl_prepared *made, const rl_sink *sink, double *seconds) {
    const rl_plan *plan = &made->plan;
    const rl_run_settings settings = {.schedule = RL_SCHEDULE_DYNAMIC, .seconds_left = INFINITY};
    rl_run_summary summary = {0};
    rl_todo todo;
    RL_TRY(rl_context_agree(c->context, rl_todo_create_full(plan, &todo)));
    const rl_status status = rl_parallel_run(c->context, plan, &todo, &settings, sink, &summary);
    *seconds = c->context->rank == 0 ? summary.seconds : 0;
    rl_todo_destroy(&todo);
    rl_run_summary_destroy(&summary);
    RL_TRY(status);
    return rl_context_sum(c->context, seconds, 1);
}

/* How the curves of a table of rates are computed: N below, at and above the threshold with a variant that needs all
 * modes; every N through it; and what one repeat comes to in the unit of the rate. */
typedef struct method {
    const char *keys, *of_dataset;
    int together; /* curves side by side */
    double (*amount)(const rl_effort *effort);
    bool every_n; /* up to twice the features, beside the keys */
} method;

static double dense_flops(const rl_effort *effort) {
    return effort->dense;
}

static double updates_flops(const rl_effort *effort) {
    return effort->updates;
}

static double lanes_flops(const rl_effort *effort) {
    return effort->lanes;
}

#define VARIANTS "ablations: [none, no_residuals, leading_modes: 2, cutoff: 0.1]\n"
static const method dense_method = {"n_train: {ratios: [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2]}\n" VARIANTS,
                                    ", producer: lapack", 1, dense_flops, false};
static const method updates_method = {VARIANTS, "", 1, updates_flops, true};
static const method lanes_method = {"n_train: {range: [1, 40]}\n" VARIANTS, "", RL_BULK_LANES, lanes_flops, false};

/* At so many N, and so many variants more. */
enum { CELL_N = 40, MORE_CELLS = 60 };
static const method few_cells = {"n_train: {range: [1, 40]}\nablations: [none, cutoff: 0.1]\n", "", RL_BULK_LANES,
                                 lanes_flops, false};
static const method many_cells = {
    "n_train: {range: [1, 40]}\n"
    "ablations: [none, cutoff: 0.1, ridge: {logspace: [-4, 0, 60]}]\n",
    "", RL_BULK_LANES, lanes_flops, false};

static rl_status make_study_of(const method *m, int features, int repeats, rl_prepared *made) {
    rl_text keys = RL_TEXT_EMPTY;
    rl_status status = rl_text_append(&keys, "%s", m->keys);
    if (m->every_n && status == RL_OK) status = rl_text_append(&keys, "n_train: {range: [1, %d]}\n", 2 * features);
    if (status == RL_OK) status = make_study(features, repeats, keys.bytes, m->of_dataset, made);
    rl_free(keys.bytes);
    return status;
}

static rl_status time_study(const rl_calibration *c, const method *m, int features, int repeats, double *amount,
                            double *seconds) {
    const rl_sink none = {0};
    rl_prepared made = {0};
    rl_status status = rl_context_agree(c->context, make_study_of(m, features, repeats, &made));
    if (status == RL_OK) status = run_study(c, &made, &none, seconds);
    if (status == RL_OK) {
        const rl_series *series = made.plan.series;
        const rl_effort effort = series->kind->effort(series, (rl_range){0, series->n_n_train}, 1);
        *amount = repeats * m->amount(&effort);
    }
    rl_prepared_destroy(&made);
    return status;
}

/* A trial computes one curve per rank, or as many as fill the time of a trial. */
static rl_status measure_order(const rl_calibration *c, const method *m, int features, double *rate) {
    enum { MOST_REPEATS = 100000 };
    double amount, seconds;
    RL_TRY(time_study(c, m, features, m->together * c->context->size, &amount, &seconds));
    const double repeats = m->together * c->ranks * fmin(ceil(RL_TRIAL_SECONDS / seconds), MOST_REPEATS);
    *rate = 0;
    for (int i = 0; i < RL_TRIALS; i++) {
        RL_TRY(time_study(c, m, features, (int)repeats, &amount, &seconds));
        *rate = fmax(*rate, amount / seconds / c->ranks);
    }
    return RL_OK;
}

static rl_status measure_orders(const rl_calibration *c, const method *m, const int *features, int n,
                                rl_rate_table *table) {
    table->n = n;
    for (int i = 0; i < n; i++) {
        table->size[i] = features[i];
        RL_TRY(measure_order(c, m, features[i], &table->rate[i]));
    }
    return RL_OK;
}

rl_status rl_calibrate_dense(rl_calibration *c) {
    static const int features[] = {8, 32, 128, 512};
    return measure_orders(c, &dense_method, features, sizeof features / sizeof *features, &c->rates.dense);
}

rl_status rl_calibrate_updates(rl_calibration *c) {
    static const int features[] = {40, 100, 256};
    return measure_orders(c, &updates_method, features, sizeof features / sizeof *features, &c->rates.updates);
}

rl_status rl_calibrate_lanes(rl_calibration *c) {
    static const int features[] = {8, 20};
    return measure_orders(c, &lanes_method, features, sizeof features / sizeof *features, &c->rates.lanes);
}

/* The best seconds per spectrum. */
static rl_status time_spectrum(const rl_calibration *c, const method *m, double *seconds) {
    enum { FEATURES = 10, REPEATS = 64 };
    double amount, once;
    *seconds = INFINITY;
    for (int i = 0; i < RL_TRIALS; i++) {
        RL_TRY(time_study(c, m, FEATURES, REPEATS * c->context->size, &amount, &once));
        *seconds = fmin(*seconds, once / (REPEATS * CELL_N));
    }
    return RL_OK;
}

/* What more variants take. */
rl_status rl_calibrate_cells(rl_calibration *c) {
    double few, many;
    RL_TRY(time_spectrum(c, &few_cells, &few));
    RL_TRY(time_spectrum(c, &many_cells, &many));
    c->rates.cell = fmax((many - few) / MORE_CELLS, RL_LEAST_PART * many / MORE_CELLS);
    return RL_OK;
}

/* ---- journal and results file ------------------------------------------------------------------------------------ */

/* A journal in a folder of its own, on rank 0, and what goes into it. */
typedef struct files {
    const rl_plan *plan;
    char folder[256], output[300], journal_path[320];
    rl_journal *journal;              /* NULL: there is none */
    double bytes, appending, writing; /* of all records; seconds that journal and results file took */
} files;

static rl_status open_files(files *f) {
    const char *set = getenv("TMPDIR"), *place = set != NULL && *set != '\0' ? set : "/tmp";
    snprintf(f->folder, sizeof f->folder, "%.200s/ridgeless-XXXXXX", place);
    if (mkdtemp(f->folder) == NULL)
        return rl_fail(RL_ERR_INPUT, "bench calibrate: no folder can be made in %.200s: %s", place, strerror(errno));
    snprintf(f->output, sizeof f->output, "%s/calibration.nc", f->folder);
    snprintf(f->journal_path, sizeof f->journal_path, "%s.journal", f->output);
    return rl_journal_open(f->output, f->plan, false, &f->journal);
}

static void remove_files(files *f) {
    if (f->journal != NULL) rl_journal_close(f->journal);
    unlink(f->journal_path);
    unlink(f->output);
    rmdir(f->folder);
}

static rl_status append_timed(void *state, int64_t task, const rl_record *record) {
    files *f = state;
    const double start = rl_seconds();
    const rl_status status = rl_journal_add(f->journal, task, record);
    f->appending += rl_seconds() - start;
    return status;
}

static rl_status flush_timed(void *state) {
    files *f = state;
    const double start = rl_seconds();
    const rl_status status = rl_journal_write(f->journal);
    f->appending += rl_seconds() - start;
    return status;
}

static rl_status write_timed(files *f) {
    const rl_provenance nothing = {0};
    for (int64_t i = 0; i < f->plan->n_tasks; i++) f->bytes += rl_kept_bytes(f->plan->series, &f->plan->tasks[i]);
    const double start = rl_seconds();
    const rl_status status = rl_results_write(f->output, f->plan, f->journal, &nothing, NULL, NULL);
    f->writing = rl_seconds() - start;
    return status;
}

static rl_status compute_files(const rl_calibration *c, const rl_prepared *made, files *f) {
    const bool first = c->context->rank == 0;
    const rl_sink sink = {.record = append_timed, .flush = flush_timed, .state = f};
    double seconds;
    RL_TRY(rl_context_agree(c->context, first ? open_files(f) : RL_OK));
    RL_TRY(run_study(c, made, &sink, &seconds));
    return rl_context_agree(c->context, first ? write_timed(f) : RL_OK);
}

/* Curves with all there is to keep, and such as have next to nothing. */
static const char *const large_records = "n_train: {range: [1, 40]}\nkeep: [cells, modes]\n" VARIANTS;
static const char *const small_records = "n_train: [2]\nablations: [none]\n";

/* Of a study of so many repeats; f has what was measured, on rank 0. */
static rl_status time_files(const rl_calibration *c, const char *keys, int repeats, files *f) {
    enum { FEATURES = 20 };
    rl_prepared made = {0};
    *f = (files){.plan = &made.plan};
    rl_status status = rl_context_agree(c->context, make_study(FEATURES, repeats, keys, "", &made));
    if (status == RL_OK) status = compute_files(c, &made, f);
    if (f->folder[0] != '\0') remove_files(f);
    rl_prepared_destroy(&made);
    return status;
}

/* A file of next to nothing, one of some megabytes, and one of many small records. */
rl_status rl_calibrate_files(rl_calibration *c) {
    enum { LARGE = 400, SMALL = 20000 };
    files small, large, many;
    RL_TRY(time_files(c, large_records, 1, &small));
    RL_TRY(time_files(c, large_records, LARGE, &large));
    RL_TRY(time_files(c, small_records, SMALL, &many));
    if (c->context->rank > 0) return RL_OK;
    c->rates.group = small.writing;
    c->rates.results = large.bytes / fmax(large.writing - small.writing, RL_LEAST_PART * large.writing);
    c->rates.record = many.appending / SMALL;
    c->rates.journal = large.bytes / fmax(large.appending - LARGE * c->rates.record, RL_LEAST_PART * large.appending);
    return RL_OK;
}
