/* In the place of ScaLAPACK, which is built for another MPI: the few routines that a square case by the producer
 * `two-stage` calls, with the messages that ScaLAPACK 2.2.1 sends for them (REDIST/SRC/pdgemr.c). All others end the
 * simulation by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/distributed/matrix/scalapack.h"
#include "../../src/numbers.h"

/* ---- grids ------------------------------------------------------------------------------------------------------- */

/* As many as the two grids of a simulation have. */
enum { MOST_CONTEXTS = 6 };
static struct context {
    MPI_Comm comm;
    int n_rows, n_columns;
} contexts[MOST_CONTEXTS];
static int n_contexts;
static MPI_Comm last_comm; /* a handle is that of the grid which is made */

int Csys2blacs_handle(MPI_Comm comm) {
    last_comm = comm;
    return 0;
}

void Cfree_blacs_system_handle(int handle) {
    (void)handle;
}

/* Maps are those of process_grid.c: ranks row by row. */
void Cblacs_gridmap(int *context, int *map, int ldmap, int n_rows, int n_columns) {
    (void)map, (void)ldmap;
    if (n_contexts == MOST_CONTEXTS) abort();
    contexts[n_contexts] = (struct context){last_comm, n_rows, n_columns};
    *context = n_contexts++;
}

void Cblacs_set(int context, int what, const int *value) {
    (void)context, (void)what, (void)value;
}

void Cblacs_gridexit(int context) {
    (void)context;
}

int numroc_(const int *n, const int *block, const int *process, const int *source, const int *n_processes) {
    const int place = (*n_processes + *process - *source) % *n_processes, blocks = *n / *block;
    const int whole = blocks / *n_processes * *block, extra = blocks % *n_processes;
    return whole + (place < extra ? *block : place == extra ? *n % *block : 0);
}

/* ---- copies between distributions -------------------------------------------------------------------------------- */

/* A part of a matrix that is dealt out: its descriptor's fields, and where it begins, from 0. */
typedef struct part {
    struct context grid;
    int row_block, column_block, ld;
    int row, column;
} part;

static part part_of(const int *descriptor, int row, int column) {
    return (part){contexts[descriptor[1]], descriptor[4], descriptor[5], descriptor[8], row - 1, column - 1};
}

static int process_row(const part *p, int i) {
    return (p->row + i) / p->row_block % p->grid.n_rows;
}

static int process_column(const part *p, int j) {
    return (p->column + j) / p->column_block % p->grid.n_columns;
}

static size_t place_of(const part *p, int i, int j) {
    const int row = p->row + i, column = p->column + j, height = p->row_block, width = p->column_block;
    const int local_row = row / height / p->grid.n_rows * height + row % height;
    const int local_column = column / width / p->grid.n_columns * width + column % width;
    return (size_t)local_column * (size_t)p->ld + (size_t)local_row;
}

/* The elements [m, n] that a rank has of `mine`, by the rank that has them of `theirs`: of rank r, places [starts[r],
 * starts[r + 1]). */
typedef struct share {
    int *starts;
    size_t *places;
} share;

static share find_share(int m, int n, const part *mine, const part *theirs, int rank, int size) {
    const int row = rank / mine->grid.n_columns, column = rank % mine->grid.n_columns;
    share s = {calloc((size_t)size + 2, sizeof *s.starts), NULL};
    int *const next = s.starts + 1;
    for (int filling = 0; filling < 2; filling++) {
        for (int j = 0; j < n; j++)
            for (int i = 0; process_column(mine, j) == column && i < m; i++) {
                if (process_row(mine, i) != row) continue;
                const int other = process_row(theirs, i) * theirs->grid.n_columns + process_column(theirs, j);
                if (filling)
                    s.places[next[other]++] = place_of(mine, i, j);
                else
                    next[other + 1]++;
            }
        if (filling) break;
        for (int other = 0; other < size; other++) next[other + 1] += next[other];
        s.places = malloc(((size_t)next[size] + 1) * sizeof *s.places);
    }
    return s;
}

static void destroy_share(share *s) {
    free(s->starts);
    free(s->places);
}

/* What all agree on first: a communicator of the processes in a line, which takes MPI some rounds, the numbers of the
 * processes, and for each matrix that its parameters will do. */
static void agree(MPI_Comm world, int size) {
    enum { PARAMETERS = 20, ROUNDS = 3, CHECKS = 2 };
    const int n = 2 * size + PARAMETERS;
    int *all = calloc((size_t)n, sizeof *all);
    for (int round = 0; round < ROUNDS; round++) MPI_Allreduce(MPI_IN_PLACE, all, 1, MPI_INT, MPI_MIN, world);
    MPI_Allreduce(MPI_IN_PLACE, all, n, MPI_INT, MPI_MIN, world);
    for (int check = 0; check < CHECKS; check++) MPI_Allreduce(MPI_IN_PLACE, all, PARAMETERS, MPI_INT, MPI_MIN, world);
    free(all);
}

/* In round t, ranks exchange messages with the one whose number and theirs add up to size - 1 - t. */
void pdgemr2d_(const int *m, const int *n, const double *a, const int *ia, const int *ja, const int *desca, double *b,
               const int *ib, const int *jb, const int *descb, const int *context) {
    const part from = part_of(desca, *ia, *ja), to = part_of(descb, *ib, *jb);
    const MPI_Comm world = contexts[*context].comm;
    int rank, size;
    if (*m == 0 || *n == 0) return;
    MPI_Comm_rank(world, &rank);
    MPI_Comm_size(world, &size);
    agree(world, size);
    share goes = find_share(*m, *n, &from, &to, rank, size), comes = find_share(*m, *n, &to, &from, rank, size);
    double *leaving = malloc(((size_t)goes.starts[size] + 1) * sizeof *leaving);
    double *arriving = malloc(((size_t)comes.starts[size] + 1) * sizeof *arriving);
    MPI_Request *sent = malloc((size_t)size * sizeof *sent);
    for (int i = 0; i < size; i++) sent[i] = MPI_REQUEST_NULL;
    for (int k = 0; k < goes.starts[size]; k++) leaving[k] = a[goes.places[k]];
    for (int round = 0; round < size; round++) {
        const int other = (2 * size - 1 - round - rank) % size;
        const int out = goes.starts[other], in = comes.starts[other];
        const int n_out = goes.starts[other + 1] - out, n_in = comes.starts[other + 1] - in;
        if (other == rank) {
            memcpy(arriving + in, leaving + out, (size_t)n_in * sizeof *arriving);
            continue;
        }
        if (n_out > 0) MPI_Isend(leaving + out, n_out, MPI_DOUBLE, other, 0, world, &sent[round]);
        if (n_in > 0) MPI_Recv(arriving + in, n_in, MPI_DOUBLE, other, 0, world, MPI_STATUS_IGNORE);
    }
    MPI_Waitall(size, sent, MPI_STATUSES_IGNORE);
    for (int k = 0; k < comes.starts[size]; k++) b[comes.places[k]] = arriving[k];
    free(sent);
    free(leaving);
    free(arriving);
    destroy_share(&goes);
    destroy_share(&comes);
}

/* ---- reductions: only the calibration's, whose time counts nothing here --------------------------------------------
 */

void pdgebrd_(const int *m, const int *n, double *a, const int *ia, const int *ja, const int *desca, double *d,
              double *e, double *tauq, double *taup, double *work, const int *lwork, int *info) {
    (void)m, (void)n, (void)a, (void)ia, (void)ja, (void)desca, (void)d, (void)e, (void)tauq, (void)taup, (void)work;
    (void)lwork;
    *info = 0;
}
