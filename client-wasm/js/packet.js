// Events of the engine as the packets of socket.io-parser, for a manager's `packet` listeners.

const packetTypes = { connected: 0, disconnected: 1, event: 2, ack: 3, connect_failed: 4 };

export function isPacket({ type, reason, refused }) {
  if (type === "disconnected") return reason === "io server disconnect";
  return type === "connect_failed" ? refused : type in packetTypes;
}

export function asPacket(event, nsp) {
  const { type, data, ack, id, sid, pid, error } = event;
  switch (type) {
    case "connected":
      return { type: packetTypes[type], nsp, data: pid ? { sid, pid } : { sid } };
    case "connect_failed":
      return { type: packetTypes[type], nsp, data: error };
    case "event":
      return { type: packetTypes[type], nsp, data, ...(ack !== undefined && { id: ack }) };
    case "ack":
      return { type: packetTypes[type], nsp, data, id };
    default:
      return { type: packetTypes[type], nsp };
  }
}
