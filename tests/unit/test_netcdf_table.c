/* Tables in NetCDF files: the source, and reading one by blocks. */
#include <netcdf.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "dataset.h"

static const int formats[] = {NC_NETCDF4, NC_NETCDF4 | NC_CLASSIC_MODEL, 0, NC_64BIT_OFFSET, NC_64BIT_DATA};
enum { N_FORMATS = sizeof formats / sizeof *formats, CLASSIC = 2, LARGEST = 4 };

/* ---- files to read ----------------------------------------------------------------------------------------------- */

static void nc(int code) {
    if (code != NC_NOERR) fail_msg("%s", nc_strerror(code));
}

/* A table of 7 rows and 3 features of small integers, x, and a target of halves, y; dimensions row and feature. */
enum { ROWS = 7, FEATURES = 3 };

static double feature(size_t row, size_t j) {
    return (double)((5 * row * row + 3 * j * row + 7 * j) % 11);
}

static double target(size_t row) {
    return 0.5 * (double)(row * row % 5);
}

typedef struct making {
    int id, x, y;
    int row, feature;
} making;

static making begin_rows(const char *name, int format, nc_type type, size_t rows) {
    making m;
    nc(nc_create(path_of(name), NC_CLOBBER | format, &m.id));
    nc(nc_def_dim(m.id, "row", rows, &m.row));
    nc(nc_def_dim(m.id, "feature", FEATURES, &m.feature));
    const int dimensions[] = {m.row, m.feature};
    nc(nc_def_var(m.id, "x", type, 2, dimensions, &m.x));
    nc(nc_def_var(m.id, "y", NC_DOUBLE, 1, dimensions, &m.y));
    return m;
}

static making begin(const char *name, int format, nc_type type) {
    return begin_rows(name, format, type, ROWS);
}

static void put_feature(const making *m, size_t row, size_t j, double value) {
    const size_t at[] = {row, j};
    nc(nc_put_var1_double(m->id, m->x, at, &value));
}

/* Everything but what the caller puts afterwards. */
static void fill(const making *m) {
    const int code = nc_enddef(m->id);
    if (code != NC_ENOTINDEFINE) nc(code);
    for (size_t i = 0; i < ROWS; i++) {
        const double y = target(i);
        nc(nc_put_var1_double(m->id, m->y, &i, &y));
        for (size_t j = 0; j < FEATURES; j++) put_feature(m, i, j, feature(i, j));
    }
}

static void finish(const making *m) {
    nc(nc_close(m->id));
}

static void write_table(const char *name, int format) {
    const making m = begin(name, format, NC_DOUBLE);
    fill(&m);
    finish(&m);
}

#define XY              \
    {"file", "t.nc"}, { \
        "target", "y"   \
    }
static const setting plain[] = {XY, {NULL, NULL}}, by_blocks[] = {XY, {"load", "blocks"}, {NULL, NULL}};

static rl_dataset load_table(const setting *settings) {
    return load_done((request){.source = "netcdf", .settings = settings, .base = folder});
}

static void refuse_table(const setting *settings, const char *message) {
    refuse((request){.source = "netcdf", .settings = settings, .base = folder}, message);
}

/* Refused in memory and by blocks with the same words. */
static void refuse_both(const char *message) {
    refuse_table(plain, message);
    refuse_table(by_blocks, message);
}

static void assert_table(const rl_dataset *d) {
    assert_int_equal(d->n_rows, ROWS);
    assert_int_equal(d->n_features, FEATURES);
    assert_int_equal(d->n_dropped, 0);
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(d->y[i] == target(i));
        for (size_t j = 0; j < FEATURES; j++) assert_true(d->x[i * FEATURES + j] == feature(i, j));
    }
}

/* ---- in memory --------------------------------------------------------------------------------------------------- */

static void every_type_in_every_format(void **state) {
    (void)state;
    static const nc_type types[] = {NC_BYTE,  NC_SHORT,  NC_INT,  NC_FLOAT, NC_DOUBLE,
                                    NC_UBYTE, NC_USHORT, NC_UINT, NC_INT64, NC_UINT64};
    enum { N_CLASSIC_TYPES = 5 };
    for (int f = 0; f < N_FORMATS; f++) {
        const bool all = formats[f] == NC_NETCDF4 || formats[f] == NC_64BIT_DATA;
        for (size_t t = 0; t < (all ? sizeof types / sizeof *types : N_CLASSIC_TYPES); t++) {
            const making m = begin("t.nc", formats[f], types[t]);
            fill(&m);
            finish(&m);
            rl_dataset d = load_table(plain);
            assert_table(&d);
            assert_false(rl_dataset_in_blocks(&d));
            assert_string_equal(d.origin, path_of("t.nc"));
            rl_dataset_destroy(&d);
        }
    }
}

