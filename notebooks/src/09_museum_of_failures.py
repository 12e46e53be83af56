# %% [markdown]
# # 09 · A museum of failures: it does not train; where do you look first?
#
# At the end you will know thirteen ways in which a spatial transformer fails, the number that gives each of them away, and
# the remedy. And you will have diagnosed five runs that nobody labelled.
#
# **45 minutes to read, 80 with the exercises · needs notebooks 03 to 06 · runs on CPU or GPU, offline**

# %%
import copy
from itertools import pairwise

import torch
import torch.nn.functional as F
from IPython.display import Markdown

from stn_course import checks, data, models, museum, plotting, training, transforms
from stn_course.plotting import show
from stn_course.samplers import warp
from stn_course.training import Stop, signs
from stn_course.widgets import Quiz, ReplayLab

print("PyTorch", torch.__version__.split(".")[0], "on the CPU: these runs are small")

# %% [markdown]
# Three questions from earlier notebooks, before you begin:
#
# 1. The loss falls. What does that prove about the transformer?
# 2. The sampling grid lies wholly outside the picture, which is padded with zeros. Which gradient does theta get?
# 3. A grid's last axis is (x, y). And the shape of a picture?
#
# <details><summary>Answers</summary>
#
# 1. Nothing: the classifier may learn without it.
# 2. None: everything out there is the same, so a small move changes nothing.
# 3. (H, W): rows first, so y before x.
# </details>
#
# ## The question
#
# Three networks learned digits turned by up to 90°, for 96 steps each, with the same data and the same seed. Two of them are
# broken. **Predict:** can you tell which, by the error?

# %% tags=["tolerance=9"]
names = {"A": "full_rate", "B": "tanh"}
seen = {name: museum.visit(museum.EXHIBITS[key]) for name, key in names.items()}
runs = {name: visit.broken for name, visit in seen.items()} | {"C": seen["A"].mended}
for name, run in runs.items():
    print(f"{name}: {run.numbers['test digits misread, %']:.0f} % of the test digits misread")

# %% [markdown]
# You cannot. Here the healthy one is C, and its error is about that of the two broken ones. Some faults break the whole network, and then the error shows them. Many do not: the classifier learns to live with them. So what do you look at first?
#
# *Healthy*, in this notebook, means only that nobody tampered with it. In 96 steps even a sound grid has hardly begun to turn digits; notebook 05 gave it
# thousands.
#
# `museum.visit` trained these runs on the spot, as it does most that follow: a few seconds for each exhibit. Three are
# recorded: the grey frame, the end of the twins' training, and the five patients at the end.
#
# ## Play: the projection room
#
# Each run in this museum records theta for twelve test digits. Press play. Put another name in place of `"thrown_out"`, such
# as `"grey_frame"`, `"random_start"` or `"full_rate"`, and `mended` in place of `broken`, to watch another film.

# %%
film = museum.EXHIBITS["thrown_out"].broken()
wide = film.history.probe_images.shape[-1] == 60  # of the grey frame, and read at 28×28
replay_lab = ReplayLab(film.history, output_size=(28, 28), antialias=wide)
replay_lab

# %%
show(
    replay_lab.figure(),
    "twelve digits, each crossed by a slanted line: all that is seen of a frame that has grown far beyond the picture; below, what "
    "is read, and how many of the digits are read correctly over the steps.",
)


# %% [markdown]
# ## Build: what to look at, from the cheapest on
#
# A good doctor begins with what costs nothing. Theta before the first step needs no training at all. Whether theta has
# moved, and whether it differs from digit to digit, needs a few steps: its **spread** is the standard deviation over the digits, of that
# number in theta which varies most. Where the grid has gone, and what the loss says beside the error, come last.


