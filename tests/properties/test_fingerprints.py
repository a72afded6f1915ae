"""However a step is laid out and commented, its fingerprint is the same."""

from hypothesis import given
from hypothesis import strategies as st

from segue.declare.discover import declare_project
from segue.declare.problems import Problems
from segue.declare.sql import read_sql_step

QUERY = "select store, sum(amount) as total from orders where status = 'paid' group by all"
GAPS = st.sampled_from([" ", "\n", "\t", " /* c */ ", " -- c\n"])
COMMENTS = st.sampled_from(["", "# c", "   # deep"])
DOCSTRINGS = st.sampled_from(["", "    'doc'\n", "    '''doc\n    more'''\n"])
FUNCTION = ["def f(raw: pa.Table) -> pa.Table:", "    x = 1", "    y = x + 1", "    return y"]
HEAD = "import pyarrow as pa\nfrom segue import step\n"


def digest(text):
    problems = Problems()
    step = read_sql_step("s", text, "steps/s.sql", problems)
    problems.check()
    return step.fingerprint.digest


@given(st.lists(GAPS, min_size=QUERY.count(" "), max_size=QUERY.count(" ")))
def test_whitespace_and_comments_of_sql_never_count(gaps):
    first, *words = QUERY.split(" ")
    text = first + "".join(gap + word for gap, word in zip(gaps, words, strict=True))
    assert digest(text) == digest(QUERY)


@given(st.lists(st.booleans(), min_size=len(QUERY), max_size=len(QUERY)))
def test_case_of_keywords_never_counts(raised):
    keywords = {"select", "sum(amount)", "as", "from", "where", "group", "by", "all"}
    words = [
        word.replace("sum", "SUM")
        if word[:3] == "sum"
        else word.upper()
        if word in keywords and up
        else word
        for word, up in zip(QUERY.split(" "), raised, strict=False)
    ]
    assert digest(" ".join(words)) == digest(QUERY)


@given(st.lists(COMMENTS, min_size=4, max_size=4), DOCSTRINGS)
def test_comments_and_docstrings_of_python_never_count(tmp_path_factory, comments, doc):
    root = tmp_path_factory.mktemp("shop")
    (root / "steps").mkdir()
    (root / "segue.toml").write_text('[project]\nname = "x"\n')
    (root / "steps/raw.sql").write_text("select 1 as a")
    lines = [f"{comment}\n{line}\n" for comment, line in zip(comments, FUNCTION, strict=True)]
    commented = "".join([lines[0], doc, *lines[1:]])
    (root / "steps/c.py").write_text(f"{HEAD}{commented}step(f)\n")
    plain = "\n".join(FUNCTION)
    (root / "steps/d.py").write_text(f"{HEAD}{plain}\nstep(name='g')(f)\n")
    steps = declare_project(root).steps
    assert steps["f"].fingerprint == steps["g"].fingerprint
