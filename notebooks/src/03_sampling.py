# %% [markdown]
# # 03 · Sampling: what colour is there, between the pixels?
#
# At the end you will have built PyTorch's `grid_sample`. You will be able to say what lies outside a picture, and
# to align two pictures by gradient descent on six numbers.
#
# **50 minutes to read, 120 with the exercises · needs notebook 02 · runs on CPU or GPU, offline**

# %%
import math

import torch
import torch.nn.functional as F

from stn_course import checks, data, device, grids, plotting, transforms
from stn_course.plotting import show
from stn_course.samplers import ALL_MODES, PADDING_MODES, bicubic, warp
from stn_course.validation import check_grid_sample
from stn_course.widgets import Quiz, SamplerLab, ThetaLab

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))

# %% [markdown]
# Three questions from notebook 02, before you begin:
#
# 1. Does `transforms.scale(0.5)` make the digit larger or smaller?
# 2. What is the shape of a grid, and which comes first in its last axis, x or y?
# 3. With `align_corners=False`, what lies at -1: the outer edge of the first pixel, or its centre?
#
# <details><summary>Answers</summary>
#
# 1. Larger: the grid covers half the width and half the height, and this part fills the output.
# 2. (B, H, W, 2), one place for each output pixel; x comes first.
# 3. The outer edge.
# </details>
#
# ## The question
#
# Notebook 02 ended with a grid: for each output pixel, a place in the input, in normalised coordinates from -1 to 1. Here
# are three of these places, converted to *pixels* (0 is the centre of the first pixel):

# %%
images, labels = data.load_digits("test")
digit = images[0]  # (1, 28, 28)
grid = grids.affine_grid(transforms.rotation(degrees=30), (1, 1, 28, 28))
pixels = ((grid[0, 10, 12:15] + 1) * 28 - 1) / 2
for x, y in pixels.tolist():
    print(f"read at x = {x:.2f}, y = {y:.2f}")

# %% [markdown]
# The picture has a value at (14, 10), but none at (13.95, 9.72). What should the output be there?
#
# ## Play
#
# Here is a piece of the seven, ten pixels wide. Drag the orange point, or move it with the arrow keys. The right-hand
# picture enlarges the pixels around it. A square, one pixel wide, surrounds the point. The area of each pixel that the
# square covers is that pixel's **weight**. *Bilinear* sampling takes the weighted mean of these pixels; *nearest* takes the
# one pixel that lies nearest. The arrow shows the **gradient**: the direction in which the value rises fastest.
#
# 1. Put the point on the centre of a pixel, then halfway between two, then where four meet. How do the weights change?
# 2. Switch `mode` to *nearest*. How many pixels are read now? What happens to the arrow?
# 3. Drag the point out of the picture. The three values at the bottom now differ. Where does each of them come from?

# %%
sampler_lab = SamplerLab(0.3 + 0.7 * digit[:, 4:14, 8:18])
sampler_lab

# %%
show(sampler_lab.figure(), sampler_lab.text)

# %% [markdown]
# Now the whole picture. Zoom in with `scale x` and `scale y`, and switch `mode`. Then zoom out until the grid extends
# beyond the picture, and switch `padding_mode`. (The background is grey here, so that the three paddings look
# different. Build 3 shows how each of them works.)

# %%
lab = ThetaLab(0.4 + 0.6 * digit)
lab

# %% [markdown]
# If you see no lab above, run its cell. Here is one of its states as a still picture: the grid is turned by 15° and covers
# three tenths of the width. Look at the edges of the strokes in the output.

# %%
theta = transforms.similarity(degrees=15, scale=0.3, y=-0.3)
still = plotting.sampling_grid(digit, theta, title="enlarged by bilinear sampling: soft edges")
show(
    still,
    "the grid covers a small piece of the seven; the output shows it enlarged, with soft edges.",
)


# %% [markdown]
# ## Build 1: nearest
#
# The plainest answer is to round to the nearest pixel. You need two helpers for it. The first, `to_pixels`, converts
# normalised coordinates to pixels, by either rule of `align_corners`.


# %%
def to_pixels(coordinate, size, align_corners=False):
    if align_corners:
        return (coordinate + 1) / 2 * (size - 1)  # -1 and 1 are the centres of the border pixels
    return ((coordinate + 1) * size - 1) / 2  # -1 and 1 are the outer edges of the border pixels


print("28 pixels, x = -1, 0, 1:", to_pixels(torch.tensor([-1.0, 0.0, 1.0]), 28).tolist())


# %% [markdown]
# Which of the two rules should you choose? Recall from notebook 02: with `False`, **a theta has the same effect on images
# of any size**; with `True`, only approximately. The course uses `False`.
#
# The second helper, `read_pixels`, fetches whole pixels for a batch of images. Outside the picture it returns 0.
#
# One line of it is hard: `input[batch, :, n, m].movedim(-1, 1)`. It fetches all places of all images at once. `batch` has
# shape (B, 1, 1), `n` and `m` have (B, H', W'). PyTorch repeats `batch` along H' and W', so that the three tensors name an
# image, a row and a column for each output pixel. The `:` between them takes all channels. When a slice stands between
# index tensors, PyTorch puts the axes of the index tensors first: the result is (B, H', W', C). `movedim(-1, 1)` moves the
# last axis, the channels, to place 1, where images have it: (B, C, H', W').


# %%
def read_pixels(input, column, row):
    height, width = input.shape[-2:]
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    batch = torch.arange(input.shape[0], device=input.device)[:, None, None]
    m = torch.where(inside, column, 0).long()
    n = torch.where(inside, row, 0).long()
    values = input[batch, :, n, m].movedim(-1, 1)  # (B, H', W', C) -> (B, C, H', W')
    return torch.where(inside[:, None], values, 0)


