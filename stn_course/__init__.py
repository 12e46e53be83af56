"""Helpers for the course on spatial transformer networks; the package is the course's answer key.

Importing it is light: torch comes along, matplotlib and ipywidgets do not. The one thing it does
is make `import torchvision` work where torch and torchvision were built for different devices.
"""

from stn_course.torchvision_operators import prepare_torchvision

__version__ = "0.2.0"

prepare_torchvision()
