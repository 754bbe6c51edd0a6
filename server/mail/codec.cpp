#include "server/mail/codec.hpp"

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/mail/fields.hpp"
#include "shared/base/ids.hpp"

namespace oncewire::mail {
namespace {

using internal::Fields;
using internal::Required;

template <class E>
constexpr E last_of = E();
template <>
constexpr store::Verdict::Kind last_of<store::Verdict::Kind> = store::Verdict::Kind::rejected;
template <>
constexpr store::Durability last_of<store::Durability> = store::Durability::disk;
template <>
constexpr CoreQuestion::Kind last_of<CoreQuestion::Kind> = CoreQuestion::Kind::server_side;
template <>
constexpr CoreMail::Stage last_of<CoreMail::Stage> = CoreMail::Stage::ordered;

constexpr std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

constexpr std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// ---- writing ------------------------------------------------------------------------------------

class Writer {
  public:
    std::string take() { return std::move(bytes_); }

    void put(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
        bytes_ += static_cast<char>(value);
    }
    void put(std::int64_t value) { put(zigzag(value)); }
    void put(bool value) { bytes_ += value ? '\1' : '\0'; }
    template <std::unsigned_integral T>
    void put(T value) {
        put(static_cast<std::uint64_t>(value));
    }
    template <class E>
    requires std::is_enum_v<E>
    void put(E value) { put(static_cast<std::uint64_t>(value)); }
    void put(Millis value) { put(value.count()); }
    void put(const std::string& text) {
        put(static_cast<std::uint64_t>(text.size()));
        bytes_ += text;
    }
    template <class Tag>
    void put(const Id<Tag>& id) {
        put(id.text);
    }
    template <class T>
    void put(const std::vector<T>& list) {
        put(static_cast<std::uint64_t>(list.size()));
        for (const T& each : list) put(each);
    }
    template <class T>
    void put(const std::optional<T>& value) {
        put(value.has_value());
        if (value) put(*value);
    }
    template <class T>
    void put(const std::shared_ptr<const T>& value) {
        put(value != nullptr);
        if (value) put(*value);
    }
    template <class T>
    void put(const Required<const std::shared_ptr<const T>>& value) {
        put(*value.pointer);
    }
    template <class T>
    void put(const Required<const std::vector<std::shared_ptr<const T>>>& list) {
        put(static_cast<std::uint64_t>(list.pointer.size()));
        for (const auto& each : list.pointer) put(*each);
    }
    template <class... Letters>
    void put(const std::variant<Letters...>& letter) {
        put(static_cast<std::uint64_t>(letter.index()));
        std::visit([this](const auto& one) { this->put(one); }, letter);
    }
    template <class T>
    requires requires(const T& value) { Fields<T>::of(value); }
    void put(const T& value) {
        std::apply([this](const auto&... members) { (this->put(members), ...); },
                   Fields<T>::of(value));
    }

  private:
    std::string bytes_;
};

template <class Letter>
std::string encoded(const Letter& letter) {
    Writer writer;
    writer.put(letter);
    return writer.take();
}

// ---- reading ------------------------------------------------------------------------------------

/// Each get() is false when what comes is none; then nothing more is read.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    bool is_at_end() const { return rest_.empty(); }

