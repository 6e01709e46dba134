/* Numbers as people write them in tables: with a decimal comma, and with marks between thousands. */
#include <ctype.h>
#include <string.h>

#include "ridgeless/data.h"

const char *const rl_thousands_words[] = {"none", "comma", "point", "space", "apostrophe", "underscore"};

/* The bytes of a mark between thousands that the text begins with; 0: of none. */
static size_t mark_length(const char *text, rl_thousands thousands) {
    static const char *const marks[][5] = {
        [RL_THOUSANDS_NONE] = {NULL},
        [RL_THOUSANDS_COMMA] = {","},
        [RL_THOUSANDS_POINT] = {"."},
        [RL_THOUSANDS_SPACE] = {" ", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89"}, /* U+00A0, U+202F, U+2009 */
        [RL_THOUSANDS_APOSTROPHE] = {"'", "\xe2\x80\x99"},                        /* U+2019 */
        [RL_THOUSANDS_UNDERSCORE] = {"_"},
    };
    for (const char *const *mark = marks[thousands]; *mark != NULL; mark++)
        if (strncmp(text, *mark, strlen(*mark)) == 0) return strlen(*mark);
    return 0;
}

/* A number that is being read mark by mark. */
typedef struct integer_part {
    int n_groups, n_digits; /* groups that have ended, digits of the last */
    bool zero;              /* it begins with a zero */
} integer_part;

/* Groups have three digits, in India two; the first may have fewer, but no zero before others. */
static bool end_group(integer_part *p, bool last) {
    const bool first = p->n_groups == 0, whole = p->n_digits == 3 || (!last && p->n_digits == 2);
    const bool fits = first && !last ? p->n_digits >= 1 && p->n_digits <= 3 && !p->zero : whole;
    if (last && first) return true; /* there are no groups */
    p->n_groups++;
    p->n_digits = 0;
    return fits;
}

/* Copies the number without marks, and with a point for the decimal comma. */
static bool spell_plainly(const char *text, rl_marks marks, char *plain, size_t size) {
    const char decimal = marks.decimal_comma ? ',' : '.';
    integer_part p = {0};
    bool integer = true;
    for (size_t n = 0; n + 1 < size; text++) {
        const size_t mark = integer ? mark_length(text, marks.thousands) : 0;
        const bool digit = isdigit((unsigned char)*text), sign = n == 0 && (*text == '-' || *text == '+');
        if (mark > 0) {
            if (!end_group(&p, false)) return false;
            text += mark - 1;
            continue;
        }
        if (integer && digit && p.n_groups == 0 && p.n_digits == 0) p.zero = *text == '0';
        if (integer && digit) p.n_digits++;
        if (integer && !digit && !sign) {
            if (!end_group(&p, true)) return false;
            integer = false;
        }
        if (*text == '.' && marks.decimal_comma) return false;
        plain[n++] = *text == decimal ? '.' : *text;
        if (*text == '\0') return true;
    }
    return false;
}

bool rl_parse_marked(const char *text, rl_marks marks, double *value) {
    char plain[512];
    if (!marks.decimal_comma && marks.thousands == RL_THOUSANDS_NONE) return rl_parse_real(text, value);
    return spell_plainly(text, marks, plain, sizeof plain) && rl_parse_real(plain, value);
}

bool rl_marks_fit(rl_marks marks, char delimiter) {
    const rl_thousands same = marks.decimal_comma ? RL_THOUSANDS_COMMA : RL_THOUSANDS_POINT;
    return marks.thousands != same && (marks.thousands != RL_THOUSANDS_SPACE || delimiter != ' ');
}

rl_status rl_marks_append_keys(rl_marks marks, rl_marks instead, rl_text *text) {
    const bool decimal = marks.decimal_comma != instead.decimal_comma, groups = marks.thousands != instead.thousands;
    if (decimal)
        RL_TRY(rl_text_append(text, "`decimal: %s`%s", marks.decimal_comma ? "comma" : "point", groups ? " and " : ""));
    return groups ? rl_text_append(text, "`thousands: %s`", rl_thousands_words[marks.thousands]) : RL_OK;
}

/* Whether all values of a column are numbers by these marks, and there is one. */
static bool suits_column(const rl_table *table, int column, rl_marks marks) {
    double value;
    bool some = false;
    for (int i = 0; i < table->n_rows; i++) {
        const char *cell = rl_table_cell(table, i, column);
        if (rl_table_misses(table, cell)) continue;
        if (!rl_parse_marked(cell, marks, &value)) return false;
        some = true;
    }
    return some;
}

int rl_table_find_marks(const rl_table *table, int column, rl_marks found[RL_MARKS_MOST]) {
    int n = 0;
    for (int comma = 0; comma < 2; comma++)
        for (rl_thousands t = RL_THOUSANDS_NONE; t <= RL_THOUSANDS_UNDERSCORE; t++) {
            const rl_marks marks = {comma == 1, t};
            /* More marks than are needed read the same numbers: one reading of each kind is enough. */
            if (n > 0 && comma == found[n - 1].decimal_comma && found[n - 1].thousands == RL_THOUSANDS_NONE) continue;
            if (rl_marks_fit(marks, table->format.delimiter) && suits_column(table, column, marks)) found[n++] = marks;
        }
    return n;
}
