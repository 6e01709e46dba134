/* All fields of a group's curves: slab by slab, or, of more repeats than a slab holds, block by block of them. */
#include <assert.h>

#include "../numbers.h"
#include "crew.h"
#include "spill.h"

static_assert((int)RL_N_FIELDS <= (int)RL_MOST_PARTS, "a slab may have a part of every field");

/* ---- more repeats than a slab holds ------------------------------------------------------------------------------ */

/* A field whose sets wait on disk: block by block, and in a block behind the fields before it. */
typedef struct waiting {
    size_t n_sets, entries; /* entries: numbers that a set has at one repeat; 0 sets: it is left out */
    size_t before;          /* numbers of the fields before it, at one repeat */
} waiting;
typedef struct blocks {
    waiting fields[RL_N_FIELDS];
    size_t a_repeat, widest; /* numbers of one repeat; entries of the field that has most */
    int n_repeats;           /* of a block, but for the last one */
    spill spill;
} blocks;

/* Numbers of the largest slab, and of blocks, or of some sets of all repeats, where these have to wait: half as many,
 * so that more repeats take no more memory than just as many as a slab holds. */
static size_t slab_numbers(const writer *w) {
    return w->slab_bytes / sizeof(double);
}
static size_t block_numbers(const writer *w) {
    return slab_numbers(w) / 2;
}

static blocks blocks_of(const writer *w, const curves *c) {
    blocks b = {.widest = 1, .spill = {.fd = -1}};
    for (int f = 0; f < RL_N_FIELDS; f++) {
        const rl_field *field = &rl_fields[f];
        const size_t n_sets = c->extents[f].n_rows > 0 ? rl_count_sets(&c->d, field) : 0;
        b.fields[f] = (waiting){n_sets, rl_is_reduced(field) ? 1 : c->extents[f].width, b.a_repeat};
        b.a_repeat += n_sets * b.fields[f].entries;
        if (n_sets > 0) b.widest = rl_larger(b.widest, b.fields[f].entries);
    }
    b.n_repeats = (int)rl_smaller(c->n_repeats, block_numbers(w) / rl_larger(1, b.a_repeat));
    return b;
}

/* Where all is in one slab it need not wait. Some repeats in a row at least make reading it in pieces worth while. */
static bool shall_wait(const writer *w, const curves *c, const blocks *b) {
    enum { LEAST = 8 };
    return c->n_repeats * b->a_repeat > slab_numbers(w) && b->n_repeats >= LEAST &&
           c->n_repeats * b->widest <= slab_numbers(w);
}

/* Numbers of a block, or of a set of all repeats where that has more. */
static size_t numbers_waiting(const writer *w, const curves *c, const blocks *b) {
    return rl_larger((size_t)b->n_repeats * b->a_repeat, rl_larger(c->n_repeats * b->widest, block_numbers(w)));
}

size_t rl_fields_room(const writer *w, const curves *c) {
    const blocks b = blocks_of(w, c);
    return shall_wait(w, c, &b) ? numbers_waiting(w, c, &b) : rl_slab_room(w, c->extents, RL_N_FIELDS);
}

/* ---- slab by slab ------------------------------------------------------------------------------------------------ */

rl_status rl_put_alone(writer *w, const group *g, const curves *c, slab s) {
    rl_place_slab(&s, w->slab);
    RL_TRY(rl_make_slab(w, g, c, &s));
    for (int i = 0; i < s.n; i++) RL_TRY(rl_put_part(w, g, c, &s.parts[i]));
    return RL_OK;
}

/* false: the group is filled in another way. */
static bool find_first_slab(const writer *w, const group *g, slab *s) {
    *s = (slab){.n = 0};
    if (g->writer != &rl_curves_writer) return false;
    const curves *c = g->state;
    const blocks b = blocks_of(w, c);
    return !shall_wait(w, c, &b) && rl_next_slab(w, c->extents, RL_N_FIELDS, s);
}

/* Asks for the first slab of the first group of curves from g on. */
static void ask_for_group(writer *w, const group *g) {
    slab s;
    while (g < w->groups + w->n_groups && g->writer != &rl_curves_writer) g++;
    if (g < w->groups + w->n_groups && find_first_slab(w, g, &s)) rl_crew_ask(w, g, &s, true);
}

/* Asks for what comes behind a slab. */
static void ask_behind(writer *w, const group *g, slab s) {
    const curves *c = g->state;
    if (rl_next_slab(w, c->extents, RL_N_FIELDS, &s))
        rl_crew_ask(w, g, &s, true);
    else
        ask_for_group(w, g + 1);
}

void rl_ask_for_first(writer *w) {
    slab s;
    if (find_first_slab(w, w->groups, &s)) {
        rl_crew_ask(w, w->groups, &s, false);
        ask_behind(w, w->groups, s);
    } else {
        ask_for_group(w, w->groups);
    }
}

