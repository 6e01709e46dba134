/* The arrays of a results file: defined, filled, and compared with what was put there. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../checksum.h"
#include "../numbers.h"
#include "writer.h"

enum { CHUNK = 1024 * 1024 /* bytes of a chunk, at most */ };

/* ---- defining ---------------------------------------------------------------------------------------------------- */

rl_status rl_begin_group(writer *w, group *g, const dimension *dimensions, size_t n) {
    int id;
    RL_NC(&w->file, nc_def_grp(w->file.id, g->series->name, &g->id));
    for (const dimension *d = dimensions; d < dimensions + n; d++)
        if (d->length > 0) RL_NC(&w->file, nc_def_dim(g->id, d->name, d->length, &id));
    return RL_OK;
}

/* The n dimensions that are named; false where the group does not have one of them. */
static bool find_dimensions(const group *g, const char *named, int *ids, size_t *lengths, int *n) {
    char name[RL_ARRAY_NAME];
    *n = 0;
    for (int length; sscanf(named, "%63s%n", name, &length) == 1; named += length, (*n)++) {
        assert(*n < RL_DIMENSIONS);
        if (nc_inq_dimid(g->id, name, &ids[*n]) != NC_NOERR) return false;
        if (nc_inq_dimlen(g->id, ids[*n], &lengths[*n]) != NC_NOERR) return false;
    }
    return true;
}

static rl_status make_room(writer *w) {
    const int capacity = 2 * w->capacity + 64;
    if (w->n_variables < w->capacity) return RL_OK;
    RL_TRY(RL_GROW(w->variables, w->n_variables, capacity));
    w->capacity = capacity;
    return RL_OK;
}

const variable *rl_last_variable(const writer *w) {
    return &w->variables[w->n_variables - 1];
}

static size_t bytes_of(const variable *v) {
    return v->count * rl_nc_type_size(v->type);
}

/* The library keeps chunks of every array that it has met, by many MiB each: of one that is in work, two will do, and
 * of others none. */
static rl_status keep_chunks(const writer *w, int in, int id, size_t n) {
    enum { SLOTS = 101 };
    const float least_recently_used = 0;
    RL_NC(&w->file, nc_set_var_chunk_cache(in, id, n * CHUNK, SLOTS, least_recently_used));
    return RL_OK;
}

static rl_status pack_array(const writer *w, variable *v, int apart) {
    size_t chunk[RL_DIMENSIONS], room = CHUNK / rl_nc_type_size(v->type);
    for (int d = v->n_dimensions - 1; d >= 0; d--) {
        chunk[d] = d < apart ? 1 : v->lengths[d] < room ? v->lengths[d] : room;
        room = room / chunk[d] > 0 ? room / chunk[d] : 1;
    }
    v->packed = true;
    RL_NC(&w->file, nc_def_var_chunking(v->group, v->id, NC_CHUNKED, chunk));
    RL_NC(&w->file, nc_def_var_deflate(v->group, v->id, 1, 1, 1));
    return keep_chunks(w, v->group, v->id, 2);
}

/* What is put row by row HDF5 would first fill with the value of absent ones, and write twice. */
static rl_status define_absent(const writer *w, const variable *v) {
    const double nan = NAN;
    if (!v->in_parts || v->packed) return rl_put_nan(w);
    RL_NC(&w->file, nc_def_var_fill(v->group, v->id, NC_NOFILL, NULL));
    RL_NC(&w->file, nc_put_att_double(v->group, v->id, "_FillValue", NC_DOUBLE, 1, &nan));
    return RL_OK;
}

rl_status rl_define_array(writer *w, const group *g, const array *a) {
    variable made = {.in = g->series->name,
                     .group = g->id,
                     .type = a->type,
                     .count = 1,
                     .original = a->original,
                     .in_parts = a->in_parts};
    int ids[RL_DIMENSIONS];
    if (!find_dimensions(g, a->dimensions, ids, made.lengths, &made.n_dimensions)) return RL_OK;
    RL_TRY(make_room(w));
    variable *v = &w->variables[w->n_variables++];
    *v = made;
    snprintf(v->name, sizeof v->name, "%s", a->name);
    for (int d = 0; d < v->n_dimensions; d++) v->count *= v->lengths[d];
    RL_NC(&w->file, nc_def_var(g->id, a->name, a->type, v->n_dimensions, ids, &v->id));
    if (a->least > 0 && bytes_of(v) >= a->least) RL_TRY(pack_array(w, v, a->apart));
    RL_TRY(rl_put_text(w, "long_name", a->long_name));
    RL_TRY(rl_put_text(w, "units", a->long_name == NULL || a->type == NC_STRING ? NULL : "1"));
    RL_TRY(rl_put_text(w, "coordinates", a->coordinates));
    if (a->nan) RL_TRY(define_absent(w, v));
    return rl_put_text(w, "comment", a->comment);
}

