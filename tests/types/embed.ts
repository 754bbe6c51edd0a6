// What a page in TypeScript may say to the chat it embeds.
import { createChat, type Chat } from "oncewire-client/embed";

const chat: Chat = createChat({ server: "https://chat.example.org", room: "support", getToken: async () => "token" });
chat.open().setTheme("dark").setLocale("ja").setRoom("sales").identify(() => undefined);
const stop: () => void = chat.on("unread", ({ count }) => count.toFixed());
chat.on("message", ({ place }) => place.length);
// @ts-expect-error no such event
chat.on("shout", () => {});
// @ts-expect-error where is it?
createChat({ room: "support" });
// @ts-expect-error read only
chat.unreadCount = 1;
export { stop };
