"""ReplayLab and Monitor in a browser without a kernel: the digits as PyTorch reads them, curves."""

import itertools
import json
from dataclasses import replace

import pytest
import small_run
import torch
from lab_by_hand import check, encoded, move, painted, put, words
from lab_in_page import REVIVE, answer, show_lab

from stn_course import clutter, grids, models, samplers, training, transforms
from stn_course.plotting import COLOURS
from stn_course.widgets import Monitor, ReplayLab
from stn_course.widgets.browser_lab import to_browser
from stn_course.widgets.esm import joined

TILE = 62  # canvas pixels of a digit's tile; they lie 66 apart, from 46 on
# A module in the page, whose functions are then called with what Python sends.
LOAD = """async ({ source, name }) => {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    window[name] = await import(url);
}"""
SCENE = f"""({{ film, step, narrow }}) => {{ {REVIVE}
    const taken = training.takeFilm(JSON.parse(film, revive));
    const scene = training.trainingScene(taken, antialias.readerOf(taken), step, narrow);
    return JSON.stringify(scene, (name, value) => name === "picture" ? value.width : value);
}}"""
SMOOTH = f"""({{ images, thetas, size }}) => {{ {REVIVE}
    return JSON.parse(images, revive).map((given, index) => {{
        const image = {{ ...given, values: new Float32Array(given.values.buffer) }};
        const levels = antialias.pyramid(image, size);
        return [...antialias.warpSmoothly(levels, thetas[index], size, "border").values];
    }});
}}"""


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page(viewport={"width": 1000, "height": 800}, device_scale_factor=1)
    for name in ("training_scene", "antialias"):
        sent = {"source": joined(f"{name}.js"), "name": name.split("_")[0]}
        page.evaluate(LOAD, sent)
    yield page
    page.close()


@pytest.fixture(scope="module")
def recording():
    return training.load_recording()


@pytest.fixture(scope="module")
def search(digits):
    """A recording with pictures of 60×60 whose windows travel to spots of their own."""
    pictures, _ = clutter.random_clutter()(digits[0][:12], torch.Generator().manual_seed(0))
    spots = torch.linspace(-0.5, 0.5, 12)
    history = training.History(training.RECIPES["course"], 0, probe_images=pictures)
    history.probe_thetas = [
        transforms.attention(1 - 0.5 * way, way * spots, -way * spots) for way in (0.0, 0.5, 1.0)
    ]
    history.probe_steps, history.probe_losses = [0, 5, 10], [2.0, 1.0, 0.5]
    return history


def scene_of(page, lab, index: int, narrow: bool = False) -> dict:
    """A scene as plain data; of a picture how many columns it has."""
    data, count = lab.canvas.data, len(lab.images)
    thetas = lab.thetas[index].reshape(count, -1).tolist()
    chart = data["chart"] | {"here": index}
    step = {"thetas": thetas, "charts": [chart], "text": "", "notes": []}
    film = encoded(data["film"])
    return json.loads(page.evaluate(SCENE, {"film": film, "step": step, "narrow": narrow}))


def shown_output(page, i: int) -> torch.Tensor:
    """The inner 24×24 pixels of a digit's output, which its edge does not cover: 0 to 255."""
    tile = painted(page, (46 + 66 * i, 24 + TILE + 24, TILE, TILE))[..., 0]
    middle = ((torch.arange(2, 26) + 0.5) * TILE / 28).long()
    return tile[middle][:, middle]


def test_outputs_are_pytorchs_at_every_step_and_the_words_say_so(page, recording):
    lab = ReplayLab(recording, index=0)
    show_lab(page, lab, "ReplayLab")
    for index in (0, 50, len(recording.probe_steps) - 1):
        move(page, "index", index)
        lab.slider.value = index
        assert words(page) == lab.text
        expected = 255 * lab.outputs()[:, 0, 2:26, 2:26]
        for i in range(training.PROBE):
            assert (shown_output(page, i) - expected[i]).abs().max() <= 1
    answer(page, lab)
    assert check(page).startswith("PyTorch on cpu agrees: 0.00")
    wrong = torch.ones(12, 28, 28).numpy().tobytes()
    put(page, answer=lab.canvas.answer | {"outputs": wrong})
    assert "differs" in check(page)
    lab.close()