# %%
def look(history):
    thetas = history.probe_thetas
    first, last = training.signs(thetas[0]), training.signs(thetas[-1])
    return {
        "outside at the start": first.outside,
        "area at the start": first.determinant,
        "moved by": (thetas[-1] - thetas[0]).abs().max().item(),
        "spread at the end": last.spread,
        "outside at the end": last.outside,
        "training loss": torch.tensor(history.losses[-10:]).mean().item(),
        "test error": 1 - history.accuracy,
    }


# %% tags=["tolerance=0.12"]
looks = {name: look(run.history) for name, run in runs.items()}
print(f"{'':21}" + "".join(f"{name:>8}" for name in looks))
for number in looks["A"]:
    print(f"{number:21}" + "".join(f"{found[number]:8.3f}" for found in looks.values()))

# %% [markdown]
# Two numbers stand out. B's grid covers little more than half of the picture before anything was learned, and A's theta is the
# same for every digit at the end: its spread is 0.
#
# ## Trust
#
# The area is a determinant: hold it against `torch.linalg.det`. The share outside is a count: hold it against the corners of
# PyTorch's own grid. The largest difference over all recorded steps of all three runs:

# %%
largest = 0.0
for run in runs.values():
    for theta in run.history.probe_thetas:
        lies = training.signs(theta)
        grid = F.affine_grid(theta.double(), (12, 1, 28, 28), align_corners=False)
        outside = (grid.abs().amax(dim=-1) > 1).double().mean()
        area = torch.linalg.det(theta.double()[:, :, :2]).abs().median()
        errors = lies.outside - outside, lies.determinant - area
        largest = max(largest, *(abs(error.item()) for error in errors))
print(f"largest difference from PyTorch: {largest:.4f}")


# %% [markdown]
# ## Room 1: before the first step
#
# Each exhibit has its mended twin beside it: the same seed, the same digits, and one thing changed (in exhibits 7
# and 8 more than one, for one is not enough). Strips show one digit as the
# classifier reads it, from the first step to the last: above the broken network, below the mended one. Under each strip or curve you
# find, folded, the numbers that gave it away, and what `fit` said.


# %%
def strip(visit, title, words):
    """The pictures of both, above and below."""
    pictures = torch.cat([visit.broken.pictures, visit.mended.pictures])
    count = len(visit.broken.pictures)
    names = count * ["broken"] + count * ["mended"]
    return show(plotting.image_grid(pictures, names, columns=count, title=title), words)


def print_numbers(visit):
    print(f"{visit.exhibit.title}:")
    print(visit.table())


# %% [markdown]
# ### 1. A random start
#
# The head has random weights, and no identity. **Predict** which number tells, at step 0.

# %%
visit = museum.visit(museum.EXHIBITS["random_start"])
title = "a random theta shows no digit, so nothing can be learned from it"
strip(visit, title, "one digit at eight moments: above pictures without a digit, below the digit.")

# %% tags=["hide-output", "tolerance=12"]
print_numbers(visit)

# %% [markdown]
# Theta may be small, as PyTorch makes it, or large, as here. Either way the classifier sees no digit, and can give theta no useful
# gradient. **Remedy:** `models.start_at_identity`.
#
# ### 2. tanh on theta
#
# This was B. Theta is squeezed between -1 and 1, "to be on the safe side".

# %%
visit = seen["B"]
largest_number = {
    name: [theta.max().item() for theta in run.history.probe_thetas]
    for name, run in (("tanh", visit.broken), ("mended", visit.mended))
}
steps = visit.broken.history.probe_steps
title = "with tanh no number of theta ever reaches 1"
show(
    plotting.curves(steps, largest_number, "step", "largest number in theta", title),
    "the largest number in theta over the steps: with tanh about three quarters, without it close to one.",
)

# %% tags=["hide-output", "tolerance=9"]
print_numbers(visit)


# %% [markdown]
# `fit` finds nothing, and rightly so: a start at 0.76 might be meant, as it is for a window of attention. Only you know where this one
# should start. **Remedy:** no tanh. And print theta once before you train.
#
# ### 3. Everything outside
#
# The grid starts 2.5 to the right, beside the picture. Move the start from 0 to 3: how large is the gradient for the shift? (At 0
# the frozen classifier reads nearly all digits, so there is little to gain, and little slope.)


