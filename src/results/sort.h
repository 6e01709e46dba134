/* Sorting the values of a set. */
#ifndef RL_RESULTS_SORT_H
#define RL_RESULTS_SORT_H

/* values[n], whose least and largest are known, in ascending order: to sorted[n], without those that are NaN. There is
 * at least one other. `room` [n] is overwritten. Its time is that of n values, unless nearly all of them are a
 * millionth of the range apart. */
void rl_sort(const double *values, int n, double minimum, double maximum, double *sorted, double *room);

#endif
