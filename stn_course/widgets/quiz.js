// One question, a button for each answer, and below what is to be said of the answer chosen last.
// All of it is here, so that a quiz answers beside a busy kernel and on a page without one.

import { keepKeys } from "./keys.js";

const LETTERS = "ABCDEFGH";
const VERDICTS = { right: "✓ right", wrong: "✗ wrong" };
let quizzes = 0;

function element(kind, className, parent) {
  const made = document.createElement(kind);
  made.className = className;
  parent.append(made);
  return made;
}

function render({ model, el }) {
  const quiz = element("div", "stn-quiz", el);
  const question = element("p", "stn-question", quiz);
  question.id = `stn-question-${++quizzes}`;
  question.innerHTML = `<strong>Quiz.</strong> ${model.get("question")}`;
  quiz.setAttribute("role", "group");
  quiz.setAttribute("aria-labelledby", question.id);

  const buttons = model.get("options").map((option, index) => {
    const button = element("button", "stn-option", quiz);
    button.type = "button";
    element("span", "stn-letter", button).textContent = `${LETTERS[index]}.`;
    element("span", "", button).innerHTML = option;
    element("span", "stn-verdict", button);
    button.addEventListener("click", () => {
      model.set("chosen", [...model.get("chosen"), index]);
      model.save_changes();
    });
    return button;
  });

  // There from the beginning, and only its content changes: so a screen reader says the change.
  const feedback = element("div", "stn-feedback", quiz);
  feedback.setAttribute("role", "status");

  function show() {
    const chosen = model.get("chosen");
    const last = chosen.at(-1);
    buttons.forEach((button, index) => {
      const mark = model.get("right")[index] ? "right" : "wrong";
      button.dataset.mark = chosen.includes(index) ? mark : "";
      button.setAttribute("aria-pressed", String(index === last));
      button.lastChild.textContent = VERDICTS[button.dataset.mark] ?? "";
    });
    const said = last === undefined ? "" : model.get("reasons")[last];
    if (feedback.innerHTML !== said) feedback.innerHTML = said;
  }

  const closed = new AbortController();
  keepKeys(quiz, closed.signal);
  model.on("change:chosen", show);
  show();
  return () => {
    closed.abort();
    model.off("change:chosen", show);
  };
}

export default { render };
