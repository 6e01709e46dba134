/* What tasks take on a machine of known rates, and on how many ranks they fit. */
#include <math.h>
#include <stdio.h>

#include "../numbers.h"
#include "ridgeless/plan.h"

/* A plan asks for no more: the search for a group that fits ends here. */
enum { MAX_RANKS = 65536 };

/* One full spectrum on a process grid. */
static rl_case_sizes spectrum_case(const rl_series *s, int i, int ranks) {
    const rl_dataset *data = &s->data;
    /* where they lie, and again as the teacher's */
    const double normals = data->fresh && data->map == NULL
                               ? (double)data->n_rows * ((double)data->n_features + data->teacher.n_hidden)
                               : 0;
    return (rl_case_sizes){.method = rl_case_method_of(s->producer),
                           .n_train = s->n_train[i],
                           .n_features = data->n_features,
                           .n_test = data->n_rows - s->n_train[i],
                           .n_population = rl_dataset_scale(data) != NULL ? data->n_features : 0,
                           .n_variants = s->spec->n_variants,
                           .normals = normals,
                           .block = s->study->block,
                           .ranks = ranks,
                           .grid = s->spec->grid};
}

/* A curve by nested factorization on one, but for its full spectra. */
static rl_case_sizes nested_case(const rl_series *s, int ranks) {
    rl_case_sizes c = spectrum_case(s, s->n_n_train - 1, ranks);
    c.method = RL_CASE_CURVE;
    c.n_variants = 0;
    c.n_shortest = s->n_train[0];
    c.n_sizes = s->n_n_train;
    for (int i = 0; i < s->n_n_train; i++) c.n_sigma += s->sigma_wanted[i];
    return c;
}

/* The case on a process grid of one full spectrum, or with CURVE of a curve by nested factorization; false: there is
 * none such. */
enum { CURVE = -1 };
static bool find_case(const rl_series *s, int i, int ranks, rl_case_sizes *c) {
    const bool is_nested = !rl_method_cuts_curves(s->method);
    if (i == CURVE ? !is_nested : is_nested && !s->full[i]) return false;
    *c = i == CURVE ? nested_case(s, ranks) : spectrum_case(s, i, ranks);
    return true;
}

/* A factored curve stays in memory while spectra are made from it, each about as large. */
static double cases_together(const rl_series *s) {
    bool some = false;
    for (int i = 0; i < s->n_n_train; i++) some |= s->full[i];
    return some ? 2 : 1;
}

/* ---- what it takes ----------------------------------------------------------------------------------------------- */

static rl_task_cost cases_cost(const rl_series *series, rl_range n_train, int ranks, const rl_rates *rates) {
    const double together = cases_together(series);
    rl_task_cost sum = {0};
    rl_case_sizes c;
    for (int i = rl_method_cuts_curves(series->method) ? n_train.first : CURVE; i < rl_range_end(n_train); i++) {
        if (!find_case(series, i, ranks, &c)) continue;
        const rl_case_cost cost = rl_case_predict(&c, rates);
        sum.seconds += cost.seconds;
        for (int b = 0; b < RL_N_CASE_BOUNDS; b++) sum.bounds[b] += cost.bounds[b];
        sum.bytes = fmax(sum.bytes, together * cost.bytes);
    }
    return sum;
}

/* Each sum goes to one rank and back. */
static double sums_seconds(const rl_series *series, const rl_task *task, int ranks, const rl_rates *rates) {
    double times = 0, numbers = 0;
    if (ranks < 2 || series->kind->sums == NULL) return 0;
    series->kind->sums(series, task, &times, &numbers);
    return times * 2 * (rates->message * log2(ranks) + 8 * numbers / rates->message_bandwidth);
}

static rl_effort find_effort(const rl_series *series, const rl_task *task, int ranks) {
    if (series->kind->effort != NULL) return series->kind->effort(series, task->n_train, ranks);
    return (rl_effort){.dense = task->flops / task->repeats.n};
}

/* Seconds of one repeat. A product with a vector reads 8 bytes for two flops. QR of many rows does not iterate: it is
 * about twice as fast as spectra of that order, as far as products of matrices let it be. */
static void predict_effort(const rl_series *series, const rl_effort *e, const rl_rates *rates,
                           double bounds[RL_N_CASE_BOUNDS]) {
    const double p = series->n_features, bytes_per_flop = 4, part_of_products = 0.4;
    const double dense = rl_rate_at(&rates->dense, p), factors = fmin(2 * dense, part_of_products * rates->gemm);
    bounds[RL_BOUND_COMPUTE] = e->updates / rl_rate_at(&rates->updates, p) + e->dense / dense + e->factors / factors +
                               e->lanes / rl_rate_at(&rates->lanes, p) + e->products / rates->gemm +
                               e->outputs / rates->outputs + e->normals / rates->normals + e->words / rates->words +
                               e->cells * rates->cell;
    if (e->rows > 0) bounds[RL_BOUND_MEMORY] = bytes_per_flop * e->rows / rl_rate_at(&rates->gemv, e->rows_bytes);
}

rl_task_cost rl_predict_task(const rl_plan *plan, int64_t task, int ranks, const rl_rates *rates) {
    const rl_task *t = &plan->tasks[task];
    const rl_series *series = &plan->series[t->series];
    if (series->on_grid) return cases_cost(series, t->n_train, ranks, rates);
    const rl_effort effort = find_effort(series, t, ranks);
    rl_task_cost cost = {.bytes = (double)rl_worker_bytes(series)};
    predict_effort(series, &effort, rates, cost.bounds);
    for (int b = 0; b < RL_N_CASE_BOUNDS; b++) cost.bounds[b] *= t->repeats.n;
    cost.bounds[RL_BOUND_MESSAGES] += sums_seconds(series, t, ranks, rates);
    for (int b = 0; b < RL_N_CASE_BOUNDS; b++) cost.seconds += cost.bounds[b];
    return cost;
}

