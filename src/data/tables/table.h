/* Private to `data`: what is said of a cell that is no number. */
#ifndef RL_DATA_TABLE_H
#define RL_DATA_TABLE_H

#include "ridgeless/data.h"

/* Fails with RL_ERR_INPUT and a message that names file, line and column, says what the cell may have been meant to be,
 * and which key of a study file reads it so. */
rl_status rl_table_fail_cell(const rl_table *table, int row, int column, const rl_table_choice *choice);

#endif
