// `manager.engine`: one session with the server, as far as applications look at it.

import { Emitter, throughProxies } from "./emitter.js";

/** Events: open, upgrade(transport), ping, pong, close(reason, details). */
export class EngineSocket extends Emitter {
  /** The session's id; a secret between client and server. */
  id;
  readyState = "opening";
  protocol = 4;
  transport;
  /** "arraybuffer": bytes are handed to listeners so, in Node, too; undefined: as the platform has them. */
  binaryType;
  #closeLink;
  #isWritable;

  constructor(transport, { closeLink, isWritable }) {
    super();
    this.#closeLink = closeLink;
    this.#isWritable = isWritable;
    this.transport = this.#named(transport);
  }

  /** Ends the session as if it had failed; the manager reconnects. */
  close() {
    if (this.readyState !== "closed") this.#closeLink();
    return this;
  }

  // ---- for the manager ----------------------------------------------------------------------------

  handleOpen({ transport, sid }) {
    this.transport = this.#named(transport);
    this.id = sid;
    this.readyState = "open";
    this.notify("open");
  }

  handleUpgrade() {
    this.transport = this.#named("websocket");
    this.notify("upgrade", this.transport);
  }

  handlePing() {
    this.notify("ping");
    this.notify("pong");
  }

  handleClose(reason, details) {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.id = undefined;
    this.notify("close", reason, details);
  }

  #named(name) {
    const isWritable = this.#isWritable;
    return {
      name,
      get writable() {
        return isWritable();
      },
    };
  }
}
throughProxies(EngineSocket);
