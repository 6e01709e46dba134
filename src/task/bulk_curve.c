/* Curves of several repeats side by side. What must not be done so is left to full spectra, curve by curve. */
#include "task_private.h"

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

/* Some variant is no truncation: it needs more than the fits of leading modes. */
static bool has_filters(const rl_grid *g) {
    for (int v = 0; v < g->spec->n_variants; v++)
        if (g->spec->variants[v].ablation->truncate == NULL) return true;
    return false;
}

rl_status rl_task_prepare_bulk(rl_task *t, const rl_grid *g) {
    const rl_dataset *data = &g->data;
    const rl_bulk_design design = {.n_features = data->n_features,
                                   .n_n_train = g->n_n_train,
                                   .n_train = g->n_train,
                                   .beta_star = data->beta_star,
                                   .has_population = rl_dataset_design_known(data),
                                   .scale = rl_dataset_scale(data),
                                   .wants_modes = t->layout.has_modes,
                                   .wants_spectra = has_filters(g)};
    RL_TRY(rl_bulk_create(&t->bulk, &design));
    if (data->fresh) return RL_OK;
    RL_TRY(rl_test_factor_create(&t->all_rows, data->n_features));
    return rl_test_factor_append(&t->all_rows, data->n_rows, data->x, data->n_inputs, data->y);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static rl_status load_all_rows(rl_task *t, int lane, int repeat) {
    RL_TRY(rl_task_load_rows(t, repeat, false));
    rl_bulk_set_rows(t->bulk, lane, t->train_x, t->train_y);
    rl_bulk_set_test(t->bulk, lane, &t->factor);
    return RL_OK;
}

static rl_status load_lanes(rl_task *t, const rl_grid *g, const rl_curve *curves, int n) {
    bool enough[RL_BULK_LANES] = {false};
    if (!g->data.fresh) {
        for (int l = 0; l < n; l++) {
            rl_rows_arrange_first(&t->rows, (uint32_t)curves[l].repeat, t->max_train);
            rl_rows_get(&t->rows, 0, t->max_train, t->train_x, g->data.n_features, t->train_y);
            rl_bulk_set_rows(t->bulk, l, t->train_x, t->train_y);
        }
        rl_bulk_take_out(t->bulk, n, &t->all_rows, enough);
    }
    for (int l = 0; l < n; l++)
        if (!enough[l]) RL_TRY(load_all_rows(t, l, curves[l].repeat));
    return RL_OK;
}

/* ---- curves ------------------------------------------------------------------------------------------------------ */

/* One size of all lanes; left [n][n_n_train]: what the dense producer has to do. */
static rl_status record_size(rl_task *t, const rl_grid *g, int n, int i, double *records) {
    for (int l = 0; l < n; l++) {
        rl_point point;
        rl_bulk_get(t->bulk, l, &point);
        t->bulk_left[l * g->n_n_train + i] = !point.done;
        if (point.done) RL_TRY(rl_task_record_point(t, g, &point, i, records + (size_t)l * t->layout.length));
    }
    return RL_OK;
}

static rl_status record_left(rl_task *t, const rl_grid *g, const rl_curve *curves, int n, rl_tick tick,
                             double *records) {
    for (int l = 0; l < n; l++) {
        const bool *left = t->bulk_left + l * g->n_n_train;
        bool some = false;
        for (int i = 0; i < g->n_n_train; i++) some |= left[i];
        if (some) RL_TRY(rl_spectrum_curve(t, &curves[l], left, tick, records + (size_t)l * t->layout.length));
    }
    return RL_OK;
}

static rl_status lanes_together(rl_task *t, const rl_grid *g, const rl_curve *curves, int n, const bool *wanted,
                                rl_tick tick, double *records) {
    int end = g->n_n_train;
    while (wanted != NULL && end > 0 && !wanted[end - 1]) end--;
    RL_TRY(load_lanes(t, g, curves, n));
    rl_bulk_begin(t->bulk, n);
    for (int i = 0; i < n * g->n_n_train; i++) t->bulk_left[i] = false;
    for (int i = 0; i < end; i++) { /* step by step whatever is wanted: rounding depends on the steps */
        const bool here = wanted == NULL || wanted[i];
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        rl_bulk_advance(t->bulk, i, here);
        if (here) RL_TRY(record_size(t, g, n, i, records));
    }
    return record_left(t, g, curves, n, tick, records);
}

rl_status rl_bulk_curves(rl_task *t, const rl_curve *curves, int n, const bool *wanted, rl_tick tick, double *records) {
    const rl_grid *g = &t->plan->grids[t->grid];
    const int lanes = rl_bulk_lanes(t->bulk);
    if (has_filters(g)) RL_TRY(rl_task_prepare_spectra(t));
    for (int first = 0; first < n; first += lanes) {
        const int count = n - first < lanes ? n - first : lanes;
        RL_TRY(lanes_together(t, g, curves + first, count, wanted, tick, records + (size_t)first * t->layout.length));
    }
    return RL_OK;
}
