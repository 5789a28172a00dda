# Sourced by ./run and ./test: installs missing packages and builds. Needs $top, the repository's root.
set -eu

compiler_packages="g++ cmake ninja-build pkg-config ccache"
library_packages="libfmt-dev libspdlog-dev libhowardhinnant-date-dev tzdata libssl-dev ca-certificates libsodium-dev
  libtomlplusplus-dev prometheus-cpp-dev libsqlite3-dev libxlsxwriter-dev libminizip-dev libjpeg-dev libpng-dev libwebp-dev"
test_packages="doctest-dev libxtensor-dev libopencv-core-dev libopencv-imgproc-dev libsvm-tools binutils xz-utils python3 curl"

say() { printf '%s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Boost as this system calls it: 1.81 on Debian 12, something newer elsewhere.
boost_packages() {
  for version in 1.81 1.83 1.84 1.88; do
    if dpkg-query -W "libboost-url$version-dev" >/dev/null 2>&1 || apt-cache show "libboost-url$version-dev" >/dev/null 2>&1; then
      echo "libboost$version-dev libboost-json$version-dev libboost-url$version-dev libboost-program-options$version-dev libboost-context$version-dev"
      return
    fi
  done
  say "no Boost of at least 1.81 in this system's packages: Debian 12, Ubuntu 24.04 or newer has one"
  exit 2
}

missing() {
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# install PACKAGE...: only what is not there yet; silent when nothing is to do.
install_packages() {
  if ! command -v apt-get >/dev/null; then
    say "apt-get not found: install these by hand, then start again: $*"
    exit 2
  fi
  wanted=$(missing "$@")
  [ -n "$wanted" ] || return 0
  say "installing: $(echo "$wanted" | tr '\n' ' ')"
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends $wanted >/dev/null
}

update_package_lists() {
  say "reading the package lists"
  as_root apt-get update -qq
}

# set_up [PACKAGE...]: compiler, libraries and the given packages.
set_up() {
  # shellcheck disable=SC2046,SC2086
  if [ -n "$(missing $compiler_packages $library_packages "$@")" ]; then update_package_lists; fi
  boost=$(boost_packages)
  # shellcheck disable=SC2086
  install_packages $compiler_packages $library_packages $boost "$@"
}

# build FOLDER TARGET [CMAKE OPTION...]: configures once, then only what changed.
build() {
  folder=$1 target=$2
  shift 2
  if [ $# -gt 0 ] || [ ! -f "$folder/build.ninja" ]; then
    launcher=$(command -v ccache || true)
    cmake -S "$top" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release ${launcher:+-DCMAKE_CXX_COMPILER_LAUNCHER=$launcher} \
      "$@" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 2; }
    rm -f "$folder.log"
  fi
  if [ -t 2 ]; then
    cmake --build "$folder" --target "$target" >&2
  else
    cmake --build "$folder" --target "$target" -- --quiet >&2
  fi
}
