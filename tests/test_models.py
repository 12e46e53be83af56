"""Models: the tutorial's to the parameter and the bit, the transformer before any layer."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from stn_course import data, models, transforms


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
    assert torch.equal(ours(batch), page(batch))
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
    assert torch.equal(output, expected)


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
