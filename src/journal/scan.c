/* The journal's file read by large blocks, from record to record and over what is damaged. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../checksum.h"
#include "journal.h"

enum { BLOCK = 1 << 20 };

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

rl_status rl_reader_create(const char *path, int fd, rl_reader *reader) {
    struct stat file;
    if (fd < 0 || fstat(fd, &file) != 0) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    *reader = (rl_reader){.path = path, .fd = fd, .size = (uint64_t)file.st_size};
    return RL_OK;
}

static rl_status fill_block(rl_reader *r, uint64_t offset, size_t wanted) {
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
        const uint64_t remaining = r->size - offset;
        RL_TRY(fill_block(r, offset, remaining < room ? (size_t)remaining : room));
    }
    *bytes = r->bytes + (offset - r->start);
    return RL_OK;
}

void rl_reader_destroy(rl_reader *reader) {
    rl_free(reader->bytes);
    *reader = (rl_reader){.fd = -1};
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

uint64_t rl_record_frame(const rl_record_head *head) {
    return sizeof *head + rl_journal_padded(head->name_length) + (uint64_t)head->n * sizeof(rl_outcome) +
           sizeof(uint64_t);
}

/* Whether this begins a record that can stand in the `remaining` bytes of the file. Once its checksum holds, a head is
 * what was written, and is believed. */
static bool head_holds(const rl_record_head *h, uint64_t remaining) {
    return h->magic == RL_RECORD_MAGIC && h->checksum == XXH3_64bits(h, offsetof(rl_record_head, checksum)) &&
           h->length <= remaining && h->length % RL_JOURNAL_WORD == 0 && h->n >= 1 && h->first_repeat >= 0 &&
           h->n_repeats >= 1 && h->first_repeat <= INT32_MAX - h->n_repeats && rl_record_frame(h) <= h->length;
}

/* Block by block, so that memory depends on no length that the file claims. */
static rl_status check_body(rl_reader *r, uint64_t offset, uint64_t length, XXH3_state_t *state, bool *holds) {
    const char *bytes;
    uint64_t stored;
    XXH3_64bits_reset(state);
    for (uint64_t done = 0; done < length - sizeof stored;) {
        const uint64_t remaining = length - sizeof stored - done, part = remaining < BLOCK ? remaining : BLOCK;
        RL_TRY(rl_reader_get(r, offset + done, (size_t)part, &bytes));
        XXH3_64bits_update(state, bytes, (size_t)part);
        done += part;
    }
    RL_TRY(rl_reader_get(r, offset + length - sizeof stored, sizeof stored, &bytes));
    memcpy(&stored, bytes, sizeof stored);
    *holds = stored == XXH3_64bits_digest(state);
    return RL_OK;
}

static rl_status look_at_record(rl_reader *r, uint64_t offset, XXH3_state_t *state, rl_record_head *head, bool *holds) {
    const char *bytes;
    RL_TRY(rl_reader_get(r, offset, sizeof *head, &bytes));
    memcpy(head, bytes, sizeof *head);
    *holds = head_holds(head, r->size - offset);
    return *holds ? check_body(r, offset, head->length, state, holds) : RL_OK;
}

/* Damage is passed over word by word, also where a head holds and its body does not: a torn record must hide none that
 * stands behind it. */
static rl_status scan_records(rl_reader *r, uint64_t offset, rl_record_take take, void *taker, XXH3_state_t *state,
                              rl_scanned *s) {
    rl_record_head head;
    *s = (rl_scanned){.end = offset};
    while (offset <= r->size && r->size - offset >= sizeof head) {
        bool holds;
        RL_TRY(look_at_record(r, offset, state, &head, &holds));
        if (!holds) {
            offset += RL_JOURNAL_WORD;
            continue;
        }
        RL_TRY(take(taker, r, offset, &head));
        s->damaged += offset - s->end;
        s->n_damaged += offset > s->end;
        s->end = offset += head.length;
    }
    return RL_OK;
}

rl_status rl_journal_scan(rl_reader *reader, uint64_t offset, rl_record_take take, void *state, rl_scanned *scanned) {
    XXH3_state_t *sum = XXH3_createState();
    if (sum == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not read %s", reader->path);
    reader->block = BLOCK;
    const rl_status status = scan_records(reader, offset, take, state, sum, scanned);
    XXH3_freeState(sum);
    return status;
}

rl_status rl_journal_get_again(rl_reader *reader, uint64_t offset, rl_record_head *head, const char **bytes) {
    uint64_t stored;
    RL_TRY(rl_reader_get(reader, offset, sizeof *head, bytes));
    memcpy(head, *bytes, sizeof *head);
    if (head_holds(head, reader->size - offset)) {
        RL_TRY(rl_reader_get(reader, offset, (size_t)head->length, bytes));
        memcpy(&stored, *bytes + head->length - sizeof stored, sizeof stored);
        if (stored == XXH3_64bits(*bytes, (size_t)head->length - sizeof stored)) return RL_OK;
    }
    return rl_fail(RL_ERR_IO, "%s: the record at byte %llu does not read back as it was written", reader->path,
                   (unsigned long long)offset);
}
