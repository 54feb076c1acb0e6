#!/bin/sh
# Runs make in a bare Debian 12: what a stranger's fresh machine would do with a commit.
#
# Usage: sudo packaging/linux/try-in-bare-debian.sh FOLDER [COMMIT] [TARGET...]
#   FOLDER   where the bare system stands, or will be made by debootstrap (about 400 MB)
#   COMMIT   what to try; HEAD if not given
#   TARGET   what to make; "test" if not given
#
# The system has python3, python3-venv, make, git and ca-certificates, and nothing else of ours.
# This machine's way to the network (names, certificates, proxies, pip's settings) is handed to
# it; DEBIAN_MIRROR names another mirror. /proc, /dev/shm and /dev/pts are mounted in a namespace of
# their own, so that nothing stays mounted afterwards. FOLDER is left standing: remove it by yourself.
set -eu

stop() {
    printf 'try-in-bare-debian: %s\n' "$*" >&2
    exit 1
}

[ $# -ge 1 ] || stop "name a folder; the head of this file tells how"
[ "$(id -u)" = 0 ] || stop "needs root, for debootstrap and chroot"
root=$(realpath -m "$1")
commit=${2:-HEAD}
[ $# -ge 2 ] && shift 2 || shift 1
[ $# -ge 1 ] || set -- test
project=$(cd "$(dirname "$0")/../.." && pwd)
copy="$root/srv/physioflow"

[ "$root" != / ] || stop "not onto this very system"
if [ ! -x "$root/usr/bin/make" ]; then
    command -v debootstrap >/dev/null || stop "needs debootstrap: apt-get install debootstrap"
    debootstrap --variant=minbase --include=python3,python3-venv,make,git,ca-certificates \
        bookworm "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
fi
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
    [ ! -e "$file" ] || cp -L "$file" "$root$file"
done

rm -rf "$copy" # nothing is ever mounted below it
git clone --quiet --no-local "$project" "$copy"
git -C "$copy" checkout --quiet "$(git -C "$project" rev-parse "$commit")"

# Only the network's settings go in; env -i keeps everything else of this machine out.
set -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    ${CI:+CI="$CI"} \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    ${no_proxy:+no_proxy="$no_proxy"} \
    ${PIP_CERT:+PIP_CERT="$PIP_CERT"} ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} \
    ${PIP_DEFAULT_TIMEOUT:+PIP_DEFAULT_TIMEOUT="$PIP_DEFAULT_TIMEOUT"} \
    make -C /srv/physioflow "$@"
# shellcheck disable=SC2016 # expanded by the inner shell
exec unshare --mount --propagation private --pid --fork --kill-child sh -eu -c '
    root=$1
    shift
    mount -t proc proc "$root/proc"
    mkdir -p "$root/dev/shm" "$root/dev/pts"
    mount -t devpts devpts "$root/dev/pts"
    mount -t tmpfs -o size=1g shm "$root/dev/shm"
    exec chroot "$root" "$@"
' sh "$root" "$@"
