/* The producer `projected`: A = Q B P^T (pdgebrd), Q^T and P applied to the borders (pdormbr), then B made diagonal on
 * each rank for its share of the test rows. Neither U nor V is ever formed. */
#include <math.h>

#include "../matrix/scalapack.h"
#include "producer.h"

static const int one = 1;

typedef struct bidiagonal {
    const rl_core *core;
    double *d, *e;                             /* [columns], [columns - 1]: on all ranks */
    double *local_d, *local_e, *tau_q, *tau_p; /* as pdgebrd deals them out */
    double *work;
    int lwork;
} bidiagonal;

/* The length that pdgebrd documents, or at most the one that pdormbr does for a border, which begins inside a block. */
static double count_work(const rl_core *core) {
    const rl_block_matrix *m = &core->m;
    const double block = m->row_block, rows = rl_rows_before(m, core->rows),
                 columns = rl_columns_before(m, core->columns);
    const double reduce = block * (rows + columns + 1) + columns;
    const double apply = block * ((double)m->local_rows + m->local_columns + 2 * block);
    return fmax(reduce, apply) + RL_WORK_SLACK;
}

static void list_bidiagonal(rl_arena *arena, void *object) {
    bidiagonal *b = object;
    const size_t rows = (size_t)b->core->m.local_rows + 1, columns = (size_t)b->core->m.local_columns + 1;
    RL_TAKE_REALS(arena, b->core->columns, &b->d, &b->e);
    RL_TAKE_REALS(arena, columns, &b->local_d, &b->tau_q);
    RL_TAKE_REALS(arena, rows, &b->local_e, &b->tau_p);
    RL_TAKE(arena, b->work, count_work(b->core));
}

static rl_status allocate_bidiagonal(bidiagonal *b) {
    RL_TRY(rl_work_length("ScaLAPACK pdgebrd", count_work(b->core), &b->lwork));
    return rl_arrays_create(b, list_bidiagonal);
}

/* pdgebrd leaves d on the columns of the process grid and e on its rows, the same on each row and on each column. */
static rl_status replicate_bidiagonal(const rl_core *core, bidiagonal *b) {
    const rl_block_matrix *m = &core->m;
    const rl_process_grid *grid = core->grid;
    if (grid->row == 0)
        for (int lj = rl_columns_before(m, core->columns) - 1; lj >= 0; lj--)
            b->d[rl_block_matrix_global_column(m, lj)] = b->local_d[lj];
    if (grid->column == 0)
        for (int li = rl_rows_before(m, core->columns - 1) - 1; li >= 0; li--)
            b->e[rl_block_matrix_global_row(m, li)] = b->local_e[li];
    RL_TRY(rl_sum_over_ranks(grid, b->d, core->columns));
    return rl_sum_over_ranks(grid, b->e, core->columns - 1);
}

static rl_status bidiagonalize_core(rl_core *core, bidiagonal *b) {
    int info = 0;
    pdgebrd_(&core->rows, &core->columns, core->m.a, &one, &one, core->m.descriptor, b->local_d, b->local_e, b->tau_q,
             b->tau_p, b->work, &b->lwork, &info);
    RL_TRY(rl_agree_info(core->grid, "ScaLAPACK pdgebrd", &info));
    return replicate_bidiagonal(core, b);
}

/* Q^T to the left border, and P, which is the identity for one column, to the right one. */
static rl_status carry_borders(rl_core *core, bidiagonal *b) {
    const int jc = core->columns + 1, ic = core->rows + 1, *desc = core->m.descriptor;
    double *const a = core->m.a;
    int info = 0;
    pdormbr_("Q", "L", "T", &core->rows, &core->n_left, &core->columns, a, &one, &one, desc, b->tau_q, a, &one, &jc,
             desc, b->work, &b->lwork, &info, 1, 1, 1);
    RL_TRY(rl_agree_info(core->grid, "ScaLAPACK pdormbr", &info));
    if (core->columns == 1) return RL_OK;
    pdormbr_("P", "R", "N", &core->n_right, &core->columns, &core->rows, a, &one, &one, desc, b->tau_p, a, &ic, &one,
             desc, b->work, &b->lwork, &info, 1, 1, 1);
    return rl_agree_info(core->grid, "ScaLAPACK pdormbr", &info);
}

