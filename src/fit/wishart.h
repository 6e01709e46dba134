/* Private to `fit`: exact expectations over the singular values of a matrix of independent standard normal numbers. */
#ifndef RL_FIT_WISHART_H
#define RL_FIT_WISHART_H

typedef struct rl_wishart_tail {
    double count;   /* expected number of singular values >= cutoff */
    double inverse; /* expected sum of 1 / sigma^2 over these; INFINITY where it diverges */
} rl_wishart_tail;

/* The expectations for an n x m matrix, 1 <= n <= m, and a cutoff >= 0, in O(m) operations. The relative accuracy is 50
 * m eps, far out in the tails too. A cutoff whose square underflows counts as 0. */
rl_wishart_tail rl_wishart_tail_of(int n, int m, double cutoff);

#endif
