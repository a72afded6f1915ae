"""A wide table of all the types that profiles describe; the same whenever it is made."""

KINDS = {
    "amount": "({value} % 1000000) / 1000.0",
    "code": "({value} % {few})::int",
    "name": "'S' || ({value} % {few})",
    "measure": "case when {value} % 10 > 0 then ({value} % 2000000) / 7.0 end",
    "day": "date '2020-01-01' + ({value} % 2000)::int",
    "count": "({value} % 100000)::bigint",
    "flag": "{value} % 2 = 0",
    "third": "({value} % 1000000)::double / 3",
    "status": "['new', 'paid', 'sent', 'gone'][1 + ({value} % 4)::int]",
    "at": "timestamp '2024-01-01' + interval 1 second * ({value} % 10000000)::int",
}


def write_select(rows: int, columns: int) -> str:
    """Return the SELECT of so many rows: an id, and columns of each kind in turn.

    Example:
        >>> write_select(9, 2)
        'select range as id, (hash(range, 1) % 1000000) / 1000.0 as amount_1 from range(9)'
    """
    kinds = list(KINDS.items())
    listed = ["range as id"]
    for at in range(1, columns):
        name, text = kinds[(at - 1) % len(kinds)]
        value = text.format(value=f"hash(range, {at})", few=10 + at)
        listed.append(f"{value} as {name}_{at}")
    return f"select {', '.join(listed)} from range({rows})"
