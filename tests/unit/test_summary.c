/* Summaries, from the tasks of a plan to the journal and to what is worked out from buckets: against the curves of the
 * same repeats computed one by one, counted in plain arrays. */
#include "unit.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curves.h"
#include "ridgeless/results.h"

#define STUDY(repeats, keep, n_train)                                                                                  \
    "repeats: " repeats "\nseed: 5\nkeep: " keep "\nn_train: " n_train                                                 \
    "\nablations: [none, cutoff: [0.5], ridge: [1]]\n"                                                                 \
    "datasets:\n"                                                                                                      \
    "  - {source: student-teacher, name: pool, rows: 20, features: 3, hidden_features: 5, noise: 0.1}\n"               \
    "  - {source: student-teacher, name: fresh, rows: 20, features: 3, hidden_features: 5, noise: 0.1, draw: fresh}\n" \
    "  - {source: student-teacher, name: one-by-one, rows: 20, features: 3, hidden_features: 5, producer: lapack}\n"

typedef struct laid_out {
    rl_study study;
    rl_plan plan;
} laid_out;

typedef struct fixture {
    char folder[200], output[256];
    laid_out summary, cells; /* of the same 150 repeats */
} fixture;

static void lay_out(laid_out *l, const char *text) {
    rl_data_path path;
    if (rl_study_parse("summary.yaml", text, &l->study) != RL_OK) fail_msg("%s", rl_error_message());
    assert_int_equal(rl_data_path_create(&path, NULL), RL_OK);
    if (rl_plan_create(&l->study, &(rl_plan_options){.path = &path}, &l->plan) != RL_OK)
        fail_msg("%s", rl_error_message());
    rl_data_path_destroy(&path);
}

static void release(laid_out *l) {
    rl_plan_destroy(&l->plan);
    rl_study_destroy(&l->study);
}

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->folder, sizeof f->folder, "%.150s/rl-summary-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->output, sizeof f->output, "%s/out.nc", f->folder);
    lay_out(&f->summary, STUDY("150", "summary", "[1, 3, 4, 9]"));
    lay_out(&f->cells, STUDY("150", "cells", "[1, 3, 4, 9]"));
    rl_log_configure(RL_LOG_QUIET, true);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    char pattern[260];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/*", f->folder);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) unlink(found.gl_pathv[i]);
        globfree(&found);
    }
    rmdir(f->folder);
    release(&f->summary);
    release(&f->cells);
    free(f);
    return 0;
}

/* ---- tasks ------------------------------------------------------------------------------------------------------- */

/* They cover the repeats one after the other, do not depend on how many there are, and leave something for several
 * ranks. */
static void spans_tile_the_repeats(void **state) {
    for (int longest = 1; longest <= 1 << 14; longest *= 2)
        for (int first = 0, end; first < 1000000; first = end) {
            end = rl_span_end(first, longest);
            const int n = end - first;
            if (n < 1 || n > longest || (n > RL_SHORTEST_SPAN && n > first / 8) || first % n != 0)
                fail_msg("a span of %d repeats from %d", n, first);
        }
    const fixture *f = *state;
    const rl_plan *plan = &f->summary.plan;
    int next = 0;
    for (int64_t t = 0; t < plan->n_tasks; t++) {
        const rl_task *task = &plan->tasks[t];
        if (task->repeats.first == 0) next = 0;
        assert_int_equal(task->repeats.first, next);
        next += task->repeats.n;
        assert_true(next <= 150);
        for (int r = task->repeats.first; r < next; r++) assert_int_equal(rl_plan_task(plan, task->series, r, 2), t);
    }
    for (int s = 0; s < 3; s++) {
        const rl_count count = rl_series_count(&plan->series[s]), of_cells = rl_series_count(&f->cells.plan.series[s]);
        assert_int_equal(count.pieces, 150);
        assert_int_equal(count.points, of_cells.points);
        assert_int_equal(count.cells, of_cells.cells);
    }
}

/* ---- what is expected -------------------------------------------------------------------------------------------- */

/* A summary of curves computed one by one: some repeats of a series. */
static void add_curves(const rl_plan *cells, int series, rl_range repeats, rl_summary *s) {
    rl_worker *worker;
    double *curve;
    assert_int_equal(rl_worker_create(cells->series, RL_ALONE, &worker), RL_OK);
    assert_int_equal(RL_ALLOC(curve, rl_curve_layout_of(&cells->series[series]).length), RL_OK);
    for (int r = repeats.first; r < rl_range_end(repeats); r++) {
        assert_int_equal(compute_one(worker, cells, rl_plan_task(cells, series, r, 0), NULL, (rl_tick){0}, curve),
                         RL_OK);
        assert_int_equal(rl_summary_add(s, curve, 1), RL_OK);
    }
    rl_free(curve);
    rl_worker_destroy(worker);
}

