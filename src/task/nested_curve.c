/* A curve from two factorizations: for variants that are least-squares fits and nothing else. Others have values where
 * the study wants full spectra. */
#include "task_private.h"

rl_status rl_task_record_points(rl_task *t, const rl_grid *g, const bool *wanted, double *record, bool *some_left) {
    *some_left = false;
    for (int i = 0; i < g->n_n_train; i++) {
        const bool here = wanted == NULL || wanted[i], nested = t->nested_points[i].done && !g->full[i];
        t->left[i] = here && !nested;
        *some_left |= t->left[i];
        if (here && nested) RL_TRY(rl_task_record_point(t, g, &t->nested_points[i], i, record));
    }
    return RL_OK;
}

rl_status rl_nested_way_curve(rl_task *t, const rl_curve *curve, const bool *wanted, rl_tick tick, double *record) {
    const rl_grid *g = &t->plan->grids[curve->grid];
    bool some_left;
    RL_TRY(rl_task_load_rows(t, curve->repeat, false));
    const rl_training_set rows = rl_task_longest_set(t, g);
    RL_TRY(rl_nested_curve(t->nested, &rows, &t->factor, tick, t->nested_points));
    RL_TRY(rl_task_record_points(t, g, wanted, record, &some_left));
    return some_left ? rl_spectrum_curve(t, curve, t->left, tick, record) : RL_OK;
}
