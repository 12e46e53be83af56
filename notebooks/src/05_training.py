# %% [markdown]
# # 05 · Training: does it help, and how would you know?
#
# At the end you will have trained the tutorial's network past the accuracy of its page, in one epoch. And you will be able
# to show, with numbers and pictures, when a spatial transformer helps and when it only seems to.
#
# **55 minutes to read, 105 with the exercises · needs notebooks 01 to 04 · runs on CPU or GPU, offline**

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
# Three questions from earlier notebooks, before you begin:
#
# 1. What should the transformer's output be before the first training step, and which weights and bias ensure that?
# 2. The loss falls although the transformer's output goes nowhere. How can that be?
# 3. Why does zero padding harm a picture that was normalised?
#
# <details><summary>Answers</summary>
#
# 1. The input itself: the head has zero weights, and its bias is the identity.
# 2. The classifier reads the original picture and learns without the transformer.
# 3. Black is -0.42 there, so padding with 0 draws a grey frame.
# </details>

# %% [markdown]
# ## The question
#
# The tutorial's page trains for 20 epochs and ends at 98.67 %. That is a good number. But what does it say about the spatial
# transformer? Keep this question in mind; first, reproduce the number.
#
# ## Build: the loop
#
# Training takes a dozen lines. For each batch: predict, compare, compute the gradient, take a step.


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
# Measuring is as short: no gradient, no dropout, and a whole batch at a time.


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
# Here is one pass over 6,400 digits with this loop and plain SGD, as on the page. Watch the loss:

# %% tags=["tolerance=0.02"]
images, labels = data.load_digits("train", chosen)
test_images, test_labels = data.load_digits("test", chosen)
generator = device.seed_everything(0)
net = models.TutorialNet(padding_mode="border").to(chosen)
losses = []
some = data.batches(data.normalise(images[:6400]), labels[:6400], 64, generator)
train_epoch(net, some, torch.optim.SGD(net.parameters(), lr=0.01), after_step=losses.append)
print(f"steps: {len(losses)}")
print(f"mean loss of the first ten steps: {torch.stack(losses[:10]).mean():.2f}")
print(f"mean loss of the last ten steps:  {torch.stack(losses[-10:]).mean():.2f}")

# %% [markdown]
# The loss has barely begun to fall: ten equal probabilities give 2.30. Plain SGD with a small rate needs many epochs; that is
# why the page trains for 20.
#
# `training.fit` is this loop with a **recipe** around it: which optimizer, which learning rate, how many epochs. Four recipes
# come with the course. `tutorial` is the page's.

# %%
names = ("tutorial", "course", "sprint", "rotated")
print(f"{'':20}" + "".join(f"{name:>12}" for name in names))
for field in fields(training.Recipe)[1:]:
    values = [getattr(training.RECIPES[name], field.name) for name in names]
    print(f"{field.name:20}" + "".join(f"{value!s:>12}" for value in values))

# %% [markdown]
# What differs, and why:
# - **AdamW with one cycle** learns faster and settles at the end. In a cycle, `learning_rate` is the peak: in `course` the rate
#   rises to 0.02 and then falls to zero. `tutorial` has no cycle and stays at 0.01.
# - **`betas`** set how long AdamW remembers earlier gradients. With few steps, a short memory is better.
# - The **localization network learns more slowly**, at a tenth or a fifth of the rate, since a small change of theta moves
#   every pixel. `localization_factor` is that share.
# - **Dropout** comes in two kinds: `feature_dropout` drops whole feature maps, `dropout` drops single values. Both are off in
#   `course` and `sprint`, since one or two epochs are too few to overfit in. `rotated` keeps the second kind, and not for the
#   sake of the accuracy: it is meant to hold the classifier back, so that the transformer has more to do. Over the same six
#   epochs `course` makes fewer errors on turned digits without any dropout, as a table below shows.
# - **Larger batches** need fewer steps for the same digits, and allow a higher rate.
# - **`channels_last`** is another memory layout of the weights. It only saves time.
#
# `fit(model, recipe)` trains the model in place and returns a `History`: the loss of each step, the accuracy after each epoch,
# the seconds. By default it trains on all of MNIST. The other arguments you will meet here:
#
# | argument | meaning |
# | --- | --- |
# | `test=(images, labels)` | the digits to measure on, in place of the upright test digits |
# | `distort=` | a function that distorts each training batch anew, such as `data.random_rotation(90)` |
# | `epochs=` | how many, in place of the recipe's; a fraction is allowed |
# | `seed=` | for the order of the digits, the distortions and dropout; seed the weights before you make the model |
# | `watch=` | is called after each step; a `Monitor` draws what it sees |
# | `progress=False` | shows no progress bar |
#
# About ten times in each epoch, `fit` also records theta and the loss on twelve test digits, always the same ones: the *probe*.
# It never trains on them. They are too few to measure an accuracy, but enough to watch what the transformer does.
#
# ## The page's number
#
# The transformer pads with `border`, as notebook 03 taught. Otherwise this is the page's network, trained differently. How soon
# does it reach the page's accuracy? `sprint` shows it fewer than half of the training digits, **once**. Run the next two
# cells, and watch the monitor under the first while the second one trains. (Its buttons pause and stop the run. What has been
# learned by then is kept.)

