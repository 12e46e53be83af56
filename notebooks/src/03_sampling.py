# %% [markdown]
# # 03 · Sampling: what colour is there, between the pixels?
#
# At the end you have built PyTorch's `grid_sample`, you can say what lies outside a picture, and you have
# seen the gradient that lets a network learn where to look, and the places where it is zero.
#
# **40 minutes · needs notebook 02 · runs on CPU or GPU, offline**

# %%
import torch
import torch.nn.functional as F

from stn_course import checks, data, device, grids, plotting, transforms
from stn_course.plotting import show
from stn_course.samplers import MODES, PADDING_MODES, warp
from stn_course.validation import check_grid_sample
from stn_course.widgets import Quiz, SamplerLab, ThetaLab

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))

# %% [markdown]
# ## The question
#
# Notebook 02 ended with a grid: for each output pixel a place in the input. Here are three such places, in
# *pixels* (0 is the centre of the first pixel):

# %%
images, labels = data.load_digits("test")
digit = images[0]  # (1, 28, 28)
grid = grids.affine_grid(transforms.rotation(degrees=30), (1, 1, 28, 28))
pixels = ((grid[0, 10, 12:15] + 1) * 28 - 1) / 2
for x, y in pixels.tolist():
    print(f"read at x = {x:.2f}, y = {y:.2f}")

# %% [markdown]
# A picture has a value at (14, 10). It has none at (13.95, 9.72). What should the output get there?
#
# ## Play
#
# Here is a piece of the seven, ten pixels wide. Drag the orange point, or move it with the arrow keys. On the right the
# pixels around it are enlarged. A square of one pixel lies around the point, and the part of it that covers a pixel is
# that pixel's **weight**.
#
# 1. Put the point on the centre of a pixel, then between two, then where four meet. What do the weights do?
# 2. Switch `mode` to *nearest*. How many pixels are read now, and what became of the arrow, the gradient?
# 3. Leave the picture, and look at the three values at the bottom. Which padding gives which, and why?

# %%
sampler_lab = SamplerLab(0.3 + 0.7 * digit[:, 4:14, 8:18])
sampler_lab

# %%
show(sampler_lab.figure(), sampler_lab.text)

# %% [markdown]
# Now the whole picture. Zoom in with `scale x` and `scale y`, and switch `mode`. Then zoom out until the grid leaves the
# picture, and switch `padding_mode`. (The seven stands on a grey ground, so that you can tell the three apart. Build 3
# shows how each is made.)

# %%
lab = ThetaLab(0.4 + 0.6 * digit)
lab

# %%
theta = transforms.similarity(degrees=15, scale=0.3, y=-0.3)
still = plotting.sampling_grid(digit, theta, title="bilinear: smooth steps between pixels")
show(
    still,
    "the grid covers a small piece of the seven; the output shows it enlarged, with soft edges.",
)


# %% [markdown]
# ## Build 1: nearest
#
# The plainest answer: round to the nearest pixel. First two helpers. `to_pixels` goes from normalised
# coordinates to pixels; `read_pixels` fetches whole pixels of a batch, and answers 0 outside.


# %%
def to_pixels(coordinate, size, align_corners=False):
    if align_corners:
        return (coordinate + 1) / 2 * (size - 1)  # -1 and 1 are the centres of the border pixels
    return ((coordinate + 1) * size - 1) / 2  # -1 and 1 are the outer edges of the border pixels


print("28 pixels, x = -1, 0, 1:", to_pixels(torch.tensor([-1.0, 0.0, 1.0]), 28).tolist())


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
# The last place, x = 9, lies outside and got 0. Note the order once more: `input[batch, :, n, m]` takes the row n
# (from y) before the column m (from x).
#
# ## Build 2: bilinear
#
# Nearest jumps. Move the place a little and nothing changes, then everything. Bilinear sampling takes the
# **four neighbours**, each with a weight. The paper's equation 5 says it with one sum over all pixels:
#
# $$V_i = \sum_n \sum_m U_{nm}\, \max(0, 1 - |x_i - m|)\, \max(0, 1 - |y_i - n|)$$
#
# | paper | here | what it is |
# | --- | --- | --- |
# | $U_{nm}$ | `input[b, c, n, m]` | the pixel in row n, column m |
# | $x_i, y_i$ | `x`, `y` | where output pixel i reads, in pixels |
# | $V_i$ | result | the value it gets |
#
# The factor $\max(0, 1 - |d|)$ is a tent: 1 at the pixel itself, falling to 0 one pixel away.

