"""Pieces of Spark's SQL with places for other expressions."""

from __future__ import annotations

from functools import partial

from segue.engines.dialects.template import fill_in

fill = partial(fill_in, "spark")
