/* Trainings of autoencoders from the study file to the plan, and in journal and results file. */
#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "ridgeless/results.h"
#include "unit.h"

enum { PATH = 256, N_TRAININGS = 12, HEAD = 56 };

static const char text[] =
    "seed: 5\nrepeats: 2\nautoencoders:\n"
    "  - {name: a, n_features: 6, sparsity: 0.5, hidden: [2, 1], n_train: [3, 1], steps: 450, n_test: 7}\n"
    "  - {name: b, n_features: 4, sparsity: 0.25, hidden: 3, n_train: {range: [2, 3]}, steps: 7, schedule: constant,\n"
    "     warm_up: 0, learning_rate: 0.5, weight_decay: 0, record_every: 4, ranks_per_case: all,\n"
    "     epsilon: 1e-7, loss: mean, initialization: uniform}\n";

typedef struct fixture {
    char folder[PATH], output[PATH], journal_file[PATH];
    rl_study study;
    rl_plan plan;
} fixture;

static void make_plan(const char *from, rl_study *study, rl_plan *plan) {
    if (rl_study_parse("study.yaml", from, study) != RL_OK) fail_msg("%s", rl_error_message());
    assert_int_equal(rl_plan_create_with(study, NULL, 0, NULL, plan), RL_OK);
}

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    rl_log_configure(RL_LOG_QUIET, false);
    snprintf(f->folder, PATH, "/tmp/ridgeless-trainings-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->output, PATH, "%.200s/s.nc", f->folder);
    snprintf(f->journal_file, PATH, "%.200s/s.nc.journal", f->folder);
    make_plan(text, &f->study, &f->plan);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    unlink(f->output);
    unlink(f->journal_file);
    assert_int_equal(rmdir(f->folder), 0);
    rl_plan_destroy(&f->plan);
    rl_study_destroy(&f->study);
    free(f);
    return 0;
}

/* ---- study and plan ---------------------------------------------------------------------------------------------- */

static void an_autoencoder_is_read(void **state) {
    const fixture *f = *state;
    const rl_study_autoencoder *a = &f->study.autoencoders[0], *b = &f->study.autoencoders[1];
    assert_int_equal(f->study.n_autoencoders, 2);
    assert_int_equal(f->study.n_datasets, 0);
    assert_string_equal(a->name, "a");
    assert_int_equal(a->line, 4);
    assert_int_equal(a->hidden[0] * 10 + a->hidden[1], 12);
    assert_true(a->model.warm_up == 0.05 && a->model.schedule == RL_LEARNING_COSINE && a->model.learning_rate == 1e-3);
    assert_true(a->model.weight_decay == 1e-2 && a->model.record_every == 4 && a->model.n_test == 7);
    assert_true(a->checkpoint_seconds == 30 && a->ranks_per_case == RL_RANKS_AUTO);
    assert_true(b->model.schedule == RL_LEARNING_CONSTANT && b->model.sparsity == 0.25 && b->model.n_test == 2000);
    assert_true(a->model.loss == RL_LOSS_SUM && a->model.epsilon == 1e-8);
    assert_true(a->model.initialization == RL_START_NORMAL);
    assert_true(b->model.loss == RL_LOSS_MEAN && b->model.epsilon == 1e-7);
    assert_true(b->model.initialization == RL_START_UNIFORM);
    assert_true(b->model.learning_rate == 0.5 && b->model.weight_decay == 0 && b->ranks_per_case == RL_RANKS_ALL);
    assert_int_equal(b->n_train.n_values, 2);
}

/* The task of a training: they are numbered m by m, T by T, repeat by repeat. */
static int64_t task_of(const rl_plan *plan, int training) {
    const int repeats = plan->study->repeats;
    int s = 0;
    for (; training >= repeats * plan->series[s].n_n_train; s++) training -= repeats * plan->series[s].n_n_train;
    return rl_plan_task(plan, s, training % repeats, training / repeats);
}

static rl_autoencoder model_of(const rl_plan *plan, int training) {
    const rl_task *task = &plan->tasks[task_of(plan, training)];
    return rl_training_model(&plan->series[task->series], task->n_train.first);
}

