/* What a machine does in a second: the default rates, interpolation between sizes, a table for people, JSON, and where
 * that is looked for. */
#include "ridgeless/rates.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The fields of rl_rates, one row each, for whatever goes through all of them. */
typedef enum rate_kind { RATE_IS_TEXT, RATE_IS_COUNT, RATE_IS_NUMBER, RATE_IS_TABLE } rate_kind;
typedef struct rate_field {
    const char *key; /* in JSON */
    rate_kind kind;
    size_t offset;       /* in rl_rates */
    const char *meaning; /* for people; so are the unit and what a number is multiplied by to be in it */
    double factor;
    const char *unit;
    double size_factor; /* of a table: the same of its sizes */
    const char *size_unit;
} rate_field;

#define TEXT(key, member, meaning) \
    { key, RATE_IS_TEXT, offsetof(rl_rates, member), meaning, 0, "", 0, "" }
#define NUMBER(key, member, meaning, factor, unit) \
    { key, RATE_IS_NUMBER, offsetof(rl_rates, member), meaning, factor, unit, 0, "" }
#define TABLE(key, member, meaning, factor, unit, size_factor, size_unit) \
    { key, RATE_IS_TABLE, offsetof(rl_rates, member), meaning, factor, unit, size_factor, size_unit }

static const rate_field rate_fields[] = {
    TEXT("host", host, "host"),
    TEXT("blas", blas, "BLAS"),
    TEXT("date", date, "date"),
    {"cores", RATE_IS_COUNT, offsetof(rl_rates, cores), "busy cores of a node", 1, "", 0, ""},
    NUMBER("normals_per_second", normals, "normal numbers per core", 1e-6, "million/s"),
    NUMBER("word_blocks_per_second", words, "blocks of random words per core", 1e-6, "million/s"),
    NUMBER("gemm_flops_per_second", gemm, "dgemm of rank 64 per core", 1e-9, "GFlop/s"),
    NUMBER("outputs_flops_per_second", outputs, "an autoencoder's outputs per core", 1e-9, "GFlop/s"),
    NUMBER("narrow_flops_per_second", narrow, "dgemm on few vectors per core", 1e-9, "GFlop/s"),
    NUMBER("packing_bytes_per_second", packing, "packing for these per core", 1e-9, "GB/s"),
    NUMBER("triangle_flops_per_second", triangles, "dtrsm of order 64 per core", 1e-9, "GFlop/s"),
    NUMBER("tridiagonal_seconds", tridiagonal, "dsterf", 1e9, "ns n^2"),
    NUMBER("panel_flops_per_second", panels, "products with panels per core", 1e-9, "GFlop/s"),
    TABLE("gemv_bytes_per_second", gemv, "dgemv per core", 1e-9, "GB/s", 1e-6, "MB"),
    NUMBER("gemv_alone_bytes_per_second", gemv_alone, "dgemv, one core alone", 1e-9, "GB/s"),
    TABLE("dense_flops_per_second", dense, "LAPACK spectra per core", 1e-9, "GFlop/s", 1, "features"),
    TABLE("updates_flops_per_second", updates, "spectra row by row per core", 1e-9, "GFlop/s", 1, "features"),
    TABLE("lanes_flops_per_second", lanes, "repeats side by side per core", 1e-9, "GFlop/s", 1, "features"),
    NUMBER("cell_seconds", cell, "a variant of a spectrum", 1e6, "us"),
    NUMBER("bidiagonal_seconds", bidiagonal, "bidiagonal QR, serial", 1e9, "ns n (n + 2600)"),
    NUMBER("rotations_per_second", rotations, "its rotations per core", 1e-9, "billion/s"),
    NUMBER("pdgesvd_rotations_per_second", pdgesvd_rotations, "those of pdgesvd per core", 1e-9, "billion/s"),
    NUMBER("band_seconds", band, "band to bidiagonal, serial", 1e9, "ns n^2 width"),
    NUMBER("band_rotations_per_second", band_rotations, "its rotations per core", 1e-9, "billion/s"),
    NUMBER("column_seconds", column, "ScaLAPACK's software per column", 1e6, "us"),
    NUMBER("message_seconds", message, "a message", 1e6, "us"),
    NUMBER("message_bytes_per_second", message_bandwidth, "a long message", 1e-9, "GB/s"),
    NUMBER("start_seconds", start, "start of one rank", 1, "s"),
    NUMBER("launch_seconds", launch, "start of several", 1, "s"),
    NUMBER("process_bytes", process, "memory of an idle rank", 1e-6, "MB"),
    NUMBER("journal_bytes_per_second", journal, "records into the journal", 1e-6, "MB/s"),
    NUMBER("record_seconds", record, "a record into the journal", 1e6, "us"),
    NUMBER("group_seconds", group, "a group of the results", 1e3, "ms"),
    NUMBER("results_bytes_per_second", results, "records into the results", 1e-6, "MB/s"),
};
enum { N_RATE_FIELDS = sizeof rate_fields / sizeof *rate_fields };

