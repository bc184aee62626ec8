"""How a host lists its `livepeer` processes, with their settings and without their secrets.

POSIX shell in one line, as `lptui.probes.host.commands` says; its variables begin with `x_`.
"""

from __future__ import annotations

from typing import Final

from lptui.transport.protocols import Command, ShellFunction

_MASKED: Final = "*[Pp]assword*|*[Ss]ecret*|*[Cc]reds*|*[Kk]ey|*[Tt]oken*|*[Hh]eaders*|*Uri"
"""Names of go-livepeer flags whose values are secrets; they never leave the host."""

_SETTINGS: Final = (
    "network|ethAcctAddr|ethOrchAddr|ethUrl|cliAddr|httpAddr|serviceAddr|nodes|reward|"
    "initializeRound|orchestrator|transcoder|redeemer|gateway|broadcaster|aiWorker|remoteSigner|"
    "monitor|maxSessions|nvidia|redeemerAddr|orchAddr|pricePerUnit|pixelsPerUnit|config|"
    "enableCliTxRoutes"
)
"""What is read of environments and configuration files: nothing else of them leaves the host."""

_IN_ENVIRONMENT: Final = f"^LP_({_SETTINGS.upper()})="
_IN_FILE: Final = f"^[[:blank:]]*({_SETTINGS})([[:blank:]]|$)"
_MOST_LINES: Final = 200

FUNCTION: Final = ShellFunction(
    "lptui_livepeer",
    # A value is a file when it exists as seen from the process, else what it looks like.
    "lptui_livepeer() { _lp_secret() { case $1 in '') printf '%s\\n' '<empty>';; "
    '*) if [ -e "$1" ] || [ -e "$x_p/cwd/$1" ]; then printf \'%s\\n\' "<file>"; '
    "else case $1 in /*|./*|../*|\\~*) printf '%s\\n' '<path>';; "
    "*) printf '%s\\n' '<literal>';; esac; fi;; esac; }; "
    # Of an address, scheme and host.
    "_lp_url() { case $1 in *://*) x_u=${1#*://}; x_u=${x_u%%/*}; x_u=${x_u%%\\?*}; "
    'printf \'%s://%s\\n\' "${1%%://*}" "${x_u##*@}";; *) printf \'%s\\n\' "$1";; esac; }; '
    # A path is as the process sees it; that of a container is another file on its host.
    "_lp_file() { case $1 in /*) x_f=$x_p/root$1;; *) x_f=$x_p/cwd/$1;; esac; "
    'if [ ! -r "$x_f" ]; then case $x_g in *docker*|*libpod*|*containerd*|*kubepods*) return;; '
    "esac; case $1 in /*) x_f=$1;; *) return;; esac; fi; "
    'if [ -f "$x_f" ] && [ -r "$x_f" ]; then echo =; fi; '
    f"grep -m {_MOST_LINES} -iE '{_IN_FILE}' \"$x_f\" | while IFS= read -r x_a; do "
    'x_a=${x_a#"${x_a%%[! ]*}"}; x_n=${x_a%% *}; x_v=${x_a#"$x_n"}; x_v=${x_v# }; '
    'case $x_n in [Ee]th[Pp]assword) printf \'=%s \' "$x_n"; _lp_secret "$x_v";; '
    '[Ee]th[Uu]rl) printf \'=%s \' "$x_n"; _lp_url "$x_v";; '
    "*) printf '=%s\\n' \"$x_a\";; esac; done; }; "
    "IFS= read -r x_c </proc/1/comm || echo hidden; "
    "for x_p in /proc/[0-9]*; do "
    'IFS= read -r x_c <"$x_p/comm" || continue; case $x_c in livepeer*) ;; *) continue;; esac; '
    "x_g=; while IFS= read -r x_l; do case $x_l in 0::*|*:name=systemd:*) x_g=${x_l#*:*:};; esac; "
    'done <"$x_p/cgroup"; '
    'printf \'process %s %s %s\\n\' "${x_p##*/}" "$(stat -c %U "$x_p")" "$x_g"; '
    "tr '\\000\\012' '\\012\\040' <\"$x_p/cmdline\" | { x_k=; x_o=; x_d=; "
    'while IFS= read -r x_a; do if [ -n "$x_o" ]; then x_o=; x_d=$x_a; fi; '
    'if [ -n "$x_k" ]; then x_k=; printf " "; _lp_secret "$x_a"; continue; fi; case $x_a in '
    "-config|--config) x_o=1; printf ' %s\\n' \"$x_a\";; "
    "-config=*|--config=*) x_d=${x_a#*=}; printf ' %s\\n' \"$x_a\";; "
    "-*=*) case ${x_a%%=*} in " + _MASKED + ") printf ' %s=' \"${x_a%%=*}\"; "
    '_lp_secret "${x_a#*=}";; *) printf \' %s\\n\' "$x_a";; esac;; '
    "-*) case $x_a in " + _MASKED + ") x_k=1;; esac; printf ' %s\\n' \"$x_a\";; "
    "*) printf ' %s\\n' \"$x_a\";; esac; done; "
    'if [ -n "$x_d" ]; then _lp_file "$x_d"; fi; }; '
    'if cat "$x_p/environ" >/dev/null; then echo +; fi; '
    "tr '\\000\\012' '\\012\\040' <\"$x_p/environ\" | "
    f"grep -E '{_IN_ENVIRONMENT}' | while IFS= read -r x_a; do case $x_a in "
    "LP_ETHURL=*) printf '+LP_ETHURL='; _lp_url \"${x_a#*=}\";; "
    'LP_CONFIG=*) printf \'+%s\\n\' "$x_a"; _lp_file "${x_a#*=}";; '
    "*) printf '+%s\\n' \"$x_a\";; esac; done; done; }",
)

PROCESSES: Final = Command(("lptui_livepeer",), timeout_s=0.0, function=FUNCTION)
"""Every process named `livepeer…`: a line with pid, user and control group, then its arguments, one
a line after a space, lines of its configuration file after a `=`, its LP_ variables after a `+`. A
bare `=` or `+` comes first where the login may read them. The values of secret flags are replaced
on the host by what they are: <file> (exists), <path> (looks like one), <literal>, <empty>.

    process 812 livepeer /system.slice/livepeer-o.service
     /usr/local/bin/livepeer
     -orchestrator
     -ethPassword
     <literal>
     -orchSecret=<file>
     -config
     /etc/livepeer/o.conf
    =
    =cliAddr 127.0.0.1:7935
    +
    +LP_NETWORK=arbitrum-one-mainnet
"""
