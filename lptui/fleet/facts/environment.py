"""What a node's environment file says of the settings that the node is moved by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HIDDEN: Final = "<hidden "
"""Begins what stands in place of a secret; the digits after it tell two secrets apart."""


@dataclass(frozen=True, slots=True)
class NodeEnvironment:
    """The variables that a node's configuration names, as its file has them. Target: the node.

    Attributes:
        variables: names and values; one that the file does not set is not here. Of an address
            that may hold a secret only scheme and host are kept, and a digest of the whole.
        is_link: the path is a symbolic link, so that a new file put in its place would be lost.
    """

    variables: tuple[tuple[str, str], ...] = ()
    is_link: bool = False

    def value(self, variable: str) -> str | None:
        """A variable's value; None when the file does not set it."""
        return dict(self.variables).get(variable)


def is_hidden(value: str) -> bool:
    """Whether it stands in place of a secret."""
    return HIDDEN in value
