"""The box of a theta in pixels."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import transforms
from stn_course.checks.engine.oracles import pytorch_inverse
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def box_of_theta(theta: Tensor, size: tuple[int, int]) -> Tensor:
    """The smallest upright box that contains a window.

    theta: (B, 2, 3). size: (H, W) of the picture. Returns (B, 4): left, top, width and height in
    pixels, from the picture's top left corner. `alignment.window_box` measures any family's grid.
    """
    half = theta[:, :, :2].abs().sum(dim=2)  # from the centre to the sides, normalised (x, y)
    pixels = theta.new_tensor([size[1] / 2, size[0] / 2])
    return torch.cat([(theta[:, :, 2] - half + 1) * pixels, 2 * half * pixels], dim=1)


def cases() -> list[Case]:
    """A window of attention, one of two scales, several; mirrored, turned, sheared; float64."""
    attention = transforms.attention(0.5, 0.25, -0.25)
    two_scales = torch.tensor([[[0.25, 0.0, -0.5], [0.0, 0.75, 0.25]]])
    mirrored = torch.tensor([[[-0.5, 0.0, 0.25], [0.0, 0.25, 0.5]]])
    turned = torch.tensor([[[0.3, -0.4, 0.1], [0.4, 0.3, 0.2]]])
    sheared = torch.tensor([[[0.5, 0.25, 0.0], [-0.1, -0.5, 0.25]]], dtype=torch.float64)
    one_by_one = [
        (attention, (4, 8)),
        (two_scales, (4, 8)),
        (torch.cat([attention, two_scales]), (10, 6)),
        (mirrored, (4, 8)),
        (turned, (10, 20)),
        (sheared, (60, 60)),
    ]
    return [Case(one) for one in one_by_one]


def corners(theta: Tensor, size: tuple[int, int]) -> Tensor:
    """The window's four corners in pixels from the picture's top left one, (B, 4, 2)."""
    ends = F.affine_grid(theta, (len(theta), 1, 2, 2), align_corners=True)  # at -1 and 1
    return (ends.flatten(1, 2) + 1) * theta.new_tensor([size[1], size[0]]) / 2


def box_of_corners(theta: Tensor, size: tuple[int, int]) -> Tensor:
    """The smallest upright box around the four corners."""
    first, last = corners(theta, size).aminmax(dim=1)
    return torch.cat([first, last - first], dim=1)


def _changed(change):
    """A program that changes the right boxes: (left, top, width, height, (H, W)) -> columns."""

    def program(theta, size):
        return torch.stack(change(*box_of_corners(theta, size).unbind(1), size), dim=1)

    return program


def _of_two_corners(theta, size):
    """From the top left corner to the bottom right one, wherever they lie."""
    first, _, _, last = corners(theta, size).unbind(1)
    return torch.cat([first, last - first], dim=1)


def _straight(theta):
    """Theta without what turns or shears."""
    return theta * theta.new_tensor([[1, 0, 1], [0, 1, 1]])


def _one_scale(theta, size):
    scale = theta[:, 0, :2].abs().sum(dim=1)
    return box_of_corners(transforms.attention(scale, theta[:, 0, 2], theta[:, 1, 2]), size)


def _in_corners(theta, size):
    """The rule of align_corners=True, under which -1 and 1 are centres of pixels."""
    return box_of_corners(theta, (size[0] - 1, size[1] - 1))


EXERCISE = FunctionExercise(
    attempt="my_box_of_theta",
    solution=box_of_theta,
    oracle=box_of_corners,
    against="the smallest box around the four corners that torch.nn.functional.affine_grid gives",
    cases=cases,
    hints=(
        "Where do the output's corners, -1 and 1, read? Begin with a window of attention: from "
        "x - scale to x + scale, in normalised coordinates.",
        "From normalised to pixels, counted from the picture's edge: (x + 1) · W / 2, and likewise "
        "y with H. A width has no place: 2 · scale, times W / 2.",
        "In x a corner reads a · (±1) + b · (±1) + x, where a and b begin theta's first row. It "
        "reaches furthest where both signs fit: |a| + |b| from the middle.",
        "half = theta[:, :, :2].abs().sum(dim=2) holds that for x and y. The box is "
        "(theta[:, :, 2] - half + 1) · (W / 2, H / 2), and 2 · half · (W / 2, H / 2).",
    ),
    misconceptions=(
        Misconception(
            "last corner",
            "the last two columns are where the box ends. They should be its width and height: "
            "right minus left, bottom minus top.",
            _changed(lambda x, y, w, h, _: (x, y, x + w, y + h)),
            typed="""
                H, W = size
                half = theta[:, :, :2].abs().sum(2)
                first, last = theta[:, :, 2] - half, theta[:, :, 2] + half
                pixels = theta.new_tensor([W, H]) / 2
                return torch.cat([(first + 1) * pixels, (last + 1) * pixels], 1)
            """,
        ),
        Misconception(
            "middle",
            "the first two columns are the middle of the box. They should be its top left corner: "
            "half a width further left, half a height further up.",
            _changed(lambda x, y, w, h, _: (x + w / 2, y + h / 2, w, h)),
            typed="""
                H, W = size
                wide, high = theta[:, :, :2].abs().sum(2).T
                x, y = (theta[:, 0, 2] + 1) / 2 * W, (theta[:, 1, 2] + 1) / 2 * H
                return torch.stack([x, y, wide * W, high * H], dim=1)
            """,
        ),
        Misconception(
            "half the sides",
            "width and height are half of what they should be: from -1 to 1 is 2, so a scale of 1 "
            "is the whole width.",
            _changed(lambda x, y, w, h, _: (x, y, w / 2, h / 2)),
            typed="""
                H, W = size
                wide, high = theta[:, :, :2].abs().sum(2).T
                x, y = (theta[:, 0, 2] - wide + 1) / 2 * W, (theta[:, 1, 2] - high + 1) / 2 * H
                return torch.stack([x, y, wide * W / 2, high * H / 2], dim=1)
            """,
        ),
        Misconception(
            "normalised",
            "these are normalised coordinates, from -1 to 1. In pixels the picture runs from 0 to "
            "W and H: (x + 1) · W / 2 for a place, · W / 2 for a width.",
            _changed(
                lambda x, y, w, h, size: (
                    *(2 * x / size[1] - 1, 2 * y / size[0] - 1),
                    *(2 * w / size[1], 2 * h / size[0]),
                )
            ),
            typed="""
                half = theta[:, :, :2].abs().sum(2)
                return torch.cat([theta[:, :, 2] - half, 2 * half], dim=1)
            """,
        ),
        Misconception(
            "half a pixel",
            "the box lies half a pixel too far left and up: places are counted from the picture's "
            "edge here, not from the first pixel's centre.",
            _changed(lambda x, y, w, h, _: (x - 0.5, y - 0.5, w, h)),
            typed="""
                H, W = size
                wide, high = theta[:, :, :2].abs().sum(2).T
                x = samplers.to_pixels(theta[:, 0, 2] - wide, W)
                y = samplers.to_pixels(theta[:, 1, 2] - high, H)
                return torch.stack([x, y, wide * W, high * H], dim=1)
            """,
        ),
        Misconception(
            "align_corners mixed up",
            "this is the rule for align_corners=True, under which -1 and 1 are the centres of the "
            "border pixels. With False they are edges: W and H, not W - 1 and H - 1.",
            _in_corners,
            typed="""
                H, W = size
                wide, high = theta[:, :, :2].abs().sum(2).T
                x = samplers.to_pixels(theta[:, 0, 2] - wide, W, align_corners=True)
                y = samplers.to_pixels(theta[:, 1, 2] - high, H, align_corners=True)
                return torch.stack([x, y, wide * (W - 1), high * (H - 1)], dim=1)
            """,
        ),
        Misconception(
            "rows first",
            "the columns are top, left, height, width. In a box x comes first: left, top, width, "
            "height.",
            _changed(lambda x, y, w, h, _: (y, x, h, w)),
            typed="""
                H, W = size
                wide, high = theta[:, :, :2].abs().sum(2).T
                x, y = (theta[:, 0, 2] - wide + 1) / 2 * W, (theta[:, 1, 2] - high + 1) / 2 * H
                return torch.stack([y, x, high * H, wide * W], dim=1)
            """,
        ),
        Misconception(
            "height and width of the picture swapped",
            "height and width of the picture are swapped: size is (H, W), and x goes with W.",
            lambda theta, size: box_of_corners(theta, size[::-1]),
            typed="""
                W, H = size
                half = theta[:, :, :2].abs().sum(2)
                pixels = theta.new_tensor([W, H]) / 2
                return torch.cat([(theta[:, :, 2] - half + 1) * pixels, 2 * half * pixels], 1)
            """,
        ),
        Misconception(
            "forward",
            "this is the box of the inverse. Theta maps output to input already: its last column "
            "is the middle of what is read.",
            lambda theta, size: box_of_corners(pytorch_inverse(theta), size),
            typed="""
                H, W = size
                back = transforms.inverse(theta)
                half = back[:, :, :2].abs().sum(2)
                pixels = theta.new_tensor([W, H]) / 2
                return torch.cat([(back[:, :, 2] - half + 1) * pixels, 2 * half * pixels], 1)
            """,
        ),
        Misconception(
            "one scale for both",
            "the scale along x is used for y as well. That is right for attention; other windows "
            "have a scale for each axis, theta[:, 0, 0] and theta[:, 1, 1].",
            _one_scale,
            typed="""
                H, W = size
                s = theta[:, 0, :2].abs().sum(1)
                x, y = (theta[:, 0, 2] - s + 1) / 2 * W, (theta[:, 1, 2] - s + 1) / 2 * H
                return torch.stack([x, y, s * W, s * H], dim=1)
            """,
        ),
        Misconception(
            "only the two scales",
            "this is right where theta has two positive scales and nothing beside them. A mirrored "
            "window has a negative scale, a turned one reaches further: |a| + |b| from the middle "
            "along x, |c| + |d| along y.",
            lambda theta, size: _of_two_corners(_straight(theta), size),
            typed="""
                H, W = size
                a, d = theta[:, 0, 0], theta[:, 1, 1]
                x, y = (theta[:, 0, 2] - a + 1) / 2 * W, (theta[:, 1, 2] - d + 1) / 2 * H
                return torch.stack([x, y, a * W, d * H], dim=1)
            """,
        ),
        Misconception(
            "two corners",
            "this is the box from the corner (-1, -1) to the corner (1, 1). In a mirrored or "
            "turned window others lie further left or up: take the least and the largest of all "
            "four, or absolute values.",
            _of_two_corners,
            typed="""
                H, W = size
                half = theta[:, :, 0] + theta[:, :, 1]
                pixels = theta.new_tensor([W, H]) / 2
                return torch.cat([(theta[:, :, 2] - half + 1) * pixels, 2 * half * pixels], 1)
            """,
        ),
        Misconception(
            "turn left out",
            "upright windows are right, but in a turned or sheared one the second number of a row "
            "counts, too: its box reaches |a| + |b| from the middle along x, |c| + |d| along y.",
            lambda theta, size: box_of_corners(_straight(theta), size),
            typed="""
                H, W = size
                a, d = theta[:, 0, 0].abs(), theta[:, 1, 1].abs()
                x, y = (theta[:, 0, 2] - a + 1) / 2 * W, (theta[:, 1, 2] - d + 1) / 2 * H
                return torch.stack([x, y, a * W, d * H], dim=1)
            """,
        ),
    ),
)
