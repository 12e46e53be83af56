# %% [markdown]
# # 06 · Draft
#
# At the end you will have trained a transformer that finds a digit in a large picture, among other things, and you can say how
# far it looks from the digit, in pixels. And you will know when such a look is worth its cost.
#
# **0 minutes to read, no exercises**

# %%
import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from IPython.display import Markdown

from stn_course import (
    alignment,
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
# So far, every digit filled its picture. Now the pictures have 60×60 pixels: one digit at a random place, and six fragments of
# other digits, each 6×6 pixels. This is a task of the paper's (appendix A.4). `random_clutter` makes such pictures, as
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
# `boxes` says where each digit lies: left, top, width and height in pixels, counted from the picture's top left corner. They are
# for measuring only. No network in this notebook ever sees one; all a network is told in training is which digit it was.

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
# Drag the box to the digit: its centre moves it, its corner resizes it (so do the sliders and the arrow keys). The classifier of
# notebook 05, which learned upright digits and nothing else, reads what is in the box. It knows digits with some room around
# them, 20 pixels in a frame of 28, so a tight box confuses it. Your score is the probability that it gives to the right digit,
# summed over ten pictures. Then press *Show the network's boxes*: a network plays beside you that you will meet again below. Who
# is better, and where?

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
# Which theta would a perfect transformer choose? You have the boxes, so you can say. The window shall have 28×28 pixels, as the
# classifier knows it, so its scale is 28/60. Its centre is that of the box; from pixels to normalised coordinates, 0 to 60 becomes
# -1 to 1.


# %%
def looking_at(boxes, window=28, size=60):
    """Theta (B, 2, 3) of square windows in a square picture, each around the centre of a box (B, 4)."""
    centre = boxes[:, :2] + boxes[:, 2:] / 2  # (B, 2), in pixels from the picture's corner
    x, y = (2 * centre / size - 1).unbind(dim=1)
    return transforms.attention(window / size, x, y)


told = looking_at(boxes)
print("theta for the first picture:", rounded(told[0]))

# %% tags=["nbval-ignore-output"]
show(
    plotting.boxes(
        pictures[:4], told[:4], boxes[:4], title="a window of 28×28 pixels around the digit"
    ),
    "four pictures; around each digit a dashed box, and around that a larger square one.",
)

# %% [markdown]
# **Predict:** what share of the pictures does the classifier of notebook 05 misread if each picture is shrunk to its 28×28 pixels?
# And what share if somebody tells it where to look?

# %% tags=["hide-output", "tolerance=2"]
whole = transforms.identity(device=chosen)
print("error of the classifier of notebook 05, in percent:")
for name, theta in {"the whole picture, shrunk": whole, "a perfect look": told}.items():
    seen = data.normalise(warp(pictures, theta, (28, 28), antialias=True))
    print(f"{name:25} {100 * (1 - training.evaluate(knows_upright.to(chosen), seen, labels)):.1f}")

# %% [markdown]
# Knowing where to look is nearly all of the task. The rest are fragments inside the window, of which this classifier knows
# nothing.
#
# ## Build 2: look at half the resolution, read at full
#
# To say *where* something lies, you need not see it sharply. So the network of this notebook looks and reads separately:
#
# - **Look:** the localization network gets a copy of half the resolution, 30×30 pixels, and answers with the three numbers.
# - **Read:** the sampler takes 28×28 pixels out of the *full* picture, and a small CNN reads them.
#
# `models.AttentionNet` is these two parts and one line, `self.reader(self.transformer(x))`. Its transformer is the class you
# built in notebook 04, with `transformation="attention"`: the head has three numbers. It starts at half the picture's size, in the
# middle, where a window shows all of its pixels.

# %%
net = models.AttentionNet()
print(net.transformer.localization)

# %% [markdown]
# Note what it does not have: a second pooling. Pooling makes a CNN indifferent to small shifts. That helps to say *what*, and
# it harms to say *where*.
#
# What does the look cost, and what does it save? Count the multiplications for one picture. Behind it stands the same CNN, with
# a first layer of the size that it reads:

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
# A box may be large. Read 28×28 pixels from a box of 60, and neighbouring output pixels lie more than two input pixels apart: some input
# pixels are skipped, as you saw in notebook 03. Averaging first helps, but by how much depends on theta, which differs from
# picture to picture. The usual answer is a **pyramid**: copies of the picture, each half as wide and high as the one before.
# Here `input` is (B, C, H, W), and `output_size` is the (H', W') that will be read:


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
# The one on which the grid's points lie one pixel apart. The determinant of theta's left 2×2 part says how much of the picture's area the
# grid covers. Divide the area in pixels by the number of output pixels, and you have the area for each of them. Its square root
# is their distance, and the logarithm of that to base 2 is the level: a distance of 1 is level 0, 2 is level 1, 4 is level 2.


# %%
def pyramid_level(theta, size, output_size):
    (height, width), (new_height, new_width) = size, output_size
    (a, b), (c, d) = theta[:, 0, :2].unbind(1), theta[:, 1, :2].unbind(1)
    area = (a * d - b * c).abs() * (height * width) / (new_height * new_width)
    return area.clamp(min=1).log2() / 2


print("output of 28×28 from boxes of 28, 42 and 56 pixels in a picture of 60:")
thetas = torch.cat([transforms.attention(width / 60) for width in (28, 42, 56)])
print("level", rounded(pyramid_level(thetas, (60, 60), (28, 28))))

# %% [markdown]
# Between two levels, both are read, and the results are mixed by their distance, as a bilinear sampler does between two pixels. Graphics
# cards have done this for decades and call it trilinear filtering. `warp(…, antialias=True)` does it, and so does
# `SpatialTransformer(…, antialias=True)`. Here 15×15 pixels are read from the whole picture, four in from each side:

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
        title="read directly, strokes break; pooled first, they only blur",
    ),
    "three rows of four pictures: the pictures, below them what is left of them at 15 by 15 pixels read directly, with broken "
    "strokes, and at the bottom the same pooled first, blurred but whole.",
)

