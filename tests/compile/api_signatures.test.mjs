// Handlers of the C++ API that cannot work: each does not compile, and says in one sentence what to write instead.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { test } from "node:test";
import { root } from "../support/server.mjs";

const view = /cannot be a view or a pointer.*write std::string instead of std::string_view/s;
const reference = /by value or by reference to const/;
const signature = /a handler is a function or lambda whose parameter types are written out/;
const coroutine = /a handler that is a coroutine takes its parameters by value/;
const become = /an argument cannot become a parameter of this type; give it void from_json/;
const answer = /the function behind the arguments takes the answer and nothing else/;

/** A line that is refused, and what is said of it. */
const refused = [
  [`io.on("x", [](std::string_view v, Ack a) { a(v); });`, view],
  [`socket.on("x", [](const std::string_view& v) { (void)v; });`, view],
  [`io.on("x", [](const char* text) { (void)text; });`, view],
  [`io.on("x", [](int* numbers) { (void)numbers; });`, view],
  [`io.on("x", [](Socket*) {});`, view],
  [`socket.once("x", [](std::span<const int> numbers) { (void)numbers; });`, view],
  [`io.on("x", [](std::optional<std::string_view> v) { (void)v; });`, view],
  [`io.on("x", [](std::vector<const char*> texts) { (void)texts; });`, view],
  [`io.on("x", [](std::map<std::string, std::string_view> texts) { (void)texts; });`, view],
  [`io.on_server_side("x", [](std::string_view v) { (void)v; });`, view],
  [`io.on("x", [](std::string& text) { text.clear(); });`, reference],
  [`io.on("x", [](Socket&) {});`, reference],
  [`io.on("x", [](Ack&&) {});`, reference],
  [`io.on("x", [](auto text) { (void)text; });`, signature],
  [`io.on("x", [](auto... all) { ((void)all, ...); });`, signature],
  [`io.on("x", &Chess::move);`, signature],
  [`io.on("x", 5);`, signature],
  [`io.on("x", [](Point where) { (void)where; });`, become],
  [`io.on("x", [](std::vector<Point> where) { (void)where; });`, become],
  [`io.on("x", [](Request<int> what) { (void)what; });`, become],
  [`io.on("x", [](Socket s, const std::string& text) -> Task { s.emit(text); co_return; });`, coroutine],
  [`io.on("x", [](Socket s, Event event) -> Task { s.emit("y", event.arguments()); co_return; });`, coroutine],
  [`socket.on_any([](Event event) -> Task { (void)event; co_return; });`, /a handler of any event .* no coroutine/],
  [`socket.on_any([](std::string name) { (void)name; });`, /a handler of any event .*\(const Event&\)/],
  [`socket.prepend_any_outgoing([](Event&) {});`, /a handler of any event .*\(const Event&\)/],
  [`socket.use([](const Event&) {});`, /use\(\) of a socket wants .*std::optional<Refusal>/],
  [`socket.on_error([](Socket, const Error&) {});`, /on_error\(\) of a socket wants .*\(const Error&\)/],
  [`io.on_error([](const Error&) {});`, /on_error\(\) wants .*\(Socket, const Error&\)/],
  [`io.on_connection([](Socket&) {});`, /on_connection\(\) wants .*\(Socket\)/],
  [`io.on_connection([kept = std::unique_ptr<int>()](Socket) {});`, /on_connection\(\) wants a function that can be copied/],
  [`io.on_connection([](const Socket& s) -> Task { s.emit("x"); co_return; });`, /on_connection\(\) wants .*\(Socket\)/],
  [`io.use([](Socket, std::string) {});`, /use\(\) wants .*\(Socket, Next\)/],
  [`io.of("/x").use([](Socket) { return true; });`, /use\(\) wants .*std::optional<Refusal>/],
  [`io.of([](int) { return true; });`, /of\(\) wants a name, a Pattern/],
  [`io.on_new_namespace([](std::string name) { (void)name; });`, /on_new_namespace\(\) wants/],
  [`io.allow_request([](const oncewire::hub::Request&) { return true; });`, /allow_request\(\) wants/],
  [`io.on_http([](std::string path, HttpReply reply) { reply(200, path); });`, /on_http\(\) wants .*\(const HttpRequest&, HttpReply\)/],
  [`io.on_durable("x", [](Tx&, const Message&) { return true; });`, /on_durable\(\) wants .*returns oncewire::Result<Verdict, StoreError>/],
  [`io.on_durable("x", [](Socket, std::string text) { (void)text; });`, /on_durable\(\) wants .*argument<T>\(message, index\)/],
  [`io.on_reply("x", [](Tx&, const Reply&) {});`, /on_reply\(\) wants .*Question/],
  [`io.on_task("x", [](const DeferredTask&) {});`, /on_task\(\) wants .*EndTask/],
  [`io.after(oncewire::Millis{1}, [](int) {});`, /after\(\) wants .*nothing/],
  [`Server({}, [](Application io) { (void)io; });`, /a Server wants .*\(Application&\)/],
  [`socket.emit_with_ack("x", 1, [](std::string_view answer) { (void)answer; });`, answer],
  [`io.emit_with_ack("x", [](AckResult answer) { (void)answer; });`, answer],
  [`socket.submit("x", [](Verdict verdict) { (void)verdict; });`, answer],
  [`io.server_side_emit_with_ack("x", [](AckResult) {});`, answer],
  [`socket.emit_with_ack("x", 1, &Chess::move);`, answer],
  [`socket.emit("x", [](AckResult) {});`, /a function cannot be sent; to ask for an answer write emit_with_ack/],
  [`socket.emit_with_ack("x").then([](std::string) {});`, /then\(\) wants/],
  [`io.timeout(oncewire::Millis{1}).on_answer([](const BroadcastAnswer&) {});`, /on_answer\(\) wants/],
  [`socket.emit("x", Point{});`, /a value of this type cannot be sent; give it void to_json/],
  [`socket.emit("x", &chess);`, /a value of this type cannot be sent; .*values rather than pointers/],
  [`io.on("x", [](const Event& event) { (void)event.get<std::string_view>(0); });`, /cannot be read as a view or a pointer/],
  [`io.on("x", [](const Event& event) { (void)event.get<Point>(0); });`, /an argument cannot become a value of this type/],
  [`io.on_connection([](Socket s) { (void)s.handshake().auth_value<const char*>("name"); });`, /cannot be read as a view or a pointer/],
];

