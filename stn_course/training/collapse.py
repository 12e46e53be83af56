"""Has a run collapsed? What theta and the answers look like when it has, and the likely cause."""

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

from stn_course.grids import grid_of
from stn_course.training.history import History
from stn_course.training.transformers import Grid
from stn_course.transforms import jacobian_determinant
from stn_course.validation import check_batched

# Healthy runs of the course stay below 0.15 outside and between 0.6 and 1.5 in the determinant.
MOST_OUTSIDE = 0.5
DETERMINANTS = (0.1, 4.0)
ALIKE, ONCE_SPREAD = 0.001, 0.005  # the spread of a batch of theta that is one, and was none
ONE_ANSWER = 0.9  # the share of digits with the commonest answer
PATIENCE = 100  # steps before which a network may give one answer to everything
MOVED_BY = 10  # steps after which a theta that learns has moved, be it by one bit
TWINS = 0.01  # thetas that differ by less than this share of their spread are the same
UNREAD, KNOWN_BY_HEART = 0.1, 0.2  # an error, and a training loss as a share of it


class CollapseWarning(UserWarning):
    """The run is broken, or its transformer takes no part: training on will not mend that."""


class Signs(NamedTuple):
    """What a batch of theta tells at a glance.

    Attributes:
        outside: the share of the sampling grid that lies outside the input, 0 to 1.
        determinant: the median of how large an area of the input each of the output reads, without
            its sign: 1 keeps areas, above 1 the picture shrinks. For an affine theta it is the
            median of `|det A|`, A the left 2×2 part.
        spread: the largest standard deviation over the batch among theta's numbers; 0 if all are
            the same.

    Example:
        >>> half_as_large = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
        >>> signs(half_as_large)
        Signs(outside=0.75, determinant=4.0, spread=0.0)
    """

    outside: float
    determinant: float
    spread: float


def signs(theta: Tensor, size: tuple[int, int] = (28, 28), grid: Grid = grid_of) -> Signs:
    """The signs of a batch of theta.

    Args:
        theta: (B, 2, 3), output -> input, or the theta of another family.
        size: (H, W) of the output.
        grid: makes the grid of theta, see `samplers.warp`.

    Returns:
        The share outside, the determinant and the spread.

    Raises:
        TypeError: theta is not a floating-point tensor.
        ValueError: a wrong shape, NaN or infinity.

    Example:
        >>> half_as_large = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
        >>> signs(half_as_large).outside
        0.75
    """
    check_batched(theta)
    output = (len(theta), 1, *(max(n, 2) for n in size))  # two pixels, at least, tell of areas
    places = grid(theta.double(), output, False)
    outside = (places.abs() > 1).any(dim=-1).double().mean()
    determinant = jacobian_determinant(places).abs().median()
    spread = torch.std(theta, dim=0, correction=0).max()
    return Signs(outside.item(), determinant.item(), spread.item())


