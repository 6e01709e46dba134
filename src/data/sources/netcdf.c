/* The source `netcdf`: a table in a NetCDF or HDF5 file. Its features are the columns of a variable of two dimensions,
 * or variables of one dimension, or both. Its rows are read into memory as a whole, or stay in the file and are read in
 * blocks. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../numbers.h"
#include "../tables/table_blocks.h"
#include "source.h"

enum { LOAD_AUTO, LOAD_WHOLE, LOAD_BLOCKS };     /* in the order of the choices */
enum { FIRST_AUTO, FIRST_ROWS, FIRST_FEATURES }; /* likewise */

static const size_t WHOLE_BYTES = (size_t)1 << 30; /* the most that `auto` takes into memory */

/* A table that is being found in its file. */
typedef struct finding {
    const rl_source_request *request;
    const rl_nc *file;
    rl_nc_list list;
    rl_columns columns; /* the variables of the list */
    bool *usual;        /* [list.n]: goes well with the target */
    int *chosen;        /* [list.n]: variables of features */
    int n_chosen;
    rl_nc_variable *y;        /* one of the list */
    int target;               /* its index there */
    int column;               /* of y, from 0; -1: y has one value in each row */
    rl_missing marks, *given; /* given: the marks where the study has the key `missing`; NULL: it has not */
} finding;

