"""Does a network read what its transformer returns?"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from stn_course import models
from stn_course.checks.engine.networks import flag, seeded
from stn_course.checks.engine.types import Case, FunctionExercise, Misconception


@torch.no_grad()
def is_read(net: nn.Module, images: Tensor) -> bool:
    """Whether the answers to images depend on what the net's SpatialTransformer returns."""
    transformer = next(x for x in net.modules() if isinstance(x, models.SpatialTransformer))
    net.eval()
    before = net(images)
    hook = transformer.register_forward_hook(lambda module, args, output: torch.zeros_like(output))
    after = net(images)
    hook.remove()
    return not torch.equal(before, after)


class _Network(nn.Module):
    """A transformer before two layers; `reads` says what these are given."""

    def __init__(self, reads: Callable[[Tensor, Tensor], Tensor]):
        super().__init__()
        localization = models.localization_cnn(1)
        self.first = models.SpatialTransformer(localization, padding_mode="border")
        self.rest = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(28 * 28, 10))
        self.reads = reads

    def forward(self, x: Tensor) -> Tensor:
        return self.rest(self.reads(x, self.first(x)))


# What the layers are given of picture and transformed one; how far off the start; do parts learn?
NETS = {
    "read, at the identity": (lambda x, y: y, 0.0, True),
    "bypassed": (lambda x, y: x, 0.0, True),
    "bypassed, off the identity": (lambda x, y: x, 0.3, True),
    "read, frozen": (lambda x, y: y, 0.3, False),
    "read, cut off from its gradient": (lambda x, y: y.detach(), 0.3, True),
    "read beside the picture": (lambda x, y: x + y, 0.0, True),
    "multiplied by zero": (lambda x, y: x + 0 * y, 0.3, True),
}


def make(name: str, training_mode: bool) -> nn.Module:
    """The network of that name."""
    reads, off, trainable = NETS[name]
    net = _Network(reads).requires_grad_(trainable).train(training_mode)
    with torch.no_grad():
        net.first.head[0].bias += off * torch.tensor([0.0, 1.0, 0.0, -1.0, 0.0, 0.5])
    return net


def run_test(attempt, name: str, training_mode: bool):
    """The attempt's answer about a network, as a number; 2 more where it left that changed."""
    images = seeded(lambda: torch.rand(4, 1, 28, 28))
    net = make(name, training_mode)
    with torch.no_grad():
        before = net.first(images)
    answer = seeded(lambda: attempt(net, images))
    with torch.no_grad():
        changed = not torch.equal(net.first(images), before)
    if isinstance(answer, Tensor) and answer.numel() == 1:
        answer = answer.item()
    return flag(answer) + 2 * changed if isinstance(answer, bool) else answer


def _of_gradient(net, images):
    transformer = next(x for x in net.modules() if isinstance(x, models.SpatialTransformer))
    answers = net.eval()(images)
    if answers.requires_grad:
        answers.square().sum().backward()
    gradient = transformer.head[0].bias.grad
    return gradient is not None and bool(gradient.any())


def _of_gradient_always(net, images):
    transformer = next(x for x in net.modules() if isinstance(x, models.SpatialTransformer))
    net.eval()(images).square().sum().backward()
    gradient = transformer.head[0].bias.grad
    return gradient is not None and bool(gradient.any())


@torch.no_grad()
def _leaves_its_hook(net, images):
    transformer = next(x for x in net.modules() if isinstance(x, models.SpatialTransformer))
    before = net.eval()(images)
    transformer.register_forward_hook(lambda *args: torch.zeros_like(args[2]))
    return not torch.equal(before, net(images))


def _was_called(net, images):
    net(images)
    return any(getattr(module, "theta", None) is not None for module in net.modules())


def _changes_pictures(net, images):
    transformer = next(x for x in net.modules() if isinstance(x, models.SpatialTransformer))
    return bool((transformer(images) - images).abs().max() > 1e-3)


@torch.no_grad()
def _in_its_mode(net, images):
    transformer = next(x for x in net.modules() if isinstance(x, models.SpatialTransformer))
    before = net(images)
    hook = transformer.register_forward_hook(lambda *args: torch.zeros_like(args[2]))
    after = net(images)
    hook.remove()
    return not torch.equal(before, after)


@torch.no_grad()
def _against_identity(net, images):
    transformer = next(x for x in net.modules() if isinstance(x, models.SpatialTransformer))
    net.eval()
    before = net(images)
    hook = transformer.register_forward_hook(lambda module, args, output: args[0])
    after = net(images)
    hook.remove()
    return bool((before - after).abs().max() > 1e-4)


