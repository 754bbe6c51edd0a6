#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "server/hub/room_index.hpp"
#include "shared/base/prng.hpp"

namespace hub_room_index_test {

using namespace oncewire;
using namespace oncewire::hub;

TEST_CASE("joining twice and leaving what one is not in change nothing") {
    RoomIndex rooms;
    CHECK(rooms.join(1, "a"));
    CHECK_FALSE(rooms.join(1, "a"));
    CHECK_FALSE(rooms.leave(1, "b"));
    CHECK_FALSE(rooms.leave(2, "a"));
    CHECK(rooms.members("a") == std::vector<SocketId>{1});
    CHECK(rooms.leave(1, "a"));
    CHECK(rooms.members("a").empty());
    CHECK(rooms.room_count() ==
          0);  // an empty room is no room: names cost nothing when nobody is there
}

TEST_CASE("random joins and leaves agree with a plain model") {
    Prng prng(5);
    RoomIndex rooms;
    std::map<std::string, std::set<SocketId>> model;
    for (int step = 0; step < 20'000; ++step) {
        const SocketId socket = prng.below(12);
        const std::string room(1, static_cast<char>('a' + prng.below(6)));
        switch (prng.below(8)) {
            case 0:
                rooms.leave_all(socket);
                for (auto& [name, members] : model) members.erase(socket);
                break;
            case 1:
            case 2:
            case 3:
                CHECK(rooms.leave(socket, room) == (model[room].erase(socket) == 1));
                break;
            default:
                CHECK(rooms.join(socket, room) == model[room].insert(socket).second);
                break;
        }
        auto members = rooms.members(room);
        std::sort(members.begin(), members.end());
        REQUIRE(std::equal(members.begin(), members.end(), model[room].begin(), model[room].end()));
        REQUIRE(rooms.is_member(socket, room) == (model[room].count(socket) == 1));
    }
    std::size_t occupied = 0;
    for (const auto& [name, members] : model) occupied += members.empty() ? 0 : 1;
    CHECK(rooms.room_count() == occupied);
}

}  // namespace hub_room_index_test
