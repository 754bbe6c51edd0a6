// The page for everybody, panel by panel: screen readers, keyboard alone, 400 %, other languages and
// directions, and people who mean harm.
import { get } from "node:http";
import { accessibilityProblems } from "./axe.mjs";
import { connected, stock } from "../support/stock.mjs";
import { expect, numbered, test } from "./chat_page.mjs";

const meet = async (visit, name, options) => (await visit(options)).called(name);

for (const [name, browser] of [
  ["light @long", { colorScheme: "light", viewport: { width: 1280, height: 800 } }],
  ["dark", { colorScheme: "dark", viewport: { width: 1280, height: 800 } }],
  ["phone", { colorScheme: "light", viewport: { width: 390, height: 800 } }],
]) {
  test(`no panel stands in anybody's way: ${name}`, async ({ visit }) => {
    const ann = await meet(visit, "Ann", { browser });
    const ben = await meet(visit, "Ben");
    await ben.say("panel-1", "panel-2");
    await expect(ann.messages).toHaveCount(2);
    const check = async (what) => expect(await accessibilityProblems(ann.page), what).toEqual([]);
    await ann.message("panel-1").focus();
    await check("a message and its bar");
    await ann.page.getByRole("button", { name: "Search" }).click();
    await ann.page.getByRole("searchbox").fill("panel");
    await ann.page.getByRole("searchbox").press("Enter");
    await expect(ann.page.getByText("2 messages found")).toBeVisible();
    await check("search");
    await ann.page.keyboard.press("Escape");
    await ann.page.getByRole("button", { name: "Settings" }).click();
    await check("settings");
    await ann.page.keyboard.press("Escape");
    const places = ann.page.locator("#places-open");
    if (await places.isVisible()) {
      await places.click();
      await expect(ann.people.getByText("Ben")).toBeVisible();
      await check("places");
      await ann.page.keyboard.press("Escape");
      await expect(places).toBeFocused();
    }
    await ann.page.goto(new URL("/?debug", ann.page.url()).href);
    await expect(ann.page.locator(".debug pre")).toContainText("roundTrip");
    await check("debug");
  });
}

test("by keyboard alone: from message to message, and what can be done with one", async ({ visit }) => {
  const ann = await meet(visit, "Ann");
  await ann.say(...numbered("key", 3));
  await ann.showsExactly(numbered("key", 3));
  const { keyboard } = ann.page;
  await ann.page.getByRole("group", { name: "Conversation" }).focus();
  await keyboard.press("ArrowUp");
  await expect(ann.message("key-3")).toBeFocused();
  await keyboard.press("ArrowUp");
  await expect(ann.message("key-2")).toBeFocused();
  await keyboard.press("Enter");
  await expect(ann.page.getByRole("button", { name: "Copy text" })).toBeFocused();
  await keyboard.press("ArrowRight");
  await expect(ann.page.getByRole("button", { name: "Edit" })).toBeFocused();
  await keyboard.press("Enter");
  await expect(ann.composer).toBeFocused();
  await expect(ann.composer).toHaveValue("key-2");
  await keyboard.press("Escape");
  await expect(ann.composer).toHaveValue("");
  await keyboard.press("ArrowUp");
  await expect(ann.composer).toHaveValue("key-3");
});

test("by keyboard alone: what was said far up can be acted upon, too", async ({ visit }) => {
  const ann = await visit();
  await ann.say(...numbered("row", 30));
  await ann.showsExactly(numbered("row", 30));
  const { keyboard } = ann.page;
  await ann.page.getByRole("group", { name: "Conversation" }).focus();
  for (let i = 0; i < 25; i++) await keyboard.press("ArrowUp");
  await expect(ann.message(/row-6$/)).toBeFocused();
  await expect(ann.message(/row-6$/)).toBeInViewport();
  await ann.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await keyboard.press("Enter");
  await expect(ann.page.getByRole("button", { name: "Copy text" })).toBeFocused();
});

test("at 400 % everything can be read and done, without scrolling sideways", async ({ visit }) => {
  const ann = await visit({ browser: { viewport: { width: 320, height: 256 } } });
  await ann.say("zoom-1");
  await ann.showsExactly(["zoom-1"]);
  const overflow = () => ann.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(await overflow()).toBeLessThanOrEqual(0);
  await ann.page.locator("#places-open").click();
  await ann.openRoom("Small");
  await ann.say("zoom-2");
  await ann.showsExactly(["zoom-2"]);
  await ann.called("Zoe");
  expect(await overflow()).toBeLessThanOrEqual(0);
});

