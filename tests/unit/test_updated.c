/* updated: spectra appended row by row, against one-sided Jacobi on explicit rows and against the dense producer, N by
 * N, in units of eps x condition; what must be left to the latter; and that the task layer makes one record of both,
 * the same bits whatever is wanted. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "allocated.h"
#include "curves.h"
#include "matrix.h"
#include "ridgeless/task.h"
#include "ridgeless/updated.h"

typedef struct design {
    const char *name;
    int p, first, step, max_train; /* N = first, first + step, ... at most max_train */
    int n_test;
    double grade;       /* columns scaled by 10^(grade * j / p) */
    double correlation; /* of neighbouring columns */
    double units;       /* of all features: a power of ten */
    bool scaled;        /* the population's standard deviations are given, and differ */
    int orthogonal;     /* rows that are unit vectors times 3, in blocks of so many; 0: none are */
    int every;          /* sizes that are compared with the dense producer: one in so many; 0: all */
} design;

static const design designs[] = {
    {"isotropic 60", 60, 1, 1, 130, .n_test = 200},
    {"isotropic 64", 64, 1, 1, 130, .n_test = 20},
    {"isotropic 150", 150, 1, 1, 310, .n_test = 200, .every = 3},
    {"graded 60", 60, 1, 1, 130, .n_test = 200, .grade = 4},
    {"steep 60", 60, 1, 1, 130, .n_test = 200, .grade = 8},
    {"graded 150", 150, 1, 1, 310, .n_test = 200, .grade = 4, .every = 3},
    {"correlated 60", 60, 1, 1, 130, .n_test = 200, .correlation = 0.97},
    {"scaled population", 25, 1, 1, 60, .n_test = 20, .scaled = true},
    {"equal singular values", 30, 1, 1, 95, .n_test = 40, .orthogonal = 30},
    {"equal singular values, then others", 30, 1, 1, 95, .n_test = 40, .orthogonal = 20},
    {"small units", 60, 1, 1, 130, .n_test = 200, .units = -40, .every = 4},
    {"large units", 60, 1, 1, 130, .n_test = 200, .units = 40, .every = 4},
    {"gaps that start anew", 60, 7, 50, 1500, .n_test = 200},
    {"gaps that do not", 40, 3, 5, 400, .n_test = 100},
    {"wide alone", 80, 1, 1, 80, .n_test = 50, .every = 3},
    {"far from the threshold", 80, 1, 1, 33, .n_test = 50},
    {"tall alone", 20, 21, 1, 90, .n_test = 50},
    {"one feature", 1, 1, 1, 30, .n_test = 10},
    {"two features", 2, 1, 1, 30, .n_test = 10},
    {"one size", 30, 25, 1, 25, .n_test = 10},
    {"one test row", 20, 1, 1, 50, .n_test = 1},
    {"many updates", 40, 1, 1, 1600, .n_test = 50, .every = 79},
};
enum { N_DESIGNS = sizeof designs / sizeof *designs, N_VARIANTS = 8, N_SMOOTH = 4 };

/* The first N_SMOOTH of them do not hang on single modes. */
static const struct {
    const char *ablation;
    double parameter;
} asked[N_VARIANTS] = {{"none", NAN},
                       {"no_residuals", NAN},
                       {"ridge", 0.3},
                       {"gradient_descent", 7},
                       {"leading_modes", 3},
                       {"cutoff", 2.345678},
                       {"adversarial_test", 0.5},
                       {"adversarial_train", 2}};

typedef struct problem {
    const design *d;
    int *n_train, n_sizes;
    double *x, *y, *beta_star; /* max_train + n_test rows */
    double *scale;             /* [p] */
    rl_test_factor factor;
    rl_dense_producer *producer;
    rl_updated *updated;
    rl_evaluator *evaluator;
    rl_variant variants[N_VARIANTS];
} problem;

static double *allocate(size_t n) {
    double *values = NULL;
    assert_int_equal(RL_ALLOC(values, n), RL_OK);
    return values;
}

