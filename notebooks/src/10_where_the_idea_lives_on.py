# %% [markdown]
# # 10 · Where the idea lives on: where did the grid go after 2015?
#
# At the end you will have built five later methods, four of them around a grid and a sampler, held each against a second way to
# compute it, and can say which method to take for which task today.
#
# **45 minutes to read, 75 with the exercises · needs notebooks 03 to 07 · runs on CPU or GPU, offline**

# %%
import torch
import torch.nn.functional as F
from IPython.display import Markdown, display
from torch import nn

from stn_course import checks, comparison, data, grids, models, plotting, training, transforms
from stn_course.grids import affine_grid, base_grid, control_lattice, flow_grid
from stn_course.models import PlainNet, check_digits
from stn_course.plotting import show
from stn_course.samplers import bilinear
from stn_course.validation import check_flow, check_images, check_shape
from stn_course.widgets import Quiz, WarpLab

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
# video network with attention: something computes places, and something reads between pixels there. A grid and a sampler.
#
# | you will build | its grid is made of | the slip made in public |
# | --- | --- | --- |
# | registration | two numbers for each pixel | y before x |
# | crops by boxes | four numbers for each box | half a pixel |
# | deformable convolution | nine offsets for each pixel | is an offset (x, y)? |
# | deformable attention | a few places for each query | x divided by the height |
# | a network that knows turns | no numbers: quarter turns | half a pixel |
#
# The last column names the same two things over and over: *half a pixel*, and *x before y*. The warps themselves slipped on them,
# too. In kornia, a well-known library, the identity homography did not return its input: centres were taken for edges
# ([747](https://github.com/kornia/kornia/issues/747) in 2020, [3904](https://github.com/kornia/kornia/issues/3904) in 2026, fixed
# in [3945](https://github.com/kornia/kornia/pull/3945)). How would a test of this course have found it? **Predict:** how far is
# the identity from its input if its grid is made for centres and read as edges? And if x and y are swapped?

# %% tags=["hide-output", "tolerance=0.01"]
picture = test_images[:1, :, 4:24]  # 20×28, for on squares a swap goes unnoticed
identity = torch.eye(2, 3)[None]
unmoved = affine_grid(identity, picture.shape)
print("the largest difference from the picture, where white is one:")
for name, grid in {
    "as it should be": unmoved,
    "centres for edges": affine_grid(identity, picture.shape, align_corners=True),
    "x and y swapped": unmoved.flip(-1),
}.items():
    off = (F.grid_sample(picture, grid, align_corners=False) - picture).abs().max()
    print(f"{name:18} {off:.2f}")

# %% [markdown]
# One test finds both: *the identity must return its input, on a picture that is not square.*

# %%
Quiz("which_slip")

# %% [markdown]
# ## Play: be the network
#
# **Registration** looks for the grid through which one picture looks like another. A radiologist lays last year's scan over this
# year's; you lay one three over another. The left one is yours to bend, by sixteen points of a thin plate spline (notebook 07).

# %%
threes = test_images[test_labels == 3]
yours, wanted = threes[7:8], threes[4:5]
show(
    plotting.image_grid(
        torch.cat([yours, wanted]), ["yours to bend", "what it is to look like"], columns=2
    ),
    "two handwritten threes of different shape and slant.",
)

# %% [markdown]
# 1. Drag the points until the output looks like the three on the right above. Each point is a place where the output *reads*: to
#    make a stroke wander to the right, which way do you drag?
# 2. Run the cell below the lab. How much of the difference have you left?
# 3. Drag a point past its neighbour. What does the shading of the output say?
#
# <details><summary>What you may have seen</summary>
#
# 1. To the left. 2. With some patience, a third or less. 3. There the grid folds: the picture is mirrored, and the same piece
# of it appears more than once.
# </details>

# %%
lab = WarpLab(yours[0], family="tps")
lab


# %%
def left(read, before, after):
    """How much of the squared difference between two sets of pictures is left, in percent."""
    return 100 * F.mse_loss(read, after) / F.mse_loss(before, after)


print(f"left of the difference: {left(lab.output(), yours, wanted):.0f} %")

# %% [markdown]
# In notebook 07, descent did that work. Here it drags the points of a second lab, a still picture:

# %% tags=["tolerance=5"]
points = control_lattice(4)[None].requires_grad_()
optimizer = torch.optim.Adam([points], lr=0.02)
for _ in range(200):
    grid = grids.thin_plate_spline_grid(points, yours.shape)
    loss = F.mse_loss(F.grid_sample(yours, grid, align_corners=False), wanted)
    optimizer.zero_grad()
    (loss + 1e-3 * grids.bending_energy(points).sum()).backward()
    optimizer.step()
still = WarpLab(yours[0], family="tps")
still.points = points[0].detach()
print(f"left of the difference: {left(still.output(), yours, wanted):.0f} %")

