"""A flow in pixels as a grid."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course import grids
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


def cases() -> list[Case]:
    """One row of the same step, then a flow of its own for each pixel; batches, aligned corners."""
    generator = torch.Generator().manual_seed(7)
    step = torch.tensor([1.0, -0.5]).expand(1, 2, 3, 2).contiguous()
    flows = [torch.randn(2, *size, 2, generator=generator) for size in [(3, 4), (5, 2)]]
    return [
        Case((step,)),
        Case((flows[0],)),
        Case((flows[1].double(),)),
        Case((step, True)),
        Case((flows[0].double(), True)),
    ]


def places_and_steps(flow: Tensor, align_corners: bool = False) -> tuple[Tensor, Tensor]:
    """Each pixel's own place by PyTorch; how far the next one lies, to the right and down."""
    batch, height, width, _ = flow.shape
    theta = torch.eye(2, 3, dtype=flow.dtype).expand(batch, 2, 3)
    own = F.affine_grid(theta, (batch, 1, height, width), align_corners=align_corners)
    return own, own[0, 1, 1] - own[0, 0, 0]


def moved_by_steps(flow: Tensor, align_corners: bool = False) -> Tensor:
    """So many steps from pixel to pixel as the flow says."""
    own, step = places_and_steps(flow, align_corners)
    return own + flow * step


def _of_parts(program):
    """A program of the flow, each pixel's own place, and the step between two."""
    return lambda flow, *args: program(flow, *places_and_steps(flow, *args))


