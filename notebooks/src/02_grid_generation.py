# %% [markdown]
# # 02 · Grid generation: where does each output pixel look?
#
# By the end, you can read the six numbers of a *theta* and say what they do to a picture, and you have built PyTorch's
# `affine_grid` in under twenty lines.
#
# **50 minutes to read, 120 with the exercises · needs notebook 01 or some PyTorch · runs on CPU or GPU, offline**

# %%
import torch
import torch.nn.functional as F

from stn_course import checks, data, device, models, plotting, transforms
from stn_course.plotting import rounded, show
from stn_course.samplers import warp
from stn_course.validation import check_affine_grid, check_positive
from stn_course.widgets import Quiz, ThetaLab

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))

# %% [markdown]
# Have you done notebook 01? Then answer these from memory before you open the answers.
#
# 1. A CNN trained on upright digits reads 99 % of them. About what share does it read when they are turned by 45°?
# 2. What value does a black pixel have after `normalise`?
# 3. Augmentation helps with turned digits. What does it cost?
#
# <details><summary>Answers</summary>
#
# 1. About half. 2. -0.42. 3. Some accuracy on upright digits: the same parameters must now cover every angle.
# </details>
#
# ## The question
#
# Take a digit and a rotation by **+30°**. In a picture y points down, so a positive angle turns clockwise. A spatial
# transformer does not apply the rotation to the digit. It applies it to a *grid of places to read from*. Here is what that
# does. (The axes show *normalised coordinates*: from -1 to 1 across the picture, whatever its number of pixels. Build 1
# takes a closer look at them.)

# %%
images, labels = data.load_digits("test")
digit = images[0]  # (1, 28, 28): channels, height, width
theta = transforms.rotation(degrees=30)
figure = plotting.sampling_grid(
    digit, theta, title="turning the grid clockwise turns the digit anticlockwise"
)
show(
    figure,
    "on the left, a seven under a grid of dots that is turned 30 degrees clockwise; on the "
    "right, the output, in which the seven is turned anticlockwise.",
)

# %% [markdown]
# The grid turned clockwise. The digit turned **anticlockwise**. Why? Keep the question in mind while you play.
#
# ## Play
#
# Run the next cell, then move the grid. The left panel shows where the output reads, the right panel what it gets. Drag
# the orange dot at the centre of the frame, or the tip of its **x** arrow or **y** arrow. You can also reach the three dots
# with the Tab key and move them with the arrow keys (hold Shift for larger steps). The sliders show the same
# transformation in two ways: as the six numbers of theta, and as a *pose*, which says the same in words: how far the grid is
# turned (rotation), stretched along each axis (scale), slanted (shear) and moved (translation). Leave the menus for `mode`
# and `padding_mode` as they are until notebook 03.
#
# Five things to try:
# 1. Make the digit larger. Do `scale x` and `scale y` go up or down?
# 2. Move the digit to the left. Does `translation x` go up or down?
# 3. Press Reset, then drag only the tip of the x arrow. Which of the six numbers change?
# 4. Press Reset, then change only `theta[0, 1]`. Which pose sliders move?
# 5. Press Reset, then choose *how the picture moves*. Now the dots move the picture itself, and the sliders still show
#    theta. Drag the picture to the right. Which way does `translation x` go?

# %%
lab = ThetaLab(digit)
lab

# %% [markdown]
# `lab.theta` is a tensor. You can read it in any cell; if you set it, the lab follows. The lab also takes a picture of
# your own: pass an array of shape H×W or H×W×3 to `ThetaLab`. If you see no lab above, run its cell. Here is one of its
# states as a still picture. (A *similarity* turns, scales both axes alike, and moves. It has no shear, so shapes stay as
# they are.)

# %%
theta = transforms.similarity(degrees=-20, scale=0.6, x=0.1, y=-0.1)
still = plotting.sampling_grid(digit, theta, title="a smaller grid gives a larger digit")
show(
    still,
    "on the left, a grid that is smaller than the picture, turned 20 degrees anticlockwise; on "
    "the right, the part of the seven under it, enlarged.",
)

