#include <math.h>

#include "ridgeless/task.h"

struct rl_task {
    const rl_plan *plan;
    int grid; /* the one that the buffers below are for; -1: none */
    rl_record_layout layout;
    int max_train;
    rl_rows rows;
    /* [max_train, n_features] row-major, [max_train]: the longest training set, the first row of the order last, so
     * that each training set is the tail of the arrays and lies there in the published program's own order. Rounding
     * depends on it. */
    double *train_x, *train_y;
    double *chunk_x, *chunk_y; /* [factor.capacity, n_features], [factor.capacity]: test rows on their way in */
    rl_test_factor factor;
    rl_dense_producer *producer;
    rl_evaluator *evaluator;
    rl_errors *errors; /* [n_variants] */
};

rl_status rl_task_create(const rl_plan *plan, rl_task **task) {
    RL_TRY(RL_ALLOC(*task, 1));
    (*task)->plan = plan;
    (*task)->grid = -1;
    return RL_OK;
}

static void release_buffers(rl_task *t) {
    rl_rows_destroy(&t->rows);
    rl_test_factor_destroy(&t->factor);
    rl_dense_producer_destroy(t->producer);
    rl_evaluator_destroy(t->evaluator);
    double *const arrays[] = {t->train_x, t->train_y, t->chunk_x, t->chunk_y};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
    rl_free(t->errors);
    *t = (rl_task){.plan = t->plan, .grid = -1};
}

void rl_task_destroy(rl_task *task) {
    if (task == NULL) return;
    release_buffers(task);
    rl_free(task);
}

/* Curves come dataset by dataset, so buffers for one dataset at a time are enough. */
static rl_status prepare(rl_task *t, int grid) {
    if (t->grid == grid) return RL_OK;
    release_buffers(t);
    const rl_grid *g = &t->plan->grids[grid];
    const int features = g->data.n_features, variants = g->spec->n_variants;
    t->max_train = g->n_train[g->n_n_train - 1];
    t->layout = rl_record_layout_of(t->plan, grid);
    RL_TRY(rl_rows_create(&t->rows, &g->data, t->plan->study->random, t->plan->study->seed));
    RL_TRY(rl_test_factor_create(&t->factor, features));
    RL_TRY(rl_dense_producer_create(&t->producer, t->max_train, features));
    RL_TRY(rl_evaluator_create(&t->evaluator, variants, g->max_modes, t->factor.order));
    RL_TRY(RL_ALLOC(t->train_x, (size_t)t->max_train * (size_t)features));
    RL_TRY(RL_ALLOC(t->train_y, t->max_train));
    RL_TRY(RL_ALLOC(t->chunk_x, (size_t)t->factor.capacity * (size_t)features));
    RL_TRY(RL_ALLOC(t->chunk_y, t->factor.capacity));
    RL_TRY(RL_ALLOC(t->errors, variants));
    t->grid = grid;
    return RL_OK;
}

/* The longest training set, and the test factor of all rows after it. */
static rl_status load_rows(rl_task *t, int repeat) {
    const int features = t->factor.n_features, n_rows = t->rows.dataset->n_rows;
    rl_rows_arrange(&t->rows, (uint32_t)repeat);
    for (int i = 0; i < t->max_train; i++) {
        const size_t place = (size_t)(t->max_train - 1 - i);
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

static rl_training_set training_set(const rl_task *t, int n_train, const rl_dataset *data) {
    const size_t first = (size_t)(t->max_train - n_train);
    return (rl_training_set){.n_train = n_train,
                             .n_features = t->factor.n_features,
                             .x = t->train_x + first * (size_t)t->factor.n_features,
                             .y = t->train_y + first,
                             .beta_star = data->beta_star,
                             .scale = data->fresh && !data->teacher.isotropic ? data->teacher.scale : NULL};
}

/* The training set shrinks to `train`: the rows before it that are no test rows yet become so. */
static rl_status give_up_rows(rl_task *t, const rl_training_set *train) {
    const int count = t->rows.dataset->n_rows - train->n_train - t->factor.n_rows;
    if (count == 0) return RL_OK;
    return rl_test_factor_append(&t->factor, count, train->x - (size_t)count * (size_t)train->n_features,
                                 train->n_features, train->y - count);
}

static void record_modes(const rl_record_layout *l, const rl_spectrum *s, int i_n, double *record) {
    const size_t first = (size_t)i_n * (size_t)l->max_modes;
    const int known = s->status == RL_CELL_DONE ? s->n_modes : 0;
    double *const sigma = record + l->sigma + first, *const test = record + l->test_projection_rms + first,
                  *const residual = record + l->residual_projection + first;
    if (known > 0) rl_mode_factors(s, test, residual);
    for (int r = 0; r < l->max_modes; r++) {
        sigma[r] = r < known ? s->sigma[r] : NAN;
        if (r >= known) test[r] = residual[r] = NAN;
    }
}

static void record_spectrum(const rl_record_layout *l, const rl_spectrum *s, int i_n, double *record) {
    const bool known = s->status == RL_CELL_DONE;
    record[l->status + (size_t)i_n] = s->status;
    record[l->sigma_min + (size_t)i_n] = known ? s->sigma[s->rank - 1] : NAN;
    record[l->sigma_max + (size_t)i_n] = known ? s->sigma[0] : NAN;
    record[l->rank + (size_t)i_n] = known ? s->rank : s->status == RL_CELL_ZERO_MATRIX ? 0 : NAN;
    record[l->test_bias_sq + (size_t)i_n] = known ? s->test_bias * s->test_bias : NAN;
    record[l->test_bias_mse + (size_t)i_n] = known ? s->test_bias_mse : NAN;
    if (l->has_modes) record_modes(l, s, i_n, record);
}

static void record_errors(const rl_record_layout *l, const rl_errors *errors, int i_n, double *record) {
    const size_t first = (size_t)i_n * (size_t)l->n_variants;
    for (int v = 0; v < l->n_variants; v++) {
        record[l->test_mse + first + (size_t)v] = errors[v].test_mse;
        record[l->train_mse + first + (size_t)v] = errors[v].train_mse;
        if (l->has_population) record[l->population_mse + first + (size_t)v] = errors[v].population_mse;
    }
}

rl_status rl_task_curve(rl_task *t, int64_t index, rl_tick tick, double *record) {
    const rl_curve *curve = &t->plan->curves[index];
    const rl_grid *g = &t->plan->grids[curve->grid];
    RL_TRY(prepare(t, curve->grid));
    RL_TRY(load_rows(t, curve->repeat));
    const double unexplained = g->data.fresh ? rl_dataset_residual_variance(&g->data) : NAN;
    const rl_population population = {.known = g->data.fresh, .residual_variance = unexplained};
    for (int i = g->n_n_train - 1; i >= 0; i--) { /* downwards: the test set only grows */
        const rl_training_set train = training_set(t, g->n_train[i], &g->data);
        rl_spectrum s;
        if (tick.call != NULL && !tick.call(tick.state)) return RL_STOPPED;
        RL_TRY(give_up_rows(t, &train));
        RL_TRY(rl_dense_producer_spectrum(t->producer, &train, &t->factor, &s));
        rl_evaluate(t->evaluator, &s, &population, g->spec->n_variants, g->spec->variants, t->errors);
        record_spectrum(&t->layout, &s, i, record);
        record_errors(&t->layout, t->errors, i, record);
    }
    return RL_OK;
}
