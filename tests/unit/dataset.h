/* What tests of data sets share: a folder of files, sources with options as a study would give them. */
#ifndef RL_TEST_DATASET_H
#define RL_TEST_DATASET_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ridgeless/data.h"
#include "unit.h"

/* Both ends of the tolerance allowed; false for NaN. */
static inline bool is_near(double value, double expected, double tolerance) {
    return fabs(value - expected) <= tolerance;
}
#define assert_near(value, expected, tolerance) assert_true(is_near(value, expected, tolerance))

/* Fails, showing the message, unless it has `part` in it. */
static inline void assert_message(const char *part) {
    if (strstr(rl_error_message(), part) == NULL) fail_msg("no `%s` in: %s", part, rl_error_message());
}

static inline void assert_done(rl_status status) {
    if (status != RL_OK) fail_msg("%s", rl_error_message());
}

static inline void assert_refused(rl_status status, const char *part) {
    assert_int_equal(status, RL_ERR_INPUT);
    assert_message(part);
}

/* ---- a folder ---------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/ridgeless-test-data-XXXXXX";

static inline int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static inline int remove_folder(void **state) {
    (void)state;
    char command[sizeof folder + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* The path of a file in the folder, valid until the next call. */
static inline const char *path_of(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline const char *write_bytes(const char *name, const void *bytes, size_t length) {
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    return path_of(name);
}

static inline const char *write_text(const char *name, const char *text) {
    return write_bytes(name, text, strlen(text));
}

/* ---- data sets --------------------------------------------------------------------------------------------------- */

/* What a study file would say of a dataset. */
typedef struct setting {
    const char *key, *value; /* of a list: entries between bars */
} setting;

static inline void give(rl_option_value *value, const rl_option_spec *spec, const char *text) {
    value->given = true;
    value->line = 7;
    value->number = strtod(text, NULL);
    if (spec->type == RL_OPTION_TEXT_LIST) {
        assert_done(rl_alloc(&value->list, 8, sizeof *value->list));
        for (const char *entry = text; *entry != '\0'; entry += strcspn(entry, "|"), entry += *entry == '|') {
            char word[64];
            snprintf(word, sizeof word, "%.*s", (int)strcspn(entry, "|"), entry);
            assert_done(rl_strdup(&value->list[value->n_list++], word));
        }
        return;
    }
    rl_free(value->text);
    assert_done(rl_strdup(&value->text, text));
    if (spec->type != RL_OPTION_CHOICE) return;
    const char *word = spec->choices;
    for (value->number = 0; strcspn(word, "|") != strlen(text) || strncmp(word, text, strlen(text)) != 0;
         value->number++) {
        word += strcspn(word, "|");
        assert_true(*word++ == '|');
    }
}

typedef struct request {
    const char *source, *name;
    const setting *settings; /* ended by a NULL key; may be NULL */
    const char *data, *base; /* folders */
    rl_random_kind random;
    uint64_t seed;
    int n_views, n_repeats;
    bool intercept;
} request;

static inline rl_status load(const request *r, rl_dataset *dataset) {
    const rl_source *source = rl_source_find(r->source);
    assert_non_null(source);
    rl_options options;
    assert_done(rl_options_create(&options, source->options, source->n_options));
    for (const setting *s = r->settings; s != NULL && s->key != NULL; s++) {
        const int i = rl_options_find(&options, s->key);
        assert_true(i >= 0);
        give(&options.values[i], &options.specs[i], s->value);
    }
    rl_data_path path;
    assert_done(rl_data_path_create(&path, r->data));
    const rl_status status = rl_dataset_load(source,
                                             &(rl_source_request){.name = r->name == NULL ? r->source : r->name,
                                                                  .options = &options,
                                                                  .path = &path,
                                                                  .base_folder = r->base,
                                                                  .random = r->random,
                                                                  .seed = r->seed,
                                                                  .n_views = r->n_views,
                                                                  .n_repeats = r->n_repeats,
                                                                  .intercept = r->intercept},
                                             dataset);
    rl_data_path_destroy(&path);
    rl_options_destroy(&options);
    return status;
}

#define SETTINGS(...) ((const setting[]){__VA_ARGS__, {NULL, NULL}})

static inline rl_dataset load_done(request r) {
    rl_dataset dataset;
    assert_done(load(&r, &dataset));
    return dataset;
}

static inline void refuse(request r, const char *message) {
    rl_dataset dataset;
    assert_refused(load(&r, &dataset), message);
    assert_null(dataset.name); /* empty: nothing to release */
    assert_null(dataset.x);
    assert_null(dataset.y);
    assert_null(dataset.beta_star);
    assert_null(dataset.teacher.beta);
    assert_null(dataset.file.path);
}

#endif
