/* What programs on several ranks share to test themselves: checks that pass when they do on all ranks, as TAP on rank
 * 0's standard output, process grids of some of the ranks, and entries that must be refused. */
#ifndef RL_TEST_REPORT_H
#define RL_TEST_REPORT_H

#include <math.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ridgeless/distributed.h"

/* ---- reporting --------------------------------------------------------------------------------------------------- */

typedef struct report {
    int rank, size; /* in the world */
    int done, failed;
} report;

static inline report begin_report(int *argc, char ***argv) {
    report r = {0};
    MPI_Init(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &r.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &r.size);
    return r;
}

/* The program's exit status. */
static inline int end_report(const report *r) {
    if (r->rank == 0) printf("1..%d\n", r->done);
    MPI_Finalize();
    return r->failed > 0;
}

static inline void check(report *r, bool ok, const char *format, ...) RL_PRINTF(3);
static inline void check(report *r, bool ok, const char *format, ...) {
    int all = ok;
    MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
    r->done++;
    r->failed += !all;
    if (r->rank != 0) return;
    va_list arguments;
    printf("%sok %d - ", all ? "" : "not ", r->done);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

/* What a rank found wrong, for the reader of a failed check. */
static inline bool wrong(const char *format, ...) RL_PRINTF(1);
static inline bool wrong(const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(stderr, "# %s\n", line);
    return false;
}

static inline double *numbers(size_t n) {
    double *values = NULL;
    if (RL_ALLOC(values, n) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    return values;
}

/* A grid of the first n_rows * n_columns ranks; NULL on the others. */
static inline rl_process_grid *grid_of(int n_rows, int n_columns) {
    int rank;
    MPI_Comm group;
    rl_process_grid *grid = NULL;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    const bool member = rank < n_rows * n_columns;
    MPI_Comm_split(MPI_COMM_WORLD, member ? 0 : MPI_UNDEFINED, rank, &group);
    if (!member) return NULL;
    if (rl_process_grid_create(group, n_rows, n_columns, &grid) != RL_OK) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Comm_free(&group);
    return grid;
}

typedef struct shape {
    int rows, columns;
} shape;
static const shape grids[] = {{1, 1}, {1, 2}, {2, 1}, {1, 3}, {2, 2}, {1, 5}, {5, 1}};
enum { N_GRIDS = sizeof grids / sizeof *grids };

static inline bool near(const char *what, double value, double expected, double bound) {
    return fabs(value - expected) <= bound ||
           wrong("%s: %.17g, expected %.17g, bound %.2g", what, value, expected, bound);
}

/* Steele, Lea and Flood 2014: every bit of the result depends on every bit of x. */
static inline uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* Collective. A hash of the global matrix that depends on its entries and their places alone. */
static inline uint64_t hash_matrix(const rl_block_matrix *m) {
    uint64_t sum = 0, all = 0, bits;
    for (int lj = 0; lj < m->local_columns; lj++)
        for (int li = 0; li < m->local_rows; li++) {
            const uint64_t row = (uint64_t)rl_block_matrix_global_row(m, li);
            memcpy(&bits, &m->a[(size_t)lj * (size_t)m->ld + (size_t)li], sizeof bits);
            sum += mix(bits + mix(row + mix((uint64_t)rl_block_matrix_global_column(m, lj) + 1)));
        }
    MPI_Allreduce(&sum, &all, 1, MPI_UINT64_T, MPI_SUM, m->grid->comm);
    return all;
}

/* Bytes that were allocated at most since there were `before`, and what was told before. */
static inline bool as_told(size_t before, double told) {
    const double most = (double)(rl_peak_allocated() - before);
    return most == told || wrong("%.0f bytes allocated, %.0f told", most, told);
}

/* An entry function with another one's values, but for one entry. */
typedef struct poison {
    double (*entry)(const void *state, int row, int column);
    const void *state;
    int row, column;
    double value;
} poison;

static inline double poisoned_entry(const void *state, int row, int column) {
    const poison *p = state;
    return row == p->row && column == p->column ? p->value : p->entry(p->state, row, column);
}

/* The error's text is the same on all ranks. */
static inline bool one_message(const rl_process_grid *grid, const char *expected) {
    char message[1024];
    strcpy(message, rl_error_message());
    MPI_Bcast(message, sizeof message, MPI_CHAR, 0, grid->comm);
    return strcmp(message, rl_error_message()) == 0 && strstr(message, expected) != NULL;
}

#endif
