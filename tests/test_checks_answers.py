"""Whatever the learner's function returns, the answer is readable; values are shown as they are."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from learner import attempted, body, cell

from stn_course import checks, grids
from stn_course.checks import progress
from stn_course.checks.catalogue import EXERCISES
from stn_course.checks.engine import formatting, pictures
from stn_course.checks.engine.judging import judge
from stn_course.checks.engine.types import FunctionExercise
from stn_course.checks.engine.verdict import WIDTH, Verdict, wrapped
from stn_course.plotting.figures import image_grid

WRITTEN = [e for e in EXERCISES.values() if isinstance(e, FunctionExercise)]
AFFINE = EXERCISES["affine_grid"]
ODD = [
    *("return 3", "return 'grid'", "return [1, 2]", "return {}", "return object()", "return True"),
    *("return torch", "return torch.float32", "return lambda: 1", "return 1j", "return (None,)"),
    *("import numpy; return numpy.ones((2, 3))", "return iter([])", "return arguments"),
    *("return torch.tensor(float('nan'))", "return torch.ones(2, device='meta')"),
    *("return torch.ones(2, 2).to_sparse()", "return torch.ones(2, 2, dtype=torch.complex64)"),
    *("return torch.zeros(0, 3)", "return torch.ones(2**21)", "return torch.tensor(True)"),
    *(
        "return nn.Linear(2, 2)",
        "return nn.Parameter(torch.ones(2))",
        "yield 1",
        "raise ValueError",
    ),
    *("return torch.ones(3, requires_grad=True)", "raise SystemExit(2)", "raise KeyboardInterrupt"),
    "class Odd:\n    def __repr__(self): raise SystemExit\nreturn Odd()",
    "class Odd:\n    def __repr__(self): return 5\nreturn Odd()",
    "class Odd:\n    def __getattr__(self, name): raise OSError\nreturn Odd()",
    "class Odd:\n    shape = property(lambda self: 1 / 0)\nreturn Odd()",
    "class Odd(torch.Tensor): pass\nreturn torch.ones(2).as_subclass(Odd)",
]


def readable(verdict: Verdict) -> str:
    text, shown = verdict.text, repr(verdict)
    assert text
    assert shown == wrapped(text)
    assert "mistake of the course" not in text
    assert "Traceback" not in text
    assert max(map(len, verdict.lines)) < 3000
    assert verdict._repr_mimebundle_()["text/plain"] == shown
    return text


@pytest.mark.parametrize("source", ODD)
def test_odd_results_are_named(source):
    verdict = checks.affine_grid(body(source))
    assert verdict.solved is False
    assert "my_affine_grid" in readable(verdict) or "It returned" in verdict.text


@given(st.sampled_from(WRITTEN), st.sampled_from(ODD))
def test_odd_results_anywhere_are_answered(exercise, source):
    verdict = getattr(checks, exercise.name)(body(source))
    assert verdict.solved is False
    readable(verdict)


numbers = st.floats(allow_nan=True, allow_infinity=True, width=32)
dtypes = st.sampled_from([torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64])


@given(st.sampled_from(WRITTEN), st.lists(st.integers(0, 4), max_size=5), numbers, dtypes)
@settings(max_examples=60)
def test_any_tensor_is_answered(exercise, shape, value, dtype):
    whole = dtype == torch.int64
    result = torch.full(shape, 3 if whole else value).to(dtype)
    verdict = getattr(checks, exercise.name)(lambda *arguments: result)
    assert verdict.solved is False
    readable(verdict)


@given(st.sampled_from([e for e in EXERCISES.values() if not isinstance(e, FunctionExercise)]))
def test_odd_guesses_are_answered(exercise):
    for source in ODD:
        try:
            (guess,) = [body(source)()]
        except BaseException:
            continue
        verdict = getattr(checks, exercise.name)(guess)
        assert verdict.solved in (False, None)
        readable(verdict)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("out[0]", r"It returned shape (2, 3, 2); expected (1, 2, 3, 2)."),
        ("out.to(torch.float16)", "It returned torch.float16; expected torch.float32."),
        ("out * float('nan')", "12 of its 12 numbers are NaN or infinite."),
        ("out.to('meta')", "that holds no plain numbers (meta"),
        ("out.tolist()", "It returned list [[[[-0.4"),
        ("out.numpy()", "It returned ndarray of shape (1, 2, 3, 2); expected a torch.float32"),
        ("(out, out)", "It returned tuple (tensor("),
        ("out + 0.1", "It differs:"),
    ],
)
def test_what_is_wrong_is_said(change, words):
    mine = body(f"out = grids.affine_grid(*arguments)\nreturn {change}")
    verdict = checks.affine_grid(mine)
    assert verdict.solved is False
    assert words in readable(verdict)


SHARE = "p = wrong.float().mean()\n"


@pytest.mark.parametrize("form", ["", ".item()", ".double()"])
def test_where_one_number_is_expected_pythons_own_and_any_floating_dtype_will_do(form):
    """The only argument is a tensor of bools, which says nothing of the answer's dtype."""
    text = f"{SHARE}return (100 * (p * (1 - p) / len(wrong)).sqrt()){form}"
    assert attempted("standard_error", text).solved is True
    verdict = attempted("standard_error", f"{SHARE}return (p * (1 - p) / len(wrong)).sqrt(){form}")
    assert "Diagnosis: this is a share from 0 to 1." in verdict.text


