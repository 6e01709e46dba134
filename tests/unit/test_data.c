/* data: tables and their columns, standardization, data sets, and the order of rows. */
#include <float.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "dataset.h"

/* ---- files to read ---------------------------------------------------------------------------------------------- */

static const char *write_gzip(const char *name, const char *text) {
    gzFile file = gzopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)strlen(text)), strlen(text));
    assert_int_equal(gzclose(file), Z_OK);
    return path_of(name);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static const rl_table_format comma = {.delimiter = ',', .has_header = true}, bare = {.delimiter = ','},
                             blanks = {.delimiter = ' '};

static rl_table read_text(const char *text, rl_table_format format) {
    rl_table table;
    assert_done(rl_table_read(write_text("table.csv", text), format, &table));
    return table;
}

static const char *cell(const rl_table *table, int row, int column) {
    return table->cells[row * table->n_columns + column];
}

static void refuse_bytes(const void *bytes, size_t length, rl_table_format format, const char *message) {
    rl_table table;
    assert_refused(rl_table_read(write_bytes("table.csv", bytes, length), format, &table), message);
    assert_message("table.csv");
    assert_null(table.cells); /* nothing to release */
}

static void refuse_text(const char *text, rl_table_format format, const char *message) {
    refuse_bytes(text, strlen(text), format, message);
}

static void table_has_header_cells_and_lines(void **state) {
    (void)state;
    rl_table table = read_text("a, b ,c\n1,2,3\n\n \t\n4,, six \n", comma);
    assert_int_equal(table.n_rows, 2);
    assert_int_equal(table.n_columns, 3);
    assert_string_equal(table.header[1], "b");
    assert_string_equal(cell(&table, 0, 2), "3");
    assert_string_equal(cell(&table, 1, 1), "");
    assert_string_equal(cell(&table, 1, 2), "six");
    assert_int_equal(table.lines[0], 2);
    assert_int_equal(table.lines[1], 5); /* blank lines are counted and passed over */
    assert_string_equal(table.path, path_of("table.csv"));
    rl_table_destroy(&table);
}

static void table_reads_quotes(void **state) {
    (void)state;
    rl_table table = read_text("\"x, y\",b\n\"say \"\"hi\"\"\", \"2\" \n\"two\n\nlines\",3\n4,5\n", comma);
    assert_int_equal(table.n_rows, 3);
    assert_string_equal(table.header[0], "x, y");
    assert_string_equal(cell(&table, 0, 0), "say \"hi\"");
    assert_string_equal(cell(&table, 0, 1), "2");
    assert_string_equal(cell(&table, 1, 0), "two\n\nlines");
    assert_int_equal(table.lines[1], 3); /* where the row begins */
    assert_int_equal(table.lines[2], 6);
    rl_table_destroy(&table);
}

static void table_reads_line_ends_and_byte_order_mark(void **state) {
    (void)state;
    rl_table table = read_text(
        "\xef\xbb\xbf"
        "a,b\r\n1,2\r\n3,4", /* no end of the last line */
        comma);
    assert_int_equal(table.n_rows, 2);
    assert_string_equal(table.header[0], "a");
    assert_string_equal(table.header[1], "b");
    assert_string_equal(cell(&table, 1, 1), "4");
    assert_int_equal(table.lines[1], 3);
    rl_table_destroy(&table);
}

static void table_reads_other_delimiters(void **state) {
    (void)state;
    rl_table table = read_text("1;2,5;3\n", (rl_table_format){.delimiter = ';'});
    assert_int_equal(table.n_columns, 3);
    assert_null(table.header);
    assert_string_equal(cell(&table, 0, 1), "2,5");
    rl_table_destroy(&table);

    table = read_text("1\t\t3\n\t\t\n", (rl_table_format){.delimiter = '\t'});
    assert_int_equal(table.n_rows, 2); /* a line of tabs has cells */
    assert_int_equal(table.n_columns, 3);
    assert_string_equal(cell(&table, 0, 1), "");
    rl_table_destroy(&table);

    table = read_text("  1   2\t \t3  \n\n4 \"5 6\" 7\n", blanks);
    assert_int_equal(table.n_rows, 2);
    assert_int_equal(table.n_columns, 3);
    assert_string_equal(cell(&table, 0, 0), "1");
    assert_string_equal(cell(&table, 0, 2), "3");
    assert_string_equal(cell(&table, 1, 1), "5 6");
    assert_int_equal(table.lines[1], 3);
    rl_table_destroy(&table);
}

static void table_reads_gzip(void **state) {
    (void)state;
    rl_table table;
    assert_done(rl_table_read(write_gzip("table.csv.gz", "a,b\n1,2\n"), comma, &table));
    assert_int_equal(table.n_rows, 1);
    assert_string_equal(cell(&table, 0, 1), "2");
    rl_table_destroy(&table);
}

/* Longer than what is read at once, in all: lines straddle the ends of the parts. */
static void table_reads_long_files(void **state) {
    (void)state;
    enum { ROWS = 20000 };
    rl_text text = RL_TEXT_EMPTY;
    for (int i = 0; i < ROWS; i++) assert_done(rl_text_append(&text, "%d,\"%d\",%d\r\n", i, 2 * i, 3 * i));
    rl_table table = read_text(text.bytes, bare);
    assert_int_equal(table.n_rows, ROWS);
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < 3; j++) assert_int_equal(atoi(cell(&table, i, j)), (j + 1) * i);
        assert_int_equal(table.lines[i], i + 1);
    }
    rl_table_destroy(&table);
    rl_free(text.bytes);
}

static void table_refuses_what_is_no_file(void **state) {
    (void)state;
    rl_table table;
    assert_refused(rl_table_read(path_of("absent.csv"), comma, &table), "absent.csv: cannot be read: No such file");
    assert_refused(rl_table_read(folder, comma, &table), "is a directory, expected a file");
}

/* A device that fails when it is read: the memory of this process from address 0, which is not mapped. */
static void table_reports_failed_reads(void **state) {
    (void)state;
    rl_table table;
    assert_refused(rl_table_read("/proc/self/mem", comma, &table), "/proc/self/mem: cannot be read: Input/output");
    if (geteuid() == 0) return; /* may open anything */
    const char *path = write_text("locked.csv", "1,2\n");
    assert_int_equal(chmod(path, 0), 0);
    assert_refused(rl_table_read(path, comma, &table), "locked.csv: cannot be read: Permission denied");
}

static void table_refuses_empty_files(void **state) {
    (void)state;
    refuse_text("", comma, "is empty, expected a table");
    refuse_text("\n \n\n", comma, "is empty, expected a table");
    refuse_text("\xef\xbb\xbf", bare, "is empty, expected a table");
    refuse_text("  \n", blanks, "is empty, expected a table");
    refuse_text("a,b\n", comma, "no row follows the header line");
}

static void table_refuses_ragged_rows(void **state) {
    (void)state;
    refuse_text("a,b,c\n1,2,3\n4,5\n", comma, "table.csv:3: a row of 2 cells, expected 3 as in line 1");
    refuse_text("\n1,2\n1,2,3", bare, "table.csv:3: a row of 3 cells, expected 2 as in line 2");
    refuse_text("1,2\n\"a\n\",\"b\n\"\n1,2\n\"c\n\"\n", bare, "table.csv:6: a row of 1 cell, expected 2");
}

static void table_refuses_binary(void **state) {
    (void)state;
    refuse_bytes("a,b\n1,\0002\n", 8, comma, "table.csv:2: byte 0x00 is not text");
    refuse_text("a,b\n1,2\n3,\x1b[0m4\n", comma, "table.csv:3: byte 0x1b is not text");
    refuse_text("a\x7f\n", comma, "table.csv:1: byte 0x7f is not text");
    refuse_bytes("\xff\xfe\x61\x00\x0a\x00", 6, comma, "table.csv: is UTF-16, expected UTF-8");
    refuse_bytes("\x61\x00\x0a\x00", 4, comma, "`iconv -f utf-16le -t utf-8` converts it");
}

static void table_takes_quotes_within_cells(void **state) {
    (void)state;
    rl_table table = read_text("a,b\n1,5\" pipe\n\"2\"3,\"x\" y\n", comma);
    assert_string_equal(cell(&table, 0, 1), "5\" pipe");
    assert_string_equal(cell(&table, 1, 0), "2\"3"); /* not the number 23 that pandas makes of it */
    assert_string_equal(cell(&table, 1, 1), "x y");
    rl_table_destroy(&table);
    refuse_text("a,b\n1,2\n3,\"4\n5,6\n", comma,
                "table.csv:3: a quoted cell of the row that begins here is never closed");
}

static void table_refuses_damaged_gzip(void **state) {
    (void)state;
    char bytes[4096];
    FILE *file = fopen(write_gzip("whole.gz", "a,b\n1,2\n3,4\n5,6\n"), "rb");
    assert_non_null(file);
    const size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    refuse_bytes(bytes, length - 10, comma, "damaged gzip file"); /* cut short */
    bytes[length - 5] ^= 1;                                       /* checksum */
    refuse_bytes(bytes, length, comma, "damaged gzip file");
}

static void table_refuses_more_than_the_limit(void **state) {
    (void)state;
    rl_table_format format = bare;
    format.limit = 8;
    rl_table table = read_text("1,2\n3,4\n", format);
    assert_int_equal(table.n_rows, 2);
    rl_table_destroy(&table);
    format.limit = 7;
    refuse_text("1,2\n3,4\n", format, "larger than the 7 bytes");
    assert_refused(rl_table_read(write_gzip("table.csv.gz", "1,2\n3,4\n"), format, &table), "larger than the 7 bytes");
}

static rl_status find_column(const rl_table *table, const char *name, int *column) {
    const rl_columns columns = rl_table_columns(table);
    return rl_columns_find(&columns, name, column);
}

static void column_is_found_by_name_or_number(void **state) {
    (void)state;
    rl_table table = read_text("a,3,a b,b,b\n1,2,3,4,5\n", comma);
    int column;
    assert_done(find_column(&table, "a b", &column));
    assert_int_equal(column, 2);
    assert_done(find_column(&table, "3", &column)); /* a name before a number */
    assert_int_equal(column, 1);
    assert_done(find_column(&table, "5", &column));
    assert_int_equal(column, 4);
    static const char *const absent[] = {"A", "0", "6", "-1", "1.0", ""};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_refused(find_column(&table, absent[i], &column), "expected one of `a`, `3`, `a b`, `b`, `b`");
    assert_refused(find_column(&table, "b", &column), "columns 4 and 5 are both called `b`");
    rl_table_destroy(&table);

    table = read_text("1,2\n", bare);
    assert_done(find_column(&table, "2", &column));
    assert_int_equal(column, 1);
    assert_refused(find_column(&table, "x", &column), "no column `x`, expected a number from 1 to 2");
    rl_table_destroy(&table);
}

static void a_table_of_any_format_is_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        char delimiter;
        bool has_header;
        int n_rows, n_columns;
    } cases[] = {
        {"a,b\n1,2\n", ',', true, 1, 2},
        {"a;b c;d\n1,5;2;3\n2,5;2;3\n", ';', true, 2, 3},
        {"a\tb\n1\t2\n", '\t', true, 1, 2},
        {"a  b\n1 2\n", ' ', true, 1, 2},
        {"first name,last name\nAnn Lee,Bo Ray\n", ',', true, 1, 2}, /* blanks would make three columns of it */
        {"a\n1\n2\n", ',', true, 2, 1},
        {"1,2\n3,4\n", ',', false, 2, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rl_table table;
        write_text("any.csv", cases[i].text);
        assert_done(rl_table_read_unknown(path_of("any.csv"), &table));
        assert_int_equal(table.format.delimiter, cases[i].delimiter);
        assert_int_equal(table.format.has_header, cases[i].has_header);
        assert_int_equal(table.n_rows, cases[i].n_rows);
        assert_int_equal(table.n_columns, cases[i].n_columns);
        rl_table_destroy(&table);
    }
    rl_table table;
    write_text("any.csv", "a,b\n1\n");
    assert_refused(rl_table_read_unknown(path_of("any.csv"), &table), "any.csv:2: a row of 1 cell");
    unlink(path_of("any.csv"));
}

