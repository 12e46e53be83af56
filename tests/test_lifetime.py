"""Labs and quizzes in a real kernel, whose cells run again: what is freed, and what must live."""

import json

import pytest
from jupyter_client.manager import start_new_kernel

SETUP = """
import ipywidgets, torch
from ipywidgets.widgets.widget import _instances
from stn_course import models, training
from stn_course.widgets import FindLab, Monitor, PilotLab, Quiz, ReplayLab, SamplerLab
from stn_course.widgets import ThetaLab, WarpLab
image = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))
"""


class Page:
    """A kernel, and cells with ids, as a page of JupyterLab sends them."""

    def __init__(self, client):
        self.client = client

    def run(self, cell: str, code: str) -> str:
        """Run a cell; what it printed."""
        message = self.client.session.msg("execute_request", request(code))
        message["metadata"]["cellId"] = cell
        self.client.shell_channel.send(message)
        printed = []
        while True:
            reply = self.client.get_iopub_msg(timeout=120)
            if reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            assert reply["msg_type"] != "error", "\n".join(reply["content"]["traceback"])
            if reply["msg_type"] == "stream":
                printed.append(reply["content"]["text"])
            if reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
                return "".join(printed)

    def value(self, expression: str):
        """What a Python expression is, asked in a cell of its own."""
        return json.loads(self.run("asking", f"import json; print(json.dumps({expression}))"))

    def widgets(self) -> int:
        """How many widgets the kernel holds."""
        return self.value("len(_instances)")


def request(code: str) -> dict:
    return {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }


def hand(lab: str, theta: list[float]) -> str:
    """What the browser reports when a hand has moved a lab."""
    return f"{lab}.canvas.set_state({{'state': {lab}.state | {{'theta': {theta}, 'by': 0}}}})"


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel()
    page = Page(client)
    page.run("setup", SETUP)
    yield page
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def page(kernel):
    """The kernel, with no widget left from the test before."""
    kernel.run("cleaning", "ipywidgets.Widget.close_all()")
    return kernel


@pytest.mark.parametrize(
    "code",
    [
        "lab = ThetaLab(image)\nlab",
        "ThetaLab(image)",
        "lab = ThetaLab(image)",
        "labs = [ThetaLab(image), ThetaLab(image)]\ndisplay(*labs)",
        "from stn_course.widgets import ThetaLab\nThetaLab(image)",
        "Quiz('zoom')",
        "Monitor()",
        "SamplerLab(image)",
        "WarpLab(image)",
        "ReplayLab(training.load_recording())",
        "straightener, digits = models.load_straightener(), torch.rand(2, 1, 28, 28)\n"
        "PilotLab(digits, torch.tensor([0, 1]), models.PlainNet(), straightener)",
        "finder, pictures = models.load_trained('clutter_transformer'), torch.rand(2, 1, 60, 60)\n"
        "FindLab(pictures, torch.tensor([0, 1]), models.PlainNet(), finder)",
    ],
)
def test_a_cell_that_runs_ten_times_holds_the_widgets_of_one_run(page, code):
    page.run("a", code)
    once = page.widgets()
    assert once > 0
    for _ in range(10):
        page.run("a", code)
    assert page.widgets() == once


def test_a_lab_shown_by_another_cell_lives_until_that_one_runs_again(page):
    page.run("a", "lab = ThetaLab(image)")
    page.run("b", "lab")
    page.run("c", "lab")
    page.run("keep", "first = lab")
    one = page.widgets()
    page.run("a", "lab = ThetaLab(image)")
    page.run("b", "lab")
    assert page.value("first.comm is not None and first.canvas.comm is not None")
    page.run("c", "lab")
    assert page.value("first.comm is None and first.canvas.comm is None")
    assert page.widgets() == one


def test_a_lab_shown_again_by_its_own_cell_lives(page):
    page.run("a", "lab = ThetaLab(image)\nlab")
    once = page.widgets()
    page.run("a", "lab.theta = [[0.5, 0, 0], [0, 1, 0]]\nlab")
    assert page.widgets() == once
    page.run("hand", hand("lab", [0.5, 0, 0.4, 0, 1, 0]))
    assert page.value("lab.theta[0, 0, 2].item()") == pytest.approx(0.4)


def test_a_freed_lab_that_was_kept_comes_back_when_it_is_shown(page):
    page.run("a", "lab = ThetaLab(image)\nlab.theta = [[0.5, 0, 0], [0, 1, 0]]\nlab")
    once = page.widgets()
    page.run("keep", "kept = lab")
    page.run("a", "lab = None")
    assert page.widgets() == 0
    page.run("b", "kept")
    assert page.widgets() == once
    assert page.value("kept.theta[0, 0, 0].item()") == 0.5
    page.run("hand", hand("kept", [0.5, 0, 0.25, 0, 1, 0]))
    assert page.value("kept.theta[0, 0, 2].item()") == 0.25


def test_a_lab_in_a_box_that_is_still_open_lives(page):
    page.run("a", "lab = ThetaLab(image)")
    page.run("b", "box = ipywidgets.HBox([lab])\nbox")
    page.run("keep", "first = lab")
    page.run("a", "lab = ThetaLab(image)")
    assert page.value("first.comm is not None")
    page.run("b", "box.close()")
    page.run("a", "lab = ThetaLab(image)")
    assert page.value("first.comm is None")


def test_a_closed_lab_stays_closed(page):
    page.run("a", "lab = ThetaLab(image)\nlab")
    page.run("b", "lab.close()\nlab")
    assert page.widgets() == 0


def test_a_freed_monitor_can_still_be_given_to_fit(page):
    page.run("a", "monitor = Monitor()")
    page.run("a", "monitor.paint()")
    assert page.widgets() == 0
    page.run("b", "from stn_course.widgets.monitor import hear_while_busy")
    page.run("b", "hear_while_busy(monitor.stop)")


def test_a_cell_without_an_id_frees_nothing(page):
    """A page that tells no ids, as a terminal does not: only `close` frees."""
    for _ in range(2):
        page.client.execute_interactive("ThetaLab(image)", output_hook=lambda _: None, timeout=60)
    twice = page.widgets()
    page.client.execute_interactive("ThetaLab(image)", output_hook=lambda _: None, timeout=60)
    assert page.widgets() == twice + twice // 2
