// A button that says that its answer takes a while.

const SOON = 150; // milliseconds: a quicker answer needs no word that it is asked for

// What comes back is told whether it is being asked.
export function late(button) {
  const word = button.textContent;
  let timer = 0;
  return (asking) => {
    clearTimeout(timer);
    if (asking) timer = setTimeout(() => (button.textContent = "Asking…"), SOON);
    else button.textContent = word;
  };
}
