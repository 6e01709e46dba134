/* blas: the name of the BLAS that the program is linked with; no standard covers it. */
#ifndef RL_BLAS_H
#define RL_BLAS_H

#include "ridgeless/core.h"

/* Local. Appends what the BLAS says of itself: build, kernel, threads. */
rl_status rl_blas_describe(rl_text *text);

#endif
