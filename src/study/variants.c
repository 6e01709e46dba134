/* The list of ablations with their parameters and options: the variants of a dataset, each with a label. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read.h"

enum { MAX_FIELDS = 32, MAX_ABLATIONS = 64 };

/* The variants that have been read, each with the node that it came from. */
typedef struct variant_list {
    rl_variant *variants;
    rl_node *origins;
    int n;
    rl_text of_variants, of_origins; /* the memory that they stand in */
} variant_list;

/* `fields`: the ablation's options, in the order of its specs. */
static rl_status append_variant(variant_list *list, rl_node node, const rl_ablation *ablation, double parameter,
                                const rl_field *fields) {
    if (list->n == RL_STUDY_LIST_LIMIT)
        return rl_node_refuse(node, "more than %d variants; expected at most that many", RL_STUDY_LIST_LIMIT);
    const rl_variant variant = {.ablation = ablation, .parameter = parameter};
    RL_TRY(rl_text_append_bytes(&list->of_origins, &node, sizeof node));
    RL_TRY(rl_text_append_bytes(&list->of_variants, &variant, sizeof variant));
    list->variants = (void *)list->of_variants.bytes;
    list->origins = (void *)list->of_origins.bytes;
    rl_options *const options = &list->variants[list->n++].options;
    return rl_read_options(node, fields, ablation->options, ablation->n_options, options);
}

/* ---- one entry of the list -------------------------------------------------------------------------------------- */

static rl_number_kind parameter_kind(const rl_ablation *ablation) {
    rl_number_kind kind = {.minimum = -INFINITY, .maximum = INFINITY, .meaning = ablation->parameter_meaning};
    if (ablation->parameter == RL_PARAMETER_POSITIVE) kind.minimum = 0;
    if (ablation->parameter == RL_PARAMETER_COUNT) {
        kind.integer = true;
        kind.minimum = 1;
    }
    return kind;
}

static rl_status find_ablation(rl_node node, const char *name, const rl_ablation **ablation) {
    const char *words[MAX_ABLATIONS];
    char list[500], hint[RL_WORD_HINT];
    int n = 0;
    *ablation = rl_ablation_find(name);
    if (*ablation != NULL) return RL_OK;
    for (; rl_ablations[n] != NULL && n < MAX_ABLATIONS; n++) words[n] = rl_ablations[n]->name;
    rl_list_words(words, n, list, sizeof list);
    return rl_node_refuse(node, "got `%.60s`%s expected an ablation: %s (`ridgeless ablations` says more)", name,
                          rl_word_hint(name, words, n, hint), list);
}

static rl_status refuse_lack(rl_node node, const rl_ablation *ablation) {
    char expected[300];
    return rl_node_refuse(node, "got no parameter; expected `%s: ` and %s, or a list of such", ablation->name,
                          rl_number_kind_text(parameter_kind(ablation), expected, sizeof expected));
}

/* Reads the value of `name: value` into the fields of a sequence and those of the ablation's options. One that is not a
 * mapping is short for {values: value}. */
static rl_status read_fields(rl_node value, const rl_ablation *ablation, rl_field *fields) {
    const bool parameter = ablation->parameter != RL_PARAMETER_NONE;
    const bool mapping = rl_node_kind_of(value) == RL_NODE_MAPPING;
    const int first = parameter ? 0 : RL_N_SEQUENCE_FIELDS;
    assert(RL_N_SEQUENCE_FIELDS + ablation->n_options <= MAX_FIELDS);
    if (!parameter && (!mapping || ablation->n_options == 0))
        return rl_node_fail(value, "`- %s` alone%s: it takes no parameter", ablation->name,
                            ablation->n_options > 0 ? ", or its options in braces" : "");
    RL_TRY(rl_read_fields(value, fields + first, RL_N_SEQUENCE_FIELDS - first, ablation->options, ablation->n_options));
    if (mapping) return RL_OK;
    if (rl_node_is_empty(value)) return refuse_lack(value, ablation);
    fields->node = value;
    return RL_OK;
}

/* `ridge: best` is the ablation `ridge_best`: one that chooses the parameter of the other. NULL: the item is no such
 * word. */
static const rl_ablation *chosen_by(rl_node item, const rl_ablation *ablation) {
    char name[80];
    const char *word;
    if (rl_node_kind_of(item) != RL_NODE_SCALAR || rl_node_is_empty(item)) return NULL;
    if (rl_node_text(item, "", &word) != RL_OK) return NULL;
    snprintf(name, sizeof name, "%s_%.40s", ablation->name, word);
    const rl_ablation *chooser = rl_ablation_find(name);
    return chooser != NULL && chooser->choose != NULL ? chooser : NULL;
}

