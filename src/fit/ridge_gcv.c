/* The ablation `ridge_gcv`: ridge with the penalty whose generalized cross-validation is least (Golub, Heath and Wahba
 * 1979, Technometrics 21, 215), N |g c|^2 / (sum of g)^2 with g_r = lambda / (sigma_r^2 + lambda), and 1 for what is
 * outside the modes. The training rows alone decide. */
#include <math.h>

#include "../clones.h"
#include "search.h"

/* Squares relative to the largest singular value. */
typedef struct trial {
    int n;                     /* modes that are not zero */
    const double *squares, *c; /* [n]: (sigma / sigma_1)^2, and the targets */
    double rest, outside;      /* squared length of the target outside these modes; and how many rows are so */
} trial;

static RL_CLONES void add_up(int n, const double *squares, const double *c, double penalty, double *share,
                             double *left) {
    RL_INDEPENDENT for (int r = 0; r < n; r++) {
        share[r] = penalty / (squares[r] + penalty);
        left[r] = (share[r] * c[r]) * (share[r] * c[r]);
    }
}

static double cross_validate(const void *of, double log_penalty) {
    enum { SOME = 256 };
    const trial *const t = of;
    const double penalty = exp(log_penalty);
    double share[SOME], left[SOME], sum = t->rest, shares = t->outside;
    for (int first = 0; first < t->n; first += SOME) {
        const int n = t->n - first < SOME ? t->n - first : SOME;
        add_up(n, t->squares + first, t->c + first, penalty, share, left);
        for (int r = 0; r < n; r++) {
            shares += share[r];
            sum += left[r];
        }
    }
    return sum / (shares * shares);
}

static double choose_by_gcv(rl_evaluator *e, const rl_spectrum *s, const rl_variant *variant) {
    const double *const c = s->c[RL_TARGET_Y];
    trial of = {s->rank, e->trial, c, s->outside_sq[RL_TARGET_Y], s->n_train - s->rank};
    (void)variant;
    if (s->rank == 0) return 0;
    for (int r = 0; r < s->rank; r++) e->trial[r] = (s->sigma[r] / s->sigma[0]) * (s->sigma[r] / s->sigma[0]);
    for (int r = s->rank; r < s->n_modes; r++) of.rest += c[r] * c[r];
    const rl_penalties range = rl_penalties_of(s);
    const double unit = 2 * log(s->sigma[0]);
    return exp(rl_least_at(cross_validate, &of, range.least - unit, range.most - unit) + unit);
}

const rl_ablation rl_ablation_ridge_gcv = {
    .name = "ridge_gcv",
    .summary = "ridge regression with the penalty that generalized cross-validation chooses",
    .role = RL_ROLE_CURE,
    .example = "ridge: gcv",
    .approaches_least_squares = true,
    .is_linear = true,
    .fit = rl_fit_ridge,
    .choose = choose_by_gcv,
};
