/* What tests of journals and results files share: a plan made by hand (no study file and no data set is read), records
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

#include "ridgeless/results.h"
#include "unit.h"

/* ---- a plan made by hand ----------------------------------------------------------------------------------------- */

enum { REPEATS = 5, MAX_CURVES = 2 * 64, PATH_LENGTH = 256 };

static const rl_ablation none = {.name = "none", .summary = "as it is"};
static const rl_ablation cutoff = {.name = "cutoff", .summary = "no small ones", .parameter = RL_PARAMETER_POSITIVE};
static const rl_source table = {.name = "table", .summary = "rows from nowhere"};

typedef struct fixture {
    char folder[PATH_LENGTH], output[PATH_LENGTH], journal_file[PATH_LENGTH];
    rl_study study;
    rl_study_dataset specs[2];
    rl_variant variants[2][3];
    rl_grid grids[2];
    int p[2], n[2][4];
    double beta_star[2][3];
    rl_curve curves[MAX_CURVES];
    rl_plan plan;
} fixture;

static inline char *text_of(const char *text) {
    char *copy;
    assert_int_equal(rl_strdup(&copy, text), RL_OK);
    return copy;
}

/* Each (P, repeat) cut into one curve, or into one for each N. */
static inline void cut_curves(fixture *f, bool apart) {
    int64_t n = 0;
    for (int g = 0; g < f->plan.n_grids; g++) {
        const int parts = apart ? f->grids[g].n_n_train : 1, sizes = f->grids[g].n_n_train / parts;
        f->grids[g].first_curve = n;
        f->grids[g].n_parts = parts;
        for (int r = 0; r < f->study.repeats; r++)
            for (int i = 0; i < parts; i++)
                f->curves[n++] =
                    (rl_curve){.grid = g, .repeat = r, .first_size = i * sizes, .n_sizes = sizes, .n_repeats = 1};
    }
    f->plan.n_curves = n;
}

static inline void lay_out_curves(fixture *f) {
    cut_curves(f, false);
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
    static double unit[] = {1, 1};
    for (int g = 0; g < 2; g++) {
        f->specs[g] = (rl_study_dataset){.name = text_of(g == 0 ? "alpha" : "beta"),
                                         .source = &table,
                                         .n_train = {.values = f->n[g], .n_values = g == 0 ? 4 : 3, .around = -1},
                                         .variants = f->variants[g],
                                         .n_variants = g == 0 ? 3 : 1,
                                         .keep = {.cells = true, .modes = true, .directions = g == 1}};
        f->grids[g] = (rl_grid){
            .spec = &f->specs[g],
            .data =
                {.name = f->specs[g].name,
                 .origin = f->specs[g].name,
                 .n_rows = 20 + g,
                 .n_features = f->p[g],
                 .n_inputs = f->p[g],
                 .source = rl_source_find("student-teacher"),
                 .n_dropped = g,
                 .beta_star = f->beta_star[g],
                 .fresh = g == 1,
                 .teacher = {.n_hidden = 2, .noise = 0.5, .beta = f->beta_star[1], .scale = unit, .isotropic = true},
                 .checksum = 0x0123456789abcdef + (uint64_t)g},
            .n_train = f->n[g],
            .n_n_train = g == 0 ? 4 : 3,
            .max_modes = f->p[g]};
    }
    f->study = (rl_study){.path = text_of("hand.yaml"),
                          .text = text_of("repeats: 5\n# \xc3\xa9 \"quoted\"\n"),
                          .title = text_of("made by hand"),
                          .seed = 42,
                          .repeats = REPEATS,
                          .datasets = f->specs,
                          .n_datasets = 2};
    f->plan = (rl_plan){.study = &f->study, .grids = f->grids, .n_grids = 2, .curves = f->curves};
    lay_out_curves(f);
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
    for (int g = 0; g < 2; g++) {
        for (int v = 0; v < f->specs[g].n_variants; v++) rl_free(f->variants[g][v].label);
        rl_free(f->specs[g].name);
    }
    rl_free(f->study.path);
    rl_free(f->study.text);
    rl_free(f->study.title);
    free(f);
    return 0;
}

/* ---- records and files ------------------------------------------------------------------------------------------- */

static inline int grid_of(const fixture *f, int64_t curve) {
    return f->curves[curve].grid;
}

static inline size_t record_length(const fixture *f, int64_t curve) {
    return rl_record_layout_of(&f->plan, grid_of(f, curve)).length;
}

/* Numbers with full mantissas in (0.5, 2.5), another for each (dataset, repeat, place); every spectrum done. */
static inline double *make_record(const fixture *f, int64_t curve) {
    const rl_record_layout l = rl_record_layout_of(&f->plan, grid_of(f, curve));
    double *record;
    assert_int_equal(RL_ALLOC(record, l.length), RL_OK);
    for (size_t i = 0; i < l.length; i++) {
        const uint64_t key = (uint64_t)grid_of(f, curve) << 40 | (uint64_t)f->curves[curve].repeat << 20 | i;
        const uint64_t bits = (key + 1) * 0x9e3779b97f4a7c15u;
        record[i] = 0.5 + (double)((bits ^ bits >> 29) >> 11) * 0x1p-52;
    }
    for (int i = 0; i < l.n_sizes; i++) {
        record[l.status + (size_t)i] = RL_CELL_DONE;
        record[l.rank + (size_t)i] = 1 + i % 2;
    }
    return record;
}

/* Size i of a record is one that was not computed, or not with success. */
static inline void set_status(const fixture *f, int64_t curve, double *record, int i, rl_cell_status status) {
    const rl_record_layout l = rl_record_layout_of(&f->plan, grid_of(f, curve));
    if (status == RL_CELL_MISSING) rl_record_clear(&l, i, record);
    record[l.status + (size_t)i] = status;
}

static inline rl_journal *open_journal(const fixture *f, bool read_only) {
    rl_journal *journal = NULL;
    if (rl_journal_open(f->output, &f->plan, read_only, &journal) != RL_OK) fail_msg("%s", rl_error_message());
    return journal;
}

static const double *record_of(rl_journal *journal, int64_t curve) {
    const double *record;
    if (rl_journal_record(journal, curve, &record) != RL_OK) fail_msg("%s", rl_error_message());
    return record;
}

static inline void append_curve(const fixture *f, rl_journal *journal, int64_t curve) {
    double *record = make_record(f, curve);
    assert_int_equal(rl_journal_append(journal, curve, record, record_length(f, curve)), RL_OK);
    rl_free(record);
}

static inline void assert_has_curve(const fixture *f, rl_journal *journal, int64_t curve) {
    const double *stored = record_of(journal, curve);
    double *expected = make_record(f, curve);
    assert_non_null(stored);
    assert_memory_equal(stored, expected, record_length(f, curve) * sizeof(double));
    rl_free(expected);
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
