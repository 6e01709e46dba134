/* Eigenvalues of kernels: on the sphere, of normal inputs, and of tables. */
#include "kernels.h"

#include <math.h>
#include <string.h>

#include "../lapack.h"
#include "../numbers.h"

/* ---- what there is ----------------------------------------------------------------------------------------------- */

static bool is_homogeneous(const rl_dataset *view) {
    const int bias = rl_options_find(view->map_options, "bias");
    return bias >= 0 && view->map_options->values[bias].number == 0;
}

rl_kernel_law rl_kernel_law_of(const rl_dataset *view) {
    if (view->map == NULL || view->map->kernel == NULL || view->intercept || rl_dataset_in_blocks(view))
        return RL_KERNEL_NONE;
    if (!view->fresh) return rl_dataset_varies(view) ? RL_KERNEL_TABLE : RL_KERNEL_NONE; /* else it is a table itself */
    if (view->teacher.beta == NULL || view->n_inputs < 2) return RL_KERNEL_NONE;
    if (view->source->law == RL_INPUTS_SPHERE) return RL_KERNEL_SPHERE;
    return view->source->law == RL_INPUTS_NORMAL && view->teacher.isotropic ? RL_KERNEL_NORMAL : RL_KERNEL_NONE;
}

static rl_status allocate(rl_kernel_spectrum *k, int most) {
    RL_TRY(RL_ALLOC(k->value, most));
    RL_TRY(RL_ALLOC(k->times, most));
    return RL_ALLOC(k->target, most);
}

void rl_kernel_destroy(rl_kernel_spectrum *k) {
    rl_free(k->value);
    rl_free(k->times);
    rl_free(k->target);
    *k = (rl_kernel_spectrum){0};
}

static rl_map_use use_of(const rl_dataset *view) {
    return (rl_map_use){.n_inputs = view->n_inputs, .n_features = view->n_features, .options = view->map_options};
}

/* |beta|^2 of the inputs. */
static double signal_of(const rl_dataset *view) {
    double sum = 0;
    for (int j = 0; j < view->n_inputs; j++) sum += view->teacher.beta[j] * view->teacher.beta[j];
    return sum;
}

/* n over k. */
static double binomial(double n, double k) {
    return k < 0 ? 0 : exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1));
}

static void append(rl_kernel_spectrum *k, double value, double times, double target) {
    k->value[k->n] = value;
    k->times[k->n] = times;
    k->target[k->n++] = target;
    k->tail -= value * times;
}

/* ---- on the sphere ----------------------------------------------------------------------------------------------- */

enum { ANGLES = 256, DEGREES = 40 };

/* Gauss and Legendre's quadrature on [-1, 1], by Newton's method for the zeros of the polynomial. */
static void make_quadrature(double x[ANGLES], double weight[ANGLES]) {
    for (int i = 0; i < ANGLES; i++) {
        double slope = 1;
        x[i] = cos(M_PI * (i + 0.75) / (ANGLES + 0.5));
        for (int step = 0; step < 8; step++) {
            double now = x[i], last = 1;
            for (int k = 1; k < ANGLES; k++) {
                const double next = ((2 * k + 1) * x[i] * now - k * last) / (k + 1);
                last = now;
                now = next;
            }
            slope = ANGLES * (x[i] * now - last) / (x[i] * x[i] - 1);
            x[i] -= now / slope;
        }
        weight[i] = 2 / ((1 - x[i] * x[i]) * slope * slope);
    }
}

/* The kernel of two rows of length sqrt(n_inputs) at an angle. */
static double kernel_at(const rl_dataset *view, double angle, double *x, double *y) {
    const rl_map_use use = use_of(view);
    const double length = sqrt(view->n_inputs);
    x[0] = length;
    y[0] = length * cos(angle);
    y[1] = length * sin(angle);
    return view->map->kernel(&use, x, y);
}

/* The mean of the kernel times the polynomial of each degree, which is 1 at angle 0, over the sphere: its density over
 * angles is sin^(d-2). In high dimensions all of that is near a right angle. */
