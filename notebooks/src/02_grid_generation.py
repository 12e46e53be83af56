# %% [markdown]
# # 02 · Grid generation: where does each output pixel look?
#
# At the end you can read six numbers, *theta*, and say what they do to a picture; and you have built
# PyTorch's `affine_grid` in under twenty lines.
#
# **40 minutes · needs notebook 01 or some PyTorch · runs on CPU or GPU, offline**

# %%
import torch
import torch.nn.functional as F

from stn_course import checks, data, device, plotting, transforms
from stn_course.plotting import show
from stn_course.samplers import warp
from stn_course.validation import check_affine_grid, check_positive
from stn_course.widgets import Quiz, ThetaLab

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))

# %% [markdown]
# ## The question
#
# Take a digit and a rotation by **+30°**. In a spatial transformer the rotation is not applied to the
# digit. It is applied to a *grid of places to read from*. Look at what that does.

# %%
images, labels = data.load_digits("test")
digit = images[0]  # (1, 28, 28): channels, height, width
theta = transforms.rotation(degrees=30)
figure = plotting.sampling_grid(
    digit, theta, title="turning the grid clockwise turns the digit anticlockwise"
)
show(
    figure,
    "left a seven with a grid of dots turned 30 degrees clockwise over it; right the output, "
    "in which the seven leans the other way, anticlockwise.",
)

# %% [markdown]
# The grid turned clockwise. The digit turned **anticlockwise**. Why? Keep the question while you play.
#
# ## Play
#
# Run the next cell and take hold of the grid. On the left you see where the output reads, on the right what it gets.
# Drag the orange dot, the frame's centre; drag the tip of its **x** arrow or of its **y** arrow. The Tab key leads to the
# three dots, too, and the arrow keys move them (with Shift: farther). Sliders do the same: the *pose* (rotation, scale,
# shear, translation) and the six numbers of theta always agree with your hand.
#
# Five things to try:
# 1. Make the digit larger. Do `scale x` and `scale y` go up or down?
# 2. Move the digit to the left. Does `translation x` go up or down?
# 3. Press Reset, then drag only the tip of the x arrow. Which of the six numbers change?
# 4. Press Reset, then change only `theta[0, 1]`. Which pose sliders move?
# 5. Press *Quarter turn*, then *how the picture moves*. Now the dots move the picture itself, while the sliders still are
#    theta. Which of the two matrices do the arrows show now?

# %%
lab = ThetaLab(digit)
lab

# %% [markdown]
# `lab.theta` is a tensor: the next cells can read it, and set it, and the lab follows. Your own picture works as well:
# `ThetaLab(my_image)` takes any array of shape H×W or H×W×3. If there is no lab above, run its cell. Here is one of its
# states as a still picture:

# %%
theta = transforms.similarity(degrees=-20, scale=0.6, x=0.1, y=-0.1)
still = plotting.sampling_grid(digit, theta, title="a smaller grid gives a larger digit")
show(
    still, "the grid covers a small, turned part of the seven; the output shows that part enlarged."
)

# %% [markdown]
# ## Output → input
#
# Theta answers the question of one **output** pixel: *where in the input do I look?* So it maps output
# coordinates to input coordinates. Turn the place where you look to the right, and what you see moves
# to the left, as when you turn your head.
#
# Why this way round? Try the other one. Send each input pixel to its place in an enlarged output and
# count the output pixels that nothing reaches:

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
    "left, enlarged by sending pixels forward, the seven is a pattern of separate dots; "
    "right, enlarged by looking each output pixel up, it is whole.",
)

# %% [markdown]
# Every output pixel looks exactly once, so none stays empty. That is the reason. A **quiz** on it:

# %%
Quiz("which_way")

# %% [markdown]
# ## Build 1: pixels and normalised coordinates
#
# Theta must not depend on the size of the image. So both axes run from **-1 to 1**, whatever the number
# of pixels: x to the right, y *down*. But what lies at -1? There are two answers, and
# `align_corners` chooses between them.

# %%
show(
    plotting.pixel_coordinates(4),
    "four by four pixels, twice. With align_corners=False the frame from -1 to 1 runs along the outer "
    "edges of the pixels; with True it runs through the centres of the border pixels.",
)


