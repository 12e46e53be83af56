// A picture of the reader's own, from a file or a phone's camera. It never leaves the browser.

/** A picture's file as an image of geometry.js, at most so many pixels to a side, on white. */
async function readImage(file, largest) {
  const picture = await createImageBitmap(file); // upright, whichever way the camera was held
  const reduced = Math.min(1, largest / Math.max(picture.width, picture.height));
  const sides = [picture.height, picture.width];
  const [rows, columns] = sides.map((side) => Math.max(1, Math.round(reduced * side)));
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const context = canvas.getContext("2d");
  Object.assign(context, { fillStyle: "white", imageSmoothingQuality: "high" });
  context.fillRect(0, 0, columns, rows);
  context.drawImage(picture, 0, 0, columns, rows);
  const { data } = context.getImageData(0, 0, columns, rows);
  const places = rows * columns;
  const values = Float32Array.from({ length: 3 * places }, (_, at) => {
    return data[4 * (at % places) + Math.floor(at / places)] / 255;
  });
  return { channels: 3, rows, columns, values };
}

/** Let the reader choose a picture: taken(image, its name), or refused(why, in words). */
export function chooseImage(largest, taken, refused) {
  const entry = Object.assign(document.createElement("input"), { type: "file", accept: "image/*" });
  entry.addEventListener("change", async () => {
    const [file] = entry.files;
    try {
      taken(await readImage(file, largest), file.name);
    } catch {
      refused(`${file.name} is no picture that this browser can read.`);
    }
  });
  entry.click();
}
