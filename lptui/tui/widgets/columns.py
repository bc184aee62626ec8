"""Which columns fit a width, and how wide each becomes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.present.model import Column


def layout(columns: Sequence[Column], width: int, gap: int) -> tuple[tuple[int, int], ...]:
    """(index, width) of the columns to show, in their own order.

    Columns are taken by priority while they fit. What is left over goes to those that grow, or
    to the last one when it is aligned to the right, so that it stands at the edge.
    """
    chosen: list[int] = []
    used = 0
    for index in sorted(range(len(columns)), key=lambda i: (columns[i].priority, i)):
        need = columns[index].width + (gap if chosen else 0)
        if used + need <= width:
            chosen.append(index)
            used += need
        elif not chosen:
            return ((index, width),)
    chosen.sort()
    widths = {index: columns[index].width for index in chosen}
    growing = [index for index in chosen if columns[index].grow]
    if not growing and chosen and columns[chosen[-1]].right:
        growing = [chosen[-1]]
    spare = width - used
    for place, index in enumerate(growing):
        share = spare // (len(growing) - place)
        widths[index] += share
        spare -= share
    return tuple((index, widths[index]) for index in chosen)
