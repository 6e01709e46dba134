/* Variables of numbers in NetCDF files: what their attributes say, and their values. */
#include "netcdf_variable.h"

#include <math.h>
#include <netcdf_filter.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const double exact_end = 9007199254740992; /* 2^53: a double holds every whole number up to it */

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static rl_status fail_attribute(const rl_nc *file, const rl_nc_variable *v, const char *name, const char *expected) {
    return rl_fail(RL_ERR_INPUT, "%s: variable `%s`: attribute `%s`: expected %s", file->path, v->path, name, expected);
}

/* Sets *type and *n to those of an attribute of numbers: n = 0 when there is none of that name. */
static rl_status inquire_attribute(const rl_nc *file, const rl_nc_variable *v, const char *name, nc_type *type,
                                   size_t *n) {
    *n = 0;
    const int code = nc_inq_att(v->group, v->id, name, type, n);
    if (code == NC_ENOTATT) return RL_OK;
    if (code != NC_NOERR) return rl_nc_fail(file, code, "nc_inq_att");
    if (*type == NC_CHAR || *type > NC_UINT64) return fail_attribute(file, v, name, "numbers");
    return RL_OK;
}

/* Leaves values[n] unchanged, and *type 0, when there is no such attribute. */
static rl_status read_attribute(const rl_nc *file, const rl_nc_variable *v, const char *name, size_t n, double *values,
                                nc_type *type) {
    size_t length;
    nc_type found = 0;
    *type = 0;
    RL_TRY(inquire_attribute(file, v, name, &found, &length));
    if (length == 0) return RL_OK;
    if (length != n) return fail_attribute(file, v, name, n == 1 ? "one number" : "two numbers");
    *type = found;
    RL_NC(file, nc_get_att_double(v->group, v->id, name, values));
    return RL_OK;
}

/* The values that the library writes where nobody else has written. 0: it has none for this type, as for bytes. */
static const double default_fill[NC_UINT64 + 1] = {
    [NC_SHORT] = NC_FILL_SHORT,         [NC_INT] = NC_FILL_INT,
    [NC_FLOAT] = NC_FILL_FLOAT,         [NC_DOUBLE] = NC_FILL_DOUBLE,
    [NC_USHORT] = NC_FILL_USHORT,       [NC_UINT] = NC_FILL_UINT,
    [NC_INT64] = (double)NC_FILL_INT64, [NC_UINT64] = (double)NC_FILL_UINT64,
};

static rl_status decode_missing(const rl_nc *file, const rl_missing *marks, rl_nc_variable *v) {
    static const char *const names[] = {"_FillValue", "missing_value"};
    size_t n[2];
    const size_t n_marks = marks != NULL ? (size_t)marks->n_numbers : 0;
    nc_type type;
    int no_fill;
    for (int i = 0; i < 2; i++) RL_TRY(inquire_attribute(file, v, names[i], &type, &n[i]));
    RL_NC(file, nc_inq_var_fill(v->group, v->id, &no_fill, NULL));
    RL_TRY(RL_ALLOC(v->missing, n[0] + n[1] + n_marks));
    for (int i = 0; i < 2; i++) {
        if (n[i] > 0) RL_NC(file, nc_get_att_double(v->group, v->id, names[i], v->missing + v->n_missing));
        v->n_missing += n[i];
    }
    for (size_t i = 0; i < n_marks; i++) v->missing[v->n_missing++] = marks->numbers[i];
    const bool asked = n[0] == 0 && marks == NULL && !no_fill && default_fill[v->type] != 0;
    v->unwritten = asked ? default_fill[v->type] : NAN;
    return RL_OK;
}

static size_t size_of_type(nc_type type) {
    static const size_t sizes[NC_UINT64 + 1] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
    return sizes[type];
}

static bool is_real(nc_type type) {
    return type == NC_FLOAT || type == NC_DOUBLE;
}

static rl_status decode_packing(const rl_nc *file, rl_nc_variable *v, nc_type *type) {
    nc_type of_scale, of_offset;
    v->scale = 1;
    v->offset = 0;
    RL_TRY(read_attribute(file, v, "scale_factor", 1, &v->scale, &of_scale));
    RL_TRY(read_attribute(file, v, "add_offset", 1, &v->offset, &of_offset));
    if (!isfinite(v->scale) || v->scale == 0)
        return fail_attribute(file, v, "scale_factor", "a finite number other than 0");
    if (!isfinite(v->offset)) return fail_attribute(file, v, "add_offset", "a finite number");
    v->packed = v->scale != 1 || v->offset != 0;
    *type = of_scale == NC_DOUBLE || of_offset == NC_DOUBLE ? NC_DOUBLE : of_scale != 0 ? of_scale : of_offset;
    return RL_OK;
}

