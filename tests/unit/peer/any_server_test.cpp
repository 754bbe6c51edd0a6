// The client's fuzzer (tests/fuzz/client_fuzz.cpp) on a corpus of its own, natively and as WebAssembly: what it
// demands of a client whatever the server says holds for every frame of the vectors, and for what becomes
// of them when bytes are changed, lost and repeated. A demand that does not hold ends the program.
#include <catch2/catch.hpp>

#include "shared/base/prng.hpp"
#include "tests/unit/support/vectors.hpp"

namespace client_any_server_test {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

using namespace oncewire;

namespace {

constexpr char step_end = '\xff';
constexpr std::size_t bytes_max = 4096;

/// What happens, as the first byte of a step of the fuzzer says it.
enum Happening : char {
    text = 0,
    binary = 1,
    polled = 3,
    posted = 4,
    link_opened = 6,
    auth_given = 8,
    emitted = 9,
    emitted_durable = 10,
    saved = 11
};

std::string step(Happening what, const std::string& bytes = {}) {
    return static_cast<char>(what) + bytes + step_end;
}

const std::string greeting =
    R"(0{"sid":"S","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":100})";
const std::string attached =
    R"(40{"sid":"x","oncewire":{"version":1,"epoch":"E","last":0,"digest":"0000000000000000",)"
    R"("position":"E.0","window":4,"messageBytes":65536,"durability":"disk"}})";

std::string over_websocket(const nlohmann::json& frames) {
    std::string made = '\0' + step(link_opened) + step(text, greeting) + step(auth_given) +
                       step(text, attached) + step(emitted_durable) + step(saved);
    for (const auto& frame : vectors::frames_of(frames)) {
        const bool is_text = frame.type == FrameType::text;
        made += step(is_text ? text : binary, is_text ? '4' + frame.bytes : frame.bytes);
    }
    return made + step(emitted);
}

std::string by_polling(const std::string& body) {
    return '\1' + step(polled, greeting) + step(auth_given) + step(polled, attached) +
           step(link_opened) + step(text, "3probe") + step(posted) + step(polled, body) +
           step(posted);
}

std::vector<std::string> corpus() {
    std::vector<std::string> made;
    for (const auto& vector : vectors::load("socketio_packets.json", "packets"))
        made.push_back(over_websocket(vector["frames"]));
    for (const auto& vector : vectors::load("engineio_payloads.json", "bodies"))
        made.push_back(by_polling(vectors::bytes_of(vector["body"])));
    std::erase_if(made, [](const std::string& input) { return input.size() > bytes_max; });
    return made;
}

std::size_t below(Prng& prng, std::size_t bound) {
    return static_cast<std::size_t>(prng.below(bound));
}

std::string spoiled(std::string input, Prng& prng) {
    for (auto times = 1 + prng.below(4); times > 0 && input.size() > 1; --times) {
        const std::size_t at = below(prng, input.size());
        const std::size_t length = below(prng, input.size() - at);
        switch (prng.below(4)) {
            case 0:
                input[at] = static_cast<char>(prng.below(256));
                break;
            case 1:
                input.erase(at, length);
                break;
            case 2:
                input.insert(at, input.substr(at, length));
                break;
            default:
                input.insert(at, 1, step_end);
                input.insert(at + 1, 1, static_cast<char>(prng.below(256)));
        }
    }
    return input;
}

void play(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

TEST_CASE("whatever a server says, the client keeps its demands") {
    const auto inputs = corpus();
    REQUIRE(inputs.size() > 50);
    Prng prng(7);
    for (const auto& input : inputs) {
        play(input);
        for (int i = 0; i < 200; ++i) play(spoiled(input, prng));
    }
}

}  // namespace client_any_server_test
