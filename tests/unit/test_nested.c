/* nested: a whole curve from two factorizations, against the dense producer and the evaluator on the same training
 * sets, N by N, in units of eps x condition; what must be left to them; and that the task layer makes one record of
 * both. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "allocated.h"
#include "curves.h"
#include "matrix.h"
#include "ridgeless/nested.h"
#include "ridgeless/task.h"

typedef struct design {
    const char *name;
    int p, first, step, max_train; /* N = first, first + step, ... at most max_train */
    int n_test;
    double grade;       /* columns scaled by 10^(grade * j / p) */
    double correlation; /* of neighbouring columns */
    double units;       /* of all features: a power of ten */
    bool scaled;        /* the population's standard deviations are given, and differ */
} design;

static const design designs[] = {
    {"isotropic 60", 60, 1, 1, 130, 200, .grade = 0},
    {"isotropic 150", 150, 3, 3, 309, 200, .grade = 0},
    {"graded 60", 60, 1, 1, 130, 200, .grade = 4},
    {"graded 150", 150, 3, 3, 309, 200, .grade = 4},
    {"correlated 60", 60, 1, 1, 130, 200, .correlation = 0.97},
    {"correlated 150", 150, 3, 3, 309, 200, .correlation = 0.97},
    {"scaled population", 25, 1, 1, 60, 20, .scaled = true},
    {"small units", 60, 1, 1, 130, 200, .units = -90},
    {"large units", 60, 1, 1, 130, 200, .units = 90},
    {"few sizes", 60, 7, 50, 1500, 200, .grade = 0},
    {"sizes some rows apart", 40, 3, 5, 400, 100, .grade = 0},
    {"wide alone", 80, 1, 1, 80, 50, .grade = 0},
    {"far from the threshold", 80, 1, 1, 33, 50, .grade = 0},
    {"tall alone", 20, 21, 1, 90, 50, .grade = 0},
    {"one feature", 1, 1, 1, 30, 10, .grade = 0},
    {"one size", 30, 25, 1, 25, 10, .grade = 0},
    {"one test row", 20, 1, 1, 50, 1, .grade = 0},
};
enum { N_DESIGNS = sizeof designs / sizeof *designs, N_VARIANTS = 2 };

static const rl_target targets[N_VARIANTS] = {RL_TARGET_Y, RL_TARGET_IDEAL};

typedef struct problem {
    const design *d;
    int *n_train, n_sizes;
    double *x, *y, *beta_star; /* max_train + n_test rows */
    double *scale;             /* [p] */
    rl_point *points;
    rl_test_factor factor;
    rl_dense_producer *producer;
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
    }
}

static problem set_up(const design *d) {
    const int rows = d->max_train + d->n_test;
    problem q = {.d = d};
    assert_int_equal(RL_ALLOC(q.n_train, d->max_train), RL_OK);
    for (int n = d->first; n <= d->max_train; n += d->step) q.n_train[q.n_sizes++] = n;
    assert_int_equal(RL_ALLOC(q.points, q.n_sizes), RL_OK);
    q.x = allocate((size_t)rows * (size_t)d->p), q.y = allocate((size_t)rows), q.beta_star = allocate((size_t)d->p);
    fill_normal(q.x, rows, d->p, 1), fill_normal(q.y, rows, 1, 2), fill_normal(q.beta_star, d->p, 1, 3);
    shape(d, q.x, rows);
    q.scale = allocate((size_t)d->p);
    for (int j = 0; j < d->p; j++) q.scale[j] = 1.0 / (1 + j);
    for (int j = 0; j < d->p; j++) q.beta_star[j] /= pow(10, d->units) * pow(10, d->grade * j / d->p);
    for (int i = 0; i < rows; i++) q.y[i] += dot(q.x + (size_t)i * (size_t)d->p, q.beta_star, d->p);
    assert_int_equal(rl_test_factor_create(&q.factor, d->p), RL_OK);
    assert_int_equal(rl_dense_producer_create(&q.producer, d->max_train, d->p), RL_OK);
    assert_int_equal(rl_evaluator_create(&q.evaluator, N_VARIANTS, d->p, d->p + 2), RL_OK);
    q.variants[0] = (rl_variant){.ablation = rl_ablation_find("none"), .parameter = NAN};
    q.variants[1] = (rl_variant){.ablation = rl_ablation_find("no_residuals"), .parameter = NAN};
    return q;
}

