/* The source `csv`: any table of text that a study names. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../../numbers.h"
#include "source.h"

/* ---- how the table is written ------------------------------------------------------------------------------------ */

/* Reads the entries "4" and "6-9" of the key `skip_lines`. */
static rl_status read_lines(const rl_source_request *request, rl_lines *lines) {
    const rl_option_value *value = rl_options_get(request->options, "skip_lines");
    for (int i = 0; i < value->n_list; i++) {
        char *end;
        const long first = strtol(value->list[i], &end, 10), last = *end == '-' ? strtol(end + 1, &end, 10) : first;
        if (*value->list[i] == '\0' || *end != '\0' || first < 1 || last < first || last > INT32_MAX)
            return rl_source_key_fail(request, "skip_lines",
                                      "got `%.40s`; expected numbers of lines from 1, or ranges "
                                      "of them such as 4-6",
                                      value->list[i]);
        lines[i] = (rl_lines){(int)first, (int)last};
    }
    return RL_OK;
}

static rl_status read_comment(const rl_source_request *request, char *comment) {
    const char *text = rl_options_text(request->options, "comment");
    if (text == NULL) return RL_OK;
    if (strlen(text) != 1 || !ispunct((unsigned char)*text) || strchr("\",;.+-", *text) != NULL)
        return rl_source_key_fail(
            request, "comment", "got `%.40s`; expected one character of ASCII that stands in no number, such as \"#\"",
            text);
    *comment = *text;
    return RL_OK;
}

/* `lines` and `missing` are filled, and borrowed by the format. */
static rl_status read_format(const rl_source_request *request, rl_lines *lines, const rl_missing *missing,
                             rl_table_format *format) {
    const rl_options *o = request->options;
    *format = (rl_table_format){
        .delimiter = RL_DELIMITERS[(int)rl_options_get(o, "delimiter")->number],
        .has_header = rl_options_flag(o, "header"),
        .skip = rl_options_integer(o, "skip"),
        .skipped = lines,
        .n_skipped = rl_options_get(o, "skip_lines")->n_list,
        .marks = {rl_options_get(o, "decimal")->number == 1, (rl_thousands)rl_options_get(o, "thousands")->number},
        .missing = missing,
    };
    RL_TRY(read_lines(request, lines));
    RL_TRY(read_comment(request, &format->comment));
    if (rl_marks_fit(format->marks, format->delimiter)) return RL_OK;
    return rl_source_key_fail(request, "thousands", "`%s` has another meaning in this table, expected another mark",
                              rl_options_text(o, "thousands"));
}

/* ---- which columns ----------------------------------------------------------------------------------------------- */

static bool has_name(const rl_table *table, int column) {
    return table->header != NULL && *table->header[column] != '\0';
}

static bool is_empty(const rl_table *table, int column) {
    for (int i = 0; i < table->n_rows; i++)
        if (!rl_table_misses(table, rl_table_cell(table, i, column))) return false;
    return true;
}

/* A column without a name and a value is none: each line ends in a delimiter. */
static bool is_usual(const void *of, int column) {
    const rl_table *table = of;
    if (table->row_names && column == 0) return false;
    return has_name(table, column) || !is_empty(table, column);
}

/* Whether every value of a column is a number, and there is one. */
static bool is_numeric(const void *of, int column) {
    const rl_table *table = of;
    double value;
    bool some = false;
    if (!is_usual(table, column)) return false;
    for (int i = 0; i < table->n_rows; i++) {
        const rl_content what = rl_table_parse(table, rl_table_cell(table, i, column), &value);
        if (what == RL_HOLDS_TEXT) return false;
        some |= what == RL_HOLDS_NUMBER;
    }
    return some;
}

/* A header line that is a row of data would lose it. */
static rl_status check_header(const rl_source_request *request, const rl_table *table) {
    if (table->header == NULL || rl_options_get(request->options, "header")->given) return RL_OK;
    if (!rl_table_header_is_data(table)) return RL_OK;
    return rl_fail(
        RL_ERR_INPUT,
        "dataset `%s`: %s: the header line holds nothing but numbers, `%.40s` and so on: `header: false` takes "
        "it for data, and `header: true` for names",
        request->name, table->path, table->header[0]);
}

/* The names have their blanks folded, and show no tab. */
static bool has_tab(const rl_table *table) {
    return strchr(table->cells[0], '\t') != NULL;
}

