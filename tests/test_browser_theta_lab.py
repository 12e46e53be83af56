"""Hands on ThetaLab in notebook 02, in a real browser, compared with PyTorch."""

import re

import lab_page
import pytest
import torch
from lab_page import (
    answered,
    assert_painted_as_pytorch_computes,
    check_accessibility,
    drag,
    focus_slider,
    lab,
    painted,
    press,
    readouts,
    run_code,
    settled,
    seven,
    shown_theta,
    squares,
    type_at,
    words,
)

from stn_course import transforms
from stn_course.widgets import theta_lab


@pytest.fixture(scope="module")
def grids(open_notebook):
    """Notebook 02."""
    return open_notebook("02_grid_generation.ipynb", 1, "ThetaLab(")


def test_the_lab_shows_the_digit(grids):
    lab_ = lab(grids)
    assert (squares(painted(lab_), 296, 26, 280, 28, 28) - seven()[0, 0] * 255).abs().max() <= 1
    assert torch.allclose(shown_theta(lab_), transforms.identity(), atol=1e-6)


def test_the_keyboard_turns_the_grid_and_nothing_else(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    focus_slider(lab_, 0)
    for _ in range(10):
        grids.keyboard.press("ArrowRight")
    settled(grids, lab_)
    assert "rotated 10 degrees, scaled by 1 in x and 1 in y" in words(lab_)
    assert readouts(lab_)[:6] == [10, 1, 1, 0, 0, 0]
    expected = transforms.rotation(degrees=10)
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-6)
    assert_painted_as_pytorch_computes(lab_, seven())


@pytest.mark.parametrize("name", ["centre", "x", "y"])
def test_a_handle_follows_the_mouse_and_the_sliders_the_handle(grids, name):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    drag(grids, lab_.query_selector(f"[data-handle={name}]"), -35, 21)
    settled(grids, lab_)
    expected = transforms.identity()
    column = {"x": 0, "y": 1, "centre": 2}[name]
    expected[0, :, column] += torch.tensor([-35, 21]) / 70  # 70 canvas pixels are 1
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-5)
    assert readouts(lab_)[6:] == pytest.approx(expected.flatten().tolist(), abs=0.0051)
    assert_painted_as_pytorch_computes(lab_, seven())


def test_a_handle_takes_the_focus_and_the_arrow_keys(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    lab_.query_selector("[data-handle=x]").focus()
    for key in ["ArrowDown"] * 4 + ["ArrowLeft", "Shift+ArrowUp"]:
        grids.keyboard.press(key)
    settled(grids, lab_)
    expected = torch.tensor([[[0.98, 0, 0], [0.08 - 0.2, 1, 0]]])
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-5)
    label = lab_.query_selector("[data-handle=x]").get_attribute("aria-label")
    assert "x 0.98, y -0.12" in label
    assert grids.evaluate("document.activeElement.dataset.handle") == "x"


CELLS = "document.querySelectorAll('.jp-Notebook .jp-Cell')"


@pytest.mark.parametrize("control", ["[data-handle=x]", "button:has-text('Reset')", ".noUi-handle"])
def test_letters_typed_at_a_control_do_not_reach_the_notebook(grids, control):
    """There `a` inserts a cell and `m` makes it text; `x` would cut the lab's cell."""
    lab_ = lab(grids)
    kinds = f"[...{CELLS}].map(cell => cell.classList.contains('jp-CodeCell'))"
    before = grids.evaluate(kinds)
    lab_.query_selector(control).click()
    for key in "am":
        grids.keyboard.press(key)
    grids.wait_for_timeout(300)
    assert grids.evaluate(kinds) == before


def test_the_tab_key_leads_to_every_control(grids):
    lab_ = lab(grids)
    lab_.query_selector("[data-handle=centre]").focus()
    reached = []
    for _ in range(60):
        reached.append(
            grids.evaluate(
                "(e => e.getAttribute('aria-label') || e.innerText"
                " || e.labels?.[0]?.innerText || '')(document.activeElement)"
            )
        )
        grids.keyboard.press("Tab")
    everything = "\n".join(reached)
    for control in (
        *(
            "centre of",
            "tip of the x arrow",
            "tip of the y arrow",
            "rotation",
            "scale x",
            "scale y",
        ),
        *("shear", "translation x", "translation y", "theta[0, 0]", "theta[1, 2]", "Quarter turn"),
        *("Everything outside", "Reset", "where the output reads", "how the picture moves", "Copy"),
    ):
        assert control in everything


def test_typing_a_number_works(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    lab_.query_selector_all(".widget-readout")[6].click()
    grids.keyboard.press("Control+A")
    grids.keyboard.type("0.5")
    grids.keyboard.press("Enter")
    settled(grids, lab_)
    expected = torch.tensor([[[0.5, 0, 0], [0, 1, 0]]])
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-6)
    assert readouts(lab_)[1] == 0.5  # scale x agrees