/* Measured by `ridgeless bench calibrate`; what is around the work, in lanes, small caches, the band and bidiagonal
 * QR, on 2 cores of an Intel Xeon. */
const rl_rates rl_rates_default = {
    .host = "a virtual machine with 2 cores of an AMD EPYC",
    .blas = "OpenBLAS 0.3.21, kernel Haswell, 1 thread",
    .date = "2026-11-24",
    .cores = 2,
    .normals = 1.5e8,
    .words = 5e7,
    .gemm = 4.5e10,
    .outputs = 3.5e10,
    .narrow = 4.3e10,
    .packing = 1.1e10,
    .triangles = 4.5e9,
    .tridiagonal = 2.4e-8,
    .panels = 4.5e10,
    .gemv = {5, {3200, 1.0486e6, 4.1943e6, 1.6777e7, 6.7109e7}, {3e10, 8e10, 6.4e10, 4.2e10, 2.3e10}},
    .gemv_alone = 2.5e10,
    .dense = {4, {8, 32, 128, 512}, {9e8, 6e9, 1.7e10, 2.6e10}},
    .updates = {3, {40, 100, 256}, {7e9, 1.3e10, 2e10}},
    .lanes = {2, {8, 20}, {5.5e9, 9.5e9}},
    .cell = 2.5e-7,
    .bidiagonal = 2.2e-9,
    .rotations = 2e10,
    .pdgesvd_rotations = 1.1e9,
    .band = 3.6e-10,
    .band_rotations = 2.7e10,
    .column = 4e-6,
    .message = 1e-6,
    .message_bandwidth = 1.2e10,
    .start = 0.045,
    .launch = 0.7,
    .process = 3e7,
    .journal = 1e9,
    .record = 3e-6,
    .group = 0.015,
    .results = 3.5e7,
};

/* Two processors of 32 cores, 2.5 GHz and eight channels of memory; cores and their own caches are like those above,
 * and memory and network are shared by all. The first caches of 64 cores hold 256 MB. What goes along a row or a column
 * of a process grid is passed on by a few ranks of a node at a time, which share its 12.5 GB/s. */
