#include "tests/unit/support/vectors.hpp"

#include <fstream>
#include <sstream>

#include "shared/base/verify.hpp"

namespace oncewire::vectors {

namespace {

std::string bytes_of_hex(const std::string& digits) {
    std::string bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
        bytes += static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16));
    return bytes;
}

}  // namespace

nlohmann::json load(const std::string& name) {
    std::ifstream file(std::string(ONCEWIRE_SOURCE_DIR) + "/tests/vectors/" + name);
    std::stringstream text;
    text << file.rdbuf();
    auto vectors = nlohmann::json::parse(text.str(), nullptr, false);
    VERIFY(!vectors.is_discarded());
    return vectors;
}

nlohmann::json load(const std::string& name, const std::string& list) {
    auto vectors = load(name);
    VERIFY(vectors.contains(list) && !vectors[list].empty());
    return vectors[list];
}

std::string bytes_of(const nlohmann::json& value) {
    if (value.is_string()) return value.get<std::string>();
    std::string bytes;
    if (value.is_array()) {
        for (const auto& part : value) bytes += bytes_of(part);
    } else if (value.contains("hex")) {
        bytes = bytes_of_hex(value["hex"].get<std::string>());
    } else {
        const std::string unit = bytes_of(value["repeat"]);
        const auto times = value["times"].get<std::size_t>();
        bytes.reserve(unit.size() * times);
        for (std::size_t i = 0; i < times; ++i) bytes += unit;
    }
    return bytes;
}

Frame frame_of(const nlohmann::json& value) {
    if (value.is_string()) return {FrameType::text, value.get<std::string>()};
    if (value.contains("binary")) return {FrameType::binary, bytes_of(value["binary"])};
    return {FrameType::text, bytes_of(value["text"])};
}

std::vector<Frame> frames_of(const nlohmann::json& values) {
    std::vector<Frame> frames;
    for (const auto& value : values) frames.push_back(frame_of(value));
    return frames;
}

std::string excerpt(const std::string& bytes) {
    constexpr std::size_t shown = 120;
    if (bytes.size() <= shown) return bytes;
    return bytes.substr(0, shown) + "… (" + std::to_string(bytes.size()) + " bytes)";
}

}  // namespace oncewire::vectors
