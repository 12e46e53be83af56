# %% [markdown]
# # 06 · Attention in clutter: what if the digit is somewhere, among other things?
#
# At the end you will have trained a transformer that finds a digit in a large picture, among other things, and you can say by how many pixels its gaze is off. And you will know what such a look costs, and what to compare it with.
#
# **45 minutes to read, 85 with the exercises · needs notebooks 02 to 05 · runs on CPU or GPU, offline**

# %%
import math
import statistics
import warnings
from dataclasses import replace

import torch
import torch.nn.functional as F
from IPython.display import Markdown

from stn_course import (
    checks,
    clutter,
    comparison,
    data,
    device,
    models,
    plotting,
    training,
    transforms,
)
from stn_course.alignment import window_box
from stn_course.plotting import rounded, show
from stn_course.plotting.drawing import new_figure
from stn_course.samplers import warp
from stn_course.widgets import FindLab, Monitor, Quiz, ReplayLab

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))

# %% [markdown]
# Three questions from earlier notebooks, before you begin:
#
# 1. A theta has 0.5 twice on its diagonal and zeros elsewhere. Is the digit larger or smaller in the output?
# 2. You shrink a picture by a factor of four. What goes wrong, and what do you do about it?
# 3. Two networks were trained for equally many epochs. Was that a fair fight?
#
# <details><summary>Answers</summary>
#
# 1. Larger: the grid covers half of the width and half of the height, and theta says where the output reads.
# 2. Most pixels are never read, and fine patterns turn into coarse ones that were never there: average first.
# 3. Only if an epoch costs both the same.
# </details>
#
# ## The question
#
# So far, every digit filled its picture. Now the pictures have 60×60 pixels: one digit at a random place, and six fragments
# of other digits, each 6×6 pixels. This is a task of the paper's (appendix A.4). `random_clutter` makes such pictures, as
# `random_rotation` turned digits: anew for each batch in training, and once, with a fixed seed, for the test.

# %%
images, labels = data.load_digits("test", chosen)
make_clutter = clutter.random_clutter()
pictures, boxes = make_clutter(images, torch.Generator().manual_seed(1))
show(
    plotting.image_grid(
        pictures[:8],
        labels[:8].tolist(),
        columns=4,
        title="one digit in each picture, and six fragments of others",
    ),
    "eight pictures of 60 by 60 pixels; each shows one whole digit at another place, and small pieces of strokes around it.",
)

# %% [markdown]
# `boxes` says where each digit lies: left, top, width and height in pixels, counted from the picture's top left corner. They
# are for measuring only. No network in this notebook ever sees one; all a network is told in training is which digit it was.

# %% tags=["tolerance=0.5"]
share = (boxes[:, 2] * boxes[:, 3]).float().mean() / 60**2
print("the first digit's box:", boxes[0].tolist())
print(f"on average, a digit's box covers {100 * share:.1f} % of its picture")

# %% [markdown]
# **Predict:** what must a CNN learn in order to read such pictures? Then answer the quiz.

# %%
Quiz("clutter_cnn")

# %% [markdown]
# ## Play: you are the transformer
#
# Drag the box to the digit: its centre moves it, its corner resizes it (so do the sliders and the arrow keys). The classifier
# of notebook 05, which learned upright digits and nothing else, reads what is in the box. It knows digits with some room
# around them, 20 pixels in a frame of 28, so a tight box confuses it. Your score is the probability that it gives to the
# right digit, summed over ten pictures. Then press *Show the network's boxes*: then a network that you will meet again below plays beside you. Who is better, and where?

# %%
knows_upright = models.PlainNet().eval()  # the frozen classifier of notebook 05
knows_upright.load_state_dict(models.load_straightener().state_dict(), strict=False)
ten = [(labels == digit).nonzero()[0].item() for digit in range(10)]
find_lab = FindLab(
    pictures[ten], labels[ten], knows_upright, models.load_trained("clutter_transformer")
)
find_lab

# %%
show(
    find_lab.figure(),
    "the first of ten cluttered pictures with a box around all of it, what is read in the box, a bar for each of the "
    "classifier's ten probabilities; below, the ten pictures with the certainty of the right answer.",
)

# %% [markdown]
# ## Build 1: a look is three numbers
#
# To look somewhere, you need neither a turn nor a shear. You need to know how much to take in, and where:
#
# | paper, eq. 2 | here | meaning |
# | --- | --- | --- |
# | *s* | `scale` | the box is *s* times as wide and high as the picture |
# | *t*<sub>x</sub> | `x` | its centre, from -1 (left edge) to 1 (right edge) |
# | *t*<sub>y</sub> | `y` | the same, from top to bottom |
#
# The paper calls this **attention**. `transforms.attention` puts the three numbers into a theta:

# %%
print(transforms.attention(scale=0.5, x=0.25, y=-0.5)[0])


