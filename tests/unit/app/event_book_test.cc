// SPDX-License-Identifier: MIT
// The event log: at once, in order, whole lines, bounded; and what becomes of it when it cannot be written.
#include "platform/app/events/event_book.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "platform/app/text_file.h"
#include "platform/control/rotating_file.h"
#include "platform/linux/journal_socket.h"
#include "tests/io/folder.h"
#include "tests/io/loop_until.h"

using namespace hawser;
using namespace hawser::app;

namespace {

using test::Folder;

// No file of this process grows beyond it, as on a disk that is full; only the soft limit, so that it can be lifted.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        ::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit now{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
};

// Keeps what is written, or refuses it.
class FakeSink final : public EventSink {
public:
    Outcome write(std::span<const EventEntry> entries) override {
        if (const int error = refuses_with; error != 0) {
            ++refused;
            return {0, 0, error};
        }
        const std::lock_guard lock(mutex_);
        std::size_t unwritable = 0;
        for (const EventEntry& e : entries) {
            if (e.kind == "giant")
                ++unwritable;
            else
                kinds_.push_back(e.kind);
        }
        return {entries.size(), unwritable, 0};
    }
    void reopen() override { ++reopened; }
    [[nodiscard]] std::vector<std::string> kinds() {
        const std::lock_guard lock(mutex_);
        return kinds_;
    }
    std::atomic<int> refuses_with{0};
    std::atomic<int> refused{0};
    std::atomic<int> reopened{0};

private:
    std::mutex mutex_;
    std::vector<std::string> kinds_;
};

void tell(EventBook& book, const std::string& kind) { book.tell(Level::info, kind, "wwan0", "text", Json::object()); }

std::string text_of_file(const std::string& path) {
    const auto text = read_text_file(path);
    return text ? *text : std::string();
}

// A journal's socket, which takes what fits.
struct Journal {
    explicit Journal(const std::string& path) : fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        std::strcpy(at.sun_path, path.c_str());
        REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    }
    // Empty: there is none.
    [[nodiscard]] std::string next() const {
        std::string entry(8192, '\0');
        const ssize_t got = ::recv(fd.get(), entry.data(), entry.size(), MSG_DONTWAIT);
        entry.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        return entry;
    }
    os::Fd fd;
};

}  // namespace

