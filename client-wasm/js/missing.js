// What jsdom has not and a page has. build.mjs puts it into the builds with the engine inside, where nobody
// counts bytes.

export const TextEncoder = globalThis.TextEncoder ?? class {
  encodeInto(text, room) {
    const bytes = unescape(encodeURIComponent(text.toWellFormed?.() ?? text));
    for (let i = 0; i < bytes.length; ++i) room[i] = bytes.charCodeAt(i);
    return { written: bytes.length };
  }
};

export const TextDecoder = globalThis.TextDecoder ?? class {
  decode(bytes) {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return decodeURIComponent(escape(text));
  }
};

export const fetch = globalThis.fetch?.bind(globalThis) ?? fetchByXhr;

/** As much of fetch() as the client asks for. */
function fetchByXhr(url, { method = "GET", headers = {}, body, credentials, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.responseType = "arraybuffer";
    request.withCredentials = credentials === "include";
    request.onload = () => resolve(asResponse(request));
    request.onerror = request.onabort = () => reject(new TypeError(`no answer from ${url}`));
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

function asResponse(request) {
  const { status, response } = request;
  return {
    status,
    ok: status >= 200 && status < 300,
    headers: { get: (name) => request.getResponseHeader(name) },
    arrayBuffer: async () => response,
  };
}
