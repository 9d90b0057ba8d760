package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Dtype;
import java.nio.ByteBuffer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * {@link AdamWKernel} for buffers in host memory: the same arithmetic on all of the machine's
 * cores, in loops over arrays that the JVM's compiler vectorises.
 */
public final class HostAdamW {
  private static final int BLOCK = AdamWKernel.BLOCK;

  /** Elements that a core reads at once: what fits its nearest caches. */
  private static final int TILE = 4096;

  private final AdamWBuffers buffers;
  private final ElementRuns runs;
  private final long start;

  /**
   * Updates of some buffers.
   *
   * @param runs which elements they hold
   * @param start where the buffers start in what the runs are of
   */
  public HostAdamW(AdamWBuffers buffers, ElementRuns runs, long start) {
    this.buffers = buffers;
    this.runs = runs;
    this.start = start;
  }

  /**
   * One update.
   *
   * @param factor what the gradients are multiplied by: unscaling and clipping
   * @param chance stands for this update ({@link ChanceBits#ofUpdate})
   */
  public void step(AdamWKernel.Update update, double factor, long chance) {
    long length = buffers.values().size(0);
    int tiles = Math.toIntExact((length + TILE - 1) / TILE);
    int workers = Math.min(tiles, Runtime.getRuntime().availableProcessors());
    Numbers numbers = new Numbers(update, (float) factor, chance);
    // The workers see memory alone: a tensor belongs to the thread that owns it.
    Memory memory = new Memory(buffers);
    IntStream.range(0, workers)
        .parallel()
        .forEach(
            worker -> {
              Tile tile = new Tile(memory);
              for (int i = worker; i < tiles; i += workers) {
                long at = (long) i * TILE;
                tile.update(at, (int) Math.min(TILE, length - at), numbers);
              }
            });
  }

  /** The memory of {@link AdamWBuffers}; {@code weights} are the master, where that is a copy. */
  private record Memory(
      HostNumbers values,
      HostNumbers weights,
      @Nullable HostNumbers remainders,
      HostNumbers gradients,
      HostNumbers firstMoment,
      @Nullable HostNumbers firstScales,
      HostNumbers secondMoment,
      @Nullable HostNumbers secondScales,
      boolean narrow,
      boolean mastered) {
    Memory(AdamWBuffers of) {
      this(
          HostNumbers.of(of.values()),
          HostNumbers.of(of.master() == null || of.hasRemainders() ? of.values() : of.master()),
          HostNumbers.orNone(of.hasRemainders() ? of.master() : null),
          HostNumbers.of(of.gradients()),
          HostNumbers.of(of.firstMoment()),
          HostNumbers.orNone(of.firstScales()),
          HostNumbers.of(of.secondMoment()),
          HostNumbers.orNone(of.secondScales()),
          of.areNarrow(),
          of.master() != null);
    }
  }

  /** The numbers of an update in the order in which they are used. */
  private record Numbers(
      float factor,
      float shrink,
      float beta1,
      float beta2,
      float epsilon,
      float size,
      float correction2,
      long chance) {
    Numbers(AdamWKernel.Update update, float factor, long chance) {
      this(
          factor,
          (float) update.learningRate() * (float) update.weightDecay(),
          (float) update.beta1(),
          (float) update.beta2(),
          (float) update.epsilon(),
          (float) update.learningRate() / update.correction1(),
          update.correction2Root(),
          chance);
    }
  }

  /** The part that a core works on, in full precision. */
  private final class Tile {
    private final float[] gradient = new float[TILE];
    private final float[] weight = new float[TILE];
    private final float[] first = new float[TILE];
    private final float[] second = new float[TILE];
    private final float[] scales = new float[TILE / BLOCK];
    private final short[] shorts = new short[TILE];
    private final short[] below = new short[TILE];
    private final int[] bits = new int[TILE];
    private final byte[] bytes = new byte[TILE];
    private final long[] chance = new long[TILE];

    private final Memory memory;

    Tile(Memory memory) {
      this.memory = memory;
    }

    void update(long at, int length, Numbers numbers) {
      readWeights(at, length);
      read(memory.gradients(), at, length, gradient);
      readMoment(memory.firstMoment(), memory.firstScales(), at, length, first, false);
      readMoment(memory.secondMoment(), memory.secondScales(), at, length, second, true);
      compute(length, numbers);
      if (memory.narrow()) {
        runs.chance(start + at, length, numbers.chance(), chance);
      }
      writeWeights(at, length);
      writeMoment(memory.firstMoment(), memory.firstScales(), at, length, first, 16, false);
      writeMoment(memory.secondMoment(), memory.secondScales(), at, length, second, 36, true);
    }

