"""The JavaScript libraries of the site, brought by npm: exact versions, with their licences."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path

import anywidget

CACHE = Path(__file__).resolve().parents[2] / "build" / "npm"


class NotBrought(RuntimeError):
    """What a site needs cannot be brought."""


@dataclass(frozen=True)
class Library:
    """A package of npm: the digest is that of its archive, and the licence that of its authors."""

    name: str
    version: str
    sha256: str
    licence: str

    @property
    def folder(self) -> Path:
        """Where its files lie once it was brought."""
        return CACHE / self.archive.removesuffix(".tgz")

    @property
    def archive(self) -> str:
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


HTML_MANAGER = Library(
    name="@jupyter-widgets/html-manager",
    version="1.0.15",
    sha256="2b9d65cb7913e1c7d671757a10008b32c9c2448d4429513371e55c07d6107638",
    licence="BSD-3-Clause, Jupyter Development Team",
)
REQUIREJS = Library(
    name="requirejs",
    version="2.3.7",
    sha256="31f3330c978fb28684622fe71165dc946432cf0210b2ea8a1ca0233e70f2737d",
    licence="MIT, jQuery Foundation and other contributors",
)
MATHJAX = Library(
    name="mathjax",
    version="3.2.2",
    sha256="1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09",
    licence="Apache-2.0, The MathJax Consortium",
)
LIBRARIES = (HTML_MANAGER, REQUIREJS, MATHJAX)


def bring() -> None:
    """Fetch and unpack what is not here yet; NotBrought says in a sentence why it could not."""
    missing = [library for library in LIBRARIES if not library.folder.exists()]
    if not missing:
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NotBrought(
            "`make site` needs npm, which comes with Node.js, and there is none on PATH."
        )
    CACHE.mkdir(parents=True, exist_ok=True)
    for library in missing:
        fetch(npm, library)
        unpack(library)


def fetch(npm: str, library: Library) -> None:
    """Bring one archive into the cache."""
    command = [npm, "pack", "--silent", f"--pack-destination={CACHE}"]
    command += [f"{library.name}@{library.version}"]
    done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True)
    if done.returncode != 0:
        raise NotBrought(
            f"npm could not bring {library.name} {library.version}: {done.stderr.strip()}"
        )


def unpack(library: Library) -> None:
    """Unpack one archive, if it is the one that was meant."""
    archive = CACHE / library.archive
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != library.sha256:
        raise NotBrought(f"{library.archive} is not what it was: its SHA-256 is {found}.")
    with tempfile.TemporaryDirectory(dir=CACHE) as part, tarfile.open(archive) as content:
        content.extractall(part, filter="data")
        Path(part, "package").rename(library.folder)


def put(folder: Path) -> None:
    """Copy into the site's assets what the labs load, and the licences."""
    shutil.copy(HTML_MANAGER.folder / "dist" / "embed-amd.js", folder)
    shutil.copy(REQUIREJS.folder / "require.js", folder)
    amd = Path(anywidget.__file__).parent / "nbextension" / "index.js"  # its own AMD build
    shutil.copy(amd, folder / "anywidget.js")
    icons = folder.parent / "@jupyter-widgets"  # where html-manager looks for a player's icons
    icons.mkdir()
    for font in (HTML_MANAGER.folder / "dist").glob("*.woff2"):
        shutil.copy(font, icons)
    put_licences(folder / "licences")


def put_licences(folder: Path) -> None:
    """Each library's name, version and licence, and the licences' own texts where they come."""
    folder.mkdir()
    table = [f"{lib.name} {lib.version}: {lib.licence}" for lib in LIBRARIES]
    for package in ("ipywidgets", "anywidget"):  # html-manager is a part of ipywidgets
        (text,) = [f for f in files(package) if f.name == "LICENSE"]
        shutil.copy(text.locate(), folder / f"{package}.txt")
    shutil.copy(MATHJAX.folder / "LICENSE", folder / "mathjax.txt")
    shutil.copy(HTML_MANAGER.folder / "dist" / "embed.js.LICENSE.txt", folder / "html-manager.txt")
    table += ["anywidget: MIT, Trevor Manz", "MathJax has drawn the formulas; it is not here."]
    (folder / "README.txt").write_text("\n".join([*table, ""]), encoding="utf-8")
