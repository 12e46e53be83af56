# %% [markdown]
# # 07 · Beyond affine: the picture is bent; which grid unbends it?
#
# At the end you will have straightened a page that was photographed at an angle, and built the grids that do it: a camera's, a
# bent sheet's, and one that turns rotation into a shift. And you will be able to say what each preserves, and what it costs.
#
# **50 minutes to read, 120 with the exercises · needs notebooks 02 to 05 · runs on CPU or GPU, offline**

# %%
import math

import torch
import torch.nn.functional as F
from IPython.display import Markdown, display

from stn_course import (
    checks,
    comparison,
    data,
    device,
    grids,
    models,
    plotting,
    training,
    transforms,
)
from stn_course.grids import OUTSIDE, base_grid, control_lattice, kept, pixel_centres
from stn_course.plotting import rounded, show
from stn_course.samplers import bilinear, pad, read_pixels, warp
from stn_course.validation import (
    check_flow,
    check_log_polar_grid,
    check_projective_grid,
    check_spline_grid,
)
from stn_course.widgets import Quiz, WarpLab, page_photograph

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))

# %% [markdown]
# Three questions from earlier notebooks, before you begin:
#
# 1. Does a grid say where an input pixel goes, or where an output pixel reads?
# 2. An affine theta has six numbers. How many points of the output can you send where you like?
# 3. The padding is zero, and a place lies far outside the picture. What gradient does theta get from it?
#
# <details><summary>Answers</summary>
#
# 1. Where an output pixel reads.
# 2. Three: each takes two numbers.
# 3. None. All around that place the value is zero.
# </details>
#
# ## The question
#
# Somebody photographed a page at an angle, and you would like to read it as if it lay in front of you. (The course made this
# photograph, so you know the page's true corners and the flat page.)

# %%
photograph, page, corners = page_photograph()  # (3, H, W), (3, H', W'), (4, 2)
print("top left, top right, bottom left, bottom right, as normalised (x, y):")
print(rounded(corners))

# %% [markdown]
# An affine theta has six numbers, so it can read three corners where you like; `from_three_corners` says which theta that is.
# Where does the fourth corner end up?

# %% tags=["tolerance=1"]
theta = transforms.from_three_corners(corners[None, :3])
fourth = theta[0] @ torch.tensor([1.0, 1.0, 1.0])  # where the output's bottom right corner reads
in_pixels = torch.tensor([photograph.shape[2], photograph.shape[1]]) / 2
off = ((fourth - corners[3]) * in_pixels).norm()
print(f"the grid misses the fourth corner by {off:.0f} pixels")

# %%
three_fit = warp(photograph[None], theta, tuple(page.shape[1:]))
show(
    plotting.image_grid(
        torch.stack([photograph, F.pad(three_fit[0], (7, 7), value=1)]),
        ["the photograph", "read through an affine grid"],
        columns=2,
        title="three corners fit, the fourth does not",
    ),
    "a page of text and drawings that lies askew on a desk, photographed at an angle; beside it the page as an affine grid "
    "reads it: upright at the top left, cut off on the right, its last line and its right-hand drawing slanting.",
)

# %% [markdown]
# No affine theta fits all four corners. An affine grid keeps parallel lines parallel, and in the photograph the page's two long
# edges are not. So you need another *grid*. You do not need another sampler: it reads wherever the grid says.
#
# ## Play: take hold of the grid
#
# On the left is the input. Each handle is the place where one point of the *output* reads, and the orange lines are the output's
# rows and columns. Drag a handle, or press Tab to reach it and move it with the arrow keys.
#
# 1. *Projective: 4 corners*. Drag each handle onto a corner of the page. Watch the text on the right.
# 2. Press *Horizon*. Part of the output has nothing to read. Which part, and how do the grid lines run towards it?
# 3. *Affine: 3 corners*. Can you straighten the page? Which sides of the frame always stay parallel?
# 4. *Thin plate spline: 4×4 points*. Pull one of the inner points. How far away does the grid still move?
# 5. Press *Fold*. How often do you see the page's middle, and what is special about the shaded copy?
#
# <details><summary>What you may have seen</summary>
#
# 1. The lines of text become straight and parallel. 2. The upper part: there the grid lines run away to the horizon, ever further
# apart. 3. No: opposite sides stay parallel, so one corner is always off. 4. A little everywhere, but mostly as far as the neighbouring points.
# 5. Three times; the shaded copy is mirrored, for there the grid runs backwards.
# </details>

# %%
lab = WarpLab()
lab

# %% [markdown]
# `lab.points` is a tensor, (K, 2); set it, and the lab follows. `WarpLab(image)` takes a picture of your own. (On a page without Python, press *Your own image*; on a phone, that is the camera.) Here is another lab
# with the true corners, as a still picture:

# %%
still = WarpLab()
still.points = corners
show(still.figure(), still.text)


# %% [markdown]
# ## Build 1: a camera divides
#
# An object at twice the depth looks half as large. So a camera *divides* by the depth, which is the distance measured straight
# ahead, and the depth changes along a page that lies at an angle. Give theta a third row that says how deep each output pixel lies:
#
# $$\begin{pmatrix} u \\ v \\ w \end{pmatrix} = \begin{pmatrix} \theta_{11} & \theta_{12} & \theta_{13} \\ \theta_{21} & \theta_{22} & \theta_{23} \\ \theta_{31} & \theta_{32} & \theta_{33} \end{pmatrix} \begin{pmatrix} x^t \\ y^t \\ 1 \end{pmatrix}, \qquad x^s = \frac{u}{w}, \quad y^s = \frac{v}{w}$$
#
# | symbol | here | what it is |
# | --- | --- | --- |
# | $\theta$ | `theta`, (B, 3, 3) | a **homography**; with (0, 0, 1) as its third row it is affine |
# | $u$, $v$ | `places`, (B, H, W, 2) | the place before the division |
# | $w$ | `w`, (B, H, W, 1) | the depth, in any unit: twice theta means the same |
#
# Only eight of the nine numbers count: a positive factor cancels. And what if $w$ is zero or negative? Such a place of the page
# lies beside the camera or behind it, where no photograph shows it. The formula knows nothing of that: divide, and you see a
# *mirrored* copy of something else. So here such pixels read far outside, at `OUTSIDE`, and have no gradient.


# %%
def project(theta, places):
    places, w = torch.einsum("bij,hwj->bhwi", theta, places).split([2, 1], dim=-1)
    rounding = torch.finfo(theta.dtype).eps * theta[:, 2].abs().sum(dim=1)
    behind = w <= rounding[:, None, None, None]
    return torch.where(behind, OUTSIDE, places / torch.where(behind, 1, w))


def projective_grid(theta, size, align_corners=False):
    check_projective_grid(theta, size)
    target = base_grid(*size[2:], align_corners, dtype=theta.dtype, device=theta.device)
    return project(theta, target)


