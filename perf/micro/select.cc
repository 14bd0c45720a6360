// SPDX-License-Identifier: MIT
// The cost of choosing a link and of keeping count, for an instruction counter: the difference between two runs that
// differ in PACKETS only, divided by that difference, is free of start-up. Fixed seed; prints a hash of what was
// chosen.
//
// usage: micro-select WHAT LINKS PACKETS     WHAT: classic, enhanced (pick alone), accounting, both-classic,
//                                            both-enhanced (a packet's whole share: pick, note_sent, its SRTLA ACK
//                                            in tens, an SRT ACK on every link per 100 packets, a turn per 16)
//        micro-select adaptive LINKS PACKETS what adaptive does at a turn's end when one packet waits:
//                                            bind_packet(), to which, or to the choice in it, the counter is narrowed
//        micro-select null LINKS PACKETS     the loop around it all
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/bond/dispatch.h"
#include "engine/link/accounting.h"
#include "engine/select/selector.h"

namespace {

using namespace hawser;

struct Work {
    std::unique_ptr<link::Accounting> accounting = std::make_unique<link::Accounting>();
    select::Selector selector{*accounting, Random(7)};
    std::uint32_t links = 0;
    std::uint64_t hash = 0;
    Instant now{1'000'000'000};

    Work(std::uint32_t count, select::Mode mode) : links(count) {
        selector.set({.mode = mode});
        for (std::uint8_t i = 0; i < count; ++i) {
            accounting->add(LinkId(i));
            selector.add(LinkId(i), now);
            selector.set_usable(LinkId(i), true, now);
            selector.note_registered(LinkId(i), now);
        }
        selector.begin_turn(now);
    }
    void saw(LinkId link) { hash = hash * 31 + link.value; }
};

void pick_alone(Work& work, std::uint32_t packets) {
    for (std::uint32_t i = 0; i < packets; ++i) work.saw(work.selector.pick(work.now));
}

// In flight: 64 packets, acknowledged in tens by the link that carried them.
void whole_share(Work& work, std::uint32_t packets, bool picks) {
    struct Batch {
        std::uint8_t bytes[wire::srtla_ack_bytes] = {0x91};
        std::uint32_t count = 0;
    };
    std::vector<Batch> batches(work.links);
    std::vector<std::uint8_t> carriers(64);
    for (std::uint32_t i = 0; i < packets; ++i) {
        if (i % 16 == 0) {
            work.now.ns += 320'000;
            if (picks) work.selector.begin_turn(work.now);
        }
        if (i >= 64) {
            Batch& batch = batches[carriers[i % 64]];
            store_be32(batch.bytes + 4 + 4 * batch.count, i - 64);
            if (++batch.count == wire::srtla_ack_entries) {
                batch.count = 0;
                const auto ack = wire::SrtlaAck::over(Bytes(batch.bytes));
                work.hash += work.accounting->on_srtla_ack(*ack, LinkId(carriers[i % 64]), ~0u, work.now);
            }
            if (i % 100 == 0)
                for (std::uint32_t copy = 0; copy < work.links; ++copy)
                    work.accounting->on_srt_ack(wire::Seq31(i - 64), work.now);
        }
        const LinkId link = picks ? work.selector.pick(work.now) : LinkId(static_cast<std::uint8_t>(i % work.links));
        work.accounting->note_sent(link, wire::Seq31(i), work.now);
        carriers[i % 64] = link.value;
        work.saw(link);
    }
}

// Which link takes the one packet that waits, and the books of it.
[[gnu::noinline]] void bind_packet(bond::Dispatch& dispatch, LinkMask open, Instant now, std::vector<LinkId>& sent) {
    dispatch.run(
        now, open, [&](LinkId link, const PacketRef&, const Fate&) { sent.push_back(link); },
        [](std::size_t) { return LinkMask{0}; });
}

// Every link reports what it got as often as a receiver of ours does; so all have room, and one is chosen among all.
void adaptive(Work& work, std::uint32_t packets) {
    constexpr std::uint32_t per_report = 4;
    std::vector<std::uint8_t> slab(std::size_t{8192} * 64);
    Pool pool(slab, 64);
    Counters counters;
    FlightRecorder recorder;  // off
    const auto dispatch = std::make_unique<bond::Dispatch>(pool, 1024, counters, recorder);
    dispatch->set_reports(true);
    for (std::uint32_t i = 0; i < work.links; ++i) dispatch->link_up(LinkId(static_cast<std::uint8_t>(i)), work.now);
    const auto all = static_cast<LinkMask>((std::uint64_t{1} << work.links) - 1);
    std::vector<std::uint32_t> arrived(work.links);
    std::vector<LinkId> sent;
    sent.reserve(per_report);
    for (std::uint32_t i = 0; i < packets; ++i) {
        const PacketRef packet{pool.take(), 0, 60};
        static_cast<void>(dispatch->on_data(wire::Seq31(i), packet, work.now + Duration{1'000'000'000}, work.now));
        bind_packet(*dispatch, all, work.now, sent);
        if (sent.size() < per_report) continue;
        work.now = work.now + Duration{10'000'000};
        for (std::size_t k = 0; k < sent.size(); ++k) {
            const LinkId link = sent[k];
            work.saw(link);
            wire::ReportBuilder report(
                {0, static_cast<std::uint32_t>(work.now.ns / 1000), wire::Seq31(i + 1), ++arrived[link.index()]});
            report.add(wire::Seq31(i + 1 - per_report + static_cast<std::uint32_t>(k)), 0);
            dispatch->on_report(link, *wire::DeliveryReport::over(report.bytes()), work.now);
        }
        dispatch->on_srt_ack(wire::Seq31(i + 1), work.now);
        sent.clear();
    }
    dispatch->new_session(work.now);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr,
                     "usage: micro-select null|classic|enhanced|adaptive|accounting|both-classic|both-enhanced "
                     "LINKS PACKETS\n");
        return 2;
    }
    const std::string_view what = argv[1];
    const long links = std::strtol(argv[2], nullptr, 10);
    const std::uint32_t packets = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
    if (links < 1 || links > static_cast<long>(links_max)) {
        std::fprintf(stderr, "LINKS: 1 to %zu\n", links_max);
        return 2;
    }
    const bool enhanced = what.find("enhanced") != what.npos;
    Work work(static_cast<std::uint32_t>(links), enhanced ? select::Mode::enhanced : select::Mode::classic);
    if (what == "classic" || what == "enhanced") {
        pick_alone(work, packets);
    } else if (what == "adaptive") {
        adaptive(work, packets);
    } else if (what == "null") {
        for (std::uint32_t i = 0; i < packets; ++i) work.saw(LinkId(static_cast<std::uint8_t>(i)));
    } else {
        whole_share(work, packets, what != "accounting");
    }
    std::printf("%s %ld links %u packets: hash %016llx\n", argv[1], links, packets,
                static_cast<unsigned long long>(work.hash));
}
