"""The question about a plan, whose choices can be changed before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from lptui.errors import LptuiError
from lptui.present.model import Span, Tone
from lptui.present.plans import MOST_CHOICES, chosen, following, plan_lines, value_of
from lptui.tui.entry import Entry
from lptui.tui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from lptui.actions.options import Option
    from lptui.actions.plan import Plan, Request
    from lptui.actions.spec import ActionSpec
    from lptui.tui.app import LptuiApp

Replan = Callable[[str, "Request"], Awaitable["Plan"]]
"""Plans an action anew; raises LptuiError."""


class PlanScreen(ConfirmScreen):
    """`plan` is the one that was answered about."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(number), f"change({number})", show=False)
        for number in range(1, MOST_CHOICES + 1)
    ]

    def __init__(
        self, plan: Plan, spec: ActionSpec, replan: Replan, phrase: str, others: str
    ) -> None:
        """`others` says who else is at the fleet; "" when nobody is."""
        super().__init__(plan_lines(plan, spec.title, spec.options, others), yes_of(plan), phrase)
        self.plan = plan
        self._spec = spec
        self._others = others
        self._replan = replan
        self._planning: asyncio.Task[None] | None = None

    def on_unmount(self) -> None:
        if self._planning is not None:
            self._planning.cancel()

    def action_change(self, number: int) -> None:
        """Another value for one of the choices: the next one, or one that is typed."""
        if number > len(self._spec.options):
            return
        option = self._spec.options[number - 1]
        if option.values:
            self._take(option, following(self.plan, option))
            return

        def given(text: str | None) -> None:
            self.entered()
            if text is not None:
                self._take(option, text)

        entry = Entry(option.metavar or option.name, value_of(self.plan, option), given)
        self.ask(f"{option.name}: {option.help}", entry)

    def _take(self, option: Option, value: str) -> None:
        from lptui.actions.plan import Request

        if self._planning is not None:
            self._planning.cancel()
        request = Request(self.plan.request.targets, chosen(self.plan, option, value))
        # Nothing is confirmed that is not on the screen.
        self.choice.offer("")
        self.tell((Span("planning…", Tone.MUTED),))
        self._planning = cast("LptuiApp", self.app).keep(self._plan_anew(request))

    async def _plan_anew(self, request: Request) -> None:
        try:
            plan = await self._replan(self.plan.action, request)
        except LptuiError as error:
            self.tell((Span(f"not taken: {error}", Tone.WARN),))
        else:
            self.plan = plan
            self.tell(())
        self.body.show(plan_lines(self.plan, self._spec.title, self._spec.options, self._others))
        self.fit()
        self.choice.offer(yes_of(self.plan))


def yes_of(plan: Plan) -> str:
    """The label of Yes; "" when the plan may not run."""
    return "" if plan.why_not else f"Yes, {plan.action} {plan.target}"
