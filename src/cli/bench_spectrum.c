/* One large spectrum by every producer on all ranks, beside LAPACK's dgesdd with as many threads in a process of its
 * own: in turn, round by round, so that what else the machine does meets all of them. Seconds are those from a matrix
 * that lies in its place on: dgesdd gets it made, so that making it is told for itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_case.h"
#include "bench_peer.h"
#include "cli.h"
#include "ridgeless/case_cost.h"

enum { DGESDD = RL_PRODUCER_LAPACK, N_MEASURED = DGESDD + 1 };

typedef struct measured {
    const char *name;
    bool wanted;
    double seconds[RL_MOST_ROUNDS]; /* a round each */
    rl_timings timings;             /* of the fastest round */
    double memory;                  /* the largest peak of any rank in bytes; 0: unknown */
    double sigma_max, sigma_min;    /* to see at a glance that they agree */
    rl_case_cost predicted;         /* on rank 0; of dgesdd nothing is */
    rl_case_needs needs;            /* on rank 0, too */
} measured;

typedef struct spectrum_bench {
    const rl_settings *settings;
    const rl_context *context;
    rl_process_grid *grid;
    rl_bench_case made;
    int n_train, n_features, n_rounds;
    measured results[N_MEASURED]; /* by producer */
    rl_node node;                 /* of rank 0: what dgesdd stands for */
    rl_peer_result peer;          /* the last round's, on rank 0 */
    rl_rates rates;               /* on rank 0: to predict with */
    char *rates_source;           /* owned */
} spectrum_bench;

/* ---- what is measured -------------------------------------------------------------------------------------------- */

static void take_round(measured *m, int round, double seconds, const rl_timings *timings) {
    m->seconds[round] = seconds;
    for (int i = 0; i < round; i++)
        if (m->seconds[i] <= seconds) return;
    m->timings = *timings;
}

static rl_status measure_producer(spectrum_bench *b, rl_producer producer, int round) {
    measured *m = &b->results[producer];
    rl_spectrum_store store = {0};
    rl_spectrum s;
    rl_timings timings;
    rl_forget_peak_memory();
    RL_TRY(rl_context_wait(b->context));
    const double start = rl_seconds();
    rl_status status =
        rl_distributed_spectrum(b->grid, producer, b->settings->block, &b->made.case_.c, &store, &s, &timings);
    take_round(m, round, rl_seconds() - start - timings.generate, &timings);
    m->memory = fmax(m->memory, rl_peak_memory());
    if (status == RL_OK && s.status == RL_CELL_DONE) {
        m->sigma_max = s.sigma[0];
        m->sigma_min = s.sigma[s.n_modes - 1];
    }
    rl_spectrum_store_destroy(&store);
    RL_TRY(status);
    return rl_context_largest(b->context, &m->memory, 1);
}

/* While the others sleep. */
static rl_status measure_dgesdd(spectrum_bench *b, int round) {
    measured *m = &b->results[DGESDD];
    const bool first = b->context->rank == 0;
    const rl_status status = first ? rl_peer_measure(&b->made.case_.c, &b->node, &b->peer) : RL_OK;
    const rl_timings timings = {.total = b->peer.seconds};
    take_round(m, round, b->peer.seconds, &timings);
    m->memory = fmax(m->memory, b->peer.memory);
    m->sigma_max = b->peer.sigma_max;
    m->sigma_min = b->peer.sigma_min;
    RL_TRY(rl_context_wait(b->context));
    return rl_context_agree(b->context, status);
}

/* ---- what was predicted ------------------------------------------------------------------------------------------ */

/* Features are drawn once where they lie, and once more, whole rows of them, for the targets. */
static rl_case_sizes sizes_of_case(const spectrum_bench *b, rl_case_method method) {
    const double rows = (double)b->n_train + b->settings->test_rows;
    return (rl_case_sizes){.method = method,
                           .n_train = b->n_train,
                           .n_features = b->n_features,
                           .n_test = b->settings->test_rows,
                           .normals = 2 * rows * b->n_features,
                           .block = b->settings->block,
                           .ranks = b->grid->size,
                           .grid = {b->grid->n_rows, b->grid->n_columns}};
}