# %%
show(
    still.figure("after two hundred steps of descent, most of the difference is gone"),
    "on the left a three under a bent lattice of sixteen points; on the right what is read: a three of nearly the other one's shape.",
)


# %% [markdown]
# You needed minutes, and descent needed two hundred steps, for one pair. Can a network do it at a glance, for any pair?
#
# ## Build 1: registration
#
# It can: VoxelMorph did so for brain scans, in 2018. The network sees both pictures and gives a **flow**, two numbers for each
# pixel. But a flow can fold. So let the network give a *velocity*, and follow it for one unit of time: paths that follow a smooth
# velocity never cross. That would take many small steps. **Scaling and squaring** takes six: go a 64th of the way, then double the flow six times. To double a flow, follow it once more from where it has led.


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
# **Trust.** A turn is a velocity, too: each place moves at right angles to its way from the middle. After one unit of time it has
# turned by the angle in radians, and the answer is a rotation matrix (of `matrix_exp`).

# %% tags=["tolerance=0.01"]
places = base_grid(21, 31, align_corners=True)[..., :2] * torch.tensor([15.0, 10.0])  # in pixels
rates = torch.tensor([[0.0, -0.5], [0.5, 0.0]])
turned = places @ torch.linalg.matrix_exp(rates).T - places
found = integrate((places @ rates.T)[None], steps=10)[0]
print(f"off by {(found - turned)[6:-6, 8:-8].abs().max():.3f} pixels, away from the border")


# %% [markdown]
# The network looks twice: at a coarse scale for where to go, and at the pixels for where exactly.


# %%
class Registration(nn.Module):
    """From pairs of pictures (B, 2, 28, 28) to flows (B, 28, 28, 2), in pixels."""

    def __init__(self, integrated=True):
        super().__init__()
        self.integrated = integrated
        self.coarse = nn.Sequential(
            nn.Conv2d(2, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 16, 3, padding=1), nn.ReLU(),
            nn.Upsample(scale_factor=4, mode="bilinear"),
        )  # fmt: skip
        self.fine = nn.Conv2d(18, 2, 5, padding=2)

    def forward(self, pairs):
        answer = self.fine(torch.cat([self.coarse(pairs), pairs], dim=1)).movedim(1, 3)
        return integrate(answer) if self.integrated else answer


# %%
def draw_pairs(images, labels, count, generator):
    """Digits, each with another one of its class: (count, 2, 28, 28)."""
    order, counts = labels.argsort(), labels.bincount()
    first = torch.randint(len(labels), (count,), generator=generator)
    start, own = counts.cumsum(0) - counts, labels[first]
    second = start[own] + (torch.rand(count, generator=generator) * counts[own]).long()
    return torch.cat([images[first], images[order[second]]], dim=1)


# %%
def train_registration(network, steps=200, price=0.0):
    """Only the likeness teaches it; `price` is for neighbours that move apart."""
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        pairs = draw_pairs(images, labels, 32, generator)
        flow = network(pairs)
        read = F.grid_sample(pairs[:, :1], flow_grid(flow), align_corners=False)
        rough = sum(flow.diff(dim=axis).square().mean() for axis in (1, 2))
        optimizer.zero_grad()
        (F.mse_loss(read, pairs[:, 1:]) + price * rough).backward()
        optimizer.step()


# %% [markdown]
# Nobody tells it a flow: its only teacher is how much the two pictures then look alike. **Predict**, for pairs of digits that it
# has never seen: how much of the difference remains, and what share of the grids folds?


# %% tags=["hide-output", "tolerance=6"]
def try_registration(network):
    """How much is left of the difference and how much folds, in percent; the grids."""
    with torch.no_grad():
        grid = flow_grid(network(unseen))
    read = F.grid_sample(unseen[:, :1], grid, align_corners=False)
    folds = 100 * transforms.folded(grid).float().mean()
    print(
        f"remaining difference {left(read, unseen[:, :1], unseen[:, 1:]):.0f} %, folded {folds:.1f} %"
    )
    return grid


unseen = draw_pairs(test_images, test_labels, 300, torch.Generator().manual_seed(1))
torch.manual_seed(0)
network = Registration()
train_registration(network)
print("pairs never seen:")
grid = try_registration(network)

# %% [markdown]
# And the pair that you bent by hand? In one look:

# %% tags=["tolerance=15"]
with torch.no_grad():
    grid = flow_grid(network(torch.cat([yours, wanted], dim=1)))
read = F.grid_sample(yours, grid, align_corners=False)
print(f"left of the difference: {left(read, yours, wanted):.0f} %")

# %% [markdown]
# **What it is good for.** What have a hundred threes in common? Take their mean, and it is a blur: their strokes lie in different
# places. Register all of them to one of them first, whose shape the mean then has. In medicine such a mean is an **atlas**: all scans are registered to it once more, and each new one is compared with it.

