/**
 * The scan page: one person a second. What a code means is said from the roster on this phone, at once, with or without a network; the
 * server's word comes later and corrects the log.
 */
import { asFile, entriesOf, load, register, sync, update, waitingAt, write } from "./scan-queue.js";
import { hmac } from "./scan-hash.js";
import { signal, unlock } from "./scan-signal.js";

const PREFIX = "QZP:";
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const FRAME_PAUSE = 120;
const LARGEST = 800;
/** How long a code that is still before the camera is not read again, and a result can be undone. */
const IGNORED = 3000;
const UNDO = 20000;
const LOG = 20;
/** When the queue needs a place with a network. */
const MOST_WAITING = 50;
const OLDEST_SYNC = 10 * 60 * 1000;
const HEARTBEAT = 60000;

const page = /** @type {HTMLElement} */ (document.querySelector("[data-scan]"));
const door = page.dataset.scan || "";
/** @type {Record<string, string>} */
const words = JSON.parse(page.dataset.words || "{}");
/** @param {string} selector @returns {any} */
const find = (selector) => page.querySelector(selector);
const parts = {
  result: find("[data-result]"), camera: find("[data-camera]"), video: find("video"), input: find("#code"), found: find("[data-found]"),
  status: find("[data-status]"), stop: find("[data-stop]"), reason: find("[data-reason]"), log: find("[data-log]"),
};

/** @type {import("./scan-queue.js").DoorState | undefined} */
let state;
/** @type {Map<string, import("./scan-queue.js").Expected>} */
let byCode = new Map();
/** @type {Map<number, import("./scan-queue.js").Expected>} */
let byId = new Map();
/** Person or hash of a code → when this phone or another saw them first, by the server's clock. @type {Map<number | string, number>} */
let present = new Map();
/** The same for checking out, this phone only. @type {Map<number | string, number>} */
const left = new Map();
/** @type {any} */
let refused = null;
let waiting = 0;

// --- codes -----------------------------------------------------------------------------------------------------------------

/** The twelve characters of a personal code, or "". @param {string} scanned */
function readCode(scanned) {
  const typed = scanned.normalize("NFKC").trim().toUpperCase();
  const plain = typed.startsWith(PREFIX) ? typed.slice(PREFIX.length) : typed;
  if (!/^[0-9A-Z\s-]+$/.test(plain)) return "";
  const code = clean(plain);
  return code.length === 12 && checked(code) ? code : "";
}

/** @param {string} text */
function clean(text) {
  const folded = text.normalize("NFKC").toUpperCase().replace(/[IL]/g, "1").replace(/O/g, "0");
  return Array.from(folded).filter((one) => ALPHABET.includes(one)).join("");
}

/** @param {string} code */
function checked(code) {
  let sum = 0;
  for (let i = 0; i < 11; i += 1) sum += (2 * i + 1) * ALPHABET.indexOf(code[i]);
  return ALPHABET[sum % 32] === code[11];
}

// --- deciding --------------------------------------------------------------------------------------------------------------

/** The wall clock in the zone of the page's other times. @param {number} at @param {object} more */
function wall(at, more) {
  const shown = Object.assign({ timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hour12: false }, more);
  return new Date(at).toLocaleTimeString("zh-CN", shown);
}

/** @param {number} at the server's clock */
function clock(at) {
  return wall(at, { second: "2-digit" });
}

/** Now, by the server's clock. */
function now() {
  return Date.now() - (state ? state.ahead : 0);
}

function kind() {
  const chosen = find("input[name=kind]:checked");
  return chosen && state && state.out ? chosen.value : "in";
}

