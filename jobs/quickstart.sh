#!/usr/bin/env bash
# From nothing to figures on a fresh Debian 12 or 13: installs the packages, builds, runs jobs/quickstart.yaml on the data that
# come with the program, and draws the figures. Run again, it does only what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 # needed by root, harmless to others

ridgeless=$PWD/build/src/cli/ridgeless

# step NUMBER WHAT HOW-LONG COMMAND: says what it does and how long that takes on a new machine, does it, and says how long it took.
step() {
  local start=$SECONDS
  printf '%d of 4  %s (%s)\n' "$1" "$2" "$3"
  "$4"
  printf '        done in %d s\n' $((SECONDS - start))
}

build() {
  if [ ! -f build/build.ninja ]; then
    rm -rf build # one that was cut off
    meson setup build -Dtests=false >/dev/null
  fi
  ninja -C build >/dev/null || { ninja -C build; exit 1; } # once more, to show why
}

install_packages() {
  bash jobs/install-packages.sh
}

compute() {
  mkdir -p quickstart
  sh build/mpiexec -n "$(bash jobs/cores.sh)" "$ridgeless" run jobs/quickstart.yaml -o quickstart/quickstart.nc
  "$ridgeless" show quickstart/quickstart.nc > quickstart/summary.txt
}

draw() {
  /usr/bin/python3 analysis/figures.py quickstart/quickstart.nc -o quickstart/figures >/dev/null
}

step 1 'installing the packages that are not there yet' 'one to two minutes' install_packages
step 2 "building the program in $PWD/build" 'about a minute' build
step 3 'running the study jobs/quickstart.yaml, one rank per core' 'a second' compute
step 4 'drawing the figures' 'half a minute' draw

as_root=''
[ "$(id -u)" -ne 0 ] || as_root=' OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1'
cat <<END

All is in $PWD/quickstart: the report figures/report.html for a browser, each figure as PNG and PDF in
figures/, all numbers in quickstart.nc, and the main ones in summary.txt.

Next, a study of your own:
  export PATH=$PWD/build/src/cli:\$PATH$as_root
  ridgeless init my-study && mpirun -n $(bash jobs/cores.sh) ridgeless run my-study.yaml
  ridgeless show my-study.nc; /usr/bin/python3 analysis/figures.py my-study.nc
END
