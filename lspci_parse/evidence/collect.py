"""The shell script that gathers a host's evidence into a folder."""

from __future__ import annotations

from typing import Final

_SCRIPT: Final = r"""#!/bin/sh
# Gathers what lspci-parse wants to know of a machine into a folder: lspci, the kernel log and command line, IOMMU
# groups, kernel release, machine and BIOS. It changes nothing. Run it as root: sh collect.sh [FOLDER]
set -u
umask 077
LC_ALL=C
export LC_ALL

folder=${1:-lspci-$(uname -n)}
case $folder in
    -*) folder=./$folder ;;
esac
mkdir -p -- "$folder" || exit 2
[ "$(id -u)" = 0 ] || echo 'collect: not root: lspci cannot read capabilities, dmesg may be refused' >&2

# keep FILE COMMAND...: the output of a command becomes a file; an empty one is removed.
keep() {
    file=$folder/$1
    shift
    if command -v "$1" >/dev/null 2>&1; then
        "$@" >"$file" 2>/dev/null || echo "collect: failed: $*" >&2
    else
        echo "collect: no such command: $1" >&2
    fi
    [ -s "$file" ] || rm -f -- "$file"
}

keep lspci-vvvnn.txt lspci -vvvnn
keep lspci-vvvxxxx.txt lspci -vvvxxxx
keep dmesg.txt dmesg
if ! grep -q 'Linux version' "$folder/dmesg.txt" 2>/dev/null; then
    # The ring buffer ran over: the journal may still have the beginning.
    keep journalctl.txt journalctl -k -b --no-pager -o short-monotonic
fi
keep cmdline.txt cat /proc/cmdline
keep uname.txt uname -a

for group in /sys/kernel/iommu_groups/*/devices/*; do
    [ -e "$group" ] || continue
    number=${group#/sys/kernel/iommu_groups/}
    echo "${number%%/*} ${group##*/}"
done >"$folder/iommu_groups.txt"

for name in sys_vendor product_name board_name bios_version bios_date; do
    if value=$(cat "/sys/class/dmi/id/$name" 2>/dev/null); then
        printf '%s: %s\n' "$name" "$value"
    fi
done >"$folder/dmi.txt"
[ -s "$folder/dmi.txt" ] || rm -f -- "$folder/dmi.txt"

echo "collect: wrote to $folder" >&2
"""


def script() -> str:
    """Return a POSIX shell script that writes a folder ``load`` can read.

    It runs under dash and busybox, reads only, and says on standard error what it could not get.
    """
    return _SCRIPT
