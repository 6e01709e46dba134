/* What this process asks the crew for, and what it does with it. */
#include "crew.h"

#include <string.h>

#include "../numbers.h"

/* ---- what is shared ---------------------------------------------------------------------------------------------- */

static bool ask(writer *w, int member, const void *job, size_t length) {
    return w->crew->ask(w->crew->state, member, job, length);
}

/* Without it no slab is asked for. */
static void share_memory(writer *w, const rl_layout *l, const rl_text *description) {
    if (!rl_shared_create(l->description + description->length, &w->shared)) return;
    if (rl_shared_fill(&w->shared, l->common, l->reduced - l->common) &&
        rl_shared_fill(&w->shared, l->description, description->length))
        memcpy(w->shared.bytes + l->description, description->bytes, description->length);
    else
        rl_shared_close(&w->shared);
}

static void tell_members(writer *w) {
    rl_crew_begin_job job = {.job = {RL_CREW_BEGIN}, .slab_values = (int64_t)w->slab_values};
    if (!rl_shared_name(&w->shared, &job.name)) return;
    for (int m = 0; m < w->crew->n && m < RL_MOST_CREW; m++)
        if (ask(w, m, &job, sizeof job)) w->members[w->n_members++] = m;
}

rl_status rl_crew_begin(writer *w) {
    const rl_layout l = rl_crew_layout(w->plan, w->slab_values);
    rl_text description = RL_TEXT_EMPTY;
    if (w->crew == NULL || w->crew->n == 0 || w->journal == NULL) return RL_OK;
    const rl_status status = rl_journal_describe(w->journal, &description);
    if (status == RL_OK) share_memory(w, &l, &description);
    rl_free(description.bytes);
    if (status == RL_OK && w->shared.bytes != NULL) tell_members(w);
    return status;
}

/* Members make no slabs any more. One that hangs may yet write to what was shared. */
static void leave_members(writer *w) {
    if (w->shared.bytes == NULL) return;
    atomic_store(&rl_crew_common(w)->is_over, true);
    rl_shared_close(&w->shared);
    w->slab = NULL;
    w->n_asked = 0;
}

static rl_status go_on_alone(writer *w) {
    leave_members(w);
    w->has_failed = true;
    return rl_alloc_unset(&w->slab, w->slab_values, sizeof *w->slab);
}

rl_status rl_crew_make_room(writer *w) {
    if (w->shared.bytes == NULL) return rl_alloc_unset(&w->slab, w->slab_values, sizeof *w->slab);
    if (!rl_crew_fill(w, w->half, w->crew->patience)) return go_on_alone(w);
    w->slab = rl_crew_values(w, w->half);
    return RL_OK;
}

void rl_crew_end(writer *w) {
    const rl_crew_job job = {RL_CREW_END};
    const bool any = w->shared.bytes != NULL;
    leave_members(w);
    for (int i = 0; any && i < w->n_members; i++) ask(w, w->members[i], &job, sizeof job);
    rl_free(w->slab);
    w->slab = NULL;
}

/* ---- slabs asked for --------------------------------------------------------------------------------------------- */

static bool is_asked(const rl_asked *a, const group *g, const slab *s) {
    return a->g == g && a->slab.parts[0].array == s->parts[0].array && a->slab.parts[0].first == s->parts[0].first;
}

/* *whole: each task at these repeats is there in one record; where these begin members see. */
static void show_offsets(const writer *w, const group *g, rl_range repeats, bool *whole) {
    *whole = true;
    for (int s = g->first; *whole && s < g->first + g->n_series; s++) {
        int64_t first, end;
        rl_tasks_at(w->plan, s, repeats, &first, &end);
        *whole = rl_journal_find_whole(w->journal, first, end, rl_crew_offsets(w) + first);
    }
}

static rl_crew_slab job_of(const writer *w, const rl_asked *a, bool is_whole) {
    rl_crew_slab job = {.job = {RL_CREW_SLAB},
                        .group = a->g - w->groups,
                        .is_whole = is_whole,
                        .half = a->half,
                        .number = a->number,
                        .repeats = a->slab.parts->repeats};
    for (const part *q = a->slab.parts; q < a->slab.parts + a->slab.n; q++)
        job.parts[job.n_parts++] = (struct rl_crew_part){q->array, (int64_t)q->first, (int64_t)q->n, (int64_t)q->width};
    return job;
}

/* One that does not take it does nothing of the slab. */
static void ask_members(writer *w, const rl_asked *a) {
    const rl_slab_work k = rl_slab_work_on(w, a->g, &a->slab, a->half, a->number);
    const rl_crew_slab job = job_of(w, a, rl_lacks_nothing(w, a->g, a->g->state));
    bool any = false;
    if (!rl_work_begin(&k)) return;
    for (int i = 0; i < w->n_members; i++) any |= ask(w, w->members[i], &job, sizeof job);
    w->n_asked += any;
}

