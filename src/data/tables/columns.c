/* The columns of a table: found by name, number or range, and chosen as a study says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../numbers.h"
#include "../sources/source.h"

/* ---- names ------------------------------------------------------------------------------------------------------- */

static const char *name_of(const rl_columns *c, int column) {
    return c->names != NULL ? c->names[column] : "";
}

rl_status rl_columns_list(const rl_columns *c, rl_text *names) {
    enum { MOST = 30, LONGEST = 60 };
    for (int j = 0; j < c->n && j < MOST; j++) {
        if (j > 0) RL_TRY(rl_text_append(names, ", "));
        const char *name = name_of(c, j);
        RL_TRY(*name != '\0' ? rl_text_append(names, "`") : rl_text_append(names, "%d", j + 1));
        RL_TRY(rl_text_append_printable(names, name, LONGEST));
        if (*name != '\0') RL_TRY(rl_text_append(names, "`"));
    }
    return c->n <= MOST ? RL_OK : rl_text_append(names, ", ... (%d %ss)", c->n, c->kind);
}

/* For qsort. */
static int compare_names(const void *a, const void *b) {
    const rl_column_name *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order != 0 ? order : rl_compare_ints(&x->column, &y->column);
}

rl_status rl_columns_sort(const char *const *names, int n, rl_column_name **sorted) {
    RL_TRY(RL_ALLOC(*sorted, n));
    for (int j = 0; j < n; j++) (*sorted)[j] = (rl_column_name){names[j], j};
    qsort(*sorted, (size_t)n, sizeof **sorted, compare_names);
    return RL_OK;
}

