/* The group of a data set whose curves are kept one by one: the values of each repeat, as far as the study keeps them,
 * and their statistics; with directions, the rows and axes that they belong to; with predictions, the points. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "dataset.h"
#include "spill.h"

static_assert((int)RL_N_FIELDS <= (int)RL_MOST_PARTS, "a slab may have a part of every field");

typedef struct curves {
    dataset d;
    size_t n_repeats, n_modes, n_directions, n_points, n_predicted, n_trainable; /* lengths; 0: not there */
    extent extents[RL_N_FIELDS]; /* of what is filled from records: sets of repeats, or else numbers of one repeat */
    extent predictions;
    int *place;      /* [n_p, n_n]: of each N of a series, its index in d.n_train; owned */
    double *scratch; /* [2 n_repeats], while the group is filled; owned */
    bool is_whole;   /* see lacks_nothing */
    bool *repeated;  /* [n_variants, n_p, n_n], of the part that is reduced: see repeats_before; owned */
} curves;

static void destroy_curves(void *state) {
    curves *c = state;
    rl_free(c->place);
    rl_free(c->scratch);
    rl_free(c->repeated);
    rl_release_dataset(&c->d);
    rl_free(c);
}

/* Values of a field in one spectrum. */
static size_t count_entries(const curves *c, const rl_field *field) {
    switch (field->kind) {
        case RL_FIELD_CELL:
            return c->d.n_variants;
        case RL_FIELD_MODE:
            return c->n_modes;
        case RL_FIELD_DIRECTION:
            return c->n_modes * c->n_directions;
        default:
            return 1;
    }
}

/* ---- defining ---------------------------------------------------------------------------------------------------- */

/* Whether a field is reduced over the repeats, which takes all of them at once. */
static bool is_reduced(const rl_field *field) {
    return field->statistics != 0;
}

static extent extent_of(const group *g, const curves *c, const rl_field *field) {
    const size_t n_sets = rl_count_sets(&c->d, field);
    if (!rl_field_present(field, &c->d.layout)) return (extent){0};
    if (is_reduced(field)) return (extent){n_sets, c->n_repeats};
    return (extent){rl_field_kept(field, rl_group_keep(g)) ? n_sets * c->n_repeats : 0, count_entries(c, field)};
}

static void measure_arrays(const writer *w, group *g, curves *c) {
    const rl_curve_layout *layout = &c->d.layout;
    const rl_dataset *data = &g->series->data;
    c->n_repeats = (size_t)g->series->study->repeats;
    for (int p = 0; layout->has_modes && p < g->n_series; p++)
        if ((size_t)g->series[p].max_modes > c->n_modes) c->n_modes = (size_t)g->series[p].max_modes;
    c->n_directions = (size_t)layout->n_directions;
    c->n_points = (size_t)layout->n_points;
    if (c->n_points > 0) {
        c->n_predicted = c->n_repeats < RL_PREDICTED_REPEATS ? c->n_repeats : RL_PREDICTED_REPEATS;
        c->n_trainable = (size_t)(data->n_rows - data->n_test_only);
        g->n_values = 2 * rl_larger(c->n_points, c->n_trainable); /* with an intercept */
        c->predictions = (extent){c->d.n_variants * c->d.n_p * c->d.n_n * c->n_predicted, c->n_points};
    }
    if (c->n_directions > 0) g->n_values = rl_larger(g->n_values, (size_t)c->d.n_train[c->d.n_n - 1] * c->n_directions);
    for (int f = 0; f < RL_N_FIELDS; f++) c->extents[f] = extent_of(g, c, &rl_fields[f]);
    g->n_values = rl_larger(g->n_values, rl_quantile_values(&c->d));
    g->bytes = rl_dataset_state_bytes(&c->d) + rl_theory_bytes(g, &c->d) + 2 * c->n_repeats * sizeof *c->scratch +
               c->d.n_variants * c->d.n_p * c->d.n_n * sizeof *c->repeated;
    g->n_slab = rl_larger(rl_slab_room(w, c->extents, RL_N_FIELDS), rl_slab_room(w, &c->predictions, 1));
}

