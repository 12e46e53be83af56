"""Models: the tutorial's to the parameter and the bit, the transformer before any layer."""

import copy
import io

import pytest
import torch
import torch.nn.functional as F
from localization_networks import PICTURES, Answers, HeadFirst, Mean, TwoOfSix, is_identity
from torch import nn

from stn_course import data, models, samplers, transforms


class Page(nn.Module):
    """The network that the tutorial's page describes, written down anew as an oracle.

    Its attribute names are the page's, since weights saved there carry them.
    """

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.conv2_drop = nn.Dropout2d()
        self.fc1, self.fc2 = nn.Linear(320, 50), nn.Linear(50, 10)
        pooled = [nn.MaxPool2d(2, stride=2), nn.ReLU(True)]
        self.localization = nn.Sequential(
            nn.Conv2d(1, 8, 7), *pooled, nn.Conv2d(8, 10, 5), nn.MaxPool2d(2, 2), nn.ReLU(True)
        )
        self.fc_loc = nn.Sequential(nn.Linear(90, 32), nn.ReLU(True), nn.Linear(32, 6))

    def forward(self, x):
        theta = self.fc_loc(self.localization(x).view(-1, 90)).view(-1, 2, 3)
        grid = F.affine_grid(theta, x.size(), align_corners=False)
        x = F.grid_sample(x, grid, align_corners=False)
        x = F.max_pool2d(self.conv1(x), 2).relu()
        x = F.max_pool2d(self.conv2_drop(self.conv2(x)), 2).relu().view(-1, 320)
        x = F.dropout(self.fc1(x).relu(), training=self.training)
        return self.fc2(x).log_softmax(1)


@pytest.fixture
def batch(digits):
    return data.normalise(digits[0][:16])


def test_weights_of_the_page_load_strictly_and_compute_the_same(batch):
    page, ours = Page().eval(), models.TutorialNet().eval()
    ours.load_state_dict(page.state_dict(), strict=True)
    assert torch.allclose(ours(batch), page(batch), atol=1e-5)
    assert list(ours.state_dict()) == list(page.state_dict())


def test_parameter_counts():
    net, plain = models.TutorialNet(), models.PlainNet()
    assert models.count_parameters(net) == 27360
    assert models.count_parameters(plain) == 21840
    transformer = models.count_parameters(net.localization) + models.count_parameters(net.fc_loc)
    assert transformer == 5520


def test_the_tutorials_network_starts_at_the_identity_exactly(batch):
    net = models.TutorialNet().eval()
    assert net.theta is None
    output = net.stn(batch)
    assert torch.equal(net.theta, transforms.identity(16))
    assert torch.allclose(output, batch, atol=1e-5)


def test_plain_net_is_the_tutorials_without_its_transformer(batch):
    net, plain = models.TutorialNet().eval(), models.PlainNet().eval()
    plain.load_state_dict({k: v for k, v in net.state_dict().items() if k in plain.state_dict()})
    assert torch.allclose(net(batch), plain(batch), atol=1e-3)


@pytest.mark.parametrize("shape", [(2, 1, 28, 28), (3, 8, 13, 17), (1, 3, 5, 40)])
def test_a_transformer_goes_before_any_layer(shape, device):
    input = torch.rand(shape, device=device)
    transformer = models.SpatialTransformer(models.localization_cnn(shape[1])).to(device)
    output = transformer(input)
    assert torch.equal(transformer.theta.cpu(), transforms.identity(shape[0]))
    assert torch.allclose(output, input, atol=1e-4)
    output.square().sum().backward()
    assert transformer.localization[-1].bias.grad.abs().sum() > 0


def test_three_lines_plug_it_into_a_sequential(digits):
    cnn = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 26 * 26, 10))
    transformer = models.SpatialTransformer(models.localization_cnn(1))
    both = nn.Sequential(transformer, *cnn)
    assert torch.allclose(both(digits[0][:5]), cnn(digits[0][:5]), atol=1e-4)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
def test_the_transformer_is_pytorchs_grid_and_sampler(digits, padding_mode, align_corners):
    images = digits[0][:4]
    transformer = models.SpatialTransformer(
        models.localization_cnn(1), (14, 20), padding_mode, align_corners
    )
    nn.init.normal_(transformer.localization[-1].weight, std=0.5)
    output = transformer(images)
    grid = F.affine_grid(transformer.theta, (4, 1, 14, 20), align_corners=align_corners)
    expected = F.grid_sample(images, grid, "bilinear", padding_mode, align_corners)
    assert transformer.theta.std(0).max() > 0
    assert torch.allclose(output, expected, atol=1e-5)  # a place that is off by a rounding error


