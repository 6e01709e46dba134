/* The autoencoder against dense long double arithmetic written down straight from its definition, finite differences,
 * and AdamW by hand. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ridgeless/autoencoder.h"
#include "unit.h"

static const rl_key key = {{0x243f6a88, 0x85a308d3}};

static rl_autoencoder small_model(int n, int m, int n_train) {
    return (rl_autoencoder){.n_features = n,
                            .n_hidden = m,
                            .n_train = n_train,
                            .n_test = 40,
                            .sparsity = 0.9,
                            .steps = 60,
                            .warm_up = 0.1,
                            .schedule = RL_LEARNING_COSINE,
                            .learning_rate = 1e-2,
                            .weight_decay = 1e-2,
                            .epsilon = 1e-8,
                            .record_every = 25};
}

static rl_sparse_rows draw(const rl_autoencoder *model, rl_input_set set, int first, int count) {
    rl_sparse_rows rows;
    assert_int_equal(rl_inputs_draw(model, key, 3, set, first, count, &rows), RL_OK);
    return rows;
}

static void *zeroed(size_t n) {
    void *memory;
    assert_int_equal(rl_alloc(&memory, n, sizeof(double)), RL_OK);
    return memory;
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

static void assert_same_row(const rl_sparse_rows *a, int i, const rl_sparse_rows *b, int j) {
    const int64_t n = a->start[i + 1] - a->start[i];
    assert_int_equal(n, b->start[j + 1] - b->start[j]);
    assert_memory_equal(a->column + a->start[i], b->column + b->start[j], (size_t)n * sizeof *a->column);
    assert_memory_equal(a->value + a->start[i], b->value + b->start[j], (size_t)n * sizeof *a->value);
}

static void inputs_are_nested_and_keyed_by_their_index(void **state) {
    (void)state;
    const rl_autoencoder model = small_model(53, 2, 30);
    rl_sparse_rows whole = draw(&model, RL_INPUTS_TRAIN, 0, 30), part = draw(&model, RL_INPUTS_TRAIN, 11, 9);
    rl_sparse_rows test = draw(&model, RL_INPUTS_TEST, 0, 30), other;
    assert_int_equal(rl_inputs_draw(&model, key, 4, RL_INPUTS_TRAIN, 0, 30, &other), RL_OK);
    for (int i = 0; i < 9; i++) assert_same_row(&part, i, &whole, 11 + i);
    for (int i = 0; i < 30; i++) {
        const size_t bytes = sizeof(double);
        assert_memory_not_equal(whole.value + whole.start[i], test.value + test.start[i], bytes);
        assert_memory_not_equal(whole.value + whole.start[i], other.value + other.start[i], bytes);
    }
    rl_sparse_rows_destroy(&whole);
    rl_sparse_rows_destroy(&part);
    rl_sparse_rows_destroy(&test);
    rl_sparse_rows_destroy(&other);
}

/* The number of non-zero features is binomial given that it is not zero: mean n q / (1 - (1 - q)^n). At 5 standard
 * errors of the mean, and each feature alike. */
static void check_pattern(rl_input_set set, int n, double sparsity, int count) {
    rl_autoencoder model = small_model(n, 2, count);
    model.sparsity = sparsity;
    rl_sparse_rows rows = draw(&model, set, 0, count);
    const double q = 1 - sparsity, some = 1 - pow(sparsity, n), mean = n * q / some;
    const double variance = (n * q * (1 - q) + n * n * q * q) / some - mean * mean;
    assert_true(fabs((double)rows.start[count] / count - mean) < 5 * sqrt(variance / count) + 1e-12);
    double *seen = zeroed((size_t)n);
    for (int i = 0; i < count; i++)
        for (int64_t e = rows.start[i] + 1; e < rows.start[i + 1]; e++)
            assert_true(rows.column[e] > rows.column[e - 1]);
    for (int64_t e = 0; e < rows.start[count]; e++) seen[rows.column[e]] += 1;
    const double p = mean / n;
    for (int j = 0; j < n; j++) assert_true(fabs(seen[j] / count - p) < 6 * sqrt(p * (1 - p) / count) + 1e-12);
    rl_free(seen);
    rl_sparse_rows_destroy(&rows);
}

static void inputs_are_as_sparse_as_asked_for_and_never_empty(void **state) {
    (void)state;
    const rl_input_set sets[] = {RL_INPUTS_TRAIN, RL_INPUTS_FRESH};
    for (int s = 0; s < 2; s++) {
        check_pattern(sets[s], 37, 0.9, 4000);
        check_pattern(sets[s], 20, 0.99, 4000); /* four of five patterns are empty and drawn again */
        check_pattern(sets[s], 9, 0, 50);
        check_pattern(sets[s], 1, 0.9, 50);
    }
}

