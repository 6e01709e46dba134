#!/usr/bin/env bash
# Lab 12: pi by three ways to draw points on several ranks, and sums by five ways to add.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin "1 2 3 4" "$@"
columns ranks way pi exact different fingerprint error_bars_off
for ranks in $ranks_list; do
  on "$ranks" ridgeless bench random 100000 --json >"random-$ranks.json"
  for way in 0 1 2; do
    row "$ranks" "$(number "random-$ranks.json" ways "$way" way)" "$(number "random-$ranks.json" ways "$way" pi)" 3.14159265 \
      "$(number "random-$ranks.json" ways "$way" different_points)" \
      "$(number "random-$ranks.json" ways "$way" fingerprint)" \
      "$(number "random-$ranks.json" ways "$way" standard_errors_off)"
  done
  on "$ranks" ridgeless bench reduce 100000 -r 1 >"reduce-$ranks.txt"
done
figure -x ranks -y pi --by way --dashed exact --title 'Pi from 100,000 points' --y-label pi
end
