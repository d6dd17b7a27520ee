// Problems in words that help whoever asked.

const seconds = ({ retry }) => (retry > 0 ? `${retry} s` : "a moment"); // a proxy may say a date
const advised = (advice) => (problem) => `${sentence(problem.message)} ${advice(problem)}`;
const again = advised((problem) => `Try again in ${seconds(problem)}.`);

const WORDS = {
  403: () => "Your API key may not ask this model.",
  404: advised(() => "Load this page again."),
  413: (problem) => `This is more than the service takes at once. ${sentence(problem.message.split(";")[0])}`,
  429: (problem) => `The service is busy: try again in ${seconds(problem)}.`,
  500: advised(() => "If it stays so, tell whoever runs this service."),
  502: again,
  503: again,
  504: again,
};

export const told = (problem) => (WORDS[problem.status] ? WORDS[problem.status](problem) : sentence(problem.message));

// What the service says, as a sentence.
export function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

// A path below an input, as people count; a cell of a grid, which it has led to, by its name.
export function where(path, spot) {
  const steps = path.filter((part) => /^\d+$/.test(part)).map((part) => Number(part) + 1);
  if (!steps.length) return "";
  if (spot.dataset.path) return `${spot.getAttribute("aria-label")}: `;
  const [row, column] = steps;
  if (steps.length === 1) return `Number ${row}: `;
  return steps.length === 2 ? `Line ${row}, number ${column}: ` : `At ${steps.join(", ")}: `;
}
