# %% [markdown]
# # 10 · Where the idea lives on: where did the grid go after 2015?
#
# At the end you will have built four later methods around a grid and a sampler, held each against a second way to compute it, and
# can say which method to take for which task today.
#
# **35 minutes to read, 70 with the exercises · needs notebooks 03, 04 and 07 · runs on CPU or GPU, offline**

# %%
import torch
import torch.nn.functional as F
from IPython.display import Markdown
from torch import nn

from stn_course import checks, comparison, data, plotting, transforms
from stn_course.grids import affine_grid, base_grid, flow_grid
from stn_course.plotting import show
from stn_course.samplers import bilinear
from stn_course.validation import check_flow, check_images, check_shape
from stn_course.widgets import Quiz

images, labels = data.load_digits("train", "cpu")
test_images, test_labels = data.load_digits("test", "cpu")
print(len(images), "digits to learn from,", len(test_images), "to test with")

# %% [markdown]
# Three questions from earlier notebooks, before you begin:
#
# 1. With `align_corners=False`, where is the centre of the first of W pixels, normalised?
# 2. Which comes first in the last axis of a grid, x or y? And in the shape of a picture?
# 3. How do you see that a grid folds?
#
# <details><summary>Answers</summary>
#
# 1. Half a pixel inside -1, at 1 / W - 1.
# 2. In a grid x, the column. In a picture's shape H, the rows.
# 3. The determinant of its Jacobian is not positive there.
# </details>
#
# ## The question
#
# Few networks of today have a layer called *spatial transformer*. Yet look inside a detector, a medical registration, or a
# transformer for video: something computes places, and something reads between pixels there. A grid and a sampler. And each of
# them has met the same two slips:
#
# | what | then | now |
# | --- | --- | --- |
# | homographies, kornia | [747](https://github.com/kornia/kornia/issues/747) (2020), [3904](https://github.com/kornia/kornia/issues/3904) (2026): the identity did not return its input; centres were taken for edges | mended in [3945](https://github.com/kornia/kornia/pull/3945) (2026) |
# | registration, VoxelMorph | [645](https://github.com/voxelmorph/voxelmorph/issues/645) (2025): pictures came out turned by 90°; the grid was (y, x) | mended in [652](https://github.com/voxelmorph/voxelmorph/pull/652) |
# | crops by boxes, ONNX Runtime | [6921](https://github.com/microsoft/onnxruntime/issues/6921) (2021): RoiAlign was half a pixel off | ONNX opset 16 has a switch for it |
# | deformable convolution, MMDetection | [2504](https://github.com/open-mmlab/mmdetection/issues/2504) (2020): is an offset (x, y)? | it is (y, x), and stays so |
#
# How would a test of this course have found the first two? **Predict** both numbers: how far is the identity from its input if
# its grid is made for centres and read as edges, and if x and y are swapped?

# %% tags=["hide-output", "tolerance=0.01"]
picture = test_images[:1, :, 4:24]  # 20×28, for on squares a swap goes unnoticed
identity = torch.eye(2, 3)[None]
right = affine_grid(identity, picture.shape)
print("the largest difference from the picture, where white is one:")
for name, grid in {
    "as it should be": right,
    "centres for edges": affine_grid(identity, picture.shape, align_corners=True),
    "x and y swapped": right.flip(-1),
}.items():
    off = (F.grid_sample(picture, grid, align_corners=False) - picture).abs().max()
    print(f"{name:18} {off:.2f}")

# %% [markdown]
# One test finds both: *the identity must return its input, on a picture that is no square.*

# %%
Quiz("which_slip")


# %% [markdown]
# ## Build 1: registration
#
# In notebook 07, descent looked for one bend between two digits. A network can answer at once, for any pair: it sees both
# pictures and gives a **flow**, two numbers a pixel. (VoxelMorph, 2018, does this for brain scans.) A flow can fold. So let the
# network give a *velocity*, and follow it for one unit of time: a path that follows a smooth velocity never crosses another.
# To follow it in six steps rather than in 64, **scale and square**: go a 64th of the way, then do six times what you have done
# so far, twice.


# %%
def integrate(velocity, steps=6):
    check_flow(velocity)
    flow = velocity / 2**steps
    for _ in range(steps):
        options = {"padding_mode": "border", "align_corners": False}
        further = F.grid_sample(flow.movedim(3, 1), flow_grid(flow), **options)
        flow = flow + further.movedim(1, 3)
    return flow