static void shape(const design *d, double *x, int rows) {
    for (int i = 0; i < rows; i++) {
        double *row = x + (size_t)i * (size_t)d->p;
        for (int j = 1; j < d->p; j++)
            row[j] = d->correlation * row[j - 1] + sqrt(1 - d->correlation * d->correlation) * row[j];
        for (int j = 0; j < d->p; j++) row[j] *= pow(10, d->units) * pow(10, d->grade * j / d->p);
        for (int j = 0; i < d->max_train && d->orthogonal > 0 && i % d->p < d->orthogonal && j < d->p; j++)
            row[j] = i % d->p == j ? 3 : 0;
    }
}

static void make_variants(problem *q) {
    for (int v = 0; v < N_VARIANTS; v++) {
        const rl_ablation *const a = rl_ablation_find(asked[v].ablation);
        q->variants[v] = (rl_variant){.ablation = a, .parameter = asked[v].parameter};
        assert_int_equal(rl_options_create(&q->variants[v].options, a->options, a->n_options), RL_OK);
    }
}

static problem set_up(const design *d) {
    const int rows = d->max_train + d->n_test;
    problem q = {.d = d};
    assert_int_equal(RL_ALLOC(q.n_train, d->max_train), RL_OK);
    for (int n = d->first; n <= d->max_train; n += d->step) q.n_train[q.n_sizes++] = n;
    q.x = allocate((size_t)rows * (size_t)d->p), q.y = allocate((size_t)rows), q.beta_star = allocate((size_t)d->p);
    fill_normal(q.x, rows, d->p, 1), fill_normal(q.y, rows, 1, 2), fill_normal(q.beta_star, d->p, 1, 3);
    shape(d, q.x, rows);
    q.scale = allocate((size_t)d->p);
    for (int j = 0; j < d->p; j++) q.scale[j] = 1.0 / (1 + j);
    for (int j = 0; j < d->p; j++) q.beta_star[j] /= pow(10, d->units) * pow(10, d->grade * j / d->p);
    for (int i = 0; i < rows; i++) q.y[i] += dot(q.x + (size_t)i * (size_t)d->p, q.beta_star, d->p);
    assert_int_equal(rl_test_factor_create(&q.factor, d->p), RL_OK);
    assert_int_equal(rl_dense_producer_create(&q.producer, d->max_train, d->p), RL_OK);
    assert_allocates(rl_updated_create(&q.updated, d->p, q.n_sizes, q.n_train),
                     rl_updated_bytes(d->p, q.n_sizes, q.n_train));
    assert_int_equal(rl_evaluator_create(&q.evaluator, N_VARIANTS, d->p, rows + d->p + 2), RL_OK);
    make_variants(&q);
    return q;
}

static void tear_down(problem *q) {
    rl_free(q->n_train), rl_free(q->x), rl_free(q->y), rl_free(q->beta_star), rl_free(q->scale);
    for (int v = 0; v < N_VARIANTS; v++) rl_options_destroy(&q->variants[v].options);
    rl_test_factor_destroy(&q->factor);
    rl_dense_producer_destroy(q->producer);
    rl_updated_destroy(q->updated);
    rl_evaluator_destroy(q->evaluator);
}

/* The test factor of all rows from n on. */
static void fill_factor(problem *q, int n) {
    rl_test_factor_clear(&q->factor);
    const int rows = q->d->max_train + q->d->n_test;
    assert_int_equal(rl_test_factor_append(&q->factor, rows - n, q->x + (size_t)n * (size_t)q->d->p, q->d->p, q->y + n),
                     RL_OK);
}

static rl_training_set prefix(const problem *q, int n) {
    return (rl_training_set){.n_train = n,
                             .n_features = q->d->p,
                             .x = q->x,
                             .y = q->y,
                             .beta_star = q->beta_star,
                             .scale = q->d->scaled ? q->scale : NULL};
}

static const rl_population population = {.known = true, .residual_variance = 0};

static void assert_near(const problem *q, int n, const char *what, double got, double expected, double bound) {
    if (!(fabs(got - expected) <= bound))
        fail_msg("%s, N = %d: %s is %.17g, expected %.17g, off by %.2g, allowed %.2g", q->d->name, n, what, got,
                 expected, fabs(got - expected), bound);
}

