/* Linear algebra of few columns, of which every sum has the order that stands here. */
#include "../small.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "../clones.h"

/* ---- sums in eight parts ----------------------------------------------------------------------------------------- */

enum { PARTS = 8, TOGETHER = 4 }; /* of a sum; columns that one vector is multiplied by */

RL_INLINED double add_parts(const double s[PARTS]) {
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* products[q] = v . column q, of columns ld apart; n is whole parts. */
RL_INLINED void multiply_columns(int n, int n_columns, const double *restrict v, const double *restrict columns,
                                 size_t ld, double *products) {
    double sums[TOGETHER][PARTS] = {{0}};
    for (int i = 0; i < n; i += PARTS)
        for (int q = 0; q < n_columns; q++)
            for (int k = 0; k < PARTS; k++) sums[q][k] += v[i + k] * columns[(size_t)q * ld + (size_t)(i + k)];
    for (int q = 0; q < n_columns; q++) products[q] = add_parts(sums[q]);
}

/* ---- a triangle over rows ---------------------------------------------------------------------------------------- */

/* The unit in which squares of numbers up to `largest` are in range; 1 where they are. */
static double unit_for(double largest) {
    const bool in_range = largest < 0x1p400 && largest > 0x1p-400;
    return largest == 0 || in_range ? 1 : ldexp(1, ilogb(largest));
}

RL_INLINED double largest_of(int n, const double *x) {
    double largest = 0;
    for (int i = 0; i < n; i++) largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
    return largest;
}

RL_INLINED double sum_squares(int n, double unit, const double *x) {
    double sums[PARTS] = {0};
    for (int i = 0; i < n; i += PARTS)
        for (int k = 0; k < PARTS; k++) sums[k] += (x[i + k] / unit) * (x[i + k] / unit);
    return add_parts(sums);
}

/* The reflection of (alpha, x) onto its first axis: I - tau (1, v) (1, v)^T, where v takes the place of x; alpha
 * becomes what is left of both. 0: there is nothing in x. */
RL_INLINED double make_reflection(int n, double *alpha, double *x) {
    const double largest = largest_of(n, x), before = *alpha;
    if (largest == 0) return 0;
    const double unit = unit_for(fmax(largest, fabs(before)));
    const double length = unit * sqrt((before / unit) * (before / unit) + sum_squares(n, unit, x));
    const double after = before >= 0 ? -length : length, divisor = before - after;
    for (int i = 0; i < n; i++) x[i] /= divisor;
    *alpha = after;
    return divisor / -after;
}

RL_INLINED void reflect_columns(int n, int n_columns, double tau, const double *restrict v, double *restrict columns,
                                double *heads, size_t head_step) {
    double products[TOGETHER];
    multiply_columns(n, n_columns, v, columns, RL_SMALL_ROWS, products);
    for (int q = 0; q < n_columns; q++) {
        double *const column = columns + (size_t)q * RL_SMALL_ROWS, *const head = heads + (size_t)q * head_step;
        const double factor = tau * (*head + products[q]);
        *head -= factor;
        for (int i = 0; i < n; i++) column[i] -= factor * v[i];
    }
}

RL_CLONES void rl_small_append(int order, double *r, int n_rows, double *rows) {
    const int n = (n_rows + PARTS - 1) / PARTS * PARTS;
    assert(order <= RL_SMALL_ORDER && n_rows <= RL_SMALL_ROWS);
    for (int j = 0; j < order; j++)
        for (int i = n_rows; i < n; i++) rows[j * RL_SMALL_ROWS + i] = 0;
    for (int j = 0; j < order; j++) {
        double *const x = rows + (size_t)j * RL_SMALL_ROWS;
        const double tau = make_reflection(n, &r[(size_t)j * (size_t)(order + 1)], x);
        int c = j + 1;
        for (; tau != 0 && c + TOGETHER <= order; c += TOGETHER)
            reflect_columns(n, TOGETHER, tau, x, x + (size_t)(c - j) * RL_SMALL_ROWS, r + j + (size_t)c * (size_t)order,
                            (size_t)order);
        for (; tau != 0 && c < order; c++)
            reflect_columns(n, 1, tau, x, x + (size_t)(c - j) * RL_SMALL_ROWS, r + j + (size_t)c * (size_t)order,
                            (size_t)order);
    }
}

/* ---- column pivoting --------------------------------------------------------------------------------------------- */

static double length_of(int n, const double *x) {
    double largest = 0, sum = 0;
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(x[i]));
    const double unit = unit_for(largest);
    for (int i = 0; i < n; i++) sum += (x[i] / unit) * (x[i] / unit);
    return unit * sqrt(sum);
}

