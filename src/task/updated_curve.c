/* A curve whose spectra come each from the one before it. What must not be done so is left to the dense producer. */
#include "task_private.h"

/* Whether size i is wanted, or one that is reached from it. */
static bool leads_to_wanted(const rl_task *t, const bool *wanted, int i, int n_sizes) {
    if (wanted == NULL || wanted[i]) return true;
    for (int k = i + 1; k < n_sizes && !rl_updated_is_anew(t->updated, k); k++)
        if (wanted[k]) return true;
    return false;
}

static rl_status record_size(rl_task *t, const rl_grid *g, int i, double *record) {
    const rl_population population = rl_task_population(g);
    rl_spectrum s;
    t->left[i] = !rl_updated_spectrum(t->updated, &s);
    if (t->left[i]) return RL_OK;
    RL_TRY(rl_evaluate(t->evaluator, &s, &population, g->spec->n_variants, g->spec->variants, t->errors));
    rl_task_record_errors(&t->layout, t->errors, i, record);
    return rl_task_record_spectrum(&t->layout, &s, i, record);
}

rl_status rl_updated_way_curve(rl_task *t, const rl_curve *curve, const bool *wanted, rl_tick tick, double *record) {
    const rl_grid *g = &t->plan->grids[curve->grid];
    bool some_left = false;
    RL_TRY(rl_task_prepare_evaluator(t));
    RL_TRY(rl_task_load_rows(t, curve->repeat, false));
    const rl_training_set rows = rl_task_longest_set(t, g);
    RL_TRY(rl_updated_begin(t->updated, &rows, &t->factor));
    for (int i = 0; i < g->n_n_train; i++) {
        t->left[i] = false;
        if (!leads_to_wanted(t, wanted, i, g->n_n_train)) continue;
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        RL_TRY(rl_updated_advance(t->updated, i));
        if (wanted == NULL || wanted[i]) RL_TRY(record_size(t, g, i, record));
        some_left |= t->left[i];
    }
    return some_left ? rl_spectrum_curve(t, curve, t->left, tick, record) : RL_OK;
}
