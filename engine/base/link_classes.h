// SPDX-License-Identifier: MIT
// The classes that links are in, as masks: whoever chooses a link tries the steps in order, each of which holds the
// links of a class and of all classes before it. The reserve (what operators want used only when nothing else works) is
// in no step, and kept() out by whoever chooses. No step is empty, and none equals the one before. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/base/link_load.h"

namespace hawser {

class LinkClasses {
public:
    // Class 0 goes first. A link that is not known any more is in none.
    static constexpr std::size_t class_count = 5;

    void set(LinkId link, std::size_t its_class) noexcept {
        forget_quietly(link);
        classes_[its_class < class_count ? its_class : class_count - 1] |= mask_of(link);
        find_steps();
    }
    void set_reserve(LinkId link) noexcept {
        forget_quietly(link);
        reserve_ |= mask_of(link);
        find_steps();
    }
    void forget(LinkId link) noexcept {
        forget_quietly(link);
        find_steps();
    }

    // Not all links are alike: only then the rest needs to be asked.
    [[nodiscard]] bool several() const noexcept { return several_; }
    [[nodiscard]] std::size_t steps() const noexcept { return steps_count_; }
    [[nodiscard]] LinkMask step(std::size_t i) const noexcept { return steps_[i]; }
    [[nodiscard]] LinkMask reserve() const noexcept { return reserve_; }
    // Of `links`, those of the first class that has any of them; the reserve when there are no others.
    [[nodiscard]] LinkMask first_of(LinkMask links) const noexcept {
        for (std::size_t i = 0; i < steps_count_; ++i)
            if ((steps_[i] & links) != 0) return steps_[i] & links;
        return links;
    }
    // What is to be left alone while those links are there: the reserve, unless they are nothing else.
    [[nodiscard]] LinkMask kept(LinkMask there) const noexcept { return (there & ~reserve_) != 0 ? reserve_ : 0; }

private:
    void forget_quietly(LinkId link) noexcept {
        for (LinkMask& c : classes_) c &= ~mask_of(link);
        reserve_ &= ~mask_of(link);
    }
    void find_steps() noexcept {
        LinkMask so_far = 0;
        steps_count_ = 0;
        for (const LinkMask c : classes_) {
            if (c == 0) continue;
            so_far |= c;
            steps_[steps_count_++] = so_far;
        }
        several_ = steps_count_ + (reserve_ != 0 ? 1 : 0) > 1;
    }

    std::array<LinkMask, class_count> classes_{};
    std::array<LinkMask, class_count> steps_{};
    std::size_t steps_count_ = 0;
    LinkMask reserve_ = 0;
    bool several_ = false;
};

}  // namespace hawser