/* A range of the type of the unpacked values, where that is wider than the stored one, is a range of those: NetCDF
 * Users' Guide, appendix A, valid_range. `type` is that of scale and offset. */
static rl_status decode_range(const rl_nc *file, nc_type type, rl_nc_variable *v) {
    double range[] = {-INFINITY, INFINITY};
    nc_type types[3];
    RL_TRY(read_attribute(file, v, "valid_range", 2, range, &types[0]));
    RL_TRY(read_attribute(file, v, "valid_min", 1, &range[0], &types[1]));
    RL_TRY(read_attribute(file, v, "valid_max", 1, &range[1], &types[2]));
    v->low = range[0];
    v->high = range[1];
    const bool wider = is_real(type) && (!is_real(v->type) || size_of_type(type) > size_of_type(v->type));
    for (int i = 0; i < 3; i++) v->range_unpacked |= v->packed && wider && types[i] == type;
    return RL_OK;
}

/* Writers mark missing floats with doubles: rounded to floats, they equal the values that they mark. */
static void round_marks(rl_nc_variable *v) {
    if (v->type != NC_FLOAT) return;
    for (size_t i = 0; i < v->n_missing; i++) v->missing[i] = (float)v->missing[i];
    if (v->range_unpacked) return;
    v->low = (float)v->low;
    v->high = (float)v->high;
}

/* A stored integer read with or without its sign. */
static double wrapped(const rl_nc_variable *v, double stored) {
    if (v->wrap > 0 && stored < 0) return stored + v->wrap;
    return v->wrap < 0 && stored >= -v->wrap / 2 ? stored + v->wrap : stored;
}

/* The attribute _Unsigned, by which files say of integers what their types cannot. Marks are wrapped as values are. */
static rl_status decode_sign(const rl_nc *file, rl_nc_variable *v) {
    char word[8] = "";
    size_t length;
    nc_type type;
    const int code = nc_inq_att(v->group, v->id, "_Unsigned", &type, &length);
    if (code == NC_ENOTATT || is_real(v->type)) return RL_OK;
    if (code != NC_NOERR) return rl_nc_fail(file, code, "nc_inq_att");
    if (type == NC_CHAR && length < sizeof word) RL_NC(file, nc_get_att_text(v->group, v->id, "_Unsigned", word));
    const bool without = strcasecmp(word, "true") == 0, has_sign = v->type < NC_UBYTE || v->type == NC_INT64;
    if (!without && strcasecmp(word, "false") != 0) return fail_attribute(file, v, "_Unsigned", "`true` or `false`");
    if (without == has_sign) v->wrap = ldexp(without ? 1 : -1, 8 * (int)size_of_type(v->type));
    for (size_t i = 0; i < v->n_missing; i++) v->missing[i] = wrapped(v, v->missing[i]);
    v->unwritten = wrapped(v, v->unwritten);
    if (v->range_unpacked) return RL_OK;
    v->low = wrapped(v, v->low);
    v->high = wrapped(v, v->high);
    return RL_OK;
}

/* ---- filters ----------------------------------------------------------------------------------------------------- */

static const char *filter_name(unsigned id) {
    static const struct {
        unsigned id;
        const char *name;
    } known[] = {{4, "szip"},           {307, "bzip2"}, {32000, "lzf"},  {32001, "blosc"}, {32004, "lz4"},
                 {32008, "bitshuffle"}, {32013, "zfp"}, {32015, "zstd"}, {32017, "sz"},    {32026, "blosc2"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].id == id) return known[i].name;
    return "unknown";
}

/* The filters that its values went through are there. */
static rl_status check_filters(const rl_nc *file, const rl_nc_variable *v) {
    enum { MOST = 32 }; /* as many as HDF5 allows */
    unsigned ids[MOST];
    size_t n = 0;
    if (nc_inq_var_filter_ids(v->group, v->id, &n, NULL) != NC_NOERR || n == 0 || n > MOST) return RL_OK; /* classic */
    RL_NC(file, nc_inq_var_filter_ids(v->group, v->id, &n, ids));
    for (size_t i = 0; i < n; i++)
        if (nc_inq_filter_avail(v->group, ids[i]) != NC_NOERR)
            return rl_fail(RL_ERR_INPUT,
                           "%s: variable `%s` is compressed by %s (filter %u of HDF5), which is not installed here; "
                           "expected none or gzip, as `h5repack -f GZIP=1` makes",
                           file->path, v->path, filter_name(ids[i]), ids[i]);
    return RL_OK;
}

