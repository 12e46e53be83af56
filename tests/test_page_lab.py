"""The frame of the browser labs, with ThetaLab as its example: messages, PyTorch's answers."""

import lab_in_page
import pytest
import torch
from lab_in_page import answer

from stn_course import transforms
from stn_course.widgets import ThetaLab, theta_lab

IMAGE = torch.rand(20, 30, generator=torch.Generator().manual_seed(0))
CHECK, ALERT = (
    "document.querySelector('.stn-check').textContent",
    "document.querySelector('[role=alert]').textContent",
)
STATUS = "document.querySelector('[role=status]').textContent"


@pytest.fixture(scope="module")
def page(browser):
    yield from lab_in_page.page_without_errors(browser)


@pytest.fixture
def show(page):
    """A function: a ThetaLab of these arguments, in the page, and returned."""

    def opened(*args, live=True, **options):
        lab = ThetaLab(*args, **options)
        lab_in_page.show_lab(page, lab, "ThetaLab", live)
        return lab

    return opened


def test_the_kernel_is_told_at_most_thirty_times_a_second_and_the_last_state(page, show):
    show(IMAGE)
    told = page.evaluate("""async () => {
        await new Promise(done => setTimeout(done, 50));
        let [messages, last, start] = [0, 0, performance.now()];
        canvasModel.save_changes = () => {
            messages += 1;
            last = canvasModel.get("state").theta[2];
        };
        let paintings = 0;
        new MutationObserver(() => (paintings += 1)).observe(
            document.querySelector("canvas"), { attributeFilter: ["aria-label"] });
        for (let i = 1; i <= 1000; i++) {
            move("x", (i % 150) / 100);
            if (i % 10 === 0) await new Promise(done => setTimeout(done));
        }
        const seconds = (performance.now() - start) / 1000;
        await new Promise(done => setTimeout(done, 100));
        const sliders = Object.values(controls).filter(model => model.has("step"));
        return { seconds, messages, last, paintings,
                 ofSliders: sliders.reduce((sum, { saved }) => sum + saved, 0) };
    }""")
    assert told["messages"] <= 30 * told["seconds"] + 5  # and the last, and rounding
    assert told["last"] == 1
    assert told["ofSliders"] == 0
    assert 0 < told["paintings"] < 1000


def test_a_state_set_by_python_is_shown_and_confirmed(page, show):
    """What the hand did before waits for a busy kernel; the confirmation comes after it."""
    lab = show(IMAGE)
    page.evaluate("move('x', 0.7)")
    lab.theta = transforms.rotation(degrees=30)
    page.evaluate(
        "async state => { canvasModel.set('state', state); await rested() }", lab.canvas.state
    )
    assert "rotated 30 degrees" in page.evaluate("lab.shown.text")
    page.wait_for_function("canvasModel.get('state').by === 0")
    lab.canvas.set_state({"state": page.evaluate("canvasModel.get('state')")})
    assert torch.allclose(lab.theta, transforms.rotation(degrees=30))


def test_the_same_theta_set_again_is_a_change(show):
    """The browser may be elsewhere, and Python not know it yet."""
    lab = show(IMAGE)
    sent = []
    lab.canvas.observe(lambda change: sent.append(change["new"]), "state")
    lab.theta = lab.theta
    assert len(sent) == 1


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_pytorch_agrees_when_the_hand_rests(page, show, mode):
    lab = show(IMAGE, mode=mode)
    page.evaluate("lab.press('Zoom in')")
    assert page.evaluate(CHECK).startswith("PyTorch checks this picture")
    answer(page, lab)
    assert page.evaluate(CHECK).startswith("PyTorch on cpu agrees")
    assert "0.000 of 255" in page.evaluate(CHECK)
    assert page.evaluate(CHECK).endswith(" ms")


def test_where_nearest_reads_between_two_pixels_both_are_right(page, show):
    lab = show(torch.rand(28, 28), (14, 14), mode="nearest")
    answer(page, lab)
    assert "agrees" in page.evaluate(CHECK)


def test_pytorch_can_disagree(page, show):
    lab = show(IMAGE)
    page.evaluate("lab.inputs[0].values[300] = 1 - lab.inputs[0].values[300]; lab.moved()")
    answer(page, lab)
    assert page.evaluate(CHECK).startswith("PyTorch on cpu differs")


def test_an_answer_to_an_older_question_is_dropped(page, show):
    lab = show(IMAGE)
    page.wait_for_function("lab.asked")
    page.evaluate("async () => { lab.press('Mirror'); await rested(); }")
    lab.canvas.set_state({"question": page.evaluate("canvasModel.get('question')")})
    old = lab.canvas.answer | {"output": None, "readout": "of the identity"}
    page.evaluate("answer => canvasModel.set('answer', answer)", old | {"serial": 0.5})
    assert page.evaluate(CHECK).startswith("PyTorch checks this picture")
    assert page.evaluate("lab.answer") is None


