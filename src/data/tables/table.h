/* Private to `data`: what is said of a cell that is no number, and of a line that is no row. */
#ifndef RL_DATA_TABLE_H
#define RL_DATA_TABLE_H

#include "ridgeless/data.h"

/* Fails with RL_ERR_INPUT and a message that names file, line and column, says what the cell may have been meant to be,
 * and which key of a study file reads it so. */
rl_status rl_table_fail_cell(const rl_table *table, int row, int column, const rl_table_choice *choice);

/* Writes "`skip_lines: [2, 4-6, 9]`" into `key`, and returns it: the lines that the format skips, and one more. */
enum { RL_SKIP_KEY = 160 };
const char *rl_table_skip_key(const rl_table_format *format, int line, char key[RL_SKIP_KEY]);

#endif
