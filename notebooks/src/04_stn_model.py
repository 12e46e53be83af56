# %% [markdown]
# # 04 · The spatial transformer: who chooses theta?
#
# By the end, you have built a spatial transformer and the whole network of PyTorch's tutorial. You can put a transformer
# before any convolution of a network of your own, in three lines, and you can tell whether it does anything.
#
# **40 minutes to read, 80 with the exercises · needs notebooks 02 and 03 · runs on CPU or GPU, offline**

# %%
import torch
import torch.nn.functional as F
from torch import nn

from stn_course import checks, data, device, models, plotting, training, transforms
from stn_course.models import check_reading, check_start, find_head, find_transformation, to_theta
from stn_course.plotting import rounded, show
from stn_course.samplers import warp
from stn_course.validation import check_head
from stn_course.widgets import PilotLab, Quiz

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))

# %% [markdown]
# Three questions from earlier notebooks, before you begin:
#
# 1. The grid turns clockwise. Which way does the digit turn?
# 2. How far does the gradient of one place in the grid reach?
# 3. The whole grid lies outside the picture, with zero padding. How large is the gradient of theta?
#
# <details><summary>Answers</summary>
#
# 1. Anticlockwise: theta maps output to input.
# 2. One pixel: it comes from the four neighbours of the place.
# 3. Exactly 0, so no training brings the grid back.
# </details>
#
# ## The question
#
# Here are eight digits, each turned by its own angle. No single theta can straighten them all. Someone has to look at
# each digit and choose its theta.

# %%
images, labels = data.load_digits("test")
generator = device.seed_everything(4)
turned, degrees = data.random_rotation(90)(images[:8], generator)
titles = [f"{d:+.0f}°" for d in degrees.tolist()]
show(
    plotting.image_grid(turned, titles, columns=8, title="every digit needs its own theta"),
    "eight digits, each turned by its own angle between -90 and 90 degrees.",
)

# %% [markdown]
# ## Play: you are the localization network
#
# First train a classifier on upright digits, for one epoch. It has never seen a turned one.

# %% tags=["tolerance=1"]
classifier = models.PlainNet()
history = training.fit(classifier, epochs=1, progress=False)
classifier.to("cpu").eval()
print(f"reads {100 * history.accuracy:.1f} % of the upright test digits")

# %% [markdown]
# Now steer. You get ten digits, one of each kind, each turned by its own angle. Move `rotation` until the classifier is
# certain, and right. Drag the dots of the frame for fine tuning, then press *Next digit*. Your score is the probability
# that the classifier gives to the right digit, summed over the ten.
#
# When you have done all ten, press *Show the network's theta*. Beside you, a network that was trained for this task (you met
# it in notebook 00) does the same ten digits. Where does it beat you, and where do you beat it?

# %%
ten = [(labels == digit).nonzero()[0].item() for digit in range(10)]
ten_turned, _ = data.random_rotation(90)(images[ten], torch.Generator().manual_seed(5))
pilot_lab = PilotLab(ten_turned, labels[ten], classifier, models.load_straightener())
pilot_lab

# %%
show(
    pilot_lab.figure(),
    "the first of ten turned digits with the frame over it, what the classifier sees, a bar for each of its "
    "ten probabilities; below, the ten digits with the certainty of the right answer, low for most of them.",
)

# %% [markdown]
# Take a closer look at one digit, turned by 65°, and at the theta that sets it upright:

# %%
seven = data.rotate(images[:1], 65)
theta = transforms.rotation(degrees=-65)
still = plotting.sampling_grid(
    seven[0],
    theta,
    padding_mode="border",
    title="lay the grid along the digit, and the output is upright",
)
show(
    still,
    "the grid is turned 65 degrees anticlockwise, as the digit is; the output is an upright seven.",
)


# %% [markdown]
# Mind the signs. The angle of a digit counts anticlockwise, the angle of a grid clockwise. So a digit at +65° needs a grid
# at -65°, and on the screen both lean the same way.
#
# You looked, and you chose. A **localization network** does the same: it is a small CNN that takes the image and answers
# with six numbers. Nobody tells it the right angle. All it gets is a gradient: which change of the six numbers would have
# helped the classifier.
#
# ## Build 1: six numbers that start at the identity
#
# A fresh `Linear` layer answers with random numbers near 0. As a theta, they make a tiny grid: every output pixel reads
# almost the same place. Larger random numbers move much of the grid out of the picture, where there is no gradient (notebook 03).
# So the last layer starts with **zero weights** and with the **identity as its bias**. At first it answers "change nothing",
# whatever it sees.
#
# The layer that answers with theta is called the **head**. (`check_head` turns a layer that cannot be a head into a readable
# error.) A head need not have six outputs. A transformer that may only scale and shift, as an eye does, gets by with three;
# the paper calls this **attention**. Here you need all six; notebook 06 works with the three. The package knows several such
# families; each says which answer is its identity.


