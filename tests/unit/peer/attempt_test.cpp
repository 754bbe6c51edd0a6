// An attempt is told of before it begins, and may still be changed then.
#include <catch2/catch.hpp>

#include <chrono>
#include <variant>

#include "shared/peer/client.hpp"

namespace client_attempt_test {

using namespace oncewire;
using engineio::TransportKind;

namespace {

const Instant start{std::chrono::seconds{1}};

template <class T>
bool gives(peer::Client& client) {
    const auto output = client.poll_output();
    return output && std::holds_alternative<T>(*output);
}

}  // namespace

TEST_CASE("an attempt is made as the options are when it was told") {
    peer::Client::Options options;
    peer::Client client(options, Prng(1));
    client.open(start);
    REQUIRE(gives<peer::AttemptBegun>(client));
    options.engine.transports = {TransportKind::polling};
    client.set_options(options);
    const auto output = client.poll_output();
    REQUIRE(output);
    CHECK(std::get<peer::OpenLink>(*output).transport == TransportKind::polling);
}

TEST_CASE("an attempt that is no longer wanted when it was told is not made") {
    peer::Client client({}, Prng(1));
    client.open(start);
    REQUIRE(gives<peer::AttemptBegun>(client));
    client.close(start);
    CHECK(gives<peer::LinkClosed>(client));
    CHECK(!client.poll_output());
}

TEST_CASE("an attempt without transports fails, and is made again") {
    peer::Client::Options options;
    options.engine.transports.clear();
    peer::Client client(options, Prng(1));
    client.open(start);
    REQUIRE(gives<peer::AttemptBegun>(client));
    CHECK(gives<peer::AttemptFailed>(client));
    CHECK(gives<peer::Reconnecting>(client));
    client.handle_timeout(client.next_timeout().value());
    CHECK(gives<peer::AttemptBegun>(client));
}

}  // namespace client_attempt_test
