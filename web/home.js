// Where the chat's files and its server are, which may be below a path of a larger site.

/** Beside this module; above it, where a page has several chats, each with modules of its own ("/inline-2/home.js"). */
export const home = new URL(/\/inline-\d+\/[^/]*$/.test(import.meta.url) ? "../" : "./", import.meta.url);
