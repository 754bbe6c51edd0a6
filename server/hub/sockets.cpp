#include "server/hub/sockets.hpp"

#include <utility>

namespace oncewire::hub {

SocketId Sockets::add(ConnectionId connection, peer::NamespaceIndex index, std::string sid) {
    const SocketId id = places_.take();
    const auto place = Places::place_of(id);
    if (place == sockets_.size()) sockets_.emplace_back();
    Socket& socket = sockets_[place];
    socket.connection = connection;
    socket.index = index;
    socket.sid = std::move(sid);
    auto& of_connection = connections_.known(connection)->sockets;
    if (of_connection.size() <= index) of_connection.resize(index + 1);
    of_connection[index] = id;
    ++turn_.counts.sockets_open;
    return id;
}

void Sockets::remove(SocketId id) {
    sockets_[Places::place_of(id)] = Socket();
    places_.give_back(id);
    --turn_.counts.sockets_open;
}

}  // namespace oncewire::hub
