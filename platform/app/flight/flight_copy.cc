// SPDX-License-Identifier: MIT
#include "platform/app/flight/flight_copy.h"

namespace hawser::app {

FlightCopy copy_flight(const FlightRecorder& recorder, bool is_sender) {
    FlightCopy copy;
    copy.is_sender = is_sender;
    const bool has_payload = recorder.payload_bytes() != 0;
    std::size_t records = 0;
    std::size_t bytes = 0;
    recorder.each([&](const FlightRecord&, Bytes payload) {
        ++records;
        bytes += payload.size();
    });
    copy.records.reserve(records);
    copy.payload.reserve(bytes);
    if (has_payload) copy.payload_bytes.reserve(records);
    recorder.each([&](const FlightRecord& record, Bytes payload) {
        copy.records.push_back(record);
        if (!has_payload) return;
        copy.payload.insert(copy.payload.end(), payload.begin(), payload.end());
        copy.payload_bytes.push_back(static_cast<std::uint16_t>(payload.size()));
    });
    return copy;
}

}  // namespace hawser::app
