# shellcheck shell=bash
# The scripts that build a pinned source with its own CMake share this file. Source it after `pins`, do not run it. The script that sources
# it defines say and die.

# shellcheck source=tools/place.sh
source "$(dirname "${BASH_SOURCE[0]}")/place.sh"

# build_pinned NAME SOURCE BUILD OPTION... -- TARGET...: configures and builds. The compiler's output goes to BUILD/build.log. One line is
# shown for each tenth of the build.
build_pinned() {
  local name=$1 source=$2 build=$3 options=()
  shift 3
  while [[ $1 != -- ]]; do options+=("$1") && shift; done
  shift
  if ! { command -v cmake && command -v ninja; } >/dev/null; then die "cmake or ninja is missing: apt-get install cmake ninja-build g++"; fi
  export CCACHE_DIR="${CCACHE_DIR:-$CLOISTER_CACHE/ccache}"
  export CCACHE_BASEDIR="$CLOISTER_CACHE" CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
  forget_another_place "$build" "$source"
  if ! cmake -S "$source" -B "$build" -G Ninja "${options[@]}" >"$build/configure.log" 2>&1; then
    tail -n 20 "$build/configure.log" >&2
    die "configuring failed, see $build/configure.log"
  fi
  if ! ninja -C "$build" ${CLOISTER_JOBS:+-j "$CLOISTER_JOBS"} "$@" 2>&1 | tee "$build/build.log" | tenths "$name" >&2; then
    tail -n 20 "$build/build.log" >&2
    die "the build failed, see $build/build.log; run tools/$name again to go on"
  fi
}

tenths() {
  awk -F'[][/]' -v name="$1" '/^\[[0-9]+\/[0-9]+\]/ && int(10 * $2 / $3) > shown {
                                shown = int(10 * $2 / $3); print name ": built " $2 " of " $3; fflush() }'
}
