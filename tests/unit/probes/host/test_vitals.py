"""The reading that recurs every two seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, CommandError, ProblemKind
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.reading import Key
from lptui.probes.host.vitals import HostVitalsProbe, parse, with_cpu_share
from lptui.transport.protocols import Output
from tests.unit.probes.host.given import HOST, asking, sample
from tests.unit.probes.hostile import HOSTILE

SAMPLE = sample("vitals.txt")


def test_reads_what_proc_says() -> None:
    vitals = parse(SAMPLE)
    assert (vitals.uptime_s, vitals.load_1m, vitals.load_15m) == (5212.49, 1.52, 0.59)
    assert (vitals.tasks_running, vitals.tasks) == (3, 389)
    # user nice system idle iowait irq softirq steal; guest time is in user time already
    assert vitals.cpu_total_ticks == 6327 + 10 + 4022 + 280890 + 512 + 7 + 88 + 13
    assert vitals.cpu_busy_ticks == vitals.cpu_total_ticks - 280890 - 512
    assert vitals.memory_total == 24684092 * 1024
    assert vitals.cpu_busy is None


@pytest.mark.parametrize("name", ["uptime", "load", "cpu", "MemTotal", "MemAvailable"])
def test_a_missing_or_broken_line_fails_the_reading(name: str) -> None:
    lines = SAMPLE.splitlines()
    without = "\n".join(line for line in lines if not line.startswith(name))
    with pytest.raises(BadAnswerError, match=name):
        parse(without)
    broken = "\n".join(f"{name} NaN" if line.startswith(name) else line for line in lines)
    with pytest.raises(BadAnswerError):
        parse(broken)


def test_cpu_share_is_between_two_readings() -> None:
    first = parse(SAMPLE)
    later = replace(
        first,
        uptime_s=first.uptime_s + 2,
        cpu_total_ticks=first.cpu_total_ticks + 400,
        cpu_busy_ticks=first.cpu_busy_ticks + 100,
    )
    assert with_cpu_share(later, first).cpu_busy == 25.0
    assert with_cpu_share(first, None).cpu_busy is None
    assert with_cpu_share(first, first).cpu_busy is None, "no tick has passed"
    assert with_cpu_share(first, later).cpu_busy is None, "rebooted in between"
    again = replace(later, cpu_busy_ticks=first.cpu_busy_ticks - 1)
    assert with_cpu_share(again, first).cpu_busy is None, "a counter went back"


async def test_asks_once_and_compares_with_the_reading_before() -> None:
    first = replace(parse(SAMPLE), uptime_s=1.0, cpu_total_ticks=0, cpu_busy_ticks=0)
    known = {Key(HostVitals, HOST): first}
    given_, reach = asking({("lptui_vitals",): SAMPLE}, known=known)
    [answer] = await HostVitalsProbe().ask(given_, HOST)
    assert isinstance(answer.value, HostVitals)
    assert answer.value.cpu_busy == pytest.approx(100 * 10467 / 291869)
    assert len(reach.asked) == 1


async def test_a_host_without_proc_is_a_problem() -> None:
    given_, _ = asking({("lptui_vitals",): Output(b"", 2)})
    with pytest.raises(CommandError) as caught:
        await HostVitalsProbe().ask(given_, HOST)
    assert caught.value.kind is ProblemKind.COMMAND_FAILED


_LINES = st.lists(st.sampled_from(SAMPLE.splitlines()) | st.text(max_size=30), max_size=14)


@HOSTILE
@given(_LINES.map("\n".join))
@example("cpu " + "9" * 5000)
def test_any_text_is_vitals_or_a_bad_answer(text: str) -> None:
    try:
        vitals = parse(text)
    except BadAnswerError:
        return
    assert vitals.memory_total > 0
