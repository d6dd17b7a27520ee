// Pictures as base64, data URLs and canvases.

const MOST_PIXELS = 16_000_000; // that the service takes
const MOST_BYTES = 12_000_000; // which in base64 are 16 MB, as much as a request may be
const ENOUGH = 4; // times the size that the model takes

export function surface(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  return [canvas, context];
}

// A part of a picture, no larger than width × height: halved as long as that leaves enough, so that every pixel counts.
function shrunk(image, { x, y, width, height }, [most, high]) {
  let [canvas, context] = surface(width, height);
  context.drawImage(image, x, y, width, height, 0, 0, width, height);
  while (canvas.width >= 2 * most && canvas.height >= 2 * high) {
    const whole = canvas;
    [canvas, context] = surface(Math.round(whole.width / 2), Math.round(whole.height / 2));
    context.drawImage(whole, 0, 0, canvas.width, canvas.height);
  }
  return canvas;
}

// What a canvas holds as a PNG in base64.
export const bytes = (canvas) => canvas.toDataURL("image/png").split(",")[1];

// A URL for a picture as a row has it: base64, a data URL, or nested pixels.
export function source(picture) {
  if (Array.isArray(picture)) return pixels(picture).toDataURL("image/png");
  const text = String(picture);
  if (text.startsWith("data:")) return text;
  return `data:image/${text.startsWith("/9j/") ? "jpeg" : "png"};base64,${text}`;
}

function pixels(rows) {
  const [canvas, context] = surface(rows[0]?.length || 1, rows.length);
  rows.forEach((row, y) =>
    row.forEach((pixel, x) => {
      context.fillStyle = `rgb(${[pixel, pixel, pixel].map((grey, at) => (Array.isArray(pixel) ? pixel[at] : grey)).join(" ")})`;
      context.fillRect(x, y, 1, 1);
    }),
  );
  return canvas;
}

// Whether the service takes it without a crop: the same aspect ratio, to within a pixel.
export const fits = (width, height, wanted) =>
  Math.abs(width * wanted.height - height * wanted.width) <= Math.max(width, height);

// The middle of a picture, in the size that the model takes.
export function cropped(image, { width, height }) {
  const [canvas, context] = surface(width, height);
  const scale = Math.min(image.naturalWidth / width, image.naturalHeight / height);
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  const box = { x: (image.naturalWidth - w) / 2, y: (image.naturalHeight - h) / 2, width: w, height: h };
  context.fillStyle = "white"; // as the service lays transparent pictures
  context.fillRect(0, 0, width, height);
  context.drawImage(shrunk(image, box, [width, height]), 0, 0, width, height);
  return canvas;
}

// A file in base64: as it is where the service takes it so, else as a PNG, where the browser can read it. `whole` is the
// width and height of what had to be scaled.
export async function encoded(file, wanted) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return { picture: await base64(file) };
  const { width, height } = bitmap;
  const large = width * height > MOST_PIXELS || file.size > MOST_BYTES;
  if (!large && ["image/png", "image/jpeg"].includes(file.type)) return { picture: await base64(file) };
  const scale = large ? scaling(width, height, wanted) : 1;
  const [resizeWidth, resizeHeight] = [width, height].map((side) => Math.round(side * scale) || 1);
  const sent = await createImageBitmap(bitmap, { resizeWidth, resizeHeight, resizeQuality: "high" });
  const [canvas, context] = surface(sent.width, sent.height);
  context.drawImage(sent, 0, 0);
  return { picture: bytes(canvas), whole: scale < 1 ? [width, height] : null };
}

// By how much a large picture is made smaller: to what a crop of it may need, and to what can be sent.
const scaling = (width, height, wanted) =>
  Math.min(
    Math.max((ENOUGH * wanted.width) / width, (ENOUGH * wanted.height) / height),
    Math.sqrt(MOST_BYTES / 3 / (width * height)),
    1,
  );

function base64(file) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("loadend", () => resolve(reader.result?.split(",")[1] || "")); // nothing, of a folder
    reader.readAsDataURL(file);
  });
}