# %%
def start_at_identity(head, transformation="affine"):
    identity = find_transformation(transformation).identity
    check_head(head, outputs=len(identity))
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(head.bias.new_tensor(identity))
    return head


for family in ("affine", "attention"):
    print(f"{family:9} identity:", find_transformation(family).identity)


head = start_at_identity(nn.Linear(32, 6))
print("theta for any input:", head(torch.randn(1, 32))[0].tolist())

# %% [markdown]
# A **quiz**:

# %%
Quiz("identity_start")


# %% [markdown]
# ## Build 2: the module
#
# `forward` has three steps: localization network, grid generator, sampler. `warp` does the last two in one call. The module
# keeps the theta of the last call, so that you can look at it. Some helpers keep mistakes away from you:
#
# - `find_transformation` finds a family by its name. Its `grid` is the grid generator: for "affine" it is your `affine_grid`.
# - `check_reading` turns bad arguments into readable errors.
# - `find_head` finds the layer that answers with theta: the one that ends a `Sequential`, or else the last `Linear` with as many outputs as
#   the transformation takes, unless you name another one with `head=`.
# - `to_theta` turns the answer, (B, 6) or for attention (B, 3), into theta (B, 2, 3), in float32 at least. In mixed precision, layers compute in
#   bfloat16, where the next number after 1 is 1.0078: in a picture of 224 pixels, that moves the border by almost a pixel.
# - `check_start` looks at the first theta only. While the head holds the identity, theta must be the identity. If it is not,
#   another layer answers with theta, which would start at random, and you get an error.


# %%
class SpatialTransformer(nn.Module):
    def __init__(
        self,
        localization,
        output_size=None,
        padding_mode="zeros",
        align_corners=False,
        head=None,
        transformation="affine",
        antialias=False,
    ):
        super().__init__()
        self.transformation = find_transformation(transformation)
        check_reading(self.transformation, output_size, padding_mode, align_corners, antialias)
        self.localization, self.output_size = localization, output_size
        head = find_head(localization, head, transformation)
        self.head = (start_at_identity(head, transformation),)  # in a tuple: listed once
        self.padding_mode, self.align_corners = padding_mode, align_corners
        self.antialias, self.theta = antialias, None

    def forward(self, input):
        theta = to_theta(self.localization(input), len(input), self.transformation)  # (B, 2, 3)
        check_start(self, theta)  # at the first call
        self.theta = theta.detach()
        return warp(
            input,
            theta,
            self.output_size,
            padding_mode=self.padding_mode,
            align_corners=self.align_corners,
            antialias=self.antialias,
            grid=self.transformation.grid,
        )


# %% [markdown]
# | part of the paper | here | shapes |
# | --- | --- | --- |
# | localization network | `self.localization` | (B, C, H, W) → (B, 6) → theta (B, 2, 3) |
# | grid generator | inside `warp`: `affine_grid` | theta → grid (B, H', W', 2) |
# | sampler | inside `warp`: `grid_sample` | input, grid → output (B, C, H', W') |
#
# Here is a localization network for the digits, with the tutorial's sizes:

# %%
localization = nn.Sequential(
    nn.Conv2d(1, 8, kernel_size=7),  # (B, 8, 22, 22)
    nn.MaxPool2d(2),  # (B, 8, 11, 11)
    nn.ReLU(),
    nn.Conv2d(8, 10, kernel_size=5),  # (B, 10, 7, 7)
    nn.MaxPool2d(2),  # (B, 10, 3, 3)
    nn.ReLU(),
    nn.Flatten(),  # (B, 90)
    nn.Linear(90, 32),
    nn.ReLU(),
    nn.Linear(32, 6),
)
transformer = SpatialTransformer(localization, padding_mode="border")
output = transformer(turned)
print("output:", tuple(output.shape), " theta:", tuple(transformer.theta.shape))
print("parameters:", models.count_parameters(transformer))


