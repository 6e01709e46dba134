/* The journal as a file: opened, appended to and made durable. */
#define _GNU_SOURCE /* sync_file_range */
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
    const char *why = "the disk or the quota is full";
    /* Why it was not the whole, one more try tells. */
    if (written < 0 || write(fd, text->bytes + written, text->length - (size_t)written) < 0) why = strerror(errno);
    const bool restored = ftruncate(fd, before.st_size) == 0;
    return rl_fail(RL_ERR_IO, "%s: %s%s%s", path, written < 0 ? "" : "only a part could be written: ", why,
                   restored ? "" : "; the torn end will be cut off when the journal is next opened");
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static rl_status look(const char *path, bool *exists) {
    struct stat status;
    *exists = stat(path, &status) == 0;
    if (*exists && !S_ISREG(status.st_mode))
        return rl_fail(RL_ERR_INPUT, "%s: is not a regular file, expected a journal of ridgeless; choose another -o",
                       path);
    if (!*exists && errno != ENOENT) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    return RL_OK;
}

/* Beside a link earlier versions, or somebody who has moved the results file alone, have left one. */
static rl_status check_link(const char *output, const char *path) {
    rl_text beside = RL_TEXT_EMPTY;
    RL_TRY(rl_text_append(&beside, "%s.journal", output));
    rl_status status = RL_OK;
    if (strcmp(beside.bytes, path) != 0 && access(beside.bytes, F_OK) == 0)
        status = rl_fail(RL_ERR_INPUT, "%s: lies beside a link; expected it beside what that leads to: move it to %s",
                         beside.bytes, path);
    rl_free(beside.bytes);
    return status;
}

rl_status rl_journal_path(const char *output, char **path, bool *exists) {
    rl_text text = RL_TEXT_EMPTY;
    char *target = NULL;
    *path = NULL;
    *exists = false;
    rl_status status = rl_follow_links(output, &target);
    if (status == RL_OK) status = rl_text_append(&text, "%s.journal", target);
    rl_free(target);
    *path = text.bytes;
    if (status == RL_OK) status = look(*path, exists);
    return status == RL_OK && !*exists ? check_link(output, *path) : status;
}

rl_status rl_journal_open_file(const char *path, int flags, int *fd) {
    struct stat file;
    *fd = open(path, flags | O_NONBLOCK | O_CLOEXEC, 0666);
    if (*fd < 0)
        return rl_fail(RL_ERR_INPUT, "%s: cannot be %s: %s", path, (flags & O_RDWR) != 0 ? "written" : "read",
                       strerror(errno));
    if (fstat(*fd, &file) == 0 && S_ISREG(file.st_mode)) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: is not a regular file, expected a journal of ridgeless; choose another -o", path);
}

rl_status rl_journal_lock(const char *path, int fd) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return RL_OK;
    if (errno == EWOULDBLOCK)
        return rl_fail(RL_ERR_INPUT, "%s: another run is writing it; wait for its end or choose another -o", path);
    rl_warn("%s: cannot be locked here (%s); start no second run with the same -o", path, strerror(errno));
    return RL_OK;
}

/* What was locked may have lost its name meanwhile: then it is opened again. */
static rl_status open_file(rl_journal *journal) {
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES && !journal->is_named; i++) {
        if (journal->fd >= 0) close(journal->fd);
        RL_TRY(rl_journal_open_file(journal->path, journal->read_only ? O_RDONLY : O_RDWR | O_CREAT | O_APPEND,
                                    &journal->fd));
        if (!journal->read_only) RL_TRY(rl_journal_lock(journal->path, journal->fd));
        journal->is_named = rl_journal_has_name(journal->path, journal->fd);
    }
    return RL_OK;
}

