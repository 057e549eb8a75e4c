#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A real Slurm on this machine, for tests: `slurm.sh start FOLDER` and `slurm.sh stop FOLDER`.
#
# Two nodes, c1 and c2, a controller and accounting, in a network namespace of their own: a job
# reaches the controller and nothing else, neither the internet nor a server of the submitting
# side. Files are shared. Needs root and Debian's packages, which `start` installs.
#
# Everything is kept in FOLDER, but for links in /etc/slurm, the namespace and its /etc/netns.
set -euo pipefail

action=$1
folder=$(realpath -m "$2")
run=$folder/run
namespace=brainmasks
login=127.200.7.1 node=127.200.7.2 network=127.200.7.0/30
packages="munge slurmctld slurmd slurm-client slurmdbd mariadb-server iproute2"
nodes="c1 c2"

is_running() { # FILE PROGRAM: the process named in a pid file really is that program
  [ -s "$1" ] && [ "$(cat "/proc/$(cat "$1")/comm" 2>/dev/null)" = "$2" ]
}

wait_for() { # SECONDS COMMAND...
  for _ in $(seq $(($1 * 10))); do
    "${@:2}" >/dev/null 2>&1 && return
    sleep 0.1
  done
  echo "waited $1 s in vain for: ${*:2}" >&2
  return 1
}

inside() { ip netns exec "$namespace" "$@"; }

not_here() { # REASON
  echo "$1" >&2
  exit 77
}

install_packages() {
  local missing="" package
  for package in $packages; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  # Installed, but not started: the daemons that a package would start are not the ones meant.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    # shellcheck disable=SC2064  # now: it is a variable of this function
    trap "rm -f $policy" EXIT
  fi
  apt-get update -qq || not_here "the list of packages cannot be had"
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing ||
    not_here "these packages cannot be installed:$missing"
}

write_configuration() {
  # CgroupPlugin: slurmd loads one whatever it tracks processes with; v1 starts where no cgroups are.
  echo "CgroupPlugin=cgroup/v1" >"$folder/cgroup.conf"
  cat >"$folder/slurmdbd.conf" <<CONF
DbdHost=$(hostname -s)
DbdAddr=$node
DbdPort=6819
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$run/munge.socket
PidFile=$run/slurmdbd.pid
LogFile=$run/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct_db
CONF
  chmod 600 "$folder/slurmdbd.conf"
  cat >"$folder/slurm.conf" <<CONF
ClusterName=brainmasks
SlurmctldHost=$(hostname -s)($node)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$run/munge.socket
SlurmctldPort=6817
SlurmctldPidFile=$run/slurmctld.pid
SlurmctldLogFile=$run/slurmctld.log
SlurmdPidFile=$run/slurmd.%n.pid
SlurmdLogFile=$run/slurmd.%n.log
SlurmdSpoolDir=$run/spool.%n
StateSaveLocation=$run/state
# Processes are tracked through /proc: neither cgroups nor systemd are needed.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=$node
AccountingStoragePort=6819
AccountingStoragePass=$run/munge.socket
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
# What no node can ever hold is refused at once, as most sites have it.
EnforcePartLimits=ALL
ReturnToService=2
# More CPUs and memory may be declared than the machine has.
SlurmdParameters=config_overrides
MinJobAge=300
KillWait=2
SlurmdTimeout=30
CONF
  local port=17101 name
  for name in $nodes; do
    echo "NodeName=$name NodeHostname=$name NodeAddr=$node Port=$port CPUs=4 RealMemory=8000"
    port=$((port + 1))
  done >>"$folder/slurm.conf"
  echo "PartitionName=main Nodes=${nodes// /,} Default=YES MaxTime=60 DefaultTime=10" \
    "DefMemPerCPU=500 State=UP" >>"$folder/slurm.conf"
  # SLURM_CONF would not do: the job step drops it before its inner srun.
  mkdir -p /etc/slurm
  local file
  for file in slurm cgroup slurmdbd; do ln -sfn "$folder/$file.conf" "/etc/slurm/$file.conf"; done
}

