/* Buffers of a curve, its rows, and the way it is computed. */
#include "task_private.h"

#include <assert.h>
#include <math.h>

rl_status rl_task_create(const rl_plan *plan, const rl_process_grid *process_grid, rl_task **task) {
    RL_TRY(RL_ALLOC(*task, 1));
    (*task)->plan = plan;
    (*task)->process_grid = process_grid;
    (*task)->grid = -1;
    return RL_OK;
}

static void release_buffers(rl_task *t) {
    rl_rows_destroy(&t->rows);
    rl_test_factor_destroy(&t->factor);
    rl_dense_producer_destroy(t->producer);
    rl_evaluator_destroy(t->evaluator);
    rl_nested_destroy(t->nested);
    rl_updated_destroy(t->updated);
    rl_bulk_destroy(t->bulk);
    rl_test_factor_destroy(&t->all_rows);
    rl_free(t->bulk_left);
    double *const arrays[] = {t->train_x, t->train_y, t->chunk_x, t->chunk_y, t->betas, t->start, t->room, t->points};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
    rl_free(t->errors);
    rl_free(t->nested_points);
    rl_free(t->left);
    rl_free(t->block);
    rl_free(t->span_sizes);
    rl_summary_destroy(&t->summary);
    rl_spectrum_store_destroy(&t->store);
    *t = (rl_task){.plan = t->plan, .process_grid = t->process_grid, .grid = -1};
}

void rl_task_destroy(rl_task *task) {
    if (task == NULL) return;
    release_buffers(task);
    rl_free(task);
}

rl_status rl_task_prepare_evaluator(rl_task *t) {
    const rl_grid *g = &t->plan->grids[t->grid];
    const int explicit_rows = g->way == RL_WAY_UPDATED ? t->max_train : 0;
    if (t->evaluator != NULL) return RL_OK;
    RL_TRY(rl_task_prepare_rows(t));
    return rl_evaluator_create(&t->evaluator, g->spec->n_variants, g->max_modes, t->factor.order + explicit_rows);
}

rl_status rl_task_prepare_spectra(rl_task *t) {
    const int features = t->plan->grids[t->grid].data.n_features;
    if (t->producer == NULL) RL_TRY(rl_dense_producer_create(&t->producer, t->max_train, features));
    return rl_task_prepare_evaluator(t);
}

static rl_status prepare_local(rl_task *t, const rl_grid *g) {
    const int features = g->data.n_features;
    assert(!rl_dataset_in_blocks(&g->data)); /* the plan sends them to process grids */
    t->max_train = g->n_train[g->n_n_train - 1];
    RL_TRY(rl_test_factor_create(&t->factor, features));
    RL_TRY(RL_ALLOC(t->train_x, (size_t)t->max_train * (size_t)features));
    RL_TRY(RL_ALLOC(t->train_y, t->max_train));
    RL_TRY(RL_ALLOC(t->chunk_x, (size_t)t->factor.capacity * (size_t)features));
    RL_TRY(RL_ALLOC(t->chunk_y, t->factor.capacity));
    if (g->way == RL_WAY_BULK) RL_TRY(rl_task_prepare_bulk(t, g));
    if (g->way == RL_WAY_UPDATED) RL_TRY(rl_updated_create(&t->updated, features, g->n_n_train, g->n_train));
    return g->way == RL_WAY_NESTED ? rl_nested_create(&t->nested, g->data.n_features, g->n_n_train, g->n_train) : RL_OK;
}

/* Curves come dataset by dataset, so buffers for one dataset at a time are enough. */
rl_status rl_task_prepare(rl_task *t, const rl_curve *curve) {
    const rl_grid *g = &t->plan->grids[curve->grid];
    if (t->grid == curve->grid) return RL_OK;
    release_buffers(t);
    t->layout = rl_record_layout_of(t->plan, curve->grid);
    RL_TRY(rl_rows_create(&t->rows, &g->data, t->plan->study->random, t->plan->study->seed));
    RL_TRY(RL_ALLOC(t->errors, g->spec->n_variants));
    RL_TRY(RL_ALLOC(t->nested_points, g->n_n_train));
    RL_TRY(RL_ALLOC(t->left, g->n_n_train));
    if (g->way == RL_WAY_BULK) RL_TRY(RL_ALLOC(t->bulk_left, RL_BULK_LANES * g->n_n_train));
    if (!rl_way_on_grid(g->way)) RL_TRY(prepare_local(t, g));
    t->grid = curve->grid;
    return RL_OK;
}

