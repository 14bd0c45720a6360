// SPDX-License-Identifier: MIT
#include "platform/app/sender_uplinks.h"

#include <utility>

#include "platform/app/log.h"
#include "platform/control/quoted.h"

namespace hawser::app {

Result<control::UplinkList, std::string> wanted_uplinks(const SenderRequest& request,
                                                        const std::vector<std::string>& added) {
    const auto forms = request.compat ? control::UplinkForms::addresses : control::UplinkForms::all;
    control::UplinkList list;
    if (!request.uplinks_file.empty()) {
        auto read = control::read_uplinks(request.uplinks_file, forms);
        if (!read) return read;
        list = std::move(read).value();
    }
    for (const auto* entries : {&request.uplinks, &added})
        for (const std::string& entry : *entries) {
            std::string complaint;
            const control::Added done = control::add_uplink(list, entry, forms, complaint);
            // Settings may stand behind it that the first one lacks. What was added while running may come to be said.
            if (done == control::Added::known && entries != &added)
                complaint = control::quoted(entry) + " is an uplink already";
            if (!complaint.empty()) return Failure{"--uplink: " + complaint};
        }
    for (const std::string& entry : request.metered) {
        std::string complaint;
        const auto named = control::parse_uplink(entry, forms, complaint);
        if (!complaint.empty()) return Failure{"--metered: " + complaint};
        bool any = false;
        for (UplinkSpec& u : list.uplinks) {
            const bool is_meant = control::same_uplink(u, *named) ||
                                  (named->device[0] == '\0' && u.source.address == named->source.address);
            u.settings.metered = u.settings.metered || is_meant;
            any = any || is_meant;
        }
        if (!any)
            log(Level::warn, "--metered: the list has no uplink {}{}", control::uplink_text(*named),
                list.automatic ? "; those that auto finds are metered by a rule: --link '" +
                                     control::uplink_text(*named) + ",metered'"
                               : "");
    }
    if (list.uplinks.empty() && !list.automatic) {
        const std::string first = list.complaints.empty() ? "" : " (" + list.complaints.front() + ")";
        return Failure{request.uplinks_file.empty()
                           ? std::string("no uplinks given: a file, or --uplink ADDRESS, INTERFACE or auto")
                           : "Failed to parse any IP addresses in " + request.uplinks_file + first};
    }
    return list;
}

}  // namespace hawser::app
