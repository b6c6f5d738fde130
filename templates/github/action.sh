#!/usr/bin/env bash
# The steps of action.yml: install, and run. Inputs are INPUT_* in the environment.
set -euo pipefail

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
main=${BAKEOFF_MAIN:-$home/bin/bakeoff.js}

refuse() {
  printf '::error::%s\n' "$1" >&2
  exit 2
}

# A definition of the image, for --peer. JSON is YAML, whatever is in the names.
definition() {
  node -e '
    const { INPUT_NAME: name, INPUT_IMAGE: image, INPUT_DRIVER = "" } = process.env;
    const driver = INPUT_DRIVER.split("\n").filter((word) => word !== "");
    console.log(JSON.stringify({ name, image, ...(driver.length > 0 && { driver }) }));
  '
}

# Namespaces and containers need root, which the builtin peer does not.
as_root() {
  if [[ $peer == builtin* || $(id -u) -eq 0 ]]; then "$@"; else sudo -E env "PATH=$PATH" "$@"; fi
}

tell() {
  if [[ -e $2 ]]; then printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; fi
}

run() {
  local words documents=() arguments=(--peer "$peer" --role "${INPUT_ROLE:-both}" --out "$out") status=0
  arguments+=(--format "json,junit,sarif,md,html")
  if [[ -n ${INPUT_BASELINE:-} ]]; then arguments+=(--baseline "$INPUT_BASELINE"); fi
  while IFS= read -r words; do
    if [[ -n $words ]]; then arguments+=("$words"); fi
  done <<<"${INPUT_OPTIONS:-}"
  read -r -d '' -a documents <<<"${INPUT_DOCUMENTS:-}" || true
  as_root node "$main" run "${arguments[@]}" -- "${documents[@]}" || status=$?
  if [[ -e $out ]]; then as_root chown -R "$(id -u):$(id -g)" "$out"; fi
  tell report "$out"
  tell site "$out/site"
  tell summary "$out/report.md"
  tell junit "$out/junit.xml"
  tell sarif "$out/report.sarif"
  printf 'status=%s\n' "$status" >>"$GITHUB_OUTPUT"
  if [[ -e $out/report.md ]]; then cat "$out/report.md" >>"$GITHUB_STEP_SUMMARY"; fi
  return "$status"
}

case ${1:-} in
  install)
    cd "$home"
    npm ci
    ;;
  run)
    out=${INPUT_OUT:-bakeoff-report}
    peer=${INPUT_PEER:-}
    if [[ $out == *$'\n'* ]]; then refuse "out: has a line break in it"; fi
    if [[ -n $peer && -n ${INPUT_IMAGE:-} ]]; then refuse "one of image and peer"; fi
    if [[ -n ${INPUT_IMAGE:-} ]]; then
      peer=$(mktemp -d "${RUNNER_TEMP:-/tmp}/bakeoff-XXXXXX")/peer.yaml
      definition >"$peer"
    fi
    if [[ -z $peer ]]; then refuse "image or peer: is missing"; fi
    run
    ;;
  *) refuse "install or run" ;;
esac
