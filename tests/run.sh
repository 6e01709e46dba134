#!/usr/bin/env bash
# Builds and runs every test suite; the last line is `N passed, N failed, N skipped`. Installs what is missing.
#   tests/run.sh          everything
#   tests/run.sh --quick  without the sanitizer build and valgrind
# Tests that want a file that does not ship look in $RIDGELESS_DATA and at $RIDGELESS_REFERENCE, and are skipped by name.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
bash jobs/install-packages.sh --tests || exit 1
quick=${1:-}

# suite FOLDER [MESON-SETUP-OPTION...]: configures, builds and tests. What goes wrong without a test to blame is counted in broken.
broken=0
suite() {
  local folder=$1
  shift
  rm -f "$folder/meson-logs/testlog.junit.xml"
  if [ ! -f "$folder/build.ninja" ]; then
    rm -rf "$folder"
    meson setup "$folder" -Dwerror=true "$@" || { broken=$((broken + 1)); return; }
  fi
  ninja -C "$folder" >"$folder/ninja.log" 2>&1 || { cat "$folder/ninja.log"; broken=$((broken + 1)); return; }
  meson test -C "$folder" --no-rebuild --print-errorlogs ${multiplier:+--timeout-multiplier "$multiplier"}
  /usr/bin/python3 tests/count.py --check "$folder/meson-logs/testlog.junit.xml" $? || broken=$((broken + 1))
}

echo "== all suites"
suite build-tests
folders=(build-tests)
if [ "$quick" != --quick ]; then
  echo "== all suites under AddressSanitizer and UndefinedBehaviorSanitizer"
  multiplier=5 suite build-sanitize -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized
  folders+=(build-sanitize)
fi
/usr/bin/python3 tests/count.py "$broken" "${folders[@]/%//meson-logs/testlog.junit.xml}"
