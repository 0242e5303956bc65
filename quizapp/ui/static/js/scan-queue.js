/**
 * What a scanning phone keeps: the roster and the key that it took along, and the entries that it wrote down. An entry is stored, signed
 * and numbered, before anything else happens; it is sent in order, and leaves the queue only when the server names it. Nothing decides by
 * what the browser thinks of the network: it is tried.
 *
 * @typedef {{id: number, name: string, unit: string, code: string, phone: string}} Expected
 * @typedef {{door: string, device: string, key: string, code: string, helper: boolean, out: boolean, strict: boolean, until: number,
 *   roster: Expected[], present: [number, number][], struck: number[], count: number, pending: number, ahead: number, trip: number,
 *   syncedAt: number, next: number, log: any[]}} DoorState
 * @typedef {{door: string, n: number, id: string, kind: string, method: string, person: number | null, code: string, foreign: string,
 *   name: string, phone: string, unit: string, undoes: string, at: number, sure: boolean, signature: string, sent: boolean, label: string}} Entry
 */
import { hmac, randomName } from "./scan-hash.js";

const NAME = "quizapp-scan";
const BATCH = 50;
const TIMEOUT = 20000;
const DAY = 24 * 3600 * 1000;
/** Entries that were acknowledged and are kept for the eye. */
const KEPT = 100;
/** Where IndexedDB is missing: this page's memory. @type {Record<string, Map<string, any>>} */
const memory = { doors: new Map(), entries: new Map() };

