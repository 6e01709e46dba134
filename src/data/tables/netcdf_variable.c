/* Tables in NetCDF files: opening them, and reading variables of numbers. */
#include "netcdf_variable.h"

#include <math.h>
#include <stdio.h>

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Tells the kind of a file by its first bytes. The library must not see a file that is neither. */
static rl_status check_kind(const char *path, rl_status blame, bool *classic) {
    char begin[RL_NC_SIGNATURE];
    size_t got;
    RL_TRY(rl_read_beginning(path, blame, "a NetCDF file", sizeof begin, begin, &got));
    *classic = got >= 4 && memcmp(begin, "CDF", 3) == 0 && (begin[3] == 1 || begin[3] == 2 || begin[3] == 5);
    if (*classic || rl_nc_is_netcdf4(begin, got)) return RL_OK;
    return rl_fail(blame, "%s: is not a NetCDF file, expected NetCDF-4 or classic", path);
}

rl_status rl_nc_open_table(const char *path, rl_status blame, rl_nc *file) {
    bool classic;
    *file = (rl_nc){.path = path, .blame = blame};
    RL_TRY(check_kind(path, blame, &classic));
    if (classic) RL_TRY(rl_nc_check_classic_header(path, blame));
    RL_NC(file, nc_open(path, NC_NOWRITE, &file->id));
    const rl_status status = classic ? rl_nc_check_classic_size(file) : RL_OK;
    if (status != RL_OK) nc_close(file->id);
    return status;
}

/* ---- variables --------------------------------------------------------------------------------------------------- */

rl_status rl_nc_variable_inquire(const rl_nc *file, int id, rl_nc_variable *v) {
    int dimensions[NC_MAX_VAR_DIMS];
    *v = (rl_nc_variable){.id = id};
    RL_NC(file, nc_inq_var(file->id, id, v->name, &v->type, &v->n_dimensions, dimensions, NULL));
    for (int i = 0; i < v->n_dimensions && i < 2; i++) {
        v->dimension[i] = dimensions[i];
        RL_NC(file, nc_inq_dimlen(file->id, dimensions[i], &v->length[i]));
    }
    return RL_OK;
}

bool rl_nc_variable_is_numeric(const rl_nc_variable *v) {
    return v->type >= NC_BYTE && v->type <= NC_UINT64 && v->type != NC_CHAR;
}

static rl_status append_variable(const rl_nc *file, int id, rl_text *text) {
    char name[NC_MAX_NAME + 1], type_name[NC_MAX_NAME + 1];
    int dimensions[NC_MAX_VAR_DIMS], n;
    nc_type type;
    RL_NC(file, nc_inq_var(file->id, id, name, &type, &n, dimensions, NULL));
    RL_NC(file, nc_inq_type(file->id, type, type_name, NULL));
    RL_TRY(rl_text_append(text, "`%s` %s(", name, type_name));
    for (int i = 0; i < n; i++) {
        size_t length;
        RL_NC(file, nc_inq_dimlen(file->id, dimensions[i], &length));
        RL_TRY(rl_text_append(text, "%s%zu", i == 0 ? "" : ", ", length));
    }
    return rl_text_append(text, ")");
}

