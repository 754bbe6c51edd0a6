#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "shared/base/frame.hpp"

/// The wire vectors of tests/vectors, whose README explains the forms.
namespace oncewire::vectors {

/// tests/vectors/<name>. Stops the test program if it is missing or broken: no vector may be skipped.
nlohmann::json load(const std::string& name);
/// One list of it, as a value: a loop over load(name)[list] would outlive what it walks.
nlohmann::json load(const std::string& name, const std::string& list);

/// The bytes a value of a vector file stands for.
std::string bytes_of(const nlohmann::json& value);
Frame frame_of(const nlohmann::json& value);
std::vector<Frame> frames_of(const nlohmann::json& values);

/// The start of it, for messages about failures.
std::string excerpt(const std::string& bytes);

}  // namespace oncewire::vectors