print("identity:", rounded(projective_grid(torch.eye(3)[None], (1, 1, 1, 4))[0, 0, :, 0]))
tilted = torch.eye(3)[None].clone()
tilted[0, 2, 0] = 0.5  # w = 1 + x / 2, the depth in a photograph
print("tilted:  ", rounded(projective_grid(tilted, (1, 1, 1, 4))[0, 0, :, 0]))

# %% [markdown]
# These are the places in x of four pixels in a row. Tilted, the left ones are near and spread out; the right ones are deep and
# crowd together. (Why `torch.where` twice? Autograd multiplies what was not chosen by zero, and zero times infinity is not a
# number. So the division must not see a zero at all.)
#
# ### Four corners make eight equations
#
# Which homography reads the output's four corners at four given places? Multiply by $w$, with $\theta_{33} = 1$. The equations become
# linear in the other eight numbers. A corner $(x, y)$ that is to read at $(x', y')$ gives two equations:
#
# $$\theta_{11} x + \theta_{12} y + \theta_{13} - x' (\theta_{31} x + \theta_{32} y) = x', \qquad \theta_{21} x + \theta_{22} y + \theta_{23} - y' (\theta_{31} x + \theta_{32} y) = y'$$
#
# Four corners give eight equations for eight unknowns. `transforms.from_corners` solves them. (It wants the corners of a convex
# quadrilateral: no photograph shows a page in any other way.)

# %% tags=["tolerance=0.02"]
theta = transforms.from_corners(corners[None])
print(theta[0])
grid = projective_grid(theta, (1, 3, *page.shape[1:]))
straight = F.grid_sample(photograph[None], grid, align_corners=False)
print(f"mean difference from the flat page: {(straight[0] - page).abs().mean():.2f} of 1")

# %%
show(
    plotting.image_grid(
        torch.stack([photograph, *(F.pad(x, (7, 7), value=1) for x in (straight[0], page))]),
        ["the photograph", "through your projective grid", "the page itself"],
        columns=3,
        title="four corners, and you can read the page",
    ),
    "the photograph; beside it the same page, straight, as the projective grid reads it; and the flat page, which looks the "
    "same, but brighter and sharper.",
)

# %% [markdown]
# Much of the difference seems to be light: the desk was not lit evenly. The rest is what the photograph lost: it is blurred and noisy, and the far end of the page has
# few pixels. A grid moves pixels; it does not make new ones.
#
# ### Trust
#
# Torchvision's `perspective` takes corners in pixels, clockwise from the top left. Where the third row is (0, 0, 1),
# PyTorch's `affine_grid` must agree. **Predict** the largest differences.

# %% tags=["hide-output", "tolerance=1e-4"]
from torchvision.transforms import functional as vision

height, width = photograph.shape[1:]
clockwise = ((corners + 1) * in_pixels)[[0, 1, 3, 2]].tolist()
theirs = vision.perspective(
    photograph, clockwise, [[0, 0], [width, 0], [width, height], [0, height]]
)
ours = F.grid_sample(
    photograph[None], projective_grid(theta, (1, 3, height, width)), align_corners=False
)
print("the largest difference of your grid's picture")
print(f"from torchvision's: {(ours[0] - theirs).abs().max():.0e} of 1")

# %% tags=["hide-output", "tolerance=1e-12"]
some = torch.randn(5, 2, 3, dtype=torch.float64)
third = torch.tensor([0.0, 0.0, 1.0]).expand(5, 1, 3)
gap = projective_grid(torch.cat([some, third], dim=1), (5, 1, 7, 4)) - F.affine_grid(
    some, (5, 1, 7, 4), align_corners=False
)
print("the largest difference of your grid")
print(f"from PyTorch's affine one: {gap.abs().max():.0e}")

# %% [markdown]
# ## Build 2: a sheet that bends
#
# A page in an open book is not flat. So let every point of a lattice read where it likes, and bend the sheet between them as
# little as possible. A thin metal plate does that: push it up at some points and down at others, and it takes the shape that
# costs the least energy, a **thin plate spline** (Bookstein 1989). The grid is two such plates, one for x and one for y. The paper
# holds each at 4×4 points. The shape is a sum of a plane and, for each point, of one function U that is centred there, its **bump**,
#
# $$U(r) = r^2 \log r,$$
#
# where $r$ is the distance from the point.

# %%
r = torch.linspace(0, 2, 101)
show(
    plotting.curves(
        r,
        {"U": torch.special.xlogy(r * r, r)},  # 0 where r is 0
        "distance r from the point, normalised",
        "U(r)",
        "alone, one point's bump grows without end",
        markers=False,
    ),
    "a curve that starts at 0, falls to a little below 0 at a distance of 0.6, is 0 again at 1, and rises ever more steeply.",
)


# %% [markdown]
# In code, `squares` is $r^2$, so $r^2 \log r$ is half of `squares` times its logarithm.


# %%
def spline_basis(places, lattice):
    squares = (places[..., None, :] - lattice).square().sum(dim=-1)
    bends = torch.special.xlogy(squares, squares) / 2  # 0 where r is 0
    return torch.cat([bends, torch.ones_like(places[..., :1]), places], dim=-1)


print("halfway to the right edge, with a lattice of 2×2 points:")
print(rounded(spline_basis(torch.tensor([0.5, 0.0]), control_lattice(2))))


# %% [markdown]
# Four bumps, then 1, x and y for the plane. How high is each bump? The sheet must pass through $n^2$ given values: that is as many
# equations. Three more keep the bumps from doing the plane's work: their heights add up to zero, and so do the heights
# times x, and times y. That also tames the bumps: far away they nearly cancel, and what is left grows far more slowly. The matrix of these equations (`basis` with the three rows of `border` below) depends only on the lattice, so you invert it once (`kept` remembers what a function returned).


# %%
@kept
def spline_weights(n):
    lattice = control_lattice(n, dtype=torch.float64, device="cpu")
    basis = spline_basis(lattice, lattice)
    border = torch.cat([basis[:, n * n :].T, basis.new_zeros(3, 3)], dim=1)
    return torch.linalg.inv(torch.cat([basis, border]))[:, : n * n]


# %%
print(
    "bumps at 2×2 points, then the plane, for a sheet that is 1 at the first point and 0 at the others:"
)
print(rounded(spline_weights(2)[:, 0]))


# %% [markdown]
# At each output pixel, basis times weights says how much each point *counts* there: its **share**. The grid is then a sum of where the points read, each times its share. The shares add up to 1, and some are below 0.


# %%
@kept
def spline_shares(n, height, width, align_corners, dtype, device):
    options = {"dtype": torch.float64, "device": "cpu"}
    places = base_grid(height, width, align_corners, **options)[..., :2]
    basis = spline_basis(places, control_lattice(n, **options))
    return (basis @ spline_weights(n)).to(device, dtype)


