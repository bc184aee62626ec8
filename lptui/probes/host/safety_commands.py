"""What is run on a host once an hour to see how safe it is, each with what comes back.

Nothing of this changes anything, root's part included: sshd tells its settings and ends.
"""

from __future__ import annotations

from typing import Final

from lptui.transport.protocols import Command, ShellFunction

FUNCTION: Final = ShellFunction(
    "lptui_safety",
    "lptui_safety() { "
    "while read -r x_a x_b x_c x_d x_e x_r; do x_r=${x_r##* - }; "
    # Of containers there are hundreds, each with a line of a kilobyte.
    'case $x_r in overlay*) [ "$x_e" = / ] || continue;; esac; '
    'printf \'mount %s %s %s\\n\' "$x_c" "${x_r% *}" "$x_e"; done </proc/self/mountinfo; '
    "for x_f in /sys/class/block/*; do x_n=${x_f##*/}; case $x_n in loop*|ram*) continue;; esac; "
    'IFS= read -r x_l <"$x_f/dev" || continue; x_u=-; x_d=-; '
    'if [ -e "$x_f/dm/uuid" ]; then IFS= read -r x_u <"$x_f/dm/uuid" || x_u=-; '
    'IFS= read -r x_d <"$x_f/dm/name" || x_d=-; fi; x_s=; '
    'for x_g in "$x_f"/slaves/*; do [ -e "$x_g" ] && x_s="$x_s ${x_g##*/}"; done; '
    'if [ -e "$x_f/partition" ]; then x_g=$(readlink -f "$x_f"); x_g=${x_g%/*}; '
    'x_s="$x_s ${x_g##*/}"; fi; '
    'printf \'block %s %s %s %s%s\\n\' "$x_n" "$x_l" "${x_d:--}" "${x_u:--}" "$x_s"; done; '
    'for x_f in /sys/fs/btrfs/*/devices/*; do if [ -e "$x_f" ]; then x_g=${x_f%/devices/*}; '
    'printf \'btrfs %s %s\\n\' "${x_g##*/}" "${x_f##*/}"; fi; done; '
    "x_f=/var/lib/update-notifier/updates-available; if [ -r $x_f ]; then "
    "printf 'notified %s\\n' \"$(stat -c %Y $x_f)\"; "
    "while IFS= read -r x_l; do printf 'update %s\\n' \"$x_l\"; done <$x_f; fi; "
    # Without a Release file there are no lists, whatever their folder's age.
    'set -- /var/lib/apt/lists/*Release; if [ -e "$1" ]; then '
    "for x_f in /var/lib/apt/lists /var/lib/apt/lists/partial; do if [ -e $x_f ]; then "
    "printf 'lists %s\\n' \"$(stat -c %Y $x_f)\"; fi; done; fi; }",
)

SAFETY: Final = Command((FUNCTION.name,), timeout_s=0.0, function=FUNCTION)
"""Mounts by number, type and device (proc(5), mountinfo), block devices with the number, the
mapper's name and UUID and what they lie on, Ubuntu's count of updates, when apt's lists were
renewed:

    mount 254:1 ext4 /dev/mapper/vg-root /
    block dm-0 254:0 sda3_crypt CRYPT-LUKS2-0d…-sda3_crypt sda3
    block dm-1 254:1 vg-root LVM-Zk… dm-0
    block sda3 8:3 - - sda
    block sda 8:0 - -
    btrfs 6fd3…-… dm-2
    notified 1763668790
    update 12 updates can be applied immediately.
    update 3 of these updates are standard security updates.
    lists 1763668000
"""

FQDN: Final = Command(("hostname", "-f"), timeout_s=1.0)
"""`edge-1.example.net`; it may have to wait for DNS."""

_ASKS_SSHD: Final = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; "
    "command -v sshd >/dev/null || exit 127; "
    'if [ "$(id -u)" = 0 ]; then exec sshd -T; fi; '
    "x=$(sshd -G 2>/dev/null) && { printf '%s\\n' \"$x\"; exit; }; "
    '[ -n "$1" ] || exit 126; echo root; exec "$1" -n sshd -T'
)

AS_ROOT: Final = b"root\n"
"""Comes first where root is asked."""

ROOT_SSHD: Final = ("sshd", "-T")
"""What root has to run; without its host keys sshd does not begin (sshd(8))."""


def sshd(become: str) -> Command:
    """sshd's settings as they are in force for a connection that no Match block is about.

    `sshd -G` (OpenSSH 9.3) takes no root where the files are open to all; `become` (sudo, doas) is
    asked for `sshd -T` where that is not enough, which a line `root` tells; "" asks nobody, and
    gives status 126.

        root
        port 22
        permitrootlogin without-password
        passwordauthentication no
        kbdinteractiveauthentication no
        usepam yes
        permitemptypasswords no
        authenticationmethods any
    """
    argv = ("sh", "-c", _ASKS_SSHD, "lptui", become)
    return Command(argv, timeout_s=2.0, merge_stderr=True)


_CORE: Final = (
    *("glibc", "systemd", "dbus", "dbus-broker", "dbus-daemon", "openssl-libs", "gnutls"),
    *("linux-firmware", "microcode_ctl"),
)

CORE: Final = Command(("rpm", "-q", "--qf", "%{INSTALLTIME} %{NAME}\\n", *_CORE), timeout_s=1.0)
"""When what everything runs on was installed (seconds since 1970): those of which needs-restarting
(dnf-utils) says that they take a reboot, without kernels, which are compared by themselves.

    1763668000 glibc
    package dbus-broker is not installed
"""