def test_a_number_in_place_of_several_is_named():
    assert "It returned float 25.0; expected" in attempted("base_grid", "return 25.0").text


def test_a_truth_in_place_of_a_number_is_named():
    verdict = attempted("standard_error", "return (100 * wrong.float().mean()).to(wrong.dtype)")
    assert "It returned torch.bool; expected torch.float64." in verdict.lines


@pytest.mark.parametrize("form", ["nn.Parameter(out)", "out.mT.contiguous().mT", "out.clone()"])
def test_what_does_not_matter_is_let_be(form):
    mine = body(f"out = grids.affine_grid(*arguments)\nreturn {form}")
    assert checks.affine_grid(mine).solved is True


def test_a_changed_argument_is_named():
    mine = body("out = grids.affine_grid(*arguments)\narguments[0].mul_(2)\nreturn out")
    assert "It modified its argument theta" in checks.affine_grid(mine).text


def test_a_missing_return_is_named():
    verdict = checks.affine_grid(body("out = grids.affine_grid(*arguments)"))
    assert verdict.solved is False
    assert "my_affine_grid returned nothing. Is a `return` missing, or" in verdict.text


@pytest.mark.parametrize("given", [3, "x", [], torch.ones(2)])
def test_the_function_itself_is_wanted(given):
    verdict = checks.affine_grid(given)
    assert verdict.solved is False
    assert "checks.affine_grid(my_affine_grid), without calling it; got" in verdict.text


def test_a_wrong_answer_shows_the_smallest_case_in_full():
    verdict = checks.affine_grid(body("return grids.affine_grid(*arguments).flip(-1)"))
    assert verdict.lines[1] == "The smallest case that is wrong (1 of 16):"
    assert verdict.lines[3:5] == ["  size = (1, 1, 2, 3)", "  align_corners = False"]
    rows = [line for line in verdict.lines if line.startswith("  [0, ")]
    assert len(rows) == 6
    assert all(row.endswith("<") for row in rows)
    expected, received = verdict.expected, verdict.received
    assert torch.equal(expected.flip(-1), received)
    for row, pair in zip(rows, expected.reshape(-1, 2).tolist(), strict=True):
        assert " ".join(map(formatting.number, pair)) in row


def test_what_nothing_explains_leads_to_a_hint():
    unknown = checks.affine_grid(lambda t, s, c: grids.affine_grid(t, s, c) + 0.1)
    assert unknown.lines[-1].endswith("Need a push? checks.hint('affine_grid')")
    assert "Diagnosis" not in unknown.text
    assert checks.frame("blue").lines[-1] == "Need a push? checks.hint('frame')"
    assert "Need a push" not in checks.frame("white").text


def test_a_right_answer_is_recorded(monkeypatch):
    recorded = []
    monkeypatch.setattr(progress, "record", recorded.append)
    checks.affine_grid(body("return 1"))
    checks.affine_grid(...)
    assert recorded == []
    checks.affine_grid(grids.affine_grid)
    checks.which_way("Clockwise ")
    assert recorded == ["affine_grid", "which_way"]


def test_a_mistake_of_ours_is_owned(monkeypatch):
    monkeypatch.setattr("stn_course.checks.api.judge", lambda *arguments: 1 / 0)
    verdict = checks.affine_grid(grids.affine_grid)
    assert verdict.solved is None
    assert "a mistake of the course, not yours (ZeroDivisionError" in verdict.text


def test_long_lines_are_broken_between_words_and_tables_kept():
    long = "words " * 40
    table = "  [0, 0]  " + "0.25 " * 40
    lines = wrapped(f"{long.strip()}\n  {long.strip()}\n{table}\n\nshort").splitlines()
    assert lines[-3:] == [table, "", "short"]
    assert all(len(line) <= WIDTH for line in lines if line != table)
    assert [line for line in lines if line.startswith("  words")] == lines[3:6]
    assert " ".join(lines[:3]) == long.strip()


def test_a_learners_text_is_escaped_in_html():
    names = cell("def my_nearest(input, x, y):\n    print('<script>')\n    return input * 0")
    verdict = Verdict("nearest", False, ["a <b>"])
    verdict.picture = b"png", 'a "picture"'
    html = verdict._repr_mimebundle_()["text/html"]
    assert ">a &lt;b&gt;</pre>" in html
    assert "word-break: normal" in html
    assert 'alt="a &quot;picture&quot;"' in html
    assert "<script>" not in checks.nearest(names["my_nearest"])._repr_mimebundle_().get(
        "text/html", ""
    )


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("disagreeing", lambda image, theta: image * 0, "the expected picture"),
        ("affine_grid", lambda t, s, c: grids.affine_grid(t, s, c) * 2, "the input's frame"),
        ("base_grid", lambda h, w, c: torch.full((h, w, 3), torch.nan), "the input's frame"),
    ],
)
def test_pictures_come_where_they_help(name, wrong, words):
    check = getattr(checks, name)
    verdict = check(wrong)
    content, described = verdict.picture
    assert content.startswith(b"\x89PNG")
    assert len(content) < 30_000
    assert described.startswith(words)
    assert "<img" in verdict._repr_mimebundle_()["text/html"]
    assert set(check(...)._repr_mimebundle_()) == {"text/plain"}
    assert set(check(lambda *a: torch.ones(3))._repr_mimebundle_()) == {"text/plain"}


