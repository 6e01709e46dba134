#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ridgeless/results.h"

/* Makes room for one entry more in the array of `count` items at *array. */
static rl_status grow(void *array, int count, size_t size) {
    void *old, *grown;
    memcpy(&old, array, sizeof old); /* the caller's pointer may have any type */
    RL_TRY(rl_alloc(&grown, (size_t)count + 1, size));
    if (count > 0) memcpy(grown, old, (size_t)count * size);
    rl_free(old);
    memcpy(array, &grown, sizeof grown);
    return RL_OK;
}

/* Stores at *text the formatted text, the caller's. */
static rl_status format_text(char **text, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    const size_t size = (size_t)vsnprintf(NULL, 0, format, again) + 1;
    va_end(again);
    RL_TRY(RL_ALLOC(*text, size));
    vsnprintf(*text, size, format, arguments);
    return RL_OK;
}

rl_status rl_provenance_text(rl_provenance *provenance, const char *name, const char *format, ...) {
    rl_provenance *p = provenance;
    char *text;
    RL_TRY(grow(&p->names, p->n_texts, sizeof *p->names));
    RL_TRY(grow(&p->texts, p->n_texts, sizeof *p->texts));
    va_list arguments;
    va_start(arguments, format);
    rl_status status = format_text(&text, format, arguments);
    va_end(arguments);
    RL_TRY(status);
    status = rl_strdup(&p->names[p->n_texts], name);
    if (status == RL_OK)
        p->texts[p->n_texts++] = text;
    else
        rl_free(text);
    return status;
}

rl_status rl_provenance_numbers(rl_provenance *provenance, const char *name, const double *values, int n) {
    rl_provenance *p = provenance;
    const int i = p->n_number_lists;
    RL_TRY(grow(&p->number_names, i, sizeof *p->number_names));
    RL_TRY(grow(&p->numbers, i, sizeof *p->numbers));
    RL_TRY(grow(&p->n_numbers, i, sizeof *p->n_numbers));
    RL_TRY(rl_strdup(&p->number_names[i], name));
    const rl_status status = RL_ALLOC(p->numbers[i], n);
    if (status != RL_OK) {
        rl_free(p->number_names[i]);
        return status;
    }
    if (n > 0) memcpy(p->numbers[i], values, (size_t)n * sizeof *values);
    p->n_numbers[i] = n;
    p->n_number_lists++;
    return RL_OK;
}

void rl_provenance_destroy(rl_provenance *provenance) {
    for (int i = 0; i < provenance->n_texts; i++) {
        rl_free(provenance->names[i]);
        rl_free(provenance->texts[i]);
    }
    for (int i = 0; i < provenance->n_number_lists; i++) {
        rl_free(provenance->number_names[i]);
        rl_free(provenance->numbers[i]);
    }
    rl_free(provenance->names);
    rl_free(provenance->texts);
    rl_free(provenance->number_names);
    rl_free(provenance->numbers);
    rl_free(provenance->n_numbers);
    *provenance = (rl_provenance){0};
}
