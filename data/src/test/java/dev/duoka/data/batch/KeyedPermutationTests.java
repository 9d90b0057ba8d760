package dev.duoka.data.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class KeyedPermutationTests {
  @Test
  void isABijectionOfEverySize() {
    for (int size = 1; size <= 600; size++) {
      check(size, size * 31L);
    }
    for (int size : new int[] {1023, 1024, 1025, 4095, 4096, 4097, 65_537, 1_000_003}) {
      check(size, -size);
    }
  }

  @Test
  void staysInRangeForLargeSizes() {
    for (long size : new long[] {(1L << 40) + 1, (1L << 61) + 7, 1L << 62}) {
      KeyedPermutation permutation = new KeyedPermutation(size, 5);
      for (long i = 0; i < 1000; i++) {
        assertThat(permutation.apply(size - 1 - i)).isBetween(0L, size - 1);
      }
    }
  }

  @Test
  void spreadsNeighboursAndDependsOnTheKey() {
    int size = 10_000;
    KeyedPermutation first = new KeyedPermutation(size, 1);
    KeyedPermutation second = new KeyedPermutation(size, 2);
    int same = 0;
    int fixed = 0;
    int ascending = 0;
    long inFirstTenth = 0;
    for (int i = 0; i < size; i++) {
      same += first.apply(i) == second.apply(i) ? 1 : 0;
      fixed += first.apply(i) == i ? 1 : 0;
      ascending += i > 0 && first.apply(i) > first.apply(i - 1) ? 1 : 0;
      inFirstTenth += i < size / 10 && first.apply(i) < size / 10 ? 1 : 0;
    }
    // A random permutation has one fixed point on average, and rises half of the time.
    assertThat(same).isLessThan(10);
    assertThat(fixed).isLessThan(10);
    assertThat(ascending).isBetween(4800, 5200);
    assertThat(inFirstTenth).isBetween(60L, 140L);
  }

  @Test
  void refusesWhatIsOutsideIt() {
    KeyedPermutation permutation = new KeyedPermutation(10, 1);
    assertThatThrownBy(() -> permutation.apply(10)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> new KeyedPermutation(0, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static void check(int size, long key) {
    KeyedPermutation permutation = new KeyedPermutation(size, key);
    BitSet seen = new BitSet(size);
    for (int i = 0; i < size; i++) {
      seen.set((int) permutation.apply(i));
    }
    assertThat(seen.cardinality()).as("size %d", size).isEqualTo(size);
    assertThat(seen.length()).isEqualTo(size);
  }
}