static void project_kernel(const rl_dataset *view, double *x, double *y, double values[DEGREES]) {
    const double d = view->n_inputs, reach = fmin(M_PI / 2, 12 / sqrt(d));
    double node[ANGLES], weight[ANGLES], total = 0;
    make_quadrature(node, weight);
    memset(values, 0, sizeof *values * DEGREES);
    for (int i = 0; i < ANGLES; i++) {
        const double angle = M_PI / 2 + reach * node[i], t = cos(angle);
        const double part = weight[i] * pow(sin(angle), d - 2), kernel = part * kernel_at(view, angle, x, y);
        double last = 1, now = t;
        values[0] += kernel;
        for (int l = 1; l < DEGREES; l++) {
            values[l] += kernel * now;
            const double next = ((2 * l + d - 2) * t * now - l * last) / (l + d - 2);
            last = now;
            now = next;
        }
        total += part;
    }
    for (int l = 0; l < DEGREES; l++) values[l] /= total;
}

/* How many harmonics of a degree there are in d dimensions. */
static double count_harmonics(double d, int degree) {
    return binomial(d + degree - 1, degree) - binomial(d + degree - 3, degree - 2);
}

/* A linear teacher is of degree 1. Degrees whose eigenvalues are at rounding level are left to the tail. */
static rl_status fill_sphere(rl_kernel_spectrum *k, const rl_dataset *view) {
    double values[DEGREES], *room;
    RL_TRY(allocate(k, DEGREES));
    RL_TRY(RL_ALLOC(room, 2 * (size_t)view->n_inputs));
    project_kernel(view, room, room + view->n_inputs, values);
    const double whole = kernel_at(view, 0, room, room + view->n_inputs);
    rl_free(room);
    k->tail = whole;
    for (int l = 0; l < DEGREES && isfinite(whole); l++)
        if (l < 2 || (values[l] > 1e-13 * whole && k->tail > 1e-9 * whole))
            append(k, fmax(values[l], 0), count_harmonics(view->n_inputs, l), l == 1 ? signal_of(view) : 0);
    k->tail = fmax(k->tail, 0);
    return RL_OK;
}

/* ---- normal inputs ----------------------------------------------------------------------------------------------- */

enum { LEVELS = 60 };

/* Of the Gaussian kernel in one dimension: eigenvalue k is first ratio^k, and its eigenfunction times the root of the
 * normal density is a Hermite function of width * x (Rasmussen and Williams 2006, "Gaussian processes for machine
 * learning", section 4.3.1). one and x: the coefficients of 1 and of x. */
typedef struct mehler {
    double first, ratio, width;
    double one[LEVELS], x[LEVELS];
} mehler;

static mehler decompose_gaussian(double bandwidth) {
    enum { POINTS = 6000 };
    const double a = 0.25, b = 0.5 / bandwidth / bandwidth, c = sqrt(a * a + 2 * a * b), reach = 15;
    mehler m = {.first = sqrt(2 * a / (a + b + c)), .ratio = b / (a + b + c), .width = sqrt(2 * c)};
    for (int i = 0; i <= POINTS; i++) {
        const double x = reach * (2.0 * i / POINTS - 1), t = m.width * x, step = 2 * reach / POINTS;
        const double root = step * sqrt(m.width) * exp(-x * x / 4) / pow(2 * M_PI, 0.25);
        double last = 0, now = exp(-t * t / 2) / pow(M_PI, 0.25);
        for (int k = 0; k < LEVELS; k++) {
            m.one[k] += root * now;
            m.x[k] += root * now * x;
            const double next = sqrt(2.0 / (k + 1)) * t * now - sqrt((double)k / (k + 1)) * last;
            last = now;
            now = next;
        }
    }
    return m;
}

/* a becomes the product of both power series. */
static void multiply_series(double a[LEVELS], const double b[LEVELS]) {
    double product[LEVELS] = {0};
    for (int i = 0; i < LEVELS; i++)
        for (int j = 0; i + j < LEVELS; j++) product[i + j] += a[i] * b[j];
    memcpy(a, product, sizeof product);
}

/* Eigenvalues depend on the sum of the orders in all dimensions; a linear teacher may be turned onto the first axis,
 * and is 1 along the others. */
static rl_status fill_gaussian(rl_kernel_spectrum *k, const rl_dataset *view) {
    const mehler m = decompose_gaussian(rl_options_real(view->map_options, "bandwidth"));
    const double d = view->n_inputs, signal = signal_of(view);
    double powers[LEVELS], one[LEVELS], found = 0;
    for (int l = 0; l < LEVELS; l++) {
        powers[l] = m.x[l] * m.x[l];
        one[l] = m.one[l] * m.one[l];
    }
    for (int j = 1; j < view->n_inputs; j++) multiply_series(powers, one);
    RL_TRY(allocate(k, LEVELS + 1));
    k->tail = 1;
    for (int l = 0; l < LEVELS; l++) {
        append(k, pow(m.first, d) * pow(m.ratio, l), binomial(d + l - 1, l), signal * powers[l]);
        found += powers[l];
    }
    append(k, 0, 0, signal * fmax(0, 1 - found)); /* what is along functions of the tail */
    k->tail = fmax(k->tail, 0);
    return RL_OK;
}

