/**
 * Opens a dialog in place of the page that the link leads to. A browser without <dialog> follows the link.
 * @param {HTMLElement} link an element with data-sheet="id of the dialog"
 */
export function wire(link) {
  const sheet = /** @type {HTMLDialogElement | null} */ (document.getElementById(link.dataset.sheet || ""));
  if (!sheet || typeof sheet.showModal !== "function") return;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    sheet.showModal();
  });
  // A press on the scrim lands on the dialog itself; inside, on what it holds.
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) sheet.close();
  });
  sheet.addEventListener("close", () => link.focus());
}
