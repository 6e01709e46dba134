/* The list of ablations with their parameters and options: the variants of a dataset. */
#include <assert.h>
#include <math.h>

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
    char list[500];
    int n = 0;
    *ablation = rl_ablation_find(name);
    if (*ablation != NULL) return RL_OK;
    for (; rl_ablations[n] != NULL && n < MAX_ABLATIONS; n++) words[n] = rl_ablations[n]->name;
    rl_list_words(words, n, list, sizeof list);
    const char *nearest = rl_nearest_word(name, words, n);
    if (nearest == NULL) return rl_node_refuse(node, "got `%.60s`; expected an ablation: %s", name, list);
    return rl_node_refuse(node, "got `%.60s`; expected an ablation: %s; did you mean `%s`?", name, list, nearest);
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
        return rl_node_fail(value, "`- %s` alone: it takes no parameter", ablation->name);
    RL_TRY(rl_read_fields(value, fields + first, RL_N_SEQUENCE_FIELDS - first, ablation->options, ablation->n_options));
    if (mapping) return RL_OK;
    if (rl_node_is_empty(value)) return refuse_lack(value, ablation);
    fields->node = value;
    return RL_OK;
}

static rl_status read_with_value(rl_node value, const rl_ablation *ablation, variant_list *list) {
    rl_field fields[MAX_FIELDS] = {RL_SEQUENCE_FIELDS};
    const rl_field *const options = fields + RL_N_SEQUENCE_FIELDS;
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
    RL_TRY(rl_variants_label(list->variants, list->n, &repeated));
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