/* The same numbers as a table of text: the same bits in everything. */
static void equals_csv(void **state) {
    (void)state;
    char text[1024] = "a,b,c,y\n";
    for (size_t i = 0; i < ROWS; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%.17g,%.17g,%.17g,%.17g\n", feature(i, 0),
                 feature(i, 1), feature(i, 2), target(i));
    write_text("t.csv", text);
    write_table("t.nc", NC_NETCDF4);
    static const char *const words[] = {"none", "center", "unit-norm", "z-score"};
    for (int s = 0; s < 4; s++) {
        rl_dataset d = load_table(SETTINGS(XY, {"standardize", words[s]}));
        rl_dataset e =
            load_done((request){.source = "csv",
                                .settings = SETTINGS({"file", "t.csv"}, {"target", "y"}, {"standardize", words[s]}),
                                .base = folder});
        assert_int_equal(d.n_rows, e.n_rows);
        assert_memory_equal(d.x, e.x, sizeof(double) * ROWS * FEATURES);
        assert_memory_equal(d.y, e.y, sizeof(double) * ROWS);
        assert_memory_equal(d.beta_star, e.beta_star, sizeof(double) * FEATURES);
        assert_true(d.checksum == e.checksum);
        rl_dataset_destroy(&d);
        rl_dataset_destroy(&e);
    }
}

static void packed_numbers_are_unpacked(void **state) {
    (void)state;
    for (int f = 0; f < N_FORMATS; f++) {
        const making m = begin("t.nc", formats[f], NC_SHORT);
        const float scale = 0.25F;
        const double offset = 100, y_scale = -2;
        nc(nc_put_att_float(m.id, m.x, "scale_factor", NC_FLOAT, 1, &scale));
        nc(nc_put_att_double(m.id, m.x, "add_offset", NC_DOUBLE, 1, &offset));
        nc(nc_put_att_double(m.id, m.y, "scale_factor", NC_DOUBLE, 1, &y_scale));
        fill(&m);
        finish(&m);
        rl_dataset d = load_table(plain);
        for (size_t i = 0; i < ROWS; i++) {
            assert_true(d.y[i] == -2 * target(i));
            for (size_t j = 0; j < FEATURES; j++) assert_true(d.x[i * FEATURES + j] == 0.25 * feature(i, j) + 100);
        }
        rl_dataset_destroy(&d);
    }
}

/* The features are chosen by name among many, and need none when they are alone. */
static void variables_are_chosen_by_name(void **state) {
    (void)state;
    making m = begin("t.nc", NC_NETCDF4, NC_DOUBLE);
    const int dimensions[] = {m.row, m.feature, m.feature};
    int other, id;
    nc(nc_def_var(m.id, "other", NC_INT, 2, dimensions, &other));
    nc(nc_def_var(m.id, "names", NC_CHAR, 2, dimensions, &id));
    nc(nc_def_var(m.id, "words", NC_STRING, 2, dimensions, &id));
    nc(nc_def_var(m.id, "cube", NC_INT, 3, dimensions, &id));
    nc(nc_def_var(m.id, "scalar", NC_INT, 0, NULL, &id));
    nc(nc_def_var(m.id, "labels", NC_CHAR, 1, dimensions, &id));
    fill(&m);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < FEATURES; j++) {
            const size_t at[] = {i, j};
            const int value = (int)(10 * i + j);
            nc(nc_put_var1_int(m.id, other, at, &value));
        }
    finish(&m);
    rl_dataset d = load_table(SETTINGS(XY, {"features", "x"}));
    assert_table(&d);
    rl_dataset_destroy(&d);
    d = load_table(SETTINGS(XY, {"features", "other"}));
    assert_true(d.x[2 * FEATURES + 1] == 21);
    rl_dataset_destroy(&d);

    refuse_table(plain, "dataset `netcdf`: key `features`: ");
    assert_message(
        "t.nc: more than one variable (row, feature); expected the name of one; there are `x` double(7, 3), "
        "`y` double(7), `other` int(7, 3), `names` char(7, 3), `words` string(7, 3), `cube` int(7, 3, 3), "
        "`scalar` int(), `labels` char(7)");
    refuse_table(SETTINGS(XY, {"features", "q"}), "key `features` (line 7): ");
    assert_message("t.nc: no variable `q`; expected one of `x`, `y`, `other`, `names`");
    refuse_table(SETTINGS(XY, {"features", "y"}), "`y` is the target, expected other variables");
    static const char *const others[] = {"names` is char(7, 3)", "words` is string(7, 3)", "cube` is int(7, 3, 3)",
                                         "scalar` is int()"};
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(others[i], "`"), others[i]);
        refuse_table(SETTINGS(XY, {"features", name}), ", expected numbers (row, feature) or (row)");
        assert_message(others[i]);
    }
    refuse_table(SETTINGS({"file", "t.nc"}, {"target", "z"}, {"features", "x"}),
                 "dataset `netcdf`: key `target` (line 7): ");
    assert_message("no variable `z`; expected one of `x`, `y`");
    refuse_table(SETTINGS({"file", "t.nc"}, {"target", "other"}, {"features", "x"}), "key `target` (line 7): ");
    assert_message("`other` is int(7, 3), expected one value per row, or `target_column`, the number of a column");
    refuse_table(SETTINGS({"file", "t.nc"}, {"target", "labels"}, {"features", "x"}),
                 "`labels` is char(7), expected numbers (row)");
}

