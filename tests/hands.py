"""Hands that move a lab in a page: by keyboard, with the mouse, with a finger."""

PICTURE = "canvas => canvas.toDataURL()"


def middle(part) -> tuple[float, float]:
    box = part.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def press_an_arrow(page, grip) -> None:
    grip.focus()
    page.keyboard.press("ArrowLeft")  # a slider may stand at its right end


def drag(page, grip) -> None:
    x, y = middle(grip)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 5, steps=4)
    page.mouse.up()


def swipe(page, grip) -> None:
    """What a finger does; Playwright itself only taps."""
    finger, (x, y) = page.context.new_cdp_session(page), middle(grip)
    touch = {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
    finger.send("Input.dispatchTouchEvent", touch)
    for step in range(1, 5):
        touch = {"type": "touchMove", "touchPoints": [{"x": x - 10 * step, "y": y + 2 * step}]}
        finger.send("Input.dispatchTouchEvent", touch)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def assert_moves(page, canvas, grip, hands=(press_an_arrow, drag, swipe)) -> None:
    """Each kind of hand changes the picture."""
    for hand in hands:
        grip.scroll_into_view_if_needed()
        before = canvas.evaluate(PICTURE)
        hand(page, grip)
        changed = f"([canvas, before]) => ({PICTURE})(canvas) !== before"
        page.wait_for_function(changed, arg=[canvas.element_handle(), before], timeout=10_000)
