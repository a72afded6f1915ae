"""How far two distributions are apart, told from counts.

- PSI, the population stability index: ``sum((p - q) * ln(p / q))`` over bins with shares ``p``
  now and ``q`` before (Siddiqi, Credit Risk Scorecards, 2006; the symmetric divergence of
  Jeffreys, 1946). By custom 0.1 is a small change and 0.2 or 0.25 a large one. An empty bin
  counts as one of share 0.0001.
- Jensen-Shannon distance: the square root of the divergence of Lin (Divergence Measures Based
  on the Shannon Entropy, IEEE Trans. Inf. Theory 1991) with logarithms to the base 2, from 0
  to 1; its root is a metric (Endres and Schindelin 2003).
- Chi-squared test of homogeneity (Pearson 1900), told as Cramér's V (Mathematical Methods of
  Statistics, 1946): ``sqrt(chi2 / rows)``, from 0 to 1, which does not grow with the number of
  rows.
- Kolmogorov-Smirnov: the largest difference between two distribution functions, from 0 to 1
  (Smirnov 1939); its p-value by the limit of Kolmogorov (1933), which is close from about 30
  rows on.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY = 1e-4
_TERMS = 100
_CLOSE = 1e-12


def find_psi(before: Sequence[int], now: Sequence[int]) -> float:
    """Return the population stability index of two series of counts, bin by bin.

    Example:
        >>> round(find_psi([50, 50], [50, 50]), 6), round(find_psi([50, 50], [80, 20]), 4)
        (0.0, 0.4159)
    """
    return sum(parts_of_psi(before, now))


def parts_of_psi(before: Sequence[int], now: Sequence[int]) -> list[float]:
    """Return what each bin adds to the index."""
    shares = zip(_shares(before), _shares(now), strict=True)
    floored = ((max(q, EMPTY), max(p, EMPTY)) if p or q else (1.0, 1.0) for q, p in shares)
    return [(p - q) * math.log(p / q) for q, p in floored]


def find_js(before: Sequence[int], now: Sequence[int]) -> float:
    """Return the Jensen-Shannon distance of two series of counts.

    Example:
        >>> find_js([1, 1], [2, 2]), find_js([1, 0], [0, 1])
        (0.0, 1.0)
    """
    divergence = 0.0
    for q, p in zip(_shares(before), _shares(now), strict=True):
        middle = (p + q) / 2
        divergence += sum(x * math.log2(x / middle) for x in (p, q) if x) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def find_chi2(before: Sequence[int], now: Sequence[int]) -> tuple[float, float, float]:
    """Return the chi-squared statistic of two series of counts, Cramér's V, and the p-value.

    Example:
        >>> [round(each, 4) for each in find_chi2([10, 20, 30], [20, 20, 20])]
        [5.3333, 0.2108, 0.0695]
    """
    pairs = [(a, b) for a, b in zip(before, now, strict=True) if a or b]
    first, second = (sum(column) for column in zip(*pairs, strict=True))
    rows = first + second
    statistic = 0.0
    for pair in pairs:
        for count, total in zip(pair, (first, second), strict=True):
            expected = sum(pair) * total / rows
            statistic += (count - expected) ** 2 / expected
    freedom = len(pairs) - 1
    if not freedom:
        return 0.0, 0.0, 1.0
    return statistic, math.sqrt(statistic / rows), _upper_gamma(freedom / 2, statistic / 2)


def find_ks(before: Sequence[int], now: Sequence[int]) -> float:
    """Return the largest difference between the shares up to each bin, which are in order.

    Example:
        >>> find_ks([1, 1, 1, 1], [0, 0, 2, 2])
        0.5
    """
    above, largest = 0.0, 0.0
    for q, p in zip(_shares(before), _shares(now), strict=True):
        above += p - q
        largest = max(largest, abs(above))
    return largest


def find_ks_p(distance: float, before: int, now: int) -> float:
    """Return the probability of such a distance between samples of one distribution.

    Example:
        >>> round(find_ks_p(0.2, 100, 100), 3)
        0.037
    """
    scaled = math.sqrt(before * now / (before + now)) * distance
    if scaled < 0.2:  # noqa: PLR2004  # the series does not converge there, and the limit is 1
        return 1.0
    chance = 0.0
    for place in range(1, _TERMS):
        sign = 2 if place % 2 else -2
        chance += sign * math.exp(-2 * (place * scaled) ** 2)
    return min(max(chance, 0.0), 1.0)


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts)
    return [count / whole for count in counts]


def _upper_gamma(a: float, x: float) -> float:
    """Return the regularised upper incomplete gamma function (DLMF 8.7.1 and 8.9.2)."""
    if x <= 0:
        return 1.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        place = a
        while abs(term) > abs(total) * _CLOSE:
            place += 1
            term *= x / place
            total += term
        return max(1 - scale * total, 0.0)
    # the continued fraction, from its far end
    fraction = 0.0
    for place in range(_TERMS * 5, 0, -1):
        fraction = place * (place - a) / (x + 2 * place + 1 - a - fraction)
    return scale / (x + 1 - a - fraction)
