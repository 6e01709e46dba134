/* What the settings of a former study say of a data set that the study still has. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read.h"

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static const char *next_line(const char *line) {
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

/* The value in a line "name/key: value", or "key: value" where name is NULL; NULL: it is another line. */
static const char *value_in(const char *line, const char *name, const char *key) {
    const size_t name_length = name != NULL ? strlen(name) : 0, key_length = strlen(key);
    if (name != NULL) {
        if (strncmp(line, name, name_length) != 0 || line[name_length] != '/') return NULL;
        line += name_length + 1;
    }
    return strncmp(line, key, key_length) == 0 && strncmp(line + key_length, ": ", 2) == 0 ? line + key_length + 2
                                                                                           : NULL;
}

/* From `settings` on, the first value of that name and key; NULL: there is none. */
static const char *find_value(const char *settings, const char *name, const char *key) {
    for (; *settings != '\0'; settings = next_line(settings)) {
        const char *value = value_in(settings, name, key);
        if (value != NULL) return value;
    }
    return NULL;
}

static bool is_word(const char *value, const char *word) {
    const size_t length = strlen(word);
    return value != NULL && strncmp(value, word, length) == 0 && (value[length] == '\n' || value[length] == '\0');
}

static bool has_same_value(const char *a, const char *b) {
    const size_t n = a != NULL ? strcspn(a, "\n") : 0, m = b != NULL ? strcspn(b, "\n") : 0;
    return (a == NULL) == (b == NULL) && n == m && (n == 0 || memcmp(a, b, n) == 0);
}

bool rl_settings_have(const char *settings, const char *name) {
    return find_value(settings, name, "source") != NULL;
}

/* ---- variants ---------------------------------------------------------------------------------------------------- */

static int count_variants(const char *settings, const char *name) {
    int n = 0;
    for (; *settings != '\0'; settings = next_line(settings)) n += value_in(settings, name, "variant") != NULL;
    return n;
}

/* "cutoff 0.1 relative=true": its options are of no interest here. */
static bool read_variant(const char *value, rl_variant *variant) {
    char word[64];
    const size_t length = strcspn(value, " \n");
    if (length >= sizeof word) return false;
    memcpy(word, value, length);
    word[length] = '\0';
    variant->ablation = rl_ablation_find(word);
    if (variant->ablation == NULL) return false;
    if (variant->ablation->parameter != RL_PARAMETER_NONE) variant->parameter = strtod(value + length, NULL);
    return true;
}

static rl_status read_variants(const char *have, rl_former *f) {
    rl_study_dataset *spec = &f->spec;
    int n = 0;
    spec->n_variants = count_variants(have, spec->name);
    RL_TRY(RL_ALLOC(spec->variants, spec->n_variants));
    for (const char *line = have; *line != '\0'; line = next_line(line)) {
        const char *value = value_in(line, spec->name, "variant");
        if (value == NULL) continue;
        spec->variants[n].parameter = NAN;
        f->is_known &= read_variant(value, &spec->variants[n++]);
    }
    return RL_OK;
}

/* The place of a variant among those of `have`, from -1 on. */
static int find_variant(const char *have, const char *name, const char *wanted) {
    int n = 0;
    for (; *have != '\0'; have = next_line(have)) {
        const char *value = value_in(have, name, "variant");
        if (value == NULL) continue;
        if (has_same_value(value, wanted)) return n;
        n++;
    }
    return -1;
}

static rl_status find_places(const char *have, const char *want, int n, rl_former *f) {
    int v = 0;
    RL_TRY(RL_ALLOC(f->places, n));
    for (const char *line = want; *line != '\0' && v < n; line = next_line(line)) {
        const char *value = value_in(line, f->spec.name, "variant");
        if (value == NULL) continue;
        f->places[v] = find_variant(have, f->spec.name, value);
        if (f->places[v] < 0 && f->missing < 0) f->missing = v;
        v++;
    }
    return RL_OK;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static void read_keep(const char *have, rl_former *f) {
    const char *name = f->spec.name;
    f->spec.keep = (rl_keep){.modes = is_word(find_value(have, name, "modes"), "true"),
                             .directions = is_word(find_value(have, name, "directions"), "true"),
                             .predictions = is_word(find_value(have, name, "predictions"), "true"),
                             .summary = is_word(find_value(have, name, "summary"), "true")};
}

static void read_measures(const char *have, rl_former *f) {
    const char *word = find_value(have, f->spec.name, "measures");
    f->spec.measures = 0;
    while (word != NULL && *word != '\n' && *word != '\0') {
        const size_t length = strcspn(word, " \n");
        for (int k = 0; k < RL_N_MEASURES; k++)
            if (strlen(rl_measure_words[k]) == length && strncmp(word, rl_measure_words[k], length) == 0)
                f->spec.measures |= 1u << k;
        word += length + (word[length] == ' ');
    }
}

static void read_producer(const char *have, rl_former *f) {
    const char *value = find_value(have, f->spec.name, "producer");
    f->spec.ranks_per_case =
        is_word(find_value(have, f->spec.name, "process grids"), "yes") ? RL_RANKS_ALL : RL_RANKS_AUTO;
    f->spec.producer = RL_PRODUCER_AUTO;
    for (int p = 0; p <= RL_PRODUCER_LAPACK; p++)
        if (is_word(value, rl_producer_name((rl_producer)p))) f->spec.producer = p;
}

/* Whether both give the same N for a key of the whole study. */
static bool has_same_n(const char *have, const char *want, const char *key) {
    static const char *const parts[] = {"values", "ratios", "around_threshold"};
    bool same = has_same_value(find_value(have, NULL, key), find_value(want, NULL, key));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/%s", key, parts[i]);
        same = same && has_same_value(find_value(have, NULL, name), find_value(want, NULL, name));
    }
    return same;
}

rl_status rl_former_read(const rl_study_dataset *dataset, const char *have, const char *want, rl_former *former) {
    const char *block = find_value(have, NULL, "block");
    *former = (rl_former){.spec = *dataset, .missing = -1, .is_known = true};
    former->spec.variants = NULL;
    former->block = block != NULL ? atoi(block) : 0;
    former->some_full = !is_word(find_value(have, NULL, "full_spectra"), "all");
    former->same_full = has_same_n(have, want, "full_spectra");
    former->same_sigma = has_same_n(have, want, "singular_values");
    read_keep(have, former);
    read_measures(have, former);
    read_producer(have, former);
    RL_TRY(read_variants(have, former));
    return find_places(have, want, dataset->n_variants, former);
}

void rl_former_destroy(rl_former *former) {
    rl_free(former->spec.variants); /* which own nothing */
    rl_free(former->places);
}