/* The longest column from row j on, the first of those that are as long. */
static int find_pivot(int j, int n, const double *core) {
    int best = j;
    double longest = -1;
    for (int c = j; c < n; c++) {
        const double length = length_of(n - j, core + j + (size_t)c * (size_t)n);
        if (length > longest) {
            longest = length;
            best = c;
        }
    }
    return best;
}

static void reflect_column(int n, double tau, const double *v, double *column) {
    double sum = column[0];
    for (int i = 1; i < n; i++) sum += v[i] * column[i];
    column[0] -= tau * sum;
    for (int i = 1; i < n; i++) column[i] -= tau * sum * v[i];
}

void rl_small_pivot(int n, double *core, double *b, int *pivot) {
    for (int c = 0; c < n; c++) pivot[c] = c;
    for (int j = 0; j < n; j++) {
        const int best = find_pivot(j, n, core), was = pivot[j];
        double *const column = core + (size_t)j * (size_t)n, *const other = core + (size_t)best * (size_t)n;
        for (int i = 0; i < n; i++) {
            const double swapped = column[i];
            column[i] = other[i];
            other[i] = swapped;
        }
        pivot[j] = pivot[best];
        pivot[best] = was;
        const double length = length_of(n - j, column + j), after = column[j] >= 0 ? -length : length;
        if (length_of(n - j - 1, column + j + 1) > 0) {
            const double divisor = column[j] - after, tau = divisor / -after;
            for (int i = j + 1; i < n; i++) column[i] /= divisor;
            for (int c = j + 1; c < n; c++) reflect_column(n - j, tau, column + j, core + j + (size_t)c * (size_t)n);
            reflect_column(n - j, tau, column + j, b + j);
            column[j] = after;
        }
        for (int i = j + 1; i < n; i++) column[i] = 0;
    }
}

/* ---- singular values --------------------------------------------------------------------------------------------- */

/* Rows a and b, `stride` apart, become c a - s b and s a + c b. */
static void rotate_rows(int n, size_t stride, double c, double s, double *a, double *b) {
    for (size_t j = 0; j < (size_t)n * stride; j += stride) {
        const double x = a[j], y = b[j];
        a[j] = c * x - s * y;
        b[j] = s * x + c * y;
    }
}

/* Makes two rows of core orthogonal, and turns the columns of u with them; false: they are so but for rounding. */
static bool turn_pair(int n, int first, int second, double *core, double *u) {
    double a = 0, b = 0, g = 0;
    for (int j = 0; j < n; j++) {
        const double x = core[first + j * n], y = core[second + j * n];
        a += x * x;
        b += y * y;
        g += x * y;
    }
    if (!(fabs(g) > sqrt(n) * 0x1p-52 * sqrt(a) * sqrt(b))) return false;
    const double half = (b - a) / 2, t = g / (half + (half < 0 ? -1 : 1) * sqrt(half * half + g * g));
    const double c = 1 / sqrt(1 + t * t), s = c * t;
    rotate_rows(n, (size_t)n, c, s, core + first, core + second);
    rotate_rows(n, 1, c, s, u + first * n, u + second * n);
    return true;
}

static void exchange(int n, size_t stride, double *a, double *b) {
    for (size_t j = 0; j < (size_t)n * stride; j += stride) {
        const double was = a[j];
        a[j] = b[j];
        b[j] = was;
    }
}

