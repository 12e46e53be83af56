"""Draw the README's moving picture: python tools/picture.py"""

from pathlib import Path

import torch

from stn_course import data, models, plotting

TARGET = Path(__file__).resolve().parent.parent / "notebooks" / "images" / "straightener.gif"


def main() -> None:
    images, _ = data.load_digits("test")
    swing = 60 * torch.sin(torch.linspace(0, 2 * torch.pi, 41)[:-1])  # degrees: there and back
    turning = data.rotate(images[24:25].expand(40, -1, -1, -1), swing)
    with torch.no_grad():
        straight = data.denormalise(models.load_straightener().stn(data.normalise(turning)))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(plotting.moving_picture(turning, straight))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
