#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "internal.h"

/* The file: a header {fixed part, settings with their zero byte, checksum}, then records {fixed part, dataset name,
 * payload, checksum}. Texts and payloads are padded with zeros to whole words. Raise FORMAT_VERSION with any change of
 * these or of what a curve's record holds. */
enum { FORMAT_VERSION = 2, BYTE_ORDER_MARK = 0x01020304, RECORD_MAGIC = 0x43524c52, WORD = 8 };
static const char file_magic[WORD] = "RIDGELES";
static const double sync_interval = 2; /* seconds */

typedef enum record_kind { RECORD_DATASET = 1, RECORD_CURVE = 2 } record_kind;

typedef struct header_part {
    char magic[WORD];
    uint32_t version, byte_order;
    double one_third; /* tells other formats of numbers */
    uint64_t settings_length;
} header_part;

typedef struct record_part {
    uint32_t magic, kind;
    uint64_t length; /* of the whole record in bytes, checksum included */
    uint64_t payload_length;
    int32_t n_features, repeat, first_n_train; /* 0 in a dataset's record */
    uint32_t name_length;
} record_part;

struct rl_journal {
    char *path;
    int fd;
    bool read_only;
    const rl_plan *plan; /* borrowed */
    double **records;    /* [n_curves], NULL where absent */
    int64_t count;
    bool *knows_dataset; /* [n_grids]: its checksum stands in the file */
    rl_text buffer;      /* one record on its way in or out */
    bool unsynced;
    double last_sync;
};

static size_t padded(size_t length) {
    return (length + WORD - 1) / WORD * WORD;
}

static rl_status append_padded(rl_text *text, const void *bytes, size_t length) {
    static const char zeros[WORD];
    RL_TRY(rl_text_append_bytes(text, bytes, length));
    return rl_text_append_bytes(text, zeros, padded(length) - length);
}

static rl_status append_checksum(rl_text *text) {
    const uint64_t checksum = XXH3_64bits(text->bytes, text->length);
    return rl_text_append_bytes(text, &checksum, sizeof checksum);
}

/* Whether bytes[length] ends in the checksum of what stands before it. */
static bool checksum_holds(const char *bytes, size_t length) {
    uint64_t stored;
    memcpy(&stored, bytes + length - sizeof stored, sizeof stored);
    return stored == XXH3_64bits(bytes, length - sizeof stored);
}

/* Reads exactly length bytes at `offset` into the emptied text. */
static rl_status read_at(const char *path, int fd, uint64_t offset, size_t length, rl_text *text) {
    char block[65536];
    text->length = 0;
    while (text->length < length) {
        const size_t left = length - text->length;
        const ssize_t got = pread(fd, block, left < sizeof block ? left : sizeof block, (off_t)(offset + text->length));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return rl_fail(RL_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0) return rl_fail(RL_ERR_IO, "%s: became shorter while it was read", path);
        RL_TRY(rl_text_append_bytes(text, block, (size_t)got));
    }
    return RL_OK;
}

/* Writes the whole text by one write(2) at the end of the file; of a write that fails nothing stays. */
static rl_status write_whole(const char *path, int fd, const rl_text *text) {
    struct stat before;
    if (fstat(fd, &before) != 0) return rl_fail(RL_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    ssize_t written;
    do written = write(fd, text->bytes, text->length);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)text->length) return RL_OK;
    const int error = errno;
    const bool restored = ftruncate(fd, before.st_size) == 0;
    return rl_fail(RL_ERR_IO, "%s: %s%s", path,
                   written < 0 ? strerror(error) : "only a part could be written: the disk or the quota is full",
                   restored ? "" : "; the torn end will be cut off when the journal is next opened");
}

/* ---- header ------------------------------------------------------------------------------------------------------ */

