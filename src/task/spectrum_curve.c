/* A curve whose every N has a spectrum of its own. */
#include <math.h>

#include "task_private.h"

static rl_training_set training_set(const rl_task *t, int n_train) {
    const size_t first = (size_t)(t->max_train - n_train);
    return (rl_training_set){.n_train = n_train,
                             .n_features = t->factor.n_features,
                             .x = t->train_x + first * (size_t)t->factor.n_features,
                             .y = t->train_y + first,
                             .beta_star = rl_rows_beta_star(&t->rows),
                             .scale = rl_dataset_scale(t->rows.dataset)};
}

/* The training set shrinks to `train`: the rows before it that are no test rows yet become so. */
static rl_status give_up_rows(rl_task *t, const rl_training_set *train) {
    const int count = t->rows.dataset->n_rows - train->n_train - t->factor.n_rows;
    if (count == 0) return RL_OK;
    return rl_test_factor_append(&t->factor, count, train->x - (size_t)count * (size_t)train->n_features,
                                 train->n_features, train->y - count);
}

/* v_r of the first `known` modes, one after the other. */
static void record_directions(const rl_record_layout *l, const rl_spectrum *s, int known, double *directions) {
    const size_t features = (size_t)l->n_directions;
    for (size_t r = 0; r < (size_t)l->max_modes; r++)
        for (size_t j = 0; j < features; j++)
            directions[r * features + j] = r < (size_t)known ? s->vt[r + j * (size_t)s->n_modes] : NAN;
}

static rl_status record_modes(const rl_record_layout *l, const rl_spectrum *s, int i_n, double *record) {
    const size_t first = (size_t)i_n * (size_t)l->max_modes;
    const int known = s->status == RL_CELL_DONE ? s->n_modes : 0;
    double *const sigma = record + l->sigma + first, *const test = record + l->test_projection_rms + first,
                  *const residual = record + l->residual_projection + first;
    if (known > 0) RL_TRY(rl_mode_factors(s, test, residual));
    for (int r = 0; r < l->max_modes; r++) {
        sigma[r] = r < known ? s->sigma[r] : NAN;
        if (r >= known) test[r] = residual[r] = NAN;
    }
    if (l->n_directions > 0) record_directions(l, s, known, record + l->direction + first * (size_t)l->n_directions);
    return RL_OK;
}

rl_status rl_task_record_spectrum(const rl_record_layout *l, const rl_spectrum *s, int i_n, double *record) {
    const bool known = s->status == RL_CELL_DONE;
    record[l->status + (size_t)i_n] = s->status;
    record[l->sigma_min + (size_t)i_n] = known ? s->sigma[s->rank - 1] : NAN;
    record[l->sigma_max + (size_t)i_n] = known ? s->sigma[0] : NAN;
    record[l->rank + (size_t)i_n] = known ? s->rank : s->status == RL_CELL_ZERO_MATRIX ? 0 : NAN;
    record[l->test_bias_sq + (size_t)i_n] = known ? s->test_bias * s->test_bias : NAN;
    record[l->test_bias_mse + (size_t)i_n] = known ? s->test_bias_mse : NAN;
    return l->has_modes ? record_modes(l, s, i_n, record) : RL_OK;
}

rl_status rl_spectrum_curve(rl_task *t, const rl_curve *curve, const bool *wanted, rl_tick tick, double *record) {
    const rl_grid *g = &t->plan->grids[curve->grid];
    const rl_population population = rl_task_population(g);
    RL_TRY(rl_task_prepare_spectra(t));
    RL_TRY(rl_task_load_rows(t, curve->repeat, true));
    for (int i = g->n_n_train - 1; i >= 0; i--) { /* downwards: the test set only grows */
        const rl_training_set train = training_set(t, g->n_train[i]);
        rl_spectrum s;
        RL_TRY(give_up_rows(t, &train)); /* step by step whatever is wanted: rounding depends on the steps */
        if (wanted != NULL && !wanted[i]) continue;
        if (tick.call != NULL && !tick.call(tick.state)) return RL_STOPPED;
        RL_TRY(rl_dense_producer_spectrum(t->producer, &train, &t->factor, &s));
        RL_TRY(rl_evaluate(t->evaluator, &s, &population, g->spec->n_variants, g->spec->variants, t->errors));
        rl_task_run_on_rows(t, &train, &s);
        rl_task_record_errors(&t->layout, t->errors, i, record);
        rl_task_record_predictions(t, &s, i, record);
        RL_TRY(rl_task_record_spectrum(&t->layout, &s, i, record));
    }
    return RL_OK;
}