rl_status rl_nc_variable_decode(const rl_nc *file, const rl_missing *marks, rl_nc_variable *v) {
    nc_type unpacked = 0;
    RL_TRY(check_filters(file, v));
    RL_TRY(decode_missing(file, marks, v));
    RL_TRY(decode_packing(file, v, &unpacked));
    RL_TRY(decode_range(file, unpacked, v));
    round_marks(v);
    return decode_sign(file, v);
}

void rl_nc_variable_destroy(rl_nc_variable *v) {
    rl_free(v->missing);
    *v = (rl_nc_variable){0};
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

size_t rl_nc_variable_width(const rl_nc_variable *v) {
    return v->length[1 - v->rows];
}

static bool is_missing(const rl_nc_variable *v, double stored) {
    for (size_t i = 0; i < v->n_missing; i++)
        if (stored == v->missing[i]) return true;
    return !v->range_unpacked && (stored < v->low || stored > v->high);
}

static bool is_long(const rl_nc_variable *v) {
    return v->type == NC_INT64 || v->type == NC_UINT64;
}

/* What a stored number stands for. */
static double decode_number(const rl_nc_variable *v, double raw) {
    const double stored = wrapped(v, raw);
    if (is_missing(v, stored)) return NAN;
    if (stored == v->unwritten || (is_long(v) && fabs(stored) > exact_end)) return INFINITY;
    const double value = v->packed ? stored * v->scale + v->offset : stored;
    if (v->range_unpacked && (value < v->low || value > v->high)) return NAN;
    return isinf(value) ? INFINITY : value;
}

/* The smallest whole number whose neighbours a double does not hold must not come of rounding one of them. */
static double number_of_long(const rl_nc_variable *v, const double *bits) {
    int64_t with_sign;
    uint64_t without;
    memcpy(&with_sign, bits, sizeof with_sign);
    memcpy(&without, bits, sizeof without);
    const double number = v->type == NC_INT64 ? (double)with_sign : (double)without;
    const uint64_t size = v->type == NC_INT64 && with_sign < 0 ? -(uint64_t)with_sign : without;
    return size == (UINT64_C(1) << 53) + 1 ? nextafter(number, 2 * number) : number;
}

/* Numbers of the file as doubles. Long integers are read as they are, into the same memory. */
static rl_status read_stored(const rl_nc *file, const rl_nc_variable *v, const size_t start[2], const size_t counts[2],
                             double *values) {
    void *const memory = values;
    if (v->type == NC_INT64)
        RL_NC(file, nc_get_vara_longlong(v->group, v->id, start, counts, memory));
    else if (v->type == NC_UINT64)
        RL_NC(file, nc_get_vara_ulonglong(v->group, v->id, start, counts, memory));
    else
        RL_NC(file, nc_get_vara_double(v->group, v->id, start, counts, values));
    for (size_t i = 0; is_long(v) && i < counts[0] * counts[1]; i++) values[i] = number_of_long(v, &values[i]);
    return RL_OK;
}

rl_status rl_nc_variable_read(const rl_nc *file, const rl_nc_variable *v, size_t first, size_t count, size_t column,
                              size_t n_columns, double *values) {
    const bool down = v->rows == 0;
    const size_t start[] = {down ? first : column, down ? column : first};
    const size_t counts[] = {down ? count : n_columns, down ? n_columns : count};
    RL_TRY(read_stored(file, v, start, counts, values));
    for (size_t i = 0; i < counts[0] * counts[1]; i++) values[i] = decode_number(v, values[i]);
    return RL_OK;
}

rl_status rl_nc_variable_refuse(const rl_nc *file, const rl_nc_variable *v, size_t row, size_t column) {
    static const size_t one[] = {1, 1};
    double number;
    char place[64] = "", advice[200];
    const size_t at[] = {v->rows == 0 ? row : column, v->rows == 0 ? column : row};
    RL_TRY(read_stored(file, v, at, one, &number));
    const double stored = wrapped(v, number);
    snprintf(advice, sizeof advice, "; expected a finite number");
    if (stored == v->unwritten)
        snprintf(advice, sizeof advice,
                 ", the library's default fill value; nothing in the file says that it is a missing value: write "
                 "`missing: [%.17g]` if it is, `missing: NaN` if not",
                 number);
    else if (is_long(v) && fabs(stored) > exact_end)
        snprintf(advice, sizeof advice, "; expected whole numbers up to 2^53, which a double holds exactly");
    else if (v->packed)
        number = stored * v->scale + v->offset;
    if (rl_nc_variable_width(v) > 1) snprintf(place, sizeof place, "feature %zu of ", column + 1);
    return rl_fail(file->blame, "%s: variable `%s`: %srow %zu (counted from 1) is %.17g%s", file->path, v->path, place,
                   row + 1, number, advice);
}
