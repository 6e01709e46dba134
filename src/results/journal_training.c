/* The journal's records of trainings: {head, name of the autoencoder, values, checksum}. The values are what a finished
 * training leaves, or the state that one under way goes on from. Later ones take the place of earlier ones, which stay
 * in the file. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "journal.h"

/* As long as rl_record_head, and magic and length stand where they do there: one scan reads both. */
typedef struct training_head {
    uint32_t magic, kind; /* kind: FINISHED or STATE */
    uint64_t length, n_values;
    int32_t n_features, n_hidden, n_train, repeat;
    uint32_t name_length;
    int32_t step;    /* of a state */
    uint64_t unused; /* 0 */
} training_head;
static_assert(sizeof(training_head) == sizeof(rl_record_head), "the scan reads heads of one length");
static_assert(offsetof(training_head, length) == offsetof(rl_record_head, length), "and finds the length in one place");

enum { FINISHED = 1, STATE = 2 };

static size_t frame_of(const training_head *h) {
    return sizeof *h + rl_journal_padded(h->name_length) + sizeof(uint64_t);
}

static size_t n_values_of(const rl_autoencoder *model, uint32_t kind) {
    return kind == FINISHED ? rl_training_layout_of(model).length : rl_training_state_length(model);
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

static rl_status build(const rl_journal *journal, int64_t training, uint32_t kind, const double *values,
                       rl_text *bytes) {
    const rl_training_case *c = &journal->plan->trainings[training];
    const rl_autoencoder model = rl_training_model(journal->plan, training);
    const char *name = journal->plan->training_grids[c->grid].spec->name;
    training_head h = {.magic = RL_TRAINING_MAGIC,
                       .kind = kind,
                       .n_values = n_values_of(&model, kind),
                       .n_features = model.n_features,
                       .n_hidden = model.n_hidden,
                       .n_train = model.n_train,
                       .repeat = c->repeat,
                       .name_length = (uint32_t)strlen(name),
                       .step = kind == STATE ? rl_training_saved_step(values) : model.steps};
    h.length = frame_of(&h) + h.n_values * sizeof *values;
    bytes->length = 0;
    RL_TRY(rl_text_append_bytes(bytes, &h, sizeof h));
    RL_TRY(rl_journal_append_padded(bytes, name, h.name_length));
    RL_TRY(rl_text_append_bytes(bytes, values, h.n_values * sizeof *values));
    return rl_journal_append_checksum(bytes);
}

static void note(rl_journal *journal, int64_t training, uint64_t offset, const training_head *h, double status) {
    rl_training_place *place = &journal->trainings[training];
    if (h->kind == FINISHED)
        *place = (rl_training_place){.record = offset, .status = (rl_training_status)status};
    else
        *place = (rl_training_place){.record = offset, .status = RL_TRAINING_MISSING, .step = h->step};
}

static rl_status append(rl_journal *journal, int64_t training, uint32_t kind, const double *values, size_t length) {
    training_head h;
    const rl_autoencoder model = rl_training_model(journal->plan, training);
    assert(length == n_values_of(&model, kind));
    (void)length;
    RL_TRY(build(journal, training, kind, values, &journal->buffer));
    memcpy(&h, journal->buffer.bytes, sizeof h);
    const uint64_t offset = journal->end;
    RL_TRY(rl_journal_write(journal));
    if (kind == FINISHED) rl_journal_note_content(journal, journal->buffer.bytes, journal->buffer.length);
    note(journal, training, offset, &h, values[0]);
    return RL_OK;
}

rl_status rl_journal_append_training(rl_journal *journal, int64_t training, const double *record, size_t length) {
    return append(journal, training, FINISHED, record, length);
}

rl_status rl_journal_append_state(rl_journal *journal, int64_t training, const double *state, size_t length) {
    return append(journal, training, STATE, state, length);
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

bool rl_journal_training_is_plausible(const rl_record_head *head, uint64_t left) {
    training_head h;
    memcpy(&h, head, sizeof h);
    if (h.length > left || h.name_length > left || h.length > INT64_MAX || h.length < frame_of(&h)) return false;
    return (h.length - frame_of(&h)) / sizeof(double) == h.n_values && h.length % sizeof(double) == 0;
}

bool rl_journal_training_is_finished(const rl_record_head *head) {
    training_head h;
    memcpy(&h, head, sizeof h);
    return h.kind == FINISHED;
}

static int index_of(const int *values, int n, int value) {
    for (int i = 0; i < n; i++)
        if (values[i] == value) return i;
    return -1;
}

/* The training of the plan that a record is of; -1: none. */
static int64_t find(const rl_plan *plan, const training_head *h, const char *name) {
    for (int g = 0; g < plan->n_training_grids; g++) {
        const rl_study_autoencoder *a = plan->training_grids[g].spec;
        if (strlen(a->name) != h->name_length || memcmp(a->name, name, h->name_length) != 0) continue;
        const int m = index_of(a->hidden, a->n_hidden, h->n_hidden);
        const int t = index_of(a->n_train.values, a->n_train.n_values, h->n_train);
        if (m < 0 || t < 0 || h->repeat < 0 || h->repeat >= plan->study->repeats) return -1;
        return plan->training_grids[g].first + ((int64_t)m * a->n_train.n_values + t) * plan->study->repeats +
               h->repeat;
    }
    return -1;
}

/* A checksum keeps no nonsense out. */
static bool is_sound(const rl_autoencoder *model, const training_head *h, double first) {
    if ((h->kind != FINISHED && h->kind != STATE) || h->n_features != model->n_features) return false;
    if (h->n_values != n_values_of(model, h->kind)) return false;
    if (h->kind == FINISHED) return first == RL_TRAINING_DONE || first == RL_TRAINING_DIVERGED;
    return h->step >= 0 && h->step <= model->steps && first == h->step;
}

rl_status rl_journal_take_training(rl_journal *journal, rl_reader *reader, uint64_t offset,
                                   const rl_record_head *head) {
    training_head h;
    const char *bytes;
    double first;
    memcpy(&h, head, sizeof h);
    RL_TRY(rl_reader_get(reader, offset + sizeof h, h.name_length, &bytes));
    const int64_t training = find(journal->plan, &h, bytes);
    if (training < 0) return RL_OK;
    const rl_autoencoder model = rl_training_model(journal->plan, training);
    const size_t behind = sizeof h + rl_journal_padded(h.name_length);
    first = NAN;
    if (h.n_values > 0) {
        RL_TRY(rl_reader_get(reader, offset + behind, sizeof first, &bytes));
        memcpy(&first, bytes, sizeof first);
    }
    if (!is_sound(&model, &h, first)) {
        char text[200];
        rl_training_text(journal->plan, training, text, sizeof text);
        return rl_fail(RL_ERR_INPUT, "%s: the record of %s is none of this study's; " RL_START_OVER, journal->path,
                       text);
    }
    if (h.kind == FINISHED) {
        const uint64_t end = offset + h.length - sizeof(uint64_t);
        RL_TRY(rl_reader_get(reader, end, sizeof(uint64_t), &bytes));
        rl_journal_note_content(journal, bytes, sizeof(uint64_t));
    }
    note(journal, training, offset, &h, first);
    return RL_OK;
}

/* Whether the checksum still holds is seen to: a file can change. */
static rl_status read_values(const rl_journal *journal, rl_reader *reader, int64_t training, uint32_t kind,
                             double *values) {
    const uint64_t offset = journal->trainings[training].record;
    const rl_autoencoder model = rl_training_model(journal->plan, training);
    const char *bytes;
    training_head h;
    uint64_t stored;
    RL_TRY(rl_reader_get(reader, offset, sizeof h, &bytes));
    memcpy(&h, bytes, sizeof h);
    if (h.magic == RL_TRAINING_MAGIC && h.kind == kind && h.n_values == n_values_of(&model, kind) &&
        h.length == frame_of(&h) + h.n_values * sizeof *values && h.length <= reader->size - offset) {
        RL_TRY(rl_reader_get(reader, offset, (size_t)h.length, &bytes));
        memcpy(&stored, bytes + h.length - sizeof stored, sizeof stored);
        if (stored == XXH3_64bits(bytes, (size_t)h.length - sizeof stored)) {
            memcpy(values, bytes + sizeof h + rl_journal_padded(h.name_length), h.n_values * sizeof *values);
            return RL_OK;
        }
    }
    return rl_fail(RL_ERR_IO, "%s: the record at byte %" PRIu64 " does not read back as it was written", journal->path,
                   offset);
}

rl_status rl_journal_read_training(const rl_journal *journal, int64_t training, double *values) {
    const bool finished = journal->trainings[training].status != RL_TRAINING_MISSING;
    rl_reader reader = {.path = journal->path, .fd = journal->fd, .size = journal->end};
    const rl_status status = read_values(journal, &reader, training, finished ? FINISHED : STATE, values);
    rl_reader_destroy(&reader);
    return status;
}

/* ---- what there is ----------------------------------------------------------------------------------------------- */

rl_training_status rl_journal_training_status(const rl_journal *journal, int64_t training) {
    return journal == NULL ? RL_TRAINING_MISSING : journal->trainings[training].status;
}

int rl_journal_training_step(const rl_journal *journal, int64_t training) {
    if (rl_journal_training_status(journal, training) != RL_TRAINING_MISSING || journal == NULL) return -1;
    return journal->trainings[training].record > 0 ? journal->trainings[training].step : -1;
}

rl_training_tally rl_journal_tally_trainings(const rl_journal *journal, const rl_plan *plan, int grid) {
    rl_training_tally t = {0};
    for (int64_t i = 0; i < plan->n_trainings; i++) {
        if (grid >= 0 && plan->trainings[i].grid != grid) continue;
        const rl_training_status status = rl_journal_training_status(journal, i);
        t.trainings++;
        t.done += status == RL_TRAINING_DONE;
        t.diverged += status == RL_TRAINING_DIVERGED;
        t.missing += status == RL_TRAINING_MISSING;
        t.begun += rl_journal_training_step(journal, i) >= 0;
    }
    return t;
}
