/* Where in the study file a setting stands. */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "read.h"

/* A setting "name/of/key: value" or "key: value", and the part of the file in which it is to be found. */
typedef struct place {
    const char *key;
    size_t key_length;
    const rl_options *options; /* that may have the key; NULL: none */
    int first, end;            /* lines [first, end) of the file; first 0: of the whole study */
} place;

static bool is_name(const char *name, const char *text, size_t length) {
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

/* The data set or autoencoder of that name. */
static void find_owner(const rl_study *study, const char *name, size_t length, bool mapped, place *p) {
    for (int i = 0; i < study->n_datasets; i++) {
        const rl_study_dataset *d = &study->datasets[i];
        if (!is_name(d->name, name, length)) continue;
        p->first = d->line;
        p->options = mapped ? &d->map_options : &d->options;
    }
    for (int i = 0; i < study->n_autoencoders; i++) {
        const rl_study_autoencoder *a = &study->autoencoders[i];
        if (!is_name(a->name, name, length)) continue;
        p->first = a->line;
        p->options = &a->options;
    }
}

static void end_at(place *p, int line) {
    if (line > p->first && line < p->end) p->end = line;
}

static place place_of(const rl_study *study, const char *setting, size_t length) {
    const char *colon = memchr(setting, ':', length), *map = "/map/";
    const size_t end = colon != NULL ? (size_t)(colon - setting) : length;
    const char *slash = memchr(setting, '/', end);
    const size_t name = slash != NULL ? (size_t)(slash - setting) : end;
    place p = {.key = setting, .key_length = name, .end = INT_MAX};
    if (slash == NULL) return p;
    find_owner(study, setting, name, end - name > strlen(map) && memcmp(slash, map, strlen(map)) == 0, &p);
    if (p.first == 0) return p; /* a key of the whole study with parts */
    while (p.key < setting + end && memchr(p.key, '/', (size_t)(setting + end - p.key)) != NULL) p.key++;
    p.key_length = (size_t)(setting + end - p.key);
    for (int i = 0; i < study->n_datasets; i++) end_at(&p, study->datasets[i].line);
    for (int i = 0; i < study->n_autoencoders; i++) end_at(&p, study->autoencoders[i].line);
    return p;
}

static const rl_option_value *find_option(const place *p) {
    const rl_options *options = p->options;
    for (int i = 0; options != NULL && i < options->n; i++)
        if (is_name(options->specs[i].key, p->key, p->key_length)) return &options->values[i];
    return NULL;
}

static bool is_of_word(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* Whether a line of the file gives a key its value, outside of comments. */
static bool gives_key(const char *line, size_t length, const char *key, size_t key_length) {
    for (size_t i = 0; i + key_length < length && line[i] != '#'; i++) {
        if (memcmp(line + i, key, key_length) != 0 || (i > 0 && is_of_word(line[i - 1]))) continue;
        size_t end = i + key_length;
        while (end < length && (line[end] == ' ' || line[end] == '"' || line[end] == '\'')) end++;
        if (end < length && line[end] == ':') return true;
    }
    return false;
}

/* In the block of the data set or autoencoder, or else at the beginning of a line: a key of the whole study. 0: in
 * neither. */
static int find_given(const char *text, const place *p) {
    int number = 1, whole = 0;
    for (const char *line = text; *line != '\0'; number++) {
        const size_t length = strcspn(line, "\n");
        const bool given = gives_key(line, length, p->key, p->key_length);
        if (given && number >= p->first && number < p->end) return number;
        if (given && whole == 0 && strncmp(line, p->key, p->key_length) == 0) whole = number;
        line += length + (line[length] == '\n');
    }
    return whole;
}

static int find_key(const char *text, place *p, const char *key) {
    p->key = key;
    p->key_length = strlen(key);
    return find_given(text, p);
}

int rl_setting_line(const rl_study *study, const char *setting, size_t length) {
    place p = place_of(study, setting, length);
    const rl_option_value *option = find_option(&p);
    if (option != NULL) return option->given ? option->line : p.first;
    int line = find_given(study->text, &p);
    if (memchr(p.key, ' ', p.key_length) != NULL) { /* `process grids`, `shared trainings` */
        line = find_key(study->text, &p, "ranks_per_case");
        if (line == 0) line = find_key(study->text, &p, "grid");
    }
    return line > 0 ? line : p.first;
}

bool rl_setting_is_default(const rl_study *study, const char *setting, size_t length) {
    const place p = place_of(study, setting, length);
    const rl_option_value *option = find_option(&p);
    return option != NULL && !option->given;
}
