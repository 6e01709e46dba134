/* Results files for `show`: the bytes of the input choose a file that NetCDF can write, with some of what a results
 * file has, of any type and shape. (What is no NetCDF file, or a damaged one, the libraries never see: that is tested
 * by tests/cli/test_attack.py.) */
#include "../../src/results/internal.h"
#include "fuzz.h"
#include "netcdf.h"

enum { N_DIMENSIONS = 4, MOST_LENGTH = 8, MOST_VALUES = 8 * 8 * 8 * 8 };

static int choose_type(fuzz_bytes *bytes, int usual) {
    static const int types[] = {NC_BYTE, NC_CHAR, NC_INT, NC_DOUBLE, NC_STRING, NC_UINT64};
    const unsigned choice = fuzz_take(bytes);
    return choice < 6 ? types[choice] : usual;
}

static void put_text(fuzz_bytes *bytes, int id, const char *name, const char *usual) {
    static const char *const texts[] = {"", "ridgeless 9", "%s%n", "\x1b[2J\xff\xfe", NULL};
    const unsigned choice = fuzz_take(bytes);
    const char *text = choice < 5 ? texts[choice] : usual;
    const int number = (int)choice;
    if (choice == 5) return;
    if (choice == 6)
        nc_put_att_int(id, NC_GLOBAL, name, NC_INT, 1, &number);
    else if (choice & 1 || text == NULL)
        nc_put_att_string(id, NC_GLOBAL, name, 1, &text);
    else
        nc_put_att_text(id, NC_GLOBAL, name, strlen(text), text);
}

/* Values of any bits. */
static void put_values(fuzz_bytes *bytes, int id, int variable, int type, size_t count) {
    uint64_t values[MOST_VALUES] = {0};
    const char *texts[MOST_VALUES] = {NULL};
    if (fuzz_take(bytes) & 1 || count == 0) return; /* never written: fill values */
    for (size_t i = 0; i < count; i++) values[i] = fuzz_take(bytes) * UINT64_C(0x0101010101010101);
    for (size_t i = 0; i < count; i++)
        texts[i] = values[i] & 1 ? "none" : values[i] & 2 ? NULL : "a label of a variant";
    if (type == NC_STRING)
        nc_put_var_string(id, variable, texts);
    else
        nc_put_var(id, variable, values);
}

typedef struct shape {
    int dimension[N_DIMENSIONS];
    size_t length[N_DIMENSIONS];
} shape;

/* `along`: its usual dimensions, as digits. */
static void put_variable(fuzz_bytes *bytes, int id, const shape *s, const char *name, int usual, const char *along) {
    int n = 0, variable, dimensions[N_DIMENSIONS];
    size_t count = 1;
    const unsigned choice = fuzz_take(bytes);
    if (choice == 0) return;
    for (const char *c = along; *c != '\0' && n < N_DIMENSIONS; c++, n++) {
        const int d = choice & 2 ? *c - '0' : (int)(fuzz_take(bytes) % N_DIMENSIONS);
        dimensions[n] = s->dimension[d];
        count *= s->length[d];
    }
    if (choice == 1) n = 0;
    const int type = choose_type(bytes, usual);
    if (nc_def_var(id, name, type, n, dimensions, &variable) != NC_NOERR) return;
    if (count == 0)
        nc_def_var_deflate(id, variable, 0, 1, 1); /* in chunks, of which no memory is taken before they are */
    put_values(bytes, id, variable, type, n == 0 ? 1 : count);
}

static void put_autoencoder(fuzz_bytes *bytes, int id, const shape *s) {
    put_variable(bytes, id, s, "n_hidden", NC_INT, "0");
    put_variable(bytes, id, s, "n_train", NC_INT, "2");
    put_variable(bytes, id, s, "test_relative_loss", NC_DOUBLE, "0231");
    put_variable(bytes, id, s, "status", NC_BYTE, "023");
}

