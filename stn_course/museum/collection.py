"""The exhibits, in the order in which a visitor sees them, and the doctor's table."""

from dataclasses import replace
from functools import partial

from stn_course.museum.computed import seen_on_wide, seen_small, seen_turned_back, through_a_row
from stn_course.museum.exhibit import Exhibit
from stn_course.museum.runs import Trial
from stn_course.museum.trained import (
    ERROR,
    FULL_RATE,
    GREY_FRAME,
    LONG,
    SHORT,
    THROWN_OUT,
    TWINS,
    Squeezed,
    Unread,
    at_random,
    brought_back,
    far_outside,
)

HEALTHY = Trial()


def _exhibit(title, symptom, check, remedy, broken: Trial, *measures, mended=HEALTHY, finds=()):
    """An exhibit of two runs, on which the same is measured."""
    pair = (replace(run, measures=measures) for run in (broken, mended))
    return Exhibit(title, symptom, check, remedy, *pair, finds)


EXHIBITS = {
    "grey_frame": Exhibit(
        "the grey frame",
        "the window zooms out or drifts until it shows grey, and stays there",
        "the share of the grid outside",
        "pad with the black of the border, and let the localization network learn more slowly",
        *GREY_FRAME,
        ("padding", "learning rate", "spread"),
    ),
    "full_rate": _exhibit(
        "localization at full rate",
        "the accuracy is as usual, but every digit is warped alike",
        "the spread of theta over digits",
        "a localization_factor of 0.1",
        Trial(recipe=FULL_RATE),
        ERROR,
        "spread of theta at the end",
        finds=("spread",),
    ),
    "random_start": _exhibit(
        "a random start",
        "no digit from the first step on, but black or smears; the loss stays near 2.3",
        "outside and area at step 0",
        "start at the identity (models.start_at_identity)",
        Trial(at_random),
        ERROR,
        "grid outside at the start, %",
        "area read at the start",
        finds=("initialisation",),
    ),
    "tanh": _exhibit(
        "tanh on theta",
        "digits are enlarged and cut from the first step on; the accuracy is as usual",
        "the area read at step 0, the largest number in theta",
        "leave theta as the head gives it",
        Trial(Squeezed),
        ERROR,
        "area read at the start",
        "largest number in theta",
    ),
    "outside": _exhibit(
        "all outside",
        "one grey for every digit; the loss stands still",
        "the gradient for theta: exactly 0",
        "start where the grid touches the picture",
        Trial(far_outside, SHORT),
        "gradient for theta at the start",
        "grid outside at the end, %",
        finds=("initialisation", "padding"),
    ),
    "bypassed": _exhibit(
        "the bypassed transformer",
        "the loss falls, and the grid does not move at all",
        "how far theta has moved: exactly 0",
        "hand on what the transformer returns",
        Trial(Unread, SHORT),
        ERROR,
        "theta moved by",
        mended=Trial(recipe=SHORT),
        finds=("bypassed",),
    ),
    "twins": Exhibit(
        "twins",
        "two transformers always look at the same place",
        "the difference of their thetas: exactly 0",
        "give each a start of its own",
        *TWINS,
        ("twins",),
    ),
    "thrown_out": Exhibit(
        "thrown out",
        "the run begins well; then the grid leaves the picture within a few steps",
        "the share of the grid outside, or the area, over the steps",
        "go back to a snapshot from before, and on at a smaller rate",
        THROWN_OUT,
        brought_back,
        ("learning rate", "spread"),
    ),
    "memorised": _exhibit(
        "learned by heart",
        "the training loss goes to 0, and the test digits are misread",
        "the error on training digits beside that on test digits",
        "more digits, or distort them anew for each batch",
        Trial(recipe=LONG, digits=100, once=True),
        "training digits misread, %",
        ERROR,
        mended=Trial(recipe=LONG),
        finds=("memorised",),
    ),
    "feature_maps": Exhibit(
        "turned maps",
        "a transformer before a deeper layer, with a perfect theta, and turned digits stay unread",
        "the error with theta told, on maps and on pictures",
        "warp the picture",
        partial(seen_turned_back, what="maps"),
        partial(seen_turned_back, what="pictures"),
    ),
    "aliasing": Exhibit(
        "aliasing",
        "coarse bands in a small output that its large picture does not have",
        "the area that an output pixel stands for, in input pixels: above 1",
        "antialias=True, or average first",
        partial(seen_small, antialias=False),
        partial(seen_small, antialias=True),
    ),
    "align_corners": Exhibit(
        "align_corners that disagree",
        "digits shrink a little with each transformer in a row",
        "what a transformer at the identity does to a ruler of pixels",
        "the same align_corners in affine_grid and in grid_sample",
        partial(through_a_row, align_corners=True),
        partial(through_a_row, align_corners=False),
    ),
    "swapped": Exhibit(
        "x and y swapped",
        "all is well on square pictures; on wide ones half of the picture is never read",
        "the output against grid_sample on a picture with H ≠ W",
        "theta and grids are (x, y), sizes are (H, W)",
        partial(seen_on_wide, swapped=True),
        partial(seen_on_wide, swapped=False),
    ),
}


def doctors_table() -> str:
    """Symptom, exhibit, number and remedy, in Markdown."""
    rows = [("what you see", "what it may be", "the number that tells", "fit finds", "remedy")]
    rows += [
        (x.symptom, x.title, x.check, ", ".join(f"`{kind}`" for kind in x.finds) or "-", x.remedy)
        for x in EXHIBITS.values()
    ]
    rows.insert(1, 5 * ("---",))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