/* In the half that is not used now, or by a slab that waits. */
void rl_crew_ask(writer *w, const group *g, const slab *s, bool ahead) {
    bool whole;
    if (w->n_members == 0 || w->shared.bytes == NULL || w->n_asked == RL_HALVES) return;
    for (int i = 0; i < w->n_asked; i++)
        if (is_asked(&w->asked[i], g, s)) return;
    rl_asked *const a = &w->asked[w->n_asked];
    const int half = w->n_asked > 0 ? 1 - w->asked[0].half : ahead ? 1 - w->half : w->half;
    show_offsets(w, g, s->parts->repeats, &whole);
    *a = (rl_asked){.g = g, .slab = *s, .half = half, .number = ++w->n_old};
    if (whole) ask_members(w, a);
}

bool rl_crew_is_next(const writer *w, const group *g, const slab *s) {
    return w->n_asked > 0 && is_asked(&w->asked[0], g, s);
}

/* ---- making and putting ------------------------------------------------------------------------------------------ */

/* *done: what others have taken is done; else they have failed, or somebody hangs. */
static void await_others(const writer *w, const rl_slab_work *k, rl_phase phase, bool *done) {
    double since = rl_seconds();
    int64_t before = -1;
    for (*done = false; !*done && !rl_work_is_over(k, phase); rl_work_wait(since)) {
        const int64_t now = rl_work_count(k, phase);
        if (now != before) since = rl_seconds();
        before = now;
        *done = rl_work_is_done(k, phase);
        if (!*done && rl_seconds() - since > w->crew->patience) break;
    }
}

/* This process's part of all phases, until all is done. */
static rl_status make_with_members(writer *w, const rl_slab_work *k, bool *done) {
    *done = true;
    for (int phase = 0; *done && phase < RL_N_PHASES; phase++) {
        double *const seconds = phase == RL_REDUCES ? &w->seconds.reducing : &w->seconds.collecting;
        const double start = rl_seconds();
        RL_TRY(rl_work_in(k, (rl_phase)phase));
        await_others(w, k, (rl_phase)phase, done);
        *seconds += rl_seconds() - start;
    }
    return RL_OK;
}

static rl_status put_made(const rl_slab_work *k) {
    const rl_reduced *reduced = k->reduced;
    for (const part *q = k->slab.parts; q < k->slab.parts + k->slab.n; q++) {
        const bool is_reduced = reduced != NULL && rl_is_reduced(&rl_fields[q->array]);
        if (is_reduced) rl_take_reduced(k->c, q, reduced);
        RL_TRY((is_reduced ? rl_put_reduced : rl_put_part)(k->w, k->g, k->c, q));
        if (is_reduced) reduced += q->n;
    }
    return RL_OK;
}

/* What has been asked for first is what is put now. */
rl_status rl_crew_put(writer *w, const group *g, const curves *c, const slab *s) {
    const rl_asked a = w->asked[0];
    const rl_slab_work k = rl_slab_work_on(w, g, s, a.half, a.number);
    bool done = false;
    w->n_asked--;
    memmove(w->asked, w->asked + 1, (size_t)w->n_asked * sizeof *w->asked);
    w->half = a.half;
    w->slab = k.slab.parts->values;
    if (rl_crew_fill(w, a.half, w->crew->patience)) RL_TRY(make_with_members(w, &k, &done));
    if (!done) {
        RL_TRY(go_on_alone(w));
        return rl_put_alone(w, g, c, *s);
    }
    return put_made(&k);
}

/* ---- the seal ---------------------------------------------------------------------------------------------------- */

rl_status rl_crew_ask_seal(writer *w, const rl_nc_draft *draft, off_t length) {
    rl_text job = RL_TEXT_EMPTY;
    rl_crew_seal head = {.job = {RL_CREW_SEAL}, .length = length};
    if (w->n_members == 0 || w->has_failed || fstat(draft->temporary->fd, &head.file) != 0) return RL_OK;
    rl_status status = rl_text_append_bytes(&job, &head, sizeof head);
    if (status == RL_OK) status = rl_text_append(&job, "%s", draft->temporary->path);
    if (status == RL_OK) w->seal_is_coming = ask(w, w->members[0], job.bytes, job.length + 1);
    rl_free(job.bytes);
    return status;
}

static bool take(writer *w, void *bytes, size_t length) {
    return w->crew->take(w->crew->state, w->members[0], bytes, length);
}

void rl_crew_get_seal(writer *w, rl_crew_sealed *sealed, bool *there) {
    int64_t status;
    *there = w->seal_is_coming && take(w, &status, sizeof status) && status == RL_OK && take(w, sealed, sizeof *sealed);
}
