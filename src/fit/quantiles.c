/* Quantiles that the theory of typical training sets needs: the median of Fisher's F, and chi^2. */
#include <float.h>
#include <math.h>

#include "ridgeless/theory.h"

/* ---- Fisher's F -------------------------------------------------------------------------------------------------- */

/* The continued fraction of the incomplete beta function (NIST DLMF 8.17.22), by Lentz's method. */
static double beta_fraction(double a, double b, double x) {
    double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), fraction = d, factor = 0;
    for (int k = 1; fabs(factor - 1) > 4 * DBL_EPSILON; k++) {
        const double even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k));
        const double odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
        d = 1 / (1 + even * d);
        c = 1 + even / c;
        fraction *= c * d;
        d = 1 / (1 + odd * d);
        c = 1 + odd / c;
        factor = c * d;
        fraction *= factor;
    }
    return fraction;
}

/* P(B <= x) of B ~ Beta(a, b), where the odds are x / (1 - x). */
static double beta_below(double a, double b, double odds) {
    const double x = odds / (1 + odds), y = 1 / (1 + odds);
    const double scale = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
    return x < (a + 1) / (a + b + 2) ? scale * beta_fraction(a, b, x) / a : 1 - scale * beta_fraction(b, a, y) / b;
}

double rl_f_median(double a, double b) {
    double low = -700, high = 700; /* of the logarithm of the odds */
    for (int i = 0; i < 64; i++) {
        const double middle = (low + high) / 2;
        *(beta_below(a / 2, b / 2, exp(middle)) < 0.5 ? &low : &high) = middle;
    }
    return b / a * exp((low + high) / 2);
}

/* ---- chi^2 ------------------------------------------------------------------------------------------------------- */

/* P(chi^2_k <= x), by the series of the incomplete gamma function (NIST DLMF 8.11.4). */
static double chi_squared_below(double k, double x) {
    const double a = k / 2, z = x / 2;
    double term = 1, sum = 1;
    for (int i = 1; term > sum * DBL_EPSILON; i++) {
        term *= z / (a + i);
        sum += term;
    }
    return z > 0 ? sum * exp(a * log(z) - z - lgamma(a + 1)) : 0;
}

double rl_normal_share_kept(int p, double kept) {
    double low = 0, high = p + 40 * sqrt(2.0 * p) + 100;
    if (kept >= 1) return 1;
    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;
        *(chi_squared_below(p, middle) < kept ? &low : &high) = middle;
    }
    return chi_squared_below(p + 2.0, (low + high) / 2) / kept;
}
