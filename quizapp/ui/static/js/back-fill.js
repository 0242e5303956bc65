/**
 * Fills in a paper sheet by keyboard: finds people while one types, keeps the cursor in the name, sends the lines one after the other.
 * Without it the form sends one line at a time.
 *
 * @typedef {{ id: number, name: string, key: string, initials: string[], tail: string, unitId: number | null, unit: string,
 *   rank: number, time: string }} Known
 * @typedef {{ row: HTMLTableRowElement, data: URLSearchParams, known: Known | null, attendance: number, state: string }} Line
 */

/** Hits shown. */
const MOST = 8;
/** How long typing rests before the server is asked about people that the page does not hold, in milliseconds. */
const REST = 200;
/** Before a line that was not stored is sent again, in milliseconds. */
const RETRY = 5000;

/** @param {HTMLElement} page the element with data-back-fill */
export function wire(page) {
  const form = /** @type {HTMLFormElement | null} */ (page.querySelector("#back-fill"));
  if (!form) return;
  const input = /** @type {HTMLInputElement} */ (form.querySelector("[name=name]"));
  const unit = /** @type {HTMLSelectElement} */ (form.querySelector("[name=unit_id]"));
  const phone = /** @type {HTMLInputElement} */ (form.querySelector("[name=phone]"));
  const arrived = /** @type {HTMLInputElement} */ (form.querySelector("[name=arrived]"));
  const list = /** @type {HTMLElement} */ (form.querySelector("#hits"));
  const lines = /** @type {HTMLElement} */ (page.querySelector("[data-lines]"));
  const status = /** @type {HTMLElement} */ (page.querySelector("[data-back-fill-status]"));
  const total = /** @type {HTMLElement} */ (page.querySelector("[data-total]"));
  const word = page.dataset;
  /** @type {Known[]} */
  let known = [];
  let complete = true;
  /** @type {Known[]} */
  let hits = [];
  let place = 0;
  let timer = 0;
  /** @type {Line[]} */
  const queue = [];
  /** @type {Line[]} */
  const done = [];
  let sending = false;

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");
  const keys = /** @type {HTMLElement | null} */ (page.querySelector("[data-keys]"));
  if (keys) keys.hidden = false;

  fetch(word.backFill || "", { headers: { Accept: "application/json" } })
    .then((reply) => (reply.ok ? reply.json() : Promise.reject(new Error(String(reply.status)))))
    .then((answer) => {
      known = answer.people.map(person);
      complete = answer.complete;
      page.dataset.ready = String(known.length);
      if (input.value) find();
    })
    .catch(() => { complete = false; });

  input.addEventListener("input", () => {
    find();
    clearTimeout(timer);
    if (!complete && input.value.trim()) timer = window.setTimeout(ask, REST);
  });
  form.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return; // the input method has the key
    if (event.key === "Enter" && event.target !== unit && !(event.target instanceof HTMLButtonElement)) {
      event.preventDefault();
      take(event.ctrlKey || event.metaKey ? -1 : place);
    } else if (event.target === input && (event.key === "ArrowDown" || event.key === "ArrowUp") && !list.hidden) {
      event.preventDefault();
      const count = hits.length + 1;
      choose((place + (event.key === "ArrowDown" ? 1 : count - 1)) % count);
    } else if (event.target === input && event.key === "Escape") {
      input.value = "";
      find();
    } else if (event.target === input && event.key === "z" && (event.ctrlKey || event.metaKey) && !input.value) {
      event.preventDefault();
      const last = done[done.length - 1];
      if (last) undo(last);
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take(place);
  });
  window.addEventListener("beforeunload", (event) => {
    if (queue.length) event.preventDefault();
  });
  window.addEventListener("online", send);

  function find() {
    hits = search(known, input.value);
    show();
  }

  /** Ask about people beyond those that the page holds. */
  function ask() {
    const typed = input.value.trim();
    const address = word.backFill || "";
    fetch(`${address}?q=${encodeURIComponent(typed)}`, { headers: { Accept: "application/json" } })
      .then((reply) => (reply.ok ? reply.json() : Promise.reject(new Error(String(reply.status)))))
      .then((answer) => {
        const ids = new Set(known.map((one) => one.id));
        answer.people.map(person).filter((/** @type {Known} */ one) => !ids.has(one.id)).forEach((/** @type {Known} */ one) => known.push(one));
        if (input.value.trim() === typed) find();
      })
      .catch(() => {});
  }

  function show() {
    list.textContent = "";
    const typed = input.value.trim();
    list.hidden = !typed;
    input.setAttribute("aria-expanded", String(!!typed));
    if (!typed) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    hits.forEach((one, number) => {
      const notes = [one.unit, one.tail, one.rank === 0 ? word.roster : one.rank === 1 ? word.registered : ""];
      if (one.time) notes.push((word.in || "").replace("{time}", one.time));
      list.append(option(number, one.name, notes.filter(Boolean).join(" · ")));
    });
    list.append(option(hits.length, (word.new || "").replace("{name}", typed), unit.value ? unit.selectedOptions[0].text : ""));
    choose(0);
  }

  /**
   * @param {number} number
   * @param {string} name
   * @param {string} notes
   */
  function option(number, name, notes) {
    const item = document.createElement("li");
    item.id = `hit-${number}`;
    item.setAttribute("role", "option");
    item.append(name);
    const second = document.createElement("span");
    second.className = "choice-second";
    second.textContent = notes;
    item.append(second);
    item.addEventListener("mousedown", (event) => {
      event.preventDefault();
      take(number);
    });
    return item;
  }

  /** @param {number} number */
  function choose(number) {
    place = number;
    list.querySelectorAll("[role=option]").forEach((item, index) => item.setAttribute("aria-selected", String(index === number)));
    input.setAttribute("aria-activedescendant", `hit-${number}`);
    const item = document.getElementById(`hit-${number}`);
    if (item) item.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} number place among the hits; -1, or the one after the last: a new person */
  function take(number) {
    const typed = input.value.trim();
    if (!typed) return;
    const one = number >= 0 && number < hits.length ? hits[number] : null;
    // digits and initials that nobody has are no name; whoever is really called so is written down with Ctrl
    if (!one && (/^\d+$/.test(typed) || (number >= 0 && !hits.length && /^[a-z]+$/.test(typed)))) {
      status.textContent = (word.nobody || "").replace("{name}", typed);
      return;
    }
    const data = new URLSearchParams();
    new FormData(/** @type {HTMLFormElement} */ (form)).forEach((value, name) => {
      if (name !== "ticket" && name !== "person") data.set(name, String(value));
    });
    data.set("ticket", ticket());
    data.set("name", one ? one.name : typed);
    data.set("person", one ? String(one.id) : "new");
    if (one) {
      // a known person's unit is known as well; it becomes the one for the next new person
      data.delete("unit_id");
      data.delete("phone");
      if (one.unitId !== null && [...unit.options].some((choice) => choice.value === String(one.unitId))) unit.value = String(one.unitId);
    }
    const unitName = one ? one.unit : unit.value ? unit.selectedOptions[0].text : "";
    queue.push({ row: draw(one ? one.name : typed, unitName, arrived.value || word.begin || ""), data, known: one, attendance: 0, state: "waiting" });
    if (one) one.time = arrived.value || word.begin || "";
    input.value = phone.value = arrived.value = "";
    find();
    input.focus();
    send();
  }

  /**
   * @param {string} name
   * @param {string} unitName
   * @param {string} time
   */
  function draw(name, unitName, time) {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    row.append(head);
    [unitName || "–", time, word.saving || "", ""].forEach((text) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    });
    lines.prepend(row);
    /** @type {HTMLElement} */ (page.querySelector("[data-lines-box]")).hidden = false;
    return row;
  }

  /** One line after the other, so that the list keeps the sheet's order; what is not stored stays here and is sent again. */
  function send() {
    const line = queue[0];
    status.textContent = queue.length > 1 ? (word.waiting || "").replace("{count}", String(queue.length)) : "";
    if (!line || sending) return;
    sending = true;
    fetch(location.pathname, { method: "POST", body: line.data, headers: { Accept: "application/json" } })
      .then((reply) => reply.json().then((answer) => ({ reply, answer })))
      .then(({ reply, answer }) => {
        queue.shift();
        sending = false;
        settle(line, reply.ok, answer);
        send();
      })
      .catch(() => {
        sending = false;
        line.row.cells[3].textContent = word.failed || "";
        status.textContent = (word.waiting || "").replace("{count}", String(queue.length));
        window.setTimeout(send, RETRY);
      });
  }

  /**
   * @param {Line} line
   * @param {boolean} good
   * @param {any} answer
   */
  function settle(line, good, answer) {
    const cells = line.row.cells;
    if (!good) {
      line.row.className = "look";
      cells[3].textContent = answer.error.message;
      if (line.known) line.known.time = "";
      status.textContent = `${cells[0].textContent}: ${answer.error.message}`;
      return;
    }
    cells[0].textContent = answer.name;
    cells[1].textContent = answer.unit || "–";
    cells[2].textContent = answer.time;
    cells[3].textContent = answer.word;
    line.row.className = answer.outcome === "in" ? "" : "look";
    line.attendance = answer.attendance;
    line.row.dataset.attendance = answer.attendance;
    if (line.known) line.known.time = answer.time;
    if (answer.outcome !== "in") return;
    done.push(line);
    count(1);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-quiet";
    button.textContent = word.undoWord || "";
    button.setAttribute("aria-label", `${word.undoWord} ${answer.name}`);
    button.addEventListener("click", () => undo(line));
    cells[4].append(button);
  }

  /** @param {Line} line */
  function undo(line) {
    const token = new URLSearchParams({ csrf_token: line.data.get("csrf_token") || "" });
    const address = (word.undo || "").replace("/0/", `/${line.attendance}/`);
    fetch(address, { method: "POST", body: token, headers: { Accept: "application/json" } })
      .then((reply) => reply.json().then((answer) => ({ reply, answer })))
      .then(({ reply, answer }) => {
        const cells = line.row.cells;
        cells[3].textContent = reply.ok ? answer.word : answer.error.message;
        if (!reply.ok) return;
        cells[4].textContent = "";
        line.row.className = "muted";
        done.splice(done.indexOf(line), 1);
        if (line.known) line.known.time = "";
        count(-1);
        status.textContent = `${cells[0].textContent}: ${answer.word}`;
        input.focus();
      })
      .catch(() => { line.row.cells[3].textContent = word.failed || ""; });
  }

  /** @param {number} step */
  function count(step) {
    total.textContent = String(Number((total.textContent || "0").replace(/\D/g, "")) + step);
  }
}

