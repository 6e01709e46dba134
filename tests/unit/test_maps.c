/* data: feature maps, views of data sets through them, and the sources of their inputs. */
#include <float.h>
#include <gsl/gsl_sf_legendre.h>

#include "dataset.h"

/* ---- maps ---------------------------------------------------------------------------------------------------------
 */

typedef struct used_map {
    const rl_feature_map *map;
    rl_options options;
    rl_map_use use;
} used_map;

static used_map use_map(const char *name, const setting *settings, int n_inputs, int n_features) {
    used_map u = {.map = rl_feature_map_find(name)};
    assert_non_null(u.map);
    assert_done(rl_options_create(&u.options, u.map->options, u.map->n_options));
    for (const setting *s = settings; s != NULL && s->key != NULL; s++) {
        const int i = rl_options_find(&u.options, s->key);
        assert_true(i >= 0);
        give(&u.options.values[i], &u.options.specs[i], s->value);
    }
    u.use = rl_map_use_of(u.map, &u.options, n_inputs, n_features);
    assert_done(RL_ALLOC(u.use.weights, n_features * u.use.n_weights));
    return u;
}

/* The options may have moved since the use was made: a struct returned by value. */
static void draw(used_map *u, uint32_t repeat) {
    u->use.options = &u->options;
    rl_map_draw(&u->use, u->map, rl_key_make(5, "data"), repeat);
}

static void forget(used_map *u) {
    rl_free(u->use.weights);
    rl_options_destroy(&u->options);
}

static void maps_are_complete(void **state) {
    static const char *const names[] = {"identity", "legendre", "chebyshev", "random-fourier", "random-relu"};
    size_t n = 0;
    for (; rl_feature_maps[n] != NULL; n++) {
        const rl_feature_map *map = rl_feature_maps[n];
        assert_string_equal(map->name, names[n]);
        assert_ptr_equal(rl_feature_map_find(names[n]), map);
        assert_non_null(map->summary);
        assert_non_null(map->example);
        assert_non_null(map->fill);
        assert_true((map->draw == NULL) == (map->n_weights == NULL));
        for (int i = 0; i < map->n_options; i++) assert_non_null(map->options[i].help);
    }
    assert_int_equal(n, sizeof names / sizeof *names);
    assert_null(rl_feature_map_find("wavelets"));
}

/* GSL's Legendre polynomials, by its own recurrence, and cos(k acos x). The bound is that of a recurrence of P steps
 * inside [-1, 1]. */
static void polynomials_have_degrees_from_one(void **state) {
    enum { P = 200 };
    used_map legendre = use_map("legendre", NULL, 1, P), chebyshev = use_map("chebyshev", NULL, 1, P);
    double features[P], expected[P + 1];
    for (int i = 0; i <= 100; i++) {
        const double x = i == 100 ? 1 : -1 + 0.02 * i;
        legendre.map->fill(&legendre.use, &x, features);
        assert_int_equal(gsl_sf_legendre_Pl_array(P, x, expected), 0);
        for (int k = 1; k <= P; k++) assert_near(features[k - 1], expected[k], 4 * P * DBL_EPSILON);
        chebyshev.map->fill(&chebyshev.use, &x, features);
        for (int k = 1; k <= P; k++) assert_near(features[k - 1], cos(k * acos(x)), 4.0 * P * P * DBL_EPSILON);
    }
    forget(&legendre);
    forget(&chebyshev);
}

