package dev.duoka.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.RoutingKernels.Sorted;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The sort by expert and the row copies against plain Java. */
@Tag("cuda")
class RoutingKernelsTests {
  private static final Device DEVICE = TestDevice.cuda();
  private static final long SEED = 131;

  /** How experts are spread over the assignments. */
  enum Load {
    EVEN,
    ALL_TO_THE_LAST,
    MOST_EMPTY
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, EVEN",
    "1, 6, 64, EVEN",
    "3, 1, 6, EVEN",
    "257, 1, 6, MOST_EMPTY",
    "43, 6, 64, EVEN", // 258 assignments: two blocks
    "1000, 6, 64, EVEN",
    "1000, 6, 64, ALL_TO_THE_LAST",
    "8192, 6, 64, EVEN",
    "8192, 6, 64, ALL_TO_THE_LAST",
    "777, 8, 160, MOST_EMPTY",
    "4096, 8, 256, EVEN",
    "4096, 8, 256, ALL_TO_THE_LAST",
    "999, 3, 512, EVEN",
    "999, 16, 1000, EVEN",
    "50000, 8, 256, EVEN" // more than one round of each warp
  })
  void sortsByExpertAndKeepsTheOrderWithin(int tokens, int perToken, int experts, Load load) {
    int count = tokens * perToken;
    SplittableRandom random = new SplittableRandom(SEED);
    long[] chosen =
        LongStream.generate(
                () ->
                    switch (load) {
                      case EVEN -> random.nextInt(experts);
                      case ALL_TO_THE_LAST -> experts - 1;
                      case MOST_EMPTY -> random.nextInt(3) * (experts - 1) / 2;
                    })
            .limit(count)
            .toArray();
    long[] order =
        IntStream.range(0, count)
            .boxed()
            .sorted(Comparator.comparingLong(i -> chosen[i]))
            .mapToLong(i -> i)
            .toArray();
    long[] position = new long[count];
    long[] counts = new long[experts];
    for (int i = 0; i < count; i++) {
      position[Math.toIntExact(order[i])] = i;
      counts[Math.toIntExact(chosen[i])]++;
    }
    int[] ends = new int[experts];
    int end = 0;
    for (int expert = 0; expert < experts; expert++) {
      end += Math.toIntExact(counts[expert]);
      ends[expert] = end;
    }
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor assignments = HostCopy.fromLongs(chosen, DEVICE, count);
      for (int run = 0; run < 3; run++) {
        Poison.freeMemory(DEVICE);
        assertThat(RoutingKernels.take(assignments, experts, Dtype.BFLOAT16)).isTrue();
        Sorted sorted = RoutingKernels.sort(assignments, experts, perToken, Dtype.BFLOAT16);
        assertThat(HostCopy.longs(sorted.order())).isEqualTo(order);
        assertThat(HostCopy.longs(sorted.position())).isEqualTo(position);
        assertThat(HostCopy.longs(sorted.token()))
            .isEqualTo(LongStream.of(order).map(i -> i / perToken).toArray());
        assertThat(HostCopy.longs(sorted.counts())).isEqualTo(counts);
        assertThat(HostCopy.ints(sorted.ends())).isEqualTo(ends);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 8, BFLOAT16",
    "37, 6, 2048, BFLOAT16",
    "300, 8, 40, BFLOAT16",
    "20, 11, 7168, BFLOAT16", // more rows than are loaded at once, more packs than threads
    "37, 3, 264, FLOAT16",
    "37, 6, 2048, FLOAT32",
    "5, 16, 4, FLOAT32"
  })
  void spreadsAndGathers(int tokens, int perToken, int width, Dtype dtype) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(SEED, dtype, DEVICE);
      Tensor rows = inputs.coarse(tokens, width);
      Tensor addend = inputs.coarse(tokens, width);
      Tensor other = inputs.coarse((long) tokens * perToken, width);
      Tensor chosen = inputs.indices(7, (long) tokens * perToken);
      Sorted sort = RoutingKernels.sort(chosen, 7, perToken, dtype);
      assertThat(RoutingKernels.takeRows(rows)).isTrue();

      Poison.freeMemory(DEVICE);
      Tensor sorted =
          RoutingKernels.spread(rows, sort.position(), perToken, sort.position().elements());
      double[] source = HostCopy.doubles(rows);
      double[] copies = HostCopy.doubles(sorted);
      long[] token = HostCopy.longs(sort.token());
      double[] expectedCopies = new double[copies.length];
      for (int i = 0; i < token.length; i++) {
        System.arraycopy(
            source, Math.toIntExact(token[i]) * width, expectedCopies, i * width, width);
      }
      assertThat(copies).isEqualTo(expectedCopies);

      double[] values = HostCopy.doubles(other);
      double[] plain = new double[tokens * width];
      for (int i = 0; i < token.length; i++) {
        for (int column = 0; column < width; column++) {
          plain[Math.toIntExact(token[i]) * width + column] += values[i * width + column];
        }
      }
      double[] more = HostCopy.doubles(addend);
      double[] added =
          IntStream.range(0, plain.length).mapToDouble(i -> plain[i] + more[i]).toArray();
      Poison.freeMemory(DEVICE);
      // The sums are exact in fp32: what remains is one rounding.
      assertThat(HostCopy.doubles(RoutingKernels.gather(other, sort.position(), perToken, null)))
          .isEqualTo(rounded(plain, dtype));
      assertThat(HostCopy.doubles(RoutingKernels.gather(other, sort.position(), perToken, addend)))
          .isEqualTo(rounded(added, dtype));
    }
  }

  private static double[] rounded(double[] values, Dtype dtype) {
    try (Tensor narrow = HostCopy.fromDoubles(values, dtype, Device.CPU, values.length)) {
      return HostCopy.doubles(narrow);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "300, 6", "8192, 8"})
  void reordersNumbers(int tokens, int perToken) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(SEED, Dtype.FLOAT32, DEVICE);
      Tensor weights = inputs.normal(tokens, perToken);
      Tensor chosen = inputs.indices(5, (long) tokens * perToken);
      Sorted sort = RoutingKernels.sort(chosen, 5, perToken, Dtype.FLOAT32);
      Poison.freeMemory(DEVICE);
      Tensor sorted = RoutingKernels.values(weights, sort.order(), (long) tokens * perToken, 1);
      double[] before = HostCopy.doubles(weights);
      assertThat(HostCopy.doubles(sorted))
          .isEqualTo(
              LongStream.of(HostCopy.longs(sort.order()))
                  .mapToDouble(i -> before[Math.toIntExact(i)])
                  .toArray());
      Tensor back = RoutingKernels.values(sorted, sort.position(), tokens, perToken);
      assertThat(HostCopy.doubles(back)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @CsvSource({"BFLOAT16, 12", "FLOAT16, 4", "FLOAT32, 6", "FLOAT64, 8"})
  void leavesRowsThatAreNoWholePacks(Dtype dtype, int width) {
    try (Tensor rows = new Inputs(SEED, dtype, DEVICE).normal(3, width)) {
      assertThat(RoutingKernels.takeRows(rows)).isFalse();
    }
  }
}
