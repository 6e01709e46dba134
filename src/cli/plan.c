/* The command `plan`: what a study takes, in time, memory and ranks, and what of it is done. */
#include <math.h>
#include <stdio.h>

#include "cli.h"
#include "ridgeless/distributed.h"

/* A rank is worth starting while it takes off at least this part of the time. */
static const double worth = 0.7; /* of the time on half as many ranks */
enum { MOST_RANKS = 16384 };

/* What a series takes on a number of ranks. */
typedef struct series_estimate {
    int fewest, ranks, n_groups; /* ranks of a task at least, and as they are; groups of so many that there are */
    int64_t n_remaining;         /* tasks */
    double sum, longest;         /* seconds of those, on one group */
    double seconds_case;         /* of the costliest task, done or not */
    double seconds;              /* of all that remains, on all groups */
    double bytes;                /* per rank, of a task */
} series_estimate;

typedef struct estimate {
    const rl_settings *settings;
    const rl_plan *plan;
    const rl_journal *journal; /* NULL: nothing is done */
    rl_rates rates;
    char *rates_source;
    double bytes_per_rank; /* that there are */
    double flops, seconds, seconds_on_fewest, memory;
    double seconds_of_trainings; /* part of the seconds */
    int ranks;                   /* planned for */
    int n_of_data;               /* series of data sets; those of autoencoders come behind them */
    rl_tally curves, trainings;
    series_estimate *series; /* [n_series] */
} estimate;

/* ---- one series -------------------------------------------------------------------------------------------------- */

/* Tasks of one part cost the same, repeat by repeat: as many predictions as parts. */
static rl_status add_seconds(const estimate *e, int index, series_estimate *s) {
    const rl_series *series = &e->plan->series[index];
    double *seconds = NULL;
    RL_TRY(RL_ALLOC(seconds, series->n_parts));
    for (int part = 0; part < series->n_parts; part++) {
        const int64_t task = series->first_task + part;
        const rl_task_cost cost = rl_predict_task(e->plan, task, s->ranks, &e->rates);
        seconds[part] = cost.seconds / e->plan->tasks[task].repeats.n;
        s->bytes = fmax(s->bytes, cost.bytes);
    }
    for (int64_t i = series->first_task; i < rl_plan_end_of_tasks(e->plan, index); i++) {
        const double whole = seconds[(i - series->first_task) % series->n_parts] * e->plan->tasks[i].repeats.n;
        s->seconds_case = fmax(s->seconds_case, whole);
        if (rl_journal_has(e->journal, e->plan, i)) continue;
        s->longest = fmax(s->longest, whole);
        s->sum += whole;
    }
    rl_free(seconds);
    return RL_OK;
}

