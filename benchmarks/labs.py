"""From key press to painted picture, in a real browser: ThetaLab beside `interact` in one run.

python benchmarks/labs.py [--presses 100]

Both show the same content, the sampling grid over the input and the output, and both are moved by
the arrow key on a rotation slider. The clock starts with the browser's key event and stops in the
animation frame that shows the new picture: for the canvas when it has been painted, for the image
of `interact` when it has been decoded.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import nbformat
from tqdm import tqdm

from stn_course.device import describe_device

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
from browser import headless_chromium, jupyterlab, new_page, run_notebook

PREPARE = """
import torch
import ipywidgets
from stn_course import data, plotting, transforms
from stn_course.widgets import ThetaLab

grey = data.load_digits("test")[0][0]
colour = torch.rand(3, 224, 224, generator=torch.Generator().manual_seed(0))

def by_interact(image):
    def draw(rotation):
        from IPython.display import display
        display(plotting.sampling_grid(image, transforms.rotation(degrees=rotation)))

    ipywidgets.interact(draw, rotation=ipywidgets.IntSlider(0, -180, 180))
"""
CELLS = {
    ("28×28 grey", "ThetaLab"): "ThetaLab(grey)",
    ("28×28 grey", "interact"): "by_interact(grey)",
    ("224×224 RGB", "ThetaLab"): "ThetaLab(colour)",
    ("224×224 RGB", "interact"): "by_interact(colour)",
}
# Resolves with the milliseconds from the next key press to the frame that shows its picture.
MEASURE = """cell => new Promise(resolve => {
    let pressed;
    const press = event => pressed = event.timeStamp;
    cell.addEventListener("keydown", press, {once: true, capture: true});
    const painted = () => resolve(performance.now() - pressed);
    const canvas = cell.querySelector(".stn-frame canvas");
    const seen = new MutationObserver(async () => {
        const picture = canvas ?? cell.querySelector(".jp-OutputArea img");
        if (!picture) return;
        seen.disconnect();
        if (canvas) return painted();  // the label is written when the frame is painted
        await picture.decode();
        requestAnimationFrame(painted);
    });
    if (canvas) seen.observe(canvas, {attributeFilter: ["aria-label"]});
    else seen.observe(cell.querySelector(".widget-output"), {childList: true, subtree: true});
})"""


# A thousand key presses as fast as they can be sent: the milliseconds from the last of them to the
# last change of the picture.
FLOOD = """async cell => {
    const canvas = cell.querySelector(".stn-frame canvas");
    const handle = cell.querySelector(".noUi-handle");
    let last = 0, paintings = 0;
    const observer = new MutationObserver(() => { last = performance.now(); paintings += 1; });
    observer.observe(canvas, {attributeFilter: ["aria-label"]});
    for (let i = 0; i < 1000; i++) {
        const key = i < 600 ? "ArrowRight" : "ArrowLeft";
        handle.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
        if (i % 20 === 19) await new Promise(done => setTimeout(done));
    }
    const sent = performance.now();
    await new Promise(done => setTimeout(done, 3000));
    observer.disconnect();
    return [last - sent, paintings];
}"""


def write_notebook(folder: Path) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in (PREPARE, *CELLS.values())]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "labs.ipynb")


def latencies(page, cell, presses: int, title: str) -> list[float]:
    """Milliseconds for each press, the first five left out."""
    found = []
    cell.scroll_into_view_if_needed()
    cell.query_selector(".noUi-handle").focus()
    for i in tqdm(range(presses + 5), desc=title, unit="press"):
        measured = page.evaluate_handle(f"cell => ({{ promise: ({MEASURE})(cell) }})", cell)
        page.keyboard.press("ArrowRight" if (i // 50) % 2 == 0 else "ArrowLeft")
        found.append(measured.evaluate("pending => pending.promise"))
        page.wait_for_timeout(150)  # for the rest of this movement's messages
    return sorted(found[5:])


def measure(presses: int) -> tuple[dict[tuple[str, str], list[float]], tuple[float, int]]:
    """Latencies by image and way; the median of five floods: its lag, and its paintings."""
    with (
        tempfile.TemporaryDirectory() as folder,
        jupyterlab(Path(folder)) as url,
        headless_chromium() as browser,
    ):
        page = new_page(browser)
        write_notebook(Path(folder))
        run_notebook(page, url, "labs.ipynb")
        page.wait_for_selector(f":nth-match(.noUi-handle, {2 * 12 + 2})", timeout=120_000)
        page.wait_for_timeout(3000)
        cells = page.query_selector_all(".jp-CodeCell")[1:]
        times = {
            key: latencies(page, cell, presses, " ".join(key))
            for key, cell in zip(CELLS, cells, strict=True)
        }
        floods = [cells[0].evaluate(FLOOD) for _ in range(5)]
        return times, sorted(floods)[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=100, help="key presses for each lab")
    results, (lag, paintings) = measure(parser.parse_args().presses)
    print(f"{describe_device('cpu')}\n")
    print("| image | way | median, ms | p95, ms | median of interact / median |")
    print("| --- | --- | --- | --- | --- |")
    for (image, way), times in results.items():
        median, p95 = times[len(times) // 2], times[int(0.95 * len(times))]
        other = results[image, "interact"]
        ratio = other[len(other) // 2] / median
        print(f"| {image} | {way} | {median:.0f} | {p95:.0f} | {ratio:.1f} |")
    print(
        f"\n1,000 events at once: {paintings} pictures, the last {lag:.0f} ms after the last event"
    )


if __name__ == "__main__":
    main()
