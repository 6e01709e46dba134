/* `bench calibrate`: what the machine does per second, for predictions. All ranks measure at the same time, because
 * they share caches and memory when they compute, too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../vectors.h"
#include "bench_case.h"
#include "cli.h"
#include "ridgeless/arena.h"
#include "ridgeless/rates.h"

/* The best of several trials counts: other work on the machine only makes them slower. */
static const double trial_seconds = 0.05;
enum { TRIALS = 3 };

typedef struct calibration {
    const rl_context *context;
    rl_process_grid *grid;
    rl_rates rates;
    double ranks;
} calibration;

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

/* A matrix of at most 64 MiB. LD is no power of two, so that columns fall into different cache sets. */
enum { LD = 1032, ROWS = 1024, RANK = 64, MOST_COLUMNS = 8192 };

/* Does a piece of work, which takes some milliseconds, and returns how much it was. */
typedef double (*kernel)(void *state);

static double best_of_trials(kernel call, void *state) {
    double best = 0;
    call(state); /* warms up the caches */
    for (int i = 0; i < TRIALS; i++) {
        double amount = 0, seconds = 0;
        const double start = rl_seconds();
        for (; seconds < trial_seconds; seconds = rl_seconds() - start) amount += call(state);
        best = fmax(best, amount / seconds);
    }
    return best;
}

/* *rate: how much of a kernel a rank does per second. `alone`: rank 0, while the others sleep; else on average, while
 * all do the same. */
static rl_status measure_kernel(const calibration *c, kernel call, void *state, bool alone, double *rate) {
    RL_TRY(rl_context_wait(c->context));
    *rate = !alone || c->context->rank == 0 ? best_of_trials(call, state) : 0;
    RL_TRY(rl_context_wait(c->context));
    RL_TRY(rl_context_sum(c->context, rate, 1));
    if (!alone) *rate /= c->ranks;
    return RL_OK;
}

/* Draws as cases do: features by columns, and for the targets whole rows of them. */
static double draw_normals(void *state) {
    enum { COUNT = 1 << 15, BLOCK = 64 };
    const rl_key key = {{1, 2}};
    double *out = state;
    for (uint32_t i = 0; i < COUNT / BLOCK; i++)
        rl_philox_normal_column(key, RL_STREAM_FEATURES, 0, i * BLOCK, 3, BLOCK, out);
    for (uint32_t i = 0; i < COUNT / MOST_COLUMNS; i++)
        rl_philox_normal_row(key, RL_STREAM_FEATURES, 0, i, 0, MOST_COLUMNS, out);
    return 2.0 * COUNT;
}

/* Arrays of the next two kernels, large enough for all sizes. */
typedef struct operands {
    double *a, *x, *y;
    int columns; /* of a for dgemv */
} operands;

/* A matrix times a vector and its transpose times a vector, as in a reduction to bidiagonal form. */
static double multiply_vectors(void *state) {
    const operands *o = state;
    rl_gemv('N', ROWS, o->columns, 1, o->a, LD, o->x, 0, o->y);
    rl_gemv('T', ROWS, o->columns, 1, o->a, LD, o->y, 0, o->x);
    return 2.0 * ROWS * o->columns * sizeof(double);
}

static double multiply_matrices(void *state) {
    const operands *o = state;
    double *const b = o->a + (size_t)LD * RANK, *const c = b + (size_t)LD * ROWS;
    rl_gemm('N', 'N', ROWS, ROWS, RANK, 1, o->a, LD, b, LD, 1, c, LD);
    return 2.0 * ROWS * ROWS * RANK;
}

static rl_status measure_reading(calibration *c, operands *o) {
    static const int columns[] = {128, 512, 2048, MOST_COLUMNS};
    rl_rate_table *table = &c->rates.gemv;
    table->n = sizeof columns / sizeof *columns;
    for (int i = 0; i < table->n; i++) {
        o->columns = columns[i];
        table->size[i] = (double)ROWS * columns[i] * sizeof(double);
        RL_TRY(measure_kernel(c, multiply_vectors, o, false, &table->rate[i]));
    }
    return measure_kernel(c, multiply_vectors, o, true, &c->rates.gemv_alone);
}

static void list_operands(rl_arena *arena, void *object) {
    operands *o = object;
    RL_TAKE(arena, o->a, (size_t)LD * MOST_COLUMNS);
    RL_TAKE(arena, o->x, MOST_COLUMNS);
    RL_TAKE(arena, o->y, LD);
}

static rl_status measure_kernels(calibration *c) {
    operands o;
    rl_status status = rl_context_agree(c->context, rl_arrays_create(&o, list_operands));
    if (status == RL_OK) status = measure_kernel(c, draw_normals, o.x, false, &c->rates.normals);
    if (status == RL_OK) status = measure_kernel(c, multiply_matrices, &o, false, &c->rates.gemm);
    if (status == RL_OK) status = measure_reading(c, &o);
    rl_free(o.a);
    return status;
}

