# %% [markdown]
# # 01 · Data: what does a CNN not know?
#
# At the end you know the digits as tensors, you have trained a small CNN that reads them at 98 %, and you have seen where
# it fails, and by how much.
#
# **25 minutes · needs Python and a little PyTorch · runs on CPU or GPU, offline**

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
# You recognise a seven when it leans, when it lies on its side, when it is small. A convolutional network is trained on
# 60,000 digits. Does it?

# %%
images, labels = data.load_mnist("test")
seven = data.to_float(images[:1])
angles = torch.tensor([0.0, 15.0, 30.0, 45.0, 60.0, 90.0])
leaning = data.rotate(seven.expand(6, -1, -1, -1), angles)
titles = [f"{angle:.0f}°" for angle in angles.tolist()]
show(
    plotting.image_grid(
        leaning, titles, columns=6, title="one seven, six angles: all of them a seven?"
    ),
    "the same seven turned anticlockwise by 0, 15, 30, 45, 60 and 90 degrees.",
)

# %% [markdown]
# ## Build 1: digits as tensors
#
# MNIST is part of the course; nothing is downloaded. The raw digits are whole numbers from 0 (black) to 255 (white):

# %%
train_images, train_labels = data.load_mnist("train")
print("training:", tuple(train_images.shape), train_images.dtype)
print("test:    ", tuple(images.shape), images.dtype)
print("values from", train_images.min().item(), "to", train_images.max().item())
print("how many of each:", torch.bincount(train_labels).tolist())

# %%
ten = torch.stack([images[labels == digit][0] for digit in range(10)])
show(
    plotting.image_grid(data.to_float(ten), range(10), title="the first of each in the test set"),
    "ten handwritten digits, 0 to 9, white on black.",
)

# %% [markdown]
# The tutorial's page reads them with torchvision's class. That works here too, from the same files, and gives the same. (In
# notebooks of your own, import `stn_course` first, then torchvision.)

# %%
from torchvision.datasets import MNIST

torchvision_way = MNIST(data.mnist_root(), train=False, download=False)
print("the same images:", torch.equal(torchvision_way.data, images))
print("the same labels:", torch.equal(torchvision_way.targets, labels))

# %% [markdown]
# A network takes floating-point numbers, with a channel axis: (batch, channels, height, width). And it takes them in
# **batches**: 64 at a time on the page, shuffled anew in each epoch.

# %%
digits = data.to_float(train_images)  # load_mnist and to_float in one: data.load_digits
print(
    "for a network:",
    tuple(digits.shape),
    digits.dtype,
    "from",
    digits.min().item(),
    "to",
    digits.max().item(),
)
generator = device.seed_everything(0)
some, truth = next(data.batches(digits, train_labels, 64, generator))
print("a batch:", tuple(some.shape), "and its labels:", tuple(truth.shape))
print("batches in an epoch:", sum(1 for _ in data.batches(digits, train_labels, 64)))

# %% [markdown]
# ## Build 2: normalisation, and what black becomes
#
# The page subtracts 0.1307 and divides by 0.3081. Where do these two numbers come from? Compute them:

# %%
print(f"mean of all training pixels: {digits.mean().item():.4f}")
print(f"standard deviation:          {digits.std().item():.4f}")
print(f"black becomes {data.normalise(torch.zeros(1)).item():.4f}")
print(f"white becomes {data.normalise(torch.ones(1)).item():.4f}")

# %% [markdown]
# **Black is now -0.42. Remember this number.** In notebook 03 a sampler fills with 0 what lies outside the picture, and 0 is
# not black any more.
#
# Before you go on, a **quiz**:

# %%
Quiz("normalised_range")

# %% [markdown]
# ## Train a plain CNN
#
# `PlainNet` is the tutorial's classifier without its spatial transformer: two convolutions, two linear layers, 21,840
# parameters. `fit` trains it with the course's recipe. Notebook 05 opens the loop; here it takes some seconds.

# %% tags=["nbval-ignore-output"]
device.seed_everything(0)
plain = models.PlainNet()
history = training.fit(plain)
print(f"{history.seconds[-1]:.0f} s, test accuracy {100 * history.accuracy:.2f} %")

# %%
assert history.accuracy > 0.98
print("above 98 %:", history.accuracy > 0.98)

# %% [markdown]
# ## Play
#
# Here is a digit, and what your network says about it. Turn it. Shrink it. Move it. Find the smallest turn that makes
# the network change its mind, to one side and to the other: they differ. (What the sliders do exactly is the matter of
# notebook 02. While cells further down still run, the lab waits.)

# %%
plain.to("cpu").eval()


def confidence(output):
    """What the network says of an image (1, 1, 28, 28) from 0 to 1, as a line of text."""
    with torch.no_grad():
        share = plain(data.normalise(output)).exp()[0]
    best = share.argmax().item()
    return f"The network says {best} with {100 * share[best].item():.0f} %."


lab = ThetaLab(seven[0], readout=confidence)
lab

# %%
still = plotting.sampling_grid(seven[0], transforms.rotation(degrees=50), title="turned by 50°")
show(still, "the grid turned by 50 degrees, and the seven turned the other way.")

# %% [markdown]
# ## Predict, then look
#
# **Predict:** the accuracy is 98 % upright. What is it when all test digits are turned by 15°? By 45°? By 90°? Write your
# three numbers down, then run:

# %%
test_digits, test_labels = data.load_digits("test")


def accuracy_when(distort, values):
    """The accuracy in % on the test digits, distorted by each of the values."""
    return [
        100 * training.evaluate(plain, data.normalise(distort(test_digits, v)), test_labels)
        for v in values
    ]


