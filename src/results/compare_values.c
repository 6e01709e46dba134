/* The values of one variable in two files, some MiB at a time; and what rounding may do to them. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"

enum { SLAB_BYTES = 4 * 1024 * 1024, DIMENSIONS = RL_LOCATION_DIMENSIONS, VALUE_BYTES = 16 };

/* What rounding may do to a variable, by its row of the table; what has no row is told in units in the last place. */
typedef enum rounding { ROUNDING_OF_VALUE, ROUNDING_OF_LENGTH, ROUNDING_OF_SQUARE } rounding;
typedef struct rounding_row {
    const char *variable;
    rounding rounding;
} rounding_row;
static const rounding_row roundings[] = {
    {"test_mse", ROUNDING_OF_SQUARE},     {"train_mse", ROUNDING_OF_SQUARE},     {"population_mse", ROUNDING_OF_SQUARE},
    {"test_bias_sq", ROUNDING_OF_SQUARE}, {"test_bias_mse", ROUNDING_OF_SQUARE}, {"distance", ROUNDING_OF_LENGTH},
    {"gcv", ROUNDING_OF_SQUARE},          {"loo", ROUNDING_OF_SQUARE},           {"sigma_min", ROUNDING_OF_VALUE},
    {"sigma_max", ROUNDING_OF_VALUE},     {"sigma", ROUNDING_OF_VALUE},
};

/* The spectra of all repeats at one P and N. */
typedef struct spectra {
    const rl_axis *axes[3]; /* n_features, n_train, repeat */
    size_t p, n;            /* those that are loaded, of entries that both files have; n = SIZE_MAX: none */
    double *condition;      /* [repeat.n]: the larger of both files'; NaN: not known */
    double *largest_error;  /* [repeat.n]: the largest test error of any variant in either file */
    double *room;
} spectra;

typedef struct comparing {
    const rl_pair *pair;
    rl_difference *d;
    int variables[2];
    nc_type type;
    size_t size;                     /* bytes of a value */
    const rl_axis *axes[DIMENSIONS]; /* [n_axes] */
    int n_axes;
    int along;               /* the axis of which a slab has some entries: one of those before, all behind */
    char fill[VALUE_BYTES];  /* of the first file */
    const rounding_row *row; /* NULL: none, or the spectra are not known */
    spectra spectra;
} comparing;

/* ---- what rounding may do ---------------------------------------------------------------------------------------- */

static const char *const spectrum_axes[] = {"n_features", "n_train", "repeat"};

/* Whether both files have a field of doubles on `n` axes that end in those of spectra. */
static bool has_field(const rl_pair *pair, const char *name, int n) {
    for (int f = 0; f < 2; f++) {
        int id, n_dimensions, dimensions[4];
        nc_type type;
        char dimension[NC_MAX_NAME + 1];
        if (nc_inq_varid(pair->ids[f], name, &id) != NC_NOERR ||
            nc_inq_varndims(pair->ids[f], id, &n_dimensions) != NC_NOERR || n_dimensions != n ||
            nc_inq_var(pair->ids[f], id, NULL, &type, NULL, dimensions, NULL) != NC_NOERR || type != NC_DOUBLE)
            return false;
        for (int d = 0; d < 3; d++)
            if (nc_inq_dimname(pair->ids[f], dimensions[n - 3 + d], dimension) != NC_NOERR ||
                strcmp(dimension, spectrum_axes[d]) != 0)
                return false;
    }
    return true;
}

