/* A record of the journal, packed and taken apart: any N of one (dataset, P, repeat). */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "journal.h"

static bool is_there(const rl_record_layout *l, const double *record, int i) {
    return rl_record_status(l, record, i) != RL_CELL_MISSING;
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

static int list_sizes(const rl_grid *grid, const rl_curve *c, const rl_record_layout *l, const double *record,
                      int32_t *sizes) {
    int n = 0;
    for (int i = 0; i < l->n_sizes; i++)
        if (is_there(l, record, i)) sizes[n++] = grid->n_train[c->first_size + i];
    return n;
}

/* Puts the values of the sizes that are there side by side. */
static void gather(const rl_record_layout *from, const double *record, const rl_record_layout *to, double *values) {
    for (int i = 0, k = 0; i < from->n_sizes; i++)
        if (is_there(from, record, i)) rl_record_copy(from, record, i, to, values, k++);
}

static rl_status append_parts(const rl_record_head *head, const char *name, const int32_t *sizes,
                              const uint64_t *packed, size_t length, rl_text *bytes) {
    rl_record_head h = *head;
    h.magic = RL_RECORD_MAGIC;
    h.name_length = (uint32_t)strlen(name);
    h.length = sizeof h + rl_journal_padded(h.name_length) + rl_journal_padded(h.n_sizes * sizeof *sizes) +
               length * sizeof *packed + sizeof(uint64_t);
    bytes->length = 0;
    RL_TRY(rl_text_append_bytes(bytes, &h, sizeof h));
    RL_TRY(rl_journal_append_padded(bytes, name, h.name_length));
    RL_TRY(rl_journal_append_padded(bytes, sizes, h.n_sizes * sizeof *sizes));
    RL_TRY(rl_text_append_bytes(bytes, packed, length * sizeof *packed));
    return rl_journal_append_checksum(bytes);
}

static rl_status put_together(const rl_record_head *head, const char *name, const int32_t *sizes, const double *values,
                              size_t n, rl_text *bytes) {
    uint64_t *packed = NULL;
    RL_TRY(RL_ALLOC(packed, rl_pack_flags(n) + n + 1));
    const rl_status status = append_parts(head, name, sizes, packed, rl_pack(values, n, packed), bytes);
    rl_free(packed);
    return status;
}

uint32_t rl_record_parts(const rl_record_layout *l) {
    return (l->has_population ? RL_PART_POPULATION : 0) | (l->has_distance ? RL_PART_DISTANCE : 0) |
           (l->n_directions > 0 ? RL_PART_DIRECTIONS : 0);
}

rl_record_shape rl_record_head_shape(const rl_record_head *head) {
    return (rl_record_shape){.n_variants = head->n_variants,
                             .n_modes = head->n_modes,
                             .n_directions = head->parts & RL_PART_DIRECTIONS ? head->n_features : 0,
                             .n_points = (int)head->n_points,
                             .has_population = head->parts & RL_PART_POPULATION,
                             .has_distance = head->parts & RL_PART_DISTANCE};
}

static rl_status build(const rl_journal *journal, const rl_curve *c, const double *record, int n, const int32_t *sizes,
                       rl_text *bytes) {
    const rl_grid *grid = &journal->plan->grids[c->grid];
    const rl_record_layout *from = &journal->layouts[c->grid];
    const rl_record_head head = {.n_sizes = (uint32_t)n,
                                 .data_checksum = grid->data.checksum,
                                 .n_features = grid->data.n_features,
                                 .repeat = c->repeat,
                                 .n_repeats = 1,
                                 .n_variants = from->n_variants,
                                 .n_modes = from->has_modes ? from->max_modes : 0,
                                 .parts = rl_record_parts(from),
                                 .n_points = (uint32_t)from->n_points};
    const rl_record_layout to = rl_record_layout_make(n, rl_record_shape_of(from));
    double *values = NULL;
    if (n == from->n_sizes) return put_together(&head, grid->data.name, sizes, record, to.length, bytes);
    RL_TRY(RL_ALLOC(values, to.length));
    gather(from, record, &to, values);
    const rl_status status = put_together(&head, grid->data.name, sizes, values, to.length, bytes);
    rl_free(values);
    return status;
}

rl_status rl_journal_build_record(const rl_journal *journal, int64_t curve, const double *record, rl_text *bytes,
                                  int *n) {
    const rl_curve *c = &journal->plan->curves[curve];
    int32_t *sizes = NULL;
    RL_TRY(RL_ALLOC(sizes, c->n_sizes));
    *n = list_sizes(&journal->plan->grids[c->grid], c, &journal->layouts[c->grid], record, sizes);
    const rl_status status = *n > 0 ? build(journal, c, record, *n, sizes, bytes) : RL_OK;
    rl_free(sizes);
    return status;
}

/* ---- what stands where ------------------------------------------------------------------------------------------- */

static rl_status make_places(rl_journal *journal, int64_t curve) {
    const int n = journal->plan->curves[curve].n_sizes;
    if (journal->places[curve] == NULL) {
        RL_TRY(RL_ALLOC(journal->places[curve], n));
        for (int i = 0; i < n; i++) journal->places[curve][i].status = RL_CELL_MISSING;
    }
    rl_free(journal->records[curve]); /* as it was before */
    journal->records[curve] = NULL;
    return RL_OK;
}

rl_status rl_journal_note(rl_journal *journal, int64_t curve, const double *record, uint64_t offset) {
    const rl_record_layout *l = &journal->layouts[journal->plan->curves[curve].grid];
    RL_TRY(make_places(journal, curve));
    for (int i = 0, k = 0; i < l->n_sizes; i++)
        if (is_there(l, record, i))
            journal->places[curve][i] = (rl_place){offset, k++, (int32_t)rl_record_status(l, record, i)};
    return RL_OK;
}

void rl_journal_note_content(rl_journal *journal, const char *record, size_t length) {
    uint64_t both[2] = {journal->content, 0};
    memcpy(&both[1], record + length - sizeof both[1], sizeof both[1]);
    journal->content = XXH3_64bits(both, sizeof both);
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

/* The grid of the record's data set and P; n_grids: the plan has none. Where the study names no P, one that is another
 * is that of other rows. */
static rl_status find_grid(const rl_plan *plan, rl_reader *reader, uint64_t offset, const rl_record_head *head,
                           int *grid) {
    for (*grid = 0; *grid < plan->n_grids; ++*grid) {
        const rl_grid *g = &plan->grids[*grid];
        const char *name = g->data.name, *bytes;
        if (g->spec->n_features.n_values > 0 && g->data.n_features != head->n_features) continue;
        if (strlen(name) != head->name_length) continue;
        RL_TRY(rl_reader_get(reader, offset + sizeof *head, head->name_length, &bytes));
        if (memcmp(bytes, name, head->name_length) == 0) return RL_OK;
    }
    return RL_OK;
}

rl_status rl_journal_refuse_layout(const rl_journal *journal, int g, const rl_record_head *head) {
    return rl_fail(RL_ERR_INPUT,
                   "%s: the record of `%s`, repeat %d, has another layout than this study's; " RL_START_OVER,
                   journal->path, journal->plan->grids[g].data.name, head->repeat);
}

static rl_status check_head(const rl_journal *journal, int g, const rl_record_head *head) {
    const rl_grid *grid = &journal->plan->grids[g];
    const rl_record_layout *l = &journal->layouts[g];
    if (head->data_checksum != grid->data.checksum)
        return rl_fail(RL_ERR_INPUT,
                       "%s: the rows of `%s` have changed since: their checksum was %016" PRIx64
                       ", now it is "
                       "%016" PRIx64 "; " RL_START_OVER,
                       journal->path, grid->data.name, head->data_checksum, grid->data.checksum);
    const bool summary = head->magic == RL_SPAN_MAGIC;
    if (summary == grid->spec->keep.summary && head->n_variants == l->n_variants && head->parts == rl_record_parts(l) &&
        (head->n_modes > 0) == l->has_modes && head->n_modes <= grid->data.n_features &&
        head->n_sizes < (uint32_t)grid->data.n_rows && head->n_points == (uint32_t)l->n_points)
        return RL_OK;
    return rl_journal_refuse_layout(journal, g, head);
}

/* The parts of a whole record. Records stand at whole words of a block. */
typedef struct content {
    rl_record_layout layout;
    const int32_t *sizes;
    const double *values; /* the journal's, until the next record */
} content;

static rl_status make_room_for(rl_journal *journal, size_t n) {
    if (n <= journal->n_values) return RL_OK;
    rl_free(journal->values);
    journal->values = NULL;
    journal->n_values = 0;
    RL_TRY(RL_ALLOC(journal->values, n));
    journal->n_values = n;
    return RL_OK;
}

/* The head has been checked: it is this study's. */
static rl_status take_apart(rl_journal *journal, const rl_record_head *head, const char *bytes, content *c,
                            bool *sound) {
    const char *list = bytes + sizeof *head + rl_journal_padded(head->name_length);
    const char *packed = list + rl_journal_padded(head->n_sizes * sizeof(int32_t));
    const char *end = bytes + head->length - sizeof(uint64_t);
    c->layout = rl_record_layout_make((int)head->n_sizes, rl_record_head_shape(head));
    c->sizes = (const void *)list;
    RL_TRY(make_room_for(journal, c->layout.length));
    c->values = journal->values;
    *sound =
        rl_unpack((const void *)packed, (size_t)(end - packed) / sizeof(uint64_t), c->layout.length, journal->values);
    return RL_OK;
}

/* Whether the N ascend, and each has a status and a rank that there are: a checksum keeps no nonsense out. */
static bool is_sound(const rl_grid *grid, const content *c) {
    const rl_record_layout *l = &c->layout;
    const int32_t *sizes = c->sizes;
    const double *values = c->values;
    for (int i = 0; i < l->n_sizes; i++) {
        const double status = values[l->status + (size_t)i], rank = values[l->rank + (size_t)i];
        if (sizes[i] <= (i > 0 ? sizes[i - 1] : 0) || sizes[i] >= grid->data.n_rows) return false;
        if (status != RL_CELL_DONE && status != RL_CELL_NO_CONVERGENCE && status != RL_CELL_ZERO_MATRIX) return false;
        if (!isnan(rank) && !(rank >= 0 && rank <= grid->data.n_features)) return false;
    }
    return true;
}

/* Notes each N with the curve of the plan that has it; those that no curve has stay in the file. */
static rl_status note_sizes(rl_journal *journal, int g, int repeat, const content *c, uint64_t offset) {
    const rl_grid *grid = &journal->plan->grids[g];
    for (int i = 0, k = 0; i < grid->n_n_train; i++) {
        while (k < c->layout.n_sizes && c->sizes[k] < grid->n_train[i]) k++;
        if (k == c->layout.n_sizes) break;
        if (c->sizes[k] != grid->n_train[i]) continue;
        const int64_t curve = rl_plan_curve(journal->plan, g, repeat, i);
        RL_TRY(make_places(journal, curve));
        journal->places[curve][i - journal->plan->curves[curve].first_size] =
            (rl_place){offset, k, (int32_t)rl_record_status(&c->layout, c->values, k)};
    }
    return RL_OK;
}

rl_status rl_journal_take_record(void *state, rl_reader *reader, uint64_t offset, const rl_record_head *head) {
    rl_journal *journal = state;
    const rl_plan *plan = journal->plan;
    const char *bytes;
    int g;
    if (head->magic == RL_TRAINING_MAGIC) return rl_journal_take_training(journal, reader, offset, head);
    RL_TRY(find_grid(plan, reader, offset, head, &g));
    if (g == plan->n_grids) return RL_OK;
    const rl_grid *grid = &plan->grids[g];
    RL_TRY(check_head(journal, g, head));
    if (head->repeat < 0 || head->repeat >= plan->study->repeats) return RL_OK;
    RL_TRY(rl_reader_get(reader, offset, (size_t)head->length, &bytes));
    if (head->magic == RL_SPAN_MAGIC) return rl_journal_note_span(journal, g, head, bytes, offset);
    content c;
    bool sound;
    RL_TRY(take_apart(journal, head, bytes, &c, &sound));
    if (!sound || !is_sound(grid, &c)) return rl_journal_refuse_layout(journal, g, head);
    rl_journal_note_content(journal, bytes, (size_t)head->length);
    return note_sizes(journal, g, head->repeat, &c, offset);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

rl_status rl_journal_fail_to_read(const rl_reader *reader, uint64_t offset) {
    return rl_fail(RL_ERR_IO, "%s: the record at byte %" PRIu64 " does not read back as it was written", reader->path,
                   offset);
}

rl_status rl_journal_get_again(rl_reader *reader, uint64_t offset, uint32_t magic, rl_record_head *head,
                               const char **bytes) {
    uint64_t stored;
    RL_TRY(rl_reader_get(reader, offset, sizeof *head, bytes));
    memcpy(head, *bytes, sizeof *head);
    if (head->magic == magic && head->length > sizeof *head && head->length <= reader->size - offset) {
        RL_TRY(rl_reader_get(reader, offset, (size_t)head->length, bytes));
        memcpy(&stored, *bytes + head->length - sizeof stored, sizeof stored);
        if (stored == XXH3_64bits(*bytes, (size_t)head->length - sizeof stored)) return RL_OK;
    }
    return rl_journal_fail_to_read(reader, offset);
}

static rl_status read_curve(rl_journal *journal, int64_t curve, rl_reader *reader, double *record) {
    const rl_record_layout *l = &journal->layouts[journal->plan->curves[curve].grid];
    const rl_place *places = journal->places[curve];
    for (int i = 0; i < l->n_sizes; i++) rl_record_clear(l, i, record);
    for (int i = 0; i < l->n_sizes; i++) { /* each record of the file once */
        rl_record_head head;
        const char *bytes;
        if (places[i].status == RL_CELL_MISSING || rl_record_status(l, record, i) != RL_CELL_MISSING) continue;
        RL_TRY(rl_journal_get_again(reader, places[i].record, RL_RECORD_MAGIC, &head, &bytes));
        content c;
        bool sound;
        RL_TRY(take_apart(journal, &head, bytes, &c, &sound));
        if (!sound) return rl_journal_refuse_layout(journal, journal->plan->curves[curve].grid, &head);
        for (int j = i; j < l->n_sizes; j++)
            if (places[j].status != RL_CELL_MISSING && places[j].record == places[i].record)
                rl_record_copy(&c.layout, c.values, places[j].index, l, record, j);
    }
    return RL_OK;
}

rl_status rl_journal_read(rl_journal *journal, int64_t curve, double *record) {
    rl_reader reader = {.path = journal->path, .fd = journal->fd, .size = journal->end};
    const rl_status status = read_curve(journal, curve, &reader, record);
    rl_reader_destroy(&reader);
    return status;
}
