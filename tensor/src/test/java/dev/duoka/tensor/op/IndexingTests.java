package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class IndexingTests {
  private static final Device DEVICE = TestDevice.current();

  @ParameterizedTest
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT64", "FLOAT32", "BFLOAT16"})
  void rowsAndTheirSums(Dtype dtype) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(61, dtype, DEVICE);
      Tensor matrix = inputs.normal(5, 3);
      Tensor indices = inputs.indices(5, 11);
      long[] index = HostCopy.longs(indices);
      double[] source = HostCopy.doubles(matrix);
      double[] selected = HostCopy.doubles(Indexing.rows(matrix, indices));
      Tensor values = inputs.normal(11, 3);
      double[] addends = HostCopy.doubles(values);
      double[] sums = new double[15];
      for (int i = 0; i < 33; i++) {
        int place = Math.toIntExact(index[i / 3]) * 3 + i % 3;
        assertThat(selected[i]).isEqualTo(source[place]);
        sums[place] += addends[i];
      }
      Tensor summed = Indexing.sumRows(values, indices, 5);
      assertThat(summed.dtype()).isEqualTo(dtype);
      Numbers.assertClose("seed 61", HostCopy.doubles(summed), sums, Numbers.tolerance(dtype));
    }
  }

  @Test
  void noRows() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor none = HostCopy.fromLongs(new long[0], DEVICE, 0);
      Tensor matrix = Tensors.full(2, Dtype.FLOAT32, DEVICE, 4, 3);
      assertThat(Indexing.rows(matrix, none).shape()).containsExactly(0, 3);
      Tensor sums = Indexing.sumRows(Views.narrow(matrix, 0, 0, 0), none, 2);
      assertThat(HostCopy.floats(sums)).containsExactly(0, 0, 0, 0, 0, 0);
      assertThat(HostCopy.longs(Indexing.counts(none, 3))).containsExactly(0, 0, 0);
      assertThat(Indexing.sortedOrder(none).shape()).containsExactly(0);
    }
  }

  @Test
  void gatherAndScatter() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = HostCopy.fromFloats(new float[] {1, 2, 3, 4, 5, 6}, Dtype.FLOAT32, DEVICE, 2, 3);
      Tensor columns = HostCopy.fromLongs(new long[] {2, 0, 1, 1}, DEVICE, 2, 2);
      assertThat(HostCopy.floats(Indexing.gather(x, 1, columns))).containsExactly(3, 1, 5, 5);
      Tensor target = Tensors.zeros(Dtype.FLOAT32, DEVICE, 2, 3);
      Indexing.scatterAdd(target, 1, columns, Views.narrow(x, 1, 0, 2));
      assertThat(HostCopy.floats(target)).containsExactly(2, 0, 1, 0, 9, 0);
    }
  }

  @Test
  void topk() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = new Inputs(62, Dtype.FLOAT32, DEVICE).distinct(4, 9);
      float[] values = HostCopy.floats(x);
      Tensor[] best = Indexing.topk(x, 3);
      assertThat(best[1].dtype()).isEqualTo(Dtype.INT64);
      float[] top = HostCopy.floats(best[0]);
      long[] where = HostCopy.longs(best[1]);
      for (int row = 0; row < 4; row++) {
        float[] sorted = Arrays.copyOfRange(values, row * 9, row * 9 + 9);
        Arrays.sort(sorted);
        float[] chosen = Arrays.copyOfRange(top, row * 3, row * 3 + 3);
        for (int i = 0; i < 3; i++) {
          assertThat(values[row * 9 + (int) where[row * 3 + i]]).isEqualTo(chosen[i]);
        }
        Arrays.sort(chosen);
        assertThat(chosen).as("seed 62").isEqualTo(Arrays.copyOfRange(sorted, 6, 9));
      }
    }
  }

  @Test
  void sortsStably() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = new Inputs(63, Dtype.FLOAT32, DEVICE).indices(7, 1000);
      long[] keys = HostCopy.longs(x);
      long[] expected =
          IntStream.range(0, keys.length)
              .boxed()
              .sorted(Comparator.comparingLong(i -> keys[i]))
              .mapToLong(Integer::longValue)
              .toArray();
      assertThat(HostCopy.longs(Indexing.sortedOrder(x))).as("seed 63").isEqualTo(expected);
    }
  }

  @Test
  void counts() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor indices = HostCopy.fromLongs(new long[] {1, 4, 1, 1, 0, 4}, DEVICE, 2, 3);
      assertThat(HostCopy.longs(Indexing.counts(indices, 6))).containsExactly(1, 3, 0, 0, 2, 0);
    }
  }
}
