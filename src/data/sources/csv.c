/* The source `csv`: any table of text that a study names. */
#include "../../numbers.h"
#include "source.h"

/* Fills columns[] with the indices of those that the key `features` names. */
static rl_status choose_named(const rl_source_request *request, const rl_table *table, int target, int *columns) {
    const rl_option_value *names = rl_options_get(request->options, "features");
    for (int i = 0; i < names->n_list; i++) {
        int column;
        if (rl_table_column(table, names->list[i], &column) != RL_OK)
            return rl_source_key_fail(request, "features", "%s", rl_error_message());
        if (column == target)
            return rl_source_key_fail(request, "features", "`%s` is the target, expected other columns",
                                      names->list[i]);
        for (int j = 0; j < i; j++)
            if (columns[j] == column)
                return rl_source_key_fail(request, "features", "`%s` is named twice, expected each column once",
                                          names->list[i]);
        columns[i] = column;
    }
    return RL_OK;
}

static rl_status choose_features(const rl_source_request *request, const rl_table *table, int target, int *columns,
                                 int *n) {
    const rl_option_value *names = rl_options_get(request->options, "features");
    *n = 0;
    if (names->given) {
        *n = names->n_list;
        if (names->n_list == 0) return rl_source_key_fail(request, "features", "is empty, expected a column");
        return choose_named(request, table, target, columns);
    }
    for (int j = 0; j < table->n_columns; j++)
        if (j != target) columns[(*n)++] = j;
    if (*n > 0) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "dataset `%s`: %s: no column besides the target, expected a feature", request->name,
                   table->path);
}

static rl_status convert_table(const rl_source_request *request, const rl_table *table, int *columns,
                               rl_dataset *dataset) {
    rl_table_choice choice = {.features = columns, .advice = "; leave it out with `features: [...]`"};
    if (rl_table_column(table, rl_options_text(request->options, "target"), &choice.target) != RL_OK)
        return rl_source_key_fail(request, "target", "%s", rl_error_message());
    RL_TRY(choose_features(request, table, choice.target, columns, &choice.n_features));
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
    int *columns = NULL;
    const int n_named = rl_options_get(request->options, "features")->n_list;
    rl_status status = RL_ALLOC(columns, rl_larger(n_named, table.n_columns));
    if (status == RL_OK) status = convert_table(request, &table, columns, dataset);
    rl_free(columns);
    rl_table_destroy(&table);
    return status;
}

static const rl_option_spec options[] = {
    RL_REQUIRED_TEXT_SPEC("file", "beside the study file or in a data folder; plain or gzip"),
    RL_REQUIRED_TEXT_SPEC("target", "name or number (from 1) of the column"),
    {.key = "features",
     .type = RL_OPTION_TEXT_LIST,
     .help = "names or numbers (from 1) of columns; default: all but the target"},
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
