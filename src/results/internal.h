/* What the sources of `results` share: the settings that tell studies apart, and the checked way to call NetCDF. */
#ifndef RL_RESULTS_INTERNAL_H
#define RL_RESULTS_INTERNAL_H

#include "../netcdf_call.h"
#include "ridgeless/results.h"

/* ---- whose file is it ------------------------------------------------------------------------------------------- */

/* Fails with RL_ERR_INPUT saying that `path` (a `what`: "journal", "results file") belongs to another study, and
 * showing the first line in which `have`, the settings in the file, differs from `want`, the study's. RL_OK when they
 * agree. */
rl_status rl_settings_compare(const char *path, const char *what, const char *have, const char *want);

/* Looks at the header alone of the journal beside `output`. *exists: there is one, and it is this study's. RL_ERR_INPUT
 * as rl_journal_open. */
rl_status rl_journal_check(const char *output, const rl_plan *plan, bool *exists);

/* A checksum, as text, of all that the data groups of a results file depend on: the journal's bytes, the study's text,
 * the data sets, the version. It stands in the file's provenance when no spectrum failed. */
#define RL_SOURCES_ATTRIBUTE "sources_checksum"
enum { RL_SOURCES_LENGTH = 17 };
rl_status rl_results_sources(const char *output, const rl_plan *plan, char text[RL_SOURCES_LENGTH]);

/* ---- NetCDF ------------------------------------------------------------------------------------------------------ */

/* Bytes in memory of a value of the types we use: double, int, byte, string. */
size_t rl_nc_type_size(nc_type type);

/* Bytes of an attribute, at most: HDF5 has room for 64 KiB in the header of a file made in memory. */
#define RL_NC_ATTRIBUTE_LIMIT ((size_t)32768)

/* Opens a results file to read. RL_ERR_INPUT when `path` is missing, not a regular file, not NetCDF-4, or not written
 * by this program. */
rl_status rl_nc_open_ours(const char *path, rl_nc *file);

/* A text attribute of any length; `variable` may be NC_GLOBAL. The text read is the caller's. */
rl_status rl_nc_put_text(const rl_nc *file, int group, int variable, const char *name, const char *text);
rl_status rl_nc_get_text(const rl_nc *file, int group, const char *name, char **text);

/* ---- replacing a file as a whole ----------------------------------------------------------------------------------
 */

/* output + ".tmp.<pid>", the caller's. */
rl_status rl_temporary_path(const char *output, char **path);

/* Begins a NetCDF-4 file that is to become `output`, in memory: HDF5 1.10 does not survive a full disk (the process
 * then crashes at its exit), so that no file is ever written by it. */
rl_status rl_nc_create(const char *output, rl_nc *file);

/* Ends it and writes it to `temporary`, durably; the file is closed in any case. RL_ERR_IO when that fails. */
rl_status rl_nc_finish(const rl_nc *file, const char *temporary);

/* Removes what killed processes left of output.tmp.<pid>. */
void rl_remove_stale_temporaries(const char *output);

/* Puts the finished file `temporary` in the place of `output` in one step. */
rl_status rl_replace_file(const char *temporary, const char *output);

/* Makes the entry of `path` in its folder durable. */
rl_status rl_sync_folder(const char *path);

#endif
