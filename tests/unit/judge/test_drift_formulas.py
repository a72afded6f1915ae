"""Distances of distributions; expected values were computed with scipy 1.17 where named."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.judge.history.drift_formulas import (
    _upper_gamma,
    find_chi2,
    find_js,
    find_ks,
    find_ks_p,
    find_psi,
)

BEFORE = [120, 80, 60, 40, 0, 7]
NOW = [90, 95, 50, 70, 12, 0]
COUNTS = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), min_size=1, max_size=40
).filter(lambda pairs: all(sum(column) for column in zip(*pairs, strict=True)))


def test_jensen_shannon_is_scipys():
    assert find_js(BEFORE, NOW) == pytest.approx(0.21777022002714516, abs=1e-12)


def test_chi_squared_is_scipys():
    statistic, cramer, chance = find_chi2(BEFORE, NOW)
    assert statistic == pytest.approx(33.51068750606354)
    assert chance == pytest.approx(2.979281342007395e-06)
    assert cramer == pytest.approx(0.23173913102767257)


def test_stability_index_with_empty_bins():
    assert find_psi(BEFORE, NOW) == pytest.approx(0.44289075391042126)


def test_stability_index_by_hand():
    # (0.8 - 0.5) ln(0.8 / 0.5) + (0.2 - 0.5) ln(0.2 / 0.5)
    assert find_psi([5, 5], [8, 2]) == pytest.approx(0.3 * math.log(1.6) - 0.3 * math.log(0.4))


@pytest.mark.parametrize(
    ("freedom", "x", "expected"),
    [
        (1, 0.5, 0.47950012218695337),
        (1, 30, 4.3204630578274955e-08),
        (5, 5.3, 0.38037503234347064),
        (9, 21, 0.012650421350015558),
        (49, 80, 0.0034012114117295514),
        (49, 20, 0.9999245464953185),
    ],
)
def test_p_values_are_scipys(freedom, x, expected):
    assert _upper_gamma(freedom / 2, x / 2) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("scaled", "expected"),
    [
        (0.3, 0.9999906941986655),
        (0.5, 0.9639452436648751),
        (1.0, 0.26999967167735456),
        (1.36, 0.049485876755377876),
        (2.0, 0.0006709252557796953),
    ],
)
def test_the_limit_of_kolmogorov_is_scipys(scaled, expected):
    assert find_ks_p(scaled / math.sqrt(50), 100, 100) == pytest.approx(expected, rel=1e-6)


@given(COUNTS)
def test_distances_are_symmetric_and_bounded(pairs):
    before, now = zip(*pairs, strict=True)
    for distance in (find_psi, find_js, find_ks):
        assert distance(before, now) == pytest.approx(distance(now, before), abs=1e-9)
        assert distance(before, now) >= -1e-12
    assert find_js(before, now) <= 1
    assert find_ks(before, now) <= 1 + 1e-12
    _, cramer, chance = find_chi2(before, now)
    assert 0 <= cramer <= 1 + 1e-9
    assert 0 <= chance <= 1


@given(COUNTS, st.integers(1, 50))
def test_equal_shares_are_no_distance(pairs, times):
    counts = [before for before, _ in pairs]
    more = [times * each for each in counts]
    assert find_psi(counts, more) == pytest.approx(0, abs=1e-9)
    assert find_js(counts, more) == pytest.approx(0, abs=1e-6)
    assert find_ks(counts, more) == pytest.approx(0, abs=1e-9)
    assert find_chi2(counts, more)[0] == pytest.approx(0, abs=1e-6)
    assert find_chi2(counts, more)[2] == pytest.approx(1)