static rl_status project_by_bidiagonal(rl_core *core, bidiagonal *b, rl_projection *projection, rl_timings *timings) {
    RL_TRY(rl_process_grid_agree(core->grid, allocate_bidiagonal(b)));
    double start = rl_seconds();
    RL_TRY(bidiagonalize_core(core, b));
    timings->reduce += rl_lap(&start);
    RL_TRY(carry_borders(core, b));
    RL_TRY(rl_core_gather(core, projection));
    timings->project += rl_lap(&start);
    RL_TRY(rl_core_rotate(core, b->d, b->e, projection));
    timings->diagonalize += rl_lap(&start);
    return RL_OK;
}

static rl_status produce_projected(rl_core *core, rl_projection *projection, rl_timings *timings) {
    bidiagonal b = {.core = core};
    const rl_status status = project_by_bidiagonal(core, &b, projection, timings);
    rl_free(b.d);
    return status;
}

/* ---- needs ------------------------------------------------------------------------------------------------------- */

/* Half of the reduction reads: each column's step reads what is left of the matrix twice. Its twelve products with what
 * the panel has until then, half of them as long as a column and half as long as a row, find nothing of it in the cache
 * any more. What the panel has, four arrays, takes its part of the cache as well. */
static void add_reading(const rl_core *core, rl_part part, rl_needs *needs) {
    enum { SLICES = 16, PRODUCTS = 6, ARRAYS = 2 };
    const double rows = core->rows, n = core->columns, in_panel = fmin(core->m.row_block, n) / 2;
    for (int i = 0; i < SLICES; i++) {
        const double done = (i + 0.5) / SLICES * n;
        const double bytes = sizeof(double) * (rows - done) * (n - done) / needs->ranks;
        const double lengths = (rows - done) / core->grid->n_rows + (n - done) / core->grid->n_columns;
        const double of_panel = sizeof(double) * in_panel * lengths;
        rl_needs_pass(needs, part, 0, n / SLICES * (2 * bytes + PRODUCTS * of_panel), bytes + ARRAYS * of_panel);
    }
}

void rl_needs_pdgebrd(rl_needs *needs, rl_part part, const rl_core *core) {
    const double rows = core->rows, n = core->columns, flops = 4 * rows * n * n - 4.0 / 3 * n * n * n;
    rl_needs_products(needs, part, flops / 2);
    rl_needs_flops(needs, part, flops / 2, INFINITY); /* it reads: see below */
    add_reading(core, part, needs);
    rl_needs_calls(needs, part, n * RL_CALLS_PER_COLUMN);
    rl_needs_spreading(needs, part, 2 * n * (rows + n));
}

double rl_border_flops(const rl_core *core) {
    const double rows = core->rows, n = core->columns;
    return (4 * rows * n - 2 * n * n) * core->n_left + 2 * n * n * core->n_right;
}

/* Time of pdlarft, for each block of A's columns on one row or column of the grid, of so many processes; columns of
 * reflectors are `length` long on average. Each is multiplied with those before it in its block. */
static void add_triangles(const rl_core *core, double length, int processes, rl_needs *needs) {
    const double columns = core->columns, width = fmin(core->m.row_block, columns), share = length / processes;
    const double bytes = sizeof(double) * share * width;
    rl_needs_pass(needs, RL_PART_PROJECT, 0, 3 * columns * bytes / 2, bytes);
}

/* Every block of reflectors is gone through column by column once more, to make its triangle. */
static void add_borders(const rl_core *core, rl_needs *needs) {
    const double n = core->columns;
    rl_needs_products(needs, RL_PART_PROJECT, rl_border_flops(core));
    add_triangles(core, core->rows - n / 2, core->grid->n_rows, needs);
    add_triangles(core, n / 2, core->grid->n_columns, needs);
    rl_needs_calls(needs, RL_PART_PROJECT, 2 * n * RL_CALLS_PER_REFLECTOR);
}

static void tell_needs_of_projected(rl_core *core, rl_projection *projection, rl_needs *needs) {
    bidiagonal b = {.core = core};
    const size_t bytes = rl_arrays_bytes(&b, list_bidiagonal);
    rl_needs_limit(needs, "LWORK of pdgebrd", count_work(core), INT32_MAX);
    rl_needs_hold(needs, bytes);
    rl_needs_pdgebrd(needs, RL_PART_REDUCE, core);
    add_borders(core, needs);
    rl_core_gather_needs(core, projection, needs);
    rl_core_rotate_needs(core, projection, needs);
    needs->held -= (double)bytes;
}

const rl_producer_row rl_projected_row = {produce_projected, tell_needs_of_projected, .square_only = false};
