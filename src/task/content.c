/* Curves as the content of records, packed and taken apart. */
#include "content.h"

#include <math.h>
#include <string.h>

#include "pack.h"

/* Parts; a measure of kind k is FIRST_MEASURE << k. */
enum { POPULATION = 1, DISTANCE = 2, DIRECTIONS = 4, MODES_KEPT = 8, FIRST_MEASURE = 0x100 };

/* ---- heads ------------------------------------------------------------------------------------------------------- */

rl_content_head rl_content_head_of(const rl_curve_layout *l) {
    return (rl_content_head){.n_variants = l->n_variants,
                             .n_modes = l->has_modes ? l->max_modes : 0,
                             .parts = (l->has_population ? POPULATION : 0u) | (l->has_distance ? DISTANCE : 0u) |
                                      (l->n_directions > 0 ? DIRECTIONS : 0u) | (l->has_modes_kept ? MODES_KEPT : 0u) |
                                      l->measures * FIRST_MEASURE,
                             .n_points = l->n_points};
}

static bool n_ascend(const rl_series *series, const rl_record *record) {
    for (int k = 0; k < record->n; k++) {
        const int n = record->outcomes[k].n_train, before = k > 0 ? record->outcomes[k - 1].n_train : 0;
        if (n <= before || n >= series->data.n_rows) return false;
    }
    return true;
}

static bool is_like(const rl_content_head *head, const rl_content_head *own) {
    return head->n_variants == own->n_variants && head->parts == own->parts && head->n_points == own->n_points &&
           (head->n_modes > 0) == (own->n_modes > 0);
}

/* More than the series' own, of another study. Directions come with modes, and predictions are of all test points. */
static bool holds(const rl_content_head *head, const rl_content_head *own, int n_variants) {
    const uint32_t measures = ((1u << RL_N_MEASURES) - 1) * FIRST_MEASURE;
    const uint32_t all = POPULATION | DISTANCE | DIRECTIONS | MODES_KEPT | measures;
    return head->n_variants == n_variants && (head->parts & own->parts) == own->parts && (head->parts & ~all) == 0 &&
           (head->parts & POPULATION) == (own->parts & POPULATION) && head->n_modes >= (own->n_modes > 0) &&
           ((head->parts & DIRECTIONS) == 0 || head->n_modes > 0) &&
           (own->n_points == 0 ? head->n_points >= 0 : head->n_points == own->n_points);
}

rl_curve_layout rl_content_head_read(const rl_series *series, const rl_record *record, bool *sound) {
    rl_curve_layout layout = rl_curve_layout_of(series);
    const rl_content_head own = rl_content_head_of(&layout);
    rl_content_head head = {0};
    *sound = record->length >= sizeof head && record->step == RL_FINISHED && n_ascend(series, record);
    if (*sound) memcpy(&head, record->content, sizeof head);
    *sound = *sound && head.n_modes >= 0 && head.n_modes <= series->n_features &&
             (record->variants != NULL ? holds(&head, &own, record->n_variants) : is_like(&head, &own));
    layout.n_variants = head.n_variants;
    layout.max_modes = head.n_modes;
    layout.has_modes = head.n_modes > 0;
    layout.n_directions = (head.parts & DIRECTIONS) != 0 ? series->data.n_features : 0;
    layout.n_points = head.n_points;
    layout.has_distance = (head.parts & DISTANCE) != 0;
    layout.has_modes_kept = (head.parts & MODES_KEPT) != 0;
    layout.measures = head.parts / FIRST_MEASURE & ((1u << RL_N_MEASURES) - 1);
    return rl_curve_layout_like(&layout, 1);
}

rl_curve_layout rl_content_own(const rl_series *series, const rl_curve_layout *held) {
    rl_curve_layout own = rl_curve_layout_of(series);
    own.max_modes = held->max_modes;
    return rl_curve_layout_like(&own, held->n_n_train);
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

static bool is_there(const rl_curve_layout *l, const double *curve, int i) {
    return rl_curve_status(l, curve, i) != RL_CELL_MISSING;
}

static int list_outcomes(const rl_curve_layout *l, const int *n_train, const double *curve, rl_outcome *outcomes) {
    int n = 0;
    for (int i = 0; i < l->n_n_train; i++)
        if (is_there(l, curve, i)) outcomes[n++] = (rl_outcome){n_train[i], (int32_t)rl_curve_status(l, curve, i)};
    return n;
}

/* Numbers of modes kept change little from one N to the next: in records they stand variant by variant, so that most
 * only repeat the one before them. Both ways: counts [rows, columns] become [columns, rows]. */
static void turn_counts(const double *counts, size_t rows, size_t columns, double *turned) {
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < columns; k++) turned[k * rows + i] = counts[i * columns + k];
}