static void inputs_have_unit_length_and_uniform_values(void **state) {
    (void)state;
    const rl_input_set sets[] = {RL_INPUTS_TRAIN, RL_INPUTS_FRESH};
    rl_autoencoder model = small_model(2, 1, 20000);
    model.sparsity = 0;
    for (int s = 0; s < 2; s++) {
        rl_sparse_rows rows = draw(&model, sets[s], 0, model.n_train);
        int below = 0;
        for (int i = 0; i < rows.n_rows; i++) {
            const double x = rows.value[2 * i], y = rows.value[2 * i + 1];
            assert_true(x > 0 && y > 0 && fabs(x * x + y * y - 1) < 4 * DBL_EPSILON);
            below += y < x / 2; /* of two uniform numbers: 1 in 4 */
        }
        assert_true(fabs(below / 20000.0 - 0.25) < 5 * sqrt(0.25 * 0.75 / 20000));
        rl_sparse_rows_destroy(&rows);
    }
}

/* Into rows that are there, whatever was in them. */
static void inputs_drawn_again_are_those_drawn_anew(void **state) {
    (void)state;
    const rl_autoencoder model = small_model(53, 2, 30);
    rl_sparse_rows rows = draw(&model, RL_INPUTS_FRESH, 0, 9), anew = draw(&model, RL_INPUTS_FRESH, 900, 9);
    rows.capacity = rows.start[9]; /* no room for more */
    assert_int_equal(rl_inputs_redraw(&model, key, 3, RL_INPUTS_FRESH, 900, &rows), RL_OK);
    assert_true(rows.capacity >= rows.start[9]);
    for (int i = 0; i < 9; i++) assert_same_row(&rows, i, &anew, i);
    rl_sparse_rows_destroy(&rows);
    rl_sparse_rows_destroy(&anew);
}

/* ---- gradient ---------------------------------------------------------------------------------------------------- */

static double *random_parameters(const rl_autoencoder *model) {
    const int stride = rl_parameter_stride(model->n_features);
    double *parameters = zeroed(((size_t)model->n_hidden + 1) * (size_t)stride);
    for (int k = 0; k <= model->n_hidden; k++) {
        double *row = parameters + (size_t)k * (size_t)stride;
        rl_philox_normal_row(key, RL_STREAM_WEIGHTS, 0, (uint32_t)k, 0, model->n_features, row);
        for (int j = 0; j < model->n_features; j++) row[j] *= 0.4;
    }
    return parameters;
}

static rl_autoencoder_buffers buffers_for(const rl_autoencoder *model, const rl_sparse_rows *rows) {
    rl_autoencoder_buffers buffers = {
        .n_hidden = model->n_hidden, .n_rows = rows->n_rows, .precision = model->precision};
    assert_int_equal(rl_arrays_create(&buffers, rl_autoencoder_list_buffers), RL_OK);
    return buffers;
}

static double loss_of(const rl_autoencoder *model, const double *parameters, const rl_sparse_rows *rows) {
    rl_autoencoder_buffers buffers = buffers_for(model, rows);
    double loss;
    rl_autoencoder_gradient(parameters, rows, &buffers, &loss, NULL);
    rl_free(buffers.hidden);
    return loss;
}

/* The loss and its derivatives, and of each the sum of the absolute values of all that it is made of: what rounding may
 * be a part of. */
typedef struct dense_result {
    int n, m, stride;
    long double loss, *gradient, *size;
    long double *x, *g, *g_size, *h, *h_size; /* of one example */
} dense_result;

static void make_dense_hidden(dense_result *r, const double *p) {
    for (int k = 0; k < r->m; k++) {
        r->h[k] = r->h_size[k] = 0;
        for (int j = 0; j < r->n; j++) {
            r->h[k] += (long double)p[k * r->stride + j] * r->x[j];
            r->h_size[k] += fabs(p[k * r->stride + j]) * r->x[j];
        }
    }
}

static void make_dense_outputs(dense_result *r, const double *p) {
    for (int j = 0; j < r->n; j++) {
        long double z = p[r->m * r->stride + j], z_size = fabsl(z);
        for (int k = 0; k < r->m; k++) {
            z += p[k * r->stride + j] * r->h[k];
            z_size += fabs(p[k * r->stride + j]) * r->h_size[k];
        }
        const long double difference = (z > 0 ? z : 0) - r->x[j];
        r->loss += difference * difference;
        r->g[j] = z > 0 ? 2 * difference : 0;
        r->g_size[j] = z > 0 ? 2 * (z_size + r->x[j]) : 0;
    }
}

static void add_dense_gradient(dense_result *r, const double *p) {
    for (int j = 0; j < r->n; j++) {
        r->gradient[r->m * r->stride + j] += r->g[j];
        r->size[r->m * r->stride + j] += r->g_size[j];
    }
    for (int k = 0; k < r->m; k++) {
        long double back = 0, back_size = 0;
        for (int j = 0; j < r->n; j++) {
            back += r->g[j] * p[k * r->stride + j];
            back_size += r->g_size[j] * fabs(p[k * r->stride + j]);
        }
        for (int j = 0; j < r->n; j++) {
            r->gradient[k * r->stride + j] += r->g[j] * r->h[k] + back * r->x[j];
            r->size[k * r->stride + j] += r->g_size[j] * r->h_size[k] + back_size * r->x[j];
        }
    }
}

