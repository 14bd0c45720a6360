// SPDX-License-Identifier: MIT
#include "platform/control/radio/wav_header.h"

#include <algorithm>
#include <string_view>

namespace hawser::control {

namespace {

constexpr std::uint16_t format_pcm = 1;
constexpr std::uint16_t format_float = 3;
constexpr std::uint64_t riff_bytes_max = 0xFFFF'FFFE;

class Writer {
public:
    void text(std::string_view t) { at_ = std::copy(t.begin(), t.end(), at_); }
    void u16(std::uint16_t v) { number(v, 2); }
    void u32(std::uint64_t v) { number(v, 4); }
    void u64(std::uint64_t v) { number(v, 8); }
    std::array<std::uint8_t, wav_header_bytes> bytes{};

private:
    void number(std::uint64_t v, int count) {
        for (int i = 0; i < count; ++i, v >>= 8) *at_++ = static_cast<std::uint8_t>(v);
    }
    std::uint8_t* at_ = bytes.data();
};

}  // namespace

std::array<std::uint8_t, wav_header_bytes> wav_header(SampleFormat format, std::uint32_t samprate,
                                                      std::uint32_t channels, std::uint64_t data_bytes) {
    const bool is_known = data_bytes != wav_bytes_unknown;
    const std::uint64_t riff_bytes = is_known ? wav_header_bytes - 8 + data_bytes + data_bytes % 2 : wav_bytes_unknown;
    const bool is_rf64 = is_known && riff_bytes > riff_bytes_max;
    const auto short_form = [&](std::uint64_t v) { return is_known && !is_rf64 ? v : 0xFFFF'FFFF; };
    const std::uint32_t frame_bytes = bytes_per_sample(format) * channels;
    Writer w;
    w.text(is_rf64 ? "RF64" : "RIFF");
    w.u32(short_form(riff_bytes));
    w.text("WAVE");
    w.text(is_rf64 ? "ds64" : "JUNK");
    w.u32(28);
    w.u64(is_rf64 ? riff_bytes : 0);
    w.u64(is_rf64 ? data_bytes : 0);
    w.u64(is_rf64 && frame_bytes != 0 ? data_bytes / frame_bytes : 0);
    w.u32(0);
    w.text("fmt ");
    w.u32(16);
    w.u16(format == SampleFormat::s16 ? format_pcm : format_float);
    w.u16(static_cast<std::uint16_t>(channels));
    w.u32(samprate);
    w.u32(std::uint64_t{samprate} * frame_bytes);
    w.u16(static_cast<std::uint16_t>(frame_bytes));
    w.u16(static_cast<std::uint16_t>(bytes_per_sample(format) * 8));
    w.text("data");
    w.u32(short_form(data_bytes));
    return w.bytes;
}

}  // namespace hawser::control
