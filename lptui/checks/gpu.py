"""GPUs: all there, cool, not slowed down, encoders not full, no memory errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from math import inf
from typing import Final

from lptui.checks.limits import over
from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.errors import ProblemKind
from lptui.fleet.facts.gpu import Gpu, HostGpus
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.nvenc import NvencCap, has_encoder, nvenc_cap
from lptui.fleet.processes import process_of
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Host
from lptui.fleet.units import Percent
from lptui.text import plural

MISSING: Final = "gpu-missing"
PROBLEM: Final = "gpu-problem"
TEMPERATURE: Final = "gpu-temperature"
THROTTLED: Final = "gpu-throttled"
ENCODER: Final = "gpu-encoder"
DECODER: Final = "gpu-decoder"
ECC: Final = "gpu-ecc"
DEVICES: Final = "gpu-devices"
DRIVERS: Final = "driver-skew"
NVENC: Final = "nvenc-sessions"

_TOLD: Final = frozenset(
    {
        ProblemKind.TIMEOUT,
        ProblemKind.FORBIDDEN,
        ProblemKind.COMMAND_FAILED,
        ProblemKind.BAD_ANSWER,
        ProblemKind.OUTPUT_TOO_LARGE,
    }
)
"""Problems of a vendor's tool that is there."""


def card_name(host: str, gpu: Gpu) -> str:
    """A card's name as a target: `gpu-1/0`."""
    return f"{host}/{gpu.index}"


def missing(view: View) -> Iterator[Finding]:
    """Are the cards there, and does their driver work?"""
    for host in view.fleet.hosts.values():
        reading = view.reading(HostGpus, host.name)
        found = view.value(reading)
        blocker = view.blocker(host.name, reading)
        if found is None:
            if host.gpus or (host.gpus is None and _is_told(reading, blocker)):
                yield view.unknown(MISSING, "host", host.name, reading, cause=blocker)
            continue
        is_known = host.gpus is not None or bool(found.gpus)
        if is_known or found.fault:
            yield _missing(view, host, reading, found)


def _is_told(reading: Reading[HostGpus], blocker: str) -> bool:
    """Whether a failure is one of the cards, where none are expected by the configuration.

    A vendor's tool was there and did not tell, or there were cards before.
    """
    earlier = reading if reading.value is not None else reading.last_good
    if earlier is not None and earlier.value is not None:
        return bool(earlier.value.gpus or earlier.value.fault)
    problem = reading.problem
    return not blocker and problem is not None and problem.kind in _TOLD


def _missing(view: View, host: Host, reading: Reading[HostGpus], found: HostGpus) -> Finding:
    have, wanted = len(found.gpus), host.gpus
    summary, severity, remedy = plural(have, "GPU"), Severity.OK, ""
    if wanted is not None:
        summary = f"{have} of {plural(wanted, 'GPU')} present"
        if have < wanted:
            severity = Severity.CRITICAL
            remedy = "see the kernel's log for Xid errors and the driver's state"
    if found.fault and wanted != 0:
        is_meant = bool(wanted or found.gpus)
        severity = Severity.CRITICAL if is_meant else Severity.WARNING
        remedy = found.advice if is_meant else f"{found.advice}; `gpus: 0` if it has no card"
        summary += f": {found.fault}"
    elif severity and not found.tool:
        summary += ": no vendor tool answers on the host"
    limits = ("", f"{wanted}:", f"{wanted}:") if wanted is not None else ()
    return Finding(
        MISSING,
        severity,
        "host",
        host.name,
        summary,
        (view.says(reading, f"driver {found.driver or 'unknown'}"),),
        remedy,
        metrics=(Metric("gpus", have, *limits),),
    )


def _cards(
    view: View,
    check: str,
    judge: Callable[[str, Gpu, Reading[HostGpus]], Finding | None],
) -> Iterator[Finding]:
    """Judges each card that is known; hosts that do not answer are `gpu-missing`'s matter.

    Cards of which only an earlier reading tells are unknown.
    """
    for host in view.fleet.hosts:
        reading = view.readings(HostGpus).get(host)
        if reading is None:
            continue
        found = view.value(reading)
        if found is not None:
            for gpu in found.gpus:
                finding = judge(card_name(host, gpu), gpu, reading)
                if finding is not None:
                    yield finding
            continue
        earlier = reading if reading.value is not None else reading.last_good
        cause = view.blocker(host, reading) or f"{MISSING}@{host}"
        for gpu in earlier.value.gpus if earlier and earlier.value else ():
            yield view.unknown(check, "gpu", card_name(host, gpu), reading, cause=cause)


def _silent(view: View, check: str, name: str, gpu: Gpu, reading: Reading[HostGpus]) -> Finding:
    return Finding(
        check,
        Severity.UNKNOWN,
        "gpu",
        name,
        "not known: the driver does not tell",
        (view.says(reading, gpu.name),),
        "see what the vendor's tool says of the card",
        cause=f"{PROBLEM}@{name}" if gpu.problem else "",
    )


