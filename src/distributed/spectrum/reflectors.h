/* reflectors: I - tau v v^T, made and applied. Private to `distributed`; all functions are local.
 *
 * They are applied to blocks small enough for the cache. On blocks of these shapes BLAS's matrix-vector routines spend
 * most of their time on other things; and here the bits do not depend on the processor. */
#ifndef RL_REFLECTORS_H
#define RL_REFLECTORS_H

#include <stddef.h>

/* The reflector that makes (first, 0, 0, ...) of v [length], which becomes its v, v[0] = 1. Returns tau. */
double rl_reflector_make(int length, double *v, double *first);

/* block [rows, columns], column-major, becomes block (I - tau v v^T), v [columns]. Each row on its own. */
void rl_reflect_right(int rows, int columns, double *block, int ld, const double *v, double tau);

/* It becomes (I - tau v v^T) block, v [rows]. */
void rl_reflect_left(int rows, int columns, double *block, int ld, const double *v, double tau);

/* Some reflectors applied from the right, one after the other, each beginning one column after the one before it: a
 * column is loaded and stored once for all of them. They are packed before, v [width] and tau of each adjacent, as far
 * as `columns` columns reach, into `packed` of so many doubles. */
enum { RL_REFLECTORS = 4 };
size_t rl_reflectors_length(int columns);
void rl_reflectors_pack(int columns, int width, const double *v, const double *tau, double *packed);

/* block [rows, columns], rows a multiple of 16, is multiplied by all of them. Each row on its own. */
void rl_reflectors_apply(int rows, int columns, double *block, int ld, const double *packed);

#endif
