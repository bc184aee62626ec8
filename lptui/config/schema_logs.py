"""Where a node's log is, as it is written in a configuration file."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from lptui.config import kinds
from lptui.config.kinds import Text
from lptui.config.parts import Part

LogPath = Annotated[
    str,
    BeforeValidator(kinds.log_path),
    kinds.described("an absolute path; * and ? stand for any characters", "^/"),
]


class LogSpec(Part):
    """Where a log is: exactly one of journal, file, container."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    journal: Text | None = Field(None, description="systemd unit whose journal it is")
    file: LogPath | None = Field(
        None, description="file on its host, or a pattern like /var/log/livepeer/*.log"
    )
    container: Text | None = Field(None, description="container whose output it is")

    @model_validator(mode="before")
    @classmethod
    def _one(cls, value: object) -> object:
        if not isinstance(value, dict):
            raise kinds.mistake(
                "a log is written {journal: UNIT}, {file: /PATH} or {container: NAME}", value
            )
        if len(value) != 1 and not set(value) - {"journal", "file", "container"}:
            raise kinds.mistake("a log has exactly one of journal, file, container")
        return value