/* Groups side by side take at least the time of the costliest task. */
static rl_status estimate_series(const estimate *e, int index, int ranks, series_estimate *s) {
    const rl_series *series = &e->plan->series[index];
    *s = (series_estimate){.fewest = 1};
    for (int64_t i = series->first_task; i < rl_plan_end_of_tasks(e->plan, index); i++)
        s->n_remaining += !rl_journal_has(e->journal, e->plan, i);
    if (series->on_grid) RL_TRY(rl_fewest_ranks(series, e->bytes_per_rank, &s->fewest));
    RL_TRY(rl_choose_ranks(series, s->n_remaining, ranks, e->bytes_per_rank, &s->ranks));
    s->n_groups = ranks / s->ranks;
    RL_TRY(add_seconds(e, index, s));
    if (s->n_remaining > 0)
        s->seconds =
            fmax(s->sum / (double)(s->n_groups < s->n_remaining ? s->n_groups : s->n_remaining), s->seconds_case);
    return RL_OK;
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

/* The series of data sets come one after the other; all trainings go side by side, and take no less than the longest.
 */
static rl_status estimate_on(estimate *e, int ranks) {
    double longest = 0;
    e->ranks = ranks;
    e->seconds = e->seconds_of_trainings = e->memory = 0;
    for (int i = 0; i < e->plan->n_series; i++) {
        series_estimate *s = &e->series[i];
        RL_TRY(estimate_series(e, i, ranks, s));
        if (e->plan->series[i].on_grid) e->memory = fmax(e->memory, s->bytes);
        if (i < e->n_of_data) {
            e->seconds += s->seconds;
        } else {
            e->seconds_of_trainings += s->sum / s->n_groups;
            longest = fmax(longest, s->longest);
        }
    }
    e->memory += (double)e->plan->memory_per_rank;
    e->seconds_of_trainings = fmax(e->seconds_of_trainings, longest);
    e->seconds += e->seconds_of_trainings;
    return RL_OK;
}

/* The fewest ranks that the study can do with. */
static rl_status fewest_ranks(const estimate *e, int *ranks) {
    *ranks = 1;
    for (const rl_series *s = e->plan->series; s < e->plan->series + e->plan->n_series; s++) {
        int fewest = s->ranks_per_case;
        if (s->on_grid && fewest <= 0) RL_TRY(rl_fewest_ranks(s, e->bytes_per_rank, &fewest));
        if (fewest > *ranks) *ranks = fewest;
    }
    return RL_OK;
}

/* Twice as many ranks, as long as that pays. */
static rl_status find_ranks(estimate *e) {
    int ranks;
    RL_TRY(fewest_ranks(e, &ranks));
    RL_TRY(estimate_on(e, ranks));
    e->seconds_on_fewest = e->seconds;
    for (double before = e->seconds; ranks <= MOST_RANKS / 2; ranks *= 2, before = e->seconds) {
        RL_TRY(estimate_on(e, 2 * ranks));
        if (!(before > 1) || !(e->seconds < worth * before)) break;
    }
    return estimate_on(e, ranks);
}

static rl_status estimate_plan(estimate *e) {
    const rl_plan *plan = e->plan;
    for (int64_t i = 0; i < plan->n_tasks; i++) e->flops += plan->tasks[i].flops;
    while (e->n_of_data < plan->n_series && plan->series[e->n_of_data].spec != NULL) e->n_of_data++;
    e->curves = rl_journal_tally(e->journal, plan, 0, e->n_of_data);
    e->trainings = rl_journal_tally(e->journal, plan, e->n_of_data, plan->n_series);
    RL_TRY(RL_ALLOC(e->series, plan->n_series));
    RL_TRY(rl_rates_find(e->settings->rates, &e->rates, &e->rates_source));
    e->bytes_per_rank = rl_node_memory(e->settings) / e->rates.cores;
    if (e->settings->ranks == 0) return find_ranks(e);
    RL_TRY(estimate_on(e, e->settings->ranks));
    e->seconds_on_fewest = e->seconds;
    return RL_OK;
}

static int64_t count_cells(const estimate *e) {
    int64_t cells = 0;
    for (int i = 0; i < e->n_of_data; i++) cells += rl_series_count(&e->plan->series[i]).cells;
    return cells;
}

/* ---- answer ------------------------------------------------------------------------------------------------------ */

/* The kind of work says it where there are no methods. */
static const char *how_computed(const rl_series *series) {
    return series->method != NULL ? rl_method_text(series->method) : series->kind->name;
}

static void print_groups(const rl_series *series, const series_estimate *s) {
    char seconds[32], memory[32];
    int rows, columns;
    rl_process_grid_shape(s->ranks, &rows, &columns);
    printf(
        "  %-18s by %s; %d group(s) of %d rank(s), %d x %d; %s and %s a rank for the largest case; at least %d "
        "rank(s)\n",
        "", rl_producer_name(series->producer), s->n_groups, s->ranks, rows, columns,
        rl_time_text(s->seconds_case, seconds), rl_bytes_text(s->bytes, memory), s->fewest);
}

/* "N = 1 ... 39 (39 values)", of all P together. */
static void print_n_train(const rl_series *series, int n) {
    int first = series->n_train[0], last = 0, fewest = series->n_n_train, most = 0;
    for (const rl_series *s = series; s < series + n; s++) {
        first = s->n_train[0] < first ? s->n_train[0] : first;
        last = s->n_train[s->n_n_train - 1] > last ? s->n_train[s->n_n_train - 1] : last;
        fewest = s->n_n_train < fewest ? s->n_n_train : fewest;
        most = s->n_n_train > most ? s->n_n_train : most;
    }
    printf("N = %d ... %d (%d", first, last, fewest);
    if (most > fewest) printf(" to %d", most);
    printf(" values), ");
}

/* A data set: n series, one for each P. */
static void print_dataset(const rl_series *series, const series_estimate *estimates, int n) {
    const rl_dataset *data = &series->data;
    printf("  %-18s P = %d", data->name, data->n_features);
    if (n > 1) printf(" ... %d (%d values)", series[n - 1].n_features, n);
    if (data->map != NULL) printf(" by %s", data->map->name);
    printf(", ");
    print_n_train(series, n);
    printf("%d variants, %d repeats; %d rows%s", series->spec->n_variants, series->study->repeats, data->n_rows,
           data->fresh ? " drawn anew for each repeat" : "");
    if (series->spec->keep.summary) printf("; summaries of at most %d repeats", series->longest_span);
    for (int i = 0; i < n; i++) /* the method may change with P */
        if (i == 0 || series[i].method != series[i - 1].method) {
            printf("; %s", how_computed(&series[i]));
            if (i > 0) printf(" from P = %d", series[i].n_features);
        }
    printf("\n");
    for (int i = 0; i < n; i++)
        if (series[i].on_grid) print_groups(&series[i], &estimates[i]);
}

/* An autoencoder: n series, one for each m. */
static void print_autoencoder(const rl_series *series, const series_estimate *estimates, int n) {
    const rl_autoencoder *model = &series->autoencoder->model;
    printf("  %-18s autoencoder, n = %d, m = %d", series->name, model->n_features, series->n_features);
    if (n > 1) printf(" ... %d (%d values)", series[n - 1].n_features, n);
    printf(", T = %d ... %d (%d values), %d repeats; %d steps; %d rank(s) a training\n", series->n_train[0],
           series->n_train[series->n_n_train - 1], series->n_n_train, series->study->repeats, model->steps,
           estimates->ranks);
}

static void print_text(const rl_prepared *p, const estimate *e) {
    const rl_plan *plan = &p->plan;
    const bool found = e->settings->ranks == 0;
    char memory[32], time_text[32];
    printf("%s\n", p->study.title);
    for (int i = 0, end; i < plan->n_series; i = end) {
        end = rl_plan_end_of_group(plan, i);
        (i < e->n_of_data ? print_dataset : print_autoencoder)(&plan->series[i], &e->series[i], end - i);
    }
    if (e->n_of_data > 0)
        printf("cells            %lld\nspectra          %lld\ncurves           %lld, of which %lld are done\n",
               (long long)count_cells(e), (long long)e->curves.points, (long long)e->curves.pieces,
               (long long)e->curves.done);
    if (e->trainings.pieces > 0)
        printf("trainings        %lld, of which %lld are done\n", (long long)e->trainings.pieces,
               (long long)e->trainings.done);
    printf("flops            %.3g\nmemory a rank    %s\n", e->flops, rl_bytes_text(e->memory, memory));
    printf("estimated time   %s on %d rank(s)", rl_time_text(e->seconds, time_text), e->ranks);
    if (found && e->seconds_on_fewest > e->seconds)
        printf(", %s on the fewest that do", rl_time_text(e->seconds_on_fewest, time_text));
    if (found) printf("\nranks worth using %d", e->ranks);
    printf("\nrates            %s\nresults file     %s\n", e->rates_source, p->output);
}

static json_t *integers_json(const int *values, int n) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(list, json_integer(values[i]));
    return list;
}

