// One question, a button for each answer, and below what Python says of the answer chosen.

const LETTERS = "ABCDEFGH";
const SIGNS = { right: "✓", wrong: "✗" };
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
      model.set("chosen", index);
      model.save_changes();
    });
    return button;
  });

  // There from the beginning, and only its content changes: so a screen reader says the change.
  const feedback = element("div", "stn-feedback", quiz);
  feedback.setAttribute("role", "status");

  function show() {
    buttons.forEach((button, index) => {
      const mark = model.get("marks")[index];
      button.dataset.mark = mark;
      button.setAttribute("aria-pressed", String(model.get("chosen") === index));
      button.lastChild.textContent = mark ? `${SIGNS[mark]} ${mark}` : "";
    });
    if (feedback.innerHTML !== model.get("feedback")) feedback.innerHTML = model.get("feedback");
  }

  const names = ["change:marks", "change:chosen", "change:feedback"];
  names.forEach((name) => model.on(name, show));
  show();
  return () => names.forEach((name) => model.off(name, show));
}

export default { render };