static void columns_are_described(void **state) {
    (void)state;
    enum { N = 6 };
    rl_table table = read_text("row,word,half,same,code,void\n3,1,0.5,7,10,\n1,x,,7,30,NA\n2,inf,1,7,20,?\n", comma);
    rl_table_content c[N];
    assert_int_equal(table.n_columns, N);
    assert_done(rl_table_describe(&table, c));
    static const rl_table_content expected[N] = {
        {.first_text = -1, .distinct = true, .numbers_rows = true},
        {.n_texts = 2, .first_text = 1, .constant = true},
        {.n_missing = 1, .first_text = -1},
        {.first_text = -1, .constant = true},
        {.first_text = -1, .distinct = true},
        {.n_missing = 3, .first_text = -1, .constant = true},
    };
    for (int j = 0; j < N; j++) {
        assert_int_equal(c[j].n_missing, expected[j].n_missing);
        assert_int_equal(c[j].n_texts, expected[j].n_texts);
        assert_int_equal(c[j].first_text, expected[j].first_text);
        assert_int_equal(c[j].constant, expected[j].constant);
        assert_int_equal(c[j].distinct, expected[j].distinct);
        assert_int_equal(c[j].numbers_rows, expected[j].numbers_rows);
    }
    rl_table_destroy(&table);
}

static void numbers_drop_rows_with_missing_values(void **state) {
    (void)state;
    rl_table table = read_text("a,b,y,note\n1,2,3,\n4,,5,x\n6,7,NA,x\n?,1,2,x\n1,null,2,x\n8,9,10,text\n", comma);
    const int features[] = {1, 0};
    rl_dataset d = {0};
    assert_done(rl_table_numbers(&table, &(rl_table_choice){.features = features, .n_features = 2, .target = 2}, &d));
    assert_int_equal(d.n_rows, 2);
    assert_int_equal(d.n_features, 2);
    assert_int_equal(d.n_dropped, 4);
    static const double x[] = {2, 1, 9, 8}, y[] = {3, 10};
    assert_memory_equal(d.x, x, sizeof x);
    assert_memory_equal(d.y, y, sizeof y);
    rl_dataset_destroy(&d);

    assert_done(
        rl_table_numbers(/* now a missing note counts too; no target */
                         &table,
                         &(rl_table_choice){.features = features, .n_features = 1, .target = -1, .any_column = true},
                         &d));
    assert_int_equal(d.n_rows, 1);
    assert_int_equal(d.n_dropped, 5);
    assert_true(d.x[0] == 9);
    assert_null(d.y);
    rl_dataset_destroy(&d);
    rl_table_destroy(&table);
}

static void refuse_number(const char *text, const char *message) {
    char content[128];
    snprintf(content, sizeof content, "a,y\n1,2\n%s,3\n", text);
    rl_table table = read_text(content, comma);
    static const int a = 0, y = 1;
    rl_dataset d = {0};
    assert_refused(rl_table_numbers(&table, &(rl_table_choice){.features = &a, .n_features = 1, .target = 1}, &d),
                   message);
    rl_dataset_destroy(&d);
    assert_refused(rl_table_numbers(&table, &(rl_table_choice){.features = &y, .n_features = 1, .target = 0}, &d),
                   message); /* as the target */
    rl_dataset_destroy(&d);
    rl_table_destroy(&table);
}

static void numbers_have_marks(void **state) {
    (void)state;
    static const struct {
        const char *text;
        rl_marks marks;
        double value; /* NAN: it is no number */
    } cases[] = {
        {"0,391", {true, RL_THOUSANDS_NONE}, 0.391},
        {"-1,5", {true, RL_THOUSANDS_NONE}, -1.5},
        {"7,", {true, RL_THOUSANDS_NONE}, 7},
        {",5", {true, RL_THOUSANDS_NONE}, 0.5},
        {"1,2e-3", {true, RL_THOUSANDS_NONE}, 0.0012},
        {"1.5", {true, RL_THOUSANDS_NONE}, NAN},
        {"1,2,3", {true, RL_THOUSANDS_NONE}, NAN},
        {"1.234.567,8", {true, RL_THOUSANDS_POINT}, 1234567.8},
        {"1,234.5", {false, RL_THOUSANDS_COMMA}, 1234.5},
        {"+12,34,567", {false, RL_THOUSANDS_COMMA}, 1234567}, /* as in India */
        {"1,23", {false, RL_THOUSANDS_COMMA}, NAN},
        {"1234,567", {false, RL_THOUSANDS_COMMA}, NAN},
        {"0,391", {false, RL_THOUSANDS_COMMA}, NAN},
        {"1,234,5", {false, RL_THOUSANDS_COMMA}, NAN},
        {",234", {false, RL_THOUSANDS_COMMA}, NAN},
        {"1.5,000", {false, RL_THOUSANDS_COMMA}, NAN},
        {"1 234", {false, RL_THOUSANDS_SPACE}, 1234},
        {"-1\xc2\xa0"
         "234\xe2\x80\xaf"
         "567\xe2\x80\x89"
         "890",
         {false, RL_THOUSANDS_SPACE},
         -1234567890.},
        {"1'234\xe2\x80\x99"
         "567",
         {false, RL_THOUSANDS_APOSTROPHE},
         1234567},
        {"1_000", {false, RL_THOUSANDS_UNDERSCORE}, 1000},
        {"1_000", {false, RL_THOUSANDS_NONE}, NAN},
        {"", {true, RL_THOUSANDS_POINT}, NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = NAN;
        assert_int_equal(rl_parse_marked(cases[i].text, cases[i].marks, &value), !isnan(cases[i].value));
        assert_true(isnan(cases[i].value) || value == cases[i].value);
    }
}

static void numbers_refuse_what_is_not_finite(void **state) {
    (void)state;
    refuse_number("one", "table.csv:3: column `a`: `one` is not a number");
    static const char *const wrong[] = {"1e400", "-1e400", "NAN", "-NAN", "inf", "-inf", "Infinity", "0x10",
                                        "1 2",   "1.2.3",  "--1", "e5",   "+",   "1;5",  "1d3",      "1_000"};
    enum { N_BEYOND = 7 }; /* they are numbers for C, but no finite ones */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char message[64];
        snprintf(message, sizeof message, "`%s` is not %s", wrong[i], i < N_BEYOND ? "a finite number" : "a number");
        refuse_number(wrong[i], message);
    }
    rl_table table = read_text("1,2\n3,x\n", bare);
    static const int a = 0;
    rl_dataset d = {0};
    assert_refused(rl_table_numbers(&table, &(rl_table_choice){.features = &a, .n_features = 1, .target = 1}, &d),
                   "table.csv:2: column 2: `x` is not");
    rl_dataset_destroy(&d);
    rl_table_destroy(&table);
}

static void numbers_refuse_when_no_row_is_left(void **state) {
    (void)state;
    rl_table table = read_text("a,y\n,1\n2,\n", comma);
    static const int a = 0;
    rl_dataset d = {0};
    assert_refused(rl_table_numbers(&table, &(rl_table_choice){.features = &a, .n_features = 1, .target = 1}, &d),
                   "no row is left: each of the 2 has a missing value");
    rl_dataset_destroy(&d);
    rl_table_destroy(&table);
}

/* ---- standardize ------------------------------------------------------------------------------------------------ */

/* Columns (1, 2, 3, 6): mean 3, deviations (-2, -1, 0, 3), norm sqrt(14); and 1e200 times that, whose squares
 * overflow. */
static rl_status standardize(rl_standardize how, double rounding, int n_rows, int n_features, double *x) {
    char origin[] = "t.csv";
    rl_dataset d = {.origin = origin, .n_rows = n_rows, .n_features = n_features, .x = x};
    return rl_standardize_features(how, rounding, &d);
}

static void standardize_has_known_values(void **state) {
    (void)state;
    static const double raw[] = {1, 1e200, 2, 2e200, 3, 3e200, 6, 6e200}, deviation[] = {-2, -1, 0, 3};
    static const struct {
        rl_standardize how;
        double shift, scale[2];
    } cases[] = {{RL_STANDARDIZE_CENTER, 0, {1, 1e200}},
                 {RL_STANDARDIZE_UNIT_NORM, 0, {0.26726124191242438468 /* 1/sqrt(14) */, 0.26726124191242438468}},
                 {RL_STANDARDIZE_Z_SCORE, 0, {0.53452248382484876937, 0.53452248382484876937}}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double x[8];
        memcpy(x, raw, sizeof x);
        assert_done(standardize(cases[k].how, RL_ROUNDING_OF_DOUBLES, 4, 2, x));
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 2; j++)
                assert_near(x[2 * i + j], deviation[i] * cases[k].scale[j], 8 * DBL_EPSILON * cases[k].scale[j]);
    }
    double x[8];
    memcpy(x, raw, sizeof x);
    assert_done(standardize(RL_STANDARDIZE_NONE, RL_ROUNDING_OF_DOUBLES, 4, 2, x));
    assert_memory_equal(x, raw, sizeof x);
}

static void standardize_refuses_constant_columns(void **state) {
    (void)state;
    double x[] = {1, 0.1, 2, 0.1, 3, 0.1};
    assert_refused(standardize(RL_STANDARDIZE_UNIT_NORM, RL_ROUNDING_OF_DOUBLES, 3, 2, x),
                   "t.csv: feature 2 is 0.1 in every row and cannot be scaled to unit norm");
    assert_refused(standardize(RL_STANDARDIZE_Z_SCORE, RL_ROUNDING_OF_DOUBLES, 3, 2, x), "to unit standard deviation");
}

/* Columns of three numbers that are one number but for the rounding of doubles, or of floats; and such that differ in
 * their last places because what they count does. */