/* The first features are the same however many there are, and each repeat has its own draw unless there is one. */
static void random_maps_are_nested_and_drawn_anew(void **state) {
    static const char *const names[] = {"random-fourier", "random-relu"};
    static const double x[3] = {0.3, -1, 2};
    for (int i = 0; i < 2; i++) {
        used_map few = use_map(names[i], NULL, 3, 4), many = use_map(names[i], NULL, 3, 9),
                 once = use_map(names[i], SETTINGS({"draw", "once"}), 3, 9);
        double a[4], b[9], c[9], d[9];
        draw(&few, 7), draw(&many, 7);
        few.map->fill(&few.use, x, a), many.map->fill(&many.use, x, b);
        assert_memory_equal(a, b, sizeof a);
        draw(&many, 8);
        many.map->fill(&many.use, x, c);
        assert_memory_not_equal(b, c, sizeof b);
        draw(&once, 7);
        once.map->fill(&once.use, x, c);
        draw(&once, 8);
        once.map->fill(&once.use, x, d);
        assert_memory_equal(c, d, sizeof c);
        assert_true(rl_map_varies(many.map, &many.options) && !rl_map_varies(once.map, &once.options));
        forget(&few), forget(&many), forget(&once);
    }
}

/* Mean over the features of the products of those of two rows, in standard errors from the expectation. */
static double kernel_score(used_map *u, const double *x, const double *y, double expected) {
    enum { MAX = 20000 };
    static double a[MAX], b[MAX];
    double mean = 0, square = 0;
    const int n = u->use.n_features;
    assert_true(n <= MAX);
    u->map->fill(&u->use, x, a), u->map->fill(&u->use, y, b);
    for (int j = 0; j < n; j++) mean += a[j] * b[j] / n, square += a[j] * b[j] * a[j] * b[j] / n;
    return (mean - expected) / sqrt((square - mean * mean) / n);
}

/* Rahimi and Recht 2007: the Gaussian kernel exp(-|x - y|^2 / (2 bandwidth^2)). */
static void random_fourier_stands_for_the_gaussian_kernel(void **state) {
    static const double rows[3][2] = {{0.2, -0.4}, {1, 0.5}, {-0.6, 0.1}};
    used_map u = use_map("random-fourier", SETTINGS({"bandwidth", "0.8"}), 2, 20000);
    draw(&u, 0);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            const double square = pow(rows[i][0] - rows[j][0], 2) + pow(rows[i][1] - rows[j][1], 2);
            assert_near(kernel_score(&u, rows[i], rows[j], exp(-square / (2 * 0.64))), 0, 4.5);
        }
    forget(&u);
}

/* Cho and Saul 2009, "Kernel methods for deep learning", the arc-cosine kernel of degree 1; weights have variance
 * 1 / inputs, so it is divided by that. With weights on the sphere the mean square of a projection is the same. */
static void random_relu_stands_for_the_arc_cosine_kernel(void **state) {
    static const double rows[3][3] = {{1, 2, -0.5}, {-0.3, 1, 1}, {-1, -2, 0.7}};
    static const char *const weights[] = {"sphere", "normal"};
    for (int w = 0; w < 2; w++) {
        used_map u = use_map("random-relu", SETTINGS({"weights", weights[w]}), 3, 20000);
        draw(&u, 3);
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                double xx = 0, yy = 0, xy = 0;
                for (int k = 0; k < 3; k++)
                    xx += rows[i][k] * rows[i][k], yy += rows[j][k] * rows[j][k], xy += rows[i][k] * rows[j][k];
                const double angle = i == j ? 0 : acos(xy / sqrt(xx * yy));
                const double kernel = sqrt(xx * yy) / (2 * M_PI) * (sin(angle) + (M_PI - angle) * cos(angle)) / 3;
                assert_near(kernel_score(&u, rows[i], rows[j], kernel), 0, 4.5);
            }
        forget(&u);
    }
    used_map biased = use_map("random-relu", SETTINGS({"bias", "2"}), 3, 20000);
    static const double zero[3] = {0, 0, 0};
    draw(&biased, 0);
    assert_near(kernel_score(&biased, zero, zero, 2), 0, 4.5); /* E max(0, b)^2 = bias^2 / 2 */
    forget(&biased);
}

/* ---- functions ----------------------------------------------------------------------------------------------------
 */

static rl_dataset view_of(const rl_dataset *raw, const char *map, const rl_options *options, int n_features,
                          int index) {
    rl_dataset view;
    const rl_view_request wanted = {.map = map == NULL ? NULL : rl_feature_map_find(map),
                                    .options = options,
                                    .n_features = n_features,
                                    .index = index};
    assert_done(rl_dataset_view(raw, &wanted, &view));
    return view;
}

