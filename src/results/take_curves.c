/* What the journal has of curves goes to slabs: of each record every N to its place in every field, some curves at a
 * time so that what lies side by side is written side by side. */
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "curves.h"

/* Whether the journal has every number of the group, so that nothing shows of what stood in a slab before. */
bool rl_lacks_nothing(const writer *w, const group *g, const curves *c) {
    const rl_tally t = rl_journal_tally(w->journal, w->plan, g->first, g->first + g->n_series);
    bool whole = t.points_missing == 0 && t.points_failed == 0;
    for (size_t set = 0; set < c->d.n_p * c->d.n_n; set++) whole = whole && c->d.index[set] >= 0;
    return whole;
}

/* What is there without any record. Of modes there are fewer than a row has. */
void rl_clear_part(const curves *c, const part *q) {
    const rl_field_kind kind = rl_fields[q->array].kind;
    const bool is_status = kind == RL_FIELD_STATUS;
    if (c->is_whole && kind != RL_FIELD_MODE && kind != RL_FIELD_DIRECTION) return;
    for (size_t i = 0; i < q->n * q->width; i++) q->values[i] = NAN;
    for (size_t i = 0; is_status && i < q->n; i++)
        q->values[i] = c->d.index[(q->first + i) / (size_t)q->repeats.n] >= 0 ? RL_CELL_MISSING : RL_CELL_NOT_ASKED;
}

enum { TOGETHER = 16, AHEAD = 6 }; /* doubles in two lines of the cache, which processors fetch in pairs; variants */

/* Of one set at n repeats: what lies side by side is written side by side. */
static void take_reduced(const curves *c, const part *q, const point *at, int n) {
    const rl_field *field = &rl_fields[q->array];
    const size_t entries = field->kind == RL_FIELD_CELL ? c->d.n_variants : 1, n_sets = c->d.n_p * c->d.n_n;
    const size_t first = (size_t)q->repeats.first;
    const double *from[TOGETHER];
    for (int i = 0; i < n; i++) from[i] = at[i].curve + rl_field_offset(field, at[i].layout) + at[i].k * entries;
    for (size_t e = 0; e < entries; e++) {
        const size_t row = e * n_sets + at->set;
        if (row < q->first || row >= q->first + q->n) continue;
        double *const to = q->values + (row - q->first) * q->width;
        if (row + AHEAD * n_sets < q->first + q->n)
            __builtin_prefetch(to + AHEAD * n_sets * q->width + at[0].repeat - first, 1);
        for (int i = 0; i < n; i++) to[at[i].repeat - first] = from[i][e];
    }
}

/* A record may have fewer modes than the widest of the group, or more. */
static void take_row(const curves *c, const part *q, const point *at) {
    const rl_field *field = &rl_fields[q->array];
    const size_t row = at->set * (size_t)q->repeats.n + at->repeat - (size_t)q->repeats.first;
    const bool has_modes = field->kind == RL_FIELD_MODE || field->kind == RL_FIELD_DIRECTION;
    const size_t per_mode = field->kind == RL_FIELD_DIRECTION ? c->n_directions : 1;
    const size_t there = has_modes ? (size_t)at->layout->max_modes * per_mode : 1;
    if (row < q->first || row >= q->first + q->n) return;
    memcpy(q->values + (row - q->first) * q->width, at->curve + rl_field_offset(field, at->layout) + at->k * there,
           rl_smaller(there, q->width) * sizeof *q->values);
}

/* What a slab has of n points of one set. */
static void take_field(const curves *c, const part *q, const point *at, int n) {
    const rl_field *field = &rl_fields[q->array];
    point done[TOGETHER];
    int n_done = 0;
    for (int i = 0; i < n; i++)
        if (field->kind == RL_FIELD_STATUS || rl_curve_status(at[i].layout, at[i].curve, (int)at[i].k) == RL_CELL_DONE)
            done[n_done++] = at[i];
    if (rl_is_reduced(field) && n_done > 0) take_reduced(c, q, done, n_done);
    for (int i = 0; !rl_is_reduced(field) && i < n_done; i++) take_row(c, q, &done[i]);
}

