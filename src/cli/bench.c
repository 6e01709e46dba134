/* `bench`: speeds of whole studies here, of their parts in the other files. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static rl_status print_speed(const rl_settings *settings, const rl_context *context, const rl_done *done, double flops,
                             const rl_run_summary *summary) {
    const long long points = (long long)done->count.points, cells = (long long)done->count.cells;
    const double spectra_rate = (double)points / summary->seconds, cell_rate = (double)cells / summary->seconds;
    char n_spectra[32], n_errors[32];
    if (!settings->json) {
        printf(
            "%s spectra, %s errors on %d rank%s: %.4f s, %.4g spectra/s, %.4g errors/s, %.3g flop/s of the plan, load "
            "imbalance %.2f\n",
            rl_count_text(points, n_spectra), rl_count_text(cells, n_errors), context->size, rl_plural(context->size),
            summary->seconds, spectra_rate, cell_rate, flops / summary->seconds, summary->imbalance);
        return RL_OK;
    }
    json_t *root = json_pack("{s:I, s:I, s:i, s:f, s:f, s:f, s:f, s:f}", "spectra", (json_int_t)points, "cells",
                             (json_int_t)cells, "ranks", context->size, "seconds", summary->seconds,
                             "spectra_per_second", spectra_rate, "cells_per_second", cell_rate, "load_imbalance",
                             summary->imbalance, "processor_share", summary->processor_share);
    return rl_print_json(root);
}

/* All tasks of data sets. */
static rl_status list_curves(const rl_plan *plan, rl_todo *todo, double *flops) {
    RL_TRY(rl_todo_create(plan, todo));
    for (int64_t i = 0; i < plan->n_tasks; i++) {
        const rl_task *task = &plan->tasks[i];
        if (plan->series[task->series].spec == NULL) continue;
        RL_TRY(rl_todo_append(todo, plan, i, task->repeats, NULL));
        *flops += task->flops;
    }
    if (todo->n > 0) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s: has no data sets, whose curves bench study computes; trainings are measured by bench "
                   "autoencoder",
                   plan->study->path);
}

static rl_status measure_study(const rl_settings *settings, const rl_context *context, rl_prepared *p) {
    const bool root = context->rank == 0;
    const rl_sink none = {0};
    rl_run_settings run;
    rl_run_summary summary = {0};
    rl_todo todo = {0};
    double flops = 0;
    rl_status status = root ? rl_prepare(settings, 1, p) : RL_OK;
    if (status == RL_OK && root) status = list_curves(&p->plan, &todo, &flops);
    status = rl_context_agree(context, status);
    if (status == RL_OK) status = rl_share_prepared(settings, context, p, &run);
    if (status == RL_OK) status = rl_parallel_run(context, &p->plan, &todo, &run, &none, &summary);
    if (status == RL_OK && root) status = print_speed(settings, context, &summary.done[0], flops, &summary);
    rl_todo_destroy(&todo);
    rl_run_summary_destroy(&summary);
    return rl_context_agree(context, status);
}

static rl_status bench_study(const rl_settings *settings, const rl_context *context) {
    rl_prepared p = {0};
    const rl_status status = measure_study(settings, context, &p);
    rl_prepared_destroy(&p);
    return status;
}

/* ---- the choice -------------------------------------------------------------------------------------------------- */

rl_status rl_bench_size(const rl_settings *settings, int *rows, int *columns) {
    int64_t sides[2];
    const int n = rl_parse_sizes(settings->arguments[1], 2, 1000000, sides);
    if (n == 0)
        return rl_fail(RL_ERR_INPUT, "bench %s: got `%s`; expected a size, like 4000 or 3000x4000",
                       settings->arguments[0], settings->arguments[1]);
    *rows = (int)sides[0];
    *columns = (int)sides[n - 1];
    return RL_OK;
}

rl_status rl_bench_count(const rl_settings *settings, int usual, int most, int *count) {
    int64_t given = usual;
    if (settings->arguments[1] != NULL && !rl_parse_integer(settings->arguments[1], 1, most, &given))
        return rl_fail(RL_ERR_INPUT, "bench %s: got `%s`; expected an integer from 1 to %d", settings->arguments[0],
                       settings->arguments[1], most);
    *count = (int)given;
    return RL_OK;
}

rl_status rl_bench_rounds(const rl_settings *settings, int usual, int *rounds) {
    *rounds = settings->repeats > 0 ? settings->repeats : usual;
    if (*rounds <= RL_MOST_ROUNDS) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "--repeats: got %d; expected at most %d rounds", *rounds, RL_MOST_ROUNDS);
}

json_t *rl_key_json(rl_key key) {
    char digits[20];
    snprintf(digits, sizeof digits, "%08x%08x", (unsigned)key.word[1], (unsigned)key.word[0]);
    return json_string(digits);
}

typedef struct benchmark {
    const char *name, *argument; /* argument: NULL: it takes none; in brackets: it may be left out */
    rl_status (*measure)(const rl_settings *settings, const rl_context *context);
} benchmark;

static const benchmark benchmarks[] = {
    {"study", "STUDY", bench_study},         {"spectrum", "SIZE", rl_bench_spectrum},
    {"layout", "SIZE", rl_bench_layout},     {"autoencoder", "SIZE", rl_bench_autoencoder},
    {"calibrate", NULL, rl_bench_calibrate}, {"reduce", "[COUNT]", rl_bench_reduce},
    {"random", "[COUNT]", rl_bench_random},
};
enum { N_BENCHMARKS = sizeof benchmarks / sizeof *benchmarks };

static bool takes_arguments(const benchmark *b, const rl_settings *settings) {
    const bool given = settings->arguments[1] != NULL;
    return given ? b->argument != NULL : b->argument == NULL || *b->argument == '[';
}

static rl_status refuse(const rl_settings *settings) {
    const char *words[N_BENCHMARKS];
    char expected[300] = "", hint[RL_WORD_HINT];
    for (int i = 0; i < N_BENCHMARKS; i++) {
        const size_t used = strlen(expected);
        const bool has_argument = benchmarks[i].argument != NULL;
        words[i] = benchmarks[i].name;
        snprintf(expected + used, sizeof expected - used, "%sbench %s%s%s", used > 0 ? ", " : "ridgeless ",
                 benchmarks[i].name, has_argument ? " " : "", has_argument ? benchmarks[i].argument : "");
    }
    return rl_fail(RL_ERR_INPUT, "bench: got `%s`%s%s expected one of: %s", settings->arguments[0],
                   settings->arguments[1] != NULL ? " with an argument" : " alone",
                   rl_word_hint(settings->arguments[0], words, N_BENCHMARKS, hint), expected);
}

rl_status rl_command_bench(rl_settings *settings, const rl_context *context) {
    for (int i = 0; i < N_BENCHMARKS; i++)
        if (strcmp(settings->arguments[0], benchmarks[i].name) == 0 && takes_arguments(&benchmarks[i], settings))
            return benchmarks[i].measure(settings, context);
    return refuse(settings);
}
