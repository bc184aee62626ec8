"""What the schema's sections are made of: their base, closed lists of words, lists of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from lptui.config import kinds


class Part(BaseModel):
    """Base of all sections: nothing unknown, nothing turned into something else."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, defer_build=True, hide_input_in_errors=True
    )


def words(
    what: str, known: tuple[str, ...], meant: Mapping[str, str] | None = None, several: str = ""
) -> tuple[BeforeValidator, WithJsonSchema]:
    """Annotations of a field that holds a word of a closed list."""
    return (
        BeforeValidator(kinds.choice(what, known, meant or {}, several)),
        WithJsonSchema({"type": "string", "enum": list(known)}),
    )


@dataclass(frozen=True, slots=True)
class OneOrMore:
    """Marks a list that may be written as its only item."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_before_validator_function(kinds.one_or_more, handler(source))

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        several = handler(core_schema)
        return {"anyOf": [several["items"], several]}


MANY: Final = OneOrMore()

Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Number = Annotated[float, Field(gt=0, le=1_000_000)]
