"""Labels beside an axis: each as near as it can be to its place, none over another. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def spread(wanted: Sequence[float], heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """The upper edges of labels whose middles are wanted at these places, in rising order, between top and bottom.

    The sum of squared distances is the least there is (pool adjacent violators). Where the room does not do for all,
    they run over the bottom rather than over each other.
    """
    before = [sum(heights[:number]) for number in range(len(heights))]
    ideal = [middle - height / 2 - offset for middle, height, offset in zip(wanted, heights, before, strict=True)]
    room = max(top, bottom - sum(heights))
    return [min(max(place, top), room) + offset for place, offset in zip(_rising(ideal), before, strict=True)]


def _rising(values: Sequence[float]) -> list[float]:
    """The nearest values that never fall."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        while pools and pools[-1][0] > mean:
            other, size = pools.pop()
            mean = (mean * count + other * size) / (count + size)
            count += size
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]
