/* A curve on a grid: its matrix, its points, spectra from it. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../../spectrum/judgement.h"
#include "../../vectors.h"
#include "curve.h"
#include "ridgeless/arena.h"

/* ---- making and factoring ---------------------------------------------------------------------------------------- */

static rl_status check_sizes(const rl_curve_case *c, int block) {
    const rl_case *rows = &c->rows;
    if (rows->n_features < 1 || rows->n_test < 1 || block < 1)
        return rl_fail(RL_ERR_INPUT, "curve on a grid: n_features %d, n_test %d, block %d; all must be at least 1",
                       rows->n_features, rows->n_test, block);
    for (int i = 0; i < c->n_sizes; i++)
        if (c->n_train[i] <= (i > 0 ? c->n_train[i - 1] : 0))
            return rl_fail(RL_ERR_INPUT, "curve on a grid: n_train[%d] is %d; expected ascending positive sizes", i,
                           c->n_train[i]);
    if (c->n_sizes < 1 || c->n_train[c->n_sizes - 1] != rows->n_train)
        return rl_fail(RL_ERR_INPUT, "curve on a grid: the last of %d sizes must be all %d training rows", c->n_sizes,
                       rows->n_train);
    const int64_t columns = (int64_t)rows->n_train + rows->n_test + 1 + (rows->scale != NULL ? rows->n_features : 0);
    if (columns + block > INT32_MAX || (int64_t)rows->n_features + block > INT32_MAX)
        return rl_fail(RL_ERR_INPUT,
                       "curve on a grid: n_train %d, n_test %d and n_features %d add up to more than ScaLAPACK's "
                       "32-bit indices",
                       rows->n_train, rows->n_test, rows->n_features);
    return RL_OK;
}

/* As many rows are factored as the longest wide size has, or all that a triangle takes if there is a tall one. */
static rl_core lay_out_core(const rl_grid_curve *curve, const rl_process_grid *grid, int block) {
    const int longest = curve->c->rows.n_train, n = curve->n_features;
    const int columns = rl_smaller(longest, n);
    rl_core core = {.grid = grid,
                    .rows = n,
                    .columns = columns,
                    .n_left = curve->n_rows - columns + 1 + (curve->c->rows.scale != NULL ? n : 0),
                    .test_rows_left = true};
    rl_core_lay_out(&core, block);
    return core;
}

/* Everything but arrays and communicators. */
static rl_grid_curve lay_out_curve(const rl_curve_case *c, const rl_process_grid *grid, int block) {
    rl_grid_curve curve = {
        .c = c, .n_features = c->rows.n_features, .n_rows = c->rows.n_train + c->rows.n_test, .n_bounds = c->n_sizes};
    while (curve.n_wide < c->n_sizes && c->n_train[curve.n_wide] <= curve.n_features) curve.n_wide++;
    curve.placed.core = lay_out_core(&curve, grid, block);
    return curve;
}

/* Every row is generated as a training row. */
static rl_case every_row(const rl_curve_case *c) {
    rl_case all = c->rows;
    all.n_train += all.n_test;
    all.n_test = 0;
    return all;
}

static void list_curve(rl_arena *arena, void *object) {
    rl_grid_curve *curve = object;
    const rl_core *core = &curve->placed.core;
    curve->triangle = rl_triangle_of(&core->m, core->columns, core->grid->in_row, core->grid->in_column);
    RL_TAKE(arena, curve->w, curve->n_features);
    RL_TAKE(arena, curve->norm_sq, curve->n_rows);
    RL_TAKE(arena, curve->bounds, curve->n_bounds);
    rl_triangle_list(&curve->triangle, arena);
}