# %%
plain, atlas = [], []
for digit in range(10):
    some = test_images[test_labels == digit][:100]
    pairs = torch.cat([some, some[:1].expand_as(some)], dim=1)
    with torch.no_grad():
        plain.append(some)
        atlas.append(F.grid_sample(some, flow_grid(network(pairs)), align_corners=False))
plain, atlas = torch.stack(plain), torch.stack(atlas)  # (10, 100, 1, 28, 28)
show(
    plotting.side_by_side(
        plain.mean(dim=1), atlas.mean(dim=1), ("mean", "atlas"), "the mean of a hundred digits"
    ),
    "ten blurred digits, the means as they are; below them the means of the registered digits, with clear strokes.",
)

# %% tags=["tolerance=6"]
apart = [some.var(dim=1).mean() for some in (plain, atlas)]
print(f"variance around the mean: {100 * apart[1] / apart[0]:.0f} % of what it was")

# %% [markdown]
# **Then and now.** In 2025, pictures came out of VoxelMorph turned by 90°
# ([645](https://github.com/voxelmorph/voxelmorph/issues/645)): the places of its pixels came in the order (y, x), and
# `grid_sample` reads (x, y). It was fixed within three months ([652](https://github.com/voxelmorph/voxelmorph/pull/652)). The
# test of notebook 07: a flow of one pixel to the right, on a picture that is not square, must give the picture without its first
# column.

# %% tags=["tolerance=0.01"]
flow = torch.tensor([1.0, 0.0]).expand(1, 20, 28, 2)
steps = flow_grid(flow) - flow_grid(0 * flow)
for name, grid in {"(y, x)": unmoved.flip(-1) + steps, "(x, y)": unmoved + steps}.items():
    read = F.grid_sample(picture, grid, align_corners=False)
    print(f"places as {name}: off by {(read[..., :-1] - picture[..., 1:]).abs().max():.2f}")


# %% [markdown]
# ## Build 2: crops by boxes
#
# A detector proposes boxes and looks at each again, cut out of its feature map and resized. Mask R-CNN (2017) calls that
# RoIAlign; a region of interest is a box. With one sample for each output pixel, it is the attention of notebook 06 with a scale
# for each axis.


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
# **Trust.** `torchvision.ops.roi_align(..., sampling_ratio=1, aligned=True)` gives the same inside the picture. Its operator is
# compiled, and not on every machine, so here is its rule in pixels: read the middle of each of the box's cells, with the
# sampler of notebook 03. `aligned=False` leaves out the half pixel between a pixel's edge and its centre.


# %% tags=["tolerance=0.001"]
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
off = crop_boxes(picture, box, (8, 9)) - by_cells(picture, box[0], (8, 9), aligned=True)
print(f"yours and the rule: off by {off.abs().max():.4f}")

# %% [markdown]
# **Then and now.** The first RoIAlign left the half pixel out, and networks were trained with it. So torchvision's default is
# `aligned=False` to this day. ONNX Runtime left it out, too ([6921](https://github.com/microsoft/onnxruntime/issues/6921), 2021),
# and the one test case of the ONNX format expected that ([3428](https://github.com/onnx/onnx/issues/3428)): a test that repeats
# the mistake finds nothing. Since version 16 of its operators the format has a switch. **Predict:** how far off is such a crop,
# and which box of yours would give it?

# %% tags=["hide-output", "tolerance=0.001"]
print("without the half pixel, and your box moved right and down by so much:")
for moved in (0, 0.5):
    off = crop_boxes(picture, box + moved, (8, 9)) - by_cells(picture, box[0], (8, 9), False)
    print(f"{moved:4} pixels: off by {off.abs().max():.4f}")


# %% [markdown]
# ## Build 3: deformable convolution
#
# A convolution reads nine fixed neighbours. Let each of these nine **taps** read where an *offset* sends it (Dai et al. 2017):
# nine flows, one for each tap. A second, ordinary convolution gives the offsets: it is a localization network, with an answer for
# each pixel.


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
# **Trust.** Offsets of zero must give `conv2d`. (The package's tests also hold it against `torchvision.ops.deform_conv2d`, where
# torchvision's compiled operators load, and against SciPy.)

# %% tags=["tolerance=1e-4"]
torch.manual_seed(0)
some, weight = torch.randn(2, 3, 6, 9), torch.randn(4, 3, 3, 3)
offset = torch.zeros(2, 18, 6, 9)
plain = F.conv2d(some, weight, padding=1)
print(f"zero offsets: off by {(deformable_conv2d(some, offset, weight) - plain).abs().max():.0e}")

