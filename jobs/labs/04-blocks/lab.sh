#!/usr/bin/env bash
# Lab 4: one spectrum with small and large blocks, on process grids of several shapes.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin "1 2" "$@"
size=$(of 240 400)
columns grid block seconds last_half
for ranks in $ranks_list; do
  for grid in $(printf '%s\n' "1x$ranks" "${ranks}x1" | sort -u); do
    for block in 1 8 32 $(of '' 100) $((size / 2)); do
      on "$ranks" ridgeless bench spectrum "$size" -p two-stage -b "$block" -g "$grid" -t 20 -r 3 --json >run.json
      # the smallest of the rounds
      seconds=$(/usr/bin/python3 -c 'import json
print(min(json.load(open("run.json"))["producers"][0]["rounds"]))')
      ridgeless bench layout "$size" -b "$block" -g "$grid" >layout.txt
      row "$grid" "$block" "$(calculate "$seconds")" "$(sed -n 's/^load imbalance: .* \([0-9.]*\) of the last half.*/\1/p' layout.txt)"
    done
  done
done
figure -x block -y seconds --by grid --log xy --title "One spectrum of $size x $size" \
  --x-label 'NB, rows and columns of a block' --y-label seconds
end
