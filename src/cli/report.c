/* What `run`, `retry` and `assemble` say of themselves: before, what is to be computed; after, what was, and in how
 * long. For people, and for programs as JSON. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

void rl_join(char *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t length = strlen(text);
    if (length > 0) length += (size_t)snprintf(text + length, RL_LIST_TEXT - length, " and ");
    if (length < RL_LIST_TEXT) vsnprintf(text + length, RL_LIST_TEXT - length, format, arguments);
    va_end(arguments);
}

/* ---- before ------------------------------------------------------------------------------------------------------ */

/* A factor of the product, like " x 40 N". */
static void append_factor(char *text, int64_t n, const char *of) {
    const size_t length = strlen(text);
    char count[32];
    snprintf(text + length, RL_LIST_TEXT - length, " x %s %s", rl_count_text(n, count), of);
}

/* Of a data set or autoencoder, n series: " x 3 P x 40 N x 5 ablations". Each P may have N of its own. */
static void append_factors(char *text, const rl_series *series, int n) {
    const bool training = series->spec == NULL;
    int64_t pairs = 0;
    for (int i = 0; i < n; i++) pairs += series[i].n_n_train;
    const bool alike = pairs == (int64_t)n * series->n_n_train;
    if (n > 1 && alike) append_factor(text, n, training ? "m" : "P");
    if (alike)
        append_factor(text, series->n_n_train, training ? "T" : "N");
    else
        append_factor(text, pairs, "pairs of P and N");
    if (!training)
        append_factor(text, series->spec->n_variants, series->spec->n_variants == 1 ? "ablation" : "ablations");
}

/* "20,000 errors" or "12 trainings". */
static const char *count_text(const rl_kind *kind, rl_count count, char text[RL_LIST_TEXT]) {
    const bool is_point = rl_kind_is_point(kind);
    const int64_t n = is_point ? count.points : count.cells;
    char number[32];
    snprintf(text, RL_LIST_TEXT, "%s %s", rl_count_text(n, number),
             is_point ? n == 1 ? kind->point : kind->points
             : n == 1 ? "error"
                      : "errors");
    return text;
}

static void tell_group(const rl_plan *plan, int first, int end, const char *by) {
    const rl_series *series = &plan->series[first];
    const int repeats = plan->study->repeats;
    char factors[RL_LIST_TEXT] = "", sum[RL_LIST_TEXT], text[32];
    append_factors(factors, series, end - first);
    count_text(series->kind, rl_plan_count(plan, NULL, first, end), sum);
    rl_info("%s: %s repeat%s%s = %s%s%s", series->name, rl_count_text(repeats, text), rl_plural(repeats), factors, sum,
            series->spec != NULL && series->spec->keep.summary ? ", kept as summaries" : "", by);
    if (series->spec == NULL) return;
    char rank[RL_RANK_TEXT], features[RL_FEATURES_TEXT];
    if (series->data.intercept)
        rl_info("%s: %s", series->name,
                rl_features_text(series->n_features, plan->series[end - 1].n_features, end - first, true, features));
    if (rl_series_rank_text(series, end - first, rank)[0] != '\0') rl_info("%s: %s", series->name, rank);
    if (series->data.scales_apart) rl_warn("%s: " RL_SCALES_APART, series->name);
}

static void tell_all(const rl_plan *plan, const char *by) {
    char all[RL_LIST_TEXT] = "", text[RL_LIST_TEXT];
    for (const rl_kind *const *kind = rl_kinds; *kind != NULL; kind++) {
        const rl_count count = rl_plan_count(plan, *kind, 0, plan->n_series);
        if (count.points > 0) rl_join(all, "%s", count_text(*kind, count, text));
    }
    rl_info("%s in all%s", all, by);
}

void rl_tell_plan(const rl_plan *plan, int ranks) {
    char by[48], text[32];
    const bool one = plan->n_series > 0 && rl_plan_end_of_group(plan, 0) == plan->n_series;
    snprintf(by, sizeof by, ", by %s rank%s", rl_count_text(ranks, text), rl_plural(ranks));
    for (int first = 0, end; first < plan->n_series; first = end) {
        end = rl_plan_end_of_group(plan, first);
        tell_group(plan, first, end, one ? by : "");
    }
    if (!one) tell_all(plan, by);
}

/* ---- phases ------------------------------------------------------------------------------------------------------ */