static rl_rows rows_of(const rl_dataset *view, rl_random_kind random) {
    rl_rows rows;
    assert_done(rl_rows_create(&rows, view, random, 5));
    return rows;
}

/* numpy.random.RandomState(0).uniform(-1, 1, 3) is 0.0976270078546495, 0.43037873274483895, 0.20552675214328775; the
 * fifth set of three that it draws begins with 0.13608912218786462. numpy.linspace(-1, 1, 4)[1] is
 * -0.33333333333333337. */
static void functions_are_drawn_as_published(void **state) {
    rl_dataset d = load_done((request){.source = "function",
                                       .settings = SETTINGS({"rows", "3"}, {"test_points", "4"}),
                                       .random = RL_RANDOM_NUMPY,
                                       .n_views = 2,
                                       .n_repeats = 3});
    assert_int_equal(d.n_rows, 7);
    assert_int_equal(d.n_test_only, 4);
    for (int v = 0; v < 2; v++) {
        rl_dataset view = view_of(&d, "legendre", NULL, 1 + 4 * v, v);
        rl_rows rows = rows_of(&view, RL_RANDOM_NUMPY);
        double x[7 * 5], y[7];
        assert_done(rl_rows_arrange(&rows, (uint32_t)v));
        rl_rows_get(&rows, 0, 7, x, 5, y);
        if (v == 0) {
            assert_true(x[0] == 0.0976270078546495 && x[5] == 0.43037873274483895 && x[10] == 0.20552675214328775);
            assert_true(x[15] == -1 && x[20] == -0.33333333333333337 && x[30] == 1);
        } else {
            assert_true(x[0] == 0.13608912218786462);
        }
        for (int i = 0; i < 7; i++) assert_near(y[i], 2 * x[5 * i] + cos(25 * x[5 * i]), 4 * DBL_EPSILON);
        rl_rows_destroy(&rows);
    }
    rl_dataset_destroy(&d);
}

static void functions_are_what_their_names_say(void **state) {
    static const char *const names[] = {"linear-cosine", "sine", "runge", "step", "absolute", "exponential"};
    for (int f = 0; f < 6; f++) {
        rl_dataset d =
            load_done((request){.source = "function",
                                .settings = SETTINGS({"function", names[f]}, {"inputs", "equispaced"}, {"rows", "5"},
                                                     {"draw", "pool"}, {"test_points", "0"})});
        for (int i = 0; i < 5; i++) {
            const double x = -1 + 0.5 * i;
            const double values[] = {2 * x + cos(25 * x), sin(M_PI * x), 1 / (1 + 25 * x * x),
                                     x < 0 ? -1 : 1,      fabs(x),       exp(x)};
            assert_true(d.x[i] == x);
            assert_near(d.y[i], values[f], 4e-15);
        }
        rl_dataset_destroy(&d);
    }
}

static void uniform_inputs_fill_their_interval(void **state) {
    enum { N = 4000 };
    rl_dataset d = load_done((request){
        .source = "function",
        .settings = SETTINGS({"low", "2"}, {"high", "5"}, {"rows", "4000"}, {"noise", "0.5"}, {"function", "step"})});
    rl_dataset view = view_of(&d, NULL, NULL, 0, 0);
    assert_non_null(view.map); /* its best linear model is each repeat's own */
    rl_rows rows = rows_of(&view, RL_RANDOM_PHILOX);
    static double x[N + 1000], y[N + 1000];
    assert_done(rl_rows_arrange(&rows, 1));
    rl_rows_get(&rows, 0, N + 1000, x, 1, y);
    double mean = 0, square = 0, noise = 0;
    for (int i = 0; i < N; i++) {
        assert_true(x[i] > 2 && x[i] < 5);
        mean += x[i] / N, square += x[i] * x[i] / N, noise += (y[i] - 1) * (y[i] - 1) / N;
    }
    assert_near(mean, 3.5, 4.5 * sqrt(9.0 / 12 / N));
    assert_near(square, 13, 4.5 * sqrt(37.3 / N)); /* the variance of x^2 */
    assert_near(noise, 0.25, 4.5 * 0.25 * sqrt(2.0 / N));
    for (int i = N; i < N + 1000; i++) assert_true(y[i] == 1); /* test points have none */
    rl_rows_destroy(&rows);
    rl_dataset_destroy(&d);
}

