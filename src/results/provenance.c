/* What a run has to say of itself, collected. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ridgeless/results.h"

/* *entry: room for one more, which counts once p->n says so. */
static rl_status add_entry(rl_provenance *p, const char *name, rl_provenance_entry **entry) {
    rl_provenance_entry *grown;
    RL_TRY(RL_ALLOC(grown, p->n + 1));
    if (p->n > 0) memcpy(grown, p->entries, (size_t)p->n * sizeof *grown);
    rl_free(p->entries);
    p->entries = grown;
    *entry = &grown[p->n];
    return rl_strdup(&(*entry)->name, name);
}

static void destroy_entry(rl_provenance_entry *entry) {
    rl_free(entry->name);
    rl_free(entry->text);
    rl_free(entry->numbers);
}

static rl_status keep_entry(rl_provenance *p, rl_provenance_entry *entry, rl_status status) {
    if (status == RL_OK)
        p->n++;
    else
        destroy_entry(entry);
    return status;
}

rl_status rl_provenance_text(rl_provenance *provenance, const char *name, const char *format, ...) {
    rl_provenance_entry *entry;
    va_list arguments;
    RL_TRY(add_entry(provenance, name, &entry));
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    const rl_status status = RL_ALLOC(entry->text, length + 1);
    va_start(arguments, format);
    if (status == RL_OK) vsnprintf(entry->text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return keep_entry(provenance, entry, status);
}

rl_status rl_provenance_numbers(rl_provenance *provenance, const char *name, const double *values, int n) {
    rl_provenance_entry *entry;
    RL_TRY(add_entry(provenance, name, &entry));
    const rl_status status = RL_ALLOC(entry->numbers, n);
    if (status == RL_OK && n > 0) memcpy(entry->numbers, values, (size_t)n * sizeof *values);
    entry->n = n;
    return keep_entry(provenance, entry, status);
}

void rl_provenance_destroy(rl_provenance *provenance) {
    for (int i = 0; i < provenance->n; i++) destroy_entry(&provenance->entries[i]);
    rl_free(provenance->entries);
    *provenance = (rl_provenance){0};
}