    bool get(std::uint64_t& value) {
        value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) return false;
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            if (shift == 63 && byte > 1) return false;
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return byte != 0 || shift == 0;  // as few bytes as it takes
        }
        return false;
    }
    bool get(std::int64_t& value) {
        std::uint64_t number = 0;
        if (!get(number)) return false;
        value = unzigzag(number);
        return true;
    }
    bool get(bool& value) {
        std::uint64_t number = 0;
        if (!get(number) || number > 1) return false;
        value = number != 0;
        return true;
    }
    template <std::unsigned_integral T>
    bool get(T& value) {
        std::uint64_t number = 0;
        if (!get(number) || number > std::numeric_limits<T>::max()) return false;
        value = static_cast<T>(number);
        return true;
    }
    template <class E>
    requires std::is_enum_v<E>
    bool get(E& value) {
        std::uint64_t number = 0;
        if (!get(number) || number > static_cast<std::uint64_t>(last_of<E>)) return false;
        value = static_cast<E>(number);
        return true;
    }
    bool get(Millis& value) {
        std::int64_t count = 0;
        if (!get(count)) return false;
        value = Millis{count};
        return true;
    }
    bool get(std::string& text) {
        std::uint64_t size = 0;
        if (!get(size) || size > rest_.size()) return false;
        text = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return true;
    }
    template <class Tag>
    bool get(Id<Tag>& id) {
        return get(id.text);
    }
    template <class T>
    bool get(std::vector<T>& list) {
        return get_list<T>([&](T each) { list.push_back(std::move(each)); });
    }
    template <class T>
    bool get(std::optional<T>& value) {
        bool is_there = false;
        if (!get(is_there)) return false;
        if (is_there) value = T{};
        return !is_there || get(*value);
    }
    template <class T>
    bool get(std::shared_ptr<const T>& value) {
        bool is_there = false;
        if (!get(is_there)) return false;
        return !is_there || get_shared(value);
    }
    template <class T>
    bool get(const Required<std::shared_ptr<const T>>& value) {
        return get_shared(value.pointer);
    }
    template <class T>
    bool get(const Required<std::vector<std::shared_ptr<const T>>>& list) {
        return get_list<T>(
            [&](T each) { list.pointer.push_back(std::make_shared<const T>(std::move(each))); });
    }
    template <class... Letters>
    bool get(std::variant<Letters...>& letter) {
        std::uint64_t index = 0;
        if (!get(index) || index >= sizeof...(Letters)) return false;
        return get_alternative(letter, index, std::index_sequence_for<Letters...>());
    }
    template <class T>
    requires requires(T& value) { Fields<T>::of(value); }
    bool get(T& value) {
        return std::apply([this](auto&&... members) { return (this->get(members) && ...); },
                          Fields<T>::of(value));
    }

  private:
    /// No element takes less than a byte, so there are no more than there are bytes.
    template <class T, class Keep>
    bool get_list(Keep keep) {
        std::uint64_t size = 0;
        if (!get(size) || size > rest_.size()) return false;
        for (; size > 0; --size) {
            T each{};
            if (!get(each)) return false;
            keep(std::move(each));
        }
        return true;
    }
    template <class T>
    bool get_shared(std::shared_ptr<const T>& value) {
        auto made = std::make_shared<T>();
        if (!get(*made)) return false;
        value = std::move(made);
        return true;
    }
    template <class Variant, std::size_t... I>
    bool get_alternative(Variant& letter, std::uint64_t index, std::index_sequence<I...>) {
        bool is_read = false;
        ((I == index && (is_read = get(letter.template emplace<I>()))), ...);
        return is_read;
    }

    std::string_view rest_;
};

template <class Letter>
std::optional<Letter> decoded(std::string_view bytes) {
    Reader reader(bytes);
    Letter letter;
    if (!reader.get(letter) || !reader.is_at_end()) return std::nullopt;
    return letter;
}

}  // namespace

std::string encode(const ToSequencer& letter) { return encoded(letter); }
std::string encode(const ToReader& letter) { return encoded(letter); }
std::string encode(const FromSequencer& letter) { return encoded(letter); }
std::string encode(const CoreMail& letter) { return encoded(letter); }

std::optional<ToSequencer> decode_to_sequencer(std::string_view bytes) {
    return decoded<ToSequencer>(bytes);
}
std::optional<ToReader> decode_to_reader(std::string_view bytes) {
    return decoded<ToReader>(bytes);
}
std::optional<FromSequencer> decode_from_sequencer(std::string_view bytes) {
    return decoded<FromSequencer>(bytes);
}
std::optional<CoreMail> decode_core_mail(std::string_view bytes) {
    return decoded<CoreMail>(bytes);
}

}  // namespace oncewire::mail