static void standardize_knows_rounding(void **state) {
    (void)state;
    static const struct {
        double column[3];
        bool of_doubles, of_floats; /* constant */
    } cases[] = {
        {{0.1, 0.1, 0.1}, true, true},
        {{0.1 + 0.2, 0.3, 0.3}, true, true},      /* one unit in the last place: 2^-54 */
        {{-(0.1 + 0.2), -0.3, -0.3}, true, true}, /* signs do not matter */
        {{1e-300 * 3, 1e-300 + 1e-300 + 1e-300, 3e-300}, true, true},
        {{1e300 / 3 * 3, 1e300, 1e300}, true, true},
        {{0, 0, 0}, true, true},
        {{0x1.333334p-2, 0x1.333336p-2, 0x1.333334p-2}, false, true}, /* 0.3 as a float, and the next one */
        {{1e9, 1e9 + 7, 1e9 + 100}, false, true},                     /* floats near 1e9 are 64 apart */
        {{1e9 + 0.25, 1e9 + 7.5, 1e9 + 100}, false, true},
        {{1000000, 1000001, 1000002}, false, false},
        {{0, 5e-324, 0}, false, false},
        {{-1e-20, 0, 1e-20}, false, false},
        {{1, 1 + 0x1p-40, 1}, false, true},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (int floats = 0; floats < 2; floats++) {
            const double rounding = floats ? RL_ROUNDING_OF_FLOATS : RL_ROUNDING_OF_DOUBLES;
            const bool constant = floats ? cases[k].of_floats : cases[k].of_doubles;
            double x[3];
            memcpy(x, cases[k].column, sizeof x);
            assert_done(standardize(RL_STANDARDIZE_CENTER, rounding, 3, 1, x));
            assert_int_equal(x[0] == 0 && x[1] == 0 && x[2] == 0, constant);
            memcpy(x, cases[k].column, sizeof x);
            if (constant)
                assert_refused(standardize(RL_STANDARDIZE_Z_SCORE, rounding, 3, 1, x), "in every row");
            else
                assert_done(standardize(RL_STANDARDIZE_Z_SCORE, rounding, 3, 1, x));
        }
    double x[] = {0.1 + 0.2, 0.3};
    assert_refused(standardize(RL_STANDARDIZE_Z_SCORE, RL_ROUNDING_OF_DOUBLES, 2, 1, x),
                   "feature 1 is 0.3 in every row, but for rounding, and cannot be scaled");
}

/* ---- where files are looked for --------------------------------------------------------------------------------- */

/* Sets $RIDGELESS_DATA for one test and puts it back. */
static char *set_environment(const char *value) {
    const char *before = getenv("RIDGELESS_DATA");
    char *kept = before == NULL ? NULL : strdup(before);
    assert_int_equal(value == NULL ? unsetenv("RIDGELESS_DATA") : setenv("RIDGELESS_DATA", value, 1), 0);
    return kept;
}

static void restore_environment(char *kept) {
    free(set_environment(kept));
    free(kept);
}

static void data_path_is_in_order(void **state) {
    (void)state;
    char *kept = set_environment("/nowhere/environment");
    rl_data_path path;
    assert_done(rl_data_path_create(&path, "/nowhere/option"));
    assert_in_range(path.n_folders, 4, 5); /* the installed folders may be one and the same */
    assert_string_equal(path.folders[0], "/nowhere/option");
    assert_string_equal(path.folders[1], "/nowhere/environment");
    const char *beside = strstr(path.folders[2], "/share/ridgeless/data");
    assert_non_null(beside);
    assert_string_equal(beside, "/share/ridgeless/data");
    rl_data_path_destroy(&path);

    free(set_environment("/nowhere/option")); /* the same folder twice is looked in once */
    assert_done(rl_data_path_create(&path, "/nowhere/option"));
    assert_string_equal(path.folders[0], "/nowhere/option");
    assert_non_null(strstr(path.folders[1], "/share/ridgeless/data"));
    rl_data_path_destroy(&path);

    free(set_environment(""));
    assert_done(rl_data_path_create(&path, NULL));
    assert_non_null(strstr(path.folders[0], "/share/ridgeless/data"));
    rl_data_path_destroy(&path);
    restore_environment(kept);
}

static void data_path_finds_the_first_regular_file(void **state) {
    (void)state;
    char *kept = set_environment(folder);
    rl_data_path path;
    assert_done(rl_data_path_create(&path, "/nowhere"));
    write_text("here.csv", "1\n");
    char *found;
    assert_done(rl_data_path_find(&path, "here.csv", &found));
    assert_string_equal(found, path_of("here.csv"));
    rl_free(found);
    assert_refused(rl_data_path_find(&path, "absent.csv", &found), "absent.csv: not found in /nowhere, ");
    assert_message(folder);
    assert_message("jobs/data"); /* every folder is listed */
    assert_int_equal(mkdir(path_of("folder.csv"), 0700), 0);
    assert_refused(rl_data_path_find(&path, "folder.csv", &found), "folder.csv: not found");
    rl_data_path_destroy(&path);
    restore_environment(kept);
}

/* ---- sources ---------------------------------------------------------------------------------------------------- */

/* A study's data set that does not ship. When it is not in $RIDGELESS_DATA the test says so and is over: cmocka's
 * skip() prints `not ok`, which Meson takes for a failure. */
static bool load_published(const char *source, rl_dataset *dataset) {
    const char *data = getenv("RIDGELESS_DATA"), *file = rl_source_find(source)->files[0];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", data == NULL ? "" : data, file);
    if (data == NULL || access(path, R_OK) != 0) {
        print_message("# skipped: no %s in $RIDGELESS_DATA\n", file);
        return false;
    }
    *dataset = load_done((request){.source = source});
    assert_string_equal(dataset->origin, path);
    return true;
}

static void sources_are_complete(void **state) {
    (void)state;
    static const char *const names[] = {"student-teacher", "gaussian", "california", "diabetes", "who",
                                        "who-fixed",       "csv",      "netcdf",     "function", "sphere"};
    size_t n = 0;
    for (; rl_sources[n] != NULL; n++) {
        assert_string_equal(rl_sources[n]->name, names[n]);
        assert_ptr_equal(rl_source_find(names[n]), rl_sources[n]);
        assert_non_null(rl_sources[n]->summary);
        assert_true((rl_sources[n]->files == NULL) == (rl_sources[n]->how_to_get == NULL));
        for (int i = 0; i < rl_sources[n]->n_options; i++) assert_non_null(rl_sources[n]->options[i].help);
    }
    assert_int_equal(n, sizeof names / sizeof *names);
    assert_null(rl_source_find("iris"));
}

static void source_knows_whether_its_files_are_there(void **state) {
    (void)state;
    char *kept = set_environment(NULL);
    rl_data_path path;
    assert_done(rl_data_path_create(&path, folder));
    const char *missing = "";
    assert_true(rl_source_available(rl_source_find("student-teacher"), &path, &missing));
    assert_null(missing);
    assert_true(rl_source_available(rl_source_find("diabetes"), &path, &missing)); /* ships */
    unlink(path_of("life_expectancy_who_fixed.csv"));
    assert_false(rl_source_available(rl_source_find("who-fixed"), &path, &missing));
    assert_string_equal(missing, "life_expectancy_who_fixed.csv");
    rl_data_path_destroy(&path);
    restore_environment(kept);
}

/* |X_j . (y - X beta*)| for each column, in extended precision, against rounding's share of its largest possible
 * value. */
static void assert_least_squares(const rl_dataset *d) {
    const size_t n = (size_t)d->n_rows, p = (size_t)d->n_features;
    long double *residual = calloc(n, sizeof *residual), y_sq = 0;
    for (size_t i = 0; i < n; i++) {
        residual[i] = d->y[i];
        y_sq += residual[i] * residual[i];
        for (size_t j = 0; j < p; j++) residual[i] -= (long double)d->x[i * p + j] * d->beta_star[j];
    }
    for (size_t j = 0; j < p; j++) {
        long double dot = 0, column_sq = 0;
        for (size_t i = 0; i < n; i++) {
            dot += d->x[i * p + j] * residual[i];
            column_sq += (long double)d->x[i * p + j] * d->x[i * p + j];
        }
        /* the scaled condition numbers of all data sets here are below 100 */
        assert_near((double)dot, 0, 100 * DBL_EPSILON * sqrt((double)(column_sq * y_sq)));
    }
    free(residual);
}

/* diabetes: expected values are numpy's, for the X and y of scikit-learn's load_diabetes(scaled=True): X[0], X[441],
 * numpy.linalg.lstsq(X, y)[0] (which 200-bit arithmetic confirms to 2e-12 relative). */
static void diabetes_is_as_published(void **state) {
    (void)state;
    static const double first[] = {
        0.038075906433423026, 0.05068011873981862,  0.061696206518683294,  0.0218723855140367,   -0.04422349842444599,
        -0.03482076283769895, -0.04340084565202491, -0.002592261998183278, 0.019907486170462722, -0.01764612515980379};
    static const double last[] = {-0.045472477940023646, -0.044641636506989144, -0.07303030271641665,
                                  -0.08141314376144114,  0.08374011738825825,   0.027808929520208008,
                                  0.17381578478910462,   -0.03949338287409329,  -0.00422151393810765,
                                  0.0030644094143684884};
    static const double beta[] = {-10.009866299812039, -239.8156436724251, 519.8459200544339,  324.38464550232254,
                                  -792.1756385525391,  476.7390210055181,  101.04326793815122, 177.06323767135567,
                                  751.27369955724,     67.62669218370743};
    rl_dataset d = load_done((request){.source = "diabetes"});
    assert_int_equal(d.n_rows, 442);
    assert_int_equal(d.n_features, 10);
    assert_int_equal(d.n_dropped, 0);
    assert_false(d.fresh);
    assert_true(d.y[0] == 151 && d.y[1] == 75 && d.y[441] == 57);
    for (int j = 0; j < 10; j++) {
        assert_near(d.x[j], first[j], 1e-15);
        assert_near(d.x[4410 + j], last[j], 1e-15);
        assert_near(d.beta_star[j], beta[j], 1e-11 * fabs(beta[j]));
    }
    for (int j = 0; j < 10; j++) {
        long double sum = 0, squares = 0;
        for (int i = 0; i < 442; i++) {
            sum += d.x[10 * i + j];
            squares += (long double)d.x[10 * i + j] * d.x[10 * i + j];
        }
        assert_near((double)sum, 0, 442 * 16 * DBL_EPSILON); /* the mean is right to the roundings of one sum */
        assert_near((double)squares, 1, 1e-14);
    }
    assert_least_squares(&d);
    assert_non_null(strstr(d.origin, "diabetes_data_raw.csv.gz"));
    rl_dataset_destroy(&d);
}

static void diabetes_refuses_damaged_files(void **state) {
    (void)state;
    static const char row[] = "1 2 3 4 5 6 7 8 9 10\n2 3 5 4 9 7 8 1 0 11\n";
    const request r = {.source = "diabetes", .data = folder};
    write_gzip("diabetes_target.csv.gz", "1\n2\n3\n");
    write_gzip("diabetes_data_raw.csv.gz", "1 2 3\n");
    refuse(r, "diabetes_data_raw.csv.gz: 3 columns, expected 10");
    write_gzip("diabetes_data_raw.csv.gz", row);
    refuse(r, "diabetes_target.csv.gz: 3 rows, expected 2 as in");
    write_gzip("diabetes_target.csv.gz", "1\n?\n");
    refuse(r, "diabetes_target.csv.gz: 1 rows have a missing value, expected none");
    write_gzip("diabetes_target.csv.gz", "1 2\n2 3\n");
    refuse(r, "diabetes_target.csv.gz: 2 columns, expected 1");
    write_gzip("diabetes_target.csv.gz", "1\nx\n");
    refuse(r, "diabetes_target.csv.gz:2: column 1: `x` is not a number");
    write_text("diabetes_target.csv.gz", "");
    refuse(r, "diabetes_target.csv.gz: is empty");
    assert_int_equal(unlink(path_of("diabetes_target.csv.gz")), 0);
    assert_int_equal(unlink(path_of("diabetes_data_raw.csv.gz")), 0);
}

/* cal_housing.data, first row and (StatLib's) last: the features as scikit-learn's fetch_california_housing gives. */
static void assert_california_row(const double *x, double y) {
    static const double first[] = {8.3252, 41, 880.0 / 126, 129.0 / 126, 322, 322.0 / 126, 37.88, -122.23};
    assert_memory_equal(x, first, sizeof first);
    assert_near(y, 4.526, 4 * DBL_EPSILON);
}

static const char california_row[] =
    "-122.230000,37.880000,41.000000,880.000000,129.000000,322.000000,126.000000,8.325200,452600.000000\r\n";

static void california_derives_its_features(void **state) {
    (void)state;
    char text[512];
    snprintf(text, sizeof text, "%s-1,2,3,4,5,6,2,8,90000\n,2,3,4,5,6,7,8,9\n", california_row);
    write_text("cal_housing.data", text);
    rl_dataset d = load_done((request){.source = "california", .data = folder});
    assert_int_equal(d.n_rows, 2);
    assert_int_equal(d.n_features, 8);
    assert_int_equal(d.n_dropped, 1);
    assert_california_row(d.x, d.y[0]);
    static const double second[] = {8, 3, 2, 2.5, 6, 3, 2, -1};
    assert_memory_equal(d.x + 8, second, sizeof second);
    rl_dataset_destroy(&d);
    unlink(path_of("cal_housing.data"));
}

static void california_refuses_damaged_files(void **state) {
    (void)state;
    const request r = {.source = "california", .data = folder};
    write_text("cal_housing.data", "1,2,3,4,5,6,7,8\n");
    refuse(r, "cal_housing.data: 8 columns, expected the 9 of StatLib's");
    write_text("cal_housing.data", "1,2,3,4,5,6,7,8,9\n1,2,3,4,5,6,0,8,9\n");
    refuse(r, "cal_housing.data:2: column 7: 0 households, expected more than 0");
    write_text("cal_housing.data", "1,2,3,4,5,6,7,8,9\n1,2,3,4,5,6,x,8,9\n");
    refuse(r, "cal_housing.data:2: column 7: `x` is not a number");
    write_text("cal_housing.data", california_row);
    refuse(r, "1 row, expected at least 2");
    unlink(path_of("cal_housing.data"));
}

static void missing_file_says_how_to_get_it(void **state) {
    (void)state;
    char *kept = set_environment(NULL);
    refuse((request){.source = "california", .name = "houses", .data = folder},
           "dataset `houses`: cal_housing.data: not found in");
    assert_message("jobs/download-data.sh fetches it");
    refuse((request){.source = "who", .data = folder}, "life_expectancy_who_rajarshi.csv: not found in");
    refuse((request){.source = "who-fixed", .data = folder}, "https://www.kaggle.com/");
    restore_environment(kept);
}

static void california_is_as_published(void **state) {
    (void)state;
    rl_dataset d;
    if (!load_published("california", &d)) return;
    assert_int_equal(d.n_rows, 20640);
    assert_int_equal(d.n_features, 8);
    assert_int_equal(d.n_dropped, 0);
    assert_california_row(d.x, d.y[0]);
    static const double last[] = {2.3886, 16, 2785.0 / 530, 616.0 / 530, 1387, 1387.0 / 530, 39.37, -121.24};
    assert_memory_equal(d.x + (size_t)20639 * 8, last, sizeof last);
    assert_near(d.y[20639], 0.894, DBL_EPSILON);
    assert_least_squares(&d);
    rl_dataset_destroy(&d);
}

/* First and last of the complete rows of the file itself. */
static void who_is_as_published(void **state) {
    (void)state;
    static const double first[] = {263,  62, 0.01, 71.27962362, 65,       1154, 19.1, 83,  6,
                                   8.16, 65, 0.1,  584.25921,   33736494, 17.2, 17.3, 10.1};
    static const double last[] = {665, 24, 1.68, 0,           79,       1483, 25.5, 39, 78,
                                  7.1, 78, 43.5, 547.3588785, 12222251, 11,   11.2, 9.8};
    rl_dataset d;
    if (!load_published("who", &d)) return;
    assert_int_equal(d.n_rows, 1649);
    assert_int_equal(d.n_features, 17);
    assert_int_equal(d.n_dropped, 2938 - 1649);
    assert_memory_equal(d.x, first, sizeof first);
    assert_memory_equal(d.x + (size_t)1648 * 17, last, sizeof last);
    assert_true(d.y[0] == 65 && d.y[1648] == 46);
    assert_least_squares(&d);
    rl_dataset_destroy(&d);
}

static void who_fixed_is_as_published(void **state) {
    (void)state;
    static const double first[] = {11.1, 13,    105.824, 1.32, 97,  65,  27.8, 97, 97,
                                   0.08, 11006, 78.53,   4.9,  4.8, 7.8, 0,    1};
    static const double last[] = {2.1, 2.6, 50.5745, 6.84, 88, 90, 26.1, 95, 95, 0.05, 48934, 0.32, 0.9, 0.9, 11, 1, 0};
    rl_dataset d;
    if (!load_published("who-fixed", &d)) return;
    assert_int_equal(d.n_rows, 2864);
    assert_int_equal(d.n_features, 17);
    assert_int_equal(d.n_dropped, 0);
    assert_memory_equal(d.x, first, sizeof first);
    assert_memory_equal(d.x + (size_t)2863 * 17, last, sizeof last);
    assert_true(d.y[0] == 76.5 && d.y[2863] == 82.4);
    assert_least_squares(&d);
    rl_dataset_destroy(&d);
}

/* The header line of the file, stray blanks and all; rows with a missing value in any column, also one that is no
 * feature, are dropped. */
static void who_reads_columns_by_name(void **state) {
    (void)state;
    static const char header[] =
        "Country,Year,Status,Life expectancy ,Adult Mortality,infant deaths,Alcohol,percentage expenditure,Hepatitis "
        "B,Measles , BMI ,under-five deaths ,Polio,Total expenditure,Diphtheria , HIV/AIDS,GDP,Population, thinness  "
        "1-19 years, thinness 5-9 years,Income composition of resources,Schooling\n";
    static const char rows[] =
        "A,2015,Developing,60,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,0.5,17\n"
        "B,2015,Developing,61,2,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,,17\n"
        "\"C, D\",2015,Developed,62,3,1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,0.5,17\n";
    char text[2048];
    snprintf(text, sizeof text, "%s%s", header, rows);
    write_text("life_expectancy_who_rajarshi.csv", text);
    rl_dataset d = load_done((request){.source = "who", .data = folder});
    assert_int_equal(d.n_rows, 2);
    assert_int_equal(d.n_dropped, 1);
    for (int j = 0; j < 17; j++) assert_true(d.x[j] == j + 1);
    assert_true(d.x[17] == 3 && d.y[0] == 60 && d.y[1] == 62);
    rl_dataset_destroy(&d);

    *strstr(text, "GDP") = 'X';
    write_text("life_expectancy_who_rajarshi.csv", text);
    refuse((request){.source = "who", .data = folder},
           "no column `GDP`; did you mean `XDP`? expected one of `Country`, `Year`");
    write_text("life_expectancy_who_fixed.csv", text);
    refuse((request){.source = "who-fixed", .data = folder}, "no column `Infant_deaths`");
    unlink(path_of("life_expectancy_who_rajarshi.csv"));
    unlink(path_of("life_expectancy_who_fixed.csv"));
}

/* A source whose feature, or target, of the second row, as the name says, is not finite. */
static rl_status load_not_finite(const rl_source_request *asked, rl_dataset *dataset) {
    RL_TRY(rl_strdup(&dataset->origin, "made up"));
    dataset->n_rows = 2;
    dataset->n_features = 1;
    RL_TRY(RL_ALLOC(dataset->x, 2));
    RL_TRY(RL_ALLOC(dataset->y, 2));
    (strcmp(asked->name, "target") == 0 ? dataset->y : dataset->x)[1] = asked->seed == 0 ? NAN : -INFINITY;
    return RL_OK;
}

static void datasets_must_be_finite(void **state) {
    (void)state;
    const rl_source source = {.name = "not finite", .load = load_not_finite};
    rl_dataset dataset;
    for (uint64_t seed = 0; seed < 2; seed++) {
        assert_refused(rl_dataset_load(&source, &(rl_source_request){.name = "target", .seed = seed}, &dataset),
                       "dataset `target` (made up): the target of row 2 is not finite");
        assert_refused(rl_dataset_load(&source, &(rl_source_request){.name = "feature", .seed = seed}, &dataset),
                       "dataset `feature` (made up): feature 1 of row 2 is not finite");
        assert_null(dataset.x);
    }
}

/* ---- csv -------------------------------------------------------------------------------------------------------- */

static rl_dataset load_csv(const char *text, const setting *settings) {
    write_text("own.csv", text);
    return load_done((request){.source = "csv", .settings = settings, .base = folder});
}

static void refuse_csv(const char *text, const setting *settings, const char *message) {
    write_text("own.csv", text);
    refuse((request){.source = "csv", .settings = settings, .base = folder}, message);
}

static const char four_rows[] = "a,y,b\n1,10,2\n2,20,5\n3,30,1\n4,45,7\n";

static void csv_takes_all_columns_but_the_target(void **state) {
    (void)state;
    rl_dataset d = load_csv(four_rows, SETTINGS({"file", "own.csv"}, {"target", "y"}));
    assert_int_equal(d.n_rows, 4);
    assert_int_equal(d.n_features, 2);
    static const double x[] = {1, 2, 2, 5, 3, 1, 4, 7}, y[] = {10, 20, 30, 45};
    assert_memory_equal(d.x, x, sizeof x);
    assert_memory_equal(d.y, y, sizeof y);
    assert_string_equal(d.name, "csv");
    assert_string_equal(d.origin, path_of("own.csv"));
    assert_least_squares(&d);
    rl_dataset_destroy(&d);
}

static void csv_takes_chosen_columns(void **state) {
    (void)state;
    rl_dataset d = load_csv(four_rows, SETTINGS({"file", "own.csv"}, {"target", "1"}, {"features", "b|2"}));
    assert_int_equal(d.n_features, 2);
    static const double x[] = {2, 10, 5, 20, 1, 30, 7, 45}, y[] = {1, 2, 3, 4};
    assert_memory_equal(d.x, x, sizeof x);
    assert_memory_equal(d.y, y, sizeof y);
    rl_dataset_destroy(&d);

    d = load_csv("1;2\n\n3;5\n9; \n",
                 SETTINGS({"file", "own.csv"}, {"target", "2"}, {"header", "0"}, {"delimiter", "semicolon"}));
    assert_int_equal(d.n_rows, 2);
    assert_int_equal(d.n_dropped, 1);
    assert_true(d.x[1] == 3 && d.y[1] == 5);
    rl_dataset_destroy(&d);

    d = load_csv("1\t2\n3\t5\n", SETTINGS({"file", "own.csv"}, {"target", "1"}, {"header", "0"}, {"delimiter", "tab"}));
    assert_true(d.x[1] == 5);
    rl_dataset_destroy(&d);
    d = load_csv(" 1  2\n3 5\n",
                 SETTINGS({"file", "own.csv"}, {"target", "1"}, {"header", "0"}, {"delimiter", "space"}));
    assert_true(d.x[0] == 2);
    rl_dataset_destroy(&d);
}

/* The first row of its features is the list of the columns that are chosen. */
static void check_choice(const setting *settings, int n, const double *columns) {
    rl_dataset d = load_csv("a b,c,d\xc2\xa0 e,f,y,g\n1,2,3,4,5,6\n7,7,7,7,8,x\n", settings);
    assert_int_equal(d.n_features, n);
    assert_memory_equal(d.x, columns, (size_t)n * sizeof *columns);
    rl_dataset_destroy(&d);
}
#define CHOICE(columns, ...) \
    check_choice(SETTINGS({"file", "own.csv"}, {"target", "y"}, __VA_ARGS__), sizeof columns / sizeof(double), columns)

static void csv_takes_ranges_and_all_but_some(void **state) {
    (void)state;
    static const double all[] = {1, 2, 3, 4}, range[] = {2, 3, 4}, listed[] = {4, 1, 2}, but[] = {1, 4}, one[] = {3};
    CHOICE(all, {"except", "g"});
    CHOICE(all, {"features", "numeric"});
    CHOICE(all, {"features", "1-5"}); /* the target is passed over */
    CHOICE(range, {"features", "2-4"});
    CHOICE(listed, {"features", "f|1-2"});
    CHOICE(but, {"except", "2-3|g|y|g"});
    CHOICE(but, {"features", "1-4"}, {"except", "c|d e"});
    CHOICE(one, {"features", " d \te"}); /* blanks of any kind count alike */
    static const char *const wrong[] = {"2-7", "0-3", "3-2", "-3", "2-", "1-2-3", "2..3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char message[64];
        snprintf(message, sizeof message, "no column `%s`", wrong[i]);
        refuse_csv("a,b,c,d,e,y\n1,2,3,4,5,6\n", SETTINGS({"file", "own.csv"}, {"target", "y"}, {"except", wrong[i]}),
                   "key `except` (line 7): ");
        assert_message(message);
    }
    refuse_csv("a,b,y\n1,2,3\n", SETTINGS({"file", "own.csv"}, {"target", "y"}, {"except", "1-3"}),
               "no column is left besides the target");
    refuse_csv("a,b,y\nx,1y,3\n", SETTINGS({"file", "own.csv"}, {"target", "y"}, {"features", "numeric"}),
               "no column of numbers is left besides the target");
    rl_dataset d = load_csv("numeric,a,y,2-3\n1,2,3,4\n5,6,7,8\n",
                            SETTINGS({"file", "own.csv"}, {"target", "y"}, {"features", "numeric|2-3"}));
    assert_true(d.n_features == 2 && d.x[0] == 1 && d.x[1] == 4); /* names come first */
    rl_dataset_destroy(&d);
}

static void csv_names_its_features(void **state) {
    (void)state;
    char text[RL_FEATURE_TEXT];
    rl_dataset d = load_csv("a  b,c,,y\n1,2,3,4\n2,3,4,6\n", SETTINGS({"file", "own.csv"}, {"target", "y"}));
    assert_string_equal(rl_feature_text(&d, 0, text), "column `a b`");
    assert_string_equal(rl_feature_text(&d, 2, text), "column 3");
    rl_dataset_destroy(&d);
}

static void a_letter_of_another_script_is_named(void **state) {
    (void)state;
    refuse_csv("\xd0\xb0,y\n1,2\n3,4\n", SETTINGS({"file", "own.csv"}, {"target", "y"}, {"features", "a"}),
               "no column `a`; did you mean `\xd0\xb0`, which differs in U+0430?"); /* Cyrillic */
}

static void csv_standardizes(void **state) {
    (void)state;
    rl_dataset d = load_csv("a,y\n1,1\n2,2\n3,3\n6,4\n",
                            SETTINGS({"file", "own.csv"}, {"target", "y"}, {"standardize", "unit-norm"}));
    assert_near(d.x[3], 3 / sqrt(14), DBL_EPSILON);
    assert_true(d.y[3] == 4); /* the target is left alone */
    rl_dataset_destroy(&d);
    refuse_csv(
        "a,b,y\n1,5,1\n2,5,2\n", SETTINGS({"file", "own.csv"}, {"target", "y"}, {"standardize", "z-score"}),
        "own.csv: column `b` (feature 2) is 5 in every row and cannot be scaled to unit standard deviation; leave it "
        "out with `except: [b]`");
    refuse_csv(
        "a,0.1 + 0.2,y\n1,0.30000000000000004,1\n2,0.3,2\n",
        SETTINGS({"file", "own.csv"}, {"target", "y"}, {"standardize", "unit-norm"}),
        "own.csv: column `0.1 + 0.2` (feature 2) is 0.3 in every row, but for rounding, and cannot be scaled to unit "
        "norm; leave it out with `except: ['0.1 + 0.2']`");
    refuse_csv(
        "1,2,5\n3,4,5\n", SETTINGS({"file", "own.csv"}, {"target", "1"}, {"header", "0"}, {"standardize", "z-score"}),
        "own.csv: column 3 (feature 2) is 5 in every row and cannot be scaled to unit standard deviation; leave it "
        "out with `except: [3]`");
    refuse_csv("a,y\n1.7e308,1\n1.7e308,2\n1e308,2\n",
               SETTINGS({"file", "own.csv"}, {"target", "y"}, {"standardize", "center"}),
               "own.csv): column `a` of row 3 is -4.7e+307: singular values of such numbers overflow; expected at most "
               "1e+301");
}

static void csv_is_looked_for_in_order(void **state) {
    (void)state;
    char *kept = set_environment(NULL);
    write_text("own.csv", four_rows);
    const setting *settings = SETTINGS({"file", "own.csv"}, {"target", "y"});
    rl_dataset d = load_done((request){.source = "csv", .settings = settings, .data = folder, .base = "/nowhere"});
    assert_string_equal(d.origin, path_of("own.csv"));
    rl_dataset_destroy(&d);

    char absolute[256];
    snprintf(absolute, sizeof absolute, "%s", path_of("own.csv"));
    d = load_done((request){.source = "csv", .settings = SETTINGS({"file", absolute}, {"target", "y"})});
    assert_string_equal(d.origin, absolute);
    rl_dataset_destroy(&d);

    refuse((request){.source = "csv", .settings = settings, .base = "/nowhere"},
           "dataset `csv`: key `file` (line 7): own.csv: not found in");
    assert_message("nor beside the study file");
    refuse((request){.source = "csv", .settings = settings}, "key `file` (line 7): own.csv: not found in");
    refuse((request){.source = "csv", .settings = SETTINGS({"file", "/nowhere/own.csv"}, {"target", "y"})},
           "/nowhere/own.csv: cannot be read: No such file");
    restore_environment(kept);
}

static void csv_refuses_impossible_columns(void **state) {
    (void)state;
    refuse_csv(four_rows, SETTINGS({"file", "own.csv"}, {"target", "z"}), "dataset `csv`: key `target` (line 7): ");
    assert_message("own.csv: no column `z`; expected one of `a`, `y`, `b`");
    refuse_csv(four_rows, SETTINGS({"file", "own.csv"}, {"target", "y"}, {"features", "a|q"}),
               "key `features` (line 7): ");
    assert_message("no column `q`");
    refuse_csv(four_rows, SETTINGS({"file", "own.csv"}, {"target", "y"}, {"features", "a|y"}),
               "`y` is the target, expected other columns");
    refuse_csv(four_rows, SETTINGS({"file", "own.csv"}, {"target", "y"}, {"features", "a|2|b"}),
               "`2` is the target"); /* by its number */
    refuse_csv(four_rows, SETTINGS({"file", "own.csv"}, {"target", "y"}, {"features", "a|b|1|3|a"}),
               "`1` is named twice");
    refuse_csv(four_rows, SETTINGS({"file", "own.csv"}, {"target", "y"}, {"features", ""}),
               "key `features` (line 7): is empty, expected a column");
    refuse_csv("y\n1\n2\n", SETTINGS({"file", "own.csv"}, {"target", "y"}), "no column is left besides the target");
}

static void csv_refuses_bad_files(void **state) {
    (void)state;
    const setting *settings = SETTINGS({"file", "own.csv"}, {"target", "y"});
    refuse_csv("", settings, "own.csv: is empty");
    refuse_csv("a,y\n1\n", settings, "own.csv:2: a row of 1 cell");
    refuse_csv("a,y\n1,2\nx,3\n", settings,
               "own.csv:3: column `a`: `x` is not a number; `skip_lines: [3]` leaves the line out; `except: [a]` "
               "leaves the column out");
    refuse_csv("a,y\n1,2\n2,1e400\n", settings, "own.csv:3: column `y`: `1e400` is not");
    refuse_csv("a,y\n1,\n,2\n", settings, "own.csv: no row is left");
    refuse_csv("a,y\n1,2\n3,\n", settings, "own.csv): 1 row (1 with missing values left out), expected");
    assert_int_equal(unlink(path_of("own.csv")), 0);
    assert_int_equal(mkdir(path_of("own.csv"), 0700), 0);
    refuse((request){.source = "csv", .settings = settings, .base = folder}, "own.csv: is a directory");
    assert_int_equal(rmdir(path_of("own.csv")), 0);
}

/* ---- beta* ------------------------------------------------------------------------------------------------------ */

static void assert_beta_star(const char *text, int n, const double *expected, double scale) {
    rl_dataset d = load_csv(text, SETTINGS({"file", "own.csv"}, {"target", "y"}));
    assert_int_equal(d.n_features, n);
    for (int j = 0; j < n; j++) assert_near(d.beta_star[j], expected[j], 16 * DBL_EPSILON * scale);
    rl_dataset_destroy(&d);
}

/* Of all b with b1 + 1000 b2 = 3 the shortest is 3 (1, 1000) / 1000001. */
static void beta_star_is_the_shortest_of_many(void **state) {
    (void)state;
    assert_beta_star("a,b,y\n1,1000,3\n2,2000,6\n5,5000,15\n", 2, (const double[]){3 / 1000001.0, 3000 / 1000001.0},
                     1e-3);
    /* more features than rows: b = X^T (X X^T)^-1 y with X X^T = [[3, 1], [1, 5]], y = (3, 1): (1, 0) */
    assert_beta_star("a,b,c,y\n1,1,1,3\n2,0,-1,1\n", 3, (const double[]){1, 1, 1}, 1);
    assert_beta_star("a,b,c,y\n0,0,1,3\n0,0,2,6\n", 3, (const double[]){0, 0, 3}, 1);
    assert_beta_star("a,b,y\n0,0,3\n0,0,2\n", 2, (const double[]){0, 0}, 1); /* nothing to fit with */
}

static rl_dataset load_own(const char *text, rl_random_kind random) {
    write_text("own.csv", text);
    return load_done((request){
        .source = "csv", .settings = SETTINGS({"file", "own.csv"}, {"target", "y"}), .base = folder, .random = random});
}

/* Columns of lengths 1e-6 and 1e+6: the solution of y = a + b in units of them. */
static void beta_star_does_not_mind_units(void **state) {
    (void)state;
    rl_dataset d = load_own("a,b,y\n1e-6,2e6,3\n2e-6,-1e6,1\n0,3e6,3\n", RL_RANDOM_PHILOX);
    assert_near(d.beta_star[0] * 1e-6, 1, 16 * DBL_EPSILON);
    assert_near(d.beta_star[1] * 1e6, 1, 16 * DBL_EPSILON);
    assert_int_equal(d.rank, 2);
    rl_dataset_destroy(&d);
}

/* At 1e-150 and 1e+150 fits see one column alone, and so does beta*: least squares on b, whose product with y over its
 * own square is 14e150 / 14e300. */
static void beta_star_sees_what_fits_see(void **state) {
    (void)state;
    rl_dataset d = load_own("a,b,y\n1e-150,2e150,3\n2e-150,-1e150,1\n0,3e150,3\n", RL_RANDOM_PHILOX);
    assert_int_equal(d.rank, 1);
    assert_true(fabs(d.beta_star[0]) < 1e-160);
    assert_near(d.beta_star[1] * 1e150, 1, 16 * DBL_EPSILON);
    rl_dataset_destroy(&d);
}

/* ---- rank -------------------------------------------------------------------------------------------------------- */

/* Tables whose rank, in the units of their numbers, is plain to see; and where the threshold stands then. */
static void rank_is_that_of_all_rows(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int rank, threshold;
    } tables[] = {
        {"a,b,y\n1,0,1\n0,1,2\n1,1,3\n", 2, 2},
        {"a,b,c,y\n1,0,1,1\n0,1,1,2\n1,1,2,3\n2,1,3,5\n", 2, 2},          /* c = a + b */
        {"a,b,c,y\n1,0,3,1\n1,0,1,2\n0,1,2,3\n0,1,7,5\n1,0,5,4\n", 3, 3}, /* two dummies without a constant */
        {"k,a,b,y\n1,1,0,1\n1,1,0,2\n1,0,1,3\n1,0,1,5\n", 2, 2},          /* and with one */
        {"a,b,y\n1e9,2e-8,1\n-2e9,1e-8,2\n3e9,4e-8,3\n", 1, 1},           /* units far apart */
        {"a,b,y\n1,0,1\n0,1e-15,2\n", 2, 2},                              /* above 2 eps, which is 4.4e-16, and below */
        {"a,b,c,y\n1,0,0,1\n0,4e-16,0,2\n0,0,1,2\n", 2, 2},
        {"a,b,c,y\n1,0,2,1\n0,1,5,2\n", 2, 3}, /* few rows: nothing is known of more */
        {"a,b,c,y\n1,2,3,1\n2,4,6,2\n", 1, 1}, /* but these are dependent already */
        {"a,b,y\n0,0,1\n0,0,2\n", 0, 2},       /* nothing to fit with */
        {"a,b,c,y\n0.1,0.3,1,1\n0.2,0.6,2,2\n0.7,2.1,1,2\n0.3,0.9,5,4\n", 2, 2}, /* b = 3 a but for rounding */
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (rl_random_kind random = RL_RANDOM_PHILOX; random <= RL_RANDOM_NUMPY; random++) {
            rl_dataset d = load_own(tables[i].text, random);
            assert_int_equal(d.rank, tables[i].rank);
            assert_int_equal(rl_dataset_threshold(&d), tables[i].threshold);
            rl_dataset_destroy(&d);
        }
}

/* The normal equations of (0.1, 0.3) ... are singular but for rounding, so that dgesv solves them, into anything. The
 * shortest solution weights both alike: y = a + c is y = (a + 3 b) / 10 + c. */
static void published_beta_star_has_the_same_rank(void **state) {
    (void)state;
    rl_dataset d = load_own("a,b,c,y\n0.1,0.3,1,1.1\n0.2,0.6,2,2.2\n0.7,2.1,1,1.7\n0.3,0.9,5,5.3\n", RL_RANDOM_NUMPY);
    static const double expected[] = {0.1, 0.3, 1};
    for (int j = 0; j < 3; j++) assert_near(d.beta_star[j], expected[j], 1e-14);
    rl_dataset_destroy(&d);
}

static void assert_view_ranks(rl_dataset *d, const rl_feature_map *map, const rl_options *options, int n,
                              const int *expected) {
    rl_view_request requests[8];
    rl_dataset view;
    for (int i = 0; i < n; i++)
        requests[i] = (rl_view_request){.map = map, .options = options, .n_features = i + 1, .index = i};
    rl_free(d->view_ranks);
    assert_done(rl_dataset_find_ranks(d, requests, n, RL_RANDOM_PHILOX, 0));
    for (int i = 0; i < n; i++) {
        assert_done(rl_dataset_view(d, &requests[i], &view));
        assert_int_equal(view.rank, expected[i]);
    }
}

/* b is twice a, d is a + c. Polynomials of three different inputs have at most rank 3; their columns are all of them.
 */
static void views_have_ranks_of_their_own(void **state) {
    (void)state;
    rl_dataset d =
        load_own("a,b,c,d,e,y\n1,2,0,1,1,1\n0,0,1,1,0,2\n1,2,1,2,0,3\n2,4,1,3,2,5\n0,0,0,0,5,5\n1,2,2,3,1,1\n",
                 RL_RANDOM_PHILOX);
    assert_view_ranks(&d, NULL, NULL, 5, (const int[]){1, 1, 2, 2, 3});
    rl_dataset_destroy(&d);
    d = load_own("a,y\n0.5,1\n-0.5,2\n0.25,3\n0.5,4\n-0.5,5\n0.25,1\n", RL_RANDOM_PHILOX);
    assert_view_ranks(&d, rl_feature_map_find("legendre"), NULL, 5, (const int[]){1, 2, 3, 3, 3});
    rl_dataset_destroy(&d);
}

/* Fresh rows have the rank of their law: standard deviations j^-20, of which those above 1000 eps, 2.2e-13, count. */
static void fresh_rows_have_the_rank_of_their_law(void **state) {
    (void)state;
    rl_dataset d = load_done((request){.source = "student-teacher", .settings = SETTINGS({"draw", "fresh"})});
    assert_int_equal(d.rank, 20);
    rl_dataset_destroy(&d);
    d = load_done((request){.source = "student-teacher",
                            .settings = SETTINGS({"draw", "fresh"}, {"design", "power-law"}, {"exponent", "20"})});
    assert_int_equal(d.rank, 4);
    assert_int_equal(rl_dataset_threshold(&d), 4);
    rl_dataset_destroy(&d);
}

/* ---- beta* that there is not ------------------------------------------------------------------------------------- */

static void beta_star_must_be_finite(void **state) {
    (void)state;
    refuse_csv("a,y\n1e-300,1e150\n2e-300,1e150\n", SETTINGS({"file", "own.csv"}, {"target", "y"}),
               "targets of up to 1e+150 beside features of up to 2e-300: coefficients of such numbers overflow");
}

/* Squares of 1e160 and 1e-200 are no doubles; those of 1e150 and 1e-150 are (the largest is 1.8e308, the
 * least 2.2e-308).
 */
static void numbers_must_be_in_range(void **state) {
    (void)state;
    static const struct {
        const char *table, *refusal;
    } cases[] = {
        {"a,y\n1,1\n2,-1e160\n",
         "the target of row 2 is -1e+160: squared errors of such numbers overflow; expected at "
         "most 3e+150, in a larger unit"},
        {"a,y\n1,1e-200\n2,3e-200\n3,0\n",
         "the target of row 2 is 3e-200, and no other is larger: squared errors of "
         "such numbers underflow; expected at least 3e-151, in a smaller unit"},
        {"a,b,y\n1,2,1\n2,1e305,1\n", "column `b` of row 2 is 1e+305: singular values of such numbers overflow"},
        {"a,b,y\n0,5e-324,1\n0,0,1\n",
         "column `b` of row 1 is 4.9e-324, and no other is larger: singular values of such"},
        {"a,y\n1e300,1e-10\n2,1e-20\n",
         "targets of up to 1e-10 beside features of up to 1e+300: coefficients of such "
         "numbers underflow; expected units nearer to each other"},
        {"a,y\n1e-200,1e100\n2e-290,1\n",
         "targets of up to 1e+100 beside features of up to 1e-200: coefficients of such "
         "numbers overflow"},
        {"a,b,y\n1,5e-324,1\n1e300,1e-300,1\n", NULL},
        {"a,y\n1,1e150\n2,1e-150\n", NULL},
        {"a,y\n0,1e-150\n0,1e-200\n", NULL},
        {"a,y\n0,0\n0,0\n", NULL},
    };
    const setting *settings = SETTINGS({"file", "own.csv"}, {"target", "y"});
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        if (cases[k].refusal != NULL) {
            refuse_csv(cases[k].table, settings, cases[k].refusal);
        } else {
            rl_dataset d = load_csv(cases[k].table, settings);
            rl_dataset_destroy(&d);
        }
}

/* ---- gaussian ---------------------------------------------------------------------------------------------------- */

/* Principal axes of a diagonal covariance are the features themselves, the longer one first. */
static void gaussian_has_its_principal_axes(void **state) {
    (void)state;
    rl_dataset d = load_done(
        (request){.source = "gaussian", .settings = SETTINGS({"rows", "4000"}, {"covariance", "4|0|0|9"}), .seed = 7});
    double sums[3] = {0};
    assert_int_equal(d.n_features, 2);
    assert_true(d.deviations[0] == 3 && d.deviations[1] == 2);
    assert_true(d.axes[0] == 0 && d.axes[1] == 1 && d.axes[2] == 1 && d.axes[3] == 0);
    for (int i = 0; i < d.n_rows; i++) {
        const double a = d.x[2 * i], b = d.x[2 * i + 1];
        sums[0] += a * a / d.n_rows;
        sums[1] += b * b / d.n_rows;
        sums[2] += a * b / d.n_rows;
        assert_true(fabs(d.y[i] - a * d.beta_star[0] - b * d.beta_star[1]) < 1e-13 * (1 + fabs(a) + fabs(b)));
    }
    /* five standard deviations of the sample's own moments */
    assert_true(fabs(sums[0] - 4) < 5 * 4 * sqrt(2.0 / d.n_rows));
    assert_true(fabs(sums[1] - 9) < 5 * 9 * sqrt(2.0 / d.n_rows));
    assert_true(fabs(sums[2]) < 5 * 6 / sqrt(d.n_rows));
    rl_dataset_destroy(&d);
}

static void gaussian_refuses_what_is_no_covariance(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"1|0|0", "3 numbers; expected P x P of them"},
                                           {"1|x|x|1", "`x`; expected a number"},
                                           {"1|nan|nan|1", "`nan`; expected a number"},
                                           {"1|0.5|0.4|1", "expected a symmetric matrix"},
                                           {"1|2|2|1", "has the eigenvalue -1; expected a covariance"},
                                           {"0|0|0|0", "has the eigenvalue 0; expected a covariance"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse((request){.source = "gaussian", .settings = SETTINGS({"covariance", cases[i][0]})}, cases[i][1]);
}

/* ---- student-teacher -------------------------------------------------------------------------------------------- */

/* g = RandomState(0); X = g.randn(1000, 30); beta = g.randn(30); y = X @ beta (+ 0.5 g.randn(1000)) */
static void student_teacher_equals_numpy(void **state) {
    (void)state;
    rl_dataset d = load_done((request){.source = "student-teacher", .random = RL_RANDOM_NUMPY, .seed = 5});
    assert_int_equal(d.n_rows, 1000);
    assert_int_equal(d.n_features, 20);
    assert_int_equal(d.teacher.n_hidden, 30);
    assert_false(d.fresh);
    assert_true(d.x[0] == 1.764052345967664 && d.x[19] == -0.8540957393017248);
    assert_true(d.x[999 * 20 + 19] == 1.910297046712191);
    assert_true(d.teacher.beta[0] == 0x1.7c24477a197dep-2 && d.teacher.beta[29] == 0x1.66477cbcd5951p+0);
    assert_near(d.y[0], 5.770353388317057, 1e-14);
    assert_near(d.y[1], 3.410349254031755, 1e-14);
    assert_near(d.y[999], 5.3245952771347085, 1e-14);
    assert_non_null(strstr(d.origin, "numpy.random.RandomState(0)"));
    static const double beta[] = {0.4108198290018141, 0.44625526644872304, 0.48839987263117957}; /* lstsq's first */
    for (int j = 0; j < 3; j++) assert_near(d.beta_star[j], beta[j], 1e-13);
    assert_least_squares(&d);
    rl_dataset noisy = load_done(
        (request){.source = "student-teacher", .settings = SETTINGS({"noise", "0.5"}), .random = RL_RANDOM_NUMPY});
    assert_memory_equal(noisy.x, d.x, 20000 * sizeof(double));
    assert_near(noisy.y[0], 5.0336661580392175, 1e-14);
    assert_near(noisy.y[999], 5.7828176180088775, 1e-14);
    rl_dataset_destroy(&noisy);
    rl_dataset_destroy(&d);
}

/* The pool is what the keyed streams of random.h say, entry by entry. */
static void student_teacher_is_drawn_by_philox(void **state) {
    (void)state;
    rl_dataset d = load_done((request){
        .source = "student-teacher",
        .name = "mine",
        .seed = 11,
        .settings = SETTINGS({"rows", "50"}, {"features", "70"}, {"hidden_features", "130"}, {"noise", "2"})});
    const rl_key key = rl_key_make(11, "mine");
    assert_int_equal(d.n_rows, 50);
    for (uint32_t i = 0; i < 50; i++) {
        double y = 2 * rl_philox_normal(key, RL_STREAM_NOISE, 0, i, 0);
        for (uint32_t j = 0; j < 130; j++) {
            const double x = rl_philox_normal(key, RL_STREAM_FEATURES, 0, i, j);
            if (j < 70) assert_true(d.x[i * 70 + j] == x);
            y += x * d.teacher.beta[j];
        }
        assert_near(d.y[i], y, 1e-13);
    }
    for (uint32_t j = 0; j < 130; j++)
        assert_true(d.teacher.beta[j] == rl_philox_normal(key, RL_STREAM_TEACHER, 0, 0, j));
    rl_dataset_destroy(&d);
}

/* Each feature is the isotropic one times its standard deviation, and a sparse teacher is the dense one thinned. */
static void student_teacher_has_designs(void **state) {
    (void)state;
    const setting *const settings[] = {
        SETTINGS({"features", "6"}, {"hidden_features", "8"}, {"rows", "20"}),
        SETTINGS({"features", "6"}, {"hidden_features", "8"}, {"rows", "20"}, {"design", "power-law"},
                 {"exponent", "0.5"}),
        SETTINGS({"features", "6"}, {"hidden_features", "8"}, {"rows", "20"}, {"design", "spiked"}, {"spikes", "2"},
                 {"spike_scale", "4"}),
        SETTINGS({"features", "6"}, {"hidden_features", "8"}, {"rows", "20"}, {"teacher_nonzeros", "3"})};
    rl_dataset d[4];
    int nonzeros = 0;
    for (int i = 0; i < 4; i++)
        d[i] = load_done((request){.source = "student-teacher", .name = "same", .settings = settings[i], .seed = 3});
    for (int i = 0; i < 20 * 6; i++) {
        assert_near(d[1].x[i], d[0].x[i] / sqrt(i % 6 + 1), 4 * DBL_EPSILON * fabs(d[0].x[i]));
        assert_true(d[2].x[i] == d[0].x[i] * (i % 6 < 2 ? 4 : 1));
        assert_true(d[3].x[i] == d[0].x[i]);
    }
    for (int j = 0; j < 8; j++) {
        assert_true(d[1].teacher.beta[j] == d[0].teacher.beta[j] && d[2].teacher.beta[j] == d[0].teacher.beta[j]);
        assert_true(d[3].teacher.beta[j] == 0 || d[3].teacher.beta[j] == d[0].teacher.beta[j]);
        nonzeros += d[3].teacher.beta[j] != 0;
    }
    assert_int_equal(nonzeros, 3);
    const double *beta = d[1].teacher.beta; /* variances 1/7 and 1/8 of the features that the student does not see */
    assert_near(rl_dataset_residual_variance(&d[1]), beta[6] * beta[6] / 7 + beta[7] * beta[7] / 8, 1e-15);
    for (int i = 0; i < 4; i++) rl_dataset_destroy(&d[i]);
    refuse(
        (request){.source = "student-teacher", .settings = SETTINGS({"design", "spiked"}), .random = RL_RANDOM_NUMPY},
        "key `design` (line 7): needs `random: philox`");
    refuse(
        (request){
            .source = "student-teacher", .settings = SETTINGS({"teacher_nonzeros", "2"}), .random = RL_RANDOM_NUMPY},
        "key `teacher_nonzeros` (line 7): needs `random: philox`");
}

static void scales_are_those_of_the_lists(void **state) {
    (void)state;
    static const double expected[] = {9, 9, 2.5, 2.5, 2.5, 0.25};
    int steps[RL_MOST_STEPS];
    rl_dataset d = load_done(
        (request){.source = "student-teacher",
                  .settings = SETTINGS({"features", "6"}, {"hidden_features", "6"}, {"rows", "20"},
                                       {"design", "scales"}, {"scales", "9|2.5|0.25"}, {"scale_features", "2|3|1"})});
    for (int j = 0; j < 6; j++) assert_true(d.teacher.scale[j] == expected[j]);
    assert_int_equal(rl_dataset_steps(&d, steps), 2);
    assert_true(steps[0] == 2 && steps[1] == 5);
    rl_dataset weighed = load_done((request){
        .source = "student-teacher",
        .settings = SETTINGS({"features", "6"}, {"hidden_features", "6"}, {"rows", "20"}, {"design", "scales"},
                             {"scales", "9|2.5|0.25"}, {"scale_features", "2|3|1"}, {"scale_weights", "1|8|0.5"})});
    for (int j = 0; j < 6; j++)
        assert_true(weighed.teacher.beta[j] == d.teacher.beta[j] * (j < 2 ? 1 : j < 5 ? 8 : 0.5));
    rl_dataset_destroy(&weighed);
    rl_dataset_destroy(&d);
#define SCALES(scales, counts)             \
    (request){.source = "student-teacher", \
              .settings = SETTINGS({"design", "scales"}, {"scales", scales}, {"scale_features", counts})}
    refuse(SCALES("9|1", "30"), "key `scale_features` (line 7): `design: scales` needs `scales` and `scale_features`");
    refuse(SCALES("9|x", "10|20"), "key `scales` (line 7): `x`; expected numbers above 0");
    refuse(SCALES("9|1", "10|0"), "key `scale_features` (line 7): `0`; expected numbers above 0");
    refuse(SCALES("9|1", "10.5|19.5"), "expected whole numbers");
    refuse(SCALES("9|1", "10|19"), "they add up to 29; expected the 30 of `hidden_features`");
    refuse((request){.source = "student-teacher",
                     .settings = SETTINGS({"design", "scales"}, {"scales", "9|1"}, {"scale_features", "10|20"},
                                          {"scale_weights", "1"})},
           "key `scale_weights` (line 7): 1 numbers; expected one for each of the 2 `scales`");
    refuse((request){.source = "student-teacher", .settings = SETTINGS({"design", "scales"})},
           "key `scales`: `design: scales` needs");
}

static void student_teacher_refuses_the_impossible(void **state) {
    (void)state;
    refuse((request){.source = "student-teacher", .settings = SETTINGS({"features", "31"})},
           "key `features` (line 7): 31 is more than the 30 of `hidden_features`");
    refuse((request){.source = "student-teacher", .settings = SETTINGS({"hidden_features", "10"})},
           "dataset `student-teacher`: key `features`: 20 is more than the 10"); /* a default has no line */
    refuse((request){.source = "student-teacher", .settings = SETTINGS({"draw", "fresh"}), .random = RL_RANDOM_NUMPY},
           "key `draw` (line 7): `fresh` rows need `random: philox`");
}

static void checksum_tells_data_apart(void **state) {
    (void)state;
    static const setting variations[][2] = {
        {{NULL, NULL}}, {{"rows", "999"}}, {{"features", "19"}}, {{"noise", "1"}}, {{"draw", "fresh"}}};
    enum { N = sizeof variations / sizeof *variations };
    uint64_t sums[2 * N + 1];
    for (int i = 0; i < 2 * N + 1; i++) {
        rl_dataset d = load_done((request){.source = "student-teacher",
                                           .settings = variations[i % N],
                                           .seed = (uint64_t)(i / N)}); /* the last one is repeated below */
        sums[i] = d.checksum;
        rl_dataset_destroy(&d);
        for (int j = 0; j < i; j++) assert_true(sums[i] != sums[j]);
    }
    rl_dataset d = load_done((request){.source = "student-teacher"});
    assert_true(d.checksum == sums[0]);
    rl_dataset_destroy(&d);
    rl_dataset fresh[4];
    for (int i = 0; i < 4; i++)
        fresh[i] = load_done((request){.source = "student-teacher",
                                       .settings = SETTINGS({"draw", "fresh"}, {"noise", i == 0 ? "0.5" : "0.25"},
                                                            {"features", i < 3 ? "20" : "19"}),
                                       .intercept = i >= 2});
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++) assert_true(fresh[i].checksum != fresh[j].checksum);
    assert_true(fresh[1].n_features == 20 && fresh[3].n_features == 20); /* the ones are one of the latter */
    for (int i = 0; i < 4; i++) rl_dataset_destroy(&fresh[i]);
}