shares = spline_shares(4, 28, 28, False, torch.float32, "cpu")  # (H, W, 16)
show(
    plotting.image_grid(
        shares.movedim(-1, 0)[[0, 1, 5], None],
        ["a corner", "an edge", "an inner point"],
        columns=3,
        limits=(-0.3, 1),
        title="how much a point counts, over the output",
    ),
    "three maps of the output, each bright around one point of the lattice, and a little darker than the rest beside it.",
)


# %%
def bend(points, size, align_corners=False):
    n = math.isqrt(points.shape[1])
    shares = spline_shares(n, *size[2:], align_corners, points.dtype, points.device)
    return torch.einsum("hwk,bki->bhwi", shares, points)


def thin_plate_spline_grid(points, size, align_corners=False):
    check_spline_grid(points, size)
    return bend(points, size, align_corners)


# %%
points = control_lattice(4)
points[5] += torch.tensor([0.3, 0.15])  # one inner point reads further to the right, and lower
images, labels = data.load_digits("test", chosen)
ones = images[2:3].cpu()
grid = thin_plate_spline_grid(points[None], (1, 1, 28, 28))
show(
    plotting.bent_grid(
        ones[0], grid, points, title="one point is pulled, and its surroundings follow"
    ),
    "left a one with orange grid lines that bulge to the lower right around one of 16 points; right the one with a dent to the "
    "upper left in that place.",
)


# %% [markdown]
# Now the page in an open book. Its lines sag in the middle, here as a cosine does. Let sixteen points read where the sag has put them.
# **Predict:** how far from the true places does the spline read at most, between its points?


# %% tags=["hide-output", "tolerance=0.1"]
def sag(x):
    """How far a place at x lies too low, normalised: in the middle down, at the sides up."""
    return 0.12 * torch.cos(math.pi / 2 * x) - 0.06


flat = base_grid(*page.shape[1:])[None, ..., :2]
down = torch.stack([torch.zeros_like(flat[..., 0]), sag(flat[..., 0])], dim=-1)
options = {"padding_mode": "border", "align_corners": False}
book = F.grid_sample(page[None], flat - down, **options)
points = control_lattice(4)
points[:, 1] += sag(points[:, 0])
unbending = bend(points[None], (1, 3, *page.shape[1:]))
print("how far from the true places the output reads at most:")
for name, grid in {"without a warp": flat, "through 4×4 points": unbending}.items():
    off = (grid - flat - down)[..., 1].abs().max() * page.shape[1] / 2
    print(f"{name:18} {off:4.1f} of {page.shape[1]} pixels")

# %%
show(
    plotting.image_grid(
        torch.cat([book, F.grid_sample(book, unbending, **options), page[None]]),
        ["in an open book", "through sixteen points", "the page itself"],
        columns=3,
        title="lines that were bent are straight again",
    ),
    "a page whose lines of text sag in the middle; the same page with straight lines, as the spline reads it; the flat page, "
    "which looks the same.",
)

# %% [markdown]
# No homography can do this, for it keeps straight lines straight and bent ones bent.
#
# ### Trust
#
# PyTorch has no such grid. (The course's tests hold it against SciPy's `RBFInterpolator`, which tells it from other smooth sheets, and the projective
# one against OpenCV.) But a spline makes two promises that you can check. It passes through its points. If an affine theta
# moves its points, it moves everything else the same way, without bending. **Predict** the largest differences.

# %% tags=["hide-output", "tolerance=1e-12"]
drawn = torch.randn(1, 16, 2, dtype=torch.float64)
at_points = thin_plate_spline_grid(drawn, (1, 1, 4, 4), align_corners=True)  # pixels on the lattice
print("the largest difference of the spline")
print(f"from its points: {(at_points.reshape(1, 16, 2) - drawn).abs().max():.0e}")
affine = control_lattice(4, dtype=torch.float64) @ some[0, :, :2].T + some[0, :, 2]
gap = thin_plate_spline_grid(affine[None], (1, 1, 7, 5)) - F.affine_grid(
    some[:1], (1, 1, 7, 5), align_corners=False
)
print(f"from PyTorch's affine grid: {gap.abs().max():.0e}")


# %% [markdown]
# ## What each family keeps
#
# Draw the numbers of each family at random, and measure two things. Do straight lines stay straight: how far does a row of output
# pixels leave the line between its ends? And do parallels stay parallel: what is the angle between the first row and the last? **Predict** for each
# family whether the answer is zero.


# %%
def off_the_line(grid):
    """How far a row's pixels lie from the line between its ends at most, in pixels of 28."""
    along = F.normalize(grid[:, :, -1:] - grid[:, :, :1], dim=-1)
    apart = grid - grid[:, :, :1]
    return 14 * (along[..., 0] * apart[..., 1] - along[..., 1] * apart[..., 0]).abs().max()


def angle_of_rows(grid):
    """The angle between the first row and the last, in degrees."""
    first, last = F.normalize(grid[0, [0, -1], -1] - grid[0, [0, -1], 0], dim=-1)
    return (first * last).sum().clamp(-1, 1).acos().rad2deg()


# %% tags=["hide-output", "tolerance=0.02"]
size, generator = (1, 1, 28, 28), torch.Generator().manual_seed(1)
spread = torch.randn(16, 2, generator=generator, dtype=torch.float64) / 5  # of 28 pixels nearly 3
near = (control_lattice(4, dtype=torch.float64) + spread)[None]
corners_near = near[:, [0, 3, 12, 15]]
random_grids = {
    "affine": grids.affine_grid(transforms.from_three_corners(corners_near[:, :3]), size),
    "projective": projective_grid(transforms.from_corners(corners_near), size),
    "thin plate spline": thin_plate_spline_grid(near, size),
}
print("how far a row leaves the line, and the angle of two rows:")
for name, grid in random_grids.items():
    print(
        f"{name:17} {off_the_line(grid):.2f} pixels off the line, {angle_of_rows(grid):4.1f}° apart"
    )

# %% [markdown]
# | family | numbers | points to drag | what it keeps |
# | --- | --- | --- | --- |
# | attention | 3 | - | shapes and directions |
# | affine | 6 | 3 | straight lines, parallels, midpoints |
# | projective | 8 | 4 | straight lines |
# | thin plate spline, 4×4 | 32 | 16 | neighbours, as long as it does not fold |
# | flow | 2 for each pixel | every pixel | nothing |
#
# A family that keeps more can do less, and has fewer numbers to learn.

# %%
Quiz("family_keeps")


# %% [markdown]
# ## Build 3: a displacement for each pixel
#
# Flow is the last row of the table. Optical flow and medical registration give each pixel a displacement of its own, in pixels. It looks
# too simple to build, and it invites two slips: half a pixel (edges for centres), and y before x. A picture is W pixels wide; normalised, it is 2 wide:


