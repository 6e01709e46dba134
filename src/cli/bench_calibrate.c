/* `bench calibrate`: what the machine does per second, for predictions. All ranks measure at the same time, because
 * they share caches and memory when they compute, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calibrate.h"

/* What a rank has taken until now. How long MPI takes to start is no rate to measure once: it varies by a factor of
 * three. */
static rl_status measure_process(rl_calibration *c) {
    double most = rl_peak_memory();
    RL_TRY(rl_context_largest(c->context, &most, 1));
    if (most > 0) c->rates.process = most;
    return RL_OK;
}

/* ---- answer ------------------------------------------------------------------------------------------------------ */

/* One line, cut where there is no more room. */
static void keep_text(const rl_text *text, char kept[RL_RATE_TEXT]) {
    snprintf(kept, RL_RATE_TEXT, "%s", text->bytes != NULL ? text->bytes : "");
    for (char *c = kept; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~') *c = ' ';
}

static rl_status describe_machine(rl_calibration *c) {
    const time_t now = time(NULL);
    struct tm utc;
    rl_text hosts = RL_TEXT_EMPTY, mpi = RL_TEXT_EMPTY, blas = RL_TEXT_EMPTY;
    RL_TRY(rl_context_node_size(c->context, &c->rates.cores));
    rl_status status = rl_context_hosts(c->context, &hosts);
    if (status == RL_OK) status = rl_context_libraries(&mpi, &blas);
    keep_text(&hosts, c->rates.host);
    keep_text(&blas, c->rates.blas);
    strftime(c->rates.date, RL_RATE_TEXT, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    rl_free(hosts.bytes);
    rl_free(mpi.bytes);
    rl_free(blas.bytes);
    return rl_context_agree(c->context, status);
}

/* What is measured, in order: first what tells whether the machine is busy. */
static const struct {
    rl_status (*measure)(rl_calibration *c);
    int seconds; /* about, on a quiet machine */
} steps[] = {{measure_process, 0},    {rl_calibrate_kernels, 3}, {rl_calibrate_messages, 0},
             {rl_calibrate_dense, 5}, {rl_calibrate_updates, 2}, {rl_calibrate_lanes, 1},
             {rl_calibrate_cells, 1}, {rl_calibrate_files, 1},   {rl_calibrate_producers, 3},
             {rl_calibrate_again, 1}};
enum { N_STEPS = sizeof steps / sizeof *steps };

static int count_seconds(int n_steps) {
    int seconds = 0;
    for (int i = 0; i < n_steps; i++) seconds += steps[i].seconds;
    return seconds;
}

static rl_status measure_steps(rl_calibration *c) {
    for (int i = 0; i < N_STEPS; i++) {
        rl_progress_show(&c->progress, i, N_STEPS, (double)count_seconds(i) / count_seconds(N_STEPS));
        RL_TRY(steps[i].measure(c));
    }
    return RL_OK;
}

static rl_status measure_rates(rl_calibration *c) {
    const bool silent = c->settings->quiet || c->context->rank > 0;
    rl_context_tell_crowd(c->context);
    if (!silent)
        rl_info("measuring takes about %d s; the machine should have nothing else to do", count_seconds(N_STEPS));
    c->rates = rl_rates_default;
    RL_TRY(describe_machine(c));
    RL_TRY(rl_process_grid_create(c->context->comm, 0, 0, &c->grid));
    rl_progress_start(&c->progress, "steps", 0, silent);
    const rl_status status = measure_steps(c);
    rl_log_clear_line();
    return status;
}

static rl_status print_rates(const rl_settings *settings, const rl_rates *rates) {
    rl_text text = RL_TEXT_EMPTY;
    const rl_status status = settings->json ? rl_rates_json(rates, &text) : rl_rates_text(rates, &text);
    if (status == RL_OK) fputs(text.bytes, stdout);
    rl_free(text.bytes);
    return status;
}

static rl_status keep_rates(const rl_settings *settings, const rl_calibration *c, const char *path) {
    const char *first = getenv("RIDGELESS_RATES");
    RL_TRY(rl_rates_write(path, &c->rates));
    RL_TRY(print_rates(settings, &c->rates));
    rl_tell_kernels();
    if (c->context->size == 1) rl_info("one rank sends no messages: what is said of them is the shipped default");
    rl_info("written to %s", path);
    if (settings->output == NULL && first != NULL && *first != '\0' && strcmp(first, path) != 0)
        rl_warn("$RIDGELESS_RATES names another file, %s, which predictions look at first", first);
    return RL_OK;
}

rl_status rl_bench_calibrate(const rl_settings *settings, const rl_context *context) {
    rl_calibration c = {.context = context, .settings = settings, .ranks = context->size};
    char *path = NULL;
    rl_status status = settings->output != NULL ? rl_strdup(&path, settings->output) : rl_rates_place(&path);
    status = rl_context_agree(context, status);
    if (status == RL_OK) status = rl_context_agree(context, measure_rates(&c));
    if (status == RL_OK && context->rank == 0) status = keep_rates(settings, &c, path);
    rl_process_grid_destroy(c.grid);
    rl_free(path);
    return rl_context_agree(context, status);
}
