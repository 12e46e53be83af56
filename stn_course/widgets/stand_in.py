"""Until `transforms.from_corners` is there."""

import torch


def from_three_corners(corners):
    """As transforms.from_three_corners."""
    a, b, c = corners.unbind(1)
    return torch.stack([(b - a) / 2, (c - a) / 2, (b + c) / 2], dim=-1)


def from_corners(corners):
    """As transforms.from_corners."""
    ones = torch.ones_like(corners[..., :1])
    p = torch.cat([corners, ones], -1)  # (B, 4, 3)

    def area(i, j, k):
        return torch.linalg.det(torch.stack([p[:, i], p[:, j], p[:, k]], -1))

    w = torch.stack([-area(3, 1, 2), area(0, 3, 2), area(0, 1, 3), area(0, 1, 2)], 1)
    q = p * w[..., None]
    x = (-q[:, 0] + q[:, 1] - q[:, 2] + q[:, 3]) / 4
    y = (-q[:, 0] - q[:, 1] + q[:, 2] + q[:, 3]) / 4
    theta = torch.stack([x, y, q.mean(1)], -1)
    return theta / theta[:, 2:, 2:]
