/* The journal as a file: opened, appended to and made durable. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

static const double sync_interval = 2; /* seconds */

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

/* ---- opening ----------------------------------------------------------------------------------------------------- */

rl_status rl_journal_path(const char *output, char **path, bool *exists) {
    struct stat status;
    rl_text text = RL_TEXT_EMPTY;
    *path = NULL;
    RL_TRY(rl_text_append(&text, "%s.journal", output));
    *path = text.bytes;
    *exists = stat(*path, &status) == 0;
    if (*exists && !S_ISREG(status.st_mode))
        return rl_fail(RL_ERR_INPUT, "%s: is not a regular file, expected a journal of ridgeless; choose another -o",
                       *path);
    if (!*exists && errno != ENOENT) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", *path, strerror(errno));
    return RL_OK;
}

rl_status rl_journal_lock(const char *path, int fd) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return RL_OK;
    if (errno == EWOULDBLOCK)
        return rl_fail(RL_ERR_INPUT, "%s: another run is writing it; wait for its end or choose another -o", path);
    rl_warn("%s: cannot be locked here (%s); start no second run with the same -o", path, strerror(errno));
    return RL_OK;
}

static rl_status open_file(rl_journal *journal) {
    const int flags = journal->read_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC;
    journal->fd = open(journal->path, flags, 0666);
    if (journal->fd < 0)
        return rl_fail(RL_ERR_INPUT, "%s: cannot be %s: %s", journal->path, journal->read_only ? "read" : "written",
                       strerror(errno));
    return journal->read_only ? RL_OK : rl_journal_lock(journal->path, journal->fd);
}

static rl_status check_synced(const rl_journal *journal) {
    const int error = atomic_load(&journal->sync_error);
    if (error == 0) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: could not be made durable: %s", journal->path, strerror(error));
}

void rl_journal_sync(rl_journal *journal, bool now) {
    if (!now && rl_seconds() - journal->last_sync < sync_interval) return;
    journal->last_sync = rl_seconds();
    if (atomic_exchange(&journal->unsynced, false) && fdatasync(journal->fd) != 0)
        atomic_store(&journal->sync_error, errno);
}

static rl_status truncate_to(const rl_journal *journal, uint64_t size) {
    if (ftruncate(journal->fd, (off_t)size) == 0) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: its torn end cannot be cut off: %s", journal->path, strerror(errno));
}

/* Writes the header of a file that has none. */
static rl_status begin_file(rl_journal *journal, const rl_text *header) {
    RL_TRY(truncate_to(journal, 0));
    RL_TRY(write_whole(journal->path, journal->fd, header));
    atomic_store(&journal->unsynced, true);
    rl_journal_sync(journal, true);
    RL_TRY(check_synced(journal));
    return rl_sync_folder(journal->path);
}

/* Passes over what is damaged and leaves it where it is: it may yet be of use to someone. Behind the last whole record
 * there is only what a killed process has begun. */
static rl_status settle_end(const rl_journal *journal, const rl_scanned *s, uint64_t size) {
    if (s->damaged > 0)
        rl_warn(
            "%s: passed over %llu damaged bytes in %lld place%s; the records behind are kept, and what was lost is "
            "computed again",
            journal->path, (unsigned long long)s->damaged, (long long)s->n_damaged, rl_plural((int64_t)s->n_damaged));
    if (journal->read_only || s->end >= size) return RL_OK;
    rl_warn("%s: cut off the last %llu bytes, which are not a whole record", journal->path,
            (unsigned long long)(size - s->end));
    return truncate_to(journal, s->end);
}

/* What reaches beyond the study's repeats is of no use to it; what it would have served may be there otherwise. */
static void tell_what_is_cut_off(const rl_journal *journal) {
    const rl_plan *plan = journal->plan;
    rl_tally t = {0};
    for (int s = 0; s < plan->n_series && journal->reaches_beyond; s++)
        if (plan->series[s].longest_span > 1)
            rl_places_add_to_tally(journal, plan, rl_plan_end_of_tasks(plan, s) - 1, &t);
    if (t.pieces > t.done)
        rl_warn(
            "%s: has records that reach beyond the study's %d repeats; what was counted together cannot be taken "
            "apart: they are left alone, and %lld repeats are computed again",
            journal->path, plan->study->repeats, (long long)(t.pieces - t.done));
}

/* The header that the plan's study has, and whether the file has it: *begun as in rl_journal_check_header. Reader and
 * header are the caller's, on failure too. */
