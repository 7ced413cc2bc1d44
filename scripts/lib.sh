# Shared by the scripts in this folder. Source it: . "$(dirname "$0")/lib.sh"
# shellcheck shell=bash
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export LC_ALL=C.UTF-8

say() { printf '%s\n' "$*" >&2; }
die() { # die STATUS MESSAGE...
  local status=$1
  shift
  say "$(basename "$0"): $*"
  exit "$status"
}

# Runs a command as root: directly, or through sudo where we are not.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die 3 "needs root for: $*; run as root or install sudo"
  fi
}

jobs_count() { nproc 2>/dev/null || echo 2; }
