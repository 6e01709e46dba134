/* The work on a slab, as this process and its crew share it: portions of phases, which whoever is free takes. */
#include "crew.h"

#include <string.h>
#include <time.h>

#include "../numbers.h"

/* ---- what is shared ---------------------------------------------------------------------------------------------- */

/* Of the values of a slab, statistics may take as many bytes again as a fourth part: then sets have some dozens of
 * values or more. */
static size_t bytes_of_reduced(size_t slab_values) {
    return slab_values * sizeof(double) / 4;
}

rl_layout rl_crew_layout(const rl_plan *plan, size_t slab_values) {
    rl_layout l = {.of_values = rl_shared_rounded(slab_values * sizeof(double)),
                   .of_reduced = bytes_of_reduced(slab_values) / sizeof(double) * sizeof(double)};
    l.common = RL_HALVES * l.of_values;
    l.offsets = l.common + sizeof(rl_common);
    l.reduced = l.offsets + (size_t)plan->n_tasks * sizeof(uint64_t);
    l.description = l.reduced + RL_HALVES * l.of_reduced;
    return l;
}

rl_common *rl_crew_common(const writer *w) {
    const rl_layout l = rl_crew_layout(w->plan, w->slab_values);
    return (void *)(w->shared.bytes + l.common);
}

uint64_t *rl_crew_offsets(const writer *w) {
    const rl_layout l = rl_crew_layout(w->plan, w->slab_values);
    return (void *)(w->shared.bytes + l.offsets);
}

double *rl_crew_values(const writer *w, int half) {
    const rl_layout l = rl_crew_layout(w->plan, w->slab_values);
    return (void *)(w->shared.bytes + (size_t)half * l.of_values);
}

/* Rows of all fields of a group that are reduced, of curves. */
static size_t count_sets(const group *g) {
    const curves *c = g->state;
    size_t n = 0;
    for (int f = 0; f < RL_N_FIELDS; f++)
        if (rl_is_reduced(&rl_fields[f])) n += c->extents[f].n_rows;
    return n;
}

double rl_crew_bytes(const writer *w) {
    const rl_layout l = rl_crew_layout(w->plan, w->slab_values);
    size_t most = 0;
    bool any = false;
    for (const group *g = w->groups; g < w->groups + w->n_groups; g++) {
        if (g->writer != &rl_curves_writer) continue;
        most = rl_larger(most, count_sets(g));
        any = true;
    }
    const size_t reduced = RL_HALVES * rl_smaller(l.of_reduced, most * sizeof(rl_reduced));
    return any ? (double)(l.of_values + l.reduced - l.common + reduced) : 0;
}

/* Two that took it at once would wait for each other, page by page. */
static rl_half_memory take_memory(const writer *w, int half, double patience) {
    const rl_layout l = rl_crew_layout(w->plan, w->slab_values);
    rl_common *const common = rl_crew_common(w);
    rl_half_memory memory = RL_NOT_TAKEN;
    if (atomic_compare_exchange_strong(&common->memory[half], &memory, RL_BEING_TAKEN)) {
        memory = rl_shared_fill(&w->shared, (size_t)half * l.of_values, l.of_values) ? RL_TAKEN : RL_NOT_THERE;
        atomic_store(&common->memory[half], memory);
        return memory;
    }
    const double start = rl_seconds();
    while ((memory = atomic_load(&common->memory[half])) == RL_BEING_TAKEN && !atomic_load(&common->is_over) &&
           rl_seconds() - start < patience)
        rl_work_wait(start);
    if (memory == RL_TAKEN) rl_shared_meet(&w->shared, (size_t)half * l.of_values, l.of_values);
    return memory;
}

bool rl_crew_fill(writer *w, int half, double patience) {
    if (!w->is_filled[half]) w->is_filled[half] = take_memory(w, half, patience) == RL_TAKEN;
    return w->is_filled[half];
}

static size_t count_reduced(const slab *s) {
    size_t n = 0;
    for (const part *q = s->parts; q < s->parts + s->n; q++)
        if (rl_is_reduced(&rl_fields[q->array])) n += q->n;
    return n;
}

