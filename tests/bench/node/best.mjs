// The same with what a Node developer would reach for when speed matters: better-sqlite3, WAL, prepared statements.
// As it comes it does not flush at commit; `full` as second argument makes it promise what ours does.
import { createServer } from "node:http";
import Database from "better-sqlite3";
import { Server } from "socket.io";

const database = new Database(process.argv[2]);
database.pragma("journal_mode = WAL");
if (process.argv[3] === "full") database.pragma("synchronous = FULL");
database.exec("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, client_offset TEXT UNIQUE, content TEXT)");
const insert = database.prepare("INSERT INTO messages (content, client_offset) VALUES (?, ?)");
const after = database.prepare("SELECT id, content FROM messages WHERE id > ?");

const http = createServer();
const io = new Server(http);
io.on("connection", (socket) => {
  socket.on("chat message", (text, clientOffset, ack) => {
    let id;
    try {
      id = Number(insert.run(text, clientOffset).lastInsertRowid);
    } catch (error) {
      if (error.code === "SQLITE_CONSTRAINT_UNIQUE") ack();
      return;
    }
    io.emit("chat message", text, id);
    ack();
  });
  for (const { id, content } of after.iterate(socket.handshake.auth.serverOffset || 0)) {
    socket.emit("chat message", content, id);
  }
});
http.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