EXERCISE = FunctionExercise(
    attempt="my_flow_grid",
    solution=grids.flow_grid,
    oracle=moved_by_steps,
    against="torch.nn.functional.affine_grid's places, moved by its own steps from pixel to pixel",
    cases=cases,
    picture="grids",
    hints=(
        "A flow of 0 changes nothing: the grid is then each pixel's own place. grids.base_grid has "
        "it. What must be added where the flow is 1 to the right?",
        "From edge to edge there are W pixels, and normalised it is 2, from -1 to 1. How far is "
        "one pixel, then? And downwards?",
        "With align_corners=False a pixel is 2 / W wide and 2 / H high. With True, -1 and 1 are "
        "centres, W - 1 pixels apart.",
        "flow.new_tensor([W, H]) divides x by W and y by H at once, for the last axis is (x, y).",
    ),
    misconceptions=(
        Misconception(
            "two forgotten",
            "the pixels move half as far as they should: the picture's width is 2, from -1 to 1, "
            "so a pixel is 2 / W wide.",
            _of_parts(lambda flow, own, step: own + flow * step / 2),
            typed="""
                H, W = flow.shape[1:3]
                n = flow.new_tensor([W - 1, H - 1] if align_corners else [W, H])
                own = grids.base_grid(H, W, align_corners, dtype=flow.dtype)[..., :2]
                return own + flow / n
            """,
        ),
        Misconception(
            "height and width swapped",
            "height and width are swapped in the steps: x is divided by W, y by H. Flow's last "
            "axis is (x, y), its shape is (B, H, W, 2).",
            _of_parts(lambda flow, own, step: own + flow * step.flip(0)),
            typed="""
                H, W = flow.shape[1:3]
                n = flow.new_tensor([H - 1, W - 1] if align_corners else [H, W])
                own = grids.base_grid(H, W, align_corners, dtype=flow.dtype)[..., :2]
                return own + 2 * flow / n
            """,
        ),
        Misconception(
            "width for both",
            "y is divided by the width, too. A pixel is 2 / W wide and 2 / H high.",
            _of_parts(lambda flow, own, step: own + flow * step[0]),
            typed="""
                H, W = flow.shape[1:3]
                n = W - 1 if align_corners else W
                own = grids.base_grid(H, W, align_corners, dtype=flow.dtype)[..., :2]
                return own + 2 * flow / n
            """,
        ),
        Misconception(
            "pixels added",
            "the flow is added in pixels. A step of one pixel is 2 / W normalised, not 1.",
            _of_parts(lambda flow, own, step: own + flow),
            typed="""
                own = grids.base_grid(*flow.shape[1:3], align_corners, dtype=flow.dtype)
                return own[..., :2] + flow
            """,
        ),
        Misconception(
            "the flow itself",
            "this is the flow as it came: pixels, and displacements. A grid says where to read, "
            "from -1 to 1: each pixel's own place, and the displacement added to it.",
            lambda flow, *args: flow.clone(),
            typed="return flow",
        ),
        Misconception(
            "own place forgotten",
            "these are the displacements alone. A grid says where a pixel reads: its own place, "
            "and the displacement added to it.",
            _of_parts(lambda flow, own, step: flow * step),
            typed="""
                H, W = flow.shape[1:3]
                n = flow.new_tensor([W - 1, H - 1] if align_corners else [W, H])
                return 2 * flow / n
            """,
        ),
        Misconception(
            "the other way",
            "the displacement is taken away. The flow leads from an output pixel to where it "
            "reads: add it. (The picture moves the other way.)",
            _of_parts(lambda flow, own, step: own - flow * step),
            typed="""
                H, W = flow.shape[1:3]
                n = flow.new_tensor([W - 1, H - 1] if align_corners else [W, H])
                own = grids.base_grid(H, W, align_corners, dtype=flow.dtype)[..., :2]
                return own - flow / n * 2
            """,
        ),
        Misconception(
            "rows before columns",
            "the flow is taken for (y, x). Its last axis is (x, y), as a grid's.",
            _of_parts(lambda flow, own, step: own + flow.flip(-1) * step),
            typed="""
                H, W = flow.shape[1:3]
                down, right = flow.unbind(-1)
                a, b = (W - 1, H - 1) if align_corners else (W, H)
                own = grids.base_grid(H, W, align_corners, dtype=flow.dtype)[..., :2]
                return own + 2 * torch.stack([right / a, down / b], dim=-1)
            """,
        ),
        Misconception(
            "align_corners ignored in the steps",
            "the pixels' own places follow align_corners, their steps do not. With True, -1 and 1 "
            "are centres, W - 1 pixels apart.",
            lambda flow, align_corners=False: (
                places_and_steps(flow, align_corners)[0] + flow * places_and_steps(flow)[1]
            ),
            typed="""
                H, W = flow.shape[1:3]
                own = grids.base_grid(H, W, align_corners, dtype=flow.dtype)[..., :2]
                return own + 2 * flow / flow.new_tensor([W, H])
            """,
        ),
        Misconception(
            "align_corners ignored",
            "with align_corners=False it is right, and True changes nothing. Then a pixel is 2 / "
            "(W - 1) wide, and the first centre lies at -1.",
            lambda flow, align_corners=False: moved_by_steps(flow),
            typed="""
                H, W = flow.shape[1:3]
                own = grids.base_grid(H, W, dtype=flow.dtype)[..., :2]
                return own + 2 * flow / flow.new_tensor([W, H])
            """,
        ),
        Misconception(
            "always from centre to centre",
            "with align_corners=False, too, the pixels' steps are those of True, 2 / (W - 1). From "
            "edge to edge there are W pixels.",
            lambda flow, align_corners=False: (
                places_and_steps(flow, align_corners)[0] + flow * places_and_steps(flow, True)[1]
            ),
            typed="""
                H, W = flow.shape[1:3]
                own = grids.base_grid(H, W, align_corners, dtype=flow.dtype)[..., :2]
                return own + 2 * flow / flow.new_tensor([W - 1, H - 1])
            """,
        ),
        Misconception(
            "held inside",
            "places beyond the border are held at -1 and 1. A grid may read outside; what it finds "
            "there is the sampler's matter.",
            lambda *args: moved_by_steps(*args).clamp(-1, 1),
            typed="""
                H, W = flow.shape[1:3]
                n = flow.new_tensor([W - 1, H - 1] if align_corners else [W, H])
                own = grids.base_grid(H, W, align_corners, dtype=flow.dtype)[..., :2]
                return torch.clip(own + 2 * flow / n, -1, 1)
            """,
        ),
    ),
)
