#!/usr/bin/env bash
# A Slurm of one node on this machine, for lab 7: no root, no munge, no systemd. Debian's package slurm-wlm has all it needs.
#   slurm-on-a-laptop.sh start FOLDER    starts it; `. FOLDER/slurm.env` then tells a terminal of it
#   slurm-on-a-laptop.sh stop FOLDER     ends it, with its jobs
# Whoever starts it is its only user: it trusts everybody who can reach its port on 127.0.0.1, so leave it on a machine of
# your own. It has no control groups (jobs are not held to their memory) and no accounting (sacct is empty).
set -euo pipefail

fail() {
  echo "slurm-on-a-laptop.sh: $*" >&2
  exit 2
}

# free_ports N: that many which nobody listens on.
free_ports() {
  /usr/bin/python3 -c 'import socket, sys
there = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in there:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in there))' "$1"
}

configure() {
  local cores control node
  cores=$(env -u OMP_NUM_THREADS nproc)
  read -r control node < <(free_ports 2)
  mkdir -p "$dir"/{state,spool,log,tmp}
  cat >"$dir/slurm.conf" <<CONF
ClusterName=laptop
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/none
CredType=cred/none
# A job that was put back into the queue may start again at once, not after two minutes.
AuthInfo=cred_expire=5
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=3,bf_interval=3
MpiDefault=pmix
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobRequeue=1
ReturnToService=2
KillWait=10
# Numbers of jobs name shared memory: two clusters on a machine must not have the same ones.
FirstJobId=$((100 * control))
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
SlurmdParameters=config_overrides
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
TmpFS=$dir/tmp
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
SlurmctldPort=$control
NodeName=laptop NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$node CPUs=$cores Boards=1 SocketsPerBoard=1 CoresPerSocket=$cores ThreadsPerCore=1 RealMemory=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo) State=UNKNOWN
PartitionName=lab Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  printf 'export SLURM_CONF=%q\n' "$dir/slurm.conf" >"$dir/slurm.env"
}

is_up() {
  [ "$(sinfo -h -o %T 2>/dev/null)" = idle ]
}

start() {
  local command
  for command in slurmctld slurmd sinfo srun sbatch; do
    command -v "$command" >/dev/null || fail "no $command: install Debian's package slurm-wlm"
  done
  ! is_running slurmctld || fail "it runs already; \`stop\` ends it"
  configure
  slurmctld -c -i
  slurmd -N laptop
  for _ in $(seq 240); do
    if is_up; then
      echo "Slurm is up. In each terminal: . $dir/slurm.env"
      return
    fi
    sleep 0.25
  done
  stop
  fail "the node did not come up within a minute; see $dir/log"
}

stop() {
  local daemon job pid
  if is_running slurmctld; then
    for job in $(timeout 10 squeue -h -o %A 2>/dev/null); do scancel "$job" || true; done
    for _ in $(seq 120); do
      [ -n "$(timeout 10 squeue -h 2>/dev/null)" ] || break
      sleep 0.25
    done
  fi
  for daemon in slurmd slurmctld; do
    is_running "$daemon" || continue
    pid=$(cat "$dir/$daemon.pid") # the file goes before the process does
    kill "$pid"
    for _ in $(seq 80); do
      [ -d "/proc/$pid" ] || break
      sleep 0.25
    done
  done
}

# is_running DAEMON: by the number that it has left, and its name.
is_running() {
  [ -f "$dir/$1.pid" ] && [ "$(cat "/proc/$(cat "$dir/$1.pid")/comm" 2>/dev/null)" = "$1" ]
}

[ $# = 2 ] || fail 'usage: slurm-on-a-laptop.sh start|stop FOLDER'
mkdir -p -- "$2"
dir=$(cd -- "$2" && pwd)
export SLURM_CONF=$dir/slurm.conf PATH=$PATH:/usr/sbin:/sbin
case $1 in
  start) start ;;
  stop) stop ;;
  *) fail "got \`$1\`, expected start or stop" ;;
esac