# %% [markdown]
# Which theta would a perfect transformer choose? You have the boxes, so you can say. The window should have 28×28 pixels, as
# the classifier knows it, so its scale is 28/60. Its centre is that of the box; from pixels to normalised coordinates, 0 to
# 60 becomes -1 to 1.


# %%
def looking_at(boxes, window=28, size=60):
    """Theta (B, 2, 3) of square windows in a square picture, each around the centre of a box (B, 4)."""
    centre = boxes[:, :2] + boxes[:, 2:] / 2  # (B, 2), in pixels from the picture's corner
    x, y = (2 * centre / size - 1).unbind(dim=1)
    return transforms.attention(window / size, x, y)


told = looking_at(boxes)
print("theta for the first picture:", rounded(told[0]))

# %%
show(
    plotting.boxes(
        pictures[:4], told[:4], boxes[:4], title="a window of 28×28 pixels around the digit"
    ),
    "four pictures; around each digit a dashed box, and around that a larger square one.",
)

# %% [markdown]
# **Predict:** what share of the pictures does the classifier of notebook 05 misread if each picture is shrunk to 28×28
# pixels? And what share if somebody tells it where to look?

# %% tags=["hide-output", "tolerance=2"]
whole = transforms.identity(device=chosen)
print("error of the classifier for upright digits, in percent:")
for name, theta in {"the whole picture, shrunk": whole, "a perfect look": told}.items():
    seen = data.normalise(warp(pictures, theta, (28, 28), antialias=True))
    print(f"{name:25} {100 * (1 - training.evaluate(knows_upright.to(chosen), seen, labels)):.1f}")

# %% [markdown]
# For this classifier, which knows digits of one size in the middle, knowing where to look is nearly all of the task. Of the rest, some are the classifier's own errors, and some come from fragments inside the window, of which it knows nothing.
#
# ## Build 2: look at half the resolution, read from the full picture
#
# To say *where* something lies, you need not see it sharply. So the network of this notebook looks and reads separately:
#
# - **Look:** the localization network gets a copy of half the resolution, 30×30 pixels, and answers with the three numbers.
# - **Read:** the sampler takes 28×28 pixels out of the *full* picture, and a small CNN reads them.
#
# `models.AttentionNet` is these two parts and one line, `self.reader(self.transformer(x))`. Its transformer is the class you
# built in notebook 04, with `transformation="attention"`: the head has three numbers. It starts at half the picture's size,
# in the middle, where a window shows all of its pixels.

# %%
net = models.AttentionNet()
print(net.transformer.localization)

# %% [markdown]
# Note what it does not have: pooling after its second convolution. Pooling makes a CNN indifferent to small shifts. That helps to say *what*, and hurts when the question is *where*.
#
# What does the look cost, and what does it save? Count the multiplications for one picture. All readers are the same CNN;
# only its first linear layer depends on the size of what it reads:

# %%
picture, window = pictures[:1].cpu(), pictures[:1, :, :28, :28].cpu()
counts = {
    "look, at 30×30": (net.transformer.localization, picture),
    "read, 28×28": (net.reader, window),
    "read the whole, 60×60": (models.DigitReader(60), picture),
    "read the whole, pooled": (models.CLUTTER_NETWORKS["pooled"](), picture),
}
for name, (part, shown) in counts.items():
    print(f"{name:23} {comparison.multiply_adds(part, shown) / 1e6:5.1f} million multiply-adds")


# %% [markdown]
# ## Build 3: pool before you shrink
#
# A box may be large. Read 28×28 pixels from a box of 60, and neighbouring output pixels lie more than two input pixels apart:
# some input pixels are skipped, as you saw in notebook 03. Averaging first helps, but by how much depends on theta, which
# differs from picture to picture. The usual answer is a **pyramid**: copies of the picture, each half as wide and high as the
# one before. Here `input` is (B, C, H, W), and `output_size` is the (H', W') that will be read:


# %%
def pyramid(input, output_size):
    ratio = max(old / new for old, new in zip(input.shape[2:], output_size, strict=True))
    levels = [input]
    for _ in range(max(1, math.ceil(math.log2(ratio)))):
        height, width = levels[-1].shape[2:]
        half = (math.ceil(height / 2), math.ceil(width / 2))
        levels.append(F.adaptive_avg_pool2d(levels[-1], half))
    return levels


print("sizes:", [tuple(copy.shape[2:]) for copy in pyramid(pictures[:1], (15, 15))])


# %% [markdown]
# Each copy covers the same picture, so the same grid, in normalised coordinates, reads any of them. Which one should it read?
# The one on which the grid's points lie one pixel apart. The determinant of theta's left 2×2 part says how much of the
# picture's area the grid covers. Divide the area in pixels by the number of output pixels, and you have the area for each of
# them. Its square root is their distance, and the logarithm of that to base 2 is the level: a distance of 1 is level 0, 2 is
# level 1, 4 is level 2.


