// Everything the page says, in one place, so that it can be said in other languages.

const messages = (n) => (n === 1 ? "1 message" : `${n} messages`);

export const words = {
  title: "Oncewire chat",
  state: {
    saving: "saving",
    queued: "waiting",
    queuedOffline: "will send when you are back online",
    unsaved: "waiting, not saved on this device",
    sent: "sending",
    delivered: "delivered",
  },
  rejected: (reason) => `not sent: ${reason}`,
  edit: "Edit",
  discard: "Discard",
  guest: (tag) => (tag ? `guest ${tag}` : "guest"),
  connect: "Connect",
  disconnect: "Disconnect",
  line: {
    connecting: (n) => (n ? `Connecting. ${waiting(n)}` : "Connecting"),
    offline: (n) => (n ? `Offline. ${waiting(n)}` : "Offline. Trying to reach the server"),
    disconnected: (n) => (n ? `Disconnected. ${waiting(n)}` : "Disconnected"),
    kicked: (n) => (n ? `The server closed the connection. ${waiting(n)}` : "The server closed the connection"),
    refused: (reason) => `The server refused the connection: ${reason}`,
    broken: (reason) => `The chat cannot start: ${reason}`,
    busy: (n) => `The server cannot store messages right now. ${waiting(n)}; trying again by itself`,
    catchingUp: (n) => `Catching up: ${messages(n)}`,
    unsaved: "This browser keeps nothing: leave the page open until your messages are delivered",
  },
  jump: (n) => (n ? `${n} new` : "Latest"),
  today: "Today",
  yesterday: "Yesterday",
};

function waiting(n) {
  return n === 1 ? "1 message is waiting" : `${messages(n)} are waiting`;
}