# %%
d = torch.linspace(-2, 2, 401)
tent = (1 - d.abs()).clamp(min=0)
box = (d.abs() <= 0.5).float()
figure = plotting.curves(
    d,
    {"bilinear: max(0, 1 - |d|)": tent, "nearest: 1 up to half a pixel": box},
    "distance d from the pixel, pixels",
    "weight",
    "a pixel is heard up to one pixel away",
    markers=False,
)
show(
    figure,
    "the bilinear weight is a tent from -1 to 1 pixel with its tip at 0; the nearest weight is a box "
    "from minus a half to a half.",
)

# %% [markdown]
# So only four terms of the sum are not zero. Seen as a picture, each weight is an area: cut the square between
# the four centres at the point, and each pixel gets the piece *opposite* to it (the colours say which).
# The lab above cuts another square, of one pixel around the point. Its pieces have the same four areas.

# %%
patch = torch.tensor([[0.0, 0.2, 0.6], [0.1, 0.9, 0.5], [0.3, 0.7, 0.4]])
show(
    plotting.neighbours(patch, 0.7, 1.2, title="the nearer pixel has the larger area"),
    "a point between four pixels cuts the square between their centres into four pieces; the nearest "
    "pixel, on the right above, has weight 0.56.",
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
# A grid may read outside the picture. PyTorch knows three answers. Two of them *move the place* back inside, so
# padding is a change of coordinates.


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
# `clip` holds a place at the border. `reflect` folds it back, as between two mirrors that stand at the picture's
# edges: an even number of folds keeps the direction, an odd number turns it round. (`detach` says: no gradient through
# this. A place that is held at the border does not move when theta moves, so its gradient is 0, as in PyTorch.)


# %%
def pad(x, size, padding_mode="zeros", align_corners=False):
    if padding_mode == "border":
        return clip(x, size)
    if padding_mode == "reflection":
        return clip(reflect(x, size, align_corners), size)
    return x


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
    "three answers to what lies outside",
    markers=False,
)
show(
    figure,
    "five pixels from 0.2 to 1.0. Outside, zeros falls to 0 within a pixel, border stays at the last "
    "value, reflection runs back down the same ramp.",
)


# %% [markdown]
# ## Build 4: `grid_sample`
#
# Put together: normalised → pixels → padding → read.


# %%
def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    check_grid_sample(input, grid, mode, padding_mode, MODES, PADDING_MODES)
    height, width = input.shape[-2:]
    x = pad(to_pixels(grid[..., 0], width, align_corners), width, padding_mode, align_corners)
    y = pad(to_pixels(grid[..., 1], height, align_corners), height, padding_mode, align_corners)
    return bilinear(input, x, y) if mode == "bilinear" else nearest(input, x, y)


turned = grid_sample(digit[None], grid)
print("output:", tuple(turned.shape))

# %% [markdown]
# ## Trust
#
# Every mode, every padding, both `align_corners`, uneven shapes, three channels, places far outside:

# %%
torch.manual_seed(0)
input = torch.randn(2, 3, 5, 8, dtype=torch.float64, device=chosen)
grid = torch.randn(2, 6, 4, 2, dtype=torch.float64, device=chosen) * 3  # mostly outside
for mode in MODES:
    for padding_mode in PADDING_MODES:
        worst = 0.0
        for align_corners in (False, True):
            ours = grid_sample(input, grid, mode, padding_mode, align_corners)
            theirs = F.grid_sample(input, grid, mode, padding_mode, align_corners)
            worst = max(worst, (ours - theirs).abs().max().item())
        print(f"{mode:8} {padding_mode:10} below 1e-12: {worst < 1e-12}")

# %% [markdown]
# The gradients agree, too, to the input and to the grid:

# %%
input.requires_grad_()
grid.requires_grad_()
for padding_mode in PADDING_MODES:
    gradients = []
    for sample in (grid_sample, F.grid_sample):
        output = sample(input, grid, "bilinear", padding_mode, False)
        gradients.append(torch.autograd.grad(output.square().sum(), (input, grid)))
    worst = max((a - b).abs().max().item() for a, b in zip(*gradients, strict=True))
    print(f"{padding_mode:10} below 1e-10: {worst < 1e-10}")