static void lengths_must_agree(void **state) {
    (void)state;
    making m = begin("t.nc", 0, NC_DOUBLE);
    int id, along;
    nc(nc_def_dim(m.id, "elsewhere", ROWS - 1, &along));
    nc(nc_def_var(m.id, "short", NC_DOUBLE, 1, &along, &id));
    nc(nc_def_var(m.id, "turned", NC_DOUBLE, 1, &m.feature, &id));
    fill(&m);
    finish(&m);
    refuse_table(SETTINGS({"file", "t.nc"}, {"target", "short"}), "key `features`: ");
    assert_message(
        "t.nc: no variable of numbers has the rows of the target; expected one (row, feature) or some (row); "
        "there are `x` double(7, 3), `y` double(7), `short` double(6), `turned` double(3)");
    refuse_table(SETTINGS({"file", "t.nc"}, {"target", "short"}, {"features", "x"}), "key `features` (line 7): ");
    assert_message("t.nc: `x` is double(7, 3), expected 6 rows, as many as the target has");
    /* no row at all */
    m = begin_rows("t.nc", NC_NETCDF4, NC_DOUBLE, NC_UNLIMITED);
    finish(&m);
    refuse_table(plain, "t.nc: `y` is double(0), expected from 1 to 2^31 - 1 rows");
    /* more rows than an int counts */
    m = begin_rows("t.nc", NC_NETCDF4, NC_BYTE, (size_t)INT32_MAX + 1);
    finish(&m);
    refuse_table(plain, "t.nc: `y` is double(2147483648), expected from 1 to 2^31 - 1 rows");
    m = begin_rows("t.nc", NC_NETCDF4, NC_BYTE, 1);
    const double one = 1;
    nc(nc_put_var_double(m.id, m.y, &one));
    for (size_t j = 0; j < FEATURES; j++) put_feature(&m, 0, j, one);
    finish(&m);
    refuse_table(plain, "t.nc): 1 row, expected at least 2");
    nc(nc_create(path_of("t.nc"), NC_CLOBBER, &id));
    nc(nc_close(id));
    refuse_table(plain, "t.nc: no variable `y`; expected one of ");
}

/* ---- what stands for no number ----------------------------------------------------------------------------------- */

typedef struct poison {
    const char *attribute; /* of the variable; NULL: none */
    size_t n;
    double marks[2];
    double value;
    const char *message;
} poison;

/* A table with a bad feature 2 of row 5, or target of row 5. */
static void write_poisoned(const poison *p, int format, nc_type type, bool of_target) {
    making m;
    nc(nc_create(path_of("t.nc"), NC_CLOBBER | format, &m.id));
    nc(nc_def_dim(m.id, "row", ROWS, &m.row));
    nc(nc_def_dim(m.id, "feature", FEATURES, &m.feature));
    const int dimensions[] = {m.row, m.feature};
    nc(nc_def_var(m.id, "x", type, 2, dimensions, &m.x));
    nc(nc_def_var(m.id, "y", type, 1, dimensions, &m.y));
    const int poisoned = of_target ? m.y : m.x;
    if (p->n > 0) {
        const nc_type mark_type = strcmp(p->attribute, "_FillValue") == 0 ? type : NC_DOUBLE; /* the library's rule */
        nc(nc_put_att_double(m.id, poisoned, p->attribute, mark_type, p->n, p->marks));
    }
    fill(&m);
    const size_t at[] = {4, 1};
    const float rounded = (float)p->value; /* the library refuses to round infinity */
    nc(type == NC_FLOAT ? nc_put_var1_float(m.id, poisoned, at, &rounded)
                        : nc_put_var1_double(m.id, poisoned, at, &p->value));
    finish(&m);
}

