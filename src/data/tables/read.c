/* Reading a delimited file of text: its bytes become the cells of a table, as the C parser of pandas would have them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "../../numbers.h"
#include "table.h"

/* What a byte is to the parser: sets of classes are sums. */
enum { PLAIN = 1, HIGH = 2, BLANK = 4, QUOTE = 8, DELIMITER = 16, COMMENT = 32, LINE_END = 64, WRONG = 128 };

/* Where the parser is. */
typedef enum place {
    AT_LINE, /* nothing of the line but blanks has been read */
    AT_CELL, /* the same of a cell */
    IN_CELL,
    IN_QUOTES,
    AFTER_QUOTE, /* the first of two that stand for one, or the end of what is quoted */
    IN_REST      /* of a line that is passed over */
} place;

typedef struct reader {
    const char *path;
    const rl_table_format *format;
    rl_table_format advised; /* what may read the table where this format does not */
    unsigned char classes[256];
    rl_text bytes;                   /* the cells of all rows in turn, with a zero byte after each */
    rl_text lines;                   /* ints: the line in which each row begins */
    int n_rows, n_header, n_columns; /* cells of the header line, and of each other row; 0: not read yet */
    bool header_trails;              /* the last name of the header is empty */
    place place;
    int line;              /* that is being read */
    bool returned;         /* the last byte was a carriage return, which has ended a line */
    int n_cells, row_line; /* of the row that is being read: cells so far, and the line in which it began */
    size_t row_begin, cell_begin;
    bool cell_high; /* the cell has bytes beyond ASCII */
    bool done;      /* enough has been read */
    int bad_line;   /* the first that is not UTF-8; 0: none */
    unsigned char bad_byte;
} reader;

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

const char *rl_table_skip_key(const rl_table_format *format, int line, char key[RL_SKIP_KEY]) {
    enum { ENTRY = 32 };
    size_t n = (size_t)snprintf(key, RL_SKIP_KEY, "`skip_lines: [");
    for (int i = 0; i < format->n_skipped && n + 2 * ENTRY < RL_SKIP_KEY; i++) {
        const rl_lines *l = format->skipped + i;
        n += (size_t)snprintf(key + n, ENTRY, "%d", l->first);
        if (l->last > l->first) n += (size_t)snprintf(key + n, ENTRY, "-%d", l->last);
        n += (size_t)snprintf(key + n, ENTRY, ", ");
    }
    snprintf(key + n, ENTRY, "%d]`", line);
    return key;
}

/* The same for a row behind others that fit, such as a comment or a note below the table. */
static void advise_late_row(const reader *r, char *advice, size_t size) {
    char key[RL_SKIP_KEY];
    const char first = r->bytes.bytes[r->row_begin];
    if ((first == '#' || first == '%') && r->format->comment == '\0')
        snprintf(advice, size, "; is it a comment? `comment: \"%c\"` leaves such lines out", first);
    else
        snprintf(advice, size, "; is line %d not of the data? %s leaves it out", r->row_line,
                 rl_table_skip_key(r->format, r->row_line, key));
}

/* What may be wrong where a row has not as many cells as the first; "" where that is not known. *format becomes what
 * may read the table. */
static const char *advise_rows(const reader *r, rl_table_format *format, char *advice, size_t size) {
    const char *first = r->bytes.bytes;
    const int n_first = r->format->has_header ? r->n_header : r->n_columns;
    const bool titled = r->n_cells > n_first && (n_first == 1 || (r->n_rows == 1 && r->n_cells > n_first + 1));
    *advice = '\0';
    if (*first == '#' || *first == '%') {
        format->comment = *first;
        snprintf(advice, size, "; is the first line a comment? `comment: \"%c\"` leaves such lines out", *first);
    } else if (r->format->delimiter != ';' && strchr(first, ';') != NULL) {
        format->delimiter = ';';
        snprintf(advice, size, "; do semicolons separate the columns? `delimiter: semicolon`");
    } else if (r->format->delimiter != '|' && strchr(first, '|') != NULL) {
        format->delimiter = '|';
        snprintf(advice, size, "; do pipes separate the columns? `delimiter: pipe`");
    } else if (r->format->delimiter != '\t' && strchr(first, '\t') != NULL) {
        format->delimiter = '\t';
        snprintf(advice, size, "; do tabs separate the columns? `delimiter: tab`");
    } else if (titled) {
        format->skip = r->row_line - 1;
        snprintf(advice, size, "; do other lines stand before the table? `skip: %d` leaves them out", format->skip);
    } else if (r->n_rows > 2) {
        advise_late_row(r, advice, size);
    }
    return advice;
}

