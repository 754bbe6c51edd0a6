#include "server/store/store.hpp"

namespace oncewire::store {

const char* error_text(StoreError error) {
    switch (error) {
        case StoreError::busy:
            return "the database is locked by another process";
        case StoreError::full:
            return "there is no space left for the database";
        case StoreError::read_only:
            return "the database may not be written";
        case StoreError::io:
            return "the disk failed";
        case StoreError::corrupt:
            return "the database is damaged";
        case StoreError::newer_schema:
            return "the database was written by a newer version";
        case StoreError::handler:
            return "the application failed";
    }
    return "unknown";
}

const char* durability_text(Durability durability) {
    switch (durability) {
        case Durability::memory:
            return "memory";
        case Durability::process:
            return "process";
        case Durability::disk:
            return "disk";
    }
    return "unknown";
}

std::string digest_of_body(std::string_view body) {
    return delivery::format_digest(delivery::digest(body, 0)) + '.' + std::to_string(body.size());
}

}  // namespace oncewire::store
