/* reflectors: I - tau v v^T, made and applied. Private to `distributed`; all functions are local.
 *
 * They are applied to blocks small enough for the cache. On blocks of these shapes BLAS's matrix-vector routines spend
 * most of their time on other things. The bits do not depend on the width of the registers, but where a processor has
 * no fused multiply-add of 4 or 8 doubles they are others. */
#ifndef RL_REFLECTORS_H
#define RL_REFLECTORS_H

#include <stddef.h>

/* The reflector that makes (first, 0, 0, ...) of v [length], which becomes its v, v[0] = 1. Returns tau. */
double rl_reflector_make(int length, double *v, double *first);

/* block [rows, columns], column-major, becomes (I - tau v v^T) block, v [rows]. */
void rl_reflect_left(int rows, int columns, double *block, int ld, const double *v, double tau);

/* ---- a step of a sweep ------------------------------------------------------------------------------------------- */

/* Columns are `stride` apart. Whole pieces of RL_ROWS_TOGETHER rows are worked on, from one that begins a line of the
 * cache: rows around the block must be there, and stay what they are. */
enum { RL_ROWS_TOGETHER = 8 };
typedef struct rl_block {
    int rows, columns;
    double *a;
    ptrdiff_t stride;
    int max_lanes; /* doubles of a vector register to be used at most, for tests; 0: all. 4 and 8 give the same bits */
} rl_block;

/* Doubles of room for blocks of up to so many rows and columns. */
size_t rl_block_room(int width);

/* The block, which waits for a reflector from the left (v [rows], tau_v), becomes (I - tau_v v v^T) block
 * (I - tau_u u u^T) with u [columns], v and u with first element 1: u is made so that nothing of the first row remains
 * but its first element. Returns tau_u. Read and written once for both. */
double rl_block_reflect_above(const rl_block *b, const double *v, double tau_v, double *u, double *room);

/* The block becomes (I - tau_v v v^T) block (I - tau_u u u^T): u is given, v made so that nothing of the first column
 * remains but its first element. Returns tau_v. */
double rl_block_reflect_diagonal(const rl_block *b, const double *u, double tau_u, double *v, double *room);

/* ---- some at once ------------------------------------------------------------------------------------------------ */

/* Some reflectors applied from the right, one after the other, each beginning one column after the one before it: a
 * column is loaded and stored once for all of them. They are packed before, v [width] and tau of each adjacent, as far
 * as `columns` columns reach, into `packed` of so many doubles. */
enum { RL_REFLECTORS = 4 };
size_t rl_reflectors_length(int columns);
void rl_reflectors_pack(int columns, int width, const double *v, const double *tau, double *packed);

/* block [rows, columns], rows a multiple of 16, is multiplied by all of them. Each row on its own. */
void rl_reflectors_apply(int rows, int columns, double *block, int ld, const double *packed, int max_lanes);

/* ---- for the kernels --------------------------------------------------------------------------------------------- */

/* A column times a row. */
typedef struct rl_product {
    const double *rows, *columns;
} rl_product;

/* Whole pieces of rows: out [columns] = block^T v; out [rows] = block v; the block less two products. */
typedef void rl_block_multiply_kernel(const rl_block *b, const double *v, double *out);
typedef void rl_block_subtract_kernel(const rl_block *b, const rl_product *one, const rl_product *two);
typedef void rl_reflectors_kernel(int rows, int columns, double *block, ptrdiff_t stride, const double *packed);
rl_block_multiply_kernel rl_block_left_2, rl_block_left_4, rl_block_left_8;
rl_block_multiply_kernel rl_block_right_2, rl_block_right_4, rl_block_right_8;
rl_block_subtract_kernel rl_block_subtract_2, rl_block_subtract_4, rl_block_subtract_8;
rl_reflectors_kernel rl_reflectors_apply_2, rl_reflectors_apply_4, rl_reflectors_apply_8;

#endif