# %%
monitor = Monitor()
monitor

# %% tags=["nbval-ignore-output"]
device.seed_everything(0)
sprinter = models.TutorialNet(padding_mode="border")
sprint = training.fit(sprinter, "sprint", seed=0, watch=monitor, progress=False)
print(f"this run: {sprint.seconds[-1]:.1f} s")

# %% tags=["tolerance=0.5"]
print(f"the page: 98.67 %; this run: {100 * sprint.accuracy:.2f} %")

# %% [markdown]
# That is about the page's accuracy, after half an epoch. How much faster is it? The page's log says 8.5 minutes, but on another
# machine, in 2017, so that number says little about yours. Measured side by side on two cores of one machine, the page's loop
# took 415 s for its 20 epochs and reached 98.83 %. `sprint` took 4.0 s and reached 98.68 %, the mean of ten seeds: about a
# hundredth of the time. A single run of `sprint` can end on either side of 98.67 %.
#
# (`make bench-training` repeats this comparison. Commands that begin with `make`, and files in `tools/`, are for those who have
# the course's repository; `stn-course` and its commands come with every installation.)
#
# One whole epoch of `course` leaves no doubt:

# %% tags=["tolerance=0.3"]
device.seed_everything(0)
net = models.TutorialNet(padding_mode="border")
upright = training.fit(net, "course", epochs=1, seed=0, progress=False)
print(f"the page: 98.67 %; one epoch of course: {100 * upright.accuracy:.2f} %")

# %%
smooth = torch.tensor(upright.losses).unfold(0, 10, 1).mean(dim=1)
show(
    plotting.curves(
        range(10, len(upright.losses) + 1),
        {"course": smooth},
        "step",
        "training loss (mean of 10 steps)",
        "most is learned in the first third of the epoch",
        markers=False,
    ),
    "the training loss over the steps of one epoch: it falls steeply at first, then slowly.",
)

# %% [markdown]
# ## Look: did the transformer do anything?

# %%
few = data.normalise(test_images[:10])
with torch.no_grad():
    after = data.denormalise(net.stn(few))
show(
    plotting.side_by_side(
        test_images[:10], after, title="upright digits: some are sheared or stretched a little"
    ),
    "ten digits, and under them the transformer's outputs, which are almost the same; some lean a little less.",
)


# %% tags=["tolerance=2"]
@torch.no_grad()
def grid_angles(model, images):
    """By how many degrees the model turns its grid for each image (B, 1, 28, 28) from 0 to 1."""
    model.eval()
    model.stn(data.normalise(images))
    return transforms.to_pose(model.theta).rotation


print(f"rotation of the grids, standard deviation: {grid_angles(net, test_images).std():.1f}°")

# %% [markdown]
# The grids hardly turn. But theta can do more than turn. Read the other parts of the same thetas:

# %% tags=["tolerance=35%"]
pose = transforms.to_pose(net.theta)
print("standard deviation over the test digits:")
print(f"width of the grid  {pose.scale_x.std():.2f}  (1 at the identity)")
print(f"height of the grid {pose.scale_y.std():.2f}  (1 at the identity)")
print(f"shear of the grid  {pose.shear.std():.2f}  (0 at the identity)")

# %% [markdown]
# They stretch across and shear, typically by a sixth or so; their height hardly changes. What comes of it? Measure the outputs: the
# **pose of a picture**, read off its bright pixels. Along which axis do they spread, how far, and where is their centroid? If all digits
# were the same shape and lay alike, none of the three would vary, and all three numbers below would be 0. The first is a
# standard deviation of angles, in degrees; the second is the standard deviation of the size, divided by its mean; the third is
# the typical distance from the mean centroid, where 2 is the width of the picture.

# %% tags=["tolerance=35%"]
straight = warp(test_images, net.theta, padding_mode="border")  # through the same thetas
before_it, after_it = alignment.pose_spread(test_images), alignment.pose_spread(straight)
print("spread over the test digits, before and after the transformer:")
print(f"axis     {before_it.angle:6.1f}° {after_it.angle:6.1f}°")
print(f"size     {before_it.scale:7.3f} {after_it.scale:7.3f}  (as a share of the mean)")
print(f"centroid {before_it.centroid:7.3f} {after_it.centroid:7.3f}  (in normalised coordinates)")

# %% [markdown]
# So it does something. Handwriting leans, and the transformer takes out some of the lean by shearing: the axes come closer
# together, and the sizes a little, too. The centroids do not: in this run they end up further apart than before, though 0.04 is
# little more than half a pixel. Nothing in the loss asks for digits that lie alike.
#
# No accuracy would have told you any of this. Whether it helps is a question for a fair comparison, which follows
# below. **An accuracy on upright digits cannot show whether the transformer works.** You have to look, and to measure.
#
# A **quiz**:

# %%
Quiz("upright_accuracy")

