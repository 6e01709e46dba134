/* The journal's file read by large blocks, from record to record and over what is damaged. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "journal.h"

enum { BLOCK = 1 << 20, MODE_ARRAYS = 3, SPECTRUM_ARRAYS = 6 };

size_t rl_journal_padded(size_t length) {
    return (length + RL_JOURNAL_WORD - 1) / RL_JOURNAL_WORD * RL_JOURNAL_WORD;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

static rl_status fill(rl_reader *r, uint64_t offset, size_t wanted) {
    r->start = offset;
    for (r->length = 0; r->length < wanted;) {
        const ssize_t got = pread(r->fd, r->bytes + r->length, wanted - r->length, (off_t)(offset + r->length));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return rl_fail(RL_ERR_IO, "%s: cannot be read: %s", r->path, strerror(errno));
        if (got == 0) return rl_fail(RL_ERR_IO, "%s: became shorter while it was read", r->path);
        r->length += (size_t)got;
    }
    return RL_OK;
}

rl_status rl_reader_get(rl_reader *r, uint64_t offset, size_t length, const char **bytes) {
    const bool inside = offset >= r->start && offset - r->start <= r->length;
    if (!inside || r->length - (size_t)(offset - r->start) < length) {
        const size_t room = length > r->block ? length : r->block;
        if (r->capacity < room) {
            rl_free(r->bytes);
            r->bytes = NULL;
            r->capacity = r->length = 0;
            RL_TRY(rl_alloc(&r->bytes, room, 1));
            r->capacity = room;
        }
        const uint64_t left = r->size - offset;
        RL_TRY(fill(r, offset, left < room ? (size_t)left : room));
    }
    *bytes = r->bytes + (offset - r->start);
    return RL_OK;
}

void rl_reader_destroy(rl_reader *reader) {
    rl_free(reader->bytes);
    *reader = (rl_reader){.fd = -1};
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* Whether a record of these lengths can stand in the `left` bytes to the end of the file. */
static bool is_plausible(const rl_record_head *h, uint64_t left) {
    if (h->magic == RL_TRAINING_MAGIC) return rl_journal_training_is_plausible(h, left);
    if (h->magic == RL_SPAN_MAGIC) return rl_journal_span_is_plausible(h, left);
    if (h->magic != RL_RECORD_MAGIC || h->length > left || h->name_length > left || h->n_sizes < 1 ||
        h->n_sizes > INT32_MAX || h->n_features < 1 || h->n_variants < 1 || h->n_modes < 0 || h->parts > RL_ALL_PARTS ||
        h->n_points > INT32_MAX || h->n_repeats != 1)
        return false;
    const uint64_t a_size = rl_record_layout_make(1, rl_record_head_shape(h)).length; /* doubles */
    if (left > INT64_MAX || a_size > 8 * left / h->n_sizes) return false;             /* not even a flag for each */
    const uint64_t n = h->n_sizes * a_size;
    const uint64_t frame = sizeof *h + rl_journal_padded(h->name_length) +
                           rl_journal_padded(h->n_sizes * sizeof(int32_t)) + rl_pack_flags(n) * sizeof(uint64_t) +
                           sizeof(uint64_t);
    return h->length > frame && (h->length - frame) % sizeof(double) == 0 && (h->length - frame) / sizeof(double) <= n;
}

/* Block by block, so that memory depends on no length that the file claims. */
static rl_status check_sum(rl_reader *r, uint64_t offset, uint64_t length, XXH3_state_t *state, bool *holds) {
    const char *bytes;
    uint64_t stored;
    XXH3_64bits_reset(state);
    for (uint64_t done = 0; done < length - sizeof stored;) {
        const uint64_t left = length - sizeof stored - done, part = left < BLOCK ? left : BLOCK;
        RL_TRY(rl_reader_get(r, offset + done, (size_t)part, &bytes));
        XXH3_64bits_update(state, bytes, (size_t)part);
        done += part;
    }
    RL_TRY(rl_reader_get(r, offset + length - sizeof stored, sizeof stored, &bytes));
    memcpy(&stored, bytes, sizeof stored);
    *holds = stored == XXH3_64bits_digest(state);
    return RL_OK;
}

static rl_status look_at(rl_reader *r, uint64_t offset, XXH3_state_t *state, rl_record_head *head, bool *holds) {
    const char *bytes;
    *holds = false;
    RL_TRY(rl_reader_get(r, offset, sizeof *head, &bytes));
    memcpy(head, bytes, sizeof *head);
    return is_plausible(head, r->size - offset) ? check_sum(r, offset, head->length, state, holds) : RL_OK;
}

static rl_status scan(rl_reader *r, uint64_t offset, rl_record_take take, void *taker, XXH3_state_t *state,
                      rl_scanned *s) {
    rl_record_head head;
    *s = (rl_scanned){.end = offset};
    while (offset <= r->size && r->size - offset >= sizeof head) {
        bool holds;
        RL_TRY(look_at(r, offset, state, &head, &holds));
        if (!holds) {
            offset += RL_JOURNAL_WORD;
            continue;
        }
        if (take != NULL) RL_TRY(take(taker, r, offset, &head));
        s->damaged += offset - s->end;
        s->n_damaged += offset > s->end;
        if (head.magic != RL_TRAINING_MAGIC)
            s->n_records += head.n_repeats;
        else
            s->n_trainings += rl_journal_training_is_finished(&head);
        s->end = offset += head.length;
    }
    return RL_OK;
}

rl_status rl_journal_scan(rl_reader *reader, uint64_t offset, rl_record_take take, void *state, rl_scanned *scanned) {
    XXH3_state_t *sum = XXH3_createState();
    if (sum == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not read %s", reader->path);
    reader->block = BLOCK;
    const rl_status status = scan(reader, offset, take, state, sum, scanned);
    XXH3_freeState(sum);
    return status;
}