# %% [markdown]
# ## From output to input
#
# Theta answers a question that each **output** pixel asks: *where in the input do I look?* So it maps output
# coordinates to input coordinates. When you turn your head to the right, what you see moves to the left. The grid is the
# head.
#
# Why this way round? Try the other one. Send each input pixel to its place in an output of twice the size, and count the
# output pixels that nothing reaches. Then let each output pixel look up its own value. `warp(image, theta, output_size)`
# does that in one call: it makes the grid, then reads the image there. You build the first half in this notebook and the
# second in notebook 03. `transforms.identity()` is the theta that changes nothing. With `mode="nearest"` each output pixel
# takes the value of the input pixel nearest to its place. Without it, `warp` reads *bilinearly*: it takes a weighted mean of
# the four pixels around the place. (The second count uses a picture of ones: a 0 in the output can then only mean that
# nothing was read.)

# %%
forward = torch.full((1, 56, 56), -1.0)  # -1: nothing arrived here
rows, columns = torch.meshgrid(torch.arange(28), torch.arange(28), indexing="ij")
forward[0, 2 * rows, 2 * columns] = digit[0]
holes = (forward < 0).sum().item()
print(f"input → output: {holes} of {forward.numel()} output pixels stay empty")

backward = warp(digit[None], transforms.identity(), (56, 56), mode="nearest")
filled = warp(torch.ones(1, 1, 28, 28), transforms.identity(), (56, 56), mode="nearest")
print(f"output → input: {(filled == 0).sum().item()} output pixels stay empty")

# %%
pair = torch.stack([forward.clamp(0), backward[0]])
show(
    plotting.image_grid(
        pair,
        ["input → output", "output → input"],
        columns=2,
        title="sending pixels forward leaves holes",
    ),
    "on the left, the seven enlarged by sending pixels forward, a pattern of separate dots; "
    "on the right, the seven enlarged by looking up each output pixel, without gaps.",
)

# %% [markdown]
# Every output pixel looks up exactly one place, so each gets a value. That is why the map goes from output to input. (A place
# may also lie outside the picture. Then the value is black; here no place does.) A **quiz** on it:

# %%
Quiz("which_way")

# %% [markdown]
# ## Build 1: pixels and normalised coordinates
#
# Theta must not depend on the size of the image. So both axes run from **-1 to 1**, whatever the number
# of pixels: x to the right, y *down*. But which point is -1? There are two answers, and
# `align_corners` chooses between them.

# %%
show(
    plotting.pixel_coordinates(5),
    "five by five pixels, twice. With align_corners=False, the frame from -1 to 1 runs along the outer "
    "edges of the pixels; with True, it runs through the centres of the border pixels.",
)


# %% [markdown]
# With `False`, PyTorch's default since version 1.3, a pixel is 2 / n wide and the first centre lies half a pixel
# inside the edge. With `True`, the first and last centres lie exactly at -1 and 1. (`check_positive` turns bad input
# into a readable error and does nothing else. `**options` collects all other named arguments, here `dtype` and `device`,
# and passes them on to `torch.arange`: the centres come in the same type and on the same device as theta. `rounded` in the
# prints turns a tensor into a list of rounded numbers.)


# %%
def pixel_centres(n, align_corners=False, **options):
    check_positive("n", n)
    index = torch.arange(n, **options)
    if align_corners:
        return (2 * index - (n - 1)) / max(n - 1, 1)  # first -1, last 1
    return (2 * index + 1 - n) / n  # half a pixel inside -1 and 1


print("False:", rounded(pixel_centres(5)))
print("True: ", rounded(pixel_centres(5, align_corners=True)))

# %% [markdown]
# A **quiz** on an image with a different number of pixels. Work out the answer before you call the function:

# %%
Quiz("align_corners")


