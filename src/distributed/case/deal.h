/* deal: rows of a table that stays in its file. Private to `distributed`. */
#ifndef RL_DEAL_H
#define RL_DEAL_H

#include "../matrix/block_matrix.h"
#include "../matrix/needs.h"

/* What rl_case.deal is for a dataset in blocks; `rows`: its rl_rows. Collective on the matrix's grid, of which rank 0
 * reads the file, each row once. A failure to read is that of all ranks. */
rl_status rl_deal_rows(const void *rows, rl_block_matrix *matrix, rl_placement to);

/* Local. The case of the first rows of an order, without y. Borrows `rows`. */
rl_case rl_case_of_rows(const rl_rows *rows, int n_train, int n_test);

/* Local. What rl_dataset_case_create allocates for such a case. */
void rl_dataset_case_needs(const rl_case *c, rl_needs *needs);

#endif