/** What a scanned or typed text means; shown at once, then written down. @param {string} scanned @param {number} began */
function take(scanned, began) {
  if (!state) return;
  const code = readCode(scanned);
  if (!code) {
    const hash = hmac(state.key, "foreign " + scanned);
    show({ outcome: "foreign", name: "", second: words.notOurs, began });
    if (!present.has(hash)) record({ foreign: hash }, { outcome: "foreign", name: "", second: words.notOurs, key: hash });
    return;
  }
  const hash = hmac(state.key, "code " + code).slice(0, 32);
  const person = byCode.get(hash);
  if (person) arrive({ key: person.id, name: person.name, unit: person.unit, fields: { person: person.id }, expected: true, began });
  else arrive({ key: hash, name: words.unknown.replace("{end}", code.slice(-4)), unit: "", fields: { code }, expected: !state.strict, began });
}

/**
 * @param {{key: number | string, name: string, unit: string, fields: any, expected: boolean, began: number}} who
 */
function arrive(who) {
  if (!state) return;
  const out = kind() === "out";
  const seen = out ? left : present;
  const first = seen.get(who.key);
  if (first !== undefined) {
    const second = (out ? words.firstOut : words.first).replace("{time}", clock(first));
    show({ outcome: "again", name: who.name, second, began: who.began });
    keepLog({ outcome: "again", name: who.name, second, at: now() });
    return;
  }
  const at = now();
  const struck = typeof who.key === "number" && state.struck.includes(who.key);
  if (!out && (struck || !who.expected)) {
    const second = state.helper ? (struck ? words.struckHelper : words.walkInHelper) : struck ? words.struck : words.walkIn;
    seen.set(who.key, at);
    const fields = Object.assign({ kind: "in" }, who.fields);
    show({ outcome: "ask", name: who.name, second, began: who.began, key: who.key, undo: state.helper, confirm: state.helper ? null : { who, fields } });
    record(fields, { outcome: "ask", name: who.name, second, key: who.key });
    return;
  }
  seen.set(who.key, at);
  const second = [who.unit, clock(at)].filter(Boolean).join(" · ");
  const outcome = out ? "out" : "in";
  show({ outcome, name: who.name, second, began: who.began, key: who.key, undo: true });
  record(Object.assign({ kind: outcome }, who.fields), { outcome, name: who.name, second, key: who.key });
}

/** The entry behind what is shown. @type {Promise<any>} */
let lastEntry = Promise.resolve(null);
/** Number of the result that shows it. */
let entryShown = 0;

/** Write an entry down, put it in the log, try to send it. @param {any} fields @param {any} row */
function record(fields, row) {
  if (row.outcome === "foreign") present.set(row.key, now());
  entryShown = shown;
  lastEntry = write(door, Object.assign({ label: row.name }, fields)).then(async (entry) => {
    await keepLog(Object.assign({ id: entry.id, at: now(), waiting: true }, row));
    send(false);
    return entry;
  });
  waiting += 1;
  showCounts();
  return lastEntry;
}

// --- showing ---------------------------------------------------------------------------------------------------------------

let shown = 0;

/**
 * The result block, with sound and vibration. @param {{outcome: string, name: string, second: string, began: number, key?: any, undo?: boolean, confirm?: any}} one
 */
function show(one) {
  signal(one.outcome);
  const took = performance.now() - one.began;
  const number = (shown += 1);
  const { result } = parts;
  result.className = "scan-result scan-result-" + one.outcome;
  result.querySelector("[data-word]").textContent = words[one.outcome];
  result.querySelector("[data-name]").textContent = one.name;
  result.querySelector("[data-second]").textContent = one.second;
  for (const icon of result.querySelectorAll("[data-icon]")) icon.toggleAttribute("hidden", icon.getAttribute("data-icon") !== one.outcome);
  const [undo, confirm] = [result.querySelector("[data-undo]"), result.querySelector("[data-confirm]")];
  undo.hidden = !one.undo;
  confirm.hidden = !one.confirm;
  result.hidden = false;
  result.dataset.outcome = one.outcome;
  result.dataset.took = String(Math.round(took));
  result.dataset.number = String(number);
  if (one.undo) {
    undo.onclick = () => takeBack(one);
    setTimeout(() => { if (shown === number) undo.hidden = true; }, UNDO);
  }
  confirm.onclick = one.confirm ? () => approve(one) : null;
}

