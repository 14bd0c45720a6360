// SPDX-License-Identifier: MIT
// Sequences of operations on the sender: what its caller, its uplinks, its sockets, its operator and the clock may do
// to it, in any order, honest or mutated. The sender stays consistent and keeps its laws; at the end every buffer has
// come back.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/base/check.h"
#include "engine/bond/sender.h"
#include "engine/wire/extension.h"
#include "engine/wire/report.h"
#include "tests/fuzz/input.h"

namespace hawser::fuzz {
namespace {

using wire::SrtlaType;

constexpr std::array<int, 10> errors{EAGAIN, ENOBUFS,      ENOMEM,        EMSGSIZE,   ENETUNREACH,
                                     EPERM,  ECONNREFUSED, EADDRNOTAVAIL, EADDRINUSE, EIO};
constexpr std::size_t links = 4;              // as many slots as the operations use
constexpr std::size_t operations_max = 3000;  // keeps one input under a second

// Static: inputs are many and short.
std::array<std::uint8_t, std::size_t{256} * pool_slot_bytes> slab;

Endpoint host(std::uint32_t i, std::uint16_t port) { return Endpoint::from_v4(0x0A000001 + i, port); }

// Plays the pump and everything beyond it.
class Machine {
public:
    explicit Machine(Input& input) : input_(input), pool_(slab, pool_slot_bytes), out_(pool_) {
        bond::SenderOptions options;
        options.listen = host(100, 5600);
        options.kept_packets = 64;
        const std::uint8_t choices = input_.u8();
        options.give_up = choices % 2 != 0;
        says_goodbye_ = choices / 2 % 2 != 0;
        wire::GroupKey probe{};
        for (std::size_t i = 0; i < probe.size(); ++i) probe[i] = static_cast<std::uint8_t>(i * 7 + 1);
        sender_ = std::make_unique<bond::Sender>(options, pool_, probe, 1);
        sender_->start(now_, out_);
        carry_out();
    }
    ~Machine() {
        Command stop;
        stop.kind = says_goodbye_ ? CommandKind::stop : CommandKind::hand_over;
        sender_->on_command(stop, now_, out_);
        carry_out();
        pass(Duration{10'000'000});
        for (const Kept& k : kept_) pool_.release(k.packet.buffer);
        HAWSER_CHECK(sender_->finished());
        HAWSER_CHECK(sender_->is_consistent());
        sender_.reset();
        HAWSER_CHECK(pool_.free_slots() == pool_.slots());
        for (const Socket& s : sockets_) HAWSER_CHECK(!s.open);
    }

    void run() {
        for (std::size_t n = 0; n < operations_max && !input_.empty() && !sender_->finished(); ++n) {
            step();
            // The audit costs more than most operations: long inputs meet it now and then.
            if (n < 64 || n % 16 == 0) HAWSER_CHECK(sender_->is_consistent());
        }
    }

private:
    struct Socket {
        SocketSpec spec;
        bool open = false;
    };
    struct Kept {  // a packet that was sent and may yet come back
        SocketId socket;
        PacketRef packet;
    };

    void step() {
        switch (input_.u8() % 12) {
            case 0:
            case 1: on_local(); break;
            case 2:
            case 3:
            case 4: on_uplink(); break;
            case 5: pass(Duration{std::int64_t{input_.u8()} * 1'000'000}); break;
            case 6: pass(Duration{std::int64_t{input_.u16()} * 1'000'000}); break;
            case 7: fail_send(); break;
            case 8: break_socket(); break;
            case 9: command(); break;
            case 10: open_error_ = input_.u8() % 2 == 0 ? 0 : errors[input_.u8() % errors.size()]; break;
            case 11: receiver_says(); break;
            default: break;
        }
    }

