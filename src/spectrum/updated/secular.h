/* Private to `spectrum`: the singular value decomposition of a diagonal matrix with one more row,
 *
 *     M = [diag(d); z^T],  d strictly descending, z without zeros.
 *
 * Its squared singular values are the roots of 1 + sum_j z_j^2 / (d_j^2 - s^2) = 0, one above every pole d_j^2. Each
 * root is held as its distance from the nearest pole, from which all d_j^2 - s_i^2 have nearly full relative accuracy;
 * from those comes the row z for which the roots are exact, and with that row vectors that are orthogonal to working
 * precision however close the poles are (Gu and Eisenstat 1995, "A divide-and-conquer algorithm for the bidiagonal
 * SVD"). LAPACK's dlasd4 finds such roots one after the other; here several go side by side, for speed.
 *
 * Where the last of d is 0 its row of M may just as well not be there: that is how a column without a row is added. */
#ifndef RL_SPECTRUM_SECULAR_H
#define RL_SPECTRUM_SECULAR_H

#include "ridgeless/arena.h"

enum { RL_SECULAR_LANES = 8 }; /* of the widest registers */

typedef struct rl_secular rl_secular;

/* For registers of so many numbers; the same bits from all. */
typedef struct rl_secular_kernel {
    /* The singular values. pole + pole_low = d^2 and z [n], n >= 1, in any units of which the fourth powers are in
     * range. false: an iteration did not converge. */
    bool (*solve)(rl_secular *q, int n, const double *pole, const double *pole_low, const double *z);
    /* Their right singular vectors: v [n, n], column-major. */
    void (*fill_vectors)(rl_secular *q, double *v, int ld);
    /* column_j /= (pole_j + low_j) - (root + root_low), j < n; the largest quotient of weight_j. */
    double (*divide)(int n, const double *pole, const double *low, double root, double root_low, const double *weight,
                     double *column);
} rl_secular_kernel;
extern const rl_secular_kernel rl_secular_kernel_2, rl_secular_kernel_4, rl_secular_kernel_8;

struct rl_secular {
    const rl_secular_kernel *kernel;
    int max_order, n;
    double *sigma;           /* [n]: of M, descending */
    double *root, *root_low; /* [n]: their squares, root + root_low to twice the working precision */
    double *pole, *pole_low; /* [n]: squares of d, likewise; here and below scaled by a power of two */
    double *d, *z;           /* [n]: and the row for which the roots are exact */
    double *z_sq;            /* [n] */
    double *base, *base_low; /* [n]: the pole next to root i */
    double *offset;          /* [n]: sigma_i^2 less that */
    double *length;          /* [n]: of the right singular vectors before they are normalized */
    double *scale;           /* [n]: what the left ones are multiplied by */
    double *column;          /* [n] */
    double units;            /* one unit of the scaled numbers */
};

/* For orders up to max_order, without its arrays, which are listed by the second function. max_lanes 0: as many as the
 * processor has. */
rl_secular rl_secular_sizes(int max_order, int max_lanes);
void rl_secular_list_arrays(rl_arena *arena, void *secular);

/* c_i = u_i . [above; last] for all left singular vectors u_i, and in *outside what is left of the vector: its part
 * along the direction that no column of M reaches, where all of d are above 0. room [n]; c may be `above`. */
void rl_secular_project(const rl_secular *q, const double *v, int ld, const double *above, double last, double *room,
                        double *c, double *outside);

#endif
