/* Private to `task`: what the contents of records of curves and summaries begin with. */
#ifndef RL_TASK_CONTENT_H
#define RL_TASK_CONTENT_H

#include "ridgeless/task.h"

/* What the curves hold: a record says by itself what is in it, whatever the study asks for when it is read. */
typedef struct rl_content_head {
    int32_t n_variants, n_modes; /* n_modes: kept of each N; 0: none */
    uint32_t parts;              /* of what not all have, or-ed */
    int32_t n_points;            /* predictions kept of each N and variant; 0: none */
} rl_content_head;

rl_content_head rl_content_head_of(const rl_curve_layout *layout);

/* The head of a record, as the layout of one N. *sound: it is one that this kind may have written for the series,
 * however many modes there was room for, and so are its N. */
rl_curve_layout rl_content_head_read(const rl_series *series, const rl_record *record, bool *sound);

/* What the series asks for of a record with this layout, of as many N and with as many modes. */
rl_curve_layout rl_content_own(const rl_series *series, const rl_curve_layout *held);

#endif
