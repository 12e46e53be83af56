"""Sphinx's settings for the API pages, which `make api` writes into build/api."""

from stn_course import __version__

project = "stn_course"
version = release = __version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
autodoc_default_options = {"members": True, "member-order": "bysource"}
autosummary_generate = False
napoleon_use_ivar = True
napoleon_attr_annotations = False  # the signature has them
smartquotes_action = "D"  # dashes; the quotation marks stay, for H' is none
default_role = "py:obj"  # `warp` leads to warp
add_module_names = False
python_maximum_signature_line_length = 80
html_theme = "furo"
html_title = f"stn_course {version}"
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_show_copyright = html_show_sourcelink = False
html_show_search_summary = False  # a page opened as a file may not read the others


def is_explained_above(app, what, name, thing, skip, options) -> bool | None:
    """The fields of a NamedTuple stand in its own docstring."""
    return True if type(thing).__name__ == "_tuplegetter" else None


def readable(app, what, name, thing, options, signature, returns) -> tuple:
    """Without <factory>, as a dataclass writes defaults that are made anew: no Python, no parse."""
    return signature and signature.replace("<factory>", "..."), returns


def setup(app) -> None:
    app.connect("autodoc-skip-member", is_explained_above)
    app.connect("autodoc-process-signature", readable)