/* How far the vectors in the coordinates are from orthonormal. */
static double loss_of_orthogonality(const rl_spectrum *s) {
    const size_t k = (size_t)s->n_modes;
    double worst = 0, *const identity = allocate(k * k), *const room = allocate(k * k), *const v = allocate(k * k);
    for (size_t r = 0; r < k; r++) identity[r * k + r] = 1;
    s->to_basis(s->maker, s->n_modes, identity, room, v);
    for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b <= a; b++) worst = fmax(worst, fabs(dot(v + a * k, v + b * k, s->n_modes) - (a == b)));
    rl_free(identity), rl_free(room), rl_free(v);
    return worst;
}

/* sigma_1 over the smallest difference of neighbours: how far single modes may turn. */
static double largest_turn(const rl_spectrum *s) {
    double turn = 1;
    for (int r = 0; r + 1 < s->n_modes; r++) turn = fmax(turn, s->sigma[0] / (s->sigma[r] - s->sigma[r + 1]));
    return turn;
}

/* (e + b |y|)^2, for errors that come of what nearly cancels. */
static double spread(double mse, double nothing) {
    return sqrt(mse * nothing) + nothing;
}

static void compare_errors(const problem *q, int n, const rl_errors *got, const rl_errors *expected, double smooth,
                           double single, double nothing) {
    const double size = dot(q->beta_star, q->beta_star, q->d->p);
    for (int v = 0; v < N_VARIANTS; v++) {
        const double b = 300 * (v < N_SMOOTH ? smooth : single);
        if (!(b < 0.01)) continue; /* modes of one singular value are any basis of their space */
        assert_near(q, n, asked[v].ablation, got[v].test_mse, expected[v].test_mse,
                    b * expected[v].test_mse + spread(expected[v].test_mse, nothing));
        assert_near(q, n, asked[v].ablation, got[v].train_mse, expected[v].train_mse,
                    b * expected[v].train_mse + spread(expected[v].train_mse, nothing));
        assert_near(q, n, asked[v].ablation, got[v].population_mse, expected[v].population_mse,
                    b * (expected[v].population_mse + size));
    }
}

static void compare_with_dense(problem *q, const rl_spectrum *s) {
    rl_errors got[N_VARIANTS], expected[N_VARIANTS];
    rl_spectrum other;
    const int n = s->n_train;
    const rl_training_set train = prefix(q, n);
    fill_factor(q, n);
    assert_allocates(rl_evaluate(q->evaluator, s, &population, N_VARIANTS, q->variants, got), 0);
    assert_int_equal(rl_dense_producer_spectrum(q->producer, &train, &q->factor, &other), RL_OK);
    assert_int_equal(rl_evaluate(q->evaluator, &other, &population, N_VARIANTS, q->variants, expected), RL_OK);
    const double condition = fmax(s->sigma[0] / s->sigma[s->n_modes - 1], pow(10, q->d->grade));
    const double b = DBL_EPSILON * condition, turn = DBL_EPSILON * fmax(condition, largest_turn(s));
    const double nothing = 1000 * b * b * dot(q->y, q->y, n) / n; /* rounding errors where the error is exactly 0 */
    assert_int_equal(s->rank, other.rank);
    assert_int_equal(s->n_test, other.n_test);
    for (int r = 0; r < s->n_modes; r++) assert_near(q, n, "sigma", s->sigma[r], other.sigma[r], 1e-13 * s->sigma[0]);
    compare_errors(q, n, got, expected, b, turn, nothing);
    assert_near(q, n, "mean bias", s->test_bias, other.test_bias, 200 * b * sqrt(other.test_bias_mse) + sqrt(nothing));
    assert_near(q, n, "mean square bias", s->test_bias_mse, other.test_bias_mse,
                200 * b * other.test_bias_mse + nothing);
    assert_near(q, n, "beta* outside", s->b_outside_sq, other.b_outside_sq,
                200 * b * dot(q->beta_star, q->beta_star, q->d->p));
    assert_near(q, n, "orthogonality", loss_of_orthogonality(s), 0, 200 * DBL_EPSILON);
    if (other.n_modes == q->d->p) assert_true(s->b_outside_sq == 0 && s->test_bias == 0 && s->test_bias_mse == 0);
}