static void dense_free(dense_result *r) {
    long double *const arrays[] = {r->gradient, r->size, r->x, r->g, r->g_size, r->h, r->h_size};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

/* Straight from x' = ReLU(W^T W x + b), one example after the other, every zero multiplied. */
static dense_result dense_gradient(const rl_autoencoder *model, const double *p, const rl_sparse_rows *rows) {
    dense_result r = {.n = model->n_features, .m = model->n_hidden, .stride = rl_parameter_stride(model->n_features)};
    const size_t n = (size_t)r.n, m = (size_t)r.m, length = (m + 1) * (size_t)r.stride;
    long double **const arrays[] = {&r.gradient, &r.size, &r.x, &r.g, &r.g_size, &r.h, &r.h_size};
    const size_t lengths[] = {length, length, n, n, n, m, m};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) *arrays[i] = calloc(lengths[i], sizeof(long double));
    for (int i = 0; i < rows->n_rows; i++) {
        memset(r.x, 0, n * sizeof *r.x);
        for (int64_t e = rows->start[i]; e < rows->start[i + 1]; e++) r.x[rows->column[e]] = rows->value[e];
        make_dense_hidden(&r, p);
        make_dense_outputs(&r, p);
        add_dense_gradient(&r, p);
    }
    return r;
}

