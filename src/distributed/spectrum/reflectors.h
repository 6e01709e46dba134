/* reflectors: I - tau v v^T, made and applied. Private to `distributed`; all functions are local.
 *
 * They are applied to blocks small enough for the cache. On blocks of these shapes BLAS's matrix-vector routines spend
 * most of their time on other things; and here the bits do not depend on the processor. */
#ifndef RL_REFLECTORS_H
#define RL_REFLECTORS_H

/* The reflector that makes (first, 0, 0, ...) of v [length], which becomes its v, v[0] = 1. Returns tau. */
double rl_reflector_make(int length, double *v, double *first);

/* block [rows, columns], column-major, becomes block (I - tau v v^T), v [columns]. Each row on its own. */
void rl_reflect_right(int rows, int columns, double *block, int ld, const double *v, double tau);

/* It becomes (I - tau v v^T) block, v [rows]. */
void rl_reflect_left(int rows, int columns, double *block, int ld, const double *v, double tau);

#endif