# %%
def gradient(shift, padding_mode):
    """Of the loss of 64 digits, for the x shift with which they are all read."""
    digits, labels = (part[:64] for part in data.load_digits("test"))
    x = torch.tensor(shift, requires_grad=True)
    read = warp(data.normalise(digits), transforms.translation(x=x), padding_mode=padding_mode)
    F.nll_loss(upright(read), labels).backward()
    return x.grad.abs().item()


upright = models.PlainNet().eval()  # the frozen classifier of notebook 05
upright.load_state_dict(models.load_straightener().state_dict(), strict=False)
shifts = [i / 4 for i in range(13)]
modes = {mode: [gradient(shift, mode) for shift in shifts] for mode in ("zeros", "border")}
show(
    plotting.curves(
        shifts, modes, "shift of the grid in x", "gradient", "beyond 2 nothing calls theta back"
    ),
    "the gradient for the shift: near zero without one, large between a quarter and one, small at one and a half, and zero from two on, for both paddings.",
)

# %% tags=["hide-output", "tolerance=15"]
visit = museum.visit(museum.EXHIBITS["outside"])
print_numbers(visit)

# %% [markdown]
# From a shift of 2 on, no point of the grid lies in the picture. The gradient is not small there: it is 0. `border` does not help
# along this axis, since every row is stretched out of its last pixel. **Remedy:** start where the grid touches the picture.
#
# ## Room 2: in the first steps
#
# ### 4. The bypassed transformer
#
# `forward` computes the transformed digits, and then classifies the untransformed ones. **Predict:** how far does theta move in 32 steps?

# %%
visit = museum.visit(museum.EXHIBITS["bypassed"])
moved = {
    name: [(x - run.history.probe_thetas[0]).abs().max().item() for x in run.history.probe_thetas]
    for name, run in (("bypassed", visit.broken), ("mended", visit.mended))
}
show(
    plotting.curves(
        visit.broken.history.probe_steps,
        moved,
        "step",
        "largest change of theta since the start",
        "a theta that nobody reads does not move by one bit",
    ),
    "how far theta has moved over the steps: the bypassed one stays at zero, the mended one leaves it at once.",
)

# %% tags=["hide-output", "tolerance=12"]
print_numbers(visit)

# %% [markdown]
# A slow theta moves by a millionth. This one moves by 0, and that is another thing: no gradient reaches it. `fit` says `bypassed` after ten
# steps. **Remedy:** follow the transformer's output through `forward`.
#
# ### 5. Twins
#
# Two transformers look at one picture with two digits, to tell their sum. Both start in the middle, with the same weights.

# %%
visit = museum.visit(museum.EXHIBITS["twins"])
pictures = visit.broken.history.probe_images[:3]
windows = []
for run in (visit.broken, visit.mended):
    with torch.no_grad():
        run.model(data.normalise(pictures))
    windows += [window.theta for window in run.model.windows]
four = ["twin 1", "twin 2", "apart 1", "apart 2"]
show(
    plotting.boxes(
        pictures.repeat(4, 1, 1, 1),
        torch.cat(windows),
        titles=[name for name in four for _ in pictures],
        columns=3,
        title="the boxes of twins are the same, in every picture",
    ),
    "three pictures of two digits, four times: the boxes of both twins lie at the same place, those of the others apart, on two "
    "sides of the picture.",
)

# %% tags=["hide-output", "tolerance=0.6"]
print_numbers(visit)

# %% [markdown]
# The same weights read the same, get the same gradient, and take the same step. No training parts them. The others have hardly left their
# starts so early; where they go, notebook 06 shows. **Remedy:** a start of its own for each.
#
# ### 6. The localization network at full rate
#
# This was A. Its theta moves, and well within the picture.