# %%
def flow_grid(flow, align_corners=False):
    check_flow(flow)
    height, width = flow.shape[1:3]
    places = base_grid(height, width, align_corners, dtype=flow.dtype, device=flow.device)
    size = flow.new_tensor([width, height])
    ends = (size - 1).clamp(min=1) if align_corners else size  # pixels from -1 to 1
    return places[..., :2] + 2 * flow / ends


# %% [markdown]
# One test catches both: a picture that is not square, and a displacement in x alone. **Predict** what happens to the picture.

# %% tags=["hide-output", "tolerance=1e-5"]
uneven = torch.rand(1, 1, 5, 9)
flow = torch.zeros(1, 5, 9, 2)
flow[..., 0] = 1  # each pixel reads one pixel further to the right
moved = F.grid_sample(uneven, flow_grid(flow), align_corners=False)
print("the largest difference")
print(
    f"from the picture without its first column: {(moved[..., :-1] - uneven[..., 1:]).abs().max():.0e}"
)


# %% [markdown]
# ## Build 4: a turn becomes a shift
#
# One more grid, which no camera has: rays and circles around the middle. Each column of the output lies on one ray; the first looks to the right, the next ones clockwise. Each row lies on one
# circle, the smallest at the top, the largest a little inside the picture's edge. Each circle is larger than the one before by the same *factor*, hence **log-polar**.


# %%
def log_polar_grid(size, smallest=0.05, **options):
    check_log_polar_grid(size, smallest)
    batch, _, height, width = size
    part = (1 - pixel_centres(height, **options)) / 2  # 1 at the middle, 0 at the rim
    angle = torch.arange(width, **options) * (2 * math.pi / width)
    radius = (smallest**part)[:, None]
    grid = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)
    return grid.expand(batch, height, width, 2)


# %%
turned = torch.cat([data.rotate(images[:1].cpu(), degrees) for degrees in (0.0, 45.0, 90.0)])
polar = F.grid_sample(turned, log_polar_grid((3, 1, 28, 56)), align_corners=False)
names = ["as it is", "turned by 45°", "turned by 90°"]
show(
    plotting.image_grid(
        torch.cat([F.pad(turned, (14, 14)), polar]),
        names + 3 * ["log-polar"],
        columns=3,
        title="turn the digit, and its log-polar picture shifts",
    ),
    "above, a seven, turned by 45 and by 90 degrees; below, its log-polar picture, a pattern of strokes that moves sideways.",
)

# %% [markdown]
# **Predict:** by how many of the 56 columns does a turn of 45° shift the picture? Which way?

# %% tags=["hide-output"]
print("the first picture, rolled to fit the others best:")
for name, picture in zip(names[1:], polar[1:], strict=True):
    errors = [F.mse_loss(polar[0].roll(columns, dims=-1), picture) for columns in range(56)]
    print(f"{name}: by {torch.stack(errors).argmin()} columns")


# %% [markdown]
# <details><summary>Why so many</summary>
#
# 45° is an eighth of a full turn, and 7 is an eighth of 56: 49 columns to the right are 7 to the left, since the picture closes in a
# circle. (`data.rotate` turns anticlockwise, columns count clockwise.)
# </details>
#
# A convolution shifts along with what it reads. So put this grid before a CNN whose convolutions close the circle, take the maximum over all columns at the end, and a turn changes next to nothing. There is no theta to learn. How well that does against a transformer that learns its theta, you will see in Train.

# %% [markdown]
# ## Build 5: a smoother sampler
#
# Whoever makes the grid, the sampler reads, and theta's gradient comes through the sampler. In notebook 03 the bilinear one had a **kink**
# at the centre of each pixel: its slope jumps there. A **cubic** weight removes the kink. It looks at four neighbours along each axis, not two, and the
# pieces of its curve meet with the same slope (Keys 1981; `slope` is the one at a distance of 1, and -0.75 is PyTorch's choice):


# %%
def cubic_weight(distance):
    slope, d = -0.75, distance.abs().clamp(max=2)
    near = ((slope + 2) * d - (slope + 3)) * d * d + 1
    far = slope * (((d - 5) * d + 8) * d - 4)
    return torch.where(d <= 1, near, far)


distance = torch.linspace(-2.5, 2.5, 201)
show(
    plotting.curves(
        distance,
        {"bilinear": (1 - distance.abs()).clamp(min=0), "bicubic": cubic_weight(distance)},
        "distance from the pixel, in pixels",
        "weight",
        "the cubic weight has no corner, and is below 0 beyond 1",
        markers=False,
    ),
    "two curves of weight over distance. The bilinear one is a triangle from -1 to 1; the bicubic one is rounded at its top, "
    "falls below 0 between 1 and 2 on both sides, and ends at 0.",
)


# %% tags=["tolerance=1e-12"]
def bicubic(input, x, y, padding_mode="zeros", align_corners=False):
    left, top = x.floor().detach(), y.floor().detach()
    options, output = (padding_mode, align_corners), torch.zeros_like(input[:, :, :1, :1])
    for n in (-1, 0, 1, 2):
        row, across = pad(top + n, input.shape[2], *options), torch.zeros_like(output)
        for m in (-1, 0, 1, 2):
            values = read_pixels(input, pad(left + m, input.shape[3], *options), row)
            across = across + cubic_weight(x - left - m)[:, None] * values
        output = output + cubic_weight(y - top - n)[:, None] * across
    return output


x, y = torch.rand(2, 1, 20, 20, dtype=torch.float64) * 34 - 3  # in pixels, some outside
grid = torch.stack([2 * x + 1, 2 * y + 1], dim=-1) / 28 - 1
eight = images[61:62].cpu().double()
gap = bicubic(eight, x, y) - F.grid_sample(eight, grid, mode="bicubic", align_corners=False)
print(f"largest difference from PyTorch: {gap.abs().max():.0e}")

# %% [markdown]
# Now read along a row of the eight, in steps of a twentieth of a pixel, and let autograd say how the value changes with x. **Predict:** what does the
# slope of each look like?

# %% tags=["hide-output"]
x = torch.linspace(8, 18, 201, dtype=torch.float64)[None, None].requires_grad_()
y = torch.full_like(x, 14.0)
values = {"bilinear": bilinear(eight, x, y), "bicubic": bicubic(eight, x, y)}
slopes = {name: torch.autograd.grad(value.sum(), x)[0] for name, value in values.items()}
for name, of, unit in (("value", values, ""), ("slope", slopes, " per pixel")):
    described = show(
        plotting.curves(
            x.detach().flatten(),
            {mode: curve.detach().flatten() for mode, curve in of.items()},
            "x, in pixels",
            name + unit,
            f"along a row of an eight, the {name}",
            markers=False,
        ),
        f"the {name} of both samplers over x. "
        + {
            "value": "Both pass through the same pixels; the bicubic curve is round there, and swings a little beyond them.",
            "slope": "The bilinear one is a stair that jumps at whole numbers, the bicubic one runs around it without jumps.",
        }[name],
    )
    display(described)

