/**
 * Keeps answers on the phone until the server has them. Shared by the taking page and the service worker, hence no import or export:
 * it hangs one object, `answerOutbox`, on the global.
 *
 * Each answer is stored before it is sent, under (attempt, position), with a sequence that all tabs draw from one counter. Only what
 * the server names as saved or superseded leaves the queue; the rest is sent again. Nothing is deleted until a day after the submit was
 * acknowledged, so that a server that was set back to an older state gets the missing answers again.
 *
 * @typedef {{attempt: string, position: number, answer: string, sequence: number, state: "waiting" | "saved" | "refused", reason?: string, savedAt?: number}} Kept
 * @typedef {{attempt: string, url: string, highest: number, closedAt?: number}} Meta
 * @typedef {{outcome: "done" | "offline" | "busy" | "gone", sent: number, refused: Kept[], now?: number}} Flushed
 */
(function (root) {
  "use strict";

  const NAME = "quizapp-answers";
  const BATCH = 20;
  const DAY = 24 * 3600 * 1000;
  const TIMEOUT = 15000;
  /** Where IndexedDB is missing: this page's memory. @type {Map<string, Kept | Meta>} */
  const memory = new Map();
  /** @type {Promise<IDBDatabase | null> | null} */
  let opening = null;
  /** @type {Record<string, Promise<Flushed>>} */
  const running = {};

  /** @returns {Promise<IDBDatabase | null>} */
  function open() {
    if (!opening) {
      opening = new Promise((resolve) => {
        let request;
        try {
          request = root.indexedDB.open(NAME, 1);
        } catch (error) {
          resolve(null);
          return;
        }
        request.onupgradeneeded = () => {
          request.result.createObjectStore("answers", { keyPath: ["attempt", "position"] });
          request.result.createObjectStore("attempts", { keyPath: "attempt" });
        };
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => resolve(null);
        request.onblocked = () => resolve(null);
      });
    }
    return opening;
  }

  /**
   * Run one transaction over both stores; `work` gets them and may set `result.value`.
   * @param {(answers: any, attempts: any, result: {value: any}) => void} work
   */
  async function change(work) {
    const database = await open();
    const result = { value: undefined };
    if (!database) {
      work(memoryStore("answers"), memoryStore("attempts"), result);
      return result.value;
    }
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(["answers", "attempts"], "readwrite");
      work(transaction.objectStore("answers"), transaction.objectStore("attempts"), result);
      transaction.oncomplete = () => resolve(result.value);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }

  /** The same few calls as an object store, at once. @param {string} store */
  function memoryStore(store) {
    const prefix = store + ":";
    /** @param {any} key */
    const name = (key) => prefix + JSON.stringify(key);
    /** @param {any} value */
    const reply = (value) => {
      const request = { result: value, set onsuccess(/** @type {() => void} */ callback) { callback(); } };
      return request;
    };
    return {
      get: (/** @type {any} */ key) => reply(memory.get(name(key))),
      getAll: () => reply(Array.from(memory.entries()).filter(([key]) => key.startsWith(prefix)).map(([, value]) => value)),
      put: (/** @type {any} */ value) => memory.set(name(store === "answers" ? [value.attempt, value.position] : value.attempt), value),
      delete: (/** @type {any} */ key) => memory.delete(name(key)),
    };
  }

  /** All kept answers of an attempt. @param {string} attempt @returns {Promise<Kept[]>} */
  function kept(attempt) {
    return change((answers, _attempts, result) => {
      const request = answers.getAll();
      request.onsuccess = () => {
        result.value = request.result.filter((/** @type {Kept} */ one) => one.attempt === attempt);
      };
    });
  }

  /**
   * Tell the outbox what the server had at `now` (its clock). Answers that it acknowledged before and does not have are put in the queue
   * again; a page that is older than the acknowledgement (kept for a phone without network) says nothing about it.
   * @param {string} attempt @param {string} url @param {number} highest @param {Record<string, [string, number]>} stored @param {number} now
   */
  async function begin(attempt, url, highest, stored, now) {
    await change((answers, attempts) => {
      const request = attempts.get(attempt);
      request.onsuccess = () => {
        const meta = request.result || { attempt, url, highest: 0 };
        meta.url = url;
        meta.highest = Math.max(meta.highest, highest);
        attempts.put(meta);
      };
      const all = answers.getAll();
      all.onsuccess = () => {
        for (const one of all.result) {
          if (one.attempt !== attempt || one.state !== "saved" || (one.savedAt || 0) > now) continue;
          const there = stored[one.position];
          if (!there || there[1] < one.sequence) answers.put(Object.assign({}, one, { state: "waiting" }));
        }
      };
    });
  }

  /** Keep an answer: stored on the phone when the promise is fulfilled. @param {string} attempt @param {number} position @param {string} answer */
  function put(attempt, position, answer) {
    return change((answers, attempts, result) => {
      const request = attempts.get(attempt);
      request.onsuccess = () => {
        const meta = request.result || { attempt, url: "", highest: 0 };
        meta.highest += 1;
        attempts.put(meta);
        result.value = meta.highest;
        answers.put({ attempt, position, answer, sequence: meta.highest, state: "waiting" });
      };
    });
  }

  /** @param {string} attempt @returns {Promise<Kept[]>} */
  async function waiting(attempt) {
    return (await kept(attempt)).filter((one) => one.state === "waiting").sort((a, b) => a.sequence - b.sequence);
  }

  /** Send what waits, oldest first, one sender at a time over all tabs. @param {string} attempt @returns {Promise<Flushed>} */
  function flush(attempt) {
    const before = running[attempt] || Promise.resolve();
    const locks = root.navigator && root.navigator.locks;
    const next = before.catch(() => undefined).then(() =>
      locks ? locks.request("answers:" + attempt, () => send(attempt)) : send(attempt));
    running[attempt] = next;
    return next;
  }

  /** @param {string} attempt @returns {Promise<Flushed>} */
  async function send(attempt) {
    /** @type {Flushed} */
    const done = { outcome: "done", sent: 0, refused: [] };
    for (;;) {
      const batch = (await waiting(attempt)).slice(0, BATCH);
      if (!batch.length) return done;
      const meta = await change((_answers, attempts, result) => {
        const request = attempts.get(attempt);
        request.onsuccess = () => { result.value = request.result; };
      });
      const reply = await post(meta.url, batch);
      if (typeof reply === "string") return Object.assign(done, { outcome: reply });
      done.now = reply.now;
      const refused = await settle(attempt, batch, reply);
      done.sent += batch.length - refused.length;
      done.refused = done.refused.concat(refused);
      if (refused.some((one) => one.reason === "not_yours")) return Object.assign(done, { outcome: "gone" });
    }
  }

  /**
   * One request. Anything but our own JSON (a captive portal's page, an error, silence) is "not delivered":
   * "offline" where nothing came back, "busy" where something did that is no acknowledgement.
   * @param {string} url @param {Kept[]} batch
   */
  async function post(url, batch) {
    const stop = typeof AbortController === "function" ? new AbortController() : null;
    const timer = setTimeout(() => stop && stop.abort(), TIMEOUT);
    try {
      const items = batch.map((one) => ({ position: one.position, answer: one.answer, sequence: one.sequence }));
      const response = await fetch(url, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ items }),
        signal: stop ? stop.signal : undefined,
      });
      const reply = response.ok ? await response.json() : null;
      return reply && Array.isArray(reply.results) && reply.results.length === batch.length ? reply : "busy";
    } catch (error) {
      return "offline";
    } finally {
      clearTimeout(timer);
    }
  }

  /** Write down what the server said. @param {string} attempt @param {Kept[]} batch @param {any} reply @returns {Promise<Kept[]>} */
  function settle(attempt, batch, reply) {
    return change((answers, attempts, result) => {
      result.value = [];
      const request = attempts.get(attempt);
      request.onsuccess = () => {
        const meta = request.result;
        meta.highest = Math.max(meta.highest, reply.highest || 0);
        attempts.put(meta);
      };
      batch.forEach((sent, index) => {
        const said = reply.results[index];
        const request = answers.get([attempt, sent.position]);
        request.onsuccess = () => {
          const now = request.result;
          if (!now || now.sequence !== sent.sequence) return; // answered again meanwhile: that one still waits
          const kept = { state: "saved", savedAt: reply.now };
          if (said.status === "saved") answers.put(Object.assign({}, now, kept));
          else if (said.status === "superseded") {
            answers.put(Object.assign({}, now, kept, { answer: said.answer || "", sequence: said.sequence }));
          } else {
            const refused = Object.assign({}, now, { state: "refused", reason: said.status });
            answers.put(refused);
            result.value.push(refused);
          }
        };
      });
    });
  }

  /** The submit was acknowledged: from a day later on the answers may go. @param {string} attempt */
  async function closed(attempt) {
    const now = Date.now();
    await change((answers, attempts) => {
      const request = attempts.getAll();
      request.onsuccess = () => {
        for (const meta of request.result) {
          if (meta.attempt === attempt && !meta.closedAt) attempts.put(Object.assign({}, meta, { closedAt: now }));
          if (!meta.closedAt || now - meta.closedAt < DAY) continue;
          attempts.delete(meta.attempt);
          const all = answers.getAll();
          all.onsuccess = () => {
            for (const one of all.result) if (one.attempt === meta.attempt) answers.delete([one.attempt, one.position]);
          };
        }
      };
    });
  }

  /** Send what waits of all attempts (the service worker, when the network is back). */
  async function flushAll() {
    const attempts = await change((_answers, store, result) => {
      const request = store.getAll();
      request.onsuccess = () => { result.value = request.result; };
    });
    for (const meta of attempts) await flush(meta.attempt);
  }

  root.answerOutbox = { begin, put, kept, waiting, flush, flushAll, closed };
})(/** @type {any} */ (self));