/** Entries that this page took back: the server's word on them comes too late. @type {Set<string>} */
const takenBack = new Set();

/** @param {any} one */
async function takeBack(one) {
  unlock();
  const target = await lastEntry;
  if (!target) return;
  takenBack.add(target.id);
  present.delete(one.key);
  left.delete(one.key);
  await update(door, (kept) => { kept.present = kept.present.filter(([person]) => person !== one.key); });
  show({ outcome: "undone", name: one.name, second: clock(now()), began: performance.now() });
  record({ kind: "undo", method: target.method, undoes: target.id }, { outcome: "undone", name: one.name, second: clock(now()), key: null });
}

/** The trainer lets somebody in who was not expected. @param {any} one */
function approve(one) {
  unlock();
  const { who, fields } = one.confirm;
  const at = now();
  const second = [who.unit, clock(at)].filter(Boolean).join(" · ");
  present.set(who.key, at);
  show({ outcome: "in", name: who.name, second, began: performance.now(), key: who.key });
  record(Object.assign({}, fields, { sure: true }), { outcome: "in", name: who.name, second, key: who.key });
}

/** @param {any} row */
async function keepLog(row) {
  const kept = await update(door, (one) => { one.log = [row].concat(one.log || []).slice(0, LOG); });
  if (kept) state = kept;
  drawLog();
}

const CHIPS = { in: "green", out: "green", again: "amber", foreign: "red", ask: "blue", undone: "neutral" };

function drawLog() {
  if (!state) return;
  const rows = state.log || [];
  parts.log.hidden = !rows.length;
  find("[data-log-empty]").hidden = Boolean(rows.length);
  parts.log.textContent = "";
  for (const row of rows) {
    const line = document.createElement("li");
    line.className = "list-row";
    line.dataset.outcome = row.outcome;
    const chip = element("span", "chip chip-" + /** @type {any} */ (CHIPS)[row.outcome], words[row.outcome]);
    const body = element("div", "list-row-body", "");
    body.append(element("span", "list-row-title", row.name || words.notOurs));
    const second = row.name ? row.second : clock(row.at);
    body.append(element("span", "list-row-second", second + (row.waiting ? " · " + words.waiting : "")));
    line.append(chip, body);
    parts.log.append(line);
  }
}

