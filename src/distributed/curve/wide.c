/* Fits and errors of all sizes up to n_features. The row of coordinate j of the matrix holds coordinate j of every row
 * of the repeat, so one pass over the local part gives this rank's share of the sums of squares of all sizes. */
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../../vectors.h"
#include "curve.h"

/* By size: element n is of the first n rows. */
typedef struct sums {
    double *y, *ideal, *bias; /* over the test rows */
    double *population_y, *population_ideal;
} sums;

typedef struct pass {
    const rl_grid_curve *curve;
    int n_blocks;
    double *z;       /* [n_triangle]: the fit in coordinates, times scale; on all ranks, like the next ones */
    double *beta;    /* [n_triangle]: z itself */
    double *w;       /* [n_features]: Q beta*, times scale: what rows divided by it are multiplied by */
    double *inverse; /* [n_triangle]: sums of squares of R^-T probes up to each coordinate */
    double *left;    /* [n_local_columns, n_blocks]: of the columns' targets, what the blocks before one leave over */
    double *lost;    /* [n_local_columns, n_blocks]: what the blocks after one take away */
    sums total;
    double *all;            /* [5, n_features + 1]: all of the total */
    double *columns, *rows; /* a target and the probes, by column and by row */
} pass;

static void list_pass(rl_arena *arena, void *object) {
    pass *p = object;
    const rl_grid_curve *curve = p->curve;
    const size_t n = (size_t)curve->triangle.order, vectors = rl_triangle_vectors(&curve->triangle, 1 + RL_PROBES);
    const size_t pieces = (size_t)p->n_blocks * (size_t)curve->placed.core.m.local_columns;
    RL_TAKE_REALS(arena, n, &p->z, &p->beta, &p->inverse);
    RL_TAKE(arena, p->w, curve->n_features);
    RL_TAKE_REALS(arena, pieces, &p->left, &p->lost);
    RL_TAKE(arena, p->all, 5 * ((size_t)curve->n_features + 1));
    RL_TAKE_REALS(arena, vectors, &p->columns, &p->rows);
}

static pass lay_out_pass(const rl_grid_curve *curve) {
    return (pass){.curve = curve, .n_blocks = (curve->n_features - 1) / curve->placed.core.m.row_block + 1};
}

/* ---- the fit ----------------------------------------------------------------------------------------------------- */

double rl_safe_sigma(double sum_of_squares) {
    const double caution = 10;
    return 1 / (caution * sqrt(sum_of_squares / RL_PROBES));
}

/* Normal numbers, the same for every triangle. */
void rl_probe(const rl_triangle *t, int i, double *columns) {
    const int normal = 3, one = 1;
    int seed[4] = {271, 828, 182, 2 * i + 1};
    for (int j = 0, local = 0; j < t->order; j++) {
        double number;
        dlarnv_(&normal, seed, &one, &number);
        if (local < t->local_columns && rl_block_matrix_global_column(t->m, local) == j) columns[local++] = number;
    }
}

/* z = L^-1 y, and the probes with it. */
static rl_status fit_sizes(pass *p) {
    double *const columns = p->columns, *const rows = p->rows;
    const rl_triangle *t = &p->curve->triangle;
    const rl_lengths lengths = rl_full_lengths(t, 1 + RL_PROBES);
    const double *y = p->curve->placed.target[RL_TARGET_Y];
    const size_t ld = (size_t)t->ld_rows;
    for (int j = 0; j < t->local_columns; j++) columns[j] = y[rl_block_matrix_global_column(t->m, j)];
    for (int i = 0; i < RL_PROBES; i++) rl_probe(t, i, columns + (size_t)(i + 1) * (size_t)t->ld_columns);
    RL_TRY(rl_triangle_solve_transposed(t, &lengths, columns, rows));
    for (size_t i = 0; i < (size_t)t->local_rows && t->m->grid->column == 0; i++) {
        const int j = rl_block_matrix_global_row(t->m, (int)i);
        p->z[j] = rows[i];
        for (size_t k = 1; k <= RL_PROBES; k++) p->inverse[j] += rows[k * ld + i] * rows[k * ld + i];
    }
    RL_TRY(rl_sum_over_ranks(t->m->grid, p->z, t->order));
    RL_TRY(rl_sum_over_ranks(t->m->grid, p->inverse, t->order));
    for (int j = 0; j < p->curve->n_features; j++) p->w[j] = p->curve->w[j] * p->curve->placed.scale;
    for (int j = 0; j < t->order; j++) {
        p->beta[j] = p->z[j] / p->curve->placed.scale;
        if (j > 0) p->inverse[j] += p->inverse[j - 1];
    }
    return RL_OK;
}