for (const [code, direction, message] of [["zh-CN", "ltr", "消息"], ["ja-JP", "ltr", "メッセージ"]]) {
  test(`the page speaks ${code}`, async ({ visit }) => {
    const ann = await visit({ browser: { locale: code } });
    await expect(ann.page.getByRole("textbox", { name: message, exact: true })).toBeVisible();
    await expect(ann.page.locator("html")).toHaveAttribute("dir", direction);
    const english = await ann.page.evaluate(() =>
      [...document.querySelectorAll("[data-words], h1, h2, button, label")]
        .flatMap((node) => [node.textContent, node.getAttribute("aria-label") ?? "", node.getAttribute("placeholder") ?? ""])
        .filter((text) => /^[\x20-\x7e]*[A-Za-z]{3}/.test(text.trim()) && !/Oncewire/.test(text)),
    );
    expect(english).toEqual([]);
  });
}

/** In the page: of "10:46 PM" as `node` shows it, which part stands on the left. */
const leftOfTime = (node) => {
  const shown = document.createElement("span");
  shown.textContent = node.dataset.time;
  node.append(shown);
  const left = (part) => {
    const range = document.createRange();
    const at = shown.textContent.search(part);
    range.setStart(shown.firstChild, at);
    range.setEnd(shown.firstChild, at + 1);
    return range.getBoundingClientRect().left;
  };
  const first = left(/\d/) < left(/[AP]M/) ? "hours" : "AM or PM";
  shown.remove();
  return first;
};

test("from right to left everything stands where it belongs, on a phone too", async ({ visit }) => {
  for (const width of [390, 1280]) {
    const ann = await visit({ empty: true, browser: { locale: "en-US", viewport: { width, height: 800 } } });
    await ann.page.goto(`${ann.proxy.url}/?lang=en-XB`);
    await expect(ann.page.locator("html")).toHaveAttribute("dir", "rtl");
    for (const text of [`שלום ${width}`, `hello latin-${width}`]) {
      await ann.composer.fill(text);
      await ann.composer.press("Enter");
      await expect(ann.message(text)).toHaveAttribute("data-state", "delivered");
      // One's own stand at the end of the line, which is left, whatever they are written in.
      const body = await ann.message(text).locator(".text").boundingBox();
      expect(body.x).toBeLessThan(width / 2);
      expect(await ann.message(text).locator(".text").evaluate(leftOfTime)).toBe("hours");
    }
    const overflow = await ann.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  }
});

test("no language is too wide for a phone", async ({ visit }) => {
  const ann = await visit({ empty: true, browser: { viewport: { width: 390, height: 800 } } });
  for (const code of ["en", "zh", "ja", "de", "es", "fr", "pt", "ko", "ar"]) {
    await ann.page.goto(`${ann.proxy.url}/?lang=${code}`);
    await expect(ann.page.locator("html")).toHaveAttribute("lang", code);
    await expect(ann.composer).toBeVisible();
    const tooWide = await ann.page.evaluate(() =>
      [...document.querySelectorAll("html, header, form, .line")]
        .filter((element) => element.scrollWidth > element.clientWidth)
        .map((element) => element.localName));
    expect(tooWide, code).toEqual([]);
  }
});

