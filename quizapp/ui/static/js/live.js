/**
 * Keeps the figures of a running delivery fresh: a small part of the page, asked for every few seconds while somebody looks at it. What has
 * not changed comes as an empty reply.
 */

/** How often we ask, in milliseconds. */
const PAUSE = 5000;

const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-live]"));
const note = /** @type {HTMLElement | null} */ (document.querySelector("[data-live-note]"));
const usual = (note && note.textContent) || "";

function ask() {
  if (!place || document.hidden) {
    return;
  }
  fetch(place.dataset.live || "", { credentials: "same-origin" })
    .then((response) => (response.ok && !response.redirected ? response.text() : Promise.reject(new Error(String(response.status)))))
    .then((text) => {
      if (place.dataset.shown !== text) {
        place.dataset.shown = text;
        place.innerHTML = text;
      }
      if (note) {
        note.textContent = usual;
      }
    })
    .catch(() => {
      if (note) {
        note.textContent = note.dataset.late || usual;
      }
    });
}

if (place) {
  setInterval(ask, PAUSE);
  document.addEventListener("visibilitychange", ask);
}