static rl_status make_places(curves *c) {
    RL_TRY(RL_ALLOC(c->place, c->d.n_p * c->d.n_n));
    for (size_t p = 0; p < c->d.n_p; p++)
        for (size_t n = 0; n < c->d.n_n; n++) {
            const int i = c->d.index[p * c->d.n_n + n];
            if (i >= 0) c->place[p * c->d.n_n + (size_t)i] = (int)n;
        }
    return RL_OK;
}

/* Directions are kept of data sets with one number of features alone. */
static rl_status begin_curves(writer *w, group *g, const curves *c) {
    const size_t largest_n = (size_t)c->d.n_train[c->d.n_n - 1];
    const dimension dimensions[] = {{"variant", c->d.n_variants},
                                    {"n_features", c->d.n_p},
                                    {"n_train", c->d.n_n},
                                    {"repeat", c->n_repeats},
                                    {"quantile", RL_N_QUANTILES},
                                    {"flank", RL_N_FLANKS},
                                    {"left_out", rl_has_table_theory(g) ? RL_N_LEFT_OUT : 0},
                                    {"mode", c->n_modes},
                                    {"feature", c->n_directions},
                                    {"row", c->n_directions > 0 ? largest_n : 0},
                                    {"axis", g->series->data.axes != NULL ? c->n_directions : 0},
                                    {"point", c->n_points},
                                    {"predicted_repeat", c->n_predicted},
                                    {"trainable_row", c->n_trainable}};
    RL_TRY(rl_begin_group(w, g, dimensions, sizeof dimensions / sizeof *dimensions));
    return rl_describe_dataset(w, g, &c->d);
}

static rl_status define_kept(writer *w, const group *g, const rl_field *field) {
    static const char *const dimensions[] = {[RL_FIELD_CELL] = "variant n_features n_train repeat",
                                             [RL_FIELD_SPECTRUM] = "n_features n_train repeat",
                                             [RL_FIELD_STATUS] = "n_features n_train repeat",
                                             [RL_FIELD_MODE] = "n_features n_train repeat mode",
                                             [RL_FIELD_DIRECTION] = "n_features n_train repeat mode feature"};
    static const int no_rank = -1;
    const size_t of_modes = field->kind == RL_FIELD_MODE ? RL_LARGE : 0; /* half of the modes do not exist */
    RL_TRY(rl_define_array(w, g,
                           &(array){.name = field->name,
                                    .long_name = field->long_name,
                                    .dimensions = dimensions[field->kind],
                                    .type = field->type,
                                    .least = field->type != NC_DOUBLE ? RL_SMALL : of_modes,
                                    .coordinates = rl_field_coordinates(field),
                                    .original = true,
                                    .nan = field->type == NC_DOUBLE,
                                    .in_parts = true}));
    const variable *v = rl_last_variable(w);
    if (v->type == NC_INT) RL_TRY(rl_put_fill(w, &no_rank));
    if (v->type == NC_BYTE) RL_TRY(rl_put_cell_flags(w));
    return rl_put_text(w, "comment", field->comment);
}

/* Behind the fields: what directions are directions of, the training rows, and the population's principal axes where
 * they are known; and what fits of the first repeats say at the test points, with the rows that they have seen. */
static const array others[] = {
    {"training_row", "features of the training rows", "repeat row feature", .type = NC_DOUBLE, .in_parts = true},
    {"population_deviation", "standard deviation of the population along its principal axes, the largest first", "axis",
     .type = NC_DOUBLE},
    {"population_direction", "principal axes of the population, one a row", "axis feature", .type = NC_DOUBLE},
    {"predicted_repeat", "repeat whose predictions are kept", "predicted_repeat", .type = NC_INT, .least = RL_SMALL},
    {"point", "input of the test point", "point", .type = NC_DOUBLE},
    {"point_target", "target of the test point, without noise", "point", .type = NC_DOUBLE},
    {"training_input", "input of a row that may train, the first of the repeat first",
     "n_features predicted_repeat trainable_row", .type = NC_DOUBLE, .in_parts = true},
    {"training_target", "target of that row", "n_features predicted_repeat trainable_row", .type = NC_DOUBLE,
     .in_parts = true},
    {"prediction", "prediction at the test point", "variant n_features n_train predicted_repeat point",
     .type = NC_DOUBLE, .original = true, .nan = true, .in_parts = true},
};

