"""A notebook with all labs, each quickly made: for a page of the site, and for Jupyter."""

import nbformat

SETUP = """
import torch
from stn_course import clutter, data, models, training, transforms
from stn_course.widgets import FindLab, PilotLab, ReplayLab, SamplerLab, ThetaLab, WarpLab

images, labels = (part[:2] for part in data.load_digits("test"))
pictures, _ = clutter.random_clutter()(images, torch.Generator().manual_seed(0))

class LooksUpwards(torch.nn.Module):
    theta = None
    def forward(self, pictures):
        self.theta = transforms.attention(0.5, y=-0.4).expand(len(pictures), 2, 3)
        return pictures
"""
LABS = {
    "ThetaLab": "ThetaLab(images[0])",
    "SamplerLab": "SamplerLab(images[0])",
    "PilotLab": "PilotLab(images, labels, models.PlainNet(), LooksUpwards())",
    "ReplayLab": "ReplayLab(training.load_recording())",
    "FindLab": "FindLab(pictures, labels, models.PlainNet(), LooksUpwards())",
    "WarpLab": "WarpLab(images[0])",
}


def notebook(*names: str) -> nbformat.NotebookNode:
    """One that shows the labs of these names; all of them without any."""
    shown = nbformat.v4.new_output("display_data", {"text/plain": "a lab"})  # a page's place for it
    cells = [nbformat.v4.new_code_cell(LABS[name], outputs=[shown]) for name in names or LABS]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    made = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    made.cells = [nbformat.v4.new_code_cell(SETUP), *cells]
    return made
