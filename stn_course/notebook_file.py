"""A notebook's file, whatever a learner or another program has made of it."""

import nbformat

NO_NOTEBOOK = (ValueError, AttributeError, TypeError, KeyError, nbformat.ValidationError)


def read_notebook(content: bytes) -> nbformat.NotebookNode:
    """The notebook in a file's bytes, in format 4; ValueError if it is none, or damaged."""
    try:
        return nbformat.reads(content.decode(), as_version=4)
    except NO_NOTEBOOK as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise ValueError(f"this is no readable notebook: {lines[0]}") from error