static rl_status measure_curves(const writer *w, group *g) {
    curves *c;
    RL_TRY(RL_ALLOC(c, 1));
    g->state = c;
    RL_TRY(rl_make_dataset(g, &c->d));
    measure_arrays(w, g, c);
    return make_places(c);
}

static rl_status define_curves(writer *w, group *g) {
    curves *c = g->state;
    RL_TRY(rl_find_places(g, &c->d));
    RL_TRY(begin_curves(w, g, c));
    for (const rl_field *field = rl_fields; field < rl_fields + RL_N_FIELDS; field++) {
        if (!rl_field_present(field, &c->d.layout)) continue;
        if (rl_field_kept(field, rl_group_keep(g))) RL_TRY(define_kept(w, g, field));
        RL_TRY(rl_define_statistics(w, g, &c->d, field));
    }
    RL_TRY(rl_define_spike(w, g, &c->d));
    RL_TRY(rl_define_theory(w, g, &c->d));
    return rl_define_arrays(w, g, others, sizeof others / sizeof *others);
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* Whether the journal has every number of the group, so that nothing shows of what stood in a slab before. */
static bool lacks_nothing(const writer *w, const group *g, const curves *c) {
    const rl_tally t = rl_journal_tally(w->journal, w->plan, g->first, g->first + g->n_series);
    bool whole = t.points_missing == 0 && t.points_failed == 0;
    for (size_t set = 0; set < c->d.n_p * c->d.n_n; set++) whole = whole && c->d.index[set] >= 0;
    return whole;
}

/* What is there without any record. Of modes there are fewer than a row has. */
static void clear_part(const curves *c, const part *q) {
    const rl_field_kind kind = rl_fields[q->array].kind;
    const bool is_status = kind == RL_FIELD_STATUS;
    if (c->is_whole && kind != RL_FIELD_MODE && kind != RL_FIELD_DIRECTION) return;
    for (size_t i = 0; i < q->n * q->width; i++) q->values[i] = NAN;
    for (size_t i = 0; is_status && i < q->n; i++)
        q->values[i] = c->d.index[(q->first + i) / (size_t)q->repeats.n] >= 0 ? RL_CELL_MISSING : RL_CELL_NOT_ASKED;
}

/* N `k` of a record. */
typedef struct point {
    const rl_curve_layout *layout; /* of the record's curve */
    const double *curve;
    size_t k;
    size_t set, repeat; /* set: the index of its (P, N) */
} point;

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
    if (is_reduced(field) && n_done > 0) take_reduced(c, q, done, n_done);
    for (int i = 0; !is_reduced(field) && i < n_done; i++) take_row(c, q, &done[i]);
}

