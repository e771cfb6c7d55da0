// The gate of a kernel: checks what the kernel assumes about a call, before it reads or writes anything.
//
// XLA itself checks dtypes, the number of buffers, and the names and types of attributes. `_gate.py` checks the same
// shapes when a program is traced; here they are checked for every other caller, and with the batch axes that
// transformations of the program have added in front.

#pragma once

#include <array>
#include <initializer_list>
#include <string>

#include "kernels.h"

namespace checks {

using Dimensions = ffi::Span<const int64_t>;

#ifdef UNCHECKED  // to measure what the gate costs
constexpr bool kChecked = false;
#else
constexpr bool kChecked = true;
#endif

constexpr int64_t kFarthest = 1 << 16;  // pixels of a pad width, neighbourhood or lag: no product of them overflows

// One call of a kernel, and the first thing that is wrong with it.
class Call {
 public:
  explicit Call(const char* kernel) : kernel_(kernel) {}

  bool failed() const { return kChecked && !fault_.empty(); }
  ffi::Error error() const { return ffi::Error::InvalidArgument("kernel " + std::string(kernel_) + ": " + fault_); }

  void require(bool holds, const char* what) {
    if (kChecked && !holds) note(what);
  }

  // The last dimensions of an operand, none of them below `least`; all 1 if it does not have so many.
  template <size_t count, int64_t least = 1>
  std::array<int64_t, count> last(const char* operand, Dimensions found) {
    std::array<int64_t, count> sizes;
    sizes.fill(1);
    if (found.size() >= count) std::copy_n(found.end() - count, count, sizes.begin());
    if (kChecked && (found.size() < count || *std::min_element(sizes.begin(), sizes.end()) < least))
      note("operand " + std::string(operand) + " has shape " + text(found) + ", wanted " + std::to_string(count) +
           " or more axes, of which the last ones are not empty");
    return sizes;
  }

  // Maps (*maps, height, width, channels), which define the leading axes of other operands.
  kernels::Shape maps(const char* operand, Dimensions found) {
    const auto sizes = last<3>(operand, found);
    leading_ = {found.begin(), found.size() < 3 ? 0 : found.size() - 3};
    kernels::Shape shape{1, sizes[0], sizes[1], sizes[2]};
    for (int64_t size : leading_) shape.maps *= size;
    return shape;
  }

  // An operand (*maps, rest).
  void of_maps(const char* operand, Dimensions found, std::initializer_list<int64_t> rest) {
    if (kChecked && !agrees(found, leading_.size(), rest)) note_shape(operand, found, leading_.size(), rest);
  }

  // An operand (*some of maps, rest) that is shared by maps; all such operands have the same number of leading axes.
  void shared(const char* operand, Dimensions found, std::initializer_list<int64_t> rest) {
    if (!kChecked) return;
    const int64_t before = static_cast<int64_t>(found.size()) - static_cast<int64_t>(rest.size());
    if (shared_ < 0) shared_ = std::min<int64_t>(leading_.size(), std::max<int64_t>(0, before));
    if (!agrees(found, shared_, rest)) note_shape(operand, found, shared_, rest);
  }

  // An operand with the shape of another one.
  void same(const char* operand, Dimensions found, Dimensions wanted) {
    if (kChecked && !(found == wanted)) note_shape(operand, found, wanted);
  }

  // A list of integers from `low` to `high`.
  void integers(const char* attribute, ffi::Span<const int64_t> found, int64_t count, int64_t low, int64_t high) {
    if (!kChecked) return;
    bool right = static_cast<int64_t>(found.size()) == count;
    for (int64_t value : found) right = right && low <= value && value <= high;
    if (!right)
      note("attribute " + std::string(attribute) + " is " + text(found) + ", wanted " + std::to_string(count) +
           " integers from " + std::to_string(low) + " to " + std::to_string(high));
  }

 private:
  bool agrees(Dimensions found, size_t leading, std::initializer_list<int64_t> rest) const {
    return found.size() == leading + rest.size() &&
           std::equal(found.begin(), found.begin() + leading, leading_.begin()) &&
           std::equal(rest.begin(), rest.end(), found.begin() + leading);
  }

  void note_shape(const char* operand, Dimensions found, size_t leading, std::initializer_list<int64_t> rest) {
    std::vector<int64_t> wanted(leading_.begin(), leading_.begin() + leading);
    wanted.insert(wanted.end(), rest);
    note_shape(operand, found, {wanted.data(), wanted.size()});
  }

  void note_shape(const char* operand, Dimensions found, Dimensions wanted) {
    note("operand " + std::string(operand) + " has shape " + text(found) + ", wanted " + text(wanted));
  }

  __attribute__((noinline, cold)) void note(const std::string& fault) {
    if (fault_.empty()) fault_ = fault;
  }

  static std::string text(Dimensions values) {
    std::string result;
    for (int64_t value : values) result += (result.empty() ? "" : ", ") + std::to_string(value);
    return "(" + result + ")";
  }

  const char* kernel_;
  Dimensions leading_{nullptr, 0};
  int64_t shared_ = -1;
  std::string fault_;
};

}  // namespace checks
