// The page without a network: what it is made of, as it was when the network last answered. Messages are
// none of its business; they wait in the outbox.

const cacheName = "oncewire-shell-1";
const picturesName = "oncewire-pictures"; // the page's own
const patience = 3000; // ms for the network before the kept copy is shown

const home = new URL("./", location);
const isOurs = ({ origin, pathname }) =>
  origin === home.origin && pathname.startsWith(home.pathname) && !/^(socket\.io\/?|embed\.js)$/.test(pathname.slice(home.pathname.length));
/** Named after their content: the copy is as good as the original. */
const isImmutable = (url) => /-[0-9a-f]{8,}\./.test(url.pathname);

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(takeOver()));
addEventListener("message", (event) => event.waitUntil(keepAll(event.data?.keep ?? [])));
addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method === "GET" && isOurs(url)) event.respondWith(answer(event, url));
});

async function takeOver() {
  await clients.claim();
  const isOld = (name) => name !== cacheName && name !== picturesName;
  for (const name of await caches.keys()) if (isOld(name)) await caches.delete(name);
}

/** What a page has loaded, also before there was anybody to keep it. */
async function keepAll(addresses) {
  const cache = await caches.open(cacheName);
  const paths = new Set(addresses.map((each) => new URL(each, location.href)).filter(isOurs).map(({ pathname }) => pathname));
  const add = async (path) => {
    if (await cache.match(path)) return;
    const response = await fetch(path);
    if (response.ok) await keep(cache, path, response);
  };
  await Promise.all([...paths].map((path) => add(path).catch(() => {})));
}

/** What no chat page said it was made of is somebody else's who lives at this origin, and passes as it is. */
async function answer(event, url) {
  const cache = await caches.open(cacheName);
  // "/?debug" and "/?lang=ja" are the same page.
  const key = url.pathname;
  const kept = await cache.match(key);
  if (!kept) return fetch(event.request);
  if (isImmutable(url)) return kept;
  const fresh = fetch(event.request).then((response) => {
    if (response.ok) event.waitUntil(keep(cache, key, response.clone()));
    return response;
  });
  event.waitUntil(fresh.catch(() => {}));
  const late = new Promise((resolve) => setTimeout(() => resolve(kept), patience));
  return Promise.race([fresh.catch(() => kept), late]);
}

async function keep(cache, key, response) {
  if (isImmutable(new URL(key, location.href))) {
    // Of each such file only the newest.
    const stem = (path) => path.replace(/-[0-9a-f]{8,}\./, ".");
    for (const old of await cache.keys()) {
      const { pathname } = new URL(old.url);
      if (pathname !== key && stem(pathname) === stem(key)) await cache.delete(old);
    }
  }
  await cache.put(key, response);
}