angles = list(range(-180, 181, 15))
by_angle = accuracy_when(data.rotate, angles)
at = dict(zip(angles, by_angle, strict=True))
for angle, bound in [(15, 90), (45, 75), (90, 40)]:
    word = "above" if angle == 15 else "below"
    print(f"at {angle}° {word} {bound} %:", (at[angle] > bound) == (angle == 15))

# %%
show(
    plotting.curves(
        angles,
        {"plain CNN": by_angle},
        "test digits turned by, degrees (anticlockwise)",
        "test accuracy, %",
        "a CNN trained upright forgives 15°, not 45°",
    ),
    "accuracy over the angle: a peak of 99 % at 0 degrees, about 60 % at 45 degrees one way and 45 % "
    "the other way, about 20 % around 90 degrees, and a lower hill at 180 degrees, where 0, 1, 5 and 8 look much as before.",
)

# %%
factors = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
by_scale = accuracy_when(data.rescale, factors)
at = dict(zip(factors, by_scale, strict=True))
print("at half size below 75 %:", at[0.5] < 75)
show(
    plotting.curves(
        factors,
        {"plain CNN": by_scale},
        "test digits enlarged by this factor",
        "test accuracy, %",
        "nor does it know that a small digit is a digit",
    ),
    "accuracy over the scale: above 95 % between 0.8 and 1.2, falling to half at half size.",
)

# %% [markdown]
# At 180° the accuracy rises again. Which digits survive standing on their heads, and what does a 6 become?

# %%
upside_down = data.normalise(data.rotate(test_digits, 180))
with torch.no_grad():
    answers = plain(upside_down).argmax(dim=1)
table = torch.zeros(10, 10, dtype=torch.long)
table.index_put_((test_labels, answers), torch.ones(10000, dtype=torch.long), accumulate=True)
share = table / table.sum(dim=1, keepdim=True)
print("still mostly right:", [d for d in range(10) if share[d, d] > 0.5])
print("a 6 is most often taken for a", share[6].argmax().item())
print("a 9 is most often taken for a", share[9].argmax().item())

# %% [markdown]
# A **quiz**:

# %%
Quiz("what_a_cnn_knows")

# %% [markdown]
# ## What can be done?
#
# 1. **More data.** Collect turned digits. Expensive.
# 2. **Augmentation.** Turn the training digits at random. The network must then learn each digit at every angle:

# %% tags=["nbval-ignore-output"]
device.seed_everything(0)
augmented = models.PlainNet()
history = training.fit(augmented, distort=data.random_rotation(90))
print(f"trained in {history.seconds[-1]:.0f} s")

# %%
augmented.to("cpu")
turned = data.normalise(data.rotate(test_digits, 45))
plain_at_45 = training.evaluate(plain, turned, test_labels)
augmented_at_45 = training.evaluate(augmented, turned, test_labels)
upright = data.normalise(test_digits)
loss = training.evaluate(plain, upright, test_labels) - training.evaluate(
    augmented, upright, test_labels
)
print("at 45°, augmentation gains more than 20 points:", augmented_at_45 - plain_at_45 > 0.2)
print("upright, it loses:", loss > 0)

# %% [markdown]
# It helps a lot, and it costs something upright: the same 21,840 parameters now hold every digit at every angle up to 90°.
#
# 3. **A network that straightens the picture itself**, and then reads it upright. That is a *spatial transformer*. The
#    rest of the course builds one.

# %% [markdown]
# ## Try
#
# Three exercises, each with a check that answers. Write in place of the dots, run the cell, read what comes. Nothing breaks
# if you are wrong: that is when the check has most to say. `checks.hint("grey_of_zero")` gives a push, and another one each time;
# `checks.solution("grey_of_zero")` shows the answer. The rest of the course does not need your functions.
#
# **1. Predict.** A pixel has the value 0 *after* `normalise`. Which grey was it before, from 0 (black) to 1 (white)?

# %%
guess = ...  # a number from 0 to 1
checks.grey_of_zero(guess)

# %% [markdown]
# Now look. Can you tell the left square from the middle one?

# %%
ruler = torch.tensor([-0.4242, 0.0, 2.8215]).view(3, 1, 1, 1).expand(3, 1, 28, 28)
show(
    plotting.image_grid(
        data.denormalise(ruler),
        ["-0.42", "0", "2.82"],
        columns=3,
        title="0 lies near black, but is not",
    ),
    "three even squares: black, dark grey, white.",
)


# %% [markdown]
# **2. Repair.** This function should turn pictures and normalise them. It runs, and gives every picture grey corners. Mend it:


# %%
def my_turned(images, degrees):
    return data.rotate(data.normalise(images), degrees)


checks.turn_then_normalise(my_turned)


# %% [markdown]
# **3. Write** the measurement behind the first curve, for any classifier: the accuracy, as a share from 0 to 1, on pictures
# turned anticlockwise by each of the angles. Predict first: which of the three steps, turning, normalising and measuring,
# comes when? (The check brings a small classifier of its own, which notices if you mix them up.)


# %%
def my_accuracy_over_angle(model, images, labels, angles):
    # images: (N, 1, 28, 28), from 0 to 1; angles: a list of degrees; the answer: a list of shares
    ...


checks.accuracy_over_angle(my_accuracy_over_angle)

# %% [markdown]
# ## Keep
#
# - **Digits are (B, 1, 28, 28)**, from 0 to 1, and after normalising black is -0.42.
# - **A plain CNN knows what it was shown.** Upright 98 %; turned by 45° about half.
# - **Augmentation spends parameters on every angle.** A spatial transformer spends some on finding the angle.
#
# Next: [02 · Grid generation](02_grid_generation.ipynb). To straighten a picture, you first need to say where each
# output pixel looks.
