/* bulk: repeats side by side against one-sided Jacobi on explicit rows, against the dense producer, and against
 * themselves in other company. Bounds are in units of eps x condition. */
#include "unit.h"

#include <float.h>
#include <string.h>

#include "allocated.h"
#include "curves.h"
#include "matrix.h"
#include "ridgeless/bulk.h"
#include "ridgeless/task.h"

enum { MAX_P = 32, N_TEST = 150, MAX_TRAIN = 3 * MAX_P };

typedef enum damage {
    NONE,
    GRADED_COLUMNS,
    GRADED_ROWS,
    REPEATED_ROWS,
    ZERO_ROWS,
    ZERO_FEATURE,
    CONSTANT_TARGETS
} damage;

typedef struct rows {
    int p, max_train;
    double x[MAX_TRAIN * MAX_P], y[MAX_TRAIN], beta_star[MAX_P], test_x[N_TEST * MAX_P], test_y[N_TEST];
    double scale[MAX_P];
} rows;

static void do_damage(damage what, int i, int p, double *row, const double *one_before, double *y) {
    for (int j = 0; j < p; j++) {
        if (what == GRADED_COLUMNS) row[j] *= pow(10, -8.0 * j / p);
        if (what == GRADED_ROWS) row[j] *= pow(10, -3.0 * (i % 3));
        if (what == REPEATED_ROWS && i % 4 == 1) row[j] = one_before[j];
        if (what == ZERO_ROWS && i % 5 == 2) row[j] = 0;
        if (what == ZERO_FEATURE && j == p / 2) row[j] = 0;
    }
    if (what == CONSTANT_TARGETS) *y = 3;
}

static rows *make_rows(int p, damage what, uint32_t stream) {
    rows *r = NULL;
    assert_int_equal(RL_ALLOC(r, 1), RL_OK);
    r->p = p, r->max_train = 3 * p;
    fill_normal(r->x, r->max_train, p, 100 + stream), fill_normal(r->y, r->max_train, 1, 200 + stream);
    fill_normal(r->test_x, N_TEST, p, 300 + stream), fill_normal(r->test_y, N_TEST, 1, 400 + stream);
    fill_normal(r->beta_star, p, 1, 5);
    for (int j = 0; j < p; j++) r->scale[j] = 1 + 0.25 * j;
    for (int i = 0; i < r->max_train; i++)
        do_damage(what, i, p, r->x + i * p, i > 0 ? r->x + (i - 1) * p : r->x, &r->y[i]);
    for (int i = 0; i < N_TEST; i++) do_damage(what, 0, p, r->test_x + i * p, r->test_x, &r->test_y[i]);
    return r;
}

typedef struct work {
    int n_train[MAX_TRAIN], n_sizes;
    rl_bulk *bulk;
    rl_test_factor factor;
} work;

/* Every `stride`-th N up to 3 P. */
static void open_work(work *w, const rows *r, int stride, rl_bulk_design design) {
    *w = (work){0};
    for (int n = 1; n <= r->max_train; n += stride) w->n_train[w->n_sizes++] = n;
    if (w->n_train[w->n_sizes - 1] < r->max_train) w->n_train[w->n_sizes++] = r->max_train;
    design.n_features = r->p;
    design.n_n_train = w->n_sizes;
    design.n_train = w->n_train;
    design.beta_star = r->beta_star;
    assert_allocates(rl_bulk_create(&w->bulk, &design), rl_bulk_bytes(&design));
    assert_int_equal(rl_test_factor_create(&w->factor, r->p), RL_OK);
}

static void close_work(work *w) {
    rl_bulk_destroy(w->bulk);
    rl_test_factor_destroy(&w->factor);
}

static void set_lane(work *w, int lane, const rows *r) {
    rl_test_factor_clear(&w->factor);
    assert_int_equal(rl_test_factor_append(&w->factor, N_TEST, r->test_x, r->p, r->test_y), RL_OK);
    rl_bulk_set_rows(w->bulk, lane, r->x, r->y);
    rl_bulk_set_test(w->bulk, lane, &w->factor);
}

static void assert_near(const char *what, int p, int n, int k, double got, double expected, double bound) {
    if (!(fabs(got - expected) <= bound))
        fail_msg("P = %d, N = %d, %d modes: %s is %.17g, expected %.17g, off by %.2g, allowed %.2g", p, n, k, what, got,
                 expected, fabs(got - expected), bound);
}

/* ---- against one-sided Jacobi on the rows themselves ------------------------------------------------------------- */