/* Fresh for each repeat, the same draw whatever the map; a pool has one draw in another order. */
static void test_points_are_last_at_any_order(void **state) {
    static const char *const draws[] = {"fresh", "pool"};
    for (int k = 0; k < 2; k++) {
        rl_dataset d = load_done((request){
            .source = "function", .settings = SETTINGS({"draw", draws[k]}, {"rows", "20"}, {"test_points", "11"})});
        rl_dataset plain = view_of(&d, "identity", NULL, 1, 0), mapped = view_of(&d, "chebyshev", NULL, 6, 0);
        rl_rows a = rows_of(&plain, RL_RANDOM_PHILOX), b = rows_of(&mapped, RL_RANDOM_PHILOX);
        double first[2][31], x[31 * 6], y[2][31];
        for (uint32_t repeat = 0; repeat < 2; repeat++) {
            assert_done(rl_rows_arrange(&a, repeat));
            assert_done(rl_rows_arrange(&b, repeat));
            rl_rows_get(&a, 0, 31, first[repeat], 1, y[0]);
            rl_rows_get(&b, 0, 31, x, 6, y[1]);
            assert_memory_equal(y[0], y[1], sizeof y[0]);
            for (int i = 0; i < 31; i++) assert_true(first[repeat][i] == x[6 * i]);
            for (int i = 0; i < 11; i++) assert_near(first[repeat][20 + i], -1 + 0.2 * i, 1e-15);
        }
        assert_memory_not_equal(first[0], first[1], 20 * sizeof(double));
        for (int i = 0, found = 0; k == 1 && i < 20; i++, found = 0) {
            for (int j = 0; j < 20; j++) found += first[0][i] == first[1][j];
            assert_int_equal(found, 1);
        }
        rl_rows_destroy(&a), rl_rows_destroy(&b);
        rl_dataset_destroy(&d);
    }
}

static void function_faults_are_refused(void **state) {
    refuse((request){.source = "function", .settings = SETTINGS({"low", "1"})}, "key `low` (line 7): 1 is not below");
    refuse((request){.source = "function", .settings = SETTINGS({"noise", "1"}), .random = RL_RANDOM_NUMPY},
           "key `noise` (line 7): needs `random: philox`");
    refuse((request){.source = "function", .settings = SETTINGS({"inputs", "equispaced"}), .random = RL_RANDOM_NUMPY},
           "key `inputs` (line 7): needs `random: philox`");
    refuse((request){.source = "function", .settings = SETTINGS({"draw", "pool"}), .random = RL_RANDOM_NUMPY},
           "key `draw` (line 7): needs `random: philox`");
    refuse((request){.source = "function", .settings = SETTINGS({"rows", "1"}, {"test_points", "0"})}, "1 row");
    refuse((request){.source = "sphere", .random = RL_RANDOM_NUMPY}, "needs `random: philox`");
}

/* ---- the sphere ---------------------------------------------------------------------------------------------------
 */

