// XLA custom call: the derivative of a block of a network, row by row: what lies between convolution and feed-forward
// part is computed again, and neither it nor its cotangents travel to memory.

#include "convolution.h"
#include "feed_forward.h"

namespace {

using namespace framed;

constexpr int64_t kMostRows = 48;  // rows of results that one thread takes at a time; some above them it repeats

// Rows of cotangents that move down: the last ones are the newest. Each has zeros around its pixels.
template <typename T>
class Cotangents {
 public:
  Cotangents(int64_t rows, int64_t channels, int64_t before, int64_t columns, int64_t behind)
      : before_(before), columns_(columns), held_(rows, Row<T>(channels, before + columns_for(columns) + behind)),
        ordinary_(rows, true), seen_(rows) {}

  void clear() {
    for (auto& row : held_) row.read(nullptr, before_, columns_);
    std::fill(ordinary_.begin(), ordinary_.end(), true);
  }

  // Takes up a row, or zeros, and gives up the uppermost one.
  void take(const Row<T>* row) {
    std::rotate(held_.begin(), held_.begin() + 1, held_.end());
    std::rotate(ordinary_.begin(), ordinary_.begin() + 1, ordinary_.end());
    if (row) {
      rows::copy_pixels(*row, 0, held_.back(), before_, columns_);
    } else {
      held_.back().read(nullptr, before_, columns_);
    }
    ordinary_.back() = true;
    if constexpr (std::is_same_v<T, float>)
      if (row) ordinary_.back() = winograd::ordinary(held_.back());
  }

  const Row<T>* const* seen() {
    for (size_t r = 0; r < held_.size(); ++r) seen_[r] = &held_[r];
    return seen_.data();
  }

  // Whether minimal filtering may compute with the `count` newest rows.
  bool ordinary(int64_t count) const {
    return std::all_of(ordinary_.end() - count, ordinary_.end(), [](char each) { return each; });
  }

 private:
  int64_t before_, columns_;
  Lined<Row<T>> held_;
  Lined<char> ordinary_;
  Lined<const Row<T>*> seen_;
};

// Gradients with respect to the kernels, of each part of the maps.
template <typename T>
struct Partial {
  Kernel<T> kernel, expand, reduce;
};

// What all threads share.
template <typename T>
struct Task {
  FramedMaps<const T> from;     // x
  FramedMaps<const T> given;    // cotangents of y
  FramedMaps<T> to;             // the gradient with respect to x, in a frame that lacks what nobody asked for
  int64_t before;               // zeros before a row of cotangents that the first of these results sees
  Size size, expanding;
  rows::Kernels of;
  Lined<Kernel<T>> kernels, turned;
  Lined<pixelwise::Backwards<T>> feed_forward;
  Lined<winograd::Kernel> transformed, transformed_turned;

  bool in_bands() const { return winograd::suits<T>(size, given.rows(), given.columns()); }
  int64_t together() const { return in_bands() ? winograd::kTile : 1; }
};

// What a thread needs to carry cotangents through a block.
template <typename T>
class Thread {
 public:
  explicit Thread(const Task<T>& task)
      : task_(task),
        together_(task.together()),
        window_(task.from, task.size.rows + together_ - 1, task.size.columns),
        between_(rows::equal_rows<T>(together_, task.size.outputs, columns_for(task.given.columns()),
                                     task.given.columns())),
        of_between_(rows::equal_rows<T>(together_, task.size.outputs, columns_for(task.given.columns()),
                                        task.given.columns())),
        results_(rows::equal_rows<T>(together_, task.size.inputs, columns_for(task.to.columns()), task.to.columns())),
        pixels_(task.size.outputs, task.expanding.outputs),
        cotangents_(task.size.rows + together_ - 1, task.size.outputs, task.before, task.given.columns(),
                    2 * task.size.columns),
        forwards_(task.size),
        backwards_(task.size.exchanged()),
        of_transformed_(task.size) {
    for (auto& row : of_between_) rows_of_between_.push_back(&row);
  }

  // Rows `first` to `last` of the cotangents of y, and those of x down to which none further below contributes.
  void run(int64_t map, int64_t first, int64_t last, Partial<T>& partial) {
    const int64_t above = task_.size.rows - 1;  // rows of cotangents that a row of results sees above its own
    const int64_t begin = std::max<int64_t>(0, first - (above + together_ - 1) / together_ * together_);
    const int64_t end = last == task_.given.rows() ? task_.to.rows() : last;
    of_transformed_.clear();
    cotangents_.clear();
    for (int64_t row = begin; row < end; row += together_) {
      take_rows(map, row, first - above, last, row < first ? nullptr : &partial);
      if (row >= first) write(map, row, std::min(together_, end - row));
    }
    if constexpr (std::is_same_v<T, float>)
      if (task_.in_bands()) of_transformed_.add_to(partial.kernel);
  }

