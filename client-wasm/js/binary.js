// [SIO5 Packet encoding] Binary values leave the arguments and travel as attachments; placeholders
// hold their places.

/** Text and attachments (Uint8Array or Blob) of an event's arguments or an ack's. */
export function encodeArguments(args) {
  if (!hasBinary(args)) return { text: JSON.stringify(args), attachments: [] };
  const attachments = [];
  return { text: JSON.stringify(takeOut(args, attachments)), attachments };
}

/** Puts attachments (ArrayBuffers) back where their placeholders stand. */
export function restoreBinary(value, attachments) {
  if (!value || typeof value !== "object") return value;
  if (value._placeholder === true) return attachments[value.num];
  for (const key of Object.keys(value)) value[key] = restoreBinary(value[key], attachments);
  return value;
}

export function hasBinary(value) {
  if (!value || typeof value !== "object") return false;
  if (isBinary(value)) return true;
  if (Array.isArray(value)) return value.some(hasBinary);
  if (typeof value.toJSON === "function") return hasBinary(value.toJSON());
  return Object.keys(value).some((key) => hasBinary(value[key]));
}

/** The bytes of an attachment, at once unless it is a Blob. */
export function bytesOf(attachment) {
  return attachment instanceof Uint8Array ? attachment : attachment.arrayBuffer();
}

function takeOut(value, attachments) {
  if (!value || typeof value !== "object") return value;
  if (isBinary(value)) {
    const placeholder = { _placeholder: true, num: attachments.length };
    attachments.push(isBlob(value) ? value : copyOf(value));
    return placeholder;
  }
  if (Array.isArray(value)) return value.map((item) => takeOut(item, attachments));
  if (typeof value.toJSON === "function") return takeOut(value.toJSON(), attachments);
  return Object.fromEntries(
    Object.keys(value).map((key) => [key, takeOut(value[key], attachments)]),
  );
}

function isBinary(value) {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) || isBlob(value);
}

function isBlob(value) {
  return typeof Blob === "function" && value instanceof Blob;
}

// A copy, because the emit may wait and the caller may go on writing into the buffer.
function copyOf(value) {
  return value instanceof ArrayBuffer
    ? new Uint8Array(value.slice(0))
    : new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
}
