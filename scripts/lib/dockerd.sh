# A Docker engine of our own, for machines where none answers. Sourced, never run.
# Uses: run_dir. Sets: own_dockerd (pid), engine_host.
# shellcheck shell=bash

own_dockerd=
own_bridge=

# The machine's engine, if one answers: its DOCKER_HOST.
find_engine() {
  local host
  for host in "${DOCKER_HOST:-}" unix:///var/run/docker.sock; do
    [ -n "$host" ] || continue
    if timeout 5 docker -H "$host" version -f '{{.Server.Version}}' >/dev/null 2>&1; then
      engine_host=$host
      return 0
    fi
    if [ -n "${DOCKER_HOST:-}" ]; then
      die "DOCKER_HOST is $DOCKER_HOST, but no engine answers there"
    fi
  done
  return 1
}

# A private network for plain containers that no interface of this machine overlaps.
make_bridge() {
  local third
  for third in 77 78 79 80 81; do
    if ! ip -o -4 addr show | grep -q " 172\.29\.$third\."; then break; fi
  done
  ip link add "$own_bridge" type bridge
  ip addr add "172.29.$third.1/24" dev "$own_bridge"
  ip link set "$own_bridge" up
}

start_dockerd() {
  command -v dockerd >/dev/null || die "there is no dockerd on this machine"
  mkdir -p "$run_dir/engine/data"
  remember_network
  make_bridge
  # A session of its own: Ctrl-C is for this script, which ends the engine last.
  setsid dockerd --data-root "$run_dir/engine/data" --exec-root "$run_dir/engine/exec" \
    --pidfile "$run_dir/engine/dockerd.pid" --bridge "$own_bridge" \
    -H "unix://$run_dir/engine/docker.sock" >"$run_dir/dockerd.log" 2>&1 </dev/null 9>&- &
  own_dockerd=$!
  engine_host=unix://$run_dir/engine/docker.sock
  if ! wait_for 60 dockerd_answers_or_died; then
    die "our own dockerd does not answer; see $run_dir/dockerd.log"
  fi
  if gone "$own_dockerd"; then
    tail -n 5 "$run_dir/dockerd.log" >&2
    own_dockerd=
    die "dockerd cannot run here; start a Docker engine and try again"
  fi
}

dockerd_answers_or_died() {
  gone "$own_dockerd" || timeout 5 docker -H "$engine_host" version
}

# What the engine will change outside its folders, so that it can be put back: dockerd
# switches forwarding on, makes chains and, where it switched forwarding on, drops all
# else that is forwarded; that it leaves alone when forwarding is on already.
remember_network() {
  local before=$run_dir/engine/before
  [ ! -e "$before" ] || return 0
  {
    echo "forward $(cat /proc/sys/net/ipv4/ip_forward)"
    if iptables -w -S DOCKER >/dev/null 2>&1; then echo "chains others"; else echo "chains ours"; fi
    if ip link show docker_gwbridge >/dev/null 2>&1; then echo "gwbridge others"; else echo "gwbridge ours"; fi
    if [ -e /etc/docker/key.json ]; then echo "key others"; else echo "key ours"; fi
    local folder
    for folder in "${engine_folders[@]}"; do
      if [ ! -e "$folder" ]; then echo "folder $folder"; fi
    done
  } >"$before"
  echo 1 >/proc/sys/net/ipv4/ip_forward
}

# What dockerd and its shims make whatever folders they are given (no option moves them), each
# before what stands around it.
engine_folders=(/var/lib/docker/network/files /var/lib/docker/network /var/lib/docker
  /run/docker/plugins /run/docker /run/containerd/s /run/containerd)

# Folders of our engine's networks, by their ids: as it said before it ended, or as its store
# has them when it did not end by itself. Of what stands around them
# that which was not there before, and only while it is empty: another engine may have begun
# to use it.
forget_folders() {
  local folder known=("$run_dir/engine/networks" "$run_dir/engine/data/network/files/local-kv.db")
  for folder in "${engine_folders[0]}"/lb_*; do
    if grep -qaF -- "${folder##*/lb_}" "${known[@]}" 2>/dev/null; then rm -rf "$folder"; fi
  done
  for folder in "${engine_folders[@]}"; do
    was "folder $folder" || continue
    rmdir "$folder" 2>/dev/null || true
  done
}

was() { grep -qx "$1" "$run_dir/engine/before" 2>/dev/null; }

# Takes rules that bear our bridges' names out of one table, and the chains if we made them.
forget_rules() {
  local table=$1 pattern=" $own_bridge( |\$)" script
  if was "gwbridge ours"; then pattern+="| docker_gwbridge( |\$)"; fi
  if was "chains ours"; then pattern+="|-j DOCKER|^-A DOCKER"; fi
  script=$(
    echo "*$table"
    iptables -w -t "$table" -S | grep -E '^-A' | grep -E -- "$pattern" | sed 's/^-A/-D/'
    if was "chains ours"; then
      iptables -w -t "$table" -S | awk '$1 == "-N" && $2 ~ /^DOCKER/ { print "-X", $2 }'
    fi
    echo COMMIT
  )
  iptables-restore -w --noflush <<<"$script" || say "rules of table $table were not taken back"
}

stop_dockerd() {
  [ -n "$own_dockerd" ] || return 0
  timeout 5 docker -H "$engine_host" network ls -q --no-trunc >"$run_dir/engine/networks" 2>/dev/null || true
  end_process "$own_dockerd" 30
  own_dockerd=
  clear_dockerd
}

# Also after a crash: everything that an engine of ours leaves outside its folders.
clear_dockerd() {
  # One name per folder: runs side by side do not take each other's.
  own_bridge=swgate$(cksum <<<"$run_dir" | cut -c1-6)
  [ -d "$run_dir/engine" ] || return 0
  sweep "$run_dir/engine"
  if [ -e "$run_dir/engine/before" ]; then
    forget_rules filter
    forget_rules nat
    ip link del "$own_bridge" 2>/dev/null || true
    if was "gwbridge ours"; then ip link del docker_gwbridge 2>/dev/null || true; fi
    if was "key ours"; then
      rm -f /etc/docker/key.json
      rmdir /etc/docker 2>/dev/null || true
    fi
    forget_folders
    if was "forward 0"; then echo 0 >/proc/sys/net/ipv4/ip_forward; fi
  fi
  rm -rf "$run_dir/engine/"{exec,docker.sock,dockerd.pid,before,networks}
}