static rl_status read_header(const char *path, int fd, const rl_plan *plan, rl_reader *reader, rl_text *header,
                             bool *begun) {
    RL_TRY(rl_reader_create(path, fd, reader));
    RL_TRY(rl_journal_build_header(plan->study, header));
    return rl_journal_check_header(reader, header, begun);
}

/* *begun: the header is not whole (and, when read only, nothing more was done). */
static rl_status load_journal(rl_journal *journal, rl_reader *reader, rl_text *header, bool *begun) {
    rl_scanned scanned;
    RL_TRY(open_file(journal));
    RL_TRY(read_header(journal->path, journal->fd, journal->plan, reader, header, begun));
    if (*begun) {
        journal->end = header->length;
        return journal->read_only ? RL_OK : begin_file(journal, header);
    }
    RL_TRY(rl_journal_scan(reader, header->length, rl_journal_take_record, journal, &scanned));
    journal->end = journal->read_only ? reader->size : scanned.end;
    tell_what_is_cut_off(journal);
    return settle_end(journal, &scanned, reader->size);
}

static void destroy_journal(rl_journal *journal) {
    if (journal == NULL) return;
    if (journal->fd >= 0) close(journal->fd);
    for (int64_t i = 0; journal->places != NULL && i < journal->plan->n_tasks; i++) rl_free(journal->places[i].list);
    rl_free(journal->places);
    rl_free(journal->buffer.bytes);
    rl_free(journal->path);
    rl_free(journal);
}

rl_status rl_journal_open(const char *output, const rl_plan *plan, bool read_only, rl_journal **journal) {
    rl_text header = RL_TEXT_EMPTY;
    rl_reader reader = {.fd = -1};
    rl_journal *j = NULL;
    rl_status status;
    bool exists, begun = false;
    *journal = NULL;
    RL_TRY(RL_ALLOC(j, 1));
    *j = (rl_journal){.fd = -1, .read_only = read_only, .plan = plan, .last_sync = rl_seconds()};
    RL_TRY_GOTO(rl_journal_path(output, &j->path, &exists), done);
    if (read_only && !exists) goto done;
    RL_TRY_GOTO(RL_ALLOC(j->places, plan->n_tasks), done);
    RL_TRY_GOTO(load_journal(j, &reader, &header, &begun), done);
    if (!begun || !read_only) *journal = j;
done:
    if (*journal == NULL) destroy_journal(j);
    rl_reader_destroy(&reader);
    rl_free(header.bytes);
    return status;
}

rl_status rl_journal_check(const char *output, const rl_plan *plan, bool *exists) {
    rl_text header = RL_TEXT_EMPTY;
    rl_reader reader = {.fd = -1};
    char *path;
    bool begun = false;
    rl_status status = rl_journal_path(output, &path, exists);
    if (status == RL_OK && *exists) {
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        status = read_header(path, fd, plan, &reader, &header, &begun);
        *exists = status != RL_OK || !begun;
        if (fd >= 0) close(fd);
    }
    rl_reader_destroy(&reader);
    rl_free(header.bytes);
    rl_free(path);
    return status;
}

/* ---- use --------------------------------------------------------------------------------------------------------- */

static rl_status write_record(rl_journal *journal) {
    RL_TRY(check_synced(journal));
    RL_TRY(write_whole(journal->path, journal->fd, &journal->buffer));
    atomic_store(&journal->unsynced, true);
    journal->end += journal->buffer.length;
    return RL_OK;
}

rl_status rl_journal_append(rl_journal *journal, int64_t task, const rl_record *record) {
    const uint64_t offset = journal->end;
    bool noted = false;
    if (record->n == 0) return RL_OK;
    RL_TRY(
        rl_journal_build_record(&journal->plan->series[journal->plan->tasks[task].series], record, &journal->buffer));
    RL_TRY(write_record(journal));
    RL_TRY(rl_places_note(journal, task, record, offset, &noted));
    if (noted) rl_journal_note_content(journal, journal->buffer.bytes, journal->buffer.length);
    return RL_OK;
}

uint64_t rl_journal_content(const rl_journal *journal) {
    return journal->content;
}

bool rl_journal_is_mine(const rl_journal *journal) {
    return !journal->read_only;
}

rl_status rl_journal_close(rl_journal *journal) {
    if (journal == NULL) return RL_OK;
    rl_journal_sync(journal, true);
    const rl_status status = check_synced(journal);
    destroy_journal(journal);
    return status;
}