# %% [markdown]
# ## Build 3: the tutorial's network
#
# The tutorial puts this transformer before a small CNN. The package holds both networks: `PlainNet` without the transformer,
# `TutorialNet` with it. `TutorialNet` keeps the tutorial's names, so its localization network stands in two parts:
# `localization` (convolutions) and `fc_loc` (two layers, the second is the head).
#
# Two methods do all the work. Here they are as functions, so `self` is the network. The first one transforms:


# %%
def stn(self, x):
    theta = to_theta(self.fc_loc(self.localization(x).flatten(1)), len(x))
    self.theta = theta.detach()
    return warp(x, theta, padding_mode=self.padding_mode, align_corners=self.align_corners)


# %% [markdown]
# The second one classifies: two convolutions, each with pooling and ReLU, then two layers. It ends in `log_softmax`, so the
# network answers with **log-probabilities**, which is what the loss `F.nll_loss` takes.


# %%
def classify(self, x):
    x = F.relu(self.pool(self.conv1(x)))  # (B, 10, 12, 12)
    x = F.relu(self.pool(self.conv2_drop(self.conv2(x))))  # (B, 20, 4, 4)
    x = self.fc1_drop(F.relu(self.fc1(x.flatten(1))))  # (B, hidden)
    return F.log_softmax(self.fc2(x), dim=1)  # (B, 10)


# %% [markdown]
# First `stn`, then `classify`: that is the whole network. Compare your two functions with the package's own `forward`:

# %% tags=["tolerance=1e-5"]
device.seed_everything(0)
net = models.TutorialNet(padding_mode="border").eval()  # eval: no dropout, so both do the same
with torch.no_grad():
    scores = classify(net, stn(net, data.normalise(turned)))
    difference = (scores - net(data.normalise(turned))).abs().max().item()
print("scores:", tuple(scores.shape))
print(f"sum of the probabilities of the first digit: {scores[0].exp().sum().item():.5f}")
print(f"largest difference from the package's network: {difference:.0e}")

# %% [markdown]
# How many parameters does each part have?

# %%
plain = models.count_parameters(models.PlainNet())
localization_part = models.count_parameters(net.localization) + models.count_parameters(net.fc_loc)
print(f"classifier alone: {plain:>6}")
print(f"localization:     {localization_part:>6}")
print(f"together:         {models.count_parameters(net):>6}")

# %% [markdown]
# A **quiz**:

# %%
Quiz("who_has_parameters")

# %% [markdown]
# The next figure is drawn from the tensors that flow through the network. For this figure only, the head is moved a little
# away from the identity, so that you can see the grid. A box is a *module*. The three ReLUs and the `log_softmax` of
# `classify` are functions, so they have no box here and no line in the list below.

# %%
with torch.no_grad():
    net.fc_loc[-1].bias += torch.tensor([-0.2, -0.3, 0.1, 0.3, -0.2, 0.0])
figure = plotting.architecture(
    net, data.normalise(turned), "one branch chooses theta, the other decides on the digit"
)
start_at_identity(net.fc_loc[-1])
show(
    figure,
    "above, the nine layers of the localization network, which end in six numbers; in the middle the "
    "input, theta, the sampling grid and the output; below, the classifier's layers, which end in ten.",
)

# %%
for name, kind, shape in plotting.trace_layers(net, turned):
    print(f"{name:15} {kind:10} {shape}")

# %% [markdown]
# ## Trust
#
# **At the start nothing changes.** Theta is exactly the identity, and the output is the input up to rounding:

# %% tags=["tolerance=1e-5"]
with torch.no_grad():
    output = net.stn(turned)
from_identity = (net.theta - transforms.identity(8)).abs().max().item()
from_input = (output - turned).abs().max().item()
print(f"theta differs from the identity by at most {from_identity:.0e}")
print(f"the output differs from the input by at most {from_input:.0e}")


# %% [markdown]
# **Gradients arrive.** The first step holds a surprise. **Predict:** which layers of the localization network get a gradient
# in step 1? And in step 2?


# %% tags=["hide-output", "tolerance=20%"]
def gradient_norms():
    """The gradient's norm for three layers of the localization network, after one backward pass."""
    net.zero_grad()
    F.nll_loss(net(data.normalise(turned)), labels[:8]).backward()
    names = ("localization.0.weight", "fc_loc.0.weight", "fc_loc.2.weight")
    return {name: net.get_parameter(name).grad.norm().item() for name in names}


