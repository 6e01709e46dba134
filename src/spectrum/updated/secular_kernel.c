/* The secular equation: roots, the row for which they are exact, vectors.
 *
 * Compiled once for every width of registers, by options and LANES: target_clones comes too late for vector types. The
 * bits are those of any other width: the order of every sum and product is that of one root, or pole, alone. */
#include <float.h>
#include <math.h>

#include "../../numbers.h"
#include "secular.h"

/* TOGETHER: factors per division, as poles are at least DBL_EPSILON^2 apart and their fourth powers finite. */
enum { MAX_STEPS = 60, TOGETHER = 4 };

/* Numbers in memory need no alignment. */
typedef double number __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
typedef int64_t mask __attribute__((vector_size(8 * LANES), may_alias));

/* ---- roots ------------------------------------------------------------------------------------------------------- */

/* Roots first ... first + LANES - 1; lanes beyond the last root repeat it. Sums over poles below the root and above it
 * have one sign each, so nothing cancels in them. */
typedef struct lanes {
    int root[LANES];
    number base, base_low, eta; /* root^2 = (base + base_low) + eta */
    number low, high;           /* bounds of eta */
    number below, below_slope, above, above_slope;
    bool done[LANES];
} lanes;

static inline void add_pole(const rl_secular *q, int j, const lanes *a, number *sum, number *slope) {
    const double pole = q->pole[j], low = q->pole_low[j], z_sq = q->z_sq[j];
    const number inverse = 1 / ((pole - a->base) + (low - a->base_low) - a->eta), term = z_sq * inverse;
    *sum += term;
    *slope += term * inverse;
}

/* Poles that are above some of the roots and below others. */
static void add_pole_among(const rl_secular *q, int j, bool above, lanes *a) {
    number sum = {0}, slope = {0};
    add_pole(q, j, a, &sum, &slope);
    for (int l = 0; l < LANES; l++) {
        if ((j < a->root[l]) != above) continue;
        if (above) a->above[l] += sum[l], a->above_slope[l] += slope[l];
        if (!above) a->below[l] += sum[l], a->below_slope[l] += slope[l];
    }
}

/* From the farthest pole to the nearest on either side. */
static void evaluate_sums(const rl_secular *q, lanes *a) {
    const int first = a->root[0], last = a->root[LANES - 1];
    number sum = {0}, slope = {0};
    for (int j = 0; j < first; j++) add_pole(q, j, a, &sum, &slope);
    a->above = sum, a->above_slope = slope;
    for (int j = first; j < last; j++) add_pole_among(q, j, true, a);
    sum = slope = (number){0};
    for (int j = q->n - 1; j >= last; j--) add_pole(q, j, a, &sum, &slope);
    a->below = sum, a->below_slope = slope;
    for (int j = last - 1; j >= first; j--) add_pole_among(q, j, false, a);
}

/* The solution of a2 x^2 - a1 x + a0 = 0 that is the root between two poles, without cancellation: as LAPACK's dlasd4
 * takes it. */
static double smaller_solution(double a2, double a1, double a0) {
    const double root = sqrt(fabs(a1 * a1 - 4 * a2 * a0));
    return a1 <= 0 ? (a1 - root) / (2 * a2) : 2 * a0 / (a1 + root);
}

/* Distance in squares from pole i to the next one above. */
static double gap_above(const rl_secular *q, int i) {
    return (q->pole[i - 1] - q->pole[i]) + (q->pole_low[i - 1] - q->pole_low[i]);
}

static bool is_within(const lanes *a, int l, double eta) {
    return eta > a->low[l] && eta < a->high[l];
}

/* From the value in the middle: which pole is the nearer one, and where the root would be if the other poles' sum were
 * what it is there. */
static void guess_root(const rl_secular *q, lanes *a, int l) {
    const int i = a->root[l];
    const double middle = a->eta[l], value = 1 + a->below[l] + a->above[l], lower = q->z_sq[i];
    double eta;
    if (i == 0) {
        const double others = value + lower / middle;
        if (value >= 0) a->high[l] = middle;
        if (value < 0) a->low[l] = middle;
        eta = others > 0 ? lower / others : a->high[l];
    } else {
        const double upper = q->z_sq[i - 1], gap = 2 * middle, others = value + lower / middle - upper / middle;
        const bool from_lower = value >= 0;
        a->base[l] = q->pole[from_lower ? i : i - 1];
        a->base_low[l] = q->pole_low[from_lower ? i : i - 1];
        a->low[l] = from_lower ? 0 : -middle;
        a->high[l] = from_lower ? middle : 0;
        eta = from_lower ? smaller_solution(others, others * gap + lower + upper, lower * gap)
                         : -smaller_solution(-others, lower + upper - others * gap, upper * gap);
    }
    a->eta[l] = is_within(a, l, eta) ? eta : (a->low[l] + a->high[l]) / 2;
}

