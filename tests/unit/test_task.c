/* task: a curve's record against the same thing done the long way on explicit rows, and its independence of what was
 * computed before. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "matrix.h"
#include "ridgeless/task.h"

static const char study_text[] =
    "repeats: 3\n"
    "seed: 5\n"
    "keep: [cells, directions]\n"
    "n_train: [1, 4, 6, 7, 20, 29]\n"
    "ablations: [none, leading_modes: [2]]\n"
    "datasets:\n"
    "  - {source: student-teacher, name: pool, rows: 30, features: 6, hidden_features: 8, noise: 0.1}\n"
    "  - {source: student-teacher, name: fresh, rows: 30, features: 6, hidden_features: 8, noise: 0.1, draw: fresh}\n";

typedef struct fixture {
    rl_study study;
    rl_data_path path;
    rl_plan plan;
} fixture;

static int set_up(void **state) {
    fixture *f = NULL;
    if (RL_ALLOC(f, 1) != RL_OK) return -1;
    *state = f;
    assert_int_equal(rl_study_parse("task.yaml", study_text, &f->study), RL_OK);
    assert_int_equal(rl_data_path_create(&f->path, NULL), RL_OK);
    assert_int_equal(rl_plan_create(&f->study, &(rl_plan_options){.path = &f->path}, &f->plan), RL_OK);
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    rl_plan_destroy(&f->plan);
    rl_data_path_destroy(&f->path);
    rl_study_destroy(&f->study);
    rl_free(f);
    return 0;
}

/* All records of the plan, computed in the order of `step`: i * step mod n. */
static double *records(const rl_plan *plan, int step) {
    rl_task *task;
    double *all = NULL;
    const size_t longest = rl_record_length_max(plan);
    const int64_t n = plan->n_curves;
    assert_int_equal(RL_ALLOC(all, longest * (size_t)n), RL_OK);
    assert_int_equal(rl_task_create(plan, NULL, &task), RL_OK);
    for (int64_t i = 0; i < n; i++) {
        const int64_t curve = i * step % n;
        assert_int_equal(rl_task_curve(task, curve, NULL, (rl_tick){0}, all + (size_t)curve * longest), RL_OK);
    }
    rl_task_destroy(task);
    return all;
}

static void order_of_curves_changes_no_bit(void **state) {
    const fixture *f = *state;
    double *forward = records(&f->plan, 1), *jumping = records(&f->plan, 5);
    assert_int_equal(f->plan.n_curves, 6);
    assert_memory_equal(forward, jumping, sizeof(double) * rl_record_length_max(&f->plan) * 6);
    rl_free(forward);
    rl_free(jumping);
}

/* Up to the sign, to rounding over the gap between singular values. */
static void assert_directions(const rl_record_layout *l, const jacobi_svd *svd, int i, const double *record) {
    for (int r = 0; r < l->max_modes; r++) {
        const double *v = record + l->direction + (size_t)(i * l->max_modes + r) * 6;
        double along = 0, gap = INFINITY;
        for (int j = 0; j < 6; j++) assert_true(isnan(v[j]) == (r >= svd->k));
        if (r >= svd->k) continue;
        for (int other = 0; other < svd->k; other++)
            if (other != r)
                gap = fmin(gap, fabs(gsl_vector_get(svd->s, (size_t)r) - gsl_vector_get(svd->s, (size_t)other)));
        for (int j = 0; j < 6; j++) along += v[j] * gsl_matrix_get(svd->v, (size_t)j, (size_t)r);
        assert_true(1 - fabs(along) <= 50 * DBL_EPSILON * (1 + gsl_vector_get(svd->s, 0) / gap));
    }
}