static rl_status build_header(const rl_plan *plan, rl_text *header) {
    rl_text settings = RL_TEXT_EMPTY;
    rl_status status;
    RL_TRY_GOTO(rl_study_settings(plan->study, &settings), done);
    RL_TRY_GOTO(rl_text_append_bytes(&settings, "", 1), done); /* its zero byte goes along */
    header_part part = {.version = FORMAT_VERSION,
                        .byte_order = BYTE_ORDER_MARK,
                        .one_third = 1.0 / 3.0,
                        .settings_length = settings.length};
    memcpy(part.magic, file_magic, sizeof part.magic);
    RL_TRY_GOTO(rl_text_append_bytes(header, &part, sizeof part), done);
    RL_TRY_GOTO(append_padded(header, settings.bytes, settings.length), done);
    RL_TRY_GOTO(append_checksum(header), done);
done:
    rl_free(settings.bytes);
    return status;
}

/* Says why a header that is not the study's is not. `found` is emptied. */
static rl_status diagnose_header(const char *path, int fd, uint64_t size, const rl_text *expected, rl_text *found) {
    header_part part;
    if (size < sizeof part) return rl_fail(RL_ERR_INPUT, "%s: is not a journal of ridgeless; choose another -o", path);
    RL_TRY(read_at(path, fd, 0, sizeof part, found));
    memcpy(&part, found->bytes, sizeof part);
    if (memcmp(part.magic, file_magic, sizeof part.magic) != 0)
        return rl_fail(RL_ERR_INPUT, "%s: is not a journal of ridgeless; choose another -o", path);
    if (part.byte_order != BYTE_ORDER_MARK || part.one_third != 1.0 / 3.0)
        return rl_fail(RL_ERR_INPUT, "%s: was written by a machine with other numbers; choose another -o", path);
    if (part.version != FORMAT_VERSION)
        return rl_fail(RL_ERR_INPUT, "%s: has format %" PRIu32 ", this program writes format %d; choose another -o",
                       path, part.version, FORMAT_VERSION);
    const uint64_t frame = sizeof part + sizeof(uint64_t);
    const bool fits = size >= frame && part.settings_length > 0 && part.settings_length <= size - frame &&
                      padded((size_t)part.settings_length) <= size - frame;
    if (fits) RL_TRY(read_at(path, fd, 0, (size_t)frame + padded((size_t)part.settings_length), found));
    if (!fits || !checksum_holds(found->bytes, found->length))
        return rl_fail(RL_ERR_INPUT, "%s: its header is damaged; remove the file to start anew", path);
    found->bytes[sizeof part + part.settings_length - 1] = '\0';
    RL_TRY(rl_settings_compare(path, "journal", found->bytes + sizeof part, expected->bytes + sizeof part));
    return rl_fail(RL_ERR_INPUT, "%s: its header is damaged; remove the file to start anew", path);
}

/* Compares the file's header with the one expected. *begun: the file is empty or ends within the header, as a process
 * killed in the middle of creating it leaves it. */