static rl_status check_delimiter(const rl_source_request *request, const rl_table *table) {
    const char *line = table->header != NULL ? table->header[0] : table->cells[0];
    if (table->n_columns > 1) return RL_OK;
    for (const char *d = RL_DELIMITERS; *d != '\0'; d++)
        if (*d != table->format.delimiter && (strchr(line, *d) != NULL || (*d == '\t' && has_tab(table))))
            return rl_fail(RL_ERR_INPUT,
                           "dataset `%s`: %s: has one column, `%.60s`; does something else separate "
                           "columns? `delimiter: %s`",
                           request->name, table->path, line, rl_delimiter_words[d - RL_DELIMITERS]);
    return RL_OK;
}

/* The line among the first rows in which a name stands that the header has not, as where a title fills the first line;
 * 0: none. */
static int find_name(const rl_table *table, const char *name) {
    enum { MOST_ROWS = 20 };
    double value;
    if (table->header == NULL || rl_table_parse(table, name, &value) != RL_HOLDS_TEXT) return 0;
    for (int i = 0; i < table->n_rows && i < MOST_ROWS; i++)
        for (int j = 0; j < table->n_columns; j++)
            if (strcmp(rl_table_cell(table, i, j), name) == 0) return table->lines[i];
    return 0;
}

static rl_status find_target(const rl_source_request *request, const rl_table *table, int *target) {
    const rl_columns columns = rl_table_columns(table);
    const char *name = rl_options_text(request->options, "target");
    if (rl_columns_find(&columns, name, target) == RL_OK) return RL_OK;
    const int line = find_name(table, name);
    if (line == 0) return rl_source_key_fail(request, "target", "%s", rl_error_message());
    return rl_source_key_fail(request, "target", "%s; line %d has it: `skip: %d` leaves out the lines before",
                              rl_error_message(), line, line - 1);
}

/* A name that is not found may be one that is not UTF-8. */
static rl_status choose_columns(const rl_source_request *request, const rl_table *table, int *features,
                                rl_table_choice *choice) {
    const rl_columns columns = rl_table_columns(table);
    rl_column_rule rule = {.is_usual = is_usual, .is_numeric = is_numeric, .table = table};
    rl_status status = find_target(request, table, &rule.target);
    choice->target = rule.target;
    if (status == RL_OK) status = rl_columns_choose(request, &columns, &rule, features, &choice->n_features);
    const bool named = table->header != NULL && table->bad_line > 0 && table->bad_line < table->lines[0];
    return status == RL_ERR_INPUT && named ? rl_table_fail_encoding(table) : status;
}

/* ---- columns that may be names of rows --------------------------------------------------------------------------- */

/* Whether it counts the rows, as an index does that is saved with a table. */
static bool counts_rows(const rl_table *table, int column) {
    double first = 0, value;
    for (int i = 0; i < table->n_rows; i++) {
        if (rl_table_parse(table, rl_table_cell(table, i, column), &value) != RL_HOLDS_NUMBER) return false;
        if (i == 0) first = value;
        if (value != first + i) return false;
    }
    return true;
}

/* pandas names such a column so when it has read it. */
static bool is_unnamed(const rl_table *table, int column) {
    return table->header != NULL &&
           (*table->header[column] == '\0' || strncmp(table->header[column], "Unnamed: ", 9) == 0);
}

static rl_status warn_of_index(const rl_source_request *request, const rl_table *table, int feature, int column) {
    const rl_columns columns = rl_table_columns(table);
    rl_text word = RL_TEXT_EMPTY;
    const rl_status status = rl_column_goes_by_number(&columns, column) ? rl_text_append(&word, "%d", column + 1)
                                                                        : rl_column_append(&columns, column, &word);
    if (status == RL_OK)
        rl_warn("dataset `%s`: %s: column %d has no name and is feature %d%s; `except: [%s]` leaves it out",
                request->name, table->path, column + 1, feature + 1,
                counts_rows(table, column) ? ": it counts the rows, as a saved index does" : "", word.bytes);
    rl_free(word.bytes);
    return status;
}