print("norm of the gradient, first layer to last:")
for step in (1, 2):
    for name, norm in gradient_norms().items():
        print(f"step {step}, {name:22} {norm:.2g}")
    with torch.no_grad():
        for parameter in net.parameters():
            parameter -= 0.01 * parameter.grad

# %% [markdown]
# <details><summary>Why</summary>
#
# In step 1 only the last layer learns: its weights are zero, and zero weights pass no gradient back. One step later they
# are no longer zero, and the whole localization network learns.
# </details>
#
# **The tutorial's weights load.** The names and shapes are the tutorial's, so a file saved by its program loads without a
# change. Here are the names and shapes in such a file, with zeros as the weights:

# %%
page_shapes = {
    "conv1.weight": (10, 1, 5, 5),
    "conv1.bias": (10,),
    "conv2.weight": (20, 10, 5, 5),
    "conv2.bias": (20,),
    "fc1.weight": (50, 320),
    "fc1.bias": (50,),
    "fc2.weight": (10, 50),
    "fc2.bias": (10,),
    "localization.0.weight": (8, 1, 7, 7),
    "localization.0.bias": (8,),
    "localization.3.weight": (10, 8, 5, 5),
    "localization.3.bias": (10,),
    "fc_loc.0.weight": (32, 90),
    "fc_loc.0.bias": (32,),
    "fc_loc.2.weight": (6, 32),
    "fc_loc.2.bias": (6,),
}
page_file = {name: torch.zeros(shape) for name, shape in page_shapes.items()}
print(models.TutorialNet().load_state_dict(page_file, strict=True))

# %% [markdown]
# ## Plug it in
#
# PyTorch's tutorial promises that a transformer goes into an existing CNN with "very little modification". Here is a CNN of your
# own, and then the same CNN with a transformer before it. It takes three lines. (`localization_cnn` makes a small
# localization network for inputs of any size: two convolutions, then two layers.)

# %% tags=["tolerance=1e-4"]
cnn = nn.Sequential(
    nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 13 * 13, 10)
)

localization = models.localization_cnn(in_channels=1)
transformer = SpatialTransformer(localization, padding_mode="border")
with_transformer = nn.Sequential(transformer, *cnn)

difference = (with_transformer(turned) - cnn(turned)).abs().max().item()
print(f"before any training, the answers differ by at most {difference:.0e}")

# %% [markdown]
# It goes before a deeper layer in the same way. Only the number of channels differs:

# %% tags=["tolerance=1e-4"]
deeper = nn.Sequential(
    *cnn[:2], SpatialTransformer(models.localization_cnn(in_channels=8)), *cnn[2:]
)
difference = (deeper(turned) - cnn(turned)).abs().max().item()
print(f"before the pooling, untrained, the answers differ by at most {difference:.0e}")

# %% [markdown]
# A word of care from the literature (Finnveden, Jansson, Lindeberg 2020): warping feature maps moves what the filters found,
# but it does not change what they looked for. To undo a rotation, warp the **input**.
#
# With a smaller `output_size`, a transformer crops: it chooses a window and passes on fewer pixels. Here the
# window is set by hand, the same for all eight digits:

# %%
window = SpatialTransformer(models.localization_cnn(in_channels=1), output_size=(14, 14))
with torch.no_grad():
    window.localization[-1].bias.copy_(transforms.attention(0.5, 0.1, -0.1).flatten())
    seen = window(images[:8])
print("a window of a quarter of the area:", tuple(seen.shape))
show(
    plotting.side_by_side(images[:8], seen, title="attention passes on a window"),
    "eight digits, and under each a window near its middle, 14 by 14 pixels.",
)

# %% [markdown]
# ## What it is good for: new skills for an old classifier
#
# Take the classifier that you trained at the top. It knows upright digits only. Now turn all 10,000 test digits, each by its
# own angle of up to 90°. How many can it still read? Then put a trained transformer before it, without changing a single
# weight of the classifier. (The transformer comes from the network that steered beside you. The two have never met.)
#
# **Predict:** what percentage of the digits does the classifier read alone? And with the transformer before it?