/* The rows of the table without the fifth, in memory and by blocks. */
static void assert_fifth_left_out(const setting *whole, const setting *blocks) {
    rl_dataset d = load_table(whole), e = load_table(blocks);
    assert_int_equal(d.n_rows, ROWS - 1);
    assert_int_equal(d.n_dropped, 1);
    for (size_t i = 0; i < ROWS - 1; i++) {
        const size_t row = i < 4 ? i : i + 1;
        assert_true(d.y[i] == target(row));
        for (size_t j = 0; j < FEATURES; j++) assert_true(d.x[i * FEATURES + j] == feature(row, j));
        assert_int_equal(rl_dataset_file_row(&e, (int)i), row);
    }
    assert_int_equal(e.n_rows, ROWS - 1);
    assert_int_equal(e.n_dropped, 1);
    assert_memory_equal(e.y, d.y, sizeof(double) * (ROWS - 1));
    assert_true(e.checksum == d.checksum);
    rl_dataset_destroy(&d);
    rl_dataset_destroy(&e);
}

static void rows_with_missing_values_are_left_out(void **state) {
    (void)state;
    static const char refused[] = "; expected a finite number";
    const poison poisons[] = {
        {NULL, 0, {0}, NAN, NULL},
        {NULL, 0, {0}, -INFINITY, refused},
        {"_FillValue", 1, {-999}, -999, NULL},
        {"_FillValue", 1, {NAN}, NAN, NULL},
        {"missing_value", 1, {-999.9}, -999.9, NULL}, /* which is no float */
        {"missing_value", 2, {-999, -998}, -998, NULL},
        {"valid_min", 1, {-2.5}, -2.75, NULL},
        {"valid_max", 1, {100}, 101, NULL},
        {"valid_range", 2, {-5, 100}, 100.5, NULL},
        {"valid_range", 2, {-5, 100}, -6, NULL},
        {"scale_factor", 1, {1e300}, 1e10, refused},
        {NULL, 0, {0}, NC_FILL_DOUBLE, ", the library's default fill value; nothing in the file says"},
    };
    for (int f = 0; f < N_FORMATS; f++)
        for (size_t k = 0; k < sizeof poisons / sizeof *poisons; k++)
            for (int variation = 0; variation < 4; variation++) {
                const bool of_target = variation % 2 == 1;
                write_poisoned(&poisons[k], formats[f], variation < 2 ? NC_FLOAT : NC_DOUBLE, of_target);
                if (poisons[k].message == NULL) {
                    assert_fifth_left_out(plain, by_blocks);
                    continue;
                }
                refuse_both(of_target ? "t.nc: variable `y`: row 5 (counted from 1) is "
                                      : "t.nc: variable `x`: feature 2 of row 5 (counted from 1) is ");
                assert_message(poisons[k].message);
            }
}

/* `missing` says what the file does not: that numbers are missing, and that default fill values are none. */
static void the_study_says_what_is_missing(void **state) {
    (void)state;
    const poison fill_value = {.value = NC_FILL_FLOAT}, own = {.value = -9999.9};
    write_poisoned(&fill_value, NC_NETCDF4, NC_FLOAT, false);
    assert_fifth_left_out(SETTINGS(XY, {"missing", "9.96921e36|9.9692099683868690e+36"}),
                          SETTINGS(XY, {"load", "blocks"}, {"missing", "9.9692099683868690e+36"}));
    rl_dataset d = load_table(SETTINGS(XY, {"missing", "NaN"}));
    assert_int_equal(d.n_dropped, 0);
    assert_true(d.x[4 * FEATURES + 1] == NC_FILL_FLOAT);
    rl_dataset_destroy(&d);
    write_poisoned(&own, 0, NC_FLOAT, true);
    assert_fifth_left_out(SETTINGS(XY, {"missing", "NA|-9999.9"}),
                          SETTINGS(XY, {"load", "blocks"}, {"missing", "-9999.9"}));
    refuse_table(SETTINGS(XY, {"missing", "none of it"}), "key `missing` (line 7): `none of it` is not a number");
}

