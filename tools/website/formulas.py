"""Formulas typeset by MathJax while the site is made, so that no page needs a script for them."""

import html
import json
import re
import subprocess
from pathlib import Path

from website import libraries

PROGRAM = Path(__file__).with_name("typeset.js")
WAITING = re.compile(r'<span class="tex" data-display="(true|false)">(.*?)</span>', re.DOTALL)


def to_typeset(tex: str, display: bool) -> str:
    """What stands for a formula until the whole page is there."""
    words = html.escape(tex, quote=False)
    return f'<span class="tex" data-display="{str(display).lower()}">{words}</span>'


def typeset(page: str) -> str:
    """A page with its formulas drawn, each with the same in MathML for a screen reader."""
    found = WAITING.findall(page)
    if not found:
        return page
    formulas = [{"tex": html.unescape(tex), "display": d == "true"} for d, tex in found]
    command = ["node", str(PROGRAM), str(libraries.MATHJAX.folder)]
    done = subprocess.run(
        command, input=json.dumps(formulas), capture_output=True, text=True, check=True
    )
    made = json.loads(done.stdout)
    drawn = iter(made["html"])
    page = WAITING.sub(lambda _: next(drawn), page)
    return page.replace("</head>", f"<style>{made['style']}</style></head>")