# %% [markdown]
# **Then and now.** Is an offset (x, y)? A user of MMDetection asked so
# ([2504](https://github.com/open-mmlab/mmdetection/issues/2504), 2020). It is (y, x): so it was in the first implementation, so
# trained weights have it, and so it stays. Zero offsets cannot tell the two orders apart. An offset of one *down*, the same for all taps, can: it must
# give what `conv2d` reads one row further down.

# %% tags=["tolerance=0.05"]
for name, channels in {"(x, y)": slice(1, None, 2), "(y, x)": slice(0, None, 2)}.items():
    offset = torch.zeros(2, 18, 6, 9)
    offset[:, channels] = 1  # one down, if the order is as said
    down = deformable_conv2d(some, offset, weight)[..., 1:-2, 1:-1]
    print(f"{name}: off by {(down - plain[..., 2:-1, 1:-1]).abs().max():.2f}")

# %% [markdown]
# **What does it learn?** `models.DeformableNet` is the plain network of notebook 04 whose second convolution has nine taps that
# move. It starts with offsets of zero, as an ordinary network. Trained on digits turned by up to 90°, it was recorded
# (`tools/pretrain.py turned_deformable`).

# %%
live = False  # True: train it now, a minute or two on one core
net, run = models.load_trained("turned_deformable"), training.load_recording("turned_deformable")
if live:
    torch.manual_seed(0)
    net = models.DeformableNet()
    run = training.fit(net, "course", distort=data.random_rotation(90), epochs=2, device="cpu")
print(f"misread after two epochs: {100 * (1 - run.accuracies[-1]):.1f} %")


# %%
def taps(pictures):
    """Where the nine taps of 12×12 map pixels read, (B, 9, 12, 12, 2), and their mean offset."""
    with torch.no_grad():
        net(data.normalise(pictures))
    y, x = net.offset.unflatten(1, (9, 2)).unbind(dim=2)
    offset = torch.stack([x, y], dim=-1)  # in pixels of the map
    side = torch.arange(-1, 2)
    fixed = torch.cartesian_prod(side, side).flip(-1)[:, None, None]  # row by row, (x, y)
    here = base_grid(12, 12)[..., :2]
    places = (here + 2 * (fixed + offset) / 12) * 24 / 28  # the map shows 24 of 28 pixels
    return places, offset.mean(dim=1)


# %% [markdown]
# Take a digit and its quarter turn, and four pixels of the map. Here is where the nine taps of each read. An ordinary convolution
# would read a square of 3×3 in each place.

