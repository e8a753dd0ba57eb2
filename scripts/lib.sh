# What the scripts share: the tools and where they are kept, and a Worker that runs here.
# It is sourced and does nothing by itself; the scripts themselves set -euo pipefail.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Outside the clone, so that the next clone finds everything built.
cache=${EDGEDRIVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edgedrive}
system_path=$PATH

# The version of wasm-bindgen is the one in Cargo.lock, those of the npm packages are in package.json.
worker_build_version=0.8.7

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
# Our npm packages go first: wrangler wants a newer Node than a machine may have.
export PATH=$root/node_modules/.bin:$PATH
# wrangler asks nobody for anything while it runs here.
export WRANGLER_SEND_METRICS=false WRANGLER_SEND_ERROR_REPORTS=false WRANGLER_HIDE_BANNER=true
export CLOUDFLARE_CF_FETCH_ENABLED=false

say() {
  printf '== %s\n' "$*" >&2
}

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# need PROGRAM…: fails if one is missing.
need() {
  local program
  for program; do
    command -v "$program" >/dev/null || fail "$program is needed and not installed"
  done
}

# --- tools ---

# The version of a crate in Cargo.lock.
locked_version() {
  local version
  version=$(sed -n "/^name = \"$1\"\$/{n;s/^version = \"\\(.*\\)\"\$/\\1/p}" "$root/Cargo.lock")
  [ -n "$version" ] || fail "Cargo.lock has no $1"
  printf '%s\n' "$version"
}

# cargo_tool PROGRAM VERSION [CRATE]: prints the path of a program that cargo installs, once, into the cache.
cargo_tool() {
  local folder=$cache/tools/$1-$2
  if [ ! -x "$folder/bin/$1" ]; then
    say "installing $1 $2 (takes minutes, once a machine)"
    env -u CARGO_TARGET_DIR cargo install --quiet --locked --root "$folder" --version "$2" "${3:-$1}" >&2 ||
      fail "cargo could not install ${3:-$1} $2"
  fi
  printf '%s\n' "$folder/bin/$1"
}

need_rust() {
  command -v cargo >/dev/null || fail "Rust is needed: install it with rustup, then run this again"
}

need_wasm_target() {
  local target=wasm32-unknown-unknown
  [ -d "$(rustc --print target-libdir --target $target)" ] && return
  command -v rustup >/dev/null || fail "the Rust target $target is missing, and there is no rustup to add it"
  say "adding the Rust target $target"
  rustup target add $target >&2 || fail "rustup could not add the target $target"
}

# Installs the npm packages of package-lock.json unless they are there.
need_node_modules() {
  local lock=$root/package-lock.json installed=$root/node_modules/.installed-lock.json
  cmp -s "$lock" "$installed" && return
  need node npm
  say "installing the npm packages"
  # With the system's Node: ours is among the packages that are being replaced.
  (cd "$root" && PATH=$system_path npm ci --loglevel=error >&2) || fail "npm ci failed"
  cp "$lock" "$installed"
}

# Sets venv to a Python environment with the packages of tests/requirements.txt.
need_test_venv() {
  local wanted=$root/tests/requirements.txt
  venv=$cache/venv-$(sha256sum "$wanted" | cut -c1-12)
  [ -f "$venv/.complete" ] && return
  need python3
  say "installing the Python packages of the tests"
  python3 -m venv --clear "$venv" >&2 || fail "python3 could not make a virtual environment (Debian: python3-venv)"
  "$venv/bin/pip" install --quiet --requirement "$wanted" >&2 || fail "pip could not install the packages of the tests"
  touch "$venv/.complete"
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# All that it takes to build and run the Worker.
need_cloudflare_tools() {
  need curl python3 setsid flock
  need_rust
  need_wasm_target
  need_node_modules
}

# --- secrets ---

# random_bytes COUNT: base64, on one line.
random_bytes() {
  head -c "$1" /dev/urandom | base64 | tr -d '\n'
}

# need_secrets FILE: adds the secrets that FILE does not have.
need_secrets() {
  local file=$1
  (
    umask 077
    touch "$file"
    if ! grep -q '^ENCRYPTION_KEYS=' "$file"; then
      say "making ENCRYPTION_KEYS in $(basename "$file")"
      printf 'ENCRYPTION_KEYS="k1:%s"\n' "$(random_bytes 32)" >>"$file"
    fi
    if ! grep -q '^ADMIN_TOKEN=' "$file"; then
      say "making ADMIN_TOKEN in $(basename "$file")"
      printf 'ADMIN_TOKEN="%s"\n' "$(random_bytes 33 | tr '+/' '-_')" >>"$file"
    fi
  )
}

# --- a Worker that runs here ---

# migrate_local STATE_DIR: brings the D1 database in STATE_DIR up to date.
migrate_local() {
  local done=$1/migrated now
  now=$(cat "$root"/migrations/*.sql | sha256sum)
  [ "$(cat "$done" 2>/dev/null)" = "$now" ] && return
  say "migrating the database in $1"
  mkdir -p "$1"
  (cd "$root" && wrangler d1 migrations apply DB --local --persist-to "$1" </dev/null >"$1/migrate.log" 2>&1) ||
    fail "the migrations failed; see $1/migrate.log"
  printf '%s\n' "$now" >"$done"
}

# start_worker PORT STATE_DIR [NAME=VALUE…]: runs the built Worker on 127.0.0.1:PORT with its data in STATE_DIR and
# these settings beside those of wrangler.toml and .dev.vars, and returns when it answers. Sets worker_group, worker_url
# and worker_log. A caller traps EXIT with stop_worker. `worker_main` names another entry point than build/index.js,
# `inspector_port` a port for the inspector of workerd.
start_worker() {
  local port=$1 state=$2 settings=() setting
  shift 2
  for setting; do settings+=(--var "${setting%%=*}:${setting#*=}"); done
  mkdir -p "$state"
  state=$(cd "$state" && pwd)
  migrate_local "$state"
  if (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    fail "port $port is taken"
  fi

  worker_url=http://127.0.0.1:$port
  worker_log=$state/worker.log
  # A session of its own, so that wrangler and its children can be ended together.
  (cd "$root" && exec setsid wrangler dev ${worker_main:+"$worker_main"} --local --ip 127.0.0.1 --port "$port" \
    --inspector-port "${inspector_port:-0}" --persist-to "$state" --show-interactive-dev-session=false \
    ${settings[@]+"${settings[@]}"}) </dev/null >"$worker_log" 2>&1 &
  worker_group=$!
  wait_for_worker
}

wait_for_worker() {
  local answer
  for _ in $(seq 300); do
    answer=$(curl -s --max-time 2 "$worker_url/healthz" || true)
    [ "$answer" != ok ] || return 0
    if [[ $answer == *MISCONFIGURED* ]]; then
      stop_worker
      fail "the Worker refuses its settings: $answer"
    fi
    kill -0 "$worker_group" 2>/dev/null || break
    sleep 0.2
  done
  stop_worker
  tail -n 20 "$worker_log" >&2
  fail "the Worker did not start; the end of $worker_log is above"
}

# Ends the Worker and all its children.
stop_worker() {
  [ -n "${worker_group:-}" ] || return 0
  kill -TERM -- "-$worker_group" 2>/dev/null || true
  for _ in $(seq 50); do
    kill -0 -- "-$worker_group" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$worker_group" 2>/dev/null || true
  worker_group=
}
