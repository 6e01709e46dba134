/* needs: what a case needs, collected stage by stage. Private to `distributed`; all functions are local.
 *
 * The code that computes a case has, beside each function that allocates or works, one that tells what that needs. It
 * walks through the same stages in the same order, on matrices that are laid out but have no memory. */
#ifndef RL_NEEDS_H
#define RL_NEEDS_H

#include "ridgeless/arena.h"
#include "ridgeless/case_needs.h"
#include "ridgeless/distributed.h"

typedef struct rl_needs {
    int ranks; /* of the process grid */
    rl_grid_shape shape;
    int block; /* of the matrices; 0: not known */
    rl_case_needs found;
    double held;      /* bytes that are allocated at this stage */
    double libraries; /* bytes that the libraries keep, at all stages */
} rl_needs;

/* What is needed is needed on this grid. */
void rl_needs_on_grid(rl_needs *needs, const rl_process_grid *grid);

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Something is allocated: so many bytes; the arrays of an object; a matrix. All is given back by setting `held` to what
 * it was before. */
void rl_needs_hold(rl_needs *needs, size_t bytes);
void rl_needs_briefly(rl_needs *needs, size_t bytes); /* and given back */
void rl_needs_arrays(rl_needs *needs, void *object, rl_array_list *list);
void rl_needs_matrix(rl_needs *needs, const rl_block_matrix *layout);
void rl_needs_no_matrix(rl_needs *needs, const rl_block_matrix *layout); /* this one is given back */

/* A library has an array of so many elements of its own, for a moment. */
void rl_needs_lend(rl_needs *needs, double elements);

/* The case needs something that must not be more than `allowed`. Only the first that is too large is kept. */
void rl_needs_limit(rl_needs *needs, const char *limit, double needed, double allowed);

/* ---- work -------------------------------------------------------------------------------------------------------- */

/* Work of one kind on a rank. */
void rl_needs_work(rl_needs *needs, rl_part part, rl_work_kind kind, double amount);

/* Flops of all ranks together, which say nothing of time; so many of them for each byte that goes through memory
 * meanwhile. INFINITY: none that counts, or rl_needs_pass tells it. */
void rl_needs_flops(rl_needs *needs, rl_part part, double flops, double flops_per_byte);

/* Products of matrices that all ranks share, flops all together: updates by a block at a time, which read and write
 * each number once for as many multiplications and additions. */
void rl_needs_products(rl_needs *needs, rl_part part, double flops);

/* The same of the products with panels that reduce a matrix, which have a rate of their own. So many panels together
 * read each number twice and write it once, for two multiplications and additions per column of each panel. */
void rl_needs_panels(rl_needs *needs, rl_part part, double flops, int panels);

/* So many bytes are read on a rank, over and over through a matrix of `matrix_bytes`, for so many flops, which the
 * caller counts. */
void rl_needs_pass(rl_needs *needs, rl_part part, double flops, double bytes, double matrix_bytes);

/* Calls of PBLAS, one after the other; each waits for messages. pdgebrd makes 27 for a column, pdgeqr2 and pdgelq2 make
 * 8, pdlarft makes 2 for a reflector. */
enum { RL_CALLS_PER_COLUMN = 27, RL_CALLS_PER_PANEL_COLUMN = 8, RL_CALLS_PER_REFLECTOR = 2 };
void rl_needs_calls(rl_needs *needs, rl_part part, double calls);

/* Messages that a call waits for, one after the other. */
double rl_hops(const rl_needs *needs);

/* So many agreements on a status, or sums of a few numbers. */
void rl_needs_agreements(rl_needs *needs, rl_part part, double agreements);

/* So many elements, half of them columns of blocks and half of them rows, are passed along rows and columns of the
 * grid: each process row has its part of the columns, and each process column its part of the rows. */
void rl_needs_spreading(rl_needs *needs, rl_part part, double elements);

/* rl_sum_over_ranks of so many numbers: up the tree, and back to all. */
void rl_needs_sum(rl_needs *needs, rl_part part, double numbers);

/* A matrix of so many elements is dealt out anew by pdgemr2d: all but a rank's own part travels, to one rank after the
 * other, once all have agreed on a communicator, on their places in it and on either layout. */
void rl_needs_dealing(rl_needs *needs, rl_part part, double elements);

#endif
