# shellcheck shell=bash
# forget_another_place BUILD SOURCE: a CMake cache stores the paths that it was made for. After the checkout was moved, renamed or copied,
# CMake refuses the cache. BUILD is then configured again, and ccache still has the objects. Source this file, do not run it.
forget_another_place() {
  local cache_file="$1/CMakeCache.txt" made_for made_in
  [[ -f $cache_file ]] || return 0
  made_for=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$cache_file")
  made_in=$(sed -n 's/^CMAKE_CACHEFILE_DIR:INTERNAL=//p' "$cache_file")
  if [[ $made_for -ef $2 && $made_in -ef $1 ]]; then return 0; fi
  rm -rf "$cache_file" "$1/CMakeFiles" "$1/build.ninja"
}
