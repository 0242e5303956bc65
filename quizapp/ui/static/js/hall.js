/**
 * Keeps the number of arrivals and the last names on the projector page fresh, without a page load.
 */

/** How often we ask, in milliseconds. */
const PAUSE = 5000;

const page = /** @type {HTMLElement | null} */ (document.querySelector("[data-hall]"));
const count = page && page.querySelector("[data-hall-count]");
const list = page && page.querySelector("[data-hall-last]");
const note = /** @type {HTMLElement | null} */ (page && page.querySelector("[data-hall-offline]"));
const sentence = (note && note.textContent) || "";
let last = new Date();

function ask() {
  if (!page || document.hidden) {
    again();
    return;
  }
  fetch(page.dataset.hall || "", { headers: { Accept: "application/json" }, credentials: "same-origin" })
    .then((response) => (response.ok ? response.json() : Promise.reject(new Error(String(response.status)))))
    .then(show)
    .catch(age)
    .then(again);
}

function again() {
  setTimeout(ask, PAUSE);
}

/** @param {{ count: number, last: { name: string, time: string }[] }} news */
function show(news) {
  last = new Date();
  if (note) note.hidden = true;
  if (count && count.textContent !== String(news.count)) count.textContent = String(news.count);
  if (!list) return;
  list.textContent = "";
  news.last.forEach((one) => {
    const row = document.createElement("li");
    row.textContent = one.name + " " + one.time;
    list.append(row);
  });
}

function age() {
  if (!note) return;
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  note.textContent = sentence.replace("{time}", two(last.getHours()) + ":" + two(last.getMinutes()));
  note.hidden = false;
}

again();
