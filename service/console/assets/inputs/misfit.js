// What stands in a field and cannot be read; `path` is a JSON pointer below the input, "/0/1".
export class Misfit extends Error {
  constructor(message, path = "") {
    super(message);
    this.path = path;
  }
}