# %% [markdown]
# How much does an output depend on where the pixels happen to lie? Move each picture by one pixel to the right and read it again.
# Nothing has changed that matters. By how much do the outputs change, as a share of their brightness?

# %% tags=["tolerance=3"]
some = pictures[:500, :, :, :-1]
here, moved = F.pad(some, (0, 1)), F.pad(some, (1, 0))
print("what a shift by one pixel changes in the 15×15 outputs:")
for name, on in [("read directly", False), ("pooled first", True)]:
    first, second = (warp(part, whole, (15, 15), antialias=on) for part in (here, moved))
    print(f"{name:13} {100 * (first - second).abs().sum() / first.sum():.0f} % of the brightness")

# %% [markdown]
# The pooled copy changes less. That matters twice: the reader sees the same digit in the same way wherever it lies, and the
# gradient of theta, which comes from these very differences, points to where the digit is, not to the next pixel.
#
# ## Train
#
# Nobody tells the network where the digits are. It starts with one window for all, half the picture's size, in the middle; it is
# given pictures and labels, and the loss of notebook 05. **Predict:** what does it learn first, to look or to read? Run the next
# two cells, and watch the boxes in the first while the second one trains, for a quarter of an epoch.

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
# All of the training takes ten epochs by the recipe `clutter`, about five minutes of one core. It was recorded. To train here and
# now, set `live = True`: two epochs by the recipe `quick`, about a minute on two cores.

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
# Press the play button, and watch twelve boxes travel. The network has never seen these pictures in training. When do
# the boxes begin to differ from each other? When do they become smaller?

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
print(f"error on 10,000 pictures that it has never seen: {error:.2f} % (the paper's: 1.7 %)")

# %% [markdown]
# ## Measure: does it look where the digit is?
#
# The boxes say where the digits are, so you can measure how well it looks. Two numbers do: **how far** the window's centre is from the
# digit's, in pixels, and **how much** of the digit lies inside the window. `window_box` turns a theta back into a box (you will write
# that yourself in Try).


# %%
def centre_distance(theta, boxes, size):
    window, boxes = window_box(theta, size), boxes.to(theta)
    apart = window[:, :2] + window[:, 2:] / 2 - boxes[:, :2] - boxes[:, 2:] / 2
    return apart.norm(dim=1)


# %% [markdown]
# Two boxes overlap from the later of their left sides to the earlier of their right ones, and likewise from top to bottom. Where
# the later side lies beyond the earlier one, they do not overlap at all.


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
thetas = {name: windows(net, pictures) for name, net in looks.items()}
for name, theta in thetas.items():
    distance, share = (f(theta, boxes, (60, 60)).mean() for f in (centre_distance, share_inside))
    width = 60 * theta[:, 0, 0].mean()
    print(f"{name:15} {distance:4.1f} pixels off, {100 * share:5.1f} % inside, {width:.0f} wide")

# %% tags=["hide-cell"]
shares = torch.linspace(0, 100, 101)
far = {
    name: torch.quantile(centre_distance(theta, boxes, (60, 60)), shares.to(chosen) / 100).cpu()
    for name, theta in thetas.items()
}
show(
    plotting.curves(
        shares,
        far,
        "share of the pictures, %",
        "centres at most so far apart, pixels",
        "trained, the window's centre is a few pixels from the digit's",
        markers=False,
    ),
    "three rising curves of distance over the share of pictures; the one before training rises to more than twenty pixels, the "
    "trained one stays near the bottom.",
)

# %% [markdown]
# A window that takes in more than the digit is no mistake: the reader has learned to read it there, with some room around it. Nothing in the loss asks for
# the digit in the middle, so an offset that is the same for all costs nothing.
#
# Is the window of use? Take it away, as in notebook 05: give all pictures the same window, the mean of all.

