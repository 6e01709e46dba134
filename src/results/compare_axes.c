/* Two files' dimensions, matched by their coordinates. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

/* ---- coordinates ------------------------------------------------------------------------------------------------- */

/* Along one dimension of one file; numbers or texts. */
typedef struct coordinates {
    double *number; /* [n] */
    char **text;    /* [n], NetCDF's; NULL: they are numbers */
    size_t n;
} coordinates;

static void release_texts(char **text, size_t n) {
    if (text != NULL) nc_free_string(n, text);
    rl_free(text);
}

/* Buckets have edges in the place of a coordinate of their own. */
static const char *coordinate_variable(const char *dimension) {
    return strcmp(dimension, "bucket") == 0 ? "bucket_lower" : dimension;
}

/* The variable that has the coordinates of a dimension; false: there is none. */
static bool find_coordinates(int group, int dimension, const char *name, int *id, nc_type *type) {
    int n_dimensions, along;
    return nc_inq_varid(group, coordinate_variable(name), id) == NC_NOERR &&
           nc_inq_varndims(group, *id, &n_dimensions) == NC_NOERR && n_dimensions == 1 &&
           nc_inq_vardimid(group, *id, &along) == NC_NOERR && along == dimension &&
           nc_inq_vartype(group, *id, type) == NC_NOERR && *type != NC_CHAR && *type <= NC_STRING;
}

static rl_status read_coordinates(const rl_nc *file, int group, int dimension, const char *name, coordinates *c) {
    int id;
    nc_type type;
    RL_NC(file, nc_inq_dimlen(group, dimension, &c->n));
    const bool there = find_coordinates(group, dimension, name, &id, &type);
    if (there && type == NC_STRING) {
        RL_TRY(RL_ALLOC(c->text, c->n));
        RL_NC(file, nc_get_var_string(group, id, c->text));
        return RL_OK;
    }
    RL_TRY(RL_ALLOC(c->number, c->n));
    if (there) RL_NC(file, nc_get_var_double(group, id, c->number));
    for (size_t i = 0; i < c->n && !there; i++) c->number[i] = (double)i;
    return RL_OK;
}

static rl_coordinate coordinate_at(const char *dimension, const double *number, char **text, size_t i) {
    rl_coordinate c = {.is_number = text == NULL};
    snprintf(c.dimension, sizeof c.dimension, "%s", dimension);
    if (text == NULL)
        snprintf(c.value, sizeof c.value, "%.15g", number[i]);
    else
        snprintf(c.value, sizeof c.value, "%s", text[i] == NULL ? "" : text[i]);
    rl_make_printable(c.value);
    return c;
}

rl_coordinate rl_axis_coordinate(const rl_axis *axis, size_t i) {
    return coordinate_at(axis->name, axis->number, axis->text, i);
}

/* ---- matching ---------------------------------------------------------------------------------------------------- */

typedef struct entry {
    double number;
    const char *text;
    size_t index;
} entry;

static int order_by_value(const entry *a, const entry *b) {
    if (a->text != NULL && b->text != NULL) return strcmp(a->text, b->text);
    if (a->text != NULL || b->text != NULL) return a->text != NULL ? 1 : -1;
    return a->number < b->number ? -1 : a->number > b->number ? 1 : isnan(a->number) - isnan(b->number);
}

