package dev.duoka.formats.safetensors;

import java.util.List;

/**
 * A tensor as a file's header describes it.
 *
 * @param name unique in its file
 * @param dtype the elements' type
 * @param shape empty for a single number; a size may be 0
 * @param begin the first byte, counted from the end of the header
 * @param byteLength bytes of the whole tensor
 */
public record TensorEntry(
    String name, StoredDtype dtype, List<Long> shape, long begin, long byteLength) {
  public TensorEntry {
    shape = List.copyOf(shape);
  }

  /** The number of elements; 1 for an empty shape. */
  public long elements() {
    return byteLength / dtype.byteSize();
  }
}
