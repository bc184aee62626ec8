"""How heavy a pool's servers should be: weights from what their nodes can do. Pure.

The worth of a server whose node is measured:

    worth = cap x room x speed

    cap     sessions that the node takes at once (`max_sessions`), at least 1
    room    what is free of it: 1 - the busier of its sessions (of its cap) and its encoders,
            rounded up to quarters, at least one quarter
    speed   the pool's median latency over its own, rounded up to quarters, from one half to 1

What is not known of a node is left out of the product. The roundings are there so that a session
that comes or goes between a plan and its run seldom makes it another plan.

Its aim is its part of the worth of all measured servers: of the weight that they have together.
Servers that are not measured keep their weight relative to those.

A server whose share is within max(1 percentage point, 10 % of its aim) is where it should be.
While none is further off, nothing is changed. Else those that have too much give, and those that
have too little take, all in the same proportion: nobody goes beyond its aim, nor in one run by
more than `most` of its own weight (but by a whole weight at least, where whole weights are that
coarse). As few weights are changed as come near enough, those furthest off first; where whole
numbers are too coarse (1, 1, 1), all are multiplied, which moves no traffic by itself.

Limits. A weight says nothing of one session's work. Sessions move only as new ones come, so a
pool just reweighed is measured as it was before: wait for its sessions to turn over before
another run. With algorithms that look at sessions in flight (leastconn) or at the client
(hashes), shares only tend to the weights.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

LEAST: Final = Fraction(1, 100)
"""A share that differs from its aim by less is right; of the whole."""

RELATIVE: Final = Fraction(1, 10)
"""So is one that differs by less than this part of its aim."""

PARTS: Final = 4
"""Room and speed are told in quarters."""

COARSEST: Final = 256
"""The largest factor that weights are multiplied by."""

Weights = Mapping[str, int]
Shares = Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Load:
    """What is known of a node: sessions, its encoders' use in percent, seconds a segment."""

    cap: int
    used: int | None = None
    encoder: float | None = None
    latency_s: float | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A server in service: its weight now, and its worth where its node is measured."""

    name: str
    weight: int
    worth: Fraction | None = None


def worth(load: Load, typical_s: float | None) -> Fraction:
    """What a node is worth; `typical_s` is the pool's median latency, None when there is none."""
    cap = max(1, load.cap)
    busy = [Fraction(0)]
    if load.used is not None:
        busy.append(Fraction(load.used, cap))
    if load.encoder is not None and math.isfinite(load.encoder):
        busy.append(Fraction(load.encoder) / 100)
    room = _quarters(1 - max(busy), Fraction(1, PARTS))
    speed = Fraction(1)
    if typical_s is not None and load.latency_s is not None and 0 < load.latency_s < math.inf:
        speed = _quarters(Fraction(typical_s) / Fraction(load.latency_s), Fraction(1, 2))
    return cap * room * speed


