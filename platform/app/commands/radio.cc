// SPDX-License-Identifier: MIT
// `hawser radio`: one radiod and its channels from the command line, with the habits of ka9q-radio's tools: RADIO in
// the environment, frequencies as 147m435, exit codes 0 done, 1 failed, 2 usage. The subcommands are in app/radio.
#include "platform/app/commands/commands.h"
#include "platform/app/radio/subcommands.h"

namespace hawser::app {

namespace {

constexpr const char* footer =
    "The radiod is named by -r or the environment's RADIO: its status group as an address, or its name, which is "
    "looked\n"
    "up (mDNS) or, where nobody knows it, turned into a group as radiod does. Frequencies are 14.074e6, 147m435, 10m0, "
    "760k0.\n"
    "Fields are `frontend.gain`, `agc.enable` ... or radiod's names (RF_GAIN); `hawser radio query` shows them.";

}  // namespace

int command_radio(int argc, char** argv) {
    cli::App app("Shows, tunes and ends the channels of a ka9q-radio radiod.", "hawser radio");
    app.require_subcommand(1);
    app.footer(footer);
    RadioSubcommands subcommands(app);
    add_list_subcommands(subcommands);
    add_tune_subcommands(subcommands);
    add_dump_subcommand(subcommands);
    add_create_subcommand(subcommands);
    add_record_subcommand(subcommands);
    add_powers_subcommand(subcommands);
    add_monitor_subcommand(subcommands);
    add_keep_subcommand(subcommands);
    add_watch_subcommand(subcommands);
    if (const auto code = app.parse(argc, argv, exit_usage)) return *code;
    return subcommands.run_parsed();
}

}  // namespace hawser::app
