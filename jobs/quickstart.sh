#!/usr/bin/env bash
# From nothing to figures on a fresh Debian 12 or 13: installs the packages, builds, runs jobs/quickstart.yaml on the data that
# ship with the program, and draws the figures. Run again, it does only what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 # needed by root, harmless to others

cores=$(bash jobs/cores.sh) # Open MPI has room for one rank on each

bash jobs/install-packages.sh
echo "building in $PWD/build"
if [ ! -f build/build.ninja ]; then
  rm -rf build # one that was cut off
  meson setup build -Dtests=false >/dev/null
fi
ninja -C build >/dev/null || { ninja -C build; exit 1; } # once more, to show why
ridgeless=$PWD/build/src/cli/ridgeless

mkdir -p quickstart
echo "running jobs/quickstart.yaml"
sh build/mpiexec -n "$cores" "$ridgeless" run jobs/quickstart.yaml -o quickstart/quickstart.nc
echo "drawing the figures"
/usr/bin/python3 analysis/figures.py quickstart/quickstart.nc -o quickstart/figures >/dev/null
"$ridgeless" show quickstart/quickstart.nc > quickstart/summary.txt

cat <<END

The program       $ridgeless  (\`meson install -C build\` installs it)
The results       $PWD/quickstart/quickstart.nc
A summary         $PWD/quickstart/summary.txt
The report        $PWD/quickstart/figures/report.html (open it in a browser)
The figures       $PWD/quickstart/figures/
$(cd quickstart/figures && printf '                    %s\n' *.png)

A first study of your own: cp jobs/first-study.yaml my-study.yaml, edit it, then
  mpirun -n $cores $ridgeless run my-study.yaml
  /usr/bin/python3 analysis/figures.py my-study.nc
END