# %% tags=["hide-output", "tolerance=6"]
one = thetas["trained"].mean(dim=0, keepdim=True)
seen = warp(shown, one, (28, 28), padding_mode="border", antialias=True)
same = 100 * (1 - training.evaluate(finder.reader, seen, labels))
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
# The table has equal epochs for all three, and then as many epochs for the two rivals as fit into the transformer's time. An
# interval is that of a mean over seeds, as in notebook 05. `python -m stn_course.comparison` makes any one of these runs, and
# `stn-course table clutter` all of them.
#
# **Predict:** who is best with equal epochs? With equal time? And which of the rivals is the stronger one?

# %% tags=["hide-output"]
table = comparison.load_comparison("clutter")
Markdown(comparison.to_markdown(table))


# %% tags=["hide-output"]
def against(row, rival):
    """How the error of a row compares with another's: in words, by their intervals."""
    (mean, half), (other, width) = (comparison.interval(x.errors) for x in (row, rival))
    if abs(mean - other) <= half + width:
        return "the intervals overlap"
    return f"the transformer's error is {'smaller' if other < mean else 'larger'}"


print("beside the transformer:")
(own,) = [row for row in table.rows if row.network == "transformer"]
for row in table.rows:
    if row is not own:
        cost = f"{row.multiply_adds / own.multiply_adds:.1f} times the multiply-adds"
        print(f"{row.network:6} {row.epochs:4g} epochs, {cost}: {against(row, own)}")

# %% [markdown]
# ## Try
#
# Five exercises with a check that answers, and one to run. Write in place of the dots, run the cell, and read what the check
# says. `checks.hint("theta_of_box")` gives a first hint, and another one each time you call it;
# `checks.solution("theta_of_box")` shows the answer.
#
# **1. Write** the theta of three numbers, for a batch, without `transforms.attention`.


# %%
def my_attention_theta(numbers):
    # numbers: (B, 3): scale, x, y of each window; the answer: (B, 2, 3)
    ...


checks.attention_theta(my_attention_theta)


# %% [markdown]
# **2. Write** the theta of a box: the grid shall cover the box exactly, from edge to edge. A box need not be a square, and neither
# need the picture, so there are two scales. Predict: what is theta for the box that is the whole picture?


# %%
# my prediction: …
def my_theta_of_box(boxes, size):
    # boxes: (B, 4): left, top, width, height in pixels, from the picture's top left corner
    # size: (H, W) of the picture; the answer: (B, 2, 3)
    ...


checks.theta_of_box(my_theta_of_box)


# %% [markdown]
# **3. Write** the way back: the box of a theta that neither turns nor shears. Predict: which box has a theta with -0.5 as its
# first number, a mirror?


# %%
# my prediction: …
def my_box_of_theta(theta, size):
    # theta: (B, 2, 3); size: (H, W) of the picture
    # the answer: (B, 4): left, top, width, height in pixels, from the picture's top left corner
    ...


checks.box_of_theta(my_box_of_theta)


# %% [markdown]
# **4. Write** an antialiased crop with one level, chosen by you: average the picture over blocks of `factor` by `factor` pixels,
# then read the window from that copy. Predict: what must you change in theta, now that the picture is smaller?


# %%
# my prediction: …
def my_antialiased_crop(input, theta, output_size, factor):
    # input: (B, C, H, W), H and W multiples of factor; theta: (B, 2, 3); output_size: (H', W')
    # the answer: (B, C, H', W'), bilinear, padded with the border, align_corners=False
    ...


checks.antialiased_crop(my_antialiased_crop)


# %% [markdown]
# **5. Write** different starts for several transformers: windows of equal size that stand side by side, from the left edge of the picture
# to its right edge, without a gap and without an overlap, halfway down. Predict: what scale do three windows have?


# %%
# my prediction: …
def my_different_starts(count):
    # count: how many windows; the answer: (count, 3): scale, x, y of each, from left to right
    ...


checks.different_starts(my_different_starts)

# %% [markdown]
# **6. To run.** Twice as many fragments: `clutter.random_clutter(fragments=12)` for test pictures. How much worse does the trained
# network read them, and does it still find the digits? Predict first. (One run's answer is below.)
#
# <details><summary>Answers to what has no check</summary>
#
# **2.** The identity.
#
# **3.** The same box as with 0.5: a mirror reads the same places in another order. Its width is positive all the same.
#
# **4.** Nothing. Theta is in normalised coordinates, and they mean the same place in every copy.
#
# **5.** A third.
#
# **6.** ANSWER6
# </details>

# %% [markdown]
# ## Keep
#
# - **A transformer pays where looking is cheaper than reading.** It looks at half the resolution, and reads only what it found.
# - **Measure the look itself**: pixels from window to thing, share inside, and the error when all get the same window.
# - **Pool before you shrink, start each window elsewhere, pad with black**, and let the look learn more slowly than the reading.
#
# What next? [05 · Training](05_training.ipynb) asked whether a spatial transformer helps. Now you have an answer with a
# condition: give it a picture that is larger than what matters in it.
