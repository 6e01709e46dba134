/* Private to `plan`: what a grid costs, predicted from its sizes. */
#ifndef RL_PLAN_COST_H
#define RL_PLAN_COST_H

#include "ridgeless/plan.h"

/* Sets the grid's way and producer. */
void rl_choose_way(const rl_study *study, rl_grid *grid);

/* Flops of sizes [first, first + n_sizes) of one curve in the grid's way, counting a multiplication and an addition as
 * two. */
double rl_curve_flops(const rl_grid *grid, int first, int n_sizes);

/* Bytes of the buffers that compute one curve on one rank, and of its record. The rows of the repeat come on top (see
 * rl_rows_bytes), also on a process grid. */
size_t rl_buffer_bytes(const rl_grid *grid);
size_t rl_record_bytes(const rl_grid *grid);

/* Bytes of the histograms of a summary, with the records that wait for them; 0 where none is kept. */
size_t rl_summary_bytes(const rl_grid *grid);

#endif
