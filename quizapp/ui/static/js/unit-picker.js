/**
 * Shows the units that match while one types, as the same radios that the page gives without scripts.
 * @typedef {{ id: string | number, name: string, path: string, kind: string }} Unit
 */

/** How long typing rests before we ask, in milliseconds. */
const REST = 200;
/** From how many characters we ask, and how many answers we show. */
const LEAST = 2;
const MOST = 8;

/** @param {HTMLElement} picker the element of the unit_picker macro */
export function wire(picker) {
  const input = /** @type {HTMLInputElement} */ (picker.querySelector("input[type=search]"));
  const list = /** @type {HTMLElement} */ (picker.querySelector("[data-unit-results]"));
  const box = /** @type {HTMLElement} */ (picker.querySelector("[data-unit-box]"));
  const status = /** @type {HTMLElement} */ (picker.querySelector("[data-unit-status]"));
  const search = /** @type {HTMLElement} */ (picker.querySelector("[data-unit-search]"));
  let timer = 0;
  let asked = "";
  search.hidden = true;

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(ask, REST);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      ask();
    } else if (event.key === "ArrowDown") {
      const first = /** @type {HTMLInputElement | null} */ (list.querySelector("input"));
      if (first) {
        event.preventDefault();
        first.focus();
      }
    }
  });
  // Arrow keys move the choice through the list; a press, Enter or a space settles it.
  list.addEventListener("click", (event) => {
    if (/** @type {MouseEvent} */ (event).detail > 0) settle();
  });
  list.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      settle();
    }
  });
  const chosen = picker.querySelector("[data-unit-chosen] button");
  if (chosen) chosen.addEventListener("click", reopen);
  // On a slow line somebody has typed before this script came.
  if (input.value && !box.hidden && !list.querySelector("input")) ask();

  function ask() {
    const query = input.value.trim();
    asked = query;
    if (query.length < LEAST) {
      show([], "");
      return;
    }
    const search = picker.dataset.unitPicker || "";
    fetch(`${search}${search.includes("?") ? "&" : "?"}q=${encodeURIComponent(query)}`, { headers: { Accept: "application/json" } })
      .then((response) => (response.ok ? response.json() : Promise.reject(new Error(String(response.status)))))
      .then((units) => {
        if (asked === query) show(units.slice(0, MOST), query);
      })
      .catch(() => {
        // No network: the form's own search still works once it is back.
        search.hidden = false;
      });
  }

  /**
   * @param {Unit[]} units
   * @param {string} query
   */
  function show(units, query) {
    list.querySelectorAll(".choice").forEach((row) => row.remove());
    units.forEach((unit) => list.appendChild(row(unit, query)));
    list.hidden = !units.length;
    const sentence = !query ? "" : units.length ? picker.dataset.found : picker.dataset.none;
    status.textContent = (sentence || "").replace("{count}", String(units.length)).replace("{query}", query);
  }

  /**
   * @param {Unit} unit
   * @param {string} query
   */
  function row(unit, query) {
    const label = element("label", "choice");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.className = "choice-input";
    radio.name = picker.dataset.name || "";
    radio.value = String(unit.id);
    const face = element("span", "choice-face");
    const text = element("span", "choice-text");
    const at = unit.name.indexOf(query);
    if (at >= 0) {
      const match = document.createElement("mark");
      match.textContent = query;
      text.append(unit.name.slice(0, at), match, unit.name.slice(at + query.length));
    } else {
      text.append(unit.name);
    }
    const second = element("span", "choice-second");
    second.textContent = [unit.path, unit.kind].filter(Boolean).join(" · ");
    text.append(second);
    face.append(text);
    label.append(radio, face);
    return label;
  }

  function settle() {
    // The click has reached the radio only after this turn of the loop.
    setTimeout(() => {
      const radio = /** @type {HTMLInputElement | null} */ (list.querySelector("input:checked"));
      const face = radio && radio.parentElement && radio.parentElement.querySelector(".choice-text");
      if (!radio || !face) return;
      const holder = element("div", "unit-chosen");
      holder.dataset.unitChosen = "";
      const name = document.createElement("span");
      face.childNodes.forEach((node) => name.append(node.cloneNode(true)));
      const keep = document.createElement("input");
      keep.type = "hidden";
      keep.name = radio.name;
      keep.value = radio.value;
      const change = document.createElement("button");
      change.type = "button";
      change.className = "button button-quiet";
      change.textContent = picker.dataset.change || "";
      change.addEventListener("click", reopen);
      holder.append(name, keep, change);
      show([], "");
      box.hidden = true;
      picker.insertBefore(holder, box);
      change.focus();
    });
  }

  /** @param {Event} event */
  function reopen(event) {
    event.preventDefault();
    const holder = picker.querySelector("[data-unit-chosen]");
    if (holder) holder.remove();
    box.hidden = false;
    input.focus();
    input.select();
  }
}

/**
 * @param {string} name
 * @param {string} className
 */
function element(name, className) {
  const made = document.createElement(name);
  made.className = className;
  return made;
}
