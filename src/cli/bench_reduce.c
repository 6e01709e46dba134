/* `bench reduce`: one mean, added up on all ranks in five ways. Some are bad on purpose: their last digits change with
 * the number of ranks. They are there to be looked at. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "ridgeless/random.h"
#include "ridgeless/sums.h"

enum { PIECE = 1024, USUAL_COUNT = 1000000, MOST = 100000000, USUAL_ROUNDS = 5 };

typedef struct reduce_bench {
    const rl_context *context;
    rl_key key;
    int count, n_rounds;
    int first, n;   /* the numbers of this rank, in whole pieces but for the last of all */
    double *values; /* [n] */
    double *all;    /* on rank 0: room for those of all ranks, or for two from each */
    double exact;   /* the sum, rounded once; on rank 0 */
} reduce_bench;

/* Ranks have pieces in a row, about as many each. */
static int first_of(const reduce_bench *b, int rank) {
    const int64_t pieces = (b->count + PIECE - 1) / PIECE, first = PIECE * (pieces * rank / b->context->size);
    return first < b->count ? (int)first : b->count;
}

/* 1 / u^2 of a uniform u, keyed by the place i: a number above t is as rare as 1 / sqrt(t), as of a test error at N =
 * P, whose mean does not exist either. */
static void draw_values(reduce_bench *b) {
    for (int i = 0; i < b->n; i++) {
        const double u = rl_philox_uniform(b->key, RL_STREAM_NOISE, 0, (uint32_t)(b->first + i), 0);
        b->values[i] = 1 / (u * u);
    }
}

/* ---- ways to add up: collective, the sum is rank 0's ------------------------------------------------------------- */

static double sum_in_order(const double *values, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += values[i];
    return sum;
}

static rl_status by_mpi_reduce(reduce_bench *b, double *sum) {
    *sum = sum_in_order(b->values, b->n);
    return rl_context_sum_at(b->context->comm, 0, sum, 1);
}

static rl_status in_fixed_order(reduce_bench *b, double *sum) {
    const int n_pieces = (b->n + PIECE - 1) / PIECE, of_all = (b->count + PIECE - 1) / PIECE;
    double *sums = NULL;
    RL_TRY(rl_context_agree(b->context, RL_ALLOC(sums, n_pieces)));
    for (int i = 0; i < n_pieces; i++)
        sums[i] = sum_in_order(b->values + i * PIECE, i * PIECE + PIECE < b->n ? PIECE : b->n - i * PIECE);
    const rl_status status = rl_context_gather(b->context, sums, n_pieces, b->all);
    if (b->context->rank == 0) *sum = sum_in_order(b->all, of_all);
    rl_free(sums);
    return status;
}

static rl_status sorted(reduce_bench *b, double *sum) {
    RL_TRY(rl_context_gather(b->context, b->values, b->n, b->all));
    if (b->context->rank != 0) return RL_OK;
    qsort(b->all, (size_t)b->count, sizeof *b->all, rl_compare_reals);
    *sum = sum_in_order(b->all, b->count);
    return RL_OK;
}

/* Rank 0 adds what others have lost, too. */
static rl_status compensated(reduce_bench *b, double *sum) {
    rl_compensated_sum mine = {0}, all = {0};
    for (int i = 0; i < b->n; i++) rl_compensated_add(&mine, b->values[i]);
    RL_TRY(rl_context_gather(b->context, (const double[]){mine.sum, mine.lost}, 2, b->all));
    for (int i = 0; b->context->rank == 0 && i < 2 * b->context->size; i++) rl_compensated_add(&all, b->all[i]);
    *sum = rl_compensated_value(&all);
    return RL_OK;
}

/* Signed digits add up as unsigned ones do. */
static rl_status as_integers(reduce_bench *b, double *sum) {
    rl_exact_sum s = {{0}};
    for (int i = 0; i < b->n; i++) rl_exact_add(&s, b->values[i]);
    const rl_status status = rl_context_sum_integers(b->context, (uint64_t *)s.digits, RL_EXACT_DIGITS);
    *sum = rl_exact_value(&s);
    return status;
}

typedef struct way {
    const char *name, *elsewhere; /* elsewhere: what becomes of the bits on another number of ranks */
    rl_status (*add_up)(reduce_bench *b, double *sum);
} way;

static const way ways[] = {
    {"MPI reduction", "change: bad on purpose", by_mpi_reduce},
    {"fixed order", "stay", in_fixed_order},
    {"sorted", "stay, but rank 0 does all", sorted},
    {"compensated", "stay nearly always", compensated},
    {"integers", "stay, and are exact", as_integers},
};
enum { N_WAYS = sizeof ways / sizeof *ways, EXACT = N_WAYS - 1 };