static rl_status fail_row(reader *r, int line, int n_cells, int expected, int expected_line) {
    char advice[RL_SKIP_KEY + 80];
    return rl_fail(RL_ERR_INPUT, "%s:%d: a row of %d cell%s, expected %d as in line %d%s", r->path, line, n_cells,
                   rl_plural(n_cells), expected, expected_line, advise_rows(r, &r->advised, advice, sizeof advice));
}

static rl_status fail_byte(const reader *r, unsigned char byte) {
    return rl_fail(RL_ERR_INPUT, "%s:%d: byte 0x%02x is not text, expected a table of text, plain or gzip%s", r->path,
                   r->line, byte, byte == 0 ? "; is it UTF-16? `iconv -f utf-16 -t utf-8` converts it" : "");
}

rl_status rl_table_fail_encoding(const rl_table *table) {
    return rl_fail(RL_ERR_INPUT,
                   "%s: line %d is not UTF-8: byte 0x%02x; is the file Latin-1? `iconv -f latin1 -t utf-8` converts it",
                   table->path, table->bad_line, table->bad_byte);
}

/* ---- cells and rows ---------------------------------------------------------------------------------------------- */

static rl_status append_bytes(reader *r, const char *bytes, size_t n) {
    RL_TRY(rl_text_append_bytes(&r->bytes, bytes, n));
    if (r->bytes.length - r->row_begin <= RL_TABLE_ROW_LIMIT) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s:%d: a row of more than %zu bytes, expected a table; is a quote never closed?",
                   r->path, r->row_line, RL_TABLE_ROW_LIMIT);
}

static void check_encoding(reader *r, const char *cell) {
    uint32_t code;
    for (int length; *cell != '\0' && r->bad_line == 0; cell += length) {
        length = rl_character(cell, &code);
        if (length > 0) continue;
        r->bad_line = r->line;
        r->bad_byte = (unsigned char)*cell;
    }
}

/* Takes the blanks away that stand around the cell. */
static rl_status end_cell(reader *r) {
    char *cell = r->bytes.length > 0 ? r->bytes.bytes + r->cell_begin : NULL;
    size_t length = r->bytes.length - r->cell_begin, n_before = 0;
    while (length > 0 && is_blank(cell[length - 1])) length--;
    while (n_before < length && is_blank(cell[n_before])) n_before++;
    if (n_before > 0) memmove(cell, cell + n_before, length - n_before);
    r->bytes.length = r->cell_begin + length - n_before;
    RL_TRY(rl_text_append_bytes(&r->bytes, "", 1));
    if (r->cell_high) check_encoding(r, r->bytes.bytes + r->cell_begin);
    r->cell_high = false;
    r->cell_begin = r->bytes.length;
    r->n_cells++;
    return RL_OK;
}

static int line_of_row(const reader *r, int row) {
    return ((const int *)(const void *)r->lines.bytes)[row];
}

/* The first row behind the header may have one cell more, when the header does not name the first column or when each
 * row ends in a delimiter; or one less, when the header alone does. */
static bool fits_header(const reader *r) {
    if (r->n_cells == r->n_header + 1) return r->n_header > 1;
    return r->n_cells == r->n_header || (r->n_cells == r->n_header - 1 && r->header_trails);
}