/* Numbers of which only the first was ever written. */
static void unwritten_values_are_refused(void **state) {
    (void)state;
    static const nc_type types[] = {NC_SHORT, NC_INT, NC_FLOAT, NC_DOUBLE, NC_USHORT, NC_UINT, NC_INT64, NC_UINT64};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        making m = begin("t.nc", NC_NETCDF4, types[t]);
        double y[ROWS] = {0};
        nc(nc_put_var_double(m.id, m.y, y));
        put_feature(&m, 0, 0, 3);
        finish(&m);
        refuse_both("t.nc: variable `x`: feature 2 of row 1 (counted from 1) is ");
        assert_message(", the library's default fill value; nothing in the file says");
    }
    /* a writer that says so takes the value for itself */
    making m = begin("t.nc", NC_NETCDF4, NC_SHORT);
    nc(nc_def_var_fill(m.id, m.x, NC_NOFILL, NULL));
    fill(&m);
    put_feature(&m, 2, 2, NC_FILL_SHORT);
    finish(&m);
    rl_dataset d = load_table(plain);
    assert_true(d.x[2 * FEATURES + 2] == NC_FILL_SHORT);
    rl_dataset_destroy(&d);
}

static void refuse_attribute(const char *name, nc_type type, size_t n, const double *values, const char *message) {
    const making m = begin("t.nc", NC_NETCDF4, NC_DOUBLE);
    if (type == NC_CHAR)
        nc(nc_put_att_text(m.id, m.x, name, strlen("true"), "true"));
    else
        nc(nc_put_att_double(m.id, m.x, name, type, n, values));
    fill(&m);
    finish(&m);
    refuse_both(message);
}

static void attributes_must_make_sense(void **state) {
    (void)state;
    const double values[] = {0, NAN, INFINITY};
    refuse_attribute("scale_factor", NC_DOUBLE, 1, values,
                     "t.nc: variable `x`: attribute `scale_factor`: expected a finite number other than 0");
    refuse_attribute("scale_factor", NC_DOUBLE, 1, values + 1, "expected a finite number other than 0");
    refuse_attribute("scale_factor", NC_DOUBLE, 2, values, "attribute `scale_factor`: expected one number");
    refuse_attribute("scale_factor", NC_CHAR, 0, NULL, "attribute `scale_factor`: expected numbers");
    refuse_attribute("add_offset", NC_DOUBLE, 1, values + 2, "attribute `add_offset`: expected a finite number");
    refuse_attribute("valid_range", NC_DOUBLE, 1, values, "attribute `valid_range`: expected two numbers");
    refuse_attribute("missing_value", NC_CHAR, 0, NULL, "attribute `missing_value`: expected numbers");
}

/* ---- files that are none ----------------------------------------------------------------------------------------- */

/* The whole file. */
static char *bytes_of(const char *name, size_t *length) {
    rl_text content = RL_TEXT_EMPTY;
    assert_done(rl_read_file(path_of(name), (size_t)1 << 24, &content));
    *length = content.length;
    return content.bytes;
}

static void refuses_what_is_no_netcdf_file(void **state) {
    (void)state;
    unlink(path_of("t.nc"));
    refuse_table(plain, "dataset `netcdf`: key `file` (line 7): t.nc: not found in");
    assert_message("beside the study file");
    write_text("t.nc", "a,b\n1,2\n");
    refuse_both("t.nc: is not a NetCDF file, expected NetCDF-4, HDF5 or classic");
    write_text("t.nc", "");
    refuse_both("t.nc: is not a NetCDF file");
    write_bytes("t.nc", "CDF\3\0\0\0\0", 8);
    refuse_both("t.nc: is not a NetCDF file");
    write_bytes("t.nc", "CDF\1", 4);
    refuse_both("t.nc: is damaged or cut short: its header makes no sense");
    /* a dimension's name of 4 GB, for which the library would take memory */
    write_bytes("t.nc", "CDF\1\0\0\0\0\0\0\0\12\0\0\0\1\377\377\377\377row\0\0\0\0\4", 28);
    refuse_both("t.nc: is damaged or cut short: its header makes no sense");
    write_bytes("t.nc", "\211HDF\r\n\032\nnothing else", 20);
    refuse_both("t.nc: nc_open: ");
    unlink(path_of("t.nc"));
    assert_int_equal(mkdir(path_of("t.nc"), 0700), 0);
    refuse_both("t.nc: is a directory, expected a NetCDF file");
    assert_int_equal(rmdir(path_of("t.nc")), 0);
}

