#!/usr/bin/env bash
# Lab 1: two programs on more and more ranks. The farm sleeps instead of computing, so that cores do not matter.
# shellcheck source=../lab-lib.sh
. "$(dirname -- "$0")/../lab-lib.sh"
begin "1 2 4 8 16" "$@"
columns study ranks compute total speedup ideal
for study in farm write; do
  files=()
  for ranks in $ranks_list; do
    case $study in
      farm) on "$ranks" ridgeless run farm.yaml --work sleep -q --json >"farm-$ranks.json" ;;
      write)
        ((ranks <= 4)) || continue
        on "$ranks" ridgeless run write.yaml -f -q --json >"write-$ranks.json"
        ;;
    esac
    files+=("$study-$ranks.json")
    total=$(number "$study-$ranks.json" seconds total)
    row "$study" "$ranks" "$(number "$study-$ranks.json" compute_seconds)" "$total" \
      "$(calculate "$(number "${files[0]}" seconds total) / $total")" "$ranks"
  done
done
amdahl farm-*.json write-*.json -o . >amdahl-files.txt
figure -x ranks -y speedup --by study --dashed ideal --log xy --title 'Speedup of the whole run'
end
