"""The bundled digits: whole, checked, repaired, and the same as torchvision's; batches."""

import gzip
import hashlib
import multiprocessing
import socket
import urllib.request
from importlib import resources

import pytest
import torch

from stn_course import data, files

# torchvision comes after stn_course, which mends its import.
from torchvision.datasets import MNIST  # isort: skip


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
    monkeypatch.setattr(data.bundled.resources, "files", lambda _: tmp_path)
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


ONE = torch.zeros(1, 1, 28, 28)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: data.load_mnist("valid"), ValueError, "'valid'"),
        (lambda: data.to_float(ONE), TypeError, "torch.float32"),
        (lambda: data.to_float(ONE.byte()), TypeError, r"\(1, 1, 28, 28\)"),
        (lambda: next(data.batches(ONE, torch.zeros(2), 1)), ValueError, "1 and 2"),
        (lambda: next(data.batches(ONE[:0], ONE[:0], 1)), ValueError, "0 and 0"),
        (lambda: next(data.batches(ONE, ONE, 0)), ValueError, "got 0"),
        (lambda: next(data.batches(ONE, ONE, 1.5)), TypeError, "1.5"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