# %%
pair = torch.cat([test_images[1:2], test_images[1:2].rot90(1, (2, 3))])
places, pull = taps(pair)
lattice = pull[0, 1:-1:3, 1:-1:3].norm(dim=-1)  # of 4×4 map pixels, apart from each other
chosen = lattice.flatten().topk(4).indices
row, column = 1 + 3 * (chosen // 4), 1 + 3 * (chosen % 4)
queries = [places[0][:, row, column], places[1][:, 11 - column, row]]  # turned along
show(
    plotting.places(
        pair,
        torch.stack(queries).transpose(1, 2),
        ["upright", "turned"],
        columns=2,
        title="nine taps each of four map pixels",
    ),
    "a two, and the same two on its side; on each four bent clusters of nine marks, some of them on the strokes.",
)

# %% [markdown]
# Of sixteen pixels of the map, these are the four whose taps have gone furthest, on average. None of the clusters is a square any more. In which direction did each
# go? The mean of nine offsets is a **pull**. Draw it for all pixels of the map, to one scale:

# %%
here = base_grid(12, 12)[..., :2] * 24 / 28
for name, digit, pulled in zip(("upright", "turned"), pair, pull, strict=True):
    described = show(
        plotting.arrows(digit, here, pulled, f"{name}: the taps are pulled towards the ink"),
        "a two under a lattice of arrows; beside a stroke, most of them point to it; far from all strokes they are short.",
    )
    display(described)

# %% [markdown]
# So a pixel beside a stroke reads the stroke. Does the pull turn with the digit? **Predict** its likeness, from -1 to 1, before
# and after a quarter turn, on 200 digits: if the pull is taken as it was, and if it is turned along.

# %% tags=["hide-output", "tolerance=0.05"]
some = test_images[:200]
(before, pull), (after, other) = taps(some), taps(some.rot90(1, (2, 3)))
x, y = pull.unbind(dim=-1)
back = other.rot90(-1, (1, 2)).flatten()  # at the same places of the digit
print("likeness to the pull before the turn (cosine):")
for name, expected in {"as it was": pull, "turned along": torch.stack([y, -x], -1)}.items():
    print(f"{name:12} {F.cosine_similarity(back, expected.flatten(), dim=0):5.2f}")
middle = F.grid_sample(some, (here + 0 * before).flatten(1, 2), align_corners=False).mean()
read = F.grid_sample(some, before.flatten(1, 2), align_corners=False).mean()
print(f"ink at the map's pixels {middle:.2f}, at their taps {read:.2f}")

# %% [markdown]
# The pull turns with the digit, by and large, and the taps lie on ink a little more often than the map's pixels. Does it
# pay? The same network with an ordinary convolution in that place, at equal time (recorded, three seeds each):

# %%
Markdown(comparison.to_markdown(comparison.load_comparison("deformable")))


# %% [markdown]
# The ordinary convolution wins, and clearly. A step with nine moving taps costs five times as much, read one after the other as
# here, so in the same time it gets a fifth of the epochs: the table shows its price, and not what it could learn. Where objects
# come in all sizes, as in detection, Dai et al. found a gain; there a compiled operator reads all taps at once. Before you take
# one, let a table like this decide.

# %% [markdown]
# ## Build 4: deformable attention
#
# **Attention** asks, for each of many *queries*, how much every place of a picture matters, and reads the mean with these
# weights. For a large picture that is a lot of places. Deformable attention (Zhu et al. 2021) lets a query name *a few* places
# and weights, and reads only there. For each of Q queries P places: that is a grid of Q rows and P columns. `value` is the feature
# map that it reads.


# %%
def deformable_attention(value, places, weights):
    check_images(value, "value")
    check_shape("places", places, (*weights.shape, 2))
    read = F.grid_sample(value, places, align_corners=False)  # (B, C, Q, P)
    return torch.einsum("bcqp,bqp->bqc", read, weights)


# %% [markdown]
# **Trust.** With all pixels for places, it must be the second half of ordinary attention: the mean with given weights.

# %% tags=["tolerance=1e-5"]
value, weights = torch.randn(1, 5, 4, 7), torch.randn(1, 3, 28).softmax(dim=-1)
everywhere = base_grid(4, 7)[..., :2].reshape(1, 1, 28, 2).expand(1, 3, 28, 2)
full = weights @ value.flatten(2).mT
off = (deformable_attention(value, everywhere, weights) - full).abs().max()
print(f"off from full attention: {off:.0e}")

# %% [markdown]
# **Then and now.** A query's network says in *pixels* how far its places lie from it. To normalise, divide x by the width and y
# by the height. The released code of Deformable DETR divided x by the height: a shape is (H, W), a place (x, y)
# ([6](https://github.com/fundamentalvision/Deformable-DETR/issues/6), 2020, fixed within three days). Let each pixel read three
# pixels to its right:

# %% tags=["tolerance=0.01"]
here = base_grid(20, 28)[..., :2].reshape(1, 560, 1, 2)  # each pixel is a query with one place
for name, size in {"(H, W)": [20, 28], "(W, H)": [28, 20]}.items():
    places = here + 2 * torch.tensor([3.0, 0.0]) / torch.tensor(size)
    read = deformable_attention(picture, places, torch.ones(1, 560, 1)).reshape(picture.shape)
    print(f"divided by {name}: off by {(read[..., :-3] - picture[..., 3:]).abs().max():.2f}")


# %% [markdown]
# **Does it learn where to look?** Four queries, four places each, and a digit that lies up to four pixels off the middle. A small
# network looks at a coarse copy of the picture and moves the sixteen places; what they read is passed on. Three rivals: places
# that stay where chance put them; places that learn, and are then the same for all pictures; and these with the same look, which
# gives the weights and moves nothing.


# %%
def looking():
    """From a picture to a step (x, y) and a weight for each of 16 places; at first no step."""
    head = nn.Linear(48, 48)
    for parameter in head.parameters():
        nn.init.zeros_(parameter)
    coarse = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(1, 8, 5, stride=2), nn.ReLU())
    return nn.Sequential(coarse, nn.Flatten(), nn.Linear(200, 48), nn.ReLU(), head)


# %%
class Reader(nn.Module):
    """Names a digit from what four queries read at four places each."""

    def __init__(self, looks=True, learns=True, moves=True):
        super().__init__()
        self.start = nn.Parameter(torch.rand(4, 4, 2) * 1.6 - 0.8, requires_grad=learns)
        self.value = nn.Sequential(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU())
        self.look, self.moves = looking() if looks else None, moves
        self.answers = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def places(self, x):
        if self.look is None:
            return self.start.expand(len(x), 4, 4, 2), torch.full((len(x), 4, 4), 0.25)
        steps, weights = self.look(x).reshape(-1, 4, 4, 3).split([2, 1], dim=3)
        return self.start + self.moves * steps, weights[..., 0].softmax(dim=2)

    def forward(self, x):
        return self.answers(deformable_attention(self.value(x), *self.places(x)).flatten(1))


