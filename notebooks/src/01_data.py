# %% [markdown]
# # 01 · Data: what does a CNN not know?
#
# By the end, you know the digits as tensors, you have trained a small CNN that reads 99 % of them, and you have measured
# where it fails, and by how much.
#
# **25 minutes to read, 50 with the exercises · needs Python and a little PyTorch · runs on CPU or GPU, offline**

# %%
import torch

from stn_course import checks, data, device, models, plotting, training, transforms
from stn_course.plotting import show
from stn_course.widgets import Quiz, ThetaLab

chosen = device.choose_device()
print("This notebook computes on:", device.describe_device(chosen))

# %% [markdown]
# ## The question
#
# You recognise a seven when it leans, when it lies on its side, and when it is small. Does a convolutional network that was
# trained on 60,000 digits?

# %%
images, labels = data.load_mnist("test")
seven = data.to_float(images[:1])
angles = torch.tensor([0.0, 15.0, 30.0, 45.0, 60.0, 90.0])
leaning = data.rotate(seven.expand(6, -1, -1, -1), angles)
titles = [f"{angle:.0f}°" for angle in angles.tolist()]
show(
    plotting.image_grid(
        leaning, titles, columns=6, title="one seven, six angles: is each of them a seven?"
    ),
    "the same seven turned anticlockwise by 0, 15, 30, 45, 60 and 90 degrees.",
)

# %% [markdown]
# ## Build 1: digits as tensors
#
# MNIST comes with the course; nothing is downloaded. The raw pixels are whole numbers from 0 (black) to 255 (white):

# %%
train_images, train_labels = data.load_mnist("train")
print("training:", tuple(train_images.shape), train_images.dtype)
print("test:    ", tuple(images.shape), images.dtype)
print("values from", train_images.min().item(), "to", train_images.max().item())
print("how many of each digit:", torch.bincount(train_labels).tolist())

# %%
ten = torch.stack([images[labels == digit][0] for digit in range(10)])
show(
    plotting.image_grid(data.to_float(ten), range(10), title="the first of each in the test set"),
    "ten handwritten digits, 0 to 9, light on black.",
)

# %% [markdown]
# PyTorch's tutorial page reads the digits with torchvision's class. That works here, too, and it reads the same files. Are
# the digits the same? (In notebooks of your own, import `stn_course` first, then torchvision.)

# %%
from torchvision.datasets import MNIST

torchvision_way = MNIST(data.mnist_root(), train=False, download=False)
different = (torchvision_way.data != images).flatten(1).any(dim=1)
print(f"images that differ: {different.sum()} of {len(images)}")
print(f"labels that differ: {(torchvision_way.targets != labels).sum()} of {len(labels)}")

# %% [markdown]
# A network takes floating-point numbers with a channel axis: (batch, channels, height, width). It takes them in
# **batches**, on the page 64 digits at a time. Each pass over all digits, an *epoch*, shuffles them again.

# %%
digits = data.to_float(train_images)  # load_mnist and to_float in one: data.load_digits
print("for a network:", tuple(digits.shape), digits.dtype)
print("values from", digits.min().item(), "to", digits.max().item())
generator = device.seed_everything(0)
some, truth = next(data.batches(digits, train_labels, 64, generator))
print("a batch:", tuple(some.shape), "and its labels:", tuple(truth.shape))
print("batches in an epoch:", sum(1 for _ in data.batches(digits, train_labels, 64)))

# %% [markdown]
# ## Build 2: normalisation, and what black becomes
#
# The page subtracts 0.1307 from each pixel and divides by 0.3081. Where do these two numbers come from? Compute them:

# %%
print(f"mean of all training pixels: {digits.mean().item():.4f}")
print(f"standard deviation:          {digits.std().item():.4f}")
print(f"black becomes {data.normalise(torch.zeros(1)).item():.4f}")
print(f"white becomes {data.normalise(torch.ones(1)).item():.4f}")

# %% [markdown]
# They are the mean and the standard deviation of all training pixels. **Black is now -0.42. Remember this number.** In
# notebook 03, a sampler fills the outside of a picture with 0, and 0 is no longer black.
#
# A **quiz** before you go on:

# %%
Quiz("normalised_range")

# %% [markdown]
# ## Train a plain CNN
#
# `PlainNet` is the tutorial's classifier without its spatial transformer: two convolutions, two linear layers and 21,840
# parameters. `fit` trains it with the course's recipe for one epoch, in some seconds. Notebook 05 shows the training loop.

# %% tags=["nbval-ignore-output"]
device.seed_everything(0)
plain = models.PlainNet()
history = training.fit(plain, epochs=1)
print(f"trained in {history.seconds[-1]:.0f} s")

# %% tags=["tolerance=0.5"]
print(f"test accuracy: {100 * history.accuracy:.1f} %")

