"""GPUs as nvidia-smi tells of them, or does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, LptuiError, ProblemKind
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.reading import Key
from lptui.probes.gpu.parse import parse_cards, parse_cuda, parse_processes
from lptui.probes.gpu.probe import FEW, FULL, OLDER, GpuProbe
from lptui.transport.protocols import Command, Output
from tests.unit.probes.host.given import HOST, asking, ran
from tests.unit.probes.hostile import HOSTILE

SAMPLES = Path(__file__).parent / "samples"
CARDS = (SAMPLES / "cards.txt").read_text()
PROCESSES = (SAMPLES / "processes.txt").read_text()
MIB = 1024 * 1024
REPORT = (SAMPLES / "compute.txt").read_text()
INVALID = 'Field "{}" is not a valid field to query.\n'


def test_a_card_s_values() -> None:
    (card, _, _), driver = parse_cards(CARDS, FULL)
    assert driver == "550.54.14"
    assert (card.index, card.name) == (0, "NVIDIA GeForce RTX 3080")
    assert [card.temperature_c, card.fan, card.power_w, card.power_limit_w] == [71, 64, 231.51, 320]
    assert [card.utilisation, card.encoder, card.decoder, card.encoder_sessions] == [38, 61, 24, 5]
    assert (card.encoder_fps, card.encoder_latency_us) == (148, 8123)
    assert (card.memory_used, card.memory_total) == (3321 * MIB, 10240 * MIB)
    assert (card.performance_state, card.throttled, card.problem) == ("P2", False, "")
    assert card.ecc_uncorrected is None


def test_a_sick_card_has_no_values_but_says_why() -> None:
    _, card, _ = parse_cards(CARDS, FULL)[0]
    assert card.problem == "GPU requires reset"
    for value in (card.temperature_c, card.utilisation, card.memory_used, card.throttle_reasons):
        assert value is None
    assert card.throttled is None


def test_what_a_card_does_not_have_is_unknown() -> None:
    _, _, card = parse_cards(CARDS, FULL)[0]
    assert (card.encoder, card.encoder_sessions, card.encoder_fps) == (None, None, None)
    assert card.encoder_latency_us is None
    assert card.memory_used == 0
    assert card.mig
    assert card.throttle_words == "sw thermal, hw thermal"
    assert card.problem == ""


def test_one_value_that_the_driver_fails_to_read_is_no_sick_card() -> None:
    line = CARDS.splitlines()[0].replace("231.51", "[Unknown Error]")
    (card,), _ = parse_cards(line, FULL)
    assert (card.power_w, card.problem) == (None, "")


def test_a_strange_name_spoils_nothing_else() -> None:
    strange = CARDS.splitlines()[0].replace("RTX 3080", 'RTX, "3080\r\x1b[2J\x85')
    (card,), _ = parse_cards(strange, FULL)
    assert (card.name, card.temperature_c) == ('NVIDIA GeForce RTX, "3080', 71.0)


def test_processes_with_and_without_name_and_memory() -> None:
    first, hidden, odd = parse_processes(PROCESSES)
    assert (first.pid, first.name, first.memory) == (4242, "/usr/local/bin/livepeer", 1180 * MIB)
    assert (hidden.name, hidden.memory) == ("", None)
    assert (odd.name, odd.memory) == ("/opt/a, b/livepeer", 20 * MIB)


@pytest.mark.parametrize("text", ["", "1, 2, 3", "No devices were found"])
def test_rows_of_another_shape_are_refused(text: str) -> None:
    with pytest.raises(BadAnswerError):
        parse_cards(text, FULL)


class Driver:
    """An nvidia-smi that knows some fields."""

    def __init__(self, known: tuple[str, ...], version: str) -> None:
        self.known, self.version = set(known), version
        self.queries: list[tuple[str, ...]] = []
        self.reports = 0

    def __call__(self, command: Command) -> Any:
        if command.argv[1:] == ("-q", "-d", "COMPUTE"):
            self.reports += 1
            return REPORT
        option, _, value = command.argv[1].partition("=")
        if option == "--query-compute-apps":
            return PROCESSES
        fields = tuple(value.split(","))
        self.queries.append(fields)
        for field in fields:
            if field not in self.known:
                return Output(INVALID.format(field).encode(), 2)
        row = dict(zip(FULL, CARDS.splitlines()[0].split(", "), strict=True))
        row |= {OLDER[-1]: row[FULL[-1]], "driver_version": self.version}
        return ", ".join(row[field] for field in fields) + "\n"


async def _ask(commands: Any, before: HostGpus | None = None) -> HostGpus:
    known = {Key(HostGpus, HOST): before} if before else {}
    given_, _ = asking(commands, known=known)
    [answer] = await GpuProbe().ask(given_, HOST)
    assert isinstance(answer.value, HostGpus)
    return answer.value


@pytest.mark.parametrize(
    ("known", "version", "tries"), [(FULL, "550.54", 1), (OLDER, "470.1", 2), (FEW, "390.2", 3)]
)
async def test_asks_for_less_where_the_driver_knows_less_and_remembers(
    known: tuple[str, ...], version: str, tries: int
) -> None:
    driver = Driver(known, version)
    first = await _ask(driver)
    assert len(driver.queries) == tries
    assert first.gpus[0].temperature_c == 71
    assert len(first.processes or ()) == 3
    assert await _ask(driver, first) == first
    assert len(driver.queries) == tries + 1, "the query that worked was the first to be tried"
    assert (first.cuda, driver.reports) == ("12.4", 1), "CUDA goes with the driver"


async def test_cuda_is_asked_for_again_after_an_upgrade() -> None:
    before = await _ask(Driver(FULL, "535.1"))
    driver = Driver(FULL, "550.54")
    await _ask(driver, before)
    assert driver.reports == 1


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("CUDA Version                              : 12.4", "12.4"),
        ("CUDA UMD Version                          : 13.3", "13.3"),
        ("CUDA Version                              : N/A", ""),
        ("Driver Version                            : 390.25", ""),
        ("    CUDA Version : 9.9", ""),
    ],
)
def test_the_cuda_of_each_driver_s_report(line: str, version: str) -> None:
    head = REPORT.partition("CUDA")[0]
    assert parse_cuda(f"{head}{line}\nAttached GPUs : 1\n") == version


async def test_a_report_that_fails_costs_nothing_of_the_cards() -> None:
    def tool(command: Command) -> Any:
        return Output(b"", 124) if command.argv[1] == "-q" else CARDS

    found = await _ask(tool)
    assert (len(found.gpus), found.cuda) == (3, None)


async def test_a_card_that_hangs_is_waited_for_once() -> None:
    given_, reach = asking({("nvidia-smi",): Output(b"", 124)})
    with pytest.raises(LptuiError, match="hangs"):
        await GpuProbe().ask(given_, HOST)
    assert len(ran(reach)) == 1


async def test_processes_that_are_not_told_cost_nothing_of_the_cards() -> None:
    def tool(command: Command) -> Any:
        return Output(b"", 124) if "apps" in command.argv[1] else CARDS

    found = await _ask(tool)
    assert (len(found.gpus), found.processes) == (3, None)


async def test_no_tool_is_no_error() -> None:
    assert await _ask({}) == HostGpus()


async def test_a_tool_without_cards_has_no_cards() -> None:
    none = Output(b"No devices were found\n", 6)
    assert await _ask({("nvidia-smi",): none}) == HostGpus(tool="nvidia-smi")


@pytest.mark.parametrize(
    ("status", "said", "kind", "remedy"),
    [
        (124, "", ProblemKind.TIMEOUT, "Xid"),
        (137, "", ProblemKind.TIMEOUT, "Xid"),
        (126, "", ProblemKind.FORBIDDEN, "group"),
        (4, "Failed to initialize NVML: Insufficient Permissions", ProblemKind.FORBIDDEN, "group"),
        (0, "", ProblemKind.BAD_ANSWER, "nvidia-smi"),
        (0, "<html>", ProblemKind.BAD_ANSWER, "nvidia-smi"),
        (1, "\x1b[2Jwhat", ProblemKind.COMMAND_FAILED, "kernel log"),
        (255, "Failed to initialize NVML: Unknown Error", ProblemKind.COMMAND_FAILED, "kernel log"),
    ],
)
async def test_ways_to_fail(status: int, said: str, kind: ProblemKind, remedy: str) -> None:
    with pytest.raises(LptuiError) as caught:
        await _ask({("nvidia-smi",): Output(said.encode(), status)})
    assert caught.value.kind is kind
    assert remedy in caught.value.remedy
    assert "\x1b" not in str(caught.value)


NVML = "Failed to initialize NVML: "
NO_HANDLE = "Unable to determine the device handle for GPU0000:0A:00.0: Unknown Error"


@pytest.mark.parametrize(
    ("status", "said", "advice"),
    [
        (
            9,
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
            "modp",
        ),
        (255, f"{NVML}Driver Not Loaded", "modprobe"),
        (18, f"{NVML}Driver/library version mismatch\nNVML library version: 550.54", "reboot"),
        (1, f"{NVML}Driver/library version mismatch", "reboot"),
        (15, "", "Xid"),
        (15, "Unable to determine the device handle for GPU 0000:0A:00.0: GPU is lost.", "Xid"),
        (255, NO_HANDLE, "Xid"),
    ],
)
async def test_a_driver_that_does_not_work_is_told_as_a_fact(
    status: int, said: str, advice: str
) -> None:
    found = await _ask({("nvidia-smi",): Output(f"{said}\n".encode(), status)})
    assert (found.gpus, found.tool) == ((), "nvidia-smi")
    assert found.fault == (said.split("\n")[0] or f"it ended with status {status}")
    assert advice in found.advice


@pytest.mark.parametrize("status", [0, 15, 255])
async def test_the_other_cards_are_seen_when_one_is_lost(status: int) -> None:
    said = CARDS.splitlines()[0] + f"\n{NO_HANDLE}\n"
    found = await _ask({("nvidia-smi",): Output(said.encode(), status)})
    assert [card.temperature_c for card in found.gpus] == [71]
    assert found.fault == NO_HANDLE


_WORD = st.sampled_from(["[N/A]", "0", "0x40", "ERR!", "", '"', "[GPU requires reset]"])
_ROW = st.lists(_WORD | st.text(max_size=8), min_size=len(FULL), max_size=len(FULL)).map(", ".join)


@HOSTILE
@given(st.lists(_ROW | st.text(max_size=30), max_size=3).map("\n".join))
@example("0," + "9" * 200_000)
@example("," * 400)
@example(NO_HANDLE)
def test_any_text_is_cards_or_a_bad_answer(text: str) -> None:
    parse_processes_or_refuse(text)
    try:
        cards, _ = parse_cards(text, FULL)
    except BadAnswerError:
        return
    assert cards


def parse_processes_or_refuse(text: str) -> None:
    try:
        parse_processes(text)
    except BadAnswerError:
        return