class CollapseDetector:
    """Looks at a run while it trains; each kind of collapse is told once, in words.

    `history.findings` holds what was found: the kind and the sentence. padding_mode: the
    transformer's, None if unknown. rate: the localization network's highest learning rate, 0 where
    it is not to learn. grid: of the transformer's theta, see `signs`.
    """

    def __init__(
        self, history: History, padding_mode: str | None, rate: float, grid: Grid = grid_of
    ):
        self.history, self.padding_mode, self.rate = history, padding_mode, rate
        self.size, self.grid = tuple(history.probe_images.shape[-2:]), grid
        before = [signs(theta, self.size, grid).spread for theta in history.probe_thetas]
        self.widest = max(before, default=0.0)  # the spread so far

    def look_at_idle(self, names: list[str]) -> dict[str, str]:
        """What is new, given the names of transformers that the network does not call."""
        if not names:
            return {}
        words = (
            f"The network holds a transformer that it does not call: {', '.join(names)}. So no "
            "theta is chosen, and nothing is warped. Call it in the network's forward."
        )
        return self._new({"idle": words})

    def look_at_theta(self, step: int, theta: Tensor) -> dict[str, str]:
        """What is new, after the probe digits' theta (N, 2, 3) at a step: kind and sentence."""
        now = signs(theta, self.size, self.grid)
        self.widest = max(self.widest, now.spread)
        low, high = DETERMINANTS
        lost = now.outside > MOST_OUTSIDE or not low <= now.determinant <= high
        where = (
            f"At step {step} {100 * now.outside:.0f} % of the sampling grid lies outside the "
            f"picture, and an area of the output reads {now.determinant:.2g} times as large a one"
        )
        found = {}
        if lost and step == 0:
            found["initialisation"] = (
                f"{where}, before anything was learned. Likely cause: the initialisation. Start at "
                "the identity (models.start_at_identity)."
            )
        elif lost and "initialisation" not in self.history.findings:
            found["learning rate"] = (
                f"{where}; at the start it was not. Likely cause: the learning rate of the "
                f"localization network, {self.rate:.2g} at its highest. Make it smaller."
            )
        if now.outside > MOST_OUTSIDE and self.padding_mode == "zeros":
            found["padding"] = (
                f"{where}. With padding_mode='zeros' the outside gives theta no gradient, so it "
                "can't come back; and 0 is grey where images are normalised. Pad with 'border'."
            )
        if now.spread < ALIKE and self.widest > ONCE_SPREAD:
            found["spread"] = (
                f"At step {step} theta is the same for every digit (spread {now.spread:.1g}): the "
                "transformer no longer looks at its input. Likely cause: the learning rate of the "
                f"localization network, {self.rate:.2g} at its highest. Make it smaller."
            )
        if not lost and self._is_still(step, theta):
            found["bypassed"] = (
                f"After {step} steps theta is, to the last bit, what it was at the start: no "
                "gradient reaches it. Likely cause: what the transformer returns is not what is "
                "read. Follow it through the network's forward."
            )
        return self._new(found)

    def _is_still(self, step: int, theta: Tensor) -> bool:
        """Whether a theta that is to learn stands where it began."""
        first = self.history.probe_thetas[:1]
        return self.rate > 0 and step >= MOVED_BY and any(torch.equal(theta, x) for x in first)

    def look_at_twins(self, step: int, thetas: list[Tensor]) -> dict[str, str]:
        """What is new, given the theta of every transformer for the same pictures."""
        alike = any(
            one.shape == other.shape
            and (one - other).abs().max() < TWINS * one.std(dim=0, correction=0).max()
            for one, other in itertools.combinations(thetas, 2)
        )
        if not alike:
            return {}
        words = (
            f"At step {step} two transformers choose the same theta for every picture: they are "
            "twins, which get the same gradient and stay alike. Give each a start of its own."
        )
        return self._new({"twins": words})

    def look_at_gap(self, step: int, loss: float, error: float) -> dict[str, str]:
        """What is new, given the loss of the last training batches and the test error."""
        if step < PATIENCE or error < UNREAD or loss > KNOWN_BY_HEART * error:
            return {}
        words = (
            f"At step {step} the loss on training digits is {loss:.2g}, yet "
            f"{100 * error:.0f} % of the test digits are misread. Likely cause: too few digits, "
            "which it knows by heart; or those tested on are of another kind. Take more, or "
            "distort them anew for each batch."
        )
        return self._new({"memorised": words})

    def look_at_answers(self, step: int, answers: Tensor, labels: Tensor) -> dict[str, str]:
        """What is new, after the answers to some test digits (N,), whose labels are (N,)."""
        answer = int(answers.mode().values)
        share = (answers == answer).float().mean().item()
        truth = (labels == answer).float().mean().item()
        if step < PATIENCE or share < ONE_ANSWER or truth > 0.5:
            return {}
        return self._new(
            {
                "answers": f"At step {step} the network answers {answer} to {100 * share:.0f} % of "
                f"the {len(answers)} test digits looked at, which is right for "
                f"{100 * truth:.2f} %. Likely cause: the learning rate. Make it smaller, and begin "
                "anew."
            }
        )

    def _new(self, found: dict[str, str]) -> dict[str, str]:
        """Those of a kind not found before, which are now in the history."""
        new = {kind: words for kind, words in found.items() if kind not in self.history.findings}
        self.history.findings.update(new)
        return new
