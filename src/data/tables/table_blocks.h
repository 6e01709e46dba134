/* Private to `data`: how the features of a table lie in its NetCDF file. */
#ifndef RL_DATA_TABLE_BLOCKS_H
#define RL_DATA_TABLE_BLOCKS_H

#include "../dataset.h"
#include "netcdf_variable.h"

/* Some features of a table, side by side: those of one variable. */
typedef struct rl_table_part {
    const rl_nc_variable *variable; /* borrowed */
    int without;                    /* a column of it that is left out; -1: none */
} rl_table_part;

/* Sets dataset->file.layout to a text that says how the features are read: from these parts, one after the other, with
 * these missing values (NULL: the study names none). */
rl_status rl_table_layout_write(const rl_table_part *parts, int n, const rl_missing *marks, rl_dataset *dataset);

/* As rl_table_blocks_open, without a check that the file is the one that was loaded. `blame` is the status of a failure
 * to read it. */
rl_status rl_table_blocks_open_as(const rl_dataset *dataset, rl_status blame, rl_table_blocks **blocks);

/* Marks in missing[count] which of the rows that were read (from `first` on) miss a value. RL_ERR_INPUT says of the
 * first value that may not be used where it is, in rows that are not marked. */
rl_status rl_table_blocks_sift(const rl_table_blocks *blocks, int first, int count, const double *rows, bool *missing);

#endif
