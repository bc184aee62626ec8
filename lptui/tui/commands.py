"""Every command of the screen, once: keys, footer, help and palette are made from this list.

What changes the fleet comes from the registry of actions (`lptui.actions`); here it has its key
only so that the first frame need not load that registry. A test holds the two together.
"""

from __future__ import annotations

from typing import Final, NamedTuple

PANES: Final = (
    ("rounds", "Round & reward"),
    ("balances", "ETH balances"),
    ("transcoders", "Transcoders & GPUs"),
    ("balancers", "Load balancers"),
    ("sync", "Ethereum sync"),
    ("hosts", "Hosts"),
)
"""The panes' ids and titles, in the order of their keys."""

PROMPT: Final = "prompt"
"""The class of a line that is typed into."""


class Command(NamedTuple):
    """Something that a key does.

    Attributes:
        keys: as Textual names them, the first one being shown; () where only the palette has it.
        hint: for the footer; one or two words.
        rank: place in the footer, the lowest first; what does not fit is left out.
        actions: ids of fleet actions; it starts the first that has something to do. Such a command
            changes the fleet.
        anywhere: it needs no row: the fleet has but one thing that it acts on.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    hint: str
    group: str
    rank: int
    actions: tuple[str, ...] = ()
    anywhere: bool = False

    @property
    def key_word(self) -> str:
        """The key as it is written for people."""
        first = self.keys[0] if self.keys else ""
        return KEY_WORDS.get(first, first)

    @property
    def words(self) -> str:
        """Key and hint, for messages; the hint alone where there is no key."""
        return f"{self.key_word} {self.hint}".strip()


KEY_WORDS: Final = {
    "enter": "Enter",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "question_mark": "?",
    "ctrl+p": "Ctrl+P",
    "ctrl+z": "Ctrl+Z",
    "escape": "Esc",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "space": "Space",
}

LOOK, ACT, CONSOLE = "Look", "Act on the fleet", "Console"

COMMANDS: Final[tuple[Command, ...]] = (
    *(
        Command(f"pane-{number}", (str(number),), f"Focus {title}", title, LOOK, 90)
        for number, (_, title) in enumerate(PANES, 1)
    ),
    Command("zoom", ("z",), "Zoom the pane to the whole screen, with its chart", "zoom", LOOK, 12),
    Command("detail", ("enter",), "Everything known of the selected row", "detail", LOOK, 10),
    Command("filter", ("slash",), "Show only rows that match", "filter", LOOK, 13),
    Command("sort", ("s",), "Sort by the next column, then reversed", "sort", LOOK, 14),
    Command(
        "watch",
        ("w",),
        "The change under way, cut or last: its steps; stop, resume, undo",
        "watch",
        LOOK,
        22,
    ),
    Command(
        "topology",
        ("T",),
        "The fleet drawn: set-up, roles, links and their state",
        "topology",
        LOOK,
        23,
    ),
    Command("events", ("e",), "What happened, with beginning and end", "events", LOOK, 20),
    Command(
        "acknowledge",
        ("a",),
        "Acknowledge the row's worst finding; when all are, take one back",
        "ack",
        LOOK,
        21,
    ),
    Command(
        "back", ("escape",), "One step back: close, clear the filter, unzoom", "back", LOOK, 80
    ),
    Command("next-pane", ("tab",), "Next pane", "next pane", LOOK, 85),
    Command("previous-pane", ("shift+tab",), "Previous pane", "previous pane", LOOK, 95),
    Command(
        "reward",
        ("r",),
        "Call reward() for the selected orchestrator",
        "reward",
        ACT,
        11,
        ("reward",),
    ),
    Command(
        "initialize-round",
        ("i",),
        "Initialise the current round",
        "init round",
        ACT,
        16,
        ("initialize-round",),
        anywhere=True,
    ),
    Command(
        "drain",
        ("d",),
        "Take the row's servers out of service; when they are, bring them back",
        "(un)drain",
        ACT,
        15,
        ("drain", "undrain"),
    ),
    Command(
        "failover",
        ("f",),
        "Move the row's pool, key or RPC consumers to another one",
        "failover",
        ACT,
        17,
        ("failover",),
    ),
    Command(
        "rebalance",
        ("b",),
        "Share load anew in the row's pool",
        "rebalance",
        ACT,
        18,
        ("rebalance",),
    ),
    Command(
        "restart",
        ("R",),
        "Restart the row's nodes in order, one after the other",
        "restart",
        ACT,
        19,
        ("restart",),
    ),
    Command(
        "move-transcoder",
        (),
        "Move the row's transcoder to another orchestrator",
        "move",
        ACT,
        97,
        ("move-transcoder",),
    ),
    Command(
        "set-reward-caller",
        (),
        "Let another key call reward for the selected orchestrator, or no other",
        "set caller",
        ACT,
        98,
        ("set-reward-caller",),
    ),
    Command(
        "set-max-gas-price",
        (),
        "Give the row's node the gas price cap that is suggested",
        "gas cap",
        ACT,
        99,
        ("set-max-gas-price",),
    ),
    Command(
        "set-max-sessions",
        (),
        "Give the row's node another limit of sessions",
        "sessions",
        ACT,
        100,
        ("set-max-sessions",),
    ),
    Command(
        "set-log-level",
        (),
        "Have the row's node log more or less",
        "log level",
        ACT,
        101,
        ("set-log-level",),
    ),
    Command("logs", ("l",), "Logs of the selected unit, as they are written", "logs", LOOK, 24),
    Command("shell", ("o",), "A shell on the selected host, by ssh", "shell", LOOK, 25),
    Command(
        "acceptance",
        (),
        "Is the row's node fit to be given traffic? Line by line",
        "acceptance",
        LOOK,
        102,
    ),
    Command(
        "get", (), "Ask the row's node a route of its CLI API that only reads", "get", LOOK, 103
    ),
    Command("pause", ("p",), "Pause and resume reading", "pause", CONSOLE, 30),
    Command("faster", ("plus", "equals_sign"), "Read more often", "faster", CONSOLE, 40),
    Command("slower", ("minus",), "Read less often", "slower", CONSOLE, 41),
    Command("copy", ("c",), "Copy the row (OSC 52)", "copy", CONSOLE, 50),
    Command("screenshot", ("S",), "Save the screen as SVG", "screenshot", CONSOLE, 51),
    Command("theme", ("t",), "Next theme, kept for the next time", "theme", CONSOLE, 52),
    Command("help", ("question_mark", "f1"), "Keys and signs", "help", CONSOLE, 1),
    Command("palette", ("ctrl+p",), "Find a command or a thing by name", "palette", CONSOLE, 3),
    Command("suspend", ("ctrl+z",), "To the shell; fg comes back", "suspend", CONSOLE, 96),
    Command("quit", ("q", "ctrl+q", "ctrl+c"), "Quit, at once", "quit", CONSOLE, 2),
)


BY_ID: Final = {item.id: item for item in COMMANDS}

CHANGES: Final = tuple(item for item in COMMANDS if item.actions)
"""Those that change the fleet."""
