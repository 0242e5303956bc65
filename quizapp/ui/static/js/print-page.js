/**
 * Shows the print button, which does nothing without scripts.
 * @param {HTMLElement} button
 */
export function wire(button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
