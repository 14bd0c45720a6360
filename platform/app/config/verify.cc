// SPDX-License-Identifier: MIT
#include "platform/app/config/verify.h"

#include <algorithm>
#include <filesystem>

#include "platform/app/config/obstacle.h"
#include "platform/app/config/receiver_keys.h"
#include "platform/app/config/sender_keys.h"
#include "platform/app/radio/keep_file.h"
#include "platform/app/sender_uplinks.h"
#include "platform/control/rpc/listener.h"
#include "platform/linux/thread.h"

namespace hawser::app {

namespace {

std::string missing_key(const KeySection& section) {
    for (const Key& k : section.keys)
        if (k.is_needed && toml_text(k.get()).empty()) return section.name + ": " + k.name + " is missing";
    return {};
}

std::string lonely_service_word(const KeepRequest& radio, const RecorderSettings& recorder) {
    if (const std::size_t bytes = recorder.memory_bytes(); bytes > recorder_bytes_bound)
        return "recorder: packets and payload_bytes together take " + std::to_string(bytes >> 20) + " MiB, and " +
               std::to_string(recorder_bytes_bound >> 20) + " is the most";
    const RadioOptions usual;
    if (radio.file.empty() && (radio.removes || radio.radio.cache != usual.cache || radio.radio.ttl != usual.ttl))
        return "radio: cache, ttl and remove are for channels, and no file of them is named";
    return {};
}

std::string lonely_group(const rpc::ServerSettings& control) {
    const bool is_lonely = control.path.empty() && (!control.group.empty() || control.group_operates);
    return is_lonely ? "control: group is for a socket, and there is none" : "";
}

std::string bad_pump(const PumpSettings& settings) {
    if (!settings.cpu || os::may_run_on(*settings.cpu)) return {};
    return "pump: cpu: " + std::to_string(*settings.cpu) + " is no processor that this process may run on";
}

std::string bad_control(const rpc::ServerSettings& settings) {
    if (!settings.group.empty() && !rpc::group_id(settings.group))
        return "control: group: there is no group " + settings.group;
    return {};
}

std::string bad_channels(const KeepRequest& request) {
    if (request.file.empty()) return {};
    const auto read = read_keep_file(request.file, request.radio.name);
    return read ? std::string() : read.error();
}

std::string lonely_but_for_socket(const SenderRequest& r) {
    const BitrateFileSettings usual;
    const bool is_lonely = !r.bitrate.signal.empty() || r.bitrate.min != usual.min || r.bitrate.max != usual.max;
    if (r.bitrate.path.empty() && is_lonely)
        return "encoder: bitrate_signal, bitrate_min and bitrate_max need a bitrate_file";
    const bool has_servers = std::any_of(r.policies.rules.begin(), r.policies.rules.end(),
                                         [](const control::LinkRule& rule) { return !rule.policy.dns.empty(); });
    if (has_servers && r.lookups == control::NameLookup::By::system)
        return "link: dns is for lookups by uplinks, and lookups says system";
    return lonely_service_word(r.radio, r.pump.recorder);
}

std::string lonely_but_for_socket(const ReceiverRequest& r) { return lonely_service_word(r.radio, r.pump.recorder); }

std::string wrong_words(const SenderRequest& request) {
    SenderRequest r = request;
    if (std::string complaint = lonely_but_for_socket(r); !complaint.empty()) return complaint;
    if (std::string complaint = missing_key(sender_section(r)); !complaint.empty()) return complaint;
    return bitrate_complaint(r.bitrate);
}

std::string wrong_words(const ReceiverRequest& request) {
    ReceiverRequest r = request;
    if (std::string complaint = lonely_but_for_socket(r); !complaint.empty()) return complaint;
    if (std::string complaint = missing_key(receiver_section(r)); !complaint.empty()) return complaint;
    if (r.allowed.size() <= bond::source_prefixes_max) return {};
    return "receiver: allow: at most " + std::to_string(bond::source_prefixes_max) + " networks";
}

// What the machine says to a sender's words: those of a file of uplinks may be others in a moment.
Fault bad_names(const SenderRequest& r) {
    const auto uplinks = wanted_uplinks(r, {});
    if (!uplinks) return {uplinks.error(), r.uplinks_file.empty()};
    if (!uplinks->complaints.empty()) return {r.uplinks_file + ": " + uplinks->complaints.front(), false};
    return {};
}

Fault bad_names(const ReceiverRequest& r) {
    std::error_code error;
    if (r.client_files.empty() || std::filesystem::is_directory(r.client_files, error)) return {};
    return {"receiver: client_files: there is no folder " + r.client_files, false};
}

template <class Request>
Fault fault_of(const Request& r) {
    if (std::string complaint = wrong_words(r); !complaint.empty()) return {complaint, true};
    if (std::string complaint = bad_pump(r.pump); !complaint.empty()) return {complaint, false};
    if (Fault fault = bad_names(r); !fault.text.empty()) return fault;
    if (std::string complaint = bad_control(r.control); !complaint.empty()) return {complaint, false};
    return {bad_channels(r.radio), false};
}

template <class Request>
Fault first_here(const Request& r) {
    if (std::string complaint = lonely_group(r.control); !complaint.empty()) return {complaint, true};
    if (Fault fault = fault_of(r); !fault.text.empty()) return fault;
    const std::vector<Obstacle> obstacles = obstacles_to(r);
    return {obstacles.empty() ? std::string() : obstacles.front().text, false};
}

template <class Request>
std::string first_lonely(const Request& r) {
    const std::string complaint = lonely_but_for_socket(r);
    return complaint.empty() ? lonely_group(r.control) : complaint;
}

}  // namespace

std::string lonely_word(const SenderRequest& request) { return first_lonely(request); }

std::string lonely_word(const ReceiverRequest& request) { return first_lonely(request); }

std::string complaint_of(const SenderRequest& request) { return fault_of(request).text; }

std::string complaint_of(const ReceiverRequest& request) { return fault_of(request).text; }

Fault fault_here(const SenderRequest& request) { return first_here(request); }

Fault fault_here(const ReceiverRequest& request) { return first_here(request); }

}  // namespace hawser::app
