/**
 * Keeps the checks beside a new delivery up to date while it is filled in. Without it a button does the same.
 */

/** How long typing rests before we ask, in milliseconds. */
const REST = 400;

/** @param {HTMLElement} element the form with data-delivery-checks */
export function wire(element) {
  const form = /** @type {HTMLFormElement} */ (element);
  const list = /** @type {HTMLElement} */ (form.querySelector("[data-checks]"));
  let timer = 0;
  let asked = 0;

  const later = () => {
    clearTimeout(timer);
    timer = window.setTimeout(ask, REST);
  };
  form.addEventListener("input", later);
  form.addEventListener("change", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    // Another quiz brings its own title, time limit and pass score: the page is made anew.
    if (target.getAttribute("name") === "blueprint") form.submit();
    else later();
  });

  function ask() {
    const number = ++asked;
    const request = new XMLHttpRequest();
    request.open("POST", String(form.dataset.deliveryChecks));
    request.responseType = "document"; // parsed by the browser: no markup passes through a script
    request.addEventListener("load", () => {
      const page = request.responseXML;
      // On a failure the checks stand as they were; publishing makes them again on the server.
      if (number !== asked || request.status !== 200 || !page) return;
      while (list.firstChild) list.removeChild(list.firstChild);
      list.append(...Array.from(page.body.childNodes));
    });
    request.send(new FormData(form));
  }
}
