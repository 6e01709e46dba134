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
figure -x schedule -y imbalance --by ranks --title 'Busiest rank over average rank' --y-label 'imbalance'
end