# %% [markdown]
# With `False`, PyTorch's default since 1.3, one pixel is 2 / n wide and the first centre lies half a pixel
# inside. With `True` the first and last centres lie at -1 and 1 exactly. (`check_positive` turns bad input
# into a readable error; it changes nothing else. `options` are `dtype` and `device`, handed on.)


# %%
def pixel_centres(n, align_corners=False, **options):
    check_positive("n", n)
    index = torch.arange(n, **options)
    if align_corners:
        return (2 * index - (n - 1)) / max(n - 1, 1)  # first -1, last 1
    return (2 * index + 1 - n) / n  # half a pixel inside -1 and 1


print("False:", pixel_centres(4))
print("True: ", pixel_centres(4, align_corners=True))

# %% [markdown]
# A **quiz**:

# %%
Quiz("align_corners")


# %% [markdown]
# ## Build 2: the regular grid, with ones
#
# Each output pixel gets its own coordinates (x, y), and a third number, always 1. Theta has six numbers:
# four that turn, stretch and shear, and two that *move*. A move adds the same amount to every point. The 1
# is what the last column of theta multiplies, so one matrix product does everything. Such coordinates
# are called **homogeneous**.


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
print("top row, x:", [round(v, 2) for v in grid[0, :, 0].tolist()])
print("top row, y:", [round(v, 2) for v in grid[0, :, 1].tolist()])

# %% [markdown]
# The order is the first trap of the field: the grid's *axes* are (height, width), row before column, as in
# every tensor; but its *content* is (x, y), column before row. A **quiz**, so that it does not catch you:

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
# The formula counts from 1, Python from 0, and a batch comes first: $\theta_{12}$ is `theta[0, 1]` in the lab and
# `theta[b, 0, 1]` in a tensor.


# %%
def affine_grid(theta, size, align_corners=False):
    check_affine_grid(theta, size)
    _, _, height, width = size
    target = base_grid(height, width, align_corners, dtype=theta.dtype, device=theta.device)
    return torch.einsum("bij,hwj->bhwi", theta, target)  # eq. 1: (x_s, y_s) = theta (x_t, y_t, 1)


grid = affine_grid(transforms.identity(), (1, 1, 28, 28))
print("shape (B, H, W, 2):", tuple(grid.shape))
print("top left reads at", [round(v, 4) for v in grid[0, 0, 0].tolist()])

# %% [markdown]
# `"bij,hwj->bhwi"` reads: for every image `b` and every pixel `h, w`, multiply row `i` of theta with the
# three coordinates `j` and add. The whole grid generator is that line.
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
print("by hand:", [round(v.item(), 4) for v in by_hand])
print("by code:", [round(v, 4) for v in by_code.tolist()])

# %% [markdown]
# Its x lies beyond 1: this pixel reads outside the picture and gets black. Notebook 03 looks into that.
#
# ## Trust
#
# PyTorch is the judge. Uneven sizes catch a swap of height and width; a batch of three different thetas
# catches one that is used for all; float64 leaves no room for excuses.

# %%
torch.manual_seed(0)
theta = torch.randn(3, 2, 3, dtype=torch.float64, device=chosen)
for size in [(3, 1, 4, 7), (3, 2, 9, 2), (3, 1, 2, 5)]:
    for align_corners in (False, True):
        ours = affine_grid(theta, size, align_corners)
        theirs = F.affine_grid(theta, size, align_corners=align_corners)
        difference = (ours - theirs).abs().max().item()
        print(f"size {size}, align_corners={align_corners!s:5}: below 1e-12: {difference < 1e-12}")

# %% [markdown]
# ## Read a theta by eye
#
# The columns of theta tell a story. The **first column** is the arrow along which the output's x axis lies
# in the input. The **second column** is the arrow of its y axis. The **third column** is where the
# output's centre reads. Draw two arrows from a point, and you know the transformation.

# %%
theta = torch.tensor([[[0.5, -0.2, 0.3], [0.1, 0.6, -0.2]]])
for name, column in zip(("x arrow", "y arrow", "centre"), theta[0].T, strict=True):
    print(f"{name}: ({column[0]:+.1f}, {column[1]:+.1f})")
