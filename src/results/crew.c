/* What this process asks the crew for, and what it does with the answers. */
#include "crew.h"

#include <string.h>

#include "../numbers.h"

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static bool ask(writer *w, int member, const rl_text *job) {
    return w->crew->ask(w->crew->state, member, job->bytes, job->length);
}

/* What is waited for was to be collected. */
static bool take(writer *w, int member, void *bytes, size_t length) {
    const double start = rl_seconds();
    const bool come = w->crew->take(w->crew->state, member, bytes, length);
    w->seconds.collecting += rl_seconds() - start;
    return come;
}

static bool take_status(writer *w, int member) {
    int64_t status;
    return take(w, member, &status, sizeof status) && status == RL_OK;
}

rl_status rl_crew_begin(writer *w) {
    const rl_crew_job head = {RL_CREW_JOURNAL};
    rl_text job = RL_TEXT_EMPTY;
    if (w->crew == NULL || w->crew->n == 0 || w->journal == NULL) return RL_OK;
    rl_status status = rl_text_append_bytes(&job, &head, sizeof head);
    if (status == RL_OK) status = rl_journal_describe(w->journal, &job);
    for (int m = 0; status == RL_OK && m < w->crew->n && m < RL_MOST_CREW; m++)
        if (ask(w, m, &job)) w->members[w->n_members++] = m;
    rl_free(job.bytes);
    return status;
}

/* ---- shares ------------------------------------------------------------------------------------------------------ */

/* Rows of a part for a member, or, of index 0, for this process, which writes all of them as well: it has a third as
 * many. */
static part share_of(const part *q, int index, int n_members) {
    enum { OF_MEMBER = 3 };
    const size_t all = 1 + OF_MEMBER * (size_t)n_members;
    const size_t begin = index == 0 ? 0 : 1 + OF_MEMBER * ((size_t)index - 1), end = 1 + OF_MEMBER * (size_t)index;
    const size_t first = q->n * begin / all, behind = q->n * end / all;
    return (part){q->array, q->first + first, behind - first, q->width, q->values + first * q->width, q->repeats};
}

/* Of parts [from, n) of a slab. */
static slab share_of_slab(const slab *s, int from, int index, int n_members) {
    slab share = {.n = 0};
    for (int i = from; i < s->n; i++) {
        const part q = share_of(&s->parts[i], index, n_members);
        if (q.n > 0) share.parts[share.n++] = q;
    }
    return share;
}

/* ---- slabs asked for --------------------------------------------------------------------------------------------- */

static bool is_asked(const rl_asked *a, const group *g, const slab *s) {
    return a->g == g && a->slab.parts[0].array == s->parts[0].array && a->slab.parts[0].first == s->parts[0].first;
}

/* *whole: each task at these repeats is there in one record; where these begin goes behind what the job has. */
static rl_status append_offsets(const writer *w, const group *g, rl_range repeats, rl_text *job, bool *whole) {
    *whole = true;
    for (int s = g->first; *whole && s < g->first + g->n_series; s++) {
        int64_t first, end;
        uint64_t *offsets;
        rl_tasks_at(w->plan, s, repeats, &first, &end);
        RL_TRY(RL_ALLOC(offsets, end - first + 1));
        *whole = rl_journal_find_whole(w->journal, first, end, offsets);
        const rl_status status = rl_text_append_bytes(job, offsets, (size_t)(end - first) * sizeof *offsets);
        rl_free(offsets);
        RL_TRY(status);
    }
    return RL_OK;
}

static rl_crew_slab job_of(const writer *w, const group *g, const slab *share, bool is_whole, rl_range repeats) {
    rl_crew_slab job = {.job = {RL_CREW_SLAB}, .group = g - w->groups, .is_whole = is_whole, .repeats = repeats};
    for (const part *q = share->parts; q < share->parts + share->n; q++)
        job.parts[job.n_parts++] = (struct rl_crew_part){q->array, (int64_t)q->first, (int64_t)q->n, (int64_t)q->width};
    return job;
}

static rl_status ask_members(writer *w, rl_asked *a, rl_text *job) {
    const rl_range repeats = a->slab.parts->repeats;
    const rl_crew_slab none = {.n_parts = 0};
    bool whole, any = false;
    RL_TRY(rl_text_append_bytes(job, &none, sizeof none));
    RL_TRY(append_offsets(w, a->g, repeats, job, &whole));
    if (!whole) return RL_OK;
    const bool lacks_nothing = rl_lacks_nothing(w, a->g, a->g->state);
    for (int i = 0; i < w->n_members; i++) {
        const slab share = share_of_slab(&a->slab, 0, i + 1, w->n_members);
        const rl_crew_slab head = job_of(w, a->g, &share, lacks_nothing, repeats);
        memcpy(job->bytes, &head, sizeof head);
        a->is_coming[i] = ask(w, w->members[i], job);
        any |= a->is_coming[i];
        w->has_failed |= !a->is_coming[i];
    }
    w->n_asked += any;
    return RL_OK;
}

