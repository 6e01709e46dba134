/* Tables of text: reading a delimited file, finding its columns and turning them into numbers. */
#include <csv.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "../../numbers.h"
#include "ridgeless/data.h"

/* ---- reading ---------------------------------------------------------------------------------------------------- */

typedef struct reader {
    const char *path;
    rl_table_format format;
    struct csv_parser csv;
    rl_text bytes; /* the cells of all rows in turn, with a zero byte after each */
    rl_text lines; /* ints: the line in which each row begins */
    int n_rows, n_columns;
    /* Of the row that is being read: cells and bytes so far, and the line in which it began. */
    int n_cells, row_line;
    size_t row_bytes;
    int line; /* that is being read */
    bool row_open, row_ended;
    rl_status status; /* of the callbacks, which cannot return one */
} reader;

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void on_cell(void *cell, size_t length, void *state) {
    reader *r = state;
    if (r->status != RL_OK) return;
    if (cell == NULL && r->format.delimiter == ' ') return; /* between two blanks of a run */
    const char *text = cell == NULL ? "" : cell;
    while (length > 0 && is_blank(text[length - 1])) length--;
    for (; length > 0 && is_blank(*text); text++) length--;
    r->status = rl_text_append_bytes(&r->bytes, text, length);
    if (r->status == RL_OK) r->status = rl_text_append_bytes(&r->bytes, "", 1);
    r->n_cells++;
}

static void on_row(int terminator, void *state) {
    (void)terminator;
    reader *r = state;
    if (r->status != RL_OK || r->n_cells == 0) return;
    if (r->n_rows == 0) r->n_columns = r->n_cells;
    if (r->n_cells != r->n_columns) {
        const int first_line = *(const int *)(const void *)r->lines.bytes;
        r->status = rl_fail(RL_ERR_INPUT, "%s:%d: a row of %d cells, expected %d as in line %d", r->path, r->row_line,
                            r->n_cells, r->n_columns, first_line);
        return;
    }
    r->status = rl_text_append_bytes(&r->lines, &r->row_line, sizeof r->row_line);
    r->n_rows++;
    r->n_cells = 0;
    r->row_ended = true;
}

static rl_status fail_parse(reader *r) {
    if (csv_error(&r->csv) != CSV_EPARSE)
        return rl_fail(RL_ERR_MEMORY, "%s:%d: out of memory while reading the table", r->path, r->line);
    return rl_fail(RL_ERR_INPUT, "%s:%d: a quote inside a cell, expected a cell with quotes to be quoted whole",
                   r->path, r->line);
}

/* Takes a part of a line: up to its end, or to the end of what has been read of the file. */
static rl_status take_part(reader *r, char *part, size_t length) {
    bool blank = true;
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)part[i];
        if ((byte < ' ' && !is_blank(part[i])) || byte == 0x7f)
            return rl_fail(RL_ERR_INPUT, "%s:%d: byte 0x%02x is not text, expected a table of text, plain or gzip",
                           r->path, r->line, byte);
        if (byte == '\t' && r->format.delimiter == ' ') part[i] = ' ';
        if (!is_blank(part[i]) || (part[i] == '\t' && r->format.delimiter == '\t')) blank = false;
    }
    if (!r->row_open) {
        r->row_line = r->line;
        r->row_bytes = 0;
    }
    r->row_bytes += length;
    if (r->row_bytes > RL_TABLE_ROW_LIMIT)
        return rl_fail(RL_ERR_INPUT, "%s:%d: a row of more than %zu bytes, expected a table; is a quote never closed?",
                       r->path, r->row_line, RL_TABLE_ROW_LIMIT);
    r->row_ended = false;
    const size_t parsed = csv_parse(&r->csv, part, length, on_cell, on_row, r);
    RL_TRY(r->status);
    if (parsed != length) return fail_parse(r);
    if (r->row_ended || !blank) r->row_open = !r->row_ended;
    return RL_OK;
}

