# %% [markdown]
# # 05 · Training: does it help, and how would you know?
#
# At the end you have trained the tutorial's network past the accuracy of its page, in seconds; and you can show, with
# numbers and pictures, when a spatial transformer helps and when it only looks as if it did.
#
# **40 minutes, about 3 of them computing on two cores · needs notebooks 01 to 04 · runs on CPU or GPU, offline**

# %%
import tempfile
import warnings
from dataclasses import fields, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from IPython.display import Markdown
from PIL import Image

from stn_course import (
    alignment,
    checks,
    comparison,
    data,
    device,
    models,
    plotting,
    training,
    transforms,
)
from stn_course.plotting import show
from stn_course.samplers import warp
from stn_course.validation import check_images
from stn_course.widgets import Monitor, Quiz, ReplayLab

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))


# %% [markdown]
# ## The question
#
# The tutorial's page trains for 20 epochs, 8.5 minutes, and prints 98.67 %. A good number. But what does it say about the
# spatial transformer? Keep the question; first reproduce the number.
#
# ## Build: the loop
#
# Training is a dozen lines. For each batch: predict, compare, ask for the gradient, take a step.


# %%
def train_epoch(model, digits, optimizer, scheduler=None, after_step=None):
    model.train()
    for images, labels in digits:
        loss = F.nll_loss(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        if after_step is not None:
            after_step(loss.detach())


# %% [markdown]
# Measuring is as short. No gradient, no dropout, and no loop in Python over single images:


# %%
@torch.no_grad()
def evaluate(model, images, labels, batch_size=1000):
    check_images(images, "images")
    was_training = model.training
    model.eval()
    right = 0
    for some, truth in data.batches(images, labels, batch_size):
        right += (model(some).argmax(dim=1) == truth).sum()
    model.train(was_training)
    return int(right) / len(labels)


# %% [markdown]
# One pass over 6400 digits with your own loop, plain SGD as on the page. Watch the loss:

# %%
images, labels = data.load_digits("train", chosen)
test_images, test_labels = data.load_digits("test", chosen)
generator = device.seed_everything(0)
net = models.TutorialNet(padding_mode="border").to(chosen)
losses = []
some = data.batches(data.normalise(images[:6400]), labels[:6400], 64, generator)
train_epoch(net, some, torch.optim.SGD(net.parameters(), lr=0.01), after_step=losses.append)
print("steps:", len(losses))
print("the loss fell:", bool(torch.stack(losses[-10:]).mean() < torch.stack(losses[:10]).mean()))

# %% [markdown]
# `fit` is this loop with a **recipe** around it. The page's recipe and the course's:

# %%
page_recipe, course = training.RECIPES["tutorial"], training.RECIPES["course"]
for field in fields(course)[1:]:
    then, now = getattr(page_recipe, field.name), getattr(course, field.name)
    print(f"{field.name:20} page {then!s:6} course {now}")

# %% [markdown]
# What differs, and why:
# - **AdamW with one cycle** (the learning rate rises, then falls to zero) learns faster and ends calmly.
# - The **localization network learns at a tenth** of the rate, since a small change of theta moves every pixel.
# - **Dropout** is off, of whole maps and of single values: two epochs are too few to overfit.
# - **Larger batches** need fewer steps for the same digits, and take a higher rate. Another memory layout (`channels_last`)
#   only saves time.
#
# And the transformer pads with `border`, as notebook 03 taught. So it is the page's network with another training. Can it
# pass the page's number? Watch it live: run the two cells, and look at the monitor under the first while the second one
# trains. (Its buttons pause the run, and stop it. What has been learned by then stays yours.)

# %%
monitor = Monitor()
monitor

# %% tags=["nbval-ignore-output"]
device.seed_everything(0)
net = models.TutorialNet(padding_mode="border")
upright = training.fit(net, seed=0, watch=monitor, progress=False)
print(f"{upright.seconds[-1]:.0f} s, test accuracy {100 * upright.accuracy:.2f} %")

# %%
assert upright.accuracy >= 0.9867, upright.accuracy
print("at least the page's 98.67 %:", upright.accuracy >= 0.9867)

# %%
show(
    plotting.history({"course recipe": upright}, "past the page's accuracy in two epochs"),
    "left, the training loss falls over some 500 steps; right, the test accuracy after each of two epochs, "
    "about 98.5 and 99.2 %.",
)

# %% [markdown]
# ## Look: did the transformer do anything?

# %%
net.eval()
few = data.normalise(test_images[:10])
with torch.no_grad():
    after = data.denormalise(net.stn(few))
show(
    plotting.side_by_side(
        test_images[:10], after, title="upright digits: slanted ones become a little straighter"
    ),
    "ten digits, and under them the transformer's outputs, almost the same; the slanted ones lean a little less.",
)


# %%
@torch.no_grad()
def grid_angles(model, images):
    """By how many degrees the model turns its grid for each image (B, 1, 28, 28) from 0 to 1."""
    model.eval()
    model.stn(data.normalise(images))
    return transforms.to_pose(model.theta).rotation


spread = grid_angles(net, test_images).std().item()
print("spread of the rotation, below 8 degrees:", spread < 8)

# %% [markdown]
# The grids turn by a few degrees, no more. Theta can do more than turn, though. So measure what comes out: the **pose of a
# picture**, read off its own bright pixels. Where is their centroid, how far do they spread, and along which axis? If all
# digits lie alike, those numbers have no spread.

# %%
with torch.no_grad():
    straight = data.denormalise(net.stn(data.normalise(test_images).to(chosen))).clamp(0, 1)
before_it, after_it = alignment.pose_spread(test_images), alignment.pose_spread(straight)
print("the axes of the digits spread less after the transformer:", after_it.angle < before_it.angle)

# %% tags=["nbval-ignore-output"]
for name in before_it._fields:
    print(f"{name:9} before {getattr(before_it, name):6.2f}   after {getattr(after_it, name):6.2f}")

# %% [markdown]
# So it does something: digits lean, as handwriting does, and the transformer takes some of that out. No accuracy would have
# told you. Does it help? Hardly, as you will see: a plain CNN reads leaning digits as well. **An accuracy on upright digits cannot show whether
# the transformer works.** You need to look, and to measure.
#
# A **quiz**:

# %%
Quiz("upright_accuracy")

# %% [markdown]
# ## Rotated digits
#
# So give it work: every digit turned by its own angle between -90° and 90°. The same classifier with and without a
# transformer, the same six epochs, the same seed, and a recipe for this: `rotated`, with the page's dropout before the
# last layer. (It holds the classifier back, so that the transformer has something to do. What happens without it comes below.)
# **Predict:** who wins, and by how much? (On 10,000 digits
# an error of 2.5 % is uncertain by 0.16 points, one standard error. A gap must be a good deal wider.)

# %% tags=["nbval-ignore-output"]
rotation = data.random_rotation(90)
turned, degrees = rotation(test_images, torch.Generator().manual_seed(1))
runs = {}
for name, make in {
    "plain CNN": models.PlainNet,
    "with transformer": lambda: models.TutorialNet(padding_mode="border"),
}.items():
    device.seed_everything(0)
    model = make()
    runs[name] = (
        model,
        training.fit(model, "rotated", test=(turned, test_labels), distort=rotation, seed=0),
    )
    error = 100 * (1 - runs[name][1].accuracy)
    print(f"{name}: {runs[name][1].seconds[-1]:.0f} s, error {error:.2f} %")

# %%
plain_error, stn_error = (1 - run.accuracy for _, run in runs.values())
assert stn_error < plain_error, (stn_error, plain_error)
print("the transformer's error is lower:", stn_error < plain_error)
show(
    plotting.history({name: run for name, (_, run) in runs.items()}, "turned digits: now it helps"),
    "left, both losses fall; right, the accuracy with transformer is above the plain CNN's at the end.",
)

# %% [markdown]
# ## How do you know *why*?
#
# Lower error could come from anywhere: the transformer brings 5,520 more parameters. So look at what it does.

# %%
straightening = runs["with transformer"][0]
with torch.no_grad():
    after = data.denormalise(straightening.stn(data.normalise(turned[:10])))
show(
    plotting.side_by_side(
        turned[:10], after, title="turned digits: some outputs lean less, others hardly"
    ),
    "ten turned digits, and under them the outputs. The first, the sixth and the eighth lean less; others are hardly "
    "turned, and the ninth is turned further away.",
)

# %% [markdown]
# You know by how much each digit was turned. Theta says by how much the grid turns. If the transformer undoes the turn,
# the two are opposite:

# %%
angles_out = grid_angles(straightening, turned).cpu()
undone = alignment.undoing(degrees, angles_out)
before = degrees.std().item()
assert undone.correlation < -0.1 and undone.left_over < before
print("correlation is clearly negative:", undone.correlation < -0.1)
print("less of the turn is left over:", undone.left_over < before)

# %%
show(
    plotting.angle_scatter(
        degrees[:2000],
        angles_out[:2000],
        f"it turns back, in part\ncorrelation {undone.correlation:.2f}, "
        f"spread {before:.0f}° → {undone.left_over:.0f}°",
    ),
    "a cloud of points that falls on the left, for digits turned clockwise, much flatter than the dashed line of a "
    "full undoing; on the right, for digits turned anticlockwise, it is nearly level.",
)

# %% [markdown]
# It turns back, but only a part of the way, and digits that were turned one way more than the others. How did it come to that? `fit` has recorded theta for twelve of the digits, about ten
# times in each epoch. Drag the slider through the training, or press the play button (again to pause). When do the frames
# begin to turn, and when do they come to rest?

# %%
replay_lab = ReplayLab(runs["with transformer"][1])
replay_lab

# %%
at_the_end = ReplayLab(runs["with transformer"][1], index=-1)
show(
    at_the_end.figure(),
    "twelve digits, turned, with the frame that theta lays over each at the end of the training; under them the "
    "outputs, some of them turned back; below, the loss on these digits, which falls fast and then wavers.",
)


# %% [markdown]
# One more look: does the network *use* that part? Take the trained network, and give every digit the same theta, the mean of
# all. If the error stays, the transformer tells the classifier nothing about the single digit:


# %%
@torch.no_grad()
def error_with_one_theta(model):
    """The error on the turned digits when all of them are read through the model's mean theta."""
    model.eval()
    shown = data.normalise(turned).to(chosen)
    model.stn(shown)
    alike = warp(shown, model.theta.mean(dim=0, keepdim=True), padding_mode="border")
    answers = model.classify(alike).argmax(dim=1).cpu()
    return (answers != test_labels.cpu()).float().mean().item()


same_error = error_with_one_theta(straightening)
print("with one theta for all it errs more, by over a point:", same_error > stn_error + 0.01)

# %% [markdown]
# So the network does rely on a theta of its own for each digit. Now you can say why you know. And why only a part of the turn?
# Because the classifier learns, too. What the transformer leaves over, the classifier learns to read.
#
# ## Was it luck?
#
# One seed is one throw of dice. And the transformer brings 5,520 parameters of its own: perhaps a larger plain CNN does as
# well? This table has three seeds of each, with 95 % intervals, and a plain CNN with as many parameters. It took ten minutes
# to compute and is part of the course; `make table` makes it anew. **Predict** before you read: where do the
# intervals lie apart?

# %%
table = comparison.load_comparison()
Markdown(comparison.to_markdown(table))


# %%
def bounds(recipe, network):
    """The 95 % interval of the error on turned digits."""
    (row,) = [
        r for r in table.rows if (r.digits, r.recipe, r.network) == ("turned", recipe, network)
    ]
    mean, half = comparison.interval(row.errors)
    return mean - half, mean + half


for recipe in ("rotated", "course"):
    for network in ("plain", "plain, as many parameters"):
        apart = bounds(recipe, "with transformer")[1] < bounds(recipe, network)[0]
        print(f"{recipe}: with transformer below {network!r}, intervals apart: {apart}")

# %% [markdown]
# Read it row by row:
# - **Upright digits:** a small gain, within the intervals.
# - **Turned digits, recipe `rotated`:** a clear gain over the same classifier. A larger one gains next to nothing over the
#   smaller; but its three runs differ so much that its interval touches the transformer's. Three seeds are few.
# - **Turned digits, recipe `course`:** without dropout both err less, and the gap shrinks into the intervals. The grid no
#   longer turns against the digits (correlation near 0), yet the axes of the digits come closer together: theta squeezes and
#   shears where it could have turned.
# - **Seconds:** the transformer takes two to two and a half times as long. Equal epochs are not equal cost.
#
# A strong classifier leaves the transformer little to do. That is the honest answer to the question of this notebook: *it
# depends on what the classifier cannot do by itself*.
#
# ## Force it
#
# Take that way out from it. Train the classifier on upright digits, then **freeze** it, and train only the transformer, on
# turned digits. Now straightening is the only way to please. The network behind the moving picture of notebook 00 was
# trained like that beforehand, in two minutes (`tools/pretrain.py`). Its training was recorded: play it, without training
# again. Then predict: does it also classify best?

# %%
forced_lab = ReplayLab(training.load_recording())
forced_lab

# %%
at_the_end = ReplayLab(training.load_recording(), index=-1)
show(at_the_end.figure(), at_the_end.text)

# %% [markdown]
# Eleven of the twelve end upright, and are read. The loss ends near 0.9 all the same: it is the mean over twelve, and the
# ninth digit, a five, ends as a six to the classifier, with full certainty. One digit misread like that costs more than the
# eleven others together.

# %%
recording, truth = training.load_recording(), test_labels[: training.PROBE].cpu()
straightener = models.load_straightener()
with torch.no_grad():
    scores = straightener(data.normalise(recording.probe_images))
losses = F.nll_loss(scores, truth, reduction="none")
print("they are:  ", truth.tolist())
print("read as:   ", scores.argmax(dim=1).tolist())
print(f"the ninth's share of the loss: {100 * losses[8] / losses.sum():.0f} %")

# %%
forced = models.load_straightener().to(chosen)
angles_out = grid_angles(forced, turned).cpu()
forced_undone = alignment.undoing(degrees, angles_out)
print("correlation below -0.8:", forced_undone.correlation < -0.8)
print("left over, less than two thirds of the spread:", forced_undone.left_over < before * 2 / 3)
forced_error = 1 - evaluate(forced, data.normalise(turned).to(chosen), test_labels)
print("it errs more than the plain CNN:", forced_error > plain_error)

# %%
show(
    plotting.angle_scatter(
        degrees[:2000],
        angles_out[:2000],
        f"before a frozen classifier it turns back\ncorrelation {forced_undone.correlation:.2f}, "
        f"spread {before:.0f}° → {forced_undone.left_over:.0f}°",
    ),
    "a cloud of points close to the dashed line of a full undoing.",
)

# %% [markdown]
# It straightens best and classifies worst: its classifier never saw a turned digit, and what is left over of the turn is new
# to it. Straightening is a means; the two must learn to work together.
#
# ## Then and now
#
# The page is from 2017, and it taught a generation. Eight things in it you would do otherwise today.
#
# **1. Grey frame.** Then: inputs normalised, padding 0, which is grey. Now: pad with the border, which is black.

# %%
black = data.normalise(torch.zeros(1, 1, 28, 28))
zoom_out = transforms.scale(1.5)
then = data.denormalise(warp(black, zoom_out, padding_mode="zeros"))[0, 0, 0, 0].item()
now = abs(data.denormalise(warp(black, zoom_out, padding_mode="border"))[0, 0, 0, 0].item())
print(f"brightness outside a black picture (0 is black) — then: {then:.2f}, now: {now:.2f}")

# %% [markdown]
# **2. `align_corners` left out.** Then: the default was `True`, and changed in PyTorch 1.3. Now: written out, in both calls.
# Written out in one call only, the two may disagree, and even the identity moves the picture:

# %%
theta = transforms.identity(1, device=chosen)
size = (1, 1, 28, 28)
for grid_says, sampler_says in [(True, False), (False, False)]:
    grid = F.affine_grid(theta, size, align_corners=grid_says)
    output = F.grid_sample(test_images[:1], grid, align_corners=sampler_says)
    same = torch.allclose(output, test_images[:1], atol=1e-5)
    print(f"grid {grid_says!s:5}, sampler {sampler_says!s:5}: identity changes nothing: {same}")

# %% [markdown]
# **3. The wrong contrast.** Then: pictures were denormalised with ImageNet's mean and deviation. Now: with MNIST's own.

# %%
shown = data.normalise(test_images[:1])
then = (shown * 0.229 + 0.485).clamp(0, 1)
now = data.denormalise(shown)
print(
    f"black and white — then: {then.min():.2f} to {then.max():.2f}, now: {now.min().abs():.2f} to {now.max():.2f}"
)

# %% [markdown]
# **4. `size_average=False`.** Then: a flag. Now: `reduction="sum"`. PyTorch has warned for years:

# %%
scores, truth = torch.randn(4, 10, generator=torch.Generator().manual_seed(0)), torch.arange(4)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    then = F.nll_loss(scores, truth, size_average=False)
now = F.nll_loss(scores, truth, reduction="sum")
print("same value:", torch.equal(then, now), "— warnings:", [w.category.__name__ for w in caught])

# %% [markdown]
# **5. No baseline.** Then: one number. Now: beside it the number without the transformer.

# %% tags=["nbval-ignore-output"]
device.seed_everything(0)
baseline = training.fit(models.PlainNet(), seed=0)
print(f"upright — with: {100 * upright.accuracy:.2f} %, without: {100 * baseline.accuracy:.2f} %")

# %%
difference = abs(upright.accuracy - baseline.accuracy)
print("on upright digits the two differ by less than half a point:", difference < 0.005)

# %% [markdown]
# **6. Which digits?** Then: "a batch of training data" came from the test loader, shuffled, other digits each time. Now: the
# split has a name and keeps its order.

# %%
again, _ = data.load_digits("test", chosen)
print(
    "the first ten test digits are the same each time:", torch.equal(again[:10], test_images[:10])
)

# %% [markdown]
# **7. A rate without a schedule.** Then: SGD at 0.01 from first to last step; the page's own log drops by more than a point, twice. Now: one cycle,
# and it ends at zero.

# %%
page = [94.03, 95.71, 96.96, 97.41, 97.92, 97.90, 96.35, 98.38, 98.10, 94.24]
page += [98.38, 98.04, 98.64, 98.25, 98.71, 98.31, 98.72, 98.69, 98.76, 98.67]
drops = [epoch for epoch in range(2, 21) if page[epoch - 1] < page[epoch - 2] - 1]
print("epochs in which the page lost more than a point:", drops)

# %%
optimizer, scheduler = training.make_optimizer(models.TutorialNet(), course, steps=100)
rates = []
for _ in range(100):
    rates.append([group["lr"] for group in optimizer.param_groups])
    optimizer.step()
    scheduler.step()
show(
    plotting.curves(
        range(100),
        {
            "course": [fast for _, fast in rates],
            "course, localization": [slow for slow, _ in rates],
            "page": [0.01] * 100,
        },
        "share of the training, %",
        "learning rate",
        "one cycle: up, and down to zero",
        markers=False,
    ),
    "the course's learning rate rises to 0.02 in the first third and falls to 0, the localization network's to a "
    "tenth of it; the page's stays at 0.01.",
)

# %% [markdown]
# **8. A dead address.** Then: MNIST came from its authors' page, which no longer answers. Now: it is part of the course.

# %%
from torchvision.datasets import MNIST

digits = MNIST(data.mnist_root(), train=True, download=False)
print("torchvision reads", len(digits), "digits, nothing downloaded")

# %% [markdown]
# ## Break
#
# **1. The localization network at full rate.** Turned digits again, but with factor 1 in place of 0.1. **Predict:** will the
# grid turn more, or less?

# %% tags=["nbval-ignore-output"]
device.seed_everything(0)
hasty_net = models.TutorialNet(padding_mode="border")
rotated = training.RECIPES["rotated"]
hasty_recipe = replace(rotated, localization_factor=1.0)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    hasty = training.fit(
        hasty_net, hasty_recipe, test=(turned, test_labels), distort=rotation, seed=0
    )
print(f"factor 1: error {100 * (1 - hasty.accuracy):.2f} %, factor 0.1: {100 * stn_error:.2f} %")

# %%
calm_spread = grid_angles(straightening, turned).std().item()
hasty_spread = grid_angles(hasty_net, turned).std().item()
print("at full rate the grid turns less:", hasty_spread < calm_spread)
print("and the gain over the plain CNN is smaller:", 1 - hasty.accuracy > stn_error)
show(
    plotting.pose_history(hasty, "at full rate every digit ends turned alike"),
    "the rotation of the grid on 12 test digits over the training steps: the band narrows, and closes to a line, "
    "so every digit is turned alike.",
)

# %% [markdown]
# Early large steps throw theta about. Then the band closes: every digit is turned by the same angle, whatever its own, so
# the transformer tells nothing. The classifier has learned to live without it. `fit` noticed: it looks at theta ten times in
# each epoch, and warns with a likely cause.

# %% tags=["nbval-ignore-output"]
for warning in told:
    print(warning.message)

# %%
hasty_error = 1 - hasty.accuracy
print(
    "here one theta for all changes nothing:",
    abs(error_with_one_theta(hasty_net) - hasty_error) < 0.002,
)
print("kinds of what was found:", list(hasty.findings))
print("found in the healthy run:", list(runs["with transformer"][1].findings))

# %% [markdown]
# **2. Collapse.** SGD with a rate a hundred times the page's. The loss stops near 2.3, and the network gives the same answer
# to every digit. If that answer is "1", the accuracy is **11.35 %**, the share of ones in the test set. Remember that number:
# it is the mark of a collapsed run. (Here the answer may be another digit, with its own share.) The loss says *that* it broke.
# Theta says *what* broke, and the warning says it in words:

# %% tags=["nbval-ignore-output"]
device.seed_everything(0)
broken_net = models.TutorialNet(padding_mode="border")
broken_recipe = replace(rotated, optimizer="sgd", learning_rate=1.0, localization_factor=0.3)
broken_digits = {"test": (turned, test_labels), "distort": rotation}
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    broken = training.fit(broken_net, broken_recipe, epochs=1, seed=0, **broken_digits)
print(f"accuracy {100 * broken.accuracy:.2f} %", *[w.message for w in told], sep="\n")

# %%
ones = (test_labels == 1).float().mean().item()
print(f"share of ones: {100 * ones:.2f} %")
with torch.no_grad():
    answers = broken_net.eval()(data.normalise(turned).to(chosen)).argmax(dim=1)
print("different answers of the broken network:", len(answers.unique()))
print("the healthy run is far from that:", runs["with transformer"][1].accuracy > 0.95)


# %%
def outside(run):
    """The share of the grid outside the picture at each recorded step, over the probe digits."""
    return [training.signs(theta).outside for theta in run.probe_thetas]


# %%
healthy = runs["with transformer"][1]
print("healthy: never more than half outside:", max(outside(healthy)) < 0.5)
print("broken: ends with more than half outside:", outside(broken)[-1] > 0.5)
steps = min(len(broken.probe_steps), len(healthy.probe_steps))
show(
    plotting.curves(
        broken.probe_steps[:steps],
        {"healthy": outside(healthy)[:steps], "broken": outside(broken)[:steps]},
        "step",
        "share of the grid outside",
        "the broken run's grid left the picture within a hundred steps",
    ),
    "the share of the grid outside the picture over the steps: the healthy run stays low, the broken one "
    "rises and stays high.",
)

# %% [markdown]
# A **quiz**:

# %%
Quiz("mark_of_a_collapse")

# %% [markdown]
# ## Take away
#
# Save the weights, load them into a new model, and use it on a picture of your own. Photographs of digits are dark on
# light and large; the network wants light on dark and 28 pixels. (The cell makes a "photograph" to have one; put the name of
# your own file in its place.)

# %%
folder = Path(tempfile.mkdtemp())
torch.save(net.state_dict(), folder / "my_transformer.pt")
mine = models.TutorialNet(padding_mode="border")
mine.load_state_dict(
    torch.load(folder / "my_transformer.pt", weights_only=True, map_location="cpu")
)
mine.eval()

large = F.interpolate(1 - test_images[3:4].cpu(), size=(120, 120), mode="bilinear")
Image.fromarray((large[0, 0] * 255).byte().numpy()).save(folder / "photo.png")

# %%
photo = Image.open(folder / "photo.png").convert("L").resize((28, 28))  # your file here
grey = torch.tensor(list(photo.tobytes()), dtype=torch.float32).reshape(1, 1, 28, 28) / 255
with torch.no_grad():
    answer = mine(data.normalise(1 - grey)).argmax().item()
print("the network reads:", answer)

# %%
print("the picture made above was a", test_labels[3].item())

# %% [markdown]
# ## Try
#
# Four exercises with a check that answers, and one to run. Write in place of the dots, run the cell, read what comes. Nothing
# breaks if you are wrong: that is when the check has most to say. `checks.hint("training_step")` gives a push, and another one each
# time; `checks.solution("training_step")` shows the answer.
#
# **1. Predict.** A network answers "1" to every test digit. What is its accuracy, as a share?

# %%
guess = ...  # a number from 0 to 1
checks.collapse_share(guess)


# %% [markdown]
# **2. Write** one training step from memory. Predict: what happens in the *second* step if you forget `zero_grad`?


# %%
def my_step(model, images, labels, optimizer):
    # the model gives log-probabilities (B, classes); nothing need be returned
    ...


checks.training_step(my_step)


# %% [markdown]
# **3. Repair.** Measured right after training, this accuracy is too low, and another one each time. (The pictures are normalised already.) Mend it:


# %%
def my_accuracy(model, images, labels):
    with torch.no_grad():
        answers = model(images).argmax(dim=1)
    return (answers == labels).float().mean().item()


checks.evaluation(my_accuracy)


# %% [markdown]
# **4. Repair** the page's padding: outside should be black. (There are two remedies. The check takes both.)


# %%
def my_transform(images, theta):
    x = data.normalise(images)
    grid = F.affine_grid(theta, x.shape, align_corners=False)
    return F.grid_sample(x, grid, padding_mode="zeros", align_corners=False)


checks.page_padding(my_transform)

# %% [markdown]
# **5. To run.** Train both networks on digits turned by up to 30° only: `random_rotation(30)`, with
# `training.fit(model, "rotated", distort=…, epochs=3)`, and test digits turned alike. Predict first: does the transformer
# still gain anything? (Less than a minute on two cores; one run's answer is below.)
#
# <details><summary>Answers to what has no check</summary>
#
# 2. The old gradient is added to the new one, so the step is partly the old one again.
#
# 5. It does. One run with seed 0 gave errors of 1.7 % without and 1.1 % with the transformer.
# </details>

# %% [markdown]
# ## Keep
#
# - **Upright digits cannot show that a transformer helps.** Give it work, and a baseline beside it.
# - **Know why you know**: angle in against angle out, spread before and after.
# - **Slow localization, identity start, border padding**; and watch theta, which says what broke.
#
# You have built, trained and questioned a spatial transformer. Where to go next: put one before a network of your own
# ([04](04_stn_model.ipynb) shows the three lines), and read the paper (Jaderberg et al., 2015) with the grid in your hands.