/* ---- the rows of a repeat --------------------------------------------------------------------------------------- */

static void get_all(const rl_rows *rows, double *x, double *y) {
    rl_rows_get(rows, 0, rows->dataset->n_rows, x, rows->dataset->n_features, y);
}

static void rows_are_permuted(void **state) {
    (void)state;
    static const rl_random_kind kinds[] = {RL_RANDOM_PHILOX, RL_RANDOM_NUMPY};
    rl_dataset d = load_done((request){.source = "diabetes"});
    for (int k = 0; k < 2; k++) {
        rl_rows rows;
        assert_done(rl_rows_create(&rows, &d, kinds[k], 3));
        int before[442] = {0};
        for (uint32_t repeat = 0; repeat < 5; repeat++) {
            assert_done(rl_rows_arrange(&rows, repeat));
            bool seen[442] = {false};
            for (int i = 0; i < 442; i++) {
                assert_in_range(rows.order[i], 0, 441);
                assert_false(seen[rows.order[i]]);
                seen[rows.order[i]] = true;
            }
            assert_memory_not_equal(rows.order, before, sizeof before);
            memcpy(before, rows.order, sizeof before);
            double x[442 * 10], y[442];
            get_all(&rows, x, y);
            for (int i = 0; i < 442; i++) {
                assert_memory_equal(x + 10 * i, d.x + 10 * rows.order[i], 10 * sizeof *x);
                assert_true(y[i] == d.y[rows.order[i]]);
            }
        }
        rl_rows_destroy(&rows);
    }
    rl_dataset_destroy(&d);
}