/* A second algorithm on explicit rows: singular values, fits of all modes and of three. */
static void compare_with_jacobi(problem *q, const rl_spectrum *s) {
    const int n = s->n_train, p = q->d->p, rest = q->d->max_train + q->d->n_test - n;
    rl_errors got[N_VARIANTS];
    jacobi_svd svd = jacobi(q->x, n, p);
    double *const beta = allocate((size_t)p);
    const double condition = fmax(s->sigma[0] / s->sigma[s->n_modes - 1], pow(10, q->d->grade));
    const double b = 300 * DBL_EPSILON * condition, turn = 300 * DBL_EPSILON * fmax(condition, largest_turn(s));
    assert_int_equal(rl_evaluate(q->evaluator, s, &population, N_VARIANTS, q->variants, got), RL_OK);
    for (int r = 0; r < s->n_modes; r++)
        assert_near(q, n, "sigma", s->sigma[r], gsl_vector_get(svd.s, (size_t)r), 1e-13 * s->sigma[0]);
    for (int some = 0; some < 2; some++) {
        const double allowed = some ? turn : b;
        if (!(allowed < 0.01)) continue;
        jacobi_solve(&svd, q->y, some && s->n_modes > 3 ? 3 : s->n_modes, beta);
        const double error = mean_square_error(q->x + (size_t)n * (size_t)p, q->y + n, beta, 0, rest, p);
        const double size = sqrt(error * dot(q->y + n, q->y + n, rest) / rest);
        assert_near(q, n, "test error", got[some ? 4 : 0].test_mse, error, allowed * (error + size));
    }
    rl_free(beta);
    jacobi_free(&svd);
}

static void begin(problem *q, rl_training_set *rows) {
    *rows = prefix(q, q->n_train[q->n_sizes - 1]);
    fill_factor(q, rows->n_train);
    assert_allocates(rl_updated_begin(q->updated, rows, &q->factor), 0);
}

static bool advance(problem *q, int i, rl_spectrum *s) {
    assert_allocates(rl_updated_advance(q->updated, i), 0);
    return rl_updated_spectrum(q->updated, s);
}

static void every_size_agrees_with_the_dense_producer(void **state) {
    for (int i = 0; i < N_DESIGNS; i++) {
        problem q = set_up(&designs[i]);
        rl_training_set rows;
        rl_spectrum s;
        begin(&q, &rows);
        for (int k = 0; k < q.n_sizes; k++) {
            assert_true(advance(&q, k, &s));
            if (q.d->every == 0 || k % q.d->every == 0 || abs(q.n_train[k] - q.d->p) < 2) compare_with_dense(&q, &s);
        }
        tear_down(&q);
    }
}

static void every_size_agrees_with_jacobi(void **state) {
    static const design some[] = {{"isotropic", 20, 1, 1, 60, .n_test = 20},
                                  {"graded", 20, 1, 1, 60, .n_test = 20, .grade = 6},
                                  {"equal singular values", 20, 1, 1, 70, .n_test = 20, .orthogonal = 15},
                                  {"gaps", 20, 2, 4, 90, .n_test = 20}};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        problem q = set_up(&some[i]);
        rl_training_set rows;
        rl_spectrum s;
        begin(&q, &rows);
        for (int k = 0; k < q.n_sizes; k++) {
            assert_true(advance(&q, k, &s));
            compare_with_jacobi(&q, &s);
        }
        tear_down(&q);
    }
}

/* A thousand rows at the size that the whole is for. */
static void a_long_curve_stays_accurate(void **state) {
    static const design wide = {"long", 300, 1, 1, 900, .n_test = 50};
    problem q = set_up(&wide);
    rl_training_set rows;
    rl_spectrum s;
    begin(&q, &rows);
    for (int k = 0; k < q.n_sizes; k++) {
        assert_true(advance(&q, k, &s));
        if (k % 100 == 99 || k == 511 || k == 300) compare_with_dense(&q, &s);
    }
    tear_down(&q);
}

/* ---- what is left alone ------------------------------------------------------------------------------------------ */

static const design small = {"small", 30, 1, 1, 70, .n_test = 40};

/* Rows 3 and 12 are the same, or row 12 is zero: 13 to 30 rows are one short of full rank, which is left to the dense
 * producer, and what comes before and after is as right as ever. */
