"""A failover and the key of its new holder, on hosts with a real systemd: names alone are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site import Site, installed, two_hosts, unit
from tests.systemd_hosts import HostFactory, systemd_hosts

__all__ = ["systemd_hosts"]

KEY = "0x" + "c3" * 20
OTHER = "0x" + "d4" * 20
UNIT = "livepeer-keyed.service"
PORT = 7971
FLAGS = ("-reward", f"-cliAddr 127.0.0.1:{PORT}", "-ethAcctAddr", KEY)
FOLDER = "/srv/keyed/keystore"
PASSPHRASE = "/etc/keyed/pass"


@pytest.fixture
def site(systemd_hosts: HostFactory, tmp_path: Path) -> Iterator[Site]:
    """`reward` on h1 acts with a key; `spare` on h2, of whose settings each test has its own,
    stands by for it."""
    h1, h2 = systemd_hosts(2)
    site = two_hosts(h1, h2, tmp_path)
    site.node("reward", "h1", "reward", UNIT, PORT, account=KEY)
    site.node("spare", "h2", "reward", UNIT, PORT, account=KEY, standby_for="reward")
    h1.key(KEY)
    with (
        installed(h1, UNIT, unit(*FLAGS)),
        installed(h2, UNIT, unit(*FLAGS), start=False),
    ):
        yield site
    h2.run("rm", "-rf", "/srv/keyed", "/etc/keyed")


def condition(told: Any, name: str) -> Any:
    [one] = [one for one in told["plan"]["preconditions"] if one["name"] == name]
    return one


def of_key(told: Any) -> Any:
    return condition(told, "spare has its key on h2")


def of_files(told: Any) -> Any:
    return condition(told, f"the files that {UNIT} names are on h2")


def untouched(site: Site) -> bool:
    return (site.h1.state(UNIT), site.h2.state(UNIT)) == ("active", "inactive")


async def test_a_key_that_is_not_there_refuses_until_it_is_copied(site: Site) -> None:
    site.h2.unit(UNIT, unit(*FLAGS, "-dataDir /srv/keyed"))
    code, told = await site.act("failover", "reward")
    assert (code, told["result"]["outcome"]) == (1, "refused"), told
    assert of_key(told)["evidence"] == f"{FOLDER} is not there"
    assert "keystore verify" in told["result"]["remedy"]
    site.h2.key(OTHER, FOLDER)
    code, told = await site.act("failover", "reward", "--has-key", "h2")
    assert (code, of_key(told)["met"]) == (1, False), told
    assert "1 key of other accounts, and none of 0xc3c3…c3c3" in of_key(told)["evidence"]
    warned = (await site.lptui("check", "--format", "json")).finding("standby@spare")
    assert warned["severity"] == "WARNING"
    assert untouched(site)
    path = site.h2.key(KEY, FOLDER)
    code, told = await site.act("failover", "reward")
    assert (code, told["result"]["outcome"]) == (0, "done"), told
    assert of_key(told)["evidence"] == f"{FOLDER} has {Path(path).name}, by its name"
    assert site.h2.state(UNIT) == "active"


async def test_the_key_of_another_user_and_a_lost_passphrase_are_seen_before(site: Site) -> None:
    """As the node's own user the unit could not read what root has copied."""
    site.h2.key(KEY, FOLDER)
    text = unit(*FLAGS, f"-ethKeystorePath {FOLDER}", f"-ethPassword {PASSPHRASE}")
    site.h2.unit(UNIT, text.replace("[Service]\n", "[Service]\nUser=ops\n"))
    code, told = await site.act("failover", "reward")
    assert (code, of_key(told)["met"]) == (1, False), told
    assert "ops may not read it" in of_key(told)["evidence"]
    assert of_files(told)["evidence"].startswith(f"{PASSPHRASE} (passphrase) is not there: ")
    site.h2.run("chown", "-R", "ops", FOLDER)
    site.h2.write(PASSPHRASE, "secret", 0o600)
    code, told = await site.act("failover", "reward")
    assert (of_key(told)["met"], of_files(told)["met"]) == (True, False), told
    assert of_files(told)["evidence"].endswith("is there, and ops may not read it")
    assert untouched(site)
    site.h2.run("chown", "ops", PASSPHRASE)
    code, told = await site.act("failover", "reward")
    assert (code, told["result"]["outcome"]) == (0, "done"), told


