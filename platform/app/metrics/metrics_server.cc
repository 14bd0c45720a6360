// SPDX-License-Identifier: MIT
#include "platform/app/metrics/metrics_server.h"

#include <utility>

#include "platform/app/log.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

// 127.0.0.0/8 (mapped) and ::1.
bool is_loopback(const Endpoint& at) {
    if (at.is_v4()) return at.address[12] == 127;
    const auto one = os::parse_address("::1");
    return one && at.address == one->address;
}

}  // namespace

Result<std::unique_ptr<MetricsServer>, std::string> MetricsServer::open(control::Loop& loop, const Endpoint& at,
                                                                        std::vector<MetricsPage> pages) {
    std::unique_ptr<MetricsServer> out(new MetricsServer(std::move(pages)));
    MetricsServer* const self = out.get();
    auto opened = control::HttpServer::open(loop, at, [self](std::string_view path) { return self->page(path); });
    if (!opened) return Failure{"metrics: " + opened.error()};
    out->server_ = std::move(opened).value();
    const std::string where = os::endpoint_text(out->server_->local());
    log(Level::info, "metrics at http://{}/metrics", where);
    if (!is_loopback(at))
        log(Level::warn, "metrics: {} is not this machine alone, and nobody is asked who he is", where);
    return out;
}

std::optional<control::HttpReply> MetricsServer::page(std::string_view path) const {
    std::string list = "hawser " HAWSER_VERSION "\n\n";
    for (const MetricsPage& page : pages_) {
        if (page.path == path) return page.make();
        list += page.path + "  " + page.help + "\n";
    }
    if (path == "/") return control::HttpReply{"text/plain; charset=utf-8", std::move(list)};
    return std::nullopt;
}

}  // namespace hawser::app