# %% tags=["hide-output", "tolerance=0.02"]
print("the largest change of the slope within a twentieth of a pixel:")
for mode, slope in slopes.items():
    print(f"{mode:8} {slope.diff().abs().max():.2f}")

# %% [markdown]
# The cost: it reads sixteen pixels instead of four. And it **overshoots**: weights below zero make edges
# sharper than they were, so a picture from 0 to 1 comes out darker than black and brighter than white. Turn digits by 20°:

# %% tags=["tolerance=1"]
turn = grids.affine_grid(transforms.rotation(degrees=20).expand(500, 2, 3), (500, 1, 28, 28))
for mode in ("bilinear", "bicubic"):
    read = F.grid_sample(images[:500].cpu(), turn, mode=mode, align_corners=False)
    low, high = (100 * share.float().mean() for share in (read < 0, read > 1))
    print(f"{mode:8} {low:4.1f} % below 0, {high:4.1f} % above 1")

# %% [markdown]
# Use it where a gradient without jumps matters, as in the last steps of a registration, or where a picture is enlarged for human eyes; clamp what it
# returns if the next step expects 0 to 1. It does not see further than its sixteen pixels: to guide a descent from afar, blur, as in notebook 03.

# %%
Quiz("bicubic_overshoot")

# %% [markdown]
# ## Train: which family for which bend?
#
# Any of these grids can stand in a transformer. `SpatialTransformer` takes its family by name. Its localization network answers
# with as many numbers as the family has, and at the start with those of the identity:

# %%
for name in ("attention", "affine", "projective", "tps"):
    family = models.TRANSFORMATIONS[name]
    theta = family.to_theta(torch.tensor([family.identity]))
    print(f"{name:10} {len(family.identity):2} numbers, theta {tuple(theta.shape)}")

# %% [markdown]
# A family is a small class: its `identity`, and `to_theta`, which makes theta of the numbers. You will write one of your own in Try.
#
# Two of the test sets of the paper (Jaderberg et al. 2015) bend digits. **P** shows them at an angle: the picture becomes a little smaller, and each corner is moved at random, by normal numbers with a standard deviation of 5 pixels, here in x and in y (notebook 08 reads the paper's line in another, milder way). **E** bends
# them: 4×4 points move in the same way, by 1.5 pixels. Now and then P leaves a digit that nobody could read.

# %%
several = images[:8].cpu()
for name, distort in {"P": data.random_projection(), "E": data.random_elastic()}.items():
    distorted, _ = distort(several, torch.Generator().manual_seed(0))
    described = show(
        plotting.side_by_side(several, distorted, ("digits", name), f"{name}, each digit anew"),
        f"eight digits, and below them the same digits as {name} distorts them.",
    )
    display(described)

# %% [markdown]
# First, as in notebook 05, a classifier that knows upright digits only, and is frozen. A transformer stands before it, and only the transformer
# learns: a projective one for P, a spline for E. (Here the points of E move by 3 pixels: the last line says how much less trouble the frozen classifier has at 1.5.) Both were trained for five epochs and recorded, as `tools/pretrain.py` says. **Predict:** how many of the digits does the classifier misread
# without a transformer, and behind one?

# %% tags=["hide-output", "tolerance=1.5"]
bends = {"unprojected": data.random_projection(), "unbent": data.random_elastic(sigma=3.0)}
straightened = {}
print("error of the frozen classifier, in percent:")
for name, distort in bends.items():
    net = models.load_trained(name).to(chosen).eval()  # a transformer, then the classifier
    distorted, _ = distort(images, torch.Generator().manual_seed(1))
    shown = data.normalise(distorted)
    alone, behind = (100 * (1 - training.evaluate(part, shown, labels)) for part in (net[1], net))
    with torch.no_grad():
        straightened[name] = distorted[:10], data.denormalise(net[0](shown[:10])).clamp(0, 1)
        print(f"{name:12} alone {alone:4.1f}, with a transformer before it {behind:4.1f}")
mild, _ = data.random_elastic()(images, torch.Generator().manual_seed(1))
alone = 100 * (1 - training.evaluate(net[1], data.normalise(mild), labels))
print(f"E at 1.5     alone {alone:4.1f}")

# %%
for name, (before, after) in straightened.items():
    described = show(
        plotting.side_by_side(
            before, after, ("as seen", name), "the only teacher is the classifier's loss"
        ),
        "ten distorted digits; below them what the transformer makes of each. Of P most are larger or nearer to the middle; of E most are a little smaller, "
        "some a little straighter, and some hardly change.",
    )
    display(described)

# %% [markdown]
# Look at E: the classifier is satisfied long before the strokes are straight. And nobody told a transformer where a corner belongs. (Streaks at an edge are `border` padding: the grid reads outside the picture there.) How do the points get to their places? (The eight numbers of a homography are no points, but say where its corners read.) Before training, each lies
# where the identity puts it; the blue lines are their paths, which jitter with every batch. Grey is outside the picture.

# %%
show(
    plotting.lattice_history(
        training.load_recording("unprojected"), n=2, title="P: four corners on their way"
    ),
    "six digits seen from the side. In the first row a square lies around each; in the second and third its corners have moved, "
    "differently for each digit; in the last row, the digits as they are read through these corners.",
)

# %%
show(
    plotting.lattice_history(
        training.load_recording("unbent"),
        n=4,
        title="E, bent twice as much: sixteen points on their way",
    ),
    "six bent digits with a lattice of 4×4 points. From row to row the lattice bends, its outer points move outwards, differently for each digit; "
    "in the last row, the digits as they are read through it.",
)

# %% [markdown]
# Now train everything together: each family before the same small CNN, and beside them the CNN alone, for about as much *time*. A family is geometry that you know; whether a CNN profits from it is another question.
# Their recipe, `training.RECIPES["bent"]`, was chosen on training digits that were held out. (`stn-course table projected` and `stn-course table elastic` make these tables again.)
# **Predict** the order on P (*projected*). Then on E (*elastic*).

# %% tags=["hide-output"]
Markdown(comparison.to_markdown(comparison.load_comparison("projected")))

# %% tags=["hide-output"]
Markdown(comparison.to_markdown(comparison.load_comparison("elastic")))

# %% tags=["hide-output"]
print("error above affine's, in points, with the interval of the difference:")
for name in ("projected", "elastic"):
    errors_of = {row.network: row.errors for row in comparison.load_comparison(name).rows}
    for network in ("attention", "projective", "tps", "plain"):
        more, half = comparison.difference_of_means(errors_of[network], errors_of["affine"])
        print(f"{name:10}{network:11}{more:+.2f} ± {half:.2f}")

