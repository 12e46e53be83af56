# %% [markdown]
# # 04 · The spatial transformer: who chooses theta?
#
# At the end you have built the whole network of the tutorial's page, and you can put a spatial transformer before any
# layer of a network of your own, in three lines.
#
# **35 minutes · needs notebooks 02 and 03 · runs on CPU or GPU, offline**

# %%
import torch
import torch.nn.functional as F
from torch import nn

from stn_course import checks, data, device, models, plotting, training, transforms
from stn_course.models import check_start, find_head, to_theta
from stn_course.plotting import show
from stn_course.samplers import PADDING_MODES, warp
from stn_course.validation import check_choice, check_head, check_output_size
from stn_course.widgets import PilotLab, Quiz

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))

# %% [markdown]
# ## The question
#
# Here are eight digits, each turned by its own angle. One theta cannot straighten them all. Someone must look at each
# digit and choose its theta.

# %%
images, labels = data.load_digits("test")
generator = device.seed_everything(4)
turned, degrees = data.random_rotation(90)(images[:8], generator)
titles = [f"{d:+.0f}°" for d in degrees.tolist()]
show(
    plotting.image_grid(turned, titles, columns=8, title="every digit needs its own theta"),
    "eight digits, each turned by another angle between -90 and 90 degrees.",
)

# %% [markdown]
# ## Play: you are the localization network
#
# First a classifier that has only seen upright digits. It trains while you read this line:

# %% tags=["nbval-ignore-output"]
classifier = models.PlainNet()
history = training.fit(classifier, epochs=1)

# %%
classifier.to("cpu").eval()
print("knows upright digits, above 97 %:", history.accuracy > 0.97)

# %% [markdown]
# Now steer. Ten digits, one of each kind, each turned by another angle. Move `rotation` until the classifier is
# certain, and right; the dots of the frame do the fine tuning. Then press *Next digit*. Your score is the certainty of the right digit, summed over
# the ten. When you have done all ten, press *Show the network's theta*: a network that was trained for this beforehand
# (you met it in notebook 00) does the same ten digits beside you. Where does it beat you, and where do you beat it?

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
# A closer look at one digit, turned by 65°, and the theta that sets it upright:

# %%
seven = data.rotate(images[:1], 65)
theta = transforms.rotation(degrees=-65)
still = plotting.sampling_grid(
    seven[0],
    theta,
    padding_mode="border",
    title="lay the grid along the digit: the output is upright",
)
show(
    still,
    "the grid is turned 65 degrees anticlockwise, as the digit is; the output is an upright seven.",
)

# %% [markdown]
# The signs: a digit's angle counts anticlockwise, a grid's clockwise. So a digit at +65° wants a grid at -65°: on the screen
# both lean the same way.
#
# You looked, and chose. A **localization network** does the same: a small CNN that takes the image and gives six
# numbers. Nobody tells it the right angle. It only hears, through the gradient, whether the classifier did better.
#
# ## Build 1: six numbers that start at the identity
#
# A fresh `Linear` layer answers with random numbers near 0. As a theta they make a tiny grid: every output pixel reads
# almost the same place. Larger random numbers throw the grid outside the picture, where the gradient is zero (notebook
# 03). So the last layer starts with **zero weights** and the
# **identity as its bias**: at first it answers "change nothing", whatever it sees.

# %%
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)  # theta, row by row


def start_at_identity(head):
    check_head(head)  # a Linear layer with a bias and 6 outputs
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor(IDENTITY))
    return head


head = start_at_identity(nn.Linear(32, 6))
print("theta for any input:", head(torch.randn(1, 32))[0].tolist())

# %% [markdown]
# A **quiz**:

# %%
Quiz("identity_start")


# %% [markdown]
# ## Build 2: the module
#
# Localization network, grid generator, sampler: that is `forward`; `warp` does the last two in one call. The theta of the
# last call is kept for you to look at.
#
# Which layer of a localization network gives theta? `find_head` takes the last `Linear` with six outputs, unless you name
# the layer: `head=`. If that is the wrong one, another layer gives theta, and theta starts at random. So at the first call
# `check_start` looks: while the head answers the identity, theta must be the identity.


