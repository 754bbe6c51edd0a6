#include "server/api/event.hpp"

namespace oncewire::api {

Arguments Event::arguments(std::size_t first) const {
    Arguments copy{"[", attachments};
    for (std::size_t i = first; i < args.size(); ++i) {
        if (i > first) copy.data += ',';
        copy.data += args[i];
    }
    copy.data += ']';
    return copy;
}

const char* error_text(AckError error) {
    return error == AckError::timed_out ? "operation has timed out"
                                        : "socket has been disconnected";
}

}  // namespace oncewire::api
