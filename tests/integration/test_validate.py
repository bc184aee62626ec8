"""`lptui --headless validate` and `lptui config schema`, run as an operator runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from tests.forked import run

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
SCHEMA = EXAMPLE.parent / "lptui" / "report" / "schemas" / "validate.schema.json"


def lptui(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        **variables,
    }
    return run(*words, cwd=folder, environment=environment)


def test_the_example_is_fine(tmp_path: Path) -> None:
    ran = lptui("--config", str(EXAMPLE), "--headless", "validate", folder=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_mistakes_are_listed_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "lptui.yaml").write_text("hosts: {a: {prot: 1, local: yes}}\n")
    ran = lptui("--headless", "validate", folder=tmp_path)
    assert ran.returncode == 1
    lines = [line for line in ran.stdout.splitlines() if line.startswith("lptui.yaml:")]
    assert lines == [
        "lptui.yaml:1:13: unknown key 'prot', did you mean 'port'?",
        "lptui.yaml:1:29: expected true or false, not 'yes', did you mean 'true'?",
    ]


def test_a_file_that_is_none_is_told_without_traceback(tmp_path: Path) -> None:
    for path in (str(tmp_path), str(tmp_path / "none.yaml"), "/dev/zero", "/dev/null"):
        ran = lptui("--headless", "validate", folder=tmp_path, LPTUI_CONFIG=path)
        assert ran.returncode == 1, path
        assert path in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stdout + ran.stderr


def test_as_json(tmp_path: Path) -> None:
    (tmp_path / "lptui.yaml").write_text("hosts: {a: {prot: 1, local: true}}\n")
    ran = lptui("--headless", "validate", "--format", "json", folder=tmp_path)
    assert ran.returncode == 1
    told = json.loads(ran.stdout)
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema_rs.meta.validate(published)
    jsonschema_rs.Draft202012Validator(published).validate(told)
    assert told["schema_version"] == 1
    assert told["path"] == "lptui.yaml"
    assert told["mistakes"] == [
        {
            "path": "lptui.yaml",
            "line": 1,
            "column": 13,
            "message": "unknown key 'prot'",
            "value": "",
            "suggestion": "port",
        }
    ]
    (tmp_path / "lptui.yaml").write_text("hosts: {a: {local: true}}\n")
    ran = lptui("--headless", "validate", "--format", "json", folder=tmp_path)
    assert (ran.returncode, json.loads(ran.stdout)["mistakes"]) == (0, [])


def test_no_other_file_than_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "lptui.yaml").write_text("hosts: {a: {local: true}}\n")
    other = tmp_path / "other.yaml"
    other.write_text("hosts: 5\n")
    ran = lptui("--headless", "validate", "other.yaml", folder=tmp_path)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "did you mean --config other.yaml?" in ran.stderr
    ran = lptui("--headless", "validate", "--config", "", folder=tmp_path)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "its PATH is empty" in ran.stderr


def test_the_demo_is_validated_and_not_the_operators_own(tmp_path: Path) -> None:
    (tmp_path / "lptui.yaml").write_text("hosts: 5\n")
    ran = lptui("--demo", "--headless", "validate", folder=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "demo: no mistakes\n", "")


def test_without_a_configuration_it_says_where_it_looked(tmp_path: Path) -> None:
    ran = lptui("--headless", "check", folder=tmp_path)
    assert ran.returncode == 3
    for place in ("--config", "$LPTUI_CONFIG", "./lptui.yaml", str(tmp_path), "lptui --demo"):
        assert place in ran.stderr, place
    assert str(EXAMPLE) in ran.stderr


def test_the_schema_is_json(tmp_path: Path) -> None:
    ran = lptui("config", "schema", folder=tmp_path)
    assert ran.returncode == 0
    assert "nodes" in json.loads(ran.stdout)["properties"]


WRONG = [
    (("chekc",), "lptui --headless check"),
    (("--headless", "chekc"), "lptui --headless check"),
    (("reward", "orch-1"), "lptui --headless reward"),
    (("help",), "lptui --help"),
    (("config",), "lptui config schema"),
    (("config", "schem"), "lptui config schema"),
    (("config", "schema", "x"), "lptui config schema"),
    (("--headless", "config", "schema"), "lptui config schema"),
    (("--headless",), "one of: check, status, validate, logs, acceptance, health, get, reward"),
    (("--headless", "validate", "--format", "prometheus"), "use text or json"),
    (("--demo-hosts", "3", "--headless", "check"), "add --demo"),
    (("--demo", "--config", "x", "--headless", "check"), "leave out one of the two"),
    (("completion", "bsh"), "bash"),
]


@pytest.mark.parametrize(("words", "hint"), WRONG)
def test_wrong_usage_is_told_with_what_was_meant(
    tmp_path: Path, words: tuple[str, ...], hint: str
) -> None:
    ran = lptui(*words, folder=tmp_path)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert hint in ran.stderr


COMPLETED = [
    ("lptui --headless va", "validate"),
    ("lptui --demo --scenario reward-m", "reward-missed"),
    ("lptui --format pro", "prometheus"),
    ("lptui --theme lptui-li", "lptui-light"),
    ("lptui --config lptui.y", "lptui.yaml"),
    ("lptui --output lptui.y", "lptui.yaml"),
    ("lptui --dr", "--dry-run"),
]


def test_bash_completes_commands_scenarios_themes_and_files(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    (tmp_path / "lptui.yaml").touch()
    script = lptui("completion", "bash", folder=tmp_path).stdout
    for typed, _ in COMPLETED:
        words = " ".join(typed.split())
        script += (
            f"COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()\n"
            'eval "$(complete -p lptui | sed "s/.*-F //;s/ lptui$//")"; echo "${COMPREPLY[*]}"\n'
        )
    ran = subprocess.run(
        [bash, "--norc"], input=script, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == [word for _, word in COMPLETED], ran.stderr


def test_reading_a_configuration_imports_no_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lptui.config import load_fleet; "
        f"load_fleet(Path({str(EXAMPLE)!r})); "
        "print([it for it in ('textual', 'web3', 'asyncssh', 'httpx', 'eth_hash', 'Crypto') "
        "if it in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=EXAMPLE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout.strip() == "[]"