def test_the_theta_kept_for_inspection_holds_no_graph(batch):
    net = models.TutorialNet()
    net(batch).sum().backward()
    assert not net.theta.requires_grad


def test_the_localization_network_learns_from_the_second_step_on(batch, digits):
    net = models.TutorialNet().eval()
    first = net.localization[0].weight
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    gradients = []
    for _ in range(2):
        optimizer.zero_grad()
        F.nll_loss(net(batch), digits[1][:16]).backward()
        gradients.append(first.grad.abs().sum().item())
        optimizer.step()
    assert gradients[0] == 0 < gradients[1]


def test_the_straightener_straightens(digits):
    model = models.load_straightener()
    turned, degrees = data.random_rotation(90)(digits[0][:2000], torch.Generator().manual_seed(1))
    with torch.no_grad():
        answers = model(data.normalise(turned)).argmax(1)
    left_over = degrees + transforms.to_pose(model.theta).rotation
    assert (answers == digits[1][:2000]).float().mean() > 0.93
    assert left_over.std() < 0.6 * degrees.std()


def start_error(theta, head, count=4):
    return (
        f"theta must be the identity at the start; got another in {count} of 4, the first at index "
        f"{4 - count}: {theta.tolist()}. {head} was taken for the head and set to the identity, "
        "but theta is not its answer: name the layer that gives theta, head="
    )


def test_a_head_that_is_registered_first_is_found():
    transformer = models.SpatialTransformer(HeadFirst())
    output = transformer(PICTURES)
    assert is_identity(transformer.theta, 4)
    assert torch.allclose(output, PICTURES, atol=1e-5)


def test_another_layer_with_six_outputs_is_not_taken_for_the_head_in_silence():
    transformer = models.SpatialTransformer(TwoOfSix())
    first = transformer.localization(PICTURES)[0].view(2, 3)
    for _ in range(2):
        with pytest.raises(ValueError) as caught:
            transformer(PICTURES)
        assert str(caught.value) == start_error(first, transformer.localization.other)
        assert transformer.theta is None


def test_the_head_can_be_named():
    localization = TwoOfSix()
    other = copy.deepcopy(localization.other)
    transformer = models.SpatialTransformer(localization, head=localization.head)
    transformer(PICTURES)
    assert is_identity(transformer.theta, 4)
    assert torch.equal(localization.other.weight, other.weight)
    assert transformer.head == (localization.head,)


def test_a_localization_network_may_be_its_head_alone():
    transformer = models.SpatialTransformer(nn.Linear(5, 6))
    assert transformer.head == (transformer.localization,)


def test_what_changes_the_heads_answer_is_seen():
    with pytest.raises(ValueError, match=r"another in 4 of 4, the first at index 0: .*0\.76"):
        models.SpatialTransformer(Mean(nn.Tanh()))(PICTURES)


def pickled(module):
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def set_by_hand():
    """A transformer whose first call finds another theta than the identity, and rightly so."""
    transformer = models.SpatialTransformer(TwoOfSix())
    nn.init.normal_(transformer.localization.other.weight)
    return transformer


def loaded():
    transformer = models.SpatialTransformer(TwoOfSix())
    transformer.load_state_dict(set_by_hand().state_dict())
    return transformer


@pytest.mark.parametrize("make", [set_by_hand, loaded])
def test_no_start_is_asked_of_a_head_that_has_moved(make):
    transformer = make()
    copies = [copy.deepcopy(transformer), pickled(transformer)]
    expected = transformer(PICTURES)
    assert not is_identity(transformer.theta, 4)
    for same in (*copies, copy.deepcopy(transformer), pickled(transformer)):
        assert same.head == (same.localization.other,)
        assert torch.equal(same(PICTURES), expected)


def test_replicas_that_share_the_weights_look_at_the_start_each():
    """As `DataParallel` makes them at every call: what they set is lost."""
    transformer = models.SpatialTransformer(Mean())
    for _ in range(2):
        copy.copy(transformer)(PICTURES)
        assert transformer.theta is None
    nn.init.normal_(transformer.localization.head.weight)
    copy.copy(transformer)(PICTURES)


def test_a_moved_bias_alone_is_a_trained_head():
    transformer = models.SpatialTransformer(Mean())
    with torch.no_grad():
        transformer.localization.head.bias[2] = 0.25
    transformer(PICTURES)
    assert transformer.theta[0].tolist() == [[1, 0, 0.25], [0, 1, 0]]


