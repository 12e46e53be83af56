"""Notebooks' files read, and whatever else a file may hold refused in one way."""

import nbformat
import pytest

from stn_course.notebook_file import read_notebook


def test_a_notebook_is_read():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('ü')")])
    assert read_notebook(nbformat.writes(notebook).encode()) == notebook


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"3", b"null", b"{}", b"\xff\xfe", b'{"nbformat": 99, "cells": []}'),
        *(b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',),
        *(b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 3}',),
    ],
)
def test_what_is_no_notebook_is_a_value_error_of_one_line(content):
    with pytest.raises(ValueError, match=r"^this is no readable notebook: .+$") as caught:
        read_notebook(content)
    assert "\n" not in str(caught.value)
