"""Frees the widgets of a cell that runs again; ipywidgets keeps every widget that is not closed."""

from collections.abc import Sequence
from weakref import WeakSet

import ipywidgets
from IPython import get_ipython
from ipywidgets.widgets.widget import _instances

KEPT = WeakSet()  # every widget that some cell has made or shown


class FreedWithCells:
    """Mixed into a widget that is freed when all cells that made or showed it have run again.

    Freed, it keeps its state and its listeners, and it comes back when a cell shows it again: a
    learner may have kept it in a variable. Only `close` is for good. Where the page does not tell
    which cell runs, `close` alone frees.
    """

    hidden: Sequence[ipywidgets.Widget] = ()  # parts that are not displayed

    def __init__(self, **options):
        self._cells: set[str] = set()
        super().__init__(**options)
        keep(self)

    def _repr_mimebundle_(self, **options):
        keep(self)
        if self.comm is None:
            self._open_again()
        return super()._repr_mimebundle_(**options)

    def _open_again(self) -> None:
        for whole in (self, *self.hidden):
            for part in reversed(descendants(whole)):  # a widget names its children to the page
                vars(part).pop("_repr_mimebundle_", None)
                part.open()

    def free(self) -> None:
        """Take every part from the page."""
        for part in parts(self):
            if part is not self:
                part.close()
        super().close()
        vars(self).pop("_repr_mimebundle_", None)  # ipywidgets has switched it off

    def close(self) -> None:
        """Free every part for good, and whatever listened to it."""
        for part in parts(self):
            part.unobserve_all()
        self.free()
        self._repr_mimebundle_ = None  # shown again, it is a line of text


def parts(widget: FreedWithCells) -> list[ipywidgets.Widget]:
    """The widget with all that it holds, hidden ones too."""
    return [part for whole in (widget, *widget.hidden) for part in descendants(whole)]


def descendants(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    """The widget itself and all that it holds, at any depth, with layouts and styles."""
    found = [widget]
    for child in getattr(widget, "children", ()):
        found += descendants(child)
    looks = [getattr(widget, name, None) for name in ("layout", "style")]
    return found + [look for look in looks if isinstance(look, ipywidgets.Widget)]


def keep(widget: FreedWithCells) -> None:
    """The running cell, if there is one, has made or shows the widget."""
    if (cell := running_cell()) is not None:
        widget._cells.add(cell)
        KEPT.add(widget)
        get_ipython().events.register("pre_run_cell", free_what_the_cell_had)  # once, in effect


def free_what_the_cell_had(_) -> None:
    """A cell begins to run: what it had made or shown is gone from the page, unless others show it.

    A widget that a learner has put into a box of their own waits for the box to be closed.
    """
    cell = running_cell()
    for widget in [w for w in KEPT if cell in w._cells and not boxed(w)]:
        widget._cells.discard(cell)
        if not widget._cells:
            widget.free()


def boxed(widget: ipywidgets.Widget) -> bool:
    """Whether an open widget has this one as its child."""
    return any(widget in getattr(other, "children", ()) for other in list(_instances.values()))


def running_cell() -> str | None:
    """The id of the cell that runs; None outside of a cell, and where the page tells no ids."""
    shell = get_ipython()
    if not hasattr(shell, "get_parent"):  # no kernel
        return None
    return shell.get_parent().get("metadata", {}).get("cellId")
