/* Extreme singular values along a curve, by Lanczos on inverses.
 *
 * The smallest comes from the inverse of the triangle itself, at the accuracy of a triangular solve. But far from the
 * threshold a dense spectrum ends in a crowded edge, where that takes dozens of steps, and at the upper edge as many;
 * the inverse of the Gram matrix, shifted to just outside its spectrum, then takes a few. Squaring costs the largest
 * singular value nothing and the smallest a factor of the condition, so the shift serves it in well-conditioned sizes
 * only. A shift on the wrong side is noticed: Cholesky fails. */
#include <math.h>
#include <string.h>

#include "../../lapack.h"
#include "private.h"

static const double well_conditioned = 20;
static const double closest = 1e-3; /* a shift stays this far outside, relative: far from what rounding could cross */
static const double safety = 2;     /* and this many times as far as the trend says */

/* Rows in front of a triangle are solved for with the triangle and then corrected, which loses this factor at most. */
static const double most_lost = 100;

/* ---- trends ------------------------------------------------------------------------------------------------------ */

static void follow_eigenvalue(rl_trend *t, int n_train, double value) {
    if (!(value > 0 && isfinite(value))) {
        *t = (rl_trend){.known = false};
        return;
    }
    if (t->known && n_train > t->n_train) t->rate = fabs(value - t->value) / (n_train - t->n_train);
    *t = (rl_trend){.known = true, .n_train = n_train, .value = value, .rate = t->known ? t->rate : 0};
}

static void follow_largest(rl_nested *s, int i) {
    follow_eigenvalue(&s->largest, s->n_train[i], s->points[i].sigma_max * s->points[i].sigma_max);
}

static void follow_smallest(rl_nested *s, int i) {
    follow_eigenvalue(&s->smallest, s->n_train[i], s->points[i].sigma_min * s->points[i].sigma_min);
}

/* The first of the group, and the last. */
static void follow_group(rl_nested *s, int first, int count) {
    follow_largest(s, first);
    follow_smallest(s, first);
    if (count == 1) return;
    follow_largest(s, first + count - 1);
    follow_smallest(s, first + count - 1);
}

/* An eigenvalue is the shift and what the inverse says of the rest, which need be no better than the sum: a quarter for
 * the trend's own error. */
static double tolerance_of(const rl_trend *t, double shift) {
    enum { A_FEW = 8 };
    const double rest = 4 * fabs(shift - t->value) / t->value;
    return t->known && shift > 0 && rest < 1 ? A_FEW / rest : A_FEW;
}

static double margin_of(const rl_trend *t, int rows) {
    return fmax(safety * t->rate * rows, closest * t->value);
}

/* Without a trend the shift is far off, which costs steps and digits: once more from what that gives. */
static void find_largest(rl_nested *s, int first, int count, void (*find)(rl_nested *s, int first, int count)) {
    if (!s->largest.known) {
        find(s, first, count);
        follow_largest(s, first + count - 1);
    }
    find(s, first, count);
}

/* ---- shifted Gram matrices --------------------------------------------------------------------------------------- */

/* The Cholesky factor of sign * (G - shift I) in s->shifted, ld = order; false when that is not positive definite. */
static bool factor_shifted(const rl_nested *s, const char *triangle, int order, double sign, double shift) {
    const size_t n = (size_t)order, ld = (size_t)s->features;
    int info;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < n; i++) s->shifted[j * n + i] = sign * (s->gram[j * ld + i] - (i == j ? shift : 0));
    dpotrf_(triangle, &order, s->shifted, &order, &info, 1);
    return info == 0;
}

/* Above the whole spectrum, and near it when the trend is known; NAN when no number is. */
static double factor_above(const rl_nested *s, const char *triangle, int order, int n_train) {
    double trace = 0;
    for (int i = 0; i < order; i++) trace += s->gram[(size_t)i * (size_t)(s->features + 1)];
    const double far = 1.5 * trace;
    if (!(far > 1e-280 && far < 1e280)) return NAN; /* squares have left the range of numbers, or nearly */
    if (s->largest.known)
        for (double d = margin_of(&s->largest, n_train - s->largest.n_train); s->largest.value + d < far; d *= 2)
            if (factor_shifted(s, triangle, order, -1, s->largest.value + d)) return s->largest.value + d;
    return factor_shifted(s, triangle, order, -1, far) ? far : NAN;
}

