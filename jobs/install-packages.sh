#!/usr/bin/env bash
# Installs the Debian packages that are not there yet: what building and running needs, and with --tests what the tests need
# too. Does nothing (and needs no rights) when all are there; otherwise runs as root or through sudo.
set -euo pipefail

packages=(gcc libc6-dev meson ninja-build pkg-config git ca-certificates
  openmpi-bin libopenmpi-dev libscalapack-openmpi-dev libopenblas-dev libnetcdf-dev
  libyaml-dev libjansson-dev libxxhash-dev librandom123-dev libcsv-dev zlib1g-dev
  python3 python3-xarray python3-netcdf4 python3-matplotlib)
if [ "${1:-}" = --tests ]; then
  packages+=(libcmocka-dev libgsl-dev netcdf-bin valgrind clang libclang-rt-14-dev clang-format procps man-db chromium
    shellcheck slurm-wlm)
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "install-packages: not root and no sudo; please install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing: ${missing[*]}"
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
if [ "${1:-}" = --tests ] && [ ! -e "$policy" ]; then
  made_policy=yes
  "${as_root[@]}" install -m 755 /dev/stdin "$policy" <<POLICY
#!/bin/sh
kill -0 $$ 2>/dev/null && exit 101
rm -f -- "\$0"
POLICY
fi
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
       apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -20 "$log" >&2
  echo "install-packages: apt-get could not install: ${missing[*]}" >&2
  exit 1
fi
