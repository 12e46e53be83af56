// Numbers that Python sent, and how far two lots of them are apart.

/** The float32 numbers in bytes. */
export function toNumbers({ buffer, byteOffset, byteLength }) {
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** The largest difference between two lists of values from 0 to 1, in words, in grey levels. */
export function agreement(ours, theirs) {
  let largest = 0;
  ours.forEach((value, at) => (largest = Math.max(largest, Math.abs(value - theirs[at]))));
  return `${largest < 1 / 255 ? "agrees" : "differs"}: ${(255 * largest).toFixed(3)} of 255`;
}