/* Numbers and words, one after the other. */
static rl_status read_items(rl_node value, const rl_ablation *ablation, variant_list *list) {
    const rl_field absent[MAX_FIELDS] = {{.key = NULL}};
    for (int i = 0; i < rl_node_count(value); i++) {
        const rl_node item = rl_node_item(value, i);
        const rl_ablation *chooser = chosen_by(item, ablation);
        double number = NAN;
        if (chooser == NULL) RL_TRY(rl_node_number(item, parameter_kind(ablation), &number));
        RL_TRY(append_variant(list, value, chooser != NULL ? chooser : ablation, number, absent));
    }
    return RL_OK;
}

static bool has_word(rl_node value, const rl_ablation *ablation) {
    bool some = false;
    if (rl_node_kind_of(value) == RL_NODE_MAPPING) return false;
    for (int i = 0; i < rl_node_count(value); i++) some |= chosen_by(rl_node_item(value, i), ablation) != NULL;
    return some;
}

static rl_status read_with_value(rl_node value, const rl_ablation *ablation, variant_list *list) {
    rl_field fields[MAX_FIELDS] = {RL_SEQUENCE_FIELDS};
    const rl_field *const options = fields + RL_N_SEQUENCE_FIELDS;
    if (has_word(value, ablation)) return read_items(value, ablation, list);
    if (ablation->parameter_key != NULL) fields[0].key = ablation->parameter_key;
    RL_TRY(read_fields(value, ablation, fields));
    if (ablation->parameter == RL_PARAMETER_NONE) return append_variant(list, value, ablation, NAN, options);
    rl_sequence sequence = {0};
    rl_status status = rl_sequence_fields(fields, RL_N_SEQUENCE_FIELDS, parameter_kind(ablation), &sequence);
    if (status == RL_OK && sequence.n == 0) status = refuse_lack(value, ablation);
    for (int i = 0; i < sequence.n && status == RL_OK; i++)
        status = append_variant(list, value, ablation, sequence.values[i], options);
    rl_free(sequence.values);
    return status;
}

static rl_status read_name(rl_node entry, variant_list *list) {
    const char *name;
    const rl_ablation *ablation;
    RL_TRY(rl_node_text(entry, "the name of an ablation, or `name: parameters`", &name));
    RL_TRY(find_ablation(entry, name, &ablation));
    if (ablation->parameter != RL_PARAMETER_NONE) {
        entry.key = name;
        return refuse_lack(entry, ablation);
    }
    const rl_field absent[MAX_FIELDS] = {{.key = NULL}};
    return append_variant(list, entry, ablation, NAN, absent);
}

static rl_status read_entry(rl_node entry, variant_list *list) {
    if (rl_node_kind_of(entry) != RL_NODE_MAPPING) return read_name(entry, list);
    if (rl_node_n_pairs(entry) == 0) return rl_node_fail(entry, "the name of an ablation, or `name: parameters`");
    const char *name;
    rl_node value;
    const rl_ablation *ablation;
    RL_TRY(rl_node_pair(entry, 0, &name, &value));
    RL_TRY(find_ablation(value, name, &ablation));
    if (rl_node_n_pairs(entry) > 1) {
        RL_TRY(rl_node_pair(entry, 1, &name, &value));
        return rl_node_refuse(value,
                              "a second key in the entry of `%s`; expected one ablation per entry (its options go "
                              "inside: `%s: {values: [...], ...}`)",
                              ablation->name, ablation->name);
    }
    return read_with_value(value, ablation, list);
}

/* ---- labels ----------------------------------------------------------------------------------------------------- */

/* They are like "none", "cutoff=0.001" and "gradient_descent=100 rate=0.5": parameter, and options that are not the
 * default. */
static bool is_default(const rl_option_spec *spec, const rl_option_value *value) {
    switch (spec->type) {
        case RL_OPTION_INTEGER:
        case RL_OPTION_REAL:
        case RL_OPTION_FLAG:
            return value->number == spec->default_number;
        case RL_OPTION_TEXT_LIST:
            return value->n_list == 0;
        default:
            if (value->text == NULL || spec->default_text == NULL) return value->text == spec->default_text;
            return strcmp(value->text, spec->default_text) == 0;
    }
}

static rl_status append_option(const rl_option_spec *spec, const rl_option_value *value, int digits, rl_text *label) {
    RL_TRY(rl_text_append(label, " %s", spec->key));
    switch (spec->type) {
        case RL_OPTION_INTEGER:
        case RL_OPTION_REAL:
            return rl_text_append(label, "=%.*g", digits, value->number);
        case RL_OPTION_FLAG:
            return value->number != 0 ? RL_OK : rl_text_append(label, "=false");
        case RL_OPTION_TEXT_LIST:
            for (int i = 0; i < value->n_list; i++)
                RL_TRY(rl_text_append(label, "%s%s", i == 0 ? "=" : ",", value->list[i]));
            return RL_OK;
        default:
            return rl_text_append(label, "=%s", value->text);
    }
}

