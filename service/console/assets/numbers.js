// Numbers as people read them; service/numbers.py writes them alike, and a test compares the two.

const NONE = "not a number";
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const large = new Intl.NumberFormat("en", { maximumFractionDigits: 0, useGrouping: "min2" });

// So many digits that matter, and all of those before the point: 32.172092 as "32.17", 1234567.8 as "1,234,568".
export function digits(value, most = 4) {
  if (!Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  const write = size && (size < 1e-4 || size >= 1e12) ? scientific : plain;
  return `${value < 0 ? "−" : ""}${write(size, most)}`;
}

const plain = (size, most) => (size >= 1000 ? large.format(size) : String(Number(size.toPrecision(most))));

// 4.6442568e-7 as "4.644 × 10⁻⁷".
function scientific(size, most) {
  const [factor, exponent] = size.toExponential(most - 1).split("e");
  const power = String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPTS[digit]);
  return `${Number(factor)}\u00a0×\u00a010${exponent < 0 ? "⁻" : ""}${power}`;
}

export const withUnit = (value, unit) => (unit ? `${digits(value)} ${unit}` : digits(value));

// A share from 0 to 1: one digit behind the point, two where it is nearly nothing or nearly all.
export function percent(share) {
  if (!Number.isFinite(share)) return NONE;
  if (share > 0 && share < 0.00005) return "< 0.01 %";
  if (share < 1 && share >= 0.99995) return "> 99.99 %";
  return `${Number((100 * share).toFixed(share < 0.001 || share > 0.999 ? 2 : 1))} %`;
}

// Milliseconds: "0.29 ms", "12 ms", "1.2 s".
export function duration(milliseconds) {
  if (milliseconds >= 1000) return `${Number((milliseconds / 1000).toPrecision(2))} s`;
  return `${Number(milliseconds.toPrecision(2))} ms`;
}

const all = new Intl.NumberFormat("en");
export const whole = (number) => all.format(number);
export const count = (number, one, many = `${one}s`) => `${whole(number)} ${number === 1 ? one : many}`;
