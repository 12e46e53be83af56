"""The lists to choose from that several labs have: how to sample, and on which device."""

from collections.abc import Iterable

import ipywidgets

from stn_course.device import available_devices, choose_device
from stn_course.samplers import MODES, PADDING_MODES
from stn_course.validation import check_choice

STYLE, WIDTH = {"description_width": "initial"}, {"width": "auto"}


def choice(label: str, options: Iterable, value) -> ipywidgets.Dropdown:
    """A list to choose from; ValueError naming the choices where the value is none of them."""
    options = list(options)
    check_choice(label, value, [o[1] if isinstance(o, tuple) else o for o in options])
    return ipywidgets.Dropdown(
        options=options, value=value, description=label, style=STYLE, layout=WIDTH
    )


def device_choice(device: str | None) -> ipywidgets.Dropdown:
    """The devices of this machine; the first as `choose_device` says."""
    return choice("device", available_devices(), choose_device(device).type)


def sampling_choices(
    mode: str, padding_mode: str, align_corners: bool, device: str | None
) -> dict[str, ipywidgets.Dropdown]:
    """The choices of `grid_sample`, and the device."""
    return {
        "mode": choice("mode", MODES, mode),
        "padding_mode": choice("padding_mode", PADDING_MODES, padding_mode),
        "align_corners": choice("align_corners", (False, True), align_corners),
        "device": device_choice(device),
    }


def values_of(choices: dict[str, ipywidgets.Dropdown]) -> dict:
    """What `warp` takes: the choices by name, without the device."""
    return {name: control.value for name, control in choices.items() if name != "device"}
