// SPDX-License-Identifier: MIT
// radiod packets of any bytes: elements lie inside the packet, what decodes can be shown, and each number or text that
// a command may carry is put into one, written and read back as the same value.
#include <array>
#include <cstring>
#include <string>

#include "engine/base/check.h"
#include "engine/radio/command.h"
#include "engine/radio/status.h"
#include "engine/wire/radio_tlv.h"

using namespace hawser;
using namespace hawser::radio;

namespace {

void walk(Bytes packet) {
    auto reader = wire::RadioReader::over(packet);
    if (!reader) return;
    wire::RadioElement element;
    while (reader->next(element)) {
        HAWSER_CHECK(element.field != 0);
        HAWSER_CHECK(element.value.data() >= packet.data() &&
                     element.value.data() + element.value.size() <= packet.data() + packet.size());
    }
    HAWSER_CHECK(!(reader->is_damaged() && reader->has_end_mark()));
}

void write_and_read(const Status& status) {
    for (const wire::RadioFieldRow& row : wire::radio_fields) {
        const FieldValue value = value_of(status, row.field);
        HAWSER_CHECK(std::holds_alternative<std::monostate>(value) || !format_value(row.field, value).empty() ||
                     row.type == wire::RadioType::text);
        // Asked for in other words (Command::put).
        if (row.field == RadioField::output_encoding && status.output.encoding == Encoding::opus_voip) continue;
        Command command;
        if (!command.put(row.field, value)) continue;
        std::array<std::uint8_t, command_packet_bytes_max> room;
        const Bytes packet = build_command(room, 7, status.channel.ssrc, command.elements());
        room[0] = 0;  // read as a status
        Status again;
        HAWSER_CHECK(!decode_status(packet, again));
        const FieldValue back = value_of(again, row.field);
        HAWSER_CHECK(back.index() == value.index() && format_value(row.field, back) == format_value(row.field, value));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes packet(data, size);
    walk(packet);
    Status status;
    if (decode_status(packet, status)) return 0;
    static_cast<void>(status.snr_db());
    static_cast<void>(status.input_dbm());
    HAWSER_CHECK(status.block_time() > Duration{});
    write_and_read(status);
    status.drop_views();
    return 0;
}