static void trainings_are_in_order(void **state) {
    const fixture *f = *state;
    char what[100];
    assert_int_equal(f->plan.n_tasks, N_TRAININGS);
    assert_int_equal(f->plan.n_series, 3); /* a at m = 1 and 2, b */
    assert_int_equal(f->plan.n_datasets, 0);
    const int expected[N_TRAININGS][4] = {{6, 1, 1, 0}, {6, 1, 1, 1}, {6, 1, 3, 0}, {6, 1, 3, 1},
                                          {6, 2, 1, 0}, {6, 2, 1, 1}, {6, 2, 3, 0}, {6, 2, 3, 1},
                                          {4, 3, 2, 0}, {4, 3, 2, 1}, {4, 3, 3, 0}, {4, 3, 3, 1}};
    for (int i = 0; i < N_TRAININGS; i++) {
        const rl_autoencoder model = model_of(&f->plan, i);
        const rl_task *task = &f->plan.tasks[task_of(&f->plan, i)];
        const int got[4] = {model.n_features, model.n_hidden, model.n_train, task->repeats.first};
        assert_memory_equal(got, expected[i], sizeof got);
        assert_int_equal(task->n_train.n * task->repeats.n, 1);
    }
    rl_plan_text(&f->plan, task_of(&f->plan, 6), what, sizeof what);
    assert_string_equal(what, "`a`, m = 2, T = 3, repeat 0");
    assert_true(rl_predict_task(&f->plan, task_of(&f->plan, 6), 1, &rl_rates_default).seconds > 0);
}

static void some_autoencoders_can_be_chosen(void **state) {
    const fixture *f = *state;
    const bool wanted[] = {false, true};
    rl_plan plan;
    assert_int_equal(rl_plan_create_with(&f->study, NULL, 0, wanted, &plan), RL_OK);
    assert_int_equal(plan.n_tasks, 4);
    assert_string_equal(plan.series[0].name, "b");
    rl_plan_destroy(&plan);
    assert_int_equal(rl_find_autoencoder(&f->study, "b"), 1);
    assert_int_equal(rl_find_autoencoder(&f->study, "c"), -1);
}

static void settings_leave_out_what_each_training_stands_without(void **state) {
    const fixture *f = *state;
    rl_text settings = RL_TEXT_EMPTY;
    assert_int_equal(rl_study_settings(&f->study, &settings), RL_OK);
    const char *const there[] = {"\na/source: autoencoder\n",  "\na/n_features: 6\n",      "\na/record_every: 4\n",
                                 "\na/schedule: \"cosine\"\n", "\nb/learning_rate: 0.5\n", "\na/shared trainings: no\n",
                                 "\nb/shared trainings: yes\n"};
    for (size_t i = 0; i < sizeof there / sizeof *there; i++) assert_non_null(strstr(settings.bytes, there[i]));
    assert_null(strstr(settings.bytes, "hidden"));
    assert_null(strstr(settings.bytes, "n_train"));
    assert_null(strstr(settings.bytes, "checkpoint"));
    rl_free(settings.bytes);
}

static void the_studies_that_ship_can_be_planned(void **state) {
    (void)state;
    static const char *const files[] = {"autoencoder.yaml", "autoencoder-published.yaml"};
    const char *root = getenv("RIDGELESS_SOURCE_ROOT");
    if (root == NULL) skip();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[4096];
        rl_text content = RL_TEXT_EMPTY;
        rl_study study;
        rl_plan plan;
        snprintf(path, sizeof path, "%s/jobs/%s", root, files[i]);
        assert_int_equal(rl_read_file(path, RL_STUDY_FILE_LIMIT, &content), RL_OK);
        make_plan(content.bytes, &study, &plan);
        assert_int_equal(plan.n_tasks, i == 0 ? 170 : 63);
        rl_plan_destroy(&plan);
        rl_study_destroy(&study);
        rl_free(content.bytes);
    }
}

/* ---- journal ----------------------------------------------------------------------------------------------------- */

static rl_journal *open_journal(const fixture *f, const rl_plan *plan, bool read_only) {
    rl_journal *journal;
    if (rl_journal_open(f->output, plan, read_only, &journal) != RL_OK) fail_msg("%s", rl_error_message());
    return journal;
}

static size_t record_length(const rl_plan *plan, int training) {
    const rl_autoencoder model = model_of(plan, training);
    return rl_training_layout_of(&model).length;
}

