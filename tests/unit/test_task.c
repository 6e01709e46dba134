/* task: a curve's record against the same thing done the long way on explicit rows, and its independence of what was
 * computed before. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "curves.h"
#include "matrix.h"

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
    rl_worker *worker;
    double *all = NULL;
    const size_t longest = longest_curve(plan);
    const int64_t n = plan->n_tasks;
    assert_int_equal(RL_ALLOC(all, longest * (size_t)n), RL_OK);
    assert_int_equal(rl_worker_create(plan->series, RL_ALONE, &worker), RL_OK);
    for (int64_t i = 0; i < n; i++) {
        const int64_t curve = i * step % n;
        assert_int_equal(compute_one(worker, plan, curve, NULL, (rl_tick){0}, all + (size_t)curve * longest), RL_OK);
    }
    rl_worker_destroy(worker);
    return all;
}

static void order_of_curves_changes_no_bit(void **state) {
    const fixture *f = *state;
    double *forward = records(&f->plan, 1), *jumping = records(&f->plan, 5);
    assert_int_equal(f->plan.n_tasks, 6);
    assert_memory_equal(forward, jumping, sizeof(double) * longest_curve(&f->plan) * 6);
    rl_free(forward);
    rl_free(jumping);
}

/* Up to the sign, to rounding over the gap between singular values. */
static void assert_directions(const rl_curve_layout *l, const jacobi_svd *svd, int i, const double *record) {
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
    for (int64_t c = 0; c < f->plan.n_tasks; c++) {
        const rl_task *task = &f->plan.tasks[c];
        const rl_series *g = &f->plan.series[task->series];
        const rl_curve_layout l = rl_curve_layout_of(g);
        const double *record = all + (size_t)c * longest_curve(&f->plan);
        double x[30 * 6], y[30], beta[6];
        rl_rows rows;
        assert_int_equal(rl_rows_create(&rows, &g->data, f->study.random, f->study.seed), RL_OK);
        assert_int_equal(rl_rows_arrange(&rows, (uint32_t)task->repeats.first), RL_OK);
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
    assert_false(rl_curve_layout_of(&f->plan.series[0]).has_population);
    const rl_curve_layout l = rl_curve_layout_of(&f->plan.series[1]);
    assert_true(l.has_population);
    assert_true(l.length > rl_curve_layout_of(&f->plan.series[0]).length);
    assert_int_equal(longest_curve(&f->plan), l.length);
}

/* ---- some of the sizes ------------------------------------------------------------------------------------------- */

/* Sizes of `some` that it says were computed have the bits they have in `whole`; returns which they are, bit by bit. */
static unsigned computed(const rl_curve_layout *l, const double *some, const double *whole) {
    unsigned found = 0;
    double *expected = NULL;
    assert_int_equal(RL_ALLOC(expected, l->length), RL_OK);
    memcpy(expected, whole, l->length * sizeof *expected);
    for (int i = 0; i < l->n_n_train; i++) {
        if (rl_curve_status(l, some, i) == RL_CELL_MISSING)
            rl_curve_clear(l, i, expected);
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
    rl_worker *worker;
    assert_int_equal(RL_ALLOC(record, longest_curve(plan)), RL_OK);
    assert_int_equal(rl_worker_create(plan->series, RL_ALONE, &worker), RL_OK);
    for (int64_t c = 0; c < plan->n_tasks; c++) {
        const rl_curve_layout l = layout_of(plan, c);
        for (unsigned selection = 0; selection < 1u << l.n_n_train; selection++) {
            bool wanted[8];
            for (int i = 0; i < l.n_n_train; i++) wanted[i] = selection >> i & 1;
            assert_int_equal(compute_one(worker, plan, c, wanted, (rl_tick){0}, record), RL_OK);
            assert_int_equal(computed(&l, record, all + (size_t)c * longest_curve(plan)), selection);
        }
    }
    rl_worker_destroy(worker);
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
    assert_int_equal(rl_method_number(plan.series[0].method), NESTED);
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
    const rl_curve_layout l = rl_curve_layout_of(&f->plan.series[0]);
    double *all = records(&f->plan, 1), *record = NULL;
    rl_worker *worker;
    assert_int_equal(RL_ALLOC(record, l.length), RL_OK);
    assert_int_equal(rl_worker_create(f->plan.series, RL_ALONE, &worker), RL_OK);
    for (int until = 0; until < l.n_n_train; until++) {
        countdown c = {.until = until};
        assert_int_equal(compute_one(worker, &f->plan, 0, NULL, (rl_tick){count_down, &c}, record), RL_STOPPED);
        const unsigned left = (1u << (l.n_n_train - until)) - 1;
        assert_int_equal(computed(&l, record, all), ((1u << l.n_n_train) - 1) & ~left);
    }
    rl_worker_destroy(worker);
    rl_free(record);
    rl_free(all);
}

static bool third_call_stops(void *state) {
    return ++*(int *)state < 3;
}

static void a_tick_can_stop_a_curve(void **state) {
    const fixture *f = *state;
    rl_worker *worker;
    double *record = NULL;
    int calls = 0;
    assert_int_equal(RL_ALLOC(record, longest_curve(&f->plan)), RL_OK);
    assert_int_equal(rl_worker_create(f->plan.series, RL_ALONE, &worker), RL_OK);
    assert_int_equal(compute_one(worker, &f->plan, 0, NULL, (rl_tick){third_call_stops, &calls}, record), RL_STOPPED);
    assert_int_equal(calls, 3);
    assert_int_equal(compute_one(worker, &f->plan, 0, NULL, (rl_tick){0}, record), RL_OK); /* and go on afterwards */
    rl_worker_destroy(worker);
    rl_free(record);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* What a worker allocates for a series, to the byte: when it begins, and nothing more while it computes. */
static void assert_allocates_what_was_predicted(const rl_plan *plan, int series) {
    const int64_t first = plan->series[series].first_task;
    rl_worker *worker;
    rl_record record;
    bool ended;
    assert_int_equal(rl_worker_create(plan->series, RL_ALONE, &worker), RL_OK);
    const size_t before = rl_allocated();
    rl_forget_peak_allocated();
    for (int k = 0; k < 2; k++) {
        const rl_work work = {.tasks = &plan->tasks[first + k], .n = 1};
        assert_int_equal(rl_worker_begin(worker, &work), RL_OK);
        do assert_int_equal(rl_worker_advance(worker, (rl_tick){0}, &ended), RL_OK);
        while (!ended);
        assert_int_equal(rl_worker_record(worker, 0, &record), RL_OK);
        assert_int_equal(record.n, plan->tasks[first + k].n_train.n);
    }
    if (rl_peak_allocated() - before != rl_worker_bytes(&plan->series[series]))
        fail_msg("`%s`: %zu bytes at most, predicted were %zu", plan->series[series].name, rl_peak_allocated() - before,
                 rl_worker_bytes(&plan->series[series]));
    rl_worker_destroy(worker);
}

/* Every method on one rank, with what makes it allocate more: known populations, modes, steps on rows, predictions,
 * features that are made, rows that repeat; and trainings. */
static void predicted_bytes_are_those_that_are_allocated(void **state) {
    static const char text[] =
        "repeats: 2\nablations: [none, cutoff: [0.1], ridge: [1]]\nn_train: [1, 5, 6, 7, 20]\ndatasets:\n"
        "  - {source: student-teacher, name: bulk, rows: 30, features: 6, hidden_features: 8}\n"
        "  - {source: student-teacher, name: fresh-bulk, rows: 30, features: 6, hidden_features: 8, draw: fresh, "
        "keep: [cells, modes]}\n"
        "  - {source: student-teacher, name: spectra, rows: 30, features: 6, producer: lapack, keep: [cells, modes, "
        "directions]}\n"
        "  - {source: student-teacher, name: fresh-spectra, rows: 30, features: 6, draw: fresh, producer: lapack}\n"
        "  - {source: student-teacher, name: steps, rows: 30, features: 6, ablations: [none, gradient_descent_run: "
        "3]}\n"
        "  - {source: student-teacher, name: solvers, rows: 30, features: 6, ablations: [none, normal_equations, "
        "svd]}\n"
        "  - {source: function, name: predictions, map: legendre, n_features: [3, 40], keep: [cells, predictions], "
        "n_train: [2, 9]}\n"
        "  - {source: sphere, name: made, rows: 40, inputs: 4, map: random-relu, n_features: [5, 50]}\n"
        "  - {source: student-teacher, name: nested, rows: 900, features: 300, hidden_features: 300, ablations: none, "
        "n_train: {range: [1, 600]}}\n"
        "  - {source: student-teacher, name: updated, rows: 200, features: 64, hidden_features: 64, n_train: {range: "
        "[1, 128]}}\n"
        "  - {source: student-teacher, name: fresh-updated, rows: 200, features: 64, hidden_features: 64, draw: fresh, "
        "n_train: {range: [1, 128]}}\n"
        "  - {source: student-teacher, name: ones, rows: 30, features: 6, draw: fresh, design: spiked, intercept: "
        "true}\n"
        "  - {source: sphere, name: made-ones, rows: 40, inputs: 4, map: random-relu, n_features: [5], intercept: "
        "true}\n"
        "autoencoders: [{name: toy, n_features: 30, sparsity: 0.9, hidden: [1, 2], n_train: [5], steps: 20}]\n";
    const int methods[] = {BULK,    BULK,    SPECTRA, SPECTRA, SPECTRA, SPECTRA, SPECTRA, SPECTRA,
                           SPECTRA, SPECTRA, NESTED,  UPDATED, UPDATED, BULK,    SPECTRA};
    const fixture *f = *state;
    rl_study study;
    rl_plan plan;
    if (rl_study_parse("bytes.yaml", text, &study) != RL_OK) fail_msg("%s", rl_error_message());
    if (rl_plan_create(&study, &(rl_plan_options){.path = &f->path}, &plan) != RL_OK)
        fail_msg("%s", rl_error_message());
    for (int i = 0; i < plan.n_series; i++) {
        const rl_series *s = &plan.series[i];
        if (s->method != NULL && rl_method_number(s->method) != methods[i])
            fail_msg("`%s`: %s", s->name, rl_method_text(s->method));
        assert_allocates_what_was_predicted(&plan, i);
    }
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
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
        cmocka_unit_test(predicted_bytes_are_those_that_are_allocated),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