/** @type {Promise<IDBDatabase | null> | null} */
let opening = null;
function open() {
  if (!opening) {
    opening = new Promise((resolve) => {
      let request;
      try {
        request = indexedDB.open(NAME, 1);
      } catch (error) {
        resolve(null);
        return;
      }
      request.onupgradeneeded = () => {
        request.result.createObjectStore("doors", { keyPath: "door" });
        request.result.createObjectStore("entries", { keyPath: ["door", "n"] });
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
      request.onblocked = () => resolve(null);
    });
  }
  return opening;
}

/**
 * One transaction; `work` gets both stores and a function that hands its value out.
 * @param {(doors: any, entries: any, give: (value: any) => void) => void} work @returns {Promise<any>}
 */
async function change(work) {
  const database = await open();
  let value;
  const give = (/** @type {any} */ given) => { value = given; };
  if (!database) {
    work(inMemory("doors"), inMemory("entries"), give);
    return value;
  }
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(["doors", "entries"], "readwrite");
    work(transaction.objectStore("doors"), transaction.objectStore("entries"), give);
    transaction.oncomplete = () => resolve(value);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

/** The same few calls as an object store's, at once. @param {string} store */
function inMemory(store) {
  const kept = memory[store];
  const name = (/** @type {any} */ key) => JSON.stringify(key);
  const reply = (/** @type {any} */ result) => ({ set onsuccess(/** @type {(event: any) => void} */ call) { call({ target: { result } }); } });
  return {
    get: (/** @type {any} */ key) => reply(kept.get(name(key)) && Object.assign({}, kept.get(name(key)))),
    getAll: () => reply(Array.from(kept.values())),
    put: (/** @type {any} */ value) => kept.set(name(store === "doors" ? value.door : [value.door, value.n]), value),
    delete: (/** @type {any} */ key) => kept.delete(name(key)),
  };
}

/** @param {any} request @param {(result: any) => void} use */
function then(request, use) {
  request.onsuccess = (/** @type {any} */ event) => use(event.target.result);
}

/** What the phone knows of a door. @param {string} door @returns {Promise<DoorState | undefined>} */
export function load(door) {
  return change((doors, _entries, give) => then(doors.get(door), give));
}

/** Change what it knows, in one step. @param {string} door @param {(state: DoorState) => void} alter @returns {Promise<DoorState>} */
export function update(door, alter) {
  return change((doors, _entries, give) =>
    then(doors.get(door), (state) => {
      if (!state) return;
      alter(state);
      doors.put(state);
      give(state);
    }));
}

/** Entries of a door, oldest first. @param {string} door @returns {Promise<Entry[]>} */
export async function entriesOf(door) {
  const all = await change((_doors, entries, give) => then(entries.getAll(), give));
  return all.filter((/** @type {Entry} */ one) => one.door === door).sort((/** @type {Entry} */ a, /** @type {Entry} */ b) => a.n - b.n);
}

/** @param {string} door */
export async function waitingAt(door) {
  return (await entriesOf(door)).filter((one) => !one.sent);
}

/** What the server signs over, too. @param {Entry} one */
function text(one) {
  return [one.id, one.n, one.kind, one.method, one.person === null ? "" : one.person, one.code, one.foreign, one.name, one.phone, one.unit,
    one.undoes, one.at, one.sure ? 1 : ""].join("\x1f");
}

/** Write an entry down: it is on the phone when the promise is fulfilled. @param {string} door @param {any} fields @returns {Promise<Entry>} */
export function write(door, fields) {
  const id = randomName();
  const at = Date.now();
  return change((doors, entries, give) =>
    then(doors.get(door), (state) => {
      const entry = Object.assign(
        { door, n: state.next, id, at, kind: "in", method: "personal", person: null, code: "", foreign: "", name: "", phone: "", unit: "",
          undoes: "", sure: false, sent: false, label: "", signature: "" }, fields);
      entry.signature = hmac(state.key, text(entry));
      state.next += 1;
      doors.put(state);
      entries.put(entry);
      give(entry);
    }));
}

/** @param {Entry} one */
function wire(one) {
  const { id, n, kind, method, person, code, foreign, name, phone, unit, undoes, at, sure, signature } = one;
  return { id, n, kind, method, person, code, foreign, name, phone, unit, undoes, at, sure, signature };
}

/** The queue as a file that the server takes. @param {string} door */
export async function asFile(door) {
  const [state, waiting] = [await load(door), await waitingAt(door)];
  if (!state) return null;
  const content = { format: "quizapp-scan-1", session: state.code, device: state.device, saved_at: Date.now(), entries: waiting.map(wire) };
  return { name: `scan-${state.code}-${state.device.slice(0, 4)}.json`, content: JSON.stringify(content), count: waiting.length };
}

/**
 * One request. Anything but our own JSON (a captive portal's page, silence) is "offline"; a refusal carries our words.
 * @param {string} address @param {any} body
 */
async function post(address, body) {
  const stop = typeof AbortController === "function" ? new AbortController() : null;
  const timer = setTimeout(() => stop && stop.abort(), TIMEOUT);
  try {
    const response = await fetch(address, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
      signal: stop ? stop.signal : undefined,
    });
    const reply = await response.json();
    if (response.ok && typeof reply.now === "number") return { reply };
    if (reply.error && response.status < 500 && response.status !== 429) return { refused: { status: response.status, code: reply.error.code, message: reply.error.message } };
    return { offline: true };
  } catch (error) {
    return { offline: true };
  } finally {
    clearTimeout(timer);
  }
}

/** How far the phone's clock is ahead of the server's, by the middle of a round trip. @param {DoorState} state @param {any} reply @param {number} began */
function measure(state, reply, began) {
  const ended = Date.now();
  state.trip = ended - began;
  state.ahead = Math.round((began + ended) / 2) - reply.now;
  state.syncedAt = ended;
  for (const name of ["count", "pending", "strict", "present", "struck"]) {
    if (reply[name] !== undefined) /** @type {any} */ (state)[name] = reply[name];
  }
}

/**
 * Take roster and key along, or the roster anew. Where the server takes the phone for another (somebody else signed in, or it was shut
 * out) while entries wait, what it has stays: they are signed with the key of before.
 * @param {string} door
 */
export async function register(door) {
  await forget();
  const [before, waiting] = [await load(door), await waitingAt(door)];
  const began = Date.now();
  const got = await post(door + "/device", { device: before ? before.device : "" });
  if (!got.reply) return got;
  const { reply } = got;
  const { device, key, code, helper, out, until, roster } = reply;
  if (before && before.device !== device && waiting.length) return got;
  await change((doors) =>
    then(doors.get(door), (kept) => {
      const state = Object.assign({ next: 1, log: [] }, kept, { door, device, key, code, helper, out, until, roster });
      measure(/** @type {any} */ (state), reply, began);
      doors.put(state);
    }));
  return got;
}

/** Rosters of sessions that ended a day ago go, unless something still waits there. */
async function forget() {
  await change((doors, entries) =>
    then(doors.getAll(), (all) => then(entries.getAll(), (rows) => {
      for (const state of all) {
        const own = rows.filter((/** @type {Entry} */ one) => one.door === state.door);
        if (Date.now() - state.ahead < state.until + DAY || own.some((/** @type {Entry} */ one) => !one.sent)) continue;
        doors.delete(state.door);
        for (const one of own) entries.delete([one.door, one.n]);
      }
    })));
}

/** @type {Promise<any>} */
let before = Promise.resolve();

/** Send what waits and hear how things stand; one sender at a time over all tabs. @param {string} door @param {boolean} fresh */
export function sync(door, fresh) {
  const locks = navigator.locks;
  const next = before.catch(() => undefined).then(() => (locks ? locks.request("scan:" + door, () => send(door, fresh)) : send(door, fresh)));
  before = next;
  return next;
}

/** @param {string} door @param {boolean} fresh */
async function send(door, fresh) {
  /** @type {any[]} */
  const results = [];
  for (;;) {
    const state = await load(door);
    if (!state) return { offline: true };
    const batch = (await waitingAt(door)).slice(0, BATCH);
    const began = Date.now();
    const got = await post(door + "/entries", {
      device: state.device, sent_at: began, round_trip: state.trip, fresh, entries: batch.map(wire),
    });
    if (!got.reply) return Object.assign(got, { results });
    const named = new Map(got.reply.results.map((/** @type {any} */ one) => [one.client_id, one]));
    await change((doors, entries) => {
      then(doors.get(door), (kept) => {
        measure(kept, got.reply, began);
        doors.put(kept);
      });
      for (const one of batch) {
        if (!named.has(one.id)) continue;
        // what the server has is kept here without what it was about
        entries.put(Object.assign({}, one, { sent: true, code: "", name: "", phone: "", unit: "" }));
        then(entries.get([door, one.n - KEPT]), (old) => old && old.sent && entries.delete([door, old.n]));
      }
    });
    results.push(...got.reply.results);
    if (batch.length < BATCH || named.size === 0) return { reply: got.reply, results };
  }
}
