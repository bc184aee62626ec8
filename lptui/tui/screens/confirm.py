"""The question before a change: all of it, and No unless Yes is chosen on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from lptui.present.model import Line, Span, Tone
from lptui.tui.entry import Entry
from lptui.tui.widgets.bars import Lines
from lptui.tui.widgets.drawing import CURSOR, fit, width_of
from lptui.tui.widgets.lines import LinesView
from lptui.tui.widgets.painted import Painted

LABEL_WIDTH: Final = 22
"""Longest label of Yes, in cells: what the keys are stands beside it on the narrowest screen."""

AROUND: Final = 6
"""Lines of the dialog that are not its text, and that are left around it."""


class Choice(Painted):
    """`No` and, when it may be done, `Yes`."""

    BASE: ClassVar[str] = "surface"

    def __init__(self, yes: str) -> None:
        super().__init__(id="choice")
        self._yes = ""
        self._typing = False
        self.chosen_yes = False
        self.offer(yes)

    @property
    def may(self) -> bool:
        return bool(self._yes)

    def offer(self, yes: str) -> None:
        """Another label for Yes; "" takes it away. No is chosen again."""
        self._yes = fit(yes, LABEL_WIDTH) if width_of(yes) > LABEL_WIDTH else yes
        self.chosen_yes = False
        self.refresh()

    def toggle(self) -> None:
        """The other one."""
        self.chosen_yes = self.may and not self.chosen_yes
        self.refresh()

    def typing(self, on: bool) -> None:
        """Whether a line above has the keys."""
        self._typing = on
        self.refresh()

    @property
    def _hint(self) -> str:
        if self._typing:
            return "   Enter takes it, Esc does not"
        return "   ←→ choose   Enter   y/n   Esc no" if self.may else "   Enter or Esc"

    def render_line(self, y: int) -> Strip:
        if y:
            return self.draw((), self.size.width)
        no = " No " if self.may else " Close "
        if self.chosen_yes:
            parts = [(f" {no} ", ""), (f" {self._yes} ", CURSOR)]
        else:
            parts = [(f" {no} ", CURSOR), (f" {self._yes} " if self.may else "", "")]
        strips = [Strip(list(self.draw((Span("  "),), 2)))]
        for text, background in parts:
            tone = Tone.STRONG if background else Tone.NORMAL
            strips.append(self.draw((Span(text, tone),), width_of(text), background))
            strips.append(self.draw((), 2))
        strips.append(self.draw((Span(self._hint, Tone.MUTED),), len(self._hint)))
        joined = Strip.join(strips)
        return joined.adjust_cell_length(self.size.width, self.palette.style(Tone.NORMAL))

    def on_click(self, event: events.Click) -> None:
        no_ends = 2 + len(" No ") + 2
        screen = self.screen
        if isinstance(screen, ConfirmScreen):
            yes_ends = no_ends + width_of(self._yes) + 4
            screen.answer(self.may and no_ends <= event.x < yes_ends)


class Body(LinesView):
    """What is asked about, on the dialog's own colour."""

    BASE: ClassVar[str] = "surface"


class Words(Lines):
    """What to type, or what was wrong with it."""

    BASE: ClassVar[str] = "surface"


class ConfirmScreen(ModalScreen[bool], inherit_bindings=False):
    """Gives True only for a deliberate yes; where there is a `phrase`, only when it was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right,tab,shift+tab,h,l", "other", show=False),
        Binding("enter", "choose", show=False),
        Binding("y", "yes", show=False),
        Binding("n,escape", "no", show=False),
        Binding("q,ctrl+q,ctrl+c", "app.command('quit')", show=False),
    ]

    def __init__(self, lines: Sequence[Line], yes: str, phrase: str = "") -> None:
        """`yes` "" offers no Yes. `phrase` is the fleet's name where that must be typed."""
        super().__init__()
        self._phrase = phrase
        self.choice = Choice(yes)
        self.body = Body(lines, id="plan")
        self.words = Words(id="words")

    def compose(self) -> ComposeResult:
        with Widget(id="question"):
            yield self.body
            yield self.words
            yield self.choice

    def on_mount(self) -> None:
        self.body.focus()
        self.fit()

    def on_resize(self) -> None:
        self.fit()

    def fit(self) -> None:
        """Keeps the choice, and what is typed, on the screen however long the text is."""
        more = len(self.words.lines) + sum(not entry.is_over for entry in self.query(Entry))
        self.words.styles.height = len(self.words.lines)
        self.body.styles.max_height = max(3, self.app.size.height - AROUND - more)
        self.body.refresh(layout=True)

    def answer(self, value: bool) -> None:
        """Closes with an answer; a Yes that must be typed asks for that first."""
        if value and self.choice.may and self._phrase:
            self._ask_phrase()
        else:
            self.dismiss(value and self.choice.may)

    def ask(self, question: str, entry: Entry) -> None:
        """Has a line typed; the very next key goes to it."""
        self.tell((Span(question, Tone.STRONG),))
        self.query_one("#question").mount(entry, before=self.choice)
        self.set_focus(entry)
        self.choice.typing(True)
        self.fit()

    def tell(self, words: Line) -> None:
        """A line above the choice; () for none."""
        self.words.show([words] if words else [])
        self.fit()

    def entered(self) -> None:
        """The line is gone; keys are the question's again."""
        self.choice.typing(False)
        self.tell(())
        self.set_focus(self.body)

    def _ask_phrase(self) -> None:
        def given(text: str | None) -> None:
            self.entered()
            if text == self._phrase:
                self.dismiss(self.choice.may)
            elif text is not None:
                self.tell((Span("That is not the fleet's name; nothing was done.", Tone.WARN),))

        question = f"This fleet is in production. Type its name, {self._phrase}:"
        self.ask(question, Entry("the fleet's name", "", given))

    def action_other(self) -> None:
        """Chooses the other one."""
        self.choice.toggle()

    def action_choose(self) -> None:
        """Takes what is chosen."""
        self.answer(self.choice.chosen_yes)

    def action_yes(self) -> None:
        """Yes, when it may be done."""
        if self.choice.may:
            self.answer(True)

    def action_no(self) -> None:
        """No."""
        self.answer(False)
