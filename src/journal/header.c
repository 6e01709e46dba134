/* The journal's header: whose it is. */
#include <inttypes.h>
#include <string.h>

#include "../checksum.h"
#include "journal.h"

enum { BYTE_ORDER_MARK = 0x01020304 };
static const char file_magic[RL_JOURNAL_WORD] = "RIDGELES";
static const uint64_t settings_limit = (uint64_t)1 << 28; /* no study that could be read has so many bytes of them */

typedef struct header_part {
    char magic[RL_JOURNAL_WORD];
    uint32_t version, byte_order;
    double one_third; /* tells other formats of numbers */
    uint64_t settings_length;
} header_part;

rl_status rl_journal_append_padded(rl_text *text, const void *bytes, size_t length) {
    static const char zeros[RL_JOURNAL_WORD];
    RL_TRY(rl_text_append_bytes(text, bytes, length));
    return rl_text_append_bytes(text, zeros, rl_journal_padded(length) - length);
}

rl_status rl_journal_append_checksum(rl_text *text, size_t begin) {
    const uint64_t checksum = XXH3_64bits(text->bytes + begin, text->length - begin);
    return rl_text_append_bytes(text, &checksum, sizeof checksum);
}

rl_status rl_journal_build_header(const char *settings, rl_text *header) {
    header_part part = {.version = RL_JOURNAL_VERSION,
                        .byte_order = BYTE_ORDER_MARK,
                        .one_third = 1.0 / 3.0,
                        .settings_length = strlen(settings) + 1};
    memcpy(part.magic, file_magic, sizeof part.magic);
    RL_TRY(rl_text_append_bytes(header, &part, sizeof part));
    RL_TRY(rl_journal_append_padded(header, settings, (size_t)part.settings_length));
    return rl_journal_append_checksum(header, 0);
}

/* The settings in a whole header of this format; NULL: it is damaged. Valid until the reader is used again. */
static rl_status find_settings(rl_reader *reader, const header_part *part, const char **settings) {
    const uint64_t frame = sizeof *part + sizeof(uint64_t);
    const char *bytes;
    uint64_t stored;
    *settings = NULL;
    if (reader->size < frame || part->settings_length < 1 || part->settings_length > settings_limit ||
        rl_journal_padded((size_t)part->settings_length) > reader->size - frame)
        return RL_OK;
    const size_t length = (size_t)frame + rl_journal_padded((size_t)part->settings_length) - sizeof stored;
    RL_TRY(rl_reader_get(reader, 0, length + sizeof stored, &bytes));
    memcpy(&stored, bytes + length, sizeof stored);
    const char *text = bytes + sizeof *part;
    if (stored != XXH3_64bits(bytes, length) || strnlen(text, length - sizeof *part) + 1 != part->settings_length)
        return RL_OK;
    *settings = text;
    return RL_OK;
}

/* The settings of a header that is not the study's own, or why there are none to go on with. */
static rl_status read_other_header(rl_reader *reader, const char **settings) {
    const char *path = reader->path, *bytes;
    header_part part;
    if (reader->size < sizeof part)
        return rl_fail(RL_ERR_INPUT, "%s: is not a journal of ridgeless; choose another -o", path);
    RL_TRY(rl_reader_get(reader, 0, sizeof part, &bytes));
    memcpy(&part, bytes, sizeof part);
    if (memcmp(part.magic, file_magic, sizeof part.magic) != 0)
        return rl_fail(RL_ERR_INPUT, "%s: is not a journal of ridgeless; choose another -o", path);
    if (part.byte_order != BYTE_ORDER_MARK || part.one_third != 1.0 / 3.0)
        return rl_fail(RL_ERR_INPUT, "%s: was written by a machine with other numbers; " RL_START_OVER, path);
    if (part.version != RL_JOURNAL_VERSION)
        return rl_fail(RL_ERR_INPUT, "%s: has format %" PRIu32 ", this program writes format %d; " RL_START_OVER, path,
                       part.version, RL_JOURNAL_VERSION);
    RL_TRY(find_settings(reader, &part, settings));
    return *settings != NULL ? RL_OK : rl_fail(RL_ERR_INPUT, "%s: its header is damaged; " RL_START_OVER, path);
}

rl_status rl_journal_read_header(rl_reader *reader, const rl_text *expected, bool *begun, char **settings,
                                 uint64_t *length) {
    const size_t common = reader->size < expected->length ? (size_t)reader->size : expected->length;
    const char *bytes = NULL, *found = expected->bytes + sizeof(header_part);
    *settings = NULL;
    if (common > 0) RL_TRY(rl_reader_get(reader, 0, common, &bytes));
    const bool same = common == 0 || memcmp(bytes, expected->bytes, common) == 0;
    *begun = same && common < expected->length;
    if (*begun) return RL_OK;
    if (!same) RL_TRY(read_other_header(reader, &found));
    *length = sizeof(header_part) + rl_journal_padded(strlen(found) + 1) + sizeof(uint64_t);
    return rl_strdup(settings, found);
}

rl_status rl_journal_identify(rl_reader *reader, bool *is_journal, char **settings) {
    const size_t length = reader->size < sizeof file_magic ? (size_t)reader->size : sizeof file_magic;
    const char *bytes, *found;
    header_part part;
    *settings = NULL;
    *is_journal = length == 0;
    if (length == 0) return RL_OK;
    RL_TRY(rl_reader_get(reader, 0, length, &bytes));
    *is_journal = memcmp(bytes, file_magic, length) == 0;
    if (!*is_journal || reader->size < sizeof part) return RL_OK;
    RL_TRY(rl_reader_get(reader, 0, sizeof part, &bytes));
    memcpy(&part, bytes, sizeof part);
    if (part.version != RL_JOURNAL_VERSION || part.byte_order != BYTE_ORDER_MARK) return RL_OK;
    RL_TRY(find_settings(reader, &part, &found));
    return found != NULL ? rl_strdup(settings, found) : RL_OK;
}