# %% [markdown]
# ## Turned digits
#
# So give it work: turn every digit by an angle of its own, between -90° and 90°. Train the same classifier with and without a
# transformer: the same six epochs, the same seed, and the recipe `rotated` for both. (What another recipe does comes below.)
#
# On two cores each of these runs takes half a minute to a minute. To save you the wait, they were recorded: the package holds
# the trained networks and their histories. To train them here and now, set `live = True`.

# %%
live = False  # True: train the runs on turned digits now
rotation = data.random_rotation(90)
turned, degrees = rotation(test_images, torch.Generator().manual_seed(1))
shown = data.normalise(turned)  # what the networks are given


def recorded_or_live(name, make, recipe="rotated"):
    """A network and its history: as recorded, or trained now."""
    if not live:
        return models.load_trained(name).to(chosen), training.load_recording(name)
    device.seed_everything(0)
    model, test = make(), (turned, test_labels)
    return model, training.fit(model, recipe, test=test, distort=rotation, seed=0)


def make_transformer():
    return models.TutorialNet(padding_mode="border")


plain, plain_run = recorded_or_live("turned_plain", models.PlainNet)
turning, turning_run = recorded_or_live("turned_transformer", make_transformer)

# %% [markdown]
# **Predict:** which network wins, and by how much? (On 10,000 digits, an error of 3 % has a standard error of 0.17
# points. A gap must be a good deal wider than that to mean anything.)

# %% tags=["hide-output", "tolerance=0.1"]
plain_error = 1 - evaluate(plain, shown, test_labels)
turning_error = 1 - evaluate(turning, shown, test_labels)
print("error on the turned digits:")
print(f"plain CNN:        {100 * plain_error:.2f} %")
print(f"with transformer: {100 * turning_error:.2f} %")

# %% tags=["hide-cell"]
show(
    plotting.history(
        {"plain CNN": plain_run, "with transformer": turning_run}, "turned digits: now it helps"
    ),
    "left, the training loss of both networks falls; right, the test accuracy after each of the six epochs, with the "
    "transformer above the plain CNN at the end.",
)

# %% [markdown]
# ## How do you know *why*?
#
# A difference in error could have many causes: the transformer also brings 5,520 more parameters. So look at what it does.
#
# You know by how much each digit was turned, and theta says by how much its grid turns. Two numbers compare them:
# - The **correlation** of the two angles runs from -1 to 1. At 0 there is no linear relation; at -1 the points lie on a falling
#   line. It does not say how steep that line is: a transformer that undid a tenth of each turn, exactly, would reach -1 too.
# - The **turn left over** is what remains of the turn in the output. Its standard deviation is 0° if every turn is undone, and
#   that of the turns themselves if the grids do not turn at all. Turns spread evenly from -90° to 90° have 90°/√3, which is 52°.
#
# **Predict** both for this network. Then open the numbers, the scatter of the angles, and ten of the pictures.

# %% tags=["hide-output", "tolerance=3%"]
angles_out = grid_angles(turning, turned).cpu()
undone = alignment.undoing(degrees, angles_out)
before = degrees.std().item()
print("how well the turn is undone:")
print(f"correlation of the two angles: {undone.correlation:.2f}")
print(f"turn left over, standard deviation: {undone.left_over:.1f}° of {before:.1f}°")

# %% tags=["hide-cell"]
show(
    plotting.angle_scatter(
        degrees[:2000],
        angles_out[:2000],
        f"it turns back, in part\ncorrelation {undone.correlation:.2f}, "
        f"turn left over {before:.0f}° → {undone.left_over:.0f}°",
    ),
    "a cloud of points, one for each digit, much flatter than the dashed line of a full undoing; it rises at the left end.",
)

# %% tags=["hide-output", "tolerance=2"]
print("how far the grids turn, on average, for the digits turned furthest:")
for name, side in [("clockwise", degrees < -60), ("anticlockwise", degrees > 60)]:
    print(f"over 60° {name:13} {angles_out[side.cpu()].mean():+.1f}°")

# %% tags=["hide-cell"]
with torch.no_grad():
    after = data.denormalise(turning.stn(shown[:10]))
show(
    plotting.side_by_side(
        turned[:10], after, title="turned digits: some are turned back a little, others hardly"
    ),
    "ten turned digits, and under them the transformer's outputs; few of them are much closer to upright.",
)

# %% [markdown]
# It turns back, but only a small part of the way, and in the recorded run it is **one-sided**: far from upright, digits that
# were turned clockwise are turned back about three times as far as those turned anticlockwise. Nothing in the loss asks for
# the same on both sides, and neither of the two numbers shows it. The scatter does.
#
# How did it get there? Press the play button, or drag the slider through the training of the twelve probe digits. When do the
# frames begin to turn, and when do they come to rest? (The grey margin around each input lies outside the picture. Padding with
# `border` fills it with the black of the border, so no grey frame appears in the output.)

# %%
replay_lab = ReplayLab(turning_run)
replay_lab

# %%
show(replay_lab.figure(), replay_lab.text)


