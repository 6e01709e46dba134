/* Starting over: a journal is emptied, whatever study it belongs to. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"

/* The names of the data sets in a journal's settings, blank-separated. */
static rl_status append_datasets(rl_text *text, const char *settings) {
    static const char mark[] = "/source: ";
    int n = 0;
    for (const char *line = settings; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        const size_t length = strcspn(line, "\n"), name = strcspn(line, "/");
        if (name >= length || strncmp(line + name, mark, strlen(mark)) != 0) continue;
        RL_TRY(rl_text_append(text, "%s", n++ > 0 ? ", " : ""));
        for (size_t i = 0; i < name; i++)
            RL_TRY(rl_text_append(text, "%c", (unsigned char)line[i] < ' ' ? '?' : line[i]));
    }
    return RL_OK;
}

/* `state`: finished pieces, by the place in the table of the kind that they are counted for (rl_kind_noun). */
static rl_status count_record(void *state, rl_reader *reader, uint64_t offset, const rl_record_head *head) {
    const rl_kind *kind = rl_kind_find(rl_head_kind(head));
    int64_t *n = state;
    int k = 0;
    (void)reader;
    (void)offset;
    if (kind == NULL || head->step != RL_FINISHED) return RL_OK;
    while (rl_kinds[k] != rl_kind_noun(kind)) k++;
    n[k] += head->n_repeats;
    return RL_OK;
}

static rl_status append_counts(rl_text *text, const int64_t *n) {
    bool any = false;
    char count[32];
    for (int k = 0; rl_kinds[k] != NULL; k++) {
        if (n[k] == 0) continue;
        RL_TRY(rl_text_append(text, any ? " and %s %s" : "%s finished %s", rl_count_text(n[k], count),
                              n[k] == 1 ? rl_kinds[k]->piece : rl_kinds[k]->pieces));
        any = true;
    }
    return any ? RL_OK : rl_text_append(text, "a journal without finished work");
}

static rl_status append_pieces(rl_text *text, rl_reader *reader) {
    rl_scanned scanned;
    int64_t *n;
    int n_kinds = 0;
    while (rl_kinds[n_kinds] != NULL) n_kinds++;
    RL_TRY(RL_ALLOC(n, n_kinds));
    rl_status status = rl_journal_scan(reader, 0, count_record, n, &scanned);
    if (status == RL_OK) status = append_counts(text, n);
    rl_free(n);
    return status;
}

static rl_status describe_journal(rl_reader *reader, const char *settings, time_t written, rl_text *text) {
    char when[32];
    struct tm local;
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&written, &local));
    RL_TRY(append_pieces(text, reader));
    RL_TRY(rl_text_append(text, " of "));
    if (settings != NULL)
        RL_TRY(append_datasets(text, settings));
    else
        RL_TRY(rl_text_append(text, "a study that cannot be read any more"));
    return rl_text_append(text, ", last written on %s", when);
}

/* The file stays, and empty: whoever has it open must not write to one that has no name. */
static rl_status discard_file(const char *path, int fd, rl_text *text) {
    struct stat file;
    char *settings = NULL;
    bool is_journal = false;
    if (fstat(fd, &file) != 0) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    rl_reader reader = {.path = path, .fd = fd, .size = (uint64_t)file.st_size};
    rl_status status = rl_journal_identify(&reader, &is_journal, &settings);
    if (status == RL_OK && !is_journal)
        status = rl_fail(RL_ERR_INPUT, "%s: is not a journal of ridgeless; it is left alone: choose another -o", path);
    if (status == RL_OK) status = describe_journal(&reader, settings, file.st_mtime, text);
    if (status == RL_OK && ftruncate(fd, 0) != 0)
        status = rl_fail(RL_ERR_IO, "%s: cannot be emptied: %s", path, strerror(errno));
    rl_free(settings);
    rl_reader_destroy(&reader);
    return status;
}

static rl_status discard_journal(const char *path) {
    rl_text text = RL_TEXT_EMPTY;
    int fd;
    rl_status status = rl_journal_open_file(path, O_RDWR, &fd);
    if (status == RL_OK) status = rl_journal_lock(path, fd);
    if (status == RL_OK) status = discard_file(path, fd, &text);
    if (fd >= 0) close(fd);
    if (status == RL_OK) rl_info("%s: discarded %s", path, text.bytes);
    rl_free(text.bytes);
    return status;
}

rl_status rl_journal_discard(const char *output) {
    char *path;
    bool exists;
    rl_status status = rl_journal_path(output, &path, &exists);
    if (status == RL_OK && exists) status = discard_journal(path);
    rl_free(path);
    return status;
}
