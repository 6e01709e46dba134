/* Tables of text: their columns turned into numbers. */
#include <stdlib.h>

#include "../../numbers.h"
#include "table.h"

/* ---- cells ------------------------------------------------------------------------------------------------------- */

rl_columns rl_table_columns(const rl_table *table) {
    return (rl_columns){.table = table->path,
                        .kind = "column",
                        .n = table->n_columns,
                        .names = (const char *const *)table->header,
                        .sorted = table->sorted};
}

static const rl_missing *missing_of(const rl_table *table) {
    static const rl_missing nothing_more = {0};
    return table->format.missing != NULL ? table->format.missing : &nothing_more;
}

bool rl_table_misses(const rl_table *table, const char *cell) {
    const rl_missing *missing = missing_of(table);
    double value;
    if (rl_missing_has_word(missing, cell)) return true;
    return missing->n_numbers > 0 && rl_parse_marked(cell, table->format.marks, &value) &&
           rl_missing_has_number(missing, value);
}

rl_content rl_table_parse(const rl_table *table, const char *cell, double *value) {
    if (rl_table_misses(table, cell)) return RL_HOLDS_NOTHING;
    return rl_parse_marked(cell, table->format.marks, value) ? RL_HOLDS_NUMBER : RL_HOLDS_TEXT;
}

/* ---- rows with missing values ------------------------------------------------------------------------------------ */

static bool row_misses(const rl_table *table, int row, const rl_table_choice *choice) {
    for (int j = 0; choice->any_column && j < table->n_columns; j++)
        if (rl_table_misses(table, rl_table_cell(table, row, j))) return true;
    for (int j = 0; j < choice->n_features; j++)
        if (rl_table_misses(table, rl_table_cell(table, row, choice->features[j]))) return true;
    return choice->target >= 0 && rl_table_misses(table, rl_table_cell(table, row, choice->target));
}

/* How many values are missing in a column. */
typedef struct holes {
    int n, column;
} holes;

/* For qsort: the most first, then in the order of the table. */
static int compare_holes(const void *a, const void *b) {
    const holes *x = a, *y = b;
    return x->n != y->n ? rl_compare_ints(&y->n, &x->n) : rl_compare_ints(&x->column, &y->column);
}

/* Appends "; column `a` lacks 40, column `b` 12": those that lack the most. */
static rl_status append_empty(const rl_table *table, const rl_table_choice *choice, rl_text *text) {
    enum { MOST = 3 };
    const rl_columns columns = rl_table_columns(table);
    char name[RL_COLUMN_TEXT];
    holes *all;
    RL_TRY(RL_ALLOC(all, choice->n_features + 1));
    for (int j = 0; j <= choice->n_features; j++) {
        all[j].column = j < choice->n_features ? choice->features[j] : choice->target;
        for (int i = 0; all[j].column >= 0 && i < table->n_rows; i++)
            all[j].n += rl_table_misses(table, rl_table_cell(table, i, all[j].column));
    }
    qsort(all, (size_t)choice->n_features + 1, sizeof *all, compare_holes);
    rl_status status = RL_OK;
    for (int k = 0; k < MOST && k <= choice->n_features && all[k].n > 0 && status == RL_OK; k++)
        status = rl_text_append(text, "%s %s lacks %d", k == 0 ? ";" : ",",
                                rl_column_text(&columns, all[k].column, name), all[k].n);
    rl_free(all);
    return status;
}

static rl_status fail_empty(const rl_table *table, const rl_table_choice *choice) {
    rl_text empty = RL_TEXT_EMPTY;
    rl_status status = append_empty(table, choice, &empty);
    if (status == RL_OK)
        status = rl_fail(RL_ERR_INPUT, "%s: no row is left: each of the %d has a missing value%s%s", table->path,
                         table->n_rows, empty.length > 0 ? empty.bytes : "",
                         choice->by_study ? "; `except: [...]` leaves columns out" : "");
    rl_free(empty.bytes);
    return status;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static rl_status parse_cell(const rl_table *table, int row, int column, const rl_table_choice *choice, double *value) {
    if (rl_parse_marked(rl_table_cell(table, row, column), table->format.marks, value)) return RL_OK;
    return rl_table_fail_cell(table, row, column, choice);
}

static rl_status parse_row(const rl_table *table, int row, const rl_table_choice *choice, double *x, double *y) {
    for (int j = 0; j < choice->n_features; j++) RL_TRY(parse_cell(table, row, choice->features[j], choice, x + j));
    return choice->target >= 0 ? parse_cell(table, row, choice->target, choice, y) : RL_OK;
}

static rl_status parse_rows(const rl_table *table, const rl_table_choice *choice, const bool *kept,
                            rl_dataset *dataset) {
    const rl_columns columns = rl_table_columns(table);
    size_t n = 0;
    for (int i = 0; i < table->n_rows; i++) n += kept[i];
    if (n == 0) return fail_empty(table, choice);
    dataset->n_rows = (int)n;
    dataset->n_features = choice->n_features;
    dataset->n_dropped = table->n_rows - (int)n;
    RL_TRY(rl_dataset_name_features(dataset, &columns, choice->features, choice->n_features));
    RL_TRY(RL_ALLOC(dataset->x, n * (size_t)choice->n_features));
    if (choice->target >= 0) RL_TRY(RL_ALLOC(dataset->y, n));
    double *x = dataset->x, *y = dataset->y;
    for (int i = 0; i < table->n_rows; i++) {
        if (!kept[i]) continue;
        RL_TRY(parse_row(table, i, choice, x, y));
        x += choice->n_features;
        if (y != NULL) y++;
    }
    return RL_OK;
}

rl_status rl_table_numbers(const rl_table *table, const rl_table_choice *choice, rl_dataset *dataset) {
    bool *kept;
    RL_TRY(RL_ALLOC(kept, table->n_rows));
    for (int i = 0; i < table->n_rows; i++) kept[i] = !row_misses(table, i, choice);
    const rl_status status = parse_rows(table, choice, kept, dataset);
    rl_free(kept);
    return status;
}
