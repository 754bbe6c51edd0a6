#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace oncewire::sim {

/// 128 bits: among a billion of them no two are alike by chance (10^-21).
struct Fingerprint {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const Fingerprint&) const = default;
    struct Hash {
        std::size_t operator()(const Fingerprint& of) const {
            return static_cast<std::size_t>(of.low);
        }
    };
};

/// What one part of a world was given so far, in order, as one number. Whoever decides is a function of
/// that: two parts with the same history are in the same state.
class History {
  public:
    void add(std::uint64_t number) {
        value_.high = mix(value_.high ^ number);
        value_.low = mix(value_.low + number * 0x9e3779b97f4a7c15u);
    }
    void add(std::string_view bytes) {
        add(bytes.size());  // keeps "ab","c" apart from "a","bc"
        for (std::size_t at = 0; at < bytes.size(); at += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
            add(word);
        }
    }
    void add(const Fingerprint& other) {
        add(other.high);
        add(other.low);
    }
    const Fingerprint& value() const { return value_; }

  private:
    /// The finaliser of MurmurHash3, with the constants of SplitMix64.
    static std::uint64_t mix(std::uint64_t x) {
        x += 0x9e3779b97f4a7c15u;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
    }

    Fingerprint value_{0x243f6a8885a308d3u, 0x13198a2e03707344u};
};

}  // namespace oncewire::sim
