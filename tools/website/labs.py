"""A notebook's labs, as they are once the cells that they need have run.

Stored notebooks hold no widgets. So the site runs these cells, here in this process, and takes the
labs' state for pages without a kernel.
"""

import ast
import contextlib
import io
import json

from cells import needed
from ipywidgets import Widget
from ipywidgets.embed import dependency_state, embed_data
from nbformat import NotebookNode


def shows_a_lab(cell: NotebookNode) -> bool:
    """Whether a cell makes a lab, by its text."""
    return "Lab(" in cell.source


def live_labs(notebook: NotebookNode) -> dict[str, Widget]:
    """The labs by the ids of the cells that show them; each of their cells runs, in order."""
    names: dict = {"__name__": "__main__"}
    shown = {cell.id: run(cell.source, names) for cell in needed(notebook, shows_a_lab)}
    made = {cell.id for cell in notebook.cells if shows_a_lab(cell)}
    return {id: lab for id, lab in shown.items() if id in made and isinstance(lab, Widget)}


def run(source: str, names: dict):
    """Run a cell's text; what its last line is worth, or None where that is no expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(tree, "a cell", "exec"), names)
        if last is not None:
            return eval(compile(ast.Expression(last.value), "a cell", "eval"), names)


def state_script(labs: dict[str, Widget]) -> str:
    """A script that hands the state of a page's labs to labs.js, and which lab goes where."""
    widgets = list(labs.values())
    state = dependency_state(widgets, drop_defaults=False)  # anywidget knows its view from it
    made = embed_data(views=widgets, state=state)
    views = dict(zip(labs, made["view_specs"], strict=True))
    given = json.dumps({"state": made["manager_state"], "views": views})
    return f"stnLabs.show({given});\n"