# %% [markdown]
# Early on the loss of these twelve falls, then it rises again, although the accuracy on all test digits keeps growing. Where
# does the rise come from?


# %% tags=["tolerance=0.5"]
@torch.no_grad()
def explain_loss(model, run):
    """Say what the trained model answers for the probe digits, and whether one digit makes the loss."""
    model.eval()
    scores = model(data.normalise(run.probe_images).to(chosen)).cpu()
    truth = test_labels[: training.PROBE].cpu()
    losses = F.nll_loss(scores, truth, reduction="none")
    print("they are:", truth.tolist())
    print("read as: ", scores.argmax(dim=1).tolist())
    print(f"largest share of a single digit in the loss: {100 * losses.max() / losses.sum():.0f} %")


print(f"loss: lowest {min(turning_run.probe_losses):.2f}, last {turning_run.probe_losses[-1]:.2f}")
explain_loss(turning, turning_run)

# %% [markdown]
# From one digit. The loss is a mean of -log(probability of the right answer). As training goes on, the network becomes surer of
# all its answers, the wrong ones included, and one digit misread with near certainty costs more than all the others together.
# The accuracy counts it as one mistake.
#
# One more test: does the network *use* theta? Give every digit the same theta, the mean of all of them. If the error stays the
# same, the transformer tells the classifier nothing about the single digit. `training.error_with_one_theta` does this; you will
# write it yourself in Try. **Predict** the error.

# %% tags=["hide-output", "tolerance=0.2"]
same_error = training.error_with_one_theta(turning, shown, test_labels)
print("error on the turned digits:")
print(f"a theta for each digit: {100 * turning_error:.1f} %")
print(f"one theta for all:      {100 * same_error:.1f} %")

# %% [markdown]
# The network does rely on a theta for each digit: without it the error almost doubles, and is even larger than the plain CNN's.
# How can one theta for all be worse than no transformer? In training, this classifier read every digit through a theta of its
# own, and grew used to that. Read through the mean theta, the digits lie as it never saw them in training. The plain CNN never
# knew anything else. So the test shows that this network *uses* theta. It does not yet show that theta is where the gain comes
# from.
#
# And why does it undo only a small part of the turn? Because the classifier learns, too: what the transformer leaves over, the
# classifier learns to read.
#
# ## Was it luck?
#
# One seed proves little. And the transformer brings 5,520 parameters of its own: would a larger plain CNN do as well? The next
# table has three seeds of each network, and a plain CNN with about as many parameters as the whole network with the
# transformer. An error such as 3.05 ± 0.29 is the mean of the three seeds, and half the width of a **95 % interval** for that
# mean. The interval is Student's t: with three values, half its width is about 2.5 times their standard deviation. It covers
# the chance of the seed. It does not cover that of the test digits, which are the same in every run.
#
# One column is the *spread of the axes* that the classifier sees. It is not the *turn left over* from above, which counts from
# the known angles. The axes are read off the pictures. On its scale, 0° means that all axes are parallel; around 90° they have
# next to no direction in common. Upright digits have 26°, since different digits have different axes. (Turn an axis by 180° and
# it is the same axis again, so this is a standard deviation **on a circle**. It is close to the ordinary one if the axes differ
# little, and grows without limit the more evenly they point in all directions.)
#
# The table takes about 12 minutes on two cores, so it comes with the course; `stn-course table` computes it again. (It was made
# before the recipe `course` fixed its `betas`; that recipe's rows would change.)
#
# **Predict:** for which digits and which recipe do the intervals lie apart?

# %% tags=["hide-output"]
table = comparison.load_comparison()
Markdown(comparison.to_markdown(table))

# %% tags=["hide-output"]
print("intervals of the error on turned digits, in percent:")
for row in table.rows:
    if row.digits == "turned":
        mean, half = comparison.interval(row.errors)
        print(f"{row.recipe:8} {row.network:25} {mean - half:.2f} to {mean + half:.2f}")

# %% [markdown]
# Read the table row by row:
# - **Upright digits:** a small gain, within the intervals.
# - **Turned digits, recipe `rotated`:** a clear gain over the same classifier. The larger classifier gains next to nothing over
#   the smaller, but its three runs differ so much that its interval touches the transformer's. Three seeds are few.
# - **Turned digits, recipe `course`:** all networks make fewer errors, and the gap shrinks into the intervals. The grid no
#   longer turns against the digits (correlation near 0), yet the axes of the digits come closer together: theta squeezes and
#   shears instead of turning. Under `rotated` they come as close, so there, too, turning is only a part of it.
# - **Across recipes:** the plain CNN under `course` makes fewer errors than the transformer under `rotated`, in less time. The
#   table cannot say which setting does it. `rotated` holds the classifier back by dropout, as it is meant to, but the recipes
#   also differ in batch size and learning rate (and, today, in `betas`). To find out, change one thing at a time, such as
#   `replace(training.RECIPES["rotated"], dropout=0.0)`.
# - **Seconds:** with the transformer, training takes two to three times as long. Equal epochs are not equal cost.
#
# A strong classifier leaves the transformer little to do. That is the honest answer to this notebook's question: *it depends
# on what the classifier cannot do by itself*.
#
# ## Force it
#
# So close that way out: train the classifier on upright digits, then **freeze** it, and train only the transformer, on
# turned digits. Now only theta can lower the loss: the transformer must make turned digits look like those that the classifier
# knows. It can do so by turning them back, but also by stretching and shearing them. The network behind the moving picture of
# notebook 00 was trained like that (`tools/pretrain.py`), and its training was recorded. Play it:

