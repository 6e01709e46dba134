/* Whose is the file at the output path? It is checked before any work, and thrown away when a study starts over. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

/* Writes an empty file as rl_results_write will write the full one, and opens it: where HDF5 cannot lock files, better
 * to know before the work. */
static rl_status try_to_write(const char *output, rl_temporary *temporary) {
    rl_nc_draft draft;
    int id;
    off_t length;
    rl_status status = rl_temporary_open(output, temporary);
    if (status == RL_OK) status = rl_nc_create(temporary, &draft);
    if (status == RL_OK) status = rl_nc_close(&draft, &length);
    if (status == RL_OK) status = rl_nc_seal(&draft, length, NULL);
    if (status == RL_ERR_MEMORY) return status;
    if (status != RL_OK) return rl_fail(RL_ERR_INPUT, "%s", rl_error_message());
    if (nc_open(temporary->path, NC_NOWRITE, &id) == NC_NOERR && nc_close(id) == NC_NOERR) return RL_OK;
    if (rl_nc_lacks_memory(NC_NOERR)) return rl_memory_fail(RL_NC_SURELY_ENOUGH, output);
    return rl_fail(RL_ERR_INPUT,
                   "%s: NetCDF cannot open a file there (on a network file system without locks, set "
                   "HDF5_USE_FILE_LOCKING=FALSE)",
                   output);
}

static rl_status check_name(const char *output) {
    if (*output == '\0') return rl_fail(RL_ERR_INPUT, "-o: the name of the results file is empty");
    if (strcmp(output, "-") == 0)
        return rl_fail(RL_ERR_INPUT,
                       "-o -: a results file does not go to standard output; expected the name of a file");
    if (output[strlen(output) - 1] == '/')
        return rl_fail(RL_ERR_INPUT, "%s: is the name of a directory, expected that of a results file", output);
    return RL_OK;
}

/* Refuses an output path that cannot be written, or is no name of a file. */
static rl_status check_writable(const char *output) {
    rl_temporary temporary = {.fd = -1};
    RL_TRY(check_name(output));
    const rl_status status = try_to_write(output, &temporary);
    rl_temporary_discard(&temporary);
    return status;
}

static rl_status compare_settings(const rl_nc *file, const rl_plan *plan) {
    char *have = NULL;
    rl_text want = RL_TEXT_EMPTY;
    rl_status status = rl_nc_get_text(file, file->id, "settings", &have);
    if (status == RL_OK) status = rl_study_settings(plan->study, &want);
    if (status == RL_OK)
        status =
            rl_settings_compare(file->path, plan->study, RL_SETTINGS_ALL, have, want.bytes == NULL ? "" : want.bytes);
    rl_free(have);
    rl_free(want.bytes);
    return status;
}

rl_status rl_results_open_sealed(const char *path, rl_nc *file) {
    bool sealed;
    RL_TRY(rl_nc_check_seal(path, &sealed));
    if (sealed) return rl_nc_open_ours(path, file);
    return rl_fail(RL_ERR_INPUT,
                   "%s: has no seal of ridgeless at its end: another program wrote or changed it, or it was cut short",
                   path);
}

rl_status rl_results_open(const char *path, const rl_plan *plan, rl_nc *file) {
    RL_TRY(rl_results_open_sealed(path, file));
    const rl_status status = compare_settings(file, plan);
    if (status != RL_OK) nc_close(file->id);
    return status;
}

/* A file that is there must be ours and whole, and this study's unless the journal already vouches for that. */
static rl_status check_existing(const char *output, const rl_plan *plan, bool has_journal) {
    rl_nc file;
    const rl_status opened = rl_results_open_sealed(output, &file);
    if (opened == RL_ERR_MEMORY) return opened; /* nothing is known of the file */
    if (opened != RL_OK)
        return rl_fail(RL_ERR_INPUT, "%s; it is left alone: remove it%s or choose another -o", rl_error_message(),
                       has_journal ? " (the journal has what is done)" : "");
    const rl_status status = has_journal ? RL_OK : compare_settings(&file, plan);
    nc_close(file.id);
    return status;
}

rl_status rl_results_check_output(const char *output, const rl_plan *plan) {
    struct stat existing;
    bool has_journal;
    RL_TRY(check_name(output));
    RL_TRY(rl_journal_check(output, plan, &has_journal));
    const bool exists = stat(output, &existing) == 0;
    if (exists && !S_ISREG(existing.st_mode))
        return rl_fail(RL_ERR_INPUT, "%s: is %s, expected a results file; choose another -o", output,
                       S_ISDIR(existing.st_mode) ? "a directory" : "not a regular file");
    if (exists)
        RL_TRY(check_existing(output, plan, has_journal));
    else if (errno != ENOENT)
        return rl_fail(RL_ERR_INPUT, "%s: cannot be written: %s", output, strerror(errno));
    return check_writable(output);
}

bool rl_results_are_current(const char *output, const rl_plan *plan, const rl_journal *journal) {
    rl_nc file;
    char *have = NULL, want[RL_DIGEST_TEXT];
    int provenance;
    if (access(output, F_OK) != 0 || rl_results_open_sealed(output, &file) != RL_OK) return false;
    bool current = nc_inq_grp_ncid(file.id, "provenance", &provenance) == NC_NOERR &&
                   rl_nc_get_text(&file, provenance, RL_DIGEST_ATTRIBUTE, &have) == RL_OK &&
                   rl_results_digest(plan, journal, want) == RL_OK && strcmp(have, want) == 0;
    nc_close(file.id);
    rl_free(have);
    if (current) rl_remove_stale_temporaries(output);
    return current;
}

void rl_results_touch(const char *output) {
    if (utimensat(AT_FDCWD, output, NULL, 0) != 0)
        rl_warn("%s: its time stamp cannot be set: %s; make would start this again", output, strerror(errno));
}

/* ---- starting over ----------------------------------------------------------------------------------------------- */

/* A link stays, and leads to the new file later. */
static rl_status remove_results(const char *output) {
    char *target;
    RL_TRY(rl_follow_links(output, &target));
    const int error = unlink(target) == 0 ? 0 : errno;
    rl_free(target);
    if (error != 0) return rl_fail(RL_ERR_IO, "%s: cannot be removed: %s", output, strerror(error));
    rl_info("%s: discarded the results file", output);
    return RL_OK;
}

rl_status rl_results_discard(const char *output) {
    struct stat existing;
    rl_nc file;
    RL_TRY(check_writable(output));
    const bool exists = stat(output, &existing) == 0; /* what else is wrong, writing there will tell */
    const rl_status opened = exists ? rl_nc_open_ours(output, &file) : RL_OK;
    if (opened == RL_ERR_MEMORY) return opened;
    if (opened != RL_OK) return rl_fail(RL_ERR_INPUT, "%s; it is left alone: choose another -o", rl_error_message());
    if (exists) nc_close(file.id);
    RL_TRY(rl_journal_discard(output));
    return exists ? remove_results(output) : RL_OK;
}