# %% tags=["hide-output", "tolerance=5"]
straightener = models.load_straightener()
all_turned, _ = data.random_rotation(90)(images, torch.Generator().manual_seed(1))
print("turned digits that are read:")
with torch.no_grad():
    as_they_are = data.normalise(all_turned)
    for name, digits in (("alone", as_they_are), ("with it", straightener.stn(as_they_are))):
        right = classifier(digits).argmax(dim=1) == labels
        print(f"classifier {name:7} {100 * right.float().mean().item():.1f} %")

# %% [markdown]
# Here are the eight digits from the top again, and what the classifier says. Not each of them is turned upright: the transformer learned to
# make digits readable, and it may also enlarge one until it is.

# %% tags=["tolerance=1"]
with torch.no_grad():
    eight = data.normalise(turned)
    pair = torch.cat([eight, straightener.stn(eight)])
    answers = classifier(pair).argmax(dim=1).cpu()
truth = labels[:8].cpu().repeat(2)
right = (answers == truth).view(2, 8).sum(dim=1).tolist()
print(f"right: {right[0]} of these 8 alone, {right[1]} with the transformer before it")
show(
    plotting.image_grid(
        data.denormalise(pair),
        [f"{true} read as {answer}" for true, answer in zip(truth, answers, strict=True)],
        columns=8,
        title="above: the classifier alone; below: a transformer straightens first",
    ),
    "the eight turned digits, and below them what the transformer makes of them; over each, its "
    "label and the digit that the classifier reads.",
)

# %% [markdown]
# ## Two transformers on one picture
#
# A picture may hold more than one thing to look at. Then put several transformers side by side, all with the same input:
# the paper calls them **parallel**. Each one chooses its own window. Here is a picture of a seven and a four.

# %%
wide = torch.cat([images[:1], images[4:5]], dim=-1)  # (1, 1, 28, 56)
show(
    plotting.image_grid(wide, columns=1, title="one picture, two digits"),
    "a seven on the left and a four on the right, in one picture of 28 rows and 56 columns.",
)


# %% [markdown]
# Each transformer gets a window of half the width, which starts at a given x. A reader that is already trained looks at both
# windows. Nobody says which window should show which digit. The loss asks for both digits, in either order: it is
# the same if you swap the two windows.


# %%
def half_window(x):
    """A transformer for half the width, which starts at x; apart from x, always the same."""
    device.seed_everything(0)
    localization = models.localization_cnn(in_channels=1)
    transformer = SpatialTransformer(localization, (28, 28), padding_mode="border")
    with torch.no_grad():
        localization[-1].bias.copy_(torch.tensor([0.5, 0.0, x, 0.0, 1.0, 0.0]))
    return transformer


# %%
def read(window):
    """The ten probabilities of what a window shows of the wide picture, (10,)."""
    return straightener.classify(data.normalise(window(wide))).exp()[0]


def train_both(first, second, steps=100):
    optimizer = torch.optim.Adam([*first.parameters(), *second.parameters()], lr=0.001)
    for _ in range(steps):
        mean = (read(first) + read(second)) / 2
        optimizer.zero_grad()
        (-mean[7].log() - mean[4].log()).backward()
        optimizer.step()


# %% [markdown]
# **Predict:** both windows start in the middle. What does each one show after 100 steps?

# %% tags=["hide-output", "tolerance=0.01"]
twins = half_window(0.0), half_window(0.0)
train_both(*twins)
parameters = zip(twins[0].parameters(), twins[1].parameters(), strict=True)
gradients = max((a.grad - b.grad).abs().max().item() for a, b in parameters)
print("how far apart the twins are after training:")
print("gradients differ by", gradients)
print("thetas differ by", (twins[0].theta - twins[1].theta).abs().max().item())

# %% [markdown]
# <details><summary>Why</summary>
#
# They are twins: the same weights and the same start give the same theta, the same gradient, and so the same theta for ever.
# </details>
#
# Now let one start a tenth of the width to the left of the middle, and the other as far to the right. How certain is the reader
# that one of the two windows shows a 7 and the other a 4?

# %% tags=["tolerance=15"]
apart = half_window(-0.2), half_window(0.2)
train_both(*apart)
for name, both in (("same start", twins), ("different starts", apart)):
    with torch.no_grad():
        first, second = map(read, both)
    named = max(first[7] * second[4], first[4] * second[7]).item()
    print(f"{name:16} one window shows the seven, the other the four: {100 * named:.0f} % certain")

