#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

rl_status rl_journal_path(const char *output, char **path) {
    rl_text text = RL_TEXT_EMPTY;
    RL_TRY(rl_text_append(&text, "%s.journal", output));
    *path = text.bytes;
    return RL_OK;
}

rl_status rl_journal_check_regular(const char *path, bool *exists) {
    struct stat status;
    *exists = stat(path, &status) == 0;
    if (*exists && !S_ISREG(status.st_mode))
        return rl_fail(RL_ERR_INPUT, "%s: is not a regular file, expected a journal of ridgeless; choose another -o",
                       path);
    if (!*exists && errno != ENOENT) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
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
static rl_status settle(const rl_journal *journal, const rl_scanned *s, uint64_t size) {
    if (s->damaged > 0)
        rl_warn("%s: passed over %" PRIu64
                " damaged bytes in %lld place(s); the records behind are kept, and what was "
                "lost is computed again",
                journal->path, s->damaged, (long long)s->n_damaged);
    if (journal->read_only || s->end >= size) return RL_OK;
    rl_warn("%s: cut off the last %" PRIu64 " bytes, which are not a whole record", journal->path, size - s->end);
    return truncate_to(journal, s->end);
}

/* Summaries that reach beyond the study's repeats are of no use to it; what they would have served may be there
 * otherwise. */
static void tell_what_is_cut_off(const rl_journal *journal) {
    const rl_plan *plan = journal->plan;
    int64_t missing = 0;
    for (int g = 0; g < plan->n_grids && journal->reaches_beyond; g++) {
        rl_tally t = {0};
        if (!plan->grids[g].spec->keep.summary) continue;
        rl_journal_tally_span(journal, plan, rl_plan_curve(plan, g, plan->study->repeats - 1, 0), &t);
        missing += t.curves - t.curves_done;
    }
    if (missing > 0)
        rl_warn(
            "%s: has summaries that reach beyond the study's %d repeats; what was counted together cannot be taken "
            "apart: they are left alone, and %lld repeats are computed again",
            journal->path, plan->study->repeats, (long long)missing);
}

/* *begun: the header is not whole (and, when read only, nothing more was done). */
static rl_status load(rl_journal *journal, rl_reader *reader, const rl_text *header, bool *begun) {
    struct stat file;
    rl_scanned scanned;
    if (fstat(journal->fd, &file) != 0)
        return rl_fail(RL_ERR_IO, "%s: cannot be read: %s", journal->path, strerror(errno));
    *reader = (rl_reader){.path = journal->path, .fd = journal->fd, .size = (uint64_t)file.st_size};
    RL_TRY(rl_journal_check_header(reader, header, begun));
    if (*begun) {
        journal->end = header->length;
        return journal->read_only ? RL_OK : begin_file(journal, header);
    }
    RL_TRY(rl_journal_scan(reader, header->length, rl_journal_take_record, journal, &scanned));
    journal->end = journal->read_only ? reader->size : scanned.end;
    tell_what_is_cut_off(journal);
    return settle(journal, &scanned, reader->size);
}

static void destroy(rl_journal *journal) {
    if (journal->fd >= 0) close(journal->fd);
    for (int64_t i = 0; journal->records != NULL && i < journal->plan->n_curves; i++) rl_free(journal->records[i]);
    for (int64_t i = 0; journal->places != NULL && i < journal->plan->n_curves; i++) rl_free(journal->places[i]);
    rl_free(journal->records);
    rl_free(journal->places);
    rl_journal_destroy_spans(journal);
    rl_free(journal->layouts);
    rl_free(journal->trainings);
    rl_free(journal->buffer.bytes);
    rl_free(journal->values);
    rl_free(journal->path);
    rl_free(journal);
}

static rl_status create(const char *output, const rl_plan *plan, bool read_only, rl_journal **journal) {
    rl_journal *j;
    rl_status status;
    RL_TRY(RL_ALLOC(j, 1));
    *j = (rl_journal){.fd = -1, .read_only = read_only, .plan = plan, .last_sync = rl_seconds()};
    RL_TRY_GOTO(rl_journal_path(output, &j->path), failed);
    RL_TRY_GOTO(RL_ALLOC(j->places, plan->n_curves), failed);
    RL_TRY_GOTO(RL_ALLOC(j->records, plan->n_curves), failed);
    RL_TRY_GOTO(RL_ALLOC(j->spans, plan->n_curves), failed);
    RL_TRY_GOTO(RL_ALLOC(j->layouts, plan->n_grids), failed);
    for (int g = 0; g < plan->n_grids; g++) j->layouts[g] = rl_record_layout_of(plan, g);
    RL_TRY_GOTO(RL_ALLOC(j->trainings, plan->n_trainings), failed);
    for (int64_t i = 0; i < plan->n_trainings; i++) j->trainings[i].status = RL_TRAINING_MISSING;
    *journal = j;
    return RL_OK;
failed:
    destroy(j);
    return status;
}

rl_status rl_journal_open(const char *output, const rl_plan *plan, bool read_only, rl_journal **journal) {
    rl_text header = RL_TEXT_EMPTY;
    rl_reader reader = {.fd = -1};
    rl_journal *j = NULL;
    rl_status status;
    bool exists, begun = false;
    *journal = NULL;
    RL_TRY_GOTO(create(output, plan, read_only, &j), done);
    RL_TRY_GOTO(rl_journal_check_regular(j->path, &exists), done);
    if (read_only && !exists) goto done;
    RL_TRY_GOTO(open_file(j), done);
    RL_TRY_GOTO(rl_journal_build_header(plan, &header), done);
    RL_TRY_GOTO(load(j, &reader, &header, &begun), done);
    if (begun && read_only) goto done;
    *journal = j;
done:
    if (*journal == NULL && j != NULL) destroy(j);
    rl_reader_destroy(&reader);
    rl_free(header.bytes);
    return status;
}

rl_status rl_journal_check(const char *output, const rl_plan *plan, bool *exists) {
    rl_text header = RL_TEXT_EMPTY;
    rl_reader reader = {.fd = -1};
    char *path = NULL;
    rl_status status;
    bool begun = false;
    RL_TRY_GOTO(rl_journal_path(output, &path), done);
    RL_TRY_GOTO(rl_journal_check_regular(path, exists), done);
    if (!*exists) goto done;
    struct stat file;
    reader = (rl_reader){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (reader.fd < 0 || fstat(reader.fd, &file) != 0) {
        status = rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
        goto done;
    }
    reader.size = (uint64_t)file.st_size;
    RL_TRY_GOTO(rl_journal_build_header(plan, &header), done);
    RL_TRY_GOTO(rl_journal_check_header(&reader, &header, &begun), done);
    *exists = !begun;
done:
    if (reader.fd >= 0) close(reader.fd);
    rl_reader_destroy(&reader);
    rl_free(path);
    rl_free(header.bytes);
    return status;
}

/* ---- use --------------------------------------------------------------------------------------------------------- */

rl_status rl_journal_write(rl_journal *journal) {
    RL_TRY(check_synced(journal));
    RL_TRY(write_whole(journal->path, journal->fd, &journal->buffer));
    atomic_store(&journal->unsynced, true);
    journal->end += journal->buffer.length;
    return RL_OK;
}

rl_status rl_journal_append(rl_journal *journal, int64_t curve, const double *record, size_t length) {
    int n;
    if (journal->plan->grids[journal->plan->curves[curve].grid].spec->keep.summary)
        return rl_journal_append_span(journal, curve, record, length);
    assert(length == journal->layouts[journal->plan->curves[curve].grid].length);
    (void)length;
    RL_TRY(rl_journal_build_record(journal, curve, record, &journal->buffer, &n));
    if (n == 0) return RL_OK;
    const uint64_t offset = journal->end;
    RL_TRY(rl_journal_write(journal));
    rl_journal_note_content(journal, journal->buffer.bytes, journal->buffer.length);
    return rl_journal_note(journal, curve, record, offset);
}

rl_status rl_journal_record(rl_journal *journal, int64_t curve, const double **record) {
    double **const kept = &journal->records[curve];
    *record = NULL;
    if (journal->places[curve] == NULL) return RL_OK;
    if (*kept == NULL) {
        RL_TRY(RL_ALLOC(*kept, journal->layouts[journal->plan->curves[curve].grid].length));
        const rl_status status = rl_journal_read(journal, curve, *kept);
        if (status != RL_OK) {
            rl_free(*kept);
            *kept = NULL;
            return status;
        }
    }
    *record = *kept;
    return RL_OK;
}

uint64_t rl_journal_content(const rl_journal *journal) {
    return journal->content;
}

bool rl_journal_is_mine(const rl_journal *journal) {
    return !journal->read_only;
}

rl_cell_status rl_journal_status(const rl_journal *journal, int64_t curve, int i) {
    if (journal == NULL || journal->places[curve] == NULL) return RL_CELL_MISSING;
    return (rl_cell_status)journal->places[curve][i].status;
}

static int count_sizes(const rl_journal *journal, const rl_plan *plan, int64_t curve, rl_cell_status status) {
    int n = 0;
    for (int i = 0; i < plan->curves[curve].n_sizes; i++) n += rl_journal_status(journal, curve, i) == status;
    return n;
}

static void add_to_tally(const rl_journal *journal, const rl_plan *plan, int64_t curve, rl_tally *t) {
    const rl_curve *c = &plan->curves[curve];
    if (plan->grids[c->grid].spec->keep.summary) {
        rl_journal_tally_span(journal, plan, curve, t);
        return;
    }
    const int missing = count_sizes(journal, plan, curve, RL_CELL_MISSING);
    const int done = count_sizes(journal, plan, curve, RL_CELL_DONE);
    t->curves++;
    t->curves_done += missing == 0;
    t->curves_begun += missing > 0 && missing < c->n_sizes;
    t->spectra += c->n_sizes;
    t->spectra_done += done;
    t->spectra_missing += missing;
    t->spectra_failed += c->n_sizes - done - missing;
}

bool rl_journal_has(const rl_journal *journal, int64_t curve) {
    rl_tally t = {0};
    if (journal != NULL) add_to_tally(journal, journal->plan, curve, &t);
    return journal != NULL && t.spectra_missing == 0;
}

int64_t rl_journal_count(const rl_journal *journal) {
    return rl_journal_tally(journal, journal->plan, -1).curves_done;
}

rl_tally rl_journal_tally(const rl_journal *journal, const rl_plan *plan, int grid) {
    rl_tally t = {0};
    for (int64_t i = 0; i < plan->n_curves; i++) {
        if (grid >= 0 && plan->grids[plan->curves[i].grid].spec != plan->grids[grid].spec) continue;
        add_to_tally(journal, plan, i, &t);
    }
    return t;
}

rl_status rl_journal_close(rl_journal *journal) {
    if (journal == NULL) return RL_OK;
    rl_journal_sync(journal, true);
    const rl_status status = check_synced(journal);
    destroy(journal);
    return status;
}