rl_status rl_nc_variables_text(const rl_nc *file, rl_text *text) {
    int n;
    RL_NC(file, nc_inq_nvars(file->id, &n));
    if (n == 0) return rl_text_append(text, "none");
    for (int id = 0; id < n; id++) {
        if (id > 0) RL_TRY(rl_text_append(text, ", "));
        RL_TRY(append_variable(file, id, text));
    }
    return RL_OK;
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static rl_status fail_attribute(const rl_nc *file, const rl_nc_variable *v, const char *name, const char *expected) {
    return rl_fail(RL_ERR_INPUT, "%s: variable `%s`: attribute `%s`: expected %s", file->path, v->name, name, expected);
}

/* Sets *n to how many numbers an attribute has: 0 when there is none of that name. */
static rl_status attribute_length(const rl_nc *file, const rl_nc_variable *v, const char *name, size_t *n) {
    nc_type type;
    *n = 0;
    const int code = nc_inq_att(file->id, v->id, name, &type, n);
    if (code == NC_ENOTATT) return RL_OK;
    if (code != NC_NOERR) return rl_nc_fail(file, code, "nc_inq_att");
    if (type == NC_CHAR || type > NC_UINT64) return fail_attribute(file, v, name, "numbers");
    return RL_OK;
}

/* Leaves values[n] unchanged when there is no such attribute. */
static rl_status read_attribute(const rl_nc *file, const rl_nc_variable *v, const char *name, size_t n,
                                double *values) {
    size_t length;
    RL_TRY(attribute_length(file, v, name, &length));
    if (length == 0) return RL_OK;
    if (length != n) return fail_attribute(file, v, name, n == 1 ? "one number" : "two numbers");
    RL_NC(file, nc_get_att_double(file->id, v->id, name, values));
    return RL_OK;
}

/* The values that the library writes where nobody else has written. 0: it has none for this type, as for bytes. */
static const double default_fill[NC_UINT64 + 1] = {
    [NC_SHORT] = NC_FILL_SHORT,         [NC_INT] = NC_FILL_INT,
    [NC_FLOAT] = NC_FILL_FLOAT,         [NC_DOUBLE] = NC_FILL_DOUBLE,
    [NC_USHORT] = NC_FILL_USHORT,       [NC_UINT] = NC_FILL_UINT,
    [NC_INT64] = (double)NC_FILL_INT64, [NC_UINT64] = (double)NC_FILL_UINT64,
};

static rl_status decode_missing(const rl_nc *file, rl_nc_variable *v) {
    size_t n_fill, n_marks;
    int no_fill;
    RL_TRY(attribute_length(file, v, "_FillValue", &n_fill));
    RL_TRY(attribute_length(file, v, "missing_value", &n_marks));
    RL_NC(file, nc_inq_var_fill(file->id, v->id, &no_fill, NULL));
    RL_TRY(RL_ALLOC(v->missing, n_fill + n_marks + 1));
    if (n_fill > 0) RL_NC(file, nc_get_att_double(file->id, v->id, "_FillValue", v->missing));
    if (n_marks > 0) RL_NC(file, nc_get_att_double(file->id, v->id, "missing_value", v->missing + n_fill));
    v->n_missing = n_fill + n_marks;
    if (n_fill == 0 && !no_fill && default_fill[v->type] != 0) v->missing[v->n_missing++] = default_fill[v->type];
    return RL_OK;
}

static rl_status decode_range(const rl_nc *file, rl_nc_variable *v) {
    double range[] = {-INFINITY, INFINITY};
    RL_TRY(read_attribute(file, v, "valid_range", 2, range));
    RL_TRY(read_attribute(file, v, "valid_min", 1, &range[0]));
    RL_TRY(read_attribute(file, v, "valid_max", 1, &range[1]));
    v->low = range[0];
    v->high = range[1];
    return RL_OK;
}

static rl_status decode_packing(const rl_nc *file, rl_nc_variable *v) {
    v->scale = 1;
    v->offset = 0;
    RL_TRY(read_attribute(file, v, "scale_factor", 1, &v->scale));
    RL_TRY(read_attribute(file, v, "add_offset", 1, &v->offset));
    if (!isfinite(v->scale) || v->scale == 0)
        return fail_attribute(file, v, "scale_factor", "a finite number other than 0");
    if (!isfinite(v->offset)) return fail_attribute(file, v, "add_offset", "a finite number");
    v->packed = v->scale != 1 || v->offset != 0;
    return RL_OK;
}

/* Writers mark missing floats with doubles: rounded to floats, they equal the values that they mark. */
static void round_marks(rl_nc_variable *v) {
    if (v->type != NC_FLOAT) return;
    for (size_t i = 0; i < v->n_missing; i++) v->missing[i] = (float)v->missing[i];
    v->low = (float)v->low;
    v->high = (float)v->high;
}

rl_status rl_nc_variable_decode(const rl_nc *file, rl_nc_variable *v) {
    int id;
    RL_TRY(decode_missing(file, v));
    RL_TRY(decode_range(file, v));
    RL_TRY(decode_packing(file, v));
    round_marks(v);
    if (nc_inq_attid(file->id, v->id, "_Unsigned", &id) == NC_NOERR)
        return fail_attribute(file, v, "_Unsigned", "none of this name; NetCDF-4 has unsigned types");
    return RL_OK;
}

void rl_nc_variable_destroy(rl_nc_variable *v) {
    rl_free(v->missing);
    *v = (rl_nc_variable){0};
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool is_missing(const rl_nc_variable *v, double stored) {
    for (size_t i = 0; i < v->n_missing; i++)
        if (stored == v->missing[i]) return true;
    return stored < v->low || stored > v->high;
}

static rl_status fail_value(const rl_nc *file, const rl_nc_variable *v, size_t row, size_t feature, double value,
                            const char *expected) {
    char place[64] = "";
    if (v->n_dimensions == 2) snprintf(place, sizeof place, "feature %zu of ", feature + 1);
    return rl_fail(RL_ERR_INPUT, "%s: variable `%s`: %srow %zu (counted from 1) is %g%s", file->path, v->name, place,
                   row + 1, value, expected);
}

rl_status rl_nc_variable_read(const rl_nc *file, const rl_nc_variable *v, size_t first, size_t count, double *values) {
    const size_t width = v->n_dimensions == 2 ? v->length[1] : 1;
    const size_t start[] = {first, 0}, counts[] = {count, width};
    RL_NC(file, nc_get_vara_double(file->id, v->id, start, counts, values));
    for (size_t i = 0; i < count * width; i++) {
        const double stored = values[i];
        if (is_missing(v, stored))
            return fail_value(file, v, first + i / width, i % width, stored,
                              ", which stands for a missing value; expected a number");
        if (v->packed) values[i] = stored * v->scale + v->offset;
        if (!isfinite(values[i]))
            return fail_value(file, v, first + i / width, i % width, values[i], "; expected a finite number");
    }
    return RL_OK;
}
