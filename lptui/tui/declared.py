"""The commands that the operator has declared: in the palette, for the row under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lptui.errors import LptuiError
from lptui.present.model import Tone
from lptui.tui.aiming import words_of
from lptui.tui.commands import ACT, LOOK, Command

if TYPE_CHECKING:
    from lptui.fleet.snapshot import Snapshot
    from lptui.tui.app import LptuiApp

READ: Final = "read"

VERB: Final = "run "


def commands_of(snapshot: Snapshot | None) -> list[Command]:
    """A command for each; one that only reads changes nothing, and is run at once."""
    declared = snapshot.fleet.commands.values() if snapshot is not None else ()
    return [
        Command(
            VERB + one.name,
            (),
            f"Run {one.name}: {one.help or ' '.join(one.run)}",
            one.name,
            LOOK if one.effect == READ else ACT,
            99,
            () if one.effect == READ else (VERB + one.name,),
        )
        for one in declared
    ]


async def read(app: LptuiApp, item: Command) -> None:
    """Runs a command that only reads, and shows what it said."""
    from lptui.tui.screens.said import SaidScreen

    words = words_of(app.overview.focused_pane.selected)
    app.say(f"{item.hint}: asking …")
    try:
        lines = await app.session.read(item.id, words)
    except LptuiError as error:
        app.say(f"{item.hint}: {error}", Tone.WARN)
        return
    app.say("")
    app.push_screen(SaidScreen(item.title, lines))
