/* Curves from two factorizations on one rank (nested.h), for variants that are least-squares fits and nothing else.
 * Others have values where the study wants full spectra. */
#include "ridgeless/nested.h"

#include <math.h>

#include "curves.h"

static void destroy_nested(void *made) {
    rl_nested_destroy(made);
}

static rl_status create_nested(rl_curves *c) {
    const rl_series *s = c->series;
    rl_nested *nested = NULL;
    const rl_status status = rl_nested_create(&nested, s->n_features, s->n_n_train, s->n_train);
    c->made = nested;
    return status;
}

static rl_status nested_curve(rl_curves *c, const rl_task *task, const bool *wanted, rl_tick tick, double *curve) {
    RL_TRY(rl_curves_load_rows(c, task->repeats.first, false));
    const rl_training_set rows = rl_curves_longest_set(c);
    RL_TRY(rl_nested_curve(c->made, &rows, &c->factor, tick, c->found));
    RL_TRY(rl_record_points(c, wanted, curve));
    return rl_spectra_curve(c, task, c->remaining, tick, curve);
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
    return rl_nested_bytes(series->n_features, series->n_n_train, series->n_train);
}

const rl_method rl_nested_method = {.number = 1,
                                    .text = "nested factorization",
                                    .has_points = true,
                                    .suits = suits_nested,
                                    .flops = nested_flops,
                                    .bytes = nested_bytes,
                                    .create = create_nested,
                                    .destroy = destroy_nested,
                                    .curve = nested_curve};
