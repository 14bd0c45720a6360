// SPDX-License-Identifier: MIT
// The subcommands: each takes its own argument vector, its name first, and answers the process's exit code.
#pragma once

namespace hawser::app {

int command_send(int argc, char** argv);
int command_recv(int argc, char** argv);
int command_check(int argc, char** argv);
int command_doctor(int argc, char** argv);
int command_demo(int argc, char** argv);
int command_sim(int argc, char** argv);
int command_radio(int argc, char** argv);
int command_status(int argc, char** argv);
int command_top(int argc, char** argv);
int command_ctl(int argc, char** argv);
int command_budgets(int argc, char** argv);
int command_log(int argc, char** argv);
int command_dump(int argc, char** argv);
// Called by the peers' names, with their command lines.
int command_srtla_send(int argc, char** argv);
int command_srtla_rec(int argc, char** argv);

}  // namespace hawser::app