/* RandomState(7).permutation(442) ends in 25, 196, 175 and begins with 351, 109: the published training set of size 3
 * is its last three entries. */
static void numpy_rows_are_the_published_split(void **state) {
    (void)state;
    rl_dataset d = load_done((request){.source = "diabetes"});
    rl_rows rows;
    assert_done(rl_rows_create(&rows, &d, RL_RANDOM_NUMPY, 99)); /* the study's seed does not matter */
    assert_done(rl_rows_arrange(&rows, 7));
    assert_int_equal(rows.order[0], 175);
    assert_int_equal(rows.order[1], 196);
    assert_int_equal(rows.order[2], 25);
    assert_int_equal(rows.order[440], 109);
    assert_int_equal(rows.order[441], 351);
    rl_rows_destroy(&rows);
    rl_dataset_destroy(&d);
}

static void first_rows_come_in_the_same_order_alone(void **state) {
    (void)state;
    static const rl_random_kind kinds[] = {RL_RANDOM_PHILOX, RL_RANDOM_NUMPY};
    static const int counts[] = {0, 1, 39, 221, 300, 441, 442};
    rl_dataset d = load_done((request){.source = "diabetes"});
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            rl_rows all, some;
            bool seen[442] = {false};
            assert_done(rl_rows_create(&all, &d, kinds[k], 0));
            assert_done(rl_rows_create(&some, &d, kinds[k], 0));
            assert_done(rl_rows_arrange(&all, 5));
            rl_rows_arrange_first(&some, 5, counts[i]);
            assert_memory_equal(some.order, all.order, (size_t)counts[i] * sizeof *all.order);
            for (int j = 0; j < 442; j++) seen[some.order[j]] = true;
            for (int j = 0; j < 442; j++) assert_true(seen[j]);
            rl_rows_destroy(&all);
            rl_rows_destroy(&some);
        }
    rl_dataset_destroy(&d);
}