# %% [markdown]
# ## Play
#
# Here is a digit, and under it what your network says about it. Turn the digit, shrink it, move it. Find the smallest turn
# that makes the network change its mind, first one way, then the other: the two angles differ. (Notebook 02 explains what
# each slider does. The network answers when your hand rests, and no other cell is running.)

# %%
plain.to("cpu").eval()


def confidence(output):
    """What the network says about an image (1, 1, 28, 28) from 0 to 1, as a line of text."""
    with torch.no_grad():
        share = plain(data.normalise(output)).exp()[0]
    best = share.argmax().item()
    return f"The network says {best} with {100 * share[best].item():.0f} %."


lab = ThetaLab(seven[0], readout=confidence)
lab

# %%
still = plotting.sampling_grid(seven[0], transforms.rotation(degrees=50), title="turned by 50°")
show(
    still, "on the left, a grid turned by 50 degrees; on the right, the seven turned the other way."
)

# %% [markdown]
# ## Measure
#
# One digit proves little. This function distorts every second test digit, 5,000 in all, and measures the accuracy:

# %%
test_digits, test_labels = data.load_digits("test")


def accuracy_when(distort, values):
    """The accuracy in % on every second test digit, distorted by each of the values."""
    some, truth = test_digits[::2], test_labels[::2]
    return [100 * training.evaluate(plain, data.normalise(distort(some, v)), truth) for v in values]


# %% [markdown]
# **Predict:** on upright digits the accuracy is 99 %. What is it when the test digits are turned by 15°? By 45°? By 90°?
# Write your three numbers down, run the two cells, and open their output:

# %% tags=["hide-output", "tolerance=8"]
angles = list(range(-180, 181, 15))
by_angle = accuracy_when(data.rotate, angles)
at = dict(zip(angles, by_angle, strict=True))
print("accuracy by angle:")
for angle in (15, 45, 90):
    print(f"{angle}°: {at[angle]:.0f} %")

# %% tags=["hide-output"]
show(
    plotting.curves(
        angles,
        {"plain CNN": by_angle},
        "test digits turned by, degrees (anticlockwise)",
        "test accuracy, %",
        "a CNN trained on upright digits copes with 15°, not with 45°",
    ),
    "accuracy over the angle: a peak at 0 degrees, a steep fall to less than a fifth at 90 degrees on both "
    "sides, and a lower hill at 180 degrees.",
)

# %% [markdown]
# And the size? `rescale` makes the digits larger or smaller:

# %% tags=["tolerance=8"]
factors = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
by_scale = accuracy_when(data.rescale, factors)
print(f"at half size: accuracy {by_scale[factors.index(0.5)]:.0f} %")

# %%
show(
    plotting.curves(
        factors,
        {"plain CNN": by_scale},
        "test digits enlarged by this factor",
        "test accuracy, %",
        "a small digit is as strange to it as a turned one",
    ),
    "accuracy over the scale: a plateau around the original size, a steep fall to about half at half "
    "size, and a slower fall for larger digits.",
)

# %% [markdown]
# At 180° the accuracy rises again. Which digits can the network still read upside down? And what does it take a 6 for?

# %%
upside_down = data.normalise(data.rotate(test_digits, 180))
with torch.no_grad():
    answers = plain(upside_down).argmax(dim=1)
pairs = 10 * test_labels + answers  # each pair of truth and answer as one number
table = torch.bincount(pairs, minlength=100).reshape(10, 10)
share = table / table.sum(dim=1, keepdim=True)
print("mostly read correctly:", [digit for digit in range(10) if share[digit, digit] > 0.5])
print("a 6 is most often taken for a", share[6].argmax().item())
print("a 9 is most often taken for a", share[9].argmax().item())

# %% [markdown]
# A **quiz**:

# %%
Quiz("what_a_cnn_knows")

# %% [markdown]
# ## What can be done?
#
# 1. **More data.** Collect turned digits. That is expensive.
# 2. **Augmentation.** Turn the training digits at random. The network must then learn each digit at every angle:

# %% tags=["nbval-ignore-output"]
device.seed_everything(0)
augmented = models.PlainNet()
history = training.fit(augmented, distort=data.random_rotation(90), epochs=1)
print(f"trained in {history.seconds[-1]:.0f} s")

# %%
augmented.to("cpu")
turned, upright = data.normalise(data.rotate(test_digits, 45)), data.normalise(test_digits)


def accuracy(network, images):
    """The accuracy in % on these test digits, already normalised."""
    return 100 * training.evaluate(network, images, test_labels)


# %% tags=["tolerance=8"]
print("digits turned by 45°")
print(f"without augmentation: {accuracy(plain, turned):.0f} %")
print(f"with augmentation:    {accuracy(augmented, turned):.0f} %")

# %% tags=["tolerance=0.8"]
print("upright digits")
print(f"without augmentation: {accuracy(plain, upright):.1f} %")
print(f"with augmentation:    {accuracy(augmented, upright):.1f} %")

