/* The options of a table row (a source, an ablation, a map), read as its specs say. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "read.h"

enum { MAX_WORDS = 32, MAX_WORDS_LENGTH = 500, MAX_EXPECTED = 400 };

static rl_number_kind number_kind(const rl_option_spec *spec) {
    return (rl_number_kind){.integer = spec->type == RL_OPTION_INTEGER,
                            .minimum = spec->minimum,
                            .maximum = spec->maximum,
                            .meaning = spec->help};
}

/* Returns what is expected: "a text (what it means)", and so on for every type. */
static const char *expectation(const rl_option_spec *spec, char *buffer, size_t size) {
    if (spec->type == RL_OPTION_INTEGER || spec->type == RL_OPTION_REAL)
        return rl_number_kind_text(number_kind(spec), buffer, size);
    const char *const whats[] = {[RL_OPTION_FLAG] = "true or false",
                                 [RL_OPTION_CHOICE] = spec->choices,
                                 [RL_OPTION_TEXT] = "a text",
                                 [RL_OPTION_TEXT_LIST] = "a text or a list of texts"};
    snprintf(buffer, size, "%s (%s)", whats[spec->type], spec->help);
    return buffer;
}

static rl_status read_flag(rl_node node, rl_option_value *value) {
    bool flag;
    RL_TRY(rl_node_flag(node, &flag));
    value->number = flag;
    return RL_OK;
}

static rl_status replace_text(rl_option_value *value, const char *text) {
    rl_free(value->text);
    value->text = NULL;
    return rl_strdup(&value->text, text);
}

static rl_status read_choice(rl_node node, const rl_option_spec *spec, rl_option_value *value) {
    char buffer[MAX_WORDS_LENGTH];
    const char *words[MAX_WORDS];
    int n = 0, index;
    assert(strlen(spec->choices) < sizeof buffer);
    strcpy(buffer, spec->choices);
    for (char *rest = NULL, *word = strtok_r(buffer, "|", &rest); word != NULL && n < MAX_WORDS;
         word = strtok_r(NULL, "|", &rest))
        words[n++] = word;
    RL_TRY(rl_node_word(node, words, n, &index));
    value->number = index;
    return replace_text(value, words[index]);
}

static rl_status read_text(rl_node node, const rl_option_spec *spec, rl_option_value *value) {
    char expected[MAX_EXPECTED];
    const char *text;
    RL_TRY(rl_node_text(node, expectation(spec, expected, sizeof expected), &text));
    return replace_text(value, text);
}

static rl_status read_text_list(rl_node node, const rl_option_spec *spec, rl_option_value *value) {
    char expected[MAX_EXPECTED];
    const int n = rl_node_count(node);
    expectation(spec, expected, sizeof expected);
    if (n == 0) return rl_node_fail(node, "%s", expected);
    RL_TRY(RL_ALLOC(value->list, n));
    for (int i = 0; i < n; i++) {
        const char *text;
        RL_TRY(rl_node_text(rl_node_item(node, i), expected, &text));
        RL_TRY(rl_strdup(&value->list[i], text));
        value->n_list = i + 1;
    }
    return RL_OK;
}

static rl_status read_value(rl_node node, const rl_option_spec *spec, rl_option_value *value) {
    value->given = true;
    value->line = node.line;
    switch (spec->type) {
        case RL_OPTION_INTEGER:
        case RL_OPTION_REAL:
            return rl_node_number(node, number_kind(spec), &value->number);
        case RL_OPTION_FLAG:
            return read_flag(node, value);
        case RL_OPTION_CHOICE:
            return read_choice(node, spec, value);
        case RL_OPTION_TEXT:
            return read_text(node, spec, value);
        default:
            return read_text_list(node, spec, value);
    }
}

rl_status rl_read_fields(rl_node node, rl_field *fields, int n, const rl_option_spec *specs, int n_specs) {
    for (int i = 0; i < n_specs; i++) fields[n + i].key = specs[i].key;
    return rl_node_kind_of(node) == RL_NODE_MAPPING ? rl_node_fields(node, fields, n + n_specs) : RL_OK;
}

rl_status rl_read_options(rl_node owner, const rl_field *fields, const rl_option_spec *specs, int n_specs,
                          rl_options *options) {
    RL_TRY(rl_options_create(options, specs, n_specs));
    for (int i = 0; i < n_specs; i++) {
        char expected[MAX_EXPECTED];
        if (fields[i].node.file != NULL)
            RL_TRY(read_value(fields[i].node, &specs[i], &options->values[i]));
        else if (specs[i].required)
            return rl_node_missing(owner, specs[i].key, expectation(&specs[i], expected, sizeof expected));
    }
    return RL_OK;
}