/** @param {string} tag @param {string} name @param {string} text */
function element(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

/** @param {number} at by this phone's clock */
function hour(at) {
  return wall(at, {});
}

function showCounts() {
  const counts = [find("[data-count]"), find("[data-waiting]"), find("[data-synced]")];
  const late = Boolean(state) && (waiting > MOST_WAITING || Date.now() - /** @type {any} */ (state).syncedAt > OLDEST_SYNC);
  if (state) counts[0].textContent = String(state.count + fresh());
  counts[1].textContent = String(waiting);
  counts[2].textContent = state ? hour(state.syncedAt) : "–";
  counts[1].parentElement.classList.toggle("scan-late", waiting > 0);
  counts[2].parentElement.classList.toggle("scan-late", late);
  page.dataset.waiting = String(waiting);
  const { stop } = parts;
  const [title, why, link] = [stop.querySelector("b"), stop.querySelectorAll("p")[1], stop.querySelector("a")];
  link.hidden = true;
  stop.hidden = false;
  if (!state) {
    title.textContent = refused && refused.message ? words.refused : words.noRoster;
    why.textContent = refused && refused.message ? refused.message : words.noRosterWhy;
    stop.hidden = !tried;
  } else if (refused) {
    const signIn = refused.status === 401;
    title.textContent = signIn ? words.signIn : words.refused;
    why.textContent = signIn ? words.signInWhy : refused.message;
    link.hidden = !signIn;
  } else if (late) {
    title.textContent = words.stop;
    why.textContent = words.stopWhy.replace("{count}", String(waiting)).replace("{time}", hour(state.syncedAt));
  } else stop.hidden = true;
}

/** Arrivals that the server does not know of yet. */
function fresh() {
  return (state ? state.log || [] : []).filter((/** @type {any} */ row) => row.waiting && row.outcome === "in").length;
}

/** What the queue holds, for whoever looks. */
async function drawQueue() {
  const rows = await waitingAt(door);
  waiting = rows.length;
  showCounts();
  const list = find("[data-queue-list]");
  list.textContent = "";
  find("[data-queue-status]").textContent = rows.length ? words.people.replace("{count}", String(rows.length)) : words.nothing;
  for (const row of rows.slice(0, 100)) list.append(element("li", "", hour(row.at) + " " + (row.label || words.foreign)));
}

// --- the server ------------------------------------------------------------------------------------------------------------

let pause = 1000;
let tried = false;
/** @type {any} */
let timer = null;
let freshAt = 0;

/** @param {boolean} byHand */
async function send(byHand) {
  clearTimeout(timer);
  if (!state) {
    await begin();
    return;
  }
  const wantsFresh = byHand || Date.now() - freshAt > HEARTBEAT / 2;
  const got = await sync(door, wantsFresh);
  if (got.results && got.results.length) await correct(got.results);
  state = (await load(door)) || state;
  if (got.reply) {
    refused = null;
    pause = 1000;
    if (wantsFresh) {
      freshAt = Date.now();
      learn();
    }
  } else {
    refused = got.refused || null;
    pause = Math.min(pause * 2, 60000);
  }
  await drawQueue();
  drawLog();
  again(got.reply ? HEARTBEAT : refused ? 60000 : pause);
}

/** @param {number} after */
function again(after) {
  clearTimeout(timer);
  timer = setTimeout(() => send(false), after);
}

/** Put the server's word into the log, and on the screen where it is about what stands there. @param {any[]} results */
async function correct(results) {
  const said = new Map(results.map((one) => [one.client_id, one]));
  const kept = await update(door, (one) => {
    for (const reply of results) {
      if (!reply.person_id || takenBack.has(reply.client_id) || !["in", "again"].includes(reply.outcome)) continue;
      one.present = one.present.filter(([person]) => person !== reply.person_id).concat([[reply.person_id, reply.at_ms]]);
      present.set(reply.person_id, reply.at_ms);
    }
    for (const row of one.log || []) {
      const reply = said.get(row.id);
      if (!reply) continue;
      row.waiting = false;
      if (reply.name) row.name = reply.name;
      if (row.outcome === "undone") continue;
      if (reply.outcome === "again") Object.assign(row, { outcome: "again", second: words.first.replace("{time}", clock(reply.at_ms)) });
      if (reply.outcome === "foreign") Object.assign(row, { outcome: "foreign", second: reply.reason === "code_revoked" ? words.revoked : words.notOurs });
      if (reply.outcome === "pending" && row.outcome !== "ask") Object.assign(row, { outcome: "ask", second: words[reply.reason] || words.walkInHelper });
      if (reply.outcome === "in" && row.outcome === "in") row.second = [reply.unit, clock(reply.at_ms)].filter(Boolean).join(" · ");
    }
  });
  if (!kept) return;
  state = kept;
  const last = await lastEntry;
  const reply = last && said.get(last.id);
  const row = reply && kept.log.find((/** @type {any} */ one) => one.id === last.id);
  const { result } = parts;
  if (!row || row.outcome === "undone" || shown !== entryShown) return;
  if (row.outcome !== result.dataset.outcome) {
    show({ outcome: row.outcome, name: row.name, second: row.second, began: performance.now() });
  } else if (reply.name) result.querySelector("[data-name]").textContent = reply.name;
}

/** Take over what came from the server. */
function learn() {
  if (!state) return;
  byCode = new Map(state.roster.filter((one) => one.code).map((one) => [one.code, one]));
  byId = new Map(state.roster.map((one) => [one.id, one]));
  const queued = new Map(Array.from(present).filter(([key]) => typeof key === "string"));
  for (const row of state.log || []) if (row.waiting && typeof row.key === "number" && row.outcome !== "undone") queued.set(row.key, row.at);
  for (const row of (state.log || []).slice().reverse()) {
    if (row.outcome === "undone") continue;
    if (typeof row.key === "string") queued.set(row.key, row.at);
  }
  present = new Map([...queued, ...state.present]);
  find("[data-out-choice]").hidden = !state.out;
}

async function begin() {
  state = await load(door);
  const got = await register(door);
  tried = true;
  refused = got.refused || null;
  state = (await load(door)) || state;
  if (state) {
    if (got.reply) freshAt = Date.now();
    await replay();
    learn();
    page.dataset.ready = got.reply ? "online" : "offline";
    await drawQueue();
    drawLog();
    if (waiting) send(false);
    else again(HEARTBEAT);
  } else {
    showCounts();
    pause = Math.min(pause * 2, 60000);
    again(pause);
  }
}

/** After a reload: who was written down here and is not on the server yet. */
async function replay() {
  const rows = await entriesOf(door);
  const undone = new Set(rows.map((one) => one.undoes));
  for (const one of rows) {
    if (one.sent || undone.has(one.id) || !state) continue;
    const key = one.person !== null ? one.person : one.code ? hmac(state.key, "code " + one.code).slice(0, 32) : one.foreign;
    if (key && one.kind === "in") present.set(key, one.at - state.ahead);
    if (key && one.kind === "out") left.set(key, one.at - state.ahead);
  }
}

// --- typing ----------------------------------------------------------------------------------------------------------------

/** @param {string} typed @returns {import("./scan-queue.js").Expected[]} */
function candidates(typed) {
  const text = typed.normalize("NFKC").replace(/\s/g, "");
  if (!state || !text) return [];
  const digits = /^\+?[0-9-]{4,}$/.test(text) ? text.replace(/\D/g, "").slice(-4) : "";
  const lower = text.toLowerCase();
  const long = /[^\x00-\x7f]/.test(text) ? 1 : 2;
  return state.roster.filter((one) => (digits ? one.phone === digits : lower.length >= long && one.name.toLowerCase().includes(lower))).slice(0, 8);
}

function typing() {
  const typed = parts.input.value;
  const plain = typed.normalize("NFKC").trim().toUpperCase().replace(PREFIX, "");
  const code = /^[0-9A-Z\s-]+$/.test(plain) ? clean(plain) : "";
  const list = readCode(typed) ? [] : candidates(typed);
  let status = "";
  if (code.length === 12 && !readCode(typed)) status = words.mistyped;
  else if (list.length) status = words.choose;
  else if (code.length > 5 && code.length < 12) status = words.missing.replace("{count}", String(12 - code.length));
  parts.status.textContent = status;
  parts.found.textContent = "";
  parts.found.hidden = !list.length;
  for (const person of list) {
    const line = document.createElement("li");
    line.className = "scan-found";
    const button = element("button", "button button-quiet", [person.name, person.unit, person.phone && "…" + person.phone].filter(Boolean).join(" · "));
    button.setAttribute("type", "button");
    button.addEventListener("click", () => byHand(person));
    line.append(button);
    parts.found.append(line);
  }
}

/** @param {import("./scan-queue.js").Expected} person */
function byHand(person) {
  unlock();
  arrive({ key: person.id, name: person.name, unit: person.unit, fields: { person: person.id, method: "by_hand" }, expected: true, began: performance.now() });
  cleared();
}

function cleared() {
  parts.input.value = "";
  typing();
  parts.input.focus();
}

/** @param {Event} event */
function submitTyped(event) {
  event.preventDefault();
  unlock();
  const typed = parts.input.value;
  if (!typed.trim() || !state) {
    parts.input.focus();
    return;
  }
  const began = performance.now();
  if (readCode(typed)) {
    take(typed, began);
    cleared();
    return;
  }
  const list = candidates(typed);
  if (list.length === 1) byHand(list[0]);
  else if (!list.length && typed.trim().toUpperCase().startsWith(PREFIX)) show({ outcome: "foreign", name: "", second: words.mistyped, began });
  else if (!list.length && /[:/]/.test(typed)) {
    take(typed, began); // a scanner gun before somebody's other code
    cleared();
  } else {
    const mistyped = /^[0-9A-Z\s-]+$/i.test(typed.normalize("NFKC")) && clean(typed).length >= 8;
    if (!list.length) show({ outcome: "foreign", name: "", second: mistyped ? words.mistyped : words.nobody, began });
    parts.status.textContent = list.length ? words.choose : "";
    parts.input.select();
  }
}

/** @param {Event} event */
function submitWalkIn(event) {
  event.preventDefault();
  unlock();
  const [name, phone, unit] = ["name", "phone", "unit"].map((one) => find("#walk-in-" + one));
  const error = find("[data-walk-in-error]");
  const digits = phone.value.normalize("NFKC").replace(/\D/g, "").replace(/^(00)?86(?=1\d{10}$)/, "");
  const wrong = !name.value.trim() ? "name" : digits && !/^1\d{10}$/.test(digits) ? "phone" : "";
  error.hidden = !wrong;
  error.textContent = wrong ? error.dataset[wrong] : "";
  if (wrong || !state) {
    (wrong === "phone" ? phone : name).focus();
    return;
  }
  const fields = { method: "by_hand", name: name.value.trim().normalize("NFKC"), phone: digits, unit: unit.value.trim().normalize("NFKC"), sure: !state.helper };
  const key = hmac(state.key, ["walk-in", fields.name, fields.phone, digits ? "" : String(Date.now())].join(" "));
  arrive({ key, name: fields.name, unit: fields.unit, fields, expected: !state.strict || !state.helper, began: performance.now() });
  name.value = phone.value = unit.value = "";
  name.focus();
}

/** A scanner gun types; wherever the focus is, its code ends in the input. @param {KeyboardEvent} event */
function anyKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || event.key === " ") return;
  if (target.closest("input, textarea, select")) return;
  setMode("typed");
  parts.input.focus();
}