static size_t state_length(const rl_plan *plan, int training) {
    const rl_autoencoder model = model_of(plan, training);
    return rl_training_state_length(&model);
}

/* Numbers to recognize, behind the first one. */
static double *numbers(size_t length, double first, double base) {
    double *values;
    assert_int_equal(RL_ALLOC(values, length), RL_OK);
    for (size_t i = 1; i < length; i++) values[i] = base + (double)i / 1024;
    values[0] = first;
    return values;
}

static void append_numbers(const rl_plan *plan, rl_journal *journal, int training, int step, int outcome,
                           double *values, size_t length) {
    const int64_t task = task_of(plan, training);
    const rl_outcome one = {model_of(plan, training).n_train, outcome};
    const rl_record record = {.repeats = plan->tasks[task].repeats,
                              .n = 1,
                              .outcomes = &one,
                              .step = step,
                              .content = values,
                              .length = length * sizeof *values};
    assert_int_equal(rl_journal_append(journal, task, &record), RL_OK);
    rl_free(values);
}

static void append_record(const rl_plan *plan, rl_journal *journal, int training, int status) {
    const size_t length = record_length(plan, training);
    append_numbers(plan, journal, training, RL_FINISHED, status, numbers(length, status, training), length);
}

static void append_state(const rl_plan *plan, rl_journal *journal, int training, int step) {
    const size_t length = state_length(plan, training);
    append_numbers(plan, journal, training, step, 0, numbers(length, step, 100.0 * step), length);
}

static rl_training_status status_of(const rl_journal *journal, const rl_plan *plan, int training) {
    bool there;
    const int outcome = rl_journal_outcome(journal, task_of(plan, training), 0, &there);
    return there ? (rl_training_status)outcome : RL_TRAINING_MISSING;
}

static int step_of(const rl_journal *journal, const rl_plan *plan, int training) {
    return rl_journal_step(journal, task_of(plan, training));
}

/* What a task's only record is to hold. */
typedef struct held {
    const double *values;
    size_t length;
    int n; /* records seen */
} held;

static rl_status compare_record(void *state, const rl_record *record, const int *target) {
    held *h = state;
    h->n++;
    assert_int_equal(target[0], 0);
    assert_int_equal(record->length, h->length * sizeof *h->values);
    assert_memory_equal(record->content, h->values, record->length);
    return RL_OK;
}

static void assert_holds(const rl_journal *journal, const rl_plan *plan, int training, size_t length, double first,
                         double base) {
    double *expected = numbers(length, first, base);
    held h = {expected, length, 0};
    assert_int_equal(rl_journal_visit(journal, task_of(plan, training), compare_record, &h), RL_OK);
    assert_int_equal(h.n, 1);
    rl_free(expected);
}

static void the_last_of_a_training_counts(void **state) {
    const fixture *f = *state;
    rl_journal *journal = open_journal(f, &f->plan, false);
    append_state(&f->plan, journal, 3, 100);
    append_state(&f->plan, journal, 9, 2);
    append_state(&f->plan, journal, 3, 200);
    append_record(&f->plan, journal, 6, RL_TRAINING_DONE);
    append_state(&f->plan, journal, 5, 1);
    append_record(&f->plan, journal, 5, RL_TRAINING_DIVERGED);
    for (int again = 0; again < 3; again++) {
        assert_int_equal(step_of(journal, &f->plan, 3), 200);
        assert_int_equal(step_of(journal, &f->plan, 9), 2);
        assert_int_equal(step_of(journal, &f->plan, 6), -1);
        assert_int_equal(step_of(journal, &f->plan, 0), -1);
        assert_int_equal(status_of(journal, &f->plan, 6), RL_TRAINING_DONE);
        assert_int_equal(status_of(journal, &f->plan, 5), RL_TRAINING_DIVERGED);
        assert_int_equal(status_of(journal, &f->plan, 3), RL_TRAINING_MISSING);
        assert_holds(journal, &f->plan, 3, state_length(&f->plan, 3), 200, 20000);
        assert_holds(journal, &f->plan, 6, record_length(&f->plan, 6), RL_TRAINING_DONE, 6);
        const rl_tally a = rl_journal_tally(journal, &f->plan, 0, 2), all = rl_journal_tally(journal, &f->plan, 0, 3);
        assert_int_equal(a.points * 1000 + a.points_done * 100 + a.points_failed * 10 + a.begun, 8111);
        assert_int_equal(a.pieces * 100 + a.done, 802);
        assert_int_equal(all.points - all.points_missing, 2);
        assert_int_equal(all.begun, 2);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        journal = open_journal(f, &f->plan, again == 0);
    }
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(status_of(NULL, &f->plan, 3), RL_TRAINING_MISSING);
    assert_int_equal(step_of(NULL, &f->plan, 3), -1);
}

