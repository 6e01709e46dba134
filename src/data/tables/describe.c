/* Tables of text of which nothing is known yet: what separates their cells, and what stands in their columns. */
#include <math.h>
#include <stdlib.h>

#include "ridgeless/data.h"

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Whether the first line could be a row like the others. */
static bool header_is_numbers(const rl_table *table) {
    double number;
    for (int j = 0; j < table->n_columns; j++)
        if (!rl_parse_real(table->header[j], &number)) return false;
    return true;
}

/* The one that makes the most columns; blanks stand inside texts, too, and count only where nothing else separates. A
 * table that cannot be read by any is read by the first, whose message people expect. */
static char find_delimiter(const char *path) {
    char best = RL_DELIMITERS[0];
    int most = 1;
    for (const char *d = RL_DELIMITERS; *d != '\0' && (*d != ' ' || most == 1); d++) {
        rl_table table;
        if (rl_table_read(path, (rl_table_format){.delimiter = *d, .has_header = true}, &table) != RL_OK) continue;
        if (table.n_columns > most) best = *d;
        most = table.n_columns > most ? table.n_columns : most;
        rl_table_destroy(&table);
    }
    return best;
}

rl_status rl_table_read_unknown(const char *path, rl_table_format *format, rl_table *table) {
    *format = (rl_table_format){.delimiter = find_delimiter(path), .has_header = true};
    RL_TRY(rl_table_read(path, *format, table));
    if (!header_is_numbers(table)) return RL_OK;
    rl_table_destroy(table);
    format->has_header = false;
    return rl_table_read(path, *format, table);
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

/* Of n numbers that are sorted. */
static void judge_numbers(int n, const double *sorted, rl_table_content *content) {
    content->constant = n == 0 || sorted[0] == sorted[n - 1];
    content->distinct = n > 1;
    for (int i = 0; i < n && content->distinct; i++)
        content->distinct = sorted[i] == round(sorted[i]) && (i == 0 || sorted[i] > sorted[i - 1]);
}

static void describe_column(const rl_table *table, int column, double *numbers, rl_table_content *content) {
    int n = 0;
    *content = (rl_table_content){.first_text = -1};
    for (int i = 0; i < table->n_rows; i++) {
        const char *cell = table->cells[(size_t)i * (size_t)table->n_columns + (size_t)column];
        if (rl_table_is_missing(cell)) {
            content->n_missing++;
        } else if (rl_parse_real(cell, &numbers[n])) {
            n++;
        } else {
            if (content->n_texts == 0) content->first_text = i;
            content->n_texts++;
        }
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
