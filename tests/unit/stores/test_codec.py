"""What is written comes back equal, whatever stands in it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from segue.spec.output import DataFile, StagedTable, StepMemory
from segue.spec.run import Intent, Owner, Publication, StepFailure, StepOutcome, StepStatus
from segue.spec.step import Mode
from segue.spec.types import Column, TableSchema, parse_type
from segue.stores import codec

TEXT = st.text(st.characters(), max_size=8)
NAMES = TEXT.filter(bool)
TYPES = st.sampled_from(
    ["int64", "decimal(18,2)", "list<struct<a: uint8>>", "timestamp(ms, Europe/Rome)", "null"]
).map(parse_type)
SCHEMAS = st.lists(st.builds(Column, NAMES, TYPES), max_size=3).map(
    lambda columns: TableSchema(tuple(columns))
)
COUNTS = st.integers(0, 2**60)
STATS = st.dictionaries(
    st.sampled_from(["minValues", "nullCount"]), st.dictionaries(NAMES, COUNTS, max_size=2)
)
FILES = st.builds(DataFile, TEXT, COUNTS, COUNTS, TEXT, STATS)
SOME_FILES = st.lists(FILES, max_size=2).map(tuple)
STAGED = st.builds(
    StagedTable, TEXT, SCHEMAS, st.sampled_from(Mode), SOME_FILES, SOME_FILES, st.none() | COUNTS
)
PARTS = st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)
WORDS = st.dictionaries(TEXT, TEXT, max_size=2)
SEEN = st.dictionaries(TEXT, st.lists(TEXT, max_size=2).map(tuple), max_size=2)
MEMORIES = st.builds(
    StepMemory,
    step=TEXT,
    fingerprint=TEXT,
    parts=PARTS,
    inputs=WORDS,
    parameters=WORDS,
    schema=st.none() | SCHEMAS,
    run_id=TEXT,
    finished_at=TEXT,
    seen_files=SEEN,
    rows=COUNTS,
    seconds=st.floats(0, 1e9),
    staged=st.none() | STAGED,
    rejects=st.none() | STAGED,
    report=st.lists(st.dictionaries(TEXT, COUNTS, max_size=2), max_size=2).map(tuple),
)
OUTCOMES = st.builds(
    StepOutcome,
    step=TEXT,
    status=st.sampled_from(StepStatus),
    reasons=st.lists(TEXT, max_size=2).map(tuple),
    parts=PARTS,
    inputs=WORDS,
    input_rows=st.dictionaries(TEXT, COUNTS, max_size=2),
    parameters=WORDS,
    staged=st.none() | STAGED,
    failure=st.none() | st.builds(StepFailure, TEXT, TEXT, TEXT),
    seen_files=SEEN,
    peak_memory=st.none() | COUNTS,
)


@given(SCHEMAS)
def test_schemas(schema):
    assert codec.decode_schema(codec.encode_schema(schema)) == schema


@given(MEMORIES)
def test_memories(memory):
    text = codec.dump_json(codec.encode_memory(memory))
    assert codec.decode_memory(json.loads(text)) == memory


@given(
    st.lists(st.builds(Publication, TEXT, COUNTS, STAGED, TEXT, TEXT, st.none() | COUNTS)),
    st.lists(OUTCOMES, max_size=2),
)
def test_intents(publications, outcomes):
    intent = Intent("run", 3, "production", tuple(publications), tuple(outcomes))
    assert codec.decode_intent(codec.encode_intent(intent)) == intent


def test_owners():
    owner = Owner("host", "boot", 7, 1.5, "näme")
    assert codec.decode_owner(codec.encode_owner(owner)) == owner


def test_text_is_ascii_so_that_any_database_takes_it():
    assert codec.dump_json({"è": "\udcff"}).isascii()
