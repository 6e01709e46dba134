/* Householder panels of a core with their updates: QR, and the band; QR first, so that what is far from square becomes
 * a square core. The borders are part of the core's matrix, so a panel's block reflector reaches them in the same
 * multiplication that updates A, and no reflector has to be kept for later.
 *
 * A panel is dealt out to all ranks, whichever of them it lies on, so none waits while others factor it. Updates are
 * three steps: each rank multiplies all it has of the matrix by all it needs of V, the products are summed along a line
 * of the grid, and each rank multiplies again. PBLAS would do the same in many small pieces.
 *
 * For a band the matrix is read twice and written once per pair of panels: what a panel of rows subtracts waits for the
 * next panel of columns, whose products are corrected for it, and both are subtracted together on the way to the
 * products of the next panel of rows (as LAPACK's dlabrd does column by column). */
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../../vectors.h"
#include "../matrix/scalapack.h"
#include "narrow.h"
#include "producer.h"
#include "tall_qr.h"

/* A process row or column of the grid, and what its ranks have of some things: the rank at place 0 the first `chunk` of
 * them, and so on. */
typedef struct line {
    MPI_Comm comm;
    int size, rank; /* in comm */
    int first;      /* the rank at place 0 */
    int count, chunk;
} line;

/* What a panel has subtracted from the matrix: left^T right. */
typedef struct update {
    int k;           /* 0: nothing */
    int row, column; /* the first local ones of left and right */
    double *left;    /* [k, local rows] */
    double *right;   /* [k, local columns] */
} update;

/* Panels up to as wide as the core's blocks. */
typedef struct panels {
    rl_core *core;
    int width;           /* of the widest */
    rl_tall_qr qr;       /* of the panel under way */
    update by_columns;   /* of a panel of columns: left is its V^T */
    update by_rows;      /* of a panel of rows: right is its V^T */
    double *reflectors;  /* [width, local columns]: V^T of the next panel of rows */
    double *inner;       /* [width, width]: products of the two updates; T^T */
    double *sums, *sent; /* products on their way to be summed; the panel on its way to be dealt out */
    double *packed;      /* rl_narrow's */
    int *counts[2], *starts[2];
} panels;

/* Ranks of a line; at least as many as those of thousands of ranks have, so that memory does not grow with ranks. */
static int most_in_line(const panels *p) {
    enum { USUAL = 64 };
    return rl_larger(rl_larger(p->core->grid->n_rows, p->core->grid->n_columns), (int)USUAL);
}

/* Chunks of a panel are at least as long as it is wide: one rank has all of its triangle. */
static int panel_chunk(int width, int count, int size) {
    return rl_larger(width, (count - 1) / size + 1);
}

static int most_of_panel(const panels *p) {
    const rl_block_matrix *m = &p->core->m;
    const rl_process_grid *grid = p->core->grid;
    return rl_larger(rl_smaller(m->local_rows, panel_chunk(p->width, m->local_rows, grid->n_columns)),
                     rl_smaller(m->local_columns, panel_chunk(p->width, m->local_columns, grid->n_rows)));
}

/* Of products that are not transposed: an odd number of cache lines, so that a row's elements spread over all sets of
 * the cache. */
static int products_ld(int rows) {
    return rl_whole_lanes(rl_larger(rows, 1)) + RL_LANES / 2;
}

static void list_panels(rl_arena *arena, void *object) {
    panels *p = object;
    const rl_block_matrix *m = &p->core->m;
    const int in_line = most_in_line(p);
    const size_t width = (size_t)p->width;
    const size_t longer =
        (size_t)rl_larger(products_ld(m->local_rows), rl_larger(m->local_rows, m->local_columns) + in_line);
    rl_tall_qr_list(&p->qr, arena);
    RL_TAKE_REALS(arena, width * (size_t)m->local_rows, &p->by_columns.left, &p->by_rows.left);
    RL_TAKE_REALS(arena, width * (size_t)m->local_columns, &p->by_columns.right, &p->by_rows.right, &p->reflectors);
    RL_TAKE(arena, p->inner, width * width);
    RL_TAKE_REALS(arena, width * longer, &p->sums, &p->sent);
    RL_TAKE(arena, p->packed, RL_NARROW_TERMS * width * RL_NARROW_ROWS);
    for (int i = 0; i < 2; i++) {
        RL_TAKE(arena, p->counts[i], in_line);
        RL_TAKE(arena, p->starts[i], in_line);
    }
}

