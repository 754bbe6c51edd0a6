// Types of oncewire-client: those of socket.io-client 4.8, and what delivery: "exactly-once" adds.

/** Event names and the functions that hear them. */
export interface EventsMap {
  [event: string]: any;
}
/** Without types of one's own: any event with any arguments. */
export interface DefaultEventsMap {
  [event: string]: (...args: any[]) => void;
}
type EventNames<Map extends EventsMap> = keyof Map & (string | symbol);
type EventParams<Map extends EventsMap, Event extends EventNames<Map>> = Parameters<Map[Event]>;

type Last<Args extends any[]> = Args extends [...any[], infer Final] ? Final : never;
type AllButLast<Args extends any[]> = Args extends [...infer Rest, any] ? Rest : any[];
type PrependError<Listener> = Listener extends (...args: infer Args) => infer Result
  ? (error: Error, ...args: Args) => Result
  : Listener;
type WithErrorFirst<Args extends any[]> = Args extends [...infer Rest, infer Ack]
  ? Ack extends (...args: any[]) => any
    ? [...Rest, PrependError<Ack>]
    : Args
  : Args;
type IsAny<Type> = 0 extends 1 & Type ? true : false;
/** What a promise resolves with: the first argument of a callback, after an error if that comes first. */
type FirstOf<Listener> =
  IsAny<Listener> extends true
    ? any
    : Listener extends (first: infer First, ...rest: infer Rest) => any
      ? IsAny<First> extends true
        ? any
        : First extends Error
          ? Rest extends [infer Second, ...any[]]
            ? Second
            : void
          : First
      : void;
/** Events as they are emitted after `timeout()`: their callbacks get an error first. */
export type DecorateAcknowledgements<Map extends EventsMap> = {
  [Event in keyof Map]: Map[Event] extends (...args: infer Args) => infer Result
    ? (...args: WithErrorFirst<Args>) => Result
    : Map[Event];
};

/** Listeners by event name; what `listen` and `reserved` name is typed. */
declare class Emitter<Listen extends EventsMap, Emit extends EventsMap, Reserved extends EventsMap = {}> {
  on<Event extends EventNames<Reserved> | EventNames<Listen>>(
    event: Event,
    listener: ListenerOf<Listen, Reserved, Event>,
  ): this;
  once<Event extends EventNames<Reserved> | EventNames<Listen>>(
    event: Event,
    listener: ListenerOf<Listen, Reserved, Event>,
  ): this;
  off<Event extends EventNames<Reserved> | EventNames<Listen>>(
    event?: Event,
    listener?: ListenerOf<Listen, Reserved, Event>,
  ): this;
  addEventListener: this["on"];
  removeListener: this["off"];
  removeAllListeners: this["off"];
  removeEventListener: this["off"];
  listeners<Event extends EventNames<Reserved> | EventNames<Listen>>(
    event: Event,
  ): ListenerOf<Listen, Reserved, Event>[];
  hasListeners<Event extends EventNames<Reserved> | EventNames<Listen>>(event: Event): boolean;
  emit<Event extends EventNames<Emit>>(event: Event, ...args: EventParams<Emit, Event>): this;
}
type ListenerOf<Listen extends EventsMap, Reserved extends EventsMap, Event> = Event extends EventNames<Reserved>
  ? Reserved[Event]
  : Event extends EventNames<Listen>
    ? Listen[Event]
    : never;

type Reason =
  | "io server disconnect"
  | "io client disconnect"
  | "ping timeout"
  | "transport close"
  | "transport error"
  | "parse error"
  | "forced close";
export type DisconnectReason = Reason;
export type DisconnectDescription = Error | { description: string; context?: unknown };

/** What is promised for a message emitted now, with the server that is there. */
export type Guarantee = "exactly-once" | "at-least-once" | "at-most-once";

/** Nobody knows the session (or it was ended); it is too old; too much was missed; that was never sent; not now. */
export type NotRecovered = "unknown" | "expired" | "too_much" | "bad_offset" | "unavailable" | (string & {});

/** How often the log came otherwise than it is promised, since the page began: expected 0, 0 and 0. */
export interface Anomalies {
  /** Entries that did not come, noticed by the next one, and fetched over another connection. */
  holes: number;
  /** Entries that came again, and were dropped. */
  repeated: number;
  /** Entries that came after later ones, and were dropped. */
  late: number;
}

export interface SocketReservedEvents {
  connect: () => void;
  connect_error: (error: Error & { data?: any; type?: string; description?: any; context?: unknown }) => void;
  disconnect: (reason: DisconnectReason, description?: DisconnectDescription) => void;
  /** delivery: "exactly-once": the server's log is another one now; everything arrives anew. */
  history_replaced: (change: { from: string; to: string }) => void;
  /** Some of what has its place in the server's log from there to there was removed before it was had. */
  history_lost: (gap: { from: number; to: number }) => void;
}