// --- the camera ------------------------------------------------------------------------------------------------------------

/** @type {Worker | null} */
let worker = null;
/** @type {Promise<boolean> | null} */
let ready = null;
/** @type {MediaStream | null} */
let stream = null;
/** @type {((text: string) => void) | null} */
let answer = null;
/** Text → when it was last before the camera. @type {Map<string, number>} */
const inView = new Map();

function startWorker() {
  if (ready) return ready;
  ready = new Promise((resolve) => {
    const { worker: script, reader, program } = page.dataset;
    if (!script || !reader || !program || typeof WebAssembly !== "object") {
      resolve(false);
      return;
    }
    worker = new Worker(script);
    worker.onmessage = (event) => {
      const { data } = event;
      if (data.ready) resolve(true);
      else if (answer) {
        parts.result.dataset.decoded = String(Math.round(data.took || 0));
        answer(data.text || "");
      }
      else if (data.failed) resolve(false);
    };
    worker.onerror = () => resolve(false);
    worker.postMessage({ reader, program });
  });
  return ready;
}

/** One for all frames: making one costs as much as reading it. */
const canvas = document.createElement("canvas");

/** @param {CanvasImageSource} source @param {number} width @param {number} height @param {number} largest @returns {Promise<string>} */
function readPicture(source, width, height, largest) {
  const share = Math.min(1, largest / Math.max(width, height));
  const [wide, high] = [Math.round(width * share), Math.round(height * share)];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  if (!drawing || !worker) return Promise.resolve("");
  drawing.drawImage(source, 0, 0, canvas.width, canvas.height);
  const picture = drawing.getImageData(0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => {
    answer = resolve;
    /** @type {Worker} */ (worker).postMessage({ picture }, [picture.data.buffer]);
  });
}

