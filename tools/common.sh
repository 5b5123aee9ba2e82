# shellcheck shell=bash
# The scripts ./run, ./test and those of tools/ share this file: it knows where things are and how progress is shown. Source it, do not run
# it.

# shellcheck source=tools/pins
source "$(dirname "${BASH_SOURCE[0]}")/pins"
# shellcheck source=tools/place.sh
source "$(dirname "${BASH_SOURCE[0]}")/place.sh"
root=$ROOT
cache=$CLOISTER_CACHE
logs="$cache/logs"
mkdir -p "$logs"
# What this clone compiled is found again after a clean-up. Another clone finds only what was compiled without a precompiled header, since
# clang writes absolute paths into that.
export CCACHE_DIR="${CCACHE_DIR:-$cache/ccache}" CCACHE_BASEDIR="${CCACHE_BASEDIR:-$root}" CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros
# Some images carry compiler or linker flags in the environment. The build must depend on the tree alone.
unset CFLAGS CXXFLAGS LDFLAGS

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# Holds the one lock of set-up and build until release_lock, so that two calls do not collide. A child process that outlives the call must
# not inherit the lock: start it with 9>&-.
take_lock() {
  exec 9>"$cache/lock"
  if ! flock -n 9; then
    say "waiting for another run that is setting up or building ..."
    flock 9
  fi
}
release_lock() { exec 9>&-; }

# quietly NAME COMMAND...: runs the command with its output in .cache/logs/NAME.log. It prints nothing when the command ends within two
# seconds, and after that about one line every ten seconds. On failure it prints the end of the log.
quietly() {
  local name=$1 log="$logs/$1.log" started=$SECONDS told=0 status=0 pid
  shift
  "$@" >"$log" 2>&1 9>&- </dev/null &
  pid=$!
  # shellcheck disable=SC2064  # the pid of now is meant
  trap "kill $pid 2>/dev/null; exit 130" INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.05
    if ((SECONDS - started >= 2 && (told == 0 || SECONDS - told >= 10))); then
      told=$SECONDS
      say "  $name: $((SECONDS - started)) s  $(last_line "$log")"
    fi
  done
  wait "$pid" || status=$?
  trap - INT TERM
  if ((status != 0)); then
    say "error: $name failed (status $status); the end of ${log#"$root"/}:"
    tail -n 40 "$log" >&2
    return "$status"
  fi
  if ((told > 0)); then say "  $name: done in $((SECONDS - started)) s"; fi
}

# Prints the last line of a running step or, for a build, its progress.
last_line() {
  local text
  text=$(tail -c 20000 "$1" | tr '\r' '\n' | grep -av '^[[:space:]]*$' || true)
  { grep -aE '^\[[0-9]+/[0-9]+\]' <<<"$text" || printf '%s\n' "$text"; } | tail -n 1 | cut -c1-100
}

# configure PRESET: configures the build once. ninja itself runs cmake again when the build files or the set of sources change.
configure() {
  forget_another_place "$root/build/$1" "$root"
  if [[ ! -e "$root/build/$1/build.ninja" ]]; then
    quietly "configure-$1" cmake -S "$root" --preset "$1" -DCLOISTER_CACHE="$cache"
  fi
}

# configure_and_build PRESET TARGET...: configures the preset and builds the targets.
configure_and_build() {
  local preset=$1 target
  local -a targets=()
  shift
  for target in "$@"; do targets+=(--target "$target"); done
  configure "$preset"
  quietly "build-$preset" cmake --build "$root/build/$preset" "${targets[@]}"
}