static void tear_down(problem *q) {
    rl_free(q->n_train), rl_free(q->points), rl_free(q->x), rl_free(q->y), rl_free(q->beta_star), rl_free(q->scale);
    rl_test_factor_destroy(&q->factor);
    rl_dense_producer_destroy(q->producer);
    rl_evaluator_destroy(q->evaluator);
}

static int longest(const problem *q) {
    return q->n_train[q->n_sizes - 1];
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

static void run(problem *q) {
    rl_nested *nested;
    const rl_training_set rows = prefix(q, longest(q));
    assert_allocates(rl_nested_create(&nested, q->d->p, q->n_sizes, q->n_train),
                     rl_nested_bytes(q->d->p, q->n_sizes, q->n_train));
    fill_factor(q, longest(q));
    assert_allocates(rl_nested_curve(nested, &rows, &q->factor, (rl_tick){0}, q->points), 0);
    rl_nested_destroy(nested);
}

/* Another method to the same numbers. */
static rl_spectrum dense(problem *q, int n, rl_errors *errors) {
    rl_spectrum s;
    const rl_training_set train = prefix(q, n);
    fill_factor(q, n);
    assert_int_equal(rl_dense_producer_spectrum(q->producer, &train, &q->factor, &s), RL_OK);
    const rl_population population = {.known = true, .residual_variance = 0};
    rl_evaluate(q->evaluator, &s, &population, N_VARIANTS, q->variants, errors);
    return s;
}

static void assert_near(const problem *q, int n, const char *what, double got, double expected, double bound) {
    if (!(fabs(got - expected) <= bound))
        fail_msg("%s, N = %d: %s is %.17g, expected %.17g, off by %.2g, allowed %.2g", q->d->name, n, what, got,
                 expected, fabs(got - expected), bound);
}

/* What either method may lose, relative. */
static double loss(const design *d, const rl_spectrum *s) {
    const double condition = s->sigma[0] / s->sigma[s->rank - 1];
    return DBL_EPSILON * fmax(condition, pow(10, d->grade)); /* x . beta* alone costs as much as the columns differ */
}

static void compare_size(problem *q, int i) {
    rl_errors errors[N_VARIANTS];
    const int n = q->n_train[i];
    const rl_point *p = &q->points[i];
    const rl_spectrum s = dense(q, n, errors);
    const double b = loss(q->d, &s), size = dot(q->beta_star, q->beta_star, q->d->p);
    const double nothing = 200 * b * b * dot(q->y, q->y, n) / n; /* rounding errors where the error is exactly 0 */
    assert_true(p->done);
    assert_int_equal(s.rank, s.n_modes);
    assert_near(q, n, "sigma_max", p->sigma_max, s.sigma[0], 1e-12 * s.sigma[0]);
    assert_near(q, n, "sigma_min", p->sigma_min, s.sigma[s.n_modes - 1], 50 * b * s.sigma[s.n_modes - 1]);
    for (int t = 0; t < N_VARIANTS; t++) {
        const rl_target target = targets[t];
        if (target == RL_TARGET_IDEAL && n >= q->d->p) { /* beta* to the last bit */
            assert_true(p->test_mse[target] == 0 && p->train_mse[target] == 0 && p->population_sq[target] == 0);
            assert_true(p->test_bias == 0 && p->test_bias_mse == 0);
            continue;
        }
        assert_near(q, n, t == 0 ? "test error" : "ideal test error", p->test_mse[target], errors[t].test_mse,
                    200 * b * errors[t].test_mse + nothing);
        assert_near(q, n, t == 0 ? "training error" : "ideal training error", p->train_mse[target], errors[t].train_mse,
                    200 * b * errors[t].train_mse + nothing);
        assert_near(q, n, t == 0 ? "population error" : "ideal population error", p->population_sq[target],
                    errors[t].population_mse, 200 * b * (errors[t].population_mse + size));
    }
    assert_near(q, n, "mean bias", p->test_bias, s.test_bias, 200 * b * sqrt(s.test_bias_mse) + sqrt(nothing));
    assert_near(q, n, "mean square bias", p->test_bias_mse, s.test_bias_mse, 200 * b * s.test_bias_mse + nothing);
}

static void every_size_agrees_with_the_dense_producer(void **state) {
    for (int i = 0; i < N_DESIGNS; i++) {
        problem q = set_up(&designs[i]);
        run(&q);
        for (int k = 0; k < q.n_sizes; k++) compare_size(&q, k);
        tear_down(&q);
    }
}

/* Interlacing (Golub and Van Loan, 4th ed., corollary 8.6.3): one more row makes the smallest singular value smaller
 * while the row is one more dimension, and larger from then on; the largest one always larger. */
static void extreme_values_interlace(void **state) {
    for (int i = 0; i < N_DESIGNS; i++) {
        problem q = set_up(&designs[i]);
        run(&q);
        for (int k = 1; k < q.n_sizes; k++) {
            const rl_point *now = &q.points[k], *before = now - 1;
            const double slack = 1e-12 * now->sigma_max;
            assert_true(now->sigma_max >= before->sigma_max - slack);
            if (q.n_train[k] <= q.d->p) assert_true(now->sigma_min <= before->sigma_min + slack);
            if (q.n_train[k - 1] >= q.d->p) assert_true(now->sigma_min >= before->sigma_min - slack);
        }
        tear_down(&q);
    }
}

static const design small = {"small", 30, 1, 1, 70, 40, .grade = 0};

/* Rows 3 and 12 are the same: 13 to 30 rows are one short of full rank, which is left to the dense producer, and what
 * comes before and after is as right as ever. */
static void deficient_prefixes_are_left_alone(void **state) {
    problem q = set_up(&small);
    memcpy(q.x + 12 * 30, q.x + 3 * 30, sizeof(double) * 30);
    q.y[12] = q.y[3];
    run(&q);
    for (int n = 1; n <= 70; n++) {
        assert_int_equal(q.points[n - 1].done, n < 13 || n > 30);
        if (q.points[n - 1].done) compare_size(&q, n - 1);
    }
    tear_down(&q);
}

/* Two equal columns: full rank until N = P. The difference of the next to last two is 1e-14 of them: too little to be
 * sure. */
static void deficient_columns_are_left_alone(void **state) {
    for (int nearly = 0; nearly < 2; nearly++) {
        problem q = set_up(&small);
        for (int i = 0; i < small.max_train + small.n_test; i++)
            q.x[i * 30 + 29] = q.x[i * 30 + 4] + nearly * 1e-14 * q.x[i * 30 + 29];
        run(&q);
        for (int n = 1; n <= 70; n++) {
            assert_int_equal(q.points[n - 1].done, n < 30);
            if (n < 30) compare_size(&q, n - 1);
        }
        tear_down(&q);
    }
}

static void no_features_at_all_are_left_alone(void **state) {
    problem q = set_up(&small);
    memset(q.x, 0, sizeof(double) * 70 * 30);
    run(&q);
    for (int k = 0; k < q.n_sizes; k++) assert_false(q.points[k].done);
    tear_down(&q);
}

/* Squares under- and overflow: nothing wrong is handed out. */
static void units_beyond_squares_are_left_alone(void **state) {
    const double units[] = {-160, 160, -300, 300};
    for (int i = 0; i < 4; i++) {
        design extreme = small;
        extreme.units = units[i];
        problem q = set_up(&extreme);
        run(&q);
        for (int k = 0; k < q.n_sizes; k++) assert_false(q.points[k].done);
        tear_down(&q);
    }
}

/* Buffers carry nothing over from the curve before. */
static void buffers_are_reused(void **state) {
    problem q = set_up(&small), other = set_up(&small);
    rl_nested *nested;
    rl_point *again = NULL;
    fill_normal(other.x, 70, 30, 77);
    run(&q);
    assert_int_equal(RL_ALLOC(again, q.n_sizes), RL_OK);
    assert_int_equal(rl_nested_create(&nested, 30, q.n_sizes, q.n_train), RL_OK);
    const rl_training_set first = prefix(&other, 70), second = prefix(&q, 70);
    fill_factor(&other, 70);
    assert_int_equal(rl_nested_curve(nested, &first, &other.factor, (rl_tick){0}, again), RL_OK);
    assert_true(memcmp(again, q.points, sizeof *again * 70) != 0);
    fill_factor(&q, 70);
    assert_int_equal(rl_nested_curve(nested, &second, &q.factor, (rl_tick){0}, again), RL_OK);
    assert_memory_equal(again, q.points, sizeof *again * 70);
    rl_nested_destroy(nested);
    rl_free(again);
    tear_down(&q);
    tear_down(&other);
}

typedef struct countdown {
    int calls, last;
} countdown;

static bool count_down(void *state) {
    countdown *c = state;
    return ++c->calls != c->last;
}

/* At every point where it is asked. */
static void a_tick_can_stop_a_curve(void **state) {
    problem q = set_up(&small);
    rl_nested *nested;
    const rl_training_set rows = prefix(&q, 70);
    assert_int_equal(rl_nested_create(&nested, 30, q.n_sizes, q.n_train), RL_OK);
    countdown all = {0};
    fill_factor(&q, 70);
    assert_int_equal(rl_nested_curve(nested, &rows, &q.factor, (rl_tick){count_down, &all}, q.points), RL_OK);
    assert_true(all.calls >= 70 / 16);
    for (int last = 1; last <= all.calls; last++) {
        countdown c = {.last = last};
        fill_factor(&q, 70);
        assert_int_equal(rl_nested_curve(nested, &rows, &q.factor, (rl_tick){count_down, &c}, q.points), RL_STOPPED);
        assert_int_equal(c.calls, last);
    }
    rl_nested_destroy(nested);
    tear_down(&q);
}

/* ---- the task layer ---------------------------------------------------------------------------------------------- */

static const char study_text[] =
    "repeats: 2\n"
    "n_train: {range: [1, 90]}\n"
    "ablations: [no_residuals, none]\n"
    "datasets:\n"
    "  - {source: student-teacher, name: table, rows: 140, features: 40, hidden_features: 44}\n"
    "  - {source: student-teacher, name: fresh, rows: 140, features: 40, hidden_features: 44, draw: fresh}\n";

static void assert_close(const char *what, int n, double got, double expected, double relative, double least) {
    if (!(fabs(got - expected) <= relative * fabs(expected) + least))
        fail_msg("N = %d: %s is %.17g, expected %.17g", n, what, got, expected);
}

static void both_methods_fill_the_same_record(void **state) {
    const double mean_square_target = 44; /* about: of each hidden feature 1 */
    rl_study study;
    rl_plan plan;
    int n_deficient = 0;
    parse(study_text, &study, &plan);
    repeat_rows(&plan.series[0].data);
    for (int64_t curve = 0; curve < plan.n_tasks; curve++) {
        const rl_curve_layout l = layout_of(&plan, curve);
        double *nested = curve_of(&plan, curve, NESTED, NULL), *dense = curve_of(&plan, curve, SPECTRA, NULL);
        for (size_t i = 0; i < 90; i++) {
            const int n = (int)i + 1;
            const double b = 200 * DBL_EPSILON * dense[l.sigma_max + i] / dense[l.sigma_min + i], tiny = b * b * 1e4;
            assert_true(nested[l.status + i] == RL_CELL_DONE && nested[l.rank + i] == dense[l.rank + i]);
            n_deficient += dense[l.rank + i] < (n < 40 ? n : 40);
            assert_close("sigma_min", n, nested[l.sigma_min + i], dense[l.sigma_min + i], b, 0);
            assert_close("sigma_max", n, nested[l.sigma_max + i], dense[l.sigma_max + i], 1e-12, 0);
            assert_close("test_bias_sq", n, nested[l.test_bias_sq + i], dense[l.test_bias_sq + i], 100 * b, tiny);
            assert_close("test_bias_mse", n, nested[l.test_bias_mse + i], dense[l.test_bias_mse + i], b, tiny);
            for (size_t v = 2 * i; v < 2 * i + 2; v++) {
                assert_close("test_mse", n, nested[l.test_mse + v], dense[l.test_mse + v], b, tiny);
                assert_close("train_mse", n, nested[l.train_mse + v], dense[l.train_mse + v], b,
                             tiny + 100 * DBL_EPSILON * sqrt(mean_square_target * dense[l.train_mse + v]));
                if (l.has_population)
                    assert_close("population_mse", n, nested[l.population_mse + v], dense[l.population_mse + v], b,
                                 tiny);
            }
        }
        rl_free(nested);
        rl_free(dense);
    }
    assert_true(n_deficient > 0 && n_deficient < 180);
    forget(&study, &plan);
}

/* A study's choice, from what it asks for. */
static int method_of(const char *head, int features, const char *n_train) {
    char text[1024];
    rl_study study;
    rl_plan plan;
    snprintf(
        text, sizeof text,
        "%s\nn_train: %s\ndatasets:\n  - {source: student-teacher, rows: 1000, features: %d, hidden_features: %d}\n",
        head, n_train, features, features);
    parse(text, &study, &plan);
    const int method = rl_method_number(plan.series[0].method);
    forget(&study, &plan);
    return method;
}

static void the_plan_chooses_by_need_and_cost(void **state) {
    const char *dense_n = "{range: [1, 300]}", *fits = "repeats: 1\nablations: [none, no_residuals]";
    assert_int_equal(method_of(fits, 150, dense_n), NESTED);
    assert_int_equal(method_of("repeats: 1\nablations: [none]", 150, dense_n), NESTED);
    assert_int_equal(method_of(fits, 100, "{range: [1, 200]}"), NESTED);
    assert_int_equal(method_of(fits, 20, "{range: [1, 40]}"), BULK); /* small */
    assert_int_equal(method_of(fits, 150, "[900]"), SPECTRA);        /* one spectrum instead of one curve */
    assert_int_equal(method_of("repeats: 1\nablations: [none, ridge: [1]]", 150, dense_n), UPDATED);
    assert_int_equal(method_of("repeats: 1\nablations: [none]\nkeep: [cells, modes]", 150, dense_n), SPECTRA);
    assert_int_equal(method_of("repeats: 1\nablations: [gradient_descent_run: 3]", 150, dense_n), SPECTRA);
    assert_int_equal(method_of("repeats: 1\nablations: [none]\nrandom: numpy", 150, dense_n), SPECTRA);
    assert_string_equal(rl_method_text(rl_method_find(NESTED)), "nested factorization");
    assert_string_equal(rl_method_text(rl_method_find(SPECTRA)), "full spectra");
}

/* Every ablation but the two plain fits needs modes, or rows to run or be solved on; one that chooses may need more. */
static void ablations_say_what_they_need(void **state) {
    for (const rl_ablation *const *a = rl_ablations; *a != NULL; a++)
        if ((*a)->choose == NULL)
            assert_int_equal((*a)->need, strcmp((*a)->name, "none") == 0            ? RL_NEED_FIT_TO_Y
                                         : strcmp((*a)->name, "no_residuals") == 0  ? RL_NEED_FIT_TO_IDEAL
                                         : (*a)->run != NULL || (*a)->solve != NULL ? RL_NEED_ROWS
                                                                                    : RL_NEED_MODES);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_agrees_with_the_dense_producer),
        cmocka_unit_test(extreme_values_interlace),
        cmocka_unit_test(deficient_prefixes_are_left_alone),
        cmocka_unit_test(deficient_columns_are_left_alone),
        cmocka_unit_test(no_features_at_all_are_left_alone),
        cmocka_unit_test(units_beyond_squares_are_left_alone),
        cmocka_unit_test(buffers_are_reused),
        cmocka_unit_test(a_tick_can_stop_a_curve),
        cmocka_unit_test(both_methods_fill_the_same_record),
        cmocka_unit_test(the_plan_chooses_by_need_and_cost),
        cmocka_unit_test(ablations_say_what_they_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
