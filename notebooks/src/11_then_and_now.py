# %% [markdown]
# # 11 · The page, then and now: which lines of the tutorial would you write differently today?
#
# At the end you know eight flaws of PyTorch's tutorial page on spatial transformers, each shown in a cell, and you have its model and its training as one would write them today. The notebook ends with a test on the whole course.
#
# **10 minutes to read, 35 with the exercises · needs notebooks 03 to 05 · runs on CPU or GPU, offline**

# %%
import warnings

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

from stn_course import data, device, plotting, training, transforms
from stn_course.plotting import show
from stn_course.samplers import warp
from stn_course.widgets import Quiz, certificate

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))

# %% [markdown]
# ## The question
#
# The page is from 2017, and it taught a generation. Its code is still copied, flaws included. **Predict:** which lines would you
# write differently by now? Count yours. There are eight here; the first one you can see:

# %%
test_images, test_labels = data.load_digits("test", chosen)
black = data.normalise(test_images[:6])
zoom_out = transforms.scale(1.5)
modes = ("zeros", "border")
pictures = [data.denormalise(warp(black, zoom_out, padding_mode=mode)) for mode in modes]
show(
    plotting.side_by_side(
        *pictures, names=("then", "now"), title="the page's padding draws a grey frame"
    ),
    "six digits zoomed out: above, as the page pads, each in a grey frame; below, padded with the border, on black.",
)

# %% [markdown]
# ## Eight flaws
#
# **1. Grey frame.** Then: normalised inputs, and padding with 0, which is grey. Now: padding with the border, which is black.

# %%
for name, picture in zip(("then", "now"), pictures, strict=True):
    print(f"brightness outside the picture (0 is black), {name}: {picture[0, 0, 0, 0].abs():.2f}")

# %% [markdown]
# **2. `align_corners` left out.** Then: the default was `True`; PyTorch 1.3 changed it. Now: written out, in both calls. Written
# out in one call only, the two may disagree, and then even the identity changes the picture:

# %%
theta = transforms.identity(1, device=chosen)
print("what the identity changes in a pixel, at most:")
for grid_says, sampler_says in [(True, False), (False, False)]:
    grid = F.affine_grid(theta, (1, 1, 28, 28), align_corners=grid_says)
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
# **5. No baseline.** Then: one number, 98.67 %. Now: beside it, the number without the transformer. Here for digits turned by up
# to 90°, from two recorded runs of notebook 05, with equal epochs. (One seed. With five, notebook 05 cannot tell the two apart there, neither with equal epochs nor with equal time.)

# %%
for name in ("turned_transformer", "turned_plain"):
    print(f"{name:18} {100 * training.load_recording(name).accuracy:.2f} %")

# %% [markdown]
# **6. Which digits?** Then: "a batch of training data" came from the test loader, shuffled, with different digits each time.
# Now: the split has a name and keeps its order.

# %%
for _ in range(2):
    print("the first ten test digits:", data.load_digits("test", chosen)[1][:10].tolist())

# %% [markdown]
# **7. A rate without a schedule.** Then: SGD at 0.01 from the first step to the last; in the page's own log the accuracy drops
# by more than a point, twice. Now: one cycle that ends at zero, as in the program below.

# %%
page = [94.03, 95.71, 96.96, 97.41, 97.92, 97.90, 96.35, 98.38, 98.10, 94.24]
page += [98.38, 98.04, 98.64, 98.25, 98.71, 98.31, 98.72, 98.69, 98.76, 98.67]
drops = [epoch for epoch in range(2, 21) if page[epoch - 1] < page[epoch - 2] - 1]
print("epochs in which the page lost more than a point:", drops)

# %% [markdown]
# **8. A dead address.** Then: MNIST came from its authors' page, which no longer answers. Now: it ships with the course.

# %%
from torchvision.datasets import MNIST

digits = MNIST(data.mnist_root(), train=True, download=False)
print("torchvision reads", len(digits), "digits without a download")


# %% [markdown]
# ## The page's program, written today
#
# The same layers as the page's but for its dropout, in three cells. The transformer: an identity start, both `align_corners` written out, padding
# with the border.


