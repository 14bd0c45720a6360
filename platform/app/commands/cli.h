// SPDX-License-Identifier: MIT
// The command line, as CLI11 reads it, under CLI11's own names: what they do is in its documentation. Its header is
// costly to compile (4 s with gcc 12, three times that under sanitizers), so cli.cc alone includes it, and these are
// only the parts and the types of values that hawser uses. Whoever declares options includes this file.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI

namespace hawser::app::cli {

template <class T, class... Types>
concept one_of = (std::same_as<T, Types> || ...);

// What an option may be read into. cli.cc instantiates for these and no others.
template <class T>
concept OptionValue =
    one_of<T, std::string, std::uint16_t, std::uint32_t, std::uint64_t, int, double, std::vector<std::string>,
           std::vector<std::uint32_t>, std::vector<double>, std::optional<std::string>, std::optional<std::uint32_t>,
           std::optional<int>, std::optional<double>>;
template <class T>
concept FlagValue = one_of<T, bool, std::string>;
template <class T>
concept CallbackValue = one_of<T, std::string, std::uint32_t, std::vector<std::string>>;

// Answers what is wrong with a text, or nothing; may rewrite it. The description is shown by --help.
class Validator {
public:
    Validator(std::function<std::string(std::string&)> check, std::string description);
    std::string operator()(std::string& text) const;

protected:
    explicit Validator(const CLI::Validator& validator);

private:
    friend class Option;
    std::shared_ptr<const CLI::Validator> validator_;
};

// Both bounds belong to it.
class Range : public Validator {
public:
    Range(int low, int high);
    Range(std::uint32_t low, std::uint32_t high);
    Range(std::uint64_t low, std::uint64_t high);
    Range(double low, double high);
};

class IsMember : public Validator {
public:
    IsMember(std::initializer_list<std::string> words);
    explicit IsMember(const std::vector<std::string>& words);
};

class ExistingDirectory : public Validator {
public:
    ExistingDirectory();
};

// One option of an App, which owns it.
class Option {
public:
    explicit Option(CLI::Option& option) : option_(&option) {}

    Option* check(const Validator& validator);
    Option* check(std::function<std::string(const std::string&)> check);
    Option* type_name(const std::string& name);
    Option* group(const std::string& name);
    Option* required(bool value = true);
    Option* expected(int count);
    Option* expected(int least, int most);
    Option* delimiter(char separator);
    Option* envname(const std::string& name);
    Option* capture_default_str();

private:
    CLI::Option* option_;
};

// A command or a subcommand. What it hands out lives as long as it does; the values that options are read into must
// outlive the parsing.
class App {
public:
    App(const std::string& description, const std::string& name);
    explicit App(CLI::App& subcommand);
    ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    template <OptionValue T>
    Option* add_option(const std::string& names, T& value, const std::string& help = "");
    template <CallbackValue T>
    Option* add_option_function(const std::string& names, const std::function<void(const T&)>& take,
                                const std::string& help);
    template <FlagValue T>
    Option* add_flag(const std::string& names, T& value, const std::string& help);
    // `take` is given how often it was there; the negated form counts down.
    Option* add_flag_function(const std::string& names, std::function<void(std::int64_t)> take,
                              const std::string& help);
    void set_version_flag(const std::string& names, const std::string& version);
    App* add_subcommand(const std::string& name, const std::string& help);
    void require_subcommand(int count);
    void footer(const std::string& text);

    [[nodiscard]] bool parsed() const;  // was named on the command line
    [[nodiscard]] std::string help() const;
    [[nodiscard]] const std::string& get_name() const;

    // Reads the arguments; on --help or an error prints what is to be said and answers the exit code, else nothing.
    [[nodiscard]] std::optional<int> parse(int argc, char** argv, int usage_code);

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace hawser::app::cli