static const int shapes[][3] = {/* n, m, T: every way to make outputs, and every remainder */
                                {1, 1, 1},   {7, 1, 6},   {53, 2, 31},  {300, 2, 9},   {41, 3, 13}, {17, 4, 7},
                                {33, 5, 11}, {20, 6, 10}, {64, 7, 5},   {19, 8, 12},   {30, 9, 70}, {700, 12, 130},
                                {8, 2, 0},   {5, 20, 3},  {257, 2, 65}, {513, 10, 64}, {16, 16, 1}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

/* With floats no sum of them is longer than 256 / 16 + 16 in a lane, or 64 rows. */
static void check_against_dense(rl_precision precision, double eps, int longest) {
    for (int s = 0; s < N_SHAPES; s++) {
        rl_autoencoder model = small_model(shapes[s][0], shapes[s][1], shapes[s][2]);
        model.precision = precision;
        const size_t length = ((size_t)model.n_hidden + 1) * (size_t)rl_parameter_stride(model.n_features);
        rl_sparse_rows rows = draw(&model, RL_INPUTS_TRAIN, 0, model.n_train);
        double *parameters = random_parameters(&model), *gradient = zeroed(length), loss;
        rl_autoencoder_buffers buffers = buffers_for(&model, &rows);
        rl_autoencoder_gradient(parameters, &rows, &buffers, &loss, gradient);
        dense_result dense = dense_gradient(&model, parameters, &rows);
        const double steps = fmin(longest, model.n_features + model.n_train + 10) + model.n_hidden;
        assert_true(fabsl(loss - dense.loss) <= eps * steps * (dense.loss + model.n_train));
        assert_true(loss_of(&model, parameters, &rows) == loss); /* with and without a gradient */
        for (size_t i = 0; i < length; i++)
            assert_true(fabsl(gradient[i] - dense.gradient[i]) <= eps * steps * dense.size[i]);
        dense_free(&dense);
        rl_free(buffers.hidden);
        rl_free(parameters);
        rl_free(gradient);
        rl_sparse_rows_destroy(&rows);
    }
}

static void gradient_equals_dense_arithmetic(void **state) {
    (void)state;
    check_against_dense(RL_PRECISION_DOUBLE, DBL_EPSILON, INT_MAX);
    check_against_dense(RL_PRECISION_FLOAT, FLT_EPSILON, 64 + 10);
}

static void any_registers_make_the_same_bits(void **state) {
    (void)state;
    for (int s = 0; s < 2 * N_SHAPES; s++) {
        rl_autoencoder model = small_model(shapes[s / 2][0], shapes[s / 2][1], shapes[s / 2][2]);
        model.precision = s % 2 == 0 ? RL_PRECISION_DOUBLE : RL_PRECISION_FLOAT;
        const size_t length = ((size_t)model.n_hidden + 1) * (size_t)rl_parameter_stride(model.n_features);
        rl_sparse_rows rows = draw(&model, RL_INPUTS_TRAIN, 0, model.n_train);
        double *parameters = random_parameters(&model), *widest = zeroed(length), *narrow = zeroed(length);
        double loss, narrow_loss;
        rl_autoencoder_buffers buffers = buffers_for(&model, &rows);
        rl_autoencoder_gradient(parameters, &rows, &buffers, &loss, widest);
        for (buffers.max_lanes = 2; buffers.max_lanes <= 8; buffers.max_lanes *= 2) {
            rl_autoencoder_gradient(parameters, &rows, &buffers, &narrow_loss, narrow);
            assert_memory_equal(&loss, &narrow_loss, sizeof loss);
            assert_memory_equal(widest, narrow, length * sizeof *widest);
        }
        rl_free(buffers.hidden);
        rl_free(parameters);
        rl_free(widest);
        rl_free(narrow);
        rl_sparse_rows_destroy(&rows);
    }
}

/* Central differences of the loss by doubles, relative to the largest derivative. */
static void check_differences(rl_precision precision, double tolerance) {
    const double h = 1e-5;
    const int ms[] = {1, 2, 3, 4, 5, 8, 9};
    for (size_t c = 0; c < sizeof ms / sizeof *ms; c++) {
        const rl_autoencoder model = small_model(23, ms[c], 17);
        const int stride = rl_parameter_stride(model.n_features), length = (model.n_hidden + 1) * stride;
        rl_sparse_rows rows = draw(&model, RL_INPUTS_TRAIN, 0, model.n_train);
        double *parameters = random_parameters(&model), *gradient = zeroed((size_t)length), loss, largest = 0;
        rl_autoencoder own = model;
        own.precision = precision;
        rl_autoencoder_buffers buffers = buffers_for(&own, &rows);
        rl_autoencoder_gradient(parameters, &rows, &buffers, &loss, gradient);
        for (int i = 0; i < length; i++) largest = fmax(largest, fabs(gradient[i]));
        for (int i = 0; i < length; i++) {
            const double here = parameters[i];
            if (i % stride >= model.n_features) continue;
            parameters[i] = here + h;
            const double above = loss_of(&model, parameters, &rows);
            parameters[i] = here - h;
            const double below = loss_of(&model, parameters, &rows);
            parameters[i] = here;
            assert_true(fabs((above - below) / (2 * h) - gradient[i]) <= tolerance * largest);
        }
        rl_free(buffers.hidden);
        rl_free(parameters);
        rl_free(gradient);
        rl_sparse_rows_destroy(&rows);
    }
}

static void gradient_equals_finite_differences(void **state) {
    (void)state;
    check_differences(RL_PRECISION_DOUBLE, 1e-6);
    check_differences(RL_PRECISION_FLOAT, 1e-6 + 16 * FLT_EPSILON);
}

/* A thousand times the rows lose no more digits, as doubles take over from float sums. */
static void float_sums_do_not_lose_more_with_more_rows(void **state) {
    (void)state;
    rl_autoencoder model = small_model(40, 3, 64000);
    const size_t length = 4 * (size_t)rl_parameter_stride(40);
    rl_sparse_rows rows = draw(&model, RL_INPUTS_TRAIN, 0, model.n_train);
    double *parameters = random_parameters(&model), *gradients[] = {zeroed(length), zeroed(length)}, losses[2];
    double largest = 0;
    for (int p = 0; p < 2; p++) {
        model.precision = p == 0 ? RL_PRECISION_DOUBLE : RL_PRECISION_FLOAT;
        rl_autoencoder_buffers buffers = buffers_for(&model, &rows);
        rl_autoencoder_gradient(parameters, &rows, &buffers, &losses[p], gradients[p]);
        rl_free(buffers.hidden);
    }
    for (size_t i = 0; i < length; i++) largest = fmax(largest, fabs(gradients[0][i]));
    for (size_t i = 0; i < length; i++)
        assert_true(fabs(gradients[1][i] - gradients[0][i]) <= 4 * FLT_EPSILON * largest);
    assert_true(fabs(losses[1] - losses[0]) <= FLT_EPSILON * losses[0] && losses[1] != losses[0]);
    double *const arrays[] = {parameters, gradients[0], gradients[1]};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
    rl_sparse_rows_destroy(&rows);
}

/* ---- AdamW ------------------------------------------------------------------------------------------------------- */

/* By hand, from w = 1, rate 0.1, decay 0.01, gradients 0.5 and then -1:
 *   step 1: m = 0.05, v = 0.00025; m / 0.1 = 0.5, v / 0.001 = 0.25; w = 0.999 - 0.1 x 0.5 / (0.5 + 1e-8)
 *   step 2: m = 0.045 - 0.1 = -0.055, v = 0.00024975 + 0.001 = 0.00124975; m / 0.19, v / 0.001999;
 *           w = 0.999 w - 0.1 x (-0.055 / 0.19) / (sqrt(0.00124975 / 0.001999) + 1e-8) */
static void adamw_is_as_by_hand(void **state) {
    (void)state;
    double w = 1, first = 0, second = 0;
    const double gradients[] = {1, -2}; /* of the sum over two examples */
    const rl_autoencoder model = {.n_train = 2,
                                  .steps = 2,
                                  .schedule = RL_LEARNING_CONSTANT,
                                  .learning_rate = 0.1,
                                  .weight_decay = 0.01,
                                  .epsilon = 1e-8};
    rl_adamw_step(&model, 1, 1, &w, &first, &second, &gradients[0]);
    assert_true(fabs(w - 0.899000002) < 1e-14); /* 0.5 / (0.5 + 1e-8) = 1 - 2e-8 + 4e-16 */
    assert_true(fabs(first - 0.05) < 1e-16 && fabs(second - 0.00025) < 1e-18);
    rl_adamw_step(&model, 2, 1, &w, &first, &second, &gradients[1]);
    assert_true(fabs(first + 0.055) < 1e-15 && fabs(second - 0.00124975) < 1e-17);
    assert_true(fabs(w - (0.999 * 0.899000002 + 0.1 * (0.055 / 0.19) / (0.790688050875248 + 1e-8))) < 1e-11);
}

/* Gradients of g / n per feature, with an epsilon of e, move parameters as those of g with n e do. */
static void the_mean_over_features_is_a_larger_epsilon(void **state) {
    (void)state;
    rl_autoencoder mean = small_model(64, 2, 5), sum = mean;
    mean.loss = RL_LOSS_MEAN;
    mean.epsilon = 0x1p-20;
    sum.epsilon = 0x1p-14;
    double w[] = {1, 1, -2}, v[] = {1, 1, -2}, moments[4][3] = {{0}};
    const double gradient[] = {3, 1e-3, -1e-6};
    for (int step = 1; step <= 3; step++) {
        rl_adamw_step(&mean, step, 3, w, moments[0], moments[1], gradient);
        rl_adamw_step(&sum, step, 3, v, moments[2], moments[3], gradient);
    }
    for (int i = 0; i < 3; i++) assert_true(w[i] != 1 && fabs(w[i] - v[i]) < 4 * DBL_EPSILON);
}

static void learning_rate_rises_and_falls(void **state) {
    (void)state;
    rl_autoencoder model = {.steps = 200, .warm_up = 0.1, .learning_rate = 1e-3, .schedule = RL_LEARNING_COSINE};
    assert_true(fabs(rl_learning_rate(&model, 1) - 5e-5) < 1e-18);
    assert_true(fabs(rl_learning_rate(&model, 20) - 1e-3) < 1e-18);
    assert_true(fabs(rl_learning_rate(&model, 110) - 5e-4) < 1e-15);
    assert_true(fabs(rl_learning_rate(&model, 80) - 7.5e-4) < 1e-15); /* a third of the way: (1 + 1/2) / 2 */
    assert_true(fabs(rl_learning_rate(&model, 200)) < 1e-18);
    model.schedule = RL_LEARNING_CONSTANT;
    assert_true(rl_learning_rate(&model, 21) == 1e-3 && rl_learning_rate(&model, 200) == 1e-3);
    model.warm_up = 0;
    assert_true(rl_learning_rate(&model, 1) == 1e-3);
}

/* ---- trainings --------------------------------------------------------------------------------------------------- */

static rl_training *begin(const rl_autoencoder *model) {
    const rl_example_share share = RL_ALL_EXAMPLES;
    rl_training *training;
    assert_int_equal(rl_training_create(model, key, 3, &share, &training), RL_OK);
    return training;
}

/* To the end, so many steps at a time. */
static double *finish(const rl_autoencoder *model, rl_training *training, int steps) {
    double *record = zeroed(rl_training_layout_of(model).length);
    for (bool ended = false; !ended;) assert_int_equal(rl_training_advance(training, steps, &ended), RL_OK);
    assert_int_equal(rl_training_record(training, record), RL_OK);
    rl_training_destroy(training);
    return record;
}

/* At its most, over the whole training. */
static size_t allocated_by(const rl_autoencoder *model, const rl_example_share *share) {
    const size_t before = rl_allocated();
    rl_training *training;
    bool ended;
    rl_forget_peak_allocated();
    assert_int_equal(rl_training_create(model, key, 3, share, &training), RL_OK);
    if (share->count == 1) assert_int_equal(rl_training_advance(training, 30, &ended), RL_OK);
    rl_training_destroy(training);
    assert_int_equal(rl_allocated(), before);
    return rl_peak_allocated() - before;
}

static void predicted_bytes_are_those_allocated(void **state) {
    const struct {
        int n, m, n_train;
        double sparsity;
    } sizes[] = {{30, 2, 7, 0.9}, {500, 2, 300, 0.98}, {3000, 12, 20, 0.999}, {5, 3, 1, 0}, {64, 1, 50, 0.998}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        rl_autoencoder model = small_model(sizes[i].n, sizes[i].m, sizes[i].n_train);
        model.sparsity = sizes[i].sparsity;
        assert_int_equal(allocated_by(&model, &RL_ALL_EXAMPLES), rl_training_bytes(&model, 1));
        size_t most = 0;
        for (int share = 0; share < 3; share++) {
            const size_t bytes = allocated_by(&model, &(rl_example_share){.index = share, .count = 3});
            most = bytes > most ? bytes : most;
        }
        assert_int_equal(most, rl_training_bytes(&model, 3));
    }
    rl_autoencoder model = small_model(200, 3, RL_INFINITE);
    model.batch = 60;
    model.precision = RL_PRECISION_FLOAT;
    assert_int_equal(allocated_by(&model, &RL_ALL_EXAMPLES), rl_training_bytes(&model, 1));
}

/* Mean 0 and variance 2 / (n + m) by both laws, at 5 standard errors: the variance of a square is twice the square of
 * the variance if normal, 4/5 of it if uniform. Uniform ones are within sqrt(3) deviations. */
static void weights_start_from_their_law(void **state) {
    (void)state;
    rl_autoencoder model = small_model(20000, 2, 1);
    for (int law = 0; law < 2; law++) {
        model.initialization = law == 0 ? RL_START_NORMAL : RL_START_UNIFORM;
        rl_training *training = begin(&model);
        double *saved = zeroed(rl_training_state_length(&model)), sum = 0, squares = 0, largest = 0;
        rl_training_save(training, saved);
        const double *w = saved + rl_training_state_length(&model) - 9 * 20000; /* before both moments */
        const double n = 40000, variance = 2.0 / 20002;
        for (int i = 0; i < n; i++) {
            sum += w[i];
            squares += w[i] * w[i];
            largest = fmax(largest, fabs(w[i]));
        }
        assert_true(fabs(sum / n) < 5 * sqrt(variance / n));
        assert_true(fabs(squares / n - variance) < 5 * variance * sqrt((law == 0 ? 2 : 0.8) / n));
        assert_true(law == 0 ? largest > 3 * sqrt(variance)
                             : largest < sqrt(3 * variance) && largest > sqrt(2.99 * variance));
        for (int i = 0; i < 20000; i++) assert_true(w[40000 + i] == 0);
        rl_training_destroy(training);
        rl_free(saved);
    }
}

static void losses_are_recorded_at_their_steps(void **state) {
    (void)state;
    rl_autoencoder model = small_model(30, 2, 20);
    assert_int_equal(rl_training_layout_of(&model).n_records, 4);
    assert_int_equal(rl_recorded_step(&model, 2), 50);
    assert_int_equal(rl_recorded_step(&model, 3), 60);
    model.record_every = 30;
    assert_int_equal(rl_training_layout_of(&model).n_records, 3);
    assert_int_equal(rl_recorded_step(&model, 2), 60);
}

/* The same steps once more, from the pieces alone. */
static void a_training_is_steps_of_adamw(void **state) {
    (void)state;
    const rl_autoencoder model = small_model(30, 2, 20);
    const rl_training_layout l = rl_training_layout_of(&model);
    double *record = finish(&model, begin(&model), 7);
    const int stride = rl_parameter_stride(30);
    double *w = zeroed(3 * (size_t)stride), *first = zeroed(3 * (size_t)stride), *second = zeroed(3 * (size_t)stride);
    double *gradient = zeroed(3 * (size_t)stride), loss;
    rl_sparse_rows train = draw(&model, RL_INPUTS_TRAIN, 0, 20), test = draw(&model, RL_INPUTS_TEST, 0, 40);
    rl_autoencoder_buffers buffers = buffers_for(&model, &train);
    for (int k = 0; k < 2; k++) {
        rl_philox_normal_row(key, RL_STREAM_WEIGHTS, 3, (uint32_t)k, 0, 30, w + k * stride);
        for (int j = 0; j < 30; j++) w[k * stride + j] *= sqrt(2.0 / 32);
    }
    for (int step = 1; step <= 60; step++) {
        rl_autoencoder_gradient(w, &train, &buffers, &loss, gradient);
        if (step == 26) assert_true(record[l.train_mse + 1] == loss / (20 * 30.0));
        rl_adamw_step(&model, step, 3 * stride, w, first, second, gradient);
    }
    assert_true(record[l.train_mse + 3] == loss_of(&model, w, &train) / (20 * 30.0));
    assert_true(record[l.test_mse + 3] == loss_of(&model, w, &test) / (40 * 30.0));
    assert_true(record[l.train_mse + 3] < record[l.train_mse]);
    assert_memory_equal(record + l.feature_embedding, w, 30 * sizeof *w);
    double *const arrays[] = {record, w, first, second, gradient};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
    rl_free(buffers.hidden);
    rl_sparse_rows_destroy(&train);
    rl_sparse_rows_destroy(&test);
}

static void a_restored_training_ends_in_the_same_bits(void **state) {
    (void)state;
    const int stops[] = {0, 1, 15, 16, 17, 24, 25, 26, 59, 60};
    const int sizes[][2] = {{2, 20}, {11, 20}, {2, 400}, {2, RL_INFINITE}}; /* m, T: the third one by half-planes */
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++) {
        rl_autoencoder model = small_model(45, sizes[c][0], sizes[c][1]);
        model.batch = 15;
        const size_t bytes = rl_training_layout_of(&model).length * sizeof(double);
        double *whole = finish(&model, begin(&model), 1000), *saved = zeroed(rl_training_state_length(&model));
        for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
            rl_training *training = begin(&model);
            bool ended;
            assert_int_equal(rl_training_advance(training, stops[i], &ended), RL_OK);
            assert_int_equal(rl_training_step(training), stops[i]);
            rl_training_save(training, saved);
            rl_training_destroy(training);
            training = begin(&model);
            assert_int_equal(rl_training_restore(training, saved, rl_training_state_length(&model)), RL_OK);
            assert_int_equal(rl_training_step(training), stops[i]);
            double *again = finish(&model, training, 13);
            assert_memory_equal(again, whole, bytes);
            rl_free(again);
        }
        rl_free(whole);
        rl_free(saved);
    }
}