/* Of very many columns without a name the first are told. */
static rl_status warn_of_indices(const rl_source_request *request, const rl_table *table,
                                 const rl_table_choice *choice) {
    enum { MOST = 8 };
    int n = 0;
    if (rl_options_get(request->options, "features")->given) return RL_OK;
    if (table->row_names)
        rl_warn(
            "dataset `%s`: %s: the header has no name for column 1: it is taken for the names of the rows, and is no "
            "feature",
            request->name, table->path);
    for (int j = 0; j < choice->n_features; j++)
        if (is_unnamed(table, choice->features[j]) && n++ < MOST)
            RL_TRY(warn_of_index(request, table, j, choice->features[j]));
    if (n > MOST)
        rl_warn("dataset `%s`: %s: %d more columns have no name and are features", request->name, table->path,
                n - MOST);
    return RL_OK;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

static rl_status convert_table(const rl_source_request *request, const rl_table *table, int *features,
                               rl_dataset *dataset) {
    rl_table_choice choice = {.features = features, .by_study = true};
    RL_TRY(check_delimiter(request, table));
    RL_TRY(check_header(request, table));
    RL_TRY(choose_columns(request, table, features, &choice));
    RL_TRY(warn_of_indices(request, table, &choice));
    RL_TRY(rl_table_numbers(table, &choice, dataset));
    return rl_source_standardize(request, dataset);
}

static rl_status load_formatted(const rl_source_request *request, const rl_table_format *format, rl_dataset *dataset) {
    rl_table table;
    int *features = NULL;
    RL_TRY(rl_table_read(dataset->origin, *format, &table));
    rl_status status = RL_ALLOC(features, table.n_columns);
    if (status == RL_OK) status = convert_table(request, &table, features, dataset);
    rl_free(features);
    rl_table_destroy(&table);
    return status;
}

static rl_status load_csv(const rl_source_request *request, rl_dataset *dataset) {
    const rl_option_value *words = rl_options_get(request->options, "missing");
    rl_table_format format;
    rl_missing missing;
    rl_lines *lines = NULL;
    rl_status status = rl_missing_create(&missing, words->list, words->n_list);
    if (status == RL_OK) status = RL_ALLOC(lines, rl_options_get(request->options, "skip_lines")->n_list);
    if (status == RL_OK) status = read_format(request, lines, &missing, &format);
    if (status == RL_OK) status = rl_source_locate_named(request, &dataset->origin);
    if (status == RL_OK) status = load_formatted(request, &format, dataset);
    rl_missing_destroy(&missing);
    rl_free(lines);
    return status;
}

static const rl_option_spec options[] = {
    RL_REQUIRED_TEXT_SPEC("file", "beside the study file or in a data folder; plain or gzip"),
    RL_REQUIRED_TEXT_SPEC("target", "name or number (from 1) of the column"),
    RL_FEATURES_SPEC(
        "names, numbers (from 1) or ranges (2-8) of columns; numeric: those of numbers alone; default: all "
        "but the target"),
    RL_EXCEPT_SPEC("columns that are no features, named likewise"),
    RL_CHOICE_SPEC("delimiter", "comma", RL_DELIMITER_CHOICES,
                   "what separates cells; pipe: |; space: any run of blanks"),
    RL_FLAG_SPEC("header", 1, "whether the first line names the columns"),
    {.key = "skip",
     .type = RL_OPTION_INTEGER,
     .later = true,
     .maximum = 1e6,
     .help = "lines of the file before the table"},
    {.key = "skip_lines",
     .type = RL_OPTION_TEXT_LIST,
     .later = true,
     .help = "numbers (from 1) or ranges (4-6) of lines of the file that are no rows, such as one of units"},
    {.key = "comment",
     .type = RL_OPTION_TEXT,
     .later = true,
     .help = "a character from which on a line is passed over"},
    {.key = "decimal",
     .type = RL_OPTION_CHOICE,
     .later = true,
     .default_text = "point",
     .choices = RL_DECIMAL_CHOICES,
     .help = "what stands before decimals"},
    {.key = "thousands",
     .type = RL_OPTION_CHOICE,
     .later = true,
     .default_text = "none",
     .choices = RL_THOUSANDS_CHOICES,
     .help = "what stands between groups of three digits"},
    RL_MISSING_SPEC("what stands for a missing value beside NA, NaN, null and others that pandas takes so: words, or "
                    "numbers however they are written"),
    RL_CHOICE_SPEC("standardize", "none", RL_STANDARDIZE_CHOICES, "what is done to each feature"),
};

const rl_source rl_source_csv = {
    .name = "csv",
    .summary = "any table of text: features and target by column; rows with missing values are dropped",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_csv,
};