static void sphere_rows_lie_on_it(void **state) {
    enum { N = 500, D = 12 };
    rl_dataset d = load_done(
        (request){.source = "sphere", .settings = SETTINGS({"rows", "500"}, {"inputs", "12"}, {"signal", "3"})});
    rl_dataset view = view_of(&d, NULL, NULL, 0, 0);
    rl_rows rows = rows_of(&view, RL_RANDOM_PHILOX);
    static double x[N * D], y[N];
    double mean[D] = {0}, length = 0, square = 0;
    assert_false(rl_dataset_design_known(&view));
    assert_done(rl_rows_arrange(&rows, 2));
    rl_rows_get(&rows, 0, N, x, D, y);
    for (int j = 0; j < D; j++) length += d.teacher.beta[j] * d.teacher.beta[j];
    assert_near(sqrt(length), 3, 1e-14);
    for (int i = 0; i < N; i++) {
        double sum = 0, target = 0;
        for (int j = 0; j < D; j++) {
            sum += x[i * D + j] * x[i * D + j];
            target += x[i * D + j] * d.teacher.beta[j];
            mean[j] += x[i * D + j] / N;
        }
        assert_near(sum, D, 1e-12);
        assert_near(y[i], target, 1e-13);
        square += y[i] * y[i] / N;
    }
    for (int j = 0; j < D; j++) assert_near(mean[j], 0, 4.5 / sqrt(N));
    assert_near(square, 9, 4.5 * 9 * sqrt(2.0 / N)); /* below a normal number's spread */
    const double *beta = rl_rows_beta_star(&rows);   /* no noise: least squares finds the teacher */
    for (int j = 0; j < D; j++) assert_near(beta[j], d.teacher.beta[j], 1e-12);
    rl_rows_destroy(&rows);
    rl_dataset_destroy(&d);
}

/* ---- views --------------------------------------------------------------------------------------------------------
 */

/* The best linear model leaves residuals that are orthogonal to every feature, or none where there are more features
 * than rows; then it is the shortest: in the rows' span. */
static void the_best_linear_model_is_least_squares_on_all_rows(void **state) {
    static const int sizes[] = {1, 7, 40, 90};
    rl_dataset d = load_done(
        (request){.source = "function", .settings = SETTINGS({"rows", "20"}, {"test_points", "30"}, {"noise", "1"})});
    used_map u = use_map("random-fourier", SETTINGS({"bandwidth", "0.2"}), 1, 1);
    for (int s = 0; s < 4; s++) {
        const int p = sizes[s];
        rl_dataset view = view_of(&d, "random-fourier", &u.options, p, s);
        rl_rows rows = rows_of(&view, RL_RANDOM_PHILOX);
        assert_null(view.beta_star);
        static double x[50 * 90], left[50];
        assert_done(rl_rows_arrange(&rows, 4));
        rl_rows_get(&rows, 0, 50, x, p, left);
        const double *beta = rl_rows_beta_star(&rows);
        double size = 0, length = 0;
        for (int j = 0; j < p; j++) length += beta[j] * beta[j];
        for (int i = 0; i < 50; i++) {
            size += fabs(left[i]);
            for (int j = 0; j < p; j++) left[i] -= x[i * p + j] * beta[j];
        }
        const double tolerance = 1e-9 * (size + sqrt(length));
        for (int i = 0; p >= 50 && i < 50; i++) assert_near(left[i], 0, tolerance);
        for (int j = 0; j < p; j++) {
            double sum = 0;
            for (int i = 0; i < 50; i++) sum += x[i * p + j] * left[i];
            assert_near(sum, 0, tolerance);
        }
        rl_rows_destroy(&rows);
    }
    forget(&u);
    rl_dataset_destroy(&d);
}

