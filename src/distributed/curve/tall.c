/* Sizes above n_features: rows appended to a copy of the triangle.
 *
 * In the coordinates Q the rows are A = [L; rows], and A^T = [R rows^T] becomes [R' 0] by reflectors from the right, a
 * row of blocks at a time from the last one up, which keeps R' an upper triangle. The targets, a row more, become [c
 * d]: R'^T beta = c is the fit, and the squares of all d that ever came up are the residual of training. */
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../../vectors.h"
#include "curve.h"

/* The sizes whose rows are corrected for together: `triangle` holds the first n_train[first] rows. */
typedef struct group {
    int first, count;
    int n_rows;                               /* from the first of them to the last */
    double *rows;                             /* [local_rows, RL_ROW_SPAN], by row: the rows in between */
    double *solved;                           /* [local_columns, ...], by column: R^-1 rows */
    double small[RL_ROW_SPAN * RL_ROW_SPAN];  /* ld = RL_ROW_SPAN: I + solved^T solved, then its Cholesky factor U */
    double innovations[RL_ROW_SPAN];          /* U^-T of the rows' residuals at the first size */
    double weights[RL_ROW_SPAN * RL_VECTORS]; /* [n_rows, count]: of the rows' corrections to the fit at each size */
    double *solutions;                        /* [local_rows, ...], by row: x of R^T x = right */
    double *right;                            /* by column: right sides of R^T x */
    double *predictions;                      /* [local columns of m, count] */
} group;

typedef struct tall {
    const rl_grid_curve *curve;
    rl_block_matrix m; /* the triangle */
    rl_triangle triangle;
    int n_in; /* rows in it */
    double norm_sq;
    double *c; /* [n_features], on all ranks */
    double residual_sq;
    /* A batch of rows on their way in */
    double *batch;     /* [RL_ROW_BATCH, local_rows]: the rows are columns, by row otherwise */
    double *target;    /* [RL_ROW_BATCH] */
    double *reflector; /* [block, block], and [RL_ROW_BATCH, block] after it: T and V */
    double *diagonal;  /* [block, block] */
    double *product;   /* [local_rows, block], twice */
    double *work;
    group g;
} tall;

static tall lay_out_tall(const rl_grid_curve *curve) {
    const rl_block_matrix *all = &curve->placed.core.m;
    const int n = curve->n_features;
    return (tall){.curve = curve, .m = rl_block_matrix_layout(all->grid, n, n, all->row_block), .n_in = n};
}

static void list_group(rl_arena *arena, group *g, const rl_triangle *t, int local_columns) {
    RL_TAKE_REALS(arena, rl_triangle_vectors(t, RL_ROW_SPAN), &g->rows, &g->solved);
    RL_TAKE_REALS(arena, rl_triangle_vectors(t, RL_VECTORS), &g->solutions, &g->right);
    RL_TAKE(arena, g->predictions, (size_t)local_columns * RL_VECTORS);
}

static void list_tall(rl_arena *arena, void *object) {
    tall *s = object;
    s->triangle = rl_triangle_of(&s->m, s->curve->n_features, s->curve->triangle.row, s->curve->triangle.column);
    const size_t block = (size_t)s->m.row_block, rows = (size_t)s->triangle.ld_rows;
    rl_triangle_list(&s->triangle, arena);
    RL_TAKE(arena, s->c, s->curve->n_features);
    RL_TAKE(arena, s->batch, rows * RL_ROW_BATCH);
    RL_TAKE(arena, s->target, RL_ROW_BATCH);
    RL_TAKE(arena, s->reflector, (block + RL_ROW_BATCH) * block);
    RL_TAKE(arena, s->diagonal, block * block);
    RL_TAKE(arena, s->product, 2 * rows * block);
    RL_TAKE(arena, s->work, block * (block + RL_ROW_BATCH));
    list_group(arena, &s->g, &s->triangle, s->curve->placed.core.m.local_columns);
}