export interface SocketOptions {
  /**
   * Sent with every connection. A function calls back, or returns it, or a promise of it. Where it is a promise, and
   * the function takes no callback, it is asked once more after a refusal: `connect_error` then finds the socket
   * active. One that rejects is told by `connect_error`, and asked again after `reconnectionDelay`.
   */
  auth?: { [key: string]: any } | ((provide: (data: object) => void) => void | object | Promise<object | void>);
  /** How often an emit is sent again until it is acknowledged; at least once. */
  retries?: number;
  /** Milliseconds, for every emit with a callback, which then gets an error first. */
  ackTimeout?: number;
  /**
   * Every emit enters the outbox, or those of the events that are named; the others are as without it, and so is
   * `volatile.emit`.
   */
  delivery?: "exactly-once" | { events: readonly string[] };
  /** Whose outbox it is: what somebody else left in this browser stays there. */
  owner?: string;
  /** Where the outbox survives instead of IndexedDB: for Node. */
  store?: OutboxStore;
}

/** One sender's identity and numbers. `secret` proves to the server that it is the same sender. */
export interface Lane {
  name: string;
  scope: string;
  producer: string;
  secret: string;
}
export interface StoredEntry {
  sequence: number;
  digest: string;
  message: string;
  at: number;
}
/**
 * Keeps lanes and their entries; all values are plain JSON. No other process may have the same one open. What
 * save() resolved for must survive the process: the message is sent, and told to be saved, from then on.
 */
export interface OutboxStore {
  /** Names of the lanes of a scope (server, namespace, owner). */
  laneNames(scope: string): Promise<string[]>;
  /** As saved last, entries in the order of their sequence; undefined if there is none of that name. */
  loadLane(name: string): Promise<(Lane & { next: number; entries: StoredEntry[] }) | undefined>;
  /** Lane, next number, erased and new entries (a sequence that is there is replaced): all or nothing. */
  save(lane: Lane, change: { next: number; erase: number[]; put: StoredEntry[] }): Promise<void>;
  removeLane(name: string): Promise<void>;
}

export interface ManagerOptions {
  path: string;
  query: { [key: string]: any };
  transports: ("polling" | "websocket" | "webtransport")[];
  upgrade: boolean;
  rememberUpgrade: boolean;
  tryAllTransports: boolean;
  forceNew: boolean;
  multiplex: boolean;
  reconnection: boolean;
  reconnectionAttempts: number;
  reconnectionDelay: number;
  reconnectionDelayMax: number;
  randomizationFactor: number;
  /** Milliseconds for one attempt to connect; false: no bound. */
  timeout: number | false;
  autoConnect: boolean;
  withCredentials: boolean;
  extraHeaders: { [header: string]: string };
  transportOptions: { [transport: string]: { extraHeaders?: { [header: string]: string } } };
  requestTimeout: number;
  timestampRequests: boolean;
  timestampParam: string;
  addTrailingSlash: boolean;
  closeOnBeforeunload: boolean;
  protocols: string | string[];
  /** In Node: neither a timer nor a connection keeps the process. */
  autoUnref: boolean;
  /** The class of npm's `ws`, for a platform that has no WebSocket (Node 20): without it, it stays on polling. */
  WebSocket: new (url: string, protocols?: any, options?: any) => any;
}

export interface ManagerReservedEvents {
  open: () => void;
  error: (error: Error) => void;
  ping: () => void;
  packet: (packet: Packet) => void;
  close: (reason: string, description?: DisconnectDescription) => void;
  reconnect: (attempt: number) => void;
  reconnect_attempt: (attempt: number) => void;
  reconnect_error: (error: Error) => void;
  reconnect_failed: () => void;
}
export interface Packet {
  type: number;
  nsp: string;
  data?: any;
  id?: number;
}

export interface EngineReservedEvents {
  open: () => void;
  upgrade: (transport: { name: string }) => void;
  ping: () => void;
  pong: () => void;
  close: (reason: string, description?: DisconnectDescription) => void;
}
/** `manager.engine`: the session with the server. */
export declare class EngineSocket extends Emitter<{}, {}, EngineReservedEvents> {
  readonly id?: string;
  readonly protocol: 4;
  readonly readyState: "opening" | "open" | "closed";
  readonly transport: { readonly name: string; readonly writable: boolean };
  /** As what bytes come: undefined as the platform has them (ArrayBuffer; in Node, Buffer). Holds for later sessions. */
  binaryType?: "arraybuffer";
  close(): this;
}

export declare class Manager<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
> extends Emitter<{}, {}, ManagerReservedEvents> {
  constructor(uri: string, options?: Partial<ManagerOptions>);
  constructor(options?: Partial<ManagerOptions>);
  /** There from the first open() on. */
  readonly engine: EngineSocket;
  opts: Partial<ManagerOptions>;
  readonly uri: string;
  socket<Listen extends EventsMap = ListenEvents, Emit extends EventsMap = EmitEvents>(
    nsp: string,
    options?: SocketOptions,
  ): Socket<Listen, Emit>;
  open(callback?: (error?: Error) => void): this;
  connect(callback?: (error?: Error) => void): this;
  /** Attempts a connection now instead of after the delay. */
  retryNow(): void;
  reconnection(): boolean;
  reconnection(value: boolean): this;
  reconnectionAttempts(): number;
  reconnectionAttempts(value: number): this;
  reconnectionDelay(): number;
  reconnectionDelay(value: number): this;
  reconnectionDelayMax(): number;
  reconnectionDelayMax(value: number): this;
  randomizationFactor(): number;
  randomizationFactor(value: number): this;
  timeout(): number | false;
  timeout(value: number | false): this;
}

