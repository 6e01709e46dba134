/* Labels of variants: "none", "cutoff=0.001", "gradient_descent=100 rate=0.5". */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "read.h"

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

rl_status rl_variants_label(rl_variant *variants, int n_variants, const rl_variant **repeated) {
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
