/* The source `gaussian`: rows of a normal distribution of mean zero whose covariance the study gives, with a linear
 * target, y = x . beta + noise * e. A row is sum_r d_r z_r a_r: z_r are standard normal, a_r are the principal axes of
 * the covariance, and d_r the standard deviations along them. */
#include <math.h>
#include <stdlib.h>

#include "../../small.h"
#include "source.h"

enum { MAX_FEATURES = 1000 };

/* ---- the covariance ---------------------------------------------------------------------------------------------- */

static rl_status count_features(const rl_source_request *request, int *p) {
    const int n = rl_options_get(request->options, "covariance")->n_list;
    *p = (int)lround(sqrt(n));
    if (*p >= 1 && *p <= MAX_FEATURES && *p * *p == n) return RL_OK;
    return rl_source_key_fail(request, "covariance", "%d numbers; expected P x P of them, row by row, P at most %d", n,
                              MAX_FEATURES);
}

static rl_status read_covariance(const rl_source_request *request, int p, double *covariance) {
    char **const list = rl_options_get(request->options, "covariance")->list;
    for (int i = 0; i < p * p; i++) {
        char *end;
        covariance[i] = strtod(list[i], &end);
        if (end == list[i] || *end != '\0' || !isfinite(covariance[i]))
            return rl_source_key_fail(request, "covariance", "`%.40s`; expected a number", list[i]);
    }
    for (int i = 0; i < p; i++)
        for (int j = 0; j < i; j++)
            if (covariance[i * p + j] != covariance[j * p + i])
                return rl_source_key_fail(request, "covariance",
                                          "%g in row %d, column %d and %g the other way round; expected a symmetric "
                                          "matrix",
                                          covariance[i * p + j], i + 1, j + 1, covariance[j * p + i]);
    return RL_OK;
}

static void swap_arrays(int n, double *a, double *b) {
    for (int i = 0; i < n; i++) {
        const double was = a[i];
        a[i] = b[i];
        b[i] = was;
    }
}

/* Turns eigenvalues, which are in ascending order, and their vectors into deviations and axes. Those that are below
 * zero by no more than rounding count as zero. */
static rl_status order_axes(const rl_source_request *request, int p, double *values, double *vectors) {
    const double greatest = values[p - 1], rounding = p * 0x1p-52 * fmax(greatest, 0);
    for (int r = 0; r < p / 2; r++) {
        swap_arrays(1, &values[r], &values[p - 1 - r]);
        swap_arrays(p, vectors + (size_t)r * (size_t)p, vectors + (size_t)(p - 1 - r) * (size_t)p);
    }
    for (int r = 0; r < p; r++) {
        double *const axis = vectors + (size_t)r * (size_t)p, largest = 0;
        if (values[r] < -rounding || greatest <= 0)
            return rl_source_key_fail(request, "covariance",
                                      "has the eigenvalue %g; expected a covariance: none below zero, and not all zero",
                                      values[r]);
        values[r] = values[r] > rounding ? sqrt(values[r]) : 0;
        for (int j = 0; j < p; j++)
            if (fabs(axis[j]) > fabs(largest)) largest = axis[j];
        for (int j = 0; j < p && largest < 0; j++) axis[j] = -axis[j];
    }
    return RL_OK;
}

/* The covariance becomes its eigenvectors in place. No BLAS has a part in it: the rows must be the same on every
 * processor, or a study could not go on elsewhere. */
static rl_status make_axes(const rl_source_request *request, int p, rl_dataset *dataset) {
    double *room;
    RL_TRY(RL_ALLOC(dataset->deviations, p));
    RL_TRY(RL_ALLOC(dataset->axes, (size_t)p * (size_t)p));
    RL_TRY(read_covariance(request, p, dataset->axes));
    RL_TRY(RL_ALLOC(room, 2 * p));
    const bool ended = rl_symmetric_decompose(p, dataset->axes, dataset->deviations, room);
    rl_free(room);
    if (!ended)
        return rl_source_key_fail(request, "covariance",
                                  "has no eigenvectors that can be found; expected a covariance");
    return order_axes(request, p, dataset->deviations, dataset->axes);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* A source of standard normal numbers: by Philox keyed by their place, by NumPy's generator in the order of the calls.
 */
typedef struct normals {
    rl_random_kind random;
    rl_key key;
    rl_mt19937 generator;
} normals;

static double draw_normal(normals *n, rl_stream stream, int row, int column) {
    return n->random == RL_RANDOM_NUMPY ? rl_mt19937_normal(&n->generator)
                                        : rl_philox_normal(n->key, stream, 0, (uint32_t)row, (uint32_t)column);
}

static void draw_row(normals *n, const rl_dataset *dataset, int row, double *x) {
    const int p = dataset->n_features;
    for (int j = 0; j < p; j++) x[j] = 0;
    for (int r = 0; r < p; r++) {
        const double along = dataset->deviations[r] * draw_normal(n, RL_STREAM_FEATURES, row, r);
        for (int j = 0; j < p; j++) x[j] += along * dataset->axes[(size_t)r * (size_t)p + (size_t)j];
    }
}

/* Draws in this order: features row by row, beta, noise. */
static rl_status draw_dataset(const rl_source_request *request, rl_dataset *dataset) {
    const size_t p = (size_t)dataset->n_features;
    const double noise = rl_options_real(request->options, "noise");
    double *beta = NULL;
    normals n = {.random = request->random, .key = rl_key_make(request->seed, request->name)};
    RL_TRY(RL_ALLOC(beta, p));
    rl_mt19937_seed(&n.generator, 0);
    for (int i = 0; i < dataset->n_rows; i++) draw_row(&n, dataset, i, dataset->x + (size_t)i * p);
    for (int j = 0; j < dataset->n_features; j++) beta[j] = draw_normal(&n, RL_STREAM_TEACHER, 0, j);
    for (int i = 0; i < dataset->n_rows; i++) {
        const double *const x = dataset->x + (size_t)i * p;
        double sum = 0;
        for (size_t j = 0; j < p; j++) sum += x[j] * beta[j];
        dataset->y[i] = noise > 0 ? sum + noise * draw_normal(&n, RL_STREAM_NOISE, i, 0) : sum;
    }
    rl_free(beta);
    return RL_OK;
}

static rl_status load_gaussian(const rl_source_request *request, rl_dataset *dataset) {
    RL_TRY(count_features(request, &dataset->n_features));
    RL_TRY(make_axes(request, dataset->n_features, dataset));
    dataset->n_rows = rl_options_integer(request->options, "rows");
    RL_TRY(rl_source_describe_draws(request, dataset));
    RL_TRY(RL_ALLOC(dataset->x, (size_t)dataset->n_rows * (size_t)dataset->n_features));
    RL_TRY(RL_ALLOC(dataset->y, dataset->n_rows));
    return draw_dataset(request, dataset);
}

static const rl_option_spec options[] = {
    {.key = "covariance",
     .type = RL_OPTION_TEXT_LIST,
     .required = true,
     .help = "of the features: P x P numbers in one list, row by row"},
    RL_INTEGER_SPEC("rows", 2, 1e9, 1000, "rows of the pool"),
    RL_REAL_SPEC("noise", 0, 1e100, 0, "standard deviation of the target's noise"),
};

const rl_source rl_source_gaussian = {
    .name = "gaussian",
    .summary = "linear teacher on normal features of a given covariance",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_gaussian,
};
