"""Take the README's pictures of the labs: python tools/screenshots.py

Opens the notebooks in JupyterLab in a headless Chromium, runs the cells that a lab needs, moves
the lab as a learner would, and stores what is seen in notebooks/images/.
"""

from pathlib import Path

from browser import headless_chromium, jupyterlab, new_page
from tqdm import tqdm

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
# Lab: its notebook, the cells to run (a piece of each one's text), and what to do with it.
LABS = {
    "theta_lab": (
        "02_grid_generation.ipynb",
        ["import torch", "images, labels =", "lab = ThetaLab"],
        lambda page, lab: drag(page, lab, "x", -22, 38),
    ),
    "sampler_lab": (
        "03_sampling.ipynb",
        ["import torch", "images, labels =", "sampler_lab = SamplerLab"],
        lambda page, lab: drag(page, lab, "point", 64, -37),
    ),
    "pilot_lab": (
        "04_stn_model.ipynb",
        ["import torch", "images, labels =", "classifier = ", "classifier.to", "ten = "],
        lambda page, lab: steer(page, lab),
    ),
    "replay_lab": (
        "05_training.ipynb",
        ["import tempfile", "def recorded_or_live", "forcing = ", "forced_lab ="],
        lambda page, lab: keys(page, lab, "PageUp", 4),
    ),
    "warp_lab": (
        "07_beyond_affine.ipynb",
        ["import math", "lab = WarpLab"],
        lambda page, lab: press(lab, "Page in perspective"),
    ),
}


def drag(page, lab, handle: str, dx: float, dy: float) -> None:
    """Move a handle of the lab with the mouse."""
    box = lab.query_selector(f"[data-handle={handle}]").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=10)
    page.mouse.up()


def keys(page, lab, key: str, times: int) -> None:
    """Move the lab's first slider by the keyboard."""
    lab.query_selector(".noUi-handle").focus()
    for _ in range(times):
        page.keyboard.press(key)


def press(lab, button: str) -> None:
    lab.query_selector(f'button:has-text("{button}")').click()


def steer(page, lab) -> None:
    """Set the second digit upright, and look at the network's theta."""
    press(lab, "Next digit")
    page.wait_for_timeout(500)
    keys(page, lab, "ArrowRight", 60)
    press(lab, "Show the network")


def picture(browser, url: str, name: str) -> None:
    """One lab, moved, as notebooks/images/NAME.png."""
    notebook, cells, act = LABS[name]
    page = new_page(browser, height=1500)
    page.goto(url.format(notebook))
    page.wait_for_selector("text=| Idle", timeout=120_000)
    for text in cells:
        page.query_selector(f'.jp-CodeCell:has-text("{text}") .cm-content').click()
        page.keyboard.press("Control+Enter")
    page.wait_for_selector(".stn-frame canvas[aria-label]", timeout=120_000)
    page.wait_for_timeout(2000)
    lab = page.query_selector(".stn-lab")
    lab.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    act(page, lab)
    page.wait_for_timeout(1500)
    page.mouse.move(0, 0)
    lab.screenshot(path=NOTEBOOKS / "images" / f"{name}.png")
    page.close()


def main() -> None:
    with jupyterlab(NOTEBOOKS) as url, headless_chromium() as browser:
        for name in tqdm(LABS, unit="lab"):
            picture(browser, url, name)


if __name__ == "__main__":
    main()
