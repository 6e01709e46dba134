/* Typed options: their defaults and their values. */
#include <assert.h>
#include <string.h>

#include "ridgeless/core.h"

static rl_status set_default(rl_option_value *value, const rl_option_spec *spec) {
    value->number = spec->default_number;
    if (spec->default_text == NULL) return RL_OK;
    if (spec->type == RL_OPTION_CHOICE) { /* the index of the word in "a|b|c" */
        const char *word = strstr(spec->choices, spec->default_text);
        assert(word != NULL);
        value->number = 0;
        for (const char *c = spec->choices; c < word; c++) value->number += *c == '|';
    }
    return rl_strdup(&value->text, spec->default_text);
}

rl_status rl_options_create(rl_options *options, const rl_option_spec *specs, int n_specs) {
    *options = (rl_options){.specs = specs, .n = n_specs};
    RL_TRY(RL_ALLOC(options->values, n_specs));
    for (int i = 0; i < n_specs; i++) RL_TRY(set_default(&options->values[i], &specs[i]));
    return RL_OK;
}

void rl_options_destroy(rl_options *options) {
    for (int i = 0; options->values != NULL && i < options->n; i++) {
        rl_option_value *value = &options->values[i];
        for (int j = 0; j < value->n_list; j++) rl_free(value->list[j]);
        rl_free(value->list);
        rl_free(value->text);
    }
    rl_free(options->values);
    *options = (rl_options){0};
}

int rl_options_find(const rl_options *options, const char *key) {
    for (int i = 0; i < options->n; i++)
        if (strcmp(options->specs[i].key, key) == 0) return i;
    return -1;
}

const rl_option_value *rl_options_get(const rl_options *options, const char *key) {
    const int index = rl_options_find(options, key);
    assert(index >= 0);
    return &options->values[index];
}

int rl_options_integer(const rl_options *options, const char *key) {
    return (int)rl_options_get(options, key)->number;
}

double rl_options_real(const rl_options *options, const char *key) {
    return rl_options_get(options, key)->number;
}

bool rl_options_flag(const rl_options *options, const char *key) {
    return rl_options_get(options, key)->number != 0;
}

const char *rl_options_text(const rl_options *options, const char *key) {
    return rl_options_get(options, key)->text;
}
