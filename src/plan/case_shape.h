/* Private to `plan`: how a case lies on a process grid. */
#ifndef RL_PLAN_CASE_SHAPE_H
#define RL_PLAN_CASE_SHAPE_H

#include "ridgeless/case_cost.h"

enum { RL_CASE_TARGETS = 3 }; /* y, y*, y - y* */

/* A matrix A [rows, columns], rows >= columns, bordered by `left` columns and `right` rows, which are turned with it.
 * Of a curve, A is X^T and its left border has all that is no triangle: later rows, beta*, population. */
typedef struct rl_case_shape {
    int64_t rows, columns, left, right;
    int64_t block;
    int64_t ranks, grid_rows, grid_columns;
    int64_t z_rows; /* rows of Z, dealt out whole: test rows, population, beta*; 0 of a curve */
    bool wide;      /* n_train < n_features: A is X^T, and the left border what becomes Z */
    bool qr_first;
} rl_case_shape;

rl_case_shape rl_case_shape_of(const rl_case_sizes *c, int64_t ranks);

/* The largest part of a rank: rows or columns of n in blocks over so many processes; a leading dimension; elements of a
 * matrix on the grid, and of one whose rows are dealt out whole. */
int64_t rl_share(int64_t n, int64_t block, int64_t processes);
int64_t rl_local_elements(const rl_case_shape *s, int64_t rows, int64_t columns);
int64_t rl_dealt_elements(const rl_case_shape *s, int64_t rows, int64_t columns);

/* Elements of the work arrays: of factorizations by panels; of pdgebrd and pdormbr; of pdgesvd. */
int64_t rl_panel_work(const rl_case_shape *s);
int64_t rl_bidiagonal_work(const rl_case_shape *s);
int64_t rl_pdgesvd_work(const rl_case_shape *s);

/* What `distributed` holds against the limit: no query is safe to ask beyond it. */
int64_t rl_pdgesvd_work_bound(const rl_case_shape *s);

/* Bytes at most on one rank. */
double rl_case_bytes(const rl_case_sizes *c, int64_t ranks);

#endif