// Ways to make a page run a text, in every syntax that browsers have been fooled by.
const call = "globalThis.harmed=1";
const tags = ["script", "img", "svg", "iframe", "object", "embed", "math", "style", "link", "base", "form", "video", "audio", "details", "body", "input", "template", "noscript", "textarea", "title", "marquee", "select", "table", "a", "meta"];
const payloads = [
  ...tags.map((tag) => `<${tag} src=x href="javascript:${call}" onerror="${call}" onload="${call}" onfocus="${call}" autofocus ontoggle="${call}" open>`),
  ...tags.map((tag) => `</${tag}><script>${call}</script>`),
  ...tags.map((tag) => `<${tag.toUpperCase()}/ONERROR=${call}//`),
  ...['"', "'", "`", "-->", "]]>", "*/", "\\x3c", "&lt;", "&#60;", "\u2028", "\u0000"].map((end) => `${end}><img src=x onerror=${call}>`),
  ...["javascript", "JaVaScRiPt", "java\tscript", "\u0001javascript", "data", "vbscript", "blob", "file", "view-source"].flatMap((scheme) => [`${scheme}:${call}`, `${scheme}://%0a${call}`, `https://x${scheme}:${call}`, `mailto:${scheme}:${call}`]),
  ...["{{constructor.constructor('X')()}}", "${X}", "<%= X %>", "#{X}", "[[X]]"].map((text) => text.replace("X", call)),
  ...["<svg><animate onbegin=X attributeName=x>", "<svg><script>X</script>", "<math href=javascript:X>", "<img srcset=x onerror=X>", "<iframe srcdoc='<script>parent.X</script>'>", "<a href=javascript:X>x</a>", "<form action=javascript:X><button>", "<object data=javascript:X>", "<embed src=javascript:X>", "<video><source onerror=X>", "<style>@import 'javascript:X'</style>", "<div style=background:url(javascript:X)>", "<link rel=stylesheet href=javascript:X>", "<base href=javascript:X//>", "<meta http-equiv=refresh content='0;url=javascript:X'>"].map((text) => text.replace("X", call)),
  ...[..."\u202e\u2066\u200f\u200b\ufeff\u0300"].map((char) => `${char}<img src=x onerror=${call}>${char}`),
];
const handlers = "abort animationend auxclick beforeinput beforetoggle blur canplay change click close contextmenu copy cuechange cut dblclick drag drop durationchange emptied ended error focus formdata input invalid keydown keyup load loadeddata loadstart mousedown mouseenter mouseover paste pause play pointerdown pointerover popover progress ratechange reset resize scroll scrollend seeked select slotchange stalled submit suspend timeupdate toggle touchstart transitionend volumechange waiting wheel".split(" ");
const carriers = ["img src=x", "svg", "details open", "input autofocus"];
payloads.push(...handlers.flatMap((name, i) => [0, 1, 2].map((k) => `<${carriers[(i + k) % carriers.length]} on${name}=${call}>`)));
const every = [...new Set(payloads)].slice(0, 300);

/** What must never be on a page that has shown them. */
const harm = () => {
  const all = [...document.querySelectorAll("*")];
  return {
    harmed: globalThis.harmed,
    reports: globalThis.reports,
    handlers: all.flatMap((node) => node.getAttributeNames().filter((name) => /^on|^srcdoc|^style/.test(name))),
    elements: [...new Set([...document.querySelectorAll("#logs *, #search-results *, #places *, .bar *, .line *")].map((node) => node.localName))],
    links: [...document.querySelectorAll("#logs a")].map((node) => [new URL(node.href).protocol, node.rel]),
    pictures: [...document.querySelectorAll("#logs img")].map((node) => node.src),
  };
};

test.describe("where anybody may say anything as often as they like", () => {
  test.use({ config: "[chat]\nsignal_burst = 0\nrooms_at_once = 0\n" });

  test("300 texts that mean harm do none, through every door", async ({ visit, server, friend }) => {
    expect(every).toHaveLength(300);
    const ann = await visit();
    await ann.page.evaluate(() => {
      globalThis.reports = [];
      document.addEventListener("securitypolicyviolation", (event) => globalThis.reports.push(event.violatedDirective));
    });
    const id = await ann.page.evaluate(() => localStorage.getItem("oncewire-chat:id"));
    // Somebody with a client of their own, who says everything as everything.
    const eve = stock(server.url, { auth: { visitor: "e".repeat(32), live: true } });
    const answered = (...event) => new Promise((resolve) => eve.emit(...event, (refusal, answer) => resolve(refusal ?? answer)));
    await connected(eve);
    for (const text of every) friend.socket.emit("chat message", text);
    const posts = await Promise.all(every.map((text) => answered("post", "chat", { text: "before" })));
    await Promise.all(every.map((text, i) => answered("edit", "chat", posts[i].id, text)));
    await Promise.all(every.map((text) => answered("post", `user/${id}`, { text })));
    const pictures = await Promise.all(every.map((text) => answered("post", "chat", { picture: text })));
    expect(new Set(pictures.map(({ error }) => error))).toEqual(new Set(["invalid_picture"]));
    const short = every.map((text) => [...text].slice(0, 40).join(""));
    for (const name of short) {
      eve.emit("open room", name);
      await answered("rename", name);
      eve.emit("typing", "chat");
    }
    await answered("rename", short[0]);
    await expect(ann.messages).toHaveCount(2 * every.length);
    await expect(ann.rooms).toContainText(short[150].trim());
    await expect(ann.people).toContainText(short[0]);
    await ann.page.getByRole("button", { name: "Search" }).click();
    for (const text of ["harmed", "<img", "script"]) {
      await ann.page.getByRole("searchbox").fill(text);
      await ann.page.getByRole("searchbox").press("Enter");
      await expect(ann.page.locator("#search-results li").first()).toBeVisible();
    }
    const allowed = "div span p a li ul ol button bdi b mark time h1 h2 path svg circle input".split(" ");
    const check = async () => {
      const state = await ann.page.evaluate(harm);
      expect(state).toMatchObject({ reports: [], handlers: [], pictures: [] });
      expect(state.harmed).toBeUndefined();
      expect(state.elements.filter((name) => !allowed.includes(name))).toEqual([]);
      for (const [protocol, rel] of state.links) {
        expect(["http:", "https:", "mailto:"]).toContain(protocol);
        expect(rel).toBe("noopener noreferrer nofollow ugc");
      }
    };
    await check();
    await ann.page.locator(".place[data-place^='user/v']").first().click();
    await expect(ann.messages).toHaveCount(every.length);
    await check();
    eve.close();
  });
});

