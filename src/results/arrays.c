/* The arrays of a results file: defined, filled, and compared with what was put there. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "writer.h"

enum { CHUNK = 1024 * 1024 /* bytes of a chunk, at most */, DIMENSIONS = 5 /* of an array, at most */ };

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
        assert(*n < DIMENSIONS);
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

static rl_status pack_array(const writer *w, int n, const size_t *lengths, int apart) {
    const variable *v = rl_last_variable(w);
    size_t chunk[DIMENSIONS], room = CHUNK / rl_nc_type_size(v->type);
    for (int d = n - 1; d >= 0; d--) {
        chunk[d] = d < apart ? 1 : lengths[d] < room ? lengths[d] : room;
        room = room / chunk[d] > 0 ? room / chunk[d] : 1;
    }
    RL_NC(&w->file, nc_def_var_chunking(v->group, v->id, NC_CHUNKED, chunk));
    RL_NC(&w->file, nc_def_var_deflate(v->group, v->id, 1, 1, 1));
    return RL_OK;
}

rl_status rl_define_array(writer *w, const group *g, const array *a) {
    int n, ids[DIMENSIONS];
    size_t lengths[DIMENSIONS];
    if (!find_dimensions(g, a->dimensions, ids, lengths, &n)) return RL_OK;
    RL_TRY(make_room(w));
    variable *v = &w->variables[w->n_variables++];
    *v = (variable){.in = g->series->name, .group = g->id, .type = a->type, .count = 1, .original = a->original};
    snprintf(v->name, sizeof v->name, "%s", a->name);
    for (int d = 0; d < n; d++) v->count *= lengths[d];
    RL_NC(&w->file, nc_def_var(g->id, a->name, a->type, n, ids, &v->id));
    if (a->least > 0 && bytes_of(v) >= a->least) RL_TRY(pack_array(w, n, lengths, a->apart));
    RL_TRY(rl_put_text(w, "long_name", a->long_name));
    RL_TRY(rl_put_text(w, "units", a->long_name == NULL || a->type == NC_STRING ? NULL : "1"));
    RL_TRY(rl_put_text(w, "coordinates", a->coordinates));
    if (a->nan) RL_TRY(rl_put_nan(w));
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

static rl_status take_record(void *state, const rl_record *record, const int *target) {
    const visit *v = state;
    char text[200];
    bool sound = true;
    RL_TRY(v->take(&v->t, record, target, &sound));
    if (sound) return RL_OK;
    rl_task_text(v->t.series, v->t.task, text, sizeof text);
    return rl_fail(RL_ERR_IO, "%s: the journal's record of %s is none that this study writes", v->t.w->file.path, text);
}

int64_t rl_group_tasks(const writer *w, const group *g) {
    return rl_plan_end_of_tasks(w->plan, g->first + g->n_series - 1) - g->series->first_task;
}

rl_status rl_read_group(writer *w, const group *g, rl_record_taker take) {
    for (int64_t i = 0; i < rl_group_tasks(w, g); i++) {
        const rl_task *task = &w->plan->tasks[g->series->first_task + i];
        const size_t p = (size_t)(task->series - g->first);
        visit v = {{.w = w, .g = g, .task = task, .series = &g->series[p], .i = (size_t)i, .p = p}, take};
        RL_TRY(rl_journal_visit(w->journal, g->series->first_task + i, take_record, &v));
    }
    return RL_OK;
}

static uint64_t hash_of(const variable *v, const void *values) {
    return XXH3_64bits(values, bytes_of(v));
}

static bool is_next(const writer *w, const char *name) {
    return w->n_filled < w->n_variables && strcmp(w->variables[w->n_filled].name, name) == 0;
}

rl_status rl_put_values(writer *w, const char *name, const void *values) {
    assert(is_next(w, name));
    variable *v = &w->variables[w->n_filled++];
    (void)name;
    v->hash = hash_of(v, values);
    RL_NC(&w->file, nc_put_var(v->group, v->id, values));
    return RL_OK;
}

rl_status rl_put_indices(writer *w, const char *name, int first) {
    int *indices = w->stored;
    if (!is_next(w, name)) return RL_OK;
    for (size_t i = 0; i < w->variables[w->n_filled].count; i++) indices[i] = first + (int)i;
    return rl_put_values(w, name, indices);
}

size_t rl_largest_array(const writer *w) {
    size_t most = 0;
    for (int i = 0; i < w->n_variables; i++)
        if (bytes_of(&w->variables[i]) > most) most = bytes_of(&w->variables[i]);
    return most;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static rl_status verify_array(const writer *w, const variable *v) {
    int in, id;
    RL_NC(&w->file, nc_inq_grp_ncid(w->file.id, v->in, &in));
    RL_NC(&w->file, nc_inq_varid(in, v->name, &id));
    RL_NC(&w->file, nc_get_var(in, id, w->stored));
    if (hash_of(v, w->stored) == v->hash) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: `%s` of `%s` does not read back as it was written", w->file.path, v->name, v->in);
}

rl_status rl_verify_arrays(writer *w, const char *finished) {
    RL_NC(&w->file, nc_open(finished, NC_NOWRITE, &w->file.id));
    rl_status status = RL_OK;
    for (int i = 0; status == RL_OK && i < w->n_variables; i++)
        if (w->variables[i].original) status = verify_array(w, &w->variables[i]);
    nc_close(w->file.id);
    return status;
}