# %%
def pyramid_level(theta, size, output_size):
    (height, width), (new_height, new_width) = size, output_size
    (a, b), (c, d) = theta[:, 0, :2].unbind(1), theta[:, 1, :2].unbind(1)
    area = (a * d - b * c).abs() * (height * width) / (new_height * new_width)
    return area.clamp(min=1).log2() / 2


print("output of 28×28 from boxes of 28, 42 and 56 pixels in a picture of 60:")
three = torch.cat([transforms.attention(width / 60) for width in (28, 42, 56)])
print("level", rounded(pyramid_level(three, (60, 60), (28, 28))))

# %% [markdown]
# Between two levels, both are read, and the results are mixed by their distance, as a bilinear sampler does between two
# pixels. Graphics cards have done this for decades and call it trilinear filtering. `warp(…, antialias=True)` does it, and so
# does `SpatialTransformer(…, antialias=True)`. Here 15×15 pixels are read from the whole picture, one for every four along
# each axis:

# %%
shrunk = [
    warp(pictures[:4], transforms.identity(device=chosen), (15, 15), antialias=on)
    for on in (False, True)
]
both = torch.cat([F.interpolate(output, (60, 60), mode="nearest") for output in shrunk])
show(
    plotting.image_grid(
        torch.cat([pictures[:4], both]),
        4 * ["60×60"] + 4 * ["15×15, read directly"] + 4 * ["15×15, pooled first"],
        columns=4,
        title="read directly, strokes break up; pooled first, they blur",
    ),
    "three rows of four pictures: the pictures, below them what is left of them at 15 by 15 pixels read directly, with broken "
    "strokes, and at the bottom the same pooled first, blurred but whole.",
)

# %% [markdown]
# How much does an output depend on where the pixels happen to lie? Move each picture by one pixel to the right and read it
# again. Nothing has changed that matters. By how much do the outputs change, as a share of their brightness?

# %% tags=["tolerance=3"]
some = pictures[:500, :, :, :-1]
here, moved = F.pad(some, (0, 1)), F.pad(some, (1, 0))
print("what a shift by one pixel changes in the 15×15 outputs:")
for name, on in [("read directly", False), ("pooled first", True)]:
    first, second = (warp(part, whole, (15, 15), antialias=on) for part in (here, moved))
    print(f"{name:13} {100 * (first - second).abs().sum() / first.sum():.0f} % of the brightness")

# %% [markdown]
# The pooled copy changes less, though still by a third: the reader sees a digit that moved less differently. Theta gains, too: its
# gradient reaches one pixel (notebook 03), and in a pooled copy a pixel is larger, so the gradient comes from further away.
#
# ## Train
#
# Nobody tells the network where the digits are. It starts with one window for all, half the picture's size, in the middle; it
# is given pictures and labels, and the loss of notebook 05. **Predict:** what does it learn first, to look or to read? Run
# the next two cells, and watch the boxes under the first one while the second one trains, for a quarter of an epoch.

# %%
monitor = Monitor(output_size=(28, 28), antialias=True)
monitor

# %% tags=["nbval-ignore-output"]
quick = replace(
    training.RECIPES["clutter"],
    name="quick",
    epochs=2,
    learning_rate=0.008,
    localization_factor=0.2,
)
few = pictures[:2000], labels[:2000]
device.seed_everything(0)
starter = models.AttentionNet()
begun = training.fit(
    starter,
    quick,
    epochs=0.25,
    test=few,
    distort=make_clutter,
    watch=monitor,
    progress=False,
)
print(f"this run: {begun.seconds[-1]:.0f} s")

# %% tags=["tolerance=6"]
print(f"error after a quarter of an epoch: {100 * (1 - begun.accuracy):.1f} %")

# %% [markdown]
# All of the training takes ten epochs by the recipe `clutter`, about five minutes of one core. It was recorded. To train here
# and now, set `live = True`: two epochs by the recipe `quick`, about a minute on two cores, which end near 3 %.

# %%
live = False  # True: train the network that finds digits now


def recorded_or_live():
    """The network that finds digits and its history: as recorded, or trained now."""
    if not live:
        trained = models.load_trained("clutter_transformer")
        return trained.to(chosen), training.load_recording("clutter_transformer")
    device.seed_everything(0)
    model = models.AttentionNet()
    return model, training.fit(model, quick, test=(pictures, labels), distort=make_clutter)


finder, found = recorded_or_live()

# %% [markdown]
# Press the play button, and watch twelve boxes travel. The network has never seen these pictures in training. When do the
# boxes begin to differ from each other? Do they grow or shrink at first, and later?

# %%
replay_lab = ReplayLab(found, output_size=(28, 28), antialias=True)
replay_lab

# %%
show(replay_lab.figure(), replay_lab.text)

# %% [markdown]
# The same film as a strip: four pictures, from the first step to the last. The dashed boxes are the digits'.