async function watch() {
  const { video } = parts;
  while (stream && document.body.dataset.mode === "camera") {
    const began = performance.now();
    if (video.videoWidth && !document.hidden) {
      const text = await readPicture(video, video.videoWidth, video.videoHeight, LARGEST);
      const at = Date.now();
      const last = inView.get(text) || 0;
      if (text) inView.set(text, at);
      if (text && at - last >= IGNORED) take(text, began);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(10, FRAME_PAUSE - (performance.now() - began))));
  }
}

async function startCamera() {
  unlock();
  const devices = navigator.mediaDevices;
  if (!window.isSecureContext || !devices || !devices.getUserMedia) return typedBecause(window.isSecureContext ? "absent" : "insecure");
  const loaded = startWorker();
  try {
    stream = stream || (await devices.getUserMedia({ video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false }));
  } catch (error) {
    const reasons = /** @type {Record<string, string>} */ ({ NotAllowedError: "denied", SecurityError: "denied", NotReadableError: "busy", AbortError: "busy" });
    return typedBecause(reasons[/** @type {any} */ (error).name] || "absent");
  }
  if (!(await loaded)) {
    stopCamera();
    return typedBecause("noReader");
  }
  parts.reason.hidden = true;
  parts.video.srcObject = stream;
  await parts.video.play().catch(() => undefined);
  const [track] = stream.getVideoTracks();
  const can = track.getCapabilities ? /** @type {any} */ (track.getCapabilities()) : {};
  torchable = Boolean(can.torch);
  track.addEventListener("ended", () => { stopCamera(); typedBecause("busy"); });
  setMode("camera");
  watch();
  keepPage(); // now the reader is here, too
  return undefined;
}

