/* band: an upper band matrix to upper bidiagonal form, on one rank. Private to `distributed`; all functions are local.
 *
 * B = Q D P^T with D upper bidiagonal: Householder reflectors, made from one row and one column at a time, whose fill
 * is chased down the band in blocks of the band's width (Lang 1993; the second stage of two-stage reductions). Neither
 * Q nor P is formed: what is to be in their bases is transformed on the way, both sides in the same pass, so that
 * singular vectors of the two sides stay paired, also where singular values are equal or zero. */
#ifndef RL_BAND_H
#define RL_BAND_H

#include "operands.h"
#include "ridgeless/arena.h"

/* An upper band matrix [n, n] with `width` superdiagonals, and room for what is chased. */
typedef struct rl_band {
    int n, width;
    int stride; /* from an element to the next of its row */
    double *a;  /* a column's elements are adjacent */
} rl_band;

/* n and width >= 1; and its array, zeroed. */
rl_band rl_band_of(int n, int width);
void rl_band_list(rl_band *band, rl_arena *arena);

/* Bytes that rl_band_to_bidiagonal allocates meanwhile. */
size_t rl_band_work_bytes(const rl_band *band);

/* Element (row, column), counted from 0; -width < column - row < 2 width. */
double *rl_band_at(const rl_band *band, int row, int column);

/* The operands are multiplied by P and Q. d [n], e [n - 1]: the diagonal and superdiagonal of D. Destroys the band's
 * elements. */
rl_status rl_band_to_bidiagonal(rl_band *band, const rl_operands *operands, double *d, double *e);

/* ---- reflectors: I - tau v v^T ------------------------------------------------------------------------------- */

/* Applied to a block small enough for the cache, from either side. On blocks of these shapes BLAS's matrix-vector
 * routines spend most of their time on other things; and here the bits do not depend on the processor. */

/* The reflector that makes (first, 0, 0, ...) of v [length], which becomes its v, v[0] = 1. Returns tau. */
double rl_reflector_make(int length, double *v, double *first);

/* block [rows, columns], column-major, becomes block (I - tau v v^T), v [columns]. Each row on its own. */
void rl_reflect_right(int rows, int columns, double *block, int ld, const double *v, double tau);

/* It becomes (I - tau v v^T) block, v [rows]. */
void rl_reflect_left(int rows, int columns, double *block, int ld, const double *v, double tau);

#endif
