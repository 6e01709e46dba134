/* The eigenvalues x = sigma^2 of the real Wishart (Laguerre orthogonal) ensemble: n of them, weight x^((a-1)/2)
 * e^(-x/2), a = m - n. With the Laguerre functions phi_k(x) = sqrt(k! / (k+a)!) x^(a/2) e^(-x/2) L_k^a(x), orthonormal
 * on (0, inf), and b_k = sqrt(k (k+a)), psi_k = phi_k / sqrt(x), H_k(x) = int_x^inf psi_k, I_k = H_k(0), their density
 * is exactly
 *
 *   sum_{k <= n-2} phi_k^2 + b_{n-1} psi_{n-1} (H_{n-2} - I_{n-2} / 2) / 2    for even n
 *   sum_{k <= n-2} phi_k^2 + b_{n-1} psi_{n-1} H_{n-2} / 2 + psi_{n-1} / I_{n-1}    for odd n
 *
 * (Adler, Forrester, Nagao and van Moerbeke 2000, "Classical skew orthogonal polynomials and random matrices";
 * Forrester 2010, "Log-gases and random matrices", chapter 6). Its integral over [s, inf), and that of the density over
 * x, need no quadrature. With all integrals from s on,
 *
 *   A_k = int phi_k^2            E_k = int phi_k^2 / x    C_k = int phi_k phi_{k-1} / x
 *   J_k = int psi_k H_{k-1}      P_k = int psi_k / x      D_k = int psi_k H_k / x
 *   U_k = int psi_k H_{k-1} / x
 *
 * follow by recurrences in k from the three-term relation x phi_k = -b_{k+1} phi_{k+1} + (2k+a+1) phi_k - b_k
 * phi_{k-1}, the derivative 2 x phi_k' = b_{k+1} phi_{k+1} - phi_k - b_k phi_{k-1}, and integration by parts. Rounding
 * errors do not grow: the factors b_k / b_{k+1} stay below 1. */
#include <float.h>
#include <math.h>

#include "filter.h"

/* ---- where the recurrences start --------------------------------------------------------------------------------- */

/* Gamma(p, z) / Gamma(p) for p = twice_p / 2 and z > 0: a sum of positive terms, upwards from p = 1/2 or 1. */
static double upper_gamma(int twice_p, double z) {
    double p = twice_p % 2 == 0 ? 1 : 0.5, sum = twice_p % 2 == 0 ? exp(-z) : erfc(sqrt(z));
    for (double term = 1; 2 * p < twice_p && (term > 0 || p < z); p++) {
        term = exp(p * log(z) - z - lgamma(p + 1));
        sum += term;
    }
    return sum;
}

/* By its continued fraction (Lentz's method). */
double rl_scaled_exponential_integral(double s, double z) {
    double b = z + s, c = INFINITY, d = 1 / b, fraction = d, factor = 0;
    for (int k = 1; fabs(factor - 1) > 4 * DBL_EPSILON; k++) {
        const double a = -k * (s - 1 + k);
        b += 2;
        d = 1 / (a * d + b);
        c = b + a / c;
        factor = c * d;
        fraction *= factor;
    }
    return fraction;
}

/* int_z^inf e^-x / x, by its series or by its continued fraction. */
static double exponential_integral(double z) {
    static const double euler = 0.57721566490153286061;
    if (z <= 1) {
        double sum = -euler - log(z), term = -1;
        for (int k = 1; fabs(term) > DBL_EPSILON * 1e-3; k++) {
            term *= -z / k;
            sum += term / k;
        }
        return sum;
    }
    return rl_scaled_exponential_integral(1, z) * exp(-z);
}

/* ---- recurrences ------------------------------------------------------------------------------------------------- */

/* A quantity at degree k - 1 (last) and at degree k (now). */
typedef struct pair {
    double last, now;
} pair;

typedef struct tail {
    double a, s, root; /* root = sqrt(s) */
    int k;
    /* phi_k is scaled.now 2^exponent: phi of low degrees may be far below the smallest double. */
    pair scaled;
    double exponent;             /* a whole number */
    pair phi, total, h, p, e, d; /* total: I_k */
    pair u;                      /* U_{k-1}, U_k */
    double area, c, j;           /* area: A_k */
    double sum_area, sum_e;      /* over the degrees before k */
} tail;

static double b(const tail *t, int k) {
    return sqrt(k * (k + t->a));
}

static void step_pair(pair *p, double next) {
    p->last = p->now;
    p->now = next;
}

static double unscale(const tail *t) {
    return ldexp(t->scaled.now, (int)fmax(t->exponent, -10000));
}

