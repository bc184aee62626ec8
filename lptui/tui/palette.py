"""The command palette: every command, and every row of every pane by its name; other choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from lptui.tui.commands import COMMANDS, Command
from lptui.tui.declared import commands_of
from lptui.tui.panes import Pane

if TYPE_CHECKING:
    from lptui.tui.app import LptuiApp

ROW_LIMIT = 40


class Commands(Provider):
    """The commands; those that cannot be used now come last and say why."""

    async def discover(self) -> Hits:
        for item in self._offered():
            yield DiscoveryHit(self._words(item), partial(self._run, item), text=item.title)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for item in self._offered():
            score = matcher.match(f"{item.title} {item.hint}")
            if score > 0:
                yield Hit(score, self._words(item), partial(self._run, item), text=item.title)

    def _offered(self) -> list[Command]:
        app: LptuiApp = self.app  # type: ignore[assignment]
        hidden = ("palette", "back")
        offered = [
            item
            for item in (*COMMANDS, *commands_of(app.feed.snapshot if app.feed else None))
            if item.id not in hidden and not (item.actions and app.session.read_only)
        ]
        return sorted(offered, key=lambda item: bool(app.why_not(item)))

    def _words(self, item: Command) -> Content:
        app: LptuiApp = self.app  # type: ignore[assignment]
        words = f"{item.title}  ({item.key_word})" if item.keys else item.title
        why = app.why_not(item)
        return Content.styled(f"{words}  {why}", "dim") if why else Content(words)

    def _run(self, item: Command) -> None:
        app: LptuiApp = self.app  # type: ignore[assignment]
        app.call_after_refresh(app.run_command, item)


class Rows(Provider):
    """Hosts, nodes, keys, servers…: the cursor goes there."""

    async def search(self, query: str) -> Hits:
        app: LptuiApp = self.app  # type: ignore[assignment]
        matcher = self.matcher(query)
        shown = 0
        for pane in app.overview.panes:
            for section in pane.sections:
                for row in section.rows:
                    name = section.name_of(row)
                    score = matcher.match(name)
                    if score > 0 and shown < ROW_LIMIT:
                        shown += 1
                        words = Content(f"{name}  {section.noun} in {pane.pane_title}")
                        go = partial(self._go, pane, row.key)
                        yield Hit(score * 0.9, words, go, text=name)

    def _go(self, pane: Pane, key: str) -> None:
        app: LptuiApp = self.app  # type: ignore[assignment]

        def there() -> None:
            app.action_command(f"pane-{pane.number}")
            pane.select(key)

        app.call_after_refresh(there)


def choose(
    app: LptuiApp, hint: str, choices: Mapping[str, str], given: Callable[[str], None]
) -> None:
    """Lets one of some names be chosen, by what it is; calls back with it, or never."""

    def words(name: str) -> Content:
        return Content.assemble(f"{name}  ", (choices[name], "dim"))

    def run(name: str) -> None:
        app.call_after_refresh(given, name)

    class Choices(Provider):
        async def discover(self) -> Hits:
            for name in choices:
                yield DiscoveryHit(words(name), partial(run, name), text=name)

        async def search(self, query: str) -> Hits:
            matcher = self.matcher(query)
            for name, what in choices.items():
                score = matcher.match(f"{name} {what}")
                if score > 0:
                    yield Hit(score, words(name), partial(run, name), text=name)

    app.push_screen(CommandPalette(providers={Choices}, placeholder=hint))


def open_palette(app: LptuiApp) -> None:
    """Opens it over whatever is shown."""
    if not any(isinstance(screen, CommandPalette) for screen in app.screen_stack):
        app.push_screen(CommandPalette(providers={Commands, Rows}, placeholder="command or name…"))
