// Text on its way out of the page: to the clipboard, or on a phone to whatever the system shares with.

/** Whether it is in the clipboard now. Call it when something was pressed: browsers ask for that. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromField(text);
  }
}

/** Shares an address where fingers do it so; else as copy(). Nothing if the system showed what it did. */
export async function share(url) {
  if (!navigator.share || !matchMedia("(pointer: coarse)").matches) return copy(url);
  try {
    return await navigator.share({ url });
  } catch ({ name }) {
    return name === "AbortError" ? undefined : copy(url); // thought better of it, or may not share
  }
}

// Pages without TLS have no navigator.clipboard.
function copyFromField(text) {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.style.cssText = "position: fixed; inset: 0 auto auto 0; opacity: 0";
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  before?.focus({ preventScroll: true });
  return isDone;
}
