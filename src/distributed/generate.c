#include "generate.h"

#include <math.h>

/* Where the training rows, the test rows and beta* are in the core's matrix: see producer.h. */
typedef struct region {
    int row, column, rows, columns;
    bool turned;   /* rows of X are columns here */
    int first_row; /* of X */
} region;

static region train_region(const rl_core *core) {
    return (region){0, 0, core->rows, core->columns, core->test_rows_left, 0};
}

static region test_region(const rl_core *core, const rl_case *c) {
    if (core->test_rows_left) return (region){0, core->columns, core->rows, c->n_test, true, c->n_train};
    return (region){core->rows, 0, c->n_test, core->columns, false, c->n_train};
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

typedef struct placed_rows {
    const rl_case *c;
    int first_row;
} placed_rows;

static double direct_entry(const void *state, int row, int column) {
    const placed_rows *rows = state;
    return rows->c->x(rows->c->state, rows->first_row + row, column);
}

static double turned_entry(const void *state, int row, int column) {
    const placed_rows *rows = state;
    return rows->c->x(rows->c->state, rows->first_row + column, row);
}

/* A vector or a few vectors, as columns or as rows. */
static double column_entry(const void *state, int row, int column) {
    const double *const *vectors = state;
    return vectors[column][row];
}

static double row_entry(const void *state, int row, int column) {
    return column_entry(state, column, row);
}

static void fill_region(rl_block_matrix *m, const rl_case *c, region r) {
    const placed_rows rows = {c, r.first_row};
    rl_block_matrix_fill(m, r.row, r.column, r.rows, r.columns, r.turned ? turned_entry : direct_entry, &rows);
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static rl_status check_sizes(const rl_case *c, int block) {
    if (c->n_train < 1 || c->n_features < 1 || c->n_test < 1 || block < 1)
        return rl_fail(RL_ERR_INPUT,
                       "distributed case: n_train %d, n_features %d, n_test %d, block %d; all must be at least 1",
                       c->n_train, c->n_features, c->n_test, block);
    const int64_t border = (int64_t)c->n_test + RL_N_TARGETS + 1;
    const int64_t larger = c->n_train > c->n_features ? c->n_train : c->n_features;
    if (larger + border + block > INT32_MAX)
        return rl_fail(
            RL_ERR_INPUT,
            "distributed case: n_train %d, n_features %d and n_test %d add up to more than ScaLAPACK's 32-bit "
            "indices",
            c->n_train, c->n_features, c->n_test);
    return RL_OK;
}

static rl_status check_vector(const char *name, const double *values, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return rl_fail(RL_ERR_INPUT, "distributed case: %s[%lld] is %g; it must be finite", name, (long long)i,
                           values[i]);
    return RL_OK;
}

/* Local: this rank's part of a region. Raises *largest to its largest magnitude. */
static rl_status check_region(const rl_block_matrix *m, region r, double *largest) {
    const int row_end = rl_rows_before(m, r.row + r.rows), column_end = rl_columns_before(m, r.column + r.columns);
    for (int lj = rl_columns_before(m, r.column); lj < column_end; lj++)
        for (int li = rl_rows_before(m, r.row); li < row_end; li++) {
            const double a = m->a[(size_t)lj * (size_t)m->ld + (size_t)li];
            if (isfinite(a)) {
                *largest = fmax(*largest, fabs(a));
                continue;
            }
            const int i = rl_block_matrix_global_row(m, li) - r.row;
            const int j = rl_block_matrix_global_column(m, lj) - r.column;
            return rl_fail(RL_ERR_INPUT, "distributed case: feature %d of row %d is %g; it must be finite",
                           r.turned ? i : j, r.first_row + (r.turned ? j : i), a);
        }
    return RL_OK;
}

/* ---- generation -------------------------------------------------------------------------------------------------- */

static rl_status create_core(rl_core *core, const rl_process_grid *grid, int block, const rl_case *c) {
    const bool wide = c->n_train < c->n_features;
    *core = (rl_core){.grid = grid,
                      .rows = wide ? c->n_features : c->n_train,
                      .columns = wide ? c->n_train : c->n_features,
                      .n_left = wide ? c->n_test + 1 : RL_N_TARGETS,
                      .n_right = wide ? RL_N_TARGETS : c->n_test + 1,
                      .test_rows_left = wide};
    core->tail_rows = core->rows - core->columns;
    return rl_block_matrix_create(&core->m, grid, core->rows + core->n_right, core->columns + core->n_left, block,
                                  block);
}

/* values += rows of X in the region times beta, this rank's part. */
static void add_products(const rl_block_matrix *m, region r, const double *beta, double *values) {
    const int row_end = rl_rows_before(m, r.row + r.rows), column_end = rl_columns_before(m, r.column + r.columns);
    for (int lj = rl_columns_before(m, r.column); lj < column_end; lj++) {
        const int j = rl_block_matrix_global_column(m, lj) - r.column;
        for (int li = rl_rows_before(m, r.row); li < row_end; li++) {
            const int i = rl_block_matrix_global_row(m, li) - r.row;
            const double a = m->a[(size_t)lj * (size_t)m->ld + (size_t)li];
            values[r.turned ? j : i] += a * beta[r.turned ? i : j];
        }
    }
}

static rl_status make_targets(rl_placed_case *placed) {
    const rl_case *c = placed->c;
    const rl_core *core = &placed->core;
    const int64_t n = (int64_t)c->n_train + c->n_test;
    double *ideal = placed->target[RL_TARGET_IDEAL];
    add_products(&core->m, train_region(core), c->beta_star, ideal);
    add_products(&core->m, test_region(core, c), c->beta_star, ideal + c->n_train);
    RL_TRY(rl_sum_over_ranks(core->grid, ideal, n));
    for (int64_t i = 0; i < n; i++) {
        placed->target[RL_TARGET_Y][i] = c->y[i];
        placed->target[RL_TARGET_RESIDUAL][i] = c->y[i] - ideal[i];
    }
    return check_vector("y - X beta*", placed->target[RL_TARGET_RESIDUAL], n);
}

/* Targets and beta* into their borders. */
static void fill_borders(rl_placed_case *placed) {
    const rl_case *c = placed->c;
    rl_core *core = &placed->core;
    const double *beta[] = {c->beta_star};
    if (core->test_rows_left) {
        rl_block_matrix_fill(&core->m, core->rows, 0, RL_N_TARGETS, c->n_train, row_entry, placed->target);
        rl_block_matrix_fill(&core->m, 0, core->columns + c->n_test, c->n_features, 1, column_entry, beta);
    } else {
        rl_block_matrix_fill(&core->m, 0, core->columns, c->n_train, RL_N_TARGETS, column_entry, placed->target);
        rl_block_matrix_fill(&core->m, core->rows + c->n_test, 0, 1, c->n_features, row_entry, beta);
    }
}

/* By a power of two, so that the largest entry is in [1/2, 1): no norm overflows or underflows, and no bit changes. */
static void scale_train(rl_placed_case *placed, double largest) {
    const rl_block_matrix *m = &placed->core.m;
    int exponent = 0;
    if (largest > 0) frexp(largest, &exponent);
    placed->scale = largest > 0 ? ldexp(1, exponent < 1023 ? exponent : 1023) : 0;
    if (largest == 0 || exponent == 0) return;
    const int row_end = rl_rows_before(m, placed->core.rows), column_end = rl_columns_before(m, placed->core.columns);
    for (int lj = 0; lj < column_end; lj++)
        for (int li = 0; li < row_end; li++) m->a[(size_t)lj * (size_t)m->ld + (size_t)li] /= placed->scale;
}

static rl_status generate(rl_placed_case *placed) {
    const rl_case *c = placed->c;
    rl_core *core = &placed->core;
    double largest = 0, ignored = 0;
    fill_region(&core->m, c, train_region(core));
    fill_region(&core->m, c, test_region(core, c));
    rl_status status = check_region(&core->m, train_region(core), &largest);
    if (status == RL_OK) status = check_region(&core->m, test_region(core, c), &ignored);
    RL_TRY(rl_process_grid_agree(core->grid, status));
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, core->grid->comm));
    RL_TRY(make_targets(placed));
    fill_borders(placed);
    scale_train(placed, largest);
    return RL_OK;
}

static rl_status prepare(rl_placed_case *placed, const rl_process_grid *grid, int block) {
    const rl_case *c = placed->c;
    const int64_t n = (int64_t)c->n_train + c->n_test;
    RL_TRY(check_sizes(c, block));
    RL_TRY(check_vector("y", c->y, n));
    RL_TRY(check_vector("beta*", c->beta_star, c->n_features));
    for (int t = 0; t < RL_N_TARGETS; t++) RL_TRY(RL_ALLOC(placed->target[t], n));
    return create_core(&placed->core, grid, block, c);
}

rl_status rl_placed_case_create(rl_placed_case *placed, const rl_process_grid *grid, int block, const rl_case *c) {
    *placed = (rl_placed_case){.c = c};
    RL_TRY(rl_process_grid_agree(grid, prepare(placed, grid, block)));
    return generate(placed);
}

void rl_placed_case_destroy(rl_placed_case *placed) {
    for (int t = 0; t < RL_N_TARGETS; t++) rl_free(placed->target[t]);
    rl_block_matrix_destroy(&placed->core.m);
    *placed = (rl_placed_case){0};
}
