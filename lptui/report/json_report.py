"""JSON for scripts: the findings, and the whole snapshot; their schemas are in `schemas/`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from lptui import __version__
from lptui.checks import failing, overall
from lptui.checks.paging import worth_a_page
from lptui.checks.rpc_verdict import verdict
from lptui.fleet.facts.rpc import RpcUsage
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, Endpoint, Fleet, Host, Node, Rpc
from lptui.report import layout
from lptui.report.encode import Json, encode, integer, number, time
from lptui.report.rewards import rewards
from lptui.report.topics import TOPICS

SCHEMA_VERSION: Final = 1


def check_document(
    snapshot: Snapshot, findings: Sequence[Finding], *, page_only: bool = False
) -> dict[str, Json]:
    """What `lptui --headless check --format json` prints.

    With `page_only` the status is that of what is worth a page; all findings are told.
    """
    counted = worth_a_page(findings) if page_only else findings
    return {
        **_head("check", snapshot, findings, overall(counted)),
        "page_only": page_only,
        "findings": [_finding(found) for found in findings],
        "readings": _readings(snapshot),
    }


def status_document(snapshot: Snapshot, findings: Sequence[Finding]) -> dict[str, Json]:
    """What `lptui --headless status --format json` prints: all that the panes know."""
    return {
        **_head("status", snapshot, findings, overall(findings)),
        "topology": _topology(snapshot.fleet),
        "layout": layout.document(snapshot),
        "rewards": rewards(snapshot),
        "rpc_verdicts": [_verdict(name, snapshot, findings) for name in snapshot.fleet.rpcs],
        "readings": _readings(snapshot),
        "findings": [_finding(found) for found in findings],
    }


def dump(document: Mapping[str, Json]) -> str:
    """A document as text. It is ASCII, so no terminal or log can break it."""
    return json.dumps(document, ensure_ascii=True, allow_nan=False, indent=2) + "\n"


def _head(
    kind: str, snapshot: Snapshot, findings: Sequence[Finding], status: Severity
) -> dict[str, Json]:
    counts = dict.fromkeys(Severity, 0)
    for found in findings:
        counts[found.severity] += 1
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "lptui_version": __version__,
        "collected_at": time(snapshot.taken_at),
        "complete": snapshot.complete,
        "fleet": snapshot.fleet.name,
        "demo": snapshot.fleet.demo,
        "status": status.name,
        "exit_code": int(status),
        "summary": {
            "findings": len(findings),
            "failing": len(failing(findings)),
            "explained": sum(bool(found.severity and found.cause) for found in findings),
            **{severity.name.lower(): count for severity, count in counts.items()},
        },
    }


def _verdict(name: str, snapshot: Snapshot, findings: Sequence[Finding]) -> dict[str, Json]:
    told = verdict(name, findings)
    usage = snapshot.value(RpcUsage, name)
    return {
        "rpc": name,
        "verdict": told.word,
        "severity": told.severity.name,
        "because": told.because.id if told.because else None,
        "evidence": list(told.because.evidence) if told.because else [],
        "requests": usage.requests if usage is not None else None,
        "log_queries": usage.log_queries if usage is not None else None,
    }


def _finding(found: Finding) -> dict[str, Json]:
    return {
        "id": found.id,
        "check": found.check,
        "target": found.target,
        "subject": found.subject,
        "severity": found.severity.name,
        "summary": found.summary,
        "evidence": list(found.evidence),
        "remedy": found.remedy or None,
        "action": found.action or None,
        "cause": found.cause or None,
        "page": None
        if found.page is None
        else {
            "now": found.page.now,
            "why": found.page.why,
            "waits_until": time(found.page.until),
        },
        "metrics": [
            {
                "label": metric.label,
                "value": _metric(metric.value, metric.unit),
                "unit": metric.unit or None,
                "warn": metric.warn or None,
                "critical": metric.critical or None,
            }
            for metric in found.metrics
        ],
    }


def _metric(value: float | None, unit: str) -> Json:
    if value is None:
        return None
    if isinstance(value, int):
        return str(value) if unit in ("wei", "lptu") else integer(value)
    return number(value)


def _readings(snapshot: Snapshot) -> list[Json]:
    order = {topic: at for at, topic in enumerate(TOPICS)}
    last = len(order)

    def place(item: tuple[Key, Reading[object]]) -> tuple[int, str, str]:
        key = item[0]
        return order.get(key.topic, last), key.topic.__name__, key.target

    return [_reading(snapshot, key, r) for key, r in sorted(snapshot.readings.items(), key=place)]


def _reading(snapshot: Snapshot, key: Key, reading: Reading[object]) -> dict[str, Json]:
    now = snapshot.taken_at
    problem, last_good = reading.problem, reading.last_good
    return {
        "topic": key.topic.__name__,
        "target": key.target,
        "value": encode(reading.value),
        "source": reading.source,
        "taken_at": time(reading.taken_at) if reading.taken_at else None,
        "age_seconds": number(reading.age(now), 3),
        "took_seconds": number(reading.took_s, 6),
        "interval_seconds": number(reading.interval_s, 3),
        "stale": reading.is_stale(now, snapshot.fleet.thresholds.stale_intervals),
        "error": None
        if problem is None
        else {
            "kind": problem.kind.value,
            "what": problem.what,
            "why": problem.why,
            "remedy": problem.remedy or None,
        },
        "last_good": None
        if last_good is None
        else {
            "value": encode(last_good.value),
            "taken_at": time(last_good.taken_at),
            "age_seconds": number(last_good.age(now), 3),
        },
    }


def _topology(fleet: Fleet) -> dict[str, Json]:
    chain = fleet.chain
    return {
        "production": fleet.production,
        "hosts": [_host(host) for host in fleet.hosts.values()],
        "nodes": [_node(node) for node in fleet.nodes.values()],
        "rpcs": [_rpc(rpc) for rpc in fleet.rpcs.values()],
        "balancers": [_balancer(balancer) for balancer in fleet.balancers.values()],
        "signers": [
            {"name": signer.name, "address": signer.address, "role": signer.role}
            for signer in fleet.signers
        ],
        "chain": None
        if chain is None
        else {
            "network": chain.network,
            "chain_id": chain.chain_id,
            "controller": chain.controller,
            "rpcs": list(chain.rpcs),
            "orchestrators": [
                {
                    "name": item.name,
                    "address": item.address,
                    "service_uri": item.service_uri,
                    "reward_caller": item.reward_caller,
                }
                for item in chain.orchestrators
            ],
        },
    }


def _host(host: Host) -> dict[str, Json]:
    return {
        "name": host.name,
        "address": (host.ssh.address or host.ssh.alias) if host.ssh else None,
        "region": host.region or None,
        "tags": sorted(host.tags),
        "gpus": host.gpus,
    }


def _node(node: Node) -> dict[str, Json]:
    return {
        "name": node.name,
        "host": node.host,
        "roles": sorted(role.value for role in node.roles),
        "tags": sorted(node.tags),
        "service": node.service.name if node.service else None,
        "cli": _place(node.cli),
        "account": node.account,
        "recipient": node.recipient,
        "service_uri": node.service_uri,
        "rpc": node.rpc,
        "transcoders": node.transcoders,
        "standby_for": node.standby_for,
    }


def _rpc(rpc: Rpc) -> dict[str, Json]:
    return {
        "name": rpc.name,
        "url": without_secrets(rpc.url),
        "via": rpc.via,
        "node": rpc.node,
        "reference": rpc.reference,
        "chain_id": None if rpc.chain_id is None else integer(rpc.chain_id),
    }


def _balancer(balancer: Balancer) -> dict[str, Json]:
    return {
        "name": balancer.name,
        "kind": balancer.kind.value,
        "host": balancer.host,
        "public_uri": balancer.public_uri,
        "backends": list(balancer.backends),
        "servers": dict(balancer.servers),
    }


def _place(endpoint: Endpoint | None) -> str | None:
    return None if endpoint is None else without_secrets(endpoint.url)


def without_secrets(url: str) -> str:
    """An address without what often hides a key: user, password, path, query.

    A path on this machine's own or a host's file system (`unix://`) is kept.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            return url
        port = f":{parts.port}" if parts.port else ""
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    except ValueError:
        return "…"
    more = "/…" if parts.path.strip("/") or parts.query or parts.fragment else ""
    return f"{parts.scheme}://{host}{port}{more}"
