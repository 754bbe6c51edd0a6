// Errors an application can tell apart by `code`.

/** The final word on a durable message: it will not be delivered, or (`outcome_unknown`) nobody knows. */
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
  ["outbox_full", "too many messages are waiting"],
  ["no_lane", "this socket was opened without the option delivery"],
];

export function emitError(index) {
  const [code, message] = emitErrors[index] ?? ["refused", "the message was refused"];
  return new DeliveryError(code, message);
}

/**
 * Why there is no connection: `{message, status?, data?}` of the engine. What a transport says has the
 * original's extra fields; `event`: the WebSocket's, if it was one.
 */
export function linkError({ message, status, data }, event) {
  const error = new Error(message);
  if (data !== undefined) error.data = data;
  if (!/^(xhr (poll|post)|websocket) error$/.test(message)) return error;
  return Object.assign(error, { type: "TransportError", description: status ?? event });
}

/** Why a session ended, as `disconnect` and `close` tell it: `{description}` or `{error}`. */
export function linkDetails({ description, error }, closeEvent) {
  if (error) return linkError(error);
  return description.startsWith("websocket") ? { description, context: closeEvent } : { description };
}
