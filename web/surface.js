// Where a chat stands: on this page of its own, in a frame of another site's, or in the shadow root of an
// element, on a site that trusts us. Whoever puts it elsewhere says so before chat.js is loaded.

const page = {
  /** What is asked for elements. */
  root: document,
  isPage: true,
  /** Whose language and writing direction are ours. */
  get app() {
    return document.documentElement;
  },
  /** {chosen, choose(theme)} */
  get theme() {
    return globalThis.chatTheme;
  },
  /** Another language or another visitor: begin again. */
  restart: () => location.reload(),
  /** Aborted when the chat is taken away. */
  signal: new AbortController().signal,
};

export const surface = {
  /** The one that is being built. */
  current: page,
};