const rl_rates rl_rates_cluster = {
    .host = "a typical node of a cluster, 64 cores and 100 Gbit/s",
    .blas = "OpenBLAS, 1 thread",
    .date = "never measured",
    .cores = 64,
    .normals = 1.2e8,
    .words = 4e7,
    .gemm = 3e10,
    .outputs = 2.5e10,
    .narrow = 2.9e10,
    .packing = 8e9,
    .triangles = 3e9,
    .tridiagonal = 2.6e-8,
    .panels = 3e10,
    .gemv = {5, {3200, 1.0486e6, 4.1943e6, 1.6777e7, 6.7109e7}, {3e10, 5e10, 3e10, 5e9, 4e9}},
    .gemv_alone = 2e10,
    .dense = {4, {8, 32, 128, 512}, {8e8, 5e9, 1.3e10, 1.8e10}},
    .updates = {3, {40, 100, 256}, {6e9, 1e10, 1.4e10}},
    .lanes = {2, {8, 20}, {5e9, 8e9}},
    .cell = 2.5e-7,
    .bidiagonal = 2.2e-9,
    .rotations = 1.6e10,
    .pdgesvd_rotations = 8e8,
    .band = 3.6e-10,
    .band_rotations = 2.1e10,
    .column = 4e-6,
    .message = 2e-6,
    .message_bandwidth = 2e9,
    .start = 0.1,
    .launch = 3,
    .process = 4e7,
    .journal = 5e8,
    .record = 3e-6,
    .group = 0.03,
    .results = 3.5e7,
};

double rl_rate_at(const rl_rate_table *table, double size) {
    const int last = table->n - 1;
    int i = 0;
    if (!(size > table->size[0])) return table->rate[0];
    if (size >= table->size[last]) return table->rate[last];
    while (size >= table->size[i + 1]) i++;
    const double part = log(size / table->size[i]) / log(table->size[i + 1] / table->size[i]);
    return table->rate[i] * pow(table->rate[i + 1] / table->rate[i], part);
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

static rl_status append_table(const rate_field *field, const rl_rate_table *table, rl_text *text) {
    for (int i = 0; i < table->n; i++)
        RL_TRY(rl_text_append(text, "%-32s %9.4g %s at %.4g %s\n", i == 0 ? field->meaning : "",
                              field->factor * table->rate[i], field->unit, field->size_factor * table->size[i],
                              field->size_unit));
    return RL_OK;
}

rl_status rl_rates_text(const rl_rates *rates, rl_text *text) {
    for (int i = 0; i < N_RATE_FIELDS; i++) {
        const rate_field *field = &rate_fields[i];
        const void *member = (const char *)rates + field->offset;
        switch (field->kind) {
            case RATE_IS_TEXT:
                RL_TRY(rl_text_append(text, "%-32s %s\n", field->meaning, (const char *)member));
                break;
            case RATE_IS_COUNT:
                RL_TRY(rl_text_append(text, "%-32s %9d\n", field->meaning, *(const int *)member));
                break;
            case RATE_IS_NUMBER:
                RL_TRY(rl_text_append(text, "%-32s %9.4g %s\n", field->meaning, field->factor * *(const double *)member,
                                      field->unit));
                break;
            case RATE_IS_TABLE:
                RL_TRY(append_table(field, member, text));
                break;
        }
    }
    return RL_OK;
}

#define ADVICE "run `ridgeless bench calibrate` to make such a file"

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static rl_status fail_key(const char *path, const char *key, const char *expected) {
    return rl_fail(RL_ERR_INPUT, "%s: key `%s`: expected %s", path, key, expected);
}

static bool is_rate(const json_t *value) {
    return json_is_number(value) && json_number_value(value) > 0 && isfinite(json_number_value(value));
}

/* [[size, rate], ...] */
static bool take_table(const json_t *list, rl_rate_table *table) {
    const size_t n = json_array_size(list); /* 0 of what is no list */
    if (n < 1 || n > RL_RATE_POINTS) return false;
    *table = (rl_rate_table){.n = (int)n};
    for (size_t i = 0; i < n; i++) {
        const json_t *pair = json_array_get(list, i), *size = json_array_get(pair, 0), *rate = json_array_get(pair, 1);
        if (json_array_size(pair) != 2 || !is_rate(size) || !is_rate(rate)) return false;
        table->size[i] = json_number_value(size);
        table->rate[i] = json_number_value(rate);
        if (i > 0 && !(table->size[i] > table->size[i - 1])) return false;
    }
    return true;
}

static rl_status take_field(const char *path, const rate_field *field, const json_t *value, rl_rates *rates) {
    enum { MOST_CORES = 1 << 20 };
    void *member = (char *)rates + field->offset;
    switch (field->kind) {
        case RATE_IS_TEXT:
            if (!json_is_string(value) || json_string_length(value) >= RL_RATE_TEXT)
                return fail_key(path, field->key, "a text of less than 200 bytes");
            strcpy(member, json_string_value(value));
            break;
        case RATE_IS_COUNT:
            if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > MOST_CORES)
                return fail_key(path, field->key, "an integer from 1 to 1048576");
            *(int *)member = (int)json_integer_value(value);
            break;
        case RATE_IS_NUMBER:
            if (!is_rate(value)) return fail_key(path, field->key, "a number above 0");
            *(double *)member = json_number_value(value);
            break;
        case RATE_IS_TABLE:
            if (!take_table(value, member))
                return fail_key(path, field->key, "1 to 12 pairs [size, rate], all above 0, sizes ascending");
            break;
    }
    return RL_OK;
}

