// The chat on any other site: a launcher with a badge, or an element of its own. Everything but this file
// lives in a frame of the chat's own origin, which the site's styles and scripts cannot reach; or, where a
// site wishes so, in a shadow root on its page.
//
//   <script async type="module" src="https://chat.example.org/embed.js" data-room="support"></script>
//   <oncewire-chat server="https://chat.example.org" room="support"></oncewire-chat>
//   <oncewire-chat inline room="support"></oncewire-chat>
//   import { createChat } from "https://chat.example.org/embed.js";

const home = new URL("./", import.meta.url).href; // of a bundle: the site's
const patience = 3000; // ms for a busy page to become idle
const frameTime = 8000; // ms until the chat says that it is there
const tryAgain = 5000; // ms
const settings = ["room", "theme", "locale"];

const style = `
:host { display: block; --oncewire-gap: 20px; }
:host([launcher]) { position: fixed; z-index: 2147483000; inset: auto var(--oncewire-gap) var(--oncewire-gap) auto; }
[hidden] { display: none !important; }
:host([data-made]:not([launcher])) { height: 100%; }
.panel { contain: size; }
iframe, .inline { position: absolute; inset: 0; display: block; width: 100%; height: 100%; border: 0; }
iframe { color-scheme: normal; }
/* As the page wishes; a useful height if it says nothing. */
:host(:not([launcher])) .panel { position: relative; height: 100%; contain-intrinsic-block-size: min(40rem, 80vh); }
p { margin: 0; padding: 24px; color: CanvasText; background: Canvas; font: 16px/1.5 system-ui; }
:host([launcher]) .panel { position: absolute; inset: auto 0 72px auto; width: min(400px, 100vw - 2 * var(--oncewire-gap));
  height: min(640px, 100vh - 72px - 2 * var(--oncewire-gap)); overflow: hidden; border-radius: 16px;
  box-shadow: 0 8px 40px rgb(0 0 0 / 25%); background: Canvas; }
/* On a phone all that is in view, above the keyboard, too. */
@media (width < 480px) {
  :host([launcher]) .panel { position: fixed; inset: var(--view-top, 0) 0 auto; z-index: 1; width: auto;
    height: var(--view-height, 100dvh); border-radius: 0; }
}
button { position: relative; display: grid; place-items: center; width: 56px; height: 56px; padding: 0; border: 0;
  border-radius: 50%; background: var(--oncewire-accent, #0d6b5e); color: var(--oncewire-on-accent, #fff); cursor: pointer;
  box-shadow: 0 2px 12px rgb(0 0 0 / 25%); }
button:focus-visible { outline: 3px solid var(--oncewire-accent, #0d6b5e); outline-offset: 3px; }
svg { width: 28px; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.badge { position: absolute; inset: -4px -4px auto auto; min-width: 20px; padding: 0 5px; box-sizing: border-box;
  border-radius: 10px; background: #b3261e; color: #fff; font: 700 12px/20px system-ui, sans-serif; text-align: center; }`;

/** Said outside the chat: its name, how much is unread, that it is not there. */
const texts = {
  en: ["Chat", (n) => `Chat, ${n} unread`, "The chat does not answer. Trying again."],
  zh: ["聊天", (n) => `聊天，${n} 条未读`, "聊天没有响应，正在重试。"],
  ja: ["チャット", (n) => `チャット、未読 ${n} 件`, "チャットが応答しません。再試行中です。"],
};

const icon = "M5 18.5 4 21l4-1.2A9 8 0 1 0 5 18.5Z";

let sheet;
function styleSheet() {
  // Constructed, so that a strict policy of the site has nothing to forbid.
  if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(style);
  return sheet;
}

/** One chat on a page. Its element mirrors it: attributes in, DOM events out. */
class Chat {
  #host;
  #root;
  #server; // its origin
  #home; // the address below which its files are
  #options = {};
  #panel = document.createElement("div");
  #frame; // or the element that stands for it
  #isInline;
  #inside; // aborted when what is inside is taken away
  #port;
  #button;
  #badge;
  #getToken;
  #unread = 0;
  #isOpen;
  #listeners = new Map();
  #stop = new AbortController();
  #queue = []; // for the frame, until it is there
  #overdue; // timer until it is there
  #isLoaded; // the frame, with the chat or with an error
  #tries = 0;

