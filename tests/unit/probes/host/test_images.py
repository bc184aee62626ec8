"""Which images containers run, by what docker and podman say."""

from __future__ import annotations

import json

from hypothesis import given

from lptui.fleet.facts.upkeep import ContainerImage
from lptui.probes.host.images import parse_containers, parse_image
from tests.unit.probes.hostile import HOSTILE, JSON

ID = "6f" * 32
DIGEST = "sha256:" + "77" * 32


def test_docker_and_podman_name_an_image_alike() -> None:
    docker = f'{{"name":"/livepeer","id":"sha256:{ID}","image":"livepeer/go-livepeer:0.8.9"}}'
    podman = f'{{"name":"livepeer","id":"{ID}","image":"livepeer/go-livepeer:0.8.9"}}'
    wanted = ContainerImage("livepeer", "livepeer/go-livepeer:0.8.9", ID)
    assert parse_containers(docker) == parse_containers(podman) == (wanted,)


def test_of_a_container_that_is_not_there_nothing_is_said() -> None:
    assert parse_containers("Error: No such container: x\n") == ()


def test_an_images_digests_are_those_of_its_registries() -> None:
    text = json.dumps({"id": f"sha256:{ID}", "digests": [f"livepeer/go-livepeer@{DIGEST}", "odd"]})
    assert parse_image(text) == (ID, (DIGEST,))
    assert parse_image(json.dumps({"id": ID, "digests": None})) == (ID, ())
    assert parse_image("") == ("", ())


@given(JSON)
@HOSTILE
def test_any_other_json_is_harmless(document: object) -> None:
    text = json.dumps(document)
    parse_containers(text)
    parse_containers(json.dumps({"name": document, "id": document, "image": document}))
    found, digests = parse_image(json.dumps({"id": document, "digests": document}))
    assert (found, digests) == ("", ()) or found
