/* Lanes: rows of a matrix that vector instructions work on together. Private to `distributed`. */
#ifndef RL_LANES_H
#define RL_LANES_H

enum { RL_LANES = 16 };

static inline int rl_whole_lanes(int rows) {
    return (rows + RL_LANES - 1) / RL_LANES * RL_LANES;
}

#endif