/* Step s takes examples s x batch ... and records their losses before it; the record has those of the last one. */
static void every_step_has_fresh_examples(void **state) {
    (void)state;
    rl_autoencoder model = small_model(30, 2, RL_INFINITE);
    model.batch = 25;
    model.record_every = 1;
    const rl_training_layout l = rl_training_layout_of(&model);
    double *record = finish(&model, begin(&model), 7), *gradient = zeroed(3 * 32), loss = 0;
    double *w = zeroed(3 * 32), *first = zeroed(3 * 32), *second = zeroed(3 * 32), *saved;
    rl_training *training = begin(&model);
    saved = zeroed(rl_training_state_length(&model));
    rl_training_save(training, saved);
    for (int k = 0; k < 3; k++) memcpy(w + k * 32, saved + 1 + 2 * l.n_records + k * 30, 30 * sizeof *w);
    for (int step = 0; step <= 60; step++) {
        rl_sparse_rows rows = draw(&model, RL_INPUTS_FRESH, 25 * step, 25);
        rl_autoencoder_buffers buffers = buffers_for(&model, &rows);
        rl_autoencoder_gradient(w, &rows, &buffers, &loss, gradient);
        assert_true(record[l.train_mse + (size_t)step] == loss / (25 * 30.0));
        if (step < 60) rl_adamw_step(&model, step + 1, 3 * 32, w, first, second, gradient);
        for (size_t i = 0; step == 60 && i < 25; i++)
            assert_true(record[l.example_embedding + i] == buffers.hidden[2 * i]);
        rl_free(buffers.hidden);
        rl_sparse_rows_destroy(&rows);
    }
    double *const arrays[] = {record, gradient, w, first, second, saved};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
    rl_training_destroy(training);
}

