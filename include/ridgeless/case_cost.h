/* case_cost: the seconds of a case on a process grid, predicted from what it needs (case_needs.h) and the rates of a
 * machine. Part of `plan`, pure. */
#ifndef RIDGELESS_CASE_COST_H
#define RIDGELESS_CASE_COST_H

#include "ridgeless/case_needs.h"
#include "ridgeless/rates.h"

/* What the time goes into, and so what bounds it. */
typedef enum rl_bound {
    RL_BOUND_COMPUTE,  /* arithmetic that ranks share */
    RL_BOUND_MEMORY,   /* numbers that come from memory no faster than it gives them */
    RL_BOUND_MESSAGES, /* messages between ranks, and the calls that wait for them */
    RL_BOUND_BAND,     /* the way from a band to singular values, as far as ranks do not share it */
    RL_N_CASE_BOUNDS,
    RL_BOUND_TASKS = RL_N_CASE_BOUNDS, /* ranks that have no task any more */
    RL_BOUND_RANK_0,                   /* records that rank 0 takes and keeps */
    RL_BOUND_FILE,                     /* the results file */
    RL_BOUND_START,                    /* MPI */
    RL_N_BOUNDS
} rl_bound;

typedef struct rl_case_cost {
    double flops; /* all ranks together; a multiplication and an addition are two */
    double bytes; /* as of rl_case_bytes */
    double seconds;
    double generate, reduce, project, diagonalize, fit; /* its parts; the first four are those of rl_timings */
    double bounds[RL_N_CASE_BOUNDS];                    /* the seconds, by what they go into */
} rl_case_cost;

/* Bytes per second that the ranks of the case together read from matrices of so many bytes per rank, over and over. */
double rl_reading_rate(const rl_case_sizes *c, const rl_rates *rates, double bytes);

/* The model of time. Work that multiplies matrices goes at the speed of rank-64 updates, divided by the ranks. Half of
 * a one-stage bidiagonal reduction reads the matrix from memory, at the rate that the ranks of a node share; so do the
 * panels of a factorization, on one row or column of the grid. Every column costs ScaLAPACK's calls, each of which
 * waits for log2(ranks) messages. Where few vectors at once go through a triangle, reading it and multiplying add up,
 * and one rank solves with a block of the diagonal while the others wait. Bidiagonal QR has a serial part on every
 * rank; its rotations are divided by the ranks. Good to a factor of 1.3 on one rank and two (tests/bench/spectra.py)
 * where the sizes are those of the calibration's machine and nobody else works there. What messages of two-stage
 * spectra take on 16, 64 and 256 ranks is good to 1.5 against a simulation (tests/simulated); nothing else on many
 * ranks has been measured yet. */
rl_case_cost rl_case_predict(const rl_case_sizes *c, const rl_rates *rates);

#endif