/* The first n_features rows. */
static void take_triangle(tall *s) {
    const rl_grid_curve *curve = s->curve;
    const rl_block_matrix *all = &curve->placed.core.m;
    for (int j = 0; j < s->m.local_columns; j++)
        memcpy(rl_at(&s->m, 0, j), rl_at(all, 0, j), (size_t)s->m.local_rows * sizeof(double));
    memcpy(s->c, curve->placed.target[RL_TARGET_Y], (size_t)curve->n_features * sizeof(double));
    for (int i = 0; i < s->n_in; i++) s->norm_sq += curve->norm_sq[i];
}

/* ---- appending rows ---------------------------------------------------------------------------------------------- */

/* Rows [first, first + count) of the repeat, by row: local row i of row j to to[i * row_stride + j * column_stride]. */
static rl_status fetch_rows(const tall *s, int first, int count, double *to, int column_stride, int row_stride) {
    const rl_block_matrix *all = &s->curve->placed.core.m;
    const int n = s->triangle.local_rows, end = rl_columns_before(all, first + count);
    const size_t length = (size_t)s->triangle.ld_rows * (size_t)count;
    memset(to, 0, length * sizeof(double));
    for (int lj = rl_columns_before(all, first); lj < end; lj++) {
        const double *from = rl_at(all, 0, lj);
        const size_t j = (size_t)(rl_block_matrix_global_column(all, lj) - first);
        for (int i = 0; i < n; i++) to[(size_t)i * (size_t)row_stride + j * (size_t)column_stride] = from[i];
    }
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, to, (int)length, MPI_DOUBLE, MPI_SUM, s->curve->triangle.row)); /* exact */
    return RL_OK;
}

static void exchange(double *a, double *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const double was = a[i];
        a[i] = b[i];
        b[i] = was;
    }
}

/* [R_jj batch] = [R'_jj 0] H^T, which LAPACK can do if both are transposed and the columns and rows of R_jj reversed:
 * H = I - [I; V] T [I; V]^T. T and V are handed out in the order of the matrix. */
static rl_status reflect_panel(const tall *s, const rl_step *p, int count) {
    const size_t n = (size_t)p->size, k = (size_t)count, ld = (size_t)s->m.ld;
    const int pentagon = 0;
    double *const r = rl_at(&s->m, p->row, p->column), *const t = s->reflector, *const v = t + n * n;
    double *const rows = s->batch + (size_t)p->row * k, *const own = s->diagonal;
    int info;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < n; i++) own[j * n + i] = r[(n - 1 - i) * ld + n - 1 - j];
    for (size_t j = 0; j < n; j++) memcpy(v + j * k, rows + (n - 1 - j) * k, k * sizeof(double));
    dtpqrt_(&count, &p->size, &pentagon, &p->size, own, &p->size, v, &count, t, &p->size, s->work, &info);
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i <= j; i++) r[j * ld + i] = own[(n - 1 - i) * n + n - 1 - j];
    for (size_t j = 0; j < n; j++)
        for (size_t i = j + 1; i < n; i++) t[j * n + i] = 0;
    for (size_t i = 0; i < n * n / 2; i++) exchange(&t[i], &t[n * n - 1 - i], 1);
    for (size_t j = 0; j < n / 2; j++) exchange(v + j * k, v + (n - 1 - j) * k, k);
    return info == 0 ? RL_OK : rl_fail(RL_ERR_LIBRARY, "LAPACK dtpqrt: argument %d is wrong", -info);
}

/* x := x H for rows x = [block batch] of the matrix, `rows` of them: block [rows, size], batch [count, rows]
 * transposed. */
