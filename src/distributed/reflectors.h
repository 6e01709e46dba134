/* reflectors: I - tau v v^T applied to a block small enough for the cache, from either side. Private to `distributed`;
 * all functions are local. On blocks of these shapes BLAS's matrix-vector routines spend most of their time on other
 * things. */
#ifndef RL_REFLECTORS_H
#define RL_REFLECTORS_H

/* block [rows, columns], column-major, becomes block (I - tau v v^T), v [columns]. Each row on its own. */
void rl_reflect_right(int rows, int columns, double *block, int ld, const double *v, double tau);

/* It becomes (I - tau v v^T) block, v [rows]. */
void rl_reflect_left(int rows, int columns, double *block, int ld, const double *v, double tau);

#endif
