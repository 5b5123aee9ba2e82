# shellcheck shell=bash
# The text that ./run prints about a started node: commands to paste, which work with the options that the node was given. Source it.

# setting NAME CONFIG: prints the value of an option in the output of `cloister serve --print-config`, or nothing where it has none.
setting() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" <<<"$2"; }

# client_url URL: prints an address that a client on this machine can use, in place of one that means all addresses of the machine.
client_url() {
  local url=$1
  url=${url/'://0.0.0.0:'/'://127.0.0.1:'}
  printf '%s' "${url/'://[::]:'/'://[::1]:'}"
}

# bearer FILE: prints an option of curl with the first token of the file. The shell reads the token when the line is pasted.
# shellcheck disable=SC2016  # its dollar is for that shell
bearer() { if [[ -n $1 ]]; then printf -- '-H "authorization: Bearer $(head -n 1 %q)" ' "$1"; fi; }

# member NAME: prints the first text of that name in the JSON on standard input.
member() { grep -o "\"$1\" *: *\"[^\"]*\"" | sed -n '1s/.*"\([^"]*\)"$/\1/p' || true; }

# ready_text PROGRAM URL CONFIG: asks the node at URL for its properties and prints how to use it. CONFIG is the output of `serve
# --print-config` for its options.
ready_text() {
  local program=$1 listening=$2 config=$3
  local url tokens operator model tee verify_options="" insecure="" quiet="" sampling="" first_message="" local_only="" key="unused"
  local -a notes=()
  url=$(client_url "$listening")
  tokens=$(setting api-key-file "$config")
  operator=$(setting admin-token-file "$config")
  case $listening in
    *://127.* | *'://[::1]:'*) local_only=yes ;;
  esac
  # The options alone do not tell who certified the key, so a client's request to the node decides it.
  if [[ $url == https:* ]] && ! curl -sS -m 5 -o /dev/null "$url/health/live" 2>/dev/null; then
    insecure="-k "
    verify_options+=" --allow-self-signed"
  fi
  model=$(curl -ksS -m 5 "$url/v1/models" 2>/dev/null | member id || true)
  tee=$(curl -ksS -m 20 "$url/v1/attestation/report?replicas=false" 2>/dev/null | member tee_type || true)
  if [[ $tee == insecure_simulator ]]; then verify_options+=" --accept-simulator"; fi
  # The default model is tiny. It answers best with its likeliest words and without a system message.
  if [[ $model == SmolLM2-135M* ]]; then
    quiet=' --temperature 0 --system ""'
    sampling='"temperature":0,'
    first_message='{"role":"system","content":""},'
  fi
  if [[ -n $tokens ]]; then key="a line of $tokens"; fi

  printf '\nCloister is ready at %s%s\n' "$listening" "${model:+, model $model}"
  if [[ $tee == insecure_simulator ]]; then
    echo "Its TEE is SIMULATED (insecure_simulator): the checks are real, the hardware is not, so they prove nothing about this machine."
  fi
  cat <<TEXT

  ask      curl ${insecure}-s $url/v1/chat/completions $(bearer "$tokens")-H 'content-type: application/json' \\
             -d '{"model":"${model:-MODEL}",$sampling"messages":[$first_message{"role":"user","content":"What is the capital of France?"}]}'
  SDK      base_url = "$url/v1", api_key = "$key"
TEXT
  if [[ -n $insecure ]]; then
    notes+=("The certificate is one that the web's authorities do not know for this address, so an SDK has to be told to take it."
      "The verifier compares the key with the quote instead, which says more.")
  fi
  if [[ -z $tee ]]; then
    notes+=("It has no TEE, or gives no report now: there is nothing to verify.")
  else
    echo "  verify   $program verify host $url$verify_options"
    if [[ -z $local_only && $url == http:* ]]; then
      notes+=("Other machines reach this node without TLS of its own. So the verdict is undetermined (policy.tls is skipped, exit status 3),"
        "and chat sends nothing to it. Start it with --tls self-signed, or let your policy say allow_plain_http (docs/guide/policy.md).")
    else
      echo "  chat     $program chat $url \"What is the capital of France?\"$quiet$verify_options${tokens:+ --token-file $(printf %q "$tokens")}"
    fi
    echo "  report   $url/v1/attestation/report"
  fi
  if [[ -n $operator ]]; then
    echo "  metrics  curl ${insecure}-s $(bearer "$operator")$url/metrics"
  elif [[ -n $local_only && -z $tokens ]]; then
    echo "  metrics  curl ${insecure}-s $url/metrics"
  fi
  if [[ -n $tee && $config == *$'\nupstream='* ]]; then
    notes+=("Which model answered is the upstream's word: chat ends undetermined (receipt.served_model is skipped, exit status 3) unless"
      "your policy says accept_upstream_claims = true under [service] (docs/guide/engines.md).")
  fi
  if [[ $url != "$listening" ]]; then notes+=("Other machines name this one instead: the commands above are for this machine."); fi
  if ((${#notes[@]} > 0)); then printf '\n' && printf '%s\n' "${notes[@]}"; fi
  printf '\nCtrl-C stops it.\n'
}
