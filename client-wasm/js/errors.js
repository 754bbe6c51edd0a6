// Errors an application can tell apart by `code`.

/** The final word on a durable message: it will not be delivered. */
export class DeliveryError extends Error {
  name = "DeliveryError";

  constructor(code, message, data) {
    super(message);
    this.code = code;
    if (data !== undefined) this.data = data;
  }
}

/** A server's rejection: `{error: code, message: words}`, or any JSON of the application's own. */
export function rejection(body) {
  const { error, message } = body && typeof body === "object" ? body : {};
  const code = typeof error === "string" ? error : "rejected";
  return new DeliveryError(code, typeof message === "string" ? message : code, body);
}

/** In the order of peer::EmitError. */
const emitErrors = [
  ["reserved_name", "this event name is reserved"],
  ["not_an_event", "the arguments nest too deeply"],
  ["too_large", "the message is too large"],
  ["outbox_full", "too many messages are waiting; try again when some are delivered"],
  ["no_lane", "this socket was not opened with delivery: \"exactly-once\""],
];

export function emitError(index) {
  const [code, message] = emitErrors[index] ?? ["refused", "the message was refused"];
  return new DeliveryError(code, message);
}
