/* The records of a task, read again from the file. */
#include <stdlib.h>

#include "journal.h"

static int compare_offsets(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Where records of which something counts begin, or else the state: each once, in their order; how many they are. */
static int list_offsets(const rl_places *p, uint64_t *offsets) {
    int n = 0;
    for (int k = 0; k < p->n; k++)
        if (n == 0 || offsets[n - 1] != p->list[k].record) offsets[n++] = p->list[k].record;
    if (n == 0 && p->state != 0) offsets[n++] = p->state;
    qsort(offsets, (size_t)n, sizeof *offsets, compare_offsets);
    int distinct = 0;
    for (int k = 0; k < n; k++)
        if (k == 0 || offsets[k] != offsets[k - 1]) offsets[distinct++] = offsets[k];
    return distinct;
}

/* The N of the record at `offset` that count, as rl_record_visitor has them. */
static void choose_targets(const rl_journal *journal, int64_t task, const rl_record *record, uint64_t offset,
                           int *target) {
    const rl_task *t = &journal->plan->tasks[task];
    const int *n_train = journal->plan->series[t->series].n_train + t->n_train.first;
    for (int k = 0, i = 0; k < record->n; k++) {
        while (i < t->n_train.n && n_train[i] < record->outcomes[k].n_train) i++;
        const bool both = i < t->n_train.n && n_train[i] == record->outcomes[k].n_train;
        const rl_place *place = both ? rl_places_find(&journal->places[task], i, record->repeats.first) : NULL;
        target[k] = both && (record->step != RL_FINISHED || (place != NULL && place->record == offset)) ? i : -1;
    }
}

static rl_status visit_record(const rl_journal *journal, int64_t task, rl_reader *reader, uint64_t offset,
                              rl_record_visitor visit, void *state) {
    rl_record_head head;
    const char *bytes;
    int *target;
    RL_TRY(rl_journal_get_again(reader, offset, &head, &bytes));
    const rl_record record = rl_journal_take_apart(&head, bytes);
    RL_TRY(RL_ALLOC(target, record.n));
    choose_targets(journal, task, &record, offset, target);
    const rl_status status = visit(state, &record, target);
    rl_free(target);
    return status;
}

rl_status rl_journal_visit(const rl_journal *journal, int64_t task, rl_record_visitor visit, void *state) {
    if (journal == NULL) return RL_OK;
    rl_reader reader = {.path = journal->path, .fd = journal->fd, .size = journal->end};
    const rl_places *p = &journal->places[task];
    uint64_t *offsets;
    RL_TRY(RL_ALLOC(offsets, p->n + 1));
    const int n = list_offsets(p, offsets);
    rl_status status = RL_OK;
    for (int k = 0; k < n && status == RL_OK; k++)
        status = visit_record(journal, task, &reader, offsets[k], visit, state);
    rl_free(offsets);
    rl_reader_destroy(&reader);
    return status;
}