static rl_status take_lines(reader *r, char *bytes, size_t length) {
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        const size_t part = end == NULL ? length : (size_t)(end - bytes) + 1;
        RL_TRY(take_part(r, bytes, part));
        if (end != NULL) r->line++;
        bytes += part;
        length -= part;
    }
    return RL_OK;
}

static rl_status fail_read(const reader *r, gzFile file) {
    int code;
    const char *reason = gzerror(file, &code);
    if (code == Z_MEM_ERROR) return rl_fail(RL_ERR_MEMORY, "%s: out of memory while reading", r->path);
    if (code == Z_ERRNO) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", r->path, strerror(errno));
    return rl_fail(RL_ERR_INPUT, "%s: damaged gzip file: %s", r->path, reason);
}

static rl_status take_file(reader *r, gzFile file) {
    char buffer[1 << 16];
    size_t total = 0;
    int got;
    while ((got = gzread(file, buffer, sizeof buffer)) > 0) {
        const bool has_mark = total == 0 && got >= 3 && memcmp(buffer, "\xef\xbb\xbf", 3) == 0; /* UTF-8's */
        const size_t skipped = has_mark ? 3 : 0;
        total += (size_t)got;
        if (total > r->format.limit)
            return rl_fail(RL_ERR_INPUT, "%s: larger than the %zu bytes that a table may have", r->path,
                           r->format.limit);
        RL_TRY(take_lines(r, buffer + skipped, (size_t)got - skipped));
    }
    int code;
    gzerror(file, &code);
    if (got < 0 || code != Z_OK) return fail_read(r, file); /* a file cut short ends without an error of gzread */
    if (csv_fini(&r->csv, on_cell, on_row, r) != 0)
        return rl_fail(RL_ERR_INPUT, "%s:%d: a quoted cell of the row that begins here is never closed", r->path,
                       r->row_line);
    return r->status;
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

/* Makes the table: points at the cells in the order in which they were read, and takes over the reader's memory. */
static rl_status make_table(reader *r, rl_table *table) {
    const int header_rows = r->format.has_header ? 1 : 0;
    if (r->n_rows == 0) return rl_fail(RL_ERR_INPUT, "%s: is empty, expected a table", r->path);
    if (r->n_rows == header_rows) return rl_fail(RL_ERR_INPUT, "%s: no row follows the header line", r->path);
    table->n_rows = r->n_rows - header_rows;
    table->n_columns = r->n_columns;
    RL_TRY(rl_strdup(&table->path, r->path));
    if (header_rows == 1) RL_TRY(RL_ALLOC(table->header, table->n_columns));
    RL_TRY(RL_ALLOC(table->cells, (size_t)table->n_rows * (size_t)table->n_columns));
    RL_TRY(RL_ALLOC(table->lines, table->n_rows));
    memcpy(table->lines, (const int *)(const void *)r->lines.bytes + header_rows, sizeof(int) * (size_t)table->n_rows);
    char *cell = table->bytes = r->bytes.bytes;
    r->bytes = RL_TEXT_EMPTY;
    for (int j = 0; j < header_rows * table->n_columns; j++) {
        const size_t length = strlen(cell);
        table->header[j] = cell;
        rl_fold_blanks(cell);
        cell += length + 1;
    }
    for (size_t i = 0; i < (size_t)table->n_rows * (size_t)table->n_columns; i++, cell += strlen(cell) + 1)
        table->cells[i] = cell;
    return RL_OK;
}

rl_status rl_table_read(const char *path, rl_table_format format, rl_table *table) {
    *table = (rl_table){0};
    if (format.limit == 0) format.limit = RL_TABLE_LIMIT;
    reader r = {.path = path, .format = format, .line = 1};
    csv_init(&r.csv, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL);
    csv_set_delim(&r.csv, (unsigned char)format.delimiter);
    rl_status status = take_path(&r);
    if (status == RL_OK) status = make_table(&r, table);
    if (status != RL_OK) rl_table_destroy(table);
    csv_free(&r.csv);
    rl_free(r.bytes.bytes);
    rl_free(r.lines.bytes);
    return status;
}

void rl_table_destroy(rl_table *table) {
    rl_free(table->cells);
    rl_free(table->header);
    rl_free(table->lines);
    rl_free(table->path);
    rl_free(table->bytes);
    *table = (rl_table){0};
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

rl_columns rl_table_columns(const rl_table *table) {
    return (rl_columns){table->path, "column", table->n_columns, (const char *const *)table->header};
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

bool rl_table_is_missing(const char *cell) {
    static const rl_missing nothing_more = {0};
    return rl_missing_has_word(&nothing_more, cell);
}

bool rl_has_decimal_comma(const char *cell) {
    char number[64];
    double value;
    const size_t comma = strcspn(cell, ",");
    if (cell[comma] == '\0' || snprintf(number, sizeof number, "%s", cell) >= (int)sizeof number) return false;
    number[comma] = '.';
    return rl_parse_real(number, &value);
}

static bool row_misses(const rl_table *table, int row, const rl_table_choice *choice) {
    char *const *cells = table->cells + (size_t)row * (size_t)table->n_columns;
    for (int j = 0; choice->any_column && j < table->n_columns; j++)
        if (rl_table_is_missing(cells[j])) return true;
    for (int j = 0; j < choice->n_features; j++)
        if (rl_table_is_missing(cells[choice->features[j]])) return true;
    return choice->target >= 0 && rl_table_is_missing(cells[choice->target]);
}

/* Whether a cell that is no finite number is an infinite one, or NaN. */
static bool is_beyond_all_numbers(const char *cell) {
    char *end;
    const double value = strtod(cell, &end);
    return end != cell && *end == '\0' && !isfinite(value);
}

/* `advice` goes on with the message of a cell that is no number. */
static rl_status parse_cell(const rl_table *table, int row, int column, const char *advice, double *value) {
    const char *cell = table->cells[(size_t)row * (size_t)table->n_columns + (size_t)column];
    if (rl_parse_real(cell, value)) return RL_OK;
    const char *what = is_beyond_all_numbers(cell) ? "a finite number" : "a number";
    if (rl_has_decimal_comma(cell)) advice = "; " RL_DECIMAL_POINT;
    if (table->header == NULL)
        return rl_fail(RL_ERR_INPUT, "%s:%d: column %d: `%.40s` is not %s%s", table->path, table->lines[row],
                       column + 1, cell, what, advice);
    return rl_fail(RL_ERR_INPUT, "%s:%d: column `%s`: `%.40s` is not %s%s", table->path, table->lines[row],
                   table->header[column], cell, what, advice);
}

rl_status rl_table_numbers(const rl_table *table, const rl_table_choice *choice, rl_dataset *dataset) {
    const size_t p = (size_t)choice->n_features;
    int n_kept = 0;
    for (int i = 0; i < table->n_rows; i++) n_kept += !row_misses(table, i, choice);
    if (n_kept == 0)
        return rl_fail(RL_ERR_INPUT, "%s: no row is left: each of the %d has a missing value", table->path,
                       table->n_rows);
    dataset->n_rows = n_kept;
    dataset->n_features = choice->n_features;
    dataset->n_dropped = table->n_rows - n_kept;
    const rl_columns columns = rl_table_columns(table);
    RL_TRY(rl_dataset_name_features(dataset, &columns, choice->features, choice->n_features));
    RL_TRY(RL_ALLOC(dataset->x, (size_t)n_kept * p));
    if (choice->target >= 0) RL_TRY(RL_ALLOC(dataset->y, n_kept));
    const char *advice = choice->advice != NULL ? choice->advice : "";
    double *x = dataset->x, *y = dataset->y;
    for (int i = 0; i < table->n_rows; i++) {
        if (row_misses(table, i, choice)) continue;
        for (size_t j = 0; j < p; j++) RL_TRY(parse_cell(table, i, choice->features[j], advice, x++));
        if (choice->target >= 0) RL_TRY(parse_cell(table, i, choice->target, "", y++));
    }
    return RL_OK;
}
