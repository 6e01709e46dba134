/* Curves from two factorizations on one rank (nested.h), for variants that are least-squares fits and nothing else.
 * Others have values where the study wants full spectra. */
#include "ridgeless/nested.h"

#include <math.h>

#include "curves.h"
#include "ridgeless/arena.h"

typedef struct nested_state {
    const rl_series *series;
    rl_nested *nested;
    rl_point *points; /* [n_n_train] */
    bool *remaining;  /* [n_n_train] */
} nested_state;

static void list_nested_arrays(rl_arena *arena, void *object) {
    nested_state *const n = object;
    RL_TAKE(arena, n->points, n->series->n_n_train);
    RL_TAKE(arena, n->remaining, n->series->n_n_train);
}

static void destroy_nested(void *made) {
    nested_state *n = made;
    rl_nested_destroy(n->nested);
    rl_free(n);
}

static rl_status create_nested(rl_curves *c) {
    const rl_series *s = c->series;
    nested_state sizes = {.series = s}, *n;
    RL_TRY(RL_OBJECT_CREATE(&n, &sizes, list_nested_arrays));
    c->made = n;
    return rl_nested_create(&n->nested, s->n_features, s->n_n_train, s->n_train);
}

static rl_status nested_curves(rl_curves *c, const rl_task *task, int count, const bool *wanted, rl_tick tick,
                               double *curve) {
    nested_state *n = c->made;
    bool some_remain;
    (void)count;
    RL_TRY(rl_curves_load_rows(c, task->repeats.first, false));
    const rl_training_set rows = rl_curves_longest_set(c);
    RL_TRY(rl_nested_curve(n->nested, &rows, &c->factor, tick, n->points));
    RL_TRY(rl_record_points(c, n->points, wanted, n->remaining, &some_remain, curve));
    return some_remain ? rl_spectra_curve(c, task, n->remaining, tick, curve) : RL_OK;
}

/* ---- the method -------------------------------------------------------------------------------------------------- */

/* For groups of up to 16 N that lie within 32 rows:
 *
 *   LQ of the first w rows      4 w P^2, and 8 w P^2 to rotate test rows and population with it
 *   one row into R, N > P       3 P^2
 *   a group's shifted factors   k^3
 *   Lanczos                     20 steps of two solves, k^2 each, for two values; solves of few columns are slow, as if
 *                               there were 10 more
 *   fits and test errors        8 P^2
 *   what calls cost at least    as much as 100,000 flops
 */
enum { GROUP = 16, GROUP_SPAN = 32, STEPS = 20, IDLE_COLUMNS = 10, CALLS = 100000 };

/* The last of the N that go side by side with `first`. */
static int end_of_group(const rl_series *series, int first) {
    int last = first;
    while (last + 1 < series->n_n_train && last + 1 - first < GROUP &&
           series->n_train[last + 1] - series->n_train[first] <= GROUP_SPAN)
        last++;
    return last;
}

static double factored_flops(const rl_series *series) {
    const double p = series->n_features, longest = series->n_train[series->n_n_train - 1], wide = fmin(longest, p);
    double flops = 12 * wide * p * p + 3 * (longest - wide) * p * p;
    for (int first = 0, last; first < series->n_n_train; first = last + 1) {
        last = end_of_group(series, first);
        const double k = fmin(series->n_train[last], p), members = last + 1 - first;
        flops += k * k * k + 2 * STEPS * 2 * k * k * (members + IDLE_COLUMNS) + members * (8 * p * p + CALLS);
    }
    return flops;
}

static double nested_flops(const rl_series *series, rl_range n_train) {
    double flops = rl_test_rows_flops(series, n_train.first) + factored_flops(series);
    for (int i = n_train.first; i < rl_range_end(n_train); i++)
        flops += series->full[i] ? rl_spectra_flops(series, (rl_range){i, 1}) : 0;
    return flops;
}

/* It must be this much cheaper: the model is a rough one where everything is small, and there the numbers may stay what
 * they have always been, bit for bit. */
static bool suits_nested(const rl_series *series) {
    const double clearly = 8;
    const rl_range all = {0, series->n_n_train};
    if (!rl_may_be_nested(series)) return false;
    return series->study->full_spectra.line > 0 || clearly * factored_flops(series) < rl_spectra_flops(series, all);
}

static size_t nested_bytes(const rl_series *series) {
    nested_state sizes = {.series = series};
    return RL_OBJECT_BYTES(&sizes, list_nested_arrays) +
           rl_nested_bytes(series->n_features, series->n_n_train, series->n_train);
}

const rl_method rl_nested_method = {.number = 1,
                                    .text = "nested factorization",
                                    .suits = suits_nested,
                                    .flops = nested_flops,
                                    .bytes = nested_bytes,
                                    .create = create_nested,
                                    .destroy = destroy_nested,
                                    .curves = nested_curves};