def problem(view: View) -> Iterator[Finding]:
    """What the driver says instead of values ("GPU requires reset")."""

    def judge(name: str, gpu: Gpu, reading: Reading[HostGpus]) -> Finding:
        bad = bool(gpu.problem)
        return Finding(
            PROBLEM,
            Severity.CRITICAL if bad else Severity.OK,
            "gpu",
            name,
            f"the driver says: {gpu.problem}" if bad else f"{gpu.name} answers",
            (view.seen(reading),),
            "drain its node, then reset the card or reboot the host" if bad else "",
        )

    return _cards(view, PROBLEM, judge)


def temperature(view: View) -> Iterator[Finding]:
    """Hot cards slow down, and then stop."""
    warn = view.limits.gpu_temperature_warn_c
    critical = view.limits.gpu_temperature_critical_c
    warn_text, critical_text = f"{warn:g}", f"{critical:g}"

    def judge(name: str, gpu: Gpu, reading: Reading[HostGpus]) -> Finding:
        if gpu.temperature_c is None:
            return _silent(view, TEMPERATURE, name, gpu, reading)
        severity = over(gpu.temperature_c, warn, critical)
        return Finding(
            TEMPERATURE,
            severity,
            "gpu",
            name,
            f"{gpu.temperature_c:g} C",
            (view.says(reading, gpu.name),),
            "see its fans, its air and its power limit" if severity else "",
            metrics=(Metric("temperature", gpu.temperature_c, "C", warn_text, critical_text),),
        )

    return _cards(view, TEMPERATURE, judge)


def throttled(view: View) -> Iterator[Finding]:
    """Slowed down for heat, power brake or a hardware fault; idling and power caps are normal."""

    def judge(name: str, gpu: Gpu, reading: Reading[HostGpus]) -> Finding:
        slow = gpu.throttled
        if slow is None:
            return _silent(view, THROTTLED, name, gpu, reading)
        return Finding(
            THROTTLED,
            Severity.WARNING if slow else Severity.OK,
            "gpu",
            name,
            f"slowed down: {gpu.throttle_words}" if slow else "at full speed",
            (view.says(reading, f"reasons 0x{gpu.throttle_reasons or 0:x}"),),
            "see its temperature and its power supply" if slow else "",
            metrics=(Metric("throttled", int(slow)),),
        )

    return _cards(view, THROTTLED, judge)


def encoder(view: View) -> Iterator[Finding]:
    """An encoder that is always busy makes streams late. Cards without one are left out."""
    return _busy(view, ENCODER, "encoder", view.limits.encoder_warn, lambda gpu: gpu.encoder)


def _busy(
    view: View, check: str, part: str, limit: Percent, use: Callable[[Gpu], Percent | None]
) -> Iterator[Finding]:
    """A part of the cards that is near its limit."""
    limit_text = f"{limit:g}"

    def judge(name: str, gpu: Gpu, reading: Reading[HostGpus]) -> Finding | None:
        used = use(gpu)
        if used is None:
            return _silent(view, check, name, gpu, reading) if gpu.problem else None
        severity = over(used, limit, inf)
        return Finding(
            check,
            severity,
            "gpu",
            name,
            f"{part} {used:g} % busy",
            (view.says(reading, gpu.name),),
            "give its node fewer sessions, or add a card" if severity else "",
            metrics=(Metric(part, used, "%", limit_text),),
        )

    return _cards(view, check, judge)


def ecc(view: View) -> Iterator[Finding]:
    """Uncorrected memory errors since the driver was loaded, where the card counts them."""

    def judge(name: str, gpu: Gpu, reading: Reading[HostGpus]) -> Finding | None:
        count = gpu.ecc_uncorrected
        if count is None:
            return _silent(view, ECC, name, gpu, reading) if gpu.problem else None
        return Finding(
            ECC,
            Severity.CRITICAL if count else Severity.OK,
            "gpu",
            name,
            f"{plural(count, 'uncorrected memory error')}" if count else "no memory errors",
            (view.says(reading, gpu.name),),
            "drain its node; reset the card, replace it if they come back" if count else "",
            metrics=(Metric("ecc_uncorrected", count),),
        )

    return _cards(view, ECC, judge)


def nvenc_sessions(view: View) -> Iterator[Finding]:
    """Encoder sessions of the whole host against what its driver allows."""
    for host in view.fleet.hosts.values():
        reading = view.reading(HostGpus, host.name)
        found = view.value(reading)
        if found is None:
            if isinstance(host.nvenc_sessions, int):
                cause = view.blocker(host.name, reading) or f"{MISSING}@{host.name}"
                yield view.unknown(NVENC, "host", host.name, reading, cause=cause)
            continue
        cap = nvenc_cap(host, found)
        if cap is not None:
            yield _nvenc(view, host, reading, found, cap)