static void put_group(fuzz_bytes *bytes, int root, int number, bool autoencoder) {
    static const char *const usual[N_DIMENSIONS] = {"variant", "n_features", "n_train", "repeat"};
    static const char *const others[N_DIMENSIONS] = {"n_hidden", "step", "n_train", "repeat"};
    char name[16];
    int id;
    shape s;
    snprintf(name, sizeof name, number == 2 ? "provenance" : "g%d", number);
    if (nc_def_grp(root, name, &id) != NC_NOERR) return;
    const char *const *names = autoencoder ? others : usual;
    for (int d = 0; d < N_DIMENSIONS; d++) {
        const unsigned choice = fuzz_take(bytes);
        s.length[d] = choice % MOST_LENGTH;
        /* 0: unlimited; above 250: longer than any memory, and never written */
        const size_t length = choice > 250 ? (size_t)1 << (choice % 8 + 24) : s.length[d];
        if (choice > 250) s.length[d] = 0;
        if (nc_def_dim(choice == 249 ? root : id, names[d], length, &s.dimension[d]) != NC_NOERR) return;
    }
    if (autoencoder) put_text(bytes, id, "kind", "autoencoder");
    if (autoencoder) put_autoencoder(bytes, id, &s);
    put_variable(bytes, id, &s, "variant", NC_STRING, "0");
    put_variable(bytes, id, &s, "ablation", NC_STRING, "0");
    put_variable(bytes, id, &s, "parameter", NC_DOUBLE, "0");
    put_variable(bytes, id, &s, "n_features", NC_INT, "1");
    put_variable(bytes, id, &s, "n_train", NC_INT, "2");
    put_variable(bytes, id, &s, "test_mse_median", NC_DOUBLE, "012");
    put_variable(bytes, id, &s, "status", NC_BYTE, "123");
}

/* NetCDF refuses some of it; what it accepts is the file. */
static bool write_file(fuzz_bytes *bytes, const char *path) {
    rl_temporary temporary;
    rl_nc_draft draft;
    FUZZ_REQUIRE(rl_temporary_open(path, &temporary) == RL_OK);
    FUZZ_REQUIRE(rl_nc_create(&temporary, &draft) == RL_OK);
    put_text(bytes, draft.file.id, "program", "ridgeless 1");
    put_text(bytes, draft.file.id, "settings", "seed: 1\n");
    put_text(bytes, draft.file.id, "title", "a title");
    const unsigned choice = fuzz_take(bytes);
    for (int i = 0; i < (int)choice % 4; i++) put_group(bytes, draft.file.id, i, choice >= 128);
    off_t length = 0;
    const bool finished = rl_nc_close(&draft, &length) == RL_OK && rl_nc_seal(&draft, length, NULL) == RL_OK &&
                          rename(temporary.path, path) == 0;
    rl_temporary_discard(&temporary);
    return finished;
}

static void walk(const rl_shown *shown) {
    size_t length = strlen(shown->title) + strlen(shown->program);
    for (int i = 0; i < shown->n_autoencoders; i++) {
        const rl_shown_autoencoder *a = &shown->autoencoders[i];
        FUZZ_REQUIRE(a->trainings_done >= 0 && a->trainings_missing >= 0 && a->trainings_diverged >= 0);
        length += strlen(a->name);
    }
    for (int i = 0; i < shown->n_datasets; i++) {
        const rl_shown_dataset *d = &shown->datasets[i];
        FUZZ_REQUIRE(d->spectra_done >= 0 && d->spectra_failed >= 0 && d->spectra_missing >= 0);
        length += strlen(d->name);
        for (int v = 0; v < d->n_variants; v++)
            length += strlen(d->variants[v].label) + strlen(d->variants[v].ablation);
    }
    FUZZ_REQUIRE(length > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[512];
    rl_shown shown;
    fuzz_bytes bytes = {data, size};
    fuzz_path(path, "shown.nc");
    if (!write_file(&bytes, path)) return 0;
    const rl_status status = rl_results_read(path, &shown);
    fuzz_check_answer(status);
    if (status == RL_OK) walk(&shown);
    rl_shown_destroy(&shown);
    return 0;
}