static void predict_all(spectrum_bench *b) {
    for (int i = 0; i < DGESDD; i++) {
        const rl_case_sizes sizes = sizes_of_case(b, rl_case_method_of((rl_producer)i));
        b->results[i].predicted = rl_case_predict(&sizes, &b->rates);
        b->results[i].predicted.seconds -= b->results[i].predicted.generate;
        b->results[i].needs = rl_find_case_needs(&sizes, sizes.ranks);
    }
}

/* ---- answer ------------------------------------------------------------------------------------------------------ */

/* Flops of the reduction to bidiagonal form, the one count that all methods share (Golub and Van Loan, 5.4.8). */
static double bidiagonal_flops(const spectrum_bench *b) {
    const double m = fmax(b->n_train, b->n_features), n = fmin(b->n_train, b->n_features);
    return 4 * m * n * n - 4.0 / 3 * n * n * n;
}

/* Half of the rounds were as fast. Sorts the values. */
static double median_of(double *values, int n) {
    qsort(values, (size_t)n, sizeof *values, rl_compare_reals);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static double median_seconds(const spectrum_bench *b, const measured *m) {
    double sorted[RL_MOST_ROUNDS];
    memcpy(sorted, m->seconds, sizeof *sorted * (size_t)b->n_rounds);
    return median_of(sorted, b->n_rounds);
}

/* How many times as long `other` takes: the median of the rounds' ratios; NaN when either was not measured. */
static double ratio_to(const spectrum_bench *b, const measured *m, int other) {
    const measured *o = &b->results[other];
    double ratios[RL_MOST_ROUNDS];
    if (!m->wanted || !o->wanted || m == o) return NAN;
    for (int i = 0; i < b->n_rounds; i++) ratios[i] = o->seconds[i] / m->seconds[i];
    return median_of(ratios, b->n_rounds);
}

static void print_row(const spectrum_bench *b, const measured *m) {
    const double seconds = median_seconds(b, m);
    char memory[32];
    printf("%-10s %9.2f", m->name, seconds);
    rl_print_number("%.2f", m->predicted.seconds > 0 ? m->predicted.seconds : NAN, 9);
    rl_print_number("%.2f", ratio_to(b, m, RL_PRODUCER_PDGESVD), 9);
    rl_print_number("%.2f", ratio_to(b, m, DGESDD), 9);
    printf(" %9.1f %9.2f %9.2f %9.2f %9.2f %10s %12.6g\n", 1e-9 * bidiagonal_flops(b) / seconds, m->timings.generate,
           m->timings.reduce, m->timings.project, m->timings.diagonalize, rl_bytes_text(m->memory, memory),
           m->sigma_min);
}

/* What dgesdd had, and what it does not stand for. */
static void print_peer(const spectrum_bench *b) {
    const rl_peer_result *p = &b->peer;
    const int others = b->context->size - b->node.ranks;
    printf("dgesdd: a process of its own with %d thread%s", p->threads, rl_plural(p->threads));
    if (p->processors > 0) printf(" on %d processor%s", p->processors, rl_plural(p->processors));
    printf(", those of the %d rank%s", b->node.ranks, rl_plural(b->node.ranks));
    if (others > 0) printf(" of rank 0's node; the other %d have no peer", others);
    printf("\n");
}

static void print_table(const spectrum_bench *b) {
    printf("%d x %d, %d test rows, %d rank%s as %d x %d, blocks of %d, %d round%s\n", b->n_train, b->n_features,
           b->settings->test_rows, b->grid->size, rl_plural(b->grid->size), b->grid->n_rows, b->grid->n_columns,
           b->settings->block, b->n_rounds, rl_plural(b->n_rounds));
    printf("%-10s %9s %9s %9s %9s %9s %9s %9s %9s %9s %10s %12s\n", "", "seconds", "predicted", "pdgesvd/", "dgesdd/",
           "GFlop/s", "generate", "reduce", "project", "diagonal", "memory", "sigma_min");
    for (int i = 0; i < N_MEASURED; i++)
        if (b->results[i].wanted) print_row(b, &b->results[i]);
    printf(
        "seconds: the median of the rounds, but for generating the matrix, which dgesdd gets made; predicted: by the "
        "rates of %s\n"
        "pdgesvd/, dgesdd/: how many times as long those take, the median of the "
        "rounds' ratios\n"
        "GFlop/s: of the reduction to bidiagonal form over all seconds; phases: of the fastest round; memory: the "
        "largest peak of any rank\n",
        b->rates_source);
    if (b->results[DGESDD].wanted) print_peer(b);
}

static json_t *seconds_json(const spectrum_bench *b, const measured *m) {
    json_t *list = json_array();
    for (int i = 0; i < b->n_rounds; i++) json_array_append_new(list, json_real(m->seconds[i]));
    return list;
}

static json_t *predicted_json(const rl_case_cost *p) {
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "seconds", p->seconds, "generate_seconds", p->generate,
                     "reduce_seconds", p->reduce, "project_seconds", p->project, "diagonalize_seconds", p->diagonalize,
                     "memory_bytes", p->bytes, "flops", p->flops);
}

