// SPDX-License-Identifier: MIT
#include "platform/app/earlier_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>

#include "platform/app/log.h"
#include "platform/app/text_file.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/replace_file.h"

namespace hawser::app {

namespace {

constexpr std::string_view first_line = "hawser sender 1";
constexpr std::int64_t latency_max_ms = 65'535;  // what a handshake can say

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

// What stands behind the word; absent when the line begins with another.
std::optional<std::string_view> after(std::string_view line, std::string_view word) {
    if (line.size() <= word.size() || line.substr(0, word.size()) != word || line[word.size()] != ' ')
        return std::nullopt;
    return line.substr(word.size() + 1);
}

bool read_hex(std::string_view text, wire::GroupKey& key) {
    if (text.size() != 2 * key.size()) return false;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const char* const at = text.data() + 2 * i;
        const auto [end, error] = std::from_chars(at, at + 2, key[i], 16);
        if (error != std::errc() || end != at + 2) return false;
    }
    return true;
}

}  // namespace

std::string earlier_run_text(const bond::EarlierRun& run, const std::string& receiver) {
    std::string id;
    for (const std::uint8_t byte : run.group) id += fmt::format("{:02x}", byte);
    return fmt::format("{}\nreceiver {}\ngroup {}\nlatency_ms {}\n", first_line, receiver, id, run.latency.ms());
}

Result<bond::EarlierRun, std::string> earlier_run_in(std::string_view text, const std::string& receiver) {
    bond::EarlierRun run;
    const bool is_whole = !text.empty() && text.back() == '\n';
    if (take_line(text) != first_line) return Failure{std::string("it is of another kind, or of a newer hawser")};
    const auto whose = after(take_line(text), "receiver");
    const auto id = after(take_line(text), "group");
    const auto latency = after(take_line(text), "latency_ms");
    std::int64_t ms = -1;
    const char* const end = latency ? latency->data() + latency->size() : nullptr;
    if (latency && std::from_chars(latency->data(), end, ms).ptr != end) ms = -1;
    if (!is_whole || !whose || !id || !read_hex(*id, run.group) || ms < 0 || ms > latency_max_ms)
        return Failure{std::string("it is damaged")};
    if (*whose != receiver) return bond::EarlierRun{};
    run.has_group = true;
    run.latency = Duration{ms * 1'000'000};
    return run;
}

EarlierRunFile::EarlierRunFile(const std::string& folder, const std::string& listen_address, std::uint16_t listen_port)
    : path_(folder.empty() ? folder : fmt::format("{}/sender-{}-{}", folder, listen_address, listen_port)) {}

bond::EarlierRun EarlierRunFile::read(const std::string& receiver) const {
    if (path_.empty() || ::access(path_.c_str(), F_OK) != 0) return {};
    const auto text = read_text_file(path_);
    const auto run =
        text ? earlier_run_in(*text, receiver) : Result<bond::EarlierRun, std::string>(Failure{text.error()});
    if (run) return *run;
    log(Level::warn, "what an earlier run left in {} is of no use: {}", path_, run.error());
    return {};
}

void EarlierRunFile::keep(const bond::EarlierRun& run, const std::string& receiver) {
    if (path_.empty() || !run.has_group) return;
    std::string text = earlier_run_text(run, receiver);
    if (text == kept_) return;
    const auto done = os::replace_file(path_, text, {.makes_folder = true, .is_private = true});
    if (!done && !failed_)
        log(Level::warn, "cannot keep the group for the next run, in {}: {}", path_, os::errno_text(done.error()));
    failed_ = !done;
    if (done) kept_ = std::move(text);
}

}  // namespace hawser::app