static rl_summary empty_summary(const rl_plan *plan, int series) {
    const rl_curve_layout l = rl_curve_layout_of(&plan->series[series]);
    rl_summary s;
    assert_int_equal(rl_summary_create(&s, &l), RL_OK);
    return s;
}

static void assert_same(const rl_summary *a, const rl_summary *b) {
    rl_buckets x = {0}, y = {0};
    assert_memory_equal(a->statuses, b->statuses, (size_t)a->layout.n_n_train * sizeof *a->statuses);
    for (size_t k = 0; k < a->layout.status; k++) {
        assert_int_equal(rl_buckets_list(&x, &a->histograms[k]), RL_OK);
        assert_int_equal(rl_buckets_list(&y, &b->histograms[k]), RL_OK);
        if (!rl_buckets_equal(&x, &y)) fail_msg("the histograms at place %zu differ", k);
    }
    rl_buckets_destroy(&x);
    rl_buckets_destroy(&y);
}

static void every_number_of_a_curve_has_a_histogram(void **state) {
    const fixture *f = *state;
    for (int g = 0; g < 3; g++) {
        const rl_curve_layout l = rl_curve_layout_of(&f->cells.plan.series[g]);
        bool *seen = calloc(l.length, 1);
        for (int i = 0; i < l.n_n_train; i++)
            for (int place = 0; place < rl_summary_places(&l); place++) {
                const size_t k = rl_summary_index(&l, i, place);
                assert_true(k < l.status && !seen[k]);
                seen[k] = true;
            }
        for (size_t k = 0; k < l.status; k++) assert_true(seen[k]);
        assert_true(rl_summary_index(&l, 2, 1) == l.test_mse + (size_t)(2 * l.n_variants + 1));
        assert_true(rl_summary_index(&l, 1, rl_summary_places(&l) - 1) == l.test_bias_mse + 1);
        free(seen);
    }
}

/* ---- computing --------------------------------------------------------------------------------------------------- */

/* The record of some repeats of a task, borrowed from the worker. */
static rl_status summarize(rl_worker *worker, const rl_plan *plan, int64_t task, rl_range repeats, const bool *wanted,
                           rl_tick tick, rl_record *record) {
    rl_task part = plan->tasks[task];
    bool ended = false;
    part.repeats = repeats;
    assert_int_equal(rl_worker_begin(worker, &(rl_work){.tasks = &part, .n = 1, .wanted = wanted}), RL_OK);
    const rl_status status = rl_worker_advance(worker, tick, &ended);
    assert_true(ended || status != RL_OK);
    assert_int_equal(rl_worker_record(worker, 0, record), RL_OK);
    return status;
}

static void merge(const rl_plan *plan, int series, const rl_record *record, rl_summary *into) {
    const rl_series *of = &plan->series[series];
    int target[8];
    bool sound;
    for (int k = 0, i = 0; k < record->n; k++) {
        while (of->n_train[i] != record->outcomes[k].n_train) i++;
        target[k] = i;
    }
    assert_int_equal(rl_summary_add_record(into, of, record, target, &sound), RL_OK);
    assert_true(sound);
}

/* Count by count, however the repeats are cut, side by side or one by one. */
static void a_summary_is_the_sum_of_its_curves(void **state) {
    const fixture *f = *state;
    const rl_plan *plan = &f->summary.plan;
    rl_worker *worker;
    rl_record record;
    assert_int_equal(rl_worker_create(plan->series, RL_ALONE, &worker), RL_OK);
    assert_int_equal(rl_method_number(plan->series[0].method), BULK);
    assert_int_equal(rl_method_number(plan->series[2].method), SPECTRA);
    for (int s = 0; s < 3; s++) {
        const int64_t task = rl_plan_task(plan, s, 130, 0);
        const rl_range all = plan->tasks[task].repeats;
        rl_summary expected = empty_summary(plan, s), whole = empty_summary(plan, s), parts = empty_summary(plan, s);
        add_curves(&f->cells.plan, s, all, &expected);
        assert_int_equal(summarize(worker, plan, task, all, NULL, (rl_tick){0}, &record), RL_OK);
        merge(plan, s, &record, &whole);
        assert_same(&whole, &expected);
        for (int r = all.n - 1, n; r >= 0; r -= n) { /* from behind, 1, 2, 3, ... of them */
            n = all.n - r < 4 ? 1 : 3;
            n = n > r + 1 ? r + 1 : n;
            const rl_range part = {all.first + r + 1 - n, n};
            assert_int_equal(summarize(worker, plan, task, part, NULL, (rl_tick){0}, &record), RL_OK);
            merge(plan, s, &record, &parts);
        }
        assert_same(&parts, &expected);
        rl_summary_destroy(&expected);
        rl_summary_destroy(&whole);
        rl_summary_destroy(&parts);
    }
    rl_worker_destroy(worker);
}

