// The tutorial's server, after its description: sqlite3, default journal, a UNIQUE client offset, broadcast after
// the insert, acknowledgement last, replay of what came after serverOffset.
import { createServer } from "node:http";
import { promisify } from "node:util";
import { Server } from "socket.io";
import sqlite3 from "sqlite3";

const database = new sqlite3.Database(process.argv[2]);
const run = (sql, ...values) =>
  new Promise((resolve, reject) => database.run(sql, values, function (error) {
    if (error) reject(error);
    else resolve(this.lastID);
  }));
await promisify(database.exec).call(
  database,
  "CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, client_offset TEXT UNIQUE, content TEXT)",
);

const http = createServer();
const io = new Server(http);
io.on("connection", (socket) => {
  socket.on("chat message", async (text, clientOffset, ack) => {
    let id;
    try {
      id = await run("INSERT INTO messages (content, client_offset) VALUES (?, ?)", text, clientOffset);
    } catch (error) {
      if (error.errno === 19) ack(); // stored before
      return;
    }
    io.emit("chat message", text, id);
    ack();
  });
  database.each(
    "SELECT id, content FROM messages WHERE id > ?",
    [socket.handshake.auth.serverOffset || 0],
    (_, row) => socket.emit("chat message", row.content, row.id),
  );
});
http.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