start_network() {
  ip netns add "$namespace"
  ip link add brainmasks-host type veth peer name brainmasks-node netns "$namespace"
  # Addresses inside 127.0.0.0/8, which no other network uses, and no default route.
  sysctl -qw net.ipv4.conf.brainmasks-host.route_localnet=1
  ip addr add "$login/30" dev brainmasks-host
  ip link set brainmasks-host up
  ip route replace unicast $network dev brainmasks-host src $login table local
  inside sh -c "
    sysctl -qw net.ipv4.conf.brainmasks-node.route_localnet=1
    ip link set lo up
    ip addr add $node/30 dev brainmasks-node
    ip link set brainmasks-node up
    ip route replace unicast $network dev brainmasks-node src $node table local"
  mkdir -p "/etc/netns/$namespace"
  printf '127.0.0.1 localhost\n%s %s %s\n' "$node" "$(hostname -s)" "$nodes" \
    >"/etc/netns/$namespace/hosts"
  : >"/etc/netns/$namespace/resolv.conf"
}

start_munge() {
  [ -s "$run/munge.key" ] || (umask 077 && head -c 128 /dev/urandom >"$run/munge.key")
  munged --force --key-file="$run/munge.key" --socket="$run/munge.socket" \
    --pid-file="$run/munged.pid" --log-file="$run/munged.log" --seed-file="$run/munged.seed"
}

start_accounting() {
  mkdir -p "$run/mysql"
  mariadb-install-db --no-defaults --user=root --datadir="$run/mysql" \
    --auth-root-authentication-method=socket --skip-test-db >"$run/mariadb-install.log" 2>&1
  setsid mariadbd --no-defaults --user=root --datadir="$run/mysql" \
    --socket="$run/mariadb.sock" --skip-networking --pid-file="$run/mariadb.pid" \
    --innodb-buffer-pool-size=64M --innodb-lock-wait-timeout=900 \
    --log-error="$run/mariadb.log" </dev/null >/dev/null 2>&1 &
  wait_for 60 mariadb-admin --no-defaults --socket="$run/mariadb.sock" ping
  mariadb --no-defaults --socket="$run/mariadb.sock" -e "create database slurm_acct_db"
  MYSQL_UNIX_PORT="$run/mariadb.sock" inside slurmdbd
  wait_for 60 sacctmgr -n list cluster
  sacctmgr -iQ add cluster brainmasks
}

are_idle() {
  [ "$(sinfo -h -N -t idle -o %N | sort -u | wc -l)" = "$(wc -w <<<"$nodes")" ]
}

start() {
  local theirs
  [ "$(uname)" = Linux ] || not_here "only on Linux"
  [ "$(id -u)" = 0 ] || not_here "only as root"
  command -v apt-get >/dev/null || not_here "only where there is apt-get"
  theirs=$(readlink -m /etc/slurm/slurm.conf)
  if [ -e /etc/slurm/slurm.conf ] && [ "$theirs" != "$folder/slurm.conf" ]; then
    not_here "this machine has a Slurm of its own: $theirs"
  fi
  install_packages
  mkdir -p "$run/state"
  chmod 755 "$folder" "$run"
  write_configuration
  start_network || not_here "no network namespace can be made"
  start_munge
  start_accounting
  inside slurmctld
  local name
  for name in $nodes; do
    # A UTS namespace each, so that `hostname` says which node it is.
    inside unshare --uts sh -c "hostname $name && exec slurmd -N $name"
  done
  wait_for 60 are_idle
}

stop_program() { # PROGRAM PIDFILE
  if is_running "$2" "$1"; then
    kill "$(cat "$2")"
    for _ in $(seq 100); do
      is_running "$2" "$1" || break
      sleep 0.1
    done
    is_running "$2" "$1" && kill -9 "$(cat "$2")"
  fi
  rm -f "$2"
}

stop() {
  set +e
  # What another one has started is not ours to end.
  [ "$(readlink /etc/slurm/slurm.conf)" = "$folder/slurm.conf" ] || return 0
  local ids pidfile program left file
  if is_running "$run/slurmctld.pid" slurmctld; then
    ids=$(squeue -h -o %A)
    # shellcheck disable=SC2086
    [ -n "$ids" ] && scancel $ids && sleep 1
  fi
  for pidfile in "$run"/slurmd.c?.pid; do stop_program slurmd "$pidfile"; done
  for program in slurmctld slurmdbd mariadbd munged; do
    pidfile=$run/$program.pid
    [ $program = mariadbd ] && pidfile=$run/mariadb.pid
    stop_program $program "$pidfile"
  done
  if ip netns list | grep -qw "$namespace"; then
    left=$(ip netns pids "$namespace")
    # shellcheck disable=SC2086
    [ -n "$left" ] && kill -9 $left
    ip netns del "$namespace"
    ip link del brainmasks-host 2>/dev/null
    rm -rf "/etc/netns/$namespace"
  fi
  for file in cgroup slurmdbd slurm; do rm "/etc/slurm/$file.conf"; done
}

"$action"
