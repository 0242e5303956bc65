/**
 * The taking page: saves each answer at once, shows the next question without a page load, keeps the time by the server's clock, and
 * loses nothing when the network does. The page works without it.
 */
import "./outbox.js";

/** @type {{begin: Function, put: Function, kept: Function, waiting: Function, flush: Function, closed: Function}} */
const outbox = /** @type {any} */ (self).answerOutbox;

/** Delays between tries, in seconds, with jitter; then the last one again and again. */
const DELAYS = [1, 2, 4, 8, 15, 30, 60];
/** How long "saving" waits before it is said, in milliseconds: most saves are over by then. */
const QUIET = 400;
const OFFLINE_WAIT = 4000;

/** @param {string} selector @returns {any} */
const find = (selector) => document.querySelector(selector);

const form = find("form[data-attempt]");
const done = find("[data-done]");
if (done) {
  outbox.closed(done.dataset.attempt).catch(() => undefined);
  if (self.caches) caches.delete("attempt-" + done.dataset.attempt).catch(() => undefined);
}
if (form) start();

/** Fill {names} of a sentence. @param {string} text @param {Record<string, any>} values */
function words(text, values) {
  return String(text || "").replace(/\{(\w+)\}/g, (_all, name) => String(values[name]));
}

function start() {
  const data = form.dataset;
  const attempt = data.attempt;
  const total = Number(data.total);
  const summary = "summary" in data;
  const notices = find("[data-notices]");
  const line = find("[data-save]");
  const clockOffset = Number(data.now) - Date.now();
  const deadline = Number(data.deadline);
  const closed = data.state === "closed";
  /** @type {Record<string, [string, number]>} */
  const stored = JSON.parse(data.stored || "{}");
  /** Newest answer by position, wherever it is. @type {Record<string, string>} */
  const answers = {};
  /** @type {Set<number>} */
  const marked = new Set(JSON.parse(data.marked || "[]"));
  /** @type {Record<string, string>} */
  const refused = {};
  let position = Number(data.position);
  /** @type {Document | null} */
  let questions = null;
  let tries = 0;
  /** @type {any} */
  let timer = 0;
  let over = false;
  let submitting = false;
  let wasOffline = false;
  /** Answers that are on their way into the outbox: they wait too. */
  let storing = 0;
  /** The questions were asked for before the service worker had taken the page over. */
  let unseen = false;

  for (const key of Object.keys(stored)) answers[key] = stored[key][0];

  // ---- the line, the banner, the grid ----

  /** @param {string} state @param {Record<string, any>} [values] */
  function say(state, values) {
    if (!line) return;
    const all = JSON.parse(line.dataset.words || "{}");
    const place = line.querySelector("[data-save-text]");
    const text = words(all[state], values || {});
    line.dataset.save = state;
    if (place && place.textContent !== text) place.textContent = text;
    const retry = line.querySelector("[data-retry-now]");
    if (state === "offline" && !retry && notices && notices.dataset.retry) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.retryNow = "";
      button.textContent = notices.dataset.retry;
      button.addEventListener("click", () => { tries = 0; send(); });
      line.appendChild(button);
    } else if (state !== "offline" && retry) retry.remove();
  }

  /** @param {string} kind note, attention, success or error @param {string} title @param {string} [text] @param {string} [id] */
  function notice(kind, title, text, id) {
    if (!notices || !title) return;
    const box = document.createElement("div");
    box.className = "banner banner-" + kind;
    box.setAttribute("role", "status");
    box.dataset.notice = id || kind;
    const inside = document.createElement("div");
    for (const part of [title, text]) {
      if (!part) continue;
      const paragraph = document.createElement("p");
      paragraph.textContent = part;
      inside.appendChild(paragraph);
    }
    box.appendChild(inside);
    const old = notices.querySelector('[data-notice="' + box.dataset.notice + '"]');
    if (old) old.remove();
    notices.appendChild(box);
  }

  /** @param {string} id */
  function unnotice(id) {
    const old = notices && notices.querySelector('[data-notice="' + id + '"]');
    if (old) old.remove();
  }

  /** @param {Set<number>} waiting */
  function paint(waiting) {
    const counts = { answered: 0, open: 0, waiting: 0, refused: 0, marked: 0 };
    document.querySelectorAll(".number-grid .number-cell").forEach((element) => {
      const cell = /** @type {HTMLElement} */ (element);
      const number = Number(cell.dataset.number);
      const state = refused[number] ? "refused" : waiting.has(number) ? "waiting" : answers[number] ? "answered" : "open";
      cell.dataset.state = state;
      counts[state] += 1;
      if (marked.has(number)) { cell.dataset.marked = ""; counts.marked += 1; } else delete cell.dataset.marked;
      if (number === position) cell.setAttribute("aria-current", "step");
      else cell.removeAttribute("aria-current");
    });
    counts.answered += counts.waiting; // what waits is answered
    document.querySelectorAll("[data-legend]").forEach((one) => {
      const element = /** @type {HTMLElement} */ (one);
      const name = element.dataset.legend || "";
      const place = element.querySelector("[data-count]");
      if (place) place.textContent = String(counts[name] || 0);
      element.hidden = !counts[name] && name !== "answered" && name !== "open";
    });
    const bar = find("[data-answered]");
    if (bar) bar.value = Object.keys(answers).filter((key) => answers[key]).length;
  }

  async function refresh() {
    const list = await outbox.waiting(attempt);
    const waiting = new Set(list.map((/** @type {any} */ one) => one.position));
    data.waiting = String(waiting.size);
    if (data.state !== "closed") data.state = waiting.size || storing ? "waiting" : "saved";
    paint(waiting);
    return waiting.size;
  }

  // ---- sending ----

  async function send() {
    clearTimeout(timer);
    const quiet = setTimeout(() => { if (!wasOffline) say("saving"); }, QUIET);
    let result;
    try {
      result = await outbox.flush(attempt);
    } catch (error) {
      result = { outcome: "offline", sent: 0, refused: [] };
    }
    clearTimeout(quiet);
    for (const one of result.refused) {
      refused[one.position] = one.reason;
      const reason = { late: notices.dataset.late, closed: notices.dataset.closed, not_yours: notices.dataset.moved }[one.reason];
      say("refused", { number: one.position, reason: reason || "" });
    }
    const left = await refresh();
    if (result.outcome === "gone" || result.refused.some((/** @type {any} */ one) => one.reason === "closed")) {
      lock();
      return result;
    }
    if (left) {
      const busy = result.outcome === "busy";
      if (!wasOffline && !busy && notices.dataset.offlineTitle) {
        notice("attention", words(notices.dataset.offlineTitle, { count: left }), notices.dataset.offlineText, "offline");
      }
      wasOffline = true;
      say(busy ? "waiting" : "offline", { count: left });
      const seconds = DELAYS[Math.min(tries, DELAYS.length - 1)];
      tries += 1;
      timer = setTimeout(send, seconds * 1000 * (0.75 + Math.random() / 2));
      return result;
    }
    tries = 0;
    sendMarks();
    if (wasOffline) {
      wasOffline = false;
      unnotice("offline");
      if (notices.dataset.back) notice("success", words(notices.dataset.back, { count: result.sent }), "", "back");
    }
    if (!result.refused.length && result.sent) {
      // the server's clock, in the zone of the page's other times
      const now = new Date(result.now || Date.now() + clockOffset);
      say("saved", { time: now.toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hour12: false }) });
    }
    return result;
  }

  function lock() {
    data.state = "closed";
    document.querySelectorAll("form[data-attempt] input").forEach((input) => {
      if (/** @type {HTMLInputElement} */ (input).type !== "hidden") /** @type {HTMLInputElement} */ (input).disabled = true;
    });
  }

  // ---- handing in ----

  /** Drain, then hand in; without a network, wait for it. */
  async function handIn() {
    if (submitting) return;
    submitting = true;
    const count = await refresh();
    if (count && notices.dataset.sending) notice("note", words(notices.dataset.sending, { count }), "", "sending");
    for (let round = 0; ; round += 1) {
      const result = await send();
      clearTimeout(timer);
      if (result.outcome !== "offline" && result.outcome !== "busy" && !(await refresh())) {
        try {
          const response = await fetch(data.submit, {
            method: "POST", credentials: "same-origin", body: new URLSearchParams({ form_token: form.elements.form_token.value }),
          });
          if (response.ok || response.status < 500) {
            location.assign(response.ok && response.redirected ? response.url : location.href);
            return;
          }
        } catch (error) { /* no network: the loop goes on */ }
      }
      unnotice("sending");
      if (notices.dataset.kept) notice("attention", notices.dataset.kept, "", "kept");
      const seconds = DELAYS[Math.min(round, DELAYS.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000 * (0.75 + Math.random() / 2)));
    }
  }

  // ---- time ----

  function tick() {
    const left = Math.ceil((deadline - (Date.now() + clockOffset)) / 1000);
    const place = find("[data-timer]");
    if (place && left >= 0) {
      const text = String(Math.floor(left / 60)).padStart(2, "0") + ":" + String(left % 60).padStart(2, "0");
      const figure = place.querySelector("b");
      if (figure && figure.textContent !== text) figure.textContent = text;
      place.classList.toggle("timer-short", left < 300 && left >= 60);
      place.classList.toggle("timer-last", left < 60);
    }
    if (left < 300 && left > 0 && notices && notices.dataset.short && !notices.querySelector('[data-notice="short"]')) {
      notice("attention", notices.dataset.short, "", "short");
    }
    if (left <= 0 && !over && !closed) {
      over = true;
      lock();
      if (notices) notice("attention", notices.dataset.over, "", "over");
      handIn();
      return;
    }
    if (!over) setTimeout(tick, 1000);
  }

  // ---- the numbers: a sheet, or on a wide screen a card beside the question ----

  const wide = matchMedia("(min-width: 68.75em)");

  function placeNumbers() {
    const [card, sheet] = [find("[data-grid-card]"), find("#numbers")];
    if (!card || !sheet) return;
    const [from, to] = wide.matches ? [sheet, card] : [card, sheet];
    from.querySelectorAll(".sheet-body, .sheet-foot").forEach((/** @type {Element} */ part) => to.appendChild(part));
    card.hidden = !wide.matches;
    // the page has its main button already; the sheet is a view of its own
    const go = to.querySelector("[data-to-summary]");
    if (go) go.classList.toggle("button-secondary", wide.matches);
    if (wide.matches && sheet.open) sheet.close();
  }

  // ---- one question after the other ----

  /** All questions in one document, parsed by the browser itself (no markup from strings). */
  function load() {
    const request = new XMLHttpRequest();
    request.open("GET", data.questions);
    request.responseType = "document";
    request.onload = () => {
      if (request.status === 200 && request.responseXML && request.responseXML.querySelector("[data-question]")) questions = request.responseXML;
      if (unseen) keepQuestions();
    };
    request.send();
  }

  /** Keep the questions where the service worker looks for them, which has not seen them come. */
  function keepQuestions() {
    if (!questions) return;
    const page = new Response("<!doctype html>" + questions.documentElement.outerHTML, { headers: { "Content-Type": "text/html; charset=utf-8" } });
    caches.open("attempt-" + attempt).then((cache) => cache.put("/questions", page)).catch(() => undefined);
  }

  function current() {
    return find("[data-holder] [data-question]");
  }

  /** The options of the question that is shown. @returns {HTMLInputElement[]} */
  function inputs() {
    const field = current();
    return field ? Array.from(field.querySelectorAll("input[name=answer]")) : [];
  }

  /** What was chosen before this script had come (a slow line), or null. The form tells browsers not to bring older choices back. */
  function chosenBefore() {
    const all = inputs();
    if (closed || all.every((one) => one.checked === one.defaultChecked)) return null;
    return all.filter((one) => one.checked).map((one) => one.value).sort().join(",");
  }

  // ---- marks: less than answers, but they wait for the network too ----

  const marksKey = "marks-" + attempt;

  /** Marks that the server does not have yet, by position. @returns {Record<string, string>} */
  function unsentMarks() {
    try { return JSON.parse(localStorage.getItem(marksKey) || "{}"); } catch (error) { return {}; }
  }

  /** @param {Record<string, string>} marks */
  function keepMarks(marks) {
    try {
      if (Object.keys(marks).length) localStorage.setItem(marksKey, JSON.stringify(marks)); else localStorage.removeItem(marksKey);
    } catch (error) { /* no storage: the mark goes now or not at all */ }
  }

  async function sendMarks() {
    for (const [at, state] of Object.entries(unsentMarks())) {
      try {
        const response = await fetch(data.markUrl, {
          method: "POST", credentials: "same-origin",
          body: new URLSearchParams({ form_token: form.elements.form_token.value, position: at, marked: state }),
        });
        if (!response.ok && response.status >= 500) return;
      } catch (error) { return; }
      const marks = unsentMarks();
      if (marks[at] === state) delete marks[at];
      keepMarks(marks);
    }
  }

  function tickChosen() {
    const field = current();
    if (!field) return;
    const chosen = new Set((answers[position] || "").split(","));
    field.querySelectorAll("input[name=answer]").forEach((/** @type {HTMLInputElement} */ input) => {
      input.checked = chosen.has(input.value);
    });
    const mark = field.querySelector("[data-mark]");
    if (mark) {
      mark.setAttribute("aria-pressed", String(marked.has(position)));
      mark.querySelector("span").textContent = marked.has(position) ? mark.dataset.on : mark.dataset.off;
    }
  }

  /** Show another question in place; false when its text is not here yet. @param {number} number @param {boolean} [push] */
  function show(number, push) {
    const source = questions && questions.querySelector('[data-question="' + number + '"]');
    if (!source || number < 1 || number > total) return false;
    find("[data-holder]").replaceChildren ? find("[data-holder]").replaceChildren(document.importNode(source, true))
      : (find("[data-holder]").textContent = "", find("[data-holder]").appendChild(document.importNode(source, true)));
    position = number;
    data.position = String(number);
    form.action = data.base + number;
    if (push !== false) history.pushState({ position: number }, "", data.base + number);
    document.title = words(data.title, { number }) + document.title.slice(document.title.indexOf(" · "));
    const place = find("[data-place]");
    if (place) place.textContent = String(number);
    const [back, next] = [find("[data-go='-1']"), find("[data-go='1']")];
    const size = find("[data-switches]");
    if (size) { // the switches lead back to this question
      size.href = size.dataset.switches + "?next=" + encodeURIComponent(data.base + number);
      find(".footer input[name=next]").value = data.base + number;
    }
    if (back) back.hidden = number === 1;
    if (next) next.querySelector("span").textContent = number === total ? next.dataset.last : next.dataset.next;
    unnotice("resumed");
    unnotice("back");
    unnotice("stay");
    tickChosen();
    if (data.state === "closed") lock();
    window.scrollTo(0, 0);
    const heading = find("[data-holder] h1");
    if (heading) { heading.tabIndex = -1; heading.focus({ preventScroll: true }); }
    refresh();
    return true;
  }

  async function toSummary() {
    const stop = typeof AbortController === "function" ? new AbortController() : null;
    const wait = setTimeout(() => stop && stop.abort(), OFFLINE_WAIT);
    try {
      await fetch(data.submit, { method: "HEAD", credentials: "same-origin", signal: stop ? stop.signal : undefined });
      location.assign(data.submit);
    } catch (error) {
      const left = await refresh();
      if (left) {
        notice("attention", words(notices.dataset.offlineTitle, { count: left }), notices.dataset.offlineText, "offline");
        wasOffline = true;
        send();
      } else notice("attention", notices.dataset.stayTitle, notices.dataset.stayText, "stay");
    } finally {
      clearTimeout(wait);
    }
  }

  /** The browser's back button shows pages as they were: one whose paper was handed in meanwhile gives way to the result. */
  async function leaveIfClosed() {
    try {
      const response = await fetch(location.href, { method: "HEAD", credentials: "same-origin", cache: "no-store" });
      if (response.redirected && response.url.endsWith("/result")) location.replace(response.url);
    } catch (error) { /* no network: the page stays */ }
  }

  /** @param {Event} event */
  function answered(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input.name !== "answer" || data.state === "closed") return;
    const chosen = inputs().filter((one) => one.checked).map((one) => one.value);
    keep(position, chosen.sort().join(","));
  }

  /** Keep an answer on the phone, then send it. @param {number} at @param {string} text */
  async function keep(at, text) {
    if (answers[at] === text) return;
    answers[at] = text;
    delete refused[at];
    data.state = "waiting";
    storing += 1;
    try {
      await outbox.put(attempt, at, text);
    } catch (error) {
      form.submit(); // the phone's storage failed: the form goes straight to the server
      return;
    }
    storing -= 1;
    const count = await refresh();
    unnotice("back");
    if (wasOffline) {
      unnotice("offline"); // said once in full; from now on the line says it
      say("offline", { count });
    }
    tries = 0;
    send();
  }

  /** @param {MouseEvent} event */
  function pressed(event) {
    const target = /** @type {Element} */ (event.target).closest("[data-go], [data-mark], [data-number], [data-next-open], [data-sheet], [data-to-summary], [data-submit-button]");
    if (!target) return;
    const element = /** @type {HTMLElement} */ (target);
    if ("submitButton" in element.dataset) {
      event.preventDefault();
      const label = element.querySelector("span");
      element.classList.add("button-busy");
      if (label && element.dataset.busy) label.textContent = element.dataset.busy;
      handIn();
      return;
    }
    if (summary) return;
    const sheet = find("#numbers");
    if ("sheet" in element.dataset) {
      const card = find("[data-grid-card]:not([hidden]) .number-cell[aria-current]");
      if (!card && (!sheet || typeof sheet.showModal !== "function")) return;
      event.preventDefault();
      if (card) card.focus(); else sheet.showModal();
      return;
    }
    if ("mark" in element.dataset) {
      event.preventDefault();
      if (marked.has(position)) marked.delete(position); else marked.add(position);
      tickChosen();
      refresh();
      keepMarks(Object.assign(unsentMarks(), { [position]: marked.has(position) ? "1" : "0" }));
      sendMarks();
      return;
    }
    if ("toSummary" in element.dataset) {
      event.preventDefault();
      if (sheet && sheet.open) sheet.close();
      toSummary();
      return;
    }
    let number = 0;
    if ("go" in element.dataset) number = position + Number(element.dataset.go);
    else if ("number" in element.dataset) number = Number(element.dataset.number);
    else for (let one = 1; one <= total && !number; one += 1) if (!answers[one]) number = one;
    if (number > total || (!number && "nextOpen" in element.dataset)) {
      event.preventDefault();
      toSummary();
    } else if (show(number)) {
      event.preventDefault();
      if (sheet && sheet.open) sheet.close();
    }
  }

  // ---- begin ----

  (async () => {
    const [at, early] = [position, summary ? null : chosenBefore()];
    for (const [number, state] of Object.entries(unsentMarks())) if (state === "1") marked.add(Number(number)); else marked.delete(Number(number));
    await outbox.begin(attempt, data.saveUrl, Number(data.highest), stored, Number(data.now)).catch(() => undefined);
    for (const one of await outbox.kept(attempt)) {
      const there = stored[one.position];
      if (one.state !== "refused" && (!there || there[1] <= one.sequence)) answers[one.position] = one.answer;
    }
    if (early !== null) await keep(at, early);
    if (!summary) tickChosen();
    if (await refresh() && !closed) send();
    else if (!closed) sendMarks();
    form.dataset.ready = "";
  })();

  document.addEventListener("click", pressed);
  if (!closed) {
    form.addEventListener("change", answered);
    tick();
    const wake = () => { tries = 0; sendMarks(); outbox.waiting(attempt).then((/** @type {any[]} */ list) => list.length && send()); };
    window.addEventListener("online", wake);
    window.addEventListener("pageshow", (event) => {
      const [arrival] = performance.getEntriesByType("navigation");
      if (event.persisted || (arrival && /** @type {any} */ (arrival).type === "back_forward")) leaveIfClosed();
      wake();
    });
    document.addEventListener("visibilitychange", async () => {
      if (document.visibilityState !== "visible") return;
      for (const one of await outbox.kept(attempt)) if (one.state !== "refused") answers[one.position] = one.answer;
      if (!summary) tickChosen();
      wake();
    });
  }
  if (!summary) {
    placeNumbers();
    wide.addListener(placeNumbers); // the older name: iOS 13 knows no other
    let asked = false;
    underWorker(() => {
      // it has not seen the page: it takes it now, for a reload without network, and the questions where they came before it
      fetch(location.href, { credentials: "same-origin" }).catch(() => undefined);
      unseen = asked;
      if (unseen) keepQuestions();
    }).then(() => { asked = true; load(); });
    history.replaceState({ position }, "");
    window.addEventListener("popstate", (event) => {
      const number = event.state && event.state.position;
      if (number && !show(number, false)) location.reload();
    });
    const sheet = find("#numbers");
    if (sheet) sheet.addEventListener("click", (/** @type {Event} */ event) => { if (event.target === sheet) sheet.close(); });
    const fromAddress = Number(location.pathname.split("/").pop());
    if (fromAddress && fromAddress !== position) {
      // the stored page of a phone without network: another question than the address asks
      const wait = setInterval(() => { if (questions) { clearInterval(wait); show(fromAddress, false); } }, 50);
    }
  }
}

/**
 * Wait for the service worker, a second at most, so that it sees what the page fetches.
 * @param {() => void} taken is called when it comes after the page, be it later than that
 */
function underWorker(taken) {
  const workers = navigator.serviceWorker;
  if (!workers) return Promise.resolve();
  workers.register("/sw.js").catch(() => undefined);
  if (workers.controller) return Promise.resolve();
  return Promise.race([
    new Promise((resolve) => workers.addEventListener("controllerchange", () => { taken(); resolve(undefined); }, { once: true })),
    new Promise((resolve) => setTimeout(resolve, 1000)),
  ]);
}
