# %% [markdown]
# # 00 · Start here: what is a spatial transformer?
#
# A **spatial transformer** is a part of a neural network that chooses where to look. It turns, shifts and stretches its
# input, and it learns how to do so without being told. In this course you play with one, build each of its parts, and train
# it in seconds.
#
# **10 minutes to read, no exercises · needs Python and a little PyTorch · runs on CPU or GPU, offline**

# %%
import sys

import torch

from stn_course import data, device, models, plotting, transforms
from stn_course.plotting import show
from stn_course.widgets import ProgressMap

chosen = device.choose_device()
print("Your machine:", device.describe_device(chosen))
print(f"Python {sys.version.split()[0]}, torch {torch.__version__}")

# %% [markdown]
# Everything in the course runs on this machine. You do not need a GPU: the longest training takes about a minute on two
# cores.
#
# The course builds on a page that taught a generation: PyTorch's
# [Spatial Transformer Networks Tutorial](https://docs.pytorch.org/tutorials/intermediate/spatial_transformer_tutorial.html)
# by Ghassen Hamrouni. "The page" and "the tutorial" always mean this one. "The paper" is
# [Spatial Transformer Networks](https://arxiv.org/abs/1506.02025) by Jaderberg, Simonyan, Zisserman and Kavukcuoglu (2015).
# You can follow the course without having read either.
#
# ## One moving picture
#
# On the left, a digit swings back and forth. On the right, you see what a trained spatial transformer makes of it before a
# classifier reads it. The network is never told the angle. It sees the pixels on the left and chooses.

# %%
images, labels = data.load_digits("test")
model = models.load_straightener()
swing = 60 * torch.sin(torch.linspace(0, 2 * torch.pi, 41)[:-1])  # degrees: there and back
turning = data.rotate(images[24:25].expand(40, -1, -1, -1), swing)
with torch.no_grad():
    straight = data.denormalise(model.stn(data.normalise(turning)))
plotting.show_picture(
    plotting.moving_picture(turning, straight),
    "an animation: on the left, a four swings 60 degrees to both sides; on the right, in the "
    "transformer's output, it leans only a little.",
)

# %% [markdown]
# What is that good for? Take 1000 digits and turn each by its own angle, up to 60° either way. The classifier has seen only
# upright digits. How many does it read, alone and behind the transformer?

# %% tags=["tolerance=1"]
turned, degrees = data.random_rotation(60)(images[:1000], device.seed_everything(0))
with torch.no_grad():
    alone = model.classify(data.normalise(turned)).argmax(dim=1)
    behind = model(data.normalise(turned)).argmax(dim=1)
for name, answers in [("classifier alone", alone), ("behind the transformer", behind)]:
    share = 100 * (answers == labels[:1000]).float().mean()
    print(f"{name}: {share:.0f} % read correctly")

# %% [markdown]
# How upright does it set them? The grid must turn against the digit, so the angles of a perfect transformer's grid and of
# the digit add up to 0. Measure what is left over:

# %% tags=["tolerance=1"]
left_over = degrees + transforms.to_pose(model.theta).rotation
print(
    f"standard deviation of the angles: before {degrees.std():.0f}°, after {left_over.std():.0f}°"
)
for limit in (15, 30):
    share = 100 * (left_over.abs() < limit).float().mean()
    print(f"less than {limit}° left over: {share:.0f} % of the digits")

# %% [markdown]
# Why is it not 0 after the transformer? Because it learned from the labels alone, and a classifier of upright digits forgives
# a small angle:

# %% tags=["tolerance=1"]
for angle in (0, 15, 45):
    with torch.no_grad():
        answers = model.classify(data.normalise(data.rotate(images[:1000], angle))).argmax(dim=1)
    share = 100 * (answers == labels[:1000]).float().mean()
    print(f"classifier alone, all digits turned by {angle}°: {share:.0f} %")

# %% [markdown]
# At 15° it still reads nearly all of them. So training rewards the transformer for undoing large turns, and hardly for the
# last 15°: it straightens only as far as that helps the classifier. (Some digits also have no clear angle. A 0 looks much
# the same when it is turned.)

# %% [markdown]
# ## Three parts
#
# A spatial transformer has three parts. The figure shows what flows through the model for one digit.
#
# 1. The **localization network** looks at the input and chooses six numbers, *theta*.
# 2. The **grid generator** turns theta into a grid: one place in the input for each pixel of the output.
# 3. The **sampler** reads the input at these places.
#
# The output is the digit, turned back, and an ordinary classifier reads it. Theta may also stretch and shear, if that
# helps. Gradients pass through all three parts, so the labels alone can teach them.
#
# (For this demonstration, the classifier was first trained on upright digits and then frozen. The transformer before it was
# trained on turned digits, from their labels only. Notebook 05 trains both together and compares.)