# %% [markdown]
# Twins can never get beyond 25 %. Where both show a 7 with probability p, both show a 4 with 1 - p at most, and p (1 - p) is
# a quarter at most. With different starts the tie is broken: one window
# closes in on the seven; the other is read as a four, although it still shows a part of the seven.

# %%
with torch.no_grad():
    windows = torch.cat([window(wide) for window in (*twins, *apart)])
show(
    plotting.image_grid(
        windows,
        ["twin", "twin", "starts left", "starts right"],
        columns=4,
        title="twins see the same; different starts part company",
    ),
    "four windows. The two of the twins are the same. Of the two with different starts, one has moved to "
    "the seven, and the other has moved towards the four.",
)


# %% [markdown]
# ## Break
#
# **1. A random start.** Take the same network without the identity start, twice: once with PyTorch's own small random
# numbers, once with larger ones. How much of the picture does the grid cover, and how much of the grid lies outside?


# %%
def share_outside(theta):
    """The share of grid points that lie outside the input, for theta (B, 2, 3)."""
    grid = F.affine_grid(theta, (len(theta), 1, 28, 28), align_corners=False)
    return (grid.abs() > 1).any(dim=-1).float().mean().item()


# %% tags=["tolerance=2"]
device.seed_everything(1)
small_start, large_start = models.TutorialNet(), models.TutorialNet()
small_start.fc_loc[-1].reset_parameters()  # what a fresh Linear layer has
nn.init.normal_(large_start.fc_loc[-1].bias)
with torch.no_grad():
    small, large = (
        data.denormalise(net.stn(data.normalise(images[:8]))) for net in (small_start, large_start)
    )
for name, start in (("small", small_start), ("large", large_start)):
    area = start.theta[:, :, :2].det().abs().mean().item()  # 1 at the identity
    outside = share_outside(start.theta)
    print(f"{name} numbers: the grid has {100 * area:.0f} % of the picture's area,", end=" ")
    print(f"{100 * outside:.0f} % of its points lie outside")

# %%
show(
    plotting.side_by_side(
        small, large, ("small", "large"), title="a random theta destroys the digits, both ways"
    ),
    "the outputs for eight digits. Above, from small random numbers, blurred patches; below, from large "
    "ones, squeezed and cut digits beside grey.",
)

# %% [markdown]
# **2. tanh on theta.** It looks safe: all numbers stay between -1 and 1. But the identity needs a 1, and tanh never reaches it:

# %%
start = torch.tanh(transforms.identity())
print("theta at the start:", rounded(start.flatten()))
show(
    plotting.side_by_side(
        images[:8],
        warp(images[:8], start),
        title="with tanh, the identity enlarges the digits 1.3 times",
    ),
    "eight digits; the outputs under them are the same digits, enlarged by a third.",
)

# %% [markdown]
# A **quiz**:

# %%
Quiz("tanh_on_theta")


# %% [markdown]
# **3. The bypassed transformer.** This program runs without an error. Find the mistake. **Predict:** does its loss fall?


# %%
class Bypassed(models.TutorialNet):
    def forward(self, x):
        transformed = self.stn(x)
        return self.classify(x)


# %% tags=["hide-output", "tolerance=0.3"]
def losses_of(net, count=6400):
    """The loss at the start and at the end of an epoch of `count` digits, mean of 10 steps each."""
    train_images, train_labels = data.load_digits("train", chosen)
    some = data.batches(data.normalise(train_images[:count]), train_labels[:count], 64)
    optimizer = torch.optim.AdamW(net.to(chosen).parameters(), lr=0.001)
    losses = []
    training.train_epoch(net, some, optimizer, after_step=losses.append)
    return torch.stack(losses[:10]).mean().item(), torch.stack(losses[-10:]).mean().item()


print("the loss of both networks:")
nets = {}
for name, kind in (("bypassed", Bypassed), ("correct", models.TutorialNet)):
    device.seed_everything(0)
    nets[name] = kind(padding_mode="border")
    print("{:9} from {:.1f} to {:.1f}".format(name, *losses_of(nets[name])))

# %% [markdown]
# `forward` computes the transformed digits and then classifies `x`. There is no error and no warning. Two other numbers tell you:
# how many of the six numbers of the head's bias does a gradient reach, and how far has theta moved away from the identity?