static bool some_times(void *state) {
    int *left = state;
    return (*left)-- > 0;
}

/* What is finished when a tick says stop is kept, and what is not is not counted. */
static void a_task_left_in_the_middle_keeps_its_first_repeats(void **state) {
    const fixture *f = *state;
    const rl_plan *plan = &f->summary.plan;
    rl_worker *worker;
    assert_int_equal(rl_worker_create(plan->series, RL_ALONE, &worker), RL_OK);
    for (int s = 0; s < 3; s++) {
        const int64_t task = rl_plan_task(plan, s, 130, 0);
        const rl_range all = plan->tasks[task].repeats;
        rl_record record;
        int left = 0;
        assert_int_equal(summarize(worker, plan, task, all, NULL, (rl_tick){some_times, &left}, &record), RL_STOPPED);
        assert_int_equal(record.n, 0);
        left = 9 * plan->series[s].n_n_train; /* ticks: one per N, of all lanes or of one repeat */
        const int lanes = s == 2 ? 1 : 8;
        const rl_status status = summarize(worker, plan, task, all, NULL, (rl_tick){some_times, &left}, &record);
        assert_int_equal(status, 9 * lanes < all.n ? RL_STOPPED : RL_OK);
        assert_true(record.repeats.first == all.first && record.repeats.n > 0);
        assert_int_equal(rl_record_failed(plan->series[s].kind, &record), 0);
        rl_summary expected = empty_summary(plan, s), got = empty_summary(plan, s);
        add_curves(&f->cells.plan, s, record.repeats, &expected);
        merge(plan, s, &record, &got);
        assert_same(&got, &expected);
        rl_summary_destroy(&expected);
        rl_summary_destroy(&got);
    }
    rl_worker_destroy(worker);
}

/* Spectra that fail are counted, and their numbers are not. */
static void failed_spectra_are_counted_alone(void **state) {
    const fixture *f = *state;
    rl_summary s = empty_summary(&f->summary.plan, 0);
    const rl_curve_layout l = s.layout;
    double *records;
    assert_int_equal(RL_ALLOC(records, 3 * l.length), RL_OK);
    for (size_t i = 0; i < 3 * l.length; i++) records[i] = 1;
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < l.n_n_train; i++) records[(size_t)r * l.length + l.status + (size_t)i] = RL_CELL_DONE;
    records[l.length + l.status + 1] = RL_CELL_ZERO_MATRIX;
    records[2 * l.length + l.status + 2] = RL_CELL_MISSING;
    assert_int_equal(rl_summary_add(&s, records, 3), RL_OK);
    assert_int_equal(s.statuses[0][RL_CELL_DONE], 3);
    assert_int_equal(s.statuses[1][RL_CELL_DONE], 2);
    assert_int_equal(s.statuses[1][RL_CELL_ZERO_MATRIX], 1);
    assert_int_equal(s.statuses[2][RL_CELL_DONE], 2);
    assert_int_equal(s.statuses[2][RL_CELL_MISSING], 0);
    assert_int_equal(s.histograms[rl_summary_index(&l, 1, 0)].n, 2);
    assert_int_equal(s.histograms[rl_summary_index(&l, 0, 0)].n, 3);
    rl_free(records);
    rl_summary_destroy(&s);
}

/* ---- journal ----------------------------------------------------------------------------------------------------- */

static rl_journal *open_journal(const fixture *f, const rl_plan *plan) {
    rl_journal *journal;
    if (rl_journal_open(f->output, plan, false, &journal) != RL_OK) fail_msg("%s", rl_error_message());
    return journal;
}

