"""From key press to painted picture, in a real browser: ThetaLab beside `interact` in one run.

python benchmarks/labs.py [--presses 100]

Both show the same content, the sampling grid over the input and the output, and both are moved by
the arrow key on a rotation slider. The clock starts with the browser's key event and stops in the
animation frame that shows the new picture: for the canvas when it has been painted, for the image
of `interact` when it has been decoded. Measured while nothing else runs, while a cell of the
notebook trains (there `interact` waits until the cell ends), and while ten other kernels train.
JupyterLab is started as a learner does, by `stn-course lab`; so all of these kernels give way to
the browser, which has the same cores.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from jupyter_client.manager import start_new_kernel
from tqdm import tqdm

from stn_course.device import describe_device
from stn_course.kernels import give_way

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
from browser import headless_chromium, jupyterlab, learners, new_page, run_notebook, wait_until_run

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
# Trains until a file named stop lies in a folder; a file of its own says that it has begun.
TRAIN = """
from pathlib import Path
import torch
from stn_course import data, models
folder, own = Path({folder!r}), {own!r}
images, labels = data.load_digits("test")
model = models.TutorialNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
while not (folder / "stop").exists():
    loss = torch.nn.functional.nll_loss(model(images[:64]), labels[:64])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    (folder / own).touch()
"""
BUSY, CLASS = "a cell trains", "10 kernels train"
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
    train = TRAIN.format(folder=str(folder), own="cell")
    sources = (PREPARE, *CELLS.values(), train)
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
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


def wait_for(files: list[Path]) -> None:
    """Wait until all of them are there."""
    for _ in range(1200):
        if all(file.exists() for file in files):
            return
        time.sleep(0.25)
    raise TimeoutError("the training beside the labs did not begin within five minutes")


@contextlib.contextmanager
def cell_training(page, folder: Path) -> Iterator[None]:
    """The notebook's last cell trains meanwhile."""
    page.query_selector_all(".jp-CodeCell .cm-content")[-1].click()
    page.keyboard.press("Control+Enter")
    wait_for([folder / "cell"])
    yield
    (folder / "stop").touch()
    page.wait_for_selector("text=| Idle", timeout=60_000)
    (folder / "stop").unlink()


@contextlib.contextmanager
def kernels_training(folder: Path, count: int = 10) -> Iterator[None]:
    """So many other kernels train meanwhile, as those of a class on one machine."""
    with contextlib.ExitStack() as stack:
        for number in range(count):
            manager, client = start_new_kernel(startup_timeout=300)
            stack.callback(manager.shutdown_kernel, now=True)
            stack.callback(client.stop_channels)
            give_way(manager.provisioner.pid)  # as JupyterLab's own do
            client.execute(TRAIN.format(folder=str(folder), own=f"kernel {number}"))
        wait_for([folder / f"kernel {number}" for number in range(count)])
        yield


def measure_all(page, cells, presses: int, beside: str, ways: tuple[str, ...]) -> dict:
    """Latencies by what trains beside, by image and by way."""
    return {
        (beside, *key): latencies(page, cell, presses, " ".join((beside, *key)))
        for key, cell in zip(CELLS, cells, strict=False)
        if key[1] in ways
    }


def measure(presses: int) -> tuple[dict[tuple[str, str, str], list[float]], tuple[float, int]]:
    """Latencies as `measure_all`; the median of five floods: its lag, and its paintings."""
    with (
        tempfile.TemporaryDirectory() as name,
        jupyterlab(Path(name), learners) as url,
        headless_chromium() as browser,
    ):
        folder, page = Path(name), new_page(browser, height=1400)
        write_notebook(folder)
        run_notebook(page, url, "labs.ipynb")
        page.wait_for_selector(f":nth-match(.noUi-handle, {2 * 12 + 2})", timeout=120_000)
        (folder / "stop").touch()  # the last cell has run with the others
        wait_until_run(page)
        (folder / "stop").unlink()
        (folder / "cell").unlink(missing_ok=True)
        cells = page.query_selector_all(".jp-CodeCell")[1:]
        times = measure_all(page, cells, presses, "nothing", ("ThetaLab", "interact"))
        floods = [cells[0].evaluate(FLOOD) for _ in range(5)]
        with cell_training(page, folder):
            times |= measure_all(page, cells, presses, BUSY, ("ThetaLab",))
        with kernels_training(folder):
            times |= measure_all(page, cells, presses, CLASS, ("ThetaLab", "interact"))
        return times, sorted(floods)[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=100, help="key presses for each lab")
    results, (lag, paintings) = measure(parser.parse_args().presses)
    print(f"{describe_device('cpu')}\n")
    print("| beside | image | way | median, ms | p95, ms | median of interact / median |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    for (beside, image, way), times in results.items():
        median, p95 = times[len(times) // 2], times[int(0.95 * len(times))]
        other = results.get((beside, image, "interact"))
        ratio = f"{other[len(other) // 2] / median:.1f}" if other else "it waits"
        print(f"| {beside} | {image} | {way} | {median:.1f} | {p95:.1f} | {ratio} |")
    words = f"the last {max(lag, 0):.0f} ms after the last event"
    print(f"\n1,000 events at once: {paintings} pictures, {words}")


if __name__ == "__main__":
    main()
