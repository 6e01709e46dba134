/* What tests of journals and results files share: a plan made by hand (no study file and no data set is read), curves
 * with numbers to recognize, and a folder to write to. */
#ifndef RL_TEST_HAND_PLAN_H
#define RL_TEST_HAND_PLAN_H

#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ridgeless/journal.h"
#include "ridgeless/results.h"
#include "unit.h"

/* ---- a plan made by hand ----------------------------------------------------------------------------------------- */

enum { REPEATS = 5, MAX_TASKS = 2 * 64, PATH_LENGTH = 256 };

static const rl_ablation none = {.name = "none", .summary = "as it is"};
static const rl_ablation cutoff = {
    .name = "cutoff", .summary = "no small ones", .parameter = RL_PARAMETER_POSITIVE, .leaves_modes_out = true};
extern const rl_kind rl_curves_kind;
static const rl_source table = {.name = "table", .summary = "rows from nowhere"};

typedef struct fixture {
    char folder[PATH_LENGTH], output[PATH_LENGTH], journal_file[PATH_LENGTH];
    rl_study study;
    rl_study_dataset specs[2];
    rl_variant variants[2][3];
    rl_series series[2];
    int p[2], n[2][4];
    bool full[2][4];
    double beta_star[2][3];
    rl_task tasks[MAX_TASKS];
    rl_plan plan;
} fixture;

static inline char *text_of(const char *text) {
    char *copy;
    assert_int_equal(rl_strdup(&copy, text), RL_OK);
    return copy;
}

/* Each (P, repeat) cut into one task, or into one for each N. */
static inline void cut_tasks(fixture *f, bool apart) {
    int64_t n = 0;
    for (int s = 0; s < f->plan.n_series; s++) {
        const int parts = apart ? f->series[s].n_n_train : 1, n_train = f->series[s].n_n_train / parts;
        f->series[s].first_task = n;
        f->series[s].n_parts = parts;
        for (int r = 0; r < f->study.repeats; r++)
            for (int i = 0; i < parts; i++)
                f->tasks[n++] = (rl_task){.series = s, .repeats = {r, 1}, .n_train = {i * n_train, n_train}};
    }
    f->plan.n_tasks = n;
}

static inline void lay_out_tasks(fixture *f) {
    cut_tasks(f, false);
}

static inline rl_variant variant(const rl_ablation *ablation, double parameter, const char *label) {
    return (rl_variant){.ablation = ablation, .parameter = parameter, .label = text_of(label)};
}

/* alpha: P = 3, N = 1, 2, 3, 5, known rows; beta: P = 2, N = 1, 2, 4, fresh rows, so with population errors. */
static inline void fill_plan(fixture *f) {
    f->variants[0][0] = variant(&none, NAN, "none");
    f->variants[0][1] = variant(&cutoff, 0.5, "cutoff=0.5");
    f->variants[0][2] = variant(&cutoff, 0.25, "cutoff=0.25");
    f->variants[1][0] = variant(&none, NAN, "none");
    memcpy(f->p, (int[]){3, 2}, sizeof f->p);
    memcpy(f->n[0], (int[]){1, 2, 3, 5}, sizeof f->n[0]);
    memcpy(f->n[1], (int[]){1, 2, 4}, 3 * sizeof(int));
    memcpy(f->beta_star[0], (double[]){0.5, -2, 1e-3}, sizeof f->beta_star[0]);
    memcpy(f->beta_star[1], (double[]){7, 8}, 2 * sizeof(double));
    static double unit[] = {1, 1}, targets[20] = {3, -1}; /* mean 0.1, mean square 0.5 */
    for (int s = 0; s < 2; s++) {
        f->specs[s] = (rl_study_dataset){.name = text_of(s == 0 ? "alpha" : "beta"),
                                         .source = &table,
                                         .n_train = {.values = f->n[s], .n_values = s == 0 ? 4 : 3, .around = -1},
                                         .variants = f->variants[s],
                                         .n_variants = s == 0 ? 3 : 1,
                                         .keep = {.cells = true, .modes = true, .directions = s == 1},
                                         .producer = RL_PRODUCER_LAPACK};
        f->series[s] = (rl_series){
            .study = &f->study,
            .kind = &rl_curves_kind,
            .name = f->specs[s].name,
            .spec = &f->specs[s],
            .n_features = f->p[s],
            .checksum = 0x0123456789abcdef + (uint64_t)s,
            .data =
                {.name = f->specs[s].name,
                 .origin = f->specs[s].name,
                 .n_rows = 20 + s,
                 .n_features = f->p[s],
                 .n_inputs = f->p[s],
                 .source = rl_source_find("student-teacher"),
                 .n_dropped = s,
                 .y = s == 0 ? targets : NULL,
                 .beta_star = f->beta_star[s],
                 .fresh = s == 1,
                 .teacher = {.n_hidden = 2, .noise = 0.5, .beta = f->beta_star[1], .scale = unit, .isotropic = true},
                 .checksum = 0x0123456789abcdef + (uint64_t)s},
            .n_train = f->n[s],
            .n_n_train = s == 0 ? 4 : 3,
            .full = f->full[s],
            .longest_span = 1,
            .max_modes = f->p[s]};
    }
    f->study = (rl_study){.path = text_of("hand.yaml"),
                          .text = text_of("repeats: 5\n# \xc3\xa9 \"quoted\"\n"),
                          .title = text_of("made by hand"),
                          .seed = 42,
                          .repeats = REPEATS,
                          .datasets = f->specs,
                          .n_datasets = 2};
    f->plan = (rl_plan){.study = &f->study, .series = f->series, .n_series = 2, .tasks = f->tasks};
    for (int s = 0; s < 2; s++) assert_int_equal(rl_curves_kind.lay_out(&f->series[s]), RL_OK);
    lay_out_tasks(f);
}