/* Squared error over the training rows, and over the test rows that there are: those of the rows beyond n too. */
static double train_sum(const rows *r, int n, const double *y, const double *beta) {
    return mean_square_error(r->x, y, beta, 0, n, r->p) * n;
}

static double test_sum(const rows *r, int n, bool ideal, const double *beta) {
    double sum = 0;
    for (int i = n; i < r->max_train + N_TEST; i++) {
        const bool later = i >= r->max_train;
        const double *x = later ? r->test_x + (i - r->max_train) * r->p : r->x + i * r->p;
        const double y = later ? r->test_y[i - r->max_train] : r->y[i];
        const double e = dot(x, beta, r->p) - (ideal ? dot(x, r->beta_star, r->p) : y);
        sum += e * e;
    }
    return sum;
}

/* What truncation at k shakes: small singular values, and two close to each other on both sides of the cut. */
static double shaken(const jacobi_svd *svd, int k) {
    const double first = gsl_vector_get(svd->s, 0);
    if (k == 0) return 1;
    const double last = gsl_vector_get(svd->s, (size_t)k - 1);
    const double gap = k < svd->k ? last - gsl_vector_get(svd->s, (size_t)k) : last;
    return first / last + first / gap;
}

static void check_fits(const rows *r, int n, const jacobi_svd *svd, const rl_point *p) {
    double ideal[MAX_TRAIN], beta[MAX_P];
    for (int i = 0; i < n; i++) ideal[i] = dot(r->x + i * r->p, r->beta_star, r->p);
    for (int t = 0; t < RL_N_FITTED_TARGETS; t++)
        for (int k = 0; k <= svd->k; k++) {
            const double *y = t == RL_TARGET_Y ? r->y : ideal;
            const double bound = 50 * DBL_EPSILON * shaken(svd, k);
            jacobi_solve(svd, y, k, beta);
            const double test = test_sum(r, n, t == RL_TARGET_IDEAL, beta), train = train_sum(r, n, y, beta);
            double population = 0;
            for (int j = 0; j < r->p; j++)
                population += r->scale[j] * r->scale[j] * (beta[j] - r->beta_star[j]) * (beta[j] - r->beta_star[j]);
            assert_near("test error", r->p, n, k, p->fits->test_sq[t][k], test,
                        bound * (test + p->fits->test_sq[t][0]));
            assert_near("train error", r->p, n, k, p->fits->train_sq[t][k], train,
                        bound * (train + p->fits->train_sq[t][0]));
            assert_near("population", r->p, n, k, p->fits->population_sq[t][k], population,
                        bound * (population + p->fits->population_sq[t][0]));
        }
}

static void check_modes(const rows *r, int n, const jacobi_svd *svd, const rl_point *p) {
    const double first = gsl_vector_get(svd->s, 0);
    assert_int_equal(p->spectrum->n_modes, svd->k);
    assert_int_equal(p->spectrum->rank, svd->k);
    assert_int_equal(p->spectrum->n_train, n);
    assert_int_equal(p->spectrum->n_test, N_TEST + r->max_train - n);
    assert_int_equal(p->rank, svd->k);
    assert_true(p->sigma_max == p->spectrum->sigma[0] && p->sigma_min == p->spectrum->sigma[svd->k - 1]);
    for (int t = 0; t < RL_N_FITTED_TARGETS; t++) {
        assert_true(p->test_mse[t] == p->fits->test_sq[t][svd->k] / p->spectrum->n_test);
        assert_true(p->train_mse[t] == p->fits->train_sq[t][svd->k] / n);
        assert_true(p->population_sq[t] == p->fits->population_sq[t][svd->k]);
    }
    for (int k = 0; k < svd->k; k++)
        assert_near("sigma", r->p, n, k, p->spectrum->sigma[k], gsl_vector_get(svd->s, (size_t)k),
                    50 * DBL_EPSILON * first);
}

static void check_lanes(damage what, int p, int stride) {
    enum { LANES = 2 };
    rows *r[LANES] = {make_rows(p, what, 1), make_rows(p, what, 2)};
    work w;
    open_work(&w, r[0], stride, (rl_bulk_design){.has_population = true, .scale = r[0]->scale});
    for (int l = 0; l < LANES; l++) set_lane(&w, l, r[l]);
    rl_bulk_begin(w.bulk, LANES);
    for (int i = 0; i < w.n_sizes; i++) {
        rl_bulk_advance(w.bulk, i, true);
        for (int l = 0; l < LANES; l++) {
            rl_point point;
            jacobi_svd svd = jacobi(r[l]->x, w.n_train[i], p);
            rl_bulk_get(w.bulk, l, &point);
            assert_true(point.done);
            check_modes(r[l], w.n_train[i], &svd, &point);
            check_fits(r[l], w.n_train[i], &svd, &point);
            jacobi_free(&svd);
        }
    }
    close_work(&w);
    for (int l = 0; l < LANES; l++) rl_free(r[l]);
}

