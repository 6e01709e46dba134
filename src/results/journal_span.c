/* The journal's records of summaries: {head, data set name, list of N, packed summary, checksum}. Each is of some
 * repeats of a span, and of some N; what there is of a span may stand in several of them, of other repeats or other N
 * each. */
#include <string.h>

#include "journal.h"

/* ---- out --------------------------------------------------------------------------------------------------------- */

static rl_status put_together(rl_record_head *head, const char *name, const int32_t *sizes, const rl_span *span,
                              rl_text *bytes) {
    head->length = rl_journal_span_frame(head) + span->n_words * sizeof *span->words;
    bytes->length = 0;
    RL_TRY(rl_text_append_bytes(bytes, head, sizeof *head));
    RL_TRY(rl_journal_append_padded(bytes, name, head->name_length));
    RL_TRY(rl_journal_append_padded(bytes, sizes, head->n_sizes * sizeof *sizes));
    RL_TRY(rl_text_append_bytes(bytes, span->words, span->n_words * sizeof *span->words));
    return rl_journal_append_checksum(bytes);
}

static rl_status build(const rl_journal *journal, const rl_curve *c, const rl_span *span, rl_text *bytes) {
    const rl_grid *grid = &journal->plan->grids[c->grid];
    const rl_record_layout *l = &journal->layouts[c->grid];
    rl_record_head head = {.magic = RL_SPAN_MAGIC,
                           .n_sizes = (uint32_t)span->n_sizes,
                           .data_checksum = grid->data.checksum,
                           .n_features = grid->data.n_features,
                           .repeat = span->repeats.first,
                           .n_repeats = span->repeats.n,
                           .n_variants = l->n_variants,
                           .parts = rl_record_parts(l),
                           .name_length = (uint32_t)strlen(grid->data.name)};
    int32_t *sizes = NULL;
    RL_TRY(RL_ALLOC(sizes, span->n_sizes));
    for (int k = 0; k < span->n_sizes; k++) sizes[k] = grid->n_train[c->first_size + (int)span->sizes[k]];
    const rl_status status = put_together(&head, grid->data.name, sizes, span, bytes);
    rl_free(sizes);
    return status;
}

rl_status rl_journal_append_span(rl_journal *journal, int64_t curve, const double *record, size_t length) {
    const rl_curve *c = &journal->plan->curves[curve];
    const rl_span span = rl_span_of(record, length);
    rl_record_head head;
    RL_TRY(build(journal, c, &span, &journal->buffer));
    const uint64_t offset = journal->end;
    RL_TRY(rl_journal_write(journal));
    memcpy(&head, journal->buffer.bytes, sizeof head);
    return rl_journal_note_span(journal, c->grid, &head, journal->buffer.bytes, offset);
}

/* ---- what stands where ------------------------------------------------------------------------------------------- */

static int end_of(rl_repeats repeats) {
    return repeats.first + repeats.n;
}

/* The place after which one of these repeats belongs; *free: none of them is there yet. */
static int find_place(const rl_span_places *p, rl_repeats repeats, bool *free) {
    int i = 0;
    while (i < p->n && p->list[i].repeats.first < repeats.first) i++;
    *free = (i == 0 || end_of(p->list[i - 1].repeats) <= repeats.first) &&
            (i == p->n || end_of(repeats) <= p->list[i].repeats.first);
    return i;
}

static rl_status make_room(rl_span_places *p) {
    rl_span_place *list;
    if (p->n < p->capacity) return RL_OK;
    RL_TRY(RL_ALLOC(list, 2 * p->capacity + 1));
    if (p->n > 0) memcpy(list, p->list, (size_t)p->n * sizeof *list);
    rl_free(p->list);
    p->list = list;
    p->capacity = 2 * p->capacity + 1;
    return RL_OK;
}

/* Repeats of which some are there already stay as they are: all of them cannot be taken without counting those twice.
 */
