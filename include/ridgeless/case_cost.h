/* case_cost: what a case on a process grid takes, predicted from its sizes: flops, memory a rank, seconds by the rates
 * of a machine, and whether the libraries' integers can hold it. Part of `plan`, pure.
 *
 * A case is one spectrum by one of the ScaLAPACK producers, or a whole curve from one factorization. The predictions
 * follow what `distributed` allocates and calls; they are local and cost nothing, so that a plan may ask for every
 * group size. */
#ifndef RIDGELESS_CASE_COST_H
#define RIDGELESS_CASE_COST_H

#include "ridgeless/core.h"
#include "ridgeless/rates.h"
#include "ridgeless/spectrum.h"

typedef enum rl_case_way {
    RL_CASE_PDGESVD, /* one spectrum each, see rl_producer */
    RL_CASE_PROJECTED,
    RL_CASE_TWO_STAGE,
    RL_CASE_CURVE /* all N of a repeat from one factorization, on the grid */
} rl_case_way;

/* Of a spectrum by a producer on process grids. */
rl_case_way rl_case_way_of(rl_producer producer);

typedef struct rl_case_sizes {
    rl_case_way way;
    int64_t n_train; /* of a curve: its longest training set */
    int64_t n_features;
    int64_t n_test;       /* of a curve: the rows after the longest training set */
    int64_t n_population; /* rows that stand for the population: 0, or n_features */
    int64_t n_variants;   /* fits to the spectrum; of a curve, nothing */
    int64_t n_sigma;      /* of a curve: how many of its sizes want singular values */
    double normals;       /* numbers that all ranks together draw for the case; 0: its rows are read */
    int block;            /* side of the matrices' blocks */
    int ranks;            /* of the process grid, shaped by rl_process_grid_shape */
    int busy; /* ranks that are at work on a node with one of these, itself included: they share its memory's speed.
                 0: as many as a node has cores, but not more than there are */
} rl_case_sizes;

typedef struct rl_case_cost {
    double flops; /* all ranks together; a multiplication and an addition are two */
    double bytes; /* at most on one rank, beyond what the process takes before (its libraries, the plan, data sets) */
    double seconds;
    double generate, reduce, project, diagonalize, fit; /* its parts; the first four are those of rl_timings */
} rl_case_cost;

/* All sizes at least 1, but n_population, n_variants, n_sigma, normals and busy may be 0.
 *
 * The model of time. Work that multiplies matrices goes at the speed of rank-64 updates, divided by the ranks. Half of
 * a one-stage bidiagonal reduction reads the matrix from memory, at the rate that the ranks of a node share; so do the
 * panels of a factorization, on one row or column of the grid. Every column costs ScaLAPACK's calls, each of which
 * waits for log2(ranks) messages. Bidiagonal QR has a serial part on every rank; its rotations are divided by the
 * ranks. Good to a factor of about two where the sizes are those of the calibration's machine and nobody else works
 * there. */
rl_case_cost rl_case_predict(const rl_case_sizes *c, const rl_rates *rates);

/* RL_ERR_INPUT when an integer of the libraries cannot hold the case, with a message that names the limit and the
 * smallest number of ranks up to max_ranks that would do, or says that none would. Limits, checked in 64 bits:
 *   32-bit indices   ScaLAPACK counts rows and columns in 32 bits
 *   pdgemr2d         moves less than 2^28 elements of a rank's part (ScaLAPACK 2.2.1 counts its bytes in 32 bits)
 *   LWORK            of pdgesvd, pdgebrd and pdlarfb: work arrays of less than 2^31 elements */
rl_status rl_case_limits(const rl_case_sizes *c, int max_ranks);

/* The fewest ranks, up to max_ranks, that hold the case within the limits and with at most bytes_per_rank (of
 * rl_case_cost.bytes); c->ranks is not looked at. 0: none. */
int rl_smallest_group(const rl_case_sizes *c, double bytes_per_rank, int max_ranks);

#endif