 private:
  // Takes up rows of cotangents from `row` on, as far as they are from `first` to `last`, and adds the gradients with
  // respect to kernels.
  void take_rows(int64_t map, int64_t row, int64_t first, int64_t last, Partial<T>* partial) {
    const int64_t which = map / task_.of.maps_each, columns = task_.given.columns();
    bool filtered = false;
    const Row<T>* const* seen = row < last ? window_.at(map, row) : nullptr;
    if constexpr (std::is_same_v<T, float>)
      if (seen && (filtered = task_.in_bands() && window_.ordinary()))
        forwards_.convolve(seen, task_.transformed[which], columns, between_.data());
    for (int64_t r = 0; r < together_; ++r) {
      const bool some = first <= row + r && row + r < last;
      if (some) {
        if (!filtered) kernels::run<rows::Products>(seen + r, task_.kernels[which], columns, between_[r]);
        feed_forward(map, row + r, which, r, partial);
      } else {
        of_between_[r].read(nullptr, 0, columns);
      }
      cotangents_.take(some ? &of_between_[r] : nullptr);
    }
    if (!partial || !seen) return;
    if constexpr (std::is_same_v<T, float>) {
      if (filtered && cotangents_.ordinary(together_))
        return forwards_.add_gradient(seen, rows_of_between_.data(), columns, of_transformed_, true);
    }
    for (int64_t r = 0; r < std::min(together_, last - row); ++r)
      kernels::run<rows::AddKernelGradient>(seen + r, of_between_[r], columns, partial->kernel);
  }

  // Carries a row of the cotangents of y through the feed-forward part.
  void feed_forward(int64_t map, int64_t row, int64_t which, int64_t r, Partial<T>* partial) {
    const int64_t columns = task_.given.columns();
    task_.given.for_each_stretch(map, row, [&](const T* cotangents, int64_t, int64_t) {
      for (int64_t first = 0; first < columns; first += pixelwise::kPixels) {
        const int64_t count = std::min(pixelwise::kPixels, columns - first);
        rows::copy_pixels(between_[r], first, pixels_.from, 0, count);
        pixels_.cotangent.read(cotangents + first * task_.size.outputs, 0, count);
        pixels_.compute(count, task_.feed_forward[which], partial ? &partial->expand : nullptr,
                        partial ? &partial->reduce : nullptr);
        rows::copy_pixels(pixels_.to, 0, of_between_[r], first, count);
      }
    });
  }

  // Writes `count` rows of the gradient with respect to x in its frame.
  void write(int64_t map, int64_t row, int64_t count) {
    const int64_t which = map / task_.of.maps_each, columns = task_.to.columns();
    const auto seen = cotangents_.seen();
    bool done = false;
    if constexpr (std::is_same_v<T, float>)
      if ((done = task_.in_bands() && cotangents_.ordinary(task_.size.rows + together_ - 1)))
        backwards_.convolve(seen, task_.transformed_turned[which], columns, results_.data());
    for (int64_t r = 0; r < count; ++r) {
      if (!done) kernels::run<rows::Products>(seen + r, task_.turned[which], columns, results_[r]);
      task_.to.for_each_stretch(map, row + r, [&](T* pixels, int64_t column, int64_t some) {
        if (pixels) results_[r].write(pixels, column, some);
      });
    }
  }

