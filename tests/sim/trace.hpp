#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/time.hpp"

namespace oncewire::sim {

/// What happened, as one number: two runs with the same hash did the same at the same times, under any
/// compiler. Fixed widths, and bytes as they came; 64-bit FNV-1a.
class TraceHash {
  public:
    void add(std::uint64_t number) {
        for (int i = 0; i < 8; ++i) add_byte(static_cast<std::uint8_t>(number >> (8 * i)));
    }
    void add(std::string_view bytes) {
        for (const char c : bytes) add_byte(static_cast<std::uint8_t>(c));
        add_byte(0xff);  // cannot occur in UTF-8: keeps "ab","c" apart from "a","bc"
    }
    std::uint64_t value() const { return state_; }

  private:
    void add_byte(std::uint8_t byte) { state_ = (state_ ^ byte) * 0x100000001b3u; }

    std::uint64_t state_ = 0xcbf29ce484222325u;
};

/// The events of one run: always hashed, and kept as text when somebody wants to read them.
class Trace {
  public:
    enum class Detail : std::uint8_t { hash, text };

    explicit Trace(Detail detail) : detail_(detail) {}

    /// `what` names the event and its two numbers: "link {} to server: {} bytes".
    void note(Instant at, std::string_view what, std::uint64_t a = 0, std::uint64_t b = 0,
              std::string_view text = {});

    std::uint64_t hash() const { return hash_.value(); }
    const std::vector<std::string>& lines() const { return lines_; }

  private:
    Detail detail_;
    TraceHash hash_;
    std::vector<std::string> lines_;
};

}  // namespace oncewire::sim
