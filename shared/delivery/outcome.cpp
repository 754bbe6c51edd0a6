#include "shared/delivery/outcome.hpp"

#include "shared/base/json.hpp"

namespace oncewire::delivery {

bool is_outcome_unknown(std::string_view rejection) {
    if (json::kind_of(rejection) != json::Kind::object) return false;
    const auto error = json::member(rejection, "error");
    return error && json::as_string(*error) == outcome_unknown;
}

}  // namespace oncewire::delivery
