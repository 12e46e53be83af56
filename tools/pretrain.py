"""Train the network of the moving picture and store its weights: python tools/pretrain.py

A classifier learns upright digits and is then frozen; the transformer in front of it learns on
digits turned by up to 90 degrees. It can only please the frozen classifier by straightening them,
so it straightens well. About 2 minutes on 2 cores.
The run is recorded, for the lab that replays it.
"""

from dataclasses import replace

import torch

from stn_course.data import load_digits, random_rotation
from stn_course.device import seed_everything
from stn_course.models import WEIGHTS, PlainNet, TutorialNet
from stn_course.training import RECIPES, RECORDING, fit


def main() -> None:
    seed_everything(0)
    plain = PlainNet()
    print(f"upright classifier: {fit(plain, 'rotated', epochs=2, device='cpu').accuracy:.4f}")
    model = TutorialNet(padding_mode="border")
    model.load_state_dict(plain.state_dict(), strict=False)
    for parameter in plain_parameters(model, plain):
        parameter.requires_grad_(False)
    images, labels = load_digits("test")
    distort = random_rotation(90)
    turned, _ = distort(images, torch.Generator().manual_seed(1))
    recipe = replace(RECIPES["rotated"], learning_rate=0.003, localization_factor=1.0)
    history = fit(model, recipe, test=(turned, labels), distort=distort, epochs=20, device="cpu")
    print(f"turned digits, through the transformer: {history.accuracy:.4f}")
    WEIGHTS.parent.mkdir(exist_ok=True)
    torch.save({k: v.contiguous() for k, v in model.state_dict().items()}, WEIGHTS)
    history.save(RECORDING)
    for path in (WEIGHTS, RECORDING):
        print(f"stored {path.name}, {path.stat().st_size} bytes")


def plain_parameters(model: TutorialNet, plain: PlainNet) -> list[torch.nn.Parameter]:
    """Those of the model that the plain classifier has, too."""
    return [model.get_parameter(name) for name, _ in plain.named_parameters()]


if __name__ == "__main__":
    main()
