// SPDX-License-Identifier: MIT
// The matrix of trips and what is printed of it.
#include <catch2/catch.hpp>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "platform/app/sim/matrix.h"
#include "platform/app/sim/plot.h"
#include "platform/app/sim/report.h"

using namespace hawser;
using Catch::Contains;

namespace {

app::MatrixPlan small_plan() {
    app::MatrixPlan plan;
    auto scenario =
        app::parse_scenario("seconds = 3\n[[link]]\nname = \"<one>\"\nkbps = 2000\ndelay = 20\n[[link]]\nkbps = 1500\n",
                            "small", std::nullopt);
    REQUIRE(scenario);
    plan.scenarios.push_back(std::move(scenario).value());
    plan.scenarios[0].name = "small";
    plan.loads = {50, 80};
    plan.latencies = {500};
    select::Settings classic;
    classic.mode = select::Mode::classic;
    plan.selections = {classic, select::Settings{}};
    plan.seeds = 2;
    return plan;
}

}  // namespace

TEST_CASE("the outcome does not depend on how many work on it") {
    app::MatrixPlan plan = small_plan();
    const auto alone = run_matrix(plan, {});
    plan.workers = 3;
    std::size_t told = 0;
    const auto together = run_matrix(plan, [&](std::size_t done, std::size_t all) {
        CHECK(done == ++told);
        CHECK(all == 8);
    });
    CHECK(told == 8);
    REQUIRE(alone.size() == 8);
    CHECK(matrix_json(plan, alone) == matrix_json(plan, together));
}

TEST_CASE("the table has a line for each selector of each cell, the JSON each trip besides") {
    const app::MatrixPlan plan = small_plan();
    const auto runs = run_matrix(plan, {});
    const std::string table = matrix_table(plan, runs);
    CHECK(std::count(table.begin(), table.end(), '\n') == 1 + 4);
    CHECK_THAT(table, Contains("enhanced") && Contains("80%"));
    const auto json = nlohmann::json::parse(matrix_json(plan, runs));
    CHECK(json["version"] == 1);
    CHECK(json["cells"].size() == 4);
    REQUIRE(json["runs"].size() == 8);
    CHECK(json["runs"][0]["links"][0]["name"] == "<one>");
    CHECK(json["runs"][0]["connected"] == true);
    CHECK(json["runs"][0]["on_time"].get<double>() > 0.9);
}

TEST_CASE("a plot shows every link of every selector, and nothing unescaped") {
    app::MatrixPlan plan = small_plan();
    plan.series = true;
    plan.seeds = 1;
    plan.loads = {80};
    const std::string svg = plot_svg(plan, run_matrix(plan, {}));
    CHECK_THAT(svg, Catch::StartsWith("<svg ") && Catch::EndsWith("</svg>\n"));
    CHECK_THAT(svg, Contains("&lt;one&gt;") && !Contains("<one>") && !Contains("nan") && !Contains("inf"));
    std::size_t panels = 0;
    for (std::size_t at = 0; (at = svg.find("<rect", at)) != std::string::npos; ++at) ++panels;
    CHECK(panels == 2 * 3);
}

TEST_CASE("the 95 % interval is Student's") {
    CHECK(app::estimate({}).mean == 0);
    CHECK(app::estimate({4}).half_width == 0);
    const app::Estimate e = app::estimate({1, 2, 3, 4, 5});
    CHECK(e.mean == Approx(3));
    CHECK(e.half_width == Approx(2.78 * 1.5811 / 2.236).epsilon(0.001));
}
