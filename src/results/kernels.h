/* What the kernel of random features makes of the inputs of a data set, for the theory of its errors. */
#ifndef RL_RESULTS_KERNELS_H
#define RL_RESULTS_KERNELS_H

#include "ridgeless/data.h"
#include "ridgeless/theory.h"

/* Whose inputs they are. */
typedef enum rl_kernel_law {
    RL_KERNEL_NONE,   /* nothing is known of this map or these inputs */
    RL_KERNEL_SPHERE, /* on a sphere, by Gegenbauer polynomials */
    RL_KERNEL_NORMAL, /* independent normal numbers of variance 1, by Hermite functions */
    RL_KERNEL_TABLE   /* rows of a table, by the matrix of the kernel */
} rl_kernel_law;

/* Of a view. */
rl_kernel_law rl_kernel_law_of(const rl_dataset *view);

/* Allocates and fills *kernel; to be destroyed, on failure too. Its n is 0 where the kernel has no formula for the
 * map's options, or LAPACK does not converge. Of a table with more than RL_KERNEL_ROWS rows so many are taken, evenly.
 */
enum { RL_KERNEL_ROWS = 2000 };
rl_status rl_kernel_create(rl_kernel_spectrum *kernel, const rl_dataset *view);
void rl_kernel_destroy(rl_kernel_spectrum *kernel);
size_t rl_kernel_bytes(const rl_dataset *view); /* that it takes while it runs */

#endif
