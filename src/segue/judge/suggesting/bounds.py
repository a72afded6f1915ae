"""Readable bounds around values that were seen."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

_NICE = (1, 2, 5, 10)
_DIGITS = 1000
"""More than two numbers of any type have between them."""


def round_outward(low: Decimal, high: Decimal) -> tuple[Decimal, Decimal] | None:
    """Return readable bounds around two values; None if they tell nothing.

    Values far from zero beside their spread are rounded by their spread; others begin at
    zero and end at a round number.

    Example:
        >>> [str(bound) for bound in round_outward(Decimal("0.5"), Decimal("99512.10"))]
        ['0', '100000']
        >>> [str(bound) for bound in round_outward(Decimal(1994), Decimal(2023))]
        ['1990', '2030']
    """
    if low == high:
        return None
    # exactly, or a division would round before it is rounded outward
    with localcontext(prec=_DIGITS):
        if low > 0 and high - low < high / 2:
            step = Decimal(1).scaleb((high - low).adjusted())
            first = (low / step).to_integral_value(ROUND_FLOOR) * step
            last = (high / step).to_integral_value(ROUND_CEILING) * step
            return _write_out(first), _write_out(last)
        below = -round_up(-low) if low < 0 else Decimal(0)
        above = round_up(high) if high > 0 else Decimal(0)
        return below, above


def round_up(number: Decimal) -> Decimal:
    """Return the next number above that begins with 1, 2 or 5 and goes on with zeros."""
    power = Decimal(1).scaleb(number.adjusted())
    return next(_write_out(nice * power) for nice in _NICE if nice * power >= number)


def round_down(number: int) -> int:
    """Return the next whole number below that begins with 1, 2 or 5 and goes on with zeros.

    Example:
        >>> round_down(190), round_down(7), round_down(0)
        (100, 5, 0)
    """
    if number <= 0:
        return 0
    power = int("1".ljust(len(str(number)), "0"))
    return max(nice * power for nice in _NICE[:-1] if nice * power <= number)


def _write_out(number: Decimal) -> Decimal:
    """Return a number without an exponent."""
    return Decimal(format(number.normalize(), "f"))
