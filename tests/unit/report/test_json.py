"""The JSON reports: their schemas, exact money, null for unknown, no secrets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest

from lptui.checks import run_checks
from lptui.errors import ProblemKind
from lptui.fleet.facts.chain import SenderDeposit, SignerAccount
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.facts.money import AccountFlow, EarningsFlow, Flow, RoundFlow
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.units import L2Block, Round, Wei
from lptui.report import render_check, render_status
from lptui.report import schema as schemas
from lptui.report.json_report import without_secrets
from lptui.report.topics import TOPICS
from tests.snapshots import NETWORK, NOW, REDEEMER, REGISTERED, ROUND, FleetBuilder
from tests.unit.report.hostile import INTEGERS, NUMBERS, TEXTS, hostile


def documents(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Both documents, read as strictly as JSON goes."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    findings = run_checks(snapshot)
    texts = {
        "check": render_check(snapshot, findings, "json"),
        "status": render_status(snapshot, findings, "json"),
    }
    assert all(text.isascii() for text in texts.values())
    return {kind: json.loads(text, parse_constant=refuse) for kind, text in texts.items()}


def published(kind: str) -> dict[str, Any]:
    text = (schemas.FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


VALIDATORS = {
    kind: jsonschema_rs.Draft202012Validator(published(kind), validate_formats=True)
    for kind in ("check", "status")
}


def check_schema(snapshot: Snapshot) -> None:
    for kind, document in documents(snapshot).items():
        problems = [
            f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}"
            for error in VALIDATORS[kind].iter_errors(document)
        ]
        assert not problems, problems[:5]


@pytest.mark.parametrize("kind", ["check", "status"])
def test_published_schemas_are_valid_and_up_to_date(kind: str) -> None:
    jsonschema_rs.meta.validate(published(kind))
    file = schemas.FOLDER / f"{kind}.schema.json"
    assert file.read_text(encoding="utf-8") == schemas.text(kind), (
        "a fact has changed: run `python -m lptui.report.schema`"
    )


def test_schemas_tell_wrong_documents() -> None:
    good = documents(FleetBuilder().snapshot())["check"]
    assert VALIDATORS["check"].is_valid(good)
    changes: tuple[dict[str, Any], ...] = (
        {"schema_version": 2},
        {"status": "FINE"},
        {"exit_code": 4},
        {"findings": [{}]},
    )
    for change in changes:
        assert not VALIDATORS["check"].is_valid({**good, **change})
    as_number = json.loads(json.dumps(good))
    for reading in as_number["readings"]:
        if reading["topic"] == "SignerAccount":
            reading["value"]["balance_wei"] = 5
    assert not VALIDATORS["check"].is_valid(as_number)


def test_outputs_keep_to_the_schemas() -> None:
    check_schema(FleetBuilder().snapshot())
    check_schema(FleetBuilder().empty())
    check_schema(FleetBuilder().snapshot(after=10_000.0))
    check_schema(FleetBuilder().lose_host("core-1").snapshot())
    check_schema(FleetBuilder().configure(chain=None).snapshot())
    check_schema(replace(FleetBuilder().snapshot(), readings={}))


def test_every_kind_of_problem_keeps_to_the_schemas() -> None:
    fleet = FleetBuilder()
    keys = list(fleet.readings)
    for key, kind in zip(keys, ProblemKind, strict=False):
        fleet.fail(key.topic, key.target, kind)
    assert len(keys) > len(ProblemKind)
    check_schema(fleet.snapshot())


@pytest.mark.parametrize("text", TEXTS[:2])
@pytest.mark.parametrize(("number", "integer"), list(zip(NUMBERS, INTEGERS, strict=False)))
def test_hostile_outputs_keep_to_the_schemas(text: str, number: float, integer: int) -> None:
    check_schema(hostile(text, number, integer, failing=True))


def reading(snapshot: Snapshot, topic: str, target: str) -> Any:
    found = documents(snapshot)["check"]["readings"]
    return next(item for item in found if (item["topic"], item["target"]) == (topic, target))


def test_every_topic_has_its_definition() -> None:
    for kind in ("check", "status"):
        assert {topic.__name__ for topic in TOPICS} <= set(published(kind)["$defs"])
    assert {key.topic for key in FleetBuilder().readings} <= set(TOPICS)


def test_the_head_of_a_document() -> None:
    fleet = FleetBuilder().lose_host("edge-1")
    document = documents(fleet.snapshot())["check"]
    assert document["schema_version"] == 1
    assert document["collected_at"] == "2027-01-15T08:00:00.000Z"
    assert (document["status"], document["exit_code"]) == ("CRITICAL", 2)
    assert document["summary"]["failing"] == 1
    explained = sum(one["cause"] == "host-up@edge-1" for one in document["findings"])
    assert document["summary"]["explained"] == explained > 20
    assert document["findings"][0]["id"] == "host-up@edge-1"


def test_money_is_strings_and_units_are_in_the_names() -> None:
    fleet = FleetBuilder().change(SignerAccount, REGISTERED, balance=Wei(10**30 + 1))
    value = reading(fleet.snapshot(), "SignerAccount", REGISTERED)["value"]
    assert value["balance_wei"] == str(10**30 + 1)
    vitals = reading(fleet.snapshot(), "HostVitals", "edge-1")["value"]
    assert vitals["uptime_seconds"] == 864_000.0
    assert vitals["memory_total_bytes"] == 64 * 1024**3
    assert vitals["cpu_busy_percent"] == 12.5
    gpu = reading(fleet.snapshot(), "HostGpus", "gpu-1")["value"]["gpus"][0]
    assert (gpu["temperature_celsius"], gpu["power_watts"]) == (61.0, 55.0)
    record = reading(fleet.snapshot(), "OrchestratorRecord", "main")["value"]
    assert (record["reward_cut_ppm"], record["fee_share_ppm"]) == (100_000, 500_000)
    round_ = reading(fleet.snapshot(), "ChainRound", NETWORK)["value"]
    assert round_["length_blocks"] > 0
    head = reading(fleet.snapshot(), "RpcHead", "nitro")["value"]
    assert head["head_time"] == "2027-01-15T07:59:58.000Z"
    assert head["gas_price_wei"] == "10000000"
    balance = next(
        f for f in documents(fleet.snapshot())["check"]["findings"] if f["id"] == "balance@redeemer"
    )
    assert balance["metrics"][0]["value"] == str(2 * 10**17)


def test_a_gateways_deposit_has_its_money_as_strings_too() -> None:
    fleet = FleetBuilder().put(SenderDeposit(Wei(1), Wei(2), Round(0)), REDEEMER)
    value = reading(fleet.snapshot(), "SenderDeposit", REDEEMER)["value"]
    assert value == {"deposit_wei": "1", "reserve_wei": "2", "withdraw_round": 0}


def test_amounts_by_round_tell_what_they_are_of() -> None:
    parts = (RoundFlow(ROUND, 5, 7, 60.0, 2, 1),)
    flow = Flow(10**18, 3, ROUND, NOW, parts)
    fleet = FleetBuilder().put(AccountFlow(flow), REDEEMER).put(EarningsFlow(None, flow), "main")
    balance = reading(fleet.snapshot(), "AccountFlow", REDEEMER)["value"]["balance"]
    assert (balance["amount_wei"], balance["nonce"]) == (str(10**18), 3)
    assert (balance["rounds"][0]["down_wei"], balance["rounds"][0]["up_wei"]) == ("5", "7")
    earned = reading(fleet.snapshot(), "EarningsFlow", "main")["value"]
    assert (earned["fees"], earned["stake"]["amount_lptu"]) == (None, str(10**18))
    assert earned["stake"]["rounds"][0]["up_lptu"] == "7"


def test_integers_beyond_what_readers_keep_exact_are_strings() -> None:
    fleet = FleetBuilder().change(RpcHead, "nitro", head=L2Block(2**256 - 1))
    assert reading(fleet.snapshot(), "RpcHead", "nitro")["value"]["head"] == str(2**256 - 1)


def test_unknown_is_null_and_never_zero() -> None:
    fleet = FleetBuilder().change_gpu("gpu-1", 0, temperature_c=None, encoder=None)
    gpu = reading(fleet.snapshot(), "HostGpus", "gpu-1")["value"]["gpus"][0]
    assert gpu["temperature_celsius"] is None
    assert gpu["encoder_percent"] is None


def test_a_failed_reading_has_its_error_and_the_last_good_one_its_age() -> None:
    fleet = FleetBuilder().fail(HostVitals, "edge-1", ProblemKind.TIMEOUT, "no answer in 8 s")
    found = reading(fleet.snapshot(), "HostVitals", "edge-1")
    assert found["value"] is None
    assert found["error"]["kind"] == "timeout"
    assert found["error"]["why"] == "no answer in 8 s"
    assert found["age_seconds"] == 1.0
    assert found["last_good"]["age_seconds"] == 30.0
    assert found["last_good"]["value"]["uptime_seconds"] == 864_000.0


def test_status_has_the_whole_fleet() -> None:
    document = documents(FleetBuilder().snapshot())["status"]
    topology = document["topology"]
    assert len(topology["hosts"]) == 6
    assert {node["name"] for node in topology["nodes"]} >= {"orch-1", "redeemer", "nitro-1"}
    assert topology["chain"]["network"] == NETWORK
    assert len(document["readings"]) == len(FleetBuilder().readings)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@rpc.example.net/v2/KEY?token=x", "https://rpc.example.net/…"),
        ("https://rpc.example.net:8545", "https://rpc.example.net:8545"),
        ("https://rpc.example.net/", "https://rpc.example.net"),
        ("http://[::1]:8545/", "http://[::1]:8545"),
        ("unix:///run/geth.ipc", "unix:///run/geth.ipc"),
        ("http://[broken", "…"),
    ],
)
def test_addresses_are_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


def test_no_secret_of_an_address_is_in_any_document() -> None:
    fleet = FleetBuilder().configure_rpc("reference", url="https://rpc.example.net/v2/TOPSECRET")
    for document in documents(fleet.snapshot()).values():
        assert "TOPSECRET" not in json.dumps(document)