static void apply_reflector(const tall *s, const rl_step *p, int count, int rows, double *block, int ld,
                            double *batch) {
    const int n = p->size;
    const double *t = s->reflector, *v = t + (size_t)n * (size_t)n;
    double *const product = s->product, *const transposed = product + (size_t)rows * (size_t)n;
    if (rows == 0) return;
    rl_gemm('T', 'N', rows, n, count, 1, batch, count, v, count, 0, product, rows);
    for (int j = 0; j < n; j++) rl_add(rows, 1, block + j * (size_t)ld, product + j * (size_t)rows);
    rl_gemm('N', 'N', rows, n, n, 1, product, rows, t, n, 0, transposed, rows);
    for (int j = 0; j < n; j++) rl_add(rows, -1, transposed + j * (size_t)rows, block + j * (size_t)ld);
    rl_gemm('N', 'T', count, rows, n, -1, v, count, transposed, rows, 1, batch, count);
}

static rl_status absorb_panel(tall *s, const rl_step *p, int count) {
    const rl_process_grid *grid = s->m.grid;
    const int length = p->size * (p->size + count), root = p->process_row * grid->n_columns + p->process_column;
    rl_status status = p->in_row && p->in_column ? reflect_panel(s, p, count) : RL_OK;
    RL_TRY(rl_process_grid_agree(grid, status));
    RL_MPI(MPI_Bcast(s->reflector, length, MPI_DOUBLE, root, grid->comm));
    if (p->in_column) apply_reflector(s, p, count, p->row, rl_at(&s->m, 0, p->column), s->m.ld, s->batch);
    RL_MPI(MPI_Bcast(s->batch, p->row * count, MPI_DOUBLE, p->process_column, s->curve->triangle.row));
    apply_reflector(s, p, count, 1, s->c + p->first, 1, s->target);
    return RL_OK;
}

static rl_status absorb_batch(tall *s, int count) {
    const int block = s->m.row_block, n = s->curve->n_features;
    const rl_lengths whole = rl_full_lengths(&s->triangle, 1);
    memcpy(s->target, s->curve->placed.target[RL_TARGET_Y] + s->n_in, (size_t)count * sizeof(double));
    RL_TRY(fetch_rows(s, s->n_in, count, s->batch, 1, count));
    for (int first = (n - 1) / block * block; first >= 0; first -= block) {
        const rl_step p = rl_step_at(&s->triangle, &whole, first);
        RL_TRY(absorb_panel(s, &p, count));
    }
    for (int i = 0; i < count; i++) {
        s->residual_sq += s->target[i] * s->target[i];
        s->norm_sq += s->curve->norm_sq[s->n_in + i];
    }
    s->n_in += count;
    return RL_OK;
}

/* ---- one group --------------------------------------------------------------------------------------------------- */

static int size_at(const tall *s, int i) {
    return s->curve->c->n_train[i];
}

/* True if the largest eigenvalue of the leading block of I + solved^T solved is small; it is no larger than a row sum.
 */
static bool is_accurate(const group *g, int k) {
    for (int i = 0; i < k; i++) {
        double sum = 0;
        for (int j = 0; j < k; j++) sum += fabs(g->small[j * RL_ROW_SPAN + i]);
        if (!(sum <= RL_MOST_LOST)) return false;
    }
    return true;
}

/* I + solved^T solved, on all ranks. */
static rl_status multiply_solved(const tall *s, group *g) {
    const rl_triangle *t = &s->triangle;
    memset(g->small, 0, sizeof g->small);
    if (s->m.grid->row == 0)
        rl_add_product('T', g->n_rows, g->n_rows, t->local_columns, 1, g->solved, t->ld_columns, g->solved,
                       t->ld_columns, g->small, RL_ROW_SPAN);
    RL_TRY(rl_sum_over_ranks(s->m.grid, g->small, (int64_t)RL_ROW_SPAN * g->n_rows));
    for (int i = 0; i < g->n_rows; i++) g->small[i * (RL_ROW_SPAN + 1)] += 1;
    return RL_OK;
}

