"""GPUs: all there, cool, not slowed down, encoders not full, no memory errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import Final

from lptui.checks.limits import over
from lptui.checks.view import View
from lptui.fleet.facts.gpu import Gpu, HostGpus
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.text import plural

MISSING: Final = "gpu-missing"
PROBLEM: Final = "gpu-problem"
TEMPERATURE: Final = "gpu-temperature"
THROTTLED: Final = "gpu-throttled"
ENCODER: Final = "gpu-encoder"
ECC: Final = "gpu-ecc"
NVENC: Final = "nvenc-sessions"


def card_name(host: str, gpu: Gpu) -> str:
    """A card's name as a target: `gpu-1/0`."""
    return f"{host}/{gpu.index}"


def missing(view: View) -> Iterator[Finding]:
    """Fewer cards than the configuration says: one has fallen off the bus, or its driver."""
    for host in view.fleet.hosts.values():
        reading = view.reading(HostGpus, host.name)
        found = view.value(reading)
        if host.gpus is None and (found is None or not found.gpus):
            # Nothing is expected there, and nothing is known to be there.
            continue
        if found is None:
            cause = view.blocker(host.name, reading)
            yield view.unknown(MISSING, "host", host.name, reading, cause=cause)
            continue
        have, wanted = len(found.gpus), host.gpus
        lacking = wanted is not None and have < wanted
        summary = plural(have, "GPU")
        if wanted is not None:
            summary = f"{have} of {plural(wanted, 'GPU')} present"
        if lacking and not found.tool:
            summary += ": no vendor tool answers on the host"
        yield Finding(
            MISSING,
            Severity.CRITICAL if lacking else Severity.OK,
            "host",
            host.name,
            summary,
            (view.says(reading, f"driver {found.driver or 'unknown'}"),),
            "see the kernel's log for Xid errors and the driver's state" if lacking else "",
            metrics=(Metric("gpus", have, "", f"{wanted}:", f"{wanted}:"),)
            if wanted is not None
            else (Metric("gpus", have),),
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
    limit = view.limits.encoder_warn
    limit_text = f"{limit:g}"

    def judge(name: str, gpu: Gpu, reading: Reading[HostGpus]) -> Finding | None:
        if gpu.encoder is None:
            return _silent(view, ENCODER, name, gpu, reading) if gpu.problem else None
        severity = over(gpu.encoder, limit, inf)
        return Finding(
            ENCODER,
            severity,
            "gpu",
            name,
            f"encoder {gpu.encoder:g} % busy",
            (view.says(reading, gpu.name),),
            "give its node fewer sessions, or add a card" if severity else "",
            metrics=(Metric("encoder", gpu.encoder, "%", limit_text),),
        )

    return _cards(view, ENCODER, judge)


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
        cap = host.nvenc_sessions
        if cap is None:
            continue
        reading = view.reading(HostGpus, host.name)
        found = view.value(reading)
        if found is None:
            cause = view.blocker(host.name, reading)
            yield view.unknown(NVENC, "host", host.name, reading, cause=cause)
            continue
        counts = [gpu.encoder_sessions for gpu in found.gpus if gpu.encoder_sessions is not None]
        if not counts or len(counts) < len(found.gpus):
            yield Finding(
                NVENC,
                Severity.UNKNOWN,
                "host",
                host.name,
                "not known: the driver does not tell every card's encoder sessions",
                (view.seen(reading),),
                cause=f"{MISSING}@{host.name}" if not found.gpus and host.gpus else "",
            )
            continue
        used = sum(counts)
        full = used >= cap
        yield Finding(
            NVENC,
            Severity.WARNING if full else Severity.OK,
            "host",
            host.name,
            f"{used} of {plural(cap, 'encoder session')} allowed by the driver",
            (view.seen(reading),),
            "lower -maxSessions: one stream takes a session for each rendition" if full else "",
            metrics=(Metric("nvenc_sessions", used, "", str(cap)),),
        )