static panels lay_out_panels(rl_core *core) {
    panels p = {.core = core, .width = rl_smaller(core->m.row_block, core->columns)};
    p.qr = (rl_tall_qr){.grid = core->grid, .most_rows = most_of_panel(&p), .most_columns = p.width};
    return p;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static line row_of(const rl_process_grid *grid, int first) {
    return (line){.comm = grid->in_row, .size = grid->n_columns, .rank = grid->column, .first = first};
}

static line column_of(const rl_process_grid *grid, int first) {
    return (line){.comm = grid->in_column, .size = grid->n_rows, .rank = grid->row, .first = first};
}

static int start_of(const line *l, int rank) {
    const int64_t place = (rank - l->first + l->size) % l->size;
    return (int)rl_smaller(place * l->chunk, (int64_t)l->count);
}

static int length_of(const line *l, int rank) {
    return rl_smaller(l->chunk, l->count - start_of(l, rank));
}

/* In numbers, `each` for one of the things. */
static void count_all(const line *l, int each, int *counts, int *starts) {
    for (int rank = 0; rank < l->size; rank++) {
        counts[rank] = length_of(l, rank) * each;
        starts[rank] = start_of(l, rank) * each;
    }
}

/* values [each, count]: each rank has its own part, and gets the others'. */
static void spread(const panels *p, const line *l, int each, double *values) {
    if (l->size == 1) return;
    count_all(l, each, p->counts[0], p->starts[0]);
    RL_MPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, p->counts[0], p->starts[0], MPI_DOUBLE, l->comm));
}

/* out [length, width], ld = length, from a panel whose rows and columns are so many elements apart. Some rows at a
 * time: of rows that are not neighbours the columns are, and stay in the cache meanwhile. */
static void copy_rows(int length, int width, const double *from, size_t row_step, size_t column_step, double *out) {
    enum { TOGETHER = 8 };
    for (int first = 0; first < length; first += TOGETHER) {
        const size_t end = (size_t)rl_smaller(first + TOGETHER, length);
        for (size_t j = 0; j < (size_t)width; j++)
            for (size_t i = (size_t)first; i < end; i++)
                out[i + j * (size_t)length] = from[i * row_step + j * column_step];
    }
}

/* Deals out a panel, count rows of it on this line; the rank at place 0 has it all. This rank's rows go to qr.a. */
static void deal_panel(panels *p, line *l, const double *from, size_t row_step, size_t column_step) {
    rl_tall_qr *q = &p->qr;
    l->chunk = panel_chunk(p->width, l->count, l->size);
    q->rows = length_of(l, l->rank);
    if (l->size == 1) {
        copy_rows(l->count, q->width, from, row_step, column_step, q->a);
        return;
    }
    count_all(l, q->width, p->counts[0], p->starts[0]);
    if (l->rank == l->first)
        for (int rank = 0; rank < l->size; rank++)
            copy_rows(length_of(l, rank), q->width, from + (size_t)start_of(l, rank) * row_step, row_step, column_step,
                      p->sent + p->starts[0][rank]);
    RL_MPI(MPI_Scatterv(p->sent, p->counts[0], p->starts[0], MPI_DOUBLE, q->a, q->rows * q->width, MPI_DOUBLE, l->first,
                        l->comm));
}

/* p->sums hold products, transposed [reflectors, count] or not, with ld = products_ld(count). This rank's part of them,
 * summed over the line in the order of ranks (the same bits whatever MPI does) and transposed, at what is returned. */
