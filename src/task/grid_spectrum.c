/* Full spectra of a curve on a process grid, one N at a time. */
#include "task_private.h"

/* Test rows are held in equal shares, beta* with them, and population rows likewise. */
static rl_status prepare_evaluator(rl_task *t, const rl_grid *g) {
    const int more = rl_dataset_scale(&g->data) != NULL ? g->data.n_features : 0;
    const int share = (g->data.n_rows + more) / t->process_grid->size + 1;
    if (t->evaluator != NULL) return RL_OK;
    return rl_evaluator_create(&t->evaluator, g->spec->n_variants, g->max_modes, share);
}

rl_status rl_task_record_shared(rl_task *t, const rl_grid *g, const rl_spectrum *s, int i, double *record) {
    const rl_population population = rl_task_population(g);
    RL_TRY(rl_process_grid_agree(t->process_grid, prepare_evaluator(t, g)));
    RL_TRY(rl_evaluate(t->evaluator, s, &population, g->spec->n_variants, g->spec->variants, t->errors));
    rl_task_record_errors(&t->layout, t->errors, i, record);
    return rl_task_record_spectrum(&t->layout, s, i, record);
}

rl_status rl_grid_spectrum(rl_task *t, const rl_grid *g, int size, int i, double *record) {
    const int n_train = g->n_train[size];
    rl_dataset_case case_;
    rl_spectrum s;
    RL_TRY(rl_dataset_case_create(&case_, t->process_grid, &t->rows, n_train, g->data.n_rows - n_train));
    rl_status status =
        rl_distributed_spectrum(t->process_grid, g->producer, t->plan->study->block, &case_.c, &t->store, &s, NULL);
    if (status == RL_OK) status = rl_task_record_shared(t, g, &s, i, record);
    rl_dataset_case_destroy(&case_);
    rl_spectrum_store_destroy(&t->store);
    return status;
}

rl_status rl_grid_spectrum_curve(rl_task *t, const rl_curve *curve, const bool *wanted, double *record) {
    RL_TRY(rl_process_grid_agree(t->process_grid, rl_rows_arrange(&t->rows, (uint32_t)curve->repeat)));
    for (int i = 0; i < curve->n_sizes; i++)
        if (wanted == NULL || wanted[i])
            RL_TRY(rl_grid_spectrum(t, &t->plan->grids[curve->grid], curve->first_size + i, i, record));
    return RL_OK;
}
