/* Effective ranks of a table's features, and its largest leverage: whether few directions or rows make up most of it.
 */
#ifndef RL_RESULTS_EFFECTIVE_H
#define RL_RESULTS_EFFECTIVE_H

#include "dataset.h"
#include "moments.h"

/* Of each P: [n_p, RL_N_LEFT_OUT], and [n_p]. */
typedef struct rl_effective {
    double *smaller, *larger; /* r_k and R_k; NaN where no direction is left */
    double *leverage;         /* the largest over the mean; NaN of a population */
} rl_effective;

/* To be destroyed, on failure too. */
rl_status rl_effective_create(rl_effective *effective, size_t n_p);
void rl_effective_destroy(rl_effective *effective);
size_t rl_effective_bytes(size_t n_p); /* allocated by create */

/* Takes those of index p from the spectrum of all rows. With s_j the squares of its singular values, descending,
 *
 *   r_k = sum_{j > k} s_j / s_{k + 1},   R_k = (sum_{j > k} s_j)^2 / sum_{j > k} s_j^2
 *
 * (Bartlett, Long, Lugosi and Tsigler 2020, "Benign overfitting in linear regression", PNAS 117, 30063, definition 3):
 * 1 <= r_k <= R_k <= r_k^2, and both are the number of directions where all are alike. */
void rl_effective_take(rl_effective *effective, size_t p, rl_moment_maker *table, const rl_spectrum *spectrum);

/* Arrays of the group, behind the last ones that were defined or filled. */
rl_status rl_define_effective(writer *w, const group *g);
rl_status rl_fill_effective(writer *w, const rl_effective *effective);

#endif