    void pass(Duration span) {
        const Instant end = now_ + span;
        for (int wakes = 0; sender_->next_deadline() <= end && !sender_->finished(); ++wakes) {
            // A timer that is always due would keep a processor busy for ever.
            HAWSER_CHECK(wakes < 20'000);
            now_ = std::max(now_, sender_->next_deadline());
            sender_->begin_turn(now_);
            sender_->on_deadline(now_, out_);
            carry_out();
            end_turn();
        }
        now_ = end;
        sender_->begin_turn(now_);
        end_turn();
    }

    void end_turn() {
        sender_->end_turn(now_, out_);
        carry_out();
    }

    void deliver(SocketId socket, Bytes bytes, const Endpoint& from) {
        const BufferId buffer = pool_.take();
        if (buffer == no_buffer) return;
        constexpr std::uint16_t offset = 16;
        const std::size_t length = std::min<std::size_t>(bytes.size(), pool_slot_bytes - offset);
        std::copy_n(bytes.begin(), length, pool_.data(buffer) + offset);
        Completion c;
        c.kind = Completion::Kind::received;
        c.socket = socket;
        c.tag = sockets_[socket.index()].spec.tag;
        c.packet = PacketRef{buffer, offset, static_cast<std::uint16_t>(length)};
        c.from = from;
        const bool is_kept = sender_->on_received(c, now_, out_);
        carry_out();
        if (!is_kept) pool_.release(buffer);
        end_turn();
    }

    // Changes, lengthens or cuts a packet, or leaves it.
    void mutate(std::vector<std::uint8_t>& packet) {
        switch (input_.u8() % 8) {
            case 0:
                if (!packet.empty()) packet[input_.below(static_cast<std::uint32_t>(packet.size()))] = input_.u8();
                break;
            case 1: packet.resize(input_.below(2000)); break;
            case 2: {
                const auto extra = input_.bytes(input_.u8());
                packet.insert(packet.end(), extra.begin(), extra.end());
                break;
            }
            default: break;
        }
    }

    wire::Seq31 near_sequence() { return sequence_.plus(static_cast<std::int32_t>(input_.u8()) - 192); }

    std::vector<std::uint8_t> srt_packet(bool towards_receiver) {
        std::vector<std::uint8_t> p(16 + input_.below(80));
        const std::uint32_t destination = input_.u8() % 4 == 0 ? input_.u32() : caller_id_;
        switch (input_.u8() % 6) {
            case 0:
            case 1:
                if (towards_receiver) {
                    p.resize(input_.u8() % 16 == 0 ? 1400 + input_.u8() : 1332);
                    if (input_.u8() % 32 == 0) sequence_ = wire::Seq31(input_.u32());
                    sequence_ = sequence_.plus(1);
                    store_be32(p.data(), sequence_.raw());
                    p[4] = input_.u8() % 8 == 0 ? 0x04 : 0;
                }
                break;
            case 2: {  // handshake
                p.resize(64);
                store_be32(p.data(), 0x8000'0000);
                if (input_.u8() % 4 == 0) caller_id_ = input_.u8() + 1u;
                store_be32(p.data() + 24, sequence_.raw());
                store_be32(p.data() + 36, input_.u8() % 2 == 0 ? 1 : 0xFFFF'FFFF);
                store_be32(p.data() + 40, caller_id_);
                break;
            }
            case 3:
                p.resize(44);
                store_be32(p.data(), 0x8002'0000);
                store_be32(p.data() + 4, input_.u8());
                store_be32(p.data() + 16, near_sequence().raw());
                break;
            case 4: {
                const std::size_t words = 1 + input_.u8() % 6;
                p.assign(16 + 4 * words, 0);
                store_be32(p.data(), 0x8003'0000);
                for (std::size_t i = 0; i < words; ++i) {
                    std::uint32_t word = input_.u8() % 16 == 0 ? input_.u32() : near_sequence().raw();
                    if (i + 1 < words && input_.u8() % 3 == 0) word |= 0x8000'0000;
                    store_be32(p.data() + 16 + 4 * i, word);
                }
                break;
            }
            case 5: store_be32(p.data(), 0x8000'0000 | (std::uint32_t{input_.u8()} % 10) << 16); break;
            default: break;
        }
        if (p.size() >= 16) store_be32(p.data() + 12, destination);
        return p;
    }

    void on_local() {
        const std::optional<SocketId> socket = find(bond::Sender::local_tag);
        if (!socket) return;
        std::vector<std::uint8_t> packet = srt_packet(true);
        mutate(packet);
        deliver(*socket, packet, host(200 + (input_.u8() % 8 == 0 ? 1u : 0u), 40000));
    }

    void on_uplink() {
        const std::optional<SocketId> socket = some_uplink();
        if (!socket) return;
        std::vector<std::uint8_t> packet;
        switch (input_.u8() % 8) {
            case 0:
            case 1: packet = srt_packet(false); break;
            case 2: {  // SRTLA ACK
                packet.resize(4 + 4 * (input_.u8() % 12));
                store_be16(packet.data(), 0x9100);
                for (std::size_t at = 4; at < packet.size(); at += 4)
                    store_be32(packet.data() + at, input_.u8() % 16 == 0 ? input_.u32() : near_sequence().raw());
                break;
            }
            case 3: packet = last_keepalive_; break;
            case 4: {
                const auto padded = wire::build_padded(SrtlaType::keepalive);
                packet.assign(padded.begin(), padded.end());
                break;
            }
            case 5: {
                if (input_.u8() % 2 == 0) {
                    packet = report();
                    break;
                }
                packet.resize(32);
                store_be16(packet.data(), static_cast<std::uint16_t>(0x9000 | (input_.u16() & 0x3FFF)));
                break;
            }
            case 6: {
                const auto raw = input_.bytes(input_.u8());
                packet.assign(raw.begin(), raw.end());
                break;
            }
            default: packet = registration(); break;
        }
        mutate(packet);
        deliver(*socket, packet, host(1, 5000));
    }

    std::vector<std::uint8_t> report() {
        const std::optional<wire::Seq31> next =
            input_.u8() % 4 == 0 ? std::optional(near_sequence()) : std::optional<wire::Seq31>();
        wire::ReportBuilder builder({input_.u8(), input_.u32(), next, arrived_ += input_.u8() % 16});
        for (std::size_t n = input_.u8() % (wire::report_entries_max + 1); n > 0; --n)
            builder.add(near_sequence(), std::int64_t{input_.u8()} * 4000);
        return {builder.bytes().begin(), builder.bytes().end()};
    }

    std::vector<std::uint8_t> registration() {
        static constexpr std::array<SrtlaType, 5> types{SrtlaType::reg3, SrtlaType::reg_ngp, SrtlaType::reg_err,
                                                        SrtlaType::reg_nak, SrtlaType::reg1};
        const auto padded = wire::build_padded(types[input_.u8() % types.size()]);
        std::vector<std::uint8_t> packet(padded.begin(), padded.end());
        if (input_.u8() % 2 == 0) packet.resize(2);
        return packet;
    }

    // The honest answer to the last registration packet that a link sent: so that inputs get past the start.
    void receiver_says() {
        const std::size_t link = input_.u8() % links;
        const std::vector<std::uint8_t> asked = std::exchange(last_registration_[link], {});
        const std::optional<SocketId> socket = uplink(link);
        if (asked.empty() || !socket) return;
        std::vector<std::uint8_t> answer = asked;
        if (asked[1] == 0x00) {  // REG1
            answer[1] = 0x01;
            for (std::size_t i = 2 + wire::group_id_sender_bytes; i < answer.size(); ++i) answer[i] ^= 0x55;
            const MutableBytes half = wire::extension_half(MutableBytes(answer).subspan(2));
            if (wire::offer_in(wire::extension_half(Bytes(asked).subspan(2))) && input_.u8() % 4 != 0)
                wire::write_answer(half, {.delivery_reports = true});
            group_ = answer;
        } else {
            const auto padded = wire::build_padded(asked == group_ ? SrtlaType::reg3 : SrtlaType::reg_ngp);
            answer.assign(padded.begin(), padded.end());
        }
        deliver(*socket, answer, host(1, 5000));
    }

    void fail_send() {
        if (kept_.empty()) return;
        const std::size_t at = input_.below(static_cast<std::uint32_t>(kept_.size()));
        const Kept k = kept_[at];
        kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(at));
        if (sockets_[k.socket.index()].open) {
            Completion c;
            c.kind = Completion::Kind::send_failed;
            c.socket = k.socket;
            c.tag = sockets_[k.socket.index()].spec.tag;
            c.packet = k.packet;
            c.error = errors[input_.u8() % errors.size()];
            sender_->on_send_failed(c, now_, out_);
            carry_out();
        }
        pool_.release(k.packet.buffer);
    }

    void break_socket() {
        const std::optional<SocketId> socket = input_.u8() % 8 == 0 ? find(bond::Sender::local_tag) : some_uplink();
        if (!socket) return;
        Completion c;
        c.kind = Completion::Kind::broken;
        c.socket = *socket;
        c.tag = sockets_[socket->index()].spec.tag;
        c.error = errors[input_.u8() % errors.size()];
        sender_->on_broken(c, now_, out_);
        carry_out();
    }

    void command() {
        Command c;
        const std::size_t link = input_.u8() % links;
        c.link = LinkId(static_cast<std::uint8_t>(link));
        switch (input_.u8() % 5) {
            case 0:
            case 1:
                // The control thread names free slots only, and removes what is there.
                c.kind = present_[link] ? CommandKind::remove_uplink : CommandKind::add_uplink;
                if (present_[link]) {
                    const std::uint8_t what = input_.u8() % 4;
                    if (what == 1) c.kind = CommandKind::set_uplink;
                    if (what == 2) c.kind = CommandKind::suspend_uplink;
                    if (what == 3) c.kind = CommandKind::renew_uplink;
                }
                if (c.kind == CommandKind::set_uplink) {
                    const std::uint8_t limits = input_.u8();
                    c.uplink.settings.metered = link % 2 == 0;
                    c.uplink.settings.priority = static_cast<std::uint8_t>(priority_first + limits % priority_reserve);
                    c.uplink.settings.rate_cap = std::uint64_t{limits & 0xC0u} * 100'000;
                    break;
                }
                if (c.kind == CommandKind::add_uplink || c.kind == CommandKind::remove_uplink)
                    present_[link] = !present_[link];
                c.uplink.source = input_.u8() % 8 == 0 ? Endpoint{} : host(static_cast<std::uint32_t>(10 + link), 0);
                break;
            case 2:
            case 3:
                c.kind = CommandKind::set_receiver;
                c.resolved.count = input_.u8() % 12;  // may lie about its size
                for (std::size_t i = 0; i < resolved_max; ++i)
                    c.resolved.addresses[i] = host(static_cast<std::uint32_t>(1 + i + input_.u8() % 2), 5000);
                break;
            default:
                c.kind = CommandKind::set_selection;
                c.selection.mode = static_cast<select::Mode>(input_.u8() % 3);
                c.selection.exploration = input_.u8() % 2 == 0;
                c.selection.stall_min_in_flight = input_.u8();
                break;
        }
        sender_->on_command(c, now_, out_);
        carry_out();
    }

    void carry_out() {
        do {
            check_sends();
            for (const bond::SendAction& s : out_.sends()) keep(s);
            out_.clear_sends();
            out_.clear_events();
            for (const SocketId s : out_.closes()) {
                HAWSER_CHECK(s.index() < sockets_.size() && sockets_[s.index()].open);
                sockets_[s.index()].open = false;
            }
            out_.clear_closes();
            const std::vector<bond::OpenAction> opens(out_.opens().begin(), out_.opens().end());
            out_.clear_opens();
            for (const bond::OpenAction& o : opens) open(o.spec);
        } while (out_.has_rare() || !out_.sends().empty());
    }

    void open(const SocketSpec& spec) {
        if (open_error_ != 0) {
            const Result<SocketId, Errno> failure = Failure{Errno{open_error_, "bind"}};
            sender_->on_opened(spec.tag, failure, spec.local, 0, now_, out_);
            return;
        }
        sockets_.push_back(Socket{spec, true});
        const SocketId id(static_cast<std::uint16_t>(sockets_.size() - 1));
        const std::uint32_t payload = input_.u8() % 4 == 0 ? 1200 + input_.u8() * 2u : 0;
        sender_->on_opened(spec.tag, id, spec.local, payload, now_, out_);
    }

    void keep(const bond::SendAction& s) {
        const Bytes bytes = pool_.bytes(s.packet);
        const std::size_t link = (sockets_[s.socket.index()].spec.tag & 0xFFFF) - 1;
        const auto type = wire::packet_type(bytes).value_or(0);
        if (link < links && type == 0x9000) last_keepalive_.assign(bytes.begin(), bytes.end());
        if (link < links && (type == 0x9200 || type == 0x9201))
            last_registration_[link].assign(bytes.begin(), bytes.end());
        pool_.add_ref(s.packet.buffer);
        kept_.push_back(Kept{s.socket, s.packet});
        if (kept_.size() <= 32) return;
        pool_.release(kept_.front().packet.buffer);
        kept_.erase(kept_.begin());
    }

    // The sender's laws, on each packet that it sends.
    void check_sends() {
        for (const bond::SendAction& s : out_.sends()) {
            HAWSER_CHECK(s.socket.index() < sockets_.size() && sockets_[s.socket.index()].open);
            const SocketSpec& spec = sockets_[s.socket.index()].spec;
            const Bytes bytes = pool_.bytes(s.packet);
            HAWSER_CHECK(bytes.size() <= wire::datagram_bytes_max);
            const auto type = wire::packet_type(bytes);
            HAWSER_CHECK(type.has_value());
            HAWSER_CHECK(spec.connected == (s.to == nullptr));
            if (spec.tag == bond::Sender::local_tag) {
                HAWSER_CHECK(!wire::is_srtla_space(*type));
                HAWSER_CHECK(bytes.size() >= wire::srt_header_bytes);
            } else if (!wire::is_srtla_space(*type)) {
                sender_->fill(snapshot_, now_);
                HAWSER_CHECK(snapshot_.uplinks[(spec.tag & 0xFFFF) - 1].state == UplinkState::connected);
            }
        }
    }

    std::optional<SocketId> find(std::uint32_t tag) const {
        for (std::size_t i = sockets_.size(); i-- > 0;)
            if (sockets_[i].open && sockets_[i].spec.tag == tag) return SocketId(static_cast<std::uint16_t>(i));
        return std::nullopt;
    }
    std::optional<SocketId> uplink(std::size_t link) const {
        for (std::size_t i = sockets_.size(); i-- > 0;)
            if (sockets_[i].open && (sockets_[i].spec.tag & 0xFFFF) == link + 1)
                return SocketId(static_cast<std::uint16_t>(i));
        return std::nullopt;
    }
    std::optional<SocketId> some_uplink() { return uplink(input_.u8() % links); }

    Input& input_;
    bool says_goodbye_ = false;  // at the end
    Pool pool_;
    bond::Actions out_;
    std::unique_ptr<bond::Sender> sender_;
    Instant now_{1'000'000'000};
    int open_error_ = 0;
    std::vector<Socket> sockets_;  // by SocketId; never used again
    std::vector<Kept> kept_;
    std::array<bool, links> present_{};
    std::array<std::vector<std::uint8_t>, links> last_registration_;
    std::vector<std::uint8_t> group_;
    std::vector<std::uint8_t> last_keepalive_;
    wire::Seq31 sequence_{0x7FFF'FF80};
    std::uint32_t arrived_ = 0;  // as the reports say
    std::uint32_t caller_id_ = 1;
    SenderSnapshot snapshot_;
};

}  // namespace
}  // namespace hawser::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    hawser::fuzz::Input input(data, size);
    hawser::fuzz::Machine machine(input);
    machine.run();
    return 0;
}