async def test_settings_in_files_of_roots_tell_the_place(site: Site) -> None:
    site.h2.write(
        "/etc/keyed/env", f"LP_CONFIG=/etc/keyed/conf\nLP_ETHPASSWORD={PASSPHRASE}\n", 0o600
    )
    site.h2.write("/etc/keyed/conf", f"ethKeystorePath {FOLDER} # here\n", 0o600)
    site.h2.write(PASSPHRASE, "secret", 0o600)
    site.h2.key(KEY, FOLDER)
    site.h2.unit(UNIT, unit(*FLAGS, extra="EnvironmentFile=/etc/keyed/env\n"))
    outcome = await site.lptui("failover", "reward", "--dry-run", "--format", "json")
    [told] = outcome.json.get("plans", [outcome.json])
    assert of_key(told)["met"] is True, outcome.out
    assert of_files(told)["evidence"] == (
        "/etc/keyed/env (environment file), /etc/keyed/conf (configuration file), "
        f"{PASSPHRASE} (passphrase)"
    )
    site.h2.sudoers()
    code, told = await site.act("failover", "reward")
    assert (code, of_key(told)["met"]) == (1, None), told
    assert of_key(told)["evidence"] == "what /etc/keyed/env says of the place is not known"
    text = unit(*FLAGS).replace("/bin/livepeer", "/bin/start-livepeer-of-the-tests")
    site.h2.unit(UNIT, text.replace(KEY, OTHER))
    code, told = await site.act("failover", "reward")
    assert (code, of_key(told)["met"]) == (1, None), told
    assert "what that starts is not known" in of_key(told)["evidence"]
    site.h2.unit(UNIT, unit(*FLAGS, extra="EnvironmentFile=/etc/keyed/env\n"))
    site.h2.run("rm", "/etc/keyed/env")
    code, told = await site.act("failover", "reward")
    assert (code, of_files(told)["evidence"]) == (
        1,
        "/etc/keyed/env (environment file) is not there",
    )
    assert untouched(site)


async def test_what_the_login_may_not_see_must_be_stated_or_allowed(site: Site) -> None:
    site.h2.key(KEY, FOLDER)
    site.h2.run("chmod", "700", "/srv/keyed")
    site.h2.unit(UNIT, unit(*FLAGS, "-dataDir /srv/keyed"))
    site.h2.sudoers(
        *(
            f"NOPASSWD: /usr/bin/systemctl {verb} {UNIT}"
            for verb in ("start", "stop", "enable", "disable")
        )
    )
    code, told = await site.act("failover", "reward")
    assert (code, of_key(told)["met"]) == (1, None), told
    assert told["result"]["remedy"].endswith("--has-key h2")
    assert untouched(site)
    code, told = await site.act("failover", "reward", "--has-key", "h2")
    assert (code, told["result"]["outcome"]) == (0, "done"), told
    assert told["plan"]["facts"]["has-key"] == "h2"
    assert "its operator states that it is there" in of_key(told)["evidence"]
    rules = site.operator.run("--config", str(site.config), "sudoers", "h2")
    assert f"find -H {FOLDER} -maxdepth 1" in rules.out
    site.h2.write("/etc/sudoers.d/lptui", rules.out, 0o440)
    code, told = await site.act("failover", "reward", "--to", "reward")
    assert code == 0, told
    code, told = await site.act("failover", "reward")
    assert (code, of_key(told)["met"]) == (0, True), told
