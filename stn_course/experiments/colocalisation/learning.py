"""How a spatial transformer learns to crop what pictures have in common."""

import time
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stn_course.alignment import overlap
from stn_course.data import normalise
from stn_course.device import choose_device, describe_device, seed_everything
from stn_course.experiments.colocalisation.search import CROP, RIGHT, SIZE, Search, make_pictures
from stn_course.models import Attention, PlainNet, count_parameters, load_straightener
from stn_course.samplers import warp
from stn_course.training.history import versions

STRIDE = 4  # pixels between two windows that are scored
SCALE = CROP / SIZE
JUDGED = 20  # random crops of each picture that a start's final loss is measured with


def encode(classifier: PlainNet, crops: Tensor) -> Tensor:
    """What a classifier makes of crops (B, 1, 28, 28), normalised, layer by layer: (B, N).

    Hidden layers and answers before the softmax, as in the paper. Each layer's are scaled to length
    1, which is ours: unscaled, the lowest loss is that of crops which are all black.
    """
    first = F.relu(classifier.pool(classifier.conv1(crops)))
    second = F.relu(classifier.pool(classifier.conv2(first)))
    third = F.relu(classifier.fc1(second.flatten(1)))
    layers = first, second, third, classifier.fc2(third)
    return torch.cat([F.normalize(layer.flatten(1), dim=1) for layer in layers], dim=1)


def triplet_loss(crops: Tensor, randoms: Tensor, margin: float) -> Tensor:
    """How far crops of several pictures are from being more alike than random crops are.

    crops: (B, N), the encoding of the transformer's crop of each picture. randoms: (B, N), of a
    random crop of each. Returns the mean, over all ordered pairs of two different pictures n and m,
    of max(0, |crop n - crop m|² - |crop n - random n|² + margin). The paper has the sum; the mean
    makes the rate independent of the batch.
    """
    squares = crops.square().sum(dim=1)  # |a - b|² = |a|² + |b|² - 2 a·b
    alike = (squares[:, None] + squares - 2 * crops @ crops.T).clamp(min=0)
    apart = (crops - randoms).square().sum(dim=1)
    terms = torch.relu(alike - apart[:, None] + margin)
    return terms[~torch.eye(len(crops), dtype=torch.bool, device=crops.device)].mean()


class WindowScores(nn.Module):
    """A localization network that scores every window, and answers the expected one.

    (B, 1, 84, 84), normalised -> (B, 3): scale, x and y. The paper's first layer, 8 filters of 9×9
    with a stride of 4; then 5×5 of its cells, about 28×28 pixels, give the score of a window. Its
    answer follows a digit that moves by 4 pixels, wherever it lies, which layers that are fully
    connected have to learn place by place. sharpness, zoom: as in `Search`.
    """

    def __init__(self, sharpness: float, zoom: float):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 8, kernel_size=9, stride=STRIDE), nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.Conv2d(8, 16, kernel_size=5), nn.BatchNorm2d(16), nn.ReLU()),
        )
        self.score = nn.Conv2d(16, 1, kernel_size=1, bias=False)
        self.size = nn.Linear(16, 1)
        with torch.no_grad():
            self.score.weight.mul_(sharpness)
            self.size.weight.zero_()  # at the start, a box has the pixels of a random crop
            self.size.bias.zero_()
        self.zoom = zoom
        windows = (SIZE - CROP) // STRIDE + 1  # along each axis, from edge to edge
        self.register_buffer("centres", torch.linspace(SCALE - 1, 1 - SCALE, windows))

    def forward(self, x: Tensor) -> Tensor:
        """The windows (B, 3) in pictures (B, 1, 84, 84)."""
        features = self.features(x)  # (B, 16, 15, 15)
        shares = self.score(features).flatten(1).softmax(dim=1).unflatten(1, features.shape[2:])
        seen = (features * shares[:, None]).sum(dim=(2, 3))  # (B, 16), in the expected window
        scale = SCALE * self.zoom ** self.size(seen)[:, 0].tanh()
        x, y = (shares.sum(dim=axis) @ self.centres for axis in (1, 2))
        return torch.stack([scale, x, y], dim=1)


