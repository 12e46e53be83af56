// Formulas as pictures that need no script to be read: node typeset.js FOLDER_OF_MATHJAX
// From stdin a JSON list of { tex, display }, to stdout one of texts of HTML, and the style sheet.

const [folder] = process.argv.slice(2);
const load = ["input/tex", "output/svg", "a11y/assistive-mml"]; // the last for screen readers
const settings = { loader: { load }, svg: { fontCache: "none" } };

async function main() {
  const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const MathJax = await require(`${folder}/es5/node-main.js`).init(settings);
  const { adaptor } = MathJax.startup;
  const html = formulas.map(({ tex, display }) =>
    adaptor.outerHTML(MathJax.tex2svg(tex, { display })),
  );
  const style = adaptor.textContent(MathJax.svgStylesheet());
  process.stdout.write(JSON.stringify({ html, style }));
}

main();
