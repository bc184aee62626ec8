"""Plans in words: the question before a change shows what its dry run prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lptui.actions.options import Option
from lptui.actions.plan import OnFailure, Plan, Precondition, Step
from lptui.present.model import Line, Span, Tone

MOST_CHOICES: Final = 9
"""Choices that have a key: the digits."""

HELD: Final = {
    True: ("yes", Tone.OK),
    False: ("NO", Tone.CRITICAL),
    None: ("?", Tone.UNKNOWN),
}

ON_FAILURE: Final = {
    OnFailure.UNDO: "if a step fails, what was done before it is undone",
    OnFailure.STOP: "if a step fails it stops there, and what was done stays",
}


def plan_lines(
    plan: Plan, title: str, options: Sequence[Option] = (), others: str = ""
) -> list[Line]:
    """All of a plan: whom, why not, what may be chosen, conditions, steps.

    `others` says who else is at the fleet; "" when nobody is.
    """
    lines: list[Line] = [(Span(title, Tone.STRONG),)]
    lines += _verdict(plan, options)
    if others:
        lines.append((Span(others, Tone.WARN),))
    lines += [_named("target", plan.target, Tone.STRONG), _named("plan", plan.summary)]
    lines += [_named("effect", plan.effect), _named("cost", plan.cost)]
    if plan.blast:
        lines.append(_named("affects", plan.blast))
    lines += [(_label("warning", Tone.WARN), Span(words)) for words in plan.warnings]
    if options:
        lines += [
            (),
            (Span("Choices", Tone.ACCENT), Span("  press a number to change one", Tone.MUTED)),
        ]
        lines += _choices(plan, options)
    lines += [(), (Span("Conditions", Tone.ACCENT),)]
    for condition in plan.preconditions:
        lines += _condition(condition)
    if plan.steps:
        failing = f"  {ON_FAILURE[plan.on_failure]}" if plan.is_stepwise else ""
        lines += [(), (Span("Steps", Tone.ACCENT), Span(failing, Tone.MUTED))]
    for number, step in enumerate(plan.steps, 1):
        lines += _step(number, step)
    lines.append(())
    if plan.lock is not None:
        lines.append(_named("lock", str(plan.lock), Tone.MUTED))
    lines.append((Span(f"plan {plan.hash}", Tone.MUTED),))
    return lines


def value_of(plan: Plan, option: Option) -> str:
    """What is chosen; "" where the action chooses for itself."""
    default = option.values[0] if option.values else ""
    return plan.request.option(option.name, default)


def following(plan: Plan, option: Option) -> str:
    """The value after the present one, of a choice that has a few."""
    values = option.values
    now = value_of(plan, option)
    return values[(values.index(now) + 1) % len(values)] if now in values else values[0]


def chosen(plan: Plan, option: Option, value: str) -> tuple[tuple[str, str], ...]:
    """The plan's choices with another value of one of them; "" takes it back."""
    rest = tuple((name, held) for name, held in plan.request.options if name != option.name)
    return (*rest, (option.name, value)) if value else rest


def _verdict(plan: Plan, options: Sequence[Option]) -> Iterator[Line]:
    open_choice = next(
        (n for n, option in enumerate(options, 1) if option.name == plan.to_choose), None
    )
    if plan.done:
        yield (Span("Nothing to do: ", Tone.OK), Span(plan.done))
    elif open_choice is not None:
        why = f"press {open_choice} to say {plan.to_choose}"
        yield (Span("Not complete: ", Tone.WARN), Span(why))
    elif plan.why_not:
        yield (Span("Refused: ", Tone.CRITICAL), Span(plan.why_not))


def _label(text: str, tone: Tone = Tone.MUTED) -> Span:
    return Span(f"{text:<11}", tone)


def _named(name: str, text: str, tone: Tone = Tone.NORMAL) -> Line:
    return (_label(name), Span(text, tone))


def _choices(plan: Plan, options: Sequence[Option]) -> Iterator[Line]:
    width = max(len(option.name) for option in options)
    for number, option in enumerate(options[:MOST_CHOICES], 1):
        value = value_of(plan, option)
        is_open = option.name == plan.to_choose
        unsaid = Span("to be said", Tone.WARN) if is_open else Span("as usual", Tone.MUTED)
        yield (
            Span(f"  {number} ", Tone.ACCENT),
            Span(f"{option.name:<{width}}  "),
            Span(value, Tone.STRONG) if value else unsaid,
            Span(f"  {option.help}", Tone.MUTED),
        )


def _condition(condition: Precondition) -> Iterator[Line]:
    sign, tone = HELD[condition.met]
    name = f"{condition.name}: " if condition.evidence else condition.name
    yield (Span(f"  {sign:<4}", tone), Span(name), Span(condition.evidence, Tone.MUTED))
    if condition.met is not True and condition.remedy:
        yield (Span(f"       → {condition.remedy}", Tone.ACCENT),)


def _step(number: int, step: Step) -> Iterator[Line]:
    yield (
        Span(f"  {number}. ", Tone.MUTED),
        Span(step.title),
        Span(f" on {step.target}", Tone.MUTED),
    )
    if step.precondition:
        yield (Span("     first ", Tone.MUTED), Span(step.precondition))
    yield (Span("     call  ", Tone.MUTED), Span(step.call))
    yield (Span("     then  ", Tone.MUTED), Span(step.postcondition))
    undo = step.undo if step.undo.startswith("cannot") else f"undo: {step.undo}"
    yield (Span(f"     within {step.deadline_s:g} s; {undo}", Tone.MUTED),)
