"""What a value is refused with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic_core import PydanticCustomError


def refusal(kind: Callable[[object], object], value: object) -> tuple[str, str]:
    """Message and suggestion with which a value is refused."""
    with pytest.raises(PydanticCustomError) as caught:
        kind(value)
    context = caught.value.context or {}
    return str(context["text"]), str(context["suggestion"])