def nearest(input, x, y):
    return read_pixels(input, x.round(), y.round())


ramp = torch.arange(12.0).reshape(1, 1, 3, 4)  # 3 rows, 4 columns, values 0 to 11
print(ramp[0, 0])
at = torch.tensor([[[0.4, 0.6, 2.2, 9.0]]]), torch.tensor([[[0.0, 0.0, 1.8, 0.0]]])
print("nearest:", nearest(ramp, *at).flatten().tolist())

# %% [markdown]
# The last place, x = 9, lies outside, so its value is 0. Note the order once more: `input[batch, :, n, m]` takes the
# row n (from y) before the column m (from x). (Halfway between two pixels, `round` takes the even one, and so does
# PyTorch's sampler: 0.5 goes to 0, 1.5 and 2.5 both go to 2.)
#
# ## Build 2: bilinear
#
# Nearest sampling jumps. As the place moves, nothing changes at first; then the value changes all at once. Bilinear
# sampling takes the mean of the **four neighbours**, each with its own weight. Equation 5 of the paper on spatial
# transformers (Jaderberg et al., 2015) writes it as one sum over all pixels:
#
# $$V_i = \sum_n \sum_m U_{nm}\, \max(0, 1 - |x_i - m|)\, \max(0, 1 - |y_i - n|)$$
#
# | paper | here | what it is |
# | --- | --- | --- |
# | $U_{nm}$ | `input[b, c, n, m]` | the pixel in row n, column m |
# | $x_i, y_i$ | `x`, `y` | where output pixel i reads, in pixels |
# | $V_i$ | the result | the value of output pixel i |
#
# The factor $\max(0, 1 - |d|)$ has the shape of a tent: it is 1 at the pixel itself and falls to 0 one pixel away.

# %%
d = torch.linspace(-2, 2, 401)
tent = (1 - d.abs()).clamp(min=0)
box = (d.abs() <= 0.5).float()
figure = plotting.curves(
    d,
    {"bilinear: max(0, 1 - |d|)": tent, "nearest: 1 up to half a pixel": box},
    "distance d from the pixel, pixels",
    "weight",
    "bilinear: a pixel counts up to one pixel away",
    markers=False,
)
show(
    figure,
    "two curves over the distance from the pixel. The bilinear weight is a tent from -1 to 1 pixel with "
    "its tip at 0; the nearest weight is a box from -0.5 to 0.5.",
)

# %% [markdown]
# So at most four terms of the sum are not zero. As in the lab, each weight is an area. Put a square, one pixel wide,
# around the point: each of the four pixels has the weight of the piece that covers it.

# %%
patch = torch.tensor([[0.0, 0.2, 0.6], [0.1, 0.9, 0.5], [0.3, 0.7, 0.4]])
show(
    plotting.neighbours(
        patch, 0.7, 1.2, title="the square covers four pixels; the areas are the weights"
    ),
    "a square, one pixel wide, around a point between four pixels. Its four pieces have the areas 0.24, "
    "0.56, 0.06 and 0.14; the largest covers the nearest pixel.",
)


# %%
def bilinear(input, x, y):
    left, top = x.floor().detach(), y.floor().detach()
    right_part, lower_part = x - left, y - top  # in [0, 1): how far towards the next pixel
    upper = (1 - right_part)[:, None] * read_pixels(input, left, top)
    upper = upper + right_part[:, None] * read_pixels(input, left + 1, top)
    lower = (1 - right_part)[:, None] * read_pixels(input, left, top + 1)
    lower = lower + right_part[:, None] * read_pixels(input, left + 1, top + 1)
    return (1 - lower_part)[:, None] * upper + lower_part[:, None] * lower


point = torch.tensor([[[0.7]]]), torch.tensor([[[1.2]]])
by_hand = 0.3 * 0.8 * 0.1 + 0.7 * 0.8 * 0.9 + 0.3 * 0.2 * 0.3 + 0.7 * 0.2 * 0.7
print(f"by hand: {by_hand:.4f}")
print(f"by code: {bilinear(patch[None, None], *point).item():.4f}")


# %% [markdown]
# ## Build 3: outside
#
# A grid may read outside the picture. PyTorch offers three kinds of padding. Two of them, *border* and *reflection*,
# move the place back inside: they change coordinates, not values.


# %%
def clip(x, size):
    inside = (x > 0) & (x < size - 1)
    return torch.where(inside, x, x.detach().clamp(0, size - 1))


def reflect(x, size, align_corners=False):
    low, span = (0.0, size - 1) if align_corners else (-0.5, size)
    if span == 0:
        return torch.zeros_like(x)  # a single pixel between mirrors: always that pixel
    distance = (x - low).abs()
    folds, rest = distance.div(span, rounding_mode="floor"), distance.fmod(span)
    return torch.where(folds % 2 == 0, rest, span - rest) + low


# %% [markdown]
# `clip` moves a place outside to the centre of the border pixel. (`detach` cuts the gradient there: a clipped place does
# not move when theta moves, so its gradient is 0, as in PyTorch.)
#
# `reflect` folds a place back, as if mirrors stood at both edges of the picture. After an even number of folds the
# direction is the original one, after an odd number it is reversed. Take x = 5.5 in a row of five pixels, with
# `align_corners=False`. The mirrors stand at -0.5 and 4.5, so `low` is -0.5 and `span` is 5. The `distance` from the left
# mirror is 6: one fold, and a `rest` of 1. One is odd, so the place lies 1 inside the right mirror: 5 - 1 - 0.5 = 3.5. The
# next cell prints it, among others.