/* ---- LAPACK spectra ---------------------------------------------------------------------------------------------- */

/* Curves with N below, at and above the threshold, and a variant that needs all modes. */
static rl_status make_study(int features, int repeats, rl_prepared *made) {
    rl_text text = RL_TEXT_EMPTY;
    rl_data_path path = {0};
    rl_status status = rl_text_append(
        &text,
        "repeats: %d\nn_train: {ratios: [0.5, 1, 2]}\nablations: [none, no_residuals, leading_modes: 2]\n"
        "datasets: [{source: student-teacher, rows: %d, features: %d, hidden_features: %d}]\n",
        repeats, 4 * features, features, features);
    if (status == RL_OK) status = rl_study_parse("calibration", text.bytes, &made->study);
    if (status == RL_OK) status = rl_data_path_create(&path, NULL);
    const rl_plan_options options = {.path = &path};
    if (status == RL_OK) status = rl_plan_create(&made->study, &options, &made->plan);
    rl_data_path_destroy(&path);
    rl_free(text.bytes);
    return status;
}

/* *seconds, on all ranks: what rank 0 has measured. */
static rl_status run_study(const calibration *c, const rl_prepared *made, double *flops, double *seconds) {
    const rl_plan *plan = &made->plan;
    const rl_sink none = {0};
    const rl_run_settings settings = {.schedule = RL_SCHEDULE_DYNAMIC, .seconds_left = INFINITY};
    rl_run_summary summary = {0};
    rl_todo todo;
    RL_TRY(rl_context_agree(c->context, rl_todo_create_full(plan, &todo)));
    *flops = 0;
    for (int64_t i = 0; i < plan->n_tasks; i++) *flops += plan->tasks[i].flops;
    const rl_status status = rl_parallel_run(c->context, plan, &todo, &settings, &none, &summary);
    *seconds = c->context->rank == 0 ? summary.seconds : 0;
    rl_todo_destroy(&todo);
    rl_run_summary_destroy(&summary);
    RL_TRY(status);
    return rl_context_sum(c->context, seconds, 1);
}

static rl_status time_study(const calibration *c, int features, int repeats, double *flops, double *seconds) {
    rl_prepared made = {0};
    rl_status status = rl_context_agree(c->context, make_study(features, repeats, &made));
    if (status == RL_OK) status = run_study(c, &made, flops, seconds);
    rl_prepared_destroy(&made);
    return status;
}

/* A trial computes one curve per rank, or as many as fill the time of a trial. */
static rl_status measure_order(const calibration *c, int features, double *rate) {
    enum { MOST_REPEATS = 100000 };
    double flops, seconds;
    RL_TRY(time_study(c, features, c->context->size, &flops, &seconds));
    const double repeats = fmin(ceil(trial_seconds / seconds), MOST_REPEATS) * c->ranks;
    *rate = 0;
    for (int i = 0; i < TRIALS; i++) {
        RL_TRY(time_study(c, features, (int)repeats, &flops, &seconds));
        *rate = fmax(*rate, flops / seconds / c->ranks);
    }
    return RL_OK;
}

static rl_status measure_dense(calibration *c) {
    static const int features[] = {8, 32, 128, 512};
    rl_rate_table *table = &c->rates.dense;
    table->n = sizeof features / sizeof *features;
    for (int i = 0; i < table->n; i++) {
        table->size[i] = features[i];
        RL_TRY(measure_order(c, features[i], &table->rate[i]));
    }
    return RL_OK;
}

/* ---- ScaLAPACK spectra ------------------------------------------------------------------------------------------- */

enum { ORDER = 448, BLOCK = 64, FEW = 16, MANY = 384 };
static const double order_sq = (double)ORDER * ORDER;

/* The best of some trials with `rows` rows of Z on each rank. */
static rl_status time_producer(const calibration *c, rl_producer producer, int rows, rl_timings *best) {
    rl_bench_case made;
    rl_spectrum_store store = {0};
    rl_spectrum spectrum;
    rl_status status = rl_bench_case_create(&made, c->grid, ORDER, ORDER, rows * c->context->size - 1);
    *best = (rl_timings){.reduce = INFINITY, .diagonalize = INFINITY};
    for (int i = 0; i < TRIALS && status == RL_OK; i++) {
        rl_timings timings;
        status = rl_distributed_spectrum(c->grid, producer, BLOCK, &made.case_.c, &store, &spectrum, &timings);
        best->reduce = fmin(best->reduce, timings.reduce);
        best->diagonalize = fmin(best->diagonalize, timings.diagonalize);
    }
    rl_spectrum_store_destroy(&store);
    rl_bench_case_destroy(&made);
    return status;
}

/* Seconds divided by n^2, as a line over the rows of Z. Noise can make a difference too small or negative: then
 * least_part of the whole is taken for it. */
typedef struct line {
    double slope, intercept;
} line;

static const double least_part = 0.1;

