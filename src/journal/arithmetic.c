/* By what arithmetic the spectra were computed whose bits it decides: the heads of their records say so. */
#include <string.h>

#include "journal.h"

/* One more use of the arithmetic, or the first one. */
static rl_status add_use(rl_arithmetic_uses *uses, const char *arithmetic, int64_t points) {
    int i = 0;
    while (i < uses->n && strcmp(uses->list[i].arithmetic, arithmetic) != 0) i++;
    if (i == uses->n) {
        RL_TRY(RL_GROW(uses->list, uses->n, uses->n + 1));
        uses->list[uses->n++] = (rl_arithmetic_use){0};
        RL_TRY(rl_strdup(&uses->list[i].arithmetic, arithmetic));
    }
    uses->list[i].points += points;
    return RL_OK;
}

/* NULL: it decides nothing. */
static rl_status find_arithmetic(const rl_journal *journal, const rl_series *series, rl_reader *reader, uint64_t offset,
                                 const char **arithmetic) {
    rl_record_head head;
    const char *bytes;
    RL_TRY(rl_reader_get(reader, offset, sizeof head, &bytes));
    memcpy(&head, bytes, sizeof head);
    const rl_declared *d = rl_settings_declared(&journal->settings, rl_head_settings(&head));
    *arithmetic = d != NULL ? d->arithmetic : NULL;
    if (*arithmetic == NULL && rl_series_by_blas(series)) *arithmetic = RL_ARITHMETIC_UNKNOWN;
    return RL_OK;
}

static rl_status add_uses_of_record(const rl_journal *journal, const rl_series *series, rl_reader *reader,
                                    uint64_t offset, int64_t points, rl_arithmetic_uses *uses) {
    const char *arithmetic;
    RL_TRY(find_arithmetic(journal, series, reader, offset, &arithmetic));
    return arithmetic != NULL ? add_use(uses, arithmetic, points) : RL_OK;
}

/* Places of one record mostly stand together. */
static rl_status add_uses_of_task(const rl_journal *journal, int64_t task, rl_reader *reader,
                                  rl_arithmetic_uses *uses) {
    const rl_task *t = &journal->plan->tasks[task];
    const rl_series *series = &journal->plan->series[t->series];
    const rl_places *p = &journal->places[task];
    if (p->whole != 0)
        return add_uses_of_record(journal, series, reader, p->whole, (int64_t)t->n_train.n * t->repeats.n, uses);
    for (int first = 0, end; first < p->n; first = end) {
        int64_t points = 0;
        for (end = first; end < p->n && p->list[end].record == p->list[first].record; end++)
            points += p->list[end].repeats.n;
        RL_TRY(add_uses_of_record(journal, series, reader, p->list[first].record, points, uses));
    }
    return RL_OK;
}

/* Nothing needs to be read where no arithmetic decides anything. */
static bool has_arithmetic(const rl_journal *journal) {
    for (int i = 0; i < journal->settings.n; i++)
        if (journal->settings.list[i].arithmetic != NULL) return true;
    for (int s = 0; s < journal->plan->n_series; s++)
        if (rl_series_by_blas(&journal->plan->series[s])) return true;
    return false;
}

rl_status rl_journal_uses(const rl_journal *journal, rl_arithmetic_uses *uses) {
    *uses = (rl_arithmetic_uses){0};
    if (journal == NULL || !has_arithmetic(journal)) return RL_OK;
    enum { BLOCK = 1 << 16 }; /* tasks mostly stand in the file in their order */
    rl_reader reader = {.path = journal->path, .fd = journal->fd, .size = journal->end, .block = BLOCK};
    rl_status status = RL_OK;
    for (int64_t task = 0; task < journal->plan->n_tasks && status == RL_OK; task++)
        status = add_uses_of_task(journal, task, &reader, uses);
    rl_reader_destroy(&reader);
    if (status != RL_OK) rl_journal_uses_destroy(uses);
    return status;
}

void rl_journal_uses_destroy(rl_arithmetic_uses *uses) {
    for (int i = 0; i < uses->n; i++) rl_free(uses->list[i].arithmetic);
    rl_free(uses->list);
    *uses = (rl_arithmetic_uses){0};
}