function stopCamera() {
  if (stream) for (const track of stream.getTracks()) track.stop();
  stream = null;
}

let torchable = false;
let torchOn = false;

async function torch() {
  if (!stream) return;
  torchOn = !torchOn;
  await stream.getVideoTracks()[0].applyConstraints(/** @type {any} */ ({ advanced: [{ torch: torchOn }] })).catch(() => { torchable = false; });
  setMode("camera");
}

/** @param {string} why */
function typedBecause(why) {
  const { reason } = parts;
  reason.querySelector("b").textContent = words.noCamera;
  reason.querySelectorAll("p")[1].textContent = words[why];
  reason.hidden = false;
  page.dataset.reason = why;
  setMode("typed");
  parts.input.focus();
}

/** @param {"camera" | "typed"} mode */
function setMode(mode) {
  const was = document.body.dataset.mode;
  document.body.dataset.mode = mode;
  const camera = mode === "camera";
  parts.camera.hidden = !camera;
  find("[data-torch]").hidden = !camera || !torchable;
  find("[data-torch]").setAttribute("aria-pressed", String(torchOn));
  find("[data-type]").hidden = !camera;
  find("[data-go]").hidden = camera;
  find("[data-start]").hidden = camera || Boolean(page.dataset.reason);
  if (camera && was !== "camera" && stream) parts.video.play().catch(() => undefined);
}

// --- photos and files ------------------------------------------------------------------------------------------------------

/** @param {File} file */
async function photo(file) {
  parts.status.textContent = words.reading;
  const began = performance.now();
  let text = "";
  const picture = await new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = URL.createObjectURL(file);
  });
  if (picture && document.body.dataset.mode !== "camera" && (await startWorker())) text = await readPicture(picture, picture.naturalWidth, picture.naturalHeight, 1600);
  let failed = words.photoFailed;
  if (!text) {
    const body = new FormData();
    body.append("photo", await smaller(picture, file), "photo.jpg");
    try {
      const reply = await (await fetch(door + "/photo", { method: "POST", credentials: "same-origin", headers: { Accept: "application/json" }, body })).json();
      text = reply.text || "";
      failed = reply.error ? reply.error.message : failed;
    } catch (error) {
      text = "";
    }
  }
  parts.status.textContent = "";
  if (text) take(text, began);
  else show({ outcome: "foreign", name: "", second: failed, began });
}

