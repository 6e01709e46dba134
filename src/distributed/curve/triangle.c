/* Solves with a triangle on a grid and products by it, block by block. */
#include "triangle.h"

#include <string.h>

#include "../../numbers.h"
#include "../../vectors.h"

static const int one = 1;
static const double unit = 1;

rl_triangle rl_triangle_of(const rl_block_matrix *m, int order, MPI_Comm row, MPI_Comm column) {
    rl_triangle t = {.m = m, .order = order, .row = row, .column = column};
    t.local_rows = rl_rows_before(m, order);
    t.local_columns = rl_columns_before(m, order);
    t.ld_rows = rl_larger(t.local_rows, 1);
    t.ld_columns = rl_larger(t.local_columns, 1);
    return t;
}

void rl_triangle_list(rl_triangle *t, rl_arena *arena) {
    RL_TAKE(arena, t->block, (size_t)t->m->row_block * RL_VECTORS);
}

size_t rl_triangle_vectors(const rl_triangle *t, int n) {
    return (size_t)rl_larger(t->ld_rows, t->ld_columns) * (size_t)n;
}

rl_lengths rl_full_lengths(const rl_triangle *t, int n) {
    rl_lengths lengths = {.n = n};
    for (int j = 0; j < n; j++) lengths.order[j] = t->order;
    return lengths;
}

void rl_add_product(char op, int m, int n, int k, double factor, const double *a, int lda, const double *b, int ldb,
                    double *c, int ldc) {
    const bool plain = op == 'N';
    if (m == 0 || n == 0 || k == 0) return;
    if (n > 1)
        rl_gemm(op, 'N', m, n, k, factor, a, lda, b, ldb, 1, c, ldc);
    else
        rl_gemv(op, plain ? m : k, plain ? k : m, factor, a, lda, b, 1, c);
}

/* ---- one block --------------------------------------------------------------------------------------------------- */

/* Vectors longer than `order`. */
static int count_beyond(const rl_lengths *lengths, int order) {
    int n = lengths->n;
    while (n > 0 && lengths->order[n - 1] <= order) n--;
    return n;
}

rl_step rl_step_at(const rl_triangle *t, const rl_lengths *lengths, int first) {
    const rl_block_matrix *m = t->m;
    const rl_process_grid *grid = m->grid;
    const int longest = lengths->order[0], index = first / m->row_block;
    rl_step s = {.first = first, .size = rl_smaller(m->row_block, longest - first)};
    s.process_row = index % grid->n_rows;
    s.process_column = index % grid->n_columns;
    s.in_row = s.process_row == grid->row;
    s.in_column = s.process_column == grid->column;
    s.row = rl_rows_before(m, first);
    s.column = rl_columns_before(m, first);
    s.next_column = rl_columns_before(m, first + s.size);
    s.reach = rl_columns_before(m, longest);
    s.n = count_beyond(lengths, first);
    s.n_next = count_beyond(lengths, first + s.size);
    return s;
}

/* The step's rows of the vectors that reach it, to the block, where ld is their number, or back. */
static void copy_block(const rl_step *s, const double *from, int ld_from, double *to, int ld_to) {
    for (size_t j = 0; j < (size_t)s->n; j++)
        memcpy(to + j * (size_t)ld_to, from + j * (size_t)ld_from, (size_t)s->size * sizeof(double));
}

/* With the diagonal block, or, where a vector ends inside it, with its leading part: nothing beyond a vector's length
 * counts, not even a zero on the diagonal. */
static void solve_diagonal(const rl_triangle *t, const rl_lengths *lengths, const rl_step *s, const char *trans) {
    const double *r = rl_at(t->m, s->row, s->column);
    const int whole = count_beyond(lengths, s->first + s->size - 1);
    dtrsm_("L", "U", trans, "N", &s->size, &whole, &unit, r, &t->m->ld, t->block, &s->size, 1, 1, 1, 1);
    for (int j = whole; j < s->n; j++) {
        double *x = t->block + (size_t)j * (size_t)s->size;
        const int part = lengths->order[j] - s->first;
        dtrsv_("U", trans, "N", &part, r, &t->m->ld, x, &one, 1, 1, 1);
        memset(x + part, 0, (size_t)(s->size - part) * sizeof(double));
    }
}

/* ---- solves ------------------------------------------------------------------------------------------------------ */

/* R^T x = columns, from the first block on. What a process row has found so far is taken off the columns after it at
 * once, by each of its processes from its own; the process rows' shares are added up when a block's turn comes. */
