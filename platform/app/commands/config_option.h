// SPDX-License-Identifier: MIT
// -c: a configuration file below the command line. Whatever the command line says goes before the file, at the start
// and at each reload.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/app/commands/options.h"
#include "platform/app/commands/service_options.h"
#include "platform/app/config/config_file.h"
#include "platform/app/config/verify.h"

namespace hawser::app {

// Reads a command line into a request that holds the file's values, and the file's name where it is told. An exit code
// ends the program.
template <class Request>
using ParseLine = std::function<std::optional<int>(int argc, char** argv, Request& request, std::string& file)>;

template <class Request>
struct ConfiguredRequest {
    Request request;
    std::function<Result<Request, std::string>()> reread;  // empty: there is no file
};

// The words of the command line, kept for the reloads.
class Words {
public:
    Words(int argc, char** argv) : words_(argv, argv + argc) {}
    template <class Request>
    std::optional<int> parse(const ParseLine<Request>& parse, Request& request, std::string& file) {
        std::vector<char*> pointers;
        for (std::string& word : words_) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        return parse(static_cast<int>(words_.size()), pointers.data(), request, file);
    }

private:
    std::vector<std::string> words_;
};

// A word that neither the line nor a file says.
inline int fail_usage(const char* command, const char* word) {
    std::fprintf(stderr, "%s: %s is required, here or in a file (-c FILE; without any word, %s if it is there)\n",
                 command, word, usual_config_file);
    return exit_usage;
}

// A word that needs another one, which neither the line nor a file says: told, and true.
template <class Request>
[[nodiscard]] bool fails_alone(const char* command, const Request& request) {
    const std::string complaint = lonely_word(request);
    if (!complaint.empty()) std::fprintf(stderr, "%s: %s\n", command, complaint.c_str());
    return !complaint.empty();
}

// `command` as "hawser send". `role`: the file's section for it. `is_bare`: nothing on the line says what is to
// run, so the usual file is taken where there is one. The error is the exit code.
template <class Request>
[[nodiscard]] Result<ConfiguredRequest<Request>, int> configured(const char* command, int argc, char** argv,
                                                                 const ParseLine<Request>& parse,
                                                                 std::optional<Request> Config::*role,
                                                                 const std::function<bool(const Request&)>& is_bare) {
    ConfiguredRequest<Request> out;
    std::string file;
    Words words(argc, argv);
    if (const auto code = words.parse(parse, out.request, file)) return Failure{*code};
    if (file.empty() && is_bare(out.request) && ::access(usual_config_file, F_OK) == 0) file = usual_config_file;
    if (file.empty()) return out;
    const std::function<Result<Request, Fault>()> read = [words, parse, file,
                                                          role]() mutable -> Result<Request, Fault> {
        auto config = read_config(file);
        // A file that cannot be read may come to be readable.
        if (!config) return Failure{Fault{config.error(), ::access(file.c_str(), R_OK) == 0}};
        std::optional<Request>& said = (*config).*role;
        if (!said)
            return Failure{
                Fault{file + ": it has nothing on this role ([sender] is for send, [receiver] for recv)", true}};
        Request request = std::move(*said);
        std::string again;
        if (words.parse(parse, request, again)) return Failure{Fault{"the command line is not understood", true}};
        request.config_file = file;
        if (Fault fault = fault_here(request); !fault.text.empty()) {
            if (fault.text.find(file) == std::string::npos) fault.text = file + ": " + fault.text;
            return Failure{fault};
        }
        return request;
    };
    out.reread = [read]() -> Result<Request, std::string> {
        auto request = read();
        if (!request) return Failure{request.error().text};
        return std::move(request).value();
    };
    auto request = read();
    if (!request) {
        std::fprintf(stderr, "%s: %s\n", command, request.error().text.c_str());
        return Failure{request.error().is_of_words ? exit_config : exit_failed};
    }
    out.request = std::move(request).value();
    return out;
}

}  // namespace hawser::app
