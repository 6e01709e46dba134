#!/usr/bin/env bash
# Installs the packages of Debian 12 or 13 that are not there yet: what building and running needs. Does nothing (and needs no
# rights) when all are there; otherwise runs as root or through sudo.
#   --tests   what the tests need, too
#   --mpich   MPICH in place of Open MPI
# The names are also those of Ubuntu 24.04, where nobody has tried them yet.
set -euo pipefail

# NAME|OTHER: the first that the release has; NAME?: left out where the release has it not.
packages=(gcc libc6-dev meson ninja-build pkg-config git ca-certificates curl unzip
  libopenblas-dev libnetcdf-dev libyaml-dev libjansson-dev libxxhash-dev librandom123-dev zlib1g-dev
  python3 python3-xarray python3-netcdf4 python3-matplotlib)
mpi=(openmpi-bin libopenmpi-dev libscalapack-openmpi-dev)
for option in "$@"; do
  case $option in
    --tests) packages+=(libcmocka-dev libgsl-dev netcdf-bin valgrind clang 'libclang-rt-dev|libclang-rt-14-dev' clang-format
      procps man-db 'chromium?' shellcheck lua5.3 python3-pandas python3-yaml python3-h5py slurm-wlm) ;; # Ubuntu's chromium is no package of its own
    --mpich) mpi=(mpich libmpich-dev libscalapack-mpich-dev) ;;
    *) echo "usage: jobs/install-packages.sh [--tests] [--mpich]" >&2 && exit 2 ;;
  esac
done
packages+=("${mpi[@]}")

is_installed() {
  dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

# missing: each of the packages of which none of its names is installed.
missing() {
  local package name
  for package in "${packages[@]}"; do
    for name in ${package//[|?]/ }; do is_installed "$name" && continue 2; done
    echo "$package"
  done
}

# in_the_release PACKAGE...: of each the name that this release has.
in_the_release() {
  local package name
  for package in "$@"; do
    for name in ${package//[|?]/ }; do
      if [ -n "$(apt-cache madison "$name" 2>/dev/null)" ]; then
        echo "$name"
        continue 2
      fi
    done
    [ "${package%\?}" != "$package" ] || echo "$name" # apt-get says best that there is none
  done
}

mapfile -t wanted < <(missing)
[ ${#wanted[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "install-packages: not root and no sudo; please install: ${wanted[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
log=$(mktemp)
policy=/usr/sbin/policy-rc.d # Debian's own way to say that no service is to be started
made_policy=''
clean() {
  rm -f -- "$log"
  [ -z "$made_policy" ] || "${as_root[@]}" rm -f -- "$policy"
}
trap clean EXIT
# The tests start a Slurm of their own: its services, and munge's, are not to run on this machine because of them. What is
# left of this should it be killed has no effect and removes itself.
if [[ " $* " == *" --tests "* ]] && [ ! -e "$policy" ]; then
  made_policy=yes
  "${as_root[@]}" install -m 755 /dev/stdin "$policy" <<POLICY
#!/bin/sh
kill -0 $$ 2>/dev/null && exit 101
rm -f -- "\$0"
POLICY
fi
fail() {
  tail -20 "$log" >&2
  echo "install-packages: apt-get could not $*" >&2
  exit 1
}
"${as_root[@]}" apt-get update >"$log" 2>&1 || fail "update its lists"
mapfile -t names < <(in_the_release "${wanted[@]}")
[ ${#names[@]} -gt 0 ] || exit 0
echo "installing: ${names[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${names[@]}" >"$log" 2>&1 ||
  fail "install: ${names[*]}"