static rl_text content_of(const char *path) {
    rl_text content = RL_TEXT_EMPTY;
    assert_int_equal(rl_read_file(path, 1 << 24, &content), RL_OK);
    return content;
}

static void write_file(const char *path, const char *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* Killed after any number of bytes of the last state: the one before it is there, and work goes on. */
static void a_torn_state_leaves_the_one_before(void **state) {
    const fixture *f = *state;
    rl_journal *journal = open_journal(f, &f->plan, false);
    append_state(&f->plan, journal, 8, 3);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_text before = content_of(f->journal_file);
    journal = open_journal(f, &f->plan, false);
    append_state(&f->plan, journal, 8, 5);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_text whole = content_of(f->journal_file);
    for (size_t length = before.length; length < whole.length; length++) {
        write_file(f->journal_file, whole.bytes, length);
        journal = open_journal(f, &f->plan, false);
        assert_int_equal(step_of(journal, &f->plan, 8), 3);
        assert_holds(journal, &f->plan, 8, state_length(&f->plan, 8), 3, 300);
        append_state(&f->plan, journal, 8, 5);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        rl_text again = content_of(f->journal_file);
        assert_int_equal(again.length, whole.length);
        assert_memory_equal(again.bytes, whole.bytes, whole.length);
        rl_free(again.bytes);
    }
    rl_free(before.bytes);
    rl_free(whole.bytes);
}

/* A bit flipped in every byte of the first of two records in turn: the other one stays. */
static void a_damaged_record_costs_itself_alone(void **state) {
    const fixture *f = *state;
    assert_int_equal(rl_journal_close(open_journal(f, &f->plan, false)), RL_OK);
    rl_text empty = content_of(f->journal_file);
    rl_journal *journal = open_journal(f, &f->plan, false);
    append_record(&f->plan, journal, 8, RL_TRAINING_DONE);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_text one = content_of(f->journal_file);
    journal = open_journal(f, &f->plan, false);
    append_state(&f->plan, journal, 9, 4);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_text both = content_of(f->journal_file);
    for (size_t at = empty.length; at < one.length; at++) {
        both.bytes[at] ^= 4;
        write_file(f->journal_file, both.bytes, both.length);
        journal = open_journal(f, &f->plan, true);
        assert_int_equal(status_of(journal, &f->plan, 8), RL_TRAINING_MISSING);
        assert_int_equal(step_of(journal, &f->plan, 8), -1);
        assert_holds(journal, &f->plan, 9, state_length(&f->plan, 9), 4, 400);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        both.bytes[at] ^= 4;
    }
    rl_free(empty.bytes);
    rl_free(one.bytes);
    rl_free(both.bytes);
}

/* What a checksum cannot keep out: numbers that no training leaves. */
static void a_record_of_nonsense_is_refused(void **state) {
    const fixture *f = *state;
    const size_t name = 8, outcome = sizeof(rl_outcome); /* name: padded */
    assert_int_equal(rl_journal_close(open_journal(f, &f->plan, false)), RL_OK);
    rl_text empty = content_of(f->journal_file);
    for (int kind = 0; kind < 2; kind++) {
        rl_journal *journal = open_journal(f, &f->plan, false);
        if (kind == 0)
            append_record(&f->plan, journal, 2, RL_TRAINING_DONE);
        else
            append_state(&f->plan, journal, 2, 17);
        assert_int_equal(rl_journal_close(journal), RL_OK);
        rl_text whole = content_of(f->journal_file);
        char *record = whole.bytes + empty.length;
        const size_t length = whole.length - empty.length - sizeof(uint64_t);
        const double wrong[] = {7, -1, NAN, 0.5};
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
            memcpy(record + HEAD + name + outcome, &wrong[i], sizeof *wrong);
            const uint64_t checksum = XXH3_64bits(record, length);
            memcpy(record + length, &checksum, sizeof checksum);
            write_file(f->journal_file, whole.bytes, whole.length);
            assert_int_equal(rl_journal_open(f->output, &f->plan, true, &journal), RL_ERR_INPUT);
            assert_non_null(
                strstr(rl_error_message(), "the record of `a`, repeat 0, has another layout than this study's"));
        }
        write_file(f->journal_file, empty.bytes, empty.length);
        rl_free(whole.bytes);
    }
    rl_free(empty.bytes);
}