# %%
forced_lab = ReplayLab(training.load_recording("straightener"))
forced_lab

# %%
show(forced_lab.figure(), forced_lab.text)

# %% [markdown]
# The digits straighten up. Still, the loss on these twelve jumps up and down and ends rather high. You have seen the cause:

# %% tags=["tolerance=0.5"]
forced = models.load_straightener().to(chosen)
explain_loss(forced, training.load_recording("straightener"))

# %% [markdown]
# One digit again.
#
# **Predict:** this network straightens better than the one before. Does it also classify better?

# %% tags=["hide-output", "tolerance=3%"]
forced_angles = grid_angles(forced, turned).cpu()
forced_undone = alignment.undoing(degrees, forced_angles)
forced_error = 1 - evaluate(forced, shown, test_labels)
print("the frozen classifier's transformer, and the one that learned together with its classifier:")
for name, found, error in [
    ("frozen", forced_undone, forced_error),
    ("together", undone, turning_error),
]:
    turn = f"correlation {found.correlation:.2f}, turn left over {found.left_over:.1f}°"
    print(f"{name:8} {turn}, error {100 * error:.2f} %")

# %% tags=["hide-cell"]
show(
    plotting.angle_scatter(
        degrees[:2000],
        forced_angles[:2000],
        f"before a frozen classifier it turns back\ncorrelation {forced_undone.correlation:.2f}, "
        f"turn left over {before:.0f}° → {forced_undone.left_over:.0f}°",
    ),
    "a cloud of points, most of them close to the dashed line of a full undoing.",
)

# %% [markdown]
# It straightens best and classifies worst, even worse than the plain CNN: its classifier never saw a turned digit, and cannot
# read digits that are still partly turned. The two were not trained alike: this transformer had 20 epochs on turned digits, at
# a peak rate of 0.003, the other one six epochs, at 0.001. More than three times the training has not made up for it.
# Straightening is a means, not the end.
#
# An error over all digits also hides *where* it is made. **Predict:** at which turns does the transformer gain most over the
# plain CNN?

# %% tags=["hide-output", "tolerance=0.3"]
bands = [(0, 30), (30, 60), (60, 90)]
print("error in percent, by how far the digits were turned to either side:")
print(f"{'':17}" + "".join(f"{f'{low}-{high}°':>8}" for low, high in bands))
for name, model in [
    ("plain CNN", plain),
    ("with transformer", turning),
    ("frozen classifier", forced),
]:
    within = [(degrees.abs() >= low) & (degrees.abs() <= high) for low, high in bands]
    errors = [100 * (1 - evaluate(model, shown[band], test_labels[band])) for band in within]
    print(f"{name:17}" + "".join(f"{error:8.2f}" for error in errors))

# %% [markdown]
# Most where there is most to undo: beyond 60° the gain is more than twice as large as below. Each column counts about 3,300
# digits, so an error of 2.5 % has a standard error of 0.27 points, and one of 4.5 % has 0.36: the first two gains are hardly
# larger than that, the third one is. So if you want to see what a transformer can do, give it work.
#
# ## Then and now
#
# The page is from 2017, and it taught a generation. Eight things in it you would do differently today.
#
# **1. Grey frame.** Then: normalised inputs, and padding with 0, which is grey. Now: padding with the border, which is black.

# %%
black = data.normalise(torch.zeros(1, 1, 28, 28))
zoom_out = transforms.scale(1.5)
then = data.denormalise(warp(black, zoom_out, padding_mode="zeros"))[0, 0, 0, 0].item()
now = abs(data.denormalise(warp(black, zoom_out, padding_mode="border"))[0, 0, 0, 0].item())
print(f"brightness outside a black picture (0 is black): then {then:.2f}, now {now:.2f}")

# %% [markdown]
# **2. `align_corners` left out.** Then: the default was `True`; PyTorch 1.3 changed it. Now: written out, in both calls. Written
# out in one call only, the two may disagree, and then even the identity changes the picture:

# %%
theta = transforms.identity(1, device=chosen)
size = (1, 1, 28, 28)
print("what the identity changes in a pixel, at most:")
for grid_says, sampler_says in [(True, False), (False, False)]:
    grid = F.affine_grid(theta, size, align_corners=grid_says)
    output = F.grid_sample(test_images[:1], grid, align_corners=sampler_says)
    change = (output - test_images[:1]).abs().max()
    print(f"grid {grid_says!s:5}, sampler {sampler_says!s:5}: {change:.2f}")

