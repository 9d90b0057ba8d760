package dev.duoka.model;

import dev.duoka.engine.parameter.HeldRange;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.Nf4Form;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.nf4.Nf4;
import dev.duoka.tensor.nf4.Nf4Writer;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.nio.FloatBuffer;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Gives a new model its first weights: a pure function of the seed and each parameter's name, the
 * same on every rank and device.
 */
public final class WeightInitializer {
  /** Elements drawn from one random stream; the unit of parallel work. */
  private static final int STREAM = 1 << 16;

  /** Elements on their way to the device at once. */
  private static final int CHUNK = STREAM * 64;

  private WeightInitializer() {}

  /** Initialises all parameters, on all cores. */
  public static void initialize(LanguageModel model, long seed) {
    initialize(model, seed, _ -> HeldRange.ALL);
  }

  /**
   * As the other method, some of the weights alone.
   *
   * @param wanted what of a parameter is to be written; more may be, never a parameter of which
   *     nothing is
   */
  public static void initialize(
      LanguageModel model, long seed, Function<Parameter, HeldRange> wanted) {
    Device device = model.parameters().device();
    if (device.isMeta()) {
      return;
    }
    long largest = 1;
    for (Parameter parameter : model.parameters().parameters()) {
      Portion portion = parameter.spec().portion();
      largest = Math.max(largest, portion.rows() * portion.columns() + STREAM);
    }
    int chunk = Math.toIntExact(Math.min(CHUNK, largest));
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor staging =
          device.isCuda()
              ? Tensors.emptyPinned(Dtype.FLOAT32, chunk)
              : Tensors.empty(Dtype.FLOAT32, Device.CPU, chunk);
      for (Parameter parameter : model.parameters().parameters()) {
        HeldRange range = wanted.apply(parameter);
        if (!range.isEmpty()) {
          initialize(parameter, range, seed, staging);
        }
      }
    }
  }

  /**
   * Draws every weight that starts at a constant from around it, normally distributed: so that none
   * of the gradients of a proof is zero because a matrix is.
   */
  public static void disturbConstants(LanguageModel model, long seed, double deviation) {
    if (model.parameters().device().isMeta()) {
      return;
    }
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor staging = Tensors.empty(Dtype.FLOAT32, Device.CPU, STREAM);
      for (Parameter parameter : model.parameters().parameters()) {
        if (parameter.spec().initializer() instanceof Initializer.Constant(double value)) {
          draw(
              parameter,
              HeldRange.ALL,
              seed,
              random -> value + random.nextGaussian() * deviation,
              staging);
        }
      }
    }
  }

  private static void initialize(Parameter parameter, HeldRange range, long seed, Tensor staging) {
    switch (parameter.spec().initializer()) {
      case Initializer.Constant(double value) -> Tensors.fill(parameter.value(), value);
      case Initializer.Normal(double deviation) ->
          draw(parameter, range, seed, random -> random.nextGaussian() * deviation, staging);
      case Initializer.Uniform(double bound) ->
          draw(parameter, range, seed, random -> (2 * random.nextDouble() - 1) * bound, staging);
    }
  }

  private static void draw(
      Parameter parameter,
      HeldRange range,
      long seed,
      ToDoubleFunction<SplittableRandom> distribution,
      Tensor staging) {
    long stream = mix(seed, parameter.name().hashCode());
    Portion portion = parameter.spec().portion();
    Nf4Form form = parameter.spec().nf4();
    if (form != null) {
      drawInFourBits(parameter, form, stream, distribution, staging);
    } else if (portion.isAll()) {
      drawAll(parameter, range, stream, distribution, staging);
    } else {
      drawPortion(parameter, portion, range, stream, distribution, staging);
    }
  }

  private static void drawAll(
      Parameter parameter,
      HeldRange range,
      long stream,
      ToDoubleFunction<SplittableRandom> distribution,
      Tensor staging) {
    long elements = parameter.spec().elements();
    long end = Math.min(elements, range.end());
    try (Scope _ = Scope.open()) {
      Tensor flat = Views.reshape(parameter.value(), elements);
      long atOnce = Math.min(CHUNK, staging.size(0) / STREAM * STREAM);
      for (long start = range.start() / STREAM * STREAM; start < end; start += atOnce) {
        int length = Math.toIntExact(Math.min(atOnce, end - start));
        try (Tensor drawn = Views.narrow(staging, 0, 0, length);
            Tensor part = Views.narrow(flat, 0, start, length)) {
          draw(drawn, stream, start, distribution);
          Copies.into(part, drawn);
        }
      }
    }
  }

  /** Draws the streams that touch what is held, and keeps of each what belongs to it. */
  private static void drawPortion(
      Parameter parameter,
      Portion portion,
      HeldRange range,
      long stream,
      ToDoubleFunction<SplittableRandom> distribution,
      Tensor staging) {
    long columns = portion.columns();
    long rowsAtOnce = Math.max(1, (CHUNK - STREAM) / columns);
    long end = Math.min(parameter.spec().elements(), range.end());
    for (long row = 0; row < portion.rows(); row += rowsAtOnce) {
      long rows = Math.min(rowsAtOnce, portion.rows() - row);
      if (!portion.touches(range.start(), end, row, rows)) {
        continue;
      }
      try (Scope _ = Scope.open()) {
        Tensor whole = rows(row, rows, columns, stream, distribution, staging);
        portion.take(whole, row, parameter.value());
      }
    }
  }

  /** Draws all rows of each tensor of which anything is here, and quantizes them as they come. */
  private static void drawInFourBits(
      Parameter parameter,
      Nf4Form form,
      long stream,
      ToDoubleFunction<SplittableRandom> distribution,
      Tensor staging) {
    long columns = parameter.spec().portion().columns();
    long atOnce = Math.max(1, (CHUNK - STREAM) / columns / Nf4.BLOCK) * Nf4.BLOCK;
    long firstRow = 0;
    for (int tensor = 0; tensor < form.rows().size(); tensor++) {
      long end = firstRow + form.rows().get(tensor);
      try (Nf4Writer writer = parameter.writer(tensor)) {
        for (long row = firstRow; writer.isWanted() && row < end; row += atOnce) {
          long rows = Math.min(atOnce, end - row);
          try (Scope _ = Scope.open()) {
            writer.add(rows(row, rows, columns, stream, distribution, staging));
          }
        }
        if (writer.isWanted()) {
          writer.finish();
        }
      }
      firstRow = end;
    }
  }

  /** Draws some rows of a whole weight, {@code [rows, columns]}. Of the caller's scope. */
  private static Tensor rows(
      long row,
      long rows,
      long columns,
      long stream,
      ToDoubleFunction<SplittableRandom> distribution,
      Tensor staging) {
    long start = row * columns / STREAM * STREAM;
    long skipped = row * columns - start;
    Tensor room = room(staging, skipped + rows * columns);
    draw(room, stream, start, distribution);
    return Views.reshape(Views.narrow(room, 0, skipped, rows * columns), rows, columns);
  }

  /** The staging memory, or more where one row alone is longer. */
  private static Tensor room(Tensor staging, long elements) {
    return elements <= staging.size(0)
        ? Views.narrow(staging, 0, 0, elements)
        : Tensors.empty(Dtype.FLOAT32, Device.CPU, elements);
  }

  /** Draws neighbouring elements, the first of which begins a stream. */
  private static void draw(
      Tensor target, long stream, long start, ToDoubleFunction<SplittableRandom> distribution) {
    HostCopy.write(
        target,
        (offset, bytes) ->
            drawStreams(
                stream, (start + offset / 4) / STREAM, distribution, bytes.asFloatBuffer()));
  }

  private static void drawStreams(
      long stream,
      long firstBlock,
      ToDoubleFunction<SplittableRandom> distribution,
      FloatBuffer target) {
    int length = target.remaining();
    IntStream.range(0, (length + STREAM - 1) / STREAM)
        .parallel()
        .forEach(
            block -> {
              SplittableRandom random = new SplittableRandom(mix(stream, firstBlock + block));
              int start = block * STREAM;
              float[] values = new float[Math.min(STREAM, length - start)];
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) distribution.applyAsDouble(random);
              }
              target.put(start, values);
            });
  }

  /** A well-spread combination of two numbers (the finaliser of SplitMix64). */
  private static long mix(long a, long b) {
    long z = a * 0x9E3779B97F4A7C15L + b;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