def test_a_readout_is_shown_and_goes_with_the_next_movement(page, show):
    lab = show(IMAGE, readout=lambda output: f"mean {output.mean():.3f}")
    answer(page, lab)
    words = f"mean {lab.image.mean():.3f}"
    assert words in page.inner_text(".stn-notes")
    page.evaluate("async () => { move('x', 0.5); await rested(); }")
    assert words not in page.inner_text(".stn-notes")


def test_an_error_of_the_readout_stands_in_the_lab_and_goes_with_its_cause(page, show):
    def broken(output):
        if output.mean() < 0.2:
            raise RuntimeError("no answer")
        return "an answer"

    lab = show(IMAGE, readout=broken)
    page.evaluate("lab.press('Everything outside')")
    answer(page, lab)
    assert "RuntimeError: no answer (in broken" in page.evaluate(ALERT)
    page.evaluate("lab.press('Reset')")
    answer(page, lab)
    assert page.evaluate(ALERT) == ""


def test_a_large_picture_is_pytorchs_own_when_the_hand_rests(page, show):
    lab = show(torch.rand(1, 600, 700))
    found = answer(page, lab)
    assert "computed it at full size" in page.evaluate(CHECK)
    shown = torch.tensor(page.evaluate("[...lab.output.values]")).float()
    sent = torch.frombuffer(bytearray(found["output"]["values"]), dtype=torch.float32)
    assert torch.equal(shown, sent)


def test_words_are_told_to_those_who_listen_when_the_hand_rests(page, show):
    show(IMAGE)
    page.wait_for_function("lab.toldWords")
    assert page.evaluate(STATUS) == ""  # not at the start: the picture has its own words
    page.evaluate("async () => { move('rotation', 20); await rested(); }")
    assert page.evaluate(STATUS) == ""
    page.wait_for_function(f"{STATUS}.includes('rotated 20 degrees')")


def test_without_a_kernel_it_says_so_and_asks_nothing(page, show):
    show(IMAGE, live=False)
    page.evaluate("move('x', 0.5)")
    page.wait_for_function("lab.toldWords")
    assert page.evaluate(CHECK) == "Computed in the browser, without a kernel."
    assert page.evaluate("canvasModel.get('question').serial") is None
    assert "0.5 in x" in page.evaluate("lab.shown.text")


def test_when_the_kernel_ends_it_says_what_to_do_and_plays_on(page, show):
    show(IMAGE)
    page.evaluate("""async () => {
        for (const model of Object.values(controls)) {
            model.comm_live = false;
            model.trigger("comm_live_update");
        }
        move("x", 0.25);
        await rested();
    }""")
    assert "run this cell again" in page.evaluate(CHECK)
    assert "moved by 0.25 in x" in page.evaluate("lab.shown.text")


def test_an_error_in_the_scene_stands_in_the_lab_until_it_is_gone(page, show):
    show(IMAGE)
    broken = "async () => { lab.scene = () => { throw new Error('no scene') }; "
    page.evaluate(broken + "try { lab.draw() } catch {} await rested(); }")
    assert "no scene" in page.evaluate(ALERT)
    page.evaluate("async () => { delete lab.scene; lab.moved(); await rested(); }")
    assert page.evaluate(ALERT) == ""


def test_a_closed_lab_sends_its_last_state_and_hears_nothing_more(page, show):
    show(IMAGE)
    page.evaluate("move('x', 0.1); move('x', 0.3); window.before = canvasModel.saved; end()")
    assert page.evaluate("canvasModel.saved - before") == 1
    page.evaluate("window.end = () => {}; move('x', 0.9)")
    assert page.evaluate("canvasModel.get('state').theta[2]") == 0.3


def test_presets_are_pythons(page, show):
    show(IMAGE)
    for name, theta in theta_lab.PRESETS.items():
        page.evaluate("name => lab.press(name)", name)
        assert page.evaluate("lab.theta") == [number for row in theta for number in row]


def test_a_lab_shown_twice_is_one_lab(page, show):
    """Its sliders have one model; what one view lets them show is no movement for the other."""
    show(IMAGE)
    texts = page.evaluate("""async () => {
        const el = document.querySelector(".stn-lab").appendChild(document.createElement("div"));
        await lab.constructor.open({ model: canvasModel, el });
        await rested();
        drag("x", [33.3, 7.7]);
        for (let wait = 0; wait < 3; wait += 1) await rested();
        return [...document.querySelectorAll("canvas")].map(canvas => canvas.ariaLabel);
    }""")
    moved = [
        33.3 / page.evaluate("lab.views[0].unit[0]"),
        7.7 / page.evaluate("lab.views[0].unit[1]"),
    ]
    theta = page.evaluate("lab.theta")
    assert [theta[0] - 1, theta[3]] == pytest.approx(moved, abs=1e-12)
    assert texts[0] == texts[1]
    page.evaluate("move('rotation', 30)")
    assert page.evaluate("lab.parts.rotation") == 30
