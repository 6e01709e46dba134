#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "case_shape.h"

/* pdgemr2d of ScaLAPACK 2.2.1 counts the bytes of a rank's part in 32 bits; its work arrays' lengths are INTEGERs. */
static const int64_t most_moved = ((int64_t)1 << 28) - 1, most_work = INT32_MAX;

/* The first limit that a case is beyond on so many ranks; name NULL: none. */
typedef struct excess {
    const char *name;
    int64_t needed, limit;
} excess;

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* The longer side of the bordered matrix, and a block more. */
static excess check_indices(const rl_case_sizes *c) {
    const int64_t limit = INT32_MAX, longer = most(c->n_train, c->n_features);
    const int64_t parts[] = {longer, c->n_test, c->n_population, c->block, RL_CASE_TARGETS + 1};
    int64_t needed = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        needed = parts[i] > limit || needed > limit ? INT64_MAX : needed + parts[i];
    return (excess){needed > limit ? "32-bit indices" : NULL, needed, limit};
}

/* Everything that is on the grid as a matrix. */
static int64_t largest_part(const rl_case_sizes *c, const rl_case_shape *s) {
    int64_t part = rl_local_elements(s, s->rows + s->right, s->columns + s->left);
    part = most(part, rl_dealt_elements(s, s->z_rows, s->columns));
    if (s->wide) part = most(part, rl_local_elements(s, s->left, s->columns));
    if (c->way == RL_CASE_PDGESVD) part = most(part, rl_local_elements(s, s->columns, s->columns));
    return part;
}

static excess check(const rl_case_sizes *c, int64_t ranks) {
    excess e = check_indices(c);
    if (e.name != NULL) return e; /* and below, no product of two sizes overflows */
    const rl_case_shape s = rl_case_shape_of(c, ranks);
    const excess checks[] = {
        {"pdgemr2d", largest_part(c, &s), most_moved},
        {"LWORK of pdgesvd", c->way == RL_CASE_PDGESVD ? rl_pdgesvd_work_bound(&s) : 0, most_work},
        {"LWORK of pdgebrd", c->way == RL_CASE_PROJECTED ? rl_bidiagonal_work(&s) : 0, most_work},
        {"LWORK of pdlarfb", rl_panel_work(&s), most_work},
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (checks[i].needed > checks[i].limit) return checks[i];
    return (excess){0};
}

int rl_smallest_group(const rl_case_sizes *c, double bytes_per_rank, int max_ranks) {
    if (check_indices(c).name != NULL) return 0;
    for (int ranks = 1; ranks <= max_ranks; ranks++)
        if (check(c, ranks).name == NULL && rl_case_bytes(c, ranks) <= bytes_per_rank) return ranks;
    return 0;
}

rl_status rl_case_limits(const rl_case_sizes *c, int max_ranks) {
    const excess e = check(c, c->ranks);
    char way_out[100];
    if (e.name == NULL) return RL_OK;
    const int enough = rl_smallest_group(c, INFINITY, max_ranks);
    if (enough > 0)
        snprintf(way_out, sizeof way_out, "use at least %d ranks", enough);
    else
        snprintf(way_out, sizeof way_out, "no number of ranks up to %d will do", max_ranks);
    return rl_fail(RL_ERR_INPUT,
                   "N = %" PRId64 ", P = %" PRId64 " and %" PRId64
                   " test rows on %d rank(s) are beyond the limit of %s (%" PRId64 " needed, at most %" PRId64
                   " allowed); %s",
                   c->n_train, c->n_features, c->n_test, c->ranks, e.name, e.needed, e.limit, way_out);
}
