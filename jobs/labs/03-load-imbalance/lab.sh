#!/usr/bin/env bash
# Lab 3: the same farm of curves, shared by three schedules, on each number of ranks.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin 2 "$@"
columns ranks schedule imbalance seconds balanced
for ranks in $ranks_list; do
  for schedule in static cyclic dynamic; do
    on "$ranks" ridgeless run farm.yaml -s "$schedule" -o "$schedule-$ranks.nc" -f -q --json >run.json
    imbalance=$(number run.json imbalance)
    seconds=$(number run.json seconds compute max)
    row "$ranks" "$schedule" "$imbalance" "$seconds" "$(calculate "$seconds / $imbalance")"
  done
done
timeline static-*.nc cyclic-*.nc dynamic-*.nc -o . >/dev/null
mv timeline.png figure.png
end