# %%
class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.localization = nn.Sequential(
            *(nn.Conv2d(1, 8, 7), nn.MaxPool2d(2), nn.ReLU()),
            *(nn.Conv2d(8, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(90, 32), nn.ReLU(), nn.Linear(32, 6)),
        )
        nn.init.zeros_(self.localization[-1].weight)
        self.localization[-1].bias.data = torch.eye(2, 3).flatten()

    def forward(self, x):
        theta = self.localization(x).view(-1, 2, 3)
        grid = F.affine_grid(theta, x.shape, align_corners=False)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def reader():
    return nn.Sequential(
        *(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(320, 50), nn.ReLU(), nn.Linear(50, 10)),
    )


# %% [markdown]
# The training: all digits in memory, a slower rate for the transformer, one cycle that ends at zero.


# %%
def train(transformer, classifier, images, labels, rate=0.02, batch_size=128):
    groups = [
        {"params": transformer.parameters(), "lr": rate / 10},
        {"params": classifier.parameters(), "lr": rate},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.7, 0.9))
    steps, rates = -(-len(images) // batch_size), [group["lr"] for group in groups]
    schedule = OneCycleLR(optimizer, rates, total_steps=steps, cycle_momentum=False)
    for some, truth in data.batches(images, labels, batch_size, torch.Generator().manual_seed(0)):
        loss = F.cross_entropy(classifier(transformer(some)), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


# %% [markdown]
# And the baseline: `nn.Identity()` in the transformer's place. Each sees 30,000 digits once; the page's program saw 60,000, twenty
# times.

# %% tags=["tolerance=0.4"]
images, labels = data.load_digits("train", chosen)
for name, make in {"with transformer": Transformer, "without": nn.Identity}.items():
    device.seed_everything(0)
    transformer, classifier = make().to(chosen), reader().to(chosen)
    train(transformer, classifier, data.normalise(images[:30_000]), labels[:30_000])
    with torch.no_grad():
        answers = classifier(transformer(data.normalise(test_images))).argmax(dim=1)
    print(f"{name:16} {100 * (answers == test_labels).float().mean().item():.2f} %")

# %% [markdown]
# Two numbers now stand where the page had one, and they say what one could not: after half an epoch, with one seed, a transformer makes no difference on upright digits. Notebook 05, with five seeds, finds a tenth of a point for it at equal epochs, and a draw at equal time.
#
# ## Try
#
# **The closing quiz:** fifteen questions over the whole course, each about a mistake that many people make, some of them in public and for years. Few are answered in this notebook. Answer each before you look anything up; a wrong answer says what is wrong with it, and each question names the cell to try
# it in.

# %%
Quiz("end_smaller")

# %%
Quiz("end_in_one")

# %%
Quiz("end_disagree")

# %%
Quiz("end_not_square")

# %%
Quiz("end_outside_black")

# %%
Quiz("end_far_away")

# %%
Quiz("end_zero_weights")

# %%
Quiz("end_is_it_used")

# %%
Quiz("end_equal_time")

# %%
Quiz("end_skipped")

# %%
Quiz("end_twins")

# %%
Quiz("end_flow")

# %%
Quiz("end_determinant")

# %%
Quiz("end_feature_maps")

# %%
Quiz("end_log_polar")

# %% [markdown]
# ## Your certificate
#
# A picture of what you have solved, made from the progress file on this machine. Nothing leaves it. Put your name in, if you like; in a
# terminal, `stn-course certificate --name "…" --output certificate.png` writes the file.

# %% tags=["nbval-ignore-output"]
certificate(name="")

# %% [markdown]
# ## Keep
#
# - **Write the defaults out**: `align_corners`, `padding_mode`, the split, the reduction. Defaults change.
# - **A number needs a baseline**, trained by the same recipe.
# - **Half an epoch** by AdamW, with a rate that ends at zero, comes within a tenth of a point or so of the page's twenty.
#
# This is the course's last notebook. When does a transformer help, then? On digits seen from the side, and in clutter against a network that reads everything. On small digits that are turned, a plain network with as much time draws level ([05 · Training](05_training.ipynb)). And wherever it is used, it shows what it looked at.

# %% [markdown]
# ## Glossary
#
# The course's words, each with a link to the section whose cell builds it. In JupyterLab the first click opens the notebook;
# when it is open, a second one goes to the section.
#
# <!-- glossary: made by `make map` -->
#
# - **affine**: A family of grids with six numbers: it turns, scales, shears and moves, and keeps parallels parallel. [02, Build 3: theta times coordinates](02_grid_generation.ipynb#Build-3:-theta-times-coordinates)
# - **aliasing**: Fine patterns turn into coarse ones that were never there: a sampler that shrinks by more than a factor of 2 skips pixels. [03, Break](03_sampling.ipynb#Break)
# - **align_corners**: Which points -1 and 1 are: the outer edges of the border pixels (`False`), or their centres (`True`). Grid and sampler must agree on it. [02, Build 1: pixels and normalised coordinates](02_grid_generation.ipynb#Build-1:-pixels-and-normalised-coordinates)
# - **attention**: A family of grids with three numbers, a scale and a place: it may neither turn nor shear. (Transformer networks use the word for something else: see deformable attention.) [06, Build 1: a look is three numbers](06_attention.ipynb#Build-1:-a-look-is-three-numbers)
# - **base grid**: The coordinates (x, y, 1) of all output pixels, (H, W, 3), before theta. [02, Build 2: the regular grid, with ones](02_grid_generation.ipynb#Build-2:-the-regular-grid,-with-ones)
# - **bending energy**: How much a thin plate spline is bent: 0 where its grid is affine. A small multiple of it in the loss keeps a grid from folding. [07, Break](07_beyond_affine.ipynb#Break)
# - **bicubic**: Sampling by a smooth weight over sixteen pixels: its gradient has no kink, and its values overshoot. [07, Build 5: a smoother sampler](07_beyond_affine.ipynb#Build-5:-a-smoother-sampler)
# - **bilinear**: Sampling by the weighted mean of the four neighbours of a place. [03, Build 2: bilinear](03_sampling.ipynb#Build-2:-bilinear)
# - **border**: Padding that moves a place outside to the nearest border pixel. Along the axis on which it was moved, it has no gradient. [03, Build 3: outside](03_sampling.ipynb#Build-3:-outside)
# - **bypassed transformer**: A transformer whose output the classifier never reads: the loss falls, and theta does not move. [04, Break](04_stn_model.ipynb#Break)
# - **collapse**: The end of a run in which a network gives one answer to every picture: its accuracy is that answer's share of the test set. [05, Break](05_training.ipynb#Break)
# - **dead zone**: Where the whole grid lies outside the picture: what is read no longer changes, the gradient is exactly 0, and no training brings the grid back. Padding with the border's value has one, too, along each axis on which all places lie outside. [03, Break](03_sampling.ipynb#Break)
# - **deformable attention**: A weighted mean of what is read at a few places, named for each query by a network: the attention of transformer networks, with a grid in place of all pixels. [10, Build 4: deformable attention](10_where_the_idea_lives_on.ipynb#Build-4:-deformable-attention)
# - **deformable convolution**: A convolution whose taps read where offsets send them: a flow for each tap. The offsets are (y, x). [10, Build 3: deformable convolution](10_where_the_idea_lives_on.ipynb#Build-3:-deformable-convolution)
# - **fair fight**: Two networks compared at the same cost: equal epochs, equal time or equal parameters. [05, Fair fights](05_training.ipynb#Fair-fights)
# - **family**: The grids that a transformer can make, such as affine or projective. What a family keeps of a picture, it cannot undo. [07, What each family keeps](07_beyond_affine.ipynb#What-each-family-keeps)
# - **finding**: What `fit` saw in a run and warned of, by its kind, such as `spread` or `answers`. That it found nothing does not prove that all is well. [05, Break](05_training.ipynb#Break)
# - **flow**: A displacement of its own for each output pixel, (x, y) in pixels, from there to where it reads. [07, Build 3: a displacement for each pixel](07_beyond_affine.ipynb#Build-3:-a-displacement-for-each-pixel)
# - **fold**: A place where a grid runs backwards: the determinant of its Jacobian is not positive. Where only part of a grid does, it reads the same piece again, mirrored. [07, Break](07_beyond_affine.ipynb#Break)
# - **grey frame**: What zero padding draws around a normalised picture, in which 0 is grey and black is -0.42. [03, The grey frame](03_sampling.ipynb#The-grey-frame)
# - **grid**: One place in the input for each output pixel, (B, H, W, 2), with x before y. [02, Build 3: theta times coordinates](02_grid_generation.ipynb#Build-3:-theta-times-coordinates)
# - **grid generator**: The second part of a spatial transformer: it turns theta into a grid. [02, Build 3: theta times coordinates](02_grid_generation.ipynb#Build-3:-theta-times-coordinates)
# - **group-pooled network**: A network that reads a picture in each position of a group, such as four quarter turns, and keeps the largest answers. A quarter turn does not change them: they are invariant. (What turns along with the picture is equivariant.) [10, Build 5: build the symmetry in](10_where_the_idea_lives_on.ipynb#Build-5:-build-the-symmetry-in)
# - **head**: The layer that answers with the numbers of theta, the last of the localization network. [04, Build 1: six numbers that start at the identity](04_stn_model.ipynb#Build-1:-six-numbers-that-start-at-the-identity)
# - **homogeneous**: Coordinates with a third number, 1, so that one matrix product turns, scales and moves. [02, Build 2: the regular grid, with ones](02_grid_generation.ipynb#Build-2:-the-regular-grid,-with-ones)
# - **homography**: A 3×3 theta, of which eight numbers count: its third row says how deep each output pixel lies, and the grid divides by that. [07, Build 1: a camera divides](07_beyond_affine.ipynb#Build-1:-a-camera-divides)
# - **horizon**: Where the third coordinate of a homography becomes 0. Behind it there is nothing to read, and no gradient. [07, Break](07_beyond_affine.ipynb#Break)
# - **identity start**: Zero weights and the identity as the bias of the head, so that a new transformer changes nothing, and can learn. [04, Build 1: six numbers that start at the identity](04_stn_model.ipynb#Build-1:-six-numbers-that-start-at-the-identity)
# - **interval**: Where the mean over all seeds probably lies: 95 %, by Student's t. It says nothing of other test digits. [05, Fair fights](05_training.ipynb#Fair-fights)
# - **Jacobian**: At each output pixel, how far the place that is read moves for one pixel to the right and for one down: two arrows. Its determinant is the area between them, in pixels of the input. [07, Break](07_beyond_affine.ipynb#Break)
# - **kink**: A point where a slope jumps, such as the centre of a pixel under a bilinear sampler. Autograd takes one of the two slopes there: a sub-gradient. [07, Build 5: a smoother sampler](07_beyond_affine.ipynb#Build-5:-a-smoother-sampler)
# - **localization network**: The first part of a spatial transformer: it looks at its input and chooses theta. Nobody tells it the right one. [04, Play: you are the localization network](04_stn_model.ipynb#Play:-you-are-the-localization-network)
# - **log-polar**: A grid of rays and circles, each circle larger by the same factor than the one inside it: a turn of the picture becomes a shift. [07, Build 4: a turn becomes a shift](07_beyond_affine.ipynb#Build-4:-a-turn-becomes-a-shift)
# - **nearest**: Sampling by the one pixel nearest to a place. Its gradient to the place is 0. [03, Build 1: nearest](03_sampling.ipynb#Build-1:-nearest)
# - **normalise**: Of values: subtract the mean of the training pixels, and divide by their standard deviation. Coordinates are another matter. [01, Build 2: normalisation, and what black becomes](01_data.ipynb#Build-2:-normalisation,-and-what-black-becomes)
# - **normalised coordinates**: Coordinates from -1 to 1 across the picture, x to the right and y down, whatever its number of pixels. [02, Build 1: pixels and normalised coordinates](02_grid_generation.ipynb#Build-1:-pixels-and-normalised-coordinates)
# - **one-theta test**: Read all pictures through the mean of their thetas. If the error stays, the transformer says nothing about the single picture. [05, Try](05_training.ipynb#Try)
# - **output → input**: The direction of theta and of every grid: each output pixel asks where in the input it reads. Elsewhere it is called inverse, or backward, warping. [02, From output to input](02_grid_generation.ipynb#From-output-to-input)
# - **pixel matrix**: A theta in pixels, as OpenCV takes it; its usual direction is the inverse, input to output. [02, Compose and invert](02_grid_generation.ipynb#Compose-and-invert)
# - **pose**: A theta in words: translation · rotation · shear · scale. [02, Read a theta by eye](02_grid_generation.ipynb#Read-a-theta-by-eye)
# - **projective**: The family of the homographies: it keeps straight lines straight, and parallels need not stay parallel. [07, Build 1: a camera divides](07_beyond_affine.ipynb#Build-1:-a-camera-divides)
# - **pyramid**: Copies of a picture, each half as wide and high as the one before. Reading from the one that fits keeps aliasing away. [06, Build 3: pool before you shrink](06_attention.ipynb#Build-3:-pool-before-you-shrink)
# - **reflection**: Padding that folds a place outside back, as if mirrors stood at the picture's edges. [03, Build 3: outside](03_sampling.ipynb#Build-3:-outside)
# - **registration**: To find the grid through which one picture looks like another. [10, Play: be the network](10_where_the_idea_lives_on.ipynb#Play:-be-the-network)
# - **RoIAlign**: Crops by boxes out of a feature map. With one sample for each output pixel it is an affine crop: attention with a scale for each axis. [10, Build 2: crops by boxes](10_where_the_idea_lives_on.ipynb#Build-2:-crops-by-boxes)
# - **sampler**: The third part of a spatial transformer: it reads the input at the places of a grid. [03, Build 4: `grid_sample`](03_sampling.ipynb#Build-4:-grid_sample)
# - **scaling and squaring**: A way to follow a velocity for one unit of time: go a 64th of the way, then six times double the way gone so far. A flow made like that hardly folds. [10, Build 1: registration](10_where_the_idea_lives_on.ipynb#Build-1:-registration)
# - **snapshot**: A copy of the last weights whose grid was in sight, to go back to. [09, 8. Thrown out, and brought back](09_museum_of_failures.ipynb#8.-Thrown-out,-and-brought-back)
# - **spatial transformer**: A module that chooses where to look, in three parts: localization network, grid generator, sampler. [04, Build 2: the module](04_stn_model.ipynb#Build-2:-the-module)
# - **spread**: Of a batch of thetas: the standard deviation over the pictures of that number which varies most. 0 says that all are warped alike. [09, Build: what to look at, from the cheapest on](09_museum_of_failures.ipynb#Build:-what-to-look-at,-from-the-cheapest-on)
# - **theta**: The numbers that a localization network chooses: for affine (B, 2, 3), from output to input. [02, Build 3: theta times coordinates](02_grid_generation.ipynb#Build-3:-theta-times-coordinates)
# - **thin plate spline**: The smoothest sheet through given points. Two of them, for x and for y, make a grid that bends. [07, Build 2: a sheet that bends](07_beyond_affine.ipynb#Build-2:-a-sheet-that-bends)
# - **twins**: Two parallel transformers with the same weights and the same start, before a reader that treats both alike: they get the same gradient for ever. [04, Two transformers on one picture](04_stn_model.ipynb#Two-transformers-on-one-picture)
# - **warp**: Grid generator and sampler in one call: a picture read through theta. [02, From output to input](02_grid_generation.ipynb#From-output-to-input)
# - **zeros**: Padding that reads 0 outside the picture. That is black only if black is 0. [03, Build 3: outside](03_sampling.ipynb#Build-3:-outside)
#
# <!-- /glossary -->