static int by_value(const void *left, const void *right) {
    const entry *a = left, *b = right;
    const int order = order_by_value(a, b);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static rl_status sort_entries(const coordinates *c, entry **entries) {
    RL_TRY(RL_ALLOC(*entries, c->n));
    for (size_t i = 0; i < c->n; i++)
        (*entries)[i] = (entry){.number = c->text == NULL ? c->number[i] : 0,
                                .text = c->text == NULL      ? NULL
                                        : c->text[i] == NULL ? ""
                                                             : c->text[i],
                                .index = i};
    qsort(*entries, c->n, sizeof **entries, by_value);
    return RL_OK;
}

typedef struct match {
    size_t at[2];
} match;

static int by_first(const void *left, const void *right) {
    const match *a = left, *b = right;
    return (a->at[0] > b->at[0]) - (a->at[0] < b->at[0]);
}

/* An entry that one file alone has: the first ones are listed, and the last. */
static void list_lone(rl_mismatch *mismatch, const coordinates *c, size_t i) {
    enum { LISTED = 5 };
    const rl_coordinate at = coordinate_at(mismatch->name, c->number, c->text, i);
    const size_t length = strlen(mismatch->values), room = sizeof mismatch->values - length;
    if (mismatch->n++ == 0)
        snprintf(mismatch->values, room, "%s", at.value);
    else if (mismatch->n <= LISTED)
        snprintf(mismatch->values + length, room, ", %.24s", at.value);
    else if (mismatch->n == LISTED + 1)
        snprintf(mismatch->values + length, room, ", ...");
}

/* Both lists are sorted: entries that are alike are paired, and others are marked as alone. */
static size_t merge_entries(entry *const lists[2], const coordinates c[2], match *matches, bool *const lone[2]) {
    size_t n = 0, i = 0, j = 0;
    while (i < c[0].n || j < c[1].n) {
        const int order = i == c[0].n ? 1 : j == c[1].n ? -1 : order_by_value(&lists[0][i], &lists[1][j]);
        if (order == 0)
            matches[n++] = (match){{lists[0][i++].index, lists[1][j++].index}};
        else if (order < 0)
            lone[0][lists[0][i++].index] = true;
        else
            lone[1][lists[1][j++].index] = true;
    }
    qsort(matches, n, sizeof *matches, by_first);
    return n;
}

static rl_status add_lone(const rl_pair *pair, const rl_axis *axis, const coordinates c[2], bool *const lone[2],
                          rl_comparison *comparison) {
    for (int f = 0; f < 2; f++) {
        rl_mismatch *mismatch = NULL;
        for (size_t i = 0; i < c[f].n; i++) {
            if (!lone[f][i]) continue;
            if (mismatch == NULL) {
                RL_TRY(rl_add_mismatch(comparison, &mismatch));
                *mismatch = (rl_mismatch){.kind = RL_MISMATCH_COORDINATE, .file = f};
                snprintf(mismatch->group, sizeof mismatch->group, "%s", pair->name);
                snprintf(mismatch->name, sizeof mismatch->name, "%s", axis->name);
            }
            list_lone(mismatch, &c[f], i);
        }
    }
    return RL_OK;
}

static rl_status keep_matches(rl_axis *axis, const match *matches, size_t n) {
    axis->n = n;
    axis->whole = n == axis->lengths[0] && n == axis->lengths[1];
    for (int f = 0; f < 2; f++) RL_TRY(RL_ALLOC(axis->at[f], n));
    for (size_t i = 0; i < n; i++) {
        for (int f = 0; f < 2; f++) axis->at[f][i] = matches[i].at[f];
        axis->whole = axis->whole && matches[i].at[1] == i;
    }
    return RL_OK;
}

static rl_status match_entries(const rl_pair *pair, rl_axis *axis, const coordinates c[2], rl_comparison *comparison) {
    entry *lists[2] = {NULL, NULL};
    bool *lone[2] = {NULL, NULL};
    match *matches = NULL;
    rl_status status = RL_ALLOC(matches, c[0].n < c[1].n ? c[0].n : c[1].n);
    for (int f = 0; f < 2 && status == RL_OK; f++) status = RL_ALLOC(lone[f], c[f].n);
    for (int f = 0; f < 2 && status == RL_OK; f++) status = sort_entries(&c[f], &lists[f]);
    if (status == RL_OK) status = keep_matches(axis, matches, merge_entries(lists, c, matches, lone));
    if (status == RL_OK) status = add_lone(pair, axis, c, lone, comparison);
    for (int f = 0; f < 2; f++) {
        rl_free(lists[f]);
        rl_free(lone[f]);
    }
    rl_free(matches);
    return status;
}

static rl_status match_axis(const rl_pair *pair, rl_axis *axis, const int dimensions[2], rl_comparison *comparison) {
    coordinates c[2] = {{0}, {0}};
    rl_status status = RL_OK;
    for (int f = 0; f < 2 && status == RL_OK; f++)
        status = read_coordinates(&pair->files[f], pair->ids[f], dimensions[f], axis->name, &c[f]);
    for (int f = 0; f < 2; f++) axis->lengths[f] = c[f].n;
    if (status == RL_OK) status = match_entries(pair, axis, c, comparison);
    axis->number = c[0].number; /* the axis' from here on */
    axis->text = c[0].text;
    rl_free(c[1].number);
    release_texts(c[1].text, c[1].n);
    return status;
}

/* ---- a group ----------------------------------------------------------------------------------------------------- */

/* That a summary is of. */
static int repeats_of_summary(const rl_pair *pair, int f) {
    int n = 0;
    return nc_get_att_int(pair->ids[f], NC_GLOBAL, "n_repeats", &n) == NC_NOERR ? n : 0;
}

/* A dimension of the first file, if the second one has it and what is along it is to be compared. */
static rl_status add_axis(rl_pair *pair, int dimension, rl_comparison *comparison) {
    rl_axis *axis = &pair->axes[pair->n_axes];
    int dimensions[2] = {dimension, 0};
    RL_NC(pair->files, nc_inq_dimname(pair->ids[0], dimension, axis->name));
    if (pair->other_repeats && strcmp(axis->name, "bucket") == 0) return RL_OK; /* holds counts of repeats */
    if (nc_inq_dimid(pair->ids[1], axis->name, &dimensions[1]) != NC_NOERR) return RL_OK;
    pair->n_axes++;
    RL_TRY(match_axis(pair, axis, dimensions, comparison));
    pair->other_repeats = pair->other_repeats || (strcmp(axis->name, "repeat") == 0 && !axis->whole);
    pair->other_n = pair->other_n || (strcmp(axis->name, "n_train") == 0 && !axis->whole);
    return RL_OK;
}

rl_status rl_pair_match(rl_pair *pair, rl_comparison *comparison) {
    int n, *dimensions;
    pair->other_repeats = repeats_of_summary(pair, 0) != repeats_of_summary(pair, 1);
    RL_NC(pair->files, nc_inq_dimids(pair->ids[0], &n, NULL, 0));
    RL_TRY(RL_ALLOC(pair->axes, n));
    RL_TRY(RL_ALLOC(dimensions, n));
    const int code = nc_inq_dimids(pair->ids[0], &n, dimensions, 0);
    rl_status status = code == NC_NOERR ? RL_OK : rl_nc_fail(pair->files, code, "nc_inq_dimids");
    for (int i = 0; i < n && status == RL_OK; i++) status = add_axis(pair, dimensions[i], comparison);
    rl_free(dimensions);
    return status;
}

void rl_pair_release(rl_pair *pair) {
    for (int i = 0; i < pair->n_axes; i++) {
        rl_axis *axis = &pair->axes[i];
        for (int f = 0; f < 2; f++) rl_free(axis->at[f]);
        rl_free(axis->number);
        release_texts(axis->text, axis->lengths[0]);
    }
    rl_free(pair->axes);
}

const rl_axis *rl_pair_axis(const rl_pair *pair, const char *name) {
    for (int i = 0; i < pair->n_axes; i++)
        if (strcmp(pair->axes[i].name, name) == 0) return &pair->axes[i];
    return NULL;
}