# %% [markdown]
# ## Build 2: the regular grid, with ones
#
# Each output pixel has coordinates (x, y). Add a third number that is always 1. Why? Theta has six numbers: four that
# turn, stretch and slant, and two that *move*. A move adds the same amount to every point. The last column of theta
# multiplies the 1, so a single matrix product does everything. Such coordinates are called **homogeneous**.


# %%
def base_grid(height, width, align_corners=False, **options):
    y, x = torch.meshgrid(
        pixel_centres(height, align_corners, **options),
        pixel_centres(width, align_corners, **options),
        indexing="ij",
    )
    return torch.stack([x, y, torch.ones_like(x)], dim=-1)


grid = base_grid(2, 3)
print("shape (H, W, 3):", tuple(grid.shape))
print("top row, x:", rounded(grid[0, :, 0]))
print("top row, y:", rounded(grid[0, :, 1]))

# %% [markdown]
# Mind the order: x and y are easily swapped here. The grid's *axes* are (height, width), row before column, as in
# every tensor. Its *content* is (x, y), column before row. A **quiz** on it:

# %%
Quiz("xy_order")


# %% [markdown]
# ## Build 3: theta times coordinates
#
# This is equation 1 of the paper (Jaderberg et al., 2015). For each output pixel:
#
# $$\begin{pmatrix} x_i^s \\ y_i^s \end{pmatrix} =
# \begin{bmatrix} \theta_{11} & \theta_{12} & \theta_{13} \\ \theta_{21} & \theta_{22} & \theta_{23}
# \end{bmatrix} \begin{pmatrix} x_i^t \\ y_i^t \\ 1 \end{pmatrix}$$
#
# | paper | here | shape | what it is |
# | --- | --- | --- | --- |
# | $\theta$ | `theta` | (B, 2, 3) | one transformation for each image of the batch |
# | $(x^t, y^t, 1)$ | `target` | (H, W, 3) | the output pixels: *target* |
# | $(x^s, y^s)$ | result | (B, H, W, 2) | where each one reads in the input: *source* |
#
# The formula counts from 1, Python counts from 0, and a tensor has a batch axis first: $\theta_{12}$ is `theta[0, 1]` in
# the lab and `theta[b, 0, 1]` in a tensor.


# %%
def affine_grid(theta, size, align_corners=False):
    check_affine_grid(theta, size)
    _, _, height, width = size
    target = base_grid(height, width, align_corners, dtype=theta.dtype, device=theta.device)
    return torch.einsum("bij,hwj->bhwi", theta, target)  # eq. 1: (x_s, y_s) = theta (x_t, y_t, 1)


grid = affine_grid(transforms.identity(), (1, 1, 28, 28))
print("shape (B, H, W, 2):", tuple(grid.shape))
print("the top left pixel reads at", rounded(grid[0, 0, 0], 4))

# %% [markdown]
# Read `"bij,hwj->bhwi"` as: for every image `b` and every pixel `h, w`, multiply row `i` of theta by the
# three coordinates `j` and add. That line is the whole grid generator.
#
# Follow one pixel by hand, the last one of the top row, under a rotation by 30°:

# %%
theta = transforms.rotation(degrees=30)
x, y = 27 / 28, -27 / 28  # output coordinates of the top right pixel
by_hand = (
    theta[0, 0, 0] * x + theta[0, 0, 1] * y + theta[0, 0, 2],
    theta[0, 1, 0] * x + theta[0, 1, 1] * y + theta[0, 1, 2],
)
by_code = affine_grid(theta, (1, 1, 28, 28))[0, 0, 27]
print("by hand:", rounded(torch.stack(by_hand), 4))
print("by code:", rounded(by_code, 4))

# %% [markdown]
# Its x is greater than 1, so this pixel reads outside the picture and gets black. Notebook 03 looks into that.
#
# ## Trust
#
# Compare with PyTorch. Sizes with unequal sides catch a swap of height and width, a batch of three different thetas
# catches one that is used for all, and in float64 only rounding in the last digits may differ.