/** A photo of a phone is larger than a code needs. @param {any} picture @param {File} file @returns {Promise<Blob>} */
function smaller(picture, file) {
  if (!picture) return Promise.resolve(file);
  const share = Math.min(1, 1800 / Math.max(picture.naturalWidth, picture.naturalHeight));
  const small = document.createElement("canvas");
  small.width = Math.round(picture.naturalWidth * share);
  small.height = Math.round(picture.naturalHeight * share);
  const drawing = small.getContext("2d");
  if (drawing) drawing.drawImage(picture, 0, 0, small.width, small.height);
  return new Promise((resolve) => small.toBlob((blob) => resolve(blob || file), "image/jpeg", 0.85));
}

async function save() {
  const file = await asFile(door);
  if (!file) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([file.content], { type: "application/json" }));
  link.download = file.name;
  document.body.append(link);
  link.click();
  link.remove();
  find("[data-queue-status]").textContent = words.saved;
}

// --- without a network -----------------------------------------------------------------------------------------------------

/** Keep this page and all it loads, so that it opens again where no network is. */
async function keepPage() {
  if (!navigator.serviceWorker || !window.caches) return;
  try {
    await navigator.serviceWorker.register("/sw.js");
    const { worker: script, reader, program } = page.dataset;
    const loaded = performance.getEntriesByType("resource").map((one) => new URL(one.name).pathname).filter((one) => one.startsWith("/static/"));
    const needed = Array.from(new Set(loaded.concat([script, reader, program].map((one) => one || "").filter(Boolean))));
    const files = await caches.open("scan-files");
    for (const kept of await files.keys()) if (!needed.includes(new URL(kept.url).pathname)) await files.delete(kept);
    for (const one of needed) if (!(await files.match(one))) await files.add(one);
    const response = await fetch(door, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (response.ok && !response.redirected) await (await caches.open("scan-pages")).put(door, response);
    page.dataset.kept = "yes";
  } catch (error) {
    // no network just now, or no room: the page works while it is open
  }
}

// --- begin -----------------------------------------------------------------------------------------------------------------

document.body.classList.add("scan-live");
parts.result.hidden = true;
find("[data-photo]").hidden = false;
find("#scan-form").addEventListener("submit", submitTyped);
find("#walk-in-form").addEventListener("submit", submitWalkIn);
find("[data-go]").addEventListener("click", submitTyped);
find("[data-start]").addEventListener("click", startCamera);
find("[data-type]").addEventListener("click", () => { setMode("typed"); parts.input.focus(); });
find("[data-torch]").addEventListener("click", torch);
find("[data-photo]").addEventListener("click", () => { unlock(); find("[data-photo-input]").click(); });
find("[data-photo-input]").addEventListener("change", (/** @type {any} */ event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (file) photo(file);
});
find("[data-retry]").addEventListener("click", () => send(true));
find("[data-save]").addEventListener("click", save);
find("[data-queue]").addEventListener("toggle", drawQueue);
parts.input.addEventListener("input", typing);
document.addEventListener("keydown", anyKey);
document.addEventListener("pointerdown", unlock, { once: true });
for (const name of ["online", "pageshow"]) window.addEventListener(name, () => { if (state) send(false); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && state) send(false); });
setInterval(showCounts, 15000);
window.addEventListener("pagehide", stopCamera);

setMode("typed");
begin().then(keepPage);
if (!window.isSecureContext) typedBecause("insecure");
else if (!navigator.mediaDevices) typedBecause("absent");
else {
  parts.input.focus({ preventScroll: true });
  const asked = navigator.permissions && navigator.permissions.query ? navigator.permissions.query({ name: /** @type {any} */ ("camera") }) : null;
  if (asked) asked.then((one) => { if (one.state === "granted") startCamera(); else if (one.state === "denied") typedBecause("denied"); }).catch(() => undefined);
}