/* ---- what fits --------------------------------------------------------------------------------------------------- */

/* What the libraries' integers cannot hold, as a failure of the dataset. */
static rl_status check_limits(const rl_series *series, const rl_case_sizes *c) {
    if (rl_case_limits(c, MAX_RANKS) == RL_OK) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: dataset `%s`: %s", series->study->path, series->name, rl_error_message());
}

static rl_status refuse_case(const rl_series *series, const rl_case_sizes *c, double bytes_per_rank) {
    RL_TRY(check_limits(series, c));
    return rl_fail(
        RL_ERR_INPUT,
        "%s: dataset `%s`: N = %lld, P = %lld and %lld test rows do not fit at %.3g GiB per rank, on any number "
        "of ranks up to %d",
        series->study->path, series->name, (long long)c->n_train, (long long)c->n_features, (long long)c->n_test,
        bytes_per_rank / (1 << 30), MAX_RANKS);
}

rl_status rl_fewest_ranks(const rl_series *series, double bytes_per_rank, int *ranks) {
    const double bytes = bytes_per_rank / cases_together(series);
    int fewest = 1;
    rl_case_sizes c;
    for (int i = CURVE; i < series->n_n_train; i++) {
        if (!find_case(series, i, 1, &c)) continue;
        const int enough = rl_smallest_group(&c, bytes, MAX_RANKS);
        if (enough <= 0) return refuse_case(series, &c, bytes_per_rank);
        fewest = rl_larger(fewest, enough);
    }
    *ranks = fewest;
    return RL_OK;
}

static rl_status check_case(const rl_series *series, const rl_case_sizes *c, double bytes_per_rank) {
    RL_TRY(check_limits(series, c));
    const double together = cases_together(series), bytes = together * rl_case_bytes(c, c->ranks);
    if (bytes <= bytes_per_rank) return RL_OK;
    const int enough = rl_smallest_group(c, bytes_per_rank / together, MAX_RANKS);
    char way_out[64];
    if (enough > 0)
        snprintf(way_out, sizeof way_out, "use at least %d ranks per case", enough);
    else
        snprintf(way_out, sizeof way_out, "no number of ranks up to %d will do", MAX_RANKS);
    return rl_fail(
        RL_ERR_INPUT,
        "%s: dataset `%s`: N = %lld, P = %lld and %lld test rows take %.3g GiB per rank on %d rank%s, and there "
        "are %.3g GiB; %s",
        series->study->path, series->name, (long long)c->n_train, (long long)c->n_features, (long long)c->n_test,
        bytes / (1 << 30), c->ranks, rl_plural(c->ranks), bytes_per_rank / (1 << 30), way_out);
}

/* Whether a process grid of so many ranks holds every case of the series; says what does not fit, and how many ranks
 * would do. */
static rl_status check_ranks(const rl_series *series, int ranks, double bytes_per_rank) {
    rl_case_sizes c;
    for (int i = CURVE; i < series->n_n_train; i++)
        if (find_case(series, i, ranks, &c)) RL_TRY(check_case(series, &c, bytes_per_rank));
    return RL_OK;
}

/* ---- ranks per task ---------------------------------------------------------------------------------------------- */

/* Long thin grids lose time in panels: at most about twice as many columns as rows. */
static bool is_compact(int ranks) {
    int rows, columns;
    rl_process_grid_shape(ranks, &rows, &columns);
    return columns <= 2 * rows + 1;
}

static rl_status choose_automatically(const rl_series *series, int64_t n_tasks, int size, double bytes_per_rank,
                                      int *ranks) {
    int fewest = 0;
    *ranks = size;
    RL_TRY(rl_fewest_ranks(series, bytes_per_rank, &fewest));
    if (fewest > size) return check_ranks(series, size, bytes_per_rank);
    const int64_t share = size / (n_tasks < 1 ? 1 : n_tasks);
    *ranks = share > fewest ? (int)share : fewest;
    while (*ranks > fewest && !is_compact(*ranks)) --*ranks;
    return RL_OK;
}

rl_status rl_choose_ranks(const rl_series *series, int64_t n_tasks, int size, double bytes_per_rank, int *ranks) {
    const int said = series->ranks_per_case;
    *ranks = said == RL_RANKS_ALL ? size : said == RL_RANKS_AUTO ? 1 : said;
    if (*ranks > size && series->spec != NULL && series->spec->grid.rows > 0)
        return rl_fail(RL_ERR_INPUT,
                       "%s:%d: key `grid`: `%s` is on %dx%d = %d ranks, but the run has %d; expected rows x columns "
                       "that make at most %d, or a start with at least %d",
                       series->study->path, series->line, series->name, series->spec->grid.rows,
                       series->spec->grid.columns, *ranks, size, size, *ranks);
    if (*ranks > size)
        return rl_fail(RL_ERR_INPUT,
                       "%s:%d: key `ranks_per_case`: `%s` takes %d ranks per case, but the run has %d; start it with "
                       "at least %d",
                       series->study->path, series->line, series->name, *ranks, size, *ranks);
    if (!series->on_grid) return RL_OK;
    if (said == RL_RANKS_AUTO) return choose_automatically(series, n_tasks, size, bytes_per_rank, ranks);
    return check_ranks(series, *ranks, bytes_per_rank);
}
