"""Alignment as a number: how alike digits lie before and after a transformer.

The pose of a picture is read off the picture itself, from its brightness as a weight: where its
centroid lies, how far it spreads, and along which axis. Coordinates are normalised, (x, y), x to
the right, y down; angles are in degrees, positive from the x axis towards the y axis, so clockwise
on the screen, as `transforms.rotation` turns a grid.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from stn_course.grids import grid_of, pixel_centres
from stn_course.validation import check_images, describe

MEASURED = (17, 17)  # rows and columns of a grid, from edge to edge, whose extent is taken


class ImagePose(NamedTuple):
    """How each picture lies.

    Attributes:
        angle: (B,) of the principal axis, the direction of most spread, from -90 to 90 degrees; an
            axis has no arrow, so -90 and 90 are the same.
        scale: (B,) the root of the mean squared distance from the centroid (second moments).
        x: (B,) the centroid.
        y: (B,) the same, downwards.

    Example:
        >>> bottom_right = torch.tensor([[[[0.0, 0.0], [0.0, 1.0]]]])
        >>> pose = image_pose(bottom_right)
        >>> pose.x.item(), pose.y.item()
        (0.5, 0.5)
    """

    angle: Tensor
    scale: Tensor
    x: Tensor
    y: Tensor


class Spread(NamedTuple):
    """How far the poses of a batch lie apart; all 0 if the pictures lie alike.

    Attributes:
        angle: the standard deviation of the axes in degrees, by the length of their mean (Mardia),
            on doubled angles, since an axis and its opposite are one.
        scale: standard deviation over mean, a share.
        centroid: root mean squared distance from the mean centroid, normalised units.

    Example:
        >>> pose_spread(torch.eye(3).expand(2, 1, 3, 3)).centroid
        0.0
    """

    angle: float
    scale: float
    centroid: float


class Undoing(NamedTuple):
    """How well theta undoes a known turn; of a perfect transformer: -1, -1, 0.

    Attributes:
        correlation: of the angle in with the angle out.
        slope: degrees out for one degree in, by least squares.
        left_over: the standard deviation of the turn that remains, in degrees.

    Example:
        >>> turn = torch.tensor([-60.0, 0.0, 60.0])
        >>> undoing(turn, -turn).left_over
        0.0
    """

    correlation: float
    slope: float
    left_over: float


def image_pose(images: Tensor) -> ImagePose:
    """Read the pose of each picture from its moments.

    Args:
        images: (B, C, H, W), black 0.

    Returns:
        The parts of the pose, each (B,), in double precision.

    Raises:
        TypeError: images is not a floating-point tensor.
        ValueError: a wrong shape, a picture that is black all over, or values below 0, as
            normalised pictures have: denormalise them first.

    Example:
        >>> falling = torch.eye(3)[None, None]  # a line to the bottom right
        >>> round(image_pose(falling).angle.item())
        45
    """
    check_images(images, "images")
    weight = images.double().sum(dim=1)  # (B, H, W)
    mass = weight.sum(dim=(1, 2))
    if (weight < 0).any() or (mass == 0).any():
        raise ValueError(
            f"images must hold brightness from 0, and some above; got {describe(images)}, "
            f"smallest value {images.min().item():.3g}"
        )
    options = {"dtype": weight.dtype, "device": weight.device}
    x = pixel_centres(images.shape[3], **options)
    y = pixel_centres(images.shape[2], **options)[:, None]

    def mean(values: Tensor) -> Tensor:
        """Over the pixels, (B, H, W) or less -> (B, 1, 1)."""
        return ((weight * values).sum(dim=(1, 2)) / mass)[:, None, None]

    mx, my = mean(x), mean(y)
    xx, yy, xy = mean((x - mx) ** 2), mean((y - my) ** 2), mean((x - mx) * (y - my))
    angle = torch.rad2deg(torch.atan2(2 * xy, xx - yy) / 2)
    return ImagePose(*(part[:, 0, 0] for part in (angle, (xx + yy).sqrt(), mx, my)))


def pose_spread(images: Tensor) -> Spread:
    """How far the poses of pictures lie apart, see `image_pose`.

    Args:
        images: (B, C, H, W), black 0.

    Returns:
        The spread of angle, scale and centroid.

    Raises:
        TypeError: images is not a floating-point tensor.
        ValueError: as of `image_pose`.

    Example:
        >>> left_and_right = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).view(2, 1, 1, 2)
        >>> pose_spread(left_and_right).centroid  # of -0.5 and 0.5
        0.5
    """
    pose = image_pose(images)
    doubled = torch.deg2rad(2 * pose.angle)
    length = torch.hypot(doubled.cos().mean(), doubled.sin().mean()).clamp(1e-12, 1)
    angle = torch.rad2deg((-2 * length.log()).sqrt() / 2)
    scale = pose.scale.std(correction=0) / pose.scale.mean()
    centroid = (pose.x.var(correction=0) + pose.y.var(correction=0)).sqrt()
    return Spread(angle.item(), scale.item(), centroid.item())


def undoing(angle_in: Tensor, angle_out: Tensor) -> Undoing:
    """Hold the turn of each picture against the turn of its grid.

    Args:
        angle_in: (B,) degrees, anticlockwise on the screen, as `data.random_rotation` tells.
        angle_out: (B,) degrees, theta's rotation, `transforms.to_pose(theta).rotation`; it turns
            the picture anticlockwise by as much.

    Returns:
        Correlation, slope, and what is left of the turn.

    Raises:
        ValueError: the two do not pair, are fewer than two, or all angles in are the same.

    Example:
        >>> turn = torch.tensor([-60.0, 0.0, 60.0])
        >>> half_undone = undoing(turn, -turn / 2)
        >>> half_undone.slope, half_undone.left_over
        (-0.5, 30.0)
    """
    if angle_in.shape != angle_out.shape or angle_in.dim() != 1 or len(angle_in) < 2:
        raise ValueError(
            f"angle_in and angle_out must be (B,), B at least 2; got {describe(angle_in)} and "
            f"{describe(angle_out)}"
        )
    a, b = angle_in.double().cpu(), angle_out.double().cpu()
    da, db = a - a.mean(), b - b.mean()
    if not da.any():
        raise ValueError(f"angle_in must differ; all are {a[0].item():g}")
    slope = (da @ db / (da @ da)).item()
    norm = (da.norm() * db.norm()).item()
    correlation = (da @ db).item() / norm if norm else 0.0  # nothing turned: nothing undone
    return Undoing(correlation, slope, (a + b).std().item())


def window_box(theta: Tensor, size: tuple[int, int]) -> Tensor:
    """The box that a grid spans over its input, as far as it lies along the axes.

    Args:
        theta: (B, 2, 3), or of another family.
        size: (H, W) of the input.

    Returns:
        (B, 4), left, top, width and height in pixels, from the input's top left corner; of a grid
        that is turned, sheared or bent the smallest box around it.

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: another shape.

    Example:
        >>> quarter = torch.tensor([[[0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]])
        >>> window_box(quarter, size=(60, 60))
        tensor([[30., 30., 30., 30.]])
    """
    grid = grid_of(theta, (len(theta), 1, *MEASURED), align_corners=True).flatten(1, 2)
    low, high = grid.amin(dim=1), grid.amax(dim=1)
    pixels = theta.new_tensor([size[1] / 2, size[0] / 2])
    return torch.cat([(low + 1) * pixels, (high - low) * pixels], dim=1)


def centre_distance(theta: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """How far the grid's centre is from that of the thing it should find.

    Args:
        theta: (B, 2, 3), or of another family.
        boxes: (B, 4) of what should be found: left, top, width and height in pixels.
        size: (H, W) of the input.

    Returns:
        (B,) in pixels of the input.

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: another shape.

    Example:
        >>> middle, corner = torch.eye(2, 3)[None], torch.tensor([[0, 0, 20, 20]])
        >>> centre_distance(middle, corner, size=(26, 28))  # 4 to the right, 3 down
        tensor([5.])
    """
    window, boxes = window_box(theta, size), boxes.to(theta)
    apart = window[:, :2] + window[:, 2:] / 2 - boxes[:, :2] - boxes[:, 2:] / 2
    return apart.norm(dim=1)


def share_inside(theta: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Which share of the thing that should be found lies inside the grid's box.

    Args:
        theta: (B, 2, 3), or of another family.
        boxes: (B, 4) of what should be found: left, top, width and height in pixels.
        size: (H, W) of the input.

    Returns:
        (B,), of each box's area, from 0 to 1.

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: another shape.

    Example:
        >>> left_half = torch.tensor([[[0.5, 0.0, -0.5], [0.0, 1.0, 0.0]]])
        >>> share_inside(left_half, torch.tensor([[20, 0, 20, 20]]), size=(60, 60))
        tensor([0.5000])
    """
    window, boxes = window_box(theta, size), boxes.to(theta)
    first = torch.maximum(window[:, :2], boxes[:, :2])
    last = torch.minimum(window[:, :2] + window[:, 2:], boxes[:, :2] + boxes[:, 2:])
    return ((last - first).clamp(min=0) / boxes[:, 2:]).prod(dim=1)


def overlap(theta: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """How well the grid's box and that of the thing it should find agree: intersection over union.

    Args:
        theta: (B, 2, 3), or of another family.
        boxes: (B, 4) of what should be found: left, top, width and height in pixels.
        size: (H, W) of the input.

    Returns:
        (B,), the area that both have over the area that either has, from 0 to 1.

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: another shape.

    Example:
        >>> left_half = torch.tensor([[[0.5, 0.0, -0.5], [0.0, 1.0, 0.0]]])
        >>> overlap(left_half, torch.tensor([[0, 0, 60, 60]]), size=(60, 60))
        tensor([0.5000])
    """
    window, boxes = window_box(theta, size), boxes.to(theta)
    areas = [box[:, 2:].prod(dim=1) for box in (window, boxes)]
    both = share_inside(theta, boxes, size) * areas[1]
    return both / (sum(areas) - both)