# %%
def pad(x, size, padding_mode="zeros", align_corners=False):
    if padding_mode == "border":
        return clip(x, size)
    if padding_mode == "reflection":
        return clip(reflect(x, size, align_corners), size)
    return x


x = torch.tensor([3.0, 4.0, 4.4, 5.0, 5.5, 6.0])
print("x, for five pixels:", [round(v, 2) for v in x.tolist()])
print("after reflection:     ", [round(v, 2) for v in reflect(x, 5).tolist()])
print("after the clip, too:  ", [round(v, 2) for v in pad(x, 5, "reflection").tolist()])

# %% [markdown]
# Why does `pad` clip after it reflects? The last of the five centres lies at 4. The mirror stands half a pixel further
# out, at the edge of the picture, 4.5. So places between 4 and 5 end up between 4 and 4.5, **beyond the last centre**.
# There, bilinear sampling would mix in the zeros from outside. The clip moves these places to the last centre. In the
# next figure this is the flat piece from 4 to 5 in the reflection curve.

# %%
row = torch.tensor([0.2, 0.4, 0.6, 0.8, 1.0]).reshape(1, 1, 1, 5)
x = torch.linspace(-4, 8, 121)
values = {
    mode: bilinear(row, pad(x, 5, mode)[None, None], torch.zeros(1, 1, 121)).flatten()
    for mode in PADDING_MODES
}
figure = plotting.curves(
    x,
    values,
    "x, pixels (the picture ends at -0.5 and 4.5)",
    "value",
    "at the edge: zeros falls to 0, border stays, reflection turns back",
    markers=False,
)
show(
    figure,
    "three curves over x, for five pixels from 0.2 to 1.0. Between 0 and 4 all three are the same ramp. "
    "From the last centre on, zeros falls to 0 within a pixel, border keeps the last value, and reflection is flat "
    "for one pixel and then runs back along the ramp.",
)


# %% [markdown]
# ## Build 4: `grid_sample`
#
# Put it all together: convert to pixels, pad, read. (`check_grid_sample` turns bad input into a readable error. The package
# has a third way to read, `bicubic`: a weighted sum of sixteen neighbours, each of which is padded by itself.)


# %%
def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    check_grid_sample(input, grid, mode, padding_mode, ALL_MODES, PADDING_MODES)
    height, width = input.shape[-2:]
    x = to_pixels(grid[..., 0], width, align_corners)
    y = to_pixels(grid[..., 1], height, align_corners)
    if mode == "bicubic":
        return bicubic(input, x, y, padding_mode, align_corners)
    x = pad(x, width, padding_mode, align_corners)
    y = pad(y, height, padding_mode, align_corners)
    return bilinear(input, x, y) if mode == "bilinear" else nearest(input, x, y)


turned = grid_sample(digit[None], grid)
print("output:", tuple(turned.shape))

# %% [markdown]
# ## Trust
#
# Compare your sampler with PyTorch's: each mode, each padding, both `align_corners`, uneven shapes, three channels, and
# places far outside. A difference of about 1e-16 is a rounding error in float64; 0e+00 is exactly 0.

# %% tags=["tolerance=1e-12"]
torch.manual_seed(0)
input = torch.randn(2, 3, 5, 8, dtype=torch.float64, device=chosen)
grid = torch.randn(2, 6, 4, 2, dtype=torch.float64, device=chosen) * 3  # mostly outside
for mode in ALL_MODES:
    for padding_mode in PADDING_MODES:
        worst = 0.0
        for align_corners in (False, True):
            ours = grid_sample(input, grid, mode, padding_mode, align_corners)
            theirs = F.grid_sample(input, grid, mode, padding_mode, align_corners)
            worst = max(worst, (ours - theirs).abs().max().item())
        print(f"{mode:8} {padding_mode:10} largest difference {worst:.0e}")

# %% [markdown]
# Training needs gradients, with respect to the input and to the grid. They agree as well:

# %% tags=["tolerance=1e-10"]
input.requires_grad_()
grid.requires_grad_()
for padding_mode in PADDING_MODES:
    gradients = []
    for sample in (grid_sample, F.grid_sample):
        output = sample(input, grid, "bilinear", padding_mode, False)
        gradients.append(torch.autograd.grad(output.square().sum(), (input, grid)))
    worst = max((a - b).abs().max().item() for a, b in zip(*gradients, strict=True))
    print(f"{padding_mode:10} largest difference of a gradient {worst:.0e}")

# %% [markdown]
# PyTorch's sampler can do one thing more: volumes in three dimensions. This course leaves them out.
#
# From here on PyTorch's own two functions do the work. `warp(image, theta)` calls both of them, `F.affine_grid` and then
# `F.grid_sample`.
#
# ## The grey frame
#
# PyTorch's tutorial on spatial transformers normalises its digits: it subtracts their mean and divides by their standard
# deviation. (That concerns the *values* of pixels. Normalised *coordinates* are something else.) Black becomes
# (0 - 0.1307) / 0.3081 = **-0.42**. But its sampler pads with **0**. What colour is that?

# %%
normalised = data.normalise(digit)[None]
theta = transforms.scale(1.6)  # zoom out: the output reads outside
framed = warp(normalised, theta, padding_mode="zeros")
print(f"black is {normalised.min():.4f}, the frame is {framed[0, 0, 0, 0]:.4f}")
three = torch.cat([normalised, framed, warp(normalised, theta, padding_mode="border")])
show(
    plotting.image_grid(
        data.denormalise(three),
        ["input", "zeros: grey frame", "border: black"],
        columns=3,
        title="after normalisation, zero is not black",
        limits=(0, 0.6),  # brighter than usual, so that you can see the grey
    ),
    "a seven; the same smaller inside a dark grey frame; the same smaller on black throughout.",
)

