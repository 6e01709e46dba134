#!/usr/bin/env bash
# Lab 6: results on one rank against those on others, by other schedules, on process grids, by other kernels.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin "2 3" "$@"

# compare NAME OLD NEW: a row for what `ridgeless diff` says of two results files.
compare() {
  local status=0
  ridgeless diff --json "$2" "$3" >diff.json 2>/dev/null || status=$?
  [ "$status" -le 1 ] || fail "$2 and $3 cannot be compared"
  row "$1" "$([ "$status" = 0 ] && echo same || echo differ)" "$(/usr/bin/python3 -c 'import json
found = [one for one in json.load(open("diff.json"))["differences"] if not one["follows"] and one["values_of_one_file"] == 0]
units = [one["largest_in_units"]["size"] for one in found if one["unit"] == "eps x condition"]
sizes = [one["largest_relative"]["size"] for one in found]
print(f"{max(sizes, default=0):.2g},{max(units, default=0):.2g}")')"
}

columns comparison bits largest_relative in_eps_condition
ridgeless run bits.yaml -o one.nc -f -q >run.txt
ridgeless run grid.yaml -o grid-1.nc -f -q >run.txt
for ranks in $ranks_list; do
  on "$ranks" ridgeless run bits.yaml -o "ranks-$ranks.nc" -f -q >run.txt
  compare "$ranks ranks" one.nc "ranks-$ranks.nc"
  on "$ranks" ridgeless run bits.yaml -s cyclic -o cyclic.nc -f -q >run.txt
  compare "$ranks ranks cyclic" one.nc cyclic.nc
  on "$ranks" ridgeless run grid.yaml -o "grid-$ranks.nc" -f -q >run.txt
  compare "grid of $ranks" grid-1.nc "grid-$ranks.nc"
done
for dataset in few more; do
  ridgeless run bits.yaml -D "$dataset" -o "$dataset.nc" -f -q >run.txt
  OPENBLAS_CORETYPE=Haswell ridgeless run bits.yaml -D "$dataset" -o haswell.nc -f -q >run.txt
  compare "$dataset by Haswell kernels" "$dataset.nc" haswell.nc
done
figure -x comparison -y in_eps_condition --title 'Largest difference to one rank' --y-label 'difference in eps x condition'
end