# %%
def train_reader(reader, steps=300):
    """On digits moved by up to four pixels; its error on others, in percent."""
    optimizer = torch.optim.Adam([p for p in reader.parameters() if p.requires_grad], lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randint(len(images), (64,), generator=generator)
        shown, _ = data.random_translation(4)(images[chosen], generator)
        optimizer.zero_grad()
        F.cross_entropy(reader(shown), labels[chosen]).backward()
        optimizer.step()
    with torch.no_grad():
        return 100 * (reader(moved).argmax(dim=1) != test_labels[:2000]).float().mean()


# %% [markdown]
# **Predict** the errors after 300 steps. For scale, the plain network of notebook 04 takes as many.

# %% tags=["hide-output", "tolerance=7"]
moved, shifts = data.random_translation(4)(test_images[:2000], torch.Generator().manual_seed(1))
print("error, in percent:")
for name, options in {
    "random places": {"looks": False, "learns": False},
    "places that learn": {"looks": False},
    "weights that look": {"moves": False},
    "places that look": {},
}.items():
    torch.manual_seed(0)
    reader = Reader(**options)
    print(f"{name:17} {train_reader(reader):3.0f}")
torch.manual_seed(0)
plain = PlainNet().eval()  # without dropout, as the readers
print(f"plain network     {train_reader(plain):3.0f}")

# %%
with torch.no_grad():
    places, _ = reader.places(moved)
    start = reader.start.expand_as(places)
show(
    plotting.places(
        moved[:6], places[:6], columns=3, title="where four queries look, a colour each"
    ),
    "six digits that lie in different places, each with sixteen marks in four colours, many of them on or near its strokes.",
)

# %% [markdown]
# Do the places go where the digit goes? **Predict:** if a digit lies a pixel further to the right, how much further to the right
# do its places lie, on average?

# %% tags=["hide-output", "tolerance=0.25"]
ink = [F.grid_sample(moved, p, align_corners=False).mean() for p in (start, places)]
at = 14 * places.mean(dim=(1, 2))  # their mean, in pixels
along = ((at - at.mean(dim=0)) * shifts).sum() / shifts.square().sum()
print("of the places:")
print(f"they follow a digit by {along:.2f} of its way")
print(f"ink where they start {ink[0]:.2f}, where they look {ink[1]:.2f}")


# %% [markdown]
# Sixteen places, chosen after a coarse look at the whole picture, go a long way. (One seed; and a network that reads all pixels makes fewer errors, of course: on a picture this small there is nothing to save.) That is a spatial transformer once more, with a
# small grid for each query in place of one for the picture.
#
# ## Build 5: build the symmetry in
#
# A spatial transformer *learns* to undo a turn. You may know more than it does: that a turn carries no meaning. Then read the
# picture in four directions with one network, and keep the largest of each feature (TI-pooling, Laptev et al. 2016). It is a
# *group-pooled network*, for the group of quarter turns. Under one of these, its answer cannot change, trained or not. The layers
# are those of `PlainNet`, the classifier of notebook 04.


# %%
class FourTurns(PlainNet):
    """`PlainNet` over the four quarter turns of a digit: of each feature the largest counts."""

    def features(self, x):
        x = F.relu(self.pool(self.conv1(x)))  # (B, 10, 12, 12)
        x = F.relu(self.pool(self.conv2_drop(self.conv2(x))))  # (B, 20, 4, 4)
        return F.relu(self.fc1(x.flatten(1)))

    def forward(self, x):
        check_digits(x)
        turned = torch.stack([self.features(x.rot90(n, (2, 3))) for n in range(4)])
        return F.log_softmax(self.fc2(self.fc1_drop(turned.amax(dim=0))), dim=1)


# %% [markdown]
# **Trust.** PyTorch's `rot90` moves pixels without reading between them. **Predict:** how far do the answers move, untrained, if
# a digit is turned by 90 degrees? By 45?

# %% tags=["hide-output", "tolerance=0.02"]
torch.manual_seed(0)
four = FourTurns().eval()
print("how far the answers move at most:")
with torch.no_grad():
    upright = four(test_images[:100])
    shown = {90: test_images[:100].rot90(1, (2, 3)), 45: data.rotate(test_images[:100], 45.0)}
    for degrees, pictures in shown.items():
        print(f"turned by {degrees}: {(four(pictures) - upright).abs().max():.3f}")

# %% [markdown]
# At 90 degrees the pictures are the same four, in another order. Between quarter turns it has to learn.
#
# **Then and now.** In 2021 a user of e2cnn, a library of such networks, found that an invariant network was invariant on every
# fourth width only ([36](https://github.com/QUVA-Lab/e2cnn/issues/36)). It is half a pixel again. A convolution with a *stride* of
# 2 reads every second place, from the left. If the last one does not end at the right edge, the places lie off the middle, and a
# turn moves them. Take a filter that is the same for all quarter turns, and the largest answer over all places:

# %% tags=["tolerance=0.01"]
torch.manual_seed(0)
weight = torch.randn(4, 1, 3, 3)
weight = sum(weight.rot90(n, (2, 3)) for n in range(4))
for side in (28, 29):
    noise = torch.rand(5, 1, side, side)
    first, second = (
        F.conv2d(x, weight, stride=2).amax(dim=(2, 3)) for x in (noise, noise.rot90(1, (2, 3)))
    )
    middle = (torch.arange(0, side - 2, 2) + 1.0).mean()  # of the places read, in pixels
    print(f"{side} pixels: read around {middle}, the middle is {(side - 1) / 2}; ", end="")
    print(f"the answers differ by {(first - second).abs().max():.2f}")

# %% [markdown]
# **Who wins?** The plain network, the spatial transformer, the log-polar network of notebook 07, and four turns, at about equal time
# (recorded, three seeds each or more). **Predict** the order on digits turned by up to 90°, with all 60,000 labels:

# %% tags=["hide-output"]
Markdown(comparison.to_markdown(comparison.load_comparison("symmetry")))

# %% [markdown]
# A known symmetry should help most where pictures are few. **Predict** the order with 300 labels (each batch turns them anew):

# %% tags=["hide-output"]
Markdown(comparison.to_markdown(comparison.load_comparison("few")))

# %% [markdown]
# And if the digits are turned by *any* angle, so that the symmetry is whole, with 300 labels:

# %% tags=["hide-output"]
Markdown(comparison.to_markdown(comparison.load_comparison("few-any-angle")))

# %% [markdown]
# (The last two columns are those of notebook 05. A correlation near 0 says that the transformer hardly undoes a turn.)
#
# - **All labels:** the plain network has the lowest error. It is shown as many turned digits as it likes, and takes the most steps
#   in the same time. Four turns come close, with a quarter of its steps.
# - **300 labels, up to 90°:** log-polar has the highest mean by far. The seeds do not tell the other three apart.
# - **300 labels, any angle:** now no side is up, so what `FourTurns` has built in costs nothing: it wins.
# - **Log-polar has the highest mean each time.** It has turns *and* zooms built in, and sees the rim coarsely.
# - **The transformer never wins clearly here.** What it has to learn about the turn, the plain network learns as fast, and the others have built in. Its clear win was on digits seen from the side
#   (notebook 07); in clutter it beat the network that reads everything, and not surely the pooled one (06). And it lets you *see*
#   what it undid.

# %%
Quiz("which_for_turns")

# %% [markdown]
# ## Four more, in one call each
#
# **Text rectification.** A word on a curved shop sign: a network gives points along its upper and lower edge, a thin plate spline
# makes the grid, and a reader reads the straightened word. Here a word bends along an arch, and the grid of the same arch is known:

# %% tags=["tolerance=0.01"]
word = F.interpolate(torch.cat(list(test_images[:4]), dim=2)[None], (28, 84))  # four digits
x, y = base_grid(28, 84)[..., :2].unbind(-1)
arch, unbent = (torch.stack([x, y + sign * 0.4 * x.square()], dim=-1)[None] for sign in (1, -1))
sign = F.grid_sample(word, arch, align_corners=False)
read = F.grid_sample(sign, unbent, align_corners=False)
print(f"bent: off by {F.mse_loss(sign, word):.2f}, straightened: {F.mse_loss(read, word):.2f}")

# %% [markdown]
# **Optical flow.** Where did each pixel go from one frame to the next? If the flow is right, the second frame, read through it,
# is the first. That is a loss without labels. Here the second frame lies two pixels further to the right:

# %% tags=["tolerance=0.001"]
frames = torch.stack([picture[0], picture[0].roll(2, -1)])
for pixels in (0.0, 1.0, 2.0):
    flow = torch.tensor([pixels, 0.0]).expand(1, 20, 28, 2)
    read = F.grid_sample(frames[1:], flow_grid(flow), align_corners=False)
    print(f"a flow of {pixels:.0f} pixels: the loss is {F.mse_loss(read, frames[:1]):.3f}")

# %% [markdown]
# **Planes of a radiance field.** A scene's features lie on three planes. A point (x, y, z) in space reads them at (x, y), (x, z)
# and (y, z), and a small network turns the sum into colour and density. Three pictures, one grid each:

# %%
planes, points = torch.randn(3, 8, 16, 16), torch.rand(3, 5) * 2 - 1  # 5 points in space
pairs = torch.stack([points[[0, 1]], points[[0, 2]], points[[1, 2]]]).mT[:, None]  # (3, 1, 5, 2)
features = F.grid_sample(planes, pairs, align_corners=False).sum(dim=0)[:, 0].T
print("5 points, 8 features each:", tuple(features.shape))

# %% [markdown]
# **Video stabilisation.** Estimate the camera's shake, frame by frame, smooth its path, and read each frame through what is left.
# Here the shake is known, two pixels in the second frame:

# %% tags=["tolerance=0.001"]
shake = transforms.translation(torch.tensor([0.0, 2 * 2 / 28]))
steady = F.grid_sample(frames, affine_grid(shake, frames.shape), align_corners=False)
print(f"two frames differ by {F.mse_loss(*frames):.3f}, steadied by {F.mse_loss(*steady):.3f}")

# %% [markdown]
# ## Break: the grid folds
#
# You integrated a velocity in Build 1, in place of taking the network's answer for the flow. Was it worth its six readings? Train the
# same network without. **Predict:** is more of the difference left, or less? And how much of the grids folds?

# %% tags=["hide-output", "tolerance=8"]
torch.manual_seed(0)
hasty = Registration(integrated=False)
train_registration(hasty)
print("pairs never seen, without integration, then with it:")
folding, whole = try_registration(hasty), try_registration(network)

# %%
worst = transforms.folded(folding).float().mean(dim=(1, 2)).argmax()
drawn = {
    "of 300 pairs the one that folds most": (folding, "whose lines cross; hatched, where it folds"),
    "the same pair, integrated": (whole, "whose lines bend, and nowhere cross"),
}
for name, (grid, words) in drawn.items():
    described = show(
        plotting.bent_grid(unseen[worst, :1], grid[worst][None], title=name),
        f"on the left a digit with the grid that reads it, {words}; on the right what is read.",
    )
    display(described)

# %% [markdown]
# Without integration, grids fold, and here (one seed) the pictures do not even match better. Where a grid folds, the same piece of the digit is
# read two or three times, one copy of it mirrored. On a digit that is a blemish. On a brain it is a second ventricle, or a tumour counted twice. The loss cannot see it: it compares brightness. **Remedy:** integrate a velocity, or put a price on
# flows that are not smooth (exercise 5). Count the folds in any case.

# %% [markdown]
# ## What to use in 2026
#
# | task | take | library |
# | --- | --- | --- |
# | warp, crop, augment, differentiably | an affine or projective grid | kornia, torchvision |
# | boxes out of feature maps | RoIAlign with `aligned=True` | torchvision |
# | objects of all sizes and shapes | deformable convolution or attention | torchvision (`deform_conv2d`), transformers (Deformable DETR) |
# | register medical scans | a velocity, integrated | VoxelMorph, MONAI |
# | a known symmetry, many labels | a plain network, and augmentation | torchvision's transforms |
# | a symmetry that holds in full, few labels | a network that has it built in, and augmentation | escnn |
# | dense flow between frames | a trained flow network | torchvision (RAFT) |
# | pictures taken from the side, an unknown pose that you want to see | a spatial transformer | twenty lines of PyTorch: notebook 04 |
#
# ## Try
#
# Four exercises with a check that answers, and two to run.
#
# **1. Predict.** A feature map has a stride of 16: one of its pixels stands for 16 of the picture. A detector crops a person, 72
# pixels wide, with `aligned=False`. By how many pixels of the *picture* does it read wrongly?

# %%
guess = ...  # pixels of the picture
checks.stride_of_half_a_pixel(guess)


# %% [markdown]
# **2. Write** a deformable convolution's offsets as flows, one for each tap. Predict: which channel says how far the second tap
# goes to the right?


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
# **4. Predict.** A feature map has 100×100 places. How many times fewer places does a query look at, if it looks at 4 instead of
# all?

# %%
guess = ...  # times
checks.attention_saved(guess)

# %% [markdown]
# **5. To run.** The other remedy for folds is a price on neighbours that move apart: train `Registration(integrated=False)` with
# `train_registration(..., price=0.05)`. How much folds now, and how much of the difference is left? And with both remedies?
#
# **6. To run.** Give `Reader` digits that are not moved: `random_translation(0)` in two places. Does looking still pay?
#
# <details><summary>Answers to what has no check</summary>
#
# **2.** Channel 3, counted from 0: the second tap has channels 2 and 3, and to the right comes second.
#
# **3.** Where `first` is the same everywhere: then it does not matter where it is read.
#
# **5.** Next to nothing folds, but more of the difference is left than with integration alone, also with both: a price holds back
# good moves as well as bad ones.
#
# **6.** It does, by less: the strokes of a digit in the middle lie in different places, too.
# </details>
#
# ## Keep
#
# - **Look for the grid.** Registration, crops, deformable layers: something computes places, something reads there.
# - **Two slips, two tests.** Half a pixel, and x before y: the identity must return its input, and a step of one pixel must go its way, on a
#   picture that is not square.
# - **What you know, build in or augment with; what you do not, let a grid learn.**
#
# Next: [11 · The page, then and now](11_then_and_now.ipynb), on how today's code differs from the tutorial's.
