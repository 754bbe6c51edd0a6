// The tutorial's server after its chapters on delivery: connection state recovery, a table with a unique id of the
// client's own, an answer after the insert, and what a client missed by the offset it tells. SQLite is compiled to
// WebAssembly here, with its defaults as in the tutorial, so that nothing has to be compiled.
//
//   node stock_server.mjs DATABASE PORT
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import sqlite from "node-sqlite3-wasm";
import { Server } from "socket.io";

const [file, port] = process.argv.slice(2);
rmSync(`${file}.lock`, { recursive: true, force: true }); // of this port of SQLite, left by whoever was killed
const database = new sqlite.Database(file);
database.exec("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, client_offset TEXT UNIQUE, content TEXT)");

const http = createServer();
const io = new Server(http, { connectionStateRecovery: {} });

io.on("connection", (socket) => {
  socket.on("chat message", (text, clientOffset, answer) => {
    let id;
    try {
      id = database.run("INSERT INTO messages (content, client_offset) VALUES (?, ?)", [text, clientOffset]).lastInsertRowid;
    } catch (error) {
      if (/UNIQUE/.test(error.message)) answer(); // it is there already; otherwise the client shall try again
      return;
    }
    io.emit("chat message", text, id);
    answer();
  });
  if (socket.recovered) return;
  const missed = database.all("SELECT id, content FROM messages WHERE id > ?", [socket.handshake.auth.serverOffset || 0]);
  for (const { id, content } of missed) socket.emit("chat message", content, id);
});

// For the one who counts at the end.
process.on("message", () => process.send({ log: database.all("SELECT content FROM messages ORDER BY id").map((row) => row.content) }));
process.on("disconnect", () => process.exit());
http.listen(Number(port), "127.0.0.1", () => process.send({ port: http.address().port }));