/* Training set: the first N rows; test set: all others, whatever N. */
static void errors_are_those_of_explicit_rows(void **state) {
    const fixture *f = *state;
    double *all = records(&f->plan, 1);
    for (int64_t c = 0; c < f->plan.n_curves; c++) {
        const rl_curve *curve = &f->plan.curves[c];
        const rl_grid *g = &f->plan.grids[curve->grid];
        const rl_record_layout l = rl_record_layout_of(&f->plan, curve->grid);
        const double *record = all + (size_t)c * rl_record_length_max(&f->plan);
        double x[30 * 6], y[30], beta[6];
        rl_rows rows;
        assert_int_equal(rl_rows_create(&rows, &g->data, f->study.random, f->study.seed), RL_OK);
        assert_int_equal(rl_rows_arrange(&rows, (uint32_t)curve->repeat), RL_OK);
        rl_rows_get(&rows, 0, 30, x, 6, y);
        rl_rows_destroy(&rows);
        for (int i = 0; i < g->n_n_train; i++) {
            const int n = g->n_train[i];
            jacobi_svd svd = jacobi(x, n, 6);
            const double kappa = gsl_vector_get(svd.s, 0) / gsl_vector_get(svd.s, (size_t)svd.k - 1);
            for (int v = 0; v < 2; v++) {
                jacobi_solve(&svd, y, v == 0 || svd.k < 2 ? svd.k : 2, beta);
                const double expected = mean_square_error(x + 6 * n, y + n, beta, 0, 30 - n, 6);
                const double got = record[l.test_mse + (size_t)i * 2 + (size_t)v];
                const double size = dot(y, y, 30) / (30 - n), b = 50 * DBL_EPSILON * kappa;
                if (!(fabs(got - expected) <= b * (expected + sqrt(expected * size)))) /* (e + b |y|)^2 */
                    fail_msg("curve %d, N = %d: %.17g, expected %.17g", (int)c, n, got, expected);
            }
            assert_true(fabs(record[l.sigma_min + (size_t)i] / gsl_vector_get(svd.s, (size_t)svd.k - 1) - 1) <=
                        50 * DBL_EPSILON * kappa);
            assert_true(record[l.rank + (size_t)i] == svd.k);
            assert_true(record[l.status + (size_t)i] == RL_CELL_DONE);
            for (int r = 0; r < l.max_modes; r++)
                assert_true(isnan(record[l.sigma + (size_t)(i * l.max_modes + r)]) == (r >= svd.k));
            assert_directions(&l, &svd, i, record);
            jacobi_free(&svd);
        }
    }
    rl_free(all);
}

static void the_population_is_known_for_fresh_rows_alone(void **state) {
    const fixture *f = *state;
    assert_false(rl_record_layout_of(&f->plan, 0).has_population);
    const rl_record_layout l = rl_record_layout_of(&f->plan, 1);
    assert_true(l.has_population);
    assert_true(l.length > rl_record_layout_of(&f->plan, 0).length);
    assert_int_equal(rl_record_length_max(&f->plan), l.length);
}

/* ---- some of the sizes ------------------------------------------------------------------------------------------- */

/* Sizes of `some` that it says were computed have the bits they have in `whole`; returns which they are, bit by bit. */
static unsigned computed(const rl_record_layout *l, const double *some, const double *whole) {
    unsigned found = 0;
    double *expected = NULL;
    assert_int_equal(RL_ALLOC(expected, l->length), RL_OK);
    memcpy(expected, whole, l->length * sizeof *expected);
    for (int i = 0; i < l->n_sizes; i++) {
        if (rl_record_status(l, some, i) == RL_CELL_MISSING)
            rl_record_clear(l, i, expected);
        else
            found |= 1u << i;
    }
    assert_memory_equal(some, expected, l->length * sizeof *expected);
    rl_free(expected);
    return found;
}

/* Every selection of the sizes of every curve. */
static void what_else_is_wanted_changes_no_bit(const rl_plan *plan) {
    double *all = records(plan, 1), *record = NULL;
    rl_task *task;
    assert_int_equal(RL_ALLOC(record, rl_record_length_max(plan)), RL_OK);
    assert_int_equal(rl_task_create(plan, NULL, &task), RL_OK);
    for (int64_t c = 0; c < plan->n_curves; c++) {
        const rl_record_layout l = rl_record_layout_of(plan, plan->curves[c].grid);
        for (unsigned selection = 0; selection < 1u << l.n_sizes; selection++) {
            bool wanted[8];
            for (int i = 0; i < l.n_sizes; i++) wanted[i] = selection >> i & 1;
            assert_int_equal(rl_task_curve(task, c, wanted, (rl_tick){0}, record), RL_OK);
            assert_int_equal(computed(&l, record, all + (size_t)c * rl_record_length_max(plan)), selection);
        }
    }
    rl_task_destroy(task);
    rl_free(record);
    rl_free(all);
}