export declare class Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
> extends Emitter<ListenEvents, EmitEvents, SocketReservedEvents> {
  readonly io: Manager<ListenEvents, EmitEvents>;
  readonly nsp: string;
  readonly id: string | undefined;
  readonly connected: boolean;
  readonly disconnected: boolean;
  readonly active: boolean;
  readonly recovered: boolean;
  /** With an Oncewire server: why the session that was lost could not be continued. Undefined after disconnect(). */
  readonly notRecovered: NotRecovered | undefined;
  readonly guarantee: Guarantee;
  /** Only with delivery: "exactly-once". */
  readonly outbox?: Outbox;
  /** Only with delivery: "exactly-once"; an Oncewire server is told, too, and counts them. */
  readonly anomalies?: Readonly<Anomalies>;
  auth: SocketOptions["auth"];
  sendBuffer: Packet[];
  receiveBuffer: any[][];

  connect(): this;
  open(): this;
  disconnect(): this;
  close(): this;
  send(...args: any[]): this;
  emitWithAck<Event extends EventNames<EmitEvents>>(
    event: Event,
    ...args: AllButLast<EventParams<EmitEvents, Event>>
  ): Promise<FirstOf<Last<EventParams<EmitEvents, Event>>>>;
  timeout(milliseconds: number): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>>;
  compress(compress: boolean): this;
  get volatile(): this;

  onAny(listener: (...args: any[]) => void): this;
  prependAny(listener: (...args: any[]) => void): this;
  offAny(listener?: (...args: any[]) => void): this;
  listenersAny(): ((...args: any[]) => void)[];
  onAnyOutgoing(listener: (...args: any[]) => void): this;
  prependAnyOutgoing(listener: (...args: any[]) => void): this;
  offAnyOutgoing(listener?: (...args: any[]) => void): this;
  listenersAnyOutgoing(): ((...args: any[]) => void)[];
}

export declare namespace Socket {
  /** As the original names it. */
  type DisconnectReason = Reason;
}

export interface OutboxEntry {
  readonly id: string;
  /** "producer:sequence", by which the server knows it; null until the outbox is open. */
  readonly key: string | null;
  readonly event: string;
  readonly args: any[];
  /** Unix milliseconds of the emit. */
  readonly at: number;
  /** "unknown": it was offered before its sender's lease ended, and nobody knows whether it was stored. */
  readonly state: "saving" | "queued" | "sent" | "accepted" | "rejected" | "unknown" | "cancelled";
  /** True while a copy on this device outlives the page. */
  readonly saved: boolean;
  readonly results?: any[];
  readonly error?: Error;
}
export interface OutboxEvents {
  change: (entry: OutboxEntry) => void;
  renumber: (entry: OutboxEntry, before: string) => void;
  durable: (isDurable: boolean, error?: Error) => void;
  busy: (milliseconds: number) => void;
  /** Messages that had been saved are gone: the browser, or its user, removed them. Names of their lanes. */
  lost: (lanes: string[]) => void;
}
export declare class Outbox extends Emitter<{}, {}, OutboxEvents> {
  readonly size: number;
  /** False while storage refuses: what waits is lost with the page. */
  readonly durable: boolean;
  entries(): OutboxEntry[];
  /** Takes a message back; false: too late. */
  cancel(id: string): boolean;
  /** Lets the browser ask before the page closes while a message is not safe; returns how to stop that. */
  guardClose(options?: { sent?: boolean }): () => void;
}

/** The final word on a durable message: it will not be delivered; or why an emit was refused. */
export declare class DeliveryError extends Error {
  readonly code: string;
  readonly data?: any;
}

/** Says where the WebAssembly is, before the first socket: its URL, its bytes, or it compiled. */
export declare function useWasm(from: string | { readonly href: string } | ArrayBuffer | ArrayBufferView | CompiledWasm): void;
/** A WebAssembly.Module, of which only some libraries of types know. */
type CompiledWasm = object;

/** The protocol's revision. */
export declare const protocol: 5;

interface Io {
  <ListenEvents extends EventsMap = DefaultEventsMap, EmitEvents extends EventsMap = ListenEvents>(
    options?: Partial<ManagerOptions & SocketOptions>,
  ): Socket<ListenEvents, EmitEvents>;
  <ListenEvents extends EventsMap = DefaultEventsMap, EmitEvents extends EventsMap = ListenEvents>(
    uri: string,
    options?: Partial<ManagerOptions & SocketOptions>,
  ): Socket<ListenEvents, EmitEvents>;
  io: Io;
  connect: Io;
  lookup: Io;
  Manager: typeof Manager;
  Socket: typeof Socket;
  DeliveryError: typeof DeliveryError;
  protocol: 5;
  useWasm: typeof useWasm;
}
export declare const io: Io;
export { io as connect, io as lookup, io as default };
