/* Another process of the same node that reads records, too: what it opens the journal by, and where whole tasks stand.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"

/* Behind it, each with its zero byte: the path, the study's settings, and of each declaration a number (int), the
 * settings and the arithmetic, which may be empty. */
typedef struct description {
    uint64_t end;
    int64_t n_declared;
    struct stat file;
} description;

static rl_status append_text(rl_text *bytes, const char *text) {
    return rl_text_append_bytes(bytes, text == NULL ? "" : text, text == NULL ? 1 : strlen(text) + 1);
}

static rl_status append_declared(rl_text *bytes, const rl_declared *d) {
    RL_TRY(rl_text_append_bytes(bytes, &d->number, sizeof d->number));
    RL_TRY(append_text(bytes, d->text));
    return append_text(bytes, d->arithmetic);
}

rl_status rl_journal_describe(const rl_journal *journal, rl_text *bytes) {
    const rl_settings_list *settings = &journal->settings;
    description d = {.end = journal->end, .n_declared = settings->n};
    if (fstat(journal->fd, &d.file) != 0)
        return rl_fail(RL_ERR_IO, "%s: cannot be read: %s", journal->path, strerror(errno));
    RL_TRY(rl_text_append_bytes(bytes, &d, sizeof d));
    RL_TRY(append_text(bytes, journal->path));
    RL_TRY(append_text(bytes, settings->own));
    for (int i = 0; i < settings->n; i++) RL_TRY(append_declared(bytes, &settings->list[i]));
    return RL_OK;
}

/* ---- the other process ------------------------------------------------------------------------------------------- */

static const char *next_text(const char **at) {
    const char *text = *at;
    *at += strlen(text) + 1;
    return text;
}

static rl_status take_declared(rl_journal *journal, const char **at) {
    int number;
    memcpy(&number, *at, sizeof number);
    *at += sizeof number;
    const char *const text = next_text(at), *const arithmetic = next_text(at);
    return rl_settings_declare(&journal->settings, number, text, arithmetic);
}

static rl_status open_same(rl_journal *journal, const description *d) {
    struct stat file;
    RL_TRY(rl_journal_open_file(journal->path, O_RDONLY, &journal->fd));
    const bool same =
        fstat(journal->fd, &file) == 0 && rl_same_file(&file, &d->file) && (uint64_t)file.st_size >= d->end;
    return same ? RL_OK : rl_fail(RL_ERR_IO, "%s: is another file here", journal->path);
}

static rl_status fill_described(rl_journal *journal, const char *bytes) {
    description d;
    const char *at = bytes + sizeof d;
    memcpy(&d, bytes, sizeof d);
    journal->end = d.end;
    RL_TRY(rl_strdup(&journal->path, next_text(&at)));
    RL_TRY(rl_strdup(&journal->settings.own, next_text(&at)));
    for (int64_t i = 0; i < d.n_declared; i++) RL_TRY(take_declared(journal, &at));
    RL_TRY(RL_ALLOC(journal->places, journal->plan->n_tasks));
    return open_same(journal, &d);
}

rl_status rl_journal_open_described(const rl_plan *plan, const char *bytes, rl_journal **journal) {
    rl_journal *j;
    *journal = NULL;
    RL_TRY(RL_ALLOC(j, 1));
    *j = (rl_journal){.fd = -1, .read_only = true, .plan = plan};
    pthread_mutex_init(&j->writing, NULL);
    const rl_status status = fill_described(j, bytes);
    if (status == RL_OK)
        *journal = j;
    else
        rl_journal_destroy(j);
    return status;
}

/* ---- whole tasks ------------------------------------------------------------------------------------------------- */

bool rl_journal_find_whole(const rl_journal *journal, int64_t first, int64_t end, uint64_t *offsets) {
    for (int64_t task = first; task < end; task++) {
        offsets[task - first] = journal->places[task].whole;
        if (journal->places[task].whole == 0) return false;
    }
    return true;
}

void rl_journal_set_whole(rl_journal *journal, int64_t first, int64_t end, const uint64_t *offsets) {
    for (int64_t task = first; task < end; task++) journal->places[task] = (rl_places){.whole = offsets[task - first]};
}
