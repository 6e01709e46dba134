/* What there is of each task of the plan, and where in the file it stands; its records, read again. */
#include <stdlib.h>

#include "journal.h"

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* Whether a place is before all places of N i whose repeats end behind `repeat`. */
static bool is_before(const rl_place *place, int i, int repeat) {
    return place->i < i || (place->i == i && rl_range_end(place->repeats) <= repeat);
}

static int first_from(const rl_places *p, int i, int repeat) {
    int low = 0, high = p->n;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (is_before(&p->list[middle], i, repeat))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* *place: that of N i from which on repeats end behind `repeat`; false: there is none. */
static bool find_place(const rl_places *places, const rl_task *task, int i, int repeat, rl_place *place) {
    if (places->whole != 0) {
        *place = (rl_place){.record = places->whole, .i = i, .repeats = task->repeats};
        return repeat < rl_range_end(task->repeats);
    }
    const int found = first_from(places, i, repeat);
    if (found == places->n || places->list[found].i != i) return false;
    *place = places->list[found];
    return true;
}

static int64_t count_points(const rl_places *p, const rl_task *task) {
    int64_t n = p->whole != 0 ? (int64_t)task->n_train.n * task->repeats.n : 0;
    for (int k = 0; k < p->n; k++) n += p->list[k].repeats.n;
    return n;
}

static bool is_whole(const rl_places *p, const rl_task *task) {
    return count_points(p, task) == (int64_t)task->n_train.n * task->repeats.n;
}

/* ---- noting ------------------------------------------------------------------------------------------------------ */

/* The N that a task and a record both have. */
typedef struct common {
    const int *n_train; /* [n], of the task */
    const rl_record *record;
    int n, i, k; /* k: index of the record's, i: of the task's */
} common;

static common common_of(const rl_plan *plan, int64_t task, const rl_record *record) {
    const rl_task *t = &plan->tasks[task];
    common c = {plan->series[t->series].n_train + t->n_train.first, record, t->n_train.n, -1, -1};
    int low = 0, high = record->n; /* a record may have many more N than one of its tasks */
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (record->outcomes[middle].n_train < c.n_train[0])
            low = middle + 1;
        else
            high = middle;
    }
    c.k = low - 1;
    return c;
}

/* On to the next one, if there is one. */
static bool next_common(common *c) {
    const rl_outcome *outcomes = c->record->outcomes;
    c->i++;
    c->k++;
    while (c->i < c->n && c->k < c->record->n && c->n_train[c->i] != outcomes[c->k].n_train) {
        if (c->n_train[c->i] < outcomes[c->k].n_train)
            c->i++;
        else
            c->k++;
    }
    return c->i < c->n && c->k < c->record->n;
}

/* The places of a record among those that were there: merged[old->n + record->n]; how many they are. */
static int merge_places(const rl_places *old, common c, uint64_t offset, rl_place *merged, bool *noted) {
    const rl_range repeats = c.record->repeats;
    int from = 0, n = 0;
    while (next_common(&c)) {
        while (from < old->n && is_before(&old->list[from], c.i, repeats.first)) merged[n++] = old->list[from++];
        const rl_place *there = from < old->n ? &old->list[from] : NULL;
        if (there != NULL && there->i == c.i && there->repeats.first < rl_range_end(repeats)) {
            if (repeats.n > 1 || there->repeats.n > 1) continue;
            from++;
        }
        merged[n++] = (rl_place){offset, c.i, c.record->outcomes[c.k].outcome, repeats};
        *noted = true;
    }
    while (from < old->n) merged[n++] = old->list[from++];
    return n;
}

/* Whether all N and repeats of a task are in a record, and well. */
static bool holds_all(const rl_task *task, common c) {
    const rl_range repeats = c.record->repeats;
    int n = 0;
    if (repeats.first != task->repeats.first || repeats.n != task->repeats.n) return false;
    while (next_common(&c)) n += c.record->outcomes[c.k].outcome == 0;
    return n == task->n_train.n;
}

/* Whether a record of the whole task takes the place of all that is there. */
static bool takes_all(const rl_places *p, const rl_task *task) {
    return task->repeats.n == 1 || (p->whole == 0 && p->n == 0);
}