/* ---- portions of rows -------------------------------------------------------------------------------------------- */

/* Whether a phase is one of this part's rows. Of what is whole nothing shows but modes that spectra do not have. */
static bool has_phase(const rl_slab_work *k, rl_phase phase, const part *q) {
    const rl_field *field = &rl_fields[q->array];
    if (phase == RL_REDUCES) return k->reduced != NULL && rl_is_reduced(field);
    return !k->c->is_whole || field->kind == RL_FIELD_MODE || field->kind == RL_FIELD_DIRECTION;
}

/* As many rows as go together are a portion. */
static int64_t count_portions(const part *q) {
    const size_t together = rl_first_rows(q).n;
    return (int64_t)rl_ceiling(q->n, together);
}

static int64_t count_row_portions(const rl_slab_work *k, rl_phase phase) {
    int64_t n = 0;
    for (const part *q = k->slab.parts; q < k->slab.parts + k->slab.n; q++)
        if (has_phase(k, phase, q)) n += count_portions(q);
    return n;
}

/* *before: rows of parts before it that are reduced. */
static some_rows find_rows(const rl_slab_work *k, rl_phase phase, int64_t portion, size_t *before) {
    const part *q = k->slab.parts;
    for (*before = 0; !has_phase(k, phase, q) || portion >= count_portions(q); q++) {
        if (has_phase(k, phase, q)) portion -= count_portions(q);
        if (rl_is_reduced(&rl_fields[q->array])) *before += q->n;
    }
    const size_t together = rl_first_rows(q).n, first = (size_t)portion * together;
    return (some_rows){q, first, rl_smaller(together, q->n - first)};
}

static void clear_rows(const rl_slab_work *k, int64_t portion) {
    size_t before;
    const some_rows r = find_rows(k, RL_CLEARS, portion, &before);
    part q = *r.part;
    q.first += r.first;
    q.n = r.n;
    q.values += r.first * q.width;
    rl_clear_part(k->c, &q);
}

static void reduce_rows(const rl_slab_work *k, int64_t portion) {
    size_t before;
    const some_rows r = find_rows(k, RL_REDUCES, portion, &before);
    rl_reduce_some(k->c, &r, k->reduced + before + r.first);
}

/* ---- portions of tasks ------------------------------------------------------------------------------------------- */

typedef struct some_tasks {
    int64_t first, end;
} some_tasks;

static some_tasks tasks_of(const rl_slab_work *k, int series) {
    some_tasks t;
    rl_tasks_at(k->w->plan, k->g->first + series, k->slab.parts->repeats, &t.first, &t.end);
    return t;
}

/* Tasks of a portion: so many that what they write lies side by side, or fewer, so that there is something for all. */
static int64_t choose_tasks_together(const rl_slab_work *k) {
    enum { MOST = 32, PIECES = 16 };
    int64_t n = 0;
    for (int s = 0; s < k->g->n_series; s++) n += tasks_of(k, s).end - tasks_of(k, s).first;
    return rl_larger((int64_t)1, rl_smaller((int64_t)MOST, n / PIECES));
}

static int64_t portions_of_tasks(const rl_slab_work *k, some_tasks t) {
    return rl_ceiling(t.end - t.first, k->tasks_together);
}

static int64_t count_task_portions(const rl_slab_work *k) {
    int64_t n = 0;
    for (int s = 0; s < k->g->n_series; s++) n += portions_of_tasks(k, tasks_of(k, s));
    return n;
}

static rl_status collect_tasks(const rl_slab_work *k, int64_t portion) {
    const int64_t together = k->tasks_together;
    some_tasks t = tasks_of(k, 0);
    for (int s = 0; t.first + portion * together >= t.end; t = tasks_of(k, ++s)) portion -= portions_of_tasks(k, t);
    const int64_t first = t.first + portion * together;
    return rl_collect_tasks(k->w, k->g, &k->slab, first, rl_smaller(first + together, t.end));
}