# %% [markdown]
# **Trust.** A turn is a velocity, too: each place moves at right angles to its way from the middle. After one unit of time it has turned by the angle in
# radians, and the answer is a rotation matrix (of `matrix_exp`).

# %% tags=["tolerance=0.01"]
places = base_grid(21, 31, align_corners=True)[..., :2] * torch.tensor([15.0, 10.0])  # in pixels
rates = torch.tensor([[0.0, -0.5], [0.5, 0.0]])
turned = places @ torch.linalg.matrix_exp(rates).T - places
found = integrate((places @ rates.T)[None], steps=10)[0]
print(f"off by {(found - turned)[6:-6, 8:-8].abs().max():.3f} pixels, away from the border")

# %%
network = nn.Sequential(
    nn.Conv2d(2, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 2, 3, padding=1),
    nn.Upsample(size=(28, 28), mode="bilinear"),
)  # fmt: skip


def train_registration(weight, steps=150):
    """A network from pairs of threes (B, 2, 28, 28) to velocities (B, 2, 28, 28)."""
    torch.manual_seed(0)
    network.apply(lambda layer: hasattr(layer, "reset_parameters") and layer.reset_parameters())
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    threes = images[labels == 3]
    for _ in range(steps):
        pair = threes[torch.randint(len(threes), (64,))].reshape(32, 2, 28, 28)
        velocity = network(pair).movedim(1, 3)
        read = F.grid_sample(pair[:, :1], flow_grid(integrate(velocity)), align_corners=False)
        rough = sum(velocity.diff(dim=axis).square().mean() for axis in (1, 2))
        optimizer.zero_grad()
        (F.mse_loss(read, pair[:, 1:]) + weight * rough).backward()
        optimizer.step()


# %% [markdown]
# `rough` is the price for neighbours that move apart. **Predict**, for pairs the network has never seen: with no price and with a small one, what is
# left of the difference, and how much folds? And if the velocity itself were the flow?

# %% tags=["hide-output", "tolerance=8"]
threes = test_images[test_labels == 3][:200].reshape(100, 2, 28, 28)
print("threes never seen, in percent:")
for weight in (0.0, 0.05):
    train_registration(weight)
    with torch.no_grad():
        velocity = network(threes).movedim(1, 3)
    grid = flow_grid(integrate(velocity))
    read = F.grid_sample(threes[:, :1], grid, align_corners=False)
    left = F.mse_loss(read, threes[:, 1:]) / F.mse_loss(threes[:, :1], threes[:, 1:])
    folds = [100 * transforms.folded(g).float().mean() for g in (grid, flow_grid(velocity))]
    print(f"price {weight}: {100 * left:.0f} left, {folds[0]:.1f} folded;", end=" ")
    print(f"{folds[1]:.1f} without integrating")

# %%
show(
    plotting.bent_grid(
        threes[0, :1], grid[:1], title="one pass of the network, and a three is another"
    ),
    "left a three with the grid that reads it, whose lines bend gently; right what is read: a three of another shape.",
)


# %% [markdown]
# ## Build 2: crops by boxes
#
# A detector proposes boxes and looks at each again, cut out of its feature map and resized. Mask R-CNN (2017) calls that
# RoIAlign. With one sample for each output pixel, it is the attention transform of notebook 06.


# %%
def crop_boxes(input, boxes, output_size):
    check_images(input)
    check_shape("boxes", boxes, (len(input), 4))
    size = boxes.new_tensor([input.shape[3], input.shape[2]])
    first, last = boxes[:, :2] / size, boxes[:, 2:] / size  # 0 to 1
    scale, middle = torch.diag_embed(last - first), first + last - 1
    theta = torch.cat([scale, middle[..., None]], dim=2)
    grid = affine_grid(theta, (*input.shape[:2], *output_size))
    return F.grid_sample(input, grid, align_corners=False)


# %% [markdown]
# **Trust.** `torchvision.ops.roi_align(..., sampling_ratio=1, aligned=True)` gives the same inside the picture. Its operator is compiled,
# and not on every machine, so here is its rule in pixels: read the middle of each of the box's cells, with the sampler of notebook
# 03. `aligned=False`, its default, leaves out the half pixel. **Predict** both differences.


# %% tags=["hide-output", "tolerance=0.001"]
def by_cells(input, box, output_size, aligned):
    """The middles of a box's cells, in pixels, read by the sampler of notebook 03."""
    left, top, right, bottom = box.tolist()
    across, down = ((torch.arange(n) + 0.5) / n for n in output_size[::-1])
    y, x = torch.meshgrid(
        top + down * (bottom - top), left + across * (right - left), indexing="ij"
    )
    shift = 0.5 if aligned else 0
    return bilinear(input, (x - shift)[None], (y - shift)[None])


