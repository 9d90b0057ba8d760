package dev.duoka.train.export;

import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.tensor.Tensor;
import java.util.List;

/** Where the tensors of an export come from. */
interface WeightSource {
  /** What there is, with shapes. */
  List<TensorEntry> tensors();

  /** Bytes of host memory that reading a tensor takes. */
  long bytes(TensorEntry entry);

  /** A tensor in host memory, of the caller's scope, in any floating dtype. */
  Tensor read(TensorEntry entry);

  /** The tensors of a folder as they are. */
  static WeightSource of(SafetensorsFolder folder) {
    return new WeightSource() {
      @Override
      public List<TensorEntry> tensors() {
        return folder.tensors();
      }

      @Override
      public long bytes(TensorEntry entry) {
        return entry.byteLength();
      }

      @Override
      public Tensor read(TensorEntry entry) {
        return StoredTensors.read(folder, entry);
      }
    };
  }
}