# %% [markdown]
# A normalised 0 is the mean of all pixels, a brightness of 0.13: not black but dark grey. So the padding draws a grey frame
# around the picture. The classifier sees this frame, and training can come to exploit it: zoom out further, and the frame
# becomes wider. In 2020 a user of the tutorial reported that on cluttered digits the transformer collapsed early, and traced
# it to this padding ([issue 1117](https://github.com/pytorch/tutorials/issues/1117) of the tutorial's repository). There
# are two remedies: pad with `border`, or sample while black is still 0, before you normalise. A **quiz**:

# %%
Quiz("grey_frame")

# %% [markdown]
# ## The gradient: how a place learns
#
# Notebook 04 trains a *localization network*, which chooses theta. For each place that is read, its training has to know:
# *if this place moves a little to the right, does the value rise or fall?* The answer depends on the sampler. Begin with
# the one that rounds each place. A **quiz**:

# %%
Quiz("nearest_gradient")

# %% [markdown]
# With bilinear sampling the answer is the difference between the right and the left neighbours (paper, equations 6 and 7):
#
# $$\frac{\partial V}{\partial x} = (1 - b)\,(U_{\text{top right}} - U_{\text{top left}})
# + b\,(U_{\text{bottom right}} - U_{\text{bottom left}}), \qquad b = y - \lfloor y \rfloor$$

# %%
x = torch.tensor([[[0.7]]], requires_grad=True)
y = torch.tensor([[[1.2]]], requires_grad=True)
bilinear(patch[None, None], x, y).sum().backward()
by_hand_x = 0.8 * (0.9 - 0.1) + 0.2 * (0.7 - 0.3)
by_hand_y = 0.3 * (0.3 - 0.1) + 0.7 * (0.7 - 0.9)
print(f"along x: by hand {by_hand_x:+.2f}, autograd {x.grad.item():+.2f} per pixel")
print(f"along y: by hand {by_hand_y:+.2f}, autograd {y.grad.item():+.2f} per pixel")

place = torch.zeros(1, 1, 1, 2, requires_grad=True)
F.grid_sample(patch[None, None], place, mode="nearest", align_corners=False).sum().backward()
print("nearest sampling, along x and y:", place.grad.flatten().tolist())

# %% [markdown]
# How does the gradient get from a place to theta? The place is theta times (x_t, y_t, 1). So the chain rule multiplies the
# gradient of the place by these three numbers, and adds up over all places. That makes six sums, one for each number of
# theta. Turn the seven by 10°, and let the loss be the mean squared difference from the upright seven:

# %% tags=["tolerance=0.001"]
theta = transforms.rotation(degrees=10).requires_grad_()
grid = F.affine_grid(theta, (1, 1, 28, 28), align_corners=False)
grid.retain_grad()  # keep the gradient of each place
F.mse_loss(F.grid_sample(digit[None], grid, align_corners=False), digit[None]).backward()

target = grids.base_grid(28, 28)  # (H, W, 3): x_t, y_t, 1
by_hand = torch.einsum("hwi,hwj->ij", grid.grad[0], target)
for name, gradient in (("by hand", by_hand), ("autograd", theta.grad[0])):
    print(f"{name:8}", [round(v, 3) for v in gradient.flatten().tolist()])

# %% [markdown]
# One more step of the chain rule leads to the angle $a$. Four of the six numbers depend on it:
#
# $$\theta(a) = \begin{bmatrix} \cos a & -\sin a & 0 \\ \sin a & \cos a & 0 \end{bmatrix}, \qquad
# \frac{d\theta}{da} = \begin{bmatrix} -\sin a & -\cos a & 0 \\ \cos a & -\sin a & 0 \end{bmatrix}$$
#
# Multiply this, number by number, by the gradient of theta, and add:

# %% tags=["tolerance=0.001"]
a = math.radians(10)
slope = torch.tensor([[-math.sin(a), -math.cos(a), 0], [math.cos(a), -math.sin(a), 0]])
by_hand = (theta.grad[0] * slope).sum()

angle = torch.tensor(a, requires_grad=True)
F.mse_loss(warp(digit[None], transforms.rotation(radians=angle)), digit[None]).backward()
print(f"by hand {by_hand:+.3f}, autograd {angle.grad:+.3f} per radian")

# %% [markdown]
# The number is positive: the loss grows with the angle. A step downhill makes the angle smaller, and turns the grid back.
#
# Which places contribute? Draw an arrow at each place, in the direction in which the loss falls. (The lengths are to scale
# among themselves only: the longest arrow is drawn a quarter of a unit long.)

# %%
pull = -grid.grad[0]  # (H, W, 2): an arrow (x, y) for each place
show(
    plotting.arrows(
        digit, grid[0], pull, title="left end down, right end up, foot right: the grid turns back"
    ),
    "the seven with an arrow at each place that the output reads. Only places near the edges of strokes "
    "have one. At the left end of the bar they point down, at its right end up, on the foot to the right.",
)


# %% [markdown]
# Most places have no arrow: around them the picture is flat. Now look at the foot. On both sides of the stroke the arrows
# point the **same** way. At one edge the output is too dark, and a step to the right makes it brighter. At the other edge it
# is too bright, and a step to the right makes it darker. So the two sides add up. What differs is the direction at the
# **ends** of the seven. Count the arrows there that are not too short:


