/* Journals: opened to read and to write, every record read, a results file assembled.
 *
 * All checksums are one number here, so that what is changed still passes for whole and reaches the code behind them;
 * and every input may start from a good journal, written by the program as it is, whatever its format. */
#include <sys/stat.h>
#include <xxhash.h>

#include "fuzz.h"
#include "ridgeless/results.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

static const XXH64_hash_t any_checksum = 0x5ea15ea15ea15ea1;

/* These take the library's place. */
XXH64_hash_t XXH3_64bits(const void *input, size_t length) {
    (void)input;
    (void)length;
    return any_checksum;
}

XXH64_hash_t XXH3_64bits_digest(const XXH3_state_t *state) {
    (void)state;
    return any_checksum;
}

static const char study_text[] =
    "repeats: 2\n"
    "keep: [cells, modes]\n"
    "n_train: [1, 3, 5]\n"
    "ablations: [none, cutoff: 0.1]\n"
    "datasets:\n"
    "  - {source: csv, name: table, file: table.csv, target: y}\n"
    "  - {source: student-teacher, rows: 20, features: 2, hidden_features: 3, draw: fresh}\n"
    "  - {source: student-teacher, name: counted, rows: 20, features: 2, hidden_features: 3, keep: summary}\n"
    "autoencoders: [{name: toy, n_features: 3, sparsity: 0.5, hidden: [1, 2], n_train: [2, 5], steps: 4}]\n";

static rl_study study;
static rl_plan plan;
static char output[512], journal_path[512];
static rl_text good; /* a journal of the whole plan */

static rl_status make_table(rl_dataset *dataset) {
    enum { N_ROWS = 12, N_FEATURES = 3 };
    dataset->n_rows = N_ROWS;
    dataset->n_features = N_FEATURES;
    RL_TRY(rl_strdup(&dataset->name, "table"));
    RL_TRY(rl_strdup(&dataset->origin, "made here"));
    RL_TRY(RL_ALLOC(dataset->x, N_ROWS * N_FEATURES));
    RL_TRY(RL_ALLOC(dataset->y, N_ROWS));
    return RL_ALLOC(dataset->beta_star, N_FEATURES);
}

static void make_plan(void) {
    rl_dataset datasets[3] = {0};
    FUZZ_REQUIRE(rl_study_parse("study.yaml", study_text, &study) == RL_OK && study.n_datasets == 3);
    FUZZ_REQUIRE(make_table(&datasets[0]) == RL_OK);
    for (int i = 1; i < 3; i++) {
        const rl_study_dataset *drawn = &study.datasets[i];
        const rl_source_request request = {.name = drawn->name, .options = &drawn->options, .random = study.random};
        FUZZ_REQUIRE(rl_dataset_load(drawn->source, &request, &datasets[i]) == RL_OK);
    }
    FUZZ_REQUIRE(rl_plan_create_with(&study, datasets, 3, &plan) == RL_OK);
    FUZZ_REQUIRE(rl_plan_trainings(&plan, NULL) == RL_OK && plan.n_trainings == 8);
}

static bool is_span(int64_t curve) {
    return plan.grids[plan.curves[curve].grid].spec->keep.summary;
}

/* A record as rl_task_span leaves it (linking what computes it would bring ScaLAPACK along): sizes 0, 1 and 2. */
static void append_span(rl_journal *journal, int64_t curve) {
    enum { N = 3 };
    static const int sizes[N] = {0, 1, 2};
    const rl_curve *c = &plan.curves[curve];
    const rl_record_layout l = rl_record_layout_of(&plan, c->grid);
    const double head[] = {c->repeat, c->n_repeats, 0, N, 0, 1, 2};
    rl_text record = RL_TEXT_EMPTY;
    rl_summary summary;
    double *values;
    FUZZ_REQUIRE(RL_ALLOC(values, l.length) == RL_OK && rl_summary_create(&summary, &l) == RL_OK);
    for (int r = 0; r < c->n_repeats; r++) {
        for (size_t k = 0; k < l.status; k++) values[k] = 0.5 + (double)(k * k % 7) + r;
        FUZZ_REQUIRE(rl_summary_add(&summary, values, 1) == RL_OK); /* status 0: done */
    }
    FUZZ_REQUIRE(rl_text_append_bytes(&record, head, sizeof head) == RL_OK);
    FUZZ_REQUIRE(rl_summary_pack(&summary, N, sizes, &record) == RL_OK);
    FUZZ_REQUIRE(rl_journal_append(journal, curve, (const void *)record.bytes, record.length / sizeof *head) == RL_OK);
    rl_free(record.bytes);
    rl_free(values);
    rl_summary_destroy(&summary);
}