# %% [markdown]
# - **On P a transformer pays.** In the same time, an affine one makes little more than half of the CNN's errors. *Attention*, which can only move and scale,
#   brings three quarters of that gain: most of what helps is to bring the digit back to the middle, and to its size.
# - **Beyond affine, three seeds show no difference.** Affine, which cannot undo a tilt, does as well as projective, which can; half a point of difference could hide
#   there. Attention falls behind affine in both tables, on P by barely more than the seeds explain.
# - **On E three seeds cannot tell the other four apart.** The interval of each difference contains 0. Bends of a pixel and a half are small change for a CNN.
#
# The paper, which trained 640 epochs, has for P 0.8 % with any family and 1.5 % for its CNN, probably on corners that moved less; for E 1.1 to 1.3 % and 1.4 %. That is the same
# picture at lower errors. A page of text needs its four corners exactly. A CNN does not, so begin with affine, and let a table say whether a larger family helps.
#
# ### And the log-polar grid?
#
# It has no theta to learn. `models.PolarNet` is that grid and a CNN whose convolutions run around the circle; at the end it takes the maximum over all
# directions, so a turn changes next to nothing. Train it on *upright digits only*, and beside it a plain CNN. Then
# turn the test digits, as in notebook 01. **Predict** both curves.

# %% tags=["nbval-ignore-output"]
upright = {}
for name, kind in {"plain": models.PlainNet, "log-polar": models.PolarNet}.items():
    device.seed_everything(0)
    net = upright[name] = kind()
    run = training.fit(net, "sprint", progress=False)
    print(f"{type(net).__name__} trained for {run.seconds[-1]:.0f} s")

# %% tags=["hide-output", "tolerance=4"]
angles = (0, 30, 60, 90, 120, 150, 180)
errors = {name: [] for name in upright}
for angle in angles:
    shown = data.normalise(data.rotate(images[:2000], float(angle)))
    for name, net in upright.items():
        errors[name].append(100 * (1 - training.evaluate(net.eval(), shown, labels[:2000])))
print("error, in percent:")
for name, error in errors.items():
    print(f"{name:9} at 0°: {error[0]:4.1f}, at 90°: {error[3]:4.1f}")

# %% tags=["hide-cell"]
show(
    plotting.curves(
        angles,
        errors,
        "the test digits are turned by, degrees",
        "error, %",
        "trained on upright digits only: a turn means nothing to log-polar",
    ),
    "two curves of error over the angle. The plain CNN's starts at a few percent and climbs to about 80 % at 90 degrees; the log-polar "
    "network's is flat, below 10 %.",
)

# %% [markdown]
# It has never seen a turned digit, and yet misreads hardly more of them than of upright ones. That is what it means to build something in instead of learning it.
# Here is the price. On upright digits it makes several times the plain CNN's errors, and each step takes longer. It cannot tell a six from a nine by the way they stand, it sees
# the rim coarsely, and the corners not at all. And where turned digits can be had for training, learning wins in equal time. With equal time, on digits turned by up to ±90°:

# %% tags=["hide-output"]
Markdown(comparison.to_markdown(comparison.load_comparison("polar")))

# %% [markdown]
# The plain CNN is best: small centred digits are easy, given time. (In notebook 05, with twice the time, the seeds could not tell the two apart.) The transformer comes next, and its last column says that it hardly undoes the turns
# (the *correlation* between a digit's turn and its grid's would be -1 if it did; the *spread of the axes* says how widely, in degrees, the axes of the digits still scatter behind the transformer). Here, data that you have teach as well as what you build in; building in pays when you lack them.

# %% [markdown]
# ## Break
#
# **1. Behind the horizon.** Exchange the roles: so far the input was a photograph, and w the depth. Now let the *output* be a camera's view, and the page what it looks at. Its grid is the inverse homography, and w is one *over* the depth: large for what is near, and 0 at
# the **horizon**, where a plane ends for the eye. Past it, w is negative. `project` sends such pixels outside. What if it only divided? **Predict** what the lower part of the
# output shows.

# %% tags=["hide-output"]
steep = torch.eye(3)[None].clone()
steep[0, 2, 1] = -3  # w = 1 - 3 y: negative below y = 1/3
target = base_grid(*page.shape[1:])
only_divided = torch.einsum("bij,hwj->bhwi", steep, target)
only_divided = only_divided[..., :2] / only_divided[..., 2:]
divided, projected = (
    F.grid_sample(page[None], grid, align_corners=False)[0]
    for grid in (only_divided, projective_grid(steep, (1, 3, *page.shape[1:])))
)
show(
    plotting.image_grid(
        torch.stack([page, divided, projected]),
        ["the page", "only divided", "through projective_grid"],
        columns=3,
        title="what lies behind the horizon should not be visible",
    ),
    "the page; then twice the page tilted steeply away, huge letters at the top and the drawing tiny at the horizon. Only "
    "divided, the page appears once more below the horizon, mirrored left to right; through projective_grid it is black there.",
)

# %%
behind = (projective_grid(steep, (1, 3, *page.shape[1:])) == OUTSIDE).all(dim=-1)
print(f"behind the horizon: {100 * behind.float().mean():.0f} % of the output")

# %%
Quiz("behind_the_horizon")


# %% [markdown]
# Behind the horizon there is no gradient either, as in the dead zone of notebook 03. A projective transformer that starts at the identity and learns slowly is unlikely to get there.
#
# **2. The grid folds.** Let descent look for the points of a spline that turn one handwritten digit into another one of its class: as in
# notebook 03, coarse to fine, and with 6×6 points in place of six numbers. `grids.bending_energy` says how much a plate is bent (0 for an affine one), and the loss may have a small multiple of it added.
# `transforms.folded` says where a grid runs backwards. At each output pixel, the **Jacobian** holds how far the place that is read moves if you
# go one pixel to the right, and one down: two arrows, as the columns of theta are for the whole grid. Its determinant is the area between
# them, and where that is not positive, the grid folds. **Predict:** how well do the digits match without that weight, and what does the grid look like?


# %%
def fit_points(first, second, n, weight=0.0, steps=150):
    """Points (B, n², 2) through which `first` (B, 1, 28, 28) looks like `second`, by descent."""
    points = control_lattice(n).to(first).repeat(len(first), 1, 1).requires_grad_()
    optimizer = torch.optim.Adam([points], lr=0.03)
    for step in range(steps):
        blur = 2 * (1 - step / steps) + 0.1  # in pixels: from coarse to fine
        seen, wanted = (vision.gaussian_blur(x, 9, blur) for x in (first, second))
        grid = thin_plate_spline_grid(points, first.shape)
        loss = (F.grid_sample(seen, grid, align_corners=False) - wanted).square().mean((1, 2, 3))
        optimizer.zero_grad()
        (loss + weight * grids.bending_energy(points)).sum().backward()
        optimizer.step()
    return points.detach()


# %% tags=["hide-output", "tolerance=6"]
def match(first, second, points):
    """The share of the difference that is left, and the share of the grid that folds."""
    grid = thin_plate_spline_grid(points, first.shape)
    left = F.mse_loss(F.grid_sample(first, grid, align_corners=False), second)
    return left / F.mse_loss(first, second), transforms.folded(grid).float().mean()