/* Fewer features of the same rows; the design stays known, and what is not seen is noise. */
static void a_student_may_see_fewer_features(void **state) {
    rl_dataset d = load_done(
        (request){.source = "student-teacher",
                  .settings = SETTINGS({"draw", "fresh"}, {"rows", "9"}, {"features", "6"}, {"hidden_features", "8"})});
    rl_dataset all = view_of(&d, NULL, NULL, 0, 0), few = view_of(&d, "identity", NULL, 2, 0);
    rl_rows a = rows_of(&all, RL_RANDOM_PHILOX), b = rows_of(&few, RL_RANDOM_PHILOX);
    double x[9 * 6], y[9], x2[9 * 2], y2[9], unseen = 0;
    assert_done(rl_rows_arrange(&a, 3));
    assert_done(rl_rows_arrange(&b, 3));
    rl_rows_get(&a, 0, 9, x, 6, y);
    rl_rows_get(&b, 0, 9, x2, 2, y2);
    assert_memory_equal(y, y2, sizeof y);
    for (int i = 0; i < 9; i++) assert_memory_equal(x + 6 * i, x2 + 2 * i, 2 * sizeof(double));
    assert_true(rl_dataset_design_known(&few) && few.map == NULL);
    for (int j = 2; j < 8; j++) unseen += d.teacher.beta[j] * d.teacher.beta[j];
    assert_near(rl_dataset_residual_variance(&few), unseen, 1e-15 * unseen);
    assert_ptr_equal(rl_rows_beta_star(&b), d.beta_star);
    assert_true(all.checksum == d.checksum && few.checksum != d.checksum);
    rl_rows_destroy(&a), rl_rows_destroy(&b);
    rl_dataset_destroy(&d);
}

/* A table seen as it is, is it; through the identity at fewer features it is its first columns. */
static void tables_have_views(void **state) {
    rl_dataset d = load_done((request){.source = "diabetes"});
    rl_dataset same = view_of(&d, NULL, NULL, 10, 0), few = view_of(&d, NULL, NULL, 3, 0);
    assert_true(same.map == NULL && same.x == d.x && same.beta_star == d.beta_star && same.checksum == d.checksum);
    rl_rows rows = rows_of(&few, RL_RANDOM_PHILOX), plain = rows_of(&same, RL_RANDOM_PHILOX);
    double x[3], full[10], y[2];
    const double *before = rl_rows_beta_star(&rows);
    for (uint32_t repeat = 1; repeat < 3; repeat++) {
        assert_done(rl_rows_arrange(&rows, repeat));
        assert_done(rl_rows_arrange(&plain, repeat));
        rl_rows_get(&rows, 40, 1, x, 3, &y[0]);
        rl_rows_get(&plain, 40, 1, full, 10, &y[1]);
        assert_memory_equal(x, full, sizeof x);
        assert_true(y[0] == y[1]);
        assert_ptr_equal(rl_rows_beta_star(&rows), before); /* made once: it does not vary */
    }
    rl_rows_destroy(&rows), rl_rows_destroy(&plain);
    rl_dataset_destroy(&d);
}

static void refuse_view(const rl_dataset *raw, const char *map, int n_features, const char *message) {
    rl_dataset view;
    const rl_view_request wanted = {.map = rl_feature_map_find(map), .n_features = n_features};
    assert_refused(rl_dataset_view(raw, &wanted, &view), message);
}