/* A record says by itself what it is of: other m, T and repeats find their own, and pass over the others. */
static void other_sizes_find_their_own(void **state) {
    const fixture *f = *state;
    static const char other[] =
        "seed: 5\nrepeats: 1\nautoencoders:\n"
        "  - {name: a, n_features: 6, sparsity: 0.5, hidden: [2, 5], n_train: [3, 4], steps: 450, n_test: 7}\n"
        "  - {name: b, n_features: 4, sparsity: 0.25, hidden: 3, n_train: 9, steps: 7, schedule: constant,\n"
        "     warm_up: 0, learning_rate: 0.5, weight_decay: 0, record_every: 4, ranks_per_case: 2,\n"
        "     epsilon: 1e-7, loss: mean, initialization: uniform}\n";
    rl_study study;
    rl_plan plan;
    make_plan(other, &study, &plan);
    rl_journal *journal = open_journal(f, &f->plan, false);
    for (int i = 0; i < N_TRAININGS; i++) append_record(&f->plan, journal, i, RL_TRAINING_DONE);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    journal = open_journal(f, &plan, true);
    assert_holds(journal, &plan, 0, record_length(&plan, 0), RL_TRAINING_DONE, 6); /* m = 2, T = 3, repeat 0 */
    assert_int_equal(rl_journal_tally(journal, &plan, 0, plan.n_series).done, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    rl_plan_destroy(&plan);
    rl_study_destroy(&study);
}

/* ---- results file ------------------------------------------------------------------------------------------------ */

static void write_results(const fixture *f, rl_journal *journal, int64_t expected_failures) {
    const rl_provenance nothing = {0};
    if (rl_results_write(f->output, &f->plan, journal, &nothing, NULL, NULL) != RL_OK)
        fail_msg("%s", rl_error_message());
    assert_int_equal(rl_journal_tally(journal, &f->plan, 0, f->plan.n_series).points_failed, expected_failures);
}

static void read_variable(int group, const char *name, double *values) {
    int id;
    assert_int_equal(nc_inq_varid(group, name, &id), NC_NOERR);
    assert_int_equal(nc_get_var_double(group, id, values), NC_NOERR);
}

static void the_file_has_each_value_in_its_place(void **state) {
    const fixture *f = *state;
    enum { RECORDS = 114, N = 6, T = 3 };
    double status[8], losses[8 * RECORDS], relative[8 * RECORDS], examples[8 * T], embeddings[8 * 2 * T];
    int file, group;
    rl_journal *journal = open_journal(f, &f->plan, false);
    append_record(&f->plan, journal, 6, RL_TRAINING_DONE); /* m = 2, T = 3, repeat 0 */
    append_record(&f->plan, journal, 5, RL_TRAINING_DIVERGED);
    append_record(&f->plan, journal, 4, RL_TRAINING_DONE); /* m = 2, T = 1, repeat 0 */
    append_state(&f->plan, journal, 7, 12);
    write_results(f, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(nc_open(f->output, NC_NOWRITE, &file), NC_NOERR);
    assert_int_equal(nc_inq_grp_ncid(file, "a", &group), NC_NOERR);
    read_variable(group, "status", status);
    for (int i = 0; i < 8; i++) assert_true(status[i] == (i == 6 || i == 4 ? 0 : i == 5 ? 2 : 1));
    const rl_autoencoder large = model_of(&f->plan, 6), small = model_of(&f->plan, 4);
    const rl_training_layout l = rl_training_layout_of(&large), s = rl_training_layout_of(&small);
    assert_int_equal(l.n_records, RECORDS);
    read_variable(group, "test_mse", losses);
    read_variable(group, "test_relative_loss", relative);
    read_variable(group, "example_dimension", examples);
    read_variable(group, "example_embedding", embeddings);
    for (int i = 0; i < RECORDS; i++) {
        const double expected = 6 + (double)(l.test_mse + (size_t)i) / 1024;
        assert_true(losses[6 * RECORDS + i] == expected && relative[6 * RECORDS + i] == N * expected);
        assert_true(isnan(losses[7 * RECORDS + i]));
    }
    for (int i = 0; i < T; i++)
        assert_true(examples[6 * T + i] == 6 + (double)(l.example_dimension + (size_t)i) / 1024);
    assert_true(examples[4 * T] == 4 + (double)s.example_dimension / 1024 && isnan(examples[4 * T + 1]));
    for (int k = 0; k < 2; k++) { /* the second component of one example stands behind the room for three */
        assert_true(embeddings[(4 * 2 + k) * T] == 4 + (double)(s.example_embedding + (size_t)k) / 1024);
        assert_true(isnan(embeddings[(4 * 2 + k) * T + 1]));
    }
    assert_int_equal(nc_close(file), NC_NOERR);
}

static void a_state_alone_makes_no_new_file(void **state) {
    const fixture *f = *state;
    rl_journal *journal = open_journal(f, &f->plan, false);
    append_record(&f->plan, journal, 6, RL_TRAINING_DONE);
    write_results(f, journal, 0);
    assert_true(rl_results_are_current(f->output, &f->plan, journal));
    append_state(&f->plan, journal, 7, 12);
    assert_true(rl_results_are_current(f->output, &f->plan, journal));
    append_record(&f->plan, journal, 7, RL_TRAINING_DONE);
    assert_false(rl_results_are_current(f->output, &f->plan, journal));
    assert_int_equal(rl_journal_close(journal), RL_OK);
    journal = open_journal(f, &f->plan, false);
    write_results(f, journal, 0);
    assert_true(rl_results_are_current(f->output, &f->plan, journal));
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(rl_results_discard(f->output), RL_OK);
}

static void shown_are_the_peak_and_the_end(void **state) {
    const fixture *f = *state;
    rl_shown shown;
    rl_journal *journal = open_journal(f, &f->plan, false);
    for (int i = 0; i < 8; i++) append_record(&f->plan, journal, i, i == 3 ? RL_TRAINING_DIVERGED : RL_TRAINING_DONE);
    write_results(f, journal, 1);
    assert_int_equal(rl_journal_close(journal), RL_OK);
    assert_int_equal(rl_results_read(f->output, &shown), RL_OK);
    assert_int_equal(shown.n_autoencoders, 3); /* a at m = 1 and 2, b */
    const rl_shown_autoencoder *a = &shown.autoencoders[1];
    assert_string_equal(a->name, "a");
    assert_int_equal(a->n_hidden * 100 + a->repeats * 10 + a->trainings_done, 224);
    assert_int_equal(a->n_train_at_largest, 3); /* base 6 and 7 over 4 and 5 */
    assert_true(a->largest_loss == a->last_loss && a->last_loss > 6 * 6.5);
    assert_int_equal(shown.autoencoders[0].trainings_diverged, 1);
    assert_int_equal(shown.autoencoders[2].trainings_missing, 4);
    assert_true(isnan(shown.autoencoders[2].largest_loss));
    rl_shown_destroy(&shown);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        IN_FOLDER(an_autoencoder_is_read),
        IN_FOLDER(trainings_are_in_order),
        IN_FOLDER(some_autoencoders_can_be_chosen),
        IN_FOLDER(settings_leave_out_what_each_training_stands_without),
        cmocka_unit_test(the_studies_that_ship_can_be_planned),
        IN_FOLDER(the_last_of_a_training_counts),
        IN_FOLDER(a_torn_state_leaves_the_one_before),
        IN_FOLDER(a_damaged_record_costs_itself_alone),
        IN_FOLDER(a_record_of_nonsense_is_refused),
        IN_FOLDER(other_sizes_find_their_own),
        IN_FOLDER(the_file_has_each_value_in_its_place),
        IN_FOLDER(a_state_alone_makes_no_new_file),
        IN_FOLDER(shown_are_the_peak_and_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
