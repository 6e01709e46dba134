/* Private to `data`: what sources share. */
#ifndef RL_DATA_SOURCE_H
#define RL_DATA_SOURCE_H

#include "../../option_specs.h"
#include "ridgeless/data.h"

extern const rl_source rl_source_student_teacher, rl_source_gaussian, rl_source_california, rl_source_diabetes,
    rl_source_who, rl_source_who_fixed, rl_source_csv, rl_source_netcdf, rl_source_function, rl_source_sphere;

/* Sets *path, owned by the caller, to that of one of a source's files. RL_ERR_INPUT, with a message that says where it
 * was looked for and how to get it, when it is not there. */
rl_status rl_source_locate(const rl_source *source, const rl_source_request *request, const char *file, char **path);

/* Sets *path, owned by the caller, to that of the file that the key `file` names: beside the study file or else in a
 * data folder. RL_ERR_INPUT when it is in neither. */
rl_status rl_source_locate_named(const rl_source_request *request, char **path);

/* Sets the dataset's origin to a text on its normal numbers: whether rows are fresh or a pool, and who drew them. */
rl_status rl_source_describe_draws(const rl_source_request *request, rl_dataset *dataset);

/* RL_ERR_INPUT with a message about the value of a key of the study file. */
rl_status rl_source_key_fail(const rl_source_request *request, const char *key, const char *format, ...) RL_PRINTF(3);

#endif