/* Poles below are taken for one, at the nearest, with their value and slope, and likewise those above (Bunch, Nielsen
 * and Sorensen 1978, "Rank-one modification of the symmetric eigenproblem"); what leaves the bounds halves them. */
static void improve_root(const rl_secular *q, lanes *a, int l) {
    const int i = a->root[l];
    const double eta = a->eta[l], value = 1 + a->below[l] + a->above[l];
    const double lower = (q->pole[i] - a->base[l]) + (q->pole_low[i] - a->base_low[l]) - eta;
    double step;
    if (i == 0) {
        const double constant = 1 + a->below[l] - lower * a->below_slope[l];
        step = lower + lower * lower * a->below_slope[l] / constant;
    } else {
        const double upper = (q->pole[i - 1] - a->base[l]) + (q->pole_low[i - 1] - a->base_low[l]) - eta;
        const double slope = a->below_slope[l] + a->above_slope[l];
        step = smaller_solution(value - lower * a->below_slope[l] - upper * a->above_slope[l],
                                (lower + upper) * value - lower * upper * slope, lower * upper * value);
    }
    if (value > 0) a->high[l] = fmin(a->high[l], eta);
    if (value < 0) a->low[l] = fmax(a->low[l], eta);
    const double size = 1 - a->below[l] + a->above[l], next = eta + step;
    a->done[l] = fabs(value) <= q->n * DBL_EPSILON * size;
    if (is_within(a, l, next))
        a->eta[l] = next;
    else if (!a->done[l])
        a->eta[l] = (a->low[l] + a->high[l]) / 2;
}

static void begin_roots(const rl_secular *q, int first, double row_sq, lanes *a) {
    for (int l = 0; l < LANES; l++) {
        const int i = rl_smaller(first + l, q->n - 1);
        a->root[l] = i;
        a->base[l] = q->pole[i];
        a->base_low[l] = q->pole_low[i];
        a->low[l] = 0;
        a->high[l] = i == 0 ? row_sq * (1 + q->n * DBL_EPSILON) : gap_above(q, i);
        a->eta[l] = a->high[l] / 2;
        a->done[l] = false;
    }
}

/* base + base_low + eta, rounded, and what rounding has left out. */
static void note_root(rl_secular *q, int i, double base, double base_low, double eta) {
    const double sum = base + eta, back = sum - base, error = (base - (sum - back)) + (eta - back) + base_low;
    const double unit_sq = q->units * q->units;
    q->sigma[i] = q->units * sqrt(sum + error);
    q->root[i] = unit_sq * (sum + error);
    q->root_low[i] = unit_sq * (error - ((sum + error) - sum));
}

static bool find_roots(rl_secular *q, int first, double row_sq) {
    lanes a;
    bool all = false;
    begin_roots(q, first, row_sq, &a);
    evaluate_sums(q, &a);
    for (int l = 0; l < LANES; l++) guess_root(q, &a, l);
    for (int step = 0; step < MAX_STEPS && !all; step++) {
        evaluate_sums(q, &a);
        all = true;
        for (int l = 0; l < LANES; l++) {
            if (!a.done[l]) improve_root(q, &a, l);
            all &= a.done[l];
        }
    }
    for (int l = 0; l < LANES && first + l < q->n; l++) {
        q->base[first + l] = a.base[l];
        q->base_low[first + l] = a.base_low[l];
        q->offset[first + l] = a.eta[l];
        note_root(q, first + l, a.base[l], a.base_low[l], a.eta[l]);
    }
    return all;
}

/* ---- the row for which the roots are exact ----------------------------------------------------------------------- */

/* z_j^2 = (s_0^2 - d_j^2) prod_{i = 1 ... j} (s_i^2 - d_j^2) / (d_{i-1}^2 - d_j^2)
 *                         prod_{i = j+1 ...} (s_i^2 - d_j^2) / (d_i^2 - d_j^2), every quotient between 0 and 1. */
