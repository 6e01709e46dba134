/* Deterministic equivalents of the test error: see theory.h. Features are in units of the largest second moment's root,
 * so that no square leaves the range of numbers. */
#include <math.h>
#include <stdlib.h>

#include "../numbers.h"
#include "ridgeless/theory.h"

/* What kappa comes to. */
typedef struct equivalent {
    double kappa;
    double bias;     /* mean square of the test residuals of the fit's mean */
    double residual; /* mean square of the training targets' residuals */
    double signal;   /* what acts as noise, too, because it is not learned */
    double trace;    /* tr(Sigma S (S + kappa)^-2) */
    double df2, df3; /* sum_j (s_j / (s_j + kappa))^2, and of third powers */
} equivalent;

/* s_j, in units of the largest. */
static double moment(const rl_spectrum *s, int j) {
    const double part = s->sigma[j] / s->sigma[0];
    return part * part;
}

static double unit_of(const rl_moments *m) {
    return m->spectrum->sigma[0] / sqrt(m->n_train_rows * m->kept);
}

static double sum_of_shares(const rl_spectrum *s, double kappa) {
    double sum = 0;
    for (int j = 0; j < s->rank; j++) sum += moment(s, j) / (moment(s, j) + kappa);
    return sum;
}

/* By bisection of its logarithm: the sum falls with kappa, and is at most (trace + lambda) / kappa. */
static double solve_kappa(const rl_spectrum *s, int n_train, double lambda) {
    double trace = 0;
    if (lambda == 0 && n_train >= s->rank) return 0;
    for (int j = 0; j < s->rank; j++) trace += moment(s, j);
    double high = log((trace + lambda) / n_train), low = high - 700;
    for (int i = 0; i < 64; i++) {
        const double middle = (low + high) / 2, kappa = exp(middle);
        *(sum_of_shares(s, kappa) + lambda / kappa > n_train ? &low : &high) = middle;
    }
    return exp((low + high) / 2);
}

static double sum_of_squares(int n, const double *z, double unit) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (z[i] / unit) * (z[i] / unit);
    return sum;
}

/* Adds what mode j has to the sums, and its part of the fit to the predictions in m->room. */
static void take_mode(const rl_moments *m, int j, double kappa, equivalent *e) {
    const rl_spectrum *s = m->spectrum;
    const double c = s->c[m->target][j], *const z = s->z + (size_t)j * (size_t)s->ldz;
    const double below = moment(s, j) + kappa, share = moment(s, j) / below, left = kappa / below * c;
    const double fit = share * (c / s->sigma[j]);
    for (int i = 0; i < s->m; i++) m->room[i] += z[i] * fit;
    e->signal += left * left / m->kept;
    e->df2 += share * share;
    e->df3 += share * share * share;
    e->trace += sum_of_squares(s->m, z, s->sigma[0]) * (share / below);
}

static equivalent equivalent_at(const rl_moments *m, int n_train, double lambda) {
    const rl_spectrum *s = m->spectrum;
    const double unit = unit_of(m), kappa = solve_kappa(s, n_train, lambda / unit / unit);
    const double *const c = s->c[m->target];
    equivalent e = {.kappa = kappa, .residual = s->outside_sq[m->target]};
    for (int i = 0; i < s->m; i++) m->room[i] = -s->z_target[m->target][i];
    for (int j = 0; j < s->rank; j++) take_mode(m, j, kappa, &e);
    for (int j = s->rank; j < s->n_modes; j++) e.residual += c[j] * c[j];
    for (int i = 0; i < s->m; i++) e.bias += m->room[i] * m->room[i] / m->n_test_rows;
    e.residual /= m->n_train_rows;
    if (m->target == RL_TARGET_IDEAL) e.residual = 0; /* but for rounding it is */
    e.signal /= m->n_train_rows;
    e.trace *= m->n_train_rows * m->kept / m->n_test_rows;
    return e;
}

/* ---- the mean ---------------------------------------------------------------------------------------------------- */

/* By how much noise is amplified by n directions that are learned, where d more rows or directions are free: the limit
 * 1 + n / d, or exactly 1 + E n / (d - 1). Where d is below 2 there may be further scales, which bound the law: it goes
 * over into its limit. */
static double amplify_exactly(double n, double d) {
    return 1 + n / fmax(d - 1, d / (1 + fmin(d, 1)));
}

/* Without a penalty. The spectrum is taken for `learned` modes that are learned, and one more scale, of whose modes
 * `partly` are learned, each by `share`: the numbers follow from df2 and df3. */
static double exact_mean(const equivalent *e, int n_train, int rank) {
    const double free_rows = n_train - e->df2, share = n_train < rank ? (e->df2 - e->df3) / free_rows : 0;
    const double partly = free_rows / (1 - share), learned = n_train - partly;
    const double below = amplify_exactly(learned, partly);
    const double beside = share > 0 ? amplify_exactly(partly, partly * (1 - share) / share) : 1;
    const double part = e->trace / e->df2;
    return e->bias + part * (e->residual * (below * beside - 1) + e->signal * (below / (1 - share) - 1));
}

double rl_equivalent_mean(const rl_moments *m, int n_train, double lambda) {
    const int rank = m->spectrum->rank;
    const equivalent e = equivalent_at(m, n_train, lambda);
    if (lambda > 0) return e.bias + e.trace * (e.residual + e.signal) / (n_train - e.df2);
    if (e.residual + e.signal == 0) return e.bias;
    if (abs(n_train - rank) <= 1 && e.residual > 0) return INFINITY;
    return exact_mean(&e, n_train, rank);
}

/* ---- the median -------------------------------------------------------------------------------------------------- */

/* Over how many directions the error is spread: tr(W)^2 / tr(W^2) of W = D Sigma D, D^2 = S (S + kappa)^-2. */
static double count_directions(const rl_moments *m, double kappa) {
    const rl_spectrum *s = m->spectrum;
    const int k = s->rank;
    double trace = 0, square = 0;
    for (int j = 0; j < k; j++) m->weights[j] = sqrt(moment(s, j)) / (moment(s, j) + kappa);
    for (int j = 0; j < k; j++)
        for (int i = 0; i < k; i++) {
            const double w = m->weights[i] * m->cross[i + (size_t)j * (size_t)s->n_modes] * m->weights[j];
            square += w * w;
            if (i == j) trace += w;
        }
    return trace * trace / square;
}

double rl_equivalent_median(const rl_moments *m, int n_train, double lambda) {
    const rl_spectrum *s = m->spectrum;
    const equivalent e = equivalent_at(m, n_train, lambda);
    if (e.residual + e.signal == 0) return e.bias;
    const double n = rl_smaller(n_train, s->rank), d = n * fmax(n_train - e.df2, 0) / e.df2;
    const double law = rl_f_median(fmin(n, count_directions(m, e.kappa)), d + 1) / (d + 1);
    return e.bias + e.trace / e.df2 * n * law * (e.residual + e.signal);
}
