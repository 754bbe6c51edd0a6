/** The chat on a page of yours: what https://YOUR.SERVER/embed.js is, for bundlers. */

export interface ChatOptions {
  /** Where the chat is, like "https://chat.example.org". */
  server: string;
  /** A room instead of where everybody is. */
  room?: string;
  theme?: "auto" | "light" | "dark";
  /** "auto", or a language like "ja". */
  locale?: string;
  /** A token signed by your back end, fetched anew whenever it is asked; none: an anonymous visitor. */
  getToken?: () => string | undefined | Promise<string | undefined>;
  /** In a shadow root of your page, which must trust the server, instead of a frame. */
  inline?: boolean;
  /** Where the chat goes; none: a launcher in the corner. */
  target?: Element;
}

export interface ChatEvents {
  ready: { id: string };
  open: Record<string, never>;
  close: Record<string, never>;
  /** Somebody wrote in this place. */
  message: { place: string };
  unread: { count: number };
}

export interface Chat {
  readonly isOpen: boolean;
  readonly unreadCount: number;
  open(): Chat;
  close(): Chat;
  toggle(): Chat;
  /** Who the visitor is from now on. */
  identify(getToken: ChatOptions["getToken"]): Chat;
  /** Nobody in particular again, with nothing of the one before. */
  reset(): Chat;
  setRoom(room: string | undefined): Chat;
  setLocale(locale: string): Chat;
  setTheme(theme: "auto" | "light" | "dark"): Chat;
  /** Returns what takes the listener away again. */
  on<Name extends keyof ChatEvents>(event: Name, listener: (detail: ChatEvents[Name]) => void): () => void;
  /** Nothing of it stays. */
  destroy(): void;
}

/** A launcher on this page, or a chat inside `options.target`. Also defines the element oncewire-chat. */
export function createChat(options: ChatOptions): Chat;