/* Curves of the same N at several repeats. */
typedef void (*point_taker)(const curves *c, const part *q, const point *at, int n);
typedef struct bundle {
    const curves *c;
    const slab *s;
    point_taker take;
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

/* What the journal has of some repeats for a slab. */
static rl_status read_slab(writer *w, const group *g, const slab *s, rl_range repeats, point_taker take) {
    bundle b = {.c = g->state, .s = s, .take = take};
    const rl_status status = rl_read_group(w, g, repeats, take_curve, &b);
    if (status == RL_OK) take_bundle(&b, NULL, b.n_train.n);
    forget_bundle(&b);
    return status;
}

/* Rows of a part, some at a time, while they are in the processor's cache. */
typedef struct some_rows {
    const part *part;
    size_t first, n;
} some_rows;

enum { SOME = 1 << 15 /* numbers */ };

static size_t most_rows(const part *q) {
    return rl_larger(1, SOME / q->width);
}

static some_rows first_rows(const part *q) {
    return (some_rows){q, 0, rl_smaller(q->n, most_rows(q))};
}

static bool next_rows(some_rows *r) {
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
    return w->reducer != NULL && w->reducer->give(w->reducer->state, q->values + r->first * q->width, r->n, q->width,
                                                  has_moments(q), c->d.reduced + q->first + r->first);
}

/* Others reduce as many rows as they take, ahead of those that are written. Without others those before row `end` are
 * reduced, before they are written; and so they are where writing changes the numbers' type in their place. *left: some
 * are to be reduced yet. */
static void reduce_ahead(writer *w, const curves *c, size_t end, some_rows *ahead, bool *left) {
    const double start = rl_seconds();
    const bool alone = w->reducer == NULL || rl_fields[ahead->part->array].type != NC_DOUBLE;
    while (*left && give_rows(w, c, ahead)) *left = next_new_rows(c, ahead);
    while (*left && alone && ahead->first < end) {
        reduce_rows(c, ahead);
        *left = next_new_rows(c, ahead);
    }
    w->seconds.reducing += rl_seconds() - start;
}

/* What others have not taken; theirs; and what is repeated. */
static void end_reduction(writer *w, const curves *c, some_rows *ahead, bool left) {
    const part *q = ahead->part;
    rl_reduced *const reduced = c->d.reduced + q->first;
    const double start = rl_seconds();
    for (; left; left = next_new_rows(c, ahead))
        if (!give_rows(w, c, ahead)) reduce_rows(c, ahead);
    if (w->reducer != NULL) w->reducer->await(w->reducer->state);
    for (size_t i = 0; i < q->n; i++)
        if (c->repeated[i]) reduced[i] = reduced[i - c->d.n_p * c->d.n_n];
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

static rl_status put_rows(writer *w, const part *q, size_t first, size_t n) {
    const rl_field *field = &rl_fields[q->array];
    double *const values = q->values + first * q->width;
    convert_values(field->type, values, n * q->width);
    return rl_put_rows(w, field->name, q->width, n, values);
}

static rl_status put_part(writer *w, const group *g, const curves *c, const part *q) {
    const rl_field *field = &rl_fields[q->array];
    const bool kept = rl_field_kept(field, rl_group_keep(g));
    const bool is_last = q->first + q->n == c->extents[q->array].n_rows;
    some_rows ahead = {q, 0, 0}, next = first_rows(q);
    bool left = is_reduced(field) && next_new_rows(c, &ahead);
    for (bool any = kept; any; any = next_rows(&next)) {
        reduce_ahead(w, c, next.first + next.n, &ahead, &left);
        RL_TRY(put_rows(w, q, next.first, next.n));
    }
    if (is_reduced(field)) end_reduction(w, c, &ahead, left);
    return is_last && is_reduced(field) ? rl_fill_statistics(w, &c->d, field) : RL_OK;
}

/* What the records have of a slab's repeats. */
static rl_status make_slab(writer *w, const group *g, const curves *c, const slab *s) {
    for (int i = 0; i < s->n; i++) clear_part(c, &s->parts[i]);
    return read_slab(w, g, s, s->parts->repeats, take_field);
}

static rl_status fill_from_slabs(writer *w, const group *g, const curves *c) {
    slab s = {0};
    while (rl_next_slab(w, c->extents, RL_N_FIELDS, &s)) {
        RL_TRY(make_slab(w, g, c, &s));
        for (int i = 0; i < s.n; i++) RL_TRY(put_part(w, g, c, &s.parts[i]));
    }
    return RL_OK;
}

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

static blocks blocks_of(const writer *w, const curves *c) {
    blocks b = {.widest = 1, .spill = {.fd = -1}};
    for (int f = 0; f < RL_N_FIELDS; f++) {
        const rl_field *field = &rl_fields[f];
        const size_t n_sets = c->extents[f].n_rows > 0 ? rl_count_sets(&c->d, field) : 0;
        b.fields[f] = (waiting){n_sets, is_reduced(field) ? 1 : c->extents[f].width, b.a_repeat};
        b.a_repeat += n_sets * b.fields[f].entries;
        if (n_sets > 0) b.widest = rl_larger(b.widest, b.fields[f].entries);
    }
    b.n_repeats = (int)rl_smaller(c->n_repeats, w->slab_values / rl_larger(1, b.a_repeat));
    return b;
}

/* Where all is in one slab it need not wait. Some repeats in a row at least make reading it in pieces worth while. */
static bool shall_wait(const writer *w, const curves *c, const blocks *b) {
    enum { LEAST = 8 };
    return (size_t)b->n_repeats < c->n_repeats && b->n_repeats >= LEAST && c->n_repeats * b->widest <= w->slab_values;
}

static rl_range block_at(const curves *c, const blocks *b, int first) {
    return (rl_range){first, (int)rl_smaller((size_t)b->n_repeats, c->n_repeats - (size_t)first)};
}

/* Sets [first, first + n) of a field, at some repeats. */
static part part_of_sets(const waiting *fields, int f, size_t first, size_t n, rl_range repeats, double *values) {
    const size_t some = (size_t)repeats.n;
    if (is_reduced(&rl_fields[f])) return (part){f, first, n, some, values, repeats};
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
        RL_TRY(make_slab(w, g, c, &s));
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
    const size_t all = c->n_repeats, fit = w->slab_values / (all * field->entries);
    const rl_range repeats = {0, (int)all};
    for (size_t first = 0, n; first < field->n_sets; first += n) {
        n = rl_smaller(fit, field->n_sets - first);
        RL_TRY(fetch_sets(w, c, b, field, first, n));
        const part q = part_of_sets(b->fields, f, first, n, repeats, w->slab);
        RL_TRY(put_part(w, g, c, &q));
    }
    return RL_OK;
}

static rl_status fill_from_blocks(writer *w, const group *g, const curves *c, blocks *b) {
    RL_TRY(spill_blocks(w, g, c, b));
    for (int f = 0; f < RL_N_FIELDS; f++)
        if (b->fields[f].n_sets > 0) RL_TRY(fill_field_from_blocks(w, g, c, b, f));
    return rl_spill_check(&b->spill);
}

static rl_status fill_fields(writer *w, const group *g, const curves *c) {
    blocks b = blocks_of(w, c);
    if (!shall_wait(w, c, &b)) return fill_from_slabs(w, g, c);
    rl_status status = rl_spill_create(w->file.path, b.a_repeat * c->n_repeats, &b.spill);
    if (status == RL_OK) status = fill_from_blocks(w, g, c, &b);
    rl_spill_destroy(&b.spill);
    return status;
}

/* ---- directions and predictions ---------------------------------------------------------------------------------- */

/* Some rows of one repeat, in its order: features to w->values[., n_features], targets to w->stored. */
static rl_status get_rows(const writer *w, const rl_dataset *data, size_t repeat, rl_range range) {
    const rl_study *study = w->plan->study;
    rl_rows rows = {0};
    rl_status status = rl_rows_create(&rows, data, study->random, study->seed);
    if (status == RL_OK) status = rl_rows_arrange(&rows, (uint32_t)repeat);
    if (status == RL_OK) rl_rows_get(&rows, range.first, range.n, w->values, data->n_features, w->stored);
    rl_rows_destroy(&rows);
    return status;
}

/* The rows of the largest training set of every repeat. */
static rl_status fill_geometry(writer *w, const group *g, const curves *c) {
    const rl_dataset *data = &g->series->data;
    const rl_range rows = {0, c->d.n_train[c->d.n_n - 1]};
    if (c->n_directions == 0) return RL_OK;
    for (size_t r = 0; r < c->n_repeats; r++) {
        RL_TRY(get_rows(w, data, r, rows));
        RL_TRY(rl_put_rows(w, "training_row", (size_t)rows.n * c->n_directions, 1, w->values));
    }
    if (data->axes == NULL) return RL_OK;
    RL_TRY(rl_put_values(w, "population_deviation", data->deviations));
    return rl_put_values(w, "population_direction", data->axes);
}

/* Rows as they are before any map. */
static rl_dataset plain_data(const rl_series *series) {
    rl_dataset plain = series->data;
    assert(plain.n_inputs == 1); /* test points are a function's */
    plain.map = NULL;
    plain.n_features = 1 + plain.intercept;
    return plain;
}

/* Of rows of one input, the input. */
static rl_status get_inputs(const writer *w, const rl_series *series, size_t repeat, rl_range rows) {
    const rl_dataset plain = plain_data(series);
    RL_TRY(get_rows(w, &plain, repeat, rows));
    for (int i = 0; plain.intercept && i < rows.n; i++) w->values[i] = w->values[2 * i + 1];
    return RL_OK;
}

/* Inputs, or else targets, of the rows that may train. */
static rl_status fill_trainable(writer *w, const group *g, const curves *c, bool inputs) {
    const rl_range trainable = {0, (int)c->n_trainable};
    for (size_t p = 0; p < c->d.n_p; p++)
        for (size_t r = 0; r < c->n_predicted; r++) {
            RL_TRY(get_inputs(w, &g->series[p], r, trainable));
            RL_TRY(rl_put_rows(w, inputs ? "training_input" : "training_target", c->n_trainable, 1,
                               inputs ? w->values : w->stored));
        }
    return RL_OK;
}

static rl_status fill_points(writer *w, const group *g, const curves *c) {
    const rl_range points = {g->series->data.n_rows - (int)c->n_points, (int)c->n_points};
    RL_TRY(rl_put_indices(w, "predicted_repeat", 0));
    RL_TRY(get_inputs(w, g->series, 0, points));
    RL_TRY(rl_put_values(w, "point", w->values));
    RL_TRY(rl_put_values(w, "point_target", w->stored));
    RL_TRY(fill_trainable(w, g, c, true));
    return fill_trainable(w, g, c, false);
}

/* The record has them as (N, variant, point), the file as (variant, P, N, repeat, point). */
static void take_prediction(const curves *c, const part *q, const point *at) {
    for (size_t v = 0; v < c->d.n_variants; v++) {
        const size_t row = (v * c->d.n_p * c->d.n_n + at->set) * c->n_predicted + at->repeat;
        const double *from = at->curve + at->layout->predictions + (at->k * c->d.n_variants + v) * c->n_points;
        if (row >= q->first && row < q->first + q->n)
            memcpy(q->values + (row - q->first) * q->width, from, q->width * sizeof *from);
    }
}

static void take_predictions(const curves *c, const part *q, const point *at, int n) {
    for (int i = 0; i < n; i++) take_prediction(c, q, &at[i]);
}

static rl_status fill_predictions(writer *w, const group *g, const curves *c) {
    slab s = {0};
    if (c->n_points == 0) return RL_OK;
    RL_TRY(fill_points(w, g, c));
    while (rl_next_slab(w, &c->predictions, 1, &s)) {
        const part *q = s.parts;
        for (size_t i = 0; i < q->n * q->width; i++) q->values[i] = NAN;
        RL_TRY(read_slab(w, g, &s, (rl_range){0, (int)c->n_predicted}, take_predictions));
        RL_TRY(rl_put_rows(w, "prediction", q->width, q->n, q->values));
    }
    return RL_OK;
}

/* ---- the group --------------------------------------------------------------------------------------------------- */

static rl_status fill_curves(writer *w, group *g) {
    curves *c = g->state;
    RL_TRY(rl_fill_dataset(w, g, &c->d));
    RL_TRY(RL_ALLOC(c->scratch, 2 * c->n_repeats));
    RL_TRY(RL_ALLOC(c->repeated, c->d.n_variants * c->d.n_p * c->d.n_n));
    c->is_whole = lacks_nothing(w, g, c);
    RL_TRY(fill_fields(w, g, c));
    RL_TRY(rl_fill_spike(w, &c->d));
    RL_TRY(rl_fill_theory(w, g, &c->d));
    RL_TRY(fill_geometry(w, g, c));
    return fill_predictions(w, g, c);
}

const rl_group_writer rl_curves_writer = {measure_curves, define_curves, fill_curves, destroy_curves};