static rl_status fill_from_slabs(writer *w, const group *g, const curves *c) {
    slab s = {0};
    while (rl_next_slab(w, c->extents, RL_N_FIELDS, &s)) {
        rl_crew_ask(w, g, &s, false);
        ask_behind(w, g, s);
        RL_TRY(rl_crew_is_next(w, g, &s) ? rl_crew_put(w, g, c, &s) : rl_put_alone(w, g, c, s));
    }
    return RL_OK;
}

/* ---- block by block ---------------------------------------------------------------------------------------------- */

static rl_range block_at(const curves *c, const blocks *b, int first) {
    return (rl_range){first, (int)rl_smaller((size_t)b->n_repeats, c->n_repeats - (size_t)first)};
}

/* Sets [first, first + n) of a field, at some repeats. */
static part part_of_sets(const waiting *fields, int f, size_t first, size_t n, rl_range repeats, double *values) {
    const size_t some = (size_t)repeats.n;
    if (rl_is_reduced(&rl_fields[f])) return (part){f, first, n, some, values, repeats};
    return (part){f, first * some, n * some, fields[f].entries, values, repeats};
}

/* All fields at some repeats. */
static slab slab_of_block(const writer *w, const blocks *b, rl_range repeats) {
    slab s = {.n = 0};
    for (int f = 0; f < RL_N_FIELDS; f++) {
        const waiting *field = &b->fields[f];
        double *const values = w->slab + field->before * (size_t)repeats.n;
        if (field->n_sets > 0) s.parts[s.n++] = part_of_sets(b->fields, f, 0, field->n_sets, repeats, values);
    }
    return s;
}

static rl_status spill_blocks(writer *w, const group *g, const curves *c, blocks *b) {
    for (rl_range at = block_at(c, b, 0); at.n > 0; at = block_at(c, b, rl_range_end(at))) {
        const slab s = slab_of_block(w, b, at);
        RL_TRY(rl_make_slab(w, g, c, &s));
        const double start = rl_seconds();
        for (const waiting *field = b->fields; field < b->fields + RL_N_FIELDS; field++)
            RL_TRY(rl_spill_put(&b->spill, field->n_sets, field->entries * (size_t)at.n,
                                w->slab + field->before * (size_t)at.n));
        w->seconds.collecting += rl_seconds() - start;
    }
    return RL_OK;
}

/* All repeats of n sets of a field, from set `first` on, side by side again. */
static rl_status fetch_sets(writer *w, const curves *c, blocks *b, const waiting *field, size_t first, size_t n) {
    const double start = rl_seconds();
    for (rl_range at = block_at(c, b, 0); at.n > 0; at = block_at(c, b, rl_range_end(at))) {
        const size_t width = field->entries * (size_t)at.n, before = (size_t)at.first;
        RL_TRY(rl_spill_get(&b->spill, b->a_repeat * before + field->before * (size_t)at.n + first * width, n, width,
                            field->entries * c->n_repeats, w->slab + before * field->entries));
    }
    w->seconds.collecting += rl_seconds() - start;
    return RL_OK;
}

static rl_status fill_field_from_blocks(writer *w, const group *g, const curves *c, blocks *b, int f) {
    const waiting *field = &b->fields[f];
    const size_t all = c->n_repeats, fit = numbers_waiting(w, c, b) / (all * field->entries);
    const rl_range repeats = {0, (int)all};
    for (size_t first = 0, n; first < field->n_sets; first += n) {
        n = rl_smaller(fit, field->n_sets - first);
        RL_TRY(fetch_sets(w, c, b, field, first, n));
        const part q = part_of_sets(b->fields, f, first, n, repeats, w->slab);
        RL_TRY(rl_put_part(w, g, c, &q));
    }
    return RL_OK;
}

static rl_status fill_from_blocks(writer *w, const group *g, const curves *c, blocks *b) {
    RL_TRY(spill_blocks(w, g, c, b));
    for (int f = 0; f < RL_N_FIELDS; f++)
        if (b->fields[f].n_sets > 0) RL_TRY(fill_field_from_blocks(w, g, c, b, f));
    return rl_spill_check(&b->spill);
}

rl_status rl_fill_fields(writer *w, const group *g, const curves *c) {
    blocks b = blocks_of(w, c);
    if (!shall_wait(w, c, &b)) return fill_from_slabs(w, g, c);
    rl_status status = rl_spill_create(w->file.path, b.a_repeat * c->n_repeats, &b.spill);
    if (status == RL_OK) status = fill_from_blocks(w, g, c, &b);
    rl_spill_destroy(&b.spill);
    return status;
}
