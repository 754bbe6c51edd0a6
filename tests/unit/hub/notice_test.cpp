// What a session is believed to have noticed.
#include <catch2/catch.hpp>

#include <string>

#include "tests/unit/support/small_server.hpp"

namespace hub_notice_test {

using namespace oncewire;

TEST_CASE("one session raises counters that should be 0 by so much and no more") {
    api::Application application;
    SmallServer server(application);
    const auto lane = [](char name) {
        return R"(40{"oncewire":{"version":1,"producer":")" + std::string(32, name) +
               R"(","secret":")" + std::string(32, 'b') + R"("}})";
    };
    const auto one = server.connect(lane('a')), two = server.connect(lane('c'));
    server.send(one, R"(42["oncewire:noticed",1,0,2])");
    CHECK(server.hub().counts().noticed == delivery::Anomalies{1, 0, 2});
    for (int i = 0; i < 3; ++i) {
        server.send(one, R"(42["oncewire:noticed",4294967295,4294967295,4294967295])");
    }
    CHECK(server.hub().counts().noticed == delivery::Anomalies{100, 100, 100});
    server.send(two, R"(42["oncewire:noticed",3,0,0])");
    CHECK(server.hub().counts().noticed == delivery::Anomalies{103, 100, 100});
}

}  // namespace hub_notice_test
