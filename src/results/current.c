/* Whether a results file is what the journal would be assembled to once more. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "internal.h"

enum { BLOCK = 1 << 20 };

static void add_text(XXH3_state_t *state, const char *text) {
    XXH3_64bits_update(state, text, strlen(text) + 1);
}

static rl_status add_file(XXH3_state_t *state, const char *path) {
    char *block = NULL;
    ssize_t got = -1;
    RL_TRY(RL_ALLOC(block, BLOCK));
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (off_t offset = 0; fd >= 0 && (got = pread(fd, block, BLOCK, offset)) != 0;) {
        if (got < 0 && errno != EINTR) break;
        if (got < 0) continue;
        XXH3_64bits_update(state, block, (size_t)got);
        offset += got;
    }
    const rl_status status = got == 0 ? RL_OK : rl_fail(RL_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    rl_free(block);
    return status;
}

static rl_status add_all(XXH3_state_t *state, const char *output, const rl_plan *plan) {
    rl_text journal = RL_TEXT_EMPTY;
    RL_TRY(rl_text_append(&journal, "%s.journal", output));
    add_text(state, RL_VERSION);
    add_text(state, plan->study->text);
    for (int g = 0; g < plan->n_grids; g++) add_text(state, plan->grids[g].data.name);
    const rl_status status = add_file(state, journal.bytes);
    rl_free(journal.bytes);
    return status;
}

rl_status rl_results_sources(const char *output, const rl_plan *plan, char text[RL_SOURCES_LENGTH]) {
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not allocate the state of a checksum");
    XXH3_64bits_reset(state);
    const rl_status status = add_all(state, output, plan);
    snprintf(text, RL_SOURCES_LENGTH, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    return status;
}

/* What the file says it was assembled from; "" when it does not. */
static rl_status read_sources(const char *output, char **text) {
    rl_nc file;
    int group, attribute;
    RL_TRY(rl_nc_open_ours(output, &file));
    rl_status status = RL_OK;
    if (nc_inq_grp_ncid(file.id, "provenance", &group) == NC_NOERR &&
        nc_inq_attid(group, NC_GLOBAL, RL_SOURCES_ATTRIBUTE, &attribute) == NC_NOERR)
        status = rl_nc_get_text(&file, group, RL_SOURCES_ATTRIBUTE, text);
    else
        status = rl_strdup(text, "");
    nc_close(file.id);
    return status;
}

rl_status rl_results_current(const char *output, const rl_plan *plan, bool *current) {
    char *found = NULL, wanted[RL_SOURCES_LENGTH];
    *current = false;
    if (access(output, F_OK) != 0) return RL_OK;
    RL_TRY(rl_results_sources(output, plan, wanted));
    RL_TRY(read_sources(output, &found));
    *current = strcmp(found, wanted) == 0;
    if (*current) rl_remove_stale_temporaries(output); /* as writing would */
    rl_free(found);
    return RL_OK;
}
