package dev.duoka.model.weight;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import org.jspecify.annotations.Nullable;

/** State of a model that no gradient changes: fp32 {@code [length]}, zero at the start. */
public final class StateBuffer {
  private final String checkpointName;
  private final long length;
  private final int block;
  private @Nullable Tensor value;

  StateBuffer(String checkpointName, long length, int block) {
    this.checkpointName = checkpointName;
    this.length = length;
    this.block = block;
  }

  /** Its name in a Hugging Face checkpoint. */
  public String checkpointName() {
    return checkpointName;
  }

  /** The block of the model that it belongs to. */
  int block() {
    return block;
  }

  /** The number of elements. */
  public long length() {
    return length;
  }

  /** The values. */
  public Tensor value() {
    if (value == null) {
      throw new IllegalStateException(checkpointName + " has not been allocated");
    }
    return value;
  }

  void allocate(Dtype dtype, Device device) {
    try (Scope _ = Scope.open(MemoryOwner.WEIGHTS)) {
      value = Scope.detach(Tensors.zeros(dtype, device, length));
    }
  }

  void close() {
    if (value != null) {
      value.close();
    }
  }
}