EXERCISE = FunctionExercise(
    attempt="my_is_read",
    solution=is_read,
    run=run_test,
    returns="True or False",
    oracle=lambda name, training_mode: flag("bypassed" not in name and "zero" not in name),
    against="how each network was built",
    cases=lambda: [
        Case((name, mode), f"{name}{', in training mode' if mode else ''} (1 is read)")
        for name, mode in [*((name, False) for name in NETS), ("bypassed", True)]
    ],
    hints=(
        "Change what the transformer returns, and see whether the answers change with it.",
        "A forward hook may return something else in place of the output: "
        "module.register_forward_hook(lambda module, args, output: …).",
        "Zeros differ from any picture; the picture itself does not differ at the identity. Put "
        "the network into eval mode, or its dropout changes the answers, and remove the hook.",
    ),
    misconceptions=(
        Misconception(
            "gradient",
            "you ask whether a gradient reaches the head. Where parts are frozen or detached there "
            "is none, and the transformer may be read all the same. Change what it returns.",
            _of_gradient,
            typed="""
                net.eval()
                out = net(images)
                if not out.requires_grad:
                    return False
                out.square().sum().backward()
                for module in net.modules():
                    if isinstance(module, models.SpatialTransformer):
                        grad = module.head[0].bias.grad
                        return grad is not None and (grad != 0).any().item()
            """,
        ),
        Misconception(
            "gradient, everywhere",
            "you ask whether a gradient reaches the head, and a frozen network has none to send. "
            "It may be read all the same. Change what the transformer returns.",
            _of_gradient_always,
            typed="""
                net.eval()
                net(images).sum().backward()
                for module in net.modules():
                    if isinstance(module, models.SpatialTransformer):
                        grad = module.head[0].bias.grad
                        return grad is not None and (grad != 0).any().item()
            """,
        ),
        Misconception(
            "a hook left behind",
            "what the transformer returns is not what it was before your test. Remove the hook "
            "(handle.remove()), or put back what you changed.",
            _leaves_its_hook,
            typed="""
                net.eval()
                module = [m for m in net.modules() if isinstance(m, models.SpatialTransformer)][0]
                with torch.no_grad():
                    one = net(images)
                    module.register_forward_hook(lambda m, inputs, out: out * 0)
                    two = net(images)
                return bool((one != two).any())
            """,
        ),
        Misconception(
            "called",
            "you ask whether the transformer was called. A bypassed one is called, and then nobody "
            "looks at what it returns.",
            _was_called,
            typed="""
                net.eval()
                net(images)
                for module in net.modules():
                    if isinstance(module, models.SpatialTransformer):
                        return module.theta is not None
            """,
        ),
        Misconception(
            "changes pictures",
            "you ask whether the transformer changes the pictures. That says nothing about who "
            "reads them; and at the identity it changes none.",
            _changes_pictures,
            typed="""
                net.eval()
                for module in net.modules():
                    if isinstance(module, models.SpatialTransformer):
                        return ((module(images) - images).abs() > 0.001).any().item()
            """,
        ),
        Misconception(
            "training mode",
            "the network may be in training mode, and then its dropout alone changes the answers. "
            "Call net.eval() first.",
            _in_its_mode,
            typed="""
                def zeros(module, args, output):
                    return 0 * output

                with torch.no_grad():
                    before = net(images)
                    for module in net.modules():
                        if isinstance(module, models.SpatialTransformer):
                            handle = module.register_forward_hook(zeros)
                    after = net(images)
                    handle.remove()
                return (before != after).any().item()
            """,
        ),
        Misconception(
            "the picture in its place",
            "you put the untransformed picture in the output's place. At the identity that is the "
            "same, so nothing can change. Put in something that differs from any picture.",
            _against_identity,
            typed="""
                net.eval()
                module = [m for m in net.modules() if isinstance(m, models.SpatialTransformer)][0]
                with torch.no_grad():
                    one = net(images)
                    handle = module.register_forward_hook(lambda m, inputs, out: inputs[0])
                    two = net(images)
                    handle.remove()
                return bool((one - two).abs().max() > 0.0001)
            """,
        ),
        Misconception(
            "turned round",
            "True and False are swapped: True is for a transformer that is read.",
            lambda net, images: not is_read(net, images),
            typed="""
                net.eval()
                module = [m for m in net.modules() if isinstance(m, models.SpatialTransformer)][0]
                with torch.no_grad():
                    one = net(images)
                    handle = module.register_forward_hook(lambda m, inputs, out: out * 0)
                    two = net(images)
                    handle.remove()
                return bool((one == two).all())
            """,
        ),
    ),
)
