/* A case made into a core where it lives. Private to `distributed`. */
#ifndef RL_GENERATE_H
#define RL_GENERATE_H

#include "producer.h"

/* A case on a grid: the core and what the spectrum needs beside its projection. */
typedef struct rl_placed_case {
    const rl_case *c;             /* borrowed */
    double *target[RL_N_TARGETS]; /* [n_train + n_test] each: y, X beta*, their difference; on all ranks; owned */
    rl_core core;                 /* owned */
    double scale;                 /* the training rows are divided by this power of two; 1 when they are all zeros */
    bool is_zero;                 /* they are */
} rl_placed_case;

/* Collective. Puts rows of a case into a matrix: this rank fills what it owns of them. */
rl_status rl_case_fill(const rl_case *c, rl_block_matrix *matrix, rl_placement to);

/* Collective. Checks the case, generates it, refuses what is not finite. *placed is to be destroyed on failure too. */
rl_status rl_placed_case_create(rl_placed_case *placed, const rl_process_grid *grid, int block, const rl_case *c);

/* Collective. The same as a core of the caller's, laid out but without memory, who answers for the sizes. With
 * test_rows_left all rows of the case are columns, one after another, and beta* follows them, whatever of them the core
 * counts as A or as its left border; without a right border the targets are not placed. */
rl_status rl_placed_case_create_as(rl_placed_case *placed, const rl_core *core, const rl_case *c);

/* Local. The core of a case, its matrix laid out, of which `scale` counts only as given or not; the layout of the
 * matrix of a core; what a placed case needs. */
rl_core rl_core_of_case(const rl_process_grid *grid, int block, const rl_case *c);
void rl_core_lay_out(rl_core *core, int block);
void rl_placed_case_needs(const rl_core *core, const rl_case *c, rl_needs *needs);

/* Local. Puts the training rows' targets into their border. */
void rl_placed_case_fill_targets(rl_placed_case *placed);

/* Collective. The spectrum of a placed case whose core a producer can take; uses the core up. */
rl_status rl_placed_case_spectrum(rl_placed_case *placed, rl_producer producer, rl_spectrum_store *store,
                                  rl_spectrum *spectrum, rl_timings *timings);

/* Local. What rl_distributed_spectrum needs, as this rank of the grid. */
void rl_distributed_spectrum_needs(const rl_process_grid *grid, rl_producer producer, int block, const rl_case *c,
                                   rl_needs *needs);
void rl_placed_case_destroy(rl_placed_case *placed);

#endif
