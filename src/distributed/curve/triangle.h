/* triangle: solves with an upper triangle on a grid and products by it, for a few vectors at once. Private to
 * `distributed`.
 *
 * Vectors are thin and may be of different lengths: vector j lives with the leading block of order[j]. The triangle
 * stays where it is, and vectors lie beside it, each entry on many ranks:
 *   by row     entry i on the process row that has row i of the triangle, the same on each of its processes;
 *              [local rows, n], column-major, ld = ld_rows
 *   by column  entry i on the process column that has column i; [local columns, n], ld = ld_columns
 * So every step of a solve is a product of a block's row with what is known, on all of a process row, and one message
 * each way. PBLAS would treat all vectors as long as the longest.
 *
 * All functions are collective on the grid unless they say Local. */
#ifndef RL_TRIANGLE_H
#define RL_TRIANGLE_H

#include "../spectrum/producer.h"

enum { RL_VECTORS = 64 }; /* at once, at most */

typedef struct rl_triangle {
    const rl_block_matrix *m; /* borrowed: its leading block of `order` is upper triangular, zeros included */
    int order;
    MPI_Comm row, column; /* borrowed: this process row and this process column; ranks in order of the grid */
    int local_rows, local_columns, ld_rows, ld_columns; /* of the triangle; ld: at least 1 */
    double *block;                                      /* [block of m, RL_VECTORS] */
} rl_triangle;

/* How many vectors, and the order of the leading block of each: descending, 1 ... triangle's order. */
typedef struct rl_lengths {
    int n;
    int order[RL_VECTORS];
} rl_lengths;

/* Local. The leading block of a matrix, or of its layout, as a triangle; and the array that it needs. */
rl_triangle rl_triangle_of(const rl_block_matrix *m, int order, MPI_Comm row, MPI_Comm column);
void rl_triangle_list(rl_triangle *t, rl_arena *arena);

/* Rows and columns [first, first + size) of a triangle, and what of them this process has. */
typedef struct rl_step {
    int first, size;
    int process_row, process_column; /* where its diagonal block is */
    bool in_row, in_column;          /* this process has some of its rows, of its columns */
    int row, column;                 /* local; of the first one that this process has from `first` on */
    int next_column;                 /* local: of the first after it */
    int reach;                       /* local columns before the longest vector's length */
    int n, n_next;                   /* vectors that reach into it, and beyond it */
} rl_step;

/* Local. Length of an array for vectors that lie either way. */
size_t rl_triangle_vectors(const rl_triangle *t, int n);

/* The lengths of n vectors as long as the triangle. */
rl_lengths rl_full_lengths(const rl_triangle *t, int n);

/* Local. The step whose diagonal block begins at `first`, and ends with the longest vector. */
rl_step rl_step_at(const rl_triangle *t, const rl_lengths *lengths, int first);

/* rows := R^-T columns. Entries of `columns` beyond a vector's length are not looked at, those of `rows` are zeros;
 * destroys `columns`. */
rl_status rl_triangle_solve_transposed(const rl_triangle *t, const rl_lengths *lengths, double *columns, double *rows);

/* columns := R^-1 rows. Likewise, but `rows` are kept. */
rl_status rl_triangle_solve(const rl_triangle *t, const rl_lengths *lengths, const double *rows, double *columns);

/* rows := R columns; columns := R^T rows. Entries beyond a vector's length must be zeros, and are. */
rl_status rl_triangle_multiply(const rl_triangle *t, const rl_lengths *lengths, const double *columns, double *rows);
rl_status rl_triangle_multiply_transposed(const rl_triangle *t, const rl_lengths *lengths, const double *rows,
                                          double *columns);

/* Local. c [m, n] += factor op(a) b with the inner dimension k: one product for BLAS, which does better by one column
 * as a vector. */
void rl_add_product(char op, int m, int n, int k, double factor, const double *a, int lda, const double *b, int ldb,
                    double *c, int ldc);

#endif
