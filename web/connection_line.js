// The line that says what is wrong, when something is, and how many messages wait. Silent otherwise.

import { words } from "./words.js";

const calm = 1500; // ms of trouble that nobody needs to hear about

export class ConnectionLine {
  #line;
  #text;
  #retry;
  #timer;
  #isCalm = true;

  constructor({ line, text, retry }, onRetry) {
    this.#line = line;
    this.#text = text;
    this.#retry = retry;
    retry.addEventListener("click", onRetry);
  }

  /**
   * @param {Object} situation
   * @param {"connecting"|"offline"|"full"|"disconnected"|"kicked"|"refused"|"broken"|"expired"|"elsewhere"|"online"} situation.link
   * @param {number} situation.waiting messages in the outbox
   * @param {string} [situation.reason] why the server refused, or why nothing works
   * @param {boolean} [situation.isBusy] the server stores nothing for now
   * @param {number} [situation.catchingUp] missed messages that are arriving
   * @param {boolean} [situation.isUnsaved] the browser keeps nothing
   * @param {boolean} [situation.isSlow] what was sent has had no answer for seconds
   * @param {boolean} [situation.isCutOff] this device has no network at all
   */
  show(situation) {
    const trouble = this.#describe(situation);
    if (!trouble) return this.#write("");
    const isAtRisk = situation.isUnsaved && situation.waiting > 0;
    const passes = !isAtRisk && (situation.link === "connecting" || (situation.link === "offline" && situation.waiting === 0));
    if (passes && this.#isCalm) {
      this.#timer ??= setTimeout(() => {
        this.#isCalm = false;
        this.onPatienceLost();
      }, calm);
      return;
    }
    this.#write(trouble, situation.link);
  }

  /** Something that did not work, or did (`isGood`), for a moment. */
  say(text, isGood = false) {
    this.#write(text);
    this.#line.toggleAttribute("data-good", isGood);
    setTimeout(() => this.onPatienceLost(), 6000);
  }

  /** The situation should be shown again: it has lasted. */
  onPatienceLost = () => {};

  // What may be lost comes before why it waits.
  #describe(situation) {
    const isAtRisk = situation.isUnsaved && situation.waiting > 0;
    return [isAtRisk && words.line.unsaved, this.#trouble(situation)].filter(Boolean).join(". ");
  }

  #trouble({ link, waiting, reason, isBusy, catchingUp, isSlow, isCutOff }) {
    const { line } = words;
    if (isCutOff && ["offline", "connecting"].includes(link)) return line.cutOff(waiting);
    if (["refused", "broken", "expired"].includes(link)) return line[link](reason);
    if (link !== "online") return line[link](waiting);
    if (isBusy) return line.busy(waiting);
    if (isSlow) return line.slow(waiting);
    if (catchingUp) return line.catchingUp(catchingUp);
    return "";
  }

  #write(text, link) {
    if (!text) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#isCalm = true;
    }
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.#line.toggleAttribute("data-shown", text !== "");
    this.#line.removeAttribute("data-good");
    this.#retry.hidden = link !== "offline" && link !== "full" && link !== "elsewhere";
    this.#retry.textContent = link === "elsewhere" ? words.goOn : words.retry;
  }
}
