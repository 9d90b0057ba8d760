package dev.duoka.formats.safetensors;

import java.util.List;

/** Sizes of tensors, with overflow told apart from a size. */
final class TensorSize {
  private TensorSize() {}

  /** Bytes of a tensor; -1 where a size is negative or the product exceeds 63 bits. */
  static long bytes(StoredDtype dtype, List<Long> shape) {
    long bytes = dtype.byteSize();
    for (long size : shape) {
      if (size < 0 || (bytes != 0 && size > Long.MAX_VALUE / bytes)) {
        return -1;
      }
      bytes *= size;
    }
    return bytes;
  }
}
