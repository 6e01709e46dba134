/* Summaries, from spans of a plan to the journal and to what is worked out from buckets: against the records of the
 * same repeats computed one by one, counted in plain arrays. */
#include "unit.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- spans ------------------------------------------------------------------------------------------------------- */

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
    for (int64_t c = 0; c < plan->n_curves; c++) {
        const rl_curve *curve = &plan->curves[c];
        if (curve->repeat == 0) next = 0;
        assert_int_equal(curve->repeat, next);
        next += curve->n_repeats;
        assert_true(next <= 150);
        for (int r = curve->repeat; r < next; r++) assert_int_equal(rl_plan_curve(plan, curve->grid, r, 2), c);
    }
    assert_int_equal(plan->n_repeated, 3 * 150);
    assert_int_equal(plan->n_spectra, f->cells.plan.n_spectra);
    assert_int_equal(plan->n_cells, f->cells.plan.n_cells);
}

/* ---- what is expected -------------------------------------------------------------------------------------------- */

/* A summary of records computed one by one: repeats [first, first + n) of a grid. */
static void add_records(const rl_plan *cells, int grid, rl_repeats repeats, rl_summary *s) {
    rl_task *task;
    double *record;
    const size_t length = rl_record_layout_of(cells, grid).length;
    assert_int_equal(rl_task_create(cells, NULL, &task), RL_OK);
    assert_int_equal(RL_ALLOC(record, length), RL_OK);
    for (int r = repeats.first; r < repeats.first + repeats.n; r++) {
        assert_int_equal(rl_task_curve(task, rl_plan_curve(cells, grid, r, 0), NULL, (rl_tick){0}, record), RL_OK);
        assert_int_equal(rl_summary_add(s, record, 1), RL_OK);
    }
    rl_free(record);
    rl_task_destroy(task);
}

static rl_summary empty_summary(const rl_plan *plan, int grid) {
    const rl_record_layout l = rl_record_layout_of(plan, grid);
    rl_summary s;
    assert_int_equal(rl_summary_create(&s, &l), RL_OK);
    return s;
}

static void assert_same(const rl_summary *a, const rl_summary *b) {
    rl_buckets x = {0}, y = {0};
    assert_memory_equal(a->statuses, b->statuses, (size_t)a->layout.n_sizes * sizeof *a->statuses);
    for (size_t k = 0; k < a->layout.status; k++) {
        assert_int_equal(rl_buckets_list(&x, &a->histograms[k]), RL_OK);
        assert_int_equal(rl_buckets_list(&y, &b->histograms[k]), RL_OK);
        if (!rl_buckets_equal(&x, &y)) fail_msg("the histograms at place %zu differ", k);
    }
    rl_buckets_destroy(&x);
    rl_buckets_destroy(&y);
}

