"""Which columns fit a width, and how wide each becomes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.present.model import Column

LEAST_GROWING = 12
"""What a growing column makes do with, rather than not be shown at all."""


def layout(columns: Sequence[Column], width: int, gap: int) -> tuple[tuple[int, int], ...]:
    """(index, width) of the columns to show, in their own order.

    Columns are taken by priority while they fit, a growing one also in less than its width. What
    is left over goes to those that grow, or to the last one when it is aligned to the right, so
    that it stands at the edge.
    """
    widths: dict[int, int] = {}
    used = 0
    for index in sorted(range(len(columns)), key=lambda i: (columns[i].priority, i)):
        before = gap if widths else 0
        room = width - used - before
        need = columns[index].width
        if columns[index].grow and LEAST_GROWING <= room < need:
            need = room
        if need <= room:
            widths[index] = need
            used += before + need
        elif not widths:
            return ((index, width),)
    chosen = sorted(widths)
    growing = [index for index in chosen if columns[index].grow]
    if not growing and chosen and columns[chosen[-1]].right:
        growing = [chosen[-1]]
    spare = width - used
    for place, index in enumerate(growing):
        share = spare // (len(growing) - place)
        widths[index] += share
        spare -= share
    return tuple((index, widths[index]) for index in chosen)