/* Takes as many sizes as lie within the span and follow accurately from the triangle of the first one. */
static rl_status gather_group(const tall *s, group *g) {
    const rl_triangle *t = &s->triangle;
    const int n_sizes = s->curve->c->n_sizes, low = size_at(s, g->first);
    g->count = 1;
    while (g->first + g->count < n_sizes && size_at(s, g->first + g->count) - low <= RL_ROW_SPAN) g->count++;
    g->n_rows = size_at(s, g->first + g->count - 1) - low;
    if (g->n_rows == 0) return RL_OK;
    const rl_lengths lengths = rl_full_lengths(t, g->n_rows);
    RL_TRY(fetch_rows(s, low, g->n_rows, g->rows, t->ld_rows, 1));
    RL_TRY(rl_triangle_solve(t, &lengths, g->rows, g->solved));
    RL_TRY(multiply_solved(s, g));
    while (g->count > 1 && !is_accurate(g, g->n_rows)) g->n_rows = size_at(s, g->first + --g->count - 1) - low;
    return RL_OK;
}

/* R^T x = [c, solved, probes] at once, to g->solutions: the fit, what each row's correction adds to it, and what the
 * triangle's inverse is judged by. */
_Static_assert(1 + RL_ROW_SPAN + RL_PROBES <= RL_VECTORS, "a group's right sides are solved for at once");
static rl_status solve_right_sides(const tall *s, group *g) {
    const rl_triangle *t = &s->triangle;
    const size_t ld = (size_t)t->ld_columns;
    const rl_lengths lengths = rl_full_lengths(t, 1 + g->n_rows + RL_PROBES);
    for (int j = 0; j < t->local_columns; j++) g->right[j] = s->c[rl_block_matrix_global_column(t->m, j)];
    memcpy(g->right + ld, g->solved, ld * (size_t)g->n_rows * sizeof(double));
    for (int i = 0; i < RL_PROBES; i++) rl_probe(t, i, g->right + ld * (size_t)(1 + g->n_rows + i));
    return rl_triangle_solve_transposed(t, &lengths, g->right, g->solutions);
}

/* sigma_min at any size of the group is not below that of the first; sigma_max comes with the rows. */
static rl_status bound_group(const tall *s, const group *g) {
    const rl_triangle *t = &s->triangle;
    const double *probes = g->solutions + (size_t)t->ld_rows * (size_t)(1 + g->n_rows);
    double inverse = 0, norm_sq = s->norm_sq;
    if (t->m->grid->column == 0) inverse = rl_sum_of_squares(t->ld_rows * RL_PROBES, probes);
    RL_TRY(rl_sum_over_ranks(t->m->grid, &inverse, 1));
    for (int i = g->first, n = size_at(s, i); i < g->first + g->count; i++) {
        for (; n < size_at(s, i); n++) norm_sq += s->curve->norm_sq[n];
        s->curve->bounds[i] = (rl_bounds){rl_safe_sigma(inverse), sqrt(norm_sq)};
    }
    return RL_OK;
}

/* U^T U = I + solved^T solved; U^-T r of the residuals r of the rows at the first size; U_j^-1 of the first of those
 * for each size of j rows more. */
static rl_status weigh_rows(const tall *s, group *g) {
    const rl_triangle *t = &s->triangle;
    const int k = g->n_rows, ld = RL_ROW_SPAN, low = size_at(s, g->first), one = 1;
    const double *y = s->curve->placed.target[RL_TARGET_Y] + low, unit = 1;
    int info = 0;
    memset(g->innovations, 0, sizeof g->innovations);
    memset(g->weights, 0, sizeof g->weights);
    if (k == 0) return RL_OK;
    if (t->m->grid->column == 0)
        rl_add_product('T', k, 1, t->local_rows, -1, g->rows, t->ld_rows, g->solutions, t->ld_rows, g->innovations, ld);
    RL_TRY(rl_sum_over_ranks(t->m->grid, g->innovations, k));
    for (int i = 0; i < k; i++) g->innovations[i] += y[i];
    dpotrf_("U", &k, g->small, &ld, &info, 1);
    if (info != 0) return rl_fail(RL_ERR_LIBRARY, "LAPACK dpotrf: %d for an identity and squares", info);
    dtrsv_("U", "T", "N", &k, g->small, &ld, g->innovations, &one, 1, 1, 1);
    for (int i = 0; i < g->count; i++)
        memcpy(g->weights + i * ld, g->innovations, (size_t)(size_at(s, g->first + i) - low) * sizeof(double));
    dtrsm_("L", "U", "N", "N", &k, &g->count, &unit, g->small, &ld, g->weights, &ld, 1, 1, 1, 1);
    return RL_OK;
}