/* The columns that are called `name`: the first two of them at most, in called[2]. */
static int find_called(const rl_columns *c, const char *name, int called[2]) {
    int first = 0, end = c->sorted != NULL ? c->n : 0, n = 0;
    while (first < end) {
        const int middle = first + (end - first) / 2;
        if (strcmp(c->sorted[middle].name, name) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    for (int i = first; c->sorted != NULL && i < c->n && n < 2 && strcmp(c->sorted[i].name, name) == 0; i++)
        called[n++] = c->sorted[i].column;
    return n;
}

bool rl_column_goes_by_name(const rl_columns *c, int column) {
    const char *name = name_of(c, column);
    int called[2];
    return *name != '\0' && rl_is_printable(name) && find_called(c, name, called) == 1;
}

bool rl_column_goes_by_number(const rl_columns *c, int column) {
    char number[16];
    int called[2];
    snprintf(number, sizeof number, "%d", column + 1);
    return find_called(c, number, called) == 0;
}

rl_status rl_column_append(const rl_columns *c, int column, rl_text *text) {
    if (rl_column_goes_by_name(c, column)) return rl_text_append_yaml(text, name_of(c, column));
    if (rl_column_goes_by_number(c, column)) return rl_text_append(text, "%d", column + 1);
    return rl_text_append(text, "%d-%d", column + 1, column + 1); /* another one is called by its number */
}

const char *rl_column_text(const rl_columns *c, int column, char text[RL_COLUMN_TEXT]) {
    enum { LONGEST = 40 };
    rl_text name = RL_TEXT_EMPTY;
    snprintf(text, RL_COLUMN_TEXT, "%s %d", c->kind, column + 1);
    if (*name_of(c, column) != '\0' && rl_text_append_printable(&name, name_of(c, column), LONGEST) == RL_OK)
        snprintf(text, RL_COLUMN_TEXT, "%s `%s`", c->kind, name.bytes);
    rl_free(name.bytes);
    return text;
}

/* ---- finding one ------------------------------------------------------------------------------------------------- */

/* Whether two words have as many characters, and differ only where one is of ASCII and the other is not: as where a
 * Cyrillic letter looks like a Latin one. *code: the first such character that is not of ASCII. */
static bool look_alike(const char *word, const char *other, uint32_t *code) {
    uint32_t a, b;
    *code = 0;
    while (*word != '\0' && *other != '\0') {
        const int length = rl_character(word, &a), other_length = rl_character(other, &b);
        if (a != b && (a < 0x80) == (b < 0x80)) return false;
        if (a != b && *code == 0) *code = a < b ? b : a;
        word += length > 0 ? length : 1;
        other += other_length > 0 ? other_length : 1;
    }
    return *word == *other && *code != 0;
}

/* "; did you mean `a`? There it is spelled with U+0430" */
static const char *hint_column(const rl_columns *c, const char *name, char hint[RL_WORD_HINT]) {
    uint32_t code;
    if (c->names == NULL) return strcpy(hint, ";");
    for (int j = 0; j < c->n; j++) {
        if (!look_alike(name, c->names[j], &code)) continue;
        snprintf(hint, RL_WORD_HINT, "; did you mean `%.40s`, which differs in U+%04X?", c->names[j], code);
        return hint;
    }
    return rl_word_hint(name, c->names, c->n, hint);
}

static rl_status fail_column(const rl_columns *c, const char *name) {
    char hint[RL_WORD_HINT];
    rl_text names = RL_TEXT_EMPTY;
    if (c->names == NULL)
        return rl_fail(RL_ERR_INPUT, "%s: no %s `%s`, expected a number from 1 to %d as there is no header line",
                       c->table, c->kind, name, c->n);
    rl_status status = rl_columns_list(c, &names);
    if (status == RL_OK)
        status = rl_fail(RL_ERR_INPUT, "%s: no %s `%s`%s expected one of %s", c->table, c->kind, name,
                         hint_column(c, name, hint), names.bytes);
    rl_free(names.bytes);
    return status;
}

/* *column: -1 where none has that name, which has its blanks folded. */
static rl_status find_named(const rl_columns *c, const char *name, int *column) {
    int called[2];
    const int n = find_called(c, name, called);
    *column = n > 0 ? called[0] : -1;
    if (n < 2) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: %ss %d and %d are both called `%s`, expected the number of one", c->table,
                   c->kind, called[0] + 1, called[1] + 1, name);
}

/* Reads "2-8". */
static bool parse_range(const char *text, int n, int *first, int *last) {
    int64_t from, to;
    char begin[16];
    const size_t length = strspn(text, "0123456789");
    if (length == 0 || length >= sizeof begin || text[length] != '-') return false;
    memcpy(begin, text, length);
    begin[length] = '\0';
    if (text[length + 1 + strspn(text + length + 1, "0123456789")] != '\0') return false;
    if (!rl_parse_integer(begin, 1, n, &from) || !rl_parse_integer(text + length + 1, from, n, &to)) return false;
    *first = (int)from - 1;
    *last = (int)to - 1;
    return true;
}

/* Of a name whose blanks are folded. */
static rl_status find_folded(const rl_columns *c, const char *name, int *first, int *last) {
    int64_t number;
    RL_TRY(find_named(c, name, first));
    if (*first < 0 && parse_range(name, c->n, first, last)) return RL_OK;
    if (*first < 0 && rl_parse_integer(name, 1, c->n, &number)) *first = (int)number - 1;
    if (*first < 0) return fail_column(c, name);
    *last = *first;
    return RL_OK;
}

static rl_status find_range(const rl_columns *c, const char *name, int *first, int *last) {
    char *folded;
    RL_TRY(rl_strdup(&folded, name));
    rl_fold_blanks(folded);
    const bool from_root = c->root != 0 && *folded == c->root;
    const rl_status status = find_folded(c, folded + from_root, first, last);
    rl_free(folded);
    return status;
}

rl_status rl_columns_find(const rl_columns *c, const char *name, int *column) {
    int last = 0;
    RL_TRY(find_range(c, name, column, &last));
    return last == *column ? RL_OK : fail_column(c, name);
}

/* ---- choosing features ------------------------------------------------------------------------------------------- */

enum { FREE, CHOSEN, LEFT_OUT };

/* A choice that is being made. */
typedef struct choice {
    const rl_source_request *request;
    const rl_columns *columns;
    const rl_column_rule *rule;
    char *marks; /* [n]: of each column */
    int *chosen, *n;
} choice;

static rl_status add_column(const choice *c, const char *word, int column, bool in_range) {
    if (column == c->rule->target && in_range) return RL_OK;
    if (column == c->rule->target)
        return rl_source_key_fail(c->request, "features", "`%s` is the target, expected other %ss", word,
                                  c->columns->kind);
    if (c->marks[column] == CHOSEN)
        return rl_source_key_fail(c->request, "features", "`%s` is named twice, expected each %s once", word,
                                  c->columns->kind);
    c->marks[column] = CHOSEN;
    c->chosen[(*c->n)++] = column;
    return RL_OK;
}

static rl_status add_named(const choice *c, const rl_option_value *features) {
    for (int i = 0; i < features->n_list; i++) {
        int first, last;
        if (find_range(c->columns, features->list[i], &first, &last) != RL_OK)
            return rl_source_key_fail(c->request, "features", "%s", rl_error_message());
        for (int j = first; j <= last; j++) RL_TRY(add_column(c, features->list[i], j, last > first));
    }
    return RL_OK;
}

static rl_status leave_out(const choice *c, const rl_option_value *except) {
    int kept = 0;
    for (int i = 0; i < except->n_list; i++) {
        int first, last;
        if (find_range(c->columns, except->list[i], &first, &last) != RL_OK)
            return rl_source_key_fail(c->request, "except", "%s", rl_error_message());
        for (int j = first; j <= last; j++) c->marks[j] = LEFT_OUT;
    }
    for (int j = 0; j < *c->n; j++)
        if (c->marks[c->chosen[j]] != LEFT_OUT) c->chosen[kept++] = c->chosen[j];
    *c->n = kept;
    return RL_OK;
}

/* `features: numeric`, where no column is called so. */
static bool wants_numeric(const choice *c, const rl_option_value *features) {
    int called[2];
    return features->n_list == 1 && strcmp(features->list[0], "numeric") == 0 &&
           find_called(c->columns, "numeric", called) == 0;
}

static rl_status choose_columns(const choice *c) {
    const rl_option_value *features = rl_options_get(c->request->options, "features");
    const bool numeric = wants_numeric(c, features);
    const rl_column_test fits = numeric ? c->rule->is_numeric : c->rule->is_usual;
    if (features->given && features->n_list == 0)
        return rl_source_key_fail(c->request, "features", "is empty, expected a %s", c->columns->kind);
    if (features->n_list > 0 && !numeric) RL_TRY(add_named(c, features));
    for (int j = 0; (features->n_list == 0 || numeric) && j < c->columns->n; j++)
        if (j != c->rule->target && (fits == NULL || fits(c->rule->table, j))) c->chosen[(*c->n)++] = j;
    RL_TRY(leave_out(c, rl_options_get(c->request->options, "except")));
    if (*c->n > 0) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "dataset `%s`: %s: no %s%s is left besides the target, expected a feature",
                   c->request->name, c->columns->table, c->columns->kind, numeric ? " of numbers" : "");
}

rl_status rl_columns_choose(const rl_source_request *request, const rl_columns *columns, const rl_column_rule *rule,
                            int *chosen, int *n) {
    choice c = {.request = request, .columns = columns, .rule = rule, .chosen = chosen, .n = n};
    *n = 0;
    RL_TRY(RL_ALLOC(c.marks, columns->n));
    const rl_status status = choose_columns(&c);
    rl_free(c.marks);
    return status;
}

rl_status rl_columns_advise(const rl_columns *c, const int *columns, int n, rl_text *text) {
    enum { MOST = 8 };
    if (n > MOST) return rl_text_append(text, "`features: numeric` leaves out the %d %ss with text", n, c->kind);
    RL_TRY(rl_text_append(text, "`except: ["));
    for (int i = 0; i < n; i++) {
        RL_TRY(rl_text_append(text, "%s", i > 0 ? ", " : ""));
        RL_TRY(rl_column_append(c, columns[i], text));
    }
    return rl_text_append(text, "]` leaves the %s%s out", c->kind, rl_plural(n));
}
