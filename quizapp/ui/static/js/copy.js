/**
 * Copies data-copy and says so in data-done.
 * @param {HTMLElement} button
 */
export function wire(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    copy(button.dataset.copy || "").then(() => {
      const word = button.querySelector("span") || button;
      word.textContent = button.dataset.done || "";
      word.setAttribute("role", "status");
    });
  });
}

/**
 * The clipboard is missing on plain http: there a hidden text box is selected and copied.
 * @param {string} text
 */
function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const box = document.createElement("textarea");
  box.value = text;
  box.className = "visually-hidden";
  document.body.appendChild(box);
  box.select();
  document.execCommand("copy");
  box.remove();
  return Promise.resolve();
}