/* ---- columns: rows of the repeat, and of the population ---------------------------------------------------------- */

/* A column of the matrix in one block of coordinates: local rows, and what multiplies them. */
typedef struct piece {
    const double *r, *z, *w;
    int first;    /* coordinate of r[0], z[0] and w[0] */
    int explains; /* how many coordinates take part in the forward substitution */
    int loses;    /* how many the row has */
} piece;

/* Training row i has i + 1 coordinates, and counts as a test row up to size i; beta*'s column has no pieces. */
static piece piece_at(const pass *p, int column, int block) {
    const rl_grid_curve *curve = p->curve;
    const rl_block_matrix *m = &curve->placed.core.m;
    const int i = rl_block_matrix_global_column(m, column), n = curve->placed.core.columns;
    const bool population = i >= curve->n_rows, test = i >= n;
    const int first = block * m->row_block, end = rl_smaller(first + m->row_block, curve->n_features);
    const int fitted = test ? n : i, own = test ? end : i + 1;
    piece at = {.first = first};
    if (i == m->columns - 1) return at;
    at.r = rl_at(m, rl_rows_before(m, first), column);
    at.z = (population ? p->beta : p->z) + rl_smaller(first, n);
    at.w = (population ? curve->w : p->w) + first;
    at.explains = rl_larger(rl_smaller(end, fitted) - first, 0);
    at.loses = rl_larger(rl_smaller(end, own) - first, 0);
    return at;
}

/* What a column's target is before anything is explained. */
static double target_of(const pass *p, int column) {
    const rl_grid_curve *curve = p->curve;
    const rl_block_matrix *m = &curve->placed.core.m;
    const int i = rl_block_matrix_global_column(m, column), j = i - curve->n_rows;
    if (i < curve->n_rows) return curve->placed.target[RL_TARGET_Y][i];
    return i < m->columns - 1 ? curve->c->rows.scale[j] * curve->c->rows.beta_star[j] : 0;
}

/* Finds every block's products with z and w, and from them what comes before and after each block. Then each process
 * can go through its own blocks at once. */
static rl_status carry_sums(pass *p) {
    const rl_block_matrix *m = &p->curve->placed.core.m;
    const rl_process_grid *grid = m->grid;
    const MPI_Comm line = p->curve->triangle.column;
    const size_t n = (size_t)m->local_columns, blocks = (size_t)p->n_blocks;
    for (size_t block = (size_t)grid->row; block < blocks; block += (size_t)grid->n_rows)
        for (size_t j = 0; j < n; j++) {
            const piece at = piece_at(p, (int)j, (int)block);
            p->left[block * n + j] = rl_dot(at.explains, at.r, at.z);
            p->lost[block * n + j] = rl_dot(at.loses, at.r, at.w);
        }
    for (size_t block = 0; block < blocks && grid->n_rows > 1; block++) { /* one process has each: exact */
        RL_MPI(MPI_Allreduce(MPI_IN_PLACE, p->left + block * n, (int)n, MPI_DOUBLE, MPI_SUM, line));
        RL_MPI(MPI_Allreduce(MPI_IN_PLACE, p->lost + block * n, (int)n, MPI_DOUBLE, MPI_SUM, line));
    }
    for (size_t j = 0; j < n; j++) {
        double left = target_of(p, (int)j), lost = 0;
        for (size_t block = 0; block < blocks; block++) {
            const double explained = p->left[block * n + j], taken = p->lost[(blocks - 1 - block) * n + j];
            p->left[block * n + j] = left;
            p->lost[(blocks - 1 - block) * n + j] = lost;
            left -= explained;
            lost -= taken;
        }
    }
    return RL_OK;
}

/* Forward substitution, upwards: after coordinate j the size is j + 1. */
static void explain_piece(const piece *at, double left, double *squares) {
    squares += at->first + 1;
    for (int j = 0; j < at->explains; j++) {
        left -= at->r[j] * at->z[j];
        squares[j] += left * left;
    }
}

