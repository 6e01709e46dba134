/* What is transformed while a matrix on one rank is made simpler by orthogonal matrices, A = Q D P^T. Private to
 * `distributed`. */
#ifndef RL_OPERANDS_H
#define RL_OPERANDS_H

#include "../matrix/lanes.h"
#include "ridgeless/core.h"

/* rows := rows P and columns := Q^T columns, or with rows_left the other way round, rows := rows Q and columns :=
 * P^T columns. Borrowed arrays, column-major. */
typedef struct rl_operands {
    bool rows_left;
    double *rows; /* [n_rows, n], any number of them, also 0; rows up to rl_whole_lanes(n_rows) are transformed too */
    int n_rows;
    int ld_rows;     /* at least rl_whole_lanes(n_rows) */
    double *columns; /* [n, n_columns], ld = n; a few */
    int n_columns;
    bool keep_columns; /* they are not multiplied after all: another rank has them */
    int max_lanes;     /* doubles of a vector register to be used at most, for tests; 0: all */
} rl_operands;

#endif
