#!/usr/bin/env bash
# Runs the two commands of README.md as a newcomer would, in a bare system of each Debian release, and says what failed.
set -uo pipefail
top=$(cd -- "$(dirname -- "$0")/.." && pwd)

usage() {
  cat <<'TEXT'
usage: tests/releases.sh [-a root|sudo|both] [-d DIR] [-m MIRROR] [-t "TEST OPTIONS"] [RELEASE...]

Makes a system of each RELEASE (default: bookworm trixie) by debootstrap, clones the last commit there, and runs
jobs/quickstart.sh and tests/run.sh. Nothing of this machine but its network and /dev is seen there. Needs root, git,
debootstrap and some 6 GB of disk for each release.

  -a USER     who runs them: root, a user with sudo, or both one after the other, each in a clone of its own (default: sudo)
  -d DIR      where the systems and the logs go; a system that is there is used again (default: a folder that is removed)
  -m MIRROR   where packages come from (default: this machine's first mirror)
  -t OPTIONS  for tests/run.sh, such as --all
TEXT
}

fail() {
  echo "releases.sh: $*" >&2
  exit 2
}

# This machine's own mirror of Debian's main packages.
# shellcheck disable=SC2016 # apt-get expands them
mirror_of_this_machine() {
  apt-get indextargets --format '$(SITE) $(COMPONENT)' 'Created-By: Packages' | awk '$2 == "main" { print $1; exit }'
}

# bare_system RELEASE: in $folder/RELEASE, with sudo and a user who may use it.
bare_system() {
  local system=$folder/$1
  [ ! -e "$system/ready" ] || return 0
  rm -rf -- "$system"
  debootstrap --variant=minbase --include=sudo,ca-certificates "$1" "$system" "$mirror" || return 1
  chroot "$system" useradd --create-home --shell /bin/bash newcomer || return 1
  echo 'newcomer ALL=(ALL) NOPASSWD: ALL' >"$system/etc/sudoers.d/newcomer"
  touch "$system/ready"
}

# within SYSTEM USER COMMAND...: in namespaces of its own, so that nothing stays mounted or running.
within() {
  local system=$1 user=$2
  shift 2
  # shellcheck disable=SC2016 # expands inside
  unshare --mount --propagation private --pid --fork --kill-child bash -c '
    system=$1 user=$2
    shift 2
    mount -t proc proc "$system/proc" && mount --rbind /sys "$system/sys" && mount --rbind /dev "$system/dev" &&
      mount -t tmpfs tmpfs "$system/dev/shm" && cp /etc/resolv.conf /etc/hosts "$system/etc/" || exit 1
    home=/home/newcomer
    [ "$user" = newcomer ] || home=/root
    variables=("HOME=$home" "USER=$user" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8)
    for name in OPENBLAS_CORETYPE OPENBLAS_L2_SIZE; do # what this processor needs
      [ -z "${!name:-}" ] || variables+=("$name=${!name}")
    done
    exec chroot --userspec="$user:$user" "$system" env -i "${variables[@]}" bash -c "cd && $*"' \
    within "$system" "$user" "$@" </dev/null
}

minutes() {
  echo "$((($(date +%s) - $1) / 60)) min $((($(date +%s) - $1) % 60)) s"
}

# command_of_readme RELEASE USER NAME COMMAND: runs it in the clone, and says how it ended.
failures=0
command_of_readme() {
  local release=$1 user=$2 log=$folder/$1-$2-$3.log began
  shift 3
  began=$(date +%s)
  if within "$folder/$release" "$user" "cd ridgeless && $*" >"$log" 2>&1; then
    echo "$release, $user: $*: ended well in $(minutes "$began"): $(tail -n 1 "$log")"
    return 0
  fi
  failures=$((failures + 1))
  echo "$release, $user: $*: FAILED after $(minutes "$began"); the end of $log:"
  grep -E '^[^#]*(FAIL|ERROR|TIMEOUT)|^not ok' "$log" | sort -u | head -40
  tail -n 15 "$log"
}

try_release() {
  local release=$1 user
  if ! bare_system "$release" >"$folder/$release.log" 2>&1; then
    failures=$((failures + 1))
    echo "$release: no system could be made; the end of $folder/$release.log:"
    tail -n 5 "$folder/$release.log"
    return
  fi
  for user in $users; do
    local home=$folder/$release/home/newcomer
    [ "$user" = newcomer ] || home=$folder/$release/root
    rm -rf -- "$home/ridgeless"
    git clone --quiet --no-hardlinks "$top" "$home/ridgeless" || fail "the project cannot be cloned"
    chroot "$folder/$release" chown -R "$user:$user" "${home#"$folder/$release"}/ridgeless"
    command_of_readme "$release" "$user" quickstart jobs/quickstart.sh
    command_of_readme "$release" "$user" tests "tests/run.sh${test_options:+ $test_options}"
  done
}

users=newcomer folder='' mirror='' test_options=''
while getopts 'a:d:m:t:h' option; do
  case $option in
    a) case $OPTARG in
         root) users=root ;;
         sudo) users=newcomer ;;
         both) users='newcomer root' ;;
         *) fail "-a $OPTARG: expected root, sudo or both" ;;
       esac ;;
    d) folder=$OPTARG ;;
    m) mirror=$OPTARG ;;
    t) test_options=$OPTARG ;;
    h) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done
shift $((OPTIND - 1))
[ "$(id -u)" -eq 0 ] || fail "needs root, to make the systems"
for program in git debootstrap chroot unshare; do
  command -v "$program" >/dev/null || fail "$program is not installed"
done
mirror=${mirror:-$(mirror_of_this_machine)}
if [ -z "$folder" ]; then
  folder=$(mktemp -d -p /var/tmp)
  trap 'rm -rf --one-file-system -- "$folder"' EXIT
fi
mkdir -p -- "$folder"
[ -z "$(git -C "$top" status --porcelain)" ] || echo "releases.sh: what is not committed is not tried" >&2
[ $# -gt 0 ] || set -- bookworm trixie
for release in "$@"; do try_release "$release"; done
[ "$failures" -eq 0 ]