static void append_curve(rl_journal *journal, int64_t curve) {
    const rl_record_layout l = rl_record_layout_of(&plan, plan.curves[curve].grid);
    double *record;
    FUZZ_REQUIRE(RL_ALLOC(record, l.length) == RL_OK);
    for (size_t i = 0; i < l.length; i++) record[i] = 0.5 * (double)(curve + 1);
    for (size_t i = 0; i < (size_t)l.n_sizes; i++) {
        record[l.status + i] = RL_CELL_DONE;
        record[l.rank + i] = 1;
    }
    FUZZ_REQUIRE(rl_journal_append(journal, curve, record, l.length) == RL_OK);
    rl_free(record);
}

/* Finished, or the state of one under way. */
static void append_training(rl_journal *journal, int64_t training, bool finished) {
    const rl_autoencoder model = rl_training_model(&plan, training);
    const size_t length = finished ? rl_training_layout_of(&model).length : rl_training_state_length(&model);
    double *values;
    FUZZ_REQUIRE(RL_ALLOC(values, length) == RL_OK);
    for (size_t i = 1; i < length; i++) values[i] = 0.25 * (double)(training + 1);
    values[0] = finished ? RL_TRAINING_DONE : 3;
    FUZZ_REQUIRE((finished ? rl_journal_append_training(journal, training, values, length)
                           : rl_journal_append_state(journal, training, values, length)) == RL_OK);
    rl_free(values);
}

/* The fuzzing would be blind if a changed record did not pass. */
static void check_that_checksums_pass(void) {
    rl_journal *journal;
    const double *record;
    for (size_t i = 0; i < good.length / 8; i++)
        if (memcmp(good.bytes + 8 * i, &(double){1.5}, 8) == 0) memcpy(good.bytes + 8 * i, &(double){2.5}, 8);
    fuzz_write(journal_path, good.bytes, good.length);
    FUZZ_REQUIRE(rl_journal_open(output, &plan, true, &journal) == RL_OK);
    FUZZ_REQUIRE(journal != NULL && rl_journal_count(journal) == plan.n_repeated);
    FUZZ_REQUIRE(rl_journal_record(journal, 2, &record) == RL_OK && *record == 2.5);
    FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    rl_journal *journal;
    (void)argc;
    (void)argv;
    rl_log_configure(RL_LOG_QUIET, false);
    make_plan();
    fuzz_path(output, "out.nc");
    fuzz_path(journal_path, "out.nc.journal");
    FUZZ_REQUIRE(rl_journal_open(output, &plan, false, &journal) == RL_OK);
    for (int64_t curve = 0; curve < plan.n_curves; curve++)
        is_span(curve) ? append_span(journal, curve) : append_curve(journal, curve);
    for (int64_t training = 0; training < plan.n_trainings; training++)
        append_training(journal, training, training % 2 == 0);
    FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
    FUZZ_REQUIRE(rl_read_file(journal_path, 1 << 20, &good) == RL_OK);
    check_that_checksums_pass();
    return 0;
}

/* Often one that starts from the good journal. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    const bool anew = seed % 8 == 0 || size < 64;
    if (anew && good.length <= most) {
        memcpy(data, good.bytes, good.length);
        size = good.length;
    }
    return LLVMFuzzerMutate(data, size, most);
}

/* What is there of a span; whether that is all. No count is of more repeats than there are. */
static bool read_span(rl_journal *journal, int64_t curve, double *sum) {
    const rl_record_layout l = rl_record_layout_of(&plan, plan.curves[curve].grid);
    rl_summary summary;
    FUZZ_REQUIRE(rl_summary_create(&summary, &l) == RL_OK);
    FUZZ_REQUIRE(rl_journal_merge_summary(journal, curve, &summary) == RL_OK);
    for (size_t k = 0; k < l.status; k++) {
        FUZZ_REQUIRE(summary.histograms[k].n <= plan.study->repeats);
        if (summary.histograms[k].n > 0) *sum += summary.histograms[k].maximum;
    }
    rl_summary_destroy(&summary);
    return rl_journal_has(journal, curve);
}

