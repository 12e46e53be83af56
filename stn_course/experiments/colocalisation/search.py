"""What is searched, as data: to be read beside the paper's appendix A.2.

What is ours and not the paper's is said in OURS.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from stn_course.clutter import Clutter, random_clutter
from stn_course.experiments.running import load_once

SIZE, CROP = 84, 28  # height and width in pixels: of a picture, of a crop
RIGHT = 0.5  # a box counts that overlaps the digit's frame by more: intersection over union
OTHERS = 900  # training digits that fragments are cut from, beside those of the class

SETS: dict[str, Clutter] = {"T": random_clutter(SIZE, 0), "TC": random_clutter(SIZE, 16, 6)}
ZOOMS = 1.0, 1.65  # a box of a digit's size; of 17 to 46 pixels
PRINTED = {"T": (100, 100), "TC": (75, 93)}  # the paper's worst and best class, % of boxes right

OURS = (
    "The localization network scores every window, and a softmax over the scores gives the place; "
    "the paper's ends in layers of 8, 8 and 3 units.",
    "A box has a digit's 28×28 pixels; the paper learns its size. Where ours is learned, within "
    "bounds, most grow too large, and fewer are right.",
    "The best of eight starts is taken: that of the lowest loss, which needs no label.",
    "Each layer of the encoding is scaled to length 1; the classifier is the tutorial's.",
    "Adam on all hundred pictures at a time; the paper drew pairs, by SGD.",
    "The digits are test digits. How to search was chosen on training digits.",
)


@dataclass(frozen=True)
class Search:
    """Which pictures, and how a transformer learns to crop them.

    set: a name in SETS. digit: the class. seed: of digits, places and starts. pictures: how many.
    margin: of the loss, the paper's alpha. starts: networks that are tried. steps: of each.
    randoms: random crops of each picture and step. learning_rate: Adam's. sharpness: what the
    weights that give the scores are multiplied by at the start; near 0 the softmax stays flat, and
    all boxes in the middle. zoom: by which factor a box may differ from 28×28 pixels.
    """

    set: str
    digit: int
    zoom: float = ZOOMS[0]
    seed: int = 0
    pictures: int = 100
    margin: float = 1.0
    starts: int = 8
    steps: int = 60
    randoms: int = 2
    learning_rate: float = 0.003
    sharpness: float = 4.0

    @property
    def name(self) -> str:
        """What its file is called."""
        return f"{self.set}_{self.digit}_zoom{self.zoom:g}_seed{self.seed}"


def searches(seed: int = 0) -> list[Search]:
    """All of the paper's table, both sets and ten classes each: scale as it is, and learned."""
    return [Search(s, digit, zoom, seed) for zoom in ZOOMS for s in SETS for digit in range(10)]


def make_pictures(search: Search) -> tuple[Tensor, Tensor]:
    """Pictures (B, 1, 84, 84), 0 to 1, and the frames (B, 4) of their digits, for measuring only.

    A frame is left, top, width and height in pixels, all 28×28 of a digit.
    """
    generator = torch.Generator().manual_seed(search.seed)
    (images, labels), (others, _) = (load_once(x, torch.device("cpu")) for x in ("test", "train"))
    digits = images[labels == search.digit]
    digits = digits[torch.randperm(len(digits), generator=generator)[: search.pictures]]
    chosen = others[torch.randperm(len(others), generator=generator)[:OTHERS]]
    pictures, boxes = SETS[search.set](torch.cat([digits, chosen]), generator)
    _, within = random_clutter(CROP, 0)(digits, generator)  # where the ink is in its frame
    corners = boxes[: len(digits), :2] - within[:, :2]
    return pictures[: len(digits)], torch.cat([corners, torch.full_like(corners, CROP)], dim=1)