static void philox_rows_are_keyed_by_seed_and_name(void **state) {
    (void)state;
    rl_dataset d = load_done((request){.source = "diabetes"}),
               other = load_done((request){.source = "diabetes", .name = "b"});
    int expected[442], from_the_end[442];
    rl_philox_permutation(rl_key_make(3, "diabetes"), 4, 442, 442, from_the_end);
    for (int i = 0; i < 442; i++) expected[i] = from_the_end[441 - i];
    rl_rows rows;
    assert_done(rl_rows_create(&rows, &d, RL_RANDOM_PHILOX, 3));
    assert_done(rl_rows_arrange(&rows, 4));
    assert_memory_equal(rows.order, expected, sizeof expected);
    rl_rows_destroy(&rows);
    assert_done(rl_rows_create(&rows, &d, RL_RANDOM_PHILOX, 2));
    assert_done(rl_rows_arrange(&rows, 4));
    assert_memory_not_equal(rows.order, expected, sizeof expected);
    rl_rows_destroy(&rows);
    assert_done(rl_rows_create(&rows, &other, RL_RANDOM_PHILOX, 3));
    assert_done(rl_rows_arrange(&rows, 4));
    assert_memory_not_equal(rows.order, expected, sizeof expected);
    rl_rows_destroy(&rows);
    rl_dataset_destroy(&d);
    rl_dataset_destroy(&other);
}

