/* Half-planes against the dense sums, which test_autoencoder.c holds to long double arithmetic, and against finite
 * differences: trees that are fresh and trees that are not, and vectors that no tree can part. */
#include <math.h>
#include <string.h>

#include "ridgeless/half_planes.h"
#include "unit.h"

static const rl_key key = {{0x13198a2e, 0x03707344}};
enum { MOST_PARAMETERS = 4000 };

typedef struct fixture {
    rl_autoencoder model;
    rl_sparse_rows rows;
    rl_half_planes planes;
    rl_autoencoder_buffers buffers;
    int stride;
    _Alignas(64) double parameters[MOST_PARAMETERS]; /* as rl_alloc aligns them */
    _Alignas(64) double gradient[MOST_PARAMETERS], dense[MOST_PARAMETERS];
    double loss, dense_loss, work;
} fixture;

static void set_up(fixture *f, int n, int n_train, double sparsity) {
    *f = (fixture){.model = {.n_features = n, .n_hidden = 2, .n_train = n_train, .sparsity = sparsity},
                   .stride = rl_parameter_stride(n)};
    assert_true(3 * f->stride <= MOST_PARAMETERS);
    assert_int_equal(rl_inputs_draw(&f->model, key, 0, RL_INPUTS_TRAIN, 0, n_train, &f->rows), RL_OK);
    f->planes = (rl_half_planes){
        .n_features = n, .max_rows = n_train, .max_entries = rl_half_planes_room(n_train, f->rows.start[n_train], n)};
    f->buffers = (rl_autoencoder_buffers){.n_hidden = 2, .n_rows = n_train};
    assert_int_equal(rl_arrays_create(&f->planes, rl_half_planes_list), RL_OK);
    assert_int_equal(rl_arrays_create(&f->buffers, rl_autoencoder_list_buffers), RL_OK);
}

static void tear_down(fixture *f) {
    rl_free(f->planes.nodes);
    rl_free(f->buffers.hidden);
    rl_sparse_rows_destroy(&f->rows);
}

/* Normal numbers of a deviation, another set for each seed, plus the same number to every b. */
static void draw_parameters(fixture *f, uint32_t seed, double deviation, double b) {
    for (int k = 0; k < 3; k++) {
        double *row = f->parameters + k * f->stride;
        rl_philox_normal_row(key, RL_STREAM_WEIGHTS, seed, (uint32_t)k, 0, f->model.n_features, row);
        for (int j = 0; j < f->model.n_features; j++) row[j] = deviation * row[j] + (k == 2 ? b : 0);
    }
}

static void plant(fixture *f) {
    rl_half_planes_plant(&f->planes, f->parameters, &f->rows);
}

static void take_gradient(fixture *f) {
    rl_half_planes_gradient(&f->planes, f->parameters, &f->loss, f->gradient, &f->work);
}

/* Relative to the largest derivative. */
static void assert_dense(fixture *f) {
    double largest = 0;
    take_gradient(f);
    rl_autoencoder_gradient(f->parameters, &f->rows, &f->buffers, &f->dense_loss, f->dense);
    for (int i = 0; i < 3 * f->stride; i++) largest = fmax(largest, fabs(f->dense[i]));
    assert_true(fabs(f->loss - f->dense_loss) <= 1e-12 * f->dense_loss);
    for (int i = 0; i < 3 * f->stride; i++) assert_true(fabs(f->gradient[i] - f->dense[i]) <= 1e-12 * largest);
}

static const int shapes[][2] = {/* n, T: remainders of features and of vectors, leaves that are full and not */
                                {1, 1},   {1, 9},    {7, 7},    {8, 8},     {9, 31},   {53, 32},   {53, 33},
                                {16, 65}, {64, 127}, {300, 96}, {300, 500}, {1, 1000}, {40, 1003}, {1000, 200}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static void sums_are_the_dense_ones(void **state) {
    (void)state;
    fixture f;
    for (int s = 0; s < N_SHAPES; s++)
        for (int sign = -1; sign <= 1; sign++) {
            set_up(&f, shapes[s][0], shapes[s][1], 0.9);
            draw_parameters(&f, 1, 0.5, 0.4 * sign);
            plant(&f);
            assert_dense(&f);
            tear_down(&f);
        }
}

/* A tree may be of any age. */
static void vectors_may_have_moved(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 60, 403, 0.9);
    draw_parameters(&f, 1, 0.5, 0.1);
    plant(&f);
    for (uint32_t seed = 2; seed < 6; seed++) {
        draw_parameters(&f, seed, seed, -0.1);
        assert_dense(&f);
    }
    tear_down(&f);
}