figure = plotting.sampling_grid(
    digit, theta, title="the columns of theta are two arrows and a point"
)
show(
    figure,
    "the grid's centre lies to the upper right of the image's centre; its x arrow is half a unit long, "
    "its y arrow a little longer; the output shows that part of the seven enlarged.",
)

# %% [markdown]
# You can read the parts back as a *pose*: theta = translation · rotation · shear · scale. Read the product from right to left:
# a point is first scaled, then sheared (its x moves by `shear` times its y), then turned, then moved.

# %%
pose = transforms.to_pose(theta)
for name, value in pose._asdict().items():
    print(f"{name:9} {value.item():+.3f}")
print("the same theta again:", torch.allclose(transforms.from_pose(*pose), theta, atol=1e-6))

# %% [markdown]
# A **quiz**:

# %%
Quiz("zoom")

# %% [markdown]
# ## Compose and invert
#
# Two warps in a row are one warp, but for the blur of reading twice. Fill theta up to 3×3 with the row (0, 0, 1), and multiply. First warp by
# `first`, then warp the result by `second`: the product is first · second, in that order.
#
# **Predict:** is "turn, then shift" the same as "shift, then turn"?

# %%
turn = transforms.rotation(degrees=90)
shift = transforms.translation(x=0.5)
for name, theta in [
    ("turn, then shift", transforms.compose(turn, shift)),
    ("shift, then turn", transforms.compose(shift, turn)),
]:
    x, y = (round(v, 2) + 0.0 for v in theta[0, :, 2].tolist())
    print(f"{name}: the output's centre reads at ({x}, {y})")

# %%
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
        title="the order matters",
    ),
    "the same turned seven twice, once moved to the left and once moved up or down.",
)

# %% [markdown]
# After "turn, then shift" the picture has moved to the left: the shift moved the *turned* picture. In the original, that place
# lies below the centre, so the centre of the output reads at (0, 0.5). Warping twice shows that the product is right:

# %%
twice = warp(warp(digit[None], turn), shift)
once = warp(digit[None], transforms.compose(turn, shift))
print("twice and once are the same:", torch.allclose(twice, once, atol=1e-4))

# %% [markdown]
# The inverse theta maps input → output. It says how the *picture* moves. OpenCV's `warpAffine` takes that
# direction, in pixels. This is the matrix you would give it (a test of the course does, and compares):

# %%
theta = transforms.similarity(degrees=30, scale=0.8)
inverse = transforms.inverse(theta)
both = transforms.compose(theta, inverse)
print("theta · inverse is the identity:", torch.allclose(both, transforms.identity(), atol=1e-6))
matrix = transforms.to_pixel_matrix(theta, input_size=(28, 28))
print("for cv2.warpAffine(image, M, (28, 28)), M =")
for row in matrix[0].tolist():
    print("  ", [round(v, 3) for v in row])
back = transforms.from_pixel_matrix(matrix, input_size=(28, 28))
print("and back to theta:", torch.allclose(back, theta, atol=1e-5))

# %% [markdown]
# ## Break
#
# **1. A rotation that shears.** On an image that is not square, x and y have different units: 1 is half the
# width, or half the height. A rotation matrix in these units is no rotation in pixels.

# %%
height, width = 28, 56
wide = torch.zeros(1, height, width)
wide[:, :, 14:42] = digit
naive = transforms.rotation(degrees=30)
remedied = naive.clone()
remedied[:, 0, 1] *= height / width  # this number takes y, in units of the height, to x
remedied[:, 1, 0] *= width / height  # and this one x to y
for name, theta in [("naive", naive), ("remedied", remedied)]:
    in_pixels = transforms.to_pixel_matrix(theta, (height, width), direction="output_to_input")
    pose = transforms.to_pose(in_pixels)
    print(f"{name:8} in pixels: rotation {pose.rotation.item():.1f}°", end=", ")
    print(f"scale {pose.scale_x.item():.2f} and {pose.scale_y.item():.2f}", end=", ")
    print(f"shear {pose.shear.item() + 1e-6:.2f}")

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
# **2. `align_corners` that disagree.** A grid made with one setting and sampled with the other drifts, from
# nothing at the centre to most at the border. Make the identity grid with `True`, read its places with
# `False`, and measure in pixels:

# %%
made_with_true = affine_grid(transforms.identity(), (1, 1, 28, 28), align_corners=True)
read_with_false = ((made_with_true[0, 0, :, 0] + 1) * 28 - 1) / 2
drift = read_with_false - torch.arange(28)
print(
    "drift at the first, a middle and the last pixel:",
    [round(drift[i].item(), 2) for i in (0, 14, 27)],
)

# %% [markdown]
# Half a pixel is little for a cat and much for a stroke two pixels wide. Worse, chained warps add it up.
# The remedy is a habit: **give both calls the same `align_corners`, written out.**
#
# **3. Degrees for radians.** `torch.cos` takes radians. 30 radians are 1719°, which is 279° after full turns.
# `transforms.rotation` makes you name the unit:

# %%
wrong = transforms.to_pose(transforms.rotation(radians=30.0)).rotation.item()
print(f"30 taken for radians turns by {wrong:.0f}° (that is {wrong + 360:.0f}°)")
try:
    transforms.rotation()
except TypeError as error:
    print("without a unit:", error)

# %% [markdown]
# ## Try
#
# Ten exercises with a check that answers, and one to look at. Write in place of the dots, run the cell, read what comes. Nothing breaks
# if you are wrong: that is when the check has most to say. `checks.hint("which_way")` gives a push, and another one each time;
# `checks.solution("which_way")` shows the answer. The rest of the course does not need your functions, so take those you like.
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
# **3.** Which theta shows the digit **as in a mirror**, left and right swapped?

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
# **5.** And one to look at: under `[[2, 0, 0], [0, 2, 0]]`, which share of the bright pixels is left?

# %%
theta = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
share = (warp(digit[None], theta) > 0.5).sum() / (digit > 0.5).sum()
print(f"bright pixels left, as a share: {share:.2f}")


# %% [markdown]
# **Write.** The check holds your function against PyTorch on uneven sizes, both dtypes, both `align_corners`, and shows the
# smallest case that is wrong.
#
# **6.** The base grid, without looking up. You may use `pixel_centres`.


# %%
def my_base_grid(height, width, align_corners=False):
    # the answer: (H, W, 3), each point x, y, 1
    ...


checks.base_grid(my_base_grid)


# %% [markdown]
# **7.** The affine grid from the base grid, this time with `@` in place of `einsum`.


# %%
def my_affine_grid(theta, size, align_corners=False):
    # theta: (B, 2, 3); size: (B, C, H, W); the answer: (B, H, W, 2)
    ...


checks.affine_grid(my_affine_grid)


# %% [markdown]
# **8.** The inverse of a theta. Predict: what becomes of the third column?


# %%
def my_inverse(theta):
    # theta: (B, 2, 3); the answer: (B, 2, 3)
    ...


checks.inverse(my_inverse)


# %% [markdown]
# **9.** Turn the grid clockwise about a given **pixel** (x, y), not about the middle, also on images that are not square.


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
# **11. Repair.** This grid generator raises no error on square images, and is wrong on all. Predict: what do you see if a
# digit is read through it? Then mend it.


# %%
def my_grid(theta, size):
    _, _, height, width = size
    x, y = torch.meshgrid(pixel_centres(width), pixel_centres(height), indexing="ij")
    target = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    return torch.einsum("bij,hwj->bhwi", theta, target)


checks.swapped(my_grid)

# %% [markdown]
# <details><summary>Answers to what has no check</summary>
#
# 5. A quarter: the grid is twice as wide and twice as high, so the digit is half as wide and half as high.
#
# 11. A digit mirrored along the diagonal: rows have become columns.
#
# And for the lab: 1. down. 2. Up. 3. `theta[0, 0]` and `theta[1, 0]`, the first column; several pose sliders follow. 4. Only
# shear. 5. The arrows are then the columns of the inverse.
# </details>

# %% [markdown]
# ## Keep
#
# - **Theta maps output to input.** The grid moves one way, the picture moves the other.
# - **Columns are arrows**: where the x axis lies, where the y axis lies, where the centre reads.
# - **Say `align_corners` out loud, twice**, and build rotations of wide images in pixels.
#
# Next: [03 · Sampling](03_sampling.ipynb). The grid says *where*. But between the pixels there is no colour.
# What does the output get there?