static void every_size_agrees_with_jacobi(void **state) {
    static const int sizes[] = {1, 2, 3, 8, 10, 17, 20, 32};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) check_lanes(NONE, sizes[i], 1);
}

static void sizes_far_apart_agree_with_jacobi(void **state) {
    check_lanes(NONE, 10, 4);
    check_lanes(NONE, 10, 17);
    check_lanes(NONE, 32, 95);
}

static void graded_sets_agree_with_jacobi(void **state) {
    check_lanes(GRADED_COLUMNS, 10, 1);
    check_lanes(GRADED_COLUMNS, 20, 3);
    check_lanes(GRADED_ROWS, 12, 1);
    check_lanes(CONSTANT_TARGETS, 7, 1);
}

/* ---- against the dense producer ---------------------------------------------------------------------------------- */

static void check_vector(const char *what, int p, int n, const double *got, const double *expected, int length,
                         double relative) {
    double largest = 0;
    for (int i = 0; i < length; i++) largest = fmax(largest, fabs(expected[i]));
    for (int i = 0; i < length; i++) assert_near(what, p, n, i, got[i], expected[i], relative * largest);
}

/* How far directions turn for rounding. */
static double turn(const rl_spectrum *s) {
    double gap = s->sigma[s->n_modes - 1];
    for (int r = 0; r + 1 < s->n_modes; r++) gap = fmin(gap, s->sigma[r] - s->sigma[r + 1]);
    return s->sigma[0] / gap;
}

static void check_spectrum(int n, const rl_spectrum *got, const rl_point *p, const rl_spectrum *s) {
    const int k = s->n_modes;
    const double b = 100 * DBL_EPSILON * turn(s);
    for (int t = 0; t < RL_N_TARGETS; t++) {
        check_vector("c", s->n_features, n, got->c[t], s->c[t], k, b);
        assert_near("outside", s->n_features, n, t, got->outside_sq[t], s->outside_sq[t],
                    b * (s->outside_sq[t] + dot(s->c[t], s->c[t], k)));
        check_vector("target", s->n_features, n, got->z_target[t], s->z_target[t], 1,
                     1); /* rows have their own basis */
    }
    check_vector("v", s->n_features, n, got->vt, s->vt, k * s->n_features, b);
    check_vector("b_star", s->n_features, n, got->b_star, s->b_star, k, b);
    assert_near("lost", s->n_features, n, k, got->b_outside_sq, s->b_outside_sq, b * (1 + s->b_outside_sq));
    assert_near("bias", s->n_features, n, k, got->test_bias, s->test_bias, b * (1 + sqrt(s->test_bias_mse)));
    assert_near("bias", s->n_features, n, k, got->test_bias_mse, s->test_bias_mse, b * (1 + s->test_bias_mse));
    for (int r = 0; r < k; r++)
        assert_near("projection", s->n_features, n, r, p->test_projection_rms[r],
                    sqrt(dot(s->z + r * s->ldz, s->z + r * s->ldz, s->m) / s->n_test), b * 10);
}

/* What a filter makes of both. */
static void check_filters(int n, const rl_spectrum *got, const rl_spectrum *s) {
    static const char *const names[] = {"ridge", "adversarial_test", "adversarial_train", "gradient_descent"};
    const double b = 100 * DBL_EPSILON * turn(s);
    const rl_population population = {.known = true, .residual_variance = 0.5};
    rl_evaluator *evaluator;
    assert_int_equal(rl_evaluator_create(&evaluator, 1, s->n_modes, s->n_features + 2), RL_OK);
    for (int i = 0; i < 4; i++) {
        rl_variant v = {.ablation = rl_ablation_find(names[i]), .parameter = 2};
        rl_errors a, e;
        assert_int_equal(rl_options_create(&v.options, v.ablation->options, v.ablation->n_options), RL_OK);
        assert_int_equal(rl_evaluate(evaluator, got, &population, 1, &v, &a), RL_OK);
        assert_int_equal(rl_evaluate(evaluator, s, &population, 1, &v, &e), RL_OK);
        assert_near(names[i], s->n_features, n, 0, a.test_mse, e.test_mse, b * (1 + e.test_mse));
        assert_near(names[i], s->n_features, n, 0, a.train_mse, e.train_mse, b * (1 + e.train_mse));
        assert_near(names[i], s->n_features, n, 0, a.population_mse, e.population_mse, b * (1 + e.population_mse));
        rl_options_destroy(&v.options);
    }
    rl_evaluator_destroy(evaluator);
}

