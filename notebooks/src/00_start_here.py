# %% [markdown]
# # 00 · Start here: a network that looks before it reads
#
# A **spatial transformer** is a part of a neural network that chooses where to look. It turns, shifts and stretches its
# input, and it learns by itself how. In this course you take hold of one, build every part, and train it in seconds.
#
# **10 minutes · needs Python and a little PyTorch · runs on CPU or GPU, offline**

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
# Everything in the course runs on that machine. Without a GPU nothing is missing: the longest training takes about a
# minute on two cores.
#
# The course grows out of a page that taught a generation: PyTorch's
# [Spatial Transformer Networks Tutorial](https://docs.pytorch.org/tutorials/intermediate/spatial_transformer_tutorial.html)
# by Ghassen Hamrouni. Where a notebook says "the page" or "the tutorial", it means this one. "The paper" is
# [Spatial Transformer Networks](https://arxiv.org/abs/1506.02025) by Jaderberg, Simonyan, Zisserman and Kavukcuoglu (2015).
# You need neither of the two to follow.
#
# ## One moving picture
#
# Left a digit that turns. Right what a trained spatial transformer makes of it, before a classifier reads it. Nobody told
# the network the angle; it sees the pixels on the left and chooses.

# %%
images, labels = data.load_digits("test")
model = models.load_straightener()
swing = 60 * torch.sin(torch.linspace(0, 2 * torch.pi, 41)[:-1])  # degrees: there and back
turning = data.rotate(images[24:25].expand(40, -1, -1, -1), swing)
with torch.no_grad():
    straight = data.denormalise(model.stn(data.normalise(turning)))
plotting.show_picture(
    plotting.moving_picture(turning, straight),
    "an animation of a four that swings 60 degrees to both sides; beside it, the transformer's output, "
    "in which the four swings by a few degrees only.",
)

# %% [markdown]
# How still does it hold other digits? Take 1000, turn each by up to 60°, and measure what is left over of the turn. (The grid
# must turn against the digit, so a perfect transformer leaves a sum of 0.)

# %%
turned, degrees = data.random_rotation(60)(images[:1000], device.seed_everything(0))
with torch.no_grad():
    model.stn(data.normalise(turned))
left_over = degrees + transforms.to_pose(model.theta).rotation
print(f"spread of the angles: before {degrees.std():.0f}°, after {left_over.std():.0f}°")

# %% [markdown]
# ## Three parts
#
# A spatial transformer has three parts. The figure is drawn from the numbers that flow through the model for one digit.
#
# 1. The **localization network** looks at the input and chooses six numbers, *theta*.
# 2. The **grid generator** turns theta into a grid: one place in the input for each pixel of the output.
# 3. The **sampler** reads the input at these places.
#
# What comes out is a digit turned back, and an ordinary classifier takes it from there. Theta is free to stretch and shear as
# well; it does what helps. All parts pass gradients, so labels alone can teach them.
#
# (For this demonstration the classifier learned upright digits first and was then frozen. The transformer before it learned on
# turned digits, from their labels only, to please it. Notebook 05 trains both together, and compares.)

# %%
figure = plotting.architecture(
    model,
    data.normalise(data.rotate(images[24:25], 40)),
    "localization network → grid generator → sampler → classifier",
)
show(
    figure,
    "above, the layers of the localization network, ending in six numbers; in the middle a turned four, "
    "theta, the turned sampling grid over the four, and the output, a four turned back; below, the classifier.",
)

# %% [markdown]
# ## How the course works
#
# - **Run every cell** from top to bottom: Shift+Enter. Each notebook runs alone; you can begin anywhere.
# - **Predict first.** Where the text says *Predict*, write your answer down before you run the cell.
# - **Labs** put the sampling grid into your hands: dots to drag, sliders, numbers to type. All of it works with the mouse
#   and with the keyboard. While other cells still run, a lab waits. Below each lab stands a still picture, for readers
#   without a kernel.
# - **Exercises answer.** Write your attempt, run its cell, and it says what is right and what differs. **Quizzes** ask one
#   question; each wrong answer comes with the reason. What you have solved is kept in a small file on your machine.
# - **Your work stays yours.** `make lab` opens a copy of the notebooks, in the folder `my_notebooks`. An update of the course
#   never overwrites a notebook that you have changed.
# - **What you build is what the package uses.** A function in a notebook is the same as in `stn_course`; a test holds the
#   two together, and another holds both against PyTorch.
# - **Nothing is downloaded.** The digits are part of the course.
#
# ## The map
#
# | notebook | minutes | afterwards you can |
# | --- | --- | --- |
# | [01 Data](01_data.ipynb) | 25 | say what a CNN does not know, and measure it |
# | [02 Grid generation](02_grid_generation.ipynb) | 40 | read six numbers and say what they do to a picture |
# | [03 Sampling](03_sampling.ipynb) | 40 | build `grid_sample`, and say when its gradient is zero |
# | [04 The spatial transformer](04_stn_model.ipynb) | 35 | put a transformer before any layer of a CNN |
# | [05 Training](05_training.ipynb) | 40 | train it in seconds, and show whether it helps |
#
# And here is how far you are. (Run the cell again to see it anew. A quiz counts when your first answer is right; run its
# cell again for another first answer.)

# %%
ProgressMap()

# %% [markdown]
# ## Keep
#
# - A spatial transformer **chooses where to look**: localization network, grid generator, sampler.
# - It is **learned from the labels alone**; nobody gives it angles.
# - It is a **module like any other**, and goes before any layer.
#
# Next: [01 · Data](01_data.ipynb).