/* ---- measuring --------------------------------------------------------------------------------------------------- */

typedef struct measured {
    double sum, seconds; /* seconds: the median, on the slowest rank */
} measured;

static rl_status measure(reduce_bench *b, const way *w, measured *m) {
    double seconds[RL_MOST_ROUNDS];
    for (int round = 0; round < b->n_rounds; round++) {
        RL_TRY(rl_context_wait(b->context));
        const double start = rl_seconds();
        RL_TRY(rl_context_agree(b->context, w->add_up(b, &m->sum)));
        seconds[round] = rl_seconds() - start;
    }
    RL_TRY(rl_context_largest(b->context, seconds, b->n_rounds));
    qsort(seconds, (size_t)b->n_rounds, sizeof *seconds, rl_compare_reals);
    m->seconds = seconds[b->n_rounds / 2];
    return RL_OK;
}

/* ---- answer ------------------------------------------------------------------------------------------------------ */

/* How many doubles lie between two positive ones. */
static int64_t ulps_between(double a, double b) {
    int64_t bits[2];
    memcpy(&bits[0], &a, sizeof a);
    memcpy(&bits[1], &b, sizeof b);
    return bits[0] - bits[1];
}

/* That are right, of 16. */
static double digits_of(double sum, double exact) {
    return sum == exact ? 16 : fmin(16, -log10(fabs(sum / exact - 1)));
}

static void print_table(const reduce_bench *b, const measured *m) {
    char count[32];
    printf("the mean of %s numbers 1/u^2, heavy tailed as test errors at N = P are, on %d rank%s, %d round%s\n",
           rl_count_text(b->count, count), b->context->size, rl_plural(b->context->size), b->n_rounds,
           rl_plural(b->n_rounds));
    printf("%-14s %-24s %8s %7s %10s   %s\n", "added up by", "mean", "ulps", "digits", "seconds",
           "bits on other ranks");
    for (int i = 0; i < N_WAYS; i++)
        printf("%-14s %-24.17g %8lld %7.1f %10.6f   %s\n", ways[i].name, m[i].sum / b->count,
               (long long)ulps_between(m[i].sum, b->exact), digits_of(m[i].sum, b->exact), m[i].seconds,
               ways[i].elsewhere);
    printf(
        "ulps: from the sum that is rounded once, in units of its last place; digits: that are right\n"
        "Run it on 1, 2, 3 and 4 ranks, and see which last digits change.\n");
}

static rl_status print_json(const reduce_bench *b, const measured *m) {
    json_t *list = json_array();
    for (int i = 0; i < N_WAYS; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:f, s:f, s:I, s:f, s:f}", "way", ways[i].name, "sum", m[i].sum, "mean",
                            m[i].sum / b->count, "ulps", (json_int_t)ulps_between(m[i].sum, b->exact), "digits",
                            digits_of(m[i].sum, b->exact), "seconds", m[i].seconds));
    return rl_print_json(json_pack("{s:i, s:o, s:i, s:i, s:o}", "count", b->count, "key", rl_key_json(b->key), "ranks",
                                   b->context->size, "rounds", b->n_rounds, "ways", list));
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static rl_status make_room(reduce_bench *b) {
    const int two_each = 2 * b->context->size;
    RL_TRY(RL_ALLOC(b->values, b->n));
    return b->context->rank == 0 ? RL_ALLOC(b->all, b->count > two_each ? b->count : two_each) : RL_OK;
}

static rl_status measure_ways(reduce_bench *b, const rl_settings *settings) {
    measured results[N_WAYS] = {{0}};
    b->first = first_of(b, b->context->rank);
    b->n = first_of(b, b->context->rank + 1) - b->first;
    RL_TRY(rl_context_agree(b->context, make_room(b)));
    draw_values(b);
    for (int i = 0; i < N_WAYS; i++) RL_TRY(measure(b, &ways[i], &results[i]));
    b->exact = results[EXACT].sum;
    if (b->context->rank != 0) return RL_OK;
    if (settings->json) return print_json(b, results);
    print_table(b, results);
    return RL_OK;
}

rl_status rl_bench_reduce(const rl_settings *settings, const rl_context *context) {
    reduce_bench b = {.context = context, .key = rl_key_make(0, "bench reduce")};
    RL_TRY(rl_bench_count(settings, USUAL_COUNT, MOST, &b.count));
    RL_TRY(rl_bench_rounds(settings, USUAL_ROUNDS, &b.n_rounds));
    const rl_status status = rl_context_agree(context, measure_ways(&b, settings));
    rl_free(b.values);
    rl_free(b.all);
    return status;
}