def test_copies_made_before_the_first_call_watch_the_start_themselves():
    fresh = models.SpatialTransformer(TwoOfSix())
    for same in (copy.deepcopy(fresh), pickled(fresh)):
        assert same.head == (same.localization.other,)
        with pytest.raises(ValueError, match="identity at the start"):
            same(PICTURES)


def test_after_the_first_call_the_start_is_no_longer_looked_at():
    """One look costs a GPU a wait; it is for mistakes in how the network was put together."""
    transformer = models.SpatialTransformer(Mean())
    transformer(PICTURES)
    transformer.localization.after = nn.Tanh()
    transformer(PICTURES)
    assert transformer.theta[0, 0, 0] < 0.8


def test_nan_in_the_input_is_not_taken_for_a_wrong_start():
    transformer = models.SpatialTransformer(Mean())
    input = torch.rand(3, 1, 4, 5)
    input[1, 0, 2, 2] = torch.nan
    assert transformer(input)[1].isnan().all()
    assert torch.allclose(transformer(input)[0], input[0], atol=1e-5)


def test_only_the_wrong_of_a_batch_are_counted():
    class Late(nn.Module):
        def forward(self, theta):
            return theta + torch.tensor([0.0, 0, 0, 1])[:, None]

    transformer = models.SpatialTransformer(Mean(Late()))
    with pytest.raises(ValueError) as caught:
        transformer(PICTURES)
    moved = torch.tensor([[2.0, 1, 1], [1, 2, 1]])
    assert str(caught.value) == start_error(moved, transformer.localization.head, count=1)


def test_the_head_is_counted_and_saved_once():
    localization = models.localization_cnn(1)
    alone = models.count_parameters(localization)
    transformer = models.SpatialTransformer(localization)
    assert models.count_parameters(transformer) == alone
    expected = [f"localization.{name}" for name in localization.state_dict()]
    assert list(transformer.state_dict()) == expected


def test_a_lazy_head_is_refused_until_it_has_its_weights():
    localization = nn.Sequential(nn.Flatten(), nn.LazyLinear(6))
    with pytest.raises(ValueError) as caught:
        models.SpatialTransformer(localization)
    assert str(caught.value) == (
        "the head must be a Linear layer with a bias and 6 outputs; LazyLinear(in_features=0, "
        "out_features=6, bias=True) has no weights yet: call localization on an input"
    )
    localization(PICTURES)
    transformer = models.SpatialTransformer(localization)
    transformer(PICTURES)
    assert is_identity(transformer.theta, 4)


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
def test_a_head_whose_weights_are_computed_is_refused(norm):
    """To set them is without effect: theta would start at random."""
    head = getattr(nn.utils.parametrizations, norm)(nn.Linear(PICTURES[0].numel(), 6))
    with pytest.raises(ValueError, match=r"6 outputs of its own; ParametrizedLinear computes"):
        models.SpatialTransformer(nn.Sequential(nn.Flatten(), head))


@pytest.mark.parametrize("first", [True, False])
def test_the_transformer_compiles_to_one_graph(first):
    transformer = models.SpatialTransformer(models.localization_cnn(1))
    if first:
        transformer(PICTURES)
    compiled = torch.compile(transformer, backend="eager", fullgraph=True)
    assert torch.allclose(compiled(PICTURES), PICTURES, atol=1e-5)


def looks(outputs: int = 3) -> nn.Sequential:
    """A localization network for 60×60 pictures with so many outputs."""
    return nn.Sequential(nn.AvgPool2d(6), nn.Flatten(), nn.Linear(100, outputs))


def test_attention_starts_at_the_identity_and_never_turns_or_shears(device):
    transformer = models.SpatialTransformer(looks(), transformation="attention").to(device)
    pictures = torch.rand(5, 1, 60, 60, device=device)
    assert torch.allclose(transformer(pictures), pictures, atol=1e-4)
    assert torch.equal(transformer.theta.cpu(), transforms.identity(5))
    answer = torch.tensor([0.5, 0.25, -0.75], device=device)
    transformer.localization[-1].bias.data = answer
    transformer(pictures)
    assert torch.equal(transformer.theta.cpu(), transforms.attention(*answer.cpu()).expand(5, 2, 3))


def test_attention_learns_scale_and_place():
    """Every output of the head gets a gradient, through an antialiased window of another size."""
    options = {"transformation": "attention", "antialias": True}
    transformer = models.SpatialTransformer(looks(), (28, 28), "border", **options)
    pictures = torch.rand(5, 1, 60, 60)
    output = transformer(pictures)
    expected = samplers.warp(
        pictures, transformer.theta, (28, 28), padding_mode="border", antialias=True
    )
    assert torch.equal(output, expected)
    output.square().sum().backward()
    assert (transformer.localization[-1].bias.grad != 0).all()


