// XLA custom calls: the row of pixels that linear prediction puts below a strip, and its derivative.

#include "lagged_products.h"

namespace {

// A strip of known rows, and coefficients (positions = width, length, width, channels).
struct Strip {
  int64_t maps, length, columns, channels, width;

  Strip(ffi::Span<const int64_t> rows, ffi::Span<const int64_t> coefficients)
      : maps(1), width(coefficients[coefficients.size() - 2]) {
    const size_t rank = rows.size();
    length = rows[rank - 3];
    columns = rows[rank - 2];
    channels = rows[rank - 1];
    for (size_t i = 0; i + 3 < rank; ++i) maps *= rows[i];
  }

  int64_t of_coefficients() const { return width * length * width * channels; }

  // Calls visit(pixel, known, coefficient), offsets of a predicted pixel and of each pair it is made of.
  template <typename Visit>
  __attribute__((always_inline)) void for_each_term(const Visit& visit) const {
    for (int64_t x = 0; x < columns; ++x) {
      const int64_t first = std::clamp<int64_t>(x - width / 2, 0, columns - width), position = x - first;
      for (int64_t l = 0; l < length; ++l)
        for (int64_t w = 0; w < width; ++w)
          visit(x * channels, (l * columns + first + w) * channels,
                ((position * length + l) * width + w) * channels);
    }
  }
};

template <typename T>
FOR_EACH_PROCESSOR void predict(const Strip& strip, const T* rows, const T* coefficients, T* row) {
  std::fill(row, row + strip.columns * strip.channels, T(0));
  strip.for_each_term([&](int64_t pixel, int64_t known, int64_t coefficient) {
    for (int64_t c = 0; c < strip.channels; ++c)
      row[pixel + c] += rows[known + c] * coefficients[coefficient + c];
  });
}

template <typename T>
FOR_EACH_PROCESSOR void spread(const Strip& strip, const T* rows, const T* coefficients, const T* slopes,
                               T* of_rows, T* of_coefficients) {
  std::fill(of_rows, of_rows + strip.length * strip.columns * strip.channels, T(0));
  std::fill(of_coefficients, of_coefficients + strip.of_coefficients(), T(0));
  strip.for_each_term([&](int64_t pixel, int64_t known, int64_t coefficient) {
    for (int64_t c = 0; c < strip.channels; ++c) {
      of_rows[known + c] += slopes[pixel + c] * coefficients[coefficient + c];
      of_coefficients[coefficient + c] += slopes[pixel + c] * rows[known + c];
    }
  });
}

// rows (*maps, length, columns, channels), coefficients (*maps, width, length, width, channels)
// -> (*maps, columns, channels)
template <ffi::DataType D>
ffi::Error next_row(ffi::ThreadPool pool, ffi::Buffer<D> rows, ffi::Buffer<D> coefficients,
                    ffi::ResultBuffer<D> row) {
  const Strip strip(rows.dimensions(), coefficients.dimensions());
  const int64_t line = strip.columns * strip.channels;
  lagged::for_each_map(pool, strip.maps, [&] {
    return [&](int64_t map) {
      predict(strip, rows.typed_data() + map * strip.length * line,
              coefficients.typed_data() + map * strip.of_coefficients(), row->typed_data() + map * line);
    };
  });
  return ffi::Error::Success();
}

// The gradients of `next_row` with respect to both arguments.
template <ffi::DataType D>
ffi::Error next_row_gradient(ffi::ThreadPool pool, ffi::Buffer<D> rows, ffi::Buffer<D> coefficients,
                             ffi::Buffer<D> slopes, ffi::ResultBuffer<D> of_rows,
                             ffi::ResultBuffer<D> of_coefficients) {
  const Strip strip(rows.dimensions(), coefficients.dimensions());
  const int64_t line = strip.columns * strip.channels;
  lagged::for_each_map(pool, strip.maps, [&] {
    return [&](int64_t map) {
      const int64_t at_rows = map * strip.length * line, at_coefficients = map * strip.of_coefficients();
      spread(strip, rows.typed_data() + at_rows, coefficients.typed_data() + at_coefficients,
             slopes.typed_data() + map * line, of_rows->typed_data() + at_rows,
             of_coefficients->typed_data() + at_coefficients);
    };
  });
  return ffi::Error::Success();
}

}  // namespace

#define DEFINE(suffix, D)                                                     \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(next_row_##suffix, next_row<D>,               \
                                ffi::Ffi::Bind()                              \
                                    .Ctx<ffi::ThreadPool>()                   \
                                    .Arg<ffi::Buffer<D>>()                    \
                                    .Arg<ffi::Buffer<D>>()                    \
                                    .Ret<ffi::Buffer<D>>());                  \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(next_row_gradient_##suffix, next_row_gradient<D>, \
                                ffi::Ffi::Bind()                              \
                                    .Ctx<ffi::ThreadPool>()                   \
                                    .Arg<ffi::Buffer<D>>()                    \
                                    .Arg<ffi::Buffer<D>>()                    \
                                    .Arg<ffi::Buffer<D>>()                    \
                                    .Ret<ffi::Buffer<D>>()                    \
                                    .Ret<ffi::Buffer<D>>())

DEFINE(float32, ffi::F32);
DEFINE(float64, ffi::F64);