static double largest_difference(size_t n, const double *a, const double *b) {
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(a[i] - b[i]));
    return largest;
}

/* By half-planes most of the time: fewer bits are the same, but no more than that. */
static void large_trainings_are_steps_of_adamw(void **state) {
    (void)state;
    const rl_autoencoder model = small_model(45, 2, 1000);
    const rl_training_layout l = rl_training_layout_of(&model);
    double *record = finish(&model, begin(&model), 7), *saved = zeroed(rl_training_state_length(&model)), loss;
    const int stride = rl_parameter_stride(45);
    const size_t length = 3 * (size_t)stride;
    double *w = zeroed(length), *first = zeroed(length), *second = zeroed(length), *gradient = zeroed(length);
    rl_sparse_rows train = draw(&model, RL_INPUTS_TRAIN, 0, 1000);
    rl_autoencoder_buffers buffers = buffers_for(&model, &train);
    rl_training *training = begin(&model);
    rl_training_save(training, saved);
    for (int k = 0; k < 3; k++) memcpy(w + k * stride, saved + 1 + 2 * 4 + k * 45, 45 * sizeof *w);
    for (int step = 1; step <= 60; step++) {
        rl_autoencoder_gradient(w, &train, &buffers, &loss, gradient);
        rl_adamw_step(&model, step, 3 * stride, w, first, second, gradient);
    }
    assert_true(largest_difference(45, record + l.feature_embedding, w) < 1e-10);
    assert_true(memcmp(record + l.feature_embedding, w, 45 * sizeof *w) != 0); /* a tree was in use */
    double *const arrays[] = {record, saved, w, first, second, gradient, buffers.hidden};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
    rl_training_destroy(training);
    rl_sparse_rows_destroy(&train);
}