static void note_whole(rl_places *p, uint64_t offset) {
    rl_free(p->list);
    *p = (rl_places){.whole = offset};
}

/* The one record becomes a list. */
static rl_status list_places(rl_places *p, const rl_task *task) {
    if (p->whole == 0) return RL_OK;
    RL_TRY(RL_ALLOC(p->list, task->n_train.n));
    for (; p->n < task->n_train.n; p->n++)
        p->list[p->n] = (rl_place){.record = p->whole, .i = p->n, .repeats = task->repeats};
    p->whole = 0;
    return RL_OK;
}

static void note_state(rl_places *p, const rl_task *task, const rl_record *record, uint64_t offset) {
    if (is_whole(p, task)) return;
    p->state = offset;
    p->step = record->step;
}

rl_status rl_places_note(rl_journal *journal, int64_t task, const rl_record *record, uint64_t offset, bool *noted) {
    const rl_task *t = &journal->plan->tasks[task];
    const common start = common_of(journal->plan, task, record);
    rl_places *p = &journal->places[task];
    rl_place *merged;
    bool any = false;
    int n = 0;
    for (common c = start; next_common(&c);) n++;
    if (n == 0) return RL_OK;
    if (record->step != RL_FINISHED) {
        note_state(p, t, record, offset);
        return RL_OK;
    }
    if (holds_all(t, start) && takes_all(p, t)) {
        note_whole(p, offset);
        *noted = true;
        return RL_OK;
    }
    RL_TRY(list_places(p, t));
    RL_TRY(RL_ALLOC(merged, p->n + n));
    p->n = merge_places(p, start, offset, merged, &any);
    rl_free(p->list);
    p->list = merged;
    if (any) p->state = 0;
    *noted |= any;
    return RL_OK;
}

/* ---- what there is ----------------------------------------------------------------------------------------------- */

static const rl_places *places_of(const rl_journal *journal, int64_t task) {
    static const rl_places none = {0};
    return journal != NULL ? &journal->places[task] : &none;
}

bool rl_journal_missing(const rl_journal *journal, const rl_plan *plan, int64_t task, int i, int from,
                        rl_range *missing) {
    const rl_places *p = places_of(journal, task);
    const rl_range repeats = plan->tasks[task].repeats;
    int first = from > repeats.first ? from : repeats.first, end = rl_range_end(repeats);
    if (p->whole != 0) first = end;
    for (int k = first_from(p, i, first); k < p->n && p->list[k].i == i; k++) {
        const rl_range there = p->list[k].repeats;
        if (there.first > first) {
            end = there.first;
            break;
        }
        first = rl_range_end(there);
    }
    *missing = (rl_range){first, end - first};
    return first < end;
}

int rl_journal_outcome(const rl_journal *journal, int64_t task, int i, bool *there) {
    rl_place place = {0};
    *there = journal != NULL && find_place(&journal->places[task], &journal->plan->tasks[task], i, 0, &place);
    return place.outcome;
}

bool rl_journal_has(const rl_journal *journal, const rl_plan *plan, int64_t task) {
    return is_whole(places_of(journal, task), &plan->tasks[task]);
}

int rl_journal_step(const rl_journal *journal, int64_t task) {
    const rl_places *p = places_of(journal, task);
    return p->state != 0 ? p->step : RL_FINISHED;
}