def test_reading_without_aliasing_is_pytorchs(page):
    """From windows smaller than the output to twice the picture, turned ones among them, even and
    odd sizes."""
    random, size = torch.Generator().manual_seed(0), (9, 7)
    images = [torch.rand(1, rows, 31, generator=random) for rows in (28, 60, 33, 15) for _ in "abc"]
    scales = torch.linspace(0.1, 2, len(images))
    thetas = transforms.rotation(degrees=torch.linspace(0, 80, len(images))) * scales[:, None, None]
    sent = {"images": encoded([to_browser(image) for image in images]), "size": size}
    found = page.evaluate(SMOOTH, sent | {"thetas": thetas.flatten(1).tolist()})
    for got, image, theta in zip(found, images, thetas, strict=True):
        options = {"padding_mode": "border", "antialias": True}
        expected = samplers.warp(image[None], theta[None], size, **options)
        assert (torch.tensor(got) - expected.flatten()).abs().max() < 1e-5


@pytest.mark.parametrize("antialias", [False, True])
def test_larger_pictures_are_read_as_their_network_read_them(page, search, antialias):
    lab = ReplayLab(search, output_size=(28, 28), antialias=antialias)
    show_lab(page, lab, "ReplayLab")
    answer(page, lab)
    assert "agrees: 0.00" in check(page)
    lab.close()


@pytest.mark.parametrize("narrow", [False, True])
def test_each_pixel_of_a_larger_picture_can_be_seen(page, recording, search, narrow):
    """Tiles of their own size, in as many rows as they need; none over another."""
    small, large = ReplayLab(recording), ReplayLab(search, output_size=(28, 28))
    scene, other = scene_of(page, large, 0, narrow), scene_of(page, small, 0, narrow)
    pictures = [panel["marks"][0] for panel in scene["panels"][1::2]]
    assert {mark["picture"] for mark in pictures} == {60}
    digit = other["panels"][1]["marks"][0]["box"]
    assert pictures[0]["box"][2] / 60 == pytest.approx(digit[2] / 28, rel=0.1)
    assert scene["width"] <= other["width"] <= (400 if narrow else 900)
    boxes = [panel["box"] for panel in scene["panels"][1:]]
    for (x, y, width, height), (u, v, wide, high) in itertools.combinations(boxes, 2):
        assert x + width <= u or u + wide <= x or y + height <= v or v + high <= y
    assert all(x + width <= scene["width"] for x, _, width, _ in boxes)
    small.close()
    large.close()


def test_boxes_travel_to_their_places(page, search):
    lab = ReplayLab(search, output_size=(28, 28), index=0)
    for index in range(3):
        for i, panel in enumerate(scene_of(page, lab, index)["panels"][1::2]):
            picture, outline = panel["marks"][0]["box"], panel["marks"][1]["places"]
            across = [x for x, _ in outline]
            left, right = min(across), max(across)
            scale, x = search.probe_thetas[index][i, 0, [0, 2]].tolist()
            assert (right - left) / picture[2] == pytest.approx(scale, abs=0.01)
            middle = picture[0] + picture[2] / 2
            assert (left + right) / 2 - middle == pytest.approx(x * picture[2] / 2, abs=0.02)
    lab.close()


def bent(count: int) -> dict[str, torch.Tensor]:
    """Thetas of the other families, each of its own for so many digits; one sees the horizon."""
    generator = torch.Generator().manual_seed(0)
    tilted = torch.eye(3).expand(count, 3, 3) + 0.2 * torch.randn(count, 3, 3, generator=generator)
    tilted[0, 2] = torch.tensor([1.5, 0.0, 1.0])
    points = {n: grids.control_lattice(n).expand(count, n * n, 2) for n in (3, 4)}
    return {"projective": tilted} | {
        f"{n * n} points": lattice + 0.2 * torch.randn(lattice.shape, generator=generator)
        for n, lattice in points.items()
    }


