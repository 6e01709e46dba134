/* Journals: opened to read and to write, every record read, a results file assembled.
 *
 * All checksums are one number here, so that what is changed still passes for whole and reaches the code behind them;
 * and every input may start from a good journal, written by the program as it is, whatever its format. */
#include <sys/stat.h>

#include "../../src/checksum.h"
#include "../../src/journal/journal.h"
#include "fuzz.h"
#include "ridgeless/journal.h"
#include "ridgeless/results.h"
#include "ridgeless/summary.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

enum { LONGEST_INPUT = 8192 }; /* as test_fuzz.py has it for this target */

static const XXH64_hash_t any_checksum = 0x5ea15ea15ea15ea1;

/* These take the library's place, by the names that checksum.h calls. */
#ifdef RL_XXHASH_DISPATCH
#define WHOLE_CHECKSUM XXH3_64bits_dispatch
#else
#define WHOLE_CHECKSUM XXH3_64bits
#endif
XXH64_hash_t WHOLE_CHECKSUM(const void *input, size_t length) {
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

/* What the study was before: its settings stand in the header, and those of now in a record. The curve of it that the
 * good journal has holds all that is asked for now, and more. */
static const char former_text[] =
    "repeats: 2\n"
    "keep: [cells, modes]\n"
    "n_train: [1, 3, 5]\n"
    "ablations: [cutoff: [0.2, 0.1], none]\n"
    "datasets: [{source: csv, name: table, file: table.csv, target: y}]\n";

static rl_study study, former_study;
static rl_plan plan, former_plan;
static char output[512], journal_path[512];
/* A journal of the first repeats, whose last training is under way: short, as inputs are. And the tasks it has. */
static rl_text good;
static uint64_t good_some;
static int64_t toy;                 /* the first training of the plan */
static rl_text curve_1, training_1; /* finished */

static rl_status make_table(rl_dataset *dataset) {
    enum { N_ROWS = 12, N_FEATURES = 3 };
    dataset->n_rows = N_ROWS;
    dataset->n_features = N_FEATURES;
    RL_TRY(rl_strdup(&dataset->name, "table"));
    RL_TRY(rl_strdup(&dataset->origin, "made here"));
    RL_TRY(RL_ALLOC(dataset->x, N_ROWS * N_FEATURES));
    RL_TRY(RL_ALLOC(dataset->y, N_ROWS));
    for (int i = 0; i < N_ROWS * N_FEATURES; i++) dataset->x[i] = i * i % 7 + 0.25;
    for (int i = 0; i < N_ROWS; i++) dataset->y[i] = i;
    return RL_ALLOC(dataset->beta_star, N_FEATURES);
}

static void make_former_plan(void) {
    rl_dataset table = {0};
    FUZZ_REQUIRE(rl_study_parse("study.yaml", former_text, &former_study) == RL_OK && make_table(&table) == RL_OK);
    FUZZ_REQUIRE(rl_plan_create_with(&former_study, &table, 1, NULL, &former_plan) == RL_OK);
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
    FUZZ_REQUIRE(rl_plan_create_with(&study, datasets, 3, NULL, &plan) == RL_OK && plan.n_series == 5);
    toy = plan.series[3].first_task;
    FUZZ_REQUIRE(plan.n_tasks == toy + 8 && plan.n_tasks <= 64);
}

/* Computes a task: its record, or the state that it begins with, as bytes. */
static void compute_task(const rl_plan *p, int64_t task, bool finished, rl_text *bytes) {
    const rl_work work = {.tasks = &p->tasks[task], .n = 1};
    const rl_tick never = {0};
    rl_worker *worker;
    rl_record record;
    bool ended = false;
    FUZZ_REQUIRE(rl_worker_create(p->series, RL_ALONE, &worker) == RL_OK);
    FUZZ_REQUIRE(rl_worker_begin(worker, &work) == RL_OK);
    while (finished && !ended) FUZZ_REQUIRE(rl_worker_advance(worker, never, &ended) == RL_OK);
    FUZZ_REQUIRE((finished ? rl_worker_record(worker, 0, &record) : rl_worker_save(worker, &record)) == RL_OK);
    FUZZ_REQUIRE(record.n > 0 && rl_record_append(&record, bytes) == RL_OK);
    rl_worker_destroy(worker);
}

static void append_record(rl_journal *journal, int64_t task, const rl_text *bytes) {
    rl_record record;
    size_t used;
    FUZZ_REQUIRE(rl_record_read(bytes->bytes, bytes->length, &record, &used) == RL_OK && used == bytes->length);
    FUZZ_REQUIRE(rl_journal_append(journal, task, &record) == RL_OK);
}

/* What is read of a task. */
typedef struct reading {
    int64_t task;
    int n;               /* records */
    double sum;          /* so that each byte of them is read */
    double last;         /* number of the first of them */
    rl_summary *summary; /* NULL: the task is none of a summary */
} reading;

static rl_status read_record(void *state, const rl_record *record, const int *target) {
    reading *r = state;
    const rl_task *task = &plan.tasks[r->task];
    const double *values = record->content;
    bool sound, any = false;
    for (int k = 0; k < record->n; k++) {
        FUZZ_REQUIRE(target[k] >= -1 && target[k] < task->n_train.n);
        any = any || target[k] >= 0;
    }
    FUZZ_REQUIRE(any && record->repeats.first >= task->repeats.first);
    FUZZ_REQUIRE(rl_range_end(record->repeats) <= rl_range_end(task->repeats));
    if (r->n++ == 0) r->last = values[record->length / sizeof *values - 1];
    for (size_t k = 0; k < record->length / sizeof *values; k++) r->sum += values[k];
    if (r->summary == NULL) return RL_OK;
    FUZZ_REQUIRE(rl_summary_add_record(r->summary, &plan.series[task->series], record, target, &sound) == RL_OK);
    FUZZ_REQUIRE(sound);
    return RL_OK;
}

/* No count is of more repeats than there are. */
static void read_summary(const rl_journal *journal, reading *r) {
    const rl_curve_layout l = rl_curve_layout_of(&plan.series[plan.tasks[r->task].series]);
    rl_summary summary;
    FUZZ_REQUIRE(rl_summary_create(&summary, &l) == RL_OK);
    r->summary = &summary;
    FUZZ_REQUIRE(rl_journal_visit(journal, r->task, read_record, r) == RL_OK);
    for (size_t k = 0; k < l.status; k++) {
        FUZZ_REQUIRE(summary.histograms[k].n <= plan.study->repeats);
        if (summary.histograms[k].n > 0) r->sum += summary.histograms[k].maximum;
    }
    rl_summary_destroy(&summary);
}

static reading read_task(const rl_journal *journal, int64_t task) {
    const rl_series *series = &plan.series[plan.tasks[task].series];
    reading r = {.task = task};
    if (series->spec != NULL && series->spec->keep.summary)
        read_summary(journal, &r);
    else
        FUZZ_REQUIRE(rl_journal_visit(journal, task, read_record, &r) == RL_OK);
    return r;
}

static void check_step(const rl_journal *journal, int64_t task, bool whole, int n_records) {
    const rl_series *series = &plan.series[plan.tasks[task].series];
    const int step = rl_journal_step(journal, task);
    FUZZ_REQUIRE(step == RL_FINISHED || (series->kind->restorable && !whole && n_records == 1));
    FUZZ_REQUIRE(step == RL_FINISHED || (step >= 0 && step <= series->autoencoder->model.steps));
}

/* Reads all records; which tasks are finished, and of which there is anything. */
typedef struct present {
    uint64_t whole, some;
} present;

static present read_journal(const rl_journal *journal, double *sum) {
    present there = {0};
    for (int s = 0; s < plan.n_series; s++) {
        const rl_tally tally = rl_journal_tally(journal, &plan, s, s + 1);
        int64_t done = 0;
        for (int64_t task = plan.series[s].first_task; task < rl_plan_end_of_tasks(&plan, s); task++) {
            const reading r = read_task(journal, task);
            const bool whole = rl_journal_has(journal, &plan, task);
            there.whole |= (uint64_t)whole << task;
            there.some |= (uint64_t)(r.n > 0) << task;
            *sum += r.sum;
            done += whole ? plan.tasks[task].repeats.n : 0;
            check_step(journal, task, whole, r.n);
        }
        FUZZ_REQUIRE(done == tally.done);
        FUZZ_REQUIRE(tally.points_done + tally.points_missing + tally.points_failed == tally.points);
    }
    return there;
}

/* The fuzzing would be blind if a changed record did not pass. */
static void check_that_checksums_pass(void) {
    const double other = 0.375;
    double sum = 0;
    rl_journal *journal;
    FUZZ_REQUIRE(rl_journal_open(output, &plan, true, &journal) == RL_OK && journal != NULL);
    const double last = read_task(journal, 2).last;
    FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
    for (size_t i = 0; i < good.length / 8; i++)
        if (memcmp(good.bytes + 8 * i, &last, 8) == 0) memcpy(good.bytes + 8 * i, &other, 8);
    fuzz_write(journal_path, good.bytes, good.length);
    FUZZ_REQUIRE(rl_journal_open(output, &plan, true, &journal) == RL_OK && journal != NULL);
    FUZZ_REQUIRE(read_journal(journal, &sum).some == good_some);
    FUZZ_REQUIRE(read_task(journal, 2).last == other && last != other);
    FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
}

/* Computes a task, and appends what comes of it. */
static void add_task(rl_journal *journal, const rl_plan *p, int64_t task, bool finished) {
    rl_text bytes = RL_TEXT_EMPTY;
    compute_task(p, task, finished, &bytes);
    append_record(journal, task, &bytes);
    good_some |= UINT64_C(1) << task;
    rl_free(bytes.bytes);
}

/* The first curve of the table by the study of before, the other repeats that come first by the study. */
static void make_good_journal(void) {
    rl_journal *journal;
    FUZZ_REQUIRE(rl_journal_open(output, &former_plan, false, &journal) == RL_OK);
    add_task(journal, &former_plan, 0, true);
    FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
    FUZZ_REQUIRE(rl_journal_open(output, &plan, false, &journal) == RL_OK);
    FUZZ_REQUIRE(rl_journal_has(journal, &plan, 0));
    for (int64_t task = 1; task < toy + 2; task++)
        if (plan.tasks[task].repeats.first == 0) add_task(journal, &plan, task, task <= toy);
    FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
    FUZZ_REQUIRE(rl_read_file(journal_path, LONGEST_INPUT, &good) == RL_OK);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    rl_log_configure(RL_LOG_QUIET, false);
    make_former_plan();
    make_plan();
    fuzz_path(output, "out.nc");
    fuzz_path(journal_path, "out.nc.journal");
    compute_task(&plan, 1, true, &curve_1);
    compute_task(&plan, toy + 1, true, &training_1);
    make_good_journal();
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

static void assemble(rl_journal *journal) {
    const rl_provenance nothing = {0};
    const rl_status status = rl_results_write(output, &plan, journal, &nothing, NULL, NULL);
    const rl_tally tally = rl_journal_tally(journal, &plan, 0, plan.n_series);
    FUZZ_REQUIRE(status == RL_OK && tally.points_failed >= 0 && tally.points_failed <= tally.points);
    unlink(output);
}

/* Reading and writing find the same records; nothing is lost when a run goes on. */
static void go_on(present there, bool assembles) {
    const uint64_t more = UINT64_C(2) | UINT64_C(2) << toy;
    rl_journal *journal;
    double sum = 0;
    FUZZ_REQUIRE(rl_journal_open(output, &plan, false, &journal) == RL_OK);
    present again = read_journal(journal, &sum);
    FUZZ_REQUIRE(again.whole == there.whole && again.some == there.some);
    append_record(journal, 1, &curve_1);
    append_record(journal, toy + 1, &training_1);
    FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
    FUZZ_REQUIRE(rl_journal_open(output, &plan, true, &journal) == RL_OK && journal != NULL);
    again = read_journal(journal, &sum);
    FUZZ_REQUIRE(again.whole == (there.whole | more) && again.some == (there.some | more));
    if (assembles) assemble(journal);
    FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
}

/* Whether some head claims more than the file has. What is appended may then end where that record would: it passes for
 * whole, as every checksum is the same here, and hides what was appended. */
static bool reaches_beyond(const uint8_t *data, size_t size) {
    rl_record_head head;
    for (size_t at = 0; at + sizeof head <= size; at += RL_JOURNAL_WORD) {
        memcpy(&head, data + at, sizeof head);
        if (head.magic == RL_RECORD_MAGIC && head.length > size - at) return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rl_journal *journal;
    present there = {0};
    double sum = 0;
    fuzz_write(journal_path, data, size);
    const rl_status status = rl_journal_open(output, &plan, true, &journal);
    fuzz_check_answer(status);
    if (status != RL_OK) {
        FUZZ_REQUIRE(rl_journal_open(output, &plan, false, &journal) == status);
        return 0;
    }
    if (journal != NULL) {
        there = read_journal(journal, &sum);
        FUZZ_REQUIRE(rl_journal_close(journal) == RL_OK);
    }
    if (!reaches_beyond(data, size)) go_on(there, size % 16 == 0); /* which takes most of the time */
    return 0;
}