void rl_places_add_to_tally(const rl_journal *journal, const rl_plan *plan, int64_t task, rl_tally *t) {
    const rl_places *p = places_of(journal, task);
    const rl_task *of = &plan->tasks[task];
    const rl_kind *kind = plan->series[of->series].kind;
    int64_t least = of->repeats.n, most = 0, failed = 0;
    for (int i = 0, k = 0; i < of->n_train.n; i++) {
        int64_t n = p->whole != 0 ? of->repeats.n : 0;
        for (; k < p->n && p->list[k].i == i; k++) {
            n += p->list[k].repeats.n;
            failed += kind->failed(p->list[k].outcome);
        }
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    const int64_t points = (int64_t)of->n_train.n * of->repeats.n, there = count_points(p, of);
    t->pieces += of->repeats.n;
    t->done += least;
    t->begun += most - least > 0 ? most - least : p->state != 0;
    t->points += points;
    t->points_done += there - failed;
    t->points_missing += points - there;
    t->points_failed += failed;
}

rl_tally rl_journal_tally(const rl_journal *journal, const rl_plan *plan, int first, int end) {
    rl_tally t = {0};
    if (first >= end) return t;
    const int64_t behind = rl_plan_end_of_tasks(plan, end - 1);
    for (int64_t task = plan->series[first].first_task; task < behind; task++)
        rl_places_add_to_tally(journal, plan, task, &t);
    return t;
}

double rl_journal_bytes(const rl_journal *journal, const rl_plan *plan) {
    const double block = 1 << 20;
    double bytes = block + (double)plan->n_tasks * (double)sizeof(rl_places);
    for (int64_t i = 0; journal != NULL && i < plan->n_tasks; i++)
        if (journal->places[i].list != NULL)
            bytes += (double)rl_alloc_bytes((size_t)journal->places[i].n, sizeof(rl_place));
    return bytes;
}

/* ---- records read again ------------------------------------------------------------------------------------------ */

static int compare_offsets(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Where records of which something counts begin, or else the state: each once, in their order; how many they are. */
static int list_offsets(const rl_places *p, uint64_t *offsets) {
    int n = 0;
    if (p->whole != 0) offsets[n++] = p->whole;
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
    for (int k = 0; k < record->n; k++) target[k] = -1;
    for (common c = common_of(journal->plan, task, record); next_common(&c);) {
        rl_place place;
        const bool there =
            find_place(&journal->places[task], &journal->plan->tasks[task], c.i, record->repeats.first, &place);
        if (record->step != RL_FINISHED || (there && place.record == offset)) target[c.k] = c.i;
    }
}

static rl_status visit_record(const rl_journal *journal, int64_t task, rl_reader *reader, uint64_t offset,
                              rl_task_visitor visit, void *state) {
    rl_record_head head;
    const rl_verdict *verdict;
    const char *bytes;
    int *target;
    RL_TRY(rl_journal_get_again(reader, offset, &head, &bytes));
    rl_record record = rl_journal_take_apart(&head, bytes);
    const int series = journal->plan->tasks[task].series;
    RL_TRY(rl_settings_judge(&journal->settings, journal->plan, rl_head_settings(&head), series, &verdict));
    if (verdict != NULL) rl_verdict_apply(verdict, &record);
    RL_TRY(RL_ALLOC(target, record.n));
    choose_targets(journal, task, &record, offset, target);
    const rl_status status = visit(state, task, &record, target);
    rl_free(target);
    return status;
}

static rl_status visit_task(const rl_journal *journal, int64_t task, rl_reader *reader, rl_task_visitor visit,
                            void *state) {
    const rl_places *p = &journal->places[task];
    uint64_t *offsets;
    RL_TRY(RL_ALLOC(offsets, p->n + 1));
    const int n = list_offsets(p, offsets);
    rl_status status = RL_OK;
    for (int k = 0; k < n && status == RL_OK; k++)
        status = visit_record(journal, task, reader, offsets[k], visit, state);
    rl_free(offsets);
    return status;
}

/* Tasks mostly stand in the file in their order. */
rl_status rl_journal_visit_tasks(const rl_journal *journal, int64_t first, int64_t end, rl_task_visitor visit,
                                 void *state) {
    enum { BLOCK = 1 << 16 };
    if (journal == NULL) return RL_OK;
    rl_reader reader = {.path = journal->path, .fd = journal->fd, .size = journal->end, .block = BLOCK};
    rl_status status = RL_OK;
    for (int64_t task = first; task < end && status == RL_OK; task++)
        status = visit_task(journal, task, &reader, visit, state);
    rl_reader_destroy(&reader);
    return status;
}

typedef struct plain_visit {
    rl_record_visitor visit;
    void *state;
} plain_visit;

static rl_status visit_plainly(void *state, int64_t task, const rl_record *record, const int *target) {
    const plain_visit *v = state;
    (void)task;
    return v->visit(v->state, record, target);
}

rl_status rl_journal_visit(const rl_journal *journal, int64_t task, rl_record_visitor visit, void *state) {
    return rl_journal_visit_tasks(journal, task, task + 1, visit_plainly, &(plain_visit){visit, state});
}