static rl_status find_rounding(comparing *c, const char *variable) {
    spectra *s = &c->spectra;
    const rl_axis *variants = rl_pair_axis(c->pair, "variant");
    size_t room = 0;
    for (int d = 0; d < 3; d++)
        if ((s->axes[d] = rl_pair_axis(c->pair, spectrum_axes[d])) == NULL) return RL_OK;
    for (size_t i = 0; i < sizeof roundings / sizeof *roundings; i++)
        if (strcmp(roundings[i].variable, variable) == 0) c->row = &roundings[i];
    if (c->row == NULL) return RL_OK;
    const bool squared = c->row->rounding == ROUNDING_OF_SQUARE;
    const bool known = has_field(c->pair, "sigma_min", 3) && has_field(c->pair, "sigma_max", 3) &&
                       (!squared || (variants != NULL && has_field(c->pair, "test_mse", 4)));
    if (!known) c->row = NULL;
    if (!known) return RL_OK;
    for (int f = 0; f < 2; f++) {
        const size_t rows = variants != NULL && variants->lengths[f] > 2 ? variants->lengths[f] : 2;
        if (rows * s->axes[2]->lengths[f] > room) room = rows * s->axes[2]->lengths[f];
    }
    RL_TRY(RL_ALLOC(s->condition, s->axes[2]->n));
    RL_TRY(RL_ALLOC(s->largest_error, s->axes[2]->n));
    s->n = SIZE_MAX;
    return RL_ALLOC(s->room, room);
}

/* Of one file, at the loaded P and N, all repeats: of a field, or of each variant. */
static rl_status read_spectra(const comparing *c, int f, const char *name, size_t n_variants, double *values) {
    const spectra *s = &c->spectra;
    const size_t start[] = {0, s->axes[0]->at[f][s->p], s->axes[1]->at[f][s->n], 0};
    const size_t count[] = {n_variants, 1, 1, s->axes[2]->lengths[f]};
    const int skip = n_variants == 0; /* the field has no variants */
    int id;
    RL_NC(&c->pair->files[f], nc_inq_varid(c->pair->ids[f], name, &id));
    RL_NC(&c->pair->files[f], nc_get_vara_double(c->pair->ids[f], id, start + skip, count + skip, values));
    return RL_OK;
}

static rl_status add_conditions(comparing *c, int f) {
    spectra *s = &c->spectra;
    const size_t n = s->axes[2]->lengths[f];
    RL_TRY(read_spectra(c, f, "sigma_max", 0, s->room));
    RL_TRY(read_spectra(c, f, "sigma_min", 0, s->room + n));
    for (size_t i = 0; i < s->axes[2]->n; i++) {
        const size_t at = s->axes[2]->at[f][i];
        s->condition[i] = fmax(s->condition[i], s->room[at] / s->room[n + at]);
    }
    return RL_OK;
}

static rl_status add_errors(comparing *c, int f) {
    spectra *s = &c->spectra;
    const size_t n = s->axes[2]->lengths[f], n_variants = rl_pair_axis(c->pair, "variant")->lengths[f];
    RL_TRY(read_spectra(c, f, "test_mse", n_variants, s->room));
    for (size_t i = 0; i < s->axes[2]->n; i++)
        for (size_t v = 0; v < n_variants; v++)
            s->largest_error[i] = fmax(s->largest_error[i], s->room[v * n + s->axes[2]->at[f][i]]);
    return RL_OK;
}

static rl_status load_spectra(comparing *c, size_t p, size_t n) {
    spectra *s = &c->spectra;
    if (s->p == p && s->n == n) return RL_OK;
    s->p = p;
    s->n = n;
    for (size_t i = 0; i < s->axes[2]->n; i++) s->condition[i] = s->largest_error[i] = NAN;
    for (int f = 0; f < 2; f++) {
        RL_TRY(add_conditions(c, f));
        if (c->row->rounding == ROUNDING_OF_SQUARE) RL_TRY(add_errors(c, f));
    }
    return RL_OK;
}

/* What rounding may do to a value of this size of one spectrum: see rl_unit. */
static double rounding_error(const comparing *c, size_t repeat, double size) {
    const double e = DBL_EPSILON * c->spectra.condition[repeat], s = sqrt(c->spectra.largest_error[repeat]);
    switch (c->row->rounding) {
        case ROUNDING_OF_VALUE:
            return e * size;
        case ROUNDING_OF_LENGTH:
            return e * fmax(1, size);
        default:
            return e * s * (2 * sqrt(size) + e * s);
    }
}

/* ---- one difference ---------------------------------------------------------------------------------------------- */

/* Of the axis of this name among the variable's; its entry is at[...] of that place. */
static size_t entry_along(const comparing *c, const rl_axis *axis, const size_t *at) {
    for (int d = 0; d < c->n_axes; d++)
        if (c->axes[d] == axis) return at[d];
    return 0;
}

