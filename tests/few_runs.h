// SPDX-License-Identifier: MIT
// How often a test repeats itself, over seeds or in simulated time. The plain build runs it all; under a sanitizer, and
// by emulation, a run costs ten to fifty times as much and is there for faults of memory and of the other processor,
// which a few runs meet as well. tests/meson.build decides which it is.
#pragma once

namespace hawser::test {

#ifdef HAWSER_FEW_RUNS
inline constexpr bool few_runs = true;
#else
inline constexpr bool few_runs = false;
#endif

template <class T>
constexpr T runs(T all, T few) {
    return few_runs ? few : all;
}

}  // namespace hawser::test