static bool is_known(const char *key) {
    for (int i = 0; i < N_RATE_FIELDS; i++)
        if (strcmp(key, rate_fields[i].key) == 0) return true;
    return false;
}

static rl_status take_object(const char *path, json_t *root, rl_rates *rates) {
    const char *key;
    json_t *value;
    if (!json_is_object(root)) return rl_fail(RL_ERR_INPUT, "%s: expected a JSON object; " ADVICE, path);
    json_object_foreach(root, key, value) {
        if (!is_known(key))
            return rl_fail(RL_ERR_INPUT, "%s: key `%.100s`: unknown, of another version perhaps; " ADVICE, path, key);
    }
    for (int i = 0; i < N_RATE_FIELDS; i++) {
        value = json_object_get(root, rate_fields[i].key);
        if (value == NULL) return rl_fail(RL_ERR_INPUT, "%s: key `%s`: missing; " ADVICE, path, rate_fields[i].key);
        RL_TRY(take_field(path, &rate_fields[i], value, rates));
    }
    return RL_OK;
}

rl_status rl_rates_read(const char *path, rl_rates *rates) {
    static const size_t limit = 1 << 16;
    rl_text text = RL_TEXT_EMPTY;
    json_error_t error;
    *rates = (rl_rates){0};
    rl_status status = rl_read_file(path, limit, &text);
    if (status == RL_OK) {
        json_t *root = json_loadb(text.bytes, text.length, JSON_REJECT_DUPLICATES, &error);
        status = root != NULL ? take_object(path, root, rates)
                              : rl_fail(RL_ERR_INPUT, "%s:%d: no JSON: %s; " ADVICE, path, error.line, error.text);
        json_decref(root);
    }
    rl_free(text.bytes);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static json_t *json_of_table(const rl_rate_table *table) {
    json_t *list = json_array();
    for (int i = 0; i < table->n; i++) json_array_append_new(list, json_pack("[f, f]", table->size[i], table->rate[i]));
    return list;
}

static json_t *json_of_field(const rate_field *field, const rl_rates *rates) {
    const void *member = (const char *)rates + field->offset;
    switch (field->kind) {
        case RATE_IS_TEXT:
            return json_string(member);
        case RATE_IS_COUNT:
            return json_integer(*(const int *)member);
        case RATE_IS_NUMBER:
            return json_real(*(const double *)member);
        default:
            return json_of_table(member);
    }
}

/* A field a line: jansson would give every number of a table its own. */
static rl_status append_field(const rate_field *field, json_t *value, bool last, rl_text *json) {
    enum { DIGITS = 5 };
    char *text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(DIGITS)) : NULL;
    if (text == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not build the JSON of the rates");
    const rl_status status = rl_text_append(json, "  \"%s\": %s%s\n", field->key, text, last ? "" : ",");
    free(text);
    return status;
}

rl_status rl_rates_json(const rl_rates *rates, rl_text *json) {
    RL_TRY(rl_text_append(json, "{\n"));
    for (int i = 0; i < N_RATE_FIELDS; i++) {
        json_t *value = json_of_field(&rate_fields[i], rates);
        const rl_status status = append_field(&rate_fields[i], value, i + 1 == N_RATE_FIELDS, json);
        json_decref(value);
        RL_TRY(status);
    }
    return rl_text_append(json, "}\n");
}

/* The folder of a path, and those above it. */
static rl_status make_folders(const char *path) {
    char *folder = NULL;
    RL_TRY(rl_strdup(&folder, path));
    rl_status status = RL_OK;
    for (char *slash = strchr(folder + 1, '/'); slash != NULL && status == RL_OK; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            status = rl_fail(RL_ERR_INPUT, "%s: the folder `%s` cannot be made: %s", path, folder, strerror(errno));
        *slash = '/';
    }
    rl_free(folder);
    return status;
}

/* Under another name first: who reads at the same time sees the old file or the new one. */
static rl_status replace(const char *path, const rl_text *text) {
    rl_temporary temporary;
    rl_status status = rl_temporary_open(path, &temporary);
    if (status == RL_OK) status = rl_temporary_write(&temporary, text->bytes, text->length);
    if (status == RL_OK) status = rl_temporary_put_in_place(&temporary);
    rl_temporary_discard(&temporary);
    return status == RL_OK ? RL_OK : rl_fail(RL_ERR_INPUT, "%s", rl_error_message());
}

rl_status rl_rates_write(const char *path, const rl_rates *rates) {
    rl_text text = RL_TEXT_EMPTY;
    rl_status status = rl_rates_json(rates, &text);
    if (status == RL_OK) status = make_folders(path);
    if (status == RL_OK) status = replace(path, &text);
    rl_free(text.bytes);
    return status;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* A variable that is set, and not to nothing; NULL otherwise. */
static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* *path stays NULL where there is no such place. A relative $XDG_CONFIG_HOME is to be ignored (XDG Base Directory
 * Specification). */
static rl_status find_place(char **path) {
    const char *configuration = variable("XDG_CONFIG_HOME"), *home = variable("HOME");
    rl_text text = RL_TEXT_EMPTY;
    *path = NULL;
    if (configuration != NULL && *configuration == '/')
        RL_TRY(rl_text_append(&text, "%s/ridgeless/rates.json", configuration));
    else if (home != NULL)
        RL_TRY(rl_text_append(&text, "%s/.config/ridgeless/rates.json", home));
    *path = text.bytes;
    return RL_OK;
}

rl_status rl_rates_place(char **path) {
    RL_TRY(find_place(path));
    if (*path != NULL) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "no place to keep rates: neither $XDG_CONFIG_HOME nor $HOME is set; name a file");
}

/* *path stays NULL where the default serves. */
static rl_status choose(const char *file, char **path) {
    if (file == NULL) file = variable("RIDGELESS_RATES");
    if (file != NULL) return rl_strdup(path, file);
    RL_TRY(find_place(path));
    if (*path == NULL || access(*path, F_OK) == 0) return RL_OK;
    rl_free(*path);
    *path = NULL;
    return RL_OK;
}

rl_status rl_rates_find(const char *file, rl_rates *rates, char **source) {
    *source = NULL;
    *rates = rl_rates_default;
    RL_TRY(choose(file, source));
    if (*source == NULL) return rl_strdup(source, RL_RATES_SHIPPED);
    if (strcmp(*source, RL_RATES_CLUSTER) == 0) {
        rl_free(*source);
        *rates = rl_rates_cluster;
        return rl_strdup(source, RL_RATES_CLUSTER_SOURCE);
    }
    const rl_status status = rl_rates_read(*source, rates);
    if (status == RL_OK) return RL_OK;
    rl_free(*source);
    *source = NULL;
    return status;
}
