/**
 * A check-in without a network: what was typed stays on the phone and is sent by itself when the network is back.
 *
 * Without this script the form is an ordinary form. With it the form is sent by fetch; only what the server acknowledged is shown as
 * done. What the server has more to say to is sent again as an ordinary form (the same right, so it counts once).
 */

/** How long to wait before the next try, in milliseconds. */
const PAUSE = 5000;
/** How long what was typed is kept, in milliseconds. */
const KEPT = 24 * 3600 * 1000;

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-check-in]"));
const note = /** @type {HTMLElement | null} */ (document.querySelector("[data-check-in-offline]"));
const key = "check-in." + (form ? form.dataset.checkIn : "");
/** @type {HTMLButtonElement | null} */
let pressed = null;
let sending = false;
let timer = 0;

/** @returns {{ at: number, action: string, fields: [string, string][] } | null} */
function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(key) || "null");
    return found && Date.now() - found.at < KEPT ? found : null;
  } catch (error) {
    return null;
  }
}

/** @param {[string, string][]} fields */
function keep(fields) {
  try {
    localStorage.setItem(key, JSON.stringify({ at: Date.now(), fields: fields }));
  } catch (error) {
    // without storage it lives as long as the page does
  }
}

function forget() {
  try {
    localStorage.removeItem(key);
  } catch (error) {
    // nothing was kept
  }
}

/** @returns {[string, string][]} */
function typed() {
  const fields = /** @type {[string, string][]} */ ([]);
  if (!form) return fields;
  new FormData(form).forEach((value, name) => fields.push([name, String(value)]));
  if (pressed && pressed.name) fields.push([pressed.name, pressed.value]);
  return fields;
}

function send() {
  if (!form || sending) return;
  sending = true;
  window.clearTimeout(timer);
  const fields = typed();
  const body = new URLSearchParams(fields);
  // not form.action: a button of that name would stand in its place
  fetch(form.getAttribute("action") || "", { method: "POST", body: body, credentials: "same-origin" })
    .then((response) => {
      forget();
      if (response.ok && response.redirected) window.location.assign(response.url);
      else plainly();
    })
    .catch(() => {
      sending = false;
      keep(fields);
      if (note) note.hidden = false;
      idle();
      timer = window.setTimeout(send, PAUSE);
    });
}

/** Send the form as browsers do: the reply is a page that says why. */
function plainly() {
  if (!form) return;
  if (pressed && pressed.name) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = pressed.name;
    field.value = pressed.value;
    form.append(field);
  }
  form.submit();
}

/** The button can be pressed again. */
function idle() {
  window.dispatchEvent(new Event("pageshow"));
  if (form) form.dataset.pressed = "0";
}

if (form) {
  const before = kept();
  if (before) {
    before.fields.forEach((pair) => {
      const field = /** @type {HTMLInputElement | null} */ (form.querySelector(`input.input[name="${pair[0]}"]`));
      if (field && !field.value) field.value = pair[1];
    });
    forget();
  }
  document.querySelectorAll('button[form="check-in"]').forEach((button) => {
    button.addEventListener("click", () => (pressed = /** @type {HTMLButtonElement} */ (button)));
  });
  form.addEventListener("submit", (event) => {
    const by = /** @type {SubmitEvent} */ (event).submitter;
    // the search for a unit is a page of its own
    if (by && !by.matches('button[form="check-in"]')) return;
    // marked as handled only after the page's own guard against second presses has seen it
    document.addEventListener("submit", hold, { once: true });
  });
  window.addEventListener("online", () => note && !note.hidden && send());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && note && !note.hidden) send();
  });
}

/** @param {Event} event */
function hold(event) {
  if (event.defaultPrevented) return;
  event.preventDefault();
  send();
}