rl_status rl_crew_ask(writer *w, const group *g, const slab *s) {
    rl_text job = RL_TEXT_EMPTY;
    if (w->n_members == 0 || w->has_failed || w->n_asked == RL_MOST_ASKED) return RL_OK;
    for (int i = 0; i < w->n_asked; i++)
        if (is_asked(&w->asked[i], g, s)) return RL_OK;
    rl_asked *const a = &w->asked[w->n_asked];
    *a = (rl_asked){.g = g, .slab = *s};
    const rl_status status = ask_members(w, a, &job);
    rl_free(job.bytes);
    return status;
}

bool rl_crew_is_next(const writer *w, const group *g, const slab *s) {
    return w->n_asked > 0 && is_asked(&w->asked[0], g, s);
}

/* ---- putting ----------------------------------------------------------------------------------------------------- */

/* The share does not come, of parts from `from` on: it is collected here. */
static rl_status collect_share(writer *w, const group *g, const curves *c, rl_asked *a, int from, int i) {
    const slab share = share_of_slab(&a->slab, from, i + 1, w->n_members);
    a->is_coming[i] = false;
    w->has_failed = true;
    return share.n > 0 ? rl_make_slab(w, g, c, &share) : RL_OK;
}

/* As many rows as come of a part; how many. */
static rl_status take_rows(writer *w, const group *g, const curves *c, int member, const part *q, size_t *n_taken) {
    const rl_field *field = &rl_fields[q->array];
    const size_t row = q->width * sizeof *q->values;
    some_rows r = rl_first_rows(q);
    *n_taken = 0;
    if (rl_is_reduced(field) && !take(w, member, c->d.reduced + q->first, q->n * sizeof(rl_reduced))) return RL_OK;
    for (bool any = rl_field_kept(field, rl_group_keep(g)); any; any = rl_next_rows(&r)) {
        if (!take(w, member, q->values + r.first * q->width, r.n * row)) return RL_OK;
        RL_TRY(rl_put_values_of(w, &r));
        *n_taken = r.first + r.n;
    }
    *n_taken = q->n;
    return RL_OK;
}

/* Part `at` of a member's share. */
static rl_status put_share(writer *w, const group *g, const curves *c, rl_asked *a, int at, int i) {
    part q = share_of(&a->slab.parts[at], i + 1, w->n_members);
    size_t n_taken = 0;
    if (q.n == 0) return RL_OK;
    if (a->is_coming[i]) {
        RL_TRY(take_rows(w, g, c, w->members[i], &q, &n_taken));
        if (n_taken < q.n) RL_TRY(collect_share(w, g, c, a, at, i));
    }
    q = (part){q.array, q.first + n_taken, q.n - n_taken, q.width, q.values + n_taken * q.width, q.repeats};
    return q.n > 0 ? rl_put_some(w, g, c, &q) : RL_OK;
}

static rl_status put_parts(writer *w, const group *g, const curves *c, rl_asked *a) {
    for (int at = 0; at < a->slab.n; at++) {
        const part *whole = &a->slab.parts[at], own = share_of(whole, 0, w->n_members);
        if (own.n > 0) RL_TRY(rl_put_some(w, g, c, &own));
        for (int i = 0; i < w->n_members; i++) RL_TRY(put_share(w, g, c, a, at, i));
        RL_TRY(rl_end_part(w, c, whole));
    }
    return RL_OK;
}

/* What has been asked for first is what is put now. */
rl_status rl_crew_put(writer *w, const group *g, const curves *c, const slab *s) {
    rl_asked *const a = &w->asked[0];
    a->slab = *s; /* whose values lie where they do now */
    const slab own = share_of_slab(s, 0, 0, w->n_members);
    if (own.n > 0) RL_TRY(rl_make_slab(w, g, c, &own));
    for (int i = 0; i < w->n_members; i++) {
        if (!a->is_coming[i] || !take_status(w, w->members[i])) RL_TRY(collect_share(w, g, c, a, 0, i));
    }
    w->is_shared = true;
    const rl_status status = put_parts(w, g, c, a);
    w->is_shared = false;
    w->n_asked--;
    memmove(w->asked, w->asked + 1, (size_t)w->n_asked * sizeof *w->asked);
    return status;
}

/* ---- the seal ---------------------------------------------------------------------------------------------------- */

rl_status rl_crew_ask_seal(writer *w, const rl_nc_draft *draft, off_t length) {
    rl_text job = RL_TEXT_EMPTY;
    rl_crew_seal head = {.job = {RL_CREW_SEAL}, .length = length};
    if (w->n_members == 0 || w->has_failed || fstat(draft->temporary->fd, &head.file) != 0) return RL_OK;
    rl_status status = rl_text_append_bytes(&job, &head, sizeof head);
    if (status == RL_OK) status = rl_text_append(&job, "%s", draft->temporary->path);
    if (status == RL_OK) w->seal_is_coming = ask(w, w->members[0], &(rl_text){job.bytes, job.length + 1, 0});
    rl_free(job.bytes);
    return status;
}

void rl_crew_get_seal(writer *w, rl_crew_sealed *sealed, bool *there) {
    *there = w->seal_is_coming && take_status(w, w->members[0]) && take(w, w->members[0], sealed, sizeof *sealed);
}
