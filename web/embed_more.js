// What embed.js needs only now and then: a panel that fits a phone, and words for a site that is not allowed.

const texts = {
  en: "The chat is not set up for this site yet. Please use another way to reach us.",
  zh: "此网站尚未设置聊天。请通过其他方式联系我们。",
  ja: "このサイトではチャットがまだ設定されていません。別の方法でご連絡ください。",
};

/** Says in the console what to do; returns what the visitor should read. */
export function refusal(server, language) {
  const { origin } = location;
  console.error(
    `oncewire: ${server} does not let pages of ${origin} show its chat. ` +
      `Whoever runs that server allows it with origins = ["${origin}"] in the [server] section of its configuration.`,
  );
  return texts[language] ?? texts.en;
}

const fitted = new WeakSet();

/** Keeps `panel` as large as what the person sees: a phone's keyboard covers the page, and makes nothing smaller. */
export function fit(panel) {
  const view = globalThis.visualViewport;
  if (!view || fitted.has(panel)) return;
  fitted.add(panel);
  const apply = () => {
    panel.style.setProperty("--view-top", `${view.offsetTop}px`);
    panel.style.setProperty("--view-height", `${view.height}px`);
  };
  const stop = new AbortController();
  const follow = () => (panel.isConnected ? apply() : stop.abort());
  for (const event of ["resize", "scroll"]) view.addEventListener(event, follow, { signal: stop.signal });
  apply();
}
