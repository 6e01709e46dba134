/* Rates as JSON, and where they are looked for. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rate_fields.h"

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

static rl_status take_field(const char *path, const rl_rate_field *field, const json_t *value, rl_rates *rates) {
    enum { MOST_CORES = 1 << 20 };
    void *member = (char *)rates + field->offset;
    switch (field->kind) {
        case RL_RATE_IS_TEXT:
            if (!json_is_string(value) || json_string_length(value) >= RL_RATE_TEXT)
                return fail_key(path, field->key, "a text of less than 200 bytes");
            strcpy(member, json_string_value(value));
            break;
        case RL_RATE_IS_COUNT:
            if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > MOST_CORES)
                return fail_key(path, field->key, "an integer from 1 to 1048576");
            *(int *)member = (int)json_integer_value(value);
            break;
        case RL_RATE_IS_NUMBER:
            if (!is_rate(value)) return fail_key(path, field->key, "a number above 0");
            *(double *)member = json_number_value(value);
            break;
        case RL_RATE_IS_TABLE:
            if (!take_table(value, member))
                return fail_key(path, field->key, "1 to 12 pairs [size, rate], all above 0, sizes ascending");
            break;
    }
    return RL_OK;
}

static bool is_known(const char *key) {
    for (int i = 0; i < RL_N_RATE_FIELDS; i++)
        if (strcmp(key, rl_rate_fields[i].key) == 0) return true;
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
    for (int i = 0; i < RL_N_RATE_FIELDS; i++) {
        value = json_object_get(root, rl_rate_fields[i].key);
        if (value == NULL) return rl_fail(RL_ERR_INPUT, "%s: key `%s`: missing; " ADVICE, path, rl_rate_fields[i].key);
        RL_TRY(take_field(path, &rl_rate_fields[i], value, rates));
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

static json_t *json_of_field(const rl_rate_field *field, const rl_rates *rates) {
    const void *member = (const char *)rates + field->offset;
    switch (field->kind) {
        case RL_RATE_IS_TEXT:
            return json_string(member);
        case RL_RATE_IS_COUNT:
            return json_integer(*(const int *)member);
        case RL_RATE_IS_NUMBER:
            return json_real(*(const double *)member);
        default:
            return json_of_table(member);
    }
}

/* A field a line: jansson would give every number of a table its own. */
static rl_status append_field(const rl_rate_field *field, json_t *value, bool last, rl_text *json) {
    enum { DIGITS = 5 };
    char *text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(DIGITS)) : NULL;
    if (text == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not build the JSON of the rates");
    const rl_status status = rl_text_append(json, "  \"%s\": %s%s\n", field->key, text, last ? "" : ",");
    free(text);
    return status;
}

rl_status rl_rates_json(const rl_rates *rates, rl_text *json) {
    RL_TRY(rl_text_append(json, "{\n"));
    for (int i = 0; i < RL_N_RATE_FIELDS; i++) {
        json_t *value = json_of_field(&rl_rate_fields[i], rates);
        const rl_status status = append_field(&rl_rate_fields[i], value, i + 1 == RL_N_RATE_FIELDS, json);
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

static bool write_text(const char *path, const rl_text *text) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) return false;
    const bool written = fwrite(text->bytes, 1, text->length, file) == text->length;
    return fclose(file) == 0 && written;
}

/* Under another name first: who reads at the same time sees the old file or the new one. */
static rl_status replace(const char *path, const rl_text *text) {
    rl_text temporary = RL_TEXT_EMPTY;
    rl_status status = rl_text_append(&temporary, "%s.%ld", path, (long)getpid());
    if (status == RL_OK && (!write_text(temporary.bytes, text) || rename(temporary.bytes, path) != 0)) {
        status = rl_fail(RL_ERR_INPUT, "%s: cannot be written: %s", path, strerror(errno));
        unlink(temporary.bytes);
    }
    rl_free(temporary.bytes);
    return status;
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
    if (*source == NULL) return rl_strdup(source, "shipped default");
    const rl_status status = rl_rates_read(*source, rates);
    if (status == RL_OK) return RL_OK;
    rl_free(*source);
    *source = NULL;
    return status;
}
