/* A curve from two factorizations: for variants that are least-squares fits and nothing else. Others have values where
 * the study wants full spectra. */
#include <math.h>

#include "task_private.h"

static rl_errors errors_of(const rl_nested_point *p, rl_need need, const rl_population *population) {
    const rl_target target = need == RL_NEED_FIT_TO_IDEAL ? RL_TARGET_IDEAL : RL_TARGET_Y;
    if (need != RL_NEED_FIT_TO_Y && need != RL_NEED_FIT_TO_IDEAL) return (rl_errors){NAN, NAN, NAN, NAN};
    const double residual_variance = target == RL_TARGET_IDEAL ? 0 : population->residual_variance;
    return (rl_errors){.test_mse = p->test_mse[target],
                       .train_mse = p->train_mse[target],
                       .distance = NAN,
                       .population_mse = population->known ? p->population_sq[target] + residual_variance : NAN};
}

static void record_point(rl_task *t, const rl_grid *g, int i, double *record) {
    const rl_record_layout *l = &t->layout;
    const rl_nested_point *p = &t->nested_points[i];
    const rl_population population = rl_task_population(g);
    const size_t at = (size_t)i;
    record[l->status + at] = RL_CELL_DONE;
    record[l->sigma_min + at] = p->sigma_min;
    record[l->sigma_max + at] = p->sigma_max;
    record[l->rank + at] = g->n_train[i] < g->data.n_features ? g->n_train[i] : g->data.n_features;
    record[l->test_bias_sq + at] = p->test_bias * p->test_bias;
    record[l->test_bias_mse + at] = p->test_bias_mse;
    for (int v = 0; v < l->n_variants; v++)
        t->errors[v] = errors_of(p, g->spec->variants[v].ablation->need, &population);
    rl_task_record_errors(l, t->errors, i, record); /* and no modes */
}

bool rl_task_record_points(rl_task *t, const rl_grid *g, const bool *wanted, double *record) {
    bool some_left = false;
    for (int i = 0; i < g->n_n_train; i++) {
        const bool here = wanted == NULL || wanted[i], nested = t->nested_points[i].done && !g->full[i];
        t->left[i] = here && !nested;
        some_left |= t->left[i];
        if (here && nested) record_point(t, g, i, record);
    }
    return some_left;
}

rl_status rl_nested_way_curve(rl_task *t, const rl_curve *curve, const bool *wanted, rl_tick tick, double *record) {
    const rl_grid *g = &t->plan->grids[curve->grid];
    RL_TRY(rl_task_load_rows(t, curve->repeat, false));
    const rl_training_set rows = rl_task_longest_set(t, g);
    RL_TRY(rl_nested_curve(t->nested, &rows, &t->factor, (rl_nested_tick){tick.call, tick.state}, t->nested_points));
    return rl_task_record_points(t, g, wanted, record) ? rl_spectrum_curve(t, curve, t->left, tick, record) : RL_OK;
}