# %% [markdown]
# PyTorch can do more than you built: bicubic sampling, and volumes in three dimensions. The course leaves them out.
#
# From here on PyTorch's own functions do the work, in one call: `warp(image, theta)`. The package's versions
# are the ones that you have read.
#
# ## The grey frame
#
# The tutorial's page normalises its digits: black becomes (0 - 0.1307) / 0.3081 = **-0.42**. Its sampler pads with
# **0**. What colour is that?

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
        title="after normalising, zero is not black",
        limits=(0, 0.6),
    ),
    "a seven; the same smaller inside a dark grey frame; the same smaller on black throughout.",
)

# %% [markdown]
# A network sees that frame and can find it useful: the more it zooms out, the more frame. Users of the page have reported
# trainings that collapsed that way on harder data. The remedies: pad with `border`, sample before you normalise, or keep the
# inputs from 0 to 1. A **quiz**:

# %%
Quiz("grey_frame")

# %% [markdown]
# ## The gradient: how a place learns
#
# A localization network must know: *if I move this place a little to the right, does the value rise?* For
# nearest the answer is always 0, so nothing can be learned. For bilinear it is the slope between the left and
# the right neighbours (paper, equations 6 and 7):
#
# $$\frac{\partial V}{\partial x} = (1 - b)\,(U_{\text{top right}} - U_{\text{top left}})
# + b\,(U_{\text{bottom right}} - U_{\text{bottom left}}), \qquad b = y - \lfloor y \rfloor$$

# %%
x = torch.tensor([[[0.7]]], requires_grad=True)
y = torch.tensor([[[1.2]]], requires_grad=True)
bilinear(patch[None, None], x, y).sum().backward()
by_hand_x = 0.8 * (0.9 - 0.1) + 0.2 * (0.7 - 0.3)
by_hand_y = 0.3 * (0.3 - 0.1) + 0.7 * (0.7 - 0.9)
print(f"to x: by hand {by_hand_x:+.2f}, autograd {x.grad.item():+.2f}")
print(f"to y: by hand {by_hand_y:+.2f}, autograd {y.grad.item():+.2f}")

place = torch.zeros(1, 1, 1, 2, requires_grad=True)
F.grid_sample(patch[None, None], place, mode="nearest", align_corners=False).sum().backward()
print("nearest, in PyTorch:", place.grad.flatten().tolist())

# %% [markdown]
# A **quiz**:

# %%
Quiz("nearest_gradient")

# %% [markdown]
# And from the place to theta? The place is theta times (x_t, y_t, 1), so the chain rule multiplies by these three
# numbers and adds over all pixels. Six sums, one for each number of theta:

# %%
theta = transforms.rotation(degrees=10).requires_grad_()
grid = F.affine_grid(theta, (1, 1, 28, 28), align_corners=False)
grid.retain_grad()
loss = F.mse_loss(F.grid_sample(digit[None], grid, align_corners=False), digit[None])
loss.backward()
target = grids.base_grid(28, 28)  # (H, W, 3): x_t, y_t, 1
by_hand = torch.einsum("hwi,hwj->ij", grid.grad[0], target)
print("equal to autograd:", torch.allclose(by_hand, theta.grad[0], atol=1e-6))

# For a small angle a, theta is about [[1, -a, 0], [a, 1, 0]]: the gradient to a is the sum of these two.
to_the_angle = (theta.grad[0, 1, 0] - theta.grad[0, 0, 1]).item()
print("the loss grows with the angle, so descent turns the grid back:", to_the_angle > 0)

# %% [markdown]
# Draw the gradient at each place, pointing the way the loss falls, and you see who does the teaching:

# %%
figure = plotting.arrows(
    digit, grid[0], -grid.grad[0], title="only places near an edge have something to say"
)
show(
    figure,
    "the seven with an arrow at each place where the output reads. Arrows start only near the edges of "
    "strokes; places in the black ground have none.",
)

# %% [markdown]
# Most places are silent. On the two sides of a stroke the arrows point opposite ways: one edge calls for more white, the
# other for less. And a gradient comes from the four neighbours only, so it **reaches one pixel**. What follows? First a
# **quiz**:

