// SPDX-License-Identifier: MIT
// The figures over HTTP: /metrics for Prometheus, and the pages that an end adds. On loopback unless told otherwise,
// since nobody is asked who he is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/control/http/server.h"

namespace hawser::app {

struct MetricsPage {
    std::string path;
    std::string help;
    std::function<control::HttpReply()> make;
};

class MetricsServer {
public:
    // Says where it serves, and warns where others may reach it.
    [[nodiscard]] static Result<std::unique_ptr<MetricsServer>, std::string> open(control::Loop& loop,
                                                                                  const Endpoint& at,
                                                                                  std::vector<MetricsPage> pages);

private:
    explicit MetricsServer(std::vector<MetricsPage> pages) : pages_(std::move(pages)) {}
    [[nodiscard]] std::optional<control::HttpReply> page(std::string_view path) const;

    std::vector<MetricsPage> pages_;
    std::unique_ptr<control::HttpServer> server_;
};

}  // namespace hawser::app