static void impossible_views_are_refused(void **state) {
    rl_dataset d = load_done((request){.source = "diabetes"});
    refuse_view(&d, "identity", 11, "dataset `diabetes`: key `n_features`: got 11; expected at most the features");
    refuse_view(&d, "legendre", 5, "key `map`: `legendre` takes 1 input, and there are 10");
    rl_dataset_destroy(&d);
    d = load_done((request){.source = "diabetes", .intercept = true});
    refuse_view(&d, "identity", 11, "dataset `diabetes`: key `n_features`: got 11; expected at most the features");
    refuse_view(&d, "legendre", 5, "key `map`: `legendre` takes 1 input, and there are 10");
    rl_dataset_destroy(&d);
    write_text("wide.csv", "a,y\n1,1\n-0.5,2\n3,4\n");
    d = load_done((request){.source = "csv",
                            .settings = SETTINGS({"file", "wide.csv"}, {"target", "y"}),
                            .base = folder,
                            .intercept = true});
    refuse_view(&d, "legendre", 2, "`legendre` got the input 3 in row 3; expected inputs in [-1, 1]");
    rl_dataset_destroy(&d);
    d = load_done((request){.source = "function", .settings = SETTINGS({"high", "1.5"})});
    refuse_view(&d, "legendre", 5, "the inputs of `legendre` are from -1 to 1.5; expected inputs in [-1, 1]");
    rl_dataset_destroy(&d);
    d = load_done((request){.source = "function", .settings = SETTINGS({"high", "2"}, {"draw", "pool"})});
    refuse_view(&d, "chebyshev", 5, "expected inputs in [-1, 1]");
    rl_dataset_destroy(&d);
    d = load_done((request){.source = "sphere", .settings = SETTINGS({"inputs", "1"})});
    refuse_view(&d, "chebyshev", 5, "the inputs of `chebyshev` have no bounds; expected inputs in [-1, 1]");
    rl_dataset_destroy(&d);
    write_text("large.csv", "a,y\n1e300,1\n-1.5e300,2\n3,4\n");
    d = load_done(
        (request){.source = "csv", .settings = SETTINGS({"file", "large.csv"}, {"target", "y"}), .base = folder});
    rl_rows rows;
    used_map u = use_map("random-relu", SETTINGS({"bias", "1e100"}), 1, 1);
    rl_dataset fine = view_of(&d, "random-relu", &u.options, 4, 0);
    rows = rows_of(&fine, RL_RANDOM_PHILOX);
    assert_done(rl_rows_arrange(&rows, 0));
    rl_rows_destroy(&rows);
    used_map narrow = use_map("random-fourier", SETTINGS({"bandwidth", "1e-10"}), 1, 1);
    rl_dataset wild = view_of(&d, "random-fourier", &narrow.options, 4, 0);
    rows = rows_of(&wild, RL_RANDOM_PHILOX);
    assert_refused(rl_rows_arrange(&rows, 0), "that `random-fourier` makes of row 1 is not finite");
    rl_rows_destroy(&rows);
    forget(&u), forget(&narrow);
    rl_dataset_destroy(&d);
}

/* ---- theory -------------------------------------------------------------------------------------------------------
 */

static double limit_of(used_map *u, int n_inputs, int n_features, int n_train, double signal, double noise) {
    const rl_map_use use = {.n_inputs = n_inputs, .n_features = n_features, .options = &u->options};
    return u->map->asymptotic_mse(&use, &(rl_sphere_task){n_train, signal, noise});
}

/* What the limit must be whatever its formula: noise alone gives P / (N - P) for N > P, as for any features that span
 * all; many features at few rows give back the signal; it scales; it diverges at the threshold. */
