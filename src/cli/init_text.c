/* `init --csv`: what a table of the user's own puts into the first study: its data set, which N, and parameters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../numbers.h"
#include "init.h"

enum { MOST_N = 60 };

/* For comments: the beginning of any text. */
static rl_status append_printable(rl_text *text, const char *word) {
    return rl_text_append_printable(text, word, 60);
}

/* ---- the parts --------------------------------------------------------------------------------------------------- */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static rl_status append_title(const rl_init_table *c, rl_text *part) {
    rl_text title = RL_TEXT_EMPTY;
    rl_status status = append_printable(&title, base_name(c->table.path));
    if (status == RL_OK) status = rl_text_append(part, "title: ");
    if (status == RL_OK) status = rl_text_append_yaml(part, title.bytes);
    if (status == RL_OK) status = rl_text_append(part, " # optional; default: this file's name\n");
    rl_free(title.bytes);
    return status;
}

/* Large cases take long: there fewer repeats show the spike, too. */
static rl_status append_repeats(const rl_init_table *c, rl_text *part) {
    return rl_text_append(part, "repeats: %d\n", c->n_features <= 50 ? 100 : c->n_features <= 200 ? 30 : 10);
}

/* Up to four times the threshold where that leaves a fifth of the rows for testing. */
static rl_status append_n_train(const rl_init_table *c, rl_text *part) {
    const int p = c->threshold, last = rl_smaller(rl_larger(4 * p, 10), c->n_rows - rl_larger(1, c->n_rows / 5));
    const int step = (last + MOST_N - 1) / MOST_N;
    char threshold[32] = "P", rank[RL_RANK_TEXT];
    if (p < c->n_features) snprintf(threshold, sizeof threshold, "%d", p);
    RL_TRY(rl_text_append(part, "# This table has %d rows without a missing value and P = %d feature%s", c->n_rows,
                          c->n_features, rl_plural(c->n_features)));
    RL_TRY(rl_text_append(part, "%s: N goes through N = %s.\n", rl_rank_text(c->n_features, p, rank), threshold));
    RL_TRY(rl_text_append(part,
                          "# The fit has no intercept, as in the paper: a target far from zero is predicted worse than "
                          "by its mean.\n# The spike at N = %s is there all the same.\n",
                          threshold));
    if (step == 1) return rl_text_append(part, "n_train: {range: [1, %d]}\n", last);
    return rl_text_append(part, "n_train: {range: [%d, %d, %d], around_threshold: 5}\n", step, last, step);
}

static rl_status append_ablations(const rl_init_table *c, rl_text parts[RL_INIT_PARTS]) {
    const int few = rl_larger(1, c->threshold / 3), more = rl_larger(few + 1, 2 * c->threshold / 3);
    RL_TRY(
        rl_text_append(&parts[RL_INIT_CUTOFF],
                       "  - cutoff: {values: 0.1, relative: true} # no small singular values: modes below a tenth of "
                       "the largest\n"));
    return rl_text_append(&parts[RL_INIT_LEADING_MODES],
                          "  - leading_modes: [%d, %d] # test features in the span of the first %d (%d) modes alone\n",
                          few, more, few, more);
}

/* Where the study finds the table: beside itself, or anywhere. */
static rl_status append_path(const char *csv, const char *study, rl_text *part) {
    char *whole = strchr(study, '/') != NULL ? realpath(csv, NULL) : NULL;
    const char *path = whole != NULL ? whole : csv;
    rl_status status;
    if (rl_is_printable(path))
        status = rl_text_append_yaml(part, path);
    else
        status = rl_fail(RL_ERR_INPUT, "%s: this name cannot stand in a study file, expected one in UTF-8", csv);
    free(whole);
    return status;
}

/* The file's name, as far as a data set may be called so. */
static rl_status append_dataset_name(const char *csv, rl_text *part) {
    enum { LONGEST = 40 };
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t length;
    const char *name = rl_file_stem(csv, &length);
    const bool taken = name[0] == '-' || (length == 10 && strncmp(name, "provenance", length) == 0);
    RL_TRY(rl_text_append(part, "%s", taken ? "table-" : ""));
    for (size_t i = 0; i < length && i < LONGEST; i++)
        RL_TRY(rl_text_append(part, "%c", strchr(plain, name[i]) != NULL ? name[i] : '_'));
    return RL_OK;
}

/* Why there are no more features. */
static rl_status append_limit(const rl_init_table *c, rl_text *part) {
    if (c->n_features == RL_MOST_FEATURES) return rl_text_append(part, "a first study has at most %d", c->n_features);
    return rl_text_append(part, "%d rows allow %d feature%s, so that N can go beyond P", c->n_rows, c->n_features,
                          rl_plural(c->n_features));
}

