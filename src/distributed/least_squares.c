/* Least squares on all rows of a dataset. Some rows at a time come under the triangle of those before them, so a table
 * of any length needs little memory. */
#include <assert.h>
#include <float.h>
#include <math.h>

#include "../numbers.h"
#include "case/deal.h"
#include "matrix/scalapack.h"
#include "spectrum/generate.h"

static const int64_t RANK_ELEMENTS = 1 << 18; /* per rank, which a few features may fill */

typedef struct solver {
    const rl_process_grid *grid;
    const rl_dataset *data;
    rl_rows rows; /* in the order of the file */
    rl_case c;
    rl_core core; /* [X y]: the triangle and the next rows */
} solver;

static rl_status check_shape(const rl_dataset *data) {
    if (data->n_rows >= data->n_features) return RL_OK;
    return rl_fail(
        RL_ERR_INPUT,
        "dataset `%s` (%s): %d rows are fewer than its %d features, and least squares on all rows has no one "
        "solution; expected at least as many",
        data->name, data->origin, data->n_rows, data->n_features);
}

static rl_status create_rows(solver *s) {
    const int n = s->data->n_rows;
    s->rows = (rl_rows){.dataset = s->data};
    RL_TRY(RL_ALLOC(s->rows.order, n));
    for (int i = 0; i < n; i++) s->rows.order[i] = i;
    s->c = rl_case_of_rows(&s->rows, n, 0);
    return RL_OK;
}

/* The rows of two triangles, or more where there is room; never more than there are. */
static int rows_at_once(const solver *s) {
    const int64_t n = s->data->n_rows, p = s->data->n_features, room = RANK_ELEMENTS * s->grid->size / (p + 1);
    return (int)rl_smaller(p + rl_larger(room, p), n);
}

static rl_status prepare_solver(solver *s, int block) {
    const int p = s->data->n_features;
    RL_TRY(check_shape(s->data));
    RL_TRY(create_rows(s));
    s->core = (rl_core){.grid = s->grid, .rows = rows_at_once(s), .columns = p, .n_left = 1};
    return rl_block_matrix_create(&s->core.m, s->grid, s->core.rows, p + 1, block);
}

static double target_entry(const void *state, int row, int column) {
    (void)column;
    return ((const double *)state)[row];
}

/* Rows [first, first + count) of the file to the core's rows from `place` on. */
static rl_status append_rows(solver *s, int first, int count, int place) {
    rl_block_matrix *m = &s->core.m;
    RL_TRY(rl_case_fill(&s->c, m, (rl_placement){.first_row = first, .n_rows = count, .row = place}));
    rl_block_matrix_fill(m, place, s->core.columns, count, 1, target_entry, s->data->y + first);
    s->core.rows = place + count;
    return RL_OK;
}

/* The triangle of all rows, and beside it what it is to be solved for. */
static rl_status factor_all(solver *s) {
    const int n = s->data->n_rows, p = s->core.columns, height = s->core.rows;
    for (int done = 0; done < n;) {
        const int place = done > 0 ? p : 0, count = rl_smaller(height - place, n - done);
        RL_TRY(append_rows(s, done, count, place));
        RL_TRY(rl_core_factor(&s->core));
        done += count;
    }
    return RL_OK;
}

/* The diagonal's and each column's largest magnitudes: sizes [2 p], of all ranks. */
static rl_status measure_columns(const solver *s, double *sizes) {
    const rl_block_matrix *m = &s->core.m;
    const int p = s->core.columns;
    const rl_share mine = rl_share_of(m, 0, 0, p, p);
    for (int lj = 0; lj < mine.column_end; lj++) {
        const int j = rl_block_matrix_global_column(m, lj);
        for (int li = 0; li < mine.row_end; li++) {
            const double size = fabs(*rl_at(m, li, lj));
            if (rl_block_matrix_global_row(m, li) == j) sizes[j] = size;
            sizes[p + j] = fmax(sizes[p + j], size);
        }
    }
    for (int i = 0; i < 2; i++)
        RL_MPI(MPI_Allreduce(MPI_IN_PLACE, sizes + (size_t)i * (size_t)p, p, MPI_DOUBLE, MPI_MAX, s->grid->comm));
    return RL_OK;
}