test("the first paint waits for no engine", async ({ visit }) => {
  const ann = await visit({ empty: true });
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const asked = ann.page.waitForRequest("**/*.wasm");
  await ann.page.route("**/*.wasm", (route) => held.then(() => route.continue()));
  await ann.page.goto(ann.proxy.url);
  await asked;
  await expect.poll(() => ann.page.evaluate(() => performance.getEntriesByName("first-contentful-paint").length)).toBe(1);
  await expect(ann.composer).toBeEditable();
  await ann.say("early-1");
  await expect(ann.message("early-1")).toBeVisible();
  release();
  await ann.showsExactly(["early-1"]);
});

/** Runs in the page before anything else: what Lighthouse would count. */
function measure() {
  globalThis.figures = { largestPaint: 0, shift: 0, blocked: 0 };
  const watch = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  watch("largest-contentful-paint", (entry) => (globalThis.figures.largestPaint = entry.startTime));
  watch("layout-shift", (entry) => (globalThis.figures.shift += entry.hadRecentInput ? 0 : entry.value));
  watch("longtask", (entry) => (globalThis.figures.blocked += entry.duration - 50));
}

test("page, client and engine together are light, and nothing jumps", async ({ visit }) => {
  const ann = await visit({ empty: true });
  await ann.page.addInitScript(measure);
  const paths = new Set();
  ann.page.on("requestfinished", (request) => {
    const url = new URL(request.url());
    if (url.origin === ann.proxy.url && url.pathname !== "/socket.io/") paths.add(url.pathname);
  });
  await ann.open();
  await expect.poll(() => ann.page.evaluate(() => performance.getEntriesByName("first-contentful-paint").length)).toBe(1);
  const figures = await ann.page.evaluate(() => ({
    firstPaint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    ...globalThis.figures,
    connected: performance.now(),
  }));
  const [first, largest, blocked, connected] = ["firstPaint", "largestPaint", "blocked", "connected"].map((name) => Math.round(figures[name]));
  console.log(`first paint ${first} ms, largest ${largest} ms, script in the way ${blocked} ms, layout shift ${figures.shift.toFixed(3)}, connected after ${connected} ms`);
  expect(figures.shift).toBeLessThan(0.1);
  await ann.say("light-1");
  await ann.showsExactly(["light-1"]);
  const sizeOf = (path) =>
    new Promise((resolve, reject) => {
      get(`${ann.proxy.url}${path}`, { headers: { "accept-encoding": "br" } }, (answer) => {
        let bytes = 0;
        answer.on("data", (chunk) => (bytes += chunk.length)).on("end", () => resolve(bytes));
      }).on("error", reject);
    });
  const sizes = await Promise.all([...paths].map(sizeOf));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`page, client and engine: ${total} bytes as sent, in ${sizes.length} files`);
  expect(total).toBeLessThanOrEqual(105_000);
  expect(sizes.length).toBeLessThanOrEqual(10);
});
