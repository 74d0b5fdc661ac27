"""The shell script that gathers a host's evidence into a folder."""

from __future__ import annotations

from typing import Final

TO_STDOUT: Final = "--tar"
"""The argument with which the script writes a tar archive to its output instead of a folder."""

_SCRIPT: Final = r"""#!/bin/sh
# Gathers what lspci-parse wants to know of a machine into a new folder: lspci, the kernel log and command line, IOMMU
# groups, names of the system's devices, kernel release, machine and BIOS. It changes nothing and follows no links in
# the folder that it is run in. Run it as root: sh collect.sh [FOLDER]
# With --tar the folder goes to standard output as a tar archive and is removed.
if [ -n "${ZSH_VERSION-}" ]; then emulate sh; fi
set -u
umask 077
LC_ALL=C
export LC_ALL

say() { printf 'collect: %s\n' "$*" >&2; }
stop() {
    say "$*"
    exit 2
}

tar=
if [ "${1-}" = --tar ]; then
    tar=yes
    folder=$(mktemp -d "${TMPDIR:-/tmp}/lspci.XXXXXXXXXX") || stop 'no temporary folder could be made'
    trap 'cd / && rm -rf -- "$folder"' EXIT
    trap 'exit 2' HUP INT TERM
elif [ $# -gt 0 ]; then
    folder=$1
    case $folder in
        -*) folder=./$folder ;;
    esac
    # A folder or a link of that name may be someone else's.
    mkdir -- "$folder" || stop "a new folder is needed: $folder cannot be made"
else
    name=$(uname -n | tr -c 'A-Za-z0-9.\n-' _)
    folder=$(mktemp -d "./lspci-$name.XXXXXXXXXX") || stop 'no folder could be made here'
fi
# From here on all names are relative, so that nobody can put another folder in its place.
cd -P -- "$folder" || stop "cannot enter $folder"
owner=$(ls -ldn . | awk '{ print substr($1, 1, 10), $3 }')
[ "$owner" = "drwx------ $(id -u)" ] || stop "$folder is not a private folder of this user ($owner)"
[ -z "$(ls -A)" ] || stop "$folder is not empty"
[ "$(id -u)" = 0 ] || say 'not root: lspci cannot read capabilities, dmesg may be refused'

# A file that a full disk cut looks like one that is short.
room() {
    if ! dd if=/dev/zero of=.room bs=65536 count=1 2>/dev/null; then
        rm -f .room
        stop "the disk is full: what $folder holds is not complete"
    fi
    rm -f .room
}

# keep FILE COMMAND...: the output of a command becomes a file; an empty one is removed.
keep() {
    file=$1
    shift
    if command -v "$1" >/dev/null 2>&1; then
        "$@" >"$file" 2>/dev/null </dev/null || say "failed: $*"
    else
        say "no such command: $1"
    fi
    [ -s "$file" ] || rm -f -- "$file"
    room
}

room
keep lspci-vvvnn.txt lspci -vvvnn
keep lspci-vvvxxxx.txt lspci -vvvxxxx
keep dmesg.txt dmesg
if ! grep -q 'Linux version' dmesg.txt 2>/dev/null; then
    # The ring buffer ran over: the journal may still have the beginning.
    keep journalctl.txt journalctl -k -b --no-pager -o short-monotonic
fi
keep cmdline.txt cat /proc/cmdline
keep uname.txt uname -a

# Each listing of groups says how many devices it names: none is an answer, an empty file is not.
groups() {
    if ! [ -d /sys/kernel/iommu_groups ]; then
        echo '# /sys/kernel/iommu_groups is not there: the kernel has no IOMMU groups'
        return
    fi
    set -- /sys/kernel/iommu_groups/*/devices/*
    if ! [ -e "$1" ]; then
        echo '# /sys/kernel/iommu_groups is empty: no IOMMU is in use'
        return
    fi
    echo "# /sys/kernel/iommu_groups: $# devices"
    for path; do
        number=${path#/sys/kernel/iommu_groups/}
        echo "${number%%/*} ${path##*/}"
    done
}
groups >iommu_groups.txt
room

# One line a device: its address, the names that the system gave to what it drives, and what sysfs knows of it.
names() {
    for device in /sys/bus/pci/devices/*; do
        [ -e "$device" ] || continue
        line=${device##*/}
        for path in "$device"/net/* "$device"/infiniband/* "$device"/nvme/nvme* "$device"/nvme/nvme*/nvme*n* \
            "$device"/drm/* "$device"/accel/* "$device"/sound/card* "$device"/virtio*/net/* "$device"/virtio*/block/* \
            "$device"/ata*/host*/target*/*/block/* "$device"/host*/target*/*/block/*; do
            [ -e "$path" ] || continue
            kind=${path%/*}
            kind=${kind##*/}
            case $kind in
                nvme?*) kind=block ;;
            esac
            line="$line $kind/${path##*/}"
        done
        for fact in reset_method boot_vga local_cpulist numa_node power_state; do
            value=$(cat "$device/$fact" 2>/dev/null | tr ' \n' ',,') || continue
            value=${value%,}
            [ -z "$value" ] || line="$line $fact=$value"
        done
        printf '%s\n' "$line"
    done
}
names >os_names.txt
[ -s os_names.txt ] || rm -f os_names.txt

for name in sys_vendor product_name board_name bios_version bios_date; do
    if value=$(cat "/sys/class/dmi/id/$name" 2>/dev/null); then
        printf '%s: %s\n' "$name" "$value"
    fi
done >dmi.txt
[ -s dmi.txt ] || rm -f dmi.txt
room

if [ -n "$tar" ]; then
    tar -cf - . || stop 'tar failed: the archive is not complete'
else
    say "wrote to $folder"
    say 'it holds serial numbers, MAC addresses, the host name, the command line and the kernel log:'
    say 'look before you show it to others (lspci-parse redact FOLDER replaces them)'
fi
"""


def script() -> str:
    """Return a POSIX shell script that writes a folder ``load`` can read.

    It runs under dash, busybox, bash and zsh, reads only, and says on standard error what it could not get. The folder
    is new and private; the script ends with 2 when it cannot be made or the disk is full.
    """
    return _SCRIPT