/* The library reads zeros beyond the end of a classic file. */
static void refuses_files_that_are_cut_short(void **state) {
    (void)state;
    static const size_t row_dimensions[] = {ROWS, NC_UNLIMITED};
    for (int f = 0; f < N_FORMATS; f++)
        for (int r = 0; r < 2; r++)
            for (int odd = 0; odd < 2; odd++) { /* records of an odd number of bytes are padded */
                const making m = begin_rows("t.nc", formats[f], odd ? NC_BYTE : NC_DOUBLE, row_dimensions[r]);
                nc(nc_put_att_text(m.id, m.x, "long_name", 5, "names"));
                nc(nc_put_att_text(m.id, NC_GLOBAL, "title", 3, "abc"));
                fill(&m);
                finish(&m);
                rl_dataset d = load_table(plain);
                assert_table(&d);
                rl_dataset_destroy(&d);
                size_t length;
                char *bytes = bytes_of("t.nc", &length);
                const size_t cuts[] = {1, 8, length / 2};
                for (int c = 0; c < 3; c++) {
                    write_bytes("t.nc", bytes, length - cuts[c]);
                    refuse_both("t.nc: ");
                    if (f >= CLASSIC && c < 2) assert_message("t.nc: is cut short: ");
                }
                rl_free(bytes);
            }
    /* a single variable with records is not padded */
    int id, dimension, x;
    nc(nc_create(path_of("t.nc"), NC_CLOBBER, &id));
    nc(nc_def_dim(id, "row", NC_UNLIMITED, &dimension));
    nc(nc_def_var(id, "y", NC_BYTE, 1, &dimension, &x));
    nc(nc_enddef(id));
    for (size_t i = 0; i < ROWS; i++) {
        const double y = (double)i;
        nc(nc_put_var1_double(id, x, &i, &y));
    }
    nc(nc_close(id));
    refuse_table(plain, "no variable of numbers has the rows of the target"); /* and not cut short */
}

/* ---- by blocks --------------------------------------------------------------------------------------------------- */

static void assert_rows(const rl_dataset *d, const double *expected, int first, int count) {
    const size_t p = (size_t)d->n_features;
    rl_table_blocks *blocks;
    double *rows;
    assert_done(RL_ALLOC(rows, (size_t)count * p));
    assert_done(rl_table_blocks_open(d, &blocks));
    assert_done(rl_table_blocks_read(blocks, first, count, rows));
    assert_memory_equal(rows, expected + (size_t)first * p, sizeof(double) * (size_t)count * p);
    rl_table_blocks_close(blocks);
    rl_free(rows);
}

static void blocks_stay_in_the_file(void **state) {
    (void)state;
    for (int f = 0; f < N_FORMATS; f++) {
        write_table("t.nc", formats[f]);
        rl_dataset d = load_table(by_blocks), whole = load_table(plain);
        assert_true(rl_dataset_in_blocks(&d));
        assert_int_equal(d.n_rows, ROWS);
        assert_int_equal(d.n_features, FEATURES);
        assert_null(d.x);
        assert_memory_equal(d.y, whole.y, sizeof(double) * ROWS);
        for (int j = 0; j < FEATURES; j++) assert_true(d.beta_star[j] == 0);
        assert_true(d.checksum == whole.checksum); /* what the numbers depend on is the same */
        for (int first = 0; first < ROWS; first++)
            for (int count = 1; count <= ROWS - first; count++) assert_rows(&d, whole.x, first, count);
        rl_dataset_destroy(&d);
        rl_dataset_destroy(&whole);
    }
}

/* A 1 before the features of each row, in any slab, and the checksum of the table in memory. */
static void blocks_have_an_intercept(void **state) {
    (void)state;
    write_table("t.nc", NC_NETCDF4);
    const request in_blocks = {.source = "netcdf", .settings = by_blocks, .base = folder, .intercept = true};
    const request in_memory = {.source = "netcdf", .settings = plain, .base = folder, .intercept = true};
    rl_dataset d = load_done(in_blocks), whole = load_done(in_memory), without = load_table(plain);
    assert_true(rl_dataset_in_blocks(&d) && !rl_dataset_in_blocks(&whole));
    assert_true(d.n_features == FEATURES + 1 && whole.n_features == FEATURES + 1);
    assert_true(d.checksum == whole.checksum && whole.checksum != without.checksum);
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(whole.x[i * (FEATURES + 1)] == 1);
        for (size_t j = 0; j < FEATURES; j++) assert_true(whole.x[i * (FEATURES + 1) + j + 1] == feature(i, j));
    }
    for (int first = 0; first < ROWS; first++)
        for (int count = 1; count <= ROWS - first; count++) assert_rows(&d, whole.x, first, count);
    rl_dataset_destroy(&d);
    rl_dataset_destroy(&whole);
    rl_dataset_destroy(&without);
}

