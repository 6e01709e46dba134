/* `plan --compare`: predicted beside measured, for each data set and in all, of the run that wrote a results file. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plan.h"

/* One line of the answer: NaN where nothing is known. */
typedef struct compared {
    const char *name;
    double predicted, measured;
    bool bytes; /* else seconds */
} compared;

typedef struct comparison {
    const rl_plan *plan;
    rl_provenance run;
    rl_rates rates;
    char *rates_source;
    bool *done;    /* [n_tasks]: not computed by that run */
    bool by_task;  /* that is known */
    int n_of_data; /* series of data sets */
    rl_estimate predicted;
    compared *lines; /* [n] */
    int n;
} comparison;

static const char *const clock_name = "computing, by the clock", *const clock_entry = "compute_seconds";
static const double least_seconds = 1; /* of a run: below, its start and the system's own work are most of it */

/* ---- what the run computed --------------------------------------------------------------------------------------- */

/* NULL: the run does not say. *n: how many numbers there are. */
static const double *numbers_of(const comparison *c, const char *name, int *n) {
    const rl_provenance_entry *entry = rl_provenance_find(&c->run, name);
    *n = entry != NULL && entry->numbers != NULL ? entry->n : 0;
    return *n > 0 ? entry->numbers : NULL;
}

static double number_of(const comparison *c, const char *name) {
    int n;
    const double *numbers = numbers_of(c, name, &n);
    return numbers != NULL ? numbers[0] : NAN;
}

/* What the run says of each task of a data set; all lists are as long. */
enum { DATASET, FEATURES, LAST_N, REPEAT, SECONDS, N_LISTS };
static const char *const list_names[N_LISTS] = {[DATASET] = "task_dataset",
                                                [FEATURES] = "task_n_features",
                                                [LAST_N] = "task_n_train",
                                                [REPEAT] = "task_repeat",
                                                [SECONDS] = "task_seconds"};
typedef struct task_lists {
    const double *list[N_LISTS];
    int n;
} task_lists;

static task_lists lists_of(const comparison *c) {
    task_lists t = {.n = 0};
    for (int i = 0; i < N_LISTS; i++) {
        int n;
        t.list[i] = numbers_of(c, list_names[i], &n);
        t.n = i == 0 || n < t.n ? n : t.n;
    }
    return t;
}

/* The series of the plan that is P of its group number `dataset`; -1: there is none. */
static int find_series(const rl_plan *plan, double dataset, double n_features) {
    int first = 0;
    for (int group = 0; first < plan->n_series && group < dataset; group++) first = rl_plan_end_of_group(plan, first);
    if (first >= plan->n_series) return -1;
    for (int i = first; i < rl_plan_end_of_group(plan, first); i++)
        if (plan->series[i].n_features == n_features) return i;
    return -1;
}

/* The task that has this N of a repeat; -1: the plan has none. */
static int64_t find_task(const rl_plan *plan, int series, double repeat, double n_train) {
    const rl_series *s = &plan->series[series];
    if (!(repeat >= 0 && repeat < s->study->repeats)) return -1;
    for (int i = 0; i < s->n_n_train; i++)
        if (s->n_train[i] == n_train) return rl_plan_task(plan, series, (int)repeat, i);
    return -1;
}