static void exact_row(rl_secular *q, int first) {
    number pole = {0}, low = {0}, product, over, under;
    for (int l = 0; l < LANES; l++) {
        pole[l] = q->pole[rl_smaller(first + l, q->n - 1)];
        low[l] = q->pole_low[rl_smaller(first + l, q->n - 1)];
    }
    product = (q->base[0] - pole) + (q->base_low[0] - low) + q->offset[0];
    over = under = 1 + (number){0};
    for (int i = 1; i < q->n; i++) {
        number other = q->pole[i] + (number){0}, other_low = q->pole_low[i] + (number){0};
        for (int l = rl_larger(i - first, 0); l < LANES; l++) {
            other[l] = q->pole[i - 1];
            other_low[l] = q->pole_low[i - 1];
        }
        over *= (pole - q->base[i]) + (low - q->base_low[i]) - q->offset[i];
        under *= (pole - other) + (low - other_low);
        if (i % TOGETHER != 0) continue;
        product *= over / under;
        over = under = 1 + (number){0};
    }
    product *= over / under;
    for (int l = 0; l < LANES && first + l < q->n; l++)
        q->column[first + l] = copysign(sqrt(fabs(product[l])), q->z[first + l]);
}

static bool solve_for_roots(rl_secular *q, int n, const double *pole, const double *pole_low, const double *z) {
    double largest = sqrt(pole[0]), row_sq = 0;
    bool all = true;
    int exponent;
    for (int j = 0; j < n; j++) largest = fmax(largest, fabs(z[j]));
    frexp(largest, &exponent);
    q->n = n;
    q->units = ldexp(1, exponent);
    const double unit_sq = q->units * q->units;
    for (int j = 0; j < n; j++) {
        q->pole[j] = pole[j] / unit_sq;
        q->pole_low[j] = pole_low[j] / unit_sq;
        q->d[j] = sqrt(q->pole[j]);
        q->z[j] = z[j] / q->units;
        q->z_sq[j] = q->z[j] * q->z[j];
        row_sq += q->z_sq[j];
    }
    for (int first = 0; first < n; first += LANES) all &= find_roots(q, first, row_sq);
    for (int first = 0; first < n; first += LANES) exact_row(q, first);
    for (int j = 0; j < n; j++) q->z[j] = q->column[j];
    return all;
}

/* ---- vectors ----------------------------------------------------------------------------------------------------- */

/* Sums in as many parts whatever the width. */
enum { PARTS = RL_SECULAR_LANES / LANES };

static double sum_of(const number *parts) {
    double sum = 0;
    for (int l = 0; l < RL_SECULAR_LANES; l++) sum += parts[l / LANES][l % LANES];
    return sum;
}

/* Vector i before it is normalized, with zeros to the end of the last block. */
static void fill_column(rl_secular *q, int i) {
    const double base = q->base[i], base_low = q->base_low[i], offset = q->offset[i];
    const number *pole = (const number *)q->pole, *low = (const number *)q->pole_low;
    const number *d = (const number *)q->d, *z = (const number *)q->z;
    number *column = (number *)q->column, right[PARTS] = {{0}}, left[PARTS] = {{0}};
    for (int j = 0; j < q->n; j += RL_SECULAR_LANES)
        for (int k = 0; k < PARTS; k++, pole++, low++, d++, z++, column++) {
            const number entry = *z / ((*pole - base) + (*low - base_low) - offset), along = *d * entry;
            *column = entry;
            right[k] += entry * entry;
            left[k] += along * along;
        }
    q->length[i] = sqrt(sum_of(right));
    q->scale[i] = 1 / sqrt(1 + sum_of(left));
}

static void fill_vectors(rl_secular *q, double *v, int ld) {
    for (int j = q->n; j % RL_SECULAR_LANES != 0; j++) q->z[j] = q->d[j] = q->pole[j] = q->pole_low[j] = 0; /* whole */
    for (int i = 0; i < q->n; i++) {
        double *restrict column = v + (size_t)i * (size_t)ld;
        fill_column(q, i);
        const double inverse = 1 / q->length[i];
        for (int j = 0; j < q->n; j++) column[j] = q->column[j] * inverse;
    }
}

static double divide_column(int n, const double *pole, const double *low, double root, double root_low,
                            const double *weight, double *column) {
    double largest = 0;
    number most = {0};
    int j = 0;
    for (; j + LANES <= n; j += LANES) {
        const number inverse = 1 / ((*(const number *)(pole + j) - root) + (*(const number *)(low + j) - root_low));
        const number size = (number)((mask)(*(const number *)(weight + j) * inverse) & INT64_MAX);
        const mask more = size > most;
        most = (number)(((mask)size & more) | ((mask)most & ~more));
        *(number *)(column + j) *= inverse;
    }
    for (; j < n; j++) {
        const double inverse = 1 / ((pole[j] - root) + (low[j] - root_low));
        largest = fmax(largest, fabs(weight[j] * inverse));
        column[j] *= inverse;
    }
    for (int l = 0; l < LANES; l++) largest = fmax(largest, most[l]);
    return largest;
}

const rl_secular_kernel KERNEL = {solve_for_roots, fill_vectors, divide_column};
