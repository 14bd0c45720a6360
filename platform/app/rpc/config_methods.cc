// SPDX-License-Identifier: MIT
#include "platform/app/rpc/config_methods.h"

#include "platform/control/rpc/json.h"

namespace hawser::app {

namespace {

using rpc::Json;

struct ToJson {
    Json operator()(std::monostate) const { return nullptr; }
    template <class T>
    Json operator()(const T& value) const {
        return value;
    }
};

Json object_of(const std::vector<Key>& keys) {
    Json out = Json::object();
    for (const Key& k : keys) out[k.name] = std::visit(ToJson{}, k.get());
    return out;
}

Json object_of(const KeySection& section) {
    Json out = object_of(section.keys);
    for (const KeyTable& t : section.tables) {
        if (!t.is_list()) {
            out[t.name] = object_of(t.keys);
            continue;
        }
        Json list = Json::array();
        for (const auto& keys : t.all()) list.push_back(object_of(keys));
        out[t.name] = std::move(list);
    }
    return out;
}

}  // namespace

void add_config_methods(rpc::Methods& methods, std::function<KeySection()> section, std::string file) {
    methods.add({"config.get", rpc::Role::observe,
                 [section = std::move(section), file = std::move(file)](const rpc::Params&,
                                                                        const rpc::Caller&) -> rpc::Outcome {
                     const KeySection now = section();
                     return Json{{"file", file.empty() ? Json(nullptr) : Json(file)}, {now.name, object_of(now)}};
                 },
                 "what was configured, under the configuration file's keys, apart from what links.* changed since; "
                 "null: not set"});
}

}  // namespace hawser::app