/* All tasks are done but those that the run has a time of. RL_ERR_INPUT: the plan does not have one of these. */
static rl_status list_done(const char *path, const task_lists *t, comparison *c) {
    RL_TRY(RL_ALLOC(c->done, c->plan->n_tasks));
    c->by_task = t->n > 0;
    for (int64_t i = 0; i < c->plan->n_tasks; i++)
        c->done[i] = c->by_task && c->plan->series[c->plan->tasks[i].series].spec != NULL;
    for (int i = 0; i < t->n; i++) {
        const int series = find_series(c->plan, t->list[DATASET][i], t->list[FEATURES][i]);
        const int64_t task = series >= 0 ? find_task(c->plan, series, t->list[REPEAT][i], t->list[LAST_N][i]) : -1;
        if (task < 0)
            return rl_fail(RL_ERR_INPUT,
                           "%s: the run that wrote it computed N or repeats that the study does not ask for any more; "
                           "expected the study as it was",
                           path);
        c->done[task] = false;
    }
    return RL_OK;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void add_line(comparison *c, compared line) {
    if (isfinite(line.measured)) c->lines[c->n++] = line;
}

/* Of all P of a data set, busy seconds of the groups that computed it. */
static void compare_dataset(comparison *c, const task_lists *t, int first, int end, int group) {
    compared line = {.name = c->plan->series[first].name};
    for (int i = first; i < end; i++) line.predicted += c->predicted.series[i].sum;
    for (int i = 0; i < t->n; i++)
        if (t->list[DATASET][i] == group) line.measured += t->list[SECONDS][i];
    if (line.measured > 0) add_line(c, line);
}

static const rl_kind *noun_of_series(const comparison *c, int series) {
    return rl_kind_noun(c->plan->series[series].kind);
}

/* The part that the run computed of all that the plan has of one noun (rl_kind_noun). */
static double part_computed(const comparison *c, const rl_kind *noun) {
    char name[80];
    const double all = (double)rl_plan_count(c->plan, noun, 0, c->plan->n_series).pieces;
    snprintf(name, sizeof name, "%s_computed", noun->pieces);
    const double computed = number_of(c, name);
    return computed > 0 ? computed / all : 0;
}

/* Of all of one noun; as much of the prediction as was computed. */
static void compare_noun(comparison *c, const rl_kind *noun) {
    char name[80];
    double predicted = 0;
    const double part = part_computed(c, noun);
    for (int i = 0; i < c->plan->n_series; i++)
        if (noun_of_series(c, i) == noun) predicted += c->predicted.series[i].sum;
    snprintf(name, sizeof name, "%s_seconds", noun->piece);
    if (part > 0) add_line(c, (compared){noun->pieces, part * predicted, number_of(c, name), false});
}

/* Seconds of all that the run computed, by the clock. */
static double predict_clock(const comparison *c) {
    const rl_plan *plan = c->plan;
    const rl_estimate *e = &c->predicted;
    double of_data = e->computing - e->trainings, of_trainings = e->trainings;
    if (c->n_of_data > 0 && !c->by_task) of_data *= part_computed(c, noun_of_series(c, 0));
    if (c->n_of_data < plan->n_series) of_trainings *= part_computed(c, noun_of_series(c, c->n_of_data));
    return fmax(of_data + of_trainings + e->keeping / e->ranks, e->keeping);
}

static double largest_of(const comparison *c, const char *name) {
    int n;
    const double *numbers = numbers_of(c, name, &n);
    double largest = NAN;
    for (int i = 0; i < n; i++) largest = fmax(largest, numbers[i]);
    return largest;
}

static void compare_all(comparison *c, const task_lists *t) {
    const rl_plan *plan = c->plan;
    const rl_estimate *e = &c->predicted;
    for (int first = 0, end, group = 0; first < plan->n_series; first = end, group++) {
        end = rl_plan_end_of_group(plan, first);
        if (c->by_task && first < c->n_of_data)
            compare_dataset(c, t, first, end, group);
        else if (first == 0 || first == c->n_of_data)
            compare_noun(c, noun_of_series(c, first));
    }
    add_line(c, (compared){clock_name, predict_clock(c), number_of(c, clock_entry), false});
    add_line(c, (compared){"memory per rank", e->working_bytes, largest_of(c, "peak_memory_bytes"), true});
}

static bool has_computed(const comparison *c) {
    bool some = false;
    for (int i = 0; i < c->plan->n_series; i++) some |= part_computed(c, noun_of_series(c, i)) > 0;
    return some;
}

static rl_status make_comparison(const rl_settings *settings, comparison *c) {
    RL_TRY(rl_results_read_provenance(settings->compare, c->plan, &c->run));
    RL_TRY(rl_rates_find(settings->rates, &c->rates, &c->rates_source));
    const task_lists t = lists_of(c);
    const double ranks = number_of(c, "ranks");
    if (!(ranks >= 1 && ranks <= 1e9) || !isfinite(number_of(c, clock_entry)) || !has_computed(c))
        return rl_fail(RL_ERR_INPUT, "%s: the run that wrote it computed nothing: there is nothing to compare",
                       settings->compare);
    RL_TRY(list_done(settings->compare, &t, c));
    RL_TRY(RL_ALLOC(c->lines, c->plan->n_series + 8));
    rl_outlook outlook = {0};
    const rl_nodes nodes = {.cores = (int)ranks, .bytes = INFINITY}; /* where it ran, it fitted */
    rl_status status = rl_outlook_create(c->plan, c->done, &c->rates, nodes, &outlook);
    if (status == RL_OK) status = rl_find_overheads(c->plan, NULL, outlook.n_records, &outlook.overheads);
    if (status == RL_OK) status = rl_estimate_create(&outlook, (int)ranks, &c->predicted);
    c->n_of_data = outlook.n_of_data;
    rl_outlook_destroy(&outlook);
    if (status == RL_OK) compare_all(c, &t);
    return status;
}

/* ---- answer ------------------------------------------------------------------------------------------------------ */

static const char *value_text(const compared *line, double value, char text[32]) {
    return line->bytes ? rl_bytes_text(value, text) : rl_time_text(value, text);
}

static const compared *find_clock(const comparison *c) {
    int i = 0;
    while (strcmp(c->lines[i].name, clock_name) != 0) i++;
    return &c->lines[i];
}

/* Lines up to that of the clock add up what all ranks did. */
static void print_lines(const comparison *c) {
    const compared *const clock = find_clock(c);
    char predicted[32], measured[32], name[80];
    printf("%-36s %12s %12s %9s\n", "", "predicted", "measured", "ratio");
    if (clock > c->lines) printf("all ranks together:\n");
    for (const compared *line = c->lines; line < c->lines + c->n; line++) {
        snprintf(name, sizeof name, "%s%s%s", line < clock ? "  " : "", line->name,
                 line->bytes ? " (libraries counted)" : "");
        printf("%-36.36s %12s %12s %9.2f\n", name, value_text(line, line->predicted, predicted),
               value_text(line, line->measured, measured), line->measured / line->predicted);
    }
}

static void print_verdict(const comparison *c) {
    const compared *const clock = find_clock(c);
    const double ratio = clock->measured / clock->predicted, share = number_of(c, "processor_share");
    char seconds[32];
    printf("\nThe last run that wrote this file took ");
    if (fmax(clock->measured, clock->predicted) < least_seconds) {
        printf("%s: too short to compare.\n", rl_time_text(clock->measured, seconds));
        return;
    }
    printf("%.2f times as long as predicted: ", ratio);
    if (share < RL_QUIET_SHARE)
        printf("the machine was busy, ranks got %.0f %% of a core.\n", 100 * share);
    else if (fmax(ratio, 1 / ratio) <= 1.5)
        printf("within a factor of 1.5, as it should be.\n");
    else if (strcmp(c->rates_source, RL_RATES_SHIPPED) == 0)
        printf("`ridgeless bench calibrate` on this machine makes predictions better.\n");
    else
        printf("`ridgeless bench calibrate` measures the rates again, best when the machine is idle.\n");
}

/* What a results file cannot tell of its own run. */
static void print_rest(const rl_estimate *e) {
    char start[32], writing[32];
    printf("Predicted beside that: %s for the start of MPI, %s for the results file.\n",
           rl_time_text(e->starting, start), rl_time_text(e->writing, writing));
}

static void print_text(const rl_settings *settings, const comparison *c) {
    printf("%s, %d rank%s, rates: %s\n", settings->compare, c->predicted.ranks, rl_plural(c->predicted.ranks),
           c->rates_source);
    print_lines(c);
    print_verdict(c);
    print_rest(&c->predicted);
}

static rl_status print_json(const comparison *c) {
    json_t *lines = json_array();
    for (const compared *line = c->lines; line < c->lines + c->n; line++)
        json_array_append_new(
            lines, json_pack("{s:s, s:s, s:f, s:f, s:o}", "name", line->name, "unit", line->bytes ? "byte" : "s",
                             "predicted", line->predicted, "measured", line->measured, "ratio",
                             rl_number_json(line->measured / line->predicted)));
    return rl_print_json(
        json_pack("{s:s, s:i, s:o}", "rates", c->rates_source, "ranks", c->predicted.ranks, "compared", lines));
}

rl_status rl_compare_plan(const rl_settings *settings, const rl_prepared *prepared) {
    comparison c = {.plan = &prepared->plan};
    rl_status status = make_comparison(settings, &c);
    if (status == RL_OK && settings->json)
        status = print_json(&c);
    else if (status == RL_OK)
        print_text(settings, &c);
    rl_estimate_destroy(&c.predicted);
    rl_provenance_destroy(&c.run);
    rl_free(c.lines);
    rl_free(c.done);
    rl_free(c.rates_source);
    return status;
}