# %% [markdown]
# **3. The wrong contrast.** Then: pictures were shown with ImageNet's mean and deviation. Now: with MNIST's own.

# %%
normal = data.normalise(test_images[:1])
then = (normal * 0.229 + 0.485).clamp(0, 1)
now = data.denormalise(normal).abs()
for name, picture in {"then": then, "now": now}.items():
    print(f"{name}: black is {picture.min():.2f}, white is {picture.max():.2f}")

# %% [markdown]
# **4. `size_average=False`.** Then: a flag. Now: `reduction="sum"`. The value is the same, but PyTorch has warned about the flag
# for years:

# %%
scores, truth = torch.randn(4, 10, generator=torch.Generator().manual_seed(0)), torch.arange(4)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    then = F.nll_loss(scores, truth, size_average=False)
now = F.nll_loss(scores, truth, reduction="sum")
print(f"then {then:.2f}, now {now:.2f}; warnings:", [w.category.__name__ for w in caught])

# %% [markdown]
# **5. No baseline.** Then: one number. Now: next to it, the number without the transformer, trained by the same recipe.

# %% tags=["tolerance=0.4"]
device.seed_everything(0)
baseline = training.fit(models.PlainNet(), "course", epochs=1, seed=0, progress=False)
print("accuracy on upright digits:")
print(f"with transformer {100 * upright.accuracy:.2f} %, without {100 * baseline.accuracy:.2f} %")

# %% [markdown]
# **6. Which digits?** Then: "a batch of training data" came from the test loader, shuffled, with different digits each time.
# Now: the split has a name and keeps its order.

# %%
for _ in range(2):
    print("the first ten test digits:", data.load_digits("test", chosen)[1][:10].tolist())

# %% [markdown]
# **7. A rate without a schedule.** Then: SGD at 0.01 from the first step to the last; in the page's own log the accuracy drops
# by more than a point, twice. Now: one cycle that ends at zero.

# %%
page = [94.03, 95.71, 96.96, 97.41, 97.92, 97.90, 96.35, 98.38, 98.10, 94.24]
page += [98.38, 98.04, 98.64, 98.25, 98.71, 98.31, 98.72, 98.69, 98.76, 98.67]
drops = [epoch for epoch in range(2, 21) if page[epoch - 1] < page[epoch - 2] - 1]
print("epochs in which the page lost more than a point:", drops)

# %%
course = training.RECIPES["course"]
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
# **8. A dead address.** Then: MNIST came from its authors' page, which no longer answers. Now: it ships with the course.

# %%
from torchvision.datasets import MNIST

digits = MNIST(data.mnist_root(), train=True, download=False)
print("torchvision reads", len(digits), "digits without a download")

# %% [markdown]
# ## Break
#
# **1. The localization network at full rate.** Turned digits and the recipe `rotated` again, but with a `localization_factor`
# of 1 in place of 0.1. This run was recorded, too. **Predict:** will the grids differ more from digit to digit, or less?

# %%
full_rate = replace(training.RECIPES["rotated"], localization_factor=1.0)
hasty, hasty_run = recorded_or_live("turned_hasty", make_transformer, full_rate)

# %% tags=["hide-output", "tolerance=0.2"]
hasty_error = 1 - evaluate(hasty, shown, test_labels)
print("rotation of the grids, standard deviation, and error on the turned digits:")
for name, angles, error in [
    ("factor 0.1", angles_out, turning_error),
    ("factor 1.0", grid_angles(hasty, turned), hasty_error),
]:
    print(f"{name}: {angles.std():.1f}°, {100 * error:.2f} %")

# %% tags=["hide-cell"]
show(
    plotting.pose_history(hasty_run, "at full rate every digit ends up turned alike"),
    "the rotation of the grid on twelve test digits over the training steps: a band that closes to a line.",
)

# %% [markdown]
# Large early steps make theta jump. Then the band closes: every grid is turned by the same angle, whatever the digit's own.
# `fit` noticed: it looks at theta ten times in each epoch, warns, and names a likely cause. `findings` keeps what it said:

# %% tags=["hide-output"]
print("what fit found:")
for name, run in {"factor 0.1": turning_run, "factor 1.0": hasty_run}.items():
    print(f"{name}:", *(run.findings.values() or ["nothing found"]))


# %% [markdown]
# Why exactly the same, to the last digit? Look one layer back. The last hidden layer of the localization network has 32 units,
# each with a ReLU. Theta is computed from their answers and the head's bias. How many of them still answer?


# %% tags=["tolerance=2"]
@torch.no_grad()
def hidden_answers(model, images):
    """What the localization network's last hidden layer answers, (B, 32)."""
    return model.fc_loc[:2](model.localization(images).flatten(1))


print("the last hidden layer, over all test digits:")
for name, model in {"factor 0.1": turning, "factor 1.0": hasty}.items():
    answering = hidden_answers(model, shown) > 0  # (B, 32)
    silent = 32 - int(answering.any(dim=0).sum())
    print(
        f"{name}: {silent} of 32 units answer 0 to every digit; "
        f"{int(answering.any(dim=1).sum())} of 10000 digits get any other answer"
    )

