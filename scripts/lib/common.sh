# What the scripts share. Sourced, never run.
# shellcheck shell=bash

say() { echo "${script_name:-swarmgate}: $*" >&2; }
die() { say "$@"; exit 1; }

# port_taken PORT: does any process of this network namespace listen on it (TCP)?
port_taken() {
  local hex
  hex=$(printf '%04X' "$1")
  awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
                       END { exit !found }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# free_port PORT...: the first of these that nobody listens on, else the next above the last.
free_port() {
  local port
  for port in "$@"; do
    if ! port_taken "$port"; then echo "$port"; return; fi
  done
  while port_taken "$port"; do port=$((port + 1)); done
  echo "$port"
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails when the time is over.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# end_process PID SECONDS: TERM, and KILL when it has not ended by then.
end_process() {
  kill -TERM "$1" 2>/dev/null || return 0
  wait_for "$2" gone "$1" || kill -KILL "$1" 2>/dev/null || true
}

# sweep DIR: ends what a crashed run left that works under DIR (by the path in its command
# line, and only programs that we start), takes away mounts below DIR.
sweep() {
  local dir=$1 pid proc mount round
  case $dir in /*/*) ;; *) die "sweep: refusing '$dir'" ;; esac
  for round in 1 2 3; do
    local found=
    for proc in /proc/[0-9]*; do
      pid=${proc#/proc/}
      grep -qaF -- "$dir/" "$proc/cmdline" 2>/dev/null || continue
      case $(cat "$proc/comm" 2>/dev/null) in
        containerd-shim*)
          # The container first: a shim that is gone leaves it to run on.
          local child
          for child in $(cat "$proc/task/$pid/children" 2>/dev/null); do
            kill -KILL "$child" 2>/dev/null || true
          done ;;
        dockerd | containerd | runc | swarmgate | haproxy) ;;
        *) continue ;;
      esac
      found=1
      if [ "$round" -lt 3 ]; then
        kill -TERM "$pid" 2>/dev/null || true
      else
        kill -KILL "$pid" 2>/dev/null || true
      fi
    done
    [ -n "$found" ] || break
    sleep 1
  done
  while read -r mount; do
    umount -l "$mount" 2>/dev/null || true
  done < <(awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r)
}
