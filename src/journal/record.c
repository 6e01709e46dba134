/* A record of the journal, put together and taken apart: {head, name of the group, list of N, content, checksum}. */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "../checksum.h"
#include "journal.h"

/* ---- out --------------------------------------------------------------------------------------------------------- */

static rl_record_head head_of(const rl_series *series, int settings, const rl_record *record) {
    rl_record_head head = {.magic = RL_RECORD_MAGIC,
                           .kind = series->kind->number | (uint32_t)settings << 16,
                           .data_checksum = series->checksum,
                           .n_features = series->n_features,
                           .first_repeat = record->repeats.first,
                           .n_repeats = record->repeats.n,
                           .n = record->n,
                           .name_length = (uint32_t)strlen(series->name),
                           .step = record->step};
    head.length = rl_record_frame(&head) + record->length;
    head.checksum = XXH3_64bits(&head, offsetof(rl_record_head, checksum));
    return head;
}

rl_status rl_journal_build_record(const rl_series *series, int settings, const rl_record *record, rl_text *bytes) {
    const rl_record_head head = head_of(series, settings, record);
    const size_t begin = bytes->length;
    RL_TRY(rl_text_append_bytes(bytes, &head, sizeof head));
    RL_TRY(rl_journal_append_padded(bytes, series->name, head.name_length));
    RL_TRY(rl_text_append_bytes(bytes, record->outcomes, (size_t)record->n * sizeof *record->outcomes));
    RL_TRY(rl_text_append_bytes(bytes, record->content, record->length));
    return rl_journal_append_checksum(bytes, begin);
}

/* As if it were of one N, since a head has at least one. */
rl_status rl_journal_build_settings(const char *text, const char *arithmetic, int number, rl_text *bytes) {
    const size_t of_text = strlen(text) + 1, of_arithmetic = arithmetic != NULL ? strlen(arithmetic) + 1 : 0;
    const size_t length = rl_journal_padded(of_text + of_arithmetic), begin = bytes->length;
    static const char zeros[RL_JOURNAL_WORD];
    const rl_outcome none = {0};
    rl_record_head head = {.magic = RL_RECORD_MAGIC,
                           .kind = RL_SETTINGS_RECORD | (uint32_t)number << 16,
                           .n_repeats = 1,
                           .n = 1,
                           .step = RL_FINISHED};
    head.length = rl_record_frame(&head) + length;
    head.checksum = XXH3_64bits(&head, offsetof(rl_record_head, checksum));
    RL_TRY(rl_text_append_bytes(bytes, &head, sizeof head));
    RL_TRY(rl_text_append_bytes(bytes, &none, sizeof none));
    RL_TRY(rl_text_append_bytes(bytes, text, of_text));
    if (arithmetic != NULL) RL_TRY(rl_text_append_bytes(bytes, arithmetic, of_arithmetic));
    RL_TRY(rl_text_append_bytes(bytes, zeros, length - of_text - of_arithmetic));
    return rl_journal_append_checksum(bytes, begin);
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

rl_record rl_journal_take_apart(const rl_record_head *head, const char *bytes) {
    const char *outcomes = bytes + sizeof *head + rl_journal_padded(head->name_length);
    return (rl_record){.repeats = {head->first_repeat, head->n_repeats},
                       .n = head->n,
                       .outcomes = (const void *)outcomes,
                       .step = head->step,
                       .content = outcomes + (size_t)head->n * sizeof(rl_outcome),
                       .length = (size_t)(head->length - rl_record_frame(head))};
}

static bool has_name(const rl_series *s, const rl_record_head *head, const char *name) {
    return strlen(s->name) == head->name_length && memcmp(s->name, name, head->name_length) == 0;
}

/* Where the study names no P, a series of another P is one of other rows. */
static bool is_of_series(const rl_series *s, const rl_record_head *head, const char *name) {
    const bool any_p = s->spec != NULL && s->spec->n_features.n_values == 0;
    return (any_p || s->n_features == head->n_features) && has_name(s, head, name);
}

static int find_series(const rl_plan *plan, const rl_record_head *head, const char *name) {
    int s = 0;
    while (s < plan->n_series && !is_of_series(&plan->series[s], head, name)) s++;
    return s;
}

static rl_status refuse_record(const rl_journal *journal, const rl_series *series, const rl_record_head *head) {
    return rl_fail(RL_ERR_INPUT,
                   "%s: the record of `%s`, repeat %d, has another layout than this study's; " RL_START_OVER,
                   journal->path, series->name, head->first_repeat);
}

static rl_status check_rows(const rl_journal *journal, const rl_series *series, const rl_record_head *head) {
    if (head->data_checksum == series->checksum) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s: the rows of `%s` have changed since: their checksum was %016" PRIx64 ", now it is %016" PRIx64
                   "; give it another name, " RL_START_OVER,
                   journal->path, series->name, head->data_checksum, series->checksum);
}

