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
static bool repeats_before(const curves *c, const part *q, size_t i) {
    const size_t n_sets = c->d.n_p * c->d.n_n;
    const double *const set = q->values + i * q->width;
    c->repeated[i] = rl_fields[q->array].kind == RL_FIELD_CELL && i >= n_sets &&
                     memcmp(set, set - n_sets * q->width, q->width * sizeof *set) == 0;
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

static void reduce_rows(const curves *c, const some_rows *r) {
    const part *q = r->part;
    rl_reduced (*const reduce)(const double *, int, double *) = has_moments(q) ? rl_reduce : rl_reduce_without_moments;
    for (size_t i = r->first; i < r->first + r->n; i++)
        c->d.reduced[q->first + i] = reduce(q->values + i * q->width, (int)q->width, c->scratch);
}

static bool give_rows(const writer *w, const curves *c, const some_rows *r) {
    const part *q = r->part;
    return w->crew != NULL && !w->is_shared &&
           w->crew->give(w->crew->state, q->values + r->first * q->width, r->n, q->width, has_moments(q),
                         c->d.reduced + q->first + r->first);
}

/* What is repeated. */
static void repeat_reduced(const curves *c, const part *q) {
    rl_reduced *const reduced = c->d.reduced + q->first;
    for (size_t i = 0; i < q->n; i++)
        if (c->repeated[i]) reduced[i] = reduced[i - c->d.n_p * c->d.n_n];
}

void rl_reduce_part(const curves *c, const part *q) {
    for (some_rows r = {q, 0, 0}; next_new_rows(c, &r);) reduce_rows(c, &r);
    repeat_reduced(c, q);
}

/* Others reduce as many rows as they take, ahead of those that are written. Without others those before row `end` are
 * reduced, before they are written; and so they are where writing changes the numbers' type in their place. *left: some
 * are to be reduced yet. */
static void reduce_ahead(writer *w, const curves *c, size_t end, some_rows *ahead, bool *left) {
    const double start = rl_seconds();
    const bool alone = w->crew == NULL || w->is_shared || rl_fields[ahead->part->array].type != NC_DOUBLE;
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

rl_status rl_put_values_of(writer *w, const some_rows *r) {
    const rl_field *field = &rl_fields[r->part->array];
    const size_t width = r->part->width;
    double *const values = r->part->values + r->first * width;
    convert_values(field->type, values, r->n * width);
    return rl_put_rows(w, field->name, width, r->n, values);
}

rl_status rl_put_some(writer *w, const group *g, const curves *c, const part *q) {
    const rl_field *field = &rl_fields[q->array];
    const bool kept = rl_field_kept(field, rl_group_keep(g));
    some_rows ahead = {q, 0, 0}, next = rl_first_rows(q);
    bool left = rl_is_reduced(field) && next_new_rows(c, &ahead);
    for (bool any = kept; any; any = rl_next_rows(&next)) {
        reduce_ahead(w, c, next.first + next.n, &ahead, &left);
        RL_TRY(rl_put_values_of(w, &next));
    }
    if (rl_is_reduced(field)) end_reduction(w, c, &ahead, left);
    return RL_OK;
}

rl_status rl_put_part(writer *w, const group *g, const curves *c, const part *q) {
    RL_TRY(rl_put_some(w, g, c, q));
    return rl_end_part(w, c, q);
}

rl_status rl_end_part(writer *w, const curves *c, const part *q) {
    const rl_field *field = &rl_fields[q->array];
    const bool is_last = q->first + q->n == c->extents[q->array].n_rows;
    return is_last && rl_is_reduced(field) ? rl_fill_statistics(w, &c->d, field) : RL_OK;
}