# %% tags=["tolerance=1e-12"]
torch.manual_seed(0)
theta = torch.randn(3, 2, 3, dtype=torch.float64, device=chosen)
for size in [(3, 1, 4, 7), (3, 2, 9, 2), (3, 1, 2, 5)]:
    for align_corners in (False, True):
        ours = affine_grid(theta, size, align_corners)
        theirs = F.affine_grid(theta, size, align_corners=align_corners)
        worst = (ours - theirs).abs().max().item()
        print(f"size {size}, align_corners={align_corners!s:5}: largest difference {worst:.0e}")

# %% [markdown]
# ## An output of another size
#
# `size` is the size of the **output**. The input's size appears nowhere in the grid, so the two may differ.
#
# **Predict:** the input has 28×28 pixels, the output 14×14, and theta is the identity. Where does output pixel (0, 0)
# read, in normalised coordinates? And in pixels of the input, where 0 is the centre of the first pixel? Answer for both
# `align_corners`. (To get pixels, the cell divides the distance from the first centre by the distance between two
# neighbouring centres.)

# %% tags=["hide-output"]
print("where the first output pixel reads, by align_corners:")
for align_corners in (False, True):
    place = affine_grid(transforms.identity(), (1, 1, 14, 14), align_corners)[0, 0, 0]
    start, following = pixel_centres(28, align_corners)[:2]
    pixels = rounded((place - start) / (following - start))
    print(f"{align_corners!s:5}: {rounded(place, 4)}, in pixels {pixels}")

# %% [markdown]
# <details><summary>Why</summary>
#
# With `False`, an output pixel covers two by two input pixels, and it reads where the four meet: between columns 0 and 1
# and between rows 0 and 1. With `True`, the corner pixel reads the corner pixel.
# </details>
#
# Now take a theta that moves the grid by 0.5. The cell converts this move to pixels, and to a share of the picture's width,
# for images of three sizes.

# %%
for align_corners in (False, True):
    for n in (7, 28, 224):
        start, following = pixel_centres(n, align_corners)[:2].tolist()
        moved = 0.5 / (following - start)  # in pixels
        words = f"{moved:5.2f} of {n:3} pixels, {100 * moved / n:.1f} %"
        print(f"align_corners={align_corners!s:5}: {words}")

# %% [markdown]
# With `False`, 0.5 is always a quarter of the width. **A theta has the same effect on images of any size**, so a network
# can choose theta on a small copy of a picture, and you can apply it to the original. With `True`, this holds only
# approximately: the smaller the image, the larger the error.
#
# ## Read a theta by eye
#
# Each column of theta is something you can draw. The **first column** is where the output's x axis points in the input.
# The **second column** is the same for its y axis. The **third column** is the place where the output's centre reads.
# Draw two arrows from a point, and you know the transformation.

# %%
theta = torch.tensor([[[0.5, -0.2, 0.3], [0.1, 0.6, -0.2]]])
for name, column in zip(("x arrow", "y arrow", "centre"), theta[0].T, strict=True):
    print(f"{name}: {rounded(column)}")
figure = plotting.sampling_grid(
    digit, theta, title="the columns of theta are two arrows and a point"
)
show(
    figure,
    "on the left, a grid whose centre lies to the upper right of the image's centre; its x "
    "arrow is half a unit long, its y arrow a little longer; on the right, that part of the "
    "seven, enlarged.",
)

# %% [markdown]
# You can also read theta as a *pose*: theta = translation · rotation · shear · scale. Read the product from right to
# left. It first scales a point, then shears it (moves its x by `shear` times its y), then turns it, then moves it.

# %% tags=["tolerance=0.002"]
pose = transforms.to_pose(theta)
for name, value in pose._asdict().items():
    print(f"{name:9} {value.item():+.3f}")

# %% tags=["tolerance=1e-5"]
again = transforms.from_pose(*pose)
print(f"theta built from its pose: largest difference {(again - theta).abs().max():.0e}")

# %% [markdown]
# A **quiz**:

# %%
Quiz("zoom")

