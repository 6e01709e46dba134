/* Full spectra of every N on one rank, each by itself: LAPACK. */
#include <math.h>

#include "curves.h"

/* ---- a curve ----------------------------------------------------------------------------------------------------- */

static rl_training_set training_set(const rl_curves *c, int n_train) {
    const size_t first = (size_t)(c->max_train - n_train);
    return (rl_training_set){.n_train = n_train,
                             .n_features = c->factor.n_features,
                             .x = c->train_x + first * (size_t)c->factor.n_features,
                             .y = c->train_y + first,
                             .beta_star = rl_rows_beta_star(&c->rows),
                             .scale = rl_dataset_scale(c->rows.dataset)};
}

/* The training set shrinks to `train`: the rows before it that are no test rows yet become so. */
static rl_status give_up_rows(rl_curves *c, const rl_training_set *train) {
    const int count = c->rows.dataset->n_rows - train->n_train - c->factor.n_rows;
    if (count == 0) return RL_OK;
    return rl_test_factor_append(&c->factor, count, train->x - (size_t)count * (size_t)train->n_features,
                                 train->n_features, train->y - count);
}

static bool is_any_wanted(const bool *wanted, int n) {
    int i = 0;
    while (i < n && !rl_is_wanted(wanted, i)) i++;
    return i < n;
}

rl_status rl_spectra_curve(rl_curves *c, const rl_task *task, const bool *wanted, rl_tick tick, double *curve) {
    const rl_series *s = c->series;
    if (!is_any_wanted(wanted, s->n_n_train)) return RL_OK;
    c->by_blas = true;
    RL_TRY(rl_curves_load_rows(c, task->repeats.first, true));
    for (int i = s->n_n_train - 1; i >= 0; i--) { /* downwards: the test set only grows */
        const rl_training_set train = training_set(c, s->n_train[i]);
        rl_spectrum spectrum;
        RL_TRY(give_up_rows(c, &train)); /* step by step whatever is wanted: rounding depends on the steps */
        if (!rl_is_wanted(wanted, i)) continue;
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        RL_TRY(rl_dense_producer_spectrum(c->producer, &train, &c->factor, &spectrum));
        if (c->ut != NULL && spectrum.status == RL_CELL_DONE) rl_spectrum_left(&spectrum, &train, c->ut);
        RL_TRY(rl_evaluate(c->evaluator, &spectrum, &c->population, s->spec->n_variants, s->spec->variants, c->errors));
        rl_fit_on_rows(c, &train, &spectrum);
        rl_record_errors(c, &spectrum, i, curve);
        rl_record_predictions(c, &spectrum, i, curve);
        RL_TRY(rl_record_spectrum(&c->layout, &spectrum, i, curve));
    }
    return RL_OK;
}

/* ---- the method -------------------------------------------------------------------------------------------------- */

/* The model, with k = min(N, P) and t = min(test rows, P + 2) coordinate rows of the test factor:
 *
 *   test factor, once per curve   every row that is ever a test row enters a triangle of order P + 2:
 *                                 2 (P + 2)^2 per row
 *   QR of X when N > P            2 N P^2 - 2/3 P^3, and 4 N P for each of two targets
 *   SVD of what remains, k x P    6 P k^2 + 20 k^3 with both sides (Golub and Van Loan, 4th ed., figure 8.6.1)
 *   Z = X_test V                  2 t P k
 *   filters and Z B               2 t k and about 4 k per variant
 *   a step on the rows            4 N P
 */
static double spectrum_flops(double n_train, double n_features, double n_test, double n_variants) {
    enum { N_QR_TARGETS = 2 };
    const double n = n_train, p = n_features, k = fmin(n, p), t = fmin(n_test, p + 2);
    const double qr = n > p ? 2 * n * p * p - 2 * p * p * p / 3 + N_QR_TARGETS * 4 * n * p : 0;
    const double svd = 6 * p * k * k + 20 * k * k * k;
    return qr + svd + 2 * t * p * k + (2 * t + 4) * k * n_variants;
}

double rl_spectra_flops(const rl_series *series, rl_range n_train) {
    const double n_rows = series->data.n_rows, p = series->n_features;
    const double steps = rl_steps_on_rows(series->spec->n_variants, series->spec->variants);
    double flops = 0;
    for (int i = n_train.first; i < rl_range_end(n_train); i++)
        flops += spectrum_flops(series->n_train[i], p, n_rows - series->n_train[i], series->spec->n_variants) +
                 RL_FLOPS_OF_STEP * steps * series->n_train[i] * p +
                 rl_test_rows_measured_flops(series, series->n_train[i]) +
                 rl_solver_flops(series->spec->n_variants, series->spec->variants, series->n_train[i], p);
    return flops;
}

double rl_test_rows_flops(const rl_series *series, int first) {
    const double order = series->n_features + 2;
    return 2.0 * (series->data.n_rows - series->n_train[first]) * order * order;
}

static double spectra_flops(const rl_series *series, rl_range n_train) {
    return rl_test_rows_flops(series, n_train.first) + rl_spectra_flops(series, n_train);
}

static bool suits_all(const rl_series *series) {
    (void)series;
    return true;
}

const rl_method rl_spectra_method = {
    .number = 0, .text = "full spectra", .suits = suits_all, .flops = spectra_flops, .curve = rl_spectra_curve};