box = torch.tensor([[6.0, 5.5, 21.25, 17.0]])
print("aligned, your box moved by so much: how far the crops differ")
for name, aligned, moved in [("True", True, 0), ("False", False, 0), ("False", False, 0.5)]:
    off = crop_boxes(picture, box + moved, (8, 9)) - by_cells(picture, box[0], (8, 9), aligned)
    print(f"{name:6}{moved:4} pixels: {off.abs().max():.4f}")


# %% [markdown]
# The last line is the slip, measured: `aligned=False` reads your box half a pixel further to the right and down.
#
# ## Build 3: deformable convolution
#
# A convolution reads nine fixed neighbours. Let each of the nine taps read where an *offset* sends it (Dai et al. 2017): nine flows,
# one for each tap. A second, ordinary convolution can give the offsets.


# %%
def deformable_conv2d(input, offset, weight):
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


# %% [markdown]
# **Trust.** Offsets of zero must give `conv2d`. The same offset for all taps, one down, must give what `conv2d` reads one row further
# down; in (x, y) order it would be one to the right. (The package's tests also hold it against
# `torchvision.ops.deform_conv2d`, where torchvision's compiled operators load.)

# %% tags=["tolerance=1e-4"]
torch.manual_seed(0)
some, weight = torch.randn(2, 3, 6, 9), torch.randn(4, 3, 3, 3)
offset = torch.zeros(2, 18, 6, 9)
plain = F.conv2d(some, weight, padding=1)
print(f"zero offsets: off by {(deformable_conv2d(some, offset, weight) - plain).abs().max():.0e}")
offset[:, 0::2] = 1
down = deformable_conv2d(some, offset, weight)[..., 1:-2, 1:-1]
print(f"one down:     off by {(down - plain[..., 2:-1, 1:-1]).abs().max():.0e}")


# %% [markdown]
# What do offsets learn? Train a small network on turned digits, first layer deformable, and draw where one tap goes.


# %%
class DeformableNet(nn.Module):
    """One deformable convolution, then a small classifier."""

    def __init__(self):
        super().__init__()
        self.offsets = nn.Conv2d(1, 18, 5, padding=2)
        nn.init.zeros_(self.offsets.weight)  # it starts as an ordinary convolution
        nn.init.zeros_(self.offsets.bias)
        self.weight = nn.Parameter(torch.randn(8, 1, 3, 3) / 3)
        self.rest = nn.Sequential(nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(8 * 49, 10))

    def forward(self, x):
        return self.rest(deformable_conv2d(x, self.offsets(x), self.weight))


# %% tags=["tolerance=6"]
def train(model, steps, batch=64):
    """On digits turned by up to 90 degrees; its error on 1,000 others, in percent."""
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(steps):
        chosen = torch.randint(len(images), (batch,))
        turned = data.rotate(images[chosen], 180 * torch.rand(batch) - 90)
        optimizer.zero_grad()
        F.cross_entropy(model(turned), labels[chosen]).backward()
        optimizer.step()
    with torch.no_grad():
        turned = data.rotate(test_images[:1000], torch.linspace(-90, 90, 1000))
        return 100 * (model(turned).argmax(1) != test_labels[:1000]).float().mean()


torch.manual_seed(0)
deformable = DeformableNet()
print(
    f"after 40 steps, on digits turned by up to 90 degrees: {train(deformable, 40, 32):.0f} % wrong"
)

# %%
turned = data.rotate(test_images[:1], 45.0)
with torch.no_grad():
    y, x = deformable.offsets(turned)[0, 8:10]  # of the middle tap
show(
    plotting.arrows(
        turned[0],
        base_grid(28, 28)[1::3, 1::3, :2],
        torch.stack([x, y], dim=-1)[1::3, 1::3],
        "where the middle tap reads: offsets, to one scale",
    ),
    "a turned seven under a lattice of arrows; around the stroke they are long, elsewhere hardly to be seen.",
)


# %% [markdown]
# ## Build 4: deformable attention
#
# Attention compares each query with every place. Deformable attention (Zhu et al. 2021) lets a query name *a few* places and
# weights, and reads only there. For each of Q queries, P places: that is a grid of Q rows and P columns.


# %%
def deformable_attention(value, places, weights):
    check_images(value, "value")
    check_shape("places", places, (*weights.shape, 2))
    read = F.grid_sample(value, places, align_corners=False)  # (B, C, Q, P)
    return torch.einsum("bcqp,bqp->bqc", read, weights)