static size_t n_rows_of(const finding *f) {
    return f->y->length[f->y->rows];
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

/* RL_ERR_INPUT with a message about a key, and a list of all variables. */
static rl_status fail_choice(const finding *f, const char *key, const char *what, const char *expected) {
    rl_text all = RL_TEXT_EMPTY;
    rl_status status = rl_nc_list_text(f->file, &f->list, &all);
    if (status == RL_OK)
        status = rl_source_key_fail(f->request, key, "%s: %s; expected %s; there are %s", f->file->path, what, expected,
                                    all.bytes);
    rl_free(all.bytes);
    return status;
}

/* RL_ERR_INPUT with a message about a key and a variable that does not suit. */
static rl_status fail_variable(const finding *f, const char *key, const rl_nc_variable *v, const char *expected) {
    rl_text shape = RL_TEXT_EMPTY;
    rl_status status = rl_nc_variable_shape(f->file, v, &shape);
    if (status == RL_OK)
        status = rl_source_key_fail(f->request, key, "%s: `%s` is %s, expected %s", f->file->path, v->path, shape.bytes,
                                    expected);
    rl_free(shape.bytes);
    return status;
}

static rl_status fail_square(const finding *f, const rl_nc_variable *v) {
    return fail_variable(f, "first_dimension", v,
                         "to be told which of the two counts the rows: write `first_dimension: rows` or "
                         "`first_dimension: features`");
}

/* ---- rows and columns -------------------------------------------------------------------------------------------- */

static bool is_table_like(const rl_nc_variable *v) {
    return rl_nc_variable_is_numeric(v) && (v->n_dimensions == 1 || v->n_dimensions == 2);
}

static int first_dimension(const finding *f) {
    return (int)rl_options_get(f->request->options, "first_dimension")->number;
}

/* Whether a dimension of the target is that of another variable of numbers, too. */
static bool is_shared(const finding *f, int dimension) {
    for (int i = 0; i < f->list.n; i++) {
        const rl_nc_variable *v = &f->list.variables[i];
        if (i == f->target || !is_table_like(v)) continue;
        for (int d = 0; d < v->n_dimensions; d++)
            if (v->dimension[d] == dimension) return true;
    }
    return false;
}

/* Finds the dimension of rows of a target with several columns: the one that it shares with other variables. */
static rl_status find_rows_of_columns(finding *f) {
    bool nameless, shared[2];
    rl_nc_variable *y = f->y;
    if (first_dimension(f) != FIRST_AUTO) {
        y->rows = first_dimension(f) == FIRST_ROWS ? 0 : 1;
        return RL_OK;
    }
    RL_TRY(rl_nc_dimension_is_nameless(f->file, y, 0, &nameless));
    for (int d = 0; d < 2; d++) shared[d] = is_shared(f, y->dimension[d]);
    if (shared[0] == shared[1] || (nameless && y->length[0] == y->length[1])) return fail_square(f, y);
    y->rows = shared[0] ? 0 : 1;
    return RL_OK;
}

/* Which of its columns the target is. */
static rl_status find_target_column(finding *f) {
    rl_nc_variable *y = f->y;
    const rl_option_value *column = rl_options_get(f->request->options, "target_column");
    const bool single = y->length[0] == 1 || y->length[1] == 1; /* so of one dimension, too */
    f->column = single ? -1 : (int)column->number - 1;
    y->rows = y->n_dimensions == 2 && y->length[0] == 1 ? 1 : 0;
    if (!single && !column->given)
        return fail_variable(f, "target", y, "one value per row, or `target_column`, the number of a column from 1 on");
    if (!single) RL_TRY(find_rows_of_columns(f));
    if (column->number <= (double)rl_nc_variable_width(y)) return RL_OK;
    return rl_source_key_fail(f->request, "target_column", "%s: `%s` has %zu column%s, expected one of them",
                              f->file->path, y->path, rl_nc_variable_width(y),
                              rl_plural((int64_t)rl_nc_variable_width(y)));
}

static rl_status find_target(finding *f) {
    if (rl_columns_find(&f->columns, rl_options_text(f->request->options, "target"), &f->target) != RL_OK)
        return rl_source_key_fail(f->request, "target", "%s", rl_error_message());
    f->y = &f->list.variables[f->target];
    if (!is_table_like(f->y)) return fail_variable(f, "target", f->y, "numbers (row)");
    RL_TRY(find_target_column(f));
    if (n_rows_of(f) >= 1 && n_rows_of(f) <= INT32_MAX) return RL_OK;
    return fail_variable(f, "target", f->y, "from 1 to 2^31 - 1 rows");
}

/* How a variable has the rows of the target. */
typedef enum rows_fit { NO_ROWS, ROWS, ROWS_TWICE } rows_fit;

/* Sets v->rows: by the key, by the dimension that it shares with the target, or by that of the same length. */
static rl_status find_rows(const finding *f, rl_nc_variable *v, rows_fit *fit) {
    const int key = first_dimension(f);
    bool nameless, is[2];
    *fit = NO_ROWS;
    if (!is_table_like(v)) return RL_OK;
    RL_TRY(rl_nc_dimension_is_nameless(f->file, v, 0, &nameless));
    for (int d = 0; d < 2; d++)
        is[d] = d < v->n_dimensions && !nameless && v->dimension[d] == f->y->dimension[f->y->rows];
    const bool told = is[0] != is[1];
    for (int d = 0; d < 2 && !told; d++) is[d] = d < v->n_dimensions && v->length[d] == n_rows_of(f);
    if (v->n_dimensions == 2 && key != FIRST_AUTO)
        for (int d = 0; d < 2; d++) is[d] = d == (key == FIRST_ROWS ? 0 : 1) && v->length[d] == n_rows_of(f);
    v->rows = is[0] ? 0 : 1;
    *fit = is[0] && is[1] ? ROWS_TWICE : is[0] || is[1] ? ROWS : NO_ROWS;
    return RL_OK;
}

/* ---- which variables --------------------------------------------------------------------------------------------- */

/* Whether a variable can be taken for features without being named. */
static rl_status judge_variable(const finding *f, rl_nc_variable *v, bool *usual) {
    rows_fit fit;
    bool coordinate;
    RL_TRY(find_rows(f, v, &fit));
    RL_TRY(rl_nc_variable_is_coordinate(f->file, v, &coordinate));
    const bool along = v->n_dimensions == 2 || v->dimension[0] == f->y->dimension[f->y->rows];
    *usual = fit != NO_ROWS && along && !coordinate && v->group == f->y->group;
    return RL_OK;
}

/* Where nothing else goes with a column of a variable, its other columns do. */
static rl_status judge_variables(finding *f) {
    bool some = false;
    for (int i = 0; i < f->list.n; i++) {
        if (i == f->target) continue;
        RL_TRY(judge_variable(f, &f->list.variables[i], &f->usual[i]));
        some |= f->usual[i];
    }
    f->usual[f->target] = !some && f->column >= 0;
    return RL_OK;
}

static bool is_usual(const void *of, int i) {
    const finding *f = of;
    return f->usual[i];
}

/* Of the variables that go well with the target: the only one of two dimensions; else all, if each has one value in
 * each row. */
static rl_status reduce_choice(finding *f) {
    int n_flat = 0, n_wide = 0, flat = 0;
    for (int i = 0; i < f->n_chosen; i++) {
        const rl_nc_variable *v = &f->list.variables[f->chosen[i]];
        if (v->n_dimensions < 2) continue;
        n_flat++;
        n_wide += rl_nc_variable_width(v) != 1;
        flat = f->chosen[i];
    }
    if (n_flat == 1) f->chosen[f->n_chosen = 0, f->n_chosen++] = flat;
    if (n_flat <= 1 || n_wide == 0) return RL_OK;
    return fail_choice(f, "features", "more than one variable (row, feature)", "the name of one");
}

static rl_status choose_variables(finding *f) {
    const rl_column_rule rule = {
        .target = f->column < 0 ? f->target : -1, .is_usual = is_usual, .is_numeric = is_usual, .table = f};
    const bool named = rl_options_get(f->request->options, "features")->given;
    bool some = named;
    for (int i = 0; i < f->list.n; i++) some |= f->usual[i];
    if (!some)
        return fail_choice(f, "features", "no variable of numbers has the rows of the target",
                           "one (row, feature) or some (row)");
    RL_TRY(rl_columns_choose(f->request, &f->columns, &rule, f->chosen, &f->n_chosen));
    return named ? RL_OK : reduce_choice(f);
}

/* Sets *n to the features of a chosen variable. */
static rl_status check_chosen(const finding *f, rl_nc_variable *v, size_t *n) {
    rows_fit fit;
    char expected[96];
    if (v == f->y) {
        *n = rl_nc_variable_width(v) - 1;
        return RL_OK;
    }
    if (!is_table_like(v)) return fail_variable(f, "features", v, "numbers (row, feature) or (row)");
    RL_TRY(find_rows(f, v, &fit));
    if (fit == ROWS_TWICE) return fail_square(f, v);
    snprintf(expected, sizeof expected, "%zu rows, as many as the target has", n_rows_of(f));
    if (fit == NO_ROWS) return fail_variable(f, "features", v, expected);
    *n = rl_nc_variable_width(v);
    return RL_OK;
}

static rl_status count_features(const finding *f, rl_dataset *dataset) {
    size_t sum = 0;
    for (int i = 0; i < f->n_chosen; i++) {
        size_t n = 0;
        rl_nc_variable *v = &f->list.variables[f->chosen[i]];
        RL_TRY(check_chosen(f, v, &n));
        if (n < 1 || n > INT32_MAX - sum) return fail_variable(f, "features", v, "from 1 to 2^31 - 1 features");
        sum += n;
    }
    dataset->n_features = (int)sum;
    return RL_OK;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* What stands for a missing value beside what the file says; words that stand for one everywhere add nothing. */
static rl_status read_missing(finding *f) {
    const rl_option_value *missing = rl_options_get(f->request->options, "missing");
    if (!missing->given) return RL_OK;
    f->given = &f->marks;
    for (int i = 0; i < missing->n_list; i++) {
        double number;
        if (!rl_missing_has_word(&(rl_missing){0}, missing->list[i]) && !rl_parse_real(missing->list[i], &number))
            return rl_source_key_fail(f->request, "missing", "`%s` is not a number", missing->list[i]);
    }
    return rl_missing_create(&f->marks, missing->list, missing->n_list);
}

static rl_status write_layout(const finding *f, rl_dataset *dataset) {
    rl_table_part *parts;
    RL_TRY(RL_ALLOC(parts, f->n_chosen));
    for (int i = 0; i < f->n_chosen; i++)
        parts[i] = (rl_table_part){.variable = &f->list.variables[f->chosen[i]],
                                   .without = f->chosen[i] == f->target ? f->column : -1};
    const rl_status status = rl_table_layout_write(parts, f->n_chosen, f->given, dataset);
    rl_free(parts);
    return status;
}

/* Reads the target, NaN where it is missing. */
static rl_status read_target(const finding *f, rl_dataset *dataset) {
    rl_nc_variable y = *f->y;
    const size_t n = n_rows_of(f), column = f->column >= 0 ? (size_t)f->column : 0;
    rl_status status = rl_nc_variable_decode(f->file, f->given, &y);
    if (status == RL_OK) status = RL_ALLOC(dataset->y, n);
    if (status == RL_OK) status = rl_nc_variable_read(f->file, &y, 0, n, column, 1, dataset->y);
    for (size_t i = 0; i < n && status == RL_OK; i++)
        if (isinf(dataset->y[i])) status = rl_nc_variable_refuse(f->file, &y, i, column);
    rl_nc_variable_destroy(&y);
    return status;
}

/* Fills everything of the dataset but the features. */
static rl_status describe_table(finding *f, rl_dataset *dataset) {
    struct stat status;
    RL_TRY(read_missing(f));
    RL_TRY(find_target(f));
    RL_TRY(judge_variables(f));
    RL_TRY(choose_variables(f));
    RL_TRY(count_features(f, dataset));
    RL_TRY(write_layout(f, dataset));
    RL_TRY(rl_strdup(&dataset->file.path, f->file->path));
    dataset->n_rows = (int)n_rows_of(f);
    dataset->file.slab_bytes = RL_SLAB_BYTES;
    if (stat(f->file->path, &status) != 0)
        return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", f->file->path, strerror(errno));
    dataset->file.bytes = status.st_size;
    dataset->file.modified = status.st_mtime;
    return read_target(f, dataset);
}

/* Says how the table lies in its file where that is not as usual. */
static rl_status append_layout(const finding *f, rl_text *origin) {
    const bool named = rl_options_get(f->request->options, "features")->given;
    bool flat = true, coordinate;
    for (int i = 0; i < f->n_chosen; i++) {
        const rl_nc_variable *v = &f->list.variables[f->chosen[i]];
        if (v->n_dimensions == 2) flat = false;
        if (v->n_dimensions == 2 && v->rows == 1) return rl_text_append(origin, ", `%s` (feature, row)", v->path);
    }
    for (int i = 0; i < f->list.n && flat && !named; i++) {
        const rl_nc_variable *v = &f->list.variables[i];
        RL_TRY(rl_nc_variable_is_coordinate(f->file, v, &coordinate));
        if (coordinate && i != f->target && v->dimension[0] == f->y->dimension[f->y->rows])
            return rl_text_append(origin, ", without the coordinate `%s`", v->path);
    }
    return RL_OK;
}

static rl_status tell_layout(const finding *f, rl_dataset *dataset) {
    rl_text origin = RL_TEXT_EMPTY;
    rl_status status = rl_text_append(&origin, "%s", f->file->path);
    if (status == RL_OK) status = append_layout(f, &origin);
    if (status == RL_OK && (size_t)f->n_chosen == (size_t)dataset->n_features)
        status = rl_dataset_name_features(dataset, &f->columns, f->chosen, f->n_chosen);
    rl_free(dataset->origin); /* the path of the open file: no message names it any more */
    dataset->origin = origin.bytes;
    return status;
}

static rl_status find_table(finding *f, rl_dataset *dataset) {
    RL_TRY(rl_nc_list_create(f->file, &f->list));
    f->columns = (rl_columns){.table = f->file->path,
                              .kind = "variable",
                              .root = '/',
                              .n = f->list.n,
                              .names = f->list.names,
                              .sorted = f->list.sorted};
    RL_TRY(RL_ALLOC(f->usual, f->list.n));
    RL_TRY(RL_ALLOC(f->chosen, f->list.n));
    RL_TRY(describe_table(f, dataset));
    return tell_layout(f, dataset);
}

/* ---- whole or in blocks ------------------------------------------------------------------------------------------ */

static bool stays_in_file(const rl_source_request *request, const rl_dataset *dataset) {
    const int load = (int)rl_options_get(request->options, "load")->number;
    const size_t row_bytes = (size_t)dataset->n_features * sizeof(double);
    return load == LOAD_BLOCKS || (load == LOAD_AUTO && (size_t)dataset->n_rows > WHOLE_BYTES / row_bytes);
}

static rl_status check_blocks(const rl_source_request *request, const rl_dataset *dataset) {
    const rl_option_value *standardize = rl_options_get(request->options, "standardize");
    const double gigabytes = ldexp((double)dataset->n_rows * dataset->n_features, -27);
    if (standardize->number != RL_STANDARDIZE_NONE)
        return rl_source_key_fail(request, "standardize",
                                  "`%s` needs the whole table in memory (%.2g GiB): expected none, or `load: whole`",
                                  standardize->text, gigabytes);
    if (request->random == RL_RANDOM_NUMPY)
        return rl_source_key_fail(
            request, "load", "`random: numpy` needs the whole table in memory (%.2g GiB): expected whole", gigabytes);
    return RL_OK;
}

/* Reads all features, and marks the rows that miss one. */
static rl_status read_features(rl_table_blocks *blocks, rl_dataset *dataset, bool *missing) {
    RL_TRY(RL_ALLOC(dataset->x, (size_t)dataset->n_rows * (size_t)dataset->n_features));
    RL_TRY(rl_table_blocks_read(blocks, 0, dataset->n_rows, dataset->x));
    return rl_table_blocks_sift(blocks, 0, dataset->n_rows, dataset->x, missing);
}

static rl_status read_whole(rl_dataset *dataset, bool *missing) {
    rl_table_blocks *blocks;
    RL_TRY(rl_table_blocks_open_as(dataset, RL_ERR_INPUT, &blocks));
    const rl_status status = read_features(blocks, dataset, missing);
    rl_table_blocks_close(blocks);
    rl_free(dataset->file.path);
    rl_free(dataset->file.layout);
    dataset->file = (rl_table_file){0};
    return status;
}

/* Rows without a target are left out; of a table in memory those without a feature, too. */
static rl_status load_rows(const rl_source_request *request, rl_dataset *dataset, bool *missing) {
    const rl_standardize how = (rl_standardize)rl_options_get(request->options, "standardize")->number;
    const bool in_blocks = stays_in_file(request, dataset);
    if (in_blocks) RL_TRY(check_blocks(request, dataset));
    for (int i = 0; i < dataset->n_rows; i++) missing[i] = isnan(dataset->y[i]);
    if (!in_blocks) RL_TRY(read_whole(dataset, missing));
    RL_TRY(rl_dataset_leave_out(dataset, missing));
    return in_blocks ? RL_OK : rl_standardize_features(how, RL_ROUNDING_OF_DOUBLES, dataset);
}

static rl_status load_netcdf(const rl_source_request *request, rl_dataset *dataset) {
    rl_nc file;
    bool *missing = NULL;
    RL_TRY(rl_source_locate_named(request, &dataset->origin));
    RL_TRY(rl_nc_open_table(dataset->origin, RL_ERR_INPUT, &file));
    finding f = {.request = request, .file = &file};
    rl_status status = find_table(&f, dataset);
    rl_nc_list_destroy(&f.list);
    rl_free(f.usual);
    rl_free(f.chosen);
    rl_missing_destroy(&f.marks);
    nc_close(file.id);
    if (status == RL_OK) status = RL_ALLOC(missing, dataset->n_rows);
    if (status == RL_OK) status = load_rows(request, dataset, missing);
    rl_free(missing);
    return status;
}

static const rl_option_spec options[] = {
    RL_REQUIRED_TEXT_SPEC("file", "beside the study file or in a data folder; NetCDF-4, HDF5 or classic"),
    RL_REQUIRED_TEXT_SPEC("target", "name of a variable (row), group/name within a group"),
    {.key = "target_column",
     .type = RL_OPTION_INTEGER,
     .later = true,
     .minimum = 1,
     .maximum = INT32_MAX,
     .default_number = 1,
     .help = "which column of a target of two dimensions, from 1 on"},
    {.key = "features",
     .type = RL_OPTION_TEXT_LIST,
     .once_text = true,
     .help =
         "names of variables (row, feature) or (row), or numeric; default: the only one of two dimensions, else all "
         "that have the target's rows"},
    RL_EXCEPT_SPEC("variables that are no features, named likewise"),
    {.key = "first_dimension",
     .type = RL_OPTION_CHOICE,
     .later = true,
     .default_text = "auto",
     .choices = "auto|rows|features",
     .help = "what the first of two dimensions counts; auto: told by the rows of the target"},
    RL_MISSING_SPEC("numbers that stand for a missing value, beside those that the file names"),
    RL_CHOICE_SPEC("standardize", "none", RL_STANDARDIZE_CHOICES,
                   "what is done to each feature; none when the table is read by blocks"),
    RL_CHOICE_SPEC("load", "auto", "auto|whole|blocks",
                   "whole: in memory; blocks: dealt out to process grids; auto: whole up to 1 GiB of doubles"),
};

const rl_source rl_source_netcdf = {
    .name = "netcdf",
    .summary =
        "a table in a NetCDF or HDF5 file: a variable (row, feature), or one per feature; rows with missing values "
        "are dropped",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_netcdf,
};