  constructor(host, { server = home, getToken, inline, ...options } = {}) {
    this.#host = host;
    this.#home = new URL(server);
    if (!this.#home.pathname.endsWith("/")) this.#home.pathname += "/";
    this.#server = this.#home.origin;
    this.#getToken = getToken;
    this.#isInline = inline !== undefined && inline !== false;
    for (const name of settings) if (options[name] != null) this.#options[name] = options[name];
    this.#isOpen = !host.hasAttribute("launcher");
    this.#root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = [styleSheet()];
    this.#panel.className = "panel";
    this.#panel.part = "panel";
    this.#panel.hidden = !this.#isOpen;
    this.#root.replaceChildren(this.#panel);
    if (!this.#isOpen) this.#addLauncher();
    addEventListener("message", (event) => this.#greet(event), { signal: this.#stop.signal });
    if (this.#isOpen) this.#load();
    else (globalThis.requestIdleCallback ?? setTimeout)(() => this.#load(), { timeout: patience });
  }

  get isOpen() {
    return this.#isOpen;
  }
  get unreadCount() {
    return this.#unread;
  }
  open() {
    return this.#setOpen(true);
  }
  close() {
    return this.#setOpen(false);
  }
  toggle() {
    return this.#setOpen(!this.#isOpen);
  }
  /** Who the visitor is: a function that fetches a token signed by the site, again whenever it is asked. */
  identify(getToken) {
    this.#getToken = typeof getToken === "function" ? getToken : getToken?.getToken;
    return this.#reload();
  }
  /** Nobody in particular again. */
  reset() {
    this.#getToken = undefined;
    this.#say({ type: "forget" });
    return this;
  }
  setRoom(room) {
    this.#options.room = room;
    return this.#reload();
  }
  setLocale(locale) {
    this.#options.locale = locale;
    this.#label();
    return this.#reload();
  }
  setTheme(theme) {
    this.#options.theme = theme;
    this.#say({ type: "theme", theme });
    return this;
  }
  /** ready, open, close, message, unread. Returns what takes the listener away again. */
  on(event, listener) {
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(listener));
    return () => all.delete(listener);
  }
  destroy() {
    this.#stop.abort();
    this.#inside?.abort();
    clearTimeout(this.#overdue);
    if (globalThis[name] === this) delete globalThis[name];
    this.#port?.close();
    this.#listeners.clear();
    this.#root.replaceChildren();
    if (this.#host.hasAttribute("data-made")) this.#host.remove();
    instances.delete(this);
  }

  // ---- inside -------------------------------------------------------------------------------------

  #addLauncher() {
    this.#button = document.createElement("button");
    this.#button.type = "button";
    this.#button.part = "launcher";
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", icon);
    svg.append(path);
    this.#badge = document.createElement("span");
    this.#badge.className = "badge";
    this.#badge.part = "badge";
    this.#button.append(svg, this.#badge);
    this.#button.addEventListener("click", () => this.toggle());
    this.#root.append(this.#button);
    this.#label();
  }

  #label() {
    if (!this.#button) return;
    const n = this.#unread;
    this.#badge.hidden = n === 0;
    this.#badge.textContent = n > 99 ? "99+" : n;
    const [name, unread] = this.#texts;
    this.#button.setAttribute("aria-label", n ? unread(n) : name);
    this.#button.setAttribute("aria-expanded", String(this.#isOpen));
  }

  get #language() {
    const { locale } = this.#options;
    return (locale && locale !== "auto" ? locale : navigator.language).split("-")[0];
  }
  get #texts() {
    return texts[this.#language] ?? texts.en;
  }
  #import(file) {
    return import(/* webpackIgnore: true */ /* @vite-ignore */ new URL(file + (this.#tries ? `?${this.#tries}` : ""), this.#home).href);
  }

  #load() {
    if (this.#frame || this.#stop.signal.aborted) return;
    this.#expect();
    if (this.#isInline) return this.#loadInline();
    const url = new URL("./?frame", this.#home);
    const { theme, locale } = this.#options;
    if (theme && theme !== "auto") url.searchParams.set("theme", theme);
    if (locale && locale !== "auto") url.searchParams.set("lang", locale);
    this.#frame = document.createElement("iframe");
    [this.#frame.title] = this.#texts;
    this.#frame.allow = "clipboard-write";
    this.#frame.src = url;
    this.#isLoaded = false;
    this.#frame.addEventListener("load", () => (this.#isLoaded = true));
    this.#panel.replaceChildren(this.#frame);
  }

  #loadInline() {
    const { theme, locale } = this.#options;
    this.#frame = document.createElement("div");
    this.#frame.className = "inline";
    this.#panel.replaceChildren(this.#frame);
    this.#inside = new AbortController();
    const options = this.#hello();
    const here = { port: this.#channel(), options, theme, locale, signal: this.#inside.signal, restart: () => this.#reload() };
    const host = this.#frame;
    this.#import("inline.js").then(({ mount }) => mount(host, here)).then(() => this.#arrived(), reportError);
  }

  /** If the chat does not say in time that it is there, say why. */
  #expect() {
    this.#arrived();
    this.#overdue = setTimeout(async () => {
      ++this.#tries;
      const more = await this.#import("embed_more.js").catch(() => undefined);
      if (!this.#overdue) return;
      if (more && !this.#isLoaded) return this.#expect(); // slow, no more
      if (more) return this.#refuse(more);
      this.#explain(this.#texts[2]);
      this.#overdue = setTimeout(() => this.#reload(), tryAgain);
    }, frameTime);
  }

  #arrived() {
    clearTimeout(this.#overdue);
    this.#overdue = undefined;
  }

  #refuse(more) {
    this.#inside?.abort();
    this.#explain(more.refusal(this.#server, this.#language));
  }

  #explain(text) {
    const line = document.createElement("p");
    line.role = "status";
    line.append(text);
    this.#panel.replaceChildren(line);
  }

  #reload() {
    this.#inside?.abort();
    this.#port?.close();
    this.#port = this.#frame = undefined;
    this.#load();
    return this;
  }

  // The frame says that it is there; from then on the two share a channel nobody else hears.
  #greet({ source, origin, data }) {
    if (source !== this.#frame?.contentWindow || origin !== this.#server || data?.oncewire !== "frame") return;
    this.#arrived();
    source.postMessage(this.#hello(), this.#server, [this.#channel()]);
  }

  #hello() {
    const style = getComputedStyle(this.#host);
    const [accent, onAccent] = ["--oncewire-accent", "--oncewire-on-accent"].map((name) => style.getPropertyValue(name).trim());
    return { oncewire: "hello", room: this.#options.room, isOpen: this.#isOpen, canClose: !!this.#button, hasToken: !!this.#getToken, accent, onAccent };
  }

  /** The other end of a new channel, with what was to be said on it. */
  #channel() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (event) => this.#hear(event.data);
    for (const message of this.#queue.splice(0)) this.#say(message);
    return port2;
  }

  #say(message) {
    if (this.#port) this.#port.postMessage(message);
    else this.#queue.push(message);
  }

  async #hear({ type, number, ...detail }) {
    if (type === "token") {
      const value = await Promise.resolve().then(() => this.#getToken?.()).catch(() => undefined);
      return this.#say({ type: "answer", number, value });
    }
    if (type === "close") return void (this.#button && this.close(), this.#button?.focus());
    if (type === "refused") this.#refuse(await this.#import("embed_more.js"));
    if (type === "unread") {
      if (detail.count === this.#unread) return;
      this.#unread = detail.count;
      this.#label();
    }
    this.#tell(type, detail);
  }

  #setOpen(isOpen) {
    if (!this.#button || this.#isOpen === isOpen) return this;
    this.#isOpen = isOpen;
    this.#import("embed_more.js").then(({ fit }) => fit(this.#panel), () => {});
    this.#load();
    this.#panel.hidden = !isOpen;
    this.#label();
    this.#say({ type: "visible", isOpen });
    if (isOpen && this.#frame && navigator.userActivation?.isActive !== false) {
      this.#frame.focus({ preventScroll: true });
      this.#say({ type: "focus" });
    }
    this.#tell(isOpen ? "open" : "close", {});
    return this;
  }

  #tell(type, detail) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        reportError(error);
      }
    }
    this.#host.dispatchEvent(new CustomEvent(`oncewire-${type}`, { detail, bubbles: true }));
  }
}

const instances = new Set();

/** A launcher on this page, or a chat inside `options.target`. */
export function createChat(options = {}) {
  const host = document.createElement("div");
  host.dataset.made = "";
  host.toggleAttribute("launcher", !options.target);
  (options.target ?? document.body).append(host);
  const chat = new Chat(host, options);
  instances.add(chat);
  return chat;
}

// Where pages are made before they are shown there are no elements, and nothing happens.
class ChatElement extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ["room", "theme", "locale"];
  chat;
  #getToken;

  get getToken() {
    return this.#getToken;
  }
  /** As for createChat(); at any time. */
  set getToken(value) {
    this.#getToken = value;
    this.chat?.identify(value);
  }

  connectedCallback() {
    if (this.chat) return;
    this.#takeEarly();
    const options = Object.fromEntries(["server", "inline", ...settings].map((name) => [name, this.getAttribute(name) ?? undefined]));
    this.chat = new Chat(this, { ...options, getToken: this.getToken });
    instances.add(this.chat);
  }
  // What was set before this class was there hides what it should have reached.
  #takeEarly() {
    if (!Object.hasOwn(this, "getToken")) return;
    const { getToken } = this;
    delete this.getToken;
    this.getToken = getToken;
  }
  disconnectedCallback() {
    // Moved elsewhere in the page is not gone; a frame loads again by itself.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.chat?.destroy();
      this.chat = undefined;
    });
  }
  attributeChangedCallback(name, before, value) {
    if (!this.chat || before === value) return;
    if (name === "theme") this.chat.setTheme(value ?? "auto");
    else if (name === "locale") this.chat.setLocale(value ?? "auto");
    else this.chat.setRoom(value ?? undefined);
  }
}
for (const name of ["open", "close", "toggle", "identify", "reset", "setRoom", "setLocale", "setTheme", "on", "destroy"]) {
  ChatElement.prototype[name] = function (...args) {
    return this.chat?.[name](...args);
  };
}
Object.defineProperty(ChatElement.prototype, "unreadCount", {
  get() {
    return this.chat?.unreadCount ?? 0;
  },
});
if (globalThis.customElements && !customElements.get("oncewire-chat")) customElements.define("oncewire-chat", ChatElement);

// ---- the script tag -------------------------------------------------------------------------------

/** The one global: calls made before this file is here; then the first launcher's API. */
const name = "OncewireChat";

function start() {
  // As part of a bundle this file is not the one that a tag names.
  const isLoader = ({ src, dataset }) => src === import.meta.url && /\/embed\.m?js$/.test(new URL(src).pathname) && !("manual" in dataset);
  const tags = [...document.querySelectorAll("script[src]")].filter(isLoader);
  const chats = tags.map(({ dataset }) => createChat({ ...dataset }));
  const early = globalThis[name];
  if (chats.length === 0 || (early && !Array.isArray(early))) return;
  const [chat] = chats;
  chat.push = (...calls) => calls.forEach(([method, ...args]) => chat[method]?.(...args));
  globalThis[name] = chat;
  if (early) chat.push(...early);
}

if (globalThis.document?.readyState === "loading") addEventListener("DOMContentLoaded", start, { once: true });
else if (globalThis.document) start();