static void check_against_dense(int p, damage what) {
    rows *r = make_rows(p, what, 7);
    work w;
    rl_dense_producer *producer;
    open_work(&w, r, 1,
              (rl_bulk_design){.has_population = true, .scale = r->scale, .wants_modes = true, .wants_spectra = true});
    assert_int_equal(rl_dense_producer_create(&producer, r->max_train, p), RL_OK);
    set_lane(&w, 0, r);
    rl_bulk_begin(w.bulk, 1);
    for (int i = 0; i < w.n_sizes; i++) {
        const int n = w.n_train[i];
        const rl_training_set train = {n, p, r->x, r->y, r->beta_star, r->scale};
        rl_point point;
        rl_spectrum s;
        rl_test_factor_clear(&w.factor);
        assert_int_equal(rl_test_factor_append(&w.factor, N_TEST, r->test_x, p, r->test_y), RL_OK);
        if (n < r->max_train)
            assert_int_equal(rl_test_factor_append(&w.factor, r->max_train - n, r->x + n * p, p, r->y + n), RL_OK);
        assert_int_equal(rl_dense_producer_spectrum(producer, &train, &w.factor, &s), RL_OK);
        rl_bulk_advance(w.bulk, i, true);
        rl_bulk_get(w.bulk, 0, &point);
        assert_true(point.done == (s.status == RL_CELL_DONE && s.rank == s.n_modes));
        if (!point.done) continue;
        check_spectrum(n, point.spectrum, &point, &s);
        check_filters(n, point.spectrum, &s);
    }
    rl_dense_producer_destroy(producer);
    close_work(&w);
    rl_free(r);
}

static void spectra_are_those_of_the_dense_producer(void **state) {
    check_against_dense(1, NONE);
    check_against_dense(6, NONE);
    check_against_dense(13, NONE);
    check_against_dense(8, GRADED_ROWS);
}

static void deficient_sets_are_left_alone(void **state) {
    check_against_dense(7, REPEATED_ROWS);
    check_against_dense(7, ZERO_ROWS);
    check_against_dense(7, ZERO_FEATURE);
    check_against_dense(1, ZERO_FEATURE);
}

static void units_beyond_squares_are_left_alone(void **state) {
    static const double units[] = {1e-120, 1e120, 1e-70, 1e70};
    for (int u = 0; u < 4; u++) {
        rows *r = make_rows(5, NONE, 3);
        work w;
        rl_point point;
        for (int i = 0; i < r->max_train * 5; i++) r->x[i] *= units[u];
        open_work(&w, r, 1, (rl_bulk_design){0});
        set_lane(&w, 0, r);
        rl_bulk_begin(w.bulk, 1);
        for (int i = 0; i < w.n_sizes; i++) {
            rl_bulk_advance(w.bulk, i, true);
            rl_bulk_get(w.bulk, 0, &point);
            assert_false(point.done);
        }
        close_work(&w);
        rl_free(r);
    }
}

/* ---- the same bits ----------------------------------------------------------------------------------------------- */

enum { NUMBERS = 6 * (MAX_P + 1) + 4 };

static void numbers_of(const rl_point *p, double *numbers) {
    memset(numbers, 0, sizeof(double) * NUMBERS);
    numbers[0] = p->done;
    if (!p->done) return;
    const size_t n = (size_t)p->spectrum->n_modes;
    numbers[1] = p->spectrum->test_bias, numbers[2] = p->spectrum->test_bias_mse,
    numbers[3] = p->spectrum->outside_sq[0];
    memcpy(numbers + 4, p->spectrum->sigma, sizeof(double) * n);
    memcpy(numbers + 4 + n, p->spectrum->c[RL_TARGET_RESIDUAL], sizeof(double) * n);
    memcpy(numbers + 4 + 2 * n, p->test_projection_rms, sizeof(double) * n);
    for (int t = 0; t < RL_N_FITTED_TARGETS; t++)
        memcpy(numbers + 4 + (3 + (size_t)t) * n, p->fits->test_sq[t], sizeof(double) * n);
}