# %% [markdown]
# They are **dead**, and the few that are left answer to next to no digit. A ReLU that answers 0 passes no gradient back, so a
# unit that answers 0 to every digit stops learning. With all units at 0, theta is the head's bias: the same for every digit, to
# the last decimal place. Large steps can do that. They take the weights to where the sum before each ReLU is negative.
#
# **Predict** from this what the one-theta test says of this network.

# %% tags=["hide-output", "tolerance=0.1"]
hasty_same = training.error_with_one_theta(hasty, shown, test_labels)
print("error of the network trained at full rate:")
print(f"a theta for each digit: {100 * hasty_error:.2f} %")
print(f"one theta for all:      {100 * hasty_same:.2f} %")

# %% [markdown]
# The same error: the transformer tells the classifier nothing about the single digit, and the classifier has learned to do
# without.
#
# That makes this network a **control**. It has every parameter of a network with a transformer, but one theta for all digits,
# and in the recorded runs its error of 2.90 % lies between those of the plain CNN (3.17 %) and of the network whose transformer
# works (2.38 %). This fits what you would expect if most of the gain needs a theta for each digit, and a little comes with the
# parameters. One seed cannot tell whether that little, 0.27 points, is more than chance: the interval of the larger plain CNN
# above, 2.50 to 3.50, is almost four times as wide. Nor is the control a clean one: in its first two epochs theta did differ from
# digit to digit, and the classifier learned behind it.
#
# **2. A rate a hundred times the page's.** Now with SGD, the localization network at 0.3 of that rate, and live: less than a
# third of an epoch is enough. **Predict** the loss at the end, and the accuracy.

# %%
device.seed_everything(0)
broken_net = make_transformer()
broken_recipe = replace(
    training.RECIPES["rotated"],
    optimizer="sgd",
    learning_rate=1.0,
    localization_factor=0.3,
    epochs=0.3,
)
with warnings.catch_warnings():  # they are kept in findings
    warnings.simplefilter("ignore", training.CollapseWarning)
    broken = training.fit(
        broken_net, broken_recipe, test=(turned, test_labels), distort=rotation, progress=False
    )

# %% tags=["hide-cell", "tolerance=0.1"]
print("how the run ended:")
print(f"mean loss of the last ten steps:     {torch.tensor(broken.losses[-10:]).mean():.2f}")
print(f"the loss of ten equal probabilities: {torch.tensor(10.0).log():.2f}")

# %% tags=["hide-cell", "tolerance=2.5"]
with torch.no_grad():
    answers = broken_net(shown).argmax(dim=1)
usual = answers.mode().values
print("what it answers to the test digits:")
print(f"accuracy:           {100 * broken.accuracy:.2f} %")
print(f"the same answer to: {100 * (answers == usual).float().mean():.2f} % of the digits")
print(f"it is right for:    {100 * (test_labels == usual).float().mean():.2f} % of the digits")


# %% [markdown]
# The network has **collapsed**: it gives one answer to every digit, so its accuracy is that digit's share of the test set. No
# digit's share is far from 10 %. The seed decides which digit it is. **An accuracy near 10 % that equals the share of one
# digit, and a loss near 2.30, mark a collapsed run.**
#
# The loss says *that* it broke. Theta says *what* broke: how much of the grid lies outside the picture? `training.signs` reads
# this share, and two more signs, off a batch of theta.


# %% tags=["tolerance=0.2"]
def outside(run):
    """The share of the grid outside the picture at each recorded step, over the probe digits."""
    return [training.signs(theta).outside for theta in run.probe_thetas]


print(f"healthy run, at most: {max(outside(turning_run)):.2f}")
print(f"broken run, at last:  {outside(broken)[-1]:.2f}")
print("found:", ", ".join(broken.findings))

# %%
show(
    plotting.curves(
        broken.probe_steps,
        {"broken": outside(broken)},
        "step",
        "share of the grid outside",
        "the broken run's grid soon leaves the picture",
    ),
    "the share of the grid outside the picture over the recorded steps: it begins at 0, soon climbs to 1, and stays there.",
)

# %% [markdown]
# `findings` names what `fit` saw by its kind. `learning rate`: the grid has left the picture, though at the start it had not,
# and that is the likely cause. `answers`: nine of ten digits or more get the same answer. (In Break 1 it was `spread`: theta no
# longer differs from digit to digit.) `broken.findings` also holds a sentence for each.
#
# A **quiz**:

# %%
Quiz("mark_of_a_collapse")

# %% [markdown]
# ## Take away
#
# Save the weights, load them into a new model, and use it on a picture of your own. Photographs of digits are large, and dark on
# light. The network expects 28 pixels, light on dark. The first cell makes a stand-in for a photograph: a test digit, which the
# network was not trained on, enlarged and inverted. In the second cell, put the name of your own file. A real photograph is
# harder: crop it to a square with the digit in the middle and some room around it, on a plain background.

