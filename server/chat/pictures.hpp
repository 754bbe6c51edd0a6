#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/chat/chat.hpp"

namespace oncewire::chat {

/// Pictures: kept in a table of the chat's own, under ids their senders drew, and shown to whoever may
/// read the message they stand in. Posting one twice posts it once, so a sender who does not know how
/// far it got begins again.
///
/// An id is drawn rather than computed from the bytes: whoever has a file could otherwise ask whether
/// somebody has sent it.
void install_pictures(api::Application& application, const Options& options);

/// A picture that was kept, as posts need it.
struct KeptPicture {
    std::string owner;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::optional<delivery::Offset> posted = {};  ///< the message it stands in
};

/// None: there is none of this id, or there never was.
Result<std::optional<KeptPicture>, store::StoreError> find_picture(sequencer::Tx& tx,
                                                                   const std::string& id);
/// It stands in message `offset` of `place` from now on.
Result<void, store::StoreError> note_posted(sequencer::Tx& tx, const std::string& id,
                                            const std::string& place, delivery::Offset offset);
/// Its bytes go; that it was posted is remembered.
Result<void, store::StoreError> drop_picture(sequencer::Tx& tx, const std::string& id);

}  // namespace oncewire::chat