/* Every size of r[first] ... r[first + n - 1], in so many lanes: numbers[n][n_sizes][NUMBERS]. */
static int compute(rows *const *r, int n, int max_lanes, double *numbers) {
    work w;
    open_work(&w, r[0], 2, (rl_bulk_design){.wants_modes = true, .max_lanes = max_lanes});
    const int lanes = rl_bulk_lanes(w.bulk);
    assert_true(lanes == 2 || lanes == 4 || lanes == 8);
    for (int first = 0; first < n; first += lanes) {
        const int count = n - first < lanes ? n - first : lanes;
        for (int l = 0; l < count; l++) set_lane(&w, l, r[first + l]);
        rl_bulk_begin(w.bulk, count);
        for (int i = 0; i < w.n_sizes; i++) {
            rl_bulk_advance(w.bulk, i, true);
            for (int l = 0; l < count; l++) {
                rl_point point;
                rl_bulk_get(w.bulk, l, &point);
                numbers_of(&point, numbers + ((first + l) * w.n_sizes + i) * NUMBERS);
            }
        }
    }
    const int n_sizes = w.n_sizes;
    close_work(&w);
    return n_sizes;
}

/* Company in which rotations, exchanges and sweeps differ: deficient sets too. */
static void neither_company_nor_width_changes_a_bit(void **state) {
    enum { N = 8, P = 9, SIZES = 14 };
    static const damage damages[N] = {NONE, REPEATED_ROWS, GRADED_COLUMNS, NONE, ZERO_ROWS, NONE, GRADED_ROWS, NONE};
    rows *r[N];
    double *together = NULL, *other = NULL;
    const size_t all = (size_t)N * SIZES * NUMBERS;
    assert_int_equal(RL_ALLOC(together, all), RL_OK);
    assert_int_equal(RL_ALLOC(other, all), RL_OK);
    for (int l = 0; l < N; l++) r[l] = make_rows(P, damages[l], 50 + (uint32_t)l);
    assert_int_equal(compute(r, N, 0, together), SIZES);
    static const int widths[] = {2, 4, 8};
    for (int i = 0; i < 3; i++) {
        compute(r, N, widths[i], other);
        assert_memory_equal(together, other, sizeof(double) * all);
    }
    for (int l = 0; l < N; l++) compute(r + l, 1, 0, other + (size_t)l * SIZES * NUMBERS);
    assert_memory_equal(together, other, sizeof(double) * all);
    for (int l = 0; l < N; l++) rl_free(r[l]);
    rl_free(together);
    rl_free(other);
}

/* ---- test rows from all rows ------------------------------------------------------------------------------------- */

static void rows_can_be_taken_out_of_all(void **state) {
    enum { P = 6 };
    rows *r = make_rows(P, NONE, 9);
    work direct, taken;
    rl_point a, b;
    bool enough[RL_BULK_LANES] = {false};
    open_work(&direct, r, 1, (rl_bulk_design){0});
    open_work(&taken, r, 1, (rl_bulk_design){0});
    set_lane(&direct, 0, r);
    set_lane(&taken, 0, r);
    assert_int_equal(rl_test_factor_append(&taken.factor, r->max_train, r->x, P, r->y), RL_OK);
    rl_bulk_take_out(taken.bulk, 1, &taken.factor, enough);
    assert_true(enough[0]);
    rl_bulk_begin(direct.bulk, 1);
    rl_bulk_begin(taken.bulk, 1);
    for (int i = 0; i < direct.n_sizes; i++) {
        rl_bulk_advance(direct.bulk, i, true);
        rl_bulk_advance(taken.bulk, i, true);
        rl_bulk_get(direct.bulk, 0, &a);
        rl_bulk_get(taken.bulk, 0, &b);
        assert_int_equal(a.spectrum->n_test, b.spectrum->n_test);
        for (int t = 0; t < RL_N_FITTED_TARGETS; t++)
            for (int k = 0; k <= a.spectrum->n_modes; k++)
                assert_near("test error", P, direct.n_train[i], k, b.fits->test_sq[t][k], a.fits->test_sq[t][k],
                            50 * DBL_EPSILON * (a.fits->test_sq[t][k] + a.fits->test_sq[t][0]));
    }
    close_work(&direct);
    close_work(&taken);
    rl_free(r);
}

