/* What the sources of `results` share: how files are told apart, and the checked way to call NetCDF. */
#ifndef RL_RESULTS_INTERNAL_H
#define RL_RESULTS_INTERNAL_H

#include <sys/types.h>

#include "../netcdf_call.h"
#include "ridgeless/results.h"

/* ---- whose file is it ------------------------------------------------------------------------------------------- */

/* A digest of what a results file is made of, but for provenance: the study as it was read, the data sets that are
 * there, this program, and the journal's records. Two files with the same one are the same bit for bit. */
enum { RL_DIGEST_TEXT = 17 };
#define RL_DIGEST_ATTRIBUTE "digest"
rl_status rl_results_digest(const rl_plan *plan, const rl_journal *journal, char text[RL_DIGEST_TEXT]);

/* Opens to read a results file that is whole, by its seal: on other files the libraries may crash or hang.
 * RL_ERR_INPUT: it is not. */
rl_status rl_results_open_sealed(const char *path, rl_nc *file);

/* The same of the plan's study, whatever its N and repeats.
 * RL_ERR_INPUT: it is not. */
rl_status rl_results_open(const char *path, const rl_plan *plan, rl_nc *file);

/* How a group of an autoencoder is told from one of a data set: by its attribute `kind`. */
#define RL_AUTOENCODER_KIND "autoencoder"

/* ---- NetCDF ------------------------------------------------------------------------------------------------------ */

/* Bytes in memory of a value of the types we use: double, int, byte, string. */
size_t rl_nc_type_size(nc_type type);

/* Bytes of an attribute, at most: HDF5 has room for 64 KiB in the header of a file made in memory. */
#define RL_NC_ATTRIBUTE_LIMIT ((size_t)32768)

/* Opens a results file to read. RL_ERR_INPUT when `path` is missing, not a regular file, not NetCDF-4, or not written
 * by this program. The libraries may crash or hang on a damaged file: see rl_nc_check_seal. */
rl_status rl_nc_open_ours(const char *path, rl_nc *file);

/* HDF5 crashes or hangs on some damaged files, and reads wrong numbers from others. So a results file ends in a line
 * with the checksum (XXH3-64) of all bytes before it, its seal. It stands behind the end of the file that HDF5's own
 * header names, where readers do not look; a program that changes the file takes it off.
 *
 * Whether `path` ends in the seal of its bytes: then they are those that rl_nc_seal left. RL_ERR_INPUT when it is
 * missing, not a regular file or not NetCDF-4, and when there is a seal that does not hold. The library is not asked.
 */
rl_status rl_nc_check_seal(const char *path, bool *sealed);

/* A text attribute of any length; `variable` may be NC_GLOBAL. The text read is the caller's, on failure too. */
rl_status rl_nc_put_text(const rl_nc *file, int group, int variable, const char *name, const char *text);
rl_status rl_nc_get_text(const rl_nc *file, int group, const char *name, char **text);

/* ---- files that may be damaged --------------------------------------------------------------------------------- */

/* Calls read(path) in a child process, to see whether it comes back; what it returns is lost. RL_ERR_INPUT when the
 * child crashed or took too long. Not for a process that uses MPI. */
rl_status rl_trial(const char *path, rl_status (*read)(const char *path));

/* The seal of the first `length` bytes of an open file, which failures blame. */
enum { RL_NC_SEAL = 32 };
rl_status rl_nc_make_seal(const rl_nc *file, int fd, off_t length, char seal[RL_NC_SEAL + 1]);

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* As rl_results_write, with slabs (writer.h) of so many bytes; the largest that it takes. */
#define RL_RESULTS_SLAB ((size_t)50 << 20)
rl_status rl_results_write_by(const char *output, const rl_plan *plan, rl_journal *journal,
                              const rl_provenance *provenance, size_t slab_bytes, const rl_crew *crew,
                              rl_results_seconds *seconds);

/* A NetCDF-4 file on its way to the disk, in a temporary. HDF5 survives a call that failed only where
 * nothing more is asked of it: not to close the file, and nothing at the exit of the process. So a draft is finished,
 * or after any failure given up, and never touched again by the library. */
typedef struct rl_nc_draft {
    rl_nc file;
    const rl_temporary *temporary; /* borrowed */
} rl_nc_draft;

/* Begins it in a temporary that is empty. After a failure there is nothing to give up. */
rl_status rl_nc_create(const rl_temporary *temporary, rl_nc_draft *draft);

/* Takes room on the disk for `bytes` more, where the file system can: a full disk is found before HDF5 meets it. To be
 * called when all is defined. */
rl_status rl_nc_reserve(const rl_nc_draft *draft, size_t bytes);

/* Ends the draft, which then has *length bytes; and seals it, with its seal, or with one that is made here (NULL). It
 * is given up when that fails. */
rl_status rl_nc_close(const rl_nc_draft *draft, off_t *length);
rl_status rl_nc_seal(const rl_nc_draft *draft, off_t length, const char *seal);

/* After a failure of this status, which is returned; RL_ERR_IO says why, where the disk does not take any more. */
rl_status rl_nc_give_up(const rl_nc_draft *draft, rl_status status);

#endif
