"""The ways to a fleet and within it, tried for real: TLS servers, a jump host, names."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.fleet import Document, RealFleet
from tests.e2e.servers import unused_port
from tests.rawserver import http_server, ok
from tests.tls import certificate

NAME = "many.example.org"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return certificate(tmp_path_factory.mktemp("tls"), "orchestrator")[0]


@contextlib.contextmanager
def server(fleet: RealFleet, tls: ssl.SSLContext | None) -> Iterator[int]:
    """The port of a server that answers as a node's public port does."""
    with fleet.stage.holding(http_server(lambda _: ok(b""), tls=tls)) as one:
        yield one.port


def redeemer_at(port: int) -> Document:
    return {"service_uri": f"https://127.0.0.1:{port}"}


def test_the_redeemer_is_reached_from_each_orchestrators_host(
    real_fleet: RealFleet, tls: ssl.SSLContext
) -> None:
    with server(real_fleet, tls) as port:
        outcome = real_fleet.check(
            lambda document: document["nodes"]["redeemer"].update(redeemer_at(port))
        )
    for node in ("orch-1", "orch-2"):
        assert outcome.severity(f"redeemer-link@{node}") == "OK"
        value = outcome.reading("RedeemerLink", node)["value"]
        assert value["attempt"]["address"] == f"127.0.0.1:{port}"
        assert len(value["attempt"]["certificate"]) == 64


def test_a_redeemer_that_is_gone_is_critical_for_each_orchestrator(real_fleet: RealFleet) -> None:
    with unused_port() as port:
        outcome = real_fleet.check(
            lambda document: document["nodes"]["redeemer"].update(redeemer_at(port))
        )
    assert outcome.code == 2
    found = outcome.finding("redeemer-link@orch-1")
    assert found["severity"] == "CRITICAL"
    assert f"127.0.0.1:{port}" in found["summary"]
    assert "not redeemed" in found["remedy"]


def test_a_port_that_speaks_no_tls_is_not_the_redeemer(real_fleet: RealFleet) -> None:
    port = real_fleet.haproxy.port
    outcome = real_fleet.check(
        lambda document: document["nodes"]["redeemer"].update(redeemer_at(port))
    )
    assert outcome.severity("redeemer-link@orch-1") == "CRITICAL"
    assert "TLS" in outcome.finding("redeemer-link@orch-1")["summary"]


@pytest.fixture
def knowing(real_fleet: RealFleet, tmp_path: Path) -> RealFleet:
    """The fleet, asked on a machine where a name has three addresses."""
    if os.geteuid() != 0:
        pytest.skip("only root can have a file of hosts of its own")
    hosts = tmp_path / "hosts"
    lines = ["127.0.0.1 localhost", *(f"127.0.0.{number} {NAME}" for number in (1, 2, 3))]
    hosts.write_text("\n".join([*lines, ""]))
    enter = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    operator = replace(real_fleet.operator, prefix=("unshare", "-m", "sh", "-c", enter, "sh"))
    return replace(real_fleet, operator=operator)


def advertises(uri: str) -> Document:
    return {"service_uri": uri}


def test_each_address_of_a_public_name_is_tried_by_itself(
    knowing: RealFleet, tls: ssl.SSLContext
) -> None:
    with server(knowing, tls) as port:  # it listens on the first address alone
        uri = f"https://{NAME}:{port}"

        def edit(document: Document) -> None:
            document["public_addresses"] = True
            document["nodes"]["orch-1"].update(advertises(uri))
            document["nodes"]["orch-2"].update(advertises(f"https://127.0.0.1:{port}"))

        outcome = knowing.check(edit)
    found = outcome.finding("public-address@orch-1")
    assert found["severity"] == "CRITICAL"
    assert f"2 of 3 addresses of {uri} do not answer" in found["summary"]
    assert f"127.0.0.2:{port} (connection refused)" in found["summary"]
    assert outcome.severity("public-address@orch-2") == "OK"
    [value] = [one for one in outcome.json["readings"] if one["topic"] == "PublicAddresses"]
    tried = {place["uri"]: place["attempts"] for place in value["value"]["places"]}
    assert [bool(one["problem"]) for one in tried[uri]] == [False, True, True]


def test_a_public_name_that_nobody_knows_is_critical(knowing: RealFleet) -> None:
    outcome = knowing.check(lambda document: document.update(public_addresses=True))
    found = outcome.finding("public-address@main")
    assert found["severity"] in ("CRITICAL", "UNKNOWN")  # without any DNS, nothing is known
    assert "cannot be resolved" in found["summary"]
    assert "orchestrator main, balancer edge" in found["evidence"][0]
