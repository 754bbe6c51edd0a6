// Times and days, as the reader's language writes them.

import { language, words } from "./words.js";

const locale = language === "en-XB" ? "en" : undefined;
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(locale ?? language, { dateStyle: "full" });

/** Isolated: the reader's way to write a time may run against the page's language, and "10:46 PM" would be "PM 10:46". */
export const timeOf = (at) => `\u2068${clock.format(at)}\u2069`;

export function dayOf(at) {
  return new Date(at).toDateString();
}

export function dayName(at) {
  if (dayOf(at) === dayOf(Date.now())) return words.today;
  if (dayOf(at) === dayOf(Date.now() - 86_400_000)) return words.yesterday;
  return calendar.format(at);
}
