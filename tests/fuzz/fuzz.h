/* What the fuzz targets share: a folder of their own for files, and checks of what every failure owes to a person. */
#ifndef FUZZ_H
#define FUZZ_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ridgeless/core.h"

/* What libFuzzer calls. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process: a finding. */
#define FUZZ_REQUIRE(condition)                                                                              \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, rl_error_message()); \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* Where the target's files are: removed by who started it. */
static inline const char *fuzz_folder(void) {
    static char folder[256];
    const char *base = getenv("TMPDIR");
    if (*folder != '\0') return folder;
    snprintf(folder, sizeof folder, "%.200s/fuzz-XXXXXX", base != NULL ? base : "/tmp");
    FUZZ_REQUIRE(mkdtemp(folder) != NULL);
    return folder;
}

/* folder/name in a buffer of the caller's. */
static inline const char *fuzz_path(char path[512], const char *name) {
    snprintf(path, 512, "%s/%s", fuzz_folder(), name);
    return path;
}

static inline void fuzz_write(const char *path, const void *bytes, size_t size) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FUZZ_REQUIRE(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

/* A failure of reading input is an answer to a person: bad input or no memory, with a message of one line. */
static inline void fuzz_check_answer(rl_status status) {
    if (status == RL_OK) return;
    FUZZ_REQUIRE(status == RL_ERR_INPUT || status == RL_ERR_MEMORY);
    FUZZ_REQUIRE(strlen(rl_error_message()) > 10 && strchr(rl_error_message(), '\n') == NULL);
}

/* The next bytes of an input, zeros beyond its end: what a target builds its case from. */
typedef struct fuzz_bytes {
    const uint8_t *next;
    size_t left;
} fuzz_bytes;

static inline unsigned fuzz_take(fuzz_bytes *bytes) {
    if (bytes->left == 0) return 0;
    bytes->left--;
    return *bytes->next++;
}

/* Gives an option a value. */
static inline void fuzz_set_text(rl_options *options, const char *key, const char *text) {
    rl_option_value *value = &options->values[rl_options_find(options, key)];
    rl_free(value->text);
    FUZZ_REQUIRE(rl_strdup(&value->text, text) == RL_OK);
}

/* A list of one. */
static inline void fuzz_set_list(rl_options *options, const char *key, const char *text) {
    rl_option_value *value = &options->values[rl_options_find(options, key)];
    value->given = true;
    FUZZ_REQUIRE(RL_ALLOC(value->list, 1) == RL_OK && rl_strdup(&value->list[0], text) == RL_OK);
    value->n_list = 1;
}

#endif