# %%
folder = Path(tempfile.mkdtemp())
torch.save(net.state_dict(), folder / "my_transformer.pt")
mine = models.TutorialNet(padding_mode="border")
weights = torch.load(folder / "my_transformer.pt", weights_only=True, map_location="cpu")
mine.load_state_dict(weights)
mine.eval()

large = F.interpolate(1 - test_images[3:4].cpu(), size=(120, 120), mode="bilinear")
Image.fromarray((large[0, 0] * 255).byte().numpy()).save(folder / "photo.png")

# %%
photo = Image.open(folder / "photo.png").convert("L").resize((28, 28))  # your file here
grey = torch.tensor(list(photo.tobytes()), dtype=torch.float32).reshape(1, 1, 28, 28) / 255
with torch.no_grad():
    answer = mine(data.normalise(1 - grey)).argmax().item()
print(f"the network reads a {answer}; the picture made above was a {test_labels[3].item()}")

# %% [markdown]
# ## Try
#
# Six exercises with a check that answers, and one to run. Write in place of the dots, run the cell, and read what the check
# says. Nothing breaks if you are wrong: that is when the check has most to say. `checks.hint("training_step")` gives a first
# hint, and another one each time you call it; `checks.solution("training_step")` shows the answer.
#
# **1. Predict.** A network that has collapsed answers the same digit to every test digit, but nobody told you which. What is
# the lowest accuracy it can have, as a share? (`test_labels` are the right answers.)

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
# **3. Repair.** Called right after training, this function returns an accuracy that is too low and differs from call to call.
# (The pictures are already normalised.) Repair it. To give the model its mode back at the end, as `evaluate` above does, is
# good manners; the check does not insist on it.


# %%
def my_accuracy(model, images, labels):
    with torch.no_grad():
        answers = model(images).argmax(dim=1)
    return (answers == labels).float().mean().item()


checks.evaluation(my_accuracy)


# %% [markdown]
# **4. Repair** the page's padding: the outside should be black. (Of the three remedies of notebook 03, two are possible here, where
# the output must be normalised. The check accepts both.)


# %%
def my_transform(images, theta):
    x = data.normalise(images)
    grid = F.affine_grid(theta, x.shape, align_corners=False)
    return F.grid_sample(x, grid, padding_mode="zeros", align_corners=False)


checks.page_padding(my_transform)


# %% [markdown]
# **5. Write the one-theta test.** Your function gets a network with a transformer, images, and their labels, and returns the
# share of images that the network misreads when *all* are read through one theta: the mean of those it chooses for them. The
# network is a `TutorialNet`: `model.stn(images)` transforms, `model.theta` then holds what it chose, `model.classify` reads
# what it is given, and `model.padding_mode` names the padding.


# %%
def my_error_with_one_theta(model, images, labels):
    # images: (N, 1, 28, 28), normalised; labels: (N,). Returns a share from 0 to 1.
    ...


checks.one_theta_error(my_error_with_one_theta)

# %% [markdown]
# **6. Diagnose a recorded run.** A network with a transformer was trained on turned digits for one epoch, by the recipe
# `rotated` with `epochs=1`. A sound network trained like that reached 94.5 to 95.0 %, over three seeds. So does this one, and `fit`
# warned of nothing. All the same, its transformer has a fault. Which one? Choose one word:
#
# - `"rate"`: the localization network learned too fast
# - `"start"`: the head started at random
# - `"tanh"`: theta is squeezed by tanh
# - `"bypass"`: the classifier does not read the transformer's output
# - `"padding"`: the grid left the picture, and zero padding gave theta no gradient
#
# `patient.probe_thetas` is a list of the thetas of twelve digits, (12, 2, 3), one entry for each of `patient.probe_steps`. The
# first was recorded before the first step. Which measurements would tell these causes apart?

# %%
patient = training.load_recording("patient")
print(
    f"accuracy on turned digits: {100 * patient.accuracy:.2f} %; found by fit: {patient.findings}"
)

# %%
guess = ...  # a word
checks.diagnosis(guess)

# %% [markdown]
# **7. To run.** Train both networks on digits turned by up to 30° only: `random_rotation(30)`, with
# `training.fit(model, "rotated", distort=…, epochs=3, test=…)`, and test digits turned in the same way. Predict first: does the
# transformer still gain anything? The two take about a minute each. (One run's answer is below.)
#
# <details><summary>Answers to what has no check</summary>
#
# **2.** The old gradient is added to the new one, so the step goes partly the old way again.
#
# **7.** In one run it did: 1.7 % without and 1.1 % with the transformer, seed 0. Try more seeds before you believe it.
# </details>

# %% [markdown]
# ## Keep
#
# - **Upright digits cannot show that a transformer helps.** Give it work, and compare it with a baseline.
# - **Know how you know**: compare the angle of each digit with the angle of its grid, and take each digit's own theta away.
# - **Slow localization, identity start, border padding**; and watch theta, which says what broke.
#
# You have built, trained and questioned a spatial transformer. What next? Put one before a network of your own
# ([04](04_stn_model.ipynb) shows the three lines), and read the paper (Jaderberg et al., 2015), whose equations you now know as
# code.
