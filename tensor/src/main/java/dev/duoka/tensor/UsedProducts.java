package dev.duoka.tensor;

import dev.duoka.tensor.product.MeasuredProducts;
import java.util.SortedMap;

/**
 * By which algorithms products of matrices were computed: two that round differently make two runs
 * differ.
 */
public final class UsedProducts {
  private UsedProducts() {}

  /**
   * Those of this process so far, by the kind of card and the version of cuBLASLt, then by the
   * product; empty on a CPU, where LibTorch chooses alone. Touches no device.
   */
  public static SortedMap<String, SortedMap<String, String>> soFar() {
    return MeasuredProducts.used();
  }
}