static inline int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    const char *base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    snprintf(f->folder, 200, "%.180s/rl-results-XXXXXX", base);
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->output, sizeof f->output, "%.200s/out.nc", f->folder);
    snprintf(f->journal_file, sizeof f->journal_file, "%.200s/out.nc.journal", f->folder);
    fill_plan(f);
    rl_log_configure(RL_LOG_QUIET, true);
    *state = f;
    return 0;
}

static inline int tear_down(void **state) {
    fixture *f = *state;
    char pattern[PATH_LENGTH + 8];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/*", f->folder);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (unlink(found.gl_pathv[i]) != 0) rmdir(found.gl_pathv[i]);
        globfree(&found);
    }
    rmdir(f->folder);
    for (int s = 0; s < 2; s++) {
        for (int v = 0; v < f->specs[s].n_variants; v++) rl_free(f->variants[s][v].label);
        rl_free(f->specs[s].name);
    }
    rl_free(f->study.path);
    rl_free(f->study.text);
    rl_free(f->study.title);
    free(f);
    return 0;
}

/* ---- curves and files -------------------------------------------------------------------------------------------- */

static inline const rl_series *series_of(const fixture *f, int64_t task) {
    return &f->series[f->tasks[task].series];
}

static inline rl_curve_layout layout_of(const fixture *f, int64_t task) {
    return rl_curve_layout_of(series_of(f, task));
}

/* Numbers with full mantissas in (0.5, 2.5), another for each (dataset, repeat, place); every spectrum done. */
static inline double *make_curve(const fixture *f, int64_t task) {
    const rl_curve_layout l = layout_of(f, task);
    double *curve;
    assert_int_equal(RL_ALLOC(curve, l.length), RL_OK);
    for (size_t i = 0; i < l.length; i++) {
        const uint64_t key = (uint64_t)f->tasks[task].series << 40 | (uint64_t)f->tasks[task].repeats.first << 20 | i;
        const uint64_t bits = (key + 1) * 0x9e3779b97f4a7c15u;
        curve[i] = 0.5 + (double)((bits ^ bits >> 29) >> 11) * 0x1p-52;
    }
    for (int i = 0; i < l.n_n_train; i++) {
        curve[l.status + (size_t)i] = RL_CELL_DONE;
        curve[l.rank + (size_t)i] = 1 + i % 2;
    }
    return curve;
}

/* N i of a curve is one that was not computed, or not with success. */
static inline void set_status(const fixture *f, int64_t task, double *curve, int i, rl_cell_status status) {
    const rl_curve_layout l = layout_of(f, task);
    if (status == RL_CELL_MISSING) rl_curve_clear(&l, i, curve);
    curve[l.status + (size_t)i] = status;
}

static inline rl_journal *open_journal(const fixture *f, bool read_only) {
    rl_journal *journal = NULL;
    if (rl_journal_open(f->output, &f->plan, read_only, &journal) != RL_OK) fail_msg("%s", rl_error_message());
    return journal;
}

/* Appends the N of a curve that are not missing. */
static inline rl_status try_to_append(const fixture *f, rl_journal *journal, int64_t task, const double *curve) {
    char *room;
    assert_int_equal(RL_ALLOC(room, rl_curve_record_bytes(series_of(f, task))), RL_OK);
    const rl_record record = rl_curve_record(series_of(f, task), &f->tasks[task], curve, room);
    const rl_status status = rl_journal_append(journal, task, &record);
    rl_free(room);
    return status;
}

static inline void append_numbers(const fixture *f, rl_journal *journal, int64_t task, const double *curve) {
    if (try_to_append(f, journal, task, curve) != RL_OK) fail_msg("%s", rl_error_message());
}

static inline void append_curve(const fixture *f, rl_journal *journal, int64_t task) {
    double *curve = make_curve(f, task);
    append_numbers(f, journal, task, curve);
    rl_free(curve);
}

/* Where what the journal has of a curve is put together. */
typedef struct gathered {
    const rl_series *series;
    rl_curve_layout layout;
    double *curve; /* NULL: nothing is there */
} gathered;

static inline rl_status gather_record(void *state, const rl_record *record, const int *target) {
    gathered *g = state;
    rl_curve_layout from;
    double *values;
    bool sound;
    assert_int_equal(rl_curve_of_record(g->series, record, &from, &values, &sound), RL_OK);
    assert_true(sound);
    if (g->curve == NULL) {
        assert_int_equal(RL_ALLOC(g->curve, g->layout.length), RL_OK);
        for (int i = 0; i < g->layout.n_n_train; i++) rl_curve_clear(&g->layout, i, g->curve);
    }
    for (int k = 0; k < record->n; k++)
        if (target[k] >= 0) rl_curve_copy(&from, values, k, NULL, &g->layout, g->curve, target[k]);
    rl_free(values);
    return RL_OK;
}

/* *curve: what there is of a task, missing where an N is, the caller's; NULL when nothing is there. */
static inline rl_status read_curve(const fixture *f, const rl_journal *journal, int64_t task, double **curve) {
    gathered g = {.series = series_of(f, task), .layout = layout_of(f, task)};
    const rl_status status = rl_journal_visit(journal, task, gather_record, &g);
    *curve = g.curve;
    return status;
}

static inline void assert_curve_is(const fixture *f, const rl_journal *journal, int64_t task, const double *expected) {
    double *curve;
    if (read_curve(f, journal, task, &curve) != RL_OK) fail_msg("%s", rl_error_message());
    if (expected == NULL) {
        assert_null(curve);
        return;
    }
    assert_non_null(curve);
    assert_memory_equal(curve, expected, layout_of(f, task).length * sizeof *curve);
    rl_free(curve);
}

static inline void assert_has_curve(const fixture *f, const rl_journal *journal, int64_t task) {
    double *expected = make_curve(f, task);
    assert_curve_is(f, journal, task, expected);
    rl_free(expected);
}

/* Curves of which nothing is missing. */
static inline int64_t count_curves(const fixture *f, const rl_journal *journal) {
    return rl_journal_tally(journal, &f->plan, 0, f->plan.n_series).done;
}

/* A journal of curves 0 ... n-1, closed. */
static inline void write_journal(const fixture *f, int64_t n) {
    rl_journal *journal = open_journal(f, false);
    for (int64_t i = 0; i < n; i++) append_curve(f, journal, i);
    assert_int_equal(rl_journal_close(journal), RL_OK);
}

static inline rl_text content_of(const char *path) {
    rl_text content = RL_TEXT_EMPTY;
    if (rl_read_file(path, (size_t)1 << 30, &content) != RL_OK) fail_msg("%s", rl_error_message());
    return content;
}

static inline void write_file(const char *path, const void *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void assert_file_is(const char *path, const rl_text *expected) {
    rl_text content = content_of(path);
    assert_int_equal(content.length, expected->length);
    assert_memory_equal(content.bytes, expected->bytes, expected->length);
    rl_free(content.bytes);
}

static inline void assert_message_has(const char *part) {
    if (strstr(rl_error_message(), part) == NULL) fail_msg("`%s` is not in: %s", part, rl_error_message());
}

static inline size_t size_of(const char *path) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}

static inline void assert_refused(const fixture *f, bool read_only, const char *message) {
    rl_journal *journal = NULL;
    assert_int_equal(rl_journal_open(f->output, &f->plan, read_only, &journal), RL_ERR_INPUT);
    assert_null(journal);
    assert_message_has(f->journal_file);
    assert_message_has(message);
}

#endif
