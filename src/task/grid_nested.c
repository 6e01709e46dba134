/* A curve from one factorization on a process grid. */
#include "ridgeless/grid_curve.h"
#include "task_private.h"

/* Collective: before each spectrum. */
static rl_status may_go_on(const rl_task *t, rl_tick tick) {
    const bool go_on = rl_may_go_on(tick);
    return rl_process_grid_agree(t->process_grid,
                                 go_on ? RL_OK : rl_fail(RL_STOPPED, "stopped between two spectra of a curve"));
}

/* From the triangle's leading block where there is one. */
static rl_status spectra_of_block(rl_task *t, const rl_grid *g, rl_grid_curve *factored, rl_tick tick, double *record) {
    for (int i = 0; i < g->n_n_train; i++) {
        rl_spectrum s;
        if (!t->left[i] || g->n_train[i] > g->data.n_features) continue;
        RL_TRY(may_go_on(t, tick));
        RL_TRY(rl_grid_curve_spectrum(factored, i, g->producer, &t->store, &s, NULL));
        RL_TRY(rl_task_record_shared(t, g, &s, i, record));
        rl_spectrum_store_destroy(&t->store);
    }
    return RL_OK;
}

/* The rest each by itself, when the factored rows have given their memory back. */
static rl_status spectra_of_rows(rl_task *t, const rl_grid *g, rl_tick tick, double *record) {
    for (int i = 0; i < g->n_n_train; i++) {
        if (!t->left[i] || g->n_train[i] <= g->data.n_features) continue;
        RL_TRY(may_go_on(t, tick));
        RL_TRY(rl_grid_spectrum(t, g, i, i, record));
    }
    return RL_OK;
}

static rl_status factored_part(rl_task *t, const rl_grid *g, const rl_case *rows, const bool *wanted, rl_tick tick,
                               double *record) {
    const rl_curve_case c = {.rows = *rows, .n_sizes = g->n_n_train, .n_train = g->n_train};
    rl_grid_curve *factored = NULL;
    bool some_left = false;
    rl_status status = rl_grid_curve_create(t->process_grid, t->plan->study->block, &c, &factored, NULL);
    if (status == RL_OK) status = rl_grid_curve_points(factored, g->sigma_wanted, tick, t->nested_points);
    if (status == RL_OK) status = rl_task_record_points(t, g, wanted, record, &some_left);
    if (status == RL_OK && some_left) status = spectra_of_block(t, g, factored, tick, record);
    rl_spectrum_store_destroy(&t->store);
    rl_grid_curve_destroy(factored);
    return status;
}

rl_status rl_grid_nested_curve(rl_task *t, const rl_curve *curve, const bool *wanted, rl_tick tick, double *record) {
    const rl_grid *g = &t->plan->grids[curve->grid];
    const int longest = g->n_train[g->n_n_train - 1];
    rl_dataset_case case_;
    RL_TRY(rl_process_grid_agree(t->process_grid, rl_rows_arrange(&t->rows, (uint32_t)curve->repeat)));
    RL_TRY(rl_dataset_case_create(&case_, t->process_grid, &t->rows, longest, g->data.n_rows - longest));
    rl_status status = factored_part(t, g, &case_.c, wanted, tick, record);
    rl_dataset_case_destroy(&case_);
    return status == RL_OK ? spectra_of_rows(t, g, tick, record) : status;
}