/* ---- phases ------------------------------------------------------------------------------------------------------ */

static int64_t count_in_phase(const rl_slab_work *k, rl_phase phase) {
    return phase == RL_COLLECTS ? count_task_portions(k) : count_row_portions(k, phase);
}

rl_slab_work rl_slab_work_on(writer *w, const group *g, const slab *s, int half, uint32_t number) {
    const rl_layout l = rl_crew_layout(w->plan, w->slab_values);
    rl_slab_work k = {.w = w,
                      .g = g,
                      .c = g->state,
                      .common = rl_crew_common(w),
                      .slab = *s,
                      .reduced = (void *)(w->shared.bytes + l.reduced + (size_t)half * l.of_reduced),
                      .half = half,
                      .number = number};
    rl_place_slab(&k.slab, rl_crew_values(w, half));
    if (count_reduced(s) * sizeof(rl_reduced) > l.of_reduced) k.reduced = NULL;
    k.tasks_together = choose_tasks_together(&k);
    for (int phase = 0; phase < RL_N_PHASES; phase++) k.n_portions[phase] = count_in_phase(&k, (rl_phase)phase);
    return k;
}

static struct rl_board *board_of(const rl_slab_work *k, rl_phase phase) {
    return &k->common->boards[k->half][phase];
}

static uint64_t number_above(uint32_t number) {
    return (uint64_t)number << 32;
}

bool rl_work_begin(const rl_slab_work *k) {
    const size_t first = k->reduced == NULL ? 0 : (size_t)((const char *)k->reduced - k->w->shared.bytes);
    const size_t of_reduced = count_reduced(&k->slab) * sizeof *k->reduced;
    if (k->reduced != NULL && of_reduced > 0 && !rl_shared_fill(&k->w->shared, first, of_reduced)) return false;
    for (int phase = 0; phase < RL_N_PHASES; phase++) {
        struct rl_board *b = board_of(k, (rl_phase)phase);
        atomic_store(&b->n_done, 0);
        atomic_store(&b->next, number_above(k->number));
    }
    return true;
}

/* Of another slab nothing is taken: that of before is done. */
bool rl_work_take(const rl_slab_work *k, rl_phase phase, int64_t *portion) {
    const int64_t n = k->n_portions[phase];
    struct rl_board *b = board_of(k, phase);
    uint64_t next = atomic_load(&b->next);
    for (;;) {
        *portion = (int64_t)(next - number_above(k->number));
        if (next >> 32 != k->number || *portion >= n || atomic_load(&k->common->is_over)) return false;
        if (atomic_compare_exchange_weak(&b->next, &next, next + 1)) return true;
    }
}

static rl_status do_portion(const rl_slab_work *k, rl_phase phase, int64_t portion) {
    if (phase == RL_COLLECTS) return collect_tasks(k, portion);
    (phase == RL_CLEARS ? clear_rows : reduce_rows)(k, portion);
    return RL_OK;
}

rl_status rl_work_in(const rl_slab_work *k, rl_phase phase) {
    rl_status status = RL_OK;
    for (int64_t portion; status == RL_OK && rl_work_take(k, phase, &portion);) {
        status = do_portion(k, phase, portion);
        if (status == RL_OK) atomic_fetch_add(&board_of(k, phase)->n_done, 1);
    }
    if (status != RL_OK) atomic_store(&k->common->is_over, true);
    return status;
}

int64_t rl_work_count(const rl_slab_work *k, rl_phase phase) {
    return atomic_load(&board_of(k, phase)->n_done);
}

bool rl_work_is_done(const rl_slab_work *k, rl_phase phase) {
    return rl_work_count(k, phase) == k->n_portions[phase];
}

bool rl_work_is_over(const rl_slab_work *k, rl_phase phase) {
    return atomic_load(&k->common->is_over) || atomic_load(&board_of(k, phase)->next) >> 32 != k->number;
}

void rl_work_wait(double since) {
    const double short_while = 1e-3;
    if (rl_seconds() - since > short_while) nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}