static rl_status check_row(reader *r) {
    if (r->format->has_header && r->n_rows == 0) {
        const char *end = r->bytes.bytes + r->bytes.length - 1;
        r->n_header = r->n_cells;
        r->header_trails = r->n_cells > 1 && end[-1] == '\0';
        return RL_OK;
    }
    if (r->n_columns == 0) {
        if (r->format->has_header && !fits_header(r))
            return fail_row(r, r->row_line, r->n_cells, r->n_header, line_of_row(r, 0));
        r->n_columns = r->n_cells;
    }
    if (r->n_cells == r->n_columns) return RL_OK;
    const int first = r->format->has_header ? 1 : 0;
    if (r->n_cells == r->n_header) return fail_row(r, line_of_row(r, 1), r->n_columns, r->n_header, line_of_row(r, 0));
    return fail_row(r, r->row_line, r->n_cells, r->n_columns, line_of_row(r, r->n_columns == r->n_header ? 0 : first));
}

static rl_status end_row(reader *r) {
    RL_TRY(check_row(r));
    RL_TRY(rl_text_append_bytes(&r->lines, &r->row_line, sizeof r->row_line));
    r->n_rows++;
    r->n_cells = 0;
    r->row_begin = r->bytes.length;
    const int least = r->format->has_header ? 2 : 1;
    r->done = r->format->enough > 0 && r->bytes.length > r->format->enough && r->n_rows >= least;
    return RL_OK;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void begin_line(reader *r) {
    const rl_table_format *f = r->format;
    bool skipped = r->line <= f->skip;
    for (int i = 0; i < f->n_skipped; i++) skipped |= r->line >= f->skipped[i].first && r->line <= f->skipped[i].last;
    r->place = skipped ? IN_REST : AT_LINE;
}

static void end_line(reader *r, char byte) {
    r->returned = byte == '\r';
    r->line++;
}

/* What ends a cell: a delimiter, the end of a line, or a comment. */
static rl_status take_end(reader *r, char byte) {
    const int class = r->classes[(unsigned char)byte];
    if (class == WRONG) return fail_byte(r, (unsigned char)byte);
    if (r->place != AT_CELL || r->format->delimiter != ' ') RL_TRY(end_cell(r));
    r->place = AT_CELL;
    if (class == DELIMITER) return RL_OK;
    RL_TRY(end_row(r));
    if (class == COMMENT) {
        r->place = IN_REST;
        return RL_OK;
    }
    end_line(r, byte);
    begin_line(r);
    return RL_OK;
}

/* ---- the parser -------------------------------------------------------------------------------------------------- */

/* Bytes at the beginning that are of the classes. */
static size_t count_run(const reader *r, const char *bytes, size_t n, int classes) {
    size_t i = 0;
    while (i < n && (r->classes[(unsigned char)bytes[i]] & classes) != 0) i++;
    return i;
}

/* Each of these takes some of bytes[n], at least one, and counts them in *taken; all begin in its place. */

static rl_status take_cell(reader *r, const char *bytes, size_t n, size_t *taken) {
    const size_t run = count_run(r, bytes, n, PLAIN | BLANK | QUOTE);
    if (run > 0) RL_TRY(append_bytes(r, bytes, run));
    *taken = run;
    if (run == n) return RL_OK;
    *taken = run + 1;
    if (r->classes[(unsigned char)bytes[run]] != HIGH) return take_end(r, bytes[run]);
    r->cell_high = true;
    return append_bytes(r, bytes + run, 1);
}

static rl_status take_begin(reader *r, const char *bytes, size_t n, size_t *taken) {
    const int class = r->classes[(unsigned char)*bytes];
    const bool fresh = r->place == AT_LINE;
    *taken = 1;
    if (class == BLANK || (class == DELIMITER && r->format->delimiter == ' ')) return RL_OK;
    if (fresh && class == COMMENT) {
        r->place = IN_REST;
        return RL_OK;
    }
    if (fresh && class == LINE_END) {
        end_line(r, *bytes);
        begin_line(r);
        return RL_OK;
    }
    if (fresh) r->row_line = r->line;
    r->place = AT_CELL;
    if ((class & (DELIMITER | COMMENT | LINE_END)) != 0) return take_end(r, *bytes);
    r->place = class == QUOTE ? IN_QUOTES : IN_CELL;
    return class == QUOTE ? RL_OK : take_cell(r, bytes, n, taken);
}

static rl_status take_quoted(reader *r, const char *bytes, size_t n, size_t *taken) {
    const size_t run = count_run(r, bytes, n, PLAIN | BLANK | DELIMITER | COMMENT);
    if (run > 0) RL_TRY(append_bytes(r, bytes, run));
    *taken = run;
    if (run == n) return RL_OK;
    const int class = r->classes[(unsigned char)bytes[run]];
    *taken = run + 1;
    if (class == QUOTE) {
        r->place = AFTER_QUOTE;
        return RL_OK;
    }
    if (class == WRONG) return fail_byte(r, (unsigned char)bytes[run]);
    if (class == LINE_END) end_line(r, bytes[run]);
    if (class == HIGH) r->cell_high = true;
    return append_bytes(r, bytes + run, 1);
}

/* Anything but a blank behind the quotes leaves the last of them in the cell: pandas drops it, and would read "1"2 as
 * the number 12. */
static rl_status take_after_quote(reader *r, const char *bytes, size_t n, size_t *taken) {
    const int class = r->classes[(unsigned char)*bytes];
    if ((class & (DELIMITER | COMMENT | LINE_END)) != 0) {
        *taken = 1;
        return take_end(r, *bytes);
    }
    if (class != BLANK) RL_TRY(append_bytes(r, "\"", 1));
    r->place = class == QUOTE ? IN_QUOTES : IN_CELL;
    *taken = 1;
    return class == QUOTE ? RL_OK : take_cell(r, bytes, n, taken);
}

static rl_status take_rest(reader *r, const char *bytes, size_t n, size_t *taken) {
    const size_t run = count_run(r, bytes, n, 255 - LINE_END);
    *taken = run;
    if (run == n) return RL_OK;
    end_line(r, bytes[run]);
    begin_line(r);
    *taken = run + 1;
    return RL_OK;
}

static rl_status take_bytes(reader *r, const char *bytes, size_t n) {
    static rl_status (*const steps[])(reader *, const char *, size_t, size_t *) = {
        [AT_LINE] = take_begin,    [AT_CELL] = take_begin,           [IN_CELL] = take_cell,
        [IN_QUOTES] = take_quoted, [AFTER_QUOTE] = take_after_quote, [IN_REST] = take_rest};
    for (size_t i = 0, taken; i < n && !r->done; i += taken) {
        taken = 1;
        const bool second = r->returned && bytes[i] == '\n'; /* half of an end of a line */
        r->returned = false;
        if (!second) RL_TRY(steps[r->place](r, bytes + i, n - i, &taken));
    }
    return RL_OK;
}

static rl_status end_table(reader *r) {
    if (r->place == IN_QUOTES)
        return rl_fail(RL_ERR_INPUT, "%s:%d: a quoted cell of the row that begins here is never closed", r->path,
                       r->row_line);
    return r->place == AT_LINE || r->place == IN_REST ? RL_OK : take_end(r, '\n');
}

static void classify_bytes(reader *r) {
    const rl_table_format *f = r->format;
    for (int b = 0; b < 256; b++) r->classes[b] = b >= 0x80 ? HIGH : b < ' ' || b == 0x7f ? WRONG : PLAIN;
    r->classes['\n'] = r->classes['\r'] = LINE_END;
    r->classes[' '] = r->classes['\t'] = f->delimiter == ' ' ? DELIMITER : BLANK;
    r->classes['"'] = QUOTE;
    if (f->comment != '\0') r->classes[(unsigned char)f->comment] = COMMENT;
    r->classes[(unsigned char)f->delimiter] = DELIMITER;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static rl_status fail_read(const reader *r, gzFile file) {
    int code;
    const char *reason = gzerror(file, &code);
    if (code == Z_MEM_ERROR) return rl_fail(RL_ERR_MEMORY, "%s: out of memory while reading", r->path);
    if (code == Z_ERRNO) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", r->path, strerror(errno));
    return rl_fail(RL_ERR_INPUT, "%s: damaged gzip file: %s", r->path, reason);
}

/* What people take for a table of text, by the bytes it begins with, and what makes one of it. */
static rl_status check_kind(const reader *r, const char *bytes, size_t n) {
    static const struct {
        const char *begin, *what, *how;
        size_t length;
    } kinds[] = {
        {"BZh", "compressed by bzip2", "`bunzip2` unpacks it", 3},
        {"\xfd"
         "7zXZ",
         "compressed by xz", "`unxz` unpacks it", 5},
        {"\x28\xb5\x2f\xfd", "compressed by zstd", "`unzstd` unpacks it", 4},
        {"PK\3\4", "a ZIP archive or an Excel workbook", "unpack it, or save it as CSV", 4},
        {"\xd0\xcf\x11\xe0", "an Excel workbook", "save it as CSV", 4},
        {"PAR1", "a Parquet file", "pandas converts it by `read_parquet(...).to_csv(...)`", 4},
        {"\x89HDF", "an HDF5 or NetCDF-4 file", "`source: netcdf` reads it", 4},
        {"CDF\1", "a NetCDF file", "`source: netcdf` reads it", 4},
        {"CDF\2", "a NetCDF file", "`source: netcdf` reads it", 4},
        {"CDF\5", "a NetCDF file", "`source: netcdf` reads it", 4},
        {"\xff\xfe\0\0", "UTF-32", "`iconv -f utf-32 -t utf-8` converts it", 4},
        {"\x1f\x8b", "compressed by gzip twice", "`gunzip` unpacks it once", 2},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (n >= kinds[i].length && memcmp(bytes, kinds[i].begin, kinds[i].length) == 0)
            return rl_fail(RL_ERR_INPUT, "%s: is %s, expected a table of text, plain or gzip; %s", r->path,
                           kinds[i].what, kinds[i].how);
    return RL_OK;
}

/* Sets *mark to the bytes of UTF-8's byte order mark. Text of UTF-16 has a mark of its own, or zero bytes. */
static rl_status check_beginning(const reader *r, const char *bytes, size_t n, size_t *mark) {
    *mark = n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (n < 2) return RL_OK;
    RL_TRY(check_kind(r, bytes, n));
    const bool marked = memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0;
    if (!marked && (bytes[0] == '\0') == (bytes[1] == '\0')) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: is UTF-16, expected UTF-8; `iconv -f utf-16%s -t utf-8` converts it", r->path,
                   marked             ? ""
                   : bytes[0] == '\0' ? "be"
                                      : "le");
}

static rl_status take_file(reader *r, gzFile file) {
    char buffer[1 << 16];
    size_t total = 0;
    int got = 0;
    while (!r->done && (got = gzread(file, buffer, sizeof buffer)) > 0) {
        size_t mark = 0;
        if (total == 0) RL_TRY(check_beginning(r, buffer, (size_t)got, &mark));
        total += (size_t)got;
        if (total > r->format->limit)
            return rl_fail(RL_ERR_INPUT, "%s: larger than the %zu bytes that a table may have", r->path,
                           r->format->limit);
        RL_TRY(take_bytes(r, buffer + mark, (size_t)got - mark));
    }
    if (r->done) return RL_OK;
    int code;
    gzerror(file, &code);
    if (got < 0 || code != Z_OK) return fail_read(r, file); /* a file cut short ends without an error of gzread */
    return end_table(r);
}

static rl_status take_path(reader *r) {
    struct stat status;
    if (stat(r->path, &status) != 0) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", r->path, strerror(errno));
    if (S_ISDIR(status.st_mode)) return rl_fail(RL_ERR_INPUT, "%s: is a directory, expected a file", r->path);
    gzFile file = gzopen(r->path, "rb");
    if (file == NULL) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", r->path, strerror(errno));
    const rl_status result = take_file(r, file);
    gzclose(file);
    return result;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* Whether the last cell of every row is empty, the header apart. */
static bool rows_trail(const reader *r) {
    const char *cell = r->bytes.bytes;
    for (int j = 0; j < r->n_header; j++) cell += strlen(cell) + 1;
    for (int i = 1; i < r->n_rows; i++) {
        for (int j = 0; j < r->n_columns - 1; j++) cell += strlen(cell) + 1;
        if (*cell != '\0') return false;
        cell++;
    }
    return true;
}

/* Points at the cells of a row, and returns what follows it. */
static char *point_at_cells(char *cell, int n_cells, int n_pointers, char **pointers) {
    for (int j = 0; j < n_cells; j++) {
        if (j < n_pointers) pointers[j] = cell;
        cell += strlen(cell) + 1;
    }
    return cell;
}

/* Where the rows have a cell more than the header, the first column has no name. */
static rl_status point_at_header(const reader *r, rl_table *table, char **next) {
    static char none[] = "";
    const int unnamed = table->row_names ? 1 : 0;
    RL_TRY(RL_ALLOC(table->header, table->n_columns));
    table->header[0] = none;
    *next = point_at_cells(*next, r->n_header, table->n_columns - unnamed, table->header + unnamed);
    for (int j = unnamed; j < table->n_columns; j++) rl_fold_blanks(table->header[j]);
    return rl_columns_sort((const char *const *)table->header, table->n_columns, &table->sorted);
}

/* Makes the table: points at the cells in the order in which they were read, and takes over the reader's memory. */
static rl_status make_table(reader *r, rl_table *table) {
    const int header_rows = r->format->has_header ? 1 : 0;
    if (r->n_rows == 0) return rl_fail(RL_ERR_INPUT, "%s: is empty, expected a table", r->path);
    if (r->n_rows == header_rows) return rl_fail(RL_ERR_INPUT, "%s: no row follows the header line", r->path);
    const bool more = header_rows == 1 && r->n_columns > r->n_header, trails = more && rows_trail(r);
    table->n_rows = r->n_rows - header_rows;
    table->n_columns = r->n_columns - trails;
    table->row_names = more && !trails;
    table->format = *r->format;
    table->bad_line = r->bad_line;
    table->bad_byte = r->bad_byte;
    RL_TRY(rl_strdup(&table->path, r->path));
    RL_TRY(RL_ALLOC(table->cells, (size_t)table->n_rows * (size_t)table->n_columns));
    RL_TRY(RL_ALLOC(table->lines, table->n_rows));
    memcpy(table->lines, (const int *)(const void *)r->lines.bytes + header_rows, sizeof(int) * (size_t)table->n_rows);
    char *next = table->bytes = r->bytes.bytes;
    r->bytes = RL_TEXT_EMPTY;
    /* The header is folded last: that moves its zero bytes. */
    char *header = next;
    next = point_at_cells(next, r->n_header, 0, NULL);
    for (int i = 0; i < table->n_rows; i++)
        next =
            point_at_cells(next, r->n_columns, table->n_columns, table->cells + (size_t)i * (size_t)table->n_columns);
    return header_rows == 1 ? point_at_header(r, table, &header) : RL_OK;
}

rl_status rl_table_read(const char *path, rl_table_format format, rl_table *table) {
    *table = (rl_table){0};
    if (format.limit == 0) format.limit = RL_TABLE_LIMIT;
    reader r = {.path = path, .format = &format, .advised = format, .line = 1};
    classify_bytes(&r);
    begin_line(&r);
    rl_status status = take_path(&r);
    if (status == RL_OK) status = make_table(&r, table);
    if (status != RL_OK) {
        rl_table_destroy(table);
        table->format = r.advised;
    }
    rl_free(r.bytes.bytes);
    rl_free(r.lines.bytes);
    return status;
}

void rl_table_destroy(rl_table *table) {
    rl_free(table->cells);
    rl_free(table->header);
    rl_free(table->sorted);
    rl_free(table->lines);
    rl_free(table->path);
    rl_free(table->bytes);
    *table = (rl_table){0};
}
