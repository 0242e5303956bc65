/** Counts the seconds of a "try again in n seconds" sentence down, and takes it away at the end. */

/** @param {HTMLElement} sentence whose text holds the number of data-wait */
export function wire(sentence) {
  const end = Date.now() + Number(sentence.dataset.wait) * 1000;
  const text = sentence.textContent || "";
  // Read aloud once, not at every second.
  sentence.removeAttribute("role");
  const timer = window.setInterval(() => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left > 0) {
      sentence.textContent = text.replace(/\d+/, String(left));
    } else {
      window.clearInterval(timer);
      sentence.hidden = true;
    }
  }, 500);
}