static void note_extreme(const comparing *c, const size_t *at, const double values[2], double size,
                         rl_extreme *extreme) {
    if (!(isnan(extreme->size) || size > extreme->size)) return;
    extreme->size = size;
    extreme->place.n = c->n_axes;
    for (int f = 0; f < 2; f++) extreme->values[f] = values[f];
    for (int d = 0; d < c->n_axes; d++) extreme->place.at[d] = rl_axis_coordinate(c->axes[d], c->axes[d]->at[0][at[d]]);
}

static rl_status note_units(comparing *c, const size_t *at, const double values[2]) {
    const double size = fmax(fabs(values[0]), fabs(values[1])), apart = fabs(values[0] - values[1]);
    double unit = nextafter(size, INFINITY) - size;
    if (c->row != NULL) {
        const spectra *s = &c->spectra;
        RL_TRY(load_spectra(c, entry_along(c, s->axes[0], at), entry_along(c, s->axes[1], at)));
        unit = rounding_error(c, entry_along(c, s->axes[2], at), size);
    }
    c->d->unit = c->row != NULL ? RL_UNIT_CONDITION : RL_UNIT_LAST_PLACE;
    if (unit > 0 && isfinite(apart / unit)) note_extreme(c, at, values, apart / unit, &c->d->in_units);
    return RL_OK;
}

static bool is_absent(const comparing *c, const char *value, double number) {
    return isnan(number) || memcmp(value, c->fill, c->size) == 0;
}

/* Two values whose bits differ. */
static rl_status note_difference(comparing *c, const size_t *at, const char *a, const char *b) {
    double values[2];
    int integers[2];
    const char *const from[2] = {a, b};
    c->d->n_differ++;
    if (c->type != NC_DOUBLE && c->type != NC_INT) return RL_OK; /* texts and codes are no quantities */
    for (int f = 0; f < 2; f++) {
        if (c->type == NC_DOUBLE) memcpy(&values[f], from[f], sizeof values[f]);
        if (c->type == NC_INT) memcpy(&integers[f], from[f], sizeof integers[f]);
        if (c->type == NC_INT) values[f] = integers[f];
    }
    const bool absent[] = {is_absent(c, a, values[0]), is_absent(c, b, values[1])};
    if (absent[0] || absent[1]) {
        c->d->n_lone += absent[0] != absent[1];
        return RL_OK;
    }
    const double largest = fmax(fabs(values[0]), fabs(values[1])), apart = fabs(values[0] - values[1]);
    note_extreme(c, at, values, largest == 0 ? 0 : isinf(largest) ? INFINITY : apart / largest, &c->d->relative);
    return c->type == NC_DOUBLE ? note_units(c, at, values) : RL_OK;
}

static bool is_same(const comparing *c, const char *a, const char *b) {
    double numbers[2];
    if (c->type == NC_STRING) {
        const char *texts[2];
        memcpy(&texts[0], a, sizeof texts[0]);
        memcpy(&texts[1], b, sizeof texts[1]);
        return strcmp(texts[0] == NULL ? "" : texts[0], texts[1] == NULL ? "" : texts[1]) == 0;
    }
    if (memcmp(a, b, c->size) == 0) return true;
    if (c->type != NC_DOUBLE) return false;
    memcpy(&numbers[0], a, sizeof numbers[0]);
    memcpy(&numbers[1], b, sizeof numbers[1]);
    return isnan(numbers[0]) && isnan(numbers[1]);
}

/* ---- slabs ------------------------------------------------------------------------------------------------------- */

/* A part of the variable as both files have it: one entry of each axis before `along`, some of that, all behind. */
typedef struct slab {
    char *values[2];
    size_t at[DIMENSIONS]; /* entries that both files have; at[along] is the first of `n` */
    size_t n;
} slab;

static size_t values_behind(const comparing *c, int f, int d) {
    size_t n = 1;
    for (int k = d + 1; k < c->n_axes; k++) n *= c->axes[k]->lengths[f];
    return n;
}