static rl_status note_size(rl_span_places *p, const rl_span_place *place, bool *noted) {
    bool free;
    const int i = find_place(p, place->repeats, &free);
    if (!free) return RL_OK;
    RL_TRY(make_room(p));
    memmove(p->list + i + 1, p->list + i, (size_t)(p->n - i) * sizeof *p->list);
    p->list[i] = *place;
    p->n++;
    *noted = true;
    return RL_OK;
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

size_t rl_journal_span_frame(const rl_record_head *head) {
    return sizeof *head + rl_journal_padded(head->name_length) + rl_journal_padded(head->n_sizes * sizeof(int32_t)) +
           sizeof(uint64_t);
}

bool rl_journal_span_is_plausible(const rl_record_head *h, uint64_t left) {
    if (h->length > left || h->name_length > left || h->n_sizes < 1 || h->n_sizes > INT32_MAX || h->n_features < 1 ||
        h->n_variants < 1 || h->n_modes != 0 || h->n_points != 0 || h->parts > RL_ALL_PARTS || h->n_repeats < 1 ||
        h->repeat < 0 || h->repeat > INT32_MAX - h->n_repeats)
        return false;
    const uint64_t frame = rl_journal_span_frame(h);
    return h->length > frame && (h->length - frame) % sizeof(uint64_t) == 0;
}

/* The parts of a whole record, in its bytes. */
typedef struct content {
    const int32_t *sizes;
    rl_packed_summary packed;
} content;

static content take_apart(const rl_record_layout *l, const rl_record_head *h, const char *bytes) {
    const char *sizes = bytes + sizeof *h + rl_journal_padded(h->name_length);
    return (content){.sizes = (const void *)sizes,
                     .packed = {.words = sizes + rl_journal_padded(h->n_sizes * sizeof(int32_t)),
                                .n_words = (size_t)(h->length - rl_journal_span_frame(h)) / sizeof(uint64_t),
                                .n_sizes = (int)h->n_sizes,
                                .n_repeats = h->n_repeats,
                                .places = rl_summary_places(l)}};
}

static bool sizes_are_sound(const rl_grid *grid, const content *c) {
    for (int k = 0; k < c->packed.n_sizes; k++)
        if (c->sizes[k] <= (k > 0 ? c->sizes[k - 1] : 0) || c->sizes[k] >= grid->data.n_rows) return false;
    return true;
}

static rl_status note_failed(void *state, int k, const int64_t counts[RL_N_STATUSES]) {
    int32_t *failed = state;
    for (int status = 0; status < RL_N_STATUSES; status++)
        if (status != RL_CELL_DONE) failed[k] += (int32_t)counts[status];
    return RL_OK;
}

/* Spectra of each size that failed; *sound: a checksum keeps no nonsense out. */
static rl_status look_through(const rl_grid *grid, const content *c, int32_t *failed, bool *sound) {
    const rl_summary_visitor visitor = {.statuses = note_failed, .state = failed};
    *sound = sizes_are_sound(grid, c);
    return *sound ? rl_summary_visit(&c->packed, &visitor, sound) : RL_OK;
}

static rl_status make_places(rl_journal *journal, int64_t curve) {
    if (journal->spans[curve] != NULL) return RL_OK;
    return RL_ALLOC(journal->spans[curve], journal->plan->curves[curve].n_sizes);
}

/* Notes each N that the grid has; the others stay in the file. */
static rl_status note_sizes(rl_journal *journal, int64_t curve, const content *c, const rl_span_place *place,
                            const int32_t *failed, bool *noted) {
    const rl_grid *grid = &journal->plan->grids[journal->plan->curves[curve].grid];
    RL_TRY(make_places(journal, curve));
    for (int i = 0, k = 0; i < grid->n_n_train; i++) {
        while (k < c->packed.n_sizes && c->sizes[k] < grid->n_train[i]) k++;
        if (k == c->packed.n_sizes) break;
        if (c->sizes[k] != grid->n_train[i]) continue;
        rl_span_place here = *place;
        here.index = k;
        here.n_failed = failed[k];
        RL_TRY(note_size(&journal->spans[curve][i], &here, noted));
    }
    return RL_OK;
}

static rl_status note(rl_journal *journal, int g, const rl_record_head *head, const content *c, const char *bytes,
                      uint64_t offset, const int32_t *failed) {
    const rl_plan *plan = journal->plan;
    const int64_t curve = rl_plan_curve(plan, g, head->repeat, 0);
    const rl_curve *span = &plan->curves[curve];
    const rl_span_place place = {.record = offset, .repeats = {head->repeat, head->n_repeats}};
    bool noted = false;
    if (end_of(place.repeats) > span->repeat + span->n_repeats) {
        if (end_of(place.repeats) <= plan->study->repeats) return rl_journal_refuse_layout(journal, g, head);
        journal->reaches_beyond = true; /* what is counted together cannot be taken apart */
        return RL_OK;
    }
    RL_TRY(note_sizes(journal, curve, c, &place, failed, &noted));
    if (noted) rl_journal_note_content(journal, bytes, (size_t)head->length);
    return RL_OK;
}

rl_status rl_journal_note_span(rl_journal *journal, int g, const rl_record_head *head, const char *bytes,
                               uint64_t offset) {
    const content c = take_apart(&journal->layouts[g], head, bytes);
    int32_t *failed = NULL;
    bool sound;
    RL_TRY(RL_ALLOC(failed, c.packed.n_sizes));
    rl_status status = look_through(&journal->plan->grids[g], &c, failed, &sound);
    if (status == RL_OK)
        status = sound ? note(journal, g, head, &c, bytes, offset, failed) : rl_journal_refuse_layout(journal, g, head);
    rl_free(failed);
    return status;
}

/* ---- use --------------------------------------------------------------------------------------------------------- */

/* Repeats of a size that are there, and spectra of them that failed. */
static int count_repeats(const rl_journal *journal, int64_t curve, int i, int *n_failed) {
    int n = 0;
    *n_failed = 0;
    if (journal == NULL || journal->spans[curve] == NULL) return 0;
    const rl_span_places *p = &journal->spans[curve][i];
    for (int k = 0; k < p->n; k++) {
        n += p->list[k].repeats.n;
        *n_failed += p->list[k].n_failed;
    }
    return n;
}

void rl_journal_tally_span(const rl_journal *journal, const rl_plan *plan, int64_t curve, rl_tally *t) {
    const rl_curve *c = &plan->curves[curve];
    int least = c->n_repeats, most = 0;
    for (int i = 0; i < c->n_sizes; i++) {
        int failed;
        const int n = count_repeats(journal, curve, i, &failed);
        least = n < least ? n : least;
        most = n > most ? n : most;
        t->spectra_done += n - failed;
        t->spectra_failed += failed;
        t->spectra_missing += c->n_repeats - n;
    }
    t->spectra += (int64_t)c->n_sizes * c->n_repeats;
    t->curves += c->n_repeats;
    t->curves_done += least;
    t->curves_begun += most - least;
}

bool rl_journal_missing_repeats(const rl_journal *journal, const rl_plan *plan, int64_t curve, int i, int from,
                                rl_repeats *missing) {
    const rl_curve *c = &plan->curves[curve];
    const int end = c->repeat + c->n_repeats;
    int first = from > c->repeat ? from : c->repeat;
    const bool none = journal == NULL || journal->spans[curve] == NULL;
    const rl_span_places places = none ? (rl_span_places){0} : journal->spans[curve][i];
    for (int k = 0; k < places.n; k++) {
        const rl_repeats there = places.list[k].repeats;
        if (end_of(there) <= first) continue;
        if (there.first > first) {
            *missing = (rl_repeats){first, there.first - first};
            return true;
        }
        first = end_of(there);
    }
    *missing = (rl_repeats){first, end - first};
    return first < end;
}

/* The sizes that stand in the record at `offset`; target[n]. */
static void choose_targets(const rl_journal *journal, int64_t curve, uint64_t offset, int *target, int n) {
    for (int k = 0; k < n; k++) target[k] = -1;
    for (int i = 0; i < journal->plan->curves[curve].n_sizes; i++) {
        const rl_span_places *p = &journal->spans[curve][i];
        for (int k = 0; k < p->n; k++)
            if (p->list[k].record == offset) target[p->list[k].index] = i;
    }
}

static rl_status merge_record(rl_journal *journal, rl_reader *reader, int64_t curve, uint64_t offset,
                              rl_summary *into) {
    const int g = journal->plan->curves[curve].grid;
    rl_record_head head;
    const char *bytes;
    int *target = NULL;
    bool sound;
    RL_TRY(rl_journal_get_again(reader, offset, RL_SPAN_MAGIC, &head, &bytes));
    const content c = take_apart(&journal->layouts[g], &head, bytes);
    RL_TRY(RL_ALLOC(target, c.packed.n_sizes));
    choose_targets(journal, curve, offset, target, c.packed.n_sizes);
    const rl_status status = rl_summary_merge(into, &c.packed, target, &sound);
    rl_free(target);
    if (status == RL_OK && !sound) return rl_journal_refuse_layout(journal, g, &head);
    return status;
}

/* Whether a record has been met at an earlier size of the curve. */
static bool is_merged(const rl_span_places *sizes, int i, uint64_t record) {
    for (int earlier = 0; earlier < i; earlier++)
        for (int k = 0; k < sizes[earlier].n; k++)
            if (sizes[earlier].list[k].record == record) return true;
    return false;
}

rl_status rl_journal_merge_summary(rl_journal *journal, int64_t curve, rl_summary *into) {
    rl_reader reader = {.path = journal->path, .fd = journal->fd, .size = journal->end};
    const rl_span_places *sizes = journal->spans[curve];
    rl_status status = RL_OK;
    for (int i = 0; sizes != NULL && i < journal->plan->curves[curve].n_sizes; i++)
        for (int k = 0; status == RL_OK && k < sizes[i].n; k++)
            if (!is_merged(sizes, i, sizes[i].list[k].record))
                status = merge_record(journal, &reader, curve, sizes[i].list[k].record, into);
    rl_reader_destroy(&reader);
    return status;
}

void rl_journal_destroy_spans(rl_journal *journal) {
    const rl_plan *plan = journal->plan;
    for (int64_t curve = 0; journal->spans != NULL && curve < plan->n_curves; curve++) {
        for (int i = 0; journal->spans[curve] != NULL && i < plan->curves[curve].n_sizes; i++)
            rl_free(journal->spans[curve][i].list);
        rl_free(journal->spans[curve]);
    }
    rl_free(journal->spans);
}
