// Keys pressed at the course's own controls are not for the notebook, where x cuts the cell, and an
// arrow walks to the next one. Jupyter Notebook 7 takes them before the control hears them; neither
// it nor JupyterLab does where the control has this attribute. What runs or saves is left to them.

const OURS = "data-lm-suppress-shortcuts";

/** Keep keys from the notebook at all that can have the focus in `root`, until the signal. */
export function keepKeys(root, signal) {
  const keep = ({ target, key, ctrlKey, metaKey, altKey, shiftKey }) => {
    const notebooks = ctrlKey || metaKey || altKey || (shiftKey && key === "Enter");
    if (root.contains(target)) target.toggleAttribute(OURS, !notebooks);
  };
  window.addEventListener("keydown", keep, { capture: true, signal });
}
