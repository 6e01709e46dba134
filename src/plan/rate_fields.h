/* Private to `plan`: the fields of rl_rates, one row each, for whatever goes through all of them. */
#ifndef RL_PLAN_RATE_FIELDS_H
#define RL_PLAN_RATE_FIELDS_H

#include "ridgeless/rates.h"

typedef enum rl_rate_kind { RL_RATE_IS_TEXT, RL_RATE_IS_COUNT, RL_RATE_IS_NUMBER, RL_RATE_IS_TABLE } rl_rate_kind;

typedef struct rl_rate_field {
    const char *key; /* in JSON */
    rl_rate_kind kind;
    size_t offset;       /* in rl_rates */
    const char *meaning; /* for people; so are the unit and what a number is multiplied by to be in it */
    double factor;
    const char *unit;
    double size_factor; /* of a table: the same of its sizes */
    const char *size_unit;
} rl_rate_field;

enum { RL_N_RATE_FIELDS = 17 };
extern const rl_rate_field rl_rate_fields[RL_N_RATE_FIELDS];

#endif
