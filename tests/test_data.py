"""The bundled digits: whole, checked, repaired, and the same as torchvision's; distortions."""

import gzip
import hashlib
import math
import multiprocessing
import socket
import urllib.request
from importlib import resources

import pytest
import torch
import torch.nn.functional as F
from torch.nn.functional import avg_pool2d

from stn_course import data, files

# torchvision comes after stn_course, which mends its import.
from torchvision.datasets import MNIST  # isort: skip
from torchvision.transforms.functional import InterpolationMode, rotate  # isort: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return data.mnist_root(tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize(("split", "train", "n"), [("train", True, 60000), ("test", False, 10000)])
def test_the_package_and_torchvision_read_the_same(root, split, train, n):
    images, labels = data.load_mnist(split)
    assert images.shape == (n, 28, 28)
    assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
    theirs = MNIST(root, train=train, download=False)
    assert torch.equal(images, theirs.data)
    assert torch.equal(labels, theirs.targets)


def test_the_notice_stands_beside_the_data_and_tells_the_checksums():
    notice = resources.files("stn_course").joinpath("mnist/NOTICE.md").read_text("utf-8")
    assert "LeCun" in notice
    assert "Attribution-ShareAlike 3.0" in notice
    for name, (checksum, _, _) in data.FILES.items():
        assert f"| {name} | {checksum} |" in notice


def raw_files(root):
    return sorted((root / "MNIST" / "raw").iterdir())


def sums(root):
    return {f.name: hashlib.md5(f.read_bytes()).hexdigest() for f in raw_files(root)}


EXPECTED = {name: checksum for name, (checksum, _, _) in data.FILES.items()}


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "empty"])
def test_a_damaged_cache_repairs_itself(tmp_path, damage):
    root = data.mnist_root(tmp_path)
    victim = root / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    content = bytearray(victim.read_bytes())
    if damage == "missing":
        victim.unlink()
    elif damage == "flipped":
        content[100] ^= 1
        victim.write_bytes(content)
    else:
        victim.write_bytes(content[: 500 if damage == "cut" else 0])
    assert sums(data.mnist_root(tmp_path)) == EXPECTED


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        data.mnist_root(tmp_path)
    assert raw_files(tmp_path) == []
    monkeypatch.undo()
    assert sums(data.mnist_root(tmp_path)) == EXPECTED


def test_a_sound_cache_is_left_alone(root):
    before = [f.stat().st_mtime_ns for f in raw_files(root)]
    assert data.mnist_root(root) == root
    assert [f.stat().st_mtime_ns for f in raw_files(root)] == before


def test_two_processes_at_once_do_no_harm(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=data.mnist_root, args=(tmp_path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    assert sums(tmp_path) == EXPECTED


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: None, "missing"),
        (lambda content: b"", "damaged"),
        (lambda content: b"not gzip", "damaged"),
        (lambda content: content[:1000], "damaged"),
        (lambda content: content[:1000] + bytes(9) + content[1009:], "damaged"),
        (lambda content: gzip.compress(b"not the digits"), "damaged"),
    ],
    ids=["missing", "empty", "other", "cut", "overwritten", "exchanged"],
)
def test_a_bundle_that_lacks_something_says_how_to_restore_it(tmp_path, monkeypatch, damage, said):
    name = "t10k-images-idx3-ubyte.gz"
    content = damage(resources.files("stn_course").joinpath(f"mnist/{name}").read_bytes())
    (tmp_path / "mnist").mkdir()
    if content is not None:
        (tmp_path / "mnist" / name).write_bytes(content)
    monkeypatch.setattr(data.resources, "files", lambda _: tmp_path)
    restore = "restore it with `git checkout stn_course/mnist`, or install stn_course again"
    with pytest.raises(OSError, match=f"^the bundled {name} is {said}; {restore}$"):
        data.load_mnist("test")


def test_the_bundle_is_byte_exact():
    for name, checksum in EXPECTED.items():
        bundled = resources.files("stn_course").joinpath(f"mnist/{name}.gz").read_bytes()
        assert hashlib.md5(gzip.decompress(bundled)).hexdigest() == checksum


