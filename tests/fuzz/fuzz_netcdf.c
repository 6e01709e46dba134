/* NetCDF tables in the classic format: the first byte says how they are read, the rest is the file. */
#include "fuzz.h"
#include "ridgeless/data.h"

enum { MOST_NUMBERS = 4000 }; /* of a table that is loaded with its best linear model */

static void set_number(rl_options *options, const char *key, int number, bool given) {
    rl_option_value *value = &options->values[rl_options_find(options, key)];
    value->number = number;
    value->given = given;
}

/* How the table is read: whole or in blocks, its first dimension, which column of the target, which variables, and what
 * is missing. */
static void set_options(rl_options *options, const char *path, int byte) {
    static const struct {
        const char *key, *text;
    } choices[] = {{NULL, NULL}, {"features", "numeric"}, {"except", "1"}, {"features", "1-2"}, {"features", "x"}};
    const char *key = choices[byte / 54].key;
    fuzz_set_text(options, "file", path);
    fuzz_set_text(options, "target", "y");
    set_number(options, "load", byte % 3, true);
    set_number(options, "first_dimension", byte / 3 % 3, true);
    set_number(options, "target_column", byte / 9 % 3 + 1, byte / 9 % 3 > 0);
    if (byte / 27 % 2 == 1) fuzz_set_list(options, "missing", "-1");
    if (key != NULL) fuzz_set_list(options, key, choices[byte / 54].text);
}

/* Also with all that every data set gets, where that is quick. */
static void load(const rl_source *source, const rl_source_request *request) {
    rl_dataset dataset = {.source = source}; /* as rl_dataset_load does */
    rl_status status = source->load(request, &dataset);
    const double numbers = (double)dataset.n_rows * dataset.n_features;
    fuzz_check_answer(status);
    if (status == RL_OK) FUZZ_REQUIRE(dataset.n_rows > 0 && dataset.n_features > 0 && dataset.y != NULL);
    rl_dataset_destroy(&dataset);
    if (status != RL_OK || numbers > MOST_NUMBERS) return;
    status = rl_dataset_load(source, request, &dataset);
    fuzz_check_answer(status);
    if (status == RL_OK) FUZZ_REQUIRE(dataset.beta_star != NULL && dataset.rank >= 0);
    rl_dataset_destroy(&dataset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const rl_source *source = rl_source_find("netcdf");
    char path[512];
    rl_options options;
    if (size < 4 || memcmp(data + 1, "CDF", 3) != 0) return 0; /* NetCDF-4 is HDF5's to read */
    fuzz_write(fuzz_path(path, "table.nc"), data + 1, size - 1);
    FUZZ_REQUIRE(rl_options_create(&options, source->options, source->n_options) == RL_OK);
    set_options(&options, path, data[0]);
    const rl_source_request request = {.name = "mine", .options = &options, .intercept = data[0] / 54 % 2 == 1};
    load(source, &request);
    rl_options_destroy(&options);
    return 0;
}