static double *sum_over_line(const panels *p, const line *l, bool transposed) {
    const int k = p->qr.reflectors, mine = length_of(l, l->rank);
    const size_t n = (size_t)mine * (size_t)k, product_step = transposed ? (size_t)k : 1;
    const size_t reflector_step = transposed ? 1 : (size_t)products_ld(l->count);
    if (l->size == 1 && transposed) return p->sums;
    count_all(l, k, p->counts[0], p->starts[0]);
    for (int rank = 0; rank < l->size; rank++) {
        copy_rows(k, length_of(l, rank), p->sums + (size_t)start_of(l, rank) * product_step, reflector_step,
                  product_step, p->sent + p->starts[0][rank]);
        p->counts[1][rank] = (int)n;
        p->starts[1][rank] = rank * (int)n;
    }
    if (l->size == 1) return p->sent;
    RL_MPI(MPI_Alltoallv(p->sent, p->counts[0], p->starts[0], MPI_DOUBLE, p->sums, p->counts[1], p->starts[1],
                         MPI_DOUBLE, l->comm));
    for (int rank = 1; rank < l->size; rank++)
        for (size_t i = 0; i < n; i++) p->sums[i] += p->sums[(size_t)rank * n + i];
    return p->sums;
}

/* p->sums, summed over the line, times T: transposed to out [reflectors, count], on all of it. */
static void finish_products(const panels *p, line *l, bool transposed, double *out) {
    const int k = p->qr.reflectors;
    const size_t each = (size_t)k;
    l->chunk = l->count == 0 ? 0 : (l->count - 1) / l->size + 1;
    const double *sums = sum_over_line(p, l, transposed);
    copy_rows(k, k, p->qr.t, each, 1, p->inner);
    rl_narrow_left(k, length_of(l, l->rank), k, p->inner, sums, k, out + (size_t)start_of(l, l->rank) * each, 0);
    spread(p, l, k, out);
}

/* ---- panels ------------------------------------------------------------------------------------------------------ */

/* Makes a panel ready whose first rows are in the block at (row, column): its process row and column, and the root. */
typedef struct corner {
    int process_row, process_column;
} corner;

static corner corner_of(panels *p, int row, int column) {
    const rl_process_grid *grid = p->core->grid;
    const int block = p->core->m.row_block;
    const corner at = {row / block % grid->n_rows, column / block % grid->n_columns};
    p->qr.root = at.process_row * grid->n_columns + at.process_column;
    return at;
}

static rl_narrow_term term_of(const update *u, rl_share c) {
    const size_t row = (size_t)(c.row - u->row), column = (size_t)(c.column - u->column), k = (size_t)u->k;
    return (rl_narrow_term){u->k, u->left + row * k, u->right + column * k};
}

/* C, what this rank has of some rows and columns, less one update or two; NULL: less nothing. */
static rl_narrow pass_of(const panels *p, rl_share c, const update *one, const update *two) {
    rl_narrow pass = {.m = c.row_end - c.row,
                      .n = c.column_end - c.column,
                      .c = rl_at(&p->core->m, c.row, c.column),
                      .ld = p->core->m.ld,
                      .packed = p->packed};
    if (one != NULL) pass.terms[0] = term_of(one, c);
    if (two != NULL) pass.terms[1] = term_of(two, c);
    return pass;
}

static void subtract_updates(const panels *p, rl_share c, const update *one, const update *two) {
    const rl_narrow pass = pass_of(p, c, one, two);
    rl_narrow_pass(&pass, 0);
}

/* The same, and p->sums [., factors] from `row` on become products of what is there then with p->reflectors. */
static void subtract_and_multiply(const panels *p, rl_share c, const update *one, const update *two, int row, int ld) {
    rl_narrow pass = pass_of(p, c, one, two);
    pass.factors = p->qr.reflectors;
    pass.factor = p->reflectors;
    pass.product = p->sums + row;
    pass.ld_product = ld;
    rl_narrow_pass(&pass, 0);
}

/* p->sums are V^T C for V of a panel of columns, and were to be V^T (C - left^T right): less (V^T left^T) right. */
static void correct_products(const panels *p, int rows, int columns, int column) {
    const update *u = &p->by_rows;
    const int k = p->qr.reflectors;
    const rl_narrow inner = {.m = u->k,
                             .n = rows,
                             .ld = u->k,
                             .c = u->left,
                             .packed = p->packed,
                             .factors = k,
                             .factor = p->by_columns.left,
                             .product = p->inner,
                             .ld_product = u->k};
    const rl_narrow outer = {.m = k,
                             .n = columns,
                             .ld = k,
                             .c = p->sums,
                             .terms = {{u->k, p->inner, u->right + (size_t)(column - u->column) * (size_t)u->k}},
                             .packed = p->packed};
    if (u->k == 0) return;
    rl_narrow_pass(&inner, 0);
    rl_narrow_pass(&outer, 0);
}

