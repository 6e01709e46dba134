/* `init --csv`: which columns of a table of the user's own can be features of a study. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../numbers.h"
#include "init.h"

enum { LEAST_ROWS = 4 }; /* N = P has to lie well within them */

/* What a study file can call the column, if anything. */
static bool has_handle(const rl_init_table *c, int column) {
    const rl_columns columns = rl_table_columns(&c->table);
    return rl_column_goes_by_name(&columns, column) || rl_column_goes_by_number(&columns, column);
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

const char *rl_init_cell(const rl_init_table *c, int row, int column) {
    return rl_table_cell(&c->table, row, column);
}

static rl_column_use first_use(const rl_init_table *c, int column) {
    const rl_table_content *content = &c->contents[column];
    if (column == c->target) return RL_TARGET_COLUMN;
    if (content->n_missing == c->table.n_rows) return RL_EMPTY;
    if (content->n_texts > 0) return RL_TEXTS;
    if (content->constant) return RL_CONSTANT;
    if (content->numbers_rows) return RL_ROW_NUMBERS;
    return has_handle(c, column) ? RL_USED : RL_NAMELESS;
}

/* How many complete rows would be left with this column. */
static int rows_with(const rl_init_table *c, int column) {
    int n = 0;
    for (int i = 0; i < c->table.n_rows; i++)
        n += c->complete[i] && !rl_table_misses(&c->table, rl_init_cell(c, i, column));
    return n;
}

static int demand_column(rl_init_table *c, int column) {
    int n = 0;
    for (int i = 0; i < c->table.n_rows; i++) {
        c->complete[i] = c->complete[i] && !rl_table_misses(&c->table, rl_init_cell(c, i, column));
        n += c->complete[i];
    }
    return n;
}

/* Marks the rows that are complete in the target and the features, and counts both. */
static void count_table(rl_init_table *c) {
    for (int i = 0; i < c->table.n_rows; i++) c->complete[i] = true;
    c->n_rows = demand_column(c, c->target);
    c->n_features = 0;
    for (int j = 0; j < c->table.n_columns; j++) {
        if (c->uses[j] != RL_USED) continue;
        c->n_rows = demand_column(c, j);
        c->n_features++;
    }
}

/* How many values are missing in a column. */
typedef struct holes {
    int n, column;
} holes;

/* For qsort: columns with as many missing values stay in the order of the table. */
static int compare_holes(const void *a, const void *b) {
    const holes *x = a, *y = b;
    return x->n != y->n ? rl_compare_ints(&x->n, &y->n) : rl_compare_ints(&x->column, &y->column);
}

/* From the fewest missing values on, each column is taken that leaves at least half of the rows with a target. */
static rl_status leave_out_holes(rl_init_table *c) {
    holes *order;
    int n = 0;
    RL_TRY(RL_ALLOC(order, c->table.n_columns));
    for (int i = 0; i < c->table.n_rows; i++) c->complete[i] = true;
    const int most = demand_column(c, c->target);
    for (int j = 0; j < c->table.n_columns; j++)
        if (c->uses[j] == RL_USED) order[n++] = (holes){c->contents[j].n_missing, j};
    qsort(order, (size_t)n, sizeof *order, compare_holes);
    for (const holes *next = order; next < order + n; next++) {
        if (rows_with(c, next->column) >= (most + 1) / 2)
            demand_column(c, next->column);
        else
            c->uses[next->column] = RL_MOSTLY_HOLES;
    }
    rl_free(order);
    return RL_OK;
}

/* A column may be constant in the complete rows alone. */
static bool is_constant(const rl_init_table *c, int column) {
    rl_spread spread = {0};
    double value;
    for (int i = 0; i < c->table.n_rows; i++)
        if (c->complete[i] && rl_table_parse(&c->table, rl_init_cell(c, i, column), &value) == RL_HOLDS_NUMBER)
            rl_spread_take(&spread, value);
    return rl_spread_is_constant(&spread, RL_ROUNDING_OF_DOUBLES);
}

static void leave_out_constants(rl_init_table *c) {
    count_table(c);
    for (int j = 0; j < c->table.n_columns; j++)
        if (c->uses[j] == RL_USED && is_constant(c, j)) c->uses[j] = RL_CONSTANT;
    count_table(c);
}

/* Beyond half as many features as rows, a third: so that N can go well past N = P. */
static void leave_out_surplus(rl_init_table *c) {
    const int fits = c->n_features <= c->n_rows / 2 ? c->n_features : rl_larger(1, c->n_rows / 3);
    int left = rl_smaller(fits, (int)RL_MOST_FEATURES);
    for (int j = 0; j < c->table.n_columns; j++)
        if (c->uses[j] == RL_USED && left-- <= 0) c->uses[j] = RL_BEYOND;
    count_table(c);
}

static rl_status check_target(const rl_init_table *c) {
    const rl_table_content *content = &c->contents[c->target];
    if (content->n_texts > 0)
        return rl_fail(RL_ERR_INPUT, "%s:%d: `%.40s` in the target is not a number, expected a column of numbers",
                       c->table.path, c->table.lines[content->first_text],
                       rl_init_cell(c, content->first_text, c->target));
    if (!has_handle(c, c->target))
        return rl_fail(RL_ERR_INPUT, "%s: column %d: neither its name nor its number is its own, expected a new name",
                       c->table.path, c->target + 1);
    return RL_OK;
}

/* No column is a feature: a text, which may be a number in another spelling, tells most. */
static rl_status refuse_features(const rl_init_table *c) {
    int n_texts = 0, first = -1;
    for (int j = c->table.n_columns - 1; j >= 0; j--) {
        if (c->uses[j] != RL_TEXTS) continue;
        n_texts++;
        first = j;
    }
    if (n_texts == 0)
        return rl_fail(RL_ERR_INPUT, "%s: no column is left beside the target, expected one of numbers that differ",
                       c->table.path);
    const int row = c->contents[first].first_text;
    const char *cell = rl_init_cell(c, row, first), *name = c->table.header != NULL ? c->table.header[first] : "";
    return rl_fail(RL_ERR_INPUT,
                   "%s:%d: `%.40s` in column %d%s%.40s is not a number; no column of numbers that differ is left "
                   "beside the target, and %d column%s text",
                   c->table.path, c->table.lines[row], cell, first + 1, *name != '\0' ? ", " : "", name, n_texts,
                   n_texts == 1 ? " is" : "s are");
}

static rl_status choose_columns(rl_init_table *c) {
    for (int j = 0; j < c->table.n_columns; j++) c->uses[j] = first_use(c, j);
    RL_TRY(leave_out_holes(c));
    leave_out_constants(c);
    leave_out_surplus(c);
    if (c->n_features == 0) return refuse_features(c);
    if (c->n_rows < LEAST_ROWS)
        return rl_fail(RL_ERR_INPUT, "%s: %d rows have a target and all features, expected at least %d", c->table.path,
                       c->n_rows, LEAST_ROWS);
    return RL_OK;
}

/* ---- the rank ---------------------------------------------------------------------------------------------------- */

/* Of the features as the study will have them, standardized. */
static rl_status find_threshold(rl_init_table *c) {
    rl_dataset data = {0};
    int *features, n = 0;
    RL_TRY(RL_ALLOC(features, c->n_features));
    for (int j = 0; j < c->table.n_columns; j++)
        if (c->uses[j] == RL_USED) features[n++] = j;
    const rl_table_choice choice = {.features = features, .n_features = n, .target = c->target};
    rl_status status = rl_table_numbers(&c->table, &choice, &data);
    data.origin = c->table.path; /* for messages; borrowed */
    if (status == RL_OK) status = rl_standardize_features(RL_STANDARDIZE_Z_SCORE, RL_ROUNDING_OF_DOUBLES, &data);
    data.origin = NULL;
    if (status == RL_OK) status = rl_leading_ranks(data.n_rows, n, data.x, 1, &n, &data.rank);
    if (status == RL_OK) c->threshold = rl_dataset_threshold(&data);
    rl_dataset_destroy(&data);
    rl_free(features);
    return status;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static rl_status find_target(const char *name, rl_init_table *c) {
    const rl_columns all = rl_table_columns(&c->table);
    rl_text columns = RL_TEXT_EMPTY;
    if (name != NULL) return rl_columns_find(&all, name, &c->target);
    rl_status status = rl_columns_list(&all, &columns);
    if (status == RL_OK)
        status = rl_fail(RL_ERR_INPUT, "%s: which column is to be predicted? Give --target and one of %s",
                         c->table.path, columns.bytes);
    rl_free(columns.bytes);
    return status;
}

static rl_status choose_for(const char *target, rl_init_table *c) {
    RL_TRY(find_target(target, c));
    RL_TRY(RL_ALLOC(c->contents, c->table.n_columns));
    RL_TRY(RL_ALLOC(c->uses, c->table.n_columns));
    RL_TRY(RL_ALLOC(c->complete, c->table.n_rows));
    RL_TRY(rl_table_describe(&c->table, c->contents));
    RL_TRY(check_target(c));
    RL_TRY(choose_columns(c));
    return find_threshold(c);
}

rl_status rl_init_table_create(rl_init_table *c, const char *path, const char *target) {
    *c = (rl_init_table){0};
    RL_TRY(rl_table_read_unknown(path, &c->table));
    return choose_for(target, c);
}

void rl_init_table_destroy(rl_init_table *c) {
    rl_free(c->contents);
    rl_free(c->uses);
    rl_free(c->complete);
    rl_table_destroy(&c->table);
    *c = (rl_init_table){0};
}