# %% [markdown]
# **Trust.** With all pixels for places, it must be ordinary attention. Then let one query look for a digit's ink: start four places
# near the middle, and follow the gradient of what they read. **Predict** what they read at first and at last.

# %% tags=["hide-output", "tolerance=0.2"]
value, weights = torch.randn(1, 5, 4, 7), torch.randn(1, 3, 28).softmax(dim=-1)
everywhere = base_grid(4, 7)[..., :2].reshape(1, 1, 28, 2).expand(1, 3, 28, 2)
full = weights @ value.flatten(2).mT
off = (deformable_attention(value, everywhere, weights) - full).abs().max()
print("off from full attention, with all places:")
print(f"{off:.0e}")

# %% tags=["hide-output", "tolerance=0.2"]
look = torch.nn.functional.avg_pool2d(picture, 5, 1, 2)  # blurred, so that slopes reach far
start = torch.tensor([[[[-0.3, -0.3], [0.3, -0.3], [-0.3, 0.3], [0.3, 0.3]]]])
way = [start.clone().requires_grad_()]
quarter = torch.full((1, 1, 4), 0.25)
for _ in range(30):
    ink = deformable_attention(look, way[-1], quarter)
    slope = torch.autograd.grad(ink.sum(), way[-1])[0]
    way.append((way[-1] + 0.1 * slope).detach().requires_grad_())
print("ink at the places:")
print(f"at first {deformable_attention(look, start, quarter).item():.2f}, ", end="")
print(f"at last {deformable_attention(look, way[-1], quarter).item():.2f}")

# %%
show(
    plotting.arrows(
        picture[0],
        start[0],
        (way[-1] - start)[0].detach(),
        "where one query looks: four places on their way to the ink",
    ),
    "a seven with arrows that lead from places around the middle to its strokes; where no ink is near, a place stays.",
)


# %% [markdown]
# ## Build 5: build the symmetry in
#
# A spatial transformer *learns* to undo a turn. You may know better: that a turn carries no meaning. Then read the picture in four
# directions with one network, and keep the largest answers. It is a group-pooled network, for the group of quarter turns, and its
# answer cannot change under one, trained or not.


