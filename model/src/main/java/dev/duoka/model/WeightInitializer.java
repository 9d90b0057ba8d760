package dev.duoka.model;

import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Gives a new model its first weights: a pure function of the seed and each parameter's name, the
 * same on every rank and device.
 */
public final class WeightInitializer {
  /** Elements drawn from one random stream; the unit of parallel work. */
  private static final int STREAM = 1 << 16;

  private static final int CHUNK = STREAM * 64;

  private WeightInitializer() {}

  /** Initialises all parameters, on all cores. */
  public static void initialize(LanguageModel model, long seed) {
    for (Parameter parameter : model.parameters().parameters()) {
      if (!parameter.value().device().isMeta()) {
        initialize(parameter, seed);
      }
    }
  }

  private static void initialize(Parameter parameter, long seed) {
    switch (parameter.spec().initializer()) {
      case Initializer.Constant(double value) -> Tensors.fill(parameter.value(), value);
      case Initializer.Normal(double deviation) -> {
        long stream = mix(seed, parameter.name().hashCode());
        long elements = parameter.spec().elements();
        try (Scope _ = Scope.open()) {
          Tensor flat = Views.reshape(parameter.value(), elements);
          for (long start = 0; start < elements; start += CHUNK) {
            int length = Math.toIntExact(Math.min(CHUNK, elements - start));
            float[] values = normal(stream, start / STREAM, length, deviation);
            try (Tensor host = HostCopy.fromFloats(values, Dtype.FLOAT32, Device.CPU, length);
                Tensor part = Views.narrow(flat, 0, start, length)) {
              Copies.into(part, host);
            }
          }
        }
      }
    }
  }

  private static float[] normal(long stream, long firstBlock, int length, double deviation) {
    float[] values = new float[length];
    IntStream.range(0, (length + STREAM - 1) / STREAM)
        .parallel()
        .forEach(
            block -> {
              SplittableRandom random = new SplittableRandom(mix(stream, firstBlock + block));
              int end = Math.min(length, (block + 1) * STREAM);
              for (int i = block * STREAM; i < end; i++) {
                values[i] = (float) (random.nextGaussian() * deviation);
              }
            });
    return values;
  }

  /** A well-spread combination of two numbers (the finaliser of SplitMix64). */
  private static long mix(long a, long b) {
    long z = a * 0x9E3779B97F4A7C15L + b;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