/* What the seconds of a run were spent on. The results file is written by rank 0, for which the others wait. */
typedef enum phase {
    PHASE_START,
    PHASE_PREPARE,
    PHASE_COMPUTE,
    PHASE_WAIT,
    PHASE_JOURNAL,
    PHASE_COLLECT,
    PHASE_REDUCE,
    PHASE_WRITE,
    PHASE_VERIFY,
    PHASE_OTHER,
    N_PHASES
} phase;
static const struct {
    const char *key, *name;
} phases[N_PHASES] = {[PHASE_START] = {"start", "start of MPI"},
                      [PHASE_PREPARE] = {"prepare", "study, data sets and journal"},
                      [PHASE_COMPUTE] = {"compute", "computing"},
                      [PHASE_WAIT] = {"wait", "waiting, or serving"},
                      [PHASE_JOURNAL] = {"journal", "records into the journal"},
                      [PHASE_COLLECT] = {"collect", "results: reading the journal"},
                      [PHASE_REDUCE] = {"reduce", "results: statistics"},
                      [PHASE_WRITE] = {"write", "results: writing"},
                      [PHASE_VERIFY] = {"verify", "results: reading them again"},
                      [PHASE_OTHER] = {"other", "all else"}};

static double seconds_of(const rl_run_report *r, phase p, int rank) {
    const rl_rank_share *share = &r->summary->shares[rank];
    const rl_results_seconds *results = &r->results_seconds;
    switch (p) {
        case PHASE_START:
            return share->start_seconds;
        case PHASE_PREPARE:
            return share->prepare_seconds;
        case PHASE_COMPUTE:
            return share->busy_seconds;
        case PHASE_WAIT:
            return fmax(0, r->summary->seconds - share->busy_seconds - share->keeping_seconds);
        case PHASE_JOURNAL:
            return share->keeping_seconds;
        case PHASE_COLLECT:
            return results->collecting;
        case PHASE_REDUCE:
            return results->reducing;
        case PHASE_WRITE:
            return results->writing;
        case PHASE_VERIFY:
            return results->verifying;
        default:
            return fmax(0, r->total_seconds - share->start_seconds - share->prepare_seconds - r->summary->seconds -
                               results->collecting - results->reducing - results->writing - results->verifying);
    }
}

/* Of a rank, that processors worked for it. */
static double processor_seconds_of(const rl_run_report *r, phase p, int rank) {
    (void)p;
    return r->summary->shares[rank].processor_seconds;
}

static double peak_memory_of(const rl_run_report *r, phase p, int rank) {
    (void)p;
    return r->summary->shares[rank].peak_memory;
}

/* Over the ranks. */
typedef struct spread {
    double min, mean, max;
} spread;

static spread spread_of(const rl_run_report *r, double (*value)(const rl_run_report *, phase, int), phase p) {
    spread s = {.min = INFINITY, .max = -INFINITY};
    for (int i = 0; i < r->context->size; i++) {
        const double x = value(r, p, i);
        s.min = fmin(s.min, x);
        s.max = fmax(s.max, x);
        s.mean += x / r->context->size;
    }
    return s;
}

/* ---- after ------------------------------------------------------------------------------------------------------- */

/* What a rank did is told of runs that one waits for. */
static bool takes_long(const rl_run_report *r) {
    return r->summary->seconds > 1;
}

/* So many pieces of this run, like "12 curves". */
static const char *pieces_text(const rl_run_summary *summary, int64_t n, const char *which, char text[RL_LIST_TEXT]) {
    char pieces[RL_LIST_TEXT] = "", count[32];
    for (int i = 0; i < summary->n_done; i++)
        rl_join(pieces, "%s", n == 1 ? summary->done[i].kind->piece : summary->done[i].kind->pieces);
    snprintf(text, RL_LIST_TEXT, "%s %s%s", rl_count_text(n, count), which, pieces);
    return text;
}

/* Who worked together on the large cases. */
static void tell_groupings(const rl_run_report *r) {
    char text[RL_LIST_TEXT];
    for (int i = 0; i < r->summary->n_groupings; i++) {
        const rl_grouping *g = &r->summary->groupings[i];
        rl_info("  %s case%s on %d process grid%s of %d rank%s, %d x %d", rl_count_text(g->pieces, text),
                rl_plural(g->pieces), g->n_groups, rl_plural(g->n_groups), g->ranks_per_case,
                rl_plural(g->ranks_per_case), g->n_rows, g->n_columns);
        if (g->n_left_over == 0) continue;
        if (g->left_over_pieces > 0)
            pieces_text(r->summary, g->left_over_pieces, "other ", text);
        else
            snprintf(text, sizeof text, "nothing");
        rl_info("  %d rank%s left over did %s meanwhile", g->n_left_over, rl_plural(g->n_left_over), text);
    }
}