/* All records, so that each byte of theirs is read; which are there. */
static uint64_t read_records(rl_journal *journal, double *sum) {
    uint64_t there = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < plan.n_curves; i++) {
        const double *record;
        if (is_span(i)) {
            there |= (uint64_t)read_span(journal, i, sum) << i;
            continue;
        }
        FUZZ_REQUIRE(rl_journal_record(journal, i, &record) == RL_OK);
        if (record == NULL) continue;
        const size_t length = rl_record_layout_of(&plan, plan.curves[i].grid).length;
        for (size_t k = 0; k < length; k++) *sum += record[k];
        there |= UINT64_C(1) << i;
        count += rl_journal_has(journal, i);
    }
    FUZZ_REQUIRE(count ==
                 rl_journal_tally(journal, &plan, 0).curves_done + rl_journal_tally(journal, &plan, 1).curves_done);
    return there;
}

/* All records and states; which trainings are finished. */
static uint64_t read_trainings(rl_journal *journal, double *sum) {
    uint64_t finished = 0;
    for (int64_t i = 0; i < plan.n_trainings; i++) {
        const rl_autoencoder model = rl_training_model(&plan, i);
        const bool done = rl_journal_training_status(journal, i) != RL_TRAINING_MISSING;
        const int step = rl_journal_training_step(journal, i);
        const size_t length = done ? rl_training_layout_of(&model).length : rl_training_state_length(&model);
        double *values;
        FUZZ_REQUIRE(step >= -1 && step <= model.steps && !(done && step >= 0));
        finished |= (uint64_t)done << i;
        if (!done && step < 0) continue;
        FUZZ_REQUIRE(RL_ALLOC(values, length) == RL_OK);
        FUZZ_REQUIRE(rl_journal_read_training(journal, i, values) == RL_OK);
        for (size_t k = 0; k < length; k++) *sum += values[k];
        rl_free(values);
    }
    return finished;
}

static void assemble(rl_journal *journal) {
    const rl_provenance nothing = {0};
    int64_t n_failed;
    const rl_status status = rl_results_write(output, &plan, journal, &nothing, &n_failed);
    FUZZ_REQUIRE(status == RL_OK && n_failed >= 0 && n_failed <= plan.n_spectra + plan.n_trainings);
    unlink(output);
}

/* Reading and writing find the same records; nothing is lost when a run goes on. */
static void go_on(uint64_t there, uint64_t finished, bool assembles) {
    rl_journal *journal;
    double sum = 0;
    FUZZ_REQUIRE(rl_journal_open(output, &plan, false, &journal) == RL_OK);
    FUZZ_REQUIRE(read_records(journal, &sum) == there && read_trainings(journal, &sum) == finished);
    append_curve(journal, 1);
    append_training(journal, 1, true);
    FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
    FUZZ_REQUIRE(rl_journal_open(output, &plan, true, &journal) == RL_OK && journal != NULL);
    FUZZ_REQUIRE(read_records(journal, &sum) == (there | 2) && read_trainings(journal, &sum) == (finished | 2));
    if (assembles) assemble(journal);
    FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rl_journal *journal;
    uint64_t there = 0, finished = 0;
    double sum = 0;
    fuzz_write(journal_path, data, size);
    const rl_status status = rl_journal_open(output, &plan, true, &journal);
    fuzz_check_answer(status);
    if (status != RL_OK) {
        FUZZ_REQUIRE(rl_journal_open(output, &plan, false, &journal) == status);
        return 0;
    }
    if (journal != NULL) {
        there = read_records(journal, &sum);
        finished = read_trainings(journal, &sum);
        FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
    }
    go_on(there, finished, size % 16 == 0); /* which takes most of the time */
    return 0;
}