def _nvenc(
    view: View, host: Host, reading: Reading[HostGpus], found: HostGpus, cap: NvencCap
) -> Finding:
    if cap.used is None:
        return Finding(
            NVENC,
            Severity.UNKNOWN,
            "host",
            host.name,
            "not known: the driver does not tell every card's encoder sessions",
            (view.seen(reading),),
            cause=_unheard(host, found),
        )
    full = cap.used >= cap.sessions
    remedy = "lower -maxSessions: one stream takes a session for each rendition"
    if host.nvenc_sessions is None:
        remedy += "; set nvenc_sessions where the driver allows more"
    return Finding(
        NVENC,
        Severity.WARNING if full else Severity.OK,
        "host",
        host.name,
        f"{cap.used} of {plural(cap.sessions, 'encoder session')} allowed by the driver",
        (view.says(reading, f"limit {cap.source}"),),
        remedy if full else "",
        metrics=(Metric("nvenc_sessions", cap.used, "", str(cap.sessions)),),
    )


def decoder(view: View) -> Iterator[Finding]:
    """A decoder that is always busy makes streams late, as an encoder does."""
    return _busy(view, DECODER, "decoder", view.limits.decoder_warn, lambda gpu: gpu.decoder)


def devices(view: View) -> Iterator[Finding]:
    """Are the cards that a node's process was told to use (-nvidia) there, and can they encode?"""
    for node in view.fleet.nodes.values():
        process = process_of(view.snapshot, node)
        wanted = process.flag("nvidia") if process is not None else None
        reading = view.reading(HostGpus, node.host)
        found = view.value(reading)
        if not wanted or found is None or not found.gpus:
            continue  # that its cards are gone is `gpu-missing`'s matter
        named = [gpu for gpu in found.gpus if wanted == "all" or _is_named(gpu, wanted)]
        lacking = [one for one in _names(wanted) if not any(_is(gpu, one) for gpu in found.gpus)]
        unable = [gpu for gpu in named if not has_encoder(gpu)]
        summary, remedy = f"-nvidia {wanted}: {plural(len(named), 'card')} there", ""
        if lacking:
            summary = f"-nvidia {wanted}: no card {listed(lacking)} on the host"
            remedy = "correct -nvidia, or see why the card is gone"
        elif unable:
            summary = (
                f"{listed([gpu.name for gpu in unable])}: without an encoder, cannot transcode"
            )
            remedy = "give the node cards with NVENC"
        yield Finding(
            DEVICES,
            Severity.CRITICAL if lacking or unable else Severity.OK,
            "node",
            node.name,
            summary,
            (view.says(reading, ", ".join(f"{gpu.index} {gpu.name}" for gpu in found.gpus)),),
            remedy,
        )


def _names(wanted: str) -> list[str]:
    names = [one.strip() for one in wanted.split(",")]
    return [one for one in names if one and one != "all"]


def _is_named(gpu: Gpu, wanted: str) -> bool:
    return any(_is(gpu, one) for one in _names(wanted))


def _is(gpu: Gpu, name: str) -> bool:
    """Whether a device is meant: by its index, or by its id."""
    return name in (str(gpu.index), gpu.uuid)


def drivers(view: View) -> Iterator[Finding]:
    """Do all hosts run one driver? A fleet of several transcodes differently, and fails so."""
    known = {
        host: found.driver
        for host in view.fleet.hosts
        if (found := view.fresh(HostGpus, host)) is not None and found.driver
    }
    if len(known) < 2:
        return
    counts = Counter(known.values())
    usual = counts.most_common(1)[0][0]
    odd = [f"{host} {driver}" for host, driver in known.items() if driver != usual]
    differ = len({driver.partition(".")[0] for driver in known.values()}) > 1
    told = ", ".join(f"{driver}: {plural(count, 'host')}" for driver, count in counts.items())
    yield Finding(
        DRIVERS,
        Severity.WARNING if differ else Severity.OK,
        "fleet",
        view.fleet.name,
        f"driver {usual}, but {listed(odd)}" if odd else f"driver {usual} on every host",
        (told,),
        "upgrade the drivers of the odd ones, one host at a time" if differ else "",
        metrics=(Metric("drivers", len(counts)),),
    )


def _unheard(host: Host, found: HostGpus) -> str:
    """Id of the finding that says why not every card tells its sessions."""
    if found.fault or (not found.gpus and host.gpus):
        return f"{MISSING}@{host.name}"
    sick = (card_name(host.name, gpu) for gpu in found.gpus if gpu.problem)
    return next((f"{PROBLEM}@{name}" for name in sick), "")
