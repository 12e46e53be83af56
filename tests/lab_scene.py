"""What a ThetaLab gives its canvas, and what a hand on the canvas gives back; without a browser."""

import torch
import torch.nn.functional as F

from stn_course.widgets import theta_lab
from stn_course.widgets.scene import Handle, Image

DIGIT = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))


def shown_output(lab) -> torch.Tensor:
    """The output as the canvas is given it: (H', W', 3), 0 to 255."""
    (shown,) = [
        mark.picture for mark in lab.canvas.scene.panels[2].marks if isinstance(mark, Image)
    ]
    levels = torch.frombuffer(bytearray(shown.pixels), dtype=torch.uint8)
    levels = levels.reshape(shown.rows, shown.columns, 4)
    assert (levels[..., 3] == 255).all()
    return levels[..., :3].float()


def pytorchs_output(lab, align_corners=False, **options) -> torch.Tensor:
    """The same by PyTorch's own two functions."""
    size = (1, lab.image.shape[0], *lab.output_size)
    grid = F.affine_grid(lab.theta, size, align_corners=align_corners)
    output = F.grid_sample(lab.image[None], grid, align_corners=align_corners, **options)
    return output[0].expand(3, -1, -1).movedim(0, -1) * 255


def note(lab, word: str) -> str:
    """The text of the note whose title holds a word."""
    (found,) = [note for note in lab.canvas.scene.notes if word in note.title]
    return found.text


def numbers_in(text: str) -> torch.Tensor:
    return torch.tensor([float(word) for word in text.split()]).reshape(1, 2, 3)


def pull(lab, handle: str, x: float, y: float) -> None:
    """What happens when a hand moves a handle by a normalised (x, y), and lets go of it."""
    view = lab._left() if lab.view.value == theta_lab.READS else lab._right()
    dx, dy = x * view.unit[0], y * view.unit[1]
    before = lab.canvas.hand.get(handle, [0, 0])
    moved = lab.canvas.hand | {handle: [before[0] + dx, before[1] + dy]}
    lab.canvas.set_state({"hand": moved, "releases": lab.canvas.releases + 1})


def handles(lab) -> dict[str, Handle]:
    return {handle.name: handle for handle in lab.canvas.scene.handles}