# %%
visit = seen["A"]
spread = {
    name: [training.signs(theta).spread for theta in run.history.probe_thetas]
    for name, run in (("factor 1", visit.broken), ("factor 0.1", visit.mended))
}
title = "at full rate theta is soon the same for every digit"
show(
    plotting.curves(steps, spread, "step", "spread of theta over the digits", title),
    "the spread of theta over the steps: at full rate it rises at first and then falls to zero; at a tenth of that rate it stays above zero.",
)

# %% tags=["hide-output", "tolerance=9"]
print_numbers(visit)

# %% [markdown]
# Probably large steps have killed the units before the head, as in notebook 05. What is left is one warp for all digits, which the classifier
# gets used to: the error even prefers it. **Remedy:** a `localization_factor` of 0.1.
#
# ## Room 3: later on
#
# ### 7. The grey frame
#
# A user of the tutorial's page met this one, on clutter ([issue 1117](https://github.com/pytorch/tutorials/issues/1117)). Both runs
# are the recorded ones of notebook 06. With `live = True` you train them here, in about twenty seconds on two cores.

# %%
live = False  # True: train both runs now
visit = museum.visit(museum.EXHIBITS["grey_frame"], live)
title = "padded with zeros, the window ends in the grey"
strip(
    visit,
    title,
    "a window at eight moments: above it ends in plain grey, below it keeps showing strokes.",
)

# %% tags=["hide-output", "tolerance=15"]
print_numbers(visit)

# %% [markdown]
# Black is -0.42 here, and zero padding paints a grey frame. The window can lower the loss a little by moving that frame about; then it is
# out, and exhibit 3 holds it there. **Remedy:** `border`, and a slower look. Either alone may fail.
#
# ### 8. Thrown out, and brought back
#
# The run of the projection room: a rate fifty times too high, reached within a few steps, since one cycle begins low. When the grid has left, what it had
# learned is lost. Unless you kept a copy. This watcher does, for as long as the grid is in sight, and it stops the run when
# `fit` has found something:

# %%
IN_SIGHT = 0.1  # a larger share outside, and the grid may be lost


class Snapshot:
    def __init__(self):
        self.state = {}

    def __call__(self, recorder):
        history = recorder.history
        if history.findings:
            raise Stop
        fresh = not self.state or history.probe_steps[-1] == recorder.step
        if fresh and signs(history.probe_thetas[-1]).outside < IN_SIGHT:
            self.state = copy.deepcopy(recorder.run.model.state_dict())


# %% [markdown]
# The mended run loads that copy, and goes on at a rate of 0.02, with a `localization_factor` of 0.03:

# %%
visit = museum.visit(museum.EXHIBITS["thrown_out"])


looks = visit.broken.history.probe_thetas
title = "lost: within some steps nearly all of the grid is outside"
share = {"share of the grid outside": [signs(theta).outside for theta in looks]}
show(
    plotting.curves(
        visit.broken.history.probe_steps, share, "step", "share outside", title, markers=False
    ),
    "the share of the grid outside: it rises steeply from zero to nearly one, and stays there.",
)

# %%
history = visit.mended.history
stop = next(i for i, (a, b) in enumerate(pairwise(history.probe_steps)) if a == b)
area = torch.tensor([signs(theta).determinant for theta in history.probe_thetas])
before = torch.arange(len(area)) <= stop
title = "the area shrinks; the snapshot is from before"
parts = {
    "until it was stopped": area.where(before, torch.nan),
    "from the snapshot on": area.where(~before, torch.nan),
}
show(
    plotting.curves(history.probe_steps, parts, "step", "area read", title),
    "the area that the grid reads: it falls from one to a third within nine steps; from the snapshot on it stays near 0.8.",
)

# %% tags=["hide-output", "tolerance=15"]
for name, run in (("lost", visit.broken), ("brought back", visit.mended)):
    print(f"{name}:")
    print(f"misread at the end: {run.numbers['test digits misread, %']:.0f} %")

