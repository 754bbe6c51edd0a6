#include "server/api/insert_once.hpp"

#include <string>

namespace oncewire::api {
namespace {

store::Verdict stored_as(delivery::Offset offset) {
    return store::accept("{\"id\":" + std::to_string(offset) + "}");
}

}  // namespace

Result<store::Verdict, store::StoreError> insert_once(
    sequencer::Tx& tx, const sequencer::Message& message, std::string_view id,
    std::string_view body,
    const std::function<Result<delivery::Offset, store::StoreError>()>& insert) {
    using Once = sequencer::Tx::Once;
    const auto known = tx.check_once(id, message.scope, body);
    if (!known) return Err{known.error()};
    if (known->outcome == Once::repeated) return stored_as(known->offset);
    if (known->outcome == Once::conflict) {
        return store::reject("conflict", "this id was used for another message");
    }
    const auto offset = insert();
    if (!offset) return Err{offset.error()};
    const auto remembered = tx.remember_once(id, message.scope, body, *offset);
    if (!remembered) return Err{remembered.error()};
    return stored_as(*offset);
}

}  // namespace oncewire::api
