# shellcheck shell=bash
# The options that ./run gives to `cloister serve` where the caller gives none. Source it after `cache` and `MODEL_FILE` are set.

# given OPTION ARGUMENT...: succeeds when the option is among the arguments, as "--option value" or "--option=value".
given() {
  local option=$1 argument
  shift
  for argument in "$@"; do
    if [[ $argument == "$option" || $argument == "$option="* ]]; then return 0; fi
  done
  return 1
}

# serve_arguments LISTEN STATE ARGUMENT...: writes the arguments of `cloister serve` into the array `serve`, with the defaults first. An
# upstream is an engine, so the default model is left out with it.
serve_arguments() {
  local listen=$1 state=$2
  shift 2
  serve=()
  if ! given --config "$@"; then
    given --listen "$@" || serve+=(--listen "$listen")
    given --state "$@" || serve+=(--state "$state")
    given --tee "$@" || serve+=(--tee insecure-simulator)
    given --gpu "$@" || given --tee "$@" || serve+=(--gpu insecure-simulator)
    given --model "$@" || given --engine "$@" || given --upstream "$@" || serve+=(--model "$cache/model/$MODEL_FILE")
  fi
  serve+=("$@")
}
