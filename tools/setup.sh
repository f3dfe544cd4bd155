# shellcheck shell=sh
# Sourced by ./demo and ./check: what they need, how to get it, how to build. POSIX sh.

assume_yes=false
install=true

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# libdnnl-dev is named for the library that it brings, whose own package has another name in each release, and for a test.
debian_packages='gcc libc6-dev meson ninja-build pkg-config libdnnl-dev libsleef-dev librandom123-dev libjansson-dev libzip-dev libcminpack-dev libhwloc-dev
    libcsv-dev zlib1g-dev libcurl4-openssl-dev libcmocka-dev libmicrohttpd-dev libsodium-dev libsqlite3-dev
    gnuplot-nox ca-certificates tzdata'
brew_packages='meson ninja pkgconf libomp jansson libzip cminpack hwloc libcsv sleef cmocka libmicrohttpd libsodium sqlite gnuplot'

# Prints the packages of the list $1 that are not installed.
missing_debian() {
    for package in $1; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || printf '%s ' "$package"
    done
}
missing_brew() {
    here=" $(brew list --formula -1 | tr '\n' ' ') "
    for package in $1; do
        case "$here" in *" $package "*) ;; *) printf '%s ' "$package" ;; esac
    done
}

# Says yes without a terminal, or with --yes.
agreed() {
    if $assume_yes || [ ! -t 0 ]; then return 0; fi
    printf '%s [Y/n] ' "$1"
    read -r answer || answer=n
    case "$answer" in '' | [Yy]*) return 0 ;; *) return 1 ;; esac
}

# $1: more Debian packages, $2: more Homebrew packages.
install_missing() {
    if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
        missing=$(missing_debian "$debian_packages $1")
        sudo=''
        [ "$(id -u)" = 0 ] || sudo='sudo '
        command="${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends $missing"
    elif command -v brew >/dev/null; then
        missing=$(missing_brew "$brew_packages $2")
        command="brew install $missing"
    else
        say "Neither apt-get nor Homebrew is here; going on with what there is. Needed, by their Debian names:"
        say "  $debian_packages $1"
        return 0
    fi
    [ -n "$missing" ] || return 0
    if ! $install; then
        say "Not installed, as --no-install asks: $missing"
        return 0
    fi
    say "This will be run to install what is missing:"
    say "  $command"
    agreed 'Go on?' || die 'Nothing was installed. Install it yourself and say --no-install.'
    DEBIAN_FRONTEND=noninteractive sh -c "$command" </dev/null || die "That failed. Install it yourself and say --no-install."
}

# $1: what to build (nothing: everything).
build() {
    command -v meson >/dev/null || die 'meson is not installed.'
    [ -f build/build.ninja ] || meson setup build || die 'Configuring failed: see build/meson-logs/meson-log.txt.'
    # shellcheck disable=SC2086
    ninja -C build $1 || die 'The build failed.'
}