# %% [markdown]
# The grid had not even left: `fit` found a spread of 0 while the area shrank, so the watcher stopped the run and went back to the record before.
# **Remedy:** keep a snapshot of the last state that was in sight, not of the last step. Begin again from it, slower.
#
# ### 9. Learned by heart
#
# A hundred digits, shown again and again. Each was turned once, and always lies in the same way.

# %%
visit = museum.visit(museum.EXHIBITS["memorised"])
history = visit.broken.history
training_loss = torch.tensor(history.losses).unfold(0, 10, 1).mean(dim=1)
at = [max(step - 10, 0) for step in history.probe_steps]
both = {
    "100 training digits (mean of 10 steps)": [training_loss[i].item() for i in at],
    "12 test digits": history.probe_losses,
}
title = "the training loss goes to zero, the test loss does not"
show(
    plotting.curves(history.probe_steps, both, "step", "loss", title),
    "two losses over the steps: that of the training digits falls to zero; that of the test digits falls, rises again and stays far above.",
)

# %% tags=["hide-output", "tolerance=12"]
print_numbers(visit)

# %% [markdown]
# Nothing here points at the transformer: it and the classifier have what they need to tell a hundred pictures apart. **Remedy:** more digits,
# or other turns in each batch, as in all the other runs here.
#
# ## Room 4: wrong, and fit will not tell
#
# The last four are slips in what is computed. None of them needs a transformer's training to be seen, and `fit` sees none of them.
#
# ### 10. Maps that were turned back
#
# Digits are turned, and a transformer turns them back by exactly the right angle: theta is given, so it is perfect. But it does so after the first convolution, on the maps. **Predict** the error for digits turned by 60°.

# %%
angles = list(range(0, 91, 15))
turned = {
    f"{what} turned back": [museum.turned_back(angle, what) for angle in angles]
    for what in ("maps", "nothing", "pictures")
}
show(
    plotting.curves(
        angles,
        turned,
        "digits turned by, degrees",
        "misread, %",
        "on feature maps a perfect theta helps a little, then harms",
    ),
    "the error over the angle: where the maps are turned back it is lower than without at first, and higher at large angles; "
    "where the pictures are, it stays near zero.",
)

# %% tags=["hide-output", "tolerance=4"]
print_numbers(museum.visit(museum.EXHIBITS["feature_maps"]))

# %% [markdown]
# At small angles it helps, and at large ones it is worse than doing nothing. A filter for upright strokes answers to upright strokes. Turn the picture, and *other maps* answer; to turn the maps back moves
# the answers to their places, and leaves them in the wrong map. Finnveden, Jansson and Lindeberg showed in 2020 that a warp of
# feature maps cannot in general undo one of the picture ([arXiv 2004.11678](https://arxiv.org/abs/2004.11678)).
# **Remedy:** warp the picture. A deeper localization network may still choose the theta.
#
# ### 11. Aliasing
#
# Digits of 112×112 pixels in front of fine stripes, to be read at 28×28:

# %%
show(
    plotting.image_grid(museum.striped()[:4], columns=4, title="the large pictures"),
    "four large digits in front of fine, upright stripes.",
)

# %% [markdown]
# No stripe there is as broad as the bands they turn into:

# %%
visit = museum.visit(museum.EXHIBITS["aliasing"])
title = "read directly, fine stripes become broad bands; averaged first, an even grey"
strip(visit, title, "eight digits: above with broad bands across, below on an even grey ground.")

# %% tags=["hide-output", "tolerance=4"]
print_numbers(visit)

# %% [markdown]
# Theta is the identity; nothing is wrong with it. The number that tells is the area in *input pixels* that an output pixel stands for: 16.
# **Remedy:** `antialias=True` (notebook 06), or average first.
#
# ### 12. align_corners that disagree
#
# Three transformers in a row, all at the identity. `affine_grid` was called with `align_corners=True`, `grid_sample` with `False`.
# From left to right: the picture, and what each of the three makes of it.

