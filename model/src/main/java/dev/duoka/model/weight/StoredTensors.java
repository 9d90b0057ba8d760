package dev.duoka.model.weight;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;

/** Tensors of a safetensors folder as tensors of the engine. */
public final class StoredTensors {
  private StoredTensors() {}

  /** Reads one tensor into host memory, in its stored dtype. */
  public static Tensor read(SafetensorsFolder folder, TensorEntry entry) {
    Tensor tensor =
        Tensors.empty(
            dtype(entry), Device.CPU, entry.shape().stream().mapToLong(Long::longValue).toArray());
    HostCopy.write(tensor, (offset, chunk) -> folder.read(entry, offset, chunk));
    return tensor;
  }

  /** The engine's dtype for a stored one. */
  public static Dtype dtype(TensorEntry entry) {
    return switch (entry.dtype()) {
      case F64 -> Dtype.FLOAT64;
      case F32 -> Dtype.FLOAT32;
      case BF16 -> Dtype.BFLOAT16;
      case F16 -> Dtype.FLOAT16;
      case I64 -> Dtype.INT64;
      case I32 -> Dtype.INT32;
      case U8 -> Dtype.UINT8;
      case BOOL -> Dtype.BOOL;
      case I16, I8, U16, U32, U64, F8_E4M3, F8_E5M2 ->
          throw new DuokaException(
              ErrorCode.FORMAT,
              "cannot use the tensor " + entry.name() + ": its dtype is " + entry.dtype(),
              "Convert the checkpoint to BF16 or F32 first");
    };
  }

  /** How a dtype of weights is named in a file. */
  public static StoredDtype stored(Dtype dtype) {
    return switch (dtype) {
      case FLOAT64 -> StoredDtype.F64;
      case FLOAT32 -> StoredDtype.F32;
      case BFLOAT16 -> StoredDtype.BF16;
      case FLOAT16 -> StoredDtype.F16;
      case INT64 -> StoredDtype.I64;
      case INT32 -> StoredDtype.I32;
      case INT16 -> StoredDtype.I16;
      case UINT8 -> StoredDtype.U8;
      case BOOL -> StoredDtype.BOOL;
      case FLOAT8_E4M3 -> StoredDtype.F8_E4M3;
    };
  }
}