void rl_journal_sync(rl_journal *journal, bool now) {
    if (!now && rl_seconds() - journal->last_sync < sync_interval) return;
    journal->last_sync = rl_seconds();
    if (atomic_exchange(&journal->unsynced, false) && fdatasync(journal->fd) != 0)
        atomic_store(&journal->sync_error, errno);
    if (pthread_mutex_trylock(&journal->writing) != 0) return; /* the next one looks */
    rl_journal_watch(journal);
    pthread_mutex_unlock(&journal->writing);
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
    RL_TRY(rl_journal_trouble(journal));
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

/* The header that the plan's study would have; what the file has: see rl_journal_read_header. Reader, header and
 * settings are the caller's, on failure too. */
static rl_status read_header(const char *path, int fd, const char *own, rl_reader *reader, rl_text *header, bool *begun,
                             char **settings, uint64_t *length) {
    RL_TRY(rl_reader_create(path, fd, reader));
    RL_TRY(rl_journal_build_header(own, header));
    return rl_journal_read_header(reader, header, begun, settings, length);
}

/* *begun: the header is not whole (and, when read only, nothing more was done). */
static rl_status load_journal(rl_journal *journal, rl_reader *reader, rl_text *header, bool *begun) {
    rl_scanned scanned;
    char *settings = NULL;
    uint64_t length = 0;
    RL_TRY(open_file(journal));
    RL_TRY(read_header(journal->path, journal->fd, journal->settings.own, reader, header, begun, &settings, &length));
    if (*begun) {
        journal->end = header->length;
        if (journal->read_only) return RL_OK;
        RL_TRY(rl_settings_declare(&journal->settings, 0, journal->settings.own, NULL));
        return begin_file(journal, header);
    }
    const rl_status declared = rl_settings_declare(&journal->settings, 0, settings, NULL);
    rl_free(settings);
    RL_TRY(declared);
    RL_TRY(rl_journal_scan(reader, length, rl_journal_take_record, journal, &scanned));
    journal->end = journal->read_only ? reader->size : scanned.end;
    journal->whole = scanned.end;
    RL_TRY(rl_journal_note_tail(journal));
    rl_journal_tell(journal);
    return settle_end(journal, &scanned, reader->size);
}

void rl_journal_destroy(rl_journal *journal) {
    if (journal == NULL) return;
    if (journal->fd >= 0) close(journal->fd);
    for (int64_t i = 0; journal->places != NULL && i < journal->plan->n_tasks; i++) rl_free(journal->places[i].list);
    rl_free(journal->places);
    rl_settings_destroy(&journal->settings, journal->plan->n_series);
    rl_free(journal->unused);
    rl_free(journal->others.bytes);
    rl_free(journal->buffer.bytes);
    rl_free(journal->path);
    pthread_mutex_destroy(&journal->writing);
    rl_free(journal);
}

static rl_status prepare_journal(rl_journal *journal) {
    rl_text own = RL_TEXT_EMPTY;
    const rl_status status = rl_study_settings(journal->plan->study, &own);
    journal->settings = (rl_settings_list){.own = own.bytes, .next = 1};
    RL_TRY(status);
    RL_TRY(RL_ALLOC(journal->unused, journal->plan->n_series));
    return RL_ALLOC(journal->places, journal->plan->n_tasks);
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
    pthread_mutex_init(&j->writing, NULL);
    rl_journal_note_output(j, output);
    RL_TRY_GOTO(rl_journal_path(output, &j->path, &exists), done);
    if (read_only && !exists) goto done;
    RL_TRY_GOTO(prepare_journal(j), done);
    RL_TRY_GOTO(load_journal(j, &reader, &header, &begun), done);
    if (!begun || !read_only) *journal = j;
done:
    if (*journal == NULL) rl_journal_destroy(j);
    rl_reader_destroy(&reader);
    rl_free(header.bytes);
    return status;
}

rl_status rl_journal_check(const char *output, const rl_plan *plan, bool *exists) {
    rl_text header = RL_TEXT_EMPTY, own = RL_TEXT_EMPTY;
    rl_reader reader = {.fd = -1};
    char *path, *settings = NULL;
    uint64_t length;
    bool begun = false;
    rl_status status = rl_journal_path(output, &path, exists);
    if (status == RL_OK && *exists) status = rl_study_settings(plan->study, &own);
    if (status == RL_OK && *exists) {
        int fd;
        status = rl_journal_open_file(path, O_RDONLY, &fd);
        if (status == RL_OK) status = read_header(path, fd, own.bytes, &reader, &header, &begun, &settings, &length);
        *exists = status != RL_OK || !begun;
        if (fd >= 0) close(fd);
    }
    rl_free(settings);
    rl_free(own.bytes);
    rl_reader_destroy(&reader);
    rl_free(header.bytes);
    rl_free(path);
    return status;
}

void rl_journal_settle(const rl_journal *journal) {
#ifdef SYNC_FILE_RANGE_WRITE
    if (journal != NULL && !journal->read_only) sync_file_range(journal->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#else
    (void)journal;
#endif
}

/* Bytes of records that are written together; more is no quicker. */
static const size_t most_waiting = 1 << 18;

/* ---- use --------------------------------------------------------------------------------------------------------- */

/* Nothing is written behind what somebody else has written, or to a file that has no name. */
static rl_status write_watched(rl_journal *journal) {
    struct stat file;
    const bool as_it_was =
        fstat(journal->fd, &file) == 0 && file.st_nlink > 0 && (uint64_t)file.st_size == journal->end;
    if (!as_it_was) rl_journal_watch(journal);
    RL_TRY(rl_journal_trouble(journal));
    RL_TRY(write_whole(journal->path, journal->fd, &journal->buffer));
    journal->end += journal->buffer.length;
    return RL_OK;
}

static rl_status write_waiting(rl_journal *journal) {
    pthread_mutex_lock(&journal->writing);
    const rl_status status = write_watched(journal);
    pthread_mutex_unlock(&journal->writing);
    if (status == RL_OK) atomic_store(&journal->unsynced, true);
    return status;
}

rl_status rl_journal_write(rl_journal *journal) {
    if (journal->buffer.length == 0) return RL_OK;
    const rl_status status = write_waiting(journal);
    journal->buffer.length = 0;
    return status;
}

/* The number of the study's settings with the arithmetic of a record, which are told before the first such record. */
static rl_status declare_own(rl_journal *journal, const char *arithmetic, int *number) {
    rl_settings_list *settings = &journal->settings;
    *number = rl_settings_find_own(settings, arithmetic);
    if (*number >= 0) return RL_OK;
    if (settings->next > RL_MOST_SETTINGS)
        return rl_fail(RL_ERR_INPUT, "%s: the study has been changed more than %d times; " RL_START_OVER, journal->path,
                       RL_MOST_SETTINGS);
    *number = settings->next++;
    RL_TRY(rl_journal_build_settings(settings->own, arithmetic, *number, &journal->buffer));
    return rl_settings_declare(settings, *number, settings->own, arithmetic);
}

/* Puts a record behind those that wait, at *begin of them. */
static rl_status add_bytes(rl_journal *journal, int64_t task, const rl_record *record, size_t *begin) {
    const rl_series *series = &journal->plan->series[journal->plan->tasks[task].series];
    const size_t before = journal->buffer.length;
    int number;
    rl_status status = declare_own(journal, record->arithmetic, &number);
    *begin = journal->buffer.length;
    if (status == RL_OK) status = rl_journal_build_record(series, number, record, &journal->buffer);
    if (status != RL_OK) journal->buffer.length = before;
    return status;
}

static rl_status note_bytes(rl_journal *journal, int64_t task, const rl_record *record, uint64_t offset, size_t begin) {
    bool noted = false;
    RL_TRY(rl_places_note(journal, task, record, offset, &noted));
    if (noted) rl_journal_note_content(journal, journal->buffer.bytes + begin, journal->buffer.length - begin);
    return RL_OK;
}

rl_status rl_journal_add(rl_journal *journal, int64_t task, const rl_record *record) {
    size_t begin;
    if (record->n == 0) return RL_OK;
    RL_TRY(add_bytes(journal, task, record, &begin));
    RL_TRY(note_bytes(journal, task, record, journal->end + begin, begin));
    return journal->buffer.length >= most_waiting ? rl_journal_write(journal) : RL_OK;
}

/* Noted once it is written. */
rl_status rl_journal_append(rl_journal *journal, int64_t task, const rl_record *record) {
    const uint64_t end = journal->end;
    size_t begin;
    if (record->n == 0) return RL_OK;
    RL_TRY(add_bytes(journal, task, record, &begin));
    rl_status status = write_waiting(journal);
    if (status == RL_OK) status = note_bytes(journal, task, record, end + begin, begin);
    journal->buffer.length = 0;
    return status;
}

uint64_t rl_journal_content(const rl_journal *journal) {
    return journal->content;
}

bool rl_journal_is_mine(const rl_journal *journal) {
    return !journal->read_only;
}

rl_status rl_journal_close(rl_journal *journal) {
    if (journal == NULL) return RL_OK;
    const rl_status written = journal->read_only ? RL_OK : rl_journal_write(journal);
    rl_journal_sync(journal, true);
    const rl_status status = written == RL_OK ? rl_journal_trouble(journal) : written;
    rl_journal_destroy(journal);
    return status;
}