static bool is_whole_behind(const comparing *c) {
    for (int d = c->along + 1; d < c->n_axes; d++)
        if (!c->axes[d]->whole) return false;
    return true;
}

static rl_status compare_slab(comparing *c, const slab *s) {
    const size_t bytes = s->n * values_behind(c, 0, c->along) * c->size;
    size_t total = s->n, at[DIMENSIONS];
    if (c->type != NC_STRING && is_whole_behind(c) && memcmp(s->values[0], s->values[1], bytes) == 0) return RL_OK;
    memcpy(at, s->at, sizeof at);
    for (int d = c->along + 1; d < c->n_axes; d++) total *= c->axes[d]->n;
    for (size_t t = 0; t < total; t++) {
        size_t rest = t, offset[2] = {0, 0}, stride[2] = {1, 1};
        for (int d = c->n_axes - 1; d > c->along; d--) {
            at[d] = rest % c->axes[d]->n;
            rest /= c->axes[d]->n;
            for (int f = 0; f < 2; f++) {
                offset[f] += c->axes[d]->at[f][at[d]] * stride[f];
                stride[f] *= c->axes[d]->lengths[f];
            }
        }
        at[c->along] = s->at[c->along] + rest;
        const char *a = s->values[0] + (offset[0] + rest * stride[0]) * c->size;
        const char *b = s->values[1] + (offset[1] + rest * stride[1]) * c->size;
        if (!is_same(c, a, b)) RL_TRY(note_difference(c, at, a, b));
    }
    return RL_OK;
}

static rl_status read_slab(const comparing *c, const slab *s, int f) {
    size_t start[DIMENSIONS], count[DIMENSIONS];
    for (int d = 0; d < c->n_axes; d++) {
        start[d] = d > c->along ? 0 : c->axes[d]->at[f][s->at[d]];
        count[d] = d > c->along ? c->axes[d]->lengths[f] : d == c->along ? s->n : 1;
    }
    RL_NC(&c->pair->files[f], nc_get_vara(c->pair->ids[f], c->variables[f], start, count, s->values[f]));
    return RL_OK;
}

/* NetCDF's own copies of texts, which it puts into a slab. */
static void forget_texts(const comparing *c, const slab *s) {
    for (int f = 0; f < 2 && c->type == NC_STRING; f++) {
        const size_t n = s->n * values_behind(c, f, c->along);
        nc_free_string(n, (char **)(void *)s->values[f]);
        memset(s->values[f], 0, n * c->size);
    }
}

/* Entries of the axis `along` from `first` on that stand side by side in both files, `most` or less. */
static size_t run_length(const rl_axis *axis, size_t first, size_t most) {
    size_t n = 1;
    while (n < most && first + n < axis->n && axis->at[0][first + n] == axis->at[0][first] + n &&
           axis->at[1][first + n] == axis->at[1][first] + n)
        n++;
    return n;
}

/* All slabs, at one entry of each axis before `along`. */
static rl_status compare_along(comparing *c, slab *s, size_t most) {
    const rl_axis *axis = c->axes[c->along];
    for (size_t first = 0; first < axis->n; first += s->n) {
        s->at[c->along] = first;
        s->n = run_length(axis, first, most);
        rl_status status = read_slab(c, s, 0);
        if (status == RL_OK) status = read_slab(c, s, 1);
        if (status == RL_OK) status = compare_slab(c, s);
        forget_texts(c, s);
        RL_TRY(status);
    }
    return RL_OK;
}

/* The next entries of the axes before `along`; false: those were the last ones. */
static bool go_on(const comparing *c, slab *s) {
    for (int d = c->along - 1; d >= 0; d--) {
        if (++s->at[d] < c->axes[d]->n) return true;
        s->at[d] = 0;
    }
    return false;
}

static size_t largest_behind(const comparing *c, int d) {
    const size_t a = values_behind(c, 0, d), b = values_behind(c, 1, d);
    return a > b ? a : b;
}