# %%
class FourTurns(nn.Module):
    """The largest features over the picture's four quarter turns: equal for each of them."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        )  # fmt: skip
        self.answers = nn.Linear(384, 10)

    def forward(self, x):
        turned = [self.features(x.rot90(n, (2, 3))) for n in range(4)]
        return self.answers(torch.stack(turned).amax(dim=0))


# %% [markdown]
# **Predict:** how far do its answers move, untrained, if a digit is turned by 90 degrees? By 45?

# %% tags=["hide-output", "tolerance=0.05"]
torch.manual_seed(0)
four = FourTurns()
print("how far the answers move at most:")
with torch.no_grad():
    upright = four(test_images[:100])
    moved = {90: test_images[:100].rot90(1, (2, 3)), 45: data.rotate(test_images[:100], 45.0)}
    for degrees, pictures in moved.items():
        print(f"turned by {degrees}: {(four(pictures) - upright).abs().max():.2f}")

# %% [markdown]
# At 90 degrees the pictures are the same four, in another order. Between quarter turns it has to learn. Now the question that
# counts: who wins? Three networks on digits turned by up to 90 degrees, at equal time (recorded, three seeds each):

# %%
Markdown(comparison.to_markdown(comparison.load_comparison("polar")))

# %% [markdown]
# The plain network wins, and the transformer comes second. With 60,000 digits, and turns made for nothing as it trains, a plain
# network learns what the others know. The log-polar network does not know which way is up, so a 6 and a 9 are alike to it; so they are
# to `FourTurns`. What might change the order: few labelled pictures (exercise 5 lets you
# see), or a larger range of turns. And where you want to *see* what was undone, the error is not the question.

# %%
Quiz("which_for_turns")

# %% [markdown]
# ## Four more, in one call each
#
# **Text rectification.** A word on a curved shop sign: a network gives points along its upper and lower edge, a thin plate spline (notebook
# 07) makes the grid, and a reader reads the straightened word. **Optical flow.** Where did each pixel go from one frame to the next? If the
# flow is right, the second frame, read through it, is the first: that is a loss without labels. **Planes of a radiance field.** A
# scene's features lie on three planes; a point (x, y, z) in space reads the planes at (x, y), (x, z) and (y, z), and a small network turns the sum
# into colour and density. **Video stabilisation.** Estimate the camera's shake, frame by frame, smooth its path, and read each
# frame through what is left.

# %% tags=["tolerance=0.01"]
word = F.interpolate(test_images[:1], (14, 56))
x, y = base_grid(14, 56)[..., :2].unbind(-1)
arch = torch.stack([x, y - 0.4 * x.square()], dim=-1)[None]
print("text:   ", tuple(F.grid_sample(word, arch, align_corners=False).shape))
frames = torch.stack([picture[0], picture[0].roll(2, -1)])  # the second is 2 pixels further right
flow = torch.tensor([2.0, 0.0]).expand(1, 20, 28, 2)
read = F.grid_sample(frames[1:], flow_grid(flow), align_corners=False)
print(f"flow:    the loss is {F.mse_loss(read, frames[:1]):.4f}")
planes, points = torch.randn(3, 8, 16, 16), torch.rand(3, 5) * 2 - 1  # 5 points in space
pairs = torch.stack([points[[0, 1]], points[[0, 2]], points[[1, 2]]]).mT[:, None]
print("planes: ", tuple(F.grid_sample(planes, pairs, align_corners=False).sum(dim=0)[:, 0].shape))
shake = transforms.translation(torch.tensor([0.0, 4 / 28]))  # 2 pixels, in the second frame
steady = F.grid_sample(frames, affine_grid(shake, frames.shape), align_corners=False)
print(f"video:   frames differ by {F.mse_loss(*steady):.4f}, before by {F.mse_loss(*frames):.4f}")

# %% [markdown]
# ## What to use in 2026
#
# | task | take | library |
# | --- | --- | --- |
# | warp, crop, augment, differentiably | an affine or projective grid | kornia, torchvision |
# | boxes out of feature maps | RoIAlign with `aligned=True` | torchvision |
# | objects that bend, detection | deformable convolution or attention | torchvision (`deform_conv2d`), transformers (Deformable DETR) |
# | register medical scans | a velocity, integrated | VoxelMorph, MONAI |
# | a known symmetry | equivariance, or augmentation | escnn; torchvision's transforms |
# | dense flow between frames | a trained flow network | torchvision (RAFT) |
# | an unknown pose, few parts, a wish to see it | a spatial transformer | twenty lines of PyTorch: notebook 04 |
#
# ## Try
#
# Four exercises with a check that answers, and one to run.
#
# **1. Predict.** A feature map has a stride of 16: one of its pixels stands for 16 of the picture. A detector crops a person, 72 pixels wide, with
# `aligned=False`. By how many pixels of the *picture* does it read wrongly?

# %%
guess = ...  # pixels of the picture
checks.stride_of_half_a_pixel(guess)


# %% [markdown]
# **2. Write** a deformable convolution's offsets as flows, one for each tap. Predict: which channel says how far the second tap goes to the right?


# %%
# my prediction: …
def my_offsets_as_flows(offset):
    # offset: (B, 2 K, H, W), tap by tap, each (y, x); the answer: (B, K, H, W, 2), (x, y)
    ...


checks.offsets_as_flows(my_offsets_as_flows)


# %% [markdown]
# **3. Write** one flow in place of two. A picture is read through `first`, and what comes of it through `second`. Read flows with
# `padding_mode="border"`, `align_corners=False`. Predict: for which flows is the answer their sum?


# %%
# my prediction: …
def my_compose_flows(first, second):
    # first, second: (B, H, W, 2) in pixels, (x, y); the answer: as they are
    ...


checks.compose_flows(my_compose_flows)

# %% [markdown]
# **4. Predict.** A feature map has 100×100 places. At how many times fewer places does a query look, if it looks at 4 instead of all?

# %%
guess = ...  # times
checks.attention_saved(guess)

# %% [markdown]
# **5. To run.** Train `FourTurns` and the plain network `models.PlainNet` with `train`, on 300 digits alone: set `images = images[:300]` and `labels = labels[:300]` first. Who wins now?
#
# <details><summary>Answers to what has no check</summary>
#
# **2.** Channel 3, counted from 0: the second tap has channels 2 and 3, and to the right comes second.
#
# **3.** Where `first` is the same everywhere: then it does not matter where it is read.
# </details>
#
# ## Keep
#
# - **Look for the grid.** Registration, crops, deformable layers: something computes places, something reads there.
# - **Two slips, one test.** Half a pixel, and x before y: the identity must return its input, on a picture that is no square.
# - **What you know, build in or augment with; what you do not, let a grid learn.**
#
# Next: [11 · The page, then and now](11_then_and_now.ipynb), on how today's code differs from the tutorial's.
