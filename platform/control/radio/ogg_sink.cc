// SPDX-License-Identifier: MIT
// Opus packets into an Ogg stream by libogg, unchanged. Missing time is filled with packets of one byte, which ask the
// decoder to conceal (RFC 7845 section 4.1): its granule positions count every tick that was put in.
#include <ogg/ogg.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/control/radio/sink.h"

namespace hawser::control {

namespace {

// What an encoder of libopus delays by for audio: players drop it from the beginning. It travels nowhere in RTP.
constexpr std::uint16_t pre_skip = 312;
// Full band, 20 ms, mono: for a gap before anything came whose kind could be repeated.
constexpr std::uint8_t first_toc = 31 << 3;
constexpr std::int64_t page_ticks = 48'000;  // a page a second: what a cut-off file may lack

// Duration of one frame of a table-of-contents byte (RFC 6716 section 3.1).
constexpr std::uint32_t frame_ticks(std::uint8_t toc) {
    const unsigned config = toc >> 3;
    if (config < 12) return std::to_array<std::uint32_t>({480, 960, 1920, 2880})[config % 4];
    if (config < 16) return std::to_array<std::uint32_t>({480, 960})[config % 2];
    return std::to_array<std::uint32_t>({120, 240, 480, 960})[config % 4];
}

class OggSink final : public Sink {
public:
    OggSink(GrowingFile file, const SinkFormat& format) : file_(std::move(file)) {
        is_ready_ = ::ogg_stream_init(&stream_, static_cast<int>(format.serial)) == 0;
        put_head(format);
        put_tags();
    }
    ~OggSink() override { ::ogg_stream_clear(&stream_); }
    OggSink(const OggSink&) = delete;
    OggSink& operator=(const OggSink&) = delete;

    Result<Unit, Errno> write(Bytes bytes, std::uint32_t ticks) override {
        if (bytes.empty()) return Unit{};
        toc_ = bytes[0];
        return put(bytes, ticks);
    }
    Result<Unit, Errno> silence(std::uint64_t ticks) override {
        // Code 0 says: one frame; and no byte of it follows. The rest, less than a frame, is counted with the next gap.
        const auto toc = static_cast<std::uint8_t>(toc_ & 0xFC);
        const std::uint32_t each = frame_ticks(toc);
        owed_ += ticks;
        for (; owed_ >= each; owed_ -= each)
            if (const auto done = put(Bytes(&toc, 1), each); !done) return done;
        return Unit{};
    }
    Result<Unit, Errno> flush() override {
        if (const auto done = pages(true); !done) return done;
        return file_.flush();
    }
    Result<std::string, Errno> finish() override {
        // The last packet was held back to carry the mark of the end.
        submit_held(true);
        (void)pages(true);
        return file_.finish();
    }
    void discard() override { file_.discard(); }
    [[nodiscard]] std::uint64_t ticks() const override { return static_cast<std::uint64_t>(granule_); }

private:
    Result<Unit, Errno> put(Bytes bytes, std::uint32_t ticks) {
        submit_held(false);
        const Result<Unit, Errno> paged = pages(granule_ - paged_granule_ >= page_ticks);
        granule_ += ticks;
        held_.assign(bytes.begin(), bytes.end());
        return paged;
    }
    void submit_held(bool is_last) {
        if (!held_.empty()) submit(held_, granule_, false, is_last);
        held_.clear();
    }
    void submit(Bytes bytes, std::int64_t granule, bool is_first, bool is_last) {
        if (!is_ready_) return;
        ogg_packet packet{};
        packet.packet = const_cast<unsigned char*>(bytes.data());  // libogg copies it
        packet.bytes = static_cast<long>(bytes.size());
        packet.b_o_s = is_first ? 1 : 0;
        packet.e_o_s = is_last ? 1 : 0;
        packet.granulepos = granule;
        packet.packetno = count_++;
        is_ready_ = ::ogg_stream_packetin(&stream_, &packet) == 0;
    }
    Result<Unit, Errno> pages(bool all) {
        ogg_page page{};
        while (is_ready_ && (all ? ::ogg_stream_flush(&stream_, &page) : ::ogg_stream_pageout(&stream_, &page)) != 0) {
            paged_granule_ = std::max<std::int64_t>(::ogg_page_granulepos(&page), paged_granule_);
            for (const Bytes part : {Bytes(page.header, static_cast<std::size_t>(page.header_len)),
                                     Bytes(page.body, static_cast<std::size_t>(page.body_len))})
                if (const auto done = file_.write(part); !done) return done;
        }
        return Unit{};
    }
    // RFC 7845 section 5.1; each header packet has its own page.
    void put_head(const SinkFormat& format) {
        std::vector<std::uint8_t> head = text("OpusHead");
        const auto number = [&head](std::uint32_t v, int bytes) {
            for (int i = 0; i < bytes; ++i, v >>= 8) head.push_back(static_cast<std::uint8_t>(v));
        };
        number(1, 1);
        number(format.channels, 1);
        number(pre_skip, 2);
        number(format.samprate, 4);
        number(0, 2);  // gain
        number(0, 1);  // mapping family
        submit(head, 0, true, false);
        (void)pages(true);
    }
    void put_tags() {
        std::vector<std::uint8_t> tags = text("OpusTags");
        const std::string_view vendor = "hawser " HAWSER_VERSION;
        tags.insert(tags.end(), {static_cast<std::uint8_t>(vendor.size()), 0, 0, 0});
        tags.insert(tags.end(), vendor.begin(), vendor.end());
        tags.insert(tags.end(), 4, 0);  // no comments
        submit(tags, 0, false, false);
        (void)pages(true);
    }
    static std::vector<std::uint8_t> text(std::string_view t) {
        std::vector<std::uint8_t> bytes;
        bytes.reserve(64);  // of either header: gcc 12 sees an overrun in growing it, where there is none
        bytes.assign(t.begin(), t.end());
        return bytes;
    }

    GrowingFile file_;
    ogg_stream_state stream_{};
    bool is_ready_ = false;
    std::int64_t granule_ = 0;
    std::int64_t paged_granule_ = 0;
    std::int64_t count_ = 0;
    std::vector<std::uint8_t> held_;  // the last packet, whose end is at granule_
    std::uint64_t owed_ = 0;          // ticks of a gap that no frame filled yet
    std::uint8_t toc_ = first_toc;
};

}  // namespace

std::unique_ptr<Sink> make_ogg_sink(GrowingFile file, const SinkFormat& format) {
    return std::make_unique<OggSink>(std::move(file), format);
}

}  // namespace hawser::control