static void tell_shares(const rl_run_report *r) {
    char pieces[RL_LIST_TEXT], seconds[32], most[32], memory[32];
    const char *did = r->settings->sleeps ? "slept" : "computed";
    const spread busy = spread_of(r, seconds_of, PHASE_COMPUTE);
    if (r->context->size == 1 && r->summary->n_groupings == 0) return;
    rl_info("  imbalance %.2f: the busiest rank %s %s, a rank on average %s", r->summary->imbalance, did,
            rl_time_text(busy.max, most), rl_time_text(busy.mean, seconds));
    for (int i = 0; i < r->context->size; i++) {
        const rl_rank_share *share = &r->summary->shares[i];
        rl_info("  rank %d: %s, %s %s, at most %s of memory", i, pieces_text(r->summary, share->pieces, "", pieces),
                did, rl_time_text(share->busy_seconds, seconds), rl_bytes_text(share->peak_memory, memory));
    }
}

/* Ranks that wait for messages keep their processor: what they did not get, others had. */
static void tell_processors(const rl_run_report *r) {
    const double much = 0.8, share = r->summary->processor_share;
    if (share < much && takes_long(r))
        rl_info("  a rank had %.0f %% of a processor: is the machine busy, or are there more ranks than processors?",
                100 * share);
    else
        rl_debug("  a rank had %.0f %% of a processor", 100 * share);
}

/* Where a rank's time went; of several, rank 0's beside what they took on average. */
static void tell_phases(const rl_run_report *r) {
    rl_debug("seconds of a rank:");
    for (phase p = 0; p < N_PHASES; p++) {
        const spread s = spread_of(r, seconds_of, p);
        if (r->context->size == 1)
            rl_debug("  %-28s %9.3f", phases[p].name, s.mean);
        else
            rl_debug("  %-28s %9.3f on rank 0, %.3f on average, %.3f to %.3f", phases[p].name, seconds_of(r, p, 0),
                     s.mean, s.min, s.max);
    }
    rl_debug("  %-28s %9.3f", "together, since the start", r->total_seconds);
}

/* "20,000 errors of 4,000 training sets and 12 trainings"; "" where nothing was computed. */
static void describe_done(const rl_run_summary *summary, char text[RL_LIST_TEXT]) {
    char counted[RL_LIST_TEXT], sets[32], of_sets[64];
    text[0] = '\0';
    for (int i = 0; i < summary->n_done; i++) {
        const rl_done *done = &summary->done[i];
        const int64_t n = done->count.points;
        if (n == 0) continue;
        snprintf(of_sets, sizeof of_sets, " of %s training set%s", rl_count_text(n, sets), rl_plural(n));
        rl_join(text, "%s%s", count_text(done->kind, done->count, counted),
                rl_kind_is_point(done->kind) ? "" : of_sets);
    }
}

/* Whether anything was computed. */
static bool tell_done(const rl_run_report *r) {
    char done[RL_LIST_TEXT], seconds[32];
    describe_done(r->summary, done);
    if (done[0] == '\0') return false;
    rl_info("computed %s in %s, written to %s", done, rl_time_text(r->summary->seconds, seconds), r->output);
    return true;
}

/* What a rank was busy with, all ranks together, in seconds. */
static double busy_seconds(const rl_run_report *r) {
    return r->context->size * spread_of(r, seconds_of, PHASE_COMPUTE).mean;
}

/* The answer of a run that has no results. */
static bool tell_slept(const rl_run_report *r) {
    char pieces[RL_LIST_TEXT], busy[32], seconds[32];
    int64_t n = 0;
    for (int i = 0; i < r->summary->n_done; i++) n += r->summary->done[i].count.pieces;
    if (!r->settings->json)
        printf(
            "nothing was computed, and no results file is written: %d rank%s slept through %s, %s in all, in %s: "
            "%.3g times as fast as one\n",
            r->context->size, rl_plural(r->context->size), pieces_text(r->summary, n, "", pieces),
            rl_time_text(busy_seconds(r), busy), rl_time_text(r->summary->seconds, seconds),
            busy_seconds(r) / r->summary->seconds);
    return true;
}