static rl_status check_header(const char *path, int fd, uint64_t size, const rl_text *expected, bool *begun) {
    rl_text found = RL_TEXT_EMPTY;
    rl_status status;
    const size_t length = size < expected->length ? (size_t)size : expected->length;
    RL_TRY_GOTO(read_at(path, fd, 0, length, &found), done);
    *begun = size < expected->length;
    if (length == 0 || memcmp(found.bytes, expected->bytes, length) == 0) goto done;
    status = diagnose_header(path, fd, size, expected, &found);
done:
    rl_free(found.bytes);
    return status;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static rl_status build_record(rl_text *record, const record_part *key, const char *name, const void *payload) {
    record_part part = *key;
    part.magic = RECORD_MAGIC;
    part.name_length = (uint32_t)strlen(name);
    part.length = sizeof part + padded(part.name_length) + padded(part.payload_length) + sizeof(uint64_t);
    record->length = 0;
    RL_TRY(rl_text_append_bytes(record, &part, sizeof part));
    RL_TRY(append_padded(record, name, part.name_length));
    RL_TRY(append_padded(record, payload, part.payload_length));
    return append_checksum(record);
}

/* What the numbers of a dataset depend on, as its record says it. */
static rl_status describe_dataset(const rl_dataset *data, rl_text *line) {
    return rl_text_append(line, "%016" PRIx64 " %d x %d", data->checksum, data->n_rows, data->n_features);
}

static rl_status append_dataset(rl_journal *journal, const rl_dataset *data) {
    rl_text line = RL_TEXT_EMPTY;
    rl_status status;
    RL_TRY_GOTO(describe_dataset(data, &line), done);
    const record_part key = {.kind = RECORD_DATASET, .payload_length = line.length};
    RL_TRY_GOTO(build_record(&journal->buffer, &key, data->name, line.bytes), done);
    RL_TRY_GOTO(write_whole(journal->path, journal->fd, &journal->buffer), done);
done:
    rl_free(line.bytes);
    return status;
}

static rl_status check_dataset(rl_journal *journal, int grid, const char *payload, size_t length) {
    const rl_dataset *data = &journal->plan->grids[grid].data;
    rl_text line = RL_TEXT_EMPTY;
    rl_status status;
    RL_TRY_GOTO(describe_dataset(data, &line), done);
    journal->knows_dataset[grid] = true;
    if (line.length != length || memcmp(line.bytes, payload, length) != 0)
        status = rl_fail(RL_ERR_INPUT,
                         "%s: the rows of `%s` have changed since: the journal has `%.*s` (checksum, rows x features), "
                         "the data are `%s`; choose another -o, or remove the file to start anew",
                         journal->path, data->name, (int)(length < 80 ? length : 80), payload, line.bytes);
done:
    rl_free(line.bytes);
    return status;
}

static rl_status keep_record(rl_journal *journal, int64_t curve, const void *payload, size_t bytes) {
    if (journal->records[curve] == NULL) {
        RL_TRY(rl_alloc(&journal->records[curve], bytes, 1));
        journal->count++;
    }
    memcpy(journal->records[curve], payload, bytes);
    return RL_OK;
}

/* Takes one record whose checksum holds. What is not in the plan (a dataset left out, repeats beyond it) is none of its
 * business. */
static rl_status take_record(rl_journal *journal, const record_part *part, const char *name) {
    const char *payload = name + padded(part->name_length);
    const rl_plan *plan = journal->plan;
    int g = 0, p = 0, i = 0;
    while (g < plan->n_grids && (strlen(plan->grids[g].data.name) != part->name_length ||
                                 memcmp(plan->grids[g].data.name, name, part->name_length) != 0))
        g++;
    if (g == plan->n_grids) return RL_OK;
    if (part->kind == RECORD_DATASET) return check_dataset(journal, g, payload, part->payload_length);
    const rl_grid *grid = &plan->grids[g];
    while (p < grid->n_n_features && grid->n_features[p] != part->n_features) p++;
    while (i < grid->n_n_train && grid->n_train[i] != part->first_n_train) i++;
    if (p == grid->n_n_features || i == grid->n_n_train || part->repeat < 0 || part->repeat >= plan->study->repeats)
        return RL_OK;
    const int64_t curve = rl_plan_curve(plan, g, p, part->repeat, i);
    if (part->payload_length != rl_record_layout_of(plan, g).length * sizeof(double))
        return rl_fail(RL_ERR_INPUT,
                       "%s: the record of `%s`, repeat %d, has another length than this program's; choose another -o, "
                       "or remove the file to start anew",
                       journal->path, grid->data.name, part->repeat);
    return keep_record(journal, curve, payload, part->payload_length);
}

/* Whether a record of these lengths can stand in the `left` bytes to the end of the file. */
static bool plausible(const record_part *part, uint64_t left) {
    return part->magic == RECORD_MAGIC && (part->kind == RECORD_DATASET || part->kind == RECORD_CURVE) &&
           part->length <= left && part->payload_length <= left && part->name_length <= left &&
           part->length == sizeof *part + padded(part->name_length) + padded(part->payload_length) + sizeof(uint64_t);
}

/* Reads the records from *offset on, and leaves there where the first bad one begins, or the file's end. */
static rl_status scan(rl_journal *journal, uint64_t size, uint64_t *offset) {
    rl_text *buffer = &journal->buffer;
    record_part part;
    while (size - *offset >= sizeof part) {
        RL_TRY(read_at(journal->path, journal->fd, *offset, sizeof part, buffer));
        memcpy(&part, buffer->bytes, sizeof part);
        if (!plausible(&part, size - *offset)) return RL_OK;
        RL_TRY(read_at(journal->path, journal->fd, *offset, (size_t)part.length, buffer));
        if (!checksum_holds(buffer->bytes, buffer->length)) return RL_OK;
        RL_TRY(take_record(journal, &part, buffer->bytes + sizeof part));
        *offset += part.length;
    }
    return RL_OK;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static rl_status journal_path(const char *output, char **path) {
    rl_text text = RL_TEXT_EMPTY;
    RL_TRY(rl_text_append(&text, "%s.journal", output));
    *path = text.bytes;
    return RL_OK;
}

/* A file that is not a regular one must not even be opened: a pipe would wait for ever. */
static rl_status check_regular(const char *path, bool *exists) {
    struct stat status;
    *exists = stat(path, &status) == 0;
    if (*exists && !S_ISREG(status.st_mode))
        return rl_fail(RL_ERR_INPUT, "%s: is not a regular file, expected a journal of ridgeless; choose another -o",
                       path);
    if (!*exists && errno != ENOENT) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    return RL_OK;
}

static rl_status open_file(rl_journal *journal) {
    const int flags = journal->read_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC;
    journal->fd = open(journal->path, flags, 0666);
    if (journal->fd < 0)
        return rl_fail(RL_ERR_INPUT, "%s: cannot be %s: %s", journal->path, journal->read_only ? "read" : "written",
                       strerror(errno));
    if (journal->read_only || flock(journal->fd, LOCK_EX | LOCK_NB) == 0) return RL_OK;
    if (errno == EWOULDBLOCK)
        return rl_fail(RL_ERR_INPUT, "%s: another run is writing it; wait for its end or choose another -o",
                       journal->path);
    rl_warn("%s: cannot be locked here (%s); start no second run with the same -o", journal->path, strerror(errno));
    return RL_OK;
}

static rl_status sync_file(rl_journal *journal) {
    if (fdatasync(journal->fd) != 0)
        return rl_fail(RL_ERR_IO, "%s: could not be made durable: %s", journal->path, strerror(errno));
    journal->unsynced = false;
    journal->last_sync = rl_seconds();
    return RL_OK;
}

static rl_status truncate_to(const rl_journal *journal, uint64_t size) {
    if (ftruncate(journal->fd, (off_t)size) == 0) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: its torn end cannot be cut off: %s", journal->path, strerror(errno));
}

/* Writes the header of a file that has none. */
static rl_status begin_file(rl_journal *journal, const rl_text *header) {
    RL_TRY(truncate_to(journal, 0));
    RL_TRY(write_whole(journal->path, journal->fd, header));
    RL_TRY(sync_file(journal));
    return rl_sync_folder(journal->path);
}

/* Reads the records behind the header, cuts off a torn tail, and adds datasets that the file does not know yet. */
static rl_status load_records(rl_journal *journal, uint64_t header_length, uint64_t size) {
    uint64_t offset = header_length;
    RL_TRY(scan(journal, size, &offset));
    if (journal->read_only) return RL_OK;
    if (offset < size) {
        rl_warn("%s: cut off the last %" PRIu64 " bytes, which are not a whole record", journal->path, size - offset);
        RL_TRY(truncate_to(journal, offset));
    }
    for (int g = 0; g < journal->plan->n_grids; g++)
        if (!journal->knows_dataset[g]) RL_TRY(append_dataset(journal, &journal->plan->grids[g].data));
    return RL_OK;
}

/* *begun: the header is not whole (and, when read only, nothing more was done). */
static rl_status load(rl_journal *journal, const rl_text *header, bool *begun) {
    struct stat file;
    if (fstat(journal->fd, &file) != 0)
        return rl_fail(RL_ERR_IO, "%s: cannot be read: %s", journal->path, strerror(errno));
    uint64_t size = (uint64_t)file.st_size;
    RL_TRY(check_header(journal->path, journal->fd, size, header, begun));
    if (*begun && journal->read_only) return RL_OK;
    if (*begun) {
        RL_TRY(begin_file(journal, header));
        size = header->length;
    }
    return load_records(journal, header->length, size);
}

static void destroy(rl_journal *journal) {
    if (journal->fd >= 0) close(journal->fd);
    for (int64_t i = 0; journal->records != NULL && i < journal->plan->n_curves; i++) rl_free(journal->records[i]);
    rl_free(journal->records);
    rl_free(journal->knows_dataset);
    rl_free(journal->buffer.bytes);
    rl_free(journal->path);
    rl_free(journal);
}

static rl_status create(const char *output, const rl_plan *plan, bool read_only, rl_journal **journal) {
    rl_journal *j;
    rl_status status;
    RL_TRY(RL_ALLOC(j, 1));
    *j = (rl_journal){.fd = -1, .read_only = read_only, .plan = plan, .last_sync = rl_seconds()};
    RL_TRY_GOTO(journal_path(output, &j->path), failed);
    RL_TRY_GOTO(RL_ALLOC(j->records, plan->n_curves), failed);
    RL_TRY_GOTO(RL_ALLOC(j->knows_dataset, plan->n_grids), failed);
    *journal = j;
    return RL_OK;
failed:
    destroy(j);
    return status;
}

rl_status rl_journal_open(const char *output, const rl_plan *plan, bool read_only, rl_journal **journal) {
    rl_text header = RL_TEXT_EMPTY;
    rl_journal *j = NULL;
    rl_status status;
    bool exists, begun = false;
    *journal = NULL;
    RL_TRY_GOTO(create(output, plan, read_only, &j), done);
    RL_TRY_GOTO(check_regular(j->path, &exists), done);
    if (read_only && !exists) goto done;
    RL_TRY_GOTO(open_file(j), done);
    RL_TRY_GOTO(build_header(plan, &header), done);
    RL_TRY_GOTO(load(j, &header, &begun), done);
    if (begun && read_only) goto done;
    *journal = j;
done:
    if (*journal == NULL && j != NULL) destroy(j);
    rl_free(header.bytes);
    return status;
}

rl_status rl_journal_check(const char *output, const rl_plan *plan, bool *exists) {
    rl_text header = RL_TEXT_EMPTY;
    char *path = NULL;
    int fd = -1;
    rl_status status;
    bool begun = false;
    RL_TRY_GOTO(journal_path(output, &path), done);
    RL_TRY_GOTO(check_regular(path, exists), done);
    if (!*exists) goto done;
    struct stat file;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0) {
        status = rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
        goto done;
    }
    RL_TRY_GOTO(build_header(plan, &header), done);
    RL_TRY_GOTO(check_header(path, fd, (uint64_t)file.st_size, &header, &begun), done);
    *exists = !begun;
done:
    if (fd >= 0) close(fd);
    rl_free(path);
    rl_free(header.bytes);
    return status;
}

/* ---- use --------------------------------------------------------------------------------------------------------- */

rl_status rl_journal_append(rl_journal *journal, int64_t curve, const double *record, size_t length) {
    const rl_curve *c = &journal->plan->curves[curve];
    const rl_grid *grid = &journal->plan->grids[c->grid];
    const record_part key = {.kind = RECORD_CURVE,
                             .payload_length = length * sizeof *record,
                             .n_features = grid->n_features[c->p_index],
                             .repeat = c->repeat,
                             .first_n_train = grid->n_train[c->first_size]};
    RL_TRY(build_record(&journal->buffer, &key, grid->data.name, record));
    RL_TRY(write_whole(journal->path, journal->fd, &journal->buffer));
    journal->unsynced = true;
    RL_TRY(keep_record(journal, curve, record, length * sizeof *record));
    return rl_journal_tick(journal);
}

rl_status rl_journal_tick(rl_journal *journal) {
    if (!journal->unsynced || rl_seconds() - journal->last_sync < sync_interval) return RL_OK;
    return sync_file(journal);
}

void rl_journal_save(rl_journal *journal) {
    fdatasync(journal->fd);
}

const double *rl_journal_record(const rl_journal *journal, int64_t curve) {
    return journal->records[curve];
}

int64_t rl_journal_count(const rl_journal *journal) {
    return journal->count;
}

rl_status rl_journal_close(rl_journal *journal) {
    if (journal == NULL) return RL_OK;
    const rl_status status = journal->unsynced ? sync_file(journal) : RL_OK;
    destroy(journal);
    return status;
}