# %% [markdown]
# It helps a lot with turned digits, and it costs about two points on upright ones: the same 21,840 parameters must now
# cover every digit at every angle up to 90°.
#
# 3. **A network that straightens the picture itself**, and then reads it upright. That is a *spatial transformer*. Here is a
#    trained one, from notebook 00. Its classifier has seen only upright digits, like your plain CNN:

# %% tags=["tolerance=1"]
straightener = models.load_straightener()
with torch.no_grad():
    read_directly = straightener.classify(turned).argmax(dim=1)
right = 100 * (read_directly == test_labels).float().mean()
print("digits turned by 45°")
print(f"its classifier alone:    {right:.0f} %")
print(f"through its transformer: {accuracy(straightener, turned):.0f} %")

# %% [markdown]
# Nobody told it the angle, and its classifier never saw a turned digit. The rest of the course builds such a network.

# %% [markdown]
# ## Try
#
# Three exercises have a check that answers; two have their answer in the folded output. Replace the dots, run the cell, and
# read the answer. You cannot break anything, and a wrong attempt gets the most detailed answer. `checks.hint("grey_of_zero")`
# gives a hint, and another one each time you call it; `checks.solution("grey_of_zero")` shows the solution. The rest of the
# course does not need your functions.
#
# **1. Predict.** A pixel has the value 0 *after* `normalise`. What grey was it before, from 0 (black) to 1 (white)?

# %%
guess = ...  # a number from 0 to 1
checks.grey_of_zero(guess)

# %% [markdown]
# Here are three grey values as a normalised picture has them. Can you tell the left square from the middle one?

# %%
ruler = torch.tensor([-0.4242, 0.0, 2.8215]).view(3, 1, 1, 1).expand(3, 1, 28, 28)
show(
    plotting.image_grid(
        data.denormalise(ruler),
        ["-0.42", "0", "2.82"],
        columns=3,
        title="0 is close to black, but not black",
    ),
    "three squares of one colour each: black, dark grey, white.",
)


# %% [markdown]
# **2. Repair.** This function is meant to turn pictures and normalise them. It runs, but it gives every picture grey corners.
# Repair it:


# %%
def my_turned(images, degrees):
    return data.rotate(data.normalise(images), degrees)


checks.turn_then_normalise(my_turned)


# %% [markdown]
# **3. Write** the measurement behind the first curve, for any classifier: the accuracy, as a share from 0 to 1, on pictures
# turned anticlockwise by each of the angles. Predict first: in which order do turning, normalising and measuring come?
# (The check uses a small classifier of its own, which notices a wrong order.)


# %%
def my_accuracy_over_angle(model, images, labels, angles):
    # images: (N, 1, 28, 28), from 0 to 1; angles: a list of degrees; the answer: a list of shares
    ...


checks.accuracy_over_angle(my_accuracy_over_angle)

# %% [markdown]
# **4. Predict.** How much does a *shift* cost? A pixel sees only its neighbourhood, and pooling forgets where exactly a pattern
# was, so a CNN should cope. Guess the accuracy for digits moved to the right by 1, 2, 3 and 4 pixels. (`roll` moves the
# columns; the last four are black, so nothing is lost.)

# %% tags=["hide-output", "tolerance=15"]
shifts = [0, 1, 2, 3, 4]
by_shift = accuracy_when(lambda images, pixels: images.roll(pixels, dims=-1), shifts)
print("accuracy by shift:")
for pixels, percent in zip(shifts, by_shift, strict=True):
    print(f"{pixels} pixels: {percent:.0f} %")

# %% [markdown]
# **5. Predict.** All test digits are turned by 90°. Which digit does the plain CNN still read best, and why?

# %% tags=["hide-output"]
with torch.no_grad():
    answers = plain(data.normalise(data.rotate(test_digits, 90))).argmax(dim=1)
right = torch.bincount(test_labels[answers == test_labels], minlength=10)
print("read best:")
print((right / torch.bincount(test_labels)).argmax().item())

# %% [markdown]
# <details><summary>Answers to the questions without a check</summary>
#
# **3.** Turn, then normalise, then measure: turning fills the corners with 0, which is black only before normalising.
#
# **4.** One or two pixels cost little, four cost a lot: the linear layers after the pooling do know places.
#
# **5.** The 0. It is round, so it hardly changes when it is turned.
# </details>

# %% [markdown]
# ## Keep
#
# - **Digits are (B, 1, 28, 28)**, from 0 to 1. After normalising, black is -0.42.
# - **A plain CNN knows what it was shown.** It reads 99 % of upright digits, and about half when they are turned by 45°.
# - **Augmentation spends parameters on every angle.** A spatial transformer spends some on finding the angle.
#
# Next: [02 · Grid generation](02_grid_generation.ipynb). To straighten a picture, you first need to say where each
# output pixel looks.