static rl_status append_comment(const rl_init_table *c, int column, rl_text *part) {
    const rl_table_content *content = &c->contents[column];
    switch (c->uses[column]) {
        case RL_TARGET_COLUMN:
            RL_TRY(rl_text_append(part, "the target"));
            break;
        case RL_TEXTS:
            RL_TRY(rl_text_append(part, "left out: text in %d cell%s, the first is `", content->n_texts,
                                  rl_plural(content->n_texts)));
            RL_TRY(append_printable(part, rl_init_cell(c, content->first_text, column)));
            return rl_text_append(part, "` in line %d", c->table.lines[content->first_text]);
        case RL_EMPTY:
            return rl_text_append(part, "left out: has no value");
        case RL_CONSTANT:
            return rl_text_append(part, "left out: the same number in every row");
        case RL_ROW_NUMBERS:
            return rl_text_append(part, "left out: it numbers the rows");
        case RL_NAMELESS:
            return rl_text_append(part, "left out: neither its name nor its number is its own");
        case RL_MOSTLY_HOLES:
            RL_TRY(rl_text_append(part, "left out: too few rows have this and all others"));
            break;
        case RL_BEYOND:
            RL_TRY(rl_text_append(part, "numbers; left out: "));
            RL_TRY(append_limit(c, part));
            break;
        default:
            RL_TRY(rl_text_append(part, "numbers%s", content->distinct ? ", all different: names of rows?" : ""));
    }
    if (content->n_missing == 0) return RL_OK;
    return rl_text_append(part, "; missing in %d row%s", content->n_missing, rl_plural(content->n_missing));
}

/* A comment for each column, of very many for the first. */
static rl_status append_comments(const rl_init_table *c, rl_text *part) {
    enum { MOST = 60, WIDEST = 24 };
    const rl_table *table = &c->table;
    size_t width = 0;
    for (int j = 0; j < table->n_columns && j < MOST; j++)
        width = rl_larger(width, rl_smaller(strlen(table->header != NULL ? table->header[j] : ""), (size_t)WIDEST));
    for (int j = 0; j < table->n_columns && j < MOST; j++) {
        RL_TRY(rl_text_append(part, "  # %4d  ", j + 1));
        const size_t begin = part->length;
        RL_TRY(append_printable(part, table->header != NULL ? table->header[j] : "-"));
        while (part->length < begin + width + 2) RL_TRY(rl_text_append(part, " "));
        RL_TRY(append_comment(c, j, part));
        RL_TRY(rl_text_append(part, "\n"));
    }
    if (table->n_columns <= MOST) return RL_OK;
    return rl_text_append(part, "  # and %d columns more\n", table->n_columns - MOST);
}

/* Appends a list of the columns of some use, or of all other columns than the target. */
static rl_status append_list(const rl_init_table *c, const char *key, bool used, rl_text *part) {
    enum { COLUMNS = 100 };
    const rl_columns columns = rl_table_columns(&c->table);
    size_t line = part->length;
    bool first = true;
    RL_TRY(rl_text_append(part, "    %s: [", key));
    for (int j = 0; j < c->table.n_columns; j++) {
        if (c->uses[j] == RL_TARGET_COLUMN || (c->uses[j] == RL_USED) != used) continue;
        if (!first) RL_TRY(rl_text_append(part, ","));
        if (part->length - line > COLUMNS) {
            RL_TRY(rl_text_append(part, "\n     "));
            line = part->length;
        }
        if (!first) RL_TRY(rl_text_append(part, " "));
        RL_TRY(rl_column_append(&columns, j, part));
        first = false;
    }
    return rl_text_append(part, "]\n");
}

/* Of many features the columns are listed that are none, where these are few. */
static rl_status append_features(const rl_init_table *c, rl_text *part) {
    enum { MANY = 20 };
    const int n_others = c->table.n_columns - 1 - c->n_features;
    bool named = true;
    for (int j = 0; j < c->table.n_columns; j++) named &= c->uses[j] != RL_NAMELESS;
    if (c->n_features <= MANY || n_others >= c->n_features || !named) return append_list(c, "features", true, part);
    return n_others > 0 ? append_list(c, "except", false, part) : RL_OK;
}

static rl_status append_format(const rl_init_table *c, rl_text *part) {
    const rl_table_format *f = &c->table.format;
    const size_t i = (size_t)(strchr(RL_DELIMITERS, f->delimiter) - RL_DELIMITERS);
    if (i > 0) RL_TRY(rl_text_append(part, "    delimiter: %s\n", rl_delimiter_words[i]));
    if (!f->has_header) RL_TRY(rl_text_append(part, "    header: false # the first line holds numbers, too\n"));
    if (f->skip > 0) RL_TRY(rl_text_append(part, "    skip: %d # lines before the table\n", f->skip));
    if (f->comment != '\0')
        RL_TRY(rl_text_append(part, "    comment: '%c' # what follows it in a line is no data\n", f->comment));
    if (f->marks.decimal_comma) RL_TRY(rl_text_append(part, "    decimal: comma\n"));
    if (f->marks.thousands == RL_THOUSANDS_NONE) return RL_OK;
    return rl_text_append(part, "    thousands: %s\n", rl_thousands_words[f->marks.thousands]);
}

