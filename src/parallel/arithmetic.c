/* With what arithmetic ranks compute: asked for once, and told with each record that it decides the bits of. */
#include <string.h>

#include "dispatch.h"

static int find_text(const rl_arithmetics *a, const char *text) {
    int i = 0;
    while (i < a->n && strcmp(a->texts[i], text) != 0) i++;
    return i;
}

/* Of texts [size] each once. */
static rl_status sort_out_texts(int size, char (*texts)[RL_ARITHMETIC_TEXT], rl_arithmetics *a) {
    RL_TRY(RL_ALLOC(a->of, size));
    a->texts = texts;
    for (int rank = 0; rank < size; rank++) {
        a->of[rank] = find_text(a, texts[rank]);
        if (a->of[rank] == a->n) memmove(texts[a->n++], texts[rank], RL_ARITHMETIC_TEXT);
    }
    return RL_OK;
}

rl_status rl_arithmetics_gather(const rl_context *context, rl_arithmetics *arithmetics) {
    const bool root = context->rank == 0;
    char mine[RL_ARITHMETIC_TEXT] = "", (*texts)[RL_ARITHMETIC_TEXT] = NULL;
    *arithmetics = (rl_arithmetics){0};
    rl_status status = rl_context_arithmetic(mine);
    if (status == RL_OK && root) status = RL_ALLOC(texts, context->size);
    status = rl_context_agree(context, status);
    if (status == RL_OK)
        RL_MPI(MPI_Gather(mine, sizeof mine, MPI_CHAR, texts, sizeof mine, MPI_CHAR, 0, context->comm));
    if (status == RL_OK && root) status = sort_out_texts(context->size, texts, arithmetics);
    if (arithmetics->texts == NULL) rl_free(texts);
    return rl_context_agree(context, status);
}

void rl_arithmetics_destroy(rl_arithmetics *arithmetics) {
    rl_free(arithmetics->texts);
    rl_free(arithmetics->of);
    *arithmetics = (rl_arithmetics){0};
}

static bool is_new_in_group(const rl_arithmetics *a, int first, int rank) {
    int other = first;
    while (a->of[other] != a->of[rank]) other++;
    return other == rank;
}

const char *rl_arithmetic_of_group(rl_run *r, int first, int ranks) {
    const rl_arithmetics *a = r->settings.arithmetics;
    if (a == NULL) return NULL;
    rl_status status = RL_OK;
    r->arithmetic.length = 0;
    for (int rank = first; rank < first + ranks && status == RL_OK; rank++)
        if (is_new_in_group(a, first, rank))
            status = rl_text_append(&r->arithmetic, "%s%s", rank > first ? " with " : "", a->texts[a->of[rank]]);
    return status == RL_OK ? r->arithmetic.bytes : a->texts[a->of[first]];
}