static void the_limit_of_random_relu_has_the_known_ends(void **state) {
    used_map u = use_map("random-relu", NULL, 1, 1);
    assert_near(limit_of(&u, 100, 60, 240, 0, 1), 1 + 60.0 / 180, 1e-12);
    assert_near(limit_of(&u, 100, 150, 600, 0, 2), 2 * (1 + 150.0 / 450), 1e-12);
    assert_near(limit_of(&u, 100000, 50000, 10, 1, 0), 1, 0.01);
    assert_near(limit_of(&u, 100, 60, 40, 3, 0), 3 * limit_of(&u, 100, 60, 40, 1, 0), 1e-12);
    assert_near(limit_of(&u, 100, 60, 40, 2, 5),
                2 * limit_of(&u, 100, 60, 40, 1, 0) + 5 * limit_of(&u, 100, 60, 40, 0, 1), 1e-10);
    assert_true(isinf(limit_of(&u, 100, 70, 70, 1, 0)));
    const double at = limit_of(&u, 100, 700, 701, 0, 1), over = limit_of(&u, 100, 701, 700, 0, 1);
    assert_true(at > 100 && over > 100 && fabs(at / over - 1) < 0.1);
    assert_true(limit_of(&u, 100, 10, 1000, 1, 0) > 0.85 && limit_of(&u, 10, 5000, 500, 1, 0) < 0.1);
    forget(&u);
    used_map other = use_map("random-relu", SETTINGS({"weights", "normal"}), 1, 1);
    assert_true(isnan(limit_of(&other, 100, 60, 40, 1, 0)));
    forget(&other);
    used_map biased = use_map("random-relu", SETTINGS({"bias", "0.1"}), 1, 1);
    assert_true(isnan(limit_of(&biased, 100, 60, 40, 1, 0)));
    forget(&biased);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void free_text(char **text) {
    rl_free(*text);
    *text = NULL;
}

/* The bytes of a dataset without its texts; those of the rows of its views at their most. */
static void check_bytes(request r, const char *map, int n_features) {
    const size_t before = rl_allocated();
    rl_dataset d = load_done(r);
    used_map u = use_map(map == NULL ? "identity" : map, NULL, 1, 1);
    rl_dataset view = view_of(&d, map, &u.options, n_features, 0);
    const size_t loaded = rl_allocated();
    rl_forget_peak_allocated();
    rl_rows rows = rows_of(&view, r.random);
    for (uint32_t repeat = 0; repeat < 3; repeat++) assert_done(rl_rows_arrange(&rows, repeat));
    assert_int_equal(rl_peak_allocated() - loaded, rl_rows_bytes(&view));
    rl_rows_destroy(&rows);
    forget(&u);
    free_text(&d.name);
    free_text(&d.origin);
    assert_int_equal(rl_allocated() - before, rl_dataset_bytes(&d));
    rl_dataset_destroy(&d);
    assert_int_equal(rl_allocated(), before);
}

static void predicted_bytes_are_those_allocated(void **state) {
    write_text("gaps.csv", "a,b,y\n1,2,3\nNA,1,2\n4,6,5\n,,\n7,9,1\n2,2,8\n");
    for (int i = 0; i < 2; i++) {
        const bool ones = i == 1;
        const request pool = {.source = "student-teacher", .intercept = ones};
        const request fresh = {.source = "student-teacher",
                               .settings = SETTINGS({"draw", "fresh"}, {"design", "spiked"}, {"rows", "70"}),
                               .intercept = ones};
        const request table = {.source = "csv",
                               .settings = SETTINGS({"file", "gaps.csv"}, {"target", "y"}),
                               .base = folder,
                               .intercept = ones};
        const request normal = {
            .source = "gaussian", .settings = SETTINGS({"covariance", "2|1|1|3"}), .intercept = ones};
        const request sphere = {.source = "sphere", .settings = SETTINGS({"rows", "9"}), .intercept = ones};
        const request function = {.source = "function", .random = RL_RANDOM_NUMPY, .n_repeats = 3, .intercept = ones};
        check_bytes(pool, NULL, 0);
        check_bytes(pool, NULL, 7);
        check_bytes(pool, "random-relu", 33);
        check_bytes(fresh, NULL, 0);
        check_bytes(fresh, "random-fourier", 100);
        check_bytes(table, NULL, 0);
        check_bytes(normal, NULL, 0);
        check_bytes(sphere, "random-relu", 5);
        check_bytes(function, "legendre", 20);
        check_bytes((request){.source = "student-teacher", .random = RL_RANDOM_NUMPY, .intercept = ones}, NULL, 0);
    }
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_are_complete),
        cmocka_unit_test(polynomials_have_degrees_from_one),
        cmocka_unit_test(random_maps_are_nested_and_drawn_anew),
        cmocka_unit_test(random_fourier_stands_for_the_gaussian_kernel),
        cmocka_unit_test(random_relu_stands_for_the_arc_cosine_kernel),
        cmocka_unit_test(functions_are_drawn_as_published),
        cmocka_unit_test(functions_are_what_their_names_say),
        cmocka_unit_test(uniform_inputs_fill_their_interval),
        cmocka_unit_test(test_points_are_last_at_any_order),
        cmocka_unit_test(function_faults_are_refused),
        cmocka_unit_test(sphere_rows_lie_on_it),
        cmocka_unit_test(the_best_linear_model_is_least_squares_on_all_rows),
        cmocka_unit_test(a_student_may_see_fewer_features),
        cmocka_unit_test(tables_have_views),
        cmocka_unit_test(impossible_views_are_refused),
        cmocka_unit_test(the_limit_of_random_relu_has_the_known_ends),
        cmocka_unit_test(predicted_bytes_are_those_allocated),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