/* Below the whole spectrum; 0 when the shift would not pay, or hurt. */
static double factor_below(const rl_nested *s, const char *triangle, int order, int rows) {
    const rl_trend *t = &s->smallest;
    if (!t->known || !s->largest.known || t->rate == 0) return 0;
    if (!(t->value * well_conditioned * well_conditioned > s->largest.value)) return 0;
    const double shift = t->value - margin_of(t, rows);
    return shift > 0 && factor_shifted(s, triangle, order, 1, shift) ? shift : 0;
}

static void store_largest(const rl_nested *s, int first, int count, double shift, const double *inverse) {
    for (int j = 0; j < count; j++) s->points[first + j].sigma_max = sqrt(shift - 1 / inverse[j]);
}

static void store_smallest(const rl_nested *s, int first, int count, double shift, const double *inverse) {
    for (int j = 0; j < count; j++)
        s->points[first + j].sigma_min = shift > 0 ? sqrt(shift + 1 / inverse[j]) : 1 / sqrt(inverse[j]);
}

/* A solve with the triangle means something: no diagonal entry is zero, nor so small that the rank is in doubt.
 */
static bool diagonal_is_sound(const double *triangle, int ld, int n, int larger) {
    double least = INFINITY, most = 0;
    for (int i = 0; i < n; i++) {
        const double entry = fabs(triangle[(size_t)i * (size_t)(ld + 1)]);
        least = fmin(least, entry);
        most = fmax(most, entry);
    }
    return least > larger * 0x1p-52 * most;
}

/* ---- wide: leading blocks ---------------------------------------------------------------------------------------- */

static rl_family family_of_blocks(const rl_nested *s, int first, int count, const double *triangle, int ld,
                                  double eps) {
    rl_family f = {
        .tolerance = eps, .order = s->n_train[first + count - 1], .triangle = triangle, .ld = ld, .n_members = count};
    for (int j = 0; j < count; j++) f.active[j] = s->n_train[first + j];
    return f;
}

static void find_wide_largest(rl_nested *s, int first, int count) {
    const int order = s->n_train[first + count - 1];
    double inverse[RL_GROUP] = {0};
    const double shift = factor_above(s, "U", order, order);
    if (!isnan(shift)) {
        const rl_family f = family_of_blocks(s, first, count, s->shifted, order, tolerance_of(&s->largest, shift));
        rl_inverse_lanczos(&s->lanczos, &f, inverse);
    }
    store_largest(s, first, count, shift, inverse);
}

static void wide_smallest(rl_nested *s, int first, int count) {
    const int order = s->n_train[first + count - 1];
    double inverse[RL_GROUP];
    const double shift = factor_below(s, "U", order, order - s->smallest.n_train);
    if (shift == 0) /* a prefix that is deficient makes all longer ones so, up to n_features rows */
        while (count > 0 && !diagonal_is_sound(s->wide, s->features, s->n_train[first + count - 1], s->features))
            s->points[first + --count].sigma_min = NAN;
    if (count == 0) return;
    const rl_family f = family_of_blocks(s, first, count, shift > 0 ? s->shifted : s->wide,
                                         shift > 0 ? order : s->features, tolerance_of(&s->smallest, shift));
    rl_inverse_lanczos(&s->lanczos, &f, inverse);
    store_smallest(s, first, count, shift, inverse);
}

void rl_nested_wide_sigma(rl_nested *s, int first, int count) {
    wide_smallest(s, first, count);
    find_largest(s, first, count, find_wide_largest);
    follow_group(s, first, count);
}

/* ---- tall: appended rows ----------------------------------------------------------------------------------------- */

/* Rows [from, to) of the training set, the last first when `backwards`, as columns of s->solved and through the
 * triangle; s->small is I + solved^T solved. */
static void solve_rows(const rl_nested *s, int from, int to, bool backwards, const double *triangle, int ld) {
    const int n = s->features, k = to - from, ld_small = RL_GROUP_SPAN;
    const double unit = 1, zero = 0;
    for (int i = 0; i < k; i++) {
        const size_t row = (size_t)(backwards ? to - 1 - i : from + i);
        memcpy(s->solved + (size_t)i * (size_t)n, s->rows->x + row * (size_t)n, sizeof(double) * (size_t)n);
    }
    dtrsm_("L", "L", "N", "N", &n, &k, &unit, triangle, &ld, s->solved, &n, 1, 1, 1, 1);
    dsyrk_("U", "T", &k, &n, &unit, s->solved, &n, &zero, s->small, &ld_small, 1, 1);
    for (int i = 0; i < k; i++) s->small[(size_t)i * (RL_GROUP_SPAN + 1)] += 1;
}