/* Those of programs that knew no trees lack what comes last. */
static void shorter_states_are_gone_on_with(void **state) {
    (void)state;
    const rl_autoencoder model = small_model(45, 2, 1000);
    const size_t whole = rl_training_state_length(&model), shorter = whole - 1 - 3 * 45;
    const size_t length = rl_training_layout_of(&model).length;
    double *saved = zeroed(whole), *again[2], *expected = finish(&model, begin(&model), 100);
    bool ended;
    rl_training *training = begin(&model);
    assert_int_equal(rl_training_advance(training, 40, &ended), RL_OK);
    rl_training_save(training, saved);
    rl_training_destroy(training);
    assert_true(rl_training_takes_state(&model, shorter) && !rl_training_takes_state(&model, shorter + 1));
    for (int i = 0; i < 2; i++) {
        training = begin(&model);
        assert_int_equal(rl_training_restore(training, saved, shorter), RL_OK);
        again[i] = finish(&model, training, 100);
    }
    assert_memory_equal(again[0], again[1], length * sizeof **again);
    assert_true(largest_difference(length, again[0], expected) < 1e-9);
    double *const arrays[] = {saved, expected, again[0], again[1]};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
}

static void nonsense_is_not_restored(void **state) {
    (void)state;
    const rl_autoencoder model = small_model(10, 2, 5);
    const size_t length = rl_training_state_length(&model);
    double *saved = zeroed(length);
    rl_training *training = begin(&model);
    rl_training_save(training, saved);
    const double steps[] = {-1, 61, 0.5, NAN};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        saved[0] = steps[i];
        assert_int_equal(rl_training_restore(training, saved, rl_training_state_length(&model)), RL_ERR_INPUT);
    }
    saved[0] = 1;
    saved[length - 1] = INFINITY;
    assert_int_equal(rl_training_restore(training, saved, rl_training_state_length(&model)), RL_ERR_INPUT);
    rl_training_destroy(training);
    rl_free(saved);
}

/* |w_i|^2 / sum over j of (w_i . w_j / |w_i|)^2, pair by pair. */
static void assert_dimensions(int n, const double *embedding, const double *dimensions) {
    for (int i = 0; i < n; i++) {
        const double x = embedding[i], y = embedding[n + i], length = sqrt(x * x + y * y);
        double sum = 0;
        for (int j = 0; j < n; j++) sum += pow((x * embedding[j] + y * embedding[n + j]) / length, 2);
        assert_true(fabs(dimensions[i] - length * length / sum) <= 1e-12 * dimensions[i]);
    }
}

