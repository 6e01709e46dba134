/* Curves from one factorization on a process grid (grid_curve.h). Collective on the grid. */
#include "ridgeless/grid_curve.h"

#include <math.h>

#include "curves.h"

/* From the triangle's leading block. */
static rl_status spectrum_of_block(rl_curves *c, rl_grid_curve *factored, int i, double *curve) {
    rl_spectrum_store store = {0};
    rl_spectrum s;
    rl_status status = rl_grid_curve_spectrum(factored, i, c->series->producer, &store, &s, NULL);
    if (status == RL_OK) status = rl_record_shared_spectrum(c, &s, i, curve);
    rl_spectrum_store_destroy(&store);
    return status;
}

/* What the points leave: of the factored rows where they have such a block, or else (NULL) of the others, each from
 * rows of its own, when the factored ones have given their memory back. */
static rl_status remaining_spectra(rl_curves *c, rl_grid_curve *factored, rl_tick tick, double *curve) {
    for (int i = 0; i < c->series->n_n_train; i++) {
        const bool has_block = c->series->n_train[i] <= c->series->n_features;
        if (!c->remaining[i] || has_block != (factored != NULL)) continue;
        RL_TRY(rl_process_grid_agree(
            c->group->process_grid,
            rl_may_go_on(tick) ? RL_OK : rl_fail(RL_STOPPED, "stopped between two spectra of a curve")));
        RL_TRY(factored != NULL ? spectrum_of_block(c, factored, i, curve) : rl_grid_spectrum(c, i, i, curve));
    }
    return RL_OK;
}

static rl_status factored_part(rl_curves *c, const rl_case *rows, const bool *wanted, rl_tick tick, double *curve) {
    const rl_series *s = c->series;
    const rl_curve_case case_ = {.rows = *rows, .n_sizes = s->n_n_train, .n_train = s->n_train};
    rl_grid_curve *factored = NULL;
    rl_status status = rl_grid_curve_create(c->group->process_grid, s->study->block, &case_, &factored, NULL);
    if (status == RL_OK) status = rl_grid_curve_points(factored, s->sigma_wanted, tick, c->found);
    if (status == RL_OK) status = rl_record_points(c, wanted, curve);
    if (status == RL_OK) status = remaining_spectra(c, factored, tick, curve);
    rl_grid_curve_destroy(factored);
    return status;
}

static rl_status grid_nested_curve(rl_curves *c, const rl_task *task, const bool *wanted, rl_tick tick, double *curve) {
    const rl_series *s = c->series;
    const rl_process_grid *grid = c->group->process_grid;
    const int longest = s->n_train[s->n_n_train - 1];
    rl_dataset_case case_;
    RL_TRY(rl_process_grid_agree(grid, rl_rows_arrange(&c->rows, (uint32_t)task->repeats.first)));
    RL_TRY(rl_dataset_case_create(&case_, grid, &c->rows, longest, s->data.n_rows - longest));
    const rl_status status = factored_part(c, &case_.c, wanted, tick, curve);
    rl_dataset_case_destroy(&case_);
    return status == RL_OK ? remaining_spectra(c, NULL, tick, curve) : status;
}

/* ---- the method -------------------------------------------------------------------------------------------------- */

/* LQ of the first w rows: 4/3 w^3 + 4 (rows - w) w P; a row into R: 2 P^2; test errors: 2 P per row and N; the singular
 * values of an N: 150 products and solves of k^2 flops. */
static double factored_flops(const rl_series *series) {
    enum { SIGMA_STEPS = 150 };
    const double p = series->n_features, rows = series->data.n_rows;
    const double longest = series->n_train[series->n_n_train - 1], w = fmin(longest, p);
    double flops = 4.0 / 3 * w * w * w + 4 * (rows - w) * w * p + 2 * (longest - w) * p * p;
    for (int i = 0; i < series->n_n_train; i++) {
        const double k = fmin(series->n_train[i], p);
        flops += 2 * p * rows + (series->sigma_wanted[i] ? SIGMA_STEPS * k * k : 0);
    }
    return flops;
}

static double grid_nested_flops(const rl_series *series, rl_range n_train) {
    double flops = factored_flops(series);
    for (int i = n_train.first; i < rl_range_end(n_train); i++)
        flops += series->full[i] ? rl_grid_spectra_flops(series, (rl_range){i, 1}) : 0;
    return flops;
}

static bool suits_grid_nested(const rl_series *series) {
    return rl_wants_process_grid(series) && rl_may_be_nested(series);
}

const rl_method rl_grid_nested_method = {.number = 3,
                                         .text = "nested factorization on process grids",
                                         .on_grid = true,
                                         .has_points = true,
                                         .suits = suits_grid_nested,
                                         .flops = grid_nested_flops,
                                         .curve = grid_nested_curve};