static void append(rl_journal *journal, rl_worker *worker, const rl_plan *plan, int64_t task, rl_range repeats,
                   const bool *wanted) {
    rl_record record;
    assert_int_equal(summarize(worker, plan, task, repeats, wanted, (rl_tick){0}, &record), RL_OK);
    if (rl_journal_append(journal, task, &record) != RL_OK) fail_msg("%s", rl_error_message());
}

/* Does all that is missing of a series, in runs as they come. */
static int complete(rl_journal *journal, const rl_plan *plan, int series) {
    rl_worker *worker;
    int runs = 0;
    assert_int_equal(rl_worker_create(plan->series, RL_ALONE, &worker), RL_OK);
    for (int64_t task = plan->series[series].first_task; task < rl_plan_end_of_tasks(plan, series); task++)
        for (int i = 0; i < plan->tasks[task].n_train.n; i++) {
            rl_range missing;
            bool wanted[8] = {false};
            wanted[i] = true;
            while (rl_journal_missing(journal, plan, task, i, 0, &missing)) {
                append(journal, worker, plan, task, missing, wanted);
                runs++;
            }
        }
    rl_worker_destroy(worker);
    return runs;
}

typedef struct merging {
    const rl_series *series;
    rl_summary *into;
} merging;

static rl_status merge_record(void *state, const rl_record *record, const int *target) {
    const merging *m = state;
    bool sound;
    assert_int_equal(rl_summary_add_record(m->into, m->series, record, target, &sound), RL_OK);
    assert_true(sound);
    return RL_OK;
}

static void assert_complete(const rl_plan *plan, rl_journal *journal, int series) {
    rl_summary expected = empty_summary(plan, series), got = empty_summary(plan, series);
    merging m = {&plan->series[series], &got};
    laid_out cells;
    lay_out(&cells, STUDY("200", "cells", "[1, 3, 4, 9]"));
    add_curves(&cells.plan, series, (rl_range){0, plan->study->repeats}, &expected);
    for (int64_t task = plan->series[series].first_task; task < rl_plan_end_of_tasks(plan, series); task++)
        assert_int_equal(rl_journal_visit(journal, task, merge_record, &m), RL_OK);
    assert_same(&got, &expected);
    rl_summary_destroy(&expected);
    rl_summary_destroy(&got);
    release(&cells);
}

/* Written in pieces, opened again, and gone on with: nothing is counted twice, and nothing is missing. */
static void the_journal_puts_pieces_together(void **state) {
    const fixture *f = *state;
    const rl_plan *plan = &f->summary.plan;
    rl_worker *worker;
    rl_journal *journal = open_journal(f, plan);
    const int64_t task = rl_plan_task(plan, 0, 140, 0);
    const rl_range all = plan->tasks[task].repeats;
    const bool second[] = {false, true, false, false};
    assert_int_equal(rl_worker_create(plan->series, RL_ALONE, &worker), RL_OK);
    append(journal, worker, plan, task, (rl_range){all.first + 2, 3}, NULL);
    append(journal, worker, plan, task, (rl_range){all.first, 1}, second);
    rl_worker_destroy(worker);
    for (int again = 0; again < 2; again++) {
        rl_range missing;
        assert_true(rl_journal_missing(journal, plan, task, 1, 0, &missing));
        assert_true(missing.first == all.first + 1 && missing.n == 1);
        assert_true(rl_journal_missing(journal, plan, task, 0, 0, &missing));
        assert_true(missing.first == all.first && missing.n == 2);
        assert_true(rl_journal_missing(journal, plan, task, 1, all.first + 2, &missing));
        assert_true(missing.first == all.first + 5 && missing.n == all.n - 5);
        const rl_tally t = rl_journal_tally(journal, plan, 0, 1);
        assert_int_equal(t.points_done, 3 * 4 + 1);
        assert_int_equal(t.pieces, 150);
        assert_int_equal(t.done, 3);
        assert_int_equal(t.begun, 1);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        journal = open_journal(f, plan);
    }
    assert_true(complete(journal, plan, 0) > 0);
    assert_complete(plan, journal, 0);
    assert_int_equal(rl_journal_tally(journal, plan, 0, 1).points_missing, 0);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    journal = open_journal(f, plan);
    assert_int_equal(complete(journal, plan, 0), 0);
    assert_complete(plan, journal, 0);
    assert_int_equal(rl_journal_close(journal), RL_OK);
}

/* More repeats: the span that was cut off is completed. More N: these alone. Fewer repeats: what reaches beyond cannot
 * be taken apart. Then back, with all of it in the file. */