static void blocks_need_plain_numbers(void **state) {
    (void)state;
    write_table("t.nc", NC_NETCDF4);
    static const char *const words[] = {"center", "unit-norm", "z-score"};
    for (int i = 0; i < 3; i++) {
        refuse_table(SETTINGS(XY, {"load", "blocks"}, {"standardize", words[i]}),
                     "dataset `netcdf`: key `standardize` (line 7): `");
        assert_message(words[i]);
        assert_message("needs the whole table in memory");
    }
    refuse((request){.source = "netcdf", .settings = by_blocks, .base = folder, .random = RL_RANDOM_NUMPY},
           "key `load` (line 7): `random: numpy` needs the whole table in memory");
    rl_dataset d =
        load_done((request){.source = "netcdf", .settings = plain, .base = folder, .random = RL_RANDOM_NUMPY});
    assert_table(&d);
    rl_dataset_destroy(&d);
}

/* 1 GiB of doubles is the most that is loaded whole unless asked for; here a file of bytes that nobody wrote. */
static void large_tables_are_read_by_blocks(void **state) {
    (void)state;
    static const size_t rows[] = {1 << 12, (1 << 12) + 1};
    for (int i = 0; i < 2; i++) {
        int id, dimensions[2], x, y;
        nc(nc_create(path_of("t.nc"), NC_CLOBBER | NC_NETCDF4, &id));
        nc(nc_def_dim(id, "row", rows[i], &dimensions[0]));
        nc(nc_def_dim(id, "feature", 1 << 15, &dimensions[1]));
        nc(nc_def_var(id, "x", NC_BYTE, 2, dimensions, &x));
        nc(nc_def_var_chunking(id, x, NC_CHUNKED, (const size_t[]){64, 1 << 15}));
        nc(nc_def_var(id, "y", NC_BYTE, 1, dimensions, &y));
        nc(nc_close(id));
        const setting *settings = SETTINGS(XY, {"standardize", "center"}, {"load", i == 0 ? "blocks" : "auto"});
        refuse_table(settings, "key `standardize` (line 7): `center` needs the whole table in memory (1 GiB)");
    }
    rl_dataset d = load_table(plain);
    assert_true(rl_dataset_in_blocks(&d));
    rl_table_blocks *blocks;
    assert_done(rl_table_blocks_open(&d, &blocks));
    assert_int_equal(rl_table_blocks_height(blocks), 128); /* 32 MiB of rows of 256 KiB */
    rl_table_blocks_close(blocks);
    rl_dataset_destroy(&d);
}

/* Compressed chunks of all shapes against slabs of all heights. */
static void slabs_follow_chunks(void **state) {
    (void)state;
    enum { N = 50 };
    static const size_t chunks[][2] = {{1, 3}, {7, 1}, {8, 2}, {30, 3}, {50, 1}, {50, 3}};
    static const int slab_rows[] = {1, 10, 25, 1000},
                     expected[][4] = {{1, 10, 25, 50}, {1, 7, 21, 49},  {1, 8, 24, 48},
                                      {1, 10, 25, 30}, {1, 10, 25, 50}, {1, 10, 25, 50}};
    double x[N * FEATURES], y[N];
    for (int i = 0; i < N * FEATURES; i++) x[i] = i % 17;
    for (int i = 0; i < N; i++) y[i] = i;
    for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
        const making m = begin_rows("t.nc", NC_NETCDF4, NC_FLOAT, N);
        nc(nc_def_var_chunking(m.id, m.x, NC_CHUNKED, chunks[c]));
        nc(nc_def_var_deflate(m.id, m.x, 1, 1, 1));
        nc(nc_put_var_double(m.id, m.x, x));
        nc(nc_put_var_double(m.id, m.y, y));
        finish(&m);
        rl_dataset d = load_table(by_blocks);
        for (int s = 0; s < 4; s++) {
            rl_table_blocks *blocks;
            d.file.slab_bytes = (size_t)slab_rows[s] * FEATURES * sizeof(double);
            assert_done(rl_table_blocks_open(&d, &blocks));
            const int height = rl_table_blocks_height(blocks);
            assert_int_equal(height, expected[c][s]);
            for (int first = 0; first < N; first += height) {
                double rows[N * FEATURES];
                const int count = height < N - first ? height : N - first;
                assert_done(rl_table_blocks_read(blocks, first, count, rows));
                assert_memory_equal(rows, x + first * FEATURES, sizeof(double) * (size_t)(count * FEATURES));
            }
            rl_table_blocks_close(blocks);
        }
        d.file.slab_bytes = 1; /* a row at least */
        assert_rows(&d, x, 3, 40);
        rl_dataset_destroy(&d);
    }
}

static void refuse_open(const rl_dataset *d, const char *message) {
    rl_table_blocks *blocks;
    assert_int_equal(rl_table_blocks_open(d, &blocks), RL_ERR_IO);
    assert_message(message);
    assert_null(blocks);
}

