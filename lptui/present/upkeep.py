"""Backups and images in a few words."""

from __future__ import annotations

from lptui.fleet.facts.upkeep import BackupState, ContainerImage
from lptui.present.words import age


def backup_words(state: BackupState) -> str:
    """`2 h old, 10240 bytes, whole`."""
    if state.closed:
        return f"unknown: {state.closed} is closed to the login"
    if not state.file or state.age_s is None:
        return "none there"
    whole = {True: ", whole", False: ", DAMAGED", None: ""}[state.whole]
    unread = f", checksum unknown: {state.unread}" if state.unread else ""
    return f"{age(max(0.0, state.age_s))} old, {state.size} bytes{whole}{unread}"


def image_words(image: ContainerImage) -> str:
    """`livepeer/go-livepeer:0.8.9, 6f1c20ab91de`, and what that name means by now."""
    told = f"{image.reference}, {image.running[:12]}"
    if image.current in ("", image.running):
        return told
    return f"{told}; the name means {image.current[:12]} now"