/* Too few test rows are left, or one training row is much larger than all of them. */
static void rows_that_weigh_too_much_are_not_taken_out(void **state) {
    enum { P = 6 };
    for (int heavy = 0; heavy < 2; heavy++) {
        rows *r = make_rows(P, NONE, 10);
        work w;
        bool enough[RL_BULK_LANES] = {true, true};
        if (heavy) r->x[3] = 1e6;
        open_work(&w, r, 1, (rl_bulk_design){0});
        rl_bulk_set_rows(w.bulk, 0, r->x, r->y);
        rl_bulk_set_rows(w.bulk, 1, r->x, r->y);
        assert_int_equal(rl_test_factor_append(&w.factor, heavy ? N_TEST : 5, r->test_x, P, r->test_y), RL_OK);
        assert_int_equal(rl_test_factor_append(&w.factor, r->max_train, r->x, P, r->y), RL_OK);
        rl_bulk_take_out(w.bulk, 2, &w.factor, enough);
        assert_false(enough[0]);
        assert_false(enough[1]);
        close_work(&w);
        rl_free(r);
    }
}

/* ---- curves of a plan -------------------------------------------------------------------------------------------- */

#define VARIANTS                                                                                                  \
    "ablations: [none, no_residuals, cutoff: [0.5, 3], leading_modes: [2], ridge: [0.1], adversarial_test: [1], " \
    "adversarial_train: [1], gradient_descent: [5]]\n"
#define N_TRAIN "n_train: {range: [1, 12], ratios: [2.5, 4]}\n"
static const char study_text[] =
    "repeats: 11\nseed: 3\nkeep: [cells, modes]\n" N_TRAIN VARIANTS
    "datasets:\n"
    "  - {source: student-teacher, name: pool, rows: 200, features: 6, hidden_features: 8, noise: 0.1}\n"
    "  - {source: student-teacher, name: few, rows: 30, features: 6, hidden_features: 8, noise: 0.1}\n"
    "  - {source: student-teacher, name: fresh, rows: 30, features: 6, hidden_features: 8, noise: 0.1, draw: fresh}\n";
enum { REPEATS = 11 };

static double *allocate(size_t n) {
    double *values = NULL;
    assert_int_equal(RL_ALLOC(values, n), RL_OK);
    return values;
}

/* n records of grid g from `first` on, `together` at a time. */
static double *records_of(rl_plan *plan, int g, int method, int first, int n, int together, const bool *wanted) {
    const rl_method *const planned = plan->series[g].method;
    rl_worker *worker;
    force_method(plan, g, method);
    const size_t length = rl_curve_layout_of(&plan->series[g]).length;
    double *records = allocate(length * (size_t)n);
    assert_int_equal(rl_worker_create(plan->series, RL_ALONE, &worker), RL_OK);
    for (int i = 0; i < n; i += together) {
        int64_t curves[REPEATS];
        const int count = n - i < together ? n - i : together;
        for (int c = 0; c < count; c++) curves[c] = plan->series[g].first_task + first + i + c;
        assert_int_equal(compute_tasks(worker, plan, curves, count, wanted, (rl_tick){0}, records + (size_t)i * length),
                         RL_OK);
    }
    rl_worker_destroy(worker);
    plan->series[g].method = planned;
    return records;
}

static void check_array(const char *what, const double *a, const double *b, size_t n, double relative) {
    for (size_t i = 0; i < n; i++) {
        assert_true(isnan(a[i]) == isnan(b[i]));
        if (!(isnan(a[i]) || fabs(a[i] - b[i]) <= relative * (1 + fabs(b[i]))))
            fail_msg("%s [%zu]: %.17g, expected %.17g", what, i, a[i], b[i]);
    }
}