/** What a handler may be: all of it in one program. */
const allowed = `#include "server/api/awaitable.hpp"
#include "server/api/server.hpp"
using namespace oncewire::api;
struct Point { int x = 0, y = 0; };
void to_json(Json& json, const Point& point) { json = {{"x", point.x}, {"y", point.y}}; }
void from_json(const Json& json, Point& point) { point = {json.at("x"), json.at("y")}; }
struct Word { std::string text; };
namespace oncewire::api {
template <> struct Decoder<Word> {
    static constexpr const char* wanted = "a word";
    static std::optional<Word> decode(std::string_view text, const std::vector<std::string>&) { return Word{std::string(text)}; }
};
}
void plain(Socket, const std::string&) {}
struct Functor { void operator()(const Socket& socket, Point point) const { socket.emit("point", point); } };
void install(Application& io, Socket socket) {
    io.on("x", plain);
    io.on("x", Functor{});
    io.on("x", std::function<void(int)>([](int) {}));
    io.on("x", [kept = std::make_unique<int>()](std::string&& text) mutable { *kept = int(text.size()); });
    io.on("x", [](const Event&, Event, const Ack&, Ack, const Socket&) noexcept {});
    io.on("x", [](bool, unsigned char, double, Binary, Json, JsonText, std::optional<Point>, std::vector<Word>) {});
    io.on("x", [](std::map<std::string, std::vector<int>>, std::pair<int, std::string>) {});
    io.on("x", [](Socket caller, std::string text) -> Task {
        const auto answer = co_await caller.emit_with_ack("x", text);
        if (answer) caller.emit("x", *answer);
    });
    io.use([](Socket, Next next) { next(); });
    io.use([](const Socket&) { return allow(); });
    io.of([](std::string_view name, const Json&) { return name.empty(); });
    io.on_http([](HttpRequest, HttpReply reply) -> Task { reply(200, "x"); co_return; });
    socket.emit("x", nullptr, std::string("a"), std::string_view("b"), 'c', 1u, 1.5f, Point{}, std::vector<Point>{});
    socket.emit_with_ack("x", [](const AckResult&) {});
    socket.emit_with_ack("x", [](auto answer) { (void)answer; });
    io.emit_with_ack("x", 1, [](BroadcastAcks) {});
}
`;

const compilers = ["g++", "clang++-14"].filter((name) => {
  try {
    return execFileSync(name, ["--version"], { stdio: ["ignore", "pipe", "ignore"] }).length > 0;
  } catch {
    return false;
  }
});

/** Each line in a function and, for the compiler, a file of its own. */
const all = [
  `#include "server/api/awaitable.hpp"
#include "server/api/server.hpp"
using namespace oncewire::api;
struct Point { int x = 0, y = 0; };
struct Chess { void move(int) {} };
`,
  ...refused.map(([line], number) => `#line 1 "case_${number}.cpp"
void case_${number}([[maybe_unused]] Application& io, [[maybe_unused]] Socket socket, [[maybe_unused]] Chess& chess) { ${line} }
`),
].join("");

/** What a compiler says, line by line, one array for each mistake. */
function mistakesIn(text) {
  const mistakes = [[]];
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const begins = /: In |^In file included from|error:/.test(line);
    if (begins && mistakes.at(-1).some((one) => one.includes("error:"))) mistakes.push([]);
    mistakes.at(-1).push(line);
  }
  return mistakes.filter((lines) => lines.some((one) => one.includes("error:")));
}

for (const compiler of compilers) {
  const limit = compiler.startsWith("clang") ? ["-ferror-limit=0"] : [];
  const flags = ["-std=c++20", `-I${root}`, "-Wall", "-Wextra", "-fsyntax-only", "-x", "c++", "-", ...limit];
  const compile = (input) => spawnSync(compiler, flags, { input, encoding: "utf8", maxBuffer: 1 << 26 });

  test(`${compiler}: whatever a handler may be compiles`, () => {
    const { status, stderr } = compile(allowed);
    assert.equal(stderr, "");
    assert.equal(status, 0);
  });

  test(`${compiler}: handlers that cannot work are refused, each with one sentence`, async (t) => {
    const { status, stderr } = compile(all);
    assert.notEqual(status, 0);
    const mistakes = mistakesIn(stderr);
    for (const [number, [line, sentence]] of refused.entries()) {
      await t.test(line.slice(0, 110), () => {
        const own = mistakes.filter((lines) => lines.some((one) => one.includes(`case_${number}.cpp`)));
        assert.equal(own.length, 1, own.flat().join("\n"));
        const error = own[0].find((one) => one.includes("error:"));
        assert.match(error, /oncewire: /);
        assert.match(error, sentence);
        assert.ok(own[0].length <= 24, `${own[0].length} lines:\n${own[0].join("\n")}`);
      });
    }
    assert.equal(mistakes.length, refused.length, "no mistake that belongs to no line");
  });
}