/* At least the largest eigenvalue of the leading block of s->small: its largest row sum. */
static double most_amplified(const rl_nested *s, int k) {
    double most = 0;
    for (int i = 0; i < k; i++) {
        double sum = 0;
        for (int j = 0; j < k; j++)
            sum += fabs(s->small[(size_t)(i < j ? j : i) * RL_GROUP_SPAN + (size_t)(i < j ? i : j)]);
        if (!(sum <= most)) most = sum;
    }
    return most;
}

/* The first N of the group whose inverses come accurately out of the triangle of the very first. */
static int count_affordable(const rl_nested *s, int first, int count) {
    while (count > 1 && !(most_amplified(s, s->n_train[first + count - 1] - s->n_train[first]) <= most_lost)) count--;
    return count;
}

/* Eigenvalues of the inverses; those of a family that cannot be factored are NaN. */
static void invert_rows(rl_nested *s, rl_family *f, double *inverse) {
    const int ld_small = RL_GROUP_SPAN;
    int info = 0;
    f->lower = true;
    f->order = s->features;
    f->solved = s->solved;
    f->small = s->small;
    if (f->n_rows > 0) dpotrf_("U", &f->n_rows, s->small, &ld_small, &info, 1);
    if (info == 0)
        rl_inverse_lanczos(&s->lanczos, f, inverse);
    else
        for (int j = 0; j < f->n_members; j++) inverse[j] = NAN;
}

static int tall_smallest(rl_nested *s, int first, int count) {
    const int n = s->n_train[first];
    double inverse[RL_GROUP];
    const double shift = factor_below(s, "L", s->features, RL_GROUP / 2);
    rl_family f = {.triangle = shift > 0 ? s->shifted : s->triangle, .ld = shift > 0 ? s->features : s->order};
    if (shift == 0 && !diagonal_is_sound(s->triangle, s->order, s->features, n)) {
        s->points[first].sigma_min = NAN;
        return 1;
    }
    f.tolerance = tolerance_of(&s->smallest, shift);
    solve_rows(s, n, s->n_train[first + count - 1], false, f.triangle, f.ld);
    f.n_members = count = count_affordable(s, first, count);
    f.n_rows = s->n_train[first + count - 1] - n;
    for (int j = 0; j < count; j++) f.active[j] = s->n_train[first + j] - n;
    invert_rows(s, &f, inverse);
    store_smallest(s, first, count, shift, inverse);
    return count;
}

/* The Gram matrix of the first n rows, from that of fewer. */
static void extend_gram(rl_nested *s, int n) {
    const int features = s->features, count = n - s->n_in_gram;
    const double unit = 1;
    dsyrk_("L", "N", &features, &count, &unit, s->rows->x + (size_t)s->n_in_gram * (size_t)features, &features, &unit,
           s->gram, &features, 1, 1);
    s->n_in_gram = n;
}

/* shift - G of fewer rows is shift - G of the most, plus rows. */
static void find_tall_largest(rl_nested *s, int first, int count) {
    const int n = s->n_train[first], most = s->n_train[first + count - 1];
    double inverse[RL_GROUP] = {0};
    const double shift = factor_above(s, "L", s->features, most);
    if (!isnan(shift)) {
        rl_family f = {.triangle = s->shifted,
                       .ld = s->features,
                       .n_rows = most - n,
                       .n_members = count,
                       .tolerance = tolerance_of(&s->largest, shift)};
        solve_rows(s, n, most, true, f.triangle, f.ld);
        for (int j = 0; j < count; j++) f.active[j] = most - s->n_train[first + j];
        invert_rows(s, &f, inverse);
    }
    store_largest(s, first, count, shift, inverse);
}

int rl_nested_tall_sigma(rl_nested *s, int first, int count) {
    extend_gram(s, s->n_train[first]);
    count = tall_smallest(s, first, count);
    extend_gram(s, s->n_train[first + count - 1]);
    find_largest(s, first, count, find_tall_largest);
    follow_group(s, first, count);
    return count;
}
