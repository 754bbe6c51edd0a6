// How our client reads URLs, in the words the suite asks in.
import { parseUrl } from "../../client-wasm/js/url.js";

export function url(text, path = "", page) {
  const { key, namespace } = parseUrl(text, page);
  const [, protocol, host, port] = key.match(/^(\w+):\/\/\[?(.*?)\]?:(\d+)$/);
  return { protocol, host, port, id: key + path, path: namespace };
}