static rl_status append_label(const rl_variant *variant, int digits, rl_text *label) {
    RL_TRY(rl_text_append(label, "%s", variant->ablation->name));
    if (!isnan(variant->parameter)) RL_TRY(rl_text_append(label, "=%.*g", digits, variant->parameter));
    for (int i = 0; i < variant->options.n; i++) {
        const rl_option_spec *spec = &variant->options.specs[i];
        const rl_option_value *value = &variant->options.values[i];
        if (!is_default(spec, value)) RL_TRY(append_option(spec, value, digits, label));
    }
    return RL_OK;
}

static rl_status make_label(rl_variant *variant, int digits) {
    rl_text label = RL_TEXT_EMPTY;
    const rl_status status = append_label(variant, digits, &label);
    rl_free(variant->label);
    variant->label = label.bytes; /* owned by the variant, on failure too */
    return status;
}

/* For qsort: equal labels stay in the order of the file. */
static int compare_labels(const void *a, const void *b) {
    const rl_variant *x = *(rl_variant *const *)a, *y = *(rl_variant *const *)b;
    const int order = strcmp(x->label, y->label);
    return order != 0 ? order : (x > y) - (x < y);
}

/* Gives variants whose labels are equal at six digits all seventeen. */
static rl_status separate_labels(rl_variant **sorted, int n) {
    qsort(sorted, (size_t)n, sizeof *sorted, compare_labels);
    for (int first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && strcmp(sorted[first]->label, sorted[end]->label) == 0;) end++;
        for (int i = first; i < end && end - first > 1; i++) RL_TRY(make_label(sorted[i], 17));
    }
    return RL_OK;
}

/* The first in the file whose label is that of one before it; NULL: there is none. */
static const rl_variant *find_repeated(rl_variant **sorted, int n) {
    const rl_variant *repeated = NULL;
    qsort(sorted, (size_t)n, sizeof *sorted, compare_labels);
    for (int i = 1; i < n; i++)
        if (strcmp(sorted[i - 1]->label, sorted[i]->label) == 0 && (repeated == NULL || sorted[i] < repeated))
            repeated = sorted[i];
    return repeated;
}

/* Gives every variant its label. *repeated: the first that equals one before it; NULL: none does. */
static rl_status label_variants(rl_variant *variants, int n_variants, const rl_variant **repeated) {
    rl_variant **sorted;
    RL_TRY(RL_ALLOC(sorted, n_variants));
    rl_status status = RL_OK;
    for (int i = 0; i < n_variants && status == RL_OK; i++) {
        status = make_label(&variants[i], 6);
        sorted[i] = &variants[i];
    }
    if (status == RL_OK) status = separate_labels(sorted, n_variants);
    *repeated = status == RL_OK ? find_repeated(sorted, n_variants) : NULL;
    rl_free(sorted);
    return status;
}

/* ---- the list --------------------------------------------------------------------------------------------------- */

static rl_status refuse_twice(const variant_list *list, const rl_variant *variant) {
    const rl_node node = list->origins[variant - list->variants];
    if (isnan(variant->parameter))
        return rl_node_refuse(node, "got the variant `%s` twice; expected each once", variant->ablation->name);
    return rl_node_refuse(node, "got the variant `%s` with the parameter %.6g twice; expected each once",
                          variant->ablation->name, variant->parameter);
}

static rl_status read_list(rl_node node, variant_list *list) {
    if (rl_node_count(node) == 0 || rl_node_is_empty(node)) return rl_node_fail(node, "a list of ablations, e.g. none");
    for (int i = 0; i < rl_node_count(node); i++) RL_TRY(read_entry(rl_node_item(node, i), list));
    const rl_variant *repeated;
    RL_TRY(label_variants(list->variants, list->n, &repeated));
    return repeated == NULL ? RL_OK : refuse_twice(list, repeated);
}

rl_status rl_read_variants(rl_node node, rl_variant **variants, int *n_variants) {
    variant_list list = {0};
    const rl_status status = read_list(node, &list);
    rl_free(list.of_origins.bytes);
    *variants = list.variants;
    *n_variants = list.n;
    return status;
}

void rl_variants_destroy(rl_variant *variants, int n_variants) {
    for (int i = 0; i < n_variants; i++) {
        rl_options_destroy(&variants[i].options);
        rl_free(variants[i].label);
    }
    rl_free(variants);
}