rl_status rl_define_arrays(writer *w, const group *g, const array *arrays, size_t n) {
    for (size_t i = 0; i < n; i++) RL_TRY(rl_define_array(w, g, &arrays[i]));
    return RL_OK;
}

rl_status rl_put_fill(const writer *w, const void *value) {
    const variable *v = rl_last_variable(w);
    RL_NC(&w->file, nc_def_var_fill(v->group, v->id, NC_FILL, value));
    return RL_OK;
}

rl_status rl_put_nan(const writer *w) {
    const double nan = NAN;
    return rl_put_fill(w, &nan);
}

rl_status rl_put_text(const writer *w, const char *name, const char *text) {
    const variable *v = rl_last_variable(w);
    return text == NULL ? RL_OK : rl_nc_put_text(&w->file, v->group, v->id, name, text);
}

rl_status rl_put_flags(const writer *w, const signed char *flags, size_t n, const char *meanings) {
    const variable *v = rl_last_variable(w);
    RL_NC(&w->file, nc_put_att_schar(v->group, v->id, "flag_values", NC_BYTE, n, flags));
    return rl_put_text(w, "flag_meanings", meanings);
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

typedef struct visit {
    taken t;
    rl_record_taker take;
} visit;

static rl_status take_record(void *state, int64_t task, const rl_record *record, const int *target) {
    visit *v = state;
    char text[200];
    bool sound = true;
    v->t.task = &v->t.w->plan->tasks[task];
    v->t.p = (size_t)(v->t.task->series - v->t.g->first);
    v->t.series = &v->t.g->series[v->t.p];
    RL_TRY(v->take(&v->t, record, target, &sound));
    if (sound) return RL_OK;
    rl_task_text(v->t.series, v->t.task, text, sizeof text);
    return rl_fail(RL_ERR_IO, "%s: the journal's record of %s is none that this study writes", v->t.w->file.path, text);
}

/* Behind the last task of a series that begins before a repeat. */
static int64_t end_of_tasks(const rl_plan *plan, int series, int repeat) {
    int64_t low = plan->series[series].first_task, high = rl_plan_end_of_tasks(plan, series);
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (plan->tasks[middle].repeats.first < repeat)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void rl_tasks_at(const rl_plan *plan, int series, rl_range repeats, int64_t *first, int64_t *end) {
    *first = end_of_tasks(plan, series, repeats.first);
    *end = end_of_tasks(plan, series, rl_range_end(repeats));
}

rl_status rl_read_tasks(writer *w, const group *g, int64_t first, int64_t end, rl_record_taker take, void *state) {
    visit v = {{.w = w, .g = g, .state = state}, take};
    return rl_journal_visit_tasks(w->journal, first, end, take_record, &v);
}

rl_status rl_read_group(writer *w, const group *g, rl_range repeats, rl_record_taker take, void *state) {
    const double start = rl_seconds();
    rl_status status = RL_OK;
    for (int s = g->first; status == RL_OK && s < g->first + g->n_series; s++) {
        int64_t first, end;
        rl_tasks_at(w->plan, s, repeats, &first, &end);
        status = rl_read_tasks(w, g, first, end, take, state);
    }
    w->seconds.collecting += rl_seconds() - start;
    return status;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* The leading dimensions of an array whose rows have so many values. */
static int count_leading(const variable *v, size_t width) {
    int leading = v->n_dimensions;
    for (size_t n = 1; n < width; n *= v->lengths[leading]) leading--;
    return leading;
}

/* The first block of rows that are a part of the array in each dimension, of n that begin with row `at`: how many they
 * are, and where that stands. */
static size_t find_block(const variable *v, int leading, size_t at, size_t n, size_t *start, size_t *count) {
    size_t whole = 1; /* rows in a block of the dimensions behind d */
    for (int d = 0; d < v->n_dimensions; d++) {
        start[d] = 0;
        count[d] = d < leading ? 1 : v->lengths[d];
    }
    if (leading == 0) return 1;
    for (int d = leading - 1; d >= 0; at /= v->lengths[d--]) start[d] = at % v->lengths[d];
    int d = leading - 1;
    for (; d > 0 && start[d] == 0 && n >= whole * v->lengths[d]; d--) whole *= count[d] = v->lengths[d];
    count[d] = rl_smaller(v->lengths[d] - start[d], n / whole);
    return count[d] * whole;
}

typedef int (*mover)(int in, int id, const size_t *start, const size_t *count, void *values);

static int get_block(int in, int id, const size_t *start, const size_t *count, void *values) {
    return nc_get_vara(in, id, start, count, values);
}

static int put_block(int in, int id, const size_t *start, const size_t *count, void *values) {
    return nc_put_vara(in, id, start, count, values);
}

/* Puts or gets n rows of the array, from row `first` on. */
static rl_status move_rows(const writer *w, const variable *v, size_t width, size_t first, size_t n, mover move,
                           void *values) {
    const int leading = count_leading(v, width);
    size_t start[RL_DIMENSIONS + 1], count[RL_DIMENSIONS + 1];
    for (size_t done = 0, some; done < n; done += some) {
        some = find_block(v, leading, first + done, n - done, start, count);
        char *bytes = (char *)values + done * width * rl_nc_type_size(v->type);
        RL_NC(&w->file, move(v->group, v->id, start, count, bytes));
    }
    return RL_OK;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool is_next(const writer *w, const char *name) {
    return w->n_filled < w->n_variables && strcmp(w->variables[w->n_filled].name, name) == 0;
}

static rl_status begin_sum(writer *w) {
    if (w->sum == NULL) w->sum = XXH3_createState();
    if (w->sum == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: a checksum's state");
    XXH3_64bits_reset(w->sum);
    return RL_OK;
}

static rl_status end_array(writer *w, variable *v) {
    v->hash = XXH3_64bits_digest(w->sum);
    w->n_filled++;
    return v->packed ? keep_chunks(w, v->group, v->id, 0) : RL_OK;
}

rl_status rl_put_rows(writer *w, const char *name, size_t width, size_t n, const void *values) {
    assert(is_next(w, name));
    variable *v = &w->variables[w->n_filled];
    char *borrowed;
    (void)name;
    memcpy(&borrowed, &values, sizeof borrowed); /* what gets and what puts have one type; nothing is changed */
    if (v->n_put == 0) RL_TRY(begin_sum(w));
    XXH3_64bits_update(w->sum, values, n * width * rl_nc_type_size(v->type));
    RL_TRY(move_rows(w, v, width, v->n_put / width, n, put_block, borrowed));
    v->n_put += n * width;
    return v->n_put == v->count ? end_array(w, v) : RL_OK;
}

rl_status rl_put_values(writer *w, const char *name, const void *values) {
    return rl_put_rows(w, name, w->variables[w->n_filled].count, 1, values);
}

rl_status rl_put_indices(writer *w, const char *name, int first) {
    int *indices = w->stored;
    if (!is_next(w, name)) return RL_OK;
    for (size_t i = 0; i < w->variables[w->n_filled].count; i++) indices[i] = first + (int)i;
    return rl_put_values(w, name, indices);
}

size_t rl_room_for_arrays(const writer *w) {
    size_t most = 0;
    for (const variable *v = w->variables; v < w->variables + w->n_variables; v++)
        most = rl_larger(most, v->in_parts ? rl_smaller(bytes_of(v), (size_t)RL_ARRAY_PART) : bytes_of(v));
    return most;
}

size_t rl_plain_bytes(const writer *w) {
    size_t sum = 0;
    for (const variable *v = w->variables; v < w->variables + w->n_variables; v++) sum += v->packed ? 0 : bytes_of(v);
    return sum;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* Values of the longest rows that there is room for. */
static size_t find_width(const writer *w, const variable *v) {
    size_t width = 1, most = w->stored_bytes / rl_nc_type_size(v->type);
    for (int d = v->n_dimensions - 1; d >= 0 && width * v->lengths[d] <= most; d--) width *= v->lengths[d];
    return width;
}

/* v: of the file that is open. */
static rl_status sum_array(writer *w, const variable *v) {
    const size_t size = rl_nc_type_size(v->type), width = find_width(w, v), n = v->count / width;
    const size_t fit = w->stored_bytes / size / width;
    RL_TRY(begin_sum(w));
    for (size_t row = 0, some; row < n; row += some) {
        some = rl_smaller(fit, n - row);
        RL_TRY(move_rows(w, v, width, row, some, get_block, w->stored));
        XXH3_64bits_update(w->sum, w->stored, some * width * size);
    }
    return RL_OK;
}

static rl_status verify_array(writer *w, const variable *v) {
    variable found = *v;
    RL_NC(&w->file, nc_inq_grp_ncid(w->file.id, v->in, &found.group));
    RL_NC(&w->file, nc_inq_varid(found.group, v->name, &found.id));
    if (v->packed) RL_TRY(keep_chunks(w, found.group, found.id, 2));
    RL_TRY(sum_array(w, &found));
    if (v->packed) RL_TRY(keep_chunks(w, found.group, found.id, 0));
    if (XXH3_64bits_digest(w->sum) == v->hash) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: `%s` of `%s` does not read back as it was written", w->file.path, v->name, v->in);
}

rl_status rl_verify_arrays(writer *w, const char *finished) {
    const double start = rl_seconds();
    RL_NC(&w->file, nc_open(finished, NC_NOWRITE, &w->file.id));
    rl_status status = RL_OK;
    for (int i = 0; status == RL_OK && i < w->n_variables; i++)
        if (w->variables[i].original) status = verify_array(w, &w->variables[i]);
    nc_close(w->file.id);
    w->seconds.verifying = rl_seconds() - start;
    return status;
}
