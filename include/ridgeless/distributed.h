/* distributed: projected spectra of training sets that no rank holds whole, on ScaLAPACK.
 *
 * A group of ranks forms a process grid; matrices lie on it block-cyclically and are generated where they live.
 * Everything that a spectrum consists of but Z is the same on every rank of the group; Z (and its targets) is split by
 * test rows: each rank has some rows, so that errors are sums over ranks. Nothing behind the seam can tell.
 *
 * Collective functions say so: every rank of the grid calls them with the same arguments and gets the same status. */
#ifndef RIDGELESS_DISTRIBUTED_H
#define RIDGELESS_DISTRIBUTED_H

#include <mpi.h>

#include "ridgeless/core.h"
#include "ridgeless/data.h"
#include "ridgeless/spectrum.h"

/* ---- process grids ----------------------------------------------------------------------------------------------- */

typedef struct rl_process_grid {
    MPI_Comm comm;  /* the group's own, a duplicate; owned */
    int rank, size; /* in comm; size = n_rows * n_columns */
    int n_rows, n_columns, row, column;
    MPI_Comm in_row, in_column; /* this process row and this process column; ranks in order of the grid; owned */
    int context;                /* BLACS: n_rows x n_columns, ranks row by row */
    int tall;                   /* BLACS: size x 1, for matrices split by rows */
    int wide;                   /* BLACS: 1 x size, for matrices split by columns */
    int system;                 /* BLACS system handle of comm */
    double *piece;              /* of several ranks: what rl_sum_over_ranks adds to this rank's numbers; owned */
} rl_process_grid;

/* Local. The most nearly square n_rows x n_columns = size with n_rows <= n_columns. */
void rl_process_grid_shape(int size, int *n_rows, int *n_columns);

/* Collective on comm, whose ranks are all in the grid, in a shape of the caller's (n_rows * n_columns = its size) or,
 * with n_rows = 0, of rl_process_grid_shape. BLACS contexts are made from comm alone, so groups are independent of each
 * other. */
rl_status rl_process_grid_create(MPI_Comm comm, int n_rows, int n_columns, rl_process_grid **grid);

/* Local. A grid of this rank alone. */
rl_status rl_process_grid_create_alone(rl_process_grid **grid);

/* Collective on the grid. Gives the contexts and the communicator back. NULL is allowed. */
void rl_process_grid_destroy(rl_process_grid *grid);

/* Collective on the grid: everybody's worst status, with the message of the lowest rank that failed. */
rl_status rl_process_grid_agree(const rl_process_grid *grid, rl_status status);

/* Collective on the grid. Adds up values[n] over the ranks, along a binary tree that depends on their number alone:
 * everyone gets the same bits, in every run on so many ranks. Messages one after the other grow with its logarithm. */
rl_status rl_sum_over_ranks(const rl_process_grid *grid, double *values, int64_t n);

/* What communication costs in seconds. */
typedef struct rl_message_costs {
    double latency;   /* of an empty message from rank 0 to the last rank; 0 with one rank */
    double bandwidth; /* bytes/s beyond that, of a long message; 0 with one rank */
    double column;    /* of ScaLAPACK's software per column of a bidiagonal reduction, without messages */
} rl_message_costs;

/* Collective on the grid; takes a fraction of a second. Everyone gets rank 0's numbers. */
rl_status rl_measure_messages(const rl_process_grid *grid, rl_message_costs *costs);

/* Local. The products that a pair of panels of 64 columns and 64 rows takes of a matrix [n, n] which is reduced to a
 * band, on zeros; returns their flops. work [2 n ld], zeros before and after, ld >= n >= 512. */
double rl_multiply_panels(int n, int ld, double *work);

/* ---- block-cyclic matrices --------------------------------------------------------------------------------------- */

typedef struct rl_block_matrix {
    const rl_process_grid *grid; /* borrowed */
    bool tall;                   /* lies on grid->tall: whole rows on one rank, in contiguous shares */
    bool wide;                   /* lies on grid->wide: whole columns on one rank, dealt out in blocks */
    int rows, columns;           /* global */
    int row_block, column_block;
    int local_rows, local_columns, ld; /* ld: local_rows with some to spare, an odd number of cache lines */
    int descriptor[9];
    double *a; /* [local_rows, local_columns], column-major, ld; owned */
} rl_block_matrix;

/* Local (but all ranks must do it before anything collective uses the matrix). Zeroed. Refuses by name, in 64-bit
 * arithmetic, local parts of 2^28 elements and more (pdgemr2d of ScaLAPACK 2.2.1) and sizes beyond 32 bits. Blocks are
 * square; with RL_TALL the matrix is split by rows: rank r of the grid has rows [r * share, (r + 1) * share), share =
 * ceil(rows / size). */
enum { RL_TALL = 0 };
rl_status rl_block_matrix_create(rl_block_matrix *matrix, const rl_process_grid *grid, int rows, int columns,
                                 int block);
void rl_block_matrix_destroy(rl_block_matrix *matrix);

/* Global indices of a local row or column. */
int rl_block_matrix_global_row(const rl_block_matrix *matrix, int local_row);
int rl_block_matrix_global_column(const rl_block_matrix *matrix, int local_column);

