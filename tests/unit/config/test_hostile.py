"""Whatever stands in the file: a fleet or mistakes, soon, and nothing else."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lptui.config import ConfigMistakes, load, load_fleet
from lptui.config.check import fleet_of
from lptui.config.load import FILE_LIMIT, decode, parse_document
from lptui.fleet.topology import Fleet

EXAMPLE = Path(__file__).parents[3] / "config.example.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
WORDS = sorted(
    {word for line in TEXT.splitlines() for word in line.replace(":", " ").split()}
    | {"null", "~", "true", "[]", "{}", "-1", "0", "1.5", "9" * 50, "", "x" * 300, "[red]x[/]", "é"}
)
MODERATE = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def outcome(text: str) -> Fleet | ConfigMistakes:
    """A fleet or mistakes; anything else that is raised fails the test."""
    try:
        return fleet_of(parse_document(text, "f.yaml"), Path("f.yaml"))
    except ConfigMistakes as error:
        refused = error
    assert refused.mistakes
    for found in refused.mistakes:
        assert str(found).isprintable()
        assert len(str(found)) < 2000
        assert 1 <= found.line <= len(text.splitlines()) + 2
        assert found.column >= 1
    return refused


@MODERATE
@given(st.binary(max_size=400))
@example(b"\xef\xbb\xbf")
@example(b"\x00")
@example(b"a: \xed\xa0\x80")
def test_any_bytes(raw: bytes) -> None:
    try:
        text = decode(raw, "f.yaml")
    except ConfigMistakes:
        return
    outcome(text)


@pytest.mark.parametrize("loader", [load._LOADER, yaml.SafeLoader])
@MODERATE
@given(text=st.text(max_size=300))
@example(text="!!binary x: !!set {a}")
@example(text="? ? ? a")
@example(text="a: &a !!map {<<: [*a]}")
@example(text="hosts: {? [a] : b}")
@example(text="&a *a")
def test_any_text(loader: object, text: str) -> None:
    """With the fast parser, and with the one of systems where it is not built."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "_LOADER", loader)
        outcome(text)


SCALARS = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=6)), inner, max_size=5),
    ),
    max_leaves=20,
)


@MODERATE
@given(st.dictionaries(st.sampled_from(WORDS), TREES, max_size=6))
def test_any_tree(tree: object) -> None:
    outcome(yaml.safe_dump(tree, allow_unicode=True))


def _paths(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    found = [path] if path else []
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        found += _paths(inner, (*path, key))
    return found


PATHS = _paths(yaml.safe_load(TEXT))


@MODERATE
@given(st.lists(st.tuples(st.sampled_from(PATHS), TREES), min_size=1, max_size=4))
def test_the_example_with_some_values_replaced(
    changes: list[tuple[tuple[object, ...], object]],
) -> None:
    tree = yaml.safe_load(TEXT)
    for path, value in changes:
        here = tree
        try:
            for part in path[:-1]:
                here = here[part]
            here[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    outcome(yaml.safe_dump(tree, allow_unicode=True))


@pytest.mark.parametrize("seed", range(60))
def test_the_example_with_characters_changed(seed: int) -> None:
    chance = random.Random(seed)
    text = list(TEXT)
    for _ in range(chance.randint(1, 12)):
        place = chance.randrange(len(text))
        text[place] = chance.choice(
            ["", " ", "\n", "\t", ":", "{", "}", "[", "]", "'", '"', "&", "*", "é"]
        )
    outcome("".join(text))


@pytest.mark.parametrize("length", range(0, len(TEXT), 499))
def test_the_example_cut_anywhere(length: int) -> None:
    outcome(TEXT[:length])


@pytest.mark.parametrize(
    "text",
    [
        "[" * FILE_LIMIT,
        "{" * FILE_LIMIT,
        "{a: " * (FILE_LIMIT // 4),
        "- " * (FILE_LIMIT // 2),
        "a: [" + "[]," * (FILE_LIMIT // 3),
        "a: {" + "b: 1," * (FILE_LIMIT // 5),
        "a: {" + ", ".join(f"k{n}: 1" for n in range(70_000)) + "}",
        "".join(f"k{n}: 1\n" for n in range(90_000)),
        "hosts:\n" + "".join(f" h{n}: {{jump: h{n + 1}, address: b}}\n" for n in range(20_000)),
        "nodes:\n" + "".join(f" n{n}: {{host: x{n}}}\n" for n in range(30_000)),
        "hosts:\n" + "".join(f" h{n}: {{jump: x{n}, address: b}}\n" for n in range(20_000)),
        "hosts:\n" + "".join(f" h{n}: {{jump: h{n + 1}, address: b}}\n" for n in range(15_000)),
        "hosts:\n" + "".join(f" h{n}: {{jump: x{n}, address: b}}\n" for n in range(15_000)),
        "hosts:\n" + "".join(f" h{n}: {{jump: [h{n}, h0, h9], ssh: b}}\n" for n in range(10_000)),
        "nodes:\n" + "".join(f" n{n}: {{host: x, role: rpc}}\n" for n in range(15_000)),
        "rpcs:\n" + "".join(f" r{n}: {{url: 'http://x', node: r{n}}}\n" for n in range(15_000)),
        "".join(f"k{n}: 1\n" for n in range(45_000)),
        "a: " + "x" * (FILE_LIMIT - 10),
        "a: '" + "x " * (FILE_LIMIT // 2 - 10) + "'",
        "a: |\n" + " x\n" * (FILE_LIMIT // 3 - 10),
        "&a " * (FILE_LIMIT // 3),
        "? " * (FILE_LIMIT // 2),
        "a: " + "!" * (FILE_LIMIT - 10),
        "#" * FILE_LIMIT,
        "\n" * FILE_LIMIT,
        "a: 1\n" * (FILE_LIMIT // 5),
        "hosts: {a: {address: '" + "a." * (FILE_LIMIT // 2 - 20) + "'}}",
        "intervals: {fast: '" + "1s" * (FILE_LIMIT // 2 - 20) + "'}",
        "intervals: {fast: " + "9" * (FILE_LIMIT - 30) + "}",
        "thresholds: {balance_warn: '" + "9" * (FILE_LIMIT - 40) + " ETH'}",
    ],
    ids=lambda text: f"{text[:24]!r}-{len(text)}",
)
def test_huge_files_end_soon(text: str) -> None:
    started = time.perf_counter()
    outcome(text)
    assert time.perf_counter() - started < 20


def test_random_bytes_in_a_real_file(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(random.Random(1).randbytes(100_000))
    with pytest.raises(ConfigMistakes):
        load_fleet(path)