def typical(latencies_s: Collection[float]) -> float | None:
    """The median (of an even number the lower one), so that it is somebody's own."""
    known = sorted(one for one in latencies_s if math.isfinite(one) and one > 0)
    return known[(len(known) - 1) // 2] if known else None


def shares(weights: Weights) -> Shares:
    """Each server's part of the traffic, if it goes by weights; together 1."""
    whole = sum(weights.values())
    return {name: Fraction(weight, whole) for name, weight in weights.items()}


def aims(servers: Sequence[Weighed]) -> Shares:
    """The part that each measured server should have of what they have together."""
    known = {one.name: one.worth for one in servers if one.worth is not None}
    whole = sum(known.values(), Fraction(0))
    return {name: one / whole for name, one in known.items()}


def off_aim(servers: Sequence[Weighed]) -> tuple[str, ...]:
    """The measured servers whose shares are not where they should be."""
    known = {one.name: one.weight for one in servers if one.worth is not None}
    if len(known) < 2:
        return ()
    wanted, has = aims(servers), shares(known)
    return tuple(name for name in known if not _is_near(has[name], wanted[name]))


def reweighed(servers: Sequence[Weighed], *, most: Fraction, heaviest: int) -> Weights:
    """The weights that they should get now, from 1 to `heaviest`; the same ones when all is well,
    or when no whole weights up to there come near enough.

    `most` is the most that a weight is changed, as a part of itself.
    """
    now = {one.name: one.weight for one in servers}
    known = {one.name: one.weight for one in servers if one.worth is not None}
    off = off_aim(servers)
    if not off:
        return now
    has = shares(known)
    wished = _step(has, aims(servers), most)
    last = now
    for tried in _tries(servers, wished, most, heaviest):
        got = shares({name: tried[name] for name in known})
        near = all(_is_near(got[name], wished[name]) for name in known)
        if not near or max(tried.values()) > heaviest or not _keeps(now, tried, known):
            continue
        if all(_is_half_way(has[name], got[name], wished[name]) for name in off):
            return tried
        last = tried
    return last


def _step(has: Shares, wanted: Shares, most: Fraction) -> Shares:
    """The shares to go for in this run: what some give, others take."""
    gives = {
        name: min(max(has[name] - wanted[name], Fraction(0)), most * has[name]) for name in has
    }
    takes = {
        name: min(max(wanted[name] - has[name], Fraction(0)), most * has[name]) for name in has
    }
    given, taken = sum(gives.values()), sum(takes.values())
    moved = min(given, taken)
    if not moved:
        return dict(has)
    return {
        name: has[name] - gives[name] * moved / given + takes[name] * moved / taken for name in has
    }


def _tries(
    servers: Sequence[Weighed], wished: Shares, most: Fraction, heaviest: int
) -> Iterator[dict[str, int]]:
    """Weights to try, those with the fewest changes first; they may yet be too far off."""
    yield from _with_few_changed(servers, wished, most)
    whole = sum(one.weight for one in servers if one.worth is not None)
    top = max(
        *(Fraction(one.weight) for one in servers), *(share * whole for share in wished.values())
    )
    largest = heaviest / top
    scales = [Fraction(one) for one in range(1, min(COARSEST, math.floor(largest)) + 1)]
    off = off_aim(servers)
    for scale in scales or [largest]:
        tried = {one.name: max(1, round(one.weight * scale)) for one in servers}
        for name, share in wished.items():
            ideal = share * whole * scale
            tried[name] = _moved(ideal, tried[name]) if name in off else max(1, round(ideal))
        yield tried


def _with_few_changed(
    servers: Sequence[Weighed], wished: Shares, most: Fraction
) -> Iterator[dict[str, int]]:
    """One changed, two changed…: those furthest off, beside which the others stay as they are."""
    now = {one.name: one.weight for one in servers}
    known = {one.name: one.weight for one in servers if one.worth is not None}
    has = shares(known)
    distance = {name: abs(wished[name] - has[name]) for name in known}
    order = sorted(known, key=lambda name: (-distance[name], name))
    for count in range(1, len(order)):
        moved, rest = order[:count], order[count:]
        if distance[moved[-1]] == distance[rest[0]]:
            continue  # who is as far off is treated alike
        parts = sum((wished[name] for name in rest), Fraction(0))
        whole = sum(known[name] for name in rest) / parts
        to = {name: _moved(wished[name] * whole, known[name]) for name in moved}
        if all(abs(to[name] - known[name]) <= max(Fraction(1), most * known[name]) for name in to):
            yield {**now, **to}


def _moved(ideal: Fraction, now: int) -> int:
    """The nearest whole weight, but another one than now."""
    weight = max(1, round(ideal))
    return weight if weight != now else max(1, now + (1 if ideal > now else -1))


def _keeps(now: Weights, tried: Weights, known: Collection[str]) -> bool:
    """Whether those that are not measured keep their parts of the whole."""
    before, after = shares(now), shares(tried)
    return all(_is_near(after[name], before[name]) for name in now if name not in known)


def _is_half_way(has: Fraction, got: Fraction, wished: Fraction) -> bool:
    """Whether at least half of a step is made: near is soon said of a small one."""
    return 2 * (got - has) / (wished - has) >= 1 if wished != has else True


def _is_near(share: Fraction, wanted: Fraction) -> bool:
    return abs(share - wanted) <= max(LEAST, RELATIVE * wanted)


def _quarters(value: Fraction, least: Fraction) -> Fraction:
    """Rounded up to quarters, from `least` to 1."""
    return min(Fraction(1), max(least, Fraction(math.ceil(value * PARTS), PARTS)))