static void start_functions(tail *t) {
    const double a = t->a, logarithm = (a * log(t->s) - t->s - lgamma(a + 1)) / 2;
    t->exponent = floor(logarithm / M_LN2);
    t->scaled.now = exp(logarithm - t->exponent * M_LN2);
    t->phi.now = unscale(t);
    t->total.now = exp((a + 1) / 2 * M_LN2 + lgamma((a + 1) / 2) - lgamma(a + 1) / 2);
    t->h.now = t->total.now * upper_gamma((int)a + 1, t->s / 2);
    t->area = upper_gamma(2 * (int)a + 2, t->s);
}

/* For a = 0 and 1 an integral from 0 would diverge. */
static void start_integrals(tail *t) {
    const double a = t->a, s = t->s, phi = t->phi.now, h = t->h.now;
    if (a == 0) {
        t->e.now = exponential_integral(s);
        t->p.now = 2 * phi / t->root - h;
        t->d.now = h * (2 * phi / t->root - h / 2) - 2 * t->e.now;
    } else if (a == 1) {
        t->e.now = exp(-s);
        t->p.now = exponential_integral(s / 2);
        t->d.now = 2 * exponential_integral(s);
    } else {
        t->e.now = upper_gamma(2 * (int)a, s) / a;
        t->p.now = t->total.now / (a - 1) * upper_gamma((int)a - 1, s / 2);
        t->d.now = (a - 1) / 2 * t->p.now * t->p.now + 2 * upper_gamma(2 * (int)a - 2, s) / (a * (a - 1));
    }
}

/* Returns phi_{k+1}. Steps t->scaled, but not t->phi. */
static double next_phi(tail *t) {
    const double factor = 2 * t->k + t->a + 1 - t->s;
    step_pair(&t->scaled, (factor * t->scaled.now - b(t, t->k) * t->scaled.last) / b(t, t->k + 1));
    if (fabs(t->scaled.now) > 0x1p500) {
        t->scaled.now *= 0x1p-500;
        t->scaled.last *= 0x1p-500;
        t->exponent += 500;
    }
    return unscale(t);
}

/* Steps all quantities from degree k to k + 1. */
static void advance_degree(tail *t) {
    const int k = t->k;
    const double a = t->a, s = t->s, root = t->root, below = b(t, k), above = b(t, k + 1);
    const double phi = t->phi.now, next = next_phi(t), slope = k + 1 + (a - s) / 2;
    const double h = (below * t->h.last - 2 * root * phi) / above;
    const double p = (below * t->p.last + 2 * t->p.now - 2 * phi / root) / above;
    const double e = t->e.now - phi * next / above;
    /* int phi_k phi_{k+1} is s times the Wronskian of the two */
    const double cross = 2 * slope * phi * next - above * (phi * phi + next * next);
    const double area = t->area - (s * phi * next + cross) / above;
    const double c = (next * next + (2 * (k + 1) + a) * e - area) / (2 * above);
    /* int psi_{k-1} H_k / x, and int psi_{k+1} H_{k-1} / x */
    const double down = k > 0 ? (b(t, k - 1) * t->u.last - 2 * t->e.last) / below : 0;
    const double up = (below * t->d.last + 2 * t->u.now + 2 * t->c - 2 * phi * t->h.last / root) / above;
    t->sum_area += t->area;
    t->sum_e += t->e.now;
    t->j = t->h.now * h + (2 * t->area - below * t->j) / above;
    step_pair(&t->u, (below * down + 2 * t->d.now + 2 * t->e.now - 2 * phi * t->h.now / root) / above);
    step_pair(&t->d, (below * up - 2 * c) / above);
    step_pair(&t->total, below * t->total.last / above);
    step_pair(&t->phi, next);
    step_pair(&t->h, h);
    step_pair(&t->p, p);
    step_pair(&t->e, e);
    t->area = area;
    t->c = c;
    t->k++;
}

rl_wishart_tail rl_wishart_tail_of(int n, int m, double cutoff) {
    const double a = m - n, s = cutoff * cutoff;
    if (s == 0) return (rl_wishart_tail){n, a >= 2 ? n / (a - 1) : INFINITY};
    /* P(sigma_1 > sqrt(m) + sqrt(n) + t) <= exp(-t^2 / 2): Davidson and Szarek 2001. */
    if (cutoff > sqrt(m) + sqrt(n) + 40) return (rl_wishart_tail){0, 0};
    tail t = {.a = a, .s = s, .root = cutoff};
    start_functions(&t);
    start_integrals(&t);
    while (t.k < n - 1) advance_degree(&t);
    const double half = b(&t, n - 1) / 2;
    const double rest = n % 2 == 0 ? -half * t.total.last / 2 : 1 / t.total.now;
    return (rl_wishart_tail){t.sum_area + half * t.j + rest * t.h.now, t.sum_e + half * t.u.now + rest * t.p.now};
}
