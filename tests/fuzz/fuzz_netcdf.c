/* NetCDF tables in the classic format: the first byte says how they are read, the rest is the file. */
#include "fuzz.h"
#include "ridgeless/data.h"

static void set_text(rl_options *options, const char *key, const char *text) {
    rl_option_value *value = &options->values[rl_options_find(options, key)];
    rl_free(value->text);
    FUZZ_REQUIRE(rl_strdup(&value->text, text) == RL_OK);
}

static void set_number(rl_options *options, const char *key, int number, bool given) {
    rl_option_value *value = &options->values[rl_options_find(options, key)];
    value->number = number;
    value->given = given;
}

/* How the table is read: whole or in blocks, its first dimension, which column of the target, and what is missing. */
static void set_options(rl_options *options, const char *path, int byte) {
    rl_option_value *missing = &options->values[rl_options_find(options, "missing")];
    set_text(options, "file", path);
    set_text(options, "target", "y");
    set_number(options, "load", byte % 3, true);
    set_number(options, "first_dimension", byte / 3 % 3, true);
    set_number(options, "target_column", byte / 9 % 3 + 1, byte / 9 % 3 > 0);
    if (byte / 27 % 2 == 0) return;
    missing->given = true;
    FUZZ_REQUIRE(RL_ALLOC(missing->list, 1) == RL_OK);
    FUZZ_REQUIRE(rl_strdup(&missing->list[0], "-1") == RL_OK);
    missing->n_list = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const rl_source *source = rl_source_find("netcdf");
    char path[512];
    rl_options options;
    rl_dataset dataset = {0};
    if (size < 4 || memcmp(data + 1, "CDF", 3) != 0) return 0; /* NetCDF-4 is HDF5's to read */
    fuzz_write(fuzz_path(path, "table.nc"), data + 1, size - 1);
    FUZZ_REQUIRE(rl_options_create(&options, source->options, source->n_options) == RL_OK);
    set_options(&options, path, data[0]);
    const rl_source_request request = {.name = "mine", .options = &options};
    const rl_status status = source->load(&request, &dataset);
    fuzz_check_answer(status);
    if (status == RL_OK) FUZZ_REQUIRE(dataset.n_rows > 0 && dataset.n_features > 0 && dataset.y != NULL);
    rl_dataset_destroy(&dataset);
    rl_options_destroy(&options);
    return 0;
}