  const Task<T>& task_;
  int64_t together_;
  Window<T> window_;
  Lined<Row<T>> between_, of_between_, results_;
  Lined<const Row<T>*> rows_of_between_;
  pixelwise::PixelGradients<T> pixels_;
  Cotangents<T> cotangents_;
  winograd::Bands forwards_, backwards_;
  winograd::Kernel of_transformed_;
};

// Writes the sum of one of the gradients of all parts, in their order.
template <typename T>
void write_sums(const Size& size, Lined<Partial<T>>& partial, Kernel<T> Partial<T>::*which, int64_t count,
                T* kernels, T* biases) {
  Lined<Kernel<T>> each;
  each.reserve(partial.size());
  for (auto& part : partial) each.push_back(std::move(part.*which));
  rows::write_sums(size, each, count, kernels, biases);
}

// The gradients of `block`, given the cotangents of y; they do not depend on its last bias.
template <ffi::DataType D>
ffi::Error block_gradient(ffi::ThreadPool pool, Dimensions widths, ffi::Buffer<D> cotangents, ffi::Buffer<D> x,
                          ffi::Buffer<D> top, ffi::Buffer<D> bottom, ffi::Buffer<D> left, ffi::Buffer<D> right,
                          ffi::Buffer<D> kernel, ffi::Buffer<D> bias, ffi::Buffer<D> expand,
                          ffi::Buffer<D> expand_bias, ffi::Buffer<D> reduce, ffi::ResultBuffer<D> of_x,
                          ffi::ResultBuffer<D> of_top, ffi::ResultBuffer<D> of_bottom, ffi::ResultBuffer<D> of_left,
                          ffi::ResultBuffer<D> of_right, ffi::ResultBuffer<D> of_kernel, ffi::ResultBuffer<D> of_bias,
                          ffi::ResultBuffer<D> of_expand, ffi::ResultBuffer<D> of_expand_bias,
                          ffi::ResultBuffer<D> of_reduce, ffi::ResultBuffer<D> of_reduce_bias) {
  using T = ffi::NativeType<D>;
  checks::Call call("block_gradient");
  const Given given(call, widths, x.dimensions(),
                    {top.dimensions(), bottom.dimensions(), left.dimensions(), right.dimensions()},
                    kernel.dimensions());
  const Size& size = given.kernel;
  const int64_t hidden = call.last<1>("expand", expand.dimensions())[0];
  const Size expanding{1, 1, size.outputs, hidden};
  call.shared("bias", bias.dimensions(), {size.outputs});
  call.shared("expand", expand.dimensions(), {1, 1, size.outputs, hidden});
  call.shared("expand_bias", expand_bias.dimensions(), {hidden});
  call.shared("reduce", reduce.dimensions(), {1, 1, hidden, size.outputs});
  given.check_result(call, "cotangents", cotangents.dimensions());
  call.same("of_x", of_x->dimensions(), x.dimensions());
  call.same("of_top", of_top->dimensions(), top.dimensions());
  call.same("of_bottom", of_bottom->dimensions(), bottom.dimensions());
  call.same("of_left", of_left->dimensions(), left.dimensions());
  call.same("of_right", of_right->dimensions(), right.dimensions());
  call.same("of_kernel", of_kernel->dimensions(), kernel.dimensions());
  call.same("of_bias", of_bias->dimensions(), bias.dimensions());
  call.same("of_expand", of_expand->dimensions(), expand.dimensions());
  call.same("of_expand_bias", of_expand_bias->dimensions(), expand_bias.dimensions());
  call.same("of_reduce", of_reduce->dimensions(), reduce.dimensions());
  call.shared("of_reduce_bias", of_reduce_bias->dimensions(), {size.outputs});
  if (call.failed()) return call.error();
  auto to = in_frame<T>(x.dimensions(), widths, of_x->typed_data(), or_null(*of_top), or_null(*of_bottom),
                        or_null(*of_left), or_null(*of_right));
  int64_t before = size.columns - 1;
  if (std::none_of(to.strips, to.strips + kSides, [](T* strip) { return strip; })) {
    const int64_t unwanted = std::min(before, to.widths[kLeft]);
    before -= unwanted;
    to.widths[kLeft] -= unwanted;
    to.widths[kRight] = 0;
  }
  const rows::Kernels of(kernel.dimensions(), to.shape.maps);
  Task<T> task{
      in_frame<const T>(x.dimensions(), widths, x.typed_data(), or_null(top), or_null(bottom), or_null(left),
                        or_null(right)),
      FramedMaps<const T>{kernels::shape_of(cotangents.dimensions()), {}, cotangents.typed_data(), {}},
      to,
      before,
      size,
      expanding,
      of,
      rows::laid_out(size, of.count, kernel.typed_data(), bias.typed_data()),
      rows::turned(size, of.count, kernel.typed_data()),
      pixelwise::backwards(expanding, of.count, expand.typed_data(), expand_bias.typed_data(), reduce.typed_data()),
      {},
      {}};
  if constexpr (std::is_same_v<T, float>)
    if (task.in_bands()) {
      task.transformed = Lined<winograd::Kernel>(task.kernels.begin(), task.kernels.end());
      task.transformed_turned = Lined<winograd::Kernel>(task.turned.begin(), task.turned.end());
    }
  const int64_t maps = task.given.shape.maps, rows = task.given.rows();
  Lined<Partial<T>> partial(
      maps * rows::parts_of(rows, kMostRows),
      Partial<T>{Kernel<T>(size), Kernel<T>(expanding), Kernel<T>(expanding.exchanged())});
  rows::for_each_part(pool, maps, rows, kMostRows, [&] {
    return [&, thread = std::make_unique<Thread<T>>(task)](int64_t part, int64_t map, int64_t first, int64_t last) {
      thread->run(map, first, last, partial[part]);
    };
  });
  write_sums(size, partial, &Partial<T>::kernel, of.count, of_kernel->typed_data(), of_bias->typed_data());
  write_sums(expanding, partial, &Partial<T>::expand, of.count, of_expand->typed_data(), of_expand_bias->typed_data());
  write_sums(expanding.exchanged(), partial, &Partial<T>::reduce, of.count, of_reduce->typed_data(),
             of_reduce_bias->typed_data());
  return ffi::Error::Success();
}

}  // namespace

DEFINE_KERNEL(block_gradient, block_gradient, 11, 11, .Attr<ffi::Span<const int64_t>>("widths"));