# %% [markdown]
# ## Compose and invert
#
# Warp a picture by `first`, then warp the result by `second`. One theta can do both, and reading once blurs less
# than reading twice. Which theta is it? Follow one output pixel. It asks `second`, and `second` sends it to a place in the
# **middle picture**. The value there came from the original: to find out from where, ask `first`.

# %%
first, second = transforms.rotation(degrees=90), transforms.translation(x=0.5)
show(
    plotting.two_warps(digit, first, second, (-0.4, -0.2), "the pixel asks second, then first"),
    "three panels: the original seven, the middle picture with the seven turned, and the output "
    "with the turned seven moved to the left. An arrow labelled second leads from a place in the "
    "output to a place in the middle picture, an arrow labelled first from there to the "
    "original. All three places lie on the same stroke.",
)

# %% [markdown]
# In symbols: `second` sends the point to second · point, and `first` sends that place to first · (second · point). In a
# matrix product you may move the brackets, so this is (first · second) · point. **The theta of both warps is first ·
# second.** Read from left to right, it names the warps in the order in which you apply them to the picture. The pixel asks
# from right to left.
#
# Two 2×3 matrices have no product. So each theta gets a third row, (0, 0, 1), before you multiply. `transforms.compose`
# adds the rows, multiplies, and removes the row again.

# %%
point = torch.tensor([-0.4, -0.2, 1.0])  # (x, y, 1) in the output
in_middle = transforms.to_matrix(second)[0] @ point
in_original = transforms.to_matrix(first)[0] @ in_middle
print("second sends the pixel to", rounded(in_middle[:2]))
print("first sends that place to", rounded(in_original[:2]))
print("first · second, at once: ", rounded(transforms.compose(first, second)[0] @ point))

# %% [markdown]
# **Predict:** is "turn, then shift" the same as "shift, then turn"? Where does the output's centre read in each case?

# %% tags=["hide-output"]
turn, shift = first, second
print("where the output's centre reads:")
for name, theta in [
    ("turn, then shift", transforms.compose(turn, shift)),
    ("shift, then turn", transforms.compose(shift, turn)),
]:
    print(f"{name}: {rounded(theta[0, :, 2])}")

# %% tags=["hide-output"]
two_orders = torch.cat(
    [
        warp(digit[None], transforms.compose(turn, shift)),
        warp(digit[None], transforms.compose(shift, turn)),
    ]
)
show(
    plotting.image_grid(
        two_orders,
        ["turn, then shift", "shift, then turn"],
        columns=2,
        title="one turn and one shift, in two orders",
    ),
    "the outputs of the two orders side by side, each with a turned seven.",
)

# %% [markdown]
# <details><summary>What the two show, and why</summary>
#
# After "turn, then shift", the seven lies to the left: the shift moved the *turned* picture. The output's centre reads the
# turned picture at (0.5, 0), and that place came from (0, 0.5) in the original.
#
# After "shift, then turn", it lies at the bottom. The shift moved the upright picture to the left; then the quarter turn,
# anticlockwise for the picture, carried its left side to the bottom. The output's centre reads the middle picture at its
# centre, which the turn leaves in place, and that place came from (0.5, 0) in the original.
# </details>
#
# Warp twice, and compare with one warp by the product. (A quarter turn and a shift by whole pixels hit pixel centres, so
# here the second reading blurs nothing.)

# %% tags=["tolerance=1e-4"]
twice = warp(warp(digit[None], turn), shift)
once = warp(digit[None], transforms.compose(turn, shift))
print(f"warped twice and once: largest difference {(twice - once).abs().max():.0e}")

# %% [markdown]
# The inverse of theta maps input → output, so it says how the *picture* moves. The lab draws its columns when you choose
# *how the picture moves*: press *Quarter turn* there, and compare.
#
# OpenCV's `warpAffine` takes this direction, too, but in pixels. `transforms.to_pixel_matrix` makes the matrix that it
# expects, and `transforms.from_pixel_matrix` goes back to theta. Both take a `direction`: `"input_to_output"`, the default,
# is OpenCV's; `"output_to_input"` keeps theta's own direction and changes only the units. (One of the course's tests checks
# that OpenCV's result agrees with `warp`.)