# %%
class SpatialTransformer(nn.Module):
    def __init__(
        self, localization, output_size=None, padding_mode="zeros", align_corners=False, head=None
    ):
        super().__init__()
        check_choice("padding_mode", padding_mode, PADDING_MODES)
        check_output_size(output_size)
        self.localization = localization
        self.head = (start_at_identity(find_head(localization, head)),)  # in a tuple: listed once
        self.output_size = output_size
        self.padding_mode, self.align_corners = padding_mode, align_corners
        self.theta = None

    def forward(self, input):
        theta = to_theta(self.localization(input), len(input))  # (B, 6) -> (B, 2, 3)
        check_start(self, theta)  # at the first call
        self.theta = theta.detach()
        return warp(
            input,
            theta,
            self.output_size,
            padding_mode=self.padding_mode,
            align_corners=self.align_corners,
        )


# %% [markdown]
# | part of the paper | here | shapes |
# | --- | --- | --- |
# | localization network | `self.localization` | (B, C, H, W) → (B, 6) → theta (B, 2, 3) |
# | grid generator | inside `warp`: `affine_grid` | theta → grid (B, H', W', 2) |
# | sampler | inside `warp`: `grid_sample` | input, grid → output (B, C, H', W') |
#
# A localization network for the digits, with the tutorial's sizes:

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
# The page puts this transformer before a small CNN. The package has both: `PlainNet` without it, `TutorialNet` with it.
# Count the parameters by part:

# %%
device.seed_everything(0)
net = models.TutorialNet(padding_mode="border")
plain = models.PlainNet()
print(f"classifier alone: {models.count_parameters(plain):>6}")
localization_part = models.count_parameters(net.localization) + models.count_parameters(net.fc_loc)
print(f"localization:     {localization_part:>6}")
print(f"together:         {models.count_parameters(net):>6}")

# %% [markdown]
# A **quiz**:

# %%
Quiz("who_has_parameters")

# %% [markdown]
# What flows through it, drawn from the tensors themselves. For the picture its head is moved off the identity a little,
# so that the grid is seen:

# %%
with torch.no_grad():
    net.fc_loc[-1].bias += torch.tensor([-0.2, -0.3, 0.1, 0.3, -0.2, 0.0])
figure = plotting.architecture(
    net, data.normalise(turned), "one branch chooses theta, the other decides on the digit"
)
start_at_identity(net.fc_loc[-1])
show(
    figure,
    "above, nine layers of the localization network end in six numbers; in the middle the input, theta, "
    "the sampling grid and the output; below, the classifier's layers end in ten numbers.",
)

# %%
for name, kind, shape in plotting.trace_layers(net, turned):
    print(f"{name:15} {kind:10} {shape}")

# %% [markdown]
# ## Trust
#
# **At the start nothing changes.** Theta is the identity exactly, and the output is the input up to rounding:

# %%
with torch.no_grad():
    difference = (net.stn(turned) - turned).abs().max().item()
print("theta is the identity:", bool((net.theta == transforms.identity(8)).all()))
print("output differs from input by less than 1e-5:", difference < 1e-5)


# %% [markdown]
# **Gradients arrive.** The first step has a surprise. Predict: which layers of the localization network get a gradient?


# %%
def gradient_norms():
    """The gradient's norm for each part of the localization network, one backward pass."""
    net.zero_grad()
    F.nll_loss(net(data.normalise(turned)), labels[:8]).backward()
    return {
        name: net.get_parameter(name).grad.norm().item()
        for name in ("localization.0.weight", "fc_loc.0.weight", "fc_loc.2.weight")
    }


net.eval()  # no dropout, so that the numbers are clear
for step in (1, 2):
    for name, norm in gradient_norms().items():
        print(f"step {step}, {name:22} has a gradient: {norm > 0}")
    with torch.no_grad():
        for parameter in net.parameters():
            parameter -= 0.01 * parameter.grad

# %% [markdown]
# In step 1 only the last layer learns: its weights are zero, and zero weights pass no gradient back. One step later they
# are not zero any more, and the whole localization network learns.
#
# **The tutorial's weights load.** The names and shapes are the page's, so a file saved by the page's program loads strictly.
# Here zeros stand in for the numbers of such a file:

# %%
page_shapes = {
    **{"conv1.weight": (10, 1, 5, 5), "conv1.bias": (10,)},
    **{"conv2.weight": (20, 10, 5, 5), "conv2.bias": (20,)},
    **{"fc1.weight": (50, 320), "fc1.bias": (50,), "fc2.weight": (10, 50), "fc2.bias": (10,)},
    **{"localization.0.weight": (8, 1, 7, 7), "localization.0.bias": (8,)},
    **{"localization.3.weight": (10, 8, 5, 5), "localization.3.bias": (10,)},
    **{"fc_loc.0.weight": (32, 90), "fc_loc.0.bias": (32,)},
    **{"fc_loc.2.weight": (6, 32), "fc_loc.2.bias": (6,)},
}
page_file = {name: torch.zeros(shape) for name, shape in page_shapes.items()}
print(models.TutorialNet().load_state_dict(page_file, strict=True))

# %% [markdown]
# ## Plug it in
#
# "Very little modification" is the promise. Here is a CNN of your own, then the same with a transformer before it.
# Three lines:

# %%
cnn = nn.Sequential(
    nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 13 * 13, 10)
)

localization = models.localization_cnn(in_channels=1)  # two convolutions, two layers: (B, 6)
transformer = SpatialTransformer(localization, padding_mode="border")
with_transformer = nn.Sequential(transformer, *cnn)

same = torch.allclose(with_transformer(turned), cnn(turned), atol=1e-4)
print("before any training it answers the same:", same)

# %% [markdown]
# Before a deeper layer it goes the same way; only the channels differ. And with a smaller `output_size` it is
# **attention**: choose a window, pass on fewer pixels.

# %%
deeper = nn.Sequential(
    *cnn[:2], SpatialTransformer(models.localization_cnn(in_channels=8)), *cnn[2:]
)
same = torch.allclose(deeper(turned), cnn(turned), atol=1e-4)
print("before the pooling, untrained, it answers the same:", same)

window = SpatialTransformer(models.localization_cnn(in_channels=1), output_size=(14, 14))
with torch.no_grad():
    window.localization[-1].bias.copy_(transforms.attention(0.5, 0.1, -0.1).flatten())
print("a window of a quarter of the area:", tuple(window(images[:8]).shape))
show(
    plotting.side_by_side(
        images[:8], window(images[:8]).detach(), title="attention passes on a window"
    ),
    "eight digits, and under each a window near its middle, 14 by 14 pixels; set by hand, the same for all.",
)


# %% [markdown]
# A word of care from the literature (Finnveden, Jansson, Lindeberg 2020): a warp of feature maps moves what the filters
# found, but does not change what they were looking for. To undo a rotation, warp the **input**.
#
# ## Break
#
# **1. A random start.** The same network without the identity start, twice: with PyTorch's own small random numbers, and with
# larger ones. What do the first outputs look like, and how much of the grid lies outside the picture?


# %%
def share_outside(theta):
    """The share of grid points that lie outside the input, for theta (B, 2, 3)."""
    grid = F.affine_grid(theta, (len(theta), 1, 28, 28), align_corners=False)
    return (grid.abs() > 1).any(dim=-1).float().mean().item()


# %%
device.seed_everything(1)
small_start, large_start = models.TutorialNet(), models.TutorialNet()
small_start.fc_loc[-1].reset_parameters()  # what a fresh Linear layer has
nn.init.normal_(large_start.fc_loc[-1].bias)
with torch.no_grad():
    small, large = (
        data.denormalise(net.stn(data.normalise(images[:8]))) for net in (small_start, large_start)
    )
size = small_start.theta[:, :, :2].abs().max().item()
print("small numbers: the grid is less than half as large as the picture:", size < 0.5)
outside = share_outside(large_start.theta)
print("large numbers: more than a fifth of the grid is outside:", outside > 0.2)

# %%
show(
    plotting.side_by_side(
        small, large, ("small", "large"), title="a random theta destroys the digits, both ways"
    ),
    "the outputs for eight digits. Above, from small random numbers, blurred patches; below, from large "
    "ones, squeezed and cut digits beside grey.",
)

# %% [markdown]
# **2. tanh on theta.** It looks safe: numbers between -1 and 1. But the identity needs a 1, and tanh never gets there:

# %%
start = torch.tanh(transforms.identity())[0]
print("theta at the start:", [round(v, 2) for v in start.flatten().tolist()])
show(
    plotting.side_by_side(
        images[:8], warp(images[:8], start[None]), title="with tanh the identity is a zoom by 0.76"
    ),
    "eight digits; the outputs under them are the same digits, enlarged by a third.",
)

# %% [markdown]
# A **quiz**:

# %%
Quiz("tanh_on_theta")


# %% [markdown]
# **3. The bypassed transformer.** This program trains. The loss falls. Find the mistake before you run it.


# %%
class Bypassed(models.TutorialNet):
    def forward(self, x):
        transformed = self.stn(x)
        return self.classify(x)


device.seed_everything(0)
bypassed = Bypassed().to(chosen)
train_images, train_labels = data.load_digits("train", chosen)
some = data.batches(data.normalise(train_images[:12800]), train_labels[:12800], 64)
losses = []
optimizer = torch.optim.AdamW(bypassed.parameters(), 0.003)
training.train_epoch(bypassed, some, optimizer, after_step=losses.append)
first, last = torch.stack(losses[:10]).mean(), torch.stack(losses[-10:]).mean()
print("the loss fell to less than half:", bool(last < first / 2))

# %% [markdown]
# `forward` computes the transformed digits and then classifies `x`. No error, no warning, a falling loss. Two looks that
# would have told you:

# %%
print("a gradient reached theta's layer:", bypassed.fc_loc[-1].bias.grad is not None)
moved = (bypassed.theta.cpu() != transforms.identity()).any()
print("theta moved away from the identity:", bool(moved))

# %% [markdown]
# ## Try
#
# Five exercises, each with a check that answers. Write in place of the dots, run the cell, read what comes. Nothing breaks
# if you are wrong: that is when the check has most to say. `checks.hint("plug_in")` gives a push, and another one each time;
# `checks.solution("plug_in")` shows the answer. Notebook 05 does not need your functions, so take those you like.
#
# **1. Predict.** A localization network ends with 50 features and then a head, `nn.Linear(50, 6)`. How many parameters has
# the head?

# %%
guess = ...  # a number
checks.head_parameters(guess)


# %% [markdown]
# **2. Write** the identity start from memory: whatever comes in, the head answers the identity, and it can still learn.


# %%
def my_start(head):
    # head: an nn.Linear with 6 outputs; change it in place
    ...


checks.start_at_identity(my_start)


# %% [markdown]
# **3. Write.** `cnn` takes pictures of 20×20 pixels, one channel. Put a transformer before it, so that the whole takes 28×28 and chooses
# where to look. Predict: what does the whole answer before any training?


# %%
def my_network(cnn):
    # the answer: an nn.Module, (B, 1, 28, 28) -> what cnn answers
    ...


checks.plug_in(my_network)


# %% [markdown]
# **4. Repair.** Somebody wanted to keep theta tame. Theta should be what the head says, and the head must be able to learn.
# Predict: what does this answer when the head says the identity?


# %%
def my_theta(head, features):
    return torch.tanh(head(features)).view(-1, 2, 3)


checks.bounded_theta(my_theta)


# %% [markdown]
# **5. Repair.** The bypassed transformer, once more: `net` is a `TutorialNet`. Mend it so that the classifier reads what the
# transformer gives, and theta learns.


# %%
def my_forward(net, x):
    transformed = net.stn(x)
    return net.classify(x)


checks.bypassed(my_forward)

# %% [markdown]
# <details><summary>Answers to what has no check</summary>
#
# 3. What `cnn` answers to the picture made smaller, to 20×20: the transformer starts as the identity.
#
# 4. A zoom: 0.76 in place of each 1.
# </details>

# %% [markdown]
# ## Keep
#
# - **A spatial transformer is three parts**: a network that chooses theta, a grid, a sampler. All three pass gradients.
# - **It starts at the identity**, with zero weights and the identity as bias; never squeeze theta through tanh.
# - **A falling loss proves nothing about the transformer.** Look at theta, and at the gradient that reaches it.
#
# Next: [05 · Training](05_training.ipynb). It runs. Does it help, and how would you know?