static void what_else_is_wanted_changes_no_bit_of_spectra(void **state) {
    what_else_is_wanted_changes_no_bit(&((const fixture *)*state)->plan);
}

/* The same for curves that are factored as a whole, with full spectra at some sizes and a threshold among them. */
static void what_else_is_wanted_changes_no_bit_of_nested_curves(void **state) {
    static const char text[] =
        "repeats: 2\nn_train: [2, 6, 7, 20, 29]\nfull_spectra: [6, 20]\nablations: [none, leading_modes: [2]]\n"
        "datasets:\n"
        "  - {source: student-teacher, name: pool, rows: 30, features: 6, hidden_features: 8, noise: 0.1}\n"
        "  - {source: student-teacher, name: fresh, rows: 30, features: 6, hidden_features: 8, draw: fresh}\n";
    const fixture *f = *state;
    rl_study study;
    rl_plan plan;
    assert_int_equal(rl_study_parse("nested.yaml", text, &study), RL_OK);
    assert_int_equal(rl_plan_create(&study, &(rl_plan_options){.path = &f->path}, &plan), RL_OK);
    assert_int_equal(plan.grids[0].way, RL_WAY_NESTED);
    what_else_is_wanted_changes_no_bit(&plan);
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
}

typedef struct countdown {
    int calls, until;
} countdown;

static bool count_down(void *state) {
    countdown *c = state;
    return ++c->calls <= c->until;
}

/* A curve that is stopped delivers what it finished: the largest sizes, which come first. */
static void a_stopped_curve_keeps_what_is_done(void **state) {
    const fixture *f = *state;
    const rl_record_layout l = rl_record_layout_of(&f->plan, 0);
    double *all = records(&f->plan, 1), *record = NULL;
    rl_task *task;
    assert_int_equal(RL_ALLOC(record, l.length), RL_OK);
    assert_int_equal(rl_task_create(&f->plan, NULL, &task), RL_OK);
    for (int until = 0; until < l.n_sizes; until++) {
        countdown c = {.until = until};
        assert_int_equal(rl_task_curve(task, 0, NULL, (rl_tick){count_down, &c}, record), RL_STOPPED);
        const unsigned left = (1u << (l.n_sizes - until)) - 1;
        assert_int_equal(computed(&l, record, all), ((1u << l.n_sizes) - 1) & ~left);
    }
    rl_task_destroy(task);
    rl_free(record);
    rl_free(all);
}

static bool third_call_stops(void *state) {
    return ++*(int *)state < 3;
}

static void a_tick_can_stop_a_curve(void **state) {
    const fixture *f = *state;
    rl_task *task;
    double *record = NULL;
    int calls = 0;
    assert_int_equal(RL_ALLOC(record, rl_record_length_max(&f->plan)), RL_OK);
    assert_int_equal(rl_task_create(&f->plan, NULL, &task), RL_OK);
    assert_int_equal(rl_task_curve(task, 0, NULL, (rl_tick){third_call_stops, &calls}, record), RL_STOPPED);
    assert_int_equal(calls, 3);
    assert_int_equal(rl_task_curve(task, 0, NULL, (rl_tick){0}, record), RL_OK); /* and go on afterwards */
    rl_task_destroy(task);
    rl_free(record);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_curves_changes_no_bit),
        cmocka_unit_test(errors_are_those_of_explicit_rows),
        cmocka_unit_test(the_population_is_known_for_fresh_rows_alone),
        cmocka_unit_test(what_else_is_wanted_changes_no_bit_of_spectra),
        cmocka_unit_test(what_else_is_wanted_changes_no_bit_of_nested_curves),
        cmocka_unit_test(a_stopped_curve_keeps_what_is_done),
        cmocka_unit_test(a_tick_can_stop_a_curve),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