/* No more than offered: for N < P the shortest solution keeps an intercept small, and where the mean of the target is
 * far from zero the errors that this makes may hide the spike, which a first study is to show. */
static rl_status append_intercept(rl_text *part) {
    return rl_text_append(
        part,
        "    # intercept: true # without the first #: a column of ones, so that P is one more; for N < P it is kept "
        "small\n");
}

static rl_status append_dataset(const rl_init_table *c, const char *csv, const char *study, rl_text *part) {
    const rl_columns columns = rl_table_columns(&c->table);
    RL_TRY(rl_text_append(part, "  # The columns of the table, and what they are to this study:\n"));
    RL_TRY(append_comments(c, part));
    RL_TRY(rl_text_append(part, "  - source: csv\n    name: "));
    RL_TRY(append_dataset_name(csv, part));
    RL_TRY(rl_text_append(part, " # as it is called in the results\n    file: "));
    RL_TRY(append_path(csv, study, part));
    RL_TRY(rl_text_append(part, " # looked for beside this file first\n"));
    RL_TRY(append_format(c, part));
    RL_TRY(rl_text_append(part, "    target: "));
    RL_TRY(rl_column_append(&columns, c->target, part));
    RL_TRY(rl_text_append(part, " # the column to predict\n"));
    RL_TRY(append_features(c, part));
    RL_TRY(
        rl_text_append(part,
                       "    standardize: z-score # mean 0 and standard deviation 1 for each feature, so that its unit "
                       "does not matter\n"));
    return append_intercept(part);
}

rl_status rl_init_fill(const rl_init_table *c, const char *csv, const char *study, rl_text parts[RL_INIT_PARTS]) {
    RL_TRY(append_title(c, &parts[RL_INIT_TITLE]));
    RL_TRY(append_repeats(c, &parts[RL_INIT_REPEATS]));
    RL_TRY(append_n_train(c, &parts[RL_INIT_N_TRAIN]));
    RL_TRY(append_ablations(c, parts));
    return append_dataset(c, csv, study, &parts[RL_INIT_DATASETS]);
}

/* ---- the summary ------------------------------------------------------------------------------------------------- */

static rl_status append_reason(const rl_init_table *c, int column, rl_text *text) {
    const rl_table_content *content = &c->contents[column];
    switch (c->uses[column]) {
        case RL_TEXTS:
            if (content->n_texts == c->table.n_rows - content->n_missing) return rl_text_append(text, "text");
            return rl_text_append(text, "text in %d cell%s", content->n_texts, rl_plural(content->n_texts));
        case RL_EMPTY:
            return rl_text_append(text, "no value");
        case RL_CONSTANT:
            return rl_text_append(text, "the same number in every row");
        case RL_ROW_NUMBERS:
            return rl_text_append(text, "numbers the rows");
        case RL_NAMELESS:
            return rl_text_append(text, "neither its name nor its number is its own");
        case RL_MOSTLY_HOLES:
            return rl_text_append(text, "missing in %d row%s", content->n_missing, rl_plural(content->n_missing));
        default:
            return append_limit(c, text);
    }
}

/* Where its name is no word that people can read, its number. */
static rl_status append_left_out(const rl_init_table *c, int column, rl_text *text) {
    const char *name = c->table.header != NULL ? c->table.header[column] : "";
    RL_TRY(*name != '\0' ? append_printable(text, name) : rl_text_append(text, "column %d", column + 1));
    RL_TRY(rl_text_append(text, " ("));
    RL_TRY(append_reason(c, column, text));
    return rl_text_append(text, ")");
}

rl_status rl_init_summarize(const rl_init_table *c, const char *study, rl_text *text) {
    enum { MOST = 8 };
    const int n_columns = c->table.n_columns, n_left_out = n_columns - 1 - c->n_features;
    char rank[RL_RANK_TEXT];
    RL_TRY(rl_text_append(text, "%d of %d columns are features, %d of %d rows are complete.", c->n_features, n_columns,
                          c->n_rows, c->table.n_rows));
    if (c->threshold < c->n_features)
        RL_TRY(rl_text_append(text, " P = %d%s.", c->n_features, rl_rank_text(c->n_features, c->threshold, rank)));
    for (int j = 0, n = 0; j < n_columns && n < MOST; j++) {
        if (c->uses[j] == RL_USED || c->uses[j] == RL_TARGET_COLUMN) continue;
        RL_TRY(rl_text_append(text, n++ == 0 ? " Left out: " : ", "));
        RL_TRY(append_left_out(c, j, text));
    }
    if (n_left_out > MOST) RL_TRY(rl_text_append(text, " and %d more", n_left_out - MOST));
    return n_left_out > 0 ? rl_text_append(text, ". More in %s.", study) : RL_OK;
}