# %% tags=["tolerance=0.002"]
theta = transforms.similarity(degrees=30, scale=0.8)
matrix = transforms.to_pixel_matrix(theta, input_size=(28, 28))
print("for cv2.warpAffine(image, M, (28, 28)), M =")
for row in rounded(matrix[0], 3):
    print("  ", row)

# %% tags=["tolerance=1e-5"]
both = transforms.compose(theta, transforms.inverse(theta))
back = transforms.from_pixel_matrix(matrix, input_size=(28, 28))
difference = (both - transforms.identity()).abs().max()
print(f"theta · inverse and the identity: largest difference {difference:.0e}")
print(f"theta, and back from pixels:      largest difference {(back - theta).abs().max():.0e}")

# %% [markdown]
# ## What it is good for
#
# Three digits lie somewhere in a picture of 84×84 pixels, each turned by its own angle. The inverse of a theta placed each
# one there. The theta itself fetches the digit back: one step crops it and turns it upright.

# %%
places = transforms.similarity(
    degrees=torch.tensor([-80.0, 65.0, 110.0]),
    scale=1 / 3,
    x=torch.tensor([-0.5, 0.1, 0.55]),
    y=torch.tensor([0.45, -0.5, 0.4]),
)
pasted = warp(images[:3], transforms.inverse(places), (84, 84))
scene = pasted.sum(dim=0, keepdim=True)  # (1, 1, 84, 84)
fetched = warp(scene.expand(3, -1, -1, -1), places, (28, 28))
show(
    plotting.sampling_grid(
        scene[0], places[:1], (28, 28), title="six numbers fetch the seven and set it upright"
    ),
    "on the left, a seven, a two and a one at different angles in a large picture, and a small "
    "turned grid over the seven; on the right, the seven, upright and filling the output.",
)

# %% [markdown]
# Compare with a window of the same size at the same place, cropped without turning. (`transforms.attention` makes the theta
# of an upright window from its size and its centre.)

# %%
windows = transforms.attention(1 / 3, places[:, 0, 2], places[:, 1, 2])  # the same, upright
cropped = warp(scene.expand(3, -1, -1, -1), windows, (28, 28))
show(
    plotting.image_grid(
        torch.cat([cropped, fetched]),
        [*(f"window {n}" for n in (1, 2, 3)), *(f"theta {n}" for n in (1, 2, 3))],
        columns=3,
        title="the right theta makes a digit easy to read",
    ),
    "above, a seven, a two and a one, cropped and turned as in the scene; below, the same three "
    "digits, each upright and filling its picture.",
)

# %% [markdown]
# How much easier? Put each of a hundred digits into a picture of its own, at any angle, and ask a classifier that has seen
# only upright digits, as in notebook 01. (It is part of a trained network that comes with the course; `classify` calls that
# part alone.)

# %% tags=["tolerance=3"]
torch.manual_seed(0)
angles, x, y = 360 * torch.rand(100), 1.2 * torch.rand(100) - 0.6, 1.2 * torch.rand(100) - 0.6
places = transforms.similarity(degrees=angles, scale=1 / 3, x=x, y=y)
pictures = warp(images[:100], transforms.inverse(places), (84, 84))
network = models.load_straightener()
for name, theta in [("cropped", transforms.attention(1 / 3, x, y)), ("through theta", places)]:
    windows = warp(pictures, theta, (28, 28))
    with torch.no_grad():
        answers = network.classify(data.normalise(windows)).argmax(dim=1)
    print(f"{name:13} {(answers == labels[:100]).sum().item():3} of 100 read correctly")

# %% [markdown]
# **With the right theta, reading is easy.** Here you were told the thetas. In notebook 04 a network chooses them.
#
# ## Break
#
# **1. A rotation that shears.** On an image that is not square, x and y have different units: 1 is half the
# width on one axis and half the height on the other. A rotation matrix in these units is not a rotation in pixels.
#
# The remedy converts units. `theta[0, 1]` takes a y to an x: a y of 1 is height / 2 pixels long, and in units of width / 2
# pixels that is height / width, so this number needs the factor **height / width**. `theta[1, 0]` takes an x to a y, the
# opposite conversion, so it needs the inverse, **width / height**. The other two stay on their own axis and need
# no factor.

