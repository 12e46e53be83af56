// What every page does: quizzes answer, boxes that scroll can be reached by keyboard, and the labs'
// scripts are fetched when a lab comes near. Classic scripts: modules do not load from a folder.

const ASSETS = new URL(".", document.currentScript.src).href;

/** The part of a widget's model that a quiz, or the front page's lab, needs: without widgets. */
function makeModel(state) {
  const listeners = {};
  return {
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      (listeners[`change:${name}`] ?? []).forEach((listener) => listener());
    },
    on: (name, listener) => (listeners[name] ??= []).push(listener),
    off() {}, // nothing is ever taken from these pages
    save_changes() {}, // there is no kernel to hear of it
  };
}

function startQuiz(el) {
  const state = JSON.parse(el.querySelector("script").textContent);
  stnQuiz.render({ model: makeModel(state), el });
}

/** Bytes as a kernel would have sent them. */
function revive(value) {
  if (value?.base64) {
    return new DataView(Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0)).buffer);
  }
  return value;
}

function startFront(el) {
  const data = JSON.parse(JSON.stringify(stnFront.data), (_, value) => revive(value));
  const state = { theta: [1, 0, 0, 0, 1, 0], parts: null, yours: false };
  stnFront.render({ model: makeModel({ controls: {}, data, state }), el });
}

function makeScrollersFocusable() {
  for (const box of document.querySelectorAll("pre, .table, .figure, mjx-container[display]")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

/** Run a classic script of the assets; fulfilled once it has run. */
function load(file) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(file, ASSETS).href;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${file} did not load`));
    document.head.append(script);
  });
}

/** Where labs stand: their page's own file, which labs.js shows. */
async function startLabs(labs) {
  const page = document.body.dataset.page;
  await load("require.js");
  requirejs.config({ paths: { anywidget: new URL("anywidget", ASSETS).href } });
  await load("labs.js");
  await load(`${page}.labs.js`);
  await load("embed-amd.js");
}

document.querySelectorAll(".quiz").forEach(startQuiz);
document.querySelectorAll(".front-lab").forEach(startFront);
document.querySelector(".map [aria-current]")?.scrollIntoView({ block: "nearest" });
makeScrollersFocusable();
addEventListener("resize", makeScrollersFocusable);
if (matchMedia("(max-width: 75rem)").matches) {
  document.querySelector(".contents details")?.removeAttribute("open");
}

const labs = document.querySelectorAll(".lab[data-cell]");
const watcher = new IntersectionObserver(
  (entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    startLabs().catch((error) => {
      labs.forEach((lab) => (lab.textContent = `The lab cannot be shown here: ${error.message}.`));
    });
  },
  { rootMargin: "600px" },
);
labs.forEach((lab) => watcher.observe(lab));