# %% tags=["tolerance=0.2"]
for name, net in nets.items():
    gradient = net.fc_loc[-1].bias.grad
    reached = 0 if gradient is None else (gradient != 0).sum().item()
    moved = (net.theta.cpu() - transforms.identity()).abs().max().item()
    print(f"{name:9} a gradient reaches {reached} of 6, theta has moved by at most {moved:.2f}")

# %% [markdown]
# ## Try
#
# Seven exercises, each with a check. Replace the dots, run the cell, and read the answer. A wrong answer breaks nothing: that
# is when the check has most to say. `checks.hint("plug_in")` gives a hint, and a further one each time;
# `checks.solution("plug_in")` shows the solution. Notebook 05 does not need your functions, so choose freely.
#
# **1. Predict.** A localization network ends with 50 features and then a head, `nn.Linear(50, 6)`. How many parameters does
# the head have?

# %%
guess = ...  # a number
checks.head_parameters(guess)


# %% [markdown]
# **2. Write** the identity start from memory. Whatever comes in, the head answers with the identity, and it can still learn.


# %%
def my_start(head):
    # head: an nn.Linear with 6 outputs; change it in place
    ...


checks.start_at_identity(my_start)


# %% [markdown]
# **3. Write.** `cnn` takes pictures of 20×20 pixels with one channel. Put a transformer before it, so that the whole network
# takes 28×28 pixels and chooses where to look. Predict: what does it answer before any training?


# %%
def my_network(cnn):
    # the answer: an nn.Module, (B, 1, 28, 28) -> what cnn answers
    ...


checks.plug_in(my_network)


# %% [markdown]
# **4. Repair.** Somebody tried to keep theta small. Theta should be what the head says, and the head must be able to learn.
# Predict: what does this function answer when the head says the identity?


# %%
def my_theta(head, features):
    return torch.tanh(head(features)).view(-1, 2, 3)


checks.bounded_theta(my_theta)


# %% [markdown]
# **5. Repair.** Here is the bypassed transformer once more; `net` is a `TutorialNet`. Repair it, so that the classifier reads
# the transformer's output and theta learns.


# %%
def my_forward(net, x):
    transformed = net.stn(x)
    return net.classify(x)


checks.bypassed(my_forward)


# %% [markdown]
# The last two are harder, and no cell above answers them.
#
# **6. Write.** A transformer need not start at the identity. You know roughly where the thing of interest lies: in a box of
# `width` × `height` pixels, whose first column is `left` and whose first row is `top`. Make a transformer that at the start
# gives exactly this box, pixel by pixel, and that can learn to look elsewhere, for each image by itself. Prove it to
# yourself first: compare its output with `images[..., top : top + height, left : left + width]`.


# %%
def my_start_at_crop(left, top, width, height, size):
    # size: (H, W) of the images (B, 1, H, W); the answer: an nn.Module, (B, 1, height, width)
    ...


checks.start_at_crop(my_start_at_crop)


# %% [markdown]
# **7. Write** a head for attention. It may scale and shift, but neither turn nor shear: three numbers, made from the features,
# give theta, with one scale for both axes. It starts at the identity. Predict: how many parameters does it have, for 50
# features? (`SpatialTransformer(…, transformation="attention")` does this inside. Here you build it, for use with `warp`.)


# %%
def my_attention_head(features):
    # features: how many; the answer: an nn.Module, (B, features) -> theta (B, 2, 3)
    ...


checks.attention_head(my_attention_head)

# %% [markdown]
# <details><summary>Answers to what has no check</summary>
#
# **3.** What `cnn` answers to the picture shrunk to 20×20 pixels: the transformer starts at the identity.
#
# **4.** An enlargement: 0.76 in place of each 1.
#
# **7.** 153: 50 · 3 weights and 3 biases, half as many as a head with six outputs.
# </details>

# %% [markdown]
# ## Keep
#
# - **A spatial transformer has three parts**: a network that chooses theta, a grid, a sampler. All three pass gradients.
# - **It starts at the identity**: zero weights, and the identity as the bias. Do not squeeze theta through tanh, and give two
#   transformers on one input different starts.
# - **A falling loss proves nothing about the transformer.** Look at theta, and at the gradient that reaches it.
#
# Next: [05 · Training](05_training.ipynb). The network runs. Does it help, and how would you know?
