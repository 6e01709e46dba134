/* Records as bytes: {repeats, N, step, length, by BLAS or not, outcomes, content}, in whole words. */
#include <string.h>

#include "ridgeless/task.h"

typedef struct head {
    int32_t first, n_repeats, n, step;
    uint64_t length, by_blas;
} head;

static size_t outcome_bytes(const rl_record *record) {
    return (size_t)record->n * sizeof *record->outcomes;
}

rl_status rl_record_append(const rl_record *record, rl_text *bytes) {
    const head h = {record->repeats.first, record->repeats.n, record->n, record->step, record->length, record->by_blas};
    RL_TRY(rl_text_append_bytes(bytes, &h, sizeof h));
    RL_TRY(rl_text_append_bytes(bytes, record->outcomes, outcome_bytes(record)));
    return rl_text_append_bytes(bytes, record->content, record->length);
}

rl_status rl_record_read(const void *bytes, size_t length, rl_record *record, size_t *used) {
    const char *at = bytes;
    head h = {0};
    if (length >= sizeof h) memcpy(&h, at, sizeof h);
    *record = (rl_record){.repeats = {h.first, h.n_repeats},
                          .n = h.n,
                          .step = h.step,
                          .length = (size_t)h.length,
                          .by_blas = h.by_blas != 0};
    *used = sizeof h;
    if (length < sizeof h || h.n < 0 || outcome_bytes(record) > length - sizeof h ||
        h.length > length - sizeof h - outcome_bytes(record))
        return rl_fail(RL_ERR_INPUT, "a record ends after %zu bytes; expected more", length);
    record->outcomes = (const void *)(at + sizeof h);
    record->content = at + sizeof h + outcome_bytes(record);
    *used += outcome_bytes(record) + record->length;
    return RL_OK;
}

int64_t rl_record_failed(const rl_kind *kind, const rl_record *record) {
    int64_t failed = 0;
    for (int i = 0; i < record->n; i++) failed += kind->failed(record->outcomes[i].outcome);
    return failed;
}