# %%
height, width = 28, 56
wide = torch.zeros(1, height, width)
wide[:, :, 14:42] = digit
naive = transforms.rotation(degrees=30)
remedied = naive.clone()
remedied[:, 0, 1] *= height / width  # y to x
remedied[:, 1, 0] *= width / height  # x to y
for name, theta in [("naive", naive), ("remedied", remedied)]:
    # theta's own direction, in pixels
    in_pixels = transforms.to_pixel_matrix(theta, (height, width), direction="output_to_input")
    pose = torch.cat(transforms.to_pose(in_pixels))  # rotation, two scales, shear, x, y
    print(f"{name:8} in pixels: rotation {rounded(pose[0], 1)}°", end=", ")
    print(f"scales {rounded(pose[1:3])}, shear {rounded(pose[3])}")

# %%
three = torch.stack([wide, warp(wide[None], naive)[0], warp(wide[None], remedied)[0]])
show(
    plotting.image_grid(
        three,
        ["wide image", "naive", "remedied"],
        columns=3,
        title="a rotation in normalised units slants and stretches a wide picture",
    ),
    "a seven on a wide image; under the naive rotation it is stretched and slanted, under the "
    "remedied one it is turned and keeps its shape.",
)

# %% [markdown]
# **2. `align_corners` that disagree.** Make a grid with one setting and sample with the other, and the picture drifts: not
# at all at the centre, most at the border. Make the identity grid with `True`, read its places as `False` does, and
# measure in pixels:

# %%
made_with_true = affine_grid(transforms.identity(), (1, 1, 28, 28), align_corners=True)
read_with_false = ((made_with_true[0, 0, :, 0] + 1) * 28 - 1) / 2
drift = read_with_false - torch.arange(28)
print("drift at the first, a middle and the last pixel:", rounded(drift[[0, 14, 27]]))

# %% [markdown]
# Half a pixel hardly matters in a photograph. It matters for a stroke that is two pixels wide. The remedy is a habit:
# **write `align_corners` in both calls, with the same value.**
#
# **3. Degrees for radians.** `torch.cos` takes radians. 30 radians are 1719°, four full turns and 279°.
# `transforms.rotation` makes you name the unit:

# %%
wrong = transforms.to_pose(transforms.rotation(radians=30.0)).rotation.item()
print(f"30, taken as radians, turns by {wrong:.0f}° (which is {wrong + 360:.0f}°)")
try:
    transforms.rotation()
except TypeError as error:
    print("without a unit:", error)

# %% [markdown]
# ## Try
#
# Ten exercises have a check that answers; one has its answer in the folded output. Replace the dots, run the cell, and read
# the answer. You cannot break anything, and a wrong attempt gets the most detailed answer. `checks.hint("which_way")` gives
# a hint, and another one each time you call it; `checks.solution("which_way")` shows the solution. The rest of the course
# does not need your functions, so do the ones you like.
#
# **Predict** first. Write your answer down before you run anything else.
#
# **1.** Under `transforms.rotation(degrees=-20)`, which way does the *digit* turn: `"clockwise"` or `"anticlockwise"`?

# %%
guess = ...
checks.which_way(guess)

# %% [markdown]
# **2.** Which theta reads the **left half** of the image and fills the output with it?

# %%
guess = ...  # [[[…, …, …], […, …, …]]]
checks.left_half(guess)

# %% [markdown]
# **3.** Which theta shows the digit **as in a mirror**, with left and right swapped?

# %%
guess = ...  # [[[…, …, …], […, …, …]]]
checks.mirror(guess)

# %% [markdown]
# **4.** `first` turns the grid by 90°, `second` moves it down by `y=0.5`. Where does the centre of the output read under
# `transforms.compose(first, second)`?