# %%
last = len(found.probe_steps) - 1
frames = [0, last // 20, last // 4, last]
show(
    plotting.boxes(
        found.probe_images[:4].repeat(4, 1, 1, 1),
        torch.cat([found.probe_thetas[frame][:4] for frame in frames]),
        boxes[:4].cpu().repeat(4, 1),
        [f"step {found.probe_steps[frame]}" for frame in frames for _ in range(4)],
        title="from one window for all to a window for each digit",
    ),
    "four rows of the same four pictures with the window's box and the digit's. In the first row all windows are alike and in "
    "the middle; in the last each window surrounds its digit.",
)

# %% tags=["tolerance=0.3"]
shown = data.normalise(pictures)
error = 100 * (1 - training.evaluate(finder, shown, labels))
print(f"error on 10,000 pictures that it has never seen: {error:.2f} % (the paper's ST-CNN: 1.7 %)")


# %% [markdown]
# ## Measure: does it look where the digit is?
#
# The boxes say where the digits are, so you can measure how well it looks. Two numbers do: **how far** the window's centre is
# from the digit's, in pixels, and **how much** of the digit lies inside the window. `window_box` turns a theta back into a
# box (you will write that yourself in Try).


# %%
def centre_distance(theta, boxes, size):
    window, boxes = window_box(theta, size), boxes.to(theta)
    apart = window[:, :2] + window[:, 2:] / 2 - boxes[:, :2] - boxes[:, 2:] / 2
    return apart.norm(dim=1)


# %% [markdown]
# Two boxes overlap from the later of their left sides to the earlier of their right ones, and likewise from top to bottom.
# Where the later side lies beyond the earlier one, they do not overlap at all.


# %%
def share_inside(theta, boxes, size):
    window, boxes = window_box(theta, size), boxes.to(theta)
    first = torch.maximum(window[:, :2], boxes[:, :2])
    last = torch.minimum(window[:, :2] + window[:, 2:], boxes[:, :2] + boxes[:, 2:])
    return ((last - first).clamp(min=0) / boxes[:, 2:]).prod(dim=1)


# %% [markdown]
# **Predict** both numbers before training and after it.


# %% tags=["hide-output", "tolerance=3"]
@torch.no_grad()
def windows(net, pictures):
    """The thetas (B, 2, 3) that a network chooses for pictures from 0 to 1."""
    net.eval()
    net.transformer(data.normalise(pictures))
    return net.transformer.theta


print("how the window lies:")
looks = {"before": models.AttentionNet().to(chosen), "a quarter epoch": starter, "trained": finder}
thetas = {name: windows(net, few[0]) for name, net in looks.items()}
truth = boxes[:2000]
for name, theta in thetas.items():
    distance, share = (f(theta, truth, (60, 60)).mean() for f in (centre_distance, share_inside))
    width = 60 * theta[:, 0, 0].mean()
    print(f"{name:15} {distance:4.1f} pixels off, {100 * share:5.1f} % inside, {width:.0f} wide")


# %% tags=["hide-cell"]
def far_at_most(theta):
    """How far the centres are apart at most in each share of the pictures, (101,) in pixels."""
    distances = centre_distance(theta, truth, (60, 60)).cpu()
    return torch.quantile(distances, shares / 100)


shares = torch.linspace(0, 100, 101)  # in percent
far = {name: far_at_most(theta) for name, theta in thetas.items()}
show(
    plotting.curves(
        shares,
        far,
        "share of the pictures, %",
        "distance between the centres at most, pixels",
        "training brings the window's centre closer to the digit's",
        markers=False,
    ),
    "three rising curves of distance over the share of pictures; the one before training lies far above the other two.",
)

# %% [markdown]
# Two things may surprise you. The windows **grow** early, and stay large: half of the picture's width and more. (The first rows are of the live run, the last of the recorded one.) Nothing in the loss asks for a tight one. Probably a digit that is cut off costs much, and a fragment that is let in little, since the reader learns to read past it. So the window takes a margin, and gives up some resolution for it. And the digit need not lie in the middle. An
# offset that is the same in all pictures costs nothing, for the reader gets used to it. How much of the distance is such a
# habit? Take the mean offset away, and see what is left:

# %% tags=["hide-output", "tolerance=1"]
window = window_box(thetas["trained"], (60, 60))
offset = window[:, :2] + window[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2  # (x, y) in pixels
left = (offset - offset.mean(dim=0)).norm(dim=1).mean()
print("the trained windows:")
print(f"their mean offset: {offset.mean(dim=0)[0]:+.1f} in x and {offset.mean(dim=0)[1]:+.1f} in y")
print(f"left over without it, on average: {left:.1f} pixels")

# %% [markdown]
# So the habit is a small part. The rest differs from picture to picture: the look is coarse, and the wide window makes up for that.
#
# Does the reader rely on the window? Take it away, as in notebook 05: give all pictures the same window, the mean of all. (A reader
# that had been trained without a look would do better than that: *pooled*, below, is one.)

# %% tags=["hide-output", "tolerance=6"]
one = thetas["trained"].mean(dim=0, keepdim=True)
seen = warp(shown[:2000], one, (28, 28), padding_mode="border", antialias=True)
same = 100 * (1 - training.evaluate(finder.reader, seen, labels[:2000]))
print("error, in percent:")
print(f"a window for each picture: {error:.1f}")
print(f"one window for all:        {same:.1f}")

# %% [markdown]
# ## Is it worth it?
#
# Notebook 05 ended with a warning: on small centred digits, a plain CNN with equal time draws level. Here are its rivals. All
# three have the same small CNN:
#
# - **plain**: reads the whole picture, 60×60.
# - **pooled**: reads the whole picture at half its resolution, 30×30.
# - **transformer**: looks at 30×30, reads 28×28.
#
# Each row of the table is a network and a number of epochs: as many as the transformer's, or as many as fit into its time. An
# interval is that of a mean over seeds, as in notebook 05. `python -m stn_course.comparison` makes any one of these runs, and
# `stn-course table clutter` all of them.
#
# **Predict:** who is best with equal time? And which of the rivals is the stronger one? (*plain* has no row with equal epochs: ten of its
# epochs would take nearly four times as long.)

# %% tags=["hide-output"]
table = comparison.load_comparison("clutter")
Markdown(comparison.to_markdown(table))


# %% tags=["hide-output"]
def against(row, rival):
    """How much higher the error of a row is than another's, with a 95 % interval."""
    more, half = comparison.difference_of_means(row.errors, rival.errors)
    return f"{more:+.2f} ± {half:.2f} points"


print("error, beside the transformer's:")
(own,) = [row for row in table.rows if row.network == "transformer"]
for row in table.rows:
    if row is not own:
        cost = f"{row.multiply_adds / own.multiply_adds:.1f} times the multiply-adds"
        print(f"{row.network:6} {row.epochs:4g} epochs, {cost}: {against(row, own)}")

# %% tags=["hide-cell"]
figure, axes = new_figure()
marks = {"plain": ("o", "input"), "pooled": ("s", "y"), "transformer": ("D", "output")}
for row in table.rows:
    (mark, colour), (mean, half) = marks[row.network], comparison.interval(row.errors)
    look = {"fmt": mark, "color": plotting.COLOURS[colour], "capsize": 4}
    look["mfc"] = "white" if row.epochs != own.epochs else None  # hollow: equal time
    seconds = statistics.median(row.cpu_seconds)
    axes.errorbar(seconds, mean, half, label=f"{row.network}, {row.epochs:g} epochs", **look)
axes.set(xlabel="seconds of CPU time to train", ylabel="error, %")
axes.set_title(
    "error against time: lower and further left is better\n(hollow: as much time as the transformer)",
    fontsize=11,
)
axes.grid(alpha=0.3)
axes.legend()
show(
    figure,
    "points with intervals, one for each row of the table: its error over the seconds of CPU time that its training took.",
)

# %% [markdown]
# Read the table with three questions:
#
# - **What does *plain* pay?** Six times the multiply-adds, most of them spent on pixels where nothing is. With equal time it
#   gets few epochs.
# - **What does *pooled* pay?** Resolution. In multiply-adds it is the cheapest of the three, it needs no look, and it is a strong
#   opponent. The interval of their difference holds 0: three seeds leave it open which of the two is better on these pictures. Where
#   you cannot tell, pooling is the simpler engineering.
# - **What does the transformer pay?** A look for each picture, and a reading through a grid: in time much more than in multiply-adds. It reads more finely where it matters, and its reader
#   costs the same however large the picture is.
#
# The last point decides, if the digits stay as large as they are. Make the picture twice as wide and high, and *plain* and *pooled*
# cost more than four times as much: *pooled* then costs what *plain* costs now. For the transformer only the look grows, or it looks
# at a coarser copy. That is arithmetic of cost, not of error, and larger pictures are harder to find a digit in, too; the course has no table of them. A **quiz**:

# %%
Quiz("attention_pays")

# %% [markdown]
# ## Two digits, one sum
#
# The paper adds digits: two of them in one picture, and the label is their **sum**, nothing else. No one says which digits
# they are, or where. `pair_up` draws a second digit for each, and `scattered_pairs` puts both into one picture.

# %%
generator = torch.Generator().manual_seed(1)
pairs, sums = clutter.pair_up(images, labels, generator)
sum_pictures, sum_boxes = clutter.scattered_pairs()(pairs, generator)
show(
    plotting.image_grid(
        sum_pictures[:4],
        [f"sum {total}" for total in sums[:4].tolist()],
        columns=4,
        title="two digits; the label is their sum",
    ),
    "four pictures of 60 by 60 pixels with two digits each, at random places that do not overlap.",
)


# %% [markdown]
# `models.AdditionNet` has two transformers in parallel, as in notebook 04, and one reader for both windows. The reader gives
# each window's ten probabilities. The probability of a sum follows from them: 7 is 0 and 7, or 1 and 6, or 2 and 5 … So the
# reader must learn the digits, though it is never told a single one. One window starts left of the middle, the other right of
# it.
#
# This network was trained for three epochs and recorded, as `tools/pretrain.py` says. **Predict:** will each window find a
# digit of its own? Does the one that started on the left always take the digit on the left?


# %% tags=["hide-output", "tolerance=3"]
@torch.no_grad()
def both_windows(net, pictures):
    """The theta of each window, the digit that is read in it, and the sum."""
    shown = data.normalise(pictures)
    digits, total = net.read(shown).argmax(dim=2), net(shown).argmax(dim=1)
    return [window.theta for window in net.windows], digits, total


adder = models.load_trained("addition_apart").to(chosen)
some, truth = sum_pictures[:2000], sum_boxes[:2000]
thetas_of_both, read, total = both_windows(adder, some)
far = torch.stack(
    [
        torch.stack([centre_distance(theta, truth[:, i], (60, 60)) for i in (0, 1)])
        for theta in thetas_of_both
    ]
)  # (window, digit, picture)
nearest = far.argmin(dim=1)  # (window, picture): which digit a window is closer to
print("two windows with different starts:")
print(f"wrong sums of the first 2,000: {100 * (total != sums[:2000]).float().mean():.1f} %")
apart = (nearest[0] != nearest[1]).float().mean()
print(f"each window nearest to a digit of its own: {100 * apart:.1f} % of the pictures")
print(f"from a window's centre to its digit's: {far.amin(dim=1).mean():.1f} pixels")

# %% tags=["hide-cell"]
names = [
    f"{which} reads {digit}"
    for which, row in zip(("first", "second"), read[:4].T.tolist(), strict=True)
    for digit in row
]
at = torch.arange(4, device=chosen)
show(
    plotting.boxes(
        some[:4].repeat(2, 1, 1, 1),
        torch.cat([theta[:4] for theta in thetas_of_both]),
        torch.cat([truth[at, row[:4]] for row in nearest]),
        names,
        title="upper row: the first window; lower row: the second",
    ),
    "the four pictures twice: above with the box of the first window, below with that of the second; dashed, the digit that "
    "the window is closer to.",
)

# %% [markdown]
# Nobody told the network which digits a picture holds, or where they lie: the sums were all it had. (That the windows start apart was our doing.) In two channels, as in the paper, each digit has a layer of its own, and the digits may overlap. Here are the errors of three recorded runs; *twins* are two windows with the same weights and the same start, and come back in Break. **Predict** the three errors.

# %% tags=["hide-output", "tolerance=0.3"]
print("wrong sums after three epochs, in percent of all test pictures:")
for name in ("apart", "channels", "twins"):
    run = training.load_recording(f"addition_{name}")
    print(f"{name:9} {100 * (1 - run.accuracy):.1f}")


# %% [markdown]
# In two channels the task is harder than it seems: both windows see both channels, so each must learn not only where to read but also in which channel,
# and the shared reader must leave the other one out. After three epochs it has more to learn. (One seed each.)

# %% [markdown]
# ## Break
#
# **1. The same start.** The twins are two windows with the same weights, and both start in the middle. Compare the gradients
# that the heads of the two windows get from 64 pictures. **Predict:** by how much do they differ for twins? And for windows
# that start apart?


# %% tags=["hide-output", "tolerance=1e-3"]
def difference_of_gradients(starts):
    """Between the heads of two windows, as a share of the larger gradient, in percent."""
    device.seed_everything(0)
    net = models.AdditionNet(starts).to(chosen)
    F.nll_loss(net(data.normalise(sum_pictures[:64])), sums[:64]).backward()
    first, second = (window.head[0].bias.grad for window in net.windows)
    return 100 * (first - second).norm() / torch.maximum(first.norm(), second.norm())


middle, left, right = (0.5, 0.0, 0.0), (0.5, -0.4, 0.0), (0.5, 0.4, 0.0)
print("how much the gradients of the two windows differ, in percent of the larger:")
print(f"same start: {difference_of_gradients((middle, middle)):.3f}")

# %% tags=["hide-output", "tolerance=40"]
print("and with different starts:")
print(f"left and right: {difference_of_gradients((left, right)):.0f}")

# %% [markdown]
# Equal windows read the same, get the same gradient, take the same step, and are equal again, for ever. What can twins still
# do? They can take one window for both digits, and answer *half this digit, half that one*: then the right sum has a
# probability of a half, and each of two wrong ones a quarter. That may be enough to name the right sum, and it is never enough
# to be sure of it: if the sum is odd, the two digits differ, and the loss of twins is at least -log(1/2). (Twice the product of two shares that add up to 1 is a half at most. An even sum has a way out: half of it, twice.) Half of the sums are odd, so the mean loss is at least half of that. Look at it:

# %% tags=["tolerance=0.1"]
for name in ("apart", "twins"):
    losses = training.load_recording(f"addition_{name}").losses
    print(f"{name:6} loss at the end {torch.tensor(losses[-100:]).mean():.2f}")
print(f"half of -log(1/2) is {math.log(2) / 2:.2f}")

# %% [markdown]
# **2. The look learns as fast as the reading.** Again a quarter of an epoch by the recipe `quick`, but with a
# `localization_factor` of 1. **Predict:** are its windows closer to the digits, or further away? And the error?

# %% tags=["hide-output", "tolerance=6"]
device.seed_everything(0)
hasty, full_rate = models.AttentionNet(), replace(quick, localization_factor=1.0, epochs=0.25)
with warnings.catch_warnings():  # they are kept in findings
    warnings.simplefilter("ignore", training.CollapseWarning)
    rushed = training.fit(hasty, full_rate, test=few, distort=make_clutter, progress=False)
print("after a quarter of an epoch:")
for name, net, run in (("factor 0.2", starter, begun), ("factor 1", hasty, rushed)):
    theta = windows(net, few[0])
    off = centre_distance(theta, boxes[:2000], (60, 60)).mean()
    print(f"{name:10} error {100 * (1 - run.accuracy):.0f} %, {off:.1f} pixels off")

# %% [markdown]
# A likely reason: in the first steps the reader cannot read yet, so what it tells the look is noise. A slow look waits for a better teacher; a hasty one has moved by then. (One seed: try others.)
#
# **3. The grey frame, on clutter.** A user of the tutorial's page took its network to cluttered digits and reported that it
# collapsed: its window zoomed out and did not come back ([issue 1117](https://github.com/pytorch/tutorials/issues/1117)). The
# input is normalised, so black is -0.42. Padding with zeros draws a grey frame around it (notebook 03), and the window can
# lower the loss by moving that frame about. To see that happen within seconds, let the window start at the whole picture, as the page's
# does, and the look learn at five times the rate of the reading. Three runs of a tenth of an epoch were recorded, with the same
# seed: padded with `zeros`; padded with `border`; and padded with `border` while the look learns at 0.4 of the reader's rate.
# **Predict** for each the share of the grid that is outside at the end, and what `fit` finds.

# %% tags=["hide-output"]
print("what fit found:")
rushes = {name: training.load_recording(f"frame_{name}") for name in ("zeros", "border", "mended")}
for name, run in rushes.items():
    print(f"{name:7}", ", ".join(run.findings) or "nothing")

# %% tags=["hide-cell"]
outside = {
    name: [training.signs(theta).outside for theta in run.probe_thetas]
    for name, run in rushes.items()
}
show(
    plotting.curves(
        rushes["zeros"].probe_steps,
        outside,
        "step",
        "share of the grid outside",
        "padded with zeros, the window leaves the picture",
    ),
    "three curves over the steps: padded with zeros, the share of the grid outside the picture soon rises to 1 and stays there; "
    "in the two runs padded with border it stays below a fifth.",
)

# %% tags=["hide-output", "tolerance=8"]
print("error at the end, in percent:")
for name, run in rushes.items():
    print(f"{name:7} {100 * (1 - run.accuracy):.0f}")

# %% [markdown]
# Outside the picture everything is the same, so there is no gradient, and no way back: the dead zone of notebook 03.
# `findings` names both causes, the rate and the padding. With `border`, this run stays in the picture, but at such a rate its window
# is the same for every picture (`spread`): padding alone is no cure, and with other seeds it too has left the picture. So take both remedies: black outside, and a look that learns more slowly. (Whether the window zoomed out or moved out, this curve does not say.)
#
# **4. Zoom by four, without pooling.** Photographs are larger than 60 pixels, and they have grain. Enlarge the pictures by
# four, and give each pixel some noise of its own. The network looks at a small copy, as before; then it reads 28×28 pixels
# out of 240×240, about six apart. **Predict:** how much does pooling first change the error?

# %% tags=["hide-output", "tolerance=4"]
large = F.interpolate(pictures[:500], scale_factor=4, mode="nearest")
noise = torch.randn(large.shape, generator=torch.Generator().manual_seed(0)).to(chosen)
grainy = data.normalise(large + 0.5 * noise)
theta = windows(finder, F.avg_pool2d(large + 0.5 * noise, 4))
reading = {
    name: warp(grainy, theta, (28, 28), padding_mode="border", antialias=on)
    for name, on in (("without pooling", False), ("pooled first", True))
}
print("error in percent:")
for name, seen in reading.items():
    wrong = 100 * (1 - training.evaluate(finder.reader, seen, labels[:500]))
    print(f"{name:15} {wrong:.1f}")

# %% tags=["hide-cell"]
rows = reading.values()
both = data.denormalise(torch.cat([seen[:6] for seen in rows])).clamp(0, 1)
show(
    plotting.image_grid(
        both,
        6 * ["read directly"] + 6 * ["pooled first"],
        columns=6,
        title="read directly, the grain stays; pooled first, it is averaged away",
    ),
    "six windows twice: above full of grain, below the same digits nearly clean.",
)


# %% [markdown]
# Read directly, an output pixel has the grain of four input pixels at most; the others around it are never seen. Pooled first, it is
# a mean of them all. The network was trained on neither.

# %% [markdown]
# ## Try
#
# Five exercises with a check that answers, and one to run. Write in place of the dots, run the cell, and read what the check
# says. `checks.hint("theta_of_box")` gives a first hint, and another one each time you call it;
# `checks.solution("theta_of_box")` shows the answer.
#
# **1. Write** attention's theta of a box: the smallest window that has the whole box in it, with the same middle. A box need
# not be a square, and neither need the picture. Predict: which box has the identity as its theta?


# %%
# my prediction: …
def my_theta_of_box(left, top, width, height, size):
    # the box in whole pixels of the picture, from its top left corner; size: (H, W) of the picture
    # the answer: theta (1, 2, 3), one scale for both axes, align_corners=False
    ...


checks.theta_of_box(my_theta_of_box)


# %% [markdown]
# **2. Write** the way back, for any theta: the smallest upright box that contains its window. Predict: what does a mirror, with -0.5 as its first number, change in the box?


# %%
# my prediction: …
def my_box_of_theta(theta, size):
    # theta: (B, 2, 3); size: (H, W) of the picture
    # the answer: (B, 4): left, top, width, height in pixels, from the picture's top left corner
    ...


checks.box_of_theta(my_box_of_theta)


# %% [markdown]
# **3. Write** an antialiased crop without `pyramid` and `pyramid_level`: where neighbours in the output read 2 or 4 pixels
# apart, pool by that factor, then read. (They are 1/2, 1, 2 or 4 pixels apart here, and nothing between; up to 1, read the picture itself.) Predict: how
# must theta change, now that the picture it reads is smaller?


# %%
# my prediction: …
def my_crop(image, theta, output_size):
    # image: (B, 1, H, W); theta: (1, 2, 3), attention; output_size: (H', W')
    # the answer: (B, 1, H', W'), bilinear, padded with zeros, align_corners=False
    ...


checks.antialiased_crop(my_crop)


# %% [markdown]
# **4. Write** two transformers of attention for pictures of 60×60 pixels, each with a 28×28 output, that start at two given
# boxes. They must learn: from these starts on, each chooses its own window for each picture. Predict: how much of this may
# the two share?


# %%
# my prediction: …
def my_starts(first, second):
    # first, second: (left, top, width, height) in pixels, as wide as high
    # the answer: two modules, (B, 1, 60, 60) -> (B, 1, 28, 28), each with its `theta`
    ...


checks.different_starts(my_starts)


# %% [markdown]
# **5. Repair.** This function turns the head's three numbers into theta. Its numbers are right, and yet no network with it
# has ever found a digit. Why?


# %%
def my_attention_theta(answer):
    # answer: (B, 3), scale, x and y of each window; returns theta (B, 2, 3)
    rows = [[[scale, 0, x], [0, scale, y]] for scale, x, y in answer.tolist()]
    return torch.tensor(rows)


checks.attention_theta(my_attention_theta)

# %% [markdown]
# **6. To run.** Twice as many fragments: `clutter.random_clutter(fragments=12)` for test pictures. How much worse does the
# trained network read them, and does it still find the digits? Predict first. (One run's answer is below.)
#
# <details><summary>Answers to what has no check</summary>
#
# **1.** The box that is the whole picture.
#
# **2.** Nothing: a mirror reads the same places in another order.
#
# **3.** Not at all: normalised coordinates mean the same place in every copy.
#
# **4.** Nothing. Each has a localization network of its own; if they shared one, their windows would move together.
#
# **5.** `tolist` makes plain numbers of tensors, and no gradient comes back through them: theta never changes.
#
# **6.** In one run it misread 2.6 % of them in place of 1.5 %, and its windows were 5.7 pixels off in place of 5.1.
# </details>

# %% [markdown]
# ## Keep
#
# - **A transformer pays where looking is cheaper than reading.** It looks at a coarse copy, and reads a part of the picture more
#   finely.
# - **Measure the look itself**: pixels from window to thing, share inside, and the error when all get the same window.
# - **Pool before you shrink, start each window elsewhere, pad with black**, and let the look learn more slowly than the
#   reading.
#
# Does a spatial transformer help, then? On small centred digits, a plain CNN draws level. In clutter, it beats the CNN that reads the
# whole picture, in the same time and with a sixth of the multiply-adds; against the CNN on a pooled copy three seeds show no lead. And it tells you where it looked. Next: [07 · Beyond affine](07_beyond_affine.ipynb), on
# grids that bend.
