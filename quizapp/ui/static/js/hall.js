/**
 * The projector page: draws the code of each twenty seconds, counts them down, and keeps the number of arrivals fresh.
 *
 * The page takes the codes of the next ninety minutes along, a few minutes at a time, and goes on without a network. Which code is due is
 * told by the server's clock: its reading at each reply, carried on by the browser's steady one; a computer with a wrong date shows the
 * right code.
 */

/** How often we ask who came, in milliseconds. */
const PAUSE = 5000;
/** How long we wait between two requests for codes, in milliseconds. */
const FILL_PAUSE = 1500;
/** So few codes may be missing at the far end. */
const ENOUGH = 3;
/** So many past codes are kept: a reply may set the clock back. */
const KEPT = 3;
/** How long the key for the whole screen stays after the mouse rested, in milliseconds. */
const KEY_STAYS = 3000;
/** Light modules around the code. */
const QUIET = 4;

const page = /** @type {HTMLElement | null} */ (document.querySelector("[data-hall]"));
/** @param {string} name @returns {HTMLElement | null} */
const part = (name) => page && page.querySelector("[data-hall-" + name + "]");
const note = part("offline");
const sentence = (note && note.textContent) || "";
const slotMs = Number((page && page.dataset.slot) || 0);
const ahead = Number((page && page.dataset.ahead) || 0);

/** Server's milliseconds when the browser's steady clock was at 0; the least delayed reply says it best. */
let origin = Number((page && page.dataset.now) || 0) - performance.now();
let delay = Infinity;
/** When the count was true last, by the server's clock. */
let heard = origin + performance.now();

/** @type {Map<number, [string, string]>} slot → what is typed, and the modules */
const codes = new Map();
let shown = -1;

/**
 * @param {number} serverNow
 * @param {number} sent
 */
function setClock(serverNow, sent) {
  const took = performance.now() - sent;
  const guess = serverNow - sent - took / 2;
  // a slept computer's steady clock may have stood still: a large step is always believed
  if (took <= delay || Math.abs(guess - origin) > 2000) {
    origin = guess;
    delay = took;
  }
}

/** @param {string} address @returns {Promise<any>} */
function fetchJson(address) {
  return fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" }).then((response) =>
    response.ok ? response.json() : Promise.reject(new Error(String(response.status))),
  );
}

function ask() {
  if (!page || document.hidden) {
    window.setTimeout(ask, PAUSE);
    return;
  }
  const sent = performance.now();
  fetchJson(page.dataset.hall || "")
    .then((news) => {
      setClock(news.now, sent);
      show(news);
    })
    .catch(age)
    .then(() => window.setTimeout(ask, PAUSE));
}

/**
 * @param {{ count: number, registered: number, all_here: boolean, state: string, last: { name: string, time: string }[] }} news
 */
function show(news) {
  heard = origin + performance.now();
  if (!page) return;
  if (news.state !== page.dataset.state) {
    window.location.reload();
    return;
  }
  if (note) note.hidden = true;
  const count = part("count");
  if (count && count.textContent !== String(news.count)) count.textContent = String(news.count);
  const counts = part("counts");
  if (counts) counts.classList.toggle("hall-all", news.all_here);
  const registered = part("registered");
  if (registered) {
    registered.hidden = !news.registered || news.all_here;
    registered.textContent = (registered.dataset.words || "").replace("{count}", String(news.registered));
  }
  const all = part("all");
  if (all) all.hidden = !news.all_here;
  const list = part("last");
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
  const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  note.textContent = sentence.replace("{time}", clock.format(new Date(heard)));
  note.hidden = false;
}

/** The next few minutes of codes, then the next, until ninety minutes are there; later only what has been used up. */
function fill() {
  if (!page || !slotMs) return;
  const now = Math.floor((origin + performance.now()) / slotMs);
  codes.forEach((_, slot) => slot < now - KEPT && codes.delete(slot));
  let next = now;
  while (codes.has(next)) next += 1;
  // the far end grows by one code every twenty seconds: not a request for each
  if (now + ahead - next < ENOUGH) {
    window.setTimeout(fill, PAUSE);
    return;
  }
  const sent = performance.now();
  fetchJson((page.dataset.codes || "") + "?from=" + next)
    .then((reply) => {
      setClock(reply.now, sent);
      reply.codes.forEach((/** @type {[string, string]} */ code, /** @type {number} */ index) => codes.set(reply.from + index, code));
      page.dataset.loaded = String(codes.size);
      tick();
      window.setTimeout(fill, FILL_PAUSE);
    })
    .catch(() => window.setTimeout(fill, PAUSE));
}

/** Draw what is due, and count the seconds. */
function tick() {
  if (!page || !slotMs) return;
  const now = origin + performance.now();
  const slot = Math.floor(now / slotMs);
  const left = Math.ceil((slotMs - (now % slotMs)) / 1000);
  const number = part("left");
  if (number && number.textContent !== String(left)) number.textContent = String(left);
  page.querySelectorAll("[data-hall-ring] path").forEach((one, index) => one.classList.toggle("hall-tick-on", index < left));
  if (slot === shown) return;
  const code = codes.get(slot);
  const out = part("out");
  const whole = part("code");
  // the page's own first code stands until the codes are there
  const over = !code && (shown >= 0 || slot > Math.floor(Number(page.dataset.now) / slotMs) + 2);
  if (out) out.hidden = !over;
  if (whole) whole.hidden = over;
  if (over && note) note.hidden = true;
  if (!code) return;
  shown = slot;
  page.dataset.shown = String(slot);
  draw(code[1]);
  const typed = part("typed");
  if (typed) typed.textContent = code[0];
}

/** @param {string} modules the width, a point, the modules as base 64 */
function draw(modules) {
  const point = modules.indexOf(".");
  const width = Number(modules.slice(0, point));
  const bytes = atob(modules.slice(point + 1));
  const dark = (/** @type {number} */ index) => (bytes.charCodeAt(index >> 3) >> (7 - (index & 7))) & 1;
  let path = "";
  for (let y = 0; y < width; y += 1) {
    let x = 0;
    while (x < width) {
      const start = x;
      while (x < width && dark(y * width + x)) x += 1;
      if (x > start) path += `M${start + QUIET} ${y + QUIET}h${x - start}v1h${start - x}z`;
      else x += 1;
    }
  }
  const whole = width + 2 * QUIET;
  const svg = part("qr");
  if (!svg) return;
  svg.setAttribute("viewBox", `0 0 ${whole} ${whole}`);
  const [ground, ink] = Array.from(svg.querySelectorAll("path"));
  ground.setAttribute("d", `M0 0h${whole}v${whole}H0z`);
  ink.setAttribute("d", path);
}

function wireFull() {
  const key = part("full");
  if (!key || !document.documentElement.requestFullscreen) return;
  let timer = 0;
  document.addEventListener("mousemove", () => {
    key.hidden = Boolean(document.fullscreenElement);
    window.clearTimeout(timer);
    timer = window.setTimeout(() => (key.hidden = true), KEY_STAYS);
  });
  key.addEventListener("click", () => {
    key.hidden = true;
    document.documentElement.requestFullscreen();
  });
}

window.setTimeout(ask, PAUSE);
wireFull();
if (slotMs) {
  fill();
  window.setInterval(tick, 250);
}