static void deficient_prefixes_are_left_alone(void **state) {
    for (int zero = 0; zero < 2; zero++) {
        problem q = set_up(&small);
        rl_training_set rows;
        rl_spectrum s;
        for (int j = 0; j < 30; j++) q.x[12 * 30 + j] = zero ? 0 : q.x[3 * 30 + j];
        q.y[12] = zero ? 1 : q.y[3];
        begin(&q, &rows);
        for (int n = 1; n <= 70; n++) {
            const bool done = advance(&q, n - 1, &s);
            assert_int_equal(done, n < 13 || n > 30);
            if (done) compare_with_dense(&q, &s);
        }
        tear_down(&q);
    }
}

/* Rows again and again: singular values of high multiplicity, and modes that a row does not touch. */
static void repeated_rows_are_as_any_others(void **state) {
    problem q = set_up(&small);
    rl_training_set rows;
    rl_spectrum s;
    for (int i = 31; i < 70; i++) {
        memcpy(q.x + (size_t)i * 30, q.x + (size_t)(i % 4) * 30, sizeof(double) * 30);
        if (i % 3 == 0) memset(q.x + (size_t)i * 30, 0, sizeof(double) * 30);
    }
    begin(&q, &rows);
    for (int n = 1; n <= 70; n++) {
        assert_true(advance(&q, n - 1, &s));
        compare_with_dense(&q, &s);
    }
    tear_down(&q);
}

/* Two equal columns: full rank until N = P. The difference of the next to last two is 1e-14 of them: too little to be
 * sure. */
static void deficient_columns_are_left_alone(void **state) {
    for (int nearly = 0; nearly < 2; nearly++) {
        problem q = set_up(&small);
        rl_training_set rows;
        rl_spectrum s;
        for (int i = 0; i < small.max_train + small.n_test; i++)
            q.x[i * 30 + 29] = q.x[i * 30 + 4] + nearly * 1e-14 * q.x[i * 30 + 29];
        begin(&q, &rows);
        for (int n = 1; n <= 70; n++) {
            const bool done = advance(&q, n - 1, &s);
            assert_int_equal(done, n < 30);
            if (done) compare_with_dense(&q, &s);
        }
        tear_down(&q);
    }
}

/* Rows of zeros before any others, too. */
static void no_features_at_all_are_left_alone(void **state) {
    for (int zeros = 5; zeros <= 70; zeros += 65) {
        problem q = set_up(&small);
        rl_training_set rows;
        rl_spectrum s;
        memset(q.x, 0, sizeof(double) * 30 * (size_t)zeros);
        begin(&q, &rows);
        for (int n = 1; n <= 70; n++) {
            const bool done = advance(&q, n - 1, &s);
            assert_int_equal(done, zeros == 5 && n >= 35);
            if (done) compare_with_dense(&q, &s);
        }
        tear_down(&q);
    }
}

/* Fourth powers under- and overflow: nothing wrong is handed out. */
static void units_beyond_squares_are_left_alone(void **state) {
    const double units[] = {-160, 160, -300, 300};
    for (int i = 0; i < 4; i++) {
        design extreme = small;
        extreme.units = units[i];
        problem q = set_up(&extreme);
        rl_training_set rows;
        rl_spectrum s;
        begin(&q, &rows);
        for (int k = 0; k < q.n_sizes; k++) assert_false(advance(&q, k, &s));
        tear_down(&q);
    }
}

/* ---- the task layer ---------------------------------------------------------------------------------------------- */

static const char study_text[] =
    "repeats: 2\n"
    "n_train: {range: [1, 90], values: [97, 98, 120]}\n"
    "ablations: [no_residuals, none, ridge: [0.1], gradient_descent: [5], cutoff: [1], leading_modes: [2],\n"
    "            adversarial_test: [1], adversarial_train: [1]]\n"
    "datasets:\n"
    "  - {source: student-teacher, name: table, rows: 140, features: 40, hidden_features: 44}\n"
    "  - {source: student-teacher, name: fresh, rows: 140, features: 40, hidden_features: 44, draw: fresh}\n";