pairs = torch.stack([images[labels == digit][:2] for digit in range(10)]).cpu()
first, second = pairs.unbind(dim=1)  # two of each digit
print("digits that become others of their class:")
for weight in (0.0, 1e-3):
    points = fit_points(first, second, 6, weight)
    left, folds = match(first, second, points)
    print(
        f"weight {weight:5}: {100 * left:4.1f} % of the difference left, {100 * folds:4.1f} % folded"
    )

# %% [markdown]
# <details><summary>What it says</summary>
#
# Without a weight the digits match, and on average more than a quarter of a grid is folded: rows run back over each other. On
# black that shows nowhere; on a stroke, the same piece is read again, mirrored. The loss sees brightness, not where it came from. With this
# weight on the bending energy, the grid stays whole. The price is a worse match: a gentle bend does not make one hand into the other.
# </details>

# %%
drawn = {
    "without a weight": "whose lines run back, cross each other and leave the picture; hatched, the parts that are folded",
    "with a weight of 0.001": "whose lines bend gently and nowhere cross; nothing is hatched",
}
for name, weight in zip(drawn, (0.0, 1e-3), strict=True):
    points = fit_points(first, second, 6, weight)
    grid = thin_plate_spline_grid(points, first.shape)
    described = show(
        plotting.bent_grid(first[3], grid[3:4], points[3], f"a three becomes another one: {name}"),
        f"on the left a three and the grid that reads it, {drawn[name]}; on the right what is read.",
    )
    display(described)

# %% [markdown]
# **3. Too many points.** More points fit better. But to what? Bend 20 digits by random splines of 4×4 points, so that
# the truth is known, and add noise. Then look for the bend with 2×2 to 8×8 points. **Predict** how the loss changes with the
# number of points, and how the distance from the true grid changes, in pixels, on the strokes. (The noise alone makes a loss of 10 thousandths.)

# %% tags=["hide-output", "tolerance=0.3"]
generator = torch.Generator().manual_seed(0)
plain = images[:20].cpu()
truth = control_lattice(4) + torch.randn(20, 16, 2, generator=generator) * 1.5 / 14  # 1.5 pixels
true_grid = thin_plate_spline_grid(truth, plain.shape)
bent = F.grid_sample(plain, true_grid, align_corners=False)
noisy = bent + 0.1 * torch.randn(bent.shape, generator=generator)
print("by the number of points:")
print("points   loss × 1000     pixels off   pixels off with a weight of 1e-4")
for n in (2, 3, 4, 6, 8):
    found = [thin_plate_spline_grid(fit_points(plain, noisy, n, w), plain.shape) for w in (0, 1e-4)]
    off = [14 * (grid - true_grid).norm(dim=-1)[bent[:, 0] > 0.3].mean() for grid in found]
    loss = F.mse_loss(F.grid_sample(plain, found[0], align_corners=False), noisy)
    print(f"{n}×{n}      {1000 * loss:5.1f}          {off[0]:4.2f}          {off[1]:4.2f}")


# %% [markdown]
# <details><summary>What it says</summary>
#
# Too few points cannot follow the bend. With as many as the truth has, the loss is below that of the noise alone, and with more it goes
# on falling, while the grid gets *worse*: the points fit the noise. The energy helps here as well: with it, points to spare do far less harm.
# </details>
#
# **4. Log-polar's centre.** Inside `smallest` no output pixel looks: that is the grid's blind centre. In 28×28 pixels its radius is 0.7 of a pixel, less
# than the sampler's reach, so nothing is lost. Read a picture of 224×224 by the same 28 rows of 56, where the radius is 5.6 pixels. **Predict:** which
# share of the pixels has a part in what is read, in the middle, around it, and towards the rim?


# %% tags=["hide-output", "tolerance=1"]
def polar(pictures):
    return F.grid_sample(pictures, log_polar_grid((len(pictures), 1, 28, 56)), align_corners=False)


large = torch.zeros(1, 1, 224, 224, requires_grad=True)
(counts,) = torch.autograd.grad(polar(large).sum(), large)  # how much each pixel counts
from_middle = 112 * grids.base_grid(224, 224)[..., :2].norm(dim=-1)
print("pixels from the middle   read, in percent")
for near, far in ((0, 4), (8, 20), (20, 50), (50, 105)):
    ring = (from_middle >= near) & (from_middle < far)
    print(f"{near:12} to {far:3} {100 * (counts[0, 0][ring] > 0).float().mean():14.0f}")

# %% tags=["hide-cell"]
show(
    plotting.image_grid(
        (counts > 0).float(), ["white: read"], columns=1, title="what a log-polar grid sees"
    ),
    "a black disc in the middle; around it a white ring; further out more and more gaps, until at the rim only single dots are "
    "white, along rays.",
)

# %% [markdown]
# <details><summary>What it says</summary>
#
# The middle is lost where the picture is large, and towards the rim the grid leaves out most of it: reduce the picture first, or
# take more rows and columns.
# </details>
#
# Back to 28×28. Right around the middle, neighbouring output pixels look at nearly the same place. Put a dot of 2×2 pixels at
# several distances from the middle, and count the output pixels that see it. **Predict** the counts. And: a turn shifts the log-polar
# picture; what does a *shift* of the digit do to it?

# %% tags=["hide-output", "tolerance=5"]
print("how many of the output pixels see the dot:")
for apart in (0, 2, 4, 8, 12):
    dot = torch.zeros(1, 1, 28, 28)
    dot[..., 13:15, 13 + apart : 15 + apart] = 1
    print(f"{apart:2} pixels from the middle: {(polar(dot) > 0.5).sum():4}")

# %% tags=["hide-output", "tolerance=3"]
some, before = images[:100].cpu(), polar(images[:100].cpu())
moved = {"turned by 45°": data.rotate(some, 45.0)}
moved |= {f"moved by {n} px": warp(some, transforms.translation(-2 * n / 28)) for n in (1, 2, 3)}
print("what the best shift of the log-polar picture leaves unexplained, in percent:")
for name, pictures in moved.items():
    after = polar(pictures)
    over = [(before.roll(n, -1) - after).square().sum((1, 2, 3)) for n in range(56)]
    share = torch.stack(over).amin(dim=0) / before.square().sum((1, 2, 3))
    print(f"{name:17} {100 * share.mean():3.0f}")

# %% [markdown]
# A grid that simplifies one motion complicates another. Log-polar knows turns and zooms around *its* middle; if that is three pixels off, the best shift explains less
# than a fifth. So somebody must find the middle first: a transformer that moves, before a grid that turns. (Esteves et al.
# built that in 2018, and call it a polar transformer network.)

