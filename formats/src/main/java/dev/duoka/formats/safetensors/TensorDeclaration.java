package dev.duoka.formats.safetensors;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;

/**
 * A tensor that is to be written.
 *
 * @param name unique in its file, or in its folder where the model is sharded
 * @param dtype the elements' type
 * @param shape empty for a single number; a size may be 0
 */
public record TensorDeclaration(String name, StoredDtype dtype, List<Long> shape) {
  public TensorDeclaration {
    shape = List.copyOf(shape);
    if (name.isEmpty() || name.equals(SafetensorsHeader.METADATA)) {
      throw new DuokaException(
          ErrorCode.FORMAT, "cannot store a tensor named '" + name + "'", "Give it another name.");
    }
    if (TensorSize.bytes(dtype, shape) < 0) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot store tensor '" + name + "' of shape " + shape,
          "Sizes must not be negative, and all bytes fit 63 bits.");
    }
  }

  /** Bytes of the whole tensor. */
  public long byteLength() {
    return TensorSize.bytes(dtype, shape);
  }
}
