/* A curve whose every N has a spectrum of its own. */
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
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        RL_TRY(rl_dense_producer_spectrum(t->producer, &train, &t->factor, &s));
        RL_TRY(rl_evaluate(t->evaluator, &s, &population, g->spec->n_variants, g->spec->variants, t->errors));
        rl_task_run_on_rows(t, &train, &s);
        rl_task_record_errors(&t->layout, t->errors, i, record);
        rl_task_record_predictions(t, &s, i, record);
        RL_TRY(rl_task_record_spectrum(&t->layout, &s, i, record));
    }
    return RL_OK;
}