# %% [markdown]
# ## Try
#
# Eight exercises with a check that answers, and two to run. Write in place of the dots, run the cell, and read what the check
# says. `checks.hint("homography_of_page")` gives a first hint, and another one each time you call it;
# `checks.solution("homography_of_page")` shows the answer.
#
# **1. Predict.** A log-polar picture of 32 rows, `grids.log_polar_grid((1, 1, 32, 32), smallest=1 / 16)`. Now the picture that it
# reads is enlarged: everything is twice as large, around the same middle. By how many rows does the log-polar picture move?
# Downwards is positive.

# %%
guess = ...  # a number of rows
checks.scale_shift_log_polar(guess)


# %% [markdown]
# **2. Write** the projective grid from memory, horizon and all: where w is 0 or less, both coordinates are `grids.OUTSIDE`. You may
# use `grids.base_grid`. Its gradient to theta must be a number, too, even where w is exactly 0. Predict: what does `-theta` read, if `theta` reads a picture?


# %%
# my prediction: …
def my_projective_grid(theta, size, align_corners=False):
    # theta: (B, 3, 3); size: (B, C, H, W) of the output; the answer: (B, H, W, 2)
    ...


checks.projective_grid(my_projective_grid)


# %% [markdown]
# **3. Write** a grid of displacements in pixels, as optical flow gives them. Predict: by how much does a grid point move,
# normalised, if it moves by one pixel in a picture of 20×40 pixels?


# %%
# my prediction: … in x, … in y
def my_flow_grid(flow, align_corners=False):
    # flow: (B, H, W, 2) in pixels, (x, y), from each output pixel's own place to where it reads
    # the answer: (B, H, W, 2), normalised
    ...


checks.flow_in_pixels(my_flow_grid)


# %% [markdown]
# **4. Write** the homography that straightens a page. You clicked on its corners in a photograph, clockwise from the top left, and
# have their pixels as OpenCV counts them: (0, 0) is the *centre* of the top left pixel. `transforms.from_corners` does the algebra;
# its docstring says what it expects. Predict: how many pixels are you off if you forget that pixels have a width?


# %%
# my prediction: …
def my_homography(corners, size):
    # corners: (4, 2), (x, y) in pixels, around the page; size: (H, W) of the photograph
    # the answer: theta (1, 3, 3) that reads the whole page, for align_corners=False
    ...


checks.homography_of_page(my_homography)


# %% [markdown]
# **5. Write** a count of folds: how many pixels of each grid are folded, or squeezed to a line. Take the derivatives from
# `torch.gradient(grid, dim=(1, 2))`, and do it without `transforms.folded` and `transforms.jacobian_determinant`. Predict: how
# many pixels are folded if a grid of 10×10 turns everything by 180°, and how many if it mirrors left and right?


# %%
# my prediction: … and …
def my_count_folds(grid):
    # grid: (B, H, W, 2); the answer: (B,), whole numbers
    ...


checks.count_folds(my_count_folds)


# %% [markdown]
# **6. Write** a loss that keeps a flow smooth: the mean squared error of the pictures, plus `strength` times how unlike neighbours
# the flow is. That is the mean of the squared differences between each pixel and its right neighbour, plus the mean of those between
# each pixel and its lower neighbour. Predict: what does a flow pay that moves the whole picture by ten pixels?


# %%
# my prediction: …
def my_smooth_loss(output, target, flow, strength):
    # output, target: (B, C, H, W); flow: (B, H, W, 2); strength: a number; the answer: ()
    ...


checks.smooth_loss(my_smooth_loss)


# %% [markdown]
# **7. Repair.** The bump of a thin plate spline, written straight from its formula. At the control points themselves it is not a number. Mend
# its values *and* its gradient. Predict: what is the slope of r² log r at 0?


# %%
# my prediction: …
def my_u_of_r(r):
    # r: distances, of any shape; the answer: as many numbers, 0 where r is 0
    return r**2 * torch.log(r)


checks.u_of_r(my_u_of_r)


# %% [markdown]
# **8. Write** a family of your own, and no larger than the question: turn and zoom, two numbers. The first is the angle of the
# grid, in radians; the second the *logarithm* of its scale. Predict: what can this family never do to a picture, whatever the
# network answers, that the affine family can?


# %%
# my prediction: …
class TurnAndZoom(models.Transformation):
    # identity: a tuple, the answer of the network that changes nothing
    # to_theta(self, answer): answer (B, 2); the result: theta (B, 2, 3)
    ...


checks.own_family(TurnAndZoom)

# %% [markdown]
# **9. To run.** Photograph a page, a screen or a poster from the side with your phone, and straighten it: `WarpLab("page.jpg")`, or
# `WarpLab` of any array. What is left to see if the sheet was curved, and does *4×4 points* mend it?
#
# **10. To run.** Break 2 tried weights of 0 and 0.001 with 6×6 points. Try weights in between, and 4×4 and 8×8 points. Which
# choice has no folds and the best match? (One run's answer is below.)
#
# <details><summary>Answers to what has no check</summary>
#
# **2.** Nothing: all of it lies behind the horizon. As a formula, `-theta` gives the same places.
#
# **3.** By 2 / 40 = 0.05 in x, by 2 / 20 = 0.1 in y.
#
# **4.** Half a pixel, in x and in y.
#
# **5.** None, and all 100. Half a turn is two mirrors, and the signs cancel.
#
# **6.** Nothing: all neighbours move alike.
#
# **7.** 0: it is 2 r log r + r, and r falls faster than log r grows.
#
# **8.** Mirror, shear or move it, or squeeze it to nothing: exp is positive. What a family cannot do, training need not learn to avoid.
#
# **10.** Of those tried, 4×4 points with a weight of 3e-4: nothing folds, and 13.5 % of the difference is left. With 6×6, the weight that stops the folds leaves more; with 8×8, none of those tried stops them.
# </details>

# %% [markdown]
# The numbers behind the answer to exercise 10. Do the exercise first: they give its answer away.

# %% tags=["hide-output", "tolerance=5"]
print("how much of the difference is left, and how much is folded, in percent:")
for n in (4, 6, 8):
    for weight in (1e-4, 3e-4, 1e-3):
        left, folds = match(first, second, fit_points(first, second, n, weight))
        print(f"{n}×{n}, weight {weight:g}: {100 * left:4.1f} left, {100 * folds:4.1f} folded")

# %% [markdown]
# ## Keep
#
# - **The sampler does not care who made the grid.** Three corners, four corners, sixteen points, a displacement for each pixel: each is a grid, and a gradient reaches each.
# - **What a family keeps is the knowledge that you build in.** Affine keeps parallels, projective keeps lines, a spline keeps neighbours until it folds. For a page, take the smallest family that can undo the bend; before a CNN begin with affine, and measure. Give a larger one a price for bending where nothing else holds it back.
# - **Change the grid, and a hard thing may become easy:** in log-polar a turn is a shift, and nobody has to learn a theta.
#
# Next: [08 · The paper's experiments](08_the_papers_experiments.ipynb), on what was claimed in 2015, and what holds.