# %%
visit = museum.visit(museum.EXHIBITS["align_corners"])
title = "the identity, three times, and the digit has shrunk"
strip(
    visit,
    title,
    "a digit, and what three transformers make of it: above a little smaller each time, below unchanged.",
)

# %% tags=["hide-output", "tolerance=1"]
print_numbers(visit)

# %% [markdown]
# One such pair moves a border pixel by half a pixel, and nobody notices. In a row the slips add up, and so do the errors. **Check:** send a ruler
# through, a picture whose pixels are their own column numbers, and see what comes out.
#
# ### 13. x and y swapped
#
# A sampler of somebody's own counts x up to H and y up to W. **Predict:** what does it do to pictures of 28×28? And to the digit in
# the right half of 28×56?

# %%
visit = museum.visit(museum.EXHIBITS["swapped"])
title = "left: square pictures, where nobody notices; right: wide ones"
strip(
    visit,
    title,
    "four digits from square pictures, the same above and below; four from wide pictures, lost above and whole below.",
)

# %% tags=["hide-output", "tolerance=3"]
print_numbers(visit)

# %% [markdown]
# On a square H is W, and the slip is no slip. On 28×56 x stops at column 28, so the right half is never read; and y runs to row 56, so the lower half of the output reads below the picture. **Check:** hold your sampler against
# `F.grid_sample` once, on a picture that is not square. A test with H = W cannot notice the swap.
#
# A **quiz**:

# %%
Quiz("seen_before_training")

# %% [markdown]
# ## The doctor's table
#
# All exhibits, from what you see to what you do. A dash means that `fit` cannot know.

# %%
Markdown(museum.doctors_table())

# %% [markdown]
# **The detector held to account.** Every trained exhibit was trained with three seeds, and so were twenty healthy networks: other
# recipes, paddings, distortions, families, a plain CNN, frozen parts, clutter. How many runs have each finding? (`answers`: nearly all
# answers are one digit; `idle`: theta hardly moves.) `python tools/museum.py` makes the table again. **Predict:** how many false alarms are there?

# %% tags=["hide-output"]
confusion = museum.load_confusion()
Markdown(confusion.to_markdown())

# %% tags=["hide-output"]
wanted = {name: x for name, x in museum.EXHIBITS.items() if x.finds}
named = sum(confusion.named[name] for name in wanted)
print("the detector, all in all:")
print(f"finds what it should in {named} of {sum(confusion.runs[name] for name in wanted)} runs")
print(
    f"false alarms in {sum(confusion.runs[n] for n in museum.HEALTHY_RUNS)} healthy runs:", end=" "
)
print(confusion.false_alarms)

# %% [markdown]
# What it should find in the grey frame is `padding` or a sign of it: the padding itself is named in one run of three. `answers` and `idle` never fired, so of them the table says only that they gave no false alarm. And twenty networks are not all networks: a detector that is silent here may still cry wolf on yours, and what it cannot see (tanh, and
# room 4) it will never name. It is a smoke alarm, not a doctor.
#
# A **quiz**:

# %%
Quiz("what_a_finding_proves")

# %% [markdown]
# ## Break
#
# Now break the doctor. Is `look` above enough? The snapshot of exhibit 8 watches the share outside, and what `fit` finds. **Predict:** which of the two ways to
# lose a digit, a grid beside the picture and a grid in a single point, does the share outside see?

# %% tags=["hide-output", "tolerance=0.01"]
print("share outside, and area:")
for name, theta in {
    "beside": transforms.translation(x=2.5),
    "in a point": transforms.scale(0.01),
}.items():
    lies = training.signs(theta)
    print(f"{name:11} {lies.outside:.2f} {lies.determinant:.4f}")