/* Of well-conditioned curves; how many sizes are deficient. */
static int compare_records(const rl_curve_layout *l, const double *bulk, const double *dense) {
    const size_t cells = (size_t)l->n_n_train * (size_t)l->n_variants;
    int deficient = 0;
    for (size_t i = 0; i < (size_t)l->n_n_train; i++) {
        double shake = 0; /* condition, and directions that turn */
        for (size_t r = 0; r < (size_t)l->max_modes; r++) {
            const double *s = dense + l->sigma + i * (size_t)l->max_modes;
            const bool last = r + 1 == (size_t)l->max_modes || isnan(s[r + 1]);
            if (!isnan(s[r])) shake = fmax(shake, s[0] / (last ? s[r] : s[r] - s[r + 1]));
        }
        const bool full = dense[l->rank + i] == (double)(i < 6 ? i + 1 : 6);
        const double b = full ? 1000 * DBL_EPSILON * shake : 0; /* what is left to the dense producer is its own */
        const size_t first = i * (size_t)l->n_variants, modes = i * (size_t)l->max_modes;
        deficient += !full;
        assert_true(bulk[l->status + i] == dense[l->status + i] && bulk[l->rank + i] == dense[l->rank + i]);
        check_array("sigma_min", bulk + l->sigma_min + i, dense + l->sigma_min + i, 1, b);
        check_array("sigma_max", bulk + l->sigma_max + i, dense + l->sigma_max + i, 1, b);
        check_array("test_bias_sq", bulk + l->test_bias_sq + i, dense + l->test_bias_sq + i, 1, b);
        check_array("test_bias_mse", bulk + l->test_bias_mse + i, dense + l->test_bias_mse + i, 1, b);
        check_array("test_mse", bulk + l->test_mse + first, dense + l->test_mse + first, (size_t)l->n_variants, b);
        check_array("train_mse", bulk + l->train_mse + first, dense + l->train_mse + first, (size_t)l->n_variants, b);
        check_array("distance", bulk + l->distance + first, dense + l->distance + first, (size_t)l->n_variants, b);
        if (l->has_population)
            check_array("population_mse", bulk + l->population_mse + first, dense + l->population_mse + first,
                        (size_t)l->n_variants, b);
        if (full)
            check_array("modes_kept", bulk + l->modes_kept + first, dense + l->modes_kept + first,
                        (size_t)l->n_variants, 0);
        check_array("sigma", bulk + l->sigma + modes, dense + l->sigma + modes, (size_t)l->max_modes, b);
        check_array("test_projection_rms", bulk + l->test_projection_rms + modes,
                    dense + l->test_projection_rms + modes, (size_t)l->max_modes, b);
        check_array("residual_projection", bulk + l->residual_projection + modes,
                    dense + l->residual_projection + modes, (size_t)l->max_modes, b);
    }
    assert_true(cells > 0);
    return deficient;
}

static void both_methods_fill_the_same_records(void **state) {
    rl_study study;
    rl_plan plan;
    parse(study_text, &study, &plan);
    for (int g = 0; g < plan.n_series; g++) {
        const rl_curve_layout l = rl_curve_layout_of(&plan.series[g]);
        assert_int_equal(rl_method_number(plan.series[g].method), BULK);
        double *bulk = records_of(&plan, g, BULK, 0, REPEATS, REPEATS, NULL),
               *dense = records_of(&plan, g, SPECTRA, 0, REPEATS, 1, NULL);
        for (size_t c = 0; c < REPEATS; c++)
            assert_int_equal(compare_records(&l, bulk + c * l.length, dense + c * l.length), 0);
        rl_free(bulk);
        rl_free(dense);
    }
    forget(&study, &plan);
}

/* Repeated rows, rows of zeros: what is left over comes from the dense producer, with its statuses. */
static void deficient_curves_are_the_dense_producers(void **state) {
    rl_study study;
    rl_plan plan;
    int deficient = 0;
    parse(study_text, &study, &plan);
    double *const x = plan.series[0].data.x;
    for (size_t i = 0; i < 200; i += 3)
        for (size_t j = 0; j < 6; j++) x[i * 6 + j] = i % 2 == 0 ? 0 : x[j];
    const rl_curve_layout l = rl_curve_layout_of(&plan.series[0]);
    double *bulk = records_of(&plan, 0, BULK, 0, REPEATS, REPEATS, NULL),
           *dense = records_of(&plan, 0, SPECTRA, 0, REPEATS, 1, NULL);
    for (size_t c = 0; c < REPEATS; c++) deficient += compare_records(&l, bulk + c * l.length, dense + c * l.length);
    assert_true(deficient > 10);
    rl_free(bulk);
    rl_free(dense);
    forget(&study, &plan);
}

static void batches_change_no_bit(void **state) {
    rl_study study;
    rl_plan plan;
    parse(study_text, &study, &plan);
    for (int g = 0; g < plan.n_series; g++) {
        const size_t length = rl_curve_layout_of(&plan.series[g]).length;
        double *together = records_of(&plan, g, BULK, 0, REPEATS, REPEATS, NULL),
               *apart = records_of(&plan, g, BULK, 0, REPEATS, 1, NULL),
               *later = records_of(&plan, g, BULK, 3, REPEATS - 3, 5, NULL);
        assert_memory_equal(together, apart, sizeof(double) * length * REPEATS);
        assert_memory_equal(together + 3 * length, later, sizeof(double) * length * (REPEATS - 3));
        rl_free(together);
        rl_free(apart);
        rl_free(later);
    }
    forget(&study, &plan);
}