def test_of_a_large_result_the_beginning_is_shown():
    verdict = checks.nearest(lambda *arguments: torch.zeros(50, 500_000 // 50))
    assert len(verdict.lines) < 40
    assert max(map(len, verdict.lines)) < 300
    assert f"    … and {50 - formatting.DOWN} lines more" in verdict.lines
    assert f"    {'0 ' * formatting.ACROSS}…" in verdict.lines


def test_a_wide_table_puts_expected_over_received():
    wide = torch.linspace(0, 1, 24).reshape(2, 12)
    lines = formatting.value_table(wide, wide + 1, wide > 2)
    assert len(lines) == 4
    assert lines[0].split()[:2] == ["[0]", "expected"]
    assert lines[1].split()[0] == "received"
    assert lines[1].endswith("<")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (-0.00001, "0"), (2.0, "2"), (1 / 3, "0.3333"), (1e9, "1e+09"), (True, "True")],
)
def test_numbers_are_short(value, text):
    assert formatting.number(value) == text


def test_a_small_difference_is_shown_with_more_digits():
    one = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    other = one + torch.tensor([0, 1e-6], dtype=torch.float64)
    lines = formatting.value_table(one, other, formatting.agree(one, other))
    assert lines[1].split() == ["[0]", "1", "2", "1", "2.000001", "<"]


def test_a_long_table_is_cut():
    long = torch.zeros(100, 2)
    lines = formatting.value_table(long, long, long == 0)
    assert lines[-1].strip() == f"… and {100 - formatting.ROWS} lines more"
    assert len(lines) == formatting.ROWS + 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_agreement_is_as_narrow_as_the_dtype(dtype):
    one = torch.tensor([1.0], dtype=dtype)
    assert formatting.agree(one, one + 1e-5).item() is (dtype == torch.float32)
    assert not formatting.agree(one, one + 1e-3).item()
    assert not formatting.agree(one * float("nan"), one * float("nan")).item()


def test_a_check_says_what_it_is():
    assert repr(checks.affine_grid) == f"checks.affine_grid(my_affine_grid): {AFFINE.title}"
    assert "my_affine_grid" in checks.affine_grid.__doc__


def test_warnings_of_the_course_stay_inside(recwarn):
    judge(EXERCISES["base_grid"], grids.base_grid)
    assert len(recwarn) == 0


def test_the_image_that_differs_is_drawn_in_greys_that_hold_both(monkeypatch):
    drawn = []

    def grid(pair, titles, columns, limits):
        drawn.append((pair, titles, columns, limits))
        return image_grid(pair, titles, columns=columns, limits=limits)

    monkeypatch.setattr(pictures, "image_grid", grid)
    expected = torch.zeros(2, 2, 3, 3)
    received = expected.clone()
    received[1, 1, 0] = torch.tensor([torch.nan, torch.inf, -torch.inf])
    received[1, 1, 2, 2] = 5
    expected[1, 1, 1, 1] = -1
    png, words = pictures.pair_of_images(expected, received.double())
    ((pair, titles, columns, limits),) = drawn
    assert (titles, columns, limits) == (["expected", "received"], 2, (-1, 5))
    assert torch.equal(pair, torch.stack([expected[1, 1:], received[1, 1:].nan_to_num(0, 0, 0)]))
    assert png.startswith(b"\x89PNG")
    assert words == "the expected picture, and beside it the received one."
    pictures.pair_of_images(expected * 0, expected * 0)
    assert drawn[1][3] == (0, 1)
    assert torch.equal(drawn[1][0], torch.zeros(2, 1, 3, 3))


def test_the_first_grid_is_drawn_with_a_line_from_each_dot_to_its_cross(monkeypatch):
    figures = []
    monkeypatch.setattr(pictures, "png", lambda figure: figures.append(figure) or b"")
    expected = torch.tensor([[[[0.5, -0.5], [0.0, 1.0]]]])
    received = torch.tensor([[[[2.0, torch.inf], [-torch.inf, torch.nan]]]])
    _, words = pictures.pair_of_grids(torch.cat([expected, expected + 9]), received)
    (axes,) = figures[0].axes
    dots, crosses, first, second, frame = [line.get_xydata().tolist() for line in axes.lines]
    assert dots == [[0.5, -0.5], [0, 1]]
    assert crosses == [[2, 0], [0, 0]]
    assert (first, second) == ([dots[0], crosses[0]], [dots[1], crosses[1]])
    assert frame == [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]
    assert axes.yaxis_inverted()
    assert [line.get_label() for line in axes.lines[:2]] == ["expected", "received"]
    assert words.startswith("the input's frame from -1 to 1, the expected places as dots")
