"""Where the grid went after 2015: four descendants of the spatial transformer, each a grid read.

All of them count pixels from the centre of the top left one, which is (0, 0), and read with
`F.grid_sample(..., align_corners=False)`. Flows and places are (x, y); a deformable convolution's
offsets are (y, x), for that is the order of those who invented it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from stn_course.grids import affine_grid, flow_grid
from stn_course.validation import check_flow, check_images, check_shape


def integrate(velocity: Tensor, steps: int = 6) -> Tensor:
    """The flow that a steady velocity leads to, by scaling and squaring (Arsigny et al. 2006).

    Go 1 / 2^steps of the way. Then do twice what was done so far, `steps` times: read the flow
    where the flow itself leads, and add the two. Such small steps hardly fold, nor does what is
    made of them.

    Args:
        velocity: (B, H, W, 2), in pixels for each unit of time, (x, y).
        steps: how often the way is doubled.

    Returns:
        (B, H, W, 2), the displacement in pixels after one unit of time.

    Raises:
        TypeError: velocity is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity.

    Example:
        >>> steady = torch.tensor([1.0, 0.5]).expand(1, 4, 5, 2)
        >>> integrate(steady)[0, 2, 2]
        tensor([1.0000, 0.5000])
    """
    check_flow(velocity)
    flow = velocity / 2**steps
    for _ in range(steps):
        options = {"padding_mode": "border", "align_corners": False}
        further = F.grid_sample(flow.movedim(3, 1), flow_grid(flow), **options)
        flow = flow + further.movedim(1, 3)
    return flow


def crop_boxes(input: Tensor, boxes: Tensor, output_size: tuple[int, int]) -> Tensor:
    """What each box shows, as an affine crop: `roi_align` with one sample for each output pixel.

    Args:
        input: (B, C, H, W).
        boxes: (B, 4), one an image: left, top, right, bottom in pixels from the image's corner, so
            that (0, 0, W, H) is all of it.
        output_size: (H', W').

    Returns:
        (B, C, H', W').

    Raises:
        TypeError: input is not a floating-point tensor.
        ValueError: a wrong shape.

    Example:
        >>> picture = torch.arange(12.0).reshape(1, 1, 3, 4)
        >>> box = torch.tensor([[1.0, 0.0, 3.0, 2.0]])
        >>> crop_boxes(picture, box, (2, 2))[0, 0].round()
        tensor([[1., 2.],
                [5., 6.]])
    """
    check_images(input)
    check_shape("boxes", boxes, (len(input), 4))
    size = boxes.new_tensor([input.shape[3], input.shape[2]])
    first, last = boxes[:, :2] / size, boxes[:, 2:] / size  # 0 to 1
    scale, middle = torch.diag_embed(last - first), first + last - 1
    theta = torch.cat([scale, middle[..., None]], dim=2)
    grid = affine_grid(theta, (*input.shape[:2], *output_size))
    return F.grid_sample(input, grid, align_corners=False)


def deformable_conv2d(input: Tensor, offset: Tensor, weight: Tensor) -> Tensor:
    """A convolution each of whose taps reads where an offset sends it (Dai et al. 2017).

    As `torchvision.ops.deform_conv2d` with a stride of 1, padded to keep the size.

    Args:
        input: (B, C, H, W).
        offset: (B, 2 k², H, W), in pixels, tap by tap and row by row, each (y, x).
        weight: (D, C, k, k), k odd.

    Returns:
        (B, D, H, W).

    Raises:
        TypeError: input is not a floating-point tensor.
        ValueError: a wrong shape.

    Example:
        >>> input, weight = torch.randn(2, 3, 5, 4), torch.randn(6, 3, 3, 3)
        >>> same = deformable_conv2d(input, torch.zeros(2, 18, 5, 4), weight)
        >>> torch.allclose(same, torch.conv2d(input, weight, padding=1), atol=1e-5)
        True
    """
    check_images(input)
    side = weight.shape[-1]
    check_shape("offset", offset, (len(input), 2 * side * side, *input.shape[2:]))
    taps = offset.unflatten(1, (side, side, 2))  # (B, k, k, 2, H, W), (y, x)
    steps = torch.arange(side).to(offset) - side // 2
    output = 0
    for row in range(side):
        for column in range(side):
            y, x = taps[:, row, column].unbind(1)
            grid = flow_grid(torch.stack([x + steps[column], y + steps[row]], dim=-1))
            read = F.grid_sample(input, grid, align_corners=False)
            output = output + torch.einsum("bchw,dc->bdhw", read, weight[:, :, row, column])
    return output


def deformable_attention(value: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """A weighted mean of a few places for each query (Zhu et al. 2021, one head and one level).

    Args:
        value: (B, C, H, W), what there is to read.
        places: (B, Q, P, 2), normalised (x, y), P places for each of Q queries.
        weights: (B, Q, P), which add up to 1 over P.

    Returns:
        (B, Q, C).

    Raises:
        TypeError: value is not a floating-point tensor.
        ValueError: a wrong shape.

    Example:
        >>> value = torch.arange(4.0).reshape(1, 1, 1, 4)
        >>> places = torch.tensor([[[[-0.75, 0], [0.75, 0]]]])  # both ends
        >>> deformable_attention(value, places, torch.tensor([[[0.5, 0.5]]]))
        tensor([[[1.5000]]])
    """
    check_images(value, "value")
    check_shape("places", places, (*weights.shape, 2))
    read = F.grid_sample(value, places, align_corners=False)  # (B, C, Q, P)
    return torch.einsum("bcqp,bqp->bqc", read, weights)
