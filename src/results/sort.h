/* Sorting the values of a set, or finding some places of their order. */
#ifndef RL_RESULTS_SORT_H
#define RL_RESULTS_SORT_H

/* values[n], whose least and largest are known, in ascending order: to sorted[n], without those that are NaN. There is
 * at least one other. `room` [n] is overwritten. Its time is that of n values, unless nearly all of them are a
 * millionth of the range apart. */
void rl_sort(const double *values, int n, double minimum, double maximum, double *sorted, double *room);

/* The same, but only for some places of the order: sorted[p] is right for each p of places[n_places], which are in
 * ascending order; what stands elsewhere is of no use. count: of values that are no NaN. Takes half the time where
 * there are many values and few places. */
void rl_sort_places(const double *values, int n, int count, double minimum, double maximum, const int *places,
                    int n_places, double *sorted, double *room);

#endif
