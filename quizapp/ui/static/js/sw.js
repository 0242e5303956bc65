/**
 * The service worker: an extra. Static files come from its store; the pages of an attempt come from the network, or, when it does not
 * answer within four seconds, as they were last seen, so that a reload without network still shows the question. So does the scan page,
 * which keeps its own files. Nothing else is kept.
 */
/* global self, caches, fetch, importScripts */
"use strict";

const ASSETS = __ASSETS__;
const STATIC = "static-__VERSION__";
const RACE = 4000;
const SCAN = /^\/(sessions\/\d+\/scan|h\/s\/[^/]+)$/;
const ATTEMPT = /^\/q\/[^/]+\/a\/([^/]+)\/(\d+|submit|questions)$/;

importScripts(ASSETS.find((name) => /\/outbox\.[^/]*js$/.test(name)));

self.addEventListener("install", (event) => {
  const wanted = ASSETS.filter((name) => /\/(app|attempt|outbox|mark)\.[^/]*$/.test(name));
  event.waitUntil(caches.open(STATIC).then((cache) => cache.addAll(wanted)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith("static-") && name !== STATIC).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("sync", (event) => event.waitUntil(self.answerOutbox.flushAll()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/static/")) {
    event.respondWith(caches.match(request).then((found) => found || fetch(request)));
    return;
  }
  if (SCAN.test(url.pathname) && request.mode === "navigate") {
    event.respondWith(raced(request, "scan-pages", url.pathname));
    return;
  }
  const found = ATTEMPT.exec(url.pathname);
  if (found) event.respondWith(attemptPage(request, found[1], found[2]));
});

function attemptPage(request, attempt, page) {
  return raced(request, "attempt-" + attempt, /^\d+$/.test(page) ? "/question" : "/" + page);
}

/** Network first, with a race to what was seen last. */
async function raced(request, name, key) {
  const cache = await caches.open(name);
  const fromNetwork = fetch(request).then((response) => {
    if (response.ok && !response.redirected) cache.put(key, response.clone());
    return response;
  });
  const late = new Promise((resolve) => setTimeout(resolve, RACE)).then(() => cache.match(key));
  try {
    return (await Promise.race([fromNetwork, late])) || (await fromNetwork);
  } catch (error) {
    const kept = await cache.match(key);
    if (kept) return kept;
    throw error;
  }
}