static rl_status compare_slabs(comparing *c) {
    const size_t room = SLAB_BYTES / c->size;
    slab s = {.values = {NULL, NULL}};
    while (c->along < c->n_axes - 1 && largest_behind(c, c->along) > room) c->along++;
    const size_t behind = largest_behind(c, c->along), most = room / behind > 0 ? room / behind : 1;
    rl_status status = rl_alloc(&s.values[0], most * behind, c->size);
    if (status == RL_OK) status = rl_alloc(&s.values[1], most * behind, c->size);
    if (status == RL_OK && c->d->n > 0) do
            status = compare_along(c, &s, most);
        while (status == RL_OK && go_on(c, &s));
    for (int f = 0; f < 2; f++) rl_free(s.values[f]);
    return status;
}

/* ---- a variable -------------------------------------------------------------------------------------------------- */

/* Its axes; *alike false: the files do not agree on them. */
static rl_status find_axes(comparing *c, const char *variable, bool *alike) {
    int n[2], dimensions[2][DIMENSIONS];
    nc_type types[2];
    char names[2][NC_MAX_NAME + 1];
    for (int f = 0; f < 2; f++) {
        const rl_nc *file = &c->pair->files[f];
        RL_NC(file, nc_inq_varid(c->pair->ids[f], variable, &c->variables[f]));
        RL_NC(file, nc_inq_varndims(c->pair->ids[f], c->variables[f], &n[f]));
        RL_NC(file, nc_inq_vartype(c->pair->ids[f], c->variables[f], &types[f]));
        if (n[f] > DIMENSIONS ||
            (types[f] != NC_DOUBLE && types[f] != NC_INT && types[f] != NC_BYTE && types[f] != NC_STRING))
            return rl_fail(RL_ERR_INPUT,
                           "%s: variable `%s` of group `%s` has another shape or type than ridgeless gives one",
                           file->path, variable, c->pair->name);
        RL_NC(file, nc_inq_vardimid(c->pair->ids[f], c->variables[f], dimensions[f]));
    }
    *alike = n[0] == n[1] && types[0] == types[1];
    for (int d = 0; *alike && d < n[0]; d++) {
        for (int f = 0; f < 2; f++)
            RL_NC(&c->pair->files[f], nc_inq_dimname(c->pair->ids[f], dimensions[f][d], names[f]));
        c->axes[d] = rl_pair_axis(c->pair, names[0]);
        *alike = strcmp(names[0], names[1]) == 0 && c->axes[d] != NULL;
    }
    c->n_axes = n[0];
    c->type = types[0];
    c->size = rl_nc_type_size(types[0]);
    return RL_OK;
}

static rl_status read_fill(comparing *c) {
    int no_fill;
    if (c->type == NC_STRING) return RL_OK;
    RL_NC(c->pair->files, nc_inq_var_fill(c->pair->ids[0], c->variables[0], &no_fill, c->fill));
    return RL_OK;
}

static rl_status compare_variable(comparing *c, const char *variable) {
    size_t nowhere[] = {0};
    const rl_axis scalar = {.lengths = {1, 1}, .n = 1, .at = {nowhere, nowhere}, .whole = true};
    RL_TRY(find_axes(c, variable, &c->d->alike));
    if (!c->d->alike) return RL_OK;
    RL_TRY(read_fill(c));
    if (c->type == NC_DOUBLE) RL_TRY(find_rounding(c, variable));
    const bool is_scalar = c->n_axes == 0;
    if (is_scalar) c->axes[c->n_axes++] = &scalar;
    c->d->n = 1;
    for (int d = 0; d < c->n_axes; d++) c->d->n *= (int64_t)c->axes[d]->n;
    RL_TRY(compare_slabs(c));
    if (is_scalar) c->d->relative.place.n = c->d->in_units.place.n = 0;
    return RL_OK;
}

rl_status rl_compare_values(const rl_pair *pair, const char *variable, rl_difference *difference) {
    comparing c = {.pair = pair, .d = difference};
    *difference = (rl_difference){.relative.size = NAN, .in_units.size = NAN};
    snprintf(difference->group, sizeof difference->group, "%s", pair->name);
    snprintf(difference->variable, sizeof difference->variable, "%s", variable);
    const rl_status status = compare_variable(&c, variable);
    rl_free(c.spectra.condition);
    rl_free(c.spectra.largest_error);
    rl_free(c.spectra.room);
    return status;
}
