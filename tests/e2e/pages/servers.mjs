// The servers of the pages, for npm's socket.io; server/examples has the same in C++.
import { randomBytes } from "node:crypto";

export function privateMessaging(io) {
  const sessions = new Map(); // by their secret id: { userID, username, tabs }
  const messages = [];

  io.use((socket, next) => {
    const { sessionID, username } = socket.handshake.auth;
    socket.sessionID = sessions.has(sessionID) ? sessionID : undefined;
    if (!socket.sessionID && !username) return next(new Error("invalid username"));
    if (!socket.sessionID) {
      socket.sessionID = randomBytes(8).toString("hex");
      sessions.set(socket.sessionID, { userID: randomBytes(8).toString("hex"), username, tabs: 0 });
    }
    next();
  });

  io.on("connection", (socket) => {
    const session = sessions.get(socket.sessionID);
    const { userID, username } = session;
    session.tabs++;
    socket.join(userID);
    socket.emit("session", { sessionID: socket.sessionID, userID });
    const between = (other) => messages.filter(({ from, to }) => (from === userID && to === other) || (from === other && to === userID));
    const known = (person) => ({ ...person, connected: person.tabs > 0, messages: between(person.userID) });
    socket.emit("users", [...sessions.values()].map(known).map(({ tabs, ...user }) => user));
    socket.broadcast.emit("user connected", { userID, username, connected: true, messages: [] });

    socket.on("private message", ({ content, to }) => {
      const message = { content, from: userID, to };
      messages.push(message);
      socket.to(to).to(userID).emit("private message", message);
    });
    socket.on("disconnect", () => {
      if (--session.tabs === 0) socket.broadcast.emit("user disconnected", userID);
    });
  });
}

export function whiteboard(io) {
  io.on("connection", (socket) => socket.on("drawing", (stroke) => socket.broadcast.emit("drawing", stroke)));
}