# %%
figure = plotting.architecture(
    model,
    data.normalise(data.rotate(images[24:25], 40)),
    "localization network → grid generator → sampler → classifier",
)
show(
    figure,
    "at the top, the layers of the localization network, ending in six numbers; in the middle, "
    "a turned four, the numbers of theta, a turned grid over the four, and the output, an "
    "upright four; at the bottom, the layers of the classifier, ending in ten numbers.",
)

# %% [markdown]
# ## How the course works
#
# - **Run every cell** from top to bottom with Shift+Enter. Each notebook runs on its own, so you can begin anywhere.
# - **Predict first.** Where the text says *Predict*, write your answer down before you run the cell and open its output.
# - **Labs** let you move the sampling grid: drag its dots, use the sliders, or type numbers. Everything works with the mouse
#   and with the keyboard, also while a cell is still running. When your hand rests, PyTorch computes the same picture, and the
#   lab says whether the two agree. Reload the page while a cell runs, and the labs come back when it ends. Below each lab is a
#   still picture.
# - **Exercises answer.** Write your attempt and run its cell: it says whether it is right, and if not, what differs.
#   **Quizzes** ask one question, and each wrong answer comes with the reason. What you have solved is kept in a small file on
#   your machine.
# - **Your work stays yours.** `make lab` opens a copy of the notebooks, in the folder `my_notebooks`. An update of the course
#   never overwrites a notebook that you have changed.
# - **What you build is what the package uses.** A function in a notebook is the same as in `stn_course`. One test keeps the
#   two equal, another compares both with PyTorch.
# - **A word you do not know**, or have forgotten, stands in the [glossary](11_then_and_now.ipynb#Glossary) at the end of the
#   last notebook, with a link to where it is built.
# - **Nothing is downloaded.** The digits come with the course.
#
# ## The map
#
# <!-- questions: made by `make map` -->
#
# | notebook | the question | minutes to read | with the exercises | afterwards you can |
# | --- | --- | --- | --- | --- |
# | [00 Start here](00_start_here.ipynb) | What is a spatial transformer? | 10 | 10 | name the three parts of a spatial transformer, and say what each hands on |
# | [01 Data](01_data.ipynb) | What does a CNN not know? | 25 | 50 | measure how the accuracy of a CNN falls with angle and scale, and say what normalising does to black |
# | [02 Grid generation](02_grid_generation.ipynb) | Where does each output pixel look? | 50 | 120 | build `affine_grid`, read the six numbers of a theta, compose and invert it, and say which way a picture moves |
# | [03 Sampling](03_sampling.ipynb) | What colour is there, between the pixels? | 50 | 120 | build `grid_sample`, write its gradient by hand and say where it is zero, and align two pictures |
# | [04 The spatial transformer](04_stn_model.ipynb) | Who chooses theta? | 40 | 80 | build `SpatialTransformer`, start it at the identity, put it before any CNN, and see whether it is used |
# | [05 Training](05_training.ipynb) | Does it help, and how would you know? | 45 | 95 | force it to straighten and show that it does, say when it pays and at what price, and recognise a collapse |
# | [06 Attention in clutter](06_attention.ipynb) | What if the digit is somewhere, among other things? | 45 | 85 | train a transformer that finds a digit in a large picture, measure how well it looks, and say when that pays |
# | [07 Beyond affine](07_beyond_affine.ipynb) | The picture is bent; which grid unbends it? | 50 | 120 | straighten a photographed page, build the grids of a camera and of a bent sheet, and say what each family keeps |
# | [08 The paper's experiments](08_the_papers_experiments.ipynb) | What did they claim, and does it hold? | 45 | 105 | describe an experiment so that others can run it, read a table of results with its uncertainty, and say where a gain comes from |
# | [09 A museum of failures](09_museum_of_failures.ipynb) | It does not train; where do you look first? | 45 | 80 | tell thirteen failures by a number, mend them, and bring a run back from a snapshot |
# | [10 Where the idea lives on](10_where_the_idea_lives_on.ipynb) | Where did the grid go after 2015? | 45 | 75 | recognise a grid and a sampler in five later methods, build four of them, and choose one for a task of today |
# | [11 The page, then and now](11_then_and_now.ipynb) | Which lines of the tutorial would you write differently today? | 10 | 35 | name eight flaws of the tutorial's page, and write its program without them; and test yourself on the whole course |
#
# <!-- /questions -->
#
# Here is how far you are. (Run the cell again to update it. A quiz counts when your first answer is right; run its cell
# again for another first answer.)

# %%
ProgressMap()

# %% [markdown]
# ## Keep
#
# - A spatial transformer **chooses where to look**: localization network, grid generator, sampler.
# - It **learns from the labels alone**; it is never told an angle. It straightens only as far as that helps.
# - It is a **module like any other**, and you can put it before any layer.
#
# Next: [01 · Data](01_data.ipynb). What goes wrong without it?
