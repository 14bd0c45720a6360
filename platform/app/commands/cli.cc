// SPDX-License-Identifier: MIT
#include "platform/app/commands/cli.h"

#include <CLI/CLI.hpp>

#include <cmath>
#include <deque>
#include <utility>

namespace hawser::app::cli {

namespace {

// CLI11 only compares, and "nan" is below and above nothing.
CLI::Validator range_of_numbers(double low, double high) {
    const CLI::Range range(low, high);
    CLI::Validator out(range);
    out.operation([range](std::string& text) {
        double value = 0;
        const bool is_none = CLI::detail::lexical_cast(text, value) && std::isnan(value);
        return is_none ? "Value " + text + " is no number" : range(text);
    });
    return out;
}

}  // namespace

Validator::Validator(std::function<std::string(std::string&)> check, std::string description)
    : Validator(CLI::Validator(std::move(check), std::move(description))) {}

Validator::Validator(const CLI::Validator& validator) : validator_(std::make_shared<CLI::Validator>(validator)) {}

std::string Validator::operator()(std::string& text) const { return (*validator_)(text); }

Range::Range(int low, int high) : Validator(CLI::Range(low, high)) {}
Range::Range(std::uint32_t low, std::uint32_t high) : Validator(CLI::Range(low, high)) {}
Range::Range(std::uint64_t low, std::uint64_t high) : Validator(CLI::Range(low, high)) {}
Range::Range(double low, double high) : Validator(range_of_numbers(low, high)) {}

IsMember::IsMember(std::initializer_list<std::string> words) : IsMember(std::vector<std::string>(words)) {}
IsMember::IsMember(const std::vector<std::string>& words) : Validator(CLI::IsMember(words)) {}

ExistingDirectory::ExistingDirectory() : Validator(CLI::ExistingDirectory) {}

Option* Option::check(const Validator& validator) {
    option_->check(*validator.validator_);
    return this;
}

Option* Option::check(std::function<std::string(const std::string&)> check) {
    option_->check(std::move(check));
    return this;
}

Option* Option::type_name(const std::string& name) {
    option_->type_name(name);
    return this;
}

Option* Option::group(const std::string& name) {
    option_->group(name);
    return this;
}

Option* Option::required(bool value) {
    option_->required(value);
    return this;
}

Option* Option::expected(int count) {
    option_->expected(count);
    return this;
}

Option* Option::expected(int least, int most) {
    option_->expected(least, most);
    return this;
}

Option* Option::delimiter(char separator) {
    option_->delimiter(separator);
    return this;
}

Option* Option::envname(const std::string& name) {
    option_->envname(name);
    return this;
}

Option* Option::capture_default_str() {
    option_->capture_default_str();
    return this;
}

// Deques, since what was handed out must not move.
struct App::Parts {
    std::unique_ptr<CLI::App> own;  // null in a subcommand, which is its parent's
    CLI::App& app;
    std::deque<Option> options;
    std::deque<App> subcommands;

    Option* keep(CLI::Option* option) { return &options.emplace_back(*option); }
};

App::App(const std::string& description, const std::string& name) {
    auto own = std::make_unique<CLI::App>(description, name);
    CLI::App& app = *own;
    parts_ = std::unique_ptr<Parts>(new Parts{std::move(own), app, {}, {}});
}

App::App(CLI::App& subcommand) : parts_(new Parts{nullptr, subcommand, {}, {}}) {}

App::~App() = default;

template <OptionValue T>
Option* App::add_option(const std::string& names, T& value, const std::string& help) {
    return parts_->keep(parts_->app.add_option(names, value, help));
}

template <CallbackValue T>
Option* App::add_option_function(const std::string& names, const std::function<void(const T&)>& take,
                                 const std::string& help) {
    return parts_->keep(parts_->app.add_option_function<T>(names, take, help));
}

template <FlagValue T>
Option* App::add_flag(const std::string& names, T& value, const std::string& help) {
    return parts_->keep(parts_->app.add_flag(names, value, help));
}

Option* App::add_flag_function(const std::string& names, std::function<void(std::int64_t)> take,
                               const std::string& help) {
    return parts_->keep(parts_->app.add_flag_function(names, std::move(take), help));
}

void App::set_version_flag(const std::string& names, const std::string& version) {
    parts_->app.set_version_flag(names, version);
}

App* App::add_subcommand(const std::string& name, const std::string& help) {
    return &parts_->subcommands.emplace_back(*parts_->app.add_subcommand(name, help));
}

void App::require_subcommand(int count) { parts_->app.require_subcommand(count); }
void App::footer(const std::string& text) { parts_->app.footer(text); }
bool App::parsed() const { return parts_->app.parsed(); }
std::string App::help() const { return parts_->app.help(); }
const std::string& App::get_name() const { return parts_->app.get_name(); }

std::optional<int> App::parse(int argc, char** argv, int usage_code) {
    CLI::App& app = parts_->app;
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& e) {
        return app.exit(e);
    } catch (const CLI::CallForVersion& e) {
        return app.exit(e);
    } catch (const CLI::ParseError& e) {
        app.exit(e);
        return usage_code;
    }
    return std::nullopt;
}

template Option* App::add_option(const std::string&, std::string&, const std::string&);
template Option* App::add_option(const std::string&, std::uint16_t&, const std::string&);
template Option* App::add_option(const std::string&, std::uint32_t&, const std::string&);
template Option* App::add_option(const std::string&, std::uint64_t&, const std::string&);
template Option* App::add_option(const std::string&, int&, const std::string&);
template Option* App::add_option(const std::string&, double&, const std::string&);
template Option* App::add_option(const std::string&, std::vector<std::string>&, const std::string&);
template Option* App::add_option(const std::string&, std::vector<std::uint32_t>&, const std::string&);
template Option* App::add_option(const std::string&, std::vector<double>&, const std::string&);
template Option* App::add_option(const std::string&, std::optional<std::string>&, const std::string&);
template Option* App::add_option(const std::string&, std::optional<std::uint32_t>&, const std::string&);
template Option* App::add_option(const std::string&, std::optional<int>&, const std::string&);
template Option* App::add_option(const std::string&, std::optional<double>&, const std::string&);
template Option* App::add_option_function(const std::string&, const std::function<void(const std::string&)>&,
                                          const std::string&);
template Option* App::add_option_function(const std::string&, const std::function<void(const std::uint32_t&)>&,
                                          const std::string&);
template Option* App::add_option_function(const std::string&,
                                          const std::function<void(const std::vector<std::string>&)>&,
                                          const std::string&);
template Option* App::add_flag(const std::string&, bool&, const std::string&);
template Option* App::add_flag(const std::string&, std::string&, const std::string&);

}  // namespace hawser::app::cli