/* The coordinates from j on are lost at size j: downwards. */
static void lose_piece(const piece *at, double lost, double *squares, double *bias) {
    squares += at->first;
    for (int j = at->loses - 1; j >= 0; j--) {
        lost -= at->r[j] * at->w[j];
        squares[j] += lost * lost;
        if (bias != NULL) bias[at->first + j] += lost;
    }
}

static void go_through_pieces(pass *p) {
    const rl_grid_curve *curve = p->curve;
    const rl_block_matrix *m = &curve->placed.core.m;
    const size_t n = (size_t)m->local_columns;
    for (int block = m->grid->row; block < p->n_blocks; block += m->grid->n_rows)
        for (int j = 0; j < m->local_columns; j++) {
            const bool population = rl_block_matrix_global_column(m, j) >= curve->n_rows;
            const piece at = piece_at(p, j, block);
            const size_t place = (size_t)block * n + (size_t)j;
            explain_piece(&at, p->left[place], population ? p->total.population_y : p->total.y);
            lose_piece(&at, p->lost[place], population ? p->total.population_ideal : p->total.ideal,
                       population ? NULL : p->total.bias);
        }
}

/* Without standard deviations the population's squares are those of the coordinates. On all ranks alike. */
static void set_isotropic(pass *p) {
    const rl_grid_curve *curve = p->curve;
    const int n = curve->placed.core.columns;
    double lost = 0, off = 0;
    for (int j = curve->n_features - 1; j >= 0; j--) {
        lost += curve->w[j] * curve->w[j];
        p->total.population_ideal[j] = lost;
    }
    for (int j = 0; j < n; j++) {
        off += (p->beta[j] - curve->w[j]) * (p->beta[j] - curve->w[j]);
        p->total.population_y[j + 1] = off + p->total.population_ideal[j + 1];
    }
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

static void store_points(const pass *p, rl_point *points) {
    const rl_grid_curve *curve = p->curve;
    const sums *s = &p->total;
    double norm_sq = 0;
    for (int i = 0, n = 1; i < curve->n_wide; n++) {
        norm_sq += curve->norm_sq[n - 1];
        if (curve->c->n_train[i] != n) continue;
        const int n_test = curve->n_rows - n;
        rl_point *point = &points[i];
        point->test_mse[RL_TARGET_Y] = s->y[n] / n_test;
        point->test_mse[RL_TARGET_IDEAL] = s->ideal[n] / n_test;
        point->test_bias = s->bias[n] / n_test;
        point->test_bias_mse = point->test_mse[RL_TARGET_IDEAL];
        point->population_sq[RL_TARGET_Y] = s->population_y[n];
        point->population_sq[RL_TARGET_IDEAL] = s->population_ideal[n];
        curve->bounds[i++] = (rl_bounds){rl_safe_sigma(p->inverse[n - 1]), sqrt(norm_sq)};
    }
}

static rl_status run_pass(pass *p, rl_point *points) {
    const rl_grid_curve *curve = p->curve;
    const size_t length = (size_t)curve->n_features + 1;
    double *const first = p->all;
    p->total = (sums){first, first + length, first + 2 * length, first + 3 * length, first + 4 * length};
    RL_TRY(fit_sizes(p));
    RL_TRY(carry_sums(p));
    go_through_pieces(p);
    RL_TRY(rl_sum_over_ranks(curve->placed.core.grid, p->all, 5 * (int64_t)length));
    if (curve->c->rows.scale == NULL) set_isotropic(p);
    store_points(p, points);
    return RL_OK;
}

rl_status rl_curve_wide(const rl_grid_curve *curve, rl_point *points) {
    pass p = lay_out_pass(curve);
    rl_status status = rl_process_grid_agree(curve->placed.core.grid, rl_arrays_create(&p, list_pass));
    if (status == RL_OK) status = run_pass(&p, points);
    rl_free(p.z);
    return status;
}

void rl_curve_wide_needs(const rl_grid_curve *curve, rl_needs *needs) {
    pass p = lay_out_pass(curve);
    rl_needs_briefly(needs, rl_arrays_bytes(&p, list_pass));
}