TEST_CASE("an event is written at once, and later ones behind it") {
    control::Loop loop;
    const auto sink = std::make_shared<FakeSink>();
    EventBook book(loop, sink, Duration{});
    for (const char* kind : {"a", "b", "c"}) tell(book, kind);
    CHECK(test::comes_true(loop, [&] { return sink->kinds().size() == 3; }));
    CHECK(sink->kinds() == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("samples are gathered until it is their time, and written at the end in any case") {
    control::Loop loop;
    const auto sink = std::make_shared<FakeSink>();
    EventBook book(loop, sink, Duration{10'000'000'000});
    const Instant begun = os::now();
    for (int s = 0; s < 10; ++s) book.sample(Json::object(), begun + Duration{std::int64_t{s} * 1'000'000'000});
    tell(book, "event");
    CHECK(test::comes_true(loop, [&] { return !sink->kinds().empty(); }));
    CHECK(sink->kinds() == std::vector<std::string>{"event"});
    book.sample(Json::object(), begun + Duration{10'000'000'000});
    CHECK(test::comes_true(loop, [&] { return sink->kinds().size() == 12; }));
    book.sample(Json::object(), begun + Duration{11'000'000'000});
    book.finish();
    CHECK(sink->kinds().size() == 13);
}

namespace {

// A book that has been refused its first entry.
struct Refused {
    Refused() {
        sink->refuses_with = ENOSPC;
        tell(book, "first");
        until_refused(1);
    }
    void until_refused(int times) {
        CHECK(test::comes_true(loop, [&] { return sink->refused == times; }));
        test::run_for(loop, Duration{20'000'000});
    }
    void tell_more(std::size_t count, const char* kind) {
        for (std::size_t i = 0; i < count; ++i) tell(book, kind);
    }
    std::vector<std::string> finish() {
        sink->refuses_with = 0;
        book.finish();
        return sink->kinds();
    }
    control::Loop loop;
    std::shared_ptr<FakeSink> sink = std::make_shared<FakeSink>();
    EventBook book{loop, sink, Duration{}};
};

}  // namespace

TEST_CASE("what cannot be written waits in its order, within bounds, and the gap is told") {
    Refused r;
    r.tell_more(EventBook::waiting_max + 2, "more");
    CHECK(r.book.lost() == 3);
    CHECK(r.sink->refused == 1);  // not tried with each
    const auto kinds = r.finish();
    REQUIRE(kinds.size() == EventBook::waiting_max + 1);
    CHECK(kinds.front() == "first");
    CHECK(kinds.back() == "entries_lost");
}

TEST_CASE("what is put back after a failure and what came meanwhile are bounded together") {
    Refused r;
    r.tell_more(EventBook::waiting_max - 1, "more");
    CHECK(r.book.lost() == 0);
    // It is tried again, and while that fails as much comes once more.
    r.book.reopen();
    r.tell_more(EventBook::waiting_max, "later");
    r.until_refused(2);
    CHECK(r.book.lost() == EventBook::waiting_max);
    const auto kinds = r.finish();
    REQUIRE(kinds.size() == EventBook::waiting_max + 1);
    CHECK(kinds.front() == "first");
    CHECK(kinds[EventBook::waiting_max - 1] == "more");
    CHECK(kinds.back() == "entries_lost");
}

TEST_CASE("an entry that can never be written is left out with a word, and keeps no other from being written") {
    control::Loop loop;
    const auto sink = std::make_shared<FakeSink>();
    EventBook book(loop, sink, Duration{});
    for (const char* kind : {"a", "giant", "b"}) tell(book, kind);
    CHECK(test::comes_true(loop, [&] { return sink->kinds().size() == 3; }));
    CHECK(sink->kinds() == std::vector<std::string>{"a", "b", "entries_lost"});
    CHECK(book.lost() == 1);
}

TEST_CASE("a log is its group's to read whatever the umask, and a mode that is there stays") {
    const Folder folder;
    const mode_t umask_before = ::umask(0077);
    const auto mode_after_write = [](const std::string& path) {
        control::RotatingFile file(path, 1000);
        REQUIRE(file.append("a line\n"));
        struct stat s {};
        REQUIRE(::stat(path.c_str(), &s) == 0);
        return s.st_mode & 0777;
    };
    CHECK(mode_after_write(folder.file("new")) == 0640);
    REQUIRE(::chmod(folder.file("new").c_str(), 0600) == 0);
    CHECK(mode_after_write(folder.file("new")) == 0600);
    ::umask(umask_before);
}

TEST_CASE("a line that was cut in half does not take the next one with it") {
    const Folder folder;
    const std::string path = folder.file("log");
    std::ofstream(path) << "whole\n{\"time\":\"2026";
    REQUIRE(control::RotatingFile(path, 1000).append("a line\n"));
    CHECK(folder.content("log") == "whole\n{\"time\":\"2026\na line\n");
    REQUIRE(control::RotatingFile(path, 1000).append("another\n"));
    CHECK(folder.content("log") == "whole\n{\"time\":\"2026\na line\nanother\n");
}

TEST_CASE("a log that another program writes is refused, until that one is gone") {
    const Folder folder;
    const std::string path = folder.file("log");
    {
        control::RotatingFile first(path, 100);
        REQUIRE(first.append("a line\n"));
        const auto second = open_event_sink({.to = path});
        REQUIRE_FALSE(second);
        CHECK(second.error() ==
              "the event log " + path + " cannot be written: another program writes it; each needs a file of its own");
        // The file that follows it is locked too.
        REQUIRE(first.append(std::string(100, 'x')));
        CHECK_FALSE(open_event_sink({.to = path}));
    }
    CHECK(open_event_sink({.to = path}));
}

TEST_CASE("whoever may read a log cannot keep it from its owner") {
    const Folder folder;
    const std::string path = folder.file("log");
    REQUIRE(control::RotatingFile(path, 100).append("a line\n"));
    const os::Fd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(::flock(reader.get(), LOCK_EX | LOCK_NB) == 0);
    CHECK(open_event_sink({.to = path}));
    struct stat s {};
    REQUIRE(::stat((path + ".lock").c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0600);
}

TEST_CASE("a file that was moved away is made anew") {
    control::Loop loop;
    const Folder folder;
    const std::string path = folder.file("deep/events.jsonl");
    auto sink = open_event_sink({.to = path});
    REQUIRE(sink);
    EventBook book(loop, *sink, Duration{});
    tell(book, "one");
    CHECK(test::comes_true(loop, [&] { return text_of_file(path).find("one") != std::string::npos; }));
    std::filesystem::rename(path, path + ".old");
    book.reopen();
    tell(book, "two");
    book.finish();
    CHECK(text_of_file(path + ".old").find("two") == std::string::npos);
    const std::string text = text_of_file(path);
    const Json line = Json::parse(text);
    CHECK(line["kind"] == "two");
    CHECK(line["uplink"] == "wwan0");
    CHECK(line["time"].get<std::string>().back() == 'Z');
    struct stat s {};
    REQUIRE(::stat(path.c_str(), &s) == 0);
    CHECK((s.st_mode & 0137) == 0);
}

TEST_CASE("what is no place for a log is refused with its reason") {
    const Folder folder;
    REQUIRE(::symlink("/dev/null", folder.file("link").c_str()) == 0);
    REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
    for (const std::string& path : {folder.file("link"), folder.file("pipe"), folder.path, std::string("/dev/null")}) {
        const auto sink = open_event_sink({.to = path});
        REQUIRE_FALSE(sink);
        CHECK(sink.error().find("the event log " + path + " cannot be written: ") == 0);
    }
}

TEST_CASE("a file stays within its bound, and one earlier file is kept") {
    const Folder folder;
    const std::string path = folder.file("log");
    control::RotatingFile file(path, 100);
    for (int i = 0; i < 10; ++i) REQUIRE(file.append(std::string(39, static_cast<char>('0' + i)) + "\n"));
    CHECK(text_of_file(path) == std::string(39, '8') + "\n" + std::string(39, '9') + "\n");
    CHECK(text_of_file(path + ".1") == std::string(39, '6') + "\n" + std::string(39, '7') + "\n");
    CHECK_FALSE(std::filesystem::exists(path + ".2"));
    // More than the bound at once is written all the same.
    REQUIRE(file.append(std::string(500, 'x')));
    CHECK(text_of_file(path).size() == 500);
}

TEST_CASE("a full disk leaves no half line, and the next try is whole") {
    const Folder folder;
    const std::string path = folder.file("log");
    control::RotatingFile file(path, 1000);
    REQUIRE(file.append("a line\n"));
    {
        const FileSizeLimit limit(10);
        CHECK_FALSE(file.append("another line\n"));
        CHECK_FALSE(file.append("another line\n"));
    }
    CHECK(text_of_file(path) == "a line\n");
    REQUIRE(file.append("another line\n"));
    CHECK(text_of_file(path) == "a line\nanother line\n");
}

TEST_CASE("more at once than the journal's socket holds waits until it is read") {
    const Folder folder;
    const std::string path = folder.file("journal");
    const Journal journal(path);
    constexpr std::size_t count = 600;
    const std::vector<EventEntry> entries(count, {std::string(2000, 'x'), Level::info, "sample", "", "a sample"});
    std::atomic<std::size_t> got{0};
    std::thread reader([&] {
        std::string entry(8192, '\0');
        while (got<count&& ::recv(journal.fd.get(), entry.data(), entry.size(), 0)> 0) {
            ++got;
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
    });
    EventLogSettings settings{.to = event_log_journal};
    settings.journal_socket = path;
    const auto sink = open_event_sink(settings);
    REQUIRE(sink);
    const auto outcome = (*sink)->write(entries);
    CHECK(outcome.error == 0);
    CHECK(outcome.done == count);
    if (outcome.done != count) ::shutdown(journal.fd.get(), SHUT_RDWR);
    reader.join();
    CHECK(got == outcome.done);
}

TEST_CASE("an entry that is too large for the journal is left out, and the next one written") {
    const Folder folder;
    EventLogSettings settings{.to = event_log_journal};
    settings.journal_socket = folder.file("journal");
    const Journal journal(settings.journal_socket);
    const auto sink = open_event_sink(settings);
    REQUIRE(sink);
    const std::vector<EventEntry> entries{{std::string(4'000'000, 'x'), Level::info, "giant", "", "text"},
                                          {"{}", Level::info, "small", "", "text"}};
    const auto outcome = (*sink)->write(entries);
    CHECK(outcome.error == 0);
    CHECK(outcome.done == 2);
    CHECK(outcome.unwritable == 1);
    CHECK(journal.next().find("HAWSER_KIND=small\n") != std::string::npos);
    CHECK(journal.next().empty());
}

TEST_CASE("the journal gets an event's figures as fields of their own, and no list of a sample's") {
    const Folder folder;
    EventLogSettings settings{.to = event_log_journal};
    settings.journal_socket = folder.file("journal");
    const Journal journal(settings.journal_socket);
    const auto sink = open_event_sink(settings);
    REQUIRE(sink);
    const std::vector<EventEntry> entries{
        {R"({"time":"now","kind":"uplink_silent","rtt_ms":43,"socket_lost":true,"state":"silent","links":[1]})",
         Level::warn, "uplink_silent", "wwan0", "it is silent"}};
    CHECK((*sink)->write(entries).done == 1);
    const std::string entry = journal.next();
    for (const char* field : {"HAWSER_RTT_MS=43\n", "HAWSER_SOCKET_LOST=true\n", "HAWSER_STATE=silent\n"})
        CHECK(entry.find(field) != std::string::npos);
    for (const char* field : {"HAWSER_TIME", "HAWSER_LINKS", "HAWSER_LEVEL"})
        CHECK(entry.find(field) == std::string::npos);
}

TEST_CASE("the journal gets a field for each thing said") {
    const Folder folder;
    const std::string path = folder.file("journal");
    EventLogSettings settings{.to = event_log_journal};
    settings.journal_socket = path;
    const auto sink = open_event_sink(settings);
    REQUIRE(sink);
    const std::vector<EventEntry> entries{{"{\"kind\":\"a\"}", Level::warn, "uplink_silent", "wwan0", "it is silent"},
                                          {"{}", Level::error, "b", "", "two\nlines"}};
    // There is no journal: the first is left, and may be tried again.
    const auto refused = (*sink)->write(entries);
    CHECK(refused.done == 0);
    CHECK(refused.error == ENOENT);

    const Journal journal(path);
    const auto written = (*sink)->write(entries);
    CHECK(written.done == 2);
    CHECK(written.unwritable == 0);
    CHECK(written.error == 0);
    CHECK(journal.next() ==
          "MESSAGE=it is silent\nPRIORITY=4\nSYSLOG_IDENTIFIER=hawser\nHAWSER_KIND=uplink_silent\n"
          "HAWSER_UPLINK=wwan0\nHAWSER_EVENT={\"kind\":\"a\"}\n");
    const std::string second = journal.next();
    CHECK(second.find(std::string("MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n", 26)) == 0);
    CHECK(second.find("PRIORITY=3\n") != std::string::npos);
    CHECK(second.find("HAWSER_UPLINK") == std::string::npos);
}
