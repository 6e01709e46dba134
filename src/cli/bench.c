#include <stdio.h>
#include <string.h>

#include "cli.h"

static rl_status print_speed(const rl_settings *settings, const rl_context *context, const rl_plan *plan,
                             const rl_run_summary *summary) {
    const double spectra = (double)plan->n_spectra / summary->seconds, cells = (double)plan->n_cells / summary->seconds;
    double flops = 0;
    for (int64_t i = 0; i < plan->n_curves; i++) flops += plan->cost[i];
    if (!settings->json) {
        printf(
            "%lld spectra, %lld cells on %d rank(s): %.4f s, %.4g spectra/s, %.4g cells/s, %.3g flop/s of the plan, "
            "load imbalance %.2f\n",
            (long long)plan->n_spectra, (long long)plan->n_cells, context->size, summary->seconds, spectra, cells,
            flops / summary->seconds, summary->imbalance);
        return RL_OK;
    }
    json_t *root =
        json_pack("{s:I, s:I, s:i, s:f, s:f, s:f, s:f}", "spectra", (json_int_t)plan->n_spectra, "cells",
                  (json_int_t)plan->n_cells, "ranks", context->size, "seconds", summary->seconds, "spectra_per_second",
                  spectra, "cells_per_second", cells, "load_imbalance", summary->imbalance);
    return rl_print_json(root);
}

static rl_status measure(const rl_settings *settings, const rl_context *context, rl_prepared *p) {
    const bool root = context->rank == 0;
    const rl_sink none = {0};
    rl_run_settings run;
    rl_run_summary summary = {0};
    rl_todo todo = {0};
    rl_status status = root ? rl_prepare(settings, 1, p) : RL_OK;
    if (status == RL_OK && root && p->plan.n_curves == 0)
        status = rl_fail(
            RL_ERR_INPUT,
            "%s: has no data sets, whose curves bench study computes; trainings are measured by bench autoencoder",
            p->study.path);
    if (status == RL_OK && root) status = rl_todo_create_full(&p->plan, &todo);
    status = rl_context_agree(context, status);
    if (status == RL_OK) status = rl_parallel_share_plan(context, &p->study, &p->plan);
    if (status == RL_OK) status = rl_parallel_complete_plan(context, &p->plan);
    if (status == RL_OK) status = rl_make_run_settings(settings, context, &run);
    if (status == RL_OK) rl_context_tell_crowd(context);
    if (status == RL_OK) status = rl_parallel_run(context, &p->plan, &todo, &run, &none, &summary);
    if (status == RL_OK && root) status = print_speed(settings, context, &p->plan, &summary);
    rl_todo_destroy(&todo);
    rl_run_summary_destroy(&summary);
    return rl_context_agree(context, status);
}

rl_status rl_command_bench(rl_settings *settings, const rl_context *context) {
    const char *what = settings->arguments[0];
    const bool has_argument = settings->arguments[1] != NULL;
    rl_prepared p = {0};
    if (strcmp(what, "calibrate") == 0 && !has_argument) return rl_bench_calibrate(settings, context);
    if (strcmp(what, "autoencoder") == 0 && has_argument) return rl_bench_autoencoder(settings, context);
    if (strcmp(what, "spectrum") == 0 && has_argument) return rl_bench_spectrum(settings, context);
    if (strcmp(what, "study") != 0 || !has_argument)
        return rl_fail(RL_ERR_INPUT,
                       "bench: got `%s`%s; expected: ridgeless bench study STUDY, bench spectrum SIZE, bench "
                       "autoencoder SIZE, or bench calibrate",
                       what, has_argument ? " with an argument" : " alone");
    const rl_status status = measure(settings, context, &p);
    rl_prepared_destroy(&p);
    return status;
}
