"""What each command of the screen does, by its id."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from lptui.errors import RefusedError
from lptui.present.model import Tone
from lptui.tui.aiming import node_of
from lptui.tui.panes import column_keys, order_words

if TYPE_CHECKING:
    from lptui.fleet.topology import Node
    from lptui.tui.app import LptuiApp

INTERVALS: Final = (1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0, 60.0)
"""What `+` and `-` choose from, in seconds."""


def _zoom(app: LptuiApp) -> None:
    app.overview.zoom(not app.overview.zoomed)
    app.call_after_refresh(app.draw_chart)
    if app.feed is not None:
        app.feed.wake()


def _detail(app: LptuiApp) -> None:
    pane = app.overview.focused_pane
    row = pane.selected
    if row is None or app.feed is None:
        app.say("the row is gone" if pane.is_lost else "no row is selected", Tone.WARN)
        return
    from lptui.tui.screens.detail import DetailScreen

    app.push_screen(DetailScreen(pane.pane_id, row.key))


def _filter(app: LptuiApp) -> None:
    from lptui.tui.prompt import ask_filter

    ask_filter(app)


def _sort(app: LptuiApp) -> None:
    """The pane's own order, each column upwards then downwards, and round again."""
    pane = app.overview.focused_pane
    keys = column_keys(pane)
    if pane.order is None:
        pane.sort(keys[0])
    else:
        column, reverse = pane.order
        if not reverse:
            pane.sort(column, reverse=True)
        else:
            following = keys.index(column) + 1 if column in keys else 0
            pane.sort(keys[following] if following < len(keys) else None)
    pane.retitle()
    words = order_words(pane)
    app.say(f"sorted by {words}" if words else "own order")


def _events(app: LptuiApp) -> None:
    if app.feed is not None:
        from lptui.tui.screens.events import EventsScreen

        app.push_screen(EventsScreen())


def _topology(app: LptuiApp) -> None:
    if app.feed is not None:
        from lptui.tui.screens.topology import TopologyScreen

        app.push_screen(TopologyScreen())


def _logs(app: LptuiApp) -> None:
    from lptui.tui.screens.logs import open_logs

    open_logs(app)


def _shell(app: LptuiApp) -> None:
    from lptui.tui.shell import open_shell

    open_shell(app)


def _acceptance(app: LptuiApp) -> None:
    node = _aimed_at(app)
    if node is not None:
        from lptui.tui.screens.acceptance import AcceptanceScreen

        app.push_screen(AcceptanceScreen(node.name))


def _get(app: LptuiApp) -> None:
    node = _aimed_at(app)
    if node is not None:
        from lptui.tui.screens.inspect import open_inspector

        open_inspector(app, node)


def _aimed_at(app: LptuiApp) -> Node | None:
    """The node of the row under the cursor; where there is none it is said why."""
    if app.feed is None or app.feed.snapshot is None:
        app.say("nothing has been read yet", Tone.WARN)
        return None
    try:
        return node_of(app.overview.focused_pane.selected, app.feed.snapshot.fleet)
    except RefusedError as error:
        app.say(f"{error}: {error.remedy}", Tone.WARN)
        return None


def _watch(app: LptuiApp) -> None:
    if app.acting is not None:
        app.acting.show()


def _acknowledge(app: LptuiApp) -> None:
    """The row's findings one after the other, the worst first; when all are, back again."""
    row, feed = app.overview.focused_pane.selected, app.feed
    if feed is None or row is None:
        app.say("no row is selected", Tone.WARN)
    elif finding := feed.standing(row):
        feed.acknowledge(finding)
        app.note(f"acknowledged: {finding.target}: {finding.summary}")
    elif finding := feed.seen(row):
        feed.acknowledge(finding, False)
        app.note(f"no longer acknowledged: {finding.target}: {finding.summary}")
    else:
        app.say("nothing to acknowledge in this row", Tone.WARN)


def _back(app: LptuiApp) -> None:
    if app.screen is not app.overview:
        app.pop_screen()
        return
    pane = app.overview.focused_pane
    if pane.query_text:
        from lptui.tui.prompt import set_filter

        set_filter(pane, "")
    elif app.overview.zoomed:
        _zoom(app)
    elif pane.order is not None:
        pane.sort(None)
        pane.retitle()


def _next_pane(app: LptuiApp) -> None:
    app.focus_pane(app.overview.focused_pane.number % 6)


def _previous_pane(app: LptuiApp) -> None:
    app.focus_pane((app.overview.focused_pane.number - 2) % 6)


def _pause(app: LptuiApp) -> None:
    app.paused = not app.paused
    if app.paused:
        app.session.pause()
    else:
        app.session.resume()
    app.note("paused: figures grow old" if app.paused else "reading again")


def _faster(app: LptuiApp) -> None:
    _pace(app, -1)


def _slower(app: LptuiApp) -> None:
    _pace(app, 1)


def _pace(app: LptuiApp, steps: int) -> None:
    nearest = min(range(len(INTERVALS)), key=lambda i: abs(INTERVALS[i] - app.interval_s))
    chosen = INTERVALS[max(0, min(len(INTERVALS) - 1, nearest + steps))]
    app.interval_s = chosen
    app.session.set_interval(chosen)
    app.say(f"fast readings every {chosen:g} s")


def _copy(app: LptuiApp) -> None:
    from lptui.tui.copying import text_to_copy

    text = text_to_copy(app)
    if text:
        app.copy_to_clipboard(text)
        app.say(f"copied {len(text)} characters (OSC 52; the terminal must allow it)")
    else:
        app.say("nothing to copy", Tone.WARN)


def _screenshot(app: LptuiApp) -> None:
    from lptui.tui.copying import save_screen

    try:
        path = save_screen(app)
    except OSError as error:
        app.note(f"screenshot: {error.strerror or error}", bad=True)
    else:
        app.note(f"screenshot: {path}")


def _theme(app: LptuiApp) -> None:
    names = app.theme_names
    following = names.index(app.theme) + 1 if app.theme in names else 0
    app.theme = names[following % len(names)]
    app.say(f"theme {app.theme}")
    app.keep(_remember_theme(app, app.theme))


async def _remember_theme(app: LptuiApp, name: str) -> None:
    from lptui.tui import theming
    from lptui.tui.background import in_thread

    try:
        await in_thread(theming.remember, name)
    except OSError as error:
        app.note(f"theme not kept: {error.strerror or error}", bad=True)


def _help(app: LptuiApp) -> None:
    from lptui.tui.screens.help import HelpScreen

    app.push_screen(HelpScreen())


def _palette(app: LptuiApp) -> None:
    from lptui.tui.palette import open_palette

    open_palette(app)


def _suspend(app: LptuiApp) -> None:
    app.action_suspend_process()


def _quit(app: LptuiApp) -> None:
    if app.acting is None:
        app.exit(return_code=0)
    else:
        app.acting.quit()


HANDLERS: Final[dict[str, Callable[[LptuiApp], None]]] = {
    "zoom": _zoom,
    "detail": _detail,
    "filter": _filter,
    "sort": _sort,
    "events": _events,
    "topology": _topology,
    "acceptance": _acceptance,
    "get": _get,
    "watch": _watch,
    "logs": _logs,
    "shell": _shell,
    "acknowledge": _acknowledge,
    "back": _back,
    "next-pane": _next_pane,
    "previous-pane": _previous_pane,
    "pause": _pause,
    "faster": _faster,
    "slower": _slower,
    "copy": _copy,
    "screenshot": _screenshot,
    "theme": _theme,
    "help": _help,
    "palette": _palette,
    "suspend": _suspend,
    "quit": _quit,
}
