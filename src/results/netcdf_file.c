/* NetCDF files that become or are results files: opened, and told whole by their seal. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../checksum.h"
#include "internal.h"

size_t rl_nc_type_size(nc_type type) {
    switch (type) {
        case NC_DOUBLE:
            return sizeof(double);
        case NC_INT:
            return sizeof(int);
        case NC_BYTE:
            return 1;
        default:
            return sizeof(char *);
    }
}

/* A long text goes as a string, which HDF5 keeps outside the object's header. */
rl_status rl_nc_put_text(const rl_nc *file, int group, int variable, const char *name, const char *text) {
    if (strlen(text) <= RL_NC_ATTRIBUTE_LIMIT)
        RL_NC(file, nc_put_att_text(group, variable, name, strlen(text), text));
    else
        RL_NC(file, nc_put_att_string(group, variable, name, 1, &text));
    return RL_OK;
}

static rl_status get_string(const rl_nc *file, int group, const char *name, char **text) {
    char *string;
    RL_NC(file, nc_get_att_string(group, NC_GLOBAL, name, &string));
    const rl_status status = rl_strdup(text, string == NULL ? "" : string);
    nc_free_string(1, &string);
    return status;
}

rl_status rl_nc_get_text(const rl_nc *file, int group, const char *name, char **text) {
    nc_type type;
    size_t length;
    RL_NC(file, nc_inq_att(group, NC_GLOBAL, name, &type, &length));
    if (type == NC_STRING && length == 1) return get_string(file, group, name, text);
    if (type != NC_CHAR) return rl_fail(file->blame, "%s: attribute `%s` is not a text", file->path, name);
    RL_TRY(rl_alloc(text, length + 1, 1));
    RL_NC(file, nc_get_att_text(group, NC_GLOBAL, name, *text));
    return RL_OK;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* A run that was killed leaves its journal alone. */
static rl_status check_presence(const char *path) {
    rl_text journal = RL_TEXT_EMPTY;
    char *target;
    if (access(path, F_OK) == 0 || errno != ENOENT) return RL_OK;
    RL_TRY(rl_follow_links(path, &target));
    const rl_status status = rl_text_append(&journal, "%s.journal", target);
    const bool waits = status == RL_OK && access(journal.bytes, F_OK) == 0;
    rl_free(journal.bytes);
    rl_free(target);
    RL_TRY(status);
    if (!waits) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: is not there, but its journal is; `ridgeless assemble STUDY -o %s` writes it",
                   path, path);
}

/* The first bytes tell; the library shall see no other file. */
static rl_status check_signature(const char *path) {
    char begin[RL_NC_SIGNATURE];
    size_t got;
    RL_TRY(check_presence(path));
    RL_TRY(rl_read_beginning(path, RL_ERR_INPUT, "a results file", sizeof begin, begin, &got));
    if (rl_nc_is_netcdf4(begin, got)) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: is not NetCDF-4, expected a results file of ridgeless", path);
}

rl_status rl_nc_open_ours(const char *path, rl_nc *file) {
    char *program = NULL, *settings = NULL;
    *file = (rl_nc){.path = path, .blame = RL_ERR_INPUT};
    RL_TRY(check_signature(path));
    RL_TRY(rl_memory_ask(RL_NETCDF_BYTES, path));
    RL_NC(file, nc_open(path, NC_NOWRITE, &file->id));
    rl_status status = rl_nc_get_text(file, file->id, "program", &program);
    const bool ours = status == RL_OK && strncmp(program, "ridgeless ", strlen("ridgeless ")) == 0;
    if (ours) status = rl_nc_get_text(file, file->id, "settings", &settings);
    rl_free(program);
    rl_free(settings);
    if (ours && status == RL_OK) return RL_OK;
    nc_close(file->id);
    if (status == RL_ERR_MEMORY) return status;
    return rl_fail(RL_ERR_INPUT, "%s: is a NetCDF file, but not a results file of ridgeless", path);
}

/* ---- the seal ---------------------------------------------------------------------------------------------------- */

rl_status rl_nc_make_seal(const rl_nc *file, int fd, off_t length, char seal[RL_NC_SEAL + 1]) {
    char block[1 << 16];
    XXH3_state_t *state = XXH3_createState();
    rl_status status = RL_OK;
    if (state == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: a checksum's state");
    XXH3_64bits_reset(state);
    for (off_t done = 0; done < length && status == RL_OK;) {
        const off_t left = length - done;
        const ssize_t got = pread(fd, block, left < (off_t)sizeof block ? (size_t)left : sizeof block, done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0)
            status = rl_fail(file->blame, "%s: cannot be read: %s", file->path,
                             got < 0 ? strerror(errno) : "became shorter while it was read");
        else
            XXH3_64bits_update(state, block, (size_t)got);
        done += got;
    }
    snprintf(seal, RL_NC_SEAL + 1, "ridgeless seal %016" PRIx64 "\n", (uint64_t)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    return status;
}

static rl_status check_seal(const char *path, int fd, bool *sealed) {
    char found[RL_NC_SEAL], expected[RL_NC_SEAL + 1];
    const size_t mark = strlen("ridgeless seal ");
    struct stat file;
    if (fstat(fd, &file) != 0) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    const off_t length = file.st_size - RL_NC_SEAL;
    *sealed = length >= 0 && pread(fd, found, sizeof found, length) == RL_NC_SEAL &&
              memcmp(found, "ridgeless seal ", mark) == 0;
    if (!*sealed) return RL_OK;
    RL_TRY(rl_nc_make_seal(&(rl_nc){.path = path, .blame = RL_ERR_INPUT}, fd, length, expected));
    if (memcmp(found, expected, sizeof found) == 0) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: is damaged: its bytes are not those that were written (by their checksum)", path);
}

rl_status rl_nc_check_seal(const char *path, bool *sealed) {
    *sealed = false;
    RL_TRY(check_signature(path));
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return rl_fail(RL_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    const rl_status status = check_seal(path, fd, sealed);
    close(fd);
    return status;
}
