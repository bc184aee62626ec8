"""Which images containers run, and which their names mean now: `docker` or `podman` says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from lptui.fleet.facts.upkeep import ContainerImage, HostImages
from lptui.fleet.topology import Fleet
from lptui.probes.host.base import HostProbe
from lptui.probes.outcome import NOT_FOUND, failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Command, Output

MOST: Final = 32
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,300}", re.ASCII)
_ID: Final = re.compile(r"[0-9a-f]{12,64}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)

_CONTAINER: Final = '{"name":{{json .Name}},"id":{{json .Image}},"image":{{json .Config.Image}}}'
_IMAGE: Final = '{"id":{{json .Id}},"digests":{{json .RepoDigests}}}'


def inspect_containers(tool: str, names: Sequence[str]) -> Command:
    """One JSON object a line; a name that does not exist gives an error line and status 1.

    {"name":"/livepeer-t1","id":"sha256:6f1c…","image":"livepeer/go-livepeer:0.8.9"}
    """
    argv = (tool, "container", "inspect", "--format", _CONTAINER, *names)
    return Command(argv, timeout_s=3.0)


def inspect_image(tool: str, reference: str) -> Command:
    """One image, by its name or its id; status 1 where there is none.

    {"id":"sha256:6f1c…","digests":["livepeer/go-livepeer@sha256:77ab…"]}
    """
    argv = (tool, "image", "inspect", "--format", _IMAGE, reference)
    return Command(argv, timeout_s=1.0)


def parse_containers(text: str) -> tuple[ContainerImage, ...]:
    """The containers that are described; other lines are left out."""
    found = []
    for line in text.split("\n"):
        document = _object(line)
        name, reference = document.get("name"), document.get("image")
        running = _id(document.get("id"))
        if isinstance(name, str) and isinstance(reference, str) and running:
            found.append(
                ContainerImage(clean(name, 200).removeprefix("/"), clean(reference, 300), running)
            )
    return tuple(found[:MOST])


def parse_image(text: str) -> tuple[str, tuple[str, ...]]:
    """An image's id, "" for none, and its digests."""
    document = _object(text.strip().partition("\n")[0])
    listed = document.get("digests")
    digests = [
        found[0]
        for one in (listed if isinstance(listed, list) else ())[:MOST]
        if isinstance(one, str) and (found := _DIGEST.search(one)) is not None
    ]
    return _id(document.get("id")), tuple(sorted(set(digests)))


class HostImagesProbe(HostProbe):
    name: ClassVar[str] = "host-images"
    topic: ClassVar[type] = HostImages
    asks: ClassVar[str] = "docker image inspect"

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return [name for name in fleet.hosts if fleet.containers_on(name)]

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        shell = asking.reach.shell(target)
        left = time_left(asking)
        names = asking.fleet.containers_on(target)
        tool = "docker"
        [output] = await shell.run([inspect_containers(tool, names)], left())
        if output.status == NOT_FOUND:
            tool = "podman"
            [output] = await shell.run([inspect_containers(tool, names)], left())
        found = parse_containers(output.text)
        if output.status != 0 and not found:
            raise failure(f"images of {target}", output, f"let the login use {tool}")
        wanted = tuple(
            dict.fromkeys(
                word
                for one in found
                for word in (one.running, one.reference)
                if _REFERENCE.fullmatch(word)
            )
        )
        outputs = await shell.run([inspect_image(tool, word) for word in wanted], left())
        images = dict(zip(wanted, outputs, strict=True))
        return [Answer(self.key(target), HostImages(tuple(_told(one, images) for one in found)))]


def _told(one: ContainerImage, images: Mapping[str, Output]) -> ContainerImage:
    """A container's image with what was asked of it and of its name."""
    by_name, by_id = images.get(one.reference), images.get(one.running)
    current = parse_image(by_name.text)[0] if by_name is not None else ""
    digests = parse_image(by_id.text)[1] if by_id is not None else ()
    return ContainerImage(one.name, one.reference, one.running, current, digests)


def _id(value: object) -> str:
    text = value.removeprefix("sha256:") if isinstance(value, str) else ""
    return text if _ID.fullmatch(text) else ""


def _object(line: str) -> dict[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
