"""Which nodes are meant: ``role=shop, country in (BE, NL), !spare, tier!=old``.

All terms must be true of a node's labels. Its name is the label ``node``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from segue.errors import SelectionError

NODE_LABEL = "node"
EVERY = "*"
"""The selector of all nodes."""
LONGEST_LABEL = 200
"""Letters of a label's name or value: they stand in every row of its node."""

Operator = Literal["in", "not in", "there", "missing"]

_TOKEN = re.compile(r"\s*(?:(!=|[=(),!])|([\w./@:+-]+|\"[^\"]*\"))")
_LONGEST = 4000
_HINT = "write it as 'role=shop, country in (BE, NL), !spare, tier!=old', or '*' for all nodes"


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that must be true of a node's labels.

    Attributes:
        label: Name of the label.
        operator: What must be true of it. A label that is missing is ``not in`` anything.
        values: Values that ``in`` and ``not in`` look among.
    """

    label: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether it is true of labels."""
        value = labels.get(self.label)
        if self.operator in ("there", "missing"):
            return (value is not None) == (self.operator == "there")
        return (value in self.values) == (self.operator == "in")


@dataclass(frozen=True, slots=True)
class Selector:
    """Which nodes are meant.

    Attributes:
        terms: All must be true; none are true of every node.
    """

    terms: tuple[Term, ...] = ()

    def matches(self, node: str, labels: Mapping[str, str]) -> bool:
        """Return whether a node is meant.

        Example:
            >>> parse_selector("role=shop, !spare").matches("n1", {"role": "shop"})
            True
        """
        named = {**labels, NODE_LABEL: node}
        return all(term.matches(named) for term in self.terms)

    def __str__(self) -> str:
        """Return the selector in one form, whatever it was typed like.

        Example:
            >>> str(parse_selector("country  in (NL,BE),role = shop"))
            'country in (BE, NL), role=shop'
        """
        return ", ".join(_write_term(term) for term in self.terms) or EVERY


def _write_term(term: Term) -> str:
    values = [each if _is_word(each) else f'"{each}"' for each in term.values]
    match term.operator:
        case "there":
            return term.label
        case "missing":
            return f"!{term.label}"
        case _ if len(values) == 1:
            return f"{term.label}{'=' if term.operator == 'in' else '!='}{values[0]}"
        case _:
            return f"{term.label} {term.operator} ({', '.join(values)})"


def _is_word(text: str) -> bool:
    return re.fullmatch(r"[\w./@:+-]+", text) is not None


@lru_cache(maxsize=256)
def parse_selector(text: str) -> Selector:
    """Return the selector that a text tells.

    Raises:
        SelectionError: It can't be read; the hint is the form.

    Example:
        >>> parse_selector("tier!=old").terms
        (Term(label='tier', operator='not in', values=('old',)),)
    """
    if text.strip() == EVERY:
        return Selector()
    words = _split(text)
    terms: list[Term] = []
    at = 0
    while True:
        term, at = _parse_term(text, words, at)
        terms.append(term)
        if at == len(words):
            return Selector(tuple(sorted(terms, key=lambda each: (each.label, each.operator))))
        at = _expect(text, words, at, ",")


def _split(text: str) -> list[str]:
    if len(text) > _LONGEST:
        raise SelectionError("the selector of nodes is too long", hint=_HINT)
    words: list[str] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _refuse(text, f"{text[at:].strip()[0]!r} means nothing there")
        words.append(match[1] or match[2])
        at = match.end()
    return words


def _parse_term(text: str, words: Sequence[str], at: int) -> tuple[Term, int]:
    if words[at : at + 1] == ["!"]:
        label, at = _take_word(text, words, at + 1, "a label")
        return Term(label, "missing"), at
    label, at = _take_word(text, words, at, "a label")
    following = words[at] if at < len(words) else ","
    if following == ",":
        return Term(label, "there"), at
    if following in ("=", "!="):
        value, at = _take_word(text, words, at + 1, "a value")
        return Term(label, "in" if following == "=" else "not in", (value,)), at
    if following.lower() == "in":
        values, at = _take_values(text, words, at + 1)
        return Term(label, "in", values), at
    if [word.lower() for word in words[at : at + 2]] == ["not", "in"]:
        values, at = _take_values(text, words, at + 2)
        return Term(label, "not in", values), at
    near = difflib.get_close_matches(following.lower(), ["in", "not"], n=1)
    hint = f"did you mean {near[0]!r}, or is a comma missing?" if near else "is a comma missing?"
    raise SelectionError(
        f"the selector {text!r} can't be read: after {label!r} stands {following!r}",
        hint=f"{hint} {_HINT}",
    )


def _take_values(text: str, words: Sequence[str], at: int) -> tuple[tuple[str, ...], int]:
    at = _expect(text, words, at, "(")
    values: list[str] = []
    while True:
        value, at = _take_word(text, words, at, "a value")
        values.append(value)
        if words[at : at + 1] == [")"]:
            return tuple(sorted(set(values))), at + 1
        at = _expect(text, words, at, ",")


def _take_word(text: str, words: Sequence[str], at: int, what: str) -> tuple[str, int]:
    if at >= len(words):
        raise _refuse(text, f"{what} is missing at its end")
    word = words[at]
    if word in ("=", "!=", "(", ")", ",", "!"):
        raise _refuse(text, f"{what} is missing before {word!r}")
    if what == "a label" and not _is_word(word):
        raise _refuse(text, f"{word} is no label")
    return word.strip('"'), at + 1


def _expect(text: str, words: Sequence[str], at: int, sign: str) -> int:
    if at >= len(words):
        raise _refuse(text, f"{sign!r} is missing at its end")
    if words[at] != sign:
        raise _refuse(text, f"{sign!r} is missing before {words[at]!r}")
    return at + 1


def _refuse(text: str, what: str) -> SelectionError:
    return SelectionError(f"the selector {text!r} can't be read: {what}", hint=_HINT)


def find_unknown(selector: Selector, nodes: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a sentence for each label and value of a selector that no node has.

    Args:
        selector: The selector.
        nodes: Labels of all nodes, each with its name as the label ``node``.

    Example:
        >>> find_unknown(parse_selector("rol=shop"), [{"role": "shop", "node": "a"}])
        ["no node has a label 'rol': did you mean 'role'?"]
    """
    known: dict[str, set[str]] = {}
    for labels in nodes:
        for label, value in labels.items():
            known.setdefault(label, set()).add(value)
    told: list[str] = []
    for term in selector.terms:
        if term.label not in known:
            told.append(f"no node has a label {term.label!r}{_near(term.label, known)}")
            continue
        told += [
            f"no node has {term.label}={value}{_near(value, known[term.label])}"
            for value in term.values
            if value not in known[term.label]
        ]
    return told


def _near(word: str, known: Mapping[str, object] | set[str]) -> str:
    near = difflib.get_close_matches(word, sorted(known), n=1)
    return f": did you mean {near[0]!r}?" if near else ""
