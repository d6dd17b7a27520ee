// A picture with each piece of it painted over in turn, in the size that the model takes.

import { Problem } from "../api.js";
import { mean } from "../arrays.js";
import { fits, source, surface } from "../pictures.js";
import { pointer } from "../pointers.js";
import { over } from "./shades.js";

const LARGE = 128 * 128; // pixels; larger ones go as JPEG, which takes a fifth of the bytes
const EVEN = 24; // of 255: how far most of the edge may lie apart to be one background

export async function open(spec, value) {
  const canvas = await painted(spec, value);
  return { value: encoded(canvas), parts: (most) => patched(canvas, most) };
}

function encoded(canvas) {
  const format = canvas.width * canvas.height > LARGE ? "image/jpeg" : "image/png";
  return canvas.toDataURL(format, 0.92).split(",")[1];
}

// The picture on a canvas, over white, in the model's size; a Problem where the service would refuse it.
async function painted({ name, width, height }, value) {
  const refuse = (detail) => {
    throw new Problem(0, { detail, faults: [{ pointer: pointer(name), detail }] });
  };
  const picture = new Image();
  picture.src = source(value);
  await picture.decode().catch(() => refuse("expected a PNG or JPEG picture"));
  const [its, wide] = [picture.naturalHeight, picture.naturalWidth];
  if (!fits(wide, its, { width, height })) refuse(`expected a picture of ${width} × ${height}, or of that shape, got ${wide} × ${its}`);
  const [canvas, context] = surface(width, height);
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
  return canvas;
}

function patched(canvas, most) {
  const { width, height } = canvas;
  const side = Math.min(width === 28 ? 7 : 8, width, height, Math.floor(Math.sqrt(most)));
  if (side < 2) return { parts: [], note: "It is too large, or too small, to try it piece by piece." };
  const paint = background(canvas);
  const edge = (index, size) => Math.round((index * size) / side);
  const parts = Array.from({ length: side * side }, (_, index) => {
    const [row, column] = [Math.floor(index / side), index % side];
    const [x, y] = [edge(column, width), edge(row, height)];
    const [copy, context] = copied(canvas);
    context.fillStyle = paint.colour;
    context.fillRect(x, y, edge(column + 1, width) - x, edge(row + 1, height) - y);
    return { label: `row ${row + 1}, column ${column + 1}`, value: encoded(copy), done: "painted over" };
  });
  const note = `Pieces of a grid of ${side} × ${side} are painted over with ${paint.name}.`;
  return { parts, note, draw: (results) => over(shown(canvas), results, Array(side).fill(1)) };
}

function copied(canvas) {
  const [copy, context] = surface(canvas.width, canvas.height);
  context.drawImage(canvas, 0, 0);
  return [copy, context];
}

// A copy to look at: a canvas stands in one place only, and this one may be drawn again.
function shown(canvas) {
  const [copy] = copied(canvas);
  copy.className = "why-picture";
  copy.ariaHidden = "true";
  return copy;
}

// What a missing piece is painted with: the background, where the picture's edge has one colour, else its mean colour.
function background(canvas) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const inside = (x, y) => x > 0 && y > 0 && x < width - 1 && y < height - 1;
  const [edge, all] = [[[], [], []], [[], [], []]];
  for (let index = 0; index < data.length; index += 4) {
    const at = index / 4;
    for (const channel of [0, 1, 2]) {
      all[channel].push(data[index + channel]);
      if (!inside(at % width, Math.floor(at / width))) edge[channel].push(data[index + channel]);
    }
  }
  const even = edge.every((levels) => share(levels, 0.9) - share(levels, 0.1) <= EVEN);
  const colour = even ? edge.map((levels) => share(levels, 0.5)) : all.map((levels) => Math.round(mean(levels)));
  return { colour: `rgb(${colour.join(" ")})`, name: even ? "the colour of its edge" : "its mean colour" };
}

// The level that this share of them does not exceed.
const share = (levels, part) => levels.toSorted((one, other) => one - other)[Math.floor(part * (levels.length - 1))];
