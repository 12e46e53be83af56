// Puts a page's labs where its template left room for them. html-manager reads what is written here
// as soon as it has loaded; the state comes from a script, for a page in a folder may fetch nothing.

function addJson(parent, kind, value) {
  const script = document.createElement("script");
  script.type = `application/vnd.jupyter.widget-${kind}+json`;
  script.textContent = JSON.stringify(value);
  parent.append(script);
}

const stnLabs = {
  /** Called by the page's own file of state; views: by the id of the cell that shows each lab. */
  show({ state, views }) {
    addJson(document.body, "state", state);
    for (const [cell, view] of Object.entries(views)) {
      const place = document.querySelector(`.lab[data-cell="${cell}"]`);
      place.textContent = "";
      addJson(place, "view", view);
    }
  },
};