def test_the_notebooks_data_path_needs_no_socket(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise OSError("sockets are off")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "create_connection", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    with pytest.raises(OSError, match="sockets are off"):
        urllib.request.urlopen("http://127.0.0.1")
    root = data.mnist_root(tmp_path)
    assert len(MNIST(root, train=True, download=False)) == 60000
    images, labels = data.load_digits("test")
    some, truth = next(data.batches(images, labels, 64))
    assert len(some) == len(truth) == 64


def test_mean_and_std_are_those_of_the_training_digits():
    images, _ = data.load_digits("train")
    assert abs(images.mean().item() - data.MEAN) < 5e-5
    assert abs(images.std().item() - data.STD) < 5e-5


def test_normalise_and_back(digits):
    images = digits[0][:8]
    normal = data.normalise(images)
    assert round(normal.min().item(), 4) == -0.4242
    assert torch.allclose(data.denormalise(normal), images, atol=1e-6)


def test_batches_hold_each_image_once(digits):
    images, labels = digits[0][:1000], digits[1][:1000]
    generator = torch.Generator().manual_seed(3)
    seen = list(data.batches(images, labels, 64, generator))
    assert [len(some) for some, _ in seen] == [64] * 15 + [40]
    shuffled = torch.cat([some for some, _ in seen])
    assert not torch.equal(shuffled, images)
    assert torch.allclose(shuffled.sum(0), images.sum(0), atol=1e-2)
    pairs = {(im.sum().item(), y.item()) for im, y in zip(images, labels, strict=True)}
    again = torch.cat([truth for _, truth in seen])
    assert {(im.sum().item(), y.item()) for im, y in zip(shuffled, again, strict=True)} == pairs


def test_batches_without_a_generator_keep_the_order(digits):
    images, labels = digits[0][:130], digits[1][:130]
    seen = list(data.batches(images, labels, 64))
    assert torch.equal(torch.cat([some for some, _ in seen]), images)
    assert torch.equal(torch.cat([truth for _, truth in seen]), labels)


def test_the_same_seed_gives_the_same_batches(digits):
    def order():
        generator = torch.Generator().manual_seed(5)
        return torch.cat([y for _, y in data.batches(*digits, 64, generator)])

    assert torch.equal(order(), order())


def test_rotate_is_torchvisions(digits):
    images = digits[0][:4]
    theirs = rotate(images, 37, interpolation=InterpolationMode.BILINEAR)
    assert torch.allclose(data.rotate(images, 37), theirs, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("degrees", [90, 33.3, torch.tensor([0.0, -45.0, 170.0, 77.0])])
def test_rotate_reads_where_pytorchs_grid_does(digits, device, dtype, degrees):
    images = digits[0][:4].to(device, dtype)
    angles = torch.deg2rad(torch.as_tensor(degrees).expand(4).double())
    zero = torch.zeros(4)
    rows = [angles.cos(), -angles.sin(), zero, angles.sin(), angles.cos(), zero]
    theta = torch.stack(rows, dim=1).reshape(4, 2, 3).to(images)
    grid = F.affine_grid(theta, images.shape, align_corners=False)
    expected = F.grid_sample(images, grid, align_corners=False)
    bound = {torch.float32: 1e-5, torch.float64: 1e-10, torch.float16: 0.02}[dtype]
    assert (data.rotate(images, degrees) - expected).abs().max() <= bound


def test_rotate_reads_the_nearest_pixel_as_torchvision_does(digits):
    """But for ties, which rounding decides."""
    images = digits[0][:50]
    for degrees in (17.3, -71.9):
        theirs = rotate(images, degrees)  # nearest is its default
        same = data.rotate(images, degrees, mode="nearest") == theirs
        assert same.float().mean() > 0.999
    turned, angles = data.random_rotation(90, "nearest")(images, torch.Generator().manual_seed(0))
    assert torch.equal(turned, data.rotate(images, angles, "nearest"))
    assert set(turned.unique().tolist()) <= {0.0, *images.unique().tolist()}


def test_rotate_takes_an_angle_for_each_image(digits):
    images, angles = digits[0][:3], torch.tensor([10.0, -20.0, 180.0])
    each = torch.cat([data.rotate(images[i : i + 1], angles[i].item()) for i in range(3)])
    assert torch.allclose(data.rotate(images, angles), each, atol=1e-5)


def test_rescale_makes_larger_and_smaller(digits):
    images = digits[0][:16]
    half = data.rescale(images, 0.5)
    assert torch.allclose(half[..., 7:21, 7:21], avg_pool2d(images, 2), atol=1e-5)
    assert half[..., :6, :].max() == 0
    assert data.rescale(images, 1.5).sum() > images.sum() * 1.5


def test_random_rotation_tells_its_angles(digits):
    images = digits[0][:500]
    distort = data.random_rotation(60)
    turned, degrees = distort(images, torch.Generator().manual_seed(1))
    assert degrees.abs().max() <= 60
    assert degrees.min() < -50 and degrees.max() > 50
    assert torch.allclose(turned, data.rotate(images, degrees), atol=1e-6)
    again, _ = distort(images, torch.Generator().manual_seed(1))
    assert torch.equal(turned, again)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (-2, "factor must be above 0; got -2.0"),
        (
            torch.tensor([1.0, math.nan, 2.0, 0.0, 3.0]),
            "factor must be above 0; got 0, less or NaN in 2 of 5, the first at index 1: nan",
        ),
    ],
)
def test_a_wrong_factor_is_named_without_the_batch(factor, words):
    with pytest.raises(ValueError) as caught:
        data.rescale(torch.zeros(5, 1, 9, 4), factor)
    assert str(caught.value) == words


ONE = torch.zeros(1, 1, 28, 28)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: data.load_mnist("valid"), ValueError, "'valid'"),
        (lambda: data.to_float(ONE), TypeError, "torch.float32"),
        (lambda: data.to_float(ONE.byte()), TypeError, r"\(1, 1, 28, 28\)"),
        (lambda: data.rotate(ONE.byte(), 3), TypeError, "torch.uint8"),
        (lambda: data.rotate(ONE[..., :20], 3), ValueError, r"\(1, 1, 28, 20\)"),
        (lambda: data.rotate(ONE, torch.zeros(3)), ValueError, r"\(1,\).*\(3,\)"),
        (lambda: data.rotate(ONE, 3, mode="cubic"), ValueError, "'cubic'"),
        (lambda: data.rescale(ONE, 0.0), ValueError, "0"),
        (lambda: next(data.batches(ONE, torch.zeros(2), 1)), ValueError, "1 and 2"),
        (lambda: next(data.batches(ONE[:0], ONE[:0], 1)), ValueError, "0 and 0"),
        (lambda: next(data.batches(ONE, ONE, 0)), ValueError, "got 0"),
        (lambda: next(data.batches(ONE, ONE, 1.5)), TypeError, "1.5"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
