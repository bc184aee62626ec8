"""The question before a change: the whole plan, and No unless Yes is chosen on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from lptui.present.model import Line, Span, Tone
from lptui.tui.commands import Command
from lptui.tui.widgets.drawing import CURSOR
from lptui.tui.widgets.lines import LinesView
from lptui.tui.widgets.painted import Painted

if TYPE_CHECKING:
    from lptui.actions.plan import Plan


class Choice(Painted):
    """`No` and, when the plan may run, `Yes`."""

    BASE: ClassVar[str] = "surface"

    def __init__(self, yes: str) -> None:
        super().__init__(id="choice")
        self._yes = yes
        self.chosen_yes = False

    @property
    def may(self) -> bool:
        return bool(self._yes)

    def toggle(self) -> None:
        """The other one."""
        self.chosen_yes = self.may and not self.chosen_yes
        self.refresh()

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
            strips.append(self.draw((Span(text, tone),), len(text), background))
            strips.append(self.draw((), 2))
        hint = "   ←→ choose   Enter   y/n   Esc no" if self.may else "   Enter or Esc"
        strips.append(self.draw((Span(hint, Tone.MUTED),), len(hint)))
        joined = Strip.join(strips)
        return joined.adjust_cell_length(self.size.width, self.palette.style(Tone.NORMAL))

    def on_click(self, event: events.Click) -> None:
        no_ends = 2 + len(" No ") + 2
        screen = self.screen
        if isinstance(screen, ConfirmScreen):
            screen.answer(
                self.may and event.x >= no_ends and event.x < no_ends + len(self._yes) + 4
            )


class PlanView(LinesView):
    """The plan's lines, on the dialog's own colour."""

    BASE: ClassVar[str] = "surface"


class ConfirmScreen(ModalScreen[bool], inherit_bindings=False):
    """Gives True only for a deliberate yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right,tab,shift+tab,h,l", "other", show=False),
        Binding("enter", "choose", show=False),
        Binding("y", "yes", show=False),
        Binding("n,escape", "no", show=False),
        Binding("q,ctrl+q,ctrl+c", "app.command('quit')", show=False),
    ]

    def __init__(self, plan: Plan, item: Command) -> None:
        super().__init__()
        self.plan = plan
        self._item = item
        yes = "" if plan.why_not else f"Yes, {item.hint} {plan.target}"
        self.choice = Choice(yes)
        self.body = PlanView(plan_lines(plan, item), id="plan")

    def compose(self) -> ComposeResult:
        with Widget(id="question"):
            yield self.body
            yield self.choice

    def on_mount(self) -> None:
        self.body.focus()
        self.on_resize()

    def on_resize(self) -> None:
        """Keeps the choice on the screen however long the plan is."""
        self.body.styles.max_height = max(3, self.app.size.height - 6)

    def answer(self, value: bool) -> None:
        """Closes with an answer."""
        self.dismiss(value and self.choice.may)

    def action_other(self) -> None:
        """Chooses the other one."""
        self.choice.toggle()

    def action_choose(self) -> None:
        """Takes what is chosen."""
        self.answer(self.choice.chosen_yes)

    def action_yes(self) -> None:
        """Yes, when the plan may run."""
        if self.choice.may:
            self.answer(True)

    def action_no(self) -> None:
        """No."""
        self.answer(False)


def plan_lines(plan: Plan, item: Command) -> list[Line]:
    """The plan in words: what, whom, cost, conditions, steps."""
    lines: list[Line] = [
        (Span(item.title, Tone.STRONG),),
        (Span("target     ", Tone.MUTED), Span(plan.target, Tone.STRONG)),
        (Span("plan       ", Tone.MUTED), Span(plan.summary)),
        (Span("effect     ", Tone.MUTED), Span(plan.effect)),
        (Span("cost       ", Tone.MUTED), Span(plan.cost)),
    ]
    if plan.done:
        lines += [(), (Span("Nothing to do: ", Tone.OK), Span(plan.done))]
    elif plan.why_not:
        lines += [(), (Span("Refused: ", Tone.CRITICAL), Span(plan.why_not))]
    for warning in plan.warnings:
        lines.append((Span("warning    ", Tone.WARN), Span(warning)))
    lines += [(), (Span("Conditions", Tone.ACCENT),)]
    for held in plan.preconditions:
        sign, tone = {
            True: ("yes", Tone.OK),
            False: ("NO", Tone.CRITICAL),
            None: ("?", Tone.UNKNOWN),
        }[held.met]
        lines.append(
            (Span(f"  {sign:<4}", tone), Span(f"{held.name}: "), Span(held.evidence, Tone.MUTED))
        )
        if held.met is not True and held.remedy:
            lines.append((Span(f"       → {held.remedy}", Tone.ACCENT),))
    lines += [(), (Span("Steps", Tone.ACCENT),)]
    for number, step in enumerate(plan.steps, 1):
        lines.append(
            (
                Span(f"  {number}. ", Tone.MUTED),
                Span(step.title),
                Span(f" on {step.target}", Tone.MUTED),
            )
        )
        lines.append((Span("     call ", Tone.MUTED), Span(step.call)))
        lines.append((Span("     then ", Tone.MUTED), Span(step.postcondition)))
        limit = f"     within {step.deadline_s:g} s; {step.undo}"
        lines.append((Span(limit, Tone.MUTED),))
    if plan.lock is not None:
        lines.append((Span(f"     lock {plan.lock}", Tone.MUTED),))
    lines += [(), (Span(f"plan {plan.hash}", Tone.MUTED),)]
    return lines
