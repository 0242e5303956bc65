/**
 * Puts a 显示/隐藏 button into a password box.
 * @param {HTMLElement} box with data-show and data-hide
 */
export function wire(box) {
  const input = /** @type {HTMLInputElement | null} */ (box.querySelector("input"));
  if (!input) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);
  const show = () => {
    button.textContent = (input.type === "password" ? box.dataset.show : box.dataset.hide) || "";
  };
  button.addEventListener("click", () => {
    input.type = input.type === "password" ? "text" : "password";
    show();
  });
  // A shown password must not be remembered as an ordinary text.
  if (input.form) input.form.addEventListener("submit", () => { input.type = "password"; });
  show();
  box.appendChild(button);
}