/* The fits: that of the first size and the rows' corrections. */
static void fit_group(const tall *s, group *g, double *fits) {
    const rl_triangle *t = &s->triangle;
    const size_t ld = (size_t)t->ld_rows;
    for (int i = 0; i < g->count; i++) memcpy(fits + (size_t)i * ld, g->solutions, ld * sizeof(double));
    rl_add_product('N', t->local_rows, g->count, g->n_rows, 1, g->solutions + ld, t->ld_rows, g->weights, RL_ROW_SPAN,
                   fits, t->ld_rows);
}

/* Predicts the targets of local columns [first, end) of the matrix. */
static rl_status predict_columns(const tall *s, group *g, const double *fits, int first, int end) {
    const rl_block_matrix *all = &s->curve->placed.core.m;
    const size_t length = (size_t)(end - first) * (size_t)g->count;
    if (length == 0) return RL_OK; /* on all of a process column */
    memset(g->predictions, 0, length * sizeof(double));
    rl_add_product('T', end - first, g->count, s->triangle.local_rows, 1, rl_at(all, 0, first), all->ld, fits,
                   s->triangle.ld_rows, g->predictions, end - first);
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, g->predictions, (int)length, MPI_DOUBLE, MPI_SUM, s->curve->triangle.column));
    return RL_OK;
}

static rl_status add_test_errors(const tall *s, group *g, const double *fits, double *squares) {
    const rl_grid_curve *curve = s->curve;
    const rl_block_matrix *all = &curve->placed.core.m;
    const int first = rl_columns_before(all, size_at(s, g->first)), end = rl_columns_before(all, curve->n_rows);
    const size_t ld = (size_t)(end - first);
    RL_TRY(predict_columns(s, g, fits, first, end));
    for (int i = 0; i < g->count && all->grid->row == 0; i++)
        for (int j = rl_columns_before(all, size_at(s, g->first + i)); j < end; j++) {
            const double y = curve->placed.target[RL_TARGET_Y][rl_block_matrix_global_column(all, j)];
            const double off = y - g->predictions[(size_t)i * ld + (size_t)(j - first)];
            squares[i] += off * off;
        }
    return RL_OK;
}

/* Turns the fits into their distances from w, and adds up the squares of what those predict for the population's rows,
 * or their own squares. */
static rl_status add_population_errors(const tall *s, group *g, double *fits, double *squares) {
    const rl_grid_curve *curve = s->curve;
    const rl_block_matrix *all = &curve->placed.core.m;
    const rl_triangle *t = &s->triangle;
    const int first = rl_columns_before(all, curve->n_rows), end = rl_columns_before(all, all->columns - 1);
    size_t ld = (size_t)t->ld_rows, n = (size_t)t->local_rows;
    const double *off = fits;
    bool counts = all->grid->column == 0;
    for (size_t i = 0; i < (size_t)g->count; i++)
        for (int j = 0; j < t->local_rows; j++) {
            double *beta = &fits[i * ld + (size_t)j];
            *beta = *beta / curve->placed.scale - curve->w[rl_block_matrix_global_row(t->m, j)];
        }
    if (curve->c->rows.scale != NULL) {
        RL_TRY(predict_columns(s, g, fits, first, end));
        off = g->predictions;
        ld = n = (size_t)(end - first);
        counts = all->grid->row == 0;
    }
    for (size_t i = 0; i < (size_t)g->count && counts; i++) squares[i] = rl_sum_of_squares((int)n, off + i * ld);
    return RL_OK;
}