rl_status rl_task_load_rows(rl_task *t, int repeat, bool first_row_last) {
    const int features = t->factor.n_features, n_rows = t->rows.dataset->n_rows;
    RL_TRY(rl_rows_arrange(&t->rows, (uint32_t)repeat));
    for (int i = 0; i < t->max_train; i++) {
        const size_t place = (size_t)(first_row_last ? t->max_train - 1 - i : i);
        rl_rows_get(&t->rows, i, 1, t->train_x + place * (size_t)features, features, t->train_y + place);
    }
    rl_test_factor_clear(&t->factor);
    for (int first = t->max_train; first < n_rows; first += t->factor.capacity) {
        const int left = n_rows - first, count = left < t->factor.capacity ? left : t->factor.capacity;
        rl_rows_get(&t->rows, first, count, t->chunk_x, features, t->chunk_y);
        RL_TRY(rl_test_factor_append(&t->factor, count, t->chunk_x, features, t->chunk_y));
    }
    return RL_OK;
}

rl_training_set rl_task_longest_set(const rl_task *t, const rl_grid *g) {
    return (rl_training_set){.n_train = t->max_train,
                             .n_features = g->data.n_features,
                             .x = t->train_x,
                             .y = t->train_y,
                             .beta_star = rl_rows_beta_star(&t->rows),
                             .scale = rl_dataset_scale(&g->data)};
}

rl_population rl_task_population(const rl_grid *g) {
    const bool known = rl_dataset_design_known(&g->data);
    return (rl_population){.known = known, .residual_variance = known ? rl_dataset_residual_variance(&g->data) : NAN};
}

static rl_status grid_curve(rl_task *t, const rl_curve *curve, const bool *wanted, rl_tick tick, double *record) {
    if (t->plan->grids[curve->grid].way == RL_WAY_GRID_NESTED)
        return rl_grid_nested_curve(t, curve, wanted, tick, record);
    return rl_grid_spectrum_curve(t, curve, wanted, record);
}

rl_status rl_task_curve(rl_task *t, int64_t index, const bool *wanted, rl_tick tick, double *record) {
    return rl_task_curves(t, &index, 1, wanted, tick, record);
}

rl_status rl_task_curves(rl_task *t, const int64_t *curves, int n, const bool *wanted, rl_tick tick, double *record) {
    rl_curve here[RL_BULK_LANES];
    rl_status status = rl_task_prepare(t, &t->plan->curves[curves[0]]);
    if (rl_way_on_grid(t->plan->grids[t->plan->curves[curves[0]].grid].way)) {
        assert(t->process_grid != NULL);
        status = rl_process_grid_agree(t->process_grid, status);
    }
    RL_TRY(status);
    rl_task_clear_records(t, n, record);
    for (int first = 0; first < n; first += RL_BULK_LANES) {
        const int count = n - first < RL_BULK_LANES ? n - first : RL_BULK_LANES;
        for (int c = 0; c < count; c++) here[c] = t->plan->curves[curves[first + c]];
        RL_TRY(rl_task_records(t, here, count, wanted, tick, record + (size_t)first * t->layout.length));
    }
    return RL_OK;
}

void rl_task_clear_records(const rl_task *t, int n, double *records) {
    for (int c = 0; c < n; c++)
        for (int i = 0; i < t->layout.n_sizes; i++)
            rl_record_clear(&t->layout, i, records + (size_t)c * t->layout.length);
}

rl_status rl_task_records(rl_task *t, const rl_curve *curves, int n, const bool *wanted, rl_tick tick, double *record) {
    const rl_curve *curve = &curves[0];
    const rl_way way = t->plan->grids[curve->grid].way;
    assert(n == 1 || way == RL_WAY_BULK);
    if (rl_way_on_grid(way)) return grid_curve(t, curve, wanted, tick, record);
    if (way == RL_WAY_BULK) return rl_bulk_curves(t, curves, n, wanted, tick, record);
    if (way == RL_WAY_UPDATED) return rl_updated_way_curve(t, curve, wanted, tick, record);
    if (way == RL_WAY_NESTED) return rl_nested_way_curve(t, curve, wanted, tick, record);
    return rl_spectrum_curve(t, curve, wanted, tick, record);
}
