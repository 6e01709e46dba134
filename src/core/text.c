/* Texts that grow, file names, and whole files. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "memory.h"

static rl_status reserve_bytes(rl_text *text, size_t more) {
    const size_t needed = text->length + more + 1;
    if (needed <= text->capacity) return RL_OK;
    size_t capacity = text->capacity < 256 ? 256 : text->capacity;
    while (capacity < needed) capacity *= 2;
    RL_TRY(rl_resize(&text->bytes, capacity));
    text->capacity = capacity;
    text->bytes[text->length] = '\0';
    return RL_OK;
}

rl_status rl_text_append(rl_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    RL_TRY(reserve_bytes(text, (size_t)length));
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
    return RL_OK;
}

rl_status rl_text_append_bytes(rl_text *text, const void *bytes, size_t length) {
    RL_TRY(reserve_bytes(text, length));
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
    return RL_OK;
}

const char *rl_file_stem(const char *path, size_t *length) {
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    *length = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
    return name;
}

static rl_status read_stream(FILE *file, const char *path, size_t limit, rl_text *content) {
    char buffer[16384];
    size_t got;
    while ((got = fread(buffer, 1, sizeof buffer, file)) > 0) {
        if (content->length + got > limit) return rl_fail(RL_ERR_INPUT, "%s: larger than %zu bytes", path, limit);
        RL_TRY(rl_text_append_bytes(content, buffer, got));
    }
    if (ferror(file)) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    return reserve_bytes(content, 0);
}

static rl_status open_file(const char *path, rl_status blame, const char *expected, bool regular, FILE **file) {
    struct stat status;
    const bool exists = stat(path, &status) == 0;
    if (exists && (S_ISDIR(status.st_mode) || (regular && !S_ISREG(status.st_mode))))
        return rl_fail(blame, "%s: is %s, expected %s", path,
                       S_ISDIR(status.st_mode) ? "a directory" : "not a regular file", expected);
    *file = exists ? fopen(path, "rb") : NULL;
    return *file != NULL ? RL_OK : rl_fail(blame, "%s: cannot be read: %s", path, strerror(errno));
}

rl_status rl_read_beginning(const char *path, rl_status blame, const char *expected, size_t size, char *begin,
                            size_t *got) {
    FILE *file;
    RL_TRY(open_file(path, blame, expected, true, &file));
    *got = fread(begin, 1, size, file);
    fclose(file);
    return RL_OK;
}

rl_status rl_read_file(const char *path, size_t limit, rl_text *content) {
    FILE *file;
    RL_TRY(open_file(path, RL_ERR_INPUT, "a file", false, &file));
    const rl_status result = read_stream(file, path, limit, content);
    fclose(file);
    return result;
}
