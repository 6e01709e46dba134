/* Parts of slabs go to the file: sets are reduced, here or by others, and values are written while they are in the
 * processor's cache. */
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "crew.h"

enum { SOME = 1 << 15 /* numbers, which stay in the processor's cache */ };

static size_t most_rows(const part *q) {
    return rl_larger(1, SOME / q->width);
}

some_rows rl_first_rows(const part *q) {
    return (some_rows){q, 0, rl_smaller(q->n, most_rows(q))};
}

bool rl_next_rows(some_rows *r) {
    r->first += r->n;
    r->n = rl_smaller(r->n, r->part->n - r->first);
    return r->n > 0;
}

/* Whether a set is that of the variant before: many variants ask the same of a size. Its statistics are the same. */
static bool is_as_before(const curves *c, const part *q, size_t i) {
    const size_t n_sets = c->d.n_p * c->d.n_n;
    const double *const set = q->values + i * q->width;
    return rl_fields[q->array].kind == RL_FIELD_CELL && i >= n_sets &&
           memcmp(set, set - n_sets * q->width, q->width * sizeof *set) == 0;
}

static bool repeats_before(const curves *c, const part *q, size_t i) {
    c->repeated[i] = is_as_before(c, q, i);
    return c->repeated[i];
}

/* The same of rows that are to be reduced: none repeats what is before it. */
static bool next_new_rows(const curves *c, some_rows *r) {
    const part *q = r->part;
    size_t end = r->first + r->n;
    while (end < q->n && repeats_before(c, q, end)) end++;
    r->first = end;
    while (end < q->n && end - r->first < most_rows(q) && (end == r->first || !repeats_before(c, q, end))) end++;
    r->n = end - r->first;
    return r->n > 0;
}

static bool has_moments(const part *q) {
    return (rl_fields[q->array].statistics & (RL_STANDARD_ERROR | RL_GEOMETRIC_MEAN)) != 0;
}

static rl_reduced reduce_set(const curves *c, const part *q, size_t i) {
    rl_reduced (*const reduce)(const double *, int, double *) = has_moments(q) ? rl_reduce : rl_reduce_without_moments;
    return reduce(q->values + i * q->width, (int)q->width, c->scratch);
}

static void reduce_rows(const curves *c, const some_rows *r) {
    const part *q = r->part;
    for (size_t i = r->first; i < r->first + r->n; i++) c->d.reduced[q->first + i] = reduce_set(c, q, i);
}

enum { AS_BEFORE = -1 /* count of statistics that are those of the variant before */ };

void rl_reduce_some(const curves *c, const some_rows *r, rl_reduced *reduced) {
    for (size_t i = 0; i < r->n; i++)
        reduced[i] = is_as_before(c, r->part, r->first + i) ? (rl_reduced){.count = AS_BEFORE}
                                                            : reduce_set(c, r->part, r->first + i);
}

void rl_take_reduced(const curves *c, const part *q, const rl_reduced *reduced) {
    rl_reduced *const own = c->d.reduced + q->first;
    for (size_t i = 0; i < q->n; i++)
        own[i] = reduced[i].count == AS_BEFORE ? own[i - c->d.n_p * c->d.n_n] : reduced[i];
}

/* Not while they make a slab, nor after one was waited for in vain. */
static bool may_give(const writer *w) {
    return w->crew != NULL && w->n_asked == 0 && !w->has_failed;
}

static bool give_rows(const writer *w, const curves *c, const some_rows *r) {
    const part *q = r->part;
    return may_give(w) && w->crew->give(w->crew->state, q->values + r->first * q->width, r->n, q->width, has_moments(q),
                                        c->d.reduced + q->first + r->first);
}

/* What is repeated. */
static void repeat_reduced(const curves *c, const part *q) {
    rl_reduced *const reduced = c->d.reduced + q->first;
    for (size_t i = 0; i < q->n; i++)
        if (c->repeated[i]) reduced[i] = reduced[i - c->d.n_p * c->d.n_n];
}

/* Others reduce as many rows as they take, ahead of those that are written. Without others those before row `end` are
 * reduced, before they are written; and so they are where writing changes the numbers' type in their place. *left: some
 * are to be reduced yet. */
static void reduce_ahead(writer *w, const curves *c, size_t end, some_rows *ahead, bool *left) {
    const double start = rl_seconds();
    const bool alone = !may_give(w) || rl_fields[ahead->part->array].type != NC_DOUBLE;
    while (*left && give_rows(w, c, ahead)) *left = next_new_rows(c, ahead);
    while (*left && alone && ahead->first < end) {
        reduce_rows(c, ahead);
        *left = next_new_rows(c, ahead);
    }
    w->seconds.reducing += rl_seconds() - start;
}

/* What others have not taken; theirs; and what is repeated. */
static void end_reduction(writer *w, const curves *c, some_rows *ahead, bool left) {
    const double start = rl_seconds();
    for (; left; left = next_new_rows(c, ahead))
        if (!give_rows(w, c, ahead)) reduce_rows(c, ahead);
    if (w->crew != NULL) w->crew->await(w->crew->state);
    repeat_reduced(c, ahead->part);
    w->seconds.reducing += rl_seconds() - start;
}

/* Numbers become of the type that is stored, in their place. */
static void convert_values(nc_type type, double *values, size_t n) {
    char *out = (char *)values;
    const size_t size = rl_nc_type_size(type);
    for (size_t i = 0; type != NC_DOUBLE && i < n; i++) {
        const int number = isnan(values[i]) ? -1 : (int)values[i];
        const signed char byte = (signed char)number;
        memcpy(out + i * size, type == NC_INT ? (const void *)&number : &byte, size);
    }
}

static rl_status put_values_of(writer *w, const some_rows *r) {
    const rl_field *field = &rl_fields[r->part->array];
    const size_t width = r->part->width;
    double *const values = r->part->values + r->first * width;
    convert_values(field->type, values, r->n * width);
    return rl_put_rows(w, field->name, width, r->n, values);
}

/* All rows of a part have been put. */
static rl_status end_part(writer *w, const curves *c, const part *q) {
    const rl_field *field = &rl_fields[q->array];
    const bool is_last = q->first + q->n == c->extents[q->array].n_rows;
    return is_last && rl_is_reduced(field) ? rl_fill_statistics(w, &c->d, field) : RL_OK;
}

rl_status rl_put_reduced(writer *w, const group *g, const curves *c, const part *q) {
    some_rows next = rl_first_rows(q);
    for (bool any = rl_field_kept(&rl_fields[q->array], rl_group_keep(g)); any; any = rl_next_rows(&next))
        RL_TRY(put_values_of(w, &next));
    return end_part(w, c, q);
}

rl_status rl_put_part(writer *w, const group *g, const curves *c, const part *q) {
    const rl_field *field = &rl_fields[q->array];
    const bool kept = rl_field_kept(field, rl_group_keep(g));
    some_rows ahead = {q, 0, 0}, next = rl_first_rows(q);
    bool left = rl_is_reduced(field) && next_new_rows(c, &ahead);
    for (bool any = kept; any; any = rl_next_rows(&next)) {
        reduce_ahead(w, c, next.first + next.n, &ahead, &left);
        RL_TRY(put_values_of(w, &next));
    }
    if (rl_is_reduced(field)) end_reduction(w, c, &ahead, left);
    return end_part(w, c, q);
}
