"""A newcomer's set-up: README's two `make` commands in a fresh copy, and what stands in their way.

The scripts' refusals are tried with stand-ins for the system's own commands on the path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.contract.fresh import REPOSITORY, Done, Fresh, copy_sources, index_in_reach
from tests.sshd import need

SCRIPTS = REPOSITORY / "scripts"
ORDINARY = ("cat", "cmp", "cp", "dirname", "find", "grep", "mkdir", "pwd", "rm", "touch")
TOO_OLD = '[ "$1" = -V ] && echo Python 3.9.2 || exit 1'


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    need(shutil.which("make"), "make")
    need("an index" if index_in_reach() else None, "a package index within reach")
    return copy_sources(tmp_path_factory.mktemp("newcomer"))


@pytest.mark.slow
class TestBothCommands:
    """In the order in which a newcomer types them."""

    def test_make_demo_without_a_terminal(self, fresh: Fresh) -> None:
        done = fresh.run("make demo", 600)
        assert done.code == 0, done.text
        assert "installing requirements.lock" in done.text
        assert "no terminal" in done.text
        assert "\nOK - " in done.text

    def test_make_demo_in_a_terminal(self, fresh: Fresh) -> None:
        done = fresh.run_in_terminal("make demo", until="Load balancers", key="q", timeout_s=60)
        assert done.code == 0, done.text[-2000:]
        assert "installing" not in done.text
        assert "Round & reward" in done.text

    def test_make_test(self, fresh: Fresh) -> None:
        one = "tests/unit/config/test_addresses.py"
        done = fresh.run(f"make test PYTEST_ARGS={one}", 1200)
        assert done.code == 0, done.text
        for said in ("All checks passed!", "Success: no issues", "0 broken", " passed in "):
            assert said in done.text, done.text


@pytest.fixture
def fakes(tmp_path: Path) -> Path:
    """A folder that is the whole path: ordinary commands, and what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ORDINARY:
        program = shutil.which(name)
        if program is not None:
            (folder / name).symlink_to(program)
    return folder


def fake(folder: Path, name: str, body: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def script(path: Path, *words: str, fakes: Path, **environment: str) -> Done:
    done = subprocess.run(
        ["/bin/sh", str(path), *words],
        env={"PATH": str(fakes), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout)


def test_an_old_python_is_named(fakes: Path, tmp_path: Path) -> None:
    fake(fakes, "python3", TOO_OLD)
    done = script(SCRIPTS / "venv.sh", "python3", str(tmp_path / "v"), "lock", fakes=fakes)
    assert done.code == 1
    assert "needs Python 3.11 or newer; python3 is Python 3.9.2" in done.text
    assert "make PYTHON=" in done.text


def test_no_python_is_told(fakes: Path, tmp_path: Path) -> None:
    done = script(SCRIPTS / "venv.sh", "python3", str(tmp_path / "v"), "lock", fakes=fakes)
    assert done.code == 1
    assert "python3 is not installed" in done.text


def test_a_newer_python_is_taken_instead_and_an_unwritable_place_is_told(fakes: Path) -> None:
    fake(fakes, "python3", TOO_OLD)
    fake(fakes, "python3.12", f'exec {sys.executable} "$@"')
    done = script(SCRIPTS / "venv.sh", "python3", "/dev/null/venv", "lock", fakes=fakes)
    assert done.code == 1
    assert done.text.splitlines() == [
        "python3 is Python 3.9.2; taking python3.12",
        "/dev/null/venv cannot be written here; name another place: make VENV=/path/to/folder …",
    ]


def test_without_apt_get_the_packages_are_named(fakes: Path) -> None:
    done = script(SCRIPTS / "apt.sh", "nginx", "haproxy", fakes=fakes)
    assert done.code == 1
    assert "please install: nginx haproxy" in done.text


def test_who_may_not_install_is_told_what_to_install(fakes: Path) -> None:
    fake(fakes, "apt-get", "echo must not run; exit 9")
    fake(
        fakes,
        "dpkg-query",
        'for name; do :; done; [ "$name" = nginx ] || echo install ok installed',
    )
    fake(fakes, "id", "echo 1000")
    done = script(SCRIPTS / "apt.sh", "nginx", "tmux", fakes=fakes)
    assert done.code == 1
    assert done.text == "please install as root: apt-get install nginx\n"


@pytest.mark.parametrize("required", ["", "1"])
def test_anvil_is_tried_again_after_a_failure(fakes: Path, tmp_path: Path, required: str) -> None:
    fake(fakes, "npm", 'echo "npm $1"; [ -e "$HOME/network" ]')
    devnet = tmp_path / "copy" / "tests" / "devnet"
    devnet.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(REPOSITORY / "tests" / "devnet" / name, devnet)
    shutil.copytree(SCRIPTS, tmp_path / "copy" / "scripts")
    tools = tmp_path / "copy" / "scripts" / "install-test-tools.sh"

    def install() -> Done:
        home = str(tmp_path)
        return script(tools, fakes=fakes, HOME=home, LPTUI_REQUIRE_REAL=required)

    for _ in range(2):
        failed = install()
        assert failed.code == (1 if required else 0)
        assert "npm ci" in failed.text
        assert "anvil could not be installed" in failed.text
    (tmp_path / "network").touch()
    assert "npm ci" in install().text
    assert "npm" not in install().text


@pytest.mark.parametrize("moved", [False, True])
def test_an_environment_from_another_place_is_made_anew(tmp_path: Path, moved: bool) -> None:
    make = need(shutil.which("make"), "make")
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    shutil.copytree(SCRIPTS, tmp_path / "scripts")
    (tmp_path / ".venv").mkdir()
    place = tmp_path / "elsewhere" if moved else tmp_path.resolve()
    (tmp_path / ".venv" / ".place").write_text(f"{place}\n")
    (tmp_path / ".venv" / ".installed").touch()
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    done = subprocess.run(
        [make, "-n", "demo"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("venv.sh" in done.stdout) is moved


@pytest.mark.slow
def test_the_wheel_runs_from_anywhere_and_the_source_archive_is_whole(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
    subprocess.run(build, cwd=REPOSITORY, capture_output=True, check=True)
    [wheel] = tmp_path.glob("*.whl")
    [archive] = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        names = {name.partition("/")[2] for name in sources.getnames()}
    assert {"Makefile", "scripts/venv.sh", "requirements.lock", "tests/sshd.py"} <= names
    assert not any(name.startswith((".venv", ".devtools", ".git/")) for name in names)

    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as package:
        package.extractall(installed)
    themes = {path.name for path in (installed / "lptui" / "themes").glob("*.yaml")}
    assert themes == {path.name for path in (REPOSITORY / "themes").glob("*.yaml")}
    assert (installed / "lptui" / "config" / "config.example.yaml").is_file()
    environment = os.environ | {"PYTHONPATH": str(installed), "LPTUI_STATE": str(tmp_path / "s")}
    code = (
        "import lptui, sys; from lptui.cli import run; print(lptui.__file__);"
        "sys.exit(run(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--demo", "--headless", "check"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.startswith(str(installed)), done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