/* Orthogonal changes of coordinates keep the rows' lengths. */
static rl_status measure_rows(rl_grid_curve *curve) {
    const rl_block_matrix *m = &curve->placed.core.m;
    const int end = rl_columns_before(m, curve->n_rows);
    for (int j = 0; j < end; j++) {
        const double *column = rl_at(m, 0, j);
        curve->norm_sq[rl_block_matrix_global_column(m, j)] = rl_sum_of_squares(m->local_rows, column);
    }
    return rl_sum_over_ranks(m->grid, curve->norm_sq, curve->n_rows);
}

static rl_status factor_rows(rl_grid_curve *curve) {
    const rl_core *core = &curve->placed.core;
    RL_TRY(rl_core_factor(&curve->placed.core));
    RL_TRY(measure_rows(curve));
    return rl_replicate(&core->m, 0, core->m.columns - 1, curve->n_features, 1, curve->w);
}

static rl_status fill_curve(rl_grid_curve *curve, rl_timings *spent) {
    double start = rl_seconds();
    const rl_core core = curve->placed.core;
    curve->all = every_row(curve->c);
    RL_TRY(rl_placed_case_create_as(&curve->placed, &core, &curve->all));
    spent->generate = rl_lap(&start);
    RL_TRY(factor_rows(curve));
    spent->reduce = rl_lap(&start);
    return RL_OK;
}

static rl_status begin_curve(const rl_curve_case *c, const rl_process_grid *grid, int block, rl_grid_curve **made) {
    RL_TRY(check_sizes(c, block));
    rl_grid_curve plan = lay_out_curve(c, grid, block);
    return RL_OBJECT_CREATE(made, &plan, list_curve);
}

rl_status rl_grid_curve_create(const rl_process_grid *grid, int block, const rl_curve_case *c, rl_grid_curve **curve,
                               rl_timings *timings) {
    const double start = rl_seconds();
    rl_grid_curve *made = NULL;
    rl_timings spent = {0};
    *curve = NULL;
    rl_status status = rl_process_grid_agree(grid, begin_curve(c, grid, block, &made));
    if (status == RL_OK) status = fill_curve(made, &spent);
    if (status == RL_OK)
        *curve = made;
    else
        rl_grid_curve_destroy(made);
    spent.total = rl_seconds() - start;
    if (timings != NULL) *timings = spent;
    return status;
}