static void a_changed_file_is_found_out(void **state) {
    (void)state;
    write_table("t.nc", NC_NETCDF4);
    rl_dataset d = load_table(by_blocks);
    const struct utimbuf loaded = {d.file.modified, d.file.modified}, later = {d.file.modified, d.file.modified + 1};
    assert_int_equal(utime(path_of("t.nc"), &later), 0);
    refuse_open(&d, "t.nc: has changed since the table was loaded");
    assert_int_equal(utime(path_of("t.nc"), &loaded), 0);
    rl_table_blocks *blocks;
    assert_done(rl_table_blocks_open(&d, &blocks));
    rl_table_blocks_close(blocks);

    size_t length;
    char *bytes = bytes_of("t.nc", &length);
    write_bytes("t.nc", bytes, length - 1);
    assert_int_equal(utime(path_of("t.nc"), &loaded), 0);
    refuse_open(&d, "t.nc: has changed since the table was loaded");

    memset(bytes, 'z', length);
    write_bytes("t.nc", bytes, length);
    assert_int_equal(utime(path_of("t.nc"), &loaded), 0);
    refuse_open(&d, "t.nc: is not a NetCDF file");
    rl_free(bytes);

    /* the same size and time with another shape, as far as the file's own record of it goes */
    const making m = begin_rows("t.nc", NC_NETCDF4, NC_DOUBLE, ROWS + 1);
    finish(&m);
    struct stat now;
    assert_int_equal(stat(path_of("t.nc"), &now), 0);
    d.file.bytes = now.st_size;
    d.file.modified = now.st_mtime;
    refuse_open(&d, "t.nc: has changed since the table was loaded");
    assert_int_equal(unlink(path_of("t.nc")), 0);
    refuse_open(&d, "t.nc: cannot be read any more: No such file");
    rl_dataset_destroy(&d);
}

/* A compressed chunk that does not unpack. */
static void damaged_chunks_are_reported(void **state) {
    (void)state;
    enum { N = 1000 };
    static double x[N * FEATURES], y[N];
    for (int i = 0; i < N * FEATURES; i++) x[i] = i * i % 977;
    const making m = begin_rows("t.nc", NC_NETCDF4, NC_DOUBLE, N);
    nc(nc_def_var_chunking(m.id, m.x, NC_CHUNKED, (const size_t[]){N, FEATURES}));
    nc(nc_def_var_deflate(m.id, m.x, 0, 1, 1));
    nc(nc_put_var_double(m.id, m.x, x));
    nc(nc_put_var_double(m.id, m.y, y));
    finish(&m);
    rl_dataset d = load_table(by_blocks);
    size_t length;
    char *bytes = bytes_of("t.nc", &length), *chunk = bytes;
    while (memcmp(chunk, "\x78\x01", 2) != 0) chunk++; /* zlib's first bytes at level 1 */
    memset(chunk + 2, 0xff, 64);
    write_bytes("t.nc", bytes, length);
    rl_free(bytes);
    refuse_both("t.nc: nc_get_vara_double: ");
    const struct utimbuf loaded = {d.file.modified, d.file.modified};
    assert_int_equal(utime(path_of("t.nc"), &loaded), 0);
    rl_table_blocks *blocks;
    assert_done(rl_table_blocks_open(&d, &blocks));
    assert_int_equal(rl_table_blocks_read(blocks, 0, N, x), RL_ERR_IO); /* it was fine before */
    assert_message("t.nc: nc_get_vara_double: ");
    rl_table_blocks_close(blocks);
    rl_dataset_destroy(&d);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_in_every_format),
        cmocka_unit_test(equals_csv),
        cmocka_unit_test(packed_numbers_are_unpacked),
        cmocka_unit_test(variables_are_chosen_by_name),
        cmocka_unit_test(lengths_must_agree),
        cmocka_unit_test(rows_with_missing_values_are_left_out),
        cmocka_unit_test(the_study_says_what_is_missing),
        cmocka_unit_test(unwritten_values_are_refused),
        cmocka_unit_test(attributes_must_make_sense),
        cmocka_unit_test(refuses_what_is_no_netcdf_file),
        cmocka_unit_test(refuses_files_that_are_cut_short),
        cmocka_unit_test(blocks_stay_in_the_file),
        cmocka_unit_test(blocks_have_an_intercept),
        cmocka_unit_test(blocks_need_plain_numbers),
        cmocka_unit_test(large_tables_are_read_by_blocks),
        cmocka_unit_test(slabs_follow_chunks),
        cmocka_unit_test(a_changed_file_is_found_out),
        cmocka_unit_test(damaged_chunks_are_reported),
    };
    return cmocka_run_group_tests_name("netcdf_table", tests, make_folder, remove_folder);
}