/* What each part of the fastest round computed and moved, of all ranks together, by the model. */
static json_t *parts_json(const spectrum_bench *b, const measured *m) {
    static const char *const names[] = {"generate", "reduce", "project", "diagonalize"};
    const double seconds[] = {m->timings.generate, m->timings.reduce, m->timings.project, m->timings.diagonalize};
    double messages[RL_N_PARTS] = {0};
    json_t *parts = json_object();
    for (int i = 0; i < m->needs.n_work; i++)
        if (m->needs.work[i].kind == RL_WORK_MESSAGE_BYTES)
            messages[m->needs.work[i].part] += b->grid->size * m->needs.work[i].amount;
    for (int part = 0; part <= RL_PART_DIAGONALIZE; part++)
        json_object_set_new(
            parts, names[part],
            json_pack("{s:f, s:f, s:f, s:f}", "seconds", seconds[part], "flops", m->needs.traffic[part].flops,
                      "memory_bytes", m->needs.traffic[part].bytes, "message_bytes", messages[part]));
    return parts;
}

/* What all ranks together can do at most, by the rates: multiply matrices; read a matrix of this size over and over,
 * and one of the size that is read fastest, from a cache. */
static json_t *roofs_json(const spectrum_bench *b) {
    const rl_case_sizes sizes = sizes_of_case(b, RL_CASE_PROJECTED);
    const double matrix = sizeof(double) * (double)b->n_train * b->n_features / b->grid->size;
    double fastest = 0;
    for (int i = 0; i < b->rates.gemv.n; i++)
        fastest = fmax(fastest, rl_reading_rate(&sizes, &b->rates, b->rates.gemv.size[i]));
    return json_pack("{s:f, s:f, s:f}", "flops_per_second", b->grid->size * b->rates.gemm, "memory_bytes_per_second",
                     rl_reading_rate(&sizes, &b->rates, matrix), "cache_bytes_per_second", fastest);
}

static json_t *measured_json(const spectrum_bench *b, const measured *m) {
    const double seconds = median_seconds(b, m);
    json_t *row =
        json_pack("{s:s, s:f, s:o, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "producer", m->name, "seconds", seconds,
                  "rounds", seconds_json(b, m), "generate_seconds", m->timings.generate, "reduce_seconds",
                  m->timings.reduce, "project_seconds", m->timings.project, "diagonalize_seconds",
                  m->timings.diagonalize, "gflops", 1e-9 * bidiagonal_flops(b) / seconds, "peak_memory_bytes",
                  m->memory, "sigma_max", m->sigma_max, "sigma_min", m->sigma_min);
    if (m->predicted.seconds > 0) {
        json_object_set_new(row, "predicted", predicted_json(&m->predicted));
        json_object_set_new(row, "parts", parts_json(b, m));
    }
    return row;
}

