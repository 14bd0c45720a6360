// SPDX-License-Identifier: MIT
#include "platform/control/uplink_list.h"

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "platform/control/quoted.h"
#include "platform/linux/fd.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

constexpr std::size_t file_bytes_max = 1 << 20;
constexpr int pipe_patience_ms = 1'000;
static_assert(device_name_bytes == IFNAMSIZ);

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

// Up to the next blank; `text` loses it.
std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    const auto end = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_blank) - text.begin());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

// The kernel takes nearly anything; what is not written so is an address with a mistake in it.
bool is_interface_name(std::string_view text) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto is_part = [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '@';
    };
    return !text.empty() && text.size() < device_name_bytes && is_letter(text.front()) &&
           std::all_of(text.begin(), text.end(), is_part);
}

}  // namespace

std::optional<UplinkSpec> parse_uplink(std::string_view line, UplinkForms forms, std::string& complaint) {
    UplinkSpec spec;
    const std::string_view entry = take_word(line);
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
        if (word == "metered")
            spec.settings.metered = true;
        else
            complaint = quoted(word) + " is no setting of an uplink (metered is)";
    }
    // Alone it is a list's word (add_uplink).
    if (forms == UplinkForms::all && entry == "auto") {
        complaint = "auto takes no words: what holds for the uplinks that it finds is a rule, as --link '*,metered'";
        return std::nullopt;
    }
    std::string_view address = entry;
    if (const auto percent = entry.find('%'); percent != std::string_view::npos) {
        const std::string_view device = entry.substr(percent + 1);
        address = entry.substr(0, percent);
        const bool is_name = !device.empty() && device.size() < device_name_bytes &&
                             std::none_of(device.begin(), device.end(),
                                          [](char c) { return c <= ' ' || c >= 0x7F || c == '/' || c == '%'; });
        if (!is_name) {
            complaint = quoted(entry) + ": the part after % is no device name (1 to 15 characters)";
            return std::nullopt;
        }
        std::memcpy(spec.device, device.data(), device.size());
    }
    const auto source = os::parse_address(address);
    if (!source && forms == UplinkForms::all && spec.device[0] == '\0' && is_interface_name(entry)) {
        std::memcpy(spec.device, entry.data(), entry.size());
        return spec;
    }
    if (!source) {
        complaint = quoted(entry) + " is no IPv4 or IPv6 address";
        if (forms == UplinkForms::all) complaint += ", and no interface's name";
        return std::nullopt;
    }
    spec.source = *source;
    const bool is_link_local = !source->is_v4() && source->address[0] == 0xFE && (source->address[1] & 0xC0) == 0x80;
    // No scope: binding to the device gives it one, also when the device comes later or comes back with another index.
    if (is_link_local && spec.device[0] == '\0') {
        complaint = quoted(entry) + ": a link-local address needs its device, as in fe80::1%eth0";
        return std::nullopt;
    }
    const bool is_multicast = source->is_v4() ? (source->v4() >> 28) >= 0xE : source->address[0] == 0xFF;
    if (is_multicast) {
        complaint = quoted(entry) + " is not an address of one host";
        return std::nullopt;
    }
    return spec;
}

Added add_uplink(UplinkList& list, std::string_view entry, UplinkForms forms, std::string& complaint) {
    if (forms == UplinkForms::all && trimmed(entry) == "auto")
        return std::exchange(list.automatic, true) ? Added::known : Added::yes;
    const auto spec = parse_uplink(entry, forms, complaint);
    if (!spec) return Added::no;
    const auto is_same = [&](const UplinkSpec& u) { return same_uplink(u, *spec); };
    if (std::any_of(list.uplinks.begin(), list.uplinks.end(), is_same)) return Added::known;
    if (list.uplinks.size() == links_max) {
        complaint = "more than " + std::to_string(links_max) + " uplinks";
        return Added::no;
    }
    list.uplinks.push_back(*spec);
    return Added::yes;
}

UplinkList parse_uplinks(std::string_view text, UplinkForms forms) {
    UplinkList list;
    std::size_t line_number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line_number;
        line = trimmed(line.substr(0, line.find('#')));
        if (line.empty()) continue;
        std::string complaint;
        if (add_uplink(list, line, forms, complaint) == Added::known) complaint = quoted(line) + " is there twice";
        if (!complaint.empty() && list.complaints.size() < 100)
            list.complaints.push_back("line " + std::to_string(line_number) + ": " + complaint);
    }
    return list;
}

Result<UplinkList, std::string> read_uplinks(const std::string& path, UplinkForms forms) {
    const auto failed = [&] { return Failure{"cannot read the uplink file " + path + ": " + std::strerror(errno)}; };
    // A pipe (a shell's <(...)) may have its text in a moment, or never: this is the control thread.
    const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) return failed();
    std::string text(file_bytes_max + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        // One that nobody has opened to write would be at its end at once.
        pollfd wait{file.get(), POLLIN, 0};
        if (::poll(&wait, 1, pipe_patience_ms) == 0) {
            errno = ETIMEDOUT;
            return failed();
        }
        const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
        if (got == 0) break;
        if (got > 0)
            size += static_cast<std::size_t>(got);
        else if (errno != EINTR && errno != EAGAIN)
            return failed();
    }
    text.resize(size);
    if (text.size() > file_bytes_max) return Failure{"the uplink file " + path + " is larger than a megabyte"};
    return parse_uplinks(text, forms);
}

bool is_by_device(const UplinkSpec& uplink) { return uplink.source.is_any() && uplink.device[0] != '\0'; }

bool same_uplink(const UplinkSpec& a, const UplinkSpec& b) {
    if (is_by_device(a) && is_by_device(b)) return std::strncmp(a.device, b.device, device_name_bytes) == 0;
    return a.source.address == b.source.address && std::strncmp(a.device, b.device, device_name_bytes) == 0;
}

std::string uplink_text(const UplinkSpec& uplink) {
    if (is_by_device(uplink) && is_interface_name(uplink.device)) return uplink.device;
    std::string text = os::address_text(uplink.source);
    if (uplink.device[0] != '\0') text += std::string("%") + uplink.device;
    return text;
}

}  // namespace hawser::control