/**
 * @param {[number, string, string, string, number | null, string, number, string]} row
 * @returns {Known}
 */
function person([id, name, initials, tail, unitId, unit, rank, time]) {
  return { id, name, key: key(name), initials: initials.split(" "), tail, unitId, unit, rank, time };
}

/**
 * A name as it is compared.
 * @param {string} text
 */
function key(text) {
  return text.normalize("NFKC").toLowerCase().replace(/[\s·•‧・.]/g, "");
}

/**
 * The best hits: the same rule as the server's search.
 * @param {Known[]} known
 * @param {string} typed
 */
export function search(known, typed) {
  const text = key(typed);
  if (!text) return [];
  /** @type {{ one: Known, rank: number[] }[]} */
  const found = [];
  known.forEach((one) => {
    const quality = rate(one, text);
    if (quality >= 0) found.push({ one, rank: [one.time ? 1 : 0, quality, one.rank, one.name.length] });
  });
  found.sort((a, b) => a.rank.reduce((so, value, index) => so || value - b.rank[index], 0));
  return found.slice(0, MOST).map((row) => row.one);
}

/**
 * How well a person fits, 0 best; -1 not at all.
 * @param {Known} one
 * @param {string} text
 */
function rate(one, text) {
  if (/^\d+$/.test(text)) return text.length >= 2 && one.tail && one.tail.endsWith(text.slice(-4)) ? 0 : -1;
  if (one.key === text) return 0;
  if (one.key.startsWith(text)) return 1;
  if (/^[a-z]+$/.test(text)) {
    const starts = one.initials.filter((word) => word.startsWith(text));
    if (starts.length) return starts.includes(text) ? 0 : 1;
  }
  return one.key.includes(text) ? 2 : -1;
}

/** 128 random bits, 22 characters. */
function ticket() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
