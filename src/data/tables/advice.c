/* What is said of a cell that is no number: what it may have been meant to be, and which key reads it so. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../sources/source.h"
#include "table.h"

/* A cell that is being judged, and what a message says of it. */
typedef struct judged {
    const rl_table *table;
    const rl_table_choice *choice;
    const char *cell;
    int row, column;
    rl_text *advice;
} judged;

/* ---- characters -------------------------------------------------------------------------------------------------- */

/* Whether the text is like a number, but for characters that are none of ASCII. *code: the first of these. A dash alone
 * is none: it stands for nothing. */
static bool is_nearly_number(const char *text, uint32_t *code) {
    uint32_t c;
    const int first = rl_character(text, &c);
    *code = 0;
    if (first > 0 && text[first] == '\0' && (c == 0x2212 || (c >= 0x2010 && c <= 0x2015))) return false;
    for (int length; *text != '\0'; text += length > 0 ? length : 1) {
        length = rl_character(text, &c);
        if (c < 0x80 && strchr("0123456789+-.,eE' _", (int)c) == NULL) return false;
        if (c >= 0x80 && *code == 0) *code = c;
    }
    return *code != 0;
}

/* Unicode's names of characters that are taken for those of numbers. */
static const char *name_of_character(uint32_t code) {
    static const struct {
        uint32_t first, last;
        const char *name;
    } names[] = {
        {0x00a0, 0x00a0, "no-break space"},
        {0x0660, 0x0669, "Arabic-Indic digit"},
        {0x066b, 0x066b, "Arabic decimal separator"},
        {0x066c, 0x066c, "Arabic thousands separator"},
        {0x06f0, 0x06f9, "extended Arabic-Indic digit"},
        {0x2009, 0x2009, "thin space"},
        {0x2010, 0x2015, "hyphen or dash"},
        {0x2019, 0x2019, "right single quotation mark"},
        {0x202f, 0x202f, "narrow no-break space"},
        {0x2212, 0x2212, "minus sign"},
        {0xff0b, 0xff0b, "full-width plus sign"},
        {0xff0c, 0xff0c, "full-width comma"},
        {0xff0d, 0xff0d, "full-width hyphen-minus"},
        {0xff0e, 0xff0e, "full-width full stop"},
        {0xff10, 0xff19, "full-width digit"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (code >= names[i].first && code <= names[i].last) return names[i].name;
    return "not of ASCII";
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* Whether other marks read the same numbers with fewer keys: those with the decimals that the table has. */
static bool is_spare(const judged *c, const rl_marks *found, int n, rl_marks marks) {
    const bool comma = c->table->format.marks.decimal_comma;
    for (int i = 0; i < n; i++)
        if (found[i].thousands == marks.thousands && found[i].decimal_comma == comma)
            return marks.decimal_comma != comma;
    return false;
}

/* The marks by which the whole column is numbers, each with what the cell is then. */
static rl_status advise_marks(const judged *c) {
    rl_marks found[RL_MARKS_MOST];
    const rl_marks now = c->table->format.marks;
    const int n = rl_table_find_marks(c->table, c->column, found);
    for (int i = 0; i < n; i++) {
        double value = NAN;
        if (is_spare(c, found, n, found[i])) continue;
        rl_parse_marked(c->cell, found[i], &value);
        RL_TRY(rl_text_append(c->advice, c->advice->length == 0 ? "; " : ", "));
        RL_TRY(rl_marks_append_keys(found[i], now, c->advice));
        const bool two = found[i].decimal_comma != now.decimal_comma && found[i].thousands != now.thousands;
        RL_TRY(rl_text_append(c->advice, " read%s it as %.15g", two ? "" : "s", value));
    }
    return RL_OK;
}

static bool is_text(const rl_table *table, int row, int column) {
    double value;
    return rl_table_parse(table, rl_table_cell(table, row, column), &value) == RL_HOLDS_TEXT;
}

static bool has_text(const rl_table *table, int column) {
    for (int i = 0; i < table->n_rows; i++)
        if (is_text(table, i, column)) return true;
    return false;
}

/* Whether the columns have text in this row alone, as one of units is. */
static bool is_lone_row(const judged *c) {
    for (int i = 0; i < c->table->n_rows; i++)
        if (i != c->row && is_text(c->table, i, c->column)) return false;
    return c->table->n_rows > 1;
}

static rl_status advise_columns(const judged *c) {
    const rl_columns columns = rl_table_columns(c->table);
    int *texts, n = 0;
    RL_TRY(RL_ALLOC(texts, c->choice->n_features));
    for (int j = 0; j < c->choice->n_features; j++)
        if (has_text(c->table, c->choice->features[j])) texts[n++] = c->choice->features[j];
    rl_status status = rl_text_append(c->advice, "; ");
    if (status == RL_OK) status = rl_columns_advise(&columns, texts, n, c->advice);
    rl_free(texts);
    return status;
}

/* The texts of a column of numbers, where they are a few words, in words[MOST_WORDS]; their
 * number is returned. */
enum { MOST_WORDS = 3 };
static int find_words(const judged *c, const char *words[MOST_WORDS]) {
    int n = 0, n_numbers = 0;
    double value;
    for (int i = 0, k; i < c->table->n_rows; i++) {
        const char *cell = rl_table_cell(c->table, i, c->column);
        const rl_content what = rl_table_parse(c->table, cell, &value);
        n_numbers += what == RL_HOLDS_NUMBER;
        if (what != RL_HOLDS_TEXT) continue;
        for (k = 0; k < n && strcmp(words[k], cell) != 0; k++) continue;
        if (k == MOST_WORDS || !rl_is_printable(cell) || strlen(cell) > 40) return 0;
        if (k == n) words[n++] = cell;
    }
    return n_numbers > n ? n : 0;
}

/* The key replaces what the study has, so that it repeats that. */
static rl_status advise_missing(const judged *c) {
    const rl_missing *had = c->table->format.missing;
    const char *words[MOST_WORDS];
    const int n = find_words(c, words), n_had = had != NULL ? had->n_words : 0;
    if (n == 0) return RL_OK;
    RL_TRY(rl_text_append(c->advice, "; `missing: ["));
    for (int i = 0; i < n_had + n; i++) {
        RL_TRY(rl_text_append(c->advice, "%s", i > 0 ? ", " : ""));
        RL_TRY(rl_text_append_yaml(c->advice, i < n_had ? had->words[i] : words[i - n_had]));
    }
    return rl_text_append(c->advice, "]` takes %s", n > 1 ? "these for missing values" : "it for a missing value");
}

static rl_status advise(const judged *c) {
    const int line = c->table->lines[c->row];
    char key[RL_SKIP_KEY];
    uint32_t code;
    RL_TRY(advise_marks(c));
    if (c->advice->length > 0) return RL_OK;
    const bool nearly = is_nearly_number(c->cell, &code);
    if (nearly)
        RL_TRY(rl_text_append(c->advice, ": it has U+%04X (%s), expected characters of ASCII", code,
                              name_of_character(code)));
    if (!c->choice->by_study) return RL_OK;
    if (is_lone_row(c) && c->row == 0 && !nearly)
        return rl_text_append(c->advice, "; is line %d not of the data? %s leaves it out", line,
                              rl_table_skip_key(&c->table->format, line, key));
    if (!nearly) RL_TRY(advise_missing(c));
    if (is_lone_row(c) && !nearly)
        RL_TRY(rl_text_append(c->advice, "; %s leaves the line out", rl_table_skip_key(&c->table->format, line, key)));
    if (c->column != c->choice->target) return advise_columns(c);
    return c->advice->length > 0 ? RL_OK : rl_text_append(c->advice, "; `target` names a column of numbers");
}

/* ---- the message ------------------------------------------------------------------------------------------------- */

/* Whether a cell that is no finite number is an infinite one, or NaN. */
static bool is_beyond_all_numbers(const char *cell) {
    char *end;
    const double value = strtod(cell, &end);
    return end != cell && *end == '\0' && !isfinite(value);
}

static bool is_encoded(const char *text) {
    uint32_t code;
    for (int length; *text != '\0'; text += length)
        if ((length = rl_character(text, &code)) == 0) return false;
    return true;
}

rl_status rl_table_fail_cell(const rl_table *table, int row, int column, const rl_table_choice *choice) {
    enum { SHOWN = 40 };
    const rl_columns columns = rl_table_columns(table);
    rl_text cell = RL_TEXT_EMPTY, advice = RL_TEXT_EMPTY;
    const judged c = {table, choice, rl_table_cell(table, row, column), row, column, &advice};
    char name[RL_COLUMN_TEXT];
    if (!is_encoded(c.cell)) return rl_table_fail_encoding(table);
    rl_status status = rl_text_append_printable(&cell, c.cell, SHOWN);
    if (status == RL_OK) status = advise(&c);
    if (status == RL_OK)
        status = rl_fail(RL_ERR_INPUT, "%s:%d: %s: `%s` is not %s%s", table->path, table->lines[row],
                         rl_column_text(&columns, column, name), cell.bytes,
                         is_beyond_all_numbers(c.cell) ? "a finite number" : "a number",
                         advice.length > 0 ? advice.bytes : "");
    rl_free(cell.bytes);
    rl_free(advice.bytes);
    return status;
}