void rl_journal_note_content(rl_journal *journal, const char *record, size_t length) {
    uint64_t both[2] = {journal->content, 0};
    memcpy(&both[1], record + length - sizeof both[1], sizeof both[1]);
    journal->content = XXH3_64bits(both, sizeof both);
}

static bool has_any_n(const rl_series *series, const rl_record *record) {
    for (int i = 0, k = 0; i < series->n_n_train; i++) {
        while (k < record->n && record->outcomes[k].n_train < series->n_train[i]) k++;
        if (k < record->n && record->outcomes[k].n_train == series->n_train[i]) return true;
    }
    return false;
}

/* Notes each N with the task of the plan that has it; those that no task has stay in the file. *fits: the record's
 * repeats are those of tasks. */
static rl_status note_record(rl_journal *journal, int s, const rl_record *record, uint64_t offset, bool *noted,
                             bool *fits) {
    const rl_plan *plan = journal->plan;
    const int end = rl_range_end(record->repeats);
    *fits = true;
    for (int i = 0; i < plan->series[s].n_n_train && *fits;) {
        const int64_t task = rl_plan_task(plan, s, record->repeats.first, i);
        *fits = end <= rl_range_end(plan->tasks[task].repeats);
        if (*fits) RL_TRY(rl_places_note(journal, task, record, offset, noted));
        i = rl_range_end(plan->tasks[task].n_train);
    }
    return RL_OK;
}

/* ---- other settings ---------------------------------------------------------------------------------------------- */

static rl_status take_settings(rl_journal *journal, rl_reader *reader, uint64_t offset, const rl_record_head *head) {
    const char *bytes;
    RL_TRY(rl_reader_get(reader, offset, (size_t)head->length, &bytes));
    const rl_record record = rl_journal_take_apart(head, bytes);
    const char *const content = record.content;
    if (record.length == 0 || content[record.length - 1] != '\0') return RL_OK; /* which no program writes */
    const size_t of_text = strlen(content) + 1; /* behind it: the arithmetic, or nothing but zeros */
    return rl_settings_declare(&journal->settings, rl_head_settings(head), content,
                               of_text < record.length ? content + of_text : NULL);
}

/* The name of a group that the study does not have, each once. */
static rl_status note_other(rl_journal *journal, const char *name, size_t length) {
    const rl_study *study = journal->plan->study;
    rl_text *const others = &journal->others;
    char *copy;
    RL_TRY(RL_ALLOC(copy, length + 1));
    memcpy(copy, name, length);
    bool known = length == 0 || rl_find_dataset(study, copy) != NULL || rl_find_autoencoder(study, copy) >= 0;
    for (size_t at = 0; at < others->length && !known; at += strlen(others->bytes + at) + 1)
        known = strcmp(others->bytes + at, copy) == 0;
    const rl_status status = known ? RL_OK : rl_text_append_bytes(others, copy, strlen(copy) + 1);
    rl_free(copy);
    return status;
}

