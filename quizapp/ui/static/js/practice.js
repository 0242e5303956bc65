/**
 * Practice without page loads: the answer is sent and the feedback taken by fetch, and the next question is loaded while it is read.
 * The pages are the same ones that a browser without scripts gets.
 */

/** @type {Promise<Page> | null} The next question, under way. */
let ahead = null;

/** @typedef {{ url: string, body: HTMLElement, title: string }} Page */

/**
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<Page>}
 */
async function load(url, options) {
  const reply = await fetch(url, options);
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  return { url: reply.url, body: page.body, title: page.title };
}

/** Load what comes after the feedback that is shown. */
function lookAhead() {
  const next = /** @type {HTMLAnchorElement | null} */ (document.querySelector("[data-next]"));
  ahead = next && load(next.href);
  if (ahead) ahead.catch(() => {});
}

/**
 * @param {Page} page
 * @param {"pushState" | "replaceState"} how
 */
function show(page, how) {
  document.body.replaceWith(page.body);
  document.title = page.title;
  history[how](null, "", page.url);
  const target = /** @type {HTMLElement | null} */ (
    document.querySelector("[data-feedback]") || document.querySelector("[role=alert]") || document.querySelector("#main"));
  if (how === "pushState") scrollTo(0, 0);
  if (target) {
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
    if (target.getBoundingClientRect().top > innerHeight - 80) target.scrollIntoView();
  }
  lookAhead();
}

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.id !== "answer" || event.defaultPrevented) return;
  event.preventDefault();
  load(form.action, { method: "POST", body: new FormData(form) }).then((page) => show(page, "replaceState"), () => {
    const note = /** @type {HTMLElement} */ (document.querySelector("[data-offline]"));
    note.hidden = false;
    note.scrollIntoView();
  });
});

document.addEventListener("click", (event) => {
  const next = /** @type {Element} */ (event.target).closest("[data-next]");
  if (!next || !ahead || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { href } = /** @type {HTMLAnchorElement} */ (next);
  ahead.then((page) => show(page, "pushState"), () => location.assign(href));
});

window.addEventListener("popstate", () => location.reload());
lookAhead();
