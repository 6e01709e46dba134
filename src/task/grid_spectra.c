/* Full spectra on a process grid, each N a task of its own (distributed.h). Collective on the grid. */
#include <math.h>

#include "curves.h"

/* Test rows are held in equal shares, beta* with them, and population rows likewise. */
static rl_status prepare_shared_evaluator(rl_curves *c) {
    const rl_series *s = c->series;
    const int more = rl_dataset_scale(&s->data) != NULL ? s->n_features : 0;
    const int share = (s->data.n_rows + more) / c->group->process_grid->size + 1;
    if (c->evaluator != NULL) return RL_OK;
    return rl_evaluator_create(&c->evaluator, s->spec->n_variants, s->max_modes, share);
}

rl_status rl_record_shared_spectrum(rl_curves *c, const rl_spectrum *s, int i, double *curve) {
    const rl_study_dataset *spec = c->series->spec;
    RL_TRY(rl_process_grid_agree(c->group->process_grid, prepare_shared_evaluator(c)));
    RL_TRY(rl_evaluate(c->evaluator, s, &c->population, spec->n_variants, spec->variants, c->errors));
    rl_record_errors(c, s, i, curve);
    return rl_record_spectrum(&c->layout, s, i, curve);
}

rl_status rl_grid_spectrum(rl_curves *c, int n_index, int i, double *curve) {
    const rl_series *series = c->series;
    const rl_process_grid *grid = c->group->process_grid;
    const int n_train = series->n_train[n_index];
    rl_spectrum_store store = {0};
    rl_dataset_case case_;
    rl_spectrum s;
    RL_TRY(rl_dataset_case_create(&case_, grid, &c->rows, n_train, series->data.n_rows - n_train));
    rl_status status =
        rl_distributed_spectrum(grid, series->producer, series->study->block, &case_.c, &store, &s, NULL);
    if (status == RL_OK) status = rl_record_shared_spectrum(c, &s, i, curve);
    rl_dataset_case_destroy(&case_);
    rl_spectrum_store_destroy(&store);
    return status;
}

static rl_status grid_spectra_curve(rl_curves *c, const rl_task *task, const bool *wanted, rl_tick tick,
                                    double *curve) {
    (void)tick; /* one spectrum is not left */
    RL_TRY(rl_process_grid_agree(c->group->process_grid, rl_rows_arrange(&c->rows, (uint32_t)task->repeats.first)));
    for (int i = 0; i < task->n_train.n; i++)
        if (rl_is_wanted(wanted, i)) RL_TRY(rl_grid_spectrum(c, task->n_train.first + i, i, curve));
    return RL_OK;
}

/* ---- the method -------------------------------------------------------------------------------------------------- */

/* With t all test rows and k x P transposed where it is wide, and made k x k where it is far from square:
 *
 *   QR or LQ of X, carried on   4 k^2 (max(N, P) - k) + 4 t k (P - k), half of it when k = N
 *   to bidiagonal form          8/3 k^3 and 4 t k^2
 *   rotations                   6 t k^2
 */
static double grid_spectrum_flops(double n_train, double p, double n_test, double n_variants) {
    const double k = fmin(n_train, p), m = fmax(n_train, p);
    const double shape = 4 * k * k * (m - k) + (n_train < p ? 4 * n_test * k * (m - k) : 0);
    return shape + 8.0 / 3 * k * k * k + 10 * n_test * k * k + 2 * n_test * k * n_variants;
}

double rl_grid_spectra_flops(const rl_series *series, rl_range n_train) {
    double flops = 0;
    for (int i = n_train.first; i < rl_range_end(n_train); i++)
        flops += grid_spectrum_flops(series->n_train[i], series->n_features, series->data.n_rows - series->n_train[i],
                                     series->spec->n_variants);
    return flops;
}

static bool suits_grid_spectra(const rl_series *series) {
    return rl_wants_process_grid(series);
}

const rl_method rl_grid_spectra_method = {.number = 2,
                                          .text = "full spectra on process grids",
                                          .on_grid = true,
                                          .n_apart = true,
                                          .suits = suits_grid_spectra,
                                          .flops = rl_grid_spectra_flops,
                                          .curve = grid_spectra_curve};