/* Those N of the curve that are there, n, side by side in values[]; their layout is returned. `room` is as large. */
static rl_curve_layout gather(const rl_curve_layout *from, const double *curve, int n, double *values, double *room) {
    const rl_curve_layout to = rl_curve_layout_like(from, n);
    const size_t variants = (size_t)to.n_variants, counts = to.has_modes_kept ? (size_t)n * variants : 0;
    const bool whole = n == from->n_n_train;
    if (whole) memcpy(values, curve, to.length * sizeof *values);
    for (int i = 0, k = 0; i < from->n_n_train && !whole; i++)
        if (is_there(from, curve, i)) rl_curve_copy(from, curve, i, NULL, &to, values, k++);
    memcpy(room, values + to.modes_kept, counts * sizeof *room);
    if (counts > 0) turn_counts(room, (size_t)n, variants, values + to.modes_kept);
    return to;
}

/* Outcomes, head, packed numbers, and at the end room to put numbers side by side. */
size_t rl_curve_record_bytes(const rl_series *series) {
    const rl_curve_layout l = rl_curve_layout_of(series);
    return (size_t)l.n_n_train * sizeof(rl_outcome) + sizeof(rl_content_head) +
           (rl_pack_flags(l.length) + 2 * l.length + 1) * sizeof(uint64_t);
}

rl_record rl_curve_record(const rl_series *series, const rl_task *task, const double *curve, char *room) {
    const rl_curve_layout l = rl_curve_layout_of(series);
    const rl_content_head head = rl_content_head_of(&l);
    rl_outcome *const outcomes = (void *)room;
    const int n = list_outcomes(&l, series->n_train + task->n_train.first, curve, outcomes);
    rl_record record = {.repeats = {task->repeats.first, 1}, .n = n, .outcomes = outcomes, .step = RL_FINISHED};
    if (n == 0) return record;
    char *const content = (char *)(outcomes + n);
    double *const room_at_end = (void *)(room + rl_curve_record_bytes(series) - l.length * sizeof *room_at_end);
    void *const packed = content + sizeof head;
    const rl_curve_layout there = gather(&l, curve, n, room_at_end, packed);
    memcpy(content, &head, sizeof head);
    record.content = content;
    record.length = sizeof head + rl_pack(room_at_end, there.length, packed) * sizeof(uint64_t);
    return record;
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

/* Whether each N has the status that its outcome says, and a rank that there is. */
static bool values_are_sound(const rl_series *series, const rl_record *record, const rl_curve_layout *l,
                             const double *values) {
    for (int i = 0; i < record->n; i++) {
        const double status = values[l->status + (size_t)i], rank = values[l->rank + (size_t)i];
        if (status != RL_CELL_DONE && status != RL_CELL_NO_CONVERGENCE && status != RL_CELL_ZERO_MATRIX) return false;
        if (status != record->outcomes[i].outcome) return false;
        if (!isnan(rank) && !(rank >= 0 && rank <= series->n_features)) return false;
    }
    return true;
}

/* Whether so many words can be those of n N: a flag per value at least, and no more than a value for each. */
static bool length_is_sound(int n, size_t per_n, size_t words) {
    if (n < 1 || per_n > 64 * words / (size_t)n) return false;
    const size_t flags = rl_pack_flags(per_n * (size_t)n);
    return words >= flags && words <= flags + per_n * (size_t)n;
}

static rl_status turn_counts_back(const rl_curve_layout *l, double *curve) {
    const size_t n = (size_t)l->n_n_train, variants = (size_t)l->n_variants;
    double *turned;
    if (!l->has_modes_kept) return RL_OK;
    RL_TRY(RL_ALLOC(turned, n * variants));
    turn_counts(curve + l->modes_kept, variants, n, turned);
    memcpy(curve + l->modes_kept, turned, n * variants * sizeof *turned);
    rl_free(turned);
    return RL_OK;
}

/* What the series asks for, of a record that holds more. */
static rl_status choose_own(const rl_series *series, const rl_record *record, rl_curve_layout *layout, double **curve) {
    const rl_curve_layout from = *layout;
    double *own;
    *layout = rl_content_own(series, &from);
    RL_TRY(RL_ALLOC(own, layout->length));
    for (int i = 0; i < record->n; i++) rl_curve_copy(&from, *curve, i, record->variants, layout, own, i);
    rl_free(*curve);
    *curve = own;
    return RL_OK;
}

rl_status rl_curve_of_record(const rl_series *series, const rl_record *record, rl_curve_layout *layout, double **curve,
                             bool *sound) {
    const rl_curve_layout one = rl_content_head_read(series, record, sound);
    const size_t words = *sound ? (record->length - sizeof(rl_content_head)) / sizeof(uint64_t) : 0;
    const uint64_t *packed = (const void *)((const char *)record->content + sizeof(rl_content_head));
    *curve = NULL;
    *sound = *sound && length_is_sound(record->n, one.length, words);
    if (!*sound) return RL_OK;
    *layout = rl_curve_layout_like(&one, record->n);
    RL_TRY(RL_ALLOC(*curve, layout->length));
    *sound = rl_unpack(packed, words, layout->length, *curve) && values_are_sound(series, record, layout, *curve);
    rl_status status = *sound ? turn_counts_back(layout, *curve) : RL_OK;
    if (*sound && status == RL_OK && record->variants != NULL) status = choose_own(series, record, layout, curve);
    if (*sound && status == RL_OK) return RL_OK;
    rl_free(*curve);
    *curve = NULL;
    return status;
}
