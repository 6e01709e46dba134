/* Private: nothing in include/ shows it. */
#ifndef RL_INTEGERS_H
#define RL_INTEGERS_H

static inline int rl_smaller(int a, int b) {
    return a < b ? a : b;
}

static inline int rl_larger(int a, int b) {
    return a > b ? a : b;
}

#endif
