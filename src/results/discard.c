/* Starting over: what was there is thrown away, if it is ours. */
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

static rl_status describe(rl_reader *reader, const char *settings, time_t written, rl_text *text) {
    rl_scanned scanned;
    char when[32];
    struct tm local;
    RL_TRY(rl_journal_scan(reader, 0, NULL, NULL, &scanned));
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&written, &local));
    RL_TRY(rl_text_append(text, "%lld finished curve(s)", (long long)scanned.n_records));
    if (scanned.n_trainings > 0) RL_TRY(rl_text_append(text, " and %lld training(s)", (long long)scanned.n_trainings));
    RL_TRY(rl_text_append(text, " of "));
    if (settings != NULL)
        RL_TRY(append_datasets(text, settings));
    else
        RL_TRY(rl_text_append(text, "a study that cannot be read any more"));
    return rl_text_append(text, ", last written on %s", when);
}

/* The file stays, and empty: whoever has it open must not write to one that has no name. */
static rl_status discard(const char *path, int fd, rl_text *text) {
    struct stat file;
    char *settings = NULL;
    bool is_journal = false;
    if (fstat(fd, &file) != 0) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    rl_reader reader = {.path = path, .fd = fd, .size = (uint64_t)file.st_size};
    rl_status status = rl_journal_identify(&reader, &is_journal, &settings);
    if (status == RL_OK && !is_journal)
        status = rl_fail(RL_ERR_INPUT, "%s: is not a journal of ridgeless; it is left alone: choose another -o", path);
    if (status == RL_OK) status = describe(&reader, settings, file.st_mtime, text);
    if (status == RL_OK && ftruncate(fd, 0) != 0)
        status = rl_fail(RL_ERR_IO, "%s: cannot be emptied: %s", path, strerror(errno));
    rl_free(settings);
    rl_reader_destroy(&reader);
    return status;
}

static rl_status discard_journal(const char *path) {
    rl_text text = RL_TEXT_EMPTY;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return rl_fail(RL_ERR_INPUT, "%s: cannot be written: %s", path, strerror(errno));
    rl_status status = rl_journal_lock(path, fd);
    if (status == RL_OK) status = discard(path, fd, &text);
    close(fd);
    if (status == RL_OK) rl_info("%s: discarded %s", path, text.bytes);
    rl_free(text.bytes);
    return status;
}

/* *exists: there is a results file, and it is ours. */
static rl_status check_results(const char *output, bool *exists) {
    struct stat existing;
    rl_nc file;
    *exists = stat(output, &existing) == 0;
    if (!*exists) return RL_OK; /* what else is wrong, writing there will tell */
    if (rl_nc_open_ours(output, &file) != RL_OK)
        return rl_fail(RL_ERR_INPUT, "%s; it is left alone: choose another -o", rl_error_message());
    nc_close(file.id);
    return RL_OK;
}

rl_status rl_results_discard(const char *output) {
    char *path;
    bool has_results = false, has_journal = false;
    RL_TRY(rl_check_writable(output));
    RL_TRY(check_results(output, &has_results));
    RL_TRY(rl_journal_path(output, &path));
    rl_status status = rl_journal_check_regular(path, &has_journal);
    if (status == RL_OK && has_journal) status = discard_journal(path);
    rl_free(path);
    if (status != RL_OK || !has_results) return status;
    if (unlink(output) != 0) return rl_fail(RL_ERR_IO, "%s: cannot be removed: %s", output, strerror(errno));
    rl_info("%s: discarded the results file", output);
    return RL_OK;
}
