/* Private to `spectrum`: the largest eigenvalues of inverses of a family of nested positive definite matrices, several
 * side by side, so that triangular solves run at the speed of matrix products. */
#ifndef RL_SPECTRUM_INVERSE_LANCZOS_H
#define RL_SPECTRUM_INVERSE_LANCZOS_H

#include "ridgeless/arena.h"

enum {
    RL_GROUP = 16,     /* matrices side by side */
    RL_GROUP_SPAN = 32 /* rows that lie between the first and the last of them, at most */
};

/* Matrix j of the family is, with T the triangle,
 *   growing blocks (lower = false): the leading block of order active[j] of T^T T, T upper triangular;
 *   appended rows (lower = true):   T T^T + the sum of x x^T over the first active[j] of n_rows vectors x, T lower
 *                                   triangular; `solved` holds T^-1 x as columns. */
typedef struct rl_family {
    bool lower;
    int order;
    const double *triangle;
    int ld;
    int n_rows;
    const double *solved; /* [order, n_rows] */
    const double *small;  /* [n_rows, n_rows], ld = RL_GROUP_SPAN: U with U^T U = I + solved^T solved */
    double tolerance;     /* of the eigenvalues, relative, in units of eps; at least a few */
    int n_members;        /* at most RL_GROUP */
    int active[RL_GROUP];
} rl_family;

/* Buffers for families of up to max_order. */
typedef struct rl_lanczos {
    double *now, *before, *next; /* [max_order, RL_GROUP] */
    double *rows;                /* [RL_GROUP_SPAN, RL_GROUP] */
} rl_lanczos;
void rl_lanczos_list_arrays(rl_arena *arena, rl_lanczos *lanczos, int max_order);

/* largest[j]: the largest eigenvalue of the inverse of member j, to the tolerance and what the solves lose; NaN when it
 * did not converge or left the range of numbers. Lanczos without reorthogonalization, which costs extreme eigenvalues
 * nothing (Paige 1980). The start is the same for every call. */
void rl_inverse_lanczos(rl_lanczos *lanczos, const rl_family *family, double *largest);

#endif
