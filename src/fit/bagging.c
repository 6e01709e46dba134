/* The ablation `bagging`: the mean of least squares on B random subsets of k training rows, each the minimum-norm
 * solution (Breiman 1996, "Bagging predictors", with subsets drawn without replacement). Where there are no more than B
 * subsets it is the mean over all of them, each once. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "../lapack.h"
#include "../numbers.h"
#include "filter.h"

/* Buffers for one subset after the other, in a problem's room. */
typedef struct bags {
    int n, p, k;
    int *subset, *order, *pivot; /* [k] places of rows, ascending where all subsets are taken; [n]; [p] */
    double *columns, *solution, *work;
    int lwork;
} bags;

static int rows_of(const rl_variant *variant, int n_train) {
    return variant->parameter < n_train ? (int)variant->parameter : n_train;
}

/* Of LAPACK's gelsy, which needs min(k, p) + 3 p + 1, and gets blocks beside. */
static int work_of(int k, int p) {
    enum { BLOCK = 32 };
    return (k < p ? k : p) + (p + 1) * (BLOCK + 2) + 2 * p;
}

static size_t room_for_bags(const rl_variant *variant, int n_train, int n_features) {
    const int k = rows_of(variant, n_train);
    const size_t whole = (size_t)k + (size_t)n_train + (size_t)n_features;
    return whole + (size_t)k * (size_t)n_features + (size_t)rl_larger(k, n_features) + (size_t)work_of(k, n_features);
}

static bags bags_in(const rl_rows_problem *problem, const rl_variant *variant) {
    const int n = problem->train->n_train, p = problem->train->n_features, k = rows_of(variant, n);
    bags b = {.n = n, .p = p, .k = k, .columns = problem->room, .lwork = work_of(k, p)};
    b.solution = b.columns + (size_t)k * (size_t)p;
    b.work = b.solution + rl_larger(k, p);
    b.subset = (int *)(void *)(b.work + b.lwork);
    b.order = b.subset + k;
    b.pivot = b.order + n;
    return b;
}

/* Adds the solution of the subset to beta. */
static bool add_solution(const bags *b, const rl_training_set *t, double *beta) {
    const int one = 1, longer = rl_larger(b->k, b->p);
    const double precision = longer * DBL_EPSILON;
    int rank, info;
    for (int i = 0; i < b->k; i++) {
        const double *const row = t->x + (size_t)b->subset[i] * (size_t)b->p;
        for (int j = 0; j < b->p; j++) b->columns[(size_t)j * (size_t)b->k + (size_t)i] = row[j];
        b->solution[i] = t->y[b->subset[i]];
    }
    memset(b->pivot, 0, (size_t)b->p * sizeof *b->pivot); /* all columns are free */
    dgelsy_(&b->k, &b->p, &one, b->columns, &b->k, b->solution, &longer, b->pivot, &precision, &rank, b->work,
            &b->lwork, &info);
    for (int j = 0; j < b->p; j++) beta[j] += b->solution[j];
    return info == 0;
}

/* How many subsets there are, INFINITY where that is far too many to take. */
static double count_subsets(int n, int k) {
    double count = 1;
    for (int i = 1; i <= k && count < 1e15; i++) count = nearbyint(count * (n - k + i) / i);
    return count < 1e15 ? count : INFINITY;
}

/* The next one in lexicographic order; false: it was the last. */
static bool next_subset(const bags *b) {
    int i = b->k - 1;
    while (i >= 0 && b->subset[i] == b->n - b->k + i) i--;
    if (i < 0) return false;
    b->subset[i]++;
    for (int j = i + 1; j < b->k; j++) b->subset[j] = b->subset[j - 1] + 1;
    return true;
}

/* The first steps of a Fisher-Yates shuffle, by numbers of this bag. */
static void draw_subset(const bags *b, const rl_rows_problem *problem, int bag) {
    for (int i = 0; i < b->n; i++) b->order[i] = i;
    for (int i = 0; i < b->k; i++) {
        const double u = rl_philox_uniform(problem->key, RL_STREAM_BAGS, problem->repeat, (uint32_t)bag, (uint32_t)i);
        const int other = i + (int)(u * (b->n - i)), taken = b->order[other];
        b->order[other] = b->order[i];
        b->order[i] = b->subset[i] = taken;
    }
}

static bool solve_bags(const rl_rows_problem *problem, const rl_variant *variant, double *beta) {
    const bags b = bags_in(problem, variant);
    const int n_bags = rl_options_integer(&variant->options, "bags");
    const double n_subsets = count_subsets(b.n, b.k);
    const bool all = n_subsets <= n_bags;
    bool solved = true;
    for (int j = 0; j < b.p; j++) beta[j] = 0;
    for (int i = 0; i < b.k; i++) b.subset[i] = i;
    if (all) do {
            solved = solved && add_solution(&b, problem->train, beta);
        } while (next_subset(&b));
    for (int bag = 0; bag < n_bags && !all; bag++) {
        draw_subset(&b, problem, bag);
        solved = solved && add_solution(&b, problem->train, beta);
    }
    for (int j = 0; j < b.p; j++) beta[j] /= all ? n_subsets : n_bags;
    return solved;
}

/* QR with column pivoting, and what it leaves out by another factorization. */
static double flops_of_bags(const rl_variant *variant, double n_train, double n_features) {
    const double k = fmin(variant->parameter, n_train), few = fmin(k, n_features);
    return rl_options_integer(&variant->options, "bags") * 4 * k * n_features * few;
}

static const rl_option_spec options[] = {
    {.key = "bags",
     .type = RL_OPTION_INTEGER,
     .minimum = 1,
     .maximum = 1000000,
     .default_number = 50,
     .help = "subsets that are drawn; all of them where there are no more"},
};

const rl_ablation rl_ablation_bagging = {
    .name = "bagging",
    .summary = "the mean of least squares on random subsets of k rows",
    .role = RL_ROLE_CURE,
    .parameter = RL_PARAMETER_COUNT,
    .parameter_meaning = "rows of each subset",
    .parameter_key = "size",
    .example = "bagging: {size: 6, bags: 50}",
    .options = options,
    .n_options = 1,
    .need = RL_NEED_ROWS,
    .approaches_least_squares = true,
    .solve = solve_bags,
    .solve_room = room_for_bags,
    .solve_flops = flops_of_bags,
};