static void assert_close(const char *what, int n, double got, double expected, double relative, double least) {
    if (!(fabs(got - expected) <= relative * fabs(expected) + least) && !(isnan(got) && isnan(expected)))
        fail_msg("N = %d: %s is %.17g, expected %.17g", n, what, got, expected);
}

static void both_methods_fill_the_same_record(void **state) {
    rl_study study;
    rl_plan plan;
    int n_deficient = 0;
    parse(study_text, &study, &plan);
    repeat_rows(&plan.series[0].data);
    for (int64_t curve = 0; curve < plan.n_tasks; curve++) {
        const rl_series *g = &plan.series[plan.tasks[curve].series];
        const rl_curve_layout l = layout_of(&plan, curve);
        double *updated = curve_of(&plan, curve, UPDATED, NULL), *dense = curve_of(&plan, curve, SPECTRA, NULL);
        for (size_t i = 0; i < (size_t)l.n_n_train; i++) {
            const int n = g->n_train[i];
            const double b = 1000 * DBL_EPSILON * dense[l.sigma_max + i] / dense[l.sigma_min + i], tiny = b * b * 1e4;
            assert_true(updated[l.status + i] == RL_CELL_DONE && updated[l.rank + i] == dense[l.rank + i]);
            n_deficient += dense[l.rank + i] < (n < 40 ? n : 40);
            assert_close("sigma_min", n, updated[l.sigma_min + i], dense[l.sigma_min + i], b, 0);
            assert_close("sigma_max", n, updated[l.sigma_max + i], dense[l.sigma_max + i], 1e-12, 0);
            assert_close("test_bias_sq", n, updated[l.test_bias_sq + i], dense[l.test_bias_sq + i], 100 * b, tiny);
            assert_close("test_bias_mse", n, updated[l.test_bias_mse + i], dense[l.test_bias_mse + i], b, tiny);
            for (size_t v = 8 * i; v < 8 * i + 8; v++) {
                const double more = 1e4 * b; /* single modes turn */
                assert_close("test_mse", n, updated[l.test_mse + v], dense[l.test_mse + v], more, tiny);
                assert_close("train_mse", n, updated[l.train_mse + v], dense[l.train_mse + v], more, tiny);
                assert_close("modes_kept", n, updated[l.modes_kept + v], dense[l.modes_kept + v], 0, 0);
                assert_close("distance", n, updated[l.distance + v], dense[l.distance + v], more, tiny);
                if (l.has_population)
                    assert_close("population_mse", n, updated[l.population_mse + v], dense[l.population_mse + v], more,
                                 tiny);
            }
        }
        rl_free(updated);
        rl_free(dense);
    }
    assert_true(n_deficient > 0 && n_deficient < 180);
    forget(&study, &plan);
}

static void wanted_sizes_have_the_same_bits(void **state) {
    static const int wanted_sizes[][3] = {{0, 0, 0}, {92, 92, 92}, {3, 50, 91}, {89, 90, 91}, {39, 40, 41}};
    rl_study study;
    rl_plan plan;
    parse(study_text, &study, &plan);
    for (int64_t curve = 0; curve < plan.n_tasks; curve += 2) {
        const rl_curve_layout l = layout_of(&plan, curve);
        for (size_t k = 0; k < sizeof wanted_sizes / sizeof *wanted_sizes; k++) {
            bool wanted[93] = {false};
            assert_int_equal(l.n_n_train, 93);
            for (int i = 0; i < 3; i++) wanted[wanted_sizes[k][i]] = true;
            double *all = curve_of(&plan, curve, UPDATED, NULL), *some = curve_of(&plan, curve, UPDATED, wanted);
            for (int i = 0; i < 93; i++)
                if (!wanted[i]) rl_curve_clear(&l, i, all);
            assert_memory_equal(all, some, sizeof(double) * l.length);
            rl_free(all);
            rl_free(some);
        }
    }
    forget(&study, &plan);
}

