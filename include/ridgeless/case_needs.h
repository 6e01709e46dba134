/* case_needs: memory per rank, work, and the libraries' limits of a case on a process grid, told before it is computed.
 * A third header of `distributed`; nothing here communicates, allocates or takes time.
 *
 * A case is one spectrum by a ScaLAPACK producer, or a whole curve from one factorization (grid_curve.h). What computes
 * it also tells what it needs: each producer has a function beside its own code that goes through the same stages, with
 * the same layouts of matrices and the same lists of arrays. So the bytes told are the bytes allocated. */
#ifndef RIDGELESS_CASE_NEEDS_H
#define RIDGELESS_CASE_NEEDS_H

#include "ridgeless/core.h"
#include "ridgeless/spectrum.h"

typedef enum rl_case_method {
    RL_CASE_PDGESVD = RL_PRODUCER_PDGESVD, /* one spectrum each, see rl_producer */
    RL_CASE_PROJECTED = RL_PRODUCER_PROJECTED,
    RL_CASE_TWO_STAGE = RL_PRODUCER_TWO_STAGE,
    RL_CASE_CURVE = RL_PRODUCER_LAPACK + 1 /* all N of a repeat from one factorization */
} rl_case_method;

/* The method of spectra by a producer on process grids. */
rl_case_method rl_case_method_of(rl_producer producer);

/* All sizes are at least 1, but where 0 is given a meaning. */
typedef struct rl_case_sizes {
    rl_case_method method;
    int64_t n_train; /* of a curve: its longest training set */
    int64_t n_features;
    int64_t n_test;       /* of a curve: the rows after the longest training set */
    int64_t n_population; /* rows that stand for the population: 0, or n_features */
    int64_t n_variants;   /* fits to the spectrum, perhaps 0; of a curve, ignored */
    int64_t n_shortest;   /* of a curve: its shortest training set; 0: not known */
    int64_t n_sizes;      /* of a curve: its training sets; 0: not known */
    int64_t n_sigma;      /* of a curve: how many of its sizes want singular values, perhaps none */
    double normals;       /* numbers that all ranks together draw for the case; 0: its rows are read */
    int block;            /* side of the matrices' blocks */
    int ranks;            /* of the process grid */
    rl_grid_shape grid;   /* its shape; of other numbers of ranks, and not given: that of rl_process_grid_shape */
    int busy; /* ranks that are at work on a node with one of these, itself included: they share its memory's speed.
                 0: as many as a node has cores, but not more than there are */
} rl_case_sizes;

/* ---- work -------------------------------------------------------------------------------------------------------- */

/* The parts of a case, in order; the first four are those of rl_timings. */
typedef enum rl_part {
    RL_PART_GENERATE,
    RL_PART_REDUCE,
    RL_PART_PROJECT,
    RL_PART_DIAGONALIZE,
    RL_PART_FIT,
    RL_N_PARTS
} rl_part;

/* Bidiagonal QR: what it does for each mode while many sweeps wait takes as long as so many steps of these; rows that
 * are turned at once, and columns, whether all of them are there or not. */
enum { RL_MODE_STEPS = 2600, RL_TURNED_TOGETHER = 16 };

/* What an amount of work counts, per rank. */
typedef enum rl_work_kind {
    RL_WORK_NORMALS,           /* normal numbers drawn */
    RL_WORK_PRODUCTS,          /* flops of products of matrices; see the bytes of rl_case_work */
    RL_WORK_NARROW,            /* flops of products of a matrix with a few vectors at once, beside the next one */
    RL_WORK_PACKING,           /* bytes of such matrices, which BLAS packs each time */
    RL_WORK_TRIANGLES,         /* flops of solves with a block of a triangle, which one rank makes while others wait */
    RL_WORK_TRIDIAGONAL,       /* n^2 of eigenvalues of a tridiagonal matrix of order n, by LAPACK's dsterf */
    RL_WORK_PANELS,            /* flops of products of the matrix with panels that reduce it, as rl_multiply_panels */
    RL_WORK_COLUMNS,           /* columns of a bidiagonal reduction, as far as ScaLAPACK's software goes */
    RL_WORK_MESSAGES,          /* messages that are waited for, one after the other */
    RL_WORK_MESSAGE_BYTES,     /* bytes of long messages */
    RL_WORK_BIDIAGONAL,        /* n (n + RL_MODE_STEPS) of bidiagonal QR with n modes, without what is rotated */
    RL_WORK_ROTATIONS,         /* n^2 for each row or column that is rotated with it, in whole RL_TURNED_TOGETHER */
    RL_WORK_PDGESVD_ROTATIONS, /* n^2 for each row or column inside pdgesvd */
    RL_WORK_BAND,              /* n^2 x width of a band made bidiagonal, without what is rotated */
    RL_WORK_BAND_ROTATIONS     /* n^2 for each row that is rotated with it */
} rl_work_kind;

/* Products may go through memory meanwhile, `bytes` of it, over and over through a matrix of `matrix_bytes`; the slower
 * of the two counts. */
typedef struct rl_case_work {
    rl_part part;
    rl_work_kind kind;
    double amount;
    double bytes, matrix_bytes;
} rl_case_work;

enum { RL_MOST_WORK = 48 };

/* Of all ranks together; a multiplication and an addition are two flops. Bytes go between processors and memory: what
 * algorithms read and write over and over, not what stays in a cache. 0: next to nothing. */
typedef struct rl_traffic {
    double flops, bytes;
} rl_traffic;

typedef struct rl_case_needs {
    double flops; /* of all parts */
    rl_traffic traffic[RL_N_PARTS];
    double bytes; /* that `distributed` allocates on the first rank, which has the most, at most at a time: exact */
    double bytes_in_all; /* the same with what the libraries hold beside it, and what the heap wastes: an estimate */
    /* The first limit that the case is beyond, NULL: none; what it needs and what is allowed. Then work and bytes may
     * be short of what is needed. */
    const char *limit;
    int64_t needed, allowed;
    int n_work;
    rl_case_work work[RL_MOST_WORK];
} rl_case_needs;

/* What the case needs on so many ranks; c->ranks and c->busy are not looked at. */
rl_case_needs rl_find_case_needs(const rl_case_sizes *c, int ranks);

/* bytes_in_all of it: at most on one rank, beyond what the process takes before (its libraries, the plan, data sets).
 */
double rl_case_bytes(const rl_case_sizes *c, int ranks);

/* ---- limits ------------------------------------------------------------------------------------------------------ */

/* RL_ERR_INPUT when an integer of the libraries cannot hold the case, with a message that names the limit and the
 * smallest number of ranks up to max_ranks that would do, or says that none would. Limits, checked in 64 bits:
 *   32-bit indices   ScaLAPACK counts rows and columns in 32 bits
 *   pdgemr2d         moves less than 2^28 elements of a rank's part (ScaLAPACK 2.2.1 counts its bytes in 32 bits)
 *   LWORK            of pdgesvd and pdgebrd: work arrays of less than 2^31 elements */
rl_status rl_case_limits(const rl_case_sizes *c, int max_ranks);

/* The fewest ranks, up to max_ranks, that hold the case within the limits and with at most bytes_per_rank (of
 * rl_case_bytes); c->ranks is not looked at. 0: none. */
int rl_smallest_group(const rl_case_sizes *c, double bytes_per_rank, int max_ranks);

#endif