static void dimensions_are_those_of_the_embeddings(void **state) {
    (void)state;
    const rl_autoencoder model = small_model(45, 2, 20);
    const rl_training_layout l = rl_training_layout_of(&model);
    double *record = finish(&model, begin(&model), 1000);
    assert_dimensions(45, record + l.feature_embedding, record + l.feature_dimension);
    assert_dimensions(20, record + l.example_embedding, record + l.example_dimension);
    rl_free(record);
}

/* All features in as many hidden dimensions as there are: dimensions add up to m (the trace of a projection) where W
 * has rank m and all are weighed alike; each is at most 1. */
static void dimensions_are_at_most_one(void **state) {
    (void)state;
    const rl_autoencoder model = small_model(12, 12, 30);
    const rl_training_layout l = rl_training_layout_of(&model);
    double *record = finish(&model, begin(&model), 1000);
    assert_false(l.has_embeddings);
    for (int i = 0; i < 12; i++) {
        const double d = record[l.feature_dimension + (size_t)i];
        assert_true(d > 0 && d <= 1 + 1e-14);
    }
    rl_free(record);
}

/* At the published size, where three examples have thirty of the features, hardly any other input has one of those.
 * What it costs beyond predicting nothing are the biases: they grew with the weights and, the examples fitted, nothing
 * takes them back. */
static void a_few_examples_leave_their_biases_to_every_input(void **state) {
    (void)state;
    enum { N = 10000, T = 3, N_TEST = 1000, STEPS = 3000 };
    rl_autoencoder model = small_model(N, 2, T);
    model.sparsity = 0.999;
    model.steps = STEPS;
    model.learning_rate = 1e-3;
    model.loss = RL_LOSS_MEAN;
    const size_t n = 3 * (size_t)rl_parameter_stride(N);
    double *w = zeroed(n), *first = zeroed(n), *second = zeroed(n), *gradient = zeroed(n), loss, biases = 0;
    rl_sparse_rows train = draw(&model, RL_INPUTS_TRAIN, 0, T), test = draw(&model, RL_INPUTS_TEST, 0, N_TEST);
    rl_autoencoder_buffers buffers = buffers_for(&model, &train);
    for (uint32_t k = 0; k < 2; k++) {
        rl_philox_normal_row(key, RL_STREAM_WEIGHTS, 3, k, 0, N, w + k * n / 3);
        for (size_t j = 0; j < N; j++) w[k * n / 3 + j] *= sqrt(2.0 / (N + 2));
    }
    for (int step = 1; step <= STEPS; step++) {
        rl_autoencoder_gradient(w, &train, &buffers, &loss, gradient);
        rl_adamw_step(&model, step, (int64_t)n, w, first, second, gradient);
    }
    for (size_t j = 0; j < N; j++) biases += pow(fmax(w[2 * n / 3 + j], 0), 2);
    const double excess = loss_of(&model, w, &test) / N_TEST - 1;
    assert_true(loss < 1e-3 && excess > 0.02 && fabs(excess - biases) <= 0.05 * excess);
    double *const arrays[] = {w, first, second, gradient, buffers.hidden};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
    rl_sparse_rows_destroy(&train);
    rl_sparse_rows_destroy(&test);
}

static void a_training_that_diverges_says_so(void **state) {
    (void)state;
    rl_autoencoder model = small_model(30, 2, 20);
    model.learning_rate = 1e200;
    const rl_training_layout l = rl_training_layout_of(&model);
    double *record = finish(&model, begin(&model), 1000);
    assert_true(record[l.status] == RL_TRAINING_DIVERGED);
    assert_true(isfinite(record[l.test_mse]) && isnan(record[l.test_mse + 3]) && isnan(record[l.feature_dimension]));
    rl_free(record);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_nested_and_keyed_by_their_index),
        cmocka_unit_test(inputs_are_as_sparse_as_asked_for_and_never_empty),
        cmocka_unit_test(inputs_have_unit_length_and_uniform_values),
        cmocka_unit_test(inputs_drawn_again_are_those_drawn_anew),
        cmocka_unit_test(gradient_equals_dense_arithmetic),
        cmocka_unit_test(any_registers_make_the_same_bits),
        cmocka_unit_test(gradient_equals_finite_differences),
        cmocka_unit_test(float_sums_do_not_lose_more_with_more_rows),
        cmocka_unit_test(adamw_is_as_by_hand),
        cmocka_unit_test(the_mean_over_features_is_a_larger_epsilon),
        cmocka_unit_test(learning_rate_rises_and_falls),
        cmocka_unit_test(predicted_bytes_are_those_allocated),
        cmocka_unit_test(weights_start_from_their_law),
        cmocka_unit_test(losses_are_recorded_at_their_steps),
        cmocka_unit_test(a_training_is_steps_of_adamw),
        cmocka_unit_test(a_restored_training_ends_in_the_same_bits),
        cmocka_unit_test(every_step_has_fresh_examples),
        cmocka_unit_test(large_trainings_are_steps_of_adamw),
        cmocka_unit_test(shorter_states_are_gone_on_with),
        cmocka_unit_test(nonsense_is_not_restored),
        cmocka_unit_test(dimensions_are_those_of_the_embeddings),
        cmocka_unit_test(dimensions_are_at_most_one),
        cmocka_unit_test(a_few_examples_leave_their_biases_to_every_input),
        cmocka_unit_test(a_training_that_diverges_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