/* Buffers carry nothing over from the curve before. */
static void order_of_curves_changes_no_bit(void **state) {
    rl_study study;
    rl_plan plan;
    rl_worker *worker;
    parse(study_text, &study, &plan);
    const size_t length = longest_curve(&plan);
    double *again = allocate(length), *expected = curve_of(&plan, 1, UPDATED, NULL);
    assert_int_equal(rl_worker_create(plan.series, RL_ALONE, &worker), RL_OK);
    assert_int_equal(compute_one(worker, &plan, 0, NULL, (rl_tick){0}, again), RL_OK);
    assert_true(memcmp(again, expected, sizeof(double) * length) != 0);
    assert_int_equal(compute_one(worker, &plan, 1, NULL, (rl_tick){0}, again), RL_OK);
    assert_memory_equal(again, expected, sizeof(double) * rl_curve_layout_of(&plan.series[0]).length);
    rl_worker_destroy(worker);
    rl_free(again);
    rl_free(expected);
    forget(&study, &plan);
}

static void a_tick_can_stop_a_curve(void **state) {
    rl_study study;
    rl_plan plan;
    rl_worker *worker;
    int left = 3;
    parse(study_text, &study, &plan);
    const rl_curve_layout l = rl_curve_layout_of(&plan.series[0]);
    double *record = allocate(l.length);
    force_method(&plan, 0, UPDATED);
    assert_int_equal(rl_worker_create(plan.series, RL_ALONE, &worker), RL_OK);
    assert_int_equal(compute_one(worker, &plan, 0, NULL, (rl_tick){three_times, &left}, record), RL_STOPPED);
    for (int i = 0; i < l.n_n_train; i++)
        assert_int_equal(rl_curve_status(&l, record, i), i < 3 ? RL_CELL_DONE : RL_CELL_MISSING);
    rl_worker_destroy(worker);
    rl_free(record);
    forget(&study, &plan);
}

static int method_of(const char *head, int features, const char *n_train) {
    char text[1024];
    rl_study study;
    rl_plan plan;
    snprintf(
        text, sizeof text,
        "%s\nn_train: %s\ndatasets:\n  - {source: student-teacher, rows: 3000, features: %d, hidden_features: %d}\n",
        head, n_train, features, features);
    parse(text, &study, &plan);
    const int method = rl_method_number(plan.series[0].method);
    forget(&study, &plan);
    return method;
}

static void the_plan_chooses_by_need_and_cost(void **state) {
    const char *all = "repeats: 1\nablations: [none, cutoff: [1], ridge: [1]]", *every = "{range: [1, 1000]}";
    assert_int_equal(method_of(all, 500, every), UPDATED);
    assert_int_equal(method_of(all, 200, "{range: [1, 400]}"), UPDATED);
    assert_int_equal(method_of(all, 200, "{range: [180, 220]}"), UPDATED);
    assert_int_equal(method_of(all, 32, "{range: [1, 64]}"), BULK);
    assert_int_equal(method_of(all, 500, "[100, 300, 500, 700]"), SPECTRA);
    assert_int_equal(method_of("repeats: 1\nablations: [none]", 500, every), NESTED);
    assert_int_equal(method_of("repeats: 1\nablations: [none, gradient_descent_run: 3]", 500, every), SPECTRA);
    assert_int_equal(method_of("repeats: 1\nproducer: lapack\nablations: [cutoff: [1]]", 500, every), SPECTRA);
    assert_int_equal(method_of("repeats: 1\nrandom: numpy\nablations: [cutoff: [1]]", 500, every), SPECTRA);
    assert_string_equal(rl_method_text(rl_method_find(UPDATED)), "full spectra, updated row by row");
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_agrees_with_the_dense_producer),
        cmocka_unit_test(every_size_agrees_with_jacobi),
        cmocka_unit_test(a_long_curve_stays_accurate),
        cmocka_unit_test(deficient_prefixes_are_left_alone),
        cmocka_unit_test(repeated_rows_are_as_any_others),
        cmocka_unit_test(deficient_columns_are_left_alone),
        cmocka_unit_test(no_features_at_all_are_left_alone),
        cmocka_unit_test(units_beyond_squares_are_left_alone),
        cmocka_unit_test(both_methods_fill_the_same_record),
        cmocka_unit_test(wanted_sizes_have_the_same_bits),
        cmocka_unit_test(order_of_curves_changes_no_bit),
        cmocka_unit_test(a_tick_can_stop_a_curve),
        cmocka_unit_test(the_plan_chooses_by_need_and_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