/* A data set at one P. */
static json_t *dataset_json(const rl_series *series, const series_estimate *s) {
    const rl_dataset *data = &series->data;
    json_t *object =
        json_pack("{s:s, s:s, s:i, s:i, s:i, s:f, s:o}", "name", data->name, "way", how_computed(series), "rows",
                  data->n_rows, "n_features", data->n_features, "variants", series->spec->n_variants, "seconds",
                  s->seconds, "n_train", integers_json(series->n_train, series->n_n_train));
    if (object != NULL && data->map != NULL) json_object_set_new(object, "map", json_string(data->map->name));
    if (object == NULL || !series->on_grid) return object;
    json_object_set_new(object, "producer", json_string(rl_producer_name(series->producer)));
    json_object_set_new(object, "ranks_per_case", json_integer(s->ranks));
    json_object_set_new(object, "fewest_ranks_per_case", json_integer(s->fewest));
    json_object_set_new(object, "groups", json_integer(s->n_groups));
    json_object_set_new(object, "seconds_of_largest_case", json_real(s->seconds_case));
    json_object_set_new(object, "bytes_per_rank_of_largest_case", json_real(s->bytes));
    return object;
}

static json_t *autoencoder_json(const rl_series *series, const series_estimate *s) {
    const rl_study_autoencoder *a = series->autoencoder;
    return json_pack("{s:s, s:i, s:i, s:i, s:o, s:o}", "name", a->name, "n_features", a->model.n_features, "steps",
                     a->model.steps, "ranks_per_case", s->ranks, "hidden", integers_json(a->hidden, a->n_hidden),
                     "n_train", integers_json(series->n_train, series->n_n_train));
}

