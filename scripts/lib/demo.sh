# The example of `scripts/run --demo`: one Swarm service and one plain container, both
# labelled. Sourced, never run.
# Uses: run_dir, engine_host, http_url, admin_port, swarmgate_bin, swarmgate_pid.
# shellcheck shell=bash

demo_label=swarmgate.demo=true
demo_image=swarmgate-demo:latest
demo_network=swarmgate-demo
demo_service=swarmgate-demo-hello
demo_container=swarmgate-demo-plain

docker_cli() { docker -H "$engine_host" "$@"; }

# Everything of the demo bears our label: nothing else is ever removed.
remove_demo() {
  local ids
  ids=$(docker_cli service ls -q --filter "label=$demo_label" 2>/dev/null || true)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker_cli service rm $ids >/dev/null 2>&1 || true
  wait_for 30 no_demo_tasks || true
  ids=$(docker_cli ps -aq --filter "label=$demo_label" 2>/dev/null || true)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker_cli rm -f $ids >/dev/null 2>&1 || true
  wait_for 30 demo_network_removed || true
  if grep -qxF "$engine_host" "$run_dir/made-swarm" 2>/dev/null; then
    # Somebody may have gone on to use the swarm that we made.
    if [ -z "$(docker_cli service ls -q 2>/dev/null)" ]; then
      docker_cli swarm leave --force >/dev/null 2>&1 || true
      if [ -e "$run_dir/made-gateway" ]; then
        docker_cli network rm docker_gwbridge >/dev/null 2>&1 || true
      fi
    else
      say "the swarm stays: it has services that are not ours"
    fi
    rm -f "$run_dir/made-swarm" "$run_dir/made-gateway"
  fi
  ids=$(docker_cli images -q --filter "label=$demo_label" 2>/dev/null | sort -u || true)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker_cli rmi -f $ids >/dev/null 2>&1 || true
}

no_demo_tasks() {
  [ -z "$(docker_cli ps -q --filter "label=com.docker.swarm.service.name=$demo_service")" ]
}

demo_network_removed() {
  local ids
  ids=$(docker_cli network ls -q --filter "label=$demo_label")
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker_cli network rm $ids
}

# A web server of 2 MB, made of this machine's busybox: no registry is asked.
make_image() {
  local root=$run_dir/image lib
  rm -rf "$root"
  mkdir -p "$root"/{bin,etc,tmp,www}
  cp "$(command -v busybox)" "$root/bin/busybox"
  # Debian's other busybox is linked against libraries.
  while read -r lib; do
    mkdir -p "$root$(dirname "$lib")"
    cp "$lib" "$root$lib"
  done < <(ldd "$root/bin/busybox" 2>/dev/null | grep -o '/[^ ]*' || true)
  local applet
  for applet in sh httpd hostname sleep mkdir; do ln -s busybox "$root/bin/$applet"; done
  cat >"$root/bin/serve" <<'SERVE'
#!/bin/sh
# serve PATH TEXT: answers PATH with one line; on TERM goes on for a moment, then ends.
mkdir -p "/www$(dirname "$1")" 2>/dev/null
echo "$2 from $(hostname)" >"/www$1"
httpd -f -p 8080 -h /www &
trap 'sleep 1; exit 0' TERM
while :; do wait; done
SERVE
  ln -s busybox "$root/bin/dirname"
  chmod 755 "$root/bin/serve"
  tar -C "$root" -c . | docker_cli import --change "LABEL $demo_label" - "$demo_image" >/dev/null
  rm -rf "$root"
}

ensure_swarm() {
  local state
  state=$(docker_cli info -f '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}')
  case $state in
    "active true") return 0 ;;
    active*) say "this node is a worker of a swarm: only the plain container is shown"; return 1 ;;
  esac
  local gateway
  gateway=$(docker_cli network ls -q --filter name=^docker_gwbridge$)
  if ! docker_cli swarm init --advertise-addr 127.0.0.1 \
    --listen-addr "127.0.0.1:$(free_port 2377 2378)" >/dev/null; then
    say "this engine cannot be a swarm: only the plain container is shown"
    return 1
  fi
  echo "$engine_host" >"$run_dir/made-swarm"
  if [ -z "$gateway" ]; then touch "$run_dir/made-gateway"; fi
}

start_demo() {
  say "making the image of a small web server"
  make_image
  with_swarm=
  if ensure_swarm; then
    with_swarm=1
    docker_cli network create -d overlay --attachable --label "$demo_label" "$demo_network" >/dev/null
    docker_cli service create --detach --quiet --name "$demo_service" --network "$demo_network" \
      --label "$demo_label" --replicas 2 \
      --label com.df.notify=true --label com.df.servicePath=/demo --label com.df.port=8080 \
      "$demo_image" serve /demo "hello" >/dev/null 2>&1
  fi
  docker_cli run --detach --name "$demo_container" --label "$demo_label" \
    --label com.df.notify=true --label com.df.servicePath=/plain --label com.df.port=8080 \
    "$demo_image" serve /plain "hello" >/dev/null
}

answers_or_died() { gone "$swarmgate_pid" || answers "$1"; }
answers() { curl -fsS --max-time 2 "$http_url$1"; }

show_request() {
  echo "    \$ curl $http_url$1"
  answers "$1" | sed 's/^/    /'
}

# Waits until both services answer through the proxy, shows it, says what to try next.
show_demo() {
  local path docker_words=docker address=
  if [ "$admin_port" != 8080 ]; then address=" --address http://127.0.0.1:$admin_port"; fi
  for path in ${with_swarm:+/demo} /plain; do
    if ! wait_for 60 answers_or_died "$path" || gone "$swarmgate_pid"; then
      say "$path does not answer through the proxy; the last lines of $run_dir/swarmgate.log:"
      tail -n 20 "$run_dir/swarmgate.log" >&2
      return 1
    fi
  done
  if [ "$engine_host" != unix:///var/run/docker.sock ]; then
    docker_words="docker -H $engine_host"
  fi
  echo
  if [ -n "$with_swarm" ]; then
    echo "A Swarm service with two tasks, by its labels (com.df.servicePath=/demo):"
    show_request /demo
    show_request /demo
    echo
  fi
  echo "A plain container, by the same labels (com.df.servicePath=/plain):"
  show_request /plain
  cat <<TEXT

Try next, in another terminal${sudo_hint:+ (with sudo)}:
    $swarmgate_bin services$address
    $swarmgate_bin why $http_url/plain$address
    curl http://127.0.0.1:$admin_port/v1/status
TEXT
  if [ -n "$with_swarm" ]; then
    cat <<TEXT
    $docker_words service scale $demo_service=4
    $docker_words service update --label-add com.df.servicePath=/other --args "serve /other changed" $demo_service
    $docker_words service create --name mine --network $demo_network \\
        -l com.df.notify=true -l com.df.servicePath=/mine -l com.df.port=8080 \\
        -l $demo_label $demo_image serve /mine mine
TEXT
  fi
  cat <<TEXT

The log: $run_dir/swarmgate.log
Ctrl-C ends it and takes away what it made.
TEXT
}
