/* The source `netcdf`: a table in a NetCDF file, which has a variable (row, feature) and a variable (row). Its rows are
 * read into memory as a whole, or stay in the file and are read in blocks. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../../numbers.h"
#include "../dataset.h"
#include "../tables/netcdf_variable.h"
#include "source.h"

enum { LOAD_AUTO, LOAD_WHOLE, LOAD_BLOCKS }; /* in the order of the choices */

static const size_t WHOLE_BYTES = (size_t)1 << 30; /* the most that `auto` takes into memory */

/* ---- which variables --------------------------------------------------------------------------------------------- */

/* RL_ERR_INPUT with a message about the variable that a key names, what it may have meant, and a list of all. */
static rl_status fail_choice(const rl_source_request *request, const rl_nc *file, const char *key, const char *what,
                             const char *hint, const char *expected) {
    rl_text all = RL_TEXT_EMPTY;
    rl_status status = rl_nc_variables_text(file, &all);
    if (status == RL_OK)
        status = rl_source_key_fail(request, key, "%s: %s%s expected %s; there are %s", file->path, what, hint,
                                    expected, all.bytes);
    rl_free(all.bytes);
    return status;
}

/* Writes what a mistyped name may have meant. */
static rl_status hint_variable(const rl_nc *file, const char *name, char hint[RL_WORD_HINT]) {
    typedef char word[NC_MAX_NAME + 1];
    word *names = NULL;
    const char **words = NULL;
    int n;
    RL_NC(file, nc_inq_nvars(file->id, &n));
    rl_status status = RL_ALLOC(names, n);
    if (status == RL_OK) status = RL_ALLOC(words, n);
    for (int id = 0; id < n && status == RL_OK; id++) {
        words[id] = names[id];
        if (nc_inq_varname(file->id, id, names[id]) != NC_NOERR) names[id][0] = '\0';
    }
    if (status == RL_OK) rl_word_hint(name, words, n, hint);
    rl_free(words);
    rl_free(names);
    return status;
}

static rl_status find_named(const rl_source_request *request, const rl_nc *file, const char *key, int n_dimensions,
                            rl_nc_variable *v) {
    const char *name = rl_options_text(request->options, key);
    const char *expected = n_dimensions == 2 ? "numbers (row, feature)" : "numbers (row)";
    char what[NC_MAX_NAME + 64], hint[RL_WORD_HINT] = ";";
    int id;
    if (nc_inq_varid(file->id, name, &id) != NC_NOERR) {
        RL_TRY(hint_variable(file, name, hint));
        snprintf(what, sizeof what, "no variable `%.*s`", NC_MAX_NAME, name);
        return fail_choice(request, file, key, what, hint, expected);
    }
    RL_TRY(rl_nc_variable_inquire(file, id, v));
    if (v->n_dimensions == n_dimensions && rl_nc_variable_is_numeric(v)) return RL_OK;
    snprintf(what, sizeof what, "variable `%s` does not fit", v->name);
    return fail_choice(request, file, key, what, hint, expected);
}

/* The variable that the key `features` names, or the only one of numbers (row, feature). */
static rl_status find_features(const rl_source_request *request, const rl_nc *file, rl_nc_variable *x) {
    int n, n_found = 0;
    if (rl_options_get(request->options, "features")->given) return find_named(request, file, "features", 2, x);
    RL_NC(file, nc_inq_nvars(file->id, &n));
    for (int id = 0; id < n; id++) {
        rl_nc_variable v;
        RL_TRY(rl_nc_variable_inquire(file, id, &v));
        if (v.n_dimensions != 2 || !rl_nc_variable_is_numeric(&v)) continue;
        *x = v;
        n_found++;
    }
    if (n_found == 1) return RL_OK;
    return fail_choice(request, file, "features",
                       n_found == 0 ? "no variable of numbers (row, feature)" : "more than one variable (row, feature)",
                       ";", n_found == 0 ? "one" : "the name of one");
}

static rl_status check_lengths(const rl_source_request *request, const rl_nc *file, const rl_nc_variable *x,
                               const rl_nc_variable *y) {
    const size_t n_rows = x->length[0], n_features = x->length[1];
    if (n_rows < 1 || n_features < 1 || n_rows > INT32_MAX || n_features > INT32_MAX)
        return rl_source_key_fail(request, "features",
                                  "%s: `%s` has %zu rows and %zu features, expected from 1 to 2^31 - 1 of each",
                                  file->path, x->name, n_rows, n_features);
    if (y->dimension[0] == x->dimension[1] && y->dimension[0] != x->dimension[0])
        return rl_source_key_fail(request, "target",
                                  "%s: `%s` has a value for each of the %zu features of `%s`, expected one per row: is "
                                  "`%s` (feature, row)?",
                                  file->path, y->name, n_features, x->name, x->name);
    if (y->length[0] == n_rows) return RL_OK;
    return rl_source_key_fail(request, "target",
                              "%s: `%s` has %zu values, expected one for each of the %zu rows of `%s`", file->path,
                              y->name, y->length[0], n_rows, x->name);
}

