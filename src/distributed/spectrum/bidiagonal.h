/* bidiagonal: singular values of an upper bidiagonal matrix, and what is multiplied by its singular vectors. Private to
 * `distributed`; all functions are local.
 *
 * The implicit QR iteration of Golub and Kahan (1965) with the zero shifts, the criteria of convergence and the
 * direction of Demmel and Kahan (1990), which give each singular value, however small, to high relative accuracy. Where
 * all singular values of a block are of one scale, many sweeps run side by side (Braman, Byers and Mathias 2002), and
 * singular values are taken off as soon as the last rows show that they have converged. The rotations are applied many
 * sweeps at a time. */
#ifndef RL_BIDIAGONAL_H
#define RL_BIDIAGONAL_H

#include "operands.h"

/* B = U S V^T for B = bidiag(d [n], e [n - 1]) upper, all finite: d becomes the singular values, descending, e is
 * destroyed, and the operands are multiplied by P = V and Q = U, whose columns stay paired, also where singular values
 * are equal or zero. The same bits of d whatever the operands are. *converged: false when the iteration takes more than
 * 6 n^2 rotations of a side (n^2 are many); then d and the operands hold nothing of use. */
rl_status rl_bidiagonal_diagonalize(int n, double *d, double *e, const rl_operands *operands, bool *converged);

/* Bytes that it allocates meanwhile. Of the operands the sizes count. */
size_t rl_bidiagonal_bytes(int n, const rl_operands *operands);

#endif
