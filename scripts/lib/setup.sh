# Shared by scripts/demo and scripts/test: missing packages, then the build.
# To be sourced by bash with `set -euo pipefail`.

readonly root_dir="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
readonly script_name="$(basename "$0")"

say() { printf '%s: %s\n' "$script_name" "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# Packages of scripts/packages.txt for the uses given (build, test) that are not installed.
missing_packages() {
  local use package uses=" $* "
  while read -r use package; do
    [[ $use == \#* || -z $use || $uses != *" $use "* ]] && continue
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] ||
      printf '%s\n' "$package"
  done <"$root_dir/scripts/packages.txt"
}

# Prints what runs a command as root without asking: nothing as root, or sudo; fails without either.
as_root() {
  if [[ $EUID -eq 0 ]]; then
    return 0
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    printf 'sudo -n'
  else
    return 1
  fi
}

# Package lists that are missing or older than a day are read again.
package_lists_are_old() {
  [[ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 -print -quit 2>/dev/null)" ]]
}

refresh_package_lists() {
  local root
  package_lists_are_old || return 0
  root="$(as_root)" || return 0
  $root apt-get update -qq >&2 || say "apt-get update failed; going on with the package lists there are"
}

# Installs what is missing for the uses given, or prints the one command that would, and stops.
install_packages() {
  local -a missing
  local root
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -eq 0 ]] && return 0
  if ! command -v apt-get >/dev/null; then
    fail "not a Debian system; needed: ${missing[*]}"
  fi
  if ! root="$(as_root)"; then
    say "packages are missing and this user may not install them. Paste this, then start again:"
    printf 'sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n' "${missing[*]}"
    exit 1
  fi
  say "installing ${missing[*]}"
  refresh_package_lists
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" </dev/null >&2 || fail "apt-get could not install: ${missing[*]}"
}

# Configures a preset into build/<preset> and builds the targets given, all without.
build_preset() {
  local preset="$1"
  shift
  say "building ($preset)"
  (cd "$root_dir" && cmake --preset "$preset" >&2 &&
    cmake --build --preset "$preset" ${1:+--target "$@"} >&2)
}