# %%
guess = ...  # [x, y]
checks.compose_order(guess)

# %% [markdown]
# **5.** Predict: what share of the bright pixels is left under `[[2, 0, 0], [0, 2, 0]]`? Open the output to see.

# %% tags=["hide-output"]
theta = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
share = (warp(digit[None], theta) > 0.5).sum() / (digit > 0.5).sum()
print("the share of bright pixels that is left:")
print(f"{share:.2f}")


# %% [markdown]
# **Write.** The check compares your function with PyTorch on sizes with unequal sides, in both dtypes and with both
# `align_corners`, and shows the smallest case that is wrong.
#
# **6.** The base grid, from memory. You may use `pixel_centres`.


# %%
def my_base_grid(height, width, align_corners=False):
    # the answer: (H, W, 3), each point x, y, 1
    ...


checks.base_grid(my_base_grid)


# %% [markdown]
# **7.** The affine grid, this time with `@` instead of `einsum`. Use `base_grid`, and give it theta's `dtype` and `device`
# as Build 3 does.


# %%
def my_affine_grid(theta, size, align_corners=False):
    # theta: (B, 2, 3); size: (B, C, H, W); the answer: (B, H, W, 2)
    ...


checks.affine_grid(my_affine_grid)


# %% [markdown]
# **8.** The inverse of a theta. Predict: what becomes of the third column? (The answers to questions without a check stand
# at the end of this notebook.)


# %%
# my prediction: the third column becomes …
def my_inverse(theta):
    # theta: (B, 2, 3); the answer: (B, 2, 3)
    ...


checks.inverse(my_inverse)


# %% [markdown]
# **9.** The hardest of the ten. Turn the grid clockwise about a **pixel** (x, y) of your choice, which then stays where it is.
# The image need not be square. (Build the matrix in pixels, and convert it as in *Compose and invert*.)


# %%
def my_rotation_about(degrees, x, y, size):
    # x, y: in pixels, 0 is the first centre, 2.5 lies between two
    # size: (H, W); the answer: theta (1, 2, 3)
    ...


checks.rotation_about(my_rotation_about)


# %% [markdown]
# **10.** A crop: the theta that reads the box of `width` × `height` pixels whose first column is `left` and first row `top`.


# %%
def my_crop_theta(left, top, width, height, size):
    # size: (H, W) of the whole image, align_corners=False; the answer: theta (1, 2, 3)
    ...


checks.crop_theta(my_crop_theta)


# %% [markdown]
# **11. Repair.** This grid generator raises no error, yet it is wrong on every image. Predict: what do you
# see when a digit is read through it? Then repair it.


# %%
# my prediction: you see …
def my_grid(theta, size):
    _, _, height, width = size
    x, y = torch.meshgrid(pixel_centres(width), pixel_centres(height), indexing="ij")
    target = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    return torch.einsum("bij,hwj->bhwi", theta, target)


checks.swapped(my_grid)

# %% [markdown]
# <details><summary>Answers to the questions without a check</summary>
#
# **5.** A quarter: the grid is twice as wide and twice as high, so the digit is half as wide and half as high.
#
# **8.** The old column with its sign changed, multiplied by the inverse of the 2×2 part: the way back is measured in the
# other picture's axes.
#
# **11.** A digit mirrored along the diagonal: rows have become columns.
#
# The lab: 1. Down. 2. Up. 3. `theta[0, 0]` and `theta[1, 0]`, the first column. 4. Only shear. 5. Down: the picture moves
# one way, the grid the other.
# </details>

# %% [markdown]
# ## Keep
#
# - **Theta maps output to input.** The grid moves one way, the picture the other.
# - **Columns are arrows**: where the x axis points, where the y axis points, where the centre reads.
# - **Write `align_corners` in both calls**, and build rotations of wide images in pixels.
#
# Next: [03 · Sampling](03_sampling.ipynb). The grid says *where* to read. But most places lie between pixels, where the
# picture has no value. What does the output get there?