def windows_at(centres: Tensor) -> Tensor:
    """Windows (B, 3), scale, x and y, of 28×28 pixels, from their centres (B, 2), normalised."""
    return F.pad(centres, (1, 0), value=SCALE)


def window_theta(windows: Tensor) -> Tensor:
    """Theta (B, 2, 3) of windows (B, 3), as attention has it."""
    return Attention().to_theta(windows)


class CropLoss:
    """The triplet loss of windows in pictures, by what the tutorial's classifier makes of crops.

    pictures: (B, 1, 84, 84), 0 to 1. margin: of the loss. generator: on the CPU, draws the random
    crops, so that they are the same on every device.
    """

    def __init__(self, pictures: Tensor, margin: float, generator: torch.Generator):
        self.x, self.margin, self.generator = normalise(pictures), margin, generator
        self.classifier = load_straightener().requires_grad_(False).to(pictures.device)

    def __call__(self, windows: Tensor, randoms: int) -> Tensor:
        """Of windows (B, 3); a mean over so many random crops of each picture, of 28×28 pixels."""
        found, terms = self.look(windows), []
        for _ in range(randoms):
            anywhere = 2 * torch.rand(len(windows), 2, generator=self.generator) - 1
            random = self.look(windows_at((1 - SCALE) * anywhere.to(self.x.device)))
            terms.append(triplet_loss(found, random, self.margin))
        return torch.stack(terms).mean()

    def look(self, windows: Tensor) -> Tensor:
        """The encodings (B, N) of what is in windows (B, 3)."""
        return encode(self.classifier, warp(self.x, window_theta(windows), (CROP, CROP)))


@dataclass
class Found:
    """What came of a search.

    windows: scale, x and y of each picture's window, by the start of the lowest loss. losses: of
    each start, when it was over. shares: how many boxes of each start are right, in percent.
    parameters: of the localization network. seconds, cpu_seconds: of all starts, by the clock, and
    of all threads. versions, hardware: of this run.
    """

    search: Search
    windows: list[list[float]]
    losses: list[float]
    shares: list[float]
    parameters: int
    seconds: float
    cpu_seconds: float
    versions: dict[str, str]
    hardware: str

    @property
    def share(self) -> float:
        """How many boxes are right, in percent, of the start of the lowest loss."""
        return self.shares[self.losses.index(min(self.losses))]

    def to_content(self) -> dict:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_content(cls, content: dict) -> "Found":
        """The way back from `to_content`."""
        return cls(**{**content, "search": Search(**content["search"])})


def colocalise(search: Search, device: str | None = None) -> Found:
    """Search from each start; what came of it is that of the lowest loss.

    device: "cpu" or "cuda", by default the fastest. The digits' frames serve to measure alone.
    """
    device = choose_device(device)
    pictures, frames = make_pictures(search)
    start, cpu_start = time.perf_counter(), time.process_time()
    judge = CropLoss(pictures.to(device), search.margin, seed_everything(search.seed))
    tried = [learn(search, judge) for _ in range(search.starts)]
    losses = [loss for loss, _ in tried]
    best = tried[losses.index(min(losses))][1]
    return Found(
        search,
        [[round(value, 4) for value in window] for window in best.tolist()],
        losses,
        [share_right(windows, frames) for _, windows in tried],
        count_parameters(WindowScores(search.sharpness, search.zoom)),
        time.perf_counter() - start,
        time.process_time() - cpu_start,
        versions(),
        describe_device(device),
    )


def learn(search: Search, judge: CropLoss) -> tuple[float, Tensor]:
    """From one start: the loss in the end, and the windows (B, 3) that were found, on the CPU."""
    localization = WindowScores(search.sharpness, search.zoom).to(judge.x.device)
    optimizer = torch.optim.Adam(localization.parameters(), search.learning_rate)
    for _ in range(search.steps):
        loss = judge(localization(judge.x), search.randoms)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():  # in training mode: the batch is all there is
        windows = localization(judge.x)
        return judge(windows, JUDGED).item(), windows.cpu()


def share_right(windows: Tensor, frames: Tensor) -> float:
    """How many windows (B, 3) overlap their digit's frame well enough, in percent."""
    right = overlap(window_theta(windows), frames, (SIZE, SIZE)) > RIGHT
    return 100 * right.double().mean().item()