static void every_number_of_a_record_has_a_histogram(void **state) {
    const fixture *f = *state;
    for (int g = 0; g < 3; g++) {
        const rl_record_layout l = rl_record_layout_of(&f->cells.plan, g);
        bool *seen = calloc(l.length, 1);
        for (int i = 0; i < l.n_sizes; i++)
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

static rl_text span_record(rl_task *task, int64_t curve, rl_repeats repeats, const bool *wanted) {
    rl_text record = RL_TEXT_EMPTY;
    if (rl_task_span(task, curve, repeats, wanted, (rl_tick){0}, &record) != RL_OK) fail_msg("%s", rl_error_message());
    return record;
}

static void merge(const rl_text *record, int n_repeats, rl_summary *into) {
    const rl_span span = rl_span_of((const void *)record->bytes, record->length / sizeof(double));
    const rl_packed_summary packed = {.words = (const void *)span.words,
                                      .n_words = span.n_words,
                                      .n_sizes = span.n_sizes,
                                      .n_repeats = n_repeats,
                                      .places = rl_summary_places(&into->layout)};
    int target[8];
    bool sound;
    for (int k = 0; k < span.n_sizes; k++) target[k] = (int)span.sizes[k];
    assert_int_equal(rl_summary_merge(into, &packed, target, &sound), RL_OK);
    assert_true(sound);
}

/* Count by count, however the repeats are cut, side by side or one by one. */
static void a_span_is_the_sum_of_its_records(void **state) {
    const fixture *f = *state;
    const rl_plan *plan = &f->summary.plan;
    rl_task *task;
    assert_int_equal(rl_task_create(plan, NULL, &task), RL_OK);
    assert_true(plan->grids[0].way == RL_WAY_BULK && plan->grids[2].way == RL_WAY_SPECTRA);
    for (int g = 0; g < 3; g++) {
        const int64_t curve = rl_plan_curve(plan, g, 130, 0);
        const rl_curve *c = &plan->curves[curve];
        rl_summary expected = empty_summary(plan, g), whole = empty_summary(plan, g), parts = empty_summary(plan, g);
        add_records(&f->cells.plan, g, (rl_repeats){c->repeat, c->n_repeats}, &expected);
        rl_text record = span_record(task, curve, (rl_repeats){c->repeat, c->n_repeats}, NULL);
        merge(&record, c->n_repeats, &whole);
        assert_same(&whole, &expected);
        rl_free(record.bytes);
        for (int r = c->n_repeats - 1, n; r >= 0; r -= n) { /* from behind, 1, 2, 3, ... of them */
            n = c->n_repeats - r < 4 ? 1 : 3;
            n = n > r + 1 ? r + 1 : n;
            record = span_record(task, curve, (rl_repeats){c->repeat + r + 1 - n, n}, NULL);
            merge(&record, n, &parts);
            rl_free(record.bytes);
        }
        assert_same(&parts, &expected);
        rl_summary_destroy(&expected);
        rl_summary_destroy(&whole);
        rl_summary_destroy(&parts);
    }
    rl_task_destroy(task);
}

static bool some_times(void *state) {
    int *left = state;
    return (*left)-- > 0;
}

/* What is finished when a tick says stop is kept, and what is not is not counted. */
static void a_span_left_in_the_middle_keeps_its_first_repeats(void **state) {
    const fixture *f = *state;
    const rl_plan *plan = &f->summary.plan;
    rl_task *task;
    assert_int_equal(rl_task_create(plan, NULL, &task), RL_OK);
    for (int g = 0; g < 3; g++) {
        const int64_t curve = rl_plan_curve(plan, g, 130, 0);
        const rl_curve *c = &plan->curves[curve];
        rl_text record = RL_TEXT_EMPTY;
        int left = 0;
        assert_int_equal(rl_task_span(task, curve, (rl_repeats){c->repeat, c->n_repeats}, NULL,
                                      (rl_tick){some_times, &left}, &record),
                         RL_STOPPED);
        assert_int_equal(record.length, 0);
        left = 9 * plan->grids[g].n_n_train; /* ticks: one a size, of all lanes or of one repeat */
        const int lanes = g == 2 ? 1 : 8;
        const rl_status status = rl_task_span(task, curve, (rl_repeats){c->repeat, c->n_repeats}, NULL,
                                              (rl_tick){some_times, &left}, &record);
        const rl_span span = rl_span_of((const void *)record.bytes, record.length / sizeof(double));
        assert_int_equal(status, 9 * lanes < c->n_repeats ? RL_STOPPED : RL_OK);
        assert_true(span.repeats.first == c->repeat && span.repeats.n > 0 && span.n_failed == 0);
        rl_summary expected = empty_summary(plan, g), got = empty_summary(plan, g);
        add_records(&f->cells.plan, g, span.repeats, &expected);
        merge(&record, span.repeats.n, &got);
        assert_same(&got, &expected);
        rl_summary_destroy(&expected);
        rl_summary_destroy(&got);
        rl_free(record.bytes);
    }
    rl_task_destroy(task);
}

/* Spectra that fail are counted, and their numbers are not. */
static void failed_spectra_are_counted_alone(void **state) {
    const fixture *f = *state;
    rl_summary s = empty_summary(&f->summary.plan, 0);
    const rl_record_layout l = s.layout;
    double *records;
    assert_int_equal(RL_ALLOC(records, 3 * l.length), RL_OK);
    for (size_t i = 0; i < 3 * l.length; i++) records[i] = 1;
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < l.n_sizes; i++) records[(size_t)r * l.length + l.status + (size_t)i] = RL_CELL_DONE;
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

static void append(rl_journal *journal, rl_task *task, int64_t curve, rl_repeats repeats, const bool *wanted) {
    rl_text record = span_record(task, curve, repeats, wanted);
    if (rl_journal_append(journal, curve, (const void *)record.bytes, record.length / sizeof(double)) != RL_OK)
        fail_msg("%s", rl_error_message());
    rl_free(record.bytes);
}

/* Does all that is missing of a grid, in runs as they come. */
static int complete(rl_journal *journal, const rl_plan *plan, int grid) {
    rl_task *task;
    int runs = 0;
    assert_int_equal(rl_task_create(plan, NULL, &task), RL_OK);
    for (int64_t curve = 0; curve < plan->n_curves; curve++)
        for (int i = 0; plan->curves[curve].grid == grid && i < plan->curves[curve].n_sizes; i++) {
            rl_repeats missing;
            bool wanted[8] = {false};
            wanted[i] = true;
            while (rl_journal_missing_repeats(journal, plan, curve, i, 0, &missing)) {
                append(journal, task, curve, missing, wanted);
                runs++;
            }
        }
    rl_task_destroy(task);
    return runs;
}

static void assert_complete(const rl_plan *plan, rl_journal *journal, int grid) {
    rl_summary expected = empty_summary(plan, grid), got = empty_summary(plan, grid);
    laid_out cells;
    lay_out(&cells, STUDY("200", "cells", "[1, 3, 4, 9]"));
    add_records(&cells.plan, grid, (rl_repeats){0, plan->study->repeats}, &expected);
    for (int64_t curve = 0; curve < plan->n_curves; curve++)
        if (plan->curves[curve].grid == grid) assert_int_equal(rl_journal_merge_summary(journal, curve, &got), RL_OK);
    assert_same(&got, &expected);
    rl_summary_destroy(&expected);
    rl_summary_destroy(&got);
    release(&cells);
}

/* Written in pieces, opened again, and gone on with: nothing is counted twice, and nothing is missing. */
static void the_journal_puts_pieces_together(void **state) {
    const fixture *f = *state;
    const rl_plan *plan = &f->summary.plan;
    rl_task *task;
    rl_journal *journal = open_journal(f, plan);
    const int64_t curve = rl_plan_curve(plan, 0, 140, 0);
    const rl_curve *c = &plan->curves[curve];
    const bool second[] = {false, true, false, false};
    assert_int_equal(rl_task_create(plan, NULL, &task), RL_OK);
    append(journal, task, curve, (rl_repeats){c->repeat + 2, 3}, NULL);
    append(journal, task, curve, (rl_repeats){c->repeat, 1}, second);
    rl_task_destroy(task);
    for (int again = 0; again < 2; again++) {
        rl_repeats missing;
        assert_true(rl_journal_missing_repeats(journal, plan, curve, 1, 0, &missing));
        assert_true(missing.first == c->repeat + 1 && missing.n == 1);
        assert_true(rl_journal_missing_repeats(journal, plan, curve, 0, 0, &missing));
        assert_true(missing.first == c->repeat && missing.n == 2);
        assert_true(rl_journal_missing_repeats(journal, plan, curve, 1, c->repeat + 2, &missing));
        assert_true(missing.first == c->repeat + 5 && missing.n == c->n_repeats - 5);
        const rl_tally t = rl_journal_tally(journal, plan, 0);
        assert_int_equal(t.spectra_done, 3 * 4 + 1);
        assert_int_equal(t.curves, 150);
        assert_int_equal(t.curves_done, 3);
        assert_int_equal(t.curves_begun, 1);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        journal = open_journal(f, plan);
    }
    assert_true(complete(journal, plan, 0) > 0);
    assert_complete(plan, journal, 0);
    assert_int_equal(rl_journal_tally(journal, plan, 0).spectra_missing, 0);
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
    rl_repeats missing;
    rl_journal *journal = open_journal(f, &f->summary.plan);
    complete(journal, &f->summary.plan, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);

    lay_out(&more, STUDY("200", "summary", "[1, 3, 4, 9]"));
    journal = open_journal(f, &more.plan);
    const int64_t cut = rl_plan_curve(&more.plan, 1, 149, 0);
    assert_true(more.plan.curves[cut].repeat + more.plan.curves[cut].n_repeats > 150);
    assert_true(rl_journal_missing_repeats(journal, &more.plan, cut, 0, 0, &missing) && missing.first == 150);
    assert_int_equal(rl_journal_tally(journal, &more.plan, 1).spectra_missing, 50 * 4);
    complete(journal, &more.plan, 1);
    assert_complete(&more.plan, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);

    lay_out(&wider, STUDY("200", "summary", "[1, 3, 4, 7, 9]"));
    journal = open_journal(f, &wider.plan);
    assert_int_equal(rl_journal_tally(journal, &wider.plan, 1).spectra_missing, 200);
    assert_false(rl_journal_missing_repeats(journal, &wider.plan, cut, 2, 0, &missing));
    assert_true(rl_journal_missing_repeats(journal, &wider.plan, cut, 3, 0, &missing));
    assert_int_equal(rl_journal_close(journal), RL_OK);

    lay_out(&fewer, STUDY("140", "summary", "[1, 3, 4, 9]"));
    journal = open_journal(f, &fewer.plan);
    const int64_t last = rl_plan_curve(&fewer.plan, 1, 139, 0);
    const int n_last = fewer.plan.curves[last].n_repeats;
    assert_int_equal(rl_journal_tally(journal, &fewer.plan, 1).spectra_missing, 4 * n_last);
    complete(journal, &fewer.plan, 1);
    assert_complete(&fewer.plan, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);

    journal = open_journal(f, &more.plan);
    assert_int_equal(rl_journal_tally(journal, &more.plan, 1).spectra_missing, 0);
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
    double values[MOST], scratch[MOST];
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
        cmocka_unit_test_setup_teardown(every_number_of_a_record_has_a_histogram, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_span_is_the_sum_of_its_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_span_left_in_the_middle_keeps_its_first_repeats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_spectra_are_counted_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_journal_puts_pieces_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_repeats_and_sizes_go_on, set_up, tear_down),
        cmocka_unit_test(statistics_are_within_the_stated_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