static void vectors_that_nothing_parts(void **state) {
    (void)state;
    fixture f;
    const double bs[] = {0, 1, -1};
    for (int i = 0; i < 3; i++) {
        set_up(&f, 40, 203, 0.9);
        draw_parameters(&f, 1, 0, bs[i]); /* all are zero */
        plant(&f);
        assert_dense(&f);
        draw_parameters(&f, 1, 0.3, 100 * bs[i]); /* all on one side of every line */
        assert_dense(&f);
        for (int j = 0; j < 40; j++) f.parameters[j] = 0; /* all on one line */
        plant(&f);
        assert_dense(&f);
        tear_down(&f);
    }
    set_up(&f, 2, 500, 0.95); /* nearly all inputs are (1, 0) or (0, 1), and so the vectors two columns of W */
    draw_parameters(&f, 1, 0.5, 0);
    plant(&f);
    assert_dense(&f);
    f.parameters[2 * f.stride] = -f.parameters[0] * f.parameters[0] - f.parameters[f.stride] * f.parameters[f.stride];
    assert_dense(&f); /* the line goes through one of them */
    tear_down(&f);
}

static void any_registers_make_the_same_bits(void **state) {
    (void)state;
    fixture f;
    for (int s = 0; s < N_SHAPES; s++) {
        set_up(&f, shapes[s][0], shapes[s][1], 0.9);
        draw_parameters(&f, 1, 0.5, 0.2);
        plant(&f);
        take_gradient(&f);
        memcpy(f.dense, f.gradient, sizeof f.dense);
        f.dense_loss = f.loss;
        for (f.planes.max_lanes = 2; f.planes.max_lanes <= 8; f.planes.max_lanes *= 2) {
            plant(&f);
            take_gradient(&f);
            assert_memory_equal(&f.loss, &f.dense_loss, sizeof f.loss);
            assert_memory_equal(f.gradient, f.dense, 3 * (size_t)f.stride * sizeof *f.dense);
        }
        tear_down(&f);
    }
}

static void a_tree_does_not_depend_on_the_one_before(void **state) {
    (void)state;
    fixture f;
    set_up(&f, 60, 403, 0.9);
    draw_parameters(&f, 1, 0.5, 0);
    plant(&f);
    take_gradient(&f);
    memcpy(f.dense, f.gradient, sizeof f.dense);
    draw_parameters(&f, 2, 0.5, 0);
    plant(&f);
    draw_parameters(&f, 1, 0.5, 0);
    take_gradient(&f);
    assert_memory_not_equal(f.gradient, f.dense, sizeof f.dense);
    plant(&f);
    take_gradient(&f);
    assert_memory_equal(f.gradient, f.dense, sizeof f.dense);
    tear_down(&f);
}

static void gradient_equals_finite_differences(void **state) {
    (void)state;
    const double h = 1e-5;
    double gradient[MOST_PARAMETERS], largest = 0;
    fixture f;
    set_up(&f, 23, 100, 0.8);
    draw_parameters(&f, 1, 0.4, 0);
    plant(&f);
    take_gradient(&f);
    memcpy(gradient, f.gradient, sizeof gradient);
    for (int i = 0; i < 3 * f.stride; i++) largest = fmax(largest, fabs(gradient[i]));
    for (int i = 0; i < 3 * f.stride; i++) {
        const double here = f.parameters[i];
        if (i % f.stride >= f.model.n_features) continue;
        f.parameters[i] = here + h;
        take_gradient(&f);
        const double above = f.loss;
        f.parameters[i] = here - h;
        take_gradient(&f);
        f.parameters[i] = here;
        assert_true(fabs((above - f.loss) / (2 * h) - gradient[i]) <= 1e-6 * largest);
    }
    tear_down(&f);
}

/* Many vectors take a small part of the dense work, and that falls as the root of their number. */
static void work_falls_with_more_vectors(void **state) {
    (void)state;
    double before = 1;
    fixture f;
    for (int n_train = 500; n_train <= 32000; n_train *= 8) {
        set_up(&f, 100, n_train, 0.9);
        draw_parameters(&f, 1, 0.5, 0);
        plant(&f);
        take_gradient(&f);
        const double part = f.work / (100.0 * n_train / 8);
        assert_true(part < before / (n_train == 500 ? 1 : 1.8));
        before = part;
        tear_down(&f);
    }
    assert_true(before < 0.15);
}

/* Numbers that are not finite end, and leave some that are not. */
static void wild_numbers_end(void **state) {
    (void)state;
    const double wild[] = {NAN, INFINITY, -INFINITY, 1e300};
    fixture f;
    set_up(&f, 20, 300, 0.8);
    for (int i = 0; i < 4; i++) {
        draw_parameters(&f, 1, 0.5, 0);
        f.parameters[3] = wild[i];
        plant(&f);
        take_gradient(&f);
        for (int j = 0; j < 3 * f.stride; j++) f.parameters[j] = wild[i];
        plant(&f);
        take_gradient(&f);
    }
    tear_down(&f);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_the_dense_ones),
        cmocka_unit_test(vectors_may_have_moved),
        cmocka_unit_test(vectors_that_nothing_parts),
        cmocka_unit_test(any_registers_make_the_same_bits),
        cmocka_unit_test(a_tree_does_not_depend_on_the_one_before),
        cmocka_unit_test(gradient_equals_finite_differences),
        cmocka_unit_test(work_falls_with_more_vectors),
        cmocka_unit_test(wild_numbers_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
