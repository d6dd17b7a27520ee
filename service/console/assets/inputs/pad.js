// A pad to draw on, white on black, with a mouse, a finger or a pen. What is drawn is scaled to 20 of 28 parts of the
// picture and set with its centre of mass in the middle, as MNIST was made and so as models of digits know it.

import { bytes, surface } from "../pictures.js";

const BRUSH = 0.14; // of the pad
const INNER = 20 / 28;
const LINE = 0.15; // of that

export function pad(canvas, { width, height }, drawn) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let strokes = [];
  let pen = null; // the stroke under way

  function clear() {
    strokes = [];
    pen = null;
    context.fillStyle = "black";
    context.fillRect(0, 0, canvas.width, canvas.height);
    canvas.parentElement.classList.add("empty");
  }

  function point(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  }

  function follow(event) {
    pen.push(point(event));
    line(context, pen.slice(-2), canvas.width * BRUSH);
  }

  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    canvas.parentElement.classList.remove("empty");
    pen = [point(event)];
    strokes.push(pen);
    follow(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (pen) (event.getCoalescedEvents?.() || [event]).forEach(follow);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (!pen) return;
      pen = null;
      drawn(bytes(settled(strokes, width, height)));
    });
  }
  canvas.closest("figure").querySelector(".clear").addEventListener("click", () => {
    clear();
    drawn(null);
  });
  clear();
  return { clear };
}

// The drawing in the model's size, scaled and centred, its lines of one thickness, however small it was drawn.
function settled(strokes, width, height) {
  const [w, h] = [width * INNER, height * INNER];
  const thick = LINE * Math.min(w, h);
  const ink = bounds(strokes.flat());
  const scale = Math.min((w - thick) / ink.width, (h - thick) / ink.height);
  const set = (x, y) => {
    const [small, context] = surface(width, height);
    context.fillStyle = "black";
    context.fillRect(0, 0, width, height);
    context.setTransform(scale, 0, 0, scale, x - ink.x * scale, y - ink.y * scale);
    strokes.forEach((points) => line(context, points, thick / scale));
    return small;
  };
  const [x, y] = [width / 2, height / 2];
  const middle = centre(set(x, y));
  return set(x + Math.round(x - middle.x), y + Math.round(y - middle.y));
}

function line(context, [first, ...points], lineWidth) {
  Object.assign(context, { strokeStyle: "white", lineWidth, lineCap: "round", lineJoin: "round" });
  context.beginPath();
  context.moveTo(...first);
  points.forEach((point) => context.lineTo(...point));
  context.stroke();
}

// The middle and the size of a box around the points.
function bounds(points) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const [x, y] of points) {
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  }
  const [width, height] = [box.right - box.left, box.bottom - box.top];
  return { x: box.left + width / 2, y: box.top + height / 2, width: Math.max(1, width), height: Math.max(1, height) };
}

// The centre of mass.
function centre(canvas) {
  const grey = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let [mass, x, y] = [0, 0, 0];
  for (let at = 0; at < grey.length / 4; at += 1) {
    mass += grey[4 * at];
    x += grey[4 * at] * ((at % canvas.width) + 0.5);
    y += grey[4 * at] * (Math.floor(at / canvas.width) + 0.5);
  }
  return mass ? { x: x / mass, y: y / mass } : { x: canvas.width / 2, y: canvas.height / 2 };
}