# %% [markdown]
# The share outside sees the first alone. A grid in a point is wholly inside, and reads one grey all the same: in exhibit 8 it was the finding `spread` that stopped the run. `look` shows it only indirectly, by how far theta has moved: it has the area at the start, and none at the end. No single number is enough.
#
# ## Try
#
# Eight exercises, each with a check. **The ward:** five runs of 126 steps on digits turned by up to 90°, all by one recipe, and nobody
# wrote down what is wrong with them. At least one is healthy. For each choose one word:
#
# - `"healthy"`: nothing is wrong
# - `"rate"`: the localization network learned too fast, and theta became the same for every digit
# - `"start"`: the head started at random
# - `"bypass"`: the classifier does not read the transformer's output
# - `"padding"`: zero padding; the grid left the picture though the rate was small, and did not come back
# - `"few"`: too few digits, learned by heart
#
# `look` is yours to use, and so is the projection room: `ReplayLab(patients[1])`.

# %% tags=["tolerance=0.001"]
patients = {i: training.load_recording(f"patient_{i}") for i in range(1, 6)}
print(f"{'':21}" + "".join(f"{name:>8}" for name in patients))
for number in ("training loss", "test error"):
    print(f"{number:21}" + "".join(f"{look(run)[number]:8.3f}" for run in patients.values()))

# %% [markdown]
# **1. Diagnose** the first patient.

# %%
guess = ...  # a word
checks.patient_1(guess)

# %% [markdown]
# **2. Diagnose** the second.

# %%
guess = ...  # a word
checks.patient_2(guess)

# %% [markdown]
# **3. Diagnose** the third.

# %%
guess = ...  # a word
checks.patient_3(guess)

# %% [markdown]
# **4. Diagnose** the fourth.

# %%
guess = ...  # a word
checks.patient_4(guess)

# %% [markdown]
# **5. Diagnose** the fifth.

# %%
guess = ...  # a word
checks.patient_5(guess)

# %% [markdown]
# **6. Predict.** A colleague trains for an hour, and his theta is squeezed by tanh. After how many training steps can you know,
# at the earliest?

# %%
guess = ...  # a number
checks.steps_to_know(guess)


# %% [markdown]
# **7. Write** the test for a bypassed transformer, for any network. Its transformer is the one `models.SpatialTransformer` in it.
# Do the answers depend on its output? (A forward hook, `register_forward_hook`, can give out something else in its place.) The networks of the check are new to you: some start at the identity, some
# have frozen parts. Predict: why is the gradient of the head not enough?


# %%
def my_is_read(net, images):
    # net: a module, (B, 1, 28, 28) -> (B, 10); images: (B, 1, 28, 28)
    # the answer: True if the answers depend on what its SpatialTransformer returns
    ...


checks.is_read(my_is_read)


# %% [markdown]
# **8. Write** the choice of a snapshot. A run kept a copy at each record. Which one do you go back to? The last that was in sight *before* the grid was lost for the first time, or the last of all if it never was. Predict: why not the last that was in sight at all?


# %%
def my_last_good(thetas):
    # thetas: a list of (N, 2, 3), one for each record; the first is in sight
    # in sight: at most a tenth of the grid outside, and the median area between 0.5 and 2 (training.signs)
    # the answer: an index, from 0
    ...


checks.last_good(my_last_good)

# %% [markdown]
# <details><summary>Answers to what has no check</summary>
#
# **7.** It is missing where a part is frozen, and where the answer is computed without gradient; the transformer may be read
# all the same.
#
# **8.** A grid that was thrown out may sweep through the picture again, with weights that are ruined.
# </details>
#
# ## Keep
#
# - **Look at theta before the first step, then ask whether it moves, whether it differs, and where it is.** The error comes last.
# - **After the first steps, a number that is exactly 0 is a finding**: no move, no gradient, no difference, no spread.
# - **Some slips show in no run**: hold grids and samplers against PyTorch, on pictures that are not square.
#
# Next: [10 · Where the idea lives on](10_where_the_idea_lives_on.ipynb), on what became of the grid after 2015.