static void wanted_sizes_have_the_same_bits(void **state) {
    rl_study study;
    rl_plan plan;
    bool wanted[14] = {false};
    parse(study_text, &study, &plan);
    wanted[2] = wanted[9] = true;
    const rl_curve_layout l = rl_curve_layout_of(&plan.series[1]);
    assert_int_equal(l.n_n_train, 14);
    double *all = records_of(&plan, 1, BULK, 0, 4, 4, NULL), *some = records_of(&plan, 1, BULK, 0, 4, 4, wanted);
    for (size_t c = 0; c < 4; c++)
        for (int i = 0; i < 14; i++) {
            if (!wanted[i]) rl_curve_clear(&l, i, all + c * l.length);
        }
    assert_memory_equal(all, some, sizeof(double) * l.length * 4);
    rl_free(all);
    rl_free(some);
    forget(&study, &plan);
}

static void a_tick_stops_all_curves(void **state) {
    rl_study study;
    rl_plan plan;
    rl_worker *worker;
    int left = 3;
    parse(study_text, &study, &plan);
    const rl_curve_layout l = rl_curve_layout_of(&plan.series[0]);
    double *records = allocate(2 * l.length);
    assert_int_equal(rl_worker_create(plan.series, RL_ALONE, &worker), RL_OK);
    assert_int_equal(compute_tasks(worker, &plan, (int64_t[]){1, 2}, 2, NULL, (rl_tick){three_times, &left}, records),
                     RL_STOPPED);
    for (size_t c = 0; c < 2; c++)
        for (int i = 0; i < l.n_n_train; i++)
            assert_int_equal(rl_curve_status(&l, records + c * l.length, i), i < 3 ? RL_CELL_DONE : RL_CELL_MISSING);
    rl_worker_destroy(worker);
    rl_free(records);
    forget(&study, &plan);
}

static int method_of(const char *head, int features, const char *n_train) {
    char text[1024];
    rl_study study;
    rl_plan plan;
    snprintf(text, sizeof text,
             "repeats: 9\n%s\nn_train: %s\ndatasets:\n  - {source: student-teacher, rows: 3000, features: %d, "
             "hidden_features: %d}\n",
             head, n_train, features, features);
    parse(text, &study, &plan);
    const int method = rl_method_number(plan.series[0].method);
    forget(&study, &plan);
    return method;
}

static void the_plan_chooses_by_need_and_cost(void **state) {
    const char *all = "ablations: [none, cutoff: [1], ridge: [1]]";
    assert_int_equal(method_of(all, 10, "{range: [1, 39]}"), BULK);
    assert_int_equal(method_of(all, 32, "{range: [1, 96]}"), BULK);
    assert_int_equal(method_of(all, 33, "{range: [1, 96]}"), UPDATED);
    assert_int_equal(method_of(all, 20, "[2900]"), SPECTRA); /* one QR instead of very many rotations */
    assert_int_equal(method_of("random: numpy\nablations: [cutoff: [1]]", 10, "{range: [1, 39]}"), BULK);
    assert_int_equal(method_of("random: numpy\nablations: [ridge: [1]]", 10, "{range: [1, 39]}"), SPECTRA);
    assert_int_equal(method_of("random: numpy\nkeep: modes\nablations: [none]", 10, "{range: [1, 39]}"), SPECTRA);
    assert_int_equal(method_of("producer: lapack\nablations: [cutoff: [1]]", 10, "{range: [1, 39]}"), SPECTRA);
    assert_int_equal(method_of("keep: [cells, modes]\nablations: [none]", 10, "{range: [1, 39]}"), BULK);
    assert_int_equal(method_of("keep: [cells, modes, directions]\nablations: [none]", 10, "{range: [1, 39]}"), SPECTRA);
    assert_string_equal(rl_method_text(rl_method_find(BULK)), "full spectra, repeats side by side");
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_agrees_with_jacobi),
        cmocka_unit_test(sizes_far_apart_agree_with_jacobi),
        cmocka_unit_test(graded_sets_agree_with_jacobi),
        cmocka_unit_test(spectra_are_those_of_the_dense_producer),
        cmocka_unit_test(deficient_sets_are_left_alone),
        cmocka_unit_test(units_beyond_squares_are_left_alone),
        cmocka_unit_test(neither_company_nor_width_changes_a_bit),
        cmocka_unit_test(rows_can_be_taken_out_of_all),
        cmocka_unit_test(rows_that_weigh_too_much_are_not_taken_out),
        cmocka_unit_test(both_methods_fill_the_same_records),
        cmocka_unit_test(deficient_curves_are_the_dense_producers),
        cmocka_unit_test(batches_change_no_bit),
        cmocka_unit_test(wanted_sizes_have_the_same_bits),
        cmocka_unit_test(a_tick_stops_all_curves),
        cmocka_unit_test(the_plan_chooses_by_need_and_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
