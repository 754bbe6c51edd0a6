// One phone's wire: a TCP proxy on loopback that fails when it is told to. The phone's page comes by the same address and
// always loads; only what goes to the server (/socket.io/?EIO=4…) meets the faults.
import { connect, createServer } from "node:net";

const isForServer = (bytes) => /^\w+ \/socket\.io\/\?/.test(bytes.toString("latin1", 0, 64));
// Browsers use a connection again, so one that began with polling may go on with a page. Neither frames nor what is
// posted begins like this.
const isForPage = (bytes) => /^GET \/(?!socket\.io\/\?)/.test(bytes.toString("latin1", 0, 64));

class Link {
  isDead = false; // half-open: what comes is swallowed, and neither end is told
  #proxy;

  constructor(proxy, client, port, first) {
    this.#proxy = proxy;
    this.client = client;
    this.server = connect(port, "127.0.0.1");
    for (const [from, to] of [[client, this.server], [this.server, client]]) {
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("data", (bytes) => (from === client && isForPage(bytes) ? this.#leave(bytes) : this.#carry(bytes, to)));
      from.on("close", () => this.isDead || this.end());
    }
    this.#carry(first, this.server);
  }

  #carry(bytes, to) {
    const deliver = () => this.isDead || to.write(bytes);
    if (this.#proxy.delay) setTimeout(deliver, this.#proxy.delay);
    else deliver();
  }

  /** The client's connection goes on with a page. */
  #leave(first) {
    this.#proxy.links.delete(this);
    this.client.removeAllListeners("data").removeAllListeners("close");
    this.server.removeAllListeners("close").destroy();
    this.#proxy.serve(this.client, first);
  }

  end() {
    this.client.destroy();
    this.server.destroy();
    this.#proxy.links.delete(this);
  }
}

export class Proxy {
  links = new Set();
  isUnplugged = false;
  delay = 0; // ms each way
  #server;
  #pages;

  /** `pages`: an http.Server that answers everything but the server's own path. `port()`: where the server is now. */
  constructor(pages, port) {
    this.#pages = pages;
    this.#server = createServer((client) => {
      client.on("error", () => {});
      client.once("data", (first) => {
        if (!isForServer(first)) return this.serve(client, first);
        if (this.isUnplugged) return client.destroy();
        this.links.add(new Link(this, client, port(), first));
      });
    });
  }

  /** Answers this connection, of which `first` was read, with pages. */
  serve(client, first) {
    client.pause();
    this.#pages.emit("connection", client);
    client.unshift(first);
    client.resume();
  }

  /** Resolves with the address of the phone's page. */
  async listen() {
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  cut() {
    for (const link of [...this.links]) link.end();
  }
  unplug() {
    this.isUnplugged = true;
    this.cut();
  }
  plug() {
    this.isUnplugged = false;
  }
  halfOpen() {
    for (const link of this.links) link.isDead = true;
  }
  /** The wire is whole again; what was dead on one side only is closed for both. */
  heal() {
    this.isUnplugged = false;
    this.delay = 0;
    for (const link of [...this.links]) if (link.isDead) link.end();
  }
  close() {
    this.cut();
    this.#server.close();
  }
}
