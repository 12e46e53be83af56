"""What a lab gives its canvas, where Python makes its scenes."""

from stn_course.widgets.scene import Handle


def handles(lab) -> dict[str, Handle]:
    return {handle.name: handle for handle in lab.canvas.scene.handles}
