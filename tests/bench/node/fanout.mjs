// Socket.IO as its documentation begins: every message to everybody, and an echo. No database.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http);
io.on("connection", (socket) => {
  socket.on("message", (text) => io.emit("message", text));
  socket.on("echo", (value, ack) => ack(value));
});
http.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