/* Pool and fresh rows alike: whatever was arranged before, and however the rows are asked for. */
static void rows_do_not_depend_on_the_order_of_calls(void **state) {
    (void)state;
    static const char *const draws[] = {"pool", "fresh"};
    for (int k = 0; k < 2; k++) {
        rl_dataset d = load_done(
            (request){.source = "student-teacher",
                      .settings = SETTINGS({"rows", "30"}, {"features", "4"}, {"noise", "1"}, {"draw", draws[k]})});
        rl_rows rows;
        assert_done(rl_rows_create(&rows, &d, RL_RANDOM_PHILOX, 0));
        double x[120], y[30], once_more_x[120], once_more_y[30];
        assert_done(rl_rows_arrange(&rows, 6));
        get_all(&rows, x, y);
        assert_done(rl_rows_arrange(&rows, 2));
        get_all(&rows, once_more_x, once_more_y);
        assert_memory_not_equal(x, once_more_x, sizeof x);
        assert_done(rl_rows_arrange(&rows, 6));
        for (int first = 27; first >= 0; first -= 3)
            rl_rows_get(&rows, first, 3, once_more_x + 4 * first, 4, once_more_y + first);
        assert_memory_equal(x, once_more_x, sizeof x);
        assert_memory_equal(y, once_more_y, sizeof y);

        double wide[14]; /* leading dimension 7: what lies between rows is left alone */
        for (int j = 0; j < 14; j++) wide[j] = -1;
        rl_rows_get(&rows, 28, 2, wide, 7, once_more_y);
        assert_memory_equal(wide, x + 4 * 28, 4 * sizeof *x);
        assert_memory_equal(wide + 7, x + 4 * 29, 4 * sizeof *x);
        for (int j = 4; j < 7; j++) assert_true(wide[j] == -1 && wide[7 + j] == -1);
        rl_rows_destroy(&rows);
        rl_dataset_destroy(&d);
    }
}

static void fresh_rows_follow_the_teacher(void **state) {
    (void)state;
    rl_dataset d = load_done((request){
        .source = "student-teacher",
        .seed = 4,
        .settings = SETTINGS({"rows", "40"}, {"features", "10"}, {"hidden_features", "10"}, {"draw", "fresh"})});
    assert_true(d.fresh);
    assert_null(d.x);
    assert_null(d.y);
    assert_memory_equal(d.beta_star, d.teacher.beta, 10 * sizeof(double));
    rl_rows rows;
    assert_done(rl_rows_create(&rows, &d, RL_RANDOM_PHILOX, 4));
    assert_done(rl_rows_arrange(&rows, 1));
    double x[400], y[40];
    get_all(&rows, x, y);
    for (int i = 0; i < 40; i++) { /* the student sees all, no noise: y is linear in x */
        double sum = 0;
        for (int j = 0; j < 10; j++) sum += x[10 * i + j] * d.teacher.beta[j];
        assert_near(y[i], sum, 1e-13);
        assert_true(x[10 * i + 3] == rl_philox_normal(rows.key, RL_STREAM_FEATURES, 1, (uint32_t)i, 3));
    }
    rl_rows_destroy(&rows);
    rl_dataset_destroy(&d);
}

/* The variance of y - x . beta over 20000 fresh rows is chi-squared: within 4 of its standard deviations, sqrt(2 / n)
 * of it. */
static void residual_variance_is_what_the_student_cannot_see(void **state) {
    (void)state;
    enum { ROWS = 20000, P = 5 };
    rl_dataset d =
        load_done((request){.source = "student-teacher",
                            .settings = SETTINGS({"rows", "20000"}, {"features", "5"}, {"hidden_features", "8"},
                                                 {"noise", "0.7"}, {"draw", "fresh"})});
    double expected = 0.7 * 0.7;
    for (int j = P; j < 8; j++) expected += d.teacher.beta[j] * d.teacher.beta[j];
    assert_near(rl_dataset_residual_variance(&d), expected, 1e-15 * expected);
    rl_rows rows;
    assert_done(rl_rows_create(&rows, &d, RL_RANDOM_PHILOX, 0));
    static double x[ROWS * P], y[ROWS];
    get_all(&rows, x, y);
    double squares = 0;
    for (int i = 0; i < ROWS; i++) {
        double residual = y[i];
        for (int j = 0; j < P; j++) residual -= x[P * i + j] * d.beta_star[j];
        squares += residual * residual;
    }
    assert_near(squares / ROWS, expected, 4 * sqrt(2.0 / ROWS) * expected);
    rl_rows_destroy(&rows);
    rl_dataset_destroy(&d);
}

