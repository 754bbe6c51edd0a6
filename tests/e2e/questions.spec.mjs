// A question of the server to one page: what happens to page and server before it is answered, the page
// is asked until it has answered, and what follows from the answer happens once.
import { Program } from "../support/program.mjs";
import { expect, test } from "./client_site.mjs";

/** Shows what it is asked, and answers when somebody presses the button. */
const pageFor = (url) => `<!doctype html><body><ul></ul><script type="module">
  import { io } from "/socket.io.esm.min.js";
  const socket = io(${JSON.stringify(url)}, { delivery: "exactly-once", reconnectionDelay: 100, reconnectionDelayMax: 200 });
  window.order = (what) => socket.emit("order", what);
  socket.on("connect", () => (document.title = "connected"));
  socket.on("disconnect", () => (document.title = "disconnected"));
  socket.on("confirm", (what, answer) => {
    const button = document.createElement("button");
    button.textContent = what;
    button.onclick = () => answer("yes") ?? button.remove();
    document.querySelector("ul").append(button);
  });
</script>`;

/** In the page: what its outbox keeps on the disk. */
const storedMessages = () =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open("oncewire");
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const rows = request.result.transaction("entries").objectStore("entries").getAll();
      rows.onsuccess = () => (request.result.close(), resolve(rows.result.map(({ message }) => message)));
    };
  });

const kill = async (program) => {
  program.child.kill("SIGKILL");
  await program.exited;
};

test("a question outlives kill -9 of the server and refreshes of the page, and is answered once", async ({ page, elsewhere }) => {
  const program = await Program.start("example-questions", "--db", "orders.db", "--origin", elsewhere.url);
  const port = new URL(program.url).port;
  const again = () => program.again("--db", "orders.db", "--origin", elsewhere.url, "--port", port);
  elsewhere.pages.set("/", pageFor(program.url));
  const questions = page.getByRole("button");
  try {
    await page.goto(elsewhere.url);
    await page.evaluate(() => ["tea", "cake"].forEach(order));
    await expect(questions).toHaveText(["tea", "cake"]);

    // Nobody has answered: server and page go, and both questions are there again, in order, once.
    await kill(program);
    await page.reload();
    await again();
    await expect(questions).toHaveText(["tea", "cake"]);

    // Answered while the server is away; storage keeps the answer, and the next page is not asked that again.
    await kill(program);
    await expect(page).toHaveTitle("disconnected");
    await questions.first().click();
    await expect(questions).toHaveText(["cake"]);
    await expect.poll(() => page.evaluate(storedMessages)).toContainEqual(expect.stringContaining('["yes"]'));
    await page.reload();
    await again();
    await expect(questions).toHaveText(["cake"]);
    await questions.first().click();

    const friend = program.client();
    const events = [];
    friend.on("ordered", (...event) => events.push(event.slice(0, 2)));
    await expect.poll(() => events).toEqual([["tea", "yes"], ["cake", "yes"]]);
    await kill(program);
    await again();
    await page.reload();
    await expect(page).toHaveTitle("connected");
    await page.evaluate(() => order("milk"));
    await expect(questions).toHaveText(["milk"]);
    const late = program.client();
    const all = [];
    late.on("ordered", (...event) => all.push(event[0]));
    await questions.first().click();
    await expect.poll(() => all).toEqual(["tea", "cake", "milk"]);
  } finally {
    await program.stop();
  }
});