static void sort_modes(int n, double *core, double *sigma, double *u) {
    for (int r = 0; r < n; r++) {
        int largest = r;
        for (int i = r + 1; i < n; i++)
            if (sigma[i] > sigma[largest]) largest = i;
        if (largest == r) continue;
        exchange(1, 1, sigma + r, sigma + largest);
        exchange(n, (size_t)n, core + r, core + largest);
        exchange(n, 1, u + r * n, u + largest * n);
    }
}

void rl_small_decompose(int n, double *core, double *sigma, double *u) {
    enum { MOST_SWEEPS = 60 };
    double largest = 0;
    for (size_t i = 0; i < (size_t)n * (size_t)n; i++) largest = fmax(largest, fabs(core[i]));
    const int exponent = largest > 0 ? ilogb(largest) : 0; /* squares are in range then, or next to nothing */
    for (size_t i = 0; i < (size_t)n * (size_t)n; i++) core[i] = ldexp(core[i], -exponent);
    memset(u, 0, sizeof *u * (size_t)n * (size_t)n);
    for (int r = 0; r < n; r++) u[r * (n + 1)] = 1;
    bool turned = true;
    for (int sweep = 0; sweep < MOST_SWEEPS && turned; sweep++) {
        turned = false;
        for (int first = 0; first < n; first++)
            for (int second = first + 1; second < n; second++) turned |= turn_pair(n, first, second, core, u);
    }
    for (int r = 0; r < n; r++) {
        double sum = 0;
        for (int j = 0; j < n; j++) sum += core[r + j * n] * core[r + j * n];
        sigma[r] = ldexp(sqrt(sum), exponent);
    }
    for (size_t i = 0; i < (size_t)n * (size_t)n; i++) core[i] = ldexp(core[i], exponent);
    sort_modes(n, core, sigma, u);
}

/* ---- products and inverses --------------------------------------------------------------------------------------- */

RL_CLONES void rl_small_multiply(int m, int n, int k, const double *a, int lda, const double *b, double *restrict c) {
    for (int j = 0; j < n; j++) {
        double *const column = c + (size_t)j * (size_t)m;
        for (int i = 0; i < m; i++) column[i] = 0;
        for (int r = 0; r < k; r++) {
            const double factor = b[(size_t)j * (size_t)k + (size_t)r], *const from = a + (size_t)r * (size_t)lda;
            for (int i = 0; i < m; i++) column[i] += from[i] * factor;
        }
    }
}

RL_CLONES void rl_small_gram(int n, int p, const double *x, double *restrict gram) {
    memset(gram, 0, sizeof *gram * (size_t)p * (size_t)p);
    for (int row = 0; row < n; row++) {
        const double *const at = x + (size_t)row * (size_t)p;
        for (int i = 0; i < p; i++)
            for (int j = 0; j < p; j++) gram[i * p + j] += at[i] * at[j];
    }
}

bool rl_small_invert(int p, double *a, double *room) {
    memset(room, 0, sizeof *room * (size_t)p * (size_t)p);
    for (int i = 0; i < p; i++) room[i * (p + 1)] = 1;
    for (int j = 0; j < p; j++) {
        int pivot = j;
        for (int i = j + 1; i < p; i++)
            if (fabs(a[i + j * p]) > fabs(a[pivot + j * p])) pivot = i;
        if (!(fabs(a[pivot + j * p]) > 0)) return false;
        exchange(p, (size_t)p, a + j, a + pivot);
        exchange(p, (size_t)p, room + j, room + pivot);
        for (int i = 0; i < p; i++) {
            const double factor = a[i + j * p] / a[j * (p + 1)];
            if (i == j || factor == 0) continue;
            for (int c = j; c < p; c++) a[i + c * p] -= factor * a[j + c * p];
            for (int c = 0; c < p; c++) room[i + c * p] -= factor * room[j + c * p];
        }
    }
    for (int i = 0; i < p; i++) {
        const double diagonal = a[i * (p + 1)];
        for (int c = 0; c < p; c++) a[i + c * p] = room[i + c * p] / diagonal;
    }
    return true;
}
