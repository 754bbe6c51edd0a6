#include "shared/socketio/namespace_session.hpp"

namespace oncewire::socketio {

namespace {

using enum NamespaceEffect;

constexpr int packet_type_count = 7;
using Table = NamespaceEffect[namespace_state_count][packet_type_count];

// clang-format off
//                  connect            disconnect event      ack        connect_error binary_event binary_ack
constexpr Table server_table = {
    /* absent */     {connect_requested, violation, violation, violation, violation,    violation,   violation},
    /* connecting */ {violation,         violation, violation, violation, violation,    violation,   violation},
    /* connected */  {violation,         left,      event,     ack,       violation,    event,       ack},
    /* dismissed */  {connect_requested, ignore,    ignore,    ignore,    violation,    ignore,      ignore},
};

//                  connect            disconnect event      ack        connect_error binary_event binary_ack
constexpr Table client_table = {
    /* absent */     {ignore,            ignore,    ignore,    ignore,    ignore,       ignore,      ignore},
    /* connecting */ {connected,         left,      hold,      ignore,    refused,      hold,        ignore},
    /* connected */  {violation,         left,      event,     ack,       violation,    event,       ack},
    /* dismissed */  {ignore,            ignore,    ignore,    ignore,    ignore,       ignore,      ignore},
};
// clang-format on

NamespaceEffect look_up(const Table& table, NamespaceState state, PacketType type) {
    return table[static_cast<int>(state)][static_cast<int>(type)];
}

}  // namespace

NamespaceEffect server_effect(NamespaceState state, PacketType type) {
    return look_up(server_table, state, type);
}

NamespaceEffect client_effect(NamespaceState state, PacketType type) {
    return look_up(client_table, state, type);
}

}  // namespace oncewire::socketio