/* QR of rows [first, rows) x columns [first, first + width): the panel's triangle is left in its place (what is below
 * it means nothing from then on), and Q^T is to be applied to the same rows of all columns after it, the left border's
 * among them: C -= V (T^T V^T C). */
static void make_column_update(panels *p, int first, int width) {
    const rl_core *core = p->core;
    const rl_block_matrix *m = &core->m;
    const int next = first + width;
    const rl_share panel = rl_share_of(m, first, first, core->rows - first, width);
    const rl_share after = rl_share_of(m, first, next, core->rows - first, core->columns - next);
    const rl_share all = rl_share_of(m, first, next, core->rows - first, core->columns + core->n_left - next);
    const corner at = corner_of(p, first, first);
    line row = row_of(core->grid, at.process_column), column = column_of(core->grid, 0);
    update *u = &p->by_columns;
    u->k = p->qr.width = p->qr.reflectors = width;
    u->row = all.row;
    u->column = all.column;
    row.count = panel.row_end - panel.row;
    column.count = all.column_end - all.column;
    deal_panel(p, &row, rl_at(m, panel.row, panel.column), 1, (size_t)m->ld);
    rl_tall_qr_factor(&p->qr, u->left + (size_t)start_of(&row, row.rank) * (size_t)width);
    if (core->grid->rank == p->qr.root)
        for (int j = 0; j < width; j++)
            memcpy(rl_at(m, panel.row, panel.column + j), p->qr.r + j * width, (size_t)(j + 1) * sizeof(double));
    if (next == core->columns + core->n_left) return;
    spread(p, &row, width, u->left);
    rl_narrow_left(row.count, column.count, width, u->left, rl_at(m, all.row, all.column), m->ld, p->sums, 0);
    correct_products(p, row.count, after.column_end - after.column, after.column);
    finish_products(p, &column, true, u->right);
}

/* A panel of columns of a band. What the panel of rows before has left to be subtracted is subtracted from the panel
 * and from the right border's rows below it, the left border gets its own, and the rest waits for the panel of rows. */
static void factor_columns(panels *p, int first, int width) {
    const rl_core *core = p->core;
    const rl_block_matrix *m = &core->m;
    const int below = core->rows - first;
    subtract_updates(p, rl_share_of(m, first, first, below + core->n_right, width), &p->by_rows, NULL);
    make_column_update(p, first, width);
    subtract_updates(p, rl_share_of(m, first, core->columns, below, core->n_left), &p->by_columns, NULL);
}

/* LQ of rows [first, first + width) x columns [first + width, columns), if there are any: Q^T is to be applied from the
 * right to the same columns of all rows below, the right border's among them: C -= (C V T) V^T. For that product both
 * updates that wait are subtracted on the way; this one waits for the next panel of columns, so that C is read and
 * written once for both. */
