// A picture: a file, dropped or pasted, or drawn on the pad; shown as it will be sent.

import { find } from "../dom.js";
import { bytes, cropped, encoded, fits, source } from "../pictures.js";
import { files } from "./files.js";
import { Misfit } from "./misfit.js";
import { pad } from "./pad.js";

const HEIC = /\.hei[cf]$/i;

export function mount(field, input, changed) {
  const preview = find("img", field);
  const size = find("[aria-live]", field);
  const crop = find(".crop", field);
  const choose = find(".choose", field);
  const canvas = find("canvas", field);
  let value = null;
  let from = {}; // the file that it came from, and how large that was if it was scaled

  const drawing = canvas
    ? pad(canvas, input, (picture) => {
        show(picture);
        if (picture === null) choose.focus(); // its own button is gone
        changed();
      })
    : { clear() {} };

  function show(picture, origin = {}) {
    value = picture;
    from = origin;
    preview.hidden = picture === null;
    crop.hidden = true;
    if (picture === null) {
      preview.removeAttribute("src");
      size.textContent = "No picture yet.";
    } else preview.src = source(picture);
  }

  function take(picture, origin) {
    drawing.clear();
    show(picture, origin);
  }

  preview.addEventListener("load", () => {
    const { naturalWidth: width, naturalHeight: height } = preview;
    preview.classList.toggle("tiny", width <= 64);
    const fit = fits(width, height, input);
    const other = fit ? "" : `: not the shape of ${input.width} × ${input.height}, which the model takes`;
    const before = from.whole ? `${from.whole.join(" × ")}, sent as ` : "";
    size.textContent = `${before}${width} × ${height} pixels${other}.`;
    crop.hidden = fit;
  });
  preview.addEventListener("error", () => {
    preview.hidden = true;
    size.textContent = HEIC.test(from.file?.name)
      ? "This browser reads no HEIC. Save the picture as a JPEG, and choose that."
      : "This is no picture that can be shown.";
  });
  crop.addEventListener("click", () => {
    take(bytes(cropped(preview, input)));
    choose.focus();
    changed();
  });
  files(field, async (file) => {
    const coming = { file };
    from = coming;
    const { picture, whole } = await encoded(file, input);
    if (from !== coming) return; // another came meanwhile
    take(picture, { file, whole });
    changed();
  });

  return {
    read() {
      if (value === null) throw new Misfit(`choose a picture${canvas ? ", draw one" : ""} or take the example`);
      return value;
    },
    fill: (picture) => take(picture && typeof picture === "object" && "b64" in picture ? picture.b64 : picture),
    spot: () => choose,
  };
}