static void other_repeats_and_sizes_go_on(void **state) {
    const fixture *f = *state;
    laid_out more, wider, fewer;
    rl_range missing;
    rl_journal *journal = open_journal(f, &f->summary.plan);
    complete(journal, &f->summary.plan, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);

    lay_out(&more, STUDY("200", "summary", "[1, 3, 4, 9]"));
    journal = open_journal(f, &more.plan);
    const int64_t cut = rl_plan_task(&more.plan, 1, 149, 0);
    assert_true(rl_range_end(more.plan.tasks[cut].repeats) > 150);
    assert_true(rl_journal_missing(journal, &more.plan, cut, 0, 0, &missing) && missing.first == 150);
    assert_int_equal(rl_journal_tally(journal, &more.plan, 1, 2).points_missing, 50 * 4);
    complete(journal, &more.plan, 1);
    assert_complete(&more.plan, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);

    lay_out(&wider, STUDY("200", "summary", "[1, 3, 4, 7, 9]"));
    journal = open_journal(f, &wider.plan);
    assert_int_equal(rl_journal_tally(journal, &wider.plan, 1, 2).points_missing, 200);
    assert_false(rl_journal_missing(journal, &wider.plan, cut, 2, 0, &missing));
    assert_true(rl_journal_missing(journal, &wider.plan, cut, 3, 0, &missing));
    assert_int_equal(rl_journal_close(journal), RL_OK);

    lay_out(&fewer, STUDY("140", "summary", "[1, 3, 4, 9]"));
    journal = open_journal(f, &fewer.plan);
    const int64_t last = rl_plan_task(&fewer.plan, 1, 139, 0);
    const int n_last = fewer.plan.tasks[last].repeats.n;
    assert_int_equal(rl_journal_tally(journal, &fewer.plan, 1, 2).points_missing, 4 * n_last);
    complete(journal, &fewer.plan, 1);
    assert_complete(&fewer.plan, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);

    journal = open_journal(f, &more.plan);
    assert_int_equal(rl_journal_tally(journal, &more.plan, 1, 2).points_missing, 0);
    assert_complete(&more.plan, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    release(&more);
    release(&wider);
    release(&fewer);
}

/* ---- reduction --------------------------------------------------------------------------------------------------- */

static void assert_near(const char *what, double got, double exact) {
    if (!(fabs(got - exact) <= RL_BUCKET_ERROR * (1 + 1e-12) * exact))
        fail_msg("%s: %.17g, of the values themselves %.17g", what, got, exact);
}

/* Against the same values sorted. */
static void statistics_are_within_the_stated_error(void **state) {
    enum { MOST = 3000 };
    static const int counts[] = {1, 2, 3, 10, 101, MOST};
    double values[MOST], scratch[2 * MOST];
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const int n = counts[c];
        rl_histogram h = {0};
        rl_buckets list = {0};
        for (int i = 0; i < n; i++) values[i] = pow(10, 3 * sin(i * i * 0.7 + 1) + 2);
        assert_int_equal(rl_histogram_add(&h, values, (size_t)n, 1), RL_OK);
        assert_int_equal(rl_buckets_list(&list, &h), RL_OK);
        const rl_reduced exact = rl_reduce(values, n, scratch), got = rl_reduce_buckets(&list);
        assert_int_equal(got.count, n);
        assert_near("mean", got.mean, exact.mean);
        assert_near("geometric mean", got.geometric_mean, exact.geometric_mean);
        assert_near("median", got.median, exact.median);
        for (int q = 0; q < RL_N_QUANTILES; q++) assert_near("quantile", got.quantile[q], exact.quantile[q]);
        if (n <= 2) assert_true(fabs(got.median / exact.median - 1) < 1e-15); /* the extremes are exact */
        if (n > 1) assert_true(fabs(got.standard_error / exact.standard_error - 1) < 0.02);
        rl_histogram_destroy(&h);
        rl_buckets_destroy(&list);
    }
    const rl_reduced none = rl_reduce_buckets(&(rl_buckets){0});
    assert_true(none.count == 0 && isnan(none.mean) && isnan(none.median) && isnan(none.quantile[0]));
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(spans_tile_the_repeats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_number_of_a_curve_has_a_histogram, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_summary_is_the_sum_of_its_curves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_task_left_in_the_middle_keeps_its_first_repeats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_spectra_are_counted_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_journal_puts_pieces_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_repeats_and_sizes_go_on, set_up, tear_down),
        cmocka_unit_test(statistics_are_within_the_stated_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
