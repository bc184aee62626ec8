"""Garbage for the hostile scenario: what a broken or malicious far side could send as text."""

from __future__ import annotations

from typing import Final

POISON: Final = (
    "[bold red on white]",
    "[/]",
    "[@click=app.quit]click[/]",
    "\x1b[31;5m",
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[H",
    "\x1b]52;c;b3duZWQ=\x07",
    "\x9b6n",
    "\u202egnp.exe\u2066",
    "\u200b\u200d\ufeff",
    "$(reboot)`id`; rm -rf ~",
    "<script>alert(1)</script>",
    "\x00\x07\x08\x7f\t\r",
    "💥👩‍👩‍👧‍👦",
    "Z\u0337\u0322\u031b\u0360a\u0334\u0360l\u0335g\u0336o",
    "{{7*7}} %s %n ${IFS}",
)
LONG: Final = "A" * 3000


def garble(text: str) -> str:
    """The text buried in garbage; the same garbage for the same text. Never a line feed: in most
    places that would make another line, hence another fact, of it.
    """
    first = sum(text.encode("utf-8", "replace")) % len(POISON)
    before = "".join(POISON[(first + step) % len(POISON)] for step in range(5))
    after = "".join(POISON[(first + step) % len(POISON)] for step in range(5, 11))
    return f"{before}{text}{after}{LONG}"