static rl_status fail_overflow(const rl_dataset *data) {
    return rl_fail(RL_ERR_INPUT, "dataset `%s`: least squares on all rows overflows, expected smaller numbers",
                   data->name);
}

/* A column is judged by its own length, which units do not change. */
static rl_status check_rank(const solver *s, const double *sizes) {
    const rl_dataset *data = s->data;
    const int p = s->core.columns;
    for (int j = 0; j < p; j++) {
        const double tolerance = data->n_rows * DBL_EPSILON * sizes[p + j];
        if (!isfinite(sizes[p + j])) return fail_overflow(data);
        if (!(sizes[j] > tolerance))
            return rl_fail(RL_ERR_INPUT,
                           "dataset `%s` (%s): feature %d (counted from 1) depends linearly on those before it%s, and "
                           "least squares on all rows has no one solution; expected independent features",
                           data->name, data->origin, j + 1 - data->intercept,
                           data->intercept ? " and the intercept" : "");
    }
    return RL_OK;
}

/* A part is the smallest singular value over the largest, about, by one norm. */
static rl_status estimate_part(const solver *s, const char *norm, double *part) {
    const rl_block_matrix *m = &s->core.m;
    const int p = s->core.columns, one = 1, query = -1;
    double asked, *work = NULL;
    int asked_integers, *integers = NULL, info;
    pdtrcon_(norm, "U", "N", &p, m->a, &one, &one, m->descriptor, part, &asked, &query, &asked_integers, &query, &info);
    const int n_work = (int)asked + RL_WORK_SLACK, n_integers = asked_integers + RL_WORK_SLACK;
    rl_status status = RL_ALLOC(work, n_work);
    if (status == RL_OK) status = RL_ALLOC(integers, n_integers);
    status = rl_process_grid_agree(s->grid, status);
    if (status == RL_OK) {
        pdtrcon_(norm, "U", "N", &p, m->a, &one, &one, m->descriptor, part, work, &n_work, integers, &n_integers,
                 &info);
        status = rl_agree_info(s->grid, "pdtrcon", &info);
    }
    rl_free(work);
    rl_free(integers);
    return status;
}

/* By the rule of fits, which sees columns in their units: see rl_triangle_is_surely_full of `data`. */
static rl_status check_condition(const solver *s) {
    const rl_dataset *data = s->data;
    double one, most;
    RL_TRY(estimate_part(s, "1", &one));
    RL_TRY(estimate_part(s, "I", &most));
    if (sqrt(one) * sqrt(most) > rl_rank_tolerance(data->n_rows, data->n_features)) return RL_OK;
    return rl_fail(
        RL_ERR_INPUT,
        "dataset `%s` (%s): the features have a lower rank than %d in the units that they are in, and a table "
        "in blocks must have independent ones; expected features of about one length",
        data->name, data->origin, data->n_features);
}

static rl_status solve_triangle(solver *s, double *sizes, double *beta) {
    rl_block_matrix *m = &s->core.m;
    const int p = s->core.columns, one = 1, target = p + 1;
    RL_TRY(factor_all(s));
    RL_TRY(measure_columns(s, sizes));
    RL_TRY(check_rank(s, sizes)); /* the same on all ranks */
    RL_TRY(check_condition(s));
    pdtrsv_("U", "N", "N", &p, m->a, &one, &one, m->descriptor, m->a, &one, &target, m->descriptor, &one);
    RL_TRY(rl_replicate(m, 0, p, p, 1, beta));
    return rl_all_finite(beta, (size_t)p) ? RL_OK : fail_overflow(s->data);
}

rl_status rl_distributed_least_squares(const rl_process_grid *grid, int block, const rl_dataset *dataset,
                                       double *beta) {
    assert(!dataset->fresh);
    solver s = {.grid = grid, .data = dataset};
    double *sizes = NULL;
    rl_status status = prepare_solver(&s, block);
    if (status == RL_OK) status = RL_ALLOC(sizes, 2 * (size_t)dataset->n_features);
    status = rl_process_grid_agree(grid, status);
    if (status == RL_OK) status = solve_triangle(&s, sizes, beta);
    rl_free(sizes);
    rl_block_matrix_destroy(&s.core.m);
    rl_free(s.rows.order);
    return status;
}
