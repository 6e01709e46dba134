/* Tables of text of which nothing is known yet: what separates their cells, and what stands in their columns. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../dataset.h"

/* ---- reading ----------------------------------------------------------------------------------------------------- */

bool rl_table_header_is_data(const rl_table *table) {
    double number;
    bool some = false;
    for (int j = 0; j < table->n_columns; j++) {
        const rl_content holds = rl_table_parse(table, table->header[j], &number);
        if (holds == RL_HOLDS_TEXT) return false;
        some |= holds == RL_HOLDS_NUMBER;
    }
    return some;
}

/* Reads it by a format, or by what a failure advises, which *format becomes. On failure with the message of the first
 * try. */
static rl_status read_advised(const char *path, rl_table_format *format, rl_table *table) {
    enum { TRIES = 4 };
    const rl_table_format first = *format;
    for (int i = 0; i < TRIES; i++) {
        const rl_status status = rl_table_read(path, *format, table);
        if (status != RL_ERR_INPUT) return status;
        if (table->format.delimiter != format->delimiter) break; /* that is tried anyway */
        if (table->format.skip == format->skip && table->format.comment == format->comment) break;
        *format = table->format;
    }
    return rl_table_read(path, first, table);
}

const char *const rl_delimiter_words[] = {"comma", "semicolon", "tab", "pipe", "space"};

/* By the rows that lie within the first `enough` bytes (0: by all), the delimiter that makes the most columns; blanks
 * stand inside texts, too, and count only where nothing else separates. A table that cannot be read by any is read by
 * the first, whose message people expect. */
static rl_table_format find_format(const char *path, size_t enough) {
    rl_table_format best = {.delimiter = RL_DELIMITERS[0], .has_header = true};
    int most = 1;
    for (const char *d = RL_DELIMITERS; *d != '\0' && (*d != ' ' || most == 1); d++) {
        rl_table table;
        rl_table_format format = {.delimiter = *d, .has_header = true, .enough = enough};
        if (read_advised(path, &format, &table) != RL_OK) continue;
        if (table.n_columns > most) best = format;
        most = table.n_columns > most ? table.n_columns : most;
        rl_table_destroy(&table);
    }
    best.enough = 0;
    return best;
}

/* The first rows say what separates cells, unless the table cannot be read so as a whole. */
static rl_status read_found(const char *path, rl_table *table) {
    static const size_t enough = (size_t)1 << 20;
    const rl_status status = rl_table_read(path, find_format(path, enough), table);
    return status == RL_ERR_INPUT ? rl_table_read(path, find_format(path, 0), table) : status;
}

static bool same_marks(rl_marks a, rl_marks b) {
    return a.decimal_comma == b.decimal_comma && a.thousands == b.thousands;
}

/* Leaves of found[n] those that are among others[m]. */
static int intersect_marks(rl_marks *found, int n, const rl_marks *others, int m) {
    int kept = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < m; k++)
            if (same_marks(found[i], others[k])) found[kept++] = found[i];
    return kept;
}

/* The only marks by which every column that is numbers by some marks is so; else the usual ones. */
static rl_marks find_marks(const rl_table *table) {
    rl_marks found[RL_MARKS_MOST], of_column[RL_MARKS_MOST];
    int n = -1;
    for (int j = 0; j < table->n_columns && n != 0; j++) {
        const int m = rl_table_find_marks(table, j, of_column);
        if (m == 0) continue;
        n = n < 0 ? m : intersect_marks(found, n, of_column, m);
        if (n == m) memcpy(found, of_column, sizeof found);
    }
    return n == 1 ? found[0] : table->format.marks;
}

rl_status rl_table_read_unknown(const char *path, rl_table *table) {
    RL_TRY(read_found(path, table));
    if (rl_table_header_is_data(table)) {
        rl_table_format format = table->format;
        rl_table_destroy(table);
        format.has_header = false;
        RL_TRY(rl_table_read(path, format, table));
    }
    table->format.marks = find_marks(table);
    return RL_OK;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

/* Of n numbers that are sorted. */
static void judge_numbers(int n, const double *sorted, rl_table_content *content) {
    content->constant = rl_is_constant(n, sorted, 1, RL_ROUNDING_OF_DOUBLES);
    content->distinct = n > 1;
    for (int i = 0; i < n && content->distinct; i++)
        content->distinct = sorted[i] == round(sorted[i]) && (i == 0 || sorted[i] > sorted[i - 1]);
}

static void describe_column(const rl_table *table, int column, double *numbers, rl_table_content *content) {
    int n = 0;
    *content = (rl_table_content){.first_text = -1};
    for (int i = 0; i < table->n_rows; i++) {
        const rl_content what = rl_table_parse(table, rl_table_cell(table, i, column), &numbers[n]);
        if (what == RL_HOLDS_TEXT && content->n_texts++ == 0) content->first_text = i;
        content->n_missing += what == RL_HOLDS_NOTHING;
        n += what == RL_HOLDS_NUMBER;
    }
    qsort(numbers, (size_t)n, sizeof *numbers, rl_compare_reals);
    judge_numbers(n, numbers, content);
    content->numbers_rows = content->distinct && n == table->n_rows && numbers[n - 1] - numbers[0] == n - 1;
}

rl_status rl_table_describe(const rl_table *table, rl_table_content *contents) {
    double *numbers;
    RL_TRY(RL_ALLOC(numbers, table->n_rows));
    for (int j = 0; j < table->n_columns; j++) describe_column(table, j, numbers, &contents[j]);
    rl_free(numbers);
    return RL_OK;
}