/* A 1 before the features of the same rows, in the law of the population too, and an offset of 0. */
static void fresh_rows_have_an_intercept(void **state) {
    (void)state;
    enum { ROWS = 9, P = 5 };
    const setting *settings = SETTINGS({"rows", "9"}, {"features", "5"}, {"hidden_features", "8"}, {"noise", "0.7"},
                                       {"draw", "fresh"}, {"design", "power-law"});
    rl_dataset d[2];
    rl_rows rows[2];
    double x[2][ROWS * (P + 1)], y[2][ROWS];
    for (int i = 0; i < 2; i++) {
        d[i] = load_done((request){.source = "student-teacher", .settings = settings, .intercept = i == 1});
        assert_int_equal(d[i].n_features, P + i);
        assert_int_equal(d[i].n_inputs, P);
        assert_done(rl_rows_create(&rows[i], &d[i], RL_RANDOM_PHILOX, 0));
        assert_done(rl_rows_arrange(&rows[i], 3));
        get_all(&rows[i], x[i], y[i]);
    }
    assert_memory_equal(y[1], y[0], sizeof y[0]);
    for (int i = 0; i < ROWS; i++) {
        assert_true(x[1][i * (P + 1)] == 1);
        assert_memory_equal(x[1] + i * (P + 1) + 1, x[0] + i * P, sizeof(double) * P);
    }
    assert_true(rl_dataset_residual_variance(&d[1]) == rl_dataset_residual_variance(&d[0]));
    assert_true(d[1].beta_star[0] == 0 && rl_dataset_scale(&d[1])[0] == 1);
    assert_memory_equal(d[1].beta_star + 1, d[0].beta_star, sizeof(double) * P);
    assert_memory_equal(rl_dataset_scale(&d[1]) + 1, rl_dataset_scale(&d[0]), sizeof(double) * P);
    rl_dataset view;
    assert_done(rl_dataset_view(&d[1], &(rl_view_request){.n_features = 2}, &view));
    assert_true(view.n_features == 3 && view.n_inputs == 2 && view.intercept && view.beta_star[0] == 0);
    for (int i = 0; i < 2; i++) {
        rl_rows_destroy(&rows[i]);
        rl_dataset_destroy(&d[i]);
    }
}

/* Standardizing would refuse the ones; they come after it. */
static void standardize_leaves_an_intercept_alone(void **state) {
    (void)state;
    write_text("ones.csv", "a,b,y\n1,2,3\n2,1,2\n4,6,5\n7,9,1\n");
    rl_dataset d[2];
    for (int i = 0; i < 2; i++)
        d[i] =
            load_done((request){.source = "csv",
                                .settings = SETTINGS({"file", "ones.csv"}, {"target", "y"}, {"standardize", "z-score"}),
                                .base = folder,
                                .intercept = i == 1});
    for (int i = 0; i < 4; i++) {
        assert_true(d[1].x[i * 3] == 1);
        assert_memory_equal(d[1].x + i * 3 + 1, d[0].x + i * 2, 2 * sizeof(double));
    }
    assert_near(d[1].beta_star[0], 2.75, 1e-14); /* the targets' mean, as the features' means are 0 */
    for (int i = 0; i < 2; i++) rl_dataset_destroy(&d[i]);
}

static rl_target_moments moments_of(const rl_dataset *d, int n_repeats) {
    rl_target_moments m;
    assert_done(rl_dataset_target_moments(d, 5, n_repeats, &m));
    return m;
}

/* The mean square and the variance of many targets, for their sample or their law. */
static void assert_moments(rl_target_moments m, size_t n, const double *y, double relative, const char *of) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += y[i];
    for (size_t i = 0; i < n; i++) squares += (y[i] - sum / (double)n) * (y[i] - sum / (double)n);
    const double mean = sum / (double)n, variance = squares / (double)n;
    assert_near(m.variance, variance, relative * variance);
    assert_near(m.mean_square, variance + mean * mean, relative * (variance + mean * mean));
    assert_string_equal(m.of, of);
}

static void targets_of_a_table_cost_what_all_rows_say(void **state) {
    (void)state;
    rl_dataset d = load_done((request){.source = "diabetes"});
    assert_moments(moments_of(&d, 3), 442, d.y, 1e-13, "of all rows");
    rl_dataset_destroy(&d);
}

/* Of 20000 normal targets the sample's mean square is within 5 standard deviations, sqrt(2 / n) of it. */
static void targets_of_a_teacher_cost_what_the_population_says(void **state) {
    (void)state;
    enum { ROWS = 20000 };
    static double x[ROWS * 5], y[ROWS];
    const request requests[] = {
        {.source = "student-teacher",
         .settings = SETTINGS({"rows", "20000"}, {"features", "5"}, {"hidden_features", "8"}, {"noise", "0.7"},
                              {"draw", "fresh"}, {"design", "power-law"})},
        {.source = "sphere", .settings = SETTINGS({"rows", "20000"}, {"inputs", "5"}, {"noise", "0.7"})},
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        rl_dataset d = load_done(requests[i]);
        rl_rows rows;
        assert_true(d.fresh && d.n_features == 5);
        assert_done(rl_rows_create(&rows, &d, RL_RANDOM_PHILOX, 5));
        get_all(&rows, x, y);
        assert_moments(moments_of(&d, 3), ROWS, y, 5 * sqrt(2.0 / ROWS), "of the population");
        rl_rows_destroy(&rows);
        rl_dataset_destroy(&d);
    }
}

/* e^x on [-1, 1]: its mean square is (e^2 - e^-2) / 4, its mean (e - 1/e) / 2; 10001 equispaced points are within 1e-3.
 */
static void targets_of_a_function_cost_what_its_test_points_say(void **state) {
    (void)state;
    const double square = (exp(2) - exp(-2)) / 4, mean = (exp(1) - exp(-1)) / 2, variance = square - mean * mean;
    rl_dataset d = load_done(
        (request){.source = "function",
                  .settings = SETTINGS({"function", "exponential"}, {"test_points", "10001"}, {"rows", "9"})});
    const rl_target_moments m = moments_of(&d, 3);
    assert_near(m.mean_square, square, 1e-3 * square);
    assert_near(m.variance, variance, 1e-3 * variance);
    assert_string_equal(m.of, "of the rows that are test rows at any N");
    rl_dataset_destroy(&d);
}

static void targets_without_test_points_cost_what_all_repeats_say(void **state) {
    (void)state;
    rl_dataset d = load_done(
        (request){.source = "function", .settings = SETTINGS({"test_points", "0"}, {"rows", "9"}, {"noise", "0.5"})});
    rl_rows rows;
    double x[9], y[4 * 9];
    assert_done(rl_rows_create(&rows, &d, RL_RANDOM_PHILOX, 5));
    for (uint32_t r = 0; r < 4; r++) {
        assert_done(rl_rows_arrange(&rows, r));
        get_all(&rows, x, y + (size_t)r * 9);
    }
    assert_moments(moments_of(&d, 4), sizeof y / sizeof *y, y, 1e-13, "of the rows of all repeats");
    rl_rows_destroy(&rows);
    rl_dataset_destroy(&d);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(targets_of_a_table_cost_what_all_rows_say),
    cmocka_unit_test(targets_of_a_teacher_cost_what_the_population_says),
    cmocka_unit_test(targets_of_a_function_cost_what_its_test_points_say),
    cmocka_unit_test(targets_without_test_points_cost_what_all_repeats_say),
    cmocka_unit_test(table_has_header_cells_and_lines),
    cmocka_unit_test(table_reads_quotes),
    cmocka_unit_test(table_reads_line_ends_and_byte_order_mark),
    cmocka_unit_test(table_reads_other_delimiters),
    cmocka_unit_test(table_reads_gzip),
    cmocka_unit_test(table_reads_long_files),
    cmocka_unit_test(table_refuses_what_is_no_file),
    cmocka_unit_test(table_reports_failed_reads),
    cmocka_unit_test(table_refuses_empty_files),
    cmocka_unit_test(table_refuses_ragged_rows),
    cmocka_unit_test(table_refuses_binary),
    cmocka_unit_test(table_takes_quotes_within_cells),
    cmocka_unit_test(table_refuses_damaged_gzip),
    cmocka_unit_test(table_refuses_more_than_the_limit),
    cmocka_unit_test(column_is_found_by_name_or_number),
    cmocka_unit_test(a_table_of_any_format_is_read),
    cmocka_unit_test(columns_are_described),
    cmocka_unit_test(numbers_drop_rows_with_missing_values),
    cmocka_unit_test(numbers_have_marks),
    cmocka_unit_test(numbers_refuse_what_is_not_finite),
    cmocka_unit_test(numbers_refuse_when_no_row_is_left),
    cmocka_unit_test(standardize_has_known_values),
    cmocka_unit_test(standardize_refuses_constant_columns),
    cmocka_unit_test(standardize_knows_rounding),
    cmocka_unit_test(data_path_is_in_order),
    cmocka_unit_test(data_path_finds_the_first_regular_file),
    cmocka_unit_test(sources_are_complete),
    cmocka_unit_test(source_knows_whether_its_files_are_there),
    cmocka_unit_test(diabetes_is_as_published),
    cmocka_unit_test(diabetes_refuses_damaged_files),
    cmocka_unit_test(california_derives_its_features),
    cmocka_unit_test(california_refuses_damaged_files),
    cmocka_unit_test(california_is_as_published),
    cmocka_unit_test(who_is_as_published),
    cmocka_unit_test(who_fixed_is_as_published),
    cmocka_unit_test(who_reads_columns_by_name),
    cmocka_unit_test(missing_file_says_how_to_get_it),
    cmocka_unit_test(datasets_must_be_finite),
    cmocka_unit_test(numbers_must_be_in_range),
    cmocka_unit_test(csv_takes_all_columns_but_the_target),
    cmocka_unit_test(csv_takes_chosen_columns),
    cmocka_unit_test(csv_takes_ranges_and_all_but_some),
    cmocka_unit_test(csv_names_its_features),
    cmocka_unit_test(a_letter_of_another_script_is_named),
    cmocka_unit_test(csv_standardizes),
    cmocka_unit_test(csv_is_looked_for_in_order),
    cmocka_unit_test(csv_refuses_impossible_columns),
    cmocka_unit_test(csv_refuses_bad_files),
    cmocka_unit_test(beta_star_is_the_shortest_of_many),
    cmocka_unit_test(beta_star_does_not_mind_units),
    cmocka_unit_test(beta_star_sees_what_fits_see),
    cmocka_unit_test(rank_is_that_of_all_rows),
    cmocka_unit_test(published_beta_star_has_the_same_rank),
    cmocka_unit_test(views_have_ranks_of_their_own),
    cmocka_unit_test(fresh_rows_have_the_rank_of_their_law),
    cmocka_unit_test(beta_star_must_be_finite),
    cmocka_unit_test(gaussian_has_its_principal_axes),
    cmocka_unit_test(gaussian_refuses_what_is_no_covariance),
    cmocka_unit_test(student_teacher_equals_numpy),
    cmocka_unit_test(student_teacher_is_drawn_by_philox),
    cmocka_unit_test(student_teacher_has_designs),
    cmocka_unit_test(scales_are_those_of_the_lists),
    cmocka_unit_test(student_teacher_refuses_the_impossible),
    cmocka_unit_test(checksum_tells_data_apart),
    cmocka_unit_test(rows_are_permuted),
    cmocka_unit_test(numpy_rows_are_the_published_split),
    cmocka_unit_test(first_rows_come_in_the_same_order_alone),
    cmocka_unit_test(philox_rows_are_keyed_by_seed_and_name),
    cmocka_unit_test(rows_do_not_depend_on_the_order_of_calls),
    cmocka_unit_test(fresh_rows_follow_the_teacher),
    cmocka_unit_test(residual_variance_is_what_the_student_cannot_see),
    cmocka_unit_test(fresh_rows_have_an_intercept),
    cmocka_unit_test(standardize_leaves_an_intercept_alone),
};

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