void rl_tell_run(const rl_run_report *r) {
    const bool is_known = r->summary->imbalance > 0;
    const bool in_full = is_known && (r->settings->verbose || takes_long(r));
    const bool any = (r->settings->sleeps ? tell_slept : tell_done)(r);
    if (any && in_full) {
        tell_groupings(r);
        tell_shares(r);
        if (!r->settings->sleeps) tell_processors(r);
    }
    if (is_known) tell_phases(r);
}

/* ---- for programs ------------------------------------------------------------------------------------------------ */

static json_t *spread_json(spread s) {
    return json_pack("{s:f, s:f, s:f}", "min", s.min, "mean", s.mean, "max", s.max);
}

static json_t *phase_json(const rl_run_report *r, phase p) {
    json_t *object = spread_json(spread_of(r, seconds_of, p));
    json_object_set_new(object, "rank_0", json_real(seconds_of(r, p, 0)));
    return object;
}

static json_t *seconds_json(const rl_run_report *r) {
    json_t *object = json_object();
    for (phase p = 0; p < N_PHASES; p++) json_object_set_new(object, phases[p].key, phase_json(r, p));
    json_object_set_new(object, "total", json_real(r->total_seconds));
    return object;
}

/* What the study asks for, what was there before this run, and what the run has done. */
static json_t *work_json(int64_t asked, int64_t todo, int64_t now) {
    return json_pack("{s:I, s:I, s:I}", "asked", (json_int_t)asked, "before", (json_int_t)(asked - todo), "now",
                     (json_int_t)now);
}

/* An entry for each noun: its pieces, and, where they are more than one point, points and cells. */
static void add_work(const rl_run_report *r, const rl_done *done, json_t *object) {
    const rl_kind *kind = done->kind;
    const rl_count asked = rl_plan_count(r->plan, kind, 0, r->plan->n_series);
    const int64_t now = rl_kind_is_point(kind) ? done->count.pieces : done->count.points; /* those slept through, too */
    json_t *points = work_json(asked.points, done->todo.points, now);
    for (int i = 0; i < r->n_nouns; i++) {
        const rl_tally *t = &r->nouns[i].tally;
        if (r->nouns[i].kind != kind) continue;
        json_object_set_new(points, "missing", json_integer(t->points_missing));
        json_object_set_new(points, "failed", json_integer(t->points_failed));
    }
    json_object_set_new(object, kind->points, points);
    if (rl_kind_is_point(kind)) return;
    json_object_set_new(object, kind->pieces, work_json(asked.pieces, done->todo.pieces, done->count.pieces));
    json_object_set_new(object, "cells", work_json(asked.cells, done->todo.cells, done->count.cells));
}

static json_t *hosts_json(const char *hosts) {
    json_t *list = json_array();
    for (size_t length; *hosts != '\0'; hosts += length + strspn(hosts + length, " ")) {
        length = strcspn(hosts, " ");
        json_array_append_new(list, json_stringn(hosts, length));
    }
    return list;
}

static const char *status_text(rl_status ended) {
    if (ended == RL_OK) return "done";
    return ended == RL_STOPPED ? "stopped" : "failed";
}

rl_status rl_print_run(const rl_run_report *r, const rl_journal *journal, rl_status ended) {
    const rl_run_summary *s = r->summary;
    const rl_settings *settings = r->settings;
    json_t *arithmetic = json_null();
    if (journal != NULL) RL_TRY(rl_arithmetic_json(journal, &arithmetic));
    json_t *work = json_object();
    for (int i = 0; i < s->n_done; i++) add_work(r, &s->done[i], work);
    return rl_print_json(json_pack(
        "{s:s?, s:s, s:s, s:b, s:s, s:s, s:i, s:s?, s:i, s:o, s:o, s:o, s:f, s:f, s:f, s:o, s:o, s:o}", "output",
        r->output, "title", r->plan->study->title, "schedule", rl_schedule_name(settings->schedule), "slept",
        settings->sleeps, "order", rl_order_name(rl_order_under(settings->schedule, settings->order)), "status",
        status_text(ended), "exit_status", rl_exit_status(ended), "message", ended == RL_OK ? NULL : rl_error_message(),
        "ranks", r->context->size, "hosts", hosts_json(r->hosts == NULL ? "" : r->hosts), "work", work, "seconds",
        seconds_json(r), "compute_seconds", s->seconds, "imbalance", s->imbalance, "processor_share",
        s->processor_share, "processor_seconds", spread_json(spread_of(r, processor_seconds_of, N_PHASES)),
        "peak_memory_bytes", spread_json(spread_of(r, peak_memory_of, N_PHASES)), "arithmetic", arithmetic));
}
