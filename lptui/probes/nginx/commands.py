"""What the nginx probes send to a balancer's host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lptui.transport.protocols import Command, ShellFunction

DUMP_LIMIT: Final = 2 * 1024 * 1024


AS_ROOT: Final[Mapping[str, tuple[str, ...]]] = {"sudo": ("sudo", "-n"), "doas": ("doas", "-n")}
"""How a login without a password becomes root, by a host's `privilege`."""


def dump(config_path: str | None, as_root: tuple[str, ...] = ()) -> Command:
    """Test the configuration and print all its files (`nginx -T`); messages are merged in.

    An ordinary user may not read keys and the pid file; with `as_root` it needs a sudoers line.
    When the test fails there is no dump at all (status 1).

        nginx: the configuration file /etc/nginx/nginx.conf syntax is ok
        nginx: configuration file /etc/nginx/nginx.conf test is successful
        # configuration file /etc/nginx/nginx.conf:
        events {}
        http { include sites-enabled/*; }

        # configuration file /etc/nginx/sites-enabled/orch:
        upstream orch { server 192.0.2.11:8935; }
    """
    argv = ("nginx", "-T", *(("-c", config_path) if config_path else ()))
    return Command((*as_root, *argv), timeout_s=3.0, limit=DUMP_LIMIT, merge_stderr=True)


VERSION: Final = Command(("nginx", "-v"), merge_stderr=True)
"""`nginx version: nginx/1.22.1`"""

FILES_FUNCTION: Final = ShellFunction(
    "lptui_nginx_files",
    # Unquoted on purpose: the shell expands the pattern; nothing of it is ever run. Without IFS a
    # space in it divides nothing.
    'lptui_nginx_files() { ( IFS=; for x_a in "$@"; do for x_p in $x_a; do '
    'if [ -f "$x_p" ]; then if [ -r "$x_p" ]; then '
    'printf \'# configuration file %s:\\n\' "$x_p"; cat "$x_p"; echo; '
    "else printf '# unreadable file %s:\\n' \"$x_p\"; fi; fi; done; done; ); }",
)


def files(patterns: Sequence[str]) -> Command:
    """The files that match, in the form of `nginx -T`; what may not be read is named as such.

    # configuration file /etc/nginx/sites-enabled/orch:
    upstream orch { server 192.0.2.11:8935; }

    # unreadable file /etc/nginx/secret.conf:
    """
    return Command(
        ("lptui_nginx_files", *patterns),
        timeout_s=0.0,
        limit=DUMP_LIMIT,
        function=FILES_FUNCTION,
    )


def modified(paths: Sequence[str]) -> Command:
    """When files were last changed; the date has the part of the second. Missing files: no line.

    1763668800 2025-11-20 20:00:00.120000000 +0000 /etc/nginx/nginx.conf
    """
    return Command(("stat", "-L", "-c", "%Y %y %n", "--", *paths))


PROCESSES_FUNCTION: Final = ShellFunction(
    "lptui_nginx",
    "lptui_nginx() { printf 'now %s\\n' \"$(date +%s.%N)\"; "
    "IFS= read -r x_l </proc/uptime && printf 'uptime %s\\n' \"$x_l\"; "
    "printf 'hz %s\\n' \"$(getconf CLK_TCK)\"; "
    "for x_p in /proc/[0-9]*; do "
    'IFS= read -r x_c <"$x_p/comm" || continue; [ "$x_c" = nginx ] || continue; '
    'IFS= read -r x_l <"$x_p/stat" || continue; '
    "x_t=$(tr '\\000\\012' '\\040\\040' <\"$x_p/cmdline\"); "
    'set -- $x_l; printf \'process %s %s %s %s\\n\' "$1" "$4" "${22}" "$x_t"; '
    "while IFS= read -r x_l; do case $x_l in NSpid:*) set -- $x_l; "
    '[ $# -lt 3 ] || printf \'contained %s\\n\' "$2"; break;; esac; done <"$x_p/status"; done; }',
)

PROCESSES: Final = Command(("lptui_nginx",), timeout_s=0.0, function=PROCESSES_FUNCTION)
"""Every nginx process: pid, parent, start in clock ticks since boot, title.

    now 1763668800.123456789
    uptime 86400.12 172000.00
    hz 100
    process 700 1 4321 nginx: master process /usr/sbin/nginx -g daemon on; master_process on;
    process 701 700 4325 nginx: worker process
    process 655 700 2000 nginx: worker process is shutting down
    contained 655                          (it runs in a container: another process namespace)
"""