static rl_status read_target(const rl_nc *file, rl_nc_variable *y, rl_dataset *dataset) {
    rl_status status = rl_nc_variable_decode(file, y);
    if (status == RL_OK) status = RL_ALLOC(dataset->y, dataset->n_rows);
    if (status == RL_OK) status = rl_nc_variable_read(file, y, 0, (size_t)dataset->n_rows, dataset->y);
    rl_nc_variable_destroy(y);
    return status;
}

/* Fills everything of the dataset but the features. */
static rl_status describe_table(const rl_source_request *request, const rl_nc *file, rl_dataset *dataset) {
    rl_nc_variable x, y;
    struct stat status;
    RL_TRY(find_features(request, file, &x));
    RL_TRY(find_named(request, file, "target", 1, &y));
    RL_TRY(check_lengths(request, file, &x, &y));
    dataset->n_rows = (int)x.length[0];
    dataset->n_features = (int)x.length[1];
    RL_TRY(rl_strdup(&dataset->file.path, file->path));
    RL_TRY(rl_strdup(&dataset->file.features, x.name));
    dataset->file.slab_bytes = RL_SLAB_BYTES;
    if (stat(file->path, &status) != 0)
        return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", file->path, strerror(errno));
    dataset->file.bytes = status.st_size;
    dataset->file.modified = status.st_mtime;
    return read_target(file, &y, dataset);
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

static rl_status read_whole(rl_table_blocks *blocks, rl_dataset *dataset) {
    const int64_t n = dataset->n_rows, p = dataset->n_features, height = rl_table_blocks_height(blocks);
    RL_TRY(RL_ALLOC(dataset->x, n * p));
    for (int64_t first = 0; first < n; first += height) {
        const int64_t count = rl_smaller(height, n - first);
        RL_TRY(rl_table_blocks_read(blocks, (int)first, (int)count, dataset->x + first * p));
    }
    return RL_OK;
}

static rl_status load_whole(const rl_source_request *request, rl_dataset *dataset) {
    rl_table_blocks *blocks;
    RL_TRY(rl_table_blocks_open_as(dataset, RL_ERR_INPUT, &blocks));
    const rl_status status = read_whole(blocks, dataset);
    rl_table_blocks_close(blocks);
    RL_TRY(status);
    rl_free(dataset->file.path);
    rl_free(dataset->file.features);
    dataset->file = (rl_table_file){0};
    const rl_standardize how = (rl_standardize)rl_options_get(request->options, "standardize")->number;
    return rl_standardize_columns(how, dataset->n_rows, dataset->n_features, dataset->x, dataset->origin);
}

static rl_status load_netcdf(const rl_source_request *request, rl_dataset *dataset) {
    rl_nc file;
    RL_TRY(rl_source_locate_named(request, &dataset->origin));
    RL_TRY(rl_nc_open_table(dataset->origin, RL_ERR_INPUT, &file));
    const rl_status status = describe_table(request, &file, dataset);
    nc_close(file.id);
    RL_TRY(status);
    return stays_in_file(request, dataset) ? check_blocks(request, dataset) : load_whole(request, dataset);
}

static const rl_option_spec options[] = {
    RL_REQUIRED_TEXT_SPEC("file", "beside the study file or in a data folder; NetCDF-4 or classic"),
    RL_REQUIRED_TEXT_SPEC("target", "name of a variable (row)"),
    {.key = "features",
     .type = RL_OPTION_TEXT,
     .help = "name of a variable (row, feature); default: the only one of numbers and two dimensions"},
    RL_CHOICE_SPEC("standardize", "none", RL_STANDARDIZE_CHOICES,
                   "what is done to each feature; none when the table is read by blocks"),
    RL_CHOICE_SPEC("load", "auto", "auto|whole|blocks",
                   "whole: in memory; blocks: dealt out to process grids; auto: whole up to 1 GiB of doubles"),
};

const rl_source rl_source_netcdf = {
    .name = "netcdf",
    .summary = "a table in a NetCDF file: a variable (row, feature) and a target (row), in memory or read by blocks",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_netcdf,
};