    private void compute(int length, Numbers numbers) {
      float factor = numbers.factor();
      float shrink = numbers.shrink();
      float beta1 = numbers.beta1();
      float beta2 = numbers.beta2();
      float epsilon = numbers.epsilon();
      float size = numbers.size();
      float correction2 = numbers.correction2();
      for (int i = 0; i < length; i++) {
        float g = gradient[i] * factor;
        float p = weight[i];
        p -= shrink * p;
        float m = first[i];
        m += (1f - beta1) * (g - m);
        float v = beta2 * second[i] + (1f - beta2) * g * g;
        p -= size * m / ((float) Math.sqrt(v) / correction2 + epsilon);
        weight[i] = p;
        first[i] = m;
        second[i] = v;
      }
    }

    private void read(HostNumbers numbers, long start, int length, float[] into) {
      ByteBuffer stretch = numbers.stretch(start, length);
      if (numbers.dtype() == Dtype.FLOAT32) {
        stretch.asFloatBuffer().get(into, 0, length);
      } else if (numbers.dtype() == Dtype.BFLOAT16) {
        stretch.asShortBuffer().get(shorts, 0, length);
        for (int i = 0; i < length; i++) {
          into[i] = MomentCode.bf16(shorts[i]);
        }
      } else {
        throw new IllegalArgumentException("no update of " + numbers.dtype() + " on the host");
      }
    }

    private void readWeights(long at, int length) {
      read(memory.weights(), at, length, weight);
      HostNumbers remainders = memory.remainders();
      if (remainders != null) {
        remainders.stretch(at, length).asShortBuffer().get(below, 0, length);
        MasterCode.join(shorts, below, bits, weight, length); // read left them in {@code shorts}
      }
    }

    private void readMoment(
        HostNumbers numbers,
        @Nullable HostNumbers scalesOf,
        long start,
        int length,
        float[] into,
        boolean isSecond) {
      if (scalesOf == null) {
        read(numbers, start, length, into);
        return;
      }
      numbers.stretch(start, length).get(bytes, 0, length);
      scalesOf
          .stretch(start / BLOCK, length / BLOCK)
          .asFloatBuffer()
          .get(scales, 0, length / BLOCK);
      for (int i = 0; i < length; i++) {
        float relative = isSecond ? MomentCode.second(bytes[i]) : MomentCode.first(bytes[i]);
        into[i] = relative * scales[i / BLOCK];
      }
    }

    private void writeWeights(long start, int length) {
      HostNumbers weights = memory.weights();
      HostNumbers remainders = memory.remainders();
      if (remainders != null) {
        MasterCode.split(weight, bits, shorts, below, length);
        weights.stretch(start, length).asShortBuffer().put(shorts, 0, length);
        remainders.stretch(start, length).asShortBuffer().put(below, 0, length);
      } else if (weights.dtype() == Dtype.FLOAT32) {
        weights.stretch(start, length).asFloatBuffer().put(weight, 0, length);
        if (memory.mastered()) { // a copy, so the weights are fp16
          for (int i = 0; i < length; i++) {
            shorts[i] = Float.floatToFloat16(weight[i]);
          }
          memory.values().stretch(start, length).asShortBuffer().put(shorts, 0, length);
        }
      } else {
        for (int i = 0; i < length; i++) {
          shorts[i] = MomentCode.bf16(weight[i], (int) chance[i] & 0xffff);
        }
        weights.stretch(start, length).asShortBuffer().put(shorts, 0, length);
      }
    }

    private void writeMoment(
        HostNumbers numbers,
        @Nullable HostNumbers scalesOf,
        long start,
        int length,
        float[] from,
        int shift,
        boolean isSecond) {
      if (numbers.dtype() == Dtype.FLOAT32) {
        numbers.stretch(start, length).asFloatBuffer().put(from, 0, length);
      } else if (scalesOf == null) {
        for (int i = 0; i < length; i++) {
          shorts[i] = MomentCode.bf16(from[i], (int) (chance[i] >>> (shift + 4)) & 0xffff);
        }
        numbers.stretch(start, length).asShortBuffer().put(shorts, 0, length);
      } else {
        for (int block = 0; block < length / BLOCK; block++) {
          scales[block] = encode(from, block * BLOCK, shift, isSecond);
        }
        numbers.stretch(start, length).put(bytes, 0, length);
        scalesOf
            .stretch(start / BLOCK, length / BLOCK)
            .asFloatBuffer()
            .put(scales, 0, length / BLOCK);
      }
    }

    private float encode(float[] from, int start, int shift, boolean isSecond) {
      float largest = 0;
      for (int i = start; i < start + BLOCK; i++) {
        largest = Math.max(largest, Math.abs(from[i]));
      }
      for (int i = start; i < start + BLOCK; i++) {
        float relative = largest == 0 ? 0 : from[i] / largest;
        int bits = (int) (chance[i] >>> shift) & ((1 << MomentCode.CHANCE_BITS) - 1);
        bytes[i] = isSecond ? MomentCode.second(relative, bits) : MomentCode.first(relative, bits);
      }
      return largest;
    }
  }
}
