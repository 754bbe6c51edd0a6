#pragma once

#include <string>
#include <vector>

#include "server/api/values.hpp"

namespace oncewire::api {

/// JSON text becomes a Json, with its members in the order in which they came; of a repeated name the
/// place of the first and the value of the last, as JavaScript has it. Json::parse() would look for every
/// name among all that came before it, so an object of a hundred thousand would take a minute.
class JsonReader final : public nlohmann::json_sax<Json> {
  public:
    Json take() { return std::move(root_); }

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t value, const string_t&) override { return add(value); }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t& value) override { return add(std::move(value)); }
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool key(string_t& name) override;
    bool end_object() override;
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_array() override;
    bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
        return false;
    }

  private:
    bool add(Json value);
    bool open(Json value);
    /// Where the next value goes.
    Json& place();

    Json root_;
    std::vector<Json*> open_;  // each inside the one before it
};

}  // namespace oncewire::api
