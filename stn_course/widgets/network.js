// The forward pass of a small CNN, as far as the course's networks need it. network.py takes a
// PyTorch network apart into these layers; tests hold the answers against PyTorch's.
//
// What one layer hands to the next is { values, shape }: numbers, and [channels, height, width], or
// [length] after the maps were flattened.

import { toNumbers } from "./numbers.js";

/** Pool each square of side × side places; rows and columns that fill no square are left out. */
function pool({ values, shape: [channels, height, width] }, side, start, join) {
  const [rows, columns] = [Math.floor(height / side), Math.floor(width / side)];
  const made = new Float32Array(channels * rows * columns).fill(start);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < rows * side; y++) {
      const above = (channel * rows + Math.floor(y / side)) * columns;
      for (let x = 0; x < columns * side; x++) {
        const at = above + Math.floor(x / side);
        made[at] = join(made[at], values[(channel * height + y) * width + x]);
      }
    }
  }
  return { values: made, shape: [channels, rows, columns] };
}

/** One for each kind of layer in network.py: from a value and the layer's numbers to a value. */
const layerKinds = {
  // Each weight meets a shifted copy of its map: the innermost loop runs along a row.
  convolution({ values, shape: [channels, height, width] }, { weight, bias, side }) {
    const [rows, columns] = [height - side + 1, width - side + 1];
    const made = new Float32Array(bias.length * rows * columns);
    bias.forEach((value, map) => {
      const own = made.subarray(map * rows * columns, (map + 1) * rows * columns).fill(value);
      for (let tap = 0; tap < channels * side * side; tap++) {
        const factor = weight[map * channels * side * side + tap];
        const [channel, down] = [Math.floor(tap / side / side), Math.floor(tap / side) % side];
        for (let row = 0; row < rows; row++) {
          const from = (channel * height + row + down) * width + (tap % side);
          const to = row * columns;
          for (let x = 0; x < columns; x++) own[to + x] += factor * values[from + x];
        }
      }
    });
    return { values: made, shape: [bias.length, rows, columns] };
  },

  maxPooling: (value, { side }) => pool(value, side, -Infinity, Math.max),

  averagePooling(value, { side }) {
    const sums = pool(value, side, 0, (sum, next) => sum + next);
    return { ...sums, values: sums.values.map((sum) => sum / (side * side)) };
  },

  // A factor and a shift for each channel: batch normalisation that has learned, too.
  scaling({ values, shape }, { weight, bias }) {
    const size = values.length / shape[0]; // of a channel
    const scaled = (value, at) => value * weight[(at / size) | 0] + bias[(at / size) | 0];
    return { values: values.map(scaled), shape };
  },

  relu: ({ values, shape }) => ({ values: values.map((value) => Math.max(value, 0)), shape }),

  flatten: ({ values }) => ({ values, shape: [values.length] }),

  linear({ values }, { weight, bias }) {
    const made = bias.map((value, row) => {
      let sum = value;
      for (let i = 0; i < values.length; i++) sum += weight[row * values.length + i] * values[i];
      return sum;
    });
    return { values: made, shape: [made.length] };
  },

  logSoftmax({ values, shape }) {
    const most = Math.max(...values); // taken off first, or exp would overflow
    const total = values.reduce((sum, value) => sum + Math.exp(value - most), 0);
    return { values: values.map((value) => value - most - Math.log(total)), shape };
  },
};

/** The network of those layers: a function from a value to the last layer's numbers. */
export function makeNetwork(layers) {
  const ready = layers.map(({ weight, bias, ...layer }) =>
    weight ? { ...layer, weight: toNumbers(weight), bias: toNumbers(bias) } : layer,
  );
  return (value) => ready.reduce((now, layer) => layerKinds[layer.kind](now, layer), value).values;
}
