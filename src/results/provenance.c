/* What a run has to say of itself, collected. */
#include <string.h>

#include "ridgeless/results.h"

/* *entry: one more, with its name. */
static rl_status add_entry(rl_provenance *p, const char *name, rl_provenance_entry **entry) {
    RL_TRY(RL_GROW(p->entries, p->n, p->n + 1));
    *entry = &p->entries[p->n++];
    return rl_strdup(&(*entry)->name, name);
}

rl_status rl_provenance_text(rl_provenance *provenance, const char *name, const char *text) {
    rl_provenance_entry *entry;
    RL_TRY(add_entry(provenance, name, &entry));
    return rl_strdup(&entry->text, text);
}

rl_status rl_provenance_numbers(rl_provenance *provenance, const char *name, const double *values, int n) {
    rl_provenance_entry *entry;
    RL_TRY(add_entry(provenance, name, &entry));
    RL_TRY(RL_ALLOC(entry->numbers, n));
    if (n > 0) memcpy(entry->numbers, values, (size_t)n * sizeof *values);
    entry->n = n;
    return RL_OK;
}

void rl_provenance_destroy(rl_provenance *provenance) {
    for (rl_provenance_entry *e = provenance->entries; e < provenance->entries + provenance->n; e++) {
        rl_free(e->name);
        rl_free(e->text);
        rl_free(e->numbers);
    }
    rl_free(provenance->entries);
    *provenance = (rl_provenance){0};
}