static void factor_rows(panels *p, int first, int width) {
    const rl_core *core = p->core;
    const rl_block_matrix *m = &core->m;
    const int next = first + width, after = core->columns - next, below = core->rows + core->n_right - next;
    if (after <= 0) return;
    const rl_share panel = rl_share_of(m, first, next, width, after);
    const rl_share all = rl_share_of(m, next, next, below, after);
    const rl_share square = rl_share_of(m, next, next, core->rows - next, after);
    const rl_share border = rl_share_of(m, core->rows, next, core->n_right, after);
    const corner at = corner_of(p, first, next);
    line row = row_of(core->grid, 0), column = column_of(core->grid, at.process_row);
    subtract_updates(p, panel, &p->by_rows, &p->by_columns);
    row.count = all.row_end - all.row;
    column.count = all.column_end - all.column;
    const int reflectors = p->qr.reflectors = rl_smaller(width, after), ld = products_ld(row.count);
    p->qr.width = width;
    deal_panel(p, &column, rl_at(m, panel.row, panel.column), (size_t)m->ld, 1);
    rl_tall_qr_factor(&p->qr, p->reflectors + (size_t)start_of(&column, column.rank) * (size_t)reflectors);
    if (core->grid->rank == p->qr.root)
        for (int i = 0; i < reflectors; i++)
            for (int j = i; j < width; j++) *rl_at(m, panel.row + j, panel.column + i) = p->qr.r[i + j * reflectors];
    spread(p, &column, reflectors, p->reflectors);
    subtract_and_multiply(p, square, &p->by_rows, &p->by_columns, 0, ld);
    subtract_and_multiply(p, border, &p->by_rows, NULL, square.row_end - square.row, ld);
    finish_products(p, &row, false, p->by_columns.left);
    const update made = {reflectors, all.row, all.column, p->by_columns.left, p->reflectors};
    p->by_columns.left = p->by_rows.left;
    p->reflectors = p->by_rows.right;
    p->by_rows = made;
}

/* A panel of columns with no panel of rows after it. */
static void factor_columns_alone(panels *p, int first, int width) {
    const rl_core *core = p->core;
    const int next = first + width;
    make_column_update(p, first, width);
    subtract_updates(p, rl_share_of(&core->m, first, next, core->rows - first, core->columns + core->n_left - next),
                     &p->by_columns, NULL);
}

/* Panels of columns, and of rows in turn with them if a band is wanted. */
static rl_status factor_panels(rl_core *core, bool band) {
    const int block = core->m.row_block;
    panels p = lay_out_panels(core);
    RL_TRY(rl_process_grid_agree(core->grid, rl_arrays_create(&p, list_panels)));
    for (int first = 0; first < core->columns; first += block) {
        const int width = rl_smaller(block, core->columns - first);
        if (!band) {
            factor_columns_alone(&p, first, width);
            continue;
        }
        factor_columns(&p, first, width);
        factor_rows(&p, first, width);
    }
    rl_free(p.qr.a);
    return rl_agree_info(core->grid, "LAPACK dgeqrt", &p.qr.info);
}

rl_status rl_core_reduce_to_band(rl_core *core) {
    return factor_panels(core, true);
}

/* What means nothing is where R has zeros. */
rl_status rl_core_factor(rl_core *core) {
    const rl_block_matrix *m = &core->m;
    RL_TRY(factor_panels(core, false));
    const int row_end = rl_rows_before(m, core->rows);
    for (int lj = rl_columns_before(m, core->columns) - 1; lj >= 0; lj--) {
        const int begin = rl_rows_before(m, rl_block_matrix_global_column(m, lj) + 1);
        if (begin < row_end) memset(rl_at(m, begin, lj), 0, (size_t)(row_end - begin) * sizeof(double));
    }
    return RL_OK;
}

/* Some rows of the right border on their way up. */
static rl_block_matrix lay_out_some(const rl_core *core) {
    const int64_t height = (int64_t)core->m.row_block * core->grid->n_rows;
    return rl_core_matrix(core, (int)rl_smaller(height, (int64_t)core->n_right), core->columns);
}

/* The right border from row `rows` up to row `columns`, some rows at a time: the two places overlap. */
static rl_status move_right_border(rl_core *core) {
    rl_block_matrix *m = &core->m, some = lay_out_some(core);
    const int one = 1, height = some.rows;
    RL_TRY(rl_process_grid_agree(core->grid, rl_block_matrix_allocate(&some)));
    for (int done = 0; done < core->n_right; done += height) {
        const int count = rl_smaller(height, core->n_right - done);
        const int from = core->rows + done + 1, to = core->columns + done + 1;
        pdgemr2d_(&count, &core->columns, m->a, &from, &one, m->descriptor, some.a, &one, &one, some.descriptor,
                  &core->grid->context);
        pdgemr2d_(&count, &core->columns, some.a, &one, &one, some.descriptor, m->a, &to, &one, m->descriptor,
                  &core->grid->context);
    }
    rl_block_matrix_destroy(&some);
    return RL_OK;
}

