/* The source `csv`: any table of text that a study names. */
#include "source.h"

/* Whether every value of a column is a number, and there is one. */
static bool is_numeric(const void *of, int column) {
    const rl_table *table = of;
    double value;
    bool some = false;
    for (int i = 0; i < table->n_rows; i++) {
        const char *cell = table->cells[(size_t)i * (size_t)table->n_columns + (size_t)column];
        if (rl_table_is_missing(cell)) continue;
        if (!rl_parse_real(cell, &value)) return false;
        some = true;
    }
    return some;
}

static rl_status convert_table(const rl_source_request *request, const rl_table *table, int *features,
                               rl_dataset *dataset) {
    const rl_columns columns = rl_table_columns(table);
    rl_table_choice choice = {.features = features, .advice = "; leave it out with `except: [...]`"};
    rl_column_rule rule = {.is_numeric = is_numeric, .table = table};
    if (rl_columns_find(&columns, rl_options_text(request->options, "target"), &rule.target) != RL_OK)
        return rl_source_key_fail(request, "target", "%s", rl_error_message());
    choice.target = rule.target;
    RL_TRY(rl_columns_choose(request, &columns, &rule, features, &choice.n_features));
    RL_TRY(rl_table_numbers(table, &choice, dataset));
    const rl_standardize how = (rl_standardize)rl_options_get(request->options, "standardize")->number;
    return rl_standardize_columns(how, dataset->n_rows, dataset->n_features, dataset->x, table->path);
}

static rl_status load_csv(const rl_source_request *request, rl_dataset *dataset) {
    const rl_table_format format = {
        .delimiter = RL_DELIMITERS[(int)rl_options_get(request->options, "delimiter")->number],
        .has_header = rl_options_flag(request->options, "header"),
    };
    RL_TRY(rl_source_locate_named(request, &dataset->origin));
    rl_table table;
    RL_TRY(rl_table_read(dataset->origin, format, &table));
    int *features = NULL;
    rl_status status = RL_ALLOC(features, table.n_columns);
    if (status == RL_OK) status = convert_table(request, &table, features, dataset);
    rl_free(features);
    rl_table_destroy(&table);
    return status;
}

static const rl_option_spec options[] = {
    RL_REQUIRED_TEXT_SPEC("file", "beside the study file or in a data folder; plain or gzip"),
    RL_REQUIRED_TEXT_SPEC("target", "name or number (from 1) of the column"),
    RL_FEATURES_SPEC(
        "names, numbers (from 1) or ranges (2-8) of columns; numeric: those of numbers alone; default: all "
        "but the target"),
    RL_EXCEPT_SPEC("columns that are no features, named likewise"),
    RL_CHOICE_SPEC("delimiter", "comma", RL_DELIMITER_CHOICES, "what separates cells; space: any run of blanks"),
    RL_FLAG_SPEC("header", 1, "whether the first line names the columns"),
    RL_CHOICE_SPEC("standardize", "none", RL_STANDARDIZE_CHOICES, "what is done to each feature"),
};

const rl_source rl_source_csv = {
    .name = "csv",
    .summary = "any table of text: features and target by column; rows with missing values are dropped",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_csv,
};