static line line_through(double few_seconds, double many_seconds) {
    line l;
    l.slope = fmax(many_seconds - few_seconds, least_part * many_seconds) / ((MANY - FEW) * order_sq);
    l.intercept = fmax(few_seconds / order_sq - (FEW + RL_N_TARGETS) * l.slope, least_part * few_seconds / order_sq);
    return l;
}

static rl_status time_line(const calibration *c, rl_producer producer, line *l, double *reduce) {
    rl_timings few, many;
    RL_TRY(time_producer(c, producer, FEW, &few));
    RL_TRY(time_producer(c, producer, MANY, &many));
    *l = line_through(few.diagonalize, many.diagonalize);
    *reduce = few.reduce;
    return RL_OK;
}

/* pdgesvd does all steps in one call. Its time less that of the reduction, of the serial part of bidiagonal QR and of
 * the multiplications by reflectors is the time of its rotations. */
static rl_status measure_pdgesvd(calibration *c, double reduce) {
    rl_timings whole;
    rl_rates *r = &c->rates;
    RL_TRY(time_producer(c, RL_PRODUCER_PDGESVD, FEW, &whole));
    const double rest =
        whole.diagonalize - reduce - r->bidiagonal * order_sq - 4 * order_sq * ORDER / (r->gemm * c->ranks);
    const double rotated_rows = 2 * ceil(ORDER / c->ranks);
    r->pdgesvd_rotations = rotated_rows * order_sq / fmax(rest, least_part * whole.diagonalize);
    return RL_OK;
}

static rl_status measure_producers(calibration *c) {
    rl_rates *r = &c->rates;
    line bidiagonal, both;
    double reduce, ignored;
    RL_TRY(time_line(c, RL_PRODUCER_PROJECTED, &bidiagonal, &reduce));
    RL_TRY(time_line(c, RL_PRODUCER_TWO_STAGE, &both, &ignored));
    r->bidiagonal = bidiagonal.intercept;
    r->rotations = 1 / bidiagonal.slope;
    r->band = fmax(both.intercept - bidiagonal.intercept, least_part * both.intercept) / BLOCK;
    r->band_rotations = 1 / fmax(both.slope - bidiagonal.slope, least_part * both.slope);
    return measure_pdgesvd(c, reduce);
}

/* A single rank sends no messages: the default rates of messages stay. */
static rl_status measure_messages(calibration *c) {
    rl_message_costs costs;
    RL_TRY(rl_measure_messages(c->grid, &costs));
    c->rates.column = costs.column;
    if (costs.latency > 0) c->rates.message = costs.latency;
    if (costs.bandwidth > 0) c->rates.message_bandwidth = costs.bandwidth;
    return RL_OK;
}

/* ---- answer ------------------------------------------------------------------------------------------------------ */

/* One line, cut where there is no more room. */
static void keep_text(const rl_text *text, char kept[RL_RATE_TEXT]) {
    snprintf(kept, RL_RATE_TEXT, "%s", text->bytes != NULL ? text->bytes : "");
    for (char *c = kept; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~') *c = ' ';
}

static rl_status describe_machine(calibration *c) {
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

static rl_status measure_rates(calibration *c) {
    rl_context_tell_crowd(c->context);
    c->rates = rl_rates_default;
    RL_TRY(describe_machine(c));
    RL_TRY(rl_process_grid_create(c->context->comm, 0, 0, &c->grid));
    RL_TRY(measure_messages(c));
    RL_TRY(measure_kernels(c));
    RL_TRY(measure_dense(c));
    return measure_producers(c);
}

static rl_status print_rates(const rl_settings *settings, const rl_rates *rates) {
    rl_text text = RL_TEXT_EMPTY;
    const rl_status status = settings->json ? rl_rates_json(rates, &text) : rl_rates_text(rates, &text);
    if (status == RL_OK) fputs(text.bytes, stdout);
    rl_free(text.bytes);
    return status;
}

static rl_status keep_rates(const rl_settings *settings, const calibration *c, const char *path) {
    const char *first = getenv("RIDGELESS_RATES");
    RL_TRY(rl_rates_write(path, &c->rates));
    RL_TRY(print_rates(settings, &c->rates));
    if (c->context->size == 1) rl_info("one rank sends no messages: what is said of them is the shipped default");
    rl_info("written to %s", path);
    if (settings->output == NULL && first != NULL && *first != '\0' && strcmp(first, path) != 0)
        rl_warn("$RIDGELESS_RATES names another file, %s, which predictions look at first", first);
    return RL_OK;
}

rl_status rl_bench_calibrate(const rl_settings *settings, const rl_context *context) {
    calibration c = {.context = context, .ranks = context->size};
    char *path = NULL;
    rl_status status = settings->output != NULL ? rl_strdup(&path, settings->output) : rl_rates_place(&path);
    status = rl_context_agree(context, status);
    if (status == RL_OK) status = rl_context_agree(context, measure_rates(&c));
    if (status == RL_OK && context->rank == 0) status = keep_rates(settings, &c, path);
    rl_process_grid_destroy(c.grid);
    rl_free(path);
    return rl_context_agree(context, status);
}