static rl_status print_json(const rl_prepared *p, const estimate *e) {
    const rl_plan *plan = &p->plan;
    json_t *datasets = json_array(), *autoencoders = json_array();
    for (int i = 0; i < e->n_of_data; i++)
        json_array_append_new(datasets, dataset_json(&plan->series[i], &e->series[i]));
    for (int i = e->n_of_data; i < plan->n_series; i = rl_plan_end_of_group(plan, i))
        json_array_append_new(autoencoders, autoencoder_json(&plan->series[i], &e->series[i]));
    return rl_print_json(json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:f, s:f, s:f, s:f, s:i, s:i, s:s, s:o, s:I, s:I, s:f, s:o}", "title",
        p->study.title, "output", p->output, "cells", (json_int_t)count_cells(e), "spectra",
        (json_int_t)e->curves.points, "curves", (json_int_t)e->curves.pieces, "curves_done", (json_int_t)e->curves.done,
        "repeats", p->study.repeats, "flops", e->flops, "memory_per_rank_bytes", e->memory, "seconds", e->seconds,
        "seconds_on_fewest_ranks", e->seconds_on_fewest, "ranks", e->ranks, "ranks_worth_using", e->ranks, "rates",
        e->rates_source, "datasets", datasets, "trainings", (json_int_t)e->trainings.pieces, "trainings_done",
        (json_int_t)e->trainings.done, "seconds_of_trainings", e->seconds_of_trainings, "autoencoders", autoencoders));
}

/* Work that can be left and gone on with need not end in one go. */
static rl_status print_sbatch(const rl_prepared *p, const estimate *e) {
    rl_job_needs needs = {.ranks = e->ranks,
                          .cores = e->rates.cores,
                          .seconds = e->seconds,
                          .bytes = e->memory,
                          .node_bytes = rl_node_memory(e->settings)};
    for (int i = 0; i < p->plan.n_series; i++)
        if (e->series[i].n_remaining > 0 && !p->plan.series[i].kind->restorable)
            needs.seconds_case = fmax(needs.seconds_case, e->series[i].seconds_case);
    return rl_print_sbatch(e->settings, p->output, &needs);
}

rl_status rl_command_plan(rl_settings *settings, const rl_context *context) {
    (void)context;
    rl_prepared p = {0};
    rl_journal *journal = NULL;
    if (settings->sbatch && settings->json)
        return rl_fail(RL_ERR_INPUT, "plan: --sbatch and --json do not go together; expected one of them");
    rl_status status = rl_prepare(settings, 0, &p);
    if (status == RL_OK) status = rl_journal_open(p.output, &p.plan, true, &journal);
    estimate e = {.settings = settings, .plan = &p.plan, .journal = journal};
    if (status == RL_OK) status = estimate_plan(&e);
    if (status == RL_OK && settings->sbatch)
        status = print_sbatch(&p, &e);
    else if (status == RL_OK && settings->json)
        status = print_json(&p, &e);
    else if (status == RL_OK)
        print_text(&p, &e);
    rl_free(e.rates_source);
    rl_free(e.series);
    if (journal != NULL) rl_journal_close(journal);
    rl_prepared_destroy(&p);
    return status;
}