# %%
Quiz("gradient_reach")


# %% [markdown]
# ## Descend
#
# Hide a shift, and find it again by gradient descent on two numbers of theta. **Predict:** does it work from
# 1 pixel away? From 8 pixels away? (Change the starts and try 2, 3 and 4: a stroke is two or three pixels wide.)


# %%
def shifted(image, shift):
    """The image read `shift` pixels (x, y) further: (1, 1, 28, 28), (B, 2) -> (B, 1, 28, 28)."""
    theta = transforms.translation(*(2 * shift / 28).unbind(-1))
    return warp(image.expand(len(shift), -1, -1, -1), theta)


def descend(image, start, steps=60):
    """The shifts (steps + 1, 2) on the way from `start` towards the least difference, by Adam."""
    shift = torch.tensor([start], requires_grad=True)
    optimizer = torch.optim.Adam([shift], lr=0.3)
    path = [shift.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(shifted(image, shift), image).backward()
        optimizer.step()
        path.append(shift.detach().clone())
    return torch.cat(path)


# %%
sharp = digit[None]
for start in ([1.0, 0.0], [8.0, 0.0]):
    distance = descend(sharp, start)[-1].norm().item()
    print(f"from {start}: found within half a pixel: {distance < 0.5}")


# %% [markdown]
# From 8 pixels away the two sevens hardly overlap, and moving a little makes nothing better. Now blur both pictures
# first. Blur is a bridge: it carries an edge several pixels further.


# %%
def blurred(image, sigma):
    """A Gaussian blur, sigma in pixels: first along x, then along y."""
    reach = int(3 * sigma)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    image = F.conv2d(image, kernel.view(1, 1, 1, -1), padding=(0, reach))
    return F.conv2d(image, kernel.view(1, 1, -1, 1), padding=(reach, 0))


coarse = blurred(sharp, 3.0)
halfway = descend(coarse, [8.0, 0.0])
fine = descend(sharp, halfway[-1].tolist())
print(f"blurred, from [8, 0]: within half a pixel: {halfway[-1].norm().item() < 0.5}")
print(f"then sharp: within a tenth of a pixel: {fine[-1].norm().item() < 0.1}")

# %%
shifts = torch.linspace(-12, 12, 49)
places = torch.cartesian_prod(shifts, shifts).flip(-1)  # all (x, y); rows of equal y
losses = {
    name: ((shifted(image, places) - image) ** 2).mean(dim=(1, 2, 3)).reshape(49, 49)
    for name, image in (("sharp", sharp), ("blurred", coarse))
}
paths = {"sharp": descend(sharp, [8.0, 0.0]), "blurred": halfway}
show(
    plotting.surfaces(
        shifts, losses, paths, "the sharp loss is a hole in a plain, the blurred a bowl"
    ),
    "two maps of the loss over the shift. Sharp: a narrow hole at zero and wavy ground around, descent "
    "from 8 pixels away stays where it is. Blurred: a wide bowl, descent runs to its middle.",
)

# %% [markdown]
# The same holds when a network chooses theta: it learns from small misalignments, and large ones teach it little.
#
# ## Break
#
# **1. The dead zone.** Let the whole grid lie outside, with zero padding. The output is 0, and it stays 0 for every
# small change of theta. So the gradient is exactly 0, and no training brings it back.

# %%
for x in (0.0, 1.0, 2.1):
    for padding_mode in ("zeros", "border"):
        theta = transforms.translation(x=x).requires_grad_()
        output = warp(digit[None], theta, padding_mode=padding_mode)
        F.mse_loss(output, digit[None].roll(1, -1)).backward()
        dead = theta.grad.abs().max().item() == 0
        print(f"moved by {x}, {padding_mode:6}: the gradient is exactly zero: {dead}")

# %% [markdown]
# Border padding does not save you here: the clipped coordinate has no slope, and along the black border of a digit there is
# nothing to see. The remedy is not to get there: start at the identity, and learn slowly. A **quiz**:

# %%
Quiz("dead_zone")

# %% [markdown]
# **2. Aliasing.** Shrink 56 pixels to 14, and each output pixel still listens to four neighbours only. Twelve of sixteen
# pixels are never read. Fine stripes turn into something else:

# %%
columns = torch.arange(56)
stripes = (0.5 + 0.5 * torch.cos(columns * 2 * torch.pi / 3.6)).expand(1, 1, 56, 56)
direct = warp(stripes, transforms.identity(), (14, 14))
averaged = warp(F.avg_pool2d(stripes, 4), transforms.identity(), (14, 14))
print(
    f"contrast before {stripes.std():.2f}, direct {direct.std():.2f}, averaged first {averaged.std():.2f}"
)

# %%
big = [F.interpolate(image, size=(56, 56), mode="nearest") for image in (stripes, direct, averaged)]
show(
    plotting.image_grid(
        torch.cat(big),
        ["56 pixels wide", "read at 14", "averaged, then read"],
        columns=3,
        title="reading too sparsely invents broad stripes",
    ),
    "fine stripes; read at a quarter of the size they become broad stripes that were never there; "
    "averaged first they become an even grey.",
)

# %% [markdown]
# The broad stripes were never there. Whoever shrinks by more than 2 should average first.
#
# ## Try
#
# Nine exercises, each with a check that answers. Write in place of the dots, run the cell, read what comes. Nothing breaks
# if you are wrong: that is when the check has most to say. `checks.hint("frame")` gives a push, and another one each time;
# `checks.solution("frame")` shows the answer. The rest of the course does not need your functions, so take those you like.
#
# **Predict** first. Write your answer down before you run anything else.
#
# **1.** Dark digits on white, as on paper: `1 - digit`, values from 0 to 1, not normalised. You zoom out with
# `padding_mode="zeros"`. What colour is the frame?

# %%
guess = ...  # a word
checks.frame(guess)

# %% [markdown]
# **2.** Four pixels: 0.2 and 0.8 in the upper row, 0.4 and 0.4 in the lower row. You read at x = 0.5, y = 0.25. What is the
# gradient along **x**, in values a pixel?

# %%
guess = ...  # a number
checks.gradient_here(guess)

# %% [markdown]
# **3.** The picture is read through `transforms.translation(x=3.0)` with zero padding. How large is the largest of the six
# numbers of theta's gradient?

# %%
guess = ...  # a number
checks.dead_zone(guess)


# %% [markdown]
# **Write.** `read_pixels` is yours to use. The check holds your function against PyTorch inside, between, across the border and
# outside, and shows the smallest case that is wrong. x and y may be
# negative, or whole.
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
# **7.** The three paddings, without `clip` and `reflect`. Predict: where is x = -1.2 read under reflection, with
# `align_corners=False` and with `True`?


# %%
def my_pad(x, size, padding_mode="zeros", align_corners=False):
    # x: (N,) in pixels; the answer: (N,), the places that are read
    ...


checks.pad(my_pad)


# %% [markdown]
# **8.** Bilinear's gradient along x by hand, without autograd. On a pixel take the slope to its right, as PyTorch does.


# %%
def my_gradient_x(input, x, y):
    # input: (B, C, H, W); x, y: (B, H', W') in pixels; the answer: (B, C, H', W')
    ...


checks.gradient_x(my_gradient_x)


# %% [markdown]
# **9. Repair.** Under the identity this function should give back its input. It does not quite. Predict: where is it off
# most, in the middle or at the border? Then mend it, so that the same theta means the same on images of any size.


# %%
def my_warp(image, theta):
    grid = F.affine_grid(theta, image.shape, align_corners=True)
    return F.grid_sample(image, grid, align_corners=False)


checks.disagreeing(my_warp)

# %% [markdown]
# <details><summary>Answers to what has no check</summary>
#
# 5. One: the four areas fill the square.
#
# 7. At 0.2, since the mirror stands at -0.5; at 1.2, since it stands at 0.
#
# 9. At the border, by half a pixel; in the middle not at all.
# </details>

# %% [markdown]
# ## Keep
#
# - **Bilinear sampling is a mean of four neighbours**; that is why it has a gradient, and why that gradient reaches
#   one pixel.
# - **Border and reflection move the place, zeros leaves it**; and zero is black only if black is zero.
# - **Wholly outside, zero padding has no gradient.** Start at the identity.
#
# Next: [04 · The spatial transformer](04_stn_model.ipynb). You can now warp by theta and learn theta for one picture.
# Who chooses it for a picture never seen before?
