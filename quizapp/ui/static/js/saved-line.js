/**
 * The line above the buttons that says where the answers are. One of six sentences, given by the page in its language.
 * @typedef {"idle" | "saving" | "saved" | "waiting" | "offline" | "refused"} SaveState
 * @param {HTMLElement} line the element of the saved_line macro
 * @param {SaveState} state
 * @param {Record<string, string | number>} [values] time, count, number, reason
 */
export function showSaved(line, state, values = {}) {
  const words = JSON.parse(line.dataset.words || "{}");
  const text = String(words[state] || "").replace(/\{(\w+)\}/g, (_all, name) => String(values[name] === undefined ? "" : values[name]));
  line.dataset.save = state;
  const place = line.querySelector("[data-save-text]");
  // A live region speaks on each change: the same sentence is not said twice.
  if (place && place.textContent !== text) place.textContent = text;
}
