/* Cases of a dataset: its entries, drawn or looked up, and its targets. */
#include "deal.h"
#include "ridgeless/arena.h"

static double fresh_entry(const void *state, int row, int column) {
    const rl_rows *rows = state;
    const int input = column - rows->dataset->intercept;
    if (input < 0) return 1;
    return rows->dataset->teacher.scale[input] *
           rl_philox_normal(rows->key, RL_STREAM_FEATURES, rows->repeat, (uint32_t)row, (uint32_t)input);
}

/* Blocks of random numbers have one of two rows each, so that two rows are made together. */
static void fill_fresh_rows(const rl_rows *rows, const rl_tile *t) {
    for (int i = 0; i < t->n_rows; i++) {
        const uint32_t row = (uint32_t)(t->row + i), column = (uint32_t)t->column;
        double *const out = t->out + i * t->row_step;
        if (row % 2 == 0 && i + 1 < t->n_rows) {
            rl_philox_normal_row_pair(rows->key, RL_STREAM_FEATURES, rows->repeat, row / 2, column, t->n_columns, out,
                                      out + t->row_step);
            i++;
        } else {
            rl_philox_normal_row(rows->key, RL_STREAM_FEATURES, rows->repeat, row, column, t->n_columns, out);
        }
    }
}

static void fill_fresh_columns(const rl_rows *rows, const rl_tile *t) {
    for (int j = 0; j < t->n_columns; j++)
        rl_philox_normal_column(rows->key, RL_STREAM_FEATURES, rows->repeat, (uint32_t)t->row,
                                (uint32_t)(t->column + j), t->n_rows, t->out + j * t->column_step);
}

static void fill_fresh_inputs(const rl_rows *rows, const rl_tile *t) {
    const double *scale = rows->dataset->teacher.scale + t->column;
    if (t->row_step == 1) {
        fill_fresh_columns(rows, t);
        for (int j = 0; j < t->n_columns; j++)
            for (int i = 0; i < t->n_rows; i++) t->out[i + j * t->column_step] *= scale[j];
    } else {
        fill_fresh_rows(rows, t);
        for (int i = 0; i < t->n_rows; i++)
            for (int j = 0; j < t->n_columns; j++) t->out[i * t->row_step + j] *= scale[j];
    }
}

static void fill_fresh(const void *state, const rl_tile *t) {
    const rl_rows *rows = state;
    rl_tile inputs = *t;
    if (rows->dataset->intercept && t->column == 0) {
        for (int i = 0; i < t->n_rows; i++) t->out[i * t->row_step] = 1;
        inputs.n_columns--;
        inputs.out += t->column_step;
    } else if (rows->dataset->intercept) {
        inputs.column--;
    }
    fill_fresh_inputs(rows, &inputs);
}

/* Features of a file, or those that a map has made, all of them on every rank. */
static double stored_entry(const void *state, int row, int column) {
    const rl_rows *rows = state;
    const rl_dataset *data = rows->dataset;
    const double *x = data->map != NULL ? rows->x : data->x;
    return x[(size_t)(data->fresh ? row : rows->order[row]) * (size_t)data->n_features + (size_t)column];
}

rl_case rl_case_of_rows(const rl_rows *rows, int n_train, int n_test) {
    const rl_dataset *data = rows->dataset;
    const bool in_blocks = rl_dataset_in_blocks(data);
    const bool drawn = data->fresh && data->map == NULL;
    return (rl_case){.n_train = n_train,
                     .n_features = data->n_features,
                     .n_test = n_test,
                     .x = in_blocks ? NULL
                          : drawn   ? fresh_entry
                                    : stored_entry,
                     .fill = drawn ? fill_fresh : NULL,
                     .deal = in_blocks ? rl_deal_rows : NULL,
                     .state = rows,
                     .beta_star = rl_rows_beta_star(rows),
                     .scale = rl_dataset_scale(data)};
}

/* Makes this rank's share of the targets and leaves the others zero. A target needs its whole row, with the hidden
 * features. */
static rl_status make_share(const rl_process_grid *grid, const rl_rows *rows, int n, double *y) {
    const int64_t first = (int64_t)n * grid->rank / grid->size, end = (int64_t)n * (grid->rank + 1) / grid->size;
    const rl_dataset *data = rows->dataset;
    if (rl_dataset_in_blocks(data)) {
        for (int64_t i = first; i < end; i++) y[i] = data->y[rows->order[i]];
        return RL_OK;
    }
    double *row = NULL;
    RL_TRY(RL_ALLOC(row, data->n_features));
    for (int64_t i = first; i < end; i++) rl_rows_get(rows, (int)i, 1, row, data->n_features, &y[i]);
    rl_free(row);
    return RL_OK;
}

static void list_targets(rl_arena *arena, void *object) {
    rl_dataset_case *case_ = object;
    RL_TAKE(arena, case_->y, (size_t)case_->c.n_train + (size_t)case_->c.n_test);
}

void rl_dataset_case_needs(const rl_case *c, rl_needs *needs) {
    rl_dataset_case case_ = {.c = *c};
    rl_needs_arrays(needs, &case_, list_targets);
    rl_needs_sum(needs, RL_PART_GENERATE, (double)c->n_train + c->n_test);
}

rl_status rl_dataset_case_create(rl_dataset_case *case_, const rl_process_grid *grid, const rl_rows *rows, int n_train,
                                 int n_test) {
    const int n = n_train + n_test;
    *case_ = (rl_dataset_case){.c = rl_case_of_rows(rows, n_train, n_test)};
    rl_status status = rl_arrays_create(case_, list_targets);
    if (status == RL_OK) status = make_share(grid, rows, n, case_->y);
    RL_TRY(rl_process_grid_agree(grid, status));
    RL_TRY(rl_sum_over_ranks(grid, case_->y, n)); /* one rank has each target: exact */
    case_->c.y = case_->y;
    return RL_OK;
}

void rl_dataset_case_destroy(rl_dataset_case *case_) {
    rl_free(case_->y);
    *case_ = (rl_dataset_case){0};
}