# %% tags=["tolerance=1"]
def both_ways(part):
    """How many numbers of the tensor are clearly above 0, and how many clearly below."""
    limit = 0.1 * pull.abs().max()
    return (part > limit).sum().item(), (part < -limit).sum().item()


print("left end of the bar:  {} down, {} up".format(*both_ways(pull[:14, :14, 1])))
print("right end of the bar: {} down, {} up".format(*both_ways(pull[:14, 14:, 1])))
print("foot:                 {} right, {} left".format(*both_ways(pull[14:, :, 0])))

# %% [markdown]
# Left end down, foot to the right, right end up: taken together, that is a turn, anticlockwise.
#
# Each of these arrows comes from four neighbours only. What follows from that? A **quiz**:

# %%
Quiz("gradient_reach")


# %% [markdown]
# ## Descend
#
# So the gradient of a place **reaches no further than one pixel**. From how far away can descent then find the truth?
#
# Hide a shift, and find it again by gradient descent on the two numbers of theta that move the picture. (Adam is gradient
# descent with a step size of its own for each number.)


# %%
def shifted(image, shift):
    """The image read at an offset of `shift` pixels (x, y): (1, 1, 28, 28), (B, 2) -> (B, 1, 28, 28)."""
    theta = transforms.translation(*(2 * shift / 28).unbind(-1))
    return warp(image.expand(len(shift), -1, -1, -1), theta)


