#!/usr/bin/env bash
# Builds and runs the tests; the last line is `N passed, N failed, N skipped`. Installs what is missing.
#   tests/run.sh         every suite, in minutes
#   tests/run.sh --all   everything: long tests, large samples, and small ones of nearly all suites under sanitizers
# Tests that want a file that does not ship look in $RIDGELESS_DATA and at $RIDGELESS_REFERENCE, and are skipped by name.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
case ${1:-} in
  '') tier=short ;;
  --all) tier=all ;;
  *) echo "usage: tests/run.sh [--all]" >&2 && exit 2 ;;
esac
bash jobs/install-packages.sh --tests || exit 1

# build FOLDER TARGET [MESON-SETUP-OPTION...]. What goes wrong without a test to blame is counted in broken.
broken=0
build() {
  local folder=$1 target=$2
  shift 2
  rm -f "$folder"/meson-logs/*.junit.xml
  if [ ! -f "$folder/build.ninja" ]; then
    rm -rf "$folder"
    meson setup "$folder" -Dwerror=true "$@" || return 1
  fi
  ninja -C "$folder" "$target" >"$folder/ninja.log" 2>&1 || { cat "$folder/ninja.log"; return 1; }
}

# run FOLDER TIER [MESON-TEST-OPTION...]: one more at a time than there are cores, for starts of ranks and jobs are waited for.
logs=() at_once=$(($(nproc) + 1))
run() {
  local log=$1/meson-logs/testlog-$2.junit.xml folder=$1 setup=$2
  shift 2
  meson test -C "$folder" --no-rebuild --print-errorlogs --num-processes "$at_once" --setup "$setup" "$@"
  /usr/bin/python3 tests/count.py --check "$log" $? || broken=$((broken + 1))
  logs+=("$log")
}

some=(--no-suite oracle --no-suite style) target=all # numbers and texts are the same in each build
[ "$tier" = all ] || some=(--suite unit) target=unit_tests
said=$(mktemp)
trap 'rm -f "$said"' EXIT

echo "== all suites, and the build with sanitizers where they leave a core idle"
build build-tests all
built=$?
(
  renice -n 10 "$BASHPID"
  build build-sanitize "$target" -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized -Dc_args=-g1
) >"$said" 2>&1 &
if [ "$built" -eq 0 ]; then run build-tests "$tier"; else broken=$((broken + 1)); fi
echo "== under AddressSanitizer and UndefinedBehaviorSanitizer"
wait $!
built=$?
cat "$said"
if [ "$built" -eq 0 ]; then run build-sanitize short --timeout-multiplier 5 "${some[@]}"; else broken=$((broken + 1)); fi
/usr/bin/python3 tests/count.py "$broken" "${logs[@]}"