/* Lengths of normal inputs vary, but where the kernel grows with them, its eigenfunctions are those on the sphere times
 * the length. */
static rl_status fill_normal(rl_kernel_spectrum *k, const rl_dataset *view) {
    if (rl_options_find(view->map_options, "bandwidth") >= 0) return fill_gaussian(k, view);
    return is_homogeneous(view) ? fill_sphere(k, view) : RL_OK;
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static int count_rows(const rl_dataset *view) {
    return rl_smaller(view->n_rows, RL_KERNEL_ROWS);
}

/* Work space of dsyevd for eigenvectors. */
static size_t work_for(size_t n) {
    return 1 + 6 * n + 2 * n * n;
}

/* The kernel of all pairs of rows, over their number: [n, n]. */
static void fill_matrix(const rl_dataset *view, int n, double *matrix) {
    const rl_map_use use = use_of(view);
    const size_t ld = (size_t)view->n_inputs;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            const size_t a = (size_t)i * (size_t)view->n_rows / (size_t)n;
            const size_t b = (size_t)j * (size_t)view->n_rows / (size_t)n;
            matrix[i + (size_t)j * (size_t)n] = view->map->kernel(&use, view->x + a * ld, view->x + b * ld) / n;
        }
}

/* All that the targets are is along the eigenvectors: noise, too. */
static void take_vectors(rl_kernel_spectrum *k, const rl_dataset *view, int n, const double *values,
                         const double *vectors) {
    for (int j = 0; j < n; j++) {
        double along = 0;
        for (int i = 0; i < n; i++)
            along += vectors[i + (size_t)j * (size_t)n] * view->y[(size_t)i * (size_t)view->n_rows / (size_t)n];
        append(k, fmax(values[j], 0), 1, along * along / n);
    }
    k->tail = 0;
}

static rl_status fill_table(rl_kernel_spectrum *k, const rl_dataset *view) {
    const int n = count_rows(view), n_iwork = 3 + 5 * n, n_work = (int)work_for((size_t)n);
    double *room;
    int *iwork = NULL, info = 0;
    RL_TRY(allocate(k, n));
    RL_TRY(RL_ALLOC(room, (size_t)n * (size_t)(n + 1) + (size_t)n_work));
    rl_status status = RL_ALLOC(iwork, n_iwork);
    double *const values = room, *const matrix = room + n, *const work = matrix + (size_t)n * (size_t)n;
    if (status == RL_OK) fill_matrix(view, n, matrix);
    const bool known = status == RL_OK && isfinite(matrix[0]);
    if (known) dsyevd_("V", "L", &n, matrix, &n, values, work, &n_work, iwork, &n_iwork, &info, 1, 1);
    if (known) status = rl_lapack_check("dsyevd", info);
    if (known && status == RL_OK && info == 0) take_vectors(k, view, n, values, matrix);
    rl_free(iwork);
    rl_free(room);
    return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

rl_status rl_kernel_create(rl_kernel_spectrum *k, const rl_dataset *view) {
    const rl_kernel_law law = rl_kernel_law_of(view);
    *k = (rl_kernel_spectrum){0};
    if (law == RL_KERNEL_SPHERE || law == RL_KERNEL_NORMAL) k->noise = rl_dataset_residual_variance(view);
    if (law == RL_KERNEL_SPHERE) return fill_sphere(k, view);
    if (law == RL_KERNEL_NORMAL) return fill_normal(k, view);
    return law == RL_KERNEL_TABLE ? fill_table(k, view) : RL_OK;
}

size_t rl_kernel_bytes(const rl_dataset *view) {
    const size_t n = (size_t)count_rows(view);
    if (rl_kernel_law_of(view) != RL_KERNEL_TABLE)
        return rl_alloc_bytes(2 * (size_t)view->n_inputs + 400, sizeof(double));
    return rl_alloc_bytes(n * (n + 4) + work_for(n), sizeof(double)) + rl_alloc_bytes(3 + 5 * n, sizeof(int));
}
