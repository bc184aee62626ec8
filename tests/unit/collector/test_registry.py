"""The probes that there are, against each other."""

from __future__ import annotations

import importlib
import pkgutil

from lptui import probes
from lptui.probes.probe import Probe


def every() -> list[Probe]:
    names = [item.name for item in pkgutil.walk_packages(probes.__path__, "lptui.probes.")]
    modules = (importlib.import_module(name) for name in names)
    found = {id(one): one for module in modules for one in getattr(module, "PROBES", ())}
    return list(found.values())


def test_what_a_probe_needs_is_the_name_of_another() -> None:
    names = [probe.name for probe in every()]
    assert len(names) == len(set(names))
    for probe in every():
        assert set(probe.needs) <= set(names) - {probe.name}, probe.name