/* Local. Fills what this rank owns of rows [first_row, first_row + count) x columns [first_column, ...) with
 * entry(state, i, j), i and j counted from there. Bitwise the same global matrix for any grid and block size. */
typedef double (*rl_entry)(const void *state, int row, int column);
void rl_block_matrix_fill(rl_block_matrix *matrix, int first_row, int first_column, int rows, int columns,
                          rl_entry entry, const void *state);

/* Local. The rank that has block (block_row, block_column) of a matrix in square blocks on a grid of a shape. */
int rl_block_owner(rl_grid_shape shape, int block_row, int block_column);

/* Local. How many of the lines [first, first + n) of such a matrix, rows or columns, process row or column `process` of
 * n_processes has. All at least 0; sizes at least 1. */
int rl_owned_lines(int n_processes, int block, int process, int first, int n);

/* ---- spectra ----------------------------------------------------------------------------------------------------- */

/* Where rows of a case go in a matrix: rows [first_row, first_row + n_rows) with all features to (row, column) and
 * after, or, transposed, as columns. */
typedef struct rl_placement {
    int first_row, n_rows;
    int row, column;
    bool transposed;
} rl_placement;

/* Some entries of a case: row + i and column + j, i < n_rows and j < n_columns, to out[i row_step + j column_step]; one
 * of the steps is 1. */
typedef struct rl_tile {
    int row, n_rows, column, n_columns;
    double *out;
    ptrdiff_t row_step, column_step;
} rl_tile;

/* A training set and its test rows. Every rank of the grid can make any entry, or rows are dealt out. */
typedef struct rl_case {
    int n_train, n_features, n_test;
    rl_entry x; /* row, column: rows 0 ... n_train - 1 are training rows, the next n_test are test rows */
    void (*fill)(const void *state, const rl_tile *tile); /* many entries of x at once, the same bits; may be NULL */
    /* Where x is NULL: fills what this rank owns of the rows placed in the matrix. Collective on the matrix's grid. */
    rl_status (*deal)(const void *state, rl_block_matrix *matrix, rl_placement to);
    const void *state;       /* of all of them */
    const double *y;         /* [n_train + n_test], borrowed, the same on every rank */
    const double *beta_star; /* [n_features], borrowed, the same on every rank */
    /* [n_features], borrowed: standard deviations of the population's features; NULL: all 1, or unknown. Given, they
     * make n_features rows more to project. */
    const double *scale;
} rl_case;

/* Seconds of one spectrum, part by part, for benchmarks; a part that a producer does not have is 0. */
typedef struct rl_timings {
    double generate, reduce, project, diagonalize, total;
} rl_timings;

/* Where the arrays of a spectrum live: zeroed by its owner before the first use, released by the owner. */
typedef struct rl_spectrum_store {
    double *arrays; /* everything but Z */
    double *z;
} rl_spectrum_store;

/* The spectrum of a case on a grid. `spectrum` borrows the memory of `store`, whose last spectrum is gone with the
 * call; z, z_target and z_one hold this rank's test rows (m of them, perhaps 0), n_test is the global number; the ranks
 * of the grid, which must outlive the spectrum, are its holders. Collective on the grid. QR or LQ first when the matrix
 * is far from square. A NaN or infinity among the entries, y or beta* is RL_ERR_INPUT on all ranks, before any LAPACK
 * call; entries of any finite size are fine (the matrix is scaled by a power of two, which changes no bit). Signs: v_r
 * . beta* >= 0. `producer` is not RL_PRODUCER_LAPACK. timings may be NULL. */
rl_status rl_distributed_spectrum(const rl_process_grid *grid, rl_producer producer, int block, const rl_case *c,
                                  rl_spectrum_store *store, rl_spectrum *spectrum, rl_timings *timings);
void rl_spectrum_store_destroy(rl_spectrum_store *store);

/* ---- cases of a dataset ------------------------------------------------------------------------------------------ */

/* The first n_train rows of a repeat and the n_test rows after them. Fresh rows are made where they are needed, but
 * that every rank has all features that a map makes; rank 0 of the grid, which must see the file, reads those of a
 * dataset in blocks and deals them out: beside its share a rank holds a slab (slab_bytes of rl_table_file) and a few
 * numbers per row. */
typedef struct rl_dataset_case {
    rl_case c; /* borrows y and the arranged rows */
    double *y; /* [n_train + n_test], owned */
} rl_dataset_case;

/* Collective on the grid. Each rank makes a share of the targets. */
rl_status rl_dataset_case_create(rl_dataset_case *case_, const rl_process_grid *grid, const rl_rows *rows, int n_train,
                                 int n_test);
void rl_dataset_case_destroy(rl_dataset_case *case_);

/* ---- least squares on all rows ----------------------------------------------------------------------------------- */

/* Collective on the grid. The best linear model of a dataset, in memory or in blocks, by QR of all rows in the order of
 * the file: beta [n_features], the same bits on every rank; for a dataset in blocks, what its beta_star should be. The
 * grid holds the rows of two triangles at a time, or 2 MiB per rank if that is more. RL_ERR_INPUT, with beta of no use,
 * when there are fewer rows than features or a feature depends linearly on those before it (its part orthogonal to them
 * is at most max(rows, features) eps of its largest coordinate). */
rl_status rl_distributed_least_squares(const rl_process_grid *grid, int block, const rl_dataset *dataset, double *beta);

#endif