rl_status rl_triangle_solve_transposed(const rl_triangle *t, const rl_lengths *lengths, double *columns, double *rows) {
    const rl_process_grid *grid = t->m->grid;
    memset(rows, 0, (size_t)t->ld_rows * (size_t)lengths->n * sizeof(double));
    if (grid->row != 0) memset(columns, 0, (size_t)t->ld_columns * (size_t)lengths->n * sizeof(double));
    for (int first = 0; first < lengths->order[0]; first += t->m->row_block) {
        const rl_step s = rl_step_at(t, lengths, first);
        if (s.in_column) {
            copy_block(&s, columns + s.column, t->ld_columns, t->block, s.size);
            RL_TRY(rl_context_sum_at(t->column, s.process_row, t->block, (int64_t)s.size * s.n));
        }
        if (s.in_row && s.in_column) solve_diagonal(t, lengths, &s, "T");
        if (!s.in_row) continue;
        RL_MPI(MPI_Bcast(t->block, s.size * s.n, MPI_DOUBLE, s.process_column, t->row));
        copy_block(&s, t->block, s.size, rows + s.row, t->ld_rows);
        rl_add_product('T', s.reach - s.next_column, s.n_next, s.size, -1, rl_at(t->m, s.row, s.next_column), t->m->ld,
                       t->block, s.size, columns + s.next_column, t->ld_columns);
    }
    return RL_OK;
}

/* R x = rows, from the last block on. What is known of x is taken off a block's row by each process from its own
 * columns, and the shares are added up. */
rl_status rl_triangle_solve(const rl_triangle *t, const rl_lengths *lengths, const double *rows, double *columns) {
    const int block = t->m->row_block, last = (lengths->order[0] - 1) / block * block;
    memset(columns, 0, (size_t)t->ld_columns * (size_t)lengths->n * sizeof(double));
    for (int first = last; first >= 0; first -= block) {
        const rl_step s = rl_step_at(t, lengths, first);
        if (s.in_row) {
            if (s.in_column)
                copy_block(&s, rows + s.row, t->ld_rows, t->block, s.size);
            else
                memset(t->block, 0, (size_t)s.size * (size_t)s.n * sizeof(double));
            rl_add_product('N', s.size, s.n_next, s.reach - s.next_column, -1, rl_at(t->m, s.row, s.next_column),
                           t->m->ld, columns + s.next_column, t->ld_columns, t->block, s.size);
            RL_TRY(rl_context_sum_at(t->row, s.process_column, t->block, (int64_t)s.size * s.n));
        }
        if (s.in_row && s.in_column) solve_diagonal(t, lengths, &s, "N");
        if (!s.in_column) continue;
        RL_MPI(MPI_Bcast(t->block, s.size * s.n, MPI_DOUBLE, s.process_row, t->column));
        copy_block(&s, t->block, s.size, columns + s.column, t->ld_columns);
    }
    return RL_OK;
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

rl_status rl_triangle_multiply(const rl_triangle *t, const rl_lengths *lengths, const double *columns, double *rows) {
    const int n = t->ld_rows * lengths->n;
    memset(rows, 0, (size_t)n * sizeof(double));
    for (int first = 0; first < lengths->order[0]; first += t->m->row_block) {
        const rl_step s = rl_step_at(t, lengths, first);
        if (s.in_column)
            rl_add_product('N', rl_rows_before(t->m, first + s.size), s.n, s.size, 1, rl_at(t->m, 0, s.column),
                           t->m->ld, columns + s.column, t->ld_columns, rows, t->ld_rows);
    }
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, rows, n, MPI_DOUBLE, MPI_SUM, t->row));
    return RL_OK;
}

/* Local. */
static void clear_beyond(const rl_triangle *t, const rl_lengths *lengths, double *columns) {
    for (int j = 0; j < lengths->n; j++) {
        const int length = rl_columns_before(t->m, lengths->order[j]);
        memset(columns + (size_t)j * (size_t)t->ld_columns + length, 0,
               (size_t)(t->ld_columns - length) * sizeof(double));
    }
}

rl_status rl_triangle_multiply_transposed(const rl_triangle *t, const rl_lengths *lengths, const double *rows,
                                          double *columns) {
    const int n = t->ld_columns * lengths->n;
    memset(columns, 0, (size_t)n * sizeof(double));
    for (int first = 0; first < lengths->order[0]; first += t->m->row_block) {
        const rl_step s = rl_step_at(t, lengths, first);
        if (s.in_column)
            rl_add_product('T', s.size, s.n, rl_rows_before(t->m, first + s.size), 1, rl_at(t->m, 0, s.column),
                           t->m->ld, rows, t->ld_rows, columns + s.column, t->ld_columns);
    }
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, columns, n, MPI_DOUBLE, MPI_SUM, t->column));
    clear_beyond(t, lengths, columns);
    return RL_OK;
}