@pytest.mark.parametrize("family", bent(1))
def test_other_families_are_read_and_framed_as_pytorch_reads_them(page, recording, family):
    thetas = bent(training.PROBE)[family]
    steps = {"probe_steps": [0], "probe_losses": [1.0], "probe_right": []}
    lab = ReplayLab(replace(recording, probe_thetas=[thetas], **steps))
    show_lab(page, lab, "ReplayLab")
    expected = 255 * lab.outputs()[:, 0, 2:26, 2:26]
    for i in range(training.PROBE):
        assert (shown_output(page, i) - expected[i]).abs().max() <= 1
    answer(page, lab)
    assert check(page).startswith("PyTorch on cpu agrees: 0.00")
    places = grids.grid_of(thetas, (training.PROBE, 1, 3, 3), align_corners=True)
    for frame, panel in zip(places, scene_of(page, lab, 0)["panels"][1::2], strict=True):
        left, top, side, _ = panel["marks"][0]["box"]
        edge, *arrows = (torch.tensor(mark["places"]) for mark in panel["marks"][1:])
        found = torch.cat([edge[::8], *arrows])  # corners and middles of sides, in turn
        rows = [0, 0, 0, 1, 2, 2, 2, 1, 1, 1, 1, 2]
        columns = [0, 1, 2, 2, 2, 1, 0, 0, 1, 2, 1, 1]
        canvas = torch.tensor([left, top]) + (frame[rows, columns] + 1) / 2 * side
        assert (found - canvas).abs().max() <= 1e-3
    lab.close()


def test_a_theta_of_a_feature_map_is_a_frame_without_a_picture(page, recording):
    class OfAFeatureMap(training.History):
        reads_pictures = False

    lab = ReplayLab(OfAFeatureMap(**vars(recording)))
    scene = scene_of(page, lab, 100)
    for above, below in zip(scene["panels"][1::2], scene["panels"][2::2], strict=True):
        assert [mark["kind"] for mark in above["marks"]] == ["image"]
        assert {mark["kind"] for mark in below["marks"]} == {"path"}
    lab.close()


def test_the_mark_walks_along_the_curve_and_its_height_is_named_at_its_line(page, recording):
    lab, walked = ReplayLab(recording), []
    for index in (0, 50, 100, len(recording.probe_steps) - 1):
        marks = scene_of(page, lab, index)["panels"][0]["marks"]
        (mark,) = [m for m in marks if m.get("fill") == COLOURS["grid"]]
        xs, ys = zip(*mark["places"], strict=True)
        walked.append((sum(xs) / 4, sum(ys) / 4, int(recording.probe_right[index].sum())))
    xs, ys, right = zip(*walked, strict=True)
    assert list(xs) == sorted(xs) and xs[0] < xs[-1]
    by_share = [y for _, y in sorted(zip(right, ys, strict=True))]
    assert by_share == sorted(by_share, reverse=True)  # more read correctly stands higher
    top = min(y for mark in marks if mark["kind"] == "path" for _, y in mark["places"])
    (twelve,) = [mark for mark in marks if mark.get("text") == "12"]
    assert twelve["y"] == top  # the line that it names
    lab.close()


def test_the_monitor_follows_a_run_to_its_end(page, small):
    watcher = Monitor()
    show_lab(page, watcher, "Monitor")
    assert "give this monitor to fit" in words(page)
    small_run.fitted(small, models.TutorialNet, watch=watcher)
    put(page, data=watcher.canvas.data, state=watcher.canvas.state)
    assert words(page) == watcher.text
    assert "done" in words(page)
    history = watcher.recorder.history
    options = {"padding_mode": "border"}
    outputs = samplers.warp(history.probe_images, history.probe_thetas[-1], **options)
    for i in range(training.PROBE):
        assert (shown_output(page, i) - 255 * outputs[i, 0, 2:26, 2:26]).abs().max() <= 1
    assert page.evaluate("canvasModel.saved") == 0  # nothing is told back
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('done')")
    put(page, state=watcher.canvas.state | {"text": "Step 3", "running": True, "by": 999})
    page.evaluate("lab.rest()")
    assert "Step 3" not in page.inner_text("[role=status]")  # not every second, while it runs
    put(page, state=watcher.canvas.state | {"alert": "ValueError: wrong", "by": 1000})
    assert page.inner_text("[role=alert]") == "ValueError: wrong"
    watcher.close()