/* *used: numbers of such a record are this study's. */
static rl_status judge_record(rl_journal *journal, int s, const rl_record_head *head, const rl_verdict **verdict,
                              bool *used) {
    const int number = rl_head_settings(head);
    RL_TRY(rl_settings_judge(&journal->settings, journal->plan, number, s, verdict));
    *used = *verdict != NULL && (*verdict)->unused == RL_UNUSED_NOT;
    if (*verdict == NULL || (*verdict)->unused == RL_UNUSED_SILENTLY) return RL_OK;
    if ((*verdict)->other_data || (*verdict)->other_way)
        return rl_settings_refuse(&journal->settings, journal->path, journal->plan, number);
    if (!*used) journal->unused[s] = **verdict;
    return RL_OK;
}

/* A record of no series: of a P or m, or of a group, that is not asked for. A name stands for the same data at all P.
 */
static rl_status pass_over(rl_journal *journal, const rl_record_head *head, const char *name) {
    const rl_plan *plan = journal->plan;
    const rl_verdict *verdict;
    int s = 0;
    while (s < plan->n_series && !has_name(&plan->series[s], head, name)) s++;
    if (s == plan->n_series) return note_other(journal, name, head->name_length);
    RL_TRY(rl_settings_judge(&journal->settings, plan, rl_head_settings(head), s, &verdict));
    if (verdict == NULL || !verdict->other_data) return RL_OK;
    return rl_settings_refuse(&journal->settings, journal->path, plan, rl_head_settings(head));
}

/* ---- taking ------------------------------------------------------------------------------------------------------ */

static rl_status take_of_series(rl_journal *journal, rl_reader *reader, uint64_t offset, const rl_record_head *head,
                                int s) {
    const rl_plan *plan = journal->plan;
    const rl_series *series = &plan->series[s];
    const rl_verdict *verdict;
    const char *bytes;
    bool sound, fits, used, noted = false;
    RL_TRY(judge_record(journal, s, head, &verdict, &used));
    if (verdict != NULL) RL_TRY(check_rows(journal, series, head));
    if (!used) return RL_OK;
    if (rl_head_kind(head) != series->kind->number || head->n_features != series->n_features)
        return refuse_record(journal, series, head);
    if (head->step == RL_FINISHED && head->first_repeat + head->n_repeats > journal->most_repeats)
        journal->most_repeats = head->first_repeat + head->n_repeats;
    if (head->first_repeat >= plan->study->repeats) return RL_OK;
    RL_TRY(rl_reader_get(reader, offset, (size_t)head->length, &bytes));
    rl_record record = rl_journal_take_apart(head, bytes);
    rl_verdict_apply(verdict, &record);
    if (!has_any_n(series, &record)) return RL_OK;
    RL_TRY(series->kind->check(series, &record, &sound));
    if (!sound) return refuse_record(journal, series, head);
    if (rl_range_end(record.repeats) > plan->study->repeats) { /* what is counted together cannot be taken apart */
        journal->reaches_beyond = true;
        return RL_OK;
    }
    RL_TRY(note_record(journal, s, &record, offset, &noted, &fits));
    if (!fits) return refuse_record(journal, series, head);
    if (noted) rl_journal_note_content(journal, bytes, (size_t)head->length);
    return RL_OK;
}

rl_status rl_journal_take_record(void *state, rl_reader *reader, uint64_t offset, const rl_record_head *head) {
    rl_journal *journal = state;
    const char *bytes;
    if (rl_head_settings(head) >= journal->settings.next) journal->settings.next = rl_head_settings(head) + 1;
    if (rl_head_kind(head) == RL_SETTINGS_RECORD) return take_settings(journal, reader, offset, head);
    if (rl_kind_find(rl_head_kind(head)) == NULL) return RL_OK;
    RL_TRY(rl_reader_get(reader, offset, sizeof *head + head->name_length, &bytes));
    const int s = find_series(journal->plan, head, bytes + sizeof *head);
    if (s < journal->plan->n_series) return take_of_series(journal, reader, offset, head, s);
    return pass_over(journal, head, bytes + sizeof *head);
}