def test_attention_in_bfloat16_is_precise():
    """An answer between two bfloat16 numbers, under autocast."""
    transformer = models.SpatialTransformer(looks(), transformation="attention")
    transformer.localization[-1].bias.data = torch.tensor([0.501, 0.101, 0.0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        transformer(torch.rand(1, 1, 60, 60))
    assert transformer.theta.dtype == torch.float32
    assert (transformer.theta[0, 0] - torch.tensor([0.501, 0.0, 0.101])).abs().max() <= 1e-7


def test_a_head_of_three_is_found_among_others():
    """The last with three outputs, not the last of all."""
    layers = nn.ModuleDict({"head": nn.Linear(4, 3), "other": nn.Linear(4, 6)})
    assert models.find_head(layers, transformation="attention") is layers["head"]
    assert models.find_head(layers) is layers["other"]


def test_only_fitting_heads_and_known_transformations_are_taken():
    three = r"Linear layer with a bias and 3 outputs; got Linear\(in_features=100, out_features=6"
    with pytest.raises(ValueError, match=three):
        models.SpatialTransformer(looks(6), transformation="attention")
    for use in (models.SpatialTransformer, models.start_at_identity, models.find_head):
        with pytest.raises(ValueError, match=r"must be one of 'affine', .*; got 'zoom'"):
            use(looks(6), transformation="zoom")
    with pytest.raises(ValueError, match=r"must answer \(B, 3\), here \(2, 3\); got .*\(2, 6\)"):
        models.to_theta(torch.zeros(2, 6), 2, "attention")


HEAD = "the head must be a Linear layer with a bias and 6 outputs; got"
SHAPE = "localization must answer (B, 6), here (4, 6); got"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: models.SpatialTransformer(nn.Sequential(nn.Linear(4, 5), nn.Flatten())),
            f"{HEAD} Flatten(start_dim=1, end_dim=-1)",
        ),
        (
            lambda: models.SpatialTransformer(nn.Linear(4, 6, bias=False)),
            f"{HEAD} Linear(in_features=4, out_features=6, bias=False)",
        ),
        (
            lambda: models.SpatialTransformer(HeadFirst(), head="head"),
            f"{HEAD} 'head'",
        ),
        (
            lambda: models.SpatialTransformer(HeadFirst(), head=nn.Linear(2, 6)),
            "head must be one of localization's own layers; got another, Linear(in_features=2, "
            "out_features=6, bias=True)",
        ),
        (
            lambda: models.start_at_identity(nn.Linear(4, 5)),
            f"{HEAD} Linear(in_features=4, out_features=5, bias=True)",
        ),
        (
            lambda: models.SpatialTransformer(Answers(lambda x: x[:, :5]))(PICTURES),
            f"{SHAPE} a torch.float32 tensor of shape (4, 5)",
        ),
        (
            lambda: models.SpatialTransformer(Answers(lambda x: x[:1]))(PICTURES),
            f"{SHAPE} a torch.float32 tensor of shape (1, 6)",
        ),
        (
            lambda: models.SpatialTransformer(Answers(lambda x: x.view(4, 2, 3)))(PICTURES),
            f"{SHAPE} a torch.float32 tensor of shape (4, 2, 3)",
        ),
        (
            lambda: models.SpatialTransformer(Answers(lambda x: None))(PICTURES),
            f"{SHAPE} NoneType None",
        ),
    ],
)
def test_errors_say_it_in_these_words(call, words):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: models.TutorialNet(padding_mode="wrap"), ValueError, "'wrap'"),
        (
            lambda: models.SpatialTransformer(models.localization_cnn(1), padding_mode="wrap"),
            ValueError,
            "'wrap'",
        ),
        (lambda: models.SpatialTransformer(nn.Linear(4, 5)), ValueError, "out_features=5"),
        (lambda: models.SpatialTransformer(nn.Sequential(nn.ReLU())), ValueError, "ReLU"),
        (lambda: models.start_at_identity(nn.Linear(4, 6, bias=False)), ValueError, "bias=False"),
        (lambda: models.TutorialNet()(torch.zeros(1, 1, 32, 32)), ValueError, r"\(1, 1, 32, 32\)"),
        (lambda: models.PlainNet()(torch.zeros(1, 1, 28, 28).byte()), TypeError, "torch.uint8"),
        (lambda: models.PlainNet()(torch.zeros(0, 1, 28, 28)), ValueError, r"\(0, 1, 28, 28\)"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