def test_presets_choices_and_the_other_view(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Quarter turn")
    assert_painted_as_pytorch_computes(lab_, seven())
    press(grids, lab_, "Zoom out")
    lab_.query_selector_all("select")[2].select_option("reflection")
    settled(grids, lab_)
    assert_painted_as_pytorch_computes(lab_, seven(), padding_mode="reflection")
    press(grids, lab_, "how the picture moves")
    drag(grids, lab_.query_selector("[data-handle=centre]"), 14, 0)
    settled(grids, lab_)
    undone = transforms.inverse(shown_theta(lab_))
    assert torch.allclose(undone[0, :, 2], torch.tensor([14 / 70, 0]), atol=1e-4)
    press(grids, lab_, "Reset")
    assert_painted_as_pytorch_computes(lab_, seven())


@pytest.mark.parametrize("name", theta_lab.PRESETS)
def test_a_preset_beyond_the_sliders_ranges_stays_as_it_is(grids, name):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    press(grids, lab_, name)
    expected = torch.tensor([theta_lab.PRESETS[name]])
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-5)
    assert readouts(lab_)[6:] == pytest.approx(expected.flatten().tolist(), abs=0.0051)
    assert_painted_as_pytorch_computes(lab_, seven())


def test_the_x_arrow_dragged_over_the_centre_leaves_the_y_arrow_alone(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    drag(grids, lab_.query_selector("[data-handle=x]"), -70, 0)
    settled(grids, lab_)
    assert "squeezed into a line" in words(lab_)
    assert "none: theta squeezes" in lab_.inner_text()
    drag(grids, lab_.query_selector("[data-handle=x]"), -35, 0)
    settled(grids, lab_)
    expected = torch.tensor([[[-0.5, 0, 0], [0, 1, 0]]])
    assert torch.allclose(shown_theta(lab_), expected, atol=1e-5)


def test_after_a_drag_out_of_the_panel_the_view_follows(grids):
    """While the hand holds the frame the panel stays as it is; then it shows all of it."""
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    centre = lab_.query_selector("[data-handle=centre]")
    before = centre.bounding_box()["x"]
    drag(grids, centre, -300, 0)
    settled(grids, lab_)
    assert shown_theta(lab_)[0, 0, 2].item() == pytest.approx(-300 / 70, abs=1e-4)
    moved = centre.bounding_box()["x"] - before
    assert moved == pytest.approx(-300 / 4, abs=1)  # a panel of 8 images' size, not of 2
    press(grids, lab_, "Reset")


def test_the_pixel_matrix_can_be_copied(grids):
    lab_ = lab(grids)
    press(grids, lab_, "Quarter turn")
    lab_.query_selector("button:has-text('Copy'):visible").click()
    grids.wait_for_selector("button:has-text('Copied')")
    copied = grids.evaluate("navigator.clipboard.readText()")
    assert re.sub(r"\s", "", copied) == "numpy.float32([[0,-1,27],[1,0,0]])"
    press(grids, lab_, "Reset")


def test_the_next_cell_can_set_theta(grids):
    run_code(grids, "lab.theta = transforms.similarity(degrees=30, scale=0.5)")
    settled(grids, lab(grids))
    expected = transforms.similarity(degrees=30, scale=0.5)
    assert torch.allclose(shown_theta(lab(grids)), expected, atol=1e-5)
    assert readouts(lab(grids))[:2] == [30, 0.5]
    assert_painted_as_pytorch_computes(lab(grids), seven())


@pytest.mark.parametrize(
    ("index", "text", "shown", "theta"),
    [
        (0, "400", "40", transforms.rotation(degrees=40)),
        (0, "33.7°", "33.7", transforms.rotation(degrees=33.7)),
        (1, "1,5", "1.50", transforms.scale(1.5, 1.0)),
        (1, "0", "0.00", torch.tensor([[[0.0, 0, 0], [0, 1, 0]]])),
        (6, "9.25", "9.25", torch.tensor([[[9.25, 0, 0], [0, 1, 0]]])),
    ],
)
def test_a_typed_number_is_taken_as_it_is_meant(grids, index, text, shown, theta):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    readout = lab_.query_selector_all(".widget-readout")[index]
    type_at(grids, readout, text)
    settled(grids, lab_)
    assert torch.allclose(shown_theta(lab_), theta, atol=1e-5)
    assert readout.inner_text() == shown
    grids.keyboard.press("Tab")  # what is shown is not taken for something typed
    settled(grids, lab_)
    assert torch.allclose(shown_theta(lab_), theta, atol=1e-5)


@pytest.mark.parametrize("text", ["half", "1.2.3", ""])
def test_what_is_not_a_number_is_not_taken_and_the_lab_says_why(grids, text):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    readout = lab_.query_selector_all(".widget-readout")[1]
    type_at(grids, readout, text or "\b")
    assert "is not a number; it stays 1.00" in lab_.query_selector("[role=alert]").inner_text()
    assert readout.inner_text() == "1.00"
    assert torch.allclose(shown_theta(lab_), transforms.identity())
    press(grids, lab_, "Zoom in")
    assert lab_.query_selector("[role=alert]").inner_text() == ""


@pytest.mark.parametrize("text", ["3.7", "0", "5000", ""])
def test_an_output_size_that_is_none_is_not_taken_and_the_lab_says_why(grids, text):
    lab_ = lab(grids)
    press(grids, lab_, "Reset")
    entry = lab_.query_selector("input[type=number]")
    type_at(grids, entry, text or "\b")
    words = "output height is a whole number from 1 to 4096; it stays 28."
    assert lab_.query_selector("[role=alert]").inner_text() == words
    assert entry.input_value() == "28"
    type_at(grids, entry, "14")
    settled(grids, lab_)
    assert lab_.query_selector("[role=alert]").inner_text() == ""
    got = squares(painted(lab_), 296 + 70, 26, 140, 14, 14)  # 14 × 28 squares of 10 pixels
    assert got.shape == (14, 14)
    press(grids, lab_, "Reset")
    assert entry.input_value() == "28"


@pytest.mark.parametrize(
    "control",
    [".noUi-handle", ".stn-buttons button", "select", "input", ".stn-notes button:not([hidden])"],
)
def test_the_focus_is_seen(grids, control):
    lab_ = lab(grids)
    lab_.query_selector(control).focus()
    for key in ("Tab", "Shift+Tab"):  # away and back, as by the keyboard
        grids.keyboard.press(key)
    look = "(e, part) => getComputedStyle(e)[part]"
    style, width = (
        lab_.eval_on_selector(control, look, p) for p in ("outlineStyle", "outlineWidth")
    )
    assert (style, width) == ("solid", "3px")


def test_beside_a_busy_kernel_labs_old_and_new_play_and_keep_the_order(grids, notebooks):
    """What a hand did first comes first, before and after the kernel is free."""
    busy = "list(iter(__import__('pathlib').Path('go').exists, True))"
    run_code(grids, f"made = ThetaLab(digit); display(made); {busy}")
    grids.wait_for_selector(":nth-match(.stn-frame canvas[aria-label], 2)")
    expected = transforms.similarity(degrees=3, scale=1.8)
    for index in (1, 0):
        lab_ = lab(grids, index)
        press(grids, lab_, "Zoom out")
        focus_slider(lab_, 0)
        for _ in range(3):
            grids.keyboard.press("ArrowRight")
        settled(grids, lab_)
        assert torch.allclose(shown_theta(lab_), expected, atol=1e-5)
    assert grids.query_selector(".jp-InputPrompt:has-text('[*]')")
    (notebooks / "go").touch()
    for index in (0, 1):
        assert "agrees" in answered(grids, lab(grids, index))
        assert torch.allclose(shown_theta(lab(grids, index)), expected, atol=1e-5)
    run_code(
        grids, "print('agreed', (lab.theta - made.theta).abs().max().item(), lab.theta.tolist())"
    )
    printed = grids.wait_for_selector(".jp-OutputArea-output:has-text('agreed')").inner_text()
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", printed)]
    assert numbers == pytest.approx([0, *expected.flatten().tolist()], abs=1e-5)


def test_the_theta_lab_is_accessible_in_light_and_dark(grids):
    check_accessibility(grids)


def test_the_accessibility_check_can_fail(grids):
    lab(grids).evaluate("""lab => {
        const nameless = document.createElement("button");
        nameless.id = "nameless";
        lab.append(nameless);
    }""")
    with pytest.raises(AssertionError, match="button-name"):
        check_accessibility(grids)
    grids.evaluate("document.getElementById('nameless').remove()")


def test_nothing_went_wrong_in_the_browser(grids):
    assert lab_page.errors(grids) == []


def test_after_the_kernel_has_ended_it_plays_on_and_says_what_to_do(grids):
    """No sentence was there before, but a broken link at each of thirty controls."""
    grids.click("text=Kernel >> nth=0")
    grids.click("text=Restart Kernel… >> nth=0")
    grids.click(".jp-Dialog button:has-text('Restart')")
    lab_ = lab(grids)
    check = lab_.query_selector(".stn-check")
    grids.wait_for_function("check => check.textContent.includes('run this cell again')", arg=check)
    icons = """lab => [...lab.querySelectorAll('*')].filter(
        e => !["none", "normal"].includes(getComputedStyle(e, '::before').content)
            && e.className.includes?.('disconnected')).length"""
    assert lab_.evaluate(icons) == 0
    press(grids, lab_, "Quarter turn")
    assert_painted_as_pytorch_computes(lab_, seven())
    focus_slider(lab_, 0)
    grids.keyboard.press("ArrowRight")
    settled(grids, lab_)
    assert torch.allclose(shown_theta(lab_), transforms.rotation(degrees=91), atol=1e-5)
    grids.wait_for_selector("text=| Idle", timeout=60_000)
