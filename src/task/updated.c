/* Curves whose spectra come each from the one before it (updated.h). What must not be done so is left to the dense
 * producer. */
#include "ridgeless/updated.h"

#include <limits.h>
#include <math.h>

#include "curves.h"

static void destroy_updated(void *made) {
    rl_updated_destroy(made);
}

static rl_status create_updated(rl_curves *c) {
    const rl_series *s = c->series;
    rl_updated *updated = NULL;
    const rl_status status = rl_updated_create(&updated, s->n_features, s->n_n_train, s->n_train);
    c->made = updated;
    return status;
}

/* Whether N i is wanted, or one that is reached from it. */
static bool leads_to_wanted(const rl_curves *c, const bool *wanted, int i) {
    if (rl_is_wanted(wanted, i)) return true;
    for (int k = i + 1; k < c->series->n_n_train && !rl_updated_is_anew(c->made, k); k++)
        if (wanted[k]) return true;
    return false;
}

static rl_status record_updated(rl_curves *c, int i, double *curve) {
    const rl_study_dataset *spec = c->series->spec;
    rl_spectrum s;
    c->remaining[i] = !rl_updated_spectrum(c->made, &s);
    if (c->remaining[i]) return RL_OK;
    RL_TRY(rl_evaluate(c->evaluator, &s, &c->population, spec->n_variants, spec->variants, c->errors));
    rl_record_errors(c, &s, i, curve);
    return rl_record_spectrum(&c->layout, &s, i, curve);
}

static rl_status updated_curve(rl_curves *c, const rl_task *task, const bool *wanted, rl_tick tick, double *curve) {
    RL_TRY(rl_curves_load_rows(c, task->repeats.first, false));
    const rl_training_set rows = rl_curves_longest_set(c);
    RL_TRY(rl_updated_begin(c->made, &rows, &c->factor));
    for (int i = 0; i < c->series->n_n_train; i++) {
        c->remaining[i] = false;
        if (!leads_to_wanted(c, wanted, i)) continue;
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        RL_TRY(rl_updated_advance(c->made, i));
        if (rl_is_wanted(wanted, i)) RL_TRY(record_updated(c, i, curve));
    }
    return rl_spectra_curve(c, task, c->remaining, tick, curve);
}

/* ---- the method -------------------------------------------------------------------------------------------------- */

/* With l - N + P test rows, where l is the longest training set:
 *
 *   rows in the LQ's coordinates   4 min(l, P) P (l + 2 P)
 *   one row                        k^3 / 5, as eight share a product, a third faster than decompositions; and 200 k^2
 *   starting anew                  26 k^3, and the QR
 *   filters and errors             3 k (2 k + l - N + P) per variant: products of few columns are slow
 */
static double updated_flops(const rl_series *series, rl_range n_train) {
    enum { SECULAR = 200, OVERHEAD = 20000 };
    const double p = series->n_features, longest = series->n_train[series->n_n_train - 1];
    const double v = series->spec->n_variants;
    double flops =
        2 * (series->data.n_rows - longest) * (p + 2) * (p + 2) + 4 * fmin(longest, p) * p * (longest + 2 * p);
    (void)n_train; /* every N leads to the next */
    for (int i = 0, since = 0; i < series->n_n_train; i++) {
        const double n = series->n_train[i], k = fmin(n, p);
        const int rows = i == 0 ? INT_MAX : series->n_train[i] - series->n_train[i - 1];
        if (rl_updated_anew(rows, &since))
            flops += (n > p ? 2 * n * p * p : 0) + 26 * k * k * k;
        else
            flops += rows * (k / 5 + SECULAR) * k * k;
        flops += 3 * k * v * (2 * k + longest - n + p) + OVERHEAD;
    }
    return flops;
}

/* Where nobody needs rows or left singular vectors, no producer is named, neither modes nor predictions are kept, the
 * published arithmetic is not asked for, and it is clearly cheaper: the model is a rough one, and one spectrum per N is
 * the plainer method.
 */
static bool suits_updated(const rl_series *series) {
    const rl_range all = {0, series->n_n_train};
    return series->study->random != RL_RANDOM_NUMPY && !rl_needs_rows(series) && !rl_wants_left(series) &&
           series->spec->producer == RL_PRODUCER_AUTO && !series->spec->keep.modes && series->n_points == 0 &&
           2 * updated_flops(series, all) < rl_spectra_flops(series, all);
}

static size_t updated_bytes(const rl_series *series) {
    return rl_updated_bytes(series->n_features, series->n_n_train, series->n_train);
}

const rl_method rl_updated_method = {.number = 5,
                                     .text = "full spectra, updated row by row",
                                     .has_rows = true,
                                     .updates = true,
                                     .suits = suits_updated,
                                     .flops = updated_flops,
                                     .bytes = updated_bytes,
                                     .create = create_updated,
                                     .destroy = destroy_updated,
                                     .curve = updated_curve};
