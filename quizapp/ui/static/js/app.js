/**
 * Wires what a page contains. Pages work without it; parts that few pages have are fetched only there.
 */

/** How long a form ignores a second press, in milliseconds. */
const PRESS_PAUSE = 1000;

/**
 * Ignore a second submit right after the first, and say that the first is under way.
 * @param {Event} event
 */
function pressOnce(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || form.method === "dialog") return;
  const now = Date.now();
  const last = Number(form.dataset.pressed || 0);
  if (now - last < PRESS_PAUSE) {
    event.preventDefault();
    return;
  }
  form.dataset.pressed = String(now);
  const button = /** @type {HTMLElement | null} */ (/** @type {SubmitEvent} */ (event).submitter || form.querySelector("[data-busy]"));
  const word = button && button.querySelector("span");
  if (button && word && button.dataset.busy) {
    button.classList.add("button-busy");
    const before = word.textContent;
    word.textContent = button.dataset.busy;
    window.addEventListener("pageshow", () => {
      button.classList.remove("button-busy");
      word.textContent = before;
    }, { once: true });
  }
}

/**
 * @param {string} selector
 * @param {() => Promise<{ wire: (element: HTMLElement) => void }>} load
 */
function wireAll(selector, load) {
  const elements = document.querySelectorAll(selector);
  if (!elements.length) return;
  load().then((module) => elements.forEach((element) => module.wire(/** @type {HTMLElement} */ (element))));
}

document.addEventListener("submit", pressOnce);
const summary = /** @type {HTMLElement | null} */ (document.querySelector("[data-error-summary]"));
if (summary) summary.focus();
wireAll("[data-unit-picker]", () => import("./unit-picker.js"));
wireAll("[data-sheet]", () => import("./sheet.js"));
wireAll("[data-copy]", () => import("./copy.js"));
wireAll("[data-print]", () => import("./print-page.js"));
wireAll("[data-wait]", () => import("./wait.js"));
wireAll("[data-reveal]", () => import("./reveal-password.js"));
wireAll("[data-delivery-checks]", () => import("./delivery-checks.js"));
wireAll("[data-back-fill]", () => import("./back-fill.js"));
