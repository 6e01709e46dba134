/* A case made into a core where it lives. Private to `distributed`. */
#ifndef RL_GENERATE_H
#define RL_GENERATE_H

#include "producer.h"

/* A case on a grid: the core and what the spectrum needs beside its projection. */
typedef struct rl_placed_case {
    const rl_case *c;             /* borrowed */
    double *target[RL_N_TARGETS]; /* [n_train + n_test] each: y, X beta*, their difference; on all ranks; owned */
    rl_core core;                 /* owned */
    double scale;                 /* A is X divided by this power of two; 0 when X is all zeros */
} rl_placed_case;

/* Collective. Puts rows of a case into a matrix: this rank fills what it owns of them. */
rl_status rl_case_fill(const rl_case *c, rl_block_matrix *matrix, rl_placement to);

/* Collective. Checks the case, generates it, refuses what is not finite. *placed is to be destroyed on failure too. */
rl_status rl_placed_case_create(rl_placed_case *placed, const rl_process_grid *grid, int block, const rl_case *c);
void rl_placed_case_destroy(rl_placed_case *placed);

#endif