/* Curves of the same N at several repeats. */
typedef struct bundle {
    const curves *c;
    const slab *s;
    rl_point_taker take;
    size_t p; /* the index of their series in the group */
    rl_range n_train;
    rl_curve_layout layouts[TOGETHER];
    double *curves[TOGETHER]; /* owned */
    size_t repeats[TOGETHER];
    int n;
} bundle;

static void forget_bundle(bundle *b) {
    while (b->n > 0) rl_free(b->curves[--b->n]);
}

/* Points that count go to all parts of the slab; target NULL: all of them do. */
static void take_bundle(bundle *b, const int *target, int n) {
    const curves *c = b->c;
    point points[TOGETHER];
    for (int k = 0; b->n > 0 && k < n; k++) {
        if (target != NULL && target[k] < 0) continue;
        const int i = b->n_train.first + (target != NULL ? target[k] : k);
        const size_t set = b->p * c->d.n_n + (size_t)c->place[b->p * c->d.n_n + (size_t)i];
        for (int r = 0; r < b->n; r++) points[r] = (point){&b->layouts[r], b->curves[r], (size_t)k, set, b->repeats[r]};
        for (const part *q = b->s->parts; q < b->s->parts + b->s->n; q++) b->take(c, q, points, b->n);
    }
    forget_bundle(b);
}

static bool counts_whole(const taken *t, const rl_record *record, const int *target) {
    bool whole = record->n == t->task->n_train.n;
    for (int k = 0; whole && k < record->n; k++) whole = target[k] == k;
    return whole;
}

/* Small curves that are there as a whole wait for others like them. */
static rl_status take_curve(const taken *t, const rl_record *record, const int *target, bool *sound) {
    enum { SMALL = 1 << 16 };
    bundle *b = t->state;
    const rl_range n_train = t->task->n_train;
    const bool whole = counts_whole(t, record, target);
    if (!whole || t->p != b->p || n_train.first != b->n_train.first || n_train.n != b->n_train.n)
        take_bundle(b, NULL, b->n_train.n);
    b->p = t->p;
    b->n_train = n_train;
    RL_TRY(rl_curve_of_record(t->series, record, &b->layouts[b->n], &b->curves[b->n], sound));
    if (!*sound) return RL_OK;
    b->repeats[b->n] = (size_t)t->task->repeats.first;
    const size_t length = b->layouts[b->n++].length;
    if (!whole || length > SMALL || b->n == TOGETHER) take_bundle(b, whole ? NULL : target, record->n);
    return RL_OK;
}

/* Behind the last record. */
static rl_status end_bundle(bundle *b, rl_status status) {
    if (status == RL_OK) take_bundle(b, NULL, b->n_train.n);
    forget_bundle(b);
    return status;
}

/* What the journal has of some repeats for a slab. */
rl_status rl_read_slab(writer *w, const group *g, const slab *s, rl_range repeats, rl_point_taker take) {
    bundle b = {.c = g->state, .s = s, .take = take};
    return end_bundle(&b, rl_read_group(w, g, repeats, take_curve, &b));
}

rl_status rl_collect_tasks(writer *w, const group *g, const slab *s, int64_t first, int64_t end) {
    bundle b = {.c = g->state, .s = s, .take = take_field};
    return end_bundle(&b, rl_read_tasks(w, g, first, end, take_curve, &b));
}

/* What the records have of a slab's repeats. */
rl_status rl_make_slab(writer *w, const group *g, const curves *c, const slab *s) {
    for (int i = 0; i < s->n; i++) rl_clear_part(c, &s->parts[i]);
    return rl_read_slab(w, g, s, s->parts->repeats, take_field);
}