/* What dgesdd had besides. */
static json_t *dgesdd_json(const spectrum_bench *b) {
    json_t *row = measured_json(b, &b->results[DGESDD]);
    json_object_set_new(row, "threads", json_integer(b->peer.threads));
    json_object_set_new(row, "processors", json_integer(b->peer.processors));
    json_object_set_new(row, "stands_for_ranks", json_integer(b->node.ranks));
    return row;
}

static rl_status print_json(const spectrum_bench *b) {
    json_t *list = json_array();
    for (int i = 0; i < N_MEASURED; i++)
        if (b->results[i].wanted)
            json_array_append_new(list, i == DGESDD ? dgesdd_json(b) : measured_json(b, &b->results[i]));
    return rl_print_json(json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:o, s:o}", "n_train", b->n_train,
                                   "n_features", b->n_features, "test_rows", b->settings->test_rows, "ranks",
                                   b->grid->size, "threads", rl_context_threads(), "grid_rows", b->grid->n_rows,
                                   "grid_columns", b->grid->n_columns, "block", b->settings->block, "rates",
                                   b->rates_source, "roofs", roofs_json(b), "producers", list));
}

static rl_status choose_producers(spectrum_bench *b) {
    const char *wanted = b->settings->producer, *words[N_MEASURED + 1] = {"all"};
    char list[200], hint[RL_WORD_HINT];
    int n = 0;
    for (int i = 0; i < N_MEASURED; i++) {
        measured *m = &b->results[i];
        m->name = i == DGESDD ? "dgesdd" : rl_producer_name((rl_producer)i);
        words[i + 1] = m->name;
        m->wanted = strcmp(wanted, "all") == 0 || strcmp(wanted, m->name) == 0;
        n += m->wanted;
    }
    RL_TRY(rl_bench_rounds(b->settings, 1, &b->n_rounds));
    if (n > 0) return RL_OK;
    rl_list_words(words, N_MEASURED + 1, list, sizeof list);
    return rl_fail(RL_ERR_INPUT, "--producer: got `%s`%s expected one of %s", wanted,
                   rl_word_hint(wanted, words, N_MEASURED + 1, hint), list);
}

static rl_status measure_producers(spectrum_bench *b) {
    RL_TRY(rl_bench_size(b->settings, &b->n_train, &b->n_features));
    RL_TRY(choose_producers(b));
    rl_context_tell_crowd(b->context);
    const bool first = b->context->rank == 0;
    const rl_status found = first ? rl_rates_find(b->settings->rates, &b->rates, &b->rates_source) : RL_OK;
    RL_TRY(rl_context_agree(b->context, found));
    RL_TRY(rl_context_node(b->context, &b->node));
    RL_TRY(rl_process_grid_create(b->context->comm, b->settings->grid.rows, b->settings->grid.columns, &b->grid));
    RL_TRY(rl_bench_case_create(&b->made, b->grid, b->n_train, b->n_features, b->settings->test_rows));
    for (int round = 0; round < b->n_rounds; round++) {
        for (int i = 0; i < DGESDD; i++)
            if (b->results[i].wanted) RL_TRY(measure_producer(b, (rl_producer)i, round));
        if (b->results[DGESDD].wanted) RL_TRY(measure_dgesdd(b, round));
    }
    if (!first) return RL_OK;
    rl_tell_kernels();
    predict_all(b);
    if (b->settings->json) return print_json(b);
    print_table(b);
    return RL_OK;
}

rl_status rl_bench_spectrum(const rl_settings *settings, const rl_context *context) {
    spectrum_bench b = {.settings = settings, .context = context};
    const rl_status status = rl_context_agree(context, measure_producers(&b));
    rl_bench_case_destroy(&b.made);
    rl_process_grid_destroy(b.grid);
    rl_free(b.rates_source);
    return status;
}