static rl_status find_errors(const tall *s, group *g, rl_point *points) {
    double squares[2 * RL_VECTORS] = {0}, *const fits = g->right;
    fit_group(s, g, fits);
    RL_TRY(add_test_errors(s, g, fits, squares));
    RL_TRY(add_population_errors(s, g, fits, squares + g->count));
    RL_TRY(rl_sum_over_ranks(s->m.grid, squares, 2 * g->count));
    double residual_sq = s->residual_sq;
    for (int i = 0, row = 0; i < g->count; i++) {
        rl_point *point = &points[g->first + i];
        const int n = size_at(s, g->first + i);
        for (; row < n - size_at(s, g->first); row++) residual_sq += g->innovations[row] * g->innovations[row];
        point->test_mse[RL_TARGET_Y] = squares[i] / (s->curve->n_rows - n);
        point->population_sq[RL_TARGET_Y] = squares[g->count + i];
        point->train_mse[RL_TARGET_Y] = residual_sq / n;
    }
    return RL_OK;
}

/* ---- singular values --------------------------------------------------------------------------------------------- */

static rl_status find_sigma(const tall *s, const group *g, const bool *wanted, rl_tick tick, rl_point *points) {
    rl_grid_family family = {
        .triangle = &s->triangle, .n_rows = g->n_rows, .rows = g->rows, .solved = g->solved, .small = g->small};
    int index[RL_VECTORS], n = 0;
    for (int i = g->first; wanted != NULL && i < g->first + g->count; i++) {
        if (!wanted[i]) continue;
        family.appended[n] = size_at(s, i) - size_at(s, g->first);
        index[n++] = i;
    }
    if (n == 0) return RL_OK;
    family.lengths = rl_full_lengths(&s->triangle, n);
    return rl_curve_sigma(s->curve, &family, index, tick, points);
}

static rl_status do_group(tall *s, const bool *sigma_wanted, rl_tick tick, rl_point *points) {
    group *g = &s->g;
    RL_TRY(gather_group(s, g));
    RL_TRY(solve_right_sides(s, g));
    RL_TRY(bound_group(s, g));
    RL_TRY(rl_process_grid_agree(s->m.grid, weigh_rows(s, g)));
    RL_TRY(find_errors(s, g, points));
    return find_sigma(s, g, sigma_wanted, tick, points);
}

static rl_status go_through_groups(tall *s, const bool *sigma_wanted, rl_tick tick, rl_point *points) {
    const rl_grid_curve *curve = s->curve;
    take_triangle(s);
    for (s->g.first = curve->n_wide; s->g.first < curve->c->n_sizes; s->g.first += s->g.count) {
        while (s->n_in < size_at(s, s->g.first)) {
            RL_TRY(rl_curve_ask(curve, tick));
            RL_TRY(absorb_batch(s, rl_smaller(RL_ROW_BATCH, size_at(s, s->g.first) - s->n_in)));
        }
        RL_TRY(rl_curve_ask(curve, tick));
        RL_TRY(do_group(s, sigma_wanted, tick, points));
    }
    return RL_OK;
}

rl_status rl_curve_tall(const rl_grid_curve *curve, const bool *sigma_wanted, rl_tick tick, rl_point *points) {
    if (curve->n_wide == curve->c->n_sizes) return RL_OK;
    tall plan = lay_out_tall(curve), *s = NULL;
    rl_status status = RL_OBJECT_CREATE(&s, &plan, list_tall);
    if (status == RL_OK) status = rl_block_matrix_allocate(&s->m);
    status = rl_process_grid_agree(curve->placed.core.grid, status);
    if (status == RL_OK) status = go_through_groups(s, sigma_wanted, tick, points);
    if (s != NULL) rl_block_matrix_destroy(&s->m);
    rl_free(s);
    return status;
}

void rl_curve_tall_needs(const rl_grid_curve *curve, rl_needs *needs) {
    tall plan = lay_out_tall(curve);
    rl_needs_matrix(needs, &plan.m);
    rl_needs_briefly(needs, RL_OBJECT_BYTES(&plan, list_tall));
    rl_needs_no_matrix(needs, &plan.m);
}