def descend(image, start, steps=60):
    """The shifts (steps + 1, 2) that Adam passes through on its way downhill from `start`."""
    shift = torch.tensor([start], requires_grad=True)
    optimizer = torch.optim.Adam([shift], lr=0.3)
    path = [shift.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(shifted(image, shift), image).backward()
        optimizer.step()
        path.append(shift.detach().clone())
    return torch.cat(path)


# %% [markdown]
# **Predict:** does it work from 1 pixel away? And from 8 pixels away? A perfect answer ends 0 pixels from the truth.

# %% tags=["hide-output", "tolerance=0.3"]
sharp = digit[None]
print("how far from the truth descent ends:")
for start in ([1.0, 0.0], [8.0, 0.0]):
    distance = descend(sharp, start)[-1].norm().item()
    print(f"from {start}: {distance:.1f} pixels")

# %% [markdown]
# <details><summary>Why</summary>
#
# From 8 pixels away the two sevens hardly overlap, and no small move makes the loss much smaller.
# </details>
#
# **Predict:** where is the limit? Does it work from 2 pixels away, from 3, from 4? The strokes are two or three pixels wide.

# %% tags=["hide-output", "tolerance=0.3"]
print("how far from the truth descent ends:")
for start in ([2.0, 0.0], [3.0, 0.0], [4.0, 0.0]):
    distance = descend(sharp, start)[-1].norm().item()
    print(f"from {start}: {distance:.1f} pixels")


# %% [markdown]
# <details><summary>Where the limit lies, and why</summary>
#
# The gradient of one *place* reaches one pixel. But a stroke is wider than that: two pixels away, each stroke still overlaps
# its copy. Where the edge of one lies on the other, places have a gradient, and it points the right way. From 3 pixels on
# there is little overlap left. Then the loss is almost flat, and descent hardly moves.
# </details>
#
# A blur helps. It spreads each edge over several pixels, so that a gradient reaches further. Blur both pictures first, and
# use the sharp ones at the end:


# %%
def blurred(image, sigma):
    """A Gaussian blur, sigma in pixels: first along x, then along y."""
    reach = int(3 * sigma)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    image = F.conv2d(image, kernel.view(1, 1, 1, -1), padding=(0, reach))
    return F.conv2d(image, kernel.view(1, 1, -1, 1), padding=(reach, 0))


# %% tags=["tolerance=0.1"]
coarse = blurred(sharp, 3.0)
halfway = descend(coarse, [8.0, 0.0])
fine = descend(sharp, halfway[-1].tolist())
print("how far from the truth descent ends:")
print(f"blurred, from [8.0, 0.0]: {halfway[-1].norm().item():.1f} pixels")
print(f"sharp, from there:        {fine[-1].norm().item():.1f} pixels")

# %% [markdown]
# Why does it help? Compute the loss for all shifts of up to 12 pixels, and draw it as a map, with the path of each descent.
# (Mind the colour bars: each map has a range of its own. Blurred pictures differ less from each other, so the same colour
# means a much smaller loss on the right.)

# %% tags=["tolerance=0.2"]
shifts = torch.arange(-12.0, 13.0)
y, x = torch.meshgrid(shifts, shifts, indexing="ij")
places = torch.stack([x, y], dim=-1).reshape(-1, 2)
losses = {
    name: (shifted(image, places) - image).square().mean(dim=(1, 2, 3)).reshape(25, 25)
    for name, image in (("sharp", sharp), ("blurred", coarse))
}
paths = {"sharp": descend(sharp, [8.0, 0.0]), "blurred": halfway}
x, y = paths["sharp"][-1].tolist()
print(f"sharp: from (8, 0) to ({x:.1f}, {y:.1f})")
show(
    plotting.surfaces(
        shifts, losses, paths, "sharp: a small pit in a narrow valley; blurred: a wide bowl"
    ),
    "two maps of the loss over the shift. Sharp: a small pit at zero in a narrow, slanted valley, high "
    "ground beside it, and a descent that ends within a pixel of where it starts, 8 pixels to the right. Blurred: a wide "
    "bowl, and a descent that runs to its middle.",
)


# %% [markdown]
# The narrow valley has the slant of the seven's long stroke: slide the stroke along itself, and it still overlaps. Only in
# the pit at zero do the bars overlap as well. On the high ground beside the valley the slopes do not tell you where the pit
# is. In the blurred map a wide bowl surrounds the answer, and its slopes lead there.
#
# Why does the sharp descent move by about half a pixel to the right and half a pixel down, and stay there? Between pixels,
# bilinear sampling averages its neighbours, which blurs the seven slightly. Where two pictures do not match, a blur makes
# their difference smaller. So the loss has a small dip between the pixels, and descent stays in it. (The map leaves these
# dips out: it is drawn at whole pixels.)
#
# The same holds when a network chooses theta: it learns from small misalignments, while large ones teach it little.
#
# ## What it is good for: aligning two pictures
#
# Now let descent choose all six numbers. A seven was turned, enlarged and moved. All you have is the picture before and the
# picture after. `register` looks for the theta that turns the first picture into the second, on blurred or sharp pictures.


# %%
def register(first, second, sigmas, steps=240, start=None):
    """The thetas (steps + 1, 2, 3) from `start` on; the pictures blurred by each sigma in turn."""
    theta = (transforms.identity() if start is None else start.clone()).requires_grad_()
    optimizer = torch.optim.Adam([theta], lr=0.03)
    path = [theta.detach().clone()]
    for sigma in sigmas:
        here, there = (blurred(image, sigma) if sigma else image for image in (first, second))
        for _ in range(steps // len(sigmas)):
            optimizer.zero_grad()
            F.mse_loss(warp(here, theta), there).backward()
            optimizer.step()
            path.append(theta.detach().clone())
    return torch.cat(path)


# %% [markdown]
# How good is a theta that it finds? Compare the two grids: how far, on average, does an output pixel read from the place
# where it should?


# %%
def misplaced(theta, truth):
    """How far from its right place an output pixel reads, in pixels, on average."""
    found, right = grids.affine_grid(torch.cat([theta, truth]), (2, 1, 28, 28))
    return 28 / 2 * (found - right).norm(dim=-1).mean().item()  # 2 units are 28 pixels


hidden = transforms.similarity(degrees=60, scale=0.9, x=0.15, y=-0.1)
second = warp(sharp, hidden)
before = misplaced(transforms.identity(), hidden)
print(f"before: off by {before:.1f} pixels on average")

# %% [markdown]
# **Predict:** how many pixels off will it be after 240 steps on the sharp pictures? And if the first 120 steps see blurred
# ones?

# %% tags=["hide-output", "tolerance=3"]
on_sharp = register(sharp, second, [0])
print("sharp only:")
print(f"off by {misplaced(on_sharp[-1:], hidden):.0f} pixels on average")

# %% tags=["hide-output", "tolerance=0.05"]
blurred_first = register(sharp, second, [3.0, 0])
print("blurred first:")
print(f"off by {misplaced(blurred_first[-1:], hidden):.3f} pixels on average")

# %% tags=["hide-output"]
frames = [0, 20, 40, 60, 240]
rows = [
    torch.cat([warp(sharp.expand(5, -1, -1, -1), path[frames]), second])
    for path in (on_sharp, blurred_first)
]
show(
    plotting.image_grid(
        torch.cat(rows),
        2 * [*(f"step {step}" for step in frames), "second picture"],
        columns=6,
        title="above: sharp pictures only; below: blurred pictures first",
    ),
    "two rows of pictures: the first picture at steps 0, 20, 40, 60 and 240, beside the second picture, a turned seven.",
)

# %% [markdown]
# <details><summary>What the rows show</summary>
#
# Above, the seven shrinks and bends: on the sharp pictures alone, descent ends further off than it began. Below, it turns
# and ends like the second picture: six numbers, found to a small fraction of a pixel.
# </details>
#
# To find a theta from the pixels alone, with no labels, no training data and no network, is called **image registration**.
# It is how two scans of one patient or two photographs of a panorama are aligned, with noise and differences that this
# clean pair does not have. It has a limit, which exercise 12 looks for. The same gradient will teach a network to
# choose theta.
#
# ## Break
#
# **1. The dead zone.** Suppose that the whole grid lies outside, with zero padding. The output is 0, and it stays 0 for
# every small change of theta. So the gradient is exactly 0, and no training brings the grid back.

# %% tags=["tolerance=5%"]
for x in (0.5, 1.0, 2.1):
    for padding_mode in ("zeros", "border"):
        theta = transforms.translation(x=x).requires_grad_()
        F.mse_loss(warp(sharp, theta, padding_mode=padding_mode), sharp).backward()
        largest = theta.grad.abs().max().item()
        print(f"moved by {x}, {padding_mode:6}: largest gradient {largest:.2g}")

# %% [markdown]
# Border padding does not help here: a clipped coordinate has no slope, and the pictures are black along their borders. The
# remedy is not to get there: start at the identity, and learn slowly. A **quiz**:

# %%
Quiz("dead_zone")

# %% [markdown]
# **2. Aliasing.** Shrink a picture from 56 pixels to 14. Each output pixel still reads four neighbours only, so twelve of
# every sixteen input pixels are never read. See what that does to fine stripes:

# %%
columns = torch.arange(56)
stripes = (0.5 + 0.5 * torch.cos(columns * 2 * torch.pi / 3.6)).expand(1, 1, 56, 56)
direct = warp(stripes, transforms.identity(), (14, 14))
averaged = warp(F.avg_pool2d(stripes, 4), transforms.identity(), (14, 14))
for name, image in (("before", stripes), ("read directly", direct), ("averaged first", averaged)):
    print(f"contrast {name:14} {image.std():.2f}")

# %%
big = [F.interpolate(image, size=(56, 56), mode="nearest") for image in (stripes, direct, averaged)]
show(
    plotting.image_grid(
        torch.cat(big),
        ["56 pixels wide", "read at 14", "averaged, then read"],
        columns=3,
        title="read too sparsely, fine stripes become broad ones",
    ),
    "fine stripes; read at a quarter of the size they become broad stripes that were never there; "
    "averaged first they become an almost even grey.",
)

# %% [markdown]
# The broad stripes were never there; averaging first leaves only a trace of them.
#
# When must you average? The four neighbours cover two by two pixels. Shrink by a factor of 2, and neighbouring output pixels
# read 2 pixels apart: the four of one lie beside the four of the next, and no input pixel is left out. Shrink by more, and
# there are gaps.
# **If you shrink by more than a factor of 2, pixels are skipped: average first.** (Fine patterns alias earlier than that.)
#
# ## Try
#
# Ten exercises have a check, and two are for you to explore. Replace the dots, run the cell, and read the answer. You cannot
# break anything, and a wrong attempt gets the most detailed answer. `checks.hint("frame")` gives a hint, and another one
# each time you call it; `checks.solution("frame")` shows the solution. The rest of the course does not need your functions,
# so do the ones you like.
#
# **Predict** first. Write your answer down before you run anything else.
#
# **1.** A dark digit on white, as on paper: `1 - digit`, with values from 0 to 1, not normalised. You zoom out with
# `padding_mode="zeros"`. What colour is the frame?

# %%
guess = ...  # one word or two
checks.frame(guess)

# %% [markdown]
# **2.** Four pixels: 0.2 and 0.8 in the upper row, 0.4 and 0.4 in the lower row. You read at x = 0.5, y = 0.25. What is the
# gradient along **x**, as a change of the value per pixel?

# %%
guess = ...  # a number
checks.gradient_here(guess)

# %% [markdown]
# **3.** The picture is read through `transforms.translation(x=3.0)` with zero padding. How large is the largest of the six
# numbers in the gradient of theta?

# %%
guess = ...  # a number
checks.dead_zone(guess)


# %% [markdown]
# **Write.** You may use `read_pixels`. The check compares your function with PyTorch on pixels, between them, across the
# border and outside, and shows the smallest case that differs. x and y may be negative, or whole numbers.
#
# **4.** The nearest sampler, from memory.


# %%
def my_nearest(input, x, y):
    # input: (B, C, H, W); x, y: (B, H', W') in pixels; the answer: (B, C, H', W')
    ...


checks.nearest(my_nearest)


# %% [markdown]
# **5.** The four weights of bilinear sampling. Predict: what is their sum?


# %%
# my prediction: their sum is …
def my_bilinear_weights(x, y):
    # x, y: (N,) in pixels; the answer: (N, 4): top left, top right, bottom left, bottom right
    ...


checks.bilinear_weights(my_bilinear_weights)


# %% [markdown]
# **6.** The bilinear sampler, with zero padding.


# %%
def my_bilinear(input, x, y):
    # input: (B, C, H, W); x, y: (B, H', W') in pixels; the answer: (B, C, H', W')
    ...


checks.bilinear(my_bilinear)


# %% [markdown]
# **7.** The three paddings, without `clip` and `reflect`. Predict: where does reflection move x = -1.2, with
# `align_corners=False` and with `True`?


# %%
# my prediction: x = -1.2 moves to …, and to …
def my_pad(x, size, padding_mode="zeros", align_corners=False):
    # x: (N,) in pixels; the answer: (N,), the places that are read
    ...


checks.pad(my_pad)


# %% [markdown]
# **8.** The gradient of bilinear sampling along x, without autograd. Exactly on a pixel, take the slope to its right, as
# PyTorch does.


# %%
def my_gradient_x(input, x, y):
    # input: (B, C, H, W); x, y: (B, H', W') in pixels; the answer: (B, C, H', W')
    ...


checks.gradient_x(my_gradient_x)


# %% [markdown]
# **9. Repair.** Under the identity this function should return its input, and it does not quite. Predict: where is it most
# wrong, in the middle or at the border? Then repair it, so that a theta has the same effect on images of any size. (Build
# 1 recalls which setting does that.)


# %%
# my prediction: most wrong …
def my_warp(image, theta):
    grid = F.affine_grid(theta, image.shape, align_corners=True)
    return F.grid_sample(image, grid, align_corners=False)


checks.disagreeing(my_warp)


# %% [markdown]
# **10. Write** once more: shrink a picture without aliasing. Each output pixel is the mean of one block of the input, `factor`
# pixels high and `factor` wide. Do it without `F.avg_pool2d` and `F.interpolate`. Predict: a white line, one pixel high, runs
# across a black picture, and you shrink by 4. How bright is the line if a bilinear sampler reads the picture directly, and how
# bright if you average?


# %%
# my prediction: read directly …, averaged …
def my_shrink(input, factor):
    # input: (B, C, H, W), H and W multiples of factor; the answer: (B, C, H / factor, W / factor)
    ...


checks.shrink(my_shrink)

# %% [markdown]
# **Explore.** These two have no check; the answers are below.
#
# **11.** A sampler passes gradients to the *pixels*, too. Predict: which pixels of `patch` get one if you read at
# x = 0.7, y = 1.2, and how large is each?

# %% tags=["hide-output"]
pixels = patch[None, None].clone().requires_grad_()
bilinear(pixels, torch.tensor([[[0.7]]]), torch.tensor([[[1.2]]])).sum().backward()
print("the gradient of each pixel:")
print(pixels.grad[0, 0])

# %% [markdown]
# **12.** "Blurred first" found a turn of 60°. Try 70°, 80° and 90° in place of it, then a zero or a one in place of the
# seven. Where does it fail, what does it find instead, and what would you change so that it succeeds?

# %% tags=["tolerance=0.05"]
first = images[:1]  # images[3:4] is a zero, images[2:3] a one
hidden = transforms.rotation(degrees=60)
found = register(first, warp(first, hidden), [3.0, 0])
print(f"off by {misplaced(found[-1:], hidden):.2f} pixels on average")

# %% [markdown]
# <details><summary>Answers to the questions without a check</summary>
#
# **5.** One: the four areas fill the square.
#
# **7.** At 0.2, since the mirror stands at -0.5; at 1.2, since it stands at 0.
#
# **9.** At the border, by half a pixel; in the middle not at all.
#
# **10.** Read directly, it depends on where the line runs: 0.5 in one of the block's two middle rows, and 0 in the other two, where
# it vanishes. Averaged, it is 0.25 in any row. If the picture moves, the first line flickers; the second does not.
#
# **11.** The four neighbours, and each gets its weight: 0.24 and 0.56, 0.06 and 0.14. The value is a sum of pixels times
# weights, so its slope along a pixel is that pixel's weight. Layers that stand before a spatial transformer learn through
# these numbers.
#
# **12.** The seven is found at 60° and lost at 80°; the limit lies near 70°. The zero is lost from 70° on. There it turns the
# *other* way, by 69°, and slants, so it ends 139° from the truth. (It is not the zero upside down: that fits hardly better
# than no turn at all.) Blurred, a zero is a slanted oval. To lay one slanted oval over another, you can turn it, or you can
# shear it and turn it the other way. Descent took the second way, which ends where a good quarter of the loss is left.
#
# The one fails earliest, and the loss does not tell you. At 40° it is a pixel off. At 60° nearly all of the loss is gone, and
# yet the places are off by several pixels: the picture is right, and theta is wrong. A stroke that is sheared looks like a stroke that is turned, so
# several thetas make almost the same picture, and the pixels cannot tell you which one was used.
#
# What helps: descent goes down into the valley in which it starts, so start more than once. Try four thetas, a quarter turn
# apart, and keep the result with the smallest loss. At 80° that finds the seven, at 70° the zero. For the one it promises no
# more than the right picture: at 40° it is still almost a pixel off. (The cells below print the numbers.)
#
# And for the first lab: 1. On a centre one weight is 1 and the others are 0; halfway between two pixels both have 0.5; where
# four meet each has 0.25. 2. One pixel; the arrow is gone, since the gradient is 0. 3. Zeros gives 0 from a pixel beyond the last centre, border the
# value of the nearest border pixel, reflection that of a pixel as far inside as the point is outside.
# </details>

# %% [markdown]
# The numbers behind the answer to exercise 12. Do the exercise first: the code gives its answer away.

# %% tags=["hide-output", "tolerance=3"]
tried = [(0, 60), (0, 80), (3, 60), (3, 70), (2, 40), (2, 50), (2, 60)]  # which picture, its turn
print("how far off, and how much of the loss at the start is left:")
for n, degrees in tried:
    first, hidden = images[n : n + 1], transforms.rotation(degrees=degrees)
    second = warp(first, hidden)
    found = register(first, second, [3.0, 0])[-1:]
    left = F.mse_loss(warp(first, found), second) / F.mse_loss(first, second)
    off = misplaced(found, hidden)
    print(f"a {labels[n]}, turned by {degrees}°: {off:4.1f} pixels, {100 * left:4.1f} %")

# %% tags=["hide-output", "tolerance=3"]
first, hidden = images[3:4], transforms.rotation(degrees=70)
second = warp(first, hidden)
found = register(first, second, [3.0, 0])[-1:]
upside_down = transforms.rotation(degrees=70 - 180)
print("the zero: rotation, shear, and the share of the loss that is left:")
for name, theta in [("truth", hidden), ("upside down", upside_down), ("found", found)]:
    pose, left = transforms.to_pose(theta), F.mse_loss(warp(first, theta), second)
    left = 100 * left / F.mse_loss(first, second)
    print(f"{name:11} {pose.rotation.item():4.0f}° {pose.shear.item():5.2f} {left:5.1f} %")

# %% tags=["hide-output", "tolerance=0.5"]
print("the best of four starts:")
for n, degrees in [(0, 80), (3, 70), (2, 40)]:
    first, hidden = images[n : n + 1], transforms.rotation(degrees=degrees)
    second = warp(first, hidden)
    starts = [transforms.rotation(degrees=angle) for angle in (0, 90, 180, 270)]
    ends = [register(first, second, [3.0, 0], start=start)[-1:] for start in starts]
    best = min(ends, key=lambda theta: F.mse_loss(warp(first, theta), second).item())
    print(f"a {labels[n]}, turned by {degrees}°: off by {misplaced(best, hidden):.1f} pixels")

# %% [markdown]
# ## Keep
#
# - **Bilinear sampling is a weighted mean of four neighbours.** So it has a gradient, and this gradient reaches one pixel.
# - **Border and reflection move the place, zeros leaves it where it is**; and zero is black only if black is zero.
# - **Far away, or wholly outside, there is no gradient to follow.** Start near, at the identity, or blur first.
#
# Next: [04 · The spatial transformer](04_stn_model.ipynb). You can now find theta for one pair of pictures, in 240 steps.
# What kind of network can choose it at once, for a picture that it has never seen?
