"""Which cells of a notebook need which: found in their text, by the names they bind and use.

Names are all that is followed. A cell that changes an object in place is not seen to do so.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from symtable import Symbol, SymbolTable, symtable

import nbformat
from nbformat import NotebookNode

TRAINING = {"fit", "train_epoch"}  # calling one of these is what takes long


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def symbols(table: SymbolTable) -> Iterator[tuple[SymbolTable, Symbol]]:
    """All symbols of a text, each with the scope that it stands in."""
    yield from ((table, symbol) for symbol in table.get_symbols())
    for child in table.get_children():
        yield from symbols(child)


def used(cell: NotebookNode) -> set[str]:
    """The notebook's names that a cell reads, inside its functions, too."""
    found = symbols(symtable(cell.source, "cell", "exec"))
    return {
        symbol.get_name()
        for table, symbol in found
        if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global())
    } - comprehensions_own(cell)


def bound(cell: NotebookNode) -> set[str]:
    """The names that a cell leaves behind."""
    found = symtable(cell.source, "cell", "exec").get_symbols()
    left = {s.get_name() for s in found if s.is_assigned() or s.is_imported() or s.is_namespace()}
    return left - comprehensions_own(cell)


def comprehensions_own(cell: NotebookNode) -> set[str]:
    """The names that comprehensions alone bind: from Python 3.12 on the cell's table has them."""
    nodes = list(ast.walk(ast.parse(cell.source)))
    loops = [n.target for n in nodes if isinstance(n, ast.comprehension)]
    inner = {id(name) for target in loops for name in ast.walk(target)}
    names = [n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return {n.id for n in names} - {n.id for n in names if id(n) not in inner}


def trains(cell: NotebookNode) -> bool:
    """Whether a cell calls a training outside the functions that it defines."""
    statements = [n for n in ast.parse(cell.source).body if not isinstance(n, ast.FunctionDef)]
    calls = (node for part in statements for node in ast.walk(part) if isinstance(node, ast.Call))
    return any(getattr(c.func, "attr", getattr(c.func, "id", "")) in TRAINING for c in calls)


def without_training(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells that neither train nor use what a training left behind, in order."""
    missing: set[str] = set()
    kept = []
    for cell in code_cells(notebook):
        if trains(cell) or used(cell) & missing:
            missing |= bound(cell)
        else:
            missing -= bound(cell)
            kept.append(cell)
    return kept


def needed(notebook: NotebookNode, asked: Callable[[NotebookNode], bool]) -> list[NotebookNode]:
    """The cells asked for, and all before them that bind what they use, in order."""
    unbound: set[str] = set()
    kept = []
    for cell in reversed(code_cells(notebook)):
        if asked(cell) or bound(cell) & unbound:
            unbound = (unbound - bound(cell)) | used(cell)
            kept.insert(0, cell)
    return kept


def leave(path: Path, text: str) -> None:
    """Leave of a stored notebook the cells with that text, and what they need."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = needed(notebook, lambda cell: text in cell.source)
    assert notebook.cells, f"no cell of {path.name} holds {text!r}"
    nbformat.write(notebook, path)
