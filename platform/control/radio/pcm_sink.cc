// SPDX-License-Identifier: MIT
// Samples into WAV or raw files and streams.
#include <array>
#include <utility>

#include "platform/control/radio/sink.h"

namespace hawser::control {

namespace {

class PcmSink final : public Sink {
public:
    PcmSink(GrowingFile file, const SinkFormat& format)
        : file_(std::move(file)), format_(format), frame_bytes_(bytes_per_sample(format.samples) * format.channels) {
        // A failure stays with the file.
        if (is_wav()) (void)file_.write(header(file_.is_stream() ? wav_bytes_unknown : 0));
    }
    Result<Unit, Errno> write(Bytes bytes, std::uint32_t ticks) override {
        ticks_ += ticks;
        return file_.write(bytes);
    }
    Result<Unit, Errno> silence(std::uint64_t ticks) override {
        ticks_ += ticks;
        return file_.write_zeros(ticks * frame_bytes_);
    }
    Result<Unit, Errno> flush() override {
        if (const auto done = file_.flush(); !done) return done;
        return write_header();
    }
    Result<std::string, Errno> finish() override {
        // Whoever wants to know of a failure has called flush() before.
        (void)file_.flush();
        (void)write_header();
        return file_.finish();
    }
    void discard() override { file_.discard(); }
    [[nodiscard]] std::uint64_t ticks() const override { return ticks_; }

private:
    [[nodiscard]] bool is_wav() const { return format_.container == Container::wav; }
    [[nodiscard]] std::array<std::uint8_t, wav_header_bytes> header(std::uint64_t data_bytes) const {
        return wav_header(format_.samples, format_.samprate, format_.channels, data_bytes);
    }
    // Also after a full disk: it tells what did get there.
    Result<Unit, Errno> write_header() {
        if (!is_wav() || file_.is_stream() || file_.flushed() < wav_header_bytes) return Unit{};
        const std::uint64_t data = file_.flushed() - wav_header_bytes;
        return file_.write_at(0, header(data - data % frame_bytes_));
    }

    GrowingFile file_;
    SinkFormat format_;
    std::uint32_t frame_bytes_;
    std::uint64_t ticks_ = 0;
};

}  // namespace

std::unique_ptr<Sink> make_pcm_sink(GrowingFile file, const SinkFormat& format) {
    return std::make_unique<PcmSink>(std::move(file), format);
}

}  // namespace hawser::control