rl_status rl_reduce_shape(rl_core *core) {
    RL_TRY(rl_core_factor(core));
    RL_TRY(move_right_border(core));
    core->rows = core->columns;
    return RL_OK;
}

/* ---- needs ------------------------------------------------------------------------------------------------------- */

/* Bytes that PBLAS keeps: what pdormbr and others like it ask for as work, twice. */
double rl_needs_libraries(const rl_core *core) {
    enum { MESSAGES = 1 << 17 };
    const double block = core->m.row_block;
    const double work = block * ((double)core->m.local_rows + core->m.local_columns + 4 * block) + RL_WORK_SLACK;
    return sizeof(double) * (2 * work + MESSAGES);
}

static void tell_memory(rl_core core, rl_needs *needs) {
    panels p = lay_out_panels(&core);
    rl_needs_briefly(needs, rl_arrays_bytes(&p, list_panels));
}

/* Panels for all of A's columns, or rows: `length` long on average, dealt out along lines of `dealt` ranks; what they
 * are multiplied with, `width` wide, is summed along lines of `summed` ranks. Half of a panel's flops make its triangle
 * and half make V again; both are recursions on what is narrow, at a third of the speed of products. Whatever moves
 * does so twice: to be dealt out or summed, and to be spread. Triangles go up the tree, and two squares come down; to
 * be summed, parts go from each rank of a line to each. */
static void tell_panels(const rl_core *core, double length, double dealt, double width, double summed,
                        rl_needs *needs) {
    enum { SLOWNESS = 3, HOPS = 3, SQUARES = 3, PER_LEVEL = 10 };
    const double n = core->columns, block = fmin(core->m.row_block, n), number = ceil(n / block);
    const double moved = (dealt > 1 ? length / summed : 0) + (summed > 1 ? width / dealt : 0), hops = rl_hops(needs);
    const double own = 4 * length * block / needs->ranks + PER_LEVEL * block * block * hops;
    const double word = sizeof(double);
    rl_needs_work(needs, RL_PART_REDUCE, RL_WORK_PRODUCTS, SLOWNESS * n * own);
    if (needs->ranks == 1) return;
    rl_needs_work(needs, RL_PART_REDUCE, RL_WORK_MESSAGES, number * (HOPS * hops + summed));
    rl_needs_work(needs, RL_PART_REDUCE, RL_WORK_MESSAGE_BYTES, 2 * word * n * moved);
    rl_needs_work(needs, RL_PART_REDUCE, RL_WORK_MESSAGE_BYTES, SQUARES * word * n * block * hops);
}

static void tell_columns(const rl_core *core, rl_needs *needs) {
    const double r = core->rows, n = core->columns;
    tell_panels(core, r - n / 2, core->grid->n_columns, n / 2 + core->n_left, core->grid->n_rows, needs);
}

/* QR of A, carried on to the left border. */
void rl_core_factor_needs(const rl_core *core, rl_needs *needs) {
    const double r = core->rows, n = core->columns, left = core->n_left;
    tell_memory(*core, needs);
    rl_needs_panels(needs, RL_PART_REDUCE, 2 * r * n * n - 2.0 / 3 * n * n * n + 4 * r * n * left - 2 * n * n * left,
                    1);
    tell_columns(core, needs);
}

/* A QR and an LQ panel for each block of columns, with the borders. */
void rl_core_reduce_to_band_needs(const rl_core *core, rl_needs *needs) {
    const double r = core->rows, n = core->columns;
    tell_memory(*core, needs);
    rl_needs_panels(needs, RL_PART_REDUCE, 4 * r * n * n - 4.0 / 3 * n * n * n + rl_border_flops(core), 2);
    tell_columns(core, needs);
    tell_panels(core, n / 2, core->grid->n_rows, r - n / 2 + core->n_right, core->grid->n_columns, needs);
}

void rl_reduce_shape_needs(rl_core *core, rl_needs *needs) {
    const rl_block_matrix some = lay_out_some(core);
    rl_core_factor_needs(core, needs);
    rl_needs_matrix(needs, &some);
    rl_needs_lend(needs, 2 * rl_elements(&some)); /* pdgemr2d packs what goes and what comes */
    rl_needs_no_matrix(needs, &some);
    core->rows = core->columns;
}
