// Stands for the global WebSocket in the engine's module (build.mjs puts it there), so that each manager
// can bring its own, and so that a browser's refusal does not unwind through WebAssembly.

let dial = (url) => new globalThis.WebSocket(url);

/** How the next ones are made. */
export function dialWith(open) {
  dial = open;
}

function Dialled(url) {
  try {
    return dial(url);
  } catch (error) {
    return stillborn(error);
  }
}

/** A WebSocket that closes before it opens. */
function stillborn(error) {
  const socket = { readyState: 3, send() {}, close() {} };
  queueMicrotask(() => {
    socket.onerror?.(error);
    socket.onclose?.({ code: 1006, reason: error.message, wasClean: false });
  });
  return socket;
}

export { Dialled as WebSocket };