void rl_grid_curve_destroy(rl_grid_curve *curve) {
    if (curve == NULL) return;
    rl_placed_case_destroy(&curve->placed);
    rl_free(curve);
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

rl_status rl_curve_ask(const rl_grid_curve *curve, rl_tick tick) {
    const bool go_on = rl_may_go_on(tick);
    return rl_process_grid_agree(curve->placed.core.grid,
                                 go_on ? RL_OK : rl_fail(RL_STOPPED, "stopped between two pieces of a curve"));
}

rl_status rl_curve_sigma(const rl_grid_curve *curve, const rl_grid_family *family, const int *index, rl_tick tick,
                         rl_point *points) {
    double least[RL_VECTORS], most[RL_VECTORS];
    RL_TRY(rl_curve_ask(curve, tick));
    RL_TRY(rl_grid_extreme(family, RL_SMALLEST, curve->lanczos, least));
    RL_TRY(rl_curve_ask(curve, tick));
    RL_TRY(rl_grid_extreme(family, RL_LARGEST, curve->lanczos, most));
    for (int j = 0; j < family->lengths.n; j++) {
        points[index[j]].sigma_min = least[j] * curve->placed.scale;
        points[index[j]].sigma_max = most[j] * curve->placed.scale;
    }
    return RL_OK;
}

/* Takes wanted wide sizes from the longest on, so that those of one family differ little in length. */
static rl_status find_wide_sigma(const rl_grid_curve *curve, const bool *wanted, rl_tick tick, rl_point *points) {
    for (int i = curve->n_wide - 1; wanted != NULL && i >= 0;) {
        rl_grid_family family = {.triangle = &curve->triangle};
        int index[RL_VECTORS], n = 0;
        for (; i >= 0 && n < RL_VECTORS; i--) {
            if (!wanted[i]) continue;
            family.lengths.order[n] = curve->c->n_train[i];
            index[n++] = i;
        }
        if (n == 0) return RL_OK;
        family.lengths.n = n;
        RL_TRY(rl_curve_sigma(curve, &family, index, tick, points));
    }
    return RL_OK;
}

/* Judges by the singular values, or by bounds on them. */
static void judge_point(const rl_grid_curve *curve, int i, bool has_sigma, rl_point *p) {
    const rl_bounds bounds = curve->bounds[i];
    const double least = has_sigma ? p->sigma_min : bounds.least, most = has_sigma ? p->sigma_max : bounds.most;
    rl_judge_point(p, curve->c->n_train[i], curve->n_features, least, most);
}

static rl_status find_points(const rl_grid_curve *curve, const bool *wanted, rl_tick tick, rl_point *points) {
    const int n = curve->c->n_sizes;
    for (int i = 0; i < n; i++) points[i] = (rl_point){.sigma_min = NAN, .sigma_max = NAN};
    if (!curve->placed.is_zero) {
        RL_TRY(rl_curve_ask(curve, tick));
        if (curve->n_wide > 0) RL_TRY(rl_curve_wide(curve, points));
        RL_TRY(find_wide_sigma(curve, wanted, tick, points));
        RL_TRY(rl_curve_tall(curve, wanted, tick, points));
    }
    for (int i = 0; i < n; i++) judge_point(curve, i, wanted != NULL && wanted[i], &points[i]);
    return RL_OK;
}

/* Processors of different kinds may round differently: all ranks take the numbers of rank 0. */
static rl_status share_from_first(const rl_grid_curve *curve, rl_point *points) {
    MPI_Datatype point;
    RL_MPI(MPI_Type_contiguous(sizeof *points, MPI_BYTE, &point));
    RL_MPI(MPI_Type_commit(&point));
    RL_MPI(MPI_Bcast(points, curve->c->n_sizes, point, 0, curve->placed.core.grid->comm));
    RL_MPI(MPI_Type_free(&point));
    return RL_OK;
}

static int count_members(int64_t n_sigma) {
    return (int)rl_smaller(n_sigma, (int64_t)RL_VECTORS);
}

static rl_status allocate_lanczos(rl_grid_curve *curve, const bool *wanted) {
    int n = 0;
    for (int i = 0; wanted != NULL && i < curve->c->n_sizes; i++) n += wanted[i];
    return n > 0 ? rl_grid_lanczos_create(&curve->triangle, count_members(n), &curve->lanczos) : RL_OK;
}

rl_status rl_grid_curve_points(rl_grid_curve *curve, const bool *sigma_wanted, rl_tick tick, rl_point *points) {
    rl_status status = rl_process_grid_agree(curve->placed.core.grid, allocate_lanczos(curve, sigma_wanted));
    if (status == RL_OK) status = find_points(curve, sigma_wanted, tick, points);
    if (status == RL_OK) status = share_from_first(curve, points);
    rl_free(curve->lanczos);
    curve->lanczos = NULL;
    return status;
}

/* ---- spectra ----------------------------------------------------------------------------------------------------- */

/* The leading block and the coordinates in it of all later rows and beta*: the same places of a smaller matrix. */
static rl_status copy_core(const rl_grid_curve *curve, rl_placed_case *placed) {
    const rl_block_matrix *all = &curve->placed.core.m;
    rl_core *core = &placed->core;
    rl_block_matrix *m = &core->m;
    rl_core_lay_out(core, all->row_block);
    RL_TRY(rl_process_grid_agree(all->grid, rl_block_matrix_allocate(m)));
    const int rows = rl_rows_before(m, core->rows), test = rl_columns_before(m, core->columns);
    const int test_end = rl_columns_before(m, curve->n_rows);
    for (int j = 0; j < m->local_columns; j++) {
        double *to = rl_at(m, 0, j);
        memcpy(to, rl_at(all, 0, j), (size_t)rows * sizeof(double));
        for (int i = 0; i < rows && j >= test && j < test_end; i++) to[i] *= placed->scale;
    }
    rl_placed_case_fill_targets(placed);
    return RL_OK;
}

/* The coordinates that the training set does not reach; test rows are not divided by scale in a spectrum. */
static rl_status find_tails(const rl_grid_curve *curve, const rl_tails *tails) {
    if (tails->rows == 0) return RL_OK;
    RL_TRY(rl_sum_tails(&curve->placed.core.m, tails));
    for (int i = 0; i < curve->n_rows - tails->first; i++) {
        tails->square[i] *= curve->placed.scale * curve->placed.scale;
        tails->last[i] *= curve->placed.scale;
    }
    return RL_OK;
}

static rl_status make_spectrum(const rl_grid_curve *curve, rl_placed_case *placed, rl_tails *tails,
                               rl_producer producer, rl_spectrum_store *store, rl_spectrum *spectrum,
                               rl_timings *timings) {
    const double start = rl_seconds();
    RL_TRY(rl_process_grid_agree(placed->core.grid, rl_arrays_create(tails, rl_tails_list)));
    RL_TRY(find_tails(curve, tails));
    RL_TRY(copy_core(curve, placed));
    timings->generate = rl_seconds() - start;
    return rl_placed_case_spectrum(placed, producer, store, spectrum, timings);
}

rl_status rl_grid_curve_spectrum(rl_grid_curve *curve, int n_index, rl_producer producer, rl_spectrum_store *store,
                                 rl_spectrum *spectrum, rl_timings *timings) {
    const double start = rl_seconds();
    assert(n_index >= 0 && n_index < curve->n_wide);
    const int n = curve->c->n_train[n_index];
    rl_timings spent = {0};
    rl_case c = curve->c->rows;
    rl_tails tails = {.first = n, .rows = curve->n_features - n, .n = curve->placed.core.m.columns - n};
    c.n_train = n;
    c.n_test = curve->n_rows - n;
    rl_placed_case placed = {.c = &c, .scale = curve->placed.scale};
    placed.core = (rl_core){.grid = curve->placed.core.grid,
                            .rows = n,
                            .columns = n,
                            .n_left = tails.n,
                            .n_right = RL_N_TARGETS,
                            .tails = &tails,
                            .test_rows_left = true};
    memcpy(placed.target, curve->placed.target, sizeof placed.target); /* borrowed */
    rl_spectrum_store_destroy(store);
    const rl_status status = make_spectrum(curve, &placed, &tails, producer, store, spectrum, &spent);
    rl_block_matrix_destroy(&placed.core.m);
    rl_free(tails.square);
    spent.total = rl_seconds() - start;
    if (timings != NULL) *timings = spent;
    return status;
}

/* ---- needs ------------------------------------------------------------------------------------------------------- */

void rl_grid_curve_needs(const rl_process_grid *grid, int block, const rl_curve_case *c, int64_t n_sizes,
                         int64_t n_sigma, rl_needs *needs) {
    rl_grid_curve curve = lay_out_curve(c, grid, block);
    const rl_core *core = &curve.placed.core;
    const rl_case all = every_row(c);
    curve.n_bounds = n_sizes;
    rl_needs_on_grid(needs, grid);
    needs->libraries += rl_needs_libraries(core);
    rl_needs_hold(needs, RL_OBJECT_BYTES(&curve, list_curve));
    rl_placed_case_needs(core, &all, needs);
    rl_core_factor_needs(core, needs);
    if (n_sigma > 0) rl_needs_hold(needs, rl_grid_lanczos_bytes(&curve.triangle, count_members(n_sigma)));
    if (curve.n_wide > 0) rl_curve_wide_needs(&curve, needs);
    if (curve.n_wide < c->n_sizes) rl_curve_tall_needs(&curve, needs);
    rl_curve_tell_work(&curve, (double)n_sigma, needs);
}
